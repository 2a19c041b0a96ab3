package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"chancery/graph"

	"github.com/google/go-cmp/cmp"
)

// erasing are the options of an erasure at a moment, with a salt that is the
// same each time.
func erasing(at time.Time, batch int) graph.ForgetOptions {
	return graph.ForgetOptions{RecorderOptions: graph.RecorderOptions{Now: func() time.Time { return at }, Holder: "test", BatchSize: batch, Wait: time.Minute},
		Random: bytes.NewReader(bytes.Repeat([]byte("salt"), 8))}
}

// forget erases random ids from both stores, now and then by several attempts,
// and looks for what is left of them.
func (h *history) forget() {
	nodes, _ := h.all()
	var ids []string
	for range 1 + h.r.IntN(2) {
		ids = append(ids, nodes[h.r.IntN(len(nodes)-1)])
	}
	o := erasing(h.clock.now(), 1+h.r.IntN(9))
	o.Identity = h.r.IntN(3) > 0
	forget := func(s graph.Store, dry bool, batches int) (*graph.Erased, error) {
		o.DryRun = dry
		o.Random = bytes.NewReader(bytes.Repeat([]byte("salt"), 8))
		report, err := graph.Forget(h.t.Context(), &stopping{s, batches}, ids, o)
		if report != nil && report.MentionCount > graph.MaxMentions {
			report.Mentions = nil // each store lists those that it meets first
		}
		return report, err
	}
	// Stores go through their record in orders of their own, so that they may
	// differ after an attempt that stopped; not after one that came through.
	same := true
	attempt := func(dry bool) *graph.Erased {
		report, err := forget(h.oracle, dry, 1000)
		got, gotErr := forget(h.store, dry, 1000)
		if diff := cmp.Diff(fmt.Sprint(err), fmt.Sprint(gotErr)); diff != "" {
			h.fail("forgetting %q fails in another way (-oracle +store)\n%s", ids, diff)
		}
		if diff := cmp.Diff(report, got); same && diff != "" {
			h.fail("reports of forgetting %q differ (-oracle +store)\n%s", ids, diff)
		}
		return report
	}
	settled := h.settled()
	before := h.oracle.(*Oracle).now()
	would := attempt(true)
	if h.oracle.(*Oracle).now() != before {
		h.fail("a dry run has changed something")
	}
	if would == nil {
		return // the ids are not there, or not alone
	}
	if h.r.IntN(3) == 0 {
		same = false
		batches := h.r.IntN(6)
		for _, s := range []graph.Store{h.store, h.oracle} {
			if _, err := forget(s, false, batches); err != nil && !errors.Is(err, errStopped) {
				h.fail("%v", err)
			}
		}
		// Behind the tombstones, each store erases in an order of its own, so a
		// load meets another part of what is going.
		if batches < 2 && h.r.IntN(2) == 0 {
			h.load(h.next())
			settled = nil
		}
	}
	did := attempt(false)
	if same {
		did.DryRun = true
		if diff := cmp.Diff(would, did); diff != "" {
			h.fail("forgetting %q does something else than it said before (-said +done)\n%s", ids, diff)
		}
	}
	// The oracle's whole state, in words.
	state := *h.oracle.(*Oracle).now()
	state.vocabulary = nil
	text := fmt.Sprintf("%+v %+v", state.statements, state.journal)
	for _, n := range state.nodes {
		text += fmt.Sprintf("%+v", *n)
	}
	for _, v := range state.relations {
		text += fmt.Sprintf("%+v", v)
	}
	for _, id := range did.IDs {
		if regexp.MustCompile(regexp.QuoteMeta(id.ID) + `([^0-9a-z]|$)`).MatchString(text) { // e1 is neither e17 nor e1c0
			h.fail("%s is still named after it was forgotten", id.ID)
		}
		h.forgotten = append(h.forgotten, id.ID)
	}
	h.compare()
	for _, p := range settled {
		if report := h.load(p); report.Changes() > 0 {
			h.fail("after %q was forgotten, loading %s again changes something: %+v", ids, p.edition.Dataset, *report)
		}
	}
}

