// Package storetest holds every store to the same answers: cases as data,
// random histories, and an in-memory oracle that does everything the plainest
// way.
package storetest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"chancery/graph"
)

// Oracle is a [graph.Store] in memory. It looks at everything for each
// question, and checks what it is told to write.
type Oracle struct {
	mu    sync.Mutex
	state *state // never changed, only replaced
}

// state is the record at one moment.
type state struct {
	vocabulary *graph.Vocabulary
	lease      graph.Lease
	datasets   map[string]graph.Dataset
	nodes      map[string]*graph.Node
	statements []graph.Statement
	relations  []version
	journal    []graph.JournalBatch
	loaded     []graph.LoadedInput
	salt       graph.Salt
	tombstones map[graph.Hash]graph.Tombstone
}

type version struct {
	graph.Relation
	symmetric bool
	nature    graph.Nature
}

// NewOracle makes an empty one.
func NewOracle() *Oracle {
	v, err := graph.BuiltinVocabulary()
	if err != nil {
		panic(err)
	}
	return &Oracle{state: &state{vocabulary: v, datasets: map[string]graph.Dataset{}, nodes: map[string]*graph.Node{},
		tombstones: map[graph.Hash]graph.Tombstone{}}}
}

func (s *state) clone() *state {
	c := *s
	c.datasets, c.nodes = maps.Clone(s.datasets), maps.Clone(s.nodes)
	c.statements, c.relations = slices.Clone(s.statements), slices.Clone(s.relations)
	c.journal, c.loaded, c.tombstones = slices.Clone(s.journal), slices.Clone(s.loaded), maps.Clone(s.tombstones)
	return &c
}

func (o *Oracle) now() *state {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state
}

// Close implements [graph.Store].
func (o *Oracle) Close(context.Context) error { return nil }

// Read implements [graph.Store].
func (o *Oracle) Read(ctx context.Context, fn func(graph.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return fn(oracleReader{o.now()})
}

// Learn implements [graph.Store].
func (o *Oracle) Learn(ctx context.Context, types []graph.RelationType) (*graph.Vocabulary, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, err := o.state.vocabulary.Extend(types)
	if err != nil {
		return nil, err
	}
	o.state = o.state.clone()
	o.state.vocabulary = v
	return v, ctx.Err()
}

// Lease implements [graph.Store].
func (o *Oracle) Lease(ctx context.Context, req graph.LeaseRequest) (graph.Lease, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return graph.Lease{}, err
	}
	l := o.state.lease
	free := l.Token == "" || l.Until <= req.Now || l.Token == req.Token || l.Token == req.Replace
	switch {
	case req.Release && l.Token == req.Token:
		l.Holder, l.Token, l.Until = "", "", 0
	case !req.Release && free:
		l.Holder, l.Token, l.Until = req.Holder, req.Token, req.Until
	}
	o.state = o.state.clone()
	o.state.lease = l
	return l, nil
}

// Apply implements [graph.Store].
func (o *Oracle) Apply(ctx context.Context, b *graph.Batch) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.Lease == "" || b.Lease != o.state.lease.Token {
		return graph.ErrLeaseLost
	}
	next := o.state.clone()
	if err := next.apply(b); err != nil {
		return err
	}
	o.state = next
	return nil
}

