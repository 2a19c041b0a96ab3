package loader

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/graph"

	"golang.org/x/text/unicode/norm"
)

// tableRow gives the values of one row by column.
type tableRow struct {
	fields []string
	index  map[string]int
	form   *tableForm
}

// get is the value of a column, "" where the row has none.
func (r *tableRow) get(column string) string {
	text := r.raw(column)
	if r.form.missing[text] {
		return ""
	}
	return text
}

// raw is what stands in a column, be it a sign for no value.
func (r *tableRow) raw(column string) string { return composed(r.fields[r.index[column]]) }

// composed is how texts of tables, and those of mappings that are compared with
// them, are written: without blanks around them, and with each letter in one
// piece with its accents (NFC). Macs write them in two.
func composed(text string) string { return norm.NFC.String(strings.TrimSpace(text)) }

// rowThings is what one row states. No id is there twice.
type rowThings struct {
	nodes     []graph.Statement // sources, then entities
	relations []*graph.Relation
	omitted   []Rejection // values that were left out
}

// rowBuilder makes the things of a row. The first thing that will not do ends
// it.
type rowBuilder struct {
	m       *mapping
	dataset string
	vocab   *graph.Vocabulary
	row     *tableRow
	out     *rowThings
	ids     []string // of the rules for nodes, "" of those that do not apply
	kinds   []graph.Kind
	dates   []*graph.Date // of sources
	bad     *Rejection
}

// build says what a row means.
func (m *mapping) build(dataset string, vocab *graph.Vocabulary, row *tableRow) (*rowThings, *Rejection) {
	b := &rowBuilder{m: m, dataset: dataset, vocab: vocab, row: row, out: &rowThings{},
		ids: make([]string, len(m.nodes)), kinds: make([]graph.Kind, len(m.nodes)), dates: make([]*graph.Date, len(m.nodes))}
	entities := 0
	for _, r := range m.nodes {
		if b.applies(r.when) {
			b.node(r)
			if r.form == graph.FormEntity {
				entities++
			}
		}
		if b.bad != nil {
			return nil, b.bad
		}
	}
	for _, r := range m.rules {
		if b.applies(r.when) && b.ids[r.source.index] != "" && b.ids[r.target.index] != "" {
			b.relation(r)
		}
		if b.bad != nil {
			return nil, b.bad
		}
	}
	if entities == 0 {
		return nil, &Rejection{Reason: "no entity of the mapping applies to the row"}
	}
	return b.out, nil
}

func (b *rowBuilder) applies(when []condition) bool {
	for _, c := range when {
		text := b.row.get(c.column)
		raw := b.row.raw(c.column) // NA can be compared with too
		has := func(list []string) bool { return slices.Contains(list, text) || slices.Contains(list, raw) }
		if c.empty != nil && *c.empty != (text == "") || c.is != nil && !has(c.is) || c.not != nil && has(c.not) {
			return false
		}
	}
	return true
}

// reject notes what is wrong with a value.
func (b *rowBuilder) reject(column, what, format string, args ...any) {
	b.fault(false, what, &Rejection{Column: column, Reason: fmt.Sprintf(format, args...)})
}

func (b *rowBuilder) fault(omit bool, what string, bad *Rejection) {
	if !strings.EqualFold(what, bad.Column) {
		bad.Reason = what + ": " + bad.Reason
	}
	switch {
	case omit:
		b.out.omitted = append(b.out.omitted, *bad)
	case b.bad == nil:
		b.bad = bad
	}
}

// column is what a value is read from, for messages.
func (v *value) column() string { return v.text.column() }

// read takes the value of a row. Where it is empty, lacking names the column.
func (v *value) read(r *tableRow) (text, lacking string, bad *Rejection) {
	if text, lacking, bad = v.text.fill(r); bad != nil {
		return "", "", bad
	}
	return v.mapped(r, text, lacking)
}

func (v *value) mapped(r *tableRow, text, lacking string) (string, string, *Rejection) {
	t, bad := v.instead(text)
	if t == nil || bad != nil {
		return text, lacking, bad
	}
	return t.fill(r)
}

