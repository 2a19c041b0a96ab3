package sqlitestore

import (
	"cmp"
	"context"
	"slices"

	"chancery/graph"
)

// Where the relations of one anchor come from: w.value is its id.
const (
	nearEntity     = ` FROM adjacency a WHERE a.entity = n.row`
	nearEntityFull = ` FROM adjacency a CROSS JOIN relations r ON r.row = a.relation WHERE a.entity = n.row`
	aboutIt        = ` FROM relation_about b CROSS JOIN relations r ON r.row = b.relation WHERE b.about = w.value`
	ofEvent        = ` FROM relations r INDEXED BY relations_by_event WHERE r.superseded_at IS NULL AND r.event <> '' AND r.event = w.value`
	withID         = ` FROM relations r INDEXED BY relations_standing WHERE r.superseded_at IS NULL AND r.id = w.value`
)

// Where the relations of the whole record come from: the ends, the acts, the
// event or the rare kinds that the filter names, where it names any. All of the filter is asked
// of them besides.
const (
	allByEnd = ` FROM (SELECT DISTINCT a.relation FROM json_each(?) w CROSS JOIN nodes n ON n.id = w.value
		CROSS JOIN adjacency a ON a.entity = n.row) x CROSS JOIN relations r ON r.row = x.relation WHERE true`
	allByAbout = ` FROM (SELECT DISTINCT b.relation FROM json_each(?) w CROSS JOIN relation_about b ON b.about = w.value) x
		CROSS JOIN relations r ON r.row = x.relation WHERE true`
	allByKind  = ` FROM (SELECT DISTINCT a.relation FROM ` + ofKinds + `) x CROSS JOIN relations r ON r.row = x.relation WHERE true`
	allByEvent = ` FROM relations r INDEXED BY relations_by_event WHERE r.superseded_at IS NULL AND r.event <> ''`
	allByDay   = ` FROM relations r INDEXED BY relations_by_day WHERE r.superseded_at IS NULL`
)

func (r *reader) fromAll(ctx context.Context, f *graph.RelationFilter) (text string, args []any, err error) {
	switch {
	case f.Event != nil:
		return allByEvent, nil, nil
	case f.About != nil:
		return allByAbout, []any{jsonList(f.About)}, nil
	}
	for _, list := range [][]string{f.Source, f.Target, f.With} {
		if list != nil {
			return allByEnd, []any{jsonList(list)}, nil
		}
	}
	if f.WithKinds != nil {
		kinds := jsonList(f.WithKinds)
		if few, err := r.few(ctx, kinds); err != nil || few {
			return allByKind, []any{kinds}, err
		}
	}
	return allByDay, nil, nil
}

// Kinds of which there are few ends are a way in. Where there are many, a page is
// soon full on the way through all days, and the ends would all have to be sorted.
const (
	ofKinds  = `nodes n INDEXED BY nodes_by_kind CROSS JOIN adjacency a ON a.entity = n.row WHERE n.form = 'ENTITY' AND n.kind` + inList
	someEnds = `SELECT count(*) FROM (SELECT 1 FROM ` + ofKinds + ` LIMIT ?)`
)

// fewEnds is how many are few. Tests have fewer.
var fewEnds int64 = 5000

// few reports whether entities of some kinds have few relations, all together.
func (r *reader) few(ctx context.Context, kinds string) (few bool, err error) {
	err = r.scan(ctx, someEnds, []any{kinds, fewEnds + 1}, 1, func(v *values) error {
		few = v.integer() <= fewEnds
		return nil
	})
	return few, err
}

// A question for all anchors at once. What belongs to the pages is found
// first, within SQLite's first step, so that ending the context ends it; then
// the columns are read.
const (
	anchors       = ` FROM json_each(?) w`
	anchorNodes   = anchors + ` CROSS JOIN nodes n ON n.id = w.value`
	pagesHead     = `WITH page (anchor, relation) AS MATERIALIZED (SELECT w.key, p.value`
	pagesOfEach   = ` CROSS JOIN json_each((SELECT json_group_array(relation) FROM (`
	pagesOfEnd    = `))) p)`
	pageOfAll     = `WITH page (anchor, relation) AS MATERIALIZED (`
	pageOfAllEnd  = `)`
	pageRows      = ` FROM page CROSS JOIN relations r ON r.row = page.relation`
	countsHead    = `WITH page (anchor, matches) AS MATERIALIZED (SELECT w.key, (SELECT count(*)`
	countsMiddle  = `)`
	countsEnd     = `) SELECT anchor, matches FROM page`
	countAll      = `SELECT 0, count(*)`
	leanColumns   = `r.id, r.type, r.source, r.target, r.edtf, r.earliest, r.certain_from, r.certain_to, r.latest, r.sort_day, r.start_kind, r.end_kind, r.basis, r.status`
	detailColumns = leanColumns + `, r.claimed_by, r.accredited_to, r.event, r.cameo, r.family, r.goldstein, r.confidence, r.dataset, r.rest, r.hash, r.recorded_at, r.superseded_at`
)

