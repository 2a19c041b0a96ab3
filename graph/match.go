package graph

import (
	"slices"
	"strings"
)

// Matches says whether a relation passes the filter, as stores decide for
// lists without an anchor entity. The vocabulary tells the nature of its type;
// kind tells that of an entity, and is asked only where the filter does.
func (f *RelationFilter) Matches(r *Relation, v *Vocabulary, kind func(id string) Kind) bool {
	ends := r.Ends()
	if f.Nature != nil {
		if t, ok := v.Lookup(r.Type); !ok || t.Nature != *f.Nature {
			return false
		}
	}
	if f.During != nil {
		certainty := r.Date.In(*f.During)
		if certainty == "" || f.Certainty == Certain && certainty != Certain {
			return false
		}
	}
	if f.CAMEO != nil && !slices.ContainsFunc(f.CAMEO, func(code string) bool { return strings.HasPrefix(r.CAMEO, code) }) {
		return false
	}
	if f.Event != nil && (r.Event == "" || r.Event != *f.Event) {
		return false
	}
	if f.MinConfidence != nil && (r.Confidence == nil || *r.Confidence < *f.MinConfidence) {
		return false
	}
	if f.WithKinds != nil && !slices.ContainsFunc(ends[:], func(id string) bool { return slices.Contains(f.WithKinds, kind(id)) }) {
		return false
	}
	return oneOf(f.Types, r.Type) && oneOf(f.Families, r.Family) && anyOf(f.With, ends[:]) &&
		oneOf(f.Source, r.Source) && oneOf(f.Target, r.Target) && oneOf(f.AccreditedTo, r.AccreditedTo) &&
		oneOf(f.Status, r.Status) && oneOf(f.DateBasis, r.Date.Basis) && anyOf(f.About, r.About) &&
		oneOf(f.ClaimedBy, r.ClaimedBy) && anyOf(f.Place, r.Places) && oneOf(f.Dataset, r.Dataset)
}

// oneOf says whether a value is among those wanted; nil wants any.
func oneOf[T comparable](wanted []T, v T) bool { return wanted == nil || slices.Contains(wanted, v) }

// anyOf says whether one of the values is among those wanted; nil wants any.
func anyOf(wanted, values []string) bool {
	return wanted == nil || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(wanted, v) })
}
