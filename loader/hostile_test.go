package loader_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest"
	"chancery/graph/storetest/every"
	"chancery/loader"
)

// sample is a file of a format, small but right, and the ways to make it wrong.
type sample struct {
	head string
	// row is a line about somebody of that name on a day, YYYY-MM-DD.
	row func(name, day string) string
	// columns are lines with too few and too many columns.
	columns []string
	// whole is set where one bad line condemns the file.
	whole bool
	// taken are the cases that the format has no fault to find with: dates that
	// it keeps as properties or does not have, and long texts.
	taken string
	// mapping is what a table needs, and before what must be loaded before it.
	mapping, before string
	progress        loader.Progress // is told of loads
}

// samples has one for every format.
func samples(t testing.TB) map[string]sample {
	t.Helper()
	fields := func(line string, at map[int]string) string {
		f := strings.Split(line, "\t")
		for i, text := range at {
			f[i] = text
		}
		return strings.Join(f, "\t")
	}
	tabs := func(head, good string, name, date int, day func(string) string) sample {
		return sample{head: head, columns: []string{"a\tb", good + "\tc\td", "\t\t\t\t\t", strings.Repeat("\t", 200)},
			row: func(n, d string) string { return fields(good, map[int]string{name: n, date: day(d)}) }}
	}
	iso := func(day string) string { return day }
	polecatLines := strings.Split(polecatText(t), "\n")
	mentioning := tabs("", mentionRow("7001", "20180602101500", "https://a.example/b", "40"), 5, 2, func(day string) string { return strings.ReplaceAll(day, "-", "") })
	mentioning.before = gdeltRow(nil) + "\n"
	plain := `{"id":"%[3]x","schema":"Person","properties":{"name":["%[1]s"],"birthDate":["%[2]s"]}}`
	return map[string]sample{
		"icews":          tabs(icewsHeader, strings.Split(icewsText, "\n")[1], 2, 1, iso),
		"tkg":            tabs("", "Norway\tConsult\tSweden\t2018-06-01", 0, 3, iso),
		"gdelt":          tabs("", gdeltRow(map[int]string{5: "NORELI", 12: "ELI"}), 6, 1, func(day string) string { return strings.ReplaceAll(day, "-", "") }),
		"gdelt-mentions": mentioning,
		"polecat":        tabs(polecatLines[0]+"\n", polecatLines[1], 7, 1, iso),
		"ftm": {columns: []string{"{}", `{"id":"a"}`, "[1]", `{"id":"a","schema":"Person","properties":[]}`}, taken: "year 0, last day, no such day, long name",
			row: func(n, d string) string { return fmt.Sprintf(plain, n, d, sha256.Sum256([]byte(n))) }},
		"csv": {head: "id,name,from,to,lat,lon\n", columns: []string{"a,b", "a,b,,,,,", "a", strings.Repeat(",", 200)}, mapping: plainMapping, taken: "all empty",
			row: func(n, d string) string { return fmt.Sprintf("%x,", sha256.Sum256([]byte(n))) + n + "," + d + ",,," }},
		"dataset": {head: "dataset: d\nentities:\n  b: {kind: State, name: B}\n", whole: true, taken: "last day",
			columns: []string{"  c: [a, b]", "  c: {kind: State}", "  c: {kind: State, name: C, more: D}", "  c: {kind: State, name: "},
			row: func(n, d string) string {
				return fmt.Sprintf("  a%x", sha256.Sum256([]byte(n)))[:20] + `: {kind: Person, name: "` + n + `", date: "` + d + `/"}`
			}},
		"identities": {head: "identities:\n", whole: true, taken: "year 0, last day, no such day, long name", before: "dataset: d\nentities:\n  a: {id: a/1, kind: State, name: A}\n  b: {id: b/1, kind: State, name: B}\n",
			columns: []string{"  - same", "  - {same: [a/1]}", "  - {same: [a/1, b/1], more: 1}", "  - {same: [a/1, "},
			row:     func(n, _ string) string { return `  - {same: [a/1, b/1], reason: "` + n + `"}` }},
	}
}

