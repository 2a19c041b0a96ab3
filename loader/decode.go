package loader

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
)

// decoder reads one file, and notes every problem with its place.
type decoder struct {
	file     string
	problems graph.Problems
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.failAt(n, 0, format, args...)
}

// failAt points into a scalar, offset bytes from its beginning.
func (d *decoder) failAt(n *yaml.Node, offset int, format string, args ...any) {
	if offset > 0 && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		offset++
	}
	d.problems.Add(d.file, n.Line, n.Column+offset, format, args...)
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// document reads the one document of a file.
func (d *decoder) document(r io.Reader) *yaml.Node {
	var doc, more yaml.Node
	in := yaml.NewDecoder(r)
	err := in.Decode(&doc)
	if err == nil && in.Decode(&more) != io.EOF {
		d.problems.Add(d.file, max(more.Line, 1), max(more.Column, 1), "the file has several YAML documents; a data set is one")
		return nil
	}
	if err == io.EOF || err == nil && (len(doc.Content) == 0 || doc.Content[0].Tag == "!!null") {
		d.problems.Add(d.file, 1, 1, "the file is empty; a data set begins with \"dataset: NAME\"")
		return nil
	}
	if err != nil {
		line, message := 1, err.Error()
		if m := yamlError.FindStringSubmatch(message); m != nil {
			message = m[2]
			if n, err := strconv.Atoi(m[1]); err == nil {
				line = n
			}
		}
		d.problems.Add(d.file, line, 1, "this is not YAML: %s", message)
		return nil
	}
	return doc.Content[0]
}

// object is a mapping whose keys are known.
type object struct {
	d    *decoder
	node *yaml.Node
	keys map[string]*yaml.Node // values by key
}

// object reads a mapping with these keys. It is empty where the node is none.
func (d *decoder) object(n *yaml.Node, what string, known []string) object {
	o := object{d, n, map[string]*yaml.Node{}}
	d.each(n, what, func(key string, k, v *yaml.Node) {
		if !slices.Contains(known, key) {
			hint := ""
			if near := graph.NearestWords(key, known, 1); len(near) > 0 {
				hint = fmt.Sprintf("; did you mean %q?", near[0])
			} else {
				hint = "; it has " + strings.Join(known, ", ")
			}
			d.fail(k, "%s has no key %q%s", what, key, hint)
			return
		}
		o.keys[key] = v
	})
	return o
}

// each calls fn for the entries of a mapping, in their order.
func (d *decoder) each(n *yaml.Node, what string, fn func(key string, k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		if n.Kind != 0 {
			d.fail(n, "%s is to be a mapping (key: value), not %s", what, describe(n))
		}
		return
	}
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch first := seen[k.Value]; {
		case k.Tag == "!!merge":
			d.fail(k, "merge keys (<<) cannot be used here; repeat the values, or use defaults")
		case k.Kind != yaml.ScalarNode:
			d.fail(k, "a key is to be text, not %s", describe(k))
		case first != nil:
			d.fail(k, "%q is given twice; the first is in line %d", k.Value, first.Line)
		case v.Kind == yaml.AliasNode:
			seen[k.Value] = k
			d.fail(v, "anchors and aliases (*%s) cannot be used here; repeat the value, or use defaults", v.Value)
		default:
			seen[k.Value] = k
			fn(k.Value, k, v)
		}
	}
}

