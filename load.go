package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"chancery/graph"
	"chancery/loader"

	"github.com/spf13/cobra"
)

// loadOptions are the flags of load.
type loadOptions struct {
	Report string // text (also when empty) or json
	DryRun bool
	// Quiet leaves out progress; what is wrong is said all the same.
	Quiet bool
	// Recheck compares files with the record even if they were loaded before.
	Recheck bool
	// Wait is how long to wait for another load to end.
	Wait time.Duration
	// Format names the format of the files; "" finds it by their content.
	Format string
	// Dataset is the name of the data set that feeds go into; "" is their own.
	Dataset string
	// Mapping is the file that says what the rows of tables mean; "" for none.
	Mapping string
	// Edition is whole or increment; "" leaves it to the format.
	Edition string
	// Rejects is the file for the bad rows of feeds; "" for none.
	Rejects string
	// MaxRejects is the number of bad rows with which a feed is still loaded;
	// negative for any number.
	MaxRejects int
}

// loadUsageError is a mistake on the command line: exit status 2.
type loadUsageError struct{ message string }

func (e loadUsageError) Error() string { return e.message }

// runLoad loads files into a store and reports on stdout what that changed.
// Progress and notes go to stderr. What is wrong with the files is returned as
// [graph.Problems], for the caller to print: nothing is written then.
func runLoad(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, store graph.Store, files []string, o loadOptions) (err error) {
	if len(files) == 0 {
		return loadUsageError{"name at least one file to load, for example: chancery load data/paris-talks-2025.yaml"}
	}
	if o.Report != "" && o.Report != "text" && o.Report != "json" {
		return loadUsageError{fmt.Sprintf("--report can be text or json, not %q", o.Report)}
	}
	options := loader.Options{DryRun: o.DryRun, Wait: o.Wait, Format: o.Format, Dataset: o.Dataset, Mapping: o.Mapping, Edition: o.Edition, Recheck: o.Recheck, Stdin: stdin}
	if o.Format == formatAuto {
		options.Format = ""
	}
	if o.MaxRejects >= 0 {
		options.MaxRejects = &o.MaxRejects
	}
	var rejects *os.File
	if o.Rejects != "" {
		if rejects, err = os.Create(o.Rejects); err != nil {
			return reportLoad(stdout, &loader.Result{}, cannotWrite(o.Rejects, err), o)
		}
		options.Rejects = rejects
	}
	options.Waiting = func(holder string) {
		_, _ = fmt.Fprintf(stderr, "another load is writing to the store (%s); waiting up to %s for it to end\n", holder, o.Wait)
	}
	options.Away = func(err error) {
		_, _ = fmt.Fprintf(stderr, "%v; waiting up to %s for it to come back\n", err, o.Wait)
	}
	options.Back = func() { _, _ = fmt.Fprintln(stderr, "the store is back; the load goes on") }
	if !o.Quiet {
		options.Progress = loader.NewProgress(stderr, slog.New(slog.NewTextHandler(stderr, nil)), "loading")
	}
	result, err := loader.Load(ctx, store, files, options)
	if rejects != nil {
		if closed := rejects.Close(); err == nil && closed != nil {
			err = cannotWrite(o.Rejects, closed)
		}
	}
	for i := range result.Loads {
		for _, note := range result.Loads[i].Notes {
			note.Message = "note: " + note.Message
			_, _ = fmt.Fprintln(stderr, note.Error())
		}
	}
	return reportLoad(stdout, result, err, o)
}

// reportLoad writes the report of a load that ended with an error or none: what
// was done before an error is reported too. It returns the error to be printed.
func reportLoad(stdout io.Writer, result *loader.Result, err error, o loadOptions) error {
	var problems graph.Problems
	why := ""
	switch {
	case errors.As(err, &problems):
		why = countProblems(problems) + "; nothing was written"
		if result.Began {
			why = countProblems(problems) + "; what was written before stays"
		}
		err = fmt.Errorf("%w\n%s", err, why)
	case err != nil:
		why = err.Error()
	}
	write := result.WriteText
	if o.Report == "json" {
		write = func(w io.Writer) error { return result.WriteJSON(w, problems, why) }
	}
	return cmp.Or(err, write(stdout))
}

