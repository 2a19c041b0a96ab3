package neo4jstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"chancery/graph"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// reader is a [graph.Reader] in one transaction.
type reader struct {
	knowledge
	store *Store
	t     *transaction
}

// one runs a query that gives one row.
func (r *reader) one(ctx context.Context, text string, parameters map[string]any) (row, error) {
	began := time.Now()
	values, err := r.t.one(ctx, text, parameters)
	if tell := graph.Tracer(ctx); tell != nil && err == nil {
		took := time.Since(began)
		rows := 0
		for i, v := range values {
			if l, ok := v.([]any); ok {
				rows += len(l)
			} else if i == 0 {
				rows++
			}
		}
		tell(graph.StoreQuery{Language: "Cypher", Text: text, Parameters: parameters,
			Standalone: func() string { return standalone(text, parameters) }, Rows: rows, Duration: took})
	}
	if err != nil {
		return row{}, mapped(ctx, err)
	}
	if values == nil {
		return row{}, fmt.Errorf("neo4j: a query that gives one row gave none")
	}
	return row{values: values}, nil
}

func (r *reader) ask(ctx context.Context, q *question) (row, error) {
	return r.one(ctx, q.text.String(), q.parameters)
}

// Vocabulary implements [graph.Reader].
func (r *reader) Vocabulary() *graph.Vocabulary { return r.vocabulary }

// Identities implements [graph.Reader].
func (r *reader) Identities() *graph.Identities { return r.identities }

// Nodes implements [graph.Reader].
func (r *reader) Nodes(ctx context.Context, ids []string, detail bool) (map[string]*graph.Node, error) {
	nodes := make(map[string]*graph.Node, len(ids))
	if len(ids) == 0 {
		return nodes, nil
	}
	text := cyNodesPlain
	if detail {
		text = cyNodesDetail
	}
	answer, err := r.one(ctx, text, map[string]any{"ids": ids})
	if err != nil {
		return nil, err
	}
	for _, v := range answer.list() {
		in := rowOf(v)
		n := in.node(graph.Form(in.text()))
		if detail {
			in.content(&n.Content)
		}
		if in.err != nil {
			return nil, fmt.Errorf("neo4j: node %s: %w", n.ID, in.err)
		}
		nodes[n.ID] = n
	}
	return nodes, answer.err
}

