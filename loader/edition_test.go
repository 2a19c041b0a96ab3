package loader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
)

// ftmDownload is a file in which some things change from one to the next.
func ftmDownload(name, birth, role string) string {
	return fmt.Sprintf(`{"id":"p-1","schema":"Person","properties":{"name":[%q],"birthDate":[%q],"country":["no"]}}
{"id":"c-1","schema":"Company","properties":{"name":["Fjord AS"]}}
{"id":"d-1","schema":"Directorship","properties":{"director":["p-1"],"organization":["c-1"],"startDate":["2001"],"role":[%q]}}
`, name, birth, role)
}

// TestIncrementCorrects: of single values the newest file's count, of entities
// as of relations, and loading the same files again changes nothing.
func TestIncrementCorrects(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		a := write(t, "a.ftm.json", ftmDownload("Ada Lundt", "1950", "chair"))
		b := write(t, "b.ftm.json", ftmDownload("Ada Lund", "1951-02-03", "chairwoman"))
		loadFiles(t, store, loader.Options{}, a)
		got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, b))
		if want := (loader.Rows{Read: 3, Changed: 2, Unchanged: 1}); !cmp.Equal(want, got) {
			t.Fatalf("%+v", got)
		}
		state := func() loadertest.State {
			s, err := loadertest.ReadState(t.Context(), store, "ftm")
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		after := state()
		n := after.Nodes["ftm/p-1"]
		if n == nil || n.Name != "Ada Lund" || n.Date.EDTF != "1951-02-03/" && n.Date.EDTF != "1951-02-03/.." || !cmp.Equal(n.Aliases, []string{"Ada Lundt"}) {
			t.Errorf("%+v", n)
		}
		if versions := after.Statements["ftm/p-1"]; len(versions) != 2 || versions[0].Content.Name != "Ada Lundt" || versions[0].SupersededAt != versions[1].RecordedAt {
			t.Errorf("%+v", versions)
		}
		for id, versions := range after.Versions {
			if len(versions) != 2 {
				t.Errorf("%s has %d versions", id, len(versions))
			}
		}
		for _, again := range [][]string{{a}, {b}, {a, b}, {b, a}, {a}, {a}} {
			if result := loadFiles(t, store, loader.Options{}, again...); result.Changes() != 0 {
				t.Errorf("%v changed %d things", again, result.Changes())
			}
		}
		got2 := state()
		got2.Dataset = after.Dataset // the input loaded last differs
		if diff := cmp.Diff(after, got2); diff != "" {
			t.Error(diff)
		}
		// A new file that says again what the first one said is news.
		c := write(t, "c.ftm.json", "\n"+ftmDownload("Ada Lundt", "1950", "chair"))
		if got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, c)); got.Changed != 2 {
			t.Errorf("%+v", got)
		}
	})
}

// TestSaidTwice: a statement that is odd in itself is not changed by being
// loaded twice.
func TestSaidTwice(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		date, err := graph.ResolveDate("2001/..", graph.Standing, graph.Stated, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		odd := graph.Content{Form: graph.FormEntity, Kind: graph.KindPerson, Name: "Ada", Aliases: []string{"Ada", "A.", "A."}, Date: date,
			ExternalIDs: []graph.ExternalID{{Scheme: "x", Value: "1"}, {Scheme: "x", Value: "1"}},
			Properties:  []graph.Property{{Name: "p", Value: "1"}, {Name: "p", Value: "1"}}}
		for i, input := range []graph.Hash{{1}, {1}, {2}, {1}} {
			file := []graph.Statement{{ID: "d/ada", Content: odd}}
			if i == 2 { // says less: its open end is the one that stands
				file[0].Content = graph.Content{Form: graph.FormEntity, Kind: graph.KindUndecided, Name: "Ada"}
			}
			report := recordAs(t, store, graph.Edition{Dataset: "d", Input: input}, file)
			if want := (graph.Tally{Unchanged: 1}); i > 0 && report.Entities != want {
				t.Errorf("load %d: %+v", i+1, report.Entities)
			}
		}
	})
}

