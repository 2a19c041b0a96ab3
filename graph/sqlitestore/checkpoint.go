package sqlitestore

import (
	"context"
	"database/sql"

	"modernc.org/sqlite"
)

// What is written goes to the log first, and from there into the file at
// checkpoints. While the log grows, checkpointing copies it from a connection
// of its own, so that the writer need only copy what was written meanwhile: once
// all of the log is in the file, the log begins anew.
//
// https://www.sqlite.org/wal.html#ckpt
const (
	// A longer log means that fewer pages are copied twice during a load.
	loggedPages = 16_000
	// Where checkpointing cannot keep up or fails, the writer does it all.
	autoCheckpoint = "wal_autocheckpoint(48000)"
	keptLog        = "journal_size_limit(134217728)" // bytes: what the log mostly comes to

	checkpoint = `PRAGMA wal_checkpoint(PASSIVE)`
)

// checkpointing is what is known of the log of a file. Its methods are for one
// goroutine at a time, which holds the writing connection.
type checkpointing struct {
	every int // so many pages
	db    *sql.DB
	done  chan struct{} // is closed by the one that is under way; nil where there is none
	pages int           // written to the log since it was last copied from here
}

// wrote is called after each transaction of the writing connection.
func (c *checkpointing) wrote(ctx context.Context, writer *sql.Conn) {
	_ = writer.Raw(func(raw any) error {
		written, _, err := raw.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, true)
		c.pages += written
		return err
	})
	switch {
	case c.done == nil && c.pages >= c.every:
		done := make(chan struct{})
		c.done = done
		go func() {
			defer close(done)
			_, _ = c.db.ExecContext(context.WithoutCancel(ctx), checkpoint) // what fails here is done by the next
		}()
	case c.done != nil:
		select {
		case <-c.done:
			c.finish(context.WithoutCancel(ctx), writer)
		default:
		}
	}
}

// finish copies the rest of the log, but what somebody still reads the older state of.
func (c *checkpointing) finish(ctx context.Context, writer *sql.Conn) {
	c.wait()
	c.done, c.pages = nil, 0
	_, _ = writer.ExecContext(ctx, checkpoint)
}

// wait waits for what is under way.
func (c *checkpointing) wait() {
	if c.done != nil {
		<-c.done
	}
}

func (c *checkpointing) close() error {
	c.wait()
	if c.db == nil {
		return nil
	}
	return c.db.Close()
}
