package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/graph/sqlitestore"
	"chancery/loader"
	"chancery/loader/loadertest"

	"github.com/google/go-cmp/cmp"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// forgettable are files that name one person by two ids.
var forgettable = map[string]string{
	"curated.yaml": `dataset: curated
sources:
  s: {name: A paper, publisher: Nobody}
entities:
  ada: {kind: Person, name: Adalgunde Quillfeather, aliases: [Quilly], description: a governor, externalIds: ["staff:4711"]}
  bo: {kind: Person, name: Bo Sand}
  ruri: {kind: State, name: Ruritania}
events:
  three: {name: Talks of three, date: 2020-01-02, participants: [ada, bo, ruri]}
  two: {name: Talks of two, date: 2020-01-03, participants: [ada, bo]}
relations:
  - {id: office, type: LEADS, source: ada, target: ruri, date: 2019-01-01/.., sourceAs: Governor Quillfeather}
  - {id: met, type: MET_WITH, source: bo, target: ada, date: 2020-01-03, event: two, citations: [{source: s, quote: said Quilly}]}
  - {id: praise, type: PRAISED, source: bo, target: ruri, date: 2020-01-04, about: [met, two], event: three, sources: [s]}
  - {id: thanks, type: PRAISED, source: ruri, target: bo, date: 2020-01-05, note: for Adalgunde Quillfeather}
`,
	"other.yaml": `dataset: other
relations:
  - {type: CONDEMNED, source: person/bo-sand, target: person/adalgunde-quillfeather, date: 2020-02-01, about: [curated/met]}
  - {type: CONDEMNED, source: person/bo-sand, target: state/ruritania, date: 2020-02-02, about: [curated/two, curated/met]}
`,
	"feed.tab": "Adalgunde Quillfeather\tConsult\tBo Sand\t2020-03-01\n" +
		"Bo Sand\tConsult\tAdalgunde Quillfeather\t2020-03-01\n" +
		"Bo Sand\tMake statement\tRuritania\t2020-03-02\n" +
		"Bo Sand\tPlay chess\tRuritania\t2020-03-02\n" +
		"Ruritania\tMake statement\tAdalgunde Quillfeather\t2020-03-03\n" +
		"Ruritania\tMake statement\tAdalgunde Quillfeather\t2020-03-03\n",
	"ids.yaml": "identities:\n  - same: [person/adalgunde-quillfeather, tkg/adalgunde-quillfeather]\n" +
		"  - same: [person/bo-sand, tkg/bo-sand]\n  - different: [person/bo-sand, tkg/adalgunde-quillfeather]\n",
}

// forgottenTraces are what must not be found anywhere afterwards: of the person's names
// those that no text of others holds.
var forgottenTraces = []string{"person/adalgunde", "tkg/adalgunde", "Quilly", "quilly", "staff:4711", "a governor", "Governor", "curated/met", "curated/office", "curated/two"}

