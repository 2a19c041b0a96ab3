package graph

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Day is a calendar day of the proleptic Gregorian calendar, counted from
// 0001-01-01, which is 0. It reaches from [MinDay] to [MaxDay].
type Day int32

// The first and the last day there are. As bounds they stand for "unbounded".
const (
	MinDay Day = 0       // 0001-01-01
	MaxDay Day = 3652058 // 9999-12-31
)

// dayZero is the Unix day of 0001-01-01.
const dayZero = -719162

// DayOf returns the UTC day of t, kept inside [MinDay] and [MaxDay].
func DayOf(t time.Time) Day {
	seconds := t.Unix()
	days := seconds / 86400
	if seconds%86400 < 0 {
		days--
	}
	return Day(min(max(days-dayZero, int64(MinDay)), int64(MaxDay)))
}

// Time returns midnight UTC of the day.
func (d Day) Time() time.Time { return time.Unix((int64(d)+dayZero)*86400, 0).UTC() }

// civil gives the calendar date of a day (after Howard Hinnant's
// "chrono-compatible low-level date algorithms").
func (d Day) civil() (year, month, day int) {
	z := int(d) + 306 // days since 0000-03-01
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = doy - (153*mp+2)/5 + 1
	month = mp + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// dayFrom is the inverse of civil. The date must exist.
func dayFrom(year, month, day int) Day {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	yoe := year - era*400
	doy := (153*(month-3)+2)/5 + day - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return Day(era*146097 + doe - 306)
}

// AppendText appends YYYY-MM-DD to b. It never fails.
func (d Day) AppendText(b []byte) ([]byte, error) {
	y, m, day := d.civil()
	return append(b,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+day/10), byte('0'+day%10)), nil
}

// String gives YYYY-MM-DD.
func (d Day) String() string {
	var buf [10]byte
	b, _ := d.AppendText(buf[:0])
	return string(b)
}

// ParseDay reads YYYY-MM-DD (ISO 8601), from 0001-01-01 to 9999-12-31.
func ParseDay(s string) (Day, error) {
	p, err := parsePart(s, 0)
	if err == nil && (p.precision != precisionDay || p.qualifier != 0) {
		err = &DateError{0, "a day is to be written YYYY-MM-DD"}
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a day: %w", clip(s), err)
	}
	return p.first, nil
}

// DateError says what is wrong with a date, and at which byte of its text.
type DateError struct {
	Offset  int
	Message string
}

func (e *DateError) Error() string { return e.Message }

type precision uint8

const (
	precisionYear precision = iota
	precisionMonth
	precisionDay
)

// part is one date of an EDTF text.
type part struct {
	kind        EndKind
	precision   precision
	qualifier   byte // 0, '~', '?' or '%'
	first, last Day  // the days that it may mean, its qualifier included
}

// EDTF is a parsed date in the Extended Date/Time Format (ISO 8601-2).
type EDTF struct {
	text     string
	interval bool
	start    part
	end      part // of intervals
}

// String is the text that was parsed.
func (e EDTF) String() string { return e.text }

// ParseEDTF reads a date: a year, month or day (2025, 2025-11, 2025-12-01),
// with a qualifier or without (~ approximate, ? uncertain, % both), or an
// interval of two of these, of which one may be ".." (open) or absent
// (unknown). Years are 0001 to 9999. The error is a *[DateError].
func ParseEDTF(s string) (EDTF, error) {
	e := EDTF{text: s}
	if strings.TrimSpace(s) == "" {
		return e, &DateError{0, "the date is empty; leave the field out where no date is known"}
	}
	slash := strings.IndexByte(s, '/')
	if slash < 0 {
		var err error
		e.start, err = parsePart(s, 0)
		return e, err
	}
	e.interval = true
	left, right := s[:slash], s[slash+1:]
	if left == "" && right == "" {
		return e, &DateError{0, "an interval needs a date, or \"..\", on one side of the slash at least"}
	}
	if i := strings.IndexByte(right, '/'); i >= 0 {
		return e, &DateError{slash + 1 + i, "an interval has one slash: start/end"}
	}
	var err error
	if e.start, err = parseEnd(left, 0); err != nil {
		return e, err
	}
	if e.end, err = parseEnd(right, slash+1); err != nil {
		return e, err
	}
	if e.start.kind == EndKnown && e.end.kind == EndKnown && e.start.first > e.end.last {
		return e, &DateError{slash + 1, fmt.Sprintf("the interval ends (%s) before it begins (%s)", right, left)}
	}
	return e, nil
}

