package resolvers

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Served is what is known of an operation that was asked for over HTTP, for
// logs and metrics. Its methods may be called at any time.
type Served struct {
	mu         sync.Mutex
	name, kind string
	codes      []string
}

type servedKey struct{}

// Observe makes the handler note in the result what it is asked under the
// context.
func Observe(ctx context.Context) (context.Context, *Served) {
	s := &Served{}
	return context.WithValue(ctx, servedKey{}, s), s
}

func observing(ctx context.Context) *Served {
	s, _ := ctx.Value(servedKey{}).(*Served)
	return s
}

// Name is the operation's name in its document, "" where it has none. It
// consists of letters, digits and underscores, at most 100 of them.
func (s *Served) Name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

// Type is query or subscription, or "" where no operation was begun.
func (s *Served) Type() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kind
}

// Codes are the distinct codes of the errors that the client was told of.
func (s *Served) Codes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.codes)
}

func (s *Served) begun(op *graphql.OperationContext) {
	if s == nil || op == nil || op.Operation == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kind, s.name = string(op.Operation.Operation), op.Operation.Name
	s.name = s.name[:min(len(s.name), 100)]
}

func (s *Served) failed(errs gqlerror.List) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range errs {
		code, _ := e.Extensions["code"].(string)
		if code == "" {
			code = "OTHER"
		}
		if !slices.Contains(s.codes, code) {
			s.codes = append(s.codes, code)
		}
	}
}
