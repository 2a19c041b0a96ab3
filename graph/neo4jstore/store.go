package neo4jstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"chancery/graph"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/config"
)

// Options say where the database is. URI is required.
type Options struct {
	URI      string // bolt://host:port, neo4j://host:port, or with +s for TLS
	Username string // empty for a server without authentication
	Password string
	Database string // empty for the user's own

	// Now is the clock; nil is time.Now. It times how often the store looks
	// whether another process has taught the database a new vocabulary.
	Now func() time.Time
	// Logger is told of retries and changes of the schema; nil is silent.
	Logger *slog.Logger

	MaxConnections    int           // in the pool; 0 is 50
	ConnectTimeout    time.Duration // for one connection; 0 is 5 s
	AcquireTimeout    time.Duration // for a connection of the pool; 0 is 10 s
	OpenTimeout       time.Duration // for Open's look whether the server answers; 0 is 15 s
	RetryTime         time.Duration // for writes after transient errors; 0 is 15 s
	VocabularyRefresh time.Duration // between looks at the vocabulary; 0 is 1 s

	migrations []migration // for tests; nil is the real ones
}

// Store is a [graph.Store] in Neo4j.
type Store struct {
	driver    neo4j.DriverWithContext
	opts      Options
	log       *slog.Logger
	bookmarks neo4j.BookmarkManager

	mu       sync.Mutex
	known    knowledge
	checked  time.Time
	shares   map[string]map[string]int64 // entries of a data set by type; a hint only
	closed   bool
	learning sync.Mutex
	// lastTried is the batch that was written last, or was to be.
	lastTried struct {
		batch *graph.Batch
		name  string
	}
}

// knowledge is what readers know from the beginning, with the revision that it
// is remembered under.
type knowledge struct {
	vocabulary *graph.Vocabulary
	identities *graph.Identities
	revision   int64
}

var _ graph.Store = (*Store)(nil)

// Open connects to a database, and prepares it if it is empty. It fails with
// [graph.ErrForeignStore] where the database holds data that Chancery did not
// make, and with [graph.ErrNewerStore] where a newer Chancery made it.
func Open(ctx context.Context, opts Options) (*Store, error) {
	opts.Now = orNow(opts.Now)
	opts.MaxConnections = cmp.Or(opts.MaxConnections, 50)
	opts.ConnectTimeout = cmp.Or(opts.ConnectTimeout, 5*time.Second)
	opts.AcquireTimeout = cmp.Or(opts.AcquireTimeout, 10*time.Second)
	opts.OpenTimeout = cmp.Or(opts.OpenTimeout, 15*time.Second)
	opts.RetryTime = cmp.Or(opts.RetryTime, 15*time.Second)
	opts.VocabularyRefresh = cmp.Or(opts.VocabularyRefresh, time.Second)
	if opts.migrations == nil {
		opts.migrations = migrations
	}
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := checkURI(opts.URI); err != nil {
		return nil, err
	}
	if strings.EqualFold(opts.Database, "system") {
		return nil, errSystem
	}
	auth := neo4j.NoAuth()
	if opts.Username != "" || opts.Password != "" {
		auth = neo4j.BasicAuth(opts.Username, opts.Password, "")
	}
	driver, err := neo4j.NewDriverWithContext(opts.URI, auth, func(c *config.Config) {
		c.MaxConnectionPoolSize = opts.MaxConnections
		c.SocketConnectTimeout = opts.ConnectTimeout
		c.ConnectionAcquisitionTimeout = opts.AcquireTimeout
		c.MaxTransactionRetryTime = opts.RetryTime
		c.ConnectionLivenessCheckTimeout = 30 * time.Second
		c.UserAgent = "chancery"
		c.TelemetryDisabled = true
		// Hints about names that no data has yet are of no use to anyone.
		c.NotificationsMinSeverity = "OFF"
	})
	if err != nil {
		return nil, errURI
	}
	s := &Store{driver: driver, opts: opts, log: log, shares: map[string]map[string]int64{},
		bookmarks: neo4j.NewBookmarkManager(neo4j.BookmarkManagerConfig{})}
	if err := s.open(ctx); err != nil {
		_ = driver.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return s, nil
}

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

var errURI = errors.New("NEO4J_URI must read bolt://host:port or neo4j://host:port (bolt+s and neo4j+s with TLS), without user name and password")

// checkURI refuses what the driver would only complain about in texts that
// quote the whole URI.
func checkURI(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return errURI
	}
	switch u.Scheme {
	case "bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc":
		return nil
	}
	return errURI
}

