package loader

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"chancery/graph"
)

// ftmMaxPairs is the most relations that one row can stand for.
const ftmMaxPairs = 1000

// pairs lists the ends of the relations that a row is: each source with each
// target. Where the source is an authority there are targets alone.
func (g *ftmEdge) pairs(l *ftmLine) ([][]string, *Rejection) {
	for _, property := range []string{g.Source, g.Target} {
		if property == g.Source && g.Authority {
			continue
		}
		ids := l.Properties[property]
		if len(ids) == 0 {
			return nil, &Rejection{Column: property, Reason: "is missing; " + l.Schema + " is a relation, which has two ends"}
		}
		for _, id := range ids {
			if why := ftmNoID(id); why != "" {
				return nil, &Rejection{Column: property, Reason: fmt.Sprintf("%q is no id: it %s", clip(id), why)}
			}
		}
	}
	sources, targets := l.Properties[g.Source], l.Properties[g.Target]
	if g.Authority {
		sources = []string{""}
	}
	if n := len(sources) * len(targets); n > ftmMaxPairs {
		return nil, &Rejection{Column: g.Target, Reason: fmt.Sprintf("the row stands for %d relations; at most %d are allowed", n, ftmMaxPairs)}
	}
	var out [][]string
	for _, source := range sources {
		for _, target := range targets {
			switch {
			case g.Authority:
				out = append(out, []string{target})
			case source != target:
				out = append(out, []string{source, target})
			}
		}
	}
	if len(out) == 0 {
		return nil, &Rejection{Column: g.Target, Reason: fmt.Sprintf("is the same as %s: nothing is related to itself", g.Source)}
	}
	// So that the order of values changes nothing.
	slices.SortFunc(out, slices.Compare)
	return out, nil
}

// ftmRest is what of the properties is not recorded yet.
type ftmRest map[string][]string

func (l *ftmLine) rest() ftmRest { return restOf(l.Properties) }

func restOf(all map[string][]string) ftmRest {
	rest := make(ftmRest, len(all))
	for name, values := range all {
		rest[name] = slices.Clone(values)
	}
	return rest
}

// drop leaves out the values of a property that are recorded.
func (r ftmRest) drop(name string, recorded func(value string) bool) {
	if r[name] = slices.DeleteFunc(r[name], recorded); len(r[name]) == 0 {
		delete(r, name)
	}
}

// take leaves out one value.
func (r ftmRest) take(name, value string) {
	r.drop(name, func(v string) bool { return v == value })
}

func ftmUndated(nature graph.Nature) graph.Date {
	date, _ := graph.ResolveDate("", nature, graph.Stated, 0, false) // no text, no error
	return date
}

// content says what the rows of an entity say of it.
func (e *ftmFile) content(l *ftmLine) graph.Content {
	schema, rest := ftmSchemaOf(l.Schema), l.rest()
	c := graph.Content{Form: graph.FormEntity, Kind: schema.Kind, ExternalIDs: []graph.ExternalID{{Scheme: graph.SchemeFTM, Value: l.ID}}}
	for name := range schema.Links {
		rest.drop(name, func(id string) bool { return ftmNoID(id) == "" }) // they are relations
	}
	c.Name, c.Aliases = l.named(rest)
	c.Date = e.existence(schema, rest)
	c.Point = ftmPoint(rest)
	for _, name := range []string{"description", "summary", "notes"} {
		if values := rest[name]; len(values) > 0 && utf8.RuneCountInString(values[0]) <= maxText {
			c.Description = values[0]
			rest.take(name, values[0])
			break
		}
	}
	known := func(scheme string) func(value string) bool {
		return func(value string) bool {
			id := externalID(scheme, value)
			fits := externalForm.MatchString(id.String()) && len(value) <= maxLine
			if fits && !slices.Contains(c.ExternalIDs, id) {
				c.ExternalIDs = append(c.ExternalIDs, id)
			}
			return fits
		}
	}
	for name, scheme := range ftmSchemes {
		rest.drop(name, known(scheme))
	}
	c.Properties = []graph.Property{{Name: "schema", Value: l.Schema}}
	beside := restOf(l.Beside)
	beside.drop("referents", known(graph.SchemeFTM)) // ids that the same entity has elsewhere, or had
	if beside["caption"] = l.captions(slices.Concat(c.Aliases, []string{c.Name})); len(beside["caption"]) == 0 {
		delete(beside, "caption")
	}
	for _, values := range []map[string][]string{rest, beside} {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			for _, v := range values[name] {
				c.Properties = append(c.Properties, graph.Property{Name: name, Value: e.clipped(v)})
			}
		}
	}
	if ftmIsPost(&c) && c.Name != l.ID {
		e.posts[strings.Clone(l.ID)] = c.Name
	}
	return c
}

