package answer

import (
	"context"
	"sync"

	"chancery/graph"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// PageLimits bound the pages of lists.
type PageLimits struct {
	Default int // rows of a list that asks for no number
	Max     int // rows that may be asked for
}

// Operation answers the root fields of one GraphQL operation. The whole
// selection is compiled once and fetched under one read transaction, when the
// first root field asks.
type Operation struct {
	store    graph.Store
	limits   PageLimits
	follower *Follower

	once   sync.Once
	err    error
	answer *graph.Answer
	roots  map[string]*root
}

// root is a root field: its place in the plan, or what is wrong with it.
type root struct {
	field *field
	sel   *selection
	ids   []string
	steps []*graph.Step
	errs  gqlerror.List
}

type operationKey struct{}

// WithOperation makes ctx, which must carry an operation of gqlgen, able to
// answer root fields from the store, and subscriptions through the follower.
func WithOperation(ctx context.Context, store graph.Store, limits PageLimits, follower *Follower) context.Context {
	return context.WithValue(ctx, operationKey{}, &Operation{store: store, limits: limits, follower: follower})
}

// From is the operation that [WithOperation] put into ctx.
func From(ctx context.Context) *Operation {
	op, _ := ctx.Value(operationKey{}).(*Operation)
	return op
}

// at prepares the whole operation, if that has not been done yet, and returns
// the root field being resolved.
func (o *Operation) at(ctx context.Context) (*root, place, error) {
	o.once.Do(func() { o.err = o.prepare(ctx) })
	if o.err != nil {
		return nil, place{}, o.err
	}
	r := o.roots[graphql.GetFieldContext(ctx).Field.Alias]
	if len(r.errs) > 0 {
		for _, e := range r.errs[1:] {
			graphql.AddError(ctx, e)
		}
		return nil, place{}, r.errs[0]
	}
	return r, place{o.answer, r.sel}, nil
}

// prepare compiles and runs the plan of all root fields. One with mistakes
// does not keep the others from being answered.
func (o *Operation) prepare(ctx context.Context) error {
	op := graphql.GetOperationContext(ctx)
	o.roots = map[string]*root{}
	return o.store.Read(ctx, func(tx graph.Reader) error {
		plan := &graph.Plan{}
		for _, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"}) {
			c := &compiler{op: op, vocab: tx.Vocabulary(), limits: o.limits}
			r := c.root(&field{f, []string{"Query"}})
			o.roots[f.Alias] = r
			if r.errs = c.errs; len(r.errs) == 0 {
				plan.Roots = append(plan.Roots, r.steps...)
			}
		}
		var err error
		o.answer, err = graph.Run(ctx, tx, plan)
		return err
	})
}

// nodeTypes are all types of things with an id that are nodes of the graph.
var nodeTypes = append([]string{"Event", "Source"}, entityTypes...)

// root compiles one root field.
func (c *compiler) root(f *field) *root {
	s := scope{path: ast.Path{ast.PathName(f.Alias)}}
	args := c.args(f, s)
	s.asOf = args.day("asOf")
	r := &root{field: f}
	byIDs := func(types []string, ids []string) {
		r.ids = ids
		step := &graph.Step{Op: graph.OpNodes, IDs: ids}
		r.sel = &selection{step: step}
		c.nodeFields(r.sel, step, f.Selections, types, s)
		r.steps = append(r.steps, step)
	}
	switch f.Name {
	case "node", "nodes":
		ids := args.ids("ids")
		if f.Name == "node" {
			ids = []string{args.id("id")}
		} else if len(ids) > c.limits.Max {
			args.fail("ids", "asks for %d things at once; at most %d are allowed", len(ids), c.limits.Max)
		}
		ids = distinct(ids)
		byIDs(nodeTypes, ids)
		relations := &graph.Step{Op: graph.OpRelations, IDs: ids,
			Relations: graph.RelationQuery{Anchor: graph.AnchorID, Limit: 1}}
		r.sel.byID = relations
		c.relationFields(r.sel, relations, f.Selections, s)
		r.steps = append(r.steps, relations)
	case "entity":
		byIDs(entityTypes, []string{args.id("id")})
	case "event":
		byIDs([]string{"Event"}, []string{args.id("id")})
	case "entities":
		step := &graph.Step{Op: graph.OpEntities}
		r.sel = &selection{step: step, list: &listing{}}
		args.entityQuery(step, r.sel.list, s.asOf, c.limits)
		for _, g := range collect(c.op, f.Selections, []string{"EntityConnection"}) {
			at := s.below(g.Alias)
			child := &selection{step: step, list: r.sel.list}
			switch g.Name {
			case "totalCount":
				step.Entities.Count = true
			case "nodes":
				c.nodeFields(child, step, g.Selections, entityTypes, at)
				r.sel.add(g, child)
			case "edges":
				for _, h := range collect(c.op, g.Selections, []string{"EntityEdge"}) {
					if h.Name == "node" {
						node := &selection{step: step}
						c.nodeFields(node, step, h.Selections, entityTypes, at.below(h.Alias))
						child.add(h, node)
					}
				}
				r.sel.add(g, child)
			}
		}
		r.steps = append(r.steps, step)
	case "relations":
		r.sel = c.connection(nil, graph.RefSelf, graph.AnchorNone, f, s)
		r.steps = append(r.steps, r.sel.step)
	case "leaders", "envoys":
		step := &graph.Step{Op: graph.OpRelations}
		r.sel = &selection{step: step, list: &listing{asOf: s.asOf, order: graph.NewestFirst}}
		role := graph.Leader
		if f.Name == "envoys" {
			role = graph.Envoy
		}
		q := &step.Relations
		*q = graph.RelationQuery{Anchor: graph.AnchorNone, AsOf: s.asOf, Filter: graph.RelationFilter{
			Types: list(c.vocab.OfficesOf(role)), Status: graph.Factual[:], Certainty: args.certainty("certainty"),
			Target: args.optionalID("of"), AccreditedTo: args.optionalID("to")}}
		args.relationPage(step, r.sel.list, c.limits)
		c.relationList(r.sel, f, "OfficeConnection", "OfficeEdge", s, c.officeFields)
		r.steps = append(r.steps, step)
	case "search":
		step := &graph.Step{Op: graph.OpSearch, Search: &graph.Search{
			Text: args.text("text"), Kinds: args.kinds("kinds"), Limit: args.size("first", c.limits)}}
		r.sel = &selection{step: step}
		for _, g := range collect(c.op, f.Selections, []string{"SearchHit"}) {
			if g.Name == "entity" {
				child := &selection{step: step}
				c.nodeFields(child, step, g.Selections, entityTypes, s.below(g.Alias))
				r.sel.add(g, child)
			}
		}
		r.steps = append(r.steps, step)
	}
	return r
}

