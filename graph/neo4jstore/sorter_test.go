package neo4jstore

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

// TestSorter: texts are counted alike in memory and by way of files.
func TestSorter(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var want []string
	for _, most := range []int{0, 1, 3000} {
		s := sorter{most: most}
		for i := range 1000 {
			if err := s.add(fmt.Sprintf("%d\x00%d", i*7%100, i*3%5)); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		total := int64(0)
		if err := s.each(func(text []string, n int64) error {
			got = append(got, fmt.Sprint(text, n))
			total += n
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if most == 0 {
			want = got
		}
		if total != 1000 || len(got) != 100 || !slices.Equal(want, got) || (len(s.runs) > 0) != (most > 0) {
			t.Errorf("%d: %d of %d, %d files", most, total, len(got), len(s.runs))
		}
		s.remove()
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("%v %v are left", err, left)
	}
}
