package graph

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Suggestion is a pair of entities that may be the same, for a person to judge.
type Suggestion struct {
	A, B  *Node
	Score float64 // in [0, 1]
	Why   string
}

// How many entities may share a mark for it to bring pairs of them together.
// What more of them share says little, and would make the pairs too many.
const (
	mostOfWord  = 64
	mostOfTypo  = 16
	leastOfTypo = 5 // letters of a word that may be misspelt
)

// Suggest finds pairs of entities that may be the same: of compatible kinds,
// stated by different data sets, and not judged yet. The best come first.
// Limit bounds their number; 0 does not.
func Suggest(ctx context.Context, tx Reader, least float64, limit int) ([]Suggestion, error) {
	tx = United(tx)
	held, err := tx.Held(ctx, &HeldQuery{Identity: true})
	if err != nil {
		return nil, err
	}
	judged := map[[2]string]bool{}
	for i := range held.Judgements {
		if j, ok := held.Judgements[i].Judgement(); ok {
			judged[pairOf(held.Identities.Canonical(j.A), held.Identities.Canonical(j.B))] = true
		}
	}
	var all []*candidate
	q := &EntityQuery{Order: ByID, Limit: 2000, Detail: true}
	for {
		page, err := tx.Entities(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, n := range page.Rows {
			all = append(all, newCandidate(n))
		}
		if len(page.Rows) < q.Limit {
			break
		}
		q.After = &EntityKey{ID: page.Rows[len(page.Rows)-1].ID}
	}
	var out []Suggestion
	for _, p := range meetings(all) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		a, b := all[p[0]], all[p[1]]
		if !a.mayBe(b) || judged[pairOf(a.ID, b.ID)] {
			continue
		}
		if score, why := a.likeness(b); score >= least && score > 0 {
			out = append(out, Suggestion{a.Node, b.Node, score, why})
		}
	}
	for i := range out { // the one whose kind is known stands first
		if s := &out[i]; s.A.Kind == KindUndecided && s.B.Kind != KindUndecided {
			s.A, s.B = s.B, s.A
		}
	}
	slices.SortFunc(out, func(a, b Suggestion) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.A.ID, b.A.ID), cmp.Compare(a.B.ID, b.B.ID))
	})
	if limit > 0 {
		out = out[:min(limit, len(out))]
	}
	return out, nil
}

func pairOf(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

// candidate is an entity with its names in words.
type candidate struct {
	*Node
	names []string
	words [][]string // of each name
}

func newCandidate(n *Node) *candidate {
	c := &candidate{Node: n}
	for _, name := range append([]string{n.Name}, n.Aliases...) {
		if words := Words(name); len(words) > 0 {
			c.names, c.words = append(c.names, name), append(c.words, words)
		}
	}
	return c
}

// mayBe reports whether nothing speaks against two entities being the same.
func (c *candidate) mayBe(o *candidate) bool {
	kinds := c.Kind == o.Kind || c.Kind == KindUndecided && o.Kind.Actor() || o.Kind == KindUndecided && c.Kind.Actor()
	return kinds && !slices.ContainsFunc(c.Datasets, func(d string) bool { return slices.Contains(o.Datasets, d) })
}

// meetings are the pairs that share a mark which few others have: an external
// id, a word of a name, a misspelling of one, or initials.
func meetings(all []*candidate) [][2]int {
	marks := map[string][]int{}
	for i, c := range all {
		own := map[string]bool{}
		for _, e := range c.ExternalIDs {
			own["#"+e.String()] = true
		}
		for _, words := range c.words {
			own["="+strings.Join(slices.Sorted(slices.Values(words)), " ")] = true
			if len(words) == 1 {
				own["^"+words[0]] = true
			} else if len(words) > 2 {
				own["^"+initials(words)] = true
			}
			for _, w := range words {
				own[w] = true
				if len([]rune(w)) >= leastOfTypo {
					for _, t := range appendDeletions(nil, w) {
						own[t] = true
					}
				}
			}
		}
		for m := range own {
			marks[m] = append(marks[m], i)
		}
	}
	seen := map[[2]int]bool{}
	var out [][2]int
	for mark, who := range marks {
		most := mostOfWord
		if strings.HasPrefix(mark, "~") {
			most = mostOfTypo
		}
		if len(who) > most {
			continue
		}
		for i, a := range who {
			for _, b := range who[i+1:] {
				if p := [2]int{a, b}; !seen[p] {
					seen[p] = true
					out = append(out, p)
				}
			}
		}
	}
	return out
}

func initials(words []string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteRune([]rune(w)[0])
	}
	return b.String()
}

