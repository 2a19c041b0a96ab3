package loader

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// NewProgress shows progress as a bar where w is a terminal, and otherwise as
// a line now and then in the log. Doing is what is done: "loading".
func NewProgress(w io.Writer, log *slog.Logger, doing string) Progress {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return &barProgress{w: w, rejected: map[string]int{}}
	}
	return &logProgress{log: log, doing: doing, now: time.Now}
}

type barProgress struct {
	w        io.Writer
	bar      *progressbar.ProgressBar
	file     string         // that is checked
	rejected map[string]int // by file
}

func (p *barProgress) show(what string, total int) {
	if total <= 0 {
		total = -1
	}
	p.bar = progressbar.NewOptions(total,
		progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(24),
		// What turns by itself would go on turning when the load has ended.
		progressbar.OptionSetSpinnerChangeInterval(0))
}

// withRejects names what is loaded, and says how many rows are bad.
func withRejects(name string, rejected int) string {
	if rejected == 0 {
		return name
	}
	return fmt.Sprintf("%s (%d rejected)", name, rejected)
}

func (p *barProgress) Check(file string, rows, rejected int) {
	if p.file != file {
		p.End()
		p.file = file
		p.show("checking "+file, 0)
	}
	p.rejected[file] = rejected
	p.bar.Describe(withRejects("checking "+file, rejected))
	_ = p.bar.Set(rows)
}

func (p *barProgress) Begin(file, dataset string, total int) {
	p.End()
	p.show(withRejects(dataset, p.rejected[file]), total)
}

func (p *barProgress) Add(n int) { _ = p.bar.Add(n) }

func (p *barProgress) End() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// logEvery is how much time lies between lines of the log.
const logEvery = time.Minute

type logProgress struct {
	log           *slog.Logger
	doing         string
	now           func() time.Time
	file, dataset string
	done, total   int
	began, last   time.Time
}

func (p *logProgress) Check(file string, rows, rejected int) {
	now := p.now()
	if p.file != file {
		p.file, p.began, p.last = file, now, now
	}
	if now.Sub(p.last) >= logEvery {
		p.last = now
		p.log.Info("checking", "file", file, "rows", rows, "rejected", rejected, "perSecond", int(float64(rows)/now.Sub(p.began).Seconds()))
	}
}

func (p *logProgress) Begin(file, dataset string, total int) {
	p.file, p.dataset, p.done, p.total = file, dataset, 0, total
	p.began = p.now()
	p.last = p.began
	p.tell("things", total)
}

func (p *logProgress) Add(n int) {
	p.done += n
	now := p.now()
	if now.Sub(p.last) < logEvery {
		return
	}
	p.last = now
	p.tell("done", p.done, "things", p.total, "perSecond", int(float64(p.done)/now.Sub(p.began).Seconds()))
}

func (p *logProgress) tell(numbers ...any) {
	about := []any{"dataset", p.dataset}
	if p.file != "" {
		about = append([]any{"file", p.file}, about...)
	}
	p.log.Info(p.doing, append(about, numbers...)...)
}

func (p *logProgress) End() {}
