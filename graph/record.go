package graph

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
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
	// it is an increment: it adds to what there is, to each statement too
	// ([Content.Correct]): lists are united, and of single values its own
	// count. An input that was loaded before is no news: it only adds what is
	// not there ([Content.Add]), and a relation of which something else was
	// recorded since stays as it is. So loading the same files again changes
	// nothing, in whatever order.
	Whole bool
	// Keyed says that ids that begin with DATASET/record/ are made of keys: those
	// of relations of their types and ends too, so that these never change under
	// an id, and none is that of a relation and of a node, or of nodes of two
	// forms. What is new under such ids is written faster then.
	Keyed bool
	// Steady says that the same input is always recorded by the same calls of
	// Record, whatever the store holds. An interrupted load then goes on where it ended.
	Steady bool
	// Unordered says that the input gives the lists in what it says of entities in
	// no order, so that they are kept in that of their texts: whichever of several
	// inputs comes first.
	Unordered bool
	// Named chooses between two names that inputs of the data set give one thing,
	// the same one in whatever order they come. Nil chooses that of the later input.
	Named func(a, b string) string
	// Recalls says that the kinds that an increment gives take account of what the
	// data set said before, so that they count even where they are undecided.
	Recalls bool
	// Cited says that inputs of the data set add to the citations of relations that
	// others of its inputs have stated. A relation that an increment states again
	// keeps its citations, which are in the order of their sources, and the highest
	// confidence that was stated: see [Relation.Cite].
	Cited bool
	// Settled says that what the input says of relations depends on what the data set
	// held when it was loaded. Those that stand stay as they are when an increment
	// is loaded again, unless it is to be compared ([RecorderOptions].Recheck).
	Settled bool
	// Alone says that what the input says depends on nothing in the store but
	// the vocabulary, and what it recalls. One that was loaded before is not
	// compared again then.
	Alone bool
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
	// Recheck compares an input with the record even if it was loaded before.
	Recheck bool
	// Program tells versions of the program apart that may divide an input
	// into other parts. Only a Steady edition needs it.
	Program string
}

// tally counts the things of a form.
func (r *Report) tally(f Form) *Tally {
	switch f {
	case FormEvent:
		return &r.Events
	case FormSource:
		return &r.Sources
	case FormIdentity:
		return &r.Judgements
	}
	return &r.Entities
}

// Counts are where what becomes of statements and of relations is counted,
// beside the report; nil is nowhere.
type Counts struct {
	Statements, Relations *Tally
	// Became, if set, is told of each relation whether it was created or changed, or stands as it was.
	Became func(relation string, altered bool)
	// LeftOut counts those that name what was forgotten; see [Report.Forgotten].
	LeftOut *int
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
	// TitleChange and PriorityChange are what becomes of the title and of the
	// priority of a data set that was there; nil where they stay.
	TitleChange    *Altered[string]
	PriorityChange *Altered[int]
	// Forgotten counts what was left out, since it was forgotten, or names what
	// was: see [Forget].
	Forgotten int
	// Disputes are of entities that the load has changed or united.
	Disputes []KindDispute
}

// Altered is what was, and what is in its place.
type Altered[T any] struct {
	From T `json:"from"`
	To   T `json:"to"`
}

// altered is nil where nothing changes.
func altered[T comparable](from, to T) *Altered[T] {
	if from == to {
		return nil
	}
	return &Altered[T]{from, to}
}

// KindDispute is two ids that are judged to be of one entity, and that data sets
// state to be of different kinds. The entity has the first one.
type KindDispute struct {
	ID        string
	Kind      Kind
	OtherID   string
	OtherKind Kind
}

