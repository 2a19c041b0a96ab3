package loader_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/google/go-cmp/cmp"
)

// Three data sets that refer to each other in a circle, and a fourth that
// refers to one of them: to entities, a source, an event and relations.
var circle = map[string]string{
	"a.yaml": `dataset: a
entities: {ann: {id: a/ann, kind: Person, name: Ann}}
events: {fair: {id: a/fair, name: Fair, participants: [{entity: b/bo, role: host}, {entity: a/ann}]}}
relations:
  - {id: a/met, type: MET_WITH, source: a/ann, target: b/bo, date: 2024-05-01, event: a/fair, sources: [b/paper]}
  - {id: a/praised, type: PRAISED, source: a/ann, about: [b/visited], date: 2024-05-04}
`,
	"b.yaml": `dataset: b
sources: {paper: {id: b/paper, name: The Paper, published: 2024-05-02}}
entities: {bo: {id: b/bo, kind: Person, name: Bo}}
relations:
  - {id: b/visited, type: VISITED, source: b/bo, target: c/land, date: 2024-05-03, about: [a/met]}
`,
	"c.yaml": `dataset: c
entities: {land: {id: c/land, kind: State, name: Ruritania}}
relations:
  - {id: c/leads, type: LEADS, source: a/ann, target: c/land, date: 2020/..}
`,
	"d.yaml": `dataset: d
relations:
  - {id: d/criticized, type: CONDEMNED, source: c/land, target: a/ann, date: 2024-06-01}
`,
}

// TestOrder: files can be given in any order, and may refer to each other.
func TestOrder(t *testing.T) {
	var want exports
	for _, order := range []string{"abcd", "dcba", "bdac"} {
		t.Run(order, func(t *testing.T) {
			every.Store(t, func(t *testing.T, store graph.Store) {
				var files []string
				for _, c := range order {
					name := string(c) + ".yaml"
					files = append(files, write(t, name, circle[name]))
				}
				result := loadFiles(t, store, loader.Options{}, files...)
				tallies(t, result, map[string]string{
					"a": "1 entities, 1 events, 0 sources, 2 relations created",
					"b": "1 entities, 0 events, 1 sources, 1 relations created",
					"c": "1 entities, 0 events, 0 sources, 1 relations created",
					"d": "0 entities, 0 events, 0 sources, 1 relations created",
				})
				got := export(t, store, loader.ExportOptions{Form: loader.JSONLines})
				if want.texts == nil {
					want = got
				} else {
					sameExports(t, want, got)
				}
				result = loadFiles(t, store, loader.Options{}, files...)
				for _, l := range result.Loads {
					if l.Report.Changes() > 0 || l.Report.Resumed {
						t.Errorf("loaded again: %+v", l.Report)
					}
				}
			})
		})
	}
	t.Run("exports", func(t *testing.T) {
		for _, form := range []loader.ExportForm{loader.JSONLines, loader.YAML} {
			every.Store(t, func(t *testing.T, store graph.Store) {
				files := want.files(t, ".jsonl")
				slices.Reverse(files)
				if form == loader.YAML {
					first := every.SQLite(t)
					loadFiles(t, first, loader.Options{}, files...)
					files = export(t, first, loader.ExportOptions{Form: form}).files(t, ".yaml")
				}
				loadFiles(t, store, loader.Options{}, files...)
				sameExports(t, want, export(t, store, loader.ExportOptions{Form: loader.JSONLines}))
			})
		}
	})
}

