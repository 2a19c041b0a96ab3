package loader_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest"
	"chancery/loader"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const schemaFile = "../data/dataset.schema.json"

// TestSchemaIsFresh: the published schema is what the types give.
func TestSchemaIsFresh(t *testing.T) {
	want, err := loader.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not fresh; run go generate ./loader (-want +got):\n%s", schemaFile, diff)
	}
}

func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// plain is a YAML tree as editors see it: dates are text.
func plain(t testing.TB, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(t, n.Content[0])
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(t, n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		l := make([]any, len(n.Content))
		for i := range l {
			l[i] = plain(t, n.Content[i])
		}
		return l
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return json.Number(b)
	}
	return n.Value
}

func validate(t testing.TB, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return schema.Validate(plain(t, &doc))
}

// TestDataIsValid: the data sets that come with the project are right by their
// schema, and name it for editors.
func TestDataIsValid(t *testing.T) {
	schema := compileSchema(t)
	raw, err := os.ReadFile("../data/paris-talks-2025.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, schema, raw); err != nil {
		t.Error(err)
	}
	if !bytes.HasPrefix(raw, []byte("# yaml-language-server: $schema=dataset.schema.json\n")) {
		t.Error("editors do not find the schema")
	}
}

// TestSchemaAgrees: what the schema can tell, it tells as the loader does.
func TestSchemaAgrees(t *testing.T) {
	schema := compileSchema(t)
	relation := func(rest string) string { return head + "  - {type: PRAISED, source: a, target: b" + rest + "}\n" }
	entity := func(rest string) string {
		return "dataset: test\nentities: {x: {kind: Person, name: X" + rest + "}}\n"
	}
	good := []string{
		"dataset: test\n", "dataset: a.b_c-1\nsources:\nentities:\nevents:\nrelations:\ndefaults:\n",
		"$schema: x\ndataset: test\ntitle: T\npriority: -3\nrecorded: 2025-12-02T08:00:00Z\n",
		"dataset: test\ndefaults: {status: PLANNED, dateBasis: INFERRED, sources: []}\n",
		"dataset: test\nsources: {s: {name: S, url: \"https://example.org/a?b\", published: 2025, publisher: P}}\n",
		entity(""), entity(", aliases: Y"), entity(", aliases: [Y, Z]"), entity(", date: 1970"), entity(", date: 1970-01-02/.."),
		entity(", date: /2001~"), entity(", date: \"../2001-02?\""), entity(", date: 2001-02-03%/"), entity(", point: {latitude: 1, longitude: -2.5}"),
		entity(", properties: {a: 1, b: [x, true, 2.5], c: \"y\"}"), entity(", externalIds: [\"wikidata:Q1\", \"iso3166:X Y\"]"),
		"dataset: test\nentities: {x: {kind: Place, name: X}}\nevents: {é-1.b: {name: E, date: 2025-11, dateBasis: INFERRED, places: x}}\n",
		"dataset: test\nentities: {x: {kind: State, name: X}}\nevents: {e: {name: E, participants: [x, {entity: state/x, role: host}]}}\n",
		relation(""), relation(", date: 2025-11-24/2025-11-30"), relation(", quantity: 3, unit: words"), relation(", cameo: \"051\""),
		relation(", goldstein: -10, confidence: 0"), relation(", sources: [paper]"), relation(", citations: [{source: paper}]"),
		relation(", unattributed: false"), relation(", note: \"two\\nlines\""),
		head + "  - {type: PRAISED, unattributed: true, target: b}\n",
		head + "  - {id: x, type: PRAISED, source: a, target: b}\n  - {id: other/y, type: PRAISED, source: b, about: x}\n",
	}
	bad := []string{
		"title: T\n", "- a\n", "text\n", "dataset: Test\n", "dataset: 5\n", "dataset: test\nother: 1\n", "dataset: test\npriority: 1.5\n",
		"dataset: test\npriority: high\n", "dataset: test\ndefaults: {status: MAYBE}\n", "dataset: test\ndefaults: {dateBasis: GUESSED}\n",
		"dataset: test\nentities: [x]\n", "dataset: test\nrelations: {x: y}\n", "dataset: test\nentities: {a b: {kind: Person, name: X}}\n",
		"dataset: test\nentities: {unattributed: {kind: Person, name: X}}\n", "dataset: test\nentities: {x: }\n",
		"dataset: test\nentities: {x: {name: X}}\n", "dataset: test\nentities: {x: {kind: Person}}\n", "dataset: test\nentities: {x: {kind: person, name: X}}\n",
		"dataset: test\nentities: {x: {kind: Person, name: 5}}\n", "dataset: test\nentities: {x: {kind: Person, name: true}}\n",
		"dataset: test\nentities: {x: {kind: Person, name: \" \"}}\n", "dataset: test\nentities: {x: {kind: Person, name: \"a\\nb\"}}\n",
		"dataset: test\nentities: {x: {kind: Person, name: " + strings.Repeat("x", 501) + "}}\n",
		entity(", id: \"a b\""), entity(", date: soon"), entity(", date: 25"), entity(", date: 2025-13"), entity(", date: 2025-1-1"), entity(", date: /"),
		entity(", point: {latitude: 91, longitude: 0}"), entity(", point: {latitude: 9}"), entity(", point: [1, 2]"),
		entity(", properties: {a: {b: c}}"), entity(", properties: {a: }"), entity(", externalIds: Q1"), entity(", aliases: [[x]]"), entity(", aliases: "),
		entity(", nmae: X"),
		"dataset: test\nsources: {s: {name: S, url: example.org}}\n", "dataset: test\nsources: {s: {publisher: P}}\n",
		"dataset: test\nevents: {e: {name: E, participants: [{role: host}]}}\n",
		relation(", status: DONE"), relation(", dateBasis: stated"), relation(", quantity: 3"), relation(", unit: words"), relation(", quantity: many, unit: x"),
		relation(", confidence: 1.5"), relation(", goldstein: 11"), relation(", cameo: 051"), relation(", cameo: \"21\""), relation(", cameo: \"5\""),
		relation(", sources: [paper], citations: [{source: paper}]"), relation(", citations: [{quote: q}]"), relation(", citations: paper"),
		relation(", unattributed: true"), relation(", unattributed: 1"), relation(", note: "), relation(", id: \"a b\""), relation(", id: -x"),
		head + "  - {type: praised, source: a, target: b}\n", head + "  - {source: a, target: b}\n", head + "  - {type: PRAISED, target: b}\n",
		head + "  - {type: PRAISED, source: a}\n", head + "  - {type: PRAISED, source: a, about: []}\n", head + "  - text\n",
	}
	for i, text := range slices.Concat(good, bad) {
		want := i < len(good)
		_, err := load(t, storetest.NewOracle(), loader.Options{DryRun: true}, text)
		if byLoader := err == nil; byLoader != want {
			t.Errorf("the loader finds %q right: %t (%v)", text, byLoader, err)
		}
		var ps graph.Problems
		if err != nil && !errors.As(err, &ps) {
			t.Errorf("%q: %v", text, err)
		}
		if err := validate(t, schema, []byte(text)); (err == nil) != want {
			t.Errorf("the schema finds %q right: %t (%v)", text, err == nil, err)
		}
	}
}

