package loader

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/graph"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
)

// mapping says what the rows of a table mean. docs/tables.md describes its
// file; see [mappingFile] for its keys.
type mapping struct {
	file     string
	dataset  string // "" where the file names none
	title    string
	priority int
	whole    bool
	form     tableForm
	status   graph.Status
	basis    graph.DateBasis
	cited    []citationRule // of relations that name neither sources nor citations
	nodes    []*nodeRule    // sources, then entities, in the order of writing
	rules    []*relationRule
	columns  []columnRef
	sum      [sha256.Size]byte
}

// tableForm is how a table is written.
type tableForm struct {
	delimiter rune
	skip      int // lines before the header, or before the first row
	header    bool
	columns   []string // where there is no header
	missing   map[string]bool
	quotes    bool
	decimal   string
}

// maxSkipped is how many lines may stand before the header.
const maxSkipped = 10_000

// columnRef is a place of the mapping that names a column.
type columnRef struct {
	column string
	node   *yaml.Node
	offset int
}

// value is a text that a row gives.
type value struct {
	node     *yaml.Node
	text     template
	lookup   map[string]template // nil for none
	fallback template            // nil for none
	split    string
	omit     bool // leave out what will not do, instead of rejecting the row
}

// choice is a value that is one of a few words.
type choice[T ~string] struct {
	value    *value
	possible []T
	words    map[string]T
}

// condition says for which rows something holds.
type condition struct {
	column  string
	is, not []string
	empty   *bool
}

type dateRule struct {
	node       *yaml.Node
	on         *value
	start, end *value
	patterns   []datePattern
	omit       bool
}

type pointRule struct {
	latitude, longitude *value
	omit                bool
}

// namedValues are the values under one scheme of external ids, or under one
// name of a property.
type namedValues struct {
	name   string
	values []*value
}

// nodeRule makes entities or sources of rows.
type nodeRule struct {
	handle                string
	what                  string // in messages
	form                  graph.Form
	when                  []condition
	id, name, description *value
	publisher, url        *value
	kind                  choice[graph.Kind]
	aliases               []*value
	external, properties  []namedValues
	date                  *dateRule
	point                 *pointRule
	at                    *yaml.Node
	constantID            string // of a source without an id
	index                 int    // in nodes
}

type citationRule struct {
	source *nodeRule
	quote  *value
}

// relationRule makes relations of rows.
type relationRule struct {
	what                     string // in messages
	when                     []condition
	id                       *value
	kind                     choice[string] // its type
	types                    map[string]*graph.RelationType
	source, target           *nodeRule
	claimedBy, accreditedTo  *nodeRule
	places                   []*nodeRule
	date                     *dateRule
	basis                    choice[graph.DateBasis]
	status                   choice[graph.Status]
	sourceAs, targetAs, note *value
	quantity, unit, cameo    *value
	goldstein, confidence    *value
	cited                    []citationRule
}

// mappingParser reads a mapping, and notes what is wrong with it.
type mappingParser struct {
	decoder
	m     *mapping
	vocab *graph.Vocabulary
	maps  map[string]map[string]template
	// byHandle has the rules for sources and entities.
	byHandle map[string]*nodeRule
}

// readMapping reads the file of a mapping.
func readMapping(file string, vocab *graph.Vocabulary) (*mapping, error) {
	const most = 1 << 20
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	if len(raw) > most {
		return nil, graph.Problems{{File: file, Message: "is larger than the 1 MiB that a mapping may have; is it the table? Name the mapping by --mapping, and the table as the file to load"}}
	}
	return parseMapping(file, raw, vocab)
}

func parseMapping(file string, raw []byte, vocab *graph.Vocabulary) (*mapping, error) {
	p := &mappingParser{
		decoder: decoder{file: file}, vocab: vocab, byHandle: map[string]*nodeRule{}, maps: map[string]map[string]template{},
		m: &mapping{file: file, sum: sha256.Sum256(raw)},
	}
	root, problems := parseText(file, raw)
	p.problems = problems
	for i := range p.problems {
		if p.problems[i].Message == emptyFile {
			p.problems[i].Message = "the file is empty; a mapping begins with \"mapping: 1\""
		}
	}
	if root != nil {
		p.root(root)
	}
	return p.m, p.problems.Err()
}

