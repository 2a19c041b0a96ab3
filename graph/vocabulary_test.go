package graph

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func builtins(t testing.TB) *Vocabulary {
	t.Helper()
	v, err := BuiltinVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// extendVocabulary adds a file to the built-in vocabulary and returns all problems.
func extendVocabulary(t testing.TB, text string) (*Vocabulary, Problems) {
	t.Helper()
	types, err := ParseVocabulary("own.yaml", []byte(text))
	var v *Vocabulary
	if err == nil {
		v, err = builtins(t).Extend(types)
	}
	if err == nil {
		return v, nil
	}
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatalf("want Problems, got %T: %v", err, err)
	}
	return nil, ps
}

// sameTypes compares vocabularies by what their types say.
func sameTypes(t testing.TB, want, got *Vocabulary) {
	t.Helper()
	if diff := cmp.Diff(want.types, got.types, cmpopts.IgnoreUnexported(RelationType{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the vocabularies differ (-want +got):\n%s", diff)
	}
}

func TestCAMEOCodesMapToOneAct(t *testing.T) {
	v := builtins(t)
	if n := len(v.cameo.Codes()); n < 300 {
		t.Fatalf("only %d CAMEO codes", n)
	}
	for root := 1; root <= 20; root++ {
		if _, ok := v.cameo.Lookup(fmt.Sprintf("%02d", root)); !ok {
			t.Errorf("the root %02d is missing", root)
		}
	}
	for _, c := range v.cameo.Codes() {
		// By hand, without the index: the types that name the longest code above.
		var holders []string
		longest := 0
		for _, typ := range v.Types() {
			for _, code := range typ.CAMEO {
				switch {
				case !strings.HasPrefix(c.Code, code) || len(code) < longest:
				case len(code) > longest:
					longest, holders = len(code), []string{typ.Name}
				default:
					holders = append(holders, typ.Name)
				}
			}
		}
		got, ok := v.ByCAMEO(c.Code)
		if len(holders) != 1 || !ok || got.Name != holders[0] || got.Nature != Act {
			t.Errorf("%s %s: ByCAMEO is %v, %v; named by %v", c.Code, c.Name, got, ok, holders)
		}
	}
}

func TestVocabularyByCAMEO(t *testing.T) {
	v := builtins(t)
	for code, want := range map[string]string{
		"01": "COMMENTED_ON", "010": "COMMENTED_ON", "011": "DECLINED_COMMENT_ON", "015": "CLAIMED_RESPONSIBILITY_TO", "016": "DENIED_RESPONSIBILITY_TO",
		"019": "COMMENTED_ON", "0256": "APPEALED_TO", "0334": "PLEDGED_TO", "035": "PLEDGED_TO", "036": "AGREED_TO_MEET", "0361": "AGREED_TO_MEET",
		"037": "PLEDGED_TO", "04": "CONSULTED", "040": "CONSULTED", "041": "SPOKE_WITH", "042": "VISITED", "043": "HOSTED", "044": "MET_WITH",
		"045": "MEDIATED", "046": "NEGOTIATED_WITH", "05": "COOPERATED_DIPLOMATICALLY_WITH", "053": "RALLIED_SUPPORT_FOR", "056": "FORGAVE",
		"057": "SIGNED_AGREEMENT_WITH", "0874": "YIELDED_TO", "110": "DISAPPROVED_OF", "111": "CONDEMNED", "1124": "ACCUSED", "113": "DISAPPROVED_OF",
		"115": "SUED", "162": "REDUCED_RELATIONS_WITH", "163": "SANCTIONED", "1712": "COERCED", "173": "DETAINED", "174": "EXPELLED", "19": "FOUGHT",
		"190": "FOUGHT", "191": "BLOCKADED", "192": "OCCUPIED", "193": "STRUCK", "194": "STRUCK", "195": "STRUCK", "1951": "STRUCK",
		"196": "VIOLATED_CEASEFIRE_WITH", "2042": "COMMITTED_MASS_VIOLENCE_AGAINST",
	} {
		if got, ok := v.ByCAMEO(code); !ok || got.Name != want {
			t.Errorf("%s: %v, want %s", code, got, want)
		}
	}
	for _, code := range []string{"", "0", "00", "21", "1", "36", "19a", "19000", "-19", "１９", "19 "} {
		if got, ok := v.ByCAMEO(code); ok {
			t.Errorf("%q is no code, but stands for %s", code, got.Name)
		}
	}
}

func TestVocabularyFamilyAndGoldstein(t *testing.T) {
	v := builtins(t)
	for _, c := range []struct {
		typ, cameo, family string
		goldstein          float64
		ok                 bool
	}{
		{"MET_WITH", "", "CONSULT", 2.5, true},
		{"SANCTIONED", "", "COERCE", -8, true},
		{"REDUCED_RELATIONS_WITH", "", "SANCTION", -4, true},
		{"YIELDED_TO", "", "CONCEDE", 5, true},
		{"YIELDED_TO", "0871", "RETREAT", 9, true}, // its own code first
		{"COERCED", "1712", "ASSAULT", -9.2, true},
		{"COMMENTED_ON", "018", FamilyComment, 3.4, true},
		{"STRUCK", "1951", "ASSAULT", -10, true}, // GDELT's code, below 195
		{"STRUCK", "junk", "ASSAULT", -10, true},
		{"INTERCEPTED", "", "ASSAULT", 0, false},
		{"DAMAGED", "", "", 0, false},
		{"LEADS", "", "", 0, false},
		{"NO_SUCH", "", "", 0, false},
	} {
		g, ok := v.Goldstein(c.typ, c.cameo)
		if family := v.Family(c.typ, c.cameo); family != c.family || g != c.goldstein || ok != c.ok {
			t.Errorf("%s %q: %q, %v, %v; want %q, %v, %v", c.typ, c.cameo, family, g, ok, c.family, c.goldstein, c.ok)
		}
	}
	// A type's defaults are those of its typical code.
	for _, typ := range v.Types() {
		if len(typ.CAMEO) == 0 {
			continue
		}
		c, ok := v.cameo.Lookup(typ.CAMEO[0])
		if !ok || typ.Family != c.Family || typ.Goldstein == nil || *typ.Goldstein != c.Goldstein {
			t.Errorf("%s: the defaults differ from those of %s", typ.Name, typ.CAMEO[0])
		}
	}
	// No family is for show: each is some code's.
	for _, family := range v.Families() {
		if !slices.ContainsFunc(v.cameo.Codes(), func(c CAMEOCode) bool { return c.Family == family }) {
			t.Errorf("no code is %s", family)
		}
	}
}

func TestCAMEOByName(t *testing.T) {
	table, err := LoadCAMEO()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Make_statement": "010", "Consult": "040", "Demand": "100", "Threaten": "130", "Meet at a 'third' location": "044",
		"Appeal for target to allow international involvement (non mediation)": "0255",
	} {
		if c, ok := table.ByName(name); !ok || c.Code != want {
			t.Errorf("%q: %v, want %s", name, c, want)
		}
	}
	if c, ok := table.ByName("Host a coronation"); ok {
		t.Errorf("found %v", c)
	}
}

func TestCAMEORefusesBadTables(t *testing.T) {
	const head = "code,name,goldstein,family\n"
	for _, text := range []string{"", "code\n", head + "21,X,0,AID\n", head + "07,X,eleven,AID\n", head + "07,X,11,AID\n", head + "07,X,NaN,AID\n",
		head + "07,X,1,HELP\n", head + "07,X,1,AID\n07,Y,1,AID\n", head + "07,X\n"} {
		if _, err := parseCAMEO("x.csv", text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// TestCAMEOAgreesWithItsSources compares the table with what it was made from.
func TestCAMEOAgreesWithItsSources(t *testing.T) {
	dir := os.Getenv("CHANCERY_DATA")
	if dir == "" {
		t.Skip("not compared with the CAMEO and PLOVER originals: set CHANCERY_DATA to the folder that holds cameo/ and plover/")
	}
	table, err := LoadCAMEO()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "cameo", "cameo-codes.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	name, code, goldstein := slices.Index(rows[0], "name"), slices.Index(rows[0], "code"), slices.Index(rows[0], "goldstein")
	for _, row := range rows[1:] {
		c, ok := table.Lookup(row[code])
		if g, err := strconv.ParseFloat(row[goldstein], 64); !ok || err != nil || c.Goldstein != g || !strings.EqualFold(c.Name, row[name]) {
			t.Errorf("%v: the table has %+v, %v", row[:5], c, ok)
		}
	}
	if len(table.Codes()) != len(rows)-1 {
		t.Errorf("%d codes, want %d", len(table.Codes()), len(rows)-1)
	}
	plover, err := os.ReadFile(filepath.Join(dir, "plover", "CAMEO2PLOVER-2021.txt"))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, m := range regexp.MustCompile(`(?m)^(\d{3,4}):\s*([A-Z]+)`).FindAllStringSubmatch(string(plover), -1) {
		if c, ok := table.Lookup(m[1]); ok {
			if compared++; c.Family != m[2] {
				t.Errorf("%s is %s, PLOVER has %s", m[1], c.Family, m[2])
			}
		}
	}
	if compared < 250 {
		t.Errorf("only %d codes compared with PLOVER", compared)
	}
}

func TestVocabularyLabels(t *testing.T) {
	v := builtins(t)
	leftover := regexp.MustCompile(`[{}<>%_A-Z]|  |^ | $|\b(to|not) (was|is|has|had|been)\b|\bhave (was|is|has|have|be)\b`)
	for _, typ := range v.Types() {
		for _, inverse := range []bool{false, true} {
			fact := typ.Label(Reported, inverse)
			if inverse && (fact == typ.Label(Reported, false)) != typ.Symmetric {
				t.Errorf("%s reads %q from both ends, symmetric is %v", typ.Name, fact, typ.Symmetric)
			}
			seen := map[string]Status{}
			for _, s := range Statuses {
				label := typ.Label(s, inverse)
				if label == "" || leftover.MatchString(label) {
					t.Errorf("%s %s %v: %q", typ.Name, s, inverse, label)
				}
				if s != Reported && s != Confirmed {
					if label == fact {
						t.Errorf("%s %s %v: %q reads as a fact", typ.Name, s, inverse, label)
					}
					if other, dup := seen[label]; dup {
						t.Errorf("%s %v: %s and %s both read %q", typ.Name, inverse, s, other, label)
					}
					seen[label] = s
				}
			}
		}
		for _, s := range Statuses {
			if own, others := typ.Caption(s, true), typ.Caption(s, false); others != typ.Label(s, false) || (own == others) == (s == Claimed || s == Denied) {
				t.Errorf("%s %s: captions %q and %q", typ.Name, s, own, others)
			}
		}
		if label := typ.Label("RUMOURED", false); label == typ.Label(Reported, false) {
			t.Errorf("%s: an unknown status reads as a fact, %q", typ.Name, label)
		}
	}
	for _, c := range []struct {
		typ     string
		status  Status
		inverse bool
		want    string
	}{
		{"CONDEMNED", Reported, false, "condemned"},
		{"CONDEMNED", Confirmed, true, "was condemned by"},
		{"MET_WITH", Planned, false, "is to meet with"},
		{"MET_WITH", Planned, true, "is to meet with"},
		{"MET_WITH", Cancelled, false, "was to have met with"},
		{"SPOKE_WITH", Claimed, false, "is said to have spoken with"},
		{"STRUCK", Denied, true, "is said not to have been struck by"},
		{"STRUCK", Disputed, false, "is said by some to have struck"},
		{"VISITED", Reported, true, "was visited by"},
		{"LEADS", Reported, false, "leads"},
		{"LEADS", Confirmed, true, "is led by"},
		{"LEADS", Planned, false, "is to lead"},
		{"LEADS", Denied, false, "is said not to lead"},
		{"MEMBER_OF", Claimed, true, "is said to have as a member"},
	} {
		typ, ok := v.Lookup(c.typ)
		if !ok {
			t.Fatalf("no %s", c.typ)
		}
		if got := typ.Label(c.status, c.inverse); got != c.want {
			t.Errorf("%s %s %v: %q, want %q", c.typ, c.status, c.inverse, got, c.want)
		}
	}
	for _, c := range []struct {
		typ    string
		status Status
		self   bool
		want   string
	}{
		{"INTERCEPTED", Claimed, true, "claims to have intercepted"},
		{"INTERCEPTED", Claimed, false, "is said to have intercepted"},
		{"STRUCK", Denied, true, "denies having struck"},
		{"LEADS", Claimed, true, "claims to lead"},
		{"LEADS", Denied, true, "claims not to lead"},
		{"MET_WITH", Planned, true, "is to meet with"},
	} {
		typ, _ := v.Lookup(c.typ)
		if got := typ.Caption(c.status, c.self); got != c.want {
			t.Errorf("%s %s %v: %q, want %q", c.typ, c.status, c.self, got, c.want)
		}
	}
}

func TestVocabularyAllows(t *testing.T) {
	v := builtins(t)
	for _, c := range []struct {
		typ            string
		source, target Kind
		want           string // in the error; "" for none
	}{
		{"STRUCK", KindState, KindPlace, ""},
		{"STRUCK", KindUndecided, KindFacility, ""},
		{"STRUCK", KindState, KindInstrument, "must be a Person, a State, an Organization, a Group, an Undecided, a Facility or a Place"},
		{"MET_WITH", KindPerson, KindFacility, "the target of MET_WITH cannot be a Facility"},
		{"CONDEMNED", KindPerson, KindInstrument, ""},
		{"ENVOY_OF", KindPerson, KindState, ""},
		{"ENVOY_OF", KindUndecided, KindState, ""},
		{"ENVOY_OF", KindState, KindState, "the source of ENVOY_OF cannot be a State: it must be a Person or an Undecided"},
		{"CAPITAL_OF", KindPlace, KindState, ""},
		{"CAPITAL_OF", KindUndecided, KindState, "source of CAPITAL_OF"},
		{"PROPOSED", KindState, KindInstrument, ""},
	} {
		typ, _ := v.Lookup(c.typ)
		err := typ.Allows(c.source, c.target)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s from %s to %s: %v", c.typ, c.source, c.target, err)
		}
	}
	// A feed that does not know what its actors are can use every act.
	for _, typ := range v.Types() {
		if len(typ.CAMEO) > 0 {
			for _, s := range Kinds {
				if s.Actor() && typ.Allows(s, KindUndecided) != nil {
					t.Errorf("%s refuses %s to UNDECIDED", typ.Name, s)
				}
			}
		}
		for _, kinds := range [][]Kind{typ.Sources, typ.Targets} {
			if !slices.Equal(kinds, expandKinds(kinds)) {
				t.Errorf("%s: %v is not in order", typ.Name, kinds)
			}
		}
	}
}

func TestVocabularySelect(t *testing.T) {
	v := builtins(t)
	all := v.Select(nil, nil, "")
	if len(all) != len(v.Types()) || !slices.IsSorted(all) {
		t.Errorf("no filter: %v", all)
	}
	if got := v.Select([]string{}, nil, ""); got == nil || len(got) != 0 {
		t.Errorf("an empty list matches %v", got)
	}
	if got := v.Select(nil, []string{}, ""); len(got) != 0 {
		t.Errorf("an empty list matches %v", got)
	}
	if got := v.Select([]string{"STRUCK", "LEADS", "MET_WITH", "NONSENSE"}, nil, Act); !slices.Equal(got, []string{"MET_WITH", "STRUCK"}) {
		t.Errorf("acts: %v", got)
	}
	// COERCED has codes of two families, as has YIELDED_TO.
	if got := v.Select([]string{"COERCED", "YIELDED_TO", "STRUCK", "PRAISED", "INTERCEPTED"}, []string{"ASSAULT", "RETREAT"}, ""); !slices.Equal(got, []string{"COERCED", "INTERCEPTED", "STRUCK", "YIELDED_TO"}) {
		t.Errorf("families: %v", got)
	}
	// Whatever a code says, the type that it stands for is among those selected.
	for _, c := range v.cameo.Codes() {
		typ, _ := v.ByCAMEO(c.Code)
		if !slices.Contains(v.Select(nil, []string{v.Family(typ.Name, c.Code)}, Act), typ.Name) {
			t.Errorf("%s: %s is not selected by %s", c.Code, typ.Name, c.Family)
		}
	}
	if got := v.Offices(); !slices.Equal(got, []string{"ENVOY_OF", "HOLDS_OFFICE_IN", "HOLDS_POST", "LEADS", "MINISTER_OF", "SPEAKS_FOR"}) {
		t.Errorf("offices: %v", got)
	}
	if got := v.Roles(); !slices.Equal(got, []Role{Envoy, Leader, Spokesperson}) {
		t.Errorf("roles: %v", got)
	}
	if got := v.OfficesOf(Spokesperson); !slices.Equal(got, []string{"SPEAKS_FOR"}) {
		t.Errorf("spokespersons: %v", got)
	}
}

func TestVocabularyNearest(t *testing.T) {
	v := builtins(t)
	for name, want := range map[string]string{
		"MET_WIHT": "MET_WITH", "met with": "MET_WITH", "COMDEMNED": "CONDEMNED", "STRUK": "STRUCK", "SANCTION": "SANCTIONED", "NEGOTIATED": "NEGOTIATED_WITH",
	} {
		if got := v.Nearest(name, 3); len(got) == 0 || len(got) > 3 || got[0] != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
	for _, name := range []string{"", "XYLOPHONE_QUARTET", strings.Repeat("MET_WITH", 10000)} {
		if got := v.Nearest(name, 3); len(got) != 0 {
			t.Errorf("%.20q: %v", name, got)
		}
	}
}

const ownVocabulary = `
types:
  - name: FUNDED
    nature: act
    infinitive: fund
    past: funded
    passive: funded by
    targets: [entity, Person]
    family: aid
    goldstein: 6.5
    labels: {PLANNED: has promised money to}
    converseLabels: {PLANNED: was promised money by}
  - {name: TREASURER_OF, nature: standing, infinitive: keep the books of, present: keeps the books of, participle: kept the books of, passive: kept in the black by, sources: Person, targets: Organization, office: treasurer, exclusive: true}
  - {name: TWINNED_WITH, nature: standing, symmetric: true, infinitive: be twinned with, present: is twinned with, participle: been twinned with, sources: Place, targets: Place}
  # A finer act takes 194 from STRUCK, which is redefined without it.
  - {name: SHELLED, nature: act, infinitive: shell, past: shelled, passive: shelled by, targets: [Actor, Place], cameo: 194}
  - {name: STRUCK, nature: act, infinitive: hit, past: hit, passive: hit by, targets: [Actor, Facility, Place], cameo: [193, 195], family: null}
  - {name: LENT_TO, nature: act, inverse: BORROWED_FROM, infinitive: lend to, past: lent to, passive: lent to by}
  - {name: BORROWED_FROM, nature: act, inverse: LENT_TO, infinitive: borrow from, past: borrowed from, passive: borrowed from by}
`

func TestVocabularyExtend(t *testing.T) {
	base := builtins(t)
	v, ps := extendVocabulary(t, ownVocabulary)
	if ps != nil {
		t.Fatal(ps)
	}
	if _, ok := base.Lookup("FUNDED"); ok {
		t.Error("the built-in vocabulary changed")
	}
	if typ, _ := base.ByCAMEO("194"); typ.Name != "STRUCK" {
		t.Error("the built-in vocabulary changed")
	}
	for code, want := range map[string]string{"193": "STRUCK", "194": "SHELLED", "1941": "SHELLED", "195": "STRUCK"} {
		if typ, _ := v.ByCAMEO(code); typ.Name != want {
			t.Errorf("%s is %s, want %s", code, typ.Name, want)
		}
	}
	funded, _ := v.Lookup("FUNDED")
	if funded.Builtin || len(funded.Targets) != len(Kinds) || funded.Family != "AID" || funded.Label(Planned, false) != "has promised money to" ||
		funded.Label(Planned, true) != "was promised money by" || funded.Label(Denied, true) != "is said not to have been funded by" {
		t.Errorf("FUNDED: %+v", funded)
	}
	struck, _ := v.Lookup("STRUCK")
	if !struck.Builtin || struck.Label(Reported, true) != "was hit by" || struck.Family != "" || *struck.Goldstein != -10 {
		t.Errorf("STRUCK: %+v", struck)
	}
	if treasurer, _ := v.Lookup("TREASURER_OF"); !treasurer.Office || treasurer.Title != "treasurer" || !slices.Contains(v.Offices(), "TREASURER_OF") {
		t.Errorf("TREASURER_OF: %+v", treasurer)
	}
	// What callers do to what they passed in does not reach the vocabulary.
	types, err := ParseVocabulary("own.yaml", []byte(ownVocabulary))
	if err != nil {
		t.Fatal(err)
	}
	w, err := base.Extend(types)
	if err != nil {
		t.Fatal(err)
	}
	for i := range types {
		types[i].Sources[0], types[i].Targets[0] = "X", "Y"
		if types[i].Goldstein != nil {
			*types[i].Goldstein = 99
		}
		clear(types[i].Labels)
	}
	sameTypes(t, v, w)
	again, err := v.Extend(nil)
	if err != nil {
		t.Fatal(err)
	}
	sameTypes(t, v, again)
}

func TestVocabularyExtendFromCode(t *testing.T) {
	v, err := builtins(t).Extend([]RelationType{{Name: "TRUSTS", Nature: Standing, Verb: VerbForms{"trusts", "trust", "trusted"}, Converse: VerbForms{"is trusted by", "be trusted by", "been trusted by"}}})
	if err != nil {
		t.Fatal(err)
	}
	if typ, _ := v.Lookup("TRUSTS"); typ.Allows(KindUndecided, KindState) != nil || typ.Allows(KindPlace, KindState) == nil {
		t.Errorf("%+v", typ)
	}
	_, err = v.Extend([]RelationType{{Name: "TRUSTS", Nature: "MOOD", Sources: []Kind{"GHOST"}}})
	for _, want := range []string{`"MOOD" is no nature`, `"GHOST" is no kind`, "infinitive"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestVocabularyExtension(t *testing.T) {
	if ext := builtins(t).Extension(); ext != nil {
		t.Errorf("the built-in vocabulary has the extension\n%s", ext)
	}
	v, ps := extendVocabulary(t, ownVocabulary)
	if ps != nil {
		t.Fatal(ps)
	}
	back, ps := extendVocabulary(t, string(v.Extension()))
	if ps != nil {
		t.Fatalf("%v\n%s", ps, v.Extension())
	}
	sameTypes(t, v, back)
	if a, b := string(v.Extension()), string(back.Extension()); a != b {
		t.Errorf("not canonical:\n%s\n%s", a, b)
	}
	// A second file comes on top of the first, and the extension holds both.
	types, err := ParseVocabulary("more.yaml", []byte("types: [{name: OWED, nature: act, infinitive: owe, past: owed, passive: owed by}]"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := v.Extend(types)
	if err != nil {
		t.Fatal(err)
	}
	back, ps = extendVocabulary(t, string(more.Extension()))
	if ps != nil {
		t.Fatal(ps)
	}
	sameTypes(t, more, back)
}

func TestVocabularyReportsAllProblems(t *testing.T) {
	// The file is wrong in as many ways as fit.
	const text = `types:
  - name: met
    nature: acts
    infinitive: meet
    past: met
    passive: met by
  - name: FORMER
    nature: act
    infinitve: form
    past: formed
    passive: formed by
    sources: [Persn, Actor]
    cameo: [21, "057"]
    goldstein: 11
    exclusive: yes please
  - name: TRUSTS
    nature: standing
    infinitive: trust
    past: trusted
    participle: trusted
    symmetric: true
    inverse: LEADS
    role: leader
    targets: Place
    family: AIDD
    labels: {PLANED: is to trust, DENIED: "{{x}}"}
  - name: GREETED
    nature: act
    infinitive: greet
    past: greeted
    passive: greeted by
    labels: {PLANNED: greeted}
    past: hailed
    office: true
  - just text
  - name: GREETED
    nature: act
    infinitive: greet
    past: greeted
kinds: []
`
	_, ps := extendVocabulary(t, text)
	want := []string{
		`2:11: "met" cannot be the name`,
		`3:13: "ACTS" is no nature`,
		`7:11: FORMER is reserved`,
		`7:5: FORMER needs its infinitive`,
		`9:5: a relation type has no key "infinitve"; did you mean infinitive?`,
		`12:15: "Persn" is no kind of entity; did you mean Person?`,
		`13:13: "21" is no CAMEO code`,
		`14:16: 11 is no Goldstein value`,
		`15:16: exclusive is "yes please", but must be true or false`,
		`19:11: TRUSTS is a standing, which is written in the present`,
		`22:14: TRUSTS is symmetric, so it is its own inverse`,
		`23:11: TRUSTS gives a role but is no office`,
		`24:14: TRUSTS is symmetric, so either end can be the source`,
		`25:13: "AIDD" is no family`,
		`26:14: labels has no key "PLANED"; did you mean PLANNED?`,
		`26:43: "{{x}}" has one of { } < > %`,
		`32:23: a PLANNED relation would read as a fact with the label "greeted"`,
		`33:5: past occurs twice, first in line 30`,
		`34:13: office is the title of the office, not true`,
		`35:5: a relation type is "just text"`,
		`36:5: GREETED does not say how it reads from the target`,
		`36:11: GREETED is defined twice, first in line 27`,
		`40:1: a vocabulary file has no key "kinds"`,
	}
	got := make([]string, len(ps))
	for i, p := range ps {
		got[i] = p.Error()
	}
	// Each is there, and there is nothing else.
	for _, w := range want {
		w = "own.yaml:" + w
		i := slices.IndexFunc(got, func(g string) bool { return strings.HasPrefix(g, w) })
		if i < 0 {
			t.Errorf("missing: %s", w)
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
	for _, g := range got {
		t.Errorf("unexpected: %s", g)
	}
	if !slices.IsSortedFunc(ps, func(a, b Problem) int { return (a.Line-b.Line)*1000 + a.Column - b.Column }) {
		t.Error("not in the order of the file")
	}
}

func TestVocabularyRefuses(t *testing.T) {
	const forms = "infinitive: do, past: did, participle: done"
	for _, c := range []struct{ name, text, want string }{
		{"another nature", "types: [{name: MET_WITH, nature: standing, symmetric: true, infinitive: meet, present: meets, participle: met}]", "own.yaml:1:34: MET_WITH is an act"},
		{"another symmetry", "types: [{name: MET_WITH, nature: act, " + forms + ", passive: done by, cameo: 044}]", "own.yaml:1:9: MET_WITH is symmetric"},
		{"new symmetry", "types: [{name: STRUCK, nature: act, " + forms + ", symmetric: true, cameo: [193, 194, 195]}]", "STRUCK has a direction"},
		{"a code of another", "types: [{name: JAILED, nature: act, " + forms + ", passive: done by, cameo: 173}]", "the CAMEO code 173 stands for DETAINED already; leave it out, or redefine DETAINED"},
		{"a code below another's", "types: [{name: GASSED, nature: act, " + forms + ", passive: done by, cameo: 2041}]", "COMMITTED_MASS_VIOLENCE_AGAINST already"},
		{"a code of both", "types: [{name: JAILED, nature: act, " + forms + ", passive: done by, cameo: 173}, {name: DETAINED, nature: act, " + forms + ", passive: done by, cameo: 173}]", "take it from one of them"},
		{"codes of none", "types: [{name: APPEALED_TO, nature: act, " + forms + ", passive: done by}]", "without APPEALED_TO, the CAMEO codes 02, 020, 021"},
		{"an unknown inverse", "types: [{name: LENT, nature: act, " + forms + ", passive: done by, inverse: VISTED}]", "did you mean VISITED?"},
		{"a one-sided inverse", "types: [{name: LENT, nature: act, " + forms + ", passive: done by, inverse: VISITED}]", "write inverse: LENT in VISITED too"},
		{"an inverse left alone", "types: [{name: HOSTED, nature: act, " + forms + ", passive: done by, cameo: 043}]", "write inverse: VISITED in HOSTED too"},
		{"an inverse of itself", "types: [{name: LENT, nature: act, " + forms + ", passive: done by, inverse: LENT}]", "write symmetric: true instead"},
		{"a reserved name", "types: [{name: TOOK_PART_IN, nature: act, " + forms + ", passive: done by}]", "TOOK_PART_IN is reserved"},
		{"a short name", "types: [{name: X, nature: act, " + forms + ", passive: done by}]", "2 to 63"},
		{"a name to inject", "types: [{name: 'X`]->() DETACH DELETE n //', nature: act, " + forms + ", passive: done by}]", "cannot be the name"},
		{"a standing with a code", "types: [{name: OWED, nature: standing, infinitive: owe, present: owes, participle: owed, passive: owed by, cameo: 07}]", "stand for acts"},
		{"a role for states", "types: [{name: RULES, nature: standing, infinitive: rule, present: rules, participle: ruled, passive: ruled by, office: ruler, role: leader}]", "roles are labels of persons"},
		{"two documents", "types: []\n---\ntypes: []\n", "one YAML document"},
		{"no list", "types: {name: X}", "must be a list"},
		{"no mapping", "- name: X", "starts with types:"},
		{"no YAML", "types: [\n  {name: X\n", "own.yaml:"},
		{"a line break", "types: [{name: OWED, nature: act, infinitive: owe, past: \"ow\\ned\", passive: owed by}]", "line break"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, ps := extendVocabulary(t, c.text)
			if ps == nil || !strings.Contains(ps.Error(), c.want) {
				t.Errorf("want %q, got:\n%v", c.want, ps)
			}
			for _, p := range ps {
				if p.File != "own.yaml" || p.Line < 1 || p.Column < 1 {
					t.Errorf("no place: %#v", p)
				}
			}
		})
	}
	for _, text := range []string{"", "# nothing\n", "types:\n", "types: []\n", "---\n", "null"} {
		if v, ps := extendVocabulary(t, text); ps != nil {
			t.Errorf("%q: %v", text, ps)
		} else if v.Extension() != nil {
			t.Errorf("%q extends", text)
		}
	}
}

func TestVocabularyAliases(t *testing.T) {
	v, ps := extendVocabulary(t, "types:\n  - {name: LENT, nature: act, infinitive: lend, past: lent, passive: lent by, sources: &k [State, Person], targets: *k}\n")
	if ps != nil {
		t.Fatal(ps)
	}
	if typ, _ := v.Lookup("LENT"); !slices.Equal(typ.Targets, []Kind{KindPerson, KindState, KindUndecided}) {
		t.Errorf("%v", typ.Targets)
	}
	if _, ps := extendVocabulary(t, "types: &t\n  - *t\n"); ps == nil {
		t.Error("a list within itself was read")
	}
}

func FuzzParseVocabulary(f *testing.F) {
	f.Add([]byte(ownVocabulary))
	f.Add([]byte("types: &t [*t, {name: X, name: Y, labels: {DENIED: [a]}, converse: {past: 1}}]"))
	f.Add([]byte("types:\n- {<<: {name: AB}, nature: ACT, cameo: 1951, goldstein: .nan, office: ~}\n---\n"))
	f.Add([]byte("\x00{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		types, err := ParseVocabulary("own.yaml", text)
		if err != nil {
			var ps Problems
			if !errors.As(err, &ps) || len(ps) == 0 || err.Error() == "" {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		v, err := builtins(t).Extend(types)
		if err != nil {
			return
		}
		ext := v.Extension()
		types, err = ParseVocabulary("extension", ext)
		if err != nil {
			t.Fatalf("%v\n%s", err, ext)
		}
		back, err := builtins(t).Extend(types)
		if err != nil {
			t.Fatalf("%v\n%s", err, ext)
		}
		sameTypes(t, v, back)
		for _, typ := range v.Types() {
			for _, s := range Statuses {
				if typ.Label(s, false) == "" || typ.Label(s, true) == "" || typ.Caption(s, true) == "" {
					t.Fatalf("%s has no label", typ.Name)
				}
			}
		}
	})
}