// TestChecklist: every fact of the article is held by something, and every
// relation of the data set holds a fact.
func TestChecklist(t *testing.T) {
	raw, err := os.ReadFile("../data/paris-talks-2025.checklist.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var facts []struct {
		Fact string
		IDs  []string `yaml:"ids"`
	}
	in := yaml.NewDecoder(bytes.NewReader(raw))
	in.KnownFields(true)
	if err := in.Decode(&facts); err != nil {
		t.Fatal(err)
	}
	if len(facts) < 20 {
		t.Errorf("only %d facts", len(facts))
	}
	store := storetest.NewOracle()
	if _, err := loader.Load(t.Context(), store, []string{"../data/paris-talks-2025.yaml"}, loader.Options{}); err != nil {
		t.Fatal(err)
	}
	s := stateOf(t, store, "paris-talks-2025")
	listed := map[string]bool{}
	for _, f := range facts {
		if strings.TrimSpace(f.Fact) == "" || len(f.IDs) == 0 {
			t.Errorf("a fact without words or ids: %+v", f)
		}
		for _, id := range f.IDs {
			listed[id] = true
			if s.Statements[id] == nil && s.Versions[id] == nil {
				t.Errorf("%q: the data set has no %s", f.Fact, id)
			}
		}
	}
	for id := range s.Versions {
		if !listed[id] {
			t.Errorf("no fact is held by the relation %s", id)
		}
	}
	for id, v := range s.Statements {
		if v[0].Content.Form == graph.FormEvent && !listed[id] {
			t.Errorf("no fact is held by the event %s", id)
		}
	}
}
