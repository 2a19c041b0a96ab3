// Package loader brings files into the record. Every load takes the same way:
// read, map, resolve, write, report. A [Format] does the first three for one
// sort of file; the rest is here, and the same for all.
//
// A new format is one file (or package) that implements Format, and one line
// in [Formats].
package loader

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sync"
	"time"

	"chancery/graph"
)

// Formats lists the formats that can be loaded, in the order in which they are
// asked whether a file is theirs.
func Formats() []Format {
	return []Format{
		feedFormat{icews{}},
		feedFormat{tkg{}},
		mentionsFormat{}, // whose header begins as that of gdelt
		feedFormat{gdelt{}},
		feedFormat{polecat{}},
		ftmFormat{},
		csvFormat{}, // knows that tables need a mapping
		identitiesFormat{},
		datasetFormat{}, // takes any text
	}
}

// Format knows one sort of file.
type Format interface {
	// Name is how people call the format.
	Name() string
	// Detect reports whether a file is of this format, by its beginning.
	Detect(head []byte) bool
	// Open reads as much of the file as it takes to find all that is wrong
	// with it, and reports that as [graph.Problems]. It writes nothing.
	Open(ctx context.Context, in Input, world *World) (Edition, error)
}

// A together is a format of which several files can be one edition: [Input].Parts.
type together interface{ together() }

// A tabbed is a format whose rows are fields with tabs between them. Copies with
// other delimiters, as CSV, are read as well, and come to it with tabs.
type tabbed interface {
	// begins reports whether the first of these lines is the header of the
	// format, with all that it needs, or else whether most of them are good rows.
	begins(lines []string) bool
}

// Edition is the content of one file, found to be right.
type Edition interface {
	// Describe says what is to be recorded.
	Describe() graph.Edition
	// Size is the number of things, or of rows where there are [Edition.Rows],
	// for showing progress; 0 if not known.
	Size() int
	// Batches yields the content: what is referred to comes first. It can be
	// gone through once.
	Batches() iter.Seq2[Batch, error]
	// Rows says how the rows of a feed were read; nil for what has no rows.
	Rows() *Rows
	// Notes are remarks on the file that do not stand in the way of loading.
	Notes() []graph.Problem
}

// Batch is a part of an edition that is recorded in one go.
type Batch struct {
	Statements []graph.Statement // only ID and Content are filled
	Relations  []*graph.Relation
	// Described and Records are statements and relations too: those that rows
	// of a feed stand for, one each.
	Described []graph.Statement
	Records   []*graph.Relation
	// RowOf has, for those of the relations that a row stands for beside its
	// record, the id of that record.
	RowOf map[string]string
	// Rows is the number of rows that the batch deals with beside those of
	// Described and Records. The edition counts itself what became of them.
	Rows int
}

// also adds a relation that a row stands for beside its record.
func (b *Batch) also(record, rel *graph.Relation) {
	if b.RowOf == nil {
		b.RowOf = map[string]string{}
	}
	b.RowOf[rel.ID] = record.ID
	b.Relations = append(b.Relations, rel)
}

// BatchSize is the number of things that formats put into a batch, unless
// [Options] say otherwise.
const BatchSize = 10000

const (
	headBytes       = 64 << 10
	defaultMaxBytes = 64 << 20
)

// Options are the circumstances of a load.
type Options struct {
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// DryRun finds out what would change, and writes nothing.
	DryRun bool
	// Wait is how long to wait for another load to end, and for a store that
	// goes away to come back. Waiting, if set, is told who is waited for, Away
	// why the store is not there, and Back that it is again.
	Wait    time.Duration
	Waiting func(holder string)
	Away    func(err error)
	Back    func()
	// Progress, if set, is told how the load goes.
	Progress Progress
	// MaxBytes bounds the files that must be held in memory; 0 is 64 MiB.
	MaxBytes int64
	// BatchSize is the number of things a batch and a transaction; 0 is [BatchSize].
	BatchSize int
	// Format names the format of all files; "" finds it by their content.
	Format string
	// Dataset is the name that the data set of feeds shall have; "" is their own.
	Dataset string
	// Mapping is the file that says what the rows of tables mean; "" is none.
	// With one, all files are tables.
	Mapping string
	// Edition says what feeds and tables are: [EditionWhole] or
	// [EditionIncrement]; "" leaves that to the format or the mapping. Of a
	// feed, all files that are loaded at once are one whole edition.
	Edition string
	// Recheck compares files with the record even if they were loaded before.
	Recheck bool
	// Stdin is what [StandardInput] stands for.
	Stdin io.Reader
	// Rejects, if set, receives the bad rows of feeds, as [NewRejects] says.
	Rejects io.Writer
	// MaxRejects, if set, is the number of bad rows in a file with which it is
	// still loaded.
	MaxRejects *int
}

