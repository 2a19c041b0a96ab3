package loader_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest"
	"chancery/graph/storetest/every"
	"chancery/loader"
)

const twoNames = `dataset: one
entities:
  ann:  {kind: Person, name: Ann Lee}
  land: {kind: State, name: Ruritania}
events: {fair: {name: Fair}}
`

const otherNames = `dataset: two
entities:
  lee:  {id: two/lee, kind: Undecided, name: "Lee, A."}
  bo:   {id: two/bo, kind: Person, name: Bo}
relations:
  - {id: praised, type: PRAISED, source: lee, target: bo}
`

// TestJudgementMistakes: what is wrong with files of judgements is said with
// its place, and nothing is written.
func TestJudgementMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"identities:\n  - same: [person/ann-lee, two/le]\n", `a.yaml:2:28: there is no entity "two/le" in the store; did you mean two/lee?`},
		{"identities:\n  - same: [person/ann-lee, one/lee]\n", `a.yaml:2:28: there is no entity "one/lee" in the store; did you mean two/lee?`},
		{"identities:\n  - same: [person/ann-lee, archive/ruritania]\n", `a.yaml:2:28: there is no entity "archive/ruritania" in the store; did you mean state/ruritania?`},
		{"identities:\n  - same: [person/ann-lee, one/fair]\n", "a.yaml:2:28: one/fair is an event; only entities can be judged"},
		{"identities:\n  - same: [person/ann-lee, two/praised]\n", "a.yaml:2:28: two/praised is a relation (data set two); only entities can be judged"},
		{"identities:\n  - same: [person/ann-lee]\n", "a.yaml:2:11: same needs two ids or more; it has 1"},
		{"identities:\n  - same: [two/bo, two/bo]\n", "a.yaml:2:20: two/bo is in this judgement twice"},
		{"identities:\n  - {same: [two/bo, two/lee], different: [two/bo, two/lee]}\n", "a.yaml:2:5: a judgement has either same or different"},
		{"identities:\n  - same: [person/ann-lee, state/ruritania]\n", "a.yaml:2:28: person/ann-lee is a Person, but state/ruritania is a State, so they cannot be the same"},
		{"identities:\n  - same: [person/ann-lee, two/lee]\n  - same: [two/lee, state/ruritania]\n", "a.yaml:3:21: person/ann-lee is a Person, but state/ruritania is a State"},
		{"identities:\n  - different: [two/lee, person/ann-lee]\n  - same: [person/ann-lee, two/lee]\n",
			"a.yaml:3:28: this contradicts other judgements: two/lee is not person/ann-lee (line 2), but person/ann-lee is two/lee (line 3); take one of them back"},
		{"dataset: more\nidentities:\n  - same: [two/lee, two/bo]\n  - same: [person/ann-lee, two/lee]\n", "a.yaml:4:28: this contradicts other judgements: person/ann-lee is not two/bo (data set judged)"},
		{"dataset: one\nidentities: []\n", "a.yaml:1:10: one is a data set of entities and relations, which this file would withdraw"},
		{"identities:\n  - sane: [two/bo, two/lee]\n", `a.yaml:2:5: the judgement has no key "sane"; did you mean same?`},
		{"dataset: judged\nentities: {x: {kind: Person, name: X}}\n", "a.yaml:1:10: judged is a data set of judgements on identity, which this file would take back"},
	} {
		store := storetest.NewOracle()
		mustLoad(t, store, twoNames, otherNames, "dataset: judged\nidentities:\n  - different: [person/ann-lee, two/bo]\n")
		before := storetest.Statements(store)
		_, err := load(t, store, loader.Options{}, c.text)
		if err == nil || !strings.Contains(complaints(t, err), c.want) {
			t.Errorf("%s\ngives %v\nwant  %s", c.text, err, c.want)
		}
		if after := storetest.Statements(store); after != before {
			t.Errorf("%s\nwas written: %d statements, %d before", c.text, after, before)
		}
	}
}

