package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/sqlitestore"

	"github.com/99designs/gqlgen/graphql"
)

// fakeStore answers reads with a function, and refuses the rest.
type fakeStore struct {
	graph.Store
	read func(ctx context.Context, fn func(graph.Reader) error) error
}

func (s fakeStore) Read(ctx context.Context, fn func(graph.Reader) error) error {
	return s.read(ctx, fn)
}

// emptyStore holds nothing.
func emptyStore(t testing.TB) graph.Store {
	t.Helper()
	store, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close(context.Background()) })
	return store
}

func noLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

type answerOf struct {
	status int
	header http.Header
	body   string
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct{ Code string }
	}
}

func (a answerOf) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return a.Errors[0].Extensions.Code
}

func askHTTP(t testing.TB, h http.Handler, r *http.Request) answerOf {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := answerOf{status: w.Code, header: w.Header(), body: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return a
}

func post(body string) *http.Request {
	r := httptest.NewRequest("POST", "/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func postOf(query string, variables map[string]any) *http.Request {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		panic(err)
	}
	return post(string(body))
}

func TestRequests(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog()})
	const graphQL, plain = "application/graphql-response+json; charset=utf-8", "application/json; charset=utf-8"
	const full = "application/graphql-response+json, application/json;q=0.9"
	get := func(values url.Values) *http.Request {
		return httptest.NewRequest("GET", "/graphql?"+values.Encode(), nil)
	}
	with := func(r *http.Request, name, value string) *http.Request {
		r.Header.Set(name, value)
		return r
	}
	const entity = `{"query": "{ entity(id: \"a\") { id } }"}`
	cases := []struct {
		name   string
		r      *http.Request
		status int
		media  string
		data   string // "-" where the response is to have none
		code   string
	}{
		{"POST", post(entity), 200, plain, `{"entity":null}`, ""},
		{"POST in UTF-8", with(post(entity), "Content-Type", "application/json; charset=UTF-8"), 200, plain, `{"entity":null}`, ""},
		{"POST for JSON", with(post(entity), "Accept", "application/json"), 200, plain, `{"entity":null}`, ""},
		{"POST for anything", with(post(entity), "Accept", "text/html, */*;q=0.8"), 200, plain, `{"entity":null}`, ""},
		{"POST for JSON and not GraphQL", with(post(entity), "Accept", "application/graphql-response+json;q=0, application/json"), 200, plain, `{"entity":null}`, ""},
		{"GET", get(url.Values{"query": {`query ($id: ID!) { entity(id: $id) { id } }`}, "variables": {`{"id": "a"}`}}), 200, plain, `{"entity":null}`, ""},
		{"operationName", post(`{"query": "query A { a: __typename } query B { b: __typename }", "operationName": "B"}`), 200, plain, `{"b":"Query"}`, ""},
		{"introspection", post(`{"query": "{ __type(name: \"Query\") { name } }"}`), 200, plain, `{"__type":{"name":"Query"}}`, ""},

		{"POST for GraphQL", with(post(entity), "Accept", full), 200, graphQL, `{"entity":null}`, ""},
		{"syntax for GraphQL", with(post(`{"query": "{"}`), "Accept", full), 400, graphQL, "-", "GRAPHQL_PARSE_FAILED"},
		{"a batch for GraphQL", with(post(`[]`), "Accept", full), 400, graphQL, "-", CodeBadRequest},
		{"syntax", post(`{"query": "{"}`), 400, plain, "-", "GRAPHQL_PARSE_FAILED"},
		{"syntax for JSON", with(post(`{"query": "{"}`), "Accept", "application/json"), 200, plain, "-", "GRAPHQL_PARSE_FAILED"},
		{"unknown field", post(`{"query": "{ nothing }"}`), 400, plain, "-", "GRAPHQL_VALIDATION_FAILED"},
		{"mutation", post(`{"query": "mutation { a }"}`), 400, plain, "-", "GRAPHQL_VALIDATION_FAILED"},
		{"@defer", post(`{"query": "{ ... @defer { entity(id: \"a\") { id } } }"}`), 400, plain, "-", "GRAPHQL_VALIDATION_FAILED"},
		{"no such operation", post(`{"query": "query A { __typename }", "operationName": "B"}`), 400, plain, "-", "GRAPHQL_VALIDATION_FAILED"},
		{"several operations", post(`{"query": "query A { __typename } query B { __typename }"}`), 400, plain, "-", "GRAPHQL_VALIDATION_FAILED"},
		{"no operation", post(`{"query": "fragment A on Query { __typename }"}`), 400, plain, "-", "GRAPHQL_VALIDATION_FAILED"},
		{"variable of the wrong type", post(`{"query": "query ($n: Int) { relations(first: $n) { totalCount } }", "variables": {"n": "x"}}`), 400, plain, "-", "GRAPHQL_VALIDATION_FAILED"},
		{"bad argument", post(`{"query": "{ relations(first: 501) { totalCount } }"}`), 200, plain, "null", "BAD_USER_INPUT"},
		{"number too large for Go", post(`{"query": "{ relations(first: 99999999999999999999) { totalCount } }"}`), 400, plain, "-", "GRAPHQL_VALIDATION_FAILED"},

		{"no query", post(`{}`), 400, plain, "-", CodeBadRequest},
		{"null", post(`null`), 400, plain, "-", CodeBadRequest},
		{"a batch", post(`[` + entity + `]`), 400, plain, "-", CodeBadRequest},
		{"two values", post(entity + entity), 400, plain, "-", CodeBadRequest},
		{"no JSON", post(`{"query": `), 400, plain, "-", CodeBadRequest},
		{"empty", post(``), 400, plain, "-", CodeBadRequest},
		{"query a number", post(`{"query": 1}`), 400, plain, "-", CodeBadRequest},
		{"variables a list", post(`{"query": "{ __typename }", "variables": []}`), 400, plain, "-", CodeBadRequest},
		{"a form", with(post("query=a"), "Content-Type", "application/x-www-form-urlencoded"), 415, plain, "-", CodeBadRequest},
		{"no content type", with(post(entity), "Content-Type", ""), 415, plain, "-", CodeBadRequest},
		{"UTF-16", with(post(entity), "Content-Type", "application/json; charset=utf-16"), 415, plain, "-", CodeBadRequest},
		{"compressed", with(post(entity), "Content-Encoding", "gzip"), 415, plain, "-", CodeBadRequest},
		{"GET without query", get(nil), 400, plain, "-", CodeBadRequest},
		{"GET with bad variables", get(url.Values{"query": {"{ __typename }"}, "variables": {"[]"}}), 400, plain, "-", CodeBadRequest},
		{"GET of half a code", httptest.NewRequest("GET", "/graphql?query=%7B__typename%7D&x=%zz", nil), 400, plain, "-", CodeBadRequest},
		{"PUT", httptest.NewRequest("PUT", "/graphql", strings.NewReader(entity)), 405, plain, "-", CodeBadRequest},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := askHTTP(t, h, c.r)
			if a.status != c.status || a.header.Get("Content-Type") != c.media {
				t.Errorf("status %d %s, want %d %s", a.status, a.header.Get("Content-Type"), c.status, c.media)
			}
			if a.code() != c.code {
				t.Errorf("code %q, want %q", a.code(), c.code)
			}
			if has := strings.Contains(a.body, `"data":`); has == (c.data == "-") || has && string(a.Data) != c.data {
				t.Errorf("data %s, want %s", a.Data, c.data)
			}
			if a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("browsers may sniff")
			}
			if t.Failed() {
				t.Log(a.body)
			}
		})
	}
}

