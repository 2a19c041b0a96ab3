package neo4jstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chancery/graph"
)

// Erasing. A version is told by its key or id, its moment and its hash.
const (
	cyEraseOf   = "UNWIND $rows AS row\nMATCH (a)-[r:"
	cyEraseFrom = " {key: row[0]}]->(b) WHERE r.recordedAt = row[1] AND r.hash = row[2]\n" +
		"WITH r, a.id AS source, b.id AS target, r.id AS id, r.sources AS sources, r.role AS role\n" +
		"DELETE r\n" +
		"RETURN collect([id, source, target, sources, role])"

	cyFormerOf = "UNWIND $rows AS row\nMATCH (a)-[r:FORMER]->(b) WHERE r.id = row[0] AND r.recordedAt = row[1] AND r.hash = row[2]\n"
	// Twins are there for former versions alone.
	cyEraseFormer = cyFormerOf + "DELETE r\nWITH collect(a) + collect(b) AS ends\nUNWIND ends AS n\n" +
		"WITH DISTINCT n WHERE NOT EXISTS { (n)-[:FORMER]-() } DELETE n"

	// A property that is null is taken away.
	cyRewriteFormer = cyFormerOf + "SET r += row[3]"
	cyRewriteOf     = "UNWIND $rows AS row\nMATCH (a)-[r:"
	cyRewriteFrom   = " {key: row[0]}]->(b) WHERE r.recordedAt = row[1] AND r.hash = row[2]\n" +
		"WITH r, row, a.id AS source, b.id AS target, r.sources AS sources\n" +
		"SET r += row[3]\n" +
		"RETURN collect([source, target, sources, r.sources])"

	cyRestate = "UNWIND $rows AS row\n" +
		"MATCH (n:Statement) WHERE n.id = row[0] AND n.dataset = row[1] AND n.recordedAt = row[2] AND n.hash = row[3]\n" +
		"SET n += row[4]"

	cyStillEnds = "UNWIND $ids AS id\nMATCH (n:Entity {id: id})-[r]-() WHERE r.key IS NOT NULL\nRETURN collect([id, r.id])[..1]"

	cyEraseNodes = "UNWIND $ids AS id\n" +
		"CALL (id) { MATCH (n:Statement) WHERE n.id = id DETACH DELETE n }\n" +
		"CALL (id) { MATCH (n:Entity {id: id}) DETACH DELETE n }\n" +
		"CALL (id) { MATCH (n:Event {id: id}) DETACH DELETE n }\n" +
		"CALL (id) { MATCH (n:Source {id: id}) DETACH DELETE n }\n" +
		"CALL (id) { MATCH (n:Former {id: id}) DETACH DELETE n }"

	cyJournalOf = "MATCH (n:Journal) WHERE n.recordedAt IN $moments AND any(x IN n.relations WHERE substring(x, 1) IN $ids)\n" +
		"RETURN collect(n.seq)"
	cyJournalRead = "MATCH (n:Journal {seq: $seq}) RETURN n.recordedAt, n.relations"
	cyJournalEdit = "MATCH (n:Journal {seq: $seq}) SET n.relations = $relations"

	cySaltSet        = "MATCH (meta:ChanceryMeta {id: 'chancery'}) SET meta.salt = $salt"
	cyTombstonesPut  = "UNWIND $rows AS row\nMERGE (n:Tombstone {key: row.key}) SET n = row"
	cyTombstonesLift = "MATCH (n:Tombstone) WHERE n.root IN $roots DELETE n"

	cyTombstone       = "collect([n.key, n.root, n.form, n.at, n.done])"
	cyTombstonesByKey = "CALL () { MATCH (n:Tombstone) WHERE n.key IN $keys RETURN " + cyTombstone + " AS keyed }\n"
	cyTombstonesAll   = "CALL () { MATCH (n:Tombstone) RETURN " + cyTombstone + " AS every }\n"
	cyTombstoneRoots  = "CALL () { MATCH (n:Tombstone) WHERE n.key = n.root RETURN " + cyTombstone + " AS roots }\n" +
		"CALL () { MATCH (n:Tombstone) WHERE n.key <> n.root RETURN count(n) AS others }\n"
	cySalt = "MATCH (meta:ChanceryMeta {id: 'chancery'}) RETURN meta.salt"
)

