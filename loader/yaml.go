package loader

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
)

// Kind 0 marks a node that a problem is noted for already: whoever meets one
// takes the value as given, and says no more about it.
const spoilt yaml.Kind = 0

// parseText reads one YAML (or JSON) document into a tree without aliases,
// merge keys and tags. The tree is nil where there is none to speak of.
func parseText(file string, raw []byte) (*yaml.Node, graph.Problems) {
	var ps graph.Problems
	for _, bom := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(raw, []byte(bom)) {
			ps.Add(file, 1, 1, "the file is in UTF-16; save it as UTF-8")
			return nil, ps
		}
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if ps = checkCharacters(file, raw); len(ps) > 0 {
		return nil, ps
	}
	var root *yaml.Node
	if trimmed := bytes.TrimSpace(raw); strings.HasSuffix(strings.ToLower(file), ".json") && len(trimmed) > 0 ||
		bytes.HasPrefix(trimmed, []byte("{")) && json.Valid(trimmed) {
		root = parseJSON(file, raw, 1, &ps)
	} else {
		root = parseYAML(file, raw, &ps)
	}
	if root == nil {
		return nil, ps
	}
	refuseIndirection(file, root, &ps)
	return root, ps
}

// checkCharacters finds what no text file has.
func checkCharacters(file string, raw []byte) graph.Problems {
	var ps graph.Problems
	const most = 20
	line, column := 1, 1
	for i := 0; i < len(raw); {
		c := raw[i]
		if c >= ' ' && c < 0x7f {
			i++
			column++
			continue
		}
		r, size := utf8.DecodeRune(raw[i:])
		switch {
		case r == '\n' || r == '\r':
			if r == '\r' && i+1 < len(raw) && raw[i+1] == '\n' {
				size++
			}
			line, column = line+1, 0
		case r == '\t':
		case r == utf8.RuneError && size == 1:
			ps.Add(file, line, column, "the byte %#02x is not UTF-8; save the file as UTF-8", c)
		case r == 0:
			ps.Add(file, line, column, "there is a NUL character here; is this a text file?")
		case r < ' ' || r >= 0x7f && r < 0xa0 && r != 0x85:
			ps.Add(file, line, column, "there is an invisible control character (U+%04X) here; remove it", r)
		}
		if len(ps) >= most {
			return ps
		}
		i += size
		column++
	}
	return ps
}

const emptyFile = "the file is empty; a data set begins with \"dataset: NAME\""

var yamlErrorText = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

// asked finds a question mark at the end of a text without quotes, which YAML takes
// for a mark of its own within braces and brackets.
var asked = regexp.MustCompile(`^[^"',\[\]{}]*\?[ \t]*[,\]}]`)

func parseYAML(file string, raw []byte, ps *graph.Problems) *yaml.Node {
	slow := &byteReader{raw: raw}
	in := yaml.NewDecoder(slow)
	var doc, more yaml.Node
	err := in.Decode(&doc)
	if err == nil {
		if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" && doc.Content[0].Value == "" {
			ps.Add(file, 1, 1, emptyFile)
			return nil
		}
		if err = in.Decode(&more); err == nil {
			ps.Add(file, max(more.Line, 1), max(more.Column, 1), "a second YAML document begins here; a data set is one document, so put the rest into a file of its own")
			return nil
		}
	}
	if err == io.EOF {
		if len(doc.Content) == 0 {
			ps.Add(file, 1, 1, emptyFile)
			return nil
		}
		return doc.Content[0]
	}
	line, column := locate(raw, slow.at)
	message := yamlErrorText.ReplaceAllString(err.Error(), "")
	hint := "check the indentation, quotes and brackets here and in the line above"
	culprit := ""
	if lines := bytes.SplitN(raw, []byte("\n"), line+1); line <= len(lines) {
		culprit = string([]rune(string(lines[line-1]))[min(column-1, utf8.RuneCount(lines[line-1])):])
	}
	switch {
	case strings.Contains(message, "tab character") || strings.HasPrefix(culprit, "\t"):
		message, hint = "there is a tab", "YAML is indented with spaces, not with tabs"
	case strings.Contains(message, "cannot start any token"):
		hint = "put the text in quotes"
	case strings.Contains(message, "unknown anchor"):
		hint = "put a text that begins with * in quotes; aliases cannot be used here"
	case strings.Contains(message, "mapping values are not allowed"):
		hint = "put a text that has a colon in it in quotes, and check the indentation"
	case strings.Contains(message, "did not find expected ','") && asked.MatchString(culprit):
		hint = "put a text that has a ? in it in quotes within braces or brackets"
	}
	ps.Add(file, line, column, "this is not YAML: %s; %s", message, hint)
	return nil
}