// What an edition of a feed or of a table is.
const (
	EditionWhole     = "whole"     // all of its data set: what it does not hold is withdrawn
	EditionIncrement = "increment" // more of its data set
)

// Checker is a Progress that is told too how feeds and tables are checked,
// before anything is written: first of no rows, and then of all rows of the
// file so far and the bad ones among them, now and then and at the end.
type Checker interface {
	Check(file string, rows, rejected int)
}

// Progress is told how a load goes.
type Progress interface {
	// Begin is called before a file is written; total is 0 if not known. Of a
	// feed or table, it counts rows, and some may turn out to say nothing new.
	Begin(file, dataset string, total int)
	// Add is called when n more things are dealt with, or rows of a feed or table.
	Add(n int)
	// End is called when the files are checked, and when one is done, whether it
	// succeeded or not.
	End()
}

// InterruptedError says that a load was stopped on request.
type InterruptedError struct {
	File    string
	Done    int  // things dealt with, or rows
	Total   int  // 0 if not known
	Rows    bool // they are rows
	Written bool // something may have been written
	Cause   error
}

func (e *InterruptedError) Error() string {
	if !e.Written {
		return "interrupted; nothing was written"
	}
	of := ""
	if e.Total > 0 {
		of = fmt.Sprintf(" of %d", e.Total)
	}
	what := "things"
	if e.Rows {
		what = "rows"
	}
	return fmt.Sprintf("interrupted in %s after %d%s %s; load the same again, and it goes on from there", e.File, e.Done, of, what)
}

// Unwrap returns the cause.
func (e *InterruptedError) Unwrap() error { return e.Cause }

// Load validates all files, and then writes them, each as an edition of its
// data set, in their order, but what a data set refers to before it. When
// anything is wrong with any of them, it writes nothing and returns
// [graph.Problems]. The result has what was done before an error occurred.
func Load(ctx context.Context, store graph.Store, files []string, o Options) (*Result, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.BatchSize <= 0 {
		o.BatchSize = BatchSize
	}
	if !slices.Contains([]string{"", EditionWhole, EditionIncrement}, o.Edition) {
		return nil, fmt.Errorf("an edition is %s or %s, not %q", EditionWhole, EditionIncrement, o.Edition)
	}
	store = graph.Patient(store, graph.Patience{Wait: o.Wait, Away: o.Away, Back: o.Back})
	result := &Result{Loads: []LoadReport{}}
	inputs, done, err := findInputs(ctx, files, o.Stdin)
	defer done()
	if ctx.Err() != nil {
		err = &InterruptedError{Cause: context.Cause(ctx)}
	}
	if err != nil {
		return result, err
	}
	list := newRejects(o.Rejects)
	tasks, err := validate(ctx, store, inputs, list, &o)
	if err != nil {
		if ctx.Err() != nil {
			err = &InterruptedError{Cause: context.Cause(ctx)}
		}
		return result, err
	}
	result.Began = !o.DryRun && len(tasks) > 0
	ahead := map[Edition]*graph.Report{} // of what was written of an edition before the rest
	for _, t := range tasks {
		e, file := t.edition, t.in.Name
		if t.ends {
			if !o.DryRun {
				if ahead[e], err = record(ctx, store, file, &endsOf{e}, &o); err != nil {
					return result, err
				}
			}
			continue
		}
		report, err := record(ctx, store, file, e, &o)
		if written := list.flush(); err == nil && written != nil {
			err = fmt.Errorf("%s: the list of bad rows cannot be written: %w", file, written)
		}
		if err != nil {
			return result, err
		}
		joinReports(report, ahead[e])
		_, judgements := e.(*judgementFile)
		result.Loads = append(result.Loads, LoadReport{File: file, Title: e.Describe().Title, Report: *report, Rows: e.Rows(),
			Notes: slices.Concat(e.Notes(), leftOut(file, report, e.Rows()), disputes(file, report)), judgements: judgements})
	}
	return result, nil
}

// leftOut says what was left out of a file, without a word on what it was.
func leftOut(file string, report *graph.Report, rows *Rows) (notes []graph.Problem) {
	things := report.Forgotten
	if rows != nil && rows.Forgotten > 0 {
		things -= rows.Forgotten
		notes = append(notes, graph.Problem{File: file, Message: fmt.Sprintf(
			"rows that name what was forgotten: %d; they are left out, counted as rejected, and in no list of bad rows", rows.Forgotten)})
	}
	if things > 0 {
		notes = append(notes, graph.Problem{File: file, Message: fmt.Sprintf(
			"entities, events, relations and judgements that were forgotten, or name what was: %d; they are left out", things)})
	}
	return notes
}

