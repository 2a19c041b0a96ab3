package graph

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ParseVocabulary reads a vocabulary file. Its name is used in messages only.
// All mistakes that the file alone shows are reported at once, as [Problems];
// those that show against other types are left to [Vocabulary.Extend].
func ParseVocabulary(name string, text []byte) ([]RelationType, error) {
	cameo, err := LoadCAMEO()
	if err != nil {
		return nil, err
	}
	p := &vocabularyParser{file: name, cameo: cameo}
	types := p.parse(text)
	if err := p.ps.Err(); err != nil {
		return nil, err
	}
	return types, nil
}

type vocabularyParser struct {
	file  string
	cameo *CAMEO
	ps    Problems
}

var yamlErrorLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func (p *vocabularyParser) add(n *yaml.Node, format string, args ...any) {
	p.ps.Add(p.file, n.Line, n.Column, format, args...)
}

func (p *vocabularyParser) parse(text []byte) []RelationType {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil // an empty file adds nothing
	case err != nil:
		p.syntax(err)
		return nil
	}
	switch err := dec.Decode(&more); {
	case err == nil:
		p.add(&more, "a vocabulary file is one YAML document; remove the line --- and give all types under one types:")
	case !errors.Is(err, io.EOF):
		p.syntax(err)
	}
	root := yamlTarget(doc.Content[0])
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		p.add(root, "a vocabulary file starts with types: and a list of relation types, not with %s", nodeWord(root))
		return nil
	}
	var types []RelationType
	seen := map[string]*RelationType{}
	p.keys(root, "a vocabulary file", []string{"types"}, func(_ string, _, list *yaml.Node) {
		if list.Kind == yaml.ScalarNode && list.Tag == "!!null" {
			return
		}
		if list.Kind != yaml.SequenceNode {
			p.add(list, "types is %s, but must be a list; start each type with a dash: - name: MET_WITH", nodeWord(list))
			return
		}
		for _, item := range list.Content {
			// The place is that of the item itself, be it an alias.
			n := yamlTarget(item)
			if n.Kind != yaml.MappingNode {
				p.add(item, "a relation type is %s, but must have keys, such as - name: MET_WITH", nodeWord(n))
				continue
			}
			t := p.relationType(item, n)
			if first, dup := seen[t.Name]; dup && t.Name != "" {
				t.problem(&p.ps, "name", "%s is defined twice, first %s; merge the two into one", t.Name, first.place())
			} else {
				seen[t.Name] = t
			}
			types = append(types, *t)
		}
	})
	claimed := map[string]*RelationType{}
	for i := range types {
		t := &types[i]
		for _, code := range t.CAMEO {
			if other, dup := claimed[code]; dup && other.Name != t.Name {
				t.problem(&p.ps, "cameo "+code, "the CAMEO code %s stands for %s already, %s; a code stands for one act only, so take it from one of them", code, other.Name, other.place())
			} else if !dup {
				claimed[code] = t
			}
		}
	}
	return types
}

func (p *vocabularyParser) syntax(err error) {
	msg := err.Error()
	m := yamlErrorLine.FindStringSubmatch(msg)
	line := 1
	if len(m) == 2 {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		msg = msg[len(m[0]):]
	}
	p.ps.Add(p.file, line, 1, "not YAML: %s; check the indentation, quotes and brackets here and in the line above", msg)
}

var typeKeys = []string{
	"name", "nature", "infinitive", "past", "present", "participle", "passive", "converse", "labels", "converseLabels",
	"symmetric", "inverse", "exclusive", "sources", "targets", "cameo", "family", "goldstein", "office", "role", "accreditedTo",
}

