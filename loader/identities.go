package loader

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
)

// identitiesDataset is the data set of files of judgements that name no other.
const identitiesDataset = "identities"

// identitiesFormat holds judgements on which entities are the same.
type identitiesFormat struct{}

func (identitiesFormat) Name() string { return "identities" }

var identitiesHead = regexp.MustCompile(`(?m)^\x{FEFF}?identities[ \t]*:|^\x{FEFF}?\s*\{(\s*"(\$schema|dataset|title|judge)"\s*:\s*"[^"]*"\s*,)*\s*"identities"\s*:`)

// Detect looks for the key that no data set has.
func (identitiesFormat) Detect(head []byte) bool { return identitiesHead.Match(head) }

// The keys of the format.
var (
	identitiesKeys = []string{"$schema", "dataset", "title", "judge", "identities", "absent", "disputed"}
	judgementKeys  = []string{"same", "different", "reason", "judge"}
)

func (identitiesFormat) Open(ctx context.Context, in Input, world *World) (Edition, error) {
	if err := notIncremental(in, "identities"); err != nil {
		return nil, err
	}
	return openJudgements(ctx, in, world, parseText)
}

func openJudgements(ctx context.Context, in Input, world *World, parse func(file string, raw []byte) (*yaml.Node, graph.Problems)) (Edition, error) {
	raw, err := readAll(in)
	if err != nil {
		return nil, err
	}
	f := &judgementFile{decoder: decoder{file: in.Name}, world: world, lines: map[string]int{}, edition: graph.Edition{Dataset: identitiesDataset, Whole: true}}
	sum := sha256.Sum256(raw)
	copy(f.edition.Input[:], sum[:])
	root, problems := parse(in.Name, raw)
	f.problems = problems
	if root != nil {
		if err := f.read(ctx, root); err != nil {
			return nil, err
		}
	}
	if err := f.problems.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

// parseJudgementLines reads the JSON lines of a data set of judgements into the
// tree of a file that lists them.
func parseJudgementLines(file string, raw []byte) (root *yaml.Node, ps graph.Problems) {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: 1, Column: 1}
	line := 0
	for text := range bytes.Lines(bytes.TrimPrefix(raw, []byte("\ufeff"))) {
		line++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		n, problems := parseLine(file, line, bytes.TrimRight(text, "\r\n"))
		ps = append(ps, problems...)
		switch {
		case n == nil:
		case root == nil:
			root = n
		case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == judgementLine:
			list.Content = append(list.Content, n.Content[1])
		default:
			ps.Add(file, n.Line, n.Column, "each line behind the first of a file of judgements must be {%q: {…}}", judgementLine)
		}
	}
	if root != nil && root.Kind == yaml.MappingNode {
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "identities", Line: 1, Column: 1}, list)
	}
	return root, ps
}

// judgementFile is one file of judgements.
type judgementFile struct {
	decoder
	world   *World
	edition graph.Edition

	judged     []placed
	absent     map[string]bool // ids that need not be in the store
	disputed   map[string]bool // ids that may be of another kind than what they are united with
	lines      map[string]int  // of what was judged, by key
	statements []graph.Statement
	notes      []graph.Problem
}

// placed is a judgement with the places of its ids in the file.
type placed struct {
	graph.Judgement
	a, b *yaml.Node
}

func (f *judgementFile) Describe() graph.Edition { return f.edition }
func (f *judgementFile) Size() int               { return len(f.statements) }
func (f *judgementFile) Batches() iter.Seq2[Batch, error] {
	return batches(BatchSize, f.statements, nil)
}
func (f *judgementFile) Rows() *Rows            { return nil }
func (f *judgementFile) Notes() []graph.Problem { return f.notes }

