package loader

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"chancery/graph"

	"golang.org/x/text/unicode/norm"
)

// actor is what one row says of one of its ends.
type actor struct {
	Column  string // where its name is
	Name    string
	Country string   // as the feed names it; "" where it does not
	Sectors []string // as the feed names them
	// Kind is what the feed's own codes say that it is; "" where they say
	// nothing, and the name and the sectors are to decide.
	Kind graph.Kind
	// State is the English name of the state that it is part of, where codes
	// say so; "" otherwise.
	State string
	// IDs are its identifiers in other schemes.
	IDs []graph.ExternalID
	// Properties are what else the feed says of it.
	Properties []graph.Property
	// Aliases are other names that the feed has for it.
	Aliases []string
	// As is the office that it acted in, where the row says so.
	As string
	// Nobody is set where the feed names nobody. It stands for whoever it was.
	Nobody bool
}

// maxActorName is the longest name of an actor, in characters.
const maxActorName = 400

// actors are the entities of one file of a feed. Names that differ only in
// case, accents and punctuation (see [nameWords]) are one entity, and so are names of one country.
type actors struct {
	dataset string
	read    map[string]plainName // by name as written
	ids     map[string]string    // by the name that actors go by
	byID    map[string]*feedActor
	list    []*feedActor // by id, when settled
}

// plainName is what a name says by itself.
type plainName struct {
	name string   // with the countries in it as the table of countries names them
	of   *country // the country whose name it is; nil for all else
}

// readName reads a name. A country has one of all its names, and so has what
// is named with it: Military (Russian Federation) is Military (Russia).
func readName(name string) plainName {
	if c, ok := countryNamed(name); ok {
		return plainName{c.name, &c}
	}
	if role, in, ok := roleIn(name); ok && role != "" {
		if c, ok := countryNamed(in); ok && in != c.name {
			return plainName{role + " (" + c.name + ")", nil}
		}
	}
	return plainName{name, nil}
}

type feedActor struct {
	id        string
	names     []string // the first one is the name
	country   *country // that a row names, and says no more of
	aliases   []string
	countries []string
	sectors   []string
	kinds     []graph.Kind // what codes say of it
	states    []string     // the names of the states that it is said to be part of
	ids       []graph.ExternalID
	props     []graph.Property
	kind      graph.Kind
}

func (a *feedActor) name() string { return a.names[0] }

func newActors(dataset string) *actors {
	return &actors{dataset: dataset, read: map[string]plainName{}, ids: map[string]string{}, byID: map[string]*feedActor{}}
}

// plain reads a name once.
func (s *actors) plain(name string) plainName {
	n, ok := s.read[name]
	if !ok {
		name = strings.Clone(name) // the row is not to be kept for it
		n = readName(name)
		s.read[name] = n
	}
	return n
}

// named returns the name that an actor goes by, how else the feed writes it ("" if
// it does not), and the country where it is one.
//
// A row that has more to say of what bears the name of a state, such as a sector,
// does not mean the state; with another country beside it, it means its namesake
// there. Not so of territories and of states that the other country claims or that are in
// no list of codes: feeds say of Abkhazia that it is in Georgia, and separatist.
func (s *actors) named(a *actor) (name, alias string, of *country) {
	n := s.plain(a.Name)
	if n.of != nil {
		if a.Kind != "" {
			return a.Name, "", nil
		}
		coded, other := n.of.state && n.of.alpha3 != "", s.plain(a.Country).of
		elsewhere := other != nil && *other != *n.of
		switch {
		case !coded || elsewhere && n.of.claimedBy(*other):
		case elsewhere:
			return a.Name + " (" + other.name + ")", "", nil
		case len(a.Sectors) > 0:
			return a.Name, "", nil
		}
	}
	if !strings.EqualFold(n.name, a.Name) {
		alias = a.Name
	}
	return n.name, alias, n.of
}

// id makes an id of a name alone; "" where that is impossible.
func (s *actors) id(name string) string {
	if id, ok := s.ids[name]; ok {
		return id
	}
	words := nameWords(name)
	if len(words) == 0 {
		return ""
	}
	return shorten(s.dataset + "/" + strings.Join(words, "-"))
}

