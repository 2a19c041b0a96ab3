package loader_test

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// gdeltRow makes a row of GDELT 2.0 of the columns given by their numbers.
func gdeltRow(set map[int]string) string {
	f := make([]string, 61)
	copy(f, []string{"7001", "20180601", "201806", "2018", "2018.4137", "NOR", "NORWAY", "NOR"})
	copy(f[15:], []string{"SWE", "SWEDISH", "SWE"})
	copy(f[25:], []string{"1", "040", "040", "04", "1", "1.0", "5", "1", "4", "-0.5"})
	copy(f[51:], []string{"4", "Oslo, Oslo, Norway", "NO", "NO12", "31", "59.9", "10.7", "-999", "20180602101500", "https://www.daily.example/a"})
	for i, text := range set {
		f[i] = text
	}
	return strings.Join(f, "\t")
}

// gdeltOld makes a row of GDELT 1.0 of one of 2.0.
func gdeltOld(row string, width int) string {
	f := strings.Split(row, "\t")
	var old []string
	for i, text := range f {
		if i != 39 && i != 47 && i != 55 {
			old = append(old, text)
		}
	}
	return strings.Join(old[:width], "\t")
}

// gdeltText has a meeting told from both sides, and actors of every kind, in all three widths.
var gdeltText = strings.Join([]string{
	gdeltRow(nil),
	gdeltRow(map[int]string{0: "7002", 5: "SWE", 6: "SWEDEN", 7: "SWE", 15: "NOR", 16: "NORWEGIAN", 17: "NOR"}),
	gdeltRow(map[int]string{0: "7003", 15: "SWEMIL", 16: "SWEDEN", 22: "MIL", 26: "43", 27: "43", 28: "4"}),
	gdeltRow(map[int]string{0: "7004", 5: "", 6: "", 7: "", 60: "BBC Monitoring"}),
	gdeltOld(gdeltRow(map[int]string{0: "7005", 15: "", 16: "", 17: "", 26: "1122", 27: "112", 28: "11", 30: ""}), 57),
	gdeltOld(gdeltRow(map[int]string{0: "7006", 5: "USAELI", 6: "ADA LUND", 7: "USA", 12: "ELI", 15: "USAELI", 16: "UTAH", 17: "USA", 22: "ELI", 44: "Utah, United States"}), 58),
	gdeltOld(gdeltRow(map[int]string{0: "7007", 5: "AFGINSTAL", 6: "TALIBAN", 7: "AFG", 8: "TAL", 12: "INS", 15: "CVL", 16: "VILLAGE", 17: "", 22: "CVL", 52: "", 56: "", 57: ""}), 58),
	gdeltOld(gdeltRow(map[int]string{0: "7008", 6: "GEORGIA", 5: "USA", 7: "USA", 15: "GEO", 16: "GEORGIAN", 17: "GEO", 26: "1951", 28: "19"}), 58),
	gdeltRow(map[int]string{0: "7009", 5: "GOV", 6: "PRESIDENT", 7: "", 12: "GOV", 15: "COP", 16: "", 17: "", 22: "COP"}),
	gdeltRow(nil),
}, "\n") + "\n"

func TestGDELT(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		file := write(t, "20180602.export.CSV", gdeltText)
		result := loadFiles(t, store, loader.Options{}, file)
		if got, want := rowsAddUp(t, result), (loader.Rows{Read: 10, Created: 9, Duplicate: 1}); !cmp.Equal(want, got) {
			t.Fatalf("%+v", got)
		}
		if result.Loads[0].Dataset != "gdelt" {
			t.Error(result.Loads[0].Dataset)
		}
		kinds := map[graph.Kind]int{graph.KindState: 3, graph.KindOrganization: 3, graph.KindGroup: 1, graph.KindPerson: 1, graph.KindUndecided: 3}
		if diff := cmp.Diff(kinds, result.Loads[0].Rows.Kinds); diff != "" {
			t.Error(diff)
		}
		if got, want := rowsAddUp(t, loadFiles(t, store, loader.Options{}, file)), (loader.Rows{Read: 10, Unchanged: 9, Duplicate: 1}); !cmp.Equal(want, got) {
			t.Fatalf("the second time: %+v", got)
		}
		read(t, store, checkGDELT(t))
	})
}

