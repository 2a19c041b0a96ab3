package loader_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
)

// ftmText has relations before what they relate, and invented people.
var ftmText = strings.Join([]string{
	`{"id":"own-1","schema":"Ownership","caption":"Ownership","properties":{"owner":["p-ada"],"asset":["c-fish"],"percentage":["62.5"],"startDate":["2012","2012-03-04"],"endDate":["2019-05"],"role":["founder"],"sourceUrl":["https://register.example/fish","no address"]},"datasets":["reg"],"referents":[],"last_seen":"2026-01-01T00:00:00"}`,
	`{"id":"dir-1","schema":"Directorship","properties":{"director":["p-ada"],"organization":["c-fish"],"role":["Chair","Treasurer"],"startDate":["2015-06-01T10:00:00"]}}`,
	`{"id":"p-ada","schema":"Person","caption":"Ada Lund","properties":{"name":["LUND, Ada","Ada Lund"],"alias":["A. Lund"],"previousName":["Ada Berg"],"birthDate":["1970-02"],"wikidataId":["Q0000001"],"taxNumber":["55"],"topics":["role.pep","sanction"],"notes":["Invented."],"addressEntity":["a-1"]},"datasets":["reg","list"],"referents":["old-1"],"first_seen":"2020-01-01","target":true}`,
	`{"id":"c-fish","schema":"Company","properties":{"name":["Fish & Sons"],"incorporationDate":["1999"],"dissolutionDate":["2020-01-31"],"leiCode":["00LEI"],"country":["no"],"parent":["c-gone"]}}`,
	`{"id":"a-1","schema":"Address","properties":{"full":["1 Quay, Oslo"],"latitude":["59.9"],"longitude":["10.7"],"country":["no"]}}`,
	`{"id":"v-1","schema":"Vessel","properties":{"name":["Herring"],"imoNumber":["IMO0000001"],"mmsi":["000000001"],"owner":["c-fish"]}}`,
	`{"id":"sanction-1","schema":"Sanction","properties":{"authority":["Office of Fish","Fiskekontoret"],"entity":["p-ada"],"program":["FISH-1"],"reason":["Nets."],"listingDate":["2021-02-03"],"endDate":["2023-01-01"],"modifiedAt":["yesterday"]}}`,
	`{"id":"sanction-2","schema":"Sanction","properties":{"entity":["v-1"]}}`,
	`{"id":"pay-1","schema":"Payment","properties":{"payer":["c-fish"],"beneficiary":["p-ada"],"amount":["1500.50"],"currency":["NOK"],"amountEur":["150"],"date":["2018-07-08"],"purpose":["bait"]}}`,
	`{"id":"pay-2","schema":"Payment","properties":{"payer":["c-fish"],"beneficiary":["p-ben","p-ada"],"amountEur":["300"],"date":["2018-07-09"]}}`,
	`{"id":"p-ben","schema":"LegalEntity","properties":{"name":["Ben"]}}`,
	`{"id":"p-ben","schema":"Person","properties":{"name":["Ben Roth"]}}`,
	`{"id":"fam-1","schema":"Family","properties":{"person":["p-ada"],"relative":["p-ben"],"relationship":["sister"],"startDate":["soon"]}}`,
	`{"id":"post-1","schema":"Position","properties":{"name":["Minister of Fish"],"country":["no"]}}`,
	`{"id":"occ-1","schema":"Occupancy","properties":{"holder":["p-ben"],"post":["post-1"],"startDate":["2020"],"endDate":["2010"]}}`,
	`{"id":"b-1","schema":"BankAccount","properties":{"iban":["NO0000"],"bank":["c-fish"]}}`,
	`{"id":"w-1","schema":"Wormhole","properties":{"depth":["9"]},"score":0.5}`,
	`{"id":"own-2","schema":"Ownership","properties":{"owner":["c-gone"],"asset":["a-1"],"date":["2011"]}}`,
	`{"id":"post-1","schema":"Position","properties":{"country":["no"],"name":["Minister of Fish"]},"last_seen":"2026-02-02"}`,
}, "\n") + "\n"

func notesOf(result *loader.Result) string {
	var all []string
	for _, n := range result.Loads[0].Notes {
		all = append(all, n.Message)
	}
	return strings.Join(all, "\n")
}

func TestFTM(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		file := write(t, "entities.ftm.json", ftmText)
		result := loadFiles(t, store, loader.Options{}, file)
		got := rowsAddUp(t, result)
		if want := (loader.Rows{Read: 19, Created: 17, Duplicate: 2}); !cmp.Equal(want, got) {
			t.Fatalf("%+v", got)
		}
		wantKinds := map[graph.Kind]int{graph.KindPerson: 2, graph.KindOrganization: 1, graph.KindPlace: 1, graph.KindFacility: 1, graph.KindUndecided: 3}
		if diff := cmp.Diff(wantKinds, result.Loads[0].Rows.Kinds); diff != "" {
			t.Error(diff)
		}
		wantNotes := []string{
			"rows of the schema BankAccount: 1; they are kept as Undecided entities, since the model",
			"rows of the schema Position: 1;", "rows of the schema Wormhole: 1; they are kept as Undecided entities without relations",
			"in no row and not in the record: 1;", "that end before they begin: 2;", "the key \"score\"",
		}
		for _, want := range wantNotes {
			if !strings.Contains(notesOf(result), want) {
				t.Errorf("no note %q in\n%s", want, notesOf(result))
			}
		}
		state := ftmState(t, store)
		checkFTM(t, state)
		if again := loadFiles(t, store, loader.Options{}, file); again.Changes() != 0 || rowsAddUp(t, again).Unchanged != 17 {
			t.Errorf("the second time: %+v", again.Loads[0])
		}
	})
}

