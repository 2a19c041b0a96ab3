package loader_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/storetest"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// stores runs a test on the oracle and on every kind of store.
func stores(t *testing.T, test func(t *testing.T, store graph.Store)) {
	t.Run("oracle", func(t *testing.T) { test(t, storetest.NewOracle()) })
	every.Store(t, test)
}

// write makes a file of the test, named so in messages, and goes to where it is.
func write(t testing.TB, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// load loads texts as files a.yaml, b.yaml, ….
func load(t testing.TB, store graph.Store, o loader.Options, texts ...string) (*loader.Result, error) {
	t.Helper()
	var files []string
	for i, text := range texts {
		files = append(files, write(t, string(rune('a'+i))+".yaml", text))
	}
	return loader.Load(t.Context(), store, files, o)
}

func mustLoad(t testing.TB, store graph.Store, texts ...string) *loader.Result {
	t.Helper()
	result, err := load(t, store, loader.Options{}, texts...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// complaints are the problems of an error, a line each, without directories.
func complaints(t testing.TB, err error) string {
	t.Helper()
	var ps graph.Problems
	if !errors.As(err, &ps) {
		if err == nil {
			return ""
		}
		t.Fatalf("no problems, but %v", err)
	}
	var b strings.Builder
	for _, p := range ps {
		p.File = filepath.Base(p.File)
		b.WriteString(p.Error() + "\n")
	}
	return b.String()
}

// state is all that a data set holds in a store, and its history.
type state struct {
	Statements map[string][]graph.Statement
	Versions   map[string][]*graph.Relation
}

func stateOf(t testing.TB, store graph.Store, dataset string) state {
	t.Helper()
	s := state{Statements: map[string][]graph.Statement{}, Versions: map[string][]*graph.Relation{}}
	err := store.Read(t.Context(), func(tx graph.Reader) error {
		after := ""
		for {
			page, err := tx.Held(t.Context(), &graph.HeldQuery{Dataset: dataset, After: after, Limit: 5000})
			if err != nil || len(page.Entries) == 0 {
				return err
			}
			var nodes, relations []string
			for _, e := range page.Entries {
				if after = e.ID; e.Relation {
					relations = append(relations, e.ID)
				} else {
					nodes = append(nodes, e.ID)
				}
			}
			held, err := tx.Held(t.Context(), &graph.HeldQuery{Nodes: nodes, Relations: relations, History: true})
			if err != nil {
				return err
			}
			maps.Copy(s.Statements, held.Statements)
			maps.Copy(s.Versions, held.Versions)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func isEmpty(t testing.TB, store graph.Store) {
	t.Helper()
	err := store.Read(t.Context(), func(tx graph.Reader) error {
		datasets, err := tx.Datasets(t.Context())
		if len(datasets) > 0 {
			t.Errorf("the store knows data sets: %v", datasets)
		}
		if err != nil {
			return err
		}
		page, err := tx.Entities(t.Context(), &graph.EntityQuery{Order: graph.ByID, Limit: 1, Count: true})
		if page.Count > 0 {
			t.Errorf("the store holds %d entities", page.Count)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestMistakes: a file with many mistakes gets each of them at its place, and
// nothing is written, not even of a right file that is loaded with it.
func TestMistakes(t *testing.T) {
	const golden = "testdata/mistakes.want"
	stores(t, func(t *testing.T, store graph.Store) {
		right := write(t, "right.yaml", "dataset: right\nentities: {x: {kind: Person, name: X}}\n")
		_, err := loader.Load(t.Context(), store, []string{right, "testdata/mistakes.yaml"}, loader.Options{})
		got := complaints(t, err)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if n := strings.Count(got, "\n"); n < 20 {
			t.Errorf("only %d problems", n)
		}
		isEmpty(t, store)
	})
}

// head begins a file with two entities and a source.
const head = `dataset: test
defaults: {sources: [paper]}
sources: {paper: {name: A paper, published: 2025-12-01}}
entities:
  a: {kind: Person, name: A}
  b: {kind: Person, name: B}
  s: {kind: State, name: S}
relations:
`

// TestProblems: single mistakes, each with its place.
func TestProblems(t *testing.T) {
	store := storetest.NewOracle()
	mustLoad(t, store, "dataset: old\nentities: {x: {kind: Person, name: Xavier Old}, y: {id: y, kind: Person, name: Y}}\n"+
		"events: {e: {name: E}}\nrelations: [{id: r, type: PRAISED, source: x, target: y}]\n")
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "a.yaml:1:1: the file is empty; a data set begins with \"dataset: NAME\"\n"},
		{"comment", "# nothing\n", "a.yaml:1:1: the file is empty; a data set begins with \"dataset: NAME\"\n"},
		{"null", "---\n", "a.yaml:1:1: the file is empty; a data set begins with \"dataset: NAME\"\n"},
		{"scalar", "hello\n", "a.yaml:1:1: the data set must have keys and values (key: value), but is the text \"hello\"\n"},
		{"no name", "title: T\n", "a.yaml:1:1: the data set has no dataset; begin it with, for example, dataset: paris-talks-2025\n"},
		{"two documents", "dataset: test\n---\ndataset: more\n", "a.yaml:2:1: a second YAML document begins here; a data set is one document, so put the rest into a file of its own\n"},
		{"NUL", "dataset: test\ntitle: a\x00b\n", "a.yaml:2:9: there is a NUL character here; is this a text file?\n"},
		{"NUL in quotes", "dataset: test\ntitle: \"a\\0b\"\n", "a.yaml:2:10: title has a control character (U+0000) in it; remove it\n"},
		{"not UTF-8", "dataset: test\ntitle: caf\xe9\n", "a.yaml:2:11: the byte 0xe9 is not UTF-8; save the file as UTF-8\n"},
		{"UTF-16", "\xff\xfed\x00a\x00", "a.yaml:1:1: the file is in UTF-16; save it as UTF-8\n"},
		{"bell", "dataset: test\ntitle: \x07\n", "a.yaml:2:8: there is an invisible control character (U+0007) here; remove it\n"},
		{"tab", "dataset: test\nentities:\n\ta: {kind: Person, name: A}\n", "a.yaml:3:1: this is not YAML: there is a tab; YAML is indented with spaces, not with tabs\n"},
		{"unclosed", "dataset: test\ntitle: \"T\nrelations: []\n", "a.yaml:2:8: this is not YAML: found unexpected end of stream; check the indentation, quotes and brackets here and in the line above\n"},
		{"bracket", "dataset: test\nrelations:\n  - {type: MET_WITH, source: a\n  - {type: MET_WITH}\n", "a.yaml:4:5: this is not YAML: did not find expected ',' or '}'; check the indentation, quotes and brackets here and in the line above\n"},
		{"colon", "dataset: test\ntitle: a: b\n", "a.yaml:2:9: this is not YAML: mapping values are not allowed in this context; put a text that has a colon in it in quotes, and check the indentation\n"},
		{"at sign", "dataset: test\ntitle: @here\n", "a.yaml:2:8: this is not YAML: found character that cannot start any token; put the text in quotes\n"},
		{"merge key", "dataset: test\ndefaults: {status: REPORTED}\nentities:\n  a: &a {kind: Person, name: A}\n  b: {<<: *a, name: B}\n",
			"a.yaml:5:6: the entity b has no kind; it can be Person, State, Organization, Group, Undecided, Facility, Place or Instrument\n" +
				"a.yaml:5:7: merge keys (<<) cannot be used here; repeat the values, or use defaults\n"},
		{"alias", head + "  - {type: PRAISED, source: a, target: b, note: &n x}\n  - {type: PRAISED, source: b, target: a, note: *n}\n",
			"a.yaml:10:49: aliases (*n) cannot be used here; repeat the value, or use defaults\n"},
		{"unknown anchor", "dataset: test\ntitle: *t\n", "a.yaml:2:8: this is not YAML: unknown anchor 't' referenced; put a text that begins with * in quotes; aliases cannot be used here\n"},
		{"key of a mapping", "dataset: test\n? {a: b}\n: c\n", "a.yaml:2:3: a key of the data set is keys and values, but must be one of $schema, dataset, title, priority, recorded, defaults, sources, entities, events or relations\n"},
		{"CRLF", "dataset: test\r\nentities:\r\n  é: {kind: Persn, name: A}\r\n", "a.yaml:3:13: kind cannot be \"Persn\"; did you mean Person? It can be Person, State, Organization, Group, Undecided, Facility, Place or Instrument\n"},
		{"BOM", "\ufeffdataset: test\ntitle: 5\n", "a.yaml:2:8: title must be text, but is the number 5; put it in quotes: \"5\"\n"},
		{"JSON", "{\"dataset\": \"test\",\n \"title\": \"\\ud83d\\ude00\", \"tile\": [true]}", "a.yaml:2:27: the data set has no key \"tile\"; did you mean title?\n"},
		{"in quotes", head + "  - {type: PRAISED, source: a, target: b, date: \"2025-02-30\"}\n", "a.yaml:9:58: date: there is no day 30 in 2025-02, which has the days 01 to 28\n"},
		{"year", head + "  - {type: PRAISED, source: a, target: b, date: 2025}\n", ""},
		{"alike, with and without", head + "  - {type: PRAISED, source: a, target: b}\n  - {type: PRAISED, source: a, target: b}\n  - {type: PRAISED, source: a, target: b, note: again}\n", ""},
		{"in the store", head + "  - {type: PRAISED, source: person/xavier-old, target: y, about: [old/r, old/e], event: old/e}\n", ""},
		{"addressee in the store", head + "  - {type: PRAISED, source: a, about: [old/e, old/r]}\n", ""},
		{"near in the store", head + "  - {type: PRAISED, source: person/xavier, target: b}\n", "a.yaml:9:29: there is no entity \"person/xavier\", neither in this file nor in the store; did you mean person/xavier-old?\n"},
		{"wrong sort", head + "  - {type: PRAISED, source: paper, target: old/e}\n", "a.yaml:9:29: source must be an entity, but paper is a source (line 3)\na.yaml:9:44: target must be an entity, but old/e is an event\n"},
		{"taken by a relation", "dataset: test\nentities: {a: {id: old/r, kind: Person, name: A}}\n", "a.yaml:2:20: the id old/r belongs to a relation of data set old; choose another id\n"},
		{"taken by an event", "dataset: test\nentities: {a: {id: old/e, kind: Person, name: A}}\n", "a.yaml:2:20: the id old/e belongs to an event (E, data set old); choose another id\n"},
		{"relation of another", head + "  - {id: old/r, type: PRAISED, source: a, target: b}\n", "a.yaml:9:10: the id old/r belongs to a relation of data set old, and a relation belongs to one data set; choose another id\n"},
		{"one short name", "dataset: test\nentities: {a: {kind: Person, name: A}}\nevents: {a: {name: A}}\n", "a.yaml:3:10: the short name a is taken by an entity in line 2; choose another\n"},
		{"said twice", "dataset: test\nentities:\n  a: {kind: Person, name: A}\n  a: {name: A, kind: Person}\n  b: {id: person/a, kind: Person, name: A}\n", ""},
		{"one id", "dataset: test\nentities: {a: {kind: Person, name: A}, b: {id: person/a, kind: Person, name: B}}\n", "a.yaml:2:40: the id person/a is given twice, first in line 2 with other content; choose another, or merge the two\n"},
		{"about itself", head + "  - {id: x, type: PRAISED, source: a, target: b, about: [x]}\n", "a.yaml:9:58: an act cannot be about itself: x is about x; take one of them out of about\n"},
		{"unattributed", head + "  - {type: PRAISED, source: unattributed, target: b}\n", ""},
		{"future", "dataset: test\nrecorded: 2999-01-01T00:00:00Z\n", "a.yaml:2:11: recorded lies in the future; nothing can have been recorded then\n"},
		{"both", head + "  - {type: PRAISED, source: a, target: b, sources: [paper], citations: [{source: paper, quote: fine}]}\n", "a.yaml:9:72: the relation has both sources and citations; name all of them in citations, where a quote may be left out\n"},
		{"basis without a date", head + "  - {type: PRAISED, source: a, target: b, dateBasis: INFERRED}\n", "a.yaml:9:54: dateBasis is INFERRED, but there is no date; give one, or leave dateBasis out\n"},
		{"with itself", head + "  - {type: MET_WITH, source: a, target: person/a}\n", "a.yaml:9:41: MET_WITH is between two, but source and target are both person/a\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, store, loader.Options{DryRun: true}, c.text)
			if diff := cmp.Diff(c.want, complaints(t, err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

var _ = bytes.NewReader
var _ = loadertest.Generate
var _ = json.Valid
var _ = slices.Sort[[]int]
var _ = fmt.Sprint
var _ context.Context
var _ time.Time