func (p *mappingParser) root(root *yaml.Node) {
	o := p.object(root, "the mapping", mappingKeys)
	if root.Kind != yaml.MappingNode {
		return
	}
	switch n := o.keys["mapping"]; {
	case n == nil:
		o.missing("mapping", "; it begins with mapping: 1")
	case n.Kind != spoilt && (n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Value != "1"):
		p.fail(n, "mapping must be 1, the version of this format, but is %s", describe(n))
	}
	p.m.title = o.line("title")
	p.m.priority = o.integer("priority", -1e6, 1e6)
	p.m.whole = o.boolean("whole")
	if n := o.keys["dataset"]; n != nil {
		if s, ok := p.scalar(n, "dataset", textRule{most: maxHandle}); ok {
			if !datasetForm.MatchString(s) {
				p.fail(n, "%s", badDataset(s))
			}
			p.m.dataset = s
		}
	}
	p.format(o.keys["format"])
	p.tables(o.keys["maps"])
	p.m.status, p.m.basis = graph.Reported, graph.Stated
	def := object{d: &p.decoder}
	if n := present(o.keys["defaults"]); n != nil {
		def = p.object(n, "defaults", mappingDefaultsKeys)
		p.m.status, p.m.basis = def.status(graph.Reported), def.basis(graph.Stated)
	}
	p.section(o.keys["sources"], "sources", graph.FormSource, sourceRuleKeys)
	if present(o.keys["entities"]) == nil {
		o.missing("entities", "; a row states at least one")
	}
	p.section(o.keys["entities"], "entities", graph.FormEntity, entityRuleKeys)
	p.m.cited = p.cited(&def)
	if present(o.keys["relations"]) != nil {
		for _, n := range o.records("relations") {
			p.relation(n)
		}
	}
}

// badDataset is what is wrong with the name of a data set.
func badDataset(name string) string {
	return fmt.Sprintf("%q cannot be the name of a data set; use a-z, 0-9, hyphens, dots and underscores, starting with a letter or digit", clip(name))
}

// present is a section that is not left empty.
func present(n *yaml.Node) *yaml.Node {
	if n == nil || n.Kind == spoilt || n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	return n
}

func (p *mappingParser) format(n *yaml.Node) {
	form := &p.m.form
	*form = tableForm{delimiter: ',', header: true, quotes: true, decimal: ".", missing: map[string]bool{"": true}}
	if n = present(n); n == nil {
		return
	}
	o := p.object(n, "format", formatKeys)
	if d := o.keys["delimiter"]; d != nil && d.Kind != spoilt {
		r, size := utf8.DecodeRuneInString(d.Value)
		if d.Kind != yaml.ScalarNode || size == 0 || size != len(d.Value) || strings.ContainsRune("\"\r\n\x00\ufffd", r) {
			p.fail(d, "delimiter must be one character in quotes, such as \",\" or \";\" or \"\\t\", but is %s", describe(d))
		} else {
			form.delimiter = r
		}
	}
	if o.keys["header"] != nil {
		form.header = o.boolean("header")
	}
	form.skip = o.integer("skipRows", 0, maxSkipped)
	if o.keys["quotes"] != nil {
		form.quotes = o.boolean("quotes")
	}
	for _, item := range o.list("missing") {
		if item.Kind == yaml.ScalarNode && item.Tag != "!!null" {
			form.missing[composed(item.Value)] = true
		} else if item.Kind != spoilt {
			p.fail(item, "what stands for no value must be text, but is %s", describe(item))
		}
	}
	if d := o.keys["decimal"]; d != nil {
		switch s, ok := p.scalar(d, "decimal", lineRule); {
		case !ok:
		case s != "." && s != ",":
			p.fail(d, "decimal can be \".\" or \",\", not %q", clip(s))
		default:
			form.decimal = s
		}
	}
	columns := o.keys["columns"]
	for _, item := range o.list("columns") {
		s, ok := p.scalar(item, "the name of a column", lineRule)
		if ok && slices.Contains(form.columns, s) {
			p.fail(item, "the column %s is named twice", clip(s))
		}
		form.columns = append(form.columns, s)
	}
	switch {
	case form.header && columns != nil:
		p.fail(columns, "columns are for tables without a header; leave them out, or write header: false")
	case !form.header && len(form.columns) == 0 && (columns == nil || columns.Kind != spoilt):
		p.fail(cmp.Or(o.keys["header"], n), "without a header, columns must name the columns in their order, such as columns: [name, date]")
	}
}

