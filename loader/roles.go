package loader

import (
	"iter"
	"slices"
	"strings"

	"chancery/graph"
)

// sectorRole is what a role code of CAMEO says of an actor; PLOVER's sectors
// are the same codes.
type sectorRole struct {
	name string     // what those of a country are called: "Military" of "Military (Russia)"
	kind graph.Kind // of those of a country
	body bool       // an organisation bears it as a whole, by the code's definition
}

// sectorRoles are the codes of CAMEO 1.1b3, chapter 3, and those that PLOVER adds.
var sectorRoles = map[string]sectorRole{
	"COP": {"Police", graph.KindOrganization, false},
	"GOV": {"Government", graph.KindOrganization, false},
	"JUD": {"Judiciary", graph.KindOrganization, false},
	"LEG": {"Legislature", graph.KindOrganization, false},
	"MIL": {"Military", graph.KindOrganization, false},
	"SPY": {"Intelligence", graph.KindOrganization, false},
	"INS": {"Insurgents", graph.KindGroup, false},
	"OPP": {"Opposition", graph.KindGroup, false},
	"PTY": {"Political Parties", graph.KindGroup, false},
	"REB": {"Rebels", graph.KindGroup, false},
	"SEP": {"Separatists", graph.KindGroup, false},
	"UAF": {"Armed Band", graph.KindGroup, false},
	"PRM": {"Paramilitaries", graph.KindGroup, false},
	"AGR": {"Agriculture", graph.KindGroup, false},
	"BUS": {"Business", graph.KindGroup, false},
	"CRM": {"Criminals", graph.KindGroup, false},
	"CVL": {"Civilians", graph.KindGroup, false},
	"DEV": {"Development Workers", graph.KindGroup, false},
	"EDU": {"Education", graph.KindGroup, false},
	"ELI": {"Elites", graph.KindGroup, false},
	"ENV": {"Environmentalists", graph.KindGroup, false},
	"HLH": {"Health Workers", graph.KindGroup, false},
	"HRI": {"Human Rights Activists", graph.KindGroup, false},
	"JRN": {"Journalists", graph.KindGroup, false},
	"LAB": {"Labor", graph.KindGroup, false},
	"MED": {"Media", graph.KindGroup, false},
	"REF": {"Refugees", graph.KindGroup, false},
	"REL": {"Clergy", graph.KindGroup, false},
	"SET": {"Settlers", graph.KindGroup, false},
	"SOC": {"Social Groups", graph.KindGroup, false},
	"MOD": {"Moderates", graph.KindGroup, false},
	"RAD": {"Radicals", graph.KindGroup, false},
	"IGO": {"Intergovernmental Organizations", graph.KindGroup, true},
	"IMG": {"International Militarized Groups", graph.KindGroup, true},
	"MNC": {"Multinational Corporations", graph.KindGroup, true},
	"NGO": {"Nongovernmental Organizations", graph.KindGroup, true},
	"NGM": {"Nongovernmental Movements", graph.KindGroup, false},
	"PKO": {"Peacekeepers", graph.KindGroup, false},
	"UIS": {"Unidentified State Actors", graph.KindUndecided, false},
}

// commonRoles are further words for somebody in a country, or for a body of it,
// that feeds do not name. They do not tell an office from who holds it, or one
// of several bodies from all of them.
const commonRoles = `Administration; Ambassador; Armed Forces; Attorney; Attorney General; Authorities; Border Guard; Businessman; Cabinet;
	Cabinet Minister; Candidate; Central Bank; Chamber; Chancellor; Chief Minister; Chief of Staff; City Mayor; Civilian; Cleric; College; Commander;
	Community; Company; Consul; Consulate; Convicts; Coroner; Correspondent; Council; Court; Court Judge; Court of Appeals; Crown Prince; Defence Minister;
	Defense Attorney; Defense Minist; Defense Minister; Defense Ministry; Delegate; Delegation; Demonstrator; Deputy Prime Minister; Diplomat;
	Dissident; District Court; Doctor; Embassy; Emir; Emperor; Envoy; Factory; Farmer; Federal Court; Fighter; Finance Minist; Finance Minister;
	Finance Ministry; Firefighter; First Lady; Foreign Minist; Foreign Minister; Foreign Ministry; Foreign Office; Foreign Secretary; Former President;
	General; Generals; Government Agency; Government Delegation; Government Forces; Government Official; Government Soldier; Governor; Guerrilla;
	Head of Government; Head of State; Health Minister; High Court; Hospital; House Speaker; Immigrant; Industry; Inmate; Intelligence Agency;
	Intelligence Officer; Interior Minister; Interior Ministry; Islamist; Journalist; Judge; Junta; Justice Minister; Justice Ministry; King; Laborer;
	Lawyer; Leadership; Legislative Assembly; Legislator; Local Government; Lower House; Magistrate; Mayor; Member of Parliament; Migrant;
	Military Government; Military Police; Minist; Minister; Monarch; National Assembly; National Guard; National Security Advisor; Nationals; Navy;
	Neighborhood; News Agency; Newspaper; Officials; Opposition Leader; Opposition Party; Parliament; Paramilitary; Pilgrim; PM; Police Chief;
	Police Force; Police Officer; Policeman; Politician; Premier; President; Presidential Candidate; Press; Prime Minist; Prime Minister; Prince;
	Princess; Prison; Prisoner; Professor; Prosecutor; Public Prosecutor; Queen; Rebel; Rebels; Regime; Reporter; Republican Guard; Residents;
	School; Secretary of State; Security Forces; Security Service; Senator; Settlement; Settler; Sheriff; Soldier; Soldiers; Sovereign; Speaker;
	Speaker of the House; Special Forces; Spokesman; Spokesperson; Spokeswoman; Staff Member; State Governor; Sultan; Supreme Court; Taxpayer; Teacher;
	Trade Union; Trooper; Troops; Unions; University; Upper House; Vice President; Village; Voter; Warlord; Warplane; Worker; Workers`

