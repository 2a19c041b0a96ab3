package loader

import (
	"slices"
	"strings"
	"testing"
)

// TestTightQuotes: blanks around quotes do not count, and those within do.
func TestTightQuotes(t *testing.T) {
	for text, want := range map[string][]string{
		`1, "a b" ,"c"`:         {"1", "a b", "c"},
		`"a" , "b ""c"" , d" ,`: {"a", `b "c" , d`, ""},
		` "a"`:                  {"a"},
		`"a"	,b`:                {"a", "b"},
		`" a ", b `:             {" a ", " b "},
		`, "" ,`:                {"", "", ""},
		`"a" b,c`:               nil,
		`a "b",c`:               nil,
		`"a, "b"`:               nil,
	} {
		c := newCSVReader(strings.NewReader(""), &tableForm{delimiter: ',', quotes: true})
		if got, err := c.parse(text); !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	c := newCSVReader(strings.NewReader(""), &tableForm{delimiter: '\t', quotes: true})
	if got, err := c.parse("\t \"a\" \t\"\"\t"); err != nil || !slices.Equal(got, []string{"", "a", "", ""}) {
		t.Errorf("%q, %v", got, err)
	}
}