// Relations implements [graph.Reader].
func (r *reader) Relations(ctx context.Context, q *graph.RelationQuery) ([]graph.RelationPage, error) {
	ids := q.IDs
	near := q.Anchor == graph.AnchorEntity
	whole := q.Anchor == graph.AnchorNone
	if whole {
		ids = []string{""}
	}
	pages := make([]graph.RelationPage, len(ids))
	for i, id := range ids {
		pages[i].Anchor = id
	}
	if len(ids) == 0 {
		return pages, nil
	}
	var matching, rows condition
	matching.filter(&q.Filter, q.AsOf, near)
	table := "r"
	if near {
		table = "a"
	}
	rows.page(q, table)

	of, from, relation := anchors, "", `r.row`
	var args []any
	switch q.Anchor {
	case graph.AnchorEntity:
		of, from, relation = anchorNodes, nearEntity, `a.relation`
		if matching.relations {
			from = nearEntityFull
		}
	case graph.AnchorAbout:
		from = aboutIt
	case graph.AnchorEvent:
		from = ofEvent
	case graph.AnchorID:
		from = withID
	default:
		var err error
		if from, args, err = r.fromAll(ctx, &q.Filter); err != nil {
			return nil, err
		}
	}
	if !whole {
		args = []any{jsonList(ids)}
	}

	// A relation's own page is there if it matches, whether or not its row is
	// asked for.
	counted := q.Count || q.Anchor == graph.AnchorID && (q.Limit <= 0 || q.After != nil || q.Before != nil)
	if counted {
		text, given := countsHead+from+matching.text.String()+countsMiddle+of+countsEnd, slices.Concat(matching.args, args)
		if whole {
			text, given = countAll+from+matching.text.String(), slices.Concat(args, matching.args)
		}
		err := r.scan(ctx, text, given, 2, func(v *values) error {
			pages[v.integer()].Count = int(v.integer())
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if q.Limit > 0 {
		found := `SELECT ` + relation + ` AS relation` + from + matching.text.String() + rows.text.String()
		text := pagesHead + of + pagesOfEach + found + pagesOfEnd
		if whole {
			text = pageOfAll + `SELECT 0, relation FROM (` + found + `)` + pageOfAllEnd
		}
		columns, width := leanColumns, leanWidth
		if q.Detail {
			columns, width = detailColumns, detailWidth
		}
		text += ` SELECT page.anchor, ` + columns + pageRows
		err := r.scan(ctx, text, slices.Concat(args, matching.args, rows.args), 1+width, func(v *values) error {
			page := &pages[v.integer()]
			rel, err := r.relation(ctx, v, q.Detail)
			page.Rows = append(page.Rows, rel)
			return err
		})
		if err != nil {
			return nil, err
		}
		for i := range pages {
			// They come in this order, or in the opposite one, already.
			if q.Backward {
				slices.Reverse(pages[i].Rows)
			}
			slices.SortFunc(pages[i].Rows, func(a, b *graph.Relation) int { return q.Order.Compare(a.Key(), b.Key()) })
		}
	}
	if q.Anchor == graph.AnchorID {
		pages = slices.DeleteFunc(pages, func(p graph.RelationPage) bool { return len(p.Rows) == 0 && p.Count == 0 })
		if !q.Count {
			for i := range pages {
				pages[i].Count = 0
			}
		}
	}
	return pages, nil
}

// The numbers of columns in leanColumns and detailColumns.
const (
	leanWidth   = 14
	detailWidth = leanWidth + 12
)

// relation reads leanColumns or detailColumns.
func (r *reader) relation(ctx context.Context, v *values, detail bool) (*graph.Relation, error) {
	rel := &graph.Relation{ID: v.text()}
	var err error
	if rel.Type, err = r.typeName(ctx, v.integer()); err != nil {
		return nil, err
	}
	rel.Source, rel.Target = v.text(), v.text()
	rel.Date = graph.Date{
		EDTF:      v.text(),
		Bounds:    graph.Bounds{Earliest: v.day(), CertainFrom: v.day(), CertainTo: v.day(), Latest: v.day()},
		SortDay:   v.day(),
		StartKind: endCodes.decode(v.integer()),
		EndKind:   endCodes.decode(v.integer()),
		Basis:     basisCodes.decode(v.integer()),
	}
	rel.Status = statusCodes.decode(v.integer())
	if !detail {
		return rel, nil
	}
	rel.ClaimedBy, rel.AccreditedTo, rel.Event, rel.CAMEO, rel.Family = v.text(), v.text(), v.text(), v.text(), v.text()
	rel.Goldstein, rel.Confidence = v.real(), v.real()
	rel.Dataset = v.text()
	rest := v.text()
	rel.Hash = v.hash()
	rel.RecordedAt, rel.SupersededAt = graph.Instant(v.integer()), graph.Instant(v.integer())
	return rel, decodeRest(rest, rel)
}

func (r *reader) typeName(ctx context.Context, code int64) (name string, err error) {
	if name = r.types[code]; name != "" {
		return name, nil
	}
	if r.types, err = r.store.typeNames(ctx, r.c, code); err != nil {
		return "", err
	}
	return r.types[code], nil
}

func compareVersions(a, b *graph.Relation) int {
	return cmp.Or(cmp.Compare(a.RecordedAt, b.RecordedAt), compareEnds(a.SupersededAt, b.SupersededAt))
}

// compareEnds orders what stands behind what was superseded.
func compareEnds(a, b graph.Instant) int {
	switch {
	case a == b:
		return 0
	case a == 0:
		return 1
	case b == 0:
		return -1
	}
	return cmp.Compare(a, b)
}
