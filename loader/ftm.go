package loader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	"chancery/graph"
)

// ftmFormat is FollowTheMoney, the model in which OpenSanctions, Aleph and
// others publish entities: one a line, as JSON. Persons, bodies and things are
// entities here; ownerships, directorships, sanctions and payments relations.
//
// A file is read three times, in memory that grows with the number of entities
// and not with the bytes of what is said of them: to find bad rows, and what
// each id is; to record the entities; and to record the relations between them.
// Rows of one entity that lie far apart wait in temporary files.
type ftmFormat struct{}

func (ftmFormat) Name() string { return "ftm" }

func (ftmFormat) Detect(head []byte) bool { return detectFTM(head) }

func (ftmFormat) together() {}

func (f ftmFormat) Open(ctx context.Context, in Input, world *World) (Edition, error) {
	for _, part := range in.parts() {
		if err := ftmPlain(part); err != nil {
			return nil, err
		}
	}
	e := &ftmFile{
		rowFile: newRowFile(ctx, f.Name(), in), store: world.store, vocab: world.Vocabulary, forgotten: world.Forgotten,
		ids: map[recordID]ftmKnown{}, missing: map[string]graph.Kind{}, posts: map[string]string{},
		kept: map[string]int{}, unread: map[string]int{}, loose: map[string]int{},
	}
	e.edition = graph.Edition{Dataset: cmp.Or(in.Dataset, f.Name()), Title: "FollowTheMoney entities", Steady: true, Unordered: true, Settled: true}
	if err := settleEdition(in, world, &e.edition); err != nil {
		return nil, err
	}
	for _, s := range ftmSchemata {
		if s.Edge != nil {
			if _, ok := e.vocab.Lookup(s.Edge.Type); !ok {
				return nil, graph.Problems{{File: in.Name, Message: fmt.Sprintf("the record has no relation type %s, which files of the format ftm need", s.Edge.Type)}}
			}
		}
	}
	e.again = world.begun(e.edition.Dataset) && !e.edition.Whole
	if err := world.survey(e); err != nil {
		return nil, err
	}
	return e, nil
}

// ftmPlain refuses a file whose entities are wrapped in something else.
func ftmPlain(part Part) error {
	head, err := part.head()
	if err != nil {
		return err
	}
	if what := ftmWrapped(head); what != "" {
		return graph.Problems{{File: part.Name, Line: 1, Column: 1, Message: what}}
	}
	return nil
}

// ftmFile is one file of entities.
type ftmFile struct {
	rowFile
	edition graph.Edition
	store   graph.Store
	vocab   *graph.Vocabulary
	bytes   int64 // of the rows that are entities
	again   bool  // relations may have been recorded before, and stay

	forgotten *graph.Forgotten
	// ids is what the file has, by the hash of the id.
	ids map[recordID]ftmKnown
	// fates says of each line what is to be done with it.
	fates []ftmFate
	// missing are the ids that relations name and the file does not have, with
	// their kinds in the record.
	missing map[string]graph.Kind
	// cutIDs are the ids whose like in the record is cut off, by the latter.
	cutIDs map[string]string
	nobody bool              // a row does not say who sanctions
	posts  map[string]string // the names of posts, by id; "" where none is known
	// authorities are the spellings of the names of those who sanction, by id.
	authorities map[string][]string
	// linked are the relations that properties stand for, as far as other lines of
	// an entity may stand for them too.
	linked map[recordID]bool

	// What there is to remark. Those of mapping are counted as it is recorded.
	kept, unread, loose map[string]int
	stubs, cut, selves  int
	baddates, opendates int
}

// ftmKnown is what is remembered of an id.
type ftmKnown struct {
	content  [8]byte
	kind     uint8 // its place in graph.Kinds
	relation bool
	gone     bool   // it was forgotten
	filed    bool   // a line says so of its parent: see ftmParent
	more     uint16 // further lines that say something of it; as many or more, if it is the largest
}

