package loader

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

// FuzzRetabbed: fields survive being put between tabs, but for what no field of
// a line with tabs can have: blanks around it, and ends of lines within.
func FuzzRetabbed(f *testing.F) {
	f.Add("a,\"b, c\",\"\"\"d\"\"\",\n\"e\nf\",\" g\",\"\"\"\"\"\",NULL\r\nx,\"y\n", uint8(0))
	f.Add("\ufeffa;b;\"c\td\"\n\n;;\n", uint8(1))
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		form := &tableForm{delimiter: rune(delimiters[int(which)%len(delimiters)]), quotes: true}
		r := newCSVReader(strings.NewReader(text), form)
		for {
			record, err := r.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if record.fields == nil {
				continue
			}
			want := slices.Clone(record.fields)
			for i, field := range want {
				field = strings.TrimSpace(strings.Map(func(r rune) rune {
					if strings.ContainsRune("\t\r\n", r) {
						return ' '
					}
					return r
				}, field))
				if slices.Contains(noValue, field) {
					field = ""
				}
				want[i] = field
			}
			line := retabbed(record.fields)
			if strings.Contains(line, "\n") {
				t.Fatalf("%q", line)
			}
			// What is not UTF-8 is no row.
			if got := tabFields(line); unfit(line, false) == nil && !slices.Equal(got, want) {
				t.Fatalf("%q became %q", want, got)
			}
		}
		// The beginning of a file has as many lines as before.
		if got, want := bytes.Count(retabbedHead([]byte(text), form.delimiter), []byte("\n")), len(slices.Collect(strings.Lines(text))); got != want {
			t.Fatalf("%d lines became %d", want, got)
		}
	})
}
