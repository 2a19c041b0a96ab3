package loader

import (
	"testing"

	"chancery/graph"
)

// TestPOLECATRoles: names of roles alone are of their countries, in every case
// that the feed writes them in.
func TestPOLECATRoles(t *testing.T) {
	for _, c := range []struct {
		name, country, want string
		kind                graph.Kind
	}{
		{"Congress", "USA", "Congress (United States)", graph.KindOrganization},
		{"the police", "FRA", "Police (France)", graph.KindOrganization},
		{"president", "FRA", "President (France)", ""},
		{"President", "", "President", ""},
		{"Police", "", "Police", graph.KindOrganization},
		{"Congress Party", "IND", "Congress Party", ""},
	} {
		a := polecatOne(c.name, func(column int) []string {
			if column == polecatActorCountry && c.country != "" {
				return []string{c.country}
			}
			return nil
		}, "Actor Name")
		if a.Name != c.want || a.Kind != c.kind {
			t.Errorf("%s of %q is %q, %q", c.name, c.country, a.Name, a.Kind)
		}
	}
}

// TestPOLECATSameActor: one actor under two of its names makes one pair.
func TestPOLECATSameActor(t *testing.T) {
	pairs := polecatPairs([]actor{{Name: "Burma"}, {Name: "Myanmar"}, {Name: "Army (Burma)"}, {Name: "Army (Myanmar)"}}, []actor{{Name: "Ada Lund"}}, false)
	if len(pairs) != 2 || pairs[0][0].Name != "Burma" || pairs[1][0].Name != "Army (Burma)" {
		t.Errorf("%+v", pairs)
	}
	none := func(int) []string { return nil }
	if a := polecatOne("Russian Federation", none, ""); a.Name != "Russia" || a.Kind != graph.KindState {
		t.Errorf("%+v", a)
	}
}

// TestPOLECATNames: the code of a country settles whose name it is, and what
// only resembles a name is none.
func TestPOLECATNames(t *testing.T) {
	for _, c := range []struct {
		name, country, sector string
		want                  string
		kind                  graph.Kind
		state                 string
	}{
		{"Congo", "COD", "GOV", "Democratic Republic of the Congo", graph.KindState, ""},
		{"Congo", "COG", "GOV", "Republic of the Congo", graph.KindState, ""},
		{"Congolese", "COD", "MIL", "Military (Democratic Republic of the Congo)", graph.KindOrganization, "Democratic Republic of the Congo"},
		{"Congo Republic", "", "", "Republic of the Congo", graph.KindState, ""},
		{"Korea", "KOR", "GOV", "South Korea", graph.KindState, ""},
		{"France 24", "FRA", "MED", "France 24", "", ""},
		{"France 24", "", "MED", "France 24", "", ""},
		{"Microsoft", "USA", "MNC", "Microsoft", graph.KindOrganization, ""},
		{"Police", "FRA", "COP", "Police (France)", graph.KindOrganization, "France"},
	} {
		a := polecatOne(c.name, func(column int) []string {
			return polecatList(map[int]string{polecatActorCountry: c.country, polecatPrimarySector: c.sector}[column])
		}, "Actor Name")
		if a.Name != c.want || a.Kind != c.kind || a.State != c.state {
			t.Errorf("%s of %q is %+v", c.name, c.country, a)
		}
	}
}
