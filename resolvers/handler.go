package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"chancery/graph"
	"chancery/resolvers/answer"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
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
}

// NewHandler serves a store: GraphQL at /graphql, GraphiQL at /.
func NewHandler(store graph.Store, o Options) http.Handler {
	o = o.withDefaults()
	mux := http.NewServeMux()
	mux.Handle(PathGraphQL, &api{newExecutor(store, o), o})
	mux.Handle("GET /{$}", newGraphiQL())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}

// Execute runs one operation without HTTP, under the same limits. Variables
// are as JSON has them.
func Execute(ctx context.Context, store graph.Store, o Options, query string, variables map[string]any, operation string) *graphql.Response {
	o = o.withDefaults()
	a := &api{newExecutor(store, o), o}
	resp, _ := a.run(ctx, &graphql.RawParams{Query: query, Variables: variables, OperationName: operation})
	return resp
}

// Schema is the schema that is served, for tools that read operations.
func Schema() *ast.Schema { return newSchema().Schema() }

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// newExecutor puts together all that an operation passes through.
func newExecutor(store graph.Store, o Options) *executor.Executor {
	schema := newSchema()
	e := executor.New(schema)
	e.SetQueryCache(documentCache{lru.New[*ast.QueryDocument](o.Limits.CachedDocuments)})
	e.SetParserTokenLimit(o.Limits.Tokens)
	e.SetDefaultRulesFn(validationRules)
	e.SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error { return presented(ctx, o.Logger, err) })
	e.SetRecoverFunc(func(ctx context.Context, cause any) error { return recovered(ctx, o.Logger, cause) })
	e.Use(extension.Introspection{})
	e.Use(costLimit{schema.Schema(), o.Limits})
	e.Use(timeLimit{o})
	e.Use(recordReader{store, answer.PageLimits{Default: o.Limits.PageSize, Max: o.Limits.MaxPageSize}})
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

// api is GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/.
//
// It takes the place of gqlgen's POST and GET transports, which repeat the
// body in error messages, answer a body that is too large with status 200, and
// add "data" to errors of requests. Transports for subscriptions can share its
// executor.
type api struct {
	exec *executor.Executor
	o    Options
}

// maxErrors is how many mistakes of one document are told.
const maxErrors = 50

// run executes one request. It is refused when it was not executed at all: for
// its syntax, by validation, or by a limit.
func (a *api) run(ctx context.Context, params *graphql.RawParams) (resp *graphql.Response, refused bool) {
	ctx = graphql.StartOperationTrace(ctx)
	defer func() {
		if cause := recover(); cause != nil {
			err := a.exec.PresentRecoveredError(ctx, cause)
			var made *gqlerror.Error
			errors.As(err, &made)
			resp, refused = &graphql.Response{Data: json.RawMessage("null"), Errors: gqlerror.List{made}}, false
		}
	}()
	op, errs := a.exec.CreateOperationContext(ctx, params)
	if errs != nil {
		if more := len(errs) - maxErrors; more > 0 {
			errs = append(errs[:maxErrors:maxErrors], refusal(errcode.ValidationFailed, "there are %d more mistakes like these", more))
		}
		return a.exec.DispatchError(graphql.WithOperationContext(ctx, op), errs), true
	}
	respond, ctx := a.exec.DispatchOperation(ctx, op)
	return respond(ctx), false
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	params := &graphql.RawParams{Headers: r.Header}
	params.ReadTime.Start = graphql.Now()
	var problem *badRequest
	switch r.Method {
	case http.MethodPost:
		problem = a.readBody(w, r, params)
	case http.MethodGet, http.MethodHead:
		problem = a.readURL(r, params)
	case http.MethodOptions:
		w.Header().Set("Allow", allowedMethods)
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		w.Header().Set("Allow", allowedMethods)
		problem = bad(http.StatusMethodNotAllowed, "GraphQL is asked with POST or GET, not with %s", r.Method)
	}
	mediaType := responseType(r.Header)
	if problem != nil {
		reply(w, mediaType, problem.status, requestError{Errors: gqlerror.List{refusal(CodeBadRequest, "%s", problem.message)}})
		return
	}
	params.ReadTime.End = graphql.Now()
	resp, refused := a.run(r.Context(), params)
	switch {
	case !refused:
		reply(w, mediaType, http.StatusOK, resp)
	case mediaType == mediaTypeJSON: // old clients take any other status for a failure of the server
		reply(w, mediaType, http.StatusOK, requestError{resp.Errors, resp.Extensions})
	default:
		reply(w, mediaType, http.StatusBadRequest, requestError{resp.Errors, resp.Extensions})
	}
}