// SchemeFTM is the scheme of FollowTheMoney's ids. Each publisher makes its own,
// so that two of them speak neither for nor against two entities being the same,
// unless they are equal.
const SchemeFTM = "ftm"

// The schemes of numbers that a state, a court or an office gives: of papers, and
// in registers. Another may give the same number to somebody else, and one can have
// several of them, so that two different ones do not speak against two entities
// being the same.
const (
	SchemePassport = "passport"
	SchemeIDNumber = "idnumber"  // of an identity card, or in a register of persons
	SchemeTax      = "taxnumber" // of who pays taxes
	SchemeRegister = "regnumber" // in a register of companies, ships or aircraft
)

// issued reports whether ids of the scheme are unique only for who gives them.
func issued(scheme string) bool {
	switch scheme {
	case SchemePassport, SchemeIDNumber, SchemeTax, SchemeRegister:
		return true
	}
	return false
}

// likeness scores two entities: 1 where they share an external id, less where
// another may have the same, else by the two names that are most alike, and half of
// that where a catalogue knows them under two ids.
func (c *candidate) likeness(o *candidate) (score float64, why string) {
	discord := ""
	for _, e := range c.ExternalIDs {
		for _, f := range o.ExternalIDs {
			switch {
			case e == f && issued(e.Scheme):
				score, why = sameNumber, "both have "+e.String()
			case e == f:
				return 1, "both are " + e.String()
			case e.Scheme == f.Scheme && e.Scheme != SchemeFTM && !issued(e.Scheme):
				discord = fmt.Sprintf("; but %s and %s", e, f)
			}
		}
	}
	for i := range c.words {
		for k := range o.words {
			if s, w := nameLikeness(c.words[i], o.words[k]); s > score {
				score, why = s, fmt.Sprintf("%s: %q, %q", w, c.names[i], o.names[k])
			}
		}
	}
	if discord != "" {
		score /= 2
	}
	return score, why + discord
}

// How sure the ways are in which numbers and names can be alike.
const (
	sameNumber   = 0.92
	sameNames    = 0.98
	sameWords    = 0.95
	sameInitials = 0.75
	alikeWords   = 0.9
	initialOf    = 0.8 // one word is the first letter of the other
	closeWords   = 0.85
)

// nameLikeness scores two names, in words.
func nameLikeness(a, b []string) (score float64, why string) {
	if slices.Equal(a, b) {
		return sameNames, "the same name"
	}
	if slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))) {
		return sameWords, "the same words"
	}
	if len(a) == 1 && len(b) > 2 && a[0] == initials(b) || len(b) == 1 && len(a) > 2 && b[0] == initials(a) {
		return sameInitials, "initials"
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	// Each word of the shorter name is paired with the best one left.
	left, sum, letters := slices.Clone(b), 0.0, false
	for _, w := range a {
		best, at := 0.0, -1
		for i, v := range left {
			s := jaroWinkler(w, v)
			if (len(w) == 1 || len(v) == 1) && w != v && w[:1] == v[:1] {
				s = initialOf
			} else if s < closeWords {
				continue
			}
			if s > best {
				best, at = s, i
			}
		}
		if at >= 0 {
			letters = letters || best == initialOf
			left, sum = slices.Delete(left, at, at+1), sum+best
		}
	}
	score = alikeWords * 2 * sum / float64(len(a)+len(b))
	if letters {
		return score, "initials and words"
	}
	return score, "words alike"
}

// jaroWinkler is the likeness of two words in [0, 1].
func jaroWinkler(s, t string) float64 {
	a, b := []rune(s), []rune(t)
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	reach := max(max(len(a), len(b))/2-1, 0)
	metA, metB := make([]bool, len(a)), make([]bool, len(b))
	met := 0
	for i := range a {
		for j := max(0, i-reach); j < min(len(b), i+reach+1); j++ {
			if !metB[j] && a[i] == b[j] {
				metA[i], metB[j] = true, true
				met++
				break
			}
		}
	}
	if met == 0 {
		return 0
	}
	crossed, j := 0, 0
	for i := range a {
		if metA[i] {
			for !metB[j] {
				j++
			}
			if a[i] != b[j] {
				crossed++
			}
			j++
		}
	}
	m := float64(met)
	jaro := (m/float64(len(a)) + m/float64(len(b)) + (m-float64(crossed)/2)/m) / 3
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	return jaro + float64(prefix)*0.1*(1-jaro)
}
