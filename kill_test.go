package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/sqlitestore"
	"chancery/loader"
	"chancery/loader/loadertest"
)

// killCase is what is loaded, and how often that is stopped on each store.
type killCase struct {
	name      string
	options   loader.Options // as args say
	args      []string       // flags and files of load
	files     []string
	dataset   string
	relations int
	times     int
	signals   []os.Signal // by turns
}

// killCases makes the files of each format.
func killCases(t *testing.T) []killCase {
	dir := t.TempDir()
	write := func(name string, text func(w io.Writer) error) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(text(f), f.Close()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rows := func(from, to int, row func(i int) string) func(io.Writer) error {
		return func(w io.Writer) error {
			b := bufio.NewWriter(w)
			for i := from; i < to; i++ {
				_, _ = b.WriteString(row(i))
			}
			return b.Flush()
		}
	}
	actor := func(i int) string { return fmt.Sprintf("Actor %d (Norway)", i%300) }
	day := func(i int) string { return fmt.Sprintf("%d-%02d-%02d", 1990+i/300%30, 1+i%12, 1+i%28) }
	const some = 16_000
	large, often := 20_000, 3
	if os.Getenv("CHANCERY_SOAK") != "" {
		large, often = 50_000, 10
	}
	generated := write("generated.yaml", func(w io.Writer) error { return loadertest.Generate(w, large, 5) })
	icews := write("icews.tab", rows(0, some, func(i int) string {
		return fmt.Sprintf("%d\t%s\t%s\tElite\tNorway\tConsult\t040\t1\t%s\tMilitary\tNorway\t%d\t2\tThe Daily\tOslo\tNA\tOslo\tNorway\t59.9\t10.7\n",
			i, day(i), actor(i), actor(i/300+i+1), i%500)
	}))
	tkg := func(i int) string { return fmt.Sprintf("%s\tConsult\t%s\t%s\n", actor(i), actor(i/300+i+1), day(i)) }
	write("tkg/1.tsv", rows(0, some/2, tkg))
	write("tkg/2.tsv", rows(some/2, some, tkg))
	ftm := write("all.ftm.json", func(w io.Writer) error {
		return errors.Join(
			rows(0, 3000, func(i int) string {
				return fmt.Sprintf(`{"id":"p-%d","schema":"Person","properties":{"name":["Person %[1]d"]}}`+"\n", i)
			})(w),
			rows(0, some, func(i int) string { // every tenth company is in no row of its own
				return fmt.Sprintf(`{"id":"d-%d","schema":"Directorship","properties":{"director":["p-%d"],"organization":["c-%d"],"startDate":[%q]}}`+"\n", i, i%3000, i/10, day(i))
			})(w))
	})
	csv := write("table.csv", func(w io.Writer) error {
		_, err := io.WriteString(w, "no,who,whom,day\n")
		return errors.Join(err, rows(0, some, func(i int) string { return fmt.Sprintf("%d,%s,%s,%s\n", i, actor(i), actor(i/300+i+1), day(i)) })(w))
	})
	mapping := write("table.yaml", func(w io.Writer) error {
		_, err := io.WriteString(w, "mapping: 1\ndataset: table\nentities:\n  a: {id: \"a/{who|slug}\", kind: Person, name: \"{who}\"}\n"+
			"  b: {id: \"a/{whom|slug}\", kind: Person, name: \"{whom}\"}\nrelations:\n  - {id: \"{no}\", type: CONDEMNED, source: a, target: b, date: \"{day}\"}\n")
		return err
	})
	both := []os.Signal{os.Kill, os.Interrupt}
	whole := loader.Options{Edition: loader.EditionWhole}
	return []killCase{
		{"dataset", loader.Options{}, nil, []string{generated}, "generated-5", large, often, []os.Signal{os.Kill}},
		{"icews", loader.Options{}, nil, []string{icews}, "icews", some, 2, both},
		{"tkg", loader.Options{}, nil, []string{filepath.Join(dir, "tkg")}, "tkg", 0, 2, both},
		{"tkg whole", whole, []string{"--edition", "whole"}, []string{filepath.Join(dir, "tkg")}, "tkg", 0, 2, both},
		{"ftm", loader.Options{}, nil, []string{ftm}, "ftm", some, 2, both},
		{"csv", loader.Options{Mapping: mapping}, []string{"--mapping", mapping}, []string{csv}, "table", some, 2, both},
	}
}

// TestKill: a load that is stopped again and again, at random moments, can be
// run again each time, and ends in the state of one that nobody disturbed.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes for each store")
	}
	binary := build(t)
	for _, c := range killCases(t) {
		t.Run(c.name, func(t *testing.T) {
			c.args = append(c.args, c.files...)
			want, took := reference(t, &c)
			t.Run("sqlite", func(t *testing.T) {
				killed(t, binary, &c, want, took, sqliteForKills)
			})
			if os.Getenv("CHANCERY_SOAK") == "" && c.name != "tkg" {
				return // minutes for each format: make soak
			}
			t.Run("neo4j", func(t *testing.T) {
				opts := neo4jtest.Options(t)
				killed(t, binary, &c, want, 2*took, func(t *testing.T) (string, func() graph.Store) {
					neo4jtest.Wipe(t, opts)
					return opts.URI, func() graph.Store { return neo4jtest.Reopen(t, opts) }
				})
			})
		})
	}
}

