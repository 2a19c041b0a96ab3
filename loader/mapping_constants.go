package loader

import (
	"slices"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
)

// What a mapping says itself, in place of a column, is checked with the mapping: it
// is wrong in whatever row it stands for, and would cost that row.

// constants are the texts that a value has without any column: its own, those of
// its map and its default.
func (v *value) constants() (out []*value) {
	if v == nil {
		return nil
	}
	texts := []template{v.fallback}
	if v.lookup == nil {
		texts = append(texts, v.text)
	}
	for _, text := range v.lookup {
		texts = append(texts, text)
	}
	for _, text := range texts {
		if constant, ok := text.constant(); ok && constant != "" {
			out = append(out, &value{node: v.node, text: text})
		}
	}
	slices.SortFunc(out, func(a, b *value) int { // the map has no order
		x, _ := a.text.constant()
		y, _ := b.text.constant()
		return compareNames(x, y)
	})
	return out
}

// constant reports whether a value is the same in all rows.
func (v *value) constant() bool {
	if v == nil || v.lookup != nil {
		return v == nil
	}
	text, ok := v.text.constant()
	return ok && text != ""
}

// tried says what is wrong with something that rows need not be known for, "" if
// nothing is.
func (p *mappingParser) tried(try func(b *rowBuilder)) string {
	b := &rowBuilder{m: p.m, vocab: p.vocab, row: &tableRow{form: &p.m.form}, out: &rowThings{}}
	try(b)
	if b.bad != nil {
		return b.bad.Reason
	}
	return ""
}

// each tries the constants of a value, and reports the first mistake.
func (p *mappingParser) each(v *value, try func(b *rowBuilder, v *value)) {
	for _, c := range v.constants() {
		if why := p.tried(func(b *rowBuilder) { try(b, c) }); why != "" {
			p.fail(v.node, "%s", why)
			return
		}
	}
}

// degrees tries an angle.
func (b *rowBuilder) degrees(v *value, what string, most float64) {
	if _, bad := b.angle(v, most); bad != nil {
		b.fault(false, what, bad)
	}
}

func (p *mappingParser) numbers(v *value, what string, least, most float64) {
	p.each(v, func(b *rowBuilder, v *value) { b.number(v, what, least, most) })
}

// dates tries what a date has of constants, alone and together. Of several natures
// one must do.
func (p *mappingParser) dates(d *dateRule, what string, basis graph.DateBasis, natures ...graph.Nature) {
	if d == nil || len(natures) == 0 {
		return
	}
	before := len(p.problems)
	for _, v := range []*value{d.on, d.start, d.end} {
		p.each(v, func(b *rowBuilder, v *value) {
			text, bad := d.part(v, b.row)
			if bad == nil && text != "" && text != ".." {
				if _, err := misdated(text, graph.Standing, graph.Stated); err != nil {
					bad = &Rejection{Reason: err.Error()}
				}
			}
			if bad != nil {
				b.fault(false, what, bad)
			}
		})
	}
	if len(p.problems) > before || !d.on.constant() || !d.start.constant() || !d.end.constant() {
		return
	}
	why := ""
	for _, nature := range natures {
		if why = p.tried(func(b *rowBuilder) { b.edtf(d, what, nature, basis) }); why == "" {
			return
		}
	}
	p.fail(d.node, "%s", why)
}

// nodeConstants finds fault with the constants of an entity or a source.
func (p *mappingParser) nodeConstants(r *nodeRule) {
	what := "date"
	if r.form == graph.FormSource {
		what = "published"
	}
	p.dates(r.date, what, graph.Stated, r.form.DateNature())
	p.each(r.url, func(b *rowBuilder, v *value) { b.url(v) })
	if r.point != nil {
		p.each(r.point.latitude, func(b *rowBuilder, v *value) { b.degrees(v, "latitude", maxLatitude) })
		p.each(r.point.longitude, func(b *rowBuilder, v *value) { b.degrees(v, "longitude", maxLongitude) })
	}
}

// relationConstants finds fault with the constants of a relation, and with ends that
// cannot be of a kind that will do.
func (p *mappingParser) relationConstants(r *relationRule, o *object) {
	p.numbers(r.quantity, "quantity", -quantityLimit, quantityLimit)
	p.numbers(r.goldstein, "goldstein", -10, 10)
	p.numbers(r.confidence, "confidence", 0, 1)
	var types []*graph.RelationType
	var natures []graph.Nature
	for _, name := range r.kind.possible {
		if t := r.types[name]; t != nil {
			types = append(types, t)
			if !slices.Contains(natures, t.Nature) {
				natures = append(natures, t.Nature)
			}
		}
	}
	if len(types) > 0 {
		p.each(r.cameo, func(b *rowBuilder, v *value) {
			code := b.text(v, "cameo", lineRule)
			var bad *Rejection
			for _, t := range types {
				if bad = b.miscoded(code, t); bad == nil {
					return
				}
			}
			b.fault(false, "cameo", bad)
		})
	}
	basis := p.m.basis
	if r.basis.value != nil {
		basis = graph.Stated // which takes any date
		if len(r.basis.possible) == 1 {
			basis = r.basis.possible[0]
		}
	}
	p.dates(r.date, "date", basis, natures...)
	never := func(rule *nodeRule, fitting []graph.Kind, at *yaml.Node, format string) {
		fits := func(k graph.Kind) bool { return slices.Contains(fitting, k) }
		if rule != nil && len(rule.kind.possible) > 0 && !slices.ContainsFunc(rule.kind.possible, fits) {
			p.fail(at, format, rule.handle, kindArticle(rule.kind.possible[0]))
		}
	}
	never(r.claimedBy, actorKinds, o.keys["claimedBy"], noClaimant)
	never(r.accreditedTo, actorKinds, o.keys["accreditedTo"], noEnvoyTo)
	if places := o.list("places"); len(places) == len(r.places) {
		for i, place := range r.places {
			never(place, placeKinds, places[i], noPlace)
		}
	}
}
