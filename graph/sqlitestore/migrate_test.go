package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"chancery/graph"
)

// TestOlderFile: a file of the first version is brought up to date, and
// followers find its journal empty.
func TestOlderFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	older(t, path, 1, "INSERT INTO datasets VALUES ('old', '', 0, 1, x'00', 1)")
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

// older makes a file of an older version, and runs statements in it.
func older(t *testing.T, path string, version int, statements ...string) {
	t.Helper()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var all []string
	for _, file := range files[:version] {
		text, err := migrations.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	all = append(all, statements...)
	all = append(all, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version))
	for _, text := range all {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// TestOlderSearch: a file that kept the deletions of each node keeps those of
// each word once it is brought up to date, and finds what it found.
func TestOlderSearch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	var statements []string
	words := map[string]bool{}
	for i, name := range []string{"Steve Witkoff", "Steven Witkof", "Iron", "Ion"} {
		statements = append(statements, fmt.Sprintf(`INSERT INTO nodes VALUES (%d, 'old/%d', 'ENTITY', 'PERSON', '%s', '%[3]s', 'old/%[2]d', '["old"]', '', 0, 3652058, '{}')`, i+1, i, name))
		for _, term := range graph.SearchTerms(name, nil) {
			statements = append(statements, fmt.Sprintf("INSERT INTO search_terms VALUES ('%s', %d)", term, i+1))
		}
		for _, w := range graph.Words(name) {
			words[w] = true
		}
	}
	older(t, path, 5, statements...)
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	find := func(text string, want ...string) {
		t.Helper()
		q := &graph.SearchQuery{}
		for _, w := range graph.Words(text) {
			q.Words = append(q.Words, graph.ToSearchWord(w))
		}
		err := s.Read(t.Context(), func(tx graph.Reader) error {
			nodes, err := tx.Candidates(t.Context(), q)
			var got []string
			for _, n := range nodes {
				got = append(got, n.Name)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s finds %q, not %q", text, got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	find("wittkoff", "Steve Witkoff", "Steven Witkof")
	find("witkoff steven", "Steve Witkoff", "Steven Witkof")
	find("iro", "Ion", "Iron")
	find("ir", "Iron")
	var deletions, want int
	for w := range words {
		want += len(graph.Deletions(w))
	}
	if err := s.writer.QueryRowContext(t.Context(), "SELECT count(*) FROM word_deletions").Scan(&deletions); err != nil || deletions != want {
		t.Errorf("%d deletions, want %d: %v", deletions, want, err)
	}
}
