package answer

import (
	"context"

	"chancery/graph"
)

// listing is what a list was asked with.
type listing struct {
	order       graph.Order
	entityOrder graph.EntityOrder
	limit       int
	backward    bool
	after       bool // a cursor was given
	before      bool
	anchored    bool // the list belongs to an entity, and its relations have another end
	asOf        *graph.Day
	during      *graph.Window
}

// PageInfo tells whether there is more.
type PageInfo struct {
	HasNextPage, HasPreviousPage bool
	StartCursor, EndCursor       *string
}

// pageInfo follows the Relay specification. In the direction of paging, "more"
// is known exactly; in the other one there is something where a cursor was
// given, since the cursor came from there.
func (l *listing) pageInfo(more bool, rows int, cursor func(i int) string) *PageInfo {
	info := &PageInfo{HasNextPage: l.before, HasPreviousPage: l.after}
	if l.backward {
		info.HasPreviousPage = more
	} else {
		info.HasNextPage = more
	}
	if rows > 0 {
		first, last := cursor(0), cursor(rows-1)
		info.StartCursor, info.EndCursor = &first, &last
	}
	return info
}

// certainty says how sure it is that a relation holds when the list asks, or
// nil where it asks about no time.
func (l *listing) certainty(date *graph.Date, nature graph.Nature) *graph.Certainty {
	if l.asOf == nil && l.during == nil {
		return nil
	}
	c := graph.Certain
	if l.asOf != nil && date.AsOf(*l.asOf, nature) != graph.Certain {
		c = graph.Possible
	}
	if l.during != nil && date.In(*l.during) != graph.Certain {
		c = graph.Possible
	}
	return &c
}

// relationList is a page of relations, as itself and as offices.
type relationList struct {
	place
	page *graph.RelationPage
}

func relationListOf(at place, anchor string) relationList {
	page := at.answer.Rows(at.sel.step).Pages[anchor]
	if page == nil {
		page = &graph.RelationPage{Anchor: anchor}
	}
	return relationList{at, page}
}

func (c *relationList) cursor(i int) string { return c.page.Rows[i].Key().Cursor(c.sel.list.order) }

// PageInfo tells whether there is more.
func (c *relationList) PageInfo() *PageInfo {
	return c.sel.list.pageInfo(c.page.More, len(c.page.Rows), c.cursor)
}

// TotalCount is the number on all pages.
func (c *relationList) TotalCount() int { return c.page.Count }

// RelationConnection is a page of relations.
type RelationConnection struct{ relationList }

func connectionOf(at place, anchor string) *RelationConnection {
	return &RelationConnection{relationListOf(at, anchor)}
}

// Edges are the relations in their places.
func (c *RelationConnection) Edges(ctx context.Context) []*RelationEdge {
	at := c.at(ctx, "RelationConnection")
	edges := make([]*RelationEdge, len(c.page.Rows))
	for i := range edges {
		edges[i] = &RelationEdge{at, c, i}
	}
	return edges
}

// Nodes are the relations alone.
func (c *RelationConnection) Nodes(ctx context.Context) []*Relation {
	at := c.at(ctx, "RelationConnection")
	nodes := make([]*Relation, len(c.page.Rows))
	for i, r := range c.page.Rows {
		nodes[i] = &Relation{at, r}
	}
	return nodes
}

// RelationEdge is a relation in its place in a list.
type RelationEdge struct {
	place
	list *RelationConnection
	i    int
}

// Cursor names the place.
func (e *RelationEdge) Cursor() string { return e.list.cursor(e.i) }

// Node is the relation.
func (e *RelationEdge) Node(ctx context.Context) *Relation {
	return &Relation{e.at(ctx, "RelationEdge"), e.list.page.Rows[e.i]}
}

// Other is the other end, in the list of an entity.
func (e *RelationEdge) Other(ctx context.Context) Entity {
	if !e.list.sel.list.anchored {
		return nil
	}
	at := e.at(ctx, "RelationEdge")
	return newEntity(at, at.nodeOf(e.list.page.Rows[e.i].Far(e.list.page.Anchor)))
}

// Certainty answers the question of time.
func (e *RelationEdge) Certainty() *graph.Certainty {
	r := &Relation{e.list.place, e.list.page.Rows[e.i]}
	return e.list.sel.list.certainty(&r.rel.Date, r.Nature())
}

// Office is an office that a person holds or held.
type Office struct {
	place
	rel       *graph.Relation
	certainty *graph.Certainty
}

// officesOf are the offices fetched for one holder; where a date is given,
// only those that may have been held then.
func officesOf(at place, holder string, then *graph.Date) []*Office {
	page := at.answer.Rows(at.sel.step).Pages[holder]
	if page == nil {
		return []*Office{}
	}
	offices := make([]*Office, 0, len(page.Rows))
	for _, r := range page.Rows {
		certainty := at.sel.list.certainty(&r.Date, graph.Standing)
		if then != nil {
			c := r.Date.Throughout(graph.Window{From: then.Earliest, To: then.Latest})
			if c == "" {
				continue
			}
			certainty = &c
		}
		offices = append(offices, &Office{at, r, certainty})
	}
	return offices
}

