package loader_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"
)

type member struct {
	name, text string
	method     uint16
	flags      uint16
}

func zipped(t *testing.T, members ...member) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(99, func(w io.Writer) (io.WriteCloser, error) { return nopCloser{w}, nil })
	for _, m := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: m.method, Flags: m.flags})
		if err == nil {
			_, err = io.WriteString(f, m.text)
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

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// TestZip: a zip archive stands for the files in it, as a directory does, and
// what was loaded from it is known when it comes unpacked.
func TestZip(t *testing.T) {
	every.Store(t, func(t *testing.T, s graph.Store) {
		first, second := "A\tConsult\tB\t2018-01-01\nA\tConsult\tB\t2018-01-32\n", "A\tConsult\tB\t2018-01-02\nA\tConsult\tC\t2018-01-03\n"
		var gz bytes.Buffer
		z := gzip.NewWriter(&gz)
		_, _ = io.WriteString(z, second)
		_ = z.Close()
		archive := filepath.Join(t.TempDir(), "feed.zip")
		put(t, archive, zipped(t, member{name: "b/", text: ""}, member{name: "b/2.tsv", text: gz.String()},
			member{name: "a.tsv", text: first, method: zip.Deflate}, member{name: "__MACOSX/a.tsv", text: "\x00"}, member{name: "b/.DS_Store", text: "\x00"}))

		var rejects bytes.Buffer
		result := loadFiles(t, s, loader.Options{Rejects: &rejects}, archive)
		if got := rowsAddUp(t, result); got.Read != 4 || got.Created != 3 || got.Rejected != 1 {
			t.Errorf("%+v", got)
		}
		if !strings.Contains(rejects.String(), "feed.zip/a.tsv,2,") {
			t.Errorf("%s", &rejects)
		}
		stdin := bytes.NewReader(zipped(t, member{name: "x", text: second, method: zip.Deflate}))
		for _, again := range []*loader.Result{
			loadFiles(t, s, loader.Options{}, archive),
			loadFiles(t, s, loader.Options{}, write(t, "2.tsv", second)),
			loadFiles(t, s, loader.Options{Stdin: stdin, Recheck: true}, loader.StandardInput),
		} {
			if got := rowsAddUp(t, again); got.Created+got.Changed != 0 || got.Unchanged == 0 {
				t.Errorf("%+v", got)
			}
		}
	})
}

// TestDataverse: archives in an archive are what Dataverse sends of several files,
// with a list of them beside.
func TestDataverse(t *testing.T) {
	year := func(day string) string {
		return string(zipped(t, member{name: "year.tsv", text: "A\tConsult\tB\t" + day + "\n", method: zip.Deflate}))
	}
	archive := write(t, "dataverse_files.zip", string(zipped(t, member{name: "1.tsv.zip", text: year("2018-01-01")}, member{name: "2.tsv.zip", text: year("2018-01-02"), method: zip.Deflate},
		member{name: "MANIFEST.TXT", text: "two files"}, member{name: "0.tsv"}, member{name: "3.tsv", text: "A\tConsult\tB\t2018-01-03\n"})))
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	result := loadFiles(t, every.SQLite(t), loader.Options{}, archive)
	if got := rowsAddUp(t, result); got.Read != 3 || got.Created != 3 {
		t.Errorf("%+v", got)
	}
	if file := result.Loads[1].File; !strings.HasSuffix(file, "dataverse_files.zip/2.tsv.zip/year.tsv") {
		t.Error(file)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// TestDirectory: what an archive may hold beside the feed, its directory may, too.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"1.tsv": "A\tConsult\tB\t2018-01-01\n", "2.tsv": "", "MANIFEST.TXT": "two files", ".hidden": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := rowsAddUp(t, loadFiles(t, every.SQLite(t), loader.Options{}, dir)); got.Read != 1 || got.Created != 1 {
		t.Errorf("%+v", got)
	}
	if err := os.Remove(filepath.Join(dir, "1.tsv")); err != nil {
		t.Fatal(err)
	}
	if _, err := loader.Load(t.Context(), every.SQLite(t), []string{dir}, loader.Options{}); err == nil || !strings.Contains(err.Error(), "the file is empty") {
		t.Error(err)
	}
}

// TestZipLines: the name of a file in an archive says that it is JSON lines.
func TestZipLines(t *testing.T) {
	archive := write(t, "d.zip", string(zipped(t, member{name: "d.jsonl", text: "{\"dataset\": \"d\"}\n", method: zip.Deflate})))
	if result := loadFiles(t, every.SQLite(t), loader.Options{}, archive); result.Loads[0].Dataset != "d" {
		t.Errorf("%+v", result.Loads)
	}
}

// TestZipRefused: of an archive that cannot be read whole nothing is loaded.
func TestZipRefused(t *testing.T) {
	row := "A\tConsult\tB\t2018-01-01\n"
	rows := tkgRows(0, 5000)
	whole := string(zipped(t, member{name: "a.tsv", text: rows, method: zip.Deflate}))
	flipped := []byte(string(zipped(t, member{name: "a.tsv", text: rows})))
	flipped[1000] ^= 1 // a letter, by which the sum is not right any longer
	for _, c := range []struct{ archive, want string }{
		{whole[:len(whole)/2], "f.zip: cannot be unpacked: zip: not a valid zip file; the file is cut short or damaged"},
		{whole[:10] + whole[len(whole)-200:], "cut short or damaged"},
		{string(flipped), "f.zip/a.tsv:5001: cannot be read: cannot be unpacked: zip: checksum error; the file is cut short or damaged"},
		{"PK\x03\x04", "f.zip: cannot be unpacked"},
		{string(zipped(t)), "f.zip: is a zip archive without files"},
		{string(zipped(t, member{name: "a/.b", text: row})), "f.zip: is a zip archive without files"},
		{string(zipped(t, member{name: "a.tsv", text: row}, member{name: "a.tsv", text: row})), "f.zip: holds several files a.tsv"},
		{string(zipped(t, member{name: "a.tsv", text: row}, member{name: "b.tsv", text: row, flags: 1})), "f.zip: holds b.tsv, which is encrypted; unpack it first"},
		{string(zipped(t, member{name: "a.tsv", text: row, method: 99})), "f.zip/a.tsv: cannot be read: it is packed in a way that is not known; unpack it first"},
		{string(zipped(t, member{name: "[Content_Types].xml", text: "<x/>"}, member{name: "xl/workbook.xml", text: "<x/>"})), "f.zip: is an office document; save its table as CSV in UTF-8"},
		{string(zipped(t, member{name: "b.zip", text: whole[:len(whole)/2]})), "f.zip: holds b.zip, which cannot be unpacked"},
		{string(zipped(t, member{name: "b.xlsx", text: string(zipped(t, member{name: "[Content_Types].xml"}))})), "f.zip: holds b.xlsx, which is an office document"},
		{string(zipped(t, member{name: "b.zip", text: string(zipped(t, member{name: "c.zip", text: whole}))})), "f.zip/b.zip/c.zip:1:1: this looks like a zip archive within others, to be unpacked first"},
		{string(zipped(t, member{name: "a\x1b[2J\n.tsv", text: "\x00"})), `f.zip/"a\x1b[2J\n.tsv":1:1: this looks like a binary file`},
	} {
		s := every.SQLite(t)
		result, err := loader.Load(t.Context(), s, []string{write(t, "f.zip", c.archive)}, loader.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || result != nil && result.Changes() != 0 {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
}
