package loader

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
)

// decoder takes values from the tree of a file, and notes what is wrong with
// them. What it returns for a wrong value is the value left out.
type decoder struct {
	file     string
	problems graph.Problems
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.problems.Add(d.file, n.Line, n.Column, format, args...)
}

// failIn points into a scalar, offset bytes from its beginning.
func (d *decoder) failIn(n *yaml.Node, offset int, format string, args ...any) {
	column := n.Column
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || offset > len(n.Value):
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		column++ // the quote
		fallthrough
	default:
		column += utf8.RuneCountInString(n.Value[:offset])
	}
	d.problems.Add(d.file, n.Line, column, format, args...)
}

// object is a mapping whose keys are known.
type object struct {
	d    *decoder
	what string // in messages: "the relation"
	node *yaml.Node
	keys map[string]*yaml.Node // values by key, wrong ones included
}

// isMapping says whether n is one, and notes when it is not.
func (d *decoder) isMapping(n *yaml.Node, what string) bool {
	if n.Kind == yaml.MappingNode {
		return true
	}
	if n.Kind != spoilt {
		d.fail(n, "%s must have keys and values (key: value), but is %s", what, describe(n))
	}
	return false
}

// object reads a mapping with some of these keys. It has none where the node
// is no mapping.
func (d *decoder) object(n *yaml.Node, what string, known []string) object {
	o := object{d: d, what: what, node: n, keys: make(map[string]*yaml.Node, 8)}
	if !d.isMapping(n, what) {
		return o
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind == spoilt:
		case k.Kind != yaml.ScalarNode:
			d.fail(k, "a key of %s is %s, but must be one of %s", what, describe(k), orList(known))
		case !slices.Contains(known, k.Value):
			hint := "it can have " + strings.Join(known, ", ")
			if near := graph.NearestWords(k.Value, known, 1); len(near) > 0 {
				hint = "did you mean " + near[0] + "?"
			}
			d.fail(k, "%s has no key %q; %s", what, clip(k.Value), hint)
		case o.keys[k.Value] != nil:
			if !sameContent(o.keys[k.Value], v, "") {
				d.fail(k, "%s has %s twice, first with another value in line %d; keep one", what, k.Value, o.keys[k.Value].Line)
			}
		default:
			o.keys[k.Value] = v
		}
	}
	return o
}

// missing notes that a key is not there that must be.
func (o *object) missing(key, hint string) {
	if o.node.Kind == yaml.MappingNode {
		o.d.fail(o.node, "%s has no %s%s", o.what, key, hint)
	}
}

// list returns the items of a list; a value by itself is a list of one.
func (o *object) list(key string) []*yaml.Node {
	n := o.keys[key]
	switch {
	case n == nil || n.Kind == spoilt:
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		o.d.fail(n, "%s is empty; give it a value, or leave the key out", key)
		return nil
	case n.Kind == yaml.ScalarNode:
		return []*yaml.Node{n}
	}
	o.d.fail(n, "%s must be a list, but is %s", key, describe(n))
	return nil
}

// records returns the items of a list of mappings, which cannot be left alone.
func (o *object) records(key string) []*yaml.Node {
	n := o.keys[key]
	switch {
	case n == nil || n.Kind == spoilt:
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	}
	o.d.fail(n, "%s must be a list (each item after a hyphen), but is %s", key, describe(n))
	return nil
}

// textRule says which texts will do.
type textRule struct {
	most      int
	multiline bool
}

var (
	lineRule  = textRule{most: maxLine}
	proseRule = textRule{most: maxText, multiline: true}
	quoteRule = textRule{most: maxQuote, multiline: true}
)

// scalar reads text: what YAML takes for a number or a truth value is none.
func (d *decoder) scalar(n *yaml.Node, what string, rule textRule) (string, bool) {
	switch {
	case n == nil || n.Kind == spoilt:
		return "", false
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		d.fail(n, "%s is empty; give it a value, or leave the key out", what)
		return "", false
	case n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float" || n.Tag == "!!bool"):
		d.fail(n, "%s must be text, but is %s; put it in quotes: %q", what, describe(n), clip(n.Value))
		return "", false
	case n.Kind != yaml.ScalarNode:
		d.fail(n, "%s must be text, but is %s", what, describe(n))
		return "", false
	}
	return d.content(n, what, rule)
}

