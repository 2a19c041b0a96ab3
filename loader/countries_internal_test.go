package loader

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biter777/countries"
)

// TestCountryNames: bare names of countries, in all their spellings, are found,
// and what only contains one is not.
func TestCountryNames(t *testing.T) {
	for alpha3, names := range map[string]string{
		"CZE": "Czech Republic; Czechia; CZECH", "CIV": "Ivory Coast; Côte d'Ivoire; Cote D’Ivoire; Republic of Côte d'Ivoire; Ivorian",
		"MMR": "Burma; Myanmar; Burmese", "SWZ": "Swaziland; Eswatini; Kingdom of Eswatini; Swazi", "MKD": "Macedonia; North Macedonia; Republic of North Macedonia",
		"CPV": "Cape Verde; Cabo Verde", "TLS": "East Timor; Timor-Leste; TIMOR LESTE", "VAT": "Vatican; Vatican City; Holy See (Vatican City State)",
		"XKX": "Kosovo; Republic of Kosovo; Kosovar", "AZE": "Azerbaijani; Azeri", "TWN": "Taiwan; Taiwanese; Republic of China", "CHN": "China; Chinese; People's Republic of China; PRC",
		"KOR": "South Korea; Republic of Korea; Korea, South; South Korean; ROK", "PRK": "North Korea; Democratic People's Republic of Korea; DPRK",
		"COG": "Congo; Republic of Congo; Republic of the Congo; Congo-Brazzaville", "COD": "Democratic Republic of Congo; Zaire; DR Congo; Congo, The Democratic Republic of the",
		"PSE": "Occupied Palestinian Territory; Palestinian Territory, Occupied; Palestine; Palestinian", "GEO": "Georgia; Georgian", "GIN": "Guinea; Republic of Guinea",
		"GNQ": "Equatorial Guinea; Equatorial Guinean", "GNB": "Guinea-Bissau; Guinea Bissau", "PNG": "Papua New Guinea; Independent State of Papua New Guinea", "NER": "Niger; Nigerien", "NGA": "Nigeria; Nigerian",
		"DMA": "Dominica", "DOM": "Dominican Republic", "USA": "United States; America; American; United States of America; USA", "GBR": "United Kingdom; Britain; British; Great Britain; Briton; Brit",
		"NLD": "Netherlands; The Netherlands; Holland; Dutch", "IRN": "Iran; Islamic Republic of Iran; Iranian; Iran (Islamic Republic of)", "MYS": "Malaysian", "TUR": "Türkiye; Turkey; Turkish",
		"SDN": "Sudan", "SSD": "South Sudan; Southern Sudan", "HRV": "Croatia; Croatian; Croat", "SRB": "Serbia; Serbian; Serb; SERB; Serbia and Montenegro", "ARE": "UAE; Emirati", "IRL": "Ireland; Irish", "VEN": "Bolivarian Republic of Venezuela; Venezuela (Bolivarian Republic of)", "FSM": "Micronesia (Federated States of)", "HTI": "Haiti; Haitian",
	} {
		for name := range strings.SplitSeq(names, "; ") {
			if c, ok := countryNamed(name); !ok || c.alpha3 != alpha3 || !c.state {
				t.Errorf("%q is %+v, not the state %s", name, c, alpha3)
			}
		}
	}
	for _, name := range []string{"England", "Scotland", "Congolese", "Korean", "Dominican", "Korea", "Citizen (Malaysia)", "Bank of China", "Republic of Letters", "Africa", "European", "FRA", "ROU", "US", "Papua", "New Guinea", "West Papua", "",
		"Georgia State University", "Sultanate of Nowhere", "Hong Kong and China Gas", "Soviet Navy", "Democratic Union of Cameroon", "State of Georgia", "People of Iran", "Federal State of Somalia", "Georgia (United States)", "Jersey (United States)", "Iran (Navy of)", "Police (India)"} {
		if c, ok := countryNamed(name); ok {
			t.Errorf("%q is %+v", name, c)
		}
	}
	for name, alpha3 := range map[string]string{"Hong Kong": "HKG", "Western Sahara": "ESH", "Puerto Rican": "PRI", "Jersey": "JEY"} {
		if c, _ := countryNamed(name); c.alpha3 != alpha3 || c.state {
			t.Errorf("%q is %+v, not the territory %s", name, c, alpha3)
		}
	}
	for _, name := range []string{"Somaliland", "Republic of South Ossetia", "Soviet Union", "Yugoslav", "North Vietnam", "South Viet Nam", "South Vietnamese", "South Yemen", "South Yemeni", "North Yemen", "Yemen Arab Republic", "People's Democratic Republic of Yemen", "Tanganyika"} {
		if c, ok := countryNamed(name); !ok || !c.state || c.alpha3 != "" {
			t.Errorf("%q is %+v", name, c)
		}
	}
}

