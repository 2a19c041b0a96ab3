package graph

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// Search asks which entities a text names.
type Search struct {
	Text  string
	Kinds []Kind // nil does not filter
	Limit int    // of OpSearch steps: the largest number of hits
}

// Match says how well an entity answers a search, best first.
type Match string

// The kinds of matches, in the order in which hits are ranked.
const (
	MatchName        Match = "NAME"         // the text is the name
	MatchAlias       Match = "ALIAS"        // the text is an alias
	MatchNamePrefix  Match = "NAME_PREFIX"  // the name begins with the text
	MatchAliasPrefix Match = "ALIAS_PREFIX" // an alias begins with the text
	MatchWords       Match = "WORDS"        // every word is a word of the names
	MatchWordPrefix  Match = "WORD_PREFIX"  // every word begins a word of the names
	MatchSimilar     Match = "SIMILAR"      // every word is at most [MaxEdits] away from one of the names
	MatchSomeWords   Match = "SOME_WORDS"   // some of the words are found; only where nothing has them all
)

var matchRank = map[Match]int{MatchName: 0, MatchAlias: 1, MatchNamePrefix: 2, MatchAliasPrefix: 3,
	MatchWords: 4, MatchWordPrefix: 5, MatchSimilar: 6, MatchSomeWords: 7}

// Hit is an entity that a search found.
type Hit struct {
	Node  *Node
	Match Match
	// Matched holds the words of the entity's name and aliases that the words
	// of the search met, in the order of the search, folded.
	Matched []string

	missing int // words of the search that met nothing
	edits   int // the sum of the edits
}

// run finds and ranks. Which candidates a store offers beyond those asked for
// changes nothing: each is judged here.
func (s *Search) run(ctx context.Context, tx Reader) ([]Hit, error) {
	words := slices.Compact(Words(s.Text))
	if len(words) == 0 {
		return nil, nil
	}
	q := &SearchQuery{Kinds: s.Kinds}
	for _, w := range words {
		q.Words = append(q.Words, ToSearchWord(w))
	}
	for _, q.AnyWord = range []bool{false, true} {
		candidates, err := tx.Candidates(ctx, q)
		if err != nil {
			return nil, err
		}
		var hits []Hit
		for _, n := range candidates {
			if hit, ok := judge(n, words); ok && (q.AnyWord || hit.missing == 0) {
				hits = append(hits, hit)
			}
		}
		if len(hits) > 0 || len(words) == 1 {
			slices.SortFunc(hits, compareHits)
			return hits, nil
		}
	}
	return nil, nil
}

func compareHits(a, b Hit) int {
	return cmp.Or(
		cmp.Compare(matchRank[a.Match], matchRank[b.Match]),
		cmp.Compare(a.missing, b.missing),
		cmp.Compare(a.edits, b.edits),
		cmp.Compare(len(a.Node.Name), len(b.Node.Name)),
		cmp.Compare(Fold(a.Node.Name), Fold(b.Node.Name)),
		cmp.Compare(a.Node.ID, b.Node.ID),
	)
}

// judge says how an entity answers a search; ok is false where no word matches.
func judge(n *Node, words []string) (hit Hit, ok bool) {
	hit = Hit{Node: n, Match: MatchWords}
	text := strings.Join(words, " ")
	var pool []string
	for i := -1; i < len(n.Aliases); i++ {
		label, whole, prefix := n.Name, MatchName, MatchNamePrefix
		if i >= 0 {
			label, whole, prefix = n.Aliases[i], MatchAlias, MatchAliasPrefix
		}
		labelWords := Words(label)
		pool = append(pool, labelWords...)
		folded := strings.Join(labelWords, " ")
		match := Match("")
		switch {
		case folded == text:
			match = whole
		case strings.HasPrefix(folded, text):
			match = prefix
		}
		if match != "" && (len(hit.Matched) == 0 || matchRank[match] < matchRank[hit.Match]) {
			hit.Match = match
			hit.Matched = labelWords[:min(len(words), len(labelWords))]
		}
	}
	if len(hit.Matched) > 0 {
		return hit, true
	}
	for _, w := range words {
		word, match, edits := bestWord(w, pool)
		if match == "" {
			hit.missing++
			continue
		}
		hit.Matched = append(hit.Matched, word)
		hit.edits += edits
		if matchRank[match] > matchRank[hit.Match] {
			hit.Match = match
		}
	}
	if hit.missing > 0 {
		hit.Match = MatchSomeWords
	}
	return hit, hit.missing < len(words)
}

// bestWord finds the word of the pool that w meets best.
func bestWord(w string, pool []string) (word string, match Match, edits int) {
	most := MaxEdits(w)
	for _, p := range pool {
		m, e := Match(""), 0
		switch {
		case p == w:
			m = MatchWords
		case strings.HasPrefix(p, w):
			m = MatchWordPrefix
		default:
			if e = editDistance([]rune(w), []rune(p), most); e > most {
				continue
			}
			m = MatchSimilar
		}
		if match == "" || cmp.Or(cmp.Compare(matchRank[m], matchRank[match]), cmp.Compare(e, edits), cmp.Compare(p, word)) < 0 {
			word, match, edits = p, m, e
		}
	}
	return word, match, edits
}

// editDistance counts insertions, deletions, replacements and swaps of
// neighbours (optimal string alignment) that make b of a; any value above most
// means "more than most".
func editDistance(a, b []rune, most int) int {
	if d := len(a) - len(b); d > most || -d > most {
		return most + 1
	}
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
			least = min(least, next[j])
		}
		if least > most {
			return most + 1
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
