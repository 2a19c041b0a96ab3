package loader

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"chancery/graph"
)

// World is what files may refer to: the record as it will be when the other
// inputs that were checked are loaded.
type World struct {
	// Vocabulary holds the relation types of the store.
	Vocabulary *graph.Vocabulary
	// Now is when the load began.
	Now time.Time
	// Forgotten says what the store has forgotten.
	Forgotten *graph.Forgotten

	store     graph.Store
	datasets  map[string]graph.Dataset // in the store
	priority  map[string]int           // of the store's data sets and the inputs'
	inputs    map[string]string        // files of this load, by data set
	wholes    map[string]string        // feeds and tables of this load that are all of their data set
	added     map[string]bool          // data sets that inputs of this load add to: see begun
	nodes     map[string][]graph.Statement
	relations map[string]graph.Entry
	lines     []*lineIndex  // of files of this load that are JSON lines
	feeds     []stating     // of this load
	unread    []string      // the data sets of feeds that cannot be loaded
	judged    []judgedWhere // by the store, and by the inputs so far
	// unresolved are the files that refer to something that is nowhere yet.
	unresolved map[string]bool
	// uses are the data sets of this load that each refers to.
	uses map[string]map[string]bool
	// held are the data sets against whose editions in the store each was checked.
	held map[string]map[string]bool
}

// begun reports whether something may be recorded of a data set before this
// input, and notes that this one adds to it.
func (w *World) begun(dataset string) bool {
	_, held := w.datasets[dataset]
	before := held || w.added[dataset]
	w.added[dataset] = true
	return before
}

func newWorld(ctx context.Context, store graph.Store, now time.Time) (*World, error) {
	w := &World{
		Now: now, store: store, datasets: map[string]graph.Dataset{}, priority: map[string]int{}, inputs: map[string]string{}, wholes: map[string]string{},
		nodes: map[string][]graph.Statement{}, relations: map[string]graph.Entry{}, added: map[string]bool{},
		unresolved: map[string]bool{}, uses: map[string]map[string]bool{}, held: map[string]map[string]bool{},
	}
	err := store.Read(ctx, func(tx graph.Reader) error {
		w.Vocabulary = tx.Vocabulary()
		var err error
		if w.Forgotten, err = graph.ReadForgotten(ctx, tx); err != nil {
			return err
		}
		datasets, err := tx.Datasets(ctx)
		for _, d := range datasets {
			w.datasets[d.Name] = d
			w.priority[d.Name] = d.Priority
		}
		if err != nil {
			return err
		}
		held, err := tx.Held(ctx, &graph.HeldQuery{Identity: true})
		if err != nil {
			return err
		}
		for i := range held.Judgements {
			if j, ok := held.Judgements[i].Judgement(); ok {
				name := held.Judgements[i].Dataset
				w.judge(name, j, "data set "+name)
			}
		}
		return nil
	})
	return w, err
}

// Dataset returns what the store knows of a data set.
func (w *World) Dataset(name string) (graph.Dataset, bool) {
	d, ok := w.datasets[name]
	return d, ok
}

// Claim says that a file is an edition of a data set. It returns the file that
// said so before, if any.
func (w *World) Claim(dataset, file string) (earlier string, taken bool) {
	if earlier, taken = w.inputs[dataset]; !taken {
		w.inputs[dataset] = file
	}
	return earlier, taken
}

// claimWhole is Claim for feeds and tables. What tables hold, and of feeds all
// but the entities, is not known beforehand to other files, which see the store as it is.
func (w *World) claimWhole(dataset, file string) (earlier string, taken bool) {
	if earlier, taken = w.wholes[dataset]; !taken {
		earlier, taken = w.inputs[dataset]
	}
	if !taken {
		w.wholes[dataset] = file
	}
	return earlier, taken
}

// unclaim takes back what a file said.
func (w *World) unclaim(dataset, file string) {
	if w.inputs[dataset] == file {
		delete(w.inputs, dataset)
	}
}

