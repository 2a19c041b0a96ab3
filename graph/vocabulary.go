package graph

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"
)

//go:embed vocabulary.yaml
var vocabularyYAML []byte

// RelationType says what relations of one type are. Treat it as read-only: a
// [Vocabulary] shares it among all who ask.
type RelationType struct {
	Name      string
	Nature    Nature
	Symmetric bool   // both ends do the same
	Inverse   string // the type that says the same from the other end, or ""
	Exclusive bool   // a target has one source at a time

	Sources, Targets []Kind // what may stand at the ends, in the order of [Kinds]

	CAMEO     []string // codes that stand for this act, the typical one first
	Family    string   // PLOVER event class of a relation without a code of its own, or ""
	Goldstein *float64 // likewise

	Office       bool   // a standing that is an office
	Title        string // of an office: its title where the data gives none
	Role         Role   // of an office: the label that it gives its holder, or ""
	AccreditedTo bool   // a relation may name a receiving side

	Verb     VerbForms // read from source to target
	Converse VerbForms // read from target to source; empty for symmetric types
	// Labels and ConverseLabels are whole labels, for statuses in which the
	// generated one reads badly.
	Labels, ConverseLabels map[Status]string

	Builtin bool // the program brings it along, be it redefined or not

	redefined bool
	file      string
	at        map[string]yamlPos // where the file has each key; "" is the type
	unread    map[string]bool    // keys that a problem is noted for already: what could not be read is not missing as well
}

// VerbForms are what labels are made of.
type VerbForms struct {
	Finite     string // acts: "struck"; standings: "is a member of"
	Infinitive string // after "to": "strike", "be a member of"
	Participle string // after "have": "struck", "been a member of"
}

type yamlPos struct{ line, column int }

// Label is the type in English: "condemned", or seen from the target "was
// condemned by". Only a REPORTED or CONFIRMED relation reads as a fact.
func (t *RelationType) Label(status Status, inverse bool) string {
	forms, labels := t.Verb, t.Labels
	if inverse && !t.Symmetric {
		forms, labels = t.Converse, t.ConverseLabels
	}
	if label, ok := labels[status]; ok {
		return label
	}
	have := "have " + forms.Participle
	if t.Nature == Standing {
		have = forms.Infinitive
	}
	switch status {
	case Reported, Confirmed:
		return forms.Finite
	case Planned:
		return "is to " + forms.Infinitive
	case Cancelled:
		return "was to have " + forms.Participle
	case Denied:
		return "is said not to " + have
	case Disputed:
		return "is said by some to " + have
	}
	return "is said to " + have // Claimed; and what is not known to be a fact must not read as one
}

// Caption is what Neo4j Browser writes on the edge: the label, except that a
// claim or denial of the source itself names the source as the one who says so.
func (t *RelationType) Caption(status Status, selfClaimed bool) string {
	switch {
	case selfClaimed && status == Claimed && t.Nature == Standing:
		return "claims to " + t.Verb.Infinitive
	case selfClaimed && status == Claimed:
		return "claims to have " + t.Verb.Participle
	case selfClaimed && status == Denied && t.Nature == Standing:
		return "claims not to " + t.Verb.Infinitive
	case selfClaimed && status == Denied:
		return "denies having " + t.Verb.Participle
	}
	return t.Label(status, false)
}

// Allows returns nil when a relation of the type may run from a source of the
// one kind to a target of the other, and otherwise an error that says which end
// is wrong and what would be right.
func (t *RelationType) Allows(source, target Kind) error {
	if !slices.Contains(t.Sources, source) {
		return fmt.Errorf("the source of %s cannot be %s: it must be %s", t.Name, withArticle(source), kindList(t.Sources))
	}
	if !slices.Contains(t.Targets, target) {
		return fmt.Errorf("the target of %s cannot be %s: it must be %s", t.Name, withArticle(target), kindList(t.Targets))
	}
	return nil
}