func checkGDELT(t *testing.T) func(context.Context, graph.Reader) {
	return func(ctx context.Context, tx graph.Reader) {
		type entity struct {
			Kind    graph.Kind
			Aliases string
			IDs     []graph.ExternalID
		}
		want := map[string]entity{
			"gdelt/norway": {graph.KindState, "NORWEGIAN", isoID("NOR")}, "gdelt/sweden": {graph.KindState, "SWEDISH", isoID("SWE")},
			"gdelt/military-sweden": {graph.KindOrganization, "", nil}, "gdelt/ada-lund": {graph.KindPerson, "", nil}, "gdelt/utah": {graph.KindUndecided, "", nil},
			"gdelt/taliban": {graph.KindOrganization, "", nil}, "gdelt/village": {graph.KindGroup, "", nil},
			"gdelt/georgia-united-states": {graph.KindUndecided, "", nil}, "gdelt/georgia": {graph.KindState, "GEORGIAN", isoID("GEO")},
			"gdelt/president": {graph.KindUndecided, "", nil}, "gdelt/police": {graph.KindOrganization, "", nil}, "group/unattributed": {graph.KindGroup, "", nil},
		}
		var ids []string
		for id := range want {
			ids = append(ids, id)
		}
		nodes, err := tx.Nodes(ctx, ids, true)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]entity{}
		for id, n := range nodes {
			got[id] = entity{n.Kind, strings.Join(n.Aliases, ","), n.ExternalIDs}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		acts := map[string]*graph.Relation{}
		for _, id := range []string{"gdelt/norway", "gdelt/sweden", "gdelt/military-sweden", "gdelt/georgia", "gdelt/taliban"} {
			for _, r := range relationsAt(t, ctx, tx, id) {
				acts[strings.Split(strings.TrimPrefix(r.ID, "gdelt/record/"), "-")[0]] = r
			}
		}
		a, b := acts["7001"], acts["7002"]
		if a.Type != "CONSULTED" || a.Event == "" || a.Event != b.Event || a.Date.EDTF != "2018-06-01" || len(a.Places) != 1 || *a.Goldstein != 1 ||
			a.Note != "mentions 5, sources 1, articles 4, average tone -0.5, in the lead paragraph, added 2018-06-02" {
			t.Errorf("%+v\n%+v", a, b)
		}
		if c := acts["7003"]; c.Type != "HOSTED" || c.CAMEO != "043" || c.Target != "gdelt/military-sweden" {
			t.Errorf("%+v", c)
		}
		if c := acts["7004"]; c.Source != "group/unattributed" || c.Target != "gdelt/sweden" {
			t.Errorf("%+v", c)
		}
		if c := acts["7005"]; c.Source != "gdelt/norway" || c.Target != "group/unattributed" || c.Type != "ACCUSED" || c.CAMEO != "1122" || len(c.Citations) != 0 || *c.Goldstein != -2 {
			t.Errorf("%+v", c)
		}
		if c := acts["7008"]; c.Type != "STRUCK" || c.CAMEO != "1951" {
			t.Errorf("%+v", c)
		}
		if c := acts["7007"]; len(c.Places) != 0 {
			t.Errorf("%+v", c)
		}
		// The documents and the place.
		nodes, err = tx.Nodes(ctx, []string{a.Citations[0].Source, acts["7004"].Citations[0].Source, a.Places[0]}, true)
		if err != nil {
			t.Fatal(err)
		}
		if n := nodes[a.Citations[0].Source]; n.URL != "https://www.daily.example/a" || n.Publisher != "daily.example" || n.Name != "www.daily.example/a" {
			t.Errorf("%+v", n)
		}
		if n := nodes[acts["7004"].Citations[0].Source]; n.URL != "" || n.Name != "BBC Monitoring" {
			t.Errorf("%+v", n)
		}
		properties := []graph.Property{{Name: "adm1", Value: "NO12"}, {Name: "adm2", Value: "31"}, {Name: "country", Value: "Norway"}, {Name: "fips", Value: "NO"}}
		if n := nodes[a.Places[0]]; n.Kind != graph.KindPlace || n.Name != "Oslo" || n.Point.Latitude != 59.9 || n.Description != "Oslo, Norway" || !cmp.Equal(n.Properties, properties) ||
			!cmp.Equal(n.ExternalIDs, []graph.ExternalID{{Scheme: "gns", Value: "-999"}}) {
			t.Errorf("%+v", n)
		}
	}
}

// gdeltActor sets the columns of the first actor.
func gdeltActor(id, code, name, country, group, ethnic, religion, role string) string {
	return gdeltRow(map[int]string{0: id, 5: code, 6: name, 7: country, 8: group, 9: ethnic, 10: religion, 12: role, 15: "NOR", 16: "NORWAY", 17: "NOR"})
}