// TestOrderOfEditions: files are checked against the editions that come with
// them, and not against those that they replace, whatever the order of the files.
func TestOrderOfEditions(t *testing.T) {
	person := func(dataset, id, kind string) string {
		return fmt.Sprintf("dataset: %s\nentities: {e: {id: %s, kind: %s, name: E}}\n", dataset, id, kind)
	}
	const same = "identities:\n  - same: [sa/a, sb/b]\n"
	const leads = "dataset: ob\nentities: {p: {id: ob/p, kind: Person, name: P}}\nrelations: [{id: ob/leads, type: LEADS, source: ob/p, target: oa/n, date: 2020/..}]\n"
	ends := []string{person("sa", "sa/a", "Person"), person("sb", "sb/b", "Person")}
	for name, c := range map[string]struct {
		before, files []string
		want          string // what is wrong; "" is nothing
	}{
		"a judgement taken back":  {append(ends, same), []string{"dataset: other\nidentities:\n  - different: [sa/a, sb/b]\n", "identities: []\n"}, ""},
		"a judgement that stays":  {append(ends, same), []string{"dataset: other\nidentities:\n  - different: [sa/a, sb/b]\n", "title: T\n" + same}, "contradicts other judgements"},
		"kinds of what is judged": {ends, []string{same, person("sb", "sb/b", "State")}, "so they cannot be the same"},
		"a kind corrected":        {[]string{person("oa", "oa/n", "Person")}, []string{leads, person("oa", "oa/n", "State")}, ""},
		"a kind made wrong":       {[]string{person("oa", "oa/n", "State")}, []string{leads, person("oa", "oa/n", "Person")}, "must be"},
		"withdrawn":               {[]string{person("oa", "oa/n", "State")}, []string{leads, person("oa", "oa/m", "State")}, "will be withdrawn"},
		"the same edition":        {[]string{person("oa", "oa/n", "State")}, []string{leads, person("oa", "oa/n", "State")}, ""},
	} {
		for _, turned := range []bool{false, true} {
			t.Run(fmt.Sprint(name, turned), func(t *testing.T) {
				every.Store(t, func(t *testing.T, store graph.Store) {
					mustLoad(t, store, c.before...)
					files := slices.Clone(c.files)
					if turned {
						slices.Reverse(files)
					}
					_, err := load(t, store, loader.Options{}, files...)
					if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
						t.Errorf("%v, and not %q", err, c.want)
					}
				})
			})
		}
	}
}

// TestOrderInterrupted: a load of data sets that refer to each other which ends
// anywhere is made good by the next, and a dry run writes nothing.
func TestOrderInterrupted(t *testing.T) {
	files := make([]string, 0, len(circle))
	for _, name := range []string{"a.yaml", "b.yaml", "c.yaml", "d.yaml"} {
		files = append(files, write(t, name, circle[name]))
	}
	every.Store(t, func(t *testing.T, store graph.Store) {
		dry := &asking{Store: store}
		result := loadFiles(t, dry, loader.Options{DryRun: true}, files...)
		if len(result.Loads) != 4 || result.Loads[0].Report.Relations.Created != 2 || dry.wrote > 0 {
			t.Errorf("%+v", result.Loads)
		}
	})
	reference := &asking{Store: every.SQLite(t)}
	loadFiles(t, reference, loader.Options{}, files...)
	want := content(t, reference)
	for stop := 1; stop < reference.wrote; stop++ {
		store := every.SQLite(t)
		if _, err := loader.Load(t.Context(), &asking{Store: store, stopAfter: stop}, files, loader.Options{}); err == nil {
			t.Fatalf("stopped after %d batches, and no error", stop)
		}
		loadFiles(t, store, loader.Options{}, files...)
		if diff := cmp.Diff(want, content(t, store)); diff != "" {
			t.Errorf("stopped after %d batches, and loaded again: %s", stop, clipped(diff))
		}
	}
	if reference.wrote < 6 {
		t.Errorf("%d batches are too few to tell", reference.wrote)
	}
}

func tallies(t *testing.T, result *loader.Result, want map[string]string) {
	t.Helper()
	for _, l := range result.Loads {
		r := &l.Report
		got := fmt.Sprintf("%d entities, %d events, %d sources, %d relations created", r.Entities.Created, r.Events.Created, r.Sources.Created, r.Relations.Created)
		if got != want[r.Dataset] || r.Resumed || r.Entities.Unchanged+r.Sources.Unchanged+r.Events.Unchanged+r.Relations.Unchanged > 0 {
			t.Errorf("%s: %+v, want %s", r.Dataset, *r, want[r.Dataset])
		}
	}
	if len(result.Loads) != len(want) {
		t.Errorf("%d editions", len(result.Loads))
	}
}

