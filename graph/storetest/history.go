package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"chancery/graph"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Environment variables that repeat a failure, or look for more.
const (
	envSeed      = "CHANCERY_SEED"      // the seed of the first history
	envHistories = "CHANCERY_HISTORIES" // how many histories
)

func fromEnvironment(name string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return otherwise
}

// runHistories loads random editions of several data sets into the store and
// the oracle, one history after the other into the same two, and compares all
// that they hold and answer after every load.
func runHistories(t T, store graph.Store) {
	seed := fromEnvironment(envSeed, uint64(time.Now().UnixNano()))
	n := fromEnvironment(envHistories, 2)
	oracle := NewOracle()
	for i := range n {
		h := &history{t: t, store: store, oracle: oracle, r: rand.New(rand.NewPCG(seed+i, 1)), seed: seed + i, name: fmt.Sprintf("h%d", i),
			clock: newClock(), last: map[string]*pieces{}}
		h.clock.at = h.clock.at.Add(time.Duration(i) * time.Hour)
		h.run(8)
	}
}

// history is one random course of loads.
type history struct {
	t      T
	store  graph.Store
	oracle graph.Store
	r      *rand.Rand
	seed   uint64
	name   string
	clock  *clock
	step   int
	input  byte
	last   map[string]*pieces // what each data set's newest edition holds
	// asked are the questions, the same after every load: Neo4j takes long to
	// plan a question that it sees for the first time.
	asked []*graph.RelationQuery
	// mixed says that some nodes may have been merged by a priority that was
	// then given up: see checkMerged.
	mixed bool
	// keys are the ids of relations that are made of keys.
	keys []string
	// forgotten are ids that were forgotten.
	forgotten []string
}

// pieces are what an edition holds.
type pieces struct {
	edition    graph.Edition
	statements []graph.Statement
	relations  []*graph.Relation
}

func (h *history) run(loads int) {
	h.t.Logf("seed %d", h.seed)
	for h.step = range loads {
		p := h.next()
		if h.r.IntN(4) == 0 {
			h.interrupt(p)
			switch h.r.IntN(3) {
			case 0: // never finished; a later edition of the data set follows
			case 1:
				h.load(p)
			default:
				h.load(h.after(p))
			}
		} else {
			h.load(p)
		}
		if h.r.IntN(4) == 0 {
			h.load(p) // again: nothing may change
		}
		h.compare()
		if h.r.IntN(4) == 0 {
			h.forget()
		}
		if h.r.IntN(6) == 0 {
			h.lift()
		}
	}
}

// next is an edition of some data set.
func (h *history) next() *pieces {
	if h.r.IntN(4) == 0 {
		return h.judge()
	}
	return h.edit([]string{"a", "b", "c"}[h.r.IntN(3)])
}

// after is another edition of the same data set.
func (h *history) after(p *pieces) *pieces {
	if short := p.edition.Dataset[len(h.name)+1:]; short != "j" {
		return h.edit(short)
	}
	return h.judge()
}

func (h *history) fail(format string, args ...any) {
	h.t.Helper()
	h.t.Fatalf("history with "+envSeed+"=%d, load %d: %s", h.seed, h.step, fmt.Sprintf(format, args...))
}

// load records an edition in both stores at the same moment.
func (h *history) load(p *pieces) *graph.Report {
	var reports []*graph.Report
	at := h.clock.now()
	for _, s := range []graph.Store{h.store, h.oracle} {
		report, err := record(h.t, s, p.edition, func() time.Time { return at }, 7, p.statements, p.relations)
		if err != nil {
			h.fail("%v", err)
		}
		reports = append(reports, report)
	}
	if diff := cmp.Diff(reports[1], reports[0]); diff != "" {
		h.fail("reports differ (-oracle +store)\n%s", diff)
	}
	return reports[1]
}

var errStopped = errors.New("stopped")

// stopping is a store that fails after some batches.
type stopping struct {
	graph.Store
	left int
}

func (s *stopping) Apply(ctx context.Context, b *graph.Batch) error {
	if s.left--; s.left < 0 {
		return errStopped
	}
	return s.Store.Apply(ctx, b)
}