// TestJudgements: an edition of judgements takes back what it does not hold,
// and the same file changes nothing.
func TestJudgements(t *testing.T) {
	const judged = "judge: the editors\nidentities:\n  - same: [person/ann-lee, two/lee]\n    reason: one name\n  - different: [two/lee, two/bo]\n"
	stores(t, func(t *testing.T, store graph.Store) {
		mustLoad(t, store, twoNames, otherNames)
		for i, c := range []struct {
			text    string
			want    graph.Tally
			members string
		}{
			{judged, graph.Tally{Created: 2}, "person/ann-lee two/lee"},
			{judged, graph.Tally{Unchanged: 2}, "person/ann-lee two/lee"},
			{strings.Replace(judged, "same", "different", 1), graph.Tally{Changed: 1, Unchanged: 1}, "two/lee"},
			{judged, graph.Tally{Changed: 1, Unchanged: 1}, "person/ann-lee two/lee"},
			{"identities:\n", graph.Tally{Withdrawn: 2}, "two/lee"},
			{"identities:\n", graph.Tally{}, "two/lee"},
		} {
			result := mustLoad(t, store, c.text)
			if got := result.Loads[0].Judgements; got != c.want || result.Loads[0].Dataset != "identities" {
				t.Errorf("load %d: %+v, want %+v", i, got, c.want)
			}
			var text, program strings.Builder
			if err := errors.Join(result.WriteText(&text), result.WriteJSON(&program, nil, "")); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text.String(), "\n judgements ") || strings.Contains(text.String(), "\n entities") || !strings.Contains(program.String(), `"judgements": {`) {
				t.Errorf("load %d is reported as\n%s%s", i, &text, &program)
			}
			if got := membersOf(t, store, "two/lee"); got != c.members {
				t.Errorf("load %d: two/lee is %s, want %s", i, got, c.members)
			}
		}
	})
}

// TestJudgementsOfForgotten: what is forgotten of several ids that are the same
// leaves the others one.
func TestJudgementsOfForgotten(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		people := write(t, "people.yaml", "dataset: people\nentities:\n  a: {id: p/a, kind: Person, name: Anna}\n  b: {id: p/b, kind: Person, name: Bert}\n  c: {id: p/c, kind: Person, name: Carl}\n")
		same := write(t, "same.yaml", "identities:\n  - same: [p/a, p/b, p/c]\n")
		loadFiles(t, store, loader.Options{}, people)
		forget(t, store, "p/a")
		for range 2 {
			loadFiles(t, store, loader.Options{}, same)
			if got := membersOf(t, store, "p/b"); got != "p/b p/c" {
				t.Error(got)
			}
		}
	})
}

// membersOf are the ids of the entity that an id is one of.
func membersOf(t *testing.T, store graph.Store, id string) (ids string) {
	t.Helper()
	read(t, store, func(_ context.Context, tx graph.Reader) { ids = strings.Join(tx.Identities().Members(id), " ") })
	return ids
}

