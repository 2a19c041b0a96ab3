package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExport: the command writes what load takes, and nothing half.
func TestExport(t *testing.T) {
	workshop(t)
	at := []string{"--store", "sqlite:x.db"}
	export := func(args ...string) result {
		t.Helper()
		return call(t, "", append(append([]string{"export", "--quiet"}, at...), args...))
	}
	text := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if r := export(); r.status != exitFailure || !strings.Contains(r.stderr, "there is no store in") || slices.Contains(fileNames(t, "."), "x.db") {
		t.Fatalf("%+v", r)
	}
	writeFile(t, "types.yaml", "types:\n  - {name: TOASTED, nature: act, infinitive: toast, past: toasted, passive: toasted by}\n")
	writeFile(t, "a-toast.yaml", "dataset: a-toast\nrelations:\n  - {type: TOASTED, source: person/emmanuel-macron, target: person/volodymyr-zelenskyy, date: 2025-12-01}\n")
	writeFile(t, "identities.yaml", "identities:\n  - {same: [person/emmanuel-macron, person/volodymyr-zelenskyy]}\n")
	for _, args := range [][]string{{paris}, {"--vocabulary", "types.yaml", "a-toast.yaml"}, {"identities.yaml"}} {
		if r := call(t, "", append(append([]string{"load", "--quiet"}, at...), args...)); r.status != exitOK {
			t.Fatalf("%+v", r)
		}
	}

	one := export("--dataset", "paris-talks-2025", "--recorded=false")
	if one.status != exitOK || strings.Count(one.stdout, "\n") != 85 || strings.Contains(one.stdout, `"recorded"`) ||
		!strings.HasPrefix(one.stdout, `{"dataset":"paris-talks-2025",`) || !strings.Contains(one.stderr, "1 sources, 36 entities, 3 events, 44 relations") {
		t.Errorf("%+v", one)
	}
	if r := export("--dataset", "paris-talks-2025", "--output", "p.jsonl", "--recorded=false"); r.status != exitOK || r.stdout != "" || text("p.jsonl") != one.stdout {
		t.Errorf("%+v", r)
	}
	if r := export("--dataset", "a-toast"); !strings.Contains(r.stderr, "refers to what other data sets state (paris-talks-2025)") ||
		!strings.Contains(r.stderr, "types that are not built in (TOASTED); --types FILE writes them") {
		t.Errorf("%+v", r)
	}
	if r := export("--output", "all", "--types", "more-types.yaml"); r.status != exitOK ||
		!slices.Equal(fileNames(t, "all"), []string{"1-paris-talks-2025.jsonl", "2-a-toast.jsonl", "3-identities.jsonl"}) {
		t.Errorf("%+v %v", r, fileNames(t, "all"))
	}
	if r := call(t, "", []string{"load", "--quiet", "--store", "sqlite:y.db", "--vocabulary", "more-types.yaml", "all"}); r.status != exitOK || strings.Count(r.stdout, "recorded at") != 3 {
		t.Errorf("%+v", r)
	}
	if a, b := export("--dataset", "a-toast"), call(t, "", []string{"export", "--quiet", "--store", "sqlite:y.db", "--dataset", "a-toast"}); a.stdout != b.stdout {
		t.Errorf("%s\n%s", a.stdout, b.stdout)
	}

	// What is there is left alone, and nothing is left lying about.
	before, there := fileNames(t, "."), text("p.jsonl")
	full := filepath.Join(t.TempDir(), "file")
	writeFile(t, full, "")
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--dataset", "paris-talks-2025", "--output", "p.jsonl"}, exitFailure, "p.jsonl is there already; --force overwrites it"},
		{[]string{"--output", "p.jsonl"}, exitFailure, "p.jsonl is a file, and there are several data sets"},
		{nil, exitFailure, "the store has several data sets (a-toast, identities, paris-talks-2025): name one"},
		{[]string{"--dataset", "nobody"}, exitFailure, `there is no data set "nobody" in the store; it has a-toast, identities, paris-talks-2025`},
		{[]string{"--output", filepath.Join(full, "x")}, exitFailure, "cannot be written: not a directory"},
		{[]string{"--as", "xml"}, exitUsage, "--as can be jsonl, json, yaml"},
		{[]string{"--format", "xml"}, exitUsage, "--format can be dataset or neo4j-admin"},
		{[]string{"--format", "neo4j-admin"}, exitUsage, "name the directory to write with --output"},
		{[]string{"--format", "neo4j-admin", "--output", "-"}, exitUsage, "name the directory to write with --output"},
		{[]string{"feed.tsv"}, exitUsage, "files are given for --format neo4j-admin alone"},
		{[]string{"--format", "neo4j-admin", "--output", "all"}, exitFailure, "all is a directory that holds other things"},
		{[]string{"--format", "neo4j-admin", "--output", "new", "--dataset", "x"}, exitUsage, "writes the whole store"},
		{[]string{"--format", "neo4j-admin", "--output", "new", "nothing.tsv"}, exitFailure, "nothing.tsv: cannot be read: no such file"},
	} {
		if r := export(c.args...); r.status != c.status || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		out, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var stderr output
		if s := run(t.Context(), append([]string{"export", "--quiet", "--dataset", "paris-talks-2025"}, at...), environment(), nil, out, &stderr); s != exitFailure || !strings.Contains(stderr.String(), "no space left on device") {
			t.Errorf("%d %s", s, &stderr)
		}
		_ = out.Close()
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	var stderr output
	if s := run(stopped, append([]string{"export", "--quiet", "--output", "stopped"}, at...), environment(), nil, &stderr, &stderr); s != exitFailure || !strings.Contains(stderr.String(), "interrupted; nothing was written") {
		t.Errorf("%d %s", s, &stderr)
	}
	if after := fileNames(t, "."); !slices.Equal(before, after) || text("p.jsonl") != there {
		t.Errorf("%v, and after the failures %v", before, after)
	}
	if r := export("--dataset", "identities", "--output", "p.jsonl", "--force"); r.status != exitOK || strings.Count(text("p.jsonl"), "judgement") != 1 {
		t.Errorf("%+v", r)
	}

	// Files go through a store that is gone afterwards.
	writeFile(t, "feed.tsv", "Norway\tConsult\tSweden\t2014-02-27\n")
	for _, again := range []string{"", "--force"} {
		args := []string{"export", "--quiet", "--format", "neo4j-admin", "--output", "import", "feed.tsv"}
		if again != "" {
			if r := call(t, "", args); r.status != exitFailure || !strings.Contains(r.stderr, "import holds an earlier export; --force replaces it") {
				t.Errorf("%+v", r)
			}
			args = append(args, again)
		}
		if r := call(t, "", args); r.status != exitOK || !strings.Contains(r.stderr, "neo4j-admin database import full neo4j --overwrite-destination @import.args") {
			t.Errorf("%+v", r)
		}
		if !strings.Contains(text("import/import.args"), "--nodes=entities-header.csv,entities.csv\n") || !strings.Contains(text("import/relations.csv"), `"tkg/norway","tkg/sweden","CONSULTED"`) {
			t.Errorf("%v", fileNames(t, "import"))
		}
	}
	for _, name := range fileNames(t, ".") {
		if strings.HasPrefix(name, ".") {
			t.Errorf("%s is left", name)
		}
	}
}
