package loader

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
)

// finishNode makes the statement about a source, entity or event.
func (d *document) finishNode(ctx context.Context, t *thing) {
	c := &graph.Content{
		Name: t.keyText("name"), Description: t.text("description"), ExternalIDs: t.externalIDs(), Properties: t.properties(),
	}
	switch t.sort {
	case sortSource:
		c.Form = graph.FormSource
		c.Publisher, c.URL = t.line("publisher"), t.url("url")
		c.Date = t.date("published", graph.Act, graph.Stated)
	case sortEntity:
		c.Form, c.Kind = graph.FormEntity, t.kind
		c.Aliases, c.Point = t.lines("aliases"), t.point()
		c.Aliases = slices.DeleteFunc(c.Aliases, func(a string) bool { return a == c.Name })
		c.Date = t.date("date", graph.Standing, graph.Stated)
	default:
		c.Form = graph.FormEvent
		c.Date = t.eventDate()
		c.Places = d.places(ctx, t)
		c.Participants = d.participants(ctx, t)
	}
	t.content = c
	if t.sort == sortSource && d.index != nil && !d.again && t.id != "" {
		d.index.publish(t)
	}
	if t.id != "" {
		d.statements = append(d.statements, graph.Statement{ID: t.id, Content: *c})
	}
}

// keyText is a text that was read, and judged, before.
func (o *object) keyText(key string) string {
	quiet := decoder{}
	s, _ := quiet.scalar(o.keys[key], key, lineRule)
	return s
}

func (t *thing) eventDate() graph.Date {
	basis := t.basis(graph.Stated)
	text := t.edtf("date")
	if text == "" && t.keys["date"] == nil && t.keys["dateBasis"] != nil {
		t.d.fail(t.keys["dateBasis"], "dateBasis is %s, but there is no date; an event rests on no source, so write the date", basis)
		basis = graph.Stated
	}
	return t.resolve("date", text, graph.Act, basis, nil)
}

func (d *document) participants(ctx context.Context, t *thing) []graph.Participant {
	var out []graph.Participant
	n := t.keys["participants"]
	if n != nil && n.Kind == yaml.ScalarNode { // a list of one must be a list here: of what, it says itself
		d.fail(n, "participants must be a list, such as [{entity: france, role: host}], but is %s", describe(n))
		return nil
	}
	for _, item := range t.list("participants") {
		who, role := item, ""
		if item.Kind != yaml.ScalarNode {
			p := d.object(item, "a participant", participantKeys)
			if who = p.keys["entity"]; who == nil {
				p.missing("entity", "")
				continue
			}
			role = p.line("role")
		}
		e, ok := d.entity(ctx, who, "entity")
		if ok && e.kind != "" && !slices.Contains(participantKinds, e.kind) {
			d.misfit(t, e, who, "%s is %s, and cannot take part; a participant is an actor or a facility. Where it happened is said by places", clip(who.Value), kindArticle(e.kind))
		}
		if ok && e.id != "" {
			p := graph.Participant{Entity: e.id, Role: role}
			if slices.Contains(out, p) {
				d.fail(who, "%s takes part twice; remove one, or give them different roles", clip(who.Value))
				continue
			}
			out = append(out, p)
		}
	}
	return out
}

func kindArticle(k graph.Kind) string {
	name := kindName(k)
	if strings.Contains("IOU", name[:1]) {
		return "an " + name
	}
	return "a " + name
}

// entity looks up a reference to an entity. A false result is noted already.
func (d *document) entity(ctx context.Context, n *yaml.Node, key string) (end, bool) {
	t, k, ok := d.find(ctx, n, key, sortEntity)
	switch {
	case !ok:
		return end{}, false
	case t != nil:
		// Another data set may have decided what this file leaves undecided. That
		// makes nothing wrong in this file, which would depend on what is loaded.
		return end{id: t.id, kind: t.kind}, true
	}
	return end{id: k.Node.ID, kind: k.Node.Kind, outside: true}, true
}

// The kinds of what can be where.
var (
	actorKinds       = slices.DeleteFunc(slices.Clone(graph.Kinds[:]), func(k graph.Kind) bool { return !k.Actor() })
	participantKinds = append(slices.Clone(actorKinds), graph.KindFacility)
	placeKinds       = []graph.Kind{graph.KindPlace, graph.KindFacility, graph.KindState}
)

