package resolvers

import (
	"context"
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/sqlitestore"

	"github.com/99designs/gqlgen/graphql"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// TestExplain: every query that an answer shows can be pasted as it is, and
// finds as many rows as it says.
func TestExplain(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "chancery.db")
		store, err := sqlitestore.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = store.Close(context.Background()) }()
		db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		explain(t, store, "SQL", func(text string) int {
			rows, err := db.QueryContext(t.Context(), text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			defer func() { _ = rows.Close() }()
			n := 0
			for rows.Next() {
				n++
			}
			if err := rows.Err(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			return n
		})
	})
	t.Run("neo4j", func(t *testing.T) {
		store, opts := neo4jtest.Open(t), neo4jtest.Options(t)
		driver, err := neo4j.NewDriverWithContext(opts.URI, neo4j.BasicAuth(opts.Username, opts.Password, ""))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = driver.Close(context.Background()) }()
		explain(t, store, "Cypher", func(text string) int {
			result, err := neo4j.ExecuteQuery(t.Context(), driver, text, nil, neo4j.EagerResultTransformer, neo4j.ExecuteQueryWithDatabase(opts.Database))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			n := 0
			for i, v := range result.Records[0].Values {
				if list, ok := v.([]any); ok {
					n += len(list)
				} else if i == 0 {
					n++
				}
			}
			return n
		})
	})
}

func explain(t *testing.T, store graph.Store, language string, paste func(string) int) {
	loadParis(t, store)
	queries, err := filepath.Glob("testdata/golden/*/query.graphql")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, file := range queries {
		var variables map[string]any
		if err := json.Unmarshal(read(t, filepath.Join(filepath.Dir(file), "variables.json")), &variables); err != nil {
			t.Fatal(err)
		}
		params := &graphql.RawParams{Query: string(read(t, file)), Variables: variables}
		plain := Execute(t.Context(), store, Options{}, params)
		params.Extensions = map[string]any{"explain": true}
		resp := Execute(t.Context(), store, Options{}, params)
		if string(resp.Data) != string(plain.Data) || plain.Extensions["explain"] != nil {
			t.Errorf("%s: the answer differs when it is explained", file)
		}
		list, _ := resp.Extensions["explain"].([]Explained)
		for _, e := range list {
			total++
			if e.Language != language || strings.Contains(e.Standalone, "$") && language == "Cypher" || e.Milliseconds < 0 || e.Parameters == nil {
				t.Errorf("%s: %+v", file, e)
			}
			if n := paste(e.Standalone); n != e.Rows {
				t.Errorf("%s: %d rows, pasted %d\n%s", file, e.Rows, n, e.Standalone)
			}
		}
		if _, err := json.Marshal(resp); err != nil {
			t.Error(err)
		}
	}
	if total < len(queries) {
		t.Errorf("%d operations ran %d queries", len(queries), total)
	}
	// What people write reaches the query as text, whatever it looks like.
	for _, text := range []string{`o'neil \ "x" ?1 $ids /* */ --`, "line\nbreak\ttab", "\u2028", `\u0027 OR 1=1`} {
		resp := Execute(t.Context(), store, Options{}, &graphql.RawParams{Query: `query ($id: ID!) { entity(id: $id) { name } }`,
			Variables: map[string]any{"id": text}, Extensions: map[string]any{"explain": true}})
		for _, e := range resp.Extensions["explain"].([]Explained) {
			if n := paste(e.Standalone); n != e.Rows {
				t.Errorf("%q: %d rows, pasted %d", text, e.Rows, n)
			}
		}
	}
	resp := Execute(t.Context(), store, Options{NoExplain: true}, &graphql.RawParams{Query: `{ vocabulary { types { name } } }`, Extensions: map[string]any{"explain": true}})
	if len(resp.Errors) != 1 || resp.Errors[0].Extensions["code"] != "EXPLAIN_DISABLED" {
		t.Errorf("%+v", resp)
	}
}
