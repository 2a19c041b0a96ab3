package loader_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
)

const linesText = `{"dataset": "lines", "title": "Lines", "priority": 2}
{"source": {"id": "lines/paper", "name": "Paper", "published": "2025-12-02"}}
{"entity": {"id": "person/ann", "kind": "Person", "name": "Ann"}}
{"entity": {"kind": "State", "name": "Ruritania"}}
{"event": {"id": "lines/summit", "name": "Summit", "participants": ["person/ann"]}}
{"relation": {"id": "praise", "type": "PRAISED", "source": "state/ruritania", "target": "person/ann", "about": ["lines/met"], "date": "2025-12"}}
{"relation": {"id": "lines/met", "type": "MET_WITH", "source": "person/ann", "target": "state/ruritania", "date": "2025-12-01", "event": "lines/summit", "sources": ["lines/paper"]}}
{"relation": {"id": "lines/leads", "type": "LEADS", "source": "person/ann", "target": "state/ruritania", "date": "2021/..", "sources": ["lines/paper"]}}
{"relation": {"id": "lines/struck", "type": "STRUCK", "unattributed": true, "target": "state/ruritania"}}
`

// TestLines: JSON lines record what the same data set in YAML does.
func TestLines(t *testing.T) {
	const asYAML = `dataset: lines
title: Lines
priority: 2
sources: {paper: {name: Paper, published: 2025-12-02}}
entities: {ann: {id: person/ann, kind: Person, name: Ann}, rur: {kind: State, name: Ruritania}}
events: {summit: {name: Summit, participants: [ann]}}
relations:
  - {id: praise, type: PRAISED, source: rur, target: ann, about: [met], date: 2025-12}
  - {id: met, type: MET_WITH, source: ann, target: rur, date: 2025-12-01, event: summit, sources: [paper]}
  - {id: leads, type: LEADS, source: ann, target: rur, date: 2021/.., sources: [paper]}
  - {id: struck, type: STRUCK, unattributed: true, target: rur}
`
	other := storetest.NewOracle()
	mustLoad(t, other, asYAML)
	want := stateOf(t, other, "lines").WithoutMoments()
	every.Store(t, func(t *testing.T, store graph.Store) {
		for _, name := range []string{"a.jsonl", "a.NDJSON", "a"} {
			result := loadFiles(t, store, loader.Options{}, write(t, name, linesText))
			if changes := result.Changes(); (changes == 0) == (name == "a.jsonl") {
				t.Errorf("%s changed %d things", name, changes)
			}
		}
		got := stateOf(t, store, "lines").WithoutMoments()
		want := want
		want.Dataset = got.Dataset // the hash of the input is of its bytes
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		// It is a whole edition: what it no longer holds is withdrawn.
		shorter := strings.Join(strings.Split(linesText, "\n")[:7], "\n")
		if result := loadFiles(t, store, loader.Options{}, write(t, "b.jsonl", shorter)); result.Loads[0].Relations.Withdrawn != 2 || result.Loads[0].Entities.Withdrawn != 1 {
			t.Errorf("%+v", result.Loads[0])
		}
	})
}

