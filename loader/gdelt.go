package loader

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chancery/graph"
)

// gdelt is the event table of the GDELT Project, in its versions 1.0 (57
// columns, or 58 with the address of the source) and 2.0 (61): columns
// separated by tabs, as a rule without a header.
type gdelt struct{}

func (gdelt) Name() string { return "gdelt" }

func (gdelt) Title() string { return "GDELT events" }

func (gdelt) Rows() rowReader { return &gdeltRows{} }

// Cited says that its table of mentions adds to the sources.
func (gdelt) Cited() {}

// gdeltColumn is a column that is read, and where it is in a row.
type gdeltColumn int

const (
	gdeltID gdeltColumn = iota
	gdeltDay
	gdeltActor1 // and the nine columns that follow it: see the gdeltActorX
	_
	_
	_
	_
	_
	_
	_
	_
	_
	gdeltActor2
	_
	_
	_
	_
	_
	_
	_
	_
	_
	gdeltIsRoot
	gdeltCode
	gdeltRootCode
	gdeltGoldstein
	gdeltMentions
	gdeltSources
	gdeltArticles
	gdeltTone
	gdeltGeo1Name // where the actors are
	gdeltGeo2Name
	gdeltGeoType // where it happened
	gdeltGeoName
	gdeltGeoCountry
	gdeltGeoADM1
	gdeltGeoADM2
	gdeltGeoLatitude
	gdeltGeoLongitude
	gdeltGeoFeature
	gdeltAdded
	gdeltURL
	gdeltColumns int = iota
)

// The columns of an actor, counted from its first.
const (
	gdeltActorCode gdeltColumn = iota
	gdeltActorName
	gdeltActorCountry
	gdeltActorGroup
	gdeltActorEthnic
	gdeltActorReligion1
	gdeltActorReligion2
	gdeltActorType1
	gdeltActorType2
	gdeltActorType3
)

// gdeltNames are the names of the columns in headers.
var gdeltNames = [gdeltColumns]string{"GLOBALEVENTID", "SQLDATE",
	"Actor1Code", "Actor1Name", "Actor1CountryCode", "Actor1KnownGroupCode", "Actor1EthnicCode", "Actor1Religion1Code", "Actor1Religion2Code",
	"Actor1Type1Code", "Actor1Type2Code", "Actor1Type3Code",
	"Actor2Code", "Actor2Name", "Actor2CountryCode", "Actor2KnownGroupCode", "Actor2EthnicCode", "Actor2Religion1Code", "Actor2Religion2Code",
	"Actor2Type1Code", "Actor2Type2Code", "Actor2Type3Code",
	"IsRootEvent", "EventCode", "EventRootCode", "GoldsteinScale", "NumMentions", "NumSources", "NumArticles", "AvgTone",
	"Actor1Geo_FullName", "Actor2Geo_FullName",
	"ActionGeo_Type", "ActionGeo_FullName", "ActionGeo_CountryCode", "ActionGeo_ADM1Code", "ActionGeo_ADM2Code", "ActionGeo_Lat", "ActionGeo_Long", "ActionGeo_FeatureID",
	"DATEADDED", "SOURCEURL"}

// gdeltNeeded are the columns without which a row says nothing.
var gdeltNeeded = []gdeltColumn{gdeltID, gdeltDay, gdeltActor1 + gdeltActorCode, gdeltActor1 + gdeltActorName, gdeltActor2 + gdeltActorCode, gdeltActor2 + gdeltActorName, gdeltCode}

// gdeltLayout says where the columns are; -1 where there is none.
type gdeltLayout struct {
	width int
	at    [gdeltColumns]int
}

// gdeltLayouts are those of files without a header, by their width.
var gdeltLayouts = func() map[int]*gdeltLayout {
	layouts := map[int]*gdeltLayout{}
	for _, width := range []int{57, 58, 61} {
		l := &gdeltLayout{width: width}
		for c := range l.at {
			l.at[c] = -1
		}
		put := func(from gdeltColumn, columns ...int) {
			for i, at := range columns {
				l.at[int(from)+i] = at
			}
		}
		put(gdeltID, 0, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 30, 31, 32, 33, 34)
		if width == 61 {
			put(gdeltGeo1Name, 36, 44, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60)
		} else {
			put(gdeltGeo1Name, 36, 43, 49, 50, 51, 52, -1, 53, 54, 55, 56, 57)
			if width == 57 {
				l.at[gdeltURL] = -1
			}
		}
		layouts[width] = l
	}
	return layouts
}()

