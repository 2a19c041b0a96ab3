package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"chancery/graph"
)

const metaSalt = "salt" // of tombstones, in hexadecimal digits

// What is erased. A version is found by its id, moment and hash; each is in one
// of the two indexes over ids.
const (
	versionColumns = `SELECT row, source, target, sort_day, rest FROM relations `
	selectStands   = versionColumns + `INDEXED BY relations_standing WHERE id = ? AND superseded_at IS NULL AND recorded_at = ? AND hash = ?`
	selectFormer   = versionColumns + `INDEXED BY relations_former WHERE id = ? AND superseded_at IS NOT NULL AND recorded_at = ? AND hash = ?`
	deleteRelation = `DELETE FROM relations WHERE row = ?`
	updateRelation = `UPDATE relations SET event = ?, rest = ?, hash = ? WHERE row = ?`

	updateStatement  = `UPDATE statements SET content = ?, hash = ? WHERE id = ? AND dataset = ? AND recorded_at = ? AND hash = ?`
	deleteStatements = `DELETE FROM statements WHERE id = ?`
	selectEnds       = `SELECT id FROM adjacency WHERE entity = ? LIMIT 1`
	deleteNode       = `DELETE FROM nodes WHERE row = ?`

	selectJournalOf = `SELECT seq, recorded_at FROM journal WHERE recorded_at IN (SELECT value FROM json_each(?)) ORDER BY seq`
	selectJournal   = `SELECT relations FROM journal WHERE seq = ?`
	updateJournal   = `UPDATE journal SET relations = ? WHERE seq = ?`

	upsertTombstone  = `INSERT OR REPLACE INTO tombstones (key, root, form, at, done) VALUES (?, ?, ?, ?, ?)`
	deleteTombstones = `DELETE FROM tombstones WHERE root = ?`
)

// erase takes things out of the tables. What pages and the log still hold of
// them goes with scrub.
func (w *batchWriter) erase(e *graph.Erasure) error {
	for _, r := range e.Relations {
		if err := w.eraseRelation(r); err != nil {
			return err
		}
	}
	for i := range e.Rewritten {
		if err := w.rewrite(&e.Rewritten[i]); err != nil {
			return err
		}
	}
	for i := range e.Restated {
		s := &e.Restated[i]
		content, err := encodeContent(&s.Content, true)
		if err != nil {
			return fmt.Errorf("the statement of %s about %s: %w", s.Dataset, s.ID, err)
		}
		if _, err := w.exec(updateStatement, content, s.Hash[:], s.ID, s.Dataset, int64(s.RecordedAt), s.Was[:]); err != nil {
			return err
		}
	}
	for _, id := range e.Nodes {
		if err := w.eraseNode(id); err != nil {
			return err
		}
	}
	if err := w.eraseJournal(e.Journal()); err != nil {
		return err
	}
	if e.Salt != nil {
		if err := setMeta(w.ctx, w.tx, metaSalt, hex.EncodeToString(e.Salt)); err != nil {
			return err
		}
	}
	for i := range e.Tombstones {
		t := &e.Tombstones[i]
		if _, err := w.exec(upsertTombstone, t.Key[:], t.Of[:], string(t.Form), int64(t.At), t.Done); err != nil {
			return err
		}
	}
	for _, root := range e.Lifted {
		if _, err := w.exec(deleteTombstones, root[:]); err != nil {
			return err
		}
	}
	return nil
}

// stored is a version of a relation as it is in the table.
type stored struct {
	row, sortDay   int64
	source, target string
	about          []string
}

func (w *batchWriter) version(r *graph.Relation, hash graph.Hash) (v stored, found bool, err error) {
	query := selectStands
	if r.SupersededAt != 0 {
		query = selectFormer
	}
	var rest string
	err = w.queryRow(query, []any{r.ID, int64(r.RecordedAt), hash[:]}, &v.row, &v.source, &v.target, &v.sortDay, &rest)
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	if err != nil {
		return v, false, err
	}
	var old graph.Relation
	if err := decodeRest(rest, &old); err != nil {
		return v, false, fmt.Errorf("relation %s: %w", r.ID, err)
	}
	v.about = old.About
	return v, true, nil
}

