package storetest

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"chancery/graph"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
)

//go:embed cases/*.yaml
var caseFiles embed.FS

// caseFile is a record, and questions to it.
type caseFile struct {
	Load []editionSpec
	Ask  []question
}

// editionSpec is an edition in short; it holds all that its data set says.
type editionSpec struct {
	Dataset   string
	Priority  int
	Entities  []nodeSpec
	Events    []nodeSpec
	Sources   []nodeSpec
	Relations []relationSpec
}

type nodeSpec struct {
	ID, Name, Date string
	Kind           graph.Kind
	Aliases        []string
	ExternalIDs    []string `yaml:"externalIds"`
}

type relationSpec struct {
	ID, Type, Source, Target, Date, Event, CAMEO string
	DateBasis                                    graph.DateBasis `yaml:"dateBasis"`
	Status                                       graph.Status
	ClaimedBy                                    string `yaml:"claimedBy"`
	AccreditedTo                                 string `yaml:"accreditedTo"`
	About, Places                                []string
	Confidence                                   *float64
}

// question is one of four, with its answer: the ids of each page, and what was
// counted.
type question struct {
	Relations  *relationsQuestion
	Entities   *entitiesQuestion
	Candidates *candidatesQuestion
	Nodes      []string
	Want       [][]string
	Counts     []int
	Sorted     bool // the order within the answer is not what is asked about
}

type relationsQuestion struct {
	Anchor                                              graph.Anchor
	IDs                                                 []string `yaml:"ids"`
	Types, Families, With, Source, Target, About, Place []string
	CAMEO, Dataset                                      []string
	AccreditedTo                                        []string     `yaml:"accreditedTo"`
	ClaimedBy                                           []string     `yaml:"claimedBy"`
	WithKinds                                           []graph.Kind `yaml:"withKinds"`
	Status                                              []graph.Status
	DateBasis                                           []graph.DateBasis `yaml:"dateBasis"`
	Nature                                              *graph.Nature
	Event                                               *string
	Direction                                           graph.Direction
	During, After, Before                               []string
	Certainty                                           graph.Certainty
	MinConfidence                                       *float64 `yaml:"minConfidence"`
	AsOf                                                string   `yaml:"asOf"`
	Order                                               graph.Order
	Limit                                               int
	Backward, Count                                     bool
}

type entitiesQuestion struct {
	IDs             []string `yaml:"ids"`
	Kinds           []graph.Kind
	ExternalID      string `yaml:"externalId"`
	Office, Dataset []string
	AsOf            string `yaml:"asOf"`
	Order           graph.EntityOrder
	After, Before   []string
	Limit           int
	Backward, Count bool
}

type candidatesQuestion struct {
	Words []string
	Any   bool
	Kinds []graph.Kind
}

// readCases reads all cases; a key that is not known is an error.
func readCases() (map[string]caseFile, error) {
	names, err := fs.Glob(caseFiles, "cases/*.yaml")
	if err != nil {
		return nil, err
	}
	cases := map[string]caseFile{}
	for _, name := range names {
		text, err := caseFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var c caseFile
		d := yaml.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		cases[strings.TrimSuffix(path.Base(name), ".yaml")] = c
	}
	return cases, nil
}

func day(text string) graph.Day {
	d, err := graph.ParseDay(text)
	if err != nil {
		panic(err)
	}
	return d
}

func date(text string, nature graph.Nature, basis graph.DateBasis) graph.Date {
	d, err := graph.ResolveDate(text, nature, basis, 0, false)
	if err != nil {
		panic(err)
	}
	return d
}

// edition makes statements and relations of a spec.
func (e *editionSpec) edition(v *graph.Vocabulary) (statements []graph.Statement, relations []*graph.Relation) {
	for form, nodes := range map[graph.Form][]nodeSpec{graph.FormEntity: e.Entities, graph.FormEvent: e.Events, graph.FormSource: e.Sources} {
		for _, n := range nodes {
			c := graph.Content{Form: form, Kind: n.Kind, Name: n.Name, Aliases: n.Aliases, Date: date(n.Date, form.DateNature(), "")}
			for _, x := range n.ExternalIDs {
				id, _ := graph.ParseExternalID(x)
				c.ExternalIDs = append(c.ExternalIDs, id)
			}
			statements = append(statements, graph.Statement{ID: n.ID, Content: c})
		}
	}
	for _, r := range e.Relations {
		t, ok := v.Lookup(r.Type)
		if !ok {
			panic("there is no type " + r.Type)
		}
		rel := &graph.Relation{ID: r.ID, Type: r.Type, Source: r.Source, Target: r.Target, Date: date(r.Date, t.Nature, r.DateBasis),
			Status: r.Status, ClaimedBy: r.ClaimedBy, AccreditedTo: r.AccreditedTo, About: r.About, Event: r.Event, Places: r.Places,
			CAMEO: r.CAMEO, Confidence: r.Confidence}
		if rel.Status == "" {
			rel.Status = graph.Reported
		}
		relations = append(relations, rel)
	}
	return statements, relations
}

