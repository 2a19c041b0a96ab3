package sqlitestore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chancery/graph"
)

// reader is a [graph.Reader] over one read transaction.
type reader struct {
	knowledge
	store  *Store
	c      *connection
	types  map[int64]string
	failed bool // the connection may be broken
}

var _ graph.Reader = (*reader)(nil)

// Vocabulary implements [graph.Reader].
func (r *reader) Vocabulary() *graph.Vocabulary { return r.vocabulary }

// Identities implements [graph.Reader].
func (r *reader) Identities() *graph.Identities { return r.identities }

// values is one row of an answer, read column by column.
type values struct {
	row  []any
	next int
}

func (v *values) take() any {
	v.next++
	return v.row[v.next-1]
}

// integer reads an integer, and 0 for NULL.
func (v *values) integer() int64 {
	n, _ := v.take().(int64)
	return n
}

func (v *values) text() string {
	s, _ := v.take().(string)
	return s
}

func (v *values) day() graph.Day { return graph.Day(v.integer()) }

func (v *values) real() *float64 {
	if f, ok := v.take().(float64); ok {
		return &f
	}
	return nil
}

func (v *values) hash() (h graph.Hash) {
	b, _ := v.take().([]byte)
	copy(h[:], b)
	return h
}

// scan runs a query of so many columns and calls fn for each row.
func (r *reader) scan(ctx context.Context, query string, args []any, columns int, fn func(*values) error) error {
	fail := func(err error) error {
		r.failed = true
		return r.store.failure(ctx, "read", err)
	}
	if tell := graph.Tracer(ctx); tell != nil {
		began, read, each := time.Now(), 0, fn
		fn = func(v *values) error {
			read++
			return each(v)
		}
		defer func() {
			tell(graph.StoreQuery{Language: "SQL", Text: query, Parameters: args,
				Standalone: func() string { return standalone(query, args) }, Rows: read, Duration: time.Since(began)})
		}()
	}
	st, err := r.c.prepare(ctx, query)
	if err != nil {
		return fail(err)
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = rows.Close() }()
	v := values{row: make([]any, columns)}
	into := make([]any, columns)
	for i := range into {
		into[i] = &v.row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fail(err)
		}
		v.next = 0
		if err := fn(&v); err != nil {
			return fail(err)
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return nil
}

// What is read of nodes, in the order in which node reads it.
const (
	nodeColumns   = `n.id, n.form, n.kind, n.name, n.canonical, n.datasets`
	nodeAliases   = nodeColumns + `, n.aliases`
	nodeDetail    = nodeAliases + `, n.content`
	nodeWidth     = 6
	aliasesWidth  = 7
	detailedWidth = 8
)

func nodeSelect(detail bool) (columns string, width int) {
	if detail {
		return nodeDetail, detailedWidth
	}
	return nodeColumns, nodeWidth
}

// node reads nodeColumns, nodeAliases or nodeDetail.
func node(v *values) (*graph.Node, error) {
	n := &graph.Node{ID: v.text()}
	n.Form, n.Kind, n.Name, n.Canonical = graph.Form(v.text()), graph.Kind(v.text()), v.text(), v.text()
	var err error
	if n.Datasets, err = decodeTexts(v.text()); err != nil || len(v.row) == nodeWidth {
		return n, err
	}
	if n.Aliases, err = decodeTexts(v.text()); err != nil || len(v.row) == aliasesWidth {
		return n, err
	}
	return n, decodeContent(v.text(), &n.Content, false)
}

const nodesByID = ` FROM json_each(?) w CROSS JOIN nodes n ON n.id = w.value`

// Nodes implements [graph.Reader].
func (r *reader) Nodes(ctx context.Context, ids []string, detail bool) (map[string]*graph.Node, error) {
	nodes := make(map[string]*graph.Node, len(ids))
	if len(ids) == 0 {
		return nodes, nil
	}
	columns, width := nodeSelect(detail)
	err := r.scan(ctx, `SELECT `+columns+nodesByID, []any{jsonList(ids)}, width, func(v *values) error {
		n, err := node(v)
		nodes[n.ID] = n
		return err
	})
	if err != nil {
		return nil, err
	}
	return nodes, nil
}

// What entities are asked for.
const (
	allEntities   = `nodes n WHERE n.form = 'ENTITY' AND n.datasets <> ''`
	namedEntities = `json_each(?) w CROSS JOIN nodes n ON n.id = w.value AND n.form = 'ENTITY' AND n.datasets <> '' WHERE true`

	whereKind     = `n.kind` + inList
	whereExternal = `n.row IN (SELECT e.node FROM external_ids e WHERE e.external = ?)`
	whereStatedBy = `n.row IN (SELECT d.node FROM json_each(?) w CROSS JOIN node_datasets d ON d.dataset = w.value)`
	whereExists   = `n.earliest <= ? AND n.latest >= ?`

	// Standings are few, and found by their type; acts are found at each entity.
	whereHolds = `n.id IN (SELECT r.source FROM json_each(?) w CROSS JOIN types t ON t.name = w.value
		CROSS JOIN relations r INDEXED BY relations_by_holder ON r.type = t.code AND r.standing = 1 AND r.superseded_at IS NULL
		WHERE r.status` + inList
	whereHoldsAny = `EXISTS (SELECT 1 FROM adjacency a CROSS JOIN relations r ON r.row = a.relation WHERE a.entity = n.row AND r.source = n.id
		AND a.type IN (SELECT t.code FROM json_each(?) w CROSS JOIN types t ON t.name = w.value) AND r.status` + inList
	// The same where offices may be held under ids for which another one stands.
	whereUnitedHolds = `n.id IN (SELECT h.canonical FROM json_each(?) w CROSS JOIN types t ON t.name = w.value
		CROSS JOIN relations r INDEXED BY relations_by_holder ON r.type = t.code AND r.standing = 1 AND r.superseded_at IS NULL
		CROSS JOIN nodes h ON h.id = r.source WHERE r.status` + inList
	whereUnitedHoldsAny = `n.id IN (SELECT h.canonical FROM json_each(?) w CROSS JOIN types t ON t.name = w.value
		CROSS JOIN relations r ON r.type = t.code AND r.superseded_at IS NULL CROSS JOIN nodes h ON h.id = r.source WHERE r.status` + inList
	whereHeldOn = ` AND r.earliest <= ? AND r.latest >= ?`

	afterName  = `(n.folded, n.id) > (?, ?)`
	beforeName = `(n.folded, n.id) < (?, ?)`
	afterID    = `n.id > ?`
	beforeID   = `n.id < ?`

	byName         = ` ORDER BY n.folded, n.id LIMIT ?`
	byNameBackward = ` ORDER BY n.folded DESC, n.id DESC LIMIT ?`
	byID           = ` ORDER BY n.id LIMIT ?`
	byIDBackward   = ` ORDER BY n.id DESC LIMIT ?`
)

// Entities implements [graph.Reader].
func (r *reader) Entities(ctx context.Context, q *graph.EntityQuery) (page graph.EntityPage, err error) {
	f := &q.Filter
	from := allEntities
	var where condition
	if f.IDs != nil {
		from = namedEntities
		where.args = append(where.args, jsonList(distinct(f.IDs)))
	}
	if f.Kinds != nil {
		where.and(whereKind, jsonList(f.Kinds))
	}
	if f.ExternalID != nil {
		where.and(whereExternal, f.ExternalID.String())
	}
	if f.Office != nil {
		held, heldAny := whereHolds, whereHoldsAny
		if !r.identities.Empty() {
			held, heldAny = whereUnitedHolds, whereUnitedHoldsAny
		}
		for _, name := range f.Office {
			if t, ok := r.vocabulary.Lookup(name); ok && t.Nature != graph.Standing {
				held = heldAny
				break
			}
		}
		args := []any{jsonList(f.Office), statusCodes.list(graph.Factual[:])}
		if q.AsOf != nil {
			held += whereHeldOn
			args = append(args, int64(*q.AsOf), int64(*q.AsOf))
		}
		where.and(held+`)`, args...)
	}
	if f.Dataset != nil {
		where.and(whereStatedBy, jsonList(f.Dataset))
	}
	if q.AsOf != nil {
		where.and(whereExists, int64(*q.AsOf), int64(*q.AsOf))
	}
	if q.Count {
		err := r.scan(ctx, `SELECT count(*) FROM `+from+where.text.String(), where.args, 1, func(v *values) error {
			page.Count = int(v.integer())
			return nil
		})
		if err != nil {
			return graph.EntityPage{}, err
		}
	}
	if q.Limit <= 0 {
		return page, nil
	}
	inOrder := q.Order == graph.ByID
	order := byName
	switch {
	case inOrder && q.Backward:
		order = byIDBackward
	case inOrder:
		order = byID
	case q.Backward:
		order = byNameBackward
	}
	key := func(k *graph.EntityKey, name, id string) {
		switch {
		case k == nil:
		case inOrder:
			where.and(id, k.ID)
		default:
			where.and(name, k.Name, k.ID)
		}
	}
	key(q.After, afterName, afterID)
	key(q.Before, beforeName, beforeID)
	columns, width := nodeSelect(q.Detail)
	text := `WITH page (node) AS MATERIALIZED (SELECT n.row FROM ` + from + where.text.String() + order +
		`) SELECT ` + columns + ` FROM page CROSS JOIN nodes n ON n.row = page.node`
	err = r.scan(ctx, text, append(where.args, q.Limit), width, func(v *values) error {
		n, err := node(v)
		page.Rows = append(page.Rows, n)
		return err
	})
	if err != nil {
		return graph.EntityPage{}, err
	}
	if q.Backward {
		slices.Reverse(page.Rows)
	}
	return page, nil
}

// Who has words that one word of a search may match. The character behind a
// prefix is the last one there is, so the two are a range.
const (
	haveWord = `SELECT h.node FROM search_words s CROSS JOIN word_nodes h ON h.word = s.row WHERE s.word >= ? AND s.word < ?
		UNION ALL SELECT h.node FROM (SELECT DISTINCT d.word FROM json_each(?) w CROSS JOIN word_deletions d ON d.deletion = w.value) f
		CROSS JOIN word_nodes h ON h.word = f.word`
	lastCharacter = "\U0010FFFF"
)

// Candidates implements [graph.Reader].
func (r *reader) Candidates(ctx context.Context, q *graph.SearchQuery) ([]*graph.Node, error) {
	var where condition
	joined := ` AND n.row IN (`
	for i, w := range q.Words {
		if q.AnyWord && i > 0 {
			joined = ` UNION ALL `
		}
		where.text.WriteString(joined + haveWord)
		if !q.AnyWord {
			where.text.WriteString(`)`)
		}
		where.args = append(where.args, w.Prefix, w.Prefix+lastCharacter, jsonList(w.Exact))
	}
	if q.AnyWord {
		if len(q.Words) == 0 {
			return nil, nil
		}
		where.text.WriteString(`)`)
	}
	if q.Kinds != nil {
		where.and(whereKind, jsonList(q.Kinds))
	}
	var out []*graph.Node
	err := r.scan(ctx, `SELECT `+nodeAliases+` FROM `+allEntities+where.text.String(), where.args, aliasesWidth, func(v *values) error {
		n, err := node(v)
		out = append(out, n)
		return err
	})
	return out, err
}

// What the record holds.
const (
	heldStatements = `SELECT s.id, s.dataset, s.content, s.hash, s.recorded_at, s.superseded_at
		FROM json_each(?) w CROSS JOIN statements s ON s.id = w.value`
	heldRelations = `SELECT r.id, r.type, r.source, r.target, r.dataset, r.hash, r.recorded_at
		FROM json_each(?) w CROSS JOIN relations r INDEXED BY relations_standing ON r.id = w.value AND r.superseded_at IS NULL`
	heldBeginning = `SELECT r.id, r.type, r.source, r.target, r.dataset, r.hash, r.recorded_at
		FROM json_each(?) w CROSS JOIN relations r INDEXED BY relations_standing
		ON r.id >= w.value AND r.id < w.value || '` + lastCharacter + `' AND r.superseded_at IS NULL`
	heldStanding = `SELECT ` + detailColumns + `
		FROM json_each(?) w CROSS JOIN relations r INDEXED BY relations_standing ON r.id = w.value AND r.superseded_at IS NULL`
	heldFormer = `SELECT ` + detailColumns + `
		FROM json_each(?) w CROSS JOIN relations r INDEXED BY relations_former ON r.id = w.value AND r.superseded_at IS NOT NULL`
	heldJudgements = `SELECT s.id, s.dataset, s.content, s.hash, s.recorded_at FROM statements s INDEXED BY statements_versions
		WHERE s.id >= ? AND s.id < ? AND s.superseded_at IS NULL ORDER BY s.id, s.dataset`
	heldEntries = `SELECT id, relation, type, source, target, hash FROM (
		SELECT * FROM (SELECT id, 0 AS relation, 0 AS type, '' AS source, '' AS target, hash FROM statements INDEXED BY statements_standing
			WHERE dataset = ?1 AND superseded_at IS NULL AND id > ?2 ORDER BY id LIMIT ?3)
		UNION ALL
		SELECT * FROM (SELECT id, 1, type, source, target, hash FROM relations INDEXED BY relations_by_dataset
			WHERE dataset = ?1 AND superseded_at IS NULL AND id > ?2 ORDER BY id LIMIT ?3)
		) ORDER BY id LIMIT ?3`
	everyStatement = `SELECT DISTINCT id FROM statements INDEXED BY statements_versions WHERE id > ?1 ORDER BY id LIMIT ?2`
	everyRelation  = `SELECT id FROM (
		SELECT id FROM (SELECT id FROM relations INDEXED BY relations_standing
			WHERE superseded_at IS NULL AND id > ?1 ORDER BY id LIMIT ?2)
		UNION
		SELECT id FROM (SELECT DISTINCT id FROM relations INDEXED BY relations_former
			WHERE superseded_at IS NOT NULL AND id > ?1 ORDER BY id LIMIT ?2)
		) ORDER BY id LIMIT ?2`
)

const heldInputs = `SELECT dataset, input, recorded_at, under FROM loaded ORDER BY dataset, input`

const heldLoaded = `SELECT recorded_at, under FROM loaded WHERE dataset = ? AND input = ?`

// Held implements [graph.Reader].
func (r *reader) Held(ctx context.Context, q *graph.HeldQuery) (*graph.Held, error) {
	held := &graph.Held{Statements: map[string][]graph.Statement{}, Relations: map[string]graph.Entry{}}
	if len(q.Nodes) > 0 {
		if err := r.statements(ctx, q, held); err != nil {
			return nil, err
		}
	}
	for _, asked := range []struct {
		query string
		texts []string
	}{{heldRelations, q.Relations}, {heldBeginning, q.Beginnings}} {
		if len(asked.texts) == 0 {
			continue
		}
		err := r.scan(ctx, asked.query, []any{jsonList(distinct(asked.texts))}, 7, func(v *values) (err error) {
			e := graph.Entry{ID: v.text(), Relation: true}
			e.Type, err = r.typeName(ctx, v.integer())
			e.Source, e.Target, e.Dataset, e.Hash, e.RecordedAt = v.text(), v.text(), v.text(), v.hash(), graph.Instant(v.integer())
			held.Relations[e.ID] = e
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(q.Relations) > 0 && q.History {
		if err := r.versions(ctx, []any{jsonList(distinct(q.Relations))}, held); err != nil {
			return nil, err
		}
	}
	if q.Limit > 0 && q.Every != "" {
		text := everyStatement
		if q.Every == graph.EveryRelation {
			text = everyRelation
		}
		err := r.scan(ctx, text, []any{q.After, q.Limit}, 1, func(v *values) error {
			held.IDs = append(held.IDs, v.text())
			return nil
		})
		if err != nil {
			return nil, err
		}
	} else if q.Limit > 0 {
		err := r.scan(ctx, heldEntries, []any{q.Dataset, q.After, q.Limit}, 6, func(v *values) (err error) {
			e := graph.Entry{Dataset: q.Dataset, ID: v.text(), Relation: v.integer() != 0}
			if code := v.integer(); code != 0 {
				e.Type, err = r.typeName(ctx, code)
			}
			e.Source, e.Target, e.Hash = v.text(), v.text(), v.hash()
			held.Entries = append(held.Entries, e)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if q.Loaded != nil {
		err := r.scan(ctx, heldLoaded, []any{q.Dataset, q.Loaded[:]}, 2, func(v *values) error {
			held.Loaded, held.LoadedUnder = graph.Instant(v.integer()), v.hash()
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if q.Journal != nil {
		if err := r.journal(ctx, q.Journal, &held.Journal); err != nil {
			return nil, err
		}
	}
	if q.Walk != nil {
		var err error
		if held.Walk, err = r.walk(ctx, q.Walk); err != nil {
			return nil, err
		}
	}
	if q.Inputs {
		err := r.scan(ctx, heldInputs, nil, 4, func(v *values) error {
			held.Inputs = append(held.Inputs, graph.LoadedInput{Dataset: v.text(), Input: v.hash(), At: graph.Instant(v.integer()), Under: v.hash()})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if q.Tombstones != nil {
		var err error
		if held.Tombstones, err = r.tombstones(ctx, q.Tombstones); err != nil {
			return nil, err
		}
	}
	if q.Identity {
		held.Identities = r.identities // of this very moment: see knowledgeIn
		if err := r.judgements(ctx, held); err != nil {
			return nil, err
		}
	}
	return held, nil
}

const (
	journalEnd     = `SELECT coalesce(max(seq), 0) FROM journal`
	journalBatches = `SELECT seq, recorded_at, relations FROM journal WHERE seq > ? ORDER BY seq LIMIT ?`
)

func (r *reader) journal(ctx context.Context, q *graph.JournalQuery, into *graph.Journal) error {
	err := r.scan(ctx, journalEnd, nil, 1, func(v *values) error {
		into.Last = v.integer()
		return nil
	})
	if err != nil || q.Limit <= 0 || q.After >= into.Last {
		return err
	}
	return r.scan(ctx, journalBatches, []any{q.After, q.Limit}, 3, func(v *values) (err error) {
		b := graph.JournalBatch{Seq: v.integer(), At: graph.Instant(v.integer())}
		b.Relations, err = decodeTexts(v.text())
		into.Batches = append(into.Batches, b)
		return err
	})
}

// judgements are in the order of their ids and data sets.
func (r *reader) judgements(ctx context.Context, held *graph.Held) error {
	from, before := graph.JudgementIDs()
	return r.scan(ctx, heldJudgements, []any{from, before}, 5, func(v *values) error {
		s := graph.Statement{ID: v.text(), Dataset: v.text()}
		text := v.text()
		s.Hash, s.RecordedAt = v.hash(), graph.Instant(v.integer())
		if err := decodeContent(text, &s.Content, true); err != nil {
			return fmt.Errorf("%s: the statement of %s about %s cannot be read: %w", r.store.path, s.Dataset, s.ID, err)
		}
		if s.Content.Form == graph.FormIdentity {
			held.Judgements = append(held.Judgements, s)
		}
		return nil
	})
}

func (r *reader) versions(ctx context.Context, ids []any, held *graph.Held) error {
	held.Versions = map[string][]*graph.Relation{}
	for _, query := range []string{heldFormer, heldStanding} {
		err := r.scan(ctx, query, ids, detailWidth, func(v *values) error {
			rel, err := r.relation(ctx, v, true)
			if err == nil {
				held.Versions[rel.ID] = append(held.Versions[rel.ID], rel)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, versions := range held.Versions {
		slices.SortStableFunc(versions, compareVersions)
	}
	return nil
}

// statements are in the order of the data sets and, of each, oldest first.
func (r *reader) statements(ctx context.Context, q *graph.HeldQuery, held *graph.Held) error {
	content := map[string][]string{} // as stored, beside the statements
	err := r.scan(ctx, heldStatements, []any{jsonList(distinct(q.Nodes))}, 6, func(v *values) error {
		s := graph.Statement{ID: v.text(), Dataset: v.text()}
		text := v.text()
		s.Hash, s.RecordedAt, s.SupersededAt = v.hash(), graph.Instant(v.integer()), graph.Instant(v.integer())
		list, texts := held.Statements[s.ID], content[s.ID]
		at, _ := slices.BinarySearchFunc(list, s, func(a, b graph.Statement) int {
			// Where all is alike, the one read later is the later one.
			return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.RecordedAt, b.RecordedAt), compareEnds(a.SupersededAt, b.SupersededAt), -1)
		})
		if !q.History && len(list) > 0 {
			// Of each data set only the last one is kept.
			if at < len(list) && list[at].Dataset == s.Dataset {
				return nil
			}
			if at > 0 && list[at-1].Dataset == s.Dataset {
				list[at-1], texts[at-1] = s, text
				return nil
			}
		}
		held.Statements[s.ID], content[s.ID] = slices.Insert(list, at, s), slices.Insert(texts, at, text)
		return nil
	})
	if err != nil {
		return err
	}
	for id, list := range held.Statements {
		for i := range list {
			if err := decodeContent(content[id][i], &list[i].Content, true); err != nil {
				return fmt.Errorf("%s: the statement of %s about %s cannot be read: %w", r.store.path, list[i].Dataset, id, err)
			}
		}
	}
	return nil
}

const selectDatasets = `SELECT name, title, priority, recorded_at, edition, complete, written, written_under FROM datasets ORDER BY name`

// Datasets implements [graph.Reader].
func (r *reader) Datasets(ctx context.Context) (out []graph.Dataset, err error) {
	err = r.scan(ctx, selectDatasets, nil, 8, func(v *values) error {
		out = append(out, graph.Dataset{Name: v.text(), Title: v.text(), Priority: int(v.integer()),
			RecordedAt: graph.Instant(v.integer()), Edition: v.hash(), Complete: v.integer() != 0,
			Written: graph.Written{Parts: int(v.integer()), Under: v.hash()}})
		return nil
	})
	return out, err
}

// distinct has each id once, in the order of the indexes.
func distinct(ids []string) []string { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// placeholders gives rows of so many parameters, in the form of VALUES.
func placeholders(rows, columns int) string {
	row := `(?` + strings.Repeat(`, ?`, columns-1) + `)`
	return row + strings.Repeat(`, `+row, rows-1)
}
