package graph

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestDays goes through all days there are.
func TestDays(t *testing.T) {
	at := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for d := MinDay; d <= MaxDay; d++ {
		text := d.String()
		if want := at.Format(time.DateOnly); text != want {
			t.Fatalf("day %d is %s, want %s", d, text, want)
		}
		if parsed, err := ParseDay(text); err != nil || parsed != d {
			t.Fatalf("%s reads as %d, %v", text, parsed, err)
		}
		if DayOf(at) != d || !d.Time().Equal(at) {
			t.Fatalf("%s: DayOf gives %d, Time %s", text, DayOf(at), d.Time())
		}
		at = at.AddDate(0, 0, 1)
	}
	if at.Year() != 10000 {
		t.Errorf("the last day is followed by %s", at)
	}
	if DayOf(time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)) != MinDay || DayOf(time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)) != MaxDay {
		t.Error("days out of range are not kept inside")
	}
	if DayOf(time.Date(2025, 12, 1, 1, 0, 0, 0, time.FixedZone("", 2*3600))).String() != "2025-11-30" {
		t.Error("DayOf is not in UTC")
	}
}

func bounds(a, b, c, d string) Bounds {
	var out [4]Day
	for i, s := range []string{a, b, c, d} {
		switch s {
		case "-":
			out[i] = MinDay
		case "+":
			out[i] = MaxDay
		default:
			day, err := ParseDay(s)
			if err != nil {
				panic(err)
			}
			out[i] = day
		}
	}
	return Bounds{out[0], out[1], out[2], out[3]}
}