// Relations implements [graph.Reader].
func (r *reader) Relations(ctx context.Context, rq *graph.RelationQuery) ([]graph.RelationPage, error) {
	found := map[string]graph.RelationPage{}
	q, ok := relationQuestion(r.vocabulary, rq)
	if ok && (rq.Limit > 0 || rq.Count || rq.Anchor == graph.AnchorID) {
		answer, err := r.ask(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, v := range answer.list() {
			in := rowOf(v)
			page := graph.RelationPage{Anchor: in.text(), Count: int(in.integer())}
			rows := in.list()
			if in.err != nil {
				return nil, fmt.Errorf("neo4j: %w", in.err)
			}
			if !rq.Count { // the price of knowing that there is a page
				page.Count = 0
			}
			if len(rows) > 0 {
				page.Rows = make([]*graph.Relation, len(rows))
			}
			for i, v := range rows {
				if page.Rows[i], err = decodeRelation(v, rq.Detail); err != nil {
					return nil, fmt.Errorf("neo4j: relation %s: %w", page.Rows[i].ID, err)
				}
			}
			if rq.Backward {
				slices.Reverse(page.Rows)
			}
			found[page.Anchor] = page
		}
		if answer.err != nil {
			return nil, answer.err
		}
	}
	if rq.Anchor == graph.AnchorNone {
		return []graph.RelationPage{found[""]}, nil
	}
	pages := make([]graph.RelationPage, 0, len(rq.IDs))
	for _, id := range rq.IDs {
		page, ok := found[id]
		if !ok && rq.Anchor == graph.AnchorID {
			continue
		}
		page.Anchor = id
		pages = append(pages, page)
	}
	return pages, nil
}

// Entities implements [graph.Reader].
func (r *reader) Entities(ctx context.Context, eq *graph.EntityQuery) (graph.EntityPage, error) {
	var page graph.EntityPage
	q, ok := entityQuestion(r.vocabulary, r.identities, eq)
	if !ok || eq.Limit <= 0 && !eq.Count {
		return page, nil
	}
	answer, err := r.ask(ctx, q)
	if err != nil {
		return page, err
	}
	page.Count = int(answer.integer())
	for _, v := range answer.list() {
		in := rowOf(v)
		n := in.node(graph.FormEntity)
		if eq.Detail {
			in.content(&n.Content)
		}
		if in.err != nil {
			return page, fmt.Errorf("neo4j: entity %s: %w", n.ID, in.err)
		}
		page.Rows = append(page.Rows, n)
	}
	if eq.Backward {
		slices.Reverse(page.Rows)
	}
	return page, answer.err
}

// Candidates implements [graph.Reader].
func (r *reader) Candidates(ctx context.Context, sq *graph.SearchQuery) ([]*graph.Node, error) {
	q, ok := candidateQuestion(sq)
	if !ok {
		return nil, nil
	}
	answer, err := r.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	rows := answer.list()
	nodes := make([]*graph.Node, 0, len(rows))
	for _, v := range rows {
		in := rowOf(v)
		n := in.node(graph.FormEntity)
		n.Aliases = in.texts()
		if in.err != nil {
			return nil, fmt.Errorf("neo4j: entity %s: %w", n.ID, in.err)
		}
		nodes = append(nodes, n)
	}
	return nodes, answer.err
}

// Held implements [graph.Reader].
func (r *reader) Held(ctx context.Context, hq *graph.HeldQuery) (*graph.Held, error) {
	held := &graph.Held{Statements: map[string][]graph.Statement{}, Relations: map[string]graph.Entry{}}
	if hq.History {
		held.Versions = map[string][]*graph.Relation{}
	}
	if err := r.heldByID(ctx, hq, held); err != nil {
		return nil, err
	}
	if len(hq.Beginnings) > 0 {
		if err := r.heldBeginning(ctx, hq.Beginnings, held); err != nil {
			return nil, err
		}
	}
	if hq.Every != "" && hq.Limit > 0 {
		var err error
		if held.IDs, err = r.every(ctx, hq.Every, hq.After, hq.Limit); err != nil {
			return nil, err
		}
	} else if hq.Dataset != "" && hq.Limit > 0 {
		var err error
		if held.Entries, err = r.entries(ctx, hq.Dataset, hq.After, hq.Limit); err != nil {
			return nil, err
		}
	}
	if hq.Loaded != nil {
		answer, err := r.one(ctx, cyLoaded, map[string]any{"key": loadedKey(hq.Dataset, *hq.Loaded)})
		if err != nil {
			return nil, err
		}
		held.Loaded, held.LoadedUnder = answer.instant(), answer.hash()
		if answer.err != nil {
			return nil, answer.err
		}
	}
	if hq.Journal != nil {
		var err error
		if held.Journal, err = r.journal(ctx, hq.Journal); err != nil {
			return nil, err
		}
	}
	if hq.Walk != nil {
		var err error
		if held.Walk, err = r.walk(ctx, hq.Walk); err != nil {
			return nil, err
		}
	}
	if hq.Inputs {
		answer, err := r.one(ctx, cyInputs, nil)
		if err != nil {
			return nil, err
		}
		for _, v := range answer.list() {
			in := rowOf(v)
			dataset, input, _ := strings.Cut(in.text(), "\t")
			l := graph.LoadedInput{Dataset: dataset, At: in.instant(), Under: in.hash()}
			if l.Input, err = graph.ParseHash(input); err != nil || in.err != nil {
				return nil, errors.Join(err, in.err)
			}
			held.Inputs = append(held.Inputs, l)
		}
		if answer.err != nil {
			return nil, answer.err
		}
	}
	if hq.Tombstones != nil {
		var err error
		if held.Tombstones, err = r.tombstones(ctx, hq.Tombstones); err != nil {
			return nil, err
		}
	}
	if hq.Identity {
		if err := r.judgements(ctx, held); err != nil {
			return nil, err
		}
	}
	return held, nil
}

func (r *reader) journal(ctx context.Context, q *graph.JournalQuery) (j graph.Journal, err error) {
	text, parameters := cyJournalEnd, map[string]any{}
	if q.Limit > 0 {
		text, parameters = cyJournal, map[string]any{"after": q.After, "to": q.After + int64(q.Limit)}
	}
	answer, err := r.one(ctx, text, parameters)
	if err != nil {
		return j, err
	}
	j.Last = answer.integer()
	if q.Limit > 0 {
		for _, v := range answer.list() {
			in := rowOf(v)
			j.Batches = append(j.Batches, graph.JournalBatch{Seq: in.integer(), At: in.instant(), Relations: in.texts()})
			if in.err != nil {
				return j, in.err
			}
		}
	}
	return j, answer.err
}

func (r *reader) judgements(ctx context.Context, held *graph.Held) error {
	answer, err := r.one(ctx, cyJudgements, nil)
	if err != nil {
		return err
	}
	for _, v := range answer.list() {
		s, err := decodeStatement(v)
		if err != nil {
			return fmt.Errorf("neo4j: statement about %s: %w", s.ID, err)
		}
		held.Judgements = append(held.Judgements, s)
	}
	slices.SortFunc(held.Judgements, func(a, b graph.Statement) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Dataset, b.Dataset))
	})
	held.Identities = answer.identities()
	return answer.err
}

