package graph

import (
	"cmp"
	"slices"
	"strings"
)

// Form tells the three sorts of nodes apart. Entities, events and sources
// share one namespace of ids with each other and with relations.
type Form string

// The forms of nodes.
const (
	FormEntity Form = "ENTITY" // an actor, or something acts are about
	FormEvent  Form = "EVENT"  // one happening with its participants
	FormSource Form = "SOURCE" // a document that relations cite
	// FormIdentity is that of statements which are judgements about two ids.
	// There are no nodes of it.
	FormIdentity Form = "IDENTITY"
)

// ExternalID names a node in another catalogue, for example
// {Scheme: "wikidata", Value: "Q3052772"} or {Scheme: "iso3166", Value: "FRA"}.
type ExternalID struct{ Scheme, Value string }

// String gives the scheme:value form.
func (e ExternalID) String() string { return e.Scheme + ":" + e.Value }

// ParseExternalID splits scheme:value at the first colon. ok is false when
// either side is empty.
func ParseExternalID(s string) (id ExternalID, ok bool) {
	scheme, value, found := strings.Cut(s, ":")
	return ExternalID{scheme, value}, found && scheme != "" && value != ""
}

// Point is a WGS-84 position in decimal degrees: latitude in [-90, 90],
// longitude in [-180, 180].
type Point struct{ Latitude, Longitude float64 }

// Property is a free property of a node. A name that occurs several times is
// a list; the order of its values is kept.
type Property struct{ Name, Value string }

// Participant is an entity that took part in an event. Role is free text and
// may be empty.
type Participant struct{ Entity, Role string }

// Content is what can be said of a node. Which fields apply depends on the
// form: Kind, Aliases and Point belong to entities; Participants and Places to
// events; URL and Publisher to sources. Date is an entity's existence (read as
// a standing), an event's time (read as an act) or a source's publication
// (read as an act).
type Content struct {
	Form         Form
	Kind         Kind
	Name         string
	Aliases      []string
	Description  string
	ExternalIDs  []ExternalID
	Date         Date
	Point        *Point
	Properties   []Property
	Participants []Participant
	Places       []string
	URL          string
	Publisher    string
}

// DateNature says how the form's date is read.
func (f Form) DateNature() Nature {
	if f == FormEntity {
		return Standing
	}
	return Act
}

// Statement is one version of what one data set says of one node.
type Statement struct {
	ID           string
	Dataset      string
	Content      Content
	Hash         Hash    // of the content; see [Content.ContentHash]
	RecordedAt   Instant // when this version entered the record
	SupersededAt Instant // when it left it; zero while it stands
}

// Node is an entity, event or source as the record has it now: the union of
// what the data sets say of it.
type Node struct {
	ID string
	Content
	// Canonical is the id that stands for this one when a judgement says that
	// several ids are the same; it is the node's own id otherwise.
	Canonical string
	// Datasets names the data sets that have a standing statement, sorted.
	// It is empty for a withdrawn node: one that no data set states any
	// longer, kept because relations may still point at it; and for a node for
	// which another one stands, which has its data sets.
	Datasets []string
}

// Withdrawn reports whether no data set states the node any longer. Withdrawn
// nodes are found as ends of relations only, never by id, list or search.
func (n *Node) Withdrawn() bool { return len(n.Datasets) == 0 }

// Priority orders data sets for [Merge]: higher first, then by name.
type Priority func(dataset string) int

// StandingStatements are those of statements that are not superseded.
func StandingStatements(statements []Statement) []Statement {
	return slices.DeleteFunc(slices.Clone(statements), func(s Statement) bool { return s.SupersededAt != 0 })
}

