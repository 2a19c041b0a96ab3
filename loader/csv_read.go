package loader

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// csvRecord is one row of a table, as it is written.
type csvRecord struct {
	line   int
	fields []string // valid until the next one; nil where it is malformed
	text   string
	bad    *Rejection
	open   bool // it is the last one, and has no end of line
}

// csvReader reads the records of a table. One that is malformed costs its first
// line and nothing else: reading goes on with the next line. So a stray quote,
// which seems to open a field over many lines, swallows no rows.
type csvReader struct {
	lines  *lineReader
	form   *tableForm
	width  int // the number of columns; 0 while not known
	again  []csvLine
	parser *csv.Reader
	feed   bytes.Reader
}

type csvLine struct {
	number  int
	text    string
	tooLong bool
}

func newCSVReader(r io.Reader, form *tableForm) *csvReader {
	return &csvReader{lines: newLineReader(r), form: form}
}

func (c *csvReader) line() (csvLine, error) {
	if len(c.again) > 0 {
		l := c.again[0]
		c.again = c.again[1:]
		return l, nil
	}
	raw, tooLong, err := c.lines.next()
	if err != nil {
		return csvLine{}, err
	}
	return csvLine{c.lines.line, string(raw), tooLong}, nil
}

// next returns the next record, and io.EOF at the end.
func (c *csvReader) next() (csvRecord, error) {
	r, err := c.record()
	r.open = c.lines.open && len(c.again) == 0
	return r, err
}

// record skips rows in which every field is blank, however many there are, as
// spreadsheets leave them.
func (c *csvReader) record() (r csvRecord, err error) {
	for {
		r, err = c.row()
		if err != nil || c.width == 0 || !r.blank() {
			return r, err
		}
	}
}

// blank reports whether a row has fields, and nothing in them.
func (r *csvRecord) blank() bool {
	return len(r.fields) > 0 && !slices.ContainsFunc(r.fields, func(f string) bool { return strings.TrimSpace(f) != "" })
}

func (c *csvReader) row() (csvRecord, error) {
	first, err := c.line()
	for err == nil && strings.TrimSpace(first.text) == "" && !first.tooLong {
		first, err = c.line() // such as those at the ends of files
	}
	if err != nil {
		return csvRecord{}, err
	}
	r := csvRecord{line: first.number, text: first.text}
	switch {
	case first.tooLong:
		r.bad = &Rejection{Reason: fmt.Sprintf("the line is longer than %d bytes", maxFeedLine)}
	case !c.form.quotes:
		r.fields = strings.Split(first.text, string(c.form.delimiter))
		r.bad = c.misshapen(r.fields)
	case strings.Count(first.text, `"`)%2 == 0:
		if r.fields, err = c.parse(first.text); err != nil {
			r.bad = &Rejection{Reason: malformed(err)}
			if errors.Is(err, csv.ErrBareQuote) {
				r.bad.Reason += ", or write quotes: false in the mapping"
			}
		} else {
			r.bad = c.misshapen(r.fields)
		}
	default:
		return c.over(first)
	}
	return r, nil
}

// over reads a record that goes on over lines, to where its quotes are even.
// What it has read in vain is read again.
func (c *csvReader) over(first csvLine) (csvRecord, error) {
	r := csvRecord{line: first.number, text: first.text}
	text := []byte(first.text)
	var more []csvLine
	unclosed := func(why string) (csvRecord, error) {
		c.again = slices.Concat(more, c.again)
		r.bad = &Rejection{Reason: "a quote is opened here and not closed: " + why}
		return r, nil
	}
	for odd := true; odd; {
		l, err := c.line()
		if err == io.EOF {
			return unclosed("the file ends before")
		}
		if err != nil {
			return r, err
		}
		more = append(more, l)
		if l.tooLong || len(text)+1+len(l.text) > maxFeedLine {
			return unclosed(fmt.Sprintf("the row would be longer than %d bytes", maxFeedLine))
		}
		text = append(append(text, '\n'), l.text...)
		odd = odd == (strings.Count(l.text, `"`)%2 == 0)
	}
	fields, err := c.parse(string(text))
	switch {
	case err != nil:
		return unclosed("what follows is malformed as one field")
	case c.misshapen(fields) != nil:
		return unclosed(fmt.Sprintf("with the lines to %d the row %s", more[len(more)-1].number, c.misshapen(fields).Reason))
	}
	fields = slices.Clone(fields)
	for _, l := range more[:len(more)-1] {
		if c.width < 3 {
			break
		}
		if inner, err := c.parse(l.text); err == nil && len(inner) == c.width {
			return unclosed(fmt.Sprintf("the next quote is in line %d, and line %d between them is a row", more[len(more)-1].number, l.number))
		}
	}
	r.text, r.fields = string(text), fields
	return r, nil
}

