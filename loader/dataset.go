package loader

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
)

// UnattributedID is that of the entity at which acts start of which nobody is
// named as the source.
const UnattributedID = "group/unattributed"

const (
	unattributedID     = UnattributedID
	unattributedHandle = "unattributed"
)

// datasetFormat is the project's own format: YAML that people write, JSON, or
// JSON lines.
type datasetFormat struct{}

func (datasetFormat) Name() string { return "dataset" }

// Any text may be meant as a data set: its author is helped more by what is
// wrong with it than by hearing that it is no data set.
func (datasetFormat) Detect(head []byte) bool {
	return !bytes.HasPrefix(head, []byte("\x1f\x8b")) && !bytes.HasPrefix(head, []byte("PK\x03\x04")) &&
		!bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")) && !bytes.HasPrefix(head, []byte("%PDF")) &&
		!bytes.HasPrefix(head, []byte("SQLite format 3"))
}

func (datasetFormat) Open(ctx context.Context, in Input, world *World) (Edition, error) {
	if err := notIncremental(in, "dataset"); err != nil {
		return nil, err
	}
	if lines, err := isLines(in); err != nil || lines {
		if err != nil {
			return nil, err
		}
		return openLines(ctx, in, world)
	}
	raw, err := readAll(in)
	if err != nil {
		return nil, err
	}
	d := &document{decoder: decoder{file: in.Name}, world: world, batchSize: in.BatchSize, handles: map[string]*thing{}, ids: map[string]*thing{}}
	root, problems := parseText(in.Name, raw)
	d.problems = problems
	if root != nil {
		sum := sha256.Sum256(raw)
		copy(d.edition.Input[:], sum[:])
		d.edition.Whole = true
		d.declare(root)
		d.checkRecorded()
		if err := d.resolve(ctx); err != nil {
			return nil, err
		}
		d.settleDoubts(d.doubts)
		// Other files are checked against this one, be it right or not.
		if d.edition.Dataset != "" {
			world.Announce(d.edition, d.statements, d.relations)
		}
	}
	if err := d.problems.Err(); err != nil {
		return nil, err
	}
	// The tree has served its purpose, and is large.
	d.things, d.handles, d.ids, d.outside, d.given = nil, nil, nil, nil, object{}
	return d, nil
}

// readAll reads a file that must be held in memory.
func readAll(in Input) ([]byte, error) {
	f, err := in.Open()
	if err != nil {
		return nil, unreadable(in.Name, err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, in.MaxBytes+1))
	if err != nil {
		return nil, unreadable(in.Name, err)
	}
	if int64(len(raw)) > in.MaxBytes {
		return nil, graph.Problems{{File: in.Name, Message: fmt.Sprintf(
			"is larger than the %d MiB that a data set may have, since it is checked as a whole; split it into several data sets", in.MaxBytes>>20)}}
	}
	return raw, nil
}

// document is one file: first its things are declared, with the names under
// which the file refers to them, then they are resolved.
type document struct {
	decoder
	world   *World
	edition graph.Edition
	// batchSize is the number of things a batch.
	batchSize int
	base      string // the first part of ids that are made: the name of the data set

	defaults struct {
		status graph.Status
		basis  graph.DateBasis
		cited  []citation
	}
	given   object            // the defaults, as the file has them
	stated  *yaml.Node        // the moment that the file gives for its edition
	handles map[string]*thing // short names
	ids     map[string]*thing
	things  []*thing         // in the order of writing: sources, entities, events; then relations
	outside map[string]Known // what the file refers to and does not hold, and what else is known of what it holds
	// unknown counts references to nothing: looking for names near them takes time.
	unknown     int
	placeholder bool // an act is unattributed

	// Of a batch of a file of JSON lines:
	index *lineIndex
	again bool // it was checked before
	later []reference

	statements []graph.Statement
	relations  []*graph.Relation
	notes      []graph.Problem
	doubts     []graph.Problem // see misfit
	disputed   map[string]bool // ids whose kinds need not fit
}

