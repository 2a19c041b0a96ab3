package loader

import (
	"reflect"
	"strings"
)

// The types below are the format of data sets: the keys that the reader takes
// and the JSON Schema that editors use are both made from them. The reader
// itself works on the YAML tree, since it must say where a mistake is.
//
// In the tag chancery: "line" is text of one line, "text" is text, "ref" a
// reference, "edtf" a date; a list of these can be written as one value.

// datasetFile is a whole file.
type datasetFile struct {
	Schema    string                `json:"$schema,omitempty" jsonschema:"description=Where editors find the JSON Schema (in JSON files; YAML files have a comment for it)."`
	Dataset   string                `json:"dataset" jsonschema:"required,maxLength=100,pattern=^[a-z0-9][a-z0-9._-]*$,description=The name of the data set\\, in lower case. A later file of the same name is a new edition: what it no longer holds is withdrawn from the record."`
	Title     string                `json:"title,omitempty" chancery:"line" jsonschema:"description=What the data set is\\, for people."`
	Priority  int                   `json:"priority,omitempty" jsonschema:"minimum=-1000000,maximum=1000000,description=Where data sets differ on a single value (a name\\, a kind) the one of highest priority has the say. 0 if left out."`
	Recorded  string                `json:"recorded,omitempty" jsonschema:"description=The moment (RFC 3339) at which this edition counts as recorded\\, if that is not the time of loading. It must be later than that of any earlier edition."`
	Disputed  []string              `json:"disputed,omitempty" chancery:"id" jsonschema:"description=Ids of entities whose kinds do not fit where this file has them\\, which is known and no mistake. Exports list those whose kind was stated later."`
	Defaults  datasetDefaults       `json:"defaults,omitzero" jsonschema:"description=What holds for each relation that does not say otherwise."`
	Sources   map[string]sourceYAML `json:"sources,omitempty" jsonschema:"description=Documents that relations cite\\, each under a short name by which this file refers to it."`
	Entities  map[string]entityYAML `json:"entities,omitempty" jsonschema:"description=Actors\\, and what they act on\\, in or with\\, each under a short name by which this file refers to it."`
	Events    map[string]eventYAML  `json:"events,omitempty" jsonschema:"description=Happenings with their participants\\, each under a short name by which this file refers to it."`
	Relations []relationYAML        `json:"relations,omitempty" jsonschema:"description=Who did what to whom (acts) and who is what of whom (standings)."`
}

type datasetDefaults struct {
	Status    string   `json:"status,omitempty" jsonschema:"description=REPORTED if left out."`
	DateBasis string   `json:"dateBasis,omitempty" jsonschema:"description=STATED if left out."`
	Sources   []string `json:"sources,omitempty" chancery:"ref" jsonschema:"description=What a relation cites that names neither sources nor citations."`
}

type sourceYAML struct {
	ID          string         `json:"id,omitempty" chancery:"id" jsonschema:"description=Its id in the record. DATASET/SHORT-NAME if left out."`
	Name        string         `json:"name" jsonschema:"required,description=Its title." chancery:"line"`
	Publisher   string         `json:"publisher,omitempty" chancery:"line"`
	URL         string         `json:"url,omitempty" jsonschema:"maxLength=2000,pattern=^https?://[^\\s/]+\\S*$,description=Where to read it."`
	Published   string         `json:"published,omitempty" chancery:"edtf" jsonschema:"description=The day of publication (EDTF)."`
	Description string         `json:"description,omitempty" chancery:"text"`
	ExternalIDs []string       `json:"externalIds,omitempty" chancery:"external"`
	Properties  map[string]any `json:"properties,omitempty"`
}

type entityYAML struct {
	ID          string         `json:"id,omitempty" chancery:"id" jsonschema:"description=Its id in the record. KIND/NAME in lower case if left out\\, as in person/emmanuel-macron."`
	Kind        string         `json:"kind" jsonschema:"required,description=What it is. Undecided is an actor of which one does not know."`
	Name        string         `json:"name" jsonschema:"required" chancery:"line"`
	Aliases     []string       `json:"aliases,omitempty" chancery:"line" jsonschema:"description=Other names and spellings\\, under which it is found too."`
	Description string         `json:"description,omitempty" chancery:"text"`
	ExternalIDs []string       `json:"externalIds,omitempty" chancery:"external"`
	Date        string         `json:"date,omitempty" chancery:"edtf" jsonschema:"description=When it existed (EDTF): a life\\, or how long a facility ran. 1977-12-21/.. is since then."`
	Point       *pointYAML     `json:"point,omitempty" jsonschema:"description=Where it is."`
	Properties  map[string]any `json:"properties,omitempty"`
}

type pointYAML struct {
	Latitude  float64 `json:"latitude" jsonschema:"required,minimum=-90,maximum=90,description=Decimal degrees north (WGS-84)."`
	Longitude float64 `json:"longitude" jsonschema:"required,minimum=-180,maximum=180,description=Decimal degrees east (WGS-84)."`
}

type eventYAML struct {
	ID           string            `json:"id,omitempty" chancery:"id" jsonschema:"description=Its id in the record. DATASET/SHORT-NAME if left out."`
	Name         string            `json:"name" jsonschema:"required" chancery:"line"`
	Description  string            `json:"description,omitempty" chancery:"text"`
	Date         string            `json:"date,omitempty" chancery:"edtf" jsonschema:"description=When it happened (EDTF)."`
	DateBasis    string            `json:"dateBasis,omitempty" jsonschema:"description=STATED if left out."`
	Places       []string          `json:"places,omitempty" chancery:"ref" jsonschema:"description=Places\\, facilities or states where it happened."`
	Participants []participantYAML `json:"participants,omitempty" jsonschema:"description=Who took part."`
	ExternalIDs  []string          `json:"externalIds,omitempty" chancery:"external"`
	Properties   map[string]any    `json:"properties,omitempty"`
}