func ftmState(t testing.TB, store graph.Store) loadertest.State {
	t.Helper()
	state, err := loadertest.ReadState(t.Context(), store, "ftm")
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func checkFTM(t *testing.T, state loadertest.State) {
	ada := state.Nodes["ftm/p-ada"]
	ids := []graph.ExternalID{{Scheme: "ftm", Value: "old-1"}, {Scheme: "ftm", Value: "p-ada"}, {Scheme: "taxnumber", Value: "55"}, {Scheme: "wikidata", Value: "Q0000001"}}
	if ada.Name != "Ada Lund" || !slices.Equal(ada.Aliases, []string{"A. Lund", "Ada Berg", "LUND, Ada"}) || ada.Date.EDTF != "1970-02/" ||
		ada.Kind != graph.KindPerson || ada.Description != "Invented." || !slices.Equal(ada.ExternalIDs, ids) {
		t.Errorf("%+v", ada)
	}
	properties := []graph.Property{{Name: "datasets", Value: "list"}, {Name: "datasets", Value: "reg"}, {Name: "firstSeen", Value: "2020-01-01"}, {Name: "previousName", Value: "Ada Berg"},
		{Name: "schema", Value: "Person"}, {Name: "target", Value: "true"},
		{Name: "topics", Value: "role.pep"}, {Name: "topics", Value: "sanction"}}
	if diff := cmp.Diff(properties, ada.Properties); diff != "" {
		t.Error(diff)
	}
	if n := state.Nodes["ftm/a-1"]; n.Name != "1 Quay, Oslo" || n.Point == nil || n.Point.Longitude != 10.7 {
		t.Errorf("%+v", n)
	}
	if n := state.Nodes["ftm/p-ben"]; n.Kind != graph.KindPerson || n.Name != "Ben" || !slices.Equal(n.Aliases, []string{"Ben Roth"}) {
		t.Errorf("%+v", n)
	}
	if n := state.Nodes["ftm/c-gone"]; n.Kind != graph.KindUndecided || n.Name != "c-gone" {
		t.Errorf("%+v", n)
	}
	if n := state.Nodes["ftm/c-fish"]; n.Date.EDTF != "1999/2020-01-31" {
		t.Errorf("%+v", n)
	}
	type edge struct{ Type, Source, Target, Date, As, Unit, Note string }
	got := map[string]edge{}
	quantities := map[string]float64{}
	for id, versions := range state.Versions {
		r := versions[len(versions)-1]
		name := strings.TrimPrefix(id, "ftm/record/")
		if strings.HasPrefix(id, "ftm/link/") {
			name = r.Type + " " + r.Source + " " + r.Target
		} else if base, _, ok := strings.Cut(name, "/"); ok {
			name = base + "/…"
		}
		got[name] = edge{r.Type, r.Source, r.Target, r.Date.EDTF, r.SourceAs, r.Unit, r.Note}
		if r.Quantity != nil {
			quantities[name] = *r.Quantity
		}
		if strings.HasPrefix(name, "pay-2") != (r.Event != "") || (name == "own-1") != (len(r.Citations) == 1) {
			t.Errorf("%+v", r)
		}
	}
	want := map[string]edge{
		"own-1":                          {"OWNS", "ftm/p-ada", "ftm/c-fish", "2012-03-04/2019-05", "", "%", "role: founder\nsourceUrl: no address\ndatasets: reg"},
		"dir-1":                          {"DIRECTS", "ftm/p-ada", "ftm/c-fish", "2015-06-01/", "Chair", "", "role: Treasurer\nstartDate: 2015-06-01T10:00:00"},
		"sanction-1":                     {"SANCTIONED", "ftm/authority/fiskekontoret", "ftm/p-ada", "2021-02-03", "", "", "program: FISH-1\nreason: Nets.\nauthority: Office of Fish\nendDate: 2023-01-01\nmodifiedAt: yesterday"},
		"sanction-2":                     {"SANCTIONED", "group/unattributed", "ftm/v-1", "", "", "", ""},
		"pay-1":                          {"PAID", "ftm/c-fish", "ftm/p-ada", "2018-07-08", "", "NOK", "purpose: bait\namountEur: 150"},
		"pay-2":                          {"PAID", "ftm/c-fish", "ftm/p-ada", "2018-07-09", "", "", "amountEur: 300"},
		"pay-2/…":                        {"PAID", "ftm/c-fish", "ftm/p-ben", "2018-07-09", "", "", "amountEur: 300"},
		"fam-1":                          {"RELATED_TO", "ftm/p-ada", "ftm/p-ben", "", "", "", "relationship: sister\nstartDate: soon"},
		"occ-1":                          {"HOLDS_POST", "ftm/p-ben", "ftm/post-1", "2020/", "Minister of Fish", "", "endDate: 2010"},
		"own-2":                          {"OWNS", "ftm/c-gone", "ftm/a-1", "2011", "", "", ""},
		"HAS_ADDRESS ftm/p-ada ftm/a-1":  {Type: "HAS_ADDRESS", Source: "ftm/p-ada", Target: "ftm/a-1"},
		"PART_OF ftm/c-fish ftm/c-gone":  {Type: "PART_OF", Source: "ftm/c-fish", Target: "ftm/c-gone"},
		"OWNS ftm/c-fish ftm/v-1":        {Type: "OWNS", Source: "ftm/c-fish", Target: "ftm/v-1"},
		"LINKED_WITH ftm/b-1 ftm/c-fish": {Type: "LINKED_WITH", Source: "ftm/b-1", Target: "ftm/c-fish", Note: "property: bank"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if want := map[string]float64{"own-1": 62.5, "pay-1": 1500.5}; !maps.Equal(want, quantities) {
		t.Error(quantities)
	}
}

// TestFTMIncrements: the order of files changes neither names nor kinds, and an
// entity that a file before brought stays as it is.
func TestFTMIncrements(t *testing.T) {
	things := `{"id":"x","schema":"Company","properties":{"name":["Xylo"]}}` + "\n" + `{"id":"y","schema":"Person","properties":{"name":["Ymir Holt"]}}` + "\n"
	ties := `{"id":"m","schema":"Directorship","properties":{"director":["y"],"organization":["x"]}}` + "\n" +
		`{"id":"n","schema":"Family","properties":{"person":["y"],"relative":["x"]}}` + "\n"
	every.Store(t, func(t *testing.T, store graph.Store) {
		a, b := write(t, "things.json", things), write(t, "ties.json", ties)
		first := loadFiles(t, store, loader.Options{}, b)
		if !strings.Contains(notesOf(first), "not in the record: 2;") || first.Loads[0].Entities.Created != 2 {
			t.Errorf("%s\n%+v", notesOf(first), first.Loads[0])
		}
		loadFiles(t, store, loader.Options{}, a)
		state := ftmState(t, store)
		other := every.SQLite(t)
		loadFiles(t, other, loader.Options{}, a, b)
		if diff := cmp.Diff(ftmState(t, other).Nodes, state.Nodes); diff != "" {
			t.Error(diff)
		}
		if n := state.Nodes["ftm/x"]; n.Name != "Xylo" || n.Kind != graph.KindOrganization || len(n.Aliases) != 0 {
			t.Errorf("%+v", n)
		}
		// The company is known for one now, and no relative. That counts for what is
		// loaded from here on, and for a file that is to be compared again.
		for _, want := range []int{0, 1, 0} {
			again := loadFiles(t, store, loader.Options{Recheck: want == 1}, b)
			if again.Changes() != want || !strings.Contains(notesOf(again), "1 of Family") || strings.Contains(notesOf(again), "not in the record") {
				t.Errorf("%s\n%+v", notesOf(again), again.Loads[0])
			}
		}
		if versions := ftmState(t, store).Versions["ftm/record/n"]; len(versions) != 2 {
			t.Errorf("%+v", versions)
		}
		if again := loadFiles(t, store, loader.Options{}, a, b); again.Changes() != 0 {
			t.Errorf("%+v", again.Loads)
		}
	})
}

// TestFTMRejects: hostile lines are listed with the reason, and no other is
// lost for them.
func TestFTMRejects(t *testing.T) {
	const good = `{"id":"g","schema":"Person","properties":{"name":["Gro Dahl"]}}`
	person := func(properties string) string {
		return `{"id":"h","schema":"Person","properties":{` + properties + `}}`
	}
	own := func(owner, asset string) string {
		return `{"id":"o","schema":"Ownership","properties":{"owner":[` + owner + `],"asset":[` + asset + `]}}`
	}
	many := func(n int, form string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(form, i)
		}
		return strings.Join(list, ",")
	}
	cases := []struct{ line, column, reason string }{
		{good[:40], "properties", "not JSON: it ends too early"},
		{good + "x", "", "follows"},
		{good + good, "", "follows"},
		{`[]`, "", "is a list, but must be an object"},
		{`"x"`, "", "is text"},
		{`null`, "", "is null"},
		{`{`, "", "ends too early"},
		{`{"schema":"Person","properties":{}}`, "id", "missing"},
		{`{"id":"","schema":"Person","properties":{}}`, "id", "missing"},
		{`{"id":null,"schema":"Person","properties":{}}`, "id", "missing"},
		{`{"id":["a"],"schema":"Person","properties":{}}`, "id", "is a list, but must be text"},
		{`{"id":7,"schema":"Person","properties":{}}`, "id", "is a number"},
		{`{"id":"` + strings.Repeat("i", 201) + `","schema":"Person","properties":{}}`, "id", "201 bytes"},
		{`{"id":"p\n1","schema":"Person","properties":{}}`, "id", "holds the control character U+000A"},
		{`{"id":"p\r\n1","schema":"Person","properties":{"name":["P"]}}`, "id", "holds the control character U+000A"},
		{`{"id":"p\t1","schema":"Person","properties":{}}`, "id", "holds the control character U+0009"},
		{`{"id":"a","id":"b","schema":"Person","properties":{}}`, "id", "occurs twice"},
		{`{"id":"a","properties":{}}`, "schema", "missing"},
		{`{"id":"a","schema":"no schema","properties":{}}`, "schema", "not the name of a schema"},
		{`{"id":"a","schema":"Person"}`, "properties", "missing"},
		{`{"id":"a","schema":"Person","properties":null}`, "properties", "is null"},
		{`{"id":"a","schema":"Person","properties":[]}`, "properties", "is a list"},
		{person(`"name":["a"],"name":["b"]`), "name", "occurs twice"},
		{person(`"name":[1]`), "name", "holds a number"},
		{person(`"name":[null]`), "name", "holds null"},
		{person(`"name":1e999`), "name", "is a number"},
		{person(`"name":{"en":"x"}`), "name", "is an object"},
		{person(`"name":[{"en":"x"}]`), "name", "holds an object"},
		{person(`"name":[[["x"]]]`), "name", "holds a list"},
		{person(`"name":["a\u0000b"]`), "name", "U+0000"},
		{person(`"na\u0007me":["x"]`), "na\ame", "the name of a property"},
		{person(`"":["x"]`), "", "the name of a property"},
		{person(`"name":["x"`), "name", "not JSON"},
		{person(`"alias":[` + many(10_001, `"n%d"`) + `]`), "alias", "more than 10000 values"},
		{`{"id":"a","schema":"Person","deep":` + strings.Repeat("[", 20_000) + `}`, "deep", "not JSON: "},
		{own(``, `"g"`), "owner", "is missing"},
		{own(`"g"`, ``), "asset", "is missing"},
		{own(`"g"`, `"g"`), "asset", "same as owner"},
		{own(`"`+strings.Repeat("i", 201)+`"`, `"g"`), "owner", "is no id"},
		{own(`"g"`, `"Acme\nLtd"`), "asset", `"Acme\nLtd" is no id: it holds the control character U+000A`},
		{own(`"a\tb"`, `"g"`), "owner", "is no id: it holds the control character U+0009"},
		{`{"id":"s","schema":"Sanction","properties":{"authority":["A\nB"],"entity":["g\nh"]}}`, "entity", "is no id"},
		{own(many(40, `"a%d"`), many(40, `"b%d"`)), "asset", "1600 relations"},
		{`{"id":"g","schema":"Ownership","properties":{"owner":["a"],"asset":["b"]}}`, "id", "a row before"},
		{person(`"name":["` + "\x00" + `"]`), "", "U+0000"},
		{person(`"name":["` + "\xff" + `"]`), "", "UTF-8"},
		{person(`"name":["` + strings.Repeat("y", 1<<20) + `"]`), "", "longer than"},
	}
	text := "\ufeff" + good + "\r\n\r\n"
	for _, c := range cases {
		text += c.line + "\r\n"
	}
	file := write(t, "bad.ftm.json", text+own(`"g"`, `"nowhere"`))
	var rejects bytes.Buffer
	store := every.SQLite(t)
	result := loadFiles(t, store, loader.Options{Rejects: &rejects}, file)
	if got, want := rowsAddUp(t, result), (loader.Rows{Read: len(cases) + 2, Created: 2, Rejected: len(cases)}); !cmp.Equal(want, got) {
		t.Errorf("%+v", got)
	}
	rows, err := csv.NewReader(&rejects).ReadAll()
	if err != nil || len(rows) != len(cases)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, c := range cases {
		row := rows[i+1]
		if row[1] != fmt.Sprint(i+3) || row[2] != c.column || !strings.Contains(row[3], c.reason) || len(row[4]) > 5000 {
			t.Errorf("%.80s:\n%.200q, want %s: %s", c.line, row[:4], c.column, c.reason)
		}
	}
	if n := ftmState(t, store).Nodes["ftm/nowhere"]; n == nil || n.Name != "nowhere" {
		t.Errorf("%+v", n)
	}
}

func TestFTMDates(t *testing.T) {
	for _, c := range []struct{ start, end, want, note string }{
		{`"2012"`, ``, "2012/", ""},
		{``, `"2012-03"`, "/2012-03", ""},
		{`"2012-03-04"`, `"2013"`, "2012-03-04/2013", ""},
		{`"2012-03-04","2011","2012"`, `"2013","2014-01"`, "2011/2014-01", "endDate: 2013\nstartDate: 2012; 2012-03-04"},
		{`"0000"`, ``, "", "startDate: 0000"},
		{`"0001-01-01"`, `"9999-12-31"`, "", "endDate: 9999-12-31\nstartDate: 0001-01-01"},
		{`"2012-02-30"`, `"9999"`, "", "endDate: 9999\nstartDate: 2012-02-30"},
		{`"2012"`, `"9999-12-31T23:59:59"`, "2012/", "endDate: 9999-12-31T23:59:59"},
		{`"0001-01-01","2012"`, `"2015","9999"`, "2012/2015", "endDate: 9999\nstartDate: 0001-01-01"},
		{`"2012/2013"`, ``, "", "startDate: 2012/2013"},
		{`"2012~"`, ``, "", "startDate: 2012~"},
		{`"2012-01-01 12:00"`, ``, "2012-01-01/", "startDate: 2012-01-01 12:00"},
		{`"2014"`, `"2013"`, "2014/", "endDate: 2013"},
		{``, ``, "", ""},
	} {
		store := every.SQLite(t)
		line := `{"id":"o","schema":"Ownership","properties":{"owner":["a"],"asset":["b"],"startDate":[` + c.start + `],"endDate":[` + c.end + `]}}`
		loadFiles(t, store, loader.Options{}, write(t, "d.json", line))
		r := ftmState(t, store).Versions["ftm/record/o"][0]
		if r.Date.EDTF != c.want || r.Note != c.note {
			t.Errorf("%s to %s: %q, %q", c.start, c.end, r.Date.EDTF, r.Note)
		}
	}
}

// TestFTMLives: what is said of a life in several files is one life, and values
// in another order say the same.
func TestFTMLives(t *testing.T) {
	born := write(t, "b.json", `{"id":"p","schema":"Person","properties":{"name":["Ann"],"birthDate":["1950-01-02"]}}`)
	died := write(t, "d.json", `{"id":"p","schema":"Person","properties":{"name":["Ann"],"deathDate":["2010"]}}`)
	every.Store(t, func(t *testing.T, store graph.Store) {
		for _, files := range [][]string{{born, died}, {died, born}} {
			o := loader.Options{Dataset: "by-" + filepath.Base(files[0])[:1]}
			for _, file := range files {
				loadFiles(t, store, o, file)
			}
			if got := datasetState(t, store, o.Dataset).Nodes[o.Dataset+"/p"].Date.EDTF; got != "1950-01-02/2010" {
				t.Errorf("%s: %s", o.Dataset, got)
			}
			for _, file := range files {
				o.Recheck = true
				if again := loadFiles(t, store, o, file); again.Changes() > 0 {
					t.Errorf("%s again: %+v", file, again.Loads[0].Report)
				}
			}
		}
	})
	twice := write(t, "o.json", `{"id":"o","schema":"Ownership","properties":{"owner":["a","x"],"asset":["c"]}}
{"id":"o","schema":"Ownership","properties":{"owner":["x","a"],"asset":["c"]}}`)
	if got := rowsAddUp(t, loadFiles(t, every.SQLite(t), loader.Options{}, twice)); got.Created != 1 || got.Duplicate != 1 {
		t.Errorf("%+v", got)
	}
}

// TestFTMIDs: different ids stay different, whatever is in them.
func TestFTMIDs(t *testing.T) {
	ids := []string{"NK-a.b_c", "a/b", "a%2Fb", "a b", "A", "a", "ü", "../x", "record/o", strings.Repeat("/", 200), strings.Repeat("/", 199) + "x"}
	var text strings.Builder
	for _, id := range ids {
		line, err := json.Marshal(map[string]any{"id": id, "schema": "Person", "properties": map[string]any{"name": []string{"Q " + id}}})
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	store := every.SQLite(t)
	got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, write(t, "ids.json", text.String())))
	if want := (loader.Rows{Read: len(ids), Created: len(ids)}); !cmp.Equal(want, got) {
		t.Errorf("%+v", got)
	}
	var kept []string
	for id, n := range ftmState(t, store).Nodes {
		if len(id) > 300 || strings.ContainsAny(id, " \n") || strings.Count(id, "/") != 1 {
			t.Error(id)
		}
		kept = append(kept, n.ExternalIDs[0].Value)
	}
	if slices.Sort(kept); !slices.Equal(kept, slices.Sorted(slices.Values(ids))) {
		t.Errorf("%q", kept)
	}
}

// TestFTMDetect: other JSON lines are not taken for entities.
func TestFTMDetect(t *testing.T) {
	long := `{"id":"l","properties":{"notes":["` + strings.Repeat("n", 100_000) + `"],"name":["Long"]},"schema":"Person"}` + "\n"
	rowsAddUp(t, loadFiles(t, every.SQLite(t), loader.Options{}, write(t, "long", long)))
	long = `{"properties":{"notes":["` + strings.Repeat("n", 100_000) + `"],"name":["Long"]},"id":"l","schema":"Person"}` + "\n"
	rowsAddUp(t, loadFiles(t, every.SQLite(t), loader.Options{}, write(t, "long", long)))
	const good = `{"id":"a","schema":"Person","properties":{"name":["Ada"]}}` + "\n"
	for _, bad := range []string{"{}", "null", "# comment", `{"id":"x"}`, `{"id":"x","schema":"Person"}`, `{"id":"x","properties":{"name":["X"]}}`, `{"id":"x`} {
		for _, format := range []string{"", "ftm"} {
			got := rowsAddUp(t, loadFiles(t, every.SQLite(t), loader.Options{Format: format}, write(t, "f", bad+"\n"+good)))
			if want := (loader.Rows{Read: 2, Created: 1, Rejected: 1}); !cmp.Equal(want, got) {
				t.Errorf("%s: %+v", bad, got)
			}
		}
	}
	for _, text := range []string{"[\n" + good + "]", "[" + strings.TrimSpace(good) + ",\n" + good + "]", "{\n\"list\": [\n" + good + "]\n}"} {
		if _, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "f", text)}, loader.Options{}); err == nil {
			t.Errorf("%s: loaded", text)
		}
	}
	for _, text := range []string{`{"id":"a","name":"Person"}`, `{"dataset":"x","entities":{}}`, "{}", "[]", `{"properties":{},"id":"a"}`, "id,schema,properties"} {
		_, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "other", text+"\n")}, loader.Options{Format: "ftm"})
		if err == nil || !strings.Contains(err.Error(), "not of the format ftm") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestFTMInterrupted: a load that is stopped goes on to the state of an