// tables reads maps.
func (p *mappingParser) tables(n *yaml.Node) {
	if n = present(n); n == nil || !p.isMapping(n, "maps") {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == spoilt {
			continue
		}
		name := composed(k.Value)
		if p.maps[name] != nil {
			p.fail(k, "the map %s is given twice", clip(name))
		}
		p.maps[name] = p.table(v, "the map "+clip(name))
	}
}

func (p *mappingParser) table(n *yaml.Node, what string) map[string]template {
	out := map[string]template{}
	if !p.isMapping(n, what) {
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := composed(k.Value)
		switch {
		case k.Kind == spoilt:
			continue
		case k.Kind != yaml.ScalarNode:
			p.fail(k, "a key of %s must be text, but is %s", what, describe(k))
			continue
		case out[key] != nil:
			p.fail(k, "%s has %q twice; keep one", what, clip(key))
		}
		out[key], _ = p.template(v, what, true)
	}
	return out
}

// template reads a text with columns. The template is never nil when ok.
func (p *mappingParser) template(n *yaml.Node, what string, mayBeEmpty bool) (template, bool) {
	empty := template{{}}
	switch {
	case n.Kind == spoilt:
		return empty, false
	case n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || strings.TrimSpace(n.Value) == ""):
		if !mayBeEmpty || n.Tag == "!!null" {
			p.fail(n, "%s is empty; give it a value, or leave the key out", what)
			return empty, false
		}
		return empty, true
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[1].Tag == "!!null":
		p.fail(n, "%s must be text; put a column in quotes, since braces mean something to YAML: \"{%s}\"", what, clip(n.Content[0].Value))
		return empty, false
	case n.Kind != yaml.ScalarNode:
		p.fail(n, "%s must be text, but is %s", what, describe(n))
		return empty, false
	}
	text, ok := p.content(n, what, proseRule)
	if !ok {
		return empty, false
	}
	t, offset, problem := parseTemplate(text)
	if problem != "" {
		p.failIn(n, offset, "%s: %s", what, problem)
		return empty, false
	}
	for _, part := range t {
		if part.column != "" {
			p.m.columns = append(p.m.columns, columnRef{part.column, n, part.offset})
		}
	}
	return t, true
}

// value reads a value; nil where there is none, or a wrong one.
func (p *mappingParser) value(n *yaml.Node, what string) *value {
	v := p.item(n, what)
	if v != nil && v.split != "" {
		p.fail(n, "%s is one value; split is for lists", what)
	}
	return v
}

func (p *mappingParser) item(n *yaml.Node, what string) *value {
	if n == nil || n.Kind == spoilt {
		return nil
	}
	v := &value{node: n}
	if n.Kind != yaml.MappingNode || len(n.Content) == 2 && n.Content[1].Tag == "!!null" {
		t, ok := p.template(n, what, false)
		if v.text = t; !ok {
			return nil
		}
		return v
	}
	o := p.object(n, what, valueKeys)
	if o.keys["value"] == nil {
		o.missing("value", "; write {value: \"{column}\", …}")
		return nil
	}
	t, ok := p.template(o.keys["value"], what, false)
	v.text = t
	if m := o.keys["map"]; m != nil && m.Kind != spoilt {
		v.lookup = p.lookup(m, what)
	}
	if d := o.keys["default"]; d != nil {
		v.fallback, _ = p.template(d, "default", true)
	}
	if s := o.keys["split"]; s != nil && s.Kind != spoilt {
		if s.Kind != yaml.ScalarNode || s.Value == "" || utf8.RuneCountInString(s.Value) > 10 {
			p.fail(s, "split must be the text between the items, such as \";\", but is %s", describe(s))
		} else {
			v.split = norm.NFC.String(s.Value) // blanks count
		}
	}
	v.omit = o.invalid()
	if !ok {
		return nil
	}
	return v
}

func (p *mappingParser) lookup(n *yaml.Node, what string) map[string]template {
	if n.Kind != yaml.ScalarNode {
		return p.table(n, "the map of "+what)
	}
	name, ok := p.scalar(n, "map", lineRule)
	if !ok {
		return nil
	}
	if m, ok := p.maps[name]; ok {
		return m
	}
	p.fail(n, "there is no map %q; %s", clip(name), hintOf(name, slices.Sorted(maps.Keys(p.maps)), "write it under maps"))
	return nil
}