func sqliteForKills(t *testing.T) (string, func() graph.Store) {
	path := filepath.Join(t.TempDir(), "chancery.db")
	return "sqlite:" + path, func() graph.Store {
		store, err := sqlitestore.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close(context.Background()) })
		return store
	}
}

// killed loads the files in rounds, each into a store of its own, until enough
// loads were stopped; a round ends when a load comes through before it is
// stopped, or after the last stop. Took is a guess at how long a load takes.
func killed(t *testing.T, binary string, c *killCase, want loadertest.State, took time.Duration, fresh func(*testing.T) (string, func() graph.Store)) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	kills, kept := 0, false
	times, late := c.times, false
	for round := 1; kills < times && !t.Failed(); round++ {
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			dsn, open := fresh(t)
			var report []byte
			for report == nil {
				load := exec.Command(binary, append([]string{"load", "--report", "json", "--store", dsn}, c.args...)...)
				signal := c.signals[kills%len(c.signals)]
				var stdout, stderr bytes.Buffer
				load.Stdout, load.Stderr = &stdout, &stderr
				if err := load.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- load.Wait() }()
				moment := time.Hour
				if kills < times {
					moment = time.Duration(random.Int64N(int64(took)))
					if late {
						moment = (moment + took) / 2
					}
				}
				var err error
				select {
				case err = <-ended:
				case <-time.After(moment):
					_ = load.Process.Signal(signal)
					err = <-ended
				}
				code := load.ProcessState.ExitCode()
				switch {
				case err == nil: // it came through
					report = stdout.Bytes()
					took = took * 4 / 5
				case code == -1, signal == os.Interrupt && strings.Contains(stderr.String(), "interrupted"):
					kills++
					took = took * 6 / 5 // until some of them get far
					t.Logf("%s after %s", signal, moment)
				default:
					t.Fatalf("after %d kills: %v\n%s", kills, err, stderr.String())
				}
			}
			var last struct {
				Loads []struct {
					Resumed             bool
					Entities, Relations graph.Tally
					Rows                *loader.Rows
				}
			}
			if err := json.Unmarshal(report, &last); err != nil || len(last.Loads) == 0 {
				t.Fatalf("%v\n%s", err, report)
			}
			for _, l := range last.Loads {
				t.Logf("%+v", l)
				kept = kept || l.Resumed && l.Entities.Unchanged+l.Relations.Unchanged > 0
				if r := l.Rows; r != nil && r.Read != r.Created+r.Changed+r.Unchanged+r.Duplicate+r.Rejected {
					t.Errorf("%+v does not add up", *r)
				}
			}
			compare(t, c, want, open())
		})
		if kills >= times && !kept && times < c.times+10 {
			times, late = times+2, true // all were stopped too early
		}
	}
	if !kept && !t.Failed() {
		t.Error("no load found anything that a killed one had written: they were killed too early to tell")
	}
}