func parseEnd(s string, offset int) (part, error) {
	switch s {
	case "":
		return part{kind: EndUnknown, first: MinDay, last: MaxDay}, nil
	case "..":
		return part{kind: EndOpen, first: MinDay, last: MaxDay}, nil
	}
	return parsePart(s, offset)
}

var monthDays = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return monthDays[month-1]
}

func clip(s string) string {
	const most = 40
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…" // a letter may have been cut
	}
	return s
}

// dateForms is part of formats.
const dateForms = "write YYYY, YYYY-MM or YYYY-MM-DD, with ~, ? or %% behind it where it is approximate or uncertain"

var (
	timeOfDay = regexp.MustCompile(`[0-9]{2}[Tt][0-9]{2}|[0-9]:[0-9]{2}`)
	longYear  = regexp.MustCompile(`^([Yy][-+]?|[-+])[0-9]`)
	// unspecified has X for digits that are not known.
	unspecified = regexp.MustCompile(`^[0-9Xx]{4}(-[0-9Xx]{2}){0,2}$`)
)

// misfitDate says why a text is no date, with a place for the text, and at which
// byte it goes wrong.
func misfitDate(text string) (at int, why string) {
	switch digits := strings.ContainsAny(text, "0123456789"); {
	case timeOfDay.MatchString(text):
		return 0, "%q has a time of day; dates have none here: " + dateForms
	case longYear.MatchString(text):
		return 0, "%q: years are 0001 to 9999, with four digits and no sign"
	case unspecified.MatchString(text) && strings.ContainsAny(text, "Xx"):
		return strings.IndexAny(text, "Xx"), "%q has unspecified digits; write the shorter date (2025 for 2025-XX), or an interval"
	case strings.ContainsFunc(text, unicode.IsLetter) && digits:
		return 0, "%q is not a date: months are numbers here, and letters are not understood; " + dateForms
	case strings.ContainsFunc(text, unicode.IsLetter):
		return 0, "%q is not a date; leave it out where none is known, or write .. for an end that is open"
	case severalDates(text):
		return 0, "%q is a set of dates; one relation has one date"
	}
	return 0, "%q is not a date: " + dateForms
}

// severalDates reports whether a text is a set of dates, or several with commas
// between them.
func severalDates(text string) bool {
	if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
		return true
	}
	parts := strings.Split(text, ",")
	return len(parts) > 1 && !slices.ContainsFunc(parts, func(p string) bool {
		_, err := parsePart(strings.TrimSpace(p), 0)
		return err != nil
	})
}

