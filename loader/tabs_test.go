package loader_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chancery/graph/storetest"
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
		escaped := func(_ int, field string) string { return `"` + strings.ReplaceAll(field, `"`, `\"`) + `"` }
		header := func(change func(string) string) func(int, string) string {
			return func(line int, field string) string {
				if line == 0 && c.format != "gdelt" { // whose text has none
					return change(field)
				}
				return field
			}
		}
		for name, change := range map[string]func(int, string) string{
			"NULL": missing("NULL"), `\N`: missing(`\N`), "nan": missing("nan"), "NaN": missing("NaN"), "quoted": quoted, "Dataverse": escaped,
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

// delimited writes a table with tabs as spreadsheets and databases do.
func delimited(t testing.TB, text string, delimiter rune) string {
	t.Helper()
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = delimiter
	for line := range strings.Lines(text) {
		if err := w.Write(strings.Split(strings.TrimSuffix(line, "\n"), "\t")); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	return b.String()
}

// TestDelimited: feeds with commas, semicolons or bars between fields say what
// they say with tabs.
func TestDelimited(t *testing.T) {
	// What has the delimiters in it, and quotes.
	awkward := func(text string) string {
		return strings.ReplaceAll(text, "The Daily", `"The", Daily; a|b "x" c`)
	}
	for _, c := range []struct{ format, text, before string }{
		{"icews", awkward(icewsText), ""}, {"gdelt", gdeltText, ""}, {"gdelt-mentions", mentionText, gdeltText}, {"polecat", polecatText(t), ""}, {"tkg", tkgRows(0, 30), ""},
	} {
		loaded := func(text string) (loader.Rows, exports) {
			t.Helper()
			store := every.SQLite(t)
			if c.before != "" {
				loadFiles(t, store, loader.Options{}, write(t, "before", c.before))
			}
			var o loader.Options
			if c.format == "tkg" { // few columns are in many tables
				o.Format = c.format
			}
			result := loadFiles(t, store, o, write(t, "file", text))
			if again := loadFiles(t, store, o, write(t, "file", text)); again.Changes() != 0 {
				t.Errorf("%s: loaded twice, it changes %d things", c.format, again.Changes())
			}
			return rowsAddUp(t, result), export(t, store, loader.ExportOptions{})
		}
		rows, want := loaded(c.text)
		if rows.Created == 0 {
			t.Fatalf("%s: %+v", c.format, rows)
		}
		for _, delimiter := range ",;|" {
			text := delimited(t, c.text, delimiter)
			for name, text := range map[string]string{"as it is": text, "with a mark and DOS lines": "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")} {
				got, what := loaded(text)
				if diff := cmp.Diff(rows, got); diff != "" {
					t.Errorf("%s with %q, %s: %s", c.format, delimiter, name, diff)
				}
				if diff := cmp.Diff(want.texts, what.texts); diff != "" {
					t.Errorf("%s with %q, %s: %s", c.format, delimiter, name, diff)
				}
			}
		}
	}
}

// TestDelimitedRejects: bad rows of such a file are listed as they stand in it.
func TestDelimitedRejects(t *testing.T) {
	lines := strings.SplitAfter(delimited(t, icewsText, ','), "\n")
	for i, mangled := range []string{
		strings.Replace(lines[1], "2018-06-01", "1 June, 2018", 1), // one field more
		strings.Replace(lines[1], "2018-06-01", `"1 June, 2018"`, 1),
		strings.Replace(lines[1], "Consult", `"Consult`, 1),
		strings.Replace(lines[1], "Oslo", "\x00slo", 1),
		strings.Replace(lines[1], "Oslo", "\xffslo", 1),
		strings.Replace(lines[1], "Oslo", `O"sl"o`, 1),
	} {
		want := []string{"3,,has 21 columns, not 20", "3,Event Date,", "3,,a quote is not closed in the same line", "3,,the line holds the control character U+0000", "3,,the line is not UTF-8", "3,,there is a quote within a field"}[i]
		var rejects bytes.Buffer
		text := lines[0] + lines[1] + mangled + lines[3] + lines[5]
		file := write(t, "file", text)
		result := loadFiles(t, storetest.NewOracle(), loader.Options{Rejects: &rejects}, file)
		if rows := rowsAddUp(t, result); rows.Read != 4 || rows.Rejected != 1 {
			t.Errorf("%q: %+v", mangled, rows)
		}
		list, err := csv.NewReader(&rejects).ReadAll()
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		if got := strings.Join(list[1][1:4], ","); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, not %s", mangled, got, want)
		}
		if row := strings.ToValidUTF8(strings.TrimSuffix(mangled, "\n"), "\ufffd"); list[1][4] != row {
			t.Errorf("%q is listed as %q", row, list[1][4])
		}
	}
	var rejects bytes.Buffer
	mentions := delimited(t, mentionText, ',')
	loadFiles(t, storetest.NewOracle(), loader.Options{Rejects: &rejects}, write(t, "events", gdeltText), write(t, "mentions", mentions))
	list, err := csv.NewReader(&rejects).ReadAll()
	if err != nil || len(list) != 4 {
		t.Fatal(list, err)
	}
	for _, bad := range list[1:] {
		if !slices.Contains(strings.Split(mentions, "\n"), bad[4]) {
			t.Errorf("%q is no line of the file", bad[4])
		}
	}
}

