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
