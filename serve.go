package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"chancery/access"
	"chancery/graph"
	"chancery/httpd"
	"chancery/resolvers"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

const defaultAddr = "127.0.0.1:8080"

// serveOptions are the flags of serve.
type serveOptions struct {
	addr    string
	files   []string
	origins []string
	access  accessOptions

	tlsCert, tlsKey string
	metricsAddr     string
	otlpEndpoint    string

	introspection, graphiql, explain bool
	limits                           resolvers.Limits
}

func (c *cli) serveCommand() *cobra.Command {
	o := serveOptions{limits: resolvers.DefaultLimits()}
	command := &cobra.Command{
		Use:   "serve",
		Short: "Serve GraphQL and GraphiQL",
		Long: `Serve answers GraphQL at /graphql (POST, GET, and subscriptions as server-sent
events or over a WebSocket), and shows GraphiQL, where questions can be tried out,
at /. A store that is not there yet is made. /healthz says that the process runs,
/readyz that the store answers.

It listens on this machine only, unless --addr says otherwise; then it asks
everybody for a token, and refuses to start without --token-file or --jwks.
chancery token makes tokens. A token is worth nothing on a line that others can
read: give --tls-cert and --tls-key, or put a proxy with TLS in front.

Metrics (--metrics-addr) and traces (--otlp-endpoint) are off until they are asked
for.

Interrupt it (Ctrl-C) or send it SIGTERM to stop it: running requests are
finished first, subscriptions are ended. A second signal stops it at once.`,
		Example: `  chancery serve --load data/paris-talks-2025.yaml
  chancery serve --store sqlite:/var/lib/chancery/record.db --addr 127.0.0.1:9090
  NEO4J_PASSWORD_FILE=/run/secrets/neo4j chancery serve --store neo4j://localhost:7687
  chancery serve --addr :8443 --tls-cert cert.pem --tls-key key.pem --token-file tokens --cors-origin https://app.example.org`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("serve takes no arguments; to load %s first, write --load %s", args[0], args[0])
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error { return c.serve(command.Context(), &o) },
	}
	flags := command.Flags()
	flags.StringVar(&o.addr, "addr", defaultAddr, "the `HOST:PORT` to listen on; port 0 takes any that is free")
	flags.StringArrayVar(&o.files, "load", nil, "load `FILE` first, as chancery load does; may be given several times")
	flags.StringArrayVar(&o.origins, "cors-origin", nil, "let pages of this `ORIGIN` ask, for example https://app.example.org; may be given several times")
	o.access.flags(flags)
	flags.StringVar(&o.tlsCert, "tls-cert", "", "serve HTTPS with the certificate chain in this PEM `FILE`")
	flags.StringVar(&o.tlsKey, "tls-key", "", "the PEM `FILE` with the key of --tls-cert")
	flags.StringVar(&o.metricsAddr, "metrics-addr", "", "serve Prometheus metrics at /metrics on this loopback `HOST:PORT`, for example 127.0.0.1:9464")
	flags.StringVar(&o.otlpEndpoint, "otlp-endpoint", "", "send OpenTelemetry traces to this `URL` (OTLP over HTTP), for example http://127.0.0.1:4318")
	flags.BoolVar(&o.introspection, "introspection", true, "answer questions about the schema, and suggest names in errors")
	flags.BoolVar(&o.graphiql, "graphiql", true, "show GraphiQL at /")
	flags.BoolVar(&o.explain, "explain", true, "show the queries that the store ran to those who ask for extensions.explain")
	l := &o.limits
	flags.DurationVar(&l.Time, "limit-time", l.Time, "how long an operation may run")
	flags.IntVar(&l.Cost, "limit-cost", l.Cost, "about how many `OBJECTS` an answer may have")
	flags.IntVar(&l.Depth, "limit-depth", l.Depth, "how many `LEVELS` an operation may nest")
	flags.IntVar(&l.MaxPageSize, "limit-page", l.MaxPageSize, "how many `ROWS` a page may have")
	flags.IntVar(&l.Tokens, "limit-tokens", l.Tokens, "how many lexical `TOKENS` a document may have")
	flags.IntVar(&l.Aliases, "limit-aliases", l.Aliases, "how many `ALIASES` a document may have")
	flags.IntVar(&l.Repeats, "limit-repeats", l.Repeats, "how many `TIMES` a field may be asked for at one place")
	flags.IntVar(&l.Directives, "limit-directives", l.Directives, "how many `DIRECTIVES` a document may have")
	flags.IntVar(&l.Fragments, "limit-fragments", l.Fragments, "how many `FRAGMENTS` a document may define")
	flags.IntVar(&l.Subscriptions, "limit-subscriptions", l.Subscriptions, "how many subscriptions may be open at once")
	flags.Int64Var(&l.RequestBytes, "limit-bytes", l.RequestBytes, "how many `BYTES` a request may have")
	c.storeFlag(command)
	c.vocabularyFlag(command)
	return command
}

