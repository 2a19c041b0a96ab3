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
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"chancery/graph"

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

	config              string
	logFormat, logLevel string
	log                 *slog.Logger
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

Every flag can also come from the environment (--cors-origin from
CHANCERY_CORS_ORIGIN; several values are separated by commas) or from the YAML
file that --config or CHANCERY_CONFIG names, whose keys are the flags' names. The
command line comes first, then the environment, then the file.

The exit status is 0, 1 after a failure, and 2 if the call itself is wrong.`,
		Example: `  chancery serve --load data/paris-talks-2025.yaml
  chancery query question.graphql --var name=Macron`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error {
			if err := c.configure(command); err != nil {
				return err
			}
			c.running = true
			return nil
		},
	}
	root.PersistentFlags().StringVar(&c.config, "config", "", "read flags that are not given from the YAML `FILE`")
	root.PersistentFlags().StringVar(&c.logFormat, "log-format", "text", "the `FORMAT` of the log on standard error: text or json")
	root.PersistentFlags().StringVar(&c.logLevel, "log-level", "info", "the least `LEVEL` that is logged: debug, info, warn or error")
	root.AddCommand(c.serveCommand(), c.tokenCommand(), c.loadCommand(), c.exportCommand(), c.queryCommand(), c.identitiesCommand(), c.forgetCommand(), c.schemaCommand(), &cobra.Command{
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

func (c *cli) logger() *slog.Logger {
	if c.log == nil {
		var level slog.Level
		_ = level.UnmarshalText([]byte(c.logLevel)) // configure has looked
		o := &slog.HandlerOptions{Level: level}
		if c.logFormat == "json" {
			c.log = slog.New(slog.NewJSONHandler(c.stderr, o))
		} else {
			c.log = slog.New(slog.NewTextHandler(c.stderr, o))
		}
	}
	return c.log
}
