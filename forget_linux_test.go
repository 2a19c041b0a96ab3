package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestForgetAsks: on a terminal it shows what would go, and does it after a yes
// alone.
func TestForgetAsks(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, forgettable)
	var out, stderr output
	if s := run(t.Context(), []string{"load", "--quiet", "curated.yaml"}, environment(), strings.NewReader(""), &out, &stderr); s != exitOK {
		t.Fatal(&stderr)
	}
	for _, c := range []struct {
		answer string
		status int
		want   string
	}{{"no\n", exitFailure, "nothing was forgotten"}, {"\n", exitFailure, "nothing was forgotten"}, {"yes\n", exitOK, "would go"}, {"yes\n", exitOK, "was forgotten before"}} {
		terminal, keyboard := pseudoTerminal(t)
		if _, err := keyboard.WriteString(c.answer); err != nil {
			t.Fatal(err)
		}
		var out, stderr output
		status := run(t.Context(), []string{"forget", "person/adalgunde-quillfeather"}, environment(), terminal, &out, &stderr)
		if status != c.status || !strings.Contains(stderr.String(), c.want) || !strings.Contains(stderr.String(), "Type yes: ") {
			t.Errorf("%q: %d %s", c.answer, status, &stderr)
		}
		if erased := strings.Contains(out.String(), "erased"); erased != (c.want == "would go") {
			t.Errorf("%q: %s", c.answer, &out)
		}
	}
}

// pseudoTerminal gives both ends of one.
func pseudoTerminal(t *testing.T) (terminal, keyboard *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return terminal, keyboard
}