// What is said of ends of kinds that will not do: which end, and its kind.
const (
	noClaimant = "%s is %s, and claims nothing; claimedBy must be an actor"
	noEnvoyTo  = "%s is %s; envoys are sent to actors"
	noPlace    = "%s is %s; things happen in a Place, a Facility or a State"
)

// fromFeed reports whether an id is that of a record of a feed.
func fromFeed(dataset, id string) bool { return strings.HasPrefix(id, dataset+"/record/") }

// misfit says that an entity is of a kind that cannot be where it is. Where it
// is another data set that states the kind, it may have come to do so since
// this file was loaded: see settleDoubts. A record of a feed stays as it is, and
// the file may say that it knows.
func (d *document) misfit(of *thing, e end, at *yaml.Node, format string, args ...any) {
	switch {
	case fromFeed(d.edition.Dataset, of.id), d.disputed[e.id]:
		d.note(at, format, args...)
	case e.outside:
		d.doubts = append(d.doubts, graph.Problem{File: d.file, Line: at.Line, Column: at.Column, Message: fmt.Sprintf(format, args...)})
	default:
		d.fail(at, format, args...)
	}
}

// settleDoubts makes doubts notes where the store has this very edition, since
// a file that could be loaded once can be loaded again, and problems otherwise.
func (d *document) settleDoubts(doubts []graph.Problem) {
	if old, known := d.world.Dataset(d.edition.Dataset); known && old.Edition == d.edition.Input {
		d.notes = append(d.notes, doubts...)
	} else {
		d.problems = append(d.problems, doubts...)
	}
}

// optional looks up an entity that may be left out.
func (d *document) optional(ctx context.Context, t *thing, key string) end {
	n := t.keys[key]
	if n == nil {
		return end{}
	}
	e, _ := d.entity(ctx, n, key)
	return e
}

func (d *document) places(ctx context.Context, t *thing) []string {
	var ids []string
	for _, n := range t.list("places") {
		e, ok := d.entity(ctx, n, "places")
		if ok && e.kind != "" && !slices.Contains(placeKinds, e.kind) {
			d.misfit(t, e, n, noPlace, clip(n.Value), kindArticle(e.kind))
		}
		switch {
		case !ok || e.id == "":
		case slices.Contains(ids, e.id):
			d.fail(n, "%s is among the places twice; remove one", clip(n.Value))
		default:
			ids = append(ids, e.id)
		}
	}
	return ids
}

// cite reads the sources or citations of a relation, or of the defaults.
func (d *document) cite(ctx context.Context, o *object) []citation {
	var out []citation
	add := func(n *yaml.Node, quote string) {
		t, k, ok := d.find(ctx, n, "sources", sortSource)
		if !ok {
			return
		}
		var c citation
		if c.Quote = quote; t != nil {
			c.Source = t.id
			if t.content != nil {
				c.published = &t.content.Date
			}
		} else {
			c.Source, c.published = k.Node.ID, &k.Node.Date
		}
		if slices.ContainsFunc(out, func(o citation) bool { return o.Citation == c.Citation }) {
			d.fail(n, "%s is cited twice; remove one", clip(n.Value))
			return
		}
		if c.Source != "" {
			out = append(out, c)
		}
	}
	if both := o.keys["citations"]; both != nil && o.keys["sources"] != nil {
		d.fail(both, "the relation has both sources and citations; name all of them in citations, where a quote may be left out")
	}
	for _, n := range o.list("sources") {
		add(n, "")
	}
	if o.keys["citations"] == nil {
		return out
	}
	for _, n := range o.records("citations") {
		c := d.object(n, "a citation", citationKeys)
		quote, _ := d.scalar(c.keys["quote"], "quote", quoteRule)
		if c.keys["source"] == nil {
			c.missing("source", "")
			continue
		}
		add(c.keys["source"], quote)
	}
	return out
}

