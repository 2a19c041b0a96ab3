package loader_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest"
	"chancery/graph/storetest/every"
	"chancery/loader"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/unicode/norm"
)

const officesMapping = `mapping: 1
dataset: offices
title: Offices of invented people
whole: true
format: {missing: [NA]}
maps:
  sexes: {f: female, m: male}
sources:
  register: {name: The register, published: 2020-06-30}
entities:
  holder:
    id: "person/{who|slug}"
    kind: Person
    name: "{who}"
    aliases: [{value: "{also}", split: ";"}, "{who|upper}"]
    properties: {sex: {value: "{sex}", map: sexes}, born: "{born}"}
  land: {id: "state/{code|lower}", kind: State, name: "{land}", externalIds: {gw: "{code}"}}
  city:
    when: {column: seat, empty: false}
    id: "place/{seat|slug}"
    kind: Place
    name: "{seat}"
    point: {latitude: "{lat}", longitude: "{lon}"}
relations:
  - id: "{no}"
    type: LEADS
    source: holder
    target: land
    date:
      start: "{from}"
      end: {value: "{out}", map: {in office: ".."}, default: "{to}"}
      pattern: [DD.MM.YYYY, YYYY]
    sourceAs: {value: "{title}", default: Head}
    note: "Left: {out}"
    sources: register
  - {type: CAPITAL_OF, source: city, target: land}
`

const officesTable = `no,who,also,sex,born,code,land,seat,lat,lon,title,from,to,out
1,Ada Lund,A. Lund;Lady Lund,f,1950,NOL,Norland,Nor City,59.5,10.5,Queen,01.02.1990,1999,by election
2,Ben Roth,NA,m,1948,NOL,Kingdom of Norland,Nor City,59.5,10.5,NA,1999,31.12.2005,"by death,
in office"
3,"Roth, Cleo",,f,NA,SUD,Sudland,,,,President,2001,NA,
4,Ada Lund,Ada,f,1950,SUD,Sudland,,,,President,15.03.2010,2020,in office
`

// loadTable loads a table with a mapping.
func loadTable(t testing.TB, store graph.Store, o loader.Options, mapping, table string) (*loader.Result, error) {
	t.Helper()
	o.Mapping = write(t, "m.yaml", mapping)
	return loader.Load(t.Context(), store, []string{write(t, "t.csv", table)}, o)
}

func mustLoadTable(t testing.TB, store graph.Store, o loader.Options, mapping, table string) *loader.Result {
	t.Helper()
	result, err := loadTable(t, store, o, mapping, table)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestTable(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		result := mustLoadTable(t, store, loader.Options{}, officesMapping, officesTable)
		if got, want := rowsAddUp(t, result), (loader.Rows{Read: 4, Created: 4}); !cmp.Equal(want, got) {
			t.Fatalf("%+v", got)
		}
		l := result.Loads[0]
		wantKinds := map[graph.Kind]int{graph.KindPerson: 3, graph.KindState: 2, graph.KindPlace: 1}
		if !cmp.Equal(l.Rows.Kinds, wantKinds) || l.Entities.Created != 6 || l.Sources.Created != 1 || l.Relations.Created != 5 || l.Title != "Offices of invented people" {
			t.Errorf("%+v %+v", l, l.Rows.Kinds)
		}
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			nodes, err := tx.Nodes(ctx, []string{"person/ada-lund", "state/nol", "place/nor-city", "person/roth-cleo", "person/ben-roth"}, true)
			if err != nil {
				t.Fatal(err)
			}
			ada := nodes["person/ada-lund"]
			if diff := cmp.Diff([]string{"A. Lund", "Lady Lund", "ADA LUND", "Ada"}, ada.Aliases); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]graph.Property{{Name: "born", Value: "1950"}, {Name: "sex", Value: "female"}}, ada.Properties); diff != "" {
				t.Error(diff)
			}
			nol := nodes["state/nol"]
			if nol.Name != "Norland" || !cmp.Equal(nol.Aliases, []string{"Kingdom of Norland"}) || !cmp.Equal(nol.ExternalIDs, []graph.ExternalID{{Scheme: "gw", Value: "NOL"}}) {
				t.Errorf("%+v", nol)
			}
			if p := nodes["place/nor-city"].Point; p == nil || *p != (graph.Point{Latitude: 59.5, Longitude: 10.5}) {
				t.Errorf("%v", p)
			}
			if got := nodes["person/roth-cleo"]; got.Name != "Roth, Cleo" || len(got.Aliases) != 1 || len(got.Properties) != 1 {
				t.Errorf("%+v", got)
			}
			var seen []string
			for _, id := range []string{"state/nol", "state/sud"} {
				for _, r := range relationsAt(t, ctx, tx, id) {
					seen = append(seen, fmt.Sprintf("%s %s %s %s %q %q", r.Type, r.Source, r.Target, r.Date.EDTF, r.SourceAs, r.Note))
					if r.Type == "LEADS" && (len(r.Citations) != 1 || r.Citations[0].Source != "offices/register" || !strings.HasPrefix(r.ID, "offices/")) {
						t.Errorf("%+v", r)
					}
					// Who was in office when the register appeared may have left since.
					if r.Date.EndKind == graph.EndOpen && r.Date.CertainTo.String() != "2020-06-30" {
						t.Errorf("%s certain to %s", r.ID, r.Date.CertainTo)
					}
				}
			}
			want := []string{
				`LEADS person/ben-roth state/nol 1999/2005-12-31 "Head" "Left: by death,\nin office"`,
				`LEADS person/ada-lund state/nol 1990-02-01/1999 "Queen" "Left: by election"`,
				`CAPITAL_OF place/nor-city state/nol  "" ""`,
				`LEADS person/ada-lund state/sud 2010-03-15/.. "President" "Left: in office"`,
				`LEADS person/roth-cleo state/sud 2001/ "President" ""`,
			}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Error(diff)
			}
		})
		again := mustLoadTable(t, store, loader.Options{}, officesMapping, officesTable)
		if got, want := rowsAddUp(t, again), (loader.Rows{Read: 4, Unchanged: 4}); !cmp.Equal(want, got) || again.Changes() != 0 {
			t.Errorf("the second time: %+v", got)
		}
		// Whole: a row that is gone is withdrawn, an edited one has a new version.
		lines := strings.SplitAfter(officesTable, "\n")
		edited := lines[0] + strings.Replace(lines[1], "by election", "by vote", 1) + lines[2] + lines[3] + lines[5]
		result = mustLoadTable(t, store, loader.Options{}, officesMapping, edited)
		l = result.Loads[0]
		if got, want := rowsAddUp(t, result), (loader.Rows{Read: 3, Changed: 1, Unchanged: 2}); !cmp.Equal(want, got) || l.Relations.Withdrawn != 1 || l.Entities.Withdrawn != 1 {
			t.Errorf("edited: %+v %+v", got, l)
		}
	})
}

// TestTableAdds: without whole, tables add to what there is, and --dataset
// names what they go into.
func TestTableAdds(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		m := strings.Replace(officesMapping, "whole: true", "whole: false", 1)
		lines := strings.SplitAfter(officesTable, "\n")
		a, b := lines[0]+lines[1], lines[0]+lines[4]+lines[5]
		mustLoadTable(t, store, loader.Options{Dataset: "mine"}, m, a)
		result := mustLoadTable(t, store, loader.Options{Dataset: "mine"}, m, b)
		if l := result.Loads[0]; l.Dataset != "mine" || l.Relations.Withdrawn+l.Entities.Withdrawn != 0 || l.Rows.Created != 2 {
			t.Errorf("%+v %+v", l, l.Rows)
		}
		for _, table := range []string{a, b, a} {
			if result := mustLoadTable(t, store, loader.Options{Dataset: "mine"}, m, table); result.Changes() != 0 {
				t.Errorf("%d changes", result.Changes())
			}
		}
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			nodes, err := tx.Nodes(ctx, []string{"person/ada-lund"}, true)
			if err != nil || !cmp.Equal(nodes["person/ada-lund"].Aliases, []string{"A. Lund", "Lady Lund", "ADA LUND", "Ada"}) {
				t.Errorf("%v %v", nodes["person/ada-lund"].Aliases, err)
			}
		})
	})
}