type participantYAML struct {
	Entity string `json:"entity" chancery:"ref" jsonschema:"required"`
	Role   string `json:"role,omitempty" chancery:"line" jsonschema:"description=As what\\, for example host."`
}

type relationYAML struct {
	ID           string         `json:"id,omitempty" jsonschema:"maxLength=300,pattern=^[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}._-]*(/\\S+)?$,description=A short name by which this file refers to the relation; its id in the record is then DATASET/SHORT-NAME. A text with a slash is the id itself. If left out\\, the id comes from the data set\\, the type\\, both ends and the date\\, so that an edit of anything else is a new version of the same relation."`
	Type         string         `json:"type" jsonschema:"required,description=A relation type of the vocabulary."`
	Source       string         `json:"source,omitempty" chancery:"ref" jsonschema:"description=Who acts\\, or stands in the relation."`
	Unattributed bool           `json:"unattributed,omitempty" jsonschema:"description=true where nobody is named as the one who acts; instead of source."`
	Target       string         `json:"target,omitempty" chancery:"ref" jsonschema:"description=Whom or what it is done to. An act with about may leave it out: then it is the source of the first relation there."`
	Date         string         `json:"date,omitempty" chancery:"edtf" jsonschema:"description=When (EDTF): 2025\\, 2025-11\\, 2025-12-01\\, an interval 2025-11-24/2025-11-30\\, since 2021-01-20/..\\, until /2025-12-01; behind each date ~ if approximate\\, ? if uncertain\\, % if both. A standing dated without a slash was attested then."`
	DateBasis    string         `json:"dateBasis,omitempty" jsonschema:"description=STATED by the source; INFERRED from it (last week); or PUBLICATION where only the day of the source is known: then leave the date out."`
	Status       string         `json:"status,omitempty"`
	ClaimedBy    string         `json:"claimedBy,omitempty" chancery:"ref" jsonschema:"description=Whose claim it is."`
	SourceAs     string         `json:"sourceAs,omitempty" chancery:"line" jsonschema:"description=The office in which the source acts. Of a standing that is an office: its title."`
	TargetAs     string         `json:"targetAs,omitempty" chancery:"line" jsonschema:"description=The office in which the target is met or acted upon."`
	AccreditedTo string         `json:"accreditedTo,omitempty" chancery:"ref" jsonschema:"description=Of an envoy: to whom they are sent. (The target is who sends them.)"`
	About        []string       `json:"about,omitempty" chancery:"ref" jsonschema:"description=The relations and events that this act is about."`
	Event        string         `json:"event,omitempty" chancery:"ref" jsonschema:"description=The event that it belongs to."`
	Places       []string       `json:"places,omitempty" chancery:"ref" jsonschema:"description=Places\\, facilities or states where it happened."`
	Quantity     *float64       `json:"quantity,omitempty" jsonschema:"description=How many or how much\\, with its unit."`
	Unit         string         `json:"unit,omitempty" chancery:"line" jsonschema:"description=What the quantity counts or measures\\, for example drones."`
	Note         string         `json:"note,omitempty" chancery:"text" jsonschema:"description=What else there is to say\\, in one's own words."`
	CAMEO        string         `json:"cameo,omitempty" jsonschema:"pattern=^(0[1-9]|1[0-9]|20)[0-9]{0\\,2}$,description=CAMEO code\\, in quotes so that its leading zero stays."`
	Goldstein    *float64       `json:"goldstein,omitempty" jsonschema:"minimum=-10,maximum=10,description=Value on the Goldstein scale. That of the code or type if left out."`
	Family       string         `json:"family,omitempty" jsonschema:"description=PLOVER event class. That of the code or type if left out."`
	Confidence   *float64       `json:"confidence,omitempty" jsonschema:"minimum=0,maximum=1,description=How sure one is of it\\, from 0 to 1."`
	Sources      []string       `json:"sources,omitempty" chancery:"ref" jsonschema:"description=What it rests on. Where something is quoted\\, use citations instead."`
	Citations    []citationYAML `json:"citations,omitempty" jsonschema:"description=What it rests on\\, with what is quoted from there."`
}

type citationYAML struct {
	Source string `json:"source" chancery:"ref" jsonschema:"required"`
	Quote  string `json:"quote,omitempty" chancery:"quote" jsonschema:"description=The few words of a speaker that the source quotes."`
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
	datasetKeys     = keysOf[datasetFile]()
	defaultsKeys    = keysOf[datasetDefaults]()
	sourceKeys      = keysOf[sourceYAML]()
	entityKeys      = keysOf[entityYAML]()
	pointKeys       = keysOf[pointYAML]()
	eventKeys       = keysOf[eventYAML]()
	participantKeys = keysOf[participantYAML]()
	relationKeys    = keysOf[relationYAML]()
	citationKeys    = keysOf[citationYAML]()
)

// How long texts may be, in characters.
const (
	maxHandle = 100
	maxLine   = 500 // also of what stands in an index of a store
	maxQuote  = 1000
	maxText   = 10000
	maxID     = 300
)

const (
	handlePattern   = `^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*$`
	idPattern       = `^\S+$`
	linePattern     = `^[^\r\n]*[^\s][^\r\n]*$`
	textPattern     = `\S`
	externalPattern = `^[a-z][a-z0-9.+-]*:\S.*$`
	edtfDay         = `[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?[~?%]?`
	edtfPattern     = `^(` + edtfDay + `|(` + edtfDay + `|\.\.)?/(` + edtfDay + `|\.\.)|(` + edtfDay + `|\.\.)/)$`
)
