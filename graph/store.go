package graph

import (
	"context"
	"errors"
	"time"
)

// Errors that stores return, possibly wrapped.
var (
	// ErrUnavailable says that the store cannot be reached or is shutting down.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrAway is an ErrUnavailable that is likely to pass by itself: see [Patient].
	ErrAway error = awayError{}
	// ErrNewerStore says that a newer Chancery wrote the store.
	ErrNewerStore = errors.New("the store was written by a newer version of Chancery")
	// ErrForeignStore says that the database holds data that is not Chancery's.
	ErrForeignStore = errors.New("the database holds data that Chancery did not make")
	// ErrLeaseLost says that another writer took over.
	ErrLeaseLost = errors.New("another load has taken over the store")
	// ErrTaken says that something of a batch that was taken to be new is in the
	// record already; see [Batch.New] and [Batch.Fresh].
	ErrTaken = errors.New("something is recorded under that id already")
)

// Instant is a moment of transaction time: microseconds since 1970-01-01 UTC.
// The zero Instant means "never".
type Instant int64

// InstantOf rounds t down to the microsecond.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMicro()) }

// Time returns the moment in UTC.
func (i Instant) Time() time.Time { return time.UnixMicro(int64(i)).UTC() }

// Day returns the UTC day of the moment.
func (i Instant) Day() Day { return DayOf(i.Time()) }

// String gives RFC 3339 in UTC with six decimals, so that text order is time order.
func (i Instant) String() string { return i.Time().Format("2006-01-02T15:04:05.000000Z") }

// Store keeps the record. A store has no opinions: what a load changes is
// decided by [Recorder], what a question means by the filters below, and both
// are the same for every store. All methods are safe for concurrent use, honour
// the context's deadline inside the database, and return errors that wrap the
// sentinel errors above where these apply.
type Store interface {
	// Read runs fn in one read transaction. The Reader is valid only inside fn
	// and for one goroutine.
	Read(ctx context.Context, fn func(Reader) error) error
	// Apply writes a batch in one transaction, all of it or nothing. It fails
	// with ErrLeaseLost when b.Lease is not the current one. After ErrAway it is
	// not known whether the batch was written; the same batch may be applied again.
	Apply(ctx context.Context, b *Batch) error
	// Lease takes, renews or gives up the right to write; see [LeaseRequest].
	// It returns the lease as it stands afterwards.
	Lease(ctx context.Context, req LeaseRequest) (Lease, error)
	// Learn extends the remembered vocabulary, and prepares the store for the
	// new types. The result is what the store now knows.
	Learn(ctx context.Context, types []RelationType) (*Vocabulary, error)
	// Close releases all resources.
	Close(ctx context.Context) error
}

// Reader answers questions inside one read transaction. Every method takes a
// batch and is one round trip.
type Reader interface {
	// Vocabulary returns the relation types that the store knows.
	Vocabulary() *Vocabulary
	// Identities returns which ids stand for the same entities. Like the
	// vocabulary, a change that another process makes may show a little later.
	// No other method heeds them: see [United].
	Identities() *Identities
	// Nodes returns the nodes with these ids; absent ids are absent from the
	// map, withdrawn nodes are present. Without detail only ID, Form, Kind,
	// Name, Canonical and Datasets are filled.
	Nodes(ctx context.Context, ids []string, detail bool) (map[string]*Node, error)
	// Relations returns a page of standing relations for each anchor.
	Relations(ctx context.Context, q *RelationQuery) ([]RelationPage, error)
	// Entities returns a page of entities.
	Entities(ctx context.Context, q *EntityQuery) (EntityPage, error)
	// Candidates returns every entity that could match the search, as
	// [SearchQuery] defines it, in any order; more is allowed, less is not.
	Candidates(ctx context.Context, q *SearchQuery) ([]*Node, error)
	// Held returns what the record holds under these ids, for comparison with
	// what a load brings, and for histories.
	Held(ctx context.Context, q *HeldQuery) (*Held, error)
	// Datasets returns what is known of each data set, by name.
	Datasets(ctx context.Context) ([]Dataset, error)
}

// Anchor says what the ids of a [RelationQuery] are.
type Anchor string

// The anchors.
const (
	AnchorNone   Anchor = "NONE"   // one list over the whole record; IDs is not used
	AnchorEntity Anchor = "ENTITY" // relations at each entity
	AnchorID     Anchor = "ID"     // the relations with these ids; one page a relation
	AnchorEvent  Anchor = "EVENT"  // relations that belong to each event
	AnchorAbout  Anchor = "ABOUT"  // relations that are about each relation or event
)

