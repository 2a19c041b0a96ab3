package answer

import (
	"slices"

	"chancery/graph"
)

// Vocabulary shows the relation types of a store.
type Vocabulary struct{ vocabulary *graph.Vocabulary }

// Types are the relation types, by name.
func (v *Vocabulary) Types(nature *graph.Nature, families []string) []*RelationTypeInfo {
	out := []*RelationTypeInfo{}
	for _, t := range v.vocabulary.Types() {
		if (nature == nil || t.Nature == *nature) && (families == nil || slices.Contains(families, t.Family)) {
			out = append(out, &RelationTypeInfo{t})
		}
	}
	return out
}

// Type is one relation type, or nil.
func (v *Vocabulary) Type(name string) *RelationTypeInfo {
	if t, ok := v.vocabulary.Lookup(name); ok {
		return &RelationTypeInfo{t}
	}
	return nil
}

// Families are the PLOVER event classes in use.
func (v *Vocabulary) Families() []string { return list(v.vocabulary.Families()) }

// Kinds are the kinds of entities.
func (v *Vocabulary) Kinds() []graph.Kind { return graph.Kinds[:] }

// RelationTypeInfo shows a relation type.
type RelationTypeInfo struct{ t *graph.RelationType }

func (i *RelationTypeInfo) Name() string              { return i.t.Name }
func (i *RelationTypeInfo) Nature() graph.Nature      { return i.t.Nature }
func (i *RelationTypeInfo) Symmetric() bool           { return i.t.Symmetric }
func (i *RelationTypeInfo) Inverse() *string          { return optional(i.t.Inverse) }
func (i *RelationTypeInfo) Exclusive() bool           { return i.t.Exclusive }
func (i *RelationTypeInfo) Office() bool              { return i.t.Office }
func (i *RelationTypeInfo) SourceKinds() []graph.Kind { return list(i.t.Sources) }
func (i *RelationTypeInfo) TargetKinds() []graph.Kind { return list(i.t.Targets) }
func (i *RelationTypeInfo) Cameo() []string           { return list(i.t.CAMEO) }
func (i *RelationTypeInfo) Family() *string           { return optional(i.t.Family) }
func (i *RelationTypeInfo) Goldstein() *float64       { return i.t.Goldstein }
func (i *RelationTypeInfo) Builtin() bool             { return i.t.Builtin }

func labelStatus(s *graph.Status) graph.Status {
	if s == nil {
		return graph.Reported
	}
	return *s
}

// Label reads from source to target.
func (i *RelationTypeInfo) Label(status *graph.Status) string {
	return i.t.Label(labelStatus(status), false)
}

// InverseLabel reads from target to source.
func (i *RelationTypeInfo) InverseLabel(status *graph.Status) string {
	return i.t.Label(labelStatus(status), true)
}
