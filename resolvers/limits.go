package resolvers

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Limits bound what one operation may ask for. A field that is zero has the
// value that [DefaultLimits] gives it.
type Limits struct {
	// PageSize is the number of rows of a list that asks for no number: 20.
	PageSize int
	// MaxPageSize is the largest number of rows that a list may ask for, and
	// the largest number of ids that nodes may be asked for: 500.
	MaxPageSize int
	// Depth is how deep fields may nest, introspection aside: 32. A hop costs
	// three or four levels (relations, edges, node, source).
	Depth int
	// Cost is the largest [Cost] of an operation: 100,000, about as many
	// objects as the answer may have.
	Cost int
	// Tokens is the largest number of lexical tokens in a document: 3,000.
	// Validation compares fields of the same name in pairs.
	Tokens int
	// Aliases is the largest number of aliases in a document: 100.
	Aliases int
	// Repeats is how often one field may be asked for under one key in one
	// selection set: 10. Asking twice gives nothing more.
	Repeats int
	// Directives is the largest number of directives in a document: 100.
	Directives int
	// Fragments is the largest number of fragments that a document defines:
	// 100, and a tenth of the number of times that it spreads them.
	Fragments int
	// Subscriptions is the largest number of subscriptions at once: 1,000.
	Subscriptions int
	// RequestBytes is the largest size of a request's body, or of the query
	// string of a GET request: 1 MiB.
	RequestBytes int64
	// Time is how long an operation may run, in the store included: 15 s.
	Time time.Duration
	// CachedDocuments is how many documents are kept parsed: 500. Those of
	// more than 16 KiB are never kept.
	CachedDocuments int
}

// DefaultLimits are the limits of a server that is told nothing else.
func DefaultLimits() Limits {
	return Limits{
		PageSize:        20,
		MaxPageSize:     500,
		Depth:           32,
		Cost:            100_000,
		Tokens:          3_000,
		Aliases:         100,
		Repeats:         10,
		Directives:      100,
		Fragments:       100,
		Subscriptions:   1_000,
		RequestBytes:    1 << 20,
		Time:            15 * time.Second,
		CachedDocuments: 500,
	}
}

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	orDefault(&l.PageSize, d.PageSize)
	orDefault(&l.MaxPageSize, d.MaxPageSize)
	orDefault(&l.Depth, d.Depth)
	orDefault(&l.Cost, d.Cost)
	orDefault(&l.Tokens, d.Tokens)
	orDefault(&l.Aliases, d.Aliases)
	orDefault(&l.Repeats, d.Repeats)
	orDefault(&l.Directives, d.Directives)
	orDefault(&l.Fragments, d.Fragments)
	orDefault(&l.Subscriptions, d.Subscriptions)
	orDefault(&l.RequestBytes, d.RequestBytes)
	orDefault(&l.Time, d.Time)
	orDefault(&l.CachedDocuments, d.CachedDocuments)
	return l
}