// clone copies what the type refers to, so that the copy can be shared.
func (t *RelationType) clone() *RelationType {
	c := *t
	c.Sources, c.Targets, c.CAMEO = slices.Clone(t.Sources), slices.Clone(t.Targets), slices.Clone(t.CAMEO)
	c.Labels, c.ConverseLabels = maps.Clone(t.Labels), maps.Clone(t.ConverseLabels)
	if t.Goldstein != nil {
		g := *t.Goldstein
		c.Goldstein = &g
	}
	return &c
}

// complete fills in what may be left out.
func (t *RelationType) complete() {
	if t.Nature == Act { // an act's past serves as its participle: visited
		t.Verb.Participle = cmp.Or(t.Verb.Participle, t.Verb.Finite)
		t.Converse.Participle = cmp.Or(t.Converse.Participle, t.Converse.Finite)
	}
	if t.Sources == nil {
		t.Sources = kindGroups["ACTOR"]
	}
	if t.Targets == nil {
		t.Targets = kindGroups["ACTOR"]
	}
	t.Sources, t.Targets = expandKinds(t.Sources), expandKinds(t.Targets)
}

// Vocabulary is a set of relation types. It never changes, and is safe for
// concurrent use.
type Vocabulary struct {
	cameo   *CAMEO
	types   []*RelationType // by name
	byName  map[string]*RelationType
	byCAMEO map[string]*RelationType // the codes that types name
}

// BuiltinVocabulary returns the relation types that are embedded in the binary.
// They are parsed once.
func BuiltinVocabulary() (*Vocabulary, error) { return builtinVocabulary() }

var builtinVocabulary = sync.OnceValues(func() (*Vocabulary, error) {
	types, err := ParseVocabulary("vocabulary.yaml", vocabularyYAML)
	if err != nil {
		return nil, err
	}
	for i := range types {
		types[i].Builtin = true
	}
	cameo, err := LoadCAMEO()
	if err != nil {
		return nil, err
	}
	return (&Vocabulary{cameo: cameo}).Extend(types)
})

// Lookup returns the type of that name.
func (v *Vocabulary) Lookup(name string) (*RelationType, bool) {
	t, ok := v.byName[name]
	return t, ok
}

// Types lists all types by name: the fixed order in which query texts name them.
func (v *Vocabulary) Types() []*RelationType { return slices.Clone(v.types) }

// Nearest returns up to n type names that the writer of an unknown name may
// have meant, the likeliest first.
func (v *Vocabulary) Nearest(name string, n int) []string {
	names := make([]string, len(v.types))
	for i, t := range v.types {
		names[i] = t.Name
	}
	return NearestWords(name, names, n)
}

// ByCAMEO returns the act that a CAMEO code stands for: the one that names the
// code, else the one that names the longest code above it. It is false only
// for what is no CAMEO code.
func (v *Vocabulary) ByCAMEO(code string) (*RelationType, bool) {
	if !ValidCAMEO(code) {
		return nil, false
	}
	for ; len(code) >= 2; code = code[:len(code)-1] {
		if t, ok := v.byCAMEO[code]; ok {
			return t, true
		}
	}
	return nil, false
}

// Family returns the PLOVER event class of a relation: that of its own CAMEO
// code, where it has one, else that of its type. It is "" where there is none.
//
// A load stores the result with the relation ([Relation.Family]), and filters
// compare what is stored: an exact answer that a later vocabulary cannot shift.
func (v *Vocabulary) Family(typeName, cameo string) string {
	if c, ok := v.cameo.Nearest(cameo); ok {
		return c.Family
	}
	if t, ok := v.byName[typeName]; ok {
		return t.Family
	}
	return ""
}

// Goldstein returns the Goldstein value of a relation that states none: that of
// its own CAMEO code, where it has one, else that of its type, if any.
func (v *Vocabulary) Goldstein(typeName, cameo string) (float64, bool) {
	if c, ok := v.cameo.Nearest(cameo); ok {
		return c.Goldstein, true
	}
	if t, ok := v.byName[typeName]; ok && t.Goldstein != nil {
		return *t.Goldstein, true
	}
	return 0, false
}