func (h *history) interrupt(p *pieces) {
	if d := (oracleReader{h.oracle.(*Oracle).now()}).datasets[p.edition.Dataset]; d.Priority != p.edition.Priority {
		h.mixed = true
	}
	at, batches := h.clock.now(), h.r.IntN(5)
	for _, s := range []graph.Store{h.store, h.oracle} {
		_, err := record(h.t, &stopping{s, batches}, p.edition, func() time.Time { return at }, 7, p.statements, p.relations)
		if err != nil && !errors.Is(err, errStopped) {
			h.fail("%v", err)
		}
	}
}

var (
	oddNames = []string{"Ann", "ann", "Élan Vital", "O'Neil \"x\" \\", "Jérôme  d’Arc", "𝄞 Clef", "Ａ wide", "ß Straße", "Æthel", "İstanbul"}
	oddDates = []string{"", "2020-03-10", "2020-03", "2020", "2020-03-05/2020-03-20", "2020-01-01/..", "2020-01-01/", "/2020-03-10",
		"../2020-02", "2020-03-10~", "2020-03?", "2020-02-28/2020-03%", "0001-01-01", "9999-12-31", "/.."}
	kinds = []graph.Kind{graph.KindPerson, graph.KindState, graph.KindOrganization, graph.KindUndecided}
	types = []string{"MET_WITH", "CONDEMNED", "STRUCK", "PRAISED", "LEADS", "ENVOY_OF", "MEMBER_OF", "CONSULTED"}
)

func pick[T any](h *history, from []T) T { return from[h.r.IntN(len(from))] }

func (h *history) some(n int, make func(int) string) (out []string) {
	for i := range n {
		if h.r.IntN(3) == 0 {
			out = append(out, make(i))
		}
	}
	return out
}

func (h *history) entityID(i int) string { return fmt.Sprintf("%s/p%d %s", h.name, i, oddNames[i]) }
func (h *history) eventID(i int) string  { return fmt.Sprintf("%s/e%d", h.name, i) }
func (h *history) sourceID(i int) string { return fmt.Sprintf("%s/q:%d", h.name, i) }

// edit makes the next edition of a data set: some of what the last one held as
// it was, some of it changed, some left out, and some new.
func (h *history) edit(short string) *pieces {
	name := h.name + "-" + short
	h.input++
	p := &pieces{edition: graph.Edition{Dataset: name, Title: pick(h, oddNames), Whole: h.r.IntN(4) > 0,
		Keyed: short == keyed, Input: graph.Hash{h.input, byte(h.seed)}}}
	former := h.last[name]
	if former != nil {
		p.edition.Priority = former.edition.Priority
	}
	if h.r.IntN(3) == 0 {
		p.edition.Priority = h.r.IntN(3)
	}
	kept := map[string]bool{}
	if former != nil {
		for _, s := range former.statements {
			// Nodes stay, so that relations that stand elsewhere keep their ends
			// in view; now and then one goes all the same.
			if h.r.IntN(8) > 0 {
				if h.r.IntN(3) == 0 {
					s.Content = h.content(s.Content.Form)
				}
				p.statements = append(p.statements, s)
				kept[s.ID] = true
			}
		}
	}
	for i := range 6 {
		h.add(p, kept, h.entityID(h.r.IntN(len(oddNames))), graph.FormEntity)
		if i < 2 {
			h.add(p, kept, h.eventID(i), graph.FormEvent)
			h.add(p, kept, h.sourceID(i), graph.FormSource)
		}
		if short == keyed {
			h.add(p, kept, fmt.Sprintf("%s/record/e%d", name, h.r.IntN(keyedEvents)), graph.FormEvent)
		}
	}
	// Events name entities, which must have been recorded before.
	slices.SortStableFunc(p.statements, func(a, b graph.Statement) int {
		order := map[graph.Form]int{graph.FormEntity: 0, graph.FormSource: 1, graph.FormEvent: 2}
		return order[a.Content.Form] - order[b.Content.Form]
	})
	var entities []string
	for _, s := range p.statements {
		if s.Content.Form == graph.FormEntity {
			entities = append(entities, s.ID)
		}
	}
	for i := range p.statements {
		c := &p.statements[i].Content
		if c.Form == graph.FormEvent {
			c.Participants, c.Places = nil, nil
			for _, e := range entities[:min(2, len(entities))] {
				c.Participants = append(c.Participants, graph.Participant{Entity: e, Role: pick(h, oddNames)})
				c.Places = append(c.Places, e)
			}
		}
	}
	standing := map[string]bool{}
	if former != nil {
		for _, r := range former.relations {
			if !slices.Contains(entities, r.Source) || !slices.Contains(entities, r.Target) || h.r.IntN(5) == 0 {
				continue
			}
			if h.r.IntN(2) == 0 {
				r = h.another(r, entities, strings.HasPrefix(r.ID, name+"/record/"))
			}
			p.relations = append(p.relations, r)
			standing[r.ID] = true
		}
	}
	if short == keyed {
		for range 8 {
			// The key is the type with the ends.
			r := h.relation("", entities)
			r.ID = fmt.Sprintf("%s/record/%x", name, sha256.Sum256([]byte(r.Type+r.Source+r.Target)))[:len(name)+20]
			if !standing[r.ID] {
				p.relations = append(p.relations, r)
				standing[r.ID] = true
				if !slices.Contains(h.keys, r.ID) {
					h.keys = append(h.keys, r.ID)
				}
			}
		}
	}
	for range 8 {
		if id := fmt.Sprintf("%s/%s/r%d", h.name, short, h.r.IntN(15)); !standing[id] {
			p.relations = append(p.relations, h.relation(id, entities))
			standing[id] = true
		}
	}
	h.last[name] = p
	return p
}

