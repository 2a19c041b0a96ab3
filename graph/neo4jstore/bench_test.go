package neo4jstore_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore"
	"chancery/graph/neo4jstore/neo4jtest"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

const (
	benchEntities  = 5000
	benchRelations = 60000
	benchBatch     = 5000
)

// benchBatches is a record whose relations crowd around few entities and few
// types, as those of news do.
func benchBatches(t testing.TB, prefix string, relations int) (nodes *graph.Batch, batches []*graph.Batch) {
	rnd := rand.New(rand.NewPCG(1, 2))
	few := func(n int) int { return int(float64(n) * math.Pow(rnd.Float64(), 3)) }
	nodes = &graph.Batch{At: t0}
	for i := range benchEntities {
		state(nodes, fmt.Sprint("e/", i), entity(graph.KindUndecided, fmt.Sprint("Entity number ", i)))
	}
	state(nodes, "source", graph.Content{Form: graph.FormSource, Name: "The source"})
	var types []*graph.RelationType
	for _, known := range vocabulary(t).Types() {
		if known.Nature == graph.Act {
			types = append(types, known)
		}
	}
	first, _ := graph.ParseDay("2014-01-01")
	b := &graph.Batch{At: t0}
	for i := range relations {
		if len(b.Relations) == benchBatch {
			batches = append(batches, b)
			b = &graph.Batch{At: t0}
		}
		d := first + graph.Day(rnd.IntN(365))
		relate(t, b, graph.Relation{ID: fmt.Sprintf("%s/%07d", prefix, (i*7919)%relations), Type: types[few(len(types))].Name, CAMEO: "040",
			Source: fmt.Sprint("e/", few(benchEntities)), Target: fmt.Sprint("e/", few(benchEntities)), Date: date(t, d.String(), graph.Act),
			Goldstein: float(1), Family: "CONSULT", Citations: []graph.Citation{{Source: "source"}}}, nil)
	}
	return nodes, append(batches, b)
}

func benchStore(b testing.TB) (graph.Store, neo4jstore.Options) {
	opts := neo4jtest.Options(b)
	neo4jtest.Wipe(b, opts)
	s := neo4jtest.Reopen(b, opts)
	l, err := s.Lease(context.Background(), graph.LeaseRequest{Token: token, Now: 1, Until: 1 << 50})
	if err != nil || l.Token != token {
		b.Fatal(l, err)
	}
	return s, opts
}

// BenchmarkApply writes relations in batches, and in turns with these the same
// relations by a bare CREATE, under a type without constraint or index. It
// reports both, and their ratio.
func BenchmarkApply(b *testing.B) {
	s, opts := benchStore(b)
	for n := 0; b.Loop(); n++ {
		nodes, batches := benchBatches(b, fmt.Sprint("r", n), benchRelations)
		if n == 0 {
			apply(b, s, nodes)
		}
		_, bare := benchBatches(b, fmt.Sprint("bare", n), benchRelations)
		driver, err := neo4j.NewDriverWithContext(opts.URI, neo4j.BasicAuth(opts.Username, opts.Password, ""))
		if err != nil {
			b.Fatal(err)
		}
		var ours, theirs time.Duration
		for i := range batches {
			began := time.Now()
			apply(b, s, batches[i])
			ours += time.Since(began)
			rows := neo4jstore.BenchRows(bare[i])
			began = time.Now()
			if _, err := neo4j.ExecuteQuery(b.Context(), driver, "UNWIND $rows AS row MATCH (a:Entity {id: row[0]}) MATCH (b:Entity {id: row[1]}) "+
				"CREATE (a)-[r:BARE]->(b) SET r = row[3]", map[string]any{"rows": rows}, neo4j.EagerResultTransformer); err != nil {
				b.Fatal(err)
			}
			theirs += time.Since(began)
		}
		if written := rawSession(b, opts)("MATCH ()-[r]->() WHERE NOT r:BARE AND r.key IS NOT NULL RETURN count(r)"); written != int64((n+1)*benchRelations) {
			b.Fatalf("%v relations were written", written)
		}
		b.ReportMetric(benchRelations/ours.Seconds(), "relations/s")
		b.ReportMetric(benchRelations/theirs.Seconds(), "bare/s")
		b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
		_ = driver.Close(context.Background())
	}
}