// Families lists every family that a relation can have, in alphabetical order.
func (v *Vocabulary) Families() []string { return slices.Clone(families[:]) }

// Select names the types that pass all three filters, in the order of
// [Vocabulary.Types]. A nil list and an empty nature do not filter; an empty
// list matches nothing. A name that is no type selects nothing.
//
// A type passes a family filter when relations of it may be of such a family:
// by its own, or by a CAMEO code that stands for it. STRUCK relations are all
// ASSAULT, but YIELDED_TO relations are CONCEDE or RETREAT. To choose relations
// by family exactly, pass nil here and compare each relation's stored family.
func (v *Vocabulary) Select(types, families []string, nature Nature) []string {
	var carriers map[*RelationType]bool
	if families != nil {
		carriers = make(map[*RelationType]bool)
		for _, c := range v.cameo.codes {
			if t, ok := v.ByCAMEO(c.Code); ok && slices.Contains(families, c.Family) {
				carriers[t] = true
			}
		}
		for _, t := range v.types {
			if t.Family != "" && slices.Contains(families, t.Family) {
				carriers[t] = true
			}
		}
	}
	names := make([]string, 0, len(v.types))
	for _, t := range v.types {
		if (types == nil || slices.Contains(types, t.Name)) && (families == nil || carriers[t]) && (nature == "" || t.Nature == nature) {
			names = append(names, t.Name)
		}
	}
	return names
}

// Offices names the types that are offices, in the order of [Vocabulary.Types].
func (v *Vocabulary) Offices() []string {
	return v.names(func(t *RelationType) bool { return t.Office })
}

