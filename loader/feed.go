package loader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/graph"

	"github.com/bits-and-blooms/bloom/v3"
	"golang.org/x/text/unicode/norm"
)

// A feed is a table of events, one a row. A format of feeds is a rowFormat: it
// tells what a row says, and feedFormat does the rest, the same for all: it
// reads a file twice, in memory that grows with the number of entities and not
// with that of rows. The first pass finds the bad rows, the rows that occur
// twice, and all that the file says of each entity; the second one records.
type rowFormat interface {
	Name() string
	Detect(head []byte) bool
	// Title is what the feed is, for people.
	Title() string
	// Rows begins a pass through a file.
	Rows() rowReader
}

// citedFormat is a format of feeds to whose citations another format adds.
type citedFormat interface{ Cited() }

// rowReader reads the rows of one file, from its first line on. It may keep
// what the header says.
type rowReader interface {
	// Header reports whether the first line that is not empty names the columns.
	// It is a problem when they are not those of the format.
	Header(line string) (is bool, problem string)
	// Row says what a row means. The line is valid UTF-8 without controls, and each
	// letter in it is in one piece with its accents (NFC).
	Row(line string, v *graph.Vocabulary, c *graph.CAMEO) (*feedRecord, *Rejection)
}

// feedRecord is what one row says.
type feedRecord struct {
	// Key is what the feed tells its rows apart by; with it the two ends, the
	// code and the day identify the record.
	Key            string
	Source, Target actor
	// More are further pairs of ends, where the row names several actors: the
	// same act between each, in one event.
	More     [][2]actor
	Relation graph.Relation // Type, CAMEO, Date, Goldstein and the like
	// Together identifies the happening, where the feed may write it twice,
	// once from each side; "" otherwise.
	Together string
	// Sides are those of its ends: a visit is another one when guest and host
	// change places.
	Sides sides
	// EventName is its name, without the participants.
	EventName string
	Place     *graph.Content
	PlaceKey  string
	Document  *graph.Content
	// DocumentKey is the feed's own number of the document.
	DocumentKey string
}

// sides says which ends of a record come first in its happening.
type sides int

const (
	alike       sides = iota // all do the same
	sourceFirst              // sources on the one side, targets on the other
	targetFirst
)

// pairs are the ends of all relations that a row states, the record's first.
func (r *feedRecord) pairs() iter.Seq2[*actor, *actor] {
	return func(yield func(source, target *actor) bool) {
		if !yield(&r.Source, &r.Target) {
			return
		}
		for i := range r.More {
			if !yield(&r.More[i][0], &r.More[i][1]) {
				return
			}
		}
	}
}

type feedFormat struct{ rowFormat }

func (feedFormat) together() {}

func (f feedFormat) begins(lines []string) bool {
	rows := f.Rows()
	if is, problem := rows.Header(lines[0]); is || problem != "" {
		return problem == ""
	}
	v, err := graph.BuiltinVocabulary()
	if err != nil {
		return false
	}
	c, err := graph.LoadCAMEO()
	return err == nil && mostGood(lines, func(line string) bool {
		_, bad := rows.Row(line, v, c)
		return bad == nil
	})
}

func (f feedFormat) Open(ctx context.Context, in Input, world *World) (Edition, error) {
	cameo, err := graph.LoadCAMEO()
	if err != nil {
		return nil, err
	}
	e := &feed{
		rowFile: newRowFile(ctx, f.Name(), in), format: f.rowFormat, vocab: world.Vocabulary, cameo: cameo,
		stories: newStories(), suspects: map[recordID]int{}, forgotten: world.Forgotten, store: world.store,
	}
	e.edition = graph.Edition{Dataset: cmp.Or(in.Dataset, f.Name()), Title: f.Title(), Keyed: true, Steady: true, Unordered: true, Named: preferredName, Alone: true}
	_, e.edition.Cited = f.rowFormat.(citedFormat)
	if err := settleEdition(in, world, &e.edition); err != nil {
		return nil, err
	}
	e.actors = newActors(e.edition.Dataset)
	if err := world.survey(e); err != nil {
		return nil, err
	}
	return e, nil
}

// feed is one file of a feed.
type feed struct {
	rowFile
	format  rowFormat
	edition graph.Edition
	vocab   *graph.Vocabulary
	cameo   *graph.CAMEO
	actors  *actors
	stories *stories
	store   graph.Store
	records int
	// suspects are records that may occur more than once in the file, each with
	// the number of the last row that has it. This one counts: feeds correct a
	// row by repeating it.
	suspects  map[recordID]int
	forgotten *graph.Forgotten
}