// reference is the state after one undisturbed load, and how long that took.
func reference(t *testing.T, c *killCase) (loadertest.State, time.Duration) {
	t.Helper()
	began := time.Now()
	store, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "reference.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close(context.Background()) }()
	if _, err := loader.Load(t.Context(), store, c.files, c.options); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	return state(t, c, store), took
}

func state(t *testing.T, c *killCase, store graph.Store) loadertest.State {
	t.Helper()
	s, err := loadertest.ReadState(t.Context(), store, c.dataset)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Versions) < c.relations || len(s.Versions) == 0 || !s.Dataset.Complete {
		t.Errorf("%d relations; %+v", len(s.Versions), s.Dataset)
	}
	return s.WithoutMoments()
}

func compare(t *testing.T, c *killCase, want loadertest.State, store graph.Store) {
	t.Helper()
	if diff := want.Diff(state(t, c, store)); diff != "" {
		t.Fatalf("-want +got: %s", diff)
	}
}

// TestNeo4jRestarted: a load under which Neo4j is restarted waits for it and
// comes through by itself. One that does not wait so long says why it failed,
// and the next one ends in the state of an undisturbed load.
func TestNeo4jRestarted(t *testing.T) {
	if testing.Short() {
		t.Skip("restarts Neo4j twice")
	}
	server := neo4jtest.NewServer(t)
	server.Run("start")
	opts := server.Options()
	binary := build(t)
	c := &killCases(t)[1]
	want, _ := reference(t, c)
	// disturb lets a load get as far as its first batches, and then does something.
	disturb := func(wait string, then func()) (string, error) {
		t.Helper()
		load := exec.Command(binary, append([]string{"load", "--store", opts.URI, "--wait", wait}, c.files...)...)
		var stderr lockedBuffer
		load.Stderr = &stderr
		load.Env = append(os.Environ(), "NEO4J_USERNAME="+opts.Username, "NEO4J_PASSWORD="+opts.Password, "NEO4J_DATABASE="+opts.Database)
		if err := load.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- load.Wait() }()
		store := neo4jtest.Reopen(t, opts)
		for begun := false; !begun; time.Sleep(50 * time.Millisecond) {
			err := store.Read(t.Context(), func(tx graph.Reader) error {
				datasets, err := tx.Datasets(t.Context())
				begun = len(datasets) == 1 && datasets[0].Written.Parts >= 2
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-ended:
				t.Fatalf("the load ended before it was disturbed: %v\n%s", err, stderr.String())
			default:
			}
		}
		then()
		select {
		case err := <-ended:
			return stderr.String(), err
		case <-time.After(5 * time.Minute):
			_ = load.Process.Kill()
			t.Fatalf("the load does not end\n%s", stderr.String())
			return "", nil
		}
	}
	t.Run("waits", func(t *testing.T) {
		neo4jtest.Wipe(t, opts)
		said, err := disturb("4m", func() { server.Run("restart") })
		if err != nil || !strings.Contains(said, "waiting up to 4m0s") || !strings.Contains(said, "the store is back") {
			t.Fatalf("%v\n%s", err, said)
		}
		compare(t, c, want, neo4jtest.Reopen(t, opts))
	})
	t.Run("gives up", func(t *testing.T) {
		if os.Getenv("CHANCERY_SOAK") == "" {
			t.Skip("make soak runs it")
		}
		neo4jtest.Wipe(t, opts)
		said, err := disturb("1s", func() { server.Run("kill") })
		server.Run("start")
		if err == nil || !strings.Contains(said, "neo4j cannot be reached") || strings.Contains(said, "Connectivity") {
			t.Fatalf("%v\n%s", err, said)
		}
		store := neo4jtest.Reopen(t, opts)
		result, err := loader.Load(t.Context(), store, c.files, c.options)
		if err != nil || !result.Loads[0].Resumed || result.Loads[0].Rows.Unchanged == 0 {
			t.Fatalf("%v, %+v", err, result)
		}
		compare(t, c, want, store)
	})
}

// lockedBuffer may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