// gdeltEntity is what is loaded of an actor.
type gdeltEntity struct {
	Kind       graph.Kind
	Name       string
	PartOf     string
	IDs        []graph.ExternalID
	Properties []graph.Property
}

// isoID is a country's code as an entity has it.
func isoID(code string) []graph.ExternalID {
	return []graph.ExternalID{{Scheme: "iso3166", Value: code}}
}

// sameGDELT compares entities, but for their properties.
func sameGDELT(t *testing.T, want, got map[string]gdeltEntity) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(gdeltEntity{}, "Properties")); diff != "" {
		t.Error(diff)
	}
}

// gdeltEntities loads rows and returns what they say of all entities but Norway.
func gdeltEntities(t *testing.T, rows ...string) map[string]gdeltEntity {
	t.Helper()
	state := loadAndDumpOf(t, "gdelt", write(t, "20180602.export.CSV", strings.Join(rows, "\n")+"\n"))
	entities := map[string]gdeltEntity{}
	for id, n := range state.Nodes {
		if key, ok := strings.CutPrefix(id, "gdelt/"); ok && n.Form == graph.FormEntity && n.Kind != graph.KindPlace && key != "norway" {
			entities[key] = gdeltEntity{Kind: n.Kind, Name: n.Name, IDs: n.ExternalIDs, Properties: n.Properties}
		}
	}
	for _, versions := range state.Versions {
		if r := versions[0]; r.Type == "PART_OF" {
			key := strings.TrimPrefix(r.Source, "gdelt/")
			e := entities[key]
			e.PartOf = strings.TrimPrefix(r.Target, "gdelt/")
			entities[key] = e
		}
	}
	return entities
}

// properties makes a list of names and values in turn.
func properties(texts ...string) (list []graph.Property) {
	for i := 0; i < len(texts); i += 2 {
		list = append(list, graph.Property{Name: texts[i], Value: texts[i+1]})
	}
	return list
}