// Merge unites the statements about one node into the node itself. Standing
// statements are used; where there is none, the last ones of each data set are,
// and the node is withdrawn. Lists are united in the order of the data sets
// (highest priority first, then name), single values are taken from the first
// data set that gives one, and a kind that is decided wins over Undecided. The
// order of the statements passed in changes nothing. The statements may be
// about several ids that are the same. Merge panics on an empty
// slice: a node exists only where something was said of it.
func Merge(statements []Statement, priority Priority) Node {
	if len(statements) == 0 {
		panic("graph: Merge of no statements")
	}
	sorted := slices.Clone(statements)
	slices.SortFunc(sorted, func(a, b Statement) int {
		return cmp.Or(
			cmp.Compare(priority(b.Dataset), priority(a.Dataset)),
			cmp.Compare(a.Dataset, b.Dataset),
			cmp.Compare(a.ID, b.ID),
			cmp.Compare(b.RecordedAt, a.RecordedAt), // newest first within one data set
		)
	})
	standing := StandingStatements(sorted)
	use := standing
	if len(use) == 0 { // withdrawn: the newest former statement of each data set
		use = slices.CompactFunc(slices.Clone(sorted), func(a, b Statement) bool { return a.Dataset == b.Dataset && a.ID == b.ID })
	}
	n := Node{ID: use[0].ID, Canonical: use[0].ID}
	c := &n.Content
	c.Form = use[0].Content.Form
	c.Kind = use[0].Content.Kind
	names := map[string]bool{}
	for i := range use {
		s := &use[i].Content
		if c.Kind == KindUndecided && s.Kind != "" {
			c.Kind = s.Kind
		}
		c.Name = cmp.Or(c.Name, s.Name)
		c.Description = cmp.Or(c.Description, s.Description)
		c.URL = cmp.Or(c.URL, s.URL)
		c.Publisher = cmp.Or(c.Publisher, s.Publisher)
		if c.Date.EDTF == "" {
			c.Date = s.Date
		}
		if c.Point == nil {
			c.Point = s.Point
		}
		c.ExternalIDs = union(c.ExternalIDs, s.ExternalIDs)
		c.Participants = union(c.Participants, s.Participants)
		c.Places = union(c.Places, s.Places)
		// A property is a single value or a list as a whole: the first data
		// set that has the name gives all its values.
		for _, p := range s.Properties {
			if !names[p.Name] {
				c.Properties = append(c.Properties, p)
			}
		}
		for _, p := range s.Properties {
			names[p.Name] = true
		}
	}
	// The other names of the other data sets are aliases.
	for i := range use {
		s := &use[i].Content
		c.Aliases = union(c.Aliases, s.Aliases)
		if s.Form == FormEntity && s.Name != c.Name {
			c.Aliases = union(c.Aliases, []string{s.Name})
		}
	}
	c.Aliases = slices.DeleteFunc(c.Aliases, func(a string) bool { return a == c.Name })
	for i := range standing {
		n.Datasets = append(n.Datasets, standing[i].Dataset)
	}
	slices.Sort(n.Datasets)
	n.Datasets = slices.Compact(n.Datasets)
	c.normalise()
	return n
}

// Add returns the content with what another one says beside it: single values
// of c stay, lists are united, and a kind that is decided wins over Undecided.
// A name that is but an external id stands in for one that is not known: it
// gives way to a name, and is no alias beside one. What was added once changes
// nothing when it is added again.
func (c Content) Add(more Content) Content { return c.with(&more, &c, &more) }

// Correct returns the content with what a later one says: like [Content.Add],
// but the single values of the later one count where it has any. A former name
// becomes an alias. Each end of a life is a value of its own.
func (c Content) Correct(later Content) Content { return c.with(&later, &later, &c) }