// TestResolve has the literal bounds of every form.
func TestResolve(t *testing.T) {
	published, _ := ParseDay("2025-12-01")
	for _, c := range []struct {
		text       string
		nature     Nature
		basis      DateBasis
		want       Bounds
		start, end EndKind
		sort       string
		edtf       string
	}{
		{"2025-12-01", Act, "", bounds("2025-12-01", "2025-12-01", "2025-12-01", "2025-12-01"), EndKnown, EndKnown, "2025-12-01", ""},
		{"2025-11", Act, "", bounds("2025-11-01", "2025-11-30", "2025-11-01", "2025-11-30"), EndKnown, EndKnown, "2025-11-30", ""},
		{"2024-02", Act, "", bounds("2024-02-01", "2024-02-29", "2024-02-01", "2024-02-29"), EndKnown, EndKnown, "2024-02-29", ""},
		{"2025", Act, "", bounds("2025-01-01", "2025-12-31", "2025-01-01", "2025-12-31"), EndKnown, EndKnown, "2025-12-31", ""},
		{"2025-11-24/2025-11-30", Act, Inferred, bounds("2025-11-24", "2025-11-30", "2025-11-24", "2025-11-30"), EndKnown, EndKnown, "2025-11-30", ""},
		{"2025-11~", Act, "", bounds("2025-10-01", "2025-12-31", "2025-10-01", "2025-12-31"), EndKnown, EndKnown, "2025-12-31", ""},
		{"2025-12-01~", Act, "", bounds("2025-11-30", "2025-12-02", "2025-11-30", "2025-12-02"), EndKnown, EndKnown, "2025-12-02", ""},
		{"2025~", Act, "", bounds("2024-01-01", "2026-12-31", "2024-01-01", "2026-12-31"), EndKnown, EndKnown, "2026-12-31", ""},
		{"2025-12-01?", Act, "", bounds("2025-11-30", "+", "-", "2025-12-02"), EndKnown, EndKnown, "2025-12-02", ""},
		{"2025%", Act, "", bounds("2024-01-01", "+", "-", "2026-12-31"), EndKnown, EndKnown, "2026-12-31", ""},
		{"/2025-12-01", Act, "", bounds("-", "2025-12-01", "-", "2025-12-01"), EndUnknown, EndKnown, "2025-12-01", ""},
		{"2025-12-01/", Act, "", bounds("2025-12-01", "+", "2025-12-01", "+"), EndKnown, EndUnknown, "+", ""},
		{"2025-12-01/..", Act, "", bounds("2025-12-01", "+", "2025-12-01", "+"), EndKnown, EndOpen, "+", ""},
		{"2025-12-01", Act, Publication, bounds("-", "2025-12-01", "-", "2025-12-01"), EndUnknown, EndKnown, "2025-12-01", "/2025-12-01"},
		{"", Act, Publication, bounds("-", "2025-12-01", "-", "2025-12-01"), EndUnknown, EndKnown, "2025-12-01", "/2025-12-01"},
		{"", Act, "", bounds("-", "+", "-", "+"), EndUnknown, EndUnknown, "-", ""},
		{"0001", Act, "", bounds("-", "0001-12-31", "-", "0001-12-31"), EndKnown, EndKnown, "0001-12-31", ""},
		{"0001-01-01~", Act, "", bounds("-", "0001-01-02", "-", "0001-01-02"), EndKnown, EndKnown, "0001-01-02", ""},
		{"9999-12~", Act, "", bounds("9999-11-01", "+", "9999-11-01", "+"), EndKnown, EndKnown, "+", ""},

		{"2017-05-14/2022-05-13", Standing, "", bounds("2017-05-14", "2017-05-14", "2022-05-13", "2022-05-13"), EndKnown, EndKnown, "2022-05-13", ""},
		{"2017/2022-05", Standing, "", bounds("2017-01-01", "2017-12-31", "2022-05-01", "2022-05-31"), EndKnown, EndKnown, "2022-05-31", ""},
		{"2025-11/2025-11", Standing, "", bounds("2025-11-01", "2025-11-30", "2025-11-01", "2025-11-30"), EndKnown, EndKnown, "2025-11-30", ""},
		{"2021-01-20/..", Standing, "", bounds("2021-01-20", "2021-01-20", "2025-12-01", "+"), EndKnown, EndOpen, "+", ""},
		{"2026-01-20/..", Standing, "", bounds("2026-01-20", "2026-01-20", "2026-01-20", "+"), EndKnown, EndOpen, "+", ""}, // foretold
		{"2026-01/..", Standing, "", bounds("2026-01-01", "2026-01-31", "2026-01-01", "+"), EndKnown, EndOpen, "+", ""},
		{"2021-01-20/", Standing, "", bounds("2021-01-20", "2021-01-20", "2021-01-20", "+"), EndKnown, EndUnknown, "2021-01-20", ""},
		{"2021~/", Standing, "", bounds("2020-01-01", "2022-12-31", "2020-01-01", "+"), EndKnown, EndUnknown, "2022-12-31", ""},
		{"2021?/", Standing, "", bounds("2020-01-01", "+", "-", "+"), EndKnown, EndUnknown, "2022-12-31", ""},
		{"/2025-12-01", Standing, "", bounds("-", "2025-12-01", "2025-12-01", "2025-12-01"), EndUnknown, EndKnown, "2025-12-01", ""},
		{"../2025-12-01", Standing, "", bounds("-", "-", "2025-12-01", "2025-12-01"), EndOpen, EndKnown, "2025-12-01", ""},
		{"../..", Standing, "", bounds("-", "-", "2025-12-01", "+"), EndOpen, EndOpen, "+", ""},
		{"/..", Standing, "", bounds("-", "+", "2025-12-01", "+"), EndUnknown, EndOpen, "+", ""},
		{"2025-12-01", Standing, "", bounds("-", "2025-12-01", "2025-12-01", "+"), EndUnknown, EndUnknown, "2025-12-01", ""},
		{"2025-11", Standing, "", bounds("-", "2025-11-30", "2025-11-01", "+"), EndUnknown, EndUnknown, "2025-11-30", ""},
		{"", Standing, Publication, bounds("-", "2025-12-01", "2025-12-01", "+"), EndUnknown, EndUnknown, "2025-12-01", "2025-12-01"},
		{"", Standing, "", bounds("-", "+", "-", "+"), EndUnknown, EndUnknown, "-", ""},
	} {
		d, err := ResolveDate(c.text, c.nature, c.basis, published, true)
		if err != nil {
			t.Errorf("%s %q: %v", c.nature, c.text, err)
			continue
		}
		edtf := c.edtf
		if edtf == "" {
			edtf = c.text
		}
		sort := bounds(c.sort, c.sort, c.sort, c.sort).Latest
		if d.Bounds != c.want || d.StartKind != c.start || d.EndKind != c.end || d.SortDay != sort || d.EDTF != edtf || !d.Basis.Valid() {
			t.Errorf("%s %q: got %+v, want %+v %s %s sort %s %q", c.nature, c.text, d, c.want, c.start, c.end, sort, edtf)
		}
	}
	open, err := ResolveDate("2021-01-20/..", Standing, "", 0, false)
	if err != nil || !open.OpenAsOfRecording {
		t.Fatalf("%+v, %v", open, err)
	}
	if open.RecordedOn(published); open.CertainTo != published {
		t.Errorf("recorded on %s: %+v", published, open)
	}
	foretold, err := ResolveDate("2026-01-20/..", Standing, "", 0, false)
	if foretold.RecordedOn(published); err != nil || foretold.CertainTo != foretold.Earliest {
		t.Errorf("recorded on %s: %+v, %v", published, foretold, err)
	}
}

