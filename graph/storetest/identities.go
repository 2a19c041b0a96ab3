package storetest

import (
	"fmt"
	"slices"
	"strings"

	"chancery/graph"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// judge makes the next edition of the history's judgements: random ones about
// ids that may be there or not, as far as they do not contradict each other.
func (h *history) judge() *pieces {
	h.input++
	p := &pieces{edition: graph.Edition{Dataset: h.name + "-j", Title: "Judgements", Whole: true, Input: graph.Hash{h.input, byte(h.seed)}}}
	var all []graph.Judgement
	for range h.r.IntN(7) {
		j := graph.Judgement{Verdict: pick(h, []graph.Verdict{graph.Same, graph.Same, graph.Different}), Reason: pick(h, oddNames),
			A: h.entityID(h.r.IntN(len(oddNames))), B: h.entityID(h.r.IntN(len(oddNames)))}
		s := j.Statement()
		twice := slices.ContainsFunc(p.statements, func(o graph.Statement) bool { return o.ID == s.ID })
		if j.A == j.B || twice || graph.Consistent(append(slices.Clone(all), j)) != nil {
			continue
		}
		all = append(all, j)
		p.statements = append(p.statements, s)
	}
	return p
}

// united is the record as it would be if all ids of an entity had been one
// from the beginning.
func (s oracleReader) united() oracleReader {
	c := s.clone()
	one := func(id string) string {
		if n := s.nodes[id]; n != nil {
			return n.Canonical
		}
		return id
	}
	each := func(ids []string) (out []string) {
		for _, id := range ids {
			if id = one(id); !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
		return out
	}
	for id, n := range s.nodes {
		if one(id) != id {
			delete(c.nodes, id)
			continue
		}
		n := *n
		n.Places = each(n.Places)
		var parts []graph.Participant
		for _, p := range n.Participants {
			if p.Entity = one(p.Entity); !slices.Contains(parts, p) {
				parts = append(parts, p)
			}
		}
		n.Participants = parts
		c.nodes[id] = &n
	}
	for i := range c.relations {
		r := &c.relations[i]
		r.Source, r.Target, r.ClaimedBy, r.AccreditedTo = one(r.Source), one(r.Target), one(r.ClaimedBy), one(r.AccreditedTo)
		r.Places = each(r.Places)
	}
	return oracleReader{c}
}

// inUnited is a question to the united record.
func inUnited(g *graph.Identities, q *graph.RelationQuery) *graph.RelationQuery {
	c := *q
	f := &c.Filter
	lists := []*[]string{&f.With, &f.Source, &f.Target, &f.AccreditedTo, &f.ClaimedBy, &f.Place}
	if q.Anchor == graph.AnchorEntity {
		lists = append(lists, &c.IDs)
	}
	for _, ids := range lists {
		if *ids != nil {
			out := []string{}
			for _, id := range *ids {
				out = append(out, g.Canonical(id))
			}
			*ids = out
		}
	}
	return &c
}

// compareUnited holds what is read through [graph.United] against the united
// record.
func (h *history) compareUnited() {
	ctx := h.t.Context()
	plain := oracleReader{h.oracle.(*Oracle).now()}
	want, g := plain.united(), plain.Identities()
	nodes, _ := h.all()
	differ := func(what string, want, got any) {
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			h.fail("%s: read as united, the store differs from the oracle (-oracle +store)\n%s\nidentities %v", what, diff, g.Groups())
		}
	}
	err := h.store.Read(ctx, func(tx graph.Reader) error {
		differ("identities", g.Groups(), tx.Identities().Groups())
		tx = graph.United(tx)
		for _, q := range h.asked {
			got, err := tx.Relations(ctx, q)
			if err != nil {
				return err
			}
			pages, err := want.Relations(ctx, inUnited(g, q))
			if err != nil {
				return err
			}
			for i := range pages { // the ids are those that were asked for
				if q.Anchor == graph.AnchorEntity {
					pages[i].Anchor = q.IDs[i]
				}
			}
			differ(describe(q), pages, got)
		}
		for _, detail := range []bool{false, true} {
			got, err := tx.Nodes(ctx, nodes, detail)
			if err != nil {
				return err
			}
			expected := map[string]*graph.Node{}
			for _, id := range nodes {
				if n := want.nodes[g.Canonical(id)]; n != nil {
					expected[id] = view(n, detail)
					expected[g.Canonical(id)] = view(n, detail)
				}
			}
			differ("nodes", expected, got)
		}
		return nil
	})
	if err != nil {
		h.fail("%v", err)
	}
}

// checkMerged finds out from the statements alone what the nodes must be, by
// whatever way they came to be so. Loads that were not finished leave it open.
func (h *history) checkMerged() {
	tx := oracleReader{h.oracle.(*Oracle).now()}
	priority := map[string]int{}
	for _, d := range tx.datasets {
		if !d.Complete || h.mixed {
			return
		}
		priority[d.Name] = d.Priority
	}
	nodes, _ := h.all()
	held, err := tx.Held(h.t.Context(), &graph.HeldQuery{Nodes: nodes, Identity: true})
	must(h.t, err)
	// The closure, by brute force.
	group := map[string]string{}
	for id := range held.Statements {
		group[id] = id
	}
	second := map[string]bool{}
	var same []graph.Judgement
	for i := range held.Judgements {
		if j, ok := held.Judgements[i].Judgement(); ok && j.Verdict == graph.Same && strings.HasPrefix(j.A, h.name+"/") {
			same = append(same, j)
			second[j.B] = true
			for _, id := range []string{j.A, j.B} {
				if group[id] == "" {
					group[id] = id
				}
			}
		}
	}
	for range group {
		for _, j := range same {
			least := min(group[j.A], group[j.B])
			group[j.A], group[j.B] = least, least
		}
	}
	for id, statements := range held.Statements {
		canonical := ""
		var all []graph.Statement
		for other := range held.Statements {
			if group[other] != group[id] {
				continue
			}
			all = append(all, held.Statements[other]...)
			better := second[canonical] && !second[other] || second[canonical] == second[other] && other < canonical
			if canonical == "" || better {
				canonical = other
			}
		}
		whole := graph.Merge(all, func(d string) int { return priority[d] })
		want := graph.Merge(statements, func(d string) int { return priority[d] })
		if canonical == id {
			want, want.ID = whole, id
		} else {
			want.Kind, want.Datasets = whole.Kind, nil
		}
		want.Canonical = canonical
		if diff := cmp.Diff(&want, tx.nodes[id], cmpopts.EquateEmpty()); diff != "" {
			h.fail("%s is not what is said of it (-said +stored)\n%s", id, diff)
		}
	}
}

// unitedCase is a record of two feeds that write names differently.
func unitedCase(t T, store graph.Store, order string) (*clock, func(short string, statements ...graph.Statement)) {
	v := vocabularyOf(t, store)
	c := newClock()
	editions := map[string]editionSpec{
		"m": {Dataset: "main", Priority: 1, Entities: []nodeSpec{
			{ID: "person/ada", Kind: graph.KindPerson, Name: "Ada Quill", ExternalIDs: []string{"x:1"}},
			{ID: "state/ruritania", Kind: graph.KindState, Name: "Ruritania"}, {ID: "person/bo", Kind: graph.KindPerson, Name: "Bo Sand"}},
			Relations: []relationSpec{
				{ID: "m/1", Type: "CONDEMNED", Source: "person/ada", Target: "state/ruritania", Date: "2020-01-05"},
				{ID: "m/2", Type: "MET_WITH", Source: "person/bo", Target: "person/ada", Date: "2020-01-03"},
				{ID: "m/3", Type: "CONDEMNED", Source: "person/bo", Target: "person/ada", Date: "2020-01-09"}}},
		"f": {Dataset: "feed", Entities: []nodeSpec{
			{ID: "actor/a-quill", Kind: graph.KindUndecided, Name: "A. Quill", Aliases: []string{"Ada"}, ExternalIDs: []string{"y:2"}},
			{ID: "actor/ruritania", Kind: graph.KindUndecided, Name: "Kingdom of Ruritania"}, {ID: "person/bo", Kind: graph.KindPerson, Name: "Bo Sand"}},
			Relations: []relationSpec{
				{ID: "f/1", Type: "CONDEMNED", Source: "actor/a-quill", Target: "actor/ruritania", Date: "2020-01-04", ClaimedBy: "actor/a-quill"},
				{ID: "f/2", Type: "MET_WITH", Source: "person/bo", Target: "actor/a-quill", Date: "2020-01-02"},
				{ID: "f/3", Type: "LEADS", Source: "actor/a-quill", Target: "actor/ruritania", Date: "2019-01-01/.."},
				{ID: "f/4", Type: "MET_WITH", Source: "actor/a-quill", Target: "actor/ruritania", Date: "2020-01-06", Places: []string{"actor/ruritania"}}}},
		"b": {Dataset: "bridge", Relations: []relationSpec{ // between ids that may be the same
			{ID: "b/1", Type: "PRAISED", Source: "person/ada", Target: "actor/a-quill", Date: "2020-01-07"},
			{ID: "b/2", Type: "MET_WITH", Source: "actor/a-quill", Target: "person/ada", Date: "2020-01-08"}}},
	}
	input := byte(0)
	judge := func(short string, statements ...graph.Statement) {
		input++
		_, err := record(t, store, graph.Edition{Dataset: short, Whole: true, Input: graph.Hash{100, input}}, c.now, 2, statements, nil)
		must(t, err)
	}
	for _, short := range order {
		if short == 'j' {
			judge("identities", adaAndRuritania()...)
			continue
		}
		e := editions[string(short)]
		statements, relations := e.edition(v)
		_, err := record(t, store, graph.Edition{Dataset: e.Dataset, Priority: e.Priority, Whole: true, Input: graph.Hash{byte(short)}}, c.now, 2, statements, relations)
		must(t, err)
	}
	return c, judge
}

func adaAndRuritania() []graph.Statement {
	var out []graph.Statement
	for _, j := range []graph.Judgement{
		{Verdict: graph.Same, A: "person/ada", B: "actor/a-quill", Reason: "one name, one office", Judge: "a test"},
		{Verdict: graph.Same, A: "state/ruritania", B: "actor/ruritania"},
		{Verdict: graph.Different, A: "person/ada", B: "person/bo"},
	} {
		out = append(out, j.Statement())
	}
	return out
}

var unitedIDs = []string{"person/ada", "actor/a-quill", "state/ruritania", "actor/ruritania", "person/bo"}

// shown is what a store shows of the case: all nodes, and answers to many
// questions, read as united and as they are.
func shown(t T, store graph.Store) map[string]any {
	ctx := t.Context()
	out := map[string]any{}
	must(t, store.Read(ctx, func(raw graph.Reader) error {
		out["identities"] = raw.Identities().Groups()
		for name, tx := range map[string]graph.Reader{"raw": raw, "united": graph.United(raw)} {
			nodes, err := tx.Nodes(ctx, unitedIDs, true)
			must(t, err)
			out[name+" nodes"] = nodes
			for _, direction := range []graph.Direction{graph.Any, graph.Out, graph.In} {
				for _, filter := range []graph.RelationFilter{{}, {With: unitedIDs[:1]}, {With: unitedIDs[1:2]}, {Source: unitedIDs[3:]},
					{ClaimedBy: unitedIDs[:1]}, {Place: unitedIDs[2:3]}, {WithKinds: []graph.Kind{graph.KindState}}} {
					if direction != graph.Any && (filter.Source != nil || filter.ClaimedBy != nil || filter.Place != nil || filter.WithKinds != nil) {
						continue // of directions, the others tell enough
					}
					filter.Direction = direction
					for _, anchor := range []graph.Anchor{graph.AnchorEntity, graph.AnchorNone} {
						q := &graph.RelationQuery{Anchor: anchor, IDs: unitedIDs, Filter: filter, Order: graph.NewestFirst, Limit: 50, Count: true, Detail: true}
						pages, err := tx.Relations(ctx, q)
						must(t, err)
						for i := range pages { // when they were recorded differs with the order of loading
							for _, r := range pages[i].Rows {
								r.RecordedAt, r.Date.CertainTo = 0, 0
							}
						}
						out[name+" "+describe(q)] = pages
					}
				}
			}
			for i, f := range []graph.EntityFilter{{}, {Office: []string{"LEADS"}}, {Kinds: []graph.Kind{graph.KindUndecided}},
				{IDs: unitedIDs[1:2]}, {ExternalID: &graph.ExternalID{Scheme: "y", Value: "2"}}, {Dataset: []string{"feed"}}} {
				page, err := tx.Entities(ctx, &graph.EntityQuery{Filter: f, Order: graph.ByName, Limit: 50, Count: true, Detail: true})
				must(t, err)
				out[fmt.Sprintf("%s entities %d", name, i)] = page
			}
		}
		for _, text := range []string{"Ada", "Quill", "A. Quill", "Kingdom"} {
			step := &graph.Step{Op: graph.OpSearch, Search: &graph.Search{Text: text, Limit: 50}}
			a, err := graph.Run(ctx, raw, &graph.Plan{Roots: []*graph.Step{step}})
			must(t, err)
			var hits []string
			for _, h := range a.Rows(step).Hits {
				hits = append(hits, h.Node.ID+" "+string(h.Match))
			}
			out["search "+text] = hits
		}
		return nil
	}))
	return out
}

func mustEqual(t T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		if len(diff) > 4000 {
			diff = diff[:4000] + "…"
		}
		t.Fatalf("%s (-want +got)\n%s", what, diff)
	}
}