// sort tells apart what references stand for.
type sort string

const (
	sortSource   sort = "source"
	sortEntity   sort = "entity"
	sortEvent    sort = "event"
	sortRelation sort = "relation"
)

func (s sort) withArticle() string {
	if s == sortEntity || s == sortEvent {
		return "an " + string(s)
	}
	return "a " + string(s)
}

func sortOf(f graph.Form) sort {
	switch f {
	case graph.FormSource:
		return sortSource
	case graph.FormEvent:
		return sortEvent
	}
	return sortEntity
}

// thing is a node or a relation of the file.
type thing struct {
	object
	sort    sort
	id      string // "" while (of a relation) or where (of a mistake) it has none
	handle  string
	at      *yaml.Node // where its name is
	content *graph.Content
	kind    graph.Kind // of entities

	// Of relations:
	typ    *graph.RelationType
	source end
	about  []*yaml.Node // its items that are relations of this file
	acts   []*thing     // those relations
}

// end is an entity at one end of a relation. Its kind is "" where that is not
// known for a mistake noted elsewhere; then its id may be "" too.
type end struct {
	id      string
	kind    graph.Kind
	outside bool // the file does not state it itself
}

// citation is a source that is cited, and what that says for dates.
type citation struct {
	graph.Citation
	published *graph.Date
}

func (d *document) Describe() graph.Edition { return d.edition }

func (d *document) Size() int { return len(d.statements) + len(d.relations) }

func (d *document) Batches() iter.Seq2[Batch, error] {
	return batches(d.batchSize, d.statements, d.relations)
}

// Rows is nil: a data set has none.
func (d *document) Rows() *Rows { return nil }

func (d *document) Notes() []graph.Problem { return d.notes }

func (d *document) note(n *yaml.Node, format string, args ...any) {
	d.notes = append(d.notes, graph.Problem{File: d.file, Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)})
}

// declare reads what can be read without looking anything up.
func (d *document) declare(root *yaml.Node) {
	o := d.object(root, "the data set", datasetKeys)
	if root.Kind != yaml.MappingNode {
		return
	}
	d.head(&o)
	section := func(key string) *yaml.Node {
		n := o.keys[key]
		if n == nil || n.Kind == spoilt || n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
			return nil
		}
		return n
	}
	d.defaults.status, d.defaults.basis = graph.Reported, graph.Stated
	if n := section("defaults"); n != nil {
		def := d.object(n, "defaults", defaultsKeys)
		d.defaults.status, d.defaults.basis = def.status(graph.Reported), def.basis(graph.Stated)
		d.given = def
	}
	for _, s := range []struct {
		key  string
		sort sort
		keys []string
	}{{"sources", sortSource, sourceKeys}, {"entities", sortEntity, entityKeys}, {"events", sortEvent, eventKeys}} {
		if n := section(s.key); n != nil && d.isMapping(n, s.key) {
			for i := 0; i+1 < len(n.Content); i += 2 {
				d.declareNode(n.Content[i], n.Content[i+1], s.sort, s.keys)
			}
		}
	}
	if section("relations") != nil {
		for _, n := range o.records("relations") {
			d.declareRelation(n)
		}
	}
}

