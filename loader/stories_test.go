package loader_test

import (
	"slices"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
)

// TestStories: what rows say of one story is joined, in whatever order they come,
// and however far apart.
func TestStories(t *testing.T) {
	polecatHeader, _, _ := strings.Cut(polecatText(t), "\n")
	polecatRow := func(key, target, publisher, day, people string) string {
		f := strings.Split(polecatHeader, "\t")
		for i, column := range f {
			f[i] = map[string]string{"Event ID": key, "Event Date": "2023-01-01", "Event Type": "CONSULT", "Actor Name": "A", "Recipient Name": target,
				"Source": publisher, "Publication Date": day, "Story People": people}[column]
		}
		return strings.Join(f, "\t") + "\n"
	}
	icewsRow := func(id, story, publisher string) string {
		return id + "\t2018-06-01\tP\tNA\tNA\tConsult\t040\t1\tQ\tNA\tNA\t" + story + "\t1\t" + publisher + "\tNA\tNA\tNA\tNA\tNA\tNA\n"
	}
	for dataset, c := range map[string]struct {
		header string
		rows   []string
		id     string
		want   graph.Content
	}{
		"icews": {icewsHeader, []string{icewsRow("1", "5", "NA"), icewsRow("2", "6", "Other"), icewsRow("3", "5", "Reuters"), icewsRow("4", "5", "NA")}, "icews/story/5",
			graph.Content{Name: "Story 5", Publisher: "Reuters"}},
		"polecat": {polecatHeader + "\n", []string{polecatRow("st9_1", "B", "", "", "Cid; Ann"), polecatRow("st9_2", "C", "TASS", "", "Bob"), polecatRow("st9_3", "D", "", "2023-01-05", "")},
			"polecat/story/st9", graph.Content{Name: "Story st9", Publisher: "TASS", Date: graph.Date{EDTF: "2023-01-05"},
				Properties: []graph.Property{{Name: "storyPeople", Value: "Ann"}, {Name: "storyPeople", Value: "Bob"}, {Name: "storyPeople", Value: "Cid"}}}},
	} {
		for turn := range c.rows {
			rows := slices.Concat(c.rows[turn:], c.rows[:turn])
			for _, o := range []loader.Options{{}, {BatchSize: 1}, {BatchSize: 1, Edition: loader.EditionWhole}} {
				store := every.SQLite(t)
				file := write(t, "f", c.header+strings.Join(rows, ""))
				loadFiles(t, store, o, file)
				state, err := loadertest.ReadState(t.Context(), store, dataset)
				if err != nil {
					t.Fatal(err)
				}
				n := state.Nodes[c.id]
				got := graph.Content{Name: n.Name, Publisher: n.Publisher, Date: graph.Date{EDTF: n.Date.EDTF}, Properties: n.Properties}
				if diff := cmp.Diff(c.want, got); diff != "" || len(state.Statements[c.id]) != 1 {
					t.Errorf("%s from row %d, %+v: %d versions, %s", dataset, turn, o, len(state.Statements[c.id]), diff)
				}
				o.Recheck = true
				if again := loadFiles(t, store, o, file); again.Changes() != 0 {
					t.Errorf("%s from row %d, %+v: the second load changed %d things", dataset, turn, o, again.Changes())
				}
			}
			// Each row in a file of its own.
			store := every.SQLite(t)
			for _, row := range rows {
				loadFiles(t, store, loader.Options{}, write(t, "f", c.header+row))
			}
			state, err := loadertest.ReadState(t.Context(), store, dataset)
			if err != nil {
				t.Fatal(err)
			}
			if n := state.Nodes[c.id]; n.Name != c.want.Name || n.Publisher != c.want.Publisher || n.Date.EDTF != c.want.Date.EDTF || len(n.Properties) != len(c.want.Properties) {
				t.Errorf("%s from row %d, in files: %+v", dataset, turn, n)
			}
		}
	}
}

// TestStoriesContradicting: of what a story has one of, the later row counts, in one
// file as from one file to the next, and what is left out says nothing.
func TestStoriesContradicting(t *testing.T) {
	row := func(id, source, publisher string) string {
		return id + "\t2018-06-01\t" + source + "\tNA\tNA\tConsult\t040\t1\tQ\tNA\tNA\t5\t1\t" + publisher + "\tNA\tNA\tNA\tNA\tNA\tNA\n"
	}
	rows := []string{row("1", "P", "Xinhua"), row("2", "P", "TASS"), row("1", "P", "Reuters"), row("3", "Gone", "Lost")}
	for name, o := range map[string]loader.Options{"one": {}, "several": {BatchSize: 1}} {
		store := every.SQLite(t)
		loadFiles(t, store, loader.Options{}, write(t, "f", icewsHeader+strings.ReplaceAll(rows[3], "\t5\t", "\t6\t")))
		forget(t, store, "icews/gone")
		loadFiles(t, store, o, write(t, "f", icewsHeader+strings.Join(rows, "")))
		state, err := loadertest.ReadState(t.Context(), store, "icews")
		if err != nil {
			t.Fatal(err)
		}
		if n := state.Nodes["icews/story/5"]; n.Publisher != "Reuters" {
			t.Errorf("%s: %+v", name, n)
		}
	}
}
