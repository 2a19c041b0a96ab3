package httpd_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/access"
	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/httpd"
	"chancery/loader"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func serve(t *testing.T, store graph.Store, o httpd.Options) (*httpd.Server, string, *lines) {
	t.Helper()
	log := &lines{}
	o.Logger = slog.New(slog.NewJSONHandler(log, nil))
	o.GraphQL.FollowEvery = 20 * time.Millisecond
	s := httpd.New(store, o)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Stop()
		server.Close()
	})
	return s, server.URL, log
}

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

const types = "/graphql?query=query%20Types%20%7Bvocabulary%7Btypes%7Bname%7D%7D%7D"

// broken is a store that is not there.
type broken struct{ graph.Store }

func (broken) Read(context.Context, func(graph.Reader) error) error { return graph.ErrUnavailable }

func TestHealth(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		s, url, _ := serve(t, store, httpd.Options{})
		status := func(url, path string) int {
			resp, _ := get(t, url+path)
			return resp.StatusCode
		}
		if status(url, "/healthz") != 200 || status(url, "/readyz") != 200 {
			t.Error("the server is well, and says it is not")
		}
		s.Stop()
		if status(url, "/healthz") != 200 || status(url, "/readyz") != 503 {
			t.Error("the server stops, and says it is ready")
		}
		_, without, _ := serve(t, broken{store}, httpd.Options{})
		if status(without, "/healthz") != 200 || status(without, "/readyz") != 503 {
			t.Error("the store is gone, and the server says it is ready")
		}
	})
}

func TestCompression(t *testing.T) {
	_, url, _ := serve(t, every.SQLite(t), httpd.Options{})
	resp, body := get(t, url+types, "Accept-Encoding", "gzip")
	if resp.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(strings.Join(resp.Header.Values("Vary"), ","), "Accept-Encoding") {
		t.Fatal(resp.Header)
	}
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	_, plain := get(t, url+types, "Accept-Encoding", "identity")
	if string(text) != plain || !strings.Contains(plain, "MET_WITH") || len(body) >= len(plain) {
		t.Errorf("%d bytes compressed, %d plain", len(body), len(plain))
	}
}

func TestRequestLog(t *testing.T) {
	_, url, log := serve(t, every.SQLite(t), httpd.Options{})
	resp, _ := get(t, url+types, "X-Request-Id", "abc-123")
	if resp.Header.Get("X-Request-Id") != "abc-123" {
		t.Error(resp.Header)
	}
	resp, _ = get(t, url+"/graphql?query=%7Bnope%7D", "X-Request-Id", "forged\tid")
	own := resp.Header.Get("X-Request-Id")
	var first, second map[string]any
	all := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(all) != 2 || json.Unmarshal([]byte(all[0]), &first) != nil || json.Unmarshal([]byte(all[1]), &second) != nil {
		t.Fatal(log)
	}
	for k, want := range map[string]any{"request": "abc-123", "operation": "Types", "type": "query", "status": 200.0, "path": "/graphql", "method": "GET"} {
		if first[k] != want {
			t.Errorf("%s is %v", k, first[k])
		}
	}
	if second["request"] != own || len(own) != 36 || second["status"] != 400.0 || second["errors"].([]any)[0] != "GRAPHQL_VALIDATION_FAILED" {
		t.Error(all[1])
	}
	if strings.Contains(log.String(), "query=") {
		t.Error("what was asked stands in the log")
	}
}

func TestMetrics(t *testing.T) {
	m := httpd.NewMetrics("v1.2.3")
	_, url, _ := serve(t, every.SQLite(t), httpd.Options{Metrics: m})
	get(t, url+types)
	get(t, url+"/graphql?query=%7Bnope%7D")
	get(t, url+"/graphql?query=%7Bleaders%7BtotalCount%7D%7D")
	for i := range 50 { // paths that clients make up are no labels
		get(t, url+"/x"+strings.Repeat("y", i))
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{
		`chancery_http_requests_total{method="GET",path="/graphql",status="200"} 2`,
		`chancery_http_requests_total{method="GET",path="/graphql",status="400"} 1`,
		`chancery_http_requests_total{method="GET",path="other",status="404"} 50`,
		`chancery_graphql_operations_total{type="query"} 2`,
		`chancery_graphql_errors_total{code="GRAPHQL_VALIDATION_FAILED"} 1`,
		`chancery_store_query_seconds_count{language="SQL"}`, `chancery_subscriptions 0`, `chancery_build_info{version="v1.2.3"} 1`, "go_goroutines", "process_resident_memory_bytes",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s", want)
		}
	}
	if strings.Contains(text, "yyy") {
		t.Error("a client makes labels")
	}
	// Beside the server there are no metrics.
	if resp, _ := get(t, url+"/metrics"); resp.StatusCode != 404 {
		t.Error(resp.Status)
	}
}

