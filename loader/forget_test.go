package loader_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/google/go-cmp/cmp"
)

func forget(t testing.TB, store graph.Store, ids ...string) *graph.Erased {
	t.Helper()
	erased, err := graph.Forget(t.Context(), store, ids, graph.ForgetOptions{RecorderOptions: graph.RecorderOptions{Now: time.Now, Wait: time.Minute},
		Random: bytes.NewReader(bytes.Repeat([]byte{1, 2}, 16))})
	if err != nil {
		t.Fatal(err)
	}
	return erased
}

// everything is all that is said in a store, as text.
func everything(t testing.TB, store graph.Store) string {
	t.Helper()
	var b strings.Builder
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		for _, over := range []graph.WalkOver{graph.WalkStatements, graph.WalkRelations} {
			q := &graph.WalkQuery{Over: over, Limit: 3}
			for {
				held, err := tx.Held(ctx, &graph.HeldQuery{Walk: q})
				if err != nil {
					t.Fatal(err)
				}
				for _, part := range []any{held.Walk.Statements, held.Walk.Relations} {
					if err := json.NewEncoder(&b).Encode(part); err != nil {
						t.Fatal(err)
					}
				}
				if q.After = held.Walk.Next; q.After == "" {
					break
				}
			}
		}
	})
	return b.String()
}

// TestForgottenInFeeds: rows that name what was forgotten are left out of feeds
// of each kind, and nothing that comes with them is recorded.
func TestForgottenInFeeds(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		events := write(t, "events.tab", icewsText)
		entities := write(t, "entities.ftm.json", ftmText)
		leaders := write(t, "leaders.csv", "leader,state,since\nAda Lund,Norway,2001\nBen Roth,Sweden,2002\nBad Roth,,\n")
		mapping := write(t, "leaders.yaml", `mapping: 1
dataset: leaders
title: Leaders
entities:
  who: {id: "leaders/{leader|slug}", kind: Person, name: "{leader}"}
  state: {id: "leaders/{state|slug}", kind: State, name: "{state}"}
relations:
  - {type: LEADS, source: who, target: state, date: "{since}/.."}
`)
		load := func(events string) (results []*loader.Result, bad string) {
			t.Helper()
			var rejects bytes.Buffer
			one := 1
			o := loader.Options{Rejects: &rejects, MaxRejects: &one}
			results = append(results, loadFiles(t, store, o, events), loadFiles(t, store, o, entities))
			o.Mapping = mapping
			results = append(results, loadFiles(t, store, o, leaders))
			return results, rejects.String()
		}
		load(events)
		for _, id := range []string{"icews/ada-lund", "ftm/p-ada", "leaders/ada-lund"} {
			if e := forget(t, store, id); e.Entities != 1 || e.Relations == 0 {
				t.Errorf("%s: %+v", id, *e)
			}
		}
		if text := everything(t, store); strings.Contains(strings.ToLower(text), "ada lund") || strings.Contains(text, "p-ada") || strings.Contains(text, "ada-lund") {
			t.Errorf("something is left of her:\n%s", text)
		}
		before := everything(t, store)
		// What is new names her too, with a story and a place of its own.
		more := write(t, "more.tab", icewsText+
			"7\t2018-06-09\tADA LUND\tElite\tNorway\tConsult\t040\t1\tBen Roth\tNA\tNA\t99\t2\tAda Lund's Gazette\tLundtown\tNA\tNA\tNorway\t59.9\t10.7\n")
		for _, file := range []string{events, more, more} {
			results, bad := load(file)
			for i, want := range []loader.Rows{{Read: 5, Unchanged: 2, Duplicate: 1, Rejected: 2, Forgotten: 2},
				{Read: 19, Unchanged: 10, Duplicate: 2, Rejected: 7, Forgotten: 7}, {Read: 3, Unchanged: 1, Rejected: 2, Forgotten: 1}} {
				if file == more && i == 0 {
					want.Read, want.Rejected, want.Forgotten = 6, 3, 3
				}
				rowsAddUp(t, results[i])
				got := *results[i].Loads[0].Rows
				got.Kinds = nil
				if diff := cmp.Diff(want, got); diff != "" || results[i].Changes() > 0 {
					t.Errorf("rows of %s (-want +got), with %d changes\n%s", results[i].Loads[0].Dataset, results[i].Changes(), diff)
				}
				if notes := notesOf(results[i]); strings.Contains(strings.ToLower(notes), "ada") || !strings.Contains(notes, "forgotten") {
					t.Errorf("notes: %s", notes)
				}
			}
			if strings.Contains(bad, "Ada") || !strings.Contains(bad, "Bad Roth") {
				t.Errorf("bad rows: %s", bad)
			}
		}
		if diff := cmp.Diff(before, everything(t, store)); diff != "" {
			t.Errorf("the record has changed (-before +after)\n%s", diff)
		}
	})
}

