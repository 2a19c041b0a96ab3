package loader

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chancery/graph"
)

// polecat is the form in which POLECAT publishes events that the coder NGEC
// has found (Harvard Dataverse, doi:10.7910/DVN/AJGVIT): a header and 40
// columns, separated by tabs. Events have types, modes and contexts of PLOVER.
type polecat struct{}

func (polecat) Name() string { return "polecat" }

func (polecat) Title() string { return "POLECAT events" }

func (polecat) Rows() rowReader { return &polecatRows{} }

var polecatColumns = []string{"Event ID", "Event Date", "Event Type", "Event Mode", "Intensity", "Quad Code", "Contexts",
	"Actor Name", "Actor Country", "Actor COW", "Primary Actor Sector", "Actor Sectors", "Actor Title", "Actor Name Raw", "Wikipedia Actor ID",
	"Recipient Name", "Recipient Country", "Recipient COW", "Primary Recipient Sector", "Recipient Sectors", "Recipient Title", "Recipient Name Raw",
	"Wikipedia Recipient ID", "Placename", "City", "District", "Province", "Country", "Latitude", "Longitude", "GeoNames ID", "Raw Placename",
	"Feature Type", "Source", "Publication Date", "Story People", "Story Organizations", "Story Locations", "Language", "Version"}

// The columns by their numbers.
const (
	polecatID = iota
	polecatDate
	polecatType
	polecatMode
	polecatIntensity
	polecatQuad
	polecatContexts
	polecatActor // and the seven columns that follow it: see polecatName
	_
	_
	_
	_
	_
	_
	_
	polecatRecipient
	_
	_
	_
	_
	_
	_
	_
	polecatPlacename
	polecatCity
	polecatDistrict
	polecatProvince
	polecatCountry
	polecatLatitude
	polecatLongitude
	polecatGeoNames
	polecatRawPlacename
	polecatFeatureType
	polecatSource
	polecatPublished
	polecatPeople
	polecatOrganizations
	polecatLocations
	polecatLanguage
	polecatVersion
)

// The columns of an actor, counted from its first.
const (
	polecatName = iota
	polecatActorCountry
	polecatCOW
	polecatPrimarySector
	polecatSectors
	polecatTitle
	polecatRaw
	polecatWikipedia
)

// polecatNeeded are the columns without which a row says nothing.
var polecatNeeded = []int{polecatID, polecatDate, polecatType, polecatActor, polecatRecipient}

func polecatFields(line string) []string { return tabFields(line, "NA", "None") }

// polecatHeader finds the columns in a header, -1 where one is not there.
func polecatHeader(fields []string) (at []int, problem string, ok bool) {
	has := func(column int) func(string) bool {
		return func(f string) bool {
			return sameColumn(f, polecatColumns[column]) || column == polecatIntensity && sameColumn(f, "Event Intensity")
		}
	}
	if !has(polecatID)(fields[0]) || !slices.ContainsFunc(fields, has(polecatType)) {
		return nil, "", false
	}
	for column := range polecatColumns {
		at = append(at, slices.IndexFunc(fields, has(column)))
	}
	for _, column := range polecatNeeded {
		if at[column] < 0 {
			return nil, fmt.Sprintf("the header lacks the column %s", polecatColumns[column]), true
		}
	}
	return at, "", true
}

func (polecat) Detect(head []byte) bool {
	_, _, ok := polecatHeader(polecatFields(firstLine(head)))
	return ok
}

// polecatRows reads the rows of one file.
type polecatRows struct {
	at    []int // where the columns are
	width int   // of the header
}

func (p *polecatRows) Header(line string) (bool, string) {
	fields := polecatFields(line)
	at, problem, ok := polecatHeader(fields)
	if !ok {
		return false, fmt.Sprintf("a file of the format polecat has a header (%s, …), and this one has none", strings.Join(polecatColumns[:4], ", "))
	}
	p.at, p.width = at, len(fields)
	return true, problem
}

// fields are those of the columns, in the order of polecatColumns. Some files
// have tabs behind the last column, and some have a header with columns that
// the rows lack.
func (p *polecatRows) fields(line string) ([]string, *Rejection) {
	fields := polecatFields(line)
	n := len(fields)
	for n > p.width && fields[n-1] == "" {
		n--
	}
	switch {
	case n == p.width:
	case n == len(polecatColumns) && n < p.width:
		return fields, nil
	default:
		return nil, &Rejection{Reason: fmt.Sprintf("has %d columns, not %d as the header", len(fields), p.width)}
	}
	row := make([]string, len(polecatColumns))
	for column, at := range p.at {
		if at >= 0 {
			row[column] = fields[at]
		}
	}
	return row, nil
}

