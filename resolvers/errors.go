package resolvers

import (
	"context"
	"errors"
	"log/slog"

	"chancery/graph"
	"chancery/resolvers/answer"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The codes that errors carry in extensions.code, beside those of gqlgen for
// documents that do not parse (GRAPHQL_PARSE_FAILED) or do not fit the schema
// (GRAPHQL_VALIDATION_FAILED).
const (
	CodeBadUserInput     = answer.CodeBadUserInput // an argument is malformed
	CodeTooComplex       = "QUERY_TOO_COMPLEX"     // over the limits on depth, cost or tokens
	CodeTimeout          = "TIMEOUT"               // the operation took longer than it may
	CodeStoreUnavailable = "STORE_UNAVAILABLE"     // the store cannot be reached
	CodeInternal         = "INTERNAL"              // a mistake of the server; the log says which
)

// present makes what a client sees of an error. Only errors made for clients
// keep their text; whatever else went wrong is logged, and named by a code.
func present(ctx context.Context, logger *slog.Logger, err error) *gqlerror.Error {
	var made *gqlerror.Error
	if errors.As(err, &made) && made.Err == nil {
		if made.Path == nil {
			made.Path = graphql.GetPath(ctx)
		}
		return made
	}
	out := &gqlerror.Error{Path: graphql.GetPath(ctx), Extensions: map[string]any{}}
	if made != nil && made.Path != nil {
		out.Path, out.Locations = made.Path, made.Locations
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		out.Message = "the operation took longer than it may; ask for less at once"
		out.Extensions["code"] = CodeTimeout
	case errors.Is(err, context.Canceled):
		out.Message = "the operation was cancelled"
		out.Extensions["code"] = CodeTimeout
	case errors.Is(err, graph.ErrUnavailable):
		out.Message = "the store is not available at the moment; try again"
		out.Extensions["code"] = CodeStoreUnavailable
		logger.ErrorContext(ctx, "store unavailable", "error", err)
	default:
		out.Message = "internal error"
		out.Extensions["code"] = CodeInternal
		logger.ErrorContext(ctx, "internal error", "path", out.Path.String(), "error", err)
	}
	return out
}