// TestNoOperation: it is said which operations there are.
func TestNoOperation(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog()})
	for body, want := range map[string]string{
		`{"query": "query A { __typename } query B { __typename }"}`:                        "the document has several operations (A, B); operationName must say which is meant",
		`{"query": "query A { __typename }", "operationName": "C"}`:                         `the document has no operation \"C\"; it has A`,
		`{"query": "{ __typename }", "operationName": "` + strings.Repeat("x", 1000) + `"}`: `the document has no operation \"` + strings.Repeat("x", 60) + `\"; it has one without a name`,
		`{"query": "query A { __typename } query B { __typename } query C { __typename } query D { __typename } query E { __typename } query F { __typename } query G { __typename }"}`: "(A, B, C, D, E, 2 more)",
	} {
		if a := askHTTP(t, h, post(body)); !strings.Contains(a.body, want) {
			t.Errorf("%s\ngives %s\nwant %s", body, a.body, want)
		}
	}
}

// TestOfficesAlone: only offices have holders.
func TestOfficesAlone(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog()})
	for office, want := range map[string]string{
		"LEADS":    `{"data":{"entities":{"totalCount":0}}}`,
		"MET_WITH": "filter.office[1]: MET_WITH is no office; the offices are ENVOY_OF, ",
		"MET_WHIT": `filter.office[1]: the vocabulary has no relation type \"MET_WHIT\"; did you mean MET_WITH?`,
		"XQZW":     `filter.office[1]: the vocabulary has no relation type \"XQZW\"; vocabulary { types { name } } lists`,
	} {
		if a := askHTTP(t, h, post(`{"query": "{ entities(filter: {office: [ENVOY_OF, `+office+`]}) { totalCount } }"}`)); !strings.Contains(a.body, want) {
			t.Errorf("%s gives %s\nwant %s", office, a.body, want)
		}
	}
}

