// Package loader brings files into the record: it reads them, looks up what
// they refer to, checks everything, and only then writes.
package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"chancery/graph"
)

// maxFile is the size of the largest data set file read, in bytes. A data set
// is written by hand, and is checked as a whole.
const maxFile = 512 << 20

// File is one input.
type File struct {
	Name string // for messages
	Data []byte
}

// ReadFile reads a file of a data set.
func ReadFile(name string) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return File{}, plainPathError(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return File{}, plainPathError(err)
	}
	if len(data) > maxFile {
		return File{}, fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return File{name, data}, nil
}

func plainPathError(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return fmt.Errorf("cannot read %s: %w", e.Path, e.Err)
	}
	return err
}

// Options are the circumstances of a load.
type Options struct {
	graph.RecorderOptions
	// Progress, if set, is told after each batch how many of all the things in
	// the file are done.
	Progress func(dataset string, done, all int)
}

// Load checks all files, and then writes them one after the other. Nothing is
// written when anything is wrong with any of them; the error is then of type
// [graph.Problems]. The reports of what was written come even with an error.
func Load(ctx context.Context, store graph.Store, files []File, o Options) ([]*graph.Report, error) {
	docs, err := check(ctx, store, files, o.Now())
	if err != nil {
		return nil, err
	}
	var reports []*graph.Report
	for _, d := range docs {
		report, err := write(ctx, store, d, o)
		if err != nil {
			return reports, fmt.Errorf("%s: %w", d.file, err)
		}
		reports = append(reports, report)
	}
	return reports, nil
}

// Check reports what is wrong with files, and writes nothing.
func Check(ctx context.Context, store graph.Store, files []File, now time.Time) error {
	_, err := check(ctx, store, files, now)
	return err
}

func check(ctx context.Context, store graph.Store, files []File, now time.Time) ([]*document, error) {
	var vocabulary *graph.Vocabulary
	if err := store.Read(ctx, func(tx graph.Reader) error {
		vocabulary = tx.Vocabulary()
		return nil
	}); err != nil {
		return nil, err
	}
	var docs []*document
	names := map[string]string{}
	for _, f := range files {
		d := parseDataset(f.Name, f.Data, vocabulary)
		if name := d.edition.Dataset; name != "" {
			if first, twice := names[name]; twice {
				d.problems.Add(d.file, 1, 1, "this is data set %s, and so is %s; put them into one file, or give one another name", name, first)
			}
			names[name] = d.file
		}
		if at := d.edition.RecordedAt; at > graph.InstantOf(now.Add(time.Minute)) {
			d.problems.Add(d.file, 1, 1, "recorded: %s lies in the future", at)
		}
		docs = append(docs, d)
	}
	if err := resolve(ctx, store, docs); err != nil {
		return nil, err
	}
	var problems graph.Problems
	for _, d := range docs {
		problems = append(problems, d.problems...)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return docs, conflicts(ctx, store, docs)
}

// conflicts finds ids that the store has for something else, before anything
// is written.
func conflicts(ctx context.Context, store graph.Store, docs []*document) error {
	var problems graph.Problems
	err := store.Read(ctx, func(tx graph.Reader) error {
		for _, d := range docs {
			var ids []string
			for _, it := range d.items {
				ids = append(ids, it.id)
			}
			for ids := range slices.Chunk(ids, 5000) {
				held, err := tx.Held(ctx, &graph.HeldQuery{Relations: ids})
				if err != nil {
					return err
				}
				nodes, err := tx.Nodes(ctx, ids, false)
				if err != nil {
					return err
				}
				for _, id := range ids {
					it := d.ids[id]
					if e, taken := held.Relations[id]; taken && (it.sort != sortRelation || e.Dataset != d.edition.Dataset) {
						d.fail(it.at, "the id %s belongs to a relation of data set %s in the store; use another", id, e.Dataset)
					}
					if n := nodes[id]; n != nil && !n.Withdrawn() && (it.content == nil || it.content.Form != n.Form) {
						d.fail(it.at, "the id %s belongs to a node of another sort (%s) in the store; use another", id, n.Form)
					}
				}
			}
			problems = append(problems, d.problems...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return problems.Err()
}

// write loads one checked data set.
func write(ctx context.Context, store graph.Store, d *document, o Options) (*graph.Report, error) {
	rec, err := graph.NewRecorder(ctx, store, d.edition, o.RecorderOptions)
	if err != nil {
		return nil, err
	}
	defer rec.Abort(context.WithoutCancel(ctx))
	size := o.BatchSize
	if size <= 0 {
		size = 5000
	}
	var statements []graph.Statement
	for _, it := range d.items {
		if it.content != nil {
			statements = append(statements, graph.Statement{ID: it.id, Content: *it.content})
		}
	}
	relations := make([]*graph.Relation, 0, len(d.relations))
	for _, rel := range d.relations {
		relations = append(relations, &rel.Relation)
	}
	all, done := len(statements)+len(relations), 0
	progress := func(n int) {
		if done += n; o.Progress != nil {
			o.Progress(d.edition.Dataset, done, all)
		}
	}
	for batch := range slices.Chunk(statements, size) {
		if err := rec.Record(ctx, batch, nil); err != nil {
			return nil, err
		}
		progress(len(batch))
	}
	for batch := range slices.Chunk(relations, size) {
		if err := rec.Record(ctx, nil, batch); err != nil {
			return nil, err
		}
		progress(len(batch))
	}
	return rec.Finish(ctx)
}
