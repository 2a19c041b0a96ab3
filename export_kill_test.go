//go:build linux || darwin

package main

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"chancery/temporary"
)

// TestKilledExport: what an export leaves that is killed, the next one into the
// same directory removes; what another one works on stays.
func TestKilledExport(t *testing.T) {
	binary := build(t)
	workshop(t)
	temp := t.TempDir()
	if err := os.MkdirAll("kz", 0o700); err != nil {
		t.Fatal(err)
	}
	admin := []string{"export", "--quiet", "--format", "neo4j-admin", "--output", "kz/imp"}
	child := exec.Command(binary, append(admin, "-")...)
	child.Env = append(os.Environ(), "TMPDIR="+temp)
	stdin, err := child.StdinPipe()
	if err == nil {
		err = child.Start()
	}
	if err == nil { // more than a pipe holds: when it is written, most of it was read
		_, err = io.WriteString(stdin, strings.Repeat("Norway\tConsult\tSweden\t2014-02-27\n", 20_000))
	}
	if err == nil {
		err = child.Process.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if left := fileNames(t, temp); len(left) > 0 {
		t.Errorf("what was read is left as %v", left)
	}
	if left := fileNames(t, "kz"); len(left) != 1 || !strings.HasPrefix(left[0], ".chancery-") {
		t.Fatalf("left are %v, of which this test is", left)
	}
	writeFile(t, "feed.tsv", "Norway\tConsult\tSweden\t2014-02-27\n")
	if r := call(t, "", append(admin, "feed.tsv")); r.status != exitOK {
		t.Fatalf("%+v", r)
	}
	if left := fileNames(t, "kz"); !slices.Equal(left, []string{"imp"}) {
		t.Errorf("left are %v", left)
	}

	// Data sets, each a file.
	if r := call(t, "", []string{"load", "--quiet", "--store", "sqlite:x.db", paris}); r.status != exitOK {
		t.Fatalf("%+v", r)
	}
	if err := os.Mkdir("all", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, "all/.chancery-ABCDEFGHIJKLMNOPQRSTUVWXYZ", "{}\n")
	inUse, file, err := temporary.StageFile("all")
	if err != nil {
		t.Fatal(err)
	}
	if r := call(t, "", []string{"export", "--quiet", "--store", "sqlite:x.db", "--output", "all"}); r.status != exitOK {
		t.Fatalf("%+v", r)
	}
	if left := fileNames(t, "all"); len(left) != 2 || "all/"+left[0] != inUse.Path {
		t.Errorf("left are %v", left)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := inUse.Remove(); err != nil {
		t.Fatal(err)
	}
}
