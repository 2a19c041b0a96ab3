package loader

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/graph"

	"golang.org/x/text/unicode/norm"
)

// ftmLine is what a line of a FollowTheMoney file says.
type ftmLine struct {
	ID, Schema, Caption string
	Properties          map[string][]string
	// Beside are what exports write beside the properties: the data sets, the
	// former ids, and the like.
	Beside map[string][]string
	// Unread are keys that mean nothing here.
	Unread []string
}

// ftmMaxID is the longest id of an entity, in bytes: that of FollowTheMoney.
const ftmMaxID = 200

// ftmMaxValues is the most that an entity may say; those with the most that are
// published have some thousands of values.
const ftmMaxValues = 10_000

var ftmSchemaForm = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,99}$`)

// ftmBeside are the keys of a line that are recorded as they are, and their
// names as properties.
var ftmBeside = map[string]string{"datasets": "datasets", "referents": "referents", "first_seen": "firstSeen", "target": "target"}

// parseFTM reads a line.
func parseFTM(text string) (*ftmLine, *Rejection) {
	p := ftmParser{dec: json.NewDecoder(strings.NewReader(text)), line: &ftmLine{Beside: map[string][]string{}}}
	p.dec.UseNumber()
	if err := p.object(p.key); err != nil {
		return nil, p.rejection(err)
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Rejection{Reason: "something follows the object: a line holds one entity"}
	}
	l := p.line
	switch {
	case l.ID == "":
		return nil, &Rejection{Column: "id", Reason: "is missing"}
	case ftmNoID(l.ID) != "":
		return nil, &Rejection{Column: "id", Reason: ftmNoID(l.ID)}
	case l.Schema == "":
		return nil, &Rejection{Column: "schema", Reason: "is missing"}
	case !ftmSchemaForm.MatchString(l.Schema):
		return nil, &Rejection{Column: "schema", Reason: fmt.Sprintf("%q is not the name of a schema, such as Person", clip(l.Schema))}
	case l.Properties == nil:
		return nil, &Rejection{Column: "properties", Reason: "is missing"}
	}
	l.sort()
	return l, nil
}

// ftmNoID says why a text is no id, "" where it may be one. An id stands for the name
// where there is none, so it is one line.
func ftmNoID(text string) string {
	if len(text) > ftmMaxID {
		return fmt.Sprintf("has %d bytes; at most %d are allowed", len(text), ftmMaxID)
	}
	if i := strings.IndexAny(text, "\n\t"); i >= 0 { // ftmText has refused others
		return fmt.Sprintf("holds the control character U+%04X", text[i])
	}
	return ""
}

type ftmParser struct {
	dec    *json.Decoder
	line   *ftmLine
	column string // what is being read
	read   int    // values
}

// ftmFault is what is wrong with a value, as opposed to with the JSON.
type ftmFault string

func (f ftmFault) Error() string { return string(f) }

func (p *ftmParser) rejection(err error) *Rejection {
	r := &Rejection{Column: p.column, Reason: err.Error()}
	if _, ok := errors.AsType[ftmFault](err); !ok {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends too early")
		}
		r.Reason = "not JSON: " + strings.TrimPrefix(err.Error(), "json: ")
	}
	return r
}

// object reads an object; visit reads the value of each key.
func (p *ftmParser) object(visit func(key string) error) error {
	token, err := p.dec.Token()
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return ftmFault(fmt.Sprintf("is %s, but must be an object", ftmDescribe(token)))
	}
	outer, seen := p.column, map[string]bool{}
	for p.dec.More() {
		token, err := p.dec.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return ftmFault("a key must be text")
		}
		key = mended(key) // as the line is, see ftmText
		p.column = clip(key)
		if seen[key] {
			return ftmFault("occurs twice")
		}
		seen[key] = true
		if err := visit(key); err != nil {
			return err
		}
		p.column = outer
	}
	_, err = p.dec.Token()
	return err
}

func (p *ftmParser) key(key string) (err error) {
	l := p.line
	switch name, beside := ftmBeside[key]; {
	case key == "id":
		l.ID, err = p.text()
	case key == "schema":
		l.Schema, err = p.text()
	case key == "caption":
		l.Caption, err = p.text()
	case key == "properties":
		l.Properties = map[string][]string{}
		err = p.object(p.property)
	case beside:
		var values []string
		if values, err = p.values(); len(values) > 0 {
			l.Beside[name] = values
		}
	default:
		var skipped json.RawMessage
		if err = p.dec.Decode(&skipped); err == nil && !ftmDropped[key] {
			l.Unread = append(l.Unread, clip(key))
		}
	}
	return err
}

func (p *ftmParser) property(name string) error {
	if clean, err := ftmText(name); err != nil || clean != name || name == "" || utf8.RuneCountInString(name) > maxHandle {
		return ftmFault(fmt.Sprintf("the name of a property has 1 to %d characters, without controls", maxHandle))
	}
	values, err := p.values()
	if len(values) > 0 {
		p.line.Properties[name] = values
	}
	return err
}

// text reads a text; null is none.
func (p *ftmParser) text() (string, error) {
	token, err := p.dec.Token()
	if err != nil || token == nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", ftmFault(fmt.Sprintf("is %s, but must be text", ftmDescribe(token)))
	}
	return ftmText(s)
}

// values reads a list of texts, each once. A text by itself is a list of one;
// a truth value is text.
func (p *ftmParser) values() ([]string, error) {
	token, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case string:
		s, err := ftmText(v)
		if err != nil || s == "" {
			return nil, err
		}
		return []string{s}, nil
	case bool:
		return []string{fmt.Sprint(v)}, nil
	case nil:
		return nil, nil
	}
	if token == json.Delim('{') && p.nested() {
		return nil, errFTMNested
	}
	if token != json.Delim('[') {
		return nil, ftmFault(fmt.Sprintf("is %s, but must be a list of texts", ftmDescribe(token)))
	}
	var out []string
	seen := map[string]bool{}
	for p.dec.More() {
		token, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		s, ok := token.(string)
		if !ok {
			if token == json.Delim('{') && p.nested() {
				return nil, errFTMNested
			}
			return nil, ftmFault(fmt.Sprintf("holds %s, but must be a list of texts", ftmDescribe(token)))
		}
		if s, err = ftmText(s); err != nil {
			return nil, err
		}
		if s != "" && !seen[s] {
			if p.read++; p.read > ftmMaxValues {
				return nil, ftmFault(fmt.Sprintf("the entity has more than %d values", ftmMaxValues))
			}
			seen[s] = true
			out = append(out, s)
		}
	}
	_, err = p.dec.Token()
	return out, err
}

// errFTMNested is what is wrong with an entity that holds others.
const errFTMNested = ftmFault("this looks like targets.nested.json, where entities hold other entities; load entities.ftm.json of the same data set instead, which has each in a line of its own")

// nested reports whether an object that has begun is an entity.
func (p *ftmParser) nested() bool {
	has := map[string]bool{}
	for p.dec.More() {
		key, err := p.dec.Token()
		var skipped json.RawMessage
		if err != nil || p.dec.Decode(&skipped) != nil {
			break
		}
		if name, ok := key.(string); ok {
			has[name] = true
		}
	}
	return has["schema"] && (has["id"] || has["properties"])
}

// ftmText gives a text the form in which texts are recorded.
func ftmText(s string) (string, error) {
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	s = mended(s) // JSON may write such characters as \u0092
	for _, r := range s {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return "", ftmFault(fmt.Sprintf("holds the control character U+%04X", r))
		}
	}
	return norm.NFC.String(strings.TrimSpace(s)), nil
}

func ftmDescribe(token json.Token) string {
	switch token {
	case json.Delim('{'):
		return "an object"
	case json.Delim('['):
		return "a list"
	case nil:
		return "null"
	case true, false:
		return "a truth value"
	}
	if _, ok := token.(string); ok {
		return "text"
	}
	return "a number"
}

// sort gives values a fixed order, since they are sets: exporters write them in
// any order, and the first one of a property may be made the name.
func (l *ftmLine) sort() {
	for _, values := range []map[string][]string{l.Properties, l.Beside} {
		for _, list := range values {
			slices.Sort(list)
		}
	}
}

// digest identifies what a line says.
func (l *ftmLine) digest() (short [8]byte) {
	texts := []string{l.ID, l.Schema, l.Caption}
	for _, values := range []map[string][]string{l.Properties, l.Beside} {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			texts = append(texts, name, fmt.Sprint(len(values[name])))
			texts = append(texts, values[name]...)
		}
	}
	sum := digestOf(texts...)
	copy(short[:], sum[:])
	return short
}

// add takes in what another line says of the same entity. The order of the lines
// changes nothing.
func (l *ftmLine) add(more *ftmLine) {
	if l.Schema != more.Schema {
		other := more.Schema
		if kind, also := ftmSchemaOf(l.Schema).Kind, ftmSchemaOf(other).Kind; ftmTells(also, kind) || kind == also && other < l.Schema {
			l.Schema, other = other, l.Schema
		}
		ftmUnite(l.Beside, map[string][]string{"schema": {other}})
	}
	caption := more.Caption
	if l.Caption == "" || caption != "" && caption < l.Caption {
		l.Caption, caption = caption, l.Caption
	}
	if caption != "" && caption != l.Caption {
		ftmUnite(l.Beside, map[string][]string{"caption": {caption}})
	}
	ftmUnite(l.Properties, more.Properties)
	ftmUnite(l.Beside, more.Beside)
}

// ftmTells reports whether an entity is of one kind rather than of the other, where
// schemata of its lines give both.
func ftmTells(kind, other graph.Kind) bool {
	if other == graph.KindUndecided || kind == graph.KindUndecided {
		return kind != other && other == graph.KindUndecided
	}
	return slices.Index(graph.Kinds[:], kind) < slices.Index(graph.Kinds[:], other)
}

// ftmUnite adds values, and keeps them in order.
func ftmUnite(into, more map[string][]string) {
	for name, values := range more {
		before := len(into[name])
		has := make(map[string]bool, len(into[name]))
		for _, v := range into[name] {
			has[v] = true
		}
		for _, v := range values {
			if !has[v] {
				into[name] = append(into[name], v)
			}
		}
		if len(into[name]) > before {
			slices.Sort(into[name])
		}
	}
}

// detectFTM reports whether the first line is an object with a schema and
// properties, be it right or not, or one of those behind it an entity; or whether
// entities are wrapped in something else, which [ftmFormat.Open] says. The head may
// end within the first line.
func detectFTM(head []byte) bool {
	text := strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), "\r\n")
	text, _, whole := strings.Cut(text, "\n")
	has := ftmKeys(text)
	cut := !whole && len(head) >= headBytes
	return has["properties"] && (has["schema"] || cut && !has["type"]) || ftmFollows(head) || ftmWrapped(head) != ""
}

// ftmSpread says what is wrong with entities that are in a list, or go over several
// lines; it is "" where a text has none.
func ftmSpread(text string) string {
	if text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff")); !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") ||
		!strings.Contains(text, `"schema"`) || !strings.Contains(text, `"properties"`) {
		return ""
	}
	return "this looks like entities of FollowTheMoney, of which there must be one in each line: jq -c '.[]?' for a list, jq -c . for objects over several lines"
}

// ftmFollows reports whether there is an entity in the lines behind the first, which
// is bad then, unless it begins something that goes over several lines.
func ftmFollows(head []byte) bool {
	lines := firstLines(head)
	if len(lines) < 2 || strings.HasPrefix(lines[0], "[") || strings.ContainsAny(lines[0][len(lines[0])-1:], "{[,") {
		return false
	}
	return slices.ContainsFunc(lines[1:], func(line string) bool {
		_, bad := parseFTM(line)
		return bad == nil
	})
}

// ftmKeys are the keys of an object, as far as there is text of it.
func ftmKeys(text string) map[string]bool {
	p := ftmParser{dec: json.NewDecoder(strings.NewReader(text))}
	has := map[string]bool{}
	_ = p.object(func(key string) error {
		has[key] = true
		var skipped json.RawMessage
		return p.dec.Decode(&skipped)
	})
	return has
}

// ftmWrapped finds entities that are not in lines of their own as they have to
// be, and says how they get there.
func ftmWrapped(head []byte) string {
	text := strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), "\r\n")
	if !strings.HasPrefix(text, "{") || ftmFollows(head) {
		return ""
	}
	line, _, whole := strings.Cut(text, "\n")
	cut := !whole && len(head) >= headBytes
	const each = "entities of FollowTheMoney, of which there must be one in each line: "
	switch has := ftmKeys(line); {
	case has["prop"] && has["value"] && has["schema"] && has["entity_id"]:
		return "this looks like statements of FollowTheMoney, each of one value of an entity; make entities of them (ftm aggregate-statements)"
	case has["properties"] || has["dataset"]:
		return ""
	case has["op"] && has["entity"]:
		return "this looks like changes to " + each + `jq -c 'select(.op!="DEL").entity' gives those that are new or changed, without those that are gone`
	case has["id"] && has["schema"] && !cut:
		return "this looks like entities of FollowTheMoney without their properties, which must be in an object: " + `{"id":"…","schema":"Person","properties":{"name":["…"]}}`
	}
	// An answer may go over several lines, and beyond the head.
	var entity json.RawMessage
	p, other := ftmParser{dec: json.NewDecoder(strings.NewReader(text))}, false
	_ = p.object(func(key string) error {
		var skipped json.RawMessage
		other = other || key == "dataset"
		if key != "results" {
			return p.dec.Decode(&skipped)
		}
		if token, err := p.dec.Token(); err != nil || token != json.Delim('[') {
			return io.EOF
		}
		return errors.Join(p.dec.Decode(&entity), io.EOF) // no further
	})
	if has := ftmKeys(string(entity)); has["schema"] && has["properties"] && !other {
		return "this looks like an answer with " + each + "jq -c '.results[]'"
	}
	return ""
}