// undisturbed one, and fragments that lie far apart are one entity.
func TestFTMInterrupted(t *testing.T) {
	var text strings.Builder
	for i := range 1_200 {
		fmt.Fprintf(&text, `{"id":"o%d","schema":"Ownership","properties":{"owner":["c%d"],"asset":["c%d"]}}`+"\n", i, i, (i+1)%1_200)
		fmt.Fprintf(&text, `{"id":"c%d","schema":"Company","properties":{"name":["Company %d"],"parent":["c%d"]}}`+"\n", i, i, (i+7)%1_200)
	}
	text.WriteString(`{"id":"c1","schema":"Company","properties":{"alias":["One"]}}` + "\n")
	o := loader.Options{BatchSize: 1_000}
	file := write(t, "many.json", text.String())
	undisturbed, store := every.SQLite(t), every.SQLite(t)
	got := rowsAddUp(t, loadFiles(t, undisturbed, o, file))
	if want := (loader.Rows{Read: 2_401, Created: 2_400, Duplicate: 1}); !cmp.Equal(want, got) {
		t.Errorf("%+v", got)
	}
	want := ftmState(t, undisturbed)
	if n := want.Nodes["ftm/c1"]; n.Name != "Company 1" || !slices.Equal(n.Aliases, []string{"One"}) {
		t.Errorf("%+v", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := loader.Load(ctx, store, []string{file}, loader.Options{BatchSize: o.BatchSize, Progress: stopAfter{o.BatchSize, cancel}}); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Fatalf("%v", err)
	}
	if !loadFiles(t, store, o, file).Loads[0].Resumed {
		t.Error("the load began anew")
	}
	if diff := want.WithoutMoments().Diff(ftmState(t, store).WithoutMoments()); diff != "" {
		t.Error(diff)
	}
	if again := loadFiles(t, store, o, file); again.Changes() != 0 {
		t.Errorf("%+v", again.Loads[0].Report)
	}
}

// TestFTMData loads the files of the folder that CHANCERY_DATA names, and
// compares what is recorded with the lines themselves.
func TestFTMData(t *testing.T) {
	data := os.Getenv("CHANCERY_DATA")
	if data == "" {
		t.Skip("set CHANCERY_DATA to the folder that holds ftm/")
	}
	files, err := filepath.Glob(filepath.Join(data, "ftm", "*.ftm.json"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		store := every.SQLite(t)
		got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, file))
		if n := bytes.Count(text, []byte("\n")); got.Read != n || got.Created != n {
			t.Errorf("%s has %d lines: %+v", file, n, got)
		}
		if again := loadFiles(t, store, loader.Options{}, file); again.Changes() != 0 {
			t.Errorf("%s: the second load changed %d things", file, again.Changes())
		}
		state := ftmState(t, store)
		for line := range strings.Lines(string(text)) {
			var row struct {
				ID, Schema string
				Properties map[string][]string
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			one := func(name string) string {
				if v := row.Properties[name]; len(v) == 1 {
					return v[0]
				}
				return ""
			}
			versions := state.Versions["ftm/record/"+row.ID]
			node := state.Nodes["ftm/"+row.ID]
			if (len(versions) == 1) == (node != nil) {
				t.Errorf("%s %s is both or neither", row.Schema, row.ID)
				continue
			}
			if node != nil {
				if len(row.Properties["name"]) > 0 && !slices.Contains(row.Properties["name"], node.Name) {
					t.Errorf("%s: the name %s", row.ID, node.Name)
				}
				continue
			}
			r, want := versions[0], ""
			switch start, end := one("startDate"), one("endDate"); row.Schema {
			case "Ownership", "Directorship":
				if want = start + "/" + end; want == "/" {
					want = ""
				}
				if row.Schema == "Ownership" && (r.Source != "ftm/"+one("owner") || r.Target != "ftm/"+one("asset") || r.Type != "OWNS") {
					t.Errorf("%+v", r)
				}
			case "Payment":
				if want = one("date"); one("beneficiary") != "" && (r.Quantity == nil || fmt.Sprint(*r.Quantity) == "0" || r.Unit != "EUR") {
					t.Errorf("%+v", r)
				}
			default:
				continue
			}
			if r.Date.EDTF != want {
				t.Errorf("%s %s: %q, not %q", row.Schema, row.ID, r.Date.EDTF, want)
			}
		}
	}
}

// ftmFar are files that say the same of x, y and f77, with more and more
// between the rows about them, the last with more than is held in memory.
func ftmFar() map[string]string {
	first := `{"id":"x","schema":"LegalEntity","properties":{"name":["X"],"incorporationDate":["1999"],"birthDate":["1970"],"description":["one"]}}` + "\n" +
		`{"id":"y","schema":"Person","properties":{"name":["Y"],"birthDate":["1970"],"description":["one"]}}` + "\n"
	middle := `{"id":"y","schema":"Person","properties":{"name":["Y"],"birthDate":["1970-02"]},"datasets":["a"]}` + "\n"
	last := `{"id":"x","schema":"Person","properties":{"name":["X"],"birthDate":["1970-05-06"],"deathDate":["2020-01-01"],"description":["two"],"innCode":["12"]}}` + "\n" +
		`{"id":"y","schema":"Person","properties":{"name":["Y","Yü <&>"],"birthDate":["1970-02-03"],"deathDate":["2020-01-01"],"description":["two"]},"datasets":["b"]}` + "\n"
	rows := func(n, more int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `{"id":"f%d","schema":"Company","properties":{"name":["F%[1]d"],"notes":[%q]}}`+"\n", i, strings.Repeat("n", more+3))
		}
		return b.String()
	}
	again := func(rows string) string {
		return strings.ReplaceAll(strings.ReplaceAll(rows, "name", "alias"), "nnn", "mmm")
	}
	some, many := rows(5_000, 0), rows(5_000, 2_000)
	return map[string]string{
		"near":  first + middle + last + some + again(some),
		"far":   first + some + middle + again(some) + last,
		"aside": first + many + middle + again(many) + last, // of all of which more follows
	}
}

