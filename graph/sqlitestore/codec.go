package sqlitestore

import (
	"encoding/json"

	"chancery/graph"
)

// The JSON forms are spelt out here, apart from the types of graph, so that
// renaming a field there does not change what is on disk.

type contentJSON struct {
	Form         graph.Form  `json:"form,omitempty"` // statements only: nodes have columns
	Kind         graph.Kind  `json:"kind,omitempty"` // likewise
	Name         string      `json:"name,omitempty"` // likewise
	Aliases      []string    `json:"aliases,omitempty"`
	Description  string      `json:"description,omitempty"`
	ExternalIDs  [][2]string `json:"externalIds,omitempty"`
	Date         *dateJSON   `json:"date,omitempty"`
	Point        *[2]float64 `json:"point,omitempty"` // latitude, longitude
	Properties   [][2]string `json:"properties,omitempty"`
	Participants [][2]string `json:"participants,omitempty"`
	Places       []string    `json:"places,omitempty"`
	URL          string      `json:"url,omitempty"`
	Publisher    string      `json:"publisher,omitempty"`
}

type dateJSON struct {
	EDTF      string          `json:"edtf,omitempty"`
	Bounds    [4]graph.Day    `json:"bounds"` // earliest, certain from, certain to, latest
	StartKind graph.EndKind   `json:"startKind,omitempty"`
	EndKind   graph.EndKind   `json:"endKind,omitempty"`
	Basis     graph.DateBasis `json:"basis,omitempty"`
	SortDay   graph.Day       `json:"sortDay"`
}

func pairs[T any](list []T, pair func(T) [2]string) [][2]string {
	if len(list) == 0 {
		return nil
	}
	out := make([][2]string, len(list))
	for i, v := range list {
		out[i] = pair(v)
	}
	return out
}

func unpaired[T any](list [][2]string, value func(a, b string) T) []T {
	if len(list) == 0 {
		return nil
	}
	out := make([]T, len(list))
	for i, p := range list {
		out[i] = value(p[0], p[1])
	}
	return out
}

// encodeContent gives what a statement says, or, for a node, what of it has no
// column.
func encodeContent(c *graph.Content, whole bool) (string, error) {
	v := contentJSON{
		Description: c.Description, Places: c.Places, URL: c.URL, Publisher: c.Publisher,
		ExternalIDs:  pairs(c.ExternalIDs, func(e graph.ExternalID) [2]string { return [2]string{e.Scheme, e.Value} }),
		Properties:   pairs(c.Properties, func(p graph.Property) [2]string { return [2]string{p.Name, p.Value} }),
		Participants: pairs(c.Participants, func(p graph.Participant) [2]string { return [2]string{p.Entity, p.Role} }),
	}
	if whole {
		v.Form, v.Kind, v.Name, v.Aliases = c.Form, c.Kind, c.Name, c.Aliases
	}
	date := c.Date
	date.OpenAsOfRecording = false
	if date != (graph.Date{}) {
		v.Date = &dateJSON{date.EDTF, [4]graph.Day{date.Earliest, date.CertainFrom, date.CertainTo, date.Latest},
			date.StartKind, date.EndKind, date.Basis, date.SortDay}
	}
	if c.Point != nil {
		v.Point = &[2]float64{c.Point.Latitude, c.Point.Longitude}
	}
	text, err := json.Marshal(&v)
	return string(text), err
}

// decodeContent reads what encodeContent wrote. What it leaves out stays.
func decodeContent(text string, c *graph.Content, whole bool) error {
	var v contentJSON
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	if whole {
		c.Form, c.Kind, c.Name, c.Aliases = v.Form, v.Kind, v.Name, v.Aliases
	}
	c.Description, c.Places, c.URL, c.Publisher = v.Description, v.Places, v.URL, v.Publisher
	c.ExternalIDs = unpaired(v.ExternalIDs, func(a, b string) graph.ExternalID { return graph.ExternalID{Scheme: a, Value: b} })
	c.Properties = unpaired(v.Properties, func(a, b string) graph.Property { return graph.Property{Name: a, Value: b} })
	c.Participants = unpaired(v.Participants, func(a, b string) graph.Participant { return graph.Participant{Entity: a, Role: b} })
	if d := v.Date; d != nil {
		b := d.Bounds
		c.Date = graph.Date{EDTF: d.EDTF, Bounds: graph.Bounds{Earliest: b[0], CertainFrom: b[1], CertainTo: b[2], Latest: b[3]},
			StartKind: d.StartKind, EndKind: d.EndKind, Basis: d.Basis, SortDay: d.SortDay}
	}
	if v.Point != nil {
		c.Point = &graph.Point{Latitude: v.Point[0], Longitude: v.Point[1]}
	}
	return nil
}

// restJSON are the fields of a relation that have no column.
type restJSON struct {
	SourceAs  string      `json:"sourceAs,omitempty"`
	TargetAs  string      `json:"targetAs,omitempty"`
	About     []string    `json:"about,omitempty"`
	Places    []string    `json:"places,omitempty"`
	Quantity  *float64    `json:"quantity,omitempty"`
	Unit      string      `json:"unit,omitempty"`
	Note      string      `json:"note,omitempty"`
	Citations [][2]string `json:"citations,omitempty"` // source, quote
}

func encodeRest(r *graph.Relation) (string, error) {
	if r.SourceAs == "" && r.TargetAs == "" && len(r.About) == 0 && len(r.Places) == 0 && r.Quantity == nil &&
		r.Unit == "" && r.Note == "" && len(r.Citations) == 0 {
		return "", nil
	}
	text, err := json.Marshal(&restJSON{r.SourceAs, r.TargetAs, r.About, r.Places, r.Quantity, r.Unit, r.Note,
		pairs(r.Citations, func(c graph.Citation) [2]string { return [2]string{c.Source, c.Quote} })})
	return string(text), err
}

func decodeRest(text string, r *graph.Relation) error {
	if text == "" {
		return nil
	}
	var v restJSON
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	r.SourceAs, r.TargetAs, r.About, r.Places = v.SourceAs, v.TargetAs, v.About, v.Places
	r.Quantity, r.Unit, r.Note = v.Quantity, v.Unit, v.Note
	r.Citations = unpaired(v.Citations, func(a, b string) graph.Citation { return graph.Citation{Source: a, Quote: b} })
	return nil
}

// encodeTexts gives a JSON list, and nothing for an empty one.
func encodeTexts(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return jsonList(list)
}

func decodeTexts(text string) (list []string, err error) {
	if text == "" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(text), &list)
	return list, err
}

// jsonList gives a JSON list of texts: as a parameter of json_each it is one
// value, however many texts there are.
func jsonList[T ~string](list []T) string {
	out := append(make([]byte, 0, 2+32*len(list)), '[')
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendText(out, string(v))
	}
	return string(append(out, ']'))
}

func appendText(out []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x80 {
			text, _ := json.Marshal(s) // a string cannot fail
			return append(out, text...)
		}
	}
	out = append(out, '"')
	out = append(out, s...)
	return append(out, '"')
}