func recordAs(t *testing.T, store graph.Store, e graph.Edition, statements []graph.Statement) *graph.Report {
	t.Helper()
	now := clockFrom(1_700_000_000)
	r, err := graph.NewRecorder(t.Context(), store, e, graph.RecorderOptions{Now: now, Holder: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Abort(t.Context())
	if err := r.Record(t.Context(), statements, nil, graph.Counts{}); err != nil {
		t.Fatal(err)
	}
	report, err := r.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func tkgRows(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "Actor %d\tConsult\tActor %d\t2014-01-%02d\n", i, i+1, 1+i%28)
	}
	return b.String()
}

// TestWholeEdition: what a whole edition no longer holds is withdrawn, and all
// files of a feed that are loaded at once are one.
func TestWholeEdition(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		whole := loader.Options{Edition: loader.EditionWhole}
		dir := t.TempDir()
		one, two := filepath.Join(dir, "1.tsv"), filepath.Join(dir, "2.tsv")
		put(t, one, []byte(tkgRows(0, 20)))
		put(t, two, []byte(tkgRows(10, 30)+"no row\n"))
		loadFiles(t, store, loader.Options{}, write(t, "before.tsv", tkgRows(25, 40)))
		result := loadFiles(t, store, whole, dir)
		got := rowsAddUp(t, result)
		if want := (loader.Rows{Read: 41, Created: 25, Unchanged: 5, Duplicate: 10, Rejected: 1}); !cmp.Equal(want, got) {
			t.Errorf("%+v", got)
		}
		if len(result.Loads) != 1 || result.Loads[0].Relations.Withdrawn != 10 || result.Loads[0].Entities.Withdrawn != 10 {
			t.Errorf("%+v", result.Loads)
		}
		if notes := result.Loads[0].Notes; len(notes) != 2 || notes[0].File != two || notes[0].Line != 21 || !strings.Contains(notes[1].Message, "rows that are rejected: 1;") {
			t.Errorf("%+v", notes)
		}
		if again := loadFiles(t, store, whole, dir); again.Changes() != 0 {
			t.Errorf("%d changes by the second load", again.Changes())
		}
		if less := loadFiles(t, store, whole, one); less.Loads[0].Relations.Withdrawn != 10 || less.Loads[0].Relations.Unchanged != 20 {
			t.Errorf("%+v", less.Loads[0])
		}
		if more := loadFiles(t, store, loader.Options{}, two); more.Loads[0].Relations.Created != 10 || more.Loads[0].Relations.Withdrawn != 0 {
			t.Errorf("%+v", more.Loads[0])
		}
	})
}

// TestWholeFTM: what only relations name is still there after a second whole edition.
func TestWholeFTM(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		text := ftmDownload("Ada", "1950", "chair") + `{"id":"d-2","schema":"Directorship","properties":{"director":["p-9"],"organization":["c-1"]}}` + "\n"
		whole := loader.Options{Edition: loader.EditionWhole}
		loadFiles(t, store, whole, write(t, "a.ftm.json", text))
		got := loadFiles(t, store, whole, write(t, "b.ftm.json", strings.Replace(text, "1950", "1952", 1)))
		if l := got.Loads[0]; l.Entities != (graph.Tally{Changed: 1, Unchanged: 2}) || l.Relations != (graph.Tally{Unchanged: 2}) {
			t.Errorf("%+v", l.Report)
		}
	})
}

// TestEditionRefused: what cannot be is said before anything is written.
func TestEditionRefused(t *testing.T) {
	store := every.SQLite(t)
	table := write(t, "t.csv", "a,b\nx,y\n")
	other := write(t, "u.csv", "a,b\nv,w\n")
	mapping := write(t, "m.yaml", "mapping: 1\ndataset: d\nentities:\n  a: {id: \"{a|slug}\", kind: Person, name: \"{a}\"}\n")
	feed := write(t, "f.tsv", tkgRows(0, 3))
	event := write(t, "e.tab", icewsText)
	for _, c := range []struct {
		o     loader.Options
		files []string
		want  string
	}{
		{loader.Options{Edition: loader.EditionWhole, Mapping: mapping}, []string{table, other}, "is a whole edition of data set d too"},
		{loader.Options{Edition: loader.EditionWhole, Dataset: "x"}, []string{feed, event}, "is a whole edition of data set x too"},
		{loader.Options{Edition: loader.EditionIncrement}, []string{write(t, "d.yaml", "dataset: d\n")}, "always all of its data set"},
		{loader.Options{Edition: loader.EditionIncrement}, []string{write(t, "i.yaml", "identities: []\n")}, "always all of its data set"},
		{loader.Options{Edition: "half"}, []string{feed}, "an edition is whole or increment"},
	} {
		if _, err := loader.Load(t.Context(), store, c.files, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.files, err)
		}
	}
	if s := dump(t, store); len(s.Nodes) != 0 {
		t.Errorf("%d nodes were written", len(s.Nodes))
	}
	// The command's word counts more than the mapping's.
	loadFiles(t, store, loader.Options{Mapping: mapping}, table)
	got := loadFiles(t, store, loader.Options{Mapping: mapping, Edition: loader.EditionWhole}, other)
	if got.Loads[0].Entities.Withdrawn != 1 {
		t.Errorf("%+v", got.Loads[0])
	}
}

// asking counts what a load asks of a store and writes to it.
type asking struct {
	graph.Store
	asked, wrote int
	stopAfter    int // batches
}

var errEnough = errors.New("enough")

