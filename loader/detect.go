package loader

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/graph"
)

// detect finds the format of a file, and what separates its fields, which the
// input keeps.
func detect(in *Input, formats []Format) (Format, error) {
	head, err := in.parts()[0].head()
	if err != nil {
		return nil, err
	}
	if utf16(head) {
		return nil, graph.Problems{{File: in.Name, Line: 1, Column: 1, Message: "the file is in UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"}}
	}
	named := len(formats) == 1
	for _, format := range formats {
		if !format.Detect(head) && !(named && wide(format, head)) {
			if in.delimiter = delimiterOf(format, head, named); in.delimiter == 0 {
				continue
			}
		}
		if format.Name() == "dataset" && mappingHead.Match(head) {
			return nil, graph.Problems{{File: in.Name, Line: 1, Column: 1, Message: "this is a mapping, which says what the rows of a table mean; name it by --mapping, and give the table as the file to load"}}
		}
		if format.Name() == "dataset" && !named && !datasetHead.Match(head) {
			what := meant(head)
			if page := markup(head); page != "" || isBinary(head) {
				what = noFormat(cmp.Or(page, "a binary file"))
			}
			if what != "" {
				return nil, graph.Problems{{File: in.Name, Line: 1, Column: 1, Message: what}}
			}
		}
		return format, nil
	}
	if len(head) == 0 && named {
		return nil, graph.Problems{{File: in.Name, Line: 1, Column: 1, Message: fmt.Sprintf("the file is empty; one of the format %s has rows", formats[0].Name())}}
	}
	message := noFormat(resembles(head))
	if named {
		message = fmt.Sprintf("this is not of the format %s; it looks like %s", formats[0].Name(), resembles(head))
		if spread := ftmSpread(string(head)); spread != "" && formats[0].Name() == (ftmFormat{}).Name() {
			message = spread
		}
	}
	return nil, graph.Problems{{File: in.Name, Line: 1, Column: 1, Message: message}}
}

// delimiterOf is what separates fields in a copy of a feed that was written with
// something else than tabs; 0 where the file is none.
func delimiterOf(format Format, head []byte, named bool) rune {
	of, ok := format.(tabbed)
	if !ok {
		return 0
	}
	copied := firstLines(head)
	for _, d := range delimiters {
		if len(copied) == 0 || strings.Count(copied[0], string(d)) <= strings.Count(copied[0], "\t") {
			continue
		}
		tabs := retabbedLines(copied, d)
		lines := firstLines(tabs)
		if len(lines) == 0 {
			continue
		}
		// Tables that are no feeds have such delimiters as a rule, so that one
		// line that could be of a feed is not enough.
		if named && (format.Detect(tabs) || wide(format, tabs)) ||
			strings.Count(lines[0], "\t") >= fewColumns && format.Detect(tabs) && of.begins(lines) {
			return d
		}
	}
	return 0
}

// fewColumns are as many as any table may have.
const fewColumns = 10

// mostGood reports whether most lines are rows, and the first is no header.
func mostGood(lines []string, good func(line string) bool) bool {
	if namesColumns(tabFields(lines[0])) {
		return false
	}
	n := 0
	for _, line := range lines {
		if good(line) {
			n++
		}
	}
	return 2*n > len(lines)
}

// tkgMeant says how a table is loaded that may be of the format tkg, but for what
// separates its fields.
func tkgMeant(head []byte, delimiter rune) string {
	if !(tkg{}).Detect(retabbedLines(firstLines(head), delimiter)) {
		return ""
	}
	return "; if its rows are events (subject, name of the CAMEO code, object, day), --format tkg loads it as it is"
}

func noFormat(what string) string {
	return fmt.Sprintf("this looks like %s, which is none of the formats that can be loaded (%s)", what, orList(FormatNames()))
}

// markup is what a text that begins as a page of the web looks like, "" for all else.
func markup(head []byte) string {
	text := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff"))))
	switch {
	case !bytes.HasPrefix(text, []byte("<")):
		return ""
	case bytes.Contains(text, []byte("<html")) || bytes.HasPrefix(text, []byte("<!doctype html")):
		return "a web page (HTML), such as servers send for what they do not have"
	}
	return "XML"
}

// isBinary reports whether a file is no text, not even in another encoding.
func isBinary(head []byte) bool {
	control := func(b rune) bool { return b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != '\f' }
	return bytes.IndexByte(head, 0) >= 0 || !utf8.Valid(wholeRunes(head)) && bytes.ContainsFunc(head, control)
}

// detectLines is among how many lines one is looked for that is of a format
// without a header.
const detectLines = 20