// settled are the newest editions that change nothing when they are loaded
// again.
func (h *history) settled() (out []*pieces) {
	for _, name := range []string{"a", "b", "c"} {
		p := h.last[h.name+"-"+name]
		if p == nil {
			continue
		}
		d := h.oracle.(*Oracle).now().datasets[p.edition.Dataset]
		if d.Complete && d.Edition == p.edition.Input && h.load(p).Changes() == 0 {
			out = append(out, p)
		}
	}
	return out
}

// lift takes tombstones away.
func (h *history) lift() {
	var ids []string
	for _, id := range h.forgotten {
		if h.r.IntN(2) == 0 {
			ids = append(ids, id)
		}
	}
	for _, s := range []graph.Store{h.store, h.oracle} {
		unknown, err := graph.Unforget(h.t.Context(), s, ids, erasing(h.clock.at, 7).RecorderOptions)
		if err != nil || unknown != nil {
			h.fail("lifting the tombstones of %q: %v, unknown %q", ids, err, unknown)
		}
	}
	h.forgotten = slices.DeleteFunc(h.forgotten, func(id string) bool { return slices.Contains(ids, id) })
}

// forgetCase is a record in which an entity is named in every way there is.
func forgetCase(t T, store graph.Store) (c *clock, load func(e editionSpec, edit func(statements []graph.Statement, relations []*graph.Relation)) *graph.Report) {
	c = newClock()
	v := vocabularyOf(t, store)
	input := byte(0)
	load = func(e editionSpec, edit func([]graph.Statement, []*graph.Relation)) *graph.Report {
		t.Helper()
		statements, relations := e.edition(v)
		// Entities first.
		slices.SortStableFunc(statements, func(a, b graph.Statement) int {
			return strings.Compare(string(a.Content.Form[0])+string(a.Content.Form[1]), string(b.Content.Form[0])+string(b.Content.Form[1]))
		})
		if edit != nil {
			edit(statements, relations)
		}
		input++
		report, err := record(t, store, graph.Edition{Dataset: e.Dataset, Whole: true, Input: graph.Hash{input}}, c.now, 3, statements, relations)
		must(t, err)
		return report
	}
	return c, load
}

func talks() editionSpec {
	return editionSpec{Dataset: "talks", Entities: []nodeSpec{
		{ID: "person/ada", Kind: graph.KindPerson, Name: "Ada Quill", Aliases: []string{"A. Q. Quillfeather"}, ExternalIDs: []string{"x:1"}},
		{ID: "person/bo", Kind: graph.KindPerson, Name: "Bo Sand"}, {ID: "person/cy", Kind: graph.KindPerson, Name: "Cy Thorn"},
		{ID: "state/ruritania", Kind: graph.KindState, Name: "Ruritania"}},
		Events: []nodeSpec{{ID: "event/pair", Name: "Consult: Ada Quill, Bo Sand", Date: "2020-01-01"},
			{ID: "event/three", Name: "Talks of three", Date: "2020-01-02"}, {ID: "event/named", Name: "Quillfeather's summit: A. Q. Quillfeather", Date: "2020-01-03"}},
		Sources: []nodeSpec{{ID: "source/1", Name: "A paper"}, {ID: "source/2", Name: "On Ada Quill"}},
		Relations: []relationSpec{
			{ID: "talks/source", Type: "CONDEMNED", Source: "person/ada", Target: "state/ruritania", Date: "2020-01-05"},
			{ID: "talks/target", Type: "CONDEMNED", Source: "person/bo", Target: "person/ada", Date: "2020-01-06", Event: "event/pair"},
			{ID: "talks/claimed", Type: "STRUCK", Source: "person/bo", Target: "state/ruritania", Date: "2020-01-07", ClaimedBy: "person/ada"},
			{ID: "talks/accredited", Type: "ENVOY_OF", Source: "person/bo", Target: "state/ruritania", Date: "2020-01-08", AccreditedTo: "person/ada"},
			{ID: "talks/place", Type: "STRUCK", Source: "person/bo", Target: "state/ruritania", Date: "2020-01-09", Places: []string{"person/ada"}},
			{ID: "talks/about", Type: "PRAISED", Source: "person/cy", Target: "person/bo", Date: "2020-01-10", About: []string{"talks/source", "talks/stays", "event/pair"}},
			{ID: "talks/stays", Type: "MET_WITH", Source: "person/bo", Target: "person/cy", Date: "2020-01-11", Event: "event/three"},
			{ID: "talks/named", Type: "MET_WITH", Source: "person/bo", Target: "person/cy", Date: "2020-01-12", Event: "event/named"},
			{ID: "talks/leads", Type: "LEADS", Source: "person/cy", Target: "state/ruritania", Date: "2020-01-01/.."},
			{ID: "talks/was", Type: "PRAISED", Source: "person/bo", Target: "person/cy", Date: "2020-01-13"},
		}}
}