// recordID is the hash that identifies a record among those of its data set
// that have the same key or, without one, the same day: 60 bits, in 12 characters. With
// them an id mostly has the 36 characters that Neo4j keeps within a
// relationship's own record.
type recordID [8]byte

func shortID(sum [sha256.Size]byte) (id recordID) {
	copy(id[:], sum[:])
	id[7] &= 0xf0
	return id
}

var shortDigits = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

func (r recordID) String() string { return shortDigits.EncodeToString(r[:])[:12] }

// dense is a day without its hyphens.
func dense(day string) string { return strings.ReplaceAll(day, "-", "") }

func (e *feed) Describe() graph.Edition { return e.edition }

func (e *feed) states(id string) (kind graph.Kind, ok bool) {
	a, ok := e.actors.byID[id]
	switch {
	case !ok:
		return "", false
	case id == unattributedID:
		return unattributed().Kind, true
	}
	return a.kind, true
}

// eachRecord goes through the rows of the file. The record is nil where it is bad.
// Reading the rows runs ahead.
func (e *feed) eachRecord(hash io.Writer, visit func(r *feedRecord, bad *Rejection) error) error {
	type row struct {
		rowLine
		record *feedRecord
	}
	e.checked()
	return ahead(func(yield func(row, int) error) error {
		var rows rowReader
		var at heading
		return e.scan(hash, func(l rowLine) error {
			first := at.first(l.part, l.number)
			if first {
				rows = e.format.Rows()
			}
			if l.bad == nil && first {
				is, problem := rows.Header(l.text)
				if problem != "" {
					return graph.Problems{{File: l.part.Name, Line: l.number, Column: 1, Message: problem}}
				}
				if is {
					at.header = l.text
					return nil
				}
			}
			if at.again(l.text) {
				return nil
			}
			read := row{rowLine: l}
			if l.bad == nil {
				read.record, read.bad = rows.Row(norm.NFC.String(l.text), e.vocab, e.cameo)
			}
			if read.bad == nil {
				for source, target := range read.record.pairs() {
					source.Name, target.Name = singleSpaced(source.Name), singleSpaced(target.Name)
				}
			}
			return yield(read, len(l.row))
		})
	}, func(read row) error {
		return e.reach(&read.rowLine, func() error {
			bad := read.bad
			if bad == nil {
				bad = e.misfit(read.record)
			}
			if bad != nil {
				return visit(nil, bad.at(read.number, read.row))
			}
			return visit(read.record, nil)
		})
	})
}

// singleSpaced is a name with one blank where it has several.
func singleSpaced(name string) string {
	if !strings.Contains(name, "  ") {
		return name
	}
	return strings.Join(strings.Fields(name), " ")
}

// misfit finds what the record does not take.
func (e *feed) misfit(r *feedRecord) *Rejection {
	for source, target := range r.pairs() {
		for _, end := range []*actor{source, target} {
			switch {
			case end.Nobody:
			case utf8.RuneCountInString(end.Name) > maxActorName:
				return &Rejection{Column: end.Column, Reason: fmt.Sprintf("a name has at most %d characters", maxActorName)}
			case e.actors.id(end.Name) == "":
				return &Rejection{Column: end.Column, Reason: fmt.Sprintf("%q is no name: it has neither a letter nor a digit", clip(end.Name))}
			}
		}
	}
	return nil
}

