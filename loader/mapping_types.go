package loader

// The types below are the format of mappings, as those of dataset_types.go are
// that of data sets: keys and JSON Schema are made from them. A field of type
// any holds a value or values; the tag chancery says which.

// mappingFile is a whole mapping.
type mappingFile struct {
	Schema    string                       `json:"$schema,omitempty" jsonschema:"description=Where editors find the JSON Schema (in JSON files; YAML files have a comment for it)."`
	Mapping   int                          `json:"mapping" jsonschema:"required,description=The version of this format: 1."`
	Dataset   string                       `json:"dataset,omitempty" jsonschema:"maxLength=100,pattern=^[a-z0-9][a-z0-9._-]*$,description=The name of the data set that tables go into. The flag --dataset overrides it."`
	Title     string                       `json:"title,omitempty" chancery:"line" jsonschema:"description=What the data set is\\, for people."`
	Priority  int                          `json:"priority,omitempty" jsonschema:"minimum=-1000000,maximum=1000000,description=Where data sets differ on a single value (a name\\, a kind) the one of highest priority has the say. 0 if left out."`
	Whole     bool                         `json:"whole,omitempty" jsonschema:"description=true where each table is all of the data set: what a later one no longer holds is withdrawn. Otherwise tables add to what there is."`
	Format    formatYAML                   `json:"format,omitempty" jsonschema:"description=How the table is written."`
	Maps      map[string]map[string]string `json:"maps,omitempty" jsonschema:"description=What values of the table stand for\\, under names by which values refer to them."`
	Defaults  mappingDefaults              `json:"defaults,omitempty" jsonschema:"description=What holds for each relation that does not say otherwise."`
	Sources   map[string]sourceRuleYAML    `json:"sources,omitempty" jsonschema:"description=Documents that relations cite\\, each under a short name."`
	Entities  map[string]entityRuleYAML    `json:"entities" jsonschema:"required,minProperties=1,description=The entities that a row states\\, each under a short name by which relations refer to it."`
	Relations []relationRuleYAML           `json:"relations,omitempty" jsonschema:"description=The relations that a row states. The first of them is what the row stands for."`
}

type formatYAML struct {
	Delimiter string   `json:"delimiter,omitempty" jsonschema:"minLength=1,maxLength=1,description=The character between fields. A comma if left out; a tab is \"\\\\t\"."`
	SkipRows  int      `json:"skipRows,omitempty" jsonschema:"minimum=0,maximum=10000,description=How many lines stand before the header\\, such as titles and dates. Blank lines count."`
	Header    bool     `json:"header,omitempty" jsonschema:"description=false where the first line is a row like the others. Then columns names them."`
	Columns   []string `json:"columns,omitempty" chancery:"line" jsonschema:"minItems=1,description=The names of the columns\\, where the table has no header."`
	Missing   []string `json:"missing,omitempty" jsonschema:"description=What stands for no value\\, such as NA. A field without text has none in any case."`
	Quotes    bool     `json:"quotes,omitempty" jsonschema:"description=false where quotes are characters like others. Otherwise a field in quotes may hold delimiters and line ends."`
	Decimal   string   `json:"decimal,omitempty" jsonschema:"enum=.,enum=\\,,description=The decimal mark of numbers. A point if left out."`
}

type mappingDefaults struct {
	Status    string   `json:"status,omitempty" jsonschema:"description=REPORTED if left out."`
	DateBasis string   `json:"dateBasis,omitempty" jsonschema:"description=STATED if left out."`
	Sources   []string `json:"sources,omitempty" chancery:"handle" jsonschema:"description=What a relation cites that names neither sources nor citations."`
}