func (s *Store) open(ctx context.Context) error {
	reach, cancel := context.WithTimeout(ctx, s.opts.OpenTimeout)
	err := s.driver.VerifyConnectivity(reach)
	late := reach.Err() != nil
	cancel()
	if err != nil {
		if ctx.Err() == nil && late {
			return fmt.Errorf("%w: neo4j does not answer", graph.ErrAway)
		}
		return mapped(ctx, err)
	}
	return s.prepare(ctx)
}

// Close implements [graph.Store].
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return mapped(ctx, s.driver.Close(ctx))
}

// begin opens a session with one transaction in it, which end must close.
func (s *Store) begin(ctx context.Context, mode neo4j.AccessMode) (*transaction, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, fmt.Errorf("%w: it is closed", graph.ErrUnavailable)
	}
	var configure []func(*neo4j.TransactionConfig)
	if deadline, ok := ctx.Deadline(); ok {
		left := max(time.Until(deadline), time.Millisecond)
		configure = append(configure, neo4j.WithTxTimeout(left))
	}
	session := s.driver.NewSession(ctx, neo4j.SessionConfig{AccessMode: mode, DatabaseName: s.opts.Database,
		BookmarkManager: s.bookmarks, FetchSize: neo4j.FetchAll})
	tx, err := session.BeginTransaction(ctx, configure...)
	if err != nil {
		_ = session.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return &transaction{session: session, tx: tx}, nil
}

type transaction struct {
	session neo4j.SessionWithContext
	tx      neo4j.ExplicitTransaction
	running neo4j.ResultWithContext // of the query that may still be at work, or nil
	created int                     // relationships, by queries that have ended
}

// end rolls back what is not committed.
func (t *transaction) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = t.tx.Close(ctx)
	_ = t.session.Close(ctx)
}

// start runs a query whose rows are not wanted, and may return while the
// database is still at work on it: what the next one needs can be prepared
// meanwhile. The error may be that of the query before.
func (t *transaction) start(ctx context.Context, text string, parameters map[string]any) error {
	if err := t.wait(ctx); err != nil {
		return err
	}
	result, err := t.tx.Run(ctx, text, parameters)
	if err == nil {
		t.running = result
	}
	return err
}

// wait waits for what was started.
func (t *transaction) wait(ctx context.Context) error {
	result := t.running
	if result == nil {
		return nil
	}
	t.running = nil
	summary, err := result.Consume(ctx)
	if err == nil {
		t.created += summary.Counters().RelationshipsCreated()
	}
	return err
}

// exec runs a query whose rows are not wanted.
func (t *transaction) exec(ctx context.Context, text string, parameters map[string]any) error {
	if err := t.start(ctx, text, parameters); err != nil {
		return err
	}
	return t.wait(ctx)
}

// one runs a query that gives one row, or none: then the row is nil.
func (t *transaction) one(ctx context.Context, text string, parameters map[string]any) ([]any, error) {
	if err := t.wait(ctx); err != nil {
		return nil, err
	}
	result, err := t.tx.Run(ctx, text, parameters)
	if err != nil {
		return nil, err
	}
	var values []any
	if result.Next(ctx) {
		values = result.Record().Values
	}
	if err := result.Err(); err != nil {
		return nil, err
	}
	_, err = result.Consume(ctx)
	return values, err
}

// commit waits for what was started, and commits.
func (t *transaction) commit(ctx context.Context) error {
	if err := t.wait(ctx); err != nil {
		return err
	}
	return t.tx.Commit(ctx)
}