// hintOf says what may have been meant by an unknown word.
func hintOf(word string, known []string, otherwise string) string {
	if near := graph.NearestWords(word, known, 3); len(near) > 0 {
		return "did you mean " + orList(near) + "?"
	}
	if len(known) > 0 && len(known) <= 10 {
		return "there are " + strings.Join(known, ", ")
	}
	return otherwise
}

// invalid reads what is to happen to what will not do.
func (o *object) invalid() (omit bool) {
	return word(o, "invalid", "reject", []string{"reject", "omit"}, verbatim) == "omit"
}

// values reads one value or a list of them.
func (p *mappingParser) values(n *yaml.Node, what string) []*value {
	if n == nil || n.Kind == spoilt {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var out []*value
	for _, item := range items {
		if v := p.item(item, what); v != nil {
			out = append(out, v)
		}
	}
	return out
}

// named reads values by name.
func (p *mappingParser) named(n *yaml.Node, what string, check func(*yaml.Node) bool) []namedValues {
	if n == nil || n.Kind == spoilt || !p.isMapping(n, what) {
		return nil
	}
	var out []namedValues
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == spoilt || !check(k) {
			continue
		}
		name := composed(k.Value)
		if seen[name] {
			p.fail(k, "%s has %s twice; make it one list", what, clip(name))
		}
		seen[name] = true
		out = append(out, namedValues{name, p.values(v, clip(name))})
	}
	return out
}

// chosenWord reads a value that is one of a few words, all of which must be right.
func chosenWord[T ~string](p *mappingParser, n *yaml.Node, key string, known []T, show func(T) string, hint func(string) string) choice[T] {
	c := choice[T]{words: map[string]T{}}
	for _, k := range known {
		c.words[show(k)] = k
	}
	if n == nil {
		return c
	}
	if c.value = p.value(n, key); c.value == nil {
		return c
	}
	add := func(t template) {
		text, constant := t.constant()
		if !constant {
			p.fail(n, "%s must be known beforehand: write it as it is, or {value: \"{column}\", map: {text of the table: %s}}", key, show(known[0]))
			return
		}
		k, ok := c.words[text]
		switch {
		case ok && !slices.Contains(c.possible, k):
			c.possible = append(c.possible, k)
		case !ok && text != "":
			p.fail(n, "%s cannot be %q; %s", key, clip(text), hint(text))
		}
	}
	if c.value.lookup == nil {
		add(c.value.text)
	}
	for _, text := range slices.Sorted(maps.Keys(c.value.lookup)) {
		add(c.value.lookup[text])
	}
	if c.value.fallback != nil {
		add(c.value.fallback)
	}
	return c
}

func wordsHint[T ~string](known []T, show func(T) string) func(string) string {
	shown := make([]string, len(known))
	for i, k := range known {
		shown[i] = show(k)
	}
	return func(word string) string {
		hint := "it can be " + orList(shown)
		if near := graph.NearestWords(word, shown, 1); len(near) > 0 {
			hint = "did you mean " + near[0] + "? " + strings.ToUpper(hint[:1]) + hint[1:]
		}
		return hint
	}
}

func (p *mappingParser) when(n *yaml.Node) []condition {
	if n == nil || n.Kind == spoilt {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var out []condition
	for _, item := range items {
		o := p.object(item, "when", whenKeys)
		if item.Kind != yaml.MappingNode {
			continue
		}
		var c condition
		if k := o.keys["column"]; k == nil {
			o.missing("column", "; write {column: name, is: text}")
		} else if k.Kind == yaml.ScalarNode && k.Tag != "!!null" {
			c.column, _ = p.content(k, "column", lineRule)
			p.m.columns = append(p.m.columns, columnRef{c.column, k, 0})
		} else if k.Kind != spoilt {
			p.fail(k, "column must be text, but is %s", describe(k))
		}
		c.is, c.not = p.texts(&o, "is"), p.texts(&o, "not")
		if o.keys["empty"] != nil {
			empty := o.boolean("empty")
			c.empty = &empty
		}
		if o.keys["is"] == nil && o.keys["not"] == nil && o.keys["empty"] == nil {
			p.fail(item, "when says nothing of the column; add is, not or empty")
		}
		out = append(out, c)
	}
	return out
}

// texts reads texts that are compared with those of a table.
func (p *mappingParser) texts(o *object, key string) []string {
	var out []string
	for _, n := range o.list(key) {
		if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
			out = append(out, composed(n.Value))
		} else if n.Kind != spoilt {
			p.fail(n, "%s must be text, but is %s", key, describe(n))
		}
	}
	return out
}

