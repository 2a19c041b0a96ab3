package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"chancery/graph"
	"chancery/graph/neo4jstore"
	"chancery/graph/open"
	"chancery/loader"
	"chancery/temporary"

	"github.com/spf13/cobra"
)

// The formats of exports.
const (
	exportDatasets = "dataset"
	exportImport   = "neo4j-admin"
)

// exportOptions are the flags of export.
type exportOptions struct {
	format   string
	as       string // a loader.ExportForm; "" is by the ending of output
	datasets []string
	output   string // "" is standard output
	types    string // the file for the relation types that are not built in
	mapping  string
	force    bool
	recorded bool
	quiet    bool
}

func (c *cli) exportCommand() *cobra.Command {
	var o exportOptions
	command := &cobra.Command{
		Use:   "export [FILE...]",
		Short: "Write data sets to files, or all of a store for a Neo4j to import",
		Long: `Export writes what the data sets of the store state now, each as a file that
chancery load takes: loaded into an empty store, it gives the same record. The same
record gives the same bytes, from whatever store. As JSON lines (jsonl) it is written
and read in constant memory; json and yaml are for people, and for small data sets.

With --format neo4j-admin it writes all of the store, former versions included, into
a new directory, as the files that neo4j-admin database import full makes a Neo4j
database of, which chancery goes on with as if all had been loaded. Given files to
load, it writes what they would make of an empty store: the fastest way to get feeds
of any size into Neo4j.

Nothing is half written: files get their names when they are complete.`,
		Example: `  chancery export --dataset paris-talks-2025 > paris.jsonl
  chancery export --dataset paris-talks-2025 --output paris.yaml
  chancery export --output backup
  chancery export --format neo4j-admin --output import events.2018.tab.gz`,
		RunE: func(command *cobra.Command, files []string) error { return c.export(command.Context(), files, o) },
	}
	command.Flags().StringVar(&o.format, "format", exportDatasets, "the `FORMAT` to write: dataset or neo4j-admin")
	command.Flags().StringVar(&o.as, "as", "", "write data sets as jsonl, json or yaml (by the ending of --output if left out, else jsonl)")
	command.Flags().StringSliceVar(&o.datasets, "dataset", nil, "the `NAME` of a data set to write (all if left out); with files, that of the data set that feeds go into")
	command.Flags().StringVar(&o.output, "output", "", "the `PATH` to write: a file for one data set, or a directory; standard output if left out")
	command.Flags().StringVar(&o.types, "types", "", "write the relation types of the store that are not built in to this `FILE`, for load --vocabulary")
	command.Flags().StringVar(&o.mapping, "mapping", "", "the `FILE` that says what the rows of tables mean, where files are given")
	command.Flags().BoolVar(&o.force, "force", false, "overwrite files, and a directory of an earlier import")
	command.Flags().BoolVar(&o.recorded, "recorded", true, "write into each data set when its latest edition was recorded; --recorded=false leaves it out")
	command.Flags().BoolVar(&o.quiet, "quiet", false, "show no progress")
	c.storeFlag(command)
	c.vocabularyFlag(command)
	return command
}

func (c *cli) export(ctx context.Context, files []string, o exportOptions) error {
	forms := make([]string, len(loader.ExportForms))
	for i, f := range loader.ExportForms {
		forms[i] = string(f)
	}
	admin := o.format == exportImport
	if o.output == "-" { // standard output, as elsewhere
		o.output = ""
	}
	ending, single := formOf(o.output)
	switch {
	case !admin && o.format != exportDatasets:
		return usage("--format can be %s or %s, not %q", exportDatasets, exportImport, o.format)
	case o.as != "" && !slices.Contains(forms, o.as):
		return usage("--as can be %s, not %q", strings.Join(forms, ", "), o.as)
	case !admin && len(files) > 0:
		return usage("files are given for --format %s alone; data sets are written from the store", exportImport)
	case !admin && (o.mapping != "" || c.vocabulary != ""):
		return usage("--mapping and --vocabulary are for files that are given with --format %s", exportImport)
	case admin && (o.as != "" || o.types != ""):
		return usage("--as and --types are for data sets, not for --format %s, which writes the types too", exportImport)
	case !admin && single && o.as != "" && o.as != string(ending):
		return usage("--output %s is by its ending a file of the form %s, and load would take it for one, but --as says %s; leave --as out, or give the file another ending", o.output, ending, o.as)
	case admin && o.output == "":
		return usage("name the directory to write with --output")
	case admin && len(files) == 0 && (len(o.datasets) > 0 || o.mapping != "" || c.vocabulary != ""):
		return usage("--format %s writes the whole store; --dataset, --mapping and --vocabulary are for files that are given with it", exportImport)
	case admin && len(o.datasets) > 1:
		return usage("feeds can go into one data set")
	}
	defer c.sparing()()
	err := c.exportAll(ctx, files, o)
	if ctx.Err() != nil {
		return errors.New("interrupted; nothing was written")
	}
	return err
}