func TestDateErrors(t *testing.T) {
	for text, want := range map[string]struct {
		offset int
		part   string
	}{
		" ":                     {0, "is empty"},
		"/":                     {0, "on one side of the slash"},
		"2025-13":               {5, "no month 13"},
		"2025-00":               {5, "no month 00"},
		"2025-02-29":            {8, "the days 01 to 28"},
		"1900-02-29":            {8, "the days 01 to 28"},
		"2025-11-31":            {8, "the days 01 to 30"},
		"2025-12-01/2025-11-30": {11, "ends (2025-11-30) before it begins"},
		"2025-12/2025-12-32":    {16, "no day 32"},
		"2025-12-01/a":          {11, "is not a date"},
		"2025/2026/2027":        {9, "one slash"},
		"2025-21":               {5, "season"},
		"2025-XX":               {5, "unspecified digits"},
		"202X":                  {3, "unspecified digits"},
		"-0044":                 {0, "years are 0001 to 9999"},
		"Y12025":                {0, "years are 0001 to 9999"},
		"0000":                  {0, "no year 0000"},
		"2025-12-01T10:00Z":     {0, "time of day"},
		"20251201t1000":         {0, "time of day"},
		"1 May 2025 9:05":       {0, "time of day"},
		"[2025,2026]":           {0, "set of dates"},
		"{2025-10..2025-12}":    {0, "set of dates"},
		"2025-10-01, 2025-12":   {0, "set of dates"},
		"5, 2019":               {0, "is not a date: write YYYY, YYYY-MM or YYYY-MM-DD, with ~, ? or % behind it where"},
		"+2025":                 {0, "years are 0001 to 9999"},
		"Oct 2019":              {0, "\"Oct 2019\" is not a date: months are numbers here"},
		"Août 1990":             {0, "months are numbers here"},
		"May 5, 2019":           {0, "months are numbers here"},
		"Yuly 2019":             {0, "months are numbers here"},
		"c: 2019":               {0, "letters are not understood"},
		"Mexico 1968":           {0, "letters are not understood"},
		"2025-W10":              {0, "letters are not understood"},
		"2019/Oct 2020":         {5, "\"Oct 2020\" is not a date: months are numbers here"},
		"present":               {0, "leave it out where none is known, or write .. for an end that is open"},
		"2019/today":            {5, "write .. for an end that is open"},
		"YYYY":                  {0, "leave it out where none is known"},
		"X":                     {0, "leave it out where none is known"},
		"~":                     {0, "is not a date"},
		"20251201":              {0, "is not a date"},
		"1 December 2025":       {0, "is not a date"},
		"2025-1-1":              {0, "is not a date"},
		"２０２５":                  {0, "is not a date"},
		"2025~~":                {0, "is not a date"},
		"2025-12-01\x00":        {0, "is not a date"},
	} {
		_, err := ParseEDTF(text)
		var e *DateError
		if !errors.As(err, &e) || e.Offset != want.offset || !strings.Contains(e.Message, want.part) {
			t.Errorf("%q: got %v (%+v), want %q at %d", text, err, e, want.part, want.offset)
		}
	}
	for _, text := range []string{"2025-12-01/2025-12-02", "2025-12-01/", ".."} {
		if _, err := ResolveDate(text, Act, Publication, 0, false); err == nil {
			t.Errorf("%q is taken for a day of publication", text)
		}
	}
	for _, text := range []string{"", "2025", "2025-12", "2025-12-01~", "2025-12-01/..", strings.Repeat("9", 1<<20)} {
		if _, err := ParseDay(text); err == nil || len(err.Error()) > 300 {
			t.Errorf("%.20q is taken for a day, or its error is long", text)
		}
	}
}

