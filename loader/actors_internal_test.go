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