// ftmIsPost reports whether a row says that an entity is a post, whatever others
// say that it is.
func ftmIsPost(c *graph.Content) bool {
	return slices.Contains(c.Properties, graph.Property{Name: "schema", Value: "Position"})
}

// clipped cuts a text that is longer than is recorded.
func (e *ftmFile) clipped(text string) string {
	if len(text) <= maxText || utf8.RuneCountInString(text) <= maxText {
		return text
	}
	e.cut++
	return string([]rune(text)[:maxText-1]) + "…"
}

// ftmName puts a name into one line; it is "" where it is too long for one.
func ftmName(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) > maxLine {
		return ""
	}
	return text
}

// named finds the name and the other names: the caption, where it is one of
// the names, else the first. Without a name it is the caption, else the first
// and the last name, else another name, else what such an entity is told by.
func (l *ftmLine) named(rest ftmRest) (string, []string) {
	var names []string
	for _, source := range ftmAliases {
		for _, value := range l.Properties[source.property] {
			name := ftmName(value)
			if name == "" {
				continue
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			if !source.kept {
				rest.take(source.property, value)
			}
		}
	}
	caption := ftmName(l.Caption)
	if slices.ContainsFunc(l.Properties["name"], func(name string) bool { return ftmName(name) != "" }) {
		if i := slices.Index(names, caption); i > 0 && slices.Contains(l.Properties["name"], l.Caption) {
			names[0], names[i] = names[i], names[0]
		}
		return names[0], names[1:]
	}
	others := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
	}
	if caption != "" && !l.labelled(caption) && caption != l.ID {
		return caption, others(caption)
	}
	first, last := l.firstName("firstName"), l.firstName("lastName")
	full := ftmName(first + " " + last)
	if full != "" && (first != "" && last != "" || len(names) == 0) {
		return full, others(full)
	}
	if len(names) > 0 {
		return names[0], names[1:]
	}
	if l.Schema == "Address" && l.firstName("full") == "" {
		if address := l.address(); address != "" {
			return address, nil
		}
	}
	for _, property := range ftmCaptions {
		if name := l.firstName(property); name != "" {
			return name, nil
		}
	}
	return l.ID, nil
}

// firstName is the first value of a property that is fit for a name.
func (l *ftmLine) firstName(property string) string {
	for _, value := range l.Properties[property] {
		if name := ftmName(value); name != "" {
			return name
		}
	}
	return ""
}

// labelled reports whether a caption is but the label of the schema, which is
// what FollowTheMoney writes where it knows no name.
func (l *ftmLine) labelled(caption string) bool {
	return caption == ftmLabels[l.Schema] || strings.EqualFold(strings.ReplaceAll(caption, " ", ""), l.Schema)
}

// captions are those that say something that neither the names nor the
// properties say.
func (l *ftmLine) captions(names []string) []string {
	return slices.DeleteFunc(append([]string{l.Caption}, l.Beside["caption"]...), func(caption string) bool {
		if caption == "" || caption == l.ID || l.labelled(caption) || slices.Contains(names, ftmName(caption)) {
			return true
		}
		for _, values := range l.Properties {
			if slices.Contains(values, caption) {
				return true
			}
		}
		return false
	})
}

