package neo4jstore

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chancery/graph"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// utc is how the driver wants to see UTC as an offset rather than a named zone.
var utc = time.FixedZone("Offset", 0)

const wgs84 = 4326

func day(d graph.Day) neo4j.Date { return neo4j.DateOf(d.Time()) }

func instant(i graph.Instant) time.Time { return i.Time().In(utc) }

// props are the properties of a node or relationship. What is empty is not
// stored.
type props map[string]any

func (p props) text(name, value string) {
	if value != "" {
		p[name] = value
	}
}

func (p props) texts(name string, values []string) {
	if len(values) > 0 {
		p[name] = values
	}
}

// besides is a list that is parallel to another: it is left out where all of it
// is empty. (An import from files could not tell a list of one empty text from
// no list.)
func (p props) besides(name string, values []string) {
	if slices.ContainsFunc(values, func(v string) bool { return v != "" }) {
		p[name] = values
	}
}

func (p props) number(name string, value *float64) {
	if value != nil {
		p[name] = *value
	}
}

func (p props) dates(d *graph.Date) {
	p.text("date", d.EDTF)
	p["earliest"] = day(d.Earliest)
	p["certainFrom"] = day(d.CertainFrom)
	p["certainTo"] = day(d.CertainTo)
	p["latest"] = day(d.Latest)
	p["sortDay"] = day(d.SortDay)
	p.text("startKind", string(d.StartKind))
	p.text("endKind", string(d.EndKind))
	p.text("dateBasis", string(d.Basis))
}

func encodeRelation(w *graph.RelationWrite) map[string]any {
	r := w.Relation
	p := make(props, 28)
	p["id"] = r.ID
	p["key"] = r.ID
	p.dates(&r.Date)
	p["status"] = string(r.Status)
	p.text("claimedBy", r.ClaimedBy)
	p.text("sourceAs", r.SourceAs)
	p.text("targetAs", r.TargetAs)
	p.text("accreditedTo", r.AccreditedTo)
	p.texts("about", r.About)
	p.text("event", r.Event)
	p.texts("places", r.Places)
	p.number("quantity", r.Quantity)
	p.text("unit", r.Unit)
	p.text("note", r.Note)
	p.text("cameo", r.CAMEO)
	p.number("goldstein", r.Goldstein)
	p.text("family", r.Family)
	p.number("confidence", r.Confidence)
	p.citations(r.Citations)
	p.text("caption", w.Caption)
	p.text("role", string(w.Role))
	p["standing"] = w.Nature == graph.Standing
	p["dataset"] = r.Dataset
	p["hash"] = r.Hash.String()
	p["recordedAt"] = instant(r.RecordedAt)
	return p
}

func (p props) citations(list []graph.Citation) {
	if len(list) > 0 {
		sources, quotes := make([]string, len(list)), make([]string, len(list))
		for i, c := range list {
			sources[i], quotes[i] = c.Source, c.Quote
		}
		p["sources"] = sources
		p.besides("quotes", quotes)
	}
}

// placing are who took part in an event, and where it was.
func (p props) placing(c *graph.Content) {
	if len(c.Participants) > 0 {
		ids, roles := make([]string, len(c.Participants)), make([]string, len(c.Participants))
		for i, part := range c.Participants {
			ids[i], roles[i] = part.Entity, part.Role
		}
		p["participants"] = ids
		p.besides("participantRoles", roles)
	}
	p.texts("places", c.Places)
}

// content are the properties that nodes and statements share.
func (p props) content(c *graph.Content) {
	p.text("kind", string(c.Kind))
	p.text("name", c.Name)
	p.texts("aliases", c.Aliases)
	p.text("description", c.Description)
	if len(c.ExternalIDs) > 0 {
		ids := make([]string, len(c.ExternalIDs))
		for i, e := range c.ExternalIDs {
			ids[i] = e.String()
		}
		p["externalIds"] = ids
	}
	zero := c.Date
	zero.OpenAsOfRecording = false
	if zero != (graph.Date{}) {
		p.dates(&c.Date)
	}
	if c.Point != nil {
		p["point"] = neo4j.Point2D{X: c.Point.Longitude, Y: c.Point.Latitude, SpatialRefId: wgs84}
	}
	for _, property := range c.Properties {
		name := "p_" + property.Name
		switch held := p[name].(type) {
		case nil:
			p[name] = property.Value
		case string:
			p[name] = []string{held, property.Value}
		case []string:
			p[name] = append(held, property.Value)
		}
	}
	p.placing(c)
	p.text("url", c.URL)
	p.text("publisher", c.Publisher)
}