func TestTraces(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		recorder := tracetest.NewSpanRecorder()
		_, url, _ := serve(t, store, httpd.Options{Tracer: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))})
		get(t, url+"/graphql?query=query%20Lead%7Bleaders%7BtotalCount%7D%7D", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		get(t, url+"/readyz")
		ended := map[string]sdktrace.ReadOnlySpan{}
		for deadline := time.Now().Add(5 * time.Second); len(ended) < 2 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			for _, s := range recorder.Ended() {
				ended[s.Name()] = s
			}
		}
		request, query := ended["GET"], ended["store query"]
		if request == nil || query == nil {
			t.Fatalf("%v", ended)
		}
		if query.Parent().SpanID() != request.SpanContext().SpanID() || query.EndTime().Before(query.StartTime()) {
			t.Error("the query is no part of the request")
		}
		named := false
		for _, a := range request.Attributes() {
			named = named || string(a.Key) == "graphql.operation.name" && a.Value.AsString() == "Lead"
		}
		if !named {
			t.Error(request.Attributes())
		}
	})
}

func guard(t *testing.T, expires time.Time) (*access.Guard, string) {
	t.Helper()
	token, line, err := access.NewToken("newsroom", expires, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := access.OpenTokens(file, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return access.NewGuard(tokens), token
}

func caller(ctx context.Context) (string, time.Time) {
	c := access.CallerOf(ctx)
	return c.Name, c.Until
}

func TestGuard(t *testing.T) {
	g, token := guard(t, time.Time{})
	_, url, log := serve(t, every.SQLite(t), httpd.Options{Guard: g, Caller: caller, Origins: []string{"https://a.example"}})
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 200, types: 401, "/graphql": 401, "/other": 401, types + "&access_token=" + token: 401} {
		if resp, body := get(t, url+path); resp.StatusCode != want || want == 401 && (resp.Header.Get("WWW-Authenticate") == "" || !strings.Contains(body, "UNAUTHENTICATED")) {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
	}
	if resp, body := get(t, url+types, "Authorization", "Bearer "+token); resp.StatusCode != 200 {
		t.Error(resp.Status, body)
	}
	if !strings.Contains(log.String(), `"caller":"newsroom"`) || strings.Contains(log.String(), token) {
		t.Error(log)
	}
	// A preflight carries no token.
	request, _ := http.NewRequest(http.MethodOptions, url+"/graphql", nil)
	request.Header.Set("Origin", "https://a.example")
	request.Header.Set("Access-Control-Request-Method", "POST")
	request.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
	resp, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.Header.Get("Access-Control-Allow-Origin") != "https://a.example" || resp.StatusCode/100 != 2 {
		t.Error(resp.Status, resp.Header)
	}

	dial := func(header http.Header, payload any) string {
		c, _, err := websocket.Dial(t.Context(), url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
		if err != nil {
			return "refused"
		}
		defer func() { _ = c.CloseNow() }()
		if err := wsjson.Write(t.Context(), c, map[string]any{"type": "connection_init", "payload": payload}); err != nil {
			return err.Error()
		}
		var m struct{ Type string }
		if err := wsjson.Read(t.Context(), c, &m); err != nil {
			return websocket.CloseStatus(err).String()
		}
		return m.Type
	}
	bearer := func(t string) map[string]string { return map[string]string{"Authorization": "Bearer " + t} }
	for name, c := range map[string]struct {
		got, want string
	}{
		"no token":              {dial(nil, nil), "connection_error"},
		"a wrong token":         {dial(nil, bearer("chy_x")), "connection_error"},
		"a token in init":       {dial(nil, bearer(token)), "connection_ack"},
		"a token in the header": {dial(http.Header{"Authorization": {"Bearer " + token}}, nil), "connection_ack"},
		"a wrong one there":     {dial(http.Header{"Authorization": {"Bearer x"}}, bearer(token)), "refused"},
	} {
		if c.got != c.want && !(c.want == "connection_error" && c.got != "connection_ack") {
			t.Errorf("%s: %s", name, c.got)
		}
	}
}

// TestTokenEnds: what a token let in does not outlive it.
func TestTokenEnds(t *testing.T) {
	g, token := guard(t, time.Now().Add(2*time.Second))
	_, url, _ := serve(t, every.SQLite(t), httpd.Options{Guard: g, Caller: caller})
	began := time.Now()
	request, _ := http.NewRequest(http.MethodPost, url+"/graphql", strings.NewReader(`{"query": "subscription { recorded { cursor } }"}`))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := websocket.Dial(t.Context(), url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	_ = wsjson.Write(t.Context(), c, map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token}})
	_ = wsjson.Write(t.Context(), c, map[string]any{"id": "1", "type": "subscribe", "payload": map[string]string{"query": "subscription { recorded { cursor } }"}})
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasSuffix(string(body), "event: complete\ndata:\n\n") || time.Since(began) > time.Minute {
		t.Errorf("%q %v after %v", body, err, time.Since(began))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, _, err := c.Read(ctx); err != nil {
			if ctx.Err() != nil {
				t.Error("the socket outlives its token")
			}
			break
		}
	}
	if resp, _ := get(t, url+types, "Authorization", "Bearer "+token); resp.StatusCode != 401 {
		t.Error(resp.Status)
	}
}

// TestStoreUnavailable: clients hear that the store is away, and nothing of why.
func TestStoreUnavailable(t *testing.T) {
	store := every.SQLite(t)
	if _, err := loader.Load(t.Context(), store, []string{"../data/paris-talks-2025.yaml"}, loader.Options{}); err != nil {
		t.Fatal(err)
	}
	_, url, _ := serve(t, broken{store}, httpd.Options{})
	if resp, body := get(t, url+types); resp.StatusCode != 200 || !strings.Contains(body, "STORE_UNAVAILABLE") {
		t.Error(resp.Status, body)
	}
}