// instead is what the map or the default has for a text, nil where the text
// itself is the value.
func (v *value) instead(text string) (template, *Rejection) {
	if to, known := v.lookup[text]; known {
		return to, nil
	}
	if v.lookup != nil && text != "" && v.fallback == nil {
		return nil, &Rejection{Column: v.column(), Reason: fmt.Sprintf("%q is not in the map; add it there, or a default", clip(text))}
	}
	if text == "" || v.lookup != nil {
		return v.fallback, nil
	}
	return nil, nil
}

// number reads the text that read gave as a number. The decimal mark of the
// table is that of its fields; what the mapping says has a point.
func (v *value) number(r *tableRow, text string) (float64, *Rejection) {
	plain := text
	if r.form.decimal != "." {
		own, _, bad := v.text.fill(r)
		t := v.text
		if other, _ := v.instead(own); other != nil {
			t = other
		}
		if bad == nil {
			plain, bad = t.pointed(r)
		}
		if bad != nil {
			return 0, bad
		}
	}
	return parseNumber(strings.TrimSpace(plain), text)
}

// misfitText says why a text will not do, "" where it will.
func misfitText(text string, rule textRule) string {
	if !rule.multiline && strings.ContainsRune(text, '\n') {
		return "must be one line; the filter line makes it one"
	}
	if len(text) > rule.most {
		if n := utf8.RuneCountInString(text); n > rule.most {
			return fmt.Sprintf("has %d characters; at most %d are allowed", n, rule.most)
		}
	}
	return ""
}

// text takes a text, "" where the row has none.
func (b *rowBuilder) text(v *value, what string, rule textRule) string {
	text, _ := b.take(v, what, rule)
	return text
}

func (b *rowBuilder) take(v *value, what string, rule textRule) (text, lacking string) {
	if v == nil || b.bad != nil {
		return "", ""
	}
	text, lacking, bad := v.read(b.row)
	if bad == nil {
		if why := misfitText(text, rule); why != "" {
			bad = &Rejection{Column: v.column(), Reason: why}
		}
	}
	if bad != nil {
		b.fault(v.omit, what, bad)
		return "", v.column()
	}
	return strings.TrimSpace(text), lacking
}

// needed takes a text that must be there.
func (b *rowBuilder) needed(v *value, of, what string, rule textRule) string {
	text, lacking := b.take(v, what, rule)
	if text == "" && b.bad == nil {
		b.reject(lacking, what, "is empty, and %s needs it", of)
	}
	return text
}