func talkers(statements []graph.Statement, relations []*graph.Relation) {
	for i := range statements {
		c := &statements[i].Content
		switch statements[i].ID {
		case "event/pair":
			c.Participants = []graph.Participant{{Entity: "person/ada"}, {Entity: "person/bo"}}
		case "event/three", "event/named":
			c.Participants = []graph.Participant{{Entity: "person/bo"}, {Entity: "person/ada", Role: "host"}, {Entity: "person/cy"}}
		case "person/bo":
			c.Description = "A friend of Ada QUILL's"
		}
	}
	for _, r := range relations {
		switch r.ID {
		case "talks/stays":
			r.Citations = []graph.Citation{{Source: "source/1", Quote: "we thank áda quill"}, {Source: "source/2"}}
		case "talks/source", "talks/about":
			r.Citations = []graph.Citation{{Source: "source/2"}}
		}
	}
}

// runForgetting: what was forgotten is nowhere, the rest is whole, and loads do
// not bring it back.
func runForgetting(t T, store graph.Store) {
	ctx := t.Context()
	c, load := forgetCase(t, store)
	first := talks()
	first.Relations[9].Target = "person/ada" // it named her once
	load(first, talkers)
	load(talks(), talkers)
	var journal graph.Journal
	read := func(fn func(tx graph.Reader)) {
		t.Helper()
		must(t, store.Read(ctx, func(tx graph.Reader) error { fn(tx); return nil }))
	}
	read(func(tx graph.Reader) {
		held, err := tx.Held(ctx, &graph.HeldQuery{Journal: &graph.JournalQuery{Limit: 100}})
		must(t, err)
		journal = held.Journal
	})
	_, err := graph.Forget(ctx, store, []string{"person/ada", "no/such", "talks/stays"}, erasing(c.now(), 2))
	if err == nil || !strings.Contains(err.Error(), `nothing under the id "no/such"`) || !strings.Contains(err.Error(), "talks/stays is a relation") {
		t.Errorf("forgetting what cannot be forgotten: %v", err)
	}
	o := erasing(c.now(), 2)
	o.DryRun = true
	for _, o.DryRun = range []bool{true, false} {
		o.Random = bytes.NewReader(bytes.Repeat([]byte("salt"), 8))
		erased, err := graph.Forget(ctx, store, []string{"person/ada"}, o)
		must(t, err)
		mustEqual(t, "what was erased", &graph.Erased{DryRun: o.DryRun, IDs: []graph.ErasedID{{ID: "person/ada", Form: graph.FormEntity}},
			Entities: 1, Events: 2, Statements: 3, Relations: 5, Versions: 6, Rewritten: 3,
			Mentions: []graph.Mention{{ID: "person/bo", Dataset: "talks", Field: "description"}, {ID: "source/2", Dataset: "talks", Field: "name"},
				{ID: "talks/stays", Dataset: "talks", Field: "quotes"}}, MentionCount: 3}, erased)
	}
	after := forgottenState(t, store)
	mustEqual(t, "relations", []string{"talks/about", "talks/leads", "talks/named", "talks/stays", "talks/was"}, after.Standing)
	mustEqual(t, "about", []string{"talks/stays"}, after.About)
	mustEqual(t, "events", []string{"event/three: person/bo , person/cy "}, after.Events)
	if len(after.Was) != 1 || after.Was[0].Target != "person/cy" {
		t.Errorf("versions of a relation that named her once: %v", after.Was)
	}
	read(func(tx graph.Reader) {
		held, err := tx.Held(ctx, &graph.HeldQuery{Journal: &graph.JournalQuery{Limit: 100}})
		must(t, err)
		if held.Journal.Last != journal.Last || len(held.Journal.Batches) != len(journal.Batches) {
			t.Fatalf("the journal has other batches: %+v", held.Journal)
		}
		for i, b := range held.Journal.Batches {
			mustEqual(t, "size of a batch", len(journal.Batches[i].Relations), len(b.Relations))
			for j, entry := range b.Relations {
				was := journal.Batches[i].Relations[j]
				gone := slices.Contains([]string{"source", "target", "claimed", "accredited", "place"}, strings.TrimPrefix(was[1:], "talks/"))
				switch {
				case gone && entry != "", was == "+talks/was" && entry != "", was == "~talks/was" && entry != "+talks/was",
					!gone && !strings.HasSuffix(was, "talks/was") && entry != was:
					t.Errorf("the journal has %q where it had %q", entry, was)
				}
			}
		}
		all, err := changes(ctx, tx)
		must(t, err)
		if len(all) != 5 {
			t.Errorf("changes: %q", all)
		}
		// Every place in the journal still is one to go on from, and so is every
		// place in a list.
		for _, b := range journal.Batches {
			for n := range len(b.Relations) + 1 {
				rest, err := changesFrom(ctx, tx, graph.Position{Seq: b.Seq, N: n})
				must(t, err)
				if len(rest) > len(all) || !slices.Equal(rest, all[len(all)-len(rest):]) {
					t.Errorf("behind %d of batch %d: %q", n, b.Seq, rest)
				}
			}
		}
		pages, err := tx.Relations(ctx, &graph.RelationQuery{Anchor: graph.AnchorNone, Order: graph.OldestFirst, Limit: 2,
			After: &graph.Key{SortDay: day("2020-01-09"), ID: "talks/place"}})
		must(t, err)
		if rows := pages[0].Rows; len(rows) != 2 || rows[0].ID != "talks/about" || rows[1].ID != "talks/stays" {
			t.Errorf("behind a relation that was erased: %v", rows)
		}
		hits, err := tx.Candidates(ctx, &graph.SearchQuery{Words: []graph.SearchWord{graph.ToSearchWord("quillfeather")}})
		must(t, err)
		page, err := tx.Entities(ctx, &graph.EntityQuery{Filter: graph.EntityFilter{ExternalID: &graph.ExternalID{Scheme: "x", Value: "1"}}, Limit: 5})
		must(t, err)
		if len(hits)+len(page.Rows) > 0 {
			t.Errorf("she is still found")
		}
	})

	// Loading the same again changes nothing, and a new edition does not bring
	// her back, whatever it says of her.
	for range 2 {
		if r := load(talks(), talkers); r.Changes() > 0 || r.Forgotten == 0 {
			t.Errorf("loading again: %+v", *r)
		}
	}
	mustEqual(t, "after loading again", after, forgottenState(t, store))
	more := talks()
	more.Events = append(more.Events, nodeSpec{ID: "event/new", Name: "Ada Quill's new talks", Date: "2020-02-01"}, nodeSpec{ID: "event/few", Name: "Few", Date: "2020-02-01"})
	more.Relations = append(more.Relations,
		relationSpec{ID: "talks/x-about", Type: "PRAISED", Source: "person/cy", Target: "person/bo", Date: "2020-02-02", About: []string{"talks/z-new", "talks/claimed"}, Event: "event/new"},
		relationSpec{ID: "talks/y-new", Type: "PRAISED", Source: "person/bo", Target: "person/cy", Date: "2020-02-02", Event: "event/few"},
		relationSpec{ID: "talks/yy", Type: "PRAISED", Source: "person/bo", Target: "person/cy", Date: "2020-02-03"},
		relationSpec{ID: "talks/z-new", Type: "PRAISED", Source: "person/ada", Target: "person/cy", Date: "2020-02-02"})
	for i := range more.Relations { // an id that was erased does not come back for others
		if more.Relations[i].ID == "talks/source" {
			more.Relations[i].Source = "person/cy"
		}
	}
	taking := func(statements []graph.Statement, relations []*graph.Relation) {
		talkers(statements, relations)
		for i := range statements {
			switch c := &statements[i].Content; statements[i].ID {
			case "event/new":
				c.Participants = []graph.Participant{{Entity: "person/bo"}, {Entity: "person/ada"}, {Entity: "person/cy"}}
			case "event/few":
				c.Participants = []graph.Participant{{Entity: "person/ada"}, {Entity: "person/cy"}}
			}
		}
	}
	r := load(more, taking)
	if r.Relations.Created != 3 || r.Changes() != 3 {
		t.Errorf("a new edition: %+v", *r)
	}
	if r := load(more, taking); r.Changes() > 0 {
		t.Errorf("a new edition again: %+v", *r)
	}
	read(func(tx graph.Reader) {
		pages, err := tx.Relations(ctx, &graph.RelationQuery{Anchor: graph.AnchorID, IDs: []string{"talks/x-about", "talks/y-new"}, Limit: 2, Detail: true})
		must(t, err)
		for _, p := range pages {
			if r := p.Rows[0]; len(r.About) > 0 || r.Event != "" {
				t.Errorf("%s is about %q, and of the event %q", r.ID, r.About, r.Event)
			}
		}
		nodes, err := tx.Nodes(ctx, []string{"person/ada", "event/new", "event/few", "event/pair"}, false)
		must(t, err)
		if len(nodes) > 0 {
			t.Errorf("there are %v", nodes)
		}
		held, err := tx.Held(ctx, &graph.HeldQuery{Tombstones: &graph.TombstoneQuery{Roots: true}})
		must(t, err)
		if l := held.Tombstones.List; len(l) != 1 || !l[0].Done || l[0].Key != held.Tombstones.Salt.Key("person/ada") || held.Tombstones.Others != 10 {
			t.Errorf("tombstones: %+v", held.Tombstones)
		}
	})

	// Forgetting again is no mistake; lifted, she may be loaded again.
	erased, err := graph.Forget(ctx, store, []string{"person/ada"}, erasing(c.now(), 2))
	must(t, err)
	mustEqual(t, "forgetting again", &graph.Erased{IDs: []graph.ErasedID{{ID: "person/ada", Form: graph.FormEntity, Before: true}}}, erased)
	if unknown, err := graph.Unforget(ctx, store, []string{"person/ada", "person/bo"}, erasing(c.now(), 2).RecorderOptions); err != nil || !slices.Equal(unknown, []string{"person/bo"}) {
		t.Errorf("lifting what was not forgotten: %q, %v", unknown, err)
	}
	_, err = graph.Unforget(ctx, store, []string{"person/ada"}, erasing(c.now(), 2).RecorderOptions)
	must(t, err)
	if r := load(talks(), talkers); r.Entities.Created != 1 || r.Events.Created != 2 || r.Relations.Created != 5 || r.Forgotten != 0 {
		t.Errorf("after lifting: %+v", *r)
	}
}

