package loader_test

import (
	"context"
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
		members := func() (ids []string) {
			t.Helper()
			if err := store.Read(t.Context(), func(tx graph.Reader) error {
				ids = tx.Identities().Members("two/lee")
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return ids
		}
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
		} {
			result := mustLoad(t, store, c.text)
			if got := result.Loads[0].Judgements; got != c.want || result.Loads[0].Dataset != "identities" {
				t.Errorf("load %d: %+v, want %+v", i, got, c.want)
			}
			if got := strings.Join(members(), " "); got != c.members {
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
			read(t, store, func(ctx context.Context, tx graph.Reader) {
				held, err := tx.Held(ctx, &graph.HeldQuery{Identity: true})
				if err != nil {
					t.Fatal(err)
				}
				if members := held.Identities.Members("p/b"); len(members) != 2 {
					t.Errorf("%q", members)
				}
			})
		}
	})
}
