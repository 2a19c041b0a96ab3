package loader_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/google/go-cmp/cmp"
)

// exports are the exports of all data sets of a store.
type exports struct {
	texts map[string]string
	order []*loader.Exported
}

func export(t testing.TB, store graph.Store, o loader.ExportOptions) exports {
	t.Helper()
	out := exports{texts: map[string]string{}}
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		datasets, err := tx.Datasets(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range datasets {
			var text bytes.Buffer
			x, err := loader.ExportDataset(ctx, tx, d, &text, o)
			if err != nil {
				t.Fatalf("%s: %v", d.Name, err)
			}
			out.texts[d.Name] = text.String()
			out.order = append(out.order, x)
		}
	})
	out.order = loader.ExportOrder(out.order)
	return out
}

// files are the exports in the order in which they can be loaded.
func (x exports) files(t testing.TB, ending string) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for _, e := range x.order {
		file := filepath.Join(dir, e.Dataset+ending)
		put(t, file, []byte(x.texts[e.Dataset]))
		files = append(files, file)
	}
	return files
}

// sameExports compares exports, and shows the first line that differs.
func sameExports(t testing.TB, one, other exports) {
	t.Helper()
	want, got := one.texts, other.texts
	for name := range want {
		if want[name] == got[name] {
			continue
		}
		a, b := strings.Split(want[name], "\n"), strings.Split(got[name], "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Errorf("%s, line %d:\n%s\n%s", name, i+1, a[i], b[i])
				break
			}
		}
		if len(a) != len(b) {
			t.Errorf("%s: %d lines, and %d", name, len(a), len(b))
		}
	}
	if len(want) != len(got) {
		t.Errorf("%d data sets, and %d", len(want), len(got))
	}
}

// content is what a data set states, by the hashes of what is said.
func content(t testing.TB, store graph.Store) map[string]graph.Hash {
	t.Helper()
	out := map[string]graph.Hash{}
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		datasets, err := tx.Datasets(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range datasets {
			after := ""
			for {
				held, err := tx.Held(ctx, &graph.HeldQuery{Dataset: d.Name, After: after, Limit: 5000})
				if err != nil {
					t.Fatal(err)
				}
				if len(held.Entries) == 0 {
					break
				}
				for _, e := range held.Entries {
					after = e.ID
					out[d.Name+" "+e.ID] = e.Hash
				}
			}
		}
	})
	return out
}

// loadData loads the files of the folder that CHANCERY_DATA names.
func loadData(t testing.TB, store graph.Store) {
	t.Helper()
	data := os.Getenv("CHANCERY_DATA")
	if data == "" {
		t.Skip("set CHANCERY_DATA to the folder of the data")
	}
	at := func(name ...string) string { return filepath.Join(append([]string{data}, name...)...) }
	loadFiles(t, store, loader.Options{}, "../data/paris-talks-2025.yaml")
	loadFiles(t, store, loader.Options{}, at("icews-raw"))
	loadFiles(t, store, loader.Options{}, at("ftm"))
	loadFiles(t, store, loader.Options{}, at("gdelt", "gdelt1_events_sample.tsv"), at("gdelt", "gdeltpyr_gdelt2_events_sample50.tsv"))
	for mapping, table := range map[string]string{"archigos": "archigos-leaders.csv", "capitals": "capitals.csv", "power-plants": "power-plants.csv.gz"} {
		loadFiles(t, store, loader.Options{Mapping: "../data/mappings/" + mapping + ".yaml"}, at("reference", table))
	}
	if os.Getenv("CHANCERY_SOAK") != "" { // which takes an hour on Neo4j
		loadFiles(t, store, loader.Options{Dataset: "icews14"}, at("icews14"))
		loadFiles(t, store, loader.Options{Dataset: "icews18"}, at("icews18"))
	}
	file := write(t, "identities.yaml", "judge: me\nidentities:\n  - {same: [person/vladimir-putin, icews/vladimir-putin], reason: the same person}\n"+
		"  - {different: [state/france, place/paris]}\n")
	loadFiles(t, store, loader.Options{}, file)
}