// RelationFilter chooses relations. A nil field does not filter; an empty list
// matches nothing. All fields must hold.
type RelationFilter struct {
	Types         []string
	Families      []string // PLOVER event classes, as stored with each relation
	Nature        *Nature
	Direction     Direction // seen from the anchor entity; "" is Any. Other anchors have no direction
	With          []string  // ids of the far end (of either end, where there is no anchor entity)
	WithKinds     []Kind    // kinds of the far end (of either end, where there is no anchor entity)
	Source        []string  // as stored, whatever the direction
	Target        []string  // as stored, whatever the direction
	AccreditedTo  []string
	During        *Window
	Certainty     Certainty // "" is Possible; Certain keeps only what certainly holds in During and AsOf
	Status        []Status
	DateBasis     []DateBasis
	About         []string
	Event         *string
	ClaimedBy     []string
	Place         []string
	CAMEO         []string // codes; a code includes the codes below it: 19 holds 190 to 196
	Dataset       []string
	MinConfidence *float64 // a relation without a confidence does not match
	// Within keeps only relations at an anchor entity whose two ends have the
	// same Canonical; other anchors do not heed it. [United] asks for it.
	Within bool
}

// RelationQuery asks for one page of relations for each anchor.
type RelationQuery struct {
	Anchor Anchor
	IDs    []string // distinct
	Filter RelationFilter
	AsOf   *Day // the world on that day; see [Bounds.AsOf]
	Order  Order
	After  *Key // only what comes after this key, in the order of the list
	Before *Key // only what comes before this key, in the order of the list
	// Limit is the largest number of rows a page; 0 asks for no rows.
	Limit int
	// Backward takes the last rows of the range instead of the first. Rows are
	// returned in the order of the list all the same.
	Backward bool
	// Count asks for the number of all relations that match, whatever the page.
	Count bool
	// Detail asks for all fields. Without it only ID, Type, Source, Target,
	// Date and Status are filled.
	Detail bool
}

// RelationPage is the page of one anchor.
type RelationPage struct {
	Anchor string // the id it was asked for; "" for AnchorNone
	Rows   []*Relation
	Count  int // when asked for
	// More says that the list goes on. Stores leave it to [Run].
	More bool
}

// EntityOrder is the order of a list of entities.
type EntityOrder string

// The orders of entities.
const (
	ByName EntityOrder = "NAME" // by folded name (see [Fold]), then id
	ByID   EntityOrder = "ID"
)

// EntityKey is the place of an entity in a list: its folded name (empty when
// the order is by id), then its id, both by code point.
type EntityKey struct{ Name, ID string }

// EntityFilter chooses entities. A nil field does not filter; an empty list
// matches nothing. All fields must hold. Withdrawn entities never match.
type EntityFilter struct {
	IDs        []string
	Kinds      []Kind
	ExternalID *ExternalID
	Office     []string // relation types: it, or an id that it stands for, holds such an office, with a factual status, as of AsOf where given
	Dataset    []string // is stated by one of these data sets
}

// EntityQuery asks for one page of entities.
type EntityQuery struct {
	Filter EntityFilter
	// AsOf keeps entities that possibly existed on that day.
	AsOf     *Day
	Order    EntityOrder
	After    *EntityKey
	Before   *EntityKey
	Limit    int
	Backward bool
	Count    bool
	Detail   bool
}

// EntityPage is a page of entities in the order of the list.
type EntityPage struct {
	Rows  []*Node
	Count int // when asked for
	// More says that the list goes on. Stores leave it to [Run].
	More bool
}

// SearchQuery finds candidates. A candidate has, for every word (for any word,
// when AnyWord is set), a search term (see [SearchTerms]) that is equal to the
// word's Exact terms or begins with its Prefix. Withdrawn entities are no
// candidates. Candidates have no detail but their aliases.
type SearchQuery struct {
	Words   []SearchWord
	AnyWord bool
	Kinds   []Kind // nil does not filter
}

// SearchWord is what one word of a search may match; see [SearchQuery].
type SearchWord struct {
	Prefix string
	Exact  []string
}

// HeldQuery asks what the record holds. All lists may be given at once.
type HeldQuery struct {
	Nodes     []string // ids: Statements of each
	Relations []string // ids: the standing version's Entry of each
	// Beginnings asks for the Entry of each standing relation whose id begins
	// with one of these texts, none of which is empty.
	Beginnings []string
	// History asks for all former versions of Nodes and Relations too, and
	// for the relations themselves.
	History bool
	// Dataset asks for the ids that a data set holds, in order of id, after
	// the id After, at most Limit: Entries.
	Dataset string
	// Every asks, instead of for those of a data set, for all ids under which
	// there is a version, be it a former one: IDs.
	Every Every
	After string
	Limit int
	// Journal asks for the journal: its end, and the batches after a place in it.
	Journal *JournalQuery
	// Identity asks for all standing judgements, and for the identities as
	// they are at this moment.
	Identity bool
	// Loaded asks whether this input of Dataset was loaded to its end.
	Loaded *Hash
	// Inputs asks for all inputs that were loaded to their end.
	Inputs bool
	// Walk asks for a page of a way through all versions.
	Walk *WalkQuery
	// Tombstones asks what was forgotten.
	Tombstones *TombstoneQuery
}