// clock is a clock that each look moves on.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.at = c.at.Add(time.Second)
	return c.at
}

func vocabularyOf(t T, store graph.Store) (v *graph.Vocabulary) {
	must(t, store.Read(t.Context(), func(tx graph.Reader) error {
		v = tx.Vocabulary()
		return nil
	}))
	return v
}

func must(t T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// record loads an edition.
func record(t T, store graph.Store, e graph.Edition, now func() time.Time, batch int, statements []graph.Statement, relations []*graph.Relation) (*graph.Report, error) {
	t.Helper()
	rec, err := graph.NewRecorder(t.Context(), store, e, graph.RecorderOptions{Now: now, Holder: "test", BatchSize: batch, Wait: time.Minute})
	if err != nil {
		return nil, err
	}
	defer rec.Abort(t.Context())
	if err := rec.Record(t.Context(), statements, relations, graph.Counts{}); err != nil {
		return nil, err
	}
	return rec.Finish(t.Context())
}

// runResuming: a load that was interrupted goes on behind the parts that are
// written, but not where another program wrote them, which may have cut others.
func runResuming(t T, store graph.Store) {
	c := newClock()
	e := graph.Edition{Dataset: "parts", Whole: true, Keyed: true, Steady: true, Alone: true, Input: graph.Hash{1}}
	var all []graph.Statement
	for i := range 12 {
		content := graph.Content{Form: graph.FormEntity, Kind: graph.KindGroup, Name: fmt.Sprint("Group ", i)}
		all = append(all, graph.Statement{ID: fmt.Sprintf("parts/record/%02d", i), Dataset: "parts", Content: content, Hash: content.ContentHash()})
	}
	load := func(program string, size, parts int) *graph.Report {
		t.Helper()
		rec, err := graph.NewRecorder(t.Context(), store, e, graph.RecorderOptions{Now: c.now, Holder: "test", BatchSize: 100, Wait: time.Minute, Program: program})
		must(t, err)
		defer rec.Abort(t.Context())
		for part := range slices.Chunk(all, size) {
			if parts == 0 {
				return nil
			}
			parts--
			must(t, rec.Record(t.Context(), slices.Clone(part), nil, graph.Counts{}))
		}
		report, err := rec.Finish(t.Context())
		must(t, err)
		return report
	}
	load("one", 2, 3)
	r := load("two", 4, 3)
	if !r.Resumed || r.Entities.Created+r.Entities.Unchanged != len(all) {
		t.Errorf("%+v", *r)
	}
	must(t, store.Read(t.Context(), func(tx graph.Reader) error {
		page, err := tx.Entities(t.Context(), &graph.EntityQuery{Order: graph.ByName, Limit: 100, Count: true})
		if page.Count != len(all) {
			t.Errorf("%d entities, want %d", page.Count, len(all))
		}
		return err
	}))
}

// runCase loads a record and asks the questions.
func runCase(t T, store graph.Store, c caseFile) {
	c0 := newClock()
	v := vocabularyOf(t, store)
	for i := range c.Load {
		statements, relations := c.Load[i].edition(v)
		input := graph.Hash{byte(i + 1)}
		_, err := record(t, store, graph.Edition{Dataset: c.Load[i].Dataset, Priority: c.Load[i].Priority, Whole: true, Input: input}, c0.now, 0, statements, relations)
		must(t, err)
	}
	must(t, store.Read(t.Context(), func(tx graph.Reader) error {
		for i, q := range c.Ask {
			got, counts, err := q.ask(t, tx)
			if err != nil {
				return fmt.Errorf("question %d: %w", i+1, err)
			}
			if q.Sorted || q.Nodes != nil || q.Candidates != nil {
				for _, page := range got {
					slices.Sort(page)
				}
				slices.SortFunc(got, slices.Compare)
				slices.SortFunc(q.Want, slices.Compare)
				for _, page := range q.Want {
					slices.Sort(page)
				}
			}
			if diff := cmp.Diff(q.Want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("question %d: (-want +got)\n%s", i+1, diff)
			}
			if q.Counts != nil && !slices.Equal(q.Counts, counts) {
				t.Errorf("question %d: counted %v, want %v", i+1, counts, q.Counts)
			}
		}
		return nil
	}))
}

func (q *question) ask(t T, tx graph.Reader) (got [][]string, counts []int, err error) {
	switch ctx := t.Context(); {
	case q.Relations != nil:
		pages, err := tx.Relations(ctx, q.Relations.query())
		for _, p := range pages {
			ids := []string{}
			for _, r := range p.Rows {
				ids = append(ids, r.ID)
			}
			got, counts = append(got, ids), append(counts, p.Count)
		}
		return got, counts, err
	case q.Entities != nil:
		page, err := tx.Entities(ctx, q.Entities.query())
		return [][]string{ids(page.Rows)}, []int{page.Count}, err
	case q.Candidates != nil:
		s := &graph.SearchQuery{AnyWord: q.Candidates.Any, Kinds: q.Candidates.Kinds}
		for _, w := range q.Candidates.Words {
			s.Words = append(s.Words, graph.ToSearchWord(w))
		}
		nodes, err := tx.Candidates(ctx, s)
		return [][]string{ids(nodes)}, nil, err
	}
	nodes, err := tx.Nodes(t.Context(), q.Nodes, true)
	page := []string{}
	for id := range nodes {
		page = append(page, id)
	}
	return [][]string{page}, nil, err
}

func ids(nodes []*graph.Node) []string {
	out := []string{}
	for _, n := range nodes {
		out = append(out, n.ID)
	}
	return out
}

func (q *relationsQuestion) query() *graph.RelationQuery {
	out := &graph.RelationQuery{Anchor: q.Anchor, IDs: q.IDs, Order: q.Order, Limit: q.Limit, Backward: q.Backward, Count: q.Count,
		Filter: graph.RelationFilter{Types: q.Types, Families: q.Families, Nature: q.Nature, Direction: q.Direction, With: q.With,
			WithKinds: q.WithKinds, Source: q.Source, Target: q.Target, AccreditedTo: q.AccreditedTo, Certainty: q.Certainty,
			Status: q.Status, DateBasis: q.DateBasis, About: q.About, Event: q.Event, ClaimedBy: q.ClaimedBy, Place: q.Place,
			CAMEO: q.CAMEO, Dataset: q.Dataset, MinConfidence: q.MinConfidence}}
	if out.Order == "" {
		out.Order = graph.NewestFirst
	}
	if q.During != nil {
		out.Filter.During = &graph.Window{From: day(q.During[0]), To: day(q.During[1])}
	}
	if q.AsOf != "" {
		d := day(q.AsOf)
		out.AsOf = &d
	}
	if q.After != nil {
		out.After = &graph.Key{SortDay: day(q.After[0]), ID: q.After[1]}
	}
	if q.Before != nil {
		out.Before = &graph.Key{SortDay: day(q.Before[0]), ID: q.Before[1]}
	}
	return out
}

func (q *entitiesQuestion) query() *graph.EntityQuery {
	out := &graph.EntityQuery{Order: q.Order, Limit: q.Limit, Backward: q.Backward, Count: q.Count,
		Filter: graph.EntityFilter{IDs: q.IDs, Kinds: q.Kinds, Office: q.Office, Dataset: q.Dataset}}
	if out.Order == "" {
		out.Order = graph.ByName
	}
	if q.ExternalID != "" {
		id, _ := graph.ParseExternalID(q.ExternalID)
		out.Filter.ExternalID = &id
	}
	if q.AsOf != "" {
		d := day(q.AsOf)
		out.AsOf = &d
	}
	if q.After != nil {
		out.After = &graph.EntityKey{Name: q.After[0], ID: q.After[1]}
	}
	if q.Before != nil {
		out.Before = &graph.EntityKey{Name: q.Before[0], ID: q.Before[1]}
	}
	return out
}