func (d *document) head(o *object) {
	d.edition.Title = o.line("title")
	d.edition.Priority = o.integer("priority", -1e6, 1e6)
	d.base = "?" // for a name that is wrong: the rest of the file is checked all the same
	name := ""
	if o.keys["dataset"] == nil {
		o.missing("dataset", "; begin it with, for example, dataset: paris-talks-2025")
	} else if s, ok := d.scalar(o.keys["dataset"], "dataset", textRule{most: maxHandle}); ok {
		if datasetForm.MatchString(s) {
			name = s
		} else {
			d.fail(o.keys["dataset"], "%q cannot be the name of a data set; use a-z, 0-9, hyphens, dots and underscores, starting with a letter or digit", clip(s))
		}
	}
	if name != "" {
		d.edition.Dataset, d.base = name, name
		if d.world.judges(name) {
			d.fail(o.keys["dataset"], "%s is a data set of judgements on identity, which this file would take back; choose another name", name)
		}
		if earlier, taken := d.world.Claim(name, d.file); taken {
			d.fail(o.keys["dataset"], "%s is an edition of data set %s too, and what one edition does not hold is withdrawn; merge the two files, or give one of them another name", earlier, name)
		}
	}
	d.recorded(o)
	d.disputed = map[string]bool{}
	for _, item := range o.list("disputed") {
		if id, ok := d.scalar(item, "an id", textRule{most: maxID}); ok {
			d.disputed[id] = true
		}
	}
}

func (d *document) recorded(o *object) {
	n := o.keys["recorded"]
	if n == nil {
		return
	}
	text, ok := d.scalar(n, "recorded", lineRule)
	if !ok {
		return
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		d.fail(n, "recorded must be a moment with its offset from UTC (RFC 3339), such as 2025-12-02T08:00:00Z, but is %q", clip(text))
		return
	}
	at := graph.InstantOf(t)
	switch {
	case t.After(d.world.Now):
		d.fail(n, "recorded lies in the future; nothing can have been recorded then")
		return
	case at <= 0:
		d.fail(n, "recorded lies before 1970-01-01T00:00:00Z, the beginning of the record")
		return
	}
	d.edition.RecordedAt, d.stated = at, n
}

// checkRecorded holds the moment that the file gives for its edition against
// the edition that the store has. What the edition holds must be known.
func (d *document) checkRecorded() {
	old, known := d.world.Dataset(d.edition.Dataset)
	at := d.edition.RecordedAt
	if d.stated != nil && known && (at < old.RecordedAt || at == old.RecordedAt && old.Edition != d.edition.Input) {
		d.fail(d.stated, "recorded is not later than the edition of %s that the store has, which was recorded at %s; a new edition must be later, so give it a later moment, or leave it out", d.edition.Dataset, old.RecordedAt)
	}
}

// declareNode notes a source, entity or event under its short name.
func (d *document) declareNode(k, v *yaml.Node, s sort, known []string) {
	if k.Kind == spoilt {
		return
	}
	if k.Kind != yaml.ScalarNode {
		d.fail(k, "a short name must be text, but is %s", describe(k))
		return
	}
	handle := d.handle(k)
	t := &thing{object: d.object(v, "the "+string(s)+" "+clip(k.Value), known), sort: s, handle: handle, at: k}
	if v.Kind != yaml.MappingNode { // its name is known all the same
		if first := d.handles[handle]; handle != "" && first == nil {
			d.handles[handle] = t
		}
		return
	}
	d.identify(t)
}

// identify finds out the id of a source, entity or event, and notes it.
func (d *document) identify(t *thing) {
	s, handle := t.sort, t.handle
	if s == sortEntity {
		if t.keys["kind"] == nil {
			t.missing("kind", "; it can be "+orList(kindNames()))
		}
		t.kind = word(&t.object, "kind", graph.Kind(""), graph.Kinds[:], kindName)
	}
	name := t.required("name")
	switch {
	case t.keys["id"] != nil:
		t.id, _ = t.object.id("id")
	case s == sortEntity:
		if t.kind == "" || name == "" {
			break
		}
		words := graph.Words(name)
		if len(words) == 0 {
			d.fail(t.keys["name"], "no id can be made from the name %q; give the entity an id, such as id: %s/…", clip(name), strings.ToLower(string(t.kind)))
			break
		}
		t.id = shorten(strings.ToLower(string(t.kind)) + "/" + strings.Join(words, "-"))
	case handle != "":
		t.id = d.base + "/" + handle
	}
	if t.id == unattributedID && t.kind != graph.KindGroup {
		d.fail(cmp.Or(t.keys["id"], t.at), "%s is where acts start of which nobody is named as the source; choose another id", unattributedID)
		t.id = ""
	}
	d.enter(t)
}