// TestForgottenContradicting: of rows that contradict rows before them, those that
// name what was forgotten are counted, and nothing is said of them.
func TestForgottenContradicting(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		none := 0
		var rejects bytes.Buffer
		o := loader.Options{Mapping: "../data/mappings/offices.yaml", Rejects: &rejects}
		loadFiles(t, store, o, "../data/mappings/offices.csv")
		forget(t, store, "person/ada-lund")
		o.MaxRejects = &none
		const head, ben = "no;holder;country;office;from;until;left\n", "2;Ben Roth;Norland;King;30.06.1999;;in office\n"
		for rows, want := range map[string]loader.Rows{
			"1;Ada Lund;Norland;Queen;1990;;\n1;Ada Lund;Norland;Queen;1991;;\n" + ben: {Read: 3, Unchanged: 1, Rejected: 2, Forgotten: 2},
			ben + "8;Ada Lund;Norland;Queen;1990;;\n8;Ada Lund;Norland;Queen;1991;;":   {Read: 3, Unchanged: 1, Rejected: 2, Forgotten: 2},
			// Under the id of a relation that was erased with her.
			ben + "1;Cleo Vale;Norland;Queen;1990;;\n1;Dag Moe;Norland;Queen;1991;;\n":                    {Read: 3, Unchanged: 1, Rejected: 2, Forgotten: 2},
			ben + strings.Repeat("1;Ada Lund;Norland;Queen;1990;;\n1;Ada Lund;Norland;Queen;1991;;\n", 4): {Read: 9, Unchanged: 1, Duplicate: 3, Rejected: 5, Forgotten: 5},
		} {
			rejects.Reset()
			result := loadFiles(t, store, o, write(t, "t.csv", head+rows))
			got := *result.Loads[0].Rows
			got.Kinds = nil
			rowsAddUp(t, result)
			if diff := cmp.Diff(want, got); diff != "" || result.Loads[0].Forgotten < want.Forgotten {
				t.Errorf("%s (-want +got), and %d things forgotten\n%s", rows, result.Loads[0].Forgotten, diff)
			}
			if bad := rejects.String(); bad != loader.RejectsHeader {
				t.Errorf("bad rows: %s", bad)
			}
			notes := notesOf(result)
			if want := fmt.Sprintf("rows that name what was forgotten: %d;", want.Forgotten); strings.Count(notes, "\n") > 1 || !strings.Contains(notes, want) {
				t.Errorf("notes: %s, want %s", notes, want)
			}
		}
		// Others that contradict each other are rejected as ever.
		rejects.Reset()
		o.MaxRejects = nil
		loadFiles(t, store, o, write(t, "t.csv", head+ben+"2;Ben Roth;Norland;King;2001;;\n"))
		checkRejects(t, &rejects, []string{"3  id: the relation offices/2 is in line 2 with other content"})
	})
}

