package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/graph"
)

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func database(t testing.TB) string { return filepath.Join(t.TempDir(), "a b#c?d%e.db") }

// TestOpenRefuses has files that are not to be touched.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	edit := func(name string, statements ...string) string {
		path := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for _, s := range statements {
			if _, err := db.Exec(s); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	newer := filepath.Join(dir, "newer.db")
	open(t, newer)
	edit("newer.db", "PRAGMA user_version = 99")
	for name, c := range map[string]struct {
		path string
		is   error
		text string
	}{
		"no database":     {file("text.db", strings.Repeat("this is no database. ", 100)), graph.ErrForeignStore, "not an SQLite file"},
		"another program": {edit("other.db", "CREATE TABLE t (x)"), graph.ErrForeignStore, "name another file"},
		"another id":      {edit("id.db", "PRAGMA application_id = 7", "CREATE TABLE t (x)"), graph.ErrForeignStore, "name another file"},
		"newer":           {newer, graph.ErrNewerStore, "it has version 99, this Chancery knows up to 7"},
		"no directory":    {filepath.Join(dir, "none", "x.db"), nil, "there is no directory"},
		"a directory":     {dir, nil, "it is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), c.path)
			if err == nil {
				_ = s.Close(t.Context())
				t.Fatal("it was opened")
			}
			if c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), c.path) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDamagedFile(t *testing.T) {
	path := database(t)
	s := open(t, path)
	apply(t, s, random(1000, 100, 1))
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(content); i++ {
		content[i] = byte(i * 7)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(path + "-wal")
	s, err = Open(t.Context(), path)
	if err == nil {
		defer func() { _ = s.Close(t.Context()) }()
		err = s.Read(t.Context(), func(tx graph.Reader) error {
			_, err := tx.Relations(t.Context(), &graph.RelationQuery{Anchor: graph.AnchorNone, Limit: 1000, Detail: true})
			return err
		})
	}
	if !errors.Is(err, graph.ErrUnavailable) || !strings.Contains(err.Error(), "the file is damaged") {
		t.Errorf("got %v", err)
	}
}

// TestInterrupt: a deadline ends a query inside the database.
func TestInterrupt(t *testing.T) {
	s := open(t, database(t))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := s.Read(ctx, func(tx graph.Reader) error {
		return tx.(*reader).scan(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`, nil, 1,
			func(*values) error { return nil })
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v", took)
	}
	// The connection is good for the next one.
	if err := s.Read(t.Context(), func(tx graph.Reader) error { _, err := tx.Datasets(t.Context()); return err }); err != nil {
		t.Error(err)
	}
}

// TestTwoProcesses has the file open twice, as a load beside a server has it.
func TestTwoProcesses(t *testing.T) {
	path := database(t)
	server, load := open(t, path), open(t, path)
	batch := random(200, 20, 2)
	apply(t, load, batch)
	count := func(s *Store) (n int) {
		err := s.Read(t.Context(), func(tx graph.Reader) error {
			pages, err := tx.Relations(t.Context(), &graph.RelationQuery{Anchor: graph.AnchorNone, Count: true})
			n = pages[0].Count
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(server); n != 200 {
		t.Errorf("the server sees %d relations", n)
	}
	// A snapshot stays what it was while another process writes.
	err := server.Read(t.Context(), func(tx graph.Reader) error {
		q := &graph.RelationQuery{Anchor: graph.AnchorNone, Count: true}
		if _, err := tx.Relations(t.Context(), q); err != nil {
			return err
		}
		more := &graph.Batch{Lease: "token", At: 2}
		for i := range batch.Relations[:10] {
			e := graph.Entry{ID: batch.Relations[i].ID}
			more.Withdrawn = append(more.Withdrawn, e)
		}
		if err := load.Apply(t.Context(), more); err != nil {
			return err
		}
		pages, err := tx.Relations(t.Context(), q)
		if err == nil && pages[0].Count != 200 {
			t.Errorf("the snapshot changed: %d relations", pages[0].Count)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(server); n != 190 {
		t.Errorf("after that, the server sees %d relations", n)
	}
	// What one process adds to the vocabulary, the other one knows.
	types, err := graph.ParseVocabulary("v.yaml", []byte("types:\n  - {name: TOASTED, nature: act, infinitive: toast, past: toasted, passive: toasted by}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load.Learn(t.Context(), types); err != nil {
		t.Fatal(err)
	}
	err = server.Read(t.Context(), func(tx graph.Reader) error {
		if _, ok := tx.Vocabulary().Lookup("TOASTED"); !ok {
			t.Error("the server does not know the new type")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// apply writes a batch under a lease.
func apply(t testing.TB, s *Store, b *graph.Batch) {
	t.Helper()
	if _, err := s.Lease(context.Background(), graph.LeaseRequest{Token: "token", Until: 1 << 60}); err != nil {
		t.Fatal(err)
	}
	b.Lease = "token"
	if err := s.Apply(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

// random makes relations between entities of which few have many, as in the
// world's event data.
func random(relations, entities int, seed uint64) *graph.Batch {
	r := rand.New(rand.NewPCG(seed, 0))
	zipf := rand.NewZipf(r, 1.2, 1, uint64(entities-1))
	b := &graph.Batch{At: 1}
	for i := range entities {
		b.Nodes = append(b.Nodes, &graph.Node{ID: fmt.Sprintf("person/p%d", i), Datasets: []string{"d"},
			Content: graph.Content{Form: graph.FormEntity, Kind: graph.KindPerson, Name: fmt.Sprintf("Person %d", i)}})
	}
	types := []string{"MET_WITH", "CONDEMNED", "PRAISED", "STRUCK", "CONSULTED"}
	for i := range relations {
		day, err := graph.ResolveDate(graph.Day(736000+r.IntN(1000)).String(), graph.Act, graph.Stated, 0, false)
		if err != nil {
			panic(err)
		}
		g := 1.5
		rel := &graph.Relation{ID: fmt.Sprintf("r/%024x", r.Uint64()), Type: types[r.IntN(len(types))], Date: day,
			Source: fmt.Sprintf("person/p%d", zipf.Uint64()), Target: fmt.Sprintf("person/p%d", zipf.Uint64()),
			Status: graph.Reported, CAMEO: "040", Family: "CONSULT", Goldstein: &g, Dataset: "d", RecordedAt: 1}
		rel.Hash = rel.ContentHash()
		b.Relations = append(b.Relations, graph.RelationWrite{Relation: rel, Nature: graph.Act, Symmetric: i%5 == 0})
	}
	return b
}

// BenchmarkApply writes relations in batches of 5,000. The ratio is that of
// its rate to the rate of bare prepared inserts of the same rows into the same
// tables with the same indexes.
func BenchmarkApply(b *testing.B) {
	const relations, batch = 100_000, 5_000
	all := random(relations, 5000, 1)
	var ours, bare time.Duration
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "ours.db")
		s := open(b, path)
		apply(b, s, &graph.Batch{At: 1, Nodes: all.Nodes})
		began := time.Now()
		for i := 0; i < relations; i += batch {
			apply(b, s, &graph.Batch{At: 1, Relations: all.Relations[i : i+batch]})
		}
		ours += time.Since(began)
		bare += bareInsert(b, s, batch)
	}
	b.ReportMetric(float64(b.N*relations)/ours.Seconds(), "relations/s")
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "of-bare-rate")
}

// bareInsert copies the rows that a store has into an empty one, and returns
// the time that the inserts took.
func bareInsert(b *testing.B, from *Store, batch int) (took time.Duration) {
	into := open(b, filepath.Join(b.TempDir(), "bare.db"))
	type table struct {
		insert string
		rows   [][]any
	}
	var tables []table
	for _, t := range []struct {
		name    string
		columns int
	}{{"relations", 28}, {"adjacency", 10}} {
		rows, err := from.readers.db.Query("SELECT * FROM " + t.name)
		if err != nil {
			b.Fatal(err)
		}
		out := table{insert: "INSERT INTO " + t.name + " VALUES (?" + strings.Repeat(", ?", t.columns-1) + ")"}
		for rows.Next() {
			values, into := make([]any, t.columns), make([]any, t.columns)
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				b.Fatal(err)
			}
			out.rows = append(out.rows, values)
		}
		if err := rows.Close(); err != nil {
			b.Fatal(err)
		}
		tables = append(tables, out)
	}
	began := time.Now()
	relations, adjacency := tables[0], tables[1]
	for i := 0; i < len(relations.rows); i += batch {
		tx, err := into.writer.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for _, part := range []struct {
			t          table
			begin, end int
		}{
			{relations, i, min(i+batch, len(relations.rows))},
			{adjacency, len(adjacency.rows) * i / len(relations.rows), len(adjacency.rows) * min(i+batch, len(relations.rows)) / len(relations.rows)},
		} {
			st, err := tx.Prepare(part.t.insert)
			if err != nil {
				b.Fatal(err)
			}
			for _, row := range part.t.rows[part.begin:part.end] {
				if _, err := st.Exec(row...); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

// BenchmarkLevel asks for the ten newest relations at each of 100 hubs.
func BenchmarkLevel(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "x.db"))
	apply(b, s, random(50_000, 5000, 1))
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("person/p%d", i))
	}
	for _, q := range []*graph.RelationQuery{
		{Anchor: graph.AnchorEntity, IDs: ids, Limit: 10},
		{Anchor: graph.AnchorEntity, IDs: ids, Limit: 10, Detail: true},
		{Anchor: graph.AnchorEntity, IDs: ids, Limit: 10, Filter: graph.RelationFilter{Types: []string{"STRUCK"}}},
	} {
		b.Run(fmt.Sprintf("types=%d,detail=%v", len(q.Filter.Types), q.Detail), func(b *testing.B) {
			for b.Loop() {
				err := s.Read(b.Context(), func(tx graph.Reader) error {
					pages, err := tx.Relations(b.Context(), q)
					if len(pages) != 100 || len(pages[0].Rows) != 10 {
						b.Fatalf("%d pages", len(pages))
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