// nameWords are the words of a name, for an id: those by which it is searched, but
// with the marks of scripts in which these make another name of it: vowel signs,
// viramas, tones, the dakuten. What only says where a line may or may not end
// separates nothing.
func nameWords(name string) []string {
	name = norm.NFKD.String(unseen.Replace(name))
	if !strings.ContainsFunc(name, isMark) {
		return graph.Words(name)
	}
	var b strings.Builder
	marks, kept := false, false
	for _, r := range name {
		switch {
		case !isMark(r):
			marks = unicode.IsLetter(r) && !unicode.In(r, plainScripts...)
			b.WriteString(graph.Fold(string(r)))
		case marks && !unicode.Is(unicode.Variation_Selector, r):
			kept = true
			b.WriteRune(r)
		}
	}
	if !kept {
		return graph.Words(name)
	}
	separates := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !isMark(r) }
	return strings.FieldsFunc(apostrophes.Replace(norm.NFC.String(b.String())), separates)
}

func isMark(r rune) bool { return unicode.Is(unicode.M, r) }

// plainScripts are those in which marks are accents, or vowels that may be left out.
var plainScripts = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Arabic, unicode.Hebrew, unicode.Common}

// unseen are the soft hyphen, the word joiner and the one that it replaced, the
// byte order mark.
var unseen = strings.NewReplacer("\u00ad", "", "\u2060", "", "\ufeff", "")

var apostrophes = strings.NewReplacer("'", "", "’", "", "ʼ", "", "`", "")

// end is the id of an end of a record.
func (s *actors) end(a *actor) string { return s.namedEnd(a).id }

// namedEnd is an end of a record, and the name by which the row has it.
type namedEnd struct{ id, name string }

func (s *actors) namedEnd(a *actor) namedEnd {
	if a.Nobody {
		return namedEnd{id: unattributedID}
	}
	name, _, _ := s.named(a)
	return namedEnd{s.id(name), name}
}

// learn takes in what a row says of an entity, and returns its id.
func (s *actors) learn(a *actor) (id string) {
	if a.Nobody {
		s.feedActor(unattributedID).names = []string{unattributed().Name}
		return unattributedID
	}
	name, alias, of := s.named(a)
	id = s.id(name)
	f := s.feedActor(id)
	if _, known := s.ids[name]; !known {
		name = strings.Clone(name)
		s.ids[name] = id
		f.names = append(f.names, name)
	}
	if alias != "" {
		f.aliases = addText(f.aliases, alias)
	}
	if of != nil {
		f.country = of
	}
	if a.Country != "" {
		f.countries = addText(f.countries, a.Country)
	}
	for _, sector := range a.Sectors {
		f.sectors = addText(f.sectors, sector)
	}
	if a.Kind != "" {
		f.coded(a.Kind)
	}
	if a.State != "" {
		f.states = addText(f.states, a.State)
	}
	for _, alias := range a.Aliases {
		f.aliases = addText(f.aliases, alias)
	}
	for _, x := range a.IDs {
		if !slices.Contains(f.ids, x) {
			f.ids = append(f.ids, graph.ExternalID{Scheme: x.Scheme, Value: strings.Clone(x.Value)})
		}
	}
	for _, p := range a.Properties {
		if !slices.Contains(f.props, p) {
			f.props = append(f.props, graph.Property{Name: p.Name, Value: strings.Clone(p.Value)})
		}
	}
	return id
}

// feedActor is what is known of an id.
func (s *actors) feedActor(id string) *feedActor {
	f := s.byID[id]
	if f == nil {
		f = &feedActor{id: id}
		s.byID[id] = f
	}
	return f
}

func addText(to []string, text string) []string {
	if slices.Contains(to, text) {
		return to
	}
	return append(to, strings.Clone(text))
}

// settle decides what each entity is when all is known of it.
func (s *actors) settle() {
	// The states that actors are part of are entities, be they named in a row or not.
	for _, a := range s.byID {
		// So that the order of rows changes nothing.
		slices.SortFunc(a.names, compareNames)
		slices.Sort(a.aliases)
		slices.Sort(a.countries)
		slices.Sort(a.sectors)
		slices.SortFunc(a.ids, func(x, y graph.ExternalID) int {
			return cmp.Or(strings.Compare(x.Scheme, y.Scheme), strings.Compare(x.Value, y.Value))
		})
		sortProperties(a.props)
		a.decide()
	}
	for _, a := range s.sorted() {
		for i, name := range a.states {
			state := s.plain(name)
			a.states[i] = state.name
			id := s.id(state.name)
			switch other := s.byID[id]; {
			case other == nil:
				s.ids[state.name] = id
				s.byID[id] = &feedActor{id: id, names: []string{state.name}, country: state.of, kind: graph.KindState}
			case other != a && len(other.kinds) == 0 && other.country == nil && state.of != nil && state.of.state:
				// What has its name, and a sector, is the state all the same: see recall.
				other.country = state.of
				other.decide()
			}
		}
		// What other rows say of it takes none of this back: they may be in
		// another file of the data set.
		slices.Sort(a.states)
		a.states = slices.Compact(a.states)
	}
	s.list = s.sorted()
}

