// Package every runs a test on every kind of store.
package every

import (
	"path/filepath"
	"testing"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/sqlitestore"
)

// Store runs the test on an empty store of each kind. Without a Neo4j to use,
// that part says so and is skipped, unless CHANCERY_TEST_NEO4J=required.
func Store(t *testing.T, test func(t *testing.T, store graph.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("neo4j", func(t *testing.T) { test(t, neo4jtest.Open(t)) })
}

// SQLite opens an empty store in a file that goes with the test.
func SQLite(t testing.TB) *sqlitestore.Store {
	t.Helper()
	store, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "chancery.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return store
}