// valueYAML is a value that is more than a text with columns in it.
type valueYAML struct {
	Value   any    `json:"value" chancery:"template" jsonschema:"required"`
	Map     any    `json:"map,omitempty" chancery:"map" jsonschema:"description=What the values stand for: the name of one of maps\\, or keys and values. A row with a value that it lacks is rejected\\, unless there is a default."`
	Default any    `json:"default,omitempty" chancery:"template" jsonschema:"description=What is taken where the value is empty\\, or not in the map."`
	Split   string `json:"split,omitempty" jsonschema:"minLength=1,maxLength=10,description=Where lists are allowed: what separates the items in the field."`
	Invalid string `json:"invalid,omitempty" jsonschema:"enum=reject,enum=omit,description=What to do with a value that will not do: reject the row (if left out)\\, or omit the value."`
}

type whenYAML struct {
	Column string   `json:"column" jsonschema:"required,description=The column that is looked at."`
	Is     []string `json:"is,omitempty" chancery:"text" jsonschema:"description=It has this value\\, or one of these."`
	Not    []string `json:"not,omitempty" chancery:"text" jsonschema:"description=It has not this value\\, or none of these."`
	Empty  bool     `json:"empty,omitempty" jsonschema:"description=true: it has no value; false: it has one."`
}

type dateYAML struct {
	On      any      `json:"on,omitempty" chancery:"value" jsonschema:"description=The date\\, where it is one."`
	Start   any      `json:"start,omitempty" chancery:"value" jsonschema:"description=When it began. Empty is unknown\\, .. is open."`
	End     any      `json:"end,omitempty" chancery:"value" jsonschema:"description=When it ended. Empty is unknown\\, .. is not yet."`
	Pattern []string `json:"pattern,omitempty" chancery:"pattern" jsonschema:"description=How the table writes dates\\, for example DD.MM.YYYY; of several the first that fits. EDTF if left out."`
	Invalid string   `json:"invalid,omitempty" jsonschema:"enum=reject,enum=omit,description=What to do with what is no date: reject the row (if left out)\\, or omit the date."`
}

type pointRuleYAML struct {
	Latitude  any    `json:"latitude" chancery:"value" jsonschema:"required,description=Decimal degrees north (WGS-84)."`
	Longitude any    `json:"longitude" chancery:"value" jsonschema:"required,description=Decimal degrees east (WGS-84)."`
	Invalid   string `json:"invalid,omitempty" jsonschema:"enum=reject,enum=omit,description=What to do with what is no position: reject the row (if left out)\\, or omit the position."`
}

type sourceRuleYAML struct {
	ID          any            `json:"id,omitempty" chancery:"value" jsonschema:"description=Its id in the record. DATASET/SHORT-NAME if left out\\, which only a source without columns can do."`
	When        any            `json:"when,omitempty" chancery:"when"`
	Name        any            `json:"name" chancery:"value" jsonschema:"required,description=Its title."`
	Publisher   any            `json:"publisher,omitempty" chancery:"value"`
	URL         any            `json:"url,omitempty" chancery:"value" jsonschema:"description=Where to read it."`
	Published   any            `json:"published,omitempty" chancery:"date" jsonschema:"description=The day of publication."`
	Description any            `json:"description,omitempty" chancery:"value"`
	ExternalIDs map[string]any `json:"externalIds,omitempty" chancery:"external"`
	Properties  map[string]any `json:"properties,omitempty" chancery:"properties"`
}

type entityRuleYAML struct {
	ID          any            `json:"id" chancery:"value" jsonschema:"required,description=Its id in the record\\, such as person/{name|slug}. Rows that give the same id state the same entity."`
	When        any            `json:"when,omitempty" chancery:"when"`
	Kind        any            `json:"kind" chancery:"kind" jsonschema:"required,description=What it is. Undecided is an actor of which one does not know."`
	Name        any            `json:"name" chancery:"value" jsonschema:"required"`
	Aliases     any            `json:"aliases,omitempty" chancery:"values" jsonschema:"description=Other names and spellings\\, under which it is found too."`
	Description any            `json:"description,omitempty" chancery:"value"`
	ExternalIDs map[string]any `json:"externalIds,omitempty" chancery:"external"`
	Date        any            `json:"date,omitempty" chancery:"date" jsonschema:"description=When it existed: a life\\, or how long a facility ran."`
	Point       *pointRuleYAML `json:"point,omitempty" jsonschema:"description=Where it is."`
	Properties  map[string]any `json:"properties,omitempty" chancery:"properties"`
}