// finishSource looks up who acts. That comes first for all relations, since
// the addressee of one may be the source of another.
func (d *document) finishSource(ctx context.Context, t *thing) {
	n := t.keys["source"]
	nobody := t.boolean("unattributed")
	switch {
	case nobody && n != nil:
		d.fail(t.keys["unattributed"], "unattributed: true says that nobody is named as the source, but there is a source; remove one of the two")
	case n == nil && !nobody:
		t.missing("source", "; where nobody is named as the one who acts, write unattributed: true")
		return
	}
	if n != nil && n.Kind == yaml.ScalarNode && (n.Value == unattributedHandle || n.Value == unattributedID) {
		nobody, n = true, nil
	}
	if n != nil {
		t.source, _ = d.entity(ctx, n, "source")
		return
	}
	// A record of a feed stays as it is: an address may be under sanctions of nobody
	// who is named, which is a standing.
	if t.typ != nil && t.typ.Nature == graph.Standing && !fromFeed(d.edition.Dataset, t.id) {
		d.fail(cmp.Or(t.keys["unattributed"], t.keys["source"]), "%s is a standing, and only acts can be unattributed; name the source", t.typ.Name)
		return
	}
	d.placeholder = true
	t.source = end{id: unattributedID, kind: graph.KindGroup}
}

// finishRelation looks up the rest of a relation and checks it as a whole.
// Derived collects relations whose ids are to differ by their ordinals.
func (d *document) finishRelation(ctx context.Context, t *thing, derived map[string][]*thing) {
	r := &graph.Relation{
		ID: t.id, Source: t.source.id, Status: t.status(d.defaults.status),
		SourceAs: t.line("sourceAs"), TargetAs: t.line("targetAs"), Note: t.text("note"), Places: d.places(ctx, t),
		Goldstein: t.number("goldstein", -10, 10), Confidence: t.number("confidence", 0, 1),
		ClaimedBy: d.claimant(ctx, t), CAMEO: d.cameo(t),
		Family: word(&t.object, "family", "", d.world.Vocabulary.Families(), verbatim[string]),
	}
	r.Quantity, r.Unit = d.quantity(t)
	if t.typ != nil {
		r.Type = t.typ.Name
	}
	if n := t.keys["accreditedTo"]; n != nil {
		to := d.optional(ctx, t, "accreditedTo")
		switch {
		case t.typ != nil && !t.typ.AccreditedTo:
			d.fail(n, "%s has no receiving side; accreditedTo is for envoys, so leave it out", t.typ.Name)
		case to.kind != "" && !slices.Contains(actorKinds, to.kind):
			d.misfit(t, to, n, noEnvoyTo, clip(n.Value), kindArticle(to.kind))
		}
		r.AccreditedTo = to.id
	}
	if n := t.keys["event"]; n != nil {
		if e, k, ok := d.find(ctx, n, "event", sortEvent); ok && e != nil {
			r.Event = e.id
		} else if ok {
			r.Event = k.Node.ID
		}
	}
	addressee, about := d.about(ctx, t)
	r.About = about
	target := d.target(ctx, t, addressee)
	r.Target = target.id
	cited := d.defaults.cited
	if t.keys["sources"] != nil || t.keys["citations"] != nil {
		cited = d.cite(ctx, &t.object)
	}
	for _, c := range cited {
		r.Citations = append(r.Citations, c.Citation)
	}
	stated := t.edtf("date")
	if t.typ == nil {
		if _, err := graph.ResolveDate(stated, graph.Standing, graph.Stated, 0, false); err != nil { // no type has such a date
			t.resolve("date", stated, graph.Act, graph.Stated, nil)
		}
		return
	}
	r.Date = d.relationDate(t, stated, cited)
	d.checkEnds(t, target)
	if r.Source == "" || r.Target == "" {
		return
	}
	if r.ID == "" && t.keys["id"] == nil {
		key := graph.DerivedID(d.edition.Dataset, t.typ, r.Source, r.Target, stated, 0)
		alike := derived[key]
		for _, other := range alike {
			if sameContent(other.node, t.node, "") {
				d.note(t.node, "the relation is given twice, with the same content in line %d; it counts once. If it happened twice, tell the two apart by a note or an id", other.node.Line)
				return
			}
		}
		derived[key] = append(alike, t)
		r.ID = graph.DerivedID(d.edition.Dataset, t.typ, r.Source, r.Target, stated, len(alike))
	}
	if r.ID != "" {
		t.id = r.ID
		d.relations = append(d.relations, r)
	}
}

