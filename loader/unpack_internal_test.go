package loader

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zip"
)

// TestZipReplaced: a file that is gone from its archive when it is read is told of.
func TestZipReplaced(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "f.zip")
	make := func(member string) {
		f, err := os.Create(archive)
		if err != nil {
			t.Fatal(err)
		}
		w := zip.NewWriter(f)
		if _, err := w.Create(member); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	make("a.tsv")
	parts, err := contents("f.zip", archive, nil)
	if err != nil || len(parts) != 1 || parts[0].Name != "f.zip/a.tsv" {
		t.Fatal(parts, err)
	}
	make("b.tsv")
	if _, err := parts[0].Open(); err == nil || err.Error() != "is not in the archive any longer" {
		t.Errorf("%v", err)
	}
}