// polecatKeyForm is that of ids of events.
var polecatKeyForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$`)

func (p *polecatRows) Row(line string, v *graph.Vocabulary, c *graph.CAMEO) (*feedRecord, *Rejection) {
	f, wrong := p.fields(line)
	if wrong != nil {
		return nil, wrong
	}
	bad := func(column int, format string, args ...any) (*feedRecord, *Rejection) {
		return nil, &Rejection{Column: polecatColumns[column], Reason: fmt.Sprintf(format, args...)}
	}
	if !polecatKeyForm.MatchString(f[polecatID]) {
		return bad(polecatID, "%q is no id: letters, digits, hyphens, dots, colons and underscores, at most 100", clip(f[polecatID]))
	}
	r := &feedRecord{Key: f[polecatID]}
	event, modes := strings.ToUpper(f[polecatType]), polecatList(strings.ToLower(f[polecatMode]))
	code, ok := ploverCode(event, modes)
	if !ok {
		return bad(polecatType, "%q is not an event type of PLOVER", clip(f[polecatType]))
	}
	t, wrong := r.means(v, c, code, polecatColumns[polecatType])
	if wrong == nil {
		wrong = r.on(f[polecatDate], polecatColumns[polecatDate])
	}
	if wrong != nil {
		return nil, wrong
	}
	r.together(v, c, t)
	if r.Together != "" {
		story, _, _ := strings.Cut(r.Key, "_")
		r.Together += "\x00" + story
	}
	r.Relation.Family = event
	if text := f[polecatIntensity]; text != "" {
		g, err := strconv.ParseFloat(text, 64)
		if err != nil || !(g >= -10 && g <= 10) {
			return bad(polecatIntensity, "%q is not a number from -10 to 10", clip(text))
		}
		r.Relation.Goldstein = &g
	}
	contexts := polecatList(strings.ToLower(f[polecatContexts]))
	if slices.Contains(contexts, "future") || slices.Contains(contexts, "hypothetical") {
		r.Relation.Status = graph.Planned
	}
	r.Relation.Note = polecatNote(event, modes, contexts)
	pairs := polecatPairs(polecatActors(f, polecatActor), polecatActors(f, polecatRecipient), t.Symmetric)
	switch {
	case len(pairs) == 0:
		return bad(polecatActor, "is missing, and so is the recipient: the row names nobody")
	case len(pairs) > maxPairs:
		return bad(polecatActor, "the row stands for more than %d relations between its actors", maxPairs)
	}
	r.Source, r.Target, r.More = pairs[0][0], pairs[0][1], pairs[1:]
	if len(r.More) > 0 && r.Together == "" {
		r.Together = r.Key // one row is one happening
	}
	if wrong := polecatDocument(f, r); wrong != nil {
		return nil, wrong
	}
	if wrong := polecatPlace(f, r); wrong != nil {
		return nil, wrong
	}
	return r, nil
}

// maxPairs is how many relations one row may stand for.
const maxPairs = 200

// polecatList is a list of values. There are no empty ones in it.
func polecatList(text string) []string {
	var list []string
	for part := range strings.SplitSeq(text, ";") {
		for value := range strings.SplitSeq(part, "|") {
			if value = strings.TrimSpace(value); value != "" && value != "NA" && value != "None" && value != "none" && !slices.Contains(list, value) {
				list = append(list, value)
			}
		}
	}
	return list
}

// polecatNote is what the record has no place for.
func polecatNote(event string, modes, contexts []string) string {
	note := event
	if len(modes) > 0 {
		note += ", " + strings.Join(modes, ", ")
	}
	if len(contexts) > 0 {
		note += "; contexts: " + strings.Join(contexts, ", ")
	}
	return clipTo(note, maxLine-1)
}

// polecatActors are the actors of one side of a row. Several are separated by
// semicolons in each of the columns; in a column with another number of values
// than there are names, it is not known whose they are.
func polecatActors(f []string, first int) []actor {
	names, raw := strings.Split(f[first+polecatName], ";"), strings.Split(f[first+polecatRaw], ";")
	if len(polecatList(f[first+polecatName])) == 0 {
		names = raw // nobody whom NGEC knows; as the story has it
	}
	var list []actor
	for i, name := range names {
		if name = strings.TrimSpace(name); name == "" || name == "NA" || name == "None" {
			continue
		}
		values := func(column int) []string {
			parts := strings.Split(f[first+column], ";")
			if len(parts) != len(names) {
				if len(names) > 1 {
					return nil
				}
				return polecatList(f[first+column])
			}
			return polecatList(parts[i])
		}
		list = append(list, polecatOne(name, values, polecatColumns[first+polecatName]))
	}
	return list
}

var (
	polecatWikidata = regexp.MustCompile(`^Q[0-9]+$`)
	polecatCOWForm  = regexp.MustCompile(`^[0-9A-Z]{1,4}$`)
)

// polecatOne reads one actor.
func polecatOne(name string, values func(column int) []string, column string) actor {
	a := actor{Column: column, Name: name}
	var sectors []string
	for _, code := range append(values(polecatPrimarySector), values(polecatSectors)...) {
		if code = strings.ToUpper(code); !slices.Contains(sectors, code) {
			sectors = append(sectors, code)
		}
	}
	for _, code := range sectors {
		if role, ok := sectorRoles[code]; ok {
			code = role.name
		}
		a.Sectors = append(a.Sectors, code)
	}
	titles := values(polecatTitle)
	a.As = clipTo(strings.Join(titles, ", "), maxLine-1)
	var of country
	known := false
	switch countries := values(polecatActorCountry); {
	case len(countries) == 0 && len(titles) == 0:
		of, known = countryNamed(name) // the column may be empty, or not tell whose country it has
	case len(countries) == 1:
		if of, known = countryCoded(countries[0]); !known {
			of, known = countryNamed(countries[0])
		}
		if known {
			of = of.calling(name)
		} else {
			a.Country = countries[0] // of no country, such as IGO
		}
	}
	if known && of.isNamed(name) {
		// The government of a state acts for it.
		a.national(of, slices.DeleteFunc(slices.Clone(sectors), func(code string) bool { return code == "GOV" }))
		if a.Name == of.name {
			if !strings.EqualFold(name, of.name) {
				a.Aliases = []string{name}
			}
			for _, cow := range values(polecatCOW) {
				cow = strings.TrimSuffix(cow, ".0") // as pandas writes columns with gaps
				if polecatCOWForm.MatchString(cow) {
					a.IDs = append(a.IDs, graph.ExternalID{Scheme: "cow", Value: cow})
				}
			}
		}
		return a
	}
	if known {
		a.Country = of.name
		a.namesake(of)
	}
	for _, id := range values(polecatWikipedia) {
		scheme := "wikipedia"
		if polecatWikidata.MatchString(id) {
			scheme = "wikidata"
		}
		a.IDs = append(a.IDs, graph.ExternalID{Scheme: scheme, Value: id})
	}
	kind, isRole := roleKinds[strings.ToLower(name)]
	inState := ofState(sectors)
	if known {
		if role, is := a.roleOf(of); is {
			kind, isRole, inState = role, true, true
		}
	}
	switch {
	case len(titles) > 0:
		a.Kind = graph.KindPerson // who has an office
	case slices.ContainsFunc(sectors, func(code string) bool { return sectorRoles[code].body }):
		a.Kind = graph.KindOrganization
	case isRole:
		a.Kind = kind
	}
	if known && of.state && inState && (a.Kind == graph.KindOrganization || a.Kind == graph.KindGroup) {
		a.State = of.name
	}
	return a
}

// polecatPairs are the ends of the relations between actors and recipients,
// between the actors themselves where they do the same and no recipient is
// named, or with nobody.
func polecatPairs(actors, recipients []actor, symmetric bool) [][2]actor {
	var pairs [][2]actor
	seen := map[[2]string]bool{}
	who := newActors("") // one actor may have two names in the row
	add := func(source, target actor) {
		ends := [2]string{who.end(&source), who.end(&target)}
		if ends[0] == ends[1] && len(actors)+len(recipients) > 2 || seen[ends] || symmetric && seen[[2]string{ends[1], ends[0]}] {
			return
		}
		seen[ends] = true
		pairs = append(pairs, [2]actor{source, target})
	}
	nobody := actor{Column: polecatColumns[polecatRecipient], Nobody: true}
	switch {
	case len(recipients) == 0 && len(actors) > 1 && symmetric:
		for i := range actors {
			for j := i + 1; j < len(actors) && len(pairs) <= maxPairs; j++ {
				add(actors[i], actors[j])
			}
		}
	case len(recipients) == 0:
		for _, a := range actors {
			add(a, nobody)
		}
	case len(actors) == 0:
		for _, b := range recipients {
			add(nobody, b)
		}
	default:
		for _, a := range actors {
			for _, b := range recipients {
				if len(pairs) <= maxPairs {
					add(a, b)
				}
			}
		}
	}
	if len(pairs) == 0 && len(actors) > 0 { // they are one, in several spellings
		pairs = append(pairs, [2]actor{actors[0], append(recipients, nobody)[0]})
	}
	return pairs
}

// polecatDocument reads the story, which the first part of an event's id stands
// for: other events are of the same story.
func polecatDocument(f []string, r *feedRecord) *Rejection {
	story, _, _ := strings.Cut(f[polecatID], "_")
	r.DocumentKey = story
	d := &graph.Content{Form: graph.FormSource, Name: "Story " + story, Publisher: clipTo(f[polecatSource], maxLine-1)}
	published := f[polecatPublished]
	if published != "" {
		if day, err := graph.ParseDay(published); err != nil || day <= graph.MinDay || day >= graph.MaxDay {
			return &Rejection{Column: polecatColumns[polecatPublished], Reason: fmt.Sprintf("%q is not a day (YYYY-MM-DD)", clip(published))}
		}
	}
	date, err := graph.ResolveDate(published, graph.Act, graph.Stated, 0, false)
	if err != nil {
		return &Rejection{Column: polecatColumns[polecatPublished], Reason: err.Error()}
	}
	d.Date = date
	for _, list := range []struct {
		name   string
		column int
	}{{"storyPeople", polecatPeople}, {"storyOrganizations", polecatOrganizations}, {"storyLocations", polecatLocations}, {"language", polecatLanguage}} {
		for _, value := range polecatList(f[list.column]) {
			d.Properties = append(d.Properties, graph.Property{Name: list.name, Value: clipTo(value, maxLine-1)})
		}
	}
	sortProperties(d.Properties) // so that the order of rows changes nothing
	r.Document = d
	return nil
}

// polecatPlace reads where it happened.
func polecatPlace(f []string, r *feedRecord) *Rejection {
	var names []string
	for _, column := range []int{polecatPlacename, polecatCity, polecatDistrict, polecatProvince, polecatCountry} {
		name := clipTo(f[column], maxLine/5)
		if c, ok := countryCoded(name); ok && column == polecatCountry {
			name = c.name
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	r.Place = &graph.Content{Form: graph.FormEntity, Kind: graph.KindPlace, Name: names[0], Description: strings.Join(names[1:], ", ")}
	var axis int
	var err error
	if r.Place.Point, axis, err = position(f[polecatLatitude], f[polecatLongitude]); err != nil {
		return &Rejection{Column: polecatColumns[[]int{polecatLatitude, polecatLongitude}[axis]], Reason: err.Error()}
	}
	if id := strings.TrimSuffix(f[polecatGeoNames], ".0"); digits(id) {
		r.Place.ExternalIDs = []graph.ExternalID{{Scheme: "geonames", Value: id}}
	}
	if feature := f[polecatFeatureType]; feature != "" {
		r.Place.Properties = append(r.Place.Properties, graph.Property{Name: "feature", Value: clipTo(feature, maxLine-1)})
	}
	r.PlaceKey = placeKey(append(names, f[polecatGeoNames], coordinate(f[polecatLatitude]), coordinate(f[polecatLongitude]), f[polecatFeatureType])...)
	return nil
}

// plover has, for each event type of PLOVER, the CAMEO code whose relation type
// says the same, and those of modes that say more.
var plover = map[string]struct {
	code  string
	modes map[string]string
}{
	"AGREE":     {"03", nil},
	"CONSULT":   {"040", map[string]string{"phone": "041", "visit": "042", "third-party": "044"}},
	"SUPPORT":   {"05", nil},
	"COOPERATE": {"06", nil},
	"AID":       {"07", nil},
	"CONCEDE":   {"08", nil},
	"RETREAT":   {"08", nil},
	"REQUEST":   {"10", nil},
	"ACCUSE":    {"112", map[string]string{"disapprove": "110", "investigate": "090"}},
	"REJECT":    {"12", nil},
	"THREATEN":  {"13", nil},
	"PROTEST":   {"14", nil},
	"MOBILIZE":  {"15", nil},
	"SANCTION":  {"16", nil},
	"COERCE":    {"17", map[string]string{"arrest": "173", "deport": "174"}},
	"ASSAULT": {"18", map[string]string{"firearms": "193", "heavy-weapons": "194",
		"massacre": "202", "cleansing": "203", "unconventional": "204"}},
}

// ploverCode is the code for a type and its modes. PLOVER's own table from
// CAMEO, read backwards, is the measure.
func ploverCode(event string, modes []string) (string, bool) {
	p, ok := plover[event]
	for _, mode := range modes {
		if code, more := p.modes[mode]; more {
			return code, true
		}
	}
	return p.code, ok
}