// parsePart reads one date that stands at offset in its text.
func parsePart(s string, offset int) (part, error) {
	p := part{kind: EndKnown}
	fail := func(at int, format string, args ...any) (part, error) {
		return part{}, &DateError{offset + at, fmt.Sprintf(format, args...)}
	}
	body := s
	if n := len(body); n > 0 && strings.IndexByte("~?%", body[n-1]) >= 0 {
		p.qualifier = body[n-1]
		body = body[:n-1]
	}
	number := func(from, to int) (int, bool) {
		n := 0
		for _, c := range []byte(body[from:to]) {
			if c < '0' || c > '9' {
				return 0, false
			}
			n = n*10 + int(c-'0')
		}
		return n, true
	}
	bad := func() (part, error) {
		at, why := misfitDate(body)
		return fail(at, why, clip(s))
	}
	if len(body) != 4 && len(body) != 7 && len(body) != 10 ||
		len(body) > 4 && body[4] != '-' || len(body) > 7 && body[7] != '-' {
		return bad()
	}
	year, ok := number(0, 4)
	if !ok {
		return bad()
	}
	if year == 0 {
		return fail(0, "there is no year 0000 here: years are 0001 to 9999")
	}
	month, day := 0, 0
	if len(body) > 4 {
		if month, ok = number(5, 7); !ok {
			return bad()
		}
		if month >= 21 && month <= 41 {
			return fail(5, "%q is a season or another part of the year; write the months as an interval (2025-06/2025-08)", clip(s))
		}
		if month < 1 || month > 12 {
			return fail(5, "there is no month %s; months are 01 to 12", body[5:7])
		}
	}
	if len(body) > 7 {
		if day, ok = number(8, 10); !ok {
			return bad()
		}
		if most := daysIn(year, month); day < 1 || day > most {
			return fail(8, "there is no day %s in %s, which has the days 01 to %d", body[8:], body[:7], most)
		}
	}
	if p.qualifier == 0 {
		switch len(body) {
		case 4:
			p.first, p.last = dayFrom(year, 1, 1), dayFrom(year, 12, 31)
		case 7:
			p.precision = precisionMonth
			p.first, p.last = dayFrom(year, month, 1), dayFrom(year, month, daysIn(year, month))
		default:
			p.precision = precisionDay
			p.first = dayFrom(year, month, day)
			p.last = p.first
		}
		return p, nil
	}
	// Widened by one unit of the precision on each side.
	switch len(body) {
	case 4:
		p.first = dayFrom(max(year-1, 1), 1, 1)
		p.last = dayFrom(min(year+1, 9999), 12, 31)
	case 7:
		p.precision = precisionMonth
		y, m := year, month-1
		if m == 0 {
			y, m = year-1, 12
		}
		p.first = MinDay
		if y > 0 {
			p.first = dayFrom(y, m, 1)
		}
		y, m = year, month+1
		if m == 13 {
			y, m = year+1, 1
		}
		p.last = MaxDay
		if y < 10000 {
			p.last = dayFrom(y, m, daysIn(y, m))
		}
	default:
		p.precision = precisionDay
		d := dayFrom(year, month, day)
		p.first, p.last = max(d-1, MinDay), min(d+1, MaxDay)
	}
	return p, nil
}

// Bounds are the days between which a period begins and ends: it begins on
// one of Earliest to CertainFrom, and ends on one of CertainTo to Latest.
// [MinDay] and [MaxDay] stand for "unbounded". CertainFrom may lie after
// CertainTo; then the period certainly holds on no single day.
type Bounds struct{ Earliest, CertainFrom, CertainTo, Latest Day }

// Date is a date as stated, and what follows from it.
type Date struct {
	EDTF string // "" where no date is known
	Bounds
	StartKind, EndKind EndKind
	Basis              DateBasis
	// SortDay is the day by which lists are ordered.
	SortDay Day
	// OpenAsOfRecording says that CertainTo is the day on which the version is
	// recorded, since the end is open and no source has a date. See
	// [Date.RecordedOn]. It is not part of the record.
	OpenAsOfRecording bool
}

