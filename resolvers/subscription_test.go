package resolvers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/google/go-cmp/cmp"
)

// changeOf is what a subscriber received.
type changeOf struct {
	Cursor     string
	Change     string
	RecordedAt string
	Relation   struct {
		ID     string
		Note   string
		Label  string
		Source struct{ Name string }
		Event  *struct{ ID string }
	}
}

func (c changeOf) String() string {
	return c.Change + " " + strings.TrimPrefix(c.Relation.ID, "news/") + " " + c.Relation.Note
}

const subscribe = `subscription ($filter: RelationFilter, $after: String) {
	recorded(filter: $filter, after: $after) { cursor change recordedAt relation { id note label source { name } event { id } } }
}`

// stream is one connection with server-sent events.
type stream struct {
	t      *testing.T
	lines  *bufio.Scanner
	cancel context.CancelFunc
	done   func() error
}

func follow(t *testing.T, url string, variables map[string]any) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	body, _ := json.Marshal(map[string]any{"query": subscribe, "variables": variables})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+PathGraphQL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %s", answer.Status, answer.Header)
	}
	s := &stream{t: t, lines: bufio.NewScanner(answer.Body), cancel: cancel, done: answer.Body.Close}
	s.lines.Buffer(nil, 1<<20)
	t.Cleanup(s.close)
	return s
}

func (s *stream) close() {
	s.cancel()
	_ = s.done()
}

// event is the next event: next with its data, or complete.
func (s *stream) event() (name, data string) {
	s.t.Helper()
	for s.lines.Scan() {
		switch key, value, _ := strings.Cut(s.lines.Text(), ":"); key {
		case "event":
			name = strings.TrimSpace(value)
		case "data":
			return name, strings.TrimSpace(value)
		}
	}
	s.t.Fatalf("the stream ended: %v", s.lines.Err())
	return "", ""
}

func (s *stream) next(n int) (changes []changeOf) {
	s.t.Helper()
	for range n {
		name, data := s.event()
		var payload struct {
			Data   struct{ Recorded changeOf }
			Errors []any
		}
		if err := json.Unmarshal([]byte(data), &payload); err != nil || name != "next" || payload.Errors != nil {
			s.t.Fatalf("%s %s: %v", name, data, err)
		}
		changes = append(changes, payload.Data.Recorded)
	}
	return changes
}

// edition writes an edition with a relation for each note; an empty one leaves
// it out.
func edition(t *testing.T, dir string, notes []string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("dataset: news\nentities:\n  a: {kind: State, name: Aland}\n  b: {kind: Person, name: Bo}\nrelations:\n")
	text.WriteString("  - {id: always, type: MET_WITH, source: a, target: b, date: 2024-01-01}\n")
	for i, note := range notes {
		if note != "" {
			fmt.Fprintf(&text, "  - {id: r%d, type: %s, source: a, target: b, date: 2024-01-02, note: %s}\n", i, []string{"MET_WITH", "CONDEMNED"}[i%2], note)
		}
	}
	file := filepath.Join(dir, "news.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func load(t *testing.T, store graph.Store, file string) {
	t.Helper()
	if _, err := loader.Load(t.Context(), store, []string{file}, loader.Options{}); err != nil {
		t.Fatal(err)
	}
}

func serveStore(t *testing.T, store graph.Store, o Options) (*Handler, string) {
	o.Logger, o.FollowEvery = noLog(), 20*time.Millisecond
	h := NewHandler(store, o)
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		h.Close()
		server.Close()
		for deadline := time.Now().Add(5 * time.Second); h.Subscriptions() > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d subscriptions are open at the end", h.Subscriptions())
			}
		}
	})
	return h, server.URL
}