// disputes notes which entities are of several kinds.
func disputes(file string, report *graph.Report) (notes []graph.Problem) {
	for _, d := range report.Disputes {
		notes = append(notes, graph.Problem{File: file, Message: fmt.Sprintf(
			"%s is %s, but %s is %s, and they are judged to be one entity, which is shown as %s; correct one of them, or take the judgement back",
			d.ID, kindArticle(d.Kind), d.OtherID, kindArticle(d.OtherKind), kindArticle(d.Kind))})
	}
	return notes
}

// validate opens all files, and collects what is wrong with any. It returns
// what is to be written, in order.
func validate(ctx context.Context, store graph.Store, inputs []Input, list *rejects, o *Options) ([]task, error) {
	world, err := newWorld(ctx, store, o.Now())
	if err != nil {
		return nil, err
	}
	formats, err := chosen(o.Format)
	if err == nil && o.Mapping != "" {
		formats, err = tables(o, world.Vocabulary)
	}
	if err != nil {
		return nil, err
	}
	groups, all, err := sorted(inputs, formats, o)
	if err != nil {
		return nil, err
	}
	openings := make([]*opening, len(groups))
	for _, at := range feedsFirst(groups) {
		g := groups[at]
		in := joined(g.inputs)
		in.MaxBytes, in.BatchSize, in.Dataset, in.MaxRejects = o.MaxBytes, o.BatchSize, o.Dataset, -1
		if o.MaxRejects != nil {
			in.MaxRejects = *o.MaxRejects
		}
		if list != nil {
			in.Reject = func(r Rejection) error { return list.write(in.Name, r) }
		}
		if o.Edition != "" {
			whole := o.Edition == EditionWhole
			in.Whole = &whole
		}
		checking := true
		if p, ok := o.Progress.(Checker); ok {
			in.checked = func(r *Rows) {
				if checking {
					p.Check(in.Name, r.Read, r.Rejected)
				}
			}
		}
		x := &opening{format: g.format, in: in}
		err := x.open(ctx, world)
		checking = false
		if err != nil {
			return nil, err
		}
		openings[at] = x
	}
	if err := openAgain(ctx, world, openings); err != nil {
		return nil, err
	}
	if _, ok := o.Progress.(Checker); ok {
		o.Progress.End()
	}
	if err := list.flush(); err != nil {
		return nil, err
	}
	for _, x := range openings {
		all = append(all, x.problems...)
	}
	if err := all.Err(); err != nil {
		return nil, err
	}
	return inOrder(openings, world), nil
}

// group is the files that are one edition.
type group struct {
	format Format
	inputs []Input
}

// sorted finds the format of each file. Problems are those of files that have
// none.
func sorted(inputs []Input, formats []Format, o *Options) (groups []*group, problems graph.Problems, err error) {
	whole := map[string]*group{}
	for _, in := range inputs {
		format, err := detect(&in, formats)
		var wrong graph.Problems
		if errors.As(err, &wrong) {
			problems = append(problems, wrong...)
			continue
		} else if err != nil {
			return nil, nil, err
		}
		_, several := format.(together)
		if g := whole[format.Name()]; g != nil && several && o.Edition == EditionWhole {
			g.inputs = append(g.inputs, in)
			continue
		}
		g := &group{format, []Input{in}}
		whole[format.Name()] = g
		groups = append(groups, g)
	}
	return groups, problems, nil
}

// notIncremental refuses what only feeds and tables can be.
func notIncremental(in Input, format string) error {
	if in.Whole == nil || *in.Whole {
		return nil
	}
	return graph.Problems{{File: in.Name, Message: fmt.Sprintf(
		"a file of the format %s is always all of its data set; --edition increment is for feeds and tables", format)}}
}

// chosen lists the formats that a file can be of.
func chosen(name string) ([]Format, error) {
	formats := Formats()
	if name == "" {
		return formats, nil
	}
	for _, f := range formats {
		if f.Name() == name {
			return []Format{f}, nil
		}
	}
	return nil, fmt.Errorf("there is no format %q; it can be %s", name, orList(FormatNames()))
}

// tables is the one format of files that have a mapping.
func tables(o *Options, vocabulary *graph.Vocabulary) ([]Format, error) {
	if o.Format != "" && o.Format != csvName {
		return nil, fmt.Errorf("a mapping is for tables (the format %s), not for the format %s", csvName, o.Format)
	}
	m, err := readMapping(o.Mapping, vocabulary)
	if err != nil {
		return nil, err
	}
	return []Format{csvFormat{m}}, nil
}

