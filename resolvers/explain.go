package resolvers

import (
	"context"
	"sync"
	"time"

	"chancery/graph"

	"github.com/99designs/gqlgen/graphql"
)

// ExtensionExplain is the request extension that asks for the queries that the
// store ran, and the response extension that lists them.
const ExtensionExplain = "explain"

// Explained is a query that a store ran to answer an operation.
type Explained struct {
	Language   string `json:"language"` // Cypher or SQL
	Query      string `json:"query"`
	Parameters any    `json:"parameters"`
	// Standalone has the parameters written into it, to be pasted into Neo4j
	// Browser, cypher-shell or sqlite3.
	Standalone   string  `json:"standalone"`
	Rows         int     `json:"rows"`
	Milliseconds float64 `json:"milliseconds"`
}

// explainer lists the queries of operations that ask for it.
type explainer struct{ o Options }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
} = explainer{}

func (explainer) ExtensionName() string { return "Explain" }

func (explainer) Validate(graphql.ExecutableSchema) error { return nil }

func (e explainer) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if wanted, _ := op.Extensions[ExtensionExplain].(bool); !wanted || isSubscription(ctx) {
		return next(ctx)
	}
	if e.o.NoExplain {
		return graphql.OneShot(&graphql.Response{Data: []byte("null"), Errors: append(graphql.GetErrors(ctx),
			refusal("EXPLAIN_DISABLED", "this server does not show the queries that its store runs"))})
	}
	var mu sync.Mutex
	list := []Explained{}
	respond := next(graph.WithTracer(ctx, func(q graph.StoreQuery) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, Explained{q.Language, q.Text, q.Parameters, q.Standalone(), q.Rows, float64(q.Duration) / float64(time.Millisecond)})
	}))
	return func(ctx context.Context) *graphql.Response {
		resp := respond(ctx)
		if resp == nil {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if resp.Extensions == nil {
			resp.Extensions = map[string]any{}
		}
		resp.Extensions[ExtensionExplain] = list
		return resp
	}
}