// TestJudgementsOfAbsent: a judgement may name what no data set states any
// longer, or not yet, and can be exported and loaded.
func TestJudgementsOfAbsent(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		file := func(text string) string { return write(t, "file.yaml", text) }
		people := func(names ...string) string {
			text := "dataset: people\nentities:\n"
			for _, n := range names {
				text += "  " + n + ": {id: p/" + n + ", kind: Person, name: " + n + "}\n"
			}
			return file(text)
		}
		same := file("identities:\n  - same: [p/a, p/b, p/c]\n    reason: they look alike\n")
		loadFiles(t, store, loader.Options{}, people("a", "b", "c"))
		loadFiles(t, store, loader.Options{}, same)
		loadFiles(t, store, loader.Options{}, people("b", "c"))
		is := func(store graph.Store, want string) {
			t.Helper()
			if got := membersOf(t, store, "p/c"); got != want {
				t.Errorf("p/c is one of %s, not of %s", got, want)
			}
		}
		is(store, "p/a p/b p/c") // as the record has what was said of p/a

		// The judgements can be edited all the same.
		edited := file("identities:\n  - same: [p/a, p/b, p/c]\n    reason: they sound alike\n")
		for _, files := range [][]string{{edited}, {people("b", "c"), same}, {edited}} {
			result := loadFiles(t, store, loader.Options{}, files...)
			last := result.Loads[len(files)-1]
			if last.Judgements.Changed != 2 || len(last.Notes) != 1 || !strings.HasPrefix(last.Notes[0].Message, "no data set states p/a any longer") {
				t.Errorf("%+v", last)
			}
		}
		result := loadFiles(t, store, loader.Options{}, people("a", "b", "c"), same)
		if len(result.Loads[1].Notes) > 0 {
			t.Errorf("%+v", result.Loads[1].Notes)
		}
		is(store, "p/a p/b p/c")
		result = loadFiles(t, store, loader.Options{}, people("b", "c"), edited) // p/a goes in the same load
		if len(result.Loads[1].Notes) != 1 {
			t.Errorf("%+v", result.Loads[1].Notes)
		}

		for _, form := range loader.ExportForms {
			want := export(t, store, loader.ExportOptions{Form: form})
			if !strings.Contains(want.texts["identities"], "absent") || strings.Contains(want.texts["people"], "p/a") {
				t.Errorf("%s", want.texts["identities"])
			}
			other := every.SQLite(t)
			loadFiles(t, other, loader.Options{}, want.files(t, "."+string(form))...)
			sameExports(t, want, export(t, other, loader.ExportOptions{Form: form}))
			is(other, "p/b p/c")
			loadFiles(t, other, loader.Options{}, people("a", "b", "c"))
			is(other, "p/a p/b p/c")
		}
	})
}

// TestDisputed: what is listed as disputed may be of any kind, and nothing else.
func TestDisputed(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"identities:\n  - same: [person/ann-lee, state/ruritania]\ndisputed: [state/ruritania]\n", ""},
		{"identities:\n  - same: [person/ann-lee, state/ruritania]\ndisputed: [two/bo]\n", "a.yaml:3:12: two/bo is in no judgement of this file; disputed lists ids"},
		{"identities:\n  - same: [person/ann-lee, state/ruritania]\n  - same: [two/lee, state/ruritania]\ndisputed: [two/lee]\n", "a.yaml:2:28: person/ann-lee is a Person, but state/ruritania is a State"},
	} {
		store := every.SQLite(t)
		mustLoad(t, store, twoNames, otherNames)
		_, err := load(t, store, loader.Options{}, c.text)
		if c.want == "" && err != nil || c.want != "" && !strings.Contains(complaints(t, err), c.want) {
			t.Errorf("%s\ngives %v\nwant  %s", c.text, err, c.want)
		}
	}
}

// TestAbsent: what is listed as absent need not be there, and nothing else.
func TestAbsent(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"identities:\n  - same: [two/lee, x/y]\nabsent: [x/y]\n", ""},
		{"identities:\n  - same: [two/lee, two/bo]\nabsent: [two/bo]\n", ""},
		{"identities:\n  - same: [two/lee, x/y, x/z]\nabsent: [x/y]\n", `a.yaml:2:26: there is no entity "x/z" in the store`},
		{"identities:\n  - same: [two/lee, x/y]\nabsent: [x/y, x/z]\n", "a.yaml:3:15: x/z is in no judgement of this file"},
		{"identities:\n  - same: [two/lee, one/fair]\nabsent: [one/fair]\n", "a.yaml:2:21: one/fair is an event; only entities can be judged"},
		{"identities:\n  - same: [two/lee, x/y]\nabsent: x/y\n", "a.yaml:3:9: absent must be a list"},
		{"identities:\n  - same: [two/lee, x/y]\nabsent: [[x/y]]\n", "a.yaml:3:10: "},
		{`{"dataset": "identities", "absent": ["x/y"]}` + "\n" + `{"judgement": {"same": ["two/lee", "x/y"]}}` + "\n", ""},
	} {
		store := storetest.NewOracle()
		mustLoad(t, store, twoNames, otherNames)
		_, err := load(t, store, loader.Options{}, c.text)
		if c.want == "" && err != nil || c.want != "" && !strings.Contains(complaints(t, err), c.want) {
			t.Errorf("%s\ngives %v\nwant  %s", c.text, err, c.want)
		}
	}
}