// FormatNames are the names of all formats.
func FormatNames() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name())
	}
	return names
}

// unreadable is the problem of a file that cannot be read.
func unreadable(name string, err error) error {
	return graph.Problems{{File: name, Message: "cannot be read: " + reason(err)}}
}

// record writes one edition.
func record(ctx context.Context, store graph.Store, file string, e Edition, o *Options) (*graph.Report, error) {
	edition, size, hasRows := e.Describe(), e.Size(), e.Rows() != nil
	done := 0
	failed := func(err error) error {
		var conflict *graph.ConflictError
		switch {
		case ctx.Err() != nil:
			return &InterruptedError{File: file, Done: done, Total: size, Rows: hasRows, Written: !o.DryRun, Cause: context.Cause(ctx)}
		case errors.As(err, new(graph.Problems)): // which name the file
			return err
		case errors.As(err, &conflict):
			return fmt.Errorf("%s: %w; another load has changed the record since the file was checked: load it again to see where it stands", file, err)
		}
		return fmt.Errorf("%s: %w", file, err)
	}
	var by string
	if edition.Steady { // otherwise it decides nothing, and is not worth reading the program
		by = program()
	}
	recorder, err := graph.NewRecorder(ctx, store, edition, graph.RecorderOptions{
		Now: o.Now, Holder: Holder(), HolderGone: HolderGone, Wait: o.Wait, Waiting: o.Waiting,
		BatchSize: o.BatchSize, DryRun: o.DryRun, Recheck: o.Recheck, Program: by,
	})
	if err != nil {
		return nil, failed(err)
	}
	defer recorder.Abort(context.WithoutCancel(ctx))
	if o.Progress != nil {
		o.Progress.Begin(file, edition.Dataset, size)
		defer o.Progress.End()
	}
	var rows graph.Tally
	leftOut := 0                 // rows
	altered := map[string]bool{} // records of rows that have altered another relation
	for batch, err := range e.Batches() {
		if err == nil {
			err = ctx.Err()
		}
		switch {
		case err != nil:
		case len(batch.Relations)+len(batch.Described) == 0: // in one transaction
			err = recorder.Record(ctx, batch.Statements, batch.Records, graph.Counts{Relations: &rows, LeftOut: &leftOut})
		default:
			err = recorder.Record(ctx, batch.Statements, batch.Relations, graph.Counts{Became: func(id string, changed bool) {
				if row, ok := batch.RowOf[id]; ok && changed {
					altered[row] = true
				}
			}})
			if err == nil {
				err = recorder.Record(ctx, batch.Described, batch.Records, graph.Counts{Statements: &rows, Relations: &rows, LeftOut: &leftOut, Became: func(id string, changed bool) {
					if altered[id] && !changed {
						rows.Unchanged--
						rows.Changed++
					}
					delete(altered, id)
				}})
			}
		}
		if err != nil {
			return nil, failed(err)
		}
		n := len(batch.Described) + len(batch.Records) + batch.Rows
		if !hasRows {
			n += len(batch.Statements) + len(batch.Relations)
		}
		done += n
		if o.Progress != nil {
			o.Progress.Add(n)
		}
	}
	finish := recorder.Finish
	if _, more := e.(*endsOf); more {
		finish = recorder.Pause
	}
	report, err := finish(ctx)
	if err != nil {
		return nil, failed(err)
	}
	if r := e.Rows(); r != nil {
		r.Created, r.Changed, r.Unchanged = r.Created+rows.Created, r.Changed+rows.Changed, r.Unchanged+rows.Unchanged
		r.Rejected += leftOut
		report.Forgotten += r.Forgotten // rows that the recorder has not seen
		r.Forgotten += leftOut
	}
	return report, nil
}

// program tells this build of the program from others, by a hash of its file:
// what Go notes of a build is the same for two states of a source that is not
// under version control, or built without its stamp. Where the file cannot be
// read, no run is taken for the same program as another.
var program = sync.OnceValue(func() string {
	file, err := os.Open("/proc/self/exe") // which stays, when another is put in its place
	if err != nil {
		var path string
		if path, err = os.Executable(); err == nil {
			file, err = os.Open(path)
		}
	}
	if err != nil {
		return rand.Text()
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return rand.Text()
	}
	return hex.EncodeToString(hash.Sum(nil))
})

// batches cuts an edition that is in memory into batches of that size.
func batches(size int, statements []graph.Statement, relations []*graph.Relation) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for part := range slices.Chunk(statements, size) {
			if !yield(Batch{Statements: part}, nil) {
				return
			}
		}
		for part := range slices.Chunk(relations, size) {
			if !yield(Batch{Relations: part}, nil) {
				return
			}
		}
	}
}