// WalkOver says what a [WalkQuery] goes through.
type WalkOver string

// What can be gone through, in all versions.
const (
	WalkStatements WalkOver = "STATEMENTS"
	WalkRelations  WalkOver = "RELATIONS"
	WalkFormer     WalkOver = "FORMER" // the versions of relations that do not stand
)

// WalkQuery asks for a page of a way through the whole record. The order is
// the store's own; what is not written meanwhile comes once.
type WalkQuery struct {
	Over  WalkOver
	After string // [Walk.Next] of the page before; "" for the first page
	Limit int    // versions at most; at least 1
	// Naming keeps what names one of these ids: events and judgements as
	// participant or place, relations as source, target, claimant, receiving
	// side, place, event, citation or what they are about. Nil keeps all.
	Naming []string
	// Text keeps relations with a note, an office, a unit or a quote.
	Text bool
}

// Walk is a page. It may hold less than the limit, even nothing, before the end.
type Walk struct {
	Statements []Statement
	Relations  []*Relation
	Next       string // to be given as After; "" at the end
}

// TombstoneQuery asks for the tombstones with these keys, and, with Roots, for
// those of all ids that were asked to be forgotten; All asks for every one.
type TombstoneQuery struct {
	Keys  []Hash
	Roots bool
	All   bool
}

// Tombstones is the answer to a [TombstoneQuery].
type Tombstones struct {
	Salt Salt        // nil where nothing was ever forgotten
	List []Tombstone // by At, then Key
	// Others counts, with Roots, those that are not roots.
	Others int
}

// Every says of what a [HeldQuery] asks for all ids.
type Every string

// What there are versions of.
const (
	EveryStatement Every = "STATEMENT" // about nodes, and judgements
	EveryRelation  Every = "RELATION"
)

// JournalQuery asks for the batches with a Seq greater than After, in order,
// at most Limit; 0 asks for the end of the journal alone.
type JournalQuery struct {
	After int64
	Limit int
}

// Journal is what loads have written, batch by batch, for those who follow.
type Journal struct {
	Last    int64 // Seq of the newest batch that changed relations; 0 where there is none
	Batches []JournalBatch
}

// JournalBatch names the relations that one batch changed. What became of each
// is in its versions: see [Changes].
type JournalBatch struct {
	Seq int64 // 1, 2, … in the order of writing, without gaps
	At  Instant
	// Relations are as [Batch.ChangedRelations] gives them; "" is in the place
	// of what was erased.
	Relations []string
}

// Entry is what a load must know of a standing thing: no content, only what
// tells whether it changed.
type Entry struct {
	ID       string
	Relation bool   // a relation; else a statement about a node
	Type     string // of relations
	Source   string // of relations
	Target   string // of relations
	Dataset  string
	Hash     Hash
	// RecordedAt is when the standing version of a relation entered the
	// record. It is not filled where the entries of a data set are listed.
	RecordedAt Instant
}

// Held is the answer to a [HeldQuery].
type Held struct {
	// Statements of each node: those that stand, and for data sets without a
	// standing one the newest former one (all former ones with History).
	Statements map[string][]Statement
	// Relations by id, standing ones.
	Relations map[string]Entry
	// Versions of each relation, standing one last, oldest first (with History).
	Versions map[string][]*Relation
	// Entries of a data set.
	Entries []Entry
	// IDs that have a version, each once.
	IDs []string
	// Journal, when it was asked for.
	Journal Journal
	// Judgements (statements of [FormIdentity], by id and data set) and
	// Identities, when they were asked for.
	Judgements []Statement
	Identities *Identities
	// Loaded is the moment of the edition that the input was which was asked
	// for; zero where it was not loaded to its end. LoadedUnder is its
	// [LoadedInput].Under, or zero where the record may no longer hold all that
	// it brought.
	Loaded      Instant
	LoadedUnder Hash
	// Inputs, by data set and hash, when they were asked for.
	Inputs []LoadedInput
	// Walk and Tombstones, when they were asked for.
	Walk       Walk
	Tombstones Tombstones
}

// Dataset is what the store remembers of a data set.
type Dataset struct {
	Name     string
	Title    string
	Priority int // higher wins where data sets differ on a single value
	// RecordedAt is the moment of its latest edition.
	RecordedAt Instant
	// Edition is a hash of that edition's input: a rerun of an interrupted
	// load is recognised by it.
	Edition Hash
	// Complete is false while that edition is being loaded, and after a load
	// that was interrupted.
	Complete bool
	// Written is how far an edition that is not complete has come.
	Written Written
}

