package resolvers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"chancery/graph"
	"chancery/resolvers/answer"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// CodeBadRequest is the error code of HTTP requests that hold no GraphQL
// request. The status tells what is wrong with them.
const CodeBadRequest = "BAD_REQUEST"

// The paths that the handler serves.
const (
	PathGraphQL  = "/graphql"
	PathGraphiQL = "/"
)

// Options are the circumstances in which operations run.
type Options struct {
	Limits Limits
	// Logger is told of what goes wrong in the server; nil is slog.Default().
	Logger *slog.Logger
	// NoIntrospection refuses questions about the schema, and leaves the
	// names that would have been right out of errors.
	NoIntrospection bool
	// NoExplain refuses to show the queries that the store ran.
	NoExplain bool
	// NoGraphiQL leaves out the page for asking by hand.
	NoGraphiQL bool
	// Origins are those of pages that may open a WebSocket, beside the
	// server's own, as in https://example.org.
	Origins []string
	// Authenticate checks the token of a WebSocket whose request carried none,
	// as graphql-transport-ws has it in the payload of connection_init. Nil
	// asks for no token.
	Authenticate func(ctx context.Context, token string) (context.Context, error)
	// FollowEvery is how often subscriptions ask the store for news; 0 is 500 ms.
	FollowEvery time.Duration
}

// Handler serves a store: GraphQL at /graphql, GraphiQL at /.
type Handler struct {
	handler  http.Handler
	follower *answer.Follower
	closing  context.Context
	close    context.CancelFunc
}

// NewHandler makes the handler of a store.
func NewHandler(store graph.Store, o Options) *Handler {
	o = o.withDefaults()
	h := &Handler{follower: newFollower(store, o)}
	h.closing, h.close = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	a := &api{exec: newExecutor(store, o, h.follower), o: o, closing: h.closing}
	a.socket = a.newSocket()
	mux.Handle(PathGraphQL, a)
	if !o.NoGraphiQL {
		registerGraphiQL(mux)
	}
	h.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
	return h
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.handler.ServeHTTP(w, r) }

// Close ends all subscriptions, so that a server can shut down. Other
// operations go on.
func (h *Handler) Close() { h.close() }

// Subscriptions is the number of those that are open.
func (h *Handler) Subscriptions() int { return h.follower.Open() }

func newFollower(store graph.Store, o Options) *answer.Follower {
	return answer.NewFollower(store, answer.FollowOptions{Every: o.FollowEvery, Most: o.Limits.Subscriptions,
		Time: o.Limits.Time, Logger: o.Logger})
}

// Execute runs one operation without HTTP, under the same limits. Variables
// are as JSON has them.
func Execute(ctx context.Context, store graph.Store, o Options, params *graphql.RawParams) *graphql.Response {
	o = o.withDefaults()
	a := &api{exec: newExecutor(store, o, newFollower(store, o)), o: o}
	resp, _ := a.run(ctx, params)
	return resp
}

// Schema is the schema that is served, for tools that read operations.
func Schema() *ast.Schema { return newSchema().Schema() }

// SDL is the schema in the schema definition language, without what every
// schema has.
func SDL() string {
	var out strings.Builder
	formatter.NewFormatter(&out, formatter.WithIndent("  ")).FormatSchema(served(Schema()))
	return out.String()
}

// served is the schema without the directives that gqlgen brings with it, and
// that are refused.
func served(schema *ast.Schema) *ast.Schema {
	s := *schema
	s.Directives = maps.Clone(schema.Directives)
	delete(s.Directives, "defer")
	return &s
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	orDefault(&o.FollowEvery, 500*time.Millisecond)
	return o
}

