package graph

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// ForgetOptions are the circumstances of an erasure. Now and Random are required.
type ForgetOptions struct {
	RecorderOptions
	// Random gives the salt of a store that has none.
	Random io.Reader
	// Identity forgets all ids that are judged to be the same entity as one
	// that is given.
	Identity bool
}

// Erased says what an erasure took out of the record, or would take out.
type Erased struct {
	DryRun bool
	IDs    []ErasedID // as given, and those of the same identities
	// Entities, Events and Sources count nodes that went. Events went with an
	// entity where fewer than two participants were left, or where their names
	// held its name.
	Entities, Events, Sources int
	// Statements counts the versions of what data sets said of these nodes.
	Statements int
	Relations  int // that no longer stand
	Versions   int // of relations that went, former ones too
	Judgements int
	// Rewritten counts versions of relations and of statements about events
	// that stay, without what they said of it.
	Rewritten int
	// Mentions are free texts that hold a name and were left as they are, as
	// many as fit in [MaxMentions]; MentionCount counts them all.
	Mentions     []Mention
	MentionCount int
}

// ErasedID is one id with what was under it.
type ErasedID struct {
	ID   string
	Form Form
	// Before says that it was forgotten before, and nothing was left to erase.
	Before bool
}

// Mention is a place in the record where free text holds a name of what was
// forgotten.
type Mention struct {
	ID      string // of a node, relation or judgement; of a data set for its name ("dataset") and title
	Dataset string
	Field   string
}

// MaxMentions bounds the mentions that are listed.
const MaxMentions = 1000

// SameError says that an id is judged to be the same entity as others, which
// were not named.
type SameError struct {
	ID     string
	Others []string
}

func (e *SameError) Error() string {
	return fmt.Sprintf("%s is judged to be the same entity as %s: forget them together, or take that judgement back first", e.ID, strings.Join(e.Others, ", "))
}

// Forget erases entities, events and sources, everything that names them, in
// all versions, and leaves tombstones, so that no load brings them back. It
// holds the lease like a load. An erasure that is interrupted is finished by
// forgetting the same ids again; until then no load brings back what is gone.
func Forget(ctx context.Context, store Store, ids []string, o ForgetOptions) (*Erased, error) {
	o.BatchSize = cmp.Or(max(o.BatchSize, 0), defaultBatchSize)
	e := &eraser{r: &Recorder{store: store, opts: o.RecorderOptions, priority: map[string]int{}}, o: o,
		roots: map[string]Tombstone{}, pretended: map[Hash]bool{}, counted: map[Hash]bool{}, out: &Erased{DryRun: o.DryRun}}
	if !o.DryRun {
		lease, err := e.r.acquire(ctx)
		if err != nil {
			return nil, err
		}
		defer e.r.Abort(context.WithoutCancel(ctx))
		e.r.at = lease.LastRecorded // an erasure is no edition
	}
	if err := e.look(ctx, ids); err != nil {
		return nil, err
	}
	if len(e.roots) == 0 {
		return e.out, nil
	}
	for _, step := range []func(context.Context) error{e.begin, e.relations, e.statements, e.former, e.regroup, e.mentions, e.end} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return e.out, nil
}

// Unforget takes the tombstones of ids away, so that the next load may bring
// them back. Nothing that was erased returns by it. The result are the ids
// that had none.
func Unforget(ctx context.Context, store Store, ids []string, o RecorderOptions) (unknown []string, err error) {
	r := &Recorder{store: store, opts: o}
	if _, err := r.acquire(ctx); err != nil {
		return nil, err
	}
	defer r.Abort(context.WithoutCancel(ctx))
	known, err := r.tombstones(ctx, &TombstoneQuery{Roots: true})
	if err != nil {
		return nil, err
	}
	batch := &Batch{Lease: r.lease.token, Erase: &Erasure{}, Doubted: true}
	for _, id := range ids {
		key := known.Salt.Key(id)
		at := slices.IndexFunc(known.List, func(t Tombstone) bool { return t.Key == key })
		switch {
		case len(known.Salt) == 0 || at < 0:
			unknown = append(unknown, id)
		case !known.List[at].Done:
			return nil, fmt.Errorf("the erasure of %s was interrupted; finish it first: forget it again", id)
		default:
			batch.Erase.Lifted = append(batch.Erase.Lifted, key)
		}
	}
	if len(unknown) > 0 || len(batch.Erase.Lifted) == 0 {
		return unknown, nil
	}
	return nil, store.Apply(ctx, batch)
}

