//go:build unix

package loader_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chancery/graph/storetest/every"
	"chancery/loader"
)

// TestPipe: what can be read only once is loaded whole, though a load reads its
// input more than once.
func TestPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	text := tkgRows(0, 5000)
	go func() {
		f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		if err == nil {
			_, err = io.WriteString(f, text)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Error(err)
		}
	}()
	if got := rowsAddUp(t, loadFiles(t, every.SQLite(t), loader.Options{}, pipe)); got.Read != 5000 || got.Created != 5000 {
		t.Errorf("%+v", got)
	}
}

// TestStdinInterrupted: a load that waits for its input can be stopped.
func TestStdinInterrupted(t *testing.T) {
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := loader.Load(ctx, every.SQLite(t), []string{loader.StandardInput}, loader.Options{Stdin: r})
	if err == nil || err.Error() != "interrupted; nothing was written" {
		t.Errorf("%v", err)
	}
}

// TestWrongFormat: a file of another format is refused with what it looks like.
func TestLooksLike(t *testing.T) {
	runes := `{"id":"1","schema":"Person","properties":{"name":["` + strings.Repeat("é", 40_000) + `"]}}` + "\n"
	for text, want := range map[string]string{
		"":                       "the file is empty; one of the format icews has rows",
		"hello\n":                "it looks like text of another sort",
		"title: T\ndataset: d\n": "it looks like dataset",
		runes:                    "it looks like ftm", // cut within a character
		" " + runes:              "it looks like ftm",
		"caf\xe9 au lait\n":      "it looks like a binary file",
	} {
		var rejects bytes.Buffer
		_, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "f", text)}, loader.Options{Format: "icews", Rejects: &rejects})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", text, err)
		}
		if rejects.String() != "file,line,column,reason,row\n" {
			t.Errorf("%q", rejects.String())
		}
	}
}
