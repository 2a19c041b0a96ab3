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

	"chancery/graph"
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

// TestPipeUnwritten: a load does not wait any longer for somebody to write to a
// pipe when it is told to stop.
func TestPipeUnwritten(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	store, ended := every.SQLite(t), make(chan error, 1)
	go func() {
		_, err := loader.Load(ctx, store, []string{pipe}, loader.Options{})
		ended <- err
	}()
	select {
	case err := <-ended:
		if want := (*loader.InterruptedError)(nil); !errors.As(err, &want) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the load goes on")
	}
	// It would wait for good in a directory.
	_, err := loader.Load(t.Context(), store, []string{dir}, loader.Options{})
	if want := "pipe: cannot be read: it is a pipe, socket or device; name it instead of its directory"; !strings.Contains(complaints(t, err), want) {
		t.Errorf("%v, not %s", err, want)
	}
}

// bare fails when there is anything in the directory for temporary files while
// a load or an export goes on: a kill would leave it.
type bare struct {
	t     *testing.T
	asked int
}

func (b *bare) look() {
	b.asked++
	if entries, err := os.ReadDir(os.TempDir()); err != nil || len(entries) > 0 {
		b.t.Errorf("a kill would leave %v, %v", entries, err)
	}
}

func (b *bare) Begin(string, string, int)      { b.look() }
func (b *bare) Add(int)                        { b.look() }
func (b *bare) End()                           {}
func (b *bare) Write(text []byte) (int, error) { b.look(); return len(text), nil }

// TestNothingLeft: copies of what is loaded or exported have no names, by which
// they would be left after a kill.
func TestNothingLeft(t *testing.T) {
	dir := t.TempDir()
	text := tkgRows(0, 500)
	file := filepath.Join(dir, "outer.zip")
	put(t, file, zipped(t, member{name: "inner.zip", text: string(zipped(t, member{name: "rows.tsv", text: text}))}))
	store := every.SQLite(t)
	b := &bare{t: t}
	t.Setenv("TMPDIR", t.TempDir())
	for i, from := range []string{file, loader.StandardInput} {
		got := rowsAddUp(t, loadFiles(t, store, loader.Options{Progress: b, Stdin: strings.NewReader(text), Recheck: true}, from))
		if got.Read != 500 || i == 0 && got.Created != 500 || i == 1 && got.Unchanged != 500 {
			t.Errorf("%+v", got)
		}
	}
	err := store.Read(t.Context(), func(tx graph.Reader) error {
		_, err := loader.ExportDataset(t.Context(), tx, graph.Dataset{Name: "tkg", Complete: true}, b, loader.ExportOptions{})
		return err
	})
	if err != nil || b.asked < 6 {
		t.Error(b.asked, err)
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
		"<html></html>\n":        "it looks like a web page (HTML)",
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

// TestMeant: what is of no format is not taken for a data set with mistakes, if
// it is likely to be something else.
func TestMeant(t *testing.T) {
	entity := `{"id":"a","schema":"Person","properties":{"name":["Ada"]}}`
	for text, want := range map[string]string{
		strings.Repeat("7\t", 59) + "7\n":                                                      "a table without a header, of 60 columns, separated by tabs",
		"0\t1\t2\t3\n0\t1\t2\t4\n":                                                             "tkg has 4, which are",
		"7001,20180601,201806,2018\n7002,20180601,201806,2018\n":                               "of 4 columns, separated by ',' instead of tabs",
		"[" + entity + "]\n":                                                                   "one in each line: jq -c '.[]?' for a list",
		"{\n  \"id\": \"a\",\n  \"schema\": \"Person\",\n  \"properties\": {}\n}\n":            "jq -c . for objects over several lines",
		"A\tConsult\tB\t2018-01-01\rA\tConsult\tB\t2018-01-02\r":                               "carriage returns alone",
		"S1_1\t2023-01-05\tSANCTION\tA Corp;C Corp\tX;Y\nS1_2\t2023-01-05\tSANCTION\tA;C\tX\n": "of 5 columns, separated by tabs, which is of no format: gdelt has 57, 58 or 61",
		"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n":            "this looks like a web page (HTML), such as servers send for what they do not have, which is none of the formats",
		"\ufeff <?xml version=\"1.0\"?>\n<a: b/>\n":                                            "this looks like XML",
		"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR":                                                  "this looks like a binary file",
		"\x9c\x01\xa7\n\xffk: v\n":                                                             "this looks like a binary file",
		// These are data sets with mistakes.
		"title: Caf\xe9\n":                 "is not UTF-8; save the file as UTF-8",
		"title: a, b, c\nentities: []\n":   "f:1:1: the data set has no dataset; begin it with",
		"- a, b, c\n- d, e, f\n":           "must have keys and values",
		"# a, b, c\ntitle: T\n":            "the data set",
		"dataset: x\nrelations: [[a,b]]\n": "f:2:",
	} {
		_, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "f", text)}, loader.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v\nwant %s", text, err, want)
		}
	}
}

// TestLinkedDirectory: a directory that is linked to is part of the one that it
// is in, and is read once.
func TestLinkedDirectory(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	put(t, filepath.Join(dir, "1.tsv"), []byte("A\tConsult\tB\t2018-01-01\n"))
	put(t, filepath.Join(other, "2.tsv"), []byte("A\tConsult\tB\t2018-01-02\n"))
	for link, to := range map[string]string{"link": other, "again": other, "self": dir} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	if got := rowsAddUp(t, loadFiles(t, every.SQLite(t), loader.Options{}, dir)); got.Read != 2 || got.Created != 2 {
		t.Errorf("%+v", got)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "lost")); err != nil {
		t.Fatal(err)
	}
	if _, err := loader.Load(t.Context(), every.SQLite(t), []string{dir}, loader.Options{}); err == nil || !strings.Contains(err.Error(), "lost: cannot be read") {
		t.Errorf("%v", err)
	}
}