func distinct(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	var out []string
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// thing is the node or relation with an id at a place, or nil. Withdrawn nodes
// are not found by id.
func (p place) thing(id string) Node {
	if n := p.nodeOf(id); n != nil && !n.Withdrawn() {
		return newNode(p, n)
	}
	if r := p.relationOf(id); r != nil {
		return &Relation{p, r}
	}
	return nil
}

// Node answers the root field node.
func (o *Operation) Node(ctx context.Context, id string) (Node, error) {
	_, at, err := o.at(ctx)
	if err != nil {
		return nil, err
	}
	return at.thing(id), nil
}

// Nodes answers the root field nodes.
func (o *Operation) Nodes(ctx context.Context, ids []string) ([]Node, error) {
	_, at, err := o.at(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Node, len(ids))
	for i, id := range ids {
		out[i] = at.thing(id)
	}
	return out, nil
}

// Entity answers the root field entity.
func (o *Operation) Entity(ctx context.Context, id string) (Entity, error) {
	_, at, err := o.at(ctx)
	if err != nil {
		return nil, err
	}
	e, _ := at.thing(id).(Entity)
	return e, nil
}

// Event answers the root field event.
func (o *Operation) Event(ctx context.Context, id string) (*Event, error) {
	_, at, err := o.at(ctx)
	if err != nil {
		return nil, err
	}
	e, _ := at.thing(id).(*Event)
	return e, nil
}

// Entities answers the root field entities.
func (o *Operation) Entities(ctx context.Context) (*EntityConnection, error) {
	_, at, err := o.at(ctx)
	if err != nil {
		return nil, err
	}
	return &EntityConnection{at, &at.answer.Rows(at.sel.step).Entities}, nil
}

// Relations answers the root field relations.
func (o *Operation) Relations(ctx context.Context) (*RelationConnection, error) {
	_, at, err := o.at(ctx)
	if err != nil {
		return nil, err
	}
	return connectionOf(at, ""), nil
}

// Offices answers the root fields leaders and envoys.
func (o *Operation) Offices(ctx context.Context) (*OfficeConnection, error) {
	_, at, err := o.at(ctx)
	if err != nil {
		return nil, err
	}
	return &OfficeConnection{relationListOf(at, "")}, nil
}

// Search answers the root field search.
func (o *Operation) Search(ctx context.Context) ([]*SearchHit, error) {
	_, at, err := o.at(ctx)
	if err != nil {
		return nil, err
	}
	hits := at.answer.Rows(at.sel.step).Hits
	out := make([]*SearchHit, len(hits))
	for i := range hits {
		out[i] = &SearchHit{at, &hits[i]}
	}
	return out, nil
}

// Vocabulary answers the root field vocabulary.
func (o *Operation) Vocabulary(ctx context.Context) (*Vocabulary, error) {
	_, at, err := o.at(ctx)
	if err != nil {
		return nil, err
	}
	return &Vocabulary{at.answer.Vocabulary()}, nil
}