// TestFTMOrder: values are sets, and lines say the same in whatever order they come.
func TestFTMOrder(t *testing.T) {
	type properties = map[string][]string
	lines := []struct {
		ID, Schema, Caption string
		Properties          properties
	}{
		{"p", "Person", "", properties{"name": {"Анна", "Ann"}, "notes": {"z", "a"}, "alias": {"B", "A"}, "birthDate": {"1970", "1970-02"}}},
		{"p", "Person", "Anne", properties{"name": {"Anna"}, "position": {"clerk", "actor"}}},
		{"p", "LegalEntity", "Ann", properties{"name": {"A. N."}, "country": {"ru", "no"}}},
		{"c", "Organization", "", properties{"name": {"C"}}},
		{"c", "Company", "", properties{"name": {"C Ltd"}}},
		{"x", "PublicBody", "", properties{"name": {"X"}}},
		{"x", "Person", "", properties{"name": {"X"}}},
		{"s", "Sanction", "", properties{"entity": {"p", "c"}, "authority": {"OFAC", "Office of Foreign Assets Control"}, "reason": {"two", "one"}}},
		{"d", "Directorship", "", properties{"director": {"p"}, "organization": {"c"}, "role": {"Chairman", "CEO"}, "summary": {"b", "a"}}},
		{"e", "Directorship", "", properties{"director": {"x"}, "organization": {"c"}}},
	}
	random := rand.New(rand.NewPCG(7, 7))
	for _, whole := range []string{"", loader.EditionWhole} {
		store := every.SQLite(t)
		var want exports
		for i := range 20 {
			var text strings.Builder
			for _, l := range lines {
				for _, values := range l.Properties {
					random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
				}
				line, err := json.Marshal(map[string]any{"id": l.ID, "schema": l.Schema, "caption": l.Caption, "properties": l.Properties, "datasets": []string{"d"}})
				if err != nil {
					t.Fatal(err)
				}
				text.Write(append(line, '\n'))
			}
			result := loadFiles(t, store, loader.Options{Edition: whole}, write(t, "x.json", text.String()))
			if i == 0 {
				want = export(t, store, loader.ExportOptions{})
			} else if result.Changes() != 0 {
				t.Fatalf("%d changes by\n%s", result.Changes(), &text)
			}
			random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		}
		sameExports(t, want, export(t, store, loader.ExportOptions{}))
	}
}

// TestFTMFarApart: what rows say of an entity is one whole, whatever lies
// between them and however much that is.
func TestFTMFarApart(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	for name, text := range ftmFar() {
		if testing.Short() && len(text) > 1<<20 {
			continue
		}
		store := every.SQLite(t)
		file := write(t, "x.json", text)
		got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, file))
		if want := (loader.Rows{Read: 10_005, Created: 5_002, Duplicate: 5_003}); !cmp.Equal(want, got) {
			t.Errorf("%s: %+v", name, got)
		}
		nodes := ftmState(t, store).Nodes
		properties := func(id string) (said []string) {
			for _, p := range nodes[id].Properties {
				said = append(said, p.Name+" "+p.Value)
			}
			return said
		}
		x, y := nodes["ftm/x"], nodes["ftm/y"]
		if x.Kind != graph.KindPerson || x.Date.EDTF != "1970-05-06/2020-01-01" || x.Description != "one" ||
			!slices.Contains(x.ExternalIDs, graph.ExternalID{Scheme: "inn", Value: "12"}) {
			t.Errorf("%s: %+v", name, x)
		}
		if diff := cmp.Diff([]string{"description two", "incorporationDate 1999", "schema LegalEntity", "schema Person"}, properties("ftm/x")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if y.Date.EDTF != "1970-02-03/2020-01-01" || y.Description != "one" || !slices.Equal(y.Aliases, []string{"Yü <&>"}) {
			t.Errorf("%s: %+v", name, y)
		}
		if diff := cmp.Diff([]string{"datasets a", "datasets b", "description two", "schema Person"}, properties("ftm/y")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		f := properties("ftm/f77")
		if n := nodes["ftm/f77"]; n.Name != "F77" || !strings.HasPrefix(n.Description, "mmm") || len(f) != 2 || !strings.HasPrefix(f[0], "notes nnn") {
			t.Errorf("%s: %+v", name, n)
		}
		if again := loadFiles(t, store, loader.Options{Recheck: true}, file); again.Changes() != 0 {
			t.Errorf("%s: the second load changed %d things", name, again.Changes())
		}
		if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
			t.Errorf("%s: %v are left, %v", name, left, err)
		}
	}
}

// TestFTMAsideInterrupted: a load that is stopped while rows are set aside,
// because the disk is full or by somebody, goes on to the state of an
// undisturbed one.
func TestFTMAsideInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads 20 MB several times")
	}
	// Entities without more, so that something is recorded before what is set aside.
	var others strings.Builder
	for i := range 6_000 {
		fmt.Fprintf(&others, `{"id":"g%d","schema":"Company","properties":{"name":["G%[1]d"]}}`+"\n", i)
	}
	file := write(t, "x.json", others.String()+ftmFar()["aside"])
	undisturbed, store := every.SQLite(t), every.SQLite(t)
	loadFiles(t, undisturbed, loader.Options{}, file)
	want := ftmState(t, undisturbed).WithoutMoments()

	temporary := t.TempDir()
	t.Setenv("TMPDIR", filepath.Join(temporary, "absent"))
	if _, err := loader.Load(t.Context(), store, []string{file}, loader.Options{}); err == nil || !strings.Contains(err.Error(), "temporary file") {
		t.Fatalf("%v", err)
	}
	t.Setenv("TMPDIR", temporary)
	for _, things := range []int{6_500, 8_000, 10_500} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := loader.Load(ctx, store, []string{file}, loader.Options{Progress: &stopAfterAll{cancel: cancel, left: things}})
		if cancel(); err == nil || !strings.Contains(err.Error(), "interrupted") {
			t.Fatalf("after %d things: %v", things, err)
		}
	}
	if !loadFiles(t, store, loader.Options{}, file).Loads[0].Resumed {
		t.Error("the load began anew")
	}
	if diff := want.Diff(ftmState(t, store).WithoutMoments()); diff != "" {
		t.Error(diff)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}

// stopAfterAll stops a load after so many things.
type stopAfterAll struct {
	cancel func()
	left   int
}

func (*stopAfterAll) Begin(string, string, int) {}
func (s *stopAfterAll) Add(n int) {
	if s.left -= n; s.left <= 0 {
		s.cancel()
	}
}
func (*stopAfterAll) End() {}

// ftmCompanies are companies that are called what their ids are, in lines.
func ftmCompanies(ids ...string) string {
	var lines strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&lines, `{"id":%q,"schema":"Company","properties":{"name":[%[1]q]}}`+"\n", id)
	}
	return lines.String()
}

// ftmSources are the sources of the relations, each with its date: of those that
// stand, and of those that are withdrawn.
func ftmSources(t *testing.T, store graph.Store) (standing, withdrawn []string) {
	t.Helper()
	for _, versions := range ftmState(t, store).Versions {
		r := versions[len(versions)-1]
		to := &standing
		if r.SupersededAt != 0 {
			to = &withdrawn
		}
		*to = append(*to, r.Source+" "+r.Date.EDTF)
	}
	slices.Sort(standing)
	return standing, withdrawn
}

// TestFTMFewerEnds: a relation between two ends stays one relation, whatever
// other ends the row names that states it.
func TestFTMFewerEnds(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		companies := ftmCompanies("a", "b", "c", "d")
		row := func(owners, end string) string {
			return fmt.Sprintf(`{"id":"o1","schema":"Ownership","properties":{"owner":[%s],"asset":["c"],"startDate":["2010"]%s}}`+"\n", owners, end)
		}
		all := write(t, "all.json", companies+row(`"a","b"`, ""))
		fewer := write(t, "fewer.json", row(`"b"`, `,"endDate":["2020"]`))
		more := write(t, "more.json", row(`"d","b"`, `,"endDate":["2021"]`))
		is := func(step string, want ...string) {
			t.Helper()
			if got, withdrawn := ftmSources(t, store); !slices.Equal(want, got) || len(withdrawn) > 0 {
				t.Errorf("%s: %v, and withdrawn %v", step, got, withdrawn)
			}
		}
		loadFiles(t, store, loader.Options{}, all, fewer)
		is("fewer", "ftm/a 2010/", "ftm/b 2010/2020")
		loadFiles(t, store, loader.Options{}, more)
		is("more", "ftm/b 2010/2021", "ftm/d 2010/2021") // a, which was the first, is corrected
		for _, file := range []string{fewer, more} {
			if again := loadFiles(t, store, loader.Options{Recheck: true}, file); again.Loads[0].Relations.Created != 0 {
				t.Errorf("%s: %+v", file, again.Loads[0].Relations)
			}
		}
		// The only end is corrected.
		loadFiles(t, store, loader.Options{Dataset: "other"}, write(t, "1.json", companies+row(`"a"`, "")), write(t, "2.json", row(`"d"`, "")))
		state, err := loadertest.ReadState(t.Context(), store, "other")
		if err != nil {
			t.Fatal(err)
		}
		if v := state.Versions["other/record/o1"]; len(v) != 2 || v[1].Source != "other/d" || len(state.Versions) != 1 {
			t.Errorf("%+v", state.Versions)
		}
	})
}

