package resolvers

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// parse reads and validates a document. Validation is what fills in the
// definitions that costs are made of.
func parse(t *testing.T, query string, r *rules.Rules) *ast.OperationDefinition {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	if errs := validator.ValidateWithRules(Schema(), doc, r); len(errs) > 0 {
		t.Fatal(errs)
	}
	return doc.Operations[0]
}

func TestCost(t *testing.T) {
	number := func(s string) any { return json.Number(s) }
	cases := []struct {
		name, query string
		variables   map[string]any
		cost, depth int
	}{
		{"an object", `{ entity(id: "a") { id name } }`, nil, 1, 2},
		{"ten scalars weigh an object", `{ entity(id: "a") { a: id b: id c: id d: id e: id f: id g: id h: id i: id j: id } }`, nil, 2, 2},
		{"a default page", `{ relations { nodes { id } } }`, nil, 1 + 20, 3},
		{"first", `{ relations(first: 7) { nodes { id } } }`, nil, 1 + 7, 3},
		{"last", `{ relations(last: 7) { nodes { id } } }`, nil, 1 + 7, 3},
		{"edges and nodes", `{ relations(first: 7) { edges { cursor node { id } } } }`, nil, 1 + 7*2, 4},
		{"page info counts once", `{ relations(first: 7) { totalCount pageInfo { endCursor } nodes { id } } }`, nil, 1 + 1 + 7, 3},
		{"a variable", `query ($n: Int) { relations(first: $n) { nodes { id } } }`, map[string]any{"n": number("9")}, 1 + 9, 3},
		{"a variable of a Go program", `query ($n: Int) { relations(first: $n) { nodes { id } } }`, map[string]any{"n": 9}, 1 + 9, 3},
		{"an absent variable", `query ($n: Int) { relations(first: $n) { nodes { id } } }`, nil, 1 + 20, 3},
		{"null", `query ($n: Int) { relations(first: $n) { nodes { id } } }`, map[string]any{"n": nil}, 1 + 20, 3},
		{"no rows count as one", `{ relations(first: 0) { nodes { id } } }`, nil, 1 + 1, 3},
		{"negative rows count as one", `{ relations(first: -5) { nodes { id } } }`, nil, 1 + 1, 3},
		{"more than a page may have", `query ($n: Int) { relations(first: $n) { nodes { id } } }`, map[string]any{"n": number("99999999999999999999")}, 1 + 500, 3},
		{"first of a plain list", `{ search(text: "x", first: 3) { match } }`, nil, 3, 2},
		{"ids", `{ nodes(ids: ["a", "b", "c"]) { id } }`, nil, 3, 2},
		{"ids in a variable", `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": []any{"a", "b"}}, 2, 2},
		{"ids of a Go program", `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": []string{"a", "b"}}, 2, 2},
		{"a plain list", `{ event(id: "a") { participants { role } } }`, nil, 1 + 5, 3},
		{"lists of lists", `{ relations(first: 2) { nodes { citations { source { id } } } } }`, nil, 1 + 2*(1+5*2), 5},
		{"a size of a list within", `query ($n: Int) { relations(first: 2) { nodes { citations(first: $n) { source { id } } } } }`, map[string]any{"n": 3}, 1 + 2*(1+3*2), 5},
		{"no size of a list within", `query ($n: Int) { relations(first: 2) { nodes { citations(first: $n) { source { id } } } } }`, nil, 1 + 2*(1+5*2), 5},
		{"aliases count each", `{ a: relations(first: 7) { nodes { id } } b: relations(first: 7) { nodes { id } } }`, nil, 2 * (1 + 7), 3},
		{"aliases of rows count each", `{ relations(first: 7) { a: nodes { id } b: nodes { id } } }`, nil, 1 + 2*7, 3},
		{"fragments count", `{ ...F } fragment F on Query { relations(first: 7) { ...G } } fragment G on RelationConnection { nodes { id } }`, nil, 1 + 7, 3},
		{"a fragment takes the page of each place",
			`{ a: relations(first: 7) { ...G } b: relations(first: 9) { ...G } } fragment G on RelationConnection { nodes { id } }`, nil, 2 + 7 + 9, 3},
		{"type conditions add up", `{ node(id: "a") { ... on Person { relations(first: 2) { nodes { id } } } ... on State { relations(first: 3) { nodes { id } } } } }`, nil, 1 + 3 + 4, 4},
		{"skipped", `query ($no: Boolean!) { node(id: "a") { id } relations @skip(if: $no) { nodes { id } } }`, map[string]any{"no": true}, 1, 2},
		{"not skipped", `query ($no: Boolean!) { node(id: "a") { id } relations @skip(if: $no) { nodes { id } } }`, map[string]any{"no": false}, 22, 3},
		{"not included", `{ node(id: "a") { id } ... @include(if: false) { relations { nodes { id } } } }`, nil, 1, 2},
		{"introspection is not deep", `{ __schema { types { fields { type { ofType { ofType { name } } } } } } }`, nil, 1 + 10*(1+10*(1+1+1+1)), 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cost, depth := Cost(Schema(), parse(t, c.query, rules.NewDefaultRules()), c.variables, Limits{})
			if cost != c.cost || depth != c.depth {
				t.Errorf("cost %d, depth %d; want %d, %d", cost, depth, c.cost, c.depth)
			}
		})
	}
}

