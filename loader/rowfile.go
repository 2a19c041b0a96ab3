package loader

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"chancery/graph"

	"golang.org/x/text/encoding/charmap"
)

// rowFile is what all formats share whose files are rows, one a line: reading
// the lines, refusing bad ones, counting, and remarks.
type rowFile struct {
	name  string // of the format
	in    Input
	part  Part            // the file that is read
	ctx   context.Context //nolint:containedctx // of the load; an Edition lives no longer
	rows  *Rows
	notes []graph.Problem
	cut   *graph.Problem // where the last row of a file is bad and has no end
}

func newRowFile(ctx context.Context, name string, in Input) rowFile {
	return rowFile{name: name, in: in, part: in.parts()[0], ctx: ctx, rows: &Rows{Kinds: map[graph.Kind]int{}}}
}

// Rows says how the rows were read.
func (f *rowFile) Rows() *Rows { return f.rows }

// Size is the number of rows to record.
func (f *rowFile) Size() int { return f.rows.stating() }

// Notes are remarks on the file.
func (f *rowFile) Notes() []graph.Problem { return f.notes }

func (f *rowFile) note(format string, args ...any) {
	f.notes = append(f.notes, graph.Problem{File: f.in.Name, Message: fmt.Sprintf(format, args...)})
}

// shownRejects is how many bad rows are shown as notes.
const shownRejects = 3

// heading follows which lines are headers: each file of an input may have one,
// and repeats it where files were put one behind the other.
type heading struct {
	file   string
	last   int    // line
	header string // of the file; "" without one
}

// first reports whether a line is the first of its file.
func (h *heading) first(part Part, line int) bool {
	first := h.last == 0 || h.file != part.Name || line <= h.last
	if h.last = line; first {
		h.file, h.header = part.Name, ""
	}
	return first
}

// again reports whether a line is the header once more.
func (h *heading) again(text string) bool {
	return h.header != "" && strings.TrimPrefix(text, "\ufeff") == h.header
}

// rowLine is a line that is not empty, and what keeps it from being a row.
type rowLine struct {
	part   Part
	number int
	text   string // with tabs between fields, whatever the file has there
	row    string // with what the file has between fields
	bad    *Rejection
	open   bool // it has no end
}

// lines goes through the lines of the input that are not empty, file by file.
// A line that no row may be comes with a rejection.
func (f *rowFile) lines(hash io.Writer, visit func(l *rowLine) error) error {
	f.checked()
	return f.scan(hash, func(l rowLine) error {
		return f.reach(&l, func() error { return visit(&l) })
	})
}

// scan reads the lines. It touches nothing of the rowFile that changes, so that it
// may run ahead of what is done with them.
func (f *rowFile) scan(hash io.Writer, yield func(rowLine) error) error {
	for i, part := range f.in.parts() {
		if i > 0 { // where one file ends and the next one begins matters
			_, _ = hash.Write([]byte("\x00\n"))
		}
		if err := f.scanPart(part, hash, yield); err != nil {
			return err
		}
	}
	return nil
}

func (f *rowFile) scanPart(part Part, hash io.Writer, yield func(rowLine) error) error {
	r, err := part.Open()
	if err != nil {
		return unreadable(part.Name, err)
	}
	defer func() { _ = r.Close() }()
	lines := newLineReader(io.TeeReader(r, hash))
	var copied *delimitedLines
	if part.delimiter != 0 {
		copied = newDelimitedLines(part.delimiter)
	}
	for {
		raw, tooLong, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return graph.Problems{{File: part.Name, Line: lines.line + 1, Message: "cannot be read: " + reason(err)}}
		}
		if lines.line%BatchSize == 0 && f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		if len(raw) == 0 && !tooLong {
			continue // the empty lines at the ends of files
		}
		l := rowLine{part: part, number: lines.line, row: mended(string(raw)), open: lines.open}
		l.text, l.bad = l.row, unfit(l.row, tooLong)
		if copied != nil && l.bad == nil {
			empty := false
			if l.text, empty, l.bad = copied.retab(l.row); empty {
				continue
			}
		}
		if err := yield(l); err != nil {
			return err
		}
	}
}

// reach does with a line what is to be done with it.
func (f *rowFile) reach(l *rowLine, visit func() error) error {
	f.part = l.part
	if l.number%BatchSize == 0 {
		f.checked()
	}
	before := f.rows.Rejected
	if err := visit(); err != nil {
		return err
	}
	if l.open && f.rows.Rejected > before {
		f.cut = &graph.Problem{File: l.part.Name, Line: l.number}
	}
	return nil
}

// checked shows how far the file is read.
func (f *rowFile) checked() {
	if f.in.checked != nil {
		f.in.checked(f.rows)
	}
}

// mended replaces characters from U+0080 to U+009F, which are invisible
// controls, by those that a program of Windows meant by them (Windows-1252, as
// browsers take them too). The five that mean nothing there stay.
func mended(text string) string {
	invisible := func(r rune) bool { return r >= 0x80 && r < 0xa0 }
	if !strings.ContainsFunc(text, invisible) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if meant := charmap.Windows1252.DecodeByte(byte(r)); invisible(r) && meant != utf8.RuneError {
			return meant
		}
		return r
	}, text)
}

// unfit finds what no row may have.
func unfit(line string, tooLong bool) *Rejection {
	switch {
	case tooLong:
		return &Rejection{Reason: fmt.Sprintf("the line is longer than %d bytes", maxFeedLine)}
	case !utf8.ValidString(line):
		return &Rejection{Reason: "the line is not UTF-8"}
	}
	for _, r := range line {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return &Rejection{Reason: fmt.Sprintf("the line holds the control character U+%04X", r)}
		}
	}
	return nil
}

// at completes a rejection with the row that it is about.
func (r *Rejection) at(line int, text string) *Rejection {
	r.Line = line
	r.Row = strings.ToValidUTF8(text[:min(len(text), maxRejectedRow)], "\ufffd")
	return r
}

func (f *rowFile) reject(bad Rejection) error {
	bad.File = f.part.Name
	return f.in.reject(f.rows, &f.notes, bad)
}

// settle ends the first pass: a file without a good row is a problem, and more
// is where it is all of its data set.
func (f *rowFile) settle(whole bool) error {
	f.checked()
	if f.rows.Rejected > 0 && f.rows.Rejected == f.rows.Read {
		return graph.Problems{{File: f.in.Name, Message: fmt.Sprintf("none of its %d rows can be read as %s; the first: %s", f.rows.Read, f.name, f.notes[0].Message)}}
	}
	f.in.rejectedToo(f.rows, &f.notes)
	if !whole {
		return nil
	}
	notes, err := settleWhole(f.in.Name, f.rows, f.cut)
	f.notes = append(f.notes, notes...)
	return err
}

// settleEdition finds fault with the name of a data set, and decides whether
// the input is all of it: then it is the only such input of the load.
func settleEdition(in Input, world *World, e *graph.Edition) error {
	if !datasetForm.MatchString(e.Dataset) {
		return graph.Problems{{File: in.Name, Message: badDataset(e.Dataset)}}
	}
	if in.Whole != nil {
		e.Whole = *in.Whole
	}
	if !e.Whole {
		return nil
	}
	if earlier, taken := world.claimWhole(e.Dataset, in.Name); taken {
		return graph.Problems{{File: in.Name, Message: fmt.Sprintf(
			"%s is a whole edition of data set %s too, and what one edition does not hold is withdrawn; load them one after the other, give one of them another --dataset, or write --edition increment",
			earlier, e.Dataset)}}
	}
	return nil
}