func (f *judgementFile) read(ctx context.Context, root *yaml.Node) error {
	o := f.object(root, "the file of judgements", identitiesKeys)
	if root.Kind != yaml.MappingNode {
		return nil
	}
	f.edition.Title = o.line("title")
	if err := f.name(ctx, &o); err != nil {
		return err
	}
	judge := o.line("judge")
	if n := o.keys["identities"]; n != nil && !(n.Kind == yaml.ScalarNode && n.Tag == "!!null") {
		for _, item := range o.records("identities") {
			f.item(item, judge)
		}
	}
	f.absent = f.listed(&o, "absent", "need not be in the store")
	f.disputed = f.listed(&o, "disputed", "may be of another kind than what they are united with")
	if err := f.check(ctx); err != nil {
		return err
	}
	if len(f.problems) > 0 {
		return nil
	}
	for i := range f.judged {
		f.statements = append(f.statements, f.judged[i].Statement())
	}
	f.world.Announce(f.edition, f.statements, nil)
	for i := range f.judged {
		f.world.judge(f.edition.Dataset, f.judged[i].Judgement, fmt.Sprintf("%s, line %d", f.file, f.judged[i].a.Line))
	}
	return nil
}

// name reads which data set the file is an edition of. One that holds other
// things would lose them.
func (f *judgementFile) name(ctx context.Context, o *object) error {
	at := o.node
	if n := o.keys["dataset"]; n != nil {
		at = n
		s, ok := f.scalar(n, "dataset", textRule{most: maxHandle})
		if ok && !datasetForm.MatchString(s) {
			f.fail(n, "%q cannot be the name of a data set; use a-z, 0-9, hyphens, dots and underscores, starting with a letter or digit", clip(s))
			ok = false
		}
		if !ok {
			return nil
		}
		f.edition.Dataset = s
	}
	if earlier, taken := f.world.Claim(f.edition.Dataset, f.file); taken {
		f.fail(at, "%s is an edition of data set %s too, and what one edition does not hold is withdrawn; merge the two files, or give one of them another name with dataset: NAME", earlier, f.edition.Dataset)
		return nil
	}
	others, err := f.world.holdsOthers(ctx, f.edition.Dataset)
	if others {
		f.fail(at, "%s is a data set of entities and relations, which this file would withdraw; give the judgements another name with dataset: NAME", f.edition.Dataset)
	}
	return err
}

// listed reads a list of ids of judgements of this file.
func (f *judgementFile) listed(o *object, key, what string) map[string]bool {
	named := map[string]bool{}
	for _, p := range f.judged {
		named[p.A], named[p.B] = true, true
	}
	list := map[string]bool{}
	for _, item := range o.records(key) {
		id, ok := f.scalar(item, "an id", textRule{most: maxID})
		switch {
		case !ok:
		case named[id]:
			list[id] = true
		case len(f.problems) == 0: // else it may be in one that cannot be read
			f.fail(item, "%s is in no judgement of this file; %s lists ids of judgements that %s", clip(id), key, what)
		}
	}
	return list
}

// item reads one judgement. Of several ids that are the same, the first stands
// for the others; of several that are not, none is any other.
func (f *judgementFile) item(n *yaml.Node, judge string) {
	if !f.isMapping(n, "a judgement") {
		return
	}
	o := f.object(n, "the judgement", judgementKeys)
	same, different := o.keys["same"], o.keys["different"]
	if (same == nil) == (different == nil) {
		f.fail(n, "a judgement has either same or different, each with a list of ids, such as same: [person/ann-lee, actor/lee]")
		return
	}
	verdict, key := graph.Same, "same"
	if different != nil {
		verdict, key = graph.Different, "different"
	}
	j := graph.Judgement{Verdict: verdict, Reason: o.text("reason"), Judge: o.line("judge")}
	if j.Judge == "" {
		j.Judge = judge
	}
	var ids []string
	var at []*yaml.Node
	for _, item := range o.records(key) {
		id, ok := f.scalar(item, "an id", textRule{most: maxID})
		if !ok {
			continue
		}
		if slices.Contains(ids, id) {
			f.fail(item, "%s is in this judgement twice", clip(id))
			continue
		}
		ids, at = append(ids, id), append(at, item)
	}
	if list := o.keys[key]; len(ids) < 2 {
		if list.Kind == yaml.SequenceNode && len(list.Content) < 2 {
			f.fail(list, "%s needs two ids or more; it has %d", key, len(list.Content))
		}
		return
	}
	// Those that are the same are each the same as the first. It must be one that
	// stays, or the others would be parted when it goes.
	if first := slices.IndexFunc(ids, func(id string) bool { return !f.world.Forgotten.Root(id) }); first > 0 && verdict == graph.Same {
		ids[0], ids[first] = ids[first], ids[0]
		at[0], at[first] = at[first], at[0]
	}
	for i := range ids {
		for k := i + 1; k < len(ids); k++ {
			if i > 0 && verdict == graph.Same {
				return
			}
			j.A, j.B = ids[i], ids[k]
			f.enter(placed{j, at[i], at[k]})
		}
	}
}