// refuseRejects keeps the list of bad rows from being written over something
// else, and from being loaded. Outputs are where the report and the log go.
func refuseRejects(name string, files []string, outputs ...io.Writer) error {
	if name == "-" {
		return loadUsageError{"--rejects needs the name of a file; the report goes to standard output"}
	}
	info, err := os.Stat(name)
	for _, w := range outputs {
		if f, ok := w.(*os.File); ok && err == nil && info.Mode()&os.ModeDevice == 0 { // such as /dev/null
			if other, err := f.Stat(); err == nil && os.SameFile(info, other) {
				return loadUsageError{fmt.Sprintf("--rejects %s is where the report or the log goes; name another file", name)}
			}
		}
	}
	if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("the file of --rejects cannot be read: %w", err)
		}
		head := make([]byte, len(loader.RejectsHeader))
		_, err = io.ReadFull(f, head)
		_ = f.Close()
		if err != nil || string(head) != loader.RejectsHeader {
			return loadUsageError{fmt.Sprintf("--rejects would write over %s, which is no list of bad rows; name another file, or remove it", name)}
		}
	}
	full, err := filepath.Abs(name)
	if err != nil {
		return fmt.Errorf("the file of --rejects cannot be written: %w", err)
	}
	for _, file := range files {
		dir, err := filepath.Abs(file)
		if err != nil || file == loader.StandardInput {
			continue
		}
		if inside, err := filepath.Rel(dir, full); err == nil && filepath.IsLocal(inside) {
			return loadUsageError{fmt.Sprintf("--rejects %s is among the files to be loaded (%s); write it elsewhere", name, file)}
		}
	}
	return nil
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

// formatAuto finds the format of files by their content.
const formatAuto = "auto"

// defaultWait is how long a load waits for another one to end.
const defaultWait = time.Minute

