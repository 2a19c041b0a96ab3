package loader

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"chancery/graph"
)

// icews is the form in which ICEWS publishes coded events: a header and 20
// columns, separated by tabs (Harvard Dataverse, doi:10.7910/DVN/28075).
type icews struct{}

func (icews) Name() string { return "icews" }

func (icews) Title() string { return "ICEWS coded events" }

func (icews) Rows() rowReader { return icews{} }

var icewsColumns = []string{"Event ID", "Event Date", "Source Name", "Source Sectors", "Source Country", "Event Text", "CAMEO Code", "Intensity",
	"Target Name", "Target Sectors", "Target Country", "Story ID", "Sentence Number", "Publisher", "City", "District", "Province", "Country",
	"Latitude", "Longitude"}

// The columns by their numbers.
const (
	icewsID = iota
	icewsDate
	icewsSource
	icewsSourceSectors
	icewsSourceCountry
	icewsText
	icewsCAMEO
	icewsIntensity
	icewsTarget
	icewsTargetSectors
	icewsTargetCountry
	icewsStory
	icewsSentence
	icewsPublisher
	icewsCity
	icewsDistrict
	icewsProvince
	icewsCountry
	icewsLatitude
	icewsLongitude
)

func (icews) Detect(head []byte) bool {
	for i, line := range firstLines(head) {
		fields := icewsFields(line)
		if i == 0 && sameColumns(fields, icewsColumns) {
			return true
		}
		if len(fields) != len(icewsColumns) {
			continue
		}
		_, err := graph.ParseDay(fields[icewsDate])
		if err == nil && (graph.ValidCAMEO(fields[icewsCAMEO]) || graph.ValidCAMEO("0"+fields[icewsCAMEO])) {
			return true
		}
	}
	return false
}

// Wide reports whether rows may have so many columns.
func (icews) Wide(columns int) bool { return columns == len(icewsColumns) }

func icewsFields(line string) []string {
	return unpadded(tabFields(line, "NA"), icews{}.Wide)
}

func (icews) Header(line string) (bool, string) {
	return sameColumns(icewsFields(line), icewsColumns), "" // what is no row is rejected as one
}

// icewsActor is who bears a name, or nobody where ICEWS names nobody.
func icewsActor(column, name string) actor {
	return actor{Column: column, Name: name, Nobody: strings.EqualFold(name, "Unspecified Actor")}
}

