package answer

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"chancery/graph"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// CodeBadUserInput is the error code of malformed arguments.
const CodeBadUserInput = "BAD_USER_INPUT"

// arguments reads the arguments of one field. What is wrong with them is
// added to the compiler's errors, with the path of the field and of the
// argument in it.
type arguments struct {
	c      *compiler
	f      *field
	s      scope
	values map[string]any
}

func (c *compiler) args(f *field, s scope) *arguments {
	return &arguments{c, f, s, f.ArgumentMap(c.op.Variables)}
}

// fail records what is wrong with an argument, once.
func (a *arguments) fail(argument, format string, args ...any) {
	err := &gqlerror.Error{
		Message:    argument + ": " + fmt.Sprintf(format, args...),
		Path:       append(slices.Clip(a.s.path), argumentPath(argument)...),
		Extensions: map[string]any{"code": CodeBadUserInput, "argument": argument},
	}
	if p := a.f.Position; p != nil {
		err.Locations = []gqlerror.Location{{Line: p.Line, Column: p.Column}}
	}
	for _, known := range a.c.errs {
		if known.Message == err.Message && known.Path.String() == err.Path.String() {
			return
		}
	}
	a.c.errs = append(a.c.errs, err)
}

// argumentPath makes path elements of "filter.types[0]", as gqlgen does of the
// arguments that it reads itself.
func argumentPath(argument string) ast.Path {
	var path ast.Path
	for _, part := range strings.FieldsFunc(argument, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if i, err := strconv.Atoi(part); err == nil {
			path = append(path, ast.PathIndex(i))
		} else {
			path = append(path, ast.PathName(part))
		}
	}
	return path
}

// maxID is the length of the longest id accepted, in bytes.
const maxID = 1024

func (a *arguments) checkText(argument, s string) string {
	switch {
	case len(s) > maxID:
		a.fail(argument, "is %d bytes long; at most %d are allowed", len(s), maxID)
		return ""
	case strings.ContainsRune(s, 0):
		a.fail(argument, "holds a NUL character")
		return ""
	}
	return s
}

// asText reads a scalar that is text. Ids may be given as integers.
func (a *arguments) asText(argument string, v any) string {
	switch v := v.(type) {
	case string:
		return a.checkText(argument, v)
	case json.Number:
		return v.String()
	case int, int64, int32:
		return fmt.Sprint(v)
	}
	a.fail(argument, "is to be text, not %s", describe(v))
	return ""
}

func describe(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}

func (a *arguments) text(name string) string {
	if v := a.values[name]; v != nil {
		return a.asText(name, v)
	}
	return ""
}

func (a *arguments) id(name string) string { return a.text(name) }

func (a *arguments) ids(name string) []string { return a.texts(name, a.values[name]) }

// optionalID makes a filter of an id that may be absent.
func (a *arguments) optionalID(name string) []string {
	if a.values[name] == nil {
		return nil
	}
	return []string{a.text(name)}
}

func (a *arguments) texts(argument string, v any) []string {
	return each(a, argument, v, a.asText)
}

// each reads a list; a single value stands for a list of one. Nil stays nil,
// and an empty list stays an empty list.
func each[T any](a *arguments, argument string, v any, one func(argument string, v any) T) []T {
	if v == nil {
		return nil
	}
	values, ok := v.([]any)
	if !ok {
		switch typed := v.(type) {
		case []string:
			for _, s := range typed {
				values = append(values, s)
			}
		default:
			return []T{one(argument, v)}
		}
	}
	out := make([]T, 0, len(values))
	for i, v := range values {
		out = append(out, one(fmt.Sprintf("%s[%d]", argument, i), v))
	}
	return out
}

func (a *arguments) asDay(argument string, v any) *graph.Day {
	if v == nil {
		return nil
	}
	day, err := UnmarshalDate(v)
	if err != nil {
		a.fail(argument, "%v", err)
		return nil
	}
	return &day
}

func (a *arguments) day(name string) *graph.Day { return a.asDay(name, a.values[name]) }

// enum reads a value that must be one of a few.
func enum[T ~string](a *arguments, known ...T) func(argument string, v any) T {
	return func(argument string, v any) T {
		s := T(a.asText(argument, v))
		if !slices.Contains(known, s) {
			words := make([]string, len(known))
			for i := range known {
				words[i] = string(known[i])
			}
			a.fail(argument, "%q is none of %s", s, strings.Join(words, ", "))
		}
		return s
	}
}

// oneOf reads an optional value that must be one of a few.
func oneOf[T ~string](a *arguments, argument string, v any, absent T, known ...T) T {
	if v == nil {
		return absent
	}
	return enum(a, known...)(argument, v)
}

