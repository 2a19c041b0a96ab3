package loader_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

const icewsHeader = "Event ID\tEvent Date\tSource Name\tSource Sectors\tSource Country\tEvent Text\tCAMEO Code\tIntensity\tTarget Name\tTarget Sectors\t" +
	"Target Country\tStory ID\tSentence Number\tPublisher\tCity\tDistrict\tProvince\tCountry\tLatitude\tLongitude\n"

// icewsText has a meeting told from both sides, a row that occurs twice, one that occurs
// twice with another place, and actors of every kind.
const icewsText = icewsHeader +
	"1\t2018-06-01\tAda Lund\tElite,Government\tNorway\tConsult\t040\t1\tMilitary (Russia)\tMilitary,Government\tRussia\t77\t2\tThe Daily\tOslo\tNA\tOslo\tNorway\t59.9\t10.7\n" +
	"2\t2018-06-01\tMilitary (Russia)\tMilitary,Government\tRussia\tConsult\t040\t1\tAda Lund\tElite,Government\tNorway\t77\t2\tThe Daily\tOslo\tNA\tOslo\tNorway\t59.9\t10.7\n" +
	"3\t2018-06-02\tCitizen (Malaysia)\tGeneral Population / Civilian / Social,Social\tMalaysia\tCriticize or denounce\t111\t-2\tCôte d'Ivoire\tNA\tCote d'Ivoire\t78\t1\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n" +
	"3\t2018-06-02\tCitizen (Malaysia)\tGeneral Population / Civilian / Social,Social\tMalaysia\tCriticize or denounce\t111\t-2\tCôte d'Ivoire\tNA\tCote d'Ivoire\t78\t1\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n" +
	"3\t2018-06-02\tCitizen (Malaysia)\tGeneral Population / Civilian / Social,Social\tMalaysia\tCriticize or denounce\t111\t-2\tBen Roth\tGovernment\tNA\t78\t1\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n"