// unattributed is what is said of the source of acts of which nobody is named
// as the source. Feeds have it as the target too, where they name none.
func unattributed() graph.Content {
	nobody := graph.Content{Form: graph.FormEntity, Kind: graph.KindGroup, Name: "Unattributed",
		Description: "Stands in for whoever is not named: the one who acted or, in feeds, the one whom an act was directed at."}
	nobody.Date, _ = graph.ResolveDate("", graph.Standing, "", 0, false)
	return nobody
}

// shorten keeps an id that is made from a name within bounds.
func shorten(id string) string {
	if r := []rune(id); len(r) > maxID {
		return strings.TrimRight(string(r[:maxID]), "-")
	}
	return id
}

// handle checks a short name.
func (d *document) handle(n *yaml.Node) string {
	s, ok := d.content(n, "a short name", textRule{most: maxHandle})
	switch {
	case !ok:
		return ""
	case !handleForm.MatchString(s):
		d.fail(n, "%q cannot be a short name; use letters, digits, hyphens, dots and underscores, starting with a letter or digit", clip(s))
		return ""
	case s == unattributedHandle:
		d.fail(n, "%s stands for the source of acts of which nobody is named as the source; choose another short name", unattributedHandle)
		return ""
	}
	return s
}

// enter notes a thing under its short name and id. What is there twice must be
// the same; then the first stands for both.
func (d *document) enter(t *thing) {
	if d.index != nil {
		d.enterLine(t)
		return
	}
	twin := d.handles[t.handle]
	if t.handle == "" {
		twin = nil
	}
	if first := d.ids[t.id]; twin == nil && t.id != "" {
		twin = first
	}
	if twin == nil {
		if t.handle != "" {
			d.handles[t.handle] = t
		}
		if t.id != "" {
			d.ids[t.id] = t
		}
		d.things = append(d.things, t)
		return
	}
	by := "the short name " + t.handle
	if twin.handle != t.handle || t.handle == "" {
		by = "the id " + t.id
	}
	switch {
	case twin.sort == t.sort && twin.id == t.id && sameContent(twin.node, t.node, "id"):
		d.note(t.at, "%s is given twice, with the same content in line %d; it counts once", by, twin.at.Line)
		if t.handle != "" && d.handles[t.handle] == nil {
			d.handles[t.handle] = twin
		}
		return
	case twin.sort != t.sort:
		d.fail(t.at, "%s is taken by %s in line %d; choose another", by, twin.sort.withArticle(), twin.at.Line)
	default:
		d.fail(t.at, "%s is given twice, first in line %d with other content; choose another, or merge the two", by, twin.at.Line)
	}
	// It goes on without an id, so that its other mistakes are found, and
	// references to it are no further ones.
	t.id = ""
	d.things = append(d.things, t)
	if t.handle != "" && d.handles[t.handle] == nil {
		d.handles[t.handle] = t
	}
}

func (d *document) declareRelation(n *yaml.Node) {
	if !d.isMapping(n, "a relation") {
		return
	}
	t := &thing{object: d.object(n, "the relation", relationKeys), sort: sortRelation, at: n}
	if k := t.keys["id"]; k != nil {
		t.at = k
		if s, ok := t.object.id("id"); ok {
			if strings.Contains(s, "/") {
				t.id = s
			} else if t.handle = d.handle(k); t.handle != "" {
				t.id = d.base + "/" + t.handle
			}
		}
	}
	if name := t.required("type"); name != "" {
		var ok bool
		if t.typ, ok = d.world.Vocabulary.Lookup(name); !ok {
			hint := "see the vocabulary, or add the type to it with --vocabulary"
			if near := d.world.Vocabulary.Nearest(name, 3); len(near) > 0 {
				hint = "did you mean " + orList(near) + "?"
			}
			d.fail(t.keys["type"], "%q is no relation type; %s", clip(name), hint)
		}
	}
	d.enter(t)
}

