package storetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"chancery/graph"
)

// TestOracle holds the oracle to the cases, so that a wrong expectation shows.
func TestOracle(t *testing.T) {
	Run(t, func(*testing.T) graph.Store { return NewOracle() })
}

// TestEveryStoreRunsEverything fails when a store is not held to the suite, or
// when the suite has a way to leave something out.
func TestEveryStoreRunsEverything(t *testing.T) {
	text, err := os.ReadFile("every/every_test.go")
	if err != nil {
		t.Fatal(err)
	}
	stores, err := filepath.Glob("../*store")
	if err != nil || len(stores) < 2 {
		t.Fatalf("%v, %v", stores, err)
	}
	for _, dir := range stores {
		if store := strings.TrimSuffix(filepath.Base(dir), "store"); !regexp.MustCompile(`(?i)func Test` + store + `\(t \*testing\.T\) \{\s*storetest\.Run\(t, `).Match(text) {
			t.Errorf("every_test.go does not hold %sstore to the whole suite", store)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if file == "suite_test.go" {
			continue
		}
		for _, word := range []string{"Skip(", "sqlitestore", "neo4jstore", "testing.Short"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s has %q: nothing is left out, and nothing is expected of one store alone", file, word)
			}
		}
	}
}

// failing is a test that only notes whether it failed.
type failing struct {
	ctx      context.Context
	failures []string
}

func (f *failing) Helper()                  {}
func (f *failing) Logf(string, ...any)      {}
func (f *failing) Context() context.Context { return f.ctx }

func (f *failing) Errorf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

type fatal struct{}

func (f *failing) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(fatal{})
}

// mutant is the oracle with one mistake.
type mutant struct {
	*Oracle
	relations func(q *graph.RelationQuery, pages []graph.RelationPage, r oracleReader) []graph.RelationPage
	question  func(q *graph.RelationQuery)
	entities  func(q *graph.EntityQuery)
	held      func(h *graph.Held)
	nodes     func(nodes map[string]*graph.Node)
	apply     func(b *graph.Batch)
	search    func(q *graph.SearchQuery)

	walk       func(w *graph.Walk)
	tombstones func(q *graph.TombstoneQuery)
}

// wrongErasure is a mistake in erasing.
func wrongErasure(fn func(e *graph.Erasure)) *mutant {
	return &mutant{apply: func(b *graph.Batch) {
		if b.Erase != nil {
			e := *b.Erase
			fn(&e)
			b.Erase = &e
		}
	}}
}

type mutantReader struct {
	oracleReader
	m *mutant
}

func (m *mutant) Read(ctx context.Context, fn func(graph.Reader) error) error {
	return m.Oracle.Read(ctx, func(tx graph.Reader) error { return fn(mutantReader{tx.(oracleReader), m}) })
}

func (m *mutant) Apply(ctx context.Context, b *graph.Batch) error {
	if m.apply != nil {
		c := *b
		m.apply(&c)
		b = &c
	}
	return m.Oracle.Apply(ctx, b)
}

func (r mutantReader) Relations(ctx context.Context, q *graph.RelationQuery) ([]graph.RelationPage, error) {
	c := *q
	if r.m.question != nil {
		r.m.question(&c)
	}
	pages, err := r.oracleReader.Relations(ctx, &c)
	if r.m.relations != nil {
		pages = r.m.relations(&c, pages, r.oracleReader)
	}
	return pages, err
}

func (r mutantReader) Entities(ctx context.Context, q *graph.EntityQuery) (graph.EntityPage, error) {
	c := *q
	if r.m.entities != nil {
		r.m.entities(&c)
	}
	return r.oracleReader.Entities(ctx, &c)
}

func (r mutantReader) Held(ctx context.Context, q *graph.HeldQuery) (*graph.Held, error) {
	if q.Tombstones != nil && r.m.tombstones != nil {
		c, t := *q, *q.Tombstones
		r.m.tombstones(&t)
		c.Tombstones = &t
		q = &c
	}
	h, err := r.oracleReader.Held(ctx, q)
	if r.m.walk != nil && q.Walk != nil {
		r.m.walk(&h.Walk)
	}
	if r.m.held != nil && (q.History || q.Journal != nil || q.Every != "") {
		r.m.held(h)
	}
	return h, err
}