func loadFiles(t testing.TB, store graph.Store, o loader.Options, files ...string) *loader.Result {
	t.Helper()
	result, err := loader.Load(t.Context(), store, files, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func rowsAddUp(t testing.TB, result *loader.Result) (sum loader.Rows) {
	t.Helper()
	for _, l := range result.Loads {
		if l.Rows == nil {
			t.Fatalf("%s has no rows", l.File)
		}
		r := *l.Rows
		if r.Read != r.Created+r.Changed+r.Unchanged+r.Duplicate+r.Rejected {
			t.Errorf("%s: %+v does not add up", l.File, r)
		}
		sum.Read += r.Read
		sum.Created += r.Created
		sum.Changed += r.Changed
		sum.Unchanged += r.Unchanged
		sum.Duplicate += r.Duplicate
		sum.Rejected += r.Rejected
	}
	return sum
}

func TestICEWS(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		file := write(t, "events.tab", icewsText)
		got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, file))
		if want := (loader.Rows{Read: 5, Created: 4, Duplicate: 1}); !cmp.Equal(want, got) {
			t.Fatalf("%+v", got)
		}
		got = rowsAddUp(t, loadFiles(t, store, loader.Options{}, file))
		if want := (loader.Rows{Read: 5, Unchanged: 4, Duplicate: 1}); !cmp.Equal(want, got) {
			t.Fatalf("the second time: %+v", got)
		}
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			nodes, err := tx.Nodes(ctx, []string{"icews/ada-lund", "icews/military-russia", "icews/russia", "icews/citizen-malaysia", "icews/cote-divoire", "icews/ben-roth"}, true)
			if err != nil {
				t.Fatal(err)
			}
			kinds := map[string]graph.Kind{}
			for id, n := range nodes {
				kinds[id] = n.Kind
			}
			want := map[string]graph.Kind{"icews/ada-lund": graph.KindPerson, "icews/military-russia": graph.KindOrganization, "icews/russia": graph.KindState,
				"icews/citizen-malaysia": graph.KindGroup, "icews/cote-divoire": graph.KindState, "icews/ben-roth": graph.KindUndecided}
			if diff := cmp.Diff(want, kinds); diff != "" {
				t.Fatal(diff)
			}
			if ids := nodes["icews/cote-divoire"].ExternalIDs; !cmp.Equal(ids, []graph.ExternalID{{Scheme: "iso3166", Value: "CIV"}}) {
				t.Error(ids)
			}
			acts := relationsAt(t, ctx, tx, "icews/military-russia")
			if len(acts) != 3 || acts[0].Type != "CONSULTED" || acts[1].Type != "CONSULTED" || acts[2].Type != "PART_OF" || acts[2].Target != "icews/russia" {
				t.Fatalf("%+v", acts)
			}
			a, b := acts[0], acts[1]
			if a.Source == b.Source || a.Event == "" || a.Event != b.Event || a.CAMEO != "040" || *a.Goldstein != 1 || len(a.Places) != 1 ||
				a.Citations[0].Source != "icews/story/77" || !strings.HasPrefix(a.ID, "icews/record/") {
				t.Errorf("%+v\n%+v", a, b)
			}
		})
		// Another file adds to what is there: nothing is withdrawn, and what is said
		// of an entity is united, in whatever order the files come.
		more := write(t, "more.tab", icewsHeader+strings.ReplaceAll(strings.Split(icewsText, "\n")[1], "1\t2018-06-01\tAda Lund\tElite", "9\t2018-06-03\tADA LUND\tParties")+"\n")
		got = rowsAddUp(t, loadFiles(t, store, loader.Options{}, more))
		if want := (loader.Rows{Read: 1, Created: 1}); !cmp.Equal(want, got) {
			t.Fatalf("%+v", got)
		}
		for _, f := range []string{file, more, file} {
			if result := loadFiles(t, store, loader.Options{}, f); result.Changes() != 0 {
				t.Errorf("%s changed %d things", f, result.Changes())
			}
		}
	})
}

func TestTKG(t *testing.T) {
	every.Store(t, func(t *testing.T, store graph.Store) {
		file := write(t, "q.tsv", "Citizen_(Kenya)\tMake_a_visit\tNorway\t2014-02-28\r\nNorway\tHost_a_visit\tCitizen_(Kenya)\t2014-02-28\r\n"+
			"Norway\tEngage_in_diplomatic_cooperation\tAda_Lund\t2014-03-01\nNorway\tEngage in diplomatic cooperation\tAda Lund\t2014-03-01\n")
		got := rowsAddUp(t, loadFiles(t, store, loader.Options{Dataset: "mine"}, file))
		if want := (loader.Rows{Read: 4, Created: 3, Duplicate: 1}); !cmp.Equal(want, got) {
			t.Fatalf("%+v", got)
		}
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			acts := relationsAt(t, ctx, tx, "mine/citizen-kenya")
			if len(acts) != 3 || acts[0].Event == "" || acts[0].Event != acts[1].Event || acts[2].Type != "PART_OF" {
				t.Fatalf("%+v", acts)
			}
			if types := []string{acts[0].Type, acts[1].Type}; !strings.Contains("VISITED HOSTED VISITED", strings.Join(types, " ")) {
				t.Error(types)
			}
		})
	})
}