// TestFTMForgottenEnds: the id of a relation that was forgotten with one of its
// ends is no other's, and the others of its row stay what they are.
func TestFTMForgottenEnds(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		companies := ftmCompanies("a", "b", "c", "d")
		row := func(owners, end string) string {
			return fmt.Sprintf(`{"id":"o1","schema":"Ownership","properties":{"owner":[%s],"asset":["c"],"startDate":["2010"],"endDate":[%q]}}`+"\n", owners, end)
		}
		is := func(step string, want ...string) {
			t.Helper()
			if got, withdrawn := ftmSources(t, store); !slices.Equal(want, got) || len(withdrawn) > 0 {
				t.Errorf("%s: %v, and withdrawn %v", step, got, withdrawn)
			}
		}
		load := func(owners, end string) {
			t.Helper()
			file := write(t, "o.json", row(owners, end))
			loadFiles(t, store, loader.Options{}, file)
			if again := loadFiles(t, store, loader.Options{Recheck: true}, file); again.Changes() != 0 {
				t.Errorf("%s again: %+v", owners, again.Loads[0].Relations)
			}
		}
		loadFiles(t, store, loader.Options{}, write(t, "all.json", companies+row(`"a","b"`, "2015")))
		forget(t, store, "ftm/a")
		is("forgotten", "ftm/b 2010/2015")
		load(`"b"`, "2016")
		is("fewer", "ftm/b 2010/2016")
		load(`"a","b","d"`, "2017")
		is("more", "ftm/b 2010/2017", "ftm/d 2010/2017")
		load(`"d"`, "2018")
		is("the other", "ftm/b 2010/2017", "ftm/d 2010/2018")
		load(`"a"`, "2019")
		is("the forgotten one", "ftm/b 2010/2017", "ftm/d 2010/2018")
		load(`"b","d"`, "2020")
		is("both", "ftm/b 2010/2020", "ftm/d 2010/2020")
		if unknown, err := graph.Unforget(t.Context(), store, []string{"ftm/a"}, graph.RecorderOptions{Now: time.Now, Wait: time.Minute}); err != nil || len(unknown) > 0 {
			t.Fatal(unknown, err)
		}
		load(`"b","d"`, "2021")
		is("lifted", "ftm/b 2010/2021", "ftm/d 2010/2021")
		load(`"a","b","d"`, "2022")
		is("all", "ftm/a 2010/2022", "ftm/b 2010/2022", "ftm/d 2010/2022")
	})
}

// TestFTMForgottenWhole: nor is it in whole editions, of which a pair of ends
// that stands is one relation.
func TestFTMForgottenWhole(t *testing.T) {
	store := every.SQLite(t)
	companies := ftmCompanies("a", "b")
	whole := func(owners, end string) {
		t.Helper()
		loadFiles(t, store, loader.Options{Edition: loader.EditionWhole}, write(t, "o.json", companies+
			fmt.Sprintf(`{"id":"o1","schema":"Ownership","properties":{"owner":[%s],"asset":["c"],"endDate":[%q]}}`+"\n", owners, end)))
		want := []string{"ftm/b /" + end}
		if strings.Contains(owners, "a") && !strings.Contains(end, "2016") {
			want = []string{"ftm/a /" + end, "ftm/b /" + end}
		}
		if standing, _ := ftmSources(t, store); !slices.Equal(want, standing) {
			t.Errorf("%s until %s: %v", owners, end, standing)
		}
	}
	whole(`"a","b"`, "2013")
	whole(`"b"`, "2014")
	whole(`"a","b"`, "2015")
	forget(t, store, "ftm/a")
	whole(`"a","b"`, "2016")
	whole(`"b"`, "2017")
}

// TestFTMForgottenCorrected: a row that is corrected to name what was forgotten
// takes nothing from what it said before.
func TestFTMForgottenCorrected(t *testing.T) {
	store := every.SQLite(t)
	row := func(owner, end string) string {
		return write(t, "o.json", fmt.Sprintf(`{"id":"o1","schema":"Ownership","properties":{"owner":[%q],"asset":["c"],"endDate":[%q]}}`+"\n", owner, end))
	}
	loadFiles(t, store, loader.Options{}, write(t, "a.json", `{"id":"a","schema":"Company","properties":{"name":["A"]}}`+"\n"))
	forget(t, store, "ftm/a")
	loadFiles(t, store, loader.Options{}, row("d", "2015"))
	loadFiles(t, store, loader.Options{}, row("a", "2016"))
	loadFiles(t, store, loader.Options{}, row("d", "2017"))
	state := ftmState(t, store)
	if v := state.Versions["ftm/record/o1"]; len(state.Versions) != 1 || len(v) != 2 || v[1].Source != "ftm/d" || v[1].Date.EDTF != "/2017" {
		t.Errorf("%+v", state.Versions)
	}
}

// TestFTMOneDay: what has a date alone took place on it.
func TestFTMOneDay(t *testing.T) {
	store := every.SQLite(t)
	cases := []struct{ schema, dates, want, property string }{
		{"Event", `"date":["2010-10-10"]`, "2010-10-10", ""},
		{"Trip", `"date":["2010-10-10"]`, "2010-10-10", ""},
		{"Message", `"date":["2010-10-10T09:00:00"]`, "2010-10-10", "2010-10-10T09:00:00"},
		{"EconomicActivity", `"date":["2010-10-10T09:00:00"]`, "2010-10-10", "2010-10-10T09:00:00"},
		{"Event", `"date":["2010","2010-10-10"]`, "2010-10-10", ""},
		{"Event", `"date":["2010-10-12","2010-10-10"]`, "2010-10-10", "2010-10-12"},
		{"Event", `"date":["2010-10-10"],"startDate":["2010-10-09"]`, "2010-10-09/", "2010-10-10"},
		{"Event", `"date":["2010-10-10"],"endDate":["2010-10-12"]`, "2010-10-10/2010-10-12", ""},
		{"Event", `"date":["2010-10-10"],"endDate":["2010-10-09"]`, "2010-10-10", ""},
		{"Event", `"date":["2010-10-10"],"startDate":["soon"]`, "2010-10-10", ""},
		{"Event", `"date":["2010-10-10"],"startDate":["2010-10-09"],"endDate":["2010-10-12"]`, "2010-10-09/2010-10-12", "2010-10-10"},
		{"Event", `"endDate":["2010-10-12"]`, "/2010-10-12", ""},
		{"Project", `"date":["2010-10-10"]`, "", "2010-10-10"}, // of what, is not said
		{"Event", `"date":["2010-10-10"],"endDate":["9999-12-31"]`, "2010-10-10", ""},
		{"Event", `"date":["0001-01-01"]`, "", "0001-01-01"},
		{"Person", `"birthDate":["0001-01-01"],"deathDate":["9999-12-31"],"date":["2010"]`, "", "2010"},
		{"Person", `"birthDate":["1970"],"deathDate":["9999-12-31"]`, "1970/", ""},
	}
	var text strings.Builder
	for i, c := range cases {
		fmt.Fprintf(&text, `{"id":"e%d","schema":%q,"properties":{"name":["E"],%s}}`+"\n", i, c.schema, c.dates)
	}
	result := loadFiles(t, store, loader.Options{}, write(t, "e.json", text.String()))
	if !strings.Contains(notesOf(result), "dates in the year 1 or 9999, which stand for beginnings that are not known and for ends that are open: 5;") {
		t.Error(notesOf(result))
	}
	nodes := ftmState(t, store).Nodes
	for i, c := range cases {
		n := nodes[fmt.Sprintf("ftm/e%d", i)]
		var dates []string
		for _, p := range n.Properties {
			if p.Name == "date" {
				dates = append(dates, p.Value)
			}
		}
		if n.Date.EDTF != c.want || strings.Join(dates, " ") != c.property {
			t.Errorf("%s %s: %s, and as properties %q", c.schema, c.dates, n.Date.EDTF, dates)
		}
	}
}

// TestFTMMended: characters of Windows are mended however they are written.
func TestFTMMended(t *testing.T) {
	line := func(id, meant string) string {
		return strings.ReplaceAll(fmt.Sprintf(`{"id":"%s|1","schema":"Person","caption":"O|Neil","properties":{"name":["O|Neil"],"a|b":["1|2"],"notes":"n|"},"datasets":["d|"]}`+"\n", id), "|", meant)
	}
	store := every.SQLite(t)
	got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, write(t, "e.json", line("raw", "\u0092")+line("escaped", `\u0092`)+line("right", "’")+
		line("nothing", `\u0081`)+line("neither", "\u0081"))))
	if want := (loader.Rows{Read: 5, Created: 3, Rejected: 2}); !cmp.Equal(want, got) {
		t.Errorf("%+v", got)
	}
	nodes := ftmState(t, store).Nodes
	for _, n := range nodes {
		want := []graph.Property{{Name: "a’b", Value: "1’2"}, {Name: "datasets", Value: "d’"}, {Name: "schema", Value: "Person"}}
		if diff := cmp.Diff(want, n.Properties); diff != "" || n.Name != "O’Neil" || n.Description != "n’" || !strings.HasSuffix(n.ExternalIDs[0].Value, "’1") {
			t.Errorf("%+v %s", n, diff)
		}
	}
	if len(nodes) != 3 {
		t.Errorf("%d", len(nodes))
	}
	// Two spellings of a key are one key.
	if _, err := loader.Load(t.Context(), store, []string{write(t, "twice.json", `{"id":"t","schema":"Person","properties":{"a\u0092":["1"],"a’":["2"]}}`+"\n")},
		loader.Options{Format: "ftm"}); err == nil || !strings.Contains(err.Error(), "occurs twice") {
		t.Errorf("%v", err)
	}
}