func writeFiles(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// calling runs the program on a store.
func calling(t *testing.T, store string, more ...string) func(status int, args ...string) string {
	return func(status int, args ...string) string {
		t.Helper()
		var out, stderr output
		if s := run(t.Context(), append(args, "--store", store), environment(more...), strings.NewReader(""), &out, &stderr); s != status {
			t.Fatalf("%v: %d %s%s", args, s, &out, &stderr)
		}
		return out.String() + stderr.String()
	}
}

// TestForget goes the whole way on both stores: what is forgotten is gone, for
// those who ask and from what is on disk, and does not come back.
func TestForget(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "chancery.db")
		// Another process has the file open, so that its log stays.
		other, err := sqlitestore.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		grep := func(t *testing.T, want bool) {
			t.Helper()
			for _, trace := range forgottenTraces {
				found := false
				for _, suffix := range []string{"", "-wal", "-shm"} {
					text, err := os.ReadFile(path + suffix)
					if err != nil && !errors.Is(err, os.ErrNotExist) {
						t.Fatal(err)
					}
					found = found || bytes.Contains(text, []byte(trace))
				}
				if found != want {
					t.Errorf("the files hold %q: %t", trace, found)
				}
			}
		}
		call := forgetting(t, "sqlite:"+path, nil, func() { grep(t, true) }, func() { grep(t, false) })
		if err := other.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		grep(t, false)
		lifting(call)
	})
	t.Run("neo4j", func(t *testing.T) {
		o := neo4jtest.Options(t)
		neo4jtest.Wipe(t, o)
		grep := func(t *testing.T, want bool) {
			t.Helper()
			auth := neo4j.NoAuth()
			if o.Username != "" {
				auth = neo4j.BasicAuth(o.Username, o.Password, "")
			}
			driver, err := neo4j.NewDriverWithContext(o.URI, auth)
			if err != nil {
				t.Fatal(err)
			}
			defer driver.Close(t.Context())
			count := func(text string, parameters map[string]any) int64 {
				result, err := neo4j.ExecuteQuery(t.Context(), driver, text, parameters, neo4j.EagerResultTransformer,
					neo4j.ExecuteQueryWithDatabase(o.Database))
				if err != nil {
					t.Fatal(err)
				}
				return result.Records[0].Values[0].(int64)
			}
			for _, trace := range forgottenTraces {
				p := map[string]any{"trace": trace}
				const holds = " WHERE any(k IN keys(x) WHERE any(v IN CASE WHEN valueType(x[k]) STARTS WITH 'LIST' THEN x[k] ELSE [x[k]] END WHERE toString(v) CONTAINS $trace)) RETURN count(x)"
				if n := count("MATCH (x)"+holds, p) + count("MATCH ()-[x]->()"+holds, p); (n > 0) != want {
					t.Errorf("the database holds %q %d times", trace, n)
				}
			}
			// In the indexes nothing is found that has no node.
			for text, parameter := range map[string]string{
				"CALL db.index.fulltext.queryNodes('chancery_search', $q) YIELD node RETURN count(node)":                          "search:quilly",
				"CALL db.index.fulltext.queryRelationships('chancery_finding', $q) YIELD relationship RETURN count(relationship)": `id:"curated/met" about:"curated/met"`,
			} {
				if n := count(text, map[string]any{"q": parameter}); (n > 0) != want {
					t.Errorf("%s finds %d", parameter, n)
				}
			}
			if !want && count("MATCH (n:Tombstone) RETURN count(n)", nil) == 0 {
				t.Error("there are no tombstones")
			}
		}
		more := []string{"NEO4J_USERNAME", o.Username, "NEO4J_PASSWORD", o.Password, "NEO4J_DATABASE", o.Database}
		lifting(forgetting(t, o.URI, more, func() { grep(t, true) }, func() { grep(t, false) }))
	})
}

// lifting lets the person come back.
func lifting(call func(status int, args ...string) string) {
	call(exitOK, "forget", "--lift", "person/adalgunde-quillfeather", "tkg/adalgunde-quillfeather")
	call(exitFailure, "forget", "--lift", "person/adalgunde-quillfeather")
	call(exitOK, "load", "--quiet", "curated.yaml")
	call(exitOK, "forget", "--yes", "person/adalgunde-quillfeather") // which is there again
}

