// Package answer turns the selection of a GraphQL operation into a plan of
// package graph, and the rows that the plan fetched into the objects that
// gqlgen asks for. No object below a root talks to a store: each reads what
// the plan has fetched for its place in the selection.
package answer

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"chancery/graph"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Node is anything with an id: *Person and the other entities, *Relation,
// *Event and *Source.
type Node interface{ IsNode() }

// Entity is one of the kinds of entities.
type Entity interface {
	Node
	IsEntity()
}

// Actor is one of the kinds of entities that act.
type Actor interface {
	Entity
	IsActor()
}

// Happening is a *Relation or an *Event.
type Happening interface{ IsHappening() }

// place is what an object knows of its place in the answer.
type place struct {
	answer *graph.Answer
	sel    *selection
}

// at is the place of the object that the field being resolved leads to.
func (p place) at(ctx context.Context, typeName string) place {
	return place{p.answer, p.sel.child(typeName, graphql.GetFieldContext(ctx).Field.Alias)}
}

// entity is what all kinds of entities share.
type entity struct {
	place
	node *graph.Node
}

func (*entity) IsNode()   {}
func (*entity) IsEntity() {}

func (e *entity) ID() string                      { return e.node.ID }
func (e *entity) Kind() graph.Kind                { return e.node.Kind }
func (e *entity) Name() string                    { return e.node.Name }
func (e *entity) Aliases() []string               { return list(e.node.Aliases) }
func (e *entity) Description() *string            { return optional(e.node.Description) }
func (e *entity) ExternalIds() []graph.ExternalID { return list(e.node.ExternalIDs) }
func (e *entity) Properties() []graph.Property    { return list(e.node.Properties) }
func (e *entity) Datasets() []string              { return list(e.node.Datasets) }
func (e *entity) Date() *PeriodDate               { return periodOf(&e.node.Date) }
func (e *entity) Ids() []string                   { return e.answer.Identities().Members(e.node.ID) }

// Relations is the page that the plan fetched for this entity.
func (e *entity) Relations(ctx context.Context, filter map[string]any, orderBy *graph.Order, first *int, after *string, last *int, before *string) (*RelationConnection, error) {
	return connectionOf(e.at(ctx, typeOf(e.node)), e.node.ID), nil
}

// The kinds of entities.
type (
	// Person is a natural person.
	Person struct{ entity }
	// State is a sovereign or de-facto state.
	State struct{ entity }
	// Organization is a government body, alliance, company or armed group.
	Organization struct{ entity }
	// Group is people acting without one organisation.
	Group struct{ entity }
	// UndecidedActor is an actor of which its data does not say what it is.
	UndecidedActor struct{ entity }
	// Facility is a thing that can be met in, struck or halted.
	Facility struct{ entity }
	// Place is a location.
	Place struct{ entity }
	// Instrument is a proposal, treaty, resolution or sanction list.
	Instrument struct{ entity }
)

func (*Person) IsActor()         {}
func (*State) IsActor()          {}
func (*Organization) IsActor()   {}
func (*Group) IsActor()          {}
func (*UndecidedActor) IsActor() {}

// Location is where the facility is.
func (f *Facility) Location() *graph.Point { return f.node.Point }

// Location is where the place is.
func (p *Place) Location() *graph.Point { return p.node.Point }

// Offices are the offices that the plan fetched for this person.
func (p *Person) Offices(ctx context.Context, on *graph.Day) ([]*Office, error) {
	return officesOf(p.at(ctx, "Person"), p.node.ID, nil), nil
}

// typeNames are the GraphQL types of the kinds.
var typeNames = map[graph.Kind]string{
	graph.KindPerson: "Person", graph.KindState: "State", graph.KindOrganization: "Organization",
	graph.KindGroup: "Group", graph.KindUndecided: "UndecidedActor", graph.KindFacility: "Facility",
	graph.KindPlace: "Place", graph.KindInstrument: "Instrument",
}

// typeOf names the GraphQL type of a node.
func typeOf(n *graph.Node) string {
	switch n.Form {
	case graph.FormEvent:
		return "Event"
	case graph.FormSource:
		return "Source"
	}
	return typeNames[n.Kind]
}

// newEntity gives a node its GraphQL type. It is nil where there is no such
// entity.
func newEntity(p place, n *graph.Node) Entity {
	if n == nil || n.Form != graph.FormEntity {
		return nil
	}
	e := entity{p, n}
	switch n.Kind {
	case graph.KindPerson:
		return &Person{e}
	case graph.KindState:
		return &State{e}
	case graph.KindOrganization:
		return &Organization{e}
	case graph.KindGroup:
		return &Group{e}
	case graph.KindFacility:
		return &Facility{e}
	case graph.KindPlace:
		return &Place{e}
	case graph.KindInstrument:
		return &Instrument{e}
	}
	return &UndecidedActor{e}
}

