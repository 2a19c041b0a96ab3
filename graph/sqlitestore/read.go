package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"chancery/graph"
)

// reader is a [graph.Reader] over one read transaction.
type reader struct {
	store      *Store
	tx         *sql.Tx
	vocabulary *graph.Vocabulary
}

var _ graph.Reader = (*reader)(nil)

// Vocabulary implements [graph.Reader].
func (r *reader) Vocabulary() *graph.Vocabulary { return r.vocabulary }

// scan runs a query and calls fn for each row.
func (r *reader) scan(ctx context.Context, query string, args []any, fn func(*sql.Rows) error) error {
	rows, err := r.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return r.store.failure(ctx, "read", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return r.store.failure(ctx, "read", err)
		}
	}
	return r.store.failure(ctx, "read", rows.Err())
}

const (
	nodeColumns = `n.id, n.form, n.kind, n.name, n.canonical, n.datasets`
	inList      = ` IN (SELECT value FROM json_each(?))`
)

// scanNode reads nodeColumns, and the content when it is wanted.
func scanNode(rows *sql.Rows, detail bool) (*graph.Node, error) {
	n := &graph.Node{}
	var datasets, content string
	into := []any{&n.ID, &n.Form, &n.Kind, &n.Name, &n.Canonical, &datasets}
	if detail {
		into = append(into, &content)
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	if detail {
		if err := decodeContent(content, &n.Content); err != nil {
			return nil, err
		}
	}
	var err error
	n.Datasets, err = decodeDatasets(datasets)
	return n, err
}

func nodeSelect(detail bool) string {
	if detail {
		return `SELECT ` + nodeColumns + `, n.content FROM `
	}
	return `SELECT ` + nodeColumns + ` FROM `
}

// Nodes implements [graph.Reader].
func (r *reader) Nodes(ctx context.Context, ids []string, detail bool) (map[string]*graph.Node, error) {
	nodes := make(map[string]*graph.Node, len(ids))
	err := r.scan(ctx, nodeSelect(detail)+`json_each(?) wanted CROSS JOIN nodes n ON n.id = wanted.value`, []any{jsonList(ids)},
		func(rows *sql.Rows) error {
			n, err := scanNode(rows, detail)
			if err == nil {
				nodes[n.ID] = n
			}
			return err
		})
	return nodes, err
}

// condition is a WHERE clause that grows clause by clause, in a fixed order.
type condition struct {
	text strings.Builder
	args []any
}

func (c *condition) and(clause string, args ...any) {
	c.text.WriteString(" AND ")
	c.text.WriteString(clause)
	c.args = append(c.args, args...)
}

func inFilter[T ~string](c *condition, column string, values []T) {
	if values != nil {
		c.and(column+inList, jsonList(values))
	}
}

// isAct tells acts from standings.
const isAct = `r.standing = 0`

// filter adds what a filter asks of the relation r; a is its adjacency where
// the list belongs to an entity.
func (c *condition) filter(f *graph.RelationFilter, asOf *graph.Day, anchored bool) {
	typeColumn, earliest, latest := "r.type", "r.earliest", "r.latest"
	if anchored {
		typeColumn, earliest, latest = "a.type", "a.earliest", "a.latest"
	}
	inFilter(c, typeColumn, f.Types)
	if anchored {
		switch f.Direction {
		case graph.Out:
			c.and("a.dirs & 1")
		case graph.In:
			c.and("a.dirs & 2")
		}
	}
	if w := f.During; w != nil {
		c.and(earliest+" <= ? AND "+latest+" >= ?", int64(w.To), int64(w.From))
		if f.Certainty == graph.Certain {
			c.and("r.certain_from <= ? AND r.certain_to >= ?", int64(w.To), int64(w.From))
		}
	}
	if asOf != nil {
		d := int64(*asOf)
		c.and(earliest+" <= ? AND ("+isAct+" OR "+latest+" >= ?)", d, d)
		if f.Certainty == graph.Certain {
			c.and("r.certain_from <= ? AND ("+isAct+" OR r.certain_to >= ?)", d, d)
		}
	}
	inFilter(c, "r.family", f.Families)
	if f.Nature != nil {
		c.and("r.standing = ?", *f.Nature == graph.Standing)
	}
	if f.With != nil {
		if anchored {
			c.and("a.other IN (SELECT row FROM nodes WHERE id"+inList+")", jsonList(f.With))
		} else {
			list := jsonList(f.With)
			c.and("(r.source"+inList+" OR r.target"+inList+")", list, list)
		}
	}
	if f.WithKinds != nil {
		if anchored {
			c.and("(SELECT kind FROM nodes WHERE row = a.other)"+inList, jsonList(f.WithKinds))
		} else {
			c.and("EXISTS (SELECT 1 FROM nodes k WHERE k.id IN (r.source, r.target) AND k.kind"+inList+")", jsonList(f.WithKinds))
		}
	}
	inFilter(c, "r.source", f.Source)
	inFilter(c, "r.target", f.Target)
	inFilter(c, "r.accredited_to", f.AccreditedTo)
	inFilter(c, "r.status", f.Status)
	inFilter(c, "r.basis", f.DateBasis)
	if f.About != nil {
		c.and("EXISTS (SELECT 1 FROM json_each(?) wanted JOIN relation_about b ON b.about = wanted.value AND b.relation = r.row)", jsonList(f.About))
	}
	if f.Event != nil {
		c.and("r.event = ? AND r.event <> ''", *f.Event)
	}
	inFilter(c, "r.claimed_by", f.ClaimedBy)
	if f.Place != nil {
		c.and("EXISTS (SELECT 1 FROM json_each(r.rest, '$.places') p WHERE p.value"+inList+")", jsonList(f.Place))
	}
	if f.CAMEO != nil {
		c.and("EXISTS (SELECT 1 FROM json_each(?) code WHERE substr(r.cameo, 1, length(code.value)) = code.value)", jsonList(f.CAMEO))
	}
	inFilter(c, "r.dataset", f.Dataset)
	if f.MinConfidence != nil {
		c.and("r.confidence >= ?", *f.MinConfidence)
	}
}

// keys adds what the cursors ask, for the order of the list.
func (c *condition) keys(q *graph.RelationQuery, day, id string) {
	later, earlier := "<", ">" // newest first: what comes later in the list has an earlier day
	if q.Order == graph.OldestFirst {
		later, earlier = ">", "<"
	}
	if k := q.After; k != nil {
		c.and("("+day+" "+later+" ? OR "+day+" = ? AND "+id+" > ?)", int64(k.SortDay), int64(k.SortDay), k.ID)
	}
	if k := q.Before; k != nil {
		c.and("("+day+" "+earlier+" ? OR "+day+" = ? AND "+id+" < ?)", int64(k.SortDay), int64(k.SortDay), k.ID)
	}
}

func orderBy(q *graph.RelationQuery, day, id string) string {
	days, ids := " DESC", ""
	if q.Order == graph.OldestFirst {
		days = ""
	}
	if q.Backward {
		ids = " DESC"
		if days == "" {
			days = " DESC"
		} else {
			days = ""
		}
	}
	return " ORDER BY " + day + days + ", " + id + ids + " LIMIT ?"
}

const (
	leanColumns = `r.id, r.type, r.source, r.target, r.edtf, r.earliest, r.certain_from, r.certain_to, r.latest, r.sort_day,
		r.start_kind, r.end_kind, r.basis, r.status`
	detailColumns = leanColumns + `, r.claimed_by, r.accredited_to, r.event, r.cameo, r.family, r.goldstein, r.confidence,
		r.dataset, r.rest, r.hash, r.recorded_at, r.superseded_at`
)

func relationColumns(detail bool) string {
	if detail {
		return detailColumns
	}
	return leanColumns
}

func scanRelation(rows *sql.Rows, detail bool) (*graph.Relation, error) {
	r := &graph.Relation{}
	d := &r.Date
	into := []any{&r.ID, &r.Type, &r.Source, &r.Target, &d.EDTF, &d.Earliest, &d.CertainFrom, &d.CertainTo, &d.Latest, &d.SortDay,
		&d.StartKind, &d.EndKind, &d.Basis, &r.Status}
	if !detail {
		return r, rows.Scan(into...)
	}
	var text string
	var hash []byte
	var superseded sql.NullInt64
	into = append(into, &r.ClaimedBy, &r.AccreditedTo, &r.Event, &r.CAMEO, &r.Family, &r.Goldstein, &r.Confidence,
		&r.Dataset, &text, &hash, &r.RecordedAt, &superseded)
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	copy(r.Hash[:], hash)
	r.SupersededAt = graph.Instant(superseded.Int64)
	return r, decodeRest(text, r)
}

// from is where the relations of one anchor come from.
func from(q *graph.RelationQuery) (text string, day, id string) {
	day, id = "r.sort_day", "r.id"
	switch q.Anchor {
	case graph.AnchorEntity:
		return `nodes n CROSS JOIN adjacency a ON a.entity = n.row CROSS JOIN relations r ON r.row = a.relation WHERE n.id = ?`, "a.sort_day", "a.id"
	case graph.AnchorAbout:
		return `relation_about b CROSS JOIN relations r ON r.row = b.relation WHERE b.about = ?`, day, id
	case graph.AnchorEvent:
		return `relations r WHERE r.event = ? AND r.event <> '' AND r.superseded_at IS NULL`, day, id
	case graph.AnchorID:
		return `relations r WHERE r.id = ? AND r.superseded_at IS NULL`, day, id
	}
	return "", day, id
}

// fromAll is where the relations of the whole record come from: from the ends
// or the acts that the filter names, where it names any.
func fromAll(f *graph.RelationFilter) (string, []any) {
	for _, list := range [][]string{f.Source, f.Target, f.With} {
		if list != nil {
			return `(SELECT DISTINCT a.relation FROM nodes n CROSS JOIN adjacency a ON a.entity = n.row WHERE n.id` + inList +
				`) x CROSS JOIN relations r ON r.row = x.relation WHERE true`, []any{jsonList(list)}
		}
	}
	if f.About != nil {
		return `(SELECT DISTINCT b.relation FROM relation_about b WHERE b.about` + inList +
			`) x CROSS JOIN relations r ON r.row = x.relation WHERE true`, []any{jsonList(f.About)}
	}
	if f.Event != nil {
		return `relations r INDEXED BY relations_by_event WHERE r.superseded_at IS NULL AND r.event <> ''`, nil
	}
	return `relations r INDEXED BY relations_by_day WHERE r.superseded_at IS NULL`, nil
}

// Relations implements [graph.Reader].
func (r *reader) Relations(ctx context.Context, q *graph.RelationQuery) ([]graph.RelationPage, error) {
	ids := q.IDs
	text, day, id := from(q)
	var first []any
	if q.Anchor == graph.AnchorNone {
		ids = []string{""}
		text, first = fromAll(&q.Filter)
	}
	var where, keys condition
	where.filter(&q.Filter, q.AsOf, q.Anchor == graph.AnchorEntity)
	keys.keys(q, day, id)
	rows := `SELECT ` + relationColumns(q.Detail) + ` FROM ` + text + where.text.String() + keys.text.String() + orderBy(q, day, id)
	count := `SELECT count(*) FROM ` + text + where.text.String()
	rowArgs := slices.Concat(first, where.args, keys.args, []any{q.Limit})
	countArgs := slices.Concat(first, where.args)
	perAnchor := q.Anchor != graph.AnchorNone
	if perAnchor {
		rowArgs = append([]any{nil}, rowArgs...)
		countArgs = append([]any{nil}, countArgs...)
	}
	var rowStatement, countStatement *sql.Stmt
	var err error
	if q.Limit > 0 {
		if rowStatement, err = r.tx.PrepareContext(ctx, rows); err != nil {
			return nil, r.store.failure(ctx, "read", err)
		}
		defer func() { _ = rowStatement.Close() }()
	}
	if q.Count {
		if countStatement, err = r.tx.PrepareContext(ctx, count); err != nil {
			return nil, r.store.failure(ctx, "read", err)
		}
		defer func() { _ = countStatement.Close() }()
	}
	pages := make([]graph.RelationPage, 0, len(ids))
	for _, anchor := range ids {
		page := graph.RelationPage{Anchor: anchor}
		if perAnchor {
			rowArgs[0], countArgs[0] = anchor, anchor
		}
		if rowStatement != nil {
			if page.Rows, err = readRelations(ctx, rowStatement, rowArgs, q.Detail); err != nil {
				return nil, r.store.failure(ctx, "read", err)
			}
			if q.Backward {
				slices.Reverse(page.Rows)
			}
		}
		if countStatement != nil {
			if err := countStatement.QueryRowContext(ctx, countArgs...).Scan(&page.Count); err != nil {
				return nil, r.store.failure(ctx, "read", err)
			}
		}
		if q.Anchor == graph.AnchorID && len(page.Rows) == 0 && page.Count == 0 {
			continue
		}
		pages = append(pages, page)
	}
	return pages, nil
}

func readRelations(ctx context.Context, statement *sql.Stmt, args []any, detail bool) (out []*graph.Relation, err error) {
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		rel, err := scanRelation(rows, detail)
		if err != nil {
			return nil, err
		}
		out = append(out, rel)
	}
	return out, rows.Err()
}

