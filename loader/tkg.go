package loader

import (
	"fmt"
	"strings"

	"chancery/graph"
)

// tkg is the form in which research on temporal knowledge graphs passes on
// ICEWS: subject, name of the CAMEO code, object and day, separated by tabs.
type tkg struct{}

func (tkg) Name() string { return "tkg" }

func (tkg) Title() string { return "Dated events as quadruples" }

func (tkg) Rows() rowReader { return tkg{} }

var tkgColumns = []string{"subject", "event", "object", "date"}

// Detect takes any first line of four columns with a day in the last. If that is
// bad, a line behind it has to be of an event too: there are other tables.
func (tkg) Detect(head []byte) bool {
	for i, line := range firstLines(head) {
		fields := tkgFields(line)
		if len(fields) != len(tkgColumns) {
			continue
		}
		if _, err := graph.ParseDay(fields[3]); err != nil {
			continue
		}
		if i == 0 {
			return true
		}
		if c, err := graph.LoadCAMEO(); err == nil {
			if _, ok := c.ByName(strings.ReplaceAll(fields[1], "_", " ")); ok {
				return true
			}
		}
	}
	return false
}

// Wide reports whether rows may have so many columns.
func (tkg) Wide(columns int) bool { return columns == len(tkgColumns) }

func tkgFields(line string) []string { return unpadded(tabFields(line), tkg{}.Wide) }

// Header takes a line for one by the name of its last column alone, which is no
// day. What else is no row is rejected as one.
func (tkg) Header(line string) (bool, string) {
	f := tkgFields(line)
	if len(f) != len(tkgColumns) {
		return false, ""
	}
	switch strings.ToLower(f[3]) {
	case "date", "day", "time", "timestamp":
		return true, ""
	}
	return false, ""
}

func (tkg) Row(line string, v *graph.Vocabulary, c *graph.CAMEO) (*feedRecord, *Rejection) {
	f := tkgFields(line)
	if len(f) != len(tkgColumns) {
		return nil, &Rejection{Reason: fmt.Sprintf("has %d columns, not 4 (%s)", len(f), strings.Join(tkgColumns, ", "))}
	}
	for i := range f[:3] {
		// Some editions write underscores for spaces.
		if !strings.Contains(f[i], " ") {
			f[i] = strings.TrimSpace(strings.ReplaceAll(f[i], "_", " "))
		}
	}
	code, ok := c.ByName(f[1])
	if !ok {
		return nil, &Rejection{Column: tkgColumns[1], Reason: fmt.Sprintf("%q is not the name of a CAMEO code", clip(f[1]))}
	}
	r := &feedRecord{Source: icewsActor(tkgColumns[0], f[0]), Target: icewsActor(tkgColumns[2], f[2])}
	if r.Source.Nobody && r.Target.Nobody {
		return nil, &Rejection{Column: tkgColumns[0], Reason: "is nobody, and so is the object: the row names nobody"}
	}
	if bad := r.happened(v, c, code.Code, tkgColumns[1], f[3], tkgColumns[3]); bad != nil {
		return nil, bad
	}
	return r, nil
}

// happened fills in what follows from the code and the day of an act.
func (r *feedRecord) happened(v *graph.Vocabulary, c *graph.CAMEO, code, codeColumn, day, dayColumn string) *Rejection {
	t, bad := r.means(v, c, code, codeColumn)
	if bad == nil {
		bad = r.on(day, dayColumn)
	}
	if bad != nil {
		return bad
	}
	r.Relation.CAMEO = code
	r.together(v, c, t)
	return nil
}

// means finds the type of relation that a CAMEO code stands for.
func (r *feedRecord) means(v *graph.Vocabulary, c *graph.CAMEO, code, column string) (*graph.RelationType, *Rejection) {
	known, ok := c.Nearest(code)
	if !ok {
		return nil, &Rejection{Column: column, Reason: fmt.Sprintf("%q is not a CAMEO code", clip(code))}
	}
	t, ok := v.ByCAMEO(code)
	if !ok {
		return nil, &Rejection{Column: column, Reason: fmt.Sprintf("no relation type stands for the CAMEO code %s", code)}
	}
	r.Relation.Type, r.EventName = t.Name, known.Name
	return t, nil
}

// on fills in the day.
func (r *feedRecord) on(day, column string) *Rejection {
	if d, err := graph.ParseDay(day); err != nil || d <= graph.MinDay || d >= graph.MaxDay {
		return &Rejection{Column: column, Reason: fmt.Sprintf("%q is not a day (YYYY-MM-DD, from 0001-01-02 to 9999-12-30)", clip(day))}
	}
	date, err := graph.ResolveDate(day, graph.Act, graph.Stated, 0, false)
	if err != nil {
		return &Rejection{Column: column, Reason: err.Error()}
	}
	r.Relation.Date = date
	return nil
}

// together says what an act that has two sides is known by, whichever tells it.
func (r *feedRecord) together(v *graph.Vocabulary, c *graph.CAMEO, t *graph.RelationType) {
	if !t.Symmetric && t.Inverse == "" {
		return
	}
	// A visit and its hosting have one name, that which is first in the alphabet,
	// and so does the end come first that is its source: the host.
	name := t.Name
	if t.Inverse != "" {
		r.Sides = sourceFirst
		if t.Inverse < name {
			name, r.Sides = t.Inverse, targetFirst
		}
	}
	r.Together = name + "\x00" + r.Relation.Date.EDTF
	// So is the name of the event, whichever of the type's codes a row has.
	r.EventName = name
	if first, ok := v.Lookup(name); ok && len(first.CAMEO) > 0 {
		if code, ok := c.Nearest(first.CAMEO[0]); ok {
			r.EventName = code.Name
		}
	}
}