func forgetting(t *testing.T, store string, environment []string, before, after func()) func(int, ...string) string {
	t.Chdir(t.TempDir())
	writeFiles(t, forgettable)
	call := calling(t, store, environment...)
	holds := func(text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in\n%s", part, text)
			}
		}
	}
	load := []string{"load", "--quiet", "curated.yaml", "other.yaml", "feed.tab", "--rejects", "bad.csv"}
	call(exitOK, load...)
	call(exitOK, "load", "--quiet", "ids.yaml")
	load = append(load, "ids.yaml")
	before()
	ada := []string{"person/adalgunde-quillfeather", "tkg/adalgunde-quillfeather"}
	for args, want := range map[string]string{
		"":                           "name at least one id",
		"--report xml " + ada[0]:     "text or json",
		"--list " + ada[0]:           "takes no ids",
		"--list --lift":              "do not go together",
		"--lift --dry-run " + ada[0]: "are for forgetting",
		"--yes group/unattributed":   "is nobody",
		strings.Join(ada, " "):       "say --yes",
	} {
		holds(call(exitUsage, append([]string{"forget"}, strings.Fields(args)...)...), want)
	}
	holds(call(exitFailure, "forget", "--yes", "person/nobody"), `nothing under the id "person/nobody"`)
	holds(call(exitFailure, "forget", "--yes", ada[1]), "judged to be the same entity as person/adalgunde-quillfeather", "--identity forgets all of them")
	holds(call(exitFailure, "forget", "--lift", ada[0]), "was not forgotten")
	holds(call(exitOK, "forget", "--list"), "nothing was forgotten")
	holds(call(exitOK, "forget", "--dry-run", "--identity", ada[1]), "would go", "nothing was erased yet")
	before()
	var did erasureJSON
	if err := json.Unmarshal([]byte(call(exitOK, "forget", "--yes", "--identity", "--report", "json", ada[1])), &did); err != nil {
		t.Fatal(err)
	}
	did.Mentions = nil
	want := erasureJSON{IDs: []erasedID{{ada[0], "ENTITY", false}, {ada[1], "ENTITY", false}}, Entities: 2, Events: 2, Statements: 4,
		Relations: 6, Versions: 6, Judgements: 2, Rewritten: 3, MentionCount: 1}
	if diff := cmp.Diff(want, did); diff != "" {
		t.Errorf("(-want +did)\n%s", diff)
	}
	after()

	// The files name her still. Loaded again, they change nothing and say so.
	for range 2 {
		got := call(exitOK, append(load, "--report", "json", "--max-rejects", "1")...)
		if strings.Contains(strings.ToLower(got), "quill") {
			t.Errorf("the report names her:\n%s", got)
		}
		got = got[:strings.LastIndex(got, "}")+1]
		var report struct {
			Changes int
			Loads   []struct {
				Dataset   string
				Forgotten int
				Rows      *loader.Rows
			}
		}
		if err := json.Unmarshal([]byte(got), &report); err != nil {
			t.Fatal(err)
		}
		if report.Changes != 0 {
			t.Errorf("loading again changes something:\n%s", got)
		}
		for _, l := range report.Loads {
			left := map[string]int{"curated": 4, "other": 1, "tkg": 4, "identities": 2}[l.Dataset]
			if l.Forgotten != left {
				t.Errorf("%s leaves out %d things, want %d", l.Dataset, l.Forgotten, left)
			}
			if r := l.Rows; r != nil && (r.Read != 6 || r.Unchanged != 1 || r.Duplicate != 1 || r.Rejected != 4 || r.Forgotten != 3) {
				t.Errorf("rows: %+v", *r)
			}
		}
		bad, err := os.ReadFile("bad.csv")
		if err != nil || strings.Contains(string(bad), "Quill") || !strings.Contains(string(bad), "Play chess") {
			t.Errorf("%s, %v", bad, err)
		}
		after()
	}
	holds(call(exitOK, append(load[:3:3], "feed.tab")...), "curated.yaml: note: entities, events, relations and judgements that were forgotten, or name what was: 4; they are left out",
		"feed.tab: note: rows that name what was forgotten: 3; they are left out, counted as rejected")
	writeFiles(t, map[string]string{"q.graphql": `{ entity(id: "person/adalgunde-quillfeather") { id } search(text: "Quilly") { match } }`})
	if got := call(exitOK, "query", "q.graphql"); !strings.Contains(got, `"entity": null`) && !strings.Contains(got, `"entity":null`) {
		t.Error(got)
	}
	holds(call(exitOK, "forget", "--yes", ada[0]), "was forgotten before; nothing is left of it")
	list := call(exitOK, "forget", "--list")
	if holds(list, "ENTITY"); strings.Count(list, "\n") != 3 || strings.Contains(list, "quill") {
		t.Error(list)
	}
	return call
}

