package graph

import (
	"cmp"
	"slices"
)

// Citation is a source that a relation rests on, with the few words quoted
// from it; Quote is empty where nothing is quoted.
type Citation struct{ Source, Quote string }

// Relation is one version of one dated edge, (Source)-[Type]->(Target).
type Relation struct {
	ID     string
	Type   string // a name of the vocabulary
	Source string // entity id; symmetric types keep the order in which they were given
	Target string // entity id
	Date   Date
	Status Status

	ClaimedBy    string   // entity whose claim it is, or ""
	SourceAs     string   // the office the source acted in, or for offices the title, where the source says so
	TargetAs     string   // the office the target acted in
	AccreditedTo string   // of envoys: the entity they are sent to
	About        []string // ids of relations or events that this act is about
	Event        string   // the event it belongs to, or ""
	Places       []string // entity ids
	Quantity     *float64
	Unit         string
	Note         string
	CAMEO        string   // the record's own CAMEO code, as text
	Goldstein    *float64 // Goldstein scale value in [-10, 10]: of the record, else of its code, else of its type
	Family       string   // PLOVER event class: of its code, else of its type
	Confidence   *float64 // in [0, 1]
	Citations    []Citation

	Dataset      string
	Hash         Hash    // of the content; see [Relation.ContentHash]
	RecordedAt   Instant // when this version entered the record
	SupersededAt Instant // when it left it; zero while it stands
}

// Ends returns the ids of both ends.
func (r *Relation) Ends() [2]string { return [2]string{r.Source, r.Target} }

// Far returns the other end, seen from the entity near.
func (r *Relation) Far(near string) string {
	if r.Source == near {
		return r.Target
	}
	return r.Source
}

// Key is the place of a relation in the total order of a list: SortDay, then id.
type Key struct {
	SortDay Day
	ID      string
}

// Key returns the relation's place in the order of lists.
func (r *Relation) Key() Key { return Key{r.Date.SortDay, r.ID} }

// Order is the order of a list of relations. Ties on the day are always broken
// by id, ascending by code point.
type Order string

// The orders of relations.
const (
	NewestFirst Order = "NEWEST_FIRST"
	OldestFirst Order = "OLDEST_FIRST"
)

// Compare orders two keys.
func (o Order) Compare(a, b Key) int {
	days := cmp.Compare(a.SortDay, b.SortDay)
	if o != OldestFirst {
		days = -days
	}
	return cmp.Or(days, cmp.Compare(a.ID, b.ID))
}

// Cite adds the citations of another version of the relation, in the order of
// sources, and takes its confidence where that is higher.
func (r *Relation) Cite(other *Relation) {
	all := slices.Concat(r.Citations, other.Citations)
	slices.SortFunc(all, func(a, b Citation) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Quote, b.Quote))
	})
	r.Citations = slices.Compact(all)
	if c := other.Confidence; c != nil && (r.Confidence == nil || *r.Confidence < *c) {
		r.Confidence = c
	}
}

// Cited are the first so many citations; nil means all.
func (r *Relation) Cited(first *int) []Citation {
	if first == nil {
		return r.Citations
	}
	return r.Citations[:min(*first, len(r.Citations))]
}

// normalise gives empty lists their one form.
func (r *Relation) normalise() {
	if len(r.About) == 0 {
		r.About = nil
	}
	if len(r.Places) == 0 {
		r.Places = nil
	}
	if len(r.Citations) == 0 {
		r.Citations = nil
	}
	r.About = slices.Compact(r.About)
}
