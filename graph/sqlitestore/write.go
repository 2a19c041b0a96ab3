package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"chancery/graph"
)

const (
	upsertDataset = `INSERT INTO datasets (name, title, priority, recorded_at, edition, complete) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET title = excluded.title, priority = excluded.priority,
		recorded_at = excluded.recorded_at, edition = excluded.edition, complete = excluded.complete`
	supersedeStatement = `UPDATE statements SET superseded_at = ? WHERE dataset = ? AND id = ? AND superseded_at IS NULL`
	insertStatement    = `INSERT INTO statements (id, dataset, content, hash, recorded_at) VALUES (?, ?, ?, ?, ?)`
	selectNode         = `SELECT row, name, datasets, content FROM nodes WHERE id = ?`
	insertNode         = `INSERT INTO nodes (id, form, kind, name, folded, canonical, datasets, earliest, latest, content)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING row`
	updateNode = `UPDATE nodes SET form = ?, kind = ?, name = ?, folded = ?, canonical = ?, datasets = ?, earliest = ?,
		latest = ?, content = ? WHERE row = ?`
	insertNodeDataset = `INSERT INTO node_datasets (dataset, node) VALUES (?, ?)`
	deleteNodeDataset = `DELETE FROM node_datasets WHERE dataset = ? AND node = ?`
	insertExternalID  = `INSERT INTO external_ids (external, node) VALUES (?, ?) ON CONFLICT DO NOTHING`
	deleteExternalID  = `DELETE FROM external_ids WHERE external = ? AND node = ?`
	insertTerm        = `INSERT INTO search_terms (term, node) VALUES (?, ?)`
	deleteTerm        = `DELETE FROM search_terms WHERE term = ? AND node = ?`
	insertRelation    = `INSERT INTO relations (id, type, standing, source, target, edtf, earliest, certain_from, certain_to,
		latest, sort_day, start_kind, end_kind, basis, status, claimed_by, accredited_to, event, cameo, family, goldstein,
		confidence, dataset, rest, hash, recorded_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertAdjacency = `INSERT INTO adjacency (entity, sort_day, id, relation, dirs, other, type, earliest, latest)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	deleteAdjacency   = `DELETE FROM adjacency WHERE entity = (SELECT row FROM nodes WHERE id = ?) AND sort_day = ? AND id = ?`
	insertAbout       = `INSERT INTO relation_about (about, relation) VALUES (?, ?) ON CONFLICT DO NOTHING`
	deleteAbout       = `DELETE FROM relation_about WHERE about = ? AND relation = ?`
	supersedeRelation = `UPDATE relations SET superseded_at = ? WHERE id = ? AND superseded_at IS NULL
		RETURNING row, source, target, sort_day, rest`
)

// batchWriter writes one batch. It prepares each statement once.
type batchWriter struct {
	ctx      context.Context
	tx       *sql.Tx
	at       graph.Instant
	prepared map[string]*sql.Stmt
	rows     map[string]int64 // entity id to row
}

// Apply implements [graph.Store].
func (s *Store) Apply(ctx context.Context, b *graph.Batch) error {
	return s.write(ctx, "write to", func(tx *sql.Tx) error {
		lease, err := readLease(ctx, tx)
		if err != nil {
			return err
		}
		if b.Lease == "" || lease.Token != b.Lease {
			return fmt.Errorf("%s: %w", s.path, graph.ErrLeaseLost)
		}
		w := &batchWriter{ctx: ctx, tx: tx, at: b.At, prepared: map[string]*sql.Stmt{}, rows: map[string]int64{}}
		if err := w.batch(b); err != nil {
			return err
		}
		if b.At > lease.LastRecorded {
			return setMeta(ctx, tx, metaLastRecorded, int64(b.At))
		}
		return nil
	})
}

func (w *batchWriter) statement(text string) (*sql.Stmt, error) {
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
	return st.ExecContext(w.ctx, args...)
}

func (w *batchWriter) queryRow(text string, args []any, into ...any) error {
	st, err := w.statement(text)
	if err != nil {
		return err
	}
	return st.QueryRowContext(w.ctx, args...).Scan(into...)
}

