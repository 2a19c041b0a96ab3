package httpd

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"sync/atomic"
	"time"

	"chancery/graph"
	"chancery/resolvers"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

const headerRequestID = "X-Request-Id"

// requestIDs are what a client may call its request.
var requestIDs = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// entry is what is noted of a request while it runs.
type entry struct {
	id     string
	caller atomic.Pointer[string]
}

type entryKey struct{}

func entryOf(ctx context.Context) *entry {
	e, _ := ctx.Value(entryKey{}).(*entry)
	return e
}

// RequestID is the id of the request that the context belongs to, or "".
func RequestID(ctx context.Context) string {
	if e := entryOf(ctx); e != nil {
		return e.id
	}
	return ""
}

// requestLogger adds the request's id to what is logged in its context.
func requestLogger(logger *slog.Logger) *slog.Logger {
	if _, ok := logger.Handler().(idHandler); ok {
		return logger
	}
	return slog.New(idHandler{logger.Handler()})
}

type idHandler struct{ slog.Handler }

func (h idHandler) Handle(ctx context.Context, record slog.Record) error {
	if id := RequestID(ctx); id != "" {
		record.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, record)
}

func (h idHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return idHandler{h.Handler.WithAttrs(attrs)}
}
func (h idHandler) WithGroup(name string) slog.Handler { return idHandler{h.Handler.WithGroup(name)} }

// observed gives every request an id, and notes what became of it: in the log,
// in the metrics and in the trace.
func observed(o Options, next http.Handler) http.Handler {
	var tracer trace.Tracer
	if o.Tracer != nil {
		tracer = o.Tracer.Tracer("chancery")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		e := &entry{id: r.Header.Get(headerRequestID)}
		if !requestIDs.MatchString(e.id) {
			e.id = uuid.NewString()
		}
		ctx := context.WithValue(r.Context(), entryKey{}, e)
		ctx, served := resolvers.Observe(ctx)
		if o.Metrics != nil {
			ctx = graph.WithTracer(ctx, o.Metrics.query)
		}
		if tracer != nil {
			ctx = graph.WithTracer(ctx, func(q graph.StoreQuery) { span(ctx, tracer, q) })
		}
		w.Header().Set(headerRequestID, e.id)
		counted := &countedWriter{ResponseWriter: w}
		next.ServeHTTP(counted, r.WithContext(ctx))
		took := time.Since(began)
		if counted.status == 0 {
			counted.status = http.StatusOK
		}
		if o.Metrics != nil {
			o.Metrics.request(r, counted.status, took, served)
		}
		if tracer != nil {
			if s := trace.SpanFromContext(r.Context()); s.IsRecording() {
				s.SetAttributes(attribute.String("chancery.request", e.id), attribute.String("graphql.operation.name", served.Name()),
					attribute.String("graphql.operation.type", served.Type()))
			}
		}
		level := slog.LevelInfo
		switch {
		case r.URL.Path == PathHealth || r.URL.Path == PathReady:
			level = slog.LevelDebug
		case counted.status >= http.StatusInternalServerError:
			level = slog.LevelError
		}
		attrs := []slog.Attr{
			slog.String("request", e.id), slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", counted.status), slog.Int64("bytes", counted.bytes), slog.Float64("ms", float64(took.Microseconds())/1000),
		}
		if name := e.caller.Load(); name != nil {
			attrs = append(attrs, slog.String("caller", *name))
		}
		if served.Type() != "" {
			attrs = append(attrs, slog.String("type", served.Type()), slog.String("operation", served.Name()))
		}
		if codes := served.Codes(); len(codes) > 0 {
			attrs = append(attrs, slog.Any("errors", codes))
		}
		o.Logger.LogAttrs(context.WithoutCancel(r.Context()), level, "request", attrs...)
	})
}

// span records a query that has just ended.
func span(ctx context.Context, tracer trace.Tracer, q graph.StoreQuery) {
	if !trace.SpanFromContext(ctx).IsRecording() { // a look at /readyz is no request
		return
	}
	end := time.Now()
	_, s := tracer.Start(ctx, "store query", trace.WithTimestamp(end.Add(-q.Duration)), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.system.name", q.Language), attribute.String("db.query.text", q.Text), attribute.Int("db.response.returned_rows", q.Rows)))
	s.End(trace.WithTimestamp(end))
}

// countedWriter notes the status and the size of an answer.
type countedWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for [http.ResponseController].
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements [http.Flusher].
func (w *countedWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Hijack implements [http.Hijacker], for WebSockets.
func (w *countedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.status = http.StatusSwitchingProtocols
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