// runForgettingTogether: of several that are forgotten at once, a relation goes
// with the one that its newest version names, in whatever order a store goes
// through the versions.
func runForgettingTogether(t T, store graph.Store) {
	ctx := t.Context()
	c, load := forgetCase(t, store)
	edition := func(sources ...string) editionSpec {
		e := talks()
		e.Events, e.Sources, e.Relations = nil, nil, nil
		for i, source := range sources {
			if source != "" {
				e.Relations = append(e.Relations, relationSpec{ID: fmt.Sprintf("talks/r%d", i), Type: "CONDEMNED",
					Source: source, Target: "state/ruritania", Date: "2020-01-05"})
			}
		}
		return e
	}
	last := edition("person/bo", "person/ada", "", "", "person/cy")
	load(edition("person/ada", "person/bo", "person/bo", "person/ada", "person/ada"), nil)
	load(edition("person/ada", "person/bo", "person/ada", "person/bo", "person/bo"), nil)
	load(last, nil)
	erased, err := graph.Forget(ctx, store, []string{"person/ada", "person/bo"}, erasing(c.now(), 1))
	must(t, err)
	if erased.Relations != 4 || erased.Versions != 10 {
		t.Errorf("%+v", *erased)
	}
	must(t, store.Read(ctx, func(tx graph.Reader) error {
		held, err := tx.Held(ctx, &graph.HeldQuery{Tombstones: &graph.TombstoneQuery{All: true}})
		must(t, err)
		key, with := held.Tombstones.Salt.Key, map[graph.Hash]graph.Hash{}
		for _, tombstone := range held.Tombstones.List {
			with[tombstone.Key] = tombstone.Of
		}
		ada, bo := key("person/ada"), key("person/bo")
		mustEqual(t, "with whom each went", map[graph.Hash]graph.Hash{ada: ada, bo: bo,
			key("talks/r0"): bo, key("talks/r1"): ada, key("talks/r2"): ada, key("talks/r3"): bo}, with)
		return nil
	}))
	_, err = graph.Unforget(ctx, store, []string{"person/bo"}, erasing(c.now(), 2).RecorderOptions)
	must(t, err)
	if r := load(last, nil); r.Entities.Created != 1 || r.Relations.Created != 1 || r.Forgotten != 2 {
		t.Errorf("one of them was lifted: %+v", *r)
	}
}