// Entities implements [graph.Reader].
func (r *reader) Entities(ctx context.Context, q *graph.EntityQuery) (page graph.EntityPage, err error) {
	var where condition
	f := &q.Filter
	text := `nodes n WHERE n.form = 'ENTITY' AND n.datasets <> ''`
	inFilter(&where, "n.id", f.IDs)
	inFilter(&where, "n.kind", f.Kinds)
	if f.ExternalID != nil {
		where.and("n.row IN (SELECT node FROM external_ids WHERE external = ?)", f.ExternalID.String())
	}
	if f.Office != nil {
		held := `EXISTS (SELECT 1 FROM adjacency a JOIN relations r ON r.row = a.relation WHERE a.entity = n.row
			AND a.type` + inList + ` AND r.source = n.id AND r.standing = 1 AND r.status` + inList
		args := []any{jsonList(f.Office), jsonList(graph.Factual[:])}
		if q.AsOf != nil {
			held += ` AND a.earliest <= ? AND a.latest >= ?`
			args = append(args, int64(*q.AsOf), int64(*q.AsOf))
		}
		where.and(held+`)`, args...)
	}
	if f.Dataset != nil {
		where.and("n.row IN (SELECT node FROM node_datasets WHERE dataset"+inList+")", jsonList(f.Dataset))
	}
	if q.AsOf != nil {
		where.and("n.earliest <= ? AND n.latest >= ?", int64(*q.AsOf), int64(*q.AsOf))
	}
	if q.Count {
		if err := r.tx.QueryRowContext(ctx, `SELECT count(*) FROM `+text+where.text.String(), where.args...).Scan(&page.Count); err != nil {
			return page, r.store.failure(ctx, "read", err)
		}
	}
	if q.Limit == 0 {
		return page, nil
	}
	byName := q.Order != graph.ByID
	key := func(k *graph.EntityKey, sign string) {
		switch {
		case k == nil:
		case byName:
			where.and("(n.folded, n.id) "+sign+" (?, ?)", k.Name, k.ID)
		default:
			where.and("n.id "+sign+" ?", k.ID)
		}
	}
	key(q.After, ">")
	key(q.Before, "<")
	desc := ""
	if q.Backward {
		desc = " DESC"
	}
	order := " ORDER BY n.id" + desc + " LIMIT ?"
	if byName {
		order = " ORDER BY n.folded" + desc + ", n.id" + desc + " LIMIT ?"
	}
	err = r.scan(ctx, nodeSelect(q.Detail)+text+where.text.String()+order, append(where.args, q.Limit), func(rows *sql.Rows) error {
		n, err := scanNode(rows, q.Detail)
		page.Rows = append(page.Rows, n)
		return err
	})
	if q.Backward {
		slices.Reverse(page.Rows)
	}
	return page, err
}