func (d *document) claimant(ctx context.Context, t *thing) string {
	e := d.optional(ctx, t, "claimedBy")
	if e.kind != "" && !slices.Contains(actorKinds, e.kind) {
		n := t.keys["claimedBy"]
		d.misfit(t, e, n, noClaimant, clip(n.Value), kindArticle(e.kind))
	}
	return e.id
}

func (d *document) quantity(t *thing) (*float64, string) {
	quantity, unit := t.number("quantity", -quantityLimit, quantityLimit), t.line("unit")
	switch q, u := t.keys["quantity"], t.keys["unit"]; {
	case quantity != nil && u == nil:
		d.fail(q, "there is a quantity without a unit; say what is counted, for example unit: drones")
	case u != nil && q == nil:
		d.fail(u, "there is a unit without a quantity; say how many, or leave the unit out")
	}
	return quantity, unit
}

// cameo reads a CAMEO code, which must be of the act that the relation is.
func (d *document) cameo(t *thing) string {
	n := t.keys["cameo"]
	if n != nil && n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") {
		d.fail(n, "a CAMEO code is text, and its leading zero counts; put it in quotes, such as %q", "042")
		return ""
	}
	code, ok := d.scalar(n, "cameo", lineRule)
	if !ok {
		return ""
	}
	act, ok := d.world.Vocabulary.ByCAMEO(code)
	switch {
	case !ok || !cameoForm.MatchString(code):
		d.fail(n, "%q is no CAMEO code; codes have two to four digits and begin with 01 to 20, such as \"042\"", clip(code))
	case t.typ == nil:
	case t.typ.Nature == graph.Standing:
		d.fail(n, "%s is a standing, and CAMEO codes are of acts; leave the code out", t.typ.Name)
	case len(t.typ.CAMEO) == 0:
		d.fail(n, "the CAMEO code %s stands for %s, and %s has no code; leave it out, or change the type", code, act.Name, t.typ.Name)
	case act.Name != t.typ.Name:
		d.fail(n, "the CAMEO code %s stands for %s, not for %s (%s); correct the one or the other", code, act.Name, t.typ.Name, strings.Join(t.typ.CAMEO, ", "))
	default:
		return code
	}
	return ""
}

// about looks up what an act is about, and finds the addressee that follows
// from it: the source of the first relation.
func (d *document) about(ctx context.Context, t *thing) (addressee *end, ids []string) {
	n := t.keys["about"]
	if n != nil && t.typ != nil && t.typ.Nature == graph.Standing {
		d.fail(n, "%s is a standing; only acts are about something, so leave about out", t.typ.Name)
	}
	unclear := false
	for _, item := range t.list("about") {
		to, k, ok := d.find(ctx, item, "about", sortRelation, sortEvent)
		if !ok {
			unclear = true
			continue
		}
		id := ""
		switch {
		case to != nil && to.sort == sortRelation:
			if id = to.id; addressee == nil {
				source := to.source
				addressee = &source
			}
			t.about, t.acts = append(t.about, item), append(t.acts, to)
		case to != nil:
			id = to.id
		case k.Relation != nil:
			if id = k.Relation.ID; addressee == nil {
				addressee = &end{id: k.Relation.Source}
				switch {
				case t.keys["target"] != nil:
				case k.Forgotten:
					d.note(item, "the relation is left out: its target would be the source of a relation that was forgotten; name the target")
				case addressee.id == "": // nothing more is known of the other file
					d.fail(item, "%s is in a file of JSON lines that is loaded together with this one; name the target of what is about it", clip(id))
				}
			}
		default:
			id = k.Node.ID
		}
		if id == "" {
			continue
		}
		if slices.Contains(ids, id) {
			d.fail(item, "%s is in about twice; remove one", clip(item.Value))
			continue
		}
		ids = append(ids, id)
	}
	if addressee == nil && (unclear || n != nil && n.Kind == spoilt) {
		addressee = &end{} // what it would be is not known, for a mistake noted already
	}
	return addressee, ids
}