// keyed is the data set of which some ids are made of keys; see [graph.Edition].
const (
	keyed       = "c"
	keyedEvents = 20
)

// another relation has the same id, and the same key if it is made of one.
func (h *history) another(was *graph.Relation, entities []string, byKey bool) *graph.Relation {
	for {
		r := h.relation(was.ID, entities)
		if !byKey {
			return r
		}
		if r.Type == was.Type {
			r.Source, r.Target = was.Source, was.Target
			return r
		}
	}
}

func (h *history) add(p *pieces, kept map[string]bool, id string, form graph.Form) {
	if !kept[id] {
		kept[id] = true
		p.statements = append(p.statements, graph.Statement{ID: id, Content: h.content(form)})
	}
}

func (h *history) date(nature graph.Nature) graph.Date {
	d, err := graph.ResolveDate(pick(h, oddDates), nature, pick(h, []graph.DateBasis{graph.Stated, graph.Inferred}), 0, false)
	if err != nil {
		h.fail("%v", err)
	}
	return d
}

func (h *history) content(form graph.Form) graph.Content {
	c := graph.Content{Form: form, Name: pick(h, oddNames), Date: h.date(form.DateNature())}
	if h.r.IntN(2) == 0 {
		c.Description = pick(h, oddNames)
		c.ExternalIDs = []graph.ExternalID{{Scheme: "x", Value: pick(h, oddNames)}, {Scheme: "a", Value: "1"}}
		c.Properties = []graph.Property{{Name: "b", Value: pick(h, oddNames)}, {Name: "a", Value: "1"}, {Name: "b", Value: "2"}, {Name: "weird `key`", Value: ""}}
	}
	switch form {
	case graph.FormEntity:
		c.Kind = pick(h, kinds)
		c.Aliases = h.some(4, func(i int) string { return oddNames[i] })
		if h.r.IntN(3) == 0 {
			c.Point = &graph.Point{Latitude: float64(h.r.IntN(180)) - 89.5, Longitude: 12.25}
		}
	case graph.FormSource:
		c.URL, c.Publisher = "https://example.org/?a=b&c", pick(h, oddNames)
	}
	return c
}

func (h *history) relation(id string, entities []string) *graph.Relation {
	r := &graph.Relation{ID: id, Type: pick(h, types), Source: pick(h, entities), Target: pick(h, entities), Status: pick(h, graph.Statuses[:])}
	nature := graph.Act
	if t, ok := vocabularyOf(h.t, h.oracle).Lookup(r.Type); ok {
		nature = t.Nature
	}
	r.Date = h.date(nature)
	r.About = h.some(5, func(i int) string { return fmt.Sprintf("%s/%s/r%d", h.name, []string{"a", "b", "c"}[i%3], i) })
	r.Places = h.some(3, func(i int) string { return h.entityID(i) })
	if h.r.IntN(2) == 0 {
		r.Event = h.eventID(h.r.IntN(2))
		r.ClaimedBy = pick(h, entities)
		q, c := float64(h.r.IntN(100)), float64(h.r.IntN(5))/4
		r.Quantity, r.Confidence, r.Unit = &q, &c, "drones"
		r.Note, r.SourceAs, r.TargetAs = pick(h, oddNames), pick(h, oddNames), pick(h, oddNames)
		r.CAMEO = pick(h, []string{"040", "0441", "19", "195", "1951"})
		r.Citations = []graph.Citation{{Source: h.sourceID(0), Quote: pick(h, oddNames)}, {Source: h.sourceID(1)}}
	}
	if r.Type == "ENVOY_OF" {
		r.AccreditedTo = pick(h, entities)
	}
	return r
}

