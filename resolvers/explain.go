package resolvers

import (
	"context"
	"sync"
	"time"

	"chancery/graph"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// ExtensionExplain is the request extension that asks for the queries that the
// store ran, and the response extension that lists them.
const ExtensionExplain = "explain"

// CodeExplainDisabled is the code of requests to explain where that is off.
const CodeExplainDisabled = "EXPLAIN_DISABLED"

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
	graphql.OperationContextMutator
	graphql.OperationInterceptor
} = explainer{}

func (explainer) ExtensionName() string { return "Explain" }

func (explainer) Validate(graphql.ExecutableSchema) error { return nil }

func (e explainer) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if wanted, _ := op.Extensions[ExtensionExplain].(bool); wanted && e.o.NoExplain {
		return refusal(CodeExplainDisabled, "this server does not show the queries that its store runs")
	}
	return nil
}

func (explainer) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if wanted, _ := op.Extensions[ExtensionExplain].(bool); !wanted || isSubscription(ctx) {
		return next(ctx)
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