func (o *Office) Type() string                { return o.rel.Type }
func (o *Office) Date() *RelationDate         { return &RelationDate{&o.rel.Date} }
func (o *Office) Certainty() *graph.Certainty { return o.certainty }

// Title is the office as the source puts it, else as the vocabulary does.
func (o *Office) Title() *string {
	if o.rel.SourceAs != "" {
		return &o.rel.SourceAs
	}
	if t, ok := o.answer.Vocabulary().Lookup(o.rel.Type); ok {
		return optional(t.Title)
	}
	return nil
}

// Relation is what the office rests on.
func (o *Office) Relation(ctx context.Context) *Relation {
	return &Relation{o.at(ctx, "Office"), o.rel}
}

// Holder holds the office.
func (o *Office) Holder(ctx context.Context) (Entity, error) {
	return (&Relation{o.place, o.rel}).endAt(o.at(ctx, "Office"), o.rel.Source)
}

// Of is whose office it is.
func (o *Office) Of(ctx context.Context) (Entity, error) {
	return (&Relation{o.place, o.rel}).endAt(o.at(ctx, "Office"), o.rel.Target)
}

// AccreditedTo is to whom an envoy is sent.
func (o *Office) AccreditedTo(ctx context.Context) Entity {
	at := o.at(ctx, "Office")
	return newEntity(at, at.nodeOf(o.rel.AccreditedTo))
}

// OfficeConnection is a page of offices.
type OfficeConnection struct{ relationList }

func (c *OfficeConnection) office(at place, i int) *Office {
	r := c.page.Rows[i]
	return &Office{at, r, c.sel.list.certainty(&r.Date, graph.Standing)}
}

// Edges are the offices in their places.
func (c *OfficeConnection) Edges(ctx context.Context) []*OfficeEdge {
	at := c.at(ctx, "OfficeConnection")
	edges := make([]*OfficeEdge, len(c.page.Rows))
	for i := range edges {
		edges[i] = &OfficeEdge{at, c, i}
	}
	return edges
}

// Nodes are the offices alone.
func (c *OfficeConnection) Nodes(ctx context.Context) []*Office {
	at := c.at(ctx, "OfficeConnection")
	nodes := make([]*Office, len(c.page.Rows))
	for i := range nodes {
		nodes[i] = c.office(at, i)
	}
	return nodes
}

// OfficeEdge is an office in its place in a list.
type OfficeEdge struct {
	place
	list *OfficeConnection
	i    int
}

// Cursor names the place.
func (e *OfficeEdge) Cursor() string { return e.list.cursor(e.i) }

// Node is the office.
func (e *OfficeEdge) Node(ctx context.Context) *Office {
	return e.list.office(e.at(ctx, "OfficeEdge"), e.i)
}

// Certainty answers the question of time.
func (e *OfficeEdge) Certainty() *graph.Certainty {
	return e.list.sel.list.certainty(&e.list.page.Rows[e.i].Date, graph.Standing)
}

// EntityConnection is a page of entities.
type EntityConnection struct {
	place
	page *graph.EntityPage
}

func (c *EntityConnection) cursor(i int) string {
	o := c.sel.list.entityOrder
	return o.Key(c.page.Rows[i]).Cursor(o)
}

// PageInfo tells whether there is more.
func (c *EntityConnection) PageInfo() *PageInfo {
	return c.sel.list.pageInfo(c.page.More, len(c.page.Rows), c.cursor)
}

// TotalCount is the number on all pages.
func (c *EntityConnection) TotalCount() int { return c.page.Count }

// Edges are the entities in their places.
func (c *EntityConnection) Edges(ctx context.Context) []*EntityEdge {
	at := c.at(ctx, "EntityConnection")
	edges := make([]*EntityEdge, len(c.page.Rows))
	for i := range edges {
		edges[i] = &EntityEdge{at, c, i}
	}
	return edges
}

// Nodes are the entities alone.
func (c *EntityConnection) Nodes(ctx context.Context) []Entity {
	at := c.at(ctx, "EntityConnection")
	nodes := make([]Entity, len(c.page.Rows))
	for i, n := range c.page.Rows {
		nodes[i] = newEntity(at, n)
	}
	return nodes
}

// EntityEdge is an entity in its place in a list.
type EntityEdge struct {
	place
	list *EntityConnection
	i    int
}

// Cursor names the place.
func (e *EntityEdge) Cursor() string { return e.list.cursor(e.i) }

// Node is the entity.
func (e *EntityEdge) Node(ctx context.Context) Entity {
	return newEntity(e.at(ctx, "EntityEdge"), e.list.page.Rows[e.i])
}

// SearchHit is an entity that a search found.
type SearchHit struct {
	place
	hit *graph.Hit
}

func (h *SearchHit) Match() graph.Match     { return h.hit.Match }
func (h *SearchHit) MatchedWords() []string { return list(h.hit.Matched) }

// Entity is what was found.
func (h *SearchHit) Entity(ctx context.Context) Entity {
	return newEntity(h.at(ctx, "SearchHit"), h.hit.Node)
}
