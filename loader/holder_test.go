package loader

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestHolderGone: the holder of a lease is known to have ended when it ran
// here and does not any more; nothing is known of what ran elsewhere.
func TestHolderGone(t *testing.T) {
	if HolderGone(Holder()) {
		t.Error("this process is said to have ended")
	}
	child := exec.Command(os.Args[0], "-test.run=^$")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	holder := holderOf(hostname(), child.Process.Pid)
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	if !HolderGone(holder) {
		t.Errorf("%s is not known to have ended", holder)
	}
	for _, other := range []string{
		"", "x", "elsewhere" + holder, strings.Replace(holder, "(", "(0", 1), hostname() + ", process 1",
		hostname() + ", process -1 (" + mark(os.Getpid()) + ")",
	} {
		if HolderGone(other) {
			t.Errorf("%q is said to have ended", other)
		}
	}
	if os.Getpid() != 1 {
		machine, _, _ := strings.Cut(mark(os.Getpid()), "-")
		if again := hostname() + ", process 1 (" + machine + "-123456789)"; mark(1) != machine+"-0" && !HolderGone(again) {
			t.Error("a process with a number that was used before is taken for the old one")
		}
	}
}

// TestLogProgress: where there is no terminal, a load says now and then how far
// it is, and not more often.
func TestLogProgress(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	p, ok := NewProgress(&out, log, "loading").(*logProgress)
	if !ok {
		t.Fatal("a buffer is taken for a terminal")
	}
	now := time.Unix(0, 0)
	p.now = func() time.Time { return now }
	p.Begin("f.yaml", "d", 30000)
	for range 6 {
		now = now.Add(24 * time.Second)
		p.Add(5000)
	}
	p.End()
	for i := range 4 {
		p.Check("g.tsv", 5000*i, i)
		now = now.Add(25 * time.Second)
	}
	const want = "level=INFO msg=loading file=f.yaml dataset=d things=30000\n" +
		"level=INFO msg=loading file=f.yaml dataset=d done=15000 things=30000 perSecond=208\n" +
		"level=INFO msg=loading file=f.yaml dataset=d done=30000 things=30000 perSecond=208\n" +
		"level=INFO msg=checking file=g.tsv rows=15000 rejected=3 perSecond=200\n"
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}
