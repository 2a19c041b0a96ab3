package storetest

import (
	"testing"

	"chancery/graph"
)

// TestOracle holds the oracle to the cases, so that a wrong expectation shows.
func TestOracle(t *testing.T) {
	Run(t, func(*testing.T) graph.Store { return NewOracle() })
}
