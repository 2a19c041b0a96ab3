package graph

import (
	"cmp"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

//go:embed cameo.csv
var cameoCSV string

// CAMEOCode is one code of the CAMEO event ontology.
type CAMEOCode struct {
	Code      string  // two to four digits, as text: the leading zero counts
	Name      string  // what the code stands for, in sentence case
	Goldstein float64 // Goldstein scale value, in [-10, 10]
	Family    string  // PLOVER event class, or [FamilyComment]
}

// FamilyComment is the family of public statements (CAMEO 01), for which PLOVER
// has no event class.
const FamilyComment = "COMMENT"

// CAMEO is the read-only table of CAMEO codes.
type CAMEO struct {
	codes  []CAMEOCode // by code
	byCode map[string]int
	byName map[string]int
}

// LoadCAMEO returns the table that is embedded in the binary. It is parsed once.
func LoadCAMEO() (*CAMEO, error) { return loadCAMEO() }

var loadCAMEO = sync.OnceValues(func() (*CAMEO, error) { return parseCAMEO("cameo.csv", cameoCSV) })

func parseCAMEO(name, text string) (*CAMEO, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], []string{"code", "name", "goldstein", "family"}) {
		return nil, fmt.Errorf("%s: the first line must be code,name,goldstein,family", name)
	}
	t := &CAMEO{byCode: make(map[string]int, len(rows)), byName: make(map[string]int, len(rows))}
	var errs []error
	for i, row := range rows[1:] {
		g, err := strconv.ParseFloat(row[2], 64)
		switch {
		case !ValidCAMEO(row[0]):
			err = errors.New("not a CAMEO code")
		case err == nil && !(g >= -10 && g <= 10):
			err = errors.New("a Goldstein value lies in [-10, 10]")
		case !slices.Contains(families[:], row[3]):
			err = errors.New("unknown family")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %q: %w", name, i+2, row, err))
			continue
		}
		t.codes = append(t.codes, CAMEOCode{Code: row[0], Name: row[1], Goldstein: g, Family: row[3]})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(t.codes, func(a, b CAMEOCode) int { return cmp.Compare(a.Code, b.Code) })
	for i, c := range t.codes {
		if _, dup := t.byCode[c.Code]; dup {
			return nil, fmt.Errorf("%s: the code %s occurs twice", name, c.Code)
		}
		t.byCode[c.Code] = i
		// "CONSULT" names both 04 and 040. A feed that gives names means the
		// three-digit code: roots are headings.
		fold := foldCAMEOName(c.Name)
		if old, dup := t.byName[fold]; !dup || len(t.codes[old].Code) == 2 {
			t.byName[fold] = i
		}
	}
	return t, nil
}

// families are the values of the family column and of relation types: the
// event classes of PLOVER, and FamilyComment.
var families = [...]string{
	"ACCUSE", "AGREE", "AID", "ASSAULT", "COERCE", FamilyComment, "CONCEDE", "CONSULT", "COOPERATE", "MOBILIZE",
	"PROTEST", "REJECT", "REQUEST", "RETREAT", "SANCTION", "SUPPORT", "THREATEN",
}

// ValidCAMEO reports whether the text has the form of a CAMEO code: a root from
// 01 to 20 and up to two further digits.
func ValidCAMEO(code string) bool {
	if len(code) < 2 || len(code) > 4 {
		return false
	}
	for i := range len(code) {
		if code[i] < '0' || code[i] > '9' {
			return false
		}
	}
	return code[:2] >= "01" && code[:2] <= "20"
}

// Codes lists all codes in their order.
func (t *CAMEO) Codes() []CAMEOCode { return slices.Clone(t.codes) }

// Lookup returns what the table has for exactly this code.
func (t *CAMEO) Lookup(code string) (CAMEOCode, bool) {
	i, ok := t.byCode[code]
	if !ok {
		return CAMEOCode{}, false
	}
	return t.codes[i], true
}

// Nearest returns the code itself or, for a code of another edition of CAMEO
// (GDELT's 1951, "employ precision-guided munitions"), the code above it.
func (t *CAMEO) Nearest(code string) (CAMEOCode, bool) {
	if !ValidCAMEO(code) {
		return CAMEOCode{}, false
	}
	for ; len(code) >= 2; code = code[:len(code)-1] {
		if c, ok := t.Lookup(code); ok {
			return c, true
		}
	}
	return CAMEOCode{}, false
}

// ByName finds a code by its name, whatever its case, spacing and punctuation:
// feeds spell the names in several ways.
func (t *CAMEO) ByName(name string) (CAMEOCode, bool) {
	i, ok := t.byName[foldCAMEOName(name)]
	if !ok {
		return CAMEOCode{}, false
	}
	return t.codes[i], true
}

func foldCAMEOName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
