package bench

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// folder is the folder of a feed.
func folder(b *testing.B, feed string) string {
	data := os.Getenv("CHANCERY_DATA")
	if data == "" {
		b.Skip("CHANCERY_DATA does not name the folder of the data")
	}
	path := filepath.Join(data, feed)
	if _, err := os.Stat(path); err != nil {
		b.Skip(err)
	}
	return path
}

// tap passes batches on, and keeps the relations.
type tap struct {
	graph.Store
	relations []graph.RelationWrite
	applying  time.Duration
}

func (s *tap) Apply(ctx context.Context, b *graph.Batch) error {
	s.relations = append(s.relations, b.Relations...)
	began := time.Now()
	defer func() { s.applying += time.Since(began) }()
	return s.Store.Apply(ctx, b)
}

// load loads a folder, and returns how many rows it took how long to load.
func load(b *testing.B, store graph.Store, path string, o ...loader.Options) (rows int, took time.Duration) {
	began := time.Now()
	result, err := loader.Load(b.Context(), store, []string{path}, append(o, loader.Options{})[0])
	if err != nil {
		b.Fatal(err)
	}
	took = time.Since(began)
	for _, l := range result.Loads {
		rows += l.Rows.Read - l.Rows.Duplicate - l.Rows.Rejected
	}
	return rows, took
}

const batchSize = loader.BatchSize

// BenchmarkLoad loads a feed into an empty store, all of it: the time includes
// reading the files, entities and events. Bare is the writing alone of its
// relations to their ends. Then the feed is loaded again (second), and again
// with everything compared with the record (compared).
func BenchmarkLoad(b *testing.B) {
	for _, feed := range []string{"icews14", "icews18"} {
		path := folder(b, feed)
		b.Run(feed+"/sqlite", func(b *testing.B) {
			for b.Loop() {
				s := &tap{Store: every.SQLite(b)}
				report(b, s, path, bareSQLite)
			}
		})
		b.Run(feed+"/neo4j", func(b *testing.B) {
			opts := neo4jtest.Options(b)
			driver, err := neo4j.NewDriverWithContext(opts.URI, neo4j.BasicAuth(opts.Username, opts.Password, ""))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = driver.Close(context.Background()) }()
			// A server that has just started is slow at everything: it is warmed
			// up by a part of the feed, for both ways of writing.
			neo4jtest.Wipe(b, opts)
			warm := &tap{Store: neo4jtest.Reopen(b, opts)}
			load(b, warm, filepath.Join(folder(b, "icews14"), "test.named.tsv.gz"))
			bareNeo4j(b, driver, warm.relations)
			indexedNeo4j(b, driver, warm.relations)
			for b.Loop() {
				neo4jtest.Wipe(b, opts)
				s := &tap{Store: neo4jtest.Reopen(b, opts)}
				first, written := report(b, s, path, func(b *testing.B, all []graph.RelationWrite) time.Duration { return bareNeo4j(b, driver, all) })
				indexed := indexedNeo4j(b, driver, written)
				b.ReportMetric(indexed.Seconds()/first.Seconds(), "first:indexed")
			}
		})
	}
}

func report(b *testing.B, s *tap, path string, bare func(*testing.B, []graph.RelationWrite) time.Duration) (first time.Duration, written []graph.RelationWrite) {
	rows, first := load(b, s, path)
	written = s.relations
	b.ReportMetric(float64(len(written)), "relations")
	b.ReportMetric(float64(len(written))/first.Seconds(), "first/s")
	b.ReportMetric(s.applying.Seconds()/first.Seconds(), "writing/first")
	s.relations = nil
	again, second := load(b, s, path)
	if len(s.relations) > 0 || again != rows {
		b.Fatalf("the second load wrote %d relations of %d rows", len(s.relations), again)
	}
	b.ReportMetric(first.Seconds()/second.Seconds(), "second:first")
	_, compared := load(b, s, path, loader.Options{Recheck: true})
	if len(s.relations) > 0 {
		b.Fatalf("the comparison wrote %d relations", len(s.relations))
	}
	b.ReportMetric(first.Seconds()/compared.Seconds(), "compared:first")
	took := bare(b, written)
	b.ReportMetric(float64(len(written))/took.Seconds(), "bare/s")
	b.ReportMetric(took.Seconds()/first.Seconds(), "first:bare")
	return first, written
}

// bareNeo4j creates the same relations, with the same properties of their own,
// in batches of the same size, under one type that no index knows.
func bareNeo4j(b *testing.B, driver neo4j.DriverWithContext, all []graph.RelationWrite) time.Duration {
	return creating(b, driver, all, func(*graph.RelationWrite) string { return "BARE" }, properties)
}

// indexedNeo4j does so under the types that they have, so that the database
// keeps them unique by their keys and finds them by their ids, as it does for
// the store. The ids differ from those that the store has written by a mark.
func indexedNeo4j(b *testing.B, driver neo4j.DriverWithContext, all []graph.RelationWrite) time.Duration {
	return creating(b, driver, all, func(r *graph.RelationWrite) string { return r.Type }, func(r *graph.RelationWrite) map[string]any {
		p := properties(r)
		p["id"] = "'" + r.ID[1:]
		p["key"], p["standing"] = p["id"], r.Nature == graph.Standing
		return p
	})
}