// check finds what is wrong with flags before anything is done.
func (o *serveOptions) check() error {
	for _, origin := range o.origins {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "") {
			return usage("--cors-origin is to be SCHEME://HOST[:PORT] without a path, for example https://app.example.org, or * for every page, not %q", origin)
		}
	}
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return usage("--tls-cert and --tls-key go together")
	}
	l := &o.limits
	for name, n := range map[string]int64{"time": int64(l.Time), "cost": int64(l.Cost), "depth": int64(l.Depth), "page": int64(l.MaxPageSize),
		"tokens": int64(l.Tokens), "aliases": int64(l.Aliases), "repeats": int64(l.Repeats), "directives": int64(l.Directives),
		"fragments": int64(l.Fragments), "subscriptions": int64(l.Subscriptions), "bytes": l.RequestBytes} {
		if n <= 0 {
			return usage("--limit-%s is to be greater than zero", name)
		}
	}
	if o.otlpEndpoint != "" {
		if u, err := url.Parse(o.otlpEndpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return usage("--otlp-endpoint is to be an http or https URL, for example http://127.0.0.1:4318, not %q", o.otlpEndpoint)
		}
	}
	return o.access.check()
}

func (c *cli) serve(ctx context.Context, o *serveOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	location, err := c.locate()
	if err != nil {
		return err
	}
	certificates, err := o.certificates()
	if err != nil {
		return err
	}
	guard, err := c.guard(ctx, &o.access)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, "--addr", o.addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	if !isLoopback(listener.Addr()) && guard == nil {
		return usage("other machines can reach %s, so that everybody is to be asked for a token: give --token-file FILE (chancery token makes tokens) or --jwks, or listen on %s", o.addr, defaultAddr)
	}
	var metrics *httpd.Metrics
	var metricsListener net.Listener
	if o.metricsAddr != "" {
		if metricsListener, err = listen(ctx, "--metrics-addr", o.metricsAddr); err != nil {
			return err
		}
		defer func() { _ = metricsListener.Close() }()
		if !isLoopback(metricsListener.Addr()) {
			return usage("--metrics-addr is to be on this machine, for example 127.0.0.1:9464; there is no access control")
		}
		metrics = httpd.NewMetrics(version())
	}
	if err := readable(o.files).Err(); err != nil {
		return err
	}
	store, err := c.open(ctx, location)
	if err != nil {
		return err
	}
	defer c.close(store)
	if len(o.files) > 0 {
		if err := runLoad(ctx, c.stdin, c.stderr, c.stderr, store, o.files, loadOptions{Wait: defaultWait, MaxRejects: -1}); err != nil {
			return err
		}
		fmt.Fprintln(c.stderr)
	}
	empty, err := isEmpty(ctx, store)
	if err != nil {
		return err
	}

	fmt.Fprintf(c.stderr, "Chancery serves %s.\n\n", location)
	if empty {
		fmt.Fprint(c.stderr, "  The store is empty. chancery load FILE fills it, also while this runs.\n\n")
	}
	scheme := "http"
	if certificates != nil {
		scheme = "https"
	}
	base := scheme + "://" + shownHost(listener.Addr())
	fmt.Fprintf(c.stderr, "  GraphQL   %s%s\n", base, resolvers.PathGraphQL)
	if o.graphiql {
		fmt.Fprintf(c.stderr, "  GraphiQL  %s%s\n", base, resolvers.PathGraphiQL)
	}
	if metricsListener != nil {
		fmt.Fprintf(c.stderr, "  Metrics   http://%s/metrics\n", shownHost(metricsListener.Addr()))
	}
	fmt.Fprintln(c.stderr)
	if guard != nil && certificates == nil && !isLoopback(listener.Addr()) {
		fmt.Fprintf(c.stderr, "WARNING: tokens and answers cross the network in the clear; give --tls-cert and --tls-key,\nor let only a proxy with TLS reach %s.\n\n", listener.Addr())
	}
	fmt.Fprintln(c.stderr, "Ctrl-C stops it.")

	options := httpd.Options{
		GraphQL: resolvers.Options{Limits: o.limits, NoIntrospection: !o.introspection, NoExplain: !o.explain, NoGraphiQL: !o.graphiql},
		Origins: o.origins, Logger: c.logger(), Metrics: metrics,
	}
	if guard != nil {
		options.Guard, options.Caller = guard, func(ctx context.Context) (string, time.Time) {
			caller := access.CallerOf(ctx)
			return caller.Name, caller.Until
		}
	}
	if o.otlpEndpoint != "" {
		provider, err := tracing(ctx, o.otlpEndpoint)
		if err != nil {
			return err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_ = provider.Shutdown(ctx) // what cannot be sent is lost
		}()
		options.Tracer = provider
	}
	if metrics != nil {
		side := &http.Server{Handler: http.NewServeMux(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
		side.Handler.(*http.ServeMux).Handle("GET /metrics", metrics.Handler())
		go func() { _ = side.Serve(metricsListener) }()
		defer func() { _ = side.Close() }()
	}
	if certificates != nil {
		listener = tls.NewListener(listener, certificates)
	}
	return c.serveOn(ctx, listener, store, options)
}

// certificates reads what --tls-cert and --tls-key name; nil is no TLS.
func (o *serveOptions) certificates() (*tls.Config, error) {
	if o.tlsCert == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s with --tls-key %s: %w", o.tlsCert, o.tlsKey, err)
	}
	// HTTP/2 carries no WebSocket of the kind that is spoken here.
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}

// tracing sends spans to a collector. One that is not there costs nothing but
// the spans.
func tracing(ctx context.Context, endpoint string) (*sdktrace.TracerProvider, error) {
	endpoint = strings.TrimSuffix(endpoint, "/")
	if u, err := url.Parse(endpoint); err == nil && u.Path == "" {
		endpoint += "/v1/traces"
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, fmt.Errorf("--otlp-endpoint %s: %w", endpoint, err)
	}
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(
		resource.NewWithAttributes(semconv.SchemaURL, semconv.ServiceName("chancery"), semconv.ServiceVersion(version())))), nil
}

