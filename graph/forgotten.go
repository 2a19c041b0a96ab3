package graph

import (
	"context"
	"slices"
)

// Forgotten says which ids were forgotten. The nil one says that none was.
type Forgotten struct {
	salt   Salt
	roots  map[Hash]Tombstone
	others bool // there are tombstones of what went with the roots
}

// ReadForgotten reads what a store has forgotten.
func ReadForgotten(ctx context.Context, tx Reader) (*Forgotten, error) {
	held, err := tx.Held(ctx, &HeldQuery{Tombstones: &TombstoneQuery{Roots: true}})
	if err != nil {
		return nil, err
	}
	f := &Forgotten{salt: held.Tombstones.Salt, others: held.Tombstones.Others > 0, roots: map[Hash]Tombstone{}}
	for _, t := range held.Tombstones.List {
		f.roots[t.Key] = t
	}
	return f, nil
}

// Nothing reports that nothing was forgotten.
func (f *Forgotten) Nothing() bool { return f == nil || len(f.roots) == 0 && !f.others }

// Root reports whether an id was asked to be forgotten.
func (f *Forgotten) Root(id string) bool {
	if f.Nothing() || id == "" {
		return false
	}
	_, is := f.roots[f.salt.Key(id)]
	return is
}

// Find gives the tombstones, of whatever kind, that some ids have.
func (f *Forgotten) Find(ctx context.Context, store Store, ids []string) (map[string]Tombstone, error) {
	out := map[string]Tombstone{}
	if f.Nothing() {
		return out, nil
	}
	of := make(map[Hash]string, len(ids))
	keys := make([]Hash, 0, len(ids))
	for _, id := range ids {
		key := f.salt.Key(id)
		if t, root := f.roots[key]; root {
			out[id] = t
		} else if _, asked := of[key]; !asked {
			of[key] = id
			keys = append(keys, key)
		}
	}
	if !f.others || len(keys) == 0 {
		return out, nil
	}
	err := store.Read(ctx, func(tx Reader) error {
		held, err := tx.Held(ctx, &HeldQuery{Tombstones: &TombstoneQuery{Keys: keys}})
		if err != nil {
			return err
		}
		for _, t := range held.Tombstones.List {
			out[of[t.Key]] = t
		}
		return nil
	})
	return out, err
}

// tombstone is one for what names a root.
func (f *Forgotten) tombstone(id string, form Form, at Instant, naming func(is func(string) bool) bool) Tombstone {
	t := Tombstone{Key: f.salt.Key(id), Form: form, At: at, Done: true}
	naming(func(id string) bool {
		if !f.Root(id) {
			return false
		}
		t.Of = f.salt.Key(id)
		return true
	})
	return t
}

// fallen are those of some ids that have a tombstone.
func (r *Recorder) fallen(ctx context.Context, ids []string) (map[string]bool, error) {
	found, err := r.forgotten.Find(ctx, r.store, ids)
	out := make(map[string]bool, len(found))
	for id := range found {
		out[id] = true
	}
	return out, err
}

// leaveOut takes out of a portion what was forgotten, and what names it.
func (r *Recorder) leaveOut(ctx context.Context, p *portion) (err error) {
	if r.forgotten.Nothing() {
		return nil
	}
	count := func(before int, counted *Tally) {
		if counted != nil && p.also.LeftOut != nil {
			*p.also.LeftOut += r.report.Forgotten - before
		}
	}
	before := r.report.Forgotten
	if p.statements, err = r.keepStatements(ctx, p.statements); err != nil {
		return err
	}
	count(before, p.also.Statements)
	before = r.report.Forgotten
	p.relations, err = r.keepRelations(ctx, p.relations)
	count(before, p.also.Relations)
	return err
}

// keepStatements leaves out what was forgotten, and takes it out of events.
// An event goes as it does from the record: see [Erased].
func (r *Recorder) keepStatements(ctx context.Context, statements []Statement) ([]Statement, error) {
	f := r.forgotten
	if f.Nothing() {
		return statements, nil
	}
	ids := make([]string, len(statements))
	for i := range statements {
		ids[i] = statements[i].ID
	}
	fallen, err := r.fallen(ctx, ids)
	if err != nil {
		return nil, err
	}
	var events []string // that name a root
	for i := range statements {
		s := &statements[i]
		switch {
		case !fallen[s.ID]:
			if s.Content.Form == FormEvent && s.Content.Naming(f.Root) {
				events = append(events, s.ID)
			}
		case s.Content.Form == FormEntity:
			r.learnNames(s)
		}
	}
	stands, recorded := map[string]bool{}, map[string]bool{}
	if len(events) > 0 {
		held, err := r.held(ctx, &HeldQuery{Nodes: events})
		if err != nil {
			return nil, err
		}
		for id, said := range held.Statements {
			stands[id] = slices.ContainsFunc(said, func(s Statement) bool { return s.SupersededAt == 0 })
			recorded[id] = len(said) > 0
		}
	}
	var marks []Tombstone
	var buried []string
	kept := make([]Statement, 0, len(statements))
	for _, s := range statements {
		c := &s.Content
		out := fallen[s.ID]
		switch {
		case out || c.Form != FormIdentity && c.Form != FormEvent || !c.Naming(f.Root):
		case c.Form == FormIdentity:
			out = true
		default:
			after := c.without(f.Root)
			left := map[string]bool{}
			for _, p := range after.Participants {
				left[p.Entity] = true
			}
			lost := len(after.Participants) < len(c.Participants)
			if out = r.namedAfter(c) || lost && len(left) < leastParticipants && !stands[s.ID]; out && !recorded[s.ID] {
				marks = append(marks, f.tombstone(s.ID, FormEvent, r.at, c.Naming))
				buried = append(buried, s.ID)
			}
			s.Content = after
		}
		if out {
			r.report.Forgotten++
		} else {
			kept = append(kept, s)
		}
	}
	return kept, r.bury(ctx, marks, buried)
}

