package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"chancery/graph"
)

// resolver looks up what files refer to: first in the file itself, then in the
// files loaded with it, then in the store.
type resolver struct {
	docs     []*document
	targets  map[string]*target // by id, of all files and of the store
	datasets map[string]bool    // being loaded
}

// resolve finishes the documents: references become ids, and what can be
// checked only then is checked. Problems go to the documents.
func resolve(ctx context.Context, store graph.Store, docs []*document) error {
	r := &resolver{docs: docs, targets: map[string]*target{}, datasets: map[string]bool{}}
	for i, d := range docs {
		d.number = i
		r.datasets[d.edition.Dataset] = true
		for _, it := range d.items {
			if first := r.targets[it.id]; first != nil && first.sort != it.sort {
				d.fail(it.at, "the id %s is %s in %s", it.id, article(first.sort), first.item.relationFile(docs))
				continue
			}
			if r.targets[it.id] == nil {
				r.targets[it.id] = targetOf(d, it)
			}
		}
	}
	if err := r.fetch(ctx, store); err != nil {
		return err
	}
	for _, d := range docs {
		for _, ref := range d.references {
			r.find(ref)
		}
	}
	for _, d := range docs {
		for _, it := range d.items {
			if it.sort == sortEvent {
				finishEvent(it)
			}
		}
		for _, rel := range d.relations {
			r.finish(d, rel)
		}
		d.derive()
		d.cycles()
	}
	return nil
}

// relationFile names the file that has the item.
func (it *item) relationFile(docs []*document) string {
	for _, d := range docs {
		if d.ids[it.id] == it {
			return d.file
		}
	}
	return "another file"
}

func targetOf(d *document, it *item) *target {
	t := &target{id: it.id, sort: it.sort, item: it, doc: d}
	if it.content != nil {
		t.kind = it.content.Kind
		if it.sort == sortSource {
			t.published = publishedOn(&it.content.Date)
		}
	}
	return t
}

// publishedOn is the day by which a source was published, where one is known.
func publishedOn(date *graph.Date) *graph.Day {
	if date.EDTF == "" || date.Latest == graph.MaxDay {
		return nil
	}
	day := date.Latest
	return &day
}