// compareNames orders the spellings of a name, the best one first: the one that the
// table of countries has, and then by their texts.
func compareNames(a, b string) int {
	if a == b {
		return 0
	}
	listed := func(name string) int {
		if of, ok := countryNamed(name); ok && of.name == name {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(listed(a), listed(b)), strings.Compare(a, b))
}

// preferredName is the better one of two spellings, whichever input has it.
func preferredName(a, b string) string {
	if compareNames(b, a) < 0 {
		return b
	}
	return a
}

func (s *actors) sorted() []*feedActor {
	list := make([]*feedActor, 0, len(s.byID))
	for _, a := range s.byID {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *feedActor) int { return strings.Compare(a.id, b.id) })
	return list
}

// codedAs is the property with the kinds that codes have said of an entity. What
// they say in one file and what they say in the next decide together.
const codedAs = "codedAs"

// told reports whether codes or sectors say what entities are: other files of the
// data set may then have a word on it.
func (s *actors) told() bool {
	return slices.ContainsFunc(s.list, func(a *feedActor) bool { return len(a.kinds)+len(a.sectors) > 0 })
}

// recall adds to what the file says of an entity what the record has from other
// files of the data set, and decides again. That a name is that of a state shows
// by rows without any sector.
func (s *actors) recall(a *feedActor, said *graph.Content) {
	for _, p := range said.Properties {
		switch p.Name {
		case "sector":
			a.sectors = addText(a.sectors, p.Value)
		case codedAs:
			if i := slices.IndexFunc(graph.Kinds[:], func(k graph.Kind) bool { return kindName(k) == p.Value }); i >= 0 {
				a.coded(graph.Kinds[i])
			}
		}
	}
	slices.Sort(a.sectors)
	if said.Kind == graph.KindState {
		if len(a.kinds) > 0 {
			a.coded(graph.KindState)
		} else if of := s.plain(a.name()).of; of != nil && of.state {
			a.country = of
		}
	}
	a.decide()
}

// coded takes in what codes say that an entity is.
func (a *feedActor) coded(kind graph.Kind) {
	if !slices.Contains(a.kinds, kind) {
		a.kinds = append(a.kinds, kind)
	}
}

// decide finds the kind of an entity from what the feed says of it: its name,
// where that is of a country or of a role in a country, and its sectors.
func (a *feedActor) decide() {
	a.kind = graph.KindUndecided
	if len(a.kinds) > 0 {
		// Codes that contradict each other decide nothing.
		if len(a.kinds) == 1 {
			a.kind = a.kinds[0]
		}
		return
	}
	if a.country != nil {
		if a.country.state {
			a.kind = graph.KindState
		}
		return
	}
	if role, country, ok := roleIn(a.name()); ok {
		a.kind = roleKinds[strings.ToLower(role)]
		if a.kind == "" {
			a.kind = graph.KindUndecided
		}
		if c, ok := countryNamed(country); ok && c.state && (a.kind == graph.KindOrganization || a.kind == graph.KindGroup) {
			a.states = addText(a.states, c.name)
		}
		return
	}
	has := func(sector string) bool { return slices.Contains(a.sectors, sector) }
	// Elite is ICEWS's sector for leading persons. What is in a party and in
	// the government is no party and no ministry.
	if has("Elite") || has("Parties") && has("Government") {
		a.kind = graph.KindPerson
	}
}

// roleIn splits "Police (India)", and "Bank (Holy See (Vatican City State))".
func roleIn(name string) (role, country string, ok bool) {
	if !strings.HasSuffix(name, ")") {
		return "", "", false
	}
	open := 0
	for at := len(name) - 1; at > 0; at-- {
		switch name[at] {
		case ')':
			open++
		case '(':
			if open--; open == 0 {
				return strings.TrimSpace(name[:at]), strings.TrimSpace(name[at+1 : len(name)-1]), true
			}
		}
	}
	return "", "", false
}