func (r *reader) heldByID(ctx context.Context, hq *graph.HeldQuery, held *graph.Held) error {
	q := &question{parameters: map[string]any{}}
	var columns []string
	if len(hq.Nodes) > 0 {
		q.parameters["nodes"] = hq.Nodes
		columns = append(columns, "statements")
		if hq.History {
			q.write(cyHeldHistory)
		} else {
			q.write(cyHeldStatements)
		}
	}
	finding := phrases("id", hq.Relations)
	if len(finding) > 0 {
		q.parameters["finding"] = finding
		if hq.History {
			q.parameters["relations"] = hq.Relations
			q.write(cyHeldStanding, cyHeldFormer)
			columns = append(columns, "standing", "former")
		} else {
			q.write(cyHeldRelations)
			columns = append(columns, "entries")
		}
	}
	if len(columns) == 0 {
		return nil
	}
	q.write("RETURN ", strings.Join(columns, ", "))
	answer, err := r.ask(ctx, q)
	if err != nil {
		return err
	}
	for _, column := range columns {
		for _, v := range answer.list() {
			switch column {
			case "statements":
				s, err := decodeStatement(v)
				if err != nil {
					return fmt.Errorf("neo4j: statement about %s: %w", s.ID, err)
				}
				held.Statements[s.ID] = append(held.Statements[s.ID], s)
			case "entries":
				if err := addEntry(v, held); err != nil {
					return err
				}
			default:
				rel, err := decodeRelation(v, true)
				if err != nil {
					return fmt.Errorf("neo4j: relation %s: %w", rel.ID, err)
				}
				held.Versions[rel.ID] = append(held.Versions[rel.ID], rel)
				if column == "standing" {
					held.Relations[rel.ID] = graph.Entry{ID: rel.ID, Relation: true, Type: rel.Type, Source: rel.Source,
						Target: rel.Target, Dataset: rel.Dataset, Hash: rel.Hash, RecordedAt: rel.RecordedAt}
				}
			}
		}
	}
	for _, statements := range held.Statements {
		slices.SortFunc(statements, func(a, b graph.Statement) int {
			return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), compareVersions(a.RecordedAt, b.RecordedAt, a.SupersededAt, b.SupersededAt))
		})
	}
	for _, versions := range held.Versions {
		slices.SortFunc(versions, func(a, b *graph.Relation) int {
			return compareVersions(a.RecordedAt, b.RecordedAt, a.SupersededAt, b.SupersededAt)
		})
	}
	return answer.err
}

// heldBeginning finds relations by what their ids begin with.
func (r *reader) heldBeginning(ctx context.Context, texts []string, held *graph.Held) error {
	answer, err := r.one(ctx, cyHeldRelations+"RETURN entries", map[string]any{"finding": beginnings("id", texts)})
	if err != nil {
		return err
	}
	for _, v := range answer.list() {
		if err := addEntry(v, held); err != nil {
			return err
		}
	}
	return answer.err
}

