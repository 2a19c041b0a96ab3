// Command chancery keeps a record of who did what to whom, and answers
// questions about it over GraphQL.
package main

//go:generate go run github.com/99designs/gqlgen@v0.17.98 generate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"chancery/graph"
	"chancery/resolvers"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// The exit statuses.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// cli is one call of the program. Standard output is for what scripts read.
type cli struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer

	running bool // flags and arguments are understood, and a command has begun

	dsn        string
	vocabulary string
}

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errReported is a failure that the user has been told of.
var errReported = errors.New("reported")

// run is the program. Its result is the exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &cli{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	var misused usageError
	var misusedLoad loadUsageError
	var problems graph.Problems
	switch {
	case err == nil:
		return exitOK
	case !c.running, errors.As(err, &misused), errors.As(err, &misusedLoad):
		fmt.Fprintf(stderr, "error: %v\n%s has examples.\n", err, command.CommandPath()+" --help")
		return exitUsage
	case errors.Is(err, errReported):
	case errors.As(err, &problems):
		fmt.Fprintln(stderr, err) // each begins with the place, for editors to jump to
	default:
		fmt.Fprintln(stderr, "error:", err)
	}
	return exitFailure
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "chancery",
		Short: "A record of who did what to whom in world affairs, asked over GraphQL",
		Long: `Chancery keeps a record of who did what to whom in world affairs, when, and who
says so. It answers questions about it over GraphQL.

The record is in a store: a Neo4j server, or a file. --store chooses one; without
it, NEO4J_URI does; without both it is the file chancery.db in the working
directory. NEO4J_USERNAME, NEO4J_PASSWORD (or NEO4J_PASSWORD_FILE, the name of a
file that holds it) and NEO4J_DATABASE go with Neo4j either way.

The exit status is 0, 1 after a failure, and 2 if the call itself is wrong.`,
		Example: `  chancery serve --load data/paris-talks-2025.yaml
  chancery query question.graphql --var name=Macron`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRun:  func(*cobra.Command, []string) { c.running = true },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(c.serveCommand(), c.loadCommand(), c.queryCommand(), c.schemaCommand(), &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.stdout, "chancery %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	})
	return root
}

// version is what the Go toolchain knows of the build.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func (c *cli) logger() *slog.Logger { return slog.New(slog.NewTextHandler(c.stderr, nil)) }

const defaultAddr = "127.0.0.1:8080"

func (c *cli) serveCommand() *cobra.Command {
	var addr string
	var files []string
	command := &cobra.Command{
		Use:   "serve",
		Short: "Serve GraphQL and GraphiQL",
		Long: `Serve answers GraphQL at /graphql, and shows GraphiQL, where questions can be
tried out, at /. A store that is not there yet is made.

It listens on this machine only, unless --addr says otherwise. There is no access
control: whoever reaches the address can read the whole record.

Interrupt it (Ctrl-C) or send it SIGTERM to stop it: running requests are
finished first. A second signal stops it at once.`,
		Example: `  chancery serve --load data/paris-talks-2025.yaml
  chancery serve --store sqlite:/var/lib/chancery/record.db --addr 127.0.0.1:9090
  NEO4J_PASSWORD_FILE=/run/secrets/neo4j chancery serve --store neo4j://localhost:7687`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("serve takes no arguments; to load %s first, write --load %s", args[0], args[0])
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error { return c.serve(command.Context(), addr, files) },
	}
	command.Flags().StringVar(&addr, "addr", defaultAddr, "the `HOST:PORT` to listen on; port 0 takes any that is free")
	command.Flags().StringArrayVar(&files, "load", nil, "load `FILE` first, as chancery load does; may be given several times")
	c.storeFlag(command)
	c.vocabularyFlag(command)
	return command
}

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

