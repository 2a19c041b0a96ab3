package sqlitestore

import (
	"strings"

	"chancery/graph"
)

// condition is a WHERE clause that grows clause by clause, in a fixed order,
// and of which every value is a parameter.
type condition struct {
	text      strings.Builder
	args      []any
	relations bool // it reads r, and not only a
}

func (c *condition) and(clause string, args ...any) {
	c.text.WriteString(" AND ")
	c.text.WriteString(clause)
	c.args = append(c.args, args...)
}

// of adds a clause that reads r.
func (c *condition) of(clause string, args ...any) {
	c.relations = true
	c.and(clause, args...)
}

// What relations are asked for. %a stands for the table that has what
// adjacency and relations both have. A list is one parameter, a JSON text.
const (
	inList = ` IN (SELECT value FROM json_each(?))`

	whereTypes         = `%a.type IN (SELECT t.code FROM json_each(?) w CROSS JOIN types t ON t.name = w.value)`
	whereStatus        = `%a.status` + inList
	wherePossible      = `%a.earliest <= ? AND %a.latest >= ?`
	whereCertain       = `r.certain_from <= ? AND r.certain_to >= ?`
	whereOut           = `a.traits & 1`
	whereIn            = `a.traits & 2`
	whereStandingNear  = `(a.traits & 4) = ?`
	whereStanding      = `r.standing * 4 = ?`
	whereAsOfNear      = `a.earliest <= ? AND (NOT a.traits & 4 OR a.latest >= ?)`
	whereAsOf          = `r.earliest <= ? AND (NOT r.standing OR r.latest >= ?)`
	whereAsOfCertain   = `r.certain_from <= ? AND (NOT r.standing OR r.certain_to >= ?)`
	whereFar           = `a.other IN (SELECT f.row FROM json_each(?) w CROSS JOIN nodes f ON f.id = w.value)`
	whereWithin        = `(SELECT f.canonical FROM nodes f WHERE f.row = a.other) = n.canonical`
	whereFarKind       = `(SELECT f.kind FROM nodes f WHERE f.row = a.other)` + inList
	whereEitherEnd     = `(r.source` + inList + ` OR r.target` + inList + `)`
	whereEitherKind    = `EXISTS (SELECT 1 FROM nodes f WHERE f.id IN (r.source, r.target) AND f.kind` + inList + `)`
	whereFamilies      = `r.family` + inList
	whereSource        = `r.source` + inList
	whereTarget        = `r.target` + inList
	whereAccredited    = `r.accredited_to` + inList
	whereBasis         = `r.basis` + inList
	whereAbout         = `EXISTS (SELECT 1 FROM json_each(?) w CROSS JOIN relation_about b ON b.about = w.value AND b.relation = r.row)`
	whereEvent         = `r.event = ? AND r.event <> ''` // "" is no event
	whereClaimedBy     = `r.claimed_by` + inList
	wherePlace         = `r.rest <> '' AND EXISTS (SELECT 1 FROM json_each(r.rest, '$.places') p WHERE p.value` + inList + `)`
	whereCAMEO         = `EXISTS (SELECT 1 FROM json_each(?) w WHERE substr(r.cameo, 1, length(w.value)) = w.value)`
	whereDataset       = `r.dataset` + inList
	whereMinConfidence = `r.confidence >= ?`
)