// TestForgottenOmissions: no value of a row that names what was forgotten is shown
// as one that was left out.
func TestForgottenOmissions(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		o := loader.Options{Mapping: write(t, "m.yaml", `mapping: 1
dataset: d
entities:
  x: {id: "person/{name|slug}", kind: Person, name: "{name}", date: {on: "{site}", invalid: omit}}
`)}
		table := write(t, "t.csv", "name,site\nAda Lund,ada at lund\nBen Roth,ben at roth\n")
		loadFiles(t, store, o, table)
		forget(t, store, "person/ada-lund")
		if notes := notesOf(loadFiles(t, store, o, table)); strings.Contains(notes, "ada") || !strings.Contains(notes, "site: values left out: 1, of which this is the first: date: \"ben at roth\"") {
			t.Errorf("%s", notes)
		}
	})
}

// TestForgottenReferences: files that refer to what was forgotten in others are
// loaded without what names it.
func TestForgottenReferences(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		base := write(t, "base.yaml", `dataset: base
sources:
  s: {name: A paper, published: 2020-01-09}
entities:
  ada: {kind: Person, name: Ada Quill}
  bo: {kind: Person, name: Bo Sand}
  cy: {kind: Person, name: Cy Thorn}
events:
  e: {name: Talks, date: 2020-01-01, participants: [ada, bo]}
relations:
  - {id: r, type: CONDEMNED, source: bo, target: ada, date: 2020-01-01, event: e}
`)
		more := write(t, "more.yaml", `dataset: more
entities:
  d: {kind: Person, name: Di Moor}
events:
  f: {name: Talks of four, date: 2020-01-02, participants: [person/ada-quill, person/bo-sand, person/cy-thorn, d], places: []}
relations:
  - {type: PRAISED, source: d, target: person/ada-quill, date: 2020-01-03}
  - {type: PRAISED, source: d, target: person/bo-sand, date: 2020-01-03, about: [base/r, base/e], event: base/e, sources: [base/s]}
  - {type: PRAISED, source: d, date: 2020-01-04, about: [base/r]}
  - {type: ENVOY_OF, source: d, target: person/bo-sand, accreditedTo: person/ada-quill, date: 2020-01-05/..}
`)
		judged := write(t, "ids.yaml", "identities:\n  - different: [person/ada-quill, person/bo-sand]\n  - different: [person/cy-thorn, person/bo-sand]\n")
		o := loader.Options{}
		loadFiles(t, store, o, base)
		loadFiles(t, store, o, more, judged)
		forget(t, store, "person/ada-quill", "base/s")
		result := loadFiles(t, store, o, more, judged)
		// The third relation has lost its addressee with what it is about.
		if l := result.Loads[0]; l.Relations != (graph.Tally{Unchanged: 1, Withdrawn: 1}) || l.Events != (graph.Tally{Unchanged: 1}) || l.Forgotten != 2 ||
			!strings.Contains(notesOf(result), "name the target") {
			t.Errorf("%+v %s", l.Report, notesOf(result))
		}
		if l := result.Loads[1]; l.Judgements != (graph.Tally{Unchanged: 1}) || l.Forgotten != 1 {
			t.Errorf("%+v", l.Report)
		}
		if again := loadFiles(t, store, o, more, judged, base); again.Changes() > 0 {
			t.Errorf("loading again changes something: %+v", again)
		}
		if text := everything(t, store); strings.Contains(text, "base/r") || strings.Contains(text, "base/e") || strings.Contains(text, "base/s") || strings.Contains(text, "ada-quill") {
			t.Errorf("something is left:\n%s", text)
		}
	})
}

