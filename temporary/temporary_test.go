//go:build linux || darwin

package temporary_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"chancery/temporary"
)

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestNew: such a file has no name, and can be read all the same.
func TestNew(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f, err := temporary.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "text"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) > 0 {
		t.Errorf("a kill would leave %v", got)
	}
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 100))
	if err != nil || string(text) != "text" {
		t.Errorf("%q %v", text, err)
	}
	if err := f.Remove(); err != nil {
		t.Error(err)
	}
}

// TestSweep: what is worked on stays, and so do files of other names; what
// nobody holds goes.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	file, w, err := temporary.StageFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := temporary.StageDirectory(dir, 0o777)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, ".chancery-notes")
	left := filepath.Join(dir, ".chancery-export-123")
	for _, path := range []string{other, filepath.Join(folder.Path, "nodes.csv")} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(left, "in it"), 0o700); err != nil {
		t.Fatal(err)
	}
	if temporary.Sweep(dir); len(names(t, dir)) != 3 || len(names(t, folder.Path)) != 1 {
		t.Errorf("left are %v", names(t, dir))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// Renamed, it is complete. What is released without is as after a kill.
	if err := os.Rename(file.Path, filepath.Join(dir, "complete")); err != nil {
		t.Fatal(err)
	}
	file.Release()
	folder.Release()
	if temporary.Sweep(dir); len(names(t, dir)) != 2 {
		t.Errorf("left are %v", names(t, dir))
	}
}
