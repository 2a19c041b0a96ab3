package answer

import (
	"slices"

	"chancery/graph"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// maxOffices bounds the offices that are fetched for one person. Nobody is
// known to have held as many.
const maxOffices = 1000

// compiler makes steps of a selection. Errors are collected, so that a client
// hears of all mistakes at once.
type compiler struct {
	op     *graphql.OperationContext
	vocab  *graph.Vocabulary
	limits PageLimits
	errs   gqlerror.List
}

// scope is what holds for a place and all below it.
type scope struct {
	path ast.Path
	asOf *graph.Day
}

func (s scope) below(key string) scope {
	s.path = append(slices.Clip(s.path), ast.PathName(key))
	return s
}

// leanNode are the fields of nodes that come without detail.
var leanNode = []string{"__typename", "id", "kind", "name", "datasets", "ids", "relations", "reactions", "offices"}

// leanRelation are the fields of relations that come without detail.
var leanRelation = []string{"__typename", "id", "type", "label", "nature", "source", "target", "date", "status",
	"sourceOffices", "targetOffices", "reactions"}

// nodes makes a step that fetches nodes by id, and compiles what is selected of them.
func (c *compiler) nodes(parent *graph.Step, of graph.Ref, set ast.SelectionSet, types []string, s scope) *selection {
	step := &graph.Step{Op: graph.OpNodes, Of: of}
	parent.Children = append(parent.Children, step)
	sel := &selection{step: step}
	c.nodeFields(sel, step, set, types, s)
	return sel
}

// nodeFields compiles what is selected of the nodes of a step.
func (c *compiler) nodeFields(sel *selection, step *graph.Step, set ast.SelectionSet, types []string, s scope) {
	for _, f := range collect(c.op, set, types) {
		if !slices.Contains(leanNode, f.Name) {
			step.Detail = true
			step.Entities.Detail = true
		}
		at := s.below(f.Alias)
		forms, kinds := []graph.Form{graph.FormEntity}, kindsOf(f.types)
		anchor := graph.AnchorEntity
		if slices.Contains(f.types, "Event") {
			forms, kinds, anchor = []graph.Form{graph.FormEvent}, nil, graph.AnchorEvent
		}
		switch f.Name {
		case "relations":
			child := c.connection(step, graph.RefSelf, anchor, f, at)
			child.step.Forms, child.step.Kinds = forms, kinds
			sel.add(f, child)
		case "reactions":
			child := c.connection(step, graph.RefSelf, graph.AnchorAbout, f, at)
			child.step.Forms = forms
			sel.add(f, child)
		case "offices":
			inner := at
			if on := c.args(f, at).day("on"); on != nil {
				inner.asOf = on
			}
			child := c.offices(step, graph.RefSelf, f, inner, inner.asOf)
			child.step.Forms, child.step.Kinds = forms, kinds
			sel.add(f, child)
		case "places":
			child := c.nodes(step, graph.RefPlaces, f.Selections, entityTypes, at)
			child.step.Forms = forms
			sel.add(f, child)
		case "participants":
			child := &selection{step: step}
			for _, p := range collect(c.op, f.Selections, []string{"Participant"}) {
				if p.Name == "entity" {
					entities := c.nodes(step, graph.RefParticipants, p.Selections, entityTypes, at.below(p.Alias))
					entities.step.Forms = forms
					child.add(p, entities)
				}
			}
			sel.add(f, child)
		}
	}
}

// connection makes a step that fetches pages of relations, and compiles what
// is selected of them.
func (c *compiler) connection(parent *graph.Step, of graph.Ref, anchor graph.Anchor, f *field, s scope) *selection {
	args := c.args(f, s)
	step := &graph.Step{Op: graph.OpRelations, Of: of}
	sel := &selection{step: step, list: &listing{anchored: anchor == graph.AnchorEntity, asOf: s.asOf}}
	if parent != nil {
		parent.Children = append(parent.Children, step)
	}
	q := &step.Relations
	q.Anchor = anchor
	q.AsOf = s.asOf
	q.Filter = args.relationFilter("filter", anchor)
	sel.list.during = q.Filter.During
	args.relationPage(step, sel.list, c.limits)
	c.relationList(sel, f, "RelationConnection", "RelationEdge", s, c.relationFields)
	return sel
}

// relationList compiles a connection over relations; item compiles what is
// selected of each.
func (c *compiler) relationList(sel *selection, f *field, connection, edge string, s scope,
	item func(*selection, *graph.Step, ast.SelectionSet, scope)) {
	for _, g := range collect(c.op, f.Selections, []string{connection}) {
		at := s.below(g.Alias)
		switch g.Name {
		case "totalCount":
			sel.step.Relations.Count = true
		case "nodes":
			child := &selection{step: sel.step}
			item(child, sel.step, g.Selections, at)
			sel.add(g, child)
		case "edges":
			edges := &selection{step: sel.step, list: sel.list}
			for _, h := range collect(c.op, g.Selections, []string{edge}) {
				switch h.Name {
				case "node":
					child := &selection{step: sel.step}
					item(child, sel.step, h.Selections, at.below(h.Alias))
					edges.add(h, child)
				case "other":
					if sel.list.anchored {
						edges.add(h, c.nodes(sel.step, graph.RefOther, h.Selections, entityTypes, at.below(h.Alias)))
					}
				}
			}
			sel.add(g, edges)
		}
	}
}

// relationFields compiles what is selected of the relations of a step.
func (c *compiler) relationFields(sel *selection, step *graph.Step, set ast.SelectionSet, s scope) {
	for _, f := range collect(c.op, set, []string{"Relation"}) {
		if !slices.Contains(leanRelation, f.Name) {
			step.Relations.Detail = true
		}
		at := s.below(f.Alias)
		entity := func(of graph.Ref) { sel.add(f, c.nodes(step, of, f.Selections, entityTypes, at)) }
		switch f.Name {
		case "source":
			entity(graph.RefSource)
		case "target":
			entity(graph.RefTarget)
		case "claimedBy":
			entity(graph.RefClaimedBy)
		case "accreditedTo":
			entity(graph.RefAccreditedTo)
		case "places":
			entity(graph.RefPlaces)
		case "event":
			sel.add(f, c.nodes(step, graph.RefEvent, f.Selections, []string{"Event"}, at))
		case "reactions":
			sel.add(f, c.connection(step, graph.RefSelf, graph.AnchorAbout, f, at))
		case "about":
			sel.add(f, c.things(step, graph.RefAbout, f.Selections, []string{"Event"}, at))
		case "sourceOffices":
			sel.add(f, c.offices(step, graph.RefSource, f, at, nil))
		case "targetOffices":
			sel.add(f, c.offices(step, graph.RefTarget, f, at, nil))
		case "citations":
			child := &selection{step: step}
			first := c.args(f, at).optionalSize("first", c.limits)
			for _, g := range collect(c.op, f.Selections, []string{"Citation"}) {
				if g.Name == "source" {
					sources := c.nodes(step, graph.RefCitations, g.Selections, []string{"Source"}, at.below(g.Alias))
					sources.step.Citations = first
					child.add(g, sources)
				}
			}
			sel.add(f, child)
		}
	}
}

// things makes two steps for ids that may name nodes or relations.
func (c *compiler) things(parent *graph.Step, of graph.Ref, set ast.SelectionSet, nodeTypes []string, s scope) *selection {
	sel := c.nodes(parent, of, set, nodeTypes, s)
	sel.byID = &graph.Step{Op: graph.OpRelations, Of: of, Relations: graph.RelationQuery{Anchor: graph.AnchorID, Limit: 1}}
	parent.Children = append(parent.Children, sel.byID)
	c.relationFields(sel, sel.byID, set, s)
	return sel
}

// offices makes a step that fetches the offices of persons.
func (c *compiler) offices(parent *graph.Step, of graph.Ref, f *field, s scope, on *graph.Day) *selection {
	step := &graph.Step{Op: graph.OpRelations, Of: of, Relations: graph.RelationQuery{
		Anchor: graph.AnchorEntity,
		Filter: graph.RelationFilter{Types: list(c.vocab.Offices()), Direction: graph.Out, Status: graph.Factual[:]},
		AsOf:   on,
		Order:  graph.NewestFirst,
		Limit:  maxOffices,
	}}
	parent.Children = append(parent.Children, step)
	sel := &selection{step: step, list: &listing{asOf: on, limit: maxOffices}}
	c.officeFields(sel, step, f.Selections, s)
	return sel
}

// officeFields compiles what is selected of the offices of a step.
func (c *compiler) officeFields(sel *selection, step *graph.Step, set ast.SelectionSet, s scope) {
	for _, f := range collect(c.op, set, []string{"Office"}) {
		at := s.below(f.Alias)
		entity := func(of graph.Ref) { sel.add(f, c.nodes(step, of, f.Selections, entityTypes, at)) }
		switch f.Name {
		case "title":
			step.Relations.Detail = true
		case "holder":
			entity(graph.RefSource)
		case "of":
			entity(graph.RefTarget)
		case "accreditedTo":
			step.Relations.Detail = true
			entity(graph.RefAccreditedTo)
		case "relation":
			child := &selection{step: step}
			c.relationFields(child, step, f.Selections, at)
			sel.add(f, child)
		}
	}
}
