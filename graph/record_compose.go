package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// freshSample is about how many things of a portion are looked up to guess
// whether the others are new.
const freshSample = 32

// fresh guesses whether what is recorded under the data set's own ids is new,
// so that it need not be looked up. Only ids that nothing else can have are
// worth a guess.
func (r *Recorder) fresh(ctx context.Context, p *portion) (bool, error) {
	if r.opts.DryRun || !r.edition.Keyed {
		return false, nil
	}
	if !r.known {
		return true, nil
	}
	q := &HeldQuery{}
	for i := 0; i < len(p.statements); i += 1 + len(p.statements)/freshSample {
		if id := p.statements[i].ID; p.first[i] && r.owns(id) {
			q.Nodes = append(q.Nodes, id)
		}
	}
	for i := 0; i < len(p.relations); i += 1 + len(p.relations)/freshSample {
		if id := p.relations[i].ID; r.owns(id) {
			q.Relations = append(q.Relations, id)
		}
	}
	held, err := r.peek(ctx, q)
	return err == nil && len(held.Statements)+len(held.Relations) == 0, err
}

// owns reports whether only this data set may say something under an id.
func (r *Recorder) owns(id string) bool {
	owner, ok := recordOwner(id)
	return ok && owner == r.edition.Dataset
}

// owned refuses what belongs to another data set.
func (r *Recorder) owned(id string) error {
	if owner, ok := recordOwner(id); ok && owner != r.edition.Dataset {
		return &ConflictError{id, fmt.Sprintf("only the data set %s may record something under ids that begin with %s/record/", owner, owner)}
	}
	return nil
}

// compose compares a portion with what the record holds, and makes a batch of
// what differs. What is fresh is not looked up.
func (r *Recorder) compose(ctx context.Context, p *portion, fresh bool) (*sending, error) {
	s := &sending{portion: p, batch: &Batch{}}
	if err := r.composeStatements(ctx, s, fresh); err != nil {
		return nil, err
	}
	return s, r.composeRelations(ctx, s, fresh)
}

func (r *Recorder) composeStatements(ctx context.Context, to *sending, fresh bool) error {
	p, batch := to.portion, to.batch
	isNew := func(i int) bool {
		id := p.statements[i].ID
		return fresh && p.first[i] && r.owns(id) && r.identity.now.alone(id)
	}
	var ids []string
	times := make(map[string]int, len(p.statements))
	for i := range p.statements {
		if id := p.statements[i].ID; !isNew(i) {
			ids = append(ids, id)
			times[id]++
		}
	}
	held := &Held{}
	if len(ids) > 0 {
		q := &HeldQuery{Nodes: r.identity.now.expand(ids)}
		for _, id := range ids {
			if !r.edition.Keyed || !r.owns(id) {
				q.Relations = append(q.Relations, id)
			}
		}
		var err error
		if held, err = r.held(ctx, q); err != nil {
			return err
		}
	}
	unknown := func(id string) bool {
		return !p.careful && times[id] == 1 && len(held.Statements[id]) == 0 && r.identity.now.alone(id)
	}
	var united idSet // identities of which the batch changes a member
	for i := range p.statements {
		s := p.statements[i]
		if entry, taken := held.Relations[s.ID]; taken {
			return &ConflictError{s.ID, fmt.Sprintf("is the id of a relation of data set %s; ids of entities, events, sources and relations must differ", entry.Dataset)}
		}
		if err := r.owned(s.ID); err != nil {
			return err
		}
		s.Dataset = r.edition.Dataset
		s.Content.normalise()
		if r.edition.Unordered {
			s.Content.sortLists()
		}
		s.Hash = s.Content.ContentHash()
		if !r.edition.Whole && s.Content.Form != FormIdentity {
			for _, o := range held.Statements[s.ID] {
				if o.SupersededAt == 0 && o.Dataset == s.Dataset && o.Content.Form == s.Content.Form {
					r.unite(&s, &o)
				}
			}
		}
		s.RecordedAt, s.SupersededAt = r.at, 0
		s.Content.Date.RecordedOn(r.at.Day())
		tally := to.counts.tally(s.Content.Form)
		if isNew(i) || s.Content.Form != FormIdentity && unknown(s.ID) {
			tally.Created++
			node := Merge([]Statement{s}, r.priorityOf)
			batch.New = append(batch.New, NewNode{s, &node})
			continue
		}
		others := make([]Statement, 0, len(held.Statements[s.ID])+1)
		var own *Statement
		for j := range held.Statements[s.ID] {
			o := &held.Statements[s.ID][j]
			switch {
			case o.SupersededAt == 0 && o.Dataset == s.Dataset:
				own = o
			case o.SupersededAt == 0 && o.Content.Form != s.Content.Form:
				return &ConflictError{s.ID, fmt.Sprintf("is %s here, but %s in data set %s", describe(s.Content.Form), describe(o.Content.Form), o.Dataset)}
			default:
				others = append(others, *o)
			}
		}
		switch {
		case own == nil:
			tally.Created++
		case own.Hash == s.Hash:
			tally.Unchanged++
			continue
		case own.Content.Form != s.Content.Form:
			return &ConflictError{s.ID, fmt.Sprintf("is %s here, but was %s in an earlier edition; use another id", describe(s.Content.Form), describe(own.Content.Form))}
		default:
			tally.Changed++
		}
		batch.Statements = append(batch.Statements, s)
		held.Statements[s.ID] = append(others, s)
		switch {
		case s.Content.Form == FormIdentity:
		case r.identity.now.alone(s.ID):
			node := Merge(held.Statements[s.ID], r.priorityOf)
			batch.Nodes = append(batch.Nodes, &node)
		case s.Content.Form != FormEntity:
			return &ConflictError{s.ID, fmt.Sprintf("is %s here, but judged to be the same entity as %s; take that judgement back first, or use another id",
				describe(s.Content.Form), strings.Join(r.identity.now.Members(s.ID), ", "))}
		default:
			united.add(r.identity.now.Canonical(s.ID))
		}
	}
	for _, id := range united.list {
		batch.Nodes = append(batch.Nodes, r.identityNodes(r.identity.now, id, held.Statements)...)
	}
	return nil
}

