package sqlitestore

import (
	"bytes"
	"context"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
)

// table is a table that many rows are inserted into at once.
type table struct {
	insert  string // INSERT INTO name
	columns []string
	atOnce  int // more rows at once are hardly faster
}

func newTable(insert, columns string, atOnce int) *table {
	return &table{insert, strings.Fields(columns), atOnce}
}

// origin is where an inserted column comes from.
type origin byte

const (
	own      origin = iota // each row has a value of its own
	shared                 // all rows have the same value
	repeated               // each row has the value of the column before
)

// inserter inserts rows into one table. Binding a value takes longer than
// copying it within SQLite. So what rows share is bound once for all of them,
// and what a row has in neighbouring columns once for these. The text of the
// statement depends on that; so that there are few texts, what one portion of
// rows does not share is not tried with the next ones.
type inserter struct {
	table   *table
	origins []origin // of the columns, as far as portions were inserted; nil before the first
	text    string   // for as many rows as a portion has
	values  []driver.NamedValue
}

// bulk inserts n rows. row appends the columns of one: texts, bytes, truth
// values, float64, int64 and nil.
func (w *batchWriter) bulk(into *table, n int, row func(i int, args []any) ([]any, error)) error {
	in := w.inserters[into]
	if in == nil {
		in = &inserter{table: into}
		w.inserters[into] = in
	}
	width := len(into.columns)
	args := make([]any, 0, width*min(n, into.atOnce))
	for i := 0; i < n; {
		rows := min(n-i, into.atOnce)
		args = args[:0]
		for range rows {
			var err error
			if args, err = row(i, args); err != nil {
				return err
			}
			i++
		}
		text, values := in.statement(args, rows)
		if err := w.insertRows(text, values); err != nil {
			return err
		}
	}
	return nil
}

// statement is what inserts rows, whose columns stand one behind the other, and
// what it is told: first what is shared, then what each row has.
func (in *inserter) statement(args []any, rows int) (text string, values []driver.NamedValue) {
	in.values = in.values[:0]
	tell := func(v any) {
		in.values = append(in.values, driver.NamedValue{Ordinal: len(in.values) + 1, Value: v})
	}
	width := len(in.table.columns)
	if rows < in.table.atOnce { // the last ones
		for _, v := range args {
			tell(v)
		}
		return in.head() + " VALUES " + placeholders(rows, width), in.values
	}
	if in.update(args) {
		in.text = in.compose(rows)
	}
	for c, from := range in.origins {
		if from == shared {
			tell(args[c])
		}
	}
	for ; len(args) > 0; args = args[width:] {
		for c, from := range in.origins {
			if from == own {
				tell(args[c])
			}
		}
	}
	return in.text, in.values
}

func (in *inserter) head() string {
	return in.table.insert + " (" + strings.Join(in.table.columns, ", ") + ")"
}

// update reports whether these rows share less than those before.
func (in *inserter) update(args []any) (changed bool) {
	width := len(in.table.columns)
	if in.origins == nil {
		in.origins = make([]origin, width)
		for c := range in.origins {
			in.origins[c] = shared
		}
		changed = true
	}
	all := func(c int, same func(row []any) bool) bool {
		for rest := args; len(rest) > 0; rest = rest[width:] {
			if !same(rest[:width]) {
				return false
			}
		}
		return true
	}
	for c, from := range in.origins {
		if from == shared && !all(c, func(row []any) bool { return equal(row[c], args[c]) }) {
			from = repeated
		}
		if from == repeated && (c == 0 || !all(c, func(row []any) bool { return equal(row[c], row[c-1]) })) {
			from = own
		}
		if from != in.origins[c] {
			in.origins[c], changed = from, true
		}
	}
	if !slices.Contains(in.origins, own) { // there must be rows of something
		in.origins[width-1], changed = own, true
	}
	return changed
}

func equal(a, b any) bool {
	if x, ok := a.([]byte); ok {
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	}
	return a == b
}

func (in *inserter) compose(rows int) string {
	var from []string
	owned := 0
	for c, o := range in.origins {
		switch o {
		case own:
			owned++
			from = append(from, "column"+strconv.Itoa(owned))
		case shared:
			from = append(from, "?")
		case repeated:
			from = append(from, from[c-1])
		}
	}
	return in.head() + " SELECT " + strings.Join(from, ", ") + " FROM (VALUES " + placeholders(rows, owned) + ")"
}

// insertRows goes past database/sql, which looks at each value once more.
func (w *batchWriter) insertRows(text string, values []driver.NamedValue) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	return w.conn.Raw(func(raw any) error {
		st := w.raw[text]
		if st == nil {
			prepared, err := raw.(driver.ConnPrepareContext).PrepareContext(w.ctx, text)
			if err != nil {
				return err
			}
			st = prepared.(statement)
			w.raw[text] = st
		}
		_, err := st.ExecContext(context.Background(), values)
		return err
	})
}

// statement is what the driver prepares.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
}

// close ends what the driver has prepared.
func (w *batchWriter) close() {
	_ = w.conn.Raw(func(any) error {
		for _, st := range w.raw {
			_ = st.Close()
		}
		return nil
	})
}
