package neo4jstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chancery/graph"
)

// Apply implements [graph.Store].
func (s *Store) Apply(ctx context.Context, b *graph.Batch) error {
	w := &writer{store: s, batch: b, name: s.nameOf(b), holders: map[string]struct{}{}}
	err := s.write(ctx, func(t *transaction) error { return w.apply(ctx, t) })
	if b.Regrouped {
		s.recheck()
	}
	return err
}

// nameOf tells a batch from the next, so that one whose commit had an unknown
// outcome is not written twice, also when it is given to Apply again.
func (s *Store) nameOf(b *graph.Batch) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lastTried.batch != b {
		s.lastTried.batch, s.lastTried.name = b, rand.Text()
	}
	return s.lastTried.name
}

// writer writes one batch. It may have to do it several times: its first try
// trusts that what the batch brings is new, which is the fast way.
type writer struct {
	store   *Store
	batch   *graph.Batch
	name    string
	careful bool
	skip    map[string]bool     // relations that are written already
	holders map[string]struct{} // entities whose offices may have changed
}

func (w *writer) apply(ctx context.Context, t *transaction) error {
	b := w.batch
	state, err := lockMeta(ctx, t)
	if err != nil {
		return err
	}
	if b.Lease == "" || state.lease.Token != b.Lease {
		return graph.ErrLeaseLost
	}
	if state.lastBatch == w.name {
		return nil // it was written after all
	}
	known, err := w.store.current(ctx, t)
	if err != nil {
		return err
	}
	last := max(state.lease.LastRecorded, b.At)
	if d := b.Dataset; d != nil {
		if err := t.exec(ctx, cyDatasetPut, encodeDataset(d)); err != nil {
			return err
		}
	}
	if b.Doubted {
		if err := t.exec(ctx, cyLoadedDoubt, nil); err != nil {
			return err
		}
	}
	if l := b.Loaded; l != nil {
		err := t.exec(ctx, cyLoadedPut, map[string]any{"row": encodeLoaded(l)})
		if err != nil {
			return err
		}
	}
	if err := w.erase(ctx, t); err != nil {
		return err
	}
	if err := w.statements(ctx, t); err != nil {
		return err
	}
	// Who takes part in an event must be there first.
	var events, others []graph.NewNode
	for _, n := range b.New {
		if n.Node.Form == graph.FormEvent {
			events = append(events, n)
		} else {
			others = append(others, n)
		}
	}
	if err := w.newNodes(ctx, t, others); err != nil {
		return err
	}
	if err := w.nodes(ctx, t); err != nil {
		return err
	}
	if err := w.newNodes(ctx, t, events); err != nil {
		return err
	}
	if err := w.relations(ctx, t); err != nil {
		return err
	}
	if err := w.roles(ctx, t, known.vocabulary); err != nil {
		return err
	}
	if b.Regrouped {
		if err := t.exec(ctx, cyRevise, nil); err != nil {
			return err
		}
	}
	changed := slices.DeleteFunc(b.ChangedRelations(), func(id string) bool { return w.skip[id] })
	if len(changed) > 0 {
		err := t.exec(ctx, cyJournalPut, map[string]any{"at": instant(b.At), "relations": changed})
		if err != nil {
			return err
		}
	}
	return t.exec(ctx, cyBatchSet, map[string]any{"last": instant(last), "batch": w.name})
}

func (w *writer) statements(ctx context.Context, t *transaction) error {
	b := w.batch
	if len(b.Statements)+len(b.Retracted) == 0 {
		return nil
	}
	rows := make([]any, 0, len(b.Statements)+len(b.Retracted))
	for i := range b.Statements {
		s := &b.Statements[i]
		rows = append(rows, []any{statementKey(s.Dataset, s.ID), s.Hash.String()})
	}
	for _, k := range b.Retracted {
		rows = append(rows, []any{statementKey(k.Dataset, k.ID), ""})
	}
	values, err := t.one(ctx, cySupersede, map[string]any{"rows": rows, "at": instant(b.At)})
	if err != nil {
		return err
	}
	in := row{values: values}
	written := map[string]bool{}
	for _, key := range in.texts() {
		written[key] = true
	}
	if in.err != nil {
		return in.err
	}
	forms := map[graph.Form][]any{}
	for i := range b.Statements {
		s := &b.Statements[i]
		if !written[statementKey(s.Dataset, s.ID)] {
			forms[s.Content.Form] = append(forms[s.Content.Form], encodeStatement(s))
		}
	}
	for _, form := range []graph.Form{graph.FormEntity, graph.FormEvent, graph.FormSource, graph.FormIdentity} {
		if rows := forms[form]; len(rows) > 0 {
			if err := t.exec(ctx, cyStatementsOf+formLabel(form)+"Statement"+cyStatementsFrom, map[string]any{"rows": rows}); err != nil {
				return err
			}
		}
	}
	return nil
}