// runForgettingDataset: where a data set is called like what is forgotten, that
// is said once, and not of each id that begins with its name, whoever states
// it. Other ids are looked at whole.
func runForgettingDataset(t T, store graph.Store) {
	c, load := forgetCase(t, store)
	load(editionSpec{Dataset: "ada-quill", Entities: []nodeSpec{
		{ID: "ada-quill/ada", Kind: graph.KindPerson, Name: "Ada Quill"}, {ID: "ada-quill/yacht-of-ada-quill", Kind: graph.KindFacility, Name: "A yacht"},
		{ID: "ada-quill/bo", Kind: graph.KindPerson, Name: "Bo Sand"}, {ID: "state/ruritania", Kind: graph.KindState, Name: "Ruritania"}},
		Relations: []relationSpec{
			{ID: "ada-quill/r1", Type: "CONDEMNED", Source: "ada-quill/bo", Target: "state/ruritania", Date: "2020-01-05"},
			{ID: "ada-quill/ada-quill/r2", Type: "CONDEMNED", Source: "ada-quill/bo", Target: "state/ruritania", Date: "2020-01-06"},
		}}, func(_ []graph.Statement, relations []*graph.Relation) {
		for _, r := range relations {
			r.Note = "text, so that the id is looked at"
		}
	})
	load(editionSpec{Dataset: "more", Entities: []nodeSpec{
		{ID: "ada-quill/bo", Kind: graph.KindPerson, Name: "Bo Sand"}, {ID: "ada/quill", Kind: graph.KindFacility, Name: "Another yacht"},
		{ID: "ada-quill/ada:boat", Kind: graph.KindFacility, Name: "A boat"}}}, nil)
	erased, err := graph.Forget(t.Context(), store, []string{"ada-quill/ada"}, erasing(c.now(), 1))
	must(t, err)
	mustEqual(t, "mentions", []graph.Mention{{ID: "ada-quill", Dataset: "ada-quill", Field: "dataset"},
		{ID: "ada-quill/ada-quill/r2", Dataset: "ada-quill", Field: "id"}, {ID: "ada-quill/ada:boat", Dataset: "more", Field: "id"},
		{ID: "ada-quill/yacht-of-ada-quill", Dataset: "ada-quill", Field: "id"}, {ID: "ada/quill", Dataset: "more", Field: "id"}}, erased.Mentions)
}