type relationRuleYAML struct {
	ID           any                `json:"id,omitempty" chancery:"value" jsonschema:"description=Its id in the record; what has no slash gets DATASET/ before it. If left out\\, it comes from the data set\\, the type\\, both ends and the date."`
	When         any                `json:"when,omitempty" chancery:"when"`
	Type         any                `json:"type" chancery:"type" jsonschema:"required,description=A relation type of the vocabulary."`
	Source       string             `json:"source" chancery:"handle" jsonschema:"required,description=The entity that acts\\, or stands in the relation."`
	Target       string             `json:"target" chancery:"handle" jsonschema:"required,description=The entity to which it is done."`
	Date         any                `json:"date,omitempty" chancery:"date" jsonschema:"description=When."`
	DateBasis    any                `json:"dateBasis,omitempty" chancery:"basis" jsonschema:"description=STATED\\, INFERRED\\, or PUBLICATION where only the day of the source is known."`
	Status       any                `json:"status,omitempty" chancery:"status" jsonschema:"description=PLANNED\\, CLAIMED\\, REPORTED\\, CONFIRMED\\, DISPUTED\\, DENIED or CANCELLED."`
	ClaimedBy    string             `json:"claimedBy,omitempty" chancery:"handle" jsonschema:"description=Whose claim it is."`
	SourceAs     any                `json:"sourceAs,omitempty" chancery:"value" jsonschema:"description=The office in which the source acts. Of a standing that is an office: its title."`
	TargetAs     any                `json:"targetAs,omitempty" chancery:"value" jsonschema:"description=The office in which the target is met or acted upon."`
	AccreditedTo string             `json:"accreditedTo,omitempty" chancery:"handle" jsonschema:"description=Of an envoy: to whom they are sent."`
	Places       []string           `json:"places,omitempty" chancery:"handle" jsonschema:"description=Places\\, facilities or states where it happened."`
	Quantity     any                `json:"quantity,omitempty" chancery:"value" jsonschema:"description=How many or how much\\, with its unit."`
	Unit         any                `json:"unit,omitempty" chancery:"value" jsonschema:"description=What the quantity counts or measures."`
	Note         any                `json:"note,omitempty" chancery:"value" jsonschema:"description=What else there is to say."`
	CAMEO        any                `json:"cameo,omitempty" chancery:"value" jsonschema:"description=CAMEO code."`
	Goldstein    any                `json:"goldstein,omitempty" chancery:"value" jsonschema:"description=Value on the Goldstein scale\\, from -10 to 10."`
	Confidence   any                `json:"confidence,omitempty" chancery:"value" jsonschema:"description=How sure one is of it\\, from 0 to 1."`
	Sources      []string           `json:"sources,omitempty" chancery:"handle" jsonschema:"description=What it rests on."`
	Citations    []citationRuleYAML `json:"citations,omitempty" jsonschema:"description=What it rests on\\, with what is quoted from there."`
}

type citationRuleYAML struct {
	Source string `json:"source" chancery:"handle" jsonschema:"required"`
	Quote  any    `json:"quote,omitempty" chancery:"value" jsonschema:"description=The few words of a speaker that the source quotes."`
}

var (
	mappingKeys         = keysOf[mappingFile]()
	formatKeys          = keysOf[formatYAML]()
	mappingDefaultsKeys = keysOf[mappingDefaults]()
	valueKeys           = keysOf[valueYAML]()
	whenKeys            = keysOf[whenYAML]()
	dateKeys            = keysOf[dateYAML]()
	pointRuleKeys       = keysOf[pointRuleYAML]()
	sourceRuleKeys      = keysOf[sourceRuleYAML]()
	entityRuleKeys      = keysOf[entityRuleYAML]()
	relationRuleKeys    = keysOf[relationRuleYAML]()
	citationRuleKeys    = keysOf[citationRuleYAML]()
)