// fetch reads from the store what the files refer to and do not hold, and of
// the entities that they do hold what the store knows beyond them.
func (r *resolver) fetch(ctx context.Context, store graph.Store) error {
	var ids []string
	want := map[string]bool{}
	for _, d := range r.docs {
		for _, ref := range d.references {
			if d.local(ref) == nil && r.targets[ref.text] == nil && !want[ref.text] {
				want[ref.text] = true
				ids = append(ids, ref.text)
			}
		}
		for _, it := range d.items {
			if it.sort == sortEntity && it.content.Kind == graph.KindUndecided && !want[it.id] {
				want[it.id] = true
				ids = append(ids, it.id)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return store.Read(ctx, func(tx graph.Reader) error {
		nodes, err := tx.Nodes(ctx, ids, true)
		if err != nil {
			return err
		}
		for id, n := range nodes {
			if known := r.targets[id]; known != nil {
				known.kind = n.Kind // another data set may have decided
				continue
			}
			// What only earlier editions of these data sets say is gone with them.
			if !slices.ContainsFunc(n.Datasets, func(name string) bool { return !r.datasets[name] }) {
				continue
			}
			t := &target{id: id, kind: n.Kind, sort: sortEntity}
			switch n.Form {
			case graph.FormEvent:
				t.sort = sortEvent
			case graph.FormSource:
				t.sort, t.published = sortSource, publishedOn(&n.Date)
			}
			r.targets[id] = t
		}
		held, err := tx.Held(ctx, &graph.HeldQuery{Relations: ids})
		if err != nil {
			return err
		}
		for id, e := range held.Relations {
			if !r.datasets[e.Dataset] {
				r.targets[id] = &target{id: id, sort: sortRelation, source: e.Source}
			}
		}
		return nil
	})
}

// local is what a reference leads to in its own file.
func (d *document) local(ref *reference) *item {
	for _, s := range ref.sorts {
		if it := d.handles[s][ref.text]; it != nil {
			return it
		}
	}
	if it := d.ids[ref.text]; it != nil {
		return it
	}
	return nil
}

// find looks a reference up.
func (r *resolver) find(ref *reference) {
	d := ref.doc
	if it := d.local(ref); it != nil {
		ref.found = r.targets[it.id]
	} else {
		ref.found = r.targets[ref.text]
	}
	wanted := make([]string, len(ref.sorts))
	for i, s := range ref.sorts {
		wanted[i] = string(s)
	}
	switch {
	case ref.found == nil:
		var known []string
		for _, s := range ref.sorts {
			for handle := range d.handles[s] {
				known = append(known, handle)
			}
		}
		slices.Sort(known)
		hint := ""
		if near := graph.NearestWords(ref.text, known, 2); len(near) > 0 {
			hint = "; did you mean " + strings.Join(near, " or ") + "?"
		}
		d.fail(ref.at, "there is no %s %q, neither in this file nor in the store%s", strings.Join(wanted, " or "), ref.text, hint)
	case !slices.Contains(ref.sorts, ref.found.sort):
		d.fail(ref.at, "%q is %s; what is wanted here is %s", ref.text, article(ref.found.sort), articles(ref.sorts))
		ref.found = nil
	case ref.found.doc != nil && ref.found.doc.number > d.number:
		d.fail(ref.at, "%q is in %s, which is loaded after this file; name it first", ref.text, ref.found.doc.file)
	}
}

func articles(sorts []sort) string {
	words := make([]string, len(sorts))
	for i, s := range sorts {
		words[i] = article(s)
	}
	return strings.Join(words, " or ")
}

func (ref *reference) id() string {
	if ref == nil || ref.found == nil {
		return ""
	}
	return ref.found.id
}

func idsOf(refs []*reference) []string {
	var ids []string
	for _, ref := range refs {
		if id := ref.id(); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func finishEvent(it *item) {
	it.content.Places = idsOf(it.relation.places)
	for i, who := range it.relation.about {
		it.content.Participants[i].Entity = who.id()
	}
}

// finish turns the references of a relation into ids, works out its date, and
// checks it against the vocabulary.
func (r *resolver) finish(d *document, rel *relationItem) {
	rel.Source, rel.Target = rel.source.id(), rel.target.id()
	if rel.target == nil && len(rel.about) > 0 && rel.keys["target"] == nil {
		rel.Target = d.addressee(rel)
	}
	rel.ClaimedBy, rel.AccreditedTo, rel.Event = rel.claimedBy.id(), rel.accreditedTo.id(), rel.event.id()
	rel.About, rel.Places = idsOf(rel.about), idsOf(rel.places)
	var newest *graph.Day
	for _, c := range rel.citations {
		if c.source.id() == "" {
			continue
		}
		rel.Citations = append(rel.Citations, graph.Citation{Source: c.source.id(), Quote: c.quote})
		if p := c.source.found.published; p != nil && (newest == nil || *p > *newest) {
			newest = p
		}
	}
	if rel.typ == nil {
		return
	}
	rel.Date = rel.date("date", rel.typ.Nature, rel.basis, newest)
	if rel.basis == graph.Publication && rel.Date.EDTF == "" && rel.keys["date"] == nil {
		d.fail(rel.node, "with dateBasis PUBLICATION and no date, a source with a day of publication is needed")
	}
	source, target := r.targets[rel.Source], r.targets[rel.Target]
	if source == nil || target == nil || source.kind == "" || target.kind == "" {
		return
	}
	if err := rel.typ.Allows(source.kind, target.kind); err != nil {
		at := rel.keys["source"]
		if slices.Contains(rel.typ.Sources, source.kind) || at == nil {
			if at = rel.keys["target"]; at == nil {
				at = rel.keys["type"]
			}
		}
		d.fail(at, "%v", err)
	}
	if rel.typ.Symmetric && rel.Source == rel.Target {
		d.fail(rel.keys["target"], "%s is of two; source and target are both %s", rel.Type, rel.Source)
	}
	for _, p := range rel.places {
		if t := p.found; t != nil && t.kind != "" && t.kind.Actor() && t.kind != graph.KindState && t.kind != graph.KindUndecided {
			d.fail(p.at, "%s is a %s; a place is a Place, a Facility or a State", p.text, kindWord(t.kind))
		}
	}
}

// addressee is the target of an act that names none: the source of the first
// relation that it is about.
func (d *document) addressee(rel *relationItem) string {
	first := rel.about[0]
	if first.found == nil {
		return ""
	}
	if first.found.sort == sortEvent {
		d.fail(rel.node, "the relation has no target, and %q, which it is about first, is an event: say whom it addresses", first.text)
		return ""
	}
	if it := first.found.item; it != nil {
		return it.relation.source.id()
	}
	return first.found.source
}

// derive gives relations without an id the one that follows from what they say.
func (d *document) derive() {
	ordinals := map[string]int{}
	for _, rel := range d.relations {
		if rel.given || rel.typ == nil {
			continue
		}
		first := graph.DerivedID(d.edition.Dataset, rel.typ, rel.Source, rel.Target, rel.Date.EDTF, 0)
		n := ordinals[first]
		ordinals[first]++
		rel.ID = graph.DerivedID(d.edition.Dataset, rel.typ, rel.Source, rel.Target, rel.Date.EDTF, n)
	}
}

// cycles finds acts that are about themselves, be it over others.
func (d *document) cycles() {
	const (
		open = 1
		done = 2
	)
	byID := make(map[string]*relationItem, len(d.relations))
	for _, rel := range d.relations {
		byID[rel.ID] = rel
	}
	state := map[string]int{}
	var visit func(rel *relationItem)
	visit = func(rel *relationItem) {
		state[rel.ID] = open
		for i, id := range rel.About {
			next := byID[id]
			if next == nil {
				continue
			}
			switch state[id] {
			case open:
				d.fail(rel.about[min(i, len(rel.about)-1)].at, "%s is about itself, over what it is about", fmt.Sprintf("%q", id))
			case 0:
				visit(next)
			}
		}
		state[rel.ID] = done
	}
	for _, rel := range d.relations {
		if len(rel.About) > 0 && state[rel.ID] == 0 {
			visit(rel)
		}
	}
}