const (
	allowedMethods = "GET, HEAD, OPTIONS, POST"

	mediaTypeGraphQL = "application/graphql-response+json"
	mediaTypeJSON    = "application/json"
)

// requestError is a response without data, as opposed to one with data null.
type requestError struct {
	Errors     gqlerror.List  `json:"errors"`
	Extensions map[string]any `json:"extensions,omitempty"`
}

// badRequest says why a request holds no GraphQL request.
type badRequest struct {
	status  int
	message string
}

func bad(status int, format string, args ...any) *badRequest {
	return &badRequest{status, fmt.Sprintf(format, args...)}
}

// readBody reads the request of a POST.
func (a *api) readBody(w http.ResponseWriter, r *http.Request, params *graphql.RawParams) *badRequest {
	mediaType, attributes, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != mediaTypeJSON {
		return bad(http.StatusUnsupportedMediaType, "the Content-Type of a POST is to be application/json")
	}
	if charset := attributes["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return bad(http.StatusUnsupportedMediaType, "the charset of a POST is to be utf-8")
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return bad(http.StatusUnsupportedMediaType, "the body of a POST is not to be encoded")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.o.Limits.RequestBytes))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return bad(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", large.Limit)
		}
		return bad(http.StatusBadRequest, "the body could not be read")
	}
	var request struct {
		Query         *string        `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    map[string]any `json:"extensions"`
	}
	if problem := decode("the body", body, &request); problem != nil {
		return problem
	}
	if request.Query == nil {
		return bad(http.StatusBadRequest, "the body lacks query, the text of the GraphQL document")
	}
	params.Query = *request.Query
	params.OperationName = request.OperationName
	params.Variables = request.Variables
	params.Extensions = request.Extensions
	return nil
}

// readURL reads the request of a GET.
func (a *api) readURL(r *http.Request, params *graphql.RawParams) *badRequest {
	if int64(len(r.URL.RawQuery)) > a.o.Limits.RequestBytes {
		return bad(http.StatusRequestURITooLong, "the query string is longer than %d bytes", a.o.Limits.RequestBytes)
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return bad(http.StatusBadRequest, "the query string is malformed")
	}
	if !values.Has("query") {
		return bad(http.StatusBadRequest,
			"the query string lacks query, the text of the GraphQL document; to ask by hand, open %s in a browser", PathGraphiQL)
	}
	params.Query = values.Get("query")
	params.OperationName = values.Get("operationName")
	for name, into := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := values.Get(name); text != "" {
			if problem := decode(name, []byte(text), into); problem != nil {
				return problem
			}
		}
	}
	return nil
}

// decode reads one JSON object. Numbers stay as they are written.
func decode(what string, text []byte, into any) *badRequest {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); err == nil {
			return bad(http.StatusBadRequest, "%s holds more than one JSON value", what)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		if kind.Field == "" {
			return bad(http.StatusBadRequest, "%s is to be a JSON object, not %s", what, article(kind.Value))
		}
		return bad(http.StatusBadRequest, "%s: %s cannot be %s", what, kind.Field, article(kind.Value))
	}
	return bad(http.StatusBadRequest, "%s is not JSON", what)
}

// article names a JSON type in a sentence.
func article(jsonType string) string {
	switch {
	case jsonType == "array":
		return "a list"
	case jsonType == "object":
		return "an object"
	case jsonType == "bool":
		return "true or false"
	case strings.HasPrefix(jsonType, "number"):
		return "a number"
	}
	return "a " + jsonType
}

// responseType chooses what a response is labelled as: the first acceptable
// type, and that of the specification where the client does not mind.
func responseType(h http.Header) string {
	for accepted := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		mediaType, attributes, err := mime.ParseMediaType(accepted)
		if q, bad := strconv.ParseFloat(attributes["q"], 64); err != nil || bad == nil && q == 0 {
			continue
		}
		switch mediaType {
		case mediaTypeGraphQL, "application/*", "*/*":
			return mediaTypeGraphQL
		case mediaTypeJSON:
			return mediaTypeJSON
		}
	}
	return mediaTypeGraphQL
}

func reply(w http.ResponseWriter, mediaType string, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // only data that is not JSON; gqlgen writes none
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", mediaType+"; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Add("Vary", "Accept")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