// newNode gives a node its GraphQL type, whatever its form.
func newNode(p place, n *graph.Node) Node {
	if n == nil {
		return nil
	}
	switch n.Form {
	case graph.FormEvent:
		return &Event{p, n}
	case graph.FormSource:
		return &Source{p, n}
	}
	return newEntity(p, n)
}

// nodeOf is the node that the place's step fetched under an id, or nil.
func (p place) nodeOf(id string) *graph.Node {
	if id == "" || p.sel == nil || p.sel.step == nil {
		return nil
	}
	return p.answer.Rows(p.sel.step).Nodes[id]
}

// Relation is one dated edge.
type Relation struct {
	place
	rel *graph.Relation
}

// IsNode marks a relation as a node of the schema.
func (*Relation) IsNode() {}

// IsHappening marks a relation as something that acts can be about.
func (*Relation) IsHappening() {}

func (r *Relation) typeInfo() *graph.RelationType {
	t, _ := r.answer.Vocabulary().Lookup(r.rel.Type)
	return t
}

// Label is the type in English, with the status.
func (r *Relation) Label() string {
	if t := r.typeInfo(); t != nil {
		return t.Label(r.rel.Status, false)
	}
	return r.rel.Type
}

// Nature says whether the relation happens or lasts.
func (r *Relation) Nature() graph.Nature {
	if t := r.typeInfo(); t != nil {
		return t.Nature
	}
	return graph.Act
}

func (r *Relation) ID() string                { return r.rel.ID }
func (r *Relation) Type() string              { return r.rel.Type }
func (r *Relation) Date() *RelationDate       { return &RelationDate{&r.rel.Date} }
func (r *Relation) Status() graph.Status      { return r.rel.Status }
func (r *Relation) SourceAs() *string         { return optional(r.rel.SourceAs) }
func (r *Relation) TargetAs() *string         { return optional(r.rel.TargetAs) }
func (r *Relation) Quantity() *float64        { return r.rel.Quantity }
func (r *Relation) Unit() *string             { return optional(r.rel.Unit) }
func (r *Relation) Note() *string             { return optional(r.rel.Note) }
func (r *Relation) Cameo() *string            { return optional(r.rel.CAMEO) }
func (r *Relation) Family() *string           { return optional(r.rel.Family) }
func (r *Relation) Goldstein() *float64       { return r.rel.Goldstein }
func (r *Relation) Confidence() *float64      { return r.rel.Confidence }
func (r *Relation) Dataset() string           { return r.rel.Dataset }
func (r *Relation) RecordedAt() graph.Instant { return r.rel.RecordedAt }

// end is the entity at an end. An end is always there: a store refuses
// relations without.
func (r *Relation) end(ctx context.Context, id string) (Entity, error) {
	return r.endAt(r.at(ctx, "Relation"), id)
}

func (r *Relation) endAt(at place, id string) (Entity, error) {
	if e := newEntity(at, at.nodeOf(id)); e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("relation %s: its end %s is missing in the store", r.rel.ID, id)
}

// Source is the entity that acts.
func (r *Relation) Source(ctx context.Context) (Entity, error) { return r.end(ctx, r.rel.Source) }

// Target is the entity that is acted upon.
func (r *Relation) Target(ctx context.Context) (Entity, error) { return r.end(ctx, r.rel.Target) }

// ClaimedBy is the entity whose claim it is.
func (r *Relation) ClaimedBy(ctx context.Context) Entity {
	at := r.at(ctx, "Relation")
	return newEntity(at, at.nodeOf(r.rel.ClaimedBy))
}

// AccreditedTo is the receiver of an envoy.
func (r *Relation) AccreditedTo(ctx context.Context) Entity {
	at := r.at(ctx, "Relation")
	return newEntity(at, at.nodeOf(r.rel.AccreditedTo))
}

// Event is the event the relation belongs to.
func (r *Relation) Event(ctx context.Context) *Event {
	at := r.at(ctx, "Relation")
	return newEvent(at, at.nodeOf(r.rel.Event))
}

// Places are where it happened.
func (r *Relation) Places(ctx context.Context) []Entity {
	return entitiesOf(r.at(ctx, "Relation"), r.rel.Places)
}

// SourceOffices are the offices that the source held at the time.
func (r *Relation) SourceOffices(ctx context.Context) []*Office {
	return officesOf(r.at(ctx, "Relation"), r.rel.Source, &r.rel.Date)
}