// TestCountryCodes: the codes of FIPS 10-4 agree with those of the library,
// which is wrong about some.
func TestCountryCodes(t *testing.T) {
	library := map[string]string{}
	for _, c := range countries.All() {
		if code := c.FIPS(); len(code) == 2 {
			library[c.Alpha3()] = code
		}
	}
	wrong := map[string]string{}
	for code, c := range countryTable().fips {
		if theirs, ok := library[c.alpha3]; ok && theirs != code && !strings.Contains(" WE GZ AT CR BS EU GO JU TE JN IP FQ DQ HQ JQ KQ LQ MQ WQ BQ ", " "+code+" ") {
			wrong[code] = theirs
		}
	}
	if len(wrong) != len(libraryErrors) {
		t.Errorf("%v", wrong)
	}
	for code, theirs := range wrong {
		if libraryErrors[code] != theirs {
			t.Errorf("%s is not %s", code, theirs)
		}
	}
	for code, alpha3 := range map[string]string{"HA": "HTI", "GA": "GMB", "GM": "DEU", "AS": "AUS", "AU": "AUT", "CH": "CHN", "CI": "CHL", "IV": "CIV", "IS": "ISR", "IC": "ISL", "RS": "RUS", "RI": "SRB",
		"SF": "ZAF", "SP": "ESP", "SW": "SWE", "SZ": "CHE", "UP": "UKR", "UK": "GBR", "NI": "NGA", "NG": "NER", "BM": "MMR", "CG": "COD", "CF": "COG", "KS": "KOR", "KN": "PRK", "OD": "SSD",
		"KV": "XKX", "GZ": "PSE", "WE": "PSE", "JE": "JEY", "ES": "SLV", "EZ": "CZE", "LO": "SVK", "VM": "VNM", "YM": "YEM", "IZ": "IRQ", "DA": "DNK", "JA": "JPN", "EI": "IRL", "PO": "PRT"} {
		if c, ok := countryFIPS(code); !ok || c.alpha3 != alpha3 {
			t.Errorf("FIPS %s is %+v, not %s", code, c, alpha3)
		}
	}
	for code, alpha3 := range map[string]string{"USA": "USA", "ROM": "ROU", "WSB": "PSE", "SCG": "SRB"} {
		if c, ok := countryCoded(code); !ok || c.alpha3 != alpha3 {
			t.Errorf("%s is %+v, not %s", code, c, alpha3)
		}
	}
	if c, ok := countryCoded("EUR"); ok {
		t.Errorf("EUR is %+v", c)
	}
}

// libraryErrors are codes that the library has for others: its GA is Gambia's,
// and its MW was given up in 2006.
var libraryErrors = map[string]string{"HA": "GA", "MJ": "MW"}

