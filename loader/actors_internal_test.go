package loader

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/graph"

	"golang.org/x/text/unicode/norm"
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

// TestPOLECATTitles: what a country is named for keeps the office of who acted for it.
func TestPOLECATTitles(t *testing.T) {
	a := polecatOne("French", func(column int) []string {
		return map[int][]string{polecatActorCountry: {"FRA"}, polecatTitle: {"foreign minister"}, polecatSectors: {"GOV"}, polecatCOW: {"220.0"}}[column]
	}, "Actor Name")
	want := []graph.ExternalID{{Scheme: "iso3166", Value: "FRA"}, {Scheme: "cow", Value: "220"}}
	if a.Name != "France" || a.As != "foreign minister" || !slices.Equal(a.IDs, want) {
		t.Errorf("%+v", a)
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
		{"Kosovo", "SRB", "GOV", "Kosovo", graph.KindState, ""},
		{"Taiwanese", "CHN", "MIL", "Military (Taiwan)", graph.KindOrganization, "Taiwan"},
		{"South Ossetia", "GEO", "", "South Ossetia", graph.KindState, ""},
		{"Palestine", "USA", "", "Palestine (United States)", "", ""},
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

// TestNameWords: accents and vowel points are left out of ids, and marks that make
// another name stay.
func TestNameWords(t *testing.T) {
	for name, want := range map[string]string{
		"Côte d'Ivoire": "cote-divoire", "Киї\u0308в": "киів", "ΆΙΣ": "αισ", "مُحَمَّد": "محمد", "שָׁלוֹם": "שלום", "Xi’an": "xian", "각하": "각하", "1\ufe0f\u20e3 A": "1-a", "ʾ\u0301A": "ʾa",
		"राम": "राम", "रमा": "रमा", "कर": "कर", "कोर": "कोर", "গান": "গান", "গন": "গন", "มา": "มา", "ม้า": "ม้า",
		"バス": "バス", "ﾊﾞｽ": "バス", "ハ\u3099ス": "バス", "ハス": "ハス", "Émile राम's": "emile-रामs", "ハ\ufe00ス": "ハス", "(राम)-É": "राम-e",
		"Karl\u00adheinz\u00a0Müller": "karlheinz-muller", "\ufeffSer\u2060gei": "sergei", "ក\u200bខ": "ក-ខ",
	} {
		if got := strings.Join(nameWords(name), "-"); got != norm.NFC.String(want) && got != norm.NFKD.String(want) {
			t.Errorf("%q is %q, not %q", name, got, want)
		}
	}
}

// TestNameWordsOfData: of names in Latin letters, ids are made of the words by
// which these are searched.
func TestNameWordsOfData(t *testing.T) {
	data := os.Getenv("CHANCERY_DATA")
	if data == "" {
		t.Skip("CHANCERY_DATA does not name the folder of the data")
	}
	var folders []string
	for _, folder := range []string{"icews14", "icews18", "icews-raw", "gdelt"} {
		folders = append(folders, filepath.Join(data, folder))
	}
	inputs, done, err := findInputs(t.Context(), folders, nil)
	defer done()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, in := range inputs {
		r, err := in.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
		for line := range strings.Lines(string(text)) {
			for field := range strings.SplitSeq(line, "\t") {
				names[field] = true
			}
		}
	}
	for name := range names {
		if got, want := nameWords(name), graph.Words(name); !slices.Equal(got, want) {
			t.Errorf("%q is %q, not %q", name, got, want)
		}
	}
	if len(names) < 20_000 {
		t.Errorf("only %d names", len(names))
	}
}
