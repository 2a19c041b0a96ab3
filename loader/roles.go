package loader

import (
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

// isNamed reports whether a country bears a name, in one of its spellings or as
// an abbreviation.
func (c country) isNamed(name string) bool {
	name = withoutArticle(name)
	if strings.EqualFold(name, c.alpha3) || strings.EqualFold(name, "us") && c.alpha3 == "USA" || strings.EqualFold(name, "uk") && c.alpha3 == "GBR" {
		return true
	}
	named, ok := countryNamed(name)
	return ok && named == c
}

func withoutArticle(name string) string {
	for _, article := range []string{"the ", "a ", "an "} {
		if len(name) > len(article) && strings.EqualFold(name[:len(article)], article) {
			return name[len(article):]
		}
	}
	return name
}
