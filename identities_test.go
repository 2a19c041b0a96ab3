package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIdentitiesCommand: pairs are suggested, judged in the file that was
// suggested, and no longer suggested then.
func TestIdentitiesCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"one.yaml": "dataset: one\nentities:\n  a: {kind: Person, name: Ada Quill}\n  n: {kind: Organization, name: North Alpine Trade Office}\n  z: {kind: Person, name: Zed Holm, externalIds: [\"x:1\"]}\n",
		"two.yaml": "dataset: two\nentities:\n  q: {id: two/q, kind: Undecided, name: \"QUILL, Áda\"}\n  n: {id: two/n, kind: Undecided, name: NATO}\n" +
			"  p: {id: two/p, kind: Place, name: Ada Quill}\n  z: {id: two/z, kind: Person, name: Someone Else, externalIds: [\"x:1\"]}\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	call := func(status int, args ...string) string {
		t.Helper()
		var out, stderr output
		if s := run(t.Context(), args, environment(), strings.NewReader(""), &out, &stderr); s != status {
			t.Fatalf("%v: %d %s", args, s, &stderr)
		}
		return out.String() + stderr.String()
	}
	if got := call(exitFailure, "identities", "list"); !strings.Contains(got, "there is no store") {
		t.Error(got)
	}
	call(exitOK, "load", "--quiet", "one.yaml", "two.yaml")
	for args, want := range map[string]string{"--output xml": "table, json or yaml", "--min-score 2": "from 0 to 1", "--limit -1": "cannot be negative"} {
		if got := call(exitUsage, append([]string{"identities", "suggest"}, strings.Fields(args)...)...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", args, got)
		}
	}
	var found struct {
		Suggestions []struct {
			Score    float64
			Entities [2]struct{ ID string }
		}
	}
	suggest := []string{"identities", "suggest", "--min-score", "0.7", "--output"}
	if err := json.Unmarshal([]byte(call(exitOK, append(suggest, "json")...)), &found); err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for _, s := range found.Suggestions {
		pairs = append(pairs, s.Entities[0].ID+" "+s.Entities[1].ID)
	}
	if got, want := strings.Join(pairs, ", "), "person/zed-holm two/z, person/ada-quill two/q, organization/north-alpine-trade-office two/n"; got != want || found.Suggestions[0].Score != 1 {
		t.Errorf("suggested: %v\nwant %s", found, want)
	}
	file := call(exitOK, append(suggest, "yaml")...)
	judged := strings.Replace(strings.ReplaceAll(file, "  # - same", "  - same"), "- same: [\"organ", "- different: [\"organ", 1)
	for _, text := range []string{file, judged} {
		if err := os.WriteFile("ids.yaml", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := call(exitOK, "load", "--quiet", "ids.yaml"); (text == file) != strings.Contains(got, "nothing changed") {
			t.Errorf("%s\n%s", text, got)
		}
	}
	if got := call(exitOK, append(suggest, "table")...); got != "nothing to suggest\n" {
		t.Error(got)
	}
	if got := call(exitOK, "identities", "list"); !strings.Contains(got, "person/ada-quill  PERSON  Ada Quill  two/q\n") || strings.Contains(got, "two/n") {
		t.Error(got)
	}
	// What is listed as a file is what was judged.
	if err := os.WriteFile(filepath.Join(".", "again.yaml"), []byte(call(exitOK, "identities", "list", "--output", "yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := call(exitOK, "load", "--quiet", "again.yaml"); !strings.Contains(got, "nothing changed") {
		t.Error(got)
	}
}

// TestIdentitiesFile: what is listed or suggested as a file can be loaded into
// the store that it is from, and changes nothing there, not even the title.
func TestIdentitiesFile(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	call := func(args ...string) string {
		t.Helper()
		var out, stderr output
		if s := run(t.Context(), args, environment(), strings.NewReader(""), &out, &stderr); s != exitOK {
			t.Fatalf("%v: %d %s", args, s, &stderr)
		}
		return out.String()
	}
	write("sa.yaml", "dataset: sa\nentities:\n  a: {id: sa/a, kind: Person, name: Ada}\n  c: {id: sa/c, kind: Person, name: Cai}\n")
	write("sb.yaml", "dataset: sb\nentities:\n  b: {id: sb/b, kind: Organization, name: Ada & Co}\n")
	write("ids.yaml", "dataset: identities\ntitle: \"Who: is who\"\nidentities:\n  - same: [wd/x, wy/y]\n  - same: [sa/a, sb/b]\n  - same: [sa/c, wy/z]\nabsent: [wd/x, wy/y, wy/z]\ndisputed: [sb/b]\n")
	call("load", "--quiet", "sa.yaml", "sb.yaml", "ids.yaml")
	exported := call("export", "--quiet", "--dataset", "identities")
	for _, sub := range []string{"list", "suggest"} {
		file := call("identities", sub, "--output", "yaml")
		write("again.yaml", file)
		if got := call("load", "--quiet", "again.yaml"); !strings.Contains(got, "nothing changed") {
			t.Errorf("%s\n%s", file, got)
		}
		if got := call("export", "--quiet", "--dataset", "identities"); got != exported {
			t.Errorf("%s\nleaves %s\nwant   %s", file, got, exported)
		}
		// In another store, its disputes are disputes too.
		call("load", "--quiet", "--store", "sqlite:"+sub+".db", "sa.yaml", "sb.yaml")
		call("load", "--quiet", "--store", "sqlite:"+sub+".db", "again.yaml")
	}
}
