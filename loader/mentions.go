package loader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"chancery/graph"

	"github.com/bits-and-blooms/bloom/v3"
	"golang.org/x/text/unicode/norm"
)

// mentionsFormat is the table of mentions of GDELT 2.0: one row for each report
// in which an event of its table of events was found. It states no act of its
// own: it adds the report to the sources of what is recorded of the event, and
// takes the confidence of the surest report for that of the record.
//
// A file is read twice. The second time its rows are set aside by their events,
// so that each relation is changed once.
type mentionsFormat struct{}

func (mentionsFormat) Name() string { return "gdelt-mentions" }

// mentionColumn is a column that is read.
type mentionColumn int

const (
	mentionEvent mentionColumn = iota
	mentionTime
	mentionType
	mentionPublisher
	mentionDocument
	mentionConfidence
	mentionTranslation
	mentionColumns int = iota
)

// mentionNames are the names of the columns in headers.
var mentionNames = [mentionColumns]string{"GLOBALEVENTID", "MentionTimeDate", "MentionType", "MentionSourceName", "MentionIdentifier", "Confidence", "MentionDocTranslationInfo"}

// mentionLayout says where the columns are; -1 where there is none.
type mentionLayout struct {
	width int // 0 where the last columns, which are empty as a rule, may be missing
	at    [mentionColumns]int
}

var mentionBare = &mentionLayout{at: [mentionColumns]int{0, 2, 3, 4, 5, 11, 14}}

// The most and the fewest columns of rows without a header.
const (
	mentionWidth    = 16
	mentionWidthMin = 14
)

func mentionHeader(fields []string) (l *mentionLayout, problem string, ok bool) {
	l = &mentionLayout{width: len(fields)}
	for c, name := range mentionNames {
		l.at[c] = slices.IndexFunc(fields, func(f string) bool { return sameColumn(f, name) })
	}
	if l.at[mentionDocument] < 0 || l.at[mentionEvent] < 0 {
		return nil, "", false
	}
	if l.at[mentionTime] < 0 {
		return nil, "the header lacks the column " + mentionNames[mentionTime], true
	}
	return l, "", true
}

func (f mentionsFormat) Detect(head []byte) bool {
	moment := func(text string) bool {
		return (len(text) == len("20060102") || len(text) == len("20060102150405")) && digits(text)
	}
	for i, line := range firstLines(head) {
		fields := tabFields(line)
		if _, _, header := mentionHeader(fields); header && i == 0 {
			return true
		}
		if n := len(fields); (f.Wide(n) || f.Wide(n-1)) && digits(fields[0]) && moment(fields[1]) && moment(fields[2]) {
			return true
		}
	}
	return false
}

// Wide reports whether rows may have so many columns.
func (mentionsFormat) Wide(columns int) bool {
	return columns >= mentionWidthMin && columns <= mentionWidth
}

// mention is what a row says.
type mention struct {
	event      string // its number
	document   graph.Content
	key        string // of the document
	confidence *float64
}