// entityLabels are the labels of an entity that holds such roles.
func entityLabels(n *graph.Node, roles []graph.Role) ([]string, error) {
	of := kindLabel(n.Kind)
	if of == "" {
		return nil, fmt.Errorf("the entity %s has the unknown kind %q", n.ID, n.Kind)
	}
	labels := strings.Split("Entity"+of, ":")
	if n.Canonical != n.ID {
		labels = append(labels, "Merged")
	}
	for _, role := range roles {
		labels = append(labels, string(role[:1])+strings.ToLower(string(role[1:])))
	}
	return labels, nil
}

func encodeDataset(d *graph.Dataset) map[string]any {
	return map[string]any{"name": d.Name, "title": d.Title, "priority": int64(d.Priority),
		"recordedAt": instant(d.RecordedAt), "edition": d.Edition.String(), "complete": d.Complete,
		"written": int64(d.Written.Parts), "writtenUnder": d.Written.Under.String()}
}

func encodeNode(n *graph.Node) map[string]any {
	p := make(props, 24)
	p["id"] = n.ID
	p.content(&n.Content)
	p.text("canonical", n.Canonical)
	p.texts("datasets", n.Datasets)
	if n.Form == graph.FormEntity && !n.Withdrawn() {
		p["sortName"] = graph.Fold(n.Name)
		p.texts("search", graph.SearchTerms(n.Name, n.Aliases))
	}
	return p
}

func encodeStatement(s *graph.Statement) map[string]any {
	p := make(props, 24)
	p["id"] = s.ID
	p["key"] = statementKey(s.Dataset, s.ID)
	p["form"] = string(s.Content.Form)
	p.content(&s.Content)
	p["dataset"] = s.Dataset
	p["hash"] = s.Hash.String()
	p["recordedAt"] = instant(s.RecordedAt)
	return p
}

// encodeFormer is a former version of a relation: a FORMER relationship between
// twins of its ends.
func encodeFormer(w *graph.RelationWrite) map[string]any {
	p := encodeRelation(w)
	p["type"] = w.Type
	p["supersededAt"] = instant(w.SupersededAt)
	p["key"] = w.ID + "@" + versionKey(w.RecordedAt, w.SupersededAt, w.Hash)
	return p
}

// encodeFormerStatement is a statement that does not stand any longer.
func encodeFormerStatement(s *graph.Statement) map[string]any {
	p := encodeStatement(s)
	p["supersededAt"] = instant(s.SupersededAt)
	p["key"] = statementKey(s.Dataset, s.ID) + "\t" + versionKey(s.RecordedAt, s.SupersededAt, s.Hash)
	return p
}

// versionKey ends the keys of former versions, as cySupersede and cyRetireFrom
// make them. Those that were superseded by the very load that recorded them
// are told apart by their hashes.
func versionKey(recorded, superseded graph.Instant, hash graph.Hash) string {
	key := recorded.Time().Format("2006-01-02T15:04:05.999999Z") // as toString of Cypher does
	if recorded == superseded {
		key += "#" + hash.String()
	}
	return key
}

// statementKey is unique among standing statements. Neither part has a tab;
// those of one data set are in the order of their ids.
func statementKey(dataset, id string) string { return dataset + "\t" + id }

func encodeLoaded(l *graph.LoadedInput) map[string]any {
	p := props{"key": loadedKey(l.Dataset, l.Input), "recordedAt": instant(l.At)}
	if l.Under != (graph.Hash{}) {
		p["under"] = l.Under.String()
	}
	return p
}

// loadedKey is unique among inputs.
func loadedKey(dataset string, input graph.Hash) string { return dataset + "\t" + input.String() }