// TestFTMTakesPart: what is no actor and no facility takes no part in the event
// of a row, so that an export can be loaded.
func TestFTMTakesPart(t *testing.T) {
	store := every.SQLite(t)
	loadFiles(t, store, loader.Options{}, write(t, "e.json", ftmCompanies("c1", "c2")+
		`{"id":"adr","schema":"Address","properties":{"full":["1 Quay"]}}`+"\n"+
		`{"id":"lic","schema":"License","properties":{"name":["To fish"]}}`+"\n"+
		`{"id":"v","schema":"Vessel","properties":{"name":["Herring"]}}`+"\n"+
		`{"id":"s","schema":"Sanction","properties":{"entity":["c2","c1","adr","v"],"authority":["OFAC"],"startDate":["2011"]}}`+"\n"+
		`{"id":"p","schema":"Payment","properties":{"payer":["c1"],"beneficiary":["c2","lic"],"date":["2011"]}}`+"\n"+
		`{"id":"u","schema":"Succession","properties":{"successor":["c1","lic"],"predecessor":["c2"],"date":["2011"]}}`+"\n"))
	state := ftmState(t, store)
	for id, want := range map[string]string{
		"ftm/event/s": "ftm/c1 entity, ftm/c2 entity, ftm/v entity",
		"ftm/event/p": "ftm/c1 payer, ftm/c2 beneficiary",
		"ftm/event/u": "ftm/c1 successor, ftm/c2 predecessor",
	} {
		var got []string
		for _, p := range state.Nodes[id].Participants {
			got = append(got, p.Entity+" "+p.Role)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q", id, got)
		}
	}
	linked := 0
	for _, versions := range state.Versions {
		if versions[0].Type == "LINKED_WITH" {
			linked++
		}
	}
	if linked != 3 {
		t.Errorf("%d are linked", linked)
	}
	var out bytes.Buffer
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		sets, err := tx.Datasets(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range sets {
			if d.Name == "ftm" {
				if _, err := loader.ExportDataset(ctx, tx, d, &out, loader.ExportOptions{Form: loader.JSONLines}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	again := every.SQLite(t)
	loadFiles(t, again, loader.Options{}, write(t, "export.jsonl", out.String()))
	if got := len(ftmState(t, again).Versions); got != len(state.Versions) {
		t.Errorf("%d of %d relations", got, len(state.Versions))
	}
}

// TestFTMTitles: who holds a post has the title of it, whichever file of the
// data set names the post.
func TestFTMTitles(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		const person = `{"id":"a","schema":"Person","properties":{"name":["Ada Lund"]}}` + "\n"
		const post = `{"id":"post","schema":"Position","properties":{"name":["President of X"]}}` + "\n"
		occupancy := func(id, dates string) string {
			return fmt.Sprintf(`{"id":%q,"schema":"Occupancy","properties":{"holder":["a"],"post":["post"],%s}}`+"\n", id, dates)
		}
		title := func(step, id, want, date string) {
			t.Helper()
			versions := ftmState(t, store).Versions["ftm/record/"+id]
			if r := versions[len(versions)-1]; r.SourceAs != want || r.Date.EDTF != date {
				t.Errorf("%s: %q, %s", step, r.SourceAs, r.Date.EDTF)
			}
		}
		loadFiles(t, store, loader.Options{}, write(t, "1.json", person+post+occupancy("o1", `"startDate":["2010"]`)))
		title("together", "o1", "President of X", "2010/")
		two := write(t, "2.json", occupancy("o1", `"startDate":["2010"],"endDate":["2015"]`)+occupancy("o2", `"startDate":["2018"]`))
		loadFiles(t, store, loader.Options{}, two)
		title("corrected", "o1", "President of X", "2010/2015")
		title("later", "o2", "President of X", "2018/")
		// A post with nothing new has the name that it had.
		three := write(t, "3.json", `{"id":"post","schema":"Position","properties":{"country":["xx"]}}`+"\n"+occupancy("o3", `"startDate":["2019"]`)+
			`{"id":"o4","schema":"Occupancy","properties":{"holder":["a"],"post":["gone"]}}`+"\n")
		loadFiles(t, store, loader.Options{}, three)
		title("without a name", "o3", "President of X", "2019/")
		title("unknown", "o4", "", "")
		for _, file := range []string{two, three} {
			if again := loadFiles(t, store, loader.Options{Recheck: true}, file); again.Changes() != 0 {
				t.Errorf("%s again: %+v", file, again.Loads[0])
			}
		}
		// A whole edition has no other posts than its own.
		loadFiles(t, store, loader.Options{Edition: loader.EditionWhole}, write(t, "4.json", person+occupancy("o1", `"startDate":["2010"]`)))
		title("whole", "o1", "", "2010/")
	})
}

// TestFTMNested: a file with entities within entities is refused, wherever the
// first of them is: the others would be loaded without what they are related to.
func TestFTMNested(t *testing.T) {
	plain := ftmCompanies("a", "b")
	for _, line := range []string{
		`{"id":"c","schema":"Company","properties":{"name":["C"],"sanctions":[{"id":"s","schema":"Sanction","properties":{"authority":["OFAC"]}}]}}`,
		`{"id":"c","schema":"Company","properties":{"sanctions":["s",{"schema":"Sanction","properties":{}}]}}`,
		`{"id":"c","schema":"Company","properties":{"addressEntity":{"id":"x","caption":"X","schema":"Address"}}}`,
	} {
		for _, before := range []string{"", plain, strings.Repeat(plain, 2_500)} {
			store := every.SQLite(t)
			_, err := loader.Load(t.Context(), store, []string{write(t, "targets.nested.json", before+line+"\n")}, loader.Options{})
			if want := fmt.Sprintf("targets.nested.json:%d:", strings.Count(before, "\n")+1); err == nil || !strings.Contains(err.Error(), want) ||
				!strings.Contains(err.Error(), "load entities.ftm.json") {
				t.Errorf("%s: %v", line, err)
			}
			if nodes := ftmState(t, store).Nodes; len(nodes) > 0 {
				t.Errorf("%s: %d nodes", line, len(nodes))
			}
		}
	}
}

// TestFTMNames: what an entity is called, where it has no name too.
func TestFTMNames(t *testing.T) {
	store := every.SQLite(t)
	cases := []struct{ schema, caption, properties, name, aliases string }{
		{"Person", "John Smith", `"firstName":["Jon","John"],"lastName":["Smith","Smyth"]`, "John Smith", ""},
		{"Person", "", `"firstName":["Jon","John"],"lastName":["Smith","Smyth"]`, "John Smith", ""},
		{"Person", "Person", `"firstName":["Jon"],"lastName":["Smith"],"weakAlias":["The Cod"]`, "Jon Smith", "The Cod"},
		{"Person", "", `"firstName":["Jon"],"lastName":["Smith"],"alias":["Jon Smith","J. Smith"]`, "Jon Smith", "J. Smith"},
		{"Person", "", `"lastName":["Smith"],"alias":["J. Smith"]`, "J. Smith", ""},
		{"Person", "", `"lastName":["Smith","Smyth"]`, "Smith", ""},
		{"Person", "J. Smith", `"alias":["Jonny","J. Smith"]`, "J. Smith", "Jonny"},
		{"Person", "John Smith", `"name":["Jon Smith"],"firstName":["Jon"]`, "Jon Smith", ""},
		{"LegalEntity", "Legal entity", `"registrationNumber":["77"]`, "77", ""},
		{"HyperText", "Web page", `"title":["Home"]`, "Home", ""},
		{"Address", "Address", `"street":["1 Quay"],"street2":["Left"],"postalCode":["0150"],"city":["Oslo","Kristiania"],"region":["East"],"country":["no"]`, "1 Quay, Left, 0150 Kristiania, East, NO", ""},
		{"Address", "", `"street":["1 Quay"],"city":["Oslo"],"summary":["A quay"],"state":["Oslo County"]`, "1 Quay, Oslo, Oslo County", ""},
		{"Address", "", `"street":["1 Quay"],"city":["Oslo"],"full":["Quay 1, Oslo"]`, "Quay 1, Oslo", ""},
		{"Address", "", `"country":["no"]`, "n13", ""},
	}
	var text strings.Builder
	for i, c := range cases {
		fmt.Fprintf(&text, `{"id":"n%d","schema":%q,"caption":%q,"properties":{%s}}`+"\n", i, c.schema, c.caption, c.properties)
	}
	loadFiles(t, store, loader.Options{}, write(t, "n.json", text.String()))
	nodes := ftmState(t, store).Nodes
	for i, c := range cases {
		if n := nodes[fmt.Sprintf("ftm/n%d", i)]; n.Name != c.name || strings.Join(n.Aliases, "; ") != c.aliases {
			t.Errorf("%s %q %s: %q, %q", c.schema, c.caption, c.properties, n.Name, n.Aliases)
		}
	}
	for _, want := range []graph.Property{{Name: "firstName", Value: "John"}, {Name: "lastName", Value: "Smyth"}} {
		if n := nodes["ftm/n0"]; !slices.Contains(n.Properties, want) {
			t.Errorf("%+v", n.Properties)
		}
	}
}

// TestFTMBeside: what stands beside the properties is kept, but for moments of
// the export.
func TestFTMBeside(t *testing.T) {
	store := every.SQLite(t)
	const beside = `"first_seen":"2020-01-01","last_seen":"%s","last_change":"%[1]s","target":%s,"datasets":["d"]`
	text := func(day string) string {
		return fmt.Sprintf(`{"id":"a","schema":"Company","caption":"A Holding","properties":{"name":["A"],"alias":["AA"]},`+beside+"}\n", day, "true") +
			fmt.Sprintf(`{"id":"b","schema":"Company","caption":"BB","properties":{"name":["B"],"alias":["BB"]},`+beside+"}\n", day, "false") +
			`{"id":"b","schema":"Company","caption":"B.B.","properties":{"name":["B"]}}` + "\n" +
			fmt.Sprintf(`{"id":"o","schema":"Ownership","caption":"A owns B","properties":{"owner":["a"],"asset":["b"]},`+beside+"}\n", day, "false") +
			fmt.Sprintf(`{"id":"q","schema":"Ownership","caption":"Ownership","properties":{"owner":["b"],"asset":["a"]},`+beside+"}\n", day, "true")
	}
	loadFiles(t, store, loader.Options{}, write(t, "1.json", text("2026-01-01")))
	state := ftmState(t, store)
	for id, want := range map[string]string{
		"ftm/a": "caption A Holding, datasets d, firstSeen 2020-01-01, schema Company, target true",
		"ftm/b": "caption B.B., datasets d, firstSeen 2020-01-01, schema Company, target false",
	} {
		var got []string
		for _, p := range state.Nodes[id].Properties {
			got = append(got, p.Name+" "+p.Value)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q", id, got)
		}
	}
	for id, want := range map[string]string{
		"ftm/record/o": "caption: A owns B\ndatasets: d\nfirstSeen: 2020-01-01",
		"ftm/record/q": "datasets: d\nfirstSeen: 2020-01-01\ntarget: true",
	} {
		if r := state.Versions[id][0]; r.Note != want {
			t.Errorf("%s: %q", id, r.Note)
		}
	}
	if again := loadFiles(t, store, loader.Options{}, write(t, "2.json", text("2026-02-02"))); again.Changes() != 0 {
		t.Errorf("%+v", again.Loads[0])
	}
}

// TestFTMWrapped: entities that are wrapped in something else are refused, with
// what unwraps them.
func TestFTMWrapped(t *testing.T) {
	const entity = `{"id":"a","caption":"Ada","schema":"Person","properties":{"name":["Ada"]},"datasets":["d"]}`
	const lines = "which there must be one in each line: "
	for text, want := range map[string]string{
		`{"limit":10,"total":{"value":1},"results":[` + entity + "]}\n":                                 lines + "jq -c '.results[]'",
		"{\n  \"limit\": 10,\n  \"results\": [\n" + entity + "]\n}":                                     lines + "jq -c '.results[]'",
		`{"results":[` + strings.Repeat(entity+",", 2_000) + entity + "]}\n":                            lines + "jq -c '.results[]'",
		`{"op":"ADD","entity":` + entity + "}\n" + `{"op":"DEL","entity":{"id":"b"}}` + "\n":            lines + `jq -c 'select(.op!="DEL").entity'`,
		`{"op":"DEL","entity":{"id":"b"}}` + "\n":                                                       lines + `jq -c 'select(.op!="DEL").entity'`,
		"[" + entity + ",\n" + entity + "]\n":                                                           lines + "jq -c '.[]?' for a list",
		"{\n \"id\": \"a\",\n \"schema\": \"Person\",\n \"properties\": {}\n}\n":                        lines + "jq -c '.[]?' for a list",
		`{"id":"s","entity_id":"a","prop":"name","schema":"Person","value":"Ada","dataset":"d"}` + "\n": "ftm aggregate-statements",
		`{"id":"a","schema":"Person","name":"Ada"}` + "\n":                                              "FollowTheMoney without their properties",
	} {
		for _, format := range []string{"", "ftm"} {
			_, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "f", text)}, loader.Options{Format: format})
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f:1:1: ") {
				t.Errorf("%.60s: %v", text, err)
			}
		}
	}
	for _, text := range []string{`{"results":[{"a":1}]}`, `{"results":[`, `{"results":{}}`, `{"results":null,"id":1}`, `{"op":"ADD"}`} {
		if _, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "f", text+"\n")}, loader.Options{}); err == nil || strings.Contains(err.Error(), "FollowTheMoney") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestFTMManySchemata: notes on schemata are few, and say of how many more there
