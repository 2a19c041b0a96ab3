package answer

import (
	"slices"

	"chancery/graph"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// selection is one place in an operation: where the objects there come from,
// and where their fields lead. Two places that show the same thing are
// different selections.
type selection struct {
	step *graph.Step // whose rows the objects are
	byID *graph.Step // for places that hold relations beside nodes: their step
	list *listing    // how a list was asked for
	kids []kid
}

// kid is a field of some of the types that can stand at a place. One response
// key may mean different things on different types.
type kid struct {
	key   string
	types []string // nil: of any
	sel   *selection
}

// child is the place that a field with this response key leads to.
func (s *selection) child(typeName, key string) *selection {
	for i := range s.kids {
		if k := &s.kids[i]; k.key == key && (k.types == nil || slices.Contains(k.types, typeName)) {
			return k.sel
		}
	}
	return &selection{}
}

func (s *selection) add(f *field, child *selection) {
	s.kids = append(s.kids, kid{f.Alias, f.types, child})
}

// entityTypes are the types of entities, as the schema names them.
var entityTypes = []string{"Person", "State", "Organization", "Group", "UndecidedActor", "Facility", "Place", "Instrument"}

// satisfies are the type conditions under which a type's fields are selected.
var satisfies = map[string][]string{
	"Person":         {"Person", "Actor", "Entity", "Node"},
	"State":          {"State", "Actor", "Entity", "Node"},
	"Organization":   {"Organization", "Actor", "Entity", "Node"},
	"Group":          {"Group", "Actor", "Entity", "Node"},
	"UndecidedActor": {"UndecidedActor", "Actor", "Entity", "Node"},
	"Facility":       {"Facility", "Entity", "Node"},
	"Place":          {"Place", "Entity", "Node"},
	"Instrument":     {"Instrument", "Entity", "Node"},
	"Event":          {"Event", "Happening", "Node"},
	"Relation":       {"Relation", "Happening", "Node"},
	"Source":         {"Source", "Node"},
}

// kindsOf are the kinds that GraphQL types stand for; nil when all are among
// the types.
func kindsOf(types []string) []graph.Kind {
	var kinds []graph.Kind
	for _, k := range graph.Kinds {
		if slices.Contains(types, typeNames[k]) {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == len(graph.Kinds) {
		return nil
	}
	return kinds
}

// field is a selected field, and the types on which it is selected.
type field struct {
	graphql.CollectedField
	types []string
}

// collect gathers the fields that a selection set asks of objects of these
// types: fragments, type conditions, @include and @skip are dealt with.
func collect(op *graphql.OperationContext, set ast.SelectionSet, types []string) []*field {
	var fields []*field
	if unconditional(set, types) {
		types := types
		for _, f := range graphql.CollectFields(op, set, conditions(types[0])) {
			fields = append(fields, &field{f, types})
		}
		return fields
	}
	for _, t := range types {
	next:
		for _, f := range graphql.CollectFields(op, set, conditions(t)) {
			for _, known := range fields {
				if known.Alias == f.Alias && known.Field == f.Field && slices.Equal(known.Selections, f.Selections) {
					known.types = append(known.types, t)
					continue next
				}
			}
			fields = append(fields, &field{f, []string{t}})
		}
	}
	return fields
}

func conditions(typeName string) []string {
	if s := satisfies[typeName]; s != nil {
		return s
	}
	return []string{typeName}
}

// unconditional reports whether a selection set means the same for all types.
func unconditional(set ast.SelectionSet, types []string) bool {
	holds := func(condition string) bool {
		if condition == "" {
			return true
		}
		for _, t := range types {
			if !slices.Contains(conditions(t), condition) {
				return false
			}
		}
		return true
	}
	for _, s := range set {
		switch s := s.(type) {
		case *ast.InlineFragment:
			if !holds(s.TypeCondition) || !unconditional(s.SelectionSet, types) {
				return false
			}
		case *ast.FragmentSpread:
			if s.Definition == nil || !holds(s.Definition.TypeCondition) || !unconditional(s.Definition.SelectionSet, types) {
				return false
			}
		}
	}
	return true
}
