package loader

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/graph"
	"chancery/temporary"
)

// ExportForm is how an exported data set is written down.
type ExportForm string

// The forms. JSON lines are written and read in constant memory; the others
// are for people, and are held in memory as a whole.
const (
	JSONLines ExportForm = "jsonl"
	JSON      ExportForm = "json"
	YAML      ExportForm = "yaml"
)

// ExportForms are all forms.
var ExportForms = []ExportForm{JSONLines, JSON, YAML}

// ExportOptions are the circumstances of an export.
type ExportOptions struct {
	Form ExportForm // "" is JSONLines
	// Recorded writes into the header when the latest edition was recorded.
	// The standing relations of a data set that is loaded with it are certain
	// until the same day as before.
	Recorded bool
	// Progress, if set, is told how the export goes.
	Progress Progress
	// MaxBytes bounds what is held in memory; 0 is 64 MiB.
	MaxBytes int64
}

// Exported says what an export holds.
type Exported struct {
	Dataset                                          string
	Sources, Entities, Events, Relations, Judgements int
	// Types are the relation types in use that are not built in.
	Types []string
	// Needs are other data sets whose things it refers to.
	Needs []string
	// Notes are remarks for people.
	Notes []string
}

// ExportDataset writes what a data set states now as a file of the format
// dataset, in the order of ids: the same record gives the same bytes, whatever
// store it is in. Loaded into an empty store, the file gives the same
// statements and relations. What a relation refers to and no data set states
// any longer is written too, since it could not be loaded without.
func ExportDataset(ctx context.Context, tx graph.Reader, d graph.Dataset, w io.Writer, o ExportOptions) (*Exported, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Form == "" {
		o.Form = JSONLines
	}
	x := newExporter(ctx, tx, d.Name)
	head := exportHead{Dataset: d.Name, Title: d.Title, Priority: d.Priority}
	if o.Recorded {
		head.Recorded = d.RecordedAt.String()
	}
	if !d.Complete {
		x.note("the last load of %s was interrupted, so this is a part of it", d.Name)
	}
	if o.Form == JSONLines {
		lines, err := newExportLines()
		if err != nil {
			return nil, err
		}
		defer lines.remove()
		x.to = lines
	} else {
		x.to = &exportTree{form: o.Form, left: o.MaxBytes, dataset: d.Name}
	}
	if o.Progress != nil {
		o.Progress.Begin("", d.Name, 0)
		defer o.Progress.End()
	}
	after := ""
	for {
		held, err := tx.Held(ctx, &graph.HeldQuery{Dataset: d.Name, After: after, Limit: BatchSize})
		if err != nil {
			return nil, err
		}
		if len(held.Entries) == 0 {
			break
		}
		after = held.Entries[len(held.Entries)-1].ID
		if err := x.entries(d.Name, held.Entries); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress.Add(len(held.Entries))
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if err := x.settle(d.Name); err != nil {
		return nil, err
	}
	if x.out.Judgements > 0 { // the readers of such files know neither
		head.Priority, head.Recorded = 0, ""
		head.Absent = x.absent
	}
	head.Disputed = x.disputes()
	x.out.Types = slices.Sorted(maps.Keys(x.types))
	return x.out, x.to.write(w, &head)
}

// JudgementIDs lists the ids of judgements, all of one data set, that a file of
// them must list as absent or as disputed to be loaded into the store that they
// are from.
func JudgementIDs(ctx context.Context, tx graph.Reader, judgements []graph.Statement) (absent, disputed []string, err error) {
	if len(judgements) == 0 {
		return nil, nil, nil
	}
	dataset := judgements[0].Dataset
	x := newExporter(ctx, tx, dataset)
	x.to = exportNowhere{}
	for i := range judgements {
		if err := x.statement(&judgements[i]); err != nil {
			return nil, nil, err
		}
	}
	err = x.settle(dataset)
	return x.absent, x.disputes(), err
}

// ExportOrder puts data sets into the order in which their exports can be
// loaded one by one: what one refers to comes before it. Where they refer to
// each other in a circle, there is none, and a note says that they must be
// loaded together.
func ExportOrder(exports []*Exported) []*Exported {
	byName := map[string]*Exported{}
	var names []string
	for _, x := range exports {
		byName[x.Dataset] = x
		names = append(names, x.Dataset)
	}
	slices.Sort(names)
	var out []*Exported
	var visit func(name string)
	visit = func(name string) {
		x := byName[name]
		if x == nil {
			return
		}
		delete(byName, name)
		for _, need := range x.Needs {
			visit(need)
		}
		out = append(out, x)
	}
	for _, name := range names {
		visit(name)
	}
	placed := map[string]bool{}
	for _, x := range out {
		for _, need := range x.Needs {
			if later := slices.ContainsFunc(out, func(o *Exported) bool { return o.Dataset == need }); later && !placed[need] {
				x.Notes = append(x.Notes, fmt.Sprintf("%s and %s refer to each other; load them with one command", x.Dataset, need))
			}
		}
		placed[x.Dataset] = true
	}
	return out
}

// exportTo takes what is exported in the order of ids, and writes it in the
// order of the format.
type exportTo interface {
	add(s sort, thing any) error
	write(w io.Writer, head *exportHead) error
}

// exportNowhere is for what is only to be found out.
type exportNowhere struct{}

func (exportNowhere) add(sort, any) error                { return nil }
func (exportNowhere) write(io.Writer, *exportHead) error { return nil }

// exportHead is what a file says of itself.
type exportHead struct {
	Dataset  string   `json:"dataset"`
	Title    string   `json:"title,omitempty"`
	Priority int      `json:"priority,omitempty"`
	Recorded string   `json:"recorded,omitempty"`
	Absent   []string `json:"absent,omitempty"` // in files of judgements
	Disputed []string `json:"disputed,omitempty"`
}

// sortJudgement is that of judgements, to which nothing refers.
const sortJudgement sort = judgementLine

// judgementYAML is a judgement as files have it.
type judgementYAML struct {
	Same      []string `json:"same,omitempty"`
	Different []string `json:"different,omitempty"`
	Reason    string   `json:"reason,omitempty"`
	Judge     string   `json:"judge,omitempty"`
}

type exporter struct {
	ctx   context.Context //nolint:containedctx // of the one call
	tx    graph.Reader
	vocab *graph.Vocabulary
	out   *Exported
	to    exportTo
	types map[string]bool // that are not built in
	own   map[graph.Hash]struct{}
	// outside are the ids that were referred to and had not come by then.
	outside map[string]sort
	// absent are those of them that judgements name and no data set states, in
	// order.
	absent []string
	// disputed are those that are united with an entity of another kind, or whose
	// kind does not fit where the data set has them.
	disputed []string
	uses     []use // of the page
}

func newExporter(ctx context.Context, tx graph.Reader, dataset string) *exporter {
	return &exporter{ctx: ctx, tx: tx, vocab: tx.Vocabulary(), out: &Exported{Dataset: dataset}, own: map[graph.Hash]struct{}{},
		outside: map[string]sort{}, types: map[string]bool{}}
}

// disputes are the ids that are disputed, each once.
func (x *exporter) disputes() []string {
	slices.Sort(x.disputed)
	return slices.Compact(x.disputed)
}

func (x *exporter) note(format string, args ...any) {
	x.out.Notes = append(x.out.Notes, fmt.Sprintf(format, args...))
}

// entries exports a page of what the data set holds.
func (x *exporter) entries(dataset string, entries []graph.Entry) error {
	var nodes, relations []string
	for _, e := range entries {
		if x.own[graph.HashText(e.ID)] = struct{}{}; e.Relation {
			relations = append(relations, e.ID)
		} else {
			nodes = append(nodes, e.ID)
		}
	}
	held, err := x.tx.Held(x.ctx, &graph.HeldQuery{Nodes: nodes})
	if err != nil {
		return err
	}
	for _, id := range nodes {
		for i := range held.Statements[id] {
			if s := &held.Statements[id][i]; s.Dataset == dataset && s.SupersededAt == 0 {
				if err := x.statement(s); err != nil {
					return err
				}
			}
		}
	}
	if len(relations) == 0 {
		return x.settleUses()
	}
	pages, err := x.tx.Relations(x.ctx, &graph.RelationQuery{Anchor: graph.AnchorID, IDs: relations, Limit: 1, Detail: true})
	if err != nil {
		return err
	}
	byID := make(map[string]*graph.Relation, len(pages))
	for _, p := range pages {
		if len(p.Rows) == 1 {
			byID[p.Anchor] = p.Rows[0]
		}
	}
	for _, id := range relations {
		r := byID[id]
		if r == nil {
			return errExportChanged
		}
		if err := x.relation(r); err != nil {
			return err
		}
	}
	return x.settleUses()
}

// use is an entity where only some kinds can be.
type use struct {
	id    string
	kinds []graph.Kind
}

// used notes where an event or a relation has entities.
func (x *exporter) used(by string, kinds []graph.Kind, ids ...string) {
	for _, id := range ids {
		if id != "" && !fromFeed(x.out.Dataset, by) {
			x.uses = append(x.uses, use{id, kinds})
		}
	}
}

// settleUses finds the entities of a page whose kinds do not fit. Their kinds
// may have been stated later than what has them there was loaded.
func (x *exporter) settleUses() error {
	var ids []string
	for _, u := range x.uses {
		ids = append(ids, u.id)
	}
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), BatchSize) {
		held, err := x.tx.Held(x.ctx, &graph.HeldQuery{Nodes: part})
		if err != nil {
			return err
		}
		for _, u := range x.uses {
			if slices.ContainsFunc(held.Statements[u.id], func(s graph.Statement) bool { return !slices.Contains(u.kinds, s.Content.Kind) }) {
				x.disputed = append(x.disputed, u.id)
			}
		}
	}
	x.uses = x.uses[:0]
	return nil
}