func (s *state) apply(b *graph.Batch) error {
	if b.Erase != nil {
		if err := s.erase(b.Erase); err != nil {
			return err
		}
	}
	if b.Dataset != nil {
		s.datasets[b.Dataset.Name] = *b.Dataset
	}
	for i := range s.loaded {
		if b.Doubted {
			s.loaded[i].Under = graph.Hash{}
		}
	}
	if b.Loaded != nil {
		s.loaded = slices.DeleteFunc(s.loaded, func(l graph.LoadedInput) bool { return l.Dataset == b.Loaded.Dataset && l.Input == b.Loaded.Input })
		s.loaded = append(s.loaded, *b.Loaded)
	}
	supersede := func(id, dataset string) (bool, error) {
		for i := range s.statements {
			st := &s.statements[i]
			if st.ID == id && st.Dataset == dataset && st.SupersededAt == 0 {
				if st.RecordedAt >= b.At {
					return false, fmt.Errorf("the statement of %s about %s was recorded at %s, and is to be superseded at %s", dataset, id, st.RecordedAt, b.At)
				}
				st.SupersededAt = b.At
				return true, nil
			}
		}
		return false, nil
	}
	for _, st := range b.Statements {
		if _, err := supersede(st.ID, st.Dataset); err != nil {
			return err
		}
		st.Content.Date.OpenAsOfRecording = false
		s.statements = append(s.statements, st)
	}
	for _, k := range b.Retracted {
		if found, err := supersede(k.ID, k.Dataset); err != nil || !found {
			return fmt.Errorf("%s has no standing statement about %s to retract (%v)", k.Dataset, k.ID, err)
		}
	}
	put := func(n *graph.Node) {
		c := *n
		c.Date.OpenAsOfRecording = false
		s.nodes[n.ID] = &c
	}
	for _, n := range b.Nodes {
		put(n)
	}
	for _, n := range b.New {
		id := n.Statement.ID
		if s.nodes[id] != nil || slices.ContainsFunc(s.statements, func(st graph.Statement) bool { return st.ID == id }) {
			return graph.ErrTaken
		}
		n.Statement.Content.Date.OpenAsOfRecording = false
		s.statements = append(s.statements, n.Statement)
		put(n.Node)
	}
	end := func(e graph.Entry) error {
		for i := range s.relations {
			r := &s.relations[i]
			if r.ID != e.ID || r.SupersededAt != 0 {
				continue
			}
			if r.RecordedAt >= b.At || r.Type != e.Type || r.Source != e.Source || r.Target != e.Target {
				return fmt.Errorf("what stands under %s is %+v, and not %+v", e.ID, r.Relation, e)
			}
			r.SupersededAt = b.At
			return nil
		}
		return fmt.Errorf("no relation %s stands", e.ID)
	}
	for _, e := range b.Withdrawn {
		if err := end(e); err != nil {
			return err
		}
	}
	for _, w := range b.Relations {
		if w.Former != nil {
			if err := end(*w.Former); err != nil {
				return err
			}
		}
	}
	for _, w := range b.Relations {
		for _, id := range w.Ends() {
			if n := s.nodes[id]; n == nil || n.Form != graph.FormEntity {
				return fmt.Errorf("relation %s: there is no entity %s", w.ID, id)
			}
		}
		if slices.ContainsFunc(s.relations, func(r version) bool { return r.ID == w.ID && r.SupersededAt == 0 }) {
			if b.Fresh {
				return graph.ErrTaken
			}
			return fmt.Errorf("relation %s would stand twice", w.ID)
		}
		v := version{*w.Relation, w.Symmetric, w.Nature}
		v.Date.OpenAsOfRecording = false
		s.relations = append(s.relations, v)
	}
	var changed []string
	for _, e := range b.Withdrawn {
		changed = append(changed, "-"+e.ID)
	}
	for _, w := range b.Relations {
		if w.Former == nil {
			changed = append(changed, "+"+w.ID)
		} else {
			changed = append(changed, "~"+w.ID)
		}
	}
	if changed != nil {
		s.journal = append(s.journal, graph.JournalBatch{Seq: int64(len(s.journal) + 1), At: b.At, Relations: changed})
	}
	s.lease.LastRecorded = max(s.lease.LastRecorded, b.At)
	return nil
}

