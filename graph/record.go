package graph

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Edition is one load of one data set.
type Edition struct {
	Dataset  string
	Title    string
	Priority int
	// Input identifies what is loaded, so that the rerun of an interrupted
	// load is told from a new edition.
	Input Hash
	// RecordedAt is the moment that the edition itself states, or zero for the
	// time of loading. It must be later than that of any earlier edition of
	// the data set.
	RecordedAt Instant
	// Whole says that what the edition does not hold is withdrawn. Otherwise
	// it adds to what there is, to each statement too: lists are united, and a
	// single value stays as it stands; but a name gives way that is only the
	// value of an external id.
	Whole bool
	// Keyed says that each relation's id is DATASET/record/ and a key that is
	// made of its type and ends too, so that these never change under an id.
	// Relations that are new are written faster then.
	Keyed bool
}

// RecorderOptions are the circumstances of a load. Now is required.
type RecorderOptions struct {
	Now func() time.Time
	// Holder names this process in messages to others that want to write.
	Holder string
	// HolderGone reports that the holder of a lease is known to have ended,
	// so that nobody waits for its lease to run out. It may be nil.
	HolderGone func(holder string) bool
	// Wait is how long to wait for another load to end; Waiting, if set, is
	// told once who is waited for.
	Wait    time.Duration
	Waiting func(holder string)
	// BatchSize is the number of things written in one transaction; 0 is 5,000.
	BatchSize int
	// DryRun counts what would change, and writes nothing.
	DryRun bool
}

