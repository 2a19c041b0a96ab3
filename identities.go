package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"chancery/graph"
	"chancery/loader"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// identitiesOptions are the flags of identities.
type identitiesOptions struct {
	output  string
	dataset string
	least   float64
	limit   int
}

func (c *cli) identitiesCommand() *cobra.Command {
	var o identitiesOptions
	command := &cobra.Command{
		Use:   "identities",
		Short: "Show which ids are judged to be one entity, and suggest more",
		Long: `Data sets write names in their own ways, so that one entity may have several ids.
Nothing is united by itself: a person judges, in a file that chancery load takes
like a data set. What a later edition of the file no longer says is taken back.

  identities:
    - same: [person/ann-lee, feed/lee-ann]     # the first id stands for both
      reason: both are the governor of Strelsau
    - different: [person/ann-lee, feed/a-lee]`,
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the entities that have several ids",
		Long: `List shows each entity of several ids: the one that stands for all, its name and
kind, and the others. --output json adds the judgements, those that ids are not the
same too. --output yaml is the file of the judgements of one data set, to edit.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.identities(command.Context(), o, c.listIdentities)
		},
	}
	suggest := &cobra.Command{
		Use:   "suggest",
		Short: "Suggest pairs of ids that may be one entity",
		Long: `Suggest compares the entities of different data sets by their external ids, names
and aliases, and lists likely pairs with a score from 0 to 1. Pairs that are judged
already, and kinds that cannot be the same, are left out. It changes nothing.

--output yaml is a file of judgements: it holds those of the data set so far, and
each pair as a comment. Delete the comment sign where the pair is the same (or
write different), and load the file.`,
		Example: `  chancery identities suggest --min-score 0.9
  chancery identities suggest --output yaml > identities.yaml`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.identities(command.Context(), o, c.suggestIdentities)
		},
	}
	suggest.Flags().Float64Var(&o.least, "min-score", 0.8, "leave out pairs with a lower `SCORE`")
	suggest.Flags().IntVar(&o.limit, "limit", 100, "show at most this `NUMBER` of pairs; 0 shows all")
	for _, sub := range []*cobra.Command{list, suggest} {
		sub.Flags().StringVar(&o.output, "output", "table", "the `FORMAT` of the answer: table, json or yaml")
		sub.Flags().StringVar(&o.dataset, "dataset", "identities", "the `NAME` of the data set that --output yaml is for")
		c.storeFlag(sub)
	}
	command.AddCommand(list, suggest)
	return command
}

// identities reads the store for one of the commands.
func (c *cli) identities(ctx context.Context, o identitiesOptions, show func(context.Context, graph.Reader, identitiesOptions) error) error {
	switch {
	case !slices.Contains([]string{"table", "json", "yaml"}, o.output):
		return usage("--output can be table, json or yaml, not %q", o.output)
	case !(o.least >= 0 && o.least <= 1):
		return usage("--min-score is a number from 0 to 1, not %v", o.least)
	case o.limit < 0:
		return usage("--limit cannot be negative")
	}
	location, err := c.locate()
	if err != nil {
		return err
	}
	if location.Missing() {
		return fmt.Errorf("there is no store in %s yet; chancery load FILE makes one", location)
	}
	store, err := c.openAt(ctx, location)
	if err != nil {
		return err
	}
	defer c.close(store)
	return store.Read(ctx, func(tx graph.Reader) error { return show(ctx, tx, o) })
}

// The JSON of identities. Its keys are part of the command line's contract.
type (
	identitiesJSON struct {
		Identities []identityJSON  `json:"identities"`
		Judgements []judgementJSON `json:"judgements"`
	}
	identityJSON struct {
		ID   string     `json:"id"`
		Name string     `json:"name"`
		Kind graph.Kind `json:"kind"`
		IDs  []string   `json:"ids"`
	}
	judgementJSON struct {
		Verdict    graph.Verdict `json:"verdict"`
		IDs        [2]string     `json:"ids"`
		Reason     string        `json:"reason"`
		Judge      string        `json:"judge"`
		Dataset    string        `json:"dataset"`
		RecordedAt string        `json:"recordedAt"`
	}
	suggestionJSON struct {
		Score    float64          `json:"score"`
		Why      string           `json:"why"`
		Entities [2]suggestedJSON `json:"entities"`
	}
	suggestedJSON struct {
		ID       string     `json:"id"`
		Name     string     `json:"name"`
		Kind     graph.Kind `json:"kind"`
		Datasets []string   `json:"datasets"`
	}
)

func (c *cli) writeObject(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := c.stdout.Write(b.Bytes())
	return err
}

func (c *cli) listIdentities(ctx context.Context, tx graph.Reader, o identitiesOptions) error {
	held, err := tx.Held(ctx, &graph.HeldQuery{Identity: true})
	if err != nil {
		return err
	}
	if o.output == "yaml" {
		return c.writeJudgements(ctx, tx, held.Judgements, o.dataset, nil)
	}
	groups := held.Identities.Groups()
	ids := slices.Sorted(maps.Keys(groups))
	nodes, err := tx.Nodes(ctx, ids, false)
	if err != nil {
		return err
	}
	out := identitiesJSON{Identities: []identityJSON{}, Judgements: []judgementJSON{}}
	for _, id := range ids {
		if n := nodes[id]; n != nil {
			out.Identities = append(out.Identities, identityJSON{id, n.Name, n.Kind, groups[id]})
		}
	}
	if o.output == "json" {
		for i := range held.Judgements {
			s := &held.Judgements[i]
			if j, ok := s.Judgement(); ok {
				out.Judgements = append(out.Judgements, judgementJSON{j.Verdict, [2]string{j.A, j.B}, j.Reason, j.Judge, s.Dataset, s.RecordedAt.String()})
			}
		}
		return c.writeObject(out)
	}
	if len(out.Identities) == 0 {
		return c.writeAll("no entity has several ids\n")
	}
	t := plainTable(table.Row{"id", "kind", "name", "other ids"})
	for _, i := range out.Identities {
		others := slices.DeleteFunc(slices.Clone(i.IDs), func(id string) bool { return id == i.ID })
		t.AppendRow(table.Row{i.ID, i.Kind, printable(i.Name), strings.Join(others, ", ")})
	}
	return c.writePlain(t)
}

func (c *cli) suggestIdentities(ctx context.Context, tx graph.Reader, o identitiesOptions) error {
	suggestions, err := graph.Suggest(ctx, tx, o.least, o.limit)
	if err != nil {
		return err
	}
	switch o.output {
	case "yaml":
		held, err := tx.Held(ctx, &graph.HeldQuery{Identity: true})
		if err != nil {
			return err
		}
		return c.writeJudgements(ctx, tx, held.Judgements, o.dataset, suggestions)
	case "json":
		out := []suggestionJSON{}
		for _, s := range suggestions {
			one := func(n *graph.Node) suggestedJSON { return suggestedJSON{n.ID, n.Name, n.Kind, n.Datasets} }
			out = append(out, suggestionJSON{rounded(s.Score), s.Why, [2]suggestedJSON{one(s.A), one(s.B)}})
		}
		return c.writeObject(map[string]any{"suggestions": out})
	}
	if len(suggestions) == 0 {
		return c.writeAll("nothing to suggest\n")
	}
	t := plainTable(table.Row{"score", "id", "other id", "why"})
	for _, s := range suggestions {
		t.AppendRow(table.Row{fmt.Sprintf("%.2f", s.Score), s.A.ID, s.B.ID, printable(s.Why)})
	}
	return c.writePlain(t)
}

func rounded(score float64) float64 { return float64(int(score*1000+0.5)) / 1000 }

func plainTable(header table.Row) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(header)
	return t
}

func (c *cli) writePlain(t table.Writer) error {
	var b strings.Builder
	for row := range strings.Lines(t.Render()) {
		b.WriteString(strings.TrimSpace(row) + "\n")
	}
	return c.writeAll(b.String())
}

func (c *cli) writeAll(s string) error {
	_, err := io.WriteString(c.stdout, s)
	return err
}

// judgementsHead is what a file of judgements says beside them, which it must say
// again lest it be lost or refused.
type judgementsHead struct {
	dataset, title   string
	absent, disputed []string
}

// writeJudgements writes a file of all judgements of a data set, with suggestions
// as comments.
func (c *cli) writeJudgements(ctx context.Context, tx graph.Reader, held []graph.Statement, dataset string, suggestions []graph.Suggestion) error {
	datasets, err := tx.Datasets(ctx)
	if err != nil {
		return err
	}
	head := judgementsHead{dataset: dataset}
	for _, d := range datasets {
		if d.Name == dataset {
			head.title = d.Title
		}
	}
	held = slices.DeleteFunc(slices.Clone(held), func(s graph.Statement) bool { return s.Dataset != dataset })
	if head.absent, head.disputed, err = loader.JudgementIDs(ctx, tx, held); err != nil {
		return err
	}
	return c.writeAll(judgementsYAML(&head, held, suggestions))
}

// judgementsYAML is a file of judgements, with suggestions as comments.
func judgementsYAML(head *judgementsHead, held []graph.Statement, suggestions []graph.Suggestion) string {
	var b strings.Builder
	if suggestions != nil {
		b.WriteString("# Take the # away before \"- same\" where two ids are of one entity, or write\n" +
			"# different in its place; then load this file with chancery load.\n" +
			"# The first id stands for both.\n")
	}
	fmt.Fprintf(&b, "dataset: %s\n", head.dataset)
	if head.title != "" {
		fmt.Fprintf(&b, "title: %s\n", yamlText(head.title))
	}
	writeIDs(&b, "absent", head.absent)
	writeIDs(&b, "disputed", head.disputed)
	b.WriteString("identities:\n")
	for i := range held {
		j, ok := held[i].Judgement()
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "  - %s: [%s, %s]\n", strings.ToLower(string(j.Verdict)), yamlText(j.A), yamlText(j.B))
		if j.Reason != "" {
			fmt.Fprintf(&b, "    reason: %s\n", yamlText(j.Reason))
		}
		if j.Judge != "" {
			fmt.Fprintf(&b, "    judge: %s\n", yamlText(j.Judge))
		}
	}
	for _, s := range suggestions {
		fmt.Fprintf(&b, "  # %.2f %s; %s and %s\n  # - same: [%s, %s]\n", s.Score, printable(s.Why), shownBy(s.A), shownBy(s.B), yamlText(s.A.ID), yamlText(s.B.ID))
	}
	return b.String()
}

// writeIDs writes a list of ids under a key, if there are any.
func writeIDs(b *strings.Builder, key string, ids []string) {
	if len(ids) == 0 {
		return
	}
	fmt.Fprintf(b, "%s:\n", key)
	for _, id := range ids {
		fmt.Fprintf(b, "  - %s\n", yamlText(id))
	}
}

func shownBy(n *graph.Node) string {
	return printable(fmt.Sprintf("%s (%s)", cmp.Or(strings.ToLower(string(n.Kind)), "?"), strings.Join(n.Datasets, ", ")))
}

// yamlText is a text in quotes, as JSON and YAML both have them.
func yamlText(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}
