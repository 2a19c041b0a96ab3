package graph

import (
	"context"
	"slices"
)

// forgottenRecord is what a load knows of what was forgotten, so that it does
// not bring it back.
type forgottenRecord struct {
	salt   Salt
	roots  map[Hash]bool
	others bool  // there are tombstones of what went with the roots
	names  names // of forgotten entities, as far as this edition states them
}

func (f *forgottenRecord) begin(ctx context.Context, tx Reader) error {
	held, err := tx.Held(ctx, &HeldQuery{Tombstones: &TombstoneQuery{Roots: true}})
	if err != nil {
		return err
	}
	f.salt, f.others = held.Tombstones.Salt, held.Tombstones.Others > 0
	f.roots = make(map[Hash]bool, len(held.Tombstones.List))
	for _, t := range held.Tombstones.List {
		f.roots[t.Key] = true
	}
	return nil
}

// nothing says that nothing is forgotten.
func (f *forgottenRecord) nothing() bool { return len(f.roots) == 0 && !f.others }

// root reports whether an id was asked to be forgotten.
func (f *forgottenRecord) root(id string) bool { return id != "" && f.roots[f.salt.Key(id)] }

// tombstone is one for what names a root.
func (f *forgottenRecord) tombstone(id string, form Form, at Instant, naming func(is func(string) bool) bool) Tombstone {
	t := Tombstone{Key: f.salt.Key(id), Form: form, At: at, Done: true}
	naming(func(id string) bool {
		if id != "" && f.roots[f.salt.Key(id)] {
			t.Of = f.salt.Key(id)
			return true
		}
		return false
	})
	return t
}

// fallen are those of some ids that have a tombstone of whatever kind.
func (r *Recorder) fallen(ctx context.Context, ids []string) (map[string]bool, error) {
	f := &r.forgotten
	out := make(map[string]bool)
	of := make(map[Hash]string, len(ids))
	keys := make([]Hash, 0, len(ids))
	for _, id := range ids {
		key := f.salt.Key(id)
		if f.roots[key] {
			out[id] = true
		} else if of[key] == "" {
			of[key] = id
			keys = append(keys, key)
		}
	}
	if !f.others || len(keys) == 0 {
		return out, nil
	}
	known, err := r.tombstones(ctx, &TombstoneQuery{Keys: keys})
	if err != nil {
		return nil, err
	}
	for _, t := range known.List {
		out[of[t.Key]] = true
	}
	return out, nil
}

// keepStatements leaves out what was forgotten, and takes it out of events.
// An event goes as it does from the record: see [Erased].
func (r *Recorder) keepStatements(ctx context.Context, statements []Statement) ([]Statement, error) {
	f := &r.forgotten
	if f.nothing() {
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
			if s.Content.Form == FormEvent && s.Content.Naming(f.root) {
				events = append(events, s.ID)
			}
		case s.Content.Form == FormEntity:
			f.names.add(s.Content.Name)
			for _, alias := range s.Content.Aliases {
				f.names.add(alias)
			}
		}
	}
	stands := map[string]bool{}
	if len(events) > 0 {
		held, err := r.held(ctx, &HeldQuery{Nodes: events})
		if err != nil {
			return nil, err
		}
		for id, said := range held.Statements {
			stands[id] = slices.ContainsFunc(said, func(s Statement) bool { return s.SupersededAt == 0 })
		}
	}
	var marks []Tombstone
	var buried []string
	kept := make([]Statement, 0, len(statements))
	for _, s := range statements {
		c := &s.Content
		out := fallen[s.ID]
		switch {
		case out || c.Form != FormIdentity && c.Form != FormEvent || !c.Naming(f.root):
		case c.Form == FormIdentity:
			out = true
		default:
			after := c.without(f.root)
			left := map[string]bool{}
			for _, p := range after.Participants {
				left[p.Entity] = true
			}
			lost := len(after.Participants) < len(c.Participants)
			if out = f.names.in(c.Name) || lost && len(left) < leastParticipants && !stands[s.ID]; out && !stands[s.ID] {
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

// keepRelations leaves out relations that name what was forgotten, or that were
// erased with it, and takes both out of what others are about.
func (r *Recorder) keepRelations(ctx context.Context, relations []*Relation) ([]*Relation, error) {
	f := &r.forgotten
	if f.nothing() {
		return relations, nil
	}
	named := map[string]bool{}
	root := func(id string) bool {
		is, known := named[id]
		if !known {
			is = f.root(id)
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
	var marks []Tombstone
	var buried []string
	kept := make([]*Relation, 0, len(relations))
	for _, rel := range relations {
		switch naming := rel.names(root); {
		case naming && !fallen[rel.ID] && !r.edition.Keyed:
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

// bury writes tombstones of what a load would have brought. What was recorded
// before, and is about it, is no longer.
func (r *Recorder) bury(ctx context.Context, marks []Tombstone, ids []string) error {
	if len(marks) == 0 || r.opts.DryRun {
		return nil
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