// Read implements [graph.Store].
func (s *Store) Read(ctx context.Context, fn func(graph.Reader) error) error {
	t, err := s.begin(ctx, neo4j.AccessModeRead)
	if err != nil && ctx.Err() == nil && (unreached(err) || neo4j.IsRetryable(err)) {
		// A connection of the pool may have died with a server that is back.
		t, err = s.begin(ctx, neo4j.AccessModeRead)
	}
	if err != nil {
		return mapped(ctx, err)
	}
	defer t.end(ctx)
	known, err := s.current(ctx, t)
	if err != nil {
		return mapped(ctx, err)
	}
	r := &reader{knowledge: known, store: s, t: t}
	if err := fn(r); err != nil {
		return err // its own, or mapped already
	}
	return nil
}

// current returns the vocabulary, looking into the database when it was not
// looked at for a while.
func (s *Store) current(ctx context.Context, t *transaction) (knowledge, error) {
	now := s.opts.Now()
	s.mu.Lock()
	known, age := s.known, now.Sub(s.checked)
	s.mu.Unlock()
	if known.vocabulary != nil && age >= 0 && age < s.opts.VocabularyRefresh {
		return known, nil
	}
	values, err := t.one(ctx, cyMeta, nil)
	if err != nil {
		return known, err
	}
	if values == nil {
		return known, errNoMeta
	}
	in := row{values: values}
	version, revision := in.integer(), in.integer()
	if in.err != nil {
		return known, in.err
	}
	if version > int64(len(s.opts.migrations)) {
		return known, graph.ErrNewerStore
	}
	if known.vocabulary == nil || known.revision != revision {
		if known, err = readKnowledge(ctx, t); err != nil {
			return known, err
		}
	}
	s.remember(known, now)
	return known, nil
}

// recheck makes the next reader look for what has changed.
func (s *Store) recheck() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked = time.Time{}
}

func (s *Store) remember(known knowledge, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known.vocabulary == nil || known.revision >= s.known.revision {
		s.known = known
	}
	s.checked = now
}

func readKnowledge(ctx context.Context, t *transaction) (knowledge, error) {
	values, err := t.one(ctx, cyMetaVocabulary, nil)
	if err != nil {
		return knowledge{}, err
	}
	if values == nil {
		return knowledge{}, errNoMeta
	}
	in := row{values: values}
	_ = in.integer()
	known := knowledge{revision: in.integer()}
	extension := in.text()
	known.identities = in.identities()
	if in.err != nil {
		return knowledge{}, in.err
	}
	vocabulary, err := graph.BuiltinVocabulary()
	if err != nil {
		return knowledge{}, err
	}
	if extension != "" {
		types, err := graph.ParseVocabulary("the vocabulary in the database", []byte(extension))
		if err != nil {
			return knowledge{}, err
		}
		if vocabulary, err = vocabulary.Extend(types); err != nil {
			return knowledge{}, err
		}
	}
	known.vocabulary = vocabulary
	return known, nil
}

// write runs fn in a write transaction, again after errors that pass: fn and
// its commit must be safe to repeat even where the outcome of the commit is
// unknown.
func (s *Store) write(ctx context.Context, fn func(*transaction) error) error {
	// The driver would measure its patience by its own clock alone.
	deadline := time.Now().Add(s.opts.RetryTime)
	pause := 20 * time.Millisecond
	for attempt := 1; ; attempt++ {
		err := s.writeOnce(ctx, fn)
		if errors.Is(err, errAgain) {
			continue
		}
		if err == nil || ctx.Err() != nil || !neo4j.IsRetryable(err) && !unreached(err) {
			return mapped(ctx, err)
		}
		if time.Now().Add(pause).After(deadline) || unreached(err) && attempt >= 6 {
			return mapped(ctx, err)
		}
		s.log.Debug("neo4j: the transaction is tried again", "attempt", attempt, "error", mapped(ctx, err))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
}

func (s *Store) writeOnce(ctx context.Context, fn func(*transaction) error) error {
	t, err := s.begin(ctx, neo4j.AccessModeWrite)
	if err != nil {
		return err
	}
	defer t.end(ctx)
	if err := fn(t); err != nil {
		return err
	}
	return t.commit(ctx)
}
