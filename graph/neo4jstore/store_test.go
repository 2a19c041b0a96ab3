package neo4jstore_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore"
	"chancery/graph/neo4jstore/neo4jtest"

	gocmp "github.com/google/go-cmp/cmp"
)

const token = "the test's"

func lease(t testing.TB, s graph.Store) {
	t.Helper()
	l, err := s.Lease(t.Context(), graph.LeaseRequest{Holder: "test", Token: token, Now: 1, Until: 1 << 50})
	if err != nil || l.Token != token {
		t.Fatalf("lease: %v, %v", l, err)
	}
}

func apply(t testing.TB, s graph.Store, b *graph.Batch) {
	t.Helper()
	b.Lease = token
	if err := s.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, s graph.Store, fn func(r graph.Reader) error) {
	t.Helper()
	if err := s.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func noPriority(string) int { return 0 }

// state puts one node with one statement into the batch.
func state(b *graph.Batch, id string, c graph.Content) {
	s := graph.Statement{ID: id, Dataset: "test", Content: c, Hash: c.ContentHash(), RecordedAt: b.At}
	b.Statements = append(b.Statements, s)
	n := graph.Merge([]graph.Statement{s}, noPriority)
	b.Nodes = append(b.Nodes, &n)
}

func entity(kind graph.Kind, name string) graph.Content {
	return graph.Content{Form: graph.FormEntity, Kind: kind, Name: name}
}

func vocabulary(t testing.TB) *graph.Vocabulary {
	t.Helper()
	v, err := graph.BuiltinVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func date(t testing.TB, text string, nature graph.Nature) graph.Date {
	t.Helper()
	d, err := graph.ResolveDate(text, nature, "", 0, false)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// relate puts a relation into the batch, and returns it.
func relate(t testing.TB, b *graph.Batch, r graph.Relation, former *graph.Entry) *graph.Relation {
	t.Helper()
	known, ok := vocabulary(t).Lookup(r.Type)
	if !ok {
		t.Fatalf("no type %s", r.Type)
	}
	if r.Date.Basis == "" {
		r.Date = date(t, "", known.Nature)
	}
	r.Status = cmp.Or(r.Status, graph.Reported)
	r.Dataset, r.RecordedAt = cmp.Or(r.Dataset, "test"), b.At
	r.Hash = r.ContentHash()
	r.Date.RecordedOn(b.At.Day())
	r.Date.OpenAsOfRecording = false
	b.Relations = append(b.Relations, graph.RelationWrite{Relation: &r, Caption: "caption", Symmetric: known.Symmetric, Nature: known.Nature,
		Role: known.Role, Office: known.Office, Former: former})
	return &r
}

func entryOf(r *graph.Relation) *graph.Entry {
	return &graph.Entry{ID: r.ID, Relation: true, Type: r.Type, Source: r.Source, Target: r.Target, Dataset: r.Dataset, Hash: r.Hash}
}

func float(f float64) *float64 { return &f }

const t0 = graph.Instant(1_700_000_000_000_001)

func TestRoundTrip(t *testing.T) {
	s := neo4jtest.Open(t)
	lease(t, s)
	b := &graph.Batch{At: t0, Dataset: &graph.Dataset{Name: "test", Title: "A test", Priority: -3, RecordedAt: t0, Edition: graph.Hash{1, 2}}}
	full := graph.Content{Form: graph.FormEntity, Kind: graph.KindPerson, Name: "Élise \"Quote\" \\ O'Hara 😀", Aliases: []string{"b", "a"},
		Description: "d", ExternalIDs: []graph.ExternalID{{Scheme: "wikidata", Value: "Q1:2"}},
		Date: date(t, "1950~/..", graph.Standing), Point: &graph.Point{Latitude: -12.5, Longitude: 179.25},
		Properties: []graph.Property{{Name: "a b", Value: "1"}, {Name: "list", Value: "y"}, {Name: "list", Value: "x"}}}
	full.Date.RecordedOn(t0.Day())
	full.Date.OpenAsOfRecording = false
	state(b, "p/1", full)
	state(b, "s/1", entity(graph.KindState, "France"))
	state(b, "src/1", graph.Content{Form: graph.FormSource, Name: "Source", URL: "https://example.org", Publisher: "P", Date: date(t, "2025-12-01", graph.Act)})
	state(b, "e/1", graph.Content{Form: graph.FormEvent, Name: "Summit", Participants: []graph.Participant{{Entity: "s/1"}, {Entity: "p/1", Role: "host"}},
		Places: []string{"s/1", "p/1"}, Date: date(t, "2025-11", graph.Act)})
	bare := relate(t, b, graph.Relation{ID: "r/1", Type: "CONDEMNED", Source: "p/1", Target: "s/1"}, nil)
	rich := relate(t, b, graph.Relation{ID: "r/2", Type: "LEADS", Source: "p/1", Target: "s/1", Date: date(t, "2021-01-20/..", graph.Standing),
		ClaimedBy: "p/1", SourceAs: "president", TargetAs: "x", AccreditedTo: "s/1", About: []string{"r/1", "e/1"}, Event: "e/1",
		Places: []string{"s/1", "p/1"}, Quantity: float(0), Unit: "u", Note: "n\nm", CAMEO: "036", Goldstein: float(-10), Family: "F",
		Confidence: float(0.25), Citations: []graph.Citation{{Source: "src/1", Quote: "q"}, {Source: "src/1"}}}, nil)
	apply(t, s, b)
	read(t, s, func(r graph.Reader) error {
		ids := []string{"p/1", "s/1", "src/1", "e/1", "nobody"}
		nodes, err := r.Nodes(t.Context(), ids, true)
		if err != nil {
			return err
		}
		want := map[string]*graph.Node{}
		for _, n := range b.Nodes {
			want[n.ID] = n
		}
		if d := gocmp.Diff(want, nodes); d != "" {
			t.Error("nodes (-want +got)", d)
		}
		pages, err := r.Relations(t.Context(), &graph.RelationQuery{Anchor: graph.AnchorEntity, IDs: []string{"nobody", "s/1"}, Limit: 9, Count: true, Detail: true})
		if err != nil {
			return err
		}
		wantPages := []graph.RelationPage{{Anchor: "nobody"}, {Anchor: "s/1", Rows: []*graph.Relation{rich, bare}, Count: 2}}
		if d := gocmp.Diff(wantPages, pages); d != "" {
			t.Error("relations (-want +got)", d)
		}
		held, err := r.Held(t.Context(), &graph.HeldQuery{Nodes: ids, Relations: []string{"r/1", "r/2", "r/3"}, History: true})
		if err != nil {
			return err
		}
		if d := gocmp.Diff([]graph.Statement{b.Statements[0]}, held.Statements["p/1"]); d != "" {
			t.Error("statement (-want +got)", d)
		}
		if d := gocmp.Diff(map[string][]*graph.Relation{"r/1": {bare}, "r/2": {rich}}, held.Versions); d != "" {
			t.Error("versions (-want +got)", d)
		}
		datasets, err := r.Datasets(t.Context())
		if d := gocmp.Diff([]graph.Dataset{*b.Dataset}, datasets); d != "" {
			t.Error("data sets (-want +got)", d)
		}
		return err
	})
	assertCypher(t, s, "MATCH (n:Leader:Actor:Person) RETURN count(n) = 1")
	assertCypher(t, s, "MATCH (:Source)-[m:MENTIONS]->(:Entity) RETURN count(m) = 2")
	assertCypher(t, s, "MATCH (:Entity)-[m:TOOK_PART_IN]->(:Event) RETURN collect(m.role) = ['', 'host'] OR collect(m.role) = ['host', '']")
}

// TestParticipants: whoever takes part in an event is tied to it, in whatever
// order they come, new or not.
func TestParticipants(t *testing.T) {
	s := neo4jtest.Open(t)
	lease(t, s)
	event := func(name string, who ...string) graph.Content {
		c := graph.Content{Form: graph.FormEvent, Name: name}
		for _, id := range who {
			c.Participants = append(c.Participants, graph.Participant{Entity: id})
		}
		return c
	}
	isNew := func(b *graph.Batch, id string, c graph.Content) {
		state(b, id, c)
		last := len(b.Statements) - 1
		b.New = append(b.New, graph.NewNode{Statement: b.Statements[last], Node: b.Nodes[last]})
		b.Statements, b.Nodes = b.Statements[:last], b.Nodes[:last]
	}
	first := &graph.Batch{At: t0, Dataset: &graph.Dataset{Name: "test", RecordedAt: t0}}
	state(first, "known", entity(graph.KindState, "Known"))
	state(first, "talks", event("Talks", "known"))
	apply(t, s, first)
	b := &graph.Batch{At: t0 + 1}
	isNew(b, "summit", event("Summit", "new", "changed", "known"))
	for i := range 1500 { // more than one query creates
		isNew(b, fmt.Sprint("filler/", i), entity(graph.KindState, "Filler"))
	}
	isNew(b, "new", entity(graph.KindState, "New"))
	state(b, "talks", event("Talks", "new", "known"))
	state(b, "changed", entity(graph.KindState, "Changed"))
	apply(t, s, b)
	assertCypher(t, s, "MATCH (:Event {id: 'summit'})<-[:TOOK_PART_IN]-(n) WITH n ORDER BY n.id RETURN collect(n.id) = ['changed', 'known', 'new']")
	assertCypher(t, s, "MATCH (:Event {id: 'talks'})<-[:TOOK_PART_IN]-(n) WITH n ORDER BY n.id RETURN collect(n.id) = ['known', 'new']")
}

func TestVersions(t *testing.T) {
	s := neo4jtest.Open(t)
	lease(t, s)
	b := &graph.Batch{At: t0}
	state(b, "a", entity(graph.KindPerson, "A"))
	state(b, "b", entity(graph.KindState, "B"))
	state(b, "src", graph.Content{Form: graph.FormSource, Name: "S"})
	first := relate(t, b, graph.Relation{ID: "r", Type: "LEADS", Source: "a", Target: "b", Citations: []graph.Citation{{Source: "src"}}}, nil)
	apply(t, s, b)
	apply(t, s, b) // the same again
	assertCypher(t, s, "MATCH (:Leader) RETURN count(*) = 1")

	other := &graph.Batch{At: t0 + 1, Dataset: &graph.Dataset{Name: "other"}}
	apply(t, s, other)
	apply(t, s, b) // the same, but no longer the last
	assertCypher(t, s, "MATCH ()-[r:LEADS|FORMER]->() RETURN count(r) = 1")
	assertCypher(t, s, "MATCH (:Statement) RETURN count(*) = 3")
	assertCypher(t, s, "MATCH (:Source)-[m:MENTIONS]->() RETURN collect(m.relations) = [1, 1]")

	// Another type, other ends: both versions are there.
	b2 := &graph.Batch{At: t0 + 2}
	second := relate(t, b2, graph.Relation{ID: "r", Type: "CONDEMNED", Source: "b", Target: "b"}, entryOf(first))
	apply(t, s, b2)
	apply(t, s, other)
	apply(t, s, b2)
	closed := *first
	closed.SupersededAt = b2.At
	versions := func(want ...*graph.Relation) {
		t.Helper()
		read(t, s, func(r graph.Reader) error {
			held, err := r.Held(t.Context(), &graph.HeldQuery{Relations: []string{"r"}, History: true})
			if d := gocmp.Diff(want, held.Versions["r"]); d != "" {
				t.Error("versions (-want +got)", d)
			}
			return err
		})
	}
	versions(&closed, second)
	assertCypher(t, s, "MATCH (n:Leader) RETURN count(n) = 0")
	assertCypher(t, s, "MATCH (:Source)-[m:MENTIONS]->() RETURN count(m) = 0")
	assertCypher(t, s, "MATCH (:Former {name: 'A'})-[f:FORMER {type: 'LEADS'}]->(:Former {name: 'B'}) RETURN count(f) = 1")
	assertCypher(t, s, "MATCH (:Entity)-[f:FORMER]-() RETURN count(f) = 0")

	b3 := &graph.Batch{At: t0 + 3, Withdrawn: []graph.Entry{*entryOf(second)}, Retracted: []graph.StatementKey{{ID: "a", Dataset: "test"}}}
	gone := graph.Merge([]graph.Statement{func() graph.Statement { s := b.Statements[0]; s.SupersededAt = b3.At; return s }()}, noPriority)
	b3.Nodes = append(b3.Nodes, &gone)
	apply(t, s, b3)
	apply(t, s, b3)
	closed2 := *second
	closed2.SupersededAt = b3.At
	versions(&closed, &closed2)
	read(t, s, func(r graph.Reader) error {
		pages, err := r.Relations(t.Context(), &graph.RelationQuery{Anchor: graph.AnchorID, IDs: []string{"r"}, Limit: 1})
		if err != nil || len(pages) != 0 {
			t.Errorf("a withdrawn relation is found: %v, %v", pages, err)
		}
		entities, err := r.Entities(t.Context(), &graph.EntityQuery{Limit: 9, Count: true})
		if err != nil || entities.Count != 1 || entities.Rows[0].ID != "b" {
			t.Errorf("entities: %v, %v", entities, err)
		}
		nodes, err := r.Nodes(t.Context(), []string{"a"}, true)
		if err != nil || !nodes["a"].Withdrawn() {
			t.Errorf("nodes: %v, %v", nodes, err)
		}
		held, err := r.Held(t.Context(), &graph.HeldQuery{Nodes: []string{"a"}})
		if err != nil || len(held.Statements["a"]) != 1 || held.Statements["a"][0].SupersededAt != b3.At {
			t.Errorf("held: %v, %v", held, err)
		}
		return err
	})

	// A missing end undoes everything.
	b4 := &graph.Batch{At: t0 + 4, Lease: token}
	state(b4, "c", entity(graph.KindPlace, "C"))
	relate(t, b4, graph.Relation{ID: "x", Type: "CONDEMNED", Source: "c", Target: "nobody"}, nil)
	if err := s.Apply(t.Context(), b4); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("a missing end: %v", err)
	}
	assertCypher(t, s, "MATCH (n {id: 'c'}) RETURN count(n) = 0")
	b4.Lease = "another"
	if err := s.Apply(t.Context(), b4); !errors.Is(err, graph.ErrLeaseLost) {
		t.Errorf("another's lease: %v", err)
	}
	l, err := s.Lease(t.Context(), graph.LeaseRequest{Token: token, Now: 2, Until: 1 << 50})
	if err != nil || l.LastRecorded != t0+3 {
		t.Errorf("lease %v, %v", l, err)
	}
}

// TestKeysByCodePoint pages through ids whose order by UTF-16 units is another
// one, from keys that exist and from keys that do not.
func TestKeysByCodePoint(t *testing.T) {
	s := neo4jtest.Open(t)
	lease(t, s)
	b := &graph.Batch{At: t0}
	ids := []string{"a", "a\\E\uffee", "a\\E😀", "b", "é", "\ud7fb", "\ue000", "\uffee", "\uffee😀", "\uffee\uffee", "😀", "😀\uffee", "😀😀"}
	for _, id := range ids {
		state(b, id, entity(graph.KindState, id))
		relate(t, b, graph.Relation{ID: "r" + id, Type: "CONDEMNED", Source: "a", Target: id}, nil)
	}
	apply(t, s, b)
	slices.Sort(ids)
	for _, key := range append([]string{"a\\E\uffef", "\uffee\U0001f601", "\U0001f5ff"}, ids...) {
		var above, below []string
		for _, id := range ids {
			switch {
			case id > key:
				above = append(above, id)
			case id < key:
				below = append(below, id)
			}
		}
		read(t, s, func(r graph.Reader) error {
			relations := func(q *graph.RelationQuery) (got []string) {
				pages, err := r.Relations(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range pages[0].Rows {
					got = append(got, row.ID[1:])
				}
				return got
			}
			k := &graph.Key{ID: "r" + key}
			if d := gocmp.Diff(above, relations(&graph.RelationQuery{Anchor: graph.AnchorNone, Limit: 99, After: k})); d != "" {
				t.Errorf("relations after %q (-want +got)\n%s", key, d)
			}
			if d := gocmp.Diff(below, relations(&graph.RelationQuery{Anchor: graph.AnchorNone, Limit: 99, Before: k, Backward: true})); d != "" {
				t.Errorf("relations before %q (-want +got)\n%s", key, d)
			}
			entities := func(q *graph.EntityQuery) (got []string) {
				page, err := r.Entities(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range page.Rows {
					got = append(got, n.ID)
				}
				return got
			}
			if d := gocmp.Diff(above, entities(&graph.EntityQuery{Order: graph.ByID, Limit: 99, After: &graph.EntityKey{ID: key}})); d != "" {
				t.Errorf("entities after %q (-want +got)\n%s", key, d)
			}
			if d := gocmp.Diff(below, entities(&graph.EntityQuery{Order: graph.ByID, Limit: 99, Before: &graph.EntityKey{ID: key}})); d != "" {
				t.Errorf("entities before %q (-want +got)\n%s", key, d)
			}
			held, err := r.Held(t.Context(), &graph.HeldQuery{Dataset: "test", After: key, Limit: 99})
			if err != nil {
				return err
			}
			var got []string
			for _, e := range held.Entries {
				if !e.Relation {
					got = append(got, e.ID)
				}
			}
			if d := gocmp.Diff(above, got); d != "" {
				t.Errorf("entries after %q (-want +got)\n%s", key, d)
			}
			return nil
		})
	}
}

func TestEntitiesAndSearch(t *testing.T) {
	s := neo4jtest.Open(t)
	lease(t, s)
	b := &graph.Batch{At: t0}
	macron := entity(graph.KindPerson, "Emmanuel Macron")
	macron.Aliases = []string{"E. Macron"}
	macron.Date = date(t, "1977-12-21/..", graph.Standing)
	state(b, "p/macron", macron)
	elysee := entity(graph.KindFacility, "Élysée Palace")
	elysee.ExternalIDs = []graph.ExternalID{{Scheme: "wikidata", Value: "Q188190"}}
	state(b, "f/elysee", elysee)
	state(b, "s/france", entity(graph.KindState, "France"))
	state(b, "z", entity(graph.KindUndecided, "élysée palace"))
	relate(t, b, graph.Relation{ID: "r", Type: "LEADS", Source: "p/macron", Target: "s/france", Date: date(t, "2017-05-14/2027-05-13", graph.Standing)}, nil)
	apply(t, s, b)
	names := func(q *graph.EntityQuery) string {
		t.Helper()
		var out []string
		read(t, s, func(r graph.Reader) error {
			page, err := r.Entities(t.Context(), q)
			for _, n := range page.Rows {
				out = append(out, n.ID)
			}
			if q.Count {
				out = append(out, fmt.Sprint(page.Count))
			}
			return err
		})
		return strings.Join(out, " ")
	}
	at := func(text string) *graph.Day { d, _ := graph.ParseDay(text); return &d }
	for _, c := range []struct {
		want string
		q    graph.EntityQuery
	}{
		{"f/elysee z p/macron s/france 4", graph.EntityQuery{Limit: 9, Count: true}},
		{"z p/macron", graph.EntityQuery{Limit: 2, After: &graph.EntityKey{Name: "elysee palace", ID: "f/elysee"}}},
		{"z p/macron", graph.EntityQuery{Limit: 2, Backward: true, Before: &graph.EntityKey{Name: "france", ID: "s/france"}}},
		{"s/france z", graph.EntityQuery{Limit: 2, Backward: true, Order: graph.ByID}},
		{"s/france z 4", graph.EntityQuery{Limit: 5, Count: true, Order: graph.ByID, After: &graph.EntityKey{ID: "p/macron"}}},
		{"4", graph.EntityQuery{Count: true}},
		{"f/elysee", graph.EntityQuery{Limit: 9, Filter: graph.EntityFilter{ExternalID: &graph.ExternalID{Scheme: "wikidata", Value: "Q188190"}}}},
		{"f/elysee z s/france", graph.EntityQuery{Limit: 9, AsOf: at("1970-01-01")}},
		{"p/macron", graph.EntityQuery{Limit: 9, AsOf: at("2020-01-01"), Filter: graph.EntityFilter{Office: []string{"LEADS"}}}},
		{"", graph.EntityQuery{Limit: 9, AsOf: at("2000-01-01"), Filter: graph.EntityFilter{Office: []string{"LEADS"}}}},
		{"z s/france", graph.EntityQuery{Limit: 9, Filter: graph.EntityFilter{Kinds: []graph.Kind{graph.KindState, graph.KindUndecided}}}},
		{"", graph.EntityQuery{Limit: 9, Filter: graph.EntityFilter{Kinds: []graph.Kind{}}}},
		{"p/macron 1", graph.EntityQuery{Limit: 9, Count: true, Filter: graph.EntityFilter{IDs: []string{"p/macron", "r"}, Dataset: []string{"test"}}}},
	} {
		if got := names(&c.q); got != c.want {
			t.Errorf("%+v: %s, not %s", c.q, got, c.want)
		}
	}
	for text, want := range map[string]string{"elysee": "f/elysee z", "Macron emanuel": "p/macron", "mac": "p/macron", "Fr*": "s/france", "xyzzy": "", "\"": ""} {
		q := &graph.SearchQuery{}
		for _, w := range graph.Words(text) {
			q.Words = append(q.Words, graph.ToSearchWord(w))
		}
		if len(q.Words) == 0 {
			continue
		}
		read(t, s, func(r graph.Reader) error {
			nodes, err := r.Candidates(t.Context(), q)
			var got []string
			for _, n := range nodes {
				got = append(got, n.ID)
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("search %q: %v, not %s", text, got, want)
			}
			return err
		})
	}
	// More words and terms than Lucene takes in one query.
	many := &graph.SearchQuery{AnyWord: true}
	for i := range 200 {
		many.Words = append(many.Words, graph.ToSearchWord(fmt.Sprintf("abcdef%d", i)))
	}
	many.Words = append(many.Words, graph.SearchWord{Prefix: "fran"}, graph.SearchWord{Prefix: "a b:c*"})
	read(t, s, func(r graph.Reader) error {
		nodes, err := r.Candidates(t.Context(), many)
		if len(nodes) != 1 {
			t.Errorf("many words: %d candidates", len(nodes))
		}
		many.AnyWord = false
		_, err2 := r.Candidates(t.Context(), many)
		return errors.Join(err, err2)
	})
}

func TestLearnAndReopen(t *testing.T) {
	opts := neo4jtest.Options(t)
	neo4jtest.Wipe(t, opts)
	opts.VocabularyRefresh = time.Hour
	now := time.Now()
	opts.Now = func() time.Time { return now }
	s := neo4jtest.Reopen(t, opts)
	other := neo4jtest.Reopen(t, opts)
	types, err := graph.ParseVocabulary("test", []byte(`types:
  - name: TEASED
    nature: act
    infinitive: tease
    past: teased
    participle: teased
    passive: teased by
    sources: [Actor]
    targets: [Actor]
    family: null
    goldstein: null
    symmetric: false
`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Learn(t.Context(), types)
	if err != nil {
		t.Fatal(err)
	}
	knows := func(s graph.Store) (ok bool) {
		read(t, s, func(r graph.Reader) error { _, ok = r.Vocabulary().Lookup("TEASED"); return nil })
		return ok
	}
	if _, ok := v.Lookup("TEASED"); !ok || !knows(s) {
		t.Error("the store that learnt does not know")
	}
	if knows(other) {
		t.Error("the other store looked too early")
	}
	now = now.Add(2 * time.Hour)
	if !knows(other) {
		t.Error("the other store does not know")
	}
	if !knows(neo4jtest.Reopen(t, opts)) {
		t.Error("a new store does not know")
	}
	if _, err := s.Learn(t.Context(), types); err != nil {
		t.Error(err)
	}
	began := time.Now()
	neo4jtest.Reopen(t, opts)
	t.Logf("opening a database that is ready took %v", time.Since(began))
}

func TestLease(t *testing.T) {
	s := neo4jtest.Open(t)
	ask := func(r graph.LeaseRequest) string {
		t.Helper()
		l, err := s.Lease(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return l.Token
	}
	for i, c := range []struct {
		r    graph.LeaseRequest
		want string
	}{
		{graph.LeaseRequest{Token: "a", Now: 10, Until: 20}, "a"},
		{graph.LeaseRequest{Token: "b", Now: 15, Until: 30}, "a"},
		{graph.LeaseRequest{Token: "a", Now: 15, Until: 25}, "a"},
		{graph.LeaseRequest{Token: "b", Now: 22, Until: 30}, "a"},
		{graph.LeaseRequest{Token: "b", Now: 26, Until: 30}, "b"},
		{graph.LeaseRequest{Token: "c", Now: 27, Until: 40, Replace: "b"}, "c"},
		{graph.LeaseRequest{Token: "b", Now: 27, Release: true}, "c"},
		{graph.LeaseRequest{Token: "c", Now: 27, Release: true}, ""},
	} {
		if got := ask(c.r); got != c.want {
			t.Errorf("%d: %q, not %q", i, got, c.want)
		}
	}
	// Of many who ask at once, one gets it.
	winners := make(chan string, 8)
	for i := range 8 {
		go func() {
			name := fmt.Sprint("w", i)
			l, err := s.Lease(context.Background(), graph.LeaseRequest{Token: name, Now: 100, Until: 200})
			if err != nil {
				t.Error(err)
			}
			if l.Token == name {
				winners <- name
			} else {
				winners <- ""
			}
		}()
	}
	won := 0
	for range 8 {
		if <-winners != "" {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d have the lease", won)
	}
}

func TestErrors(t *testing.T) {
	opts := neo4jtest.Options(t)
	neo4jtest.Wipe(t, opts)
	s := neo4jtest.Reopen(t, opts)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()

	gone := opts
	gone.URI = "bolt://127.0.0.1:1"
	gone.OpenTimeout = 2 * time.Second
	if _, err := neo4jstore.Open(ctx, gone); !errors.Is(err, graph.ErrUnavailable) {
		t.Errorf("nobody there: %v", err)
	}
	stranger := opts
	stranger.Password = "not-the-password"
	if opts.Username != "" {
		_, err := neo4jstore.Open(ctx, stranger)
		if err == nil || !strings.Contains(err.Error(), "NEO4J_PASSWORD") || strings.Contains(err.Error(), "not-the-password") {
			t.Errorf("a wrong password: %v", err)
		}
	}
	absent := opts
	absent.Database = "nosuchdatabase"
	if _, err := neo4jstore.Open(ctx, absent); err == nil || !strings.Contains(err.Error(), "NEO4J_DATABASE") {
		t.Errorf("no such database: %v", err)
	}
	for _, uri := range []string{"", "http://x", "bolt://me:secret@x", "bolt://%zz"} {
		odd := opts
		odd.URI = uri
		if _, err := neo4jstore.Open(ctx, odd); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", uri, err)
		}
	}
	short, cancel2 := context.WithTimeout(t.Context(), 40*time.Millisecond)
	defer cancel2()
	err := s.Read(short, func(r graph.Reader) error {
		time.Sleep(60 * time.Millisecond)
		_, err := r.Datasets(short)
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Read(stopped, func(graph.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	mine := errors.New("mine")
	if err := s.Read(t.Context(), func(graph.Reader) error { return mine }); err != mine {
		t.Errorf("its own error: %v", err)
	}
	_ = s.Close(t.Context())
	if err := s.Read(t.Context(), func(graph.Reader) error { return nil }); !errors.Is(err, graph.ErrUnavailable) {
		t.Errorf("closed: %v", err)
	}
}

func TestForeignAndVersions(t *testing.T) {
	opts := neo4jtest.Options(t)
	neo4jtest.Wipe(t, opts)
	raw := rawSession(t, opts)
	raw("CREATE (:Somebody {name: 'else'})")
	if _, err := neo4jstore.Open(t.Context(), opts); !errors.Is(err, graph.ErrForeignStore) {
		t.Errorf("a foreign database: %v", err)
	}
	raw("MATCH (n:Somebody) DELETE n")
	s := neo4jtest.Reopen(t, opts)
	raw("MATCH (n:ChanceryMeta) SET n.version = 99")
	if _, err := neo4jstore.Open(t.Context(), opts); !errors.Is(err, graph.ErrNewerStore) {
		t.Errorf("a newer database: %v", err)
	}
	_ = s
	raw("MATCH (n:ChanceryMeta) SET n.version = 0")
	neo4jtest.Reopen(t, opts)
	if got := raw("MATCH (n:ChanceryMeta) RETURN n.version"); got != int64(1) {
		t.Errorf("after the migration: version %v", got)
	}
}

func TestMain(m *testing.M) { os.Exit(m.Run()) }
