package loader

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"chancery/graph"
)

// detect finds the format of a file.
func detect(in Input, formats []Format) (Format, error) {
	f, err := in.Open()
	if err != nil {
		return nil, unreadable(in.Name, err)
	}
	defer f.Close()
	head := make([]byte, headBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, unreadable(in.Name, err)
	}
	head = head[:n]
	for _, format := range formats {
		if !format.Detect(head) {
			continue
		}
		if format.Name() == "dataset" && len(formats) > 1 && !datasetHead.Match(head) {
			if what := meant(head); what != "" {
				return nil, graph.Problems{{File: in.Name, Line: 1, Column: 1, Message: what}}
			}
		}
		return format, nil
	}
	if n == 0 && len(formats) == 1 {
		return nil, graph.Problems{{File: in.Name, Line: 1, Column: 1, Message: fmt.Sprintf("the file is empty; one of the format %s has rows", formats[0].Name())}}
	}
	message := fmt.Sprintf("this looks like %s, which is none of the formats that can be loaded (%s)", resembles(head), orList(FormatNames()))
	if len(formats) == 1 {
		message = fmt.Sprintf("this is not of the format %s; it looks like %s", formats[0].Name(), resembles(head))
	}
	return nil, graph.Problems{{File: in.Name, Line: 1, Column: 1, Message: message}}
}

// resembles says what a file that is of no format looks like.
func resembles(head []byte) string {
	if len(head) == 0 {
		return "an empty file"
	}
	for _, kind := range []struct{ magic, what string }{
		{"\x1f\x8b", "a gzip archive within another"}, {"\x28\xb5\x2f\xfd", "a zstd archive within another"},
		{"PK\x03\x04", "a zip archive or an office document"}, {"%PDF", "a PDF"}, {"SQLite format 3", "an SQLite database"},
	} {
		if bytes.HasPrefix(head, []byte(kind.magic)) {
			return kind.what
		}
	}
	if bytes.IndexByte(head, 0) >= 0 || !utf8.Valid(wholeRunes(head)) {
		return "a binary file"
	}
	if gdeltMention(head) {
		return gdeltMentionsTable
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

// meant finds what a text that is of no format, and no data set either, is
// likely to be, and says what would be right. Without it, people would be told
// of mistakes in a data set that they never wrote.
func meant(head []byte) string {
	text := strings.TrimSpace(strings.TrimPrefix(string(wholeRunes(head)), "\ufeff"))
	if gdeltMention(head) {
		return "this is " + gdeltMentionsTable + " (*.export.CSV)"
	}
	if strings.Contains(text, "\r") && !strings.Contains(text, "\n") {
		return "the lines end in carriage returns alone, as on old Macs; end them in line feeds (tr '\\r' '\\n')"
	}
	if (strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{")) && strings.Contains(text, `"schema"`) && strings.Contains(text, `"properties"`) {
		return "this looks like entities of FollowTheMoney, of which there must be one in each line: jq -c '.[]?' for a list, jq -c . for objects over several lines"
	}
	line, rest, _ := strings.Cut(text, "\n")
	second, _, _ := strings.Cut(rest, "\n")
	if strings.ContainsAny(line[:min(1, len(line))], "{[#%<-") || strings.Contains(line, ": ") && !strings.Contains(line, "\t") {
		return "" // so begin JSON, comments and YAML
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
			"polecat has a header; tkg has 4, which are two names with a name between them and a day (YYYY-MM-DD); any other table needs a header and a mapping (docs/tables.md)", n+1, what)
	}
	return ""
}
