package loader_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
)

// polecatFile has invented events, made of the columns that the feed documents.
const polecatFile = "testdata/polecat.txt"

func polecatText(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(polecatFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPOLECAT(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		result := loadFiles(t, store, loader.Options{}, polecatFile)
		if got, want := rowsAddUp(t, result), (loader.Rows{Read: 10, Created: 8, Duplicate: 1, Rejected: 1}); !cmp.Equal(want, got) {
			t.Fatalf("%+v", got)
		}
		if notes := notesOf(result); !strings.Contains(notes, `Event Type: "DANCE" is not an event type of PLOVER`) {
			t.Error(notes)
		}
		// Persons have titles; fishermen are a group by that word; Cleo Vale is undecided, and so is a Georgia that is not the state.
		kinds := map[graph.Kind]int{graph.KindState: 2, graph.KindPerson: 2, graph.KindOrganization: 3, graph.KindGroup: 2, graph.KindUndecided: 2}
		if diff := cmp.Diff(kinds, result.Loads[0].Rows.Kinds); diff != "" {
			t.Error(diff)
		}
		if again := loadFiles(t, store, loader.Options{}, polecatFile); again.Changes() != 0 {
			t.Errorf("the second load changed %d things", again.Changes())
		}
		state, err := loadertest.ReadState(t.Context(), store, "polecat")
		if err != nil {
			t.Fatal(err)
		}
		checkPOLECAT(t, state)
	})
}

