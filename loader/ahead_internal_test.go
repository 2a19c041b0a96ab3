package loader

import (
	"errors"
	"testing"
)

// TestAhead: all arrives in its order, whatever the sizes, and an error of
// either side ends both.
func TestAhead(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		things, bytes int
		failsAt       int // of what is produced; -1 for never
		refusedAt     int // of what is consumed
		want          int
		err           error
	}{
		"nothing":           {0, 1, -1, -1, 0, nil},
		"one":               {1, 1, -1, -1, 1, nil},
		"full portions":     {3 * aheadItems, 1, -1, -1, 3 * aheadItems, nil},
		"a rest":            {aheadItems + 1, 1, -1, -1, aheadItems + 1, nil},
		"large":             {20, aheadBytes, -1, -1, 20, nil},
		"fails":             {5000, 1, 777, -1, 777, broken},
		"fails at once":     {5000, 1, 0, -1, 0, broken},
		"is refused":        {100_000, 1, -1, 1234, 1234, broken},
		"is refused early":  {100_000, aheadBytes, -1, 0, 0, broken},
		"fails unread":      {100_000, 1, 90_000, 10, 10, broken},
		"refused in a rest": {10, 1, -1, 5, 5, broken},
	} {
		t.Run(name, func(t *testing.T) {
			ended, got := false, 0
			err := ahead(func(yield func(int, int) error) error {
				defer func() { ended = true }()
				for i := range c.things {
					if i == c.failsAt {
						return broken
					}
					if err := yield(i, c.bytes); err != nil {
						return err
					}
				}
				return nil
			}, func(v int) error {
				if v != got {
					t.Fatalf("%d came after %d", v, got-1)
				}
				if v == c.refusedAt {
					return broken
				}
				got++
				return nil
			})
			if !errors.Is(err, c.err) || got != c.want || !ended {
				t.Errorf("%d arrived, %v, ended: %v", got, err, ended)
			}
		})
	}
}