func (p *mappingParser) date(n *yaml.Node, key string) *dateRule {
	if n == nil || n.Kind == spoilt {
		return nil
	}
	d := &dateRule{node: n}
	if n.Kind != yaml.MappingNode || hasKey(n, "value") || len(n.Content) == 2 && n.Content[1].Tag == "!!null" {
		if d.on = p.value(n, key); d.on == nil {
			return nil
		}
		d.omit = d.on.omit
		return d
	}
	o := p.object(n, key, dateKeys)
	d.on, d.start, d.end = p.value(o.keys["on"], "on"), p.value(o.keys["start"], "start"), p.value(o.keys["end"], "end")
	switch on, between := o.keys["on"], cmp.Or(o.keys["start"], o.keys["end"]); {
	case on == nil && between == nil:
		o.missing("on", ", and neither start nor end")
	case on != nil && between != nil:
		p.fail(on, "%s is either on a day or from a start to an end; remove one of the two", key)
	}
	for _, item := range o.list("pattern") {
		if text, ok := p.scalar(item, "pattern", lineRule); ok {
			pattern, problem := parsePattern(text)
			if problem != "" {
				p.fail(item, "%s", problem)
			}
			d.patterns = append(d.patterns, pattern)
		}
	}
	d.omit = o.invalid()
	return d
}

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

func (p *mappingParser) point(n *yaml.Node) *pointRule {
	if n == nil || n.Kind == spoilt {
		return nil
	}
	o := p.object(n, "point", pointRuleKeys)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for _, key := range pointRuleKeys[:2] {
		if o.keys[key] == nil {
			o.missing(key, "; write {latitude: \"{lat}\", longitude: \"{lon}\"}")
		}
	}
	r := &pointRule{latitude: p.value(o.keys["latitude"], "latitude"), longitude: p.value(o.keys["longitude"], "longitude"), omit: o.invalid()}
	if r.latitude == nil || r.longitude == nil {
		return nil
	}
	return r
}

// section reads the rules for entities or sources.
func (p *mappingParser) section(n *yaml.Node, what string, form graph.Form, keys []string) {
	if n = present(n); n == nil || !p.isMapping(n, what) {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == spoilt {
			continue
		}
		handle, ok := p.content(k, "a short name", textRule{most: maxHandle})
		if ok && !handleForm.MatchString(handle) {
			p.fail(k, "%q cannot be a short name; use letters, digits, hyphens, dots and underscores, starting with a letter or digit", clip(handle))
		}
		r := &nodeRule{handle: handle, form: form, at: k, what: "the " + string(sortOf(form)) + " " + clip(handle), index: len(p.m.nodes)}
		if first := p.byHandle[handle]; first != nil {
			p.fail(k, "the short name %s is taken in line %d; choose another", clip(handle), first.at.Line)
		} else {
			p.byHandle[handle] = r
		}
		p.m.nodes = append(p.m.nodes, r)
		p.node(r, v, keys)
	}
}