// TestRecorded: what loads record, correct and withdraw arrives, in order, as
// it is written, and over both transports.
func TestRecorded(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		_, url := serveStore(t, store, Options{})
		dir := t.TempDir()
		load(t, store, edition(t, dir, []string{"old"}))
		all := follow(t, url, nil)
		condemned := follow(t, url, map[string]any{"filter": map[string]any{"types": []string{"CONDEMNED"}, "withKinds": []string{"PERSON"}}})
		nobody := follow(t, url, map[string]any{"filter": map[string]any{"withKinds": []string{"FACILITY"}}})
		socket := dial(t, url, nil)
		socket.subscribe("1", nil)
		socket.ready()

		load(t, store, edition(t, dir, []string{"new", "fresh", "more"}))
		want := []string{"CORRECTED r0 new", "RECORDED r1 fresh", "RECORDED r2 more"}
		got := all.next(3)
		if diff := cmp.Diff(want, texts(got)); diff != "" {
			t.Fatal(diff)
		}
		if got[0].Relation.Source.Name != "Aland" || got[0].Relation.Label != "met with" || got[0].RecordedAt == "" {
			t.Errorf("%+v", got[0])
		}
		load(t, store, edition(t, dir, []string{"", "fresh", "changed"}))
		want = []string{"CORRECTED r2 changed", "WITHDRAWN r0 new"}
		if diff := cmp.Diff(want, texts(all.next(2))); diff != "" {
			t.Fatal(diff)
		}
		load(t, store, edition(t, dir, []string{"again", "fresh", "changed"}))
		if diff := cmp.Diff([]string{"RECORDED r0 again"}, texts(all.next(1))); diff != "" {
			t.Fatal(diff)
		}
		load(t, store, edition(t, dir, []string{"again", "", "changed"}))
		if diff := cmp.Diff([]string{"RECORDED r1 fresh", "WITHDRAWN r1 fresh"}, texts(condemned.next(2))); diff != "" {
			t.Fatal(diff)
		}
		want = []string{"CORRECTED r0 new", "RECORDED r1 fresh", "RECORDED r2 more", "CORRECTED r2 changed", "WITHDRAWN r0 new", "RECORDED r0 again", "WITHDRAWN r1 fresh"}
		if diff := cmp.Diff(want, texts(socket.next(7))); diff != "" {
			t.Fatal(diff)
		}
		// The one that matches nothing is alive all the same: closing ends it in order.
		_ = nobody
	})
}

func texts(changes []changeOf) (out []string) {
	for _, c := range changes {
		out = append(out, c.String())
	}
	return out
}

// torn is a store whose readers may see a part of the newest batch only, as
// those of Neo4j do for a moment while it is committed.
type torn struct {
	graph.Store
	mu     sync.Mutex
	chance *rand.Rand
}

func (s *torn) Read(ctx context.Context, fn func(graph.Reader) error) error {
	return s.Store.Read(ctx, func(tx graph.Reader) error { return fn(tornReader{tx, s}) })
}

type tornReader struct {
	graph.Reader
	store *torn
}

func (r tornReader) Held(ctx context.Context, q *graph.HeldQuery) (*graph.Held, error) {
	held, err := r.Reader.Held(ctx, q)
	if err != nil {
		return nil, err
	}
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if n := len(held.Journal.Batches); n > 0 && r.store.chance.IntN(4) == 0 {
		held.Journal.Batches = held.Journal.Batches[:n-1]
	}
	for id, versions := range held.Versions {
		switch last := versions[len(versions)-1]; r.store.chance.IntN(20) {
		case 0: // the new version is not there yet
			held.Versions[id] = versions[:len(versions)-1]
		case 1: // or the former one not gone yet
			last.SupersededAt = 0
			if len(versions) > 1 {
				versions[len(versions)-2].SupersededAt = 0
			}
		}
	}
	return held, nil
}