// byteReader hands out its text bit by bit, so that it is known how far a
// parser has read when it fails. (The parser's own line numbers are those of
// whatever the failing construct is part of, or missing.)
type byteReader struct {
	raw []byte
	at  int
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.at >= len(r.raw) {
		return 0, io.EOF
	}
	end := len(r.raw)
	if i := bytes.IndexByte(r.raw[r.at:], '\n'); i >= 0 {
		end = r.at + i + 1
	}
	n := copy(p, r.raw[r.at:end])
	r.at += n
	return n, nil
}

// locate finds where YAML that does not parse went wrong, given how far the
// parser has read: just behind the longest beginning that could be parsed, if
// brackets left open in it were closed.
func locate(raw []byte, read int) (line, column int) {
	// Beyond this many bytes parsed, the effort is out of proportion.
	budget := 8 << 20
	parses := func(n int) bool {
		for _, closing := range []string{"", "\n}", "\n]", "\n}]", "\n]}", "\n}}", "\n}]}"} {
			var doc yaml.Node
			budget -= n + 100
			if yaml.Unmarshal(slices.Concat(raw[:n], []byte(closing)), &doc) == nil {
				return true
			}
		}
		return false
	}
	lineStart := func(n int) int { return bytes.LastIndexByte(raw[:n], '\n') + 1 }
	end := min(read, len(raw))
	start := lineStart(max(end-1, 0))
	at := start
	for from, to := start, end; budget > 0; from, to = lineStart(from-1), from {
		if from > 0 && !parses(from) {
			continue
		}
		// Within the line, where something begins.
		for start, at = from, max(to-1, from); at > from && budget > 0; at-- {
			if strings.IndexByte(" \t,:{}[]\"'", raw[at-1]) >= 0 && raw[at] != ' ' && parses(at) {
				break
			}
		}
		break
	}
	for at < end-1 && raw[at] == ' ' { // a blank before the culprit is none
		at++
	}
	return 1 + bytes.Count(raw[:start], []byte("\n")), 1 + utf8.RuneCount(raw[start:at])
}

// parseJSON reads JSON into the tree that YAML has. (JSON is YAML but for some
// escapes, and its own parser knows better what is wrong with it.)
// Its first line has the number line.
func parseJSON(file string, raw []byte, line int, ps *graph.Problems) *yaml.Node {
	p := jsonParser{dec: json.NewDecoder(bytes.NewReader(raw)), raw: raw, line: line}
	p.dec.UseNumber()
	root, err := p.value()
	if err == nil {
		if _, err = p.dec.Token(); err == io.EOF {
			return root
		} else if err == nil {
			err = errors.New("there is more behind the end of the document")
		}
	}
	offset := p.dec.InputOffset()
	message := err.Error()
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = max(e.Offset-1, 0)
	} else if err == io.EOF || err == io.ErrUnexpectedEOF {
		offset, message = int64(len(raw)), "it ends in the middle of a value"
	}
	at, column := p.position(int(min(offset, int64(len(raw)))))
	ps.Add(file, at, column, "this is not JSON: %s", message)
	return nil
}

type jsonParser struct {
	dec *json.Decoder
	raw []byte
	// the last position asked for: line, characters of it before, offset
	line, before, at int
	depth            int // of the value that is read
}

// maxDepth is how deep values may lie within each other. What data sets hold
// lies less than ten deep.
const maxDepth = 1000

// position of an offset that is not before the last one.
func (p *jsonParser) position(offset int) (line, column int) {
	for ; p.at < offset; p.at++ {
		switch c := p.raw[p.at]; {
		case c == '\n':
			p.line, p.before = p.line+1, 0
		case utf8.RuneStart(c):
			p.before++
		}
	}
	return p.line, 1 + p.before
}