// TestLinesMistakes: everything that is wrong is told of at once, with its
// place, and nothing is written.
func TestLinesMistakes(t *testing.T) {
	head := `{"dataset": "m"}` + "\n" + `{"entity": {"id": "person/ann", "kind": "Person", "name": "Ann"}}` + "\n"
	deep := strings.Repeat(`{"a":`, 20000)
	cases := []struct{ name, text, want string }{
		{"empty", "", "1:1: the file is empty"},
		{"header of another sort", `["dataset"]`, "1:1: the header of the data set must have keys and values"},
		{"no name", `{"title": "x"}`, "1:1: the header of the data set has no dataset"},
		{"a section in the header", `{"dataset": "m", "entities": {}}`, `1:18: the header of the data set has no key "entities"`},
		{"not JSON", head + `{"entity": {"id": }}`, "3:18: this is not JSON"},
		{"half a line", head + `{"entity": {"id": "x`, "3:21: this is not JSON"},
		{"two values", head + `{"entity": {"id": "person/b", "kind": "Person", "name": "B"}} {}`, "3:64: this is not JSON: there is more"},
		{"two keys", head + `{"entity": {}, "event": {}}`, "3:1: a line must have one key"},
		{"unknown key", head + `{"entiti": {}}`, "3:2: a line cannot hold \"entiti\"; did you mean entity?"},
		{"not an object", head + `7`, "3:1: a line must have keys and values"},
		{"no id", head + `{"source": {"name": "x"}}`, "3:12: the source has no id"},
		{"no target", head + `{"relation": {"id": "m/r", "type": "PRAISED", "source": "person/ann", "about": ["m/q"]}}`, "3:14: the relation has no target; in JSON lines each has one"},
		{"twice", head + `{"entity": {"id": "person/ann", "kind": "Person", "name": "Ann"}}`, "the id person/ann is given twice, first in line 2"},
		{"nobody", head + `{"relation": {"id": "m/r", "type": "PRAISED", "source": "person/ann", "target": "person/bob"}}`, `3:81: there is no entity "person/bob", neither in this file nor in the store`},
		{"too early", head + `{"event": {"id": "m/e", "name": "E", "participants": ["person/bob"]}}` + "\n" + `{"entity": {"id": "person/bob", "kind": "Person", "name": "Bob"}}`, "3:55: person/bob comes later, in line 4"},
		{"about nothing", head + `{"relation": {"id": "m/r", "type": "PRAISED", "source": "person/ann", "target": "person/ann", "about": ["m/q"]}}`, `3:105: there is no relation or event "m/q"`},
		{"about an event to come", head + `{"relation": {"id": "m/r", "type": "PRAISED", "source": "person/ann", "target": "person/ann", "about": ["m/q"]}}` + "\n" + `{"event": {"id": "m/q", "name": "Q"}}`, `m/q`},
		{"about itself", head + `{"relation": {"id": "m/r", "type": "PRAISED", "source": "person/ann", "target": "person/ann", "about": ["m/q"]}}` + "\n" +
			`{"relation": {"id": "m/q", "type": "PRAISED", "source": "person/ann", "target": "person/ann", "about": ["m/r"]}}`, "an act cannot be about itself"},
		{"a judgement among others", head + `{"judgement": {"same": ["person/ann", "person/bob"]}}`, "3:2: judgements on identity stand in a data set of their own"},
		{"broken UTF-8", head + "{\"entity\": {\"id\": \"\xff\"}}", "3:20: the byte 0xff is not UTF-8"},
		{"NUL", head + "{\"entity\": {\"id\": \"\x00\"}}", "3:20: there is a NUL character here"},
		{"the year 0", head + `{"entity": {"id": "person/b", "kind": "Person", "name": "B", "date": "0000-01-01"}}`, "3:71: date: there is no year 0000"},
		{"day 32", head + `{"entity": {"id": "person/b", "kind": "Person", "name": "B", "date": "9999-12-32"}}`, "date: "},
		{"deep", head + deep, "3:5002: this is not JSON: values lie more than 1000 deep within each other"},
		{"far to the right", head + `{"entity": {"id": "person/b", "kind": "Person", "name": "Bé", "aliases": [` + strings.Repeat(`"é",`, 5000) + `"B"], "kin": 1}}`, `3:20081: the entity has no key "kin"`},
		{"future", `{"dataset": "m", "recorded": "9999-01-01T00:00:00Z"}` + "\n{}", "1:30: recorded lies in the future"},
		{"long", head + `{"entity": "` + strings.Repeat("x", 17<<20) + `"}`, "3:1: the line is longer than 16 MiB"},
	}
	for _, c := range cases {
		if testing.Short() && len(c.text) > 1<<20 {
			continue
		}
		store := storetest.NewOracle()
		_, err := loader.Load(t.Context(), store, []string{write(t, "m.jsonl", c.text)}, loader.Options{})
		if got := complaints(t, err); !strings.Contains(got, c.want) {
			t.Errorf("%s: %.600s", c.name, got)
		}
		if storetest.Statements(store) > 0 {
			t.Errorf("%s: something was written", c.name)
		}
	}
	// BOM and CRLF are no mistakes, nor are empty lines.
	odd := "\ufeff" + strings.ReplaceAll(head, "\n", "\r\n\r\n")
	loadFiles(t, storetest.NewOracle(), loader.Options{}, write(t, "m.jsonl", odd))
	// Of very many mistakes the first are told.
	_, err := loader.Load(t.Context(), storetest.NewOracle(), []string{write(t, "m.jsonl", head+strings.Repeat("{}\n", 50_000))}, loader.Options{})
	if got := complaints(t, err); strings.Count(got, "\n") > 1002 || !strings.Contains(got, "may have more problems") {
		t.Errorf("%d lines: %.300s", strings.Count(got, "\n"), got)
	}
}