// overtaken reports whether a file was checked against an edition in the store
// that a file behind it replaces by another one. Same are the data sets of which
// the new edition is that in the store.
func (w *World) overtaken(file string, same map[string]bool) bool {
	for dataset, by := range w.inputs {
		if by != file {
			continue
		}
		for other := range w.held[dataset] {
			if by, replaced := w.inputs[other]; (replaced && by != file || w.refeeds(other)) && !same[other] {
				return true
			}
		}
	}
	return false
}

// retract takes back all that is known of a file that is checked again.
func (w *World) retract(file string) {
	w.judged = slices.DeleteFunc(w.judged, func(j judgedWhere) bool { return j.in(file) })
	for dataset, by := range w.inputs {
		if by != file {
			continue
		}
		delete(w.inputs, dataset)
		delete(w.uses, dataset)
		delete(w.held, dataset)
		for id, statements := range w.nodes {
			if statements = slices.DeleteFunc(statements, func(s graph.Statement) bool { return s.Dataset == dataset }); len(statements) == 0 {
				delete(w.nodes, id)
			} else {
				w.nodes[id] = statements
			}
		}
		maps.DeleteFunc(w.relations, func(_ string, r graph.Entry) bool { return r.Dataset == dataset })
		w.lines = slices.DeleteFunc(w.lines, func(x *lineIndex) bool { return x.dataset == dataset })
	}
}

// use notes that a data set refers to something of another one.
func (w *World) use(dataset, other string) { note(w.uses, dataset, other) }

// holds notes that a data set is checked against the edition of another one that
// the store has.
func (w *World) holds(dataset, other string) { note(w.held, dataset, other) }

func note(of map[string]map[string]bool, dataset, other string) {
	if of[dataset] == nil {
		of[dataset] = map[string]bool{}
	}
	of[dataset][other] = true
}

// judgedWhere is a judgement with the place where it is found.
type judgedWhere struct {
	graph.Judgement
	dataset string
	where   string // for people
}

// in reports whether it is in a file of this load.
func (j *judgedWhere) in(file string) bool { return strings.HasPrefix(j.where, file+", line ") }

// judgementKey tells judgements apart: the verdict, and the pair in any order.
func judgementKey(j graph.Judgement) string { return string(j.Verdict) + j.ID() }

// judge notes a judgement.
func (w *World) judge(dataset string, j graph.Judgement, where string) {
	w.judged = append(w.judged, judgedWhere{j, dataset, where})
}

// judgements are those of other data sets. Of one that a file before this one
// replaces, they are those of that file.
func (w *World) judgements(besides string) (out []judgedWhere) {
	for _, j := range w.judged {
		file, replaced := w.inputs[j.dataset]
		if j.dataset != besides && (!replaced || j.in(file)) {
			out = append(out, j)
		}
		switch {
		case j.dataset == besides:
		case replaced: // what is taken back must be gone before these are written
			w.use(besides, j.dataset)
		default:
			w.holds(besides, j.dataset)
		}
	}
	return out
}

// judges reports whether the store has judgements of a data set.
func (w *World) judges(dataset string) bool {
	return slices.ContainsFunc(w.judged, func(j judgedWhere) bool { return j.dataset == dataset })
}

// holdsOthers reports whether the store has anything of a data set that is no
// judgement.
func (w *World) holdsOthers(ctx context.Context, dataset string) (others bool, err error) {
	from, before := graph.JudgementIDs()
	err = w.store.Read(ctx, func(tx graph.Reader) error {
		for _, after := range []string{"", before} {
			held, err := tx.Held(ctx, &graph.HeldQuery{Dataset: dataset, After: after, Limit: 1})
			if err != nil {
				return err
			}
			others = others || len(held.Entries) > 0 && !strings.HasPrefix(held.Entries[0].ID, from)
		}
		return nil
	})
	return others, err
}

// Announce makes the content of an edition known to the inputs that follow.
func (w *World) Announce(e graph.Edition, statements []graph.Statement, relations []*graph.Relation) {
	w.priority[e.Dataset] = e.Priority
	for _, s := range statements {
		s.Dataset = e.Dataset
		w.nodes[s.ID] = append(w.nodes[s.ID], s)
	}
	for _, r := range relations {
		w.relations[r.ID] = graph.Entry{ID: r.ID, Relation: true, Type: r.Type, Source: r.Source, Target: r.Target, Dataset: e.Dataset}
	}
}

