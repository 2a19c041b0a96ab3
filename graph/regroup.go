package graph

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// identityRecord is what a load knows of identities. While it writes, nodes are
// merged by the identities that the nodes have now; what judgements make of
// them is written at the end, so that a load which fails has changed none.
type identityRecord struct {
	now *Identities
	// judgements are those that will stand after the load.
	judgements map[StatementKey]Judgement
	// disputes are of identities that the load has written, by their nodes.
	disputes map[string]KindDispute
	// unsettled says that another data set's judgements are loaded in part:
	// identities stay as they are until the rest is.
	unsettled bool
}

func (g *identityRecord) begin(ctx context.Context, tx Reader, datasets []Dataset, e *Edition) error {
	held, err := tx.Held(ctx, &HeldQuery{Identity: true})
	if err != nil {
		return err
	}
	g.now = held.Identities
	g.judgements = map[StatementKey]Judgement{}
	g.disputes = map[string]KindDispute{}
	partly := map[string]bool{}
	for _, d := range datasets {
		partly[d.Name] = !d.Complete
	}
	for i := range held.Judgements {
		s := &held.Judgements[i]
		j, ok := s.Judgement()
		switch {
		case !ok:
		case s.Dataset != e.Dataset:
			g.judgements[StatementKey{s.ID, s.Dataset}] = j
			g.unsettled = g.unsettled || partly[s.Dataset]
		case !e.Whole: // else the edition states it again, or it is withdrawn
			g.judgements[StatementKey{s.ID, s.Dataset}] = j
		}
	}
	return nil
}

// judge takes the judgements among statements, and refuses those that
// contradict others.
func (g *identityRecord) judge(dataset string, statements []Statement) error {
	found := false
	for i := range statements {
		if j, ok := statements[i].Judgement(); ok {
			g.judgements[StatementKey{statements[i].ID, dataset}] = j
			found = true
		}
	}
	if !found {
		return nil
	}
	return Consistent(g.list())
}

// list has the judgements in an order that does not depend on when they were
// loaded.
func (g *identityRecord) list() []Judgement {
	keys := slices.SortedFunc(maps.Keys(g.judgements), func(a, b StatementKey) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Dataset, b.Dataset))
	})
	out := make([]Judgement, len(keys))
	for i, k := range keys {
		out[i] = g.judgements[k]
	}
	return out
}

// regroup brings the nodes in line with the judgements that stand. Each
// identity changes in one batch. What was done by a load before that was
// interrupted is not done again.
func (r *Recorder) regroup(ctx context.Context) error {
	g := &r.identity
	if g.unsettled || len(g.judgements) == 0 && g.now.Empty() {
		return nil
	}
	want, err := r.judged(ctx, g.list())
	if err != nil {
		return err
	}
	changes := regroupings(g.now, want)
	for len(changes) > 0 {
		n, size := 0, 0
		for n < len(changes) && (n == 0 || size+len(changes[n]) <= r.opts.BatchSize) {
			size += len(changes[n])
			n++
		}
		if err := r.regroupSome(ctx, want, slices.Concat(changes[:n]...)); err != nil {
			return err
		}
		changes = changes[n:]
	}
	g.now = want
	return nil
}

// judged are the identities that judgements make of the entities in the store.
func (r *Recorder) judged(ctx context.Context, judgements []Judgement) (*Identities, error) {
	var ids idSet
	for _, j := range judgements {
		if j.Verdict == Same {
			ids.add(j.A, j.B)
		}
	}
	there := map[string]bool{}
	err := r.store.Read(ctx, func(tx Reader) error {
		for part := range slices.Chunk(ids.list, r.opts.BatchSize) {
			nodes, err := tx.Nodes(ctx, part, false)
			if err != nil {
				return err
			}
			for id, n := range nodes {
				there[id] = n.Form == FormEntity
			}
		}
		return nil
	})
	return judged(judgements, func(id string) bool { return there[id] }), err
}

// identityNodes are the nodes of an identity. What is in dispute about it by
// then is remembered for the report.
func (r *Recorder) identityNodes(identities *Identities, canonical string, statements map[string][]Statement) []*Node {
	members := identities.Members(canonical)
	nodes := unite(members, canonical, statements, r.priorityOf)
	for _, id := range members {
		delete(r.identity.disputes, id)
	}
	if len(nodes) < 2 || nodes[0].Kind == KindUndecided {
		return nodes
	}
	d := KindDispute{Kind: nodes[0].Kind}
	for _, id := range members {
		standing := StandingStatements(statements[id])
		if len(standing) == 0 {
			continue
		}
		switch kind := Merge(standing, r.priorityOf).Kind; {
		case kind == KindUndecided:
		case kind != d.Kind:
			d.OtherID, d.OtherKind = id, kind
		case d.ID == "":
			d.ID = id
		}
	}
	if d.ID != "" && d.OtherID != "" {
		r.identity.disputes[canonical] = d
	}
	return nodes
}

// settled lists what is in dispute at the end, in the order of ids.
func (g *identityRecord) settled() []KindDispute {
	var list []KindDispute
	for _, id := range slices.Sorted(maps.Keys(g.disputes)) {
		list = append(list, g.disputes[id])
	}
	return list
}

// regroupings are the sets of ids whose nodes change, each as small as it can
// be, in order.
func regroupings(now, want *Identities) [][]string {
	together, all := sets{}, map[string]bool{}
	for _, g := range []*Identities{now, want} {
		if !g.Empty() {
			for id, c := range g.canonical {
				together.join(c, id)
				all[id], all[c] = true, true
			}
		}
	}
	members, changed := map[string][]string{}, map[string]bool{}
	for id := range all {
		root := together.find(id)
		members[root] = append(members[root], id)
		if now.Canonical(id) != want.Canonical(id) {
			changed[root] = true
		}
	}
	var out [][]string
	for root := range changed {
		slices.Sort(members[root])
		out = append(out, members[root])
	}
	slices.SortFunc(out, slices.Compare[[]string])
	return out
}

// regroupSome writes the nodes of identities that have become others.
func (r *Recorder) regroupSome(ctx context.Context, want *Identities, ids []string) error {
	held, err := r.held(ctx, &HeldQuery{Nodes: ids})
	if err != nil {
		return err
	}
	// It belongs to no edition: it may be what an earlier one has left undone.
	batch := &Batch{Lease: r.lease.token, At: r.at, Regrouped: true}
	for _, id := range ids {
		if want.Canonical(id) == id {
			batch.Nodes = append(batch.Nodes, r.identityNodes(want, id, held.Statements)...)
		}
	}
	return r.store.Apply(ctx, batch)
}
