package storetest

import (
	"context"
	"testing"

	"chancery/graph"
)

// T is what the suite needs of a test; a *[testing.T] is one.
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// Run holds a store to the answers of the suite: every case, and random
// histories against the oracle. open gives an empty store each time.
func Run(t *testing.T, open func(t *testing.T) graph.Store) {
	for name, run := range parts(t) {
		t.Run(name, func(t *testing.T) { run(t, open(t)) })
	}
}

// parts are the parts of the suite; each takes an empty store.
func parts(t T) map[string]func(T, graph.Store) {
	cases, err := readCases()
	must(t, err)
	all := map[string]func(T, graph.Store){
		"histories": runHistories,
		"leases":    runLeases,
		"batches":   runBatches,
		"learning":  runLearning,
		"resuming":  runResuming,

		"identities":           runIdentities,
		"identities in order":  runIdentityOrder,
		"identities that fail": runIdentityFailures,

		"forgetting":                        runForgetting,
		"forgetting identities":             runForgettingIdentities,
		"forgetting interrupted":            runForgettingInterrupted,
		"forgetting identities interrupted": runForgettingIdentitiesInterrupted,
		"forgetting together":               runForgettingTogether,
		"forgetting a data set's name":      runForgettingDataset,
	}
	for name, c := range cases {
		all["case "+name] = func(t T, store graph.Store) { runCase(t, store, c) }
	}
	return all
}
