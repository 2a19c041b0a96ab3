package graph

import (
	"context"
	"strconv"
)

// ChangedRelations are the ids of the relations that a batch withdraws, then of
// those that it records, as the journal keeps them.
func (b *Batch) ChangedRelations() []string {
	if len(b.Withdrawn)+len(b.Relations) == 0 {
		return nil
	}
	ids := make([]string, 0, len(b.Withdrawn)+len(b.Relations))
	for i := range b.Withdrawn {
		ids = append(ids, b.Withdrawn[i].ID)
	}
	for i := range b.Relations {
		ids = append(ids, b.Relations[i].ID)
	}
	return ids
}

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
// is the position given once nothing follows.
func Changes(ctx context.Context, tx Reader, after Position) ([]Change, Position, error) {
	// The batch of the position itself may have relations behind it.
	held, err := tx.Held(ctx, &HeldQuery{Journal: &JournalQuery{After: max(after.Seq-1, 0), Limit: 2}})
	if err != nil {
		return nil, after, err
	}
	var changes []Change
	var ids []string
	end := after
	for _, b := range held.Journal.Batches {
		first := 0
		if b.Seq == after.Seq {
			first = min(after.N, len(b.Relations))
		}
		for n := first; n < len(b.Relations) && len(changes) < changesAtOnce; n++ {
			end = Position{b.Seq, n + 1}
			changes = append(changes, Change{Position: end, At: b.At})
			ids = append(ids, b.Relations[n])
		}
	}
	if len(changes) == 0 {
		return nil, after, nil
	}
	versions, err := tx.Held(ctx, &HeldQuery{Relations: distinctIDs(ids), History: true})
	if err != nil {
		return nil, after, err
	}
	found := changes[:0]
	for i, c := range changes {
		if c.of(versions.Versions[ids[i]]) {
			found = append(found, c)
		}
	}
	return found, end, nil
}

func distinctIDs(ids []string) []string {
	var set idSet
	set.add(ids...)
	return set.list
}

// of finds out what a change did from the versions of its relation, oldest
// first. It is false where the record no longer holds them.
func (c *Change) of(versions []*Relation) bool {
	for i, v := range versions {
		switch {
		case v.RecordedAt == c.At:
			c.Kind, c.Relation = Recorded, v
			if i > 0 && versions[i-1].SupersededAt == c.At {
				c.Kind = Corrected
			}
			return true
		case v.SupersededAt == c.At && c.Relation == nil:
			c.Kind, c.Relation = Withdrawn, v // unless a version follows
		}
	}
	return c.Relation != nil
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
