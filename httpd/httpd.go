// Package httpd puts a store's GraphQL handler on the network: who may ask,
// from which pages, how requests are logged, counted and traced, and whether
// the server is well.
package httpd

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"chancery/graph"
	"chancery/resolvers"

	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"
)

// The paths beside those of package resolvers. They are open to everybody, and
// tell nothing but whether the server is well.
const (
	PathHealth = "/healthz" // the process runs
	PathReady  = "/readyz"  // the store answers, and the server is not stopping
)

// Guard decides who may ask.
type Guard interface {
	// Wrap refuses requests without a valid token.
	Wrap(next http.Handler) http.Handler
	// Check looks at a token, and tells whose it is and until when it holds;
	// the zero time is for ever.
	Check(ctx context.Context, token string) (name string, until time.Time, err error)
}

// Options are what a server may be told.
type Options struct {
	GraphQL resolvers.Options
	// Guard, if set, lets only those in who have a token.
	Guard Guard
	// Caller is the name of whoever the guard let in, and when its token ends
	// (zero for never).
	Caller func(context.Context) (name string, until time.Time)
	// Origins are the sites whose pages may ask, as in https://example.org;
	// "*" is all of them.
	Origins []string
	Logger  *slog.Logger
	// Metrics, if set, is told of requests, operations and queries.
	Metrics *Metrics
	// Tracer, if set, records spans of requests, operations and queries.
	Tracer trace.TracerProvider
}

// Server is the handler of a store, with all that surrounds it.
type Server struct {
	store    graph.Store
	graphql  *resolvers.Handler
	handler  http.Handler
	stopping atomic.Bool
}

// New makes the handler.
func New(store graph.Store, o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.GraphQL.Logger, o.GraphQL.Origins = requestLogger(o.Logger), o.Origins
	if o.Guard != nil {
		o.GraphQL.Authenticate = func(ctx context.Context, token string) (context.Context, error) {
			name, until, err := o.Guard.Check(ctx, token)
			if err != nil {
				return ctx, err
			}
			if e := entryOf(ctx); e != nil {
				e.caller.Store(&name)
			}
			if !until.IsZero() {
				// The socket ends with its token; the context is released then.
				var cancel context.CancelFunc
				ctx, cancel = context.WithDeadline(ctx, until)
				context.AfterFunc(ctx, cancel)
			}
			return ctx, nil
		}
	}
	s := &Server{store: store, graphql: resolvers.NewHandler(store, o.GraphQL)}
	if o.Metrics != nil {
		o.Metrics.subscriptions(s.graphql.Subscriptions)
	}

	asked := compressed(s.graphql)
	if o.Guard != nil {
		asked = guarded(o, asked)
	}
	if len(o.Origins) > 0 {
		asked = cors.New(cors.Options{
			AllowedOrigins: o.Origins,
			AllowedMethods: []string{http.MethodGet, http.MethodPost},
			AllowedHeaders: []string{"Accept", "Authorization", "Content-Type", headerRequestID},
			ExposedHeaders: []string{headerRequestID},
			MaxAge:         600,
		}).Handler(asked)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathHealth, s.health)
	mux.HandleFunc("GET "+PathReady, s.ready)
	mux.Handle("/", asked)
	s.handler = observed(o, recovering(o.Logger, mux))
	if o.Tracer != nil {
		s.handler = otelhttp.NewHandler(s.handler, "request", otelhttp.WithTracerProvider(o.Tracer),
			otelhttp.WithFilter(func(r *http.Request) bool { return r.URL.Path != PathHealth && r.URL.Path != PathReady }))
	}
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Stop makes the server unready, and ends its subscriptions. Other requests go on.
func (s *Server) Stop() {
	s.stopping.Store(true)
	s.graphql.Close()
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") }

// readyTime is how long the store may take to show that it is there.
const readyTime = 3 * time.Second

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.stopping.Load() {
		answer(w, http.StatusServiceUnavailable, "stopping")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	err := s.store.Read(ctx, func(tx graph.Reader) error {
		_, err := tx.Held(ctx, &graph.HeldQuery{Journal: &graph.JournalQuery{}})
		return err
	})
	if err != nil {
		answer(w, http.StatusServiceUnavailable, "the store is not available")
		return
	}
	answer(w, http.StatusOK, "ready")
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// guarded lets the guard look at requests. A WebSocket of a browser cannot have
// a header, so that its token may come in connection_init.
func guarded(o Options, next http.Handler) http.Handler {
	inside := o.Guard.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := resolvers.Authenticated(r.Context())
		if o.Caller != nil {
			name, until := o.Caller(ctx)
			if e := entryOf(ctx); e != nil {
				e.caller.Store(&name)
			}
			if !until.IsZero() { // subscriptions end with the token
				var cancel context.CancelFunc
				ctx, cancel = context.WithDeadline(ctx, until)
				defer cancel()
			}
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && r.Header.Get("Authorization") == "" && r.URL.Path == resolvers.PathGraphQL {
			next.ServeHTTP(w, r)
			return
		}
		// The page of GraphiQL holds nothing of the record, and asks for the token.
		if r.Method == http.MethodGet && (r.URL.Path == resolvers.PathGraphiQL || strings.HasPrefix(r.URL.Path, "/graphiql/")) {
			next.ServeHTTP(w, r)
			return
		}
		inside.ServeHTTP(w, r)
	})
}

// compressed compresses answers of 1 KiB and more for clients that accept it.
// Streams are left alone: they are to arrive as they are written.
func compressed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ContentTypes([]string{
		"application/json", "application/graphql-response+json", "text/html", "text/css", "text/javascript", "application/javascript"}))
	if err != nil {
		panic(err) // the options are constant
	}
	zipped := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" || strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			next.ServeHTTP(w, r)
			return
		}
		zipped.ServeHTTP(w, r)
	})
}

// recovering keeps a panic from ending the connection without an answer.
func recovering(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			requestLogger(logger).ErrorContext(r.Context(), "panic", "path", r.URL.Path, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]}`))
		}()
		next.ServeHTTP(w, r)
	})
}