// TestLinesTogether: files that are loaded together know each other.
func TestLinesTogether(t *testing.T) {
	store := storetest.NewOracle()
	first := write(t, "a.jsonl", linesText)
	second := write(t, "b.jsonl", `{"dataset": "second"}
{"relation": {"id": "second/r", "type": "PRAISED", "source": "person/ann", "target": "state/ruritania", "about": ["lines/met"], "sources": ["lines/paper"], "dateBasis": "PUBLICATION"}}
`)
	third := write(t, "c.yaml", "dataset: third\nrelations:\n  - {type: PRAISED, source: person/ann, about: [lines/met]}\n")
	_, err := loader.Load(t.Context(), store, []string{first, second, third}, loader.Options{})
	if got := complaints(t, err); got != "c.yaml:3:49: lines/met is in a file of JSON lines that is loaded together with this one; name the target of what is about it\n" {
		t.Error(got)
	}
	loadFiles(t, store, loader.Options{}, first, second)
	if r := stateOf(t, store, "second").Versions["second/r"]; len(r) != 1 || r[0].Date.EDTF != "/2025-12-02" {
		t.Errorf("%+v", r)
	}
	loadFiles(t, store, loader.Options{}, third)
}

// TestExportForms: a data set comes back from each form as it was.
func TestExportForms(t *testing.T) {
	var odd bytes.Buffer
	if err := loadertest.Generate(&odd, 500, 3); err != nil {
		t.Fatal(err)
	}
	for _, form := range loader.ExportForms {
		store := every.SQLite(t)
		loadFiles(t, store, loader.Options{}, "../data/paris-talks-2025.yaml", write(t, "odd.yaml", odd.String()), write(t, "lines.jsonl", linesText))
		o := loader.ExportOptions{Form: form, Recorded: true}
		out := export(t, store, o)
		again := every.SQLite(t)
		loadFiles(t, again, loader.Options{}, out.files(t, "."+string(form))...)
		if diff := cmp.Diff(content(t, store), content(t, again)); diff != "" {
			t.Errorf("%s: %s", form, clipped(diff))
		}
		sameExports(t, out, export(t, again, o))
		for _, name := range []string{"paris-talks-2025", "generated-3", "lines"} {
			a, b := stateOf(t, store, name), stateOf(t, again, name)
			a.Dataset, b.Dataset = graph.Dataset{}, graph.Dataset{}
			if diff := cmp.Diff(a, b); diff != "" { // moments included
				t.Errorf("%s, %s: %s", form, name, clipped(diff))
			}
		}
	}
}

