package resolvers

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// api is GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/.
//
// It takes the place of gqlgen's POST and GET transports, which repeat the
// body in error messages, answer a body that is too large with status 200, and
// add "data" to errors of requests. Subscriptions come as server-sent events or
// over a WebSocket; see subscribe.go.
type api struct {
	exec    *executor.Executor
	o       Options
	socket  transport.Websocket
	closing context.Context // ends when subscriptions are to end
}

// suggestion is what validation adds to an error, with names of the schema.
var suggestion = regexp.MustCompile(`(?s) Did you mean .*$`)

// maxErrors is how many mistakes of one document are told.
const maxErrors = 50

// run executes one request. It is refused when it was not executed at all: for
// its syntax, by validation, or by a limit.
func (a *api) run(ctx context.Context, params *graphql.RawParams) (resp *graphql.Response, refused bool) {
	ctx = graphql.StartOperationTrace(ctx)
	defer func() {
		if cause := recover(); cause != nil {
			resp, refused = a.panicked(ctx, cause), false
		}
	}()
	respond, ctx, resp := a.start(ctx, params, false)
	if resp != nil {
		return resp, true
	}
	return respond(ctx), false
}

func (a *api) panicked(ctx context.Context, cause any) *graphql.Response {
	err := a.exec.PresentRecoveredError(ctx, cause)
	var made *gqlerror.Error
	errors.As(err, &made)
	return &graphql.Response{Data: json.RawMessage("null"), Errors: gqlerror.List{made}}
}

// start begins to execute a request, or says why it is refused.
func (a *api) start(ctx context.Context, params *graphql.RawParams, streams bool) (graphql.ResponseHandler, context.Context, *graphql.Response) {
	op, errs := a.exec.CreateOperationContext(ctx, params)
	observing(ctx).begun(op)
	if errs != nil {
		if op != nil && op.Doc != nil && op.Operation == nil && len(errs) == 1 {
			errs[0].Message = noOperation(op.Doc.Operations, params.OperationName)
		}
		if a.o.NoIntrospection { // gqlgen leaves out the suggestions of one rule
			for _, e := range errs {
				e.Message = suggestion.ReplaceAllString(e.Message, "")
			}
		}
		if more := len(errs) - maxErrors; more > 0 {
			errs = append(errs[:maxErrors:maxErrors], refusal(errcode.ValidationFailed, "there are %d more mistakes like these", more))
		}
		return nil, ctx, a.exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	}
	if op.Operation.Operation == ast.Subscription && !streams {
		return nil, ctx, &graphql.Response{Errors: gqlerror.List{refusal(CodeBadRequest,
			"a subscription is answered as server-sent events (Accept: text/event-stream), or over a WebSocket (graphql-transport-ws)")}}
	}
	respond, ctx := a.exec.DispatchOperation(ctx, op)
	return respond, ctx, nil
}

// noOperation says why a document has no operation of a name, "" being none.
func noOperation(operations ast.OperationList, name string) string {
	const shown = 5
	var names []string
	for i, o := range operations {
		if i == shown {
			names = append(names, fmt.Sprintf("%d more", len(operations)-shown))
			break
		}
		names = append(names, fmt.Sprintf("%.60s", cmp.Or(o.Name, "one without a name")))
	}
	switch has := strings.Join(names, ", "); {
	case name == "":
		return fmt.Sprintf("the document has several operations (%s); operationName must say which is meant", has)
	default:
		return fmt.Sprintf("the document has no operation %.60q; it has %s", name, has)
	}
}

func isSubscription(ctx context.Context) bool {
	return graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get("Upgrade") != "" {
		a.serveSocket(w, r)
		return
	}
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
	mediaType, old := responseType(r.Header)
	if problem != nil {
		observing(r.Context()).failed(errorList(CodeBadRequest, problem.message))
		reply(w, mediaType, problem.status, requestError{Errors: gqlerror.List{refusal(CodeBadRequest, "%s", problem.message)}})
		return
	}
	params.ReadTime.End = graphql.Now()
	if wantsEvents(r.Header) {
		a.serveEvents(w, r, params)
		return
	}
	resp, refused := a.run(r.Context(), params)
	observing(r.Context()).failed(resp.Errors)
	switch {
	case !refused:
		reply(w, mediaType, http.StatusOK, resp)
	case old:
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
// type, and JSON where the client does not mind. Clients that ask for JSON by
// name are old, and take any status but 200 for a failure of the server.
func responseType(h http.Header) (mediaType string, old bool) {
	for accepted := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		mediaType, attributes, err := mime.ParseMediaType(accepted)
		if q, bad := strconv.ParseFloat(attributes["q"], 64); err != nil || bad == nil && q == 0 {
			continue
		}
		switch mediaType {
		case mediaTypeGraphQL:
			return mediaTypeGraphQL, false
		case mediaTypeJSON:
			return mediaTypeJSON, true
		}
	}
	return mediaTypeJSON, false
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