// creating names types as values, as the store does: it is faster than a query
// for each type.
func creating(b *testing.B, driver neo4j.DriverWithContext, all []graph.RelationWrite, typeOf func(*graph.RelationWrite) string, properties func(*graph.RelationWrite) map[string]any) (took time.Duration) {
	session := driver.NewSession(b.Context(), neo4j.SessionConfig{})
	defer func() { _ = session.Close(context.Background()) }()
	for part := range slices.Chunk(all, batchSize) {
		began := time.Now()
		rows := make([]any, len(part))
		for i := range part {
			r := &part[i]
			rows[i] = []any{r.Source, r.Target, typeOf(r), properties(r)}
		}
		_, err := session.ExecuteWrite(b.Context(), func(tx neo4j.ManagedTransaction) (any, error) {
			result, err := tx.Run(b.Context(), "UNWIND $rows AS row MATCH (a:Entity {id: row[0]}) MATCH (b:Entity {id: row[1]}) "+
				"CREATE (a)-[r:$(row[2])]->(b) SET r = row[3]", map[string]any{"rows": rows})
			if err != nil {
				return nil, err
			}
			return result.Consume(b.Context())
		})
		if err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
	}
	return took
}

func properties(r *graph.RelationWrite) map[string]any {
	day := func(d graph.Day) neo4j.Date { return neo4j.DateOf(d.Time()) }
	p := map[string]any{"id": r.ID, "date": r.Date.EDTF, "earliest": day(r.Date.Earliest), "certainFrom": day(r.Date.CertainFrom),
		"certainTo": day(r.Date.CertainTo), "latest": day(r.Date.Latest), "sortDay": day(r.Date.SortDay),
		"startKind": string(r.Date.StartKind), "endKind": string(r.Date.EndKind), "dateBasis": string(r.Date.Basis), "status": string(r.Status), "cameo": r.CAMEO,
		"family": r.Family, "caption": r.Caption, "dataset": r.Dataset, "recordedAt": r.RecordedAt.Time(), "hash": r.Hash.String()}
	if r.Goldstein != nil {
		p["goldstein"] = *r.Goldstein
	}
	if r.Event != "" {
		p["event"] = r.Event
	}
	return p
}

// bareSQLite inserts the same rows with prepared statements into the same
// tables and indexes, one row a statement, in transactions of the same size.
func bareSQLite(b *testing.B, all []graph.RelationWrite) (took time.Duration) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(16000)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	must := func(_ any, err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	schema, err := os.ReadFile("../graph/sqlitestore/migrations/0001_record.sql")
	must(nil, err)
	must(db.Exec(string(schema)))
	codes, entities := map[string]int64{}, map[string]int64{}
	code := func(of map[string]int64, text string) int64 {
		if _, ok := of[text]; !ok {
			of[text] = int64(len(of) + 1)
		}
		return of[text]
	}
	row := 0
	for i := 0; i < len(all); i += batchSize {
		began := time.Now()
		tx, err := db.Begin()
		must(nil, err)
		relation, err := tx.Prepare(`INSERT INTO relations (row, id, type, standing, source, target, edtf, earliest, certain_from, certain_to,
			latest, sort_day, start_kind, end_kind, basis, status, claimed_by, accredited_to, event, cameo, family, goldstein,
			confidence, dataset, rest, hash, recorded_at) VALUES (?` + strings.Repeat(", ?", 26) + ")")
		must(nil, err)
		end, err := tx.Prepare("INSERT INTO adjacency (entity, sort_day, id, relation, traits, type, status, earliest, latest, other) VALUES (?" + strings.Repeat(", ?", 9) + ")")
		must(nil, err)
		for j := range all[i:min(i+batchSize, len(all))] {
			r, d := &all[i+j], &all[i+j].Date
			row++
			kind, source, target := code(codes, r.Type), code(entities, r.Source), code(entities, r.Target)
			must(relation.Exec(row, r.ID, kind, r.Nature == graph.Standing, r.Source, r.Target, d.EDTF, int64(d.Earliest), int64(d.CertainFrom),
				int64(d.CertainTo), int64(d.Latest), int64(d.SortDay), 0, 0, 0, 1, "", "", r.Event, r.CAMEO, r.Family, r.Goldstein, nil, r.Dataset, "", r.Hash[:], int64(r.RecordedAt)))
			must(end.Exec(source, int64(d.SortDay), r.ID, row, 1, kind, 1, int64(d.Earliest), int64(d.Latest), target))
			if source != target {
				must(end.Exec(target, int64(d.SortDay), r.ID, row, 2, kind, 1, int64(d.Earliest), int64(d.Latest), source))
			}
		}
		must(nil, tx.Commit())
		took += time.Since(began)
	}
	return took
}

// resident is the most memory that a process has held since its program began,
// in MiB; ru_maxrss begins with what the process held that started it.
func resident(pid int) (mib float64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it may have ended
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, _ = fmt.Sscan(kib, &mib)
		}
	}
	return mib / 1024
}

// BenchmarkMemory runs the program itself, and reports the most memory that it
// held, for a feed and one five times as large.
func BenchmarkMemory(b *testing.B) {
	program := filepath.Join(b.TempDir(), "chancery")
	if out, err := exec.Command("go", "build", "-o", program, "chancery").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for _, feed := range []string{"icews14", "icews18"} {
		path := folder(b, feed)
		b.Run(feed, func(b *testing.B) {
			for b.Loop() {
				store := filepath.Join(b.TempDir(), "chancery.db")
				var out bytes.Buffer
				load := exec.Command(program, "load", "--quiet", "--store", "sqlite:"+store, path)
				load.Stdout, load.Stderr = &out, &out
				if err := load.Start(); err != nil {
					b.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- load.Wait() }()
				most, running := 0.0, true
				for running {
					select {
					case err := <-ended:
						if running = false; err != nil {
							b.Fatalf("%v: %s", err, &out)
						}
					case <-time.After(10 * time.Millisecond):
						most = max(most, resident(load.Process.Pid))
					}
				}
				b.ReportMetric(most, "MiB")
			}
		})
	}
}