// list takes values, each once.
func (b *rowBuilder) list(values []*value, what string, rule textRule) []string {
	var out []string
	for _, v := range values {
		if v.split == "" {
			if text := b.text(v, what, rule); text != "" && !slices.Contains(out, text) {
				out = append(out, text)
			}
			continue
		}
		whole, _, bad := v.text.fill(b.row)
		if bad != nil {
			b.fault(v.omit, what, bad)
			continue
		}
		for part := range strings.SplitSeq(whole, v.split) {
			part = strings.TrimSpace(part)
			text, _, bad := v.mapped(b.row, part, "")
			if bad == nil {
				if why := misfitText(text, rule); why != "" {
					bad = &Rejection{Column: v.column(), Reason: why}
				}
			}
			if bad != nil {
				b.fault(v.omit, what, bad)
			} else if text != "" && !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	return out
}

// chosenIn takes one of the words of a choice.
func chosenIn[T ~string](b *rowBuilder, c *choice[T], what string, absent T) T {
	text := b.text(c.value, what, lineRule)
	if text == "" {
		return absent
	}
	return c.words[text] // the mapping has no other
}

// number takes a number from least to most, or nil.
func (b *rowBuilder) number(v *value, what string, least, most float64) *float64 {
	text := b.text(v, what, lineRule)
	if text == "" {
		return nil
	}
	n, bad := v.number(b.row, text)
	if bad == nil && !(n >= least && n <= most) {
		bad = &Rejection{Reason: fmt.Sprintf("%s is not from %g to %g", clip(text), least, most)}
	}
	if bad != nil {
		bad.Column = v.column()
		b.fault(v.omit, what, bad)
		return nil
	}
	return &n
}

func (b *rowBuilder) id(v *value, of string, prefix bool) string {
	text := b.needed(v, of, "id", textRule{most: maxID})
	switch {
	case b.bad != nil:
		return ""
	case whitespace.MatchString(text):
		b.reject(v.column(), "id", "%q has a blank in it; the filter slug makes it fit", clip(text))
		return ""
	case text == unattributedID:
		b.reject(v.column(), "id", "%s stands for those whom nobody names", text)
		return ""
	case prefix && !strings.Contains(text, "/"):
		text = b.dataset + "/" + text
	}
	return text
}

// node makes what a row says of an entity or a source.
func (b *rowBuilder) node(r *nodeRule) {
	id := b.dataset + "/" + r.constantID
	if r.id != nil {
		id = b.id(r.id, r.what, r.form == graph.FormSource)
	}
	c := graph.Content{
		Form: r.form, Kind: chosenIn(b, &r.kind, "kind", ""), Name: b.needed(r.name, r.what, "name", lineRule),
		Aliases: b.list(r.aliases, "aliases", lineRule), Description: b.text(r.description, "description", proseRule),
		Publisher: b.text(r.publisher, "publisher", lineRule), URL: b.url(r.url),
	}
	c.Aliases = slices.DeleteFunc(c.Aliases, func(a string) bool { return a == c.Name })
	if r.form == graph.FormEntity && c.Kind == "" && b.bad == nil {
		b.reject(r.kind.value.column(), "kind", "is empty, and %s needs it", r.what)
	}
	for _, e := range r.external {
		for _, text := range b.list(e.values, e.name, lineRule) {
			c.ExternalIDs = append(c.ExternalIDs, externalID(e.name, text))
		}
	}
	for _, p := range r.properties {
		for _, text := range b.list(p.values, p.name, proseRule) {
			c.Properties = append(c.Properties, graph.Property{Name: p.name, Value: text})
		}
	}
	what := "date"
	if r.form == graph.FormSource {
		what = "published"
	}
	c.Date = b.date(r.date, what, r.form.DateNature())
	c.Point = b.point(r.point)
	if b.bad != nil {
		return
	}
	b.ids[r.index], b.kinds[r.index] = id, c.Kind
	if r.form == graph.FormSource {
		b.dates[r.index] = &c.Date
	}
	for i := range b.out.nodes {
		if s := &b.out.nodes[i]; s.ID == id {
			if why := unlike(&s.Content, &c); why != "" {
				b.bad = &Rejection{Column: b.idColumn(r), Reason: fmt.Sprintf("id: %s %s in the same row", id, why)}
				return
			}
			s.Content = s.Content.Add(c)
			b.kinds[r.index] = s.Content.Kind
			return
		}
	}
	b.out.nodes = append(b.out.nodes, graph.Statement{ID: id, Content: c})
}

// url takes an address.
func (b *rowBuilder) url(v *value) string {
	text := b.text(v, "url", textRule{most: maxURL})
	if text != "" && !urlForm.MatchString(text) {
		b.fault(v.omit, "url", &Rejection{Column: v.column(), Reason: fmt.Sprintf("%q does not begin with https:// or http://, or has blanks", clip(text))})
		return ""
	}
	return text
}

func (b *rowBuilder) idColumn(r *nodeRule) string {
	if r.id == nil {
		return ""
	}
	return r.id.column()
}

// unlike says why two contents cannot be of one node, "" where they can.
func unlike(a, b *graph.Content) string {
	switch {
	case a.Form != b.Form:
		return fmt.Sprintf("is %s too", sortOf(a.Form).withArticle())
	case a.Kind != b.Kind && a.Kind != graph.KindUndecided && b.Kind != graph.KindUndecided:
		return fmt.Sprintf("is %s here, and %s", kindArticle(b.Kind), kindArticle(a.Kind))
	}
	return ""
}

// The largest angles, in degrees.
const (
	maxLatitude  = 90
	maxLongitude = 180
)

// angle reads an angle in degrees; nil where there is none.
func (b *rowBuilder) angle(v *value, most float64) (*float64, *Rejection) {
	text, _, bad := v.read(b.row)
	var n float64
	if bad == nil && text != "" {
		if n, bad = v.number(b.row, text); bad == nil && !(n >= -most && n <= most) {
			bad = &Rejection{Reason: fmt.Sprintf("%s is not a number of degrees from %g to %g", clip(text), -most, most)}
		}
	}
	if bad != nil {
		bad.Column = v.column()
		return nil, bad
	}
	if text == "" {
		return nil, nil
	}
	return &n, nil
}

func (b *rowBuilder) point(r *pointRule) *graph.Point {
	if r == nil || b.bad != nil {
		return nil
	}
	var at [2]*float64
	for i, axis := range []struct {
		what string
		v    *value
		most float64
	}{{"latitude", r.latitude, maxLatitude}, {"longitude", r.longitude, maxLongitude}} {
		var bad *Rejection
		if at[i], bad = b.angle(axis.v, axis.most); bad != nil {
			b.fault(r.omit || axis.v.omit, axis.what, bad)
			return nil
		}
	}
	switch {
	case at[0] == nil && at[1] == nil:
		return nil
	case at[0] == nil:
		b.fault(r.omit, "latitude", &Rejection{Column: r.latitude.column(), Reason: "is empty, and there is a longitude"})
		return nil
	case at[1] == nil:
		b.fault(r.omit, "longitude", &Rejection{Column: r.longitude.column(), Reason: "is empty, and there is a latitude"})
		return nil
	}
	return &graph.Point{Latitude: *at[0], Longitude: *at[1]}
}

// date works out the date of a row.
func (b *rowBuilder) date(d *dateRule, what string, nature graph.Nature) graph.Date {
	return dated(b.edtf(d, what, nature, graph.Stated), nature, graph.Stated, nil)
}

// dated is the date that edtf gave.
func dated(edtf string, nature graph.Nature, basis graph.DateBasis, published *graph.Day) graph.Date {
	var day graph.Day
	if published != nil {
		day = *published
	}
	date, _ := graph.ResolveDate(edtf, nature, basis, day, published != nil)
	return date
}

// edtf is a date of the row that can be resolved, "" where there is none, or
// none that will do.
func (b *rowBuilder) edtf(d *dateRule, what string, nature graph.Nature, basis graph.DateBasis) string {
	switch {
	case d == nil || b.bad != nil:
		return ""
	case d.on != nil:
		return b.onDay(d, what, nature, basis)
	}
	return b.between(d, what, nature, basis)
}

func (b *rowBuilder) onDay(d *dateRule, what string, nature graph.Nature, basis graph.DateBasis) string {
	text, bad := d.part(d.on, b.row)
	if bad == nil && text != "" {
		if _, err := misdated(text, nature, basis); err != nil {
			bad = &Rejection{Column: d.on.used(b.row), Reason: err.Error()}
		}
	}
	if bad != nil {
		b.fault(d.omit || d.on.omit, what, bad)
		return ""
	}
	return text
}

// between is a date with a start and an end. One of them that may be left out
// leaves the other as it is.
func (b *rowBuilder) between(d *dateRule, what string, nature graph.Nature, basis graph.DateBasis) string {
	values, parts := [2]*value{d.start, d.end}, [2]string{}
	for i, v := range values {
		if v == nil {
			continue
		}
		text, bad := d.part(v, b.row)
		if bad == nil && strings.Contains(text, "/") {
			bad = &Rejection{Column: v.used(b.row), Reason: fmt.Sprintf("%q is not a date: start and end are one each", clip(text))}
		}
		if bad == nil {
			parts[i] = text
		} else if b.fault(d.omit || v.omit, what, bad); !v.omit {
			return ""
		}
	}
	for parts != [2]string{} {
		text := parts[0] + "/" + parts[1]
		at, err := misdated(text, nature, basis)
		if err == nil {
			return text
		}
		if parts[at] == "" {
			at = 1 - at
		}
		b.fault(d.omit || values[at].omit, what, &Rejection{Column: values[at].used(b.row), Reason: err.Error()})
		if !values[at].omit {
			return ""
		}
		parts[at] = ""
	}
	return ""
}

// misdated says why a date will not do, and whether that is for its start (0)
// or its end (1).
func misdated(edtf string, nature graph.Nature, basis graph.DateBasis) (at int, err error) {
	if _, err = graph.ResolveDate(edtf, nature, basis, 0, false); err == nil {
		err = sentinel(edtf)
	}
	slash := strings.IndexByte(edtf, '/')
	if e, ok := errors.AsType[*graph.DateError](err); ok && slash >= 0 && e.Offset > slash {
		at = 1
	}
	return at, err
}

// part reads a date by the patterns.
func (d *dateRule) part(v *value, r *tableRow) (string, *Rejection) {
	given, _, bad := v.read(r)
	if bad != nil {
		return "", bad
	}
	if given = strings.TrimSpace(given); given == "" || given == ".." || len(d.patterns) == 0 {
		return given, nil
	}
	for _, p := range d.patterns {
		if edtf, ok := p.read(given); ok {
			return edtf, nil
		}
	}
	names := make([]string, len(d.patterns))
	for i, p := range d.patterns {
		names[i] = p.text
	}
	return "", &Rejection{Column: v.used(r), Reason: fmt.Sprintf("%q is not a date of the form %s", clip(given), orList(names))}
}

// used is the column that gave a row's value: that of the default, where it was
// taken.
func (v *value) used(r *tableRow) string {
	text, _, bad := v.text.fill(r)
	_, mapped := v.lookup[text]
	if bad == nil && !mapped && v.fallback.column() != "" && (text == "" || v.lookup != nil) {
		return v.fallback.column()
	}
	return v.column()
}

// sentinel finds a date that tables write for "never". The record has
// 0001-01-01 and 9999-12-31 for what is not bounded.
func sentinel(edtf string) error {
	at := 0
	for part := range strings.SplitSeq(edtf, "/") {
		day := strings.TrimRight(part, "~?%")
		switch {
		case strings.HasPrefix(day, "9999"):
			return &graph.DateError{Offset: at, Message: fmt.Sprintf("%s stands for no end here; map it to .. (open) or to nothing (unknown)", clip(day))}
		case day == "0001-01-01":
			return &graph.DateError{Offset: at, Message: fmt.Sprintf("%s stands for no beginning here; map it to .. (open) or to nothing (unknown)", day)}
		}
		at += len(part) + 1
	}
	return nil
}

// end is an entity of the row, "" where the mapping names none or it does not
// apply.
func (b *rowBuilder) end(r *nodeRule) string {
	if r == nil {
		return ""
	}
	return b.ids[r.index]
}

// relation makes a relation of a row.
func (b *rowBuilder) relation(rule *relationRule) {
	name := chosenIn(b, &rule.kind, "type", "")
	if b.bad == nil && name == "" {
		b.reject(rule.kind.value.column(), "type", "is empty, and a relation needs it")
	}
	if b.bad != nil {
		return
	}
	t := rule.types[name]
	r := &graph.Relation{
		Type: name, Source: b.end(rule.source), Target: b.end(rule.target), Status: chosenIn(b, &rule.status, "status", b.m.status),
		ClaimedBy: b.end(rule.claimedBy), AccreditedTo: b.end(rule.accreditedTo),
		SourceAs: b.text(rule.sourceAs, "sourceAs", lineRule), TargetAs: b.text(rule.targetAs, "targetAs", lineRule),
		Note: b.text(rule.note, "note", proseRule), CAMEO: b.text(rule.cameo, "cameo", lineRule),
		Quantity: b.number(rule.quantity, "quantity", -quantityLimit, quantityLimit), Unit: b.text(rule.unit, "unit", lineRule),
		Goldstein: b.number(rule.goldstein, "goldstein", -10, 10), Confidence: b.number(rule.confidence, "confidence", 0, 1),
	}
	switch {
	case r.Quantity == nil:
		r.Unit = ""
	case r.Unit == "":
		b.reject(rule.unit.column(), "unit", "is empty, and there is a quantity")
	}
	b.checkRelation(rule, r, t)
	for _, p := range rule.places {
		if id := b.end(p); id != "" && !slices.Contains(r.Places, id) {
			r.Places = append(r.Places, id)
		}
	}
	day, last := b.cite(rule, r)
	basis := chosenIn(b, &rule.basis, "dateBasis", b.m.basis)
	text := b.edtf(rule.date, "date", t.Nature, basis)
	if b.bad != nil {
		return
	}
	if basis == graph.Publication && text == "" {
		if last == nil {
			b.reject("", "dateBasis", "is PUBLICATION, but no source of the relation has a known day of publication")
			return
		}
		day = last
	}
	r.Date = dated(text, t.Nature, basis, day)
	if rule.id != nil {
		r.ID = b.id(rule.id, rule.what, true)
	} else {
		r.ID = graph.DerivedID(b.dataset, t, r.Source, r.Target, r.Date.EDTF, 0)
	}
	for _, other := range b.out.relations {
		if other.ID == r.ID && b.bad == nil {
			b.bad = &Rejection{Reason: fmt.Sprintf("id: two relations of the row have the id %s; give them ids that differ", r.ID)}
		}
	}
	for _, s := range b.out.nodes {
		if s.ID == r.ID && b.bad == nil {
			b.bad = &Rejection{Reason: fmt.Sprintf("id: %s is the id of %s of the row too", r.ID, sortOf(s.Content.Form).withArticle())}
		}
	}
	b.out.relations = append(b.out.relations, r)
}

func (b *rowBuilder) checkRelation(rule *relationRule, r *graph.Relation, t *graph.RelationType) {
	if b.bad != nil {
		return
	}
	if err := t.Allows(b.kinds[rule.source.index], b.kinds[rule.target.index]); err != nil {
		b.bad = &Rejection{Column: b.idColumn(rule.source), Reason: "type: " + err.Error()}
		return
	}
	if r.Source == r.Target && (t.Symmetric || t.Nature == graph.Standing) {
		b.bad = &Rejection{Column: b.idColumn(rule.target), Reason: fmt.Sprintf("target: %s is between two, but source and target are both %s", t.Name, r.Target)}
		return
	}
	for _, actor := range []struct {
		what string
		rule *nodeRule
	}{{"claimedBy", rule.claimedBy}, {"accreditedTo", rule.accreditedTo}} {
		if b.end(actor.rule) != "" && !b.kinds[actor.rule.index].Actor() {
			b.reject(b.idColumn(actor.rule), actor.what, "%s is %s, and no actor", b.end(actor.rule), kindArticle(b.kinds[actor.rule.index]))
		}
	}
	for _, p := range rule.places {
		if k := b.kinds[p.index]; b.end(p) != "" && !slices.Contains(placeKinds, k) {
			b.reject(b.idColumn(p), "places", noPlace, b.end(p), kindArticle(k))
		}
	}
	if r.CAMEO == "" {
		return
	}
	if bad := b.miscoded(r.CAMEO, t); bad != nil {
		bad.Column = rule.cameo.column()
		b.fault(rule.cameo.omit, "cameo", bad)
		r.CAMEO = ""
	}
}

// miscoded says why a CAMEO code is not one of a type.
func (b *rowBuilder) miscoded(code string, t *graph.RelationType) *Rejection {
	switch act, ok := b.vocab.ByCAMEO(code); {
	case !ok || !cameoForm.MatchString(code):
		return &Rejection{Reason: fmt.Sprintf("%q is no CAMEO code", clip(code))}
	case act.Name != t.Name:
		return &Rejection{Reason: fmt.Sprintf("the code %s stands for %s, not for %s", code, act.Name, t.Name)}
	}
	return nil
}

// cite adds the citations of a relation. It returns the day by which the newest
// source certainly was there, and the last day on which it may have appeared.
func (b *rowBuilder) cite(rule *relationRule, r *graph.Relation) (day, last *graph.Day) {
	for _, c := range rule.cited {
		id := b.end(c.source)
		if id == "" {
			continue
		}
		citation := graph.Citation{Source: id, Quote: b.text(c.quote, "quote", quoteRule)}
		if !slices.Contains(r.Citations, citation) {
			r.Citations = append(r.Citations, citation)
		}
		d := b.dates[c.source.index]
		if d == nil || d.EDTF == "" {
			continue
		}
		if d.Earliest > graph.MinDay && (day == nil || d.Earliest > *day) {
			day = &d.Earliest
		}
		if d.Latest < graph.MaxDay && (last == nil || d.Latest > *last) {
			last = &d.Latest
		}
	}
	return day, last
}