// dump is all that a store holds of a history.
type dump struct {
	Datasets   []graph.Dataset
	Statements map[string][]graph.Statement
	Versions   map[string][]*graph.Relation
	Standing   map[string]graph.Entry
	Beginning  map[string]map[string]graph.Entry // by what the ids begin with
	Entries    map[string][]graph.Entry
	Every      map[graph.Every][]string
	Nodes      map[string]*graph.Node
	Lean       map[string]*graph.Node
	Pages      map[string][]graph.RelationPage
	Entities   map[string]graph.EntityPage
	Found      map[string][]string
	Journal    graph.Journal
	Changes    []string
	Tombstones graph.Tombstones
}

// ids of all that the history may have.
func (h *history) all() (nodes, relations []string) {
	for i := range oddNames {
		nodes = append(nodes, h.entityID(i))
	}
	for i := range 2 {
		nodes = append(nodes, h.eventID(i), h.sourceID(i))
	}
	for i := range keyedEvents {
		nodes = append(nodes, fmt.Sprintf("%s-%s/record/e%d", h.name, keyed, i))
	}
	relations = append(relations, h.keys...)
	for _, d := range []string{"a", "b", "c"} {
		for i := range 15 {
			relations = append(relations, fmt.Sprintf("%s/%s/r%d", h.name, d, i))
		}
	}
	return append(nodes, "no/such"), append(relations, "no/such")
}

// queries are questions drawn from what the history holds.
func (h *history) queries() (out []*graph.RelationQuery) {
	nodes, relations := h.all()
	few := func(from []string) []string {
		switch h.r.IntN(8) {
		case 0:
			return []string{}
		case 1, 2:
			list := h.some(len(from), func(i int) string { return from[i] })
			slices.Sort(list)
			return list
		}
		return nil
	}
	days := []graph.Day{0, day("2019-12-31"), day("2020-01-01"), day("2020-02-29"), day("2020-03-10"), day("2020-03-31"), day("2021-01-01"), graph.MaxDay}
	for range 24 {
		q := &graph.RelationQuery{Order: pick(h, []graph.Order{graph.NewestFirst, graph.OldestFirst}), Limit: h.r.IntN(6),
			Backward: h.r.IntN(2) == 0, Count: h.r.IntN(2) == 0, Detail: h.r.IntN(2) == 0}
		f := &q.Filter
		switch q.Anchor = pick(h, []graph.Anchor{graph.AnchorNone, graph.AnchorEntity, graph.AnchorEntity, graph.AnchorEvent, graph.AnchorAbout}); q.Anchor {
		case graph.AnchorNone: // several histories share the stores
			f.Dataset = []string{h.name + "-a", h.name + "-b", h.name + "-c"}
		case graph.AnchorEntity, graph.AnchorEvent:
			q.IDs = nodes
		default:
			q.IDs = relations
		}
		f.Types, f.With, f.Source, f.Target = few(types), few(nodes), few(nodes), few(nodes)
		f.About, f.ClaimedBy, f.Place = few(relations), few(nodes), few(nodes)
		if h.r.IntN(4) == 0 {
			f.Types, f.With, f.Source, f.Target, f.About, f.ClaimedBy, f.Place = nil, nil, nil, nil, nil, nil, nil
		}
		f.Direction = pick(h, []graph.Direction{"", graph.Any, graph.Out, graph.In})
		f.Certainty = pick(h, []graph.Certainty{"", graph.Possible, graph.Certain})
		switch h.r.IntN(10) {
		case 0:
			f.WithKinds = []graph.Kind{pick(h, kinds)}
		case 1:
			f.Status = []graph.Status{pick(h, graph.Statuses[:]), graph.Reported}
		case 2:
			f.DateBasis = []graph.DateBasis{graph.Inferred}
		case 3:
			f.CAMEO = []string{"04", "195"}
		case 4:
			f.Families = []string{"CONSULT", "ASSAULT"}
		case 5:
			c := 0.5
			f.MinConfidence = &c
		case 6:
			nature := pick(h, []graph.Nature{graph.Act, graph.Standing})
			f.Nature = &nature
		case 7:
			e := h.eventID(0)
			f.Event = &e
		case 8:
			f.AccreditedTo = nodes[:5]
		}
		if h.r.IntN(3) == 0 {
			d := pick(h, days)
			q.AsOf = &d
		}
		if h.r.IntN(3) == 0 {
			w := graph.Window{From: pick(h, days), To: pick(h, days)}
			if w.From > w.To {
				w.From, w.To = w.To, w.From
			}
			f.During = &w
		}
		if h.r.IntN(3) == 0 {
			q.After = &graph.Key{SortDay: pick(h, days), ID: pick(h, relations)}
		}
		if h.r.IntN(3) == 0 {
			q.Before = &graph.Key{SortDay: pick(h, days), ID: pick(h, relations)}
		}
		out = append(out, q)
	}
	return out
}