// Changes is the number of things created, changed or withdrawn. The title of
// the data set is one, and so is its priority.
func (r *Report) Changes() int {
	n := 0
	for _, t := range []Tally{r.Entities, r.Events, r.Sources, r.Relations, r.Judgements} {
		n += t.Created + t.Changed + t.Withdrawn
	}
	if r.TitleChange != nil {
		n++
	}
	if r.PriorityChange != nil {
		n++
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
	known    bool        // the store knows the data set
	dataset  Dataset     // as the store has it
	begun    bool        // the store knows that this edition is being loaded
	loaded   LoadedInput // as the store remembers this input; its At is zero where it was not loaded
	parts    int         // calls of Record
	skip     int         // parts that are written already
	under    Hash        // see Written
	priority map[string]int
	// seen are hashes of the ids of a whole edition, which take less memory.
	seen     map[Hash]struct{}
	identity identityRecord
	report   Report
	lately   lately
	sent     *sending

	forgotten *Forgotten
	names     map[string]*names // of each forgotten entity, as far as the edition states them

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
		if r.forgotten, err = ReadForgotten(ctx, tx); err != nil {
			return err
		}
		for _, d := range datasets {
			r.priority[d.Name] = d.Priority
			if d.Name == r.edition.Dataset {
				r.dataset, r.known = d, true
			}
		}
		held, err := tx.Held(ctx, &HeldQuery{Dataset: r.edition.Dataset, Loaded: &r.edition.Input})
		if err != nil {
			return err
		}
		r.loaded = LoadedInput{r.edition.Dataset, r.edition.Input, held.Loaded, held.LoadedUnder}
		return r.identity.begin(ctx, tx, datasets, &r.edition)
	})
	if err != nil {
		return err
	}
	r.priority[r.edition.Dataset] = r.edition.Priority
	r.report = Report{Dataset: r.edition.Dataset, DryRun: r.opts.DryRun}
	if r.known {
		r.report.TitleChange = altered(r.dataset.Title, r.edition.Title)
		r.report.PriorityChange = altered(r.dataset.Priority, r.edition.Priority)
	}
	r.under = r.circumstances()
	resumes := r.known && !r.dataset.Complete && r.dataset.Edition == r.edition.Input &&
		(r.edition.RecordedAt == 0 || r.edition.RecordedAt == r.dataset.RecordedAt)
	switch {
	case resumes:
		r.at = r.dataset.RecordedAt
		r.begun = true
		r.report.Resumed = true
		if r.edition.Steady && r.dataset.Written.Under == r.under {
			r.skip = r.dataset.Written.Parts
		}
	case r.edition.RecordedAt != 0:
		r.at = r.edition.RecordedAt
		again := r.known && r.dataset.Complete && r.dataset.Edition == r.edition.Input && r.at == r.dataset.RecordedAt
		if r.known && r.at <= r.dataset.RecordedAt && !again {
			return fmt.Errorf("the edition of %s says that it was recorded at %s, but one recorded at %s is already loaded: a new edition must be later",
				r.edition.Dataset, r.at, r.dataset.RecordedAt)
		}
	case r.edition.Steady && r.edition.Alone && !r.opts.Recheck && r.loaded.At != 0 && r.loaded.Under == r.under &&
		(!r.edition.Whole || r.dataset.Complete && r.dataset.Edition == r.edition.Input):
		// All of it stands, or was corrected since: there is nothing to compare.
		r.skip = math.MaxInt
		fallthrough
	default:
		r.at = max(InstantOf(r.opts.Now()), last+1, r.dataset.RecordedAt+1)
	}
	return nil
}

// circumstances is a hash of what decides, beside the input, what a part of the
// edition is.
func (r *Recorder) circumstances() Hash {
	d := newDigest("written under")
	d.text(r.opts.Program)
	d.text(string(r.vocab.Extension()))
	d.number(uint64(r.opts.BatchSize))
	for _, set := range []bool{r.edition.Whole, r.edition.Keyed} {
		if set {
			d.number(1)
		} else {
			d.number(0)
		}
	}
	return d.sum()
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
	store := r.store
	if p, ok := store.(*patient); ok {
		store = p.Store // whoever writes says that it waits
	}
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
				_, _ = store.Lease(renewal, LeaseRequest{Holder: r.opts.Holder, Token: r.lease.token,
					Now: InstantOf(now), Until: InstantOf(now.Add(leaseTerm))})
				cancel()
			}
		}
	}()
}

// Pause writes what was recorded so far, and gives up the lease. The edition
// stays unfinished, until it is recorded again from its beginning.
func (r *Recorder) Pause(ctx context.Context) (*Report, error) {
	defer r.Abort(context.WithoutCancel(ctx))
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	return &r.report, nil
}