// are none.
func TestFTMManySchemata(t *testing.T) {
	var text strings.Builder
	for i := range 27 {
		fmt.Fprintf(&text, `{"id":"a%d","schema":"Thing%d","properties":{"name":["A"]}}`+"\n", i, i)
	}
	notes := loadFiles(t, every.SQLite(t), loader.Options{}, write(t, "f.json", text.String())).Loads[0].Notes
	if len(notes) != 21 || !strings.Contains(notes[0].Message, "that are not listed one by one: 7") {
		t.Errorf("%d: %v", len(notes), notes)
	}
}

// TestFTMSuggest: publishers' own ids speak for nothing unless one names the
// other's, numbers of ships are the same with IMO before them, and numbers of papers
// bring together what has no name in common, and part nobody.
func TestFTMSuggest(t *testing.T) {
	store := every.SQLite(t)
	loadFiles(t, store, loader.Options{}, write(t, "1.json", `{"id":"NK-c","schema":"Person","properties":{"name":["Ada Lund"]}}
{"id":"NK-v","schema":"Vessel","properties":{"name":["Herring"],"imoNumber":["IMO0000001"]}}
{"id":"NK-b","schema":"Person","properties":{"name":["Ben Roth"],"passportNumber":["X 0000001","X 0000002"]}}
{"id":"NK-d","schema":"Person","properties":{"name":["Dora Holm"],"passportNumber":["X 0000003"]}}
{"id":"NK-e","schema":"Company","properties":{"name":["Elm"]},"referents":["z9"]}
`))
	loadFiles(t, store, loader.Options{Dataset: "other"}, write(t, "2.json", `{"id":"z5","schema":"Person","properties":{"name":["Ada Lund"]}}
{"id":"z6","schema":"Vessel","properties":{"name":["Cod"],"imoNumber":["0000001"]}}
{"id":"z7","schema":"Person","properties":{"name":["Бен"],"passportNumber":["X 0000002"]}}
{"id":"z8","schema":"Person","properties":{"name":["Dora Holm"],"passportNumber":["X 0000004"]}}
{"id":"z9","schema":"Company","properties":{"name":["Wych"]}}
`))
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		found, err := graph.Suggest(ctx, tx, 0.8, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, s := range found {
			got[s.A.ID+" "+s.B.ID] = s.Score
		}
		if want := map[string]float64{"ftm/NK-c other/z5": 0.98, "ftm/NK-v other/z6": 1, "ftm/NK-b other/z7": 0.92, "ftm/NK-d other/z8": 0.98, "ftm/NK-e other/z9": 1}; !cmp.Equal(want, got) {
			t.Errorf("%v", got)
		}
	})
}

// TestFTMOneMoreOwner: a row that names one more end has changed.
func TestFTMOneMoreOwner(t *testing.T) {
	store := every.SQLite(t)
	rows := func(owners string) string {
		text := ""
		for _, id := range []string{"a", "b", "c"} {
			text += `{"id":"` + id + `","schema":"Company","properties":{"name":["` + id + `"]}}` + "\n"
		}
		return text + `{"id":"o","schema":"Ownership","properties":{"owner":[` + owners + `],"asset":["c"]}}` + "\n"
	}
	loadFiles(t, store, loader.Options{}, write(t, "f.json", rows(`"a"`)))
	got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, write(t, "g.json", rows(`"a","b"`))))
	if want := (loader.Rows{Read: 4, Changed: 1, Unchanged: 3}); !cmp.Equal(want, got) {
		t.Errorf("%+v", got)
	}
}

// TestFTMLinks: a relation that a property stands for is the same from whichever
// row of the entity it comes, and once however far apart these are.
func TestFTMLinks(t *testing.T) {
	rows := []string{
		`{"id":"c","schema":"LegalEntity","properties":{"name":["Acme"],"proof":["doc"],"parent":["top"]}}`,
		`{"id":"c","schema":"Company","properties":{"name":["Acme"],"proof":["doc"],"country":["us"]}}`,
		`{"id":"c","schema":"Document","properties":{"parent":["top"],"proof":["doc"]}}`,
	}
	var between strings.Builder
	between.WriteString(`{"id":"doc","schema":"Document","properties":{"fileName":["a.pdf"]}}` + "\n")
	for i := range 60 {
		fmt.Fprintf(&between, `{"id":"f%d","schema":"Company","properties":{"name":["F%[1]d"],"parent":["doc"]}}`+"\n", i)
	}
	for _, o := range []loader.Options{{Edition: loader.EditionWhole}, {Edition: loader.EditionWhole, BatchSize: 20}, {Recheck: true, BatchSize: 20}} {
		store := every.SQLite(t)
		var want exports
		for i, order := range [][]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}} {
			var text strings.Builder
			for _, j := range order {
				text.WriteString(rows[j] + "\n" + between.String())
			}
			file := write(t, "x.json", text.String())
			result := loadFiles(t, store, o, file)
			if i == 0 {
				want = export(t, store, loader.ExportOptions{})
			} else if result.Changes() != 0 {
				t.Errorf("%+v: %d changes by the order %v", o, result.Changes(), order)
			}
			if again := loadFiles(t, store, o, file); again.Changes() != 0 {
				t.Errorf("%+v: %d changes by loading it again", o, again.Changes())
			}
		}
		sameExports(t, want, export(t, store, loader.ExportOptions{}))
		var links []string
		for id, versions := range ftmState(t, store).Versions {
			if r := versions[0]; strings.HasPrefix(id, "ftm/link/") && r.Source == "ftm/c" {
				links = append(links, r.Type+" "+r.Target+" "+r.Note)
			}
		}
		slices.Sort(links)
		if want := []string{"LINKED_WITH ftm/doc property: proof", "LINKED_WITH ftm/top property: parent"}; !slices.Equal(links, want) {
			t.Errorf("%q", links)
		}
	}
}

// ftmReturns sees to it that the export in each form can be loaded, and gives the
// same again.
func ftmReturns(t *testing.T, store graph.Store) {
	t.Helper()
	for _, form := range loader.ExportForms {
		want, again := export(t, store, loader.ExportOptions{Form: form}), every.SQLite(t)
		loadFiles(t, again, loader.Options{}, want.files(t, "."+string(form))...)
		sameExports(t, want, export(t, again, loader.ExportOptions{Form: form}))
	}
}

// TestFTMUnattributed: what is under sanctions of which nobody names the authority
// may be what cannot be SANCTIONED. Its export can be loaded.
func TestFTMUnattributed(t *testing.T) {
	store := every.SQLite(t)
	loadFiles(t, store, loader.Options{}, write(t, "x.json", `{"id":"addr-1","schema":"Address","properties":{"full":["1 Main St, Minsk"]}}
{"id":"lic-1","schema":"License","properties":{"name":["Licence 1"]}}
{"id":"sanc-1","schema":"Sanction","properties":{"entity":["addr-1"],"program":["EO 13405"],"startDate":["2020-01-01"]}}
{"id":"sanc-2","schema":"Sanction","properties":{"entity":["addr-1","lic-1"]}}
`))
	for id, versions := range ftmState(t, store).Versions {
		if r := versions[0]; r.Type != "LINKED_WITH" || r.Source != loader.UnattributedID {
			t.Errorf("%s: %+v", id, r)
		}
	}
	ftmReturns(t, store)
	if _, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "own.yaml",
		"dataset: ftm\nentities: [{id: place/x, kind: Place, name: X}]\nrelations: [{type: LINKED_WITH, unattributed: true, target: place/x}]\n")}, loader.Options{}); err == nil ||
		!strings.Contains(err.Error(), "only acts can be unattributed") {
		t.Errorf("what is no record of a feed: %v", err)
	}
}