func (h *history) dump(s graph.Store, queries []*graph.RelationQuery) (d dump) {
	ctx := h.t.Context()
	nodes, relations := h.all()
	err := s.Read(ctx, func(tx graph.Reader) (err error) {
		if d.Datasets, err = tx.Datasets(ctx); err != nil {
			return err
		}
		held, err := tx.Held(ctx, &graph.HeldQuery{Nodes: nodes, Relations: relations, History: true})
		if err != nil {
			return err
		}
		d.Statements, d.Versions, d.Standing = held.Statements, held.Versions, held.Relations
		if held, err = tx.Held(ctx, &graph.HeldQuery{Nodes: nodes, Tombstones: &graph.TombstoneQuery{All: true}}); err != nil {
			return err
		}
		d.Tombstones = held.Tombstones
		for id, s := range held.Statements {
			d.Statements["newest "+id] = s
		}
		d.Beginning = map[string]map[string]graph.Entry{}
		for i := 0; i+1 < len(relations); i += 7 { // of one id all but its last character, and the whole of another
			_, last := utf8.DecodeLastRuneInString(relations[i])
			beginnings := []string{relations[i][:len(relations[i])-last], relations[i+1]}
			if held, err = tx.Held(ctx, &graph.HeldQuery{Beginnings: beginnings}); err != nil {
				return err
			}
			d.Beginning[strings.Join(beginnings, " ")] = held.Relations
		}
		d.Entries = map[string][]graph.Entry{}
		for _, name := range []string{"a", "b", "c", "j"} {
			after := ""
			for {
				held, err := tx.Held(ctx, &graph.HeldQuery{Dataset: h.name + "-" + name, After: after, Limit: 4})
				if err != nil {
					return err
				}
				if len(held.Entries) == 0 {
					break
				}
				d.Entries[name] = append(d.Entries[name], held.Entries...)
				after = held.Entries[len(held.Entries)-1].ID
			}
		}
		d.Every = map[graph.Every][]string{}
		for _, what := range []graph.Every{graph.EveryStatement, graph.EveryRelation} {
			after, end := h.name+"/", h.name+"0" // the ids of this history
			for after < end {
				held, err := tx.Held(ctx, &graph.HeldQuery{Every: what, After: after, Limit: 12})
				if err != nil {
					return err
				}
				if len(held.IDs) == 0 {
					break
				}
				d.Every[what] = append(d.Every[what], held.IDs...)
				after = held.IDs[len(held.IDs)-1]
			}
		}
		if d.Nodes, err = tx.Nodes(ctx, nodes, true); err != nil {
			return err
		}
		if d.Lean, err = tx.Nodes(ctx, nodes, false); err != nil {
			return err
		}
		d.Pages = map[string][]graph.RelationPage{}
		byID := &graph.RelationQuery{Anchor: graph.AnchorID, IDs: relations, Limit: 1, Detail: true}
		for i, q := range append(queries, byID) {
			pages, err := tx.Relations(ctx, q)
			if err != nil {
				return fmt.Errorf("%+v: %w", *q, err)
			}
			if q == byID {
				slices.SortFunc(pages, func(a, b graph.RelationPage) int { return slices.Compare([]string{a.Anchor}, []string{b.Anchor}) })
			}
			d.Pages[fmt.Sprintf("question %d: %s", i, describe(q))] = pages
		}
		d.Entities = map[string]graph.EntityPage{}
		asOf := day("2020-03-10")
		for i, q := range []*graph.EntityQuery{
			{Order: graph.ByName, Limit: 100, Detail: true, Count: true},
			{Order: graph.ByID, Limit: 3, Backward: true, Before: &graph.EntityKey{ID: nodes[4]}},
			{Order: graph.ByName, Limit: 4, After: &graph.EntityKey{Name: "elan vital", ID: ""}},
			{Order: graph.ByName, Limit: 100, AsOf: &asOf, Filter: graph.EntityFilter{Office: []string{"LEADS", "ENVOY_OF"}}},
			{Order: graph.ByName, Limit: 100, Filter: graph.EntityFilter{ExternalID: &graph.ExternalID{Scheme: "x", Value: oddNames[3]}}},
			{Order: graph.ByName, Limit: 100, Filter: graph.EntityFilter{Kinds: []graph.Kind{graph.KindPerson}, Dataset: []string{h.name + "-a"}}},
		} {
			page, err := tx.Entities(ctx, q)
			if err != nil {
				return err
			}
			d.Entities[fmt.Sprint(i)] = page
		}
		if held, err = tx.Held(ctx, &graph.HeldQuery{Journal: &graph.JournalQuery{After: 2, Limit: 3}}); err != nil {
			return err
		}
		d.Journal = held.Journal
		if d.Changes, err = changes(ctx, tx); err != nil {
			return err
		}
		d.Found = map[string][]string{}
		for _, text := range append(slices.Clone(oddNames), "strase", "clfe", "el", "jerome arc", "onell") {
			step := &graph.Step{Op: graph.OpSearch, Search: &graph.Search{Text: text, Limit: 50}}
			a, err := graph.Run(ctx, tx, &graph.Plan{Roots: []*graph.Step{step}})
			if err != nil {
				return err
			}
			for _, hit := range a.Rows(step).Hits {
				d.Found[text] = append(d.Found[text], fmt.Sprint(hit.Node.ID, " ", hit.Match, " ", hit.Matched))
			}
		}
		return nil
	})
	if err != nil {
		h.fail("%v", err)
	}
	return d
}