// TestGDELTFaiths: what has the code of a faith or of an ethnic group beside that
// of a country is what it would be without, and never the state.
func TestGDELTFaiths(t *testing.T) {
	got := gdeltEntities(t,
		gdeltActor("1", "INDMOSREB", "INDIAN", "IND", "", "", "MOS", "REB"),
		gdeltActor("2", "ISRGOVJEW", "ISRAELI", "ISR", "", "", "JEW", "GOV"),
		gdeltActor("3", "ISR", "ISRAEL", "ISR", "", "", "", ""),
		gdeltActor("4", "USAGOVCHR", "UNITED STATES", "USA", "", "", "CHR", "GOV"),
		gdeltActor("5", "USA", "AMERICAN", "USA", "", "", "", ""),
		gdeltActor("6", "VATGOVCTH", "VATICAN", "VAT", "", "", "CTH", "GOV"),
		gdeltActor("7", "ISRJEW", "ISRAEL", "ISR", "", "", "JEW", ""),       // the state stays one
		gdeltActor("8", "TURkur", "TURKISH", "TUR", "", "kur", "", ""),      // some Turks
		gdeltActor("9", "TURkurREB", "", "TUR", "", "kur", "", "REB"),       // without a name
		gdeltActor("10", "PSEHMS", "PALESTINIAN", "PSE", "HMS", "", "", ""), // a group under the name of its country
		gdeltActor("11", "TWNGOV", "TAIWAN", "", "", "", "", "GOV"),         // the column lacks Taiwan
		gdeltActor("12", "MIL", "RUSSIAN", "", "", "", "", "MIL"),           // and sometimes there is but the name
		gdeltActor("13", "", "Burmese", "", "", "", "", ""),
		gdeltActor("14", "MOS", "MUSLIM", "", "", "", "MOS", ""),
	)
	want := map[string]gdeltEntity{
		"rebels-india": {graph.KindGroup, "Rebels (India)", "india", nil, properties("cameoActor", "INDMOSREB", "religion", "MOS", "writtenAs", "INDIAN")},
		"india":        {graph.KindState, "India", "", isoID("IND"), nil},
		"government-israel": {graph.KindOrganization, "Government (Israel)", "israel", nil,
			properties("cameoActor", "ISRGOVJEW", "religion", "JEW", "writtenAs", "ISRAELI")},
		"israel": {graph.KindState, "Israel", "", isoID("ISR"), properties("cameoActor", "ISR")},
		"government-united-states": {graph.KindOrganization, "Government (United States)", "united-states", nil,
			properties("cameoActor", "USAGOVCHR", "religion", "CHR")},
		"united-states": {graph.KindState, "United States", "", isoID("USA"), properties("cameoActor", "USA")},
		"government-vatican-city": {graph.KindOrganization, "Government (Vatican City)", "vatican-city", nil,
			properties("cameoActor", "VATGOVCTH", "religion", "CTH", "writtenAs", "VATICAN")},
		"vatican-city": {graph.KindState, "Vatican City", "", isoID("VAT"), nil},
		"jew-israel":   {graph.KindUndecided, "JEW (Israel)", "", nil, properties("cameoActor", "ISRJEW", "religion", "JEW")},
		"kur-turkey":   {graph.KindUndecided, "kur (Turkey)", "", nil, properties("cameoActor", "TURkur", "ethnic", "kur", "writtenAs", "TURKISH")},
		"rebels-turkey": {graph.KindGroup, "Rebels (Turkey)", "turkey", nil,
			properties("cameoActor", "TURkurREB", "ethnic", "kur")},
		"turkey":            {graph.KindState, "Turkey", "", isoID("TUR"), nil},
		"psehms":            {graph.KindOrganization, "PSEHMS", "", nil, properties("cameoActor", "PSEHMS", "writtenAs", "PALESTINIAN")},
		"government-taiwan": {graph.KindOrganization, "Government (Taiwan)", "taiwan", nil, properties("cameoActor", "TWNGOV")},
		"taiwan":            {graph.KindState, "Taiwan", "", isoID("TWN"), nil},
		"military-russia":   {graph.KindOrganization, "Military (Russia)", "russia", nil, properties("cameoActor", "MIL", "writtenAs", "RUSSIAN")},
		"russia":            {graph.KindState, "Russia", "", isoID("RUS"), nil},
		"myanmar":           {graph.KindState, "Myanmar", "", isoID("MMR"), nil},
		"muslim":            {graph.KindGroup, "MUSLIM", "", nil, properties("cameoActor", "MOS", "religion", "MOS")},
	}
	for key, e := range got { // what is compared is what tells of the faith
		e.Properties = slices.DeleteFunc(slices.Clone(e.Properties), func(p graph.Property) bool { return slices.Contains([]string{"sector", "country", "codedAs"}, p.Name) })
		got[key] = e
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// TestGDELTRoles: each country has its own police. Names that more than a role
// alone are kept.
func TestGDELTRoles(t *testing.T) {
	got := gdeltEntities(t,
		gdeltActor("1", "USACOP", "POLICE", "USA", "", "", "", "COP"),
		gdeltActor("2", "FRACOP", "THE POLICE", "FRA", "", "", "", "COP"),
		gdeltActor("3", "COP", "POLICE", "", "", "", "", "COP"),
		gdeltActor("4", "USAGOV", "PRESIDENT", "USA", "", "", "", "GOV"),
		gdeltActor("5", "FRAGOV", "PRESIDENT", "FRA", "", "", "", "GOV"),
		gdeltActor("6", "GOV", "PRESIDENT", "", "", "", "", "GOV"),
		gdeltActor("7", "FRAOPP", "PROTESTER", "FRA", "", "", "", "OPP"),
		gdeltActor("8", "FRAREB", "REBELS", "FRA", "", "", "", "REB"),
		gdeltActor("9", "USAELI", "LAWYER", "USA", "", "", "", "ELI"), // a celebrity, but which?
		gdeltActor("10", "USAGOV", "BARACK OBAMA", "USA", "", "", "", "GOV"),
		gdeltActor("11", "USACOP", "AMERICAN", "USA", "", "", "", "COP"),
		gdeltActor("12", "HKGCOP", "POLICE", "HKG", "", "", "", "COP"), // of no state
		gdeltActor("13", "INDCOP", "NATIONAL POLICE", "IND", "", "", "", "COP"),
		gdeltActor("14", "FRACOP", "NATIONAL POLICE", "FRA", "", "", "", "COP"),
		gdeltActor("15", "RUSGOV", "MINIST OF FOREIGN AFFAIRS", "RUS", "", "", "", "GOV"),
		gdeltActor("16", "PHLCOP", "THE RIOT POLICEMEN", "PHL", "", "", "", "COP"),
		gdeltActor("17", "IRQ", "NATIONAL CONGRESS PARTY", "IRQ", "INC", "", "", ""), // a known group
		gdeltActor("18", "INDPTY", "CONGRESS PARTY", "IND", "", "", "", "PTY"),
		gdeltActor("19", "GBRMED", "THE DAILY TELEGRAPH", "GBR", "", "", "", "MED"),
		gdeltActor("20", "MIL", "SECURITY FORCE", "", "", "", "", "MIL"),
	)
	want := map[string]gdeltEntity{
		"police-united-states":             {graph.KindOrganization, "Police (United States)", "united-states", nil, nil},
		"police-france":                    {graph.KindOrganization, "Police (France)", "france", nil, nil},
		"police-hong-kong":                 {graph.KindOrganization, "Police (Hong Kong)", "", nil, nil},
		"police":                           {graph.KindOrganization, "POLICE", "", nil, nil},
		"president-united-states":          {graph.KindUndecided, "President (United States)", "", nil, nil},
		"president-france":                 {graph.KindUndecided, "President (France)", "", nil, nil},
		"president":                        {graph.KindUndecided, "PRESIDENT", "", nil, nil},
		"protester-france":                 {graph.KindGroup, "Protester (France)", "france", nil, nil},
		"rebels-france":                    {graph.KindGroup, "Rebels (France)", "france", nil, nil},
		"lawyer-united-states":             {graph.KindUndecided, "Lawyer (United States)", "", nil, nil},
		"barack-obama":                     {graph.KindUndecided, "BARACK OBAMA", "", nil, nil},
		"national-police-india":            {graph.KindOrganization, "National Police (India)", "india", nil, nil},
		"national-police-france":           {graph.KindOrganization, "National Police (France)", "france", nil, nil},
		"minist-of-foreign-affairs-russia": {graph.KindUndecided, "Minist of Foreign Affairs (Russia)", "", nil, nil},
		"riot-policemen-philippines":       {graph.KindGroup, "Riot Policemen (Philippines)", "philippines", nil, nil},
		"national-congress-party":          {graph.KindOrganization, "NATIONAL CONGRESS PARTY", "", nil, nil},
		"congress-party":                   {graph.KindUndecided, "CONGRESS PARTY", "", nil, nil},
		"the-daily-telegraph":              {graph.KindUndecided, "THE DAILY TELEGRAPH", "", nil, nil},
		"security-force":                   {graph.KindUndecided, "SECURITY FORCE", "", nil, nil},
		"united-states":                    {graph.KindState, "United States", "", isoID("USA"), nil},
		"india":                            {graph.KindState, "India", "", isoID("IND"), nil},
		"philippines":                      {graph.KindState, "Philippines", "", isoID("PHL"), nil},
		"france":                           {graph.KindState, "France", "", isoID("FRA"), nil},
	}
	sameGDELT(t, want, got)
}

// TestGDELTNotStates: a name that only resembles that of a country is kept, and
// makes no state and no body of one; neither does the code of a faith.
func TestGDELTNotStates(t *testing.T) {
	got := gdeltEntities(t,
		gdeltActor("1", "LEG", "SOLOMON", "", "", "", "", "LEG"),
		gdeltActor("2", "BUS", "MARSHALL", "", "", "", "", "BUS"),
		gdeltActor("3", "MED", "FRANCE 24", "", "", "", "", "MED"),
		gdeltActor("4", "FRAMED", "FRANCE 24", "FRA", "", "", "", "MED"),
		gdeltActor("5", "", "MH370", "", "", "", "", ""),
		gdeltActor("6", "SHN", "SHINTO", "", "", "", "SHN", ""), // the faith, and not Saint Helena
		gdeltActor("7", "SHN", "SAINT HELENA", "SHN", "", "", "", ""),
		gdeltActor("8", "SRB", "KOSOVO", "SRB", "", "", "", ""), // which Serbia claims
	)
	want := map[string]gdeltEntity{
		"solomon":      {graph.KindUndecided, "SOLOMON", "", nil, nil},
		"marshall":     {graph.KindGroup, "MARSHALL", "", nil, nil},
		"france-24":    {graph.KindGroup, "FRANCE 24", "", nil, nil},
		"mh370":        {graph.KindUndecided, "MH370", "", nil, nil},
		"shinto":       {graph.KindGroup, "SHINTO", "", nil, nil},
		"saint-helena": {graph.KindUndecided, "Saint Helena", "", isoID("SHN"), nil},
		"kosovo":       {graph.KindState, "Kosovo", "", isoID("XKX"), nil},
	}
	sameGDELT(t, want, got)
}

// TestGDELTShared: of the countries that share a name, the code tells which is meant.
func TestGDELTShared(t *testing.T) {
	got := gdeltEntities(t,
		gdeltActor("1", "COD", "CONGOLESE", "COD", "", "", "", ""),
		gdeltActor("2", "COG", "CONGOLESE", "COG", "", "", "", ""),
		gdeltActor("3", "CODMIL", "CONGOLESE", "COD", "", "", "", "MIL"),
		gdeltActor("4", "COD", "CONGO", "COD", "", "", "", ""),
		gdeltActor("5", "PRK", "KOREAN", "PRK", "", "", "", ""),
		gdeltActor("6", "KOR", "KOREA", "KOR", "", "", "", ""),
		gdeltActor("7", "DOM", "DOMINICAN", "DOM", "", "", "", ""),
		gdeltActor("8", "", "KOREAN", "", "", "", "", ""),
		gdeltActor("9", "MTN", "MONTENEGRIN", "MTN", "", "", "", ""),
		gdeltActor("10", "XYZ", "ICELANDIC", "XYZ", "", "", "", ""), // a code that is unknown
		gdeltActor("11", "ANT", "NETHERLANDS ANTILLES", "ANT", "", "", "", ""),
	)
	want := map[string]gdeltEntity{
		"democratic-republic-of-the-congo":          {graph.KindState, "Democratic Republic of the Congo", "", isoID("COD"), nil},
		"republic-of-the-congo":                     {graph.KindState, "Republic of the Congo", "", isoID("COG"), nil},
		"military-democratic-republic-of-the-congo": {graph.KindOrganization, "Military (Democratic Republic of the Congo)", "democratic-republic-of-the-congo", nil, nil},
		"north-korea":                               {graph.KindState, "North Korea", "", isoID("PRK"), nil},
		"south-korea":                               {graph.KindState, "South Korea", "", isoID("KOR"), nil},
		"dominican-republic":                        {graph.KindState, "Dominican Republic", "", isoID("DOM"), nil},
		"korean":                                    {graph.KindUndecided, "KOREAN", "", nil, nil},
		"montenegro":                                {graph.KindState, "Montenegro", "", isoID("MNE"), nil},
		"iceland":                                   {graph.KindState, "Iceland", "", isoID("ISL"), nil},
		"netherlands-antilles":                      {graph.KindUndecided, "Netherlands Antilles", "", nil, nil},
	}
	sameGDELT(t, want, got)
}

// TestGDELTBodies: companies, rebels and parties are not bodies of the states that they are in.
func TestGDELTBodies(t *testing.T) {
	got := gdeltEntities(t,
		gdeltActor("1", "USAMNC", "MICROSOFT", "USA", "", "", "", "MNC"),
		gdeltActor("2", "LBNREBHEZ", "HEZBOLLAH", "LBN", "HEZ", "", "", "REB"),
		gdeltActor("3", "PSEREBHMS", "HAMAS", "PSE", "HMS", "", "", "REB"),
		gdeltActor("4", "AFGINSTAL", "TALIBAN", "AFG", "TAL", "", "", "INS"),
		gdeltActor("5", "IRNMILGRD", "GUARDS", "IRN", "GRD", "", "", "MIL"),
		gdeltActor("6", "INDREB", "INDIAN", "IND", "", "", "", "REB"),
	)
	for key, want := range map[string]gdeltEntity{
		"microsoft": {PartOf: "", Properties: properties("country", "United States")}, "hezbollah": {PartOf: "", Properties: properties("country", "Lebanon")},
		"hamas": {PartOf: "", Properties: properties("country", "Palestine")}, "taliban": {PartOf: "", Properties: properties("country", "Afghanistan")},
		"guards": {PartOf: "iran", Properties: properties("country", "Iran")}, "rebels-india": {PartOf: "india"},
	} {
		e := got[key]
		countries := slices.DeleteFunc(slices.Clone(e.Properties), func(p graph.Property) bool { return p.Name != "country" })
		if e.Kind != graph.KindOrganization && key != "rebels-india" || e.PartOf != want.PartOf || !slices.Equal(countries, want.Properties) {
			t.Errorf("%s: %+v", key, e)
		}
	}
}

// TestGDELTCodes: a reason quotes what the file has.
func TestGDELTCodes(t *testing.T) {
	for _, c := range [][3]string{{"X", "X", `"X" is not a CAMEO code`}, {"X", "", `"X" is not a CAMEO code`}, {"X", "4", `"X" is not under the root code "4"`}} {
		row := gdeltRow(map[int]string{0: "1", 26: c[0], 28: c[1]}) + "\n" + gdeltRow(nil) + "\n"
		if notes := notesOf(loadFiles(t, every.SQLite(t), loader.Options{}, write(t, "g.tsv", row))); !strings.Contains(notes, c[2]) {
			t.Errorf("%q: %s", c, notes)
		}
	}
}

// TestGDELTZeros: codes that lost the zero they begin with are found again, by the
// root code or, where there is none, by their length.
func TestGDELTZeros(t *testing.T) {
	var text strings.Builder
	text.WriteString("SQLDATE\tGLOBALEVENTID\tActor1Code\tActor1Name\tActor2Code\tActor2Name\tEventCode\n")
	want := []string{"010", "018", "020", "042", "0231", "190", "051", "1823"}
	for i, code := range []string{"10", "18", "20", "42", "231", "190", "051", "1823"} {
		fmt.Fprintf(&text, "20180601\t%d\tNOR\tNORWAY\tSWE\tSWEDEN\t%s\n", i+1, code)
	}
	store := every.SQLite(t)
	loadFiles(t, store, loader.Options{}, write(t, "z.tsv", text.String()))
	var got []string
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		for _, act := range relationsAt(t, ctx, tx, "gdelt/norway") {
			got = append(got, act.CAMEO)
		}
	})
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestGDELTHeader: with a header, columns are found by their names, in any order.
func TestGDELTHeader(t *testing.T) {
	text := "globaleventid\tMore\tEventCode\tSQLDATE\tActor1Code\tActor1Name\tActor2Code\tActor2Name\n9\tx\t051\t20180601\tNOR\tNORWAY\tSWE\tSWEDEN\n10\tx\t051\t20180601\tNOR\tNORWAY\n"
	store := every.SQLite(t)
	if got, want := rowsAddUp(t, loadFiles(t, store, loader.Options{}, write(t, "h.tsv", text))), (loader.Rows{Read: 2, Created: 1, Rejected: 1}); !cmp.Equal(want, got) {
		t.Fatalf("%+v", got)
	}
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		if acts := relationsAt(t, ctx, tx, "gdelt/norway"); len(acts) != 1 || acts[0].Type != "PRAISED" || acts[0].Target != "gdelt/sweden" {
			t.Errorf("%+v", acts)
		}
	})
	_, err := loader.Load(t.Context(), store, []string{write(t, "h.tsv", "GLOBALEVENTID\tSQLDATE\tEventCode\n1\t20180601\t051\n")}, loader.Options{})
	if err == nil || !strings.Contains(err.Error(), "h.tsv:1:1: the header lacks the column Actor1Code") {
		t.Error(err)
	}
}