// TestVisits: a visit and its hosting are one event, and the visit in return is
// another; what both do is one, whoever is said to do it.
func TestVisits(t *testing.T) {
	header, _, _ := strings.Cut(polecatText(t), "\n")
	rows := map[string]func(i int, source, code, target string) string{
		"tkg": func(_ int, source, code, target string) string {
			return source + "\t" + map[string]string{"042": "Make a visit", "043": "Host a visit", "040": "Consult"}[code] + "\t" + target + "\t2018-06-01"
		},
		"icews": func(i int, source, code, target string) string {
			return itoa(i) + "\t2018-06-01\t" + source + "\tNA\tNA\tX\t" + code + "\t1\t" + target + "\tNA\tNA\t7\t1\tNA\tNA\tNA\tNA\tNA\tNA\tNA"
		},
		"gdelt": func(i int, source, code, target string) string {
			return gdeltRow(map[int]string{0: itoa(i), 5: "X", 6: source, 7: "", 15: "X", 16: target, 17: "", 26: code, 28: code[:2]})
		},
		"polecat": func(i int, source, code, target string) string {
			f := strings.Split(header, "\t")
			mode := "visit"
			switch code {
			case "043": // PLOVER has no hosting
				source, target = target, source
			case "040":
				mode = "NA"
			}
			for column, name := range f {
				f[column] = map[string]string{"Event ID": "S_" + itoa(i), "Event Date": "2018-06-01", "Event Type": "CONSULT", "Event Mode": mode, "Actor Name": source, "Recipient Name": target}[name]
			}
			return strings.Join(f, "\t")
		},
	}
	for format, row := range rows {
		text := ""
		if format == "polecat" {
			text = header + "\n"
		}
		for i, act := range [][3]string{{"Russia", "042", "China"}, {"China", "043", "Russia"}, {"China", "042", "Russia"}, {"Russia", "043", "China"}, {"Russia", "040", "China"}, {"China", "040", "Russia"}} {
			text += row(i, act[0], act[1], act[2]) + "\n"
		}
		state := loadAndDumpOf(t, format, write(t, "visits", text))
		events, names := map[string][]string{}, map[string]string{}
		for _, versions := range state.Versions {
			if r := versions[0]; r.Event != "" {
				host := strings.TrimPrefix(r.Source, format+"/")
				if r.Type == "VISITED" {
					host = strings.TrimPrefix(r.Target, format+"/")
				}
				if r.Type == "CONSULTED" {
					host = "both"
				}
				if !slices.Contains(events[host], r.Event) {
					events[host] = append(events[host], r.Event)
				}
				names[host] = state.Nodes[r.Event].Name
			}
		}
		if len(events) != 3 || len(events["china"]) != 1 || len(events["russia"]) != 1 || len(events["both"]) != 1 || events["china"][0] == events["russia"][0] {
			t.Errorf("%s: %v", format, events)
		}
		if want := map[string]string{"china": "Host a visit: China, Russia", "russia": "Host a visit: Russia, China", "both": "Consult: China, Russia"}; !cmp.Equal(want, names) {
			t.Errorf("%s: %v", format, names)
		}
	}
}

// TestFeedInputs: packed files, directories and standard input are the same rows.
func TestFeedInputs(t *testing.T) {
	plain := loadAndDump(t, loader.Options{}, write(t, "events.tab", icewsText))
	dir := t.TempDir()
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	_, _ = gz.Write([]byte(icewsText))
	_ = gz.Close()
	put(t, filepath.Join(dir, "gz", "events.gz"), packed.Bytes())
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "zst", "events"), encoder.EncodeAll([]byte(icewsText), nil))
	plain = plain.WithoutMoments()
	for name, dump := range map[string]loadertest.State{
		"gzip":           loadAndDump(t, loader.Options{}, filepath.Join(dir, "gz", "events.gz")),
		"zstd":           loadAndDump(t, loader.Options{Format: "icews"}, filepath.Join(dir, "zst", "events")),
		"directory":      loadAndDump(t, loader.Options{}, dir),
		"standard input": loadAndDump(t, loader.Options{Stdin: bytes.NewReader(packed.Bytes())}, loader.StandardInput),
		"BOM, CRLF":      loadAndDump(t, loader.Options{}, write(t, "crlf.tab", "\ufeff"+strings.ReplaceAll(icewsText, "\n", "\r\n"))),
	} {
		dump = dump.WithoutMoments()
		dump.Dataset = plain.Dataset // the hash of the input is of its bytes
		if diff := cmp.Diff(plain, dump); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// A file that is cut short is found before anything is written.
	put(t, filepath.Join(dir, "gz", "events.gz"), packed.Bytes()[:packed.Len()/2])
	store := every.SQLite(t)
	_, err = loader.Load(t.Context(), store, []string{filepath.Join(dir, "gz")}, loader.Options{Format: "icews"})
	if err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("%v", err)
	}
}

