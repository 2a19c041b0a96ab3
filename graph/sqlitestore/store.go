// Package sqlitestore keeps the record in one SQLite file: the store that
// Chancery uses unless it is told otherwise.
package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"chancery/graph"

	_ "modernc.org/sqlite" // the driver
)

// Options are what Open may be told besides the path. The zero value will do.
type Options struct {
	// Logger is told when a file is brought up to date. It may be nil.
	Logger *slog.Logger
	// Now is the clock by which the logger is told how long that took. It may
	// be nil.
	Now func() time.Time
	// ReadOnly opens a file that is there, and never writes to it.
	ReadOnly bool
}

// Store is a [graph.Store] in an SQLite file. Several processes may have the
// same file open; one of them writes at a time.
type Store struct {
	path    string
	opts    Options
	writer  *sql.DB // one connection; nil when read-only
	readers *pool
	closed  atomic.Bool

	checkpoints checkpointing // of whoever has the writing connection

	mu       sync.Mutex
	known    knowledge // as of revision
	revision int64
	types    map[int64]string // names of committed type codes; replaced, never changed
	builtin  *graph.Vocabulary
}

// knowledge is what each reader knows from the beginning.
type knowledge struct {
	vocabulary *graph.Vocabulary
	identities *graph.Identities
}

var _ graph.Store = (*Store)(nil)

const (
	// lockWait is how long to wait for another process's lock.
	lockWait     = 10 * time.Second
	busyTimeout  = "busy_timeout(10000)"
	writerMemory = "cache_size(-32768)" // KiB; they take twice that, as memory is given out
	readerMemory = "cache_size(-16384)"
	mappedMemory = "mmap_size(67108864)" // bytes; more of a large file made nothing faster, and counts as memory of the process
)

// Open opens the file, and makes it if there is none. It refuses files of a
// newer Chancery ([graph.ErrNewerStore]) and of other programs
// ([graph.ErrForeignStore]) without touching them, and brings those of an
// older Chancery up to date. At most one Options is used.
func Open(ctx context.Context, path string, options ...Options) (*Store, error) {
	s := &Store{path: path, revision: -1}
	for _, o := range options[:min(1, len(options))] {
		s.opts = o
	}
	var err error
	if s.builtin, err = graph.BuiltinVocabulary(); err != nil {
		return nil, err
	}
	if err := s.checkPath(); err != nil {
		return nil, err
	}
	if err := s.prepareFile(ctx); err != nil {
		return nil, err
	}
	if !s.opts.ReadOnly {
		s.writer, err = sql.Open("sqlite", s.dsn("rw", "immediate", "synchronous(NORMAL)", writerMemory, autoCheckpoint, keptLog))
		if err != nil {
			return nil, s.failure(ctx, "open", err)
		}
		s.writer.SetMaxOpenConns(1)
		s.checkpoints.every = loggedPages
		s.checkpoints.db, err = sql.Open("sqlite", s.dsn("rw", "immediate", "synchronous(NORMAL)", keptLog))
		if err != nil {
			return nil, errors.Join(s.failure(ctx, "open", err), s.Close(ctx))
		}
		s.checkpoints.db.SetMaxOpenConns(1)
	}
	mode := "rw"
	if s.opts.ReadOnly {
		mode = "ro"
	}
	db, err := sql.Open("sqlite", s.dsn(mode, "deferred", "query_only(1)", readerMemory, mappedMemory))
	if err != nil {
		return nil, errors.Join(s.failure(ctx, "open", err), s.Close(ctx))
	}
	s.readers = newPool(db, max(4, 2*runtime.GOMAXPROCS(0)))
	return s, nil
}

// checkPath says what is wrong with a path better than SQLite can.
func (s *Store) checkPath() error {
	refuse := func(why string) error {
		return fmt.Errorf("cannot open the store %s: %s: %w", s.path, why, graph.ErrUnavailable)
	}
	if s.path == "" {
		return refuse("the path is empty")
	}
	dir := filepath.Dir(s.path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return refuse("there is no directory " + dir)
	}
	switch info, err := os.Stat(s.path); {
	case errors.Is(err, os.ErrNotExist):
		if s.opts.ReadOnly {
			return refuse("there is no such file")
		}
	case errors.Is(err, os.ErrPermission):
		return refuse("its directory may not be read; check the permissions")
	case err == nil && info.IsDir():
		return refuse("it is a directory; name a file in it")
	}
	return nil
}

func (s *Store) dsn(mode, txlock string, pragmas ...string) string {
	q := url.Values{"mode": {mode}, "_txlock": {txlock}, "_pragma": append([]string{busyTimeout}, pragmas...)}
	return "file:" + (&url.URL{Path: s.path}).EscapedPath() + "?" + q.Encode()
}

