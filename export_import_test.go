package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/sqlitestore"
	"chancery/loader"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// importFiles imports a folder into an empty database, and starts its server.
func importFiles(t *testing.T, dir string) neo4jstore.Options {
	t.Helper()
	server := neo4jtest.NewServer(t)
	began := time.Now()
	server.Run("import", dir)
	t.Logf("imported within %s", time.Since(began))
	server.Run("start")
	return server.Options()
}

// rawGraph is all that a database holds, one text for each node and
// relationship, with the types of all values.
func rawGraph(t *testing.T, opts neo4jstore.Options) []string {
	t.Helper()
	ctx := t.Context()
	driver, err := neo4j.NewDriverWithContext(opts.URI, neo4j.BasicAuth(opts.Username, opts.Password, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = driver.Close(ctx) }()
	session := driver.NewSession(ctx, neo4j.SessionConfig{DatabaseName: opts.Database})
	defer func() { _ = session.Close(ctx) }()
	var out []string
	for _, query := range []string{
		"MATCH (n) WHERE NOT n:" + neo4jtest.Marker + " RETURN labels(n), '' AS source, '' AS target, properties(n)",
		"MATCH (a)-[r]->(b) RETURN [type(r)], coalesce(a.id, a.key) AS source, coalesce(b.id, b.key) AS target, properties(r)",
	} {
		result, err := session.Run(ctx, query, nil)
		if err != nil {
			t.Fatal(err)
		}
		for result.Next(ctx) {
			v := result.Record().Values
			var labels []string
			for _, l := range v[0].([]any) {
				labels = append(labels, l.(string))
			}
			slices.Sort(labels)
			var b strings.Builder
			fmt.Fprintf(&b, "%v %v %v", labels, v[1], v[2])
			p := v[3].(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(p)) {
				if slices.Contains(labels, "ChanceryMeta") && (strings.HasPrefix(name, "lease") || slices.Contains([]string{"locked", "lastBatch", "revision"}, name)) {
					continue // of writing, not of what is written
				}
				value := p[name]
				if name == "search" { // a set
					list := slices.Clone(value.([]any))
					slices.SortFunc(list, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
					value = list
				}
				fmt.Fprintf(&b, " %s=%T %#v", name, value, value)
				if at, ok := value.(time.Time); ok {
					fmt.Fprint(&b, at)
				}
			}
			out = append(out, b.String())
		}
		if err := result.Err(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(out)
	return out
}

// sameGraph shows where two graphs differ.
func sameGraph(t *testing.T, want, got []string) {
	t.Helper()
	missing, more := 0, 0
	for i, j := 0, 0; i < len(want) || j < len(got); {
		switch {
		case j == len(got) || i < len(want) && want[i] < got[j]:
			if missing++; missing <= 5 {
				t.Errorf("not imported: %s", want[i])
			}
			i++
		case i == len(want) || got[j] < want[i]:
			if more++; more <= 5 {
				t.Errorf("imported: %s", got[j])
			}
			j++
		default:
			i++
			j++
		}
	}
	if missing+more > 0 {
		t.Errorf("%d of %d are missing, and %d others there", missing, len(want), more)
	}
}

// importWorkshop writes files that use all of the model, in the order of
// loading, and a last edition of the first, again.yaml. The last two files can
// be loaded again.
func importWorkshop(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, text)
		return path
	}
	const first = `dataset: odd
title: "Quotes \" and 'marks'"
priority: 3
sources:
  paper: {name: 'The "Paper"', publisher: P, url: "https://example.org/a,b", published: 2025-12-01}
  other: {name: Other, published: 2025-11, description: "two\nlines, \\ and \"quotes\""}
entities:
  ann:   {id: person/ann, kind: Person, name: Ann, aliases: [A., "Ann, the \"first\""], properties: {born in: Oslo, "a:b": [x, y], mixed: one}, externalIds: [wikidata:Q1]}
  bea:   {kind: Person, name: Bea, properties: {mixed: [one, two]}}
  ben:   {id: person/ben, kind: Person, name: Ben}
  oslo:  {kind: Place, name: Oslo, point: {latitude: 59.9, longitude: -1.5e-5}}
  state: {kind: State, name: Ruritania, date: 1900/..}
  gone:  {kind: Group, name: Gone}
  left:  {kind: Group, name: Left}
  unknown: {kind: Undecided, name: Unknown}
events:
  summit: {name: Summit, date: 2025-12-01, places: [oslo], participants: [{entity: ann, role: host}, bea]}
  party:  {name: Party, date: 0001-01-01/9999-12-31, participants: [bea]}
relations:
  - {type: LEADS, source: ann, target: state, date: 2021-01-20/.., sourceAs: President}
  - {type: SPEAKS_FOR, source: bea, target: ann, date: 2025, sources: [paper]}
  - {type: ENVOY_OF, source: ben, target: state, accreditedTo: ann, date: 2025-11~, status: PLANNED, sources: [paper]}
  - {type: ENVOY_OF, source: ben, target: state, date: 2024} # ann stands for ben
  - {id: met, type: MET_WITH, source: ann, target: bea, date: 2025-12-01, event: summit, places: [oslo], citations: [{source: paper, quote: "a \"frank\" talk"}, {source: other}]}
  - {type: PRAISED, source: bea, target: ann, about: [met], date: 2025-12, status: CLAIMED, claimedBy: bea, confidence: 0.5, sources: [paper], note: "one\ntwo"}
  - {id: struck, type: STRUCK, unattributed: true, target: state, date: 2025-11-30, quantity: 32, unit: drones, cameo: "195", goldstein: -10, sources: [other, paper]}
  - {type: CONDEMNED, source: gone, target: left, date: 2025}
  - {type: CONDEMNED, source: gone, target: bea, date: 2025}
`
	// Another edition: changes, a withdrawn entity and relation, a type that changes.
	second := strings.NewReplacer("name: Ann,", "name: Ann Lee,", "  gone:  {kind: Group, name: Gone}\n", "",
		"  - {type: CONDEMNED, source: gone, target: bea, date: 2025}\n", "", "  - {type: CONDEMNED, source: gone, target: left, date: 2025}\n", "", "quantity: 32", "quantity: 33", "a \\\"frank\\\" talk", "a talk",
		"{id: struck, type: STRUCK", "{id: struck, type: STRUCK, note: again").Replace(first)
	again := strings.NewReplacer("quantity: 33", "quantity: 34", "  - {type: LEADS, source: ann, target: state, date: 2021-01-20/.., sourceAs: President}\n", "").Replace(second)
	if second == first || again == second {
		t.Fatal("the editions are alike")
	}
	put("again.yaml", again)
	files := []string{put("first.yaml", first), put("second.yaml", second), filepath.Join("data", paris),
		put("identities.yaml", "judge: me\nidentities:\n  - {same: [person/ann, person/ben], reason: one person}\n")}
	feed := put("feed.tsv", "Vladimir_Putin\tMake_a_visit\tNorway\t2014-02-28\nNorway\tHost_a_visit\tVladimir_Putin\t2014-02-28\n"+
		"Citizen_(Kenya)\tProtest\tGovernment_(Kenya)\t2014-03-01\n")
	if data := os.Getenv("CHANCERY_DATA"); data != "" {
		files = append(files, filepath.Join(data, "ftm", "zala_entities.ftm.json"))
		if sample := filepath.Join(data, "icews-raw", "events.2018.sample.tab"); !testing.Short() {
			files = append(files, sample)
		}
	}
	return append(files, put("tkg.tsv", "Norway\tConsult\tSweden\t2014-02-27\n"), feed)
}

// TestImport: what neo4j-admin makes of an export is the very graph that
// loading the same makes over Bolt, and loading goes on from there.
func TestImport(t *testing.T) {
	opts := neo4jtest.Options(t)
	files := importWorkshop(t)
	loadAll := func(store graph.Store, files ...string) (changes int) {
		t.Helper()
		clock := time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)
		for _, file := range files {
			clock = clock.Add(time.Hour)
			result, err := loader.Load(t.Context(), store, []string{file}, loader.Options{Now: func() time.Time { return clock }})
			if err != nil {
				t.Fatal(err)
			}
			changes += result.Changes()
		}
		return changes
	}
	sqlite, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "chancery.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sqlite.Close(context.Background()) }()
	loadAll(sqlite, files...)
	forget := func(store graph.Store) {
		t.Helper()
		now := time.Date(2026, 1, 2, 23, 0, 0, 0, time.UTC)
		out, err := graph.Forget(t.Context(), store, []string{"tkg/citizen-kenya", "group/gone"}, graph.ForgetOptions{
			Random: strings.NewReader(strings.Repeat("salt", 100)), RecorderOptions: graph.RecorderOptions{Now: func() time.Time { return now }, Holder: "test"}})
		if err != nil {
			t.Fatal(err, out)
		}
	}
	forget(sqlite)
	dir := filepath.Join(t.TempDir(), "files")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var out *neo4jstore.Imported
	if err := sqlite.Read(t.Context(), func(tx graph.Reader) (err error) {
		out, err = neo4jstore.ImportFiles(t.Context(), tx, dir, neo4jstore.ImportOptions{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *out)
	imported := importFiles(t, dir)
	neo4jtest.Wipe(t, opts)
	bolt := neo4jtest.Reopen(t, opts)
	loadAll(bolt, files...)
	forget(bolt)
	want := rawGraph(t, opts)
	sameGraph(t, want, rawGraph(t, imported))
	began := time.Now()
	store := neo4jtest.Reopen(t, imported)
	t.Logf("opened within %s", time.Since(began))
	if n := loadAll(store, files[len(files)-2:]...); n != 0 {
		t.Errorf("the second load changed %d things", n)
	}
	increment := filepath.Join(t.TempDir(), "increment.tsv")
	if err := os.WriteFile(increment, []byte("Vladimir_Putin\tMake_a_visit\tNorway\t2019-02-28\nNorway\tHost_a_visit\tVladimir_Putin\t2019-02-28\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	edited := filepath.Join(filepath.Dir(files[0]), "again.yaml")
	for _, s := range []graph.Store{bolt, store} {
		clock := time.Date(2026, 1, 3, 3, 4, 5, 0, time.UTC)
		for _, file := range []string{increment, edited} {
			clock = clock.Add(time.Hour)
			result, err := loader.Load(t.Context(), s, []string{file}, loader.Options{Now: func() time.Time { return clock }})
			if err != nil || result.Changes() == 0 {
				t.Fatal(result, err)
			}
		}
	}
	sameGraph(t, rawGraph(t, opts), rawGraph(t, imported))
}