var errExportChanged = fmt.Errorf("the store was changed by a load while it was read; export it again")

// refers notes a reference.
func (x *exporter) refers(s sort, ids ...string) {
	for _, id := range ids {
		if id == "" {
			continue
		}
		if _, own := x.own[graph.HashText(id)]; !own {
			x.outside[id] = s
		}
	}
}

// statement exports what a data set says of a node.
func (x *exporter) statement(s *graph.Statement) error {
	c := s.Content // what is left in it at the end, the format cannot say
	c.Form = ""
	c.Date.Basis = ""
	take := func(texts ...*string) {
		for _, t := range texts {
			*t = ""
		}
	}
	of := &s.Content
	var thing any
	var what sort
	switch of.Form {
	case graph.FormIdentity:
		j, ok := s.Judgement()
		if !ok {
			return fmt.Errorf("the judgement %s of %s cannot be read", s.ID, s.Dataset)
		}
		y := judgementYAML{Reason: j.Reason, Judge: j.Judge}
		if pair := []string{j.A, j.B}; j.Verdict == graph.Same {
			y.Same = pair
		} else {
			y.Different = pair
		}
		x.refers(sortEntity, j.A, j.B)
		x.out.Judgements++
		return x.to.add(sortJudgement, &y)
	case graph.FormSource:
		what, thing = sortSource, &sourceYAML{ID: s.ID, Name: of.Name, Publisher: of.Publisher, URL: of.URL, Published: of.Date.EDTF,
			Description: of.Description, ExternalIDs: externalTexts(of.ExternalIDs), Properties: propertyValues(of.Properties)}
		take(&c.Publisher, &c.URL)
		x.out.Sources++
	case graph.FormEvent:
		y := &eventYAML{ID: s.ID, Name: of.Name, Description: of.Description, Date: of.Date.EDTF, Places: of.Places,
			ExternalIDs: externalTexts(of.ExternalIDs), Properties: propertyValues(of.Properties)}
		if of.Date.EDTF != "" && of.Date.Basis != graph.Stated {
			y.DateBasis = string(of.Date.Basis)
		}
		for _, p := range of.Participants {
			y.Participants = append(y.Participants, participantYAML{Entity: p.Entity, Role: p.Role})
			x.refers(sortEntity, p.Entity)
			x.used(s.ID, participantKinds, p.Entity)
		}
		x.refers(sortEntity, of.Places...)
		x.used(s.ID, placeKinds, of.Places...)
		c.Places, c.Participants = nil, nil
		what, thing = sortEvent, y
		x.out.Events++
	default:
		y := &entityYAML{ID: s.ID, Kind: kindName(of.Kind), Name: of.Name, Aliases: of.Aliases, Description: of.Description,
			ExternalIDs: externalTexts(of.ExternalIDs), Date: of.Date.EDTF, Properties: propertyValues(of.Properties)}
		if of.Point != nil {
			y.Point = &pointYAML{Latitude: of.Point.Latitude, Longitude: of.Point.Longitude}
		}
		c.Kind, c.Aliases, c.Point = "", nil, nil
		what, thing = sortEntity, y
		x.out.Entities++
	}
	take(&c.Name, &c.Description)
	c.ExternalIDs, c.Properties, c.Date = nil, nil, graph.Date{}
	if !reflect.DeepEqual(c, graph.Content{}) {
		return fmt.Errorf("%s is %s with content that data sets have no words for, so that it cannot be exported", s.ID, what.withArticle())
	}
	return x.to.add(what, thing)
}