// Resolve works out the bounds of a date. Published is the publication day of
// the newest source, if there is one with a known day.
func (e EDTF) Resolve(nature Nature, basis DateBasis, published Day, hasPublished bool) (Date, error) {
	if basis == "" {
		basis = Stated
	}
	if basis == Publication && nature == Act {
		switch {
		case !e.interval:
			e = EDTF{text: "/" + e.text, interval: true, end: e.start, start: part{kind: EndUnknown, first: MinDay, last: MaxDay}}
		case e.start.kind != EndUnknown || e.end.kind != EndKnown:
			return Date{}, &DateError{0, "with the basis PUBLICATION only the source's own day is known: write it alone, or /YYYY-MM-DD, or leave the date out"}
		}
	}
	d := Date{EDTF: e.text, Basis: basis, StartKind: e.start.kind, EndKind: e.end.kind}
	uncertain := e.start.qualifier == '?' || e.start.qualifier == '%' || e.end.qualifier == '?' || e.end.qualifier == '%'
	switch {
	case nature == Act:
		last := e.start.last
		if e.interval {
			last = e.end.last
		} else {
			d.EndKind = EndKnown
		}
		d.Bounds = Bounds{Earliest: e.start.first, CertainFrom: last, CertainTo: e.start.first, Latest: last}
	case !e.interval: // attested on one of its days, both ends unknown
		d.StartKind, d.EndKind = EndUnknown, EndUnknown
		d.Bounds = Bounds{Earliest: MinDay, CertainFrom: e.start.last, CertainTo: e.start.first, Latest: MaxDay}
	default:
		b := &d.Bounds
		b.Earliest, b.CertainFrom = e.start.first, e.start.last
		b.CertainTo, b.Latest = e.end.first, e.end.last
		switch e.end.kind {
		case EndUnknown:
			b.CertainTo = b.Earliest
		case EndOpen:
			b.CertainTo = max(published, b.Earliest) // what was foretold ends after it begins
			if !hasPublished {
				b.CertainTo = MinDay
				d.OpenAsOfRecording = !uncertain
			}
		}
		switch e.start.kind {
		case EndUnknown:
			b.CertainFrom = b.Latest
		case EndOpen:
			b.CertainFrom = MinDay
		}
	}
	switch d.EndKind {
	case EndOpen:
		d.SortDay = MaxDay
	case EndUnknown:
		d.SortDay = d.CertainFrom
	default:
		d.SortDay = d.Latest
	}
	if uncertain {
		d.CertainFrom, d.CertainTo = MaxDay, MinDay
	}
	return d, nil
}

// ResolveDate parses a date and works out its bounds. Without a text there is
// no date, unless the basis is PUBLICATION: then it is the day published.
// Errors are of type *[DateError].
func ResolveDate(text string, nature Nature, basis DateBasis, published Day, hasPublished bool) (Date, error) {
	if text == "" && basis == Publication && hasPublished {
		text = published.String()
	}
	if text == "" { // of nothing there is no basis
		return Date{Bounds: Bounds{MinDay, MaxDay, MinDay, MaxDay}, StartKind: EndUnknown, EndKind: EndUnknown,
			Basis: Stated, SortDay: MinDay}, nil
	}
	e, err := ParseEDTF(text)
	if err != nil {
		return Date{}, err
	}
	return e.Resolve(nature, basis, published, hasPublished)
}

// completed is the time in which an entity existed with the end that d leaves
// unknown as another date has it: one that says when somebody was born and one
// that says when they died are a life. Ends that are the wrong way round stay apart.
func (d Date) completed(by *Date) Date {
	start, end, interval := strings.Cut(d.EDTF, "/")
	otherStart, otherEnd, also := strings.Cut(by.EDTF, "/")
	text := cmp.Or(start, otherStart) + "/" + cmp.Or(end, otherEnd)
	if !interval || !also || text == d.EDTF {
		return d
	}
	if whole, err := ResolveDate(text, Standing, d.Basis, 0, false); err == nil {
		return whole
	}
	return d
}

// RecordedOn fills in the day of recording where the date depends on it.
func (d *Date) RecordedOn(day Day) {
	if d.OpenAsOfRecording {
		d.CertainTo = max(day, d.Earliest)
	}
}

// Window is a span of days, both included.
type Window struct{ From, To Day }

// In says whether something holds, or happened, on a day of the window:
// Certain, Possible, or the empty string for neither.
func (b Bounds) In(w Window) Certainty {
	switch {
	case b.Earliest > w.To || b.Latest < w.From:
		return ""
	case b.CertainFrom <= w.To && b.CertainTo >= w.From:
		return Certain
	}
	return Possible
}

// AsOf says whether something belongs to the world on a day: a standing that
// holds then, an act that happened on that day or before.
func (b Bounds) AsOf(d Day, nature Nature) Certainty {
	if nature == Standing {
		return b.In(Window{d, d})
	}
	switch {
	case b.Earliest > d:
		return ""
	case b.CertainFrom <= d:
		return Certain
	}
	return Possible
}
