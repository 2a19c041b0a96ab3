package graph

import (
	"context"
	"math"
)

// Finish withdraws what a whole edition does not hold, marks the edition as
// complete, and gives up the lease.
func (r *Recorder) Finish(ctx context.Context) (*Report, error) {
	defer r.Abort(context.WithoutCancel(ctx))
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	if r.edition.Whole && r.known && r.skip != math.MaxInt {
		if err := r.eachHeld(ctx, r.withdraw); err != nil {
			return nil, err
		}
	}
	if r.known && r.dataset.Priority != r.edition.Priority {
		if err := r.eachHeld(ctx, r.remerge); err != nil {
			return nil, err
		}
	}
	if r.opts.DryRun {
		r.report.Disputes = r.identity.settled()
		return &r.report, nil
	}
	if err := r.regroup(ctx); err != nil {
		return nil, err
	}
	r.report.Disputes = r.identity.settled()
	done := Dataset{Name: r.edition.Dataset, Title: r.edition.Title, Priority: r.edition.Priority,
		RecordedAt: r.at, Edition: r.edition.Input, Complete: true}
	switch unfinished := !r.dataset.Complete && r.dataset.Edition != r.edition.Input; {
	case r.begun || !r.known:
	case unfinished && !r.edition.Whole:
		// Nothing changed, so the other edition can still be gone on with.
		done.RecordedAt, done.Edition = r.dataset.RecordedAt, r.dataset.Edition
		done.Complete, done.Written = false, r.dataset.Written
	default:
		done.RecordedAt = r.dataset.RecordedAt // nothing changed: no new edition
		if r.edition.RecordedAt != 0 {
			done.RecordedAt = r.edition.RecordedAt
		}
	}
	batch := &Batch{Lease: r.lease.token, At: done.RecordedAt, Dataset: &done}
	if r.skip != math.MaxInt {
		now := r.loaded
		if now.Under = r.under; now.At == 0 {
			now.At = r.at
		}
		batch.Loaded, batch.Doubted = &now, r.edition.Whole
	}
	if !r.known || done != r.dataset || batch.Loaded != nil {
		if err := r.store.Apply(ctx, batch); err != nil {
			return nil, err
		}
	}
	return &r.report, nil
}

// eachHeld calls fn with all that the data set holds, in pages.
func (r *Recorder) eachHeld(ctx context.Context, fn func(context.Context, []Entry) error) error {
	after := ""
	for {
		held, err := r.held(ctx, &HeldQuery{Dataset: r.edition.Dataset, After: after, Limit: r.opts.BatchSize})
		if err != nil {
			return err
		}
		if len(held.Entries) == 0 {
			return nil
		}
		after = held.Entries[len(held.Entries)-1].ID
		if err := fn(ctx, held.Entries); err != nil {
			return err
		}
	}
}

func (r *Recorder) withdraw(ctx context.Context, entries []Entry) error {
	batch := &Batch{}
	var nodes []string
	for _, e := range entries {
		if r.marked(e.ID) {
			continue
		}
		if e.Relation {
			batch.Withdrawn = append(batch.Withdrawn, e)
			r.report.Relations.Withdrawn++
			continue
		}
		batch.Retracted = append(batch.Retracted, StatementKey{e.ID, e.Dataset})
		nodes = append(nodes, e.ID)
	}
	err := r.mergeInto(ctx, batch, nodes, func(s *Statement) {
		if s.Dataset == r.edition.Dataset && s.SupersededAt == 0 {
			s.SupersededAt = r.at
			r.report.tally(s.Content.Form).Withdrawn++
		}
	})
	if err != nil {
		return err
	}
	return r.apply(ctx, batch)
}

func (r *Recorder) remerge(ctx context.Context, entries []Entry) error {
	batch := &Batch{}
	var nodes []string
	for _, e := range entries {
		if !e.Relation {
			nodes = append(nodes, e.ID)
		}
	}
	if err := r.mergeInto(ctx, batch, nodes, func(*Statement) {}); err != nil {
		return err
	}
	return r.apply(ctx, batch)
}

// mergeInto adds the nodes to the batch, merged anew from their statements
// after edit has seen each.
func (r *Recorder) mergeInto(ctx context.Context, batch *Batch, ids []string, edit func(*Statement)) error {
	if len(ids) == 0 {
		return nil
	}
	held, err := r.held(ctx, &HeldQuery{Nodes: r.identity.now.expand(ids)})
	if err != nil {
		return err
	}
	var merged idSet
	for _, id := range ids {
		statements := held.Statements[id]
		for i := range statements {
			edit(&statements[i])
		}
		if len(statements) > 0 && statements[len(statements)-1].Content.Form != FormIdentity {
			merged.add(r.identity.now.Canonical(id))
		}
	}
	for _, id := range merged.list {
		batch.Nodes = append(batch.Nodes, r.identityNodes(r.identity.now, id, held.Statements)...)
	}
	return nil
}
