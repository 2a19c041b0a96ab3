package sqlitestore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"chancery/graph"
)

// What is written. Statements that take many rows are told how many by
// placeholders. They say OR FAIL where their failing ends the transaction
// anyway: otherwise SQLite keeps a copy of each page that they touch, so as to
// undo them alone. For the same reason they leave the row to SQLite, which
// takes the one behind the last.
const (
	upsertDataset = `INSERT INTO datasets (name, title, priority, recorded_at, edition, complete, written, written_under)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET title = excluded.title, priority = excluded.priority,
		recorded_at = excluded.recorded_at, edition = excluded.edition, complete = excluded.complete,
		written = excluded.written, written_under = excluded.written_under`
	upsertLoaded = `INSERT INTO loaded (dataset, input, recorded_at, under) VALUES (?, ?, ?, ?)
		ON CONFLICT (dataset, input) DO UPDATE SET recorded_at = excluded.recorded_at, under = excluded.under`
	doubtLoaded = `UPDATE loaded SET under = zeroblob(16)`

	// What this very moment has recorded already is left as it is, so that a
	// batch may be written again.
	supersedeStatement = `UPDATE statements SET superseded_at = ?1
		WHERE dataset = ?2 AND id = ?3 AND superseded_at IS NULL AND NOT (recorded_at = ?1 AND hash = ?4)`
	retractStatement = `UPDATE statements SET superseded_at = ? WHERE dataset = ? AND id = ? AND superseded_at IS NULL`
	insertStatement  = `INSERT INTO statements (id, dataset, content, hash, recorded_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (dataset, id) WHERE superseded_at IS NULL DO NOTHING`

	selectNode = `SELECT row, form, name, datasets, aliases, content FROM nodes WHERE id = ?`
	insertNode = `INSERT INTO nodes (id, form, kind, name, folded, canonical, datasets, aliases, earliest, latest, content)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	updateNode = `UPDATE nodes SET form = ?, kind = ?, name = ?, folded = ?, canonical = ?, datasets = ?, aliases = ?,
		earliest = ?, latest = ?, content = ? WHERE row = ?`
	selectLastNode    = `SELECT coalesce(max(row), 0) FROM nodes`
	deleteNodeDataset = `DELETE FROM node_datasets WHERE dataset = ? AND node = ?`
	deleteExternalID  = `DELETE FROM external_ids WHERE external = ? AND node = ?`

	// The words of names. A word goes with the last node that has it.
	selectWords     = `SELECT w.value, coalesce(s.row, 0) FROM json_each(?) w LEFT JOIN search_words s ON s.word = w.value`
	selectLastWord  = `SELECT coalesce(max(row), 0) FROM search_words`
	deleteWordNode  = `DELETE FROM word_nodes WHERE word = (SELECT s.row FROM search_words s WHERE s.word = ?) AND node = ?`
	selectUnused    = `SELECT s.row FROM search_words s WHERE s.word = ? AND NOT EXISTS (SELECT 1 FROM word_nodes h WHERE h.word = s.row)`
	deleteDeletions = `DELETE FROM word_deletions WHERE deletion IN (SELECT value FROM json_each(?)) AND word = ?`
	deleteWord      = `DELETE FROM search_words WHERE row = ?`

	insertType     = `INSERT INTO types (name) VALUES (?)`
	selectEntities = `SELECT n.id, n.row FROM json_each(?) w CROSS JOIN nodes n ON n.id = w.value WHERE n.form = 'ENTITY'`
	selectLastRow  = `SELECT coalesce(max(row), 0) FROM relations`

	insertAbout = `INSERT INTO relation_about (about, relation) VALUES (?, ?) ON CONFLICT DO NOTHING`

	insertJournal = `INSERT INTO journal (seq, recorded_at, relations) SELECT coalesce(max(seq), 0) + 1, ?, ? FROM journal`

	selectStanding  = `SELECT row, source, target, sort_day, rest, hash, recorded_at FROM relations WHERE id = ? AND superseded_at IS NULL`
	endRelation     = `UPDATE relations SET superseded_at = ? WHERE row = ?`
	deleteAdjacency = `DELETE FROM adjacency WHERE entity = (SELECT n.row FROM nodes n WHERE n.id = ?) AND sort_day = ? AND id = ?`
	deleteAbout     = `DELETE FROM relation_about WHERE about = ? AND relation = ?`
)

// What is inserted in bulk. Relations that may be taken are inserted again, when
// what stands has made room; fresh ones are not. Columns that often have the
// same value stand side by side.
var (
	theNodes      = newTable(`INSERT OR FAIL INTO nodes`, `id form kind name folded canonical datasets aliases earliest latest content`, 32)
	theStatements = newTable(`INSERT OR FAIL INTO statements`, `id dataset content hash recorded_at`, 32)
	nodeDatasets  = newTable(`INSERT OR FAIL INTO node_datasets`, `dataset node`, 64)
	externalIDs   = newTable(`INSERT OR FAIL INTO external_ids`, `external node`, 64)
	searchWords   = newTable(`INSERT OR FAIL INTO search_words`, `word`, 64)
	wordNodes     = newTable(`INSERT OR FAIL INTO word_nodes`, `word node`, 64)
	wordDeletions = newTable(`INSERT OR FAIL INTO word_deletions`, `deletion word`, 64)

	relationColumns = `id type standing source target edtf earliest certain_from certain_to latest sort_day start_kind end_kind basis status
		claimed_by accredited_to event cameo family goldstein confidence dataset rest hash recorded_at`
	theRelations   = newTable(`INSERT INTO relations`, relationColumns, relationRows)
	freshRelations = newTable(`INSERT OR FAIL INTO relations`, relationColumns, relationRows)
	theAdjacency   = newTable(`INSERT OR FAIL INTO adjacency`, `entity id relation traits type status sort_day earliest latest other`, 32)
)

const relationRows = 16

// batchWriter writes one batch. It prepares each statement once.
type batchWriter struct {
	ctx      context.Context // whose end is looked for between statements
	conn     *sql.Conn
	tx       *sql.Tx // of conn
	at       graph.Instant
	fresh    bool // see [graph.Batch]
	prepared map[string]*sql.Stmt

	inserters map[*table]*inserter
	raw       map[string]statement

	entities map[string]int64 // rows of entities
	types    map[string]int64 // codes of types

	written map[int64]bool // nodes of this batch
	words   []pair         // not yet inserted
	marks   []pair
	known   []pair
}

func newBatchWriter(ctx context.Context, conn *sql.Conn, tx *sql.Tx) *batchWriter {
	return &batchWriter{ctx: ctx, conn: conn, tx: tx, prepared: map[string]*sql.Stmt{},
		inserters: map[*table]*inserter{}, raw: map[string]statement{}, written: map[int64]bool{}}
}

// pair is a text with the row that it belongs to.
type pair struct {
	text string
	row  int64
}

func comparePairs(a, b pair) int {
	return cmp.Or(cmp.Compare(a.text, b.text), cmp.Compare(a.row, b.row))
}

// Apply implements [graph.Store].
func (s *Store) Apply(ctx context.Context, b *graph.Batch) error {
	if b.Erase != nil && b.Erase.Scrub {
		return s.scrub(ctx, b.Lease)
	}
	return s.writeOn(ctx, "write to", func(conn *sql.Conn, tx *sql.Tx) error {
		lease, err := s.holding(ctx, tx, b.Lease)
		if err != nil {
			return err
		}
		w := newBatchWriter(ctx, conn, tx)
		defer w.close()
		w.at, w.fresh = b.At, b.Fresh
		if err := w.batch(b); err != nil {
			return err
		}
		if b.At > lease.LastRecorded {
			return setMeta(ctx, tx, metaLastRecorded, int64(b.At))
		}
		return nil
	})
}

// holding is the lease, which must be held by this token.
func (s *Store) holding(ctx context.Context, tx *sql.Tx, token string) (graph.Lease, error) {
	lease, err := readLease(ctx, tx)
	if err == nil && (token == "" || lease.Token != token) {
		err = fmt.Errorf("%s: %w", s.path, graph.ErrLeaseLost)
	}
	return lease, err
}

// Watching a context costs more than a short statement does. So statements
// run without, and its end is looked for before each.

func (w *batchWriter) statement(text string) (*sql.Stmt, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	if st := w.prepared[text]; st != nil {
		return st, nil
	}
	st, err := w.tx.PrepareContext(w.ctx, text)
	if err == nil {
		w.prepared[text] = st
	}
	return st, err
}

func (w *batchWriter) exec(text string, args ...any) (sql.Result, error) {
	st, err := w.statement(text)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(context.Background(), args...)
}

func (w *batchWriter) queryRow(text string, args []any, into ...any) error {
	st, err := w.statement(text)
	if err != nil {
		return err
	}
	return st.QueryRowContext(context.Background(), args...).Scan(into...)
}

func (w *batchWriter) pairs(text string, args ...any) (out []pair, err error) {
	st, err := w.statement(text)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(w.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var p pair
		if err := rows.Scan(&p.text, &p.row); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func (w *batchWriter) batch(b *graph.Batch) error {
	if b.Erase != nil {
		if err := w.erase(b.Erase); err != nil {
			return err
		}
	}
	if d := b.Dataset; d != nil {
		_, err := w.exec(upsertDataset, d.Name, d.Title, d.Priority, int64(d.RecordedAt), d.Edition[:], d.Complete, d.Written.Parts, d.Written.Under[:])
		if err != nil {
			return err
		}
	}
	if b.Doubted {
		if _, err := w.exec(doubtLoaded); err != nil {
			return err
		}
	}
	if l := b.Loaded; l != nil {
		if _, err := w.exec(upsertLoaded, l.Dataset, l.Input[:], int64(l.At), l.Under[:]); err != nil {
			return err
		}
	}
	for i := range b.Statements {
		if err := w.state(&b.Statements[i]); err != nil {
			return err
		}
	}
	for _, k := range b.Retracted {
		if _, err := w.exec(retractStatement, int64(w.at), k.Dataset, k.ID); err != nil {
			return err
		}
	}
	for _, n := range b.Nodes {
		if err := w.node(n); err != nil {
			return err
		}
	}
	if err := w.newNodes(b.New); err != nil {
		if isTaken(err) {
			return graph.ErrTaken
		}
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	if b.Regrouped {
		if err := revise(w.ctx, w.tx); err != nil {
			return err
		}
	}
	for i := range b.Withdrawn {
		if _, err := w.supersede(b.Withdrawn[i].ID, nil); err != nil {
			return err
		}
	}
	if err := w.relations(b.Relations); err != nil {
		return err
	}
	if changed := b.ChangedRelations(); len(changed) > 0 {
		_, err := w.exec(insertJournal, int64(b.At), jsonList(changed))
		return err
	}
	return nil
}

func (w *batchWriter) state(s *graph.Statement) error {
	content, err := encodeContent(&s.Content, true)
	if err != nil {
		return fmt.Errorf("the statement of %s about %s: %w", s.Dataset, s.ID, err)
	}
	if _, err := w.exec(supersedeStatement, int64(w.at), s.Dataset, s.ID, s.Hash[:]); err != nil {
		return err
	}
	_, err = w.exec(insertStatement, s.ID, s.Dataset, content, s.Hash[:], int64(s.RecordedAt))
	return err
}

// node inserts or replaces a node, and keeps what it is found by up to date.
func (w *batchWriter) node(n *graph.Node) error {
	content, err := encodeContent(&n.Content, false)
	if err != nil {
		return fmt.Errorf("%s: %w", n.ID, err)
	}
	columns := nodeValues(nil, n, content)
	row, before, err := w.heldNode(n.ID)
	if err != nil {
		return err
	}
	if row == 0 {
		result, err := w.exec(insertNode, append([]any{n.ID}, columns...)...)
		if err != nil {
			return err
		}
		if row, err = result.LastInsertId(); err != nil {
			return err
		}
	} else {
		if w.written[row] { // twice in one batch
			if err := w.flush(); err != nil {
				return err
			}
		}
		if _, err := w.exec(updateNode, append(columns, row)...); err != nil {
			return err
		}
	}
	w.written[row] = true
	after := foundBy(n)
	if w.words, err = difference(w.words, row, before.words, after.words, w.dropWord); err != nil {
		return err
	}
	if w.known, err = difference(w.known, row, before.external, after.external, w.dropExternalID); err != nil {
		return err
	}
	if w.marks, err = difference(w.marks, row, before.datasets, after.datasets, w.dropDataset); err != nil {
		return err
	}
	return w.flushMany()
}

// nodeValues appends what is stored of a node, but for its id.
func nodeValues(to []any, n *graph.Node, content string) []any {
	latest := n.Date.Latest
	if n.Date == (graph.Date{}) {
		latest = graph.MaxDay
	}
	return append(to, string(n.Form), string(n.Kind), n.Name, graph.Fold(n.Name), n.Canonical, encodeTexts(n.Datasets),
		encodeTexts(n.Aliases), int64(n.Date.Earliest), int64(latest), content)
}

// newNodes inserts nodes that are not there, with the statements about them.
func (w *batchWriter) newNodes(list []graph.NewNode) error {
	if len(list) == 0 {
		return nil
	}
	var last int64
	if err := w.queryRow(selectLastNode, nil, &last); err != nil {
		return err
	}
	err := w.bulk(theStatements, len(list), func(i int, args []any) ([]any, error) {
		s := &list[i].Statement
		content, err := encodeContent(&s.Content, true)
		if err != nil {
			return nil, fmt.Errorf("the statement of %s about %s: %w", s.Dataset, s.ID, err)
		}
		return append(args, s.ID, s.Dataset, content, s.Hash[:], int64(s.RecordedAt)), nil
	})
	if err != nil {
		return err
	}
	err = w.bulk(theNodes, len(list), func(i int, args []any) ([]any, error) {
		n := list[i].Node
		content, err := encodeContent(&n.Content, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.ID, err)
		}
		return nodeValues(append(args, n.ID), n, content), nil
	})
	if err != nil {
		return err
	}
	for i := range list {
		row := last + 1 + int64(i)
		is := foundBy(list[i].Node)
		for _, part := range []struct {
			to    *[]pair
			texts []string
		}{{&w.words, is.words}, {&w.known, is.external}, {&w.marks, is.datasets}} {
			for _, text := range part.texts {
				*part.to = append(*part.to, pair{text, row})
			}
		}
		if err := w.flushMany(); err != nil {
			return err
		}
	}
	return nil
}

// heldNode is the row of a node, with what it is found by; 0 where there is none.
func (w *batchWriter) heldNode(id string) (row int64, by found, err error) {
	var old graph.Node
	var form, datasets, aliases, content string
	err = w.queryRow(selectNode, []any{id}, &row, &form, &old.Name, &datasets, &aliases, &content)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, by, nil
	}
	if err != nil {
		return 0, by, err
	}
	var errNames, errSets error
	old.Form = graph.Form(form)
	old.Aliases, errNames = decodeTexts(aliases)
	old.Datasets, errSets = decodeTexts(datasets)
	if err := errors.Join(decodeContent(content, &old.Content, false), errNames, errSets); err != nil {
		return 0, by, fmt.Errorf("%s: %w", id, err)
	}
	return row, foundBy(&old), nil
}

// found is what a node is found by.
type found struct{ words, external, datasets []string }

// foundBy is nothing for withdrawn nodes.
func foundBy(n *graph.Node) found {
	f := found{datasets: n.Datasets}
	if n.Form != graph.FormEntity || n.Withdrawn() {
		return f
	}
	f.words = graph.SearchWords(n.Name, n.Aliases)
	for _, e := range n.ExternalIDs {
		f.external = append(f.external, e.String())
	}
	return f
}

// difference deletes what is no longer there, and appends what is new.
func difference(to []pair, node int64, before, after []string, remove func(string, int64) error) ([]pair, error) {
	has := make(map[string]bool, len(before))
	for _, v := range before {
		has[v] = true
	}
	for _, v := range after {
		if !has[v] {
			to = append(to, pair{v, node})
		}
		delete(has, v)
	}
	for _, v := range before {
		if has[v] {
			delete(has, v)
			if err := remove(v, node); err != nil {
				return to, err
			}
		}
	}
	return to, nil
}

func (w *batchWriter) dropExternalID(id string, node int64) error {
	_, err := w.exec(deleteExternalID, id, node)
	return err
}

func (w *batchWriter) dropDataset(name string, node int64) error {
	_, err := w.exec(deleteNodeDataset, name, node)
	return err
}

// dropWord takes a word from a node. What deletions make of it stays as long as
// any other node has it.
func (w *batchWriter) dropWord(word string, node int64) error {
	if _, err := w.exec(deleteWordNode, word, node); err != nil {
		return err
	}
	var unused int64
	switch err := w.queryRow(selectUnused, []any{word}, &unused); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	if _, err := w.exec(deleteDeletions, jsonList(graph.Deletions(word)), unused); err != nil {
		return err
	}
	_, err := w.exec(deleteWord, unused)
	return err
}

// flushWords gives nodes the words that are waiting, which are sorted.
func (w *batchWriter) flushWords(pairs []pair) error {
	if len(pairs) == 0 {
		return nil
	}
	var words []string
	for i := range pairs {
		if i == 0 || pairs[i].text != pairs[i-1].text {
			words = append(words, pairs[i].text)
		}
	}
	held, err := w.pairs(selectWords, jsonList(words))
	if err != nil {
		return err
	}
	var last int64
	if err := w.queryRow(selectLastWord, nil, &last); err != nil {
		return err
	}
	rows := make(map[string]int64, len(held))
	var added []pair
	for _, p := range held {
		if p.row == 0 {
			last++
			p.row = last
			added = append(added, p)
		}
		rows[p.text] = p.row
	}
	err = w.bulk(searchWords, len(added), func(i int, args []any) ([]any, error) {
		return append(args, added[i].text), nil
	})
	if err != nil {
		return err
	}
	if err := w.addDeletions(added); err != nil {
		return err
	}
	have := make([][2]int64, len(pairs))
	for i, p := range pairs {
		have[i] = [2]int64{rows[p.text], p.row}
	}
	slices.SortFunc(have, func(a, b [2]int64) int { return slices.Compare(a[:], b[:]) })
	return w.bulk(wordNodes, len(have), func(i int, args []any) ([]any, error) {
		return append(args, have[i][0], have[i][1]), nil
	})
}

// wordsAtOnce is of how many words the deletions are in memory: some hundred
// thousand.
const wordsAtOnce = 8000

// addDeletions adds what deletions make of words that are new.
func (w *batchWriter) addDeletions(words []pair) error {
	insert := w.inserting(wordDeletions)
	var all []pair
	for part := range slices.Chunk(words, wordsAtOnce) {
		all = all[:0]
		for _, word := range part {
			for _, text := range graph.Deletions(word.text) {
				all = append(all, pair{text, word.row})
			}
		}
		slices.SortFunc(all, comparePairs)
		if err := insert(all); err != nil {
			return err
		}
	}
	return nil
}

// manyWords is how many words wait to be inserted at most.
const manyWords = 50_000

func (w *batchWriter) flushMany() error {
	if len(w.words) < manyWords {
		return nil
	}
	return w.flush()
}

// flush inserts what nodes are found by, in the order of the tables, so that
// neighbours are written together.
func (w *batchWriter) flush() error {
	for _, part := range []struct {
		pairs  *[]pair
		insert func([]pair) error
	}{{&w.words, w.flushWords}, {&w.known, w.inserting(externalIDs)}, {&w.marks, w.inserting(nodeDatasets)}} {
		pairs := *part.pairs
		slices.SortFunc(pairs, comparePairs)
		pairs = slices.Compact(pairs)
		if err := part.insert(pairs); err != nil {
			return err
		}
		*part.pairs = pairs[:0]
	}
	return nil
}

func (w *batchWriter) inserting(into *table) func([]pair) error {
	return func(pairs []pair) error {
		return w.bulk(into, len(pairs), func(i int, args []any) ([]any, error) {
			return append(args, pairs[i].text, pairs[i].row), nil
		})
	}
}

// supersede ends the standing version of a relation, if there is one. Where it
// is to be replaced by what this very moment has recorded already, same is
// true, and it stays.
func (w *batchWriter) supersede(id string, by *graph.Relation) (same bool, err error) {
	var row, sortDay, recorded int64
	var source, target, text string
	var hash []byte
	err = w.queryRow(selectStanding, []any{id}, &row, &source, &target, &sortDay, &text, &hash, &recorded)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case by != nil && recorded == int64(w.at) && string(hash) == string(by.Hash[:]):
		return true, nil
	}
	if _, err := w.exec(endRelation, int64(w.at), row); err != nil {
		return false, err
	}
	ends := []string{source, target}
	if source == target {
		ends = ends[:1]
	}
	for _, end := range ends {
		if _, err := w.exec(deleteAdjacency, end, sortDay, id); err != nil {
			return false, err
		}
	}
	var r graph.Relation
	if err := decodeRest(text, &r); err != nil {
		return false, fmt.Errorf("relation %s: %w", id, err)
	}
	for _, about := range r.About {
		if _, err := w.exec(deleteAbout, about, row); err != nil {
			return false, err
		}
	}
	return false, nil
}

// near is a row of adjacency.
type near struct {
	entity, other    int64
	relation         int64
	traits           int64
	kind, status     int64
	id               string
	sortDay          graph.Day
	earliest, latest graph.Day
}

// relations writes relations: all that is replaced goes before what replaces
// it.
func (w *batchWriter) relations(all []graph.RelationWrite) error {
	if len(all) == 0 {
		return nil
	}
	list := make([]*graph.RelationWrite, 0, len(all))
	seen := make(map[string]bool, len(all))
	for i := range all {
		r := &all[i]
		if seen[r.ID] {
			return fmt.Errorf("relation %s is in the batch twice", r.ID)
		}
		seen[r.ID] = true
		if r.Former != nil {
			if same, err := w.supersede(r.ID, r.Relation); err != nil {
				return err
			} else if same {
				continue
			}
		}
		list = append(list, r)
	}
	if err := w.findEnds(list); err != nil {
		return err
	}
	if err := w.findTypes(list); err != nil {
		return err
	}
	var last int64
	if err := w.queryRow(selectLastRow, nil, &last); err != nil {
		return err
	}
	var adjacency []near
	var err error
	if w.fresh {
		// Their rows are known before they are inserted.
		var wait sync.WaitGroup
		var failed error
		wait.Go(func() { adjacency, failed = w.neighbours(list, last) })
		err = w.insert(list)
		wait.Wait()
		if isTaken(err) {
			return graph.ErrTaken
		}
		err = cmp.Or(err, failed)
	} else if list, err = w.insertOver(list); err == nil {
		adjacency, err = w.neighbours(list, last)
	}
	if err != nil {
		return err
	}
	for i, r := range list {
		for _, about := range r.About {
			if _, err := w.exec(insertAbout, about, last+1+int64(i)); err != nil {
				return err
			}
		}
	}
	return w.bulk(theAdjacency, len(adjacency), func(i int, args []any) ([]any, error) {
		a := &adjacency[i]
		return append(args, a.entity, a.id, a.relation, a.traits, a.kind, a.status, int64(a.sortDay), int64(a.earliest), int64(a.latest), a.other), nil
	})
}

// insertOver inserts relations of which some may stand, though the batch does
// not say so. It returns those that it has inserted.
func (w *batchWriter) insertOver(list []*graph.RelationWrite) ([]*graph.RelationWrite, error) {
	inserted := make([]*graph.RelationWrite, 0, len(list))
	for part := range slices.Chunk(list, relationRows) {
		err := w.insert(part)
		if isTaken(err) {
			if part, err = w.clear(part); err == nil {
				err = w.insert(part)
			}
		}
		if err != nil {
			return nil, err
		}
		inserted = append(inserted, part...)
	}
	return inserted, nil
}

// findEnds looks up the rows of all ends at once.
func (w *batchWriter) findEnds(list []*graph.RelationWrite) error {
	w.entities = make(map[string]int64, len(list))
	var ids []string
	for _, r := range list {
		for _, id := range r.Ends() {
			if _, ok := w.entities[id]; !ok {
				w.entities[id] = 0
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	held, err := w.pairs(selectEntities, jsonList(ids))
	if err != nil {
		return err
	}
	for _, p := range held {
		w.entities[p.text] = p.row
	}
	for _, r := range list {
		for _, id := range r.Ends() {
			if w.entities[id] == 0 {
				return fmt.Errorf("relation %s: there is no entity %s", r.ID, id)
			}
		}
	}
	return nil
}

// findTypes looks up the codes of all types, and gives new ones to new types.
func (w *batchWriter) findTypes(list []*graph.RelationWrite) error {
	held, err := w.pairs(selectTypes)
	if err != nil {
		return err
	}
	w.types = make(map[string]int64, len(held))
	for _, p := range held {
		w.types[p.text] = p.row
	}
	for _, r := range list {
		if w.types[r.Type] != 0 {
			continue
		}
		result, err := w.exec(insertType, r.Type)
		if err != nil {
			return err
		}
		if w.types[r.Type], err = result.LastInsertId(); err != nil {
			return err
		}
	}
	return nil
}

// clear supersedes what stands under the ids of relations, and returns those
// that are still to be written.
func (w *batchWriter) clear(part []*graph.RelationWrite) (left []*graph.RelationWrite, err error) {
	for _, r := range part {
		same, err := w.supersede(r.ID, r.Relation)
		if err != nil {
			return nil, err
		}
		if !same {
			left = append(left, r)
		}
	}
	return left, nil
}

// insert writes relations into the rows behind the last.
func (w *batchWriter) insert(part []*graph.RelationWrite) error {
	into := theRelations
	if w.fresh {
		into = freshRelations
	}
	return w.bulk(into, len(part), func(i int, args []any) ([]any, error) {
		r := part[i]
		d := &r.Date
		start, err1 := endCodes.encode(d.StartKind)
		end, err2 := endCodes.encode(d.EndKind)
		basis, err3 := basisCodes.encode(d.Basis)
		status, err4 := statusCodes.encode(r.Status)
		rest, err5 := encodeRest(r.Relation)
		if err := cmp.Or(err1, err2, err3, err4, err5); err != nil {
			return nil, fmt.Errorf("relation %s: %w", r.ID, err)
		}
		return append(args, r.ID, w.types[r.Type], r.Nature == graph.Standing, r.Source, r.Target, d.EDTF,
			int64(d.Earliest), int64(d.CertainFrom), int64(d.CertainTo), int64(d.Latest), int64(d.SortDay), start, end, basis, status,
			r.ClaimedBy, r.AccreditedTo, r.Event, r.CAMEO, r.Family, number(r.Goldstein), number(r.Confidence), r.Dataset, rest,
			r.Hash[:], int64(r.RecordedAt)), nil
	})
}

func number(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

// neighbours is what adjacency has of relations that are in the rows behind
// the last, in the order of the table, so that neighbours are written together.
func (w *batchWriter) neighbours(list []*graph.RelationWrite, last int64) ([]near, error) {
	all := make([]near, 0, 2*len(list))
	for i, r := range list {
		out, in := int64(traitOut), int64(traitIn)
		if r.Symmetric || r.Source == r.Target {
			out, in = traitOut|traitIn, traitOut|traitIn
		}
		if r.Nature == graph.Standing {
			out, in = out|traitStanding, in|traitStanding
		}
		status, err := statusCodes.encode(r.Status)
		if err != nil {
			return nil, fmt.Errorf("relation %s: %w", r.ID, err)
		}
		a := near{entity: w.entities[r.Source], other: w.entities[r.Target], relation: last + 1 + int64(i), traits: out, kind: w.types[r.Type],
			status: status, id: r.ID, sortDay: r.Date.SortDay, earliest: r.Date.Earliest, latest: r.Date.Latest}
		all = append(all, a)
		if a.entity != a.other {
			a.entity, a.other, a.traits = a.other, a.entity, in
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.entity, b.entity), cmp.Compare(b.sortDay, a.sortDay), cmp.Compare(a.id, b.id))
	})
	return all, nil
}
