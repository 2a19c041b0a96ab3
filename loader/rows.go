package loader

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"chancery/graph"
)

// Rows says how the rows of a feed were read. Every row is counted once:
// Read = Created + Changed + Unchanged + Duplicate + Rejected.
type Rows struct {
	Read      int `json:"read"`
	Created   int `json:"created"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	// Duplicate rows say again what a row before them in the file says, or say
	// more of the entity that it is about.
	Duplicate int `json:"duplicate"`
	// Rejected rows cannot be read (see [Rejection]), name what was forgotten, or
	// are about what is not recorded.
	Rejected int `json:"rejected"`
	// Forgotten are those of the rejected rows that name what was forgotten.
	// Nothing else is said of them anywhere.
	Forgotten int `json:"forgotten"`
	// Unmatched are those of the rejected rows that add to a record which the data
	// set does not have.
	Unmatched int `json:"unmatched"`
	// Kinds counts the entities of the file by their kind.
	Kinds map[graph.Kind]int `json:"kinds"`
}

// stating is the number of rows that state something, as far as is known.
func (r *Rows) stating() int { return r.Read - r.Rejected - r.Duplicate }

// listed is the number of rejected rows that the list of bad rows has.
func (r *Rows) listed() int { return r.Rejected - r.Forgotten }

// Rejection is a row of a feed that is not loaded.
type Rejection struct {
	File   string // "" where the input is one file
	Line   int    // from 1, in the unpacked file
	Column string // the name of the column at fault; "" for the row as a whole
	Reason string
	Row    string // the row itself; cut where it is very long
}

// maxRejectedRow is how much of a bad row is kept, in bytes.
const maxRejectedRow = 4 << 10

// RejectsHeader is the first line of a list of bad rows.
const RejectsHeader = "file,line,column,reason,row\n"

// rejects writes bad rows as CSV (RFC 4180) with a header.
type rejects struct {
	w     *csv.Writer
	begun bool
}

// newRejects is nil where nobody wants the list.
func newRejects(w io.Writer) *rejects {
	if w == nil {
		return nil
	}
	return &rejects{w: csv.NewWriter(w)}
}

// begin writes the header, which even a list without bad rows has.
func (r *rejects) begin() error {
	if r.begun {
		return nil
	}
	r.begun = true
	return r.w.Write(strings.Split(strings.TrimSpace(RejectsHeader), ","))
}

func (r *rejects) write(file string, j Rejection) error {
	if err := r.begin(); err != nil {
		return err
	}
	return r.w.Write([]string{cmp.Or(j.File, file), strconv.Itoa(j.Line), j.Column, j.Reason, j.Row})
}

func (r *rejects) flush() error {
	if r == nil {
		return nil
	}
	if err := r.begin(); err != nil {
		return err
	}
	r.w.Flush()
	return r.w.Error()
}

// externalID writes an id as its catalogue does, where publishers differ: the
// numbers of ships have seven digits, with IMO before them or not.
func externalID(scheme, value string) graph.ExternalID {
	if scheme == "imo" {
		if number := strings.TrimLeft(strings.TrimPrefix(strings.ToUpper(value), "IMO"), " :"); len(number) == 7 && digits(number) {
			value = number
		}
	}
	return graph.ExternalID{Scheme: scheme, Value: value}
}

// reject counts a bad row, remarks on it where it is one of the first, puts it
// into the list of bad rows, and ends a load that has too many.
func (in *Input) reject(rows *Rows, notes *[]graph.Problem, bad Rejection) error {
	rows.Rejected++
	message := bad.Reason
	if bad.Column != "" {
		message = bad.Column + ": " + message
	}
	if rows.listed() <= shownRejects {
		*notes = append(*notes, graph.Problem{File: bad.File, Line: bad.Line, Message: "rejected: " + message})
	}
	if err := in.list(bad); err != nil {
		return err
	}
	if in.MaxRejects >= 0 && rows.listed() > in.MaxRejects {
		return graph.Problems{{File: bad.File, Line: bad.Line, Message: fmt.Sprintf(
			"more than %d rows are bad, the last of them for this: %s", in.MaxRejects, message)}}
	}
	return nil
}

// list puts a row into the list of bad rows, if there is one.
func (in *Input) list(bad Rejection) error {
	if in.Reject == nil {
		return nil
	}
	if err := in.Reject(bad); err != nil {
		return fmt.Errorf("the list of bad rows cannot be written: %w", err)
	}
	return nil
}

// rejectedToo remarks on the bad rows that are not remarked on one by one.
func (in *Input) rejectedToo(rows *Rows, notes *[]graph.Problem) {
	more := rows.listed() - shownRejects
	if more <= 0 {
		return
	}
	where := "--rejects FILE lists them all"
	if in.Reject != nil {
		where = "the list of bad rows has them all"
	}
	*notes = append(*notes, graph.Problem{File: in.Name, Message: fmt.Sprintf("%d more rows are rejected; %s", more, where)})
}
