package loader

import (
	"slices"
	"strings"
	"unicode"
)

// noValue is what databases and programs for statistics write where there is no
// value. The feeds themselves leave it empty, or have words of their own.
var noValue = []string{"NULL", `\N`, "nan", "NaN"}

// unquoted undoes what copies make of quotes within quotes: they are doubled or,
// in the tables of Dataverse, stand behind a backslash.
var unquoted = strings.NewReplacer(`""`, `"`, `\"`, `"`)

// tabFields are the fields of a line that are separated by tabs, without what
// stands for no value.
func tabFields(line string, missing ...string) []string {
	fields := strings.Split(line, "\t")
	for i, f := range fields {
		// Some copies put every field in quotes.
		if len(f) >= 2 && f[0] == '"' && f[len(f)-1] == '"' {
			f = unquoted.Replace(f[1 : len(f)-1])
		}
		if fields[i] = strings.TrimSpace(f); slices.Contains(missing, fields[i]) || slices.Contains(noValue, fields[i]) {
			fields[i] = ""
		}
	}
	return fields
}

// delimiters are what copies of feeds have between fields in the place of tabs.
const delimiters = ",;|"

// retabbed is a line with these fields, from which tabFields gets them back.
func retabbed(fields []string) string {
	var b strings.Builder
	for i, f := range fields {
		if i > 0 {
			b.WriteByte('\t')
		}
		f = strings.ReplaceAll(f, "\t", " ")
		if len(f) >= 2 && f[0] == '"' && f[len(f)-1] == '"' {
			f = `"` + strings.ReplaceAll(f, `"`, `\"`) + `"`
		}
		b.WriteString(f)
	}
	return b.String()
}

// delimitedLines puts tabs between the fields of the lines of one file, which
// has something else there. No feed has fields that go on over lines.
type delimitedLines struct {
	reader  csvReader
	begun   bool
	indexed bool // there is a column of numbers before the first, as pandas writes it
}

func newDelimitedLines(delimiter rune) *delimitedLines {
	return &delimitedLines{reader: csvReader{form: &tableForm{delimiter: delimiter, quotes: true}}}
}

// retab returns a line with tabs, or whether all its fields are empty, as
// spreadsheets leave rows, or what is wrong with it.
func (d *delimitedLines) retab(line string) (text string, empty bool, bad *Rejection) {
	line = strings.TrimPrefix(line, "\ufeff")
	fields, err := d.reader.parse(line)
	switch {
	case err != nil && strings.Count(line, `"`)%2 == 1:
		return line, false, &Rejection{Reason: "a quote is not closed in the same line; a row of a feed is one line"}
	case err != nil:
		return line, false, &Rejection{Reason: malformed(err)}
	case !slices.ContainsFunc(fields, func(f string) bool { return strings.TrimSpace(f) != "" }):
		return "", true, nil
	}
	if !d.begun {
		d.begun = true
		d.indexed = len(fields) > 2 && (fields[0] == "" || fields[0] == "Unnamed: 0") && fields[1] != "" && namesColumns(fields[1:])
	}
	if d.indexed {
		fields = fields[1:]
	}
	return retabbed(fields), false, nil
}

// retabbedLines are the first lines of a file as they would be with tabs between
// the fields, by which its format is known.
func retabbedLines(lines []string, delimiter rune) []byte {
	copied := newDelimitedLines(delimiter)
	var out []byte
	for _, line := range lines {
		text, _, _ := copied.retab(line)
		out = append(append(out, text...), '\n')
	}
	return out
}

// unpadded leaves out one empty column behind the last, as spreadsheets write it,
// where rows of that many columns are none, but those of one less are.
func unpadded(fields []string, wide func(columns int) bool) []string {
	if n := len(fields) - 1; n > 0 && fields[n] == "" && wide(n) && !wide(n+1) {
		return fields[:n]
	}
	return fields
}

// sameColumn reports whether two names of columns differ at most in case, and in
// what stands between their words: event_id and Event.ID are Event ID.
func sameColumn(a, b string) bool {
	if a == "" || b == "" || a[0]|0x20 != b[0]|0x20 {
		return a == b // as nearly always, since every row may be a header
	}
	plain := func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}
	return strings.Map(plain, a) == strings.Map(plain, b)
}

func sameColumns(a, b []string) bool { return slices.EqualFunc(a, b, sameColumn) }