// TargetOffices are the offices that the target held at the time.
func (r *Relation) TargetOffices(ctx context.Context) []*Office {
	return officesOf(r.at(ctx, "Relation"), r.rel.Target, &r.rel.Date)
}

// About are the acts and events that the relation is about.
func (r *Relation) About(ctx context.Context) []Happening {
	at := r.at(ctx, "Relation")
	out := make([]Happening, 0, len(r.rel.About))
	for _, id := range r.rel.About {
		if n := at.nodeOf(id); n != nil && n.Form == graph.FormEvent {
			out = append(out, &Event{at, n})
		} else if rel := at.relationOf(id); rel != nil {
			out = append(out, &Relation{at, rel})
		}
	}
	return out
}

// Reactions are the acts that are about this one.
func (r *Relation) Reactions(ctx context.Context, filter map[string]any, orderBy *graph.Order, first *int, after *string, last *int, before *string) (*RelationConnection, error) {
	return connectionOf(r.at(ctx, "Relation"), r.rel.ID), nil
}

// Citations are the sources that the relation rests on, all or the first ones.
func (r *Relation) Citations(ctx context.Context, first *int) []*Citation {
	at := r.at(ctx, "Relation")
	cited := r.rel.Cited(first)
	out := make([]*Citation, len(cited))
	for i := range cited {
		out[i] = &Citation{at, &cited[i]}
	}
	return out
}

// CitationCount is the number of them all.
func (r *Relation) CitationCount() int { return len(r.rel.Citations) }

// relationOf is the relation that the place's second step fetched by id.
func (p place) relationOf(id string) *graph.Relation {
	if p.sel == nil || p.sel.byID == nil {
		return nil
	}
	if page := p.answer.Rows(p.sel.byID).Pages[id]; page != nil && len(page.Rows) > 0 {
		return page.Rows[0]
	}
	return nil
}

// Citation is a source and what is quoted from it.
type Citation struct {
	place
	citation *graph.Citation
}

// Quote is the words quoted.
func (c *Citation) Quote() *string { return optional(c.citation.Quote) }

// Source is the document.
func (c *Citation) Source(ctx context.Context) (*Source, error) {
	at := c.at(ctx, "Citation")
	if n := at.nodeOf(c.citation.Source); n != nil && n.Form == graph.FormSource {
		return &Source{at, n}, nil
	}
	return nil, fmt.Errorf("the source %s is missing in the store", c.citation.Source)
}

// Source is a document that relations cite.
type Source struct {
	place
	node *graph.Node
}

// IsNode marks a source as a node of the schema.
func (*Source) IsNode() {}

func (s *Source) ID() string                      { return s.node.ID }
func (s *Source) Name() string                    { return s.node.Name }
func (s *Source) Publisher() *string              { return optional(s.node.Publisher) }
func (s *Source) URL() *string                    { return optional(s.node.URL) }
func (s *Source) Description() *string            { return optional(s.node.Description) }
func (s *Source) Published() *PeriodDate          { return periodOf(&s.node.Date) }
func (s *Source) ExternalIds() []graph.ExternalID { return list(s.node.ExternalIDs) }
func (s *Source) Properties() []graph.Property    { return list(s.node.Properties) }
func (s *Source) Datasets() []string              { return list(s.node.Datasets) }

// Event is one happening with its participants.
type Event struct {
	place
	node *graph.Node
}

// IsNode marks an event as a node of the schema.
func (*Event) IsNode() {}

// IsHappening marks an event as something that acts can be about.
func (*Event) IsHappening() {}

func newEvent(p place, n *graph.Node) *Event {
	if n == nil || n.Form != graph.FormEvent {
		return nil
	}
	return &Event{p, n}
}

func (e *Event) ID() string                      { return e.node.ID }
func (e *Event) Name() string                    { return e.node.Name }
func (e *Event) Description() *string            { return optional(e.node.Description) }
func (e *Event) Date() *PeriodDate               { return periodOf(&e.node.Date) }
func (e *Event) ExternalIds() []graph.ExternalID { return list(e.node.ExternalIDs) }
func (e *Event) Properties() []graph.Property    { return list(e.node.Properties) }
func (e *Event) Datasets() []string              { return list(e.node.Datasets) }

// Places are where the event took place.
func (e *Event) Places(ctx context.Context) []Entity {
	return entitiesOf(e.at(ctx, "Event"), e.node.Places)
}

// Participants are those who took part.
func (e *Event) Participants(ctx context.Context) []*Participant {
	at := e.at(ctx, "Event")
	out := make([]*Participant, len(e.node.Participants))
	for i := range e.node.Participants {
		out[i] = &Participant{at, &e.node.Participants[i]}
	}
	return out
}