func (l *mentionLayout) read(line string) (*mention, *Rejection) {
	fields := tabFields(norm.NFC.String(line))
	if l.width == 0 {
		for len(fields) < mentionWidth && len(fields) >= mentionWidthMin {
			fields = append(fields, "")
		}
	}
	width := cmp.Or(l.width, mentionWidth)
	fields = unpadded(fields, func(columns int) bool { return columns == width })
	switch {
	case len(fields) == width:
	case l.width == 0:
		return nil, &Rejection{Reason: fmt.Sprintf("has %d columns, not %d", len(fields), width)}
	default:
		return nil, &Rejection{Reason: fmt.Sprintf("has %d columns, not %d as the header", len(fields), width)}
	}
	var row [mentionColumns]string
	for column, at := range l.at {
		if at >= 0 {
			row[column] = fields[at]
		}
	}
	bad := func(column mentionColumn, format string, args ...any) (*mention, *Rejection) {
		return nil, &Rejection{Column: mentionNames[column], Reason: fmt.Sprintf(format, args...)}
	}
	if !digits(row[mentionEvent]) {
		return bad(mentionEvent, "%q is not a number", clip(row[mentionEvent]))
	}
	m := &mention{event: row[mentionEvent]}
	day, err := gdeltAddedDay(row[mentionTime])
	if err != nil {
		return bad(mentionTime, "%v", err)
	}
	if row[mentionType] != "" && !digits(row[mentionType]) {
		return bad(mentionType, "%q is not a number", clip(row[mentionType]))
	}
	if row[mentionDocument] == "" {
		return bad(mentionDocument, "is missing: the row names no report")
	}
	document, reason := gdeltDocument(row[mentionDocument])
	if reason != "" {
		return bad(mentionDocument, "%s", reason)
	}
	if document.Date, err = graph.ResolveDate(day, graph.Act, graph.Stated, 0, false); err != nil {
		return bad(mentionTime, "%v", err)
	}
	if document.Publisher == "" {
		document.Publisher = clipTo(row[mentionPublisher], maxLine-1)
	}
	if id := row[mentionDocument]; slices.Contains([]string{"3", "4", "5"}, row[mentionType]) && strings.HasPrefix(id, "10.") {
		document.ExternalIDs = []graph.ExternalID{{Scheme: "doi", Value: id}} // CORE, DTIC and JSTOR
	}
	for part := range strings.SplitSeq(row[mentionTranslation], ";") {
		if language, ok := strings.CutPrefix(strings.TrimSpace(part), "srclc:"); ok && language != "" {
			document.Properties = []graph.Property{{Name: "translatedFrom", Value: clipTo(language, maxLine-1)}}
		}
	}
	m.document, m.key = *document, gdeltDocumentKey(row[mentionDocument])
	if text := row[mentionConfidence]; text != "" {
		percent, err := strconv.ParseFloat(text, 64)
		if err != nil || !(percent >= 0 && percent <= 100) {
			return bad(mentionConfidence, "%q is not a number from 0 to 100", clip(text))
		}
		percent /= 100
		m.confidence = &percent
	}
	return m, nil
}

func (mentionsFormat) begins(lines []string) bool {
	if _, problem, is := mentionHeader(tabFields(lines[0])); is {
		return problem == ""
	}
	return mostGood(lines, func(line string) bool {
		_, bad := mentionBare.read(line)
		return bad == nil
	})
}