// row reads the values of one returned list, one after the other. What is not
// of the expected type is remembered as an error.
type row struct {
	values []any
	next   int
	err    error
}

func rowOf(v any) row {
	values, ok := v.([]any)
	r := row{values: values}
	if !ok {
		r.err = fmt.Errorf("a list was expected, not %T", v)
	}
	return r
}

func (r *row) take() any {
	if r.next >= len(r.values) {
		if r.err == nil {
			r.err = fmt.Errorf("a list has only %d values", len(r.values))
		}
		return nil
	}
	v := r.values[r.next]
	r.next++
	return v
}

func (r *row) fail(v any, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("value %d should be %s, not %T", r.next-1, want, v)
	}
}

func (r *row) text() string {
	switch v := r.take().(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		r.fail(v, "text")
		return ""
	}
}

func (r *row) texts() []string {
	v := r.take()
	texts, err := textsOf(v)
	if err != nil {
		r.fail(v, "a list of texts")
	}
	return texts
}

// besides reads what props.besides wrote beside a list of n.
func (r *row) besides(n int) []string {
	texts := r.texts()
	if texts == nil {
		return make([]string, n)
	}
	return texts
}

func textsOf(v any) ([]string, error) {
	if v == nil {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("a list of texts was expected, not %T", v)
	}
	if len(list) == 0 {
		return nil, nil
	}
	texts := make([]string, len(list))
	for i, v := range list {
		if texts[i], ok = v.(string); !ok {
			return nil, fmt.Errorf("a text was expected, not %T", v)
		}
	}
	return texts, nil
}

func (r *row) number() *float64 {
	switch v := r.take().(type) {
	case nil:
		return nil
	case float64:
		return &v
	default:
		r.fail(v, "a number")
		return nil
	}
}

func (r *row) integer() int64 {
	switch v := r.take().(type) {
	case nil:
		return 0
	case int64:
		return v
	default:
		r.fail(v, "an integer")
		return 0
	}
}

func (r *row) flag() bool {
	switch v := r.take().(type) {
	case nil:
		return false
	case bool:
		return v
	default:
		r.fail(v, "true or false")
		return false
	}
}

func (r *row) day() graph.Day {
	switch v := r.take().(type) {
	case nil:
		return 0
	case neo4j.Date:
		return graph.DayOf(v.Time())
	default:
		r.fail(v, "a date")
		return 0
	}
}

func (r *row) instant() graph.Instant {
	switch v := r.take().(type) {
	case nil:
		return 0
	case time.Time:
		return graph.InstantOf(v)
	default:
		r.fail(v, "a moment")
		return 0
	}
}

func (r *row) hash() (h graph.Hash) {
	text := r.text()
	if text == "" {
		return h
	}
	h, err := graph.ParseHash(text)
	if err != nil && r.err == nil {
		r.err = err
	}
	return h
}

func (r *row) list() []any {
	switch v := r.take().(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		r.fail(v, "a list")
		return nil
	}
}

// bounds reads what props.dates wrote, up to the bounds.
func (r *row) date() (d graph.Date) {
	d.EDTF = r.text()
	d.Earliest, d.CertainFrom, d.CertainTo, d.Latest = r.day(), r.day(), r.day(), r.day()
	d.StartKind, d.EndKind, d.Basis = graph.EndKind(r.text()), graph.EndKind(r.text()), graph.DateBasis(r.text())
	d.SortDay = r.day()
	return d
}