// TestFTMAgain: files that were loaded before change nothing, in whatever order
// they come again, and nothing but a post gives a title.
func TestFTMAgain(t *testing.T) {
	const ann = `{"id":"p","schema":"Person","properties":{"name":["Ann"]}}` + "\n"
	occupancy := func(post string) string {
		return `{"id":"occ","schema":"Occupancy","properties":{"holder":["p"],"post":["` + post + `"],"startDate":["2015"]}}` + "\n"
	}
	for name, c := range map[string]struct{ a, b, relation, ab, ba string }{
		"no post": {ann + `{"id":"min","schema":"LegalEntity","properties":{"name":["Ministry"]}}` + "\n" + occupancy("min"),
			`{"id":"min","schema":"LegalEntity","properties":{"country":["no"]}}`, "occ", "HOLDS_POST ", "HOLDS_POST "},
		"no post elsewhere": {ann + occupancy("min"), `{"id":"min","schema":"LegalEntity","properties":{"name":["Ministry"]}}`, "occ", "HOLDS_POST ", "HOLDS_POST "},
		"post and more": {ann + `{"id":"min","schema":"Position","properties":{"name":["Minister"]}}` + "\n" + `{"id":"min","schema":"LegalEntity","properties":{}}` + "\n" + occupancy("min"),
			`{"id":"min","schema":"Position","properties":{"country":["no"]}}`, "occ", "HOLDS_POST Minister", "HOLDS_POST Minister"},
		"title": {ann + occupancy("pos"), `{"id":"pos","schema":"Position","properties":{"name":["Minister"]}}`, "occ", "HOLDS_POST ", "HOLDS_POST Minister"},
		"sanction": {`{"id":"s","schema":"Sanction","properties":{"entity":["x","y"],"authority":["EU"],"startDate":["2020"]}}`,
			`{"id":"x","schema":"Address","properties":{"full":["1 Road"]}}` + "\n" + `{"id":"y","schema":"Contract","properties":{"title":["C"]}}`, "s", "SANCTIONED ", "LINKED_WITH "},
		"employment": {ann + `{"id":"e","schema":"Employment","properties":{"employee":["p"],"employer":["x"]}}`,
			`{"id":"x","schema":"Contract","properties":{"title":["C"]}}`, "e", "EMPLOYED_BY ", "LINKED_WITH "},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := write(t, "a.json", c.a+"\n"), write(t, "b.json", c.b+"\n")
			for _, first := range [][]string{{a}, {a, b}, {b, a}} {
				store := every.SQLite(t)
				for _, file := range first {
					loadFiles(t, store, loader.Options{}, file)
				}
				want := export(t, store, loader.ExportOptions{})
				for _, file := range append(slices.Clone(first), first[0]) {
					if again := loadFiles(t, store, loader.Options{}, file); again.Changes() != 0 {
						t.Errorf("%q: %d changes by %s", first, again.Changes(), file)
					}
				}
				sameExports(t, want, export(t, store, loader.ExportOptions{}))
				r := ftmState(t, store).Versions["ftm/record/"+c.relation][0]
				result := c.ab
				if first[0] == b {
					result = c.ba
				}
				if got := r.Type + " " + r.SourceAs; got != result {
					t.Errorf("%q: %q, not %q", first, got, result)
				}
			}
		})
	}
}

// TestFTMLineEnds: texts over several lines are no ids. Such as a property holds, that
// names other entities, are properties still, and all can be exported.
func TestFTMLineEnds(t *testing.T) {
	store := every.SQLite(t)
	result := loadFiles(t, store, loader.Options{}, write(t, "x.json", `{"id":"a","schema":"Person","properties":{"name":["A\nB"],"addressEntity":["1 Quay\nOslo","q"],"notes":["x\ny"]}}
{"id":"s","schema":"Sanction","caption":"S\nT","properties":{"authority":["Office\nof Fish"],"entity":["a","q"],"reason":["x\ny"]},"referents":["o\np"]}
{"id":"d","schema":"Directorship","properties":{"director":["a"],"organization":["q"],"role":["Chair\nof all"]},"referents":["o\np"]}
`))
	if got := result.Loads[0].Rows; got.Created != 3 {
		t.Errorf("%+v", got)
	}
	state := ftmState(t, store)
	if n := state.Nodes["ftm/a"]; n.Name != "A B" || !slices.Contains(n.Properties, graph.Property{Name: "addressEntity", Value: "1 Quay\nOslo"}) {
		t.Errorf("%+v", n)
	}
	ftmReturns(t, store)
}

// TestFTMActs: an act over a period happened on some day of it; a sanction is imposed
// on the first.
func TestFTMActs(t *testing.T) {
	for _, c := range []struct{ dates, want, note string }{
		{`"startDate":["2014-01-01"],"endDate":["2014-12-31"]`, "2014-01-01/2014-12-31", ""},
		{`"startDate":["2014-01-01T10:00"],"endDate":["2014-01-01T11:00"]`, "2014-01-01", "endDate: 2014-01-01T11:00\nstartDate: 2014-01-01T10:00"},
		{`"startDate":["2014"],"endDate":["2014"]`, "2014", ""},
		{`"startDate":["2014","2014-03"],"endDate":["2014-12-31","2014-12"]`, "2014-03/2014-12-31", ""},
		{`"startDate":["2014-01-01"]`, "2014-01-01", ""},
		{`"endDate":["2014-01-01"]`, "/2014-01-01", ""},
		{`"startDate":["2014"],"endDate":["2013"]`, "2014", "endDate: 2013"},
		{`"startDate":["2014"],"endDate":["9999"]`, "2014", "endDate: 9999"},
		{`"date":["2014-05-06"],"startDate":["2014-01-01"],"endDate":["2014-12-31"]`, "2014-05-06", "endDate: 2014-12-31\nstartDate: 2014-01-01"},
		{`"date":["soon"],"startDate":["2014-01-01"],"endDate":["2014-12-31"]`, "2014-01-01/2014-12-31", "date: soon"},
	} {
		store := every.SQLite(t)
		loadFiles(t, store, loader.Options{}, write(t, "x.json", `{"id":"pay","schema":"Payment","properties":{"payer":["a"],"beneficiary":["b"],`+c.dates+`}}
{"id":"call","schema":"Call","properties":{"caller":["a"],"receiver":["b"],`+c.dates+`}}
{"id":"next","schema":"Succession","properties":{"successor":["a"],"predecessor":["b"],`+c.dates+`}}
`))
		for id, versions := range ftmState(t, store).Versions {
			if r := versions[0]; r.Date.EDTF != c.want || r.Note != c.note {
				t.Errorf("%s, %s: %q, %q", c.dates, id, r.Date.EDTF, r.Note)
			}
		}
		ftmReturns(t, store)
	}
	store := every.SQLite(t)
	loadFiles(t, store, loader.Options{}, write(t, "x.json", `{"id":"s","schema":"Sanction","properties":{"entity":["a"],"startDate":["2014-01-01"],"endDate":["2014-12-31"]}}`))
	if r := ftmState(t, store).Versions["ftm/record/s"][0]; r.Date.EDTF != "2014-01-01" || r.Note != "endDate: 2014-12-31" {
		t.Errorf("%+v", r)
	}
}

// TestFTMAuthorities: who sanctions has one name, and the other spellings of it for
// aliases, in whatever order rows and files come.
func TestFTMAuthorities(t *testing.T) {
	row := func(i int, authority string) string {
		return fmt.Sprintf(`{"id":"s%d","schema":"Sanction","properties":{"entity":["x"],"authority":[%q]}}`+"\n", i, authority)
	}
	rows := []string{row(1, "ofac"), row(2, "Ofac"), row(3, "OFAC"), row(4, "O.F.A.C."), row(5, "eu"), row(6, "EU")}
	check := func(how string, store graph.Store) {
		t.Helper()
		nodes := ftmState(t, store).Nodes
		if n := nodes["ftm/authority/ofac"]; n == nil || n.Name != "OFAC" || !slices.Equal(n.Aliases, []string{"Ofac", "ofac"}) {
			t.Errorf("%s: %+v", how, n)
		}
		if n := nodes["ftm/authority/eu"]; n == nil || n.Name != "EU" || !slices.Equal(n.Aliases, []string{"eu"}) {
			t.Errorf("%s: %+v", how, n)
		}
	}
	random := rand.New(rand.NewPCG(3, 3))
	var want exports
	for i := range 6 {
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		together, apart, increments := every.SQLite(t), every.SQLite(t), every.SQLite(t)
		file := write(t, "x.json", strings.Join(rows, ""))
		loadFiles(t, together, loader.Options{}, file)
		check("together", together)
		loadFiles(t, apart, loader.Options{BatchSize: 1}, file)
		check("in many batches", apart)
		var files []string
		for j, row := range rows {
			files = append(files, write(t, fmt.Sprintf("%d.json", j), row))
		}
		loadFiles(t, increments, loader.Options{}, files...)
		check("in increments", increments)
		for _, file := range files {
			if again := loadFiles(t, increments, loader.Options{Recheck: true}, file); again.Changes() != 0 {
				t.Errorf("%s again: %+v", file, again.Loads[0].Report)
			}
		}
		if i == 0 {
			want = export(t, together, loader.ExportOptions{})
			ftmReturns(t, together)
		}
		for _, store := range []graph.Store{together, apart, increments} {
			sameExports(t, want, export(t, store, loader.ExportOptions{}))
		}
		whole := loadFiles(t, increments, loader.Options{Edition: loader.EditionWhole}, write(t, "w.json", rows[0]))
		if n := whole.Loads[0].Entities.Withdrawn; n != 2 {
			t.Errorf("%d authorities are withdrawn", n)
		}
	}
}
