package graph

import (
	"context"
	"math"
	"slices"
)

// United is the reader that heeds judgements: ids of one entity that it is
// asked about are all of them, and in what it answers, the canonical id stands
// for each. Relations keep their ids. It asks as many questions as the reader
// under it, and one more where relations at several ids of one entity are
// counted. Where nothing was judged, it is that reader itself.
func United(tx Reader) Reader {
	if _, is := tx.(*united); is || tx.Identities().Empty() {
		return tx
	}
	return &united{tx, tx.Identities()}
}

type united struct {
	Reader
	identities *Identities
}

// Nodes implements [Reader]. Under an id for which another one stands, there
// is that one's node.
func (u *united) Nodes(ctx context.Context, ids []string, detail bool) (map[string]*Node, error) {
	nodes, err := u.Reader.Nodes(ctx, u.identities.canonicals(ids), detail)
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		u.identities.inNode(n)
	}
	for _, id := range ids {
		if c := u.identities.Canonical(id); c != id && nodes[c] != nil {
			nodes[id] = nodes[c]
		}
	}
	return nodes, nil
}

// inNode puts canonical ids into a node.
func (g *Identities) inNode(n *Node) {
	n.Places = g.canonicals(n.Places)
	if slices.ContainsFunc(n.Participants, func(p Participant) bool { return g.Canonical(p.Entity) != p.Entity }) {
		var parts []Participant
		for _, p := range n.Participants {
			p.Entity = g.Canonical(p.Entity)
			parts = union(parts, []Participant{p})
		}
		n.Participants = parts
	}
}

// InRelation returns a relation with canonical ids for its entities.
func (g *Identities) InRelation(r *Relation) *Relation {
	if g.Empty() {
		return r
	}
	c := *r
	for _, id := range []*string{&c.Source, &c.Target, &c.ClaimedBy, &c.AccreditedTo} {
		*id = g.Canonical(*id)
	}
	c.Places = g.canonicals(c.Places)
	return &c
}

// InFilter returns a filter that means all ids of the entities which it names.
func (g *Identities) InFilter(f RelationFilter) RelationFilter {
	if g.Empty() {
		return f
	}
	for _, ids := range []*[]string{&f.With, &f.Source, &f.Target, &f.AccreditedTo, &f.ClaimedBy, &f.Place} {
		*ids = g.expand(*ids)
	}
	return f
}

// Relations implements [Reader].
func (u *united) Relations(ctx context.Context, q *RelationQuery) ([]RelationPage, error) {
	g := u.identities
	asked := *q
	asked.Filter = g.InFilter(q.Filter)
	several := q.Anchor == AnchorEntity && slices.ContainsFunc(q.IDs, func(id string) bool { return !g.alone(id) })
	if several {
		asked.IDs = g.expand(q.IDs)
	}
	pages, err := u.Reader.Relations(ctx, &asked)
	if err != nil {
		return nil, err
	}
	for i := range pages {
		for j, r := range pages[i].Rows {
			pages[i].Rows[j] = g.InRelation(r)
		}
	}
	if !several {
		return pages, nil
	}
	of := make(map[string]*RelationPage, len(pages))
	for i := range pages {
		of[pages[i].Anchor] = &pages[i]
	}
	var twice map[string]int
	if q.Count {
		if twice, err = u.countedTwice(ctx, &asked); err != nil {
			return nil, err
		}
	}
	out := make([]RelationPage, len(q.IDs))
	for i, id := range q.IDs {
		if g.alone(id) {
			out[i] = *of[id]
			continue
		}
		page := RelationPage{Anchor: id}
		for _, member := range g.Members(id) {
			page.Rows = append(page.Rows, of[member].Rows...)
			page.Count += of[member].Count
		}
		page.Count -= twice[g.Canonical(id)]
		// What is between two members is on the pages of both.
		slices.SortFunc(page.Rows, func(a, b *Relation) int { return q.Order.Compare(a.Key(), b.Key()) })
		page.Rows = slices.CompactFunc(page.Rows, func(a, b *Relation) bool { return a.ID == b.ID })
		page.Rows, _ = trim(page.Rows, max(q.Limit, 0), q.Backward)
		out[i] = page
	}
	return out, nil
}

// countedTwice is, for each canonical id, how many more relations are counted
// at its members than there are: those between two of them.
func (u *united) countedTwice(ctx context.Context, q *RelationQuery) (map[string]int, error) {
	g := u.identities
	inner := RelationQuery{Anchor: AnchorEntity, Filter: q.Filter, AsOf: q.AsOf, Order: NewestFirst, Limit: math.MaxInt32}
	inner.Filter.Within = true
	for _, id := range q.IDs {
		if !g.alone(id) {
			inner.IDs = append(inner.IDs, id)
		}
	}
	pages, err := u.Reader.Relations(ctx, &inner)
	if err != nil {
		return nil, err
	}
	twice, seen := map[string]int{}, map[string]bool{}
	for _, page := range pages {
		for _, r := range page.Rows {
			if seen[r.ID] {
				twice[g.Canonical(page.Anchor)]++
			}
			seen[r.ID] = true
		}
	}
	return twice, nil
}

// Entities implements [Reader].
func (u *united) Entities(ctx context.Context, q *EntityQuery) (EntityPage, error) {
	asked := *q
	asked.Filter.IDs = u.identities.canonicals(q.Filter.IDs)
	return u.Reader.Entities(ctx, &asked)
}

// Held implements [Reader]: versions of relations have canonical ids. What
// statements say of an id is what was said of it.
func (u *united) Held(ctx context.Context, q *HeldQuery) (*Held, error) {
	held, err := u.Reader.Held(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, versions := range held.Versions {
		for i, r := range versions {
			versions[i] = u.identities.InRelation(r)
		}
	}
	return held, nil
}
