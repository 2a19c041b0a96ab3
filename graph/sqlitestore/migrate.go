package sqlitestore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"chancery/graph"
)

//go:embed migrations/*.sql
var migrations embed.FS

// fills are what follows migrations that SQL alone cannot make.
var fills = map[string]func(context.Context, *sql.Conn, *sql.Tx) error{
	"migrations/0006_words.sql": fillDeletions,
}

// fillDeletions is gone through in parts, for a file may have a million words.
func fillDeletions(ctx context.Context, conn *sql.Conn, tx *sql.Tx) error {
	w := newBatchWriter(ctx, conn, tx)
	defer w.close()
	for last := int64(0); ; {
		words, err := w.pairs(`SELECT word, row FROM search_words WHERE row > ? ORDER BY row LIMIT ?`, last, wordsAtOnce)
		if err != nil || len(words) == 0 {
			return err
		}
		if err := w.addDeletions(words); err != nil {
			return err
		}
		last = words[len(words)-1].row
	}
}

// applicationID marks the file as Chancery's ("Chcy" in ASCII).
const applicationID = 0x43686379

// stamp is what tells whose file it is.
type stamp struct{ application, version, tables int }

const selectStamp = `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
	(SELECT count(*) FROM sqlite_schema)`

// check says whether this Chancery can use the file, and whether it must be
// brought up to date first.
func (s *Store) check(st stamp, newest int) (older bool, err error) {
	switch {
	case st.application == 0 && st.version == 0 && st.tables == 0: // a new file
		return true, nil
	case st.application != applicationID:
		return false, fmt.Errorf("cannot open the store %s: %w; name another file", s.path, graph.ErrForeignStore)
	case st.version > newest:
		return false, fmt.Errorf("cannot open the store %s: %w: it has version %d, this Chancery knows up to %d; use a newer Chancery, or another file",
			s.path, graph.ErrNewerStore, st.version, newest)
	}
	return st.version < newest, nil
}

// prepareFile looks at the file, and makes it or brings it up to date. A file
// that is refused stays as it is, to its journal mode. Two processes may do
// this at once: then one of them waits.
func (s *Store) prepareFile(ctx context.Context) error {
	mode := "rwc"
	if s.opts.ReadOnly {
		mode = "ro"
	}
	db, err := sql.Open("sqlite", s.dsn(mode, "immediate"))
	if err != nil {
		return s.failure(ctx, "open", err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	newest := len(files)
	var st stamp
	read := func(query func(context.Context, string, ...any) *sql.Row) (older bool, err error) {
		if err := query(ctx, selectStamp).Scan(&st.application, &st.version, &st.tables); err != nil {
			return false, s.failure(ctx, "open", err)
		}
		return s.check(st, newest)
	}
	older, err := read(db.QueryRowContext)
	if err != nil {
		return err
	}
	if s.opts.ReadOnly {
		if older {
			return fmt.Errorf("cannot open the store %s: it is of an older version, and may not be changed when it is opened to be read only: %w",
				s.path, graph.ErrUnavailable)
		}
		return nil
	}
	if err := s.useLog(ctx, db); err != nil {
		return err
	}
	if !older {
		return nil
	}
	began := s.now()
	conn, err := db.Conn(ctx)
	if err != nil {
		return s.failure(ctx, "open", err)
	}
	defer func() { _ = conn.Close() }()
	tx, err := begin(ctx, conn)
	if err != nil {
		return s.failure(ctx, "open", err)
	}
	defer func() { _ = tx.Rollback() }()
	if older, err = read(tx.QueryRowContext); err != nil || !older {
		return err // somebody else has done it
	}
	for _, file := range files[st.version:] {
		text, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, string(text))
		if fill := fills[file]; err == nil && fill != nil {
			err = fill(ctx, conn, tx)
		}
		if err != nil {
			return s.failure(ctx, "bring up to date", err)
		}
	}
	_, err = tx.ExecContext(ctx, "PRAGMA application_id = "+strconv.Itoa(applicationID)+"; PRAGMA user_version = "+strconv.Itoa(newest))
	if err != nil {
		return s.failure(ctx, "bring up to date", err)
	}
	if err := tx.Commit(); err != nil {
		return s.failure(ctx, "bring up to date", err)
	}
	if s.opts.Logger != nil {
		s.opts.Logger.InfoContext(ctx, "the store was brought up to date", "path", s.path, "from", st.version, "to", newest, "took", s.now().Sub(began))
	}
	return nil
}

// useLog turns the write-ahead log on. SQLite does not wait for locks there.
func (s *Store) useLog(ctx context.Context, db *sql.DB) error {
	const pause = 10 * time.Millisecond
	for tries := 0; ; tries++ {
		_, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		if err == nil || !isBusy(err) || tries*int(pause) > int(lockWait) {
			return s.failure(ctx, "open", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return s.failure(ctx, "open", ctx.Err())
		}
	}
}

func (s *Store) now() time.Time {
	if s.opts.Now == nil {
		return time.Time{}
	}
	return s.opts.Now()
}