// TestTableFates: what rows share is stated once, and each row is counted once.
func TestTableFates(t *testing.T) {
	m := `mapping: 1
dataset: d
entities:
  a: {id: "group/{a|slug}", kind: {value: "{kind}", map: {g: Group, u: Undecided, s: State}, default: Group}, name: "{a}"}
  b: {when: {column: b, empty: false}, id: "group/{b|slug}", kind: Group, name: "{b}"}
relations:
  - {id: "{id}", type: {value: "{act}", map: {met: MET_WITH, hit: STRUCK}}, source: a, target: b, date: "{day}"}
`
	head := "id,a,b,kind,act,day\n"
	for name, c := range map[string]struct {
		rows    string
		want    loader.Rows
		rejects []string
	}{
		"a relation twice":             {"1,X,Y,,met,2001\n1,X,Y,,met,2001\n", loader.Rows{Read: 2, Created: 1, Duplicate: 1}, nil},
		"an entity twice":              {"1,X,,,,\n2,X,,,,\n3,Z,,,,\n", loader.Rows{Read: 3, Created: 2, Duplicate: 1}, nil},
		"entity alone, then an end":    {"1,X,,,,\n2,X,Y,,met,2001\n", loader.Rows{Read: 2, Created: 2}, nil},
		"an end, then alone":           {"1,Y,X,,met,2001\n2,X,,,,\n", loader.Rows{Read: 2, Created: 2}, nil},
		"other content":                {"1,X,Y,,met,2001\n1,X,Y,,met,2002\n", loader.Rows{Read: 2, Created: 1, Rejected: 1}, []string{"3  id: the relation d/1 is in line 2 with other content"}},
		"undecided is decided":         {"1,X,Y,u,hit,2001\n2,X,Y,s,hit,2001\n", loader.Rows{Read: 2, Created: 2}, nil},
		"kinds contradict":             {"1,X,Y,s,hit,2001\n2,Y,X,g,hit,2001\n", loader.Rows{Read: 2, Created: 1, Rejected: 1}, []string{"3  id: group/x is a Group here, and a State in line 2"}},
		"contradiction does not spill": {"1,X,Y,,met,2001\n1,X,Q,,met,2001\n2,Z,Q,,met,2001\n", loader.Rows{Read: 3, Created: 2, Rejected: 1}, []string{"3  id: the relation d/1"}},
		"oneself":                      {"1,X,X,,met,2001\n2,X,X,,hit,2001\n", loader.Rows{Read: 2, Created: 1, Rejected: 1}, []string{"2 b target: MET_WITH is between two"}},
		"not in the map":               {"1,X,Y,,kissed,2001\n2,X,Y,,hit,2001\n", loader.Rows{Read: 2, Created: 1, Rejected: 1}, []string{`2 act type: "kissed" is not in the map`}},
		"no value where one is needed": {"1,,Y,,met,2001\n2,X,Y,,hit,2001\n", loader.Rows{Read: 2, Created: 1, Rejected: 1}, []string{"2 a id: is empty, and the entity a needs it"}},
		"no slug":                      {"1,???,Y,,met,2001\n2,X,Y,,hit,2001\n", loader.Rows{Read: 2, Created: 1, Rejected: 1}, []string{"2 a id: \"???\" has neither a letter nor a digit"}},
		"a blank in an id":             {"1 2,X,Y,,met,2001\n2,X,Y,,hit,2001\n", loader.Rows{Read: 2, Created: 1, Rejected: 1}, []string{"2 id \"1 2\" has a blank"}},
		"an id of both sorts":          {"group/z,X,Y,,met,2001\n2,Z,Y,,hit,2001\n", loader.Rows{Read: 2, Created: 1, Rejected: 1}, []string{"3  id: group/z is the id of a relation in line 2"}},
		"an id of both sorts in a row": {"group/x,X,Y,,met,2001\n2,Z,Y,,hit,2001\n", loader.Rows{Read: 2, Created: 1, Rejected: 1}, []string{"2  id: group/x is the id of an entity of the row"}},
	} {
		t.Run(name, func(t *testing.T) {
			var rejects bytes.Buffer
			store := storetest.NewOracle()
			got := rowsAddUp(t, mustLoadTable(t, store, loader.Options{Rejects: &rejects}, m, head+c.rows))
			if !cmp.Equal(c.want, got) {
				t.Errorf("%+v", got)
			}
			checkRejects(t, &rejects, c.rejects)
			again := mustLoadTable(t, store, loader.Options{}, m, head+c.rows)
			c.want.Unchanged, c.want.Created = c.want.Created, 0
			if got := rowsAddUp(t, again); !cmp.Equal(c.want, got) || again.Changes() != 0 {
				t.Errorf("the second time: %+v", got)
			}
			if name == "contradiction does not spill" {
				read(t, store, func(ctx context.Context, tx graph.Reader) {
					if acts := relationsAt(t, ctx, tx, "group/x"); len(acts) != 1 || acts[0].Target != "group/y" {
						t.Errorf("%+v", acts)
					}
				})
			}
		})
	}
}

// checkRejects compares rejects with "line column reason".
func checkRejects(t testing.TB, rejects io.Reader, want []string) {
	t.Helper()
	rows, err := csv.NewReader(rejects).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows[min(1, len(rows)):] {
		got = append(got, strings.Join(row[1:4], " "))
	}
	if len(got) != len(want) {
		t.Errorf("rejects: %q, want %q", got, want)
		return
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("reject %q, want %q", got[i], want[i])
		}
	}
}

const plainMapping = `mapping: 1
dataset: d
format: {missing: [NA]}
entities:
  x: {id: "place/{id|slug}", kind: Place, name: "{name}", date: {start: "{from}", end: "{to}"}, point: {latitude: "{lat}", longitude: "{lon}"}}
`