func formLabel(f graph.Form) string {
	switch f {
	case graph.FormEvent:
		return "Event"
	case graph.FormSource:
		return "Source"
	case graph.FormIdentity:
		return "Identity"
	}
	return "Entity"
}

func (w *writer) nodes(ctx context.Context, t *transaction) error {
	kinds := map[graph.Kind][]any{}
	var events, sources, parts []any
	var renamed bool
	var merged []any
	for _, n := range w.batch.Nodes {
		switch n.Form {
		case graph.FormEvent:
			events = append(events, encodeNode(n))
			parts = append(parts, []any{n.ID, participants(n)})
		case graph.FormSource:
			sources = append(sources, encodeNode(n))
		default:
			kinds[n.Kind] = append(kinds[n.Kind], encodeNode(n))
			if n.Canonical != n.ID {
				merged = append(merged, n.ID)
			}
			renamed = true
		}
	}
	put := func(text string, rows []any) error {
		if len(rows) == 0 {
			return nil
		}
		return t.exec(ctx, text, map[string]any{"rows": rows})
	}
	if renamed {
		for _, k := range kindLabels {
			text := cyNodePut + "Entity" + cyNodePutFrom + cyEntityUnkind + "SET n" + k.labels + "\n" + cyFormerRenamed
			if err := put(text, kinds[k.kind]); err != nil {
				return err
			}
		}
		for kind := range kinds {
			if !kind.Valid() {
				return fmt.Errorf("an entity has the unknown kind %q", kind)
			}
		}
	}
	if err := put(cyNodesMerged, merged); err != nil {
		return err
	}
	if err := put(cyNodePut+"Event"+cyNodePutFrom, events); err != nil {
		return err
	}
	if err := put(cyNodePut+"Source"+cyNodePutFrom, sources); err != nil {
		return err
	}
	return put(cyParticipants, parts)
}

// newNodes creates nodes that are not there, with the statements about them.
func (w *writer) newNodes(ctx context.Context, t *transaction, list []graph.NewNode) error {
	for part := range slices.Chunk(list, atOnce) {
		if err := w.putNew(ctx, t, part); err != nil {
			return taken(err)
		}
	}
	return taken(t.wait(ctx))
}

func taken(err error) error {
	if violates(err) {
		return graph.ErrTaken
	}
	return err
}

func (w *writer) putNew(ctx context.Context, t *transaction, part []graph.NewNode) error {
	statements, nodes := map[graph.Form][]any{}, map[string][]any{}
	for i := range part {
		s, n := &part[i].Statement, part[i].Node
		statements[s.Content.Form] = append(statements[s.Content.Form], encodeStatement(s))
		labels := formLabel(n.Form)
		if n.Form == graph.FormEntity {
			if !n.Kind.Valid() {
				return fmt.Errorf("an entity has the unknown kind %q", n.Kind)
			}
			labels += kindLabel(n.Kind)
		}
		nodes[labels] = append(nodes[labels], []any{encodeNode(n), participants(n)})
	}
	for _, form := range slices.Sorted(maps.Keys(statements)) {
		if err := t.start(ctx, cyStatementsOf+formLabel(form)+"Statement"+cyStatementsFrom, map[string]any{"rows": statements[form]}); err != nil {
			return err
		}
	}
	for _, labels := range slices.Sorted(maps.Keys(nodes)) {
		text := cyNodesNew + labels + cyNodesNewFrom
		if labels == formLabel(graph.FormEvent) {
			text += cyParticipantsNew
		}
		if err := t.start(ctx, text, map[string]any{"rows": nodes[labels]}); err != nil {
			return err
		}
	}
	return nil
}

