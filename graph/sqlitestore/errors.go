package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"chancery/graph"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// failure says in plain words what went wrong with the file. Errors that are
// not SQLite's pass unchanged.
func (s *Store) failure(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("cannot %s the store %s: %w", doing, s.path, ctx.Err())
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	why := ""
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		why = "another program keeps it locked"
	case sqlite3.SQLITE_FULL:
		why = "the disk is full; nothing of the last batch was written"
	case sqlite3.SQLITE_CORRUPT:
		why = "the file is damaged; restore it from a back-up, or load the data into a new one"
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("cannot %s the store %s: it is not an SQLite file: %w", doing, s.path, graph.ErrForeignStore)
	case sqlite3.SQLITE_CANTOPEN:
		why = "it cannot be opened; check that the directory exists and may be written to"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		why = "it may not be written to; check the permissions of the file and its directory"
	case sqlite3.SQLITE_IOERR:
		why = "reading or writing the disk failed"
	case sqlite3.SQLITE_INTERRUPT:
		return fmt.Errorf("cannot %s the store %s: %w", doing, s.path, context.Canceled)
	default:
		return fmt.Errorf("cannot %s the store %s: %w", doing, s.path, err)
	}
	return fmt.Errorf("cannot %s the store %s: %s: %w", doing, s.path, why, graph.ErrUnavailable)
}