// announceLines does so for a file of JSON lines.
func (w *World) announceLines(e graph.Edition, x *lineIndex) {
	w.priority[e.Dataset] = e.Priority
	w.lines = append(w.lines, x)
}

// A stating edition is one of a feed. When it was surveyed, it tells of an id whether it
// is to state an entity of it, and which; it need not keep what it states for that.
type stating interface {
	Edition
	survey() error
	states(id string) (kind graph.Kind, ok bool)
}

// survey makes the first pass through a feed, after which its entities are known to files
// that refer to them.
func (w *World) survey(e stating) error {
	if err := e.survey(); err != nil {
		w.unread = append(w.unread, e.Describe().Dataset)
		return err
	}
	w.feeds = append(w.feeds, e)
	return nil
}

// mayBeFed reports whether an id may be one of a feed of this load that cannot be
// loaded, which is said: nothing is known then of what it states.
func (w *World) mayBeFed(id string) bool {
	return slices.ContainsFunc(w.unread, func(dataset string) bool { return strings.HasPrefix(id, dataset+"/") })
}

// refeeds reports whether a feed of this load is all of a data set.
func (w *World) refeeds(dataset string) bool {
	return slices.ContainsFunc(w.feeds, func(e stating) bool {
		edition := e.Describe()
		return edition.Whole && edition.Dataset == dataset
	})
}

// fed is what the feeds of this load state of an id, by data set, in the order in which
// they are loaded. What was forgotten they leave out.
func (w *World) fed(besides, id string) (statements []graph.Statement) {
	for _, e := range w.feeds {
		of := e.Describe().Dataset
		kind, ok := e.states(id)
		if !ok || of == besides || w.Forgotten.Root(id) {
			continue
		}
		at := slices.IndexFunc(statements, func(s graph.Statement) bool { return s.Dataset == of })
		if at < 0 {
			statements = append(statements, graph.Statement{ID: id, Dataset: of, Content: graph.Content{Form: graph.FormEntity, Kind: kind, Name: id}})
		} else {
			statements[at].Content.Kind = becomes(statements[at].Content.Kind, kind)
		}
	}
	return statements
}

// becomes is the kind of what one file of a data set says is before, and the next one
// says is now.
func becomes(before, now graph.Kind) graph.Kind {
	if now == graph.KindUndecided {
		return before
	}
	return now
}

// Known is what stands under an id besides what the file itself says of it.
type Known struct {
	Node     *graph.Node  // an entity, event or source; nil if there is none
	Relation *graph.Entry // a relation; nil if there is none
	// Lapsing names the data set of this load whose present edition has the
	// id, while the new one does not: nothing may refer to it. It is set only
	// when nothing else states the id.
	Lapsing string
	// OwnForm is what the id is in the present edition of the file's own data
	// set: a form, or "" where it has no node of that id.
	OwnForm graph.Form
	// Forgotten says that the id was forgotten. Node or Relation holds the id
	// alone; what names it is left out by the load.
	Forgotten bool
}