// TestDelimitedOrNot: a copy of a feed is known by its header, or by most of its
// rows, and other tables are not taken for one.
func TestDelimitedOrNot(t *testing.T) {
	icews := delimited(t, icewsText, ',')
	header, rows, _ := strings.Cut(icews, "\n")
	receipt := "4,2018-06-01,Corner,Long St,Oslo,Milk,010,1,Ann,,,,,,,,,,,\n"
	receipts := "id,date,shop,street,city,item,qty,discount,clerk,k,l,m,n,o,p,q,r,s,t,u\n" + strings.Repeat(receipt, 20)
	orders := strings.Repeat("5,20180601,20180602,1,Ann,Oslo,x,y,z,a,b,Paris,d,e,f,g\n", 20)
	index := func(text string) string {
		lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
		for i := range lines {
			lines[i] = strconv.Itoa(i-1) + "," + lines[i]
		}
		lines[0] = strings.TrimPrefix(lines[0], "-1")
		return strings.Join(lines, "")
	}
	for name, c := range map[string]struct{ text, want string }{
		"a header":                      {icews, "icews"},
		"no header":                     {rows, "icews"},
		"a bad first row":               {"1,yesterday" + rows[strings.Index(rows, ",Ada"):], "icews"},
		"numbers of pandas":             {index(icews), "icews"},
		"another header":                {receipts, "with the columns id, date, shop"},
		"a header that lacks something": {strings.Replace(header, "Event Date", "Day", 1) + "\n" + rows, "with the columns Event ID, Day"},
		"rows of something else":        {orders, "a table without a header, of 16 columns"},
		"few columns":                   {"GlobalEventID,name,date\n1,A,2018-06-01\n", "with the columns GlobalEventID, name"},
		"GDELT's header lacking":        {"GlobalEventID,a,b,c,d,e,f,g,h,i,j,k\n1,,,,,,,,,,,\n", "with the columns GlobalEventID, a"},
		"PLOVER of another sort":        {"Event ID,Event Type,Event Date,a,b,c,d,e,f,g,h,i,j\n1,,,,,,,,,,,,\n", "with the columns Event ID"},
	} {
		result, err := loader.Load(t.Context(), storetest.NewOracle(), []string{write(t, "file", c.text)}, loader.Options{})
		switch {
		case err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, not %s", name, err, c.want)
		case err == nil && result.Loads[0].Dataset != c.want:
			t.Errorf("%s: loaded as %s, not %s", name, result.Loads[0].Dataset, c.want)
		case err == nil && rowsAddUp(t, result).Rejected > 1:
			t.Errorf("%s: %+v", name, result.Loads[0].Rows)
		}
	}
}

// TestDelimitedLines: each line is a row of its own, whatever its quotes, and a
// header that is repeated is none.
func TestDelimitedLines(t *testing.T) {
	first, _, _ := strings.Cut(icewsText, "\n2\t")
	quoted := strings.ReplaceAll(fields(first, func(_ int, f string) string { return `"` + f + `"` }), "\t", ",")
	for _, c := range []struct {
		format, text   string
		created, wrong int
	}{
		{"tkg", "\"China,Consult,Iran,2014-11-01\nIran,Consult,Iraq,2014-11-02\nJapan\",Consult,Iraq,2014-11-03\nFrance,Consult,Italy,2014-11-04\n", 2, 2},
		{"tkg", "\"China,Consult,Iran,2014-11-01\nJapan\",Consult,Iraq,2014-11-03\nFrance,Consult,Italy,2014-11-04\n", 1, 2},
		{"tkg", "China,Consult,Iran,2014-11-01,\nJapan,Consult,Iraq,2014-11-03\n,,,\n", 2, 0},
		{"icews", strings.Repeat("\ufeff"+quoted, 2), 1, 0},
	} {
		result, err := loader.Load(t.Context(), storetest.NewOracle(), []string{write(t, "file", c.text)}, loader.Options{Format: c.format})
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		} else if rows := rowsAddUp(t, result); rows.Created != c.created || rows.Rejected != c.wrong {
			t.Errorf("%q: %+v", c.text, rows)
		}
	}
}