func (c *cli) loadCommand() *cobra.Command {
	var o loadOptions
	command := &cobra.Command{
		Use:   "load FILE...",
		Short: "Load data sets into the store",
		Long: `Load checks the files as a whole, says all that is wrong with them as
FILE:LINE:COLUMN, and writes nothing if anything is. Otherwise each becomes the
newest edition of its data set: what it says differently enters the record as new
versions, and what it no longer says is withdrawn. Loading the same file again
changes nothing. A load that was interrupted is made good by loading again.

Feeds of events are tables: icews (20 columns), tkg (subject, event, object and
date), gdelt (57, 58 or 61 columns) and polecat (40). Each file adds to its data set, or with
--edition whole all of them are it; a bad row is rejected, and stops nothing.
Any other table (CSV, TSV) is loaded with a mapping that says what its rows mean.
Files may be packed with gzip or zstd, a directory or a zip archive stands for the
files in it, and - for standard input.

It may run while chancery serve does. The report goes to standard output.`,
		Example: `  chancery load data/paris-talks-2025.yaml
  chancery load --dry-run --report json edited.yaml
  chancery load --rejects bad.csv events.2018.tab.gz
  chancery load --dataset icews18 icews18/
  chancery load --edition whole all.ftm.json.gz
  chancery load --mapping data/mappings/capitals.yaml capitals.csv
  chancery load --store neo4j://localhost:7687 --vocabulary more-types.yaml *.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("name at least one file to load")
			}
			return nil
		},
		RunE: func(command *cobra.Command, files []string) error { return c.load(command.Context(), files, o) },
	}
	command.Flags().BoolVar(&o.DryRun, "dry-run", false, "say what would change, and write nothing")
	command.Flags().StringVar(&o.Report, "report", "text", "the `FORMAT` of the report: text or json")
	command.Flags().StringVar(&o.Format, "format", formatAuto, "the `FORMAT` of the files: auto (by their content), "+strings.Join(loader.FormatNames(), ", "))
	command.Flags().StringVar(&o.Dataset, "dataset", "", "the `NAME` of the data set that feeds go into (their format's name if left out)")
	command.Flags().StringVar(&o.Mapping, "mapping", "", "the `FILE` that says what the rows of tables mean; the files are of the format csv then")
	command.Flags().StringVar(&o.Edition, "edition", "", "what a feed or table is, `EDITION` whole (all of its data set) or increment; left out, feeds are increments, and tables what their mapping says")
	command.Flags().StringVar(&o.Rejects, "rejects", "", "write the bad rows of feeds to this `FILE` (CSV)")
	command.Flags().IntVar(&o.MaxRejects, "max-rejects", -1, "load nothing when a file of a feed has more bad rows; -1 is any number")
	command.Flags().BoolVar(&o.Quiet, "quiet", false, "show no progress")
	command.Flags().BoolVar(&o.Recheck, "recheck", false, "compare feeds and tables with the record even if the same files were loaded before")
	command.Flags().DurationVar(&o.Wait, "wait", defaultWait, "how long to wait for another load to end, and for a store that goes away to come back")
	c.storeFlag(command)
	c.vocabularyFlag(command)
	return command
}

// readable finds files that cannot be read before a store is made for them.
func readable(files []string) (problems graph.Problems) {
	for _, name := range files {
		if info, err := os.Stat(name); name == loader.StandardInput || err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			continue // what can be read only once
		}
		file, err := os.Open(name)
		if e := (*fs.PathError)(nil); errors.As(err, &e) {
			problems = append(problems, graph.Problem{File: name, Message: "cannot be read: " + e.Err.Error()})
		}
		if err == nil {
			_ = file.Close()
		}
	}
	return problems
}

// sparing makes garbage be collected sooner, unless GOGC says when: loads and
// exports run beside databases. It returns what ends that.
func (c *cli) sparing() (done func()) {
	if c.getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(50)
	return func() { debug.SetGCPercent(before) }
}

func (c *cli) load(ctx context.Context, files []string, o loadOptions) error {
	defer c.sparing()()
	if o.Report != "text" && o.Report != "json" { // before a store is made
		return usage("--report can be text or json, not %q", o.Report)
	}
	if o.Format != formatAuto && !slices.Contains(loader.FormatNames(), o.Format) {
		return usage("--format can be %s or %s, not %q", formatAuto, strings.Join(loader.FormatNames(), ", "), o.Format)
	}
	if o.Mapping != "" && o.Format != formatAuto && o.Format != "csv" {
		return usage("--mapping is for tables, so --format can only be csv beside it, not %q", o.Format)
	}
	if !slices.Contains([]string{"", loader.EditionWhole, loader.EditionIncrement}, o.Edition) {
		return usage("--edition can be %s or %s, not %q", loader.EditionWhole, loader.EditionIncrement, o.Edition)
	}
	if o.MaxRejects < -1 {
		return usage("--max-rejects is a number of rows, or -1 for any number, not %d", o.MaxRejects)
	}
	if o.Rejects != "" {
		if err := refuseRejects(o.Rejects, files, c.stdout, c.stderr); err != nil {
			return err
		}
	}
	location, err := c.locate()
	if err != nil {
		return err
	}
	if o.DryRun {
		store, done, err := c.openDry(ctx, location)
		if err != nil {
			return reportLoad(c.stdout, &loader.Result{}, err, o)
		}
		defer done()
		return runLoad(ctx, c.stdin, c.stdout, c.stderr, store, files, o)
	}
	asked := files
	if o.Mapping != "" {
		asked = append(slices.Clone(files), o.Mapping)
	}
	var store graph.Store
	if err = readable(asked).Err(); err == nil {
		store, err = c.open(ctx, location)
	}
	if err != nil {
		return reportLoad(c.stdout, &loader.Result{}, err, o)
	}
	defer c.close(store)
	return runLoad(ctx, c.stdin, c.stdout, c.stderr, store, files, o)
}