// Written says how much of an edition is certainly in the store, for the rerun
// of an interrupted load to go on from there.
type Written struct {
	Parts int // calls of [Recorder.Record], from the first one on
	// Under is a hash of all that the parts depend on besides the input.
	Under Hash
}

// LoadedInput remembers that an input was loaded to its end, and at which
// moment it was recorded the first time.
type LoadedInput struct {
	Dataset string
	Input   Hash
	At      Instant
	// Under is a hash of all that it meant depends on besides the input.
	Under Hash
}

// Lease is the right to write, held by one load at a time.
type Lease struct {
	Holder string  // who, for people: host and process
	Token  string  // what tells one holder from the next; "" when nobody holds it
	Until  Instant // when it ends unless renewed
	// LastRecorded is the newest recordedAt in the store.
	LastRecorded Instant
}

// LeaseRequest asks for the lease. The store grants it when nobody holds it,
// when the present one has ended by Now, or when the holder's token is Token
// (a renewal) or Replace (the caller knows that the holder is gone). With
// Release the lease is given up if Token holds it. A refusal is no error: the
// returned lease has another token. [Lease.Answer] decides.
type LeaseRequest struct {
	Holder  string
	Token   string
	Replace string
	Now     Instant
	Until   Instant
	Release bool
}

// Answer decides on a request: it returns the lease as it stands afterwards, and
// whether that differs from l. Stores call it under a lock.
func (l Lease) Answer(req LeaseRequest) (after Lease, changed bool) {
	switch {
	case req.Release:
		if req.Token == "" || l.Token != req.Token {
			return l, false
		}
		l.Holder, l.Token, l.Until = "", "", 0
	case l.Token == "" || l.Until <= req.Now || l.Token == req.Token || l.Token == req.Replace:
		l.Holder, l.Token, l.Until = req.Holder, req.Token, req.Until
	default:
		return l, false
	}
	return l, true
}

// Batch is what one transaction writes. Everything in it carries one
// recordedAt. A batch that changes relations also adds itself to the journal.
type Batch struct {
	Lease string // token
	At    Instant
	// Dataset, when set, is stored as given (inserted or replaced).
	Dataset *Dataset
	// Loaded, when set, is stored as given (inserted or replaced).
	Loaded *LoadedInput
	// Doubted says that the record may no longer hold all that inputs brought
	// which were loaded before, of any data set. It counts before Loaded.
	Doubted bool
	// Statements enter the record; the standing statement of the same node and
	// data set, if any, is superseded at At.
	Statements []Statement
	// Retracted statements are superseded at At by nothing.
	Retracted []StatementKey
	// Nodes are the merged nodes whose statements changed, whole.
	Nodes []*Node
	// New are nodes of which nothing is known to be recorded, each with the
	// first statement about it. Where there is something all the same, nothing
	// is written and the error is [ErrTaken].
	New []NewNode
	// Regrouped says that Nodes change which ids stand for the same entities.
	Regrouped bool
	// Relations enter the record; the standing version with the same id, if
	// any, is superseded at At. Its type and ends may differ from the new one's.
	Relations []RelationWrite
	// Withdrawn relations are superseded at At by nothing.
	Withdrawn []Entry
	// Fresh says that no relation of the batch is known to stand. Where one
	// does all the same, nothing is written and the error is [ErrTaken].
	Fresh bool
	// Erase, when set, is taken out of the record before Nodes are written.
	Erase *Erasure
}

// NewNode is a node that the record has not known, and what is said of it.
type NewNode struct {
	Statement Statement
	Node      *Node
}

// StatementKey names the standing statement of a data set about a node.
type StatementKey struct{ ID, Dataset string }

// RelationWrite is a relation to store, with what stood under its id before.
type RelationWrite struct {
	*Relation
	Caption   string // what Neo4j Browser shows on the edge
	Symmetric bool   // as the vocabulary has it
	Nature    Nature // as the vocabulary has it
	Role      Role   // that the relation gives its source, or ""
	Office    bool   // as the vocabulary has it
	Former    *Entry // the standing version it replaces, or nil
}

// Write is the relation, which is of the type, with what the vocabulary says of
// it.
func (t *RelationType) Write(r *Relation) RelationWrite {
	return RelationWrite{
		Relation: r, Symmetric: t.Symmetric, Nature: t.Nature, Role: t.Role, Office: t.Office,
		Caption: t.Caption(r.Status, r.ClaimedBy != "" && r.ClaimedBy == r.Source),
	}
}