func (icews) Row(line string, v *graph.Vocabulary, c *graph.CAMEO) (*feedRecord, *Rejection) {
	f := icewsFields(line)
	if len(f) != len(icewsColumns) {
		return nil, &Rejection{Reason: fmt.Sprintf("has %d columns, not 20", len(f))}
	}
	bad := func(column int, format string, args ...any) (*feedRecord, *Rejection) {
		return nil, &Rejection{Column: icewsColumns[column], Reason: fmt.Sprintf(format, args...)}
	}
	for _, column := range []int{icewsID, icewsStory, icewsSentence} {
		if !digits(f[column]) && (f[column] != "" || column == icewsID) {
			return bad(column, "%q is not a number", clip(f[column]))
		}
	}
	r := &feedRecord{Key: f[icewsID]}
	for _, end := range []struct {
		*actor
		name, sectors, country int
	}{{&r.Source, icewsSource, icewsSourceSectors, icewsSourceCountry}, {&r.Target, icewsTarget, icewsTargetSectors, icewsTargetCountry}} {
		if f[end.name] == "" {
			return bad(end.name, "is missing")
		}
		if *end.actor = icewsActor(icewsColumns[end.name], f[end.name]); end.Nobody {
			continue
		}
		end.Country = f[end.country]
		for sector := range strings.SplitSeq(f[end.sectors], ",") {
			if sector = strings.TrimSpace(sector); sector != "" {
				end.Sectors = append(end.Sectors, sector)
			}
		}
	}
	if r.Source.Nobody && r.Target.Nobody {
		return bad(icewsSource, "is nobody, and so is the target: the row names nobody")
	}
	if wrong := r.happened(v, c, icewsCode(f[icewsCAMEO], f[icewsText], c), icewsColumns[icewsCAMEO], f[icewsDate], icewsColumns[icewsDate]); wrong != nil {
		return nil, wrong
	}
	if r.Together != "" {
		// One sentence tells of one happening.
		r.Together += "\x00" + f[icewsStory] + "\x00" + f[icewsSentence]
	}
	if text := f[icewsIntensity]; text != "" {
		g, err := strconv.ParseFloat(text, 64)
		if err != nil || !(g >= -10 && g <= 10) {
			return bad(icewsIntensity, "%q is not a number from -10 to 10", clip(text))
		}
		r.Relation.Goldstein = &g
	}
	if f[icewsStory] != "" {
		r.DocumentKey = f[icewsStory]
		r.Document = &graph.Content{Form: graph.FormSource, Name: "Story " + f[icewsStory], Publisher: clipTo(f[icewsPublisher], maxLine-1)}
		undated, err := graph.ResolveDate("", graph.Act, graph.Stated, 0, false)
		if err != nil {
			return bad(icewsDate, "%v", err)
		}
		r.Document.Date = undated
	}
	var names []string
	for _, column := range []int{icewsCity, icewsDistrict, icewsProvince, icewsCountry} {
		if f[column] != "" && !slices.Contains(names, f[column]) {
			names = append(names, f[column])
		}
	}
	point, axis, err := position(f[icewsLatitude], f[icewsLongitude])
	if err != nil {
		return bad([]int{icewsLatitude, icewsLongitude}[axis], "%v", err)
	}
	if len(names) == 0 {
		return r, nil
	}
	r.Place = &graph.Content{Form: graph.FormEntity, Kind: graph.KindPlace, Name: clipTo(names[0], maxLine-1),
		Description: clipTo(strings.Join(names[1:], ", "), maxLine-1), Point: point}
	r.PlaceKey = placeKey(append(names, coordinate(f[icewsLatitude]), coordinate(f[icewsLongitude]))...)
	return r, nil
}

// icewsCode is the CAMEO code of a row. Programs that take codes for numbers
// drop the zero that codes begin with, and what is left may be another code; the
// text of the event tells.
func icewsCode(code, text string, c *graph.CAMEO) string {
	if named, ok := c.ByName(text); ok && named.Code == "0"+code {
		return named.Code
	}
	return code
}

// placeKey is an id of a place, of its name and of all else that tells it from
// others: places of one name may lie apart.
func placeKey(name ...string) string {
	sum := digestOf(name...)
	return fmt.Sprintf("%s-%x", strings.Join(graph.Words(clip(name[0])), "-"), sum[:4])
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= 20
}

// degrees reads a coordinate of WGS-84 in [-most, most].
func degrees(text string, most float64) (float64, error) {
	d, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(d) <= most) {
		return 0, fmt.Errorf("%q is not a number of degrees from %g to %g", clip(text), -most, most)
	}
	return d + 0, nil // not -0
}

// position reads a point, nil where nothing is said of it. Where it is wrong, axis is 0
// for the latitude and 1 for the longitude.
func position(latitude, longitude string) (p *graph.Point, axis int, err error) {
	if latitude == "" && longitude == "" {
		return nil, 0, nil
	}
	p = &graph.Point{}
	if p.Latitude, err = degrees(latitude, maxLatitude); err != nil {
		return nil, 0, err
	}
	if p.Longitude, err = degrees(longitude, maxLongitude); err != nil {
		return nil, 1, err
	}
	return p, 0, nil
}

// coordinate is a coordinate as it identifies a place: without the sign of a zero.
func coordinate(text string) string {
	if d, err := strconv.ParseFloat(text, 64); err == nil && d == 0 {
		return strings.TrimPrefix(text, "-")
	}
	return text
}