// address puts an address together of its parts; it is "" without a place in
// the country.
func (l *ftmLine) address() string {
	parts := []string{l.firstName("postOfficeBox"), l.firstName("street"), l.firstName("street2"),
		strings.TrimSpace(l.firstName("postalCode") + " " + l.firstName("city")), cmp.Or(l.firstName("region"), l.firstName("state"))}
	if parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" }); len(parts) == 0 {
		return ""
	}
	if country := l.firstName("country"); len(country) == 2 { // a code
		parts = append(parts, strings.ToUpper(country))
	} else if country != "" {
		parts = append(parts, country)
	}
	return ftmName(strings.Join(parts, ", "))
}

// ftmDays sorts out the dates among texts: days, months and years, the first
// one first, each in its most exact form. Times of day are cut off. The first
// and the last year there are stand for no date, as in 9999-12-31.
func ftmDays(texts []string) (days []string, bad, open int) {
	for _, text := range texts {
		day := text
		if len(day) > len("2006-01-02") && (day[10] == 'T' || day[10] == ' ') {
			day = day[:10]
		}
		parsed, err := graph.ParseEDTF(day)
		if err != nil || strings.ContainsAny(parsed.String(), "/~?%") {
			bad++
			continue
		}
		if year, _, _ := strings.Cut(day, "-"); year == "0001" || year == "9999" {
			open++
			continue
		}
		days = append(days, day)
	}
	slices.Sort(days)
	days = slices.Compact(days)
	exact := days[:0]
	for i, day := range days {
		if i+1 == len(days) || !strings.HasPrefix(days[i+1], day+"-") {
			exact = append(exact, day)
		}
	}
	return exact, bad, open
}

// bound finds the date in the first of the properties that have one: the
// first of its dates, or the last one.
func (e *ftmFile) bound(rest ftmRest, properties []string, last bool) (property, day string) {
	for _, property := range properties {
		days, bad, open := ftmDays(rest[property])
		e.baddates += bad
		e.opendates += open
		if len(days) > 0 && last {
			return property, days[len(days)-1]
		} else if len(days) > 0 {
			return property, days[0]
		}
	}
	return "", ""
}

// dated leaves out a date that is recorded, and the less exact forms of it.
func (r ftmRest) dated(property, day string) {
	r.drop(property, func(text string) bool { return text == day || strings.HasPrefix(day, text+"-") })
}

// existence is the time of an entity: from its beginning to its end, as far as
// they are known. Other dates stay in the properties.
func (e *ftmFile) existence(s *ftmSchema, rest ftmRest) graph.Date {
	return e.resolve(e.span(rest, s.Begin, s.End), graph.Standing)
}

// span is the EDTF text of what lasts. What has a date and no end took place on
// that day, since it would have a date of its beginning otherwise.
func (e *ftmFile) span(rest ftmRest, begins, ends []string) string {
	begin, from := e.bound(rest, begins, false)
	end, to := e.bound(rest, ends, true)
	if from == "" && to == "" {
		return ""
	}
	if from != "" && to != "" {
		if _, err := graph.ParseEDTF(from + "/" + to); err != nil {
			e.baddates++
			to = ""
		}
	}
	if from != "" {
		rest.dated(begin, from)
	}
	if to != "" {
		rest.dated(end, to)
	}
	if begin == "date" && to == "" {
		return from
	}
	return from + "/" + to
}

// moment is the EDTF text of what happens. Of what is known to have ended it
// is known that it had happened by then.
func (e *ftmFile) moment(rest ftmRest, begins, ends []string) string {
	if property, day := e.bound(rest, begins, false); day != "" {
		rest.dated(property, day)
		return day
	}
	if property, day := e.bound(rest, ends, true); day != "" {
		rest.dated(property, day)
		return "/" + day
	}
	return ""
}