// TestGDELTData holds what is loaded of the samples against the samples.
func TestGDELTData(t *testing.T) {
	dir := dataFolder(t, "gdelt")
	every.Store(t, func(t *testing.T, store graph.Store) {
		got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, dir))
		if want := (loader.Rows{Read: 760, Created: 760}); !cmp.Equal(want, got) {
			t.Errorf("%+v", got)
		}
		if again := loadFiles(t, store, loader.Options{}, dir); again.Changes() != 0 {
			t.Errorf("the second load changed %d things", again.Changes())
		}
		state, err := loadertest.ReadState(t.Context(), store, "gdelt")
		if err != nil {
			t.Fatal(err)
		}
		records := map[string]*graph.Relation{}
		for id, versions := range state.Versions {
			if key, ok := strings.CutPrefix(id, "gdelt/record/"); ok {
				records[strings.Split(key, "-")[0]] = versions[0]
			}
		}
		rows := 0
		for name, shift := range map[string]int{"gdelt1_events_sample.tsv": 0, "gdeltpyr_gdelt2_events_sample50.tsv": 1} {
			f, err := os.Open(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for lines := bufio.NewScanner(f); lines.Scan(); {
				col := strings.Split(lines.Text(), "\t")
				if col[0] == "GLOBALEVENTID" {
					continue
				}
				rows++
				r := records[col[0]]
				if r == nil {
					t.Errorf("%s is missing", col[0])
					continue
				}
				if strings.ReplaceAll(r.Date.EDTF, "-", "") != col[1] || r.CAMEO != col[26] || (r.Source == "group/unattributed") != (col[5] == "") ||
					(r.Target == "group/unattributed") != (col[15] == "") || (len(r.Citations) == 1) != (len(col) > 57) || !strings.Contains(r.Note, "mentions "+col[31+shift]+",") {
					t.Errorf("%s: %+v", lines.Text(), r)
				}
				if (len(r.Places) == 1) != (col[map[bool]int{false: 50, true: 53}[shift == 1]] != "") {
					t.Errorf("%s: %v", lines.Text(), r.Places)
				}
			}
		}
		if rows != 760 || len(records) != rows {
			t.Errorf("%d records of %d rows", len(records), rows)
		}
	})
}