// erase takes things out, and has nothing refer to a node that is gone.
func (s *state) erase(e *graph.Erasure) error {
	is := func(v *version, id string, at graph.Instant, hash graph.Hash) bool {
		return v.ID == id && v.RecordedAt == at && v.Hash == hash
	}
	for _, r := range e.Relations {
		// In the journal each of the two batches that name the version loses its half.
		for i := range s.journal {
			b := &s.journal[i]
			b.Relations = slices.Clone(b.Relations)
			for j, entry := range b.Relations {
				switch {
				case b.At == r.RecordedAt && entry == "+"+r.ID, b.At == r.SupersededAt && entry == "-"+r.ID:
					b.Relations[j] = ""
				case b.At == r.RecordedAt && entry == "~"+r.ID:
					b.Relations[j] = "-" + r.ID
				case b.At == r.SupersededAt && entry == "~"+r.ID:
					b.Relations[j] = "+" + r.ID
				}
			}
		}
		s.relations = slices.DeleteFunc(s.relations, func(v version) bool { return is(&v, r.ID, r.RecordedAt, r.Hash) })
	}
	for _, w := range e.Rewritten {
		for i := range s.relations {
			if v := &s.relations[i]; is(v, w.ID, w.RecordedAt, w.Was) {
				v.Event, v.About, v.Citations, v.Hash = w.Event, w.About, w.Citations, w.Hash
			}
		}
	}
	for _, w := range e.Restated {
		for i := range s.statements {
			if st := &s.statements[i]; st.ID == w.ID && st.Dataset == w.Dataset && st.RecordedAt == w.RecordedAt && st.Hash == w.Was {
				st.Content.Participants, st.Content.Places, st.Hash = w.Content.Participants, w.Content.Places, w.Hash
			}
		}
	}
	for _, id := range e.Nodes {
		delete(s.nodes, id)
		s.statements = slices.DeleteFunc(s.statements, func(st graph.Statement) bool { return st.ID == id })
		if slices.ContainsFunc(s.relations, func(v version) bool { return v.Source == id || v.Target == id }) {
			return fmt.Errorf("relations still end at %s", id)
		}
	}
	if e.Salt != nil {
		if s.salt != nil {
			return fmt.Errorf("there is a salt already")
		}
		s.salt = e.Salt
	}
	for _, t := range e.Tombstones {
		s.tombstones[t.Key] = t
	}
	maps.DeleteFunc(s.tombstones, func(_ graph.Hash, t graph.Tombstone) bool { return slices.Contains(e.Lifted, t.Of) })
	return nil
}

// oracleReader answers from one state.
type oracleReader struct{ *state }

// Vocabulary implements [graph.Reader].
func (s oracleReader) Vocabulary() *graph.Vocabulary { return s.vocabulary }

// Identities implements [graph.Reader].
func (s oracleReader) Identities() *graph.Identities {
	canonical := map[string]string{}
	for id, n := range s.nodes {
		if n.Canonical != id {
			canonical[id] = n.Canonical
		}
	}
	return graph.NewIdentities(canonical)
}

// Nodes implements [graph.Reader].
func (s oracleReader) Nodes(ctx context.Context, ids []string, detail bool) (map[string]*graph.Node, error) {
	out := map[string]*graph.Node{}
	for _, id := range ids {
		if n := s.nodes[id]; n != nil {
			out[id] = view(n, detail)
		}
	}
	return out, ctx.Err()
}

func view(n *graph.Node, detail bool) *graph.Node {
	c := *n
	if !detail {
		c = graph.Node{ID: n.ID, Canonical: n.Canonical, Datasets: n.Datasets}
		c.Form, c.Kind, c.Name = n.Form, n.Kind, n.Name
	}
	return &c
}

func in[T comparable](list []T, v T) bool { return list == nil || slices.Contains(list, v) }

func overlap(list, values []string) bool {
	return list == nil || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) })
}

