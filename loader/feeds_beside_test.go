package loader_test

import (
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest"
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
			if got := nodeOf(t, store, "tkg/ada-quill").Canonical; got != "person/ada" {
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
			if got := nodeOf(t, store, "tkg/sweden").Canonical; got != "" {
				t.Errorf("%s is there", got)
			}
		})
	}
}

// TestBesideFeedsAgain: what a whole edition of a feed still states can be referred to,
// whatever its id is like, and what it states again is not said to be gone.
func TestBesideFeedsAgain(t *testing.T) {
	long := strings.Repeat("п", 60) // whose like in the record is cut off
	person := func(id string) string {
		return `{"id": "` + id + `", "schema": "Person", "properties": {"name": ["Ada Quill"]}}` + "\n"
	}
	sanction := `{"id": "s", "schema": "Sanction", "properties": {"entity": ["q"], "startDate": ["2020"]}}` + "\n"
	owner := `{"id": "o", "schema": "Ownership", "properties": {"owner": ["q"], "asset": ["` + long + `x"]}}` + "\n"
	every.Store(t, func(t *testing.T, store graph.Store) {
		whole := loader.Options{Edition: loader.EditionWhole}
		loadFiles(t, store, loader.Options{}, write(t, "a.json", person(long)+person("q")+sanction+owner))
		var cut []string
		err := store.Read(t.Context(), func(tx graph.Reader) error {
			held, err := tx.Held(t.Context(), &graph.HeldQuery{Dataset: "ftm", Limit: 100})
			for _, e := range held.Entries {
				if strings.Contains(e.ID, "~") {
					cut = append(cut, e.ID)
				}
			}
			return err
		})
		if err != nil || len(cut) != 2 {
			t.Fatalf("%d ids are cut off, %v", len(cut), err)
		}
		acts := "dataset: acts\nrelations:\n  - {type: PRAISED, source: ftm/q, target: " + cut[0] + ", date: 2020}\n" +
			"  - {type: PRAISED, source: ftm/q, target: " + cut[1] + ", date: 2020}\n" +
			"  - {type: PRAISED, source: ftm/q, target: group/unattributed, date: 2020}\n"
		loadFiles(t, store, whole, write(t, "b.json", person(long)+person("q")+sanction+owner+person("more")), write(t, "acts.yaml", acts))
		loadFiles(t, store, whole, write(t, "acts.yaml", acts+"  - {type: PRAISED, source: ftm/q, target: ftm/more, date: 2021}\n"), write(t, "c.json", person(long)+person("q")+sanction+owner+person("more")+person("again")))
		// A judgement on what was withdrawn, and is brought back beside it.
		loadFiles(t, store, whole, write(t, "f.tsv", besideFeeds["feed.tsv"]))
		loadFiles(t, store, whole, write(t, "f.tsv", "Citizen_(Kenya)\tProtest\tSweden\t2014-03-01\n"))
		for _, names := range [][2]string{{"same.yaml", "f.tsv"}, {"f.tsv", "same.yaml"}} {
			texts := map[string]string{"f.tsv": besideFeeds["feed.tsv"], "same.yaml": "identities:\n  - same: [ftm/q, tkg/ada-quill]\n"}
			options := whole
			options.DryRun = true
			for _, l := range loadFiles(t, store, options, write(t, names[0], texts[names[0]]), write(t, names[1], texts[names[1]])).Loads {
				for _, note := range l.Notes {
					t.Errorf("%s: %s", names, note.Message)
				}
			}
		}
	})
}

// TestBesideFeedsKinds: of several files of a feed, the last one that is decided says
// what an entity is, as it will once they are loaded.
func TestBesideFeedsKinds(t *testing.T) {
	row := func(schema string) string {
		return `{"id": "z", "schema": "` + schema + `", "properties": {"name": ["Zed"]}}` + "\n"
	}
	const envoy = "dataset: k\nentities: {s: {id: state/s, kind: State, name: S}}\nrelations:\n  - {type: ENVOY_OF, source: ftm/z, target: s, date: 2020/..}\n"
	for _, c := range []struct {
		stored, files string // the first letters of schemata, in order
		right         bool
	}{
		{"", "PC", false}, {"", "CP", true}, {"", "PL", true}, {"P", "C", false}, {"C", "P", true}, {"P", "L", true},
	} {
		every.Store(t, func(t *testing.T, store graph.Store) {
			schemata := map[rune]string{'P': "Person", 'C': "Company", 'L': "LegalEntity"}
			for _, s := range c.stored {
				loadFiles(t, store, loader.Options{}, write(t, "stored.json", row(schemata[s])))
			}
			files := []string{write(t, "k.yaml", envoy)}
			for i, s := range c.files {
				files = append(files, write(t, string(rune('a'+i))+".json", row(schemata[s])))
			}
			_, err := loader.Load(t.Context(), store, files, loader.Options{})
			if got := complaints(t, err); c.right != (got == "") || !c.right && !strings.Contains(got, "the source of ENVOY_OF cannot be an Organization") {
				t.Errorf("%+v: %s", c, got)
			}
		})
	}
}

// TestBesideFeedsTaken: an id that a feed gives to an entity cannot be that of something
// else, in whatever order the files are given; nothing is written then.
func TestBesideFeedsTaken(t *testing.T) {
	for _, text := range []string{
		"dataset: c\nsources: {sw: {id: tkg/sweden, name: Sverige}}\n",
		"dataset: c\nentities: {a: {kind: Person, name: A}, b: {kind: Person, name: B}}\nrelations:\n  - {id: tkg/sweden, type: PRAISED, source: a, target: b}\n",
	} {
		for _, turned := range []bool{false, true} {
			every.Store(t, func(t *testing.T, store graph.Store) {
				files := []string{write(t, "c.yaml", text), write(t, "feed.tsv", besideFeeds["feed.tsv"])}
				if turned {
					files[0], files[1] = files[1], files[0]
				}
				result, err := loader.Load(t.Context(), store, files, loader.Options{})
				if got := complaints(t, err); !strings.Contains(got, "the id tkg/sweden belongs to an entity") || result.Began {
					t.Errorf("%s\ngives %v", text, err)
				}
			})
		}
	}
}

// TestBesideFeedsUnread: of ids that a feed may have that cannot be loaded, nothing is
// said but that.
func TestBesideFeedsUnread(t *testing.T) {
	feed := write(t, "feed.tsv", besideFeeds["feed.tsv"]+"bad row\n")
	none := 0
	for _, text := range []string{
		"dataset: d\nentities: {a: {kind: Person, name: A}}\nrelations:\n  - {type: PRAISED, source: tkg/ada-quill, target: a}\n  - {type: PRAISED, source: other/x, target: a}\n",
		"identities:\n  - same: [tkg/ada-quill, tkg/sweden]\n  - same: [tkg/sweden, other/x]\n",
	} {
		store := storetest.NewOracle()
		_, err := loader.Load(t.Context(), store, []string{write(t, "d.yaml", text), feed}, loader.Options{MaxRejects: &none})
		if got := complaints(t, err); strings.Contains(got, "tkg/") || !strings.Contains(got, `there is no entity "other/x"`) || !strings.Contains(got, "more than 0 rows are bad") {
			t.Error(got)
		}
	}
}