func (p *mappingParser) node(r *nodeRule, n *yaml.Node, keys []string) {
	o := p.object(n, r.what, keys)
	before := len(p.m.columns)
	if o.keys["name"] == nil {
		o.missing("name", "; write name: \"{column}\"")
	}
	r.when = p.when(o.keys["when"])
	r.name, r.description = p.value(o.keys["name"], "name"), p.value(o.keys["description"], "description")
	r.publisher, r.url = p.value(o.keys["publisher"], "publisher"), p.value(o.keys["url"], "url")
	r.aliases = p.values(o.keys["aliases"], "aliases")
	r.external = p.named(o.keys["externalIds"], "externalIds", func(k *yaml.Node) bool {
		if externalForm.MatchString(k.Value + ":x") {
			return true
		}
		p.fail(k, "%q cannot be the scheme of an external id; it is written in lower case, such as wikidata or iso3166", clip(k.Value))
		return false
	})
	r.properties = p.named(o.keys["properties"], "properties", func(k *yaml.Node) bool {
		_, ok := p.content(k, "the name of a property", textRule{most: maxHandle})
		return ok
	})
	r.date = p.date(o.keys["date"], "date")
	if r.form == graph.FormSource {
		r.date = p.date(o.keys["published"], "published")
	}
	r.point = p.point(o.keys["point"])
	varies := len(p.m.columns) > before
	if r.form == graph.FormEntity {
		if o.keys["kind"] == nil {
			o.missing("kind", "; it can be "+orList(kindNames()))
		}
		r.kind = chosenWord(p, o.keys["kind"], "kind", graph.Kinds[:], kindName, wordsHint(graph.Kinds[:], kindName))
	}
	r.id = p.value(o.keys["id"], "id")
	switch {
	case o.keys["id"] != nil:
		if r.id != nil {
			p.idText(r.id, o.keys["id"])
		}
	case r.form == graph.FormEntity:
		o.missing("id", "; say what tells the entities apart, such as id: \""+exampleID(&r.kind)+"/{column|slug}\"")
	case varies:
		o.missing("id", "; only a source without columns can leave it out")
	default:
		r.constantID = r.handle
	}
	p.nodeConstants(r)
}

func exampleID(kind *choice[graph.Kind]) string {
	if len(kind.possible) == 0 {
		return "person"
	}
	return strings.ToLower(string(kind.possible[0]))
}

// idText checks what is known of an id beforehand.
func (p *mappingParser) idText(v *value, n *yaml.Node) {
	for _, part := range v.text {
		if whitespace.MatchString(part.text) {
			p.fail(n, "an id has no blanks; use a hyphen instead")
			return
		}
	}
	if v.omit {
		p.fail(n, "an id cannot be omitted; a row without it is rejected")
	}
}

// of looks up the rule of a short name.
func (p *mappingParser) of(n *yaml.Node, key string, form graph.Form) *nodeRule {
	name, ok := p.scalar(n, key, textRule{most: maxHandle})
	if !ok {
		return nil
	}
	r := p.byHandle[name]
	if r != nil && r.form == form {
		return r
	}
	if r != nil {
		p.fail(n, "%s must be %s, but %s is %s (line %d)", key, sortOf(form).withArticle(), clip(name), sortOf(r.form).withArticle(), r.at.Line)
		return nil
	}
	var known []string
	for _, other := range p.m.nodes {
		if other.form == form {
			known = append(known, other.handle)
		}
	}
	p.fail(n, "there is no %s %q in this mapping; %s", sortOf(form), clip(name), hintOf(name, known, "state it under "+map[graph.Form]string{graph.FormEntity: "entities", graph.FormSource: "sources"}[form]))
	return nil
}

func (p *mappingParser) cited(o *object) []citationRule {
	var out []citationRule
	add := func(n *yaml.Node, quote *value) {
		if s := p.of(n, "sources", graph.FormSource); s != nil {
			out = append(out, citationRule{s, quote})
		}
	}
	if both := o.keys["citations"]; both != nil && o.keys["sources"] != nil {
		p.fail(both, "the relation has both sources and citations; name all of them in citations, where a quote may be left out")
	}
	for _, n := range o.list("sources") {
		add(n, nil)
	}
	if o.keys["citations"] == nil {
		return out
	}
	for _, n := range o.records("citations") {
		c := p.object(n, "a citation", citationRuleKeys)
		quote := p.value(c.keys["quote"], "quote")
		if c.keys["source"] == nil {
			c.missing("source", "")
			continue
		}
		add(c.keys["source"], quote)
	}
	return out
}

