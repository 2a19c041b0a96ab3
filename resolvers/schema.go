package resolvers

import (
	"context"

	"chancery/graph"
	"chancery/resolvers/answer"
	"chancery/resolvers/exec"

	"github.com/99designs/gqlgen/graphql"
)

// newSchema is the executable schema. Operations find the store through the
// context; see [recordReader].
func newSchema() graphql.ExecutableSchema {
	return exec.NewExecutableSchema(exec.Config{Resolvers: &Resolver{}})
}

// recordReader is the extension that lets operations read a store.
type recordReader struct {
	store    graph.Store
	limits   answer.PageLimits
	follower *answer.Follower
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
} = recordReader{}

// ExtensionName names the extension in gqlgen's messages.
func (recordReader) ExtensionName() string { return "RecordReader" }

// Validate has nothing to check.
func (recordReader) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptOperation gives every operation its own view of the store.
func (r recordReader) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	return next(answer.WithOperation(ctx, r.store, r.limits, r.follower))
}
