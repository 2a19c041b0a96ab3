package graph

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Verdict is what a judgement says of two ids.
type Verdict string

// The verdicts.
const (
	Same      Verdict = "SAME"      // both ids are of one entity
	Different Verdict = "DIFFERENT" // they are not, however alike they look
)

// Judgement says that two ids are of one entity, or that they are not.
type Judgement struct {
	Verdict Verdict
	// A and B are the ids. Where they are the same, A is to stand for both.
	A, B   string
	Reason string // in words; may be empty
	Judge  string // who says so; may be empty
}

// judgementPrefix begins the ids of all judgements, so that a store finds them
// by their ids.
const judgementPrefix = "judgement/"

// JudgementIDs is the range of ids, from the first to before the second, that
// holds those of all judgements.
func JudgementIDs() (from, before string) { return judgementPrefix, "judgement0" }

// ID is that of the judgement as a statement. It comes from the pair alone, so
// that another verdict on it is a new version of the same judgement.
func (j *Judgement) ID() string {
	pair := []string{j.A, j.B}
	slices.Sort(pair)
	d := newDigest("judgement id")
	d.texts(pair)
	h := d.sum()
	return judgementPrefix + hex.EncodeToString(h[:12])
}

// The names of properties in which a statement keeps a judgement.
const (
	verdictProperty = "verdict"
	judgeProperty   = "judge"
)

// Statement puts the judgement into the form in which it is recorded.
func (j *Judgement) Statement() Statement {
	is := " is "
	if j.Verdict == Different {
		is = " is not "
	}
	c := Content{Form: FormIdentity, Name: j.A + is + j.B, Description: j.Reason,
		Participants: []Participant{{Entity: j.A}, {Entity: j.B}},
		Properties:   []Property{{Name: verdictProperty, Value: string(j.Verdict)}}}
	if j.Judge != "" {
		c.Properties = append(c.Properties, Property{Name: judgeProperty, Value: j.Judge})
	}
	c.normalise()
	return Statement{ID: j.ID(), Content: c}
}

// Judgement reads what [Judgement.Statement] wrote. ok is false for statements
// of other forms.
func (s *Statement) Judgement() (j Judgement, ok bool) {
	c := &s.Content
	if c.Form != FormIdentity || len(c.Participants) != 2 {
		return j, false
	}
	j = Judgement{A: c.Participants[0].Entity, B: c.Participants[1].Entity, Reason: c.Description}
	for _, p := range c.Properties {
		switch p.Name {
		case verdictProperty:
			j.Verdict = Verdict(p.Value)
		case judgeProperty:
			j.Judge = p.Value
		}
	}
	return j, true
}

// ContradictionError says that judgements cannot all hold.
type ContradictionError struct {
	Different Judgement // says that two ids are not the same
	// Chain are the judgements by which they are the same all the same, from
	// one id to the other.
	Chain []Judgement
}

func (e *ContradictionError) Error() string {
	links := make([]string, len(e.Chain))
	for i, j := range e.Chain {
		links[i] = j.A + " is " + j.B
	}
	return fmt.Sprintf("%s is judged not to be %s, but the two are the same by other judgements (%s); take one of these judgements back",
		e.Different.A, e.Different.B, strings.Join(links, ", "))
}

// Consistent returns a [ContradictionError] when two ids that are judged to be
// different are the same by way of other judgements.
func Consistent(judgements []Judgement) error {
	same := joined(judgements)
	for _, j := range judgements {
		if j.Verdict == Different && same.find(j.A) == same.find(j.B) {
			return &ContradictionError{j, chain(judgements, j.A, j.B)}
		}
	}
	return nil
}

// chain is the shortest way from one id to another over those that are the
// same.
func chain(judgements []Judgement, from, to string) []Judgement {
	at := map[string][]Judgement{}
	for _, j := range judgements {
		if j.Verdict == Same {
			at[j.A], at[j.B] = append(at[j.A], j), append(at[j.B], j)
		}
	}
	ways := map[string][]Judgement{from: nil}
	for next := []string{from}; len(next) > 0; next = next[1:] {
		id := next[0]
		if id == to {
			break
		}
		for _, j := range at[id] {
			far := j.A
			if far == id {
				far = j.B
			}
			if _, seen := ways[far]; !seen {
				ways[far] = append(slices.Clone(ways[id]), j)
				next = append(next, far)
			}
		}
	}
	return ways[to]
}

// sets joins ids into sets.
type sets map[string]string

func (s sets) find(id string) string {
	root := id
	for s[root] != "" && s[root] != root {
		root = s[root]
	}
	for s[id] != "" && s[id] != root {
		s[id], id = root, s[id]
	}
	return root
}