// TestRejects: bad rows are listed with line, column and reason, and nothing
// else is lost for them.
func TestRejects(t *testing.T) {
	good := strings.Split(icewsText, "\n")[3]
	alter := func(column int, text string) string {
		f := strings.Split(good, "\t")
		f[column] = text
		return strings.Join(f, "\t")
	}
	cases := []struct{ line, column, reason string }{
		{"a\tb", "", "has 2 columns"},
		{good + "\tmore", "", "has 21 columns"},
		{alter(0, "x1"), "Event ID", "not a number"},
		{alter(1, "0000-01-01"), "Event Date", "not a day"},
		{alter(1, "9999-12-31"), "Event Date", "not a day"},
		{alter(1, "2018-02-29"), "Event Date", "not a day"},
		{alter(2, "NA"), "Source Name", "missing"},
		{alter(8, "???"), "Target Name", "no name"},
		{alter(8, strings.Repeat("x", 401)), "Target Name", "at most 400"},
		{alter(6, "99"), "CAMEO Code", "not a CAMEO code"},
		{alter(7, "Inf"), "Intensity", "from -10 to 10"},
		{strings.TrimSuffix(alter(14, "Oslo"), "NA\tNA") + "91\t0", "Latitude", "-90 to 90"},
		{strings.TrimSuffix(alter(14, "Oslo"), "NA\tNA") + "9\tx", "Longitude", "degrees"},
		{alter(2, "A\x00B"), "", "U+0000"},
		{alter(2, "A\xffB"), "", "UTF-8"},
		{alter(2, strings.Repeat("y", 2<<20)), "", "longer than"},
	}
	text := icewsHeader
	for _, c := range cases {
		text += c.line + "\n"
	}
	file := write(t, "bad.tab", text+good+"\n")
	var rejects bytes.Buffer
	store := every.SQLite(t)
	result := loadFiles(t, store, loader.Options{Rejects: &rejects}, file)
	if got, want := rowsAddUp(t, result), (loader.Rows{Read: len(cases) + 1, Created: 1, Rejected: len(cases)}); !cmp.Equal(want, got) {
		t.Errorf("%+v", got)
	}
	rows, err := csv.NewReader(&rejects).ReadAll()
	if err != nil || len(rows) != len(cases)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, c := range cases {
		row := rows[i+1]
		if row[1] != []string{"2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17"}[i] || row[2] != c.column || !strings.Contains(row[3], c.reason) || len(row[4]) > 5000 {
			t.Errorf("%q, want %s: %s", row[:4], c.column, c.reason)
		}
	}
	few := 3
	if _, err := loader.Load(t.Context(), every.SQLite(t), []string{file}, loader.Options{MaxRejects: &few}); err == nil || !strings.Contains(err.Error(), "more than 3 rows are bad") {
		t.Errorf("%v", err)
	}
	for text, want := range map[string]string{"a\tb\tc\t2018-01-01\n": "it looks like tkg", "dataset: x\n": "it looks like dataset", "\x00\x01": "binary"} {
		_, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "f", text)}, loader.Options{Format: "icews"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestFeedBeginnings: a bad first row is rejected, and its file is not refused.
func TestFeedBeginnings(t *testing.T) {
	_, icewsRows, _ := strings.Cut(icewsText, "\n")
	tkgRow := "Norway\tConsult\tSweden\t2014-01-01\n"
	long := strings.Repeat("A\tConsult\tB\t2014-02-30\n", 30) // no line is good among the first
	for name, c := range map[string]struct {
		format, text string
		want         loader.Rows
	}{
		"tkg, a bad day":           {"", "A\tConsult\tB\t2014-02-30\n" + tkgRow, loader.Rows{Read: 2, Created: 1, Rejected: 1}},
		"tkg, columns":             {"", "A\tB\n" + tkgRow, loader.Rows{Read: 2, Created: 1, Rejected: 1}},
		"tkg, named":               {"tkg", "A\tB\n" + tkgRow, loader.Rows{Read: 2, Created: 1, Rejected: 1}},
		"tkg, many":                {"tkg", long + tkgRow, loader.Rows{Read: 31, Created: 1, Rejected: 30}},
		"icews, a bad day":         {"", strings.Replace(icewsRows, "2018-06-01", "2018-06-31", 1), loader.Rows{Read: 5, Created: 3, Duplicate: 1, Rejected: 1}},
		"icews, columns":           {"icews", "A\tB\n" + icewsRows, loader.Rows{Read: 6, Created: 4, Duplicate: 1, Rejected: 1}},
		"icews, an empty line":     {"", "\n\r\n" + icewsText, loader.Rows{Read: 5, Created: 4, Duplicate: 1}},
		"icews, named, empty line": {"icews", "\n" + icewsText, loader.Rows{Read: 5, Created: 4, Duplicate: 1}},
		"gdelt, many":              {"gdelt", strings.Repeat(gdeltRow(map[int]string{1: "x"})+"\n", 25) + gdeltRow(nil) + "\n", loader.Rows{Read: 26, Created: 1, Rejected: 25}},
		"polecat, an empty line":   {"", "\n" + polecatText(t), loader.Rows{Read: 10, Created: 8, Duplicate: 1, Rejected: 1}},
	} {
		result, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "f", c.text)}, loader.Options{Format: c.format})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := rowsAddUp(t, result); !cmp.Equal(c.want, got) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for text, want := range map[string]string{
		long:                                   "none of its 30 rows can be read as tkg",
		"a\tb\tc\tdate\nx\ty\tz\t2014-01-01\n": "write a mapping", // another table
	} {
		format := map[bool]string{true: "tkg"}[text == long]
		_, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "f", text)}, loader.Options{Format: format})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestUTF16: of text in UTF-16, the loader says that it is.