// remains are what is left of the case.
type remains struct {
	Standing, About, Events []string
	Was                     []*graph.Relation
}

func forgottenState(t T, store graph.Store) (out remains) {
	ctx := t.Context()
	must(t, store.Read(ctx, func(tx graph.Reader) error {
		pages, err := tx.Relations(ctx, &graph.RelationQuery{Anchor: graph.AnchorNone, Limit: 100, Detail: true})
		must(t, err)
		for _, r := range pages[0].Rows {
			out.Standing = append(out.Standing, r.ID)
			if r.ID == "talks/about" {
				out.About = r.About
			}
		}
		slices.Sort(out.Standing)
		held, err := tx.Held(ctx, &graph.HeldQuery{Relations: []string{"talks/was"}, History: true})
		must(t, err)
		out.Was = held.Versions["talks/was"]
		nodes, err := tx.Nodes(ctx, []string{"event/pair", "event/three", "event/named"}, true)
		must(t, err)
		for _, n := range nodes {
			text := n.ID + ": "
			for i, p := range n.Participants {
				if i > 0 {
					text += ", "
				}
				text += p.Entity + " " + p.Role
			}
			out.Events = append(out.Events, text)
		}
		return nil
	}))
	return out
}

// runForgettingIdentities: an entity of several ids is forgotten whole or not
// at all, and the judgements on it go.
func runForgettingIdentities(t T, store graph.Store) {
	ctx := t.Context()
	c, judge := unitedCase(t, store, "mfb")
	judge("identities", adaAndRuritania()...)
	judge("more", (&graph.Judgement{Verdict: graph.Different, A: "actor/a-quill", B: "state/ruritania"}).Statement())
	var same *graph.SameError
	if _, err := graph.Forget(ctx, store, []string{"actor/a-quill"}, erasing(c.now(), 2)); !errors.As(err, &same) || !slices.Equal(same.Others, []string{"person/ada"}) {
		t.Fatalf("forgetting one of two ids: %v", err)
	}
	o := erasing(c.now(), 2)
	o.Identity = true
	erased, err := graph.Forget(ctx, store, []string{"actor/a-quill"}, o)
	must(t, err)
	if erased.Entities != 2 || erased.Judgements != 3 || erased.Relations != 9 {
		t.Errorf("%+v", *erased)
	}
	must(t, store.Read(ctx, func(tx graph.Reader) error {
		mustEqual(t, "identities", map[string][]string{"state/ruritania": {"actor/ruritania", "state/ruritania"}}, tx.Identities().Groups())
		held, err := tx.Held(ctx, &graph.HeldQuery{Identity: true, Nodes: unitedIDs[:2]})
		must(t, err)
		if len(held.Judgements) != 1 || len(held.Statements) > 0 || len(held.Identities.Groups()) != 1 {
			t.Errorf("%v, %v", held.Judgements, held.Statements)
		}
		return nil
	}))
	rec, err := record(t, store, graph.Edition{Dataset: "identities", Whole: true, Input: graph.Hash{99}}, c.now, 2, adaAndRuritania(), nil)
	must(t, err)
	if rec.Changes() > 0 || rec.Forgotten != 2 {
		t.Errorf("judgements loaded again: %+v", *rec)
	}
}