func externalTexts(ids []graph.ExternalID) (texts []string) {
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return texts
}

func propertyValues(properties []graph.Property) map[string]any {
	if len(properties) == 0 {
		return nil
	}
	values := make(map[string]any, len(properties))
	for _, p := range properties {
		switch held := values[p.Name].(type) {
		case nil:
			values[p.Name] = p.Value
		case string:
			values[p.Name] = []string{held, p.Value}
		case []string:
			values[p.Name] = append(held, p.Value)
		}
	}
	return values
}

func (x *exporter) relation(r *graph.Relation) error {
	y := &relationYAML{ID: r.ID, Type: r.Type, Source: r.Source, Target: r.Target, Date: r.Date.EDTF, ClaimedBy: r.ClaimedBy,
		SourceAs: r.SourceAs, TargetAs: r.TargetAs, AccreditedTo: r.AccreditedTo, About: r.About, Event: r.Event, Places: r.Places,
		Quantity: r.Quantity, Unit: r.Unit, Note: r.Note, CAMEO: r.CAMEO, Goldstein: r.Goldstein, Confidence: r.Confidence}
	if r.Date.EDTF != "" && r.Date.Basis != graph.Stated {
		y.DateBasis = string(r.Date.Basis)
	}
	if r.Status != graph.Reported {
		y.Status = string(r.Status)
	}
	if r.Family != x.vocab.Family(r.Type, r.CAMEO) {
		y.Family = r.Family
	}
	quoted := slices.ContainsFunc(r.Citations, func(c graph.Citation) bool { return c.Quote != "" })
	for _, c := range r.Citations {
		if x.refers(sortSource, c.Source); quoted {
			y.Citations = append(y.Citations, citationYAML{Source: c.Source, Quote: c.Quote})
		} else {
			y.Sources = append(y.Sources, c.Source)
		}
	}
	x.refers(sortEntity, r.Source, r.Target, r.ClaimedBy, r.AccreditedTo)
	x.refers(sortEntity, r.Places...)
	x.refers(sortEvent, r.Event)
	x.refers(sortRelation, r.About...)
	t, ok := x.vocab.Lookup(r.Type)
	if ok {
		x.used(r.ID, t.Sources, r.Source)
		x.used(r.ID, t.Targets, r.Target)
	}
	x.used(r.ID, actorKinds, r.ClaimedBy, r.AccreditedTo)
	x.used(r.ID, placeKinds, r.Places...)
	if !ok || !t.Builtin {
		x.types[r.Type] = true
	}
	x.out.Relations++
	return x.to.add(sortRelation, y)
}