func (p *jsonParser) value() (*yaml.Node, error) {
	from := int(p.dec.InputOffset())
	token, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	for from < len(p.raw) && strings.IndexByte(" \t\r\n,:", p.raw[from]) >= 0 {
		from++
	}
	n := &yaml.Node{Kind: yaml.ScalarNode}
	n.Line, n.Column = p.position(from)
	switch t := token.(type) {
	case json.Delim:
		if p.depth++; p.depth > maxDepth {
			return nil, fmt.Errorf("values lie more than %d deep within each other", maxDepth)
		}
		defer func() { p.depth-- }()
		n.Kind, n.Tag, n.Style = yaml.MappingNode, "!!map", yaml.FlowStyle
		if t == '[' {
			n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		}
		for p.dec.More() {
			// Keys and values alike: a mapping's content is both by turns.
			child, err := p.value()
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		_, err = p.dec.Token()
		return n, err
	case string:
		n.Tag, n.Value, n.Style = "!!str", t, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!float", t.String()
		if _, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			n.Tag = "!!int"
		}
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(t)
	default:
		n.Tag = "!!null"
	}
	return n, nil
}

// refuseIndirection notes what would make a value mean something else than
// what stands in its place, and spoils it.
func refuseIndirection(file string, n *yaml.Node, ps *graph.Problems) {
	spoil := func(n *yaml.Node, format string, args ...any) {
		ps.Add(file, n.Line, n.Column, format, args...)
		n.Kind, n.Content, n.Alias = spoilt, nil, nil
	}
	switch {
	case n.Kind == yaml.AliasNode:
		spoil(n, "aliases (*%s) cannot be used here; repeat the value, or use defaults", n.Value)
	case n.Kind == yaml.MappingNode && n.Tag != "!!map" || n.Kind == yaml.SequenceNode && n.Tag != "!!seq",
		n.Kind == yaml.ScalarNode && !plainTags[n.Tag]:
		spoil(n, "tags (%s) cannot be used here; leave it out, and put a text that begins with ! in quotes", n.Tag)
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i]; k.Tag == "!!merge" {
				spoil(k, "merge keys (<<) cannot be used here; repeat the values, or use defaults")
				n.Content[i+1].Kind, n.Content[i+1].Content = spoilt, nil
				continue
			}
			refuseIndirection(file, n.Content[i], ps)
			refuseIndirection(file, n.Content[i+1], ps)
		}
	default:
		for _, item := range n.Content {
			refuseIndirection(file, item, ps)
		}
	}
}

var plainTags = map[string]bool{
	"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true, "!!timestamp": true,
}

// describe says what a node is, in a message.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "empty"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "the number " + clip(n.Value)
	case n.Tag == "!!bool":
		return "the truth value " + n.Value
	}
	return fmt.Sprintf("the text %q", clip(n.Value))
}

// clip keeps messages readable.
func clip(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// sameContent reports whether two nodes say the same, whatever their order of
// keys, style and place. Keys to leave out may be named for the outermost.
func sameContent(a, b *yaml.Node, except string) bool {
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value {
		return false
	}
	if a.Kind != yaml.MappingNode {
		if len(a.Content) != len(b.Content) {
			return false
		}
		for i := range a.Content {
			if !sameContent(a.Content[i], b.Content[i], "") {
				return false
			}
		}
		return true
	}
	entries := func(n *yaml.Node) map[string]*yaml.Node {
		m := make(map[string]*yaml.Node, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i].Value; k != except || except == "" {
				m[k] = n.Content[i+1]
			}
		}
		return m
	}
	of, other := entries(a), entries(b)
	if len(of) != len(other) {
		return false
	}
	for k, v := range of {
		if w, ok := other[k]; !ok || !sameContent(v, w, "") {
			return false
		}
	}
	return true
}

// writeYAML writes JSON as YAML that people read: lists of values on one line,
// all else in blocks.
func writeYAML(w io.Writer, text []byte) error {
	var ps graph.Problems
	root := parseJSON("", text, 1, &ps)
	if err := ps.Err(); err != nil {
		return err
	}
	var plain func(n *yaml.Node)
	plain = func(n *yaml.Node) {
		n.Style = 0
		if n.Kind == yaml.SequenceNode && !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Kind != yaml.ScalarNode }) {
			n.Style = yaml.FlowStyle
		}
		for _, c := range n.Content {
			plain(c)
		}
	}
	plain(root)
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	return errors.Join(e.Encode(root), e.Close())
}