// when is the EDTF text of the time of a relation. An act that has a beginning and an
// end happened on some day between them, but sanctions are imposed on the first.
func (e *ftmFile) when(rest ftmRest, g *ftmEdge) string {
	if t, _ := e.vocab.Lookup(g.Type); t.Nature != graph.Act {
		if span := e.span(rest, g.Begin, g.End); span != "" {
			return span
		}
		return e.moment(rest, []string{"date"}, nil) // attested on that day
	}
	if g.Authority {
		return e.moment(rest, g.Begin, g.End)
	}
	if day := e.moment(rest, []string{"date"}, nil); day != "" {
		return day
	}
	from, to, _ := strings.Cut(e.span(rest, g.Begin, g.End), "/")
	if to == "" || from == to {
		return from
	}
	return from + "/" + to
}

func (e *ftmFile) resolve(text string, nature graph.Nature) graph.Date {
	date, err := graph.ResolveDate(text, nature, graph.Stated, 0, false)
	if err != nil { // its parts have been read before
		e.baddates++
		return ftmUndated(nature)
	}
	return date
}

func ftmPoint(rest ftmRest) *graph.Point {
	lat, lon := rest["latitude"], rest["longitude"]
	if len(lat) != 1 || len(lon) != 1 {
		return nil
	}
	p, _, err := position(lat[0], lon[0])
	if err != nil || p == nil {
		return nil
	}
	delete(rest, "latitude")
	delete(rest, "longitude")
	return p
}

// relate adds the relations that a row stands for. Where all of them name what
// was forgotten, they are left out, and nothing is said of where they are from.
func (e *ftmFile) relate(b *feedBatch, r *ftmRow) {
	if e.allGone(r.pairs) {
		aside := newFeedBatch()
		e.relateRow(aside, r)
		b.Records, b.Relations = append(b.Records, aside.Records...), append(b.Relations, aside.Relations...)
		return
	}
	e.relateRow(b, r)
}

func (e *ftmFile) relateRow(b *feedBatch, r *ftmRow) {
	l, pairs := r.line, r.pairs
	g, rest := ftmSchemaOf(l.Schema).Edge, l.rest()
	if !g.Authority {
		e.selves += len(l.Properties[g.Source])*len(l.Properties[g.Target]) - len(pairs)
		delete(rest, g.Source)
	}
	delete(rest, g.Target)
	base := graph.Relation{Status: graph.Reported}
	when := e.when(rest, g)
	if len(pairs) == 1 { // a sum for several is not one for each
		base.Quantity, base.Unit = g.quantity(rest)
	}
	authority := ""
	if g.Authority {
		authority, _ = e.authority(rest)
		e.stateAuthority(b, authority)
	}
	base.Citations = e.cite(b, rest)
	role := ""
	if values := l.Properties[g.Role]; len(values) > 0 && g.Role != "" {
		role = ftmName(values[0])
	}
	for i, ends := range pairs {
		rel, rest := base, maps.Clone(rest)
		source, target := ends[0], ends[len(ends)-1]
		rel.Source, rel.Target = e.entity(source), e.entity(target)
		kind := e.kind(source)
		if g.Authority {
			rel.Source, kind = authority, graph.KindUndecided
		}
		rel.Type = e.typeFor(g.Type, l.Schema, kind, e.kind(target))
		switch {
		case rel.Type != g.Type:
			rest["schema"] = []string{l.Schema}
		case role != "":
			rel.SourceAs = role
			rest[g.Role] = slices.Clone(rest[g.Role])
			rest.take(g.Role, l.Properties[g.Role][0])
		case g.Type == ftmPost:
			rel.SourceAs = e.posts[target]
		}
		t, _ := e.vocab.Lookup(rel.Type)
		rel.Date = e.resolve(when, t.Nature)
		rel.Note = e.noted(rest, l)
		rel.ID = r.ids[i]
		if t.Nature == graph.Act && len(pairs) > 1 {
			rel.Event = e.happening(b, l, g, pairs, rel.Date)
		}
		if i == 0 {
			b.Records = append(b.Records, &rel)
		} else {
			b.also(b.Records[len(b.Records)-1], &rel)
		}
	}
}

// typeFor is the type, or where it does not allow such ends the loose one.
func (e *ftmFile) typeFor(name, what string, source, target graph.Kind) string {
	if t, ok := e.vocab.Lookup(name); ok && t.Allows(source, target) == nil {
		return name
	}
	e.loose[what]++
	return ftmLoose
}

