package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"chancery/graph"
	"chancery/loader"
)

// loadOptions are the flags of load.
type loadOptions struct {
	Report string // text (also when empty) or json
	DryRun bool
	// Quiet leaves out progress; what is wrong is said all the same.
	Quiet bool
	// Wait is how long to wait for another load to end.
	Wait time.Duration
}

// loadUsageError is a mistake on the command line: exit status 2.
type loadUsageError struct{ message string }

func (e loadUsageError) Error() string { return e.message }

// runLoad loads files into a store and reports on stdout what that changed.
// Progress and notes go to stderr. What is wrong with the files is returned as
// [graph.Problems], for the caller to print: nothing is written then.
func runLoad(ctx context.Context, stdout, stderr io.Writer, store graph.Store, files []string, o loadOptions) error {
	if len(files) == 0 {
		return loadUsageError{"name at least one file to load, for example: chancery load data/paris-talks-2025.yaml"}
	}
	if o.Report != "" && o.Report != "text" && o.Report != "json" {
		return loadUsageError{fmt.Sprintf("--report can be text or json, not %q", o.Report)}
	}
	options := loader.Options{DryRun: o.DryRun, Wait: o.Wait}
	options.Waiting = func(holder string) {
		_, _ = fmt.Fprintf(stderr, "another load is writing to the store (%s); waiting up to %s for it to end\n", holder, o.Wait)
	}
	if !o.Quiet {
		options.Progress = loader.NewProgress(stderr, slog.New(slog.NewTextHandler(stderr, nil)))
	}
	result, err := loader.Load(ctx, store, files, options)
	for i := range result.Loads {
		for _, note := range result.Loads[i].Notes {
			note.Message = "note: " + note.Message
			_, _ = fmt.Fprintln(stderr, note.Error())
		}
	}
	var problems graph.Problems
	if wrong := errors.As(err, &problems); err != nil && !wrong && len(result.Loads) == 0 {
		return err
	}
	// What was done before an error is reported too.
	write := result.WriteText
	if o.Report == "json" {
		write = func(w io.Writer) error { return result.WriteJSON(w, problems) }
	}
	if werr := write(stdout); err == nil {
		err = werr
	}
	if len(problems) > 0 {
		err = fmt.Errorf("%w\n%s; nothing was written", err, countProblems(problems))
	}
	return err
}

func countProblems(ps graph.Problems) string {
	if len(ps) == 1 {
		return "1 problem"
	}
	files := map[string]bool{}
	for _, p := range ps {
		files[p.File] = true
	}
	if len(files) == 1 {
		return fmt.Sprintf("%d problems", len(ps))
	}
	return fmt.Sprintf("%d problems in %d files", len(ps), len(files))
}
