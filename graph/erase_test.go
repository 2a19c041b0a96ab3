package graph

import (
	"slices"
	"testing"
)

func TestNamesInTexts(t *testing.T) {
	var n names
	for _, name := range []string{"Ada Quill", "O'Neil", "Bo", "習近平", "Élan Vital"} {
		n.add(name)
	}
	n.addID("person/ada")
	for text, want := range map[string]bool{
		"":                                false,
		"ADA  quill's visit":              true,
		"Ada, Quill":                      true,
		"https://example.org/ada-quill-2": true,
		"Quill Ada":                       false,
		"Adam Quill":                      false,
		"Ada Quillfeather":                false,
		"with O’Neil":                     true,
		"Bo went":                         false, // too short to be looked for
		"國家主席習近平訪問":                       true,
		"elan vital":                      true,
		"see person/ada.":                 true,
		"person/ada-x":                    false,
		"a-person/ada person/ada":         true,
		"person/adam (person/ada)":        true,
		"xperson/ada":                     false,
	} {
		if got := n.in(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// TestKeysInTexts: what stands for something beside its names is found in texts,
// and decides of no event.
func TestKeysInTexts(t *testing.T) {
	var n names
	n.addKeys("ftm/NK-abcdef", &Content{Name: "Xaver Quorn", ExternalIDs: []ExternalID{{"wikidata", "Q14234"}, {"iso3166", "FRA"}}})
	n.addKeys("person/ada-quill", &Content{Name: "Ada Quill"})
	for text, want := range map[string]bool{
		"NK-abcdef":                            true,
		"ftm/record/san-NK-abcdef/NK-co":       true,
		"https://www.wikidata.org/wiki/Q14234": true,
		"Q142345":                              false,
		"NK-abcdefg":                           false,
		"FRA":                                  false,
		"ada-quill":                            false, // which is in another list, as a name
	} {
		if got := n.inText(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
		if n.inEvent(text) {
			t.Errorf("%q is taken for a name", text)
		}
	}
}

// TestJournalEdit: entries keep their numbers, and tell what is left to tell.
func TestJournalEdit(t *testing.T) {
	v := func(id string, recorded, superseded Instant) *Relation {
		return &Relation{ID: id, RecordedAt: recorded, SupersededAt: superseded}
	}
	e := Erasure{Relations: []*Relation{v("old", 1, 2), v("new", 2, 0), v("both", 1, 2), v("both", 2, 3), v("left", 1, 2)}}
	edit := e.Journal()
	for at, c := range map[Instant]struct {
		before, after []string
		changed       bool
	}{
		1: {[]string{"+a", "+old", "+new", "+both", "+left", ""}, []string{"+a", "", "+new", "", "", ""}, true},
		2: {[]string{"-left", "~old", "~new", "~both", "-b"}, []string{"", "+old", "-new", "", "-b"}, true},
		3: {[]string{"-both", "+old"}, []string{"", "+old"}, true},
		4: {[]string{"+both"}, []string{"+both"}, false},
	} {
		got := slices.Clone(c.before)
		if changed := edit.Apply(at, got); changed != c.changed || !slices.Equal(got, c.after) {
			t.Errorf("%d: %q, %t", at, got, changed)
		}
		if edit.Apply(at, slices.Clone(c.after)) && at != 2 {
			t.Errorf("%d is edited twice", at)
		}
	}
}

// TestRewrittenHashes: what is rewritten in a store has the hash that a load
// gives what it reads from a file.
func TestRewrittenHashes(t *testing.T) {
	for _, text := range []string{"2020-01-01/..", "2020-01-01", ""} {
		date, err := ResolveDate(text, Standing, Stated, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		loaded := Relation{ID: "r", Type: "LEADS", Source: "a", Target: "b", Date: date, About: []string{"x", "y"}, Event: "e"}
		want := loaded
		want.About, want.Event = []string{"y"}, ""
		held := loaded
		held.Hash = held.ContentHash()
		held.Date.RecordedOn(1000)
		held.Date.OpenAsOfRecording = false // stores do not keep it
		after, other := held.without(func(id string) bool { return id == "x" || id == "e" })
		if got := rewritten(&held, after); !other || got.Hash != want.ContentHash() || got.Was != loaded.ContentHash() || got.Date != held.Date {
			t.Errorf("%q: %+v", text, got.Relation)
		}
		c := Content{Form: FormEvent, Name: "E", Date: date, Participants: []Participant{{Entity: "x"}, {Entity: "y"}}, Places: []string{"x"}}
		c.normalise()
		left := c
		left.Participants, left.Places = c.Participants[1:], nil
		s := Statement{ID: "e", Content: c, Hash: c.ContentHash()}
		s.Content.Date.RecordedOn(1000)
		s.Content.Date.OpenAsOfRecording = false
		if got := restated(s, s.Content.without(func(id string) bool { return id == "x" })); got.Hash != left.ContentHash() || got.Was != s.Hash {
			t.Errorf("%q: %+v", text, got.Statement)
		}
	}
}

// TestShortNames: a name too short to be looked for in texts is found where it
// is one of those that the name of an event is made of, or all of a property.
func TestShortNames(t *testing.T) {
	n := &names{}
	n.add("Yu")
	for text, want := range map[string]bool{
		"Host a visit: Ann Lee, Bob Stone, Yu": true, "Consult: yu, Ann": true, "Yu": true, "Consult: Yu Li, Ann": false,
		"Yu and Ann meet": false, "Consult: Ann, Yusuf": false, "": false,
	} {
		if n.inEvent(text) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
	fields := n.fields("x", &Content{Name: "Yu and Ann", Properties: []Property{{Name: "storyPeople", Value: "Zed"}, {Name: "storyPeople", Value: "Yú"}}})
	if len(fields) != 1 || fields[0] != "properties" {
		t.Error(fields)
	}
}