// erase takes things out, first of all that the batch does.
func (w *writer) erase(ctx context.Context, t *transaction) error {
	e := w.batch.Erase
	if e == nil {
		return nil
	}
	counts := mentions{}
	if err := w.eraseRelations(ctx, t, counts, w.holders); err != nil {
		return err
	}
	if err := w.rewrite(ctx, t, counts); err != nil {
		return err
	}
	if err := w.mention(ctx, t, counts); err != nil {
		return err
	}
	var restated []any
	for i := range e.Restated {
		s := &e.Restated[i]
		p := props{"participants": nil, "participantRoles": nil, "places": nil, "hash": s.Hash.String()}
		p.placing(&s.Content)
		restated = append(restated, []any{s.ID, s.Dataset, instant(s.RecordedAt), s.Was.String(), map[string]any(p)})
	}
	if len(restated) > 0 {
		if err := t.exec(ctx, cyRestate, map[string]any{"rows": restated}); err != nil {
			return err
		}
	}
	if len(e.Nodes) > 0 {
		values, err := t.one(ctx, cyStillEnds, map[string]any{"ids": e.Nodes})
		if err != nil {
			return err
		}
		in := row{values: values}
		for _, v := range in.list() {
			end := rowOf(v)
			return fmt.Errorf("%s cannot be erased: the relation %s still ends there", end.text(), end.text())
		}
		if err := t.exec(ctx, cyEraseNodes, map[string]any{"ids": e.Nodes}); err != nil {
			return err
		}
	}
	if err := eraseJournal(ctx, t, e.Journal()); err != nil {
		return err
	}
	if e.Salt != nil {
		if err := t.exec(ctx, cySaltSet, map[string]any{"salt": hex.EncodeToString(e.Salt)}); err != nil {
			return err
		}
	}
	if len(e.Tombstones) > 0 {
		rows := make([]any, len(e.Tombstones))
		for i, m := range e.Tombstones {
			rows[i] = encodeTombstone(&m)
		}
		if err := t.exec(ctx, cyTombstonesPut, map[string]any{"rows": rows}); err != nil {
			return err
		}
	}
	if len(e.Lifted) > 0 {
		return t.exec(ctx, cyTombstonesLift, map[string]any{"roots": hashes(e.Lifted)})
	}
	return nil
}

func encodeTombstone(m *graph.Tombstone) map[string]any {
	p := props{"key": m.Key.String(), "root": m.Of.String(), "at": instant(m.At), "done": m.Done}
	p.text("form", string(m.Form))
	return p
}

func hashes(list []graph.Hash) []string {
	out := make([]string, len(list))
	for i, h := range list {
		out[i] = h.String()
	}
	return out
}