// dataFolder is a folder of the data that CHANCERY_DATA names.
func dataFolder(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(os.Getenv("CHANCERY_DATA"), name)
	if os.Getenv("CHANCERY_DATA") == "" {
		t.Skip("CHANCERY_DATA does not name the folder of the data")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; CHANCERY_DATA names the folder of the data", err)
	}
	return path
}

// TestGDELTKindsOverFiles: what codes say of an actor in one file and in the next
// decides together, as it does in one file. So a place whose celebrities are
// coded by its name does not become a person.
func TestGDELTKindsOverFiles(t *testing.T) {
	row := func(id, name, code, kind string) string {
		return gdeltRow(map[int]string{0: id, 5: code, 6: name, 7: "USA", 12: kind})
	}
	rows := []string{
		row("1", "TEXAS", "USAELI", "ELI"), row("2", "TEXAS", "USA", ""),
		row("3", "ADA LUND", "USAELI", "ELI"), row("4", "ADA LUND", "USAGOV", "GOV"),
		row("5", "HERRING", "USANGO", "NGO"), row("6", "HERRING", "USAELI", "ELI"), row("7", "HERRING", "USAGOV", "GOV"),
		row("8", "COD WATCH", "USANGO", "NGO"), row("9", "COD WATCH", "USANGO", "NGO"),
	}
	want := map[string]graph.Kind{"texas": graph.KindUndecided, "ada-lund": graph.KindPerson, "herring": graph.KindUndecided, "cod-watch": graph.KindOrganization}
	codes := map[string]string{"texas": "Person Undecided", "ada-lund": "Person", "herring": "Organization Person", "cod-watch": "Organization"}
	whole := every.SQLite(t)
	loadFiles(t, whole, loader.Options{}, write(t, "all.csv", strings.Join(rows, "\n")+"\n"))
	all := export(t, whole, loader.ExportOptions{})
	random := rand.New(rand.NewPCG(3, 3))
	every.Store(t, func(t *testing.T, store graph.Store) {
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		var files []string
		for i, row := range rows {
			files = append(files, write(t, fmt.Sprintf("%d.csv", i), row+"\n"))
			if got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, files[i])); got.Created != 1 {
				t.Errorf("%+v", got)
			}
		}
		for _, file := range files {
			if again := loadFiles(t, store, loader.Options{Recheck: true}, file); again.Changes() != 0 {
				t.Errorf("loading again changes %+v", again.Loads[0].Report)
			}
		}
		state, err := loadertest.ReadState(t.Context(), store, "gdelt")
		if err != nil {
			t.Fatal(err)
		}
		nodes := state.Nodes
		for id, kind := range want {
			n := nodes["gdelt/"+id]
			if n == nil {
				t.Fatalf("there is no %s: %v", id, slices.Sorted(maps.Keys(nodes)))
			}
			var coded []string
			for _, p := range n.Properties {
				if p.Name == "codedAs" {
					coded = append(coded, p.Value)
				}
			}
			if n.Kind != kind || strings.Join(coded, " ") != codes[id] {
				t.Errorf("%s: %s, %q", id, n.Kind, coded)
			}
		}
		sameExports(t, all, export(t, store, loader.ExportOptions{}))
	})
}

