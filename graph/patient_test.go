package graph_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"chancery/graph"
	"chancery/graph/storetest"
)

// leaving is a store that is away from the second second to the tenth.
type leaving struct {
	graph.Store
	began time.Time
	err   error
}

func (s *leaving) Apply(ctx context.Context, b *graph.Batch) error {
	if since := time.Since(s.began); since > 2*time.Second && since < 10*time.Second {
		return s.err
	}
	return s.Store.Apply(ctx, b)
}

// TestPatience: a store that is away for a while is waited for, one that is away
// for long or full is not.
func TestPatience(t *testing.T) {
	for _, c := range []struct {
		name string
		wait time.Duration
		err  error
		want string
	}{
		{"back in time", time.Minute, fmt.Errorf("%w: a test", graph.ErrAway), "[away back]"},
		{"too long", 3 * time.Second, fmt.Errorf("%w: a test", graph.ErrAway), "[away the store is unavailable: a test]"},
		{"not patient", 0, graph.ErrAway, "[the store is unavailable]"},
		{"no absence", time.Minute, fmt.Errorf("%w: full", graph.ErrUnavailable), "[the store is unavailable: full]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var heard []string
				oracle := storetest.NewOracle()
				if _, err := oracle.Lease(t.Context(), graph.LeaseRequest{Token: "1", Now: 1, Until: 2}); err != nil {
					t.Fatal(err)
				}
				store := graph.Patient(&leaving{oracle, time.Now(), c.err}, graph.Patience{Wait: c.wait,
					Away: func(error) { heard = append(heard, "away") }, Back: func() { heard = append(heard, "back") }})
				for range 12 {
					time.Sleep(time.Second)
					if err := store.Apply(t.Context(), &graph.Batch{Lease: "1", At: 1}); err != nil {
						if !errors.Is(err, graph.ErrUnavailable) {
							t.Errorf("%v", err)
						}
						heard = append(heard, err.Error())
						break
					}
				}
				if got := fmt.Sprint(slices.Clone(heard)); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			})
		})
	}
	// A load that is to end ends at once.
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		store := graph.Patient(&leaving{storetest.NewOracle(), began.Add(-3 * time.Second), graph.ErrAway}, graph.Patience{Wait: time.Hour})
		if err := store.Apply(ctx, &graph.Batch{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
