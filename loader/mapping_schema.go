package loader

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"chancery/graph"

	"github.com/invopop/jsonschema"
)

//go:generate go run chancery/loader/internal/schemagen -mapping ../data/mapping.schema.json

// MappingSchema is the JSON Schema of mappings, for editors. It has the types
// of the built-in vocabulary, and lets others pass.
func MappingSchema() ([]byte, error) {
	vocabulary, err := graph.BuiltinVocabulary()
	if err != nil {
		return nil, err
	}
	r := &jsonschema.Reflector{RequiredFromJSONSchemaTags: true, Anonymous: true, ExpandedStruct: true,
		Namer: func(t reflect.Type) string { return strings.TrimSuffix(strings.TrimSuffix(t.Name(), "YAML"), "Rule") }}
	s := r.Reflect(&mappingFile{})
	s.Title = "Chancery mapping"
	s.Description = "What the rows of a table mean, as entities and relations."
	for _, t := range []reflect.Type{reflect.TypeFor[valueYAML](), reflect.TypeFor[whenYAML](), reflect.TypeFor[dateYAML]()} {
		d := r.ReflectFromType(t)
		d.Version = ""
		s.Definitions[strings.TrimSuffix(t.Name(), "YAML")] = d
	}
	m := mappingSchema{types: vocabulary.Types()}
	m.refine(s, reflect.TypeFor[mappingFile]())
	for name, t := range map[string]reflect.Type{
		"format": reflect.TypeFor[formatYAML](), "mappingDefaults": reflect.TypeFor[mappingDefaults](), "value": reflect.TypeFor[valueYAML](),
		"when": reflect.TypeFor[whenYAML](), "date": reflect.TypeFor[dateYAML](), "point": reflect.TypeFor[pointRuleYAML](),
		"source": reflect.TypeFor[sourceRuleYAML](), "entity": reflect.TypeFor[entityRuleYAML](),
		"relation": reflect.TypeFor[relationRuleYAML](), "citation": reflect.TypeFor[citationRuleYAML](),
	} {
		m.refine(s.Definitions[name], t)
	}
	version, _ := s.Properties.Get("mapping")
	version.Type, version.Const = "", 1
	tables, _ := s.Properties.Get("maps")
	tables.AdditionalProperties = templateMap()
	for _, key := range []string{"sources", "entities"} {
		section, _ := s.Properties.Get(key)
		section.PropertyNames = &jsonschema.Schema{Pattern: handlePattern, MaxLength: number(maxHandle)}
	}
	for _, key := range []string{"format", "maps", "defaults", "sources", "relations"} { // left empty while one writes
		section, _ := s.Properties.Get(key)
		described := &jsonschema.Schema{Description: section.Description}
		section.Description = ""
		described.AnyOf = []*jsonschema.Schema{section, {Type: "null"}}
		s.Properties.Set(key, described)
	}
	headless := jsonschema.NewProperties()
	headless.Set("header", &jsonschema.Schema{Const: false})
	format := s.Definitions["format"]
	format.AnyOf = []*jsonschema.Schema{
		{Required: []string{"header", "columns"}, Properties: headless},
		{Not: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Required: []string{"columns"}}, {Required: []string{"header"}, Properties: headless}}}},
	}
	s.Definitions["when"].AnyOf = []*jsonschema.Schema{{Required: []string{"is"}}, {Required: []string{"not"}}, {Required: []string{"empty"}}}
	date := s.Definitions["date"]
	between := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Required: []string{"start"}}, {Required: []string{"end"}}}}
	date.OneOf = []*jsonschema.Schema{{Required: []string{"on"}}, between}
	relation := s.Definitions["relation"]
	relation.Not = &jsonschema.Schema{Required: []string{"sources", "citations"}}
	relation.DependentRequired = map[string][]string{"quantity": {"unit"}, "unit": {"quantity"}}
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

type mappingSchema struct{ types []*graph.RelationType }

// template is a text that must not be empty; numbers are text too.
func templateSchema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: textPattern, MaxLength: number(maxText)}, {Type: "number"}, {Type: "boolean"}}}
}

func templateMap() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{
		AnyOf: []*jsonschema.Schema{{Type: "string", MaxLength: number(maxText)}, {Type: "number"}, {Type: "boolean"}}}}
}

func refTo(name string) *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/" + name} }

func oneOrList(one *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{one, {Type: "array", Items: one}}}
}

func (m *mappingSchema) value() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{templateSchema(), refTo("value")}}
}

// word is one of a few words, or a value that is mapped to them.
func wordSchema(words []any, open string) *jsonschema.Schema {
	one := []*jsonschema.Schema{{Enum: words}}
	if open != "" {
		one = append(one, &jsonschema.Schema{Type: "string", Pattern: open})
	}
	return &jsonschema.Schema{AnyOf: append(one, refTo("value"))}
}

// refine adds what the tags of the reflector cannot say.
func (m *mappingSchema) refine(s *jsonschema.Schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		p, ok := s.Properties.Get(name)
		tag := f.Tag.Get("chancery")
		if !ok {
			continue
		}
		var to *jsonschema.Schema
		switch tag {
		case "line":
			if p.Items != nil {
				p.Items.Pattern, p.Items.MaxLength = linePattern, number(maxLine)
			} else {
				p.Pattern, p.MaxLength = linePattern, number(maxLine)
			}
		case "template":
			to = templateSchema()
			if name == "default" {
				to = templateMap().AdditionalProperties
			}
		case "map":
			to = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, templateMap()}}
		case "value":
			to = m.value()
		case "values":
			to = oneOrList(m.value())
		case "when":
			to = oneOrList(refTo("when"))
			to.Description = "The rows for which it holds: all of these must be so. All rows if left out."
		case "date":
			to = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{templateSchema(), refTo("value"), refTo("date")}}
		case "handle":
			if p.Items != nil {
				to = oneOrList(&jsonschema.Schema{Type: "string", Pattern: handlePattern})
			} else {
				p.Pattern = handlePattern
			}
		case "text":
			to = oneOrList(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}})
		case "pattern":
			to = oneOrList(&jsonschema.Schema{Type: "string", Pattern: linePattern})
		case "external":
			p.PropertyNames = &jsonschema.Schema{Pattern: `^[a-z][a-z0-9.+-]*$`}
			p.AdditionalProperties = oneOrList(m.value())
		case "properties":
			p.PropertyNames = &jsonschema.Schema{Pattern: linePattern, MaxLength: number(maxHandle)}
			p.AdditionalProperties = oneOrList(m.value())
		case "kind":
			to = wordSchema(enum(kindNames()), "")
		case "basis":
			to = wordSchema(enum(graph.DateBases[:]), "")
		case "status":
			to = wordSchema(enum(graph.Statuses[:]), "")
		case "type":
			var names []any
			for _, t := range m.types {
				names = append(names, t.Name)
			}
			to = wordSchema(names, "^[A-Z][A-Z0-9_]*$")
		}
		switch name {
		case "status", "dateBasis":
			if tag == "" {
				p.Enum = enum(graph.Statuses[:])
				if name == "dateBasis" {
					p.Enum = enum(graph.DateBases[:])
				}
			}
		case "missing":
			to = oneOrList(&jsonschema.Schema{Type: "string"})
		case "columns":
			p.Items = &jsonschema.Schema{Type: "string", Pattern: linePattern, MaxLength: number(maxLine)}
			p.UniqueItems = true
		}
		if to != nil {
			if to.Description == "" {
				to.Description = p.Description
			}
			s.Properties.Set(name, to)
		}
	}
	slices.Sort(s.Required)
}