// saidOf visits what a data set says of some ids, as the store has it.
func saidOf(ctx context.Context, store graph.Store, dataset string, ids []string, visit func(s *graph.Statement)) error {
	for part := range slices.Chunk(ids, BatchSize) {
		err := store.Read(ctx, func(tx graph.Reader) error {
			held, err := tx.Held(ctx, &graph.HeldQuery{Nodes: part})
			if err != nil {
				return err
			}
			for _, id := range part {
				for _, s := range graph.StandingStatements(held.Statements[id]) {
					if s.Dataset == dataset {
						visit(&s)
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Find returns what stands under ids outside the file, which is to be the new
// edition of the data set. Ids under which nothing stands are absent.
func (w *World) Find(ctx context.Context, dataset string, ids []string) (map[string]Known, error) {
	out := make(map[string]Known, min(len(ids), 1024))
	err := w.store.Read(ctx, func(tx graph.Reader) error {
		for part := range slices.Chunk(ids, BatchSize) {
			held := &graph.Held{}
			var err error
			if len(w.datasets) > 0 { // else the store was empty when the load began
				held, err = tx.Held(ctx, &graph.HeldQuery{Nodes: part, Relations: part})
			}
			if err != nil {
				return err
			}
			for _, id := range part {
				if k, ok := w.known(held, dataset, id); ok {
					out[id] = k
				}
			}
		}
		return nil
	})
	if err != nil || w.Forgotten.Nothing() {
		return out, err
	}
	absent := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, known := out[id]; return known })
	for part := range slices.Chunk(absent, BatchSize) {
		found, err := w.Forgotten.Find(ctx, w.store, part)
		if err != nil {
			return nil, err
		}
		for id, t := range found {
			k := Known{Forgotten: true}
			if t.Form == "" {
				k.Relation = &graph.Entry{ID: id, Relation: true}
			} else {
				k.Node = &graph.Node{ID: id, Canonical: id, Content: graph.Content{Form: t.Form}}
			}
			out[id] = k
		}
	}
	return out, nil
}

func (w *World) known(held *graph.Held, dataset, id string) (Known, bool) {
	var k Known
	statements := slices.Clone(w.nodes[id])
	announced, isRelation := w.relations[id]
	for _, x := range w.lines {
		statement, relation := x.known(id)
		if statement != nil {
			statements = append(statements, *statement)
		}
		if relation != nil {
			announced, isRelation = *relation, true
		}
	}
	fed := w.fed(dataset, id)
	for _, list := range [][]graph.Statement{statements, fed} {
		for i := range list {
			w.use(dataset, list[i].Dataset)
		}
	}
	if isRelation {
		w.use(dataset, announced.Dataset)
	}
	for _, s := range held.Statements[id] {
		_, replaced := w.inputs[s.Dataset]
		replaced = replaced || s.Content.Form == graph.FormEntity && w.refeeds(s.Dataset)
		switch {
		case s.SupersededAt != 0:
		case s.Dataset == dataset:
			k.OwnForm, k.Lapsing = s.Content.Form, s.Dataset
		case replaced:
			k.Lapsing = s.Dataset
		default:
			if at := slices.IndexFunc(fed, func(f graph.Statement) bool { return f.Dataset == s.Dataset }); at >= 0 && s.Content.Form == graph.FormEntity {
				s.Content.Kind = becomes(s.Content.Kind, fed[at].Content.Kind)
				fed = slices.Delete(fed, at, at+1)
			}
			statements = append(statements, s)
			w.holds(dataset, s.Dataset)
		}
	}
	if statements = append(statements, fed...); len(statements) > 0 {
		n := graph.Merge(statements, func(dataset string) int { return w.priority[dataset] })
		k.Node = &n
	}
	if isRelation {
		k.Relation = &announced
	} else if r, ok := held.Relations[id]; ok {
		if _, replaced := w.inputs[r.Dataset]; replaced && r.Dataset != dataset {
			k.Lapsing = r.Dataset
		} else {
			k.Relation = &r
			w.holds(dataset, r.Dataset)
		}
	}
	if k.Node != nil || k.Relation != nil {
		k.Lapsing = ""
	}
	return k, k.Node != nil || k.Relation != nil || k.Lapsing != ""
}

// Suggest returns ids in the store whose names have the words of a text.
func (w *World) Suggest(ctx context.Context, text string) []string {
	var q graph.SearchQuery
	for _, word := range graph.Words(text) {
		q.Words = append(q.Words, graph.ToSearchWord(word))
	}
	if len(q.Words) == 0 {
		return nil
	}
	var ids []string
	// A suggestion that cannot be had is no reason to fail.
	_ = w.store.Read(ctx, func(tx graph.Reader) error {
		nodes, err := tx.Candidates(ctx, &q)
		for _, n := range nodes {
			ids = append(ids, n.ID)
		}
		return err
	})
	slices.Sort(ids)
	return ids
}