// load loads a file of the sample, and says what was rejected and why.
func (s *sample) load(t *testing.T, format, text string) (loader.Result, []string, error) {
	t.Helper()
	var rejects bytes.Buffer
	o := loader.Options{Format: format, Rejects: &rejects, Progress: s.progress}
	if s.mapping != "" {
		o.Mapping = write(t, "m.yaml", s.mapping)
	}
	store := storetest.NewOracle()
	if s.before != "" {
		mustLoad(t, store, s.before)
	}
	result, err := loader.Load(t.Context(), store, []string{write(t, "file", text)}, o)
	var problems graph.Problems
	if err != nil && !errors.As(err, &problems) {
		t.Errorf("the error is no list of problems: %v", err)
	}
	for _, p := range problems {
		if filepath.Base(p.File) != "file" || p.Message == "" {
			t.Errorf("the problem says not where or not what: %+v", p)
		}
	}
	rows, cerr := csv.NewReader(&rejects).ReadAll()
	if cerr != nil {
		t.Fatal(cerr)
	}
	var reasons []string
	for i, row := range rows {
		if i > 0 {
			reasons = append(reasons, row[1]+" "+row[2]+": "+row[3])
		}
	}
	return *result, reasons, err
}

// adding is progress that is added up.
type adding struct{ total, done int }

func (a *adding) Begin(_, _ string, total int) { a.total = total }
func (a *adding) Add(n int)                    { a.done += n }
func (a *adding) End()                         {}

// TestProgress: of what has rows, progress counts those that are to be recorded,
// and of the rest all things. It ends at the total.
func TestProgress(t *testing.T) {
	for format, s := range samples(t) {
		sum := &adding{}
		s.progress = sum
		text := s.head
		for _, name := range []string{"Ada", "Ben", "Cay"} {
			text += s.row(name, "2018-06-01") + "\n"
		}
		if !s.whole {
			text += s.columns[0] + "\n"
		}
		result, reasons, err := s.load(t, format, text)
		if err != nil || len(reasons) > 0 == s.whole {
			t.Fatalf("%s: %v %q", format, err, reasons)
		}
		want := 3
		if r := result.Loads[0]; r.Rows == nil {
			want = r.Changes()
		}
		if sum.total != want || sum.done != want {
			t.Errorf("%s: %d of %d, not %d", format, sum.done, sum.total, want)
		}
	}
}

// TestHostile puts what files must not have to every format: a bad row is
// rejected for a reason and costs no other, and a file without rows is refused.
func TestHostile(t *testing.T) {
	const day = "2018-06-01"
	all := samples(t)
	if names := slices.Sorted(maps.Keys(all)); !slices.Equal(names, slices.Sorted(slices.Values(loader.FormatNames()))) {
		t.Fatalf("the samples are of %v, and the formats are %v", names, loader.FormatNames())
	}
	for format, s := range all {
		good := s.row("Ada", day)
		// What no file is the worse for.
		for name, text := range map[string]string{
			"plain":           s.head + good + "\n",
			"BOM and CRLF":    "\ufeff" + strings.ReplaceAll(s.head+good+"\n", "\n", "\r\n"),
			"no last newline": s.head + good,
			"empty lines":     s.head + good + "\n\n\r\n\n",
			"accents":         s.head + s.row("Ådå Lünd 東京", day) + "\n",
		} {
			t.Run(format+"/"+name, func(t *testing.T) {
				result, reasons, err := s.load(t, format, text)
				if err != nil || len(reasons) > 0 || result.Changes() == 0 {
					t.Errorf("%v %q %+v", err, reasons, result)
				}
			})
		}
		type hostile struct{ line, reason string }
		lines := map[string]hostile{
			"NUL":           {s.row("A\x00B", day), "U+0000|NUL"},
			"escape":        {s.row("A\x1b[31mB", day), "U+001B|control"},
			"broken UTF-8":  {s.row("A\xffB", day), "UTF-8"},
			"cut UTF-8":     {s.row("A\xe2\x82", day), "UTF-8"},
			"huge field":    {s.row(strings.Repeat("y", 2<<20), day), "longer than|at most|too long"},
			"long name":     {s.row(strings.Repeat("y", 3000), day), "at most|longer than"},
			"year 0":        {s.row("Eve", "0000-01-01"), "0000"},
			"last day":      {s.row("Eve", "9999-12-31"), "9999"},
			"no such day":   {s.row("Eve", "2018-02-30"), "2018-02-30|20180230|no day 30"},
			"too few":       {s.columns[0], ""},
			"too many":      {s.columns[1], ""},
			"empty columns": {s.columns[2], ""},
			"all empty":     {s.columns[3], ""},
		}
		for name, c := range lines {
			taken := slices.Contains(strings.Split(s.taken, ", "), name)
			t.Run(format+"/"+name, func(t *testing.T) {
				result, reasons, err := s.load(t, format, s.head+s.row("Bo", day)+"\n"+c.line+"\n"+s.row("Cy", day)+"\n")
				said := strings.Join(reasons, "\n")
				if s.whole && err != nil {
					said = err.Error()
				}
				if taken {
					if err != nil || result.Changes() == 0 {
						t.Errorf("%v %q", err, reasons)
					}
					return
				}
				if s.whole != (err != nil) || said == "" || len(said) > 5000 {
					t.Fatalf("%v, rejected: %.500q", err, reasons)
				}
				if !slices.ContainsFunc(strings.Split(c.reason, "|"), func(r string) bool { return strings.Contains(said, r) }) {
					t.Errorf("%.500q does not say %s", said, c.reason)
				}
				for _, driver := range []string{"SQL logic", "SQLite", "constraint", "runtime error", "strconv", "invalid syntax", "goroutine"} {
					if strings.Contains(said, driver) {
						t.Errorf("%q holds %q", said, driver)
					}
				}
				if !s.whole && result.Loads[0].Rows.Created != 2 {
					t.Errorf("a good row is lost: %+v", result.Loads[0].Rows)
				}
				if !s.whole {
					rowsAddUp(t, &result)
				}
			})
		}
	}
}