// participants are those of an event, each with the role.
func participants(n *graph.Node) []any {
	pairs := make([]any, len(n.Participants))
	for i, p := range n.Participants {
		pairs[i] = []string{p.Entity, p.Role}
	}
	return pairs
}

// atOnce is how many things one query creates: while the database is at work
// on them, the next ones are put into its form.
const atOnce = 1250

// ends are ids of entities, each once, so that a query looks each up once.
type ends struct {
	ids   []string
	known map[string]int
}

// place is where an id stands in the list.
func (e *ends) place(id string) int {
	at, ok := e.known[id]
	if !ok {
		if e.known == nil {
			e.known = map[string]int{}
		}
		at = len(e.ids)
		e.ids = append(e.ids, id)
		e.known[id] = at
	}
	return at
}

// mention is an edge from a source to an end of relations that cite it.
type mention struct{ source, entity string }

// mentions counts how many relations more or less such an edge stands for.
type mentions map[mention]int64

func (m mentions) add(sources []string, source, target string, by int64) {
	for i, s := range sources {
		if slices.Contains(sources[:i], s) {
			continue
		}
		m[mention{s, source}] += by
		if target != source {
			m[mention{s, target}] += by
		}
	}
}

func (w *writer) relations(ctx context.Context, t *transaction) error {
	b := w.batch
	if len(b.Relations)+len(b.Withdrawn) == 0 {
		return nil
	}
	counts := mentions{}
	skip, err := w.retire(ctx, t, counts)
	if err != nil {
		return err
	}
	w.skip = skip
	list := make([]*graph.RelationWrite, 0, len(b.Relations))
	var sources []string
	for i := range b.Relations {
		r := &b.Relations[i]
		if skip[r.ID] {
			continue
		}
		list = append(list, r)
		sources = sources[:0]
		for _, c := range r.Citations {
			sources = append(sources, c.Source)
		}
		counts.add(sources, r.Source, r.Target, 1)
		if r.Role != "" {
			w.holders[r.Source] = struct{}{}
		}
	}
	err = w.create(ctx, t, list)
	switch {
	case violates(err) && b.Fresh:
		return graph.ErrTaken
	case violates(err) && !w.careful:
		w.careful = true
		return errAgain
	case err != nil:
		return err
	}
	return w.mention(ctx, t, counts)
}

// create creates relations between entities that are there.
func (w *writer) create(ctx context.Context, t *transaction, list []*graph.RelationWrite) error {
	if err := t.wait(ctx); err != nil {
		return err
	}
	before := t.created
	for part := range slices.Chunk(list, atOnce) {
		rows := make([]any, len(part))
		places := ends{}
		for i, r := range part {
			rows[i] = []any{places.place(r.Source), places.place(r.Target), r.Type, encodeRelation(r)}
		}
		if err := t.start(ctx, cyEnds+cyRelationsPut, map[string]any{"ends": places.ids, "rows": rows}); err != nil {
			return err
		}
	}
	if err := t.wait(ctx); err != nil {
		return err
	}
	if t.created-before != len(list) {
		return w.missingEnds(ctx, t, list)
	}
	return nil
}