func (a *arguments) certainty(name string) graph.Certainty {
	return oneOf(a, name, a.values[name], graph.Possible, graph.Possible, graph.Certain)
}

func (a *arguments) kinds(name string) []graph.Kind { return a.asKinds(name, a.values[name]) }

func (a *arguments) asKinds(argument string, v any) []graph.Kind {
	return each(a, argument, v, enum(a, graph.Kinds[:]...))
}

// relationType reads the name of a type that the vocabulary must have.
func (a *arguments) relationType(argument string, v any) string {
	s := a.asText(argument, v)
	if _, ok := a.c.vocab.Lookup(s); !ok && s != "" {
		hint := "vocabulary { types { name } } lists those that it has"
		if near := a.c.vocab.Nearest(s, 3); len(near) > 0 {
			hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		a.fail(argument, "the vocabulary has no relation type %q; %s", s, hint)
	}
	return s
}

// office reads the name of a type that is an office.
func (a *arguments) office(argument string, v any) string {
	s := a.relationType(argument, v)
	if t, ok := a.c.vocab.Lookup(s); ok && !t.Office {
		a.fail(argument, "%s is no office; the offices are %s", s, strings.Join(a.c.vocab.Offices(), ", "))
	}
	return s
}

func (a *arguments) family(argument string, v any) string {
	s := a.asText(argument, v)
	if families := a.c.vocab.Families(); s != "" && !slices.Contains(families, s) {
		a.fail(argument, "there is no family %q; the families are %s", s, strings.Join(families, ", "))
	}
	return s
}

func (a *arguments) asFloat(argument string, v any, least, most float64) *float64 {
	if v == nil {
		return nil
	}
	f, err := graphql.UnmarshalFloat(v)
	if err != nil || math.IsNaN(f) || f < least || f > most {
		a.fail(argument, "is to be a number from %g to %g, not %s", least, most, describe(v))
		return nil
	}
	return &f
}

func (a *arguments) object(argument string, v any) map[string]any {
	if v == nil {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		a.fail(argument, "is to be an object, not %s", describe(v))
	}
	return m
}

// relationFilter reads the one filter that all lists of relations share.
func (a *arguments) relationFilter(name string, anchor graph.Anchor) (out graph.RelationFilter) {
	m := a.object(name, a.values[name])
	if m == nil {
		return out
	}
	at := func(key string) string { return name + "." + key }
	texts := func(key string) []string { return a.texts(at(key), m[key]) }
	out = graph.RelationFilter{
		Types:         each(a, at("types"), m["types"], a.relationType),
		Families:      each(a, at("families"), m["families"], a.family),
		Direction:     oneOf(a, at("direction"), m["direction"], graph.Any, graph.Any, graph.Out, graph.In),
		With:          texts("with"),
		WithKinds:     a.asKinds(at("withKinds"), m["withKinds"]),
		Source:        texts("source"),
		Target:        texts("target"),
		AccreditedTo:  texts("accreditedTo"),
		Certainty:     oneOf(a, at("certainty"), m["certainty"], graph.Possible, graph.Possible, graph.Certain),
		Status:        each(a, at("status"), m["status"], enum(a, graph.Statuses[:]...)),
		DateBasis:     each(a, at("dateBasis"), m["dateBasis"], enum(a, graph.DateBases[:]...)),
		About:         texts("about"),
		ClaimedBy:     texts("claimedBy"),
		Place:         texts("place"),
		CAMEO:         each(a, at("cameo"), m["cameo"], a.cameo),
		Dataset:       texts("dataset"),
		MinConfidence: a.asFloat(at("minConfidence"), m["minConfidence"], 0, 1),
	}
	if m["nature"] != nil {
		nature := enum(a, graph.Act, graph.Standing)(at("nature"), m["nature"])
		out.Nature = &nature
	}
	if m["event"] != nil {
		event := a.asText(at("event"), m["event"])
		out.Event = &event
	}
	if out.Direction != graph.Any && anchor != graph.AnchorEntity {
		a.fail(at("direction"), "%s is seen from an entity, and this list does not belong to one; use source or target", out.Direction)
	}
	if during := a.object(at("during"), m["during"]); during != nil {
		from, to := a.asDay(at("during.from"), during["from"]), a.asDay(at("during.to"), during["to"])
		switch {
		case from == nil && to == nil: // unbounded on both sides: asks about no time
		case from != nil && to != nil && *from > *to:
			a.fail(at("during"), "begins on %s, after its end on %s", from, to)
		default:
			w := graph.Window{From: graph.MinDay, To: graph.MaxDay}
			if from != nil {
				w.From = *from
			}
			if to != nil {
				w.To = *to
			}
			out.During = &w
		}
	}
	return out
}

// cameo reads a code; that no relation has it is no mistake.
func (a *arguments) cameo(argument string, v any) string {
	s := a.asText(argument, v)
	if s == "" || len(s) > 4 || strings.Trim(s, "0123456789") != "" {
		a.fail(argument, "%q is no CAMEO code: one to four digits, as text, for example \"040\" or \"19\"", s)
	}
	return s
}

// page reads first, after, last and before.
func (a *arguments) page(l *listing, limits PageLimits) (after, before string) {
	first, last := a.optionalSize("first", limits), a.optionalSize("last", limits)
	switch {
	case first != nil && last != nil:
		a.fail("last", "first and last exclude each other: ask for the first rows or for the last")
	case last != nil:
		l.limit, l.backward = *last, true
	case first != nil:
		l.limit = *first
	default:
		l.limit = limits.Default
	}
	cursor := func(name string) string {
		if v := a.values[name]; v != nil {
			if s, ok := v.(string); ok {
				return s
			}
			a.fail(name, "is to be a cursor, not %s", describe(v))
		}
		return ""
	}
	l.after, l.before = a.values["after"] != nil, a.values["before"] != nil
	return cursor("after"), cursor("before")
}

// optionalSize reads a number of rows, nil where the argument is absent.
func (a *arguments) optionalSize(name string, limits PageLimits) *int {
	v := a.values[name]
	if v == nil {
		return nil
	}
	n, err := graphql.UnmarshalInt(v)
	if err != nil {
		a.fail(name, "is to be a whole number, not %s", describe(v))
	} else if n < 0 || n > limits.Max {
		a.fail(name, "%d is not from 0 to %d", n, limits.Max)
	}
	return &n
}

// size reads the number of rows of a list that has no pages.
func (a *arguments) size(name string, limits PageLimits) int {
	l := &listing{}
	a.page(l, limits)
	return l.limit
}

// cursorKey reads the cursor of an argument, or gives nil where it is absent.
func cursorKey[K, O any](a *arguments, name, cursor string, order O, parse func(O, string) (K, error)) *K {
	if a.values[name] == nil {
		return nil
	}
	k, err := parse(order, cursor)
	if err != nil {
		a.fail(name, "%v", err)
	}
	return &k
}

// relationPage reads which page of a list of relations is wanted.
func (a *arguments) relationPage(step *graph.Step, l *listing, limits PageLimits) {
	q := &step.Relations
	q.Order = oneOf(a, "orderBy", a.values["orderBy"], graph.NewestFirst, graph.NewestFirst, graph.OldestFirst)
	after, before := a.page(l, limits)
	q.After = cursorKey(a, "after", after, q.Order, graph.ParseCursor)
	q.Before = cursorKey(a, "before", before, q.Order, graph.ParseCursor)
	q.Backward, q.Limit, l.order, step.Peek = l.backward, l.limit, q.Order, true
}

// entityQuery reads which entities are wanted.
func (a *arguments) entityQuery(step *graph.Step, l *listing, asOf *graph.Day, limits PageLimits) {
	q := &step.Entities
	q.AsOf = asOf
	q.Order = oneOf(a, "orderBy", a.values["orderBy"], graph.ByName, graph.ByName, graph.ByID)
	after, before := a.page(l, limits)
	q.After = cursorKey(a, "after", after, q.Order, graph.ParseEntityCursor)
	q.Before = cursorKey(a, "before", before, q.Order, graph.ParseEntityCursor)
	q.Backward, q.Limit, l.entityOrder, step.Peek = l.backward, l.limit, q.Order, true
	m := a.object("filter", a.values["filter"])
	q.Filter.Kinds = a.asKinds("filter.kinds", m["kinds"])
	q.Filter.Office = each(a, "filter.office", m["office"], a.office)
	q.Filter.Dataset = a.texts("filter.dataset", m["dataset"])
	if v := m["externalId"]; v != nil {
		id, ok := graph.ParseExternalID(a.asText("filter.externalId", v))
		if !ok {
			a.fail("filter.externalId", "is to be scheme:value, for example iso3166:UKR, not %s", describe(v))
		}
		q.Filter.ExternalID = &id
	}
	if v := m["search"]; v != nil {
		step.Search = &graph.Search{Text: a.asText("filter.search", v), Kinds: q.Filter.Kinds}
	}
}
