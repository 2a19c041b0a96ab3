package loader

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
)

// unattributed is where acts start that nobody is named for.
const unattributed = "group/unattributed"

// document is a data set as its file has it: handles and ids are known, but
// references are not looked up yet.
type document struct {
	decoder
	vocabulary *graph.Vocabulary

	number     int // among the files of a load
	edition    graph.Edition
	defaults   defaults
	ids        map[string]*item          // everything that the file says, by id
	handles    map[sort]map[string]*item // by sort and short name
	items      []*item                   // nodes and relations, in the order of the file
	relations  []*relationItem
	references []*reference
}

// sort tells apart what handles and references stand for.
type sort string

const (
	sortSource   sort = "source"
	sortEntity   sort = "entity"
	sortEvent    sort = "event"
	sortRelation sort = "relation"
)

type defaults struct {
	status  graph.Status
	basis   graph.DateBasis
	sources []*reference
}

// item is a node or a relation of the file.
type item struct {
	id       string
	sort     sort
	at       *yaml.Node
	content  *graph.Content // of nodes
	relation *relationItem  // of relations
}

// relationItem is a relation whose references are to be looked up.
type relationItem struct {
	graph.Relation
	object
	given        bool // the file gives the id
	typ          *graph.RelationType
	basis        graph.DateBasis
	source       *reference
	target       *reference
	claimedBy    *reference
	accreditedTo *reference
	event        *reference
	about        []*reference
	places       []*reference
	citations    []citation
	dropped      bool // said before, in the same words
}

type citation struct {
	source *reference
	quote  string
}

// reference is a handle or an id that a file refers to.
type reference struct {
	doc   *document
	at    *yaml.Node
	text  string
	sorts []sort
	found *target // nil until it is looked up, and where it is unknown
}

// target is what a reference leads to, in a file or in the store.
type target struct {
	id        string
	sort      sort
	kind      graph.Kind
	source    string     // of relations, if it is known
	published *graph.Day // of sources
	item      *item      // where it is in a file of this load
	doc       *document  // that file
}

// datasetFormat is the project's own format, in YAML or JSON.
type datasetFormat struct{}

func (datasetFormat) Name() string { return "dataset" }

var datasetHead = regexp.MustCompile(`(?m)^\s*[{,]?\s*"?dataset"?\s*:`)

func (datasetFormat) Sniff(head []byte) bool { return datasetHead.Match(head) }

// parseDataset reads a file. The problems are those that can be seen without
// looking anything up.
func parseDataset(file string, data []byte, vocabulary *graph.Vocabulary) *document {
	d := &document{decoder: decoder{file: file}, vocabulary: vocabulary,
		ids: map[string]*item{}, handles: map[sort]map[string]*item{}}
	for _, s := range []sort{sortSource, sortEntity, sortEvent, sortRelation} {
		d.handles[s] = map[string]*item{}
	}
	root := d.document(bytes.NewReader(data))
	if root == nil {
		return d
	}
	o := d.object(root, "a data set", datasetKeys)
	sum := sha256.Sum256(data)
	d.edition = graph.Edition{Dataset: o.required("dataset", "the data set"), Title: o.text("title"), Priority: o.integer("priority"), Whole: true}
	copy(d.edition.Input[:], sum[:])
	if name := d.edition.Dataset; name != "" && !datasetName.MatchString(name) {
		d.fail(o.keys["dataset"], "%q is no name for a data set: lower-case letters, digits, and - . _ between them", name)
	}
	if n := o.keys["recorded"]; n != nil {
		if text, ok := d.scalar(n, "recorded"); ok {
			t, err := time.Parse(time.RFC3339, text)
			switch {
			case err != nil:
				d.fail(n, "recorded: %q is no moment; write it like 2025-12-01T12:00:00Z (RFC 3339)", text)
			default:
				d.edition.RecordedAt = graph.InstantOf(t)
			}
		}
	}
	def := object{d: &d.decoder, keys: map[string]*yaml.Node{}}
	if n := o.keys["defaults"]; n != nil {
		def = d.object(n, "defaults", defaultsKeys)
	}
	d.defaults.status = word(&def, "status", graph.Reported, graph.Statuses[:], verbatim)
	d.defaults.basis = word(&def, "dateBasis", graph.Stated, graph.DateBases[:], verbatim)
	for section, read := range map[string]func(string, *yaml.Node, *yaml.Node){
		"sources": d.source, "entities": d.entity, "events": d.event,
	} {
		if n := o.keys[section]; n != nil && n.Tag != "!!null" {
			d.each(n, section, read)
		}
	}
	slices.SortStableFunc(d.items, func(a, b *item) int {
		return cmp.Or(rank(a.sort)-rank(b.sort), a.at.Line-b.at.Line, a.at.Column-b.at.Column)
	})
	d.defaults.sources = d.refs(def.keys["sources"], "sources", sortSource)
	for _, n := range d.list(o.keys["relations"], "relations") {
		d.relation(n)
	}
	return d
}