// unite makes of a statement of an increment what it and the standing one say
// together. Of what this very edition has said before, nothing is corrected.
func (r *Recorder) unite(s, standing *Statement) {
	kind, name := s.Content.Kind, s.Content.Name
	if r.loaded.At != 0 || standing.RecordedAt == r.at {
		s.Content = standing.Content.Add(s.Content)
	} else {
		s.Content = standing.Content.Correct(s.Content)
	}
	if named := r.edition.Named; named != nil {
		s.Content.rename(named(standing.Content.Name, name))
	}
	if r.edition.Unordered {
		s.Content.sortLists()
	}
	if r.edition.Recalls {
		s.Content.Kind = kind
	}
	s.Hash = s.Content.ContentHash()
	// The standing one is as the store keeps it, its open end as of some day.
	before := standing.Content
	before.normalise()
	if s.Content.Date.OpenAsOfRecording && before.Date.EDTF == s.Content.Date.EDTF {
		before.Date.OpenAsOfRecording = true
	}
	if s.Hash == before.ContentHash() {
		s.Hash = standing.Hash
	}
}

func (r *Recorder) composeRelations(ctx context.Context, to *sending, fresh bool) error {
	p, batch := to.portion, to.batch
	if len(p.relations) == 0 {
		return nil
	}
	held := &Held{}
	batch.Fresh = fresh && !slices.ContainsFunc(p.relations, func(rel *Relation) bool { return !r.owns(rel.ID) })
	if !batch.Fresh {
		q := &HeldQuery{}
		for _, rel := range p.relations {
			q.Relations = append(q.Relations, rel.ID)
			if !r.edition.Keyed || !r.owns(rel.ID) {
				q.Nodes = append(q.Nodes, rel.ID)
			}
		}
		// An edition has no relation twice, so that what is being written has
		// none of these.
		var err error
		if held, err = r.peek(ctx, q); err != nil {
			return err
		}
	}
	written, err := r.versions(ctx, p.relations, held)
	if err != nil {
		return err
	}
	tally := &to.counts.Relations
	batch.Relations = make([]RelationWrite, 0, len(p.relations))
	for i := range written {
		rel := &written[i]
		rel.Date.RecordedOn(r.at.Day())
		t, ok := r.vocab.Lookup(rel.Type)
		if !ok {
			return fmt.Errorf("relation %s has the type %s, which the store's vocabulary does not have", rel.ID, rel.Type)
		}
		for _, s := range held.Statements[rel.ID] {
			if s.SupersededAt == 0 {
				return &ConflictError{rel.ID, fmt.Sprintf("is the id of %s in data set %s; ids of entities, events, sources and relations must differ", describe(s.Content.Form), s.Dataset)}
			}
		}
		if err := r.owned(rel.ID); err != nil {
			return err
		}
		write := t.Write(rel)
		if entry, ok := held.Relations[rel.ID]; ok {
			if entry.Dataset != rel.Dataset {
				return &ConflictError{rel.ID, fmt.Sprintf("is the id of a relation of data set %s; a relation belongs to one data set", entry.Dataset)}
			}
			if entry.Hash == rel.Hash || r.settled() || r.outdated(entry.RecordedAt) && !r.edition.Cited {
				tally.Unchanged++
				if p.also.Became != nil {
					to.same = append(to.same, rel.ID)
				}
				continue
			}
			write.Former = &entry
			tally.Changed++
		} else {
			tally.Created++
		}
		batch.Relations = append(batch.Relations, write)
	}
	return nil
}

