package resolvers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
)

// counting is a store that notes the calls of reads.
type counting struct {
	graph.Store
	transactions int
	calls        []string
}

func (c *counting) Read(ctx context.Context, fn func(graph.Reader) error) error {
	c.transactions++
	return c.Store.Read(ctx, func(tx graph.Reader) error { return fn(&countingReader{tx, c}) })
}

type countingReader struct {
	graph.Reader
	c *counting
}

func (r *countingReader) note(call string, n int) {
	r.c.calls = append(r.c.calls, fmt.Sprintf("%s(%d)", call, n))
}

func (r *countingReader) Nodes(ctx context.Context, ids []string, detail bool) (map[string]*graph.Node, error) {
	r.note("Nodes", len(ids))
	if sorted := slices.Clone(ids); len(slices.Compact(slices.Sorted(slices.Values(sorted)))) != len(ids) {
		r.note("duplicates", len(ids))
	}
	return r.Reader.Nodes(ctx, ids, detail)
}

func (r *countingReader) Relations(ctx context.Context, q *graph.RelationQuery) ([]graph.RelationPage, error) {
	r.note("Relations", len(q.IDs))
	return r.Reader.Relations(ctx, q)
}

func (r *countingReader) Entities(ctx context.Context, q *graph.EntityQuery) (graph.EntityPage, error) {
	r.note("Entities", 0)
	return r.Reader.Entities(ctx, q)
}

func (r *countingReader) Candidates(ctx context.Context, q *graph.SearchQuery) ([]*graph.Node, error) {
	r.note("Candidates", 0)
	return r.Reader.Candidates(ctx, q)
}

// star is a data set in which every person has met every other one.
func star(persons int) string {
	var b strings.Builder
	b.WriteString("dataset: star\nentities:\n")
	for i := range persons {
		fmt.Fprintf(&b, "  p%d: {kind: Person, name: Person %d}\n", i, i)
	}
	b.WriteString("relations:\n")
	for i := range persons {
		for j := range i {
			fmt.Fprintf(&b, "  - {type: MET_WITH, source: p%d, target: p%d, date: 2025-01-%02d}\n", i, j, 1+(i*j)%28)
		}
	}
	return b.String()
}

// TestCitations: of sources only as many are read as are asked for.
func TestCitations(t *testing.T) {
	const text = `dataset: cited
entities: {a: {kind: State, name: A}, b: {kind: State, name: B}}
sources: {s1: {name: One}, s2: {name: Two}, s3: {name: Three}}
relations:
  - {type: CONDEMNED, source: a, target: b, date: 2025-01-01, citations: [{source: s1}, {source: s2}, {source: s3}]}
`
	every.Store(t, func(t *testing.T, store graph.Store) {
		if _, err := loader.Load(t.Context(), store, []string{write(t, "cited.yaml", text)}, loader.Options{}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			query string
			nodes string
			names []string
		}{
			{`{ relations { nodes { citations { source { name } } } } }`, "Nodes(3)", []string{"One", "Two", "Three"}},
			{`{ relations { nodes { citations(first: 2) { source { name } } } } }`, "Nodes(2)", []string{"One", "Two"}},
			{`query ($n: Int) { relations { nodes { citations(first: $n) { source { name } } } } }`, "Nodes(3)", []string{"One", "Two", "Three"}},
			{`{ relations { nodes { citations(first: 0) { source { name } } } } }`, "", nil},
		} {
			counted := &counting{Store: store}
			var answer struct {
				Data struct {
					Relations struct {
						Nodes []struct {
							Citations []struct{ Source struct{ Name string } }
						}
					}
				}
			}
			text := ask(t, counted, c.query, nil)
			if err := json.Unmarshal(text, &answer); err != nil || len(answer.Data.Relations.Nodes) != 1 {
				t.Fatalf("%s: %s", c.query, text)
			}
			var names []string
			for _, cited := range answer.Data.Relations.Nodes[0].Citations {
				names = append(names, cited.Source.Name)
			}
			if !slices.Equal(names, c.names) {
				t.Errorf("%s: %q, want %q", c.query, names, c.names)
			}
			if got := strings.Join(slices.DeleteFunc(counted.calls, func(s string) bool { return strings.HasPrefix(s, "Relations") }), " "); got != c.nodes {
				t.Errorf("%s: the calls %q, want %q", c.query, got, c.nodes)
			}
		}
	})
}

// TestCalls: the number of calls to the store depends on the question, not on
// the number of rows, and one operation is one read transaction.
func TestCalls(t *testing.T) {
	const selection = `{ nodes { id source { name relations(first: $n) { edges { node { id } other { id ... on Person { offices { title } relations(first: $n) { nodes { target { name } } } } } } } } } }`
	for _, c := range []struct {
		query string
		most  int // the steps selected
	}{
		{`query($n: Int) { relations(first: $n) ` + selection + ` }`, 7},
		{`query($n: Int) { a: relations(first: $n) { nodes { id } } b: relations(first: $n) { nodes { id } } }`, 2},
		{`query($n: Int) { entities(first: $n) { nodes { name relations(first: $n) { nodes { about { ... on Event { name } } citations { source { name } } reactions { totalCount } } } } } }`, 5},
		{`query($n: Int) { search(text: "person", first: $n) { entity { relations(first: $n) { nodes { id } } } } }`, 2},
		{`query($n: Int) { entity(id: "person/person-1") { name @include(if: false) relations(first: $n) @skip(if: true) { nodes { id } } } }`, 1},
	} {
		every.Store(t, func(t *testing.T, store graph.Store) {
			if _, err := loader.Load(t.Context(), store, []string{write(t, "star.yaml", star(12))}, loader.Options{}); err != nil {
				t.Fatal(err)
			}
			var calls []int
			for _, n := range []int{1, 10} {
				counted := &counting{Store: store}
				answer := ask(t, counted, c.query, map[string]any{"n": json.Number(fmt.Sprint(n))})
				if strings.Contains(string(answer), `"errors"`) {
					t.Fatalf("%s", answer)
				}
				if counted.transactions != 1 {
					t.Errorf("%d read transactions", counted.transactions)
				}
				if len(counted.calls) > c.most {
					t.Errorf("%s\nn = %d: %d calls, at most %d expected: %v", c.query, n, len(counted.calls), c.most, counted.calls)
				}
				if i := slices.IndexFunc(counted.calls, func(s string) bool { return strings.HasPrefix(s, "duplicates") }); i >= 0 {
					t.Errorf("a frontier with duplicates: %v", counted.calls)
				}
				calls = append(calls, len(counted.calls))
			}
			if calls[0] != calls[1] {
				t.Errorf("%s\n%d calls for pages of 1, %d for pages of 10", c.query, calls[0], calls[1])
			}
		})
	}
}