func TestErrorsRepeatNothingOfTheBody(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog()})
	if a := askHTTP(t, h, post(`{"query": "{ __typename }", "extensions": "hunter2"`)); strings.Contains(a.body, "hunter2") {
		t.Error(a.body)
	}
}

func TestPaths(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog()})
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 200}, {"HEAD", "/", 200}, {"POST", "/", 405}, {"GET", "/favicon.ico", 404}, {"GET", "/graphql/x", 404},
		{"OPTIONS", "/graphql", 204},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.status)
		}
	}
}

func TestLimitOnDepth(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog(), Limits: Limits{Depth: 4}})
	within := `{ relations(first: 1) { nodes { source { id } } } }`
	if a := askHTTP(t, h, postOf(within, nil)); a.code() != "" {
		t.Error(a.body)
	}
	for _, beyond := range []string{
		`{ relations(first: 1) { nodes { source { relations { totalCount } } } } }`,
		`{ ...A } fragment A on Query { relations(first: 1) { ...B } } fragment B on RelationConnection { nodes { source { relations { totalCount } } } }`,
	} {
		if a := askHTTP(t, h, postOf(beyond, nil)); a.code() != CodeTooComplex || a.status != 400 {
			t.Error(a.body)
		}
	}
	if a := askHTTP(t, h, postOf(introspectionQuery, nil)); a.code() != "" {
		t.Error("introspection:", a.Errors)
	}
}

func TestLimitOnCost(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog(), Limits: Limits{Cost: 1000}})
	page := `query ($n: Int) { relations(first: $n) { nodes { source { relations(first: $n) { nodes { id } } } } } }`
	cases := []struct {
		name, query string
		variables   map[string]any
		refused     bool
	}{
		{"small pages", page, map[string]any{"n": 10}, false},
		{"large pages by variable", page, map[string]any{"n": 100}, true},
		{"by default pages", page, nil, false},
		{"by literals", `{ relations(first: 500) { nodes { source { id } target { id } } } }`, nil, true},
		{"by aliases", `{ a: relations(first: 400) { nodes { id } } b: relations(first: 400) { nodes { id } } c: relations(first: 400) { nodes { id } } }`, nil, true},
		{"by fragments", `{ a: relations(first: 300) { ...F } b: relations(first: 300) { ...F } } fragment F on RelationConnection { nodes { ...G } } fragment G on Relation { source { id } }`, nil, true},
		{"by ids", `query ($ids: [ID!]!) { a: nodes(ids: $ids) { id } b: nodes(ids: $ids) { id } c: nodes(ids: $ids) { id } }`,
			map[string]any{"ids": strings.Split(strings.Repeat("x,", 400), ",")}, true},
	}
	for _, c := range cases {
		a := askHTTP(t, h, postOf(c.query, c.variables))
		if refused := a.code() == CodeTooComplex; refused != c.refused || !refused && a.code() != "" {
			t.Errorf("%s: %s", c.name, a.body)
		}
	}
}