func TestUTF16(t *testing.T) {
	for _, text := range []string{icewsText, "Norway\tConsult\tSweden\t2014-01-01\n", gdeltText} {
		for _, mark := range []string{"", "\ufeff"} {
			for _, big := range []bool{true, false} {
				var file []byte
				for _, u := range utf16.Encode([]rune(mark + text)) {
					if pair := []byte{byte(u >> 8), byte(u)}; big {
						file = append(file, pair...)
					} else {
						file = append(file, pair[1], pair[0])
					}
				}
				for _, format := range []string{"", "icews", "tkg"} {
					_, err := loader.Load(t.Context(), every.SQLite(t), []string{write(t, "f", string(file))}, loader.Options{Format: format})
					if err == nil || !strings.Contains(err.Error(), "the file is in UTF-16; save it as UTF-8") {
						t.Errorf("%.9q as %q: %v", file, format, err)
					}
				}
			}
		}
	}
}

// TestFeedForms: headers that are repeated, as where packed files were put one behind
// the other, are no rows, and neither is an empty column behind the last.
func TestFeedForms(t *testing.T) {
	quad := "A\tConsult\tB\t2018-06-01\n"
	icewsRows := strings.TrimPrefix(icewsText, icewsHeader)
	old, older := gdeltOld(gdeltRow(nil), 58)+"\n", gdeltOld(gdeltRow(nil), 57)+"\n"
	gdeltHead := "GLOBALEVENTID\tEventCode\tSQLDATE\tActor1Code\tActor1Name\tActor2Code\tActor2Name\n"
	padded := func(text string) string { return strings.ReplaceAll(text, "\n", "\t\n") }
	for name, c := range map[string]struct {
		format, text string
		want         loader.Rows
	}{
		"headers":         {"icews", icewsText + "\ufeff" + icewsText, loader.Rows{Read: 10, Created: 4, Duplicate: 6}},
		"header of tkg":   {"tkg", "subject\tevent\tobject\tdate\n" + quad + "subject\tevent\tobject\tdate\n" + quad, loader.Rows{Read: 2, Created: 1, Duplicate: 1}},
		"no header":       {"tkg", quad + "A\tConsult\tB\t2018-06-31\nA\tConsult\tB\tdate\n", loader.Rows{Read: 3, Created: 1, Rejected: 2}},
		"another header":  {"icews", icewsText + "Event ID\tEvent Date\n", loader.Rows{Read: 6, Created: 4, Duplicate: 1, Rejected: 1}},
		"padded icews":    {"icews", padded(icewsText), loader.Rows{Read: 5, Created: 4, Duplicate: 1}},
		"without header":  {"icews", padded(icewsRows), loader.Rows{Read: 5, Created: 4, Duplicate: 1}},
		"more columns":    {"icews", icewsText + strings.ReplaceAll(icewsRows, "\n", "\t\t\n"), loader.Rows{Read: 10, Created: 4, Duplicate: 1, Rejected: 5}},
		"a further value": {"icews", icewsText + strings.ReplaceAll(icewsRows, "\n", "\tx\n"), loader.Rows{Read: 10, Created: 4, Duplicate: 1, Rejected: 5}},
		"padded gdelt 61": {"gdelt", padded(gdeltRow(nil) + "\n"), loader.Rows{Read: 1, Created: 1}},
		"padded gdelt 58": {"gdelt", padded(old), loader.Rows{Read: 1, Created: 1}},
		"padded gdelt 57": {"gdelt", padded(older), loader.Rows{Read: 1, Created: 1}},
		"named gdelt":     {"gdelt", gdeltHead + padded("9\t051\t20180601\tNOR\tNORWAY\tSWE\tSWEDEN\n"), loader.Rows{Read: 1, Created: 1}},
		"padded tkg":      {"tkg", padded(quad), loader.Rows{Read: 1, Created: 1}},
	} {
		for _, format := range []string{"", c.format} {
			got := rowsAddUp(t, loadFiles(t, every.SQLite(t), loader.Options{Format: format}, write(t, "f", c.text)))
			if !cmp.Equal(c.want, got) {
				t.Errorf("%s, format %q: %+v", name, format, got)
			}
		}
	}
}