// eraseRelations deletes versions, and notes what else that changes.
func (w *writer) eraseRelations(ctx context.Context, t *transaction, counts mentions, holders map[string]struct{}) error {
	rows := map[string][]any{}
	var former []any
	for _, r := range w.batch.Erase.Relations {
		version := []any{r.ID, instant(r.RecordedAt), r.Hash.String()}
		if r.SupersededAt == 0 {
			rows[r.Type] = append(rows[r.Type], version)
		} else {
			former = append(former, version)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		values, err := t.one(ctx, cyEraseOf+identifier(name)+cyEraseFrom, map[string]any{"rows": rows[name]})
		if err != nil {
			return err
		}
		answer := row{values: values}
		for _, v := range answer.list() {
			in := rowOf(v)
			_, source, target := in.text(), in.text(), in.text()
			counts.add(in.texts(), source, target, -1)
			if in.text() != "" {
				holders[source] = struct{}{}
			}
			if in.err != nil {
				return in.err
			}
		}
		if answer.err != nil {
			return answer.err
		}
	}
	if len(former) > 0 {
		return t.exec(ctx, cyEraseFormer, map[string]any{"rows": former})
	}
	return nil
}

func (w *writer) rewrite(ctx context.Context, t *transaction, counts mentions) error {
	rows := map[string][]any{}
	var former []any
	for _, r := range w.batch.Erase.Rewritten {
		p := props{"event": nil, "about": nil, "sources": nil, "quotes": nil, "hash": r.Hash.String()}
		p.text("event", r.Event)
		p.texts("about", r.About)
		p.citations(r.Citations)
		version := []any{r.ID, instant(r.RecordedAt), r.Was.String(), map[string]any(p)}
		if r.SupersededAt == 0 {
			rows[r.Type] = append(rows[r.Type], version)
		} else {
			former = append(former, version)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		values, err := t.one(ctx, cyRewriteOf+identifier(name)+cyRewriteFrom, map[string]any{"rows": rows[name]})
		if err != nil {
			return err
		}
		answer := row{values: values}
		for _, v := range answer.list() {
			in := rowOf(v)
			source, target := in.text(), in.text()
			counts.add(in.texts(), source, target, -1)
			counts.add(in.texts(), source, target, 1)
			if in.err != nil {
				return in.err
			}
		}
		if answer.err != nil {
			return answer.err
		}
	}
	if len(former) > 0 {
		return t.exec(ctx, cyRewriteFormer, map[string]any{"rows": former})
	}
	return nil
}

// eraseJournal edits batches one after the other, for they are large.
func eraseJournal(ctx context.Context, t *transaction, edit graph.JournalEdit) error {
	if len(edit) == 0 {
		return nil
	}
	var moments []any
	for _, at := range slices.Sorted(maps.Keys(edit)) {
		moments = append(moments, instant(at))
	}
	values, err := t.one(ctx, cyJournalOf, map[string]any{"moments": moments, "ids": edit.IDs()})
	if err != nil {
		return err
	}
	found := row{values: values}
	for _, v := range found.list() {
		seq, ok := v.(int64)
		if !ok {
			return fmt.Errorf("a number was expected, not %T", v)
		}
		values, err := t.one(ctx, cyJournalRead, map[string]any{"seq": seq})
		if err != nil {
			return err
		}
		in := row{values: values}
		at, relations := in.instant(), in.texts()
		if in.err != nil {
			return in.err
		}
		if edit.Apply(at, relations) {
			if err := t.exec(ctx, cyJournalEdit, map[string]any{"seq": seq, "relations": relations}); err != nil {
				return err
			}
		}
	}
	return found.err
}

// tombstones implements the part of Held.
func (r *reader) tombstones(ctx context.Context, q *graph.TombstoneQuery) (t graph.Tombstones, err error) {
	answer, err := r.one(ctx, cySalt, nil)
	if err != nil {
		return t, err
	}
	if t.Salt, err = hex.DecodeString(answer.text()); err != nil || answer.err != nil || len(t.Salt) == 0 {
		return t, errors.Join(err, answer.err)
	}
	var text strings.Builder
	parameters := map[string]any{}
	var columns []string
	if len(q.Keys) > 0 {
		text.WriteString(cyTombstonesByKey)
		parameters["keys"] = hashes(q.Keys)
		columns = append(columns, "keyed")
	}
	if q.Roots {
		text.WriteString(cyTombstoneRoots)
		columns = append(columns, "roots", "others")
	}
	if q.All {
		text.WriteString(cyTombstonesAll)
		columns = append(columns, "every")
	}
	if len(columns) == 0 {
		return t, nil
	}
	text.WriteString("RETURN " + strings.Join(columns, ", "))
	if answer, err = r.one(ctx, text.String(), parameters); err != nil {
		return t, err
	}
	seen := map[graph.Hash]bool{}
	for _, column := range columns {
		if column == "others" {
			t.Others = int(answer.integer())
			continue
		}
		for _, v := range answer.list() {
			in := rowOf(v)
			one := graph.Tombstone{Key: in.hash(), Of: in.hash(), Form: graph.Form(in.text()), At: in.instant(), Done: in.flag()}
			if in.err != nil {
				return t, in.err
			}
			if !seen[one.Key] {
				seen[one.Key] = true
				t.List = append(t.List, one)
			}
		}
	}
	slices.SortFunc(t.List, graph.CompareTombstones)
	return t, answer.err
}

// Ways through everything, in the order of keys. Statements and former versions
// go by the indexes over these. Of relations, those at the nodes that are named
// come first, then what only a look at all of them finds, each page anew.
const (
	cyWalkStatements = "MATCH (n:Statement) WHERE "
	cyStatementNames = "(any(x IN n.participants WHERE x IN $ids) OR any(x IN n.places WHERE x IN $ids))"
	cyWalkStatement  = "\nWITH n ORDER BY n.key LIMIT $limit\nRETURN collect([n.key, " + cyStatement + "])"

	cyWalkFormer = "MATCH ()-[r:FORMER]->() WHERE "
	cyWalkNear   = "CALL () { MATCH (n:Entity) WHERE n.id IN $ids RETURN n UNION ALL MATCH (n:Former) WHERE n.id IN $ids RETURN n }\n" +
		"MATCH (n)-[r]-() WHERE r.key IS NOT NULL AND "
	cyWalkAll  = "MATCH ()-[r]->() WHERE r.key IS NOT NULL AND "
	cyFarNames = "NOT startNode(r).id IN $ids AND NOT endNode(r).id IN $ids AND (r.claimedBy IN $ids OR r.accreditedTo IN $ids OR r.event IN $ids " +
		"OR any(x IN r.places WHERE x IN $ids) OR any(x IN r.about WHERE x IN $ids) OR any(x IN r.sources WHERE x IN $ids))"
	cyHasText = "(r.note IS NOT NULL OR r.sourceAs IS NOT NULL OR r.targetAs IS NOT NULL OR r.unit IS NOT NULL OR any(x IN r.quotes WHERE x <> ''))"

	cyWalkRelation = "\nWITH DISTINCT r ORDER BY r.key LIMIT $limit\nRETURN collect([r.key, " + cyWalkDetail + "])"
	// Of former versions the type is a property.
	cyWalkDetail = "[r.id, coalesce(r.type, type(r)), startNode(r).id, endNode(r).id, " + cyRelationDate + ", " + cyRelationRest + "]"
)

// The two parts of a way through what names ids: marks before the key of a place.
const (
	walkNear = "="
	walkFar  = "~"
)

func (r *reader) walk(ctx context.Context, q *graph.WalkQuery) (w graph.Walk, err error) {
	parameters := map[string]any{"limit": q.Limit}
	place, part := q.After, ""
	named := q.Over != graph.WalkStatements && q.Naming != nil
	if named {
		part = walkNear
		if place != "" {
			part, place = place[:1], place[1:]
		}
	}
	if q.Naming != nil {
		parameters["ids"] = q.Naming
	}
	variable := "r"
	var head, tail string
	var where conjunction
	switch {
	case q.Over == graph.WalkStatements:
		variable, head, tail = "n", cyWalkStatements, cyWalkStatement
		if q.Naming != nil {
			where.add(cyStatementNames)
		}
	case part == walkNear:
		head, tail = cyWalkNear, cyWalkRelation
	case part == walkFar:
		head, tail = cyWalkAll, cyWalkRelation
		where.add(cyFarNames)
	case q.Over == graph.WalkFormer:
		head, tail = cyWalkFormer, cyWalkRelation
	default:
		head, tail = cyWalkAll, cyWalkRelation
	}
	if named && q.Over == graph.WalkFormer {
		where.add("type(r) = 'FORMER'")
	}
	if q.Text && variable == "r" {
		where.add(cyHasText)
	}
	where.add(after(variable+".key", "after", place, parameters))
	answer, err := r.one(ctx, head+strings.Join(where, " AND ")+tail, parameters)
	if err != nil {
		return w, err
	}
	rows := answer.list()
	next := ""
	for _, v := range rows {
		in := rowOf(v)
		next = in.text()
		if in.err != nil {
			return graph.Walk{}, in.err
		}
		if variable == "n" {
			s, err := decodeStatement(in.take())
			if err != nil {
				return graph.Walk{}, fmt.Errorf("neo4j: statement about %s: %w", s.ID, err)
			}
			w.Statements = append(w.Statements, s)
			continue
		}
		rel, err := decodeRelation(in.take(), true)
		if err != nil {
			return graph.Walk{}, fmt.Errorf("neo4j: relation %s: %w", rel.ID, err)
		}
		w.Relations = append(w.Relations, rel)
	}
	switch {
	case len(rows) == q.Limit:
		w.Next = part + next
	case part == walkNear:
		w.Next = walkFar
	}
	return w, answer.err
}
