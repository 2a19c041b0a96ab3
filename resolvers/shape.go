package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// CodeIntrospectionDisabled is the code of questions about the schema where
// these are not answered.
const CodeIntrospectionDisabled = "INTROSPECTION_DISABLED"

// shapeLimit refuses documents that say the same thing over and over, which
// costs a server more than it costs those who write them.
type shapeLimit struct{ o Options }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = shapeLimit{}

func (shapeLimit) ExtensionName() string { return "ShapeLimit" }

func (shapeLimit) Validate(graphql.ExecutableSchema) error { return nil }

func (s shapeLimit) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	c := &shape{limits: s.o.Limits, noIntrospection: s.o.NoIntrospection}
	for _, o := range op.Doc.Operations {
		c.directives += len(o.Directives)
		for _, v := range o.VariableDefinitions {
			c.directives += len(v.Directives)
		}
		c.set(o.SelectionSet)
	}
	for _, f := range op.Doc.Fragments {
		c.fragments++
		c.directives += len(f.Directives)
		c.set(f.SelectionSet)
	}
	return c.refusal()
}

// shape counts what a document is made of.
type shape struct {
	limits          Limits
	noIntrospection bool

	aliases, repeats, directives, fragments, spreads int
	repeated                                         string // the field asked for most often
	introspects                                      bool
}

func (c *shape) set(set ast.SelectionSet) {
	times := map[[2]string]int{}
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			c.directives += len(s.Directives)
			if s.Alias != s.Name {
				c.aliases++
			}
			if s.Name == "__schema" || s.Name == "__type" {
				c.introspects = true
			}
			key := [2]string{s.Alias, s.Name}
			times[key]++
			if times[key] > c.repeats {
				c.repeats, c.repeated = times[key], s.Name
			}
			c.set(s.SelectionSet)
		case *ast.InlineFragment:
			c.directives += len(s.Directives)
			c.set(s.SelectionSet)
		case *ast.FragmentSpread:
			c.directives += len(s.Directives)
			c.spreads++
		}
	}
}

func (c *shape) refusal() *gqlerror.Error {
	l := c.limits
	switch {
	case c.noIntrospection && c.introspects:
		return refusal(CodeIntrospectionDisabled, "this server does not answer questions about its schema; chancery schema prints it")
	case c.aliases > l.Aliases:
		return refusal(CodeTooComplex, "the document has %d aliases; at most %d are allowed", c.aliases, l.Aliases)
	case c.repeats > l.Repeats:
		return refusal(CodeTooComplex, "the document asks for %s %d times at one place; at most %d times are allowed, and once is enough", c.repeated, c.repeats, l.Repeats)
	case c.directives > l.Directives:
		return refusal(CodeTooComplex, "the document has %d directives; at most %d are allowed", c.directives, l.Directives)
	case c.fragments > l.Fragments:
		return refusal(CodeTooComplex, "the document defines %d fragments; at most %d are allowed", c.fragments, l.Fragments)
	case c.spreads > 10*l.Fragments:
		return refusal(CodeTooComplex, "the document spreads fragments %d times; at most %d times are allowed", c.spreads, 10*l.Fragments)
	}
	return nil
}