// Candidates implements [graph.Reader].
func (r *reader) Candidates(ctx context.Context, q *graph.SearchQuery) ([]*graph.Node, error) {
	if len(q.Words) == 0 {
		return nil, nil
	}
	var parts []string
	var args []any
	for _, w := range q.Words {
		parts = append(parts, `SELECT node FROM search_terms WHERE term >= ? AND term < ? UNION SELECT node FROM search_terms WHERE term`+inList)
		// A prefix is a range: U+10FFFF sorts behind every other character.
		args = append(args, w.Prefix, w.Prefix+"\U0010FFFF", jsonList(w.Exact))
	}
	var where condition
	if q.AnyWord {
		where.and("n.row IN ("+strings.Join(parts, " UNION ")+")", args...)
	} else {
		for i, part := range parts {
			where.and("n.row IN ("+part+")", args[3*i:3*i+3]...)
		}
	}
	inFilter(&where, "n.kind", q.Kinds)
	var out []*graph.Node
	err := r.scan(ctx, nodeSelect(true)+`nodes n WHERE n.form = 'ENTITY' AND n.datasets <> ''`+where.text.String(), where.args,
		func(rows *sql.Rows) error {
			n, err := scanNode(rows, true)
			out = append(out, n)
			return err
		})
	return out, err
}