// dispute finds the ids that are stated to be of another kind than the entity
// with which they are united.
func (x *exporter) dispute(ids []string, held *graph.Held) error {
	datasets, err := x.tx.Datasets(x.ctx)
	if err != nil {
		return err
	}
	priority := map[string]int{}
	for _, d := range datasets {
		priority[d.Name] = d.Priority
	}
	nodes, err := x.tx.Nodes(x.ctx, ids, false)
	if err != nil {
		return err
	}
	var canonical []string
	for _, n := range nodes {
		if n.Canonical != n.ID {
			canonical = append(canonical, n.Canonical)
		}
	}
	slices.Sort(canonical)
	united, err := x.tx.Nodes(x.ctx, slices.Compact(canonical), false)
	if err != nil {
		return err
	}
	maps.Copy(united, nodes)
	for _, id := range ids {
		standing := graph.StandingStatements(held.Statements[id])
		n := nodes[id]
		if len(standing) == 0 || n == nil || united[n.Canonical] == nil {
			continue
		}
		kind := graph.Merge(standing, func(dataset string) int { return priority[dataset] }).Kind
		if kind != graph.KindUndecided && kind != united[n.Canonical].Kind {
			x.disputed = append(x.disputed, id)
		}
	}
	return nil
}

// settle finds out what stands behind the references that lead outside. What
// no data set states any longer is exported as it was stated last, but for what
// judgements name, which can be absent.
func (x *exporter) settle(dataset string) error {
	for id := range x.outside {
		if _, own := x.own[graph.HashText(id)]; own {
			delete(x.outside, id)
		}
	}
	needs := map[string]bool{}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(x.outside)), BatchSize) {
		held, err := x.tx.Held(x.ctx, &graph.HeldQuery{Nodes: part, Relations: part})
		if err == nil && x.out.Judgements > 0 {
			err = x.dispute(part, held)
		}
		if err != nil {
			return err
		}
		for _, id := range part {
			if r, ok := held.Relations[id]; ok {
				needs[r.Dataset] = true
				continue
			}
			statements := held.Statements[id]
			standing := graph.StandingStatements(statements)
			switch {
			case len(standing) > 0:
				for _, s := range standing[:1] {
					needs[s.Dataset] = true
				}
			case x.out.Judgements > 0:
				x.absent = append(x.absent, id)
			case len(statements) > 0:
				last := slices.MaxFunc(statements, func(a, b graph.Statement) int {
					return int(min(max(a.SupersededAt-b.SupersededAt, -1), 1))
				})
				x.note("%s, which %s refers to, is stated by no data set any longer: it is exported as %s stated it last", id, dataset, last.Dataset)
				if err := x.statement(&last); err != nil {
					return err
				}
			case x.outside[id] == sortRelation:
				x.note("the relation %s, which others of %s are about, is withdrawn: to load the export, take it out of them", id, dataset)
			default:
				return errExportChanged
			}
		}
	}
	x.out.Needs = slices.Sorted(maps.Keys(needs))
	return x.settleUses() // of what was stated last
}

