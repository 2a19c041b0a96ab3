package graph

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// A Plan is a question as a forest of steps. Each step is fetched with at most
// one call to the store, whatever the number of rows it starts from.
type Plan struct {
	Roots []*Step
}

// Op is what a step fetches.
type Op uint8

// The operations of steps.
const (
	OpNodes     Op = iota // the nodes with these ids
	OpRelations           // a page of relations for each of these ids
	OpEntities            // a page of entities (roots only)
	OpSearch              // the entities that a text finds (roots only)
	OpGiven               // relations that are known already (roots only)
)

// Ref says which ids of its parent's rows a step starts from. Parents that
// fetch relations have all of them; parents that fetch nodes have RefSelf,
// RefPlaces and RefParticipants.
type Ref uint8

// The references of rows.
const (
	RefSelf Ref = iota
	RefSource
	RefTarget
	RefClaimedBy
	RefAccreditedTo
	RefAbout
	RefEvent
	RefPlaces
	RefCitations
	RefOther // the other end, seen from the anchor of the page
	RefParticipants
)

// Step is one thing to fetch.
type Step struct {
	Op Op
	// IDs is what a root starts from. It is not used with OpEntities,
	// OpSearch and AnchorNone.
	IDs []string
	// Given are the rows of an OpGiven step, in full detail. They may be former
	// versions, and several of one relation.
	Given []*Relation
	// Of is what of the parent's rows a step below a root starts from.
	Of Ref
	// Citations is from how many citations of each row a step of RefCitations
	// starts; nil means all.
	Citations *int
	// Forms and Kinds keep only rows of the parent's (nodes) that are of one
	// of these forms and, if entities, of one of these kinds. Nil keeps all.
	Forms []Form
	Kinds []Kind
	// Relations is the question of an OpRelations step; its IDs are ignored.
	Relations RelationQuery
	// Entities is the question of an OpEntities step.
	Entities EntityQuery
	// Search is the question of an OpSearch step, and restricts an OpEntities
	// step to what the text finds.
	Search *Search
	// Peek reads one row more than the Limit of Relations or Entities, to know
	// whether there is one: see More of the page. It is no row of the step.
	Peek bool
	// Detail asks for all fields of the nodes of an OpNodes step.
	Detail bool

	Children []*Step
}

// Rows is what a step fetched.
type Rows struct {
	Pages    map[string]*RelationPage // by anchor id; "" for AnchorNone; by number for OpGiven
	Nodes    map[string]*Node
	Entities EntityPage
	Hits     []Hit
}

// Answer holds the rows of every step of a plan.
type Answer struct {
	vocabulary *Vocabulary
	identities *Identities
	rows       map[*Step]*Rows
}

// Vocabulary is the one of the snapshot that was read.
func (a *Answer) Vocabulary() *Vocabulary { return a.vocabulary }

// Identities are those of the snapshot that was read. All ids in the answer
// are canonical.
func (a *Answer) Identities() *Identities { return a.identities }

// Rows returns what the step fetched. It is never nil for a step of the plan.
func (a *Answer) Rows(s *Step) *Rows { return a.rows[s] }

// Run walks a plan breadth-first over one reader: each level's frontier is
// made free of duplicates, all nodes that a level needs are fetched in one
// call, and each of its relation steps in one call. It reads through [United].
func Run(ctx context.Context, tx Reader, plan *Plan) (*Answer, error) {
	tx = United(tx)
	a := &Answer{vocabulary: tx.Vocabulary(), identities: tx.Identities(), rows: map[*Step]*Rows{}}
	type task struct {
		step   *Step
		parent *Step
	}
	var level []task
	for _, s := range plan.Roots {
		level = append(level, task{s, nil})
	}
	for len(level) > 0 {
		var nodeIDs, detailIDs idSet
		for _, t := range level {
			ids := t.step.IDs
			if t.parent != nil {
				ids = a.frontier(t.parent, t.step)
			}
			rows := &Rows{}
			a.rows[t.step] = rows
			var err error
			switch t.step.Op {
			case OpNodes:
				rows.Nodes = make(map[string]*Node, len(ids))
				for _, id := range ids {
					rows.Nodes[id] = nil
				}
				if t.step.Detail {
					detailIDs.add(ids...)
				} else {
					nodeIDs.add(ids...)
				}
			case OpRelations:
				if t.step.Relations.Anchor == AnchorEntity {
					ids = a.identities.canonicals(ids)
				}
				err = runRelations(ctx, tx, t.step, ids, rows)
			case OpEntities:
				err = runEntities(ctx, tx, t.step, rows)
			case OpGiven:
				rows.Pages = make(map[string]*RelationPage, len(t.step.Given))
				for i, r := range t.step.Given {
					rows.Pages[strconv.Itoa(i)] = &RelationPage{Rows: []*Relation{a.identities.InRelation(r)}}
				}
			case OpSearch:
				err = runSearch(ctx, tx, t.step, rows)
			default:
				err = fmt.Errorf("graph: a plan has a step with the unknown operation %d", t.step.Op)
			}
			if err != nil {
				return nil, err
			}
		}
		nodes, err := fetchNodes(ctx, tx, nodeIDs, detailIDs)
		if err != nil {
			return nil, err
		}
		var next []task
		for _, t := range level {
			if t.step.Op == OpNodes {
				rows := a.rows[t.step].Nodes
				for id := range rows {
					if n, ok := nodes[id]; ok {
						rows[id] = n
					} else {
						delete(rows, id)
					}
				}
			}
			for _, child := range t.step.Children {
				next = append(next, task{child, t.step})
			}
		}
		level = next
	}
	return a, nil
}