// gdeltHeader reads a header; ok is false for a line that is none.
func gdeltHeader(fields []string) (l *gdeltLayout, problem string, ok bool) {
	l = &gdeltLayout{width: len(fields)}
	for c := range l.at {
		l.at[c] = slices.IndexFunc(fields, func(f string) bool {
			return sameColumn(f, gdeltNames[c]) || gdeltColumn(c) == gdeltDay && sameColumn(f, "Day")
		})
	}
	if l.at[gdeltID] < 0 {
		return nil, "", false
	}
	for _, c := range gdeltNeeded {
		if l.at[c] < 0 {
			return nil, fmt.Sprintf("the header lacks the column %s", gdeltNames[c]), true
		}
	}
	return l, "", true
}

func (gdelt) Detect(head []byte) bool {
	for i, line := range firstLines(head) {
		fields := tabFields(line)
		if _, _, header := gdeltHeader(fields); header && i == 0 {
			return true
		}
		fields = unpadded(fields, gdelt{}.Wide)
		_, err := gdeltDate(fields[min(1, len(fields)-1)])
		if gdeltLayouts[len(fields)] != nil && digits(fields[0]) && err == nil {
			return true
		}
	}
	return false
}

// Wide reports whether rows may have so many columns.
func (gdelt) Wide(columns int) bool { return gdeltLayouts[columns] != nil }

// gdeltRows reads the rows of one file.
type gdeltRows struct {
	header *gdeltLayout // nil without one: each row has the width of its version
}

func (g *gdeltRows) Header(line string) (bool, string) {
	fields := tabFields(line)
	l, problem, ok := gdeltHeader(fields)
	if ok {
		g.header = l
		return true, problem
	}
	return false, "" // what is no row is rejected as one
}

func (g *gdeltRows) Row(line string, v *graph.Vocabulary, c *graph.CAMEO) (*feedRecord, *Rejection) {
	fields := tabFields(line)
	l := g.header
	if l == nil {
		fields = unpadded(fields, gdelt{}.Wide)
		if l = gdeltLayouts[len(fields)]; l == nil {
			return nil, &Rejection{Reason: fmt.Sprintf("has %d columns, not 57, 58 or 61", len(fields))}
		}
	}
	fields = unpadded(fields, func(columns int) bool { return columns == l.width })
	if len(fields) != l.width {
		return nil, &Rejection{Reason: fmt.Sprintf("has %d columns, not %d as the header", len(fields), l.width)}
	}
	row := gdeltRow{}
	for column, at := range l.at {
		if at >= 0 {
			row[column] = fields[at]
		}
	}
	return row.record(v, c)
}

// gdeltRow is a row by the columns that are read.
type gdeltRow [gdeltColumns]string

func (f *gdeltRow) record(v *graph.Vocabulary, c *graph.CAMEO) (*feedRecord, *Rejection) {
	bad := func(column gdeltColumn, format string, args ...any) (*feedRecord, *Rejection) {
		return nil, &Rejection{Column: gdeltNames[column], Reason: fmt.Sprintf(format, args...)}
	}
	if !digits(f[gdeltID]) {
		return bad(gdeltID, "%q is not a number", clip(f[gdeltID]))
	}
	day, err := gdeltDate(f[gdeltDay])
	if err != nil {
		return bad(gdeltDay, "%v", err)
	}
	code, err := gdeltEventCode(f[gdeltCode], f[gdeltRootCode])
	if err != nil {
		return bad(gdeltCode, "%v", err)
	}
	r := &feedRecord{Key: f[gdeltID], Source: f.actor(gdeltActor1), Target: f.actor(gdeltActor2)}
	if r.Source.Nobody && r.Target.Nobody {
		return nil, &Rejection{Column: gdeltNames[gdeltActor1+gdeltActorName], Reason: "is missing, and so is the other actor: the row names nobody"}
	}
	if wrong := r.happened(v, c, code, gdeltNames[gdeltCode], day, gdeltNames[gdeltDay]); wrong != nil {
		return nil, wrong
	}
	if text := f[gdeltGoldstein]; text != "" {
		g, err := strconv.ParseFloat(text, 64)
		if err != nil || !(g >= -10 && g <= 10) {
			return bad(gdeltGoldstein, "%q is not a number from -10 to 10", clip(text))
		}
		r.Relation.Goldstein = &g
	}
	for _, column := range []gdeltColumn{gdeltMentions, gdeltSources, gdeltArticles} {
		if text := f[column]; text != "" && !digits(text) {
			return bad(column, "%q is not a number", clip(text))
		}
	}
	if text := f[gdeltTone]; text != "" {
		if tone, err := strconv.ParseFloat(text, 64); err != nil || !(tone >= -100 && tone <= 100) {
			return bad(gdeltTone, "%q is not a number from -100 to 100", clip(text))
		}
	}
	added, err := gdeltAddedDay(f[gdeltAdded])
	if err != nil {
		return bad(gdeltAdded, "%v", err)
	}
	r.Relation.Note = f.note(added)
	if wrong := f.document(r); wrong != nil {
		return nil, wrong
	}
	if wrong := f.place(r); wrong != nil {
		return nil, wrong
	}
	if r.Together != "" {
		// What one article tells of one place is one happening.
		r.Together += "\x00" + f[gdeltURL] + "\x00" + r.PlaceKey
	}
	return r, nil
}

