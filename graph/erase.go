package graph

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Salt keys the hashes by which forgotten ids are known. It is made once for
// each store, and kept in it.
type Salt []byte

// saltBytes is the length of a new salt.
const saltBytes = 32

// Key is the keyed hash (HMAC-SHA-256, RFC 2104, its first half) of an id. It
// does not give the id away, except to who holds the salt and guesses the id.
func (s Salt) Key(id string) (k Hash) {
	mac := hmac.New(sha256.New, s)
	mac.Write([]byte(id))
	copy(k[:], mac.Sum(nil))
	return k
}

// Tombstone says that what had an id was erased and must not come back. It
// holds neither the id nor anything that was said.
type Tombstone struct {
	Key  Hash    // of the id
	Of   Hash    // the key of the id that was asked to be forgotten; Key itself for that one
	Form Form    // of what was erased; "" for a relation
	At   Instant // when it was asked for
	// Done is true once all is erased, and, of a root, once the store has
	// cleaned up after itself.
	Done bool
}

// Root says that the id itself was asked to be forgotten.
func (t *Tombstone) Root() bool { return t.Key == t.Of }

// Erasure is what a batch takes out of the record for good. Unlike all else
// that is written it leaves no version behind. What is not there is passed over.
type Erasure struct {
	// Nodes are ids whose nodes go, with all that they are found by and all
	// versions of all statements under them.
	Nodes []string
	// Relations are versions that go, as they were read.
	Relations []*Relation
	// Rewritten versions stay, with other content.
	Rewritten []RewrittenRelation
	Restated  []RestatedStatement
	// Tombstones are written over those with the same keys.
	Tombstones []Tombstone
	// Salt, when set, is the salt of a store that has none.
	Salt Salt
	// Lifted are the roots whose tombstones go, with those that came of them.
	Lifted []Hash
	// Scrub cleans up, when all else in the batch is done: the store's files no
	// longer hold what was erased, as far as the store can see to it. A batch
	// with Scrub has nothing else.
	Scrub bool
}

// RewrittenRelation is a version with the Event, About, Citations and Hash that
// it is to have. Was is the hash that it had.
type RewrittenRelation struct {
	*Relation
	Was Hash
}

// RestatedStatement is a version with the Participants, Places and Hash that it
// is to have. Was is the hash that it had.
type RestatedStatement struct {
	Statement
	Was Hash
}

// JournalEdit says, by the moments of batches and the ids of relations, what
// the journal can no longer tell.
type JournalEdit map[Instant]map[string]journalLoss

type journalLoss uint8

const (
	lostOld journalLoss = 1 << iota // the version that left the record in that batch
	lostNew                         // the version that entered it
)

// Journal is the change to the journal that goes with the erasure.
func (e *Erasure) Journal() JournalEdit {
	edit := JournalEdit{}
	lose := func(at Instant, id string, what journalLoss) {
		if at == 0 {
			return
		}
		if edit[at] == nil {
			edit[at] = map[string]journalLoss{}
		}
		edit[at][id] |= what
	}
	for _, r := range e.Relations {
		lose(r.RecordedAt, r.ID, lostNew)
		lose(r.SupersededAt, r.ID, lostOld)
	}
	return edit
}

// IDs are the relations that the edit is about, in order.
func (j JournalEdit) IDs() []string {
	var set idSet
	for _, ids := range j {
		for id := range ids {
			set.add(id)
		}
	}
	slices.Sort(set.list)
	return set.list
}

// Apply edits what the journal has of a batch, in place: each entry keeps its
// number, and becomes "" where nothing is left to tell. It reports whether
// anything changed.
func (j JournalEdit) Apply(at Instant, relations []string) (changed bool) {
	ids := j[at]
	if len(ids) == 0 {
		return false
	}
	for i, entry := range relations {
		if entry == "" {
			continue
		}
		mark, id := entry[:1], entry[1:]
		lost := ids[id]
		switch {
		case lost == 0:
			continue
		case mark == markCorrected && lost == lostOld:
			mark = markRecorded
		case mark == markCorrected && lost == lostNew:
			mark = markWithdrawn
		case mark == markCorrected, mark == markRecorded && lost&lostNew != 0, mark == markWithdrawn && lost&lostOld != 0:
			mark, id = "", ""
		}
		if after := mark + id; after != entry {
			relations[i], changed = after, true
		}
	}
	return changed
}

// names reports whether the relation has one of the ids as an entity.
func (r *Relation) names(is func(id string) bool) bool {
	return is(r.Source) || is(r.Target) || is(r.ClaimedBy) || is(r.AccreditedTo) || slices.ContainsFunc(r.Places, is)
}