// quantity is the share or the sum, where there is one.
func (g *ftmEdge) quantity(rest ftmRest) (*float64, string) {
	number := func(property, suffix string) *float64 {
		if len(rest[property]) != 1 {
			return nil
		}
		text := strings.TrimSpace(strings.TrimSuffix(rest[property][0], suffix))
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !jsonNumber.MatchString(text) || n > quantityLimit || n < -quantityLimit {
			return nil
		}
		return &n
	}
	if g.Type == "OWNS" {
		if n := number("percentage", "%"); n != nil && *n >= 0 && *n <= 100 {
			delete(rest, "percentage")
			return n, "%"
		}
	}
	if !g.Amounts {
		return nil, ""
	}
	if currency := rest["currency"]; len(currency) == 1 && ftmName(currency[0]) != "" {
		if n := number("amount", ""); n != nil {
			unit := ftmName(currency[0])
			delete(rest, "amount")
			delete(rest, "currency")
			return n, unit
		}
	}
	for _, sum := range []struct{ property, unit string }{{"amountEur", "EUR"}, {"amountUsd", "USD"}} {
		if n := number(sum.property, ""); n != nil {
			delete(rest, sum.property)
			return n, sum.unit
		}
	}
	return nil, ""
}

// authority finds who sanctions: the first one named, known by its name alone. The
// name is "" where none is named.
func (e *ftmFile) authority(rest ftmRest) (id, name string) {
	for _, value := range rest["authority"] {
		if name = ftmName(value); name == "" {
			continue
		}
		rest.take("authority", value)
		key := strings.Join(graph.Words(name), "-")
		if key == "" || utf8.RuneCountInString(key) > ftmMaxSafe {
			sum := digestOf(name)
			key = hex.EncodeToString(sum[:12])
		}
		return e.edition.Dataset + "/authority/" + key, name
	}
	return unattributedID, ""
}

// learnAuthority notes how a row spells who sanctions, unless nothing is to be said
// of where the row is from.
func (e *ftmFile) learnAuthority(l *ftmLine, pairs [][]string) {
	if e.allGone(pairs) {
		return
	}
	if id, name := e.authority(ftmRest{"authority": slices.Clone(l.Properties["authority"])}); name != "" {
		e.spell(id, name)
	} else {
		e.nobody = true
	}
}

func (e *ftmFile) spell(authority, name string) {
	if e.authorities == nil {
		e.authorities = map[string][]string{}
	}
	e.authorities[authority] = addText(e.authorities[authority], name)
}

// recallAuthorities adds how other files of the data set spell who sanctions, so that
// the name is the same in whatever order they come.
func (e *ftmFile) recallAuthorities() error {
	if e.again {
		ids := slices.Sorted(maps.Keys(e.authorities))
		err := saidOf(e.ctx, e.store, e.edition.Dataset, ids, func(s *graph.Statement) {
			for _, name := range slices.Concat([]string{s.Content.Name}, s.Content.Aliases) {
				e.spell(s.ID, name)
			}
		})
		if err != nil {
			return err
		}
	}
	for _, names := range e.authorities {
		slices.SortFunc(names, compareNames)
	}
	return nil
}

// stateAuthority states who sanctions, by all the spellings of the name.
func (e *ftmFile) stateAuthority(b *feedBatch, id string) {
	if id == unattributedID {
		b.state(id, unattributed())
		return
	}
	names := e.authorities[id]
	if len(names) == 0 {
		return // see learnAuthority
	}
	b.state(id, graph.Content{Form: graph.FormEntity, Kind: graph.KindUndecided, Name: names[0], Aliases: slices.Clone(names[1:]), Date: ftmUndated(graph.Standing)})
}