func (w *batchWriter) eraseRelation(r *graph.Relation) error {
	v, found, err := w.version(r, r.Hash)
	if err != nil || !found {
		return err
	}
	if r.SupersededAt == 0 {
		if err := w.unlink(r.ID, &v); err != nil {
			return err
		}
	}
	_, err = w.exec(deleteRelation, v.row)
	return err
}

// unlink deletes what a standing version is found by.
func (w *batchWriter) unlink(id string, v *stored) error {
	ends := []string{v.source, v.target}
	for _, end := range slices.Compact(ends) {
		if _, err := w.exec(deleteAdjacency, end, v.sortDay, id); err != nil {
			return err
		}
	}
	for _, about := range v.about {
		if _, err := w.exec(deleteAbout, about, v.row); err != nil {
			return err
		}
	}
	return nil
}

func (w *batchWriter) rewrite(r *graph.RewrittenRelation) error {
	v, found, err := w.version(r.Relation, r.Was)
	if err != nil || !found {
		return err
	}
	rest, err := encodeRest(r.Relation)
	if err != nil {
		return fmt.Errorf("relation %s: %w", r.ID, err)
	}
	if r.SupersededAt == 0 {
		for _, about := range v.about {
			if !slices.Contains(r.About, about) {
				if _, err := w.exec(deleteAbout, about, v.row); err != nil {
					return err
				}
			}
		}
	}
	_, err = w.exec(updateRelation, r.Event, rest, r.Hash[:], v.row)
	return err
}