func TestLimitOnPages(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog(), Limits: Limits{MaxPageSize: 30}})
	for n, code := range map[int]string{30: "", 31: "BAD_USER_INPUT"} {
		a := askHTTP(t, h, postOf(`query ($n: Int) { relations(first: $n) { totalCount } }`, map[string]any{"n": n}))
		if a.code() != code {
			t.Errorf("%d: %s", n, a.body)
		}
	}
}

func TestLimitOnTokens(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog(), Limits: Limits{Tokens: 100, Repeats: 1000}})
	if a := askHTTP(t, h, postOf("{"+strings.Repeat(" __typename", 97)+"}", nil)); a.code() != "" {
		t.Error(a.body)
	}
	if a := askHTTP(t, h, postOf("{"+strings.Repeat(" __typename", 200)+"}", nil)); a.code() != CodeTooComplex || a.status != 400 {
		t.Error(a.body)
	}
}

func TestLimitOnNesting(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog()})
	a := askHTTP(t, h, postOf(strings.Repeat("{ a ", 2000)+strings.Repeat("}", 2000), nil))
	if a.code() != CodeTooComplex {
		t.Error(a.body)
	}
}

func TestLimitOnRequestBytes(t *testing.T) {
	h := NewHandler(emptyStore(t), Options{Logger: noLog(), Limits: Limits{RequestBytes: 1000}})
	body := func(size int) string {
		b := `{"query": "{ __typename }"`
		return b + strings.Repeat(" ", size-len(b)-1) + "}"
	}
	if a := askHTTP(t, h, post(body(1000))); a.code() != "" {
		t.Error(a.body)
	}
	unsized := post("")
	unsized.Body, unsized.ContentLength = io.NopCloser(strings.NewReader(body(1001))), -1
	for name, r := range map[string]*http.Request{"POST": post(body(1001)), "chunked POST": unsized} {
		if a := askHTTP(t, h, r); a.status != 413 || a.code() != CodeBadRequest || strings.Contains(a.body, `"data"`) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	long := httptest.NewRequest("GET", "/graphql?query=%7B__typename%7D&x="+strings.Repeat("x", 1000), nil)
	if a := askHTTP(t, h, long); a.status != 414 {
		t.Errorf("GET: %d %s", a.status, a.body)
	}
}

func TestLimitOnTime(t *testing.T) {
	slow := fakeStore{read: func(ctx context.Context, _ func(graph.Reader) error) error {
		deadline, ok := ctx.Deadline()
		if !ok || time.Until(deadline) > 50*time.Millisecond {
			t.Error("the store is not told of the limit")
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	vague := fakeStore{read: func(ctx context.Context, _ func(graph.Reader) error) error {
		<-ctx.Done()
		return errors.New("interrupted (9)")
	}}
	for name, store := range map[string]graph.Store{"a store that says why": slow, "a store that does not": vague} {
		h := NewHandler(store, Options{Logger: noLog(), Limits: Limits{Time: 50 * time.Millisecond}})
		start := time.Now()
		a := askHTTP(t, h, postOf(`{ entity(id: "a") { id } }`, nil))
		if a.code() != CodeTimeout || strings.Contains(a.body, "interrupted") {
			t.Errorf("%s: %s", name, a.body)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestTimeUpBeforeTheAnswerBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	resp := Execute(ctx, emptyStore(t), Options{Logger: noLog()}, &graphql.RawParams{Query: `{ entity(id: "a") { id } }`})
	if resp == nil || len(resp.Errors) == 0 || resp.Errors[0].Extensions["code"] != CodeTimeout {
		t.Errorf("%+v", resp)
	}
}

func TestLimitOnTimeHoldsInSQLite(t *testing.T) {
	store := emptyStore(t)
	fill(t, store, 10_000)
	// Every list is counted by a scan of all relations.
	var query strings.Builder
	query.WriteString("{")
	for i := range 300 {
		fmt.Fprintf(&query, "a%d: relations(filter: {minConfidence: 0.%03d, cameo: [\"0%d\"]}, first: 1) { totalCount nodes { note } }\n", i, i, i%9+1)
	}
	query.WriteString("}")
	run := func(limit time.Duration) (time.Duration, answerOf) {
		h := NewHandler(store, Options{Logger: noLog(), Limits: Limits{Time: limit, Tokens: 10_000, Aliases: 1000}})
		start := time.Now()
		a := askHTTP(t, h, postOf(query.String(), nil))
		return time.Since(start), a
	}
	const long, short = time.Second, 50 * time.Millisecond
	if _, a := run(long); a.code() != CodeTimeout {
		t.Fatalf("the question takes less than %v: make it slower. %.300s", long, a.body)
	}
	took, a := run(short)
	if a.code() != CodeTimeout || took > long/2 {
		t.Errorf("with a limit of %v: %v, %.300s", short, took, a.body)
	}
}

// fill stores n relations between a few states.
func fill(t testing.TB, store graph.Store, n int) {
	t.Helper()
	now := graph.InstantOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	lease, err := store.Lease(t.Context(), graph.LeaseRequest{Holder: "test", Token: "t", Now: now, Until: now + 3_600_000_000})
	if err != nil || lease.Token != "t" {
		t.Fatal(lease, err)
	}
	edtf, err := graph.ParseEDTF("2025-12-01")
	if err != nil {
		t.Fatal(err)
	}
	date, err := edtf.Resolve(graph.Act, graph.Stated, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	b := &graph.Batch{Lease: "t", At: now, Dataset: &graph.Dataset{Name: "test", RecordedAt: now, Complete: true}}
	for i := range 10 {
		id := fmt.Sprintf("state/%d", i)
		c := graph.Content{Form: graph.FormEntity, Kind: graph.KindState, Name: id}
		b.Statements = append(b.Statements, graph.Statement{ID: id, Dataset: "test", Content: c, RecordedAt: now})
		b.Nodes = append(b.Nodes, &graph.Node{ID: id, Content: c, Canonical: id, Datasets: []string{"test"}})
	}
	confidence := 0.5
	for i := range n {
		b.Relations = append(b.Relations, graph.RelationWrite{
			Relation: &graph.Relation{ID: fmt.Sprintf("r%d", i), Type: "CONSULTED", Source: fmt.Sprintf("state/%d", i%10), Target: fmt.Sprintf("state/%d", (i+1)%10),
				Date: date, Status: graph.Reported, CAMEO: "040", Family: "CONSULT", Confidence: &confidence, Note: "x", Dataset: "test", RecordedAt: now},
			Caption: "consulted", Nature: graph.Act,
		})
	}
	if err := store.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestPanicsAreNotShown(t *testing.T) {
	var log bytes.Buffer
	store := fakeStore{read: func(context.Context, func(graph.Reader) error) error { panic("secret of the server") }}
	h := NewHandler(store, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	a := askHTTP(t, h, postOf(`{ entity(id: "a") { id } }`, nil))
	if a.code() != CodeInternal || strings.Contains(a.body, "secret") {
		t.Error(a.body)
	}
	if a.status != 200 || string(a.Data) != `{"entity":null}` || len(a.Errors[0].Path) != 1 {
		t.Error(a.status, a.body)
	}
	if s := log.String(); !strings.Contains(s, "secret of the server") || !strings.Contains(s, "handler_test.go") {
		t.Errorf("the log has no cause or no stack: %s", s)
	}
}

func TestErrorsOfTheStore(t *testing.T) {
	var log bytes.Buffer
	for _, c := range []struct {
		err  error
		code string
	}{
		{fmt.Errorf("dial 10.1.2.3: %w", graph.ErrUnavailable), CodeStoreUnavailable},
		{errors.New("no such table: 10.1.2.3"), CodeInternal},
	} {
		store := fakeStore{read: func(context.Context, func(graph.Reader) error) error { return c.err }}
		h := NewHandler(store, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		a := askHTTP(t, h, postOf(`{ entity(id: "a") { id } }`, nil))
		if a.code() != c.code || strings.Contains(a.body, "10.1.2.3") {
			t.Error(a.body)
		}
	}
	if strings.Count(log.String(), "10.1.2.3") != 2 {
		t.Error("the log lacks what went wrong:", log.String())
	}
}

func TestExecuteHasTheSameLimits(t *testing.T) {
	store := emptyStore(t)
	o := Options{Logger: noLog(), Limits: Limits{Cost: 10}}
	resp := Execute(t.Context(), store, o, &graphql.RawParams{Query: `query A { relations { nodes { id } } } query B($id: ID!) { entity(id: $id) { id } }`, OperationName: "A"})
	if len(resp.Errors) != 1 || resp.Errors[0].Extensions["code"] != CodeTooComplex {
		t.Errorf("%+v", resp)
	}
	resp = Execute(t.Context(), store, o, &graphql.RawParams{Query: `query A { relations { nodes { id } } } query B($id: ID!) { entity(id: $id) { id } }`, Variables: map[string]any{"id": "a"}, OperationName: "B"})
	if len(resp.Errors) != 0 || string(resp.Data) != `{"entity":null}` {
		t.Errorf("%+v %s", resp, resp.Data)
	}
}

// TestHostileDocuments measures that no document within the limits on bytes
// and tokens takes long to refuse or to answer.
func TestHostileDocuments(t *testing.T) {
	tokens := DefaultLimits().Tokens
	nested := func(n int) string {
		var b strings.Builder
		b.WriteString("{ entity(id: \"a\") { ...F0 } }\n")
		for i := range n {
			fmt.Fprintf(&b, "fragment F%d on Entity { a: relations(first: 0) { nodes { source { ...F%d } } } b: relations(first: 0) { nodes { source { ...F%d } } } }\n", i, i+1, i+1)
		}
		fmt.Fprintf(&b, "fragment F%d on Entity { name }", n)
		return b.String()
	}
	same := func(n int) string {
		var b strings.Builder
		b.WriteString("{ entity(id: \"a\") { ...F0 } }\n")
		for i := range n {
			fmt.Fprintf(&b, "fragment F%d on Entity { ...F%d ...F%d }\n", i, i+1, i+1)
		}
		fmt.Fprintf(&b, "fragment F%d on Entity { name }", n)
		return b.String()
	}
	var aliases strings.Builder
	for i := range tokens/3 - 10 {
		fmt.Fprintf(&aliases, " a%d: name", i)
	}
	documents := map[string]string{
		"one field many times":     `{ entity(id: "a") {` + strings.Repeat(" name", tokens-20) + `} }`,
		"one object many times":    `{ entity(id: "a") {` + strings.Repeat(" date { edtf }", tokens/4-20) + `} }`,
		"many aliases":             `{ entity(id: "a") {` + aliases.String() + `} }`,
		"fragments that double":    nested(60),
		"fragments spread twice":   same(600),
		"cycle":                    `{ entity(id: "a") { ...A } } fragment A on Entity { ...B } fragment B on Entity { ...A ...A }`,
		"circular introspection":   `{ __schema { types { ...A } } } fragment A on __Type { fields { type { ...A } } }`,
		"many directives":          `{ __typename` + strings.Repeat(" @skip(if: false)", tokens/8) + `}`,
		"many spreads of fragment": `{ entity(id: "a") {` + strings.Repeat(" ...A", tokens/2-20) + `} } fragment A on Entity { name date { edtf } }`,
		"many errors":              `{` + strings.Repeat(" nothing", tokens-10) + `}`,
		"empty":                    strings.Repeat(" ", 1<<19),
		"comments":                 `{ __typename ` + strings.Repeat("#\n", 4000) + `}`,
	}
	h := NewHandler(emptyStore(t), Options{Logger: noLog()})
	for name, query := range documents {
		start := time.Now()
		a := askHTTP(t, h, postOf(query, nil))
		took := time.Since(start)
		t.Logf("%-26s %8v %6d bytes %d %s", name, took.Round(time.Millisecond), len(a.body), a.status, a.code())
		if took > time.Minute { // what doubles with every fragment never ends
			t.Errorf("%s took %v", name, took)
		}
		if len(a.body) > 32<<10 {
			t.Errorf("%s: an answer of %d bytes", name, len(a.body))
		}
		if a.code() == CodeInternal {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}
