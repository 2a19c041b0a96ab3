package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"chancery/graph"
	"chancery/loader"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

// forgetOptions are the flags of forget.
type forgetOptions struct {
	report                            string
	dryRun, yes, identity, list, lift bool
	wait                              time.Duration
}

func (c *cli) forgetCommand() *cobra.Command {
	var o forgetOptions
	command := &cobra.Command{
		Use:   "forget ID...",
		Short: "Erase a person, or anything else, and keep it out",
		Long: `Forget erases what has these ids (entities, events or sources), and every version
of every relation that names them, from the store and its indexes, for good. It
leaves tombstones, keyed hashes of the ids, so that no later load brings them back.
Data sets name a person each by an id of their own: give all of them.

It asks before it begins; --yes answers, and --dry-run only says what would go. One
that is interrupted is finished by calling it again. docs/erasure.md says what stays
out of its reach, such as back-ups and the files that were loaded.`,
		Example: `  chancery forget --dry-run person/ada-quill
  chancery forget --yes person/ada-quill feed/quill-a
  chancery forget --list
  chancery forget --lift person/ada-quill`,
		RunE: func(command *cobra.Command, ids []string) error { return c.forget(command.Context(), ids, o) },
	}
	command.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would go, and erase nothing")
	command.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	command.Flags().BoolVar(&o.identity, "identity", false, "forget all ids that are judged to be the same entity, too")
	command.Flags().BoolVar(&o.list, "list", false, "list what was forgotten, by hashes and moments")
	command.Flags().BoolVar(&o.lift, "lift", false, "let later loads bring the ids back")
	command.Flags().StringVar(&o.report, "report", "text", "the `FORMAT` of the report: text or json")
	command.Flags().DurationVar(&o.wait, "wait", defaultWait, "how long to wait for a load to end")
	c.storeFlag(command)
	return command
}

// check finds what is wrong with the call.
func (o *forgetOptions) check(ids []string) error {
	switch {
	case o.report != "text" && o.report != "json":
		return usage("--report can be text or json, not %q", o.report)
	case o.list && o.lift:
		return usage("--list and --lift do not go together")
	case (o.list || o.lift) && (o.dryRun || o.identity):
		return usage("--dry-run and --identity are for forgetting, not for --list and --lift")
	case o.list && len(ids) > 0:
		return usage("--list lists all that was forgotten; it takes no ids")
	case !o.list && len(ids) == 0:
		return usage("name at least one id, such as person/ada-quill; chancery query finds ids")
	case slices.Contains(ids, ""):
		return usage("an id is empty")
	case slices.Contains(ids, loader.UnattributedID) && !o.lift:
		return usage("%s is nobody: it stands in as the source of acts of which nobody is named as the one who did them", loader.UnattributedID)
	}
	return nil
}

func (c *cli) forget(ctx context.Context, ids []string, o forgetOptions) error {
	if err := o.check(ids); err != nil {
		return err
	}
	location, err := c.locate()
	if err != nil {
		return err
	}
	if location.Missing() {
		return fmt.Errorf("there is no store in %s", location)
	}
	store, err := c.openAt(ctx, location)
	if err != nil {
		return err
	}
	defer c.close(store)
	recorder := graph.RecorderOptions{Now: time.Now, Holder: loader.Holder(), HolderGone: loader.HolderGone, Wait: o.wait,
		Waiting: func(holder string) {
			_, _ = fmt.Fprintf(c.stderr, "a load is writing to the store (%s); waiting up to %s for it to end\n", holder, o.wait)
		}}
	switch {
	case o.list:
		return c.listForgotten(ctx, store, o)
	case o.lift:
		return c.liftForgotten(ctx, store, ids, o, recorder)
	}
	options := graph.ForgetOptions{RecorderOptions: recorder, Random: rand.Reader, Identity: o.identity}
	if !o.dryRun && !o.yes {
		if err := c.confirm(ctx, store, ids, options); err != nil {
			return err
		}
	}
	options.DryRun = o.dryRun
	erased, err := graph.Forget(ctx, store, ids, options)
	if err != nil {
		return c.notForgotten(ctx, err)
	}
	if o.report == "json" {
		return c.writeObject(erasedJSON(erased))
	}
	return writeErased(c.stdout, erased)
}

// notForgotten says what can be done about an error.
func (c *cli) notForgotten(ctx context.Context, err error) error {
	var same *graph.SameError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted; forget the same ids again, and it goes on from there")
	case errors.As(err, &same):
		return fmt.Errorf("%w; --identity forgets all of them", err)
	}
	return err
}

// confirm shows what would go, and asks. It does so on a terminal alone.
func (c *cli) confirm(ctx context.Context, store graph.Store, ids []string, options graph.ForgetOptions) error {
	if f, ok := c.stdin.(*os.File); !ok || !isatty.IsTerminal(f.Fd()) {
		return usage("what is forgotten cannot be had back: say --yes, or see what would go with --dry-run")
	}
	options.DryRun = true
	erased, err := graph.Forget(ctx, store, ids, options)
	if err != nil {
		return c.notForgotten(ctx, err)
	}
	if err := writeErased(c.stderr, erased); err != nil {
		return err
	}
	_, _ = fmt.Fprint(c.stderr, "It cannot be had back. Forget it? Type yes: ")
	answer, err := bufio.NewReader(c.stdin).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		_, _ = fmt.Fprintln(c.stderr, "nothing was forgotten")
		return errReported
	}
	return nil
}

