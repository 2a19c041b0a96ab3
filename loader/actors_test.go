package loader_test

import (
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

// namedEntity is what is loaded of an actor.
type namedEntity struct {
	Kind    graph.Kind
	Name    string
	Aliases string
	ISO     string
	PartOf  string
}

// entitiesOf returns the actors of a data set, by their ids without its name.
func entitiesOf(state loadertest.State, dataset string) map[string]namedEntity {
	entities := map[string]namedEntity{}
	for id, n := range state.Nodes {
		key, ok := strings.CutPrefix(id, dataset+"/")
		if !ok || n.Form != graph.FormEntity || n.Kind == graph.KindPlace {
			continue
		}
		e := namedEntity{Kind: n.Kind, Name: n.Name, Aliases: strings.Join(n.Aliases, "; ")}
		for _, x := range n.ExternalIDs {
			if x.Scheme == "iso3166" {
				e.ISO = x.Value
			}
		}
		for _, versions := range state.Versions {
			if r := versions[0]; r.Type == "PART_OF" && r.Source == id {
				e.PartOf = strings.TrimPrefix(r.Target, dataset+"/")
			}
		}
		entities[key] = e
	}
	return entities
}

// TestNamesOfCountries: a country is one entity under all its names, and so is
// what is named with them.
func TestNamesOfCountries(t *testing.T) {
	var text strings.Builder
	for _, name := range []string{"Russia", "Russian Federation", "RUSSIA", "Military (Russian Federation)", "Military (Russia)", "Congo", "Military (Republic of the Congo)",
		"Cote d'Ivoire", "Serb", "Hong Kong Special Administrative Region of the People's Republic of China", "Bank (Holy See (Vatican City State))",
		"Abu Foo (Burma)", "Hamas (Palestine)", "Korea", "Citizen (Northern Ireland)", "New Guinea", "Republic of Abkhazia", "Government (Congo Republic)", "France 24",
		"Por\u00adtugal", "Army (Por\u2060tugal)"} {
		text.WriteString(name + "\tConsult\tNorway\t2014-01-01\n")
	}
	got := entitiesOf(loadAndDumpOf(t, "tkg", write(t, "names.tkg", text.String())), "tkg")
	state := func(name, aliases, iso string) namedEntity {
		return namedEntity{graph.KindState, name, aliases, iso, ""}
	}
	want := map[string]namedEntity{
		"russia":                           state("Russia", "Russian Federation", "RUS"),
		"military-russia":                  {graph.KindOrganization, "Military (Russia)", "Military (Russian Federation)", "", "russia"},
		"republic-of-the-congo":            state("Republic of the Congo", "Congo", "COG"),
		"military-republic-of-the-congo":   {graph.KindOrganization, "Military (Republic of the Congo)", "", "", "republic-of-the-congo"},
		"government-republic-of-the-congo": {graph.KindOrganization, "Government (Republic of the Congo)", "Government (Congo Republic)", "", "republic-of-the-congo"},
		"portugal":                         state("Portugal", "Por\u00adtugal", "PRT"),
		"army-portugal":                    {graph.KindOrganization, "Army (Portugal)", "Army (Por\u2060tugal)", "", "portugal"},
		"france-24":                        {graph.KindUndecided, "France 24", "", "", ""},
		"cote-divoire":                     state("Côte d'Ivoire", "Cote d'Ivoire", "CIV"),
		"serbia":                           state("Serbia", "Serb", "SRB"),
		"hong-kong":                        {graph.KindUndecided, "Hong Kong", "Hong Kong Special Administrative Region of the People's Republic of China", "HKG", ""},
		"bank-vatican-city":                {graph.KindOrganization, "Bank (Vatican City)", "Bank (Holy See (Vatican City State))", "", "vatican-city"},
		"vatican-city":                     state("Vatican City", "", "VAT"),
		"abu-foo-myanmar":                  {graph.KindUndecided, "Abu Foo (Myanmar)", "Abu Foo (Burma)", "", ""},
		"hamas-palestine":                  {graph.KindUndecided, "Hamas (Palestine)", "", "", ""},
		"korea":                            {graph.KindUndecided, "Korea", "", "", ""},
		"citizen-northern-ireland":         {graph.KindGroup, "Citizen (Northern Ireland)", "", "", ""},
		"new-guinea":                       {graph.KindUndecided, "New Guinea", "", "", ""},
		"abkhazia":                         state("Abkhazia", "Republic of Abkhazia", ""),
		"norway":                           state("Norway", "", "NOR"),
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// TestNamesOfOthers: what bears the name of a country and is none by what the
// feed says is not taken for one, whatever other rows have.
func TestNamesOfOthers(t *testing.T) {
	var text strings.Builder
	text.WriteString(icewsHeader)
	for i, row := range [][3]string{
		{"Russia", "NA", "Russian Federation"},
		{"Russian Federation", "NA", "NA"},
		{"Netherlands", "NA", "Netherlands"},
		{"Holland", "Elite", "Netherlands"},    // a person of that name
		{"Burma", "Business", "NA"},            // Burma Oil?
		{"Georgia", "NA", "Georgia"},           //
		{"Georgia", "NA", "United States"},     // the other one
		{"Holland", "NA", "United States"},     // Michigan
		{"Chad", "Elite", "NA"},                // no row has the state
		{"Abkhazia", "Separatists", "Georgia"}, // ICEWS has it so
		{"Hong Kong", "NA", "China"},
		{"Kosovo", "NA", "Serbia"}, // which claims it
		{"Taiwan", "Government", "China"},
		{"Palestinian Territory, Occupied", "NA", "Israel"},
		{"Palestine", "NA", "United States"}, // Texas
	} {
		text.WriteString(itoa(i) + "\t2018-06-01\t" + row[0] + "\t" + row[1] + "\t" + row[2] + "\tConsult\t040\t1\tNorway\tNA\tNorway\t7\t1\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n")
	}
	file := write(t, "events.tab", text.String())
	got := entitiesOf(loadAndDump(t, loader.Options{}, file), "icews")
	want := map[string]namedEntity{
		"russia":                  {graph.KindState, "Russia", "Russian Federation", "RUS", ""},
		"netherlands":             {graph.KindState, "Netherlands", "", "NLD", ""},
		"holland":                 {graph.KindPerson, "Holland", "", "", ""},
		"burma":                   {graph.KindUndecided, "Burma", "", "", ""},
		"georgia":                 {graph.KindState, "Georgia", "", "GEO", ""},
		"georgia-united-states":   {graph.KindUndecided, "Georgia (United States)", "", "", ""},
		"holland-united-states":   {graph.KindUndecided, "Holland (United States)", "", "", ""},
		"chad":                    {graph.KindPerson, "Chad", "", "", ""},
		"abkhazia":                {graph.KindState, "Abkhazia", "", "", ""},
		"hong-kong":               {graph.KindUndecided, "Hong Kong", "", "HKG", ""},
		"kosovo":                  {graph.KindState, "Kosovo", "", "XKX", ""},
		"taiwan":                  {graph.KindState, "Taiwan", "", "TWN", ""},
		"palestine":               {graph.KindState, "Palestine", "Palestinian Territory, Occupied", "PSE", ""},
		"palestine-united-states": {graph.KindUndecided, "Palestine (United States)", "", "", ""},
		"norway":                  {graph.KindState, "Norway", "", "NOR", ""},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	// The order of rows changes nothing.
	header, rows, _ := strings.Cut(strings.TrimSpace(text.String()), "\n")
	lines := strings.Split(rows, "\n")
	slices.Reverse(lines)
	again := loadAndDump(t, loader.Options{}, write(t, "events.tab", header+"\n"+strings.Join(lines, "\n")+"\n"))
	if diff := cmp.Diff(got, entitiesOf(again, "icews")); diff != "" {
		t.Error(diff)
	}
}

// TestKindsOverFiles: what sectors decide is decided by those of all files of the
// data set, in whatever order these come.
func TestKindsOverFiles(t *testing.T) {
	row := func(id, name, sectors string) string {
		return icewsHeader + id + "\t2018-06-01\t" + name + "\t" + sectors + "\tNA\tConsult\t040\t1\tNorway\tNA\tNorway\t7\t1\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n"
	}
	for _, c := range []struct {
		name, first, second string
		want                graph.Kind
	}{
		{"Georgia", "NA", "Elite", graph.KindState},
		{"Jan Novak", "Parties", "Government", graph.KindPerson},
		{"Novak Party", "Parties", "NA", graph.KindUndecided},
	} {
		one, other := write(t, "one.tab", row("1", c.name, c.first)), write(t, "other.tab", row("2", c.name, c.second))
		for _, files := range [][]string{{one, other}, {other, one}} {
			for _, alone := range []bool{false, true} {
				store := every.SQLite(t)
				var result *loader.Result
				if alone {
					loadFiles(t, store, loader.Options{}, files[0])
					result = loadFiles(t, store, loader.Options{}, files[1])
				} else {
					result = loadFiles(t, store, loader.Options{}, files...)
				}
				id := "icews/" + strings.ReplaceAll(strings.ToLower(c.name), " ", "-")
				n := dump(t, store).Nodes[id]
				states := 1 // Norway
				if c.want == graph.KindState {
					states = 2
				}
				last := result.Loads[len(result.Loads)-1].Rows
				if n.Kind != c.want || last.Kinds[graph.KindState] != states {
					t.Errorf("%s, %s first: %s, %v", c.name, files[0], n.Kind, last.Kinds)
				}
				for _, file := range files {
					if again := loadFiles(t, store, loader.Options{Recheck: true}, file); again.Changes() != 0 {
						t.Errorf("%s: loading %s again changes %+v", c.name, file, again.Loads[0].Report)
					}
				}
			}
		}
		// What is all of the data set knows nothing of what was there before.
		store := every.SQLite(t)
		loadFiles(t, store, loader.Options{}, one)
		loadFiles(t, store, loader.Options{Edition: loader.EditionWhole}, write(t, "third.tab", row("2", "Georgia", "Elite")))
		if n := dump(t, store).Nodes["icews/georgia"]; n.Kind != graph.KindPerson {
			t.Errorf("%+v", n)
		}
	}
}

// TestBlanksInNames: a name with several blanks in a row is that name with one.
func TestBlanksInNames(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		loadFiles(t, store, loader.Options{}, write(t, "f.tsv", "Ada  Quill\tConsult\tCitizen  (South   Korea)\t2014-02-27\n"))
		state, err := loadertest.ReadState(t.Context(), store, "tkg")
		if err != nil {
			t.Fatal(err)
		}
		got := entitiesOf(state, "tkg")
		if got["ada-quill"].Name != "Ada Quill" || got["citizen-south-korea"].Name != "Citizen (South Korea)" {
			t.Errorf("%+v", got)
		}
	})
}