// TestRecordedResumes: a subscriber whose connection breaks again and again,
// at random moments, and who goes on from its last cursor, receives what one
// that was never interrupted receives.
func TestRecordedResumes(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		_, url := serveStore(t, &torn{Store: store, chance: rand.New(rand.NewPCG(5, 6))}, Options{})
		dir := t.TempDir()
		load(t, store, edition(t, dir, nil))
		steady, broken := follow(t, url, nil), follow(t, url, nil)
		breaks := rand.New(rand.NewPCG(3, 4))
		r := rand.New(rand.NewPCG(1, 2))
		notes := make([]string, 12)
		loads := make(chan int)
		go func() {
			defer close(loads)
			for i := range 12 {
				n := 0
				for j := range notes {
					if next := fmt.Sprintf("v%d", r.IntN(3)); r.IntN(3) > 0 {
						if r.IntN(5) == 0 {
							next = ""
						}
						if next != notes[j] {
							n++
						}
						notes[j] = next
					}
				}
				if n == 0 {
					notes[0] = fmt.Sprint("only", i)
					n = 1
				}
				load(t, store, edition(t, dir, notes))
				loads <- n
			}
		}()
		var want, got []changeOf
		cursor := ""
		for n := range loads {
			want = append(want, steady.next(n)...)
			for len(got) < len(want) {
				some := broken.next(1 + breaks.IntN(len(want)-len(got)))
				got = append(got, some...)
				cursor = some[len(some)-1].Cursor
				broken.close()
				broken = follow(t, url, map[string]any{"after": cursor})
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) < 20 {
			t.Fatalf("%d changes; %s", len(want), diff)
		}
		seen := map[string]bool{}
		for _, c := range got {
			if seen[c.Cursor] {
				t.Errorf("the cursor of %s occurs twice", c)
			}
			seen[c.Cursor] = true
		}
		// From the first change, with what was written long ago.
		again := follow(t, url, map[string]any{"after": want[0].Cursor}).next(len(want) - 1)
		if diff := cmp.Diff(texts(want[1:]), texts(again)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRecordedRefuses(t *testing.T) {
	store := every.SQLite(t)
	h, url := serveStore(t, store, Options{Limits: Limits{Subscriptions: 2}})
	for _, c := range []struct {
		variables map[string]any
		want      string
	}{
		{map[string]any{"after": "nonsense"}, `after: is no cursor of a change`},
		{map[string]any{"after": graph.Position{Seq: 77, N: 1}.Cursor()}, `after: is no cursor of a change`},
		{map[string]any{"filter": map[string]any{"types": []string{"GREETED"}}}, `filter.types[0]`},
	} {
		s := follow(t, url, c.variables)
		if name, data := s.event(); name != "next" || !strings.Contains(data, c.want) || !strings.Contains(data, CodeBadUserInput) {
			t.Errorf("%v: %s %s", c.variables, name, data)
		}
		if name, _ := s.event(); name != "complete" {
			t.Errorf("%v: then %s", c.variables, name)
		}
	}
	first, second := follow(t, url, nil), follow(t, url, nil)
	s := follow(t, url, nil)
	if _, data := s.event(); !strings.Contains(data, "TOO_MANY_SUBSCRIPTIONS") {
		t.Error(data)
	}
	first.close()
	second.close()
	for deadline := time.Now().Add(10 * time.Second); h.Subscriptions() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("subscriptions stay open when clients have gone")
		}
	}
	// Without a stream there is nothing to answer with.
	if a := askHTTP(t, h, postOf(subscribe, nil)); a.status != 400 || !strings.Contains(a.body, "text/event-stream") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestClosingEndsSubscriptions: a server that stops does not wait for those
// who follow.
func TestClosingEndsSubscriptions(t *testing.T) {
	h, url := serveStore(t, every.SQLite(t), Options{})
	s := follow(t, url, nil)
	w := dial(t, url, nil)
	w.subscribe("1", nil)
	w.ready()
	h.Close()
	if name, _ := s.event(); name != "complete" {
		t.Error(name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		if _, _, err := w.conn.Read(ctx); err != nil {
			if ctx.Err() != nil {
				t.Error("the socket stays open")
			}
			return
		}
	}
}

// TestSocketOrigins: a page of another site cannot open a socket.
func TestSocketOrigins(t *testing.T) {
	_, url := serveStore(t, every.SQLite(t), Options{Origins: []string{"https://front.example"}})
	for origin, want := range map[string]bool{"": true, url: true, "https://front.example": true, "https://evil.example": false, "null": false} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		c, _, err := websocket.Dial(t.Context(), url+PathGraphQL, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
		if err == nil {
			_ = c.CloseNow()
		}
		if (err == nil) != want {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
}

// socket speaks graphql-transport-ws.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func dial(t *testing.T, url string, payload any) *socket {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url+PathGraphQL, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	s := &socket{t, conn}
	text, _ := json.Marshal(payload)
	s.write(message{Type: "connection_init", Payload: text})
	if m := s.read(); m.Type != "connection_ack" {
		t.Fatalf("%+v", m)
	}
	return s
}

func (s *socket) write(m message) {
	s.t.Helper()
	if err := wsjson.Write(s.t.Context(), s.conn, m); err != nil {
		s.t.Fatal(err)
	}
}

func (s *socket) read() (m message) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	if err := wsjson.Read(ctx, s.conn, &m); err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s *socket) subscribe(id string, variables map[string]any) {
	payload, _ := json.Marshal(map[string]any{"query": subscribe, "variables": variables})
	s.write(message{ID: id, Type: "subscribe", Payload: payload})
}

// ready returns when the server has begun what was asked before: it answers
// messages in turn.
func (s *socket) ready() {
	s.t.Helper()
	s.write(message{Type: "ping"})
	for s.read().Type != "pong" {
	}
	time.Sleep(200 * time.Millisecond) // the subscription itself begins beside
}

func (s *socket) next(n int) (changes []changeOf) {
	s.t.Helper()
	for len(changes) < n {
		m := s.read()
		if !slices.Contains([]string{"next", "ping", "pong"}, m.Type) {
			s.t.Fatalf("%s %s", m.Type, m.Payload)
		}
		if m.Type == "next" {
			var payload struct{ Data struct{ Recorded changeOf } }
			if err := json.Unmarshal(m.Payload, &payload); err != nil {
				s.t.Fatal(err)
			}
			changes = append(changes, payload.Data.Recorded)
		}
	}
	return changes
}
