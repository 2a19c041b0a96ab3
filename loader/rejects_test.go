package loader_test

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"chancery/graph/storetest"
	"chancery/loader"

	"github.com/google/go-cmp/cmp"
)

type badRow struct{ line, column, reason string }

// rejected holds the bad rows of a file behind a good one, which is loaded.
func rejected(t *testing.T, head, good string, cases []badRow) {
	t.Helper()
	text := head + good + "\n"
	for _, c := range cases {
		text += c.line + "\n"
	}
	var rejects bytes.Buffer
	result, err := loader.Load(t.Context(), storetest.NewOracle(), []string{write(t, "rows", text)}, loader.Options{Rejects: &rejects})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rowsAddUp(t, result), (loader.Rows{Read: len(cases) + 1, Created: 1, Rejected: len(cases)}); !cmp.Equal(want, got) {
		t.Errorf("%+v", got)
	}
	rows, err := csv.NewReader(&rejects).ReadAll()
	if err != nil || len(rows) != len(cases)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	first := strings.Count(head, "\n") + 2
	for i, c := range cases {
		row := rows[i+1]
		if row[1] != strconv.Itoa(first+i) || row[2] != c.column || !strings.Contains(row[3], c.reason) {
			t.Errorf("%q, want %s: %s", row[:4], c.column, c.reason)
		}
	}
}

func TestGDELTRejects(t *testing.T) {
	alter := func(column int, text string) string { return gdeltRow(map[int]string{column: text}) }
	rejected(t, "", gdeltRow(nil), []badRow{
		{"1\t20180601", "", "has 2 columns, not 57, 58 or 61"},
		{gdeltRow(nil) + "\tx", "", "has 62 columns"},
		{alter(0, "a1"), "GLOBALEVENTID", `"a1" is not a number`},
		{alter(0, ""), "GLOBALEVENTID", "is not a number"},
		{alter(1, "2018-06-01"), "SQLDATE", "not a day (YYYYMMDD)"},
		{alter(1, "20180631"), "SQLDATE", "not a day"},
		{alter(1, "00000101"), "SQLDATE", "from 00010102 to 99991230"},
		{alter(1, "99991231"), "SQLDATE", "from 00010102 to 99991230"},
		{alter(26, "---"), "EventCode", "not under the root code"},
		{alter(26, "051"), "EventCode", `"051" is not under the root code "04"`},
		{gdeltRow(map[int]string{26: "21", 28: "21"}), "EventCode", "not a CAMEO code"},
		{gdeltRow(map[int]string{26: "", 28: ""}), "EventCode", "not a CAMEO code"},
		{alter(30, "x"), "GoldsteinScale", "from -10 to 10"},
		{alter(30, "11"), "GoldsteinScale", "from -10 to 10"},
		{alter(31, "-1"), "NumMentions", "not a number"},
		{alter(33, "many"), "NumArticles", "not a number"},
		{alter(34, "Inf"), "AvgTone", "from -100 to 100"},
		{alter(56, "91"), "ActionGeo_Lat", "-90 to 90"},
		{alter(57, "#"), "ActionGeo_Long", "degrees"},
		{alter(59, "201806"), "DATEADDED", "neither a day"},
		{alter(59, "20181301101500"), "DATEADDED", "not a day"},
		{alter(60, "https://x.example/"+strings.Repeat("y", 2000)), "SOURCEURL", "at most 2000"},
		{gdeltRow(map[int]string{5: "", 6: "", 7: "", 15: "", 16: "", 17: ""}), "Actor1Name", "names nobody"},
		{gdeltRow(map[int]string{5: "GOV", 6: "???", 7: ""}), "Actor1Name", "no name"},
		{gdeltRow(map[int]string{15: "GOV", 16: strings.Repeat("x", 401), 17: ""}), "Actor2Name", "at most 400"},
	})
}

func TestPOLECATRejects(t *testing.T) {
	lines := strings.Split(polecatText(t), "\n")
	alter := func(set map[int]string) string {
		f := strings.Split(lines[1], "\t")
		for i, text := range set {
			f[i] = text
		}
		return strings.Join(f, "\t")
	}
	crowd := func(name string) string {
		var names []string
		for i := range 30 {
			names = append(names, name+strconv.Itoa(i))
		}
		return strings.Join(names, "; ")
	}
	rejected(t, lines[0]+"\n", lines[1], []badRow{
		{"a\tb", "", "has 2 columns, not 40 as the header"},
		{lines[1] + "\tmore", "", "has 41 columns"},
		{alter(map[int]string{0: ""}), "Event ID", "is no id"},
		{alter(map[int]string{0: "a b"}), "Event ID", "is no id"},
		{alter(map[int]string{1: "01.02.2023"}), "Event Date", "not a day"},
		{alter(map[int]string{1: "None"}), "Event Date", "not a day"},
		{alter(map[int]string{1: "0000-01-01"}), "Event Date", "not a day"},
		{alter(map[int]string{1: "9999-12-31"}), "Event Date", "not a day"},
		{alter(map[int]string{2: ""}), "Event Type", "not an event type of PLOVER"},
		{alter(map[int]string{2: "FIGHT"}), "Event Type", `"FIGHT" is not an event type`},
		{alter(map[int]string{4: "10.1"}), "Intensity", "from -10 to 10"},
		{alter(map[int]string{7: "None", 13: "", 15: "NA", 21: ""}), "Actor Name", "names nobody"},
		{alter(map[int]string{7: crowd("A"), 15: crowd("B")}), "Actor Name", "stands for more than 200 relations"},
		{alter(map[int]string{7: "?", 14: ""}), "Actor Name", "no name"},
		{alter(map[int]string{28: "90.5"}), "Latitude", "-90 to 90"},
		{alter(map[int]string{29: ""}), "Longitude", "degrees"},
		{alter(map[int]string{34: "yesterday"}), "Publication Date", "not a day"},
	})
}
