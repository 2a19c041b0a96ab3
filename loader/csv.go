package loader

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/graph"

	"github.com/bits-and-blooms/bloom/v3"
)

// csvFormat is any table, with the mapping that says what its rows mean. It
// is nil where none is given: then the format only knows tables when it sees
// them.
type csvFormat struct{ mapping *mapping }

const csvName = "csv"

func (csvFormat) Name() string { return csvName }

// Detect takes any text for a table where there is a mapping for it.
func (f csvFormat) Detect(head []byte) bool {
	if f.mapping != nil {
		return datasetFormat{}.Detect(head)
	}
	_, _, ok := looksLikeTable(head)
	return ok
}

func isUTF16(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff"))
}

// looksLikeTable finds the columns of a table with a header, by its first
// lines.
func looksLikeTable(head []byte) (columns []string, delimiter rune, ok bool) {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	if i := bytes.LastIndexByte(head, '\n'); i >= 0 && len(head) == headBytes {
		head = head[:i]
	}
	if !utf8.Valid(head) || len(head) == 0 || bytes.IndexByte([]byte("{[#%<-"), head[0]) >= 0 {
		return nil, 0, false
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	for _, d := range "\t;,|" {
		if d != '\t' && bytes.Count(line, []byte("\t")) > 1 {
			break // the others separate what is in a field
		}
		form := &tableForm{delimiter: d, quotes: true}
		r := newCSVReader(bytes.NewReader(head), form)
		first, err := r.next()
		if err != nil || first.bad != nil || len(first.fields) < 2 || !namesColumns(first.fields) {
			continue
		}
		columns = slices.Clone(first.fields)
		r.width = len(columns)
		rows, good := 0, 0
		for rows < 5 {
			record, err := r.next()
			if err != nil {
				break
			}
			if rows++; record.bad == nil {
				good++
			}
		}
		if good*2 > rows || rows == 0 {
			return columns, d, true
		}
	}
	return nil, 0, false
}

// year is what columns are named after too.
var year = regexp.MustCompile(`^[12][0-9]{3}$`)

// namesColumns reports whether fields may be names: YAML has a colon and a
// blank behind its keys, and values have digits first.
func namesColumns(fields []string) bool {
	named := 0
	for i, f := range fields {
		f = strings.TrimSpace(f)
		if i > 0 && (f == "" || named > 2 && year.MatchString(f)) {
			continue
		}
		named++
		if f == "" || len(f) > maxLine || strings.Contains(f, ": ") || strings.HasSuffix(f, ":") || strings.Contains("+-0123456789", f[:1]) {
			return false
		}
	}
	return true
}

// csvTable is one file of a table.
type csvTable struct {
	in      Input
	ctx     context.Context //nolint:containedctx // of the load; an Edition lives no longer
	m       *mapping
	world   *World
	vocab   *graph.Vocabulary
	edition graph.Edition
	rows    *Rows
	header  []string
	headed  string // the line that the header is
	index   map[string]int
	used    []int // the columns that the mapping reads
	// shared are the things that may be stated by more than one row.
	shared map[recordID]*shared
	// barred are the lines of rows that contradict rows before them, a bit each.
	barred  []uint64
	omitted []*omission
	notes   []graph.Problem
	pending []pendingID
}

// shared is a thing that may be stated by more than one row.
type shared struct {
	id      string
	line    int           // of the first row that states it; 0 while there is none
	form    graph.Form    // "" of relations
	content graph.Content // of nodes: what all rows say
	last    graph.Hash    // of the content that was added last; of relations, of all rows
	stands  int           // the line of the row that stands for a node; 0 for none
}

// omission counts values of one sort that were left out.
type omission struct {
	Rejection
	count int
}

// pendingID is an id to be looked up in the store.
type pendingID struct {
	id   string
	line int
	form graph.Form
}

func (f csvFormat) Open(ctx context.Context, in Input, world *World) (Edition, error) {
	if f.mapping == nil {
		return nil, needsMapping(in)
	}
	m := f.mapping
	e := &csvTable{in: in, ctx: ctx, m: m, world: world, vocab: world.Vocabulary, rows: &Rows{Kinds: map[graph.Kind]int{}}, shared: map[recordID]*shared{}}
	e.edition = graph.Edition{Dataset: cmp.Or(in.Dataset, m.dataset), Title: m.title, Priority: m.priority, Whole: m.whole, Steady: true}
	if e.edition.Dataset == "" {
		return nil, graph.Problems{{File: m.file, Line: 1, Column: 1, Message: "the mapping names no data set; add, for example, dataset: offices, or give --dataset"}}
	}
	if err := settleEdition(in, world, &e.edition); err != nil {
		return nil, err
	}
	if err := e.findSuspects(); err != nil {
		return nil, err
	}
	if err := e.survey(); err != nil {
		return nil, err
	}
	return e, nil
}

// needsMapping says what a table without a mapping needs.
func needsMapping(in Input) error {
	head, err := in.parts()[0].head()
	if err != nil {
		return err
	}
	message := tableMeant(head)
	if message == "" {
		message = "a table needs a mapping that says what its rows mean; write one and name it by --mapping (docs/tables.md)"
	}
	return graph.Problems{{File: in.Name, Line: 1, Column: 1, Message: message}}
}

// tableMeant says what a table with a header needs, which may stand below other
// lines. It is empty for what looks like none.
func tableMeant(head []byte) string {
	columns, delimiter, ok := looksLikeTable(head)
	rest, skip := head, 0
	for !ok && skip < detectLines {
		_, below, more := bytes.Cut(rest, []byte("\n"))
		if !more {
			return ""
		}
		rest, skip = below, skip+1
		if line, _, _ := bytes.Cut(rest, []byte("\n")); len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		// Two words with a comma between them are in many a text.
		columns, delimiter, ok = looksLikeTable(rest)
		ok = ok && len(columns) > 2 && bytes.Count(bytes.TrimSpace(rest), []byte("\n")) > 0 &&
			slices.ContainsFunc(columns[1:], func(c string) bool { return !strings.HasPrefix(c, " ") })
	}
	if !ok {
		return ""
	}
	if last := len(columns) - 1; columns[last] == "" { // a delimiter behind the last name
		columns = columns[:last]
	}
	shown, more, where, mapping := columns, "", "", "a mapping"
	if len(shown) > 12 {
		shown, more = shown[:12], fmt.Sprintf(" and %d more", len(columns)-12)
	}
	for i, c := range shown {
		shown[i] = clip(c)
	}
	if skip > 0 {
		where, mapping = fmt.Sprintf(" in line %d", skip+1), fmt.Sprintf("a mapping (with format: {skipRows: %d})", skip)
	}
	return fmt.Sprintf("this looks like a table with the columns %s%s%s, separated by %q; write %s that says what its rows mean, and name it by --mapping (docs/tables.md)%s",
		strings.Join(shown, ", "), more, where, delimiter, mapping, tkgMeant(head, delimiter))
}

func (e *csvTable) Describe() graph.Edition { return e.edition }

// Size is the number of rows to record.
func (e *csvTable) Size() int { return e.rows.stating() }

func (e *csvTable) Rows() *Rows { return e.rows }

func (e *csvTable) Notes() []graph.Problem { return e.notes }

// each goes through the rows of the file. The things are nil where it is bad.
func (e *csvTable) each(hash io.Writer, visit func(record csvRecord, things *rowThings, bad *Rejection) error) error {
	f, err := e.in.Open()
	if err != nil {
		return unreadable(e.in.Name, err)
	}
	defer func() { _ = f.Close() }()
	r := newCSVReader(io.TeeReader(f, hash), &e.m.form)
	unread := func(err error) error {
		return graph.Problems{{File: e.in.Name, Line: r.lines.line + 1, Message: "cannot be read: " + reason(err)}}
	}
	if err := e.skip(r.lines, unread); err != nil {
		return err
	}
	if e.m.form.header {
		first, err := r.next()
		if err != nil && err != io.EOF {
			return unread(err)
		}
		if err := e.bind(first, err == io.EOF); err != nil {
			return err
		}
	} else if err := e.columns(e.m.form.columns, 1); err != nil {
		return err
	}
	r.width = len(e.header)
	row := &tableRow{index: e.index, form: &e.m.form}
	for n := 0; ; n++ {
		if n%BatchSize == 0 {
			if e.ctx.Err() != nil {
				return e.ctx.Err()
			}
			if e.in.checked != nil {
				e.in.checked(e.rows)
			}
		}
		record, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return unread(err)
		}
		var things *rowThings
		bad := record.bad
		if bad == nil {
			bad = e.unfit(record.fields)
		}
		if bad == nil {
			row.fields = record.fields
			things, bad = e.m.build(e.edition.Dataset, e.vocab, row)
		}
		if err := visit(record, things, bad); err != nil {
			return err
		}
	}
}