// changes follows the journal from its beginning to its end.
func changes(ctx context.Context, tx graph.Reader) ([]string, error) {
	return changesFrom(ctx, tx, graph.Position{})
}

func changesFrom(ctx context.Context, tx graph.Reader, at graph.Position) ([]string, error) {
	var all []string
	for {
		some, next, err := graph.Changes(ctx, tx, at)
		if err != nil || next == at {
			return all, err
		}
		for _, c := range some {
			r := c.Relation
			all = append(all, fmt.Sprintf("%s at %s in %v: %s %s, recorded %s, superseded %s", c.Kind, c.At, c.Position, r.ID, r.Hash, r.RecordedAt, r.SupersededAt))
		}
		at = next
	}
}

// match holds the filter of package graph against the oracle's own.
func (h *history) match() {
	tx := oracleReader{h.oracle.(*Oracle).now()}
	kind := func(id string) graph.Kind { return tx.nodes[id].Kind }
	for _, q := range h.asked {
		q := *q
		q.Filter.Direction = ""
		for i := range tx.relations {
			v := &tx.relations[i]
			if got, want := q.Filter.Matches(&v.Relation, tx.vocabulary, kind), tx.matches(v, &q.Filter, nil, ""); got != want {
				h.fail("%+v matches %s: %t, and %t by the oracle", v.Relation, describe(&q), got, want)
			}
		}
	}
}

func describe(q *graph.RelationQuery) string {
	f := q.Filter
	s := fmt.Sprintf("%+v", f)
	if f.Nature != nil {
		s += " nature " + string(*f.Nature)
	}
	if f.During != nil {
		s += fmt.Sprintf(" during %s to %s", f.During.From, f.During.To)
	}
	if q.AsOf != nil {
		s += " as of " + q.AsOf.String()
	}
	return fmt.Sprintf("%s %s limit %d backward %v after %v before %v: %s", q.Anchor, q.Order, q.Limit, q.Backward, q.After, q.Before, s)
}