// rank is the order in which nodes are written: events name entities.
func rank(s sort) int {
	return slices.Index([]sort{sortSource, sortEntity, sortEvent, sortRelation}, s)
}

var (
	datasetName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)
	badID       = func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }
)

const maxID = 512

// id reads the key id, or takes the one that is made.
func (d *document) id(o *object, made string) string {
	n := o.keys["id"]
	if n == nil {
		return made
	}
	s, _ := d.scalar(n, "id")
	switch {
	case s == "":
		return ""
	case len(s) > maxID:
		d.fail(n, "the id is %d bytes long; at most %d are allowed", len(s), maxID)
		return ""
	case strings.IndexFunc(s, badID) >= 0:
		d.fail(n, "the id %q holds white space or control characters", s)
		return ""
	}
	return s
}

// add notes an item under its id and handle.
func (d *document) add(it *item, handle string) {
	if it.id == "" {
		return
	}
	if first := d.ids[it.id]; first != nil {
		if first.sort == it.sort && it.content != nil && first.content.ContentHash() == it.content.ContentHash() {
			d.handles[it.sort][handle] = first
			return
		}
		what := "with other content"
		if first.sort != it.sort {
			what = "as " + article(first.sort)
		}
		d.fail(it.at, "the id %s is given twice: line %d has it %s", it.id, first.at.Line, what)
		return
	}
	d.ids[it.id] = it
	if handle != "" {
		d.handles[it.sort][handle] = it
	}
	d.items = append(d.items, it)
}

func (d *document) source(handle string, k, n *yaml.Node) {
	o := d.object(n, "a source", sourceKeys)
	c := &graph.Content{Form: graph.FormSource, Name: o.required("name", "the source "+handle), Publisher: o.text("publisher"),
		URL: o.text("url"), Description: o.text("description"), ExternalIDs: o.externalIDs(), Properties: o.properties(),
		Date: o.date("published", graph.Act, graph.Stated, nil)}
	d.add(&item{id: d.id(&o, d.edition.Dataset+"/"+handle), sort: sortSource, at: k, content: c}, handle)
}

func (d *document) entity(handle string, k, n *yaml.Node) {
	o := d.object(n, "an entity", entityKeys)
	if o.keys["kind"] == nil && n.Kind == yaml.MappingNode {
		d.fail(n, "the entity %s has no kind", handle)
	}
	c := &graph.Content{Form: graph.FormEntity, Kind: word(&o, "kind", graph.Kind(""), graph.Kinds[:], kindWord),
		Name: o.required("name", "the entity "+handle), Aliases: o.texts("aliases"), Description: o.text("description"),
		ExternalIDs: o.externalIDs(), Properties: o.properties(), Point: o.point(),
		Date: o.date("date", graph.Standing, graph.Stated, nil)}
	if c.Point != nil && c.Kind != graph.KindFacility && c.Kind != graph.KindPlace && c.Kind != "" {
		d.fail(o.keys["point"], "only a Facility or a Place has a point, not a %s", kindWord(c.Kind))
	}
	made := ""
	if s := slug(c.Name); s != "" && c.Kind != "" {
		made = strings.ToLower(string(c.Kind)) + "/" + s
	} else if o.keys["id"] == nil && c.Name != "" && c.Kind != "" {
		d.fail(n, "no id can be made from the name %q; give one", c.Name)
	}
	it := &item{id: d.id(&o, made), sort: sortEntity, at: k, content: c}
	if it.id == "" { // known by its handle all the same, so that one mistake is one problem
		it.id = "?" + handle
	}
	d.add(it, handle)
}