// TestForgetKill: an erasure that is killed at random moments is finished by
// the next one, and ends in the state of one that nobody disturbed.
func TestForgetKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute for each store")
	}
	const relations, id = 10_000, "state/state-1"
	binary, file := build(t), filepath.Join(t.TempDir(), "generated.yaml")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(loadertest.Generate(f, relations, 6), f.Close()); err != nil {
		t.Fatal(err)
	}
	load := func(t *testing.T, store graph.Store) *loader.Result {
		t.Helper()
		result, err := loader.Load(t.Context(), store, []string{file}, loader.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	state := func(t *testing.T, store graph.Store) loadertest.State {
		t.Helper()
		s, err := loadertest.ReadState(t.Context(), store, "generated-6")
		if err != nil {
			t.Fatal(err)
		}
		return s.WithoutMoments()
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	killing := func(t *testing.T, dsn string, open func() graph.Store, want loadertest.State, took time.Duration) {
		store := open()
		load(t, store)
		kills := 0
		var report []byte
		for report == nil {
			forget := exec.Command(binary, "forget", "--yes", "--report", "json", "--store", dsn, id)
			var stdout, stderr bytes.Buffer
			forget.Stdout, forget.Stderr = &stdout, &stderr
			if err := forget.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- forget.Wait() }()
			moment := time.Hour
			if kills < 5 {
				moment = time.Duration(random.Int64N(int64(took)))
			}
			var err error
			select {
			case err = <-ended:
			case <-time.After(moment):
				_ = forget.Process.Kill()
				err = <-ended
			}
			switch {
			case err == nil:
				report = stdout.Bytes()
			case forget.ProcessState.ExitCode() == -1:
				kills++
				if random.IntN(2) == 0 { // a load comes between
					if r := load(t, store); r.Loads[0].Relations.Created > 0 || r.Loads[0].Entities.Created > 0 {
						t.Errorf("a load between two attempts brings something: %+v", r.Loads[0].Report)
					}
				}
			default:
				t.Fatalf("after %d kills: %v\n%s", kills, err, stderr.String())
			}
		}
		t.Logf("%d kills", kills)
		if r := load(t, store); r.Changes() > 0 {
			t.Errorf("the next load changes something: %+v", r.Loads[0].Report)
		}
		// A load between two attempts may have taken back versions that went
		// later: what stands is the same.
		if diff := cmp.Diff(fmt.Sprint(len(want.Versions), len(want.Nodes)), fmt.Sprint(len(standing(state(t, store).Versions)), len(state(t, store).Nodes))); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		got := state(t, store)
		for id, v := range want.Versions {
			if g := got.Versions[id]; len(g) == 0 || g[len(g)-1].Hash != v[len(v)-1].Hash {
				t.Fatalf("%s is %v, want %v", id, g, v)
			}
		}
	}
	began := time.Now()
	reference, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "reference.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reference.Close(context.Background()) }()
	load(t, reference)
	took := time.Since(began)
	began = time.Now()
	o := graph.ForgetOptions{RecorderOptions: graph.RecorderOptions{Now: time.Now}, Random: bytes.NewReader(bytes.Repeat([]byte{7}, 32))}
	erased, err := graph.Forget(t.Context(), reference, []string{id}, o)
	if err != nil || erased.Relations < 40 {
		t.Fatal(erased, err)
	}
	took = min(took, time.Since(began)+300*time.Millisecond)
	want := state(t, reference)
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "chancery.db")
		killing(t, "sqlite:"+path, func() graph.Store {
			store, err := sqlitestore.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close(context.Background()) })
			return store
		}, want, took)
	})
	t.Run("neo4j", func(t *testing.T) {
		opts := neo4jtest.Options(t)
		neo4jtest.Wipe(t, opts)
		killing(t, opts.URI, func() graph.Store { return neo4jtest.Reopen(t, opts) }, want, 3*took)
	})
}

func standing(versions map[string][]*graph.Relation) map[string]bool {
	out := map[string]bool{}
	for id, v := range versions {
		if v[len(v)-1].SupersededAt == 0 {
			out[id] = true
		}
	}
	return out
}