// refersBy are the keys of nodes and relations that hold references, in lists
// of citations and participants too.
var refersBy = []string{"source", "target", "claimedBy", "accreditedTo", "event", "about", "places", "sources", "citations", "participants", "entity"}

// eachReference calls fn with the texts by which a node refers to something.
func eachReference(n *yaml.Node, fn func(string)) {
	switch {
	case n == nil:
	case n.Kind == yaml.ScalarNode:
		fn(n.Value)
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			eachReference(item, fn)
		}
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if v := n.Content[i+1]; v.Kind == yaml.ScalarNode && slices.Contains(refersBy, n.Content[i].Value) {
				fn(v.Value)
			}
		}
	}
}

// resolve looks up what the file refers to, and finishes its things.
func (d *document) resolve(ctx context.Context) error {
	ask := map[string]bool{unattributedID: true}
	want := func(text string) {
		if text == "" || text == unattributedHandle || d.handles[text] != nil || len(text) > 4*maxID {
			return
		}
		text = norm.NFC.String(strings.TrimSpace(text))
		// What a file of JSON lines leaves undecided, others may have decided.
		if t := d.index.find(text); t == nil || t.kind == graph.KindUndecided {
			ask[text] = true
		}
	}
	eachReference(d.given.keys["sources"], want)
	for _, t := range d.things {
		if t.id != "" && !d.again {
			ask[t.id] = true
		}
		for _, key := range refersBy {
			eachReference(t.keys[key], want)
		}
	}
	var err error
	if d.outside, err = d.world.Find(ctx, d.edition.Dataset, slices.Sorted(maps.Keys(ask))); err != nil {
		return err
	}
	d.conflicts()
	for _, t := range d.things {
		if t.sort == sortSource { // first, since relations are dated by them
			d.finishNode(ctx, t)
		}
	}
	d.defaults.cited = d.cite(ctx, &d.given)
	for _, t := range d.things {
		switch t.sort {
		case sortEntity, sortEvent:
			d.finishNode(ctx, t)
		case sortRelation:
			d.finishSource(ctx, t)
		}
	}
	derived := map[string][]*thing{}
	for _, t := range d.things {
		if t.sort == sortRelation {
			d.finishRelation(ctx, t, derived)
		}
	}
	if d.index == nil {
		d.cycles()
	}
	if d.placeholder && d.ids[unattributedID] == nil && d.index == nil {
		d.statements = append(d.statements, graph.Statement{ID: unattributedID, Content: unattributed()})
	}
	return nil
}

// conflicts finds ids of the file that stand for something else outside it.
func (d *document) conflicts() {
	for _, t := range d.things {
		k, ok := d.outside[t.id]
		if !ok || t.id == "" || k.Forgotten {
			continue
		}
		at := t.at
		if n := t.keys["id"]; n != nil {
			at = n
		}
		switch {
		case t.sort == sortRelation && k.Relation != nil && k.Relation.Dataset != d.edition.Dataset:
			d.fail(at, "the id %s belongs to a relation of data set %s, and a relation belongs to one data set; choose another id", t.id, k.Relation.Dataset)
		case t.sort != sortRelation && k.Relation != nil:
			d.fail(at, "the id %s belongs to a relation of data set %s; choose another id", t.id, k.Relation.Dataset)
		case k.Node != nil && sortOf(k.Node.Form) != t.sort:
			d.fail(at, "the id %s belongs to %s (%s, data set %s); choose another id", t.id, sortOf(k.Node.Form).withArticle(), k.Node.Name, strings.Join(k.Node.Datasets, ", "))
		case k.OwnForm != "" && sortOf(k.OwnForm) != t.sort:
			d.fail(at, "the id %s belonged to %s in the last edition of this data set; choose another id", t.id, sortOf(k.OwnForm).withArticle())
		}
	}
}