func (w *batchWriter) batch(b *graph.Batch) error {
	if d := b.Dataset; d != nil {
		if _, err := w.exec(upsertDataset, d.Name, d.Title, d.Priority, int64(d.RecordedAt), d.Edition[:], d.Complete); err != nil {
			return err
		}
	}
	for i := range b.Statements {
		st := &b.Statements[i]
		if _, err := w.exec(supersedeStatement, int64(w.at), st.Dataset, st.ID); err != nil {
			return err
		}
		content, err := encodeContent(&st.Content)
		if err != nil {
			return err
		}
		if _, err := w.exec(insertStatement, st.ID, st.Dataset, content, st.Hash[:], int64(st.RecordedAt)); err != nil {
			return err
		}
	}
	for _, k := range b.Retracted {
		result, err := w.exec(supersedeStatement, int64(w.at), k.Dataset, k.ID)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fmt.Errorf("data set %s has no statement about %s to retract", k.Dataset, k.ID))
		}
	}
	for _, n := range b.Nodes {
		if err := w.node(n); err != nil {
			return err
		}
	}
	for i := range b.Withdrawn {
		if err := w.supersede(b.Withdrawn[i].ID); err != nil {
			return err
		}
	}
	// All that is replaced goes before what replaces it.
	for i := range b.Relations {
		if f := b.Relations[i].Former; f != nil {
			if err := w.supersede(f.ID); err != nil {
				return err
			}
		}
	}
	for i := range b.Relations {
		if err := w.relation(&b.Relations[i]); err != nil {
			return err
		}
	}
	return nil
}

// node inserts or replaces a node, and keeps what it is found by up to date.
func (w *batchWriter) node(n *graph.Node) error {
	content, err := encodeContent(&n.Content)
	if err != nil {
		return err
	}
	datasets := ""
	if len(n.Datasets) > 0 {
		datasets = jsonList(n.Datasets)
	}
	folded := graph.Fold(n.Name)
	var row int64
	var oldName, oldDatasets, oldContent string
	err = w.queryRow(selectNode, []any{n.ID}, &row, &oldName, &oldDatasets, &oldContent)
	var before found
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = w.queryRow(insertNode, []any{n.ID, string(n.Form), string(n.Kind), n.Name, folded, n.Canonical, datasets,
			int64(n.Date.Earliest), int64(n.Date.Latest), content}, &row)
		if err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		old := graph.Node{}
		if err := decodeContent(oldContent, &old.Content); err != nil {
			return err
		}
		if old.Datasets, err = decodeDatasets(oldDatasets); err != nil {
			return err
		}
		before = foundBy(&old)
		if _, err := w.exec(updateNode, string(n.Form), string(n.Kind), n.Name, folded, n.Canonical, datasets,
			int64(n.Date.Earliest), int64(n.Date.Latest), content, row); err != nil {
			return err
		}
	}
	w.rows[n.ID] = row
	after := foundBy(n)
	return errors.Join(
		w.difference(row, before.terms, after.terms, deleteTerm, insertTerm),
		w.difference(row, before.external, after.external, deleteExternalID, insertExternalID),
		w.difference(row, before.datasets, after.datasets, deleteNodeDataset, insertNodeDataset),
	)
}

// found is what a node is found by.
type found struct{ terms, external, datasets []string }

// foundBy is nothing for withdrawn nodes.
func foundBy(n *graph.Node) found {
	f := found{datasets: n.Datasets}
	if n.Form != graph.FormEntity || n.Withdrawn() {
		return f
	}
	f.terms = graph.SearchTerms(n.Name, n.Aliases)
	for _, e := range n.ExternalIDs {
		f.external = append(f.external, e.String())
	}
	return f
}

