package httpd

import (
	"net/http"
	"strconv"
	"time"

	"chancery/graph"
	"chancery/resolvers"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are what Prometheus may ask for. Names follow its conventions:
// seconds, bytes, and totals. Labels have few values, whatever clients send.
type Metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	operations *prometheus.CounterVec
	errors     *prometheus.CounterVec
	queries    *prometheus.HistogramVec
	rows       *prometheus.CounterVec
}

// NewMetrics makes empty ones. The version stands in chancery_build_info.
func NewMetrics(version string) *Metrics {
	buckets := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chancery_http_requests_total",
			Help: "Requests answered."}, []string{"path", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "chancery_http_request_seconds",
			Help: "How long requests took, subscriptions until they ended.", Buckets: buckets}, []string{"path"}),
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chancery_graphql_operations_total",
			Help: "GraphQL operations begun over HTTP."}, []string{"type"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chancery_graphql_errors_total",
			Help: "Errors that clients were told of, by their code."}, []string{"code"}),
		queries: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "chancery_store_query_seconds",
			Help: "How long queries of the store took.", Buckets: buckets}, []string{"language"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chancery_store_rows_total",
			Help: "Rows that queries of the store returned."}, []string{"language"}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "chancery_build_info", Help: "The version, as a label."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.requests, m.seconds, m.operations, m.errors, m.queries, m.rows, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *Metrics) subscriptions(count func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chancery_subscriptions",
		Help: "Subscriptions that are open."}, func() float64 { return float64(count()) }))
}

func (m *Metrics) query(q graph.StoreQuery) {
	m.queries.WithLabelValues(q.Language).Observe(q.Duration.Seconds())
	m.rows.WithLabelValues(q.Language).Add(float64(q.Rows))
}

func (m *Metrics) request(r *http.Request, status int, took time.Duration, served *resolvers.Served) {
	path, method := "other", "other"
	switch r.URL.Path {
	case resolvers.PathGraphQL, resolvers.PathGraphiQL, PathHealth, PathReady:
		path = r.URL.Path
	}
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodHead:
		method = r.Method
	}
	m.requests.WithLabelValues(path, method, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(path).Observe(took.Seconds())
	if served.Type() != "" {
		m.operations.WithLabelValues(served.Type()).Inc()
	}
	for _, code := range served.Codes() {
		m.errors.WithLabelValues(code).Inc()
	}
}
