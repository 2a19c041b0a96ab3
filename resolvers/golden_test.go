package resolvers

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden answers anew, from the embedded store")

// loadParis loads the data set that comes with the project.
func loadParis(t testing.TB, store graph.Store) {
	t.Helper()
	if _, err := loader.Load(t.Context(), store, []string{"../data/paris-talks-2025.yaml"}, loader.Options{}); err != nil {
		t.Fatal(err)
	}
}

// ask runs an operation and returns its answer as JSON, indented.
func ask(t testing.TB, store graph.Store, query string, variables map[string]any) []byte {
	t.Helper()
	response := Execute(t.Context(), store, Options{}, &graphql.RawParams{Query: query, Variables: variables})
	b, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// TestGolden asks every operation of testdata/golden on every store. The
// answers are the same to the byte.
func TestGolden(t *testing.T) {
	queries, err := filepath.Glob("testdata/golden/*/query.graphql")
	if err != nil || len(queries) < 10 {
		t.Fatalf("%d operations, %v", len(queries), err)
	}
	every.Store(t, func(t *testing.T, store graph.Store) {
		loadParis(t, store)
		for _, file := range queries {
			dir := filepath.Dir(file)
			t.Run(filepath.Base(dir), func(t *testing.T) {
				query := read(t, file)
				var variables map[string]any
				if err := json.Unmarshal(read(t, filepath.Join(dir, "variables.json")), &variables); err != nil {
					t.Fatal(err)
				}
				got := ask(t, store, string(query), variables)
				golden := filepath.Join(dir, "want.json")
				if *update && strings.Contains(t.Name(), "sqlite") {
					if err := os.WriteFile(golden, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(string(read(t, golden)), string(got)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	})
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