func (r *Recorder) tombstones(ctx context.Context, q *TombstoneQuery) (*Tombstones, error) {
	held, err := r.held(ctx, &HeldQuery{Tombstones: q})
	if err != nil {
		return nil, err
	}
	return &held.Tombstones, nil
}

// eraser erases. It writes by the lease and the batches of a Recorder that
// records nothing.
type eraser struct {
	r     *Recorder
	o     ForgetOptions
	out   *Erased
	salt  Salt
	fresh bool                 // the salt is not in the store yet
	roots map[string]Tombstone // of the ids to be forgotten
	gone  []Tombstone          // of ids that an attempt before has erased, but not their tombstones' end
	names names
	// pretended are the keys of what would be erased, in a dry run.
	pretended map[Hash]bool
	// counted is what was counted already, by keys: versions that are
	// rewritten, and mentions; in a dry run events and judgements too.
	counted map[Hash]bool
}

func (e *eraser) root(id string) bool {
	_, is := e.roots[id]
	return is
}

// look finds out what stands under the ids, and refuses what cannot be forgotten.
func (e *eraser) look(ctx context.Context, given []string) error {
	ids := distinctIDs(given)
	var held *Held
	var known Tombstones
	err := e.r.store.Read(ctx, func(tx Reader) error {
		e.r.vocab = tx.Vocabulary()
		datasets, err := tx.Datasets(ctx)
		if err != nil {
			return err
		}
		for _, d := range datasets {
			e.r.priority[d.Name] = d.Priority
		}
		if err := e.r.identity.begin(ctx, tx, datasets, &Edition{}); err != nil {
			return err
		}
		if ids, err = e.whole(ids); err != nil {
			return err
		}
		if held, err = tx.Held(ctx, &HeldQuery{Nodes: ids, Relations: ids, History: true, Tombstones: &TombstoneQuery{Roots: true}}); err != nil {
			return err
		}
		known = held.Tombstones
		return nil
	})
	if err != nil {
		return err
	}
	if e.salt = known.Salt; len(e.salt) == 0 {
		e.salt, e.fresh = make(Salt, saltBytes), true
		if _, err := io.ReadFull(e.o.Random, e.salt); err != nil {
			return fmt.Errorf("no random bytes can be had for the salt of tombstones: %w", err)
		}
	}
	more, err := e.unfinished(ctx, ids, known.List)
	if err != nil {
		return err
	}
	if len(more) > 0 {
		rest, err := e.r.held(ctx, &HeldQuery{Nodes: more, History: true})
		if err != nil {
			return err
		}
		ids = append(ids, more...)
		maps.Copy(held.Statements, rest.Statements)
	}
	now := InstantOf(e.o.Now())
	var wrong []string
	for _, id := range ids {
		mark := Tombstone{Key: e.salt.Key(id), At: now}
		mark.Of = mark.Key
		before, done := false, false
		if at := slices.IndexFunc(known.List, func(t Tombstone) bool { return t.Key == mark.Key }); at >= 0 {
			mark, before, done = known.List[at], true, known.List[at].Done
		}
		said := held.Statements[id]
		done = done && len(said) == 0
		if len(said) > 0 {
			mark.Form = said[len(said)-1].Content.Form
		}
		switch {
		case len(held.Versions[id]) > 0:
			wrong = append(wrong, id+" is a relation; a relation is taken back by its data set, or goes with one of its ends")
			continue
		case mark.Form == FormIdentity:
			wrong = append(wrong, id+" is a judgement; it is taken back by its data set, or goes with one of its ids")
			continue
		case len(said) == 0 && !before:
			wrong = append(wrong, fmt.Sprintf("there is nothing under the id %q", id))
			continue
		}
		e.out.IDs = append(e.out.IDs, ErasedID{id, mark.Form, done})
		if done {
			continue
		}
		e.roots[id] = mark
		e.names.addID(id)
		for i := range said {
			e.names.addContent(&said[i].Content)
			e.names.addKeys(id, &said[i].Content)
		}
		if len(said) == 0 {
			continue
		}
		e.out.Statements += len(said)
		switch mark.Form {
		case FormEvent:
			e.out.Events++
		case FormSource:
			e.out.Sources++
		default:
			e.out.Entities++
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("nothing was forgotten: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// unfinished are the other ids of an erasure of some of these that was
// interrupted: it may have taken back already what made them one identity. Of
// an id that is gone, only the tombstone is left to be closed.
func (e *eraser) unfinished(ctx context.Context, ids []string, roots []Tombstone) (more []string, err error) {
	given := map[Hash]bool{}
	for _, id := range ids {
		given[e.salt.Key(id)] = true
	}
	begun := map[Instant]bool{}
	for _, t := range roots {
		if given[t.Key] && !t.Done {
			begun[t.At] = true
		}
	}
	open := map[Hash]Tombstone{}
	for _, t := range roots {
		if begun[t.At] && !t.Done && !given[t.Key] {
			open[t.Key] = t
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	err = e.walk(ctx, WalkQuery{Over: WalkStatements}, func(_ context.Context, page *Walk) error {
		for i := range page.Statements {
			id := page.Statements[i].ID
			if key := e.salt.Key(id); open[key].Key == key {
				delete(open, key)
				more = append(more, id)
			}
		}
		return nil
	})
	e.gone = slices.SortedFunc(maps.Values(open), CompareTombstones)
	slices.Sort(more)
	return more, err
}

// whole adds the other ids of the same entities, or refuses.
func (e *eraser) whole(ids []string) ([]string, error) {
	all := e.r.identity.now.expand(ids)
	if len(all) == len(ids) || e.o.Identity {
		return all, nil
	}
	for _, id := range ids {
		others := slices.DeleteFunc(slices.Clone(e.r.identity.now.Members(id)), func(m string) bool { return slices.Contains(ids, m) })
		if len(others) > 0 {
			return nil, &SameError{id, others}
		}
	}
	return ids, nil
}

// apply writes a part of the erasure.
func (e *eraser) apply(ctx context.Context, b *Batch) error {
	x := b.Erase
	e.out.Versions += len(x.Relations)
	for _, r := range x.Rewritten {
		e.rewrote(fmt.Sprintf("%s@%d", r.ID, r.RecordedAt))
	}
	for _, s := range x.Restated {
		e.rewrote(fmt.Sprintf("%s@%d %s", s.ID, s.RecordedAt, s.Dataset))
	}
	if e.o.DryRun {
		for _, t := range x.Tombstones {
			e.pretended[t.Key] = true
		}
		return nil
	}
	if len(x.Nodes)+len(x.Relations)+len(x.Rewritten)+len(x.Restated)+len(x.Tombstones)+len(b.Nodes) == 0 && !x.Scrub {
		return nil
	}
	if e.fresh {
		x.Salt = e.salt
	}
	b.Lease = e.r.lease.token
	if err := e.r.store.Apply(ctx, b); err != nil {
		return err
	}
	e.fresh = false
	return nil
}

func (e *eraser) rewrote(version string) {
	if e.first("rewritten", version) {
		e.out.Rewritten++
	}
}

// first reports whether something is to be counted for the first time.
func (e *eraser) first(what ...string) bool {
	d := newDigest("counted")
	d.texts(what)
	key := d.sum()
	if e.counted[key] {
		return false
	}
	e.counted[key] = true
	return true
}

// mark is the tombstone of what goes because it names a root.
func (e *eraser) mark(id string, form Form, naming func(is func(string) bool) bool) Tombstone {
	t := Tombstone{Key: e.salt.Key(id), Form: form, Done: true}
	naming(func(id string) bool {
		root, is := e.roots[id]
		if is {
			t.Of, t.At = root.Key, root.At
		}
		return is
	})
	return t
}

// begin sets the tombstones first: from here on no load brings anything back.
func (e *eraser) begin(ctx context.Context) error { return e.entomb(ctx, false) }

// entomb writes the tombstones of the roots.
func (e *eraser) entomb(ctx context.Context, done bool) error {
	x := &Erasure{}
	for _, id := range e.ids() {
		root := e.roots[id]
		root.Done = done
		x.Tombstones = append(x.Tombstones, root)
	}
	for _, t := range e.gone {
		t.Done = done
		x.Tombstones = append(x.Tombstones, t)
	}
	return e.apply(ctx, &Batch{Erase: x})
}

// walk goes through the record, and calls fn with each page.
func (e *eraser) walk(ctx context.Context, q WalkQuery, fn func(context.Context, *Walk) error) error {
	q.Limit = e.o.BatchSize
	for {
		held, err := e.r.held(ctx, &HeldQuery{Walk: &q})
		if err != nil {
			return err
		}
		if err := fn(ctx, &held.Walk); err != nil {
			return err
		}
		if q.After = held.Walk.Next; q.After == "" {
			return nil
		}
	}
}

// ids are the roots, in order.
func (e *eraser) ids() (ids []string) {
	for _, i := range e.out.IDs {
		if e.root(i.ID) {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// relations erases the versions that name a root as an entity, and takes it
// out of those that name it as their event, source or subject.
func (e *eraser) relations(ctx context.Context) error {
	return e.walk(ctx, WalkQuery{Over: WalkRelations, Naming: e.ids()}, func(ctx context.Context, page *Walk) error {
		b := &Batch{Erase: &Erasure{}}
		x := b.Erase
		var gone idSet
		rewriting := map[string]bool{}
		for _, r := range page.Relations {
			switch after, other := r.without(e.root); {
			case r.names(e.root):
				x.Relations = append(x.Relations, r)
				gone.add(r.ID)
			case other:
				x.Rewritten = append(x.Rewritten, rewritten(r, after))
				rewriting[r.ID] = rewriting[r.ID] || r.SupersededAt == 0
			}
		}
		fallen, err := e.fallen(ctx, gone.list, x)
		if err != nil {
			return err
		}
		about, err := e.standing(ctx, AnchorAbout, gone.list, fallen)
		if err != nil {
			return err
		}
		for _, r := range about {
			if rewriting[r.ID] {
				continue // its reference to what fell goes below
			}
			after, _ := r.without(func(id string) bool { return fallen[id] || e.root(id) })
			x.Rewritten = append(x.Rewritten, rewritten(r, after))
		}
		for i := range x.Rewritten {
			r := &x.Rewritten[i]
			if after, more := r.without(func(id string) bool { return fallen[id] }); more && r.SupersededAt == 0 {
				was := r.Was
				before := *r.Relation
				*r = rewritten(&before, after)
				r.Was = was
			}
		}
		return e.apply(ctx, b)
	})
}

// fallen are those of some relations of which no version stands when all that
// name a root are gone. Each has one tombstone, whatever the order in which its
// versions are met: the first time all are still there, and the newest decides.
func (e *eraser) fallen(ctx context.Context, ids []string, x *Erasure) (map[string]bool, error) {
	fallen := map[string]bool{}
	held, err := e.r.held(ctx, &HeldQuery{Relations: ids, History: true})
	if err != nil {
		return nil, err
	}
	entombed, err := e.forgotten(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		versions := held.Versions[id]
		if len(versions) == 0 { // another erasure runs, and this is a dry run
			continue
		}
		if newest := versions[len(versions)-1]; newest.SupersededAt == 0 && !newest.names(e.root) {
			continue
		}
		fallen[id] = true
		if e.first("relation", id) { // its versions can be on several pages
			e.out.Relations++
		}
		if entombed[id] {
			continue
		}
		for _, r := range slices.Backward(versions) {
			if r.names(e.root) {
				x.Tombstones = append(x.Tombstones, e.mark(id, "", r.names))
				break
			}
		}
	}
	return fallen, nil
}

// standing are the relations that stand, do not go themselves, and are about
// some of the ids, or belong to them.
func (e *eraser) standing(ctx context.Context, anchor Anchor, ids []string, some map[string]bool) ([]*Relation, error) {
	out, err := e.r.standing(ctx, anchor, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !some[id] }))
	return slices.DeleteFunc(out, func(r *Relation) bool { return r.names(e.root) }), err
}

// statements erases judgements on the roots, and takes them out of events.
// Events that say nothing without them go too.
func (e *eraser) statements(ctx context.Context) error {
	return e.walk(ctx, WalkQuery{Over: WalkStatements, Naming: e.ids()}, func(ctx context.Context, page *Walk) error {
		b := &Batch{Erase: &Erasure{}}
		x := b.Erase
		var events, judgements idSet
		for i := range page.Statements {
			s := &page.Statements[i]
			switch {
			case e.root(s.ID):
			case s.Content.Form == FormIdentity:
				judgements.add(s.ID)
			default:
				events.add(s.ID)
			}
		}
		x.Nodes = e.once(judgements.list)
		e.out.Judgements += len(x.Nodes)
		events.list = e.once(events.list)
		held, err := e.r.held(ctx, &HeldQuery{Nodes: events.list, History: true})
		if err != nil {
			return err
		}
		gone := map[string]bool{}
		for _, id := range events.list {
			said := held.Statements[id]
			if e.empties(said) {
				gone[id] = true
				x.Nodes = append(x.Nodes, id)
				x.Tombstones = append(x.Tombstones, e.mark(id, FormEvent, func(is func(string) bool) bool {
					return slices.ContainsFunc(said, func(s Statement) bool { return s.Content.Naming(is) })
				}))
				e.out.Events++
				e.out.Statements += len(said)
				continue
			}
			for i := range said {
				if said[i].Content.Naming(e.root) {
					r := restated(said[i], said[i].Content.without(e.root))
					x.Restated = append(x.Restated, r)
					said[i] = r.Statement
				}
			}
			node := Merge(said, e.r.priorityOf)
			b.Nodes = append(b.Nodes, &node)
		}
		for _, anchor := range []Anchor{AnchorEvent, AnchorAbout} {
			of, err := e.standing(ctx, anchor, events.list, gone)
			if err != nil {
				return err
			}
			for _, r := range of {
				if after, other := r.without(func(id string) bool { return gone[id] }); other &&
					!slices.ContainsFunc(x.Rewritten, func(w RewrittenRelation) bool { return w.ID == r.ID }) {
					x.Rewritten = append(x.Rewritten, rewritten(r, after))
				}
			}
		}
		return e.apply(ctx, b)
	})
}

// once leaves out what an earlier page has dealt with, which is still there in
// a dry run alone.
func (e *eraser) once(ids []string) []string {
	if !e.o.DryRun {
		return ids
	}
	return slices.DeleteFunc(ids, func(id string) bool { return !e.first("dealt with", id) })
}

// empties reports whether an event goes with the roots: fewer than two
// participants are left, or its name is made of theirs.
func (e *eraser) empties(said []Statement) bool {
	lost := false
	var left idSet
	for i := range said {
		c := &said[i].Content
		if e.names.inEvent(c.Name) {
			return true
		}
		for _, p := range c.Participants {
			if e.root(p.Entity) {
				lost = true
			} else if said[i].SupersededAt == 0 {
				left.add(p.Entity)
			}
		}
	}
	return lost && len(left.list) < leastParticipants
}

// leastParticipants is how many participants are left of an event that stays.
const leastParticipants = 2

// former takes out of the former versions of relations what they said of what
// was forgotten. That is looked up: versions that do not stand are in no index.
func (e *eraser) former(ctx context.Context) error {
	return e.walk(ctx, WalkQuery{Over: WalkFormer}, func(ctx context.Context, page *Walk) error {
		var ids idSet
		for _, r := range page.Relations {
			if r.names(e.root) {
				continue
			}
			ids.add(r.Event)
			ids.add(r.About...)
		}
		gone, err := e.forgotten(ctx, ids.list)
		if err != nil {
			return err
		}
		b := &Batch{Erase: &Erasure{}}
		for _, r := range page.Relations {
			if after, other := r.without(func(id string) bool { return gone[id] }); other && !r.names(e.root) {
				b.Erase.Rewritten = append(b.Erase.Rewritten, rewritten(r, after))
			}
		}
		return e.apply(ctx, b)
	})
}

// forgotten are those of some ids that have a tombstone.
func (e *eraser) forgotten(ctx context.Context, ids []string) (map[string]bool, error) {
	keys := make([]Hash, len(ids))
	out := map[string]bool{}
	of := map[Hash]string{}
	for i, id := range ids {
		keys[i] = e.salt.Key(id)
		of[keys[i]] = id
		out[id] = e.pretended[keys[i]]
	}
	if len(ids) == 0 || e.o.DryRun && e.fresh {
		return out, nil
	}
	found, err := e.r.tombstones(ctx, &TombstoneQuery{Keys: keys})
	if err != nil {
		return nil, err
	}
	for _, t := range found.List {
		out[of[t.Key]] = true
	}
	return out, nil
}

// regroup parts and joins the other ids of an entity by the judgements that are
// left.
func (e *eraser) regroup(ctx context.Context) error {
	if e.o.DryRun {
		return nil
	}
	err := e.r.store.Read(ctx, func(tx Reader) error {
		datasets, err := tx.Datasets(ctx)
		if err != nil {
			return err
		}
		return e.r.identity.begin(ctx, tx, datasets, &Edition{})
	})
	if err != nil {
		return err
	}
	return e.r.regroup(ctx)
}

// mentions finds free text that holds a name.
func (e *eraser) mentions(ctx context.Context) error {
	// A data set that is called so is mentioned once, not with each id that
	// begins with its name.
	called := map[string]bool{}
	text := func(id string) string {
		dataset, rest, ok := strings.Cut(id, "/")
		if ok && called[dataset] && !e.names.inID(id) {
			return rest
		}
		return id
	}
	found := func(id, dataset string, fields []string) {
		for _, field := range fields {
			if !e.first("mention", id, dataset, field) {
				continue // by another version
			}
			if e.out.MentionCount++; len(e.out.Mentions) < MaxMentions {
				e.out.Mentions = append(e.out.Mentions, Mention{id, dataset, field})
			}
		}
	}
	err := e.r.store.Read(ctx, func(tx Reader) error {
		datasets, err := tx.Datasets(ctx)
		for _, d := range datasets {
			if e.names.in(d.Name) {
				called[d.Name] = true
				found(d.Name, d.Name, []string{"dataset"})
			}
			if e.names.in(d.Title) {
				found(d.Name, d.Name, []string{"title"})
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	err = e.walk(ctx, WalkQuery{Over: WalkStatements}, func(_ context.Context, page *Walk) error {
		for i := range page.Statements {
			s := &page.Statements[i]
			gone := e.root(s.ID) || e.pretended[e.salt.Key(s.ID)] || s.Content.Form == FormIdentity && s.Content.Naming(e.root)
			if !gone {
				left := s.Content.without(e.root)
				found(s.ID, s.Dataset, e.names.fields(text(s.ID), &left))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = e.walk(ctx, WalkQuery{Over: WalkRelations, Text: true}, func(_ context.Context, page *Walk) error {
		for _, r := range page.Relations {
			if !r.names(e.root) {
				left, _ := r.without(e.root)
				found(r.ID, r.Dataset, e.names.inRelation(text(r.ID), left))
			}
		}
		return nil
	})
	slices.SortFunc(e.out.Mentions, func(a, b Mention) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Dataset, b.Dataset), strings.Compare(a.Field, b.Field))
	})
	return err
}

// end erases the roots themselves, last, since what they are called is in them.
func (e *eraser) end(ctx context.Context) error {
	if e.o.DryRun {
		return nil
	}
	for part := range slices.Chunk(e.ids(), e.o.BatchSize) {
		if err := e.apply(ctx, &Batch{Regrouped: !e.r.identity.now.Empty(), Erase: &Erasure{Nodes: part}}); err != nil {
			return err
		}
	}
	if err := e.apply(ctx, &Batch{Erase: &Erasure{Scrub: true}}); err != nil {
		return err
	}
	return e.entomb(ctx, true)
}
