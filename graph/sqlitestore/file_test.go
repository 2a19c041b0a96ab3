package sqlitestore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/graph"

	"github.com/google/go-cmp/cmp"
)

// TestForeignFileStays: a file that is refused is not changed.
func TestForeignFileStays(t *testing.T) {
	for name, statements := range map[string][]string{
		"tables":  {"CREATE TABLE t (x)"},
		"id":      {"PRAGMA application_id = 7"},
		"version": {"PRAGMA user_version = 3"},
		"newer":   {"CREATE TABLE t (x)", fmt.Sprint("PRAGMA application_id = ", applicationID), "PRAGMA user_version = 99"},
	} {
		t.Run(name, func(t *testing.T) {
			path := database(t)
			db, err := sql.Open("sqlite", (&Store{path: path}).dsn("rwc", "deferred"))
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range statements {
				if _, err := db.Exec(text); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := graph.ErrForeignStore
			if name == "newer" {
				want = graph.ErrNewerStore
			}
			if _, err := Open(t.Context(), path); !errors.Is(err, want) {
				t.Errorf("got %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

// TestOpenAtOnce has a new file opened by many at the same time.
func TestOpenAtOnce(t *testing.T) {
	path := database(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Lease(t.Context(), graph.LeaseRequest{Token: "a", Until: 1}); err != nil {
				t.Error(err)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestReadOnly(t *testing.T) {
	path := database(t)
	if _, err := Open(t.Context(), path, Options{ReadOnly: true}); !errors.Is(err, graph.ErrUnavailable) {
		t.Errorf("a file that is not there: %v", err)
	}
	apply(t, open(t, path), random(10, 5, 1))
	s, err := Open(t.Context(), path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(list(t, s, &graph.RelationQuery{Anchor: graph.AnchorNone, Limit: 100})[0].Rows); n != 10 {
		t.Errorf("%d relations", n)
	}
	if err := s.Apply(t.Context(), &graph.Batch{}); !errors.Is(err, graph.ErrUnavailable) {
		t.Errorf("writing: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Read(t.Context(), func(graph.Reader) error { return nil }); !errors.Is(err, graph.ErrUnavailable) {
		t.Errorf("a closed store: %v", err)
	}
}

// TestLocked: waiting for another writer ends with the context.
func TestLocked(t *testing.T) {
	path := database(t)
	s, other := open(t, path), open(t, path)
	tx, err := other.writer.Begin()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Lease(ctx, graph.LeaseRequest{Token: "a"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	// Those who read, and those who only open the file, need not wait.
	_ = list(t, open(t, path), &graph.RelationQuery{Anchor: graph.AnchorNone, Count: true})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lease(t.Context(), graph.LeaseRequest{Token: "a", Until: 1}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	s := open(t, database(t))
	if _, err := s.writer.Exec("PRAGMA max_page_count = 60"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lease(t.Context(), graph.LeaseRequest{Token: "token", Until: 1 << 60}); err != nil {
		t.Fatal(err)
	}
	b := random(5000, 10, 1)
	b.Lease = "token"
	err := s.Apply(t.Context(), b)
	if !errors.Is(err, graph.ErrUnavailable) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
	if n := list(t, s, &graph.RelationQuery{Anchor: graph.AnchorNone, Count: true})[0].Count; n != 0 {
		t.Errorf("%d relations are left of it", n)
	}
}

// TestCancelledWrite leaves nothing behind.
func TestCancelledWrite(t *testing.T) {
	s := open(t, database(t))
	apply(t, s, &graph.Batch{At: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	b := random(20_000, 100, 1)
	b.Lease = "token"
	if err := s.Apply(ctx, b); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if n := list(t, s, &graph.RelationQuery{Anchor: graph.AnchorNone, Count: true})[0].Count; n != 0 {
		t.Errorf("%d relations are left of it", n)
	}
	apply(t, s, b)
}

// TestWrittenTwice: a batch may be written again, if nobody knows whether it
// was; and what stands is superseded even if the batch does not say so.
func TestWrittenTwice(t *testing.T) {
	s := open(t, database(t))
	b := random(100, 10, 1)
	for i, n := range b.Nodes {
		b.Statements = append(b.Statements, graph.Statement{ID: n.ID, Dataset: "d", Content: n.Content, RecordedAt: 1, Hash: graph.Hash{byte(i)}})
	}
	apply(t, s, b)
	q := &graph.RelationQuery{Anchor: graph.AnchorNone, Limit: 1000, Detail: true, Count: true}
	before := list(t, s, q)
	apply(t, s, b)
	if d := cmp.Diff(before, list(t, s, q)); d != "" {
		t.Error(d)
	}
	id := b.Relations[0].ID
	changed := *b.Relations[0].Relation
	changed.Note, changed.RecordedAt, changed.Hash = "changed", 2, graph.Hash{9}
	changed.About = []string{b.Relations[1].ID, b.Relations[2].ID}
	apply(t, s, &graph.Batch{At: 2, Relations: []graph.RelationWrite{{Relation: &changed, Nature: graph.Act}}})
	var held *graph.Held
	err := s.Read(t.Context(), func(tx graph.Reader) (err error) {
		held, err = tx.Held(t.Context(), &graph.HeldQuery{Nodes: []string{b.Nodes[0].ID}, Relations: []string{id, id}, History: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	former := *b.Relations[0].Relation
	former.SupersededAt = 2
	if d := cmp.Diff([]*graph.Relation{&former, &changed}, held.Versions[id]); d != "" {
		t.Error(d)
	}
	if n := len(held.Statements[b.Nodes[0].ID]); n != 1 {
		t.Errorf("%d statements", n)
	}
	about := list(t, s, &graph.RelationQuery{Anchor: graph.AnchorAbout, IDs: []string{b.Relations[2].ID, "none"}, Limit: 2})
	if len(about) != 2 || len(about[0].Rows) != 1 || about[0].Rows[0].ID != id || about[1].Rows != nil {
		t.Errorf("about: %+v", about)
	}
}

// TestManyIDs: lists are as long as they are.
func TestManyIDs(t *testing.T) {
	s := open(t, database(t))
	apply(t, s, random(500, 50, 1))
	ids := make([]string, 100_000)
	for i := range ids {
		ids[i] = fmt.Sprintf("person/p%d", i)
	}
	q := &graph.RelationQuery{Anchor: graph.AnchorNone, Count: true, Filter: graph.RelationFilter{With: ids, Source: ids, Place: nil}}
	if n := list(t, s, q)[0].Count; n != 500 {
		t.Errorf("%d relations", n)
	}
	err := s.Read(t.Context(), func(tx graph.Reader) error {
		nodes, err := tx.Nodes(t.Context(), ids, true)
		if err != nil || len(nodes) != 50 {
			t.Errorf("%d nodes, %v", len(nodes), err)
		}
		page, err := tx.Entities(t.Context(), &graph.EntityQuery{Filter: graph.EntityFilter{IDs: ids}, Limit: 10, Count: true})
		if err != nil || page.Count != 50 || len(page.Rows) != 10 {
			t.Errorf("%d entities, %v", page.Count, err)
		}
		_, err = tx.Held(t.Context(), &graph.HeldQuery{Nodes: ids, Relations: ids, History: true})
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestPages walks hubs in pages of three, in every order, and meets each
// relation once.
func TestPages(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "x.db"))
	apply(t, s, random(400, 5, 3))
	for _, order := range []graph.Order{graph.NewestFirst, graph.OldestFirst} {
		for _, backward := range []bool{false, true} {
			q := graph.RelationQuery{Anchor: graph.AnchorEntity, IDs: []string{"person/p0"}, Order: order, Backward: backward, Limit: 1000}
			all := list(t, s, &q)[0].Rows
			q.Limit = 3
			var got []*graph.Relation
			for {
				rows := list(t, s, &q)[0].Rows
				if len(rows) == 0 {
					break
				}
				if backward {
					k := rows[0].Key()
					q.Before = &k
					got = append(append([]*graph.Relation{}, rows...), got...)
				} else {
					k := rows[len(rows)-1].Key()
					q.After = &k
					got = append(got, rows...)
				}
			}
			if d := cmp.Diff(all, got); d != "" || len(all) < 100 {
				t.Errorf("%s, backward %v: %s", order, backward, d)
			}
		}
	}
}

func list(t testing.TB, s *Store, q *graph.RelationQuery) (pages []graph.RelationPage) {
	t.Helper()
	err := s.Read(t.Context(), func(tx graph.Reader) (err error) {
		pages, err = tx.Relations(t.Context(), q)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// TestSearchWords: nodes get and lose words, and the deletions in the file are
// always those of the words that some node has.
func TestSearchWords(t *testing.T) {
	s := open(t, database(t))
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"minister", "ministry", "ministers", "of", "iran", "iraq", "mayor", "états"}
	there := map[string]bool{}
	var most, dropped int
	for at := graph.Instant(1); at <= 200; at++ {
		b := &graph.Batch{At: at}
		for i := range 4 {
			n := &graph.Node{ID: fmt.Sprint("d/", i), Datasets: []string{"d"}, Content: graph.Content{Form: graph.FormEntity, Kind: graph.KindGroup}}
			for range 1 + r.IntN(3) {
				n.Name += words[r.IntN(len(words))] + " "
			}
			n.Canonical = n.ID
			switch {
			case r.IntN(3) == 0 && there[n.ID]:
				if b.Erase == nil {
					b.Erase = &graph.Erasure{}
				}
				b.Erase.Nodes = append(b.Erase.Nodes, n.ID)
				delete(there, n.ID)
				continue
			case r.IntN(3) == 0 && there[n.ID]:
				n.Datasets = nil // withdrawn
			case !there[n.ID] && r.IntN(2) == 0:
				there[n.ID] = true
				b.New = append(b.New, graph.NewNode{Node: n, Statement: graph.Statement{ID: n.ID, Dataset: "d", Content: n.Content, RecordedAt: at, Hash: graph.Hash{byte(at)}}})
				continue
			}
			there[n.ID] = true
			b.Nodes = append(b.Nodes, n)
		}
		apply(t, s, b)
		read := func(query string) (out []string) {
			rows, err := s.writer.QueryContext(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					t.Fatal(err)
				}
				out = append(out, text)
			}
			return out
		}
		var want []string
		for _, w := range read("SELECT word FROM search_words") {
			for _, d := range graph.Deletions(w) {
				want = append(want, d+" "+w)
			}
		}
		slices.Sort(want)
		got := read("SELECT d.deletion || ' ' || s.word FROM word_deletions d LEFT JOIN search_words s ON s.row = d.word ORDER BY 1")
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("at %d: %s", at, d)
		}
		names := map[string]bool{}
		for _, row := range read("SELECT DISTINCT n.row || ' ' || s.word FROM word_nodes h JOIN nodes n ON n.row = h.node JOIN search_words s ON s.row = h.word WHERE n.datasets <> ''") {
			names[row] = true
		}
		if n := read("SELECT count(*) FROM word_nodes")[0]; n != fmt.Sprint(len(names)) {
			t.Fatalf("at %d: %s words of nodes, but %d of nodes that are there", at, n, len(names))
		}
		for _, row := range read("SELECT row || ' ' || name FROM nodes WHERE datasets <> ''") {
			row, name, _ := strings.Cut(row, " ")
			for _, word := range graph.Words(name) {
				if !names[row+" "+word] {
					t.Fatalf("at %d: the node %s does not have the word %s", at, row, word)
				}
			}
		}
		if n := read("SELECT count(*) FROM search_words s WHERE NOT EXISTS (SELECT 1 FROM word_nodes h WHERE h.word = s.row)")[0]; n != "0" {
			t.Fatalf("at %d: %s words that no node has", at, n)
		}
		if len(got) < most {
			dropped++
		}
		most = len(got)
	}
	if dropped == 0 {
		t.Error("no word was ever lost")
	}
}

// TestTaken: of a batch that says it is new, nothing is written where some of
// it is there, however much of it was inserted before; the same batch is
// written whole when it does not say so.
func TestTaken(t *testing.T) {
	s := open(t, database(t))
	all := random(200, 10, 1)
	apply(t, s, &graph.Batch{At: 1, Nodes: all.Nodes, Relations: all.Relations[150:151]})
	q := &graph.RelationQuery{Anchor: graph.AnchorNone, Limit: 1000, Detail: true, Count: true}
	hubs := &graph.RelationQuery{Anchor: graph.AnchorEntity, IDs: []string{"person/p0", "person/p1"}, Limit: 1000, Count: true}
	before, beforeHubs := list(t, s, q), list(t, s, hubs)
	for i := range all.Relations {
		all.Relations[i].RecordedAt = 2
	}
	ctx := context.Background()
	for name, b := range map[string]*graph.Batch{
		"relations": {At: 2, Relations: all.Relations, Fresh: true},
		"nodes": {At: 2, Relations: all.Relations, New: []graph.NewNode{
			{Node: &graph.Node{ID: "person/new", Canonical: "person/new", Datasets: []string{"d"}, Content: all.Nodes[0].Content}, Statement: graph.Statement{ID: "person/new", Dataset: "d", RecordedAt: 2}},
			{Node: all.Nodes[3], Statement: graph.Statement{ID: all.Nodes[3].ID, Dataset: "d", RecordedAt: 2}},
		}},
	} {
		b.Lease = "token"
		if err := s.Apply(ctx, b); !errors.Is(err, graph.ErrTaken) {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(before, list(t, s, q)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(beforeHubs, list(t, s, hubs)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	apply(t, s, &graph.Batch{At: 2, Relations: all.Relations})
	after := list(t, s, q)[0]
	if after.Count != len(all.Relations) {
		t.Errorf("%d relations", after.Count)
	}
	for _, r := range after.Rows {
		if r.RecordedAt != 2 {
			t.Errorf("%s was recorded at %d", r.ID, r.RecordedAt)
		}
	}
	ends := 0
	for i := range 10 {
		ends += list(t, s, &graph.RelationQuery{Anchor: graph.AnchorEntity, IDs: []string{fmt.Sprint("person/p", i)}, Limit: 1000, Count: true})[0].Count
	}
	want := 0
	for i := range all.Relations {
		want += len(slices.Compact([]string{all.Relations[i].Source, all.Relations[i].Target}))
	}
	if ends != want {
		t.Errorf("%d ends, want %d", ends, want)
	}
}