// Naming reports whether the relation names one of the ids, as [WalkQuery] says.
func (r *Relation) Naming(is func(id string) bool) bool {
	return r.names(is) || is(r.Event) || slices.ContainsFunc(r.About, is) ||
		slices.ContainsFunc(r.Citations, func(c Citation) bool { return is(c.Source) })
}

// Naming reports whether the content names one of the ids, as [WalkQuery] says.
func (c *Content) Naming(is func(id string) bool) bool {
	return slices.ContainsFunc(c.Participants, func(p Participant) bool { return is(p.Entity) }) || slices.ContainsFunc(c.Places, is)
}

// HasText reports whether the relation has free text, as [WalkQuery] says.
func (r *Relation) HasText() bool {
	return r.Note != "" || r.SourceAs != "" || r.TargetAs != "" || r.Unit != "" ||
		slices.ContainsFunc(r.Citations, func(c Citation) bool { return c.Quote != "" })
}

// without returns the relation without its references to an event, to what it
// is about, and to sources; and whether there were any.
func (r *Relation) without(is func(id string) bool) (*Relation, bool) {
	c := *r
	if is(c.Event) {
		c.Event = ""
	}
	c.About = slices.DeleteFunc(slices.Clone(r.About), is)
	c.Citations = slices.DeleteFunc(slices.Clone(r.Citations), func(c Citation) bool { return is(c.Source) })
	if c.Event == r.Event && len(c.About) == len(r.About) && len(c.Citations) == len(r.Citations) {
		return r, false
	}
	c.normalise()
	return &c, true
}

// without returns the content without these participants and places.
func (c Content) without(is func(id string) bool) Content {
	c.Participants = slices.DeleteFunc(slices.Clone(c.Participants), func(p Participant) bool { return is(p.Entity) })
	c.Places = slices.DeleteFunc(slices.Clone(c.Places), is)
	c.normalise()
	return c
}

// given is a version read from a store as it was given to it. A store does not
// keep whether the date is that of recording, which the hash tells.
func (r *Relation) given() Relation {
	old := *r
	if old.Date.OpenAsOfRecording = false; old.ContentHash() != r.Hash {
		old.Date.OpenAsOfRecording = true
		old.Date.OpenAsOfRecording = old.ContentHash() == r.Hash
	}
	return old
}

// rewritten gives a version read from a store its new content, and the hash of
// that.
func rewritten(before, after *Relation) RewrittenRelation {
	old := before.given()
	c := *after
	c.Date.OpenAsOfRecording = old.Date.OpenAsOfRecording
	c.Hash = c.ContentHash()
	c.Date.OpenAsOfRecording = false
	return RewrittenRelation{&c, before.Hash}
}

// restated is the same for a statement.
func restated(before Statement, after Content) RestatedStatement {
	old := before.Content
	if old.Date.OpenAsOfRecording = false; old.ContentHash() != before.Hash {
		old.Date.OpenAsOfRecording = true
		old.Date.OpenAsOfRecording = old.ContentHash() == before.Hash
	}
	s := before
	s.Content = after
	s.Content.Date.OpenAsOfRecording = old.Date.OpenAsOfRecording
	s.Hash = s.Content.ContentHash()
	s.Content.Date.OpenAsOfRecording = false
	return RestatedStatement{s, before.Hash}
}

// names find names in texts, in any case and with any accents.
type names struct {
	words  [][]string // of each name
	joined []string   // of scripts that are written without spaces
	short  []string   // those too short to be looked for in texts
	ids    []string
	keys   []string // what else stands for it: ids in other catalogues, and its own without the data set
}

// leastName is the number of letters and digits in a name that is looked for:
// shorter ones are in every other text.
const leastName = 3

func (n *names) add(name string) {
	words := spacedWords(name)
	letters := len([]rune(strings.Join(words, "")))
	joined := strings.ContainsFunc(name, func(c rune) bool {
		return unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
	})
	if joined && letters >= leastName-1 {
		n.joined = union(n.joined, []string{Fold(name)})
	}
	if letters > 0 && letters < leastName {
		n.short = union(n.short, []string{Fold(name)})
	}
	if letters >= leastName && !slices.ContainsFunc(n.words, func(w []string) bool { return slices.Equal(w, words) }) {
		n.words = append(n.words, words)
	}
}

// addContent looks for what something is called.
func (n *names) addContent(c *Content) {
	n.add(c.Name)
	for _, alias := range c.Aliases {
		n.add(alias)
	}
}

// addID looks for an id too, as it is.
func (n *names) addID(id string) { n.ids = union(n.ids, []string{id}) }