// Held implements [graph.Reader].
func (r *reader) Held(ctx context.Context, q *graph.HeldQuery) (*graph.Held, error) {
	held := &graph.Held{Statements: map[string][]graph.Statement{}, Relations: map[string]graph.Entry{}}
	if len(q.Nodes) > 0 {
		if err := r.statements(ctx, q, held); err != nil {
			return nil, err
		}
	}
	if len(q.Relations) > 0 {
		err := r.scan(ctx, `SELECT r.id, r.type, r.source, r.target, r.dataset, r.hash FROM json_each(?) wanted
			CROSS JOIN relations r ON r.id = wanted.value AND r.superseded_at IS NULL`, []any{jsonList(q.Relations)},
			func(rows *sql.Rows) error {
				e := graph.Entry{Relation: true}
				var hash []byte
				err := rows.Scan(&e.ID, &e.Type, &e.Source, &e.Target, &e.Dataset, &hash)
				copy(e.Hash[:], hash)
				held.Relations[e.ID] = e
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	if q.History && len(q.Relations) > 0 {
		held.Versions = map[string][]*graph.Relation{}
		err := r.scan(ctx, `SELECT `+detailColumns+` FROM json_each(?) wanted CROSS JOIN (
				SELECT * FROM relations WHERE superseded_at IS NULL UNION ALL
				SELECT * FROM relations WHERE superseded_at IS NOT NULL) r ON r.id = wanted.value
			ORDER BY r.recorded_at`, []any{jsonList(q.Relations)},
			func(rows *sql.Rows) error {
				rel, err := scanRelation(rows, true)
				if err == nil {
					held.Versions[rel.ID] = append(held.Versions[rel.ID], rel)
				}
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	if q.Limit > 0 {
		err := r.scan(ctx, `SELECT id, relation, type, source, target, hash FROM (
				SELECT * FROM (SELECT id, 0 AS relation, '' AS type, '' AS source, '' AS target, hash FROM statements
					WHERE dataset = ?1 AND superseded_at IS NULL AND id > ?2 ORDER BY id LIMIT ?3)
				UNION ALL
				SELECT * FROM (SELECT id, 1, type, source, target, hash FROM relations
					WHERE dataset = ?1 AND superseded_at IS NULL AND id > ?2 ORDER BY id LIMIT ?3)
			) ORDER BY id LIMIT ?3`, []any{q.Dataset, q.After, q.Limit},
			func(rows *sql.Rows) error {
				e := graph.Entry{Dataset: q.Dataset}
				var hash []byte
				err := rows.Scan(&e.ID, &e.Relation, &e.Type, &e.Source, &e.Target, &hash)
				copy(e.Hash[:], hash)
				held.Entries = append(held.Entries, e)
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	return held, nil
}

func (r *reader) statements(ctx context.Context, q *graph.HeldQuery, held *graph.Held) error {
	const columns = `SELECT s.id, s.dataset, s.content, s.hash, s.recorded_at, s.superseded_at
		FROM json_each(?) wanted CROSS JOIN statements s ON s.id = wanted.value`
	query := columns + ` ORDER BY s.id, s.dataset, s.recorded_at`
	if !q.History {
		// The newest of each data set: the standing one, where there is one.
		query = columns + ` WHERE NOT EXISTS (SELECT 1 FROM statements later
			WHERE later.id = s.id AND later.dataset = s.dataset AND later.recorded_at > s.recorded_at)
			ORDER BY s.id, s.dataset`
	}
	return r.scan(ctx, query, []any{jsonList(q.Nodes)}, func(rows *sql.Rows) error {
		var s graph.Statement
		var content string
		var hash []byte
		var superseded sql.NullInt64
		if err := rows.Scan(&s.ID, &s.Dataset, &content, &hash, &s.RecordedAt, &superseded); err != nil {
			return err
		}
		copy(s.Hash[:], hash)
		s.SupersededAt = graph.Instant(superseded.Int64)
		if err := json.Unmarshal([]byte(content), &s.Content); err != nil {
			return fmt.Errorf("the statement of %s about %s: %w", s.Dataset, s.ID, err)
		}
		held.Statements[s.ID] = append(held.Statements[s.ID], s)
		return nil
	})
}

// Datasets implements [graph.Reader].
func (r *reader) Datasets(ctx context.Context) (out []graph.Dataset, err error) {
	err = r.scan(ctx, `SELECT name, title, priority, recorded_at, edition, complete FROM datasets ORDER BY name`, nil,
		func(rows *sql.Rows) error {
			var d graph.Dataset
			var edition []byte
			err := rows.Scan(&d.Name, &d.Title, &d.Priority, &d.RecordedAt, &edition, &d.Complete)
			copy(d.Edition[:], edition)
			out = append(out, d)
			return err
		})
	return out, err
}