// TestHostileTables: what is wrong with a row costs that row, and says where.
func TestHostileTables(t *testing.T) {
	const head, good = "id,name,from,to,lat,lon\n", "good,Good,2001,2002,1,2\n"
	huge := strings.Repeat("y", 2<<20)
	for name, c := range map[string]struct {
		table   string
		created int
		rejects []string
	}{
		"BOM and CRLF":               {"\ufeff" + strings.ReplaceAll(head+good, "\n", "\r\n"), 1, nil},
		"no last line end":           {head + "a,A,,,," + "\n" + strings.TrimSuffix(good, "\n"), 2, nil},
		"empty lines":                {"\n" + head + "\n\n" + good + "\n\n", 1, nil},
		"NUL":                        {head + "a,A\x00B,,,,\n" + good, 1, []string{"2 name holds the control character U+0000"}},
		"bad UTF-8":                  {head + "a,A\xff,,,,\n" + good, 1, []string{"2 name is not UTF-8"}},
		"bell":                       {head + "a,A\a,,,,\n" + good, 1, []string{"2 name holds the control character U+0007"}},
		"too few columns":            {head + "a,A\n" + good, 1, []string{"2  has 2 columns, not 6"}},
		"too many columns":           {head + "a,A,,,,,\n" + good, 1, []string{"2  has 7 columns, not 6"}},
		"a huge line":                {head + huge + "\n" + good, 1, []string{"2  the line is longer than"}},
		"a huge field":               {head + "a," + strings.Repeat("n", 600) + ",,,,\n" + good, 1, []string{"2 name has 600 characters; at most 500"}},
		"a huge id":                  {head + strings.Repeat("i", 400) + ",A,,,,\n" + good, 1, []string{"2 id has 406 characters; at most 300"}},
		"a huge field over lines":    {head + "a,\"A\n" + strings.Repeat(strings.Repeat("z", 1023)+"\n", 1100) + "\",,,,\n" + good, 1, nil},
		"a quote that never closes":  {head + "a,\"A,,,,\n" + good + good2(2000), 2001, []string{"2  a quote is opened here and not closed: the file ends before"}},
		"a quote that meets another": {head + "a,\"A,,,,\n" + good + "c,\"C, and more\",,,,\n" + good2(3), 5, []string{"2  a quote is opened here and not closed"}},
		"two that make a row":        {head + "a,A,,,,\"\n" + good + "c,C,,,,\"\n", 1, []string{"2  a quote is opened here and not closed: the next quote is in line 4, and line 3", "4  a quote is opened here"}},
		"a quote within":             {head + "a,A \"big\" one,,,,\n" + good, 1, []string{"2  there is a quote within a field"}},
		"text behind a quote":        {head + "a,\"A\"x,,,,\n" + good, 1, []string{"2  there is text behind the quote"}},
		"one stray quote within":     {head + "a,5\" gun,,,,\n" + good, 1, []string{"2  a quote is opened here and not closed"}},
		"a field over lines":         {head + "a,A,\"2001\n\",,,\n\"go,od2\",\"x \"\"y\"\" z\",,,,\n" + good, 3, nil},
		"a name over lines":          {head + "a,\"A\nB\",,,,\n" + good, 1, []string{"2 name must be one line"}},
		"year 0":                     {head + "a,A,0000,,,\nb,B,0000-01-01,,,\n" + good, 1, []string{"2 from date: there is no year 0000", "3 from date: there is no year 0000"}},
		"infinities":                 {head + "a,A,2001,9999-12-31,,\nb,B,0001-01-01,,,\nc,C,9999,,,\n" + good, 1, []string{"2 to date: 9999-12-31 stands for no end", "3 from date: 0001-01-01 stands for no beginning", "4 from date: 9999"}},
		"no such days":               {head + "a,A,2001-02-29,,,\nb,B,soon,,,\nc,C,2002,2001,,\nd,D,2001/2002,,,\n" + good, 1, []string{"2 from date: there is no day 29", "3 from date: \"soon\" is not a date", "4 to date: the interval ends", "5 from date: \"2001/2002\" is not a date"}},
		"no such places":             {head + "a,A,,,91,0\nb,B,,,0,-180.1\nc,C,,,NaN,0\nd,D,,,0x1,0\ne,E,,,1,\nf,F,,,,1\ng,G,,,1e999,1\n" + good, 1, []string{"2 lat latitude: 91 is not", "3 lon longitude: -180.1 is not", "4 lat latitude: \"NaN\" is not a number", "5 lat latitude: \"0x1\"", "6 lon longitude: is empty", "7 lat latitude: is empty", "8 lat latitude: \"1e999\""}},
		"missing":                    {head + "a,A,NA,NA, NA ,NA\n" + good, 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var rejects bytes.Buffer
			result, err := loadTable(t, storetest.NewOracle(), loader.Options{Rejects: &rejects}, plainMapping, c.table)
			if err != nil {
				t.Fatal(err)
			}
			got := rowsAddUp(t, result)
			if got.Created != c.created {
				t.Errorf("%+v, want %d created", got, c.created)
			}
			if name == "a huge field over lines" { // its lines are bad rows of their own
				if got.Rejected != 1102 {
					t.Errorf("%+v", got)
				}
				return
			}
			checkRejects(t, &rejects, c.rejects)
		})
	}
}

func good2(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "g%d,Good %d,,,,\n", i, i)
	}
	return b.String()
}

// TestTableLeftovers: blank rows of spreadsheets, and the sign that ends files of
// DOS, are no rows, and no sign that a table is cut short.
func TestTableLeftovers(t *testing.T) {
	mapping := strings.Replace(plainMapping, "dataset: d\n", "dataset: d\nwhole: true\n", 1)
	for _, table := range []string{
		"id,name,from,to,lat,lon\r\nx,X,,,,\r\n\x1a",
		"id,name,from,to,lat,lon\n,,,,,\nx,X,,,,\n, ,,\"\",,\n\n,,,,,",
		"id,name,from,to,lat,lon\nx,X,,,,\n,\n",
		"id,name,from,to,lat,lon\nx,X,,,,\n  \n",
		" \n\t\nid,name,from,to,lat,lon\n  \nx,X,,,,\n\u00a0\t\n,\n\"\"\n, ,\" \",,,,,\n  ",
	} {
		none := 0
		result, err := loadTable(t, storetest.NewOracle(), loader.Options{MaxRejects: &none}, mapping, table)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := rowsAddUp(t, result), (loader.Rows{Read: 1, Created: 1}); !cmp.Equal(want, got) || len(result.Loads[0].Notes) > 0 {
			t.Errorf("%q: %+v, %v", table, got, result.Loads[0].Notes)
		}
	}
}