// skip passes over the lines that stand before the header.
func (e *csvTable) skip(lines *lineReader, unread func(error) error) error {
	for n := range e.m.form.skip {
		switch _, _, err := lines.next(); {
		case err == io.EOF:
			return graph.Problems{{File: e.in.Name, Line: n + 1, Message: fmt.Sprintf("the file ends before its header: the mapping %s skips %d lines", e.m.file, e.m.form.skip)}}
		case err != nil:
			return unread(err)
		}
	}
	return nil
}

// bind reads the header.
func (e *csvTable) bind(first csvRecord, none bool) error {
	switch {
	case none && e.m.form.skip > 0:
		return graph.Problems{{File: e.in.Name, Line: e.m.form.skip + 1, Message: fmt.Sprintf("there is no header behind the %d lines that the mapping %s skips", e.m.form.skip, e.m.file)}}
	case none:
		return graph.Problems{{File: e.in.Name, Line: 1, Column: 1, Message: "the file is empty; a table has a header and rows"}}
	case isUTF16([]byte(first.text)):
		return graph.Problems{{File: e.in.Name, Line: 1, Column: 1, Message: "the file is in UTF-16; save it as UTF-8"}}
	case strings.Contains(strings.TrimRight(first.text, "\r"), "\r"):
		return graph.Problems{{File: e.in.Name, Line: first.line, Column: 1, Message: carriageReturns}}
	case first.bad != nil:
		return graph.Problems{{File: e.in.Name, Line: first.line, Column: 1, Message: "the header cannot be read: " + first.bad.Reason +
			". Where other lines stand before the header, skipRows in the mapping says how many"}}
	}
	e.headed = first.text
	names := make([]string, len(first.fields))
	for i, f := range first.fields {
		if why := unfitCell(f); why != "" {
			return graph.Problems{{File: e.in.Name, Line: first.line, Column: 1, Message: fmt.Sprintf("the name of column %d %s", i+1, why)}}
		}
		names[i] = columnName(f)
	}
	return e.columns(names, first.line)
}

