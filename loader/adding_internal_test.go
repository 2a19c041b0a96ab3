package loader

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/graph/storetest"
)

// TestAddingAFormat: the format that the page on adding one shows is compiled,
// and does what the page says.
func TestAddingAFormat(t *testing.T) {
	page, err := os.ReadFile("../docs/adding-a-format.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("diary_internal_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```go\n"+string(code)+"```\n") {
		t.Error("docs/adding-a-format.md does not have the code of diary_internal_test.go")
	}
	_, rest, _ := strings.Cut(string(page), "```\n2018-06-01;")
	lines, rest, ok := strings.Cut("2018-06-01;"+rest, "```\n")
	_, rest, _ = strings.Cut(rest, "```\n")
	want, _, said := strings.Cut(rest, "```\n")
	if !ok || !said {
		t.Fatal("docs/adding-a-format.md has no example, or no report")
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("diary.txt", []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, store := t.Context(), storetest.NewOracle()
	inputs, done, err := findInputs(ctx, []string{"diary.txt"}, nil)
	defer done()
	if err != nil {
		t.Fatal(err)
	}
	world, err := newWorld(ctx, store, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	in := inputs[0]
	in.MaxRejects = -1
	format, err := detect(&in, append([]Format{feedFormat{diary{}}}, Formats()...))
	if err != nil {
		t.Fatal(err)
	}
	e, err := format.Open(ctx, in, world)
	if err != nil {
		t.Fatal(err)
	}
	result, err := record(ctx, store, in.Name, e, &Options{Now: time.Now, BatchSize: BatchSize})
	if err != nil {
		t.Fatal(err)
	}
	loaded := Result{Loads: []LoadReport{{File: in.Name, Title: e.Describe().Title, Report: *result, Rows: e.Rows()}}}
	var report bytes.Buffer
	if err := loaded.WriteText(&report); err != nil {
		t.Fatal(err)
	}
	got, _, _ := strings.Cut(report.String(), "recorded at")
	note := e.Notes()[0]
	note.Message = "note: " + note.Message
	if got = note.Error() + "\n" + got; got != want {
		t.Errorf("docs/adding-a-format.md says\n%s\nand it is\n%s", want, got)
	}
}

// TestFormatsInDocs: the page on feeds lists all formats.
func TestFormatsInDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "feeds.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range FormatNames() {
		if !strings.Contains(string(page), "\n| `"+name+"` | ") {
			t.Errorf("docs/feeds.md does not list the format %s", name)
		}
	}
}