// newExecutor puts together all that an operation passes through.
func newExecutor(store graph.Store, o Options, follower *answer.Follower) *executor.Executor {
	schema := newSchema()
	e := executor.New(schema)
	e.SetQueryCache(documentCache{lru.New[*ast.QueryDocument](o.Limits.CachedDocuments)})
	e.SetParserTokenLimit(o.Limits.Tokens)
	e.SetDefaultRulesFn(validationRules)
	e.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error { return presented(ctx, o.Logger, err) })
	e.SetRecoverFunc(func(ctx context.Context, cause any) error { return recovered(ctx, o.Logger, cause) })
	if o.NoIntrospection {
		e.SetDisableSuggestion(true)
	} else {
		e.Use(extension.Introspection{})
	}
	e.Use(shapeLimit{o})
	e.Use(costLimit{schema.Schema(), o.Limits})
	e.Use(timeLimit{o})
	e.Use(explainer{o})
	e.Use(recordReader{store, answer.PageLimits{Default: o.Limits.PageSize, Max: o.Limits.MaxPageSize}, follower})
	return e
}

// documentCache keeps short documents parsed, so that what it holds is bounded
// in bytes and not only in number.
type documentCache struct{ *lru.LRU[*ast.QueryDocument] }

func (c documentCache) Add(ctx context.Context, query string, doc *ast.QueryDocument) {
	if len(query) <= maxCachedDocument {
		c.LRU.Add(ctx, query, doc)
	}
}

// validationRules are those of the specification, and that nothing is
// deferred: answers come whole, although gqlgen declares @defer.
func validationRules() *rules.Rules {
	r := rules.NewDefaultRules()
	r.AddRule("NoDefer", func(observers *core.Events, addError core.AddErrFunc) {
		observers.OnDirective(func(_ *core.Walker, directive *ast.Directive) {
			if directive.Name == "defer" {
				addError(core.Message("@defer is not supported"), core.At(directive.Position))
			}
		})
	})
	return r
}

// presented is what a client sees of an error: what [present] makes of it,
// except that an operation whose time is up failed for that reason, whatever
// the store made of the interruption.
func presented(ctx context.Context, logger *slog.Logger, err error) *gqlerror.Error {
	var made *gqlerror.Error
	forClient := errors.As(err, &made) && made.Err == nil
	if cause := ctx.Err(); cause != nil && !forClient {
		err = errors.Join(cause, err)
	}
	e := present(ctx, logger, err)
	if e.Extensions["code"] == errcode.ParseFailed && strings.HasPrefix(e.Message, "exceeded ") {
		e.Extensions["code"] = CodeTooComplex // the parser's limits on tokens and nesting
	}
	return e
}

// recovered makes an error of a panic. The client learns nothing of it.
func recovered(ctx context.Context, logger *slog.Logger, cause any) error {
	path := ""
	if p := graphql.GetPath(ctx); p != nil {
		path = p.String()
	}
	logger.ErrorContext(ctx, "panic", "path", path, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	return refusal(CodeInternal, "internal error")
}

func refusal(code, format string, args ...any) *gqlerror.Error {
	return &gqlerror.Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": code}}
}

// costLimit refuses operations that ask for too much before they run.
type costLimit struct {
	schema *ast.Schema
	limits Limits
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = costLimit{}

func (costLimit) ExtensionName() string { return "CostLimit" }

func (costLimit) Validate(graphql.ExecutableSchema) error { return nil }

func (c costLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	cost, depth := Cost(c.schema, op.Operation, op.Variables, c.limits)
	if depth > c.limits.Depth {
		return refusal(CodeTooComplex, "the operation nests %d levels deep; at most %d are allowed", depth, c.limits.Depth)
	}
	if cost > c.limits.Cost {
		return refusal(CodeTooComplex,
			"the operation may ask for %d objects; at most %d are allowed: ask for smaller pages (first, last) or fewer levels", cost, c.limits.Cost)
	}
	return nil
}

// timeLimit gives every operation a deadline, which its calls to the store
// inherit.
type timeLimit struct{ o Options }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
} = timeLimit{}

func (timeLimit) ExtensionName() string { return "TimeLimit" }

func (timeLimit) Validate(graphql.ExecutableSchema) error { return nil }

func (t timeLimit) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if isSubscription(ctx) { // each of its readings has a limit of its own
		return next(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, t.o.Limits.Time)
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		defer cancel()
		resp := respond(ctx)
		if resp == nil { // gqlgen answers nothing once the context has ended
			resp = &graphql.Response{
				Data:   json.RawMessage("null"),
				Errors: gqlerror.List{presented(ctx, t.o.Logger, context.Cause(ctx))},
			}
		}
		return resp
	}
}