func (c *cli) exportAll(ctx context.Context, files []string, o exportOptions) error {
	store, done, err := c.exported(ctx, files, o)
	if err != nil {
		return err
	}
	defer done()
	write := c.writeDatasets
	if o.format == exportImport {
		write = c.writeImport
	}
	var written placing
	defer written.abandon()
	err = store.Read(ctx, func(tx graph.Reader) error {
		before, err := standOf(ctx, tx)
		if err != nil {
			return err
		}
		if err := write(ctx, tx, o, &written); err != nil {
			return err
		}
		after, err := standOf(ctx, tx)
		if err == nil && !reflect.DeepEqual(before, after) {
			err = errors.New("a load has changed the store while it was read; export it again")
		}
		return err
	})
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = written.place()
	}
	return err
}

// stand tells whether a store has changed. A store in Neo4j does not keep its
// readers from what is written beside them.
type stand struct {
	datasets []graph.Dataset
	last     int64
}

func standOf(ctx context.Context, tx graph.Reader) (s stand, err error) {
	if s.datasets, err = tx.Datasets(ctx); err != nil {
		return s, err
	}
	held, err := tx.Held(ctx, &graph.HeldQuery{Journal: &graph.JournalQuery{}})
	if err == nil {
		s.last = held.Journal.Last
	}
	return s, err
}