// exportLines are the things of each sort, each sort in a file of its own
// until all are there.
type exportLines struct{ parts []*exportPart }

type exportPart struct {
	sort sort
	key  string
	file *temporary.File
	w    *bufio.Writer
}

func newExportLines() (*exportLines, error) {
	l := &exportLines{}
	for _, k := range lineKinds {
		l.parts = append(l.parts, &exportPart{sort: k.sort, key: k.key})
	}
	l.parts = append(l.parts, &exportPart{sort: sortJudgement, key: judgementLine})
	for _, p := range l.parts {
		file, err := temporary.New()
		if err != nil {
			l.remove()
			return nil, err
		}
		p.file, p.w = file, bufio.NewWriterSize(file, 128<<10)
	}
	return l, nil
}

func (l *exportLines) remove() {
	for _, p := range l.parts {
		if p.file != nil {
			_ = p.file.Remove()
		}
	}
}

func (l *exportLines) add(s sort, thing any) error {
	for _, p := range l.parts {
		if p.sort == s {
			return writeLine(p.w, map[string]any{p.key: thing})
		}
	}
	return fmt.Errorf("there are no lines of %s", s)
}

// writeLine writes a value as one line of JSON.
func writeLine(w io.Writer, v any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(visible(text.Bytes()))
	return err
}