// runForgettingIdentitiesInterrupted: an erasure of one entity of several ids
// is finished from any of them, although it had taken back what united them.
func runForgettingIdentitiesInterrupted(t T, store graph.Store) {
	ctx := t.Context()
	both := unitedIDs[:2]
	for stop := 0; ; stop++ {
		c, _ := unitedCase(t, store, "mfbj")
		forget := func(s graph.Store) error {
			o := erasing(c.now(), 2)
			o.Identity = true
			_, err := graph.Forget(ctx, s, both[:1], o)
			return err
		}
		first := forget(&stopping{store, stop})
		if first != nil && !errors.Is(first, errStopped) {
			t.Fatalf("%v", first)
		}
		must(t, forget(store))
		must(t, store.Read(ctx, func(tx graph.Reader) error {
			held, err := tx.Held(ctx, &graph.HeldQuery{Nodes: both, History: true, Tombstones: &graph.TombstoneQuery{Roots: true}})
			must(t, err)
			if len(held.Statements) > 0 {
				t.Errorf("stopped after %d batches, and forgotten again: %v", stop, held.Statements)
			}
			for _, tombstone := range held.Tombstones.List {
				if !tombstone.Done {
					t.Errorf("stopped after %d batches, and forgotten again: an erasure is not finished", stop)
				}
			}
			return nil
		}))
		unknown, err := graph.Unforget(ctx, store, both, erasing(c.now(), 2).RecorderOptions)
		must(t, err)
		if len(unknown) > 0 && first != nil && stop > 0 {
			t.Errorf("stopped after %d batches: %q were not forgotten", stop, unknown)
		}
		if first == nil {
			if stop < 6 {
				t.Errorf("%d batches are too few to tell", stop)
			}
			return
		}
	}
}

