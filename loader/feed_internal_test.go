package loader

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"chancery/graph"

	"github.com/google/go-cmp/cmp"
)

// fuzzRow: whatever a row holds, it is refused with a reason, or says what the
// record takes, and the same each time.
func fuzzRow(f *testing.F, format rowFormat, header string) {
	f.Helper()
	vocab, err := graph.BuiltinVocabulary()
	if err != nil {
		f.Fatal(err)
	}
	cameo, err := graph.LoadCAMEO()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if unfit(line, len(line) > maxFeedLine) != nil {
			return
		}
		rows := format.Rows()
		if header != "" {
			if is, problem := rows.Header(header); !is || problem != "" {
				t.Fatal(is, problem)
			}
		}
		r, bad := rows.Row(line, vocab, cameo)
		again, _ := rows.Row(line, vocab, cameo)
		if diff := cmp.Diff(r, again); diff != "" {
			t.Error(diff)
		}
		if (r == nil) == (bad == nil) || bad != nil && bad.Reason == "" {
			t.Fatalf("%q: %+v, %+v", line, r, bad)
		}
		e := &feed{actors: newActors("d"), edition: graph.Edition{Dataset: "d"}, vocab: vocab}
		if r == nil || e.misfit(r) != nil {
			return
		}
		for source, target := range r.pairs() {
			e.actors.learn(source)
			e.actors.learn(target)
		}
		e.actors.settle()
		fitsFeed(t, e, r)
	})
}

func fitsFeed(t *testing.T, e *feed, r *feedRecord) {
	b := newFeedBatch()
	e.put(b, r, e.stated(r, 1))
	known := map[string]bool{}
	for _, s := range append(e.actors.statements(e.actors.list), b.Statements...) {
		c := s.Content
		known[s.ID] = true
		if s.ID == "" || utf8.RuneCountInString(s.ID) > maxID || c.Name == "" || len(c.URL) > maxURL ||
			utf8.RuneCountInString(c.Name) > maxLine || utf8.RuneCountInString(c.Publisher) > maxLine || utf8.RuneCountInString(c.Description) > maxText || c.Form == graph.FormEntity && c.Kind == "" ||
			c.Point != nil && !(c.Point.Latitude >= -90 && c.Point.Latitude <= 90 && c.Point.Longitude >= -180 && c.Point.Longitude <= 180) {
			t.Errorf("%+v", s)
		}
		for _, x := range c.ExternalIDs {
			if x.Scheme == "" || x.Value == "" {
				t.Errorf("%+v", s)
			}
		}
	}
	seen := map[string]bool{}
	for _, rel := range append(b.Relations, b.Records...) {
		typ, ok := e.vocab.Lookup(rel.Type)
		if !ok || typ.Nature != graph.Act || seen[rel.ID] || !strings.HasPrefix(rel.ID, "d/record/") || !known[rel.Source] || !known[rel.Target] ||
			rel.Date.Earliest <= graph.MinDay || rel.Date.Latest >= graph.MaxDay || rel.Goldstein != nil && !(*rel.Goldstein >= -10 && *rel.Goldstein <= 10) ||
			rel.Source == unattributedID && rel.Target == unattributedID {
			t.Errorf("%+v", rel)
		}
		seen[rel.ID] = true
	}
	if _, err := e.actors.standings(e.vocab); err != nil {
		t.Error(err)
	}
}

const (
	fuzzICEWS = "1\t2018-06-01\tAda Lund\tElite,Government\tNorway\tConsult\t040\t1\tMilitary (Russia)\tMilitary,Government\tRussia\t77\t2\tThe Daily\tOslo\tNA\tOslo\tNorway\t59.9\t10.7"
	fuzzGDELT = "7001\t20180601\t201806\t2018\t2018.4137\tNORELI\tADA LUND\tNOR\t\t\t\t\tELI\t\t\tSWEMIL\tSWEDISH\tSWE\t\t\t\t\tMIL\t\t\t1\t040\t040\t04\t1\t1.0\t5\t1\t4\t-0.5\t" +
		"4\tOslo, Oslo, Norway\tNO\tNO12\t59.9\t10.7\t-999\t0\t\t\t\t\t\t\t4\tOslo, Oslo, Norway\tNO\tNO12\t59.9\t10.7\t-999\t20180602\thttps://www.daily.example/a"
)

func FuzzICEWSRow(f *testing.F) {
	f.Add(fuzzICEWS)
	f.Add(strings.ReplaceAll(fuzzICEWS, "59.9", "NaN"))
	f.Add(strings.Repeat("\t", 19))
	fuzzRow(f, icews{}, "")
}

func FuzzTKGRow(f *testing.F) {
	f.Add("Citizen_(Kenya)\tMake_a_visit\tNorway\t2014-02-28")
	f.Add("\t\t\t")
	f.Add("(\tConsult\t()\t9999-12-30")
	fuzzRow(f, tkg{}, "")
}

func FuzzGDELTRow(f *testing.F) {
	f.Add(fuzzGDELT)
	f.Add(fuzzGDELT[:strings.LastIndex(fuzzGDELT, "\t")])
	f.Add(strings.ReplaceAll(strings.ReplaceAll(fuzzGDELT, "ADA LUND", ""), "NORELI", "IGOUNO"))
	f.Add(strings.ReplaceAll(strings.ReplaceAll(fuzzGDELT, "SWEDISH", ""), "SWEMIL", ""))
	f.Add(strings.ReplaceAll(fuzzGDELT, "\t040\t040\t04\t", "\t43\t43\t4\t"))
	f.Add(strings.Repeat("\t", 60))
	fuzzRow(f, gdelt{}, "")
}

func FuzzPOLECATRow(f *testing.F) {
	text, err := os.ReadFile("testdata/polecat.txt")
	if err != nil {
		f.Fatal(err)
	}
	header, rows, _ := strings.Cut(string(text), "\n")
	for line := range strings.Lines(rows) {
		f.Add(strings.TrimSuffix(line, "\n"))
	}
	f.Add("a\t2023-03-04\tCONSULT\tvisit;phone\t1\t\t\tA;A;B|C\tNOR;;\t\t\t\t;x;\t\t;Q1;\tA" + strings.Repeat("\t", 24))
	fuzzRow(f, polecat{}, header)
}
