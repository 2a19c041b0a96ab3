package loader

import (
	"context"
	"errors"
	"iter"
	"slices"

	"chancery/graph"
)

// Data sets that are loaded together may refer to each other, whatever the
// order of their files. Feeds are checked first, and then each file with knowledge of those before
// it; those that refer to what is unknown then are checked again with
// knowledge of all, and so are those that were checked against an edition which
// a file behind them replaces. What is referred to is written first; where data sets refer
// to each other in a circle, their entities and sources are.

// opening is a file, or the files that are one edition, being checked.
type opening struct {
	format   Format
	in       Input
	edition  Edition
	problems graph.Problems
}

// open checks the file. An error is none of the file.
func (x *opening) open(ctx context.Context, world *World) error {
	delete(world.unresolved, x.in.Name)
	e, err := x.format.Open(ctx, x.in, world)
	x.edition, x.problems = e, nil
	if err != nil && !errors.As(err, &x.problems) {
		return err
	}
	return nil
}

// feedsFirst is the order in which files are checked: feeds refer to nothing in other
// files, while these may refer to what feeds state, and may not state it as
// something else.
func feedsFirst(groups []*group) (order []int) {
	for _, feeds := range []bool{true, false} {
		for i, g := range groups {
			if _, is := g.format.(together); is == feeds {
				order = append(order, i)
			}
		}
	}
	return order
}

// openAgain checks the files anew that refer to what is unknown, or that were
// checked against what will be replaced, as long as that helps.
func openAgain(ctx context.Context, world *World, openings []*opening) error {
	if len(openings) < 2 {
		return nil
	}
	same := unchanged(world, openings)
	for left := -1; ; {
		problems := 0
		var again []*opening
		for _, x := range openings {
			if world.unresolved[x.in.Name] || world.overtaken(x.in.Name, same) {
				again = append(again, x)
				problems += len(x.problems)
			}
		}
		if len(again) == 0 || left >= 0 && problems >= left {
			return nil
		}
		left = problems
		retracted := map[string]bool{} // once, so that a file that is named twice is found to be
		for _, x := range again {
			if !retracted[x.in.Name] {
				world.retract(x.in.Name)
				retracted[x.in.Name] = true
			}
			if err := x.open(ctx, world); err != nil {
				return err
			}
		}
	}
}

// unchanged are the data sets of which the store has these very editions: to be
// checked against either is the same.
func unchanged(world *World, openings []*opening) map[string]bool {
	same := map[string]bool{}
	for _, x := range openings {
		if x.edition == nil {
			continue
		}
		e := x.edition.Describe()
		if d, ok := world.datasets[e.Dataset]; ok && d.Complete && d.Edition == e.Input {
			same[e.Dataset] = true
		}
	}
	return same
}

// addsTo reports whether an edition adds to what another one states.
func addsTo(e, to Edition) bool {
	type adding interface{ adds() }
	_, adds := e.(adding)
	_, too := to.(adding)
	return adds && !too && e.Describe().Dataset == to.Describe().Dataset
}

// task is an edition to be written: all of it, or only what the relations and
// events of other data sets may need.
type task struct {
	in      Input
	edition Edition
	ends    bool
}

// inOrder puts editions into the order of writing.
func inOrder(openings []*opening, world *World) (tasks []task) {
	left := slices.Clone(openings)
	there := map[*opening]bool{} // its entities and sources will be
	needs := func(x *opening) (list []*opening) {
		for _, o := range left {
			if o != x && !there[o] && (world.uses[x.edition.Describe().Dataset][o.edition.Describe().Dataset] || addsTo(x.edition, o.edition)) {
				list = append(list, o)
			}
		}
		return list
	}
	for len(left) > 0 {
		next := slices.IndexFunc(left, func(x *opening) bool { return len(needs(x)) == 0 })
		if next < 0 { // a circle
			next = 0
			first := []*opening{left[0]}
			for i := 0; i < len(first); i++ {
				for _, o := range needs(first[i]) {
					if !slices.Contains(first, o) {
						first = append(first, o)
					}
				}
			}
			for _, o := range first[1:] {
				there[o] = true
				tasks = append(tasks, task{o.in, o.edition, true})
			}
		}
		tasks = append(tasks, task{left[next].in, left[next].edition, false})
		left = slices.Delete(left, next, next+1)
	}
	return tasks
}

// endsOf is the part of an edition that relations and events of others can
// refer to only when it is there: entities, and sources.
type endsOf struct{ Edition }

func (e *endsOf) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for b, err := range e.Edition.Batches() {
			ends := slices.DeleteFunc(slices.Clone(b.Statements), func(s graph.Statement) bool {
				return s.Content.Form != graph.FormEntity && s.Content.Form != graph.FormSource
			})
			if !yield(Batch{Statements: ends}, err) {
				return
			}
		}
	}
}

// joinReports makes a report that of the whole edition, of which the ends were
// written ahead, and found unchanged afterwards.
func joinReports(report, ahead *graph.Report) {
	if ahead == nil {
		return
	}
	report.Resumed = ahead.Resumed
	report.TitleChange = ahead.TitleChange // it may be written already
	for _, part := range []struct{ all, ahead *graph.Tally }{{&report.Entities, &ahead.Entities}, {&report.Sources, &ahead.Sources}} {
		part.all.Created += part.ahead.Created
		part.all.Changed += part.ahead.Changed
		part.all.Unchanged -= part.ahead.Created + part.ahead.Changed
	}
}