// TestAgainstBruteForce holds bounds and certainties against all the courses
// that a date leaves open, day by day.
func TestAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	first, last := must(ParseDay("2019-11-01")), must(ParseDay("2020-08-31")) // far enough out to stand for "any time"
	atom := func() string {
		text := []string{"2020-03", "2020-04", "2020-03-01", "2020-03-15", "2020-04-30", "2020-05-02", "2020-02"}[r.IntN(7)]
		return text + []string{"", "", "", "~"}[r.IntN(4)]
	}
	days := func(text string) (from, to Day) { // what an atom may mean, the slow way
		body := strings.TrimSuffix(text, "~")
		from, to = MaxDay, MinDay
		for d := first; d <= last; d++ {
			if strings.HasPrefix(d.String(), body) {
				from, to = min(from, d), max(to, d)
			}
		}
		if body == text {
			return from, to
		}
		if len(body) == 10 {
			return from - 1, to + 1
		}
		f, l := from.Time().AddDate(0, -1, 0), to.Time().AddDate(0, 0, 1) // the first of the month before; the first of the month after
		return DayOf(f), DayOf(l.AddDate(0, 1, -1))
	}
	published := must(ParseDay("2020-05-20"))
	for range 600 {
		var text string
		var starts, ends func() (from, to Day)
		whole := func() (Day, Day) { return first, last }
		nature := []Nature{Act, Standing}[r.IntN(2)]
		a, b := atom(), atom()
		exact := func(s string) func() (Day, Day) { return func() (Day, Day) { return days(s) } }
		type course struct{ start, end Day }
		var courses []course
		form := r.IntN(6)
		switch form {
		case 0:
			text, starts = a, exact(a)
		case 1:
			text, starts, ends = a+"/"+b, exact(a), exact(b)
		case 2:
			text, starts, ends = a+"/", exact(a), whole
		case 3:
			text, starts, ends = "/"+b, whole, exact(b)
		case 4:
			text, starts, ends = a+"/..", exact(a), func() (Day, Day) { return published, last }
		case 5:
			text, starts, ends = "../"+b, func() (Day, Day) { return first, first }, exact(b)
		}
		d, err := ResolveDate(text, nature, "", published, true)
		if err != nil {
			if !strings.Contains(err.Error(), "before it begins") {
				t.Fatal(text, err)
			}
			continue
		}
		from, to := starts()
		switch {
		case nature == Act: // one day, from the first that the start may mean to the last that the end may mean
			if ends != nil {
				_, to = ends()
				if form == 4 || form == 2 {
					to = last
				}
				if form == 5 {
					from = first
				}
			}
			for day := from; day <= to; day++ {
				courses = append(courses, course{day, day})
			}
		case ends == nil: // seen on some day of it
			for seen := from; seen <= to; seen++ {
				courses = append(courses, course{first, seen}, course{seen, last}, course{first, last}, course{seen, seen})
			}
		default:
			endFrom, endTo := ends()
			for start := from; start <= to; start++ {
				for end := endFrom; end <= endTo; end++ {
					if form == 2 && end < start || form == 3 && start > end {
						continue
					}
					courses = append(courses, course{start, end})
				}
			}
		}
		for range 20 {
			w := Window{From: first + 5 + Day(r.IntN(int(last-first)-10)), To: 0}
			w.To = min(w.From+Day(r.IntN(60)), last-5)
			if w.To < w.From {
				continue
			}
			possible, certain := false, true
			for _, c := range courses {
				meets := c.start <= w.To && c.end >= w.From
				possible = possible || meets
				certain = certain && meets
			}
			got := d.In(w)
			want := Certainty("")
			if possible {
				want = Possible
			}
			if possible && certain {
				want = Certain
			}
			if got != want {
				t.Fatalf("%s %q against %s to %s: got %q, want %q (%+v)", nature, text, w.From, w.To, got, want, d)
			}
			if nature == Act {
				by, surely := false, true
				for _, c := range courses {
					by = by || c.start <= w.To
					surely = surely && c.start <= w.To
				}
				want := map[[2]bool]Certainty{{true, true}: Certain, {true, false}: Possible}[[2]bool{by, surely}]
				if got := d.AsOf(w.To, Act); got != want {
					t.Fatalf("%q as of %s: got %q, want %q", text, w.To, got, want)
				}
			} else if got, want := d.AsOf(w.To, Standing), d.In(Window{w.To, w.To}); got != want {
				t.Fatalf("%q as of %s: got %q, want %q", text, w.To, got, want)
			}
		}
	}
}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

