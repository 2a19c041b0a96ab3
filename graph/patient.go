package graph

import (
	"context"
	"errors"
	"time"
)

// awayError is ErrUnavailable for a while.
type awayError struct{}

func (awayError) Error() string { return ErrUnavailable.Error() }

func (awayError) Is(target error) bool { return target == ErrUnavailable }

// Patience is how long to wait for a store that is away.
type Patience struct {
	// Wait bounds each absence; 0 waits for none.
	Wait time.Duration
	// Away, if set, is told once of each absence, and Back of its end.
	Away func(err error)
	Back func()
}

// The pauses between tries begin with the first one, and double up to the last.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// Patient makes a store of another one that waits where the other one fails
// with [ErrAway], and then tries again, for as long as p says. What is read is
// read again from its beginning, so the functions given to Read must bear that.
// Apply of a batch that was written after all must do nothing: see [Store].
func Patient(store Store, p Patience) Store {
	if p.Wait <= 0 {
		return store
	}
	return &patient{store, p}
}

type patient struct {
	Store
	p Patience
}

func (s *patient) try(ctx context.Context, do func() error) error {
	var deadline time.Time
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := do()
		now := time.Now()
		switch {
		case !errors.Is(err, ErrAway):
			if !deadline.IsZero() && s.p.Back != nil {
				s.p.Back()
			}
			return err
		case deadline.IsZero():
			deadline = now.Add(s.p.Wait)
			if s.p.Away != nil {
				s.p.Away(err)
			}
		case now.After(deadline):
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(pause, time.Until(deadline)+time.Millisecond)):
		}
	}
}

func (s *patient) Read(ctx context.Context, fn func(Reader) error) error {
	return s.try(ctx, func() error { return s.Store.Read(ctx, fn) })
}

func (s *patient) Apply(ctx context.Context, b *Batch) error {
	return s.try(ctx, func() error { return s.Store.Apply(ctx, b) })
}

func (s *patient) Lease(ctx context.Context, req LeaseRequest) (lease Lease, err error) {
	err = s.try(ctx, func() error {
		lease, err = s.Store.Lease(ctx, req)
		return err
	})
	return lease, err
}

func (s *patient) Learn(ctx context.Context, types []RelationType) (v *Vocabulary, err error) {
	err = s.try(ctx, func() error {
		v, err = s.Store.Learn(ctx, types)
		return err
	})
	return v, err
}