// columnName is a field of a header as mappings name it.
func columnName(field string) string { return composed(strings.Join(strings.Fields(field), " ")) }

// columns finds the columns that the mapping reads.
func (e *csvTable) columns(names []string, line int) error {
	e.header, e.index, e.used = names, map[string]int{}, nil
	twice := map[string]bool{}
	for i, name := range names {
		if _, seen := e.index[name]; seen {
			twice[name] = true
			continue
		}
		e.index[name] = i
	}
	var ps graph.Problems
	d, none := decoder{file: e.m.file}, false
	for _, ref := range e.m.columns {
		i, known := e.index[ref.column]
		switch {
		case !known:
			hint, lacksAll := e.columnHint(ref.column)
			d.failIn(ref.node, ref.offset, "the table %s has no column %q; %s", e.in.Name, clip(ref.column), hint)
			none = none || lacksAll
		case twice[ref.column]:
			d.failIn(ref.node, ref.offset, "the table %s has several columns %q; rename all but one", e.in.Name, clip(ref.column))
		case !slices.Contains(e.used, i):
			e.used = append(e.used, i)
		}
	}
	slices.Sort(e.used)
	if none { // for one reason, which is said once
		return graph.Problems{slices.MinFunc(d.problems, func(a, b graph.Problem) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})}
	}
	return append(ps, d.problems...).Err()
}

// columnHint says why a table may lack a column, and whether it lacks all of them for
// that.
func (e *csvTable) columnHint(name string) (hint string, all bool) {
	if line := e.headerBelow(name); line > 0 {
		return fmt.Sprintf("line %d has one; if that is the header, write format: {skipRows: %d}", line, line-1), false
	}
	if len(e.header) == 1 {
		for _, d := range "\t;,|" {
			if d != e.m.form.delimiter && strings.ContainsRune(e.headed, d) {
				return fmt.Sprintf("its first line has no %q; is the delimiter %q?", e.m.form.delimiter, d), true
			}
		}
	}
	named := slices.DeleteFunc(slices.Clone(e.header), func(c string) bool { return c == "" })
	shown, more := named, ""
	if len(shown) > 20 {
		shown, more = shown[:20], ", …"
	}
	if near := graph.NearestWords(name, named, 1); len(near) > 0 {
		return "did you mean " + near[0] + "?", false
	}
	return "it has " + clipTo(strings.Join(shown, ", "), 400) + more, false
}

