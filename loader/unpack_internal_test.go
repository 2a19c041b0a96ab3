package loader

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zip"
)

// archived is a zip archive of files of those names.
func archived(t testing.TB, names ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		part, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(part, "A\tConsult\tB\t2018-01-01\n")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestZipReplaced: a file that is gone from its archive when it is read is told of.
func TestZipReplaced(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "f.zip")
	put := func(name string) {
		if err := os.WriteFile(archive, archived(t, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("a.tsv")
	parts, err := contents("f.zip", atPath(archive), nil)
	if err != nil || len(parts) != 1 || parts[0].Name != "f.zip/a.tsv" {
		t.Fatal(parts, err)
	}
	put("b.tsv")
	if _, err := parts[0].Open(); err == nil || err.Error() != "is not in the archive any longer" {
		t.Errorf("%v", err)
	}
}

// FuzzArchive: of whatever bytes a file has, each part is read to its end or to an
// error, and has a name that can be shown.
func FuzzArchive(f *testing.F) {
	f.Add(archived(f, "a.tsv", "b/c.tsv", ".d"))
	f.Add(archived(f, "\x1b[2J\n", "../../e"))
	f.Add(archived(f))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Add([]byte("(\xb5/\xfd"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		kept := func(r io.Reader) (source, error) {
			all, err := io.ReadAll(io.LimitReader(r, 1<<20))
			return within(bytes.NewReader(all), int64(len(all))), err
		}
		parts, err := contents("f", atPath(path), kept)
		if err == nil && len(parts) == 0 {
			t.Error("neither parts nor an error")
		}
		for _, part := range parts {
			if strings.ContainsAny(part.Name, "\x1b\n\x00") {
				t.Errorf("%q", part.Name)
			}
			r, err := part.Open()
			if err != nil {
				continue
			}
			_, _ = io.Copy(io.Discard, io.LimitReader(r, 1<<20))
			_ = r.Close() // which may say again what reading said
		}
	})
}
