package loader_test

import (
	"os"
	"testing"

	"chancery/graph/storetest"
	"chancery/loader"

	"github.com/google/go-cmp/cmp"
)

// TestMappingConstants: what a mapping says itself is checked with it, and not when
// a row comes to it.
func TestMappingConstants(t *testing.T) {
	text, err := os.ReadFile("testdata/constants.yaml")
	if err != nil {
		t.Fatal(err)
	}
	table := write(t, "b.csv", "no,who,land,to,lon\n1,Ada Lund,Norland,2002,2\n")
	_, err = loader.Load(t.Context(), storetest.NewOracle(), []string{table}, loader.Options{Mapping: write(t, "m.yaml", string(text))})
	const want = `m.yaml:3:29: url: "nope" does not begin with https:// or http://, or has blanks
m.yaml:3:46: published: there is no month 13; months are 01 to 12
m.yaml:9:23: latitude: 91 is not a number of degrees from -90 to 90
m.yaml:14:19: date: "01/02/2020" is not a date of the form YYYY-MM-DD
m.yaml:20:11: date: the interval ends (2019) before it begins (2020-03-01)
m.yaml:21:16: goldstein: "x" is not a number
m.yaml:22:17: confidence: "high" is not a number
m.yaml:23:12: cameo: the code 190 stands for FOUGHT, not for VISITED
m.yaml:24:14: who is a Person; things happen in a Place, a Facility or a State
m.yaml:27:68: date: there is no month 13; months are 01 to 12
m.yaml:27:89: cameo: "999" is no CAMEO code
m.yaml:27:107: goldstein: 11 is not from -10 to 10
`
	if diff := cmp.Diff(want, complaints(t, err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// What the mapping says has a point, whatever the decimal mark of the table.
	comma := "mapping: 1\ndataset: d\nformat: {decimal: \",\", delimiter: \";\"}\nentities: {w: {id: \"person/{w}\", kind: Person, name: \"{w}\"}}\n" +
		"relations: [{type: PRAISED, source: w, target: w, goldstein: \"0.5\", confidence: {value: \"{w}\", map: {a: \"0,8\", b: 0.8}}}]\n"
	_, err = loader.Load(t.Context(), storetest.NewOracle(), []string{table}, loader.Options{Mapping: write(t, "m.yaml", comma)})
	if got := complaints(t, err); got != "m.yaml:5:81: confidence: \"0,8\" is not a number\n" {
		t.Error(got)
	}
}
