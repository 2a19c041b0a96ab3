package loader_test

import (
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"
)

// TestFeedsAgree: both stores hold the same of a feed, with its history, also
// after a second load.
func TestFeedsAgree(t *testing.T) {
	texts := map[string]string{"icews": icewsText, "gdelt": gdeltText, "polecat": polecatText(t),
		"tkg": "Citizen_(Kenya)\tMake_a_visit\tNorway\t2014-02-28\nNorway\tHost_a_visit\tCitizen_(Kenya)\t2014-02-28\nNorway\tConsult\tMalaysian\t2014-03-01\n"}
	for dataset, text := range texts {
		t.Run(dataset, func(t *testing.T) {
			// The edition after it has one row of another content.
			more := strings.NewReplacer("\t-0.5\t", "\t-0.75\t", "\t59.9\t10.7\t", "\t60\t11\t", "\tThe Daily\t", "\tThe Weekly\t").Replace(text)
			files := []string{write(t, "a", text), write(t, "b", more), write(t, "a", text)}
			var states []loadertest.State
			every.Store(t, func(t *testing.T, store graph.Store) {
				for _, file := range files {
					loadFiles(t, store, loader.Options{}, file)
				}
				state, err := loadertest.ReadState(t.Context(), store, dataset)
				if err != nil {
					t.Fatal(err)
				}
				if len(state.Versions) == 0 || len(state.Nodes) == 0 {
					t.Fatal("nothing is loaded")
				}
				states = append(states, state.WithoutMoments())
			})
			for i := 1; i < len(states); i++ {
				if diff := states[0].Diff(states[i]); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
