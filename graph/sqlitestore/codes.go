package sqlitestore

import (
	"fmt"
	"slices"

	"chancery/graph"
)

// The words that are stored as small integers: each one's place in its list,
// counted from 1, and 0 for none. The files on disk depend on these places:
// add at the end only.
var (
	statusCodes = codes[graph.Status]{graph.Planned, graph.Claimed, graph.Reported, graph.Confirmed, graph.Disputed, graph.Denied, graph.Cancelled}
	basisCodes  = codes[graph.DateBasis]{graph.Stated, graph.Inferred, graph.Publication}
	endCodes    = codes[graph.EndKind]{graph.EndKnown, graph.EndOpen, graph.EndUnknown}
)

type codes[T ~string] []T

func (c codes[T]) encode(word T) (int64, error) {
	if word == "" {
		return 0, nil
	}
	if i := slices.Index(c, word); i >= 0 {
		return int64(i + 1), nil
	}
	return 0, fmt.Errorf("the store has no code for %q", word)
}

func (c codes[T]) decode(code int64) T {
	if code < 1 || code > int64(len(c)) {
		return ""
	}
	return c[code-1]
}

// list is a JSON list of the codes of those words that have one.
func (c codes[T]) list(words []T) string {
	list := []byte{'['}
	for _, w := range words {
		if code, err := c.encode(w); err == nil {
			if len(list) > 1 {
				list = append(list, ',')
			}
			list = append(list, byte('0'+code))
		}
	}
	return string(append(list, ']'))
}

// Bits of adjacency.traits, seen from the entity.
const (
	traitOut      = 1 // the entity is the source, or the type is symmetric
	traitIn       = 2 // the entity is the target, or the type is symmetric
	traitStanding = 4 // the type is a standing
)