// gdeltDate turns YYYYMMDD into a day of ISO 8601.
func gdeltDate(text string) (string, error) {
	if len(text) != len("20060102") || !digits(text) {
		return "", fmt.Errorf("%q is not a day (YYYYMMDD)", clip(text))
	}
	day := text[:4] + "-" + text[4:6] + "-" + text[6:]
	if d, err := graph.ParseDay(day); err != nil || d <= graph.MinDay || d >= graph.MaxDay {
		return "", fmt.Errorf("%q is not a day (YYYYMMDD, from 00010102 to 99991230)", text)
	}
	return day, nil
}

// gdeltAddedDay is the day of DATEADDED: YYYYMMDD, in 2.0 with HHMMSS behind it.
func gdeltAddedDay(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if len(text) != 8 && (len(text) != 14 || !digits(text)) {
		return "", fmt.Errorf("%q is neither a day (YYYYMMDD) nor a time (YYYYMMDDHHMMSS)", clip(text))
	}
	return gdeltDate(text[:8])
}

// gdeltEventCode is the CAMEO code of a row. Programs that take codes for
// numbers drop the zero that codes begin with; the root code tells where. Without
// one, two digits are such a code: GDELT writes three or four.
func gdeltEventCode(code, root string) (string, error) {
	written, writtenRoot := code, root
	if len(root) == 1 {
		root = "0" + root
	}
	lost := root != "" && !strings.HasPrefix(code, root) && strings.HasPrefix("0"+code, root) ||
		root == "" && (len(code) == 2 || !graph.ValidCAMEO(code)) && graph.ValidCAMEO("0"+code)
	if lost {
		code = "0" + code
	}
	if root != "" && !strings.HasPrefix(code, root) {
		return "", fmt.Errorf("%q is not under the root code %q", clip(written), clip(writtenRoot))
	}
	if !graph.ValidCAMEO(code) {
		return "", fmt.Errorf("%q is not a CAMEO code", clip(written))
	}
	return code, nil
}

// actor reads one of the two actors.
//
// What GDELT calls the name is, for countries, any word for the country or its
// people, beside codes that may add a role: BRITISH with GBRCOP is the British
// police. Such actors are named by what the codes mean, and so are those that
// bear the name of a role alone: POLICE with GBRCOP. All others keep their names.
func (f *gdeltRow) actor(first gdeltColumn) actor {
	get := func(column gdeltColumn) string { return f[first+column] }
	code, name := get(gdeltActorCode), get(gdeltActorName)
	a := actor{Column: gdeltNames[first+gdeltActorName], Name: name}
	if code == "" && name == "" {
		a.Nobody = true
		return a
	}
	types := f.types(first)
	for _, t := range types {
		if role, ok := sectorRoles[t]; ok {
			a.Sectors = append(a.Sectors, role.name)
		}
	}
	if code != "" {
		a.Properties = append(a.Properties, graph.Property{Name: "cameoActor", Value: code})
	}
	faith := f.faith(first, &a)
	place, known := f.country(first)
	switch {
	case known && (name == "" || place.isNamed(name)):
		switch {
		case get(gdeltActorGroup) != "":
			a.Name, a.Kind, a.Country = code, graph.KindOrganization, place.name // a group of which there is only its code
			if place.state && ofState(types) {
				a.State = place.name
			}
		case faith != "" && !hasRole(types):
			a.Name, a.Kind, a.Country = faith+" ("+place.name+")", graph.KindUndecided, place.name // people of the country, and not the state
		default:
			a.national(place, types)
		}
		switch {
		case name == "" || strings.EqualFold(name, place.name):
		case a.Name == place.name:
			a.Aliases = []string{name}
		default:
			a.Properties = append(a.Properties, graph.Property{Name: "writtenAs", Value: name})
		}
		return a
	case known:
		a.Country = place.name
		a.namesake(place)
	case name == "":
		a.Name = gdeltRoleName(types, code)
	}
	a.Kind = f.kind(first, a.Name, types, known)
	if !known {
		return a
	}
	var kind graph.Kind
	is := false
	if get(gdeltActorGroup) == "" { // else it has a name of its own
		kind, is = a.roleOf(place)
	}
	if is {
		if a.Kind == graph.KindPerson {
			a.Kind = "" // one whom the feed does not name
		}
		a.Kind = cmp.Or(kind, a.Kind)
	}
	if place.state && (is || ofState(types)) && (a.Kind == graph.KindOrganization || a.Kind == graph.KindGroup) {
		a.State = place.name
	}
	return a
}

