package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"chancery/graph"
)

// TestCheckpoints: the log begins anew while a load goes on, unless somebody
// reads what is older, and then when they have ended.
func TestCheckpoints(t *testing.T) {
	path := database(t)
	s := open(t, path)
	s.checkpoints.every = 50
	pages := func(of string) int {
		info, err := os.Stat(of)
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Size() / 4096)
	}
	written := 0
	write := func(times int) {
		for range times {
			written++
			err := s.write(t.Context(), "test", func(tx *sql.Tx) error {
				return setMeta(t.Context(), tx, fmt.Sprint("test", written), strings.Repeat("x", 16*4096))
			})
			if err != nil {
				t.Fatal(err)
			}
			s.checkpoints.wait() // as if the disk were fast
		}
	}
	const most = 50 + 3*20 // until it is begun, and what is written before it is complete
	write(100)
	if log := pages(path + "-wal"); log > most {
		t.Errorf("the log has %d pages", log)
	}
	if file := pages(path); file < 16*80 {
		t.Errorf("only %d pages are in the file", file)
	}
	// A log that has grown keeps its size, and so does the file.
	var before, during int
	err := s.Read(t.Context(), func(graph.Reader) error {
		before = pages(path)
		write(40)
		during = pages(path + "-wal")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if during < 16*30 {
		t.Errorf("the log has %d pages while there is a reader of what is older", during)
	}
	write(20)
	if file := pages(path); file < before+16*40 {
		t.Errorf("the file has grown from %d to %d pages", before, file)
	}
	if log := pages(path + "-wal"); log > during+most {
		t.Errorf("the log has grown from %d to %d pages", during, log)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("the log is left")
	}
}