func addEntry(v any, held *graph.Held) error {
	e, err := decodeEntry(v)
	if err != nil {
		return fmt.Errorf("neo4j: relation %s: %w", e.ID, err)
	}
	held.Relations[e.ID] = e
	return nil
}

// compareVersions orders versions by time, the standing one last.
func compareVersions(recordedA, recordedB, supersededA, supersededB graph.Instant) int {
	return cmp.Or(cmp.Compare(recordedA, recordedB), cmp.Compare(uint64(supersededA-1), uint64(supersededB-1)))
}

// The parts of a listing that are no types; no type has these names.
const (
	partStatements = ""
	partFormer     = "FORMER"
)

// listing is a question for a list in the order of ids that has several parts,
// each of which an index has in order: mostly the relations of one type.
type listing struct {
	name       string // for which the shares of the parts are remembered
	texts      []string
	parts      []string
	parameters map[string]any
}

// part adds a part. Its query is in two pieces, between which the parameter
// stands that bounds it.
func (l *listing) part(name, head, tail string) {
	at := len(l.parts) % partsAtOnce
	if at == 0 {
		l.texts = append(l.texts, "CALL () {\n")
	} else {
		l.texts[len(l.texts)-1] += "  UNION ALL\n"
	}
	l.texts[len(l.texts)-1] += head + "n" + strconv.Itoa(at) + tail
	l.parts = append(l.parts, name)
}

// partsAtOnce is how many parts one query asks for. Neo4j takes seconds to
// plan a query with a hundred of them, and milliseconds for one with a few. A
// query of which no part is in use is left out.
const partsAtOnce = 4

func (l *listing) types(v *graph.Vocabulary, of string) {
	for _, t := range v.Types() {
		l.part(t.Name, cyEntriesMatch+identifier(t.Name)+cyEntriesIndex+identifier(t.Name)+cyEntriesAfter+of+cyEntriesOrder,
			cyEntriesRows+t.Name+cyEntriesEnd)
	}
}

// entries lists what a data set holds.
func (r *reader) entries(ctx context.Context, dataset, after string, limit int) ([]graph.Entry, error) {
	l := &listing{name: dataset, parameters: map[string]any{"dataset": dataset, "endKey": dataset + "\n"}}
	l.part(partStatements, cyEntriesStatements, cyEntriesStatementRows)
	l.types(r.vocabulary, cyEntriesOf)
	entries, err := r.list(ctx, l, after, limit, func(after string) { l.parameters["afterKey"] = statementKey(dataset, after) })
	for i := range entries {
		entries[i].Dataset = dataset
	}
	return entries, err
}

// every lists the ids that have versions.
func (r *reader) every(ctx context.Context, what graph.Every, after string, limit int) (ids []string, err error) {
	if what == graph.EveryStatement {
		answer, err := r.one(ctx, cyEveryStatement, map[string]any{"after": after, "limit": limit})
		if err != nil {
			return nil, err
		}
		ids = answer.texts()
		return ids, answer.err
	}
	l := &listing{parameters: map[string]any{}}
	l.part(partFormer, cyEveryFormer, cyEveryFormerRows)
	l.types(r.vocabulary, "")
	entries, err := r.list(ctx, l, after, limit, func(string) {})
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids, err
}

