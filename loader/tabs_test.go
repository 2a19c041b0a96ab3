package loader_test

import (
	"strings"
	"testing"

	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/google/go-cmp/cmp"
)

// fields changes the fields of a table that are separated by tabs.
func fields(text string, change func(line int, field string) string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		row := strings.Split(line, "\t")
		for j := range row {
			row[j] = change(i, row[j])
		}
		lines[i] = strings.Join(row, "\t")
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestTabs: feeds that went through a database, a spreadsheet or a program for
// statistics say what they said before.
func TestTabs(t *testing.T) {
	tkgText := "subject\tevent\tobject\tdate\n" + tkgRows(0, 30)
	for _, c := range []struct {
		format, text, empty string
		rejected            int
	}{
		{"icews", icewsText, "NA", 0}, {"gdelt", gdeltText, "", 0}, {"polecat", polecatText(t), "None", 1}, {"tkg", tkgText, "?", 0},
	} {
		loaded := func(name, text string) exports {
			store := every.SQLite(t)
			result := loadFiles(t, store, loader.Options{}, write(t, "file", text))
			if got := result.Loads[0]; got.Dataset != c.format || got.Rows.Rejected != c.rejected || got.Rows.Created == 0 {
				t.Errorf("%s, %s: %s, %+v", c.format, name, got.Dataset, got.Rows)
			}
			return export(t, store, loader.ExportOptions{})
		}
		want := loaded("as it comes", c.text)
		missing := func(text string) func(int, string) string {
			return func(_ int, field string) string {
				if field == c.empty {
					return text
				}
				return field
			}
		}
		quoted := func(_ int, field string) string { return `"` + strings.ReplaceAll(field, `"`, `""`) + `"` }
		header := func(change func(string) string) func(int, string) string {
			return func(line int, field string) string {
				if line == 0 && c.format != "gdelt" { // whose text has none
					return change(field)
				}
				return field
			}
		}
		for name, change := range map[string]func(int, string) string{
			"NULL": missing("NULL"), `\N`: missing(`\N`), "nan": missing("nan"), "NaN": missing("NaN"), "quoted": quoted,
			"lower case": header(strings.ToLower), "upper case": header(strings.ToUpper),
			"underscores": header(func(f string) string { return strings.ToLower(strings.ReplaceAll(f, " ", "_")) }),
			"points":      header(func(f string) string { return strings.ReplaceAll(f, " ", ".") }),
		} {
			if diff := cmp.Diff(want.texts, loaded(name, fields(c.text, change)).texts); diff != "" {
				t.Errorf("%s, %s: %s", c.format, name, diff)
			}
		}
	}
}

// TestUnspecifiedActor: whom ICEWS does not name is nobody in particular, so that
// no path runs through it.
func TestUnspecifiedActor(t *testing.T) {
	named := "Ada Lund\tElite,Government\tNorway"
	row := strings.Split(icewsText, "\n")[1]
	if !strings.Contains(row, named) {
		t.Fatal(row)
	}
	for format, text := range map[string]string{
		"icews": icewsHeader + strings.Replace(row, named, "Unspecified Actor\tUnspecified\tNA", 1) + "\n",
		"tkg":   "Unspecified_Actor\tConsult\tSweden\t2018-06-01\nUnspecified Actor\tConsult\tunspecified actor\t2018-06-01\n",
	} {
		store := every.SQLite(t)
		result := loadFiles(t, store, loader.Options{}, write(t, "file", text))
		rows := rowsAddUp(t, result)
		if rows.Created != 1 || rows.Rejected != rows.Read-1 {
			t.Errorf("%s: %+v", format, rows)
		}
		if got := export(t, store, loader.ExportOptions{}).texts[format]; !strings.Contains(got, `"`+loader.UnattributedID+`"`) || strings.Contains(got, "nspecified") {
			t.Errorf("%s: %s", format, got)
		}
	}
}