// slug makes the last part of an id from a name: folded words with hyphens.
func slug(name string) string { return strings.Join(graph.Words(name), "-") }

func (d *document) event(handle string, k, n *yaml.Node) {
	o := d.object(n, "an event", eventKeys)
	c := &graph.Content{Form: graph.FormEvent, Name: o.required("name", "the event "+handle), Description: o.text("description"),
		ExternalIDs: o.externalIDs(), Properties: o.properties(),
		Date: o.date("date", graph.Act, word(&o, "dateBasis", graph.Stated, graph.DateBases[:], verbatim), nil)}
	// Participants and places are put in when references are looked up.
	it := &item{id: d.id(&o, d.edition.Dataset+"/"+handle), sort: sortEvent, at: k, content: c}
	places := d.refs(o.keys["places"], "places", sortEntity)
	type role struct {
		who  *reference
		role string
	}
	var roles []role
	for _, p := range d.list(o.keys["participants"], "participants") {
		if p.Kind == yaml.ScalarNode {
			roles = append(roles, role{d.ref(p, "participants", sortEntity), ""})
			continue
		}
		part := d.object(p, "a participant", participantKeys)
		if part.required("entity", "a participant") != "" {
			roles = append(roles, role{d.ref(part.keys["entity"], "entity", sortEntity), part.text("role")})
		}
	}
	d.add(it, handle)
	it.relation = &relationItem{places: places} // looked up with the relations
	for _, r := range roles {
		it.relation.about = append(it.relation.about, r.who)
		it.content.Participants = append(it.content.Participants, graph.Participant{Role: r.role})
	}
}

// ref notes a reference to be looked up.
func (d *document) ref(n *yaml.Node, key string, sorts ...sort) *reference {
	if n == nil {
		return nil
	}
	s, ok := d.scalar(n, key)
	if !ok {
		return nil
	}
	r := &reference{doc: d, at: n, text: s, sorts: sorts}
	d.references = append(d.references, r)
	return r
}

func (d *document) refs(n *yaml.Node, key string, sorts ...sort) []*reference {
	var out []*reference
	for _, item := range d.list(n, key) {
		if r := d.ref(item, key, sorts...); r != nil {
			out = append(out, r)
		}
	}
	return out
}