// survey is the first pass.
func (e *feed) survey() error {
	hash := sha256.New()
	// A record that the filter has seen may occur twice; few others get into
	// the list of suspects. 16 MiB, whatever the size of the file.
	seen := bloom.New(1<<27, 4)
	err := e.eachRecord(hash, func(r *feedRecord, bad *Rejection) error {
		e.rows.Read++
		if bad != nil {
			return e.reject(*bad)
		}
		e.records++
		for source, target := range r.pairs() {
			if id := e.recordID(r, e.actors.learn(source), e.actors.learn(target)); seen.TestAndAdd(id[:]) {
				e.suspects[id] = e.records
			}
		}
		if e.tellsOfStory(r) {
			e.stories.learn(r.DocumentKey, r.Document, seen)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := e.settle(e.edition.Whole); err != nil {
		return err
	}
	hash.Write([]byte(e.format.Name() + "\x00" + e.edition.Dataset))
	copy(e.edition.Input[:], hash.Sum(nil))
	e.actors.settle()
	e.edition.Recalls = !e.edition.Whole && e.actors.told()
	for _, a := range e.actors.list {
		if a.id != unattributedID && !e.forgotten.Root(a.id) {
			e.rows.Kinds[a.kind]++
		}
	}
	return nil
}

// recordID identifies what a row says of two ends: the feed's own key, the ids of
// the ends, the code and the day; all else is content, which may be corrected.
func (e *feed) recordID(r *feedRecord, source, target string) recordID {
	sum := digestOf(r.Key, source, target, r.Relation.CAMEO, r.Relation.Type, r.Relation.Date.EDTF)
	return shortID(sum)
}

// digestOf hashes texts, each with its length.
func digestOf(texts ...string) [sha256.Size]byte {
	var buf []byte
	for _, t := range texts {
		buf = binary.AppendUvarint(buf, uint64(len(t)))
		buf = append(buf, t...)
	}
	return sha256.Sum256(buf)
}

// Batches is the second pass: first the entities, then the rows with what they
// refer to.
func (e *feed) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		if err := e.recall(); err != nil {
			yield(Batch{}, err)
			return
		}
		for part := range slices.Chunk(e.actors.list, e.in.BatchSize) {
			if !yield(Batch{Statements: e.actors.statements(part)}, nil) {
				return
			}
		}
		standings, err := e.actors.standings(e.vocab)
		if err != nil {
			yield(Batch{}, err)
			return
		}
		for part := range slices.Chunk(standings, e.in.BatchSize) {
			if !yield(Batch{Relations: part}, nil) {
				return
			}
		}
		// A load that was interrupted goes on behind the batches that it has
		// written, so these must be the same each time: see [graph.Edition].
		b := newFeedBatch()
		number := 0
		err = e.eachRecord(io.Discard, func(r *feedRecord, bad *Rejection) error {
			if bad != nil {
				return nil
			}
			number++
			if e.tellsOfStory(r) {
				r.Document = e.stories.all(r.DocumentKey, r.Document)
			}
			pairs := e.stated(r, number)
			if len(pairs) == 0 {
				e.rows.Duplicate++
				return nil
			}
			e.put(b, r, pairs)
			if len(b.Records)+len(b.Relations) < e.in.BatchSize {
				return nil
			}
			full := b.Batch
			*b = *newFeedBatch()
			if !yield(full, nil) {
				return errStopped
			}
			return nil
		})
		switch {
		case err == errStopped: //nolint:errorlint // it is not wrapped
		case err != nil:
			yield(Batch{}, err)
		case len(b.Records) > 0:
			yield(b.Batch, nil)
		}
	}
}

// recall adds what other files of the data set have said of the entities, but for
// an edition that is all of it.
func (e *feed) recall() error {
	if !e.edition.Recalls {
		return nil
	}
	ids := make([]string, 0, len(e.actors.list))
	for _, a := range e.actors.list {
		if a.id != unattributedID {
			ids = append(ids, a.id)
		}
	}
	err := saidOf(e.ctx, e.store, e.edition.Dataset, ids, func(s *graph.Statement) {
		a := e.actors.byID[s.ID]
		e.rows.Kinds[a.kind]--
		e.actors.recall(a, &s.Content)
		e.rows.Kinds[a.kind]++
	})
	maps.DeleteFunc(e.rows.Kinds, func(_ graph.Kind, n int) bool { return n == 0 })
	return err
}

// recordPair is two ends of a row, and what identifies the row's word on them.
type recordPair struct {
	id                 recordID
	source, target     string
	sourceAs, targetAs string
}

// stated are the ends on which a row, the number-th good one, has the last word,
// those first that were not forgotten.
func (e *feed) stated(r *feedRecord, number int) []recordPair {
	pairs := make([]recordPair, 0, 1+len(r.More))
	for source, target := range r.pairs() {
		p := recordPair{source: e.actors.end(source), target: e.actors.end(target), sourceAs: source.As, targetAs: target.As}
		p.id = e.recordID(r, p.source, p.target)
		if last, suspect := e.suspects[p.id]; suspect && last != number ||
			slices.ContainsFunc(pairs, func(other recordPair) bool { return other.id == p.id }) {
			continue
		}
		pairs = append(pairs, p)
	}
	if len(pairs) > 1 {
		slices.SortStableFunc(pairs, func(a, b recordPair) int {
			return cmp.Compare(e.leftOut(a), e.leftOut(b))
		})
	}
	return pairs
}

// tellsOfStory reports whether a row says something of a story. One that is left
// out does not.
func (e *feed) tellsOfStory(r *feedRecord) bool {
	if r.Document == nil || e.forgotten.Nothing() {
		return r.Document != nil
	}
	for source, target := range r.pairs() {
		if e.leftOut(recordPair{source: e.actors.end(source), target: e.actors.end(target)}) == 0 {
			return true
		}
	}
	return false
}

// leftOut is 1 if an end was forgotten, else 0.
func (e *feed) leftOut(p recordPair) int {
	if e.forgotten.Root(p.source) || e.forgotten.Root(p.target) {
		return 1
	}
	return 0
}

// feedBatch is a batch in the making.
type feedBatch struct {
	Batch
	stated map[string]int // where what was stated is among the statements
}

func newFeedBatch() *feedBatch { return &feedBatch{stated: map[string]int{}} }

// state states a thing once, and returns what was stated of it.
func (b *feedBatch) state(id string, content graph.Content) *graph.Content {
	at, stated := b.stated[id]
	if !stated {
		at = len(b.Statements)
		b.stated[id] = at
		b.Statements = append(b.Statements, graph.Statement{ID: id, Content: content})
	}
	return &b.Statements[at].Content
}

// stateNamed states a thing to which rows may give several names.
func (b *feedBatch) stateNamed(id string, content graph.Content) {
	said := b.state(id, content)
	said.Name = preferredName(said.Name, content.Name)
}

// together are the ends of a record in an order that is the same from whichever
// side the happening is told.
func (e *feed) together(r *feedRecord) []namedEnd {
	var first, second []namedEnd
	for source, target := range r.pairs() {
		a, b := e.actors.namedEnd(source), e.actors.namedEnd(target)
		if r.Sides == targetFirst {
			a, b = b, a
		}
		first, second = append(first, a), append(second, b)
	}
	byID := func(a, b namedEnd) int { return cmp.Or(strings.Compare(a.id, b.id), compareNames(a.name, b.name)) }
	if r.Sides == alike {
		ends := append(first, second...)
		slices.SortFunc(ends, byID)
		return ends
	}
	slices.SortFunc(first, byID)
	slices.SortFunc(second, byID)
	return append(first, second...)
}

// put adds a record to a batch: a relation between each of the pairs.
func (e *feed) put(b *feedBatch, r *feedRecord, pairs []recordPair) {
	dataset := e.edition.Dataset
	rel := r.Relation
	// Neighbours in the feed get neighbouring ids, which stores write faster.
	prefix := dataset + "/record/" + cmp.Or(r.Key, dense(rel.Date.EDTF)) + "-"
	between := func(rel graph.Relation, p recordPair) *graph.Relation {
		rel.ID, rel.Source, rel.Target = prefix+p.id.String(), p.source, p.target
		rel.SourceAs, rel.TargetAs = p.sourceAs, p.targetAs
		return &rel
	}
	rel.Status = cmp.Or(rel.Status, graph.Reported)
	if e.leftOut(pairs[0]) == 1 {
		// So are the others, and nothing is said of where that is from.
		b.Records = append(b.Records, between(rel, pairs[0]))
		return
	}
	if r.Place != nil {
		at := dataset + "/place/" + r.PlaceKey
		b.stateNamed(at, *r.Place)
		rel.Places = []string{at}
	}
	if r.Document != nil {
		source := dataset + "/story/" + r.DocumentKey
		b.state(source, *r.Document)
		rel.Citations = []graph.Citation{{Source: source}}
	}
	if r.Together != "" {
		ends := e.together(r)
		key := []string{r.Together}
		for _, end := range ends {
			key = append(key, end.id)
		}
		sum := digestOf(key...)
		rel.Event = dataset + "/record/e-" + dense(rel.Date.EDTF) + "-" + shortID(sum).String()
		event := graph.Content{Form: graph.FormEvent, Date: rel.Date}
		var names []string
		for i, end := range ends {
			if end.id == unattributedID || slices.ContainsFunc(ends[:i], func(other namedEnd) bool { return other.id == end.id }) {
				continue // nobody took part, or one who is named already
			}
			event.Participants = append(event.Participants, graph.Participant{Entity: end.id})
			names = append(names, end.name)
		}
		event.Name = clipTo(r.EventName+": "+strings.Join(names, ", "), maxLine-1)
		b.stateNamed(rel.Event, event)
	}
	b.Records = append(b.Records, between(rel, pairs[0]))
	for _, p := range pairs[1:] {
		b.also(b.Records[len(b.Records)-1], between(rel, p))
	}
}
