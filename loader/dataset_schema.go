package loader

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"chancery/graph"

	"github.com/invopop/jsonschema"
)

//go:generate go run chancery/loader/internal/schemagen ../data/dataset.schema.json

// JSONSchema is the JSON Schema of the data set format, for editors. It has
// the types of the built-in vocabulary, and lets others pass.
func JSONSchema() ([]byte, error) {
	vocabulary, err := graph.BuiltinVocabulary()
	if err != nil {
		return nil, err
	}
	r := &jsonschema.Reflector{RequiredFromJSONSchemaTags: true, Anonymous: true, ExpandedStruct: true,
		Namer: func(t reflect.Type) string { return strings.TrimSuffix(t.Name(), "YAML") }}
	s := r.Reflect(&datasetFile{})
	s.Title = "Chancery data set"
	s.Description = "Actors, what they did to each other and when, and who says so."
	refine(s, reflect.TypeFor[datasetFile](), vocabulary.Families())
	for name, t := range map[string]reflect.Type{
		"datasetDefaults": reflect.TypeFor[datasetDefaults](), "source": reflect.TypeFor[sourceYAML](),
		"entity": reflect.TypeFor[entityYAML](), "event": reflect.TypeFor[eventYAML](), "participant": reflect.TypeFor[participantYAML](),
		"relation": reflect.TypeFor[relationYAML](), "citation": reflect.TypeFor[citationYAML](),
	} {
		refine(s.Definitions[name], t, vocabulary.Families())
	}

	// Sections may be left empty while one writes.
	for _, key := range []string{"defaults", "sources", "entities", "events", "relations"} {
		section, _ := s.Properties.Get(key)
		described := &jsonschema.Schema{Description: section.Description}
		section.Description = ""
		if section.AdditionalProperties != nil {
			section.PropertyNames = &jsonschema.Schema{Pattern: handlePattern, MaxLength: number(maxHandle),
				Not: &jsonschema.Schema{Const: unattributedHandle}}
		}
		described.AnyOf = []*jsonschema.Schema{section, {Type: "null"}}
		s.Properties.Set(key, described)
	}

	// A participant without a role is a reference.
	participants, _ := s.Definitions["event"].Properties.Get("participants")
	participants.Items = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		participants.Items, {Type: "string", Pattern: idPattern, MaxLength: number(maxID)},
	}}

	kind, _ := s.Definitions["entity"].Properties.Get("kind")
	kind.Enum = enum(kindNames())

	relation := s.Definitions["relation"]
	types := &jsonschema.Schema{}
	for _, t := range vocabulary.Types() {
		types.Enum = append(types.Enum, t.Name)
	}
	kindOf, _ := relation.Properties.Get("type")
	kindOf.Type = ""
	kindOf.AnyOf = []*jsonschema.Schema{types, {Type: "string", Pattern: "^[A-Z][A-Z0-9_]*$"}}
	with := func(required string, unattributed bool) *jsonschema.Schema {
		properties := jsonschema.NewProperties()
		properties.Set("unattributed", &jsonschema.Schema{Const: unattributed})
		return &jsonschema.Schema{Required: []string{required}, Properties: properties}
	}
	nobody := with("unattributed", true)
	nobody.Not = &jsonschema.Schema{Required: []string{"source"}}
	named := with("source", false)
	aboutSomething, one := jsonschema.NewProperties(), uint64(1)
	aboutSomething.Set("about", &jsonschema.Schema{MinItems: &one})
	relation.AllOf = []*jsonschema.Schema{
		{Comments: "It has a source, or says that there is none.", AnyOf: []*jsonschema.Schema{named, nobody}},
		{Comments: "It has a target, or what it is about.", AnyOf: []*jsonschema.Schema{{Required: []string{"target"}}, {Required: []string{"about"}, Properties: aboutSomething}}},
		{Comments: "Sources or citations.", Not: &jsonschema.Schema{Required: []string{"sources", "citations"}}},
	}
	relation.DependentRequired = map[string][]string{"quantity": {"unit"}, "unit": {"quantity"}}

	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// refine adds what the tags of the reflector cannot say.
func refine(s *jsonschema.Schema, t reflect.Type, families []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		p, ok := s.Properties.Get(key)
		if !ok {
			continue
		}
		one := p
		isList := p.Type == "array"
		if isList {
			one = p.Items
		}
		switch f.Tag.Get("chancery") {
		case "line":
			one.Pattern, one.MaxLength = linePattern, number(maxLine)
		case "text":
			one.Pattern, one.MaxLength = textPattern, number(maxText)
		case "quote":
			one.Pattern, one.MaxLength = textPattern, number(maxQuote)
		case "id":
			one.Pattern, one.MaxLength = idPattern, number(maxID)
		case "ref":
			one.Pattern, one.MaxLength = idPattern, number(maxID)
			if !isList && p.Description == "" {
				p.Description = "A short name of this file, or an id of the record."
			}
		case "external":
			one.Pattern, one.MaxLength = externalPattern, number(maxLine)
			p.Description = "Its ids in other catalogues, as scheme:value, for example wikidata:Q142 or iso3166:FRA."
		case "edtf":
			one.Type = ""
			one.AnyOf = []*jsonschema.Schema{
				{Type: "string", Pattern: edtfPattern},
				{Type: "integer", Minimum: "1000", Maximum: "9999"}, // a year alone
			}
		}
		if isList && one.Type == "string" { // one value can stand for a list of one
			list := &jsonschema.Schema{Type: "array", Items: one}
			p.Type, p.Items = "", nil
			p.AnyOf = []*jsonschema.Schema{list, one}
		}
		switch key {
		case "status":
			p.Enum = enum(graph.Statuses[:])
			p.Description = strings.TrimSpace("PLANNED: announced. CLAIMED: one interested party says so. REPORTED: a source says so. CONFIRMED: the one who acted admits it, or independent sources agree. DISPUTED, DENIED, CANCELLED. " + p.Description)
		case "family":
			p.Enum = enum(families)
		case "dateBasis":
			p.Enum = enum(graph.DateBases[:])
		case "properties":
			scalar := func() *jsonschema.Schema {
				return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
					{Type: "string", Pattern: textPattern, MaxLength: number(maxText)}, {Type: "number"}, {Type: "boolean"},
				}}
			}
			p.Description = "Whatever else is known: to each name a value, or a list of values."
			p.PropertyNames = &jsonschema.Schema{Pattern: linePattern, MaxLength: number(maxHandle)}
			p.AdditionalProperties = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{scalar(), {Type: "array", Items: scalar()}}}
		}
	}
}

func number(n uint64) *uint64 { return &n }

func enum[T ~string](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// kindName is a kind as files have it: Person, State, ….
func kindName(k graph.Kind) string { return string(k[:1]) + strings.ToLower(string(k[1:])) }

func kindNames() []string {
	names := make([]string, len(graph.Kinds))
	for i, k := range graph.Kinds {
		names[i] = kindName(k)
	}
	return slices.Clip(names)
}
