package loader

import (
	_ "embed"
	"encoding/csv"
	"strings"
	"sync"

	"chancery/graph"

	"github.com/biter777/countries"
)

// country is what is known of a country by one of its names or codes.
type country struct {
	alpha3 string // ISO 3166-1 alpha-3, XKX for Kosovo; "" for states without a code
	name   string // the English short name
	state  bool   // a sovereign or de-facto state, now or in the past, and not a territory of one
}

// countriesCSV has one country a line: its ISO code, its FIPS 10-4 codes, its
// name in English, its other names, and what its people are called. A word for
// the people of two countries (Congolese, Dominican, Korean) is left out, and
// so is a part of a country. Serbia and Montenegro is Serbia, which is what the
// code of it stands for: see [countryCoded].
//
//go:embed countries.csv
var countriesCSV string

// countryTables are the countries by each of these.
type countryTables struct{ names, demonyms, alpha3, fips map[string]*country }

var countryTable = sync.OnceValue(func() *countryTables {
	t := &countryTables{map[string]*country{}, map[string]*country{}, map[string]*country{}, map[string]*country{}}
	rows, err := csv.NewReader(strings.NewReader(countriesCSV)).ReadAll()
	if err != nil {
		panic("loader: countries.csv: " + err.Error()) // it is part of the program, and tested
	}
	for _, row := range rows[1:] {
		c := &country{alpha3: row[0], name: row[2], state: !strings.Contains(territories, row[0]) || row[0] == ""}
		if c.alpha3 != "" {
			t.alpha3[c.alpha3] = c
		}
		for _, code := range strings.Fields(row[1]) {
			t.fips[code] = c
		}
		for _, name := range append(strings.Split(row[3], "|"), row[2]) {
			t.names[countryKey(name)] = c
		}
		for name := range strings.SplitSeq(row[4], "|") {
			t.demonyms[countryKey(name)] = c
		}
	}
	delete(t.names, "")
	delete(t.demonyms, "")
	return t
})

func countryKey(name string) string { return strings.Join(graph.Words(name), " ") }

// countryNamed finds a country by one of its names in English, official ones
// included, or by what its people and things are called.
func countryNamed(name string) (country, bool) {
	t, key := countryTable(), countryKey(name)
	if c := t.names[key]; c != nil {
		return *c, true
	}
	if c := t.demonyms[key]; c != nil {
		return *c, true
	}
	if len(name) < 4 { // codes, which may be abbreviations of anything
		return country{}, false
	}
	switch key {
	case "england", "scotland", "wales", "northern ireland", "international", "korea", "papua", "new guinea":
		return country{}, false // the library has one of several states for them, or the whole for a part
	}
	// "Iran (Islamic Republic of)"; any other country in brackets tells a name
	// from that country: "Georgia (United States)".
	if short, form, ok := strings.Cut(strings.TrimSuffix(name, ")"), " ("); ok {
		if form, ok = strings.CutSuffix(form, " of"); !ok {
			return country{}, false
		}
		key = countryKey(form + " of " + short)
	}
	// "Islamic Republic of Iran", "Kingdom of Norway"; a "Democratic Union of
	// Cameroon" is none.
	if of := strings.Index(key, " of "); of > 0 && isForm(strings.Fields(key[:of])) {
		if c := t.names[strings.TrimPrefix(key[of+len(" of "):], "the ")]; c != nil && c.state {
			return *c, true
		}
	}
	if strings.ContainsRune(name, '(') {
		return country{}, false
	}
	// The library knows more spellings.
	if c := t.alpha3[countries.ByName(name).Alpha3()]; c != nil {
		return *c, true
	}
	return country{}, false
}

// isForm reports whether words are those that stand before "of" in the official
// names of states.
func isForm(words []string) bool {
	noun := false
	for _, word := range words {
		switch word {
		case "republic", "kingdom", "principality", "commonwealth", "duchy", "sultanate", "emirate", "states":
			noun = true
		case "arab", "bolivarian", "democratic", "federal", "federated", "federative", "grand", "islamic", "people", "peoples", "plurinational", "s", "socialist", "state", "the", "united":
		default:
			return false
		}
	}
	return noun
}

// countryCoded finds a country by its ISO 3166-1 alpha-3 code, or one that CAMEO
// and others write for it.
func countryCoded(code string) (country, bool) {
	switch code {
	case "ROM":
		code = "ROU"
	case "ZAR":
		code = "COD"
	case "TMP":
		code = "TLS"
	case "UNK", "KSV", "XKO":
		code = "XKX"
	case "WSB", "GZS", "PAL":
		code = "PSE"
	case "SCG":
		code = "SRB"
	}
	if c := countryTable().alpha3[code]; c != nil {
		return *c, true
	}
	return country{}, false
}

// countryFIPS finds a country by its code in FIPS 10-4.
func countryFIPS(code string) (country, bool) {
	if c := countryTable().fips[code]; c != nil {
		return *c, true
	}
	return country{}, false
}

// territories have codes in ISO 3166-1, and are no states.
const territories = "ABW AIA ALA ASM ATA ATF BES BLM BMU BVT CCK COK CUW CXR CYM ESH FLK FRO GGY GIB GLP GRL GUF GUM HKG HMD IMN IOT JEY " +
	"MAC MAF MNP MSR MTQ MYT NCL NFK NIU PCN PRI PYF REU SGS SHN SJM SPM SXM TCA TKL UMI VGB VIR WLF"