func (w *batchWriter) eraseNode(id string) error {
	if _, err := w.exec(deleteStatements, id); err != nil {
		return err
	}
	row, before, err := w.heldNode(id)
	if err != nil || row == 0 {
		return err
	}
	var relation string
	switch err := w.queryRow(selectEnds, []any{row}, &relation); {
	case err == nil:
		return fmt.Errorf("%s cannot be erased: the relation %s still ends there", id, relation)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	for _, part := range []struct {
		remove func(string, int64) error
		values []string
	}{{w.dropWord, before.words}, {w.dropExternalID, before.external}, {w.dropDataset, before.datasets}} {
		if _, err := difference(nil, row, part.values, nil, part.remove); err != nil {
			return err
		}
	}
	_, err = w.exec(deleteNode, row)
	return err
}

// eraseJournal edits the batches of some moments, one after the other, for they
// are large.
func (w *batchWriter) eraseJournal(edit graph.JournalEdit) error {
	if len(edit) == 0 {
		return nil
	}
	var moments []string
	for at := range edit {
		moments = append(moments, strconv.FormatInt(int64(at), 10))
	}
	st, err := w.statement(selectJournalOf)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(w.ctx, "["+strings.Join(moments, ",")+"]")
	if err != nil {
		return err
	}
	type batch struct{ seq, at int64 }
	var batches []batch
	for rows.Next() {
		var b batch
		if err := rows.Scan(&b.seq, &b.at); err != nil {
			return errors.Join(err, rows.Close())
		}
		batches = append(batches, b)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, b := range batches {
		var text string
		if err := w.queryRow(selectJournal, []any{b.seq}, &text); err != nil {
			return err
		}
		relations, err := decodeTexts(text)
		if err != nil {
			return fmt.Errorf("batch %d of the journal: %w", b.seq, err)
		}
		if edit.Apply(graph.Instant(b.at), relations) {
			if _, err := w.exec(updateJournal, jsonList(relations), b.seq); err != nil {
				return err
			}
		}
	}
	return nil
}

// scrub writes the file anew without what was erased (VACUUM), and empties the
// log. It waits for readers that still look at what was there before.
func (s *Store) scrub(ctx context.Context, lease string) error {
	const doing = "clean up"
	err := s.write(ctx, doing, func(tx *sql.Tx) error {
		_, err := s.holding(ctx, tx, lease)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := s.writer.ExecContext(ctx, "VACUUM"); err != nil {
		return s.failure(ctx, doing, err)
	}
	const pause = 20 * time.Millisecond
	for tries := 0; ; tries++ {
		var busy, pages, done int64
		if err := s.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done); err != nil && !isBusy(err) {
			return s.failure(ctx, doing, err)
		} else if err == nil && busy == 0 {
			return nil
		}
		if tries*int(pause) > int(lockWait) {
			return fmt.Errorf("cannot clean up the store %s: another program goes on reading what was there before; end that program, and do this again: %w",
				s.path, graph.ErrUnavailable)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return s.failure(ctx, doing, ctx.Err())
		}
	}
}

// Ways through everything, in the order of rows; former versions are few, and
// go by their index. What names an id in a column is found in SQL; what may do
// so in JSON is looked at again.
const (
	walkColumns   = `SELECT r.row, ` + detailColumns + ` FROM relations r `
	walkRelations = walkColumns + `WHERE r.row > ?1`
	walkOrder     = ` ORDER BY r.row LIMIT ?2`
	walkText      = ` AND r.rest <> ''`
	walkNaming    = ` AND (r.source IN (SELECT value FROM json_each(?3)) OR r.target IN (SELECT value FROM json_each(?3))
		OR r.claimed_by IN (SELECT value FROM json_each(?3)) OR r.accredited_to IN (SELECT value FROM json_each(?3))
		OR r.event IN (SELECT value FROM json_each(?3))
		OR r.rest <> '' AND EXISTS (SELECT 1 FROM json_each(?4) w WHERE instr(r.rest, w.value) > 0))`
	walkFormer     = walkColumns + `INDEXED BY relations_former WHERE r.superseded_at IS NOT NULL AND (r.id, r.recorded_at, r.row) > (?1, ?3, ?4) ORDER BY r.id, r.recorded_at, r.row LIMIT ?2`
	walkStatements = `SELECT s.row, s.id, s.dataset, s.content, s.hash, s.recorded_at, s.superseded_at FROM statements s WHERE s.row > ?1`
	walkNamingIt   = ` AND EXISTS (SELECT 1 FROM json_each(?3) w WHERE instr(s.content, w.value) > 0)`
	walkInOrder    = ` ORDER BY s.row LIMIT ?2`
)

// walk reads a page.
func (r *reader) walk(ctx context.Context, q *graph.WalkQuery) (w graph.Walk, err error) {
	read, next := 0, ""
	is := func(id string) bool { return slices.Contains(q.Naming, id) }
	after, recorded, row := q.After, int64(0), int64(0)
	if q.Over == graph.WalkFormer {
		if q.After != "" {
			var place formerPlace
			if err := json.Unmarshal([]byte(q.After), &place); err != nil {
				return w, fmt.Errorf("%q is no place in the record", q.After)
			}
			after, recorded, row = place.ID, place.RecordedAt, place.Row
		}
	} else if q.After != "" {
		if row, err = strconv.ParseInt(q.After, 10, 64); err != nil {
			return w, fmt.Errorf("%q is no place in the record", q.After)
		}
	}
	relation := func(v *values) error {
		at := v.integer()
		rel, err := r.relation(ctx, v, true)
		if err != nil {
			return err
		}
		read++
		next = strconv.FormatInt(at, 10)
		if q.Over == graph.WalkFormer {
			text, err := json.Marshal(formerPlace{rel.ID, int64(rel.RecordedAt), at})
			if err != nil {
				return err
			}
			next = string(text)
		}
		if (q.Naming == nil || rel.Naming(is)) && (!q.Text || rel.HasText()) {
			w.Relations = append(w.Relations, rel)
		}
		return nil
	}
	switch q.Over {
	case graph.WalkFormer:
		err = r.scan(ctx, walkFormer, []any{after, q.Limit, recorded, row}, 1+detailWidth, relation)
	case graph.WalkRelations:
		text, args := walkRelations, []any{row, q.Limit}
		if q.Text {
			text += walkText
		}
		if q.Naming != nil {
			text += walkNaming
			args = append(args, jsonList(q.Naming), jsonList(quoted(q.Naming)))
		}
		err = r.scan(ctx, text+walkOrder, args, 1+detailWidth, relation)
	default:
		text, args := walkStatements, []any{row, q.Limit}
		if q.Naming != nil {
			text += walkNamingIt
			args = append(args, jsonList(quoted(q.Naming)))
		}
		err = r.scan(ctx, text+walkInOrder, args, 7, func(v *values) error {
			next = strconv.FormatInt(v.integer(), 10)
			s := graph.Statement{ID: v.text(), Dataset: v.text()}
			content := v.text()
			s.Hash, s.RecordedAt, s.SupersededAt = v.hash(), graph.Instant(v.integer()), graph.Instant(v.integer())
			if err := decodeContent(content, &s.Content, true); err != nil {
				return fmt.Errorf("%s: the statement of %s about %s cannot be read: %w", r.store.path, s.Dataset, s.ID, err)
			}
			read++
			if q.Naming == nil || s.Content.Naming(is) {
				w.Statements = append(w.Statements, s)
			}
			return nil
		})
	}
	if err != nil {
		return graph.Walk{}, err
	}
	if read == q.Limit {
		w.Next = next
	}
	return w, nil
}

// formerPlace is a place among former versions.
type formerPlace struct {
	ID         string
	RecordedAt int64
	Row        int64
}

// quoted are texts as they stand in JSON.
func quoted(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		text, _ := json.Marshal(t) // a string cannot fail
		out[i] = string(text)
	}
	return out
}

const (
	tombstoneColumns  = `SELECT t.key, t.root, t.form, t.at, t.done FROM `
	tombstonesByKey   = tombstoneColumns + `json_each(?) w CROSS JOIN tombstones t ON t.key = unhex(w.value)`
	tombstonesAll     = tombstoneColumns + `tombstones t`
	tombstoneRoots    = tombstoneColumns + `tombstones t INDEXED BY tombstones_roots WHERE t.key = t.root`
	tombstonesCounted = `SELECT count(*) FROM tombstones`
	selectSalt        = `SELECT value FROM meta WHERE key = 'salt'`
)

func (r *reader) tombstones(ctx context.Context, q *graph.TombstoneQuery) (t graph.Tombstones, err error) {
	err = r.scan(ctx, selectSalt, nil, 1, func(v *values) (err error) {
		t.Salt, err = hex.DecodeString(v.text())
		return err
	})
	if err != nil || len(t.Salt) == 0 {
		return t, err
	}
	seen := map[graph.Hash]bool{}
	roots := 0
	read := func(v *values) error {
		one := graph.Tombstone{Key: v.hash(), Of: v.hash(), Form: graph.Form(v.text()), At: graph.Instant(v.integer()), Done: v.integer() != 0}
		if !seen[one.Key] {
			seen[one.Key] = true
			t.List = append(t.List, one)
		}
		return nil
	}
	if q.Roots {
		if err := r.scan(ctx, tombstoneRoots, nil, 5, read); err != nil {
			return t, err
		}
		roots = len(t.List)
		err := r.scan(ctx, tombstonesCounted, nil, 1, func(v *values) error {
			t.Others = int(v.integer()) - roots
			return nil
		})
		if err != nil {
			return t, err
		}
	}
	if q.All {
		if err := r.scan(ctx, tombstonesAll, nil, 5, read); err != nil {
			return t, err
		}
	}
	if len(q.Keys) > 0 {
		keys := make([]string, len(q.Keys))
		for i, k := range q.Keys {
			keys[i] = k.String()
		}
		if err := r.scan(ctx, tombstonesByKey, []any{jsonList(keys)}, 5, read); err != nil {
			return t, err
		}
	}
	slices.SortFunc(t.List, graph.CompareTombstones)
	return t, nil
}