// Tally counts what became of the things of one sort.
type Tally struct {
	Created   int `json:"created"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Withdrawn int `json:"withdrawn"`
}

// Report says what a load did.
type Report struct {
	Dataset string
	// RecordedAt is the moment that the versions written carry; zero when
	// nothing was written.
	RecordedAt Instant
	// Resumed says that an interrupted load of the same input was finished.
	Resumed   bool
	DryRun    bool
	Entities  Tally
	Events    Tally
	Sources   Tally
	Relations Tally
	// Judgements are those on the identity of entities.
	Judgements Tally
}

// Changes is the number of things created, changed or withdrawn.
func (r *Report) Changes() int {
	n := 0
	for _, t := range []Tally{r.Entities, r.Events, r.Sources, r.Relations, r.Judgements} {
		n += t.Created + t.Changed + t.Withdrawn
	}
	return n
}

// ConflictError says that an id is already in use for something else.
type ConflictError struct{ ID, Message string }

func (e *ConflictError) Error() string { return fmt.Sprintf("%s: %s", e.ID, e.Message) }

const (
	leaseTerm        = 30 * time.Second
	defaultBatchSize = 5000
)

// Recorder writes one edition of one data set into a store: it compares what
// it is given with what the store holds, and writes the difference as new
// versions in batches. A Recorder is for one goroutine.
type Recorder struct {
	store    Store
	edition  Edition
	opts     RecorderOptions
	vocab    *Vocabulary
	at       Instant
	known    bool    // the store knows the data set
	dataset  Dataset // as the store has it
	begun    bool    // the store knows that this edition is being loaded
	priority map[string]int
	seen     map[Hash]struct{} // of the ids, for whole editions
	identity identityRecord
	report   Report

	lease struct {
		token string
		stop  chan struct{}
		done  chan struct{}
	}
}

// NewRecorder takes the lease and begins an edition. The caller must call
// Finish or Abort.
func NewRecorder(ctx context.Context, store Store, edition Edition, opts RecorderOptions) (*Recorder, error) {
	if opts.BatchSize <= 0 {
		opts.BatchSize = defaultBatchSize
	}
	r := &Recorder{store: store, edition: edition, opts: opts, priority: map[string]int{}}
	if edition.Whole {
		r.seen = map[Hash]struct{}{}
	}
	last := Instant(0)
	if !opts.DryRun {
		lease, err := r.acquire(ctx)
		if err != nil {
			return nil, err
		}
		last = lease.LastRecorded
	}
	if err := r.begin(ctx, last); err != nil {
		r.Abort(context.WithoutCancel(ctx))
		return nil, err
	}
	return r, nil
}

func (r *Recorder) begin(ctx context.Context, last Instant) error {
	err := r.store.Read(ctx, func(tx Reader) error {
		r.vocab = tx.Vocabulary()
		datasets, err := tx.Datasets(ctx)
		if err != nil {
			return err
		}
		for _, d := range datasets {
			r.priority[d.Name] = d.Priority
			if d.Name == r.edition.Dataset {
				r.dataset, r.known = d, true
			}
		}
		return r.identity.begin(ctx, tx, datasets, &r.edition)
	})
	if err != nil {
		return err
	}
	r.priority[r.edition.Dataset] = r.edition.Priority
	r.report = Report{Dataset: r.edition.Dataset, DryRun: r.opts.DryRun}
	resumes := r.known && !r.dataset.Complete && r.dataset.Edition == r.edition.Input &&
		(r.edition.RecordedAt == 0 || r.edition.RecordedAt == r.dataset.RecordedAt)
	switch {
	case resumes:
		r.at = r.dataset.RecordedAt
		r.begun = true
		r.report.Resumed = true
	case r.edition.RecordedAt != 0:
		r.at = r.edition.RecordedAt
		again := r.known && r.dataset.Complete && r.dataset.Edition == r.edition.Input && r.at == r.dataset.RecordedAt
		if r.known && r.at <= r.dataset.RecordedAt && !again {
			return fmt.Errorf("the edition of %s says that it was recorded at %s, but one recorded at %s is already loaded: a new edition must be later",
				r.edition.Dataset, r.at, r.dataset.RecordedAt)
		}
	default:
		r.at = max(InstantOf(r.opts.Now()), last+1, r.dataset.RecordedAt+1)
	}
	return nil
}

// acquire takes the lease, waiting for another holder if need be, and keeps it
// renewed until release.
func (r *Recorder) acquire(ctx context.Context) (Lease, error) {
	token := rand.Text()
	request := func(replace string, release bool) (Lease, error) {
		now := r.opts.Now()
		return r.store.Lease(ctx, LeaseRequest{
			Holder: r.opts.Holder, Token: token, Replace: replace,
			Now: InstantOf(now), Until: InstantOf(now.Add(leaseTerm)), Release: release,
		})
	}
	deadline := time.NewTimer(r.opts.Wait)
	defer deadline.Stop()
	replace, told := "", false
	for {
		lease, err := request(replace, false)
		if err != nil {
			return lease, err
		}
		if lease.Token == token {
			r.lease.token = token
			r.keep(context.WithoutCancel(ctx))
			return lease, nil
		}
		if r.opts.HolderGone != nil && replace != lease.Token && r.opts.HolderGone(lease.Holder) {
			replace = lease.Token
			continue
		}
		if !told && r.opts.Waiting != nil {
			r.opts.Waiting(lease.Holder)
			told = true
		}
		select {
		case <-ctx.Done():
			return lease, ctx.Err()
		case <-deadline.C:
			return lease, fmt.Errorf("another load is writing to the store (%s); try again when it has ended, or, should it have died on another machine, after %s",
				lease.Holder, lease.Until)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// keep renews the lease in the background.
func (r *Recorder) keep(ctx context.Context) {
	r.lease.stop, r.lease.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(r.lease.done)
		tick := time.NewTicker(leaseTerm / 3)
		defer tick.Stop()
		for {
			select {
			case <-r.lease.stop:
				return
			case <-tick.C:
				now := r.opts.Now()
				// A failed renewal is not the end: Apply checks the lease itself.
				renewal, cancel := context.WithTimeout(ctx, leaseTerm/3)
				_, _ = r.store.Lease(renewal, LeaseRequest{Holder: r.opts.Holder, Token: r.lease.token,
					Now: InstantOf(now), Until: InstantOf(now.Add(leaseTerm))})
				cancel()
			}
		}
	}()
}

// Abort gives up the lease. What was written stays, and the same edition can
// be loaded again: it goes on where this one ended. Abort after Finish does
// nothing.
func (r *Recorder) Abort(ctx context.Context) {
	if r.lease.token == "" {
		return
	}
	close(r.lease.stop)
	<-r.lease.done
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Best effort: a lease that cannot be given up runs out.
	_, _ = r.store.Lease(ctx, LeaseRequest{Token: r.lease.token, Release: true, Now: InstantOf(r.opts.Now())})
	r.lease.token = ""
}

// Record adds statements (their ID and Content) and relations to the edition.
// The entities, events and sources that relations refer to must have been
// recorded before. An id must not occur twice in an edition. It returns
// a *[ConflictError] when an id is in use for something else; the batches before it stay
// written then.
func (r *Recorder) Record(ctx context.Context, statements []Statement, relations []*Relation) error {
	for len(statements) > 0 {
		n := min(len(statements), r.opts.BatchSize)
		if err := r.recordStatements(ctx, statements[:n]); err != nil {
			return err
		}
		statements = statements[n:]
	}
	for len(relations) > 0 {
		n := min(len(relations), r.opts.BatchSize)
		if err := r.recordRelations(ctx, relations[:n]); err != nil {
			return err
		}
		relations = relations[n:]
	}
	return nil
}

func (r *Recorder) held(ctx context.Context, q *HeldQuery) (held *Held, err error) {
	err = r.store.Read(ctx, func(tx Reader) error {
		held, err = tx.Held(ctx, q)
		return err
	})
	return held, err
}

func (r *Recorder) recordStatements(ctx context.Context, statements []Statement) error {
	ids := make([]string, len(statements))
	for i := range statements {
		ids[i] = statements[i].ID
	}
	held, err := r.held(ctx, &HeldQuery{Nodes: r.identity.now.expand(ids), Relations: ids})
	if err != nil {
		return err
	}
	if err := r.identity.judge(r.edition.Dataset, statements); err != nil {
		return err
	}
	batch := &Batch{}
	var united idSet // identities of which the batch changes a member
	for i := range statements {
		s := statements[i]
		if entry, taken := held.Relations[s.ID]; taken {
			return &ConflictError{s.ID, fmt.Sprintf("is the id of a relation of data set %s; ids of entities, events, sources and relations must differ", entry.Dataset)}
		}
		if owner, ok := recordOwner(s.ID); ok {
			return &ConflictError{s.ID, fmt.Sprintf("ids that begin with %s/record/ are those of relations of the data set %s", owner, owner)}
		}
		s.Dataset = r.edition.Dataset
		s.Content.normalise()
		if !r.edition.Whole && s.Content.Form != FormIdentity {
			for _, o := range held.Statements[s.ID] {
				if o.SupersededAt == 0 && o.Dataset == s.Dataset && o.Content.Form == s.Content.Form {
					s.Content = o.Content.Add(s.Content)
				}
			}
		}
		s.Hash = s.Content.ContentHash()
		s.RecordedAt, s.SupersededAt = r.at, 0
		s.Content.Date.RecordedOn(r.at.Day())
		r.mark(s.ID)
		tally := r.tally(s.Content.Form)
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
		batch.Nodes = append(batch.Nodes, unite(r.identity.now.Members(id), id, held.Statements, r.priorityOf)...)
	}
	return r.apply(ctx, batch)
}

func (r *Recorder) recordRelations(ctx context.Context, relations []*Relation) error {
	fresh, err := r.fresh(ctx, relations)
	if err != nil {
		return err
	}
	if fresh {
		before := r.report.Relations
		err := r.compare(ctx, relations, &Held{}, true)
		if !errors.Is(err, ErrTaken) {
			return err
		}
		r.report.Relations = before
	}
	ids := idsOf(relations)
	held, err := r.held(ctx, &HeldQuery{Nodes: ids, Relations: ids})
	if err != nil {
		return err
	}
	return r.compare(ctx, relations, held, false)
}

// freshSample is about how many relations of a batch are looked up to guess
// whether the others are new.
const freshSample = 32

// fresh guesses whether relations are new, so that they need not be looked up.
// Only ids that nothing else can have are worth a guess.
func (r *Recorder) fresh(ctx context.Context, relations []*Relation) (bool, error) {
	if r.opts.DryRun || !r.edition.Keyed {
		return false, nil
	}
	for _, rel := range relations {
		if owner, ok := recordOwner(rel.ID); !ok || owner != r.edition.Dataset {
			return false, nil
		}
	}
	if !r.known {
		return true, nil
	}
	var sample []string
	for i := 0; i < len(relations); i += 1 + len(relations)/freshSample {
		sample = append(sample, relations[i].ID)
	}
	held, err := r.held(ctx, &HeldQuery{Relations: sample})
	return err == nil && len(held.Relations) == 0, err
}

// recordOwner is the data set that alone may have relations under an id, and
// nothing else, where the id has the form DATASET/record/….
func recordOwner(id string) (dataset string, ok bool) {
	dataset, _, ok = strings.Cut(id, "/record/")
	return dataset, ok && !strings.Contains(dataset, "/")
}

func idsOf(relations []*Relation) []string {
	ids := make([]string, len(relations))
	for i := range relations {
		ids[i] = relations[i].ID
	}
	return ids
}

// compare writes what differs from what is held.
func (r *Recorder) compare(ctx context.Context, relations []*Relation, held *Held, fresh bool) error {
	batch := &Batch{Fresh: fresh}
	for _, given := range relations {
		rel := *given
		rel.Dataset = r.edition.Dataset
		rel.RecordedAt, rel.SupersededAt = r.at, 0
		rel.normalise()
		t, ok := r.vocab.Lookup(rel.Type)
		if !ok {
			return fmt.Errorf("relation %s has the type %s, which the store's vocabulary does not have", rel.ID, rel.Type)
		}
		if rel.Goldstein == nil {
			if g, ok := r.vocab.Goldstein(rel.Type, rel.CAMEO); ok {
				rel.Goldstein = &g
			}
		}
		if rel.Family == "" {
			rel.Family = r.vocab.Family(rel.Type, rel.CAMEO)
		}
		rel.Hash = rel.ContentHash()
		rel.Date.RecordedOn(r.at.Day())
		for _, s := range held.Statements[rel.ID] {
			if s.SupersededAt == 0 {
				return &ConflictError{rel.ID, fmt.Sprintf("is the id of %s in data set %s; ids of entities, events, sources and relations must differ", describe(s.Content.Form), s.Dataset)}
			}
		}
		if owner, ok := recordOwner(rel.ID); ok && owner != rel.Dataset {
			return &ConflictError{rel.ID, fmt.Sprintf("ids that begin with %s/record/ are those of relations of the data set %s", owner, owner)}
		}
		r.mark(rel.ID)
		write := t.Write(&rel)
		if entry, ok := held.Relations[rel.ID]; ok {
			if entry.Dataset != rel.Dataset {
				return &ConflictError{rel.ID, fmt.Sprintf("is the id of a relation of data set %s; a relation belongs to one data set", entry.Dataset)}
			}
			if entry.Hash == rel.Hash {
				r.report.Relations.Unchanged++
				continue
			}
			write.Former = &entry
			r.report.Relations.Changed++
		} else {
			r.report.Relations.Created++
		}
		batch.Relations = append(batch.Relations, write)
	}
	return r.apply(ctx, batch)
}

// Tally counts what became of all things so far.
func (r *Recorder) Tally() Tally {
	var sum Tally
	for _, t := range []Tally{r.report.Entities, r.report.Events, r.report.Sources, r.report.Relations, r.report.Judgements} {
		sum.Created += t.Created
		sum.Changed += t.Changed
		sum.Unchanged += t.Unchanged
		sum.Withdrawn += t.Withdrawn
	}
	return sum
}

func (r *Recorder) mark(id string) {
	if r.seen != nil {
		r.seen[HashText(id)] = struct{}{}
	}
}

func (r *Recorder) tally(f Form) *Tally {
	switch f {
	case FormEvent:
		return &r.report.Events
	case FormSource:
		return &r.report.Sources
	case FormIdentity:
		return &r.report.Judgements
	}
	return &r.report.Entities
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

// apply writes a batch, unless nothing is in it. The first one also tells the
// store that the edition has begun.
func (r *Recorder) apply(ctx context.Context, b *Batch) error {
	if len(b.Statements)+len(b.Retracted)+len(b.Nodes)+len(b.Relations)+len(b.Withdrawn) == 0 || r.opts.DryRun {
		return nil
	}
	b.Lease, b.At = r.lease.token, r.at
	if !r.begun {
		// The priority stays the old one until the end: should this load be
		// interrupted, the next one must still see that it changed.
		priority := r.edition.Priority
		if r.known {
			priority = r.dataset.Priority
		}
		b.Dataset = &Dataset{Name: r.edition.Dataset, Title: r.edition.Title, Priority: priority,
			RecordedAt: r.at, Edition: r.edition.Input}
	}
	if err := r.store.Apply(ctx, b); err != nil {
		return err
	}
	r.begun = true
	r.report.RecordedAt = r.at
	return nil
}

// Finish withdraws what a whole edition does not hold, marks the edition as
// complete, and gives up the lease.
func (r *Recorder) Finish(ctx context.Context) (*Report, error) {
	defer r.Abort(context.WithoutCancel(ctx))
	if r.edition.Whole && r.known {
		if err := r.eachHeld(ctx, r.withdraw); err != nil {
			return nil, err
		}
	}
	if r.known && r.dataset.Priority != r.edition.Priority {
		if err := r.eachHeld(ctx, r.remerge); err != nil {
			return nil, err
		}
	}
	if r.opts.DryRun {
		return &r.report, nil
	}
	if err := r.regroup(ctx); err != nil {
		return nil, err
	}
	done := Dataset{Name: r.edition.Dataset, Title: r.edition.Title, Priority: r.edition.Priority,
		RecordedAt: r.at, Edition: r.edition.Input, Complete: true}
	if !r.begun && r.known {
		done.RecordedAt = r.dataset.RecordedAt // nothing changed: no new edition
		if r.edition.RecordedAt != 0 {
			done.RecordedAt = r.edition.RecordedAt
		}
	}
	if !r.known || done != r.dataset {
		if err := r.store.Apply(ctx, &Batch{Lease: r.lease.token, At: done.RecordedAt, Dataset: &done}); err != nil {
			return nil, err
		}
	}
	return &r.report, nil
}

// eachHeld calls fn with all that the data set holds, in pages.
func (r *Recorder) eachHeld(ctx context.Context, fn func(context.Context, []Entry) error) error {
	after := ""
	for {
		held, err := r.held(ctx, &HeldQuery{Dataset: r.edition.Dataset, After: after, Limit: r.opts.BatchSize})
		if err != nil {
			return err
		}
		if len(held.Entries) == 0 {
			return nil
		}
		after = held.Entries[len(held.Entries)-1].ID
		if err := fn(ctx, held.Entries); err != nil {
			return err
		}
	}
}

func (r *Recorder) withdraw(ctx context.Context, entries []Entry) error {
	batch := &Batch{}
	var nodes []string
	for _, e := range entries {
		if _, ok := r.seen[HashText(e.ID)]; ok {
			continue
		}
		if e.Relation {
			batch.Withdrawn = append(batch.Withdrawn, e)
			r.report.Relations.Withdrawn++
			continue
		}
		batch.Retracted = append(batch.Retracted, StatementKey{e.ID, e.Dataset})
		nodes = append(nodes, e.ID)
	}
	err := r.mergeInto(ctx, batch, nodes, func(s *Statement) {
		if s.Dataset == r.edition.Dataset && s.SupersededAt == 0 {
			s.SupersededAt = r.at
			r.tally(s.Content.Form).Withdrawn++
		}
	})
	if err != nil {
		return err
	}
	return r.apply(ctx, batch)
}

func (r *Recorder) remerge(ctx context.Context, entries []Entry) error {
	batch := &Batch{}
	var nodes []string
	for _, e := range entries {
		if !e.Relation {
			nodes = append(nodes, e.ID)
		}
	}
	if err := r.mergeInto(ctx, batch, nodes, func(*Statement) {}); err != nil {
		return err
	}
	return r.apply(ctx, batch)
}

// mergeInto adds the nodes to the batch, merged anew from their statements
// after edit has seen each.
func (r *Recorder) mergeInto(ctx context.Context, batch *Batch, ids []string, edit func(*Statement)) error {
	if len(ids) == 0 {
		return nil
	}
	held, err := r.held(ctx, &HeldQuery{Nodes: r.identity.now.expand(ids)})
	if err != nil {
		return err
	}
	var merged idSet
	for _, id := range ids {
		statements := held.Statements[id]
		for i := range statements {
			edit(&statements[i])
		}
		if len(statements) > 0 && statements[len(statements)-1].Content.Form != FormIdentity {
			merged.add(r.identity.now.Canonical(id))
		}
	}
	for _, id := range merged.list {
		batch.Nodes = append(batch.Nodes, unite(r.identity.now.Members(id), id, held.Statements, r.priorityOf)...)
	}
	return nil
}
