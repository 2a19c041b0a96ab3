package loader_test

import (
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
)

// besideFeeds refer to entities of feeds, of data sets and of each other.
var besideFeeds = map[string]string{
	"feed.tsv": "Ada_Quill\tConsult\tSweden\t2014-02-27\nCitizen_(Kenya)\tProtest\tSweden\t2014-03-01\n",
	"people.json": `{"id": "Q 1", "schema": "Person", "properties": {"name": ["Ada Quill"]}}
{"id": "s1", "schema": "Sanction", "properties": {"entity": ["Q 1"], "authority": ["The Board"], "startDate": ["2020"]}}
{"id": "o1", "schema": "Ownership", "properties": {"owner": ["Q 1"], "asset": ["only-named"]}}
`,
	"acts.yaml": `dataset: acts
entities: {ada: {id: person/ada, kind: Person, name: Ada Quill}}
relations:
  - {type: MET_WITH, source: tkg/ada-quill, target: ftm/Q%201, date: 2020-01-01}
  - {type: CONDEMNED, source: ftm/authority/the-board, target: tkg/citizen-kenya, date: 2020-01-02}
  - {type: PRAISED, source: person/ada, target: ftm/only-named, date: 2020-01-03}
`,
	"same.yaml": "judge: me\nidentities:\n  - same: [person/ada, tkg/ada-quill, ftm/Q%201]\n",
}

// TestBesideFeeds: data sets and judgements may refer to entities of feeds that are
// loaded with them, in whatever order their files are given.
func TestBesideFeeds(t *testing.T) {
	paths := func(t *testing.T, names ...string) (files []string) {
		for _, name := range names {
			files = append(files, write(t, name, besideFeeds[name]))
		}
		return files
	}
	orders := [][]string{{"feed.tsv", "people.json", "acts.yaml", "same.yaml"}, {"same.yaml", "acts.yaml", "people.json", "feed.tsv"}}
	for _, order := range orders {
		every.Store(t, func(t *testing.T, store graph.Store) {
			if n := loadFiles(t, store, loader.Options{DryRun: true}, paths(t, order...)...).Changes(); n == 0 {
				t.Error("nothing would change")
			}
			tallies(t, loadFiles(t, store, loader.Options{}, paths(t, order...)...), map[string]string{
				"tkg": "4 entities, 1 events, 0 sources, 3 relations created", "ftm": "3 entities, 0 events, 0 sources, 2 relations created",
				"acts": "1 entities, 0 events, 0 sources, 3 relations created", "identities": "0 entities, 0 events, 0 sources, 0 relations created",
			})
			if got := canonicalOf(t, store, "tkg/ada-quill"); got != "person/ada" {
				t.Errorf("%q stands for Ada Quill", got)
			}
			for _, order := range orders {
				if n := loadFiles(t, store, loader.Options{}, paths(t, order...)...).Changes(); n != 0 {
					t.Errorf("loaded again, %d things changed", n)
				}
			}
			// What a whole edition of the feed no longer holds cannot be referred to.
			fewer := write(t, "fewer.tsv", "Citizen_(Kenya)\tProtest\tSweden\t2014-03-01\n")
			for _, files := range [][]string{{fewer, paths(t, "acts.yaml")[0]}, {paths(t, "acts.yaml")[0], fewer}} {
				_, err := loader.Load(t.Context(), store, files, loader.Options{Edition: loader.EditionWhole})
				if want := "acts.yaml:4:30: tkg/ada-quill will be withdrawn by the new edition of data set tkg"; !strings.Contains(complaints(t, err), want) {
					t.Errorf("%v: %v, not %s", files, err, want)
				}
			}
		})
	}
}

// TestBesideFeedsWrong: slips are found as they are without feeds, and nothing is
// written.
func TestBesideFeedsWrong(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"dataset: d\nrelations:\n  - {type: MET_WITH, source: tkg/ada-quil, target: ftm/Q%201, date: 2020}\n", `d.yaml:3:30: there is no entity "tkg/ada-quil"`},
		{"dataset: d\nrelations:\n  - {type: MET_WITH, source: tkg/ada-quill, target: ftm/s1, date: 2020}\n", `d.yaml:3:53: there is no entity "ftm/s1"`},
		{"dataset: d\nrelations:\n  - {type: MET_WITH, source: tkg/ada-quill, target: ftm/Q 1, date: 2020}\n", "d.yaml:3:53: "},
		{"dataset: d\nrelations:\n  - {type: ENVOY_OF, source: tkg/sweden, target: tkg/ada-quill, date: 2020}\n", "d.yaml:3:30: "},
		{"identities:\n  - same: [tkg/ada-quill, ftm/nobody]\n", `d.yaml:2:27: there is no entity "ftm/nobody"`},
		{"identities:\n  - same: [tkg/sweden, ftm/Q%201]\n", "d.yaml:2:24: "},
	} {
		every.Store(t, func(t *testing.T, store graph.Store) {
			files := []string{write(t, "d.yaml", c.text), write(t, "feed.tsv", besideFeeds["feed.tsv"]), write(t, "people.json", besideFeeds["people.json"])}
			_, err := loader.Load(t.Context(), store, files, loader.Options{})
			if !strings.Contains(complaints(t, err), c.want) {
				t.Errorf("%s\ngives %v\nwant  %s", c.text, err, c.want)
			}
			if got := canonicalOf(t, store, "tkg/sweden"); got != "" {
				t.Errorf("%s is there", got)
			}
		})
	}
}

// canonicalOf is the id that stands for a node; "" where there is none.
func canonicalOf(t *testing.T, store graph.Store, id string) (canonical string) {
	t.Helper()
	err := store.Read(t.Context(), func(tx graph.Reader) error {
		nodes, err := tx.Nodes(t.Context(), []string{id}, false)
		if n := nodes[id]; n != nil {
			canonical = n.Canonical
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return canonical
}
