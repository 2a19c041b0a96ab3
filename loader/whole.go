package loader

import (
	"fmt"

	"chancery/graph"
)

// What a whole edition does not hold is withdrawn, so that one which is not as
// it should be does harm. cut is the place of a last row that is bad and has no
// end of line: of a download that broke off.

// settleWhole finds fault with the rows of an edition that is all of its data
// set.
func settleWhole(file string, rows *Rows, cut *graph.Problem) (notes []graph.Problem, err error) {
	switch {
	case rows.Read == 0:
		return nil, graph.Problems{{File: file, Message: "has no rows; as a whole edition it would withdraw all of its data set"}}
	case cut != nil:
		cut.Message = "the last row is bad and has no end of line, so the file seems to be cut short, and a whole edition would withdraw the rest; get all of it, or load it with --edition increment"
		return nil, graph.Problems{*cut}
	case rows.listed() > 0:
		notes = append(notes, graph.Problem{File: file, Message: fmt.Sprintf(
			"rows that are rejected: %d; the edition is without them, and what an earlier one had of them is withdrawn", rows.listed())})
	}
	return notes, nil
}