// TestForgottenOverRecorded: what names something forgotten under the id of a
// relation or an event that the record has is left out, and the id stays open
// to corrections.
func TestForgottenOverRecorded(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		edition := func(leader string, year int) string {
			return write(t, "d.yaml", fmt.Sprintf(`dataset: d
entities:
  al: {kind: Person, name: Al Moor}
  bo: {kind: Person, name: Bo Sand}
  x: {kind: Person, name: Xerxes Orr}
  s: {kind: State, name: Stateland}
events:
  e: {name: Talks, date: 2001-01-01, participants: [%s, bo]}
relations:
  - {id: r, type: LEADS, source: %[1]s, target: s, date: "%d/.."}
`, leader, year))
		}
		o := loader.Options{}
		loadFiles(t, store, o, edition("al", 2001))
		forget(t, store, "person/xerxes-orr")
		for range 2 { // the second one finds only former versions
			if l := loadFiles(t, store, loader.Options{Recheck: true}, edition("x", 2001)).Loads[0]; l.Forgotten == 0 || l.Relations.Created > 0 {
				t.Errorf("%+v", l.Report)
			}
		}
		if l := loadFiles(t, store, o, edition("al", 2005)).Loads[0]; l.Forgotten != 1 || l.Relations.Created+l.Relations.Changed != 1 {
			t.Errorf("%+v", l.Report)
		}
		if text := everything(t, store); !strings.Contains(text, "2005") || strings.Contains(text, "erxes") {
			t.Errorf("%s", text)
		}

		mapping := write(t, "m.yaml", `mapping: 1
dataset: t
entities:
  a: {id: "t/{a}", kind: State, name: "{a}"}
  b: {id: "t/{b}", kind: Person, name: "{b}"}
relations:
  - {id: "{no}", type: MET_WITH, source: b, target: a, date: "{d}"}
`)
		o.Mapping = mapping
		table := func(rows string) graph.Tally {
			t.Helper()
			result := loadFiles(t, store, o, write(t, "t.csv", "no,a,b,d\n"+rows))
			rowsAddUp(t, result)
			return result.Loads[0].Relations
		}
		table("1,S,Al,2001\n2,S,Xerxes,2001\n")
		forget(t, store, "t/Xerxes")
		for _, c := range []struct {
			rows string
			want graph.Tally
		}{{"1,S,Xerxes,2001\n", graph.Tally{}}, {"1,S,Al,2005\n", graph.Tally{Changed: 1}}} {
			if got := table(c.rows); got != c.want {
				t.Errorf("%s: %+v", c.rows, got)
			}
		}
	})
}

// TestForgottenUncounted: who was forgotten is not among the entities of a file, as
// the report has them by kind.
func TestForgottenUncounted(t *testing.T) {
	mapping := write(t, "m.yaml", "mapping: 1\ndataset: c\nentities: {w: {id: \"person/{w}\", kind: Person, name: \"{w}\"}}\n")
	for id, c := range map[string]struct {
		text string
		o    loader.Options
	}{
		"tkg/ada-quill": {"Ada_Quill\tConsult\tSweden\t2014-02-27\nBo\tConsult\tSweden\t2014-02-27\n", loader.Options{}},
		"ftm/a":         {`{"id": "a", "schema": "Person", "properties": {"name": ["A"]}}` + "\n" + `{"id": "b", "schema": "Person", "properties": {"name": ["B"]}}` + "\n", loader.Options{}},
		"person/a":      {"w,x\na,1\nb,1\n", loader.Options{Mapping: mapping}},
	} {
		every.Store(t, func(t *testing.T, store graph.Store) {
			c.o.Recheck = true
			count := func() (kinds, entities int) {
				l := loadFiles(t, store, c.o, write(t, "f", c.text)).Loads[0]
				for _, n := range l.Rows.Kinds {
					kinds += n
				}
				return kinds, l.Entities.Created + l.Entities.Unchanged
			}
			kinds, entities := count()
			forget(t, store, id)
			if after, stated := count(); kinds != entities || after != kinds-1 || stated != after {
				t.Errorf("%s: of %d and %d entities, %d and %d are left", id, kinds, entities, after, stated)
			}
		})
	}
}
