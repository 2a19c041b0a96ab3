package resolvers

import (
	"encoding/json"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
)

const (
	curatedText = `dataset: curated
priority: 1
entities:
  ada:  {kind: Person, name: Ada Quill}
  bo:   {kind: Person, name: Bo Sand}
  land: {kind: State, name: Ruritania}
relations:
  - {id: leads, type: LEADS, source: ada, target: land, date: 2019-01-01/..}
  - {id: met, type: MET_WITH, source: bo, target: ada, date: 2020-01-03}
`
	feedText = `dataset: feed
entities:
  q: {id: feed/quill, kind: Undecided, name: "Quill, A."}
  b: {id: feed/bo, kind: Person, name: Sand}
  r: {id: feed/kingdom, kind: Undecided, name: Kingdom of Ruritania}
relations:
  - {id: condemned, type: CONDEMNED, source: q, target: r, date: 2020-01-04, claimedBy: b}
  - {id: met, type: MET_WITH, source: b, target: q, date: 2020-01-02}
  - {id: praised, type: PRAISED, source: b, target: person/bo-sand, date: 2020-01-05}
`
	judgedText = `identities:
  - same: [person/ada-quill, feed/quill]
  - same: [person/bo-sand, feed/bo]
  - same: [state/ruritania, feed/kingdom]
`
	noneText = "identities: []\n"
)

// TestIdentities: a traversal over three hops crosses what judgements unite as
// one entity at each, by any of its ids and with as many calls to the store;
// taking the judgements back restores the answers.
func TestIdentities(t *testing.T) {
	const query = `query($id: ID!) {
  entity(id: $id) { id ids name aliases
    relations { totalCount edges { node { id claimedBy { id } } other { id
      relations { totalCount edges { node { id } other { id
        relations { totalCount nodes { id source { id } target { id } } } } } } } } } }
  relations(filter: {source: [$id]}) { totalCount nodes { id } }
  with: relations(filter: {with: [$id]}) { totalCount nodes { id } }
  leaders(of: "feed/kingdom") { nodes { holder { id ids } } }
  entities(filter: {office: [LEADS]}) { nodes { id } }
}`
	every.Store(t, func(t *testing.T, store graph.Store) {
		load := func(texts ...string) {
			t.Helper()
			var files []string
			for _, text := range texts {
				files = append(files, write(t, "a.yaml", text))
			}
			if _, err := loader.Load(t.Context(), store, files, loader.Options{}); err != nil {
				t.Fatal(err)
			}
		}
		asked := func(id string) (string, int) {
			t.Helper()
			counted := &counting{Store: store}
			answer := string(ask(t, counted, query, map[string]any{"id": id}))
			if strings.Contains(answer, `"errors"`) {
				t.Fatalf("%s", answer)
			}
			return answer, len(counted.calls)
		}
		load(curatedText, feedText)
		before, calls := asked("feed/quill")
		load(judgedText)
		one, callsUnited := asked("person/ada-quill")
		other, _ := asked("feed/quill")
		if one != other {
			t.Errorf("by one id\n%s\nby the other\n%s", one, other)
		}
		// Lists at entities are counted on three levels, each with one call more;
		// and there is a leader now, to be fetched.
		if callsUnited != calls+4 {
			t.Errorf("%d calls, and %d before the judgements", callsUnited, calls)
		}
		var got struct {
			Data struct {
				Entity struct {
					ID, Name     string
					IDs, Aliases []string
					Relations    struct {
						TotalCount int
						Edges      []struct {
							Node  struct{ ID string }
							Other struct {
								ID        string
								Relations struct {
									TotalCount int
									Edges      []struct {
										Node  struct{ ID string }
										Other struct{ ID string }
									}
								}
							}
						}
					}
				}
				Relations struct{ TotalCount int }
				With      struct{ TotalCount int }
				Leaders   struct {
					Nodes []struct {
						Holder struct{ IDs []string }
					}
				}
				Entities struct{ Nodes []struct{ ID string } }
			}
		}
		if err := json.Unmarshal([]byte(one), &got); err != nil {
			t.Fatal(err)
		}
		e := got.Data.Entity
		if e.ID != "person/ada-quill" || strings.Join(e.IDs, " ") != "feed/quill person/ada-quill" || e.Name != "Ada Quill" || strings.Join(e.Aliases, " ") != "Quill, A." {
			t.Errorf("the entity is %+v", e)
		}
		var hops []string
		for _, edge := range e.Relations.Edges {
			hops = append(hops, edge.Node.ID+">"+edge.Other.ID)
			if edge.Other.ID == "person/bo-sand" {
				if r := edge.Other.Relations; r.TotalCount != 3 || len(r.Edges) != 3 || r.Edges[0].Other.ID != "person/bo-sand" {
					t.Errorf("relations of the second hop, of which one is between ids of one person: %+v", r)
				}
			}
		}
		if want := "curated/leads>state/ruritania feed/condemned>state/ruritania curated/met>person/bo-sand feed/met>person/bo-sand"; strings.Join(hops, " ") != want || e.Relations.TotalCount != 4 {
			t.Errorf("%d relations: %v", e.Relations.TotalCount, hops)
		}
		if d := got.Data; d.Relations.TotalCount != 2 || d.With.TotalCount != 4 || len(d.Leaders.Nodes) != 1 || len(d.Leaders.Nodes[0].Holder.IDs) != 2 ||
			len(d.Entities.Nodes) != 1 || d.Entities.Nodes[0].ID != "person/ada-quill" {
			t.Errorf("filters find %+v", d)
		}
		load(noneText)
		if after, _ := asked("feed/quill"); after != before {
			t.Errorf("before the judgements\n%s\nafter they were taken back\n%s", before, after)
		}
	})
}