func (p *vocabularyParser) relationType(item, n *yaml.Node) *RelationType {
	t := &RelationType{file: p.file, at: map[string]yamlPos{"": {item.Line, item.Column}}, unread: map[string]bool{}}
	var past, present, passive string
	var converse struct{ past, present string }
	familyGiven, goldsteinGiven := false, false
	p.keys(n, "a relation type", typeKeys, func(name string, key, value *yaml.Node) {
		t.at[name] = yamlPos{value.Line, value.Column}
		before := len(p.ps)
		switch name {
		case "name":
			t.Name = p.text(name, value)
		case "nature":
			t.Nature = Nature(strings.ToUpper(p.text(name, value)))
		case "infinitive":
			t.Verb.Infinitive = p.text(name, value)
		case "past":
			past = p.text(name, value)
		case "present":
			present = p.text(name, value)
		case "participle":
			t.Verb.Participle = p.text(name, value)
		case "passive":
			passive = p.text(name, value)
		case "converse":
			if value.Kind != yaml.MappingNode {
				p.add(value, "converse is %s, but must have keys: infinitive, past or present, and participle; for a plain passive write passive: instead", nodeWord(value))
				break
			}
			p.keys(value, "converse", []string{"infinitive", "past", "present", "participle"}, func(name string, _, value *yaml.Node) {
				t.at["converse."+name] = yamlPos{value.Line, value.Column}
				text := p.text(name, value)
				t.unread["converse."+name] = text == ""
				switch name {
				case "infinitive":
					t.Converse.Infinitive = text
				case "past":
					converse.past = text
				case "present":
					converse.present = text
				case "participle":
					t.Converse.Participle = text
				}
			})
		case "labels":
			t.Labels = p.labels(t, name, value)
		case "converseLabels":
			t.ConverseLabels = p.labels(t, name, value)
		case "symmetric":
			t.Symmetric = p.bool(name, value)
		case "inverse":
			t.Inverse = p.text(name, value)
		case "exclusive":
			t.Exclusive = p.bool(name, value)
		case "sources":
			t.Sources = p.kinds(name, value)
		case "targets":
			t.Targets = p.kinds(name, value)
		case "cameo":
			for _, c := range p.list(name, value) {
				t.CAMEO = append(t.CAMEO, c.Value)
				t.at["cameo "+c.Value] = yamlPos{c.Line, c.Column}
			}
		case "family":
			familyGiven = true
			if value.Tag != "!!null" {
				t.Family = strings.ToUpper(p.text(name, value))
			}
		case "goldstein":
			goldsteinGiven = true
			if value.Tag != "!!null" {
				t.Goldstein = p.number(name, value)
			}
		case "office":
			if value.Tag == "!!bool" {
				p.add(value, "office is the title of the office, not %s; write, for example, office: treasurer, or leave it out", value.Value)
				break
			}
			t.Title = p.text(name, value)
			t.Office = t.Title != ""
		case "role":
			t.Role = Role(strings.ToUpper(p.text(name, value)))
		case "accreditedTo":
			t.AccreditedTo = p.bool(name, value)
		}
		t.unread[name] = len(p.ps) > before
	})

	// The one finite form that the nature asks for; the other would be lost.
	finite := func(key, pastForm, presentForm string) string {
		if t.Nature == Standing {
			if pastForm != "" {
				t.problem(&p.ps, key+"past", "%s is a standing, which is written in the present; write present: instead of past:", t.Name)
				t.unread[key+"present"] = true
			}
			return presentForm
		}
		if presentForm != "" && t.Nature == Act {
			t.problem(&p.ps, key+"present", "%s is an act, which is written in the past; write past: instead of present:", t.Name)
			t.unread[key+"past"] = true
		}
		return pastForm
	}
	t.Verb.Finite = finite("", past, present)
	t.Converse.Finite = finite("converse.", converse.past, converse.present)
	t.unread["converse"] = t.unread["converse"] || t.unread["passive"]
	if passive != "" {
		t.at["converse"] = cmp.Or(t.at["converse"], t.at["passive"])
		if t.Converse != (VerbForms{}) {
			t.problem(&p.ps, "passive", "%s has both passive and converse, which say the same; leave one out", t.Name)
		} else {
			t.Converse = VerbForms{Finite: "was " + passive, Infinitive: "be " + passive, Participle: "been " + passive}
			if t.Nature == Standing {
				t.Converse.Finite = "is " + passive
			}
		}
	}
	t.complete()
	if len(t.CAMEO) > 0 {
		if c, ok := p.cameo.Nearest(t.CAMEO[0]); ok {
			if !familyGiven {
				t.Family = c.Family
			}
			if !goldsteinGiven {
				t.Goldstein = &c.Goldstein
			}
		}
	}

	t.check(&p.ps)
	t.unread = nil
	return t
}

