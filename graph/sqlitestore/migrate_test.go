package sqlitestore

import (
	"context"
	"database/sql"
	"path/filepath"
	"strconv"
	"testing"

	"chancery/graph"
)

// TestOlderFile: a file of the first version is brought up to date, and
// followers find its journal empty.
func TestOlderFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	first, err := migrations.ReadFile("migrations/0001_record.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(first), "INSERT INTO datasets VALUES ('old', '', 0, 1, x'00', 1)",
		"PRAGMA application_id = " + strconv.Itoa(applicationID), "PRAGMA user_version = 1"} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	err = s.Read(t.Context(), func(tx graph.Reader) error {
		sets, err := tx.Datasets(t.Context())
		if err != nil || len(sets) != 1 || sets[0].Name != "old" {
			t.Errorf("%v, %v", sets, err)
		}
		end, err := graph.JournalEnd(t.Context(), tx)
		if end != (graph.Position{Seq: 1}) {
			t.Errorf("%v", end)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
