package loader

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"chancery/graph"
)

// FuzzMapping: a mapping is either refused with reasons, or makes things of any
// row.
func FuzzMapping(f *testing.F) {
	files, err := filepath.Glob("../data/mappings/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw), "2001-02-03")
	}
	f.Add("mapping: 1\nentities: {x: {id: \"{a|slug}\", kind: {value: \"{b}\", map: {p: Person}, default: State}, name: \"{c|or:x}\", "+
		"date: {start: \"{d}\", pattern: [D.M.YYYY]}, when: {column: e, not: [x]}, aliases: {value: \"{g}\", split: \",\"}}}\n", "1.2.1990")
	vocab, err := graph.BuiltinVocabulary()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, cell string) {
		m, err := parseMapping("m.yaml", []byte(text), vocab)
		if err != nil {
			if _, ok := err.(graph.Problems); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		row := &tableRow{index: map[string]int{}, form: &m.form}
		for _, c := range m.columns {
			if _, ok := row.index[c.column]; !ok {
				row.index[c.column] = len(row.fields)
				row.fields = append(row.fields, cell)
			}
		}
		things, bad := m.build("d", vocab, row)
		if (things == nil) == (bad == nil) {
			t.Fatalf("%v %v", things, bad)
		}
		if bad != nil && bad.Reason == "" {
			t.Fatal("no reason is given")
		}
		if things == nil {
			return
		}
		if things.firstEntity() < 0 {
			t.Fatal("a good row states no entity")
		}
		for _, s := range things.nodes {
			if s.ID == "" || s.Content.Name == "" || strings.ContainsAny(s.ID, " \t\n") {
				t.Fatalf("%+v", s)
			}
		}
		for _, r := range things.relations {
			known := func(s graph.Statement) bool { return s.ID == r.Source }
			if r.ID == "" || r.Type == "" || !slices.ContainsFunc(things.nodes, known) {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// FuzzRecords: the reader ends; its records have the width of the table, and
// each line that says something is in exactly one of them.
func FuzzRecords(f *testing.F) {
	f.Add("a,b,c\n\"x\ny\",2,3\n", 3, true)
	f.Add("a,\"A\n1,\"\",\"\n,,\"\"\"\n\n\"\r\n", 3, true)
	f.Add("\"\n\"\n\"\"\n\",\",\"\n", 2, true)
	f.Add("5\" gun,1\n", 2, false)
	f.Add(",,\n \n\"\"\n,\n1,2\n", 2, true)
	says := func(line string) bool {
		return strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsSpace(r) && r != ',' && r != '"' })
	}
	f.Fuzz(func(t *testing.T, text string, width int, quotes bool) {
		r := newCSVReader(strings.NewReader(text), &tableForm{delimiter: ',', quotes: quotes})
		r.width = max(1, width%8)
		covered, last := 0, 0
		for {
			record, err := r.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if record.line <= last {
				t.Fatalf("line %d comes after %d", record.line, last)
			}
			last = record.line
			switch {
			case record.bad == nil && len(record.fields) != r.width:
				t.Fatalf("line %d has %d fields", record.line, len(record.fields))
			case record.bad != nil && record.bad.Reason == "":
				t.Fatal("no reason is given")
			}
			for line := range strings.SplitSeq(record.text, "\n") {
				if says(line) {
					covered++
				}
			}
		}
		want := 0
		for i, line := range strings.Split(text, "\n") {
			if i == 0 {
				line = strings.TrimPrefix(line, "\ufeff")
			}
			if says(line) {
				want++
			}
		}
		if covered != want {
			t.Fatalf("%d of %d lines are in records", covered, want)
		}
	})
}