// visible writes the controls from U+007F to U+009F, which may stand in texts of
// JSON, as escapes, so that no file has them in it.
func visible(text []byte) []byte {
	hidden := func(r rune) bool { return r >= 0x7f && r < 0xa0 }
	if !bytes.ContainsFunc(text, hidden) {
		return text
	}
	out := make([]byte, 0, len(text)+16)
	for _, r := range string(text) {
		if hidden(r) {
			out = fmt.Appendf(out, "\\u%04x", r)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

func (l *exportLines) write(w io.Writer, head *exportHead) error {
	if err := writeLine(w, head); err != nil {
		return err
	}
	for _, p := range l.parts {
		if err := p.w.Flush(); err != nil {
			return err
		}
		if _, err := p.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(w, p.file); err != nil {
			return err
		}
	}
	return nil
}

// exportTree is a data set that is written as one document, in which its
// things have short names.
type exportTree struct {
	file    datasetFile
	form    ExportForm
	dataset string
	left    int64 // bytes

	sources    []*sourceYAML
	entities   []*entityYAML
	events     []*eventYAML
	judgements []*judgementYAML
	names      map[string]string // short names by id
	taken      map[string]bool   // short names
}

func (t *exportTree) add(s sort, thing any) error {
	text, err := json.Marshal(thing)
	if err != nil {
		return err
	}
	if t.left -= int64(len(text)); t.left < 0 {
		return fmt.Errorf("the data set %s is too large to be read as %s, which is held in memory as a whole; export it as %s", t.dataset, t.form, JSONLines)
	}
	switch v := thing.(type) {
	case *sourceYAML:
		t.sources = append(t.sources, v)
	case *entityYAML:
		t.entities = append(t.entities, v)
	case *eventYAML:
		t.events = append(t.events, v)
	case *judgementYAML:
		t.judgements = append(t.judgements, v)
	case *relationYAML:
		t.file.Relations = append(t.file.Relations, *v)
	}
	return nil
}

// name gives a thing a short name, made from its id.
func (t *exportTree) name(id string) string {
	base := id[strings.LastIndexByte(id, '/')+1:]
	if r := []rune(base); len(r) > maxHandle-10 {
		base = string(r[:maxHandle-10])
	}
	if !handleForm.MatchString(base) || base == unattributedHandle {
		base = "x"
	}
	name := base
	for n := 2; t.taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	t.taken[name], t.names[id] = true, name
	return name
}

// short replaces ids by short names.
func (t *exportTree) short(ids ...*string) {
	for _, id := range ids {
		if name, ok := t.names[*id]; ok {
			*id = name
		}
	}
}

func (t *exportTree) shortAll(ids []string) []string {
	out := slices.Clone(ids)
	for i := range out {
		t.short(&out[i])
	}
	return out
}

// without leaves an id out where a reader makes the same.
func without(id *string, made string) {
	if *id == made {
		*id = ""
	}
}

func (t *exportTree) write(w io.Writer, head *exportHead) error {
	if len(t.judgements) > 0 {
		return t.marshal(w, &struct {
			Dataset    string           `json:"dataset"`
			Title      string           `json:"title,omitempty"`
			Identities []*judgementYAML `json:"identities"`
			Absent     []string         `json:"absent,omitempty"`
			Disputed   []string         `json:"disputed,omitempty"`
		}{head.Dataset, head.Title, t.judgements, head.Absent, head.Disputed})
	}
	f := &t.file
	f.Dataset, f.Title, f.Priority, f.Recorded, f.Disputed = head.Dataset, head.Title, head.Priority, head.Recorded, head.Disputed
	t.names, t.taken = map[string]string{}, map[string]bool{}
	for i := range f.Relations { // a text that is no short name must not become one
		r := &f.Relations[i]
		for _, id := range slices.Concat([]string{r.Source, r.Target, r.ClaimedBy, r.AccreditedTo, r.Event}, r.About, r.Places, r.Sources) {
			t.taken[id] = true
		}
	}
	f.Sources, f.Entities, f.Events = map[string]sourceYAML{}, map[string]entityYAML{}, map[string]eventYAML{}
	for _, s := range t.sources {
		name := t.name(s.ID)
		without(&s.ID, t.dataset+"/"+name)
		f.Sources[name] = *s
	}
	for _, e := range t.entities {
		name := t.name(e.ID)
		if words := graph.Words(e.Name); len(words) > 0 {
			without(&e.ID, shorten(strings.ToLower(e.Kind)+"/"+strings.Join(words, "-")))
		}
		f.Entities[name] = *e
	}
	for _, e := range t.events {
		name := t.name(e.ID)
		without(&e.ID, t.dataset+"/"+name)
		f.Events[name] = *e
	}
	for i := range f.Relations {
		r := &f.Relations[i]
		if rest, ours := strings.CutPrefix(r.ID, t.dataset+"/"); ours && handleForm.MatchString(rest) && len(rest) <= maxHandle && rest != unattributedHandle && !t.taken[rest] {
			t.taken[rest], t.names[r.ID] = true, rest
			r.ID = rest
		}
	}
	for name, e := range f.Events {
		for i := range e.Participants {
			t.short(&e.Participants[i].Entity)
		}
		e.Places = t.shortAll(e.Places)
		f.Events[name] = e
	}
	for i := range f.Relations {
		r := &f.Relations[i]
		t.short(&r.Source, &r.Target, &r.ClaimedBy, &r.AccreditedTo, &r.Event)
		r.About, r.Places, r.Sources = t.shortAll(r.About), t.shortAll(r.Places), t.shortAll(r.Sources)
		for k := range r.Citations {
			t.short(&r.Citations[k].Source)
		}
	}
	return t.marshal(w, f)
}

// marshal writes a document as JSON, or as the YAML of the same.
func (t *exportTree) marshal(w io.Writer, v any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	if t.form == JSON {
		_, err := w.Write(visible(text.Bytes()))
		return err
	}
	return writeYAML(w, text.Bytes())
}