// icewsRoles are the roles that ICEWS names with a country, as far as they tell
// a body from people. "Head of Government (Kenya)" is neither: somebody whom the
// feed does not name.
var icewsRoles = map[graph.Kind]string{
	graph.KindOrganization: `Agriculture / Fishing / Forestry Ministry; Air Force; Airline; Appeals Court; Army; Assemblies; Bank;
		Cabinet / Council of Ministers / Advisors; Coast Guard; Congress; Constitutional Court; Defense / Security Ministry;
		Democratic Party; Communist Party; Domestic Affairs; Education Ministry; Election Commission; Energy Department/Ministry;
		Environment Department/Ministry; Finance / Economy / Commerce / Trade Ministry; Foreign Affairs; Government;
		Government Affiliated Bank; Green Party; Health Ministry; High Commission; House of Representatives;
		Industrial / Textiles / Mining Ministry; Information / Communication / Transparency Ministry; Information Ministry;
		Intelligence; Interior / Home Ministry; Justice Department/Ministery; Labor and Employment Ministry; Labor Union; Legislature;
		Main Opposition; Military; Ministry; Ministry of Mining; Ministry of Tourism; National Democratic Front; Naval; Oversight Court;
		Police; Public Courts; Royal Administration; Ruling Party; Secretariat; Senate; Socialist Party; State Media;
		Treasury/Finance Ministry`,
	graph.KindGroup: `Activist; Armed Band; Armed Gang; Armed Rebel; Asylum Seeker; Attacker; Children; Christian; Citizen; Civic Group;
		Civil Servant; Combatant; Criminal; Detainee; Employee; Extremist; Farm Worker; Fishermen; High Ranking Military Personnel; Hindu;
		Human Rights Activist; Human Rights Group; Illegal Immigrant; Immigrants; Indigenous People; Insurgent; Kidnapper; Lawmaker;
		Local Media; Media; Media Personnel; Medical Personnel; Men; Militant; Military Personnel; Military Personnel - Special; Militia;
		Mob; Murderer; Muslim; Opposition Supporter; Other Authorities / Officials; Party Member; Peacekeeping Troop;
		People Associated with the Opposition; Political Parties; Population; Protester; Rebel Group; Refugee; Representatives;
		Reserve Personnel; Rights Activist; Separatist; Student; Terrorist; Thief; Tourist; Veterans; Villager; Women`,
}

// roleKinds are the kinds of the roles of ICEWS, by their names in lower case.
var roleKinds = func() map[string]graph.Kind {
	kinds := map[string]graph.Kind{}
	for kind, roles := range icewsRoles {
		for role := range listed(roles) {
			kinds[strings.ToLower(role)] = kind
		}
	}
	return kinds
}()

// statements says what the feed says of entities.
func (s *actors) statements(list []*feedActor) []graph.Statement {
	out := make([]graph.Statement, len(list))
	for i, a := range list {
		if a.id == unattributedID {
			out[i] = graph.Statement{ID: a.id, Content: unattributed()}
			continue
		}
		c := graph.Content{Form: graph.FormEntity, Kind: a.kind, Name: a.name(), Aliases: slices.Clone(a.names[1:])}
		for _, alias := range a.aliases {
			if !slices.Contains(a.names, alias) {
				c.Aliases = append(c.Aliases, alias)
			}
		}
		if a.country != nil && a.country.alpha3 != "" && len(a.kinds) == 0 { // else codes say what it is
			c.ExternalIDs = []graph.ExternalID{{Scheme: "iso3166", Value: a.country.alpha3}}
		}
		for _, country := range a.countries {
			c.Properties = append(c.Properties, graph.Property{Name: "country", Value: country})
		}
		for _, sector := range a.sectors {
			c.Properties = append(c.Properties, graph.Property{Name: "sector", Value: sector})
		}
		if a.kind != graph.KindState { // which says as much
			for _, kind := range a.kinds {
				c.Properties = append(c.Properties, graph.Property{Name: codedAs, Value: kindName(kind)})
			}
		}
		c.Properties = append(c.Properties, a.props...)
		for _, x := range a.ids {
			if !slices.Contains(c.ExternalIDs, x) {
				c.ExternalIDs = append(c.ExternalIDs, x)
			}
		}
		out[i] = graph.Statement{ID: a.id, Content: c}
	}
	return out
}

// standings are the relations of bodies and groups to their states. The feed
// gives no dates for them.
func (s *actors) standings(v *graph.Vocabulary) ([]*graph.Relation, error) {
	if _, ok := v.Lookup("PART_OF"); !ok {
		return nil, nil
	}
	undated, err := graph.ResolveDate("", graph.Standing, graph.Stated, 0, false)
	if err != nil {
		return nil, err
	}
	var out []*graph.Relation
	for _, a := range s.list {
		for _, name := range a.states {
			state := s.id(name)
			sum := digestOf(a.id, state)
			out = append(out, &graph.Relation{ID: s.dataset + "/part-of/" + hex.EncodeToString(sum[:12]), Type: "PART_OF",
				Source: a.id, Target: state, Date: undated, Status: graph.Reported})
		}
	}
	return out, nil
}