// list reads a sequence; a scalar stands for a list of one.
func (d *decoder) list(n *yaml.Node, what string) []*yaml.Node {
	switch {
	case n == nil || n.Tag == "!!null":
		return nil
	case n.Kind == yaml.SequenceNode:
		items := make([]*yaml.Node, 0, len(n.Content))
		for _, item := range n.Content {
			if item.Kind == yaml.AliasNode {
				d.fail(item, "anchors and aliases (*%s) cannot be used here; repeat the value", item.Value)
				continue
			}
			items = append(items, item)
		}
		return items
	case n.Kind == yaml.ScalarNode:
		return []*yaml.Node{n}
	}
	d.fail(n, "%s is to be a list, not %s", what, describe(n))
	return nil
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

// scalar reads text; numbers and dates without quotes are text too.
func (d *decoder) scalar(n *yaml.Node, what string) (string, bool) {
	switch {
	case n == nil:
		return "", false
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		d.fail(n, "%s is to be text, not %s", what, describe(n))
		return "", false
	case strings.TrimSpace(n.Value) == "":
		d.fail(n, "%s is empty; leave the key out where there is nothing to say", what)
		return "", false
	case strings.ContainsRune(n.Value, 0):
		d.fail(n, "%s holds a NUL character", what)
		return "", false
	}
	return n.Value, true
}

func (o *object) text(key string) string {
	s, _ := o.d.scalar(o.keys[key], key)
	return s
}

// required reads text that must be there.
func (o *object) required(key, what string) string {
	if o.keys[key] == nil {
		if o.node.Kind == yaml.MappingNode {
			o.d.fail(o.node, "%s has no %s", what, key)
		}
		return ""
	}
	return o.text(key)
}

func (o *object) texts(key string) []string {
	var out []string
	for _, n := range o.d.list(o.keys[key], key) {
		if s, ok := o.d.scalar(n, key); ok {
			out = append(out, s)
		}
	}
	return out
}

// number reads a number from least to most, or nil.
func (o *object) number(key string, least, most float64) *float64 {
	n := o.keys[key]
	if n == nil {
		return nil
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" || err != nil || math.IsNaN(f) || math.IsInf(f, 0):
		o.d.fail(n, "%s is to be a number, not %s", key, describe(n))
		return nil
	case f < least || f > most:
		o.d.fail(n, "%s is to be from %g to %g, not %s", key, least, most, n.Value)
		return nil
	}
	return &f
}

func (o *object) integer(key string) int {
	n := o.keys[key]
	if n == nil {
		return 0
	}
	i, err := strconv.Atoi(n.Value)
	if err != nil || n.Tag != "!!int" {
		o.d.fail(n, "%s is to be a whole number, not %s", key, describe(n))
	}
	return i
}

func (o *object) boolean(key string) bool {
	n := o.keys[key]
	if n == nil {
		return false
	}
	if n.Tag != "!!bool" {
		o.d.fail(n, "%s is to be true or false, not %s", key, describe(n))
	}
	return strings.EqualFold(n.Value, "true")
}

// word reads one of a few words, whatever their case.
func word[T ~string](o *object, key string, absent T, known []T, show func(T) string) T {
	s, ok := o.d.scalar(o.keys[key], key)
	if !ok {
		return absent
	}
	shown := make([]string, len(known))
	for i, k := range known {
		if shown[i] = show(k); strings.EqualFold(s, shown[i]) {
			return k
		}
	}
	hint := strings.Join(shown, ", ")
	if near := graph.NearestWords(s, shown, 1); len(near) > 0 {
		hint = near[0] + "? The words are " + hint
	}
	o.d.fail(o.keys[key], "%s is no %s; %s", strconv.Quote(s), key, hint)
	return absent
}

func verbatim[T ~string](v T) string { return string(v) }

// kindWord is a kind as files write it: Person, State, ….
func kindWord(k graph.Kind) string { return string(k[:1]) + strings.ToLower(string(k[1:])) }

// date reads a date in EDTF.
func (o *object) date(key string, nature graph.Nature, basis graph.DateBasis, published *graph.Day) graph.Date {
	text, _ := o.d.scalar(o.keys[key], key)
	var day graph.Day
	if published != nil {
		day = *published
	}
	date, err := graph.ResolveDate(text, nature, basis, day, published != nil)
	if err != nil {
		offset := 0
		if e, ok := err.(*graph.DateError); ok {
			offset = e.Offset
		}
		o.d.failAt(o.keys[key], offset, "%s: %v", key, err)
		date, _ = graph.ResolveDate("", nature, "", 0, false)
	}
	return date
}

func (o *object) externalIDs() []graph.ExternalID {
	var out []graph.ExternalID
	for _, n := range o.d.list(o.keys["externalIds"], "externalIds") {
		s, ok := o.d.scalar(n, "an external id")
		if !ok {
			continue
		}
		id, ok := graph.ParseExternalID(s)
		if !ok {
			o.d.fail(n, "%q is no external id; write scheme:value, for example wikidata:Q142", s)
			continue
		}
		out = append(out, id)
	}
	return out
}

func (o *object) properties() []graph.Property {
	n := o.keys["properties"]
	if n == nil {
		return nil
	}
	var out []graph.Property
	o.d.each(n, "properties", func(key string, k, v *yaml.Node) {
		if strings.TrimSpace(key) == "" {
			o.d.fail(k, "a property needs a name")
			return
		}
		for _, item := range o.d.list(v, "the property "+key) {
			if s, ok := o.d.scalar(item, "the property "+key); ok {
				out = append(out, graph.Property{Name: key, Value: s})
			}
		}
	})
	return out
}

func (o *object) point() *graph.Point {
	n := o.keys["point"]
	if n == nil {
		return nil
	}
	p := o.d.object(n, "point", pointKeys)
	for _, key := range pointKeys {
		if p.keys[key] == nil && n.Kind == yaml.MappingNode {
			o.d.fail(n, "point has no %s", key)
			return nil
		}
	}
	latitude, longitude := p.number("latitude", -90, 90), p.number("longitude", -180, 180)
	if latitude == nil || longitude == nil {
		return nil
	}
	return &graph.Point{Latitude: *latitude, Longitude: *longitude}
}
