package loader

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"chancery/graph"
)

// template is a text with columns of a table in it: "person/{name|slug}". A
// backslash takes away what a brace, a bar or a backslash means.
type template []templatePart

// templatePart is a text, or a column with its filters.
type templatePart struct {
	text    string
	column  string // "" of a text
	offset  int    // of the column's name in the template, in bytes
	filters []filter
}

// filter changes a value.
type filter struct{ name, argument string }

// filterNames lists the filters; those that take an argument end in a colon.
var filterNames = []string{"slug", "lower", "upper", "line", "number", "before:", "after:", "or:"}

// parseTemplate reads a template. The offset is that of a mistake.
func parseTemplate(text string) (t template, offset int, problem string) {
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			t = append(t, templatePart{text: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\\':
			if i++; i == len(text) {
				return nil, i - 1, `there is nothing behind the last backslash; write \\ for a backslash`
			}
			literal.WriteByte(text[i])
		case '}':
			return nil, i, `there is a } without its {; write \} for a brace`
		case '{':
			flush()
			fields, end := braced(text, i+1)
			if end < 0 {
				return nil, i, `the { is not closed; write {column}, or \{ for a brace`
			}
			part, at, problem := parseColumn(fields, i+1)
			if problem != "" {
				return nil, at, problem
			}
			t = append(t, part)
			i = end
		default:
			literal.WriteByte(c)
		}
	}
	flush()
	return t, 0, ""
}

// span is a part of a template without its backslashes, and where it is.
type span struct {
	text string
	at   int
}

// braced reads what stands in braces, split at its bars, to the closing one.
// The end is negative where there is none.
func braced(text string, from int) (fields []span, end int) {
	var b strings.Builder
	at := from
	for i := from; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case c == '{':
			return nil, -1
		case c == '|' || c == '}':
			fields = append(fields, span{b.String(), at})
			if c == '}' {
				return fields, i
			}
			b.Reset()
			at = i + 1
		default:
			b.WriteByte(c)
		}
	}
	return nil, -1
}

func parseColumn(fields []span, start int) (p templatePart, offset int, problem string) {
	p = templatePart{column: strings.TrimSpace(fields[0].text), offset: start}
	if p.column == "" {
		return p, start, "there is no column between the braces; write {column}"
	}
	for _, f := range fields[1:] {
		name, argument, has := strings.Cut(f.text, ":")
		name = strings.TrimSpace(name)
		with := name + ":"
		switch {
		case slices.Contains(filterNames, name) && has:
			return p, f.at, fmt.Sprintf("the filter %s takes nothing behind a colon", name)
		case slices.Contains(filterNames, with) && (!has || argument == "" && name != "or"):
			return p, f.at, fmt.Sprintf("the filter %s needs a text behind a colon, such as %s:-", name, name)
		case slices.Contains(filterNames, name), slices.Contains(filterNames, with):
			p.filters = append(p.filters, filter{name, argument})
			continue
		}
		plain := make([]string, len(filterNames))
		for i, n := range filterNames {
			plain[i] = strings.TrimSuffix(n, ":")
		}
		hint := "there are " + strings.Join(plain, ", ")
		if near := graph.NearestWords(name, plain, 1); len(near) > 0 {
			hint = "did you mean " + near[0] + "?"
		}
		return p, f.at, fmt.Sprintf("there is no filter %q; %s", clip(name), hint)
	}
	return p, 0, ""
}

// column is the first column of a template, "" where it has none.
func (t template) column() string {
	for _, p := range t {
		if p.column != "" {
			return p.column
		}
	}
	return ""
}

// constant is the text of a template without columns.
func (t template) constant() (string, bool) {
	text := ""
	for _, p := range t {
		if p.column != "" {
			return "", false
		}
		text += p.text
	}
	return text, true
}

// fill puts the values of a row into the template. Where a column has none,
// the whole is empty, and lacking names the column.
func (t template) fill(r *tableRow) (text, lacking string, bad *Rejection) {
	if len(t) == 1 && t[0].column == "" {
		return t[0].text, "", nil
	}
	var b strings.Builder
	for i := range t {
		p := &t[i]
		if p.column == "" {
			b.WriteString(p.text)
			continue
		}
		value, _, bad := p.value(r)
		if bad != nil {
			return "", "", bad
		}
		if value == "" {
			return "", p.column, nil
		}
		if len(t) == 1 {
			return value, "", nil
		}
		b.WriteString(value)
	}
	return b.String(), "", nil
}

// value is what a row has in the column of a part, and the decimal mark that a
// number in it has: the table's, or a point where it was written anew or comes
// from the mapping.
func (p *templatePart) value(r *tableRow) (value, decimal string, bad *Rejection) {
	value, decimal = r.get(p.column), r.form.decimal
	for _, f := range p.filters {
		before := value
		if value, bad = f.apply(value, decimal); bad != nil {
			bad.Column = p.column
			return "", "", bad
		}
		if f.name == "number" || f.name == "or" && before == "" {
			decimal = "."
		}
	}
	return value, decimal, nil
}

