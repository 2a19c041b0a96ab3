package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/graph/neo4jstore/neo4jtest"
)

// TestLoadBesideServe: while one process serves, another one loads, and the
// next answer has what was loaded. A type that the load brings along is known
// within seconds.
func TestLoadBesideServe(t *testing.T) {
	binary := build(t)
	workshop(t)
	writeFile(t, "types.yaml", "types:\n  - {name: TOASTED, nature: act, infinitive: toast, past: toasted, passive: toasted by}\n")
	writeFile(t, "toast.yaml", "dataset: toast\nrelations:\n  - {type: TOASTED, source: person/emmanuel-macron, target: person/volodymyr-zelenskyy, date: 2025-12-01}\n")
	t.Run("sqlite", func(t *testing.T) {
		loadBesideServe(t, binary, "--store", "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	})
	t.Run("neo4j", func(t *testing.T) {
		opts := neo4jtest.Options(t)
		neo4jtest.Wipe(t, opts)
		loadBesideServe(t, binary, "NEO4J_URI", opts.URI, "NEO4J_USERNAME", opts.Username, "NEO4J_PASSWORD", opts.Password, "NEO4J_DATABASE", opts.Database)
	})
}

// loadBesideServe takes a flag and its value, or the environment that names
// the store.
func loadBesideServe(t *testing.T, binary string, store ...string) {
	var flags, pairs, env []string
	if strings.HasPrefix(store[0], "--") {
		flags = store
	} else {
		pairs = store
		for i := 0; i < len(pairs); i += 2 {
			env = append(env, pairs[i]+"="+pairs[i+1])
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var stderr output
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0"}, flags...), environment(pairs...), nil, io.Discard, &stderr)
	}()
	defer func() {
		stop()
		if s := <-status; s != 0 {
			t.Errorf("status %d: %s", s, &stderr)
		}
	}()
	url := stderr.await(t, `GraphQL   (http://127\.0\.0\.1:\d+/graphql)\n`)
	answer := func(query string) string {
		resp, err := http.Post(url, "application/json", strings.NewReader(`{"query": "`+query+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	load := func(args ...string) {
		command := exec.Command(binary, append(append([]string{"load"}, flags...), args...)...)
		command.Env = append(os.Environ(), env...)
		if flags != nil { // the flag alone says which store
			command.Env = []string{"HOME=" + t.TempDir()}
		}
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	const count = `{ relations { totalCount } entity(id: \"person/emmanuel-macron\") { name } }`
	if got := answer(count); got != `{"data":{"relations":{"totalCount":0},"entity":null}}` {
		t.Fatalf("before the load: %s", got)
	}
	// A subscriber hears of what the other process loads.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"query": "subscription { recorded { change relation { id } } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	events, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = events.Body.Close() }()
	load(paris)
	heard := map[string]bool{}
	for lines := bufio.NewScanner(events.Body); len(heard) < 44 && lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if heard[data] || !strings.HasPrefix(data, `{"data":{"recorded":{"change":"RECORDED","relation":{"id":"paris-talks-2025/`) {
				t.Fatalf("after %d changes: %s", len(heard), data)
			}
			heard[data] = true
		}
	}
	if len(heard) != 44 {
		t.Fatalf("a subscriber heard of %d relations", len(heard))
	}
	if got := answer(count); got != `{"data":{"relations":{"totalCount":44},"entity":{"name":"Emmanuel Macron"}}}` {
		t.Fatalf("after the load: %s", got)
	}
	load("--vocabulary", "types.yaml", "toast.yaml")
	const toasted, want = `{ relations(filter: {types: [TOASTED]}) { nodes { label } } }`, `{"data":{"relations":{"nodes":[{"label":"toasted"}]}}}`
	got := ""
	for deadline := time.Now().Add(5 * time.Second); got != want && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		got = answer(toasted)
	}
	if got != want {
		t.Errorf("after a load with a type of its own: %s", got)
	}
}
