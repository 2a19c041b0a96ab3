package httpd_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/storetest/every"
	"chancery/httpd"
	"chancery/loader"
	"chancery/resolvers"

	"go.uber.org/goleak"
)

// EnvSoak is how long TestSoak asks each store, as in 5m; see make soak.
const EnvSoak = "CHANCERY_SOAK"

const soakClients = 16

// TestSoak lets many clients ask mixed operations for a while, Neo4j being
// restarted twice under them. No answer may be wrong; while the store is away
// they may be refused, in time and by code. Nothing may be left over at the
// end: no goroutine, no connection, no memory.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	lasts := 20 * time.Second
	if text := os.Getenv(EnvSoak); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", EnvSoak, err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		soak(t, every.SQLite(t), lasts, nil)
	})
	t.Run("neo4j", func(t *testing.T) {
		server := neo4jtest.NewServer(t)
		server.Run("start")
		before := sockets(t)
		store, err := neo4jstore.Open(t.Context(), server.Options())
		if err != nil {
			t.Fatal(err)
		}
		soak(t, store, lasts, func() { server.Run("restart") })
		if err := store.Close(context.Background()); err != nil {
			t.Error(err)
		}
		settle(t, "sockets", before, func() int { return sockets(t) })
	})
}

// settle waits until a count is back where it was.
func settle(t *testing.T, what string, before int, count func() int) {
	t.Helper()
	now := 0
	for range 100 {
		if now = count(); now <= before {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s: %d before, %d after", what, before, now)
}

// sockets counts those of this process.
func sockets(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(files) == 0 {
		t.Skip("there is no /proc")
	}
	n := 0
	for _, file := range files {
		if to, err := os.Readlink(file); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc >> 20)
}

func soak(t *testing.T, store graph.Store, lasts time.Duration, restart func()) {
	if _, err := loader.Load(t.Context(), store, []string{"../data/paris-talks-2025.yaml"}, loader.Options{}); err != nil {
		t.Fatal(err)
	}
	type question struct{ name, body, want string }
	var questions []question
	dirs, err := filepath.Glob("../resolvers/testdata/golden/*")
	if err != nil || len(dirs) < 10 {
		t.Fatal(dirs, err)
	}
	for _, dir := range dirs {
		read := func(name string) []byte {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		body, _ := json.Marshal(map[string]any{"query": string(read("query.graphql")), "variables": json.RawMessage(read("variables.json"))})
		var want bytes.Buffer
		if err := json.Compact(&want, read("want.json")); err != nil {
			t.Fatal(err)
		}
		questions = append(questions, question{filepath.Base(dir), string(body), want.String()})
	}
	running := goleak.IgnoreCurrent()
	limit := resolvers.DefaultLimits().Time
	handler := httpd.New(store, httpd.Options{Logger: slog.New(slog.DiscardHandler),
		GraphQL: resolvers.Options{FollowEvery: 200 * time.Millisecond}})
	server := httptest.NewServer(handler)
	transport := &http.Transport{MaxIdleConnsPerHost: 2 * soakClients}
	client := &http.Client{Transport: transport}

	ask := func(q *question) (string, time.Duration) {
		began := time.Now()
		resp, err := client.Post(server.URL+"/graphql", "application/json", strings.NewReader(q.body))
		if err != nil {
			return "no answer: " + err.Error(), time.Since(began)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return "no answer: " + err.Error(), time.Since(began)
		}
		return string(text), time.Since(began)
	}
	for i := range questions { // plans, caches and connections are made
		// A refused document is answered without data; the golden files show it with null.
		got, _ := ask(&questions[i])
		if got != questions[i].want && normal(got) != normal(questions[i].want) {
			t.Fatalf("%s: %s", questions[i].name, got)
		}
		questions[i].want = got
	}
	memory := heap()

	// Followers, who must live through it all.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	heard := make(chan string, 100)
	for range 4 {
		request, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/graphql", strings.NewReader(`{"query": "subscription { recorded { change relation { id } } }"}`))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "text/event-stream")
		resp, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer func() { _ = resp.Body.Close() }()
			for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
				if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					heard <- data
				}
			}
		}()
	}

	var away atomic.Bool // between the stop of Neo4j and some time after its start
	var right, refused, wrong atomic.Int64
	var slowest atomic.Int64
	var end atomic.Int64 // in nanoseconds; restarts may put it off
	end.Store(time.Now().Add(lasts).UnixNano())
	var clients sync.WaitGroup
	for c := range soakClients {
		clients.Go(func() {
			for i := c; time.Now().UnixNano() < end.Load(); i++ {
				q := &questions[i%len(questions)]
				excused := away.Load()
				got, took := ask(q)
				slowest.Store(max(slowest.Load(), int64(took)))
				excused = excused || away.Load()
				switch {
				case got == q.want:
					right.Add(1)
				case excused && (strings.Contains(got, `"STORE_UNAVAILABLE"`) || strings.Contains(got, `"TIMEOUT"`)):
					refused.Add(1)
					time.Sleep(20 * time.Millisecond)
				default:
					if wrong.Add(1) < 5 {
						t.Errorf("%s: after %v: %.500s", q.name, took, got)
					}
				}
			}
		})
	}
	if restart != nil {
		for range 2 {
			time.Sleep(lasts / 4)
			away.Store(true)
			restart()
			// The server answers Bolt; give its first plans some time.
			time.Sleep(2 * time.Second)
			// A short run asks on after each restart all the same.
			end.Store(max(end.Load(), time.Now().Add(lasts/4).UnixNano()))
			// Neo4j plans every question anew, for all clients at once.
			deadline := time.Now().Add(time.Minute)
			for i := range questions {
				got := ""
				for got != questions[i].want {
					if time.Now().After(deadline) {
						t.Fatalf("the server does not serve again after Neo4j is back: %s", got)
					}
					got, _ = ask(&questions[i])
				}
			}
			away.Store(false)
		}
	}
	clients.Wait()
	t.Logf("%d right, %d refused while the store was away, %d wrong; the slowest took %v", right.Load(), refused.Load(), wrong.Load(), time.Duration(slowest.Load()))
	if right.Load() < int64(lasts/time.Second) || slowest.Load() > int64(limit+time.Minute) {
		t.Errorf("%d right answers; the slowest took %v", right.Load(), time.Duration(slowest.Load()))
	}

	file := filepath.Join(t.TempDir(), "late.yaml")
	if err := os.WriteFile(file, []byte("dataset: late\nentities:\n  a: {kind: State, name: A}\n  b: {kind: State, name: B}\nrelations:\n  - {id: late, type: MET_WITH, source: a, target: b, date: 2026-01-01}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loader.Load(t.Context(), store, []string{file}, loader.Options{}); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		select {
		case data := <-heard:
			if want := `{"data":{"recorded":{"change":"RECORDED","relation":{"id":"late/late"}}}}`; data != want {
				t.Errorf("a follower heard %s", data)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("only %d of 4 followers heard of the load", i)
		}
	}
	cancel()
	if after := heap(); after > memory+32 {
		t.Errorf("the heap had %d MiB after the first answers, and has %d MiB at the end", memory, after)
	} else {
		t.Logf("heap: %d MiB, then %d MiB", memory, after)
	}
	handler.Stop()
	server.Close()
	transport.CloseIdleConnections()
	if err := goleak.Find(running); err != nil {
		t.Error(err)
	}
}

// normal leaves out what the transport words differently.
func normal(text string) string { return strings.ReplaceAll(text, `,"data":null`, "") }
