package graph

import (
	"context"
	"time"
)

// StoreQuery is a query that a store ran to answer a question.
type StoreQuery struct {
	Language   string // "Cypher" or "SQL"
	Text       string
	Parameters any // by name, or in the order of their places
	// Standalone is the query with its parameters written into it: it can be
	// pasted into Neo4j Browser, cypher-shell or sqlite3 as it is.
	Standalone string
	Rows       int // a collected list counts as its rows
	Duration   time.Duration
}

type tracerKey struct{}

// WithTracer makes stores tell fn of every query that a [Reader] runs under the
// context. fn is called by the goroutine that reads.
func WithTracer(ctx context.Context, fn func(StoreQuery)) context.Context {
	return context.WithValue(ctx, tracerKey{}, fn)
}

// Tracer is what stores tell of their queries, or nil.
func Tracer(ctx context.Context) func(StoreQuery) {
	fn, _ := ctx.Value(tracerKey{}).(func(StoreQuery))
	return fn
}
