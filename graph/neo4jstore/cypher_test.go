package neo4jstore_test

import (
	"testing"

	"chancery/graph/neo4jstore"
	"chancery/graph/neo4jstore/neo4jtest"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// rawSession runs Cypher beside the store, and returns the first value.
func rawSession(t testing.TB, opts neo4jstore.Options) func(text string) any {
	t.Helper()
	driver, err := neo4j.NewDriverWithContext(opts.URI, neo4j.BasicAuth(opts.Username, opts.Password, ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = driver.Close(t.Context()) })
	return func(text string) any {
		t.Helper()
		session := driver.NewSession(t.Context(), neo4j.SessionConfig{DatabaseName: opts.Database})
		defer session.Close(t.Context())
		result, err := session.Run(t.Context(), text, nil)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if result.Next(t.Context()) {
			value = result.Record().Values[0]
		}
		if _, err := result.Consume(t.Context()); err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// assertCypher checks what an analyst would see.
func assertCypher(t testing.TB, _ *neo4jstore.Store, text string) {
	t.Helper()
	if got := rawSession(t, neo4jtest.Options(t))(text); got != true {
		t.Errorf("%s: %v", text, got)
	}
}