// BenchmarkLevel asks for one level of a traversal: the ten newest relations at
// each of the greatest hubs.
func BenchmarkLevel(b *testing.B) {
	s, _ := benchStore(b)
	nodes, batches := benchBatches(b, "r", benchRelations)
	apply(b, s, nodes)
	degree := map[string]int{}
	var all []*graph.Relation
	for _, batch := range batches {
		apply(b, s, batch)
		for _, r := range batch.Relations {
			degree[r.Source]++
			degree[r.Target]++
			all = append(all, r.Relation)
		}
	}
	var hubs []string
	for id := range degree {
		hubs = append(hubs, id)
	}
	slices.SortFunc(hubs, func(x, y string) int { return cmp.Or(cmp.Compare(degree[y], degree[x]), cmp.Compare(x, y)) })
	v := vocabulary(b)
	for _, n := range []int{10, 100} {
		for name, f := range map[string]graph.RelationFilter{"any": {}, "one": {Types: []string{"CONSULTED"}}, "out": {Direction: graph.Out}} {
			for _, count := range []bool{false, true} {
				q := &graph.RelationQuery{Anchor: graph.AnchorEntity, IDs: hubs[:n], Filter: f, Limit: 10, Count: count}
				b.Run(fmt.Sprintf("%s/%d/count=%t", name, n, count), func(b *testing.B) { benchQuestion(b, s, q, expected(v, all, q)) })
			}
		}
	}
	q := &graph.RelationQuery{Anchor: graph.AnchorNone, Limit: 20}
	b.Run("newest of all", func(b *testing.B) { benchQuestion(b, s, q, expected(v, all, q)) })
	q2 := &graph.RelationQuery{Anchor: graph.AnchorNone, Limit: 20, Filter: graph.RelationFilter{Types: []string{"CONSULTED"}}}
	b.Run("newest of one type", func(b *testing.B) { benchQuestion(b, s, q2, expected(v, all, q2)) })
	var ids []string
	for _, r := range all[:benchBatch] {
		ids = append(ids, r.ID)
	}
	b.Run("held 5000 ids that are not there", func(b *testing.B) {
		absent := make([]string, len(ids))
		for i := range ids {
			absent[i] = "new" + ids[i]
		}
		for b.Loop() {
			read(b, s, func(r graph.Reader) error {
				held, err := r.Held(b.Context(), &graph.HeldQuery{Nodes: absent, Relations: absent})
				if len(held.Relations) != 0 {
					b.Fatal(len(held.Relations))
				}
				return err
			})
		}
	})
	b.Run("held 5000 nodes that are not there", func(b *testing.B) {
		for b.Loop() {
			read(b, s, func(r graph.Reader) error {
				_, err := r.Held(b.Context(), &graph.HeldQuery{Nodes: ids})
				return err
			})
		}
	})
	b.Run("held 5000 ids", func(b *testing.B) {
		for b.Loop() {
			read(b, s, func(r graph.Reader) error {
				held, err := r.Held(b.Context(), &graph.HeldQuery{Nodes: ids, Relations: ids})
				if len(held.Relations) != len(ids) {
					b.Fatal(len(held.Relations))
				}
				return err
			})
		}
	})
	b.Run("entries, all pages", func(b *testing.B) {
		for b.Loop() {
			after, total := "", 0
			for {
				var held *graph.Held
				read(b, s, func(r graph.Reader) (err error) {
					held, err = r.Held(b.Context(), &graph.HeldQuery{Dataset: "test", After: after, Limit: benchBatch})
					return err
				})
				if len(held.Entries) == 0 {
					break
				}
				total += len(held.Entries)
				after = held.Entries[len(held.Entries)-1].ID
			}
			if total != benchRelations+benchEntities+1 {
				b.Fatal(total)
			}
		}
	})
}

func benchQuestion(b *testing.B, s graph.Store, q *graph.RelationQuery, want []graph.RelationPage) {
	ask := func() (pages []graph.RelationPage) {
		read(b, s, func(r graph.Reader) (err error) {
			pages, err = r.Relations(b.Context(), q)
			return err
		})
		return pages
	}
	got := ask()
	for i := range want {
		if got[i].Count != want[i].Count || len(got[i].Rows) != len(want[i].Rows) {
			b.Fatalf("%s: a wrong answer", want[i].Anchor)
		}
		for j := range want[i].Rows {
			if got[i].Rows[j].ID != want[i].Rows[j].ID {
				b.Fatalf("%s: %s, not %s", want[i].Anchor, got[i].Rows[j].ID, want[i].Rows[j].ID)
			}
		}
	}
	for b.Loop() {
		ask()
	}
}

// expected answers from a list: of filters, it knows one type and OUT.
func expected(v *graph.Vocabulary, all []*graph.Relation, q *graph.RelationQuery) []graph.RelationPage {
	anchors := q.IDs
	if q.Anchor == graph.AnchorNone {
		anchors = []string{""}
	}
	sorted := slices.SortedFunc(slices.Values(all), func(a, b *graph.Relation) int { return q.Order.Compare(a.Key(), b.Key()) })
	var pages []graph.RelationPage
	for _, anchor := range anchors {
		page := graph.RelationPage{Anchor: anchor}
		for _, r := range sorted {
			known, _ := v.Lookup(r.Type)
			if q.Filter.Types != nil && r.Type != q.Filter.Types[0] || anchor != "" && r.Source != anchor &&
				(r.Target != anchor || q.Filter.Direction == graph.Out && !known.Symmetric) {
				continue
			}
			if len(page.Rows) < q.Limit {
				page.Rows = append(page.Rows, r)
			}
			if q.Count {
				page.Count++
			}
		}
		pages = append(pages, page)
	}
	return pages
}
