package loader_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
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

func stateOf(t testing.TB, store graph.Store, dataset string) loadertest.State {
	t.Helper()
	s, err := loadertest.ReadState(t.Context(), store, dataset)
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
		{"UTF-16", "\xff\xfed\x00a\x00", "a.yaml:1:1: the file is in UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)\n"},
		{"bell", "dataset: test\ntitle: \x07\n", "a.yaml:2:8: there is an invisible control character (U+0007) here; remove it\n"},
		{"tab", "dataset: test\nentities:\n\ta: {kind: Person, name: A}\n", "a.yaml:3:1: this is not YAML: there is a tab; YAML is indented with spaces, not with tabs\n"},
		{"unclosed", "dataset: test\ntitle: \"T\nrelations: []\n", "a.yaml:2:8: this is not YAML: found unexpected end of stream; check the indentation, quotes and brackets here and in the line above\n"},
		{"bracket", "dataset: test\nrelations:\n  - {type: MET_WITH, source: a\n  - {type: MET_WITH}\n", "a.yaml:4:5: this is not YAML: did not find expected ',' or '}'; check the indentation, quotes and brackets here and in the line above\n"},
		{"question mark", head + "  - {type: PRAISED, source: a, target: b, date: 2010?}\n", "a.yaml:9:49: this is not YAML: did not find expected ',' or '}'; put a text that has a ? in it in quotes within braces or brackets\n"},
		{"question mark in quotes", head + "  - {type: PRAISED, source: a, target: b, date: \"2010?\"}\n", ""},
		{"colon", "dataset: test\ntitle: a: b\n", "a.yaml:2:8: this is not YAML: mapping values are not allowed in this context; put a text that has a colon in it in quotes, and check the indentation\n"},
		{"at sign", "dataset: test\ntitle: @here\n", "a.yaml:2:8: this is not YAML: found character that cannot start any token; put the text in quotes\n"},
		{"merge key", "dataset: test\ndefaults: {status: REPORTED}\nentities:\n  a: &a {kind: Person, name: A}\n  b: {<<: *a, name: B}\n",
			"a.yaml:5:6: the entity b has no kind; it can be Person, State, Organization, Group, Undecided, Facility, Place or Instrument\n" +
				"a.yaml:5:7: merge keys (<<) cannot be used here; repeat the values, or use defaults\n"},
		{"alias", head + "  - {type: PRAISED, source: a, target: b, note: &n x}\n  - {type: PRAISED, source: b, target: a, note: *n}\n",
			"a.yaml:10:49: aliases (*n) cannot be used here; repeat the value, or use defaults\n"},
		{"unknown anchor", "dataset: test\ntitle: *t\n", "a.yaml:2:8: this is not YAML: unknown anchor 't' referenced; put a text that begins with * in quotes; aliases cannot be used here\n"},
		{"key of a mapping", "dataset: test\n? {a: b}\n: c\n", "a.yaml:2:3: a key of the data set is keys and values, but must be one of $schema, dataset, title, priority, recorded, disputed, defaults, sources, entities, events or relations\n"},
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
		{"of no type", head + "  - {type: PRAISD, source: a, target: b, date: \"2025-02-30\", confidence: 2}\n  - {type: XQZW, source: a, target: b, date: 2020/2010}\n  - {type: PRAISD, source: a, target: b, date: 2010/2020}\n",
			"a.yaml:9:12: \"PRAISD\" is no relation type; did you mean PRAISED or PAID?\n" +
				"a.yaml:9:57: date: there is no day 30 in 2025-02, which has the days 01 to 28\n" +
				"a.yaml:9:74: confidence must be from 0 to 1, but is 2\n" +
				"a.yaml:10:12: \"XQZW\" is no relation type; see the vocabulary, or add the type to it with --vocabulary\n" +
				"a.yaml:10:51: date: the interval ends (2010) before it begins (2020)\n" +
				"a.yaml:11:12: \"PRAISD\" is no relation type; did you mean PRAISED or PAID?\n"},
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

// TestSeveralFiles: files may refer to what others hold, as it will be then, and
// all are right or none is written.
func TestSeveralFiles(t *testing.T) {
	first := head + "  - {id: x, type: PRAISED, source: a, target: b}\n"
	second := "dataset: second\nrelations:\n  - {id: again, type: PRAISED, source: person/a, target: person/b, about: [test/x]}\n"
	stores(t, func(t *testing.T, store graph.Store) {
		_, err := load(t, store, loader.Options{}, second)
		want := "a.yaml:3:40: there is no entity \"person/a\", neither in this file nor in the store\n" +
			"a.yaml:3:58: there is no entity \"person/b\", neither in this file nor in the store\n" +
			"a.yaml:3:76: there is no relation or event \"test/x\", neither in this file nor in the store\n"
		if diff := cmp.Diff(want, complaints(t, err)); diff != "" {
			t.Errorf("alone (-want +got):\n%s", diff)
		}
		_, err = load(t, store, loader.Options{}, first, first)
		if got := complaints(t, err); !strings.Contains(got, "b.yaml:1:10:") || !strings.Contains(got, "merge the two files, or give one of them another name") {
			t.Errorf("one data set twice: %s", got)
		}
		isEmpty(t, store)
		result := mustLoad(t, store, first, second)
		if len(result.Loads) != 2 || result.Loads[1].Relations.Created != 1 {
			t.Errorf("%+v", result)
		}
		// An edition without the person leaves the other data set's reference
		// as it is, but a new file cannot refer to what is about to go.
		third := strings.Replace(second, "dataset: second", "dataset: third", 1)
		_, err = load(t, store, loader.Options{}, "dataset: test\n", third)
		if got := complaints(t, err); strings.Count(got, "will be withdrawn by the new edition of data set test") != 3 {
			t.Errorf("lapsing: %s", got)
		}
		_, err = load(t, store, loader.Options{}, strings.Replace(head, "  a: {kind: Person, name: A}\n", "", 1)+"  - {type: PRAISED, source: person/a, target: b}\n")
		if got := complaints(t, err); !strings.HasPrefix(got, "a.yaml:8:29: person/a is in the last edition of this data set, but not in this file, so it will be withdrawn") {
			t.Errorf("withdrawn by itself: %s", got)
		}
	})
}

// TestMeaning: what the words of a file come to.
func TestMeaning(t *testing.T) {
	stores(t, func(t *testing.T, store graph.Store) {
		mustLoad(t, store, `dataset: test
defaults: {status: CLAIMED, sources: [old, new]}
sources:
  old: {name: Old, published: 2025-11-01}
  new: {name: New, published: 2025-12-01}
entities:
  a: {kind: Person, name: Élodie d'Aa}
  s: {id: "state/s", kind: State, name: S, point: {latitude: 1, longitude: -2}, properties: {n: [2, x, true], m: 1.50}}
events:
  e: {name: E, date: 2025-11, participants: [a, {entity: s, role: host}], places: s}
relations:
  - {id: act, type: STRUCK, source: a, target: s, dateBasis: PUBLICATION}
  - {id: answer, type: CONDEMNED, source: s, about: [e, act], date: 2025, citations: [{source: new, quote: "so it is"}]}
  - {id: nobody, type: DAMAGED, unattributed: true, target: s, sources: []}
  - {id: office, type: LEADS, source: a, target: s, date: 2025-01-20/..}
  - {id: other/id, type: MET_WITH, source: s, target: a, date: 2025-11-30, status: REPORTED}
`)
		s := stateOf(t, store, "test")
		relation := func(id string) *graph.Relation {
			t.Helper()
			v := s.Versions[id]
			if len(v) != 1 {
				t.Fatalf("%d versions of %s", len(v), id)
			}
			return v[0]
		}
		day := func(text string) graph.Day {
			d, err := graph.ParseDay(text)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		if r := relation("test/act"); r.Source != "person/elodie-daa" || r.Status != graph.Claimed || r.Date.Latest != day("2025-12-01") ||
			r.Date.StartKind != graph.EndUnknown || len(r.Citations) != 2 || r.Citations[0].Source != "test/old" {
			t.Errorf("%+v", r)
		}
		if r := relation("test/answer"); r.Target != "person/elodie-daa" || !slices.Equal(r.About, []string{"test/e", "test/act"}) ||
			r.Date.EDTF != "2025" || !slices.Equal(r.Citations, []graph.Citation{{Source: "test/new", Quote: "so it is"}}) {
			t.Errorf("%+v", r)
		}
		if r := relation("test/nobody"); r.Source != "group/unattributed" || len(r.Citations) != 0 || r.Date.EDTF != "" {
			t.Errorf("%+v", r)
		}
		if r := relation("test/office"); r.Date.CertainTo != day("2025-12-01") || r.Date.EndKind != graph.EndOpen {
			t.Errorf("%+v", r)
		}
		if r := relation("other/id"); r.Status != graph.Reported {
			t.Errorf("%+v", r)
		}
		c := s.Statements["state/s"][0].Content
		if diff := cmp.Diff([]graph.Property{{Name: "m", Value: "1.50"}, {Name: "n", Value: "2"}, {Name: "n", Value: "x"}, {Name: "n", Value: "true"}}, c.Properties); diff != "" {
			t.Error(diff)
		}
		e := s.Statements["test/e"][0].Content
		if !slices.Equal(e.Participants, []graph.Participant{{Entity: "person/elodie-daa"}, {Entity: "state/s", Role: "host"}}) || !slices.Equal(e.Places, []string{"state/s"}) {
			t.Errorf("%+v", e)
		}
		if u := s.Statements["group/unattributed"]; len(u) != 1 || u[0].Content.Kind != graph.KindGroup {
			t.Errorf("%+v", u)
		}
	})
}

// TestUndecided: a kind that this file leaves open may be decided elsewhere, which
// makes nothing wrong in it.
func TestUndecided(t *testing.T) {
	stores(t, func(t *testing.T, store graph.Store) {
		mustLoad(t, store, "dataset: one\nentities: {x: {id: x, kind: Person, name: X}}\n")
		mustLoad(t, store, "dataset: two\nentities: {x: {id: x, kind: Undecided, name: X}, s: {kind: State, name: S}}\nrelations: [{type: LEADS, source: x, target: s}]\n")
		_, err := load(t, store, loader.Options{}, "dataset: three\nentities: {x: {id: x, kind: Undecided, name: X}, y: {kind: State, name: Y}, z: {kind: State, name: Z}}\nrelations: [{type: LEADS, source: y, target: z}, {type: CITIZEN_OF, source: x, target: x}, {type: CITIZEN_OF, source: y, target: x}]\n")
		if got := complaints(t, err); !strings.Contains(got, "the source of LEADS cannot be a State") || strings.Contains(got, "the target of CITIZEN_OF") {
			t.Error(got)
		}
	})
}

// TestEditions: the same again changes nothing, an edited copy changes exactly
// what was edited, and what stood before can still be read.
func TestEditions(t *testing.T) {
	raw, err := os.ReadFile("../data/paris-talks-2025.yaml")
	if err != nil {
		t.Fatal(err)
	}
	first := string(raw)
	edit := func(text, old, new string) string {
		t.Helper()
		if strings.Count(text, old) != 1 {
			t.Fatalf("%q is %d times in the data set", old, strings.Count(text, old))
		}
		return strings.Replace(text, old, new, 1)
	}
	second := edit(first, "quantity: 32\n", "quantity: 33\n")
	second = edit(second, "    aliases: [Macron]\n", "    aliases: [Macron, E. Macron]\n")
	second = edit(second, "name: U.S.-Ukrainian talks in Florida", "name: Talks in Florida")
	// A relation goes, and another comes; one gets another type, and one is
	// turned round, which turns the statement about it to its new source.
	before, rest, _ := strings.Cut(second, "  - id: terminal-halted\n")
	_, after, _ := strings.Cut(rest, "  - id: ")
	second = before + "  - id: " + after +
		"  - {id: new, type: PRAISED, source: macron, target: zelenskyy, date: 2025-12-01}\n"
	second = edit(second, "type: LEADS, source: macron", "type: HOLDS_OFFICE_IN, source: macron")
	second = edit(second, "source: zelenskyy\n    target: macron\n", "source: macron\n    target: zelenskyy\n")

	stores(t, func(t *testing.T, store graph.Store) {
		once := mustLoad(t, store, first).Loads[0]
		if once.Relations.Created < 40 || once.Relations.Changed+once.Relations.Unchanged+once.Relations.Withdrawn > 0 || once.RecordedAt == 0 {
			t.Errorf("%+v", once.Report)
		}
		before := stateOf(t, store, "paris-talks-2025")
		again := mustLoad(t, store, first)
		if r := again.Loads[0]; again.Changes() != 0 || r.Relations.Unchanged != once.Relations.Created || r.Entities.Unchanged != once.Entities.Created ||
			r.Events.Unchanged != 3 || r.Sources.Unchanged != 1 || r.RecordedAt != 0 {
			t.Errorf("%+v", r.Report)
		}
		if diff := cmp.Diff(before, stateOf(t, store, "paris-talks-2025")); diff != "" {
			t.Errorf("loading again changed the store:\n%s", diff)
		}

		want := graph.Report{Dataset: "paris-talks-2025", DryRun: true,
			Entities:  graph.Tally{Changed: 1, Unchanged: once.Entities.Created - 1},
			Events:    graph.Tally{Changed: 1, Unchanged: 2},
			Sources:   graph.Tally{Unchanged: 1},
			Relations: graph.Tally{Created: 1, Changed: 4, Withdrawn: 1, Unchanged: once.Relations.Created - 5},
		}
		dry, err := load(t, store, loader.Options{DryRun: true}, second)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, dry.Loads[0].Report); diff != "" {
			t.Errorf("dry run (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, stateOf(t, store, "paris-talks-2025")); diff != "" {
			t.Errorf("a dry run changed the store:\n%s", diff)
		}
		got := mustLoad(t, store, second).Loads[0].Report
		at := got.RecordedAt
		if want.DryRun, want.RecordedAt = false, at; at <= once.RecordedAt {
			t.Errorf("recorded at %s and %s", once.RecordedAt, at)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		// What was edited, by id.
		now := stateOf(t, store, "paris-talks-2025")
		var edited []string
		for id, v := range now.Versions {
			if len(v) == 2 {
				edited = append(edited, id)
				if diff := cmp.Diff(before.Versions[id][0], v[0], cmpIgnoring("SupersededAt")); diff != "" || v[0].SupersededAt != at || v[1].RecordedAt != at {
					t.Errorf("the former version of %s, superseded at %s:\n%s", id, v[0].SupersededAt, diff)
				}
			} else if old := before.Versions[id]; len(old) > 0 && !cmp.Equal(old, v) {
				t.Errorf("%s differs: %s", id, cmp.Diff(old, v))
			}
		}
		slices.Sort(edited)
		if want := []string{"paris-talks-2025/drones-intercepted", "paris-talks-2025/office-macron", "paris-talks-2025/paris-met",
			"paris-talks-2025/paris-statement"}; !slices.Equal(edited, want) {
			t.Errorf("edited: %v", edited)
		}
		err = store.Read(t.Context(), func(tx graph.Reader) error {
			held, err := tx.Held(t.Context(), &graph.HeldQuery{
				Relations: []string{"paris-talks-2025/terminal-halted"}, Nodes: []string{"person/emmanuel-macron"}, History: true})
			if err != nil {
				return err
			}
			v := held.Versions["paris-talks-2025/terminal-halted"]
			if _, stands := held.Relations["paris-talks-2025/terminal-halted"]; stands || len(v) != 1 || v[0].SupersededAt != at {
				t.Errorf("the withdrawn relation: %+v", v)
			}
			if s := held.Statements["person/emmanuel-macron"]; len(s) != 2 {
				t.Errorf("%d statements", len(s))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// And back.
		if got := mustLoad(t, store, first).Loads[0].Report; got.Relations.Created != 1 || got.Relations.Changed != 4 || got.Relations.Withdrawn != 1 {
			t.Errorf("back: %+v", got)
		}
	})
}

func cmpIgnoring(field string) cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == "."+field }, cmp.Ignore())
}

// stopping ends a load after some batches.
type stopping struct {
	after  int
	cancel context.CancelFunc
	ended  int
}

func (s *stopping) Begin(string, string, int) {}
func (s *stopping) End()                      { s.ended++ }
func (s *stopping) Add(int) {
	if s.after--; s.after == 0 {
		s.cancel()
	}
}

// TestInterrupted: a load that is stopped can be gone on with, and ends as if
// it had not been stopped.
func TestInterrupted(t *testing.T) {
	var b bytes.Buffer
	if err := loadertest.Generate(&b, 1_200, 7); err != nil {
		t.Fatal(err)
	}
	file := write(t, "generated.yaml", b.String())
	undisturbed := storetest.NewOracle()
	if _, err := loader.Load(t.Context(), undisturbed, []string{file}, loader.Options{}); err != nil {
		t.Fatal(err)
	}
	want := stateOf(t, undisturbed, "generated-7").WithoutMoments()
	stores(t, func(t *testing.T, store graph.Store) {
		for after := 1; after <= 2; after++ { // of three batches
			ctx, cancel := context.WithCancel(t.Context())
			stop := &stopping{after: after, cancel: cancel}
			_, err := loader.Load(ctx, store, []string{file}, loader.Options{Progress: stop, BatchSize: 1_000})
			cancel()
			var interrupted *loader.InterruptedError
			if !errors.As(err, &interrupted) || !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), "load the same again, and it goes on from there") || stop.ended != 1 {
				t.Fatalf("%v", err)
			}
		}
		result, err := loader.Load(t.Context(), store, []string{file}, loader.Options{BatchSize: 1_000})
		if err != nil {
			t.Fatal(err)
		}
		if r := result.Loads[0]; !r.Resumed || r.Entities.Created != 0 || r.Relations.Created == 0 || r.Relations.Unchanged == 0 {
			t.Errorf("%+v", r.Report)
		}
		if diff := want.Diff(stateOf(t, store, "generated-7").WithoutMoments()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestRecorded: an edition may say when it was recorded, and must then be later
// than the one before.
func TestRecorded(t *testing.T) {
	stores(t, func(t *testing.T, store graph.Store) {
		const text = "dataset: test\nrecorded: 2025-12-02T08:00:00+01:00\nentities: {a: {kind: Person, name: A}}\n"
		result := mustLoad(t, store, text)
		if want := graph.InstantOf(time.Date(2025, 12, 2, 7, 0, 0, 0, time.UTC)); result.Loads[0].RecordedAt != want {
			t.Errorf("%s", result.Loads[0].RecordedAt)
		}
		if again := mustLoad(t, store, text); again.Changes() != 0 {
			t.Errorf("%+v", again)
		}
		_, err := load(t, store, loader.Options{}, text+"title: T\n")
		if got := complaints(t, err); !strings.HasPrefix(got, "a.yaml:2:11: recorded is not later than the edition of test that the store has, which was recorded at 2025-12-02T07:00:00.000000Z") {
			t.Error(got)
		}
	})
}

// TestReports: the text is for people, the JSON has the keys that programs rely on.
func TestReports(t *testing.T) {
	store := storetest.NewOracle()
	text := head + "  - {type: PRAISED, source: a, target: b}\n  - {type: PRAISED, source: a, target: b}\n"
	clock := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	file := write(t, "a.yaml", text)
	var got bytes.Buffer
	for range 2 {
		result, err := loader.Load(t.Context(), store, []string{file}, loader.Options{Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		result.Loads[0].File = "a.yaml"
		for i := range result.Loads[0].Notes {
			result.Loads[0].Notes[i].File = "a.yaml"
		}
		if err := result.WriteText(&got); err != nil {
			t.Fatal(err)
		}
		if err := result.WriteJSON(&got, nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	const golden = "testdata/report.want"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTitleAndPriority: that they change is told, and such a load is not one of
// which nothing changed.
func TestTitleAndPriority(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		const edition = "dataset: pa\n%sentities: {e: {id: pz/e, kind: Person, name: From A}}\n"
		first := fmt.Sprintf(edition, "priority: 1\n")
		next := fmt.Sprintf(edition, "title: \"A \\\"b\\\"\"\npriority: 3\n")
		mustLoad(t, store, first, "dataset: pb\npriority: 2\nentities: {e: {id: pz/e, kind: Person, name: From B}}\n")
		for _, c := range []struct {
			dry           bool
			text          string
			changes       int
			says, becomes string
		}{
			{true, next, 2, "title: none becomes \"A \\\"b\\\"\"\npriority: 1 becomes 3\nthis is what would change; nothing was written\n", "From B"},
			{false, next, 2, "title: none becomes \"A \\\"b\\\"\"\npriority: 1 becomes 3\n", "From A"},
			{false, next, 0, "nothing changed\n", "From A"},
			{false, first, 2, "title: \"A \\\"b\\\"\" becomes none\npriority: 3 becomes 1\n", "From B"},
		} {
			result, err := load(t, store, loader.Options{DryRun: c.dry}, c.text)
			if err != nil {
				t.Fatal(err)
			}
			var text, report bytes.Buffer
			if err := errors.Join(result.WriteText(&text), result.WriteJSON(&report, nil, "")); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text.String(), c.says) || result.Changes() != c.changes {
				t.Errorf("%d changes: %s\nwant %d: %s", result.Changes(), &text, c.changes, c.says)
			}
			for key, want := range map[string]bool{`"titleChange": {`: c.changes > 0, `"priorityChange": {`: c.changes > 0} {
				if got := strings.Contains(report.String(), key); got != want {
					t.Errorf("%s: %v in %s", key, got, &report)
				}
			}
			if got := nameOf(t, store, "pz/e"); got != c.becomes {
				t.Errorf("the name is %s, not %s", got, c.becomes)
			}
		}
	})
}

// TestTitlesInCircle: so it is where a part of an edition is written ahead.
func TestTitlesInCircle(t *testing.T) {
	edition := func(of, to, title string) string {
		return fmt.Sprintf("dataset: %s\ntitle: %s\nentities: {e: {id: %[1]s/%[2]s, kind: Person, name: E}}\n"+
			"relations: [{type: PRAISED, source: e, target: %[3]s/%[2]s}]\n", of, title, to)
	}
	every.Store(t, func(t *testing.T, store graph.Store) {
		mustLoad(t, store, edition("one", "two", "First"), edition("two", "one", "First"))
		result := mustLoad(t, store, edition("one", "two", "Second"), edition("two", "one", "Second"))
		for _, l := range result.Loads {
			if c := l.TitleChange; c == nil || c.From != "First" || c.To != "Second" {
				t.Errorf("%s: %+v", l.Dataset, c)
			}
		}
	})
}

// nodeOf is what stands under an id; without anything, where there is none.
func nodeOf(t *testing.T, store graph.Store, id string) (n graph.Node) {
	t.Helper()
	err := store.Read(t.Context(), func(tx graph.Reader) error {
		nodes, err := tx.Nodes(t.Context(), []string{id}, false)
		if found := nodes[id]; found != nil {
			n = *found
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func nameOf(t *testing.T, store graph.Store, id string) string { return nodeOf(t, store, id).Name }

// TestFiles: what is no file to load.
func TestFiles(t *testing.T) {
	store := storetest.NewOracle()
	if _, err := loader.Load(t.Context(), store, []string{t.TempDir()}, loader.Options{}); err == nil || !strings.HasSuffix(err.Error(), ": is a directory without files") {
		t.Errorf("an empty directory: %v", err)
	}
	dir := t.TempDir()
	for _, c := range []struct{ name, content, want string }{
		{"absent.yaml", "", "cannot be read: no such file or directory"},
		{"a.gz", "\x1f\x8b\x08", "cannot be read: cannot be unpacked: unexpected EOF; the file is cut short or damaged"},
		{"large.yaml", strings.Repeat("# large\n", 200_000), "is larger than the 1 MiB that a data set may have, since it is checked as a whole; split it into several data sets"},
	} {
		file := filepath.Join(dir, c.name)
		if c.content != "" {
			file = write(t, c.name, c.content)
		}
		_, err := loader.Load(t.Context(), store, []string{file}, loader.Options{MaxBytes: 1 << 20})
		var ps graph.Problems
		if !errors.As(err, &ps) || !strings.HasSuffix(err.Error(), c.want) || ps[0].File != file {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestLarge: thousands of relations, twice.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	store := every.SQLite(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "large.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(loadertest.Generate(f, 50_000, 1), f.Close()); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		began := time.Now()
		result, err := loader.Load(t.Context(), store, []string{f.Name()}, loader.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("load %d: %s", i+1, time.Since(began))
		if r := result.Loads[0].Relations; r.Created+r.Unchanged != 50_000 || i == 1 && r.Created > 0 {
			t.Errorf("%+v", r)
		}
	}
}

// FuzzDataset: whatever the bytes, the loader neither panics nor accepts what
// the record cannot take.
func FuzzDataset(f *testing.F) {
	for _, name := range []string{"../data/paris-talks-2025.yaml", "testdata/mistakes.yaml"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(head + "  - {type: PRAISED, source: a, target: b, about: [], citations: [{source: paper, quote: q}]}\n"))
	f.Add([]byte("{\"dataset\": \"x\", \"entities\": {\"a\": {\"kind\": \"Person\", \"name\": \"\\ud83d\"}}}"))
	f.Add([]byte("a: &a [*a, *a]\nb: &b [*a, *a]\n? *b\n"))
	f.Add([]byte("dataset: x\n<<: {a: b}\nevents: {e: {name: |\n  x\n, date: >\n 2025\n}}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file := filepath.Join(t.TempDir(), "fuzz.yaml")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		store := storetest.NewOracle()
		result, err := loader.Load(t.Context(), store, []string{file}, loader.Options{})
		if err != nil {
			var ps graph.Problems
			if !errors.As(err, &ps) {
				t.Fatalf("no problem of the file, but %v", err)
			}
			for _, p := range ps {
				if p.Line < 0 || p.Line > bytes.Count(raw, []byte("\n"))+bytes.Count(raw, []byte("\r"))+2 || p.Line > 0 && p.Column < 1 {
					t.Errorf("there is no such place: %v", p)
				}
			}
			isEmpty(t, store)
			return
		}
		report := result.Loads[0]
		checkRecord(t, store, report.Dataset)
		if again, err := loader.Load(t.Context(), store, []string{file}, loader.Options{}); err != nil || again.Changes() != 0 {
			t.Errorf("loading it again: %+v, %v", again, err)
		}
	})
}

// checkRecord fails where a store holds what no load should have let in.
func checkRecord(t testing.TB, store graph.Store, dataset string) {
	t.Helper()
	s := stateOf(t, store, dataset)
	vocabulary, err := graph.BuiltinVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	form := map[string]graph.Form{}
	kind := map[string]graph.Kind{}
	for id, v := range s.Statements {
		form[id], kind[id] = v[0].Content.Form, v[0].Content.Kind
		if id == "" || v[0].Content.Name == "" || strings.ContainsAny(id, " \n\x00") {
			t.Errorf("statement %q about %q", id, v[0].Content.Name)
		}
	}
	want := func(id, what string, f graph.Form) {
		if form[id] != f {
			t.Errorf("%s %q is %q, not %q", what, id, form[id], f)
		}
	}
	for id, v := range s.Statements {
		for _, p := range v[0].Content.Participants {
			want(p.Entity, id+" participant", graph.FormEntity)
		}
		for _, p := range v[0].Content.Places {
			want(p, id+" place", graph.FormEntity)
		}
	}
	for id, v := range s.Versions {
		r := v[len(v)-1]
		rt, ok := vocabulary.Lookup(r.Type)
		if !ok || r.Status == "" || !r.Status.Valid() || !r.Date.Basis.Valid() {
			t.Errorf("%s: %+v", id, r)
			continue
		}
		if err := rt.Allows(kind[r.Source], kind[r.Target]); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if r.Confidence != nil && !(*r.Confidence >= 0 && *r.Confidence <= 1) || r.Goldstein != nil && !(*r.Goldstein >= -10 && *r.Goldstein <= 10) {
			t.Errorf("%s: %+v", id, r)
		}
		want(r.Source, id+" source", graph.FormEntity)
		want(r.Target, id+" target", graph.FormEntity)
		for _, c := range r.Citations {
			want(c.Source, id+" citation", graph.FormSource)
		}
		for _, p := range r.Places {
			want(p, id+" place", graph.FormEntity)
		}
		if r.Event != "" {
			want(r.Event, id+" event", graph.FormEvent)
		}
		for _, a := range r.About {
			if form[a] != graph.FormEvent && s.Versions[a] == nil {
				t.Errorf("%s is about %q", id, a)
			}
		}
	}
}