// content checks the characters of a text.
func (d *decoder) content(n *yaml.Node, what string, rule textRule) (string, bool) {
	s := n.Value
	for i, r := range s {
		switch {
		case r == '\t' || r == '\n' && rule.multiline:
		case r == '\n' || r == '\r':
			d.fail(n, "%s must be one line", what)
			return "", false
		case r < ' ' || r >= 0x7f && r < 0xa0:
			d.failIn(n, i, "%s has a control character (U+%04X) in it; remove it", what, r)
			return "", false
		}
	}
	s = norm.NFC.String(strings.TrimSpace(s))
	if s == "" {
		d.fail(n, "%s is empty; give it a value, or leave the key out", what)
		return "", false
	}
	if length := utf8.RuneCountInString(s); length > rule.most {
		d.fail(n, "%s has %d characters; at most %d are allowed", what, length, rule.most)
		return "", false
	}
	return s, true
}

func (o *object) line(key string) string {
	s, _ := o.d.scalar(o.keys[key], key, lineRule)
	return s
}

func (o *object) text(key string) string {
	s, _ := o.d.scalar(o.keys[key], key, proseRule)
	return s
}

// required reads a line that must be there.
func (o *object) required(key string) string {
	if o.keys[key] == nil {
		o.missing(key, "")
	}
	return o.line(key)
}

