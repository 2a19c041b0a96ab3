package graph

import (
	"context"
	"errors"
	"strconv"
)

// ChangedRelations is what the journal keeps of a batch: each relation that it
// withdraws, then each that it records, as a mark (-, + or, where it replaces a
// version, ~) and its id.
func (b *Batch) ChangedRelations() []string {
	if len(b.Withdrawn)+len(b.Relations) == 0 {
		return nil
	}
	marked := make([]string, 0, len(b.Withdrawn)+len(b.Relations))
	for i := range b.Withdrawn {
		marked = append(marked, markWithdrawn+b.Withdrawn[i].ID)
	}
	for i := range b.Relations {
		mark := markRecorded
		if b.Relations[i].Former != nil {
			mark = markCorrected
		}
		marked = append(marked, mark+b.Relations[i].ID)
	}
	return marked
}

// The marks of the journal.
const (
	markRecorded  = "+"
	markCorrected = "~"
	markWithdrawn = "-"
)

// ErrUnsettled says that the newest batch of the journal is still becoming
// visible: a store that does not isolate its readers from a commit shows parts
// of it for a moment. Ask again a little later.
var ErrUnsettled = errors.New("the newest batch is still being written")

// ChangeKind is what a load did to a relation.
type ChangeKind string

// The kinds of changes.
const (
	Recorded  ChangeKind = "RECORDED"  // it entered the record
	Corrected ChangeKind = "CORRECTED" // a new version took the place of the standing one
	Withdrawn ChangeKind = "WITHDRAWN" // its data set no longer states it
)

// Position is a place in the journal: behind the N-th relation of the batch
// Seq, counted from 1. The zero Position is before everything.
type Position struct {
	Seq int64
	N   int
}

// Cursor names the position. It is opaque to clients, and holds for as long as
// the store does: the journal only grows.
func (p Position) Cursor() string {
	return encodeCursor("j", "", strconv.FormatInt(p.Seq, 10), strconv.Itoa(p.N))
}

// ParsePosition reads what [Position.Cursor] wrote, else it returns [ErrCursor].
func ParsePosition(cursor string) (Position, error) {
	parts, ok := decodeCursor(cursor, "j", "")
	if !ok {
		return Position{}, ErrCursor
	}
	seq, err := strconv.ParseInt(parts[0], 10, 64)
	n, err2 := strconv.Atoi(parts[1])
	if err != nil || err2 != nil || seq < 0 || n < 0 {
		return Position{}, ErrCursor
	}
	return Position{seq, n}, nil
}

// Change is one thing that a load did to a relation.
type Change struct {
	Position Position // behind it
	Kind     ChangeKind
	At       Instant // the recordedAt of the load
	// Relation is the version that entered the record; of a withdrawn
	// relation, the one that left it. Later loads may have superseded it.
	Relation *Relation
}

// changesAtOnce bounds how many changes are read in one transaction.
const changesAtOnce = 1000

// Changes reads what loads did after a position, oldest first. The second
// result is the position to go on from: the end of what was looked at, which
// is the position given once nothing follows. A batch of which the store shows
// only a part is read as far as it is there; where that is not at all, Changes
// returns [ErrUnsettled].
func Changes(ctx context.Context, tx Reader, after Position) ([]Change, Position, error) {
	tx = United(tx)
	// The batch of the position itself may have relations behind it.
	const atOnce = 2
	before := max(after.Seq-1, 0)
	held, err := tx.Held(ctx, &HeldQuery{Journal: &JournalQuery{After: before, Limit: atOnce}})
	if err != nil {
		return nil, after, err
	}
	if there := int64(len(held.Journal.Batches)); there < min(atOnce, held.Journal.Last-before) {
		return nil, after, ErrUnsettled
	}
	var changes []Change
	var ids []string
	end := after // of what was looked at
	for _, b := range held.Journal.Batches {
		first := 0
		if b.Seq == after.Seq {
			first = min(after.N, len(b.Relations))
		}
		for n := first; n < len(b.Relations) && len(changes) < changesAtOnce; n++ {
			end = Position{b.Seq, n + 1}
			if b.Relations[n] == "" { // erased
				continue
			}
			mark, id := b.Relations[n][:1], b.Relations[n][1:]
			changes = append(changes, Change{Position: end, Kind: kindOf[mark], At: b.At})
			ids = append(ids, id)
		}
	}
	if len(changes) == 0 {
		return nil, end, nil
	}
	versions, err := tx.Held(ctx, &HeldQuery{Relations: distinctIDs(ids), History: true})
	if err != nil {
		return nil, after, err
	}
	for i := range changes {
		if !changes[i].of(versions.Versions[ids[i]]) {
			if i == 0 {
				return nil, after, ErrUnsettled
			}
			return changes[:i], changes[i-1].Position, nil
		}
	}
	return changes, end, nil
}

var kindOf = map[string]ChangeKind{markRecorded: Recorded, markCorrected: Corrected, markWithdrawn: Withdrawn}

func distinctIDs(ids []string) []string {
	var set idSet
	set.add(ids...)
	return set.list
}

// of finds the version that the change is about among those of its relation,
// oldest first. It is false while they do not show the whole of the change.
func (c *Change) of(versions []*Relation) bool {
	superseded := c.Kind == Recorded
	for _, v := range versions {
		if v.SupersededAt == c.At {
			superseded = true
			if c.Kind == Withdrawn {
				c.Relation = v
			}
		}
		if v.RecordedAt == c.At && c.Kind != Withdrawn {
			c.Relation = v
		}
	}
	return superseded && c.Relation != nil
}

// JournalEnd is the position behind all that was written so far.
func JournalEnd(ctx context.Context, tx Reader) (Position, error) {
	held, err := tx.Held(ctx, &HeldQuery{Journal: &JournalQuery{}})
	if err != nil {
		return Position{}, err
	}
	// No batch of the future has this number, so that N does not matter.
	return Position{held.Journal.Last + 1, 0}, nil
}
