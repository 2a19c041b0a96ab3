package sqlitestore

import (
	"path/filepath"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest"
)

// TestManyEnds: the answers are the same where kinds are no way in, as in large
// records. (The records of the suite are small.)
func TestManyEnds(t *testing.T) {
	few := fewEnds
	fewEnds = 0
	defer func() { fewEnds = few }()
	storetest.Run(t, func(t *testing.T) graph.Store { return open(t, filepath.Join(t.TempDir(), "chancery.db")) })
}