// What was erased, as JSON. Its keys are part of the command line's contract.
type (
	erasureJSON struct {
		DryRun       bool          `json:"dryRun"`
		IDs          []erasedID    `json:"ids"`
		Entities     int           `json:"entities"`
		Events       int           `json:"events"`
		Sources      int           `json:"sources"`
		Statements   int           `json:"statements"` // versions
		Relations    int           `json:"relations"`
		Versions     int           `json:"versions"` // of relations
		Judgements   int           `json:"judgements"`
		Rewritten    int           `json:"rewritten"`
		MentionCount int           `json:"mentionCount"`
		Mentions     []mentionJSON `json:"mentions"` // at most graph.MaxMentions
	}
	erasedID struct {
		ID     string `json:"id"`
		Form   string `json:"form"`
		Before bool   `json:"before"` // it was forgotten before
	}
	mentionJSON struct {
		ID      string `json:"id"`
		Dataset string `json:"dataset"`
		Field   string `json:"field"`
	}
	tombstoneJSON struct {
		Hash        string `json:"hash"`
		Form        string `json:"form"`
		ForgottenAt string `json:"forgottenAt"`
		Done        bool   `json:"done"`
	}
)

func erasedJSON(e *graph.Erased) erasureJSON {
	out := erasureJSON{DryRun: e.DryRun, Entities: e.Entities, Events: e.Events, Sources: e.Sources, Statements: e.Statements,
		Relations: e.Relations, Versions: e.Versions, Judgements: e.Judgements, Rewritten: e.Rewritten,
		MentionCount: e.MentionCount, IDs: []erasedID{}, Mentions: []mentionJSON{}}
	for _, i := range e.IDs {
		out.IDs = append(out.IDs, erasedID{i.ID, string(i.Form), i.Before})
	}
	for _, m := range e.Mentions {
		out.Mentions = append(out.Mentions, mentionJSON(m))
	}
	return out
}

// shownMentions is how many mentions the report for people lists.
const shownMentions = 20

func writeErased(w io.Writer, e *graph.Erased) error {
	var b strings.Builder
	left := 0
	for _, i := range e.IDs {
		if i.Before {
			fmt.Fprintf(&b, "%s was forgotten before; nothing is left of it\n", printable(i.ID))
		} else {
			left++
		}
	}
	if left > 0 {
		t := plainTable(table.Row{map[bool]string{false: "erased", true: "would go"}[e.DryRun], ""})
		for _, row := range []struct {
			what  string
			count int
		}{{"entities", e.Entities}, {"events", e.Events}, {"sources", e.Sources}, {"versions of statements about them", e.Statements},
			{"relations", e.Relations}, {"versions of relations", e.Versions}, {"judgements", e.Judgements},
			{"versions that stay, without what they said of it", e.Rewritten}} {
			t.AppendRow(table.Row{row.what, row.count})
		}
		for row := range strings.Lines(t.Render()) {
			b.WriteString(strings.TrimSpace(row) + "\n")
		}
		if n := e.MentionCount; n > 0 {
			fmt.Fprintf(&b, "texts that hold a name of what goes, and are left as they are: %d\n", n)
			for _, m := range e.Mentions[:min(len(e.Mentions), shownMentions)] {
				fmt.Fprintf(&b, "  %s: %s (data set %s)\n", printable(m.ID), m.Field, m.Dataset)
			}
			if n > shownMentions {
				fmt.Fprintf(&b, "  and %d more; --report json lists up to %d\n", n-shownMentions, graph.MaxMentions)
			}
		}
		if e.DryRun {
			b.WriteString("nothing was erased yet\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *cli) listForgotten(ctx context.Context, store graph.Store, o forgetOptions) error {
	list := []tombstoneJSON{}
	err := store.Read(ctx, func(tx graph.Reader) error {
		held, err := tx.Held(ctx, &graph.HeldQuery{Tombstones: &graph.TombstoneQuery{Roots: true}})
		if err != nil {
			return err
		}
		for _, t := range held.Tombstones.List {
			list = append(list, tombstoneJSON{t.Key.String(), string(t.Form), t.At.String(), t.Done})
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case o.report == "json":
		return c.writeObject(map[string]any{"forgotten": list})
	case len(list) == 0:
		return c.writeAll("nothing was forgotten\n")
	}
	t := plainTable(table.Row{"hash of the id", "was", "forgotten at", ""})
	for _, i := range list {
		t.AppendRow(table.Row{i.Hash, i.Form, i.ForgottenAt, map[bool]string{false: "not finished: forget it again"}[i.Done]})
	}
	return c.writePlain(t)
}

func (c *cli) liftForgotten(ctx context.Context, store graph.Store, ids []string, o forgetOptions, r graph.RecorderOptions) error {
	unknown, err := graph.Unforget(ctx, store, ids, r)
	switch {
	case err != nil:
		return err
	case len(unknown) > 0:
		return fmt.Errorf("nothing was lifted: %s was not forgotten", strings.Join(unknown, ", "))
	case o.report == "json":
		return c.writeObject(map[string]any{"lifted": ids})
	}
	return c.writeAll("later loads may bring it back; what was erased does not return by itself\n")
}