// country finds the country of an actor by its codes. The column lacks some
// that the whole code begins with, such as Taiwan's; SHN, which is Saint Helena
// and the old Shinto, may be a faith there. Where there is no code of a country,
// the name may be of one.
func (f *gdeltRow) country(first gdeltColumn) (country, bool) {
	code := f[first+gdeltActorCountry]
	if whole := f[first+gdeltActorCode]; code == "" {
		code = whole[:min(len(whole), 3)]
	}
	faiths := []string{f[first+gdeltActorEthnic], f[first+gdeltActorReligion1], f[first+gdeltActorReligion2]}
	if place, ok := countryCoded(code); ok && !slices.Contains(faiths, code) {
		return place.calling(f[first+gdeltActorName]), true
	}
	return countryNamed(f[first+gdeltActorName])
}

// faith reads the codes of an ethnic group and of religions, which make no
// state of an actor whose name is only that of a country.
func (f *gdeltRow) faith(first gdeltColumn, a *actor) string {
	var codes []string
	for _, c := range []struct {
		name   string
		column gdeltColumn
	}{{"ethnic", gdeltActorEthnic}, {"religion", gdeltActorReligion1}, {"religion", gdeltActorReligion2}} {
		if code := f[first+c.column]; code != "" {
			codes = append(codes, code)
			a.Properties = append(a.Properties, graph.Property{Name: c.name, Value: code})
		}
	}
	return strings.Join(codes, " ")
}

// gdeltRoleName names an actor of which there are only codes.
func gdeltRoleName(types []string, code string) string {
	for _, t := range types {
		if role, ok := sectorRoles[t]; ok {
			return role.name
		}
	}
	return code
}

// types are the role codes of an actor. The columns lack some that the whole
// code has, such as PTY.
func (f *gdeltRow) types(first gdeltColumn) []string {
	var types, other []string
	for column := gdeltActorCountry; column <= gdeltActorType3; column++ {
		switch code := f[first+column]; {
		case code == "":
		case column >= gdeltActorType1:
			types = append(types, code)
		default:
			other = append(other, code)
		}
	}
	code := f[first+gdeltActorCode]
	for len(code) >= 3 {
		part := code[:3]
		if _, ok := sectorRoles[part]; ok && !slices.Contains(types, part) && !slices.Contains(other, part) {
			types = append(types, part)
		}
		code = code[3:]
	}
	return types
}

// kind is what the codes say that an actor with a name of its own is. They do
// not tell an official from an office: Barack Obama and the White House are
// both USAGOV.
func (f *gdeltRow) kind(first gdeltColumn, name string, types []string, known bool) graph.Kind {
	country := known || f[first+gdeltActorCountry] != ""
	if f[first+gdeltActorGroup] != "" || slices.ContainsFunc(types, func(t string) bool { return sectorRoles[t].body }) {
		return graph.KindOrganization
	}
	if slices.ContainsFunc([]string{f[gdeltGeo1Name], f[gdeltGeo2Name], f[gdeltGeoName]}, func(place string) bool {
		return slices.ContainsFunc(strings.Split(place, ","), func(part string) bool { return strings.EqualFold(strings.TrimSpace(part), name) })
	}) {
		return graph.KindUndecided // UTAH with USAELI is no person
	}
	if kind, ok := roleKinds[strings.ToLower(name)]; ok {
		return kind
	}
	switch {
	case country && len(types) == 0:
		return graph.KindUndecided // a city or a region
	case country && slices.Contains(types, "ELI"):
		return graph.KindPerson // former officials and other celebrities
	case country:
		return ""
	}
	// Without a country, the name is that of a class of people, such as KURD,
	// CATHOLIC or PROTESTER, unless those are officials.
	if f[first+gdeltActorEthnic] != "" || f[first+gdeltActorReligion1] != "" {
		return graph.KindGroup
	}
	if len(types) > 0 && sectorRoles[types[0]].kind == graph.KindGroup && !slices.Contains([]string{"ELI", "PTY", "REL"}, types[0]) {
		return graph.KindGroup
	}
	return ""
}

