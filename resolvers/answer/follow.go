package answer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"chancery/graph"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// CodeTooMany is the code of subscriptions that a server has no room for.
const CodeTooMany = "TOO_MANY_SUBSCRIPTIONS"

// FollowOptions are the circumstances in which changes are followed.
type FollowOptions struct {
	// Every is how often the store is asked whether there is anything new,
	// by all subscriptions together, while there are any.
	Every time.Duration
	// Most is the largest number of subscriptions at once.
	Most int
	// Time bounds one reading of the store.
	Time   time.Duration
	Logger *slog.Logger
}

// Follower tells subscriptions of a store that a load, in whatever process,
// has written something. It asks the store only while anybody listens.
type Follower struct {
	store   graph.Store
	options FollowOptions

	mu      sync.Mutex
	last    int64         // the newest batch seen
	changed chan struct{} // closed when last grows
	waiting int
	polling bool
	open    int // subscriptions
}

// NewFollower follows a store.
func NewFollower(store graph.Store, o FollowOptions) *Follower {
	return &Follower{store: store, options: o, changed: make(chan struct{})}
}

// Open is the number of subscriptions.
func (f *Follower) Open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

func (f *Follower) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open >= f.options.Most {
		return false
	}
	f.open++
	return true
}

func (f *Follower) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
}

// wait returns when the journal has the batch seq, or ctx ends.
func (f *Follower) wait(ctx context.Context, seq int64) {
	for {
		f.mu.Lock()
		if f.last >= seq {
			f.mu.Unlock()
			return
		}
		changed := f.changed
		f.waiting++
		if !f.polling {
			f.polling = true
			go f.poll()
		}
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		f.mu.Lock()
		f.waiting--
		f.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
	}
}

// poll asks the store for the end of its journal for as long as anybody waits.
func (f *Follower) poll() {
	failing := false
	for {
		time.Sleep(f.options.Every)
		f.mu.Lock()
		if f.waiting == 0 {
			f.polling = false
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
		end, err := f.end()
		if err != nil {
			if !failing {
				f.options.Logger.Warn("subscriptions wait for the store", "error", err)
			}
			failing = true
			continue
		}
		failing = false
		f.mu.Lock()
		if last := end.Seq - 1; last > f.last {
			f.last = last
			close(f.changed)
			f.changed = make(chan struct{})
		}
		f.mu.Unlock()
	}
}

func (f *Follower) end() (end graph.Position, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), f.options.Time)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	err = f.store.Read(ctx, func(tx graph.Reader) error {
		end, err = graph.JournalEnd(ctx, tx)
		return err
	})
	return end, err
}

// RecordedChange is one thing that a load did to a relation.
type RecordedChange struct {
	place
	change *graph.Change
}

// Cursor is the position behind the change.
func (c *RecordedChange) Cursor() string { return c.change.Position.Cursor() }

// Change is what the load did.
func (c *RecordedChange) Change() graph.ChangeKind { return c.change.Kind }

// RecordedAt is the moment of the load.
func (c *RecordedChange) RecordedAt() graph.Instant { return c.change.At }

// Relation is the version that the change is about.
func (c *RecordedChange) Relation(ctx context.Context) *Relation {
	return &Relation{c.at(ctx, "RecordedChange"), c.change.Relation}
}