func (d *document) relation(n *yaml.Node) {
	o := d.object(n, "a relation", relationKeys)
	if n.Kind != yaml.MappingNode {
		return
	}
	r := &relationItem{object: o}
	r.Type = o.required("type", "the relation")
	if r.Type != "" {
		var ok bool
		if r.typ, ok = d.vocabulary.Lookup(r.Type); !ok {
			near := ""
			if names := d.vocabulary.Nearest(r.Type, 3); len(names) > 0 {
				near = "; near it are " + strings.Join(names, ", ")
			}
			d.fail(o.keys["type"], "the vocabulary has no relation type %q%s", r.Type, near)
		}
	}
	r.Status = word(&o, "status", d.defaults.status, graph.Statuses[:], verbatim)
	r.basis = word(&o, "dateBasis", d.defaults.basis, graph.DateBases[:], verbatim)
	r.SourceAs, r.TargetAs, r.Unit, r.Note = o.text("sourceAs"), o.text("targetAs"), o.text("unit"), o.text("note")
	r.Quantity = o.number("quantity", -1e300, 1e300)
	r.Goldstein = o.number("goldstein", -10, 10)
	r.Confidence = o.number("confidence", 0, 1)
	r.CAMEO = o.text("cameo")
	if r.Unit != "" && o.keys["quantity"] == nil {
		d.fail(o.keys["unit"], "unit without quantity: say how many %s", r.Unit)
	}
	if r.CAMEO != "" && r.typ != nil {
		d.cameo(r)
	}
	r.source = d.ref(o.keys["source"], "source", sortEntity)
	switch absent := o.boolean("unattributed"); {
	case absent && o.keys["source"] != nil:
		d.fail(o.keys["unattributed"], "unattributed means that nobody is named as the source, but a source is")
	case absent:
		r.source = &reference{doc: d, at: o.keys["unattributed"], text: unattributed, sorts: []sort{sortEntity}}
		d.references = append(d.references, r.source)
		if d.ids[unattributed] == nil {
			d.add(&item{id: unattributed, sort: sortEntity, at: n, content: &graph.Content{Form: graph.FormEntity, Kind: graph.KindGroup,
				Name: "Unattributed", Description: "Stands for whoever did what nobody is named for.",
				Date: noDate(graph.Standing)}}, "")
		}
	case o.keys["source"] == nil:
		d.fail(n, "the relation has no source; where nobody is named, say unattributed: true")
	}
	r.about = d.refs(o.keys["about"], "about", sortRelation, sortEvent)
	r.target = d.ref(o.keys["target"], "target", sortEntity)
	if o.keys["target"] == nil && o.keys["about"] == nil {
		d.fail(n, "the relation has no target; only with about may it be absent")
	}
	r.claimedBy = d.ref(o.keys["claimedBy"], "claimedBy", sortEntity)
	r.accreditedTo = d.ref(o.keys["accreditedTo"], "accreditedTo", sortEntity)
	if r.accreditedTo != nil && r.typ != nil && !r.typ.AccreditedTo {
		d.fail(o.keys["accreditedTo"], "%s has no accreditedTo; it says to whom an envoy is sent", r.Type)
	}
	r.event = d.ref(o.keys["event"], "event", sortEvent)
	r.places = d.refs(o.keys["places"], "places", sortEntity)
	for _, s := range d.refs(o.keys["sources"], "sources", sortSource) {
		r.citations = append(r.citations, citation{source: s})
	}
	for _, c := range d.list(o.keys["citations"], "citations") {
		co := d.object(c, "a citation", citationKeys)
		if co.required("source", "the citation") != "" {
			r.citations = append(r.citations, citation{d.ref(co.keys["source"], "source", sortSource), co.text("quote")})
		}
	}
	if o.keys["sources"] == nil && o.keys["citations"] == nil {
		for _, s := range d.defaults.sources {
			r.citations = append(r.citations, citation{source: s})
		}
	}
	if n := o.keys["id"]; n != nil {
		if r.ID = d.id(&o, ""); r.ID != "" {
			r.given = true
			handle := r.ID
			if !strings.Contains(r.ID, "/") {
				r.ID = d.edition.Dataset + "/" + r.ID
			}
			it := &item{id: r.ID, sort: sortRelation, at: n, relation: r}
			if first := d.ids[it.id]; first != nil && first.relation != nil && first.sort == sortRelation && sameNode(first.relation.node, r.node) {
				r.dropped = true
				return
			}
			d.add(it, handle)
		}
	}
	d.relations = append(d.relations, r)
}

// cameo checks a code: it must exist, and stand for the relation's type.
func (d *document) cameo(r *relationItem) {
	n := r.keys["cameo"]
	if !graph.ValidCAMEO(r.CAMEO) {
		d.fail(n, "%q is no CAMEO code: two to four digits, as text in quotes, for example \"040\"", r.CAMEO)
		return
	}
	act, ok := d.vocabulary.ByCAMEO(r.CAMEO)
	if !ok {
		d.fail(n, "CAMEO has no code %s", r.CAMEO)
	} else if act.Name != r.Type && len(r.typ.CAMEO) > 0 {
		d.fail(n, "the CAMEO code %s stands for %s, not for %s", r.CAMEO, act.Name, r.Type)
	}
}

// sameNode reports whether two parts of a file say the same.
func sameNode(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Value != b.Value || a.Tag != b.Tag || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !sameNode(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

func noDate(nature graph.Nature) graph.Date {
	d, _ := graph.ResolveDate("", nature, graph.Stated, 0, false)
	return d
}

func article(s sort) string {
	if s == sortEntity || s == sortEvent {
		return "an " + string(s)
	}
	return "a " + string(s)
}