func (s *asking) Read(ctx context.Context, fn func(graph.Reader) error) error {
	return s.Store.Read(ctx, func(tx graph.Reader) error { return fn(askingReader{tx, s}) })
}

func (s *asking) Apply(ctx context.Context, b *graph.Batch) error {
	if s.wrote++; s.stopAfter > 0 && s.wrote > s.stopAfter {
		return errEnough
	}
	return s.Store.Apply(ctx, b)
}

type askingReader struct {
	graph.Reader
	s *asking
}

func (r askingReader) Held(ctx context.Context, q *graph.HeldQuery) (*graph.Held, error) {
	r.s.asked += len(q.Nodes) + len(q.Relations)
	return r.Reader.Held(ctx, q)
}

// TestResumed: a load that goes on asks nothing of what was written, its counts
// add up, and the state is that of one undisturbed load, whichever file of
// several it was stopped in.
func TestResumed(t *testing.T) {
	dir := t.TempDir()
	rows := func(from, to int) []byte {
		var b bytes.Buffer
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "Actor %d\tConsult\tActor %d\t%d-01-%02d\n", i%50, 50+i/50%40, 1900+i/2000, 1+i%28)
		}
		return b.Bytes()
	}
	put(t, filepath.Join(dir, "1.tsv"), rows(0, 400))
	put(t, filepath.Join(dir, "2.tsv"), rows(200, 2_700))
	for _, edition := range []string{loader.EditionIncrement, loader.EditionWhole} {
		t.Run(edition, func(t *testing.T) {
			o := loader.Options{Edition: edition, BatchSize: 1_000}
			reference := &asking{Store: every.SQLite(t)}
			loadFiles(t, reference, o, dir)
			want := datasetState(t, reference, "tkg")
			every.Store(t, func(t *testing.T, store graph.Store) {
				first := &asking{Store: store, stopAfter: reference.wrote - 2}
				if _, err := loader.Load(t.Context(), first, []string{dir}, o); !errors.Is(err, errEnough) {
					t.Fatal(err)
				}
				rest := &asking{Store: store}
				result := loadFiles(t, rest, o, dir)
				got := rowsAddUp(t, result)
				last := result.Loads[len(result.Loads)-1]
				if !last.Resumed || got.Read != 2_900 || last.Rows.Created == 0 || last.Rows.Created > 1_000 {
					t.Errorf("%+v, %+v", got, last.Report)
				}
				// Of the input in which it was stopped, only the end is looked up.
				if edition == loader.EditionIncrement && rest.asked > 3*first.asked/4 ||
					edition == loader.EditionWhole && rest.asked > 2_400 {
					t.Errorf("the second load asked for %d things, the first one for %d", rest.asked, first.asked)
				}
				if diff := want.Diff(datasetState(t, store, "tkg")); diff != "" {
					t.Errorf("the state is not that of an undisturbed load: %s", diff)
				}
			})
		})
	}
}

func datasetState(t *testing.T, store graph.Store, dataset string) loadertest.State {
	t.Helper()
	s, err := loadertest.ReadState(t.Context(), store, dataset)
	if err != nil {
		t.Fatal(err)
	}
	return s.WithoutMoments()
}

// clockFrom is a clock that goes on by a second each time it is read.
func clockFrom(seconds int64) func() time.Time {
	return func() time.Time {
		seconds++
		return time.Unix(seconds, 0)
	}
}

// TestWholeInterrupted: when a whole edition was interrupted after it had
// withdrawn things, files that were loaded before bring them back.
func TestWholeInterrupted(t *testing.T) {
	rows := func(from, to int) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "Actor %d\tConsult\tActor %d\t%d-01-%02d\n", i%50, 50+i/50%40, 1900+i/2000, 1+i%28)
		}
		return b.String()
	}
	one, other := write(t, "one.tsv", rows(0, 1_200)), write(t, "other.tsv", rows(1_100, 1_300))
	every.Store(t, func(t *testing.T, store graph.Store) {
		o := loader.Options{BatchSize: 1_000}
		loadFiles(t, store, o, one)
		want := content(t, store)
		stopped := &asking{Store: store, stopAfter: 3} // behind the first that are withdrawn
		if _, err := loader.Load(t.Context(), stopped, []string{other}, loader.Options{Edition: loader.EditionWhole, BatchSize: o.BatchSize}); !errors.Is(err, errEnough) {
			t.Fatal(err)
		}
		lost := 0
		left := content(t, store)
		for id := range want {
			if _, ok := left[id]; !ok {
				lost++
			}
		}
		if lost == 0 {
			t.Fatal("nothing was withdrawn before it was stopped")
		}
		loadFiles(t, store, o, one)
		got := content(t, store)
		for id, hash := range want {
			if got[id] != hash {
				t.Fatalf("%s was not brought back", id)
			}
		}
	})
}