func (d *document) target(ctx context.Context, t *thing, addressee *end) end {
	switch {
	case t.keys["target"] != nil:
		e, _ := d.entity(ctx, t.keys["target"], "target")
		return e
	case d.index != nil:
		t.missing("target", "; in JSON lines each has one")
		return end{}
	case addressee != nil:
		return *addressee
	case t.keys["about"] != nil && len(t.list("about")) > 0:
		d.fail(t.keys["about"], "the relation has no target, and an event has no source that could be one; name the target, or in about a relation of the event")
	default:
		t.missing("target", "; only an act that is about another relation can leave it out, and is addressed to that one's source")
	}
	return end{}
}

// checkEnds sees to it that the type admits both ends.
func (d *document) checkEnds(t *thing, target end) {
	at := cmp.Or(t.keys["target"], t.keys["about"], t.node)
	if t.source.kind != "" && !slices.Contains(t.typ.Sources, t.source.kind) {
		d.misfit(t, t.source, cmp.Or(t.keys["source"], t.keys["unattributed"], t.node), "%v", t.typ.Allows(t.source.kind, t.typ.Targets[0]))
	}
	if target.kind != "" && !slices.Contains(t.typ.Targets, target.kind) {
		message := t.typ.Allows(t.typ.Sources[0], target.kind).Error()
		if t.keys["target"] == nil {
			message += "; it is the source of the first relation in about, since no target is given"
		}
		d.misfit(t, target, at, "%s", message)
	}
	// A record of a feed stays as it is: feeds have people of one name meet.
	if t.source.id == "" || t.source.id != target.id || fromFeed(d.edition.Dataset, t.id) {
		return
	}
	switch {
	case t.typ.Symmetric:
		d.fail(at, "%s is between two, but source and target are both %s", t.typ.Name, target.id)
	case t.typ.Nature == graph.Standing:
		d.fail(at, "%s lasts between two, but source and target are both %s", t.typ.Name, target.id)
	}
}

// relationDate works out the date of a relation, with what its sources' days
// of publication say.
func (d *document) relationDate(t *thing, text string, cited []citation) graph.Date {
	basis := t.basis(d.defaults.basis)
	nature := t.typ.Nature
	// The day by which the newest source certainly was there, and the date of
	// the one that may be the newest.
	var day *graph.Day
	var newest *graph.Date
	for _, c := range cited {
		p := c.published
		if p == nil || p.EDTF == "" {
			continue
		}
		if p.Earliest > graph.MinDay && (day == nil || p.Earliest > *day) {
			day = &p.Earliest
		}
		if p.Latest < graph.MaxDay && (newest == nil || p.Latest > newest.Latest) {
			newest = p
		}
	}
	if text == "" && t.keys["date"] == nil {
		switch {
		case basis == graph.Publication && newest == nil:
			at := cmp.Or(t.keys["dateBasis"], t.keys["sources"], t.keys["citations"], t.node)
			d.fail(at, "dateBasis is PUBLICATION, but no source of the relation has a known day of publication; give the source its day (published), or the relation a date")
			basis = graph.Stated
		case basis == graph.Publication:
			day = &newest.Latest
		case t.keys["dateBasis"] != nil:
			d.fail(t.keys["dateBasis"], "dateBasis is %s, but there is no date; give one, or leave dateBasis out", basis)
		}
	}
	return t.resolve("date", text, nature, basis, day)
}

// cycles finds acts that are about themselves, directly or over others.
func (d *document) cycles() {
	const (
		open = 1
		done = 2
	)
	state := map[*thing]int{}
	type step struct {
		t    *thing
		next int
	}
	for _, from := range d.things {
		if len(from.acts) == 0 || state[from] != 0 {
			continue
		}
		path := []step{{from, 0}}
		state[from] = open
		for len(path) > 0 {
			top := &path[len(path)-1]
			if top.next == len(top.t.acts) {
				state[top.t] = done
				path = path[:len(path)-1]
				continue
			}
			to, at := top.t.acts[top.next], top.t.about[top.next]
			top.next++
			switch state[to] {
			case 0:
				state[to] = open
				path = append(path, step{to, 0})
			case open:
				i := slices.IndexFunc(path, func(s step) bool { return s.t == to })
				names := make([]string, 0, len(path)-i+1)
				for _, s := range path[i:] {
					names = append(names, cmp.Or(s.t.handle, s.t.id))
				}
				names = append(names, cmp.Or(to.handle, to.id))
				d.fail(at, "an act cannot be about itself: %s; take one of them out of about", strings.Join(names, " is about "))
			}
		}
	}
}