// ftmFate is what is to be done with a line.
type ftmFate uint8

const (
	ftmSkipped  ftmFate = iota // bad, or said before
	ftmEntity                  // an entity
	ftmMore                    // more of an entity before it
	ftmRelation                // a relation
	ftmLinked   ftmFate = 8    // besides, an entity with properties that are relations
)

func (e *ftmFile) Describe() graph.Edition { return e.edition }

func ftmSchemaOf(name string) *ftmSchema {
	if s := ftmSchemata[name]; s != nil {
		return s
	}
	return &ftmOther
}

func ftmKey(id string) (key recordID) {
	sum := sha256.Sum256([]byte(id))
	copy(key[:], sum[:])
	return key
}

// survey is the first pass.
func (e *ftmFile) survey() error {
	hash := sha256.New()
	err := e.lines(hash, func(row *rowLine) error {
		e.rows.Read++
		var l *ftmLine
		bad := row.bad
		if bad == nil {
			l, bad = parseFTM(row.text)
		}
		if bad != nil && bad.Reason == string(errFTMNested) {
			return graph.Problems{{File: row.part.Name, Line: row.number, Message: bad.Column + ": " + bad.Reason}}
		}
		fate := ftmSkipped
		if bad == nil {
			fate, bad = e.learn(l)
		}
		e.fates = append(e.fates, fate)
		if kind := fate &^ ftmLinked; kind == ftmEntity || kind == ftmMore {
			e.bytes += int64(len(row.text))
		}
		if bad != nil {
			return e.reject(*bad.at(row.number, row.row))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := e.settle(e.edition.Whole); err != nil {
		return err
	}
	maps.DeleteFunc(e.missing, func(id string, _ graph.Kind) bool {
		known, ok := e.ids[ftmKey(id)]
		return ok && !known.relation
	})
	for _, known := range e.ids {
		if !known.relation && !known.gone {
			e.rows.Kinds[graph.Kinds[known.kind]]++
		}
	}
	hash.Write([]byte(e.name + "\x00" + e.edition.Dataset))
	copy(e.edition.Input[:], hash.Sum(nil))
	return nil
}

// learn decides what a line is.
func (e *ftmFile) learn(l *ftmLine) (ftmFate, *Rejection) {
	schema := ftmSchemaOf(l.Schema)
	if schema.Edge != nil {
		if _, bad := schema.Edge.pairs(l); bad != nil {
			return ftmSkipped, bad
		}
	}
	now := ftmKnown{content: l.digest(), kind: uint8(max(0, slices.Index(graph.Kinds[:], schema.Kind))), relation: schema.Edge != nil}
	now.filed = schema.Links[ftmParent].Type == ftmLoose && len(l.Properties[ftmParent]) > 0
	now.gone = !e.forgotten.Nothing() && e.forgotten.Root(e.entity(l.ID))
	key := ftmKey(l.ID)
	fate := ftmEntity
	if before, again := e.ids[key]; again {
		switch {
		case before.content == now.content:
			e.rows.Duplicate++
			return ftmSkipped, nil
		case before.relation || now.relation:
			return ftmSkipped, &Rejection{Column: "id", Reason: fmt.Sprintf(
				"%q is the id of a row before, which says something else; unite the rows first (ftm aggregate)", clip(l.ID))}
		}
		e.rows.Duplicate++
		fate = ftmMore
		if ftmTells(graph.Kinds[now.kind], graph.Kinds[before.kind]) {
			before.kind = now.kind
		}
		before.filed = before.filed || now.filed
		if before.more < math.MaxUint16 {
			before.more++
		}
		e.ids[key] = before
	} else {
		e.ids[key] = now
		e.noteCut(l.ID)
		if schema.Homeless {
			e.kept[l.Schema]++
		}
	}
	for _, name := range l.Unread {
		if len(e.unread) < shownKeys || e.unread[name] > 0 {
			e.unread[name]++
		}
	}
	if schema.Edge != nil {
		pairs, _ := schema.Edge.pairs(l)
		for _, p := range pairs {
			for _, end := range p {
				e.mention(end)
			}
		}
		if schema.Edge.Authority {
			e.learnAuthority(l, pairs)
		}
		return ftmRelation, nil
	}
	for name := range schema.Links {
		for _, id := range l.Properties[name] {
			if ftmNoID(id) == "" {
				e.mention(id)
				fate |= ftmLinked
			}
		}
	}
	return fate, nil
}

// shownKeys is how many keys of a file are remarked on.
const shownKeys = 20

// noteCut notes an id that is too long to be told by its like in the record.
func (e *ftmFile) noteCut(id string) {
	if len(id) <= ftmMaxSafe/len("%00") {
		return
	}
	if safe := ftmSafe(id); strings.Contains(safe, "~") {
		if e.cutIDs == nil {
			e.cutIDs = map[string]string{}
		}
		e.cutIDs[safe] = strings.Clone(id)
	}
}

// mention notes that an id must be had.
func (e *ftmFile) mention(id string) {
	if _, noted := e.missing[id]; noted || id == "" {
		return
	}
	e.noteCut(id)
	if known, ok := e.ids[ftmKey(id)]; !ok || known.relation {
		e.missing[strings.Clone(id)] = graph.KindUndecided
	}
}

// kind is what the entity of that id is.
func (e *ftmFile) kind(id string) graph.Kind {
	if known, ok := e.ids[ftmKey(id)]; ok && !known.relation {
		return graph.Kinds[known.kind]
	}
	return cmp.Or(e.missing[id], graph.KindUndecided)
}

// entity is the id that an entity has in the record. What FollowTheMoney does
// not allow in ids is escaped, so that no two become one.
func (e *ftmFile) entity(id string) string { return e.edition.Dataset + "/" + ftmSafe(id) }

func (e *ftmFile) states(id string) (kind graph.Kind, ok bool) {
	switch {
	case id == unattributedID:
		return unattributed().Kind, e.nobody
	case len(e.authorities[id]) > 0:
		return graph.KindUndecided, true
	}
	safe, ok := strings.CutPrefix(id, e.edition.Dataset+"/")
	if !ok {
		return "", false
	}
	given, cut := e.cutIDs[safe]
	if !cut {
		var err error
		if given, err = url.PathUnescape(safe); err != nil || ftmSafe(given) != safe {
			return "", false
		}
	}
	if known, ok := e.ids[ftmKey(given)]; ok && !known.relation {
		return graph.Kinds[known.kind], true
	}
	_, ok = e.missing[given]
	return graph.KindUndecided, ok
}

// ftmMaxSafe bounds the part of an id that is made from one of FollowTheMoney.
const ftmMaxSafe = 160

func ftmSafe(id string) string {
	var b strings.Builder
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= ftmMaxSafe {
		return b.String()
	}
	sum := digestOf(id) // behind a character that nothing else puts into an id
	return b.String()[:ftmMaxSafe-33] + "~" + hex.EncodeToString(sum[:16])
}

// Batches records the entities first, and then what is between them.
func (e *ftmFile) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for _, pass := range []func(func(Batch) error) error{e.entities, e.absent, e.relations} {
			stopped := false
			err := pass(func(b Batch) error {
				if stopped = !yield(b, nil); stopped {
					return errStopped
				}
				return nil
			})
			if stopped {
				return
			}
			if err != nil {
				yield(Batch{}, err)
				return
			}
		}
		e.remark()
	}
}

// ftmBatchBytes bounds the text of the lines that one batch is made of.
const ftmBatchBytes = 8 << 20

// each goes through the lines whose fate is one that is asked for.
func (e *ftmFile) each(wanted func(ftmFate) bool, visit func(l *ftmLine, fate ftmFate, size int) error) error {
	i := -1
	return e.lines(io.Discard, func(row *rowLine) error {
		if i++; i >= len(e.fates) {
			return e.changed()
		}
		if !wanted(e.fates[i]) {
			return nil
		}
		if row.bad != nil {
			return e.changed()
		}
		l, bad := parseFTM(row.text)
		if bad != nil {
			return e.changed()
		}
		return visit(l, e.fates[i], len(row.text))
	})
}

func (e *ftmFile) changed() error {
	return graph.Problems{{File: e.in.Name, Message: "has changed while it was loaded; load it again"}}
}

// entities records the entities that rows are.
func (e *ftmFile) entities(put func(Batch) error) error {
	u := &ftmUniting{known: func(id string) ftmKnown { return e.ids[ftmKey(id)] }, open: map[string]*ftmUnited{}, aside: newAside[ftmLine](e.bytes)}
	defer u.aside.drop()
	flush := func() error {
		ready := u.ready
		u.ready, u.prepared = nil, 0
		for part := range slices.Chunk(ready, e.in.BatchSize) {
			var b Batch
			for _, l := range part {
				b.Described = append(b.Described, graph.Statement{ID: e.entity(l.ID), Content: e.content(l)})
			}
			if err := put(b); err != nil {
				return err
			}
		}
		return nil
	}
	flushFull := func() error {
		if len(u.ready) < e.in.BatchSize && u.prepared < ftmBatchBytes {
			return nil
		}
		return flush()
	}
	err := e.each(func(f ftmFate) bool { return f&^ftmLinked == ftmEntity || f&^ftmLinked == ftmMore }, func(l *ftmLine, fate ftmFate, size int) error {
		if err := u.take(l, fate&^ftmLinked == ftmMore, size); err != nil {
			return err
		}
		return flushFull()
	})
	if err != nil {
		return err
	}
	u.close()
	err = u.gather(func(l *ftmLine, size int) error {
		u.prepare(l, size)
		return flushFull()
	})
	if err != nil {
		return err
	}
	return flush()
}

// absent states what relations name and the file does not have. An entity that
// an earlier file of the data set brought is left as it is, unless this one is
// all of the data set. Each part is put, even where nothing of it is left to
// state: see [graph.Edition].Steady.
func (e *ftmFile) absent(put func(Batch) error) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(e.missing)), e.in.BatchSize) {
		asked := make([]string, len(part))
		for i, id := range part {
			asked[i] = e.entity(id)
		}
		var found map[string]*graph.Node
		err := e.store.Read(e.ctx, func(tx graph.Reader) (err error) {
			found, err = tx.Nodes(e.ctx, asked, false)
			return err
		})
		if err != nil {
			return err
		}
		var b Batch
		for i, id := range part {
			if n := found[asked[i]]; n != nil && !n.Withdrawn() && !e.edition.Whole {
				e.missing[id] = n.Kind
				continue
			}
			if e.forgotten.Root(asked[i]) {
				continue
			}
			e.stubs++
			// Nothing but the id is said, so that what a later file says is all
			// there is: see Content.add.
			stub := graph.Content{Form: graph.FormEntity, Kind: graph.KindUndecided, Name: id, Date: ftmUndated(graph.Standing),
				ExternalIDs: []graph.ExternalID{{Scheme: graph.SchemeFTM, Value: id}}}
			b.Statements = append(b.Statements, graph.Statement{ID: asked[i], Content: stub})
		}
		if err := put(b); err != nil {
			return err
		}
	}
	return nil
}

