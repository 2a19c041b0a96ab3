package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// pool hands out connections that remember their prepared statements. Texts
// are put together from constants, so there are few of them, and SQLite need
// not plan the same question twice.
type pool struct {
	db    *sql.DB
	slots chan struct{} // one for each connection in use

	mu   sync.Mutex
	idle []*connection // the last one used is the first to be used again
}

type connection struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// keptStatements is the number of statements that a connection remembers.
const keptStatements = 256

func newPool(db *sql.DB, size int) *pool {
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return &pool{db: db, slots: make(chan struct{}, size)}
}

// take waits for a connection. It goes back by put, or by drop where it may be
// broken.
func (p *pool) take(ctx context.Context) (*connection, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	conn, err := p.db.Conn(ctx)
	if err != nil {
		<-p.slots
		return nil, err
	}
	return &connection{conn: conn, prepared: map[string]*sql.Stmt{}}, nil
}

func (p *pool) put(c *connection) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
	<-p.slots
}

func (p *pool) drop(c *connection) {
	_ = c.close()
	<-p.slots
}

// close closes the connections that are not in use, and makes the others
// useless.
func (p *pool) close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	var errs []error
	for _, c := range idle {
		errs = append(errs, c.close())
	}
	return errors.Join(append(errs, p.db.Close())...)
}

func (c *connection) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if st := c.prepared[text]; st != nil {
		return st, nil
	}
	if len(c.prepared) >= keptStatements {
		c.forget()
	}
	st, err := c.conn.PrepareContext(ctx, text)
	if err == nil {
		c.prepared[text] = st
	}
	return st, err
}

func (c *connection) forget() {
	for text, st := range c.prepared {
		_ = st.Close()
		delete(c.prepared, text)
	}
}

func (c *connection) close() error {
	c.forget()
	return c.conn.Close()
}
