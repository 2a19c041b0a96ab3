package loader

import (
	"encoding/json"
	"reflect"
	"strings"

	"chancery/graph"

	"github.com/invopop/jsonschema"
)

// The types below are the data set format. The keys that the decoder accepts
// and the published JSON Schema are both made from them.

// Dataset is a whole file.
type Dataset struct {
	Dataset   string            `json:"dataset" jsonschema:"required,pattern=^[a-z0-9][a-z0-9._-]*$,description=The name of the data set. A later file of the same name is a new edition: what it no longer holds is withdrawn."`
	Title     string            `json:"title,omitempty" jsonschema:"description=What the data set is\\, for people."`
	Priority  int               `json:"priority,omitempty" jsonschema:"description=Where data sets differ on a single value\\, the highest priority has the say."`
	Recorded  string            `json:"recorded,omitempty" jsonschema:"format=date-time,description=When this edition entered the record\\, where that is not the time of loading. Later than any earlier edition."`
	Defaults  Defaults          `json:"defaults,omitempty" jsonschema:"description=What holds for every relation that does not say otherwise."`
	Sources   map[string]Source `json:"sources,omitempty" jsonschema:"description=The documents that relations cite\\, each under a short name for use in this file."`
	Entities  map[string]Entity `json:"entities,omitempty" jsonschema:"description=Actors and what they act on\\, each under a short name for use in this file."`
	Events    map[string]Event  `json:"events,omitempty" jsonschema:"description=Happenings with their participants\\, each under a short name for use in this file."`
	Relations []Relation        `json:"relations,omitempty" jsonschema:"description=Dated acts and standings."`
}

// Defaults hold for relations.
type Defaults struct {
	Status    string   `json:"status,omitempty" jsonschema:"enum=PLANNED,enum=CLAIMED,enum=REPORTED,enum=CONFIRMED,enum=DISPUTED,enum=DENIED,enum=CANCELLED,description=REPORTED if absent."`
	DateBasis string   `json:"dateBasis,omitempty" jsonschema:"enum=STATED,enum=INFERRED,enum=PUBLICATION,description=STATED if absent."`
	Sources   []string `json:"sources,omitempty" jsonschema:"description=Sources that every relation without any cites."`
}

// Source is a document.
type Source struct {
	ID          string         `json:"id,omitempty" jsonschema:"description=The id in the record; <data set>/<short name> if absent."`
	Name        string         `json:"name" jsonschema:"required,description=Its title."`
	Publisher   string         `json:"publisher,omitempty"`
	URL         string         `json:"url,omitempty" jsonschema:"format=uri"`
	Published   string         `json:"published,omitempty" jsonschema:"description=The day of publication\\, in EDTF."`
	Description string         `json:"description,omitempty"`
	ExternalIDs []string       `json:"externalIds,omitempty" jsonschema:"description=scheme:value"`
	Properties  map[string]any `json:"properties,omitempty" jsonschema:"description=Free properties: a value or a list of values each."`
}

// Entity is an actor, or something that actors act on, in or with.
type Entity struct {
	ID          string         `json:"id,omitempty" jsonschema:"description=The id in the record; <kind>/<name> in lower case if absent."`
	Kind        string         `json:"kind" jsonschema:"required,enum=Person,enum=State,enum=Organization,enum=Group,enum=Undecided,enum=Facility,enum=Place,enum=Instrument"`
	Name        string         `json:"name" jsonschema:"required"`
	Aliases     []string       `json:"aliases,omitempty" jsonschema:"description=Other names. Search finds them."`
	Description string         `json:"description,omitempty"`
	ExternalIDs []string       `json:"externalIds,omitempty" jsonschema:"description=Ids in other catalogues\\, scheme:value\\, for example wikidata:Q142 or iso3166:FRA."`
	Date        string         `json:"date,omitempty" jsonschema:"description=When it existed\\, in EDTF\\, for example 1977-12-21/.."`
	Point       *Point         `json:"point,omitempty" jsonschema:"description=Where it is (WGS-84)."`
	Properties  map[string]any `json:"properties,omitempty" jsonschema:"description=Free properties: a value or a list of values each."`
}

// Point is a WGS-84 position in decimal degrees.
type Point struct {
	Latitude  float64 `json:"latitude" jsonschema:"required,minimum=-90,maximum=90"`
	Longitude float64 `json:"longitude" jsonschema:"required,minimum=-180,maximum=180"`
}

// Event is one happening.
type Event struct {
	ID           string         `json:"id,omitempty" jsonschema:"description=The id in the record; <data set>/<short name> if absent."`
	Name         string         `json:"name" jsonschema:"required"`
	Description  string         `json:"description,omitempty"`
	Date         string         `json:"date,omitempty" jsonschema:"description=When it happened\\, in EDTF."`
	DateBasis    string         `json:"dateBasis,omitempty" jsonschema:"enum=STATED,enum=INFERRED,enum=PUBLICATION"`
	Places       []string       `json:"places,omitempty" jsonschema:"description=Places and facilities."`
	Participants []Participant  `json:"participants,omitempty"`
	ExternalIDs  []string       `json:"externalIds,omitempty" jsonschema:"description=scheme:value"`
	Properties   map[string]any `json:"properties,omitempty" jsonschema:"description=Free properties: a value or a list of values each."`
}

// Participant took part in an event.
type Participant struct {
	Entity string `json:"entity" jsonschema:"required"`
	Role   string `json:"role,omitempty" jsonschema:"description=As what\\, for example host."`
}

