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
		{"-", "in.tsv", "--rejects needs the name of a file"},
	} {
		before, _ := os.ReadFile(c.rejects)
		if got := call(exitUsage, "load", "--quiet", c.load, "--rejects", c.rejects); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.rejects, got)
		}
		if after, _ := os.ReadFile(c.rejects); string(before) != string(after) {
			t.Errorf("%s has changed", c.rejects)
		}
	}
	report, err := os.Create("report")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = report.Close() }()
	if err := refuseRejects("report", nil, report); err == nil || !strings.Contains(err.Error(), "is where the report or the log goes") {
		t.Error(err)
	}
	if got := call(exitUsage, "load", "--quiet", "in.tsv", "--max-rejects", "-5"); !strings.Contains(got, "-1 for any number, not -5") {
		t.Error(got)
	}
	if got := call(exitFailure, "load", "--quiet", "in.tsv", "--max-rejects", "0"); !strings.Contains(got, "in.tsv:2: more than 0 rows are bad, the last of them for this: date: ") {
		t.Error(got)
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
