package loader

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"chancery/graph"

	"github.com/bits-and-blooms/bloom/v3"
)

// stories are the documents that the rows of a file name. Rows that say different
// things of one are joined before any is recorded: neither the order of the rows nor
// the size of a batch changes what is said of it.
type stories struct {
	// lately has, in a place that a document's key leads to, a hash of what was said last
	// of a document that has the place. It need not remember all.
	lately []uint64
	joined map[string]*joinedStory // of which rows may say different things
}

type joinedStory struct {
	content graph.Content
	whole   bool // with what the first row says
}

const latelyStories = 1 << 19 // 4 MiB

func newStories() *stories {
	return &stories{make([]uint64, latelyStories), map[string]*joinedStory{}}
}

// learn takes in what a row says of a document, for all rows in their order. Those
// that may have been named before are in seen.
func (s *stories) learn(key string, c *graph.Content, seen *bloom.BloomFilter) {
	id, hash := digestOf("story", key), c.ContentHash()
	said := digestOf(key, string(hash[:]))
	last, now := &s.lately[binary.LittleEndian.Uint64(id[:])%latelyStories], binary.LittleEndian.Uint64(said[:])
	if *last == now {
		return
	}
	*last = now
	if !seen.TestAndAdd(id[:]) {
		return
	}
	own := kept(*c)
	if j := s.joined[key]; j != nil {
		j.content = joinStory(&j.content, &own)
	} else {
		s.joined[strings.Clone(key)] = &joinedStory{content: own}
	}
}

// all is all that the file says of a document, asked for each row that was
// learned from, in the same order.
func (s *stories) all(key string, c *graph.Content) *graph.Content {
	j := s.joined[key]
	if j == nil {
		return c
	}
	if !j.whole {
		own := kept(*c)
		j.content, j.whole = joinStory(&own, &j.content), true
	}
	return &j.content
}

// joinStory unites what two rows say. Where they contradict each other, the later
// one counts, as it does with repeated rows and from one file to the next.
func joinStory(earlier, later *graph.Content) graph.Content {
	c := earlier.Correct(*later)
	sortProperties(c.Properties)
	return c
}

func sortProperties(list []graph.Property) {
	slices.SortFunc(list, func(a, b graph.Property) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
}
