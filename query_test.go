package main

import (
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

func TestReadValue(t *testing.T) {
	named := ast.NamedType
	list := func(of *ast.Type) *ast.Type { return ast.ListType(of, nil) }
	required := func(name string) *ast.Type { return ast.NonNullNamedType(name, nil) }
	cases := []struct {
		of   *ast.Type
		text string
		want any // an error where it is a string with "!" before it
	}{
		{named("String", nil), "5", "5"},
		{named("String", nil), "null", "null"},
		{named("ID", nil), "person/x=y", "person/x=y"},
		{named("Date", nil), "2025-12-01", "2025-12-01"},
		{named("Date", nil), "null", nil},
		{required("Date"), "null", "null"},
		{named("Certainty", nil), "CERTAIN", "CERTAIN"},
		{named("Int", nil), "-5", json.Number("-5")},
		{named("Int", nil), "5.5", "!no whole number"},
		{named("Int", nil), "3000000000", "!no whole number"},
		{named("Float", nil), "1e3", json.Number("1e3")},
		{named("Float", nil), "much", "!no number"},
		{named("Boolean", nil), "true", true},
		{required("Boolean"), "yes", "!neither true nor false"},
		{list(required("ID")), `["a", "b"]`, []any{"a", "b"}},
		{list(required("ID")), "a", []any{"a"}},
		{list(named("Int", nil)), "[1, 2]", []any{json.Number("1"), json.Number("2")}},
		{list(named("Int", nil)), "null", nil},
		{list(named("ID", nil)), "[a]", "!JSON list"},
		{named("RelationFilter", nil), `{"types": ["MET_WITH"]}`, map[string]any{"types": []any{"MET_WITH"}}},
		{named("RelationFilter", nil), `{} {}`, "!more after"},
		{named("RelationFilter", nil), "MET_WITH", "!JSON object"},
	}
	for _, c := range cases {
		got, err := readValue(c.of, c.text)
		if want, ok := c.want.(string); ok && strings.HasPrefix(want, "!") {
			if err == nil || !strings.Contains(err.Error(), want[1:]) {
				t.Errorf("%s %q: %v, %v; want the error %q", c.of, c.text, got, err, want[1:])
			}
		} else if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %q: %#v, %v; want %#v", c.of, c.text, got, err, c.want)
		}
	}
}