// enter notes a judgement, once.
func (f *judgementFile) enter(p placed) {
	key := judgementKey(p.Judgement)
	if line, twice := f.lines[key]; twice {
		f.notes = append(f.notes, graph.Problem{File: f.file, Line: p.b.Line, Column: p.b.Column,
			Message: fmt.Sprintf("%s and %s were judged in line %d already; it counts once", p.A, p.B, line)})
		return
	}
	f.lines[key] = p.a.Line
	f.judged = append(f.judged, p)
}

// check looks the ids up, and holds the judgements against each other and
// against those of other data sets.
func (f *judgementFile) check(ctx context.Context) error {
	others := f.world.judgements(f.edition.Dataset)
	var ids []string
	for _, p := range f.judged {
		ids = append(ids, p.A, p.B)
	}
	for _, o := range others {
		ids = append(ids, o.A, o.B)
	}
	slices.Sort(ids)
	known, err := f.world.Find(ctx, f.edition.Dataset, slices.Compact(ids))
	if err != nil {
		return err
	}
	if err := f.withdrawn(ctx, known); err != nil {
		return err
	}
	complained := map[string]bool{}
	for _, p := range f.judged {
		f.isEntity(ctx, p.A, p.a, known, complained)
		f.isEntity(ctx, p.B, p.b, known, complained)
	}
	f.contradictions(others)
	if len(f.problems) == 0 {
		f.kinds(others, known)
	}
	return nil
}