// TestOrderMistakes: what none of the files has is told once, and the files
// that refer to one with a mistake are not wrong for that.
func TestOrderMistakes(t *testing.T) {
	store := every.SQLite(t)
	a := strings.Replace(circle["a.yaml"], "about: [b/visited]", "target: b/bob", 1)
	var files []string
	for _, f := range []struct{ name, text string }{{"a.yaml", a}, {"b.yaml", circle["b.yaml"]}, {"c.yaml", circle["c.yaml"]}} {
		files = append(files, write(t, f.name, f.text))
	}
	_, err := loader.Load(t.Context(), store, files, loader.Options{})
	got := complaints(t, err)
	if !strings.Contains(got, `there is no entity "b/bob", neither in this file nor in the store`) || strings.Contains(got, "visited") {
		t.Error(got)
	}
	again := write(t, "a.yaml", circle["a.yaml"])
	_, err = loader.Load(t.Context(), store, []string{again, again, files[1], files[2]}, loader.Options{})
	if got := complaints(t, err); strings.Count(got, "\n") != 1 || !strings.Contains(got, "is an edition of data set a too") {
		t.Errorf("a file named twice: %s", got)
	}
	if len(content(t, store)) > 0 {
		t.Error("something was written")
	}
}

// TestOrderOfMany: more references to what comes later than problems are told.
func TestOrderOfMany(t *testing.T) {
	const many = 2500
	var a, b strings.Builder
	a.WriteString(`{"dataset":"a"}` + "\n")
	b.WriteString(`{"dataset":"b"}` + "\n")
	for i := range many {
		fmt.Fprintf(&a, `{"entity":{"id":"a/%d","kind":"Person","name":"A %d"}}`+"\n", i, i)
		fmt.Fprintf(&a, `{"relation":{"id":"a/r%d","type":"PRAISED","source":"a/%d","target":"b/%d"}}`+"\n", i, i, many-1-i)
		fmt.Fprintf(&b, `{"entity":{"id":"b/%d","kind":"Person","name":"B %d"}}`+"\n", i, i)
		fmt.Fprintf(&b, `{"relation":{"id":"b/r%d","type":"PRAISED","source":"b/%d","target":"a/%d"}}`+"\n", i, i, many-1-i)
	}
	every.Store(t, func(t *testing.T, store graph.Store) {
		result := loadFiles(t, store, loader.Options{}, write(t, "a.jsonl", a.String()), write(t, "b.jsonl", b.String()))
		for _, l := range result.Loads {
			if l.Report.Entities.Created != many || l.Report.Relations.Created != many {
				t.Errorf("%+v", l.Report)
			}
		}
	})
	c := write(t, "c.jsonl", strings.Replace(b.String(), `"a/7"`, `"a/x"`, 1))
	_, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "a.jsonl", a.String()), c}, loader.Options{})
	if got := complaints(t, err); strings.Count(got, "\n") > 3 || !strings.Contains(got, `"a/x"`) {
		t.Errorf("%d bytes of problems: %.300s", len(got), got)
	}
}

