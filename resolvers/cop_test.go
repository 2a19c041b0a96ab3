package resolvers

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestAttacks goes through what graphql-cop tries on a server, see
// https://github.com/dolevf/graphql-cop, and some more of the kind.
func TestAttacks(t *testing.T) {
	open := NewHandler(emptyStore(t), Options{Logger: noLog()})
	closed := NewHandler(emptyStore(t), Options{Logger: noLog(), NoIntrospection: true, NoGraphiQL: true, NoExplain: true})
	refused := func(t *testing.T, h *Handler, query, code string) {
		t.Helper()
		a := askHTTP(t, h, postOf(query, nil))
		if a.status != 400 || a.code() != code || a.Data != nil {
			t.Errorf("%.80s: %d %.300s", query, a.status, a.body)
		}
	}
	repeat := func(n int, each func(i int) string) string {
		var out strings.Builder
		for i := range n {
			out.WriteString(each(i))
		}
		return out.String()
	}

	t.Run("alias overloading", func(t *testing.T) {
		alias := func(i int) string { return fmt.Sprintf("alias%d: __typename\n", i) }
		refused(t, open, "{"+repeat(101, alias)+"}", CodeTooComplex)
		if a := askHTTP(t, open, postOf("{"+repeat(100, alias)+"}", nil)); a.status != 200 {
			t.Error(a.body)
		}
	})
	t.Run("array batching", func(t *testing.T) {
		a := askHTTP(t, open, post(`[`+strings.TrimSuffix(strings.Repeat(`{"query": "{ __typename }"},`, 10), ",")+`]`))
		if a.status != 400 || a.code() != CodeBadRequest {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("field duplication", func(t *testing.T) {
		refused(t, open, "{"+repeat(11, func(int) string { return " __typename" })+"}", CodeTooComplex)
		refused(t, open, "{"+repeat(500, func(int) string { return " __typename" })+"}", CodeTooComplex)
	})
	t.Run("directive overloading", func(t *testing.T) {
		refused(t, open, "{ __typename "+repeat(50, func(int) string { return "@aa" })+"}", "GRAPHQL_VALIDATION_FAILED")
		refused(t, open, "{"+repeat(101, func(int) string { return " ... on Query @include(if: true) { __typename }" })+"}", CodeTooComplex)
	})
	t.Run("circular fragments", func(t *testing.T) {
		refused(t, open, "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "GRAPHQL_VALIDATION_FAILED")
	})
	t.Run("many fragments", func(t *testing.T) {
		refused(t, open, "{"+repeat(101, func(i int) string { return fmt.Sprintf(" ...F%d", i) })+"}"+
			repeat(101, func(i int) string { return fmt.Sprintf(" fragment F%d on Query { __typename }", i) }), CodeTooComplex)
	})
	t.Run("circular introspection", func(t *testing.T) {
		query := "{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }"
		a := askHTTP(t, open, postOf(query, nil))
		if a.status != 400 || a.Data != nil {
			t.Errorf("%d %.200s", a.status, a.body)
		}
	})
	t.Run("introspection off", func(t *testing.T) {
		refused(t, closed, "{ __schema { queryType { name } } }", CodeIntrospectionDisabled)
		refused(t, closed, "query { ... on Query { __type(name: \"Query\") { name } } }", CodeIntrospectionDisabled)
		refused(t, closed, "{ ...F } fragment F on Query { __schema { queryType { name } } }", CodeIntrospectionDisabled)
		if a := askHTTP(t, closed, postOf("{ __typename }", nil)); a.status != 200 {
			t.Error(a.body)
		}
		if a := askHTTP(t, open, postOf("{ __schema { queryType { name } } }", nil)); a.status != 200 {
			t.Error(a.body)
		}
	})
	t.Run("field suggestions", func(t *testing.T) {
		for _, query := range []string{"{ vocabular { types { name } } }", "{ entities(ordrBy: NAME) { totalCount } }", "{ entities(orderBy: NAMES) { totalCount } }",
			"{ node(id: 1) { ... on Persn { name } } }", "{ entities(filter: {kind: [PERSON]}) { totalCount } }"} {
			a := askHTTP(t, closed, postOf(query, nil))
			if a.status != 400 || strings.Contains(a.body, "Did you mean") {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
		if a := askHTTP(t, open, postOf("{ vocabular { types { name } } }", nil)); !strings.Contains(a.body, "Did you mean") {
			t.Error(a.body)
		}
	})
	t.Run("mutation over GET", func(t *testing.T) {
		a := askHTTP(t, open, httptest.NewRequest("GET", "/graphql?"+url.Values{"query": {"mutation { __typename }"}}.Encode(), nil))
		if a.status == 200 || a.Data != nil {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("urlencoded POST", func(t *testing.T) {
		for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""} {
			r := post("query=%7B__typename%7D")
			r.Header.Set("Content-Type", kind)
			if a := askHTTP(t, open, r); a.status != 415 || a.Data != nil {
				t.Errorf("%s: %d %s", kind, a.status, a.body)
			}
		}
	})
	t.Run("GraphiQL", func(t *testing.T) {
		for h, status := range map[*Handler]int{open: 200, closed: 404} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			if w.Code != status {
				t.Errorf("%d, not %d", w.Code, status)
			}
			if policy := w.Header().Get("Content-Security-Policy"); status == 200 && !strings.Contains(policy, "default-src 'none'") && !strings.Contains(policy, "default-src 'self'") {
				t.Errorf("the page may do anything: %s", policy)
			}
		}
		for _, path := range []string{"/graphiql", "/playground", "/console", "/altair", "/graphql/console"} {
			w := httptest.NewRecorder()
			closed.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			if w.Code != 404 {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
	})
	t.Run("tracing", func(t *testing.T) {
		a := askHTTP(t, open, postOf("{ __typename }", nil))
		if strings.Contains(a.body, "extensions") {
			t.Error(a.body)
		}
		body, _ := json.Marshal(map[string]any{"query": "{ vocabulary { types { name } } }", "extensions": map[string]any{"explain": true}})
		if a := askHTTP(t, closed, post(string(body))); strings.Contains(a.body, "SELECT") || a.code() != "EXPLAIN_DISABLED" {
			t.Error(a.body)
		}
	})
	t.Run("unhandled errors", func(t *testing.T) {
		for _, body := range []string{`{"query": "qwerty"}`, `{"query": "{"}`, `{"query": "\u0000"}`, `{"query": 1}`, `{}`, ``, `null`, `{"query": "{ entity(id: \"` + strings.Repeat("x", 100_000) + `\") { id } }"}`,
			`{"query": "query ($id: ID!) { entity(id: $id) { id } }", "variables": {"id": {"a": []}}}`} {
			a := askHTTP(t, open, post(body))
			for _, leak := range []string{"goroutine", ".go:", "panic", "sqlite", "SELECT", "runtime"} {
				if strings.Contains(a.body, leak) {
					t.Errorf("%.60s: %s", body, a.body)
				}
			}
		}
	})
	t.Run("deep nesting", func(t *testing.T) {
		refused(t, open, "{"+strings.Repeat(" entities { nodes { relations { nodes { source {", 8)+" id "+strings.Repeat("} } } } }", 8)+"}", "GRAPHQL_VALIDATION_FAILED")
		refused(t, open, strings.Repeat("{ a", 5000), CodeTooComplex)
	})
}