// Relation is a dated act or standing. References are short names of this
// file, or ids of the record.
type Relation struct {
	ID           string     `json:"id,omitempty" jsonschema:"description=A short name; the id in the record is then <data set>/<short name>. With a slash it is the id itself. If absent\\, the id is made from data set\\, type\\, ends and date."`
	Type         string     `json:"type" jsonschema:"required,description=A relation type of the vocabulary."`
	Source       string     `json:"source,omitempty" jsonschema:"description=Who acts."`
	Unattributed bool       `json:"unattributed,omitempty" jsonschema:"description=Nobody is named as the one who acts. Instead of source."`
	Target       string     `json:"target,omitempty" jsonschema:"description=Who or what is acted upon. May be absent with about: then it is the source of the first relation there."`
	Date         string     `json:"date,omitempty" jsonschema:"description=In EDTF: 2025-12-01\\, 2025-11\\, 2025-11-24/2025-11-30\\, 2021-01-20/..\\, each date with ~ (approximate) or ? (uncertain) behind it where it is so."`
	DateBasis    string     `json:"dateBasis,omitempty" jsonschema:"enum=STATED,enum=INFERRED,enum=PUBLICATION,description=PUBLICATION: only the day of the source is known; leave the date out then."`
	Status       string     `json:"status,omitempty" jsonschema:"enum=PLANNED,enum=CLAIMED,enum=REPORTED,enum=CONFIRMED,enum=DISPUTED,enum=DENIED,enum=CANCELLED"`
	ClaimedBy    string     `json:"claimedBy,omitempty" jsonschema:"description=Whose claim it is."`
	SourceAs     string     `json:"sourceAs,omitempty" jsonschema:"description=The office in which the source acts; of an office\\, its title."`
	TargetAs     string     `json:"targetAs,omitempty" jsonschema:"description=The office in which the target is acted upon."`
	AccreditedTo string     `json:"accreditedTo,omitempty" jsonschema:"description=Of an envoy: to whom they are sent."`
	About        []string   `json:"about,omitempty" jsonschema:"description=The relations and events that this act is about."`
	Event        string     `json:"event,omitempty" jsonschema:"description=The event that it belongs to."`
	Places       []string   `json:"places,omitempty" jsonschema:"description=Places and facilities where it happened."`
	Quantity     float64    `json:"quantity,omitempty"`
	Unit         string     `json:"unit,omitempty" jsonschema:"description=What the quantity counts."`
	Note         string     `json:"note,omitempty"`
	CAMEO        string     `json:"cameo,omitempty" jsonschema:"pattern=^[0-9]{2\\,4}$,description=CAMEO code\\, in quotes so that it stays text."`
	Goldstein    float64    `json:"goldstein,omitempty" jsonschema:"minimum=-10,maximum=10"`
	Confidence   float64    `json:"confidence,omitempty" jsonschema:"minimum=0,maximum=1"`
	Sources      []string   `json:"sources,omitempty" jsonschema:"description=The sources it rests on."`
	Citations    []Citation `json:"citations,omitempty" jsonschema:"description=Sources together with what is quoted from them."`
}

// Citation is a source with a quotation.
type Citation struct {
	Source string `json:"source" jsonschema:"required"`
	Quote  string `json:"quote,omitempty" jsonschema:"description=A few words of a speaker\\, as the source has them."`
}

// keysOf lists the keys of a type of the format.
func keysOf[T any]() []string {
	t := reflect.TypeFor[T]()
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return keys
}

var (
	datasetKeys     = keysOf[Dataset]()
	defaultsKeys    = keysOf[Defaults]()
	sourceKeys      = keysOf[Source]()
	entityKeys      = keysOf[Entity]()
	pointKeys       = keysOf[Point]()
	eventKeys       = keysOf[Event]()
	participantKeys = keysOf[Participant]()
	relationKeys    = keysOf[Relation]()
	citationKeys    = keysOf[Citation]()
)

// JSONSchema is the JSON Schema (draft 2020-12) of the data set format. The
// relation types of the built-in vocabulary are suggested; others are allowed.
func JSONSchema() ([]byte, error) {
	vocabulary, err := graph.BuiltinVocabulary()
	if err != nil {
		return nil, err
	}
	r := &jsonschema.Reflector{RequiredFromJSONSchemaTags: true, Anonymous: true}
	s := r.Reflect(&Dataset{})
	s.Title = "Chancery data set"
	types := &jsonschema.Schema{}
	for _, t := range vocabulary.Types() {
		types.Enum = append(types.Enum, t.Name)
	}
	relation, _ := s.Definitions["Relation"].Properties.Get("type")
	relation.AnyOf = []*jsonschema.Schema{types, {Type: "string", Pattern: "^[A-Z][A-Z0-9_]*$"}}
	relation.Type = ""
	// Lists may be written as a single value, and properties hold scalars.
	scalar := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	for _, d := range s.Definitions {
		for p := d.Properties.Oldest(); p != nil; p = p.Next() {
			switch {
			case p.Key == "properties":
				p.Value.AdditionalProperties = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{scalar, {Type: "array", Items: scalar}}}
			case p.Value.Type == "array" && p.Value.Items != nil && p.Value.Items.Type == "string":
				p.Value.AnyOf = []*jsonschema.Schema{{Type: "string"}, {Type: "array", Items: p.Value.Items}}
				p.Value.Type, p.Value.Items = "", nil
			case dated[p.Key] && p.Value.Type == "string": // a year alone is a number in YAML
				p.Value.Type = ""
				p.Value.AnyOf = []*jsonschema.Schema{{Type: "string"}, {Type: "integer"}}
			}
		}
	}
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// dated are the keys that hold dates in EDTF.
var dated = map[string]bool{"date": true, "published": true}
