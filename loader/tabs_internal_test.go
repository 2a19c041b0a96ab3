package loader

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// FuzzRetabbed: fields survive being put between tabs, but for what no field of
// a line with tabs can have: blanks around it, and tabs within.
func FuzzRetabbed(f *testing.F) {
	f.Add("a,\"b, c\",\"\"\"d\"\"\",\n\"e\nf\",\" g\",\"\"\"\"\"\",NULL\r\nx,\"y\n", uint8(0))
	f.Add("\ufeffa;b;\"c\td\"\n\n;;\n", uint8(1))
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		delimiter := rune(delimiters[int(which)%len(delimiters)])
		copied, parser := newDelimitedLines(delimiter), newDelimitedLines(delimiter)
		copied.begun = true // no column is left out
		lines := strings.Split(text, "\n")
		for _, line := range lines {
			if unfit(line, false) != nil {
				continue // which is no row with tabs either
			}
			line = strings.TrimPrefix(line, "\ufeff")
			fields, err := parser.reader.parse(line)
			want, none := slices.Clone(fields), true
			for i, field := range want {
				want[i] = strings.TrimSpace(strings.ReplaceAll(field, "\t", " "))
				none = none && want[i] == ""
				if slices.Contains(noValue, want[i]) {
					want[i] = ""
				}
			}
			got, empty, bad := copied.retab(line)
			switch {
			case (bad != nil) != (err != nil) || empty != (err == nil && none):
				t.Fatalf("%q: %v, %v, %v", line, err, bad, empty)
			case bad == nil && !empty && !slices.Equal(tabFields(got), want):
				t.Fatalf("%q became %q", want, tabFields(got))
			case unfit(got, false) != nil:
				t.Fatalf("%q", got)
			}
		}
		// The beginning of a file has as many lines as before.
		if got := bytes.Count(retabbedLines(lines, delimiter), []byte("\n")); got != len(lines) {
			t.Fatalf("%d lines became %d", len(lines), got)
		}
	})
}

// TestUnquoted: quotes within quotes are doubled, or stand behind a backslash.
func TestUnquoted(t *testing.T) {
	const name = `Joaquín "El Chapo" Guzmán`
	for _, text := range []string{name, `"Joaquín ""El Chapo"" Guzmán"`, `"Joaquín \"El Chapo\" Guzmán"`, retabbed([]string{name})} {
		if got := tabFields(text); len(got) != 1 || got[0] != name {
			t.Errorf("%s became %q", text, got)
		}
	}
}