func TestThroughout(t *testing.T) {
	b := bounds("2020-01-01", "2020-02-01", "2020-06-01", "2020-07-01")
	for w, want := range map[Window]Certainty{
		{must(ParseDay("2020-03-01")), must(ParseDay("2020-04-01"))}: Certain,
		{must(ParseDay("2020-01-15")), must(ParseDay("2020-04-01"))}: Possible,
		{must(ParseDay("2020-07-02")), must(ParseDay("2020-08-01"))}: "",
	} {
		if got := b.Throughout(w); got != want {
			t.Errorf("%v: got %q, want %q", w, got, want)
		}
	}
}

func FuzzParseEDTF(f *testing.F) {
	for _, s := range []string{"2025-12-01", "2025-11~", "2021-01-20/..", "/2025", "../..", "2025-02-30", "2025-XX", "\xff", "2024-02-29?/2025%", "Oct 2019", "?", strings.Repeat("ü", 30) + "1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEDTF(s)
		if err != nil {
			var d *DateError
			if !errors.As(err, &d) || d.Offset < 0 || d.Offset > len(s) || d.Message == "" || utf8.ValidString(s) && !utf8.ValidString(d.Message) {
				t.Fatalf("%q: a strange error: %+v", s, err)
			}
			return
		}
		if e.String() != s {
			t.Fatalf("%q became %q", s, e)
		}
		for _, nature := range []Nature{Act, Standing} {
			d, err := e.Resolve(nature, Stated, 0, false)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if d.Earliest > d.Latest || d.Earliest < MinDay || d.Latest > MaxDay || d.SortDay < MinDay || d.SortDay > MaxDay {
				t.Fatalf("%q: %+v", s, d)
			}
			again, err := ResolveDate(d.EDTF, nature, d.Basis, 0, false)
			if err != nil || again != d {
				t.Fatalf("%q: %+v, then %+v, %v", s, d, again, err)
			}
		}
	})
}

func BenchmarkParseEDTF(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ResolveDate("2025-11-24/2025-11-30", Act, Inferred, 0, false); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDayText(b *testing.B) {
	b.ReportAllocs()
	var buf [16]byte
	for b.Loop() {
		_, _ = Day(739585).AppendText(buf[:0])
	}
}