// Abort gives up the lease. What was written stays, and the same edition can
// be loaded again: it goes on where this one ended. Abort after Finish does
// nothing.
func (r *Recorder) Abort(ctx context.Context) {
	if s := r.sent; s != nil {
		r.sent = nil
		<-s.done // so that nothing is written afterwards
	}
	if r.lease.token == "" {
		return
	}
	close(r.lease.stop)
	<-r.lease.done
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Best effort: a lease that cannot be given up runs out.
	store := r.store
	if p, ok := store.(*patient); ok {
		store = p.Store
	}
	_, _ = store.Lease(ctx, LeaseRequest{Token: r.lease.token, Release: true, Now: InstantOf(r.opts.Now())})
	r.lease.token = ""
}

// Record adds statements (their ID and Content) and relations to the edition.
// The entities, events and sources that relations refer to must be among the
// statements, or have been recorded before. An id must not occur twice in an
// edition, but for statements that say the same. It returns a *[ConflictError]
// when an id is in use for something else; the batches before it stay written
// then. What is recorded is counted in also too, by the time of Finish.
//
// One batch is written while the caller prepares the next: an error may be
// that of an earlier call.
func (r *Recorder) Record(ctx context.Context, statements []Statement, relations []*Relation, also Counts) error {
	before := r.parts
	if r.parts++; r.parts <= r.skip {
		return r.pass(ctx, &portion{statements: statements, relations: relations, also: also})
	}
	for len(statements)+len(relations) > 0 {
		p := &portion{also: also, written: before}
		p.statements, statements = cut(statements, r.opts.BatchSize)
		if len(statements) == 0 {
			p.relations, relations = cut(relations, r.opts.BatchSize)
		}
		if len(statements)+len(relations) == 0 {
			p.written = r.parts
		}
		if err := r.record(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// pass goes by what an interrupted load of the same input has written: it
// stands as it is given here.
func (r *Recorder) pass(ctx context.Context, p *portion) error {
	if err := r.begins(ctx, p); err != nil {
		return err
	}
	s := &sending{portion: p}
	for i := range p.statements {
		s.counts.tally(p.statements[i].Content.Form).Unchanged++
	}
	s.counts.Relations.Unchanged = len(p.relations)
	r.count(s)
	return nil
}

func cut[T any](list []T, n int) (head, tail []T) {
	n = min(n, len(list))
	return list[:n], list[n:]
}

// portion is what one transaction records.
type portion struct {
	statements []Statement
	relations  []*Relation
	also       Counts
	written    int  // parts that are written with it; see [Written]
	careful    bool // something of it was taken to be new that was not
	// first has, for each statement, whether the load is known to say nothing
	// of its node before. Nil says no of all.
	first []bool
}

func (r *Recorder) record(ctx context.Context, p *portion) error {
	if err := r.begins(ctx, p); err != nil {
		return err
	}
	fresh, err := r.fresh(ctx, p)
	if err != nil {
		return err
	}
	s, err := r.compose(ctx, p, fresh)
	if err != nil {
		return err
	}
	return r.send(ctx, s)
}

// begins takes note of what the edition says, and out of the portion what it
// says again.
func (r *Recorder) begins(ctx context.Context, p *portion) error {
	if err := r.leaveOut(ctx, p); err != nil {
		return err
	}
	if err := r.identity.judge(r.edition.Dataset, p.statements); err != nil {
		return err
	}
	if r.seen != nil { // of a whole edition, the first statement is what it says
		kept := make([]Statement, 0, len(p.statements))
		for _, s := range p.statements {
			if !r.marked(s.ID) {
				r.mark(s.ID)
				kept = append(kept, s)
			}
		}
		p.statements = kept
		for _, rel := range p.relations {
			r.mark(rel.ID)
		}
	}
	if r.edition.Keyed {
		r.lately.sift(p)
	}
	return nil
}

// held asks what is in the record, with all that was recorded so far.
func (r *Recorder) held(ctx context.Context, q *HeldQuery) (*Held, error) {
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	return r.peek(ctx, q)
}

// peek is held, without what is being written.
func (r *Recorder) peek(ctx context.Context, q *HeldQuery) (held *Held, err error) {
	err = r.store.Read(ctx, func(tx Reader) error {
		held, err = tx.Held(ctx, q)
		return err
	})
	return held, err
}