// runIdentities goes through the life of judgements: what they unite, that
// taking them back restores all, and that pages through what they unite are
// those of the whole list.
func runIdentities(t T, store graph.Store) {
	_, judge := unitedCase(t, store, "mfb")
	before := shown(t, store)
	judge("identities", adaAndRuritania()...)
	ctx := t.Context()
	must(t, store.Read(ctx, func(raw graph.Reader) error {
		tx := graph.United(raw)
		nodes, err := tx.Nodes(ctx, unitedIDs, true)
		must(t, err)
		for _, id := range unitedIDs[:2] {
			n := nodes[id]
			if n == nil {
				t.Fatalf("%s is not found", id)
			}
			mustEqual(t, "the united person", []any{"person/ada", graph.KindPerson, "Ada Quill", []string{"Ada", "A. Quill"}, "x:1 y:2", []string{"feed", "main"}},
				[]any{n.ID, n.Kind, n.Name, n.Aliases, n.ExternalIDs[0].String() + " " + n.ExternalIDs[1].String(), n.Datasets})
		}
		for direction, want := range map[graph.Direction][]string{
			graph.Any: {"f/3", "m/3", "b/2", "b/1", "f/4", "m/1", "f/1", "m/2", "f/2"},
			graph.Out: {"f/3", "b/2", "b/1", "f/4", "m/1", "f/1", "m/2", "f/2"},
			graph.In:  {"m/3", "b/2", "b/1", "f/4", "m/2", "f/2"},
		} {
			q := &graph.RelationQuery{Anchor: graph.AnchorEntity, IDs: unitedIDs[:2], Order: graph.NewestFirst, Limit: 50, Count: true,
				Filter: graph.RelationFilter{Direction: direction}}
			pages, err := tx.Relations(ctx, q)
			must(t, err)
			for _, p := range pages {
				var ids []string
				for _, r := range p.Rows {
					ids = append(ids, r.ID)
					if r.Source != "person/ada" && r.Target != "person/ada" {
						t.Errorf("%s runs from %s to %s", r.ID, r.Source, r.Target)
					}
				}
				mustEqual(t, "relations of "+p.Anchor+" "+string(direction), want, ids)
				if p.Count != len(want) {
					t.Errorf("%s counts %d, want %d", p.Anchor, p.Count, len(want))
				}
			}
			walkPages(t, tx, q)
		}
		return nil
	}))
	whole := shown(t, store)
	mustEqual(t, "hits", []string{"person/ada ALIAS"}, whole["search Ada"].([]string)[:1])
	mustEqual(t, "hits by the other name", []string{"person/ada ALIAS"}, whole["search A. Quill"].([]string)[:1])

	// One judgement less, and none: of data sets that know nothing of each other.
	judge("identities", adaAndRuritania()[1:]...)
	judge("more", adaAndRuritania()[:1]...)
	mustEqual(t, "judgements in two data sets", whole, shown(t, store))
	judge("identities")
	judge("more")
	mustEqual(t, "after taking judgements back", before, shown(t, store))
}