// serveOn serves until ctx ends, and then finishes what is running.
func (c *cli) serveOn(ctx context.Context, listener net.Listener, store graph.Store, o httpd.Options) error {
	logger := c.logger()
	handler := httpd.New(store, o)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      o.GraphQL.Limits.WriteTimeout(),
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	fmt.Fprintln(c.stderr, "Stopping: running requests are finished first. A second Ctrl-C stops at once.")
	handler.Stop()
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.GraphQL.Limits.WriteTimeout())
	defer cancel()
	if err := server.Shutdown(finish); err != nil {
		_ = server.Close()
		return fmt.Errorf("some requests did not finish in time: %w", err)
	}
	return nil
}

// listen claims the address before anything else is done, so that a second
// server does not first load for an hour.
func listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, usage("%s is to be HOST:PORT, for example %s, not %q", flag, defaultAddr, addr)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s is in use, perhaps by another Chancery; choose another one, for example %s 127.0.0.1:8081, or %s 127.0.0.1:0 for any that is free", addr, flag, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s; choose a port above 1023, for example %s %s", addr, flag, defaultAddr)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return listener, nil
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// shownHost is where a browser on this machine finds an address.
func shownHost(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}

func isEmpty(ctx context.Context, store graph.Store) (empty bool, err error) {
	err = store.Read(ctx, func(tx graph.Reader) error {
		datasets, err := tx.Datasets(ctx)
		empty = len(datasets) == 0
		return err
	})
	return empty, err
}
