package loader

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
)

// A data set as JSON lines has a header in its first line and then one thing a
// line, so that it can be of any size: it is read twice, a batch at a time, and
// what is remembered of a thing is its place in the index below. Nothing has a
// short name: each thing has its id, and is referred to by that.

// lineKinds are the things that a line can hold. Each line has one of these keys.
var lineKinds = []struct {
	key  string
	sort sort
	keys []string
}{
	{"source", sortSource, sourceKeys},
	{"entity", sortEntity, entityKeys},
	{"event", sortEvent, eventKeys},
	{"relation", sortRelation, relationKeys},
}

// judgementLine is the key of the lines of a data set of judgements.
const judgementLine = "judgement"

// headKeys are the keys of the header.
var headKeys = []string{"$schema", "dataset", "title", "priority", "recorded", "disputed"}

const (
	maxDatasetLine = 16 << 20 // bytes
	mostProblems   = 1000     // that are told of one file of JSON lines
	linesAtOnce    = 1000     // trees of lines are large
)

// isLines reports whether a data set is JSON lines: by its name, or since its
// first line is an object and another one follows.
func isLines(in Input) (bool, error) {
	name := strings.ToLower(in.Name)
	for _, packed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, packed)
	}
	if ending := filepath.Ext(name); ending == ".jsonl" || ending == ".ndjson" {
		return true, nil
	}
	head, err := in.parts()[0].head()
	if err != nil {
		return false, err
	}
	first, rest, _ := bytes.Cut(bytes.TrimPrefix(head, []byte("\ufeff")), []byte("\n"))
	first = bytes.TrimSpace(first)
	return bytes.HasPrefix(first, []byte("{")) && json.Valid(first) && bytes.HasPrefix(bytes.TrimSpace(rest), []byte("{")), nil
}

// lineIndex is what is remembered of the things of a file, by the hash of
// their ids.
type lineIndex struct {
	dataset string
	things  map[graph.Hash]indexed
}

type indexed struct {
	line     uint32
	sort     uint8 // its place in lineKinds
	kind     uint8 // of entities: its place in graph.Kinds
	dated    bool  // of sources: the day of publication is known
	from, to graph.Day
}

func (x *lineIndex) enter(t *thing) {
	e := indexed{line: uint32(t.at.Line)}
	for i := range lineKinds {
		if lineKinds[i].sort == t.sort {
			e.sort = uint8(i)
		}
	}
	e.kind = uint8(max(slices.Index(graph.Kinds[:], t.kind), 0))
	x.things[graph.HashText(t.id)] = e
}

// publish adds the date of a source.
func (x *lineIndex) publish(t *thing) {
	if d := &t.content.Date; d.EDTF != "" {
		key := graph.HashText(t.id)
		e := x.things[key]
		e.dated, e.from, e.to = true, d.Earliest, d.Latest
		x.things[key] = e
	}
}

// find gives what is remembered of an id, as a thing without its content.
func (x *lineIndex) find(id string) *thing {
	if x == nil {
		return nil
	}
	e, ok := x.things[graph.HashText(id)]
	if !ok {
		return nil
	}
	t := &thing{sort: lineKinds[e.sort].sort, id: id, at: &yaml.Node{Line: int(e.line)}, content: &graph.Content{}}
	if t.sort == sortEntity {
		t.kind = graph.Kinds[e.kind]
	}
	if e.dated {
		t.content.Date = graph.Date{EDTF: "published", Bounds: graph.Bounds{Earliest: e.from, Latest: e.to}}
	}
	return t
}

// known adds what the file holds under an id.
func (x *lineIndex) known(id string) (statement *graph.Statement, relation *graph.Entry) {
	t := x.find(id)
	switch {
	case t == nil:
		return nil, nil
	case t.sort == sortRelation:
		return nil, &graph.Entry{ID: id, Relation: true, Dataset: x.dataset}
	}
	c := *t.content
	c.Name, c.Kind = id, t.kind
	switch t.sort {
	case sortSource:
		c.Form = graph.FormSource
	case sortEvent:
		c.Form = graph.FormEvent
	default:
		c.Form = graph.FormEntity
	}
	return &graph.Statement{ID: id, Dataset: x.dataset, Content: c}, nil
}

// datasetLines is one file of JSON lines.
type datasetLines struct {
	in    Input
	ctx   context.Context //nolint:containedctx // of the load; an Edition lives no longer
	world *World
	head  *document // what the header says
	index *lineIndex
	size  int
	notes []graph.Problem
	// indexing says that there are problems enough to tell, and that the rest of
	// the file is read for what others may refer to.
	indexing bool
}