func (f mentionsFormat) Open(ctx context.Context, in Input, world *World) (Edition, error) {
	if in.Whole != nil && *in.Whole {
		return nil, graph.Problems{{File: in.Name, Message: "GDELT's table of mentions is never all of a data set: it adds to what its table of events says; " +
			"load it by itself, without --edition whole, after the events"}}
	}
	e := &mentionsFile{rowFile: newRowFile(ctx, f.Name(), in), store: world.store, forgotten: world.Forgotten, stories: newStories()}
	e.edition = graph.Edition{Dataset: cmp.Or(in.Dataset, gdelt{}.Name()), Title: gdelt{}.Title(), Unordered: true, Named: preferredName, Cited: true}
	if err := settleEdition(in, world, &e.edition); err != nil {
		return nil, err
	}
	hash, seen := sha256.New(), bloom.New(1<<27, 4)
	err := e.mentions(hash, func(m *mention, _ *mentionRow, bad *Rejection) error {
		e.rows.Read++
		if bad != nil {
			return e.reject(*bad)
		}
		e.stories.learn(m.key, &m.document, seen)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := e.settle(false); err != nil {
		return nil, err
	}
	hash.Write([]byte(e.name + "\x00" + e.edition.Dataset))
	copy(e.edition.Input[:], hash.Sum(nil))
	return e, nil
}

// mentionsFile is one file of mentions.
type mentionsFile struct {
	rowFile
	edition   graph.Edition
	store     graph.Store
	forgotten *graph.Forgotten
	stories   *stories
	bytes     int64            // of the good rows
	layouts   []*mentionLayout // of the files, that of those without a header first
}

// adds says that the file adds to what others of its data set say, which are
// loaded first.
func (e *mentionsFile) adds() {}

func (e *mentionsFile) Describe() graph.Edition { return e.edition }

// mentionRow is a good row, as it is set aside.
type mentionRow struct {
	Event  string `json:"e"`
	File   string `json:"f"`
	Line   int    `json:"l"`
	Text   string `json:"t"`
	Layout int    `json:"c,omitempty"` // its place in the layouts
	Row    string `json:"r,omitempty"` // as the file has it, where that is otherwise
}

// mentions goes through the rows of the file.
func (e *mentionsFile) mentions(hash io.Writer, visit func(m *mention, row *mentionRow, bad *Rejection) error) error {
	var at heading
	layout := 0
	e.bytes, e.layouts = 0, []*mentionLayout{mentionBare}
	return e.lines(hash, func(l *rowLine) error {
		bad := l.bad
		if at.first(l.part, l.number) {
			layout = 0
			if bad == nil {
				columns, problem, is := mentionHeader(tabFields(l.text))
				if problem != "" {
					return graph.Problems{{File: l.part.Name, Line: l.number, Column: 1, Message: problem}}
				}
				if is {
					layout, at.header = len(e.layouts), l.text
					e.layouts = append(e.layouts, columns)
					return nil
				}
			}
		}
		if at.again(l.text) {
			return nil
		}
		var m *mention
		if bad == nil {
			m, bad = e.layouts[layout].read(l.text)
		}
		if bad != nil {
			return visit(nil, nil, bad.at(l.number, l.row))
		}
		e.bytes += int64(len(l.text))
		row := &mentionRow{Event: m.event, File: l.part.Name, Line: l.number, Text: l.text, Layout: layout}
		if l.row != l.text {
			row.Row = l.row
		}
		return visit(m, row, nil)
	})
}

// mentionedEvent is an event with the rows that are about it.
type mentionedEvent struct {
	event string
	rows  []*mentionRow
}

// mentionBatches cuts events into parts of not many more than so many rows.
func mentionBatches(events []*mentionedEvent, size int) iter.Seq[[]*mentionedEvent] {
	return func(yield func([]*mentionedEvent) bool) {
		from, rows := 0, 0
		for i, of := range events {
			if rows += len(of.rows); rows >= size || i == len(events)-1 {
				if !yield(events[from : i+1]) {
					return
				}
				from, rows = i+1, 0
			}
		}
	}
}

// Batches reads the rows once more, and records what they say of each event.
func (e *mentionsFile) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		apart := newAside[mentionRow](e.bytes)
		defer apart.drop()
		err := e.mentions(io.Discard, func(m *mention, row *mentionRow, bad *Rejection) error {
			if bad != nil {
				return nil
			}
			e.stories.all(m.key, &m.document) // which are known in whole then
			return apart.put(m.event, row)
		})
		events, order := map[string]*mentionedEvent{}, []*mentionedEvent(nil)
		if err == nil {
			err = apart.each(func(row *mentionRow, _ int) error {
				of := events[row.Event]
				if of == nil {
					of = &mentionedEvent{event: row.Event}
					events[row.Event] = of
					order = append(order, of)
				}
				of.rows = append(of.rows, row)
				return nil
			}, func() error {
				for part := range mentionBatches(order, e.in.BatchSize) {
					b, err := e.cite(part)
					if err != nil {
						return err
					}
					if !yield(b, nil) {
						return errStopped
					}
				}
				clear(events)
				order = nil
				return nil
			})
		}
		switch {
		case err == errStopped: //nolint:errorlint // it is not wrapped
		case err != nil:
			yield(Batch{}, err)
		case e.rows.Unmatched > 0:
			unless := ""
			if !e.forgotten.Nothing() {
				unless = ", unless it names what was forgotten; they are in no list of bad rows, since it may"
			}
			e.note("rows about events that the data set %s does not have: %d; they are counted as rejected, and say something once its table of events (*.export.CSV) is loaded%s",
				e.edition.Dataset, e.rows.Unmatched, unless)
		}
	}
}

