// Package sqlitestore keeps the record in one SQLite file: the store that
// Chancery uses unless it is told otherwise.
package sqlitestore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"chancery/graph"

	_ "modernc.org/sqlite" // the driver
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as Chancery's ("Chcy" in ASCII); see
// PRAGMA application_id.
const applicationID = 0x43686379

// Store is a [graph.Store] in an SQLite file. Several processes may have the
// same file open; one of them writes at a time.
type Store struct {
	path    string
	writer  *sql.DB // one connection
	readers *sql.DB

	mu         sync.Mutex
	vocabulary *graph.Vocabulary // as of revision
	revision   int64
	builtin    *graph.Vocabulary
}

var _ graph.Store = (*Store)(nil)

// Open opens the file, and makes it if there is none. It refuses files of a
// newer Chancery ([graph.ErrNewerStore]) and of other programs
// ([graph.ErrForeignStore]), and brings those of an older Chancery up to date.
func Open(ctx context.Context, path string) (*Store, error) {
	builtin, err := graph.BuiltinVocabulary()
	if err != nil {
		return nil, err
	}
	if dir := filepath.Dir(path); dir != "." {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("cannot open the store %s: there is no directory %s", path, dir)
		}
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("cannot open the store %s: it is a directory; name a file in it", path)
	}
	s := &Store{path: path, builtin: builtin, revision: -1}
	// A read may wait for the writer's lock only while a file is recovered.
	s.writer, err = sql.Open("sqlite", s.dsn("immediate", "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-65536)"))
	if err != nil {
		return nil, s.failure(ctx, "open", err)
	}
	s.writer.SetMaxOpenConns(1)
	if err := s.migrate(ctx); err != nil {
		_ = s.writer.Close()
		return nil, err
	}
	s.readers, err = sql.Open("sqlite", s.dsn("deferred", "query_only(1)", "cache_size(-32768)", "mmap_size(268435456)"))
	if err != nil {
		_ = s.writer.Close()
		return nil, s.failure(ctx, "open", err)
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	s.readers.SetMaxOpenConns(readers)
	s.readers.SetMaxIdleConns(readers)
	return s, nil
}

func (s *Store) dsn(txlock string, pragmas ...string) string {
	q := url.Values{"_txlock": {txlock}, "_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	return "file:" + (&url.URL{Path: s.path}).EscapedPath() + "?" + q.Encode()
}

// migrate brings the file to the newest of the migrations.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	newest := len(files)
	return s.write(ctx, "open", func(tx *sql.Tx) error {
		var id, version, tables int
		for pragma, into := range map[string]*int{"application_id": &id, "user_version": &version} {
			if err := tx.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(into); err != nil {
				return err
			}
		}
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
			return err
		}
		switch {
		case id != applicationID && (id != 0 || tables > 0):
			return fmt.Errorf("%s: %w; name another file", s.path, graph.ErrForeignStore)
		case version > newest:
			return fmt.Errorf("%s: %w: it has version %d, this Chancery knows up to %d; use a newer Chancery, or another file",
				s.path, graph.ErrNewerStore, version, newest)
		case version == newest && id == applicationID:
			return nil
		}
		for i := version; i < newest; i++ {
			text, err := migrations.ReadFile(files[i])
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "PRAGMA application_id = "+strconv.Itoa(applicationID)+"; PRAGMA user_version = "+strconv.Itoa(newest))
		return err
	})
}

// Close releases the file.
func (s *Store) Close(context.Context) error {
	return errors.Join(s.readers.Close(), s.writer.Close())
}

// write runs fn in a transaction of the one writing connection.
func (s *Store) write(ctx context.Context, doing string, fn func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return s.failure(ctx, doing, err)
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback()
		return s.failure(ctx, doing, err)
	}
	return s.failure(ctx, doing, tx.Commit())
}

// Read implements [graph.Store].
func (s *Store) Read(ctx context.Context, fn func(graph.Reader) error) error {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.failure(ctx, "read", err)
	}
	defer func() { _ = tx.Rollback() }()
	vocabulary, err := s.vocabularyIn(ctx, tx)
	if err != nil {
		return s.failure(ctx, "read", err)
	}
	return fn(&reader{store: s, tx: tx, vocabulary: vocabulary})
}

// Keys of the table meta.
const (
	metaVocabulary   = "vocabulary" // YAML: what extends the built-in vocabulary
	metaRevision     = "vocabulary_revision"
	metaLeaseHolder  = "lease_holder"
	metaLeaseToken   = "lease_token"
	metaLeaseUntil   = "lease_until"
	metaLastRecorded = "last_recorded"
)

const (
	selectMeta = `SELECT value FROM meta WHERE key = ?`
	upsertMeta = `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
)

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

// vocabularyIn is the vocabulary that a transaction sees. Another process may
// have extended it, so its revision is read each time.
func (s *Store) vocabularyIn(ctx context.Context, tx *sql.Tx) (*graph.Vocabulary, error) {
	revision, err := getMeta[int64](ctx, tx, metaRevision)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	known, at := s.vocabulary, s.revision
	s.mu.Unlock()
	if at == revision {
		return known, nil
	}
	text, err := getMeta[string](ctx, tx, metaVocabulary)
	if err != nil {
		return nil, err
	}
	vocabulary := s.builtin
	if text != "" {
		types, err := graph.ParseVocabulary("the store's vocabulary", []byte(text))
		if err != nil {
			return nil, err
		}
		if vocabulary, err = vocabulary.Extend(types); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if revision > s.revision {
		s.vocabulary, s.revision = vocabulary, revision
	}
	return vocabulary, nil
}

// Learn implements [graph.Store].
func (s *Store) Learn(ctx context.Context, types []graph.RelationType) (learnt *graph.Vocabulary, err error) {
	err = s.write(ctx, "extend the vocabulary of", func(tx *sql.Tx) error {
		known, err := s.vocabularyIn(ctx, tx)
		if err != nil {
			return err
		}
		if learnt, err = known.Extend(types); err != nil {
			return err
		}
		text := string(learnt.Extension())
		if text == string(known.Extension()) {
			return nil
		}
		revision, err := getMeta[int64](ctx, tx, metaRevision)
		if err != nil {
			return err
		}
		return errors.Join(setMeta(ctx, tx, metaVocabulary, text), setMeta(ctx, tx, metaRevision, revision+1))
	})
	return learnt, err
}

// Lease implements [graph.Store].
func (s *Store) Lease(ctx context.Context, req graph.LeaseRequest) (lease graph.Lease, err error) {
	err = s.write(ctx, "write to", func(tx *sql.Tx) error {
		if lease, err = readLease(ctx, tx); err != nil {
			return err
		}
		held := lease.Token != "" && lease.Until > req.Now && lease.Token != req.Token && lease.Token != req.Replace
		switch {
		case req.Release && lease.Token == req.Token:
			lease.Holder, lease.Token, lease.Until = "", "", 0
		case req.Release || held:
			return nil
		default:
			lease.Holder, lease.Token, lease.Until = req.Holder, req.Token, req.Until
		}
		return errors.Join(setMeta(ctx, tx, metaLeaseHolder, lease.Holder),
			setMeta(ctx, tx, metaLeaseToken, lease.Token), setMeta(ctx, tx, metaLeaseUntil, int64(lease.Until)))
	})
	return lease, err
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

// jsonList makes a JSON list of strings for json_each: one parameter, whatever
// the number of values.
func jsonList[T ~string](values []T) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSONString(&b, string(v))
	}
	b.WriteByte(']')
	return b.String()
}