// outdated reports whether what stands of a relation was recorded since this very
// input was loaded, which is no news then.
func (r *Recorder) outdated(standing Instant) bool {
	return r.loaded.At != 0 && standing > r.loaded.At && !r.edition.Whole
}

// settled reports whether relations that stand are to stay as they are, since this very
// input was loaded before.
func (r *Recorder) settled() bool {
	return r.edition.Settled && !r.edition.Whole && r.loaded.At != 0 && !r.opts.Recheck
}

// versions makes versions of what is given for relations; their dates are not yet
// filled by [Date.RecordedOn].
func (r *Recorder) versions(ctx context.Context, given []*Relation, held *Held) ([]Relation, error) {
	written := make([]Relation, len(given))
	var differ []string // of a Cited edition: relations that would change
	for i, rel := range given {
		written[i] = *rel
		rel := &written[i]
		rel.Dataset = r.edition.Dataset
		rel.RecordedAt, rel.SupersededAt = r.at, 0
		rel.normalise()
		if rel.Goldstein == nil {
			if g, ok := r.vocab.Goldstein(rel.Type, rel.CAMEO); ok {
				rel.Goldstein = &g
			}
		}
		if rel.Family == "" {
			rel.Family = r.vocab.Family(rel.Type, rel.CAMEO)
		}
		rel.Hash = rel.ContentHash()
		if entry, ok := held.Relations[rel.ID]; ok && r.edition.Cited && !r.edition.Whole && entry.Hash != rel.Hash && entry.Dataset == rel.Dataset {
			differ = append(differ, rel.ID)
		}
	}
	if len(differ) == 0 {
		return written, nil
	}
	standing, err := r.standing(ctx, AnchorID, differ)
	byID := make(map[string]*Relation, len(standing))
	for _, rel := range standing {
		byID[rel.ID] = rel
	}
	for i := range written {
		if old := byID[written[i].ID]; old != nil {
			r.cite(&written[i], old)
		}
	}
	return written, err
}

// cite gives a version of a relation the citations of the standing one too.
func (r *Recorder) cite(rel, standing *Relation) {
	old := standing.given()
	if r.outdated(standing.RecordedAt) {
		old.RecordedAt = r.at
		old.Cite(rel)
		*rel = old
	} else {
		rel.Cite(&old)
	}
	rel.Hash = rel.ContentHash()
}

// recordOwner is the data set that alone may record something under an id,
// where the id has the form DATASET/record/….
func recordOwner(id string) (dataset string, ok bool) {
	dataset, _, ok = strings.Cut(id, "/record/")
	return dataset, ok && !strings.Contains(dataset, "/")
}

// mark remembers the id of a whole edition, for marked to know.
func (r *Recorder) mark(id string) { r.seen[HashText(id)] = struct{}{} }

func (r *Recorder) marked(id string) bool {
	_, ok := r.seen[HashText(id)]
	return ok
}

func (r *Recorder) priorityOf(dataset string) int { return r.priority[dataset] }

func describe(f Form) string {
	switch f {
	case FormEvent:
		return "an event"
	case FormSource:
		return "a source"
	case FormIdentity:
		return "a judgement"
	}
	return "an entity"
}