It may run while chancery serve does. The report goes to standard output.`,
		Example: `  chancery load data/paris-talks-2025.yaml
  chancery load --dry-run --report json edited.yaml
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
	command.Flags().BoolVar(&o.Quiet, "quiet", false, "show no progress")
	command.Flags().DurationVar(&o.Wait, "wait", defaultWait, "how long to wait for another load to end")
	c.storeFlag(command)
	c.vocabularyFlag(command)
	return command
}

func (c *cli) load(ctx context.Context, files []string, o loadOptions) error {
	if o.Report != "text" && o.Report != "json" { // before a store is made
		return usage("--report can be text or json, not %q", o.Report)
	}
	location, err := c.locate()
	if err != nil {
		return err
	}
	if o.DryRun {
		store, done, err := c.openDry(ctx, location)
		if err != nil {
			return err
		}
		defer done()
		return runLoad(ctx, c.stdout, c.stderr, store, files, o)
	}
	store, err := c.open(ctx, location)
	if err != nil {
		return err
	}
	defer c.close(store)
	return runLoad(ctx, c.stdout, c.stderr, store, files, o)
}

func (c *cli) serve(ctx context.Context, addr string, files []string) error {
	location, err := c.locate()
	if err != nil {
		return err
	}
	listener, err := listen(ctx, addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	store, err := c.open(ctx, location)
	if err != nil {
		return err
	}
	defer c.close(store)
	if len(files) > 0 {
		if err := runLoad(ctx, c.stderr, c.stderr, store, files, loadOptions{Wait: defaultWait}); err != nil {
			return err
		}
		fmt.Fprintln(c.stderr)
	}
	empty, err := isEmpty(ctx, store)
	if err != nil {
		return err
	}

	fmt.Fprintf(c.stderr, "Chancery serves %s.\n\n", location)
	if empty {
		fmt.Fprint(c.stderr, "  The store is empty. chancery load FILE fills it, also while this runs.\n\n")
	}
	base := "http://" + shownHost(listener.Addr())
	fmt.Fprintf(c.stderr, "  GraphQL   %s%s\n  GraphiQL  %s%s\n\n", base, resolvers.PathGraphQL, base, resolvers.PathGraphiQL)
	if !isLoopback(listener.Addr()) {
		fmt.Fprintf(c.stderr, "WARNING: other machines can reach %s, and there is no access control:\nwhoever does can read the whole record.\n\n", listener.Addr())
	}
	fmt.Fprintln(c.stderr, "Ctrl-C stops it.")
	return c.serveOn(ctx, listener, store)
}

// serveOn serves until ctx ends, and then finishes what is running.
func (c *cli) serveOn(ctx context.Context, listener net.Listener, store graph.Store) error {
	logger := c.logger()
	limits := resolvers.DefaultLimits()
	server := &http.Server{
		Handler:           resolvers.NewHandler(store, resolvers.Options{Limits: limits, Logger: logger}),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      limits.WriteTimeout(),
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	fmt.Fprintln(c.stderr, "Stopping: running requests are finished first. A second Ctrl-C stops at once.")
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), limits.WriteTimeout())
	defer cancel()
	if err := server.Shutdown(finish); err != nil {
		_ = server.Close()
		return fmt.Errorf("some requests did not finish in time: %w", err)
	}
	return nil
}

// listen claims the address before anything else is done, so that a second
// server does not first load for an hour.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, usage("--addr is to be HOST:PORT, for example %s, not %q", defaultAddr, addr)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s is in use, perhaps by another Chancery; choose another one, for example --addr 127.0.0.1:8081, or --addr 127.0.0.1:0 for any that is free", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s; choose a port above 1023, for example --addr %s", addr, defaultAddr)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return listener, nil
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// shownHost is where a browser on this machine finds an address.
func shownHost(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}

func isEmpty(ctx context.Context, store graph.Store) (empty bool, err error) {
	err = store.Read(ctx, func(tx graph.Reader) error {
		datasets, err := tx.Datasets(ctx)
		empty = len(datasets) == 0
		return err
	})
	return empty, err
}