// list asks for entries, each id once, in the order of ids. So that no page
// sorts more than it holds, it reads of each part about as much as its share,
// learnt from the pages before. Where that is too little of a part, the page
// ends before what was not read, and the next round goes on there.
func (r *reader) list(ctx context.Context, l *listing, after string, limit int, begin func(after string)) ([]graph.Entry, error) {
	used, known := r.store.typesUsed(ctx)
	shares := r.store.sharesOf(l.name, after == "")
	var entries []graph.Entry
	for {
		want := limit - len(entries)
		total := int64(0)
		for _, n := range shares {
			total += n
		}
		quotas := make(map[string]int, len(l.parts))
		for _, name := range l.parts {
			quotas[name] = max(want/8, 16)
			if total > 0 {
				quotas[name] = min(want, int(float64(want)*1.2*float64(shares[name])/float64(total))+want/50+4)
			}
		}
		begin(after)
		var parts []any
		for i, text := range l.texts {
			names := l.parts[i*partsAtOnce : min((i+1)*partsAtOnce, len(l.parts))]
			if known && !slices.ContainsFunc(names, func(name string) bool { return name == partStatements || used[name] }) {
				continue
			}
			parameters := maps.Clone(l.parameters)
			parameters["after"] = after
			for at, name := range names {
				parameters["n"+strconv.Itoa(at)] = quotas[name]
			}
			answer, err := r.one(ctx, text+"}\nRETURN collect([type, entries])", parameters)
			if err != nil {
				return nil, err
			}
			if parts = append(parts, answer.list()...); answer.err != nil {
				return nil, answer.err
			}
		}
		var read []graph.Entry
		bound, bounded := "", false
		for _, v := range parts {
			in := rowOf(v)
			name := in.text()
			rows := in.list()
			for _, v := range rows {
				e := graph.Entry{Type: name, Relation: name != partStatements}
				cells := rowOf(v)
				e.ID, e.Hash = cells.text(), cells.hash()
				if e.Relation {
					e.Source, e.Target = cells.text(), cells.text()
				}
				if cells.err != nil {
					return nil, fmt.Errorf("neo4j: entry %s: %w", e.ID, cells.err)
				}
				read = append(read, e)
			}
			if len(rows) == quotas[name] { // there may be more of it
				if last := read[len(read)-1].ID; !bounded || last < bound {
					bound, bounded = last, true
				}
			}
		}
		slices.SortFunc(read, func(a, b graph.Entry) int { return strings.Compare(a.ID, b.ID) })
		if bounded {
			end, _ := slices.BinarySearchFunc(read, bound, func(e graph.Entry, id string) int { return strings.Compare(e.ID, id+"\x00") })
			read = read[:end]
		}
		read = slices.CompactFunc(read, func(a, b graph.Entry) bool { return a.ID == b.ID })
		read = read[:min(len(read), want)]
		for i := range read {
			shares[read[i].Type]++
		}
		entries = append(entries, read...)
		if !bounded || len(entries) == limit {
			r.store.setShares(l.name, shares)
			return entries, nil
		}
		next := read[len(read)-1].ID
		if next <= after {
			return nil, fmt.Errorf("neo4j: the entries of %q are not in order", l.name)
		}
		after = next
	}
}

// typesUsed are the types of which the database has relationships. It asks in
// a transaction of its own: a server need not let everyone ask for its counts,
// and then nothing is known.
func (s *Store) typesUsed(ctx context.Context) (used map[string]bool, known bool) {
	t, err := s.begin(ctx, neo4j.AccessModeRead)
	if err != nil {
		return nil, false
	}
	defer t.end(ctx)
	values, err := t.one(ctx, cyTypesUsed, nil)
	if err != nil {
		return nil, false
	}
	answer := row{values: values}
	used = map[string]bool{}
	for _, name := range answer.texts() {
		used[name] = true
	}
	return used, answer.err == nil
}

// sharesOf returns how many entries of each type were seen in a data set; a
// new listing halves what is known, so that it fades.
func (s *Store) sharesOf(dataset string, anew bool) map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	shares := map[string]int64{}
	for name, n := range s.shares[dataset] {
		if anew {
			n /= 2
		}
		shares[name] = n
	}
	return shares
}

func (s *Store) setShares(dataset string, shares map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shares[dataset] = shares
}

// Datasets implements [graph.Reader].
func (r *reader) Datasets(ctx context.Context) ([]graph.Dataset, error) {
	answer, err := r.one(ctx, cyDatasets, nil)
	if err != nil {
		return nil, err
	}
	var datasets []graph.Dataset
	for _, v := range answer.list() {
		in := rowOf(v)
		d := graph.Dataset{Name: in.text(), Title: in.text(), Priority: int(in.integer()), RecordedAt: in.instant(), Edition: in.hash(), Complete: in.flag()}
		d.Written.Parts, d.Written.Under = int(in.integer()), in.hash()
		if in.err != nil {
			return nil, fmt.Errorf("neo4j: data set %s: %w", d.Name, in.err)
		}
		datasets = append(datasets, d)
	}
	return datasets, answer.err
}
