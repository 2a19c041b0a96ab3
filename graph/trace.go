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
	// Standalone makes the query with its parameters written into it: it can be
	// pasted into Neo4j Browser, cypher-shell or sqlite3 as it is.
	Standalone func() string
	Rows       int // a collected list counts as its rows
	Duration   time.Duration
}

type tracerKey struct{}

// WithTracer makes stores tell fn of every query that a [Reader] has run under
// the context, beside those that are told already. fn is called by the
// goroutine that reads.
func WithTracer(ctx context.Context, fn func(StoreQuery)) context.Context {
	if others := Tracer(ctx); others != nil {
		also := fn
		fn = func(q StoreQuery) {
			others(q)
			also(q)
		}
	}
	return context.WithValue(ctx, tracerKey{}, fn)
}

// Tracer is what stores tell of their queries, or nil.
func Tracer(ctx context.Context) func(StoreQuery) {
	fn, _ := ctx.Value(tracerKey{}).(func(StoreQuery))
	return fn
}