// TestExportData: exports of two stores that hold the same are the same, and
// an export that is loaded gives what it was made of.
func TestExportData(t *testing.T) {
	var want exports
	var hashes map[string]graph.Hash
	for _, form := range []loader.ExportForm{loader.JSONLines} {
		t.Run("sqlite", func(t *testing.T) {
			store := every.SQLite(t)
			loadData(t, store)
			hashes = content(t, store)
			want = export(t, store, loader.ExportOptions{Form: form})
		})
		if want.texts == nil {
			return
		}
		t.Run("sqlite again", func(t *testing.T) {
			store := every.SQLite(t)
			loadFiles(t, store, loader.Options{}, want.files(t, ".jsonl")...)
			sameExports(t, want, export(t, store, loader.ExportOptions{Form: form}))
			if diff := cmp.Diff(hashes, content(t, store)); diff != "" {
				t.Error(clipped(diff))
			}
		})
		t.Run("neo4j", func(t *testing.T) {
			store := neo4jtest.Open(t)
			loadData(t, store)
			sameExports(t, want, export(t, store, loader.ExportOptions{Form: form}))
		})
		t.Run("neo4j again", func(t *testing.T) {
			store := neo4jtest.Open(t)
			loadFiles(t, store, loader.Options{}, want.files(t, ".jsonl")...)
			sameExports(t, want, export(t, store, loader.ExportOptions{Form: form}))
			if diff := cmp.Diff(hashes, content(t, store)); diff != "" {
				t.Error(clipped(diff))
			}
		})
	}
}

func clipped(s string) string { return s[:min(len(s), 4000)] }

// TestExportOddCharacters: what feeds may hold can be exported, and loaded
// again.
func TestExportOddCharacters(t *testing.T) {
	odd := `{"id":"a","schema":"Person","properties":{"name":["Bell\u0007 \u0091 \u007f \u0085 \u2028 \u200f \ufeff \ufffe \ud83d\ude00"],"notes":["\u0000x","\u001b[0m"]}}` + "\n" +
		`{"id":"b","schema":"Person","properties":{"name":["Sana` + "\u0091" + `a"]}}` + "\n"
	row := "Ada\tConsult\tSana\u0091a (Yemen)\t2014-01-01\nAda\tConsult\tBea\u0081\t2014-01-01\n"
	for name, text := range map[string]string{"odd.ftm.json": odd, "odd.tsv": row} {
		store := every.SQLite(t)
		loadFiles(t, store, loader.Options{}, write(t, name, text))
		first := export(t, store, loader.ExportOptions{Form: loader.JSONLines})
		for form, ending := range map[loader.ExportForm]string{loader.JSONLines: ".jsonl", loader.JSON: ".json", loader.YAML: ".yaml"} {
			again := every.SQLite(t)
			loadFiles(t, again, loader.Options{}, export(t, store, loader.ExportOptions{Form: form}).files(t, ending)...)
			sameExports(t, first, export(t, again, loader.ExportOptions{Form: loader.JSONLines}))
		}
	}
	row = "Ada\tConsult\tSana\u0091a (Yemen)\t2014-01-01\nAda\tConsult\tBea\u0081\t2014-01-01\n"
	store := every.SQLite(t)
	got := loadFiles(t, store, loader.Options{}, write(t, "f", row)).Loads[0].Rows
	if got.Created != 1 || got.Rejected != 1 {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(export(t, store, loader.ExportOptions{Form: loader.JSONLines}).texts["tkg"], "Sana‘a (Yemen)") {
		t.Error("the apostrophe of Windows is not understood")
	}
}

// TestExportCircle: data sets that refer to each other must be loaded together,
// and a note says so.
func TestExportCircle(t *testing.T) {
	store := every.SQLite(t)
	one := "dataset: one\nentities:\n  a: {id: p/a, kind: Person, name: Anna}\n"
	for _, text := range []string{one, "dataset: two\nentities:\n  b: {id: p/b, kind: Person, name: Bert}\nrelations:\n  - {id: x, type: PRAISED, source: b, target: p/a}\n",
		one + "relations:\n  - {id: y, type: PRAISED, source: a, target: p/b}\n"} {
		loadFiles(t, store, loader.Options{}, write(t, "d.yaml", text))
	}
	var notes []string
	all := export(t, store, loader.ExportOptions{Form: loader.JSONLines})
	for _, x := range all.order {
		notes = append(notes, x.Notes...)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "refer to each other") {
		t.Errorf("%q", notes)
	}
	again := every.SQLite(t)
	loadFiles(t, again, loader.Options{}, all.files(t, ".jsonl")...)
	sameExports(t, all, export(t, again, loader.ExportOptions{Form: loader.JSONLines}))
}