// matches says whether a relation passes a filter; near is the anchor entity,
// or "".
func (s oracleReader) matches(r *version, f *graph.RelationFilter, asOf *graph.Day, near string) bool {
	certainly := func(c graph.Certainty) bool { return c == graph.Certain || c != "" && f.Certainty != graph.Certain }
	if near != "" && !r.symmetric && r.Source != r.Target {
		if f.Direction == graph.Out && r.Source != near || f.Direction == graph.In && r.Target != near {
			return false
		}
	}
	others := []string{r.Source, r.Target}
	if near != "" {
		others = []string{r.Far(near)}
	}
	if f.Within && near != "" && s.nodes[r.Source].Canonical != s.nodes[r.Target].Canonical {
		return false
	}
	if f.WithKinds != nil && !slices.ContainsFunc(others, func(id string) bool { return slices.Contains(f.WithKinds, s.nodes[id].Kind) }) {
		return false
	}
	prefixed := f.CAMEO == nil || slices.ContainsFunc(f.CAMEO, func(code string) bool { return strings.HasPrefix(r.CAMEO, code) })
	return prefixed && overlap(f.With, others) &&
		in(f.Types, r.Type) && in(f.Families, r.Family) && (f.Nature == nil || *f.Nature == r.nature) &&
		in(f.Source, r.Source) && in(f.Target, r.Target) && in(f.AccreditedTo, r.AccreditedTo) &&
		(f.During == nil || certainly(r.Date.In(*f.During))) && (asOf == nil || certainly(r.Date.AsOf(*asOf, r.nature))) &&
		in(f.Status, r.Status) && in(f.DateBasis, r.Date.Basis) && overlap(f.About, r.About) &&
		(f.Event == nil || *f.Event != "" && r.Event == *f.Event) && in(f.ClaimedBy, r.ClaimedBy) && overlap(f.Place, r.Places) &&
		in(f.Dataset, r.Dataset) && (f.MinConfidence == nil || r.Confidence != nil && *r.Confidence >= *f.MinConfidence)
}

// Relations implements [graph.Reader].
func (s oracleReader) Relations(ctx context.Context, q *graph.RelationQuery) ([]graph.RelationPage, error) {
	ids := q.IDs
	if q.Anchor == graph.AnchorNone {
		ids = []string{""}
	}
	pages := []graph.RelationPage{}
	for _, id := range ids {
		var all []*graph.Relation
		for i := range s.relations {
			r := &s.relations[i]
			near, here := "", true
			switch q.Anchor {
			case graph.AnchorEntity:
				near, here = id, r.Source == id || r.Target == id
			case graph.AnchorID:
				here = r.ID == id
			case graph.AnchorEvent:
				here = id != "" && r.Event == id
			case graph.AnchorAbout:
				here = slices.Contains(r.About, id)
			}
			if here && r.SupersededAt == 0 && s.matches(r, &q.Filter, q.AsOf, near) {
				v := r.Relation
				if !q.Detail {
					v = graph.Relation{ID: r.ID, Type: r.Type, Source: r.Source, Target: r.Target, Date: r.Date, Status: r.Status}
				}
				all = append(all, &v)
			}
		}
		page := graph.RelationPage{Anchor: id}
		if q.Count {
			page.Count = len(all)
		}
		if q.Anchor == graph.AnchorID && len(all) == 0 {
			continue
		}
		slices.SortFunc(all, func(a, b *graph.Relation) int { return q.Order.Compare(a.Key(), b.Key()) })
		all = slices.DeleteFunc(all, func(r *graph.Relation) bool {
			return q.After != nil && q.Order.Compare(r.Key(), *q.After) <= 0 || q.Before != nil && q.Order.Compare(r.Key(), *q.Before) >= 0
		})
		page.Rows = cut(all, q.Limit, q.Backward)
		pages = append(pages, page)
	}
	return pages, ctx.Err()
}

func cut[T any](all []T, limit int, backward bool) []T {
	n := min(limit, len(all))
	if n == 0 {
		return nil
	}
	if backward {
		return all[len(all)-n:]
	}
	return all[:n]
}