// compare holds all that the store has against the oracle.
func (h *history) compare() {
	if h.asked == nil {
		h.asked = h.queries()
	}
	got, want := h.dump(h.store, h.asked), h.dump(h.oracle, h.asked)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		if len(diff) > 6000 {
			diff = diff[:6000] + "…"
		}
		h.fail("the store differs from the oracle (-oracle +store)\n%s", diff)
	}
	h.match()
	h.compareUnited()
	h.checkMerged()
}

// runLeases goes through the life of a lease.
func runLeases(t T, store graph.Store) {
	ask := func(req graph.LeaseRequest) graph.Lease {
		t.Helper()
		l, err := store.Lease(t.Context(), req)
		must(t, err)
		return l
	}
	expect := func(what string, l graph.Lease, token string) {
		t.Helper()
		if l.Token != token {
			t.Errorf("%s: the lease is held by %q, want %q", what, l.Token, token)
		}
	}
	expect("first", ask(graph.LeaseRequest{Holder: "one", Token: "1", Now: 10, Until: 20}), "1")
	refused := ask(graph.LeaseRequest{Holder: "two", Token: "2", Now: 15, Until: 30})
	expect("refused", refused, "1")
	if refused.Holder != "one" || refused.Until != 20 {
		t.Errorf("a refusal shows %+v", refused)
	}
	expect("renewed", ask(graph.LeaseRequest{Holder: "one", Token: "1", Now: 19, Until: 40}), "1")
	expect("still held", ask(graph.LeaseRequest{Holder: "two", Token: "2", Now: 30, Until: 50}), "1")
	expect("replaced", ask(graph.LeaseRequest{Holder: "two", Token: "2", Replace: "1", Now: 30, Until: 50}), "2")
	if err := store.Apply(t.Context(), &graph.Batch{Lease: "1", At: 100}); !errors.Is(err, graph.ErrLeaseLost) {
		t.Errorf("writing with a lost lease: %v", err)
	}
	expect("a release by another", ask(graph.LeaseRequest{Token: "1", Release: true, Now: 31}), "2")
	expect("run out", ask(graph.LeaseRequest{Holder: "three", Token: "3", Now: 50, Until: 60}), "3")
	must(t, store.Apply(t.Context(), &graph.Batch{Lease: "3", At: 100, Dataset: &graph.Dataset{Name: "d", RecordedAt: 100}}))
	released := ask(graph.LeaseRequest{Token: "3", Release: true, Now: 55})
	expect("released", released, "")
	if released.LastRecorded != 100 {
		t.Errorf("last recorded at %d, want 100", released.LastRecorded)
	}
	if err := store.Apply(t.Context(), &graph.Batch{Lease: "", At: 200}); !errors.Is(err, graph.ErrLeaseLost) {
		t.Errorf("writing without a lease: %v", err)
	}
}

