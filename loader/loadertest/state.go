package loadertest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"

	"chancery/graph"

	gocmp "github.com/google/go-cmp/cmp"
)

// State is all that a store holds of a data set, with its history.
type State struct {
	Dataset    graph.Dataset
	Nodes      map[string]*graph.Node
	Statements map[string][]graph.Statement
	Versions   map[string][]*graph.Relation
}

// ReadState reads what stands under the ids that a data set holds now, and
// stood there before.
func ReadState(ctx context.Context, store graph.Store, dataset string) (State, error) {
	s := State{Nodes: map[string]*graph.Node{}, Statements: map[string][]graph.Statement{}, Versions: map[string][]*graph.Relation{}}
	err := store.Read(ctx, func(tx graph.Reader) error {
		datasets, err := tx.Datasets(ctx)
		if err != nil {
			return err
		}
		for _, d := range datasets {
			if d.Name == dataset {
				s.Dataset = d
			}
		}
		after := ""
		for {
			page, err := tx.Held(ctx, &graph.HeldQuery{Dataset: dataset, After: after, Limit: 5000})
			if err != nil || len(page.Entries) == 0 {
				return err
			}
			var nodes, relations []string
			for _, e := range page.Entries {
				if after = e.ID; e.Relation {
					relations = append(relations, e.ID)
				} else {
					nodes = append(nodes, e.ID)
				}
			}
			held, err := tx.Held(ctx, &graph.HeldQuery{Nodes: nodes, Relations: relations, History: true})
			if err != nil {
				return err
			}
			maps.Copy(s.Statements, held.Statements)
			maps.Copy(s.Versions, held.Versions)
			merged, err := tx.Nodes(ctx, nodes, true)
			if err != nil {
				return err
			}
			maps.Copy(s.Nodes, merged)
		}
	})
	return s, err
}

// WithoutMoments leaves out of a state what differs from one load to the next:
// moments are numbered in their order.
func (s State) WithoutMoments() State {
	var all []graph.Instant
	each := func(fn func(*graph.Instant)) {
		for _, v := range s.Statements {
			for i := range v {
				fn(&v[i].RecordedAt)
				fn(&v[i].SupersededAt)
			}
		}
		for _, v := range s.Versions {
			for _, r := range v {
				fn(&r.RecordedAt)
				fn(&r.SupersededAt)
			}
		}
		fn(&s.Dataset.RecordedAt)
	}
	seen := map[graph.Instant]int{}
	each(func(at *graph.Instant) {
		if _, ok := seen[*at]; !ok && *at != 0 {
			seen[*at] = 0
			all = append(all, *at)
		}
	})
	for _, at := range all {
		for _, other := range all {
			if other <= at {
				seen[at]++
			}
		}
	}
	each(func(at *graph.Instant) {
		if *at != 0 {
			*at = graph.Instant(seen[*at])
		}
	})
	return s
}

// Diff is how another state differs (-s +other): the first thing that does,
// since a comparison of everything by cmp takes minutes under the race detector.
func (s State) Diff(other State) string {
	if reflect.DeepEqual(s, other) {
		return ""
	}
	return cmp.Or(
		gocmp.Diff(s.Dataset, other.Dataset),
		differing("node", s.Nodes, other.Nodes),
		differing("statements of", s.Statements, other.Statements),
		differing("relation", s.Versions, other.Versions))
}

func differing[T any](what string, want, got map[string]T) string {
	for id, v := range want {
		other, ok := got[id]
		if !ok {
			return fmt.Sprintf("%s %s is not there: %+v", what, id, v)
		}
		if reflect.DeepEqual(v, other) {
			continue
		}
		if diff := gocmp.Diff(v, other); diff != "" {
			return fmt.Sprintf("%s %s:\n%s", what, id, diff)
		}
	}
	for id, v := range got {
		if _, ok := want[id]; !ok {
			return fmt.Sprintf("%s %s should not be there: %+v", what, id, v)
		}
	}
	return ""
}