// exported opens the store to export: the one that is named, or one that the
// files are loaded into first.
func (c *cli) exported(ctx context.Context, files []string, o exportOptions) (store graph.Store, done func(), err error) {
	if len(files) == 0 {
		location, err := c.locate()
		if err != nil {
			return nil, nil, err
		}
		if location.Missing() {
			return nil, nil, fmt.Errorf("there is no store in %s yet; chancery load FILE makes one", location)
		}
		store, err := c.openAt(ctx, location)
		if err != nil {
			return nil, nil, err
		}
		return store, func() { c.close(store) }, nil
	}
	if err := readable(files).Err(); err != nil {
		return nil, nil, err
	}
	// Beside the output, where room must be anyway.
	beside := filepath.Dir(filepath.Clean(o.output))
	temporary.Sweep(beside)
	dir, err := temporary.StageDirectory(beside, 0o700)
	if err != nil {
		return nil, nil, cannotWrite(o.output, err)
	}
	done = func() { _ = dir.Remove() }
	location, err := open.Locate("sqlite:"+filepath.Join(dir.Path, "chancery.db"), c.getenv)
	if err == nil {
		store, err = c.open(ctx, location)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	remove := done
	done = func() {
		c.close(store)
		remove()
	}
	load := loadOptions{Mapping: o.mapping, MaxRejects: -1, Quiet: o.quiet, Wait: defaultWait}
	if len(o.datasets) > 0 {
		load.Dataset = o.datasets[0]
	}
	if err := runLoad(ctx, c.stdin, c.stderr, c.stderr, store, files, load); err != nil {
		done()
		return nil, nil, err
	}
	return store, done, nil
}

// writeDatasets writes data sets into files, or one to standard output.
func (c *cli) writeDatasets(ctx context.Context, tx graph.Reader, o exportOptions, written *placing) error {
	all, err := tx.Datasets(ctx)
	if err != nil {
		return err
	}
	chosen := all
	if o.datasets != nil {
		chosen = nil
		for _, name := range o.datasets {
			i := slices.IndexFunc(all, func(d graph.Dataset) bool { return d.Name == name })
			if i < 0 {
				return fmt.Errorf("there is no data set %q in the store; it has %s", name, orNone(all))
			}
			chosen = append(chosen, all[i])
		}
	}
	form, single := formOf(o.output)
	if o.as != "" {
		form = loader.ExportForm(o.as)
	}
	switch {
	case len(chosen) == 0:
		return errors.New("the store has no data set")
	case len(chosen) > 1 && o.output == "":
		return fmt.Errorf("the store has several data sets (%s): name one with --dataset, or a directory for all of them with --output", orNone(chosen))
	case len(chosen) > 1 && single:
		return fmt.Errorf("%s is a file, and there are several data sets (%s): name one with --dataset, or a directory with --output", o.output, orNone(chosen))
	}
	options := loader.ExportOptions{Form: form, Recorded: o.recorded}
	if !o.quiet {
		options.Progress = loader.NewProgress(c.stderr, c.logger(), "exporting")
	}
	if o.types != "" {
		if err := c.writeTypes(tx.Vocabulary(), o, written); err != nil {
			return err
		}
	}
	var out []*loader.Exported
	parts := map[string]*part{}
	for _, d := range chosen {
		var p *part
		w := c.stdout
		if o.output != "" {
			dir := o.output
			if single {
				dir = filepath.Dir(o.output)
			}
			if p, err = written.create(dir); err != nil {
				return cannotWrite(o.output, err)
			}
			w = p.w
		}
		x, err := loader.ExportDataset(ctx, tx, d, w, options)
		if err != nil {
			if p != nil && ctx.Err() == nil {
				return cannotWrite(o.output, err)
			}
			return err
		}
		out = append(out, x)
		parts[d.Name] = p
	}
	out = loader.ExportOrder(out)
	inOrder := slices.IsSortedFunc(out, func(a, b *loader.Exported) int { return strings.Compare(a.Dataset, b.Dataset) })
	for i, x := range out {
		name := o.output
		if p := parts[x.Dataset]; p != nil {
			if !single {
				name = x.Dataset + "." + string(form)
				if !inOrder { // load takes the files of a directory in the order of their names
					name = fmt.Sprintf("%0*d-%s", len(fmt.Sprint(len(out))), i+1, name)
				}
				name = filepath.Join(o.output, name)
			}
			if err := p.name(name, o.force); err != nil {
				return err
			}
		}
		c.tell(x, name, o, chosen)
	}
	return nil
}

// tell says on standard error what was exported.
func (c *cli) tell(x *loader.Exported, name string, o exportOptions, with []graph.Dataset) {
	what := fmt.Sprintf("%d sources, %d entities, %d events, %d relations", x.Sources, x.Entities, x.Events, x.Relations)
	if x.Judgements > 0 {
		what = fmt.Sprintf("%d judgements", x.Judgements)
	}
	to := ""
	if name != "" {
		to = " in " + name
	}
	_, _ = fmt.Fprintf(c.stderr, "data set %s: %s%s\n", x.Dataset, what, to)
	for _, note := range x.Notes {
		_, _ = fmt.Fprintln(c.stderr, "note:", note)
	}
	missing := slices.DeleteFunc(slices.Clone(x.Needs), func(need string) bool {
		return slices.ContainsFunc(with, func(d graph.Dataset) bool { return d.Name == need })
	})
	if len(missing) > 0 {
		_, _ = fmt.Fprintf(c.stderr, "note: %s refers to what other data sets state (%s), which must be loaded before it\n", x.Dataset, strings.Join(missing, ", "))
	}
	if len(x.Types) > 0 && o.types == "" {
		_, _ = fmt.Fprintf(c.stderr, "note: %s has relations of types that are not built in (%s); --types FILE writes them, for load --vocabulary FILE\n", x.Dataset, strings.Join(x.Types, ", "))
	}
}

func (c *cli) writeTypes(v *graph.Vocabulary, o exportOptions, written *placing) error {
	text := v.Extension()
	if text == nil {
		text = []byte("types: []\n")
	}
	p, err := written.create(filepath.Dir(o.types))
	if err == nil {
		_, err = p.w.Write(text)
	}
	if err != nil {
		return cannotWrite(o.types, err)
	}
	return p.name(o.types, o.force)
}

// formOf finds the form of data sets by the ending of the output, and whether it
// is one file.
func formOf(output string) (form loader.ExportForm, single bool) {
	form = loader.JSONLines
	switch strings.ToLower(filepath.Ext(output)) {
	case ".jsonl", ".ndjson":
		single = true
	case ".json":
		form, single = loader.JSON, true
	case ".yaml", ".yml":
		form, single = loader.YAML, true
	}
	return form, single
}

func orNone(datasets []graph.Dataset) string {
	names := make([]string, len(datasets))
	for i, d := range datasets {
		names[i] = d.Name
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

// writeImport writes the files for neo4j-admin into a new directory.
func (c *cli) writeImport(ctx context.Context, tx graph.Reader, o exportOptions, written *placing) error {
	dir, err := written.directory(o.output, o.force)
	if err != nil {
		return err
	}
	var progress loader.Progress
	options := neo4jstore.ImportOptions{}
	if !o.quiet {
		progress = loader.NewProgress(c.stderr, c.logger(), "exporting")
		progress.Begin(o.output, "all", 0)
		defer progress.End()
		options.Progress = progress.Add
	}
	out, err := neo4jstore.ImportFiles(ctx, tx, dir, options)
	if err != nil {
		if ctx.Err() == nil {
			return cannotWrite(o.output, err)
		}
		return err
	}
	_, _ = fmt.Fprintf(c.stderr, `%d nodes, %d statements and %d versions of relations in %s
To make a database of them, stop the server of Neo4j, whose database neo4j is replaced, and run in that directory:
  neo4j-admin database import full neo4j --overwrite-destination @import.args
`, out.Nodes, out.Statements, out.Relations, o.output)
	return nil
}

// cannotWrite says why a file could not be written.
func cannotWrite(name string, err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		err = e.Err
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	return err
}

// placing are files that get their names when all of them are complete.
type placing struct {
	parts []*part
	dirs  []placedDir
	swept []string // directories
}

type part struct {
	staged *temporary.Staged
	file   *os.File
	w      *bufio.Writer
	path   string // that it shall have; "" while that is not known
}

type placedDir struct {
	staged *temporary.Staged
	path   string
}

// in makes a directory in which something will be placed, if need be, and
// removes from it what exports that were killed have left.
func (p *placing) in(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if !slices.Contains(p.swept, dir) {
		temporary.Sweep(dir)
		p.swept = append(p.swept, dir)
	}
	return nil
}

// create begins a file that will be in a directory, which is made if need be.
func (p *placing) create(dir string) (*part, error) {
	if err := p.in(dir); err != nil {
		return nil, err
	}
	staged, file, err := temporary.StageFile(dir)
	if err != nil {
		return nil, err
	}
	f := &part{staged: staged, file: file, w: bufio.NewWriterSize(file, 256<<10)}
	p.parts = append(p.parts, f)
	return f, nil
}

// name says what the file shall be called.
func (f *part) name(path string, force bool) error {
	if info, err := os.Stat(path); err == nil && (!force || info.IsDir()) {
		if info.IsDir() {
			return fmt.Errorf("%s is a directory", path)
		}
		return fmt.Errorf("%s is there already; --force overwrites it", path)
	}
	f.path = path
	return nil
}

// directory begins a directory. One that is there must be empty or, to be
// replaced, that of an earlier import.
func (p *placing) directory(path string, force bool) (string, error) {
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", cannotWrite(path, err)
	case len(entries) > 0:
		ours := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "import.args" })
		if !ours {
			return "", fmt.Errorf("%s is a directory that holds other things; name a new one", path)
		}
		if !force {
			return "", fmt.Errorf("%s holds an earlier export; --force replaces it", path)
		}
	}
	parent := filepath.Dir(filepath.Clean(path))
	if err := p.in(parent); err != nil {
		return "", cannotWrite(path, err)
	}
	staged, err := temporary.StageDirectory(parent, 0o777)
	if err != nil {
		return "", cannotWrite(path, err)
	}
	p.dirs = append(p.dirs, placedDir{staged, path})
	return staged.Path, nil
}

// place gives all their names.
func (p *placing) place() error {
	for _, f := range p.parts {
		if err := errors.Join(f.w.Flush(), f.file.Sync(), f.file.Close()); err != nil {
			return cannotWrite(f.path, err)
		}
	}
	for _, f := range p.parts {
		if err := os.Rename(f.staged.Path, f.path); err != nil {
			return cannotWrite(f.path, errors.Unwrap(err))
		}
		f.staged.Release()
	}
	p.parts = nil
	for _, d := range p.dirs {
		if err := os.RemoveAll(d.path); err != nil {
			return cannotWrite(d.path, err)
		}
		if err := os.Rename(d.staged.Path, d.path); err != nil {
			return cannotWrite(d.path, errors.Unwrap(err))
		}
		d.staged.Release()
	}
	p.dirs = nil
	return nil
}

// abandon removes what has not got its name.
func (p *placing) abandon() {
	for _, f := range p.parts {
		_ = f.file.Close()
		_ = f.staged.Remove()
	}
	for _, d := range p.dirs {
		_ = d.staged.Remove()
	}
}
