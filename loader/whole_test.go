package loader_test

import (
	"strings"
	"testing"

	"chancery/graph"
	"chancery/graph/storetest/every"
	"chancery/loader"
)

// TestWholeCutShort: a file that broke off withdraws nothing, and rows that are
// rejected are told to.
func TestWholeCutShort(t *testing.T) {
	people := `{"id":"a","schema":"Person","properties":{"name":["Ann"]}}
{"id":"b","schema":"Person","properties":{"name":["Bo"]}}
{"id":"c","schema":"Person","properties":{"name":["Cy"]}}
`
	visits := "Ann\tMake a visit\tFrance\t2014-01-01\nBo\tMake a visit\tFrance\t2014-01-02\nCy\tMake a visit\tFrance\t2014-01-03\n"
	offices := strings.TrimSuffix(officesTable, "\n") + "\n"
	for _, c := range []struct{ name, text, mapping string }{
		{"people.ftm.json", people, ""},
		{"visits.tsv", visits, ""},
		{"table.csv", offices, officesMapping},
	} {
		t.Run(c.name, func(t *testing.T) {
			every.Store(t, func(t *testing.T, store graph.Store) {
				o := loader.Options{Edition: loader.EditionWhole}
				if c.mapping != "" {
					o.Mapping = write(t, "mapping.yaml", c.mapping)
				}
				loadFiles(t, store, o, write(t, c.name, c.text))
				before := content(t, store)
				last := strings.LastIndexByte(strings.TrimSuffix(c.text, "\n"), '\n') + 1
				for name, text := range map[string]string{
					"cut short": c.text[:last+4],
					"no rows":   c.text[:strings.IndexByte(c.text, '\n')+1],
				} {
					want := name
					if name == "no rows" && c.mapping == "" {
						continue // it has one
					}
					_, err := loader.Load(t.Context(), store, []string{write(t, c.name, text)}, o)
					if !strings.Contains(complaints(t, err), want) {
						t.Errorf("%s: %v", name, err)
					}
				}
				if after := content(t, store); len(after) != len(before) {
					t.Errorf("%d things of %d are left", len(after), len(before))
				}
				// A bad row in the middle is one row, and a last one may lack its end.
				result := loadFiles(t, store, o, write(t, c.name, c.text[:last]+"x\n"+strings.TrimSuffix(c.text[last:], "\n")))
				notes := ""
				for _, n := range result.Loads[0].Notes {
					notes += n.Message + "\n"
				}
				if rows := result.Loads[0].Rows; rows.Rejected != 1 || result.Loads[0].Report.Changes() > 0 || !strings.Contains(notes, "rows that are rejected: 1; the edition is without them") {
					t.Errorf("%+v %+v\n%s", *rows, result.Loads[0].Report, notes)
				}
				// An increment takes what is there.
				increment := o
				increment.Edition = loader.EditionIncrement
				loadFiles(t, store, increment, write(t, c.name, c.text[:last+4]))
			})
		})
	}
}
