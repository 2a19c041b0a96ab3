package neo4jstore

import (
	"context"

	"chancery/graph"
)

// Lease implements [graph.Store].
func (s *Store) Lease(ctx context.Context, req graph.LeaseRequest) (graph.Lease, error) {
	var lease graph.Lease
	err := s.write(ctx, func(t *transaction) error {
		state, err := lockMeta(ctx, t)
		if err != nil {
			return err
		}
		changed := false
		if lease, changed = state.lease.Answer(req); !changed {
			return nil
		}
		return t.exec(ctx, cyLeaseSet, map[string]any{"holder": lease.Holder, "token": lease.Token, "until": instant(lease.Until)})
	})
	if err != nil {
		return graph.Lease{}, err
	}
	return lease, nil
}

// metaState is what the meta node says of writing.
type metaState struct {
	lease     graph.Lease
	lastBatch string
}

// lockMeta makes every other writer wait for the end of the transaction.
func lockMeta(ctx context.Context, t *transaction) (metaState, error) {
	var m metaState
	if err := t.exec(ctx, cyMetaLock, nil); err != nil {
		return m, err
	}
	values, err := t.one(ctx, cyLeaseRead, nil)
	if err != nil {
		return m, err
	}
	if values == nil {
		return m, errNoMeta
	}
	in := row{values: values}
	m.lease = graph.Lease{Holder: in.text(), Token: in.text(), Until: in.instant(), LastRecorded: in.instant()}
	m.lastBatch = in.text()
	return m, in.err
}