func (s sets) join(a, b string) {
	if a, b = s.find(a), s.find(b); a != b {
		s[b] = a
	}
}

func joined(judgements []Judgement) sets {
	s := sets{}
	for _, j := range judgements {
		if j.Verdict == Same {
			s.join(j.A, j.B)
		}
	}
	return s
}

// Identities says which ids stand for the same entities. It never changes. The
// nil one says that every id stands for itself.
type Identities struct {
	canonical map[string]string   // of ids for which another one stands
	members   map[string][]string // of canonical ids, in order, the id itself included
}

// NewIdentities makes identities of the canonical ids of those ids for which
// another one stands.
func NewIdentities(canonical map[string]string) *Identities {
	if len(canonical) == 0 {
		return nil
	}
	g := &Identities{canonical: canonical, members: map[string][]string{}}
	for id, c := range canonical {
		if g.members[c] == nil {
			g.members[c] = []string{c}
		}
		g.members[c] = append(g.members[c], id)
	}
	for _, ids := range g.members {
		slices.Sort(ids)
	}
	return g
}

// judged are the identities that judgements make of those ids that are there.
// Of one identity, that id stands for all which no judgement names second, the
// first in order where there are several or none.
func judged(judgements []Judgement, there func(id string) bool) *Identities {
	same := joined(judgements)
	second := map[string]bool{}
	all := map[string][]string{}
	seen := map[string]bool{}
	for _, j := range judgements {
		if j.Verdict != Same || j.A == j.B {
			continue
		}
		second[j.B] = true
		for _, id := range []string{j.A, j.B} {
			if !seen[id] && there(id) {
				root := same.find(id)
				all[root] = append(all[root], id)
			}
			seen[id] = true
		}
	}
	canonical := map[string]string{}
	for _, ids := range all {
		first := slices.MinFunc(ids, func(a, b string) int {
			if second[a] != second[b] {
				if second[b] {
					return -1
				}
				return 1
			}
			return strings.Compare(a, b)
		})
		for _, id := range ids {
			if id != first {
				canonical[id] = first
			}
		}
	}
	return NewIdentities(canonical)
}

// Empty reports whether every id stands for itself.
func (g *Identities) Empty() bool { return g == nil || len(g.canonical) == 0 }

// Canonical is the id that stands for an id: mostly itself.
func (g *Identities) Canonical(id string) string {
	if g != nil {
		if c, ok := g.canonical[id]; ok {
			return c
		}
	}
	return id
}

// Members are all ids that stand for the same entity as an id, itself
// included, in order.
func (g *Identities) Members(id string) []string {
	if g != nil {
		if ids := g.members[g.Canonical(id)]; ids != nil {
			return ids
		}
	}
	return []string{id}
}

// Groups lists the members of each identity of several ids, by canonical id.
func (g *Identities) Groups() map[string][]string {
	if g == nil {
		return nil
	}
	return maps.Clone(g.members)
}

// alone reports whether an id is not one of several.
func (g *Identities) alone(id string) bool { return g == nil || g.members[g.Canonical(id)] == nil }

// expand has all members of all ids, each once. Nil stays nil, and an empty
// list stays empty.
func (g *Identities) expand(ids []string) []string {
	if g.Empty() || !slices.ContainsFunc(ids, func(id string) bool { return !g.alone(id) }) {
		return ids
	}
	var out idSet
	for _, id := range ids {
		out.add(g.Members(id)...)
	}
	return out.list
}

// canonicals has the canonical ids of all ids, each once.
func (g *Identities) canonicals(ids []string) []string {
	if g.Empty() || !slices.ContainsFunc(ids, func(id string) bool { return g.Canonical(id) != id }) {
		return ids
	}
	var out idSet
	for _, id := range ids {
		out.add(g.Canonical(id))
	}
	return out.list
}

// unite merges the statements about the members of an identity: the canonical
// node holds what is said of all of them. The others stay as nodes for their
// relations to end at; they have the canonical node's kind, for stores to
// choose by, and no data sets, so that no list or search finds them.
func unite(members []string, canonical string, statements map[string][]Statement, priority Priority) []*Node {
	var all []Statement
	for _, id := range members {
		all = append(all, statements[id]...)
	}
	if len(all) == 0 {
		return nil
	}
	whole := Merge(all, priority)
	whole.ID, whole.Canonical = canonical, canonical
	nodes := []*Node{&whole}
	for _, id := range members {
		if id != canonical && len(statements[id]) > 0 {
			n := Merge(statements[id], priority)
			n.Canonical, n.Kind, n.Datasets = canonical, whole.Kind, nil
			nodes = append(nodes, &n)
		}
	}
	return nodes
}