// pointed is what fill gives where it is a number, with a point for the decimal
// mark. A text without columns is in no table, and has one already.
func (t template) pointed(r *tableRow) (string, *Rejection) {
	if text, ok := t.constant(); ok {
		return text, nil
	}
	var b strings.Builder
	for i := range t {
		p := &t[i]
		if p.column == "" { // either mark, as it stands between parts of a number
			b.WriteString(strings.Replace(p.text, r.form.decimal, ".", 1))
			continue
		}
		value, decimal, bad := p.value(r)
		if bad == nil {
			value, bad = withPoint(value, decimal)
		}
		if bad != nil {
			return "", bad
		}
		b.WriteString(value)
	}
	return b.String(), nil
}

func (f filter) apply(value, decimal string) (string, *Rejection) {
	if value == "" {
		if f.name == "or" {
			return f.argument, nil
		}
		return "", nil
	}
	switch f.name {
	case "slug":
		words := graph.Words(value)
		if len(words) == 0 {
			return "", &Rejection{Reason: fmt.Sprintf("%q has neither a letter nor a digit, so no part of an id can be made from it", clip(value))}
		}
		return strings.Join(words, "-"), nil
	case "lower":
		return strings.ToLower(value), nil
	case "upper":
		return strings.ToUpper(value), nil
	case "line":
		return strings.Join(strings.Fields(value), " "), nil
	case "number":
		plain, bad := withPoint(value, decimal)
		if bad == nil {
			_, bad = parseNumber(plain, value)
		}
		if bad != nil {
			return "", bad
		}
		return plain, nil
	case "before":
		head, _, _ := strings.Cut(value, f.argument)
		return strings.TrimSpace(head), nil
	case "after":
		_, tail, _ := strings.Cut(value, f.argument)
		return strings.TrimSpace(tail), nil
	}
	return value, nil // or
}

// withPoint writes a point for another decimal mark. A point in such a number
// would be one between thousands.
func withPoint(text, decimal string) (string, *Rejection) {
	if decimal != "." && strings.Contains(text, ".") {
		return "", &Rejection{Reason: fmt.Sprintf("%q is not a number with the decimal mark %q", clip(text), decimal)}
	}
	return strings.Replace(text, decimal, ".", 1), nil
}

// parseNumber reads a number with a decimal point. Messages show it as written.
func parseNumber(plain, written string) (float64, *Rejection) {
	n, err := strconv.ParseFloat(plain, 64)
	if err != nil || !plainNumber(plain) {
		return 0, &Rejection{Reason: fmt.Sprintf("%q is not a number", clip(written))}
	}
	return n + 0, nil // not -0
}

// plainNumber reports whether a text has nothing but what decimal numbers have:
// Go also reads 0x1p-2, 1_000, Inf and NaN.
func plainNumber(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return false
		}
	}
	return true
}

// datePattern is a way to write dates: YYYY, MM, M, DD and D, and what stands
// between them.
type datePattern struct {
	text   string
	tokens []string // "Y", "MM", "M", "DD", "D", or a literal
}

// patternEDTF takes dates as they are.
const patternEDTF = "EDTF"

func parsePattern(text string) (p datePattern, problem string) {
	p.text = text
	if text == patternEDTF {
		return p, ""
	}
	counts := map[byte]int{}
	for rest := text; rest != ""; {
		c := rest[0]
		n := 1
		for n < len(rest) && rest[n] == c {
			n++
		}
		switch {
		case c == 'Y' && n == 4, (c == 'M' || c == 'D') && n <= 2:
			counts[c]++
			p.tokens = append(p.tokens, rest[:n])
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			return p, fmt.Sprintf("%q is no pattern of dates: it is made of YYYY, MM or M, DD or D and what stands between them, as in DD.MM.YYYY; or it is EDTF", clip(text))
		default:
			_, n = utf8.DecodeRuneInString(rest)
			p.tokens = append(p.tokens, rest[:n])
		}
		rest = rest[n:]
	}
	switch {
	case counts['Y'] != 1 || counts['M'] > 1 || counts['D'] > 1:
		return p, fmt.Sprintf("the pattern %q must have YYYY once, and MM (or M) and DD (or D) at most once", clip(text))
	case counts['D'] > counts['M']:
		return p, fmt.Sprintf("the pattern %q has a day without its month", clip(text))
	}
	for i := 0; i+1 < len(p.tokens); i++ {
		if t := p.tokens[i]; (t == "M" || t == "D") && strings.Contains("YYYYMMDD", p.tokens[i+1]) {
			return p, fmt.Sprintf("in the pattern %q nothing tells where %s ends; write %s%s, or something between", clip(text), t, t, t)
		}
	}
	return p, ""
}

// read gives the date in EDTF. It does not check whether there is such a day.
func (p datePattern) read(text string) (edtf string, ok bool) {
	if p.tokens == nil {
		return text, true
	}
	var year, month, day string
	for _, t := range p.tokens {
		least, most := len(t), len(t)
		var into *string
		switch t {
		case "YYYY":
			into = &year
		case "MM", "M":
			into, most = &month, 2
		case "DD", "D":
			into, most = &day, 2
		default:
			if !strings.HasPrefix(text, t) {
				return "", false
			}
			text = text[len(t):]
			continue
		}
		n := 0
		for n < len(text) && n < most && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		if n < least {
			return "", false
		}
		*into, text = text[:n], text[n:]
	}
	if text != "" {
		return "", false
	}
	edtf = year
	for _, part := range []string{month, day} {
		if part != "" {
			edtf += "-" + strings.Repeat("0", 2-len(part)) + part
		}
	}
	return edtf, true
}