func openLines(ctx context.Context, in Input, world *World) (Edition, error) {
	l := &datasetLines{in: in, ctx: ctx, world: world, index: &lineIndex{things: map[graph.Hash]indexed{}}}
	l.head = &document{decoder: decoder{file: in.Name}, world: world, index: l.index}
	sum := sha256.New()
	checked := &document{decoder: decoder{file: in.Name}} // what was found in all batches
	var later []reference
	var doubts []graph.Problem
	err := l.pass(sum, true, func(d *document) error {
		l.size += len(d.statements) + len(d.relations)
		checked.problems = append(checked.problems, d.problems...)
		checked.things = append(checked.things, d.things...)
		later = append(later, d.later...)
		doubts = append(doubts, d.doubts...)
		l.head.placeholder = l.head.placeholder || d.placeholder
		l.notes = append(l.notes, d.notes...)
		if len(checked.problems) >= mostProblems && !world.unresolved[in.Name] {
			return errEnough
		}
		l.indexing = len(checked.problems) >= mostProblems
		return nil
	})
	var judgements errJudgements
	switch {
	case errors.As(err, &judgements):
		world.unclaim(l.head.edition.Dataset, in.Name)
		return openJudgements(ctx, in, world, parseJudgementLines)
	case err != nil && !errors.Is(err, errEnough):
		return nil, err
	}
	if err == nil {
		l.settle(checked, later)
		copy(l.head.edition.Input[:], sum.Sum(nil))
		l.head.problems = nil
		l.head.checkRecorded()
		l.head.settleDoubts(doubts)
		l.notes = append(l.notes, l.head.notes...)
		checked.problems = append(checked.problems, l.head.problems...)
	}
	if e := l.head.edition; e.Dataset != "" {
		l.index.dataset = e.Dataset
		world.announceLines(e, l.index)
	}
	if len(checked.problems) >= mostProblems {
		checked.problems = append(checked.problems[:mostProblems:mostProblems], graph.Problem{File: in.Name,
			Message: fmt.Sprintf("may have more problems; these are the first %d", mostProblems)})
	}
	if err := checked.problems.Err(); err != nil {
		return nil, err
	}
	return l, nil
}

// errEnough ends a pass when there are problems enough to tell.
var errEnough = errors.New("enough problems")

// errJudgements ends a pass through a file that turns out to hold judgements.
type errJudgements struct{}

func (errJudgements) Error() string { return "the file holds judgements" }

// reference is one to a relation that may come later in the file.
type reference struct {
	at *yaml.Node
	id string
}

// settle looks up what was referred to before it came, and finds the acts that
// are about themselves.
func (l *datasetLines) settle(checked *document, later []reference) {
	for _, ref := range later {
		t := l.index.find(ref.id)
		switch {
		case t == nil:
			l.world.unresolved[l.in.Name] = true
			checked.fail(ref.at, "there is no relation or event %q, neither in this file nor in the store", clip(ref.id))
		case t.sort != sortRelation:
			checked.fail(ref.at, "%s stands in line %d; only a relation can come behind a line that is about it", clip(ref.id), t.at.Line)
		}
	}
	// Of the things only those are kept that are about others of the file.
	byID := map[string]*thing{}
	for _, t := range checked.things {
		byID[t.id] = t
	}
	for _, t := range checked.things {
		for i, to := range t.acts {
			if whole := byID[to.id]; whole != nil {
				t.acts[i] = whole
			}
		}
	}
	checked.cycles()
}