var noBlank = regexp.MustCompile(`^\S+$`)

// find looks a reference up. The second result is false where it leads to
// nothing of these sorts; that is noted.
func (d *document) find(ctx context.Context, n *yaml.Node, key string, wanted ...sort) (*thing, *Known, bool) {
	s, ok := d.scalar(n, key, textRule{most: maxID})
	if !ok {
		return nil, nil, false
	}
	if t := cmp.Or(d.handles[s], d.ids[s], d.index.find(s)); t != nil {
		switch {
		case !slices.Contains(wanted, t.sort):
		case d.index != nil && t.at.Line > n.Line && t.sort != sortRelation:
			d.fail(n, "%s comes later, in line %d; what a line refers to must stand before it", clip(s), t.at.Line)
			return nil, nil, false
		default:
			return t, nil, true
		}
		d.fail(n, "%s must be %s, but %s is %s (line %d)", key, anyOf(wanted), clip(s), t.sort.withArticle(), t.at.Line)
		return nil, nil, false
	}
	k, ok := d.outside[s]
	own := k.Lapsing == d.edition.Dataset && k.Relation == nil && k.Node == nil || k.Relation != nil && k.Relation.Dataset == d.edition.Dataset
	if d.index != nil && !d.again && (!ok || own) && slices.Contains(wanted, sortRelation) {
		to := &thing{sort: sortRelation, id: s, at: n} // which may come later
		d.later = append(d.later, reference{n, s})
		return to, nil, true
	}
	if ok {
		is := sortRelation
		if k.Node != nil {
			is = sortOf(k.Node.Form)
		}
		switch {
		case own:
			d.fail(n, "%s is in the last edition of this data set, but not in this file, so it will be withdrawn; put it back, or refer to something else", s)
			return nil, nil, false
		case k.Lapsing != "":
			d.fail(n, "%s will be withdrawn by the new edition of data set %s, which is loaded before this file; state it in this file, or refer to something else", s, k.Lapsing)
			return nil, nil, false
		case slices.Contains(wanted, is):
			return nil, &k, true
		}
		d.fail(n, "%s must be %s, but %s is %s", key, anyOf(wanted), clip(s), is.withArticle())
		return nil, nil, false
	}
	d.world.unresolved[d.file] = true
	if d.world.mayBeFed(s) {
		return nil, nil, false
	}
	words := make([]string, len(wanted))
	for i, w := range wanted {
		words[i] = string(w)
	}
	hint := ""
	if near := d.nearest(ctx, s, wanted); len(near) > 0 {
		hint = "; did you mean " + orList(near) + "?"
	} else if !noBlank.MatchString(s) {
		hint = "; refer to it by its short name or its id"
	}
	d.fail(n, "there is no %s %q, neither in this file nor in the store%s", strings.Join(words, " or "), clip(s), hint)
	return nil, nil, false
}

func anyOf(sorts []sort) string {
	words := make([]string, len(sorts))
	for i, s := range sorts {
		words[i] = s.withArticle()
	}
	return orList(words)
}

// nearest finds names near an unknown one, in the file and in the store.
func (d *document) nearest(ctx context.Context, s string, wanted []sort) []string {
	const most = 50
	if d.unknown++; d.unknown > most {
		return nil
	}
	var known []string
	by := d.handles
	if strings.Contains(s, "/") {
		by = d.ids
	}
	for name, t := range by {
		if slices.Contains(wanted, t.sort) {
			known = append(known, name)
		}
	}
	if near := graph.NearestWords(s, known, 3); len(near) > 0 {
		return near
	}
	if !slices.Contains(wanted, sortEntity) {
		return nil
	}
	_, last, found := strings.Cut(s, "/")
	if !found {
		last = s
	}
	ids := d.world.Suggest(ctx, last)
	if near := graph.NearestWords(s, ids, 3); len(near) > 0 {
		return near
	}
	return ids[:min(3, len(ids))]
}