// decodeRelation reads cyRelation, with detail cyRelationDetail.
func decodeRelation(v any, detail bool) (*graph.Relation, error) {
	in := rowOf(v)
	r := &graph.Relation{ID: in.text(), Type: in.text(), Source: in.text(), Target: in.text(), Status: graph.Status(in.text()), Date: in.date()}
	if detail {
		r.ClaimedBy, r.SourceAs, r.TargetAs, r.AccreditedTo = in.text(), in.text(), in.text(), in.text()
		r.About, r.Event, r.Places = in.texts(), in.text(), in.texts()
		r.Quantity, r.Unit, r.Note, r.CAMEO = in.number(), in.text(), in.text(), in.text()
		r.Goldstein, r.Family, r.Confidence = in.number(), in.text(), in.number()
		sources := in.texts()
		quotes := in.besides(len(sources))
		if len(sources) != len(quotes) && in.err == nil {
			in.err = fmt.Errorf("relation %s has %d sources but %d quotes", r.ID, len(sources), len(quotes))
		}
		if len(sources) > 0 && in.err == nil {
			r.Citations = make([]graph.Citation, len(sources))
			for i := range sources {
				r.Citations[i] = graph.Citation{Source: sources[i], Quote: quotes[i]}
			}
		}
		r.Dataset, r.Hash, r.RecordedAt, r.SupersededAt = in.text(), in.hash(), in.instant(), in.instant()
	}
	return r, in.err
}

func decodeEntry(v any) (graph.Entry, error) {
	in := rowOf(v)
	e := graph.Entry{ID: in.text(), Relation: true, Type: in.text(), Source: in.text(), Target: in.text(), Dataset: in.text(), Hash: in.hash(), RecordedAt: in.instant()}
	return e, in.err
}

// content reads cyContent.
func (r *row) content(c *graph.Content) {
	c.Aliases, c.Description = r.texts(), r.text()
	for _, text := range r.texts() {
		id, _ := graph.ParseExternalID(text)
		c.ExternalIDs = append(c.ExternalIDs, id)
	}
	c.Date = r.date()
	switch v := r.take().(type) {
	case nil:
	case neo4j.Point2D:
		c.Point = &graph.Point{Latitude: v.Y, Longitude: v.X}
	default:
		r.fail(v, "a point")
	}
	for _, pair := range r.list() {
		in := rowOf(pair)
		name := strings.TrimPrefix(in.text(), "p_")
		switch v := in.take().(type) {
		case string:
			c.Properties = append(c.Properties, graph.Property{Name: name, Value: v})
		case []any:
			values, err := textsOf(v)
			if err != nil && r.err == nil {
				r.err = err
			}
			for _, value := range values {
				c.Properties = append(c.Properties, graph.Property{Name: name, Value: value})
			}
		default:
			in.fail(v, "text or a list of texts")
		}
		if r.err == nil {
			r.err = in.err
		}
	}
	slices.SortStableFunc(c.Properties, func(a, b graph.Property) int { return strings.Compare(a.Name, b.Name) })
	participants := r.texts()
	roles := r.besides(len(participants))
	if len(participants) != len(roles) && r.err == nil {
		r.err = fmt.Errorf("%d participants but %d roles", len(participants), len(roles))
	}
	if len(participants) > 0 && r.err == nil {
		c.Participants = make([]graph.Participant, len(participants))
		for i := range participants {
			c.Participants[i] = graph.Participant{Entity: participants[i], Role: roles[i]}
		}
	}
	c.Places, c.URL, c.Publisher = r.texts(), r.text(), r.text()
}

// node reads cyNode.
func (r *row) node(form graph.Form) *graph.Node {
	n := &graph.Node{ID: r.text()}
	n.Form, n.Kind, n.Name = form, graph.Kind(r.text()), r.text()
	n.Canonical, n.Datasets = r.text(), r.texts()
	return n
}

// identities reads the lists of cyMergedNodes.
func (r *row) identities() *graph.Identities {
	canonical := map[string]string{}
	for _, v := range r.list() {
		in := rowOf(v)
		id := in.text()
		canonical[id] = in.text()
		if r.err == nil {
			r.err = in.err
		}
	}
	return graph.NewIdentities(canonical)
}

func decodeStatement(v any) (graph.Statement, error) {
	in := rowOf(v)
	s := graph.Statement{ID: in.text()}
	s.Content.Form, s.Content.Kind, s.Content.Name = graph.Form(in.text()), graph.Kind(in.text()), in.text()
	s.Dataset, s.Hash, s.RecordedAt, s.SupersededAt = in.text(), in.hash(), in.instant(), in.instant()
	in.content(&s.Content)
	return s, in.err
}