// hops is a traversal of n hops.
func hops(n, page int, details string) string {
	if n == 0 {
		return "id"
	}
	return fmt.Sprintf("id relations(first: %d) { edges { node { %s } other { %s } } }", page, details, hops(n-1, page, details))
}

func TestCostChoosesSensibly(t *testing.T) {
	details := `id type label status quantity unit note date { edtf earliest latest } source { id name } target { id name }
		claimedBy { name } places { id name } sourceOffices { title of { name } } citations { quote source { name } }
		about { ... on Relation { id label } ... on Event { id name } }`
	limit := DefaultLimits().Cost
	cost := func(query string) int {
		c, depth := Cost(Schema(), parse(t, query, rules.NewDefaultRules()), nil, Limits{})
		t.Logf("cost %d, depth %d", c, depth)
		return c
	}
	if c := cost(`{ entity(id: "a") { ` + hops(3, 10, details) + ` } }`); c > limit {
		t.Errorf("three hops of ten with all details cost %d", c)
	}
	if c := cost(`{ entity(id: "a") { ` + hops(2, 500, "id") + ` } }`); c <= limit {
		t.Errorf("two hops of 500 cost only %d", c)
	}
	for _, e := range Examples() {
		if c := cost(e.Query); c > limit {
			t.Errorf("the example %s costs %d", e.Name, c)
		}
	}
	if c := cost(introspectionQuery); c > limit {
		t.Errorf("introspection costs %d", c)
	}
	var many strings.Builder
	for i := range 50 {
		fmt.Fprintf(&many, "a%d: __schema { types { fields { args { type { name } } } } }\n", i)
	}
	if c := cost("{" + many.String() + "}"); c <= limit {
		t.Errorf("fifty introspections cost only %d", c)
	}
}

func TestCostOfHostileFragments(t *testing.T) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// Each fragment spreads the next one twice: 2^60 objects.
		var b strings.Builder
		b.WriteString("{ entity(id: \"a\") { ...F0 } }\n")
		for i := range 60 {
			fmt.Fprintf(&b, "fragment F%d on Entity { a: relations(first: 0) { nodes { source { ...F%d } } } b: relations(first: 0) { nodes { source { ...F%d } } } }\n", i, i+1, i+1)
		}
		b.WriteString("fragment F60 on Entity { name }")
		cost, depth := Cost(Schema(), parse(t, b.String(), rules.NewRules(rules.KnownFragmentNamesRule)), nil, Limits{})
		if cost < 1<<60 || depth != 2+60*3 {
			t.Errorf("cost %d, depth %d", cost, depth)
		}

		// A cycle, which validation refuses, if it is asked.
		operation := parse(t, `{ entity(id: "a") { ...A } } fragment A on Entity { id ...B } fragment B on Entity { name ...A }`, rules.NewRules(rules.KnownFragmentNamesRule))
		cost, depth = Cost(Schema(), operation, nil, Limits{})
		if cost != math.MaxInt || depth != math.MaxInt {
			t.Errorf("a cycle: cost %d, depth %d", cost, depth)
		}
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the work grows with the number of paths")
	}
}

// introspectionQuery is what clients ask to learn the schema.
const introspectionQuery = `query IntrospectionQuery {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL
  fields(includeDeprecated: true) {
    name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type {
  kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
}`
