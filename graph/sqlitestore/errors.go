package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"chancery/graph"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// failure says in plain words what went wrong with the file. Errors that are
// not the database's pass unchanged. A context that has ended is what went
// wrong, whatever the database made of it.
func (s *Store) failure(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	var e *sqlite.Error
	ours := errors.As(err, &e)
	ended := errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if ctx.Err() != nil && (ours || ended) {
		return fmt.Errorf("cannot %s the store %s: %w", doing, s.path, ctx.Err())
	}
	if s.closed.Load() && !ours {
		return fmt.Errorf("cannot %s the store %s: it is closed: %w", doing, s.path, graph.ErrUnavailable)
	}
	if !ours {
		return err
	}
	why := ""
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("cannot %s the store %s: another program keeps it locked; wait for that program, or end it: %w", doing, s.path, graph.ErrAway)
	case sqlite3.SQLITE_FULL:
		why = "the disk is full, and nothing of the last batch was written; make room, and run the same command again: it goes on from there"
	case sqlite3.SQLITE_CORRUPT:
		why = "the file is damaged; restore it from a back-up, or load the data into a new one"
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("cannot %s the store %s: it is not an SQLite file: %w", doing, s.path, graph.ErrForeignStore)
	case sqlite3.SQLITE_CANTOPEN:
		why = "it cannot be opened; check that it may be read, and that its directory may be written to"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		why = "it may not be written to; check the permissions of the file and its directory"
	case sqlite3.SQLITE_IOERR:
		why = "the disk could not be read or written"
	case sqlite3.SQLITE_INTERRUPT:
		return fmt.Errorf("cannot %s the store %s: %w", doing, s.path, context.Canceled)
	default:
		return fmt.Errorf("cannot %s the store %s: %w", doing, s.path, err)
	}
	return fmt.Errorf("cannot %s the store %s: %s: %w", doing, s.path, why, graph.ErrUnavailable)
}

// isBusy reports that somebody else holds a lock on the file.
func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// isTaken reports that a key is there already.
func isTaken(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
}