// TestTableRefused: what is wrong with a table as a whole is said at once.
func TestTableRefused(t *testing.T) {
	skipping := strings.Replace(plainMapping, "missing: [NA]", "missing: [NA], skipRows: 2", 1)
	for _, c := range []struct{ mapping, table, want string }{
		{plainMapping, "", "t.csv:1:1: the file is empty; a table has a header and rows"},
		{plainMapping, "\xff\xfei\x00d\x00", "t.csv:1:1: the file is in UTF-16; save it as UTF-8"},
		{plainMapping, "PK\x03\x04", "t.csv: cannot be unpacked: zip: not a valid zip file; the file is cut short or damaged"},
		{plainMapping, "id,name,from,to,lat,long\n", "m.yaml:5:137: the table T has no column \"lon\"; did you mean long?"},
		{plainMapping, "id,Name,from,to,lat,lon,,\n", "m.yaml:5:51: the table T has no column \"name\"; did you mean Name?"},
		{plainMapping, "id,,from,to,lat,lon,\n", "m.yaml:5:51: the table T has no column \"name\"; it has id, from, to, lat, lon"},
		{plainMapping, "id,id,name,from,to,lat,lon\n", "m.yaml:5:19: the table T has several columns \"id\"; rename all but one"},
		{plainMapping, "id;name;from;to;lat;lon\n1;2;3;4;5;6\n", "m.yaml:5:19: the table T has no column \"id\"; its first line has no ','; is the delimiter ';'?"},
		{plainMapping, "id\tname\tfrom\tto\tlat\tlon\n1\t2\t3\t4\t5\t6\n", "m.yaml:5:19: the table T has no column \"id\"; its first line has no ','; is the delimiter '\\t'?"},
		{plainMapping, "id,name,from,to,lat,lon\r1,A,,,,\r", "t.csv:1:1: the lines end in carriage returns alone"},
		{plainMapping, "Title, and more\n\n\"id\", name,from,to,lat,lon\n1,A,,,,\n", "m.yaml:5:19: the table T has no column \"id\"; line 3 has one; if that is the header, write format: {skipRows: 2}"},
		{skipping, "Title\nid,name,from,to,lat,lon\n", "t.csv:3: there is no header behind the 2 lines that the mapping M skips"},
		{skipping, "id,name,from,to,lat,lon\n", "t.csv:2: the file ends before its header: the mapping M skips 2 lines"},
		{skipping, "\xff\xfei\x00d\x00", "t.csv:1:1: the file is in UTF-16; save it as UTF-8"},
		{plainMapping, "id,name,\"from\n", "t.csv:1:1: the header cannot be read: a quote is opened here and not closed: the file ends before"},
		{plainMapping, "id,name,from,to,lat,lon\n1,A,soon,,,\n", "t.csv: none of its 1 rows can be read with the mapping M; the first: line 2: from: date: \"soon\" is not a date"},
		{"mapping: 1\nentities: {x: {id: \"place/{id}\", kind: Place, name: \"{id}\"}}\n", "id\n1\n", "m.yaml:1:1: the mapping names no data set"},
		{"", "id\n1\n", "m.yaml:1:1: the file is empty; a mapping begins with \"mapping: 1\""},
	} {
		_, err := loadTable(t, storetest.NewOracle(), loader.Options{}, c.mapping, c.table)
		got, more, _ := strings.Cut(clean(complaints(t, err)), "\n")
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%q:\n got %s\nwant %s", c.table, got, c.want)
		}
		if strings.Contains(got, "is the delimiter") && more != "" { // for every column the same
			t.Errorf("%q:\n also %s", c.table, more)
		}
	}
	// Without a mapping, a table is told from what is none.
	for text, want := range map[string]string{
		"a,b,c\n1,2,3\n":               "this looks like a table with the columns a, b, c, separated by ','; write a mapping",
		"a\tb c\n1\t2\n":               "columns a, b c, separated by '\\t'",
		"\ufeffa;b\r\n\"x;y\";2\r\n":   "columns a, b, separated by ';'",
		"dataset: a, b\ntitle: x, y\n": `"a, b" cannot be the name`,
		"# a, b\ndataset: test, x\n":   "cannot be the name",
		"\"Source\",\"A, b\",\n\n\"Name\",\"Code\",\"Unit\",\"1960\",\n\"A\",\"B\",\"C\",\"\",\n": "with the columns Name, Code, Unit, 1960 in line 3, separated by",
		"Of 2020\n\nname;code;year\nA;B;1\n":                                                      "with the columns name, code, year in line 3, separated by ';'; write a mapping (with format: {skipRows: 2}) that says",
		officesMapping:                                                                            "this is a mapping, which says what the rows of a table mean; name it by --mapping",
		"Norway,\"Arrest, detain, or charge with legal action\",Sweden,2014-01-01\n":              "--format tkg loads it as it is",
		"a;b;c;d\nNorway;Consult;Sweden;2014-01-01\n":                                             "--format tkg loads it as it is",
		"dataset: x\ntitle: y\nmapping: z\n":                                                      "3:1: the data set has no key \"mapping\"",
		"{\"title\": \"x\", \"mapping\": 1}":                                                      "this is a mapping",
		"Alice Smith,1984,2011\nBob Jones,1990,2012\n":                                            "a table without a header, of 3 columns",
		"Words\nOn Monday, in Paris, they met.\nIt was, as ever, cold.\n":                         "the data set must have keys and values",
		"{\"mapping\": 1}":                                                                        "this is a mapping",
	} {
		_, err := loader.Load(t.Context(), storetest.NewOracle(), []string{write(t, "x", text)}, loader.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := loader.Load(t.Context(), storetest.NewOracle(), []string{write(t, "x", "just text\n")}, loader.Options{Format: "csv"}); err == nil || !strings.Contains(err.Error(), "it looks like text of another sort") {
		t.Errorf("%v", err)
	}
	if _, err := loadTable(t, storetest.NewOracle(), loader.Options{Format: "icews"}, plainMapping, ""); err == nil || !strings.Contains(err.Error(), "not for the format icews") {
		t.Errorf("%v", err)
	}
	// Two tables cannot both be all of one data set.
	o := loader.Options{Mapping: write(t, "m.yaml", officesMapping)}
	_, err := loader.Load(t.Context(), storetest.NewOracle(), []string{write(t, "1.csv", officesTable), write(t, "2.csv", officesTable)}, o)
	if err == nil || !strings.Contains(err.Error(), "is a whole edition of data set offices too") {
		t.Errorf("%v", err)
	}
	// An id that is of something else in the store is a mistake of the mapping.
	store := storetest.NewOracle()
	mustLoad(t, store, "dataset: other\nevents: {e: {id: place/x, name: E}}\n")
	_, err = loadTable(t, store, loader.Options{}, plainMapping, "id,name,from,to,lat,lon\ny,Y,,,,\nx,X,,,,\n")
	if got := complaints(t, err); !strings.HasPrefix(got, "t.csv:3: the id place/x, which the mapping makes of this row, belongs to an event (E, data set other)") {
		t.Errorf("%s", got)
	}
	few := 1
	_, err = loadTable(t, storetest.NewOracle(), loader.Options{MaxRejects: &few}, plainMapping, "id,name,from,to,lat,lon\n,A,,,,\n,B,,,,\nx,X,,,,\n")
	if got := complaints(t, err); !strings.HasPrefix(got, "t.csv:3: more than 1 rows are bad") {
		t.Errorf("%s", got)
	}
}

// clean takes directories of the test out of messages.
func clean(s string) string {
	var words []string
	for _, w := range strings.Split(s, " ") {
		if strings.HasPrefix(w, "/") {
			w = map[string]string{"t.csv": "T", "m.yaml": "M", "m.yaml;": "M;"}[filepath.Base(w)]
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

// TestForms: other ways of writing tables, and of saying what they mean.
func TestForms(t *testing.T) {
	m := func(format, rest string) string {
		return "mapping: 1\ndataset: d\nformat: " + format + "\nentities:\n  x: {id: \"place/{id}\", kind: Place, name: \"{n}\"" + rest + "}\n"
	}
	for name, c := range map[string]struct{ mapping, table, want string }{
		"semicolons and decimal commas": {m(`{delimiter: ";", decimal: ","}`, `, point: {latitude: "{a}", longitude: "{b}"}`), "id;n;a;b\n1;N;1,5;-2,25\n", "N [] {1.5 -2.25} "},
		"a point is none then":          {m(`{delimiter: ";", decimal: ","}`, `, point: {latitude: "{a}", longitude: "{b}", invalid: omit}`), "id;n;a;b\n1;N;1.5;-2,25\n", "N [] <nil> "},
		"decimal commas, filtered":      {m(`{delimiter: ";", decimal: ","}`, `, point: {latitude: "{a|number}", longitude: {value: "{b}", default: -2.25}}`), "id;n;a;b\n1;N;1,5;\n", "N [] {1.5 -2.25} "},
		"tabs without quotes":           {m(`{delimiter: "\t", quotes: false}`, ""), "id\tn\n1\t5\" gun\n", `5" gun [] <nil> `},
		"no header":                     {m("{header: false, columns: [id, n]}", ""), "1,N\n", "N [] <nil> "},
		"lines before the header":       {m("{skipRows: 3}", ""), "\ufeffTitle \"of 2\n\n\"\"\"\nid,n\n1,N\n", "N [] <nil> "},
		"lines before the rows":         {m("{skipRows: 1, header: false, columns: [id, n]}", ""), "1,Not\n1,N\n", "N [] <nil> "},
		"a number that is written out":  {m("{}", `, properties: {p: "{a|number}", q: 7}`), "id,n,a\n1,N,+1.50\n", "N [{p +1.50} {q 7}] <nil> "},
		"filters":                       {m("{}", `, properties: {p: "{a|before:-|lower}", q: "{a|after:-|or:none}", r: "{a|after:+|or:none}", s: "{b|line}"}`), "id,n,a,b\n1,N,AB-Cd,\"x\n y\"\n", "N [{p ab} {q Cd} {r none} {s x y}] <nil> "},
		"backslashes":                   {m("{}", `, properties: {p: "\\{{a\\|b}\\}"}`), "id,n,a|b\n1,N,x\n", "N [{p {x}}] <nil> "},
		"a date omitted":                {m("{}", `, date: {on: "{a}", invalid: omit}`), "id,n,a\n1,N,soon\n", "N [] <nil> "},
		"EDTF":                          {m("{}", `, date: "{a}"`), "id,n,a\n1,N,1990~/..\n", "N [] <nil> 1990~/.."},
		"M/D/YYYY":                      {m("{}", `, date: {start: "{a}", end: "{b}", pattern: [M/D/YYYY, YYYYMMDD]}`), "id,n,a,b\n1,N,2/7/1990,19910830\n", "N [] <nil> 1990-02-07/1991-08-30"},
		"only an end":                   {m("{}", `, date: {start: "{a}", end: "{b}"}`), "id,n,a,b\n1,N,,1991\n", "N [] <nil> /1991"},
		"a constant year":               {m("{}", `, date: 1990`), "id,n\n1,N\n", "N [] <nil> 1990"},
		"a list that is mapped":         {m("{}", `, properties: {p: {value: "{a}", split: ",", map: {x: ex, y: why}, default: other}}`), "id,n,a\n1,N,\"x,y, z\"\n", "N [{p ex} {p why} {p other}] <nil> "},
	} {
		t.Run(name, func(t *testing.T) {
			store := storetest.NewOracle()
			rowsAddUp(t, mustLoadTable(t, store, loader.Options{}, c.mapping, c.table))
			if err := validate(t, compileMappingSchema(t), []byte(c.mapping)); err != nil {
				t.Error(err)
			}
			read(t, store, func(ctx context.Context, tx graph.Reader) {
				nodes, err := tx.Nodes(ctx, []string{"place/1"}, true)
				if err != nil || nodes["place/1"] == nil {
					t.Fatal(nodes, err)
				}
				n := nodes["place/1"]
				point := "<nil>"
				if n.Point != nil {
					point = fmt.Sprint(*n.Point)
				}
				if got := fmt.Sprintf("%s %v %s %s", n.Name, n.Properties, point, n.Date.EDTF); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestDecimalComma: the decimal mark is that of what stands in fields. What the
// filter number gives, and what the mapping says itself, has a point.
func TestDecimalComma(t *testing.T) {
	for _, c := range []struct{ quantity, confidence, betrag, want string }{
		{`"{betrag}"`, "0.8", "1,5", "1.5 0.8"},
		{`"{betrag|number}"`, "0.8", "1,5", "1.5 0.8"},
		{`"{betrag|number|number}"`, "1", "-1,5e1", "-15 1"},
		{`"{betrag}"`, `{value: "{land}", map: {Norland: 0.5, Sudland: 1}}`, "2", "2 0.5"},
		{`"{betrag}"`, `{value: "{land}", map: {Sudland: 0.5}, default: 0.25}`, "2", "2 0.25"},
		{`"{betrag}"`, `{value: "{none}", default: 0.25}`, "2", "2 0.25"},
		{`{value: "{land}", map: {Norland: "{betrag}", Sudland: 1}}`, `"{none|or:0.75}"`, "1,5", "1.5 0.75"},
		{`{value: "{none}", default: "{betrag|number}"}`, `"{none|or:0.75|number}"`, "1,5", "1.5 0.75"},
		{`{value: "{betrag}", map: {"1,5": 2.5}, default: 1}`, "1", "1,5", "2.5 1"},
		{`"-{betrag}"`, "1", "1,5", "-1.5 1"},
		{`"{sign}{betrag|number}"`, "1", "1,5", "-1.5 1"},
		{`"{sign}{betrag|before: }e1"`, "1", "1,5 EUR", "-15 1"},
		{`"{betrag},{cents}"`, "1", "1", "1.25 1"},
		{`"{betrag}.{cents}"`, "1", "1", "1.25 1"},
		{`"{betrag}"`, "1", "1.5", `betrag quantity: "1.5" is not a number with the decimal mark ","`},
		{`"{betrag|number}"`, "1", "1.500,5", `betrag quantity: "1.500,5" is not a number with the decimal mark ","`},
		{`"{betrag}"`, "1", "1,5,0", `betrag quantity: "1,5,0" is not a number`},
		{`"{betrag|number}"`, "1", "1,5,0", `betrag quantity: "1,5,0" is not a number`},
		{`"{betrag}"`, `"{betrag|number}"`, "1,5", `betrag confidence: 1.5 is not from 0 to 1`},
		{`"{betrag}"`, `"{betrag}"`, "1,5", `betrag confidence: 1,5 is not from 0 to 1`},
	} {
		m := `mapping: 1
dataset: d
format: {delimiter: ";", decimal: ","}
entities:
  von: {id: "person/{von|slug}", kind: Person, name: "{von}"}
  land: {id: "state/{land|slug}", kind: State, name: "{land}"}
relations:
  - {type: PRAISED, source: von, target: land, quantity: ` + c.quantity + ", unit: euros, confidence: " + c.confidence + "}\n"
		var rejects bytes.Buffer
		store := storetest.NewOracle()
		mustLoadTable(t, store, loader.Options{Rejects: &rejects}, m, "id;von;land;betrag;none;cents;sign\n1;Ada;Norland;"+c.betrag+";;25;-\n2;Bo;Sudland;1;;0;+\n")
		got := ""
		if rows, err := csv.NewReader(&rejects).ReadAll(); err != nil || len(rows) > 1 {
			got = strings.Join(rows[1][2:4], " ")
		}
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			for _, r := range relationsAt(t, ctx, tx, "person/ada") {
				got += fmt.Sprint(*r.Quantity, " ", *r.Confidence)
			}
		})
		if got != c.want {
			t.Errorf("%s %s of %s: got %s, want %s", c.quantity, c.confidence, c.betrag, got, c.want)
		}
	}
}

// TestOmittedDates: what is to be left out of a date where it will not do costs
// neither the row nor the other end, and is counted.
func TestOmittedDates(t *testing.T) {
	for _, c := range []struct{ date, row, want, note string }{
		{`{on: {value: "{a}", invalid: omit}, pattern: D/M/YYYY}`, "unknown,", "", `a: values left out: 1, of which this is the first: date: "unknown" is not a date of the form D/M/YYYY`},
		{`{on: {value: "{a}", invalid: omit}, pattern: D/M/YYYY}`, "31/2/2001,", "", "a: values left out: 1, of which this is the first: date: there is no day 31"},
		{`{on: {value: "{a}", invalid: omit}}`, "2001/2000,", "", "a: values left out: 1, of which this is the first: date: the interval ends"},
		{`{on: {value: "{a}", map: {x: 2001}, invalid: omit}}`, "y,", "", `a: values left out: 1, of which this is the first: date: "y" is not in the map`},
		{`{start: {value: "{a}", invalid: omit}, end: "{b}", pattern: [YYYY, EDTF]}`, "2001-13,2002", "/2002", "a: values left out: 1, of which this is the first: date: there is no month 13"},
		{`{start: {value: "{a}", invalid: omit}, end: "{b}", pattern: YYYY}`, "soon,2002", "/2002", `a: values left out: 1, of which this is the first: date: "soon" is not a date of the form YYYY`},
		{`{start: {value: "{a}", invalid: omit}, end: "{b}"}`, "2001/2002,2003", "/2003", `a: values left out: 1, of which this is the first: date: "2001/2002" is not a date`},
		{`{start: {value: "{a}", invalid: omit}, end: "{b}"}`, "soon,", "", "a: values left out: 1"},
		{`{start: "{a}", end: {value: "{b}", invalid: omit}}`, "2001,2002-02-30", "2001/", "b: values left out: 1, of which this is the first: date: there is no day 30"},
		{`{start: "{a}", end: {value: "{b}", invalid: omit}}`, "2001,9999-12-31", "2001/", "b: values left out: 1, of which this is the first: date: 9999-12-31 stands for no end"},
		{`{start: "{a}", end: {value: "{b}", invalid: omit}}`, "2001,2000", "2001/", "b: values left out: 1, of which this is the first: date: the interval ends"},
		{`{start: {value: "{a}", invalid: omit}, end: {value: "{b}", invalid: omit}}`, "0000,soon", "", "a: values left out: 1"},
		{`{start: "{a}", end: {value: "{b}", invalid: omit}}`, "soon,2000", "rejected", `rejected: a: date: "soon" is not a date`},
		{`{start: {value: "{a}", invalid: omit}, end: "{b}"}`, "soon,hence", "rejected", `rejected: b: date: "hence" is not a date`},
		{`{start: {value: "{a}", invalid: omit}, end: "{b}", invalid: omit}`, "soon,hence", "", "b: values left out: 1"},
		{`{start: {value: "{a}", invalid: omit}, end: "{b}", invalid: omit}`, "soon,2002", "/2002", "a: values left out: 1"},
		{`{start: "{a}", end: "{b}", invalid: omit}`, "soon,2002", "", "a: values left out: 1"},
	} {
		m := "mapping: 1\ndataset: d\nentities:\n  x: {id: \"person/{id}\", kind: Person, name: \"{id}\", date: " + c.date + "}\n"
		store := storetest.NewOracle()
		result := mustLoadTable(t, store, loader.Options{}, m, "id,a,b\n1,"+c.row+"\n2,,\n")
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			nodes, err := tx.Nodes(ctx, []string{"person/1"}, true)
			if err != nil {
				t.Fatal(err)
			}
			got := "rejected"
			if n := nodes["person/1"]; n != nil {
				got = n.Date.EDTF
			}
			if notes := notesOf(result); got != c.want || !strings.Contains(notes, c.note) {
				t.Errorf("%s of %s: got %q, want %q; notes: %s", c.date, c.row, got, c.want, notes)
			}
		})
	}
}

// TestOmittedDatePublished: where a date is left out, a relation is of the time
// when its source appeared, as if the field were empty.
func TestOmittedDatePublished(t *testing.T) {
	m := `mapping: 1
dataset: d
sources: {s: {name: A paper, published: 2020-06}}
entities:
  x: {id: "person/{id}", kind: Person, name: "{id}"}
relations:
  - {type: PRAISED, source: x, target: x, date: {on: "{a}", invalid: omit}, dateBasis: PUBLICATION, sources: s}
`
	store := storetest.NewOracle()
	mustLoadTable(t, store, loader.Options{}, m, "id,a\n1,\n2,soon\n3,2020-06-09\n")
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		for id, want := range map[string]string{"person/1": "/2020-06-30", "person/2": "/2020-06-30", "person/3": "/2020-06-09"} {
			if r := relationsAt(t, ctx, tx, id); len(r) != 1 || r[0].Date.EDTF != want {
				t.Errorf("%s: %+v", id, r)
			}
		}
	})
}

// TestComposed: letters with accents are the same in one piece and in two (as
// Macs write them), on either side.
func TestComposed(t *testing.T) {
	mapping := `mapping: 1
dataset: d
format: {missing: [n/ä]}
maps: {städte: {Köln: cgn, Büdingen: "{Größe}"}}
entities:
  x:
    id: "place/{id}"
    kind: Place
    name: "{id}"
    properties:
      größe: "{Größe}"
      ort: {value: "{Ort}", map: städte, default: other}
      teile: {value: "{Ort}", split: "ö"}
  y: {when: {column: Ort, is: Köln}, id: y, kind: Place, name: Y}
  z: {when: [{column: Ort, not: Köln}, {column: Größe, is: n/ä}], id: z, kind: Place, name: Z}
`
	table := "id,Größe,Ort\n1,groß,Köln\n2,n/ä,Büdingen\n"
	for name, c := range map[string]struct{ mapping, table string }{
		"neither": {mapping, table}, "the table": {mapping, norm.NFD.String(table)},
		"the mapping": {norm.NFD.String(mapping), table}, "both": {norm.NFD.String(mapping), norm.NFD.String(table)},
	} {
		store := storetest.NewOracle()
		mustLoadTable(t, store, loader.Options{}, c.mapping, c.table)
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			nodes, err := tx.Nodes(ctx, []string{"place/1", "place/2", "y", "z"}, true)
			if err != nil || len(nodes) != 4 {
				t.Fatal(name, nodes, err)
			}
			want := "[{größe groß} {ort cgn} {teile K} {teile ln}] [{teile Büdingen}]"
			if got := fmt.Sprint(nodes["place/1"].Properties, nodes["place/2"].Properties); got != want {
				t.Errorf("%s in two pieces: got %s, want %s", name, got, want)
			}
		})
	}
	for _, c := range []struct{ mapping, table, want string }{
		{mapping, "Title, and more\n" + table, "line 2 has one; if that is the header"},
		{mapping, "id,Größe,Größe,Ort\n", `has several columns "Größe"`},
		{strings.Replace(mapping, "Büdingen:", norm.NFD.String("Köln:"), 1), table, `the map städte has "Köln" twice`},
	} {
		_, err := loadTable(t, storetest.NewOracle(), loader.Options{}, c.mapping, strings.Replace(c.table, "Größe", norm.NFD.String("Größe"), 1))
		if got := complaints(t, err); !strings.Contains(got, c.want) {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func compileMappingSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../data/mapping.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestMappingSchema: the published schema is fresh, and the mappings that come
// with the project are right by it.
func TestMappingSchema(t *testing.T) {
	want, err := loader.MappingSchema()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../data/mapping.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate ./loader (-want +got):\n%s", diff)
	}
	files, err := filepath.Glob("../data/mappings/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	schema := compileMappingSchema(t)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, schema, raw); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if !bytes.HasPrefix(raw, []byte("# yaml-language-server: $schema=../mapping.schema.json\n")) {
			t.Errorf("%s: editors do not find the schema", file)
		}
	}
	if err := validate(t, schema, []byte(officesMapping)); err != nil {
		t.Error(err)
	}
}

// TestMappingMistakes: every mistake is found, with its place, which « marks.
func TestMappingMistakes(t *testing.T) {
	const head = "mapping: 1\ndataset: d\nentities:\n  p: {id: \"person/{id}\", kind: Person, name: \"{n}\"}\n  q: {id: \"state/{id}\", kind: State, name: \"{n}\"}\n"
	rel := func(rest string) string {
		return head + "relations:\n  - {type: LEADS, source: p, target: q" + rest + "}\n"
	}
	ent := func(rest string) string {
		return "mapping: 1\ndataset: d\nentities:\n  p: {id: \"person/{id}\", kind: Person, name: \"{n}\"" + rest + "}\n"
	}
	for _, c := range []struct {
		mapping, want string
		byLoader      bool // only the loader can tell, and not the schema
	}{
		{"«dataset: d\nentities: {p: {id: a, kind: Person, name: x}}\n", "the mapping has no mapping; it begins with mapping: 1", false},
		{strings.Replace(head, "mapping: 1", "mapping: «2", 1), "mapping must be 1", false},
		{strings.Replace(head, "dataset: d", "dataset: «D", 1), "\"D\" cannot be the name of a data set", false},
		{head + "«realtions: []\n", "the mapping has no key \"realtions\"; did you mean relations?", false},
		{"«mapping: 1\ndataset: d\n", "the mapping has no entities", false},
		{head + "format: {delimiter: «\";;\"}\n", "delimiter must be one character", false},
		{head + "format: {header: «false}\n", "without a header, columns must name", false},
		{head + "format: {skipRows: «-1}\n", "skipRows must be from 0 to 10000, but is -1", false},
		{head + "format: {skipRows: «1.5}\n", "skipRows must be a whole number, but is 1.5", false},
		{head + "format: {skipRows: «one}\n", "skipRows must be a number", false},
		{head + "format: {columns: «[a]}\n", "columns are for tables without a header", false},
		{head + "format: {header: false, columns: [a, «a]}\n", "the column a is named twice", false},
		{head + "format: {decimal: «x}\n", "decimal can be", false},
		{head + "maps: {m: «[x]}\n", "the map m must have keys and values", false},
		{head + "maps: {m: {a: «{b: c}}}\n", "the map m must be text", false},
		{head + "sources: {s: «{name: \"{n}\"}}\n", "the source s has no id; only a source without columns", true},
		{strings.Replace(head, "  p:", "  «p:", 1) + "sources: {p: {name: x}}\n", "the short name p is taken in line 6", true},
		{ent(", «nam: x"), "the entity p has no key \"nam\"; did you mean name?", false},
		{"mapping: 1\ndataset: d\nentities:\n  p: «{kind: Person, name: \"{n}\"}\n", "the entity p has no id; say what tells the entities apart, such as id: \"person/{column|slug}\"", false},
		{"mapping: 1\ndataset: d\nentities:\n  p: {id: x, kind: «Persn, name: \"{n}\"}\n", "kind cannot be \"Persn\"; did you mean Person?", false},
		{"mapping: 1\ndataset: d\nentities:\n  p: {id: x, kind: «\"{k}\", name: \"{n}\"}\n", "kind must be known beforehand", false},
		{"mapping: 1\ndataset: d\nentities:\n  p: {id: x, kind: «{value: \"{k}\", map: {a: Persn}}, name: \"{n}\"}\n", "kind cannot be \"Persn\"", true},
		{"mapping: 1\ndataset: d\nentities:\n  p: «{id: x, kind: Person}\n", "the entity p has no name; write name: \"{column}\"", false},
		{"mapping: 1\ndataset: d\nentities:\n  p: {id: «x y, kind: Person, name: \"{n}\"}\n", "an id has no blanks", true},
		{"mapping: 1\ndataset: d\nentities:\n  p: {id: x, kind: Person, name: «{n}}\n", "name must be text; put a column in quotes, since braces mean something to YAML: \"{n}\"", false},
		{ent(", description: \"a «{x\""), "description: the { is not closed", true},
		{ent(", description: \"a x«}\""), "description: there is a } without its {", true},
		{ent(", description: \"{«}\""), "description: there is no column between the braces", true},
		{ent(", description: 'a«\\'"), "description: there is nothing behind the last backslash", true},
		{ent(", description: \"{a|«slugs}\""), "description: there is no filter \"slugs\"; did you mean slug?", true},
		{ent(", description: \"{a|«before}\""), "description: the filter before needs a text", true},
		{ent(", description: \"{a|«slug:x}\""), "description: the filter slug takes nothing", true},
		{ent(", description: {value: \"{a}\", map: «nope}"), "there is no map \"nope\"", true},
		{ent(", description: «{map: {a: b}}"), "description has no value", false},
		{ent(", description: {value: \"{a}\", invalid: «skip}"), "invalid cannot be \"skip\"", false},
		{ent(", description: «{value: \"{a}\", split: \";\"}"), "description is one value; split is for lists", true},
		{ent(", description: «[x]"), "description must be text, but is a list", false},
		{ent(", description: «"), "description is empty", false},
		{ent(", when: «{column: a}"), "when says nothing of the column", false},
		{ent(", when: «{is: a}"), "when has no column", false},
		{ent(", when: «x"), "when must have keys and values", false},
		{ent(", date: «{pattern: YYYY}"), "date has no on, and neither start nor end", false},
		{ent(", date: {on: «\"{a}\", end: \"{b}\"}"), "date is either on a day or from a start to an end", false},
		{ent(", date: {on: \"{a}\", pattern: «DD.MM}"), "the pattern \"DD.MM\" must have YYYY once", true},
		{ent(", date: {on: \"{a}\", pattern: «YYYY-DD}"), "the pattern \"YYYY-DD\" has a day without its month", true},
		{ent(", date: {on: \"{a}\", pattern: «MDYYYY}"), "in the pattern \"MDYYYY\" nothing tells where M ends", true},
		{ent(", date: {on: \"{a}\", pattern: «d.m.Y}"), "\"d.m.Y\" is no pattern of dates", true},
		{ent(", point: «{latitude: \"{a}\"}"), "point has no longitude", false},
		{ent(", externalIds: {«ISO: \"{a}\"}"), "\"ISO\" cannot be the scheme of an external id", false},
		{rel(", «sorce: p"), "the relation has no key \"sorce\"; did you mean source?", false},
		{strings.Replace(rel(""), "LEADS", "«LEADZ", 1), "type cannot be \"LEADZ\"; did you mean LEADS?", true},
		{strings.Replace(rel(""), "source: p", "source: «q", 1), "the source of LEADS cannot be a State", true},
		{strings.Replace(rel(""), "target: q", "target: «p", 1), "the target of LEADS cannot be a Person", true},
		{strings.Replace(rel(""), "target: q", "target: «r", 1), "there is no entity \"r\" in this mapping; did you mean p or q?", true},
		{head + "relations:\n  - «{type: LEADS, source: p}\n", "the relation has no target", false},
		{rel(", sources: «s"), "there is no source \"s\" in this mapping; state it under sources", true},
		{rel(", sources: «p"), "sources must be a source, but p is an entity (line 4)", true},
		{rel(", status: «DONE"), "status cannot be \"DONE\"", false},
		{rel(", quantity: «\"{a}\""), "there is a quantity without a unit", false},
		{rel(", accreditedTo: «q"), "LEADS has no receiving side", true},
		{rel(", cameo: «\"042\""), "LEADS is a standing, and CAMEO codes are of acts", true},
		{head + "a: «*b\n", "this is not YAML", true},
		{ent(", description: \"{a} and {«nope}\""), "the table T has no column \"nope\"", true},
		{ent(", when: {column: «nope, is: x}"), "the table T has no column \"nope\"", true},
	} {
		before, after, found := strings.Cut(c.mapping, "«")
		if !found {
			t.Fatalf("%s: the place is not marked", c.mapping)
		}
		c.mapping = before + after
		line := before[strings.LastIndex(before, "\n")+1:]
		_, err := loadTable(t, storetest.NewOracle(), loader.Options{}, c.mapping, "id,n,a,b,k\n1,N,,,\n")
		want := fmt.Sprintf("m.yaml:%d:%d: %s", 1+strings.Count(before, "\n"), 1+len(line), c.want)
		if got := clean(complaints(t, err)); !strings.Contains("\n"+got, "\n"+want) {
			t.Errorf("%s\n got %swant %s", c.mapping, got, want)
		}
		if strings.Contains(c.want, "not YAML") {
			continue
		}
		if err := validate(t, compileMappingSchema(t), []byte(c.mapping)); (err == nil) != c.byLoader {
			t.Errorf("%s: the schema says: %v", c.mapping, err)
		}
	}
	for _, good := range []string{head, ent(""), rel(""), officesMapping, plainMapping} {
		if err := validate(t, compileMappingSchema(t), []byte(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// TestTableInterrupted: a load that is stopped goes on to the state of an
// undisturbed one, from whatever packing.
func TestTableInterrupted(t *testing.T) {
	var text strings.Builder
	text.WriteString("id,name,from,to,lat,lon\n")
	text.WriteString(good2(1_200) + good2(10))
	want, store := every.SQLite(t), every.SQLite(t)
	mustLoadTable(t, want, loader.Options{}, plainMapping, text.String())
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	_, _ = io.WriteString(gz, text.String())
	_ = gz.Close()
	file := write(t, "t.csv.gz", packed.String())
	o := loader.Options{Mapping: write(t, "m.yaml", plainMapping), BatchSize: 1_000}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := o
	stopped.Progress = stopAfter{o.BatchSize, cancel}
	if _, err := loader.Load(ctx, store, []string{file}, stopped); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Fatalf("%v", err)
	}
	result := loadFiles(t, store, o, file)
	if rows := rowsAddUp(t, result); !result.Loads[0].Resumed || rows.Duplicate != 10 || rows.Read != 1_210 {
		t.Errorf("%+v", result.Loads[0])
	}
	if diff := stateOf(t, want, "d").WithoutMoments().Diff(stateOf(t, store, "d").WithoutMoments()); diff != "" {
		t.Error(diff)
	}
}

// TestWorkedExamples loads the tables that the project's mappings are for.
func TestWorkedExamples(t *testing.T) {
	data := os.Getenv("CHANCERY_DATA")
	if data == "" {
		t.Skip("the worked examples are not loaded: set CHANCERY_DATA to the folder that holds reference/archigos-leaders.csv, capitals.csv and power-plants.csv.gz")
	}
	store := every.SQLite(t)
	for _, c := range []struct {
		mapping, table string
		want           loader.Rows
		kinds          map[graph.Kind]int
		relations      int
	}{
		{"archigos.yaml", "archigos-leaders.csv", loader.Rows{Read: 3409, Created: 3409}, map[graph.Kind]int{graph.KindPerson: 2805, graph.KindState: 188}, 3409},
		{"capitals.yaml", "capitals.csv", loader.Rows{Read: 264, Created: 264}, map[graph.Kind]int{graph.KindPlace: 239, graph.KindState: 226}, 264},
		{"power-plants.yaml", "power-plants.csv.gz", loader.Rows{Read: 24553, Created: 23505, Duplicate: 1047, Rejected: 1},
			map[graph.Kind]int{graph.KindFacility: 23505, graph.KindState: 132, graph.KindOrganization: 6121}, 37048},
	} {
		file := filepath.Join(data, "reference", c.table)
		o := loader.Options{Mapping: filepath.Join("../data/mappings", c.mapping)}
		result := loadFiles(t, store, o, file)
		if got := rowsAddUp(t, result); !cmp.Equal(c.want, got) || got.Read != rowsOf(t, file) {
			t.Errorf("%s: %+v; the file has %d rows", c.table, got, rowsOf(t, file))
		}
		l := result.Loads[0]
		if !cmp.Equal(c.kinds, l.Rows.Kinds) || l.Relations.Created != c.relations {
			t.Errorf("%s: %+v %+v", c.table, l.Rows.Kinds, l.Relations)
		}
		again := loadFiles(t, store, o, file)
		if got := rowsAddUp(t, again); again.Changes() != 0 || got.Unchanged != c.want.Created {
			t.Errorf("%s: the second load changed %d things: %+v", c.table, again.Changes(), got)
		}
	}
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		nodes, err := tx.Nodes(ctx, []string{"state/gw-2", "facility/power-plant-1002170-fierza"}, true)
		if err != nil {
			t.Fatal(err)
		}
		if n := nodes["state/gw-2"]; n.Name != "United States of America" || !cmp.Equal(n.Aliases, []string{"USA"}) {
			t.Errorf("%+v", n)
		}
		plant := nodes["facility/power-plant-1002170-fierza"]
		wantProperties := []graph.Property{{Name: "capacityMW", Value: "500"}, {Name: "commissioned", Value: "1978"}, {Name: "fuel", Value: "Hydropower"}}
		if !cmp.Equal(plant.Properties, wantProperties) || plant.Date.EDTF != "1978/" || *plant.Point != (graph.Point{Latitude: 42.25139, Longitude: 20.04306}) {
			t.Errorf("%+v", plant)
		}
		if at := relationsAt(t, ctx, tx, plant.ID); len(at) != 1 || at[0].Type != "LOCATED_IN" || at[0].Target != "state/albania" {
			t.Errorf("%+v", at)
		}
		terms, err := tx.Relations(ctx, &graph.RelationQuery{Anchor: graph.AnchorEntity, IDs: []string{"state/gw-2"}, Filter: graph.RelationFilter{Types: []string{"LEADS"}}, Order: graph.OldestFirst, Limit: 100, Detail: true})
		if err != nil || len(terms[0].Rows) == 0 {
			t.Fatal(terms, err)
		}
		first, last := terms[0].Rows[0], terms[0].Rows[len(terms[0].Rows)-1]
		if first.Date.EDTF != "1869-03-04/1877-03-04" || first.Note != "Entry: Regular. Exit: Regular (Regular)." || first.ID != "archigos/usa-1869" {
			t.Errorf("%+v", first)
		}
		if last.Date.EDTF != "2009-01-20/.." || last.Date.CertainTo.String() != "2015-12-31" {
			t.Errorf("%+v", last)
		}
	})
}

// rowsOf counts the rows of a well-formed table in another way.
func rowsOf(t testing.TB, file string) int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var in io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return len(rows) - 1
}

// FuzzTable: no table makes the loader fail in another way than by saying what
// is wrong, and its rows are all accounted for.
func FuzzTable(f *testing.F) {
	lines := strings.SplitAfter(officesTable, "\n")
	for _, line := range lines[1:] {
		f.Add(line)
	}
	f.Add("a,\"A\n1,\"\",\"\n,,\"\"\"\n")
	f.Add("\xff,\x00,\"9999-12-31\n")
	f.Fuzz(func(t *testing.T, rows string) {
		for _, m := range []string{officesMapping, strings.Replace(officesMapping, "missing: [NA]", "quotes: false", 1)} {
			store := storetest.NewOracle()
			result, err := loadTable(t, store, loader.Options{}, m, lines[0]+rows)
			if err != nil {
				complaints(t, err)
				continue
			}
			first := rowsAddUp(t, result)
			again, err := loadTable(t, store, loader.Options{}, m, lines[0]+rows)
			if err != nil || again.Changes() != 0 || rowsAddUp(t, again).Unchanged != first.Created {
				t.Errorf("the second load: %+v %v", again, err)
			}
		}
	})
}

// TestTableExample: the example in the documentation is what the project has,
// and does what the page says.
func TestTableExample(t *testing.T) {
	page, err := os.ReadFile("../docs/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	var rejects bytes.Buffer
	result := loadFiles(t, every.SQLite(t), loader.Options{Mapping: "../data/mappings/offices.yaml", Rejects: &rejects}, "../data/mappings/offices.csv")
	var report bytes.Buffer
	if err := result.WriteText(&report); err != nil {
		t.Fatal(err)
	}
	said, _, _ := strings.Cut(report.String(), "recorded at")
	parts := []string{strings.TrimPrefix(said, "../"), strings.TrimPrefix(result.Loads[0].Notes[0].Error(), "../data/mappings/offices.csv:5: ")}
	for _, file := range []string{"../data/mappings/offices.yaml", "../data/mappings/offices.csv"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(text))
	}
	for _, part := range parts {
		if !strings.Contains(string(page), part) {
			t.Errorf("docs/tables.md lacks\n%s", part)
		}
	}
	checkRejects(t, &rejects, []string{"5 until date: there is no day 31"})
}
