package loader_test

import (
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"

	"golang.org/x/text/unicode/norm"
)

// eventRow is a row of ICEWS about a place.
func eventRow(id, source, sector, country, city, lat, lon string) string {
	return strings.Join([]string{id, "2018-01-03", source, sector, country, "Praise", "051", "3", "Ann Lee", "NA", "NA", id, "1", "Pub", city, "NA", "NA", "NA", lat, lon}, "\t") + "\n"
}

// TestComposedLetters: letters in two pieces are the letters in one.
func TestComposedLetters(t *testing.T) {
	const name = "Zoé Quill"
	for format, text := range map[string]string{
		"tkg":   strings.ReplaceAll(name, " ", "_") + "\tConsult\tAnn_Lee\t2014-01-02\n",
		"icews": eventRow("1", name, "Elite", "France", "Orléans", "47.9", "1.9"),
	} {
		every.Store(t, func(t *testing.T, store graph.Store) {
			two, one := norm.NFD.String(text), norm.NFC.String(text)
			if two == one {
				t.Fatal("they are alike")
			}
			loadFiles(t, store, loader.Options{}, write(t, "two", two))
			result := loadFiles(t, store, loader.Options{}, write(t, "one", one))
			state, err := loadertest.ReadState(t.Context(), store, format)
			if n := state.Nodes[format+"/zoe-quill"]; err != nil || result.Changes() > 0 || n == nil || n.Name != norm.NFC.String(name) || len(n.Aliases) > 0 {
				t.Errorf("%s: %v, %d changes, %+v", format, err, result.Changes(), n)
			}
			for id, n := range state.Nodes {
				if !norm.NFC.IsNormalString(n.Name) {
					t.Errorf("%s: %q", id, n.Name)
				}
			}
		})
	}
}

// TestZeroDegrees: there is one zero meridian.
func TestZeroDegrees(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		result := loadFiles(t, store, loader.Options{}, write(t, "a.tab", eventRow("1", "A", "NA", "NA", "Greenwich", "51.5", "-0")+
			eventRow("2", "B", "NA", "NA", "Greenwich", "51.5", "0")+eventRow("3", "C", "NA", "NA", "NA", "91", "999")))
		if r := result.Loads[0].Rows; r.Created != 2 || r.Rejected != 1 {
			t.Errorf("%+v", *r)
		}
		state, err := loadertest.ReadState(t.Context(), store, "icews")
		places := 0
		for id, n := range state.Nodes {
			if n.Kind == graph.KindPlace {
				if places++; n.Point == nil || 1/n.Point.Longitude < 0 {
					t.Errorf("%s: %+v", id, n.Point)
				}
			}
		}
		if err != nil || places != 1 {
			t.Errorf("%d places, %v", places, err)
		}
	})
}

// TestBlanksInPlaces: what GDELT says of where a place is begins with no blank, so that an
// export loads as what it was.
func TestBlanksInPlaces(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		loadFiles(t, store, loader.Options{}, write(t, "f.tsv", gdeltRow(map[int]string{52: "Postal  Museum,  United States"})))
		state, err := loadertest.ReadState(t.Context(), store, "gdelt")
		places := 0
		for id, n := range state.Nodes {
			if n.Kind == graph.KindPlace {
				if places++; n.Name != "Postal Museum" || n.Description != "United States" {
					t.Errorf("%s: %q, %q", id, n.Name, n.Description)
				}
			}
		}
		if err != nil || places != 1 {
			t.Errorf("%d places, %v", places, err)
		}
	})
}

// TestMoreRejected: the remark on further bad rows says where they are.
func TestMoreRejected(t *testing.T) {
	text := "A\tConsult\tB\t2014-02-27\n" + strings.Repeat("bad\n", 5)
	var list strings.Builder
	for want, o := range map[string]loader.Options{
		"2 more rows are rejected; --rejects FILE lists them all":     {DryRun: true},
		"2 more rows are rejected; the list of bad rows has them all": {DryRun: true, Rejects: &list},
	} {
		l := loadFiles(t, every.SQLite(t), o, write(t, "f.tsv", text)).Loads[0]
		if n := len(l.Notes); n != 4 || l.Notes[3].Message != want {
			t.Errorf("%v, not %s", l.Notes, want)
		}
	}
}

// TestStateWithSectors: what bodies are part of is a state, whichever rows and files
// say so, and whatever sector a row gives it.
func TestStateWithSectors(t *testing.T) {
	for _, sector := range []string{"Business", "Elite"} {
		georgia, police := eventRow("1", "Georgia", sector, "Georgia", "NA", "NA", "NA"), eventRow("2", "Police (Georgia)", "Police", "Georgia", "NA", "NA", "NA")
		for _, texts := range [][]string{{georgia + police}, {georgia, police}, {police, georgia}} {
			every.Store(t, func(t *testing.T, store graph.Store) {
				for _, text := range texts {
					loadFiles(t, store, loader.Options{}, write(t, "f.tab", text))
				}
				if n := loadFiles(t, store, loader.Options{Recheck: true}, write(t, "f.tab", texts[len(texts)-1])).Changes(); n != 0 {
					t.Errorf("checked again, %d things changed", n)
				}
				state, err := loadertest.ReadState(t.Context(), store, "icews")
				if err != nil {
					t.Fatal(err)
				}
				got := entitiesOf(state, "icews")
				if e := got["georgia"]; e.Kind != graph.KindState || e.ISO != "GEO" || got["police-georgia"].PartOf != "georgia" {
					t.Errorf("%d files: %+v", len(texts), got)
				}
			})
		}
	}
}
