package graph

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold strips what search ignores: case, accents and other marks, and the
// difference between compatibility forms. "Élysée" and "ELYSEE" fold to
// "elysee". Letters that do not decompose are spelt out as they are usually
// transcribed (ø as o, ł as l, ı as i).
func Fold(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	s = cases.Fold().String(norm.NFKD.String(s))
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(s) {
		switch r {
		case 'ø':
			r = 'o'
		case 'ł':
			r = 'l'
		case 'ı':
			r = 'i'
		case 'đ', 'ð':
			r = 'd'
		case 'ħ':
			r = 'h'
		case 'ŧ':
			r = 't'
		case 'æ':
			b.WriteByte('a')
			r = 'e'
		case 'œ':
			b.WriteByte('o')
			r = 'e'
		case 'þ':
			b.WriteByte('t')
			r = 'h'
		}
		if !unicode.Is(unicode.M, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Words splits a text into its folded words: runs of letters and digits. An
// apostrophe inside a word is left out ("Xi'an" is "xian").
func Words(s string) []string {
	var words []string
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			words = append(words, b.String())
			b.Reset()
		}
	}
	for _, r := range Fold(s) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case r == '\'' || r == '’' || r == 'ʼ' || r == '`':
		default:
			flush()
		}
	}
	flush()
	return words
}

// Misspellings are found through deletions: two words of which each becomes
// the other by few edits share a word that both become by deletions alone.
// Deletions are taken from the first deletionPrefix letters, which is enough
// to find every pair and keeps their number small.
const deletionPrefix = 7

// MaxEdits is the number of edits (letters inserted, deleted, replaced, or two
// neighbours swapped) that a word of a search may be away from the word found:
// none up to 3 letters, one up to 7, two from 8.
func MaxEdits(word string) int {
	switch n := len([]rune(word)); {
	case n < 4:
		return 0
	case n < 8:
		return 1
	}
	return 2
}

// SearchTerms are the terms under which a node is found, sorted: the folded
// words of its name and aliases, and, marked with a leading "~", what these
// words become by the deletions of [MaxEdits].
func SearchTerms(name string, aliases []string) []string {
	terms := SearchWords(name, aliases)
	for _, w := range terms {
		terms = appendDeletions(terms, w)
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

// SearchWords are those of the [SearchTerms] that are words.
func SearchWords(name string, aliases []string) []string {
	words := Words(name)
	for _, a := range aliases {
		words = append(words, Words(a)...)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// Deletions are those of the [SearchTerms] that a word adds to itself.
func Deletions(word string) []string { return appendDeletions(nil, word) }

// ToSearchWord says what one folded word of a search may match.
func ToSearchWord(word string) SearchWord {
	return SearchWord{Prefix: word, Exact: Deletions(word)}
}

// appendDeletions appends "~" and what is left of the word's first letters
// after up to two deletions. The words themselves count as no deletion. The
// number of deletions is that of the longest word which may be meant, so that
// a search of 7 letters finds a word of 8.
func appendDeletions(terms []string, word string) []string {
	runes := []rune(word)
	if len(runes) < 3 {
		return terms
	}
	edits := 1
	if len(runes) >= 6 {
		edits = 2
	}
	prefix := runes[:min(len(runes), deletionPrefix)]
	start := len(terms)
	terms = append(terms, "~"+string(prefix))
	level := [][]rune{prefix}
	for range edits {
		var next [][]rune
		for _, r := range level {
			for i := range r {
				shorter := slices.Concat(r[:i], r[i+1:])
				next = append(next, shorter)
				terms = append(terms, "~"+string(shorter))
			}
		}
		level = next
	}
	slices.Sort(terms[start:])
	return append(terms[:start], slices.Compact(terms[start:])...)
}