// withdrawn takes ids for absent that were of entities once, and notes that.
// Judgements on them hold for what was said of them, and may yet be.
func (f *judgementFile) withdrawn(ctx context.Context, known map[string]Known) error {
	var unknown, gone []string
	for _, p := range f.judged {
		for _, id := range []string{p.A, p.B} {
			if k := known[id]; k.Node == nil && k.Relation == nil && !f.absent[id] {
				unknown = append(unknown, id)
			}
		}
	}
	slices.Sort(unknown)
	err := f.world.store.Read(ctx, func(tx graph.Reader) error {
		for part := range slices.Chunk(slices.Compact(unknown), BatchSize) {
			held, err := tx.Held(ctx, &graph.HeldQuery{Nodes: part})
			if err != nil {
				return err
			}
			for _, id := range part {
				if slices.ContainsFunc(held.Statements[id], func(s graph.Statement) bool { return s.Content.Form == graph.FormEntity }) {
					gone = append(gone, id)
				}
			}
		}
		return nil
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	f.world.unresolved[f.file] = true // a file behind this one may state it again
	for _, id := range gone {
		f.absent[id] = true
	}
	shown := make([]string, min(len(gone), 5))
	for i := range shown {
		shown[i] = clip(gone[i])
	}
	if len(gone) > len(shown) {
		shown = append(shown, fmt.Sprintf("%d more", len(gone)-len(shown)))
	}
	f.notes = append(f.notes, graph.Problem{File: f.file, Message: fmt.Sprintf(
		"no data set states %s any longer; what is judged of that stays", strings.Join(shown, ", "))})
	return nil
}

func (f *judgementFile) isEntity(ctx context.Context, id string, at *yaml.Node, known map[string]Known, complained map[string]bool) {
	k := known[id]
	switch {
	case f.absent[id] && k.Node == nil && k.Relation == nil:
		return
	case complained[id], k.Node != nil && k.Node.Form == graph.FormEntity:
		return
	case k.Relation != nil:
		f.fail(at, "%s is a relation (data set %s); only entities can be judged", clip(id), k.Relation.Dataset)
	case k.Node != nil:
		f.fail(at, "%s is %s; only entities can be judged", clip(id), sortOf(k.Node.Form).withArticle())
	default:
		f.world.unresolved[f.file] = true
		if f.world.mayBeFed(id) {
			return
		}
		hint := "; load the data set that has it first, or list it under absent"
		if len(complained) < 50 { // looking for names near takes time
			if near := f.near(ctx, id); len(near) > 0 {
				hint = "; did you mean " + orList(near) + "?"
			}
		}
		f.fail(at, "there is no entity %q in the store%s", clip(id), hint)
	}
	complained[id] = true
}

// near are ids that may have been meant: those of the same name in other data
// sets, else those that are written alike.
func (f *judgementFile) near(ctx context.Context, id string) []string {
	_, name, _ := strings.Cut(id, "/")
	found := f.world.Suggest(ctx, name)
	if name != "" {
		same := slices.DeleteFunc(slices.Clone(found), func(other string) bool { return !strings.HasSuffix(other, "/"+name) })
		if len(same) > 0 {
			return same[:min(len(same), 3)]
		}
	}
	return graph.NearestWords(id, found, 3)
}

// contradictions finds the judgements that cannot hold beside those before
// them.
func (f *judgementFile) contradictions(others []judgedWhere) {
	where := map[string]string{}
	var all []graph.Judgement
	for _, o := range others {
		all, where[judgementKey(o.Judgement)] = append(all, o.Judgement), o.where
	}
	before := len(all)
	for _, p := range f.judged {
		all, where[judgementKey(p.Judgement)] = append(all, p.Judgement), fmt.Sprintf("line %d", p.a.Line)
	}
	if graph.Consistent(all) == nil {
		return
	}
	held := slices.Clone(all[:before])
	for _, p := range f.judged {
		var c *graph.ContradictionError
		if !errors.As(graph.Consistent(append(held, p.Judgement)), &c) {
			held = append(held, p.Judgement)
			continue
		}
		links := make([]string, len(c.Chain))
		for i, j := range c.Chain {
			links[i] = fmt.Sprintf("%s is %s (%s)", j.A, j.B, where[judgementKey(j)])
		}
		f.fail(p.b, "this contradicts other judgements: %s is not %s (%s), but %s; take one of them back",
			c.Different.A, c.Different.B, where[judgementKey(c.Different)], strings.Join(links, ", and "))
	}
}

// kinds refuses to unite what is known to be of several kinds. A judgement that
// stands already is left alone: it was right when it was made.
func (f *judgementFile) kinds(others []judgedWhere, known map[string]Known) {
	of := map[string][]string{} // the members of each identity, by each of them
	merge := func(j graph.Judgement) {
		if j.Verdict != graph.Same || slices.Contains(of[j.A], j.B) {
			return
		}
		a, b := of[j.A], of[j.B]
		if a == nil {
			a = []string{j.A}
		}
		if b == nil {
			b = []string{j.B}
		}
		both := slices.Concat(a, b)
		for _, id := range both {
			of[id] = both
		}
	}
	for _, o := range others {
		merge(o.Judgement)
	}
	stand := map[string]bool{}
	for _, j := range f.world.judged {
		if j.dataset == f.edition.Dataset {
			stand[judgementKey(j.Judgement)] = true
		}
	}
	for _, p := range f.judged {
		merge(p.Judgement)
		if p.Verdict != graph.Same || stand[judgementKey(p.Judgement)] {
			continue
		}
		first, kind := "", graph.Kind("")
		for _, id := range of[p.A] {
			n := known[id].Node
			switch {
			case f.disputed[id]:
			case n == nil || n.Kind == graph.KindUndecided || n.Kind == "": // "" was forgotten
			case kind == "":
				first, kind = id, n.Kind
			case n.Kind != kind:
				f.fail(p.b, "%s is %s, but %s is %s, so they cannot be the same; only an entity whose kind is undecided can be any other (or list one of them under disputed, if a data set is wrong)",
					first, kindArticle(kind), id, kindArticle(n.Kind))
				return
			}
		}
	}
}