// Recorded answers the subscription recorded. The channel is closed when ctx
// ends. A client that reads slowly holds up only itself; nothing is read ahead
// of it but a few hundred changes.
func (o *Operation) Recorded(ctx context.Context) (<-chan *RecordedChange, error) {
	f := From(ctx).follower
	s := &subscription{Operation: o, op: graphql.GetOperationContext(ctx), field: graphql.GetFieldContext(ctx).Field}
	opening, cancel := context.WithTimeout(ctx, f.options.Time)
	defer cancel()
	if err := s.begin(opening); err != nil {
		return nil, err
	}
	if !f.enter() {
		return nil, &gqlerror.Error{Message: fmt.Sprintf("there are %d subscriptions already; try again later", f.options.Most),
			Extensions: map[string]any{"code": CodeTooMany}}
	}
	out := make(chan *RecordedChange)
	go func() {
		defer f.leave()
		defer close(out)
		defer func() {
			if cause := recover(); cause != nil {
				f.options.Logger.ErrorContext(ctx, "panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			}
		}()
		s.run(ctx, out)
	}()
	return out, nil
}

// subscription follows the changes for one client.
type subscription struct {
	*Operation
	op    *graphql.OperationContext
	field graphql.CollectedField
	at    graph.Position
}

// begin finds what is wrong with the subscription, and where it begins.
func (s *subscription) begin(ctx context.Context) error {
	return s.store.Read(ctx, func(tx graph.Reader) error {
		q := s.compile(tx.Vocabulary(), nil)
		end, err := graph.JournalEnd(ctx, tx)
		if err != nil {
			return err
		}
		switch {
		case q.after == nil:
			s.at = end
		case *q.after == graph.Position{} || q.after.Seq > end.Seq:
			q.args.fail("after", "is no cursor of a change in this record: pass the cursor of the last change that was received, or leave it out")
		default:
			s.at = *q.after
		}
		if len(q.errs) == 0 {
			return nil
		}
		for _, e := range q.errs[1:] {
			graphql.AddError(ctx, e)
		}
		return q.errs[0]
	})
}

// changesQuestion is the compiled selection of a subscription.
type changesQuestion struct {
	*compiler
	args   *arguments
	filter graph.RelationFilter
	after  *graph.Position
	sel    *selection
	step   *graph.Step
}

func (s *subscription) compile(v *graph.Vocabulary, given []*graph.Relation) *changesQuestion {
	f := &field{s.field, []string{"Subscription"}}
	at := scope{path: ast.Path{ast.PathName(f.Alias)}}
	c := &compiler{op: s.op, vocab: v, limits: s.limits}
	q := &changesQuestion{compiler: c, args: c.args(f, at)}
	q.filter = q.args.relationFilter("filter", graph.AnchorNone)
	if cursor, ok := q.args.values["after"]; ok && cursor != nil {
		p, err := graph.ParsePosition(q.args.text("after"))
		if err == nil {
			q.after = &p
		} else {
			q.after = &graph.Position{}
		}
	}
	q.step = &graph.Step{Op: graph.OpGiven, Given: given}
	q.sel = &selection{step: q.step}
	for _, g := range collect(c.op, f.Selections, []string{"RecordedChange"}) {
		if g.Name == "relation" {
			child := &selection{step: q.step}
			c.relationFields(child, q.step, g.Selections, at.below(g.Alias))
			q.sel.add(g, child)
		}
	}
	return q
}

func (s *subscription) run(ctx context.Context, out chan<- *RecordedChange) {
	f := s.follower
	pause := f.options.Every
	for ctx.Err() == nil {
		changes, next, err := s.read(ctx)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, graph.ErrUnavailable) && !errors.Is(err, graph.ErrUnsettled) {
				f.options.Logger.ErrorContext(ctx, "a subscription cannot read the store", "error", err)
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, 5*time.Second)
			continue
		}
		pause = f.options.Every
		for _, c := range changes {
			select {
			case out <- c:
			case <-ctx.Done():
				return
			}
		}
		if next == s.at {
			need := next.Seq + 1
			if next.N == 0 {
				need = next.Seq
			}
			f.wait(ctx, need)
		}
		s.at = next
	}
}

// read gets some changes, with all that is selected of them, under one read
// transaction.
func (s *subscription) read(ctx context.Context) (out []*RecordedChange, next graph.Position, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.follower.options.Time)
	defer cancel()
	err = s.store.Read(ctx, func(tx graph.Reader) error {
		var changes []graph.Change
		if changes, next, err = graph.Changes(ctx, tx, s.at); err != nil || len(changes) == 0 {
			return err
		}
		kind := func(string) graph.Kind { return "" }
		tx = graph.United(tx)
		filter := tx.Identities().InFilter(s.compile(tx.Vocabulary(), nil).filter)
		if filter.WithKinds != nil {
			var ids []string
			for _, c := range changes {
				ids = append(ids, c.Relation.Source, c.Relation.Target)
			}
			nodes, err := tx.Nodes(ctx, distinct(ids), false)
			if err != nil {
				return err
			}
			kind = func(id string) graph.Kind {
				if n := nodes[id]; n != nil {
					return n.Kind
				}
				return ""
			}
		}
		var given []*graph.Relation
		var kept []*graph.Change
		for i := range changes {
			c := &changes[i]
			if filter.Matches(c.Relation, tx.Vocabulary(), kind) {
				given, kept = append(given, c.Relation), append(kept, c)
			}
		}
		if len(kept) == 0 {
			return nil
		}
		q := s.compile(tx.Vocabulary(), given)
		answer, err := graph.Run(ctx, tx, &graph.Plan{Roots: []*graph.Step{q.step}})
		if err != nil {
			return err
		}
		for _, c := range kept {
			out = append(out, &RecordedChange{place{answer, q.sel}, c})
		}
		return nil
	})
	if err != nil {
		return nil, s.at, err
	}
	return out, next, nil
}