// TestFeedInterrupted: a load that is stopped goes on to the state of an
// undisturbed one.
func TestFeedInterrupted(t *testing.T) {
	var text strings.Builder
	text.WriteString(icewsHeader)
	lines := strings.Split(strings.TrimSpace(icewsText), "\n")[1:]
	for i := range 1_200 {
		f := strings.SplitN(lines[i%len(lines)], "\t", 2)
		text.WriteString(f[0] + strings.Repeat("0", 1+i%7) + strings.Repeat("1", i%5) + "\t" + f[1] + "\n")
		text.WriteString("5" + strings.Repeat("4", 3) + itoa(i) + "\t" + f[1] + "\n")
	}
	file := write(t, "events.tab", text.String())
	o := loader.Options{BatchSize: 1_000}
	want := loadAndDump(t, o, file)
	store := every.SQLite(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := loader.Load(ctx, store, []string{file}, loader.Options{BatchSize: o.BatchSize, Progress: stopAfter{o.BatchSize, cancel}})
	if err == nil || !regexp.MustCompile(`^interrupted in .* after [0-9]+ of 2400 rows; load the same again`).MatchString(err.Error()) {
		t.Fatalf("%v", err)
	}
	result := loadFiles(t, store, o, file)
	rowsAddUp(t, result)
	if !result.Loads[0].Resumed {
		t.Error("the load began anew")
	}
	if diff := want.WithoutMoments().Diff(dump(t, store).WithoutMoments()); diff != "" {
		t.Error(diff)
	}
}

// stopAfter stops a load behind the first full batch.
type stopAfter struct {
	batch  int // its size
	cancel func()
}

func (stopAfter) Begin(string, string, int) {}
func (s stopAfter) Add(n int) {
	if n >= s.batch {
		s.cancel()
	}
}
func (stopAfter) End() {}

// TestFeedData loads the files of the folder that CHANCERY_DATA names.
func TestFeedData(t *testing.T) {
	data := os.Getenv("CHANCERY_DATA")
	if data == "" {
		data = "../../shared/data"
	}
	for _, c := range []struct {
		files string
		rows  int
		long  bool
	}{{"icews-raw", 3705, false}, {"icews14", 90730, true}} {
		path := filepath.Join(data, c.files)
		if _, err := os.Stat(path); err != nil {
			t.Skipf("%v; CHANCERY_DATA names the folder of the data", err)
		}
		if c.long && testing.Short() {
			continue
		}
		store := every.SQLite(t)
		got := rowsAddUp(t, loadFiles(t, store, loader.Options{}, path))
		if got.Read != c.rows || got.Created != c.rows {
			t.Errorf("%s: %+v", path, got)
		}
		if again := loadFiles(t, store, loader.Options{}, path); again.Changes() != 0 {
			t.Errorf("%s: the second load changed %d things", path, again.Changes())
		}
	}
}

func FuzzRows(f *testing.F) {
	for line := range strings.Lines(icewsText) {
		f.Add(line)
	}
	f.Add("Citizen_(Kenya)\tMake_a_visit\tNorway\t2014-02-28")
	f.Fuzz(func(t *testing.T, line string) {
		for _, format := range []string{"icews", "tkg"} {
			header := map[string]string{"icews": icewsHeader, "tkg": "Norway\tConsult\tSweden\t2014-01-01\n"}[format]
			file := filepath.Join(t.TempDir(), "rows")
			put(t, file, []byte(header+line))
			result, err := loader.Load(t.Context(), every.SQLite(t), []string{file}, loader.Options{Format: format})
			if err == nil {
				rowsAddUp(t, result)
			}
		}
	})
}

func itoa(i int) string {
	var digits []byte
	for n := i + 10_000; n > 0; n /= 10 {
		digits = append(digits, byte('0'+n%10))
	}
	return string(digits)
}

func put(t testing.TB, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, store graph.Store, fn func(context.Context, graph.Reader)) {
	t.Helper()
	if err := store.Read(t.Context(), func(tx graph.Reader) error { fn(t.Context(), tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func relationsAt(t testing.TB, ctx context.Context, tx graph.Reader, id string) []*graph.Relation {
	t.Helper()
	pages, err := tx.Relations(ctx, &graph.RelationQuery{Anchor: graph.AnchorEntity, IDs: []string{id}, Order: graph.NewestFirst, Limit: 10, Detail: true})
	if err != nil {
		t.Fatal(err)
	}
	return pages[0].Rows
}

func dump(t testing.TB, store graph.Store) loadertest.State {
	t.Helper()
	state, err := loadertest.ReadState(t.Context(), store, "icews")
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func loadAndDump(t testing.TB, o loader.Options, file string) loadertest.State {
	t.Helper()
	store := every.SQLite(t)
	loadFiles(t, store, o, file)
	return dump(t, store)
}

// TestFeedCorrected: of rows that say the same thing again, the last one counts,
// in one file as from one file to the next.
func TestFeedCorrected(t *testing.T) {
	first, last := gdeltRow(map[int]string{31: "3"})+"\n", gdeltRow(map[int]string{31: "99"})+"\n"
	for name, c := range map[string]struct {
		o     loader.Options
		files []string
		want  loader.Rows
	}{
		"one file":  {loader.Options{}, []string{write(t, "g.tsv", first+last)}, loader.Rows{Read: 2, Created: 1, Duplicate: 1}},
		"two files": {loader.Options{}, []string{write(t, "1.tsv", first), write(t, "2.tsv", last)}, loader.Rows{Read: 2, Created: 1, Changed: 1}},
		"whole":     {loader.Options{Edition: loader.EditionWhole}, []string{write(t, "1.tsv", first), write(t, "2.tsv", last)}, loader.Rows{Read: 2, Created: 1, Duplicate: 1}},
	} {
		store := every.SQLite(t)
		if got := rowsAddUp(t, loadFiles(t, store, c.o, c.files...)); !cmp.Equal(c.want, got) {
			t.Errorf("%s: %+v", name, got)
		}
		read(t, store, func(ctx context.Context, tx graph.Reader) {
			if acts := relationsAt(t, ctx, tx, "gdelt/norway"); len(acts) != 1 || !strings.Contains(acts[0].Note, "mentions 99") {
				t.Errorf("%s: %+v", name, acts)
			}
		})
	}
}

// TestICEWSCodes: the zero that a program dropped is restored, so that a row
// does not become another act.
func TestICEWSCodes(t *testing.T) {
	row := func(id, text, code string) string {
		return id + "\t2018-06-01\tA Co\tNA\tNA\t" + text + "\t" + code + "\t0\tB Co\tNA\tNA\t1\t1\tD\tNA\tNA\tNA\tNA\tNA\tNA\n"
	}
	store := every.SQLite(t)
	// The first line is what the format is recognised by.
	text := row("1", "Consult", "40") + row("2", "Make optimistic comment", "13") + row("3", "Make statement", "10") + row("4", "Demand", "10") + row("5", "Use unconventional violence", "18")
	if got, want := rowsAddUp(t, loadFiles(t, store, loader.Options{}, write(t, "e.tab", text))), (loader.Rows{Read: 5, Created: 5}); !cmp.Equal(want, got) {
		t.Fatalf("%+v", got)
	}
	read(t, store, func(ctx context.Context, tx graph.Reader) {
		got := map[string]string{}
		for _, act := range relationsAt(t, ctx, tx, "icews/a-co") {
			id, _, _ := strings.Cut(strings.TrimPrefix(act.ID, "icews/record/"), "-")
			got[id] = act.CAMEO
		}
		if diff := cmp.Diff(map[string]string{"1": "040", "2": "013", "3": "010", "4": "10", "5": "18"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestFeedLimits: whatever is loaded from a feed can be exported, and the export
// be loaded.
func TestFeedLimits(t *testing.T) {
	long := strings.Repeat("Å", 600)
	for name, text := range map[string]string{
		"U+0085":    "Alpha\u0085Corp\tConsult\tBeta\t2014-01-01\n",
		"names":     strings.Repeat("A", 400) + "\tConsult\t" + strings.Repeat("B", 400) + "\t2014-01-01\n",
		"publisher": "1\t2018-06-01\tA Co\tNA\tNA\tConsult\t040\t0\tB Co\tNA\tNA\t1\t1\t" + long + "\t" + long + "\t" + strings.Repeat(long, 10) + "\tNA\tNA\tNA\tNA\n",
		"host":      gdeltRow(map[int]string{52: long + ", " + strings.Repeat(long, 20), 60: "http://" + strings.Repeat("a", 1500) + ".com/x"}) + "\n",
	} {
		store := every.SQLite(t)
		if got, want := rowsAddUp(t, loadFiles(t, store, loader.Options{}, write(t, "f", text))), (loader.Rows{Read: 1, Created: 1}); !cmp.Equal(want, got) {
			t.Fatalf("%s: %+v", name, got)
		}
		again := every.SQLite(t)
		loadFiles(t, again, loader.Options{}, export(t, store, loader.ExportOptions{}).files(t, ".jsonl")...)
		if diff := cmp.Diff(content(t, store), content(t, again)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
