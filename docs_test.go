package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommandsInDocs runs every command of the README and of the pages under
// docs that reads "go run . …" on a line of its own.
func TestCommandsInDocs(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatal(pages, err)
	}
	commands := map[string][]string{}
	total := 0
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^    go run \. (.*)$`).FindAllStringSubmatch(string(text), -1) {
			commands[page] = append(commands[page], m[1])
			total++
		}
	}
	if total < 5 {
		t.Fatalf("only %d commands were found", total)
	}
	for page, lines := range commands {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Chdir(t.TempDir())
			for _, name := range []string{"data", "resolvers"} {
				if err := os.Symlink(filepath.Join(root, name), name); err != nil {
					t.Fatal(err)
				}
			}
			for _, line := range lines {
				command, into, redirected := strings.Cut(line, " >> ")
				args := strings.Fields(command)
				var out, stderr output
				if args[0] != "serve" {
					if s := run(t.Context(), args, environment(), strings.NewReader(""), &out, &stderr); s != exitOK {
						t.Errorf("%s: %d %s", line, s, &stderr)
					}
					if redirected {
						if err := os.WriteFile(into, []byte(out.String()), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					continue
				}
				ctx, stop := context.WithCancel(t.Context())
				status := make(chan int, 1)
				go func() {
					status <- run(ctx, append(args, "--addr", "127.0.0.1:0"), environment(), nil, io.Discard, &stderr)
				}()
				stderr.await(t, "Ctrl-C stops it")
				stop()
				if s := <-status; s != exitOK {
					t.Errorf("%s: %d %s", line, s, &stderr)
				}
			}
		})
	}
}

// TestFeedsPage runs the commands that docs/feeds.md shows, on the files of the
// folder that CHANCERY_DATA names, and compares what they say.
func TestFeedsPage(t *testing.T) {
	data := os.Getenv("CHANCERY_DATA")
	if data == "" {
		t.Skip("CHANCERY_DATA does not name the folder of the data")
	}
	data, err := filepath.Abs(data)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("docs", "feeds.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(data, "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no files: %v", data, err)
	}
	t.Chdir(t.TempDir())
	for _, file := range files {
		if err := os.Symlink(file, filepath.Base(file)); err != nil && !os.IsExist(err) { // all parts of ICEWS are called the same
			t.Fatal(err)
		}
	}
	commands := 0
	for _, block := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		text := block[2]
		if name, rows, ok := strings.Cut(strings.TrimPrefix(text, "# "), "\n"); ok && (block[1] == "graphql" || block[1] == "tsv") {
			content := text
			if block[1] == "tsv" { // which has no comments
				content = rows
			}
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		command, want, _ := strings.Cut(text, "\n")
		command, ok := strings.CutPrefix(command, "$ chancery ")
		if !ok {
			continue
		}
		commands++
		var out, stderr output
		if s := run(t.Context(), strings.Fields(command), environment(), strings.NewReader(""), &out, &stderr); s != exitOK {
			t.Fatalf("%s: %d %s", command, s, &stderr)
		}
		moment := regexp.MustCompile(`(?m)^recorded at .*$`)
		if got, want := moment.ReplaceAllString(out.String(), ""), moment.ReplaceAllString(want, ""); got != want {
			t.Errorf("%s\ndocs/feeds.md has\n%s\nand it says\n%s", command, want, got)
		}
	}
	if commands < 7 {
		t.Errorf("only %d commands were found", commands)
	}
}