// TestKindsDecidedLater: a file that could be loaded can be loaded again,
// whatever kinds other data sets have come to state, and so can its export.
func TestKindsDecidedLater(t *testing.T) {
	aa := write(t, "aa.jsonl", `{"dataset":"aa"}
{"entity":{"id":"x/o","kind":"Organization","name":"O"}}
{"entity":{"id":"x/q","kind":"Undecided","name":"Q"}}
{"relation":{"id":"aa/r","type":"CONTROLS","source":"x/o","target":"x/q"}}
`)
	bb := write(t, "bb.jsonl", `{"dataset":"bb"}
{"entity":{"id":"x/q","kind":"Person","name":"Q"}}
`)
	cc := write(t, "cc.yaml", "dataset: cc\nrelations:\n  - {id: cc/r, type: CONTROLS, source: x/o, target: x/q}\n")
	every.Store(t, func(t *testing.T, store graph.Store) {
		loadFiles(t, store, loader.Options{}, aa, cc)
		loadFiles(t, store, loader.Options{}, bb)
		result := loadFiles(t, store, loader.Options{}, cc, aa)
		for i, want := range []int{1, 0} {
			if l := &result.Loads[i]; l.Report.Changes() > 0 || len(l.Notes) != want {
				t.Errorf("%+v", l)
			}
		}
		if note := result.Loads[0].Notes[0].Message; !strings.Contains(note, "the target of CONTROLS cannot be a Person") {
			t.Error(note)
		}
		again := every.SQLite(t)
		loadFiles(t, again, loader.Options{}, aa, bb)
		edited := write(t, "cc.yaml", "dataset: cc\nrelations:\n  - {id: cc/s, type: CONTROLS, source: x/o, target: x/q}\n")
		if _, err := loader.Load(t.Context(), again, []string{edited}, loader.Options{}); !strings.Contains(complaints(t, err), "cc.yaml:3:53: the target of CONTROLS cannot be a Person") {
			t.Error(err)
		}
	})
	// A feed learns too late what an entity is.
	store := every.SQLite(t)
	loadFiles(t, store, loader.Options{}, write(t, "a.json", `{"id":"z","schema":"LegalEntity","properties":{"name":["Zed"]}}
{"id":"own","schema":"Family","properties":{"person":["z"],"relative":["y"]}}
{"id":"y","schema":"Person","properties":{"name":["Y"]}}
`))
	loadFiles(t, store, loader.Options{}, write(t, "b.json", `{"id":"z","schema":"Company","properties":{"name":["Zed"]}}`+"\n"))
	want := export(t, store, loader.ExportOptions{Form: loader.JSONLines})
	again := every.SQLite(t)
	result := loadFiles(t, again, loader.Options{}, want.files(t, ".jsonl")...)
	if notes := result.Loads[0].Notes; len(notes) != 1 || !strings.Contains(notes[0].Message, "the source of RELATED_TO cannot be an Organization") {
		t.Errorf("%q", notes)
	}
	sameExports(t, want, export(t, again, loader.ExportOptions{Form: loader.JSONLines}))
}

// TestDisputedKinds: the export of a data set can be loaded where it came to
// state kinds that do not fit what it had said before.
func TestDisputedKinds(t *testing.T) {
	table := write(t, "t.csv", "no,a,k,b,d\n1,X,u,Y,2001\n2,X,p,Y,\n")
	mapping := write(t, "m.yaml", `mapping: 1
dataset: t
entities:
  a: {id: "t/{a}", kind: {value: "{k}", map: {u: Undecided, p: Place}}, name: "{a}"}
  b: {id: "t/{b}", kind: Person, name: "{b}"}
relations:
  - {when: {column: k, is: u}, id: "{no}", type: MET_WITH, source: b, target: a, date: "{d}"}
`)
	edges := write(t, "edges.json", `{"id":"san","schema":"Sanction","properties":{"authority":["EU"],"entity":["p1","ad1"],"startDate":["2020-01-01"]}}`+"\n")
	ents := write(t, "ents.json", `{"id":"p1","schema":"Person","properties":{"name":["Ann"]}}`+"\n"+`{"id":"ad1","schema":"Address","properties":{"full":["1 Road"]}}`+"\n")
	every.Store(t, func(t *testing.T, store graph.Store) {
		loadFiles(t, store, loader.Options{Mapping: mapping}, table)
		loadFiles(t, store, loader.Options{}, edges)
		loadFiles(t, store, loader.Options{}, ents)
		for _, form := range loader.ExportForms {
			first, again := export(t, store, loader.ExportOptions{Form: form}), every.SQLite(t)
			for dataset, id := range map[string]string{"t": "t/X", "ftm": "ftm/ad1"} {
				if !strings.Contains(first.texts[dataset], "disputed") {
					t.Errorf("%s does not list %s: %s", form, id, first.texts[dataset])
				}
			}
			result := loadFiles(t, again, loader.Options{}, first.files(t, "."+string(form))...)
			if notes := notesOf(result); strings.Count(notes, "a Place") != 2 {
				t.Errorf("notes: %s", notes)
			}
			sameExports(t, first, export(t, again, loader.ExportOptions{Form: form}))
		}
	})
}