// TestGDELTOrder: the names and codes of an actor stand in one order, whichever
// file they come from first.
func TestGDELTOrder(t *testing.T) {
	one := write(t, "1.csv", gdeltRow(map[int]string{0: "1", 6: "NORWEGIAN", 15: "SWEGOV", 16: "SWEDISH", 22: "GOV"})+"\n")
	two := write(t, "2.csv", gdeltRow(map[int]string{0: "2", 6: "NORWAY", 15: "SWE", 16: "SWEDE"})+"\n"+gdeltRow(map[int]string{0: "3", 5: "NORMIL", 12: "MIL", 6: "ARMY"})+"\n")
	three := write(t, "3.csv", gdeltRow(map[int]string{0: "4", 6: "KINGDOM OF NORWAY", 15: "SWE", 16: "SVERIGE"})+"\n"+gdeltRow(map[int]string{0: "5", 5: "NORGOV", 12: "GOV", 6: "ARMY"})+"\n")
	var want exports
	for i, files := range [][]string{{one, two, three}, {three, two, one}, {two, one, three}} {
		store := every.SQLite(t)
		for _, file := range files {
			loadFiles(t, store, loader.Options{}, file)
		}
		got := export(t, store, loader.ExportOptions{})
		if i == 0 {
			want = got
		}
		sameExports(t, want, got)
	}
}
