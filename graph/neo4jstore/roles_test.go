package neo4jstore_test

import (
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
)

// TestRolesOfUnited: an entity that stands for others has the labels of their
// offices, for as long as it stands for them.
func TestRolesOfUnited(t *testing.T) {
	s := neo4jtest.Open(t)
	now := time.Unix(1_700_000_000, 0)
	input := byte(0)
	load := func(dataset string, statements []graph.Statement, relations []*graph.Relation) {
		t.Helper()
		input++
		now = now.Add(time.Minute)
		r, err := graph.NewRecorder(t.Context(), s, graph.Edition{Dataset: dataset, Whole: true, Input: graph.Hash{input}},
			graph.RecorderOptions{Now: func() time.Time { return now }, Holder: "test"})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Abort(t.Context())
		if err := r.Record(t.Context(), statements, relations, graph.Counts{}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	people := []graph.Statement{
		{ID: "p/ada", Content: entity(graph.KindPerson, "Ada")}, {ID: "f/a-lund", Content: entity(graph.KindPerson, "A. Lund")},
		{ID: "s/norland", Content: entity(graph.KindState, "Norland")},
	}
	leads := func(source string) []*graph.Relation {
		return []*graph.Relation{{ID: "r", Type: "LEADS", Source: source, Target: "s/norland", Status: graph.Reported, Date: date(t, "", graph.Standing)}}
	}
	labels := func(want string) {
		t.Helper()
		assertCypher(t, s, "MATCH (n:Leader) WITH n ORDER BY n.id RETURN collect(n.id) = "+want)
	}
	j := graph.Judgement{Verdict: graph.Same, A: "p/ada", B: "f/a-lund"}
	load("d", people, leads("f/a-lund"))
	labels("['f/a-lund']")
	load("identities", []graph.Statement{j.Statement()}, nil)
	labels("['f/a-lund', 'p/ada']")
	load("d", people, nil)
	labels("[]")
	load("d", people, leads("f/a-lund"))
	labels("['f/a-lund', 'p/ada']")
	load("identities", nil, nil)
	labels("['f/a-lund']")
}
