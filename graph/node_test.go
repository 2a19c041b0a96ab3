package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// randomContent draws from few values, so that they meet. The values of
// external ids are names too where ids is "".
func randomContent(r *rand.Rand, ids string) Content {
	word := func() string { return []string{"", "A", "B", "C", "1", "2"}[r.IntN(6)] }
	words := func() (out []string) {
		for range r.IntN(4) {
			out = append(out, word())
		}
		return out
	}
	c := Content{Form: FormEntity, Name: word(), Kind: []Kind{KindUndecided, KindPerson, KindState}[r.IntN(3)],
		Aliases: words(), Description: word(), URL: word(), Publisher: word(), Places: words()}
	for i, w := range words() {
		c.ExternalIDs = append(c.ExternalIDs, ExternalID{"x", ids + w})
		c.Properties = append(c.Properties, Property{word(), w})
		c.Participants = append(c.Participants, Participant{w, fmt.Sprint(i % 2)})
	}
	dates := []string{"", "2020/..", "2019/", "/2022", "2018/2023", "2020", "2021-01-02"}
	if ids != "" {
		dates = dates[:5]
	}
	c.Date, _ = ResolveDate(dates[r.IntN(len(dates))], Standing, []DateBasis{Stated, Inferred}[r.IntN(2)], 0, false)
	if r.IntN(2) == 0 {
		c.Point = &Point{float64(r.IntN(2)), 1}
	}
	c.normalise()
	return c
}

// TestUniting: what was said once changes nothing when it is said again, by
// whatever way it came to be there.
func TestUniting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	same := func(what string, want, got Content) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s (-before +after)\n%s", what, diff)
		}
	}
	for range 3_000 {
		a, b := randomContent(r, ""), randomContent(r, "")
		same("a + a", a, a.Add(a))
		same("a corrected by a", a, a.Correct(a))
		added := a.Add(b)
		same("a + b + b", added, added.Add(b))
		same("a + b + a", added, added.Add(a))
		corrected := a.Correct(b)
		same("a corrected by b, twice", corrected, corrected.Correct(b))
		same("a corrected by b, + b", corrected, corrected.Add(b))
		same("a corrected by b, + a", corrected, corrected.Add(a))
	}
	// Over several loads this holds where ids are not mistaken for names, nor a
	// day for a life.
	for range 3_000 {
		a, b, c := randomContent(r, "id "), randomContent(r, "id "), randomContent(r, "id ")
		twice := a.Correct(b).Correct(c)
		for what, again := range map[string]Content{"a": a, "b": b, "c": c} {
			same("a corrected by b and c, + "+what, twice, twice.Add(again))
		}
	}
}

// TestCorrect: of single values the later one's count, and no list loses anything.
func TestCorrect(t *testing.T) {
	date := func(text string) Date {
		d, err := ResolveDate(text, Standing, Stated, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a := Content{Form: FormEntity, Kind: KindPerson, Name: "Ada Lundt", Aliases: []string{"A. L."}, Date: date("1950"), Description: "a painter",
		ExternalIDs: []ExternalID{{"x", "1"}}, Properties: []Property{{"sector", "arts"}}}
	b := Content{Form: FormEntity, Kind: KindUndecided, Name: "Ada Lund", Date: date("1951-02-03"), Properties: []Property{{"sector", "music"}}}
	want := Content{Form: FormEntity, Kind: KindPerson, Name: "Ada Lund", Aliases: []string{"A. L.", "Ada Lundt"}, Date: date("1951-02-03"), Description: "a painter",
		ExternalIDs: []ExternalID{{"x", "1"}}, Properties: []Property{{"sector", "arts"}, {"sector", "music"}}}
	if diff := cmp.Diff(want, a.Correct(b)); diff != "" {
		t.Error(diff)
	}
	want.Name, want.Aliases, want.Date = "Ada Lundt", []string{"A. L.", "Ada Lund"}, date("1950")
	if diff := cmp.Diff(want, a.Add(b)); diff != "" {
		t.Error(diff)
	}
	// Each end of a life is a value of its own.
	for _, c := range []struct{ before, later, want string }{
		{"1950-01-02/", "/2010", "1950-01-02/2010"},
		{"/2010", "1950-01-02/", "1950-01-02/2010"},
		{"1950/2010", "1951/", "1951/2010"},
		{"1950/..", "/2010", "1950/2010"},
		{"1950/1960", "1970/", "1970/"},
		{"1950", "/2010", "/2010"},
	} {
		a.Date, b.Date = date(c.before), date(c.later)
		if got := a.Correct(b).Date; got != date(c.want) {
			t.Errorf("%s, then %s: %+v", c.before, c.later, got)
		}
	}
	// A name that is but an id is no name, whoever says so.
	id := Content{Form: FormEntity, Kind: KindUndecided, Name: "1"}
	if got := a.Correct(id); got.Name != "Ada Lundt" || slices.Contains(got.Aliases, "1") {
		t.Errorf("%+v", got)
	}
	if got := id.Add(a); got.Name != "Ada Lundt" || slices.Contains(got.Aliases, "1") {
		t.Errorf("%+v", got)
	}
}