// pass reads the file, and calls fn with one batch after the other.
func (l *datasetLines) pass(sum hash.Hash, checking bool, fn func(*document) error) error {
	r, err := l.in.Open()
	if err != nil {
		return unreadable(l.in.Name, err)
	}
	defer func() { _ = r.Close() }()
	lines := newLineReader(io.TeeReader(r, sum))
	lines.most = maxDatasetLine
	d := l.batch(checking)
	begun := false
	flush := func() error {
		if !l.indexing {
			if err := d.finish(l.ctx); err != nil {
				return err
			}
			if err := fn(d); err != nil {
				return err
			}
		}
		d = l.batch(checking)
		return l.ctx.Err()
	}
	for {
		raw, tooLong, err := lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return graph.Problems{{File: l.in.Name, Line: lines.line + 1, Message: "cannot be read: " + reason(err)}}
		}
		if tooLong {
			d.problems.Add(l.in.Name, lines.line, 1, "the line is longer than %d MiB", maxDatasetLine>>20)
			continue
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		root, problems := parseLine(l.in.Name, lines.line, raw)
		d.problems = append(d.problems, problems...)
		switch {
		case root == nil:
		case !begun && checking:
			l.readHead(root)
			d.problems = append(d.problems, l.head.problems...)
			d.edition, d.base, d.disputed = l.head.edition, l.head.base, l.head.disputed
		case begun:
			if err := d.declareLine(root); err != nil {
				return err
			}
		}
		begun = true
		if len(d.things) >= linesAtOnce || len(d.problems) >= mostProblems {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if !begun {
		d.problems.Add(l.in.Name, 1, 1, "the file is empty; its first line must be a header, such as {\"dataset\": \"paris-talks-2025\"}")
	}
	return flush()
}

// parseLine reads one line into a tree.
func parseLine(file string, line int, raw []byte) (*yaml.Node, graph.Problems) {
	var ps graph.Problems
	if ps = checkCharacters(file, raw); len(ps) == 0 {
		return parseJSON(file, raw, line, &ps), ps
	}
	for i := range ps {
		ps[i].Line = line
	}
	return nil, ps
}

// readHead reads the header.
func (l *datasetLines) readHead(root *yaml.Node) {
	d := l.head
	d.edition.Whole = true
	o := d.object(root, "the header of the data set", headKeys)
	if root.Kind == yaml.MappingNode {
		d.head(&o)
	}
}

// batch begins a batch.
func (l *datasetLines) batch(checking bool) *document {
	h := l.head
	d := &document{decoder: decoder{file: h.file}, world: l.world, edition: h.edition, base: h.base, disputed: h.disputed, index: l.index, again: !checking,
		ids: map[string]*thing{}}
	d.defaults.status, d.defaults.basis = graph.Reported, graph.Stated
	return d
}

// declareLine notes what one line holds.
func (d *document) declareLine(n *yaml.Node) error {
	if !d.isMapping(n, "a line") {
		return nil
	}
	if len(n.Content) != 2 {
		keys := []string{judgementLine}
		for _, k := range lineKinds {
			keys = append(keys, k.key)
		}
		d.fail(n, "a line must have one key, which says what it holds (%s), but has %d", orList(keys), len(n.Content)/2)
		return nil
	}
	key, v := n.Content[0], n.Content[1]
	if key.Value == judgementLine {
		if len(d.index.things) == 0 && len(d.things) == 0 {
			return errJudgements{}
		}
		d.fail(key, "judgements on identity stand in a data set of their own")
		return nil
	}
	for _, k := range lineKinds {
		if k.key == key.Value {
			if k.sort == sortRelation {
				d.declareRelation(v)
			} else if t := (&thing{object: d.object(v, "the "+k.key, k.keys), sort: k.sort, at: v}); v.Kind == yaml.MappingNode {
				d.identify(t)
			}
			return nil
		}
	}
	known := make([]string, len(lineKinds))
	for i := range lineKinds {
		known[i] = lineKinds[i].key
	}
	hint := "it can be " + orList(known)
	if near := graph.NearestWords(key.Value, known, 1); len(near) > 0 {
		hint = "did you mean " + near[0] + "?"
	}
	d.fail(key, "a line cannot hold %q; %s", clip(key.Value), hint)
	return nil
}

// enterLine notes a thing of a file of JSON lines under its id.
func (d *document) enterLine(t *thing) {
	switch first := d.index.find(t.id); {
	case t.id == "":
		if t.keys["id"] == nil && t.sort != sortEntity {
			t.missing("id", "; in JSON lines each has one")
		}
	case first != nil && !d.again:
		d.fail(t.at, "the id %s is given twice, first in line %d; choose another, or merge the two", clip(t.id), first.at.Line)
		t.id = ""
	default:
		if !d.again {
			d.index.enter(t)
		}
		d.ids[t.id] = t
	}
	d.things = append(d.things, t)
}

// finish resolves a batch, and leaves of its things those that are about others.
func (d *document) finish(ctx context.Context) error {
	if err := d.resolve(ctx); err != nil {
		return err
	}
	d.things = slices.DeleteFunc(d.things, func(t *thing) bool { return len(t.acts) == 0 })
	for _, t := range d.things {
		t.object, t.content = object{}, nil // the tree is large
	}
	d.ids, d.outside = nil, nil
	return nil
}

func (l *datasetLines) Describe() graph.Edition { return l.head.edition }

func (l *datasetLines) Size() int { return l.size }

// Rows is nil: a data set has none.
func (l *datasetLines) Rows() *Rows { return nil }

func (l *datasetLines) Notes() []graph.Problem { return l.notes }

// Batches is the second pass.
func (l *datasetLines) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		if l.head.placeholder && l.index.find(unattributedID) == nil {
			if !yield(Batch{Statements: []graph.Statement{{ID: unattributedID, Content: unattributed()}}}, nil) {
				return
			}
		}
		stopped := errors.New("stopped")
		sum := sha256.New()
		err := l.pass(sum, false, func(d *document) error {
			if err := d.problems.Err(); err != nil {
				return errChanged(l.in.Name)
			}
			if !yield(Batch{Statements: d.statements, Relations: d.relations}, nil) {
				return stopped
			}
			return nil
		})
		if err == nil && !bytes.HasPrefix(sum.Sum(nil), l.head.edition.Input[:]) {
			err = errChanged(l.in.Name)
		}
		if err != nil && err != stopped { //nolint:errorlint // it is not wrapped
			yield(Batch{}, err)
		}
	}
}

func errChanged(file string) error {
	return fmt.Errorf("%s has changed while it was loaded; load it again", file)
}