func (c *csvReader) misshapen(fields []string) *Rejection {
	if c.width == 0 || len(fields) == c.width {
		return nil
	}
	return &Rejection{Reason: fmt.Sprintf("has %d columns, not %d", len(fields), c.width)}
}

func malformed(err error) string {
	if errors.Is(err, csv.ErrBareQuote) {
		return "there is a quote within a field that does not begin with one; put the field in quotes and double the quote in it"
	}
	return `there is text behind the quote that closes a field; a quote within quotes is doubled ("")`
}

// parse splits the text of one record. Blanks around a field do not count, be it in
// quotes or not.
func (c *csvReader) parse(text string) ([]string, error) {
	fields, err := c.split(text)
	if err != nil {
		if tight := tightQuotes(text, c.form.delimiter); tight != text {
			return c.split(tight)
		}
	}
	return fields, err
}

// tightQuotes leaves out the blanks between quotes around a field and the delimiters
// beside it.
func tightQuotes(text string, delimiter rune) string {
	blank := func(r rune) bool { return r == ' ' || r == '\t' && delimiter != '\t' }
	var b strings.Builder
	for rest := text; ; {
		// A field begins here.
		bare := strings.TrimLeftFunc(rest, blank)
		if !strings.HasPrefix(bare, `"`) {
			bare = rest
			if i := strings.IndexRune(bare, delimiter); i >= 0 {
				i += utf8.RuneLen(delimiter)
				b.WriteString(bare[:i])
				rest = bare[i:]
				continue
			}
			b.WriteString(bare)
			return b.String()
		}
		end := 1
		for end < len(bare) && (bare[end] != '"' || strings.HasPrefix(bare[end:], `""`)) {
			if bare[end] == '"' {
				end++
			}
			end++
		}
		if end >= len(bare) { // it is not closed
			return text
		}
		b.WriteString(bare[:end+1])
		rest = strings.TrimLeftFunc(bare[end+1:], blank)
		if rest == "" {
			return b.String()
		}
		if !strings.HasPrefix(rest, string(delimiter)) {
			return text
		}
		b.WriteRune(delimiter)
		rest = rest[utf8.RuneLen(delimiter):]
	}
}

func (c *csvReader) split(text string) ([]string, error) {
	c.feed.Reset([]byte(text + "\n"))
	if c.parser == nil {
		c.parser = csv.NewReader(&c.feed)
		c.parser.Comma, c.parser.FieldsPerRecord, c.parser.ReuseRecord = c.form.delimiter, -1, true
	}
	from := c.parser.InputOffset()
	fields, err := c.parser.Read()
	if err == nil && c.parser.InputOffset()-from != int64(len(text)+1) {
		err = csv.ErrQuote
	}
	if err != nil {
		c.parser = nil // it may hold the rest of what it could not read
		return nil, err
	}
	return fields, nil
}

// unfitCell finds what no field may have.
func unfitCell(text string) string {
	if !utf8.ValidString(text) {
		return "is not UTF-8"
	}
	for _, r := range text {
		if r < ' ' && r != '\t' && r != '\n' || r >= 0x7f && r < 0xa0 {
			return fmt.Sprintf("holds the control character U+%04X", r)
		}
	}
	return ""
}