// listed goes through a list whose parts are separated by semicolons.
func listed(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for part := range strings.SplitSeq(text, ";") {
			if !yield(strings.TrimSpace(part)) {
				return
			}
		}
	}
}

// namedRole is a role that a name alone stands for.
type namedRole struct {
	name string     // as it is written with a country
	kind graph.Kind // of those of a country; "" where the name does not tell
}

// namedRoles are the roles by their names in lower case.
var namedRoles = func() map[string]namedRole {
	roles := map[string]namedRole{}
	for name := range listed(commonRoles) {
		roles[strings.ToLower(name)] = namedRole{name: name}
	}
	for _, role := range sectorRoles {
		roles[strings.ToLower(role.name)] = namedRole{role.name, role.kind}
	}
	for kind, names := range icewsRoles {
		for name := range listed(names) {
			roles[strings.ToLower(name)] = namedRole{name, kind}
		}
	}
	return roles
}()

// roleOf names what bears the name of a role alone by its country too, such as
// POLICE: each country has its own. It does nothing to other names.
func (a *actor) roleOf(c country) (kind graph.Kind, is bool) {
	name := strings.ToLower(withoutArticle(a.Name))
	role, is := namedRoles[name]
	if !is {
		role, is = composedRole(name)
	}
	if is {
		a.Name = role.name + " (" + c.name + ")"
	}
	return role.kind, is
}

// ofState reports whether role codes are those of a body of a state. A company
// or a union is none, whatever other codes it has; neither are rebels and
// parties, which are in a state and not of it.
func ofState(codes []string) bool {
	body := false
	for _, code := range codes {
		switch code {
		case "COP", "GOV", "JUD", "LEG", "MIL", "SPY":
			body = true
		}
		if sectorRoles[code].body {
			return false
		}
	}
	return body
}

// hasRole reports whether one of the codes stands for a role.
func hasRole(codes []string) bool {
	return slices.ContainsFunc(codes, func(code string) bool { _, ok := sectorRoles[code]; return ok })
}

// national makes of a country and a role in it the actor that these name
// together, such as Military (Russia); without a role, it is the country.
func (a *actor) national(c country, codes []string) {
	for _, code := range codes {
		role, ok := sectorRoles[code]
		if !ok {
			continue
		}
		a.Name, a.Kind = role.name+" ("+c.name+")", role.kind
		if c.state {
			a.State = c.name
		}
		return
	}
	a.Name, a.Kind = c.name, graph.KindUndecided
	if c.state {
		a.Kind = graph.KindState
	}
	if c.alpha3 != "" {
		a.IDs = append(a.IDs, graph.ExternalID{Scheme: "iso3166", Value: c.alpha3})
	}
}

// namesake tells what is of one country from another that has its name, such as
// Georgia of the United States.
func (a *actor) namesake(of country) {
	if other, ok := countryNamed(a.Name); ok && other != of {
		a.Name += " (" + of.name + ")"
	}
}

// calling is the country that a row means which names this one beside an actor: a
// state that this one claims, where the actor bears the name of it.
func (c country) calling(name string) country {
	if own, ok := countryNamed(name); ok && own.claimedBy(c) {
		return own
	}
	return c
}

// isNamed reports whether a country bears a name, in one of its spellings or as
// an abbreviation.
func (c country) isNamed(name string) bool {
	name = withoutArticle(name)
	if strings.EqualFold(name, c.alpha3) || strings.EqualFold(name, "us") && c.alpha3 == "USA" || strings.EqualFold(name, "uk") && c.alpha3 == "GBR" {
		return true
	}
	if states, shared := sharedNames[countryKey(name)]; shared {
		return c.alpha3 != "" && strings.Contains(states, c.alpha3)
	}
	named, ok := countryNamed(name)
	return ok && named == c
}

// sharedNames are words for two countries or their people, by their keys, with
// the codes of those. Which of them is meant, another code has to tell.
var sharedNames = map[string]string{
	"congo":          "COD COG",
	"congolese":      "COD COG",
	"dominican":      "DMA DOM",
	"dominicans":     "DMA DOM",
	"korea":          "KOR PRK",
	"korean":         "KOR PRK",
	"koreans":        "KOR PRK",
	"virgin islands": "VGB VIR",
}

func withoutArticle(name string) string {
	for _, article := range []string{"the ", "a ", "an "} {
		if len(name) > len(article) && strings.EqualFold(name[:len(article)], article) {
			return name[len(article):]
		}
	}
	return name
}