// with unites c with more. Lists begin with c's; single values are those of
// first, one of the two, where it has any, and else those of second.
func (c Content) with(more, first, second *Content) Content {
	sum := c
	sum.ExternalIDs = union(slices.Clone(c.ExternalIDs), more.ExternalIDs)
	sum.Participants = union(slices.Clone(c.Participants), more.Participants)
	sum.Places = union(slices.Clone(c.Places), more.Places)
	sum.Properties = union(slices.Clone(c.Properties), more.Properties)
	sum.Description = cmp.Or(first.Description, second.Description)
	sum.URL = cmp.Or(first.URL, second.URL)
	sum.Publisher = cmp.Or(first.Publisher, second.Publisher)
	if sum.Kind = first.Kind; sum.Kind == "" || sum.Kind == KindUndecided && second.Kind != "" {
		sum.Kind = second.Kind
	}
	if sum.Point = first.Point; sum.Point == nil {
		sum.Point = second.Point
	}
	switch {
	case first.Date.EDTF != "" && c.Form == FormEntity:
		sum.Date = first.Date.completed(&second.Date)
	case first.Date.EDTF != "":
		sum.Date = first.Date
	case second.Date.EDTF != "":
		sum.Date = second.Date
	}
	if more.Date.EDTF == sum.Date.EDTF && more.Date.Basis == sum.Date.Basis {
		sum.Date = more.Date // which recording has not filled yet
	}
	// Whether a name is but an id shows by the ids of both.
	names := func(content *Content) bool { return content.Name != "" && !sum.isExternal(content.Name) }
	switch {
	case names(first):
		sum.Name = first.Name
	case names(second):
		sum.Name = second.Name
	default:
		sum.Name = cmp.Or(c.Name, more.Name)
	}
	// An alias that is but an id stays: the name that it is now may give way.
	named := func(alias string) bool { return alias == sum.Name && !sum.isExternal(alias) }
	sum.Aliases = slices.Clone(c.Aliases)
	if sum.Name != c.Name {
		sum.Aliases = slices.DeleteFunc(sum.Aliases, named)
	}
	also := slices.DeleteFunc(slices.Clone(more.Aliases), func(a string) bool { return a == more.Name })
	for _, content := range []*Content{more, &c} {
		if c.Form == FormEntity && names(content) {
			also = slices.Insert(also, 0, content.Name)
		}
	}
	sum.Aliases = union(sum.Aliases, slices.DeleteFunc(also, named))
	sum.normalise()
	return sum
}

// rename gives another name. The former one of an entity becomes an alias.
func (c *Content) rename(name string) {
	if name == c.Name {
		return
	}
	also := slices.DeleteFunc(slices.Clone(c.Aliases), func(alias string) bool { return alias == name })
	if c.Form == FormEntity {
		also = union(also, []string{c.Name})
	}
	c.Name, c.Aliases = name, also
}

// isExternal reports whether a name is that of an id in another catalogue.
func (c *Content) isExternal(name string) bool {
	return slices.ContainsFunc(c.ExternalIDs, func(id ExternalID) bool { return id.Value == name })
}

func union[T comparable](into, more []T) []T {
	for _, v := range more {
		if !slices.Contains(into, v) {
			into = append(into, v)
		}
	}
	return into
}

// sortLists puts aliases, and the values of properties, into the order of their
// texts. Neither list is shared with another content.
func (c *Content) sortLists() {
	slices.Sort(c.Aliases)
	slices.SortFunc(c.Properties, func(a, b Property) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
}

// normalise puts lists whose order carries no meaning into their stored order:
// properties by name (the values of one name keep their order) and external
// ids by scheme and value. Empty lists become nil, and a date without a text
// the zero Date, so that content which says the same has one hash.
func (c *Content) normalise() {
	if c.Date.EDTF == "" {
		c.Date = Date{}
	}
	slices.SortStableFunc(c.Properties, func(a, b Property) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.ExternalIDs, func(a, b ExternalID) int {
		return cmp.Or(cmp.Compare(a.Scheme, b.Scheme), cmp.Compare(a.Value, b.Value))
	})
	if len(c.Aliases) == 0 {
		c.Aliases = nil
	}
	if len(c.Properties) == 0 {
		c.Properties = nil
	}
	if len(c.ExternalIDs) == 0 {
		c.ExternalIDs = nil
	}
	if len(c.Participants) == 0 {
		c.Participants = nil
	}
	if len(c.Places) == 0 {
		c.Places = nil
	}
}