// Relations are the pair relations of the event.
func (e *Event) Relations(ctx context.Context, filter map[string]any, orderBy *graph.Order, first *int, after *string, last *int, before *string) (*RelationConnection, error) {
	return connectionOf(e.at(ctx, "Event"), e.node.ID), nil
}

// Reactions are the acts that are about the event.
func (e *Event) Reactions(ctx context.Context, filter map[string]any, orderBy *graph.Order, first *int, after *string, last *int, before *string) (*RelationConnection, error) {
	return connectionOf(e.at(ctx, "Event"), e.node.ID), nil
}

// Participant is an entity that took part in an event.
type Participant struct {
	place
	participant *graph.Participant
}

// Role is as what it took part.
func (p *Participant) Role() *string { return optional(p.participant.Role) }

// Entity is who took part.
func (p *Participant) Entity(ctx context.Context) (Entity, error) {
	at := p.at(ctx, "Participant")
	if e := newEntity(at, at.nodeOf(p.participant.Entity)); e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("the participant %s is missing in the store", p.participant.Entity)
}

func entitiesOf(at place, ids []string) []Entity {
	out := make([]Entity, 0, len(ids))
	for _, id := range ids {
		if e := newEntity(at, at.nodeOf(id)); e != nil {
			out = append(out, e)
		}
	}
	return out
}

// RelationDate shows the date of a relation.
type RelationDate struct{ date *graph.Date }

func (d *RelationDate) Edtf() *string            { return optional(d.date.EDTF) }
func (d *RelationDate) Earliest() *graph.Day     { return finite(d.date.Earliest) }
func (d *RelationDate) CertainFrom() *graph.Day  { return certainBound(d.date, d.date.CertainFrom) }
func (d *RelationDate) CertainTo() *graph.Day    { return certainBound(d.date, d.date.CertainTo) }
func (d *RelationDate) Latest() *graph.Day       { return finite(d.date.Latest) }
func (d *RelationDate) StartKind() graph.EndKind { return d.date.StartKind }
func (d *RelationDate) EndKind() graph.EndKind   { return d.date.EndKind }
func (d *RelationDate) Basis() graph.DateBasis   { return d.date.Basis }

// PeriodDate shows the date of an entity, an event or a source.
type PeriodDate struct{ date *graph.Date }

func periodOf(d *graph.Date) *PeriodDate {
	if d.EDTF == "" {
		return nil
	}
	return &PeriodDate{d}
}

func (d *PeriodDate) Edtf() string            { return d.date.EDTF }
func (d *PeriodDate) Earliest() *graph.Day    { return finite(d.date.Earliest) }
func (d *PeriodDate) CertainFrom() *graph.Day { return certainBound(d.date, d.date.CertainFrom) }
func (d *PeriodDate) CertainTo() *graph.Day   { return certainBound(d.date, d.date.CertainTo) }
func (d *PeriodDate) Latest() *graph.Day      { return finite(d.date.Latest) }

func finite(d graph.Day) *graph.Day {
	if d == graph.MinDay || d == graph.MaxDay {
		return nil
	}
	return &d
}

func certainBound(d *graph.Date, bound graph.Day) *graph.Day {
	if d.CertainFrom > d.CertainTo {
		return nil
	}
	return finite(bound)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// list makes an empty list of nil, which GraphQL would show as null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// MarshalDate writes the scalar Date.
func MarshalDate(d graph.Day) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		b, _ := d.AppendText(append(make([]byte, 0, 12), '"'))
		_, _ = w.Write(append(b, '"'))
	})
}

// UnmarshalDate reads the scalar Date.
func UnmarshalDate(v any) (graph.Day, error) {
	s, ok := v.(string)
	if !ok {
		return 0, badInput("a Date is text of the form YYYY-MM-DD, not %s", describe(v))
	}
	day, err := graph.ParseDay(s)
	if err != nil {
		return 0, badInput("%v", err)
	}
	return day, nil
}

// MarshalDateTime writes the scalar DateTime.
func MarshalDateTime(i graph.Instant) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(i.String())) })
}

// UnmarshalDateTime reads the scalar DateTime.
func UnmarshalDateTime(v any) (graph.Instant, error) {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, badInput("a DateTime is text of the form 2025-12-01T12:00:00Z (RFC 3339), not %s", describe(v))
	}
	return graph.InstantOf(t), nil
}

// badInput is an error that a client sees as it is.
func badInput(format string, args ...any) error {
	return &gqlerror.Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": CodeBadUserInput}}
}