// TestExportOrphans: what a relation refers to and nobody states any longer is
// exported with it.
func TestExportOrphans(t *testing.T) {
	store := storetest.NewOracle()
	mustLoad(t, store, "dataset: one\nentities:\n  ann: {id: person/ann, kind: Person, name: Ann}\n  bob: {id: person/bob, kind: Person, name: Bob}\n")
	mustLoad(t, store, "dataset: two\nrelations:\n  - {type: PRAISED, source: person/ann, target: person/bob, date: 2025}\n")
	mustLoad(t, store, "dataset: one\nentities:\n  bob: {id: person/bob, kind: Person, name: Bob}\n")
	out := export(t, store, loader.ExportOptions{})
	two := out.order[1]
	if two.Dataset != "two" || two.Entities != 1 || len(two.Notes) != 1 || !cmp.Equal(two.Needs, []string{"one"}) {
		t.Fatalf("%+v", two)
	}
	again := storetest.NewOracle()
	loadFiles(t, again, loader.Options{}, out.files(t, ".jsonl")...)
	if n := len(stateOf(t, again, "two").Versions); n != 1 {
		t.Errorf("%d relations", n)
	}
}

// TestLinesMemory: what a load of JSON lines holds in memory does not grow as
// the file does.
func TestLinesMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	peak := func(relations int) uint64 {
		file := filepath.Join(t.TempDir(), "big.jsonl")
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(f, `{"dataset": "big"}`)
		for i := range 1000 {
			fmt.Fprintf(f, "{\"entity\": {\"id\": \"big/p%d\", \"kind\": \"Person\", \"name\": \"P %d\"}}\n", i, i)
		}
		note := strings.Repeat("x", 500)
		for i := range relations {
			fmt.Fprintf(f, "{\"relation\": {\"id\": \"big/record/%d\", \"type\": \"PRAISED\", \"source\": \"big/p%d\", \"target\": \"big/p%d\", \"date\": \"2025-01-01\", \"note\": \"%s\"}}\n", i, i%1000, (i+1)%1000, note)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		watch := &memoryWatch{}
		loadFiles(t, every.SQLite(t), loader.Options{Progress: watch}, file)
		return watch.peak
	}
	small, large := peak(10_000), peak(60_000)
	t.Logf("%d and %d MiB", small>>20, large>>20)
	if large > small+20<<20 { // the file has grown by 30 MiB, its tree would by more than 200
		t.Errorf("%d MiB for 10,000 relations, %d MiB for 60,000", small>>20, large>>20)
	}
}

type memoryWatch struct{ peak uint64 }

func (m *memoryWatch) Begin(string, string, int) {}
func (m *memoryWatch) End()                      {}
func (m *memoryWatch) Add(int) {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	m.peak = max(m.peak, s.HeapAlloc)
}

// FuzzLines: no file of JSON lines makes the loader fail in another way than
// by saying what is wrong, and what is loaded comes back from an export.
func FuzzLines(f *testing.F) {
	f.Add([]byte(linesText))
	f.Add([]byte("{\"dataset\":\"j\"}\n{\"judgement\":{\"same\":[\"a\",\"b\"]}}\n"))
	f.Add([]byte("{\"dataset\":\"x\"}\n{\"relation\":{\"id\":\"\\ud83d\",\"about\":[\"x/x\"]}}\n{\"entity\":[]}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		store := storetest.NewOracle()
		_, err := loader.Load(t.Context(), store, []string{write(t, "fuzz.jsonl", string(raw))}, loader.Options{})
		if err != nil {
			complaints(t, err)
			if storetest.Statements(store) > 0 {
				t.Error("something was written")
			}
			return
		}
		out := export(t, store, loader.ExportOptions{})
		again := storetest.NewOracle()
		loadFiles(t, again, loader.Options{}, out.files(t, ".jsonl")...)
		sameExports(t, out, export(t, again, loader.ExportOptions{}))
	})
}

// TestLinesExample: the example in the documentation can be loaded.
func TestLinesExample(t *testing.T) {
	page, err := os.ReadFile("../docs/datasets.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n{\"dataset\"")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("there is no example")
	}
	result := loadFiles(t, storetest.NewOracle(), loader.Options{}, write(t, "geneva.jsonl", "{\"dataset\""+text))
	if l := result.Loads[0]; l.Entities.Created != 2 || l.Relations.Created != 1 || l.Events.Created != 1 || l.Sources.Created != 1 {
		t.Errorf("%+v", l)
	}
}