// firstLines are the first lines of a file that are not empty.
func firstLines(head []byte) (lines []string) {
	for line := range strings.Lines(strings.TrimPrefix(string(head), "\ufeff")) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
		if len(lines) == detectLines {
			break
		}
	}
	return lines
}

// firstLine is the first line that is not empty.
func firstLine(head []byte) string {
	if lines := firstLines(head); len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// wide reports whether a line has as many columns as rows of a format that
// needs no header. It is enough for a file of which people say that it is of it.
func wide(format Format, head []byte) bool {
	var of any = format
	if feed, ok := format.(feedFormat); ok {
		of = feed.rowFormat
	}
	bare, ok := of.(interface{ Wide(columns int) bool })
	return ok && slices.ContainsFunc(firstLines(head), func(line string) bool {
		columns := strings.Count(line, "\t") + 1
		return bare.Wide(columns) || strings.HasSuffix(line, "\t") && bare.Wide(columns-1)
	})
}

// utf16 reports whether a text is in UTF-16, with a mark of it at the beginning
// or without.
func utf16(head []byte) bool {
	if isUTF16(head) {
		return !bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")) // that is UTF-32
	}
	if len(head) < 8 {
		return false
	}
	var zero [2]int
	for i, b := range head[:8] {
		if b == 0 {
			zero[i%2]++
		}
	}
	return zero == [2]int{0, 4} || zero == [2]int{4, 0}
}

// resembles says what a file that is of no format looks like.
func resembles(head []byte) string {
	if len(head) == 0 {
		return "an empty file"
	}
	for _, kind := range []struct{ magic, what string }{
		{gzipMagic, "a gzip archive within another"}, {zstdMagic, "a zstd archive within another"},
		{zipMagic, "a zip archive within others, to be unpacked first"}, {"%PDF", "a PDF"}, {"SQLite format 3", "an SQLite database"},
	} {
		if bytes.HasPrefix(head, []byte(kind.magic)) {
			return kind.what
		}
	}
	if bytes.IndexByte(head, 0) >= 0 || !utf8.Valid(wholeRunes(head)) {
		return "a binary file"
	}
	if page := markup(head); page != "" {
		return page
	}
	for _, f := range Formats() {
		if f.Detect(head) && (f.Name() != "dataset" || datasetHead.Match(head)) {
			return f.Name()
		}
	}
	return "text of another sort"
}

// datasetHead is what data sets have, while any text may be meant for one.
var datasetHead = regexp.MustCompile(`(?m)^dataset[ \t]*:|"dataset"\s*:`)

// mappingHead is what mappings begin with, and data sets do not have.
var mappingHead = regexp.MustCompile(`(?m)^mapping[ \t]*:[ \t]*[0-9]|\A\s*\{(?:\s*"(?:\$schema|dataset|title)"\s*:\s*"[^"]*"\s*,)*\s*"mapping"\s*:`)

// wholeRunes leaves out the beginning of a character at the end, the rest of
// which was not read.
func wholeRunes(head []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(head); i++ {
		if last := head[len(head)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return head[:len(head)-i]
			}
			break
		}
	}
	return head
}

const carriageReturns = "the lines end in carriage returns alone, as on old Macs; end them in line feeds (tr '\\r' '\\n')"

// meant finds what a text that is of no format, and no data set either, is
// likely to be, and says what would be right. Without it, people would be told
// of mistakes in a data set that they never wrote.
func meant(head []byte) string {
	text := strings.TrimSpace(strings.TrimPrefix(string(wholeRunes(head)), "\ufeff"))
	if strings.Contains(text, "\r") && !strings.Contains(text, "\n") {
		return carriageReturns
	}
	if spread := ftmSpread(text); spread != "" {
		return spread
	}
	line, rest, _ := strings.Cut(text, "\n")
	second, _, _ := strings.Cut(rest, "\n")
	if strings.ContainsAny(line[:min(1, len(line))], "{[#%<-") || strings.Contains(line, ": ") && !strings.Contains(line, "\t") {
		return "" // so begin JSON, comments and YAML
	}
	if table := tableMeant(head); table != "" {
		return table
	}
	for _, delimiter := range "\t;,|" {
		n := strings.Count(line, string(delimiter))
		if n < 2 || second != "" && strings.Count(second, string(delimiter)) < 2 {
			continue
		}
		what := "separated by tabs"
		if delimiter != '\t' {
			what = fmt.Sprintf("separated by %q instead of tabs", delimiter)
		}
		return fmt.Sprintf("this looks like a table without a header, of %d columns, %s, which is of no format: gdelt has 57, 58 or 61 columns; icews has 20; "+
			"polecat has a header; tkg has 4, which are two names with a name between them and a day (YYYY-MM-DD); any other table needs a header and a mapping (docs/tables.md)%s", n+1, what, tkgMeant(head, delimiter))
	}
	return ""
}