// retire moves the standing versions that the batch replaces or withdraws. It
// returns the ids of relations that the batch need not write, since they are
// written already.
func (w *writer) retire(ctx context.Context, t *transaction, counts mentions) (skip map[string]bool, err error) {
	b := w.batch
	rows := map[string][]any{}
	var doubtful []string // ids that may stand in their new version already
	moved := map[string]bool{}
	for i := range b.Relations {
		r := &b.Relations[i]
		if r.Former != nil {
			rows[r.Former.Type] = append(rows[r.Former.Type], []any{r.ID, r.Hash.String()})
		} else if w.careful {
			doubtful = append(doubtful, r.ID)
		}
	}
	for i := range b.Withdrawn {
		e := &b.Withdrawn[i]
		rows[e.Type] = append(rows[e.Type], []any{e.ID, ""})
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		values, err := t.one(ctx, cyRetireOf+identifier(name)+cyRetireFrom, map[string]any{"rows": rows[name], "at": instant(b.At)})
		if err != nil {
			return nil, err
		}
		answer := row{values: values}
		for _, v := range answer.list() {
			in := rowOf(v)
			id, source, target := in.text(), in.text(), in.text()
			counts.add(in.texts(), source, target, -1)
			if in.text() != "" {
				w.holders[source] = struct{}{}
			}
			if in.err != nil {
				return nil, in.err
			}
			moved[id] = true
		}
		if answer.err != nil {
			return nil, answer.err
		}
	}
	for i := range b.Relations {
		r := &b.Relations[i]
		if r.Former != nil && !moved[r.ID] {
			doubtful = append(doubtful, r.ID)
		}
	}
	if len(doubtful) == 0 {
		return nil, nil
	}
	values, err := t.one(ctx, cyPresent, map[string]any{"finding": phrases("id", doubtful), "at": instant(b.At)})
	if err != nil {
		return nil, err
	}
	present := map[string]graph.Hash{}
	answer := row{values: values}
	for _, v := range answer.list() {
		in := rowOf(v)
		id := in.text()
		_ = in.text()
		present[id] = in.hash()
	}
	skip = map[string]bool{}
	for i := range b.Relations {
		r := &b.Relations[i]
		if h, ok := present[r.ID]; ok && h == r.Hash {
			skip[r.ID] = true
		}
	}
	return skip, answer.err
}

func (w *writer) missingEnds(ctx context.Context, t *transaction, list []*graph.RelationWrite) error {
	var places ends
	for _, r := range list {
		places.place(r.Source)
		places.place(r.Target)
	}
	slices.Sort(places.ids)
	values, err := t.one(ctx, cyMissingEnds, map[string]any{"ids": places.ids})
	if err != nil {
		return err
	}
	in := row{values: values}
	missing := in.texts()
	return fmt.Errorf("relations refer to entities that are not in the record: %s", strings.Join(missing, ", "))
}

func (w *writer) mention(ctx context.Context, t *transaction, counts mentions) error {
	var more, less []any
	for _, m := range slices.SortedFunc(maps.Keys(counts), func(a, b mention) int {
		return strings.Compare(a.source+"\x00"+a.entity, b.source+"\x00"+b.entity)
	}) {
		switch n := counts[m]; {
		case n > 0:
			more = append(more, []any{m.source, m.entity, n})
		case n < 0:
			less = append(less, []any{m.source, m.entity, n})
		}
	}
	if len(more) > 0 {
		if err := t.exec(ctx, cyMention, map[string]any{"rows": more}); err != nil {
			return err
		}
	}
	if len(less) > 0 {
		return t.exec(ctx, cyUnmention, map[string]any{"rows": less})
	}
	return nil
}

// roles gives and takes the labels of those whose offices have changed. An
// entity that stands for others has the labels of them all.
func (w *writer) roles(ctx context.Context, t *transaction, v *graph.Vocabulary) error {
	if w.batch.Regrouped {
		for _, n := range w.batch.Nodes {
			w.holders[n.ID] = struct{}{}
		}
	}
	if len(w.holders) == 0 {
		return nil
	}
	values, err := t.one(ctx, cyMergedOnly, nil)
	if err != nil {
		return err
	}
	in := row{values: values}
	identities := in.identities()
	if in.err != nil {
		return in.err
	}
	for _, id := range slices.Collect(maps.Keys(w.holders)) {
		w.holders[identities.Canonical(id)] = struct{}{}
	}
	var rows []any
	for _, id := range slices.Sorted(maps.Keys(w.holders)) {
		of := []string{id}
		if identities.Canonical(id) == id {
			of = identities.Members(id)
		}
		rows = append(rows, []any{id, of})
	}
	var types []string
	for _, known := range v.Types() {
		if known.Office || known.Role != "" {
			types = append(types, known.Name)
		}
	}
	for i := range w.batch.Relations { // whatever the vocabulary says of them
		if r := &w.batch.Relations[i]; r.Role != "" && !slices.Contains(types, r.Type) {
			types = append(types, r.Type)
		}
	}
	slices.Sort(types)
	return t.exec(ctx, cyRolesOf+pattern(types)+cyRolesFrom,
		map[string]any{"rows": rows, "factual": texts(graph.Factual[:])})
}