// Entities implements [graph.Reader].
func (s oracleReader) Entities(ctx context.Context, q *graph.EntityQuery) (graph.EntityPage, error) {
	var all []*graph.Node
	f := &q.Filter
	for _, n := range s.nodes {
		if n.Form != graph.FormEntity || n.Withdrawn() || !in(f.IDs, n.ID) || !in(f.Kinds, n.Kind) || !overlap(f.Dataset, n.Datasets) ||
			f.ExternalID != nil && !slices.Contains(n.ExternalIDs, *f.ExternalID) ||
			q.AsOf != nil && n.Date.EDTF != "" && (n.Date.Earliest > *q.AsOf || n.Date.Latest < *q.AsOf) {
			continue
		}
		if f.Office != nil && !slices.ContainsFunc(s.relations, func(r version) bool {
			return r.SupersededAt == 0 && s.nodes[r.Source].Canonical == n.ID && slices.Contains(f.Office, r.Type) && r.nature == graph.Standing &&
				r.Status.Factual() && (q.AsOf == nil || r.Date.Earliest <= *q.AsOf && r.Date.Latest >= *q.AsOf)
		}) {
			continue
		}
		all = append(all, view(n, q.Detail))
	}
	page := graph.EntityPage{}
	if q.Count {
		page.Count = len(all)
	}
	compare := func(a, b graph.EntityKey) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) }
	slices.SortFunc(all, func(a, b *graph.Node) int { return compare(q.Order.Key(a), q.Order.Key(b)) })
	all = slices.DeleteFunc(all, func(n *graph.Node) bool {
		k := q.Order.Key(n)
		return q.After != nil && compare(k, *q.After) <= 0 || q.Before != nil && compare(k, *q.Before) >= 0
	})
	page.Rows = cut(all, q.Limit, q.Backward)
	return page, ctx.Err()
}

// Candidates implements [graph.Reader].
func (s oracleReader) Candidates(ctx context.Context, q *graph.SearchQuery) ([]*graph.Node, error) {
	var out []*graph.Node
	for _, n := range s.nodes {
		if n.Form != graph.FormEntity || n.Withdrawn() || !in(q.Kinds, n.Kind) || len(q.Words) == 0 {
			continue
		}
		terms := graph.SearchTerms(n.Name, n.Aliases)
		met := 0
		for _, w := range q.Words {
			if slices.ContainsFunc(terms, func(t string) bool { return strings.HasPrefix(t, w.Prefix) || slices.Contains(w.Exact, t) }) {
				met++
			}
		}
		if met == len(q.Words) || q.AnyWord && met > 0 {
			v := view(n, false)
			v.Aliases = n.Aliases
			out = append(out, v)
		}
	}
	return out, ctx.Err()
}

// Held implements [graph.Reader].
func (s oracleReader) Held(ctx context.Context, q *graph.HeldQuery) (*graph.Held, error) {
	h := &graph.Held{Statements: map[string][]graph.Statement{}, Relations: map[string]graph.Entry{}}
	for _, st := range s.statements {
		later := slices.ContainsFunc(s.statements, func(o graph.Statement) bool {
			return o.ID == st.ID && o.Dataset == st.Dataset && o.RecordedAt > st.RecordedAt
		})
		if slices.Contains(q.Nodes, st.ID) && (q.History || !later) {
			h.Statements[st.ID] = append(h.Statements[st.ID], st)
		}
		if q.Every == graph.EveryStatement && st.ID > q.After {
			h.IDs = append(h.IDs, st.ID)
		}
		if q.Limit > 0 && st.Dataset == q.Dataset && st.SupersededAt == 0 && st.ID > q.After {
			h.Entries = append(h.Entries, graph.Entry{ID: st.ID, Dataset: st.Dataset, Hash: st.Hash})
		}
	}
	for id := range h.Statements {
		slices.SortFunc(h.Statements[id], func(a, b graph.Statement) int {
			return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.RecordedAt, b.RecordedAt))
		})
	}
	for i := range s.relations {
		r := &s.relations[i]
		e := graph.Entry{ID: r.ID, Relation: true, Type: r.Type, Source: r.Source, Target: r.Target, Dataset: r.Dataset, Hash: r.Hash}
		asked := slices.Contains(q.Relations, r.ID)
		begun := slices.ContainsFunc(q.Beginnings, func(text string) bool { return strings.HasPrefix(r.ID, text) })
		if (asked || begun) && r.SupersededAt == 0 {
			standing := e
			standing.RecordedAt = r.RecordedAt
			h.Relations[r.ID] = standing
		}
		if asked && q.History {
			if h.Versions == nil {
				h.Versions = map[string][]*graph.Relation{}
			}
			v := r.Relation
			h.Versions[r.ID] = append(h.Versions[r.ID], &v)
		}
		if q.Every == graph.EveryRelation && r.ID > q.After {
			h.IDs = append(h.IDs, r.ID)
		}
		if q.Limit > 0 && r.Dataset == q.Dataset && r.SupersededAt == 0 && r.ID > q.After {
			h.Entries = append(h.Entries, e)
		}
	}
	for id := range h.Versions {
		slices.SortFunc(h.Versions[id], func(a, b *graph.Relation) int { return cmp.Compare(a.RecordedAt, b.RecordedAt) })
	}
	slices.SortFunc(h.Entries, func(a, b graph.Entry) int { return cmp.Compare(a.ID, b.ID) })
	h.Entries = cut(h.Entries, q.Limit, false)
	slices.Sort(h.IDs)
	h.IDs = cut(slices.Compact(h.IDs), q.Limit, false)
	if q.Identity {
		h.Identities = s.Identities()
		for _, st := range s.statements {
			if st.Content.Form == graph.FormIdentity && st.SupersededAt == 0 {
				h.Judgements = append(h.Judgements, st)
			}
		}
	}
	for _, l := range s.loaded {
		if q.Loaded != nil && l.Dataset == q.Dataset && l.Input == *q.Loaded {
			h.Loaded, h.LoadedUnder = l.At, l.Under
		}
	}
	if q.Inputs {
		h.Inputs = slices.SortedFunc(slices.Values(s.loaded), func(a, b graph.LoadedInput) int {
			return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), slices.Compare(a.Input[:], b.Input[:]))
		})
	}
	if q.Walk != nil {
		h.Walk = s.walk(q.Walk)
	}
	if q.Tombstones != nil {
		h.Tombstones.Salt = s.salt
		for key, t := range s.tombstones {
			if slices.Contains(q.Tombstones.Keys, key) || q.Tombstones.Roots && t.Root() || q.Tombstones.All {
				h.Tombstones.List = append(h.Tombstones.List, t)
			}
			if q.Tombstones.Roots && !t.Root() {
				h.Tombstones.Others++
			}
		}
		slices.SortFunc(h.Tombstones.List, graph.CompareTombstones)
	}
	if q.Journal != nil {
		h.Journal.Last = int64(len(s.journal))
		from := min(int(q.Journal.After), len(s.journal))
		h.Journal.Batches = cut(slices.Clone(s.journal[from:]), q.Journal.Limit, false)
	}
	return h, ctx.Err()
}