func (p *mappingParser) relation(n *yaml.Node) {
	if !p.isMapping(n, "a relation") {
		return
	}
	o := p.object(n, "the relation", relationRuleKeys)
	r := &relationRule{types: map[string]*graph.RelationType{}}
	p.m.rules = append(p.m.rules, r)
	r.when = p.when(o.keys["when"])
	if o.keys["type"] == nil {
		o.missing("type", "")
	}
	var names []string
	for _, t := range p.vocab.Types() {
		names = append(names, t.Name)
	}
	r.kind = chosenWord(p, o.keys["type"], "type", names, verbatim, func(name string) string {
		if near := p.vocab.Nearest(name, 3); len(near) > 0 {
			return "did you mean " + orList(near) + "?"
		}
		return "see the vocabulary, or add the type to it with --vocabulary"
	})
	for _, name := range r.kind.possible {
		r.types[name], _ = p.vocab.Lookup(name)
	}
	r.what = "the relation"
	if len(r.kind.possible) > 0 {
		r.what = "the relation " + r.kind.possible[0]
	}
	if r.id = p.value(o.keys["id"], "id"); r.id != nil {
		p.idText(r.id, o.keys["id"])
	}
	for _, end := range []struct {
		key  string
		into **nodeRule
		need bool
	}{{"source", &r.source, true}, {"target", &r.target, true}, {"claimedBy", &r.claimedBy, false}, {"accreditedTo", &r.accreditedTo, false}} {
		if k := o.keys[end.key]; k != nil {
			*end.into = p.of(k, end.key, graph.FormEntity)
		} else if end.need {
			o.missing(end.key, "; name an entity of this mapping")
		}
	}
	for _, item := range o.list("places") {
		if place := p.of(item, "places", graph.FormEntity); place != nil {
			r.places = append(r.places, place)
		}
	}
	r.date = p.date(o.keys["date"], "date")
	r.basis = chosenWord(p, o.keys["dateBasis"], "dateBasis", graph.DateBases[:], verbatim, wordsHint(graph.DateBases[:], verbatim))
	r.status = chosenWord(p, o.keys["status"], "status", graph.Statuses[:], verbatim, wordsHint(graph.Statuses[:], verbatim))
	for key, into := range map[string]**value{
		"sourceAs": &r.sourceAs, "targetAs": &r.targetAs, "note": &r.note, "quantity": &r.quantity, "unit": &r.unit,
		"cameo": &r.cameo, "goldstein": &r.goldstein, "confidence": &r.confidence,
	} {
		*into = p.value(o.keys[key], key)
	}
	switch q, u := o.keys["quantity"], o.keys["unit"]; {
	case q != nil && u == nil:
		p.fail(q, "there is a quantity without a unit; say what is counted, for example unit: drones")
	case u != nil && q == nil:
		p.fail(u, "there is a unit without a quantity; say how many, or leave the unit out")
	}
	r.cited = p.m.cited
	if o.keys["sources"] != nil || o.keys["citations"] != nil {
		r.cited = p.cited(&o)
	}
	p.checkEnds(r, &o)
	p.relationConstants(r, &o)
}

// checkEnds sees to it that the types admit what may stand at the ends.
func (p *mappingParser) checkEnds(r *relationRule, o *object) {
	var types []*graph.RelationType
	for _, name := range r.kind.possible {
		types = append(types, r.types[name])
	}
	for _, end := range []struct {
		key    string
		rule   *nodeRule
		of     func(*graph.RelationType) []graph.Kind
		allows func(*graph.RelationType, graph.Kind) error
	}{
		{"source", r.source, func(t *graph.RelationType) []graph.Kind { return t.Sources },
			func(t *graph.RelationType, k graph.Kind) error { return t.Allows(k, t.Targets[0]) }},
		{"target", r.target, func(t *graph.RelationType) []graph.Kind { return t.Targets },
			func(t *graph.RelationType, k graph.Kind) error { return t.Allows(t.Sources[0], k) }},
	} {
		if end.rule == nil || len(end.rule.kind.possible) == 0 {
			continue
		}
		for _, t := range types {
			if !slices.ContainsFunc(end.rule.kind.possible, func(k graph.Kind) bool { return slices.Contains(end.of(t), k) }) {
				p.fail(o.keys[end.key], "%v", end.allows(t, end.rule.kind.possible[0]))
			}
		}
	}
	for _, t := range types {
		switch {
		case r.accreditedTo != nil && !t.AccreditedTo:
			p.fail(o.keys["accreditedTo"], "%s has no receiving side; accreditedTo is for envoys, so leave it out", t.Name)
		case r.cameo != nil && t.Nature == graph.Standing:
			p.fail(o.keys["cameo"], "%s is a standing, and CAMEO codes are of acts; leave the code out", t.Name)
		case r.source != nil && r.source == r.target && (t.Symmetric || t.Nature == graph.Standing):
			p.fail(o.keys["target"], "%s is between two, but source and target are both %s", t.Name, r.source.handle)
		}
	}
}