// walkPages reads a list page by page, both ways.
func walkPages(t T, tx graph.Reader, q *graph.RelationQuery) {
	for _, order := range []graph.Order{graph.NewestFirst, graph.OldestFirst} {
		whole := *q
		whole.IDs, whole.Order = q.IDs[:1], order
		all, err := tx.Relations(t.Context(), &whole)
		must(t, err)
		for _, backward := range []bool{false, true} {
			for size := 1; size < 4; size++ {
				page := whole
				page.Limit, page.Backward = size, backward
				var rows []*graph.Relation
				for {
					some, err := tx.Relations(t.Context(), &page)
					must(t, err)
					if len(some[0].Rows) == 0 || len(rows) > 100 {
						break
					}
					first, last := some[0].Rows[0].Key(), some[0].Rows[len(some[0].Rows)-1].Key()
					if backward {
						rows, page.Before = append(slices.Clone(some[0].Rows), rows...), &first
					} else {
						rows, page.After = append(rows, some[0].Rows...), &last
					}
				}
				mustEqual(t, fmt.Sprintf("pages of %d, %s, backward %v", size, order, backward), all[0].Rows, rows)
			}
		}
	}
}

// runIdentityOrder loads the same editions in several orders, judgements before
// data too, and expects the same record.
func runIdentityOrder(t T, store graph.Store) {
	var first map[string]any
	for _, order := range []string{"mfbj", "jmfb", "mjfb", "fjmb"} {
		oracle := NewOracle()
		unitedCase(t, oracle, order)
		if got := shown(t, oracle); first == nil {
			first = got
		} else {
			mustEqual(t, "loaded in the order "+order, first, got)
		}
	}
	unitedCase(t, store, "jfmb")
	mustEqual(t, "judgements loaded before data", first, shown(t, store))
}