func TestQuery(t *testing.T) {
	workshop(t)
	if got := call(t, "", []string{"load", paris, "--quiet"}); got.status != 0 || got.stderr != "" {
		t.Fatal(got)
	}
	writeFile(t, "v.json", `{"name": "Peskov", "n": 1}`)
	const search = `query S($name: String!, $n: Int) { search(text: $name, first: $n) { entity { name aliases ... on Person { offices { title } } } match } }`
	cases := []struct {
		name, operation string
		args            []string
		status          int
		stdout, stderr  string
	}{
		{"json", `{ entity(id: "state/france") { name } }`, nil, 0,
			"{\n  \"data\": {\n    \"entity\": {\n      \"name\": \"France\"\n    }\n  }\n}\n", ""},
		{"csv", search, []string{"--var", "name=Macron", "--var", "n=1", "--output", "csv"}, 0,
			"entity.name,entity.aliases,entity.offices,match\nEmmanuel Macron,Macron,\"[{\"\"title\"\":\"\"President of France\"\"}]\",ALIAS\n", ""},
		{"variables from a file", search, []string{"--variables", "v.json", "--output", "csv"}, 0,
			"entity.name,entity.aliases,entity.offices,match\nDmitry Peskov,Peskov; Dmitri Peskov; Дмитрий Песков,\"[{\"\"title\"\":\"\"Kremlin spokesperson\"\"}]\",ALIAS\n", ""},
		{"--var before --variables", search, []string{"--variables", "v.json", "--var", "name=nobody", "--output", "csv"}, 0,
			"entity.name,entity.aliases,entity.offices,match\n", ""},
		{"table", `{ nodes(ids: ["state/france", "none"]) { ... on Entity { name kind } } }`, []string{"--output", "table"}, 0,
			"┌────────┬───────┐\n│ name   │ kind  │\n├────────┼───────┤\n│ France │ STATE │\n│        │       │\n└────────┴───────┘\n", ""},
		{"a connection", `{ r: relations(filter: {types: ["CONDEMNED"]}) { totalCount edges { node { s: source { name } places { name } quantity } } } }`,
			[]string{"--output", "csv"}, 0, "node.s.name,node.places,node.quantity\nDmitry Peskov,,\n", ""},
		{"no list", `{ entity(id: "state/france") { name aliases } }`, []string{"--output", "csv"}, 0, "entity.name,entity.aliases\nFrance,\n", ""},
		{"nothing there", `{ entity(id: "none") { name relations { nodes { id } } } }`, []string{"--output", "csv"}, 0, "id\n", ""},
		{"other lists", `{ entity(id: "state/france") { name } leaders(first: 1) { nodes { title } } }`, []string{"--output", "csv"}, 0,
			"title\nPresident of France\n", "note: not shown: entity (--output json shows all)\n"},
		{"skipped columns", `query ($no: Boolean = true) { nodes(ids: ["state/france"]) { id ... on Entity @skip(if: $no) { name } } }`,
			[]string{"--output", "csv"}, 0, "id\nstate/france\n", ""},
		{"an error in the answer", `{ entity(id: "state/france") { name } relations(first: 501) { totalCount } }`, []string{"--output", "csv"}, 1,
			"", "error: first: 501 is not from 0 to 500 (relations.first, BAD_USER_INPUT)\n"},
		{"a document that is refused", `{ entity(id: "a") { nothing } }`, nil, 1, "", "nothing"},
		{"a document that is refused, as table", `{`, []string{"--output", "table"}, 1, "", "GRAPHQL_PARSE_FAILED"},
		{"which operation", `query A { vocabulary { families } } query B { vocabulary { kinds } }`, nil, 1, "", "GRAPHQL_VALIDATION_FAILED"},
		{"that operation", `query A { vocabulary { families } } query B { node(id: "x") { id } }`, []string{"--operation", "B"}, 0,
			"{\n  \"data\": {\n    \"node\": null\n  }\n}\n", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, c.operation, append([]string{"query", "-"}, c.args...))
			if got.status != c.status || c.stdout != "" && got.stdout != c.stdout || !strings.Contains(got.stderr, c.stderr) || c.stderr == "" && got.stderr != "" {
				t.Errorf("status %d, want %d\nstdout: %s\nwant: %s\nstderr: %s", got.status, c.status, got.stdout, c.stdout, got.stderr)
			}
		})
	}
}

func TestCellsAreHarmless(t *testing.T) {
	workshop(t)
	writeFile(t, "evil.yaml", `dataset: evil
entities:
  a: {id: x/a, kind: State, name: "=HYPERLINK(\"http://evil\")", aliases: ["@x", "y"]}
  b: {id: x/b, kind: State, name: B}
relations:
  - {id: r, type: CONSULTED, source: a, target: b, date: 2025-12-01, goldstein: -1}
`)
	if got := call(t, "", []string{"load", "evil.yaml", "--quiet"}); got.status != 0 {
		t.Fatal(got)
	}
	const operation = `{ relations { nodes { goldstein source { name aliases } } } }`
	got := call(t, operation, []string{"query", "-", "--output", "csv"})
	lines, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	want := [][]string{{"goldstein", "source.name", "source.aliases"}, {"-1", `'=HYPERLINK("http://evil")`, "'@x; y"}}
	if err != nil || !reflect.DeepEqual(lines, want) {
		t.Errorf("%q, %v; want %q", lines, err, want)
	}
}

func TestPrintable(t *testing.T) {
	if got := printable("a\nb\tc\x1b[31m\u202ed\u0085 é"); got != "a b c\ufffd[31m\ufffdd\ufffd é" {
		t.Errorf("%q", got)
	}
}