// fetchNodes gets the nodes of one level in one call: in detail as soon as one
// of the steps wants detail.
func fetchNodes(ctx context.Context, tx Reader, plain, detail idSet) (map[string]*Node, error) {
	inDetail := len(detail.list) > 0
	detail.add(plain.list...)
	if len(detail.list) == 0 {
		return nil, nil
	}
	return tx.Nodes(ctx, detail.list, inDetail)
}

func runRelations(ctx context.Context, tx Reader, s *Step, ids []string, rows *Rows) error {
	q := s.Relations
	q.IDs = ids
	rows.Pages = make(map[string]*RelationPage, len(ids))
	if len(ids) == 0 && q.Anchor != AnchorNone {
		return nil
	}
	if s.Peek {
		q.Limit++
	}
	pages, err := tx.Relations(ctx, &q)
	if err != nil {
		return err
	}
	for i := range pages {
		if s.Peek {
			pages[i].Rows, pages[i].More = trim(pages[i].Rows, s.Relations.Limit, q.Backward)
		}
		rows.Pages[pages[i].Anchor] = &pages[i]
	}
	return nil
}

func runEntities(ctx context.Context, tx Reader, s *Step, rows *Rows) error {
	q := s.Entities
	if s.Search != nil {
		hits, err := s.Search.run(ctx, tx)
		if err != nil {
			return err
		}
		found := make([]string, len(hits))
		for i := range hits {
			found[i] = hits[i].Node.ID
		}
		if q.Filter.IDs != nil {
			wanted := tx.Identities().canonicals(q.Filter.IDs)
			found = slices.DeleteFunc(found, func(id string) bool { return !slices.Contains(wanted, id) })
		}
		q.Filter.IDs = found
	}
	if s.Peek {
		q.Limit++
	}
	page, err := tx.Entities(ctx, &q)
	if err != nil {
		return err
	}
	if s.Peek {
		page.Rows, page.More = trim(page.Rows, s.Entities.Limit, q.Backward)
	}
	rows.Entities = page
	rows.Nodes = make(map[string]*Node, len(page.Rows))
	for _, n := range page.Rows {
		rows.Nodes[n.ID] = n
	}
	return nil
}

// trim cuts the row that only tells that there is more.
func trim[T any](rows []T, limit int, backward bool) (page []T, more bool) {
	switch {
	case len(rows) <= limit:
		return rows, false
	case backward:
		return rows[len(rows)-limit:], true
	}
	return rows[:limit], true
}

func runSearch(ctx context.Context, tx Reader, s *Step, rows *Rows) error {
	hits, err := s.Search.run(ctx, tx)
	if err != nil {
		return err
	}
	hits = hits[:min(len(hits), s.Search.Limit)]
	ids := make([]string, len(hits))
	for i := range hits {
		ids[i] = hits[i].Node.ID
	}
	if s.Detail && len(ids) > 0 {
		nodes, err := tx.Nodes(ctx, ids, true)
		if err != nil {
			return err
		}
		for i := range hits {
			if n, ok := nodes[hits[i].Node.ID]; ok {
				hits[i].Node = n
			}
		}
	}
	rows.Hits = hits
	rows.Nodes = make(map[string]*Node, len(hits))
	for i := range hits {
		rows.Nodes[hits[i].Node.ID] = hits[i].Node
	}
	return nil
}

// frontier collects the distinct ids that a step starts from, in the order in
// which the parent's rows give them first.
func (a *Answer) frontier(parent, step *Step) []string {
	var set idSet
	rows := a.rows[parent]
	if parent.Op == OpRelations || parent.Op == OpGiven {
		// In the order of the anchors' ids, so that the same question always
		// has the same parameters.
		anchors := make([]string, 0, len(rows.Pages))
		for id := range rows.Pages {
			anchors = append(anchors, id)
		}
		slices.Sort(anchors)
		for _, id := range anchors {
			for _, r := range rows.Pages[id].Rows {
				if step.Of == RefOther {
					set.add(r.Far(id))
				} else {
					set.addRelation(r, step)
				}
			}
		}
		return set.list
	}
	ids := make([]string, 0, len(rows.Nodes))
	for id := range rows.Nodes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		n := rows.Nodes[id]
		if step.Forms != nil && !slices.Contains(step.Forms, n.Form) ||
			step.Kinds != nil && n.Form == FormEntity && !slices.Contains(step.Kinds, n.Kind) {
			continue
		}
		switch step.Of {
		case RefPlaces:
			set.add(n.Places...)
		case RefParticipants:
			for _, p := range n.Participants {
				set.add(p.Entity)
			}
		default:
			set.add(n.ID) // not the id under which it was asked for
		}
	}
	return set.list
}

// idSet is a list of distinct ids in the order of their first appearance.
type idSet struct {
	list []string
	has  map[string]struct{}
}

func (s *idSet) add(ids ...string) {
	if s.has == nil {
		s.has = make(map[string]struct{}, len(ids))
	}
	for _, id := range ids {
		if id == "" {
			continue
		}
		if _, ok := s.has[id]; !ok {
			s.has[id] = struct{}{}
			s.list = append(s.list, id)
		}
	}
}

func (s *idSet) addRelation(r *Relation, step *Step) {
	switch step.Of {
	case RefSelf:
		s.add(r.ID)
	case RefSource:
		s.add(r.Source)
	case RefTarget:
		s.add(r.Target)
	case RefClaimedBy:
		s.add(r.ClaimedBy)
	case RefAccreditedTo:
		s.add(r.AccreditedTo)
	case RefAbout:
		s.add(r.About...)
	case RefEvent:
		s.add(r.Event)
	case RefPlaces:
		s.add(r.Places...)
	case RefCitations:
		for _, c := range r.Cited(step.Citations) {
			s.add(c.Source)
		}
	}
}