// Close releases the file.
func (s *Store) Close(context.Context) error {
	s.closed.Store(true)
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.close())
	}
	if s.writer != nil {
		errs = append(errs, s.checkpoints.close(), s.writer.Close())
	}
	return errors.Join(errs...)
}

// write runs fn in a transaction of the one writing connection. The
// statements of fn need not watch ctx, but must ask it between them.
func (s *Store) write(ctx context.Context, doing string, fn func(*sql.Tx) error) error {
	return s.writeOn(ctx, doing, func(_ *sql.Conn, tx *sql.Tx) error { return fn(tx) })
}

// writeOn is write for what also needs the connection.
func (s *Store) writeOn(ctx context.Context, doing string, fn func(*sql.Conn, *sql.Tx) error) error {
	if s.writer == nil {
		return fmt.Errorf("cannot %s the store %s: it was opened to be read only: %w", doing, s.path, graph.ErrUnavailable)
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return s.failure(ctx, doing, err)
	}
	defer func() { _ = conn.Close() }()
	tx, err := begin(ctx, conn)
	if err != nil {
		return s.failure(ctx, doing, err)
	}
	if err := fn(conn, tx); err != nil {
		_ = tx.Rollback()
		return s.failure(ctx, doing, err)
	}
	if err := tx.Commit(); err != nil {
		return s.failure(ctx, doing, err)
	}
	s.checkpoints.wrote(ctx, conn)
	return nil
}

// begin begins a transaction, and waits for other writers no longer than ctx lasts.
// The transaction does not end with ctx: database/sql would roll it back under what
// is written past it, which would then be written outside of any.
func begin(ctx context.Context, conn *sql.Conn) (*sql.Tx, error) {
	waiting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unwatched := context.AfterFunc(ctx, cancel)
	tx, err := conn.BeginTx(waiting, nil)
	if unwatched() {
		return tx, err
	}
	if err == nil {
		_ = tx.Rollback()
	}
	return nil, ctx.Err()
}

// Read implements [graph.Store]. The snapshot is taken by the first thing
// read, the revision of what readers know.
func (s *Store) Read(ctx context.Context, fn func(graph.Reader) error) error {
	c, err := s.readers.take(ctx)
	if err != nil {
		return s.failure(ctx, "read", err)
	}
	// Each query watches ctx. The transaction must not, for it would end, and
	// the snapshot with it, under a query.
	tx, err := c.conn.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		s.readers.drop(c)
		return s.failure(ctx, "read", err)
	}
	r := &reader{store: s, c: c}
	defer func() {
		if tx.Rollback() != nil || r.failed || ctx.Err() != nil {
			s.readers.drop(c)
		} else {
			s.readers.put(c)
		}
	}()
	if r.knowledge, err = s.knowledgeIn(ctx, tx); err != nil {
		r.failed = true
		return s.failure(ctx, "read", err)
	}
	return fn(r)
}

// Keys of the table meta.
const (
	metaVocabulary   = "vocabulary"          // YAML: what extends the built-in vocabulary
	metaRevision     = "vocabulary_revision" // of the vocabulary and of identities
	metaLeaseHolder  = "lease_holder"
	metaLeaseToken   = "lease_token"
	metaLeaseUntil   = "lease_until"
	metaLastRecorded = "last_recorded"
)

