package resolvers

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"chancery/graph/storetest/every"
	"chancery/loader"
)

var block = regexp.MustCompile("(?ms)^```(graphql|yaml)\n(.*?)^```$")

// TestDocs runs every operation and loads every data set that the
// documentation shows, and the examples of GraphiQL.
func TestDocs(t *testing.T) {
	files, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	store := every.SQLite(t)
	loadParis(t, store)
	operations, datasets := 0, 0
	answers := func(where, query string) {
		operations++
		if answer := string(ask(t, store, query, nil)); strings.Contains(answer, `"errors"`) {
			t.Errorf("%s: the operation\n%s\nanswers\n%s", where, query, answer)
		}
	}
	for _, file := range append(files, "../README.md") {
		page := every.SQLite(t) // what a page shows may build on what it showed before
		for _, m := range block.FindAllStringSubmatch(string(read(t, file)), -1) {
			if m[1] == "graphql" {
				answers(file, m[2])
				continue
			}
			if filepath.Base(file) == "tables.md" {
				continue // its YAML is of mappings, which the loader's tests read
			}
			datasets++
			if _, err := loader.Load(t.Context(), page, []string{write(t, "d.yaml", m[2])}, loader.Options{}); err != nil {
				t.Errorf("%s: the data set does not load: %v", file, err)
			}
		}
	}
	for _, e := range Examples() {
		answers(e.Name, e.Query)
	}
	if operations < 8 || datasets < 1 {
		t.Errorf("%d operations and %d data sets: the documentation was not read", operations, datasets)
	}
}