// addKeys looks for what other texts of a data set may have for its id: ids in other
// catalogues, and the id itself behind the data set, unless it is made of the name. They
// are of four characters or more; shorter ones are of countries, or in every other text.
func (n *names) addKeys(id string, c *Content) {
	add := func(key string) {
		if len(key) > leastName {
			n.keys = union(n.keys, []string{key})
		}
	}
	if _, key, ok := strings.Cut(id, "/"); ok && !slices.Equal(Words(key), Words(c.Name)) {
		add(key)
	}
	for _, x := range c.ExternalIDs {
		add(x.Value)
	}
}

// spacedWords are words that an apostrophe parts, so that "Lee's" has the word "lee".
func spacedWords(s string) []string {
	return Words(strings.NewReplacer("'", " ", "’", " ", "ʼ", " ", "`", " ").Replace(s))
}

func (n *names) empty() bool { return len(n.words)+len(n.joined)+len(n.ids) == 0 }

// in reports whether a text holds one of the names.
func (n *names) in(text string) bool {
	if text == "" || n.empty() {
		return false
	}
	if n.inID(text) {
		return true
	}
	if len(n.joined) > 0 {
		folded := Fold(text)
		if slices.ContainsFunc(n.joined, func(name string) bool { return strings.Contains(folded, name) }) {
			return true
		}
	}
	if len(n.words) == 0 {
		return false
	}
	words := spacedWords(text)
	return slices.ContainsFunc(n.words, func(name []string) bool {
		for i := 0; i+len(name) <= len(words); i++ {
			if slices.Equal(words[i:i+len(name)], name) {
				return true
			}
		}
		return false
	})
}

// inID reports whether a text holds one of the ids.
func (n *names) inID(text string) bool {
	return slices.ContainsFunc(n.ids, func(id string) bool { return holds(text, id, "/-_") })
}

// inText reports whether a text holds one of the names, or something else that
// stands for it.
func (n *names) inText(text string) bool {
	return n.in(text) || slices.ContainsFunc(n.keys, func(key string) bool { return holds(text, key, "") })
}

// inEvent reports whether the name of an event holds one of the names, as feeds
// make them of the names of those who took part ("Consult: A, B"): there a short
// one is meant too.
func (n *names) inEvent(name string) bool {
	if n.in(name) {
		return true
	}
	if len(n.short) == 0 {
		return false
	}
	_, parts, made := strings.Cut(name, ": ")
	if !made {
		parts = name
	}
	for part := range strings.SplitSeq(parts, ", ") {
		if slices.Contains(n.short, Fold(part)) {
			return true
		}
	}
	return false
}

// holds reports whether a text holds an id that is no part of a longer one: beside
// letters and digits, these characters go on with it.
func holds(text, id, joining string) bool {
	part := func(c rune) bool {
		return strings.ContainsRune(joining, c) || unicode.IsLetter(c) || unicode.IsDigit(c)
	}
	for at := strings.Index(text, id); at >= 0; {
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		behind, _ := utf8.DecodeRuneInString(text[at+len(id):])
		if !part(before) && !part(behind) {
			return true
		}
		next := strings.Index(text[at+1:], id)
		if next < 0 {
			return false
		}
		at += 1 + next
	}
	return false
}

// fields are the parts of a content that are free text, and hold a name.
func (n *names) fields(id string, c *Content) (fields []string) {
	found := func(field string, texts ...string) {
		if slices.ContainsFunc(texts, n.inText) {
			fields = append(fields, field)
		}
	}
	found("id", id)
	found("name", c.Name)
	found("aliases", c.Aliases...)
	found("description", c.Description)
	found("url", c.URL)
	found("publisher", c.Publisher)
	for _, e := range c.ExternalIDs {
		found("externalIds", e.Value)
	}
	for _, p := range c.Properties {
		found("properties", p.Name, p.Value)
		if slices.Contains(n.short, Fold(p.Value)) { // which is no other text
			fields = append(fields, "properties")
		}
	}
	for _, p := range c.Participants {
		found("participants", p.Role)
	}
	return slices.Compact(fields)
}

// inRelation are the parts of a relation that are free text, and hold a name.
func (n *names) inRelation(id string, r *Relation) (fields []string) {
	quotes := make([]string, len(r.Citations))
	for i, c := range r.Citations {
		quotes[i] = c.Quote
	}
	for _, f := range []struct {
		field string
		texts []string
	}{{"id", []string{id}}, {"note", []string{r.Note}}, {"quotes", quotes}, {"sourceAs", []string{r.SourceAs}},
		{"targetAs", []string{r.TargetAs}}, {"unit", []string{r.Unit}}} {
		if slices.ContainsFunc(f.texts, n.inText) {
			fields = append(fields, f.field)
		}
	}
	return fields
}

// CompareTombstones orders tombstones by the moment, then by key.
func CompareTombstones(a, b Tombstone) int {
	return cmp.Or(cmp.Compare(a.At, b.At), slices.Compare(a.Key[:], b.Key[:]))
}