// TestKindsOfUnited: a kind that comes to contradict a judgement is noted, and
// the judgement stays and can be loaded again.
func TestKindsOfUnited(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		notes := func(want string, texts ...string) {
			t.Helper()
			result := mustLoad(t, store, texts...)
			got := ""
			for _, l := range result.Loads {
				for _, n := range l.Notes {
					got += n.Message + "\n"
				}
			}
			if want == "" && got != "" || !strings.HasPrefix(got, want) || strings.Count(got, "\n") > 1 {
				t.Errorf("%s\ngives %s\nwant  %s", texts, got, want)
			}
		}
		one := func(kind string) string {
			return "dataset: one\nentities: {a: {id: one/a, kind: " + kind + ", name: A}}\n"
		}
		two := func(kind, name string) string {
			return "dataset: two\nentities: {b: {id: two/b, kind: " + kind + ", name: " + name + "}}\n"
		}
		judged := func(reason string) string {
			return "identities:\n  - {same: [one/a, two/b], reason: " + reason + "}\n"
		}
		notes("", one("Person"), two("Undecided", "B"))
		notes("", judged("r"))
		notes("", two("Person", "B"))
		dispute := "one/a is a Person, but two/b is a State, and they are judged to be one entity, which is shown as a Person; correct one of them"
		notes(dispute, two("State", "B"))
		notes("", two("State", "B"))
		notes("", judged("r"))
		notes("", judged("another")) // the ids are united already
		notes(dispute, two("State", "C"))
		notes("one/a is a Group, but two/b is a State", one("Group"))
		notes("", "identities:\n")
		if _, err := load(t, store, loader.Options{}, judged("r")); !strings.Contains(complaints(t, err), "so they cannot be the same") {
			t.Error(err)
		}
		notes("", one("State"))
		notes("", judged("r"))
		notes("", "identities:\n")
		// What is judged before it is there is noted when it comes.
		notes("", "identities: [{same: [two/b, three/c]}]\nabsent: [three/c]\n")
		notes("three/c is a Place, but two/b is a State", "dataset: three\nentities: {c: {id: three/c, kind: Place, name: C}}\n")
		// What is withdrawn may lay bare that kinds differ, or end it.
		notes("", "identities:\n")
		masked := "dataset: first\npriority: 10\nentities: {c: {id: three/c, kind: State, name: C}}\n"
		notes("", masked)
		notes("", judged("r"), "dataset: more\nidentities: [{same: [two/b, three/c]}]\n")
		notes("one/a is a State, but three/c is a Place", "dataset: first\npriority: 10\n")
		// Its export can be loaded all the same, and says what is in dispute.
		all := export(t, store, loader.ExportOptions{Form: loader.JSONLines})
		if !strings.Contains(all.texts["identities"], `"disputed":["three/c"]`) && !strings.Contains(all.texts["more"], `"disputed":["three/c"]`) {
			t.Errorf("%s", all.texts)
		}
		again := every.SQLite(t)
		loadFiles(t, again, loader.Options{}, all.files(t, ".jsonl")...)
		sameExports(t, all, export(t, again, loader.ExportOptions{Form: loader.JSONLines}))
		notes("", "dataset: three\n")
	})
}