// filter adds what a filter asks. near says that the list belongs to an
// entity: then the relation's adjacency there is a.
func (c *condition) filter(f *graph.RelationFilter, asOf *graph.Day, near bool) {
	both := func(clause string, args ...any) {
		if near {
			c.and(strings.ReplaceAll(clause, "%a", "a"), args...)
		} else {
			c.of(strings.ReplaceAll(clause, "%a", "r"), args...)
		}
	}
	in := func(clause string, list []string) {
		if list != nil {
			c.of(clause, jsonList(list))
		}
	}
	if f.Types != nil {
		both(whereTypes, jsonList(f.Types))
	}
	if near {
		switch f.Direction {
		case graph.Out:
			c.and(whereOut)
		case graph.In:
			c.and(whereIn)
		}
	}
	if f.Status != nil {
		both(whereStatus, statusCodes.list(f.Status))
	}
	if w := f.During; w != nil {
		both(wherePossible, int64(w.To), int64(w.From))
		if f.Certainty == graph.Certain {
			c.of(whereCertain, int64(w.To), int64(w.From))
		}
	}
	if asOf != nil {
		d := int64(*asOf)
		if near {
			c.and(whereAsOfNear, d, d)
		} else {
			c.of(whereAsOf, d, d)
		}
		if f.Certainty == graph.Certain {
			c.of(whereAsOfCertain, d, d)
		}
	}
	if f.Nature != nil {
		want := 0
		if *f.Nature == graph.Standing {
			want = traitStanding
		}
		if near {
			c.and(whereStandingNear, want)
		} else {
			c.of(whereStanding, want)
		}
	}
	if f.With != nil {
		if near {
			c.and(whereFar, jsonList(f.With))
		} else {
			list := jsonList(f.With)
			c.of(whereEitherEnd, list, list)
		}
	}
	if f.WithKinds != nil {
		if near {
			c.and(whereFarKind, jsonList(f.WithKinds))
		} else {
			c.of(whereEitherKind, jsonList(f.WithKinds))
		}
	}
	if f.Within && near {
		c.and(whereWithin)
	}
	in(whereFamilies, f.Families)
	in(whereSource, f.Source)
	in(whereTarget, f.Target)
	in(whereAccredited, f.AccreditedTo)
	if f.DateBasis != nil {
		c.of(whereBasis, basisCodes.list(f.DateBasis))
	}
	in(whereAbout, f.About)
	if f.Event != nil {
		c.of(whereEvent, *f.Event)
	}
	in(whereClaimedBy, f.ClaimedBy)
	in(wherePlace, f.Place)
	in(whereCAMEO, f.CAMEO)
	in(whereDataset, f.Dataset)
	if f.MinConfidence != nil {
		c.of(whereMinConfidence, *f.MinConfidence)
	}
}

// Places of relations in a list; t is the table that the list is read from.
// The first half of each lets SQLite begin at the day instead of at the end
// of the list.
const (
	fromEarlier = `t.sort_day <= ? AND (t.sort_day < ? OR t.id > ?)` // newest first, after
	fromLater   = `t.sort_day >= ? AND (t.sort_day > ? OR t.id > ?)` // oldest first, after
	tillLater   = `t.sort_day >= ? AND (t.sort_day > ? OR t.id < ?)` // newest first, before
	tillEarlier = `t.sort_day <= ? AND (t.sort_day < ? OR t.id < ?)` // oldest first, before

	newestFirst    = ` ORDER BY t.sort_day DESC, t.id LIMIT ?`
	newestBackward = ` ORDER BY t.sort_day, t.id DESC LIMIT ?`
	oldestFirst    = ` ORDER BY t.sort_day, t.id LIMIT ?`
	oldestBackward = ` ORDER BY t.sort_day DESC, t.id DESC LIMIT ?`
)

// page adds what a page is cut out by. table is "a" or "r".
func (c *condition) page(q *graph.RelationQuery, table string) {
	after, before, order := fromEarlier, tillLater, newestFirst
	oldest := q.Order == graph.OldestFirst
	if oldest {
		after, before = fromLater, tillEarlier
	}
	switch {
	case oldest && q.Backward:
		order = oldestBackward
	case oldest:
		order = oldestFirst
	case q.Backward:
		order = newestBackward
	}
	in := func(text string) string { return strings.ReplaceAll(text, "t.", table+".") }
	if k := q.After; k != nil {
		c.and(in(after), int64(k.SortDay), int64(k.SortDay), k.ID)
	}
	if k := q.Before; k != nil {
		c.and(in(before), int64(k.SortDay), int64(k.SortDay), k.ID)
	}
	c.text.WriteString(in(order))
	c.args = append(c.args, q.Limit)
}
