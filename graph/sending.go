package graph

import (
	"context"
	"errors"
	"time"

	"github.com/bits-and-blooms/bloom/v3"
)

// sending is a batch on its way into the store.
type sending struct {
	portion *portion
	batch   *Batch
	counts  Report   // of what became of the things of the portion
	same    []string // relations that stand as they were
	done    chan error
}

// send begins to write a batch, unless nothing is in it. The one before it
// must have arrived.
func (r *Recorder) send(ctx context.Context, s *sending) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	b := s.batch
	if b.empty() || r.opts.DryRun {
		r.count(s)
		return nil
	}
	b.Lease, b.At = r.lease.token, r.at
	if !r.begun && r.edition.Whole && r.known {
		// What other inputs brought may go from here on, even if this load does
		// not come to its end.
		b.Doubted = true
	}
	if !r.begun || r.edition.Steady {
		// The first batch also tells the store that the edition has begun. The
		// priority stays the old one until the end: should this load be
		// interrupted, the next one must still see that it changed.
		priority := r.edition.Priority
		if r.known {
			priority = r.dataset.Priority
		}
		b.Dataset = &Dataset{Name: r.edition.Dataset, Title: r.edition.Title, Priority: priority,
			RecordedAt: r.at, Edition: r.edition.Input}
		if r.edition.Steady {
			b.Dataset.Written = Written{s.portion.written, r.under}
		}
	}
	s.done = make(chan error, 1)
	r.sent = s
	go func() {
		// A load that is stopped finishes what it is writing, if that is soon done.
		ctx, stop := lingering(ctx, 5*time.Second)
		defer stop()
		s.done <- r.store.Apply(ctx, b)
	}()
	return nil
}

// lingering is a context that ends some time after another one does.
func lingering(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-longer.Done():
		case <-time.After(by):
			cancel()
		}
	})
	return longer, func() { stop(); cancel() }
}

// settle waits until the batch that is on its way has arrived. Where part of
// it turns out to be known already, it is compared with the record and sent
// again.
func (r *Recorder) settle(ctx context.Context) error {
	s := r.sent
	if s == nil {
		return nil
	}
	r.sent = nil
	switch err := <-s.done; {
	case errors.Is(err, ErrTaken):
		s.portion.careful = true
		again, err := r.compose(ctx, s.portion, false)
		if err == nil {
			err = r.send(ctx, again)
		}
		if err == nil {
			err = r.settle(ctx)
		}
		return err
	case err != nil:
		return err
	}
	r.begun = true
	r.report.RecordedAt = r.at
	r.count(s)
	return nil
}

// apply writes a batch that is no part of the edition's content.
func (r *Recorder) apply(ctx context.Context, b *Batch) error {
	if err := r.send(ctx, &sending{portion: &portion{written: r.parts}, batch: b}); err != nil {
		return err
	}
	return r.settle(ctx)
}

// count adds up what became of the things of a portion.
func (r *Recorder) count(s *sending) {
	also := s.portion.also
	for _, c := range []struct{ sum, more, also *Tally }{
		{&r.report.Entities, &s.counts.Entities, also.Statements},
		{&r.report.Events, &s.counts.Events, also.Statements},
		{&r.report.Sources, &s.counts.Sources, also.Statements},
		{&r.report.Judgements, &s.counts.Judgements, also.Statements},
		{&r.report.Relations, &s.counts.Relations, also.Relations},
	} {
		c.sum.add(*c.more)
		if c.also != nil {
			c.also.add(*c.more)
		}
	}
	if also.Became == nil || s.batch == nil {
		return
	}
	for i := range s.batch.Relations {
		also.Became(s.batch.Relations[i].ID, true)
	}
	for _, id := range s.same {
		also.Became(id, false)
	}
}

func (t *Tally) add(more Tally) {
	t.Created += more.Created
	t.Changed += more.Changed
	t.Unchanged += more.Unchanged
	t.Withdrawn += more.Withdrawn
}

func (b *Batch) empty() bool {
	return len(b.Statements)+len(b.Retracted)+len(b.Nodes)+len(b.New)+len(b.Relations)+len(b.Withdrawn) == 0
}

// lately remembers what a load has stated, in bounded memory: exactly what it
// stated lately, and of all before whether it may have.
type lately struct {
	young, old map[[8]byte]Hash
	ever       *bloom.BloomFilter
}

const (
	latelyKept = 1 << 16 // statements of each of the two generations: some 5 MiB in all
	everBits   = 1 << 25 // 4 MiB; 3 million statements with one mistake in a hundred
)

// sift takes repetitions out of a portion, and marks the statements of whose nodes
// the load has said nothing.
func (l *lately) sift(p *portion) {
	if l.ever == nil {
		l.young, l.ever = map[[8]byte]Hash{}, bloom.New(everBits, 4)
	}
	kept := make([]Statement, 0, len(p.statements))
	for _, s := range p.statements {
		s.Content.normalise()
		s.Hash = s.Content.ContentHash()
		var key [8]byte
		d := newDigest("id")
		d.text(s.ID)
		sum := d.sum()
		copy(key[:], sum[:])
		said, ok := l.young[key]
		if !ok {
			said, ok = l.old[key]
		}
		if ok && said == s.Hash {
			continue
		}
		if len(l.young) >= latelyKept {
			l.old, l.young = l.young, map[[8]byte]Hash{}
		}
		l.young[key] = s.Hash
		kept = append(kept, s)
		p.first = append(p.first, !l.ever.TestAndAdd(key[:]))
	}
	p.statements = kept
}