// cite states the documents that a row names. They are known by their
// addresses alone.
func (e *ftmFile) cite(b *feedBatch, rest ftmRest) (citations []graph.Citation) {
	rest.drop("sourceUrl", func(url string) bool {
		if !urlForm.MatchString(url) || len(url) > maxURL {
			return false
		}
		sum := digestOf(url)
		id := e.edition.Dataset + "/document/" + hex.EncodeToString(sum[:12])
		_, name, _ := strings.Cut(url, "://")
		if utf8.RuneCountInString(name) > maxLine {
			name = string([]rune(name)[:maxLine-1]) + "…"
		}
		b.state(id, graph.Content{Form: graph.FormSource, Name: name, URL: url, Date: ftmUndated(graph.Act)})
		citations = append(citations, graph.Citation{Source: id})
		return true
	})
	return citations
}

// happening states the event that the acts of one row are. Who is no actor and
// no facility cannot take part in it.
func (e *ftmFile) happening(b *feedBatch, l *ftmLine, g *ftmEdge, pairs [][]string, date graph.Date) string {
	id := e.edition.Dataset + "/event/" + ftmSafe(l.ID)
	event := graph.Content{Form: graph.FormEvent, Name: cmp.Or(ftmName(l.Caption), l.Schema), Date: date}
	for _, ends := range pairs {
		roles := []string{g.Source, g.Target}[2-len(ends):]
		for i, end := range ends {
			if k := e.kind(end); !k.Actor() && k != graph.KindFacility {
				continue
			}
			if p := (graph.Participant{Entity: e.entity(end), Role: roles[i]}); !slices.Contains(event.Participants, p) {
				event.Participants = append(event.Participants, p)
			}
		}
	}
	b.state(id, event)
	return id
}

// noted writes what has no place of its own in a relation. That a row is no
// target, which relations never are, is not written.
func (e *ftmFile) noted(rest ftmRest, l *ftmLine) string {
	var lines []string
	write := func(name string, values []string) {
		if len(values) > 0 {
			lines = append(lines, name+": "+strings.Join(values, "; "))
		}
	}
	write("schema", rest["schema"])
	for _, name := range ftmFirst {
		write(name, rest[name])
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		if name != "schema" && !slices.Contains(ftmFirst, name) {
			write(name, rest[name])
		}
	}
	write("caption", l.captions(nil))
	for _, name := range []string{"datasets", "firstSeen", "referents", "target"} {
		if values := l.Beside[name]; name != "target" || !slices.Equal(values, []string{"false"}) {
			write(name, values)
		}
	}
	return e.clipped(strings.Join(lines, "\n"))
}

// link adds the relations that properties of an entity stand for, each once
// however many rows of the entity have it. They have no dates. Nothing in them may
// come from the row itself, since others may stand for the same.
func (e *ftmFile) link(b *feedBatch, l *ftmLine) {
	links := ftmSchemaOf(l.Schema).Links
	known := e.ids[ftmKey(l.ID)]
	for _, property := range slices.Sorted(maps.Keys(links)) {
		name := links[property].Type
		if property == ftmParent && known.filed {
			name = ftmLoose
		}
		for _, id := range l.Properties[property] {
			switch {
			case ftmNoID(id) != "":
				continue
			case id == l.ID:
				e.selves++
				continue
			}
			source, target := l.ID, id
			if links[property].Inward {
				source, target = id, l.ID
			}
			sum := digestOf(property, source, target)
			if known.more > 0 && e.linkedBefore(shortID(sum)) {
				continue
			}
			rel := &graph.Relation{Source: e.entity(source), Target: e.entity(target), Status: graph.Reported}
			rel.Type = e.typeFor(name, l.Schema+"."+property, e.kind(source), e.kind(target))
			if rel.Type == ftmLoose {
				rel.Note = "property: " + property
			}
			rel.Date = ftmUndated(graph.Standing)
			rel.ID = e.edition.Dataset + "/link/" + hex.EncodeToString(sum[:12])
			b.Relations = append(b.Relations, rel)
		}
	}
}

// linkedBefore reports whether a row before has a relation that a property of an
// entity stands for.
func (e *ftmFile) linkedBefore(id recordID) bool {
	before := e.linked[id]
	e.linked[id] = true
	return before
}