// runBatches: a batch is written whole or not at all, and a read sees one
// moment.
func runBatches(t T, store graph.Store) {
	_, err := store.Lease(t.Context(), graph.LeaseRequest{Token: "1", Now: 1, Until: 1 << 50})
	must(t, err)
	person := func(id string) *graph.Node {
		return &graph.Node{ID: id, Canonical: id, Datasets: []string{"d"}, Content: graph.Content{Form: graph.FormEntity, Kind: graph.KindPerson, Name: id, Date: date("", graph.Standing, "")}}
	}
	met := func(id, source, target string) graph.RelationWrite {
		return graph.RelationWrite{Relation: &graph.Relation{ID: id, Type: "MET_WITH", Source: source, Target: target, Status: graph.Reported,
			Date: date("2020-01-01", graph.Act, ""), Dataset: "d", RecordedAt: 10}, Symmetric: true, Nature: graph.Act, Caption: "met with"}
	}
	count := func(tx graph.Reader) int {
		pages, err := tx.Relations(t.Context(), &graph.RelationQuery{Anchor: graph.AnchorNone, Count: true})
		must(t, err)
		return pages[0].Count
	}
	bad := &graph.Batch{Lease: "1", At: 10, Nodes: []*graph.Node{person("a")}, Relations: []graph.RelationWrite{met("r1", "a", "a"), met("r2", "a", "nobody")},
		Dataset: &graph.Dataset{Name: "d", RecordedAt: 10}}
	if err := store.Apply(t.Context(), bad); err == nil {
		t.Errorf("a relation without an end was written")
	}
	must(t, store.Read(t.Context(), func(tx graph.Reader) error {
		nodes, err := tx.Nodes(t.Context(), []string{"a"}, true)
		datasets, _ := tx.Datasets(t.Context())
		if n := count(tx); len(nodes)+n+len(datasets) != 0 {
			t.Errorf("of a batch that failed, %d nodes, %d relations and %d data sets were written", len(nodes), n, len(datasets))
		}
		return err
	}))
	must(t, store.Apply(t.Context(), &graph.Batch{Lease: "1", At: 10, Nodes: []*graph.Node{person("a"), person("b")}, Relations: []graph.RelationWrite{met("r1", "a", "b")}}))
	must(t, store.Read(t.Context(), func(tx graph.Reader) error {
		if n := count(tx); n != 1 {
			t.Errorf("%d relations, want 1", n)
		}
		return nil
	}))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := store.Read(cancelled, func(tx graph.Reader) error { _, err := tx.Datasets(cancelled); return err }); !errors.Is(err, context.Canceled) {
		t.Errorf("reading with a context that has ended: %v", err)
	}
	if err := store.Apply(cancelled, &graph.Batch{Lease: "1", At: 11, Withdrawn: []graph.Entry{{ID: "r1", Relation: true, Type: "MET_WITH", Source: "a", Target: "b"}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("writing with a context that has ended: %v", err)
	}
	must(t, store.Read(t.Context(), func(tx graph.Reader) error {
		if n := count(tx); n != 1 {
			t.Errorf("%d relations, want 1: a batch that was cancelled was written", n)
		}
		return nil
	}))
}

// runLearning adds a type, uses it, and is refused what would change the sense
// of what is stored.
func runLearning(t T, store graph.Store) {
	parse := func(text string) []graph.RelationType {
		types, err := graph.ParseVocabulary("v.yaml", []byte(text))
		must(t, err)
		return types
	}
	toasted := parse("types:\n  - {name: TOASTED, nature: act, infinitive: toast, past: toasted, passive: toasted by}\n")
	for range 2 {
		v, err := store.Learn(t.Context(), toasted)
		must(t, err)
		if _, ok := v.Lookup("TOASTED"); !ok {
			t.Errorf("what was learnt is not known")
		}
	}
	e := editionSpec{Dataset: "d", Entities: []nodeSpec{{ID: "a", Name: "A", Kind: graph.KindPerson}, {ID: "b", Name: "B", Kind: graph.KindPerson}},
		Relations: []relationSpec{{ID: "r", Type: "TOASTED", Source: "a", Target: "b", Date: "2020-01-01"}}}
	statements, relations := e.edition(vocabularyOf(t, store))
	_, err := record(t, store, graph.Edition{Dataset: "d", Whole: true}, newClock().now, 0, statements, relations)
	must(t, err)
	must(t, store.Read(t.Context(), func(tx graph.Reader) error {
		for _, q := range []*graph.RelationQuery{
			{Anchor: graph.AnchorEntity, IDs: []string{"b"}, Limit: 5},
			{Anchor: graph.AnchorID, IDs: []string{"r"}, Limit: 5},
			{Anchor: graph.AnchorNone, Limit: 5, Filter: graph.RelationFilter{Types: []string{"TOASTED"}}},
		} {
			pages, err := tx.Relations(t.Context(), q)
			must(t, err)
			if len(pages) != 1 || len(pages[0].Rows) != 1 || pages[0].Rows[0].Type != "TOASTED" {
				t.Errorf("%s: the relation of the new type is not found: %v", q.Anchor, pages)
			}
		}
		return nil
	}))
	if _, err := store.Learn(t.Context(), parse("types:\n  - {name: TOASTED, nature: act, symmetric: true, infinitive: toast with, past: toasted with}\n")); err == nil {
		t.Errorf("a type that is in use was made symmetric")
	}
}