// TestSpellingsInAnyOrder: what an actor is called, and what it is part of, does
// not depend on which file came first, nor on how rows are cut into files.
func TestSpellingsInAnyOrder(t *testing.T) {
	icews := func(id, name, sectors string) string {
		return id + "\t2018-06-01\t" + name + "\t" + sectors + "\tNA\tConsult\t040\t1\tCuba\tNA\tCuba\t7\t1\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n"
	}
	polecatHeader, _, _ := strings.Cut(polecatText(t), "\n")
	polecat := func(id, title string) string {
		f := strings.Split(polecatHeader, "\t")
		for i, column := range f {
			f[i] = map[string]string{"Event ID": id, "Event Date": "2023-01-05", "Event Type": "ACCUSE", "Actor Name": "Police", "Actor Country": "FRA",
				"Primary Actor Sector": "COP", "Actor Title": title, "Recipient Name": "B"}[column]
		}
		return strings.Join(f, "\t") + "\n"
	}
	for _, c := range []struct {
		name, header, dataset string
		rows                  []string
		want                  map[string]string // names by id
		partOf                int
	}{
		{"tkg", "", "tkg", []string{"Nicolás Maduro\tConsult\tCuba\t2014-01-01\n", "Nicolas Maduro\tConsult\tCuba\t2014-01-02\n", "NICOLAS MADURO\tConsult\tCuba\t2014-01-01\n"},
			map[string]string{"tkg/nicolas-maduro": "NICOLAS MADURO", "tkg/cuba": "Cuba"}, 0},
		{"icews", icewsHeader, "icews", []string{icews("1", "KOSOVO", "Government"), icews("2", "Kosovo", "NA"), icews("3", "Recep Tayyip Erdoğan", "Elite"), icews("4", "Recep Tayyip Erdogan", "NA")},
			map[string]string{"icews/kosovo": "Kosovo", "icews/recep-tayyip-erdogan": "Recep Tayyip Erdogan"}, 0},
		{"polecat", polecatHeader + "\n", "polecat", []string{polecat("1", ""), polecat("2", "spokesman")},
			map[string]string{"polecat/police-france": "Police (France)"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole := every.SQLite(t)
			loadFiles(t, whole, loader.Options{}, write(t, "all.tab", c.header+strings.Join(c.rows, "")))
			want := export(t, whole, loader.ExportOptions{Form: loader.JSONLines})
			if n := strings.Count(want.texts[c.dataset], `"PART_OF"`); n != c.partOf {
				t.Errorf("%d PART_OF, want %d", n, c.partOf)
			}
			read(t, whole, func(ctx context.Context, tx graph.Reader) {
				nodes, err := tx.Nodes(ctx, slices.Collect(maps.Keys(c.want)), false)
				if err != nil {
					t.Fatal(err)
				}
				for id, name := range c.want {
					if n := nodes[id]; n == nil || n.Name != name {
						t.Errorf("%s: %+v, want %q", id, n, name)
					}
				}
			})
			var files []string
			for i, row := range c.rows {
				files = append(files, write(t, fmt.Sprintf("%d.tab", i), c.header+row))
			}
			every.Store(t, func(t *testing.T, store graph.Store) {
				random := rand.New(rand.NewPCG(1, uint64(len(files))))
				for range 2 {
					random.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
					for _, file := range files {
						loadFiles(t, store, loader.Options{Recheck: true}, file)
					}
					sameExports(t, want, export(t, store, loader.ExportOptions{Form: loader.JSONLines}))
				}
			})
			backwards := every.SQLite(t)
			slices.Sort(files)
			slices.Reverse(files)
			for _, file := range files {
				loadFiles(t, backwards, loader.Options{}, file)
			}
			sameExports(t, want, export(t, backwards, loader.ExportOptions{Form: loader.JSONLines}))
		})
	}
}
