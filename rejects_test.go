package main

import (
	"os"
	"strings"
	"testing"
)

// TestRejectsKeepFiles: a list of bad rows is written over nothing but another
// such list, and is never loaded itself.
func TestRejectsKeepFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("dir", 0o755); err != nil {
		t.Fatal(err)
	}
	row := "Ada\tConsult\tBo\t2018-01-01\n"
	writeFiles(t, map[string]string{"in.tsv": row + "Ada\tConsult\tBo\t2018-13-01\n", "other.tsv": row, "dir/a.tsv": row, "empty.csv": ""})
	call := calling(t, "sqlite:s.db")
	call(exitOK, "load", "--quiet", "in.tsv", "--rejects", "bad.csv")
	call(exitOK, "load", "--quiet", "in.tsv", "--rejects", "bad.csv")
	call(exitOK, "load", "--quiet", "in.tsv", "--rejects", "empty.csv")
	if text, err := os.ReadFile("bad.csv"); err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("%s, %v", text, err)
	}
	for _, c := range []struct{ rejects, load, want string }{
		{"in.tsv", "in.tsv", "would write over in.tsv"},
		{"other.tsv", "in.tsv", "would write over other.tsv"},
		{"s.db", "in.tsv", "would write over s.db"},
		{"dir/bad.csv", "dir", "is among the files to be loaded (dir)"},
	} {
		before, _ := os.ReadFile(c.rejects)
		if got := call(exitUsage, "load", "--quiet", c.load, "--rejects", c.rejects); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.rejects, got)
		}
		if after, _ := os.ReadFile(c.rejects); string(before) != string(after) {
			t.Errorf("%s has changed", c.rejects)
		}
	}
	// The ending of an export says what load takes it for.
	if got := call(exitUsage, "export", "--as", "json", "--output", "x.jsonl", "--dataset", "tkg"); !strings.Contains(got, "--as says json") {
		t.Error(got)
	}
	call(exitOK, "export", "--as", "yaml", "--output", "x.yml", "--dataset", "tkg")
	call(exitOK, "export", "--output", "-", "--dataset", "tkg")
	if _, err := os.Stat("-"); err == nil {
		t.Error("there is a file named -")
	}
}