// headerBelow finds a line near the begin of the file that has a field of this
// name, behind the one that was taken for the header. It is 0 for none.
func (e *csvTable) headerBelow(name string) int {
	head, err := e.in.parts()[0].head()
	if err != nil || !e.m.form.header {
		return 0
	}
	r := newCSVReader(bytes.NewReader(head), &e.m.form)
	for {
		text, tooLong, err := r.lines.next()
		if err != nil {
			return 0
		}
		if r.lines.line <= e.m.form.skip+1 || tooLong {
			continue
		}
		fields, err := r.parse(string(text))
		if err == nil && len(fields) > 1 && slices.ContainsFunc(fields, func(f string) bool { return columnName(f) == name }) {
			return r.lines.line
		}
	}
}

func clipTo(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// unfit finds what no field of a row may have.
func (e *csvTable) unfit(fields []string) *Rejection {
	for _, i := range e.used {
		if why := unfitCell(fields[i]); why != "" {
			return &Rejection{Column: e.header[i], Reason: why}
		}
	}
	return nil
}

// idKey identifies an id.
func idKey(id string) (k recordID) {
	sum := sha256.Sum256([]byte(id))
	copy(k[:], sum[:])
	return k
}

// findSuspects is the first pass: it finds the ids that may be stated by more
// than one row. Only these are kept in memory.
func (e *csvTable) findSuspects() error {
	hash := sha256.New()
	seen := bloom.New(1<<27, 4) // 16 MiB, whatever the size of the file
	see := func(id string) {
		if k := idKey(id); seen.TestAndAdd(k[:]) && e.shared[k] == nil {
			e.shared[k] = &shared{}
		}
	}
	err := e.each(hash, func(_ csvRecord, things *rowThings, bad *Rejection) error {
		if bad != nil {
			return nil
		}
		for i := range things.nodes {
			see(things.nodes[i].ID)
		}
		for _, r := range things.relations {
			see(r.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	hash.Write(e.m.sum[:])
	hash.Write([]byte("csv\x00" + e.edition.Dataset))
	copy(e.edition.Input[:], hash.Sum(nil))
	return nil
}

// survey is the second pass: it finds the bad rows, and unites what rows say
// of the things that they share.
func (e *csvTable) survey() error {
	var cut *graph.Problem
	err := e.each(io.Discard, func(record csvRecord, things *rowThings, bad *Rejection) error {
		e.rows.Read++
		if bad == nil {
			if bad = e.contradicts(things); bad != nil {
				e.bar(record.line)
				gone, err := e.gone(things)
				if err != nil {
					return err
				}
				if gone { // nothing else is said of it
					e.rows.Rejected++
					e.rows.Forgotten++
					return nil
				}
			}
		}
		if bad != nil {
			if record.open {
				cut = &graph.Problem{File: e.in.Name, Line: record.line}
			}
			bad.File = e.in.Name
			return e.in.reject(e.rows, &e.notes, *bad.at(record.line, record.text))
		}
		if err := e.omit(record.line, things); err != nil {
			return err
		}
		return e.learn(record.line, things)
	})
	if err == nil {
		err = e.lookUp()
	}
	if err != nil {
		return err
	}
	if e.rows.Read > 0 && e.rows.Read == e.rows.Rejected {
		return graph.Problems{{File: e.in.Name, Message: fmt.Sprintf("none of its %d rows can be read with the mapping %s; the first: line %d: %s",
			e.rows.Read, e.m.file, e.notes[0].Line, strings.TrimPrefix(e.notes[0].Message, "rejected: "))}}
	}
	e.in.rejectedToo(e.rows, &e.notes)
	if e.edition.Whole {
		notes, err := settleWhole(e.in.Name, e.rows, cut)
		if err != nil {
			return err
		}
		e.notes = append(e.notes, notes...)
	}
	for _, o := range e.omitted {
		e.notes = append(e.notes, graph.Problem{File: e.in.Name, Line: o.Line, Message: fmt.Sprintf(
			"%s: values left out: %d, of which this is the first: %s", o.Column, o.count, o.Reason)})
	}
	for _, s := range e.shared {
		if s.line != 0 && s.form == graph.FormEntity && !e.world.Forgotten.Root(s.id) {
			e.rows.Kinds[s.content.Kind]++
		}
	}
	return nil
}

// gone reports whether a row names what was forgotten.
func (e *csvTable) gone(things *rowThings) (bool, error) {
	var ids []string
	for i := range things.nodes {
		ids = append(ids, things.nodes[i].ID)
	}
	for _, r := range things.relations {
		ids = append(ids, r.ID)
	}
	found, err := e.world.Forgotten.Find(e.ctx, e.world.store, ids)
	return len(found) > 0, err
}

func (e *csvTable) bar(line int) {
	for len(e.barred) <= line/64 {
		e.barred = append(e.barred, 0)
	}
	e.barred[line/64] |= 1 << (line % 64)
}

func (e *csvTable) isBarred(line int) bool {
	return line/64 < len(e.barred) && e.barred[line/64]&(1<<(line%64)) != 0
}

// omit counts the values that a row leaves out. The first of a column is shown,
// unless its row names what was forgotten.
func (e *csvTable) omit(line int, things *rowThings) error {
	for _, v := range things.omitted {
		at := slices.IndexFunc(e.omitted, func(o *omission) bool { return o.Column == v.Column })
		if at < 0 {
			if gone, err := e.gone(things); gone || err != nil {
				return err
			}
			v.Line = line
			e.omitted = append(e.omitted, &omission{Rejection: v})
			at = len(e.omitted) - 1
		}
		e.omitted[at].count++
	}
	return nil
}

// maxNames is the most names, properties and external ids that rows may give
// one entity. More come of an id that does not tell entities apart.
const maxNames = 1000

// contradicts finds what rows before have said otherwise.
func (e *csvTable) contradicts(things *rowThings) *Rejection {
	for i := range things.nodes {
		s := e.shared[idKey(things.nodes[i].ID)]
		if s == nil || s.line == 0 {
			continue
		}
		c := &things.nodes[i].Content
		switch why := unlike(&s.content, c); {
		case s.form == "":
			return &Rejection{Reason: fmt.Sprintf("id: %s is the id of a relation in line %d", s.id, s.line)}
		case why != "":
			return &Rejection{Reason: fmt.Sprintf("id: %s %s in line %d", s.id, why, s.line)}
		case len(s.content.Aliases)+len(s.content.Properties)+len(s.content.ExternalIDs) > maxNames && c.ContentHash() != s.last:
			return &Rejection{Reason: fmt.Sprintf("id: rows give %s more than %d names, properties and external ids; does its id tell entities apart?", s.id, maxNames)}
		}
	}
	for _, r := range things.relations {
		s := e.shared[idKey(r.ID)]
		switch {
		case s == nil || s.line == 0:
		case s.form != "":
			return &Rejection{Reason: fmt.Sprintf("id: %s is the id of %s in line %d", s.id, sortOf(s.form).withArticle(), s.line)}
		case s.last != r.ContentHash():
			return &Rejection{Reason: fmt.Sprintf("id: the relation %s is in line %d with other content; put what tells the two apart into the id of the relation", s.id, s.line)}
		}
	}
	return nil
}

// learn takes in what a row says.
func (e *csvTable) learn(line int, things *rowThings) error {
	first := things.firstEntity()
	for i := range things.nodes {
		n := &things.nodes[i]
		s := e.shared[idKey(n.ID)]
		if s == nil {
			if n.Content.Form == graph.FormEntity && !e.world.Forgotten.Root(n.ID) {
				e.rows.Kinds[n.Content.Kind]++
			}
			e.pending = append(e.pending, pendingID{n.ID, line, n.Content.Form})
			continue
		}
		hash := n.Content.ContentHash()
		switch {
		case s.line == 0:
			s.id, s.line, s.form, s.content = strings.Clone(n.ID), line, n.Content.Form, kept(n.Content)
			e.pending = append(e.pending, pendingID{n.ID, line, n.Content.Form})
		case s.last != hash:
			s.content = s.content.Add(kept(n.Content))
		}
		s.last = hash
		if len(things.relations) == 0 && i == first && s.stands == 0 {
			s.stands = line
		}
	}
	for _, r := range things.relations {
		s := e.shared[idKey(r.ID)]
		if s != nil && s.line != 0 {
			continue
		}
		if s != nil {
			s.id, s.line, s.last = strings.Clone(r.ID), line, r.ContentHash()
		}
		e.pending = append(e.pending, pendingID{r.ID, line, ""})
	}
	if len(e.pending) < e.in.BatchSize {
		return nil
	}
	return e.lookUp()
}

// kept is a content that does not hold its row in memory.
func kept(c graph.Content) graph.Content {
	for _, s := range []*string{&c.Name, &c.Description, &c.URL, &c.Publisher, &c.Date.EDTF} {
		*s = strings.Clone(*s)
	}
	for i := range c.Aliases {
		c.Aliases[i] = strings.Clone(c.Aliases[i])
	}
	for i := range c.ExternalIDs {
		c.ExternalIDs[i].Value = strings.Clone(c.ExternalIDs[i].Value)
	}
	for i := range c.Properties {
		c.Properties[i].Value = strings.Clone(c.Properties[i].Value)
	}
	return c
}

// firstEntity is the place of the entity that stands for the row, if no
// relation does.
func (t *rowThings) firstEntity() int {
	return slices.IndexFunc(t.nodes, func(s graph.Statement) bool { return s.Content.Form == graph.FormEntity })
}

// lookUp sees to it that the ids found are not those of something else in the
// store. That is a mistake of the mapping, not of rows.
func (e *csvTable) lookUp() error {
	const most = 20
	ids := make([]string, len(e.pending))
	for i, p := range e.pending {
		ids[i] = p.id
	}
	known, err := e.world.Find(e.ctx, e.edition.Dataset, ids)
	if err != nil {
		return err
	}
	var ps graph.Problems
	for _, p := range e.pending {
		k, ok := known[p.id]
		if !ok || k.Forgotten || len(ps) >= most {
			continue
		}
		message := ""
		switch {
		case k.Relation != nil && (p.form != "" || k.Relation.Dataset != e.edition.Dataset):
			message = fmt.Sprintf("belongs to a relation of data set %s", k.Relation.Dataset)
		case p.form == "" && k.Node != nil:
			message = fmt.Sprintf("belongs to %s, %s", sortOf(k.Node.Form).withArticle(), k.Node.Name)
		case p.form != "" && k.Node != nil && k.Node.Form != p.form:
			message = fmt.Sprintf("belongs to %s (%s, data set %s)", sortOf(k.Node.Form).withArticle(), k.Node.Name, strings.Join(k.Node.Datasets, ", "))
		case k.OwnForm != "" && k.OwnForm != p.form:
			message = fmt.Sprintf("is that of %s in the last edition of this data set", sortOf(k.OwnForm).withArticle())
		default:
			continue
		}
		ps.Add(e.in.Name, p.line, 0, "the id %s, which the mapping makes of this row, %s; change the ids of the mapping", p.id, message)
	}
	e.pending = e.pending[:0]
	return ps.Err()
}

var errStopped = errors.New("stopped")

// Batches is the third pass: first what rows share, then the rows.
func (e *csvTable) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for part := range slices.Chunk(e.sharedNodes(), e.in.BatchSize) {
			var b Batch
			for _, s := range part {
				statement := graph.Statement{ID: s.id, Content: s.content}
				if s.stands != 0 {
					b.Described = append(b.Described, statement)
				} else {
					b.Statements = append(b.Statements, statement)
				}
			}
			if !yield(b, nil) {
				return
			}
		}
		var b Batch
		size := 0
		err := e.each(io.Discard, func(record csvRecord, things *rowThings, bad *Rejection) error {
			if bad != nil || e.isBarred(record.line) {
				return nil
			}
			size += e.put(&b, record.line, things)
			if size < e.in.BatchSize {
				return nil
			}
			full := b
			b, size = Batch{}, 0
			if !yield(full, nil) {
				return errStopped
			}
			return nil
		})
		switch {
		case errors.Is(err, errStopped):
		case err != nil:
			yield(Batch{}, err)
		case size > 0:
			yield(b, nil)
		}
	}
}

func (e *csvTable) sharedNodes() []*shared {
	var out []*shared
	for _, s := range e.shared {
		if s.line != 0 && s.form != "" {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *shared) int { return strings.Compare(a.id, b.id) })
	return out
}

// put adds the things of a row to a batch, and counts them. The row stands for
// its first relation, else for its first entity.
func (e *csvTable) put(b *Batch, line int, things *rowThings) int {
	size := 0
	first := things.firstEntity()
	for i := range things.nodes {
		n := things.nodes[i]
		stands := len(things.relations) == 0 && i == first
		if s := e.shared[idKey(n.ID)]; s != nil {
			if stands && s.stands != line {
				e.rows.Duplicate++
			}
			continue
		}
		size++
		if stands {
			b.Described = append(b.Described, n)
		} else {
			b.Statements = append(b.Statements, n)
		}
	}
	for i, r := range things.relations {
		if s := e.shared[idKey(r.ID)]; s != nil && s.line != line {
			if i == 0 {
				e.rows.Duplicate++
			}
			continue
		}
		size++
		if i == 0 {
			b.Records = append(b.Records, r)
		} else {
			b.Relations = append(b.Relations, r)
		}
	}
	return size
}