// TestCutShort: half a packed file is refused, and nothing of it is loaded.
func TestCutShort(t *testing.T) {
	for format, s := range samples(t) {
		var text strings.Builder
		text.WriteString(s.head)
		for i := range 5_000 {
			text.WriteString(s.row(fmt.Sprintf("Ada %d", i*7919), "2018-06-01") + "\n")
		}
		var packed bytes.Buffer
		gz := gzip.NewWriter(&packed)
		_, _ = gz.Write([]byte(text.String()))
		_ = gz.Close()
		for name, half := range map[string][]byte{"half": packed.Bytes()[:packed.Len()/2], "no end": packed.Bytes()[:packed.Len()-4], "head": packed.Bytes()[:12]} {
			t.Run(format+"/"+name, func(t *testing.T) {
				result, _, err := s.load(t, format, string(half))
				if err == nil || !strings.Contains(err.Error(), "cut short") || result.Changes() != 0 {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// TestWrongFormat: a file of another format than the one named is refused at
// once, and the error says what it looks like. By its content it is known.
func TestWrongFormat(t *testing.T) {
	all := samples(t)
	for looks, s := range all {
		file := write(t, "file", s.head+s.row("Ada", "2018-06-01")+"\n")
		for format := range all {
			if format == looks || format == "dataset" || format == "csv" {
				continue // any text may be meant as one of these, which say more
			}
			_, err := loader.Load(t.Context(), every.SQLite(t), []string{file}, loader.Options{Format: format})
			want := fmt.Sprintf("file:1:1: this is not of the format %s; it looks like %s", format, looks)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
		if s.before != "" || s.mapping != "" {
			continue
		}
		result := loadFiles(t, every.SQLite(t), loader.Options{}, file)
		if result.Loads[0].Dataset != map[bool]string{true: "d", false: looks}[looks == "dataset"] {
			t.Errorf("%s was loaded as %s", looks, result.Loads[0].Dataset)
		}
	}
	for text, want := range map[string]string{
		"": "the file is empty", "\x00\x01\x02": "a binary file", "PK\x03\x04…": "not a valid zip file", "%PDF-1.7": "a PDF", "\x1f\x8b\x08": "cut short",
	} {
		for format := range all {
			if format == "dataset" || format == "csv" {
				continue
			}
			_, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "file", text)}, loader.Options{Format: format})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q as %s: %v, want %s", text, format, err, want)
			}
		}
	}
}