// learnNames notes what a forgotten entity is called.
func (r *Recorder) learnNames(s *Statement) {
	n := r.names[s.ID]
	if n == nil {
		n = &names{}
		if r.names == nil {
			r.names = map[string]*names{}
		}
		r.names[s.ID] = n
	}
	n.addContent(&s.Content)
}

// namedAfter reports whether the name of an event holds that of something
// forgotten which it names. That of others is free text, as it is for an erasure.
func (r *Recorder) namedAfter(c *Content) bool {
	return c.Naming(func(id string) bool { return r.names[id] != nil && r.names[id].inEvent(c.Name) })
}

// keepRelations leaves out relations that name what was forgotten, or that were
// erased with it, and takes both out of what others are about.
func (r *Recorder) keepRelations(ctx context.Context, relations []*Relation) ([]*Relation, error) {
	f := r.forgotten
	if f.Nothing() {
		return relations, nil
	}
	named := map[string]bool{}
	root := func(id string) bool {
		is, known := named[id]
		if !known {
			is = f.Root(id)
			named[id] = is
		}
		return is
	}
	var ids []string
	for _, rel := range relations {
		if !r.edition.Keyed { // else the same id has the same ends
			ids = append(ids, rel.ID)
		}
		ids = append(ids, rel.About...)
		if rel.Event != "" {
			ids = append(ids, rel.Event)
		}
	}
	fallen, err := r.fallen(ctx, ids)
	if err != nil {
		return nil, err
	}
	var naming []string
	for _, rel := range relations {
		if !r.edition.Keyed && !fallen[rel.ID] && rel.names(root) {
			naming = append(naming, rel.ID)
		}
	}
	recorded, err := r.recorded(ctx, naming)
	if err != nil {
		return nil, err
	}
	var marks []Tombstone
	var buried []string
	kept := make([]*Relation, 0, len(relations))
	for _, rel := range relations {
		switch naming := rel.names(root); {
		case naming && !fallen[rel.ID] && !r.edition.Keyed && !recorded[rel.ID]:
			marks = append(marks, f.tombstone(rel.ID, "", r.at, rel.names))
			buried = append(buried, rel.ID)
			fallen[rel.ID] = true
			fallthrough
		case naming, fallen[rel.ID]:
			r.report.Forgotten++
		default:
			kept = append(kept, rel)
		}
	}
	for i, rel := range kept {
		kept[i], _ = rel.without(func(id string) bool { return fallen[id] || root(id) })
	}
	return kept, r.bury(ctx, marks, buried)
}

// recorded are those of some ids under which there is a version of a relation:
// what names something forgotten under such an id is left out, and what the
// record has stays open to corrections.
func (r *Recorder) recorded(ctx context.Context, ids []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(ids) == 0 {
		return out, nil
	}
	held, err := r.held(ctx, &HeldQuery{Relations: ids, History: true})
	if err != nil {
		return nil, err
	}
	for id, versions := range held.Versions {
		out[id] = len(versions) > 0
	}
	return out, nil
}

// bury writes tombstones of what a load would have brought. What was recorded
// before, and is about it, is no longer.
func (r *Recorder) bury(ctx context.Context, marks []Tombstone, ids []string) error {
	if len(marks) == 0 || r.opts.DryRun {
		return nil
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	r.forgotten.others = true
	about, err := r.standing(ctx, AnchorAbout, ids)
	if err != nil {
		return err
	}
	e := &Erasure{Tombstones: marks}
	for _, rel := range about {
		after, _ := rel.without(func(id string) bool { return slices.Contains(ids, id) })
		e.Rewritten = append(e.Rewritten, rewritten(rel, after))
	}
	return r.store.Apply(ctx, &Batch{Lease: r.lease.token, Erase: e})
}

// standing are the relations that stand and are about some ids, or belong to them.
func (r *Recorder) standing(ctx context.Context, anchor Anchor, ids []string) ([]*Relation, error) {
	var out []*Relation
	seen := map[string]bool{}
	// ask adds a page of each id, and returns where long ones go on.
	ask := func(ids []string, after *Key) (more map[string]Key, err error) {
		q := &RelationQuery{Anchor: anchor, IDs: ids, Order: NewestFirst, After: after, Limit: r.opts.BatchSize, Detail: true}
		var pages []RelationPage
		err = r.store.Read(ctx, func(tx Reader) error {
			pages, err = tx.Relations(ctx, q)
			return err
		})
		more = map[string]Key{}
		for _, p := range pages {
			for _, rel := range p.Rows {
				if !seen[rel.ID] {
					seen[rel.ID] = true
					out = append(out, rel)
				}
			}
			if n := len(p.Rows); n == q.Limit {
				more[p.Anchor] = p.Rows[n-1].Key()
			}
		}
		return more, err
	}
	for part := range slices.Chunk(ids, r.opts.BatchSize) {
		long, err := ask(part, nil)
		if err != nil {
			return nil, err
		}
		for id, key := range long {
			for going := true; going; {
				more, err := ask([]string{id}, &key)
				if err != nil {
					return nil, err
				}
				key, going = more[id]
			}
		}
	}
	return out, nil
}