func orDefault[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// WriteTimeout is how long a server should allow for a response: the time that
// an operation may run, and some for slow connections.
func (l Limits) WriteTimeout() time.Duration { return l.withDefaults().Time + 30*time.Second }

// maxCachedDocument is the length of the longest document that is kept parsed.
const maxCachedDocument = 16 << 10

// The rows that are assumed of lists that have no pages.
const (
	plainListRows         = 5  // citations, places, participants, offices, …
	introspectionListRows = 10 // fields, arguments and types of the schema
	vocabularyListRows    = 100
)

// leavesPerUnit is the number of scalars that weigh as much as an object. An
// ordinary object has fewer, so that its scalars are free; a thousand aliases
// of one are not.
const leavesPerUnit = 10

// Cost estimates, from the text of an operation and its variables alone, how
// much it asks for, and how deep it nests.
//
// Every object costs 1, and 1 more for each ten scalars selected of it. What is
// selected below a list counts once for each row that the list may have: the
// page size of a connection (first or last, else limits.PageSize), the number
// of ids that nodes is asked for, and a small constant for other lists.
// Fragments count wherever they are spread, aliases each for themselves, and
// type conditions as if all of them held. What @skip and @include leave out is
// free.
//
// Costs saturate at math.MaxInt. The work is linear in the length of the
// document, however fragments are nested; a cycle of fragments, which
// validation refuses, costs math.MaxInt and nests as deep.
func Cost(schema *ast.Schema, operation *ast.OperationDefinition, variables map[string]any, limits Limits) (cost, depth int) {
	c := &costing{
		schema:    schema,
		variables: variables,
		limits:    limits.withDefaults(),
		fragments: map[*ast.FragmentDefinition]*weight{},
	}
	w := c.selections(operation.SelectionSet)
	return plus(w.once, plus(w.row, w.leaves/leavesPerUnit)), w.depth
}

// weight is what a selection set asks for.
type weight struct {
	once   int // objects that an object of this selection has once
	row    int // objects that it has for each row: edges and nodes of a connection
	leaves int // scalars
	depth  int
}

type costing struct {
	schema    *ast.Schema
	variables map[string]any
	limits    Limits
	fragments map[*ast.FragmentDefinition]*weight // nil while it is being weighed
}

func (c *costing) selections(set ast.SelectionSet) (sum weight) {
	for _, selection := range set {
		var w weight
		switch s := selection.(type) {
		case *ast.Field:
			if c.leftOut(s.Directives) {
				continue
			}
			w = c.field(s)
		case *ast.InlineFragment:
			if c.leftOut(s.Directives) {
				continue
			}
			w = c.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			if c.leftOut(s.Directives) {
				continue
			}
			w = c.fragment(s.Definition)
		}
		sum.once = plus(sum.once, w.once)
		sum.row = plus(sum.row, w.row)
		sum.leaves = plus(sum.leaves, w.leaves)
		sum.depth = max(sum.depth, w.depth)
	}
	return sum
}

// fragment weighs a fragment the first time it is spread.
func (c *costing) fragment(f *ast.FragmentDefinition) weight {
	if f == nil {
		return weight{}
	}
	known, begun := c.fragments[f]
	switch {
	case known != nil:
		return *known
	case begun: // a cycle
		return weight{once: math.MaxInt, depth: math.MaxInt}
	}
	c.fragments[f] = nil
	w := c.selections(f.SelectionSet)
	c.fragments[f] = &w
	return w
}

func (c *costing) field(f *ast.Field) weight {
	if f.Definition == nil || len(f.SelectionSet) == 0 {
		return weight{leaves: 1, depth: 1}
	}
	below := c.selections(f.SelectionSet)
	object := plus(1, plus(below.once, below.leaves/leavesPerUnit))
	w := weight{depth: plus(1, below.depth)}
	if strings.HasPrefix(f.Name, "__") {
		w.depth = 1 // tools ask deep here; validation has a rule of its own
	}
	of := f.Definition.Type
	switch {
	case of.Elem == nil && c.isConnection(of.Name()):
		w.once = plus(object, times(c.pageSize(f), below.row))
	case of.Elem == nil:
		w.once = plus(object, below.row)
	case f.ObjectDefinition != nil && c.isConnection(f.ObjectDefinition.Name):
		w.row = plus(object, below.row) // the connection knows how often
	default:
		w.once = times(c.rows(f), plus(object, below.row))
	}
	return w
}

// isConnection tells connections by what Relay demands of them.
func (c *costing) isConnection(typeName string) bool {
	t := c.schema.Types[typeName]
	return t != nil && t.Fields.ForName("pageInfo") != nil && t.Fields.ForName("edges") != nil
}

// rows is how many rows a list that is no connection may have. It is at least
// one, so that a list that asks for none cannot hide what is below it.
func (c *costing) rows(f *ast.Field) int {
	switch {
	case f.ObjectDefinition != nil && strings.HasPrefix(f.ObjectDefinition.Name, "__"):
		return introspectionListRows
	case f.ObjectDefinition != nil && f.ObjectDefinition.Name == "Vocabulary":
		return vocabularyListRows
	case c.isSized(f):
		return c.pageSize(f)
	case f.Definition.Arguments.ForName("ids") != nil:
		n := 1 // a single id stands for a list of one
		if ids := reflect.ValueOf(c.argument(f.Definition.Arguments, f.Arguments, "ids")); ids.Kind() == reflect.Slice {
			n = ids.Len()
		}
		return min(max(n, 1), c.limits.MaxPageSize)
	}
	return plainListRows
}

// isSized reports whether a list has no more rows than it is asked for.
func (c *costing) isSized(f *ast.Field) bool {
	first := f.Definition.Arguments.ForName("first")
	return first != nil && (first.DefaultValue != nil || c.argument(f.Definition.Arguments, f.Arguments, first.Name) != nil)
}

// pageSize is the number of rows that a page may have, from 1 to the limit. A
// size out of bounds is refused elsewhere, with a better message.
func (c *costing) pageSize(f *ast.Field) int {
	size, given := 0, false
	for _, name := range []string{"first", "last"} {
		if n, ok := wholeNumber(c.argument(f.Definition.Arguments, f.Arguments, name)); ok {
			size, given = max(size, n), true
		}
	}
	if !given {
		size = c.limits.PageSize
	}
	return min(max(size, 1), c.limits.MaxPageSize)
}

// argument is the value of an argument, with its default and variables put in,
// or nil. A number that does not fit is the greatest there is.
func (c *costing) argument(known ast.ArgumentDefinitionList, given ast.ArgumentList, name string) any {
	definition := known.ForName(name)
	if definition == nil {
		return nil
	}
	value := definition.DefaultValue
	if a := given.ForName(name); a != nil {
		if a.Value.Kind != ast.Variable {
			value = a.Value
		} else if v, ok := c.variables[a.Value.Raw]; ok {
			return v
		}
	}
	if value == nil {
		return nil
	}
	v, err := value.Value(c.variables)
	if err != nil {
		return math.MaxInt
	}
	return v
}

// leftOut reports whether @skip or @include leaves out what they stand at.
func (c *costing) leftOut(directives ast.DirectiveList) bool {
	condition := func(name string) (holds, given bool) {
		d := directives.ForName(name)
		if d == nil || d.Definition == nil {
			return false, false
		}
		holds, given = c.argument(d.Definition.Arguments, d.Arguments, "if").(bool)
		return holds, given
	}
	skip, _ := condition("skip")
	include, given := condition("include")
	return skip || given && !include
}

// wholeNumber reads a number as documents and JSON variables have it.
func wholeNumber(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int32:
		return int(v), true
	case int64:
		return int(v), true
	case float64:
		return int(min(max(v, math.MinInt32), math.MaxInt32)), true
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return math.MaxInt, true
		}
		return int(n), true
	}
	return 0, false
}

// plus adds what is not negative, and saturates.
func plus(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

// times multiplies what is not negative, and saturates.
func times(a, b int) int {
	if a != 0 && b > math.MaxInt/a {
		return math.MaxInt
	}
	return a * b
}