// runForgettingInterrupted: an erasure that stops anywhere is finished by the
// next one, and what is gone by then is not brought back in between.
func runForgettingInterrupted(t T, store graph.Store) {
	ctx := t.Context()
	c, load := forgetCase(t, store)
	var want remains
	for stop := range 14 {
		load(talks(), talkers)
		o := erasing(c.now(), 2)
		erased, err := graph.Forget(ctx, &stopping{store, stop}, []string{"person/ada"}, o)
		if err != nil && !errors.Is(err, errStopped) {
			t.Fatalf("%v", err)
		}
		if stop > 0 && err != nil {
			before := forgottenState(t, store)
			r := load(talks(), talkers)
			if r.Entities.Created+r.Relations.Created+r.Events.Created > 0 || r.Forgotten == 0 {
				t.Errorf("loaded between two attempts, the first of %d batches: %+v, before %v", stop, *r, before.Standing)
			}
			if _, err := graph.Unforget(ctx, store, []string{"person/ada"}, o.RecorderOptions); err == nil || !strings.Contains(err.Error(), "interrupted") {
				t.Errorf("lifting what is half erased: %v", err)
			}
		}
		again := erasing(c.now(), 2)
		_, err2 := graph.Forget(ctx, store, []string{"person/ada"}, again)
		must(t, err2)
		got := forgottenState(t, store)
		got.Was = nil
		if stop == 0 {
			want = got
		}
		mustEqual(t, fmt.Sprintf("stopped after %d batches", stop), want, got)
		if stop == 13 && (err != nil || erased == nil) {
			t.Errorf("it takes more than %d batches", stop)
		}
		_, err = graph.Unforget(ctx, store, []string{"person/ada"}, o.RecorderOptions)
		must(t, err)
	}
}