func (r mutantReader) Nodes(ctx context.Context, ids []string, detail bool) (map[string]*graph.Node, error) {
	nodes, err := r.oracleReader.Nodes(ctx, ids, detail)
	if r.m.nodes != nil {
		r.m.nodes(nodes)
	}
	return nodes, err
}

func (r mutantReader) Candidates(ctx context.Context, q *graph.SearchQuery) ([]*graph.Node, error) {
	c := *q
	c.Words = slices.Clone(q.Words)
	if r.m.search != nil {
		r.m.search(&c)
	}
	return r.oracleReader.Candidates(ctx, &c)
}

// TestSuiteCanFail gives the suite stores with one mistake each, and expects
// it to find every one.
func TestSuiteCanFail(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the suite once for every mistake")
	}
	t.Setenv(envSeed, "7")
	t.Setenv(envHistories, "1")
	ask := func(fn func(q *graph.RelationQuery)) *mutant { return &mutant{question: fn} }
	for name, m := range map[string]*mutant{
		"certain is taken for possible": ask(func(q *graph.RelationQuery) { q.Filter.Certainty = "" }),
		"asOf is ignored":               ask(func(q *graph.RelationQuery) { q.AsOf = nil }),
		"direction is ignored":          ask(func(q *graph.RelationQuery) { q.Filter.Direction = "" }),
		"an empty list does not filter": ask(func(q *graph.RelationQuery) {
			if len(q.Filter.Types) == 0 {
				q.Filter.Types = nil
			}
		}),
		"the order is always newest first":    ask(func(q *graph.RelationQuery) { q.Order = graph.NewestFirst }),
		"pages are always forward":            ask(func(q *graph.RelationQuery) { q.Backward = false }),
		"a page is one row too long":          ask(func(q *graph.RelationQuery) { q.Limit++ }),
		"before is ignored":                   ask(func(q *graph.RelationQuery) { q.Before = nil }),
		"the filter by place is ignored":      ask(func(q *graph.RelationQuery) { q.Filter.Place = nil }),
		"the filter by confidence is ignored": ask(func(q *graph.RelationQuery) { q.Filter.MinConfidence = nil }),
		"codes are compared whole": {relations: func(q *graph.RelationQuery, pages []graph.RelationPage, r oracleReader) []graph.RelationPage {
			for i := range pages {
				pages[i].Rows = slices.DeleteFunc(pages[i].Rows, func(rel *graph.Relation) bool {
					return q.Filter.CAMEO != nil && q.Detail && !slices.Contains(q.Filter.CAMEO, rel.CAMEO) || q.Filter.CAMEO != nil && !q.Detail
				})
			}
			return pages
		}},
		"ties are broken by UTF-16 units": {relations: func(q *graph.RelationQuery, pages []graph.RelationPage, _ oracleReader) []graph.RelationPage {
			for i := range pages {
				slices.SortStableFunc(pages[i].Rows, func(a, b *graph.Relation) int {
					if c := q.Order.Compare(graph.Key{SortDay: a.Date.SortDay}, graph.Key{SortDay: b.Date.SortDay}); c != 0 {
						return c
					}
					return slices.Compare(utf16.Encode([]rune(a.ID)), utf16.Encode([]rune(b.ID)))
				})
			}
			return pages
		}},
		"a count is that of the page": {relations: func(q *graph.RelationQuery, pages []graph.RelationPage, _ oracleReader) []graph.RelationPage {
			for i := range pages {
				pages[i].Count = len(pages[i].Rows)
			}
			return pages
		}},
		"a loop stands twice": {relations: func(q *graph.RelationQuery, pages []graph.RelationPage, _ oracleReader) []graph.RelationPage {
			for i := range pages {
				for j := 0; j < len(pages[i].Rows); j++ {
					if r := pages[i].Rows[j]; q.Anchor == graph.AnchorEntity && r.Source == r.Target {
						pages[i].Rows = slices.Insert(pages[i].Rows, j, r)
						j++
					}
				}
			}
			return pages
		}},
		"empty pages are left out": {relations: func(q *graph.RelationQuery, pages []graph.RelationPage, _ oracleReader) []graph.RelationPage {
			return slices.DeleteFunc(pages, func(p graph.RelationPage) bool { return len(p.Rows) == 0 && p.Count == 0 })
		}},
		"entities are not counted as of a day": {entities: func(q *graph.EntityQuery) { q.AsOf = nil }},
		"entities of any kind are listed":      {entities: func(q *graph.EntityQuery) { q.Filter.Kinds = nil }},
		"the journal leaves out what is withdrawn": {held: func(h *graph.Held) {
			for i := range h.Journal.Batches {
				b := &h.Journal.Batches[i]
				b.Relations = b.Relations[min(1, len(b.Relations)-1):]
			}
		}},
		"the journal ends too early": {held: func(h *graph.Held) {
			if n := len(h.Journal.Batches); n > 0 {
				h.Journal.Batches = h.Journal.Batches[:n-1]
			}
		}},
		"ids are left out of the list of all": {held: func(h *graph.Held) { h.IDs = h.IDs[min(1, len(h.IDs)):] }},
		"former versions are forgotten":       {held: func(h *graph.Held) { clear(h.Versions) }},
		"withdrawn nodes are gone": {nodes: func(nodes map[string]*graph.Node) {
			for id, n := range nodes {
				if n.Withdrawn() {
					delete(nodes, id)
				}
			}
		}},
		"nodes lose their descriptions": {nodes: func(nodes map[string]*graph.Node) {
			for _, n := range nodes {
				n.Description = ""
			}
		}},
		"misspellings are not found": {search: func(q *graph.SearchQuery) {
			for i := range q.Words {
				q.Words[i].Exact = nil
			}
		}},
		"relations between any ids of several are taken for inner ones": ask(func(q *graph.RelationQuery) { q.Filter.Within = false }),
		"who stands for whom is forgotten": {apply: func(b *graph.Batch) {
			for i, n := range b.Nodes {
				c := *n
				c.Canonical = c.ID
				b.Nodes[i] = &c
			}
		}},
		"former versions are not erased": wrongErasure(func(e *graph.Erasure) {
			e.Relations = slices.DeleteFunc(slices.Clone(e.Relations), func(r *graph.Relation) bool { return r.SupersededAt != 0 })
		}),
		"what is about something erased keeps its reference": wrongErasure(func(e *graph.Erasure) { e.Rewritten = nil }),
		"events keep whom was forgotten":                     wrongErasure(func(e *graph.Erasure) { e.Restated = nil }),
		"what was erased leaves no tombstone":                wrongErasure(func(e *graph.Erasure) { e.Tombstones = nil }),
		"tombstones stay when they are lifted":               wrongErasure(func(e *graph.Erasure) { e.Lifted = nil }),
		"of several nodes one is erased":                     wrongErasure(func(e *graph.Erasure) { e.Nodes = e.Nodes[:min(1, len(e.Nodes))] }),
		"the journal keeps what was erased": {held: func(h *graph.Held) {
			for i := range h.Journal.Batches {
				b := &h.Journal.Batches[i]
				b.Relations = slices.Clone(b.Relations)
				for j, entry := range b.Relations {
					if entry == "" {
						b.Relations[j] = "+x"
					}
				}
			}
		}},
		"a blank of the journal is left out, and the rest moves up": {held: func(h *graph.Held) {
			for i := range h.Journal.Batches {
				b := &h.Journal.Batches[i]
				b.Relations = slices.DeleteFunc(slices.Clone(b.Relations), func(entry string) bool { return entry == "" })
			}
		}},
		"a way through everything ends too early": {walk: func(w *graph.Walk) { w.Next = "" }},
		"what names an id in a list is not found": {walk: func(w *graph.Walk) {
			w.Relations = slices.DeleteFunc(w.Relations, func(r *graph.Relation) bool { return len(r.Places) > 0 })
		}},
		"former versions are passed by": {walk: func(w *graph.Walk) {
			w.Relations = slices.DeleteFunc(w.Relations, func(r *graph.Relation) bool { return r.SupersededAt != 0 })
		}},
		"tombstones of one id are not found": {tombstones: func(q *graph.TombstoneQuery) { q.Keys = nil }},
		"priorities are lost": {apply: func(b *graph.Batch) {
			if b.Dataset != nil {
				d := *b.Dataset
				d.Priority = 0
				b.Dataset = &d
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			failed := 0
			for _, run := range parts(t) {
				m.Oracle = NewOracle()
				f := &failing{ctx: t.Context()}
				func() {
					defer func() {
						if cause := recover(); cause != nil { // the end of the part, or of a suite that trusts the store
							f.Errorf("%v", cause)
						}
					}()
					run(f, m)
				}()
				failed += len(f.failures)
				if failed > 0 {
					break
				}
			}
			if failed == 0 {
				t.Error("the suite found nothing wrong")
			}
		})
	}
}