// cite adds the reports of events to what is recorded of these.
func (e *mentionsFile) cite(events []*mentionedEvent) (Batch, error) {
	recorded, err := e.recorded(events)
	if err != nil {
		return Batch{}, err
	}
	b := newFeedBatch()
	for _, of := range events {
		relations := recorded[of.event]
		b.Rows += len(of.rows)
		if len(relations) == 0 {
			for _, row := range of.rows {
				if err := e.unmatched(row); err != nil {
					return Batch{}, err
				}
			}
			continue
		}
		known := make([]map[string]bool, len(relations))
		for i, rel := range relations {
			known[i] = map[string]bool{}
			for _, c := range rel.Citations {
				known[i][c.Source] = true
			}
		}
		said := map[string]bool{} // sources of rows before
		var more graph.Relation
		for _, row := range of.rows {
			m, bad := e.layouts[row.Layout].read(row.Text)
			if bad != nil {
				return Batch{}, fmt.Errorf("%s:%d: the row was read before, and cannot be now: %s", row.File, row.Line, bad.Reason)
			}
			source := e.edition.Dataset + "/story/" + m.key
			b.state(source, *e.stories.all(m.key, &m.document))
			created, changed := false, false
			for i, rel := range relations {
				created = created || !known[i][source]
				if m.confidence != nil && (rel.Confidence == nil || *rel.Confidence < *m.confidence) {
					rel.Confidence, changed = m.confidence, true
				}
			}
			switch {
			case said[source]:
				e.rows.Duplicate++
			case created:
				e.rows.Created++
			case changed:
				e.rows.Changed++
			default:
				e.rows.Unchanged++
			}
			if !said[source] {
				said[source] = true
				more.Citations = append(more.Citations, graph.Citation{Source: source})
			}
		}
		for _, rel := range relations {
			rel.Cite(&more)
		}
		b.Relations = append(b.Relations, relations...)
	}
	return b.Batch, nil
}

// unmatched counts a row about an event that is not recorded. Where anything was
// forgotten, this may be why, and the row is not listed.
func (e *mentionsFile) unmatched(row *mentionRow) error {
	e.rows.Rejected++
	e.rows.Unmatched++
	if !e.forgotten.Nothing() {
		return nil
	}
	bad := Rejection{File: row.File, Column: mentionNames[mentionEvent], Reason: fmt.Sprintf("the data set %s has no record of this event", e.edition.Dataset)}
	return e.in.list(*bad.at(row.Line, cmp.Or(row.Row, row.Text)))
}

// recorded are the relations that stand for events, by the numbers of these: see
// [feed.put].
func (e *mentionsFile) recorded(events []*mentionedEvent) (map[string][]*graph.Relation, error) {
	prefix := e.edition.Dataset + "/record/"
	beginnings := make([]string, len(events))
	for i, of := range events {
		beginnings[i] = prefix + of.event + "-"
	}
	recorded := map[string][]*graph.Relation{}
	err := e.store.Read(e.ctx, func(tx graph.Reader) error {
		clear(recorded)
		held, err := tx.Held(e.ctx, &graph.HeldQuery{Beginnings: beginnings})
		if err != nil || len(held.Relations) == 0 {
			return err
		}
		ids := make([]string, 0, len(held.Relations))
		for id, entry := range held.Relations {
			if entry.Dataset == e.edition.Dataset {
				ids = append(ids, id)
			}
		}
		pages, err := tx.Relations(e.ctx, &graph.RelationQuery{Anchor: graph.AnchorID, IDs: ids, Order: graph.OldestFirst, Limit: 1, Detail: true})
		for _, page := range pages {
			for _, rel := range page.Rows {
				event, _, _ := strings.Cut(strings.TrimPrefix(rel.ID, prefix), "-")
				recorded[event] = append(recorded[event], rel)
			}
		}
		return err
	})
	for _, relations := range recorded {
		slices.SortFunc(relations, func(a, b *graph.Relation) int { return strings.Compare(a.ID, b.ID) })
	}
	return recorded, err
}
