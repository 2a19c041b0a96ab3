package loader

import (
	_ "embed"
	"encoding/csv"
	"maps"
	"slices"
	"strings"
	"sync"
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
// so is a part of a country. What a name that it lacks means is not guessed:
// FRANCE 24 is a broadcaster, and P.R.I. a party. Serbia and Montenegro is Serbia, which is what the
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
	for name, others := range spellings {
		for other := range listed(others) {
			t.names[countryKey(other)] = t.names[countryKey(name)]
		}
	}
	// A territory until 2010, whose code is withdrawn from ISO 3166-1.
	antilles := &country{name: "Netherlands Antilles"}
	t.names[countryKey(antilles.name)], t.alpha3["ANT"], t.fips["NT"] = antilles, antilles, antilles
	for _, key := range slices.Sorted(maps.Keys(t.names)) {
		for _, other := range variants(key) {
			if t.names[other] == nil {
				t.names[other] = t.names[key]
			}
		}
	}
	delete(t.names, "")
	delete(t.demonyms, "")
	return t
})

// spellings are further ones, by the names of countries. There are no foreign
// ones among them, and no abbreviations that mean something else as well.
var spellings = map[string]string{
	"Azerbaijan":                        "Azerbaidjan",
	"Belarus":                           "Belarussia; Belarussian",
	"China":                             "P.R.C.",
	"Democratic Republic of the Congo":  "Congo Democratic Republic; Democratic Republic Congo; D.R. Congo; Congo, DR; Congo (Democratic Republic of the)",
	"Faroe Islands":                     "Faroe; Faroes",
	"Heard Island and McDonald Islands": "Heard and McDonald Islands",
	"Hong Kong":                         "Hong Kong SAR",
	"Kazakhstan":                        "Kazahstan",
	"Macao":                             "Macau SAR; Macao SAR; Macau, China",
	"Netherlands":                       "Netherland",
	"North Korea":                       "D.P.R.K.",
	"North Macedonia":                   "Macedonia, the former Yugoslav Republic of; Macedonia, former Yugoslav Republic of; Macedonia (FYRO); Macedonia FYRO; Macedonia, North",
	"Republic of the Congo":             "Congo Republic; Congo, Republic of the; Congo, Republic of; Congo (Republic of the)",
	"Rwanda":                            "Ruanda",
	"Sao Tome and Principe":             "Sao Tome",
	"Sint Maarten":                      "Saint Maarten",
	"South Korea":                       "R.O.K.; Korea Republic",
	"South Sudan":                       "South Sudan Republic",
	"Soviet Union":                      "U.S.S.R.",
	"Svalbard and Jan Mayen":            "Svalbard",
	"Tajikistan":                        "Tadjikistan",
	"Turks and Caicos Islands":          "Turks and Caicos",
	"United Arab Emirates":              "Arab Emirates; United Emirates; U.A.E.",
	"United Kingdom":                    "U.K.",
	"United States":                     "U.S.; U.S.A.; U.S. of America; US of America",
	"Vatican City":                      "Vatican State",
	"Wallis and Futuna":                 "Wallis and Futuna Islands",
}

// variants are other ways to write the key of a name: "Trinidad & Tobago", "St.
// Lucia" and "HongKong".
func variants(key string) (other []string) {
	if short := strings.ReplaceAll(key, " and ", " "); short != key {
		other = append(other, short)
	}
	if rest, ok := strings.CutPrefix(key, "saint "); ok {
		other = append(other, "st "+rest)
	}
	if one := strings.ReplaceAll(key, " ", ""); len(one) >= 8 { // no abbreviation
		other = append(other, one)
	}
	return other
}

func countryKey(name string) string { return strings.Join(nameWords(name), " ") }

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
	// "Iran (Islamic Republic of)", "Bolivia, Plurinational State of" and "Gambia, The";
	// any other country in brackets tells a name from that country: "Georgia (United States)".
	short, form, turned := strings.Cut(strings.TrimSuffix(name, ")"), " (")
	if !turned {
		short, form, turned = strings.Cut(name, ", ")
	}
	if turned {
		form = strings.TrimSuffix(countryKey(form), " the")
		key = form + " " + countryKey(short)
		if c := t.names[key]; c != nil {
			return *c, true
		}
		if !strings.HasSuffix(form, " of") {
			return country{}, false
		}
	}
	// "Islamic Republic of Iran", "Kingdom of Norway"; a "Democratic Union of
	// Cameroon" is none.
	if of := strings.Index(key, " of "); of > 0 && isForm(strings.Fields(key[:of])) {
		if c := t.names[strings.TrimPrefix(key[of+len(" of "):], "the ")]; c != nil && c.state {
			return *c, true
		}
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
	case "UNK", "KSV", "RKS", "XKO":
		code = "XKX"
	case "WSB", "GZS", "PAL":
		code = "PSE"
	case "SCG":
		code = "SRB"
	case "MTN":
		code = "MNE"
	case "IMY":
		code = "IMN"
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

// claimedBy reports whether a state may be said to be in another country, though
// its name is not that of a namesake there. Those without a code are in others, or were.
func (c country) claimedBy(other country) bool {
	switch c.alpha3 {
	case "":
		return c.state && c != other
	case "PSE":
		return other.alpha3 == "ISR"
	case "TWN":
		return other.alpha3 == "CHN"
	case "XKX":
		return other.alpha3 == "SRB" || other.name == "Yugoslavia"
	}
	return false
}

// territories have codes in ISO 3166-1, and are no states.
const territories = "ABW AIA ALA ASM ATA ATF BES BLM BMU BVT CCK COK CUW CXR CYM ESH FLK FRO GGY GIB GLP GRL GUF GUM HKG HMD IMN IOT JEY " +
	"MAC MAF MNP MSR MTQ MYT NCL NFK NIU PCN PRI PYF REU SGS SHN SJM SPM SXM TCA TKL UMI VGB VIR WLF"