func (o *object) lines(key string) []string {
	var out []string
	for _, n := range o.list(key) {
		if s, ok := o.d.scalar(n, key, lineRule); ok && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// number reads a number from least to most, or nil.
func (o *object) number(key string, least, most float64) *float64 {
	n := o.keys[key]
	if n == nil || n.Kind == spoilt {
		return nil
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" || !jsonNumber.MatchString(n.Value) {
		o.d.fail(n, "%s must be a number, such as 3 or 0.5, but is %s", key, describe(n))
		return nil
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case err != nil:
		o.d.fail(n, "%s is too large a number: %s", key, clip(n.Value))
		return nil
	case f < least || f > most:
		o.d.fail(n, "%s must be from %g to %g, but is %s", key, least, most, clip(n.Value))
		return nil
	}
	f += 0 // not -0
	return &f
}

// integer reads a whole number from least to most; it is 0 where there is none.
func (o *object) integer(key string, least, most float64) int {
	f := o.number(key, least, most)
	if f == nil {
		return 0
	}
	if *f != math.Trunc(*f) {
		o.d.fail(o.keys[key], "%s must be a whole number, but is %s", key, o.keys[key].Value)
		return 0
	}
	return int(*f)
}

func (o *object) boolean(key string) bool {
	n := o.keys[key]
	if n == nil || n.Kind == spoilt {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		o.d.fail(n, "%s must be true or false, but is %s", key, describe(n))
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// word reads one of a few words. It is absent where there is none, or a wrong one.
func word[T ~string](o *object, key string, absent T, known []T, show func(T) string) T {
	s, ok := o.d.scalar(o.keys[key], key, lineRule)
	if !ok {
		return absent
	}
	shown := make([]string, len(known))
	for i, k := range known {
		if shown[i] = show(k); s == shown[i] {
			return k
		}
	}
	hint := "it can be " + orList(shown)
	if near := graph.NearestWords(s, shown, 1); len(near) > 0 {
		hint = "did you mean " + near[0] + "? " + strings.ToUpper(hint[:1]) + hint[1:]
	}
	o.d.fail(o.keys[key], "%s cannot be %q; %s", key, clip(s), hint)
	return absent
}

func verbatim[T ~string](v T) string { return string(v) }

func (o *object) status(absent graph.Status) graph.Status {
	return word(o, "status", absent, graph.Statuses[:], verbatim)
}

func (o *object) basis(absent graph.DateBasis) graph.DateBasis {
	return word(o, "dateBasis", absent, graph.DateBases[:], verbatim)
}

// edtf reads the text of a date. A year alone is a number to YAML.
func (o *object) edtf(key string) string {
	n := o.keys[key]
	switch {
	case n == nil || n.Kind == spoilt:
		return ""
	case n.Kind == yaml.ScalarNode && n.Tag == "!!int" && len(n.Value) == 4 && n.Value[0] != '0':
		return n.Value
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null" && n.Tag != "!!bool":
		// Whatever else YAML takes it for, what is wrong with it as a date says more.
		if strings.TrimSpace(n.Value) != "" {
			return n.Value
		}
	}
	o.d.scalar(n, key, lineRule)
	return ""
}

// resolve works out the date that the text of a key stands for.
func (o *object) resolve(key, text string, nature graph.Nature, basis graph.DateBasis, published *graph.Day) graph.Date {
	var day graph.Day
	if published != nil {
		day = *published
	}
	date, err := graph.ResolveDate(text, nature, basis, day, published != nil)
	if err == nil {
		return date
	}
	offset := 0
	if e, ok := errors.AsType[*graph.DateError](err); ok {
		offset = e.Offset
	}
	if n := o.keys[key]; n != nil {
		o.d.failIn(n, offset, "%s: %v", key, err)
	} else {
		o.d.fail(o.node, "%s: %v", key, err)
	}
	date, _ = graph.ResolveDate("", nature, "", 0, false)
	return date
}

func (o *object) date(key string, nature graph.Nature, basis graph.DateBasis) graph.Date {
	return o.resolve(key, o.edtf(key), nature, basis, nil)
}

var (
	handleForm    = regexp.MustCompile(handlePattern)
	externalForm  = regexp.MustCompile(externalPattern)
	urlForm       = regexp.MustCompile(`^https?://[^\s/]+\S*$`)
	datasetForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)
	cameoForm     = regexp.MustCompile(`^(0[1-9]|1[0-9]|20)[0-9]{0,2}$`)
	whitespace    = regexp.MustCompile(`\s`)
	maxURL        = 2000
	quantityLimit = 1e300
)

// id reads an id of the record.
func (o *object) id(key string) (string, bool) {
	n := o.keys[key]
	s, ok := o.d.scalar(n, key, textRule{most: maxID})
	if ok && whitespace.MatchString(s) {
		o.d.fail(n, "the id %q has a blank in it; use a hyphen instead", clip(s))
		return "", false
	}
	return s, ok
}

func (o *object) url(key string) string {
	n := o.keys[key]
	s, ok := o.d.scalar(n, key, textRule{most: maxURL})
	if ok && !urlForm.MatchString(s) {
		o.d.fail(n, "%s must begin with https:// or http:// and have no blanks, but is %q", key, clip(s))
		return ""
	}
	return s
}

func (o *object) externalIDs() []graph.ExternalID {
	var out []graph.ExternalID
	for _, n := range o.list("externalIds") {
		s, ok := o.d.scalar(n, "an external id", lineRule)
		if !ok {
			continue
		}
		id, ok := graph.ParseExternalID(s)
		if !ok || !externalForm.MatchString(s) {
			o.d.fail(n, "an external id must be scheme:value, such as wikidata:Q142 or iso3166:FRA, but is %q", clip(s))
			continue
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func (o *object) properties() []graph.Property {
	n := o.keys["properties"]
	if n == nil || !o.d.isMapping(n, "properties") {
		return nil
	}
	var out []graph.Property
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			if k.Kind != spoilt {
				o.d.fail(k, "the name of a property must be text, but is %s", describe(k))
			}
			continue
		}
		name, ok := o.d.content(k, "the name of a property", textRule{most: maxHandle})
		if !ok {
			continue
		}
		if first, dup := lines[name]; dup {
			o.d.fail(k, "the property %s is given twice, first in line %d; make it one list", name, first)
			continue
		}
		lines[name] = k.Line
		values := []*yaml.Node{v}
		if v.Kind == yaml.SequenceNode {
			values = v.Content
		}
		what := "the property " + name
		for _, item := range values {
			switch {
			case item.Kind == spoilt:
			case item.Kind != yaml.ScalarNode || item.Tag == "!!null":
				o.d.scalar(item, what, proseRule) // says what is wrong
			default:
				if s, ok := o.d.content(item, what, proseRule); ok {
					out = append(out, graph.Property{Name: name, Value: s})
				}
			}
		}
	}
	return out
}

func (o *object) point() *graph.Point {
	n := o.keys["point"]
	if n == nil {
		return nil
	}
	p := o.d.object(n, "point", pointKeys)
	for _, key := range pointKeys {
		if p.keys[key] == nil {
			p.missing(key, "; write {latitude: 48.87, longitude: 2.31}")
		}
	}
	latitude, longitude := p.number("latitude", -90, 90), p.number("longitude", -180, 180)
	if latitude == nil || longitude == nil {
		return nil
	}
	return &graph.Point{Latitude: *latitude, Longitude: *longitude}
}