func (w *batchWriter) difference(row int64, before, after []string, remove, insert string) error {
	has := make(map[string]bool, len(before))
	for _, v := range before {
		has[v] = true
	}
	for _, v := range after {
		if has[v] {
			delete(has, v)
			continue
		}
		if _, err := w.exec(insert, v, row); err != nil {
			return err
		}
	}
	for _, v := range before {
		if has[v] {
			if _, err := w.exec(remove, v, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// entity is the row of an entity.
func (w *batchWriter) entity(id string) (int64, error) {
	if row, ok := w.rows[id]; ok {
		return row, nil
	}
	var row int64
	err := w.queryRow(`SELECT row FROM nodes WHERE id = ? AND form = 'ENTITY'`, []any{id}, &row)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("there is no entity %s", id)
	}
	w.rows[id] = row
	return row, err
}

// supersede ends the standing version of a relation.
func (w *batchWriter) supersede(id string) error {
	var row, sortDay int64
	var source, target, text string
	err := w.queryRow(supersedeRelation, []any{int64(w.at), id}, &row, &source, &target, &sortDay, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("there is no standing relation %s to supersede", id)
	} else if err != nil {
		return err
	}
	for _, end := range ends(source, target) {
		if _, err := w.exec(deleteAdjacency, end, sortDay, id); err != nil {
			return err
		}
	}
	var r rest
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	for _, about := range r.About {
		if _, err := w.exec(deleteAbout, about, row); err != nil {
			return err
		}
	}
	return nil
}

func ends(source, target string) []string {
	if source == target {
		return []string{source}
	}
	return []string{source, target}
}

// Bits of adjacency.dirs.
const (
	dirOut = 1
	dirIn  = 2
)

func (w *batchWriter) relation(r *graph.RelationWrite) error {
	source, err := w.entity(r.Source)
	if err != nil {
		return fmt.Errorf("relation %s: %w", r.ID, err)
	}
	target, err := w.entity(r.Target)
	if err != nil {
		return fmt.Errorf("relation %s: %w", r.ID, err)
	}
	text, err := encodeRest(r.Relation)
	if err != nil {
		return err
	}
	d := &r.Date
	result, err := w.exec(insertRelation, r.ID, r.Type, r.Nature == graph.Standing, r.Source, r.Target, d.EDTF,
		int64(d.Earliest), int64(d.CertainFrom), int64(d.CertainTo), int64(d.Latest), int64(d.SortDay),
		string(d.StartKind), string(d.EndKind), string(d.Basis), string(r.Status), r.ClaimedBy, r.AccreditedTo, r.Event,
		r.CAMEO, r.Family, r.Goldstein, r.Confidence, r.Dataset, text, r.Hash[:], int64(r.RecordedAt))
	if err != nil {
		return err
	}
	row, err := result.LastInsertId()
	if err != nil {
		return err
	}
	out, in := dirOut, dirIn
	if r.Symmetric || source == target {
		out, in = dirOut|dirIn, dirOut|dirIn
	}
	if _, err := w.exec(insertAdjacency, source, int64(d.SortDay), r.ID, row, out, target, r.Type, int64(d.Earliest), int64(d.Latest)); err != nil {
		return err
	}
	if source != target {
		if _, err := w.exec(insertAdjacency, target, int64(d.SortDay), r.ID, row, in, source, r.Type, int64(d.Earliest), int64(d.Latest)); err != nil {
			return err
		}
	}
	for _, about := range r.About {
		if _, err := w.exec(insertAbout, about, row); err != nil {
			return err
		}
	}
	return nil
}

// rest are the fields of a relation that have no column.
type rest struct {
	SourceAs  string           `json:"sourceAs,omitempty"`
	TargetAs  string           `json:"targetAs,omitempty"`
	About     []string         `json:"about,omitempty"`
	Places    []string         `json:"places,omitempty"`
	Quantity  *float64         `json:"quantity,omitempty"`
	Unit      string           `json:"unit,omitempty"`
	Note      string           `json:"note,omitempty"`
	Citations []graph.Citation `json:"citations,omitempty"`
}

func encodeRest(r *graph.Relation) (string, error) {
	b, err := json.Marshal(rest{r.SourceAs, r.TargetAs, r.About, r.Places, r.Quantity, r.Unit, r.Note, r.Citations})
	return string(b), err
}

func decodeRest(text string, r *graph.Relation) error {
	var v rest
	if text == "{}" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	r.SourceAs, r.TargetAs, r.About, r.Places = v.SourceAs, v.TargetAs, v.About, v.Places
	r.Quantity, r.Unit, r.Note, r.Citations = v.Quantity, v.Unit, v.Note, v.Citations
	return nil
}

func encodeContent(c *graph.Content) (string, error) {
	stored := *c
	stored.Date.OpenAsOfRecording = false
	b, err := json.Marshal(&stored)
	return string(b), err
}

func decodeContent(text string, c *graph.Content) error { return json.Unmarshal([]byte(text), c) }

func decodeDatasets(text string) (datasets []string, err error) {
	if text == "" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(text), &datasets)
	return datasets, err
}

func writeJSONString(b *strings.Builder, s string) {
	encoded, _ := json.Marshal(s) // a string cannot fail
	b.Write(encoded)
}
