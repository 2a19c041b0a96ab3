package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/sqlitestore"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
)

const (
	killRelations = 50_000
	killTimes     = 10
)

// TestKill: a load that is killed again and again, at random moments, can be
// run again each time, and ends in the state of one that nobody disturbed.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute for each store")
	}
	dir := t.TempDir()
	binary, file := filepath.Join(dir, "chancery"), filepath.Join(dir, "generated.yaml")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(loadertest.Generate(f, killRelations, 5), f.Close()); err != nil {
		t.Fatal(err)
	}

	want, took := reference(t, file)

	t.Run("sqlite", func(t *testing.T) {
		killed(t, binary, file, want, took, func(t *testing.T) (string, func() graph.Store) {
			path := filepath.Join(t.TempDir(), "chancery.db")
			return "sqlite:" + path, func() graph.Store {
				store, err := sqlitestore.Open(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = store.Close(context.Background()) })
				return store
			}
		})
	})
	t.Run("neo4j", func(t *testing.T) {
		opts := neo4jtest.Options(t)
		killed(t, binary, file, want, 2*took, func(t *testing.T) (string, func() graph.Store) {
			neo4jtest.Wipe(t, opts)
			return opts.URI, func() graph.Store { return neo4jtest.Reopen(t, opts) }
		})
	})
}

// killed loads the file in rounds, each into a store of its own, until enough
// loads were killed; a round ends when a load comes through before it is
// killed, or after the last kill. Took is a guess at how long a load takes.
func killed(t *testing.T, binary, file string, want loadertest.State, took time.Duration, fresh func(*testing.T) (string, func() graph.Store)) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	kills, kept := 0, false
	for round := 1; kills < killTimes && !t.Failed(); round++ {
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			dsn, open := fresh(t)
			var report []byte
			for report == nil {
				load := exec.Command(binary, "load", "--report", "json", "--store", dsn, file)
				var stdout, stderr bytes.Buffer
				load.Stdout, load.Stderr = &stdout, &stderr
				if err := load.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- load.Wait() }()
				moment := time.Hour
				if kills < killTimes {
					moment = time.Duration(random.Int64N(int64(took)))
				}
				var err error
				select {
				case err = <-ended:
				case <-time.After(moment):
					_ = load.Process.Kill()
					err = <-ended
				}
				switch {
				case err == nil: // it came through
					report = stdout.Bytes()
					took = took * 4 / 5
				case load.ProcessState.ExitCode() == -1:
					kills++
					took = took * 6 / 5 // until some of them get far
					t.Logf("killed after %s", moment)
				default:
					t.Fatalf("after %d kills: %v\n%s", kills, err, stderr.String())
				}
			}
			var last struct {
				Loads []struct {
					Resumed             bool
					Entities, Relations graph.Tally
				}
			}
			if err := json.Unmarshal(report, &last); err != nil || len(last.Loads) != 1 {
				t.Fatalf("%v\n%s", err, report)
			}
			t.Logf("%+v", last)
			kept = kept || last.Loads[0].Resumed && last.Loads[0].Entities.Unchanged+last.Loads[0].Relations.Unchanged > 0
			compare(t, want, open())
		})
	}
	if !kept && !t.Failed() {
		t.Error("no load found anything that a killed one had written: they were killed too early to tell")
	}
}

// reference is the state after one undisturbed load, and how long that took.
func reference(t *testing.T, file string) (loadertest.State, time.Duration) {
	t.Helper()
	began := time.Now()
	store, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "reference.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close(context.Background()) }()
	if _, err := loader.Load(t.Context(), store, []string{file}, loader.Options{}); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	return state(t, store), took
}

func state(t *testing.T, store graph.Store) loadertest.State {
	t.Helper()
	s, err := loadertest.ReadState(t.Context(), store, "generated-5")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Versions) != killRelations || !s.Dataset.Complete {
		t.Errorf("%d relations; %+v", len(s.Versions), s.Dataset)
	}
	return s.WithoutMoments()
}

func compare(t *testing.T, want loadertest.State, store graph.Store) {
	t.Helper()
	got := state(t, store)
	if cmp.Equal(want, got) { // a diff of everything takes long
		return
	}
	for id, v := range want.Versions {
		if diff := cmp.Diff(v, got.Versions[id]); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", id, diff)
		}
	}
	for id, n := range want.Nodes {
		if diff := cmp.Diff(n, got.Nodes[id]); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", id, diff)
		}
	}
	t.Errorf("other things are there: %d nodes and %d relations instead of %d and %d, %+v instead of %+v",
		len(got.Nodes), len(got.Versions), len(want.Nodes), len(want.Versions), got.Dataset, want.Dataset)
}