const (
	selectMeta  = `SELECT value FROM meta WHERE key = ?`
	upsertMeta  = `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
	selectTypes = `SELECT name, code FROM types`

	selectMerged = `SELECT id, canonical FROM nodes INDEXED BY nodes_merged WHERE canonical <> id`
)

// getMeta gives the zero value for what was never set.
func getMeta[T int64 | string](ctx context.Context, tx *sql.Tx, key string) (value T, err error) {
	err = tx.QueryRowContext(ctx, selectMeta, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return value, err
}

func setMeta(ctx context.Context, tx *sql.Tx, key string, value any) error {
	_, err := tx.ExecContext(ctx, upsertMeta, key, value)
	return err
}

// knowledgeIn is what a transaction sees. Another process may have changed it,
// so its revision is read each time.
func (s *Store) knowledgeIn(ctx context.Context, tx *sql.Tx) (knowledge, error) {
	revision, err := getMeta[int64](ctx, tx, metaRevision)
	if err != nil {
		return knowledge{}, err
	}
	s.mu.Lock()
	known, at := s.known, s.revision
	s.mu.Unlock()
	if at == revision {
		return known, nil
	}
	text, err := getMeta[string](ctx, tx, metaVocabulary)
	if err != nil {
		return knowledge{}, err
	}
	known = knowledge{vocabulary: s.builtin}
	if text != "" {
		types, err := graph.ParseVocabulary("the store's vocabulary", []byte(text))
		if err != nil {
			return knowledge{}, err
		}
		if known.vocabulary, err = known.vocabulary.Extend(types); err != nil {
			return knowledge{}, err
		}
	}
	if known.identities, err = identitiesIn(ctx, tx); err != nil {
		return knowledge{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if revision > s.revision {
		s.known, s.revision = known, revision
	}
	return known, nil
}

func identitiesIn(ctx context.Context, tx *sql.Tx) (*graph.Identities, error) {
	rows, err := tx.QueryContext(ctx, selectMerged)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	canonical := map[string]string{}
	for rows.Next() {
		var id, c string
		if err := rows.Scan(&id, &c); err != nil {
			return nil, err
		}
		canonical[id] = c
	}
	return graph.NewIdentities(canonical), rows.Err()
}

// Learn implements [graph.Store].
func (s *Store) Learn(ctx context.Context, types []graph.RelationType) (*graph.Vocabulary, error) {
	var learnt *graph.Vocabulary
	err := s.write(ctx, "extend the vocabulary of", func(tx *sql.Tx) error {
		known, err := s.knowledgeIn(ctx, tx)
		if err != nil {
			return err
		}
		if learnt, err = known.vocabulary.Extend(types); err != nil {
			return err
		}
		text := string(learnt.Extension())
		if text == string(known.vocabulary.Extension()) {
			return nil
		}
		return errors.Join(setMeta(ctx, tx, metaVocabulary, text), revise(ctx, tx))
	})
	if err != nil {
		return nil, err
	}
	return learnt, nil
}

// revise tells readers, of other processes too, that what they know has changed.
func revise(ctx context.Context, tx *sql.Tx) error {
	revision, err := getMeta[int64](ctx, tx, metaRevision)
	if err != nil {
		return err
	}
	return setMeta(ctx, tx, metaRevision, revision+1)
}

// typeNames are the names of the types in use, by code. A code is never given
// to another type, so what a committed transaction showed once stays true.
func (s *Store) typeNames(ctx context.Context, c *connection, has int64) (map[int64]string, error) {
	s.mu.Lock()
	names := s.types
	s.mu.Unlock()
	if _, ok := names[has]; ok {
		return names, nil
	}
	names = maps.Clone(names)
	if names == nil {
		names = map[int64]string{}
	}
	st, err := c.prepare(ctx, selectTypes)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var code int64
		var name string
		if err := rows.Scan(&name, &code); err != nil {
			return nil, err
		}
		names[code] = name
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if _, ok := names[has]; !ok {
		return nil, fmt.Errorf("%s: a relation has the type code %d, which has no name", s.path, has)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(names) > len(s.types) {
		s.types = names
	}
	return names, nil
}

// Lease implements [graph.Store].
func (s *Store) Lease(ctx context.Context, req graph.LeaseRequest) (graph.Lease, error) {
	var lease graph.Lease
	changed := false
	err := s.write(ctx, "write to", func(tx *sql.Tx) (err error) {
		if lease, err = readLease(ctx, tx); err != nil {
			return err
		}
		if lease, changed = lease.Answer(req); !changed {
			return nil
		}
		return errors.Join(setMeta(ctx, tx, metaLeaseHolder, lease.Holder),
			setMeta(ctx, tx, metaLeaseToken, lease.Token), setMeta(ctx, tx, metaLeaseUntil, int64(lease.Until)))
	})
	if err != nil {
		return graph.Lease{}, err
	}
	if req.Release && changed {
		// Whoever has the file open reads faster past an empty log. Where this
		// fails, the next one to write will do it.
		if conn, err := s.writer.Conn(ctx); err == nil {
			s.checkpoints.finish(ctx, conn)
			_ = conn.Close()
		}
	}
	return lease, nil
}

func readLease(ctx context.Context, tx *sql.Tx) (lease graph.Lease, err error) {
	if lease.Holder, err = getMeta[string](ctx, tx, metaLeaseHolder); err != nil {
		return lease, err
	}
	if lease.Token, err = getMeta[string](ctx, tx, metaLeaseToken); err != nil {
		return lease, err
	}
	until, err := getMeta[int64](ctx, tx, metaLeaseUntil)
	if err != nil {
		return lease, err
	}
	last, err := getMeta[int64](ctx, tx, metaLastRecorded)
	lease.Until, lease.LastRecorded = graph.Instant(until), graph.Instant(last)
	return lease, err
}