// walk goes by id, moment and hash.
func (s oracleReader) walk(q *graph.WalkQuery) (w graph.Walk) {
	is := func(id string) bool { return slices.Contains(q.Naming, id) }
	type place struct {
		key  string
		take func()
	}
	var places []place
	if q.Over == graph.WalkStatements {
		for _, st := range s.statements {
			if q.Naming == nil || st.Content.Naming(is) {
				places = append(places, place{fmt.Sprintf("%s\t%s\t%020d\t%s", st.ID, st.Dataset, st.RecordedAt, st.Hash),
					func() { w.Statements = append(w.Statements, st) }})
			}
		}
	} else {
		for _, v := range s.relations {
			if (q.Naming == nil || v.Naming(is)) && (!q.Text || v.HasText()) && (q.Over == graph.WalkRelations || v.SupersededAt != 0) {
				places = append(places, place{fmt.Sprintf("%s\t%020d\t%s", v.ID, v.RecordedAt, v.Hash),
					func() { w.Relations = append(w.Relations, &v.Relation) }})
			}
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.key, b.key) })
	for _, p := range places {
		if p.key <= q.After {
			continue
		}
		if len(w.Statements)+len(w.Relations) == q.Limit {
			return w
		}
		w.Next = p.key
		p.take()
	}
	w.Next = ""
	return w
}

// Datasets implements [graph.Reader].
func (s oracleReader) Datasets(ctx context.Context) ([]graph.Dataset, error) {
	out := slices.Collect(maps.Values(s.datasets))
	slices.SortFunc(out, func(a, b graph.Dataset) int { return cmp.Compare(a.Name, b.Name) })
	return out, ctx.Err()
}

var (
	_ graph.Store  = (*Oracle)(nil)
	_ graph.Reader = oracleReader{}
)

// Statements counts the versions of statements in an oracle.
func Statements(o *Oracle) int { return len(o.now().statements) }
