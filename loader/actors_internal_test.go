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