// TestCountriesAgainstData compares with the table of countries in the folder
// of the data: names, official names and demonyms of states are known, and no
// other spelling is mistaken for another country.
func TestCountriesAgainstData(t *testing.T) {
	f, err := os.Open(filepath.Join(os.Getenv("CHANCERY_DATA"), "reference", "countries.csv"))
	if err != nil || os.Getenv("CHANCERY_DATA") == "" {
		t.Skipf("no table of countries: %v; CHANCERY_DATA names the folder of the data", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 251 {
		t.Fatal(len(rows), err)
	}
	for _, row := range rows[1:] {
		alpha3 := strings.Replace(row[1], "UNK", "XKX", 1)
		mine := countryTable().alpha3[alpha3]
		if mine == nil {
			t.Errorf("%s is missing", alpha3)
			continue
		}
		names := []string{row[4], row[5]}
		for demonym := range strings.SplitSeq(strings.ReplaceAll(row[16], " or ", ", "), ", ") {
			if demonym != "Congolese" && demonym != "Dominican" { // of two states
				names = append(names, demonym)
			}
		}
		for _, name := range names {
			if c, ok := countryNamed(name); mine.state && len(name) >= 4 && (!ok || c.alpha3 != alpha3) {
				t.Errorf("%s: %q is %+v", alpha3, name, c)
			}
		}
		for name := range strings.SplitSeq(row[15], "|") {
			if c, ok := countryNamed(name); ok && c.alpha3 != alpha3 && name != "Sahrawi Arab Democratic Republic" {
				t.Errorf("%s: %q is %+v", alpha3, name, c)
			}
		}
	}
}

// TestNoCountryNames: what only resembles a name or a code of a country is none.
func TestNoCountryNames(t *testing.T) {
	for name := range listed(`France 24; Russia-24; MH370; MH17; A.U.; N.L.D.; Pan Am; Solomon; Former Yugoslav Republic; Georgia 4; IL-76; CH-47; I.S.; P.A.; Canada 2020;
		Marshall; Lucia; Livia; Russo; Hana; Skin; Norfolk; Tristan; P.R.I.; A US; Bonaire; Island; Province of China; Bolivarian; Deutsch; None; International; Maritime;
		England; Wales; Guiana; Polynesia; Antarctic; Congo-4; US 1; Republic of France 24; Republic, France of; France, Republic; MNE; Guinea, 24 of;
		Republic of Georgia (United States); Georgia, The State of; Mexico, New`) {
		if c, ok := countryNamed(name); ok {
			t.Errorf("%q is %+v", name, c)
		}
	}
	for alpha3, names := range map[string]string{
		"COG": "Congo Republic; Congo, Republic of the; Republic of the Congo; Congo (Brazzaville); Congo Brazzaville; CONGO REPUBLIC", "COD": "Congo Democratic Republic; D.R. Congo; Congo (Kinshasa)",
		"MDA": "Moldova, Republic of; Moldova (Republic of)", "TZA": "Tanzania, United Republic of", "VEN": "Venezuela, Bolivarian Republic of", "USA": "U.S.; U.S.A.; USA", "GBR": "U.K.",
		"ARE": "U.A.E.; UAE", "TTO": "Trinidad & Tobago", "LCA": "St Lucia; St. Lucia; SaintLucia", "KNA": "St. Kitts", "HKG": "HongKong", "MKD": "Macedonia, The Former Yugoslav Republic of",
		"BOL": "Bolivia, Plurinational State of; Bolivia (Plurinational State of); BOLIVIA, PLURINATIONAL STATE OF", "PSE": "Palestine, State of; State of Palestine", "GMB": "Gambia, The; Gambia (The)", "BHS": "Bahamas, The",
		"DOM": "Republic, Dominican", "KHM": "Khmer Republic", "YEM": "Republic of Yemen", "TUR": "Republic of Türkiye; Turkiye", "KOR": "Korea, Republic of; Republic of Korea", "PRK": "Korea (Democratic People's Republic of)",
	} {
		for name := range listed(names) {
			if c, ok := countryNamed(name); !ok || c.alpha3 != alpha3 {
				t.Errorf("%q is %+v, not %s", name, c, alpha3)
			}
		}
	}
	for name := range spellings {
		if c, ok := countryNamed(name); !ok || c.name != name {
			t.Errorf("%q is %+v", name, c)
		}
	}
	for code, name := range map[string]string{"MTN": "Montenegro", "IMY": "Isle of Man", "ANT": "Netherlands Antilles"} {
		if c, ok := countryCoded(code); !ok || c.name != name || c.state != (code == "MTN") {
			t.Errorf("%s is %+v", code, c)
		}
	}
}