// note says what the row tells of the coverage.
func (f *gdeltRow) note(added string) string {
	var parts []string
	for _, c := range []struct {
		column gdeltColumn
		what   string
	}{{gdeltMentions, "mentions"}, {gdeltSources, "sources"}, {gdeltArticles, "articles"}, {gdeltTone, "average tone"}} {
		if f[c.column] != "" {
			parts = append(parts, c.what+" "+f[c.column])
		}
	}
	if f[gdeltIsRoot] == "1" {
		parts = append(parts, "in the lead paragraph")
	}
	if added != "" {
		parts = append(parts, "added "+added)
	}
	return strings.Join(parts, ", ")
}

// document reads where the first report was.
func (f *gdeltRow) document(r *feedRecord) *Rejection {
	text := f[gdeltURL]
	if text == "" {
		return nil
	}
	document, reason := gdeltDocument(text)
	if reason != "" {
		return &Rejection{Column: gdeltNames[gdeltURL], Reason: reason}
	}
	r.Document, r.DocumentKey = document, gdeltDocumentKey(text)
	return nil
}

// gdeltDocumentKey tells reports apart, in the table of events and in that of
// mentions.
func gdeltDocumentKey(text string) string {
	sum := digestOf(text)
	return hex.EncodeToString(sum[:12])
}

// gdeltDocument is a report: an address or, for what is not on the web, a
// citation. It is none for a reason.
func gdeltDocument(text string) (c *graph.Content, reason string) {
	if len(text) > maxURL {
		return nil, fmt.Sprintf("has %d characters; at most %d", len(text), maxURL)
	}
	undated, err := graph.ResolveDate("", graph.Act, graph.Stated, 0, false)
	if err != nil {
		return nil, err.Error()
	}
	c = &graph.Content{Form: graph.FormSource, Name: clipTo(text, maxLine-1), Date: undated}
	if u, err := url.Parse(text); err == nil && urlForm.MatchString(text) {
		_, name, _ := strings.Cut(text, "://")
		c.Name, c.URL, c.Publisher = clipTo(name, maxLine-1), text, clipTo(strings.TrimPrefix(u.Hostname(), "www."), maxLine-1)
	}
	return c, ""
}

// place reads where it happened.
func (f *gdeltRow) place(r *feedRecord) *Rejection {
	name, rest, _ := strings.Cut(singleSpaced(f[gdeltGeoName]), ", ")
	if name == "" {
		return nil
	}
	p := &graph.Content{Form: graph.FormEntity, Kind: graph.KindPlace, Name: clipTo(name, maxLine-1), Description: clipTo(rest, maxLine-1)}
	var axis int
	var err error
	if p.Point, axis, err = position(f[gdeltGeoLatitude], f[gdeltGeoLongitude]); err != nil {
		return &Rejection{Column: gdeltNames[[]gdeltColumn{gdeltGeoLatitude, gdeltGeoLongitude}[axis]], Reason: err.Error()}
	}
	if c, ok := countryFIPS(f[gdeltGeoCountry]); ok {
		p.Properties = append(p.Properties, graph.Property{Name: "country", Value: c.name})
		if c.alpha3 != "" && f[gdeltGeoType] == "1" {
			p.Properties = append(p.Properties, graph.Property{Name: "iso3166", Value: c.alpha3})
		}
	}
	for _, code := range []struct {
		name   string
		column gdeltColumn
	}{{"fips", gdeltGeoCountry}, {"adm1", gdeltGeoADM1}, {"adm2", gdeltGeoADM2}} {
		if f[code.column] != "" {
			p.Properties = append(p.Properties, graph.Property{Name: code.name, Value: f[code.column]})
		}
	}
	// The gazetteers: of the United States' own board for its cities, of the
	// world's for those abroad.
	if id := f[gdeltGeoFeature]; digits(strings.TrimPrefix(id, "-")) {
		switch f[gdeltGeoType] {
		case "3":
			p.ExternalIDs = []graph.ExternalID{{Scheme: "gnis", Value: id}}
		case "4":
			p.ExternalIDs = []graph.ExternalID{{Scheme: "gns", Value: id}}
		}
	}
	r.Place = p
	r.PlaceKey = placeKey(name, rest, f[gdeltGeoCountry], f[gdeltGeoADM1], f[gdeltGeoADM2], f[gdeltGeoType], f[gdeltGeoFeature], coordinate(f[gdeltGeoLatitude]), coordinate(f[gdeltGeoLongitude]))
	return nil
}