// runIdentityFailures: contradictions are refused, and a load that is
// interrupted anywhere is made good by loading again.
func runIdentityFailures(t T, store graph.Store) {
	c, judge := unitedCase(t, store, "mfb")
	before := shown(t, store)
	judge("identities", adaAndRuritania()...)
	want := shown(t, store)
	bad := graph.Judgement{Verdict: graph.Same, A: "person/bo", B: "actor/a-quill"}
	_, err := record(t, store, graph.Edition{Dataset: "other", Whole: true, Input: graph.Hash{9}}, c.now, 0, []graph.Statement{bad.Statement()}, nil)
	if err == nil || !strings.Contains(err.Error(), "person/ada is judged not to be person/bo") || !strings.Contains(err.Error(), "person/bo is actor/a-quill") {
		t.Errorf("a contradiction: %v", err)
	}
	mustEqual(t, "after a contradiction", want, shown(t, store))
	judge("identities")
	for stop := range 6 {
		e := graph.Edition{Dataset: "identities", Whole: true, Input: graph.Hash{50, byte(stop)}}
		_, _ = record(t, &stopping{store, stop}, e, c.now, 2, adaAndRuritania(), nil)
		_, err := record(t, store, e, c.now, 2, adaAndRuritania(), nil)
		must(t, err)
		mustEqual(t, fmt.Sprintf("interrupted after %d batches, and repeated", stop), want, shown(t, store))
		none := graph.Edition{Dataset: "identities", Whole: true, Input: graph.Hash{51, byte(stop)}}
		_, _ = record(t, &stopping{store, stop}, none, c.now, 2, nil, nil)
		_, err = record(t, store, none, c.now, 2, nil, nil)
		must(t, err)
		mustEqual(t, fmt.Sprintf("taken back, interrupted after %d batches, and repeated", stop), before, shown(t, store))
	}
}
