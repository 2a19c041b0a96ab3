package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a file that a person wrote: where it is, what it
// is, why it is one, and what would be right.
type Problem struct {
	File         string
	Line, Column int // counted from 1; 0 where there is none to name
	Message      string
}

// Error gives "file:line:column: message", the form that editors jump to.
func (p Problem) Error() string {
	switch {
	case p.File == "" && p.Line == 0:
		return p.Message
	case p.File == "":
		return fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message)
	case p.Line == 0:
		return p.File + ": " + p.Message
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems are all mistakes of one or several files. They are reported
// together, so that a file is mended in one go.
type Problems []Problem

// Error gives one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets [errors.As] find a Problem.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Add notes a problem.
func (ps *Problems) Add(file string, line, column int, format string, args ...any) {
	*ps = append(*ps, Problem{File: file, Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
}

// Err returns the problems by file, line and column as one error, each once,
// and nil when there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(sorted, func(a, b Problem) bool { return a == b })
}