func checkPOLECAT(t *testing.T, state loadertest.State) {
	type act struct{ Type, Family, Source, As, Target, Note string }
	var got []act
	events := map[string]map[string]bool{}
	for id, versions := range state.Versions {
		key, record := strings.CutPrefix(id, "polecat/record/")
		if !record {
			continue
		}
		r := versions[0]
		name := func(id string) string { return strings.TrimPrefix(strings.TrimPrefix(id, "polecat/"), "group/") }
		got = append(got, act{r.Type, r.Family, name(r.Source), r.SourceAs, name(r.Target), r.Note})
		story := key[:strings.Index(key, "_")]
		if events[story] == nil {
			events[story] = map[string]bool{}
		}
		events[story][r.Event] = true
		if r.CAMEO != "" || r.Date.EDTF != "2023-03-04" || len(r.Citations) != 1 || r.Citations[0].Source != "polecat/story/"+story || (r.Status == graph.Planned) != (r.Type == "AIDED") {
			t.Errorf("%+v", r)
		}
	}
	slices.SortFunc(got, func(a, b act) int {
		return strings.Compare(a.Type+a.Source+a.Target, b.Type+b.Source+b.Target)
	})
	want := []act{
		{"AIDED", "AID", "norway", "", "ben-roth", "AID; contexts: future"},
		{"AIDED", "AID", "norway", "", "cleo-vale", "AID; contexts: future"},
		{"AIDED", "AID", "sweden", "", "ben-roth", "AID; contexts: future"},
		{"AIDED", "AID", "sweden", "", "cleo-vale", "AID; contexts: future"},
		{"CONSULTED", "CONSULT", "norway", "", "ada-lund", "CONSULT, multilateral"},
		{"CONSULTED", "CONSULT", "norway", "", "sweden", "CONSULT, multilateral"},
		{"CONSULTED", "CONSULT", "sweden", "", "ada-lund", "CONSULT, multilateral"},
		{"DEMANDED_FROM", "REQUEST", "unattributed", "", "sweden", "REQUEST"},
		{"DETAINED", "COERCE", "police-sweden", "", "ben-roth", "COERCE, restrict, arrest"},
		{"DETAINED", "COERCE", "police-sweden", "", "georgia-united-states", "COERCE, restrict, arrest"},
		{"PROTESTED_AGAINST", "PROTEST", "protester-norway", "", "fish-union", "PROTEST, demo"},
		{"STRUCK", "ASSAULT", "military-norway", "", "fishermen", "ASSAULT, firearms; contexts: military"},
		{"VISITED", "CONSULT", "ada-lund", "Minister of Fish", "sweden", "CONSULT, visit; contexts: diplomatic, economic"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Each row with several actors is one event.
	if n := len(events["20230305-0004-aaaabbbb0004"]); n != 1 || events["20230305-0004-aaaabbbb0004"][""] {
		t.Error(events)
	}
	if n := len(events["20230305-0001-aaaabbbb0001"]); n != 2 {
		t.Error(events)
	}
	id := func(scheme, value string) graph.ExternalID { return graph.ExternalID{Scheme: scheme, Value: value} }
	if n := state.Nodes["polecat/norway"]; n.Kind != graph.KindState || !slices.Equal(n.ExternalIDs, []graph.ExternalID{id("cow", "385"), id("iso3166", "NOR")}) {
		t.Errorf("%+v", n)
	}
	if n := state.Nodes["polecat/ada-lund"]; n.Kind != graph.KindPerson || !slices.Equal(n.ExternalIDs, []graph.ExternalID{id("wikipedia", "Ada Lund")}) {
		t.Errorf("%+v", n)
	}
	if n := state.Nodes["polecat/fish-union"]; n.Kind != graph.KindOrganization || !slices.Equal(n.ExternalIDs, []graph.ExternalID{id("wikidata", "Q0000007")}) {
		t.Errorf("%+v", n)
	}
	story := state.Nodes["polecat/story/20230305-0001-aaaabbbb0001"]
	properties := []graph.Property{{Name: "language", Value: "English"}, {Name: "storyLocations", Value: "Stockholm"}, {Name: "storyOrganizations", Value: "Fiskekontoret"},
		{Name: "storyPeople", Value: "Ada Lund"}, {Name: "storyPeople", Value: "Ben Roth"}}
	if story.Name != "Story 20230305-0001-aaaabbbb0001" || story.Publisher != "The Daily" || story.Date.EDTF != "2023-03-05" || !slices.Equal(story.Properties, properties) {
		t.Errorf("%+v", story)
	}
	places := 0
	for id, n := range state.Nodes {
		if strings.HasPrefix(id, "polecat/place/") {
			places++
			if n.Name != "Stockholm" || n.Description != "Stockholm County, Sweden" || n.Point.Longitude != 18.1 || n.ExternalIDs[0].Scheme != "geonames" {
				t.Errorf("%+v", n)
			}
		}
	}
	if places != 1 {
		t.Errorf("%d places", places)
	}
}

// TestPOLECATWidths: files that have tabs behind the last column, and those
// with a header that names columns which the rows lack, are read all the same.
func TestPOLECATWidths(t *testing.T) {
	text := polecatText(t)
	plain := loadAndDumpOf(t, "polecat", write(t, "p.txt", text))
	for name, other := range map[string]string{
		"tabs":    strings.ReplaceAll(text, "\n", "\t\t\n"),
		"columns": strings.Replace(text, "Version\n", "Version\tHeadline\tMore\n", 1),
		"BOM":     "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n"),
		"quoted":  `"` + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(text), "\t", "\"\t\""), "\n", "\"\n\"") + `"`,
	} {
		state := loadAndDumpOf(t, "polecat", write(t, "p.txt", other))
		state.Dataset = plain.Dataset
		if diff := cmp.Diff(plain, state); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func loadAndDumpOf(t testing.TB, dataset, file string) loadertest.State {
	t.Helper()
	store := every.SQLite(t)
	loadFiles(t, store, loader.Options{}, file)
	state, err := loadertest.ReadState(context.Background(), store, dataset)
	if err != nil {
		t.Fatal(err)
	}
	return state.WithoutMoments()
}

// TestPOLECATShared: rows of one event that name some of the same actors state
// each relation once, and none is lost.
func TestPOLECATShared(t *testing.T) {
	header, _, _ := strings.Cut(polecatText(t), "\n")
	row := func(actors, recipients string) string {
		f := make([]string, strings.Count(header, "\t")+1)
		for i, column := range strings.Split(header, "\t") {
			f[i] = map[string]string{"Event ID": "S1_1", "Event Date": "2023-01-05", "Event Type": "SANCTION", "Actor Name": actors, "Recipient Name": recipients}[column]
		}
		return strings.Join(f, "\t") + "\n"
	}
	for name, c := range map[string]struct {
		text string
		want loader.Rows
		acts []string
	}{
		"fewer":     {row("A Corp;C Corp", "B Corp") + row("C Corp", "B Corp"), loader.Rows{Read: 2, Created: 2}, []string{"a-corp b-corp", "c-corp b-corp"}},
		"other":     {row("A Corp;C Corp", "B Corp") + row("A Corp;D Corp", "B Corp"), loader.Rows{Read: 2, Created: 2}, []string{"a-corp b-corp", "c-corp b-corp", "d-corp b-corp"}},
		"all":       {row("A Corp", "B Corp") + row("C Corp;A Corp", "B Corp"), loader.Rows{Read: 2, Created: 1, Duplicate: 1}, []string{"a-corp b-corp", "c-corp b-corp"}},
		"spellings": {row("A Corp;A  corp", "B Corp"), loader.Rows{Read: 1, Created: 1}, []string{"a-corp b-corp"}},
		"itself":    {row("A Corp", "A Corp;A corp"), loader.Rows{Read: 1, Created: 1}, []string{"a-corp a-corp"}},
	} {
		store := every.SQLite(t)
		file := write(t, "p.tsv", header+"\n"+c.text)
		result := loadFiles(t, store, loader.Options{}, file)
		if got := rowsAddUp(t, result); !cmp.Equal(c.want, got) || result.Loads[0].Relations.Changed != 0 {
			t.Errorf("%s: %+v, %+v", name, got, result.Loads[0].Relations)
		}
		state, err := loadertest.ReadState(t.Context(), store, "polecat")
		if err != nil {
			t.Fatal(err)
		}
		var acts []string
		for _, v := range state.Versions {
			acts = append(acts, strings.TrimPrefix(v[0].Source, "polecat/")+" "+strings.TrimPrefix(v[0].Target, "polecat/"))
		}
		slices.Sort(acts)
		if diff := cmp.Diff(c.acts, acts); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if again := loadFiles(t, store, loader.Options{Recheck: true}, file); again.Changes() != 0 {
			t.Errorf("%s: the second load changed %d things", name, again.Changes())
		}
	}
}

// TestPOLECATChanged: a row counts once, as changed if any of its relations did.
func TestPOLECATChanged(t *testing.T) {
	header, _, _ := strings.Cut(polecatText(t), "\n")
	row := func(key, recipients, titles string) string {
		f := strings.Split(header, "\t")
		for i, column := range f {
			f[i] = map[string]string{"Event ID": key, "Event Date": "2023-01-05", "Event Type": "ACCUSE", "Actor Name": "A", "Recipient Name": recipients, "Recipient Title": titles}[column]
		}
		return strings.Join(f, "\t") + "\n"
	}
	before := []string{row("S_1", "B;C;D", ";Mayor;Mayor"), row("S_2", "B;C", ";Mayor"), row("S_3", "B", "")}
	for name, c := range map[string]struct {
		rows []string
		want loader.Rows
	}{
		"others":    {[]string{row("S_1", "B;C;D", ";Senator;Senator"), before[1], before[2]}, loader.Rows{Read: 3, Changed: 1, Unchanged: 2}},
		"all":       {[]string{before[0], row("S_2", "B;C", "Senator;Senator"), before[2]}, loader.Rows{Read: 3, Changed: 1, Unchanged: 2}},
		"one more":  {[]string{before[0], before[1], row("S_3", "B;C", "")}, loader.Rows{Read: 3, Changed: 1, Unchanged: 2}},
		"all new":   {[]string{before[0], before[1], row("S_4", "B;C", "")}, loader.Rows{Read: 3, Created: 1, Unchanged: 2}},
		"the first": {[]string{row("S_1", "B;C;D", "Senator;Mayor;Mayor"), before[1]}, loader.Rows{Read: 2, Changed: 1, Unchanged: 1}},
	} {
		for _, o := range []loader.Options{{}, {BatchSize: 1}, {DryRun: true}} {
			store := every.SQLite(t)
			loadFiles(t, store, loader.Options{}, write(t, "p.txt", header+"\n"+strings.Join(before, "")))
			if got := rowsAddUp(t, loadFiles(t, store, o, write(t, "q.txt", header+"\n"+strings.Join(c.rows, "")))); !cmp.Equal(c.want, got) {
				t.Errorf("%s, %+v: %+v", name, o, got)
			}
		}
	}
}