// keys calls fn for each known key of the mapping with its value, and notes
// unknown and repeated ones.
func (p *vocabularyParser) keys(n *yaml.Node, what string, known []string, fn func(name string, key, value *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], yamlTarget(n.Content[i+1])
		switch line, dup := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			p.add(key, "a key of %s is %s, but must be one of %s", what, nodeWord(key), strings.Join(known, ", "))
		case !slices.Contains(known, key.Value):
			p.add(key, "%s has no key %s; %s", what, strconv.Quote(key.Value), didYouMean(key.Value, known))
		case dup:
			p.add(key, "%s occurs twice, first in line %d, and only one can hold; remove one", key.Value, line)
		default:
			seen[key.Value] = key.Line
			fn(key.Value, key, value)
		}
	}
}

func (p *vocabularyParser) text(key string, n *yaml.Node) string {
	switch {
	case n.Kind != yaml.ScalarNode:
		p.add(n, "%s is %s, but must be a single text", key, nodeWord(n))
	case n.Tag == "!!null" || n.Value == "":
		p.add(n, "%s is empty; give it a value, or leave it out", key)
	default:
		return n.Value
	}
	return ""
}

func (p *vocabularyParser) bool(key string, n *yaml.Node) bool {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!bool" {
		var b bool
		if n.Decode(&b) == nil {
			return b
		}
	}
	p.add(n, "%s is %s, but must be true or false", key, nodeWord(n))
	return false
}

func (p *vocabularyParser) number(key string, n *yaml.Node) *float64 {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!float" || n.Tag == "!!int") {
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil && f == f {
			return &f
		}
	}
	p.add(n, "%s is %s, but must be a number from -10 to 10", key, nodeWord(n))
	return nil
}

// list returns the texts of a list, or a text alone as a list of one.
func (p *vocabularyParser) list(key string, n *yaml.Node) []*yaml.Node {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var texts []*yaml.Node
	for _, item := range items {
		if item = yamlTarget(item); p.text(key, item) != "" {
			texts = append(texts, item)
		}
	}
	return texts
}

func (p *vocabularyParser) kinds(key string, n *yaml.Node) []Kind {
	kinds := []Kind{} // given, if empty
	for _, item := range p.list(key, n) {
		word := strings.ToUpper(item.Value)
		if group, ok := kindGroups[word]; ok {
			kinds = append(kinds, group...)
		} else if k := Kind(word); k.Valid() {
			kinds = append(kinds, k)
		} else {
			p.add(item, "%s is no kind of entity; %s", strconv.Quote(item.Value), didYouMean(item.Value, kindWords()))
		}
	}
	return kinds
}

func (p *vocabularyParser) labels(t *RelationType, key string, n *yaml.Node) map[Status]string {
	if n.Kind != yaml.MappingNode {
		p.add(n, "%s is %s, but must have statuses as keys, such as {PLANNED: is to meet with}", key, nodeWord(n))
		return nil
	}
	labels := map[Status]string{}
	p.keys(n, key, statusNames(), func(name string, _, value *yaml.Node) {
		t.at[key+"."+name] = yamlPos{value.Line, value.Column}
		if text := p.text(name, value); text != "" {
			labels[Status(name)] = text
		}
	})
	if len(labels) == 0 {
		return nil
	}
	return labels
}

// yamlTarget follows an alias to what it stands for.
func yamlTarget(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func nodeWord(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "empty"
		}
		return strconv.Quote(n.Value)
	}
	return "an alias"
}

// kindGroups are words for several kinds, in upper case.
var kindGroups = map[string][]Kind{
	"ACTOR":  {KindPerson, KindState, KindOrganization, KindGroup, KindUndecided},
	"ENTITY": Kinds[:],
}