// Roles lists the roles that some office gives, in alphabetical order.
func (v *Vocabulary) Roles() []Role {
	var roles []Role
	for _, t := range v.types {
		if t.Role != "" {
			roles = append(roles, t.Role)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// OfficesOf names the offices that give their holder the role.
func (v *Vocabulary) OfficesOf(role Role) []string {
	return v.names(func(t *RelationType) bool { return t.Office && t.Role == role })
}

func (v *Vocabulary) names(keep func(*RelationType) bool) []string {
	names := []string{}
	for _, t := range v.types {
		if keep(t) {
			names = append(names, t.Name)
		}
	}
	return names
}

// Extend returns a vocabulary that has these types too. A type of a name that v
// has replaces it, as a whole. All that stands in the way is reported at once,
// as [Problems].
//
// What would change the meaning of relations that are stored already is
// refused: another nature or symmetry of a known type, and a CAMEO code that
// another act answers to, unless these types redefine that act as well.
func (v *Vocabulary) Extend(types []RelationType) (*Vocabulary, error) {
	var ps Problems
	next := &Vocabulary{cameo: v.cameo, byName: maps.Clone(v.byName), byCAMEO: map[string]*RelationType{}}
	if next.byName == nil {
		next.byName = make(map[string]*RelationType, len(types))
	}
	incoming := make(map[string]*RelationType, len(types))
	for i := range types {
		t := types[i].clone()
		t.complete()
		t.check(&ps)
		if first, dup := incoming[t.Name]; dup {
			t.problem(&ps, "name", "%s is defined twice, first %s; merge the two into one", t.Name, first.place())
			continue
		}
		incoming[t.Name] = t
		if old, ok := v.byName[t.Name]; ok {
			if old.Nature != t.Nature && t.Nature != "" {
				t.problem(&ps, "nature", "%s is %s, and relations are stored as such; keep the nature, or choose another name", t.Name, natureName(old.Nature))
			}
			if old.Symmetric != t.Symmetric {
				want := "is symmetric, and relations are stored once for both directions; write symmetric: true, or choose another name"
				if !old.Symmetric {
					want = "has a direction, and relations are stored with it; leave symmetric out, or choose another name"
				}
				t.problem(&ps, "symmetric", "%s %s", t.Name, want)
			}
			t.Builtin, t.redefined = old.Builtin, true
		}
		next.byName[t.Name] = t
	}
	next.types = slices.SortedFunc(maps.Values(next.byName), func(a, b *RelationType) int { return cmp.Compare(a.Name, b.Name) })
	next.claimCodes(v, incoming, &ps)
	next.checkInverses(incoming, &ps)
	if err := ps.Err(); err != nil {
		return nil, err
	}
	return next, nil
}

// claimCodes gives each code to the act that names it, and sees to it that
// every code of the table is one act's.
func (v *Vocabulary) claimCodes(old *Vocabulary, incoming map[string]*RelationType, ps *Problems) {
	for _, t := range v.types {
		for _, code := range t.CAMEO {
			other := v.byCAMEO[code]
			if other == nil || other == t {
				v.byCAMEO[code] = t
			}
			holder, held := old.ByCAMEO(code)
			switch {
			case incoming[t.Name] != t:
			case other != nil && other != t && incoming[other.Name] == other:
				t.problem(ps, "cameo "+code, "the CAMEO code %s stands for %s already, %s; a code stands for one act only, so take it from one of them", code, other.Name, other.place())
			case held && holder.Name != t.Name && incoming[holder.Name] == nil:
				t.problem(ps, "cameo "+code, "the CAMEO code %s stands for %s already; leave it out, or redefine %s in this file without it", code, holder.Name, holder.Name)
			}
		}
	}
	var homeless []string
	for _, c := range v.cameo.codes {
		if _, ok := v.ByCAMEO(c.Code); !ok {
			homeless = append(homeless, c.Code)
		}
	}
	if len(homeless) == 0 {
		return
	}
	// It is a redefinition that gave them up; without one, the table is at odds
	// with the built-in types.
	for _, t := range slices.SortedFunc(maps.Values(incoming), func(a, b *RelationType) int { return cmp.Compare(a.Name, b.Name) }) {
		var lost []string
		for _, code := range homeless {
			if holder, ok := old.ByCAMEO(code); ok && holder.Name == t.Name {
				lost = append(lost, code)
			}
		}
		if len(lost) > 0 {
			t.problem(ps, "cameo", "without %s, the CAMEO %s %s would stand for no act; keep its codes %s, or give them to another act of this file",
				t.Name, codesWord(len(lost)), strings.Join(lost, ", "), strings.Join(old.byName[t.Name].CAMEO, ", "))
		}
	}
	if len(*ps) == 0 {
		ps.Add("", 0, 0, "no act stands for the CAMEO %s %s; name each, or a code above it, under cameo", codesWord(len(homeless)), strings.Join(homeless, ", "))
	}
}

func (v *Vocabulary) checkInverses(incoming map[string]*RelationType, ps *Problems) {
	for _, t := range v.types {
		if t.Inverse == "" || t.Inverse == t.Name || incoming[t.Name] == nil && incoming[t.Inverse] == nil {
			continue
		}
		other, ok := v.byName[t.Inverse]
		switch {
		case !ok:
			hint := ""
			if near := v.Nearest(t.Inverse, 1); len(near) > 0 {
				hint = "; did you mean " + near[0] + "?"
			}
			t.problem(ps, "inverse", "the inverse of %s is %s, which is no relation type%s", t.Name, strconv.Quote(t.Inverse), hint)
		case other.Inverse != t.Name:
			at := t
			if incoming[t.Name] == nil {
				at = other
			}
			at.problem(ps, "inverse", "the inverse of %s is %s, but that of %s is not %s; write inverse: %s in %s too", t.Name, other.Name, other.Name, t.Name, t.Name, other.Name)
		case other.Nature != t.Nature && incoming[t.Name] == t:
			t.problem(ps, "inverse", "%s and its inverse %s differ in nature; both must be acts, or both standings", t.Name, other.Name)
		}
	}
}

// Extension returns, as canonical YAML, the types that are not as the program
// brings them along. What it returns, parsed, extends the built-in vocabulary
// to v again; it is what a database remembers. It is nil when there are none.
func (v *Vocabulary) Extension() []byte {
	var file struct {
		Types []typeYAML `yaml:"types"`
	}
	for _, t := range v.types {
		if !t.Builtin || t.redefined {
			file.Types = append(file.Types, t.yaml())
		}
	}
	if file.Types == nil {
		return nil
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	// Neither can fail: the types are plain text, and the buffer takes all.
	_ = enc.Encode(file)
	_ = enc.Close()
	return b.Bytes()
}

// typeYAML is the canonical form of a type in a file, in this order of keys.
type typeYAML struct {
	Name           string            `yaml:"name"`
	Nature         string            `yaml:"nature"`
	Infinitive     string            `yaml:"infinitive"`
	Past           string            `yaml:"past,omitempty"`
	Present        string            `yaml:"present,omitempty"`
	Participle     string            `yaml:"participle"`
	Converse       *formsYAML        `yaml:"converse,omitempty"`
	Labels         map[string]string `yaml:"labels,omitempty"`
	ConverseLabels map[string]string `yaml:"converseLabels,omitempty"`
	Symmetric      bool              `yaml:"symmetric,omitempty"`
	Inverse        string            `yaml:"inverse,omitempty"`
	Exclusive      bool              `yaml:"exclusive,omitempty"`
	Sources        []string          `yaml:"sources,flow"`
	Targets        []string          `yaml:"targets,flow"`
	CAMEO          []string          `yaml:"cameo,flow,omitempty"`
	Family         any               `yaml:"family"`    // null is not the same as absent
	Goldstein      any               `yaml:"goldstein"` // likewise
	Office         string            `yaml:"office,omitempty"`
	Role           string            `yaml:"role,omitempty"`
	AccreditedTo   bool              `yaml:"accreditedTo,omitempty"`
}

type formsYAML struct {
	Infinitive string `yaml:"infinitive"`
	Past       string `yaml:"past,omitempty"`
	Present    string `yaml:"present,omitempty"`
	Participle string `yaml:"participle"`
}

func (t *RelationType) yaml() typeYAML {
	y := typeYAML{
		Name: t.Name, Nature: strings.ToLower(string(t.Nature)),
		Infinitive: t.Verb.Infinitive, Participle: t.Verb.Participle,
		Labels: labelsYAML(t.Labels), ConverseLabels: labelsYAML(t.ConverseLabels),
		Symmetric: t.Symmetric, Inverse: t.Inverse, Exclusive: t.Exclusive,
		Sources: kindNames(t.Sources), Targets: kindNames(t.Targets), CAMEO: t.CAMEO,
		Office: t.Title, Role: strings.ToLower(string(t.Role)), AccreditedTo: t.AccreditedTo,
	}
	if !t.Symmetric {
		y.Converse = &formsYAML{Infinitive: t.Converse.Infinitive, Participle: t.Converse.Participle}
	}
	if t.Nature == Act {
		y.Past = t.Verb.Finite
		if y.Converse != nil {
			y.Converse.Past = t.Converse.Finite
		}
	} else {
		y.Present = t.Verb.Finite
		if y.Converse != nil {
			y.Converse.Present = t.Converse.Finite
		}
	}
	if t.Family != "" {
		y.Family = t.Family
	}
	if t.Goldstein != nil {
		y.Goldstein = *t.Goldstein
	}
	return y
}

func labelsYAML(labels map[Status]string) map[string]string {
	if len(labels) == 0 {
		return nil
	}
	y := make(map[string]string, len(labels))
	for s, label := range labels {
		y[string(s)] = label
	}
	return y
}

var (
	typeName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,62}$`)
	// reservedTypes are relationship types that the Neo4j store uses itself.
	reservedTypes = [...]string{"TOOK_PART_IN", "MENTIONS", "FORMER"}
)

// maxPhrase bounds verb forms and labels, which are written on edges.
const maxPhrase = 80

// check notes all that is wrong with the type by itself. It is the one place
// where types are judged, whether they come from a file or from code.
func (t *RelationType) check(ps *Problems) {
	switch {
	case t.Name == "":
		t.problem(ps, "name", "a relation type needs a name, such as name: MET_WITH")
	case !typeName.MatchString(t.Name):
		t.problem(ps, "name", "%s cannot be the name of a relation type: it becomes a Neo4j relationship type; use 2 to 63 of A-Z, 0-9 and _, starting with a letter, such as MET_WITH", strconv.Quote(t.Name))
	case slices.Contains(reservedTypes[:], t.Name):
		t.problem(ps, "name", "%s is reserved: the database uses it for edges that are no relations; choose another name", t.Name)
	}
	switch t.Nature {
	case Act:
		if t.Exclusive {
			t.problem(ps, "exclusive", "%s is an act, and acts hold nothing; exclusive is for standings, so leave it out", t.Name)
		}
		if t.Office {
			t.problem(ps, "office", "%s is an act, and an office lasts; leave office out, or write nature: standing", t.Name)
		}
		if t.AccreditedTo {
			t.problem(ps, "accreditedTo", "%s is an act; accreditedTo is for standings, so leave it out", t.Name)
		}
	case Standing:
		if len(t.CAMEO) > 0 {
			t.problem(ps, "cameo", "%s is a standing, and CAMEO codes stand for acts; leave cameo out, or write nature: act", t.Name)
		}
	case "":
		t.problem(ps, "nature", "%s needs a nature; write nature: act for what happens, nature: standing for what lasts", cmp.Or(t.Name, "the type"))
	default:
		t.problem(ps, "nature", "%s is no nature; write act for what happens, standing for what lasts", strconv.Quote(string(t.Nature)))
	}
	if t.Symmetric {
		if t.Inverse != "" {
			t.problem(ps, "inverse", "%s is symmetric, so it is its own inverse; leave inverse out", t.Name)
		}
		if t.Converse != (VerbForms{}) || len(t.ConverseLabels) > 0 {
			t.problem(ps, "converse", "%s is symmetric, so it reads the same from both ends; leave passive, converse and converseLabels out", t.Name)
		}
		if !t.unread["sources"] && !slices.Equal(t.Sources, t.Targets) {
			t.problem(ps, "targets", "%s is symmetric, so either end can be the source; sources and targets must be the same", t.Name)
		}
	} else if t.Inverse != "" && t.Inverse == t.Name {
		t.problem(ps, "inverse", "%s cannot be its own inverse; write symmetric: true instead", t.Name)
	}
	t.checkForms(ps, "", t.Verb)
	if !t.Symmetric {
		t.checkForms(ps, "converse", t.Converse)
	}
	t.checkLabels(ps, "labels", t.Labels, t.Verb)
	if !t.Symmetric {
		t.checkLabels(ps, "converseLabels", t.ConverseLabels, t.Converse)
	}
	t.checkKinds(ps, "sources", t.Sources)
	t.checkKinds(ps, "targets", t.Targets)
	for i, code := range t.CAMEO {
		if !ValidCAMEO(code) {
			t.problem(ps, "cameo "+code, "%s is no CAMEO code; a code has a root from 01 to 20 and up to two further digits, such as 193 (the leading zero counts: 036, not 36)", strconv.Quote(code))
		} else if slices.Contains(t.CAMEO[:i], code) {
			t.problem(ps, "cameo "+code, "%s names the CAMEO code %s twice; once is enough", t.Name, code)
		}
	}
	if t.Family != "" && !slices.Contains(families[:], t.Family) {
		t.problem(ps, "family", "%s is no family; the families are the PLOVER event classes and %s, so %s", strconv.Quote(t.Family), FamilyComment, didYouMean(t.Family, families[:]))
	}
	if t.Goldstein != nil && !(*t.Goldstein >= -10 && *t.Goldstein <= 10) {
		t.problem(ps, "goldstein", "%v is no Goldstein value; the scale runs from -10 (conflict) to 10 (cooperation)", *t.Goldstein)
	}
	if t.Office && t.Nature == Standing {
		t.checkPhrase(ps, "office", t.Title, "the title of an office, such as office: treasurer")
	}
	if !t.Office && t.Title != "" {
		t.problem(ps, "office", "%s has a title but is no office", t.Name)
	}
	if t.Role == "" {
		return
	}
	if !slices.Contains(allRoles[:], t.Role) {
		t.problem(ps, "role", "%s is no role; the roles are leader, envoy and spokesperson", strconv.Quote(strings.ToLower(string(t.Role))))
	} else if !t.Office {
		t.problem(ps, "role", "%s gives a role but is no office; add its title, such as office: %s, or leave role out", t.Name, strings.ToLower(string(t.Role)))
	} else if slices.ContainsFunc(t.Sources, func(k Kind) bool { return k != KindPerson && k != KindUndecided }) {
		t.problem(ps, "sources", "%s gives its holder a role, and roles are labels of persons; write sources: Person, or leave role out", t.Name)
	}
}

var allRoles = [...]Role{Leader, Envoy, Spokesperson}

func (t *RelationType) checkForms(ps *Problems, key string, f VerbForms) {
	finite, example := "past", VerbForms{"visited", "visit", "visited"}
	if t.Nature == Standing {
		finite, example = "present", VerbForms{"leads", "lead", "led"}
	}
	if key == "converse" {
		if f == (VerbForms{}) {
			t.problem(ps, "converse", "%s does not say how it reads from the target; write passive, such as passive: visited by, or converse, or symmetric: true", cmp.Or(t.Name, "the type"))
			return
		}
		example = VerbForms{"received", "receive", "received"}
		if t.Nature == Standing {
			example = VerbForms{"employs", "employ", "employed"}
		}
	}
	at := func(name string) string { return strings.TrimPrefix(key+"."+name, ".") }
	if t.Nature.valid() { // which form is missing depends on it
		t.checkPhrase(ps, at(finite), f.Finite, "its "+finite+" form, such as "+finite+": "+example.Finite)
	}
	t.checkPhrase(ps, at("infinitive"), f.Infinitive, "its infinitive, such as infinitive: "+example.Infinitive)
	if f.Participle != "" || t.Nature == Standing {
		t.checkPhrase(ps, at("participle"), f.Participle, "its participle, what follows \"have\", such as participle: "+example.Participle)
	}
}

func (n Nature) valid() bool { return n == Act || n == Standing }

func (t *RelationType) checkLabels(ps *Problems, key string, labels map[Status]string, f VerbForms) {
	for _, s := range slices.Sorted(maps.Keys(labels)) {
		at := key + "." + string(s)
		if !s.Valid() {
			t.problem(ps, at, "%s is no status; %s", strconv.Quote(string(s)), didYouMean(string(s), statusNames()))
			continue
		}
		t.checkPhrase(ps, at, labels[s], "words for the label")
		if s != Reported && s != Confirmed && strings.EqualFold(labels[s], f.Finite) {
			t.problem(ps, at, "a %s relation would read as a fact with the label %s; write one that says how firm it is, or leave it out", s, strconv.Quote(labels[s]))
		}
	}
}

func (t *RelationType) checkPhrase(ps *Problems, key, phrase, what string) {
	bad := ""
	switch {
	case phrase == "":
		t.problem(ps, key, "%s needs %s", cmp.Or(t.Name, "the type"), what)
		return
	case len([]rune(phrase)) > maxPhrase:
		bad = fmt.Sprintf("is longer than %d characters", maxPhrase)
	case strings.Join(strings.Fields(phrase), " ") != phrase:
		bad = "has spaces too many, or a line break"
	case strings.ContainsAny(phrase, "{}<>%"):
		bad = "has one of { } < > %"
	case strings.ContainsFunc(phrase, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }):
		bad = "has a character that cannot be printed"
	default:
		return
	}
	t.problem(ps, key, "%s %s, and is written on edges as it stands; use a few plain words", strconv.Quote(phrase), bad)
}

func (t *RelationType) checkKinds(ps *Problems, key string, kinds []Kind) {
	if len(kinds) == 0 {
		t.problem(ps, key, "%s has no %s, so no relation could be of it; name kinds, or leave %s out for Actor", cmp.Or(t.Name, "the type"), key, key)
	}
	for _, k := range kinds {
		if !k.Valid() {
			t.problem(ps, key, "%s is no kind; %s", strconv.Quote(string(k)), didYouMean(string(k), kindWords()))
		}
	}
}

// problem notes a problem at the key, where the file has it, else at the type.
func (t *RelationType) problem(ps *Problems, key, format string, args ...any) {
	if t.unread[key] {
		return
	}
	p, ok := t.at[key]
	if !ok {
		outer, _, _ := strings.Cut(strings.ReplaceAll(key, " ", "."), ".")
		if p, ok = t.at[outer]; !ok {
			p = t.at[""]
		}
	}
	ps.Add(t.file, p.line, p.column, format, args...)
}

func (t *RelationType) place() string {
	if p, ok := t.at["name"]; ok {
		return fmt.Sprintf("in line %d", p.line)
	}
	return "as another type"
}

// expandKinds puts kinds into their fixed order, each once, and admits
// undecided actors wherever there are actors.
func expandKinds(kinds []Kind) []Kind {
	actors := slices.ContainsFunc(kinds, Kind.Actor)
	var out []Kind
	for _, k := range Kinds {
		if slices.Contains(kinds, k) || k == KindUndecided && actors {
			out = append(out, k)
		}
	}
	for _, k := range kinds { // for check to find
		if !k.Valid() {
			out = append(out, k)
		}
	}
	return out
}

// kindWord is the kind as files have it: Person.
func kindWord(k Kind) string {
	if k == "" {
		return ""
	}
	return string(k[:1]) + strings.ToLower(string(k[1:]))
}

func kindNames(kinds []Kind) []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = kindWord(k)
	}
	return names
}

func kindWords() []string { return append(kindNames(Kinds[:]), "Actor", "Entity") }

// kindList reads "a Person, a State or a Place".
func kindList(kinds []Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = withArticle(k)
	}
	return orList(words)
}

func withArticle(k Kind) string {
	if word := kindWord(k); word != "" && strings.Contains("OUI", word[:1]) {
		return "an " + word
	} else if word != "" {
		return "a " + word
	}
	return "of no kind"
}

func statusNames() []string {
	names := make([]string, len(Statuses))
	for i, s := range Statuses {
		names[i] = string(s)
	}
	return names
}

func natureName(n Nature) string {
	if n == Act {
		return "an act"
	}
	return "a standing"
}

func codesWord(n int) string {
	if n == 1 {
		return "code"
	}
	return "codes"
}

func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// didYouMean ends a message on an unknown word: by the nearest known one, or by all
// of them where none is near.
func didYouMean(word string, known []string) string {
	if near := NearestWords(word, known, 1); len(near) > 0 {
		return "did you mean " + near[0] + "?"
	}
	return "use " + orList(known)
}

// NearestWords returns up to n of the known words that one may have meant by word,
// the likeliest first: those that it begins, or that begin it, and those within
// a third of its length in edits. Equal ones are in alphabetical order.
func NearestWords(word string, known []string, n int) []string {
	const long = 128 // a word that long is no slip of the pen, and distances are quadratic
	folded := []rune(strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(word), " ", "_")))
	if len(folded) == 0 || len(folded) > long || n <= 0 {
		return nil
	}
	type candidate struct {
		word  string
		edits int
	}
	var near []candidate
	for _, k := range known {
		upper := strings.ToUpper(k)
		edits := levenshtein.ComputeDistance(string(folded), upper)
		prefix := len(folded) >= 3 && (strings.HasPrefix(upper, string(folded)) || strings.HasPrefix(string(folded), upper))
		if prefix {
			edits = min(edits, 1)
		}
		if prefix || edits <= max(1, max(len(folded), len(upper))/3) {
			near = append(near, candidate{k, edits})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.edits, b.edits), cmp.Compare(a.word, b.word)) })
	words := make([]string, 0, n)
	for _, c := range near[:min(n, len(near))] {
		words = append(words, c.word)
	}
	return words
}
