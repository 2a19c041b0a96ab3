package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"chancery/graph/sqlitestore"
	"chancery/loader"
)

// TestFullDisk: a load that fills a real disk says so and breaks nothing; with
// room, the next one goes on to the state of an undisturbed load.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("loads a feed several times")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=9m"); err != nil {
		t.Skipf("a small disk cannot be mounted (%v): that takes root; TestFullDisk of sqlitestore does without", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	binary := build(t)
	c := &killCases(t)[1]
	want, _ := reference(t, c)
	path := filepath.Join(disk, "chancery.db")
	for range 2 {
		load := exec.Command(binary, append([]string{"load", "--quiet", "--store", "sqlite:" + path}, c.files...)...)
		out, err := load.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "the disk is full") || strings.Contains(string(out), "SQLITE") {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=200m"); err != nil {
		t.Fatal(err)
	}
	store, err := sqlitestore.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close(t.Context()) }()
	result, err := loader.Load(t.Context(), store, c.files, c.options)
	if err != nil || !result.Loads[0].Resumed {
		t.Fatalf("%v, %+v", err, result)
	}
	compare(t, c, want, store)
}