// relations records the relations that rows and properties are.
func (e *ftmFile) relations(put func(Batch) error) error {
	e.linked = map[recordID]bool{}
	if err := e.recallAuthorities(); err != nil {
		return err
	}
	var rows []ftmRow
	relations, bytes := 0, 0
	flush := func() error {
		if err := e.number(rows); err != nil {
			return err
		}
		if err := e.titles(rows); err != nil {
			return err
		}
		b := newFeedBatch()
		for i := range rows {
			if r := &rows[i]; r.pairs != nil {
				e.relate(b, r)
			} else {
				e.link(b, r.line)
			}
		}
		rows, relations, bytes = nil, 0, 0
		if len(b.Records)+len(b.Relations) == 0 {
			return nil
		}
		return put(b.Batch)
	}
	err := e.each(func(f ftmFate) bool { return f == ftmRelation || f&ftmLinked != 0 }, func(l *ftmLine, fate ftmFate, size int) error {
		r := ftmRow{line: l}
		if fate == ftmRelation {
			if r.pairs, _ = ftmSchemaOf(l.Schema).Edge.pairs(l); r.pairs == nil {
				return nil // it was refused before
			}
			relations += len(r.pairs)
		} else {
			for name := range ftmSchemaOf(l.Schema).Links {
				relations += len(l.Properties[name])
			}
		}
		rows = append(rows, r)
		if bytes += size; relations < e.in.BatchSize && bytes < ftmBatchBytes {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// ftmRow is a row that is a relation, with the ends of each, and their ids; or
// an entity with properties that are relations.
type ftmRow struct {
	line  *ftmLine
	pairs [][]string
	ids   []string
}

// titles finds the names of posts that the file does not name, but a file of
// the data set before it, in what that said of them: the others must say the same.
func (e *ftmFile) titles(rows []ftmRow) error {
	if !e.again {
		return nil
	}
	var posts []string
	for i := range rows {
		g := ftmSchemaOf(rows[i].line.Schema).Edge
		if g == nil || g.Type != ftmPost {
			continue
		}
		for _, id := range rows[i].line.Properties[g.Target] {
			if _, known := e.posts[id]; !known {
				e.posts[strings.Clone(id)] = ""
				posts = append(posts, id)
			}
		}
	}
	asked, raw := make([]string, len(posts)), make(map[string]string, len(posts))
	for i, id := range posts {
		asked[i] = e.entity(id)
		raw[asked[i]] = id
	}
	return saidOf(e.ctx, e.store, e.edition.Dataset, asked, func(s *graph.Statement) {
		if id := raw[s.ID]; ftmIsPost(&s.Content) && s.Content.Name != id { // which is all that is known
			e.posts[strings.Clone(id)] = s.Content.Name
		}
	})
}

// number gives the relations of rows their ids. That of a row is that of its
// first pair of ends, the other pairs have it with a hash of theirs. A pair
// that is recorded already keeps its id, whatever other pairs the row has now.
// The id of a row is not given to what names something forgotten, nor to any
// other pair once it was erased with one: what has such an id is left out.
func (e *ftmFile) number(rows []ftmRow) error {
	held, fallen, err := e.numbered(rows)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		if r.pairs == nil {
			continue
		}
		bare := e.record(r.line)
		first, known := held[bare]
		r.ids = make([]string, len(r.pairs))
		_, taken := fallen[bare]
		for j, ends := range r.pairs {
			if known && e.joins(first, ends) {
				r.ids[j], taken = bare, true
			} else if len(held) > 0 {
				if own := e.recordOf(r.line, ends); held[own].ID != "" {
					r.ids[j] = own
				}
			}
		}
		for j, ends := range r.pairs {
			switch {
			case r.ids[j] != "":
			case !taken && !e.gone(ends):
				r.ids[j], taken = bare, true
			default:
				r.ids[j] = e.recordOf(r.line, ends)
			}
		}
	}
	return nil
}

// numbered finds which ids rows may have already, and which of the rows' own
// ids have a tombstone.
func (e *ftmFile) numbered(rows []ftmRow) (held map[string]graph.Entry, fallen map[string]graph.Tombstone, err error) {
	var ids []string
	for i := range rows {
		if rows[i].pairs != nil {
			ids = append(ids, e.record(rows[i].line))
		}
	}
	if fallen, err = e.forgotten.Find(e.ctx, e.store, ids); err != nil || !e.again {
		return nil, fallen, err
	}
	held = map[string]graph.Entry{}
	look := func(ids []string) error {
		for part := range slices.Chunk(ids, BatchSize) {
			err := e.store.Read(e.ctx, func(tx graph.Reader) error {
				found, err := tx.Held(e.ctx, &graph.HeldQuery{Relations: part})
				if err == nil {
					maps.Copy(held, found.Relations)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := look(ids); err != nil {
		return nil, nil, err
	}
	ids = nil
	for i := range rows {
		first, known := held[e.record(rows[i].line)]
		for _, ends := range rows[i].pairs {
			// There may be others without the first, which may have been erased.
			if !known || !e.joins(first, ends) {
				ids = append(ids, e.recordOf(rows[i].line, ends))
			}
		}
	}
	return held, fallen, look(ids)
}

// gone reports whether ends were forgotten.
func (e *ftmFile) gone(ends []string) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return e.forgotten.Root(e.entity(end)) })
}

// allGone reports whether nothing is to be said of where a row is from, since all its
// relations name what was forgotten.
func (e *ftmFile) allGone(pairs [][]string) bool {
	return !e.forgotten.Nothing() && !slices.ContainsFunc(pairs, func(ends []string) bool { return !e.gone(ends) })
}

// record is the id of the relation that a row is.
func (e *ftmFile) record(l *ftmLine) string { return e.edition.Dataset + "/record/" + ftmSafe(l.ID) }

// recordOf is that of one of several.
func (e *ftmFile) recordOf(l *ftmLine, ends []string) string {
	sum := digestOf(ends...)
	return e.record(l) + "/" + hex.EncodeToString(sum[:8])
}

// joins reports whether a relation that is recorded is that of a pair.
func (e *ftmFile) joins(r graph.Entry, ends []string) bool {
	return r.Target == e.entity(ends[len(ends)-1]) && (len(ends) == 1 || r.Source == e.entity(ends[0]))
}

// remark says what became of what the model has no place for.
func (e *ftmFile) remark() {
	for _, schema := range e.most(e.kept, "schemata without a kind of their own") {
		how := "Undecided entities, since the model has no kind for them"
		if ftmSchemata[schema] == nil {
			how = "Undecided entities without relations, since the schema is not known here"
		}
		e.note("rows of the schema %s: %d; they are kept as %s", schema, e.kept[schema], how)
	}
	for _, what := range e.most(e.loose, "schemata and properties of such relations") {
		e.note("relations that are %s for want of a type that allows such ends: %d of %s", ftmLoose, e.loose[what], what)
	}
	for _, n := range []struct {
		count int
		text  string
	}{
		{e.stubs, "ids that rows name, but that are in no row and not in the record: %d; they are Undecided entities with their ids for names"},
		{e.baddates, "dates that cannot be read, or that end before they begin: %d; they are kept as text, in properties and notes"},
		{e.opendates, "dates in the year 1 or 9999, which stand for beginnings that are not known and for ends that are open: %d; they are kept as text, in properties and notes"},
		{e.selves, "relations of something to itself: %d; they are left out"},
		{e.cut, "texts that are cut, since they are longer than is recorded: %d"},
	} {
		if n.count > 0 {
			e.note(n.text, n.count)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(e.unread)) {
		e.note("the key %q means nothing here, and is not recorded; rows with it: %d", key, e.unread[key])
	}
}

// most lists the keys of the largest counts, but not very many, and notes how many
// more there are.
func (e *ftmFile) most(counts map[string]int, what string) []string {
	keys := slices.Sorted(maps.Keys(counts))
	if more := len(keys) - shownKeys; more > 0 {
		e.note("%s that are not listed one by one: %d", what, more)
		slices.SortStableFunc(keys, func(a, b string) int { return counts[b] - counts[a] })
		keys = keys[:shownKeys]
	}
	return keys
}
