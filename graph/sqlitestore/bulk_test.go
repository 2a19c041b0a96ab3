package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestBulk: whatever rows share, each is inserted as it was given.
func TestBulk(t *testing.T) {
	const seed = 11
	random := rand.New(rand.NewPCG(seed, seed))
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(t.Context(), "CREATE TABLE t (row INTEGER PRIMARY KEY, a ANY, b ANY, c ANY, d ANY, e ANY) STRICT"); err != nil {
		t.Fatal(err)
	}
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := newBatchWriter(t.Context(), conn, tx)
	into := newTable("INSERT INTO t", "a b c d e", 4)
	values := []any{nil, "", "text", []byte{}, []byte("text"), int64(7), int64(8), 7.5, "it's ?1"}
	var want [][]any
	texts := map[string]bool{}
	for call := range 200 {
		rows := make([][]any, random.IntN(14))
		for i := range rows {
			rows[i] = make([]any, len(into.columns))
			for c := range rows[i] {
				// The columns begin to differ one after the other, the fourth
				// one from the third one last.
				switch {
				case call < 20*c:
					rows[i][c] = values[c]
				case c == 3 && call < 150:
					rows[i][c] = rows[i][c-1]
				default:
					rows[i][c] = values[random.IntN(len(values))]
				}
			}
		}
		err := w.bulk(into, len(rows), func(i int, args []any) ([]any, error) { return append(args, rows[i]...), nil })
		if err != nil {
			t.Fatalf("call %d: %v", call, err)
		}
		texts[w.inserters[into].text] = true
		want = append(want, rows...)
	}
	if most := into.atOnce - 1 + len(texts); len(w.raw) > most || len(texts) < 5 || len(texts) > 2*len(into.columns)+1 {
		t.Errorf("%d statements, %d of whole portions", len(w.raw), len(texts))
	}
	w.close()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	got, err := conn.QueryContext(t.Context(), "SELECT a, b, c, d, e FROM t ORDER BY row")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Close() }()
	for i := 0; got.Next(); i++ {
		row := make([]any, len(into.columns))
		into := make([]any, len(row))
		for c := range row {
			into[c] = &row[c]
		}
		if err := got.Scan(into...); err != nil {
			t.Fatal(err)
		}
		if i >= len(want) {
			t.Fatalf("more than %d rows", len(want))
		}
		for c := range row {
			if diff := cmp.Diff(fmt.Sprintf("%T %v", want[i][c], want[i][c]), fmt.Sprintf("%T %v", row[c], row[c])); diff != "" {
				t.Fatalf("row %d, column %d (-want +got):\n%s", i, c, diff)
			}
		}
		want[i] = nil
	}
	if err := got.Err(); err != nil {
		t.Fatal(err)
	}
	for i, row := range want {
		if row != nil {
			t.Fatalf("row %d is missing", i)
		}
	}
}

// TestBulkInTransaction: what is inserted when the time has run out goes with the
// rest of its transaction.
func TestBulkInTransaction(t *testing.T) {
	s := open(t, database(t))
	ctx, cancel := context.WithCancel(t.Context())
	stopped := errors.New("stopped")
	err := s.writeOn(ctx, "test", func(conn *sql.Conn, tx *sql.Tx) error {
		w := newBatchWriter(context.Background(), conn, tx)
		defer w.close()
		for i := range 4 {
			word := []pair{{fmt.Sprint("word ", i), int64(i)}}
			if err := w.inserting(externalIDs)(word); err != nil {
				return err
			}
			cancel()
			time.Sleep(20 * time.Millisecond) // for whoever watches it
		}
		return stopped
	})
	if !errors.Is(err, stopped) {
		t.Error(err)
	}
	var rows int
	if err := s.writer.QueryRowContext(t.Context(), "SELECT count(*) FROM external_ids").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows are left, %v", rows, err)
	}
	if err := s.writeOn(ctx, "test", func(*sql.Conn, *sql.Tx) error { return nil }); err == nil {
		t.Error("a transaction began without any time left")
	}
}

// TestBulkStops: what has no time left inserts nothing.
func TestBulkStops(t *testing.T) {
	s := open(t, database(t))
	ctx, cancel := context.WithCancel(t.Context())
	err := s.writeOn(t.Context(), "test", func(conn *sql.Conn, tx *sql.Tx) error {
		w := newBatchWriter(ctx, conn, tx)
		defer w.close()
		cancel()
		return w.bulk(searchWords, 1, func(_ int, args []any) ([]any, error) { return append(args, "word"), nil })
	})
	if err == nil {
		t.Error("it went on")
	}
}
