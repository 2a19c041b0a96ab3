package loader

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"chancery/graph"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Result says what a load did.
type Result struct {
	Loads []LoadReport
	// Began says that writing began: all that was wrong with the files was found
	// before, and what is wrong now came up in between.
	Began bool
}

// LoadReport says what became of one file.
type LoadReport struct {
	File  string
	Title string
	graph.Report
	// Rows says how the rows of a feed were read; nil for a data set.
	Rows  *Rows
	Notes []graph.Problem

	judgements bool // it is a file of judgements
}

// Changes is the number of things created, changed or withdrawn by all files,
// and of changes to titles and priorities of data sets.
func (r *Result) Changes() int {
	n := 0
	for i := range r.Loads {
		n += r.Loads[i].Changes()
	}
	return n
}

// WriteText writes the report for people.
func (r *Result) WriteText(w io.Writer) error {
	for i := range r.Loads {
		if err := r.Loads[i].writeText(w); err != nil {
			return err
		}
	}
	return nil
}

func (l *LoadReport) writeText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: data set %s", l.File, l.Dataset)
	if l.Resumed {
		b.WriteString(", an interrupted load gone on with")
	}
	b.WriteString("\n")
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"", "created", "changed", "unchanged", "withdrawn"})
	for _, row := range l.tallies() {
		t.AppendRow(table.Row{row.name, row.Created, row.Changed, row.Unchanged, row.Withdrawn})
	}
	columns := make([]table.ColumnConfig, 4)
	for i := range columns {
		columns[i] = table.ColumnConfig{Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight}
	}
	t.SetColumnConfigs(columns)
	for row := range strings.Lines(t.Render()) {
		b.WriteString(strings.TrimRight(row, " \n") + "\n")
	}
	if r := l.Rows; r != nil {
		fmt.Fprintf(&b, "rows: %d read = %d created + %d changed + %d unchanged + %d duplicate + %d rejected\n",
			r.Read, r.Created, r.Changed, r.Unchanged, r.Duplicate, r.Rejected)
		var kinds []string
		for _, k := range graph.Kinds {
			if n := r.Kinds[k]; n > 0 {
				kinds = append(kinds, fmt.Sprintf("%d %s", n, kindName(k)))
			}
		}
		if len(kinds) > 0 {
			fmt.Fprintf(&b, "entities of the file: %s\n", strings.Join(kinds, ", "))
		}
	}
	if c := l.TitleChange; c != nil {
		fmt.Fprintf(&b, "title: %s becomes %s\n", titleText(c.From), titleText(c.To))
	}
	if c := l.PriorityChange; c != nil {
		fmt.Fprintf(&b, "priority: %d becomes %d\n", c.From, c.To)
	}
	switch n := l.Changes(); {
	case n == 0 && l.DryRun:
		b.WriteString("nothing would change\n")
	case n == 0:
		b.WriteString("nothing changed\n")
	case l.DryRun:
		b.WriteString("this is what would change; nothing was written\n")
	case l.RecordedAt != 0:
		fmt.Fprintf(&b, "recorded at %s\n", l.RecordedAt)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func titleText(title string) string {
	if title == "" {
		return "none"
	}
	return strconv.Quote(title)
}

type namedTally struct {
	name string
	graph.Tally
}

func (l *LoadReport) tallies() []namedTally {
	if l.judgements {
		return []namedTally{{"judgements", l.Judgements}}
	}
	return []namedTally{{"entities", l.Entities}, {"events", l.Events}, {"sources", l.Sources}, {"relations", l.Relations}}
}

// The JSON report. Its keys are part of the command line's contract.
type (
	resultJSON struct {
		Changes  int           `json:"changes"`
		Loads    []loadJSON    `json:"loads"`
		Problems []problemJSON `json:"problems"`
		Error    *string       `json:"error"` // null where all was done
	}
	loadJSON struct {
		File       string        `json:"file"`
		Dataset    string        `json:"dataset"`
		Title      string        `json:"title"`
		RecordedAt *string       `json:"recordedAt"` // null where nothing was written
		DryRun     bool          `json:"dryRun"`
		Resumed    bool          `json:"resumed"`
		Changes    int           `json:"changes"`
		Entities   graph.Tally   `json:"entities"`
		Events     graph.Tally   `json:"events"`
		Sources    graph.Tally   `json:"sources"`
		Relations  graph.Tally   `json:"relations"`
		Forgotten  int           `json:"forgotten"`            // left out: see graph.Report
		Rows       *Rows         `json:"rows,omitempty"`       // of a feed
		Judgements *graph.Tally  `json:"judgements,omitempty"` // of a file of judgements alone
		Notes      []problemJSON `json:"notes"`

		TitleChange    *graph.Altered[string] `json:"titleChange,omitempty"`
		PriorityChange *graph.Altered[int]    `json:"priorityChange,omitempty"`
	}
	problemJSON struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Message string `json:"message"`
	}
)

// WriteJSON writes the report for programs. The problems are those that kept
// the files from being loaded; why is what ended the load before its end, "" if
// nothing did.
func (r *Result) WriteJSON(w io.Writer, problems graph.Problems, why string) error {
	out := resultJSON{Changes: r.Changes(), Loads: []loadJSON{}, Problems: problemsJSON(problems)}
	if why != "" {
		out.Error = &why
	}
	for i := range r.Loads {
		l := &r.Loads[i]
		j := loadJSON{
			File: l.File, Dataset: l.Dataset, Title: l.Title, DryRun: l.DryRun, Resumed: l.Resumed, Changes: l.Changes(),
			Entities: l.Entities, Events: l.Events, Sources: l.Sources, Relations: l.Relations, Forgotten: l.Forgotten, Rows: l.Rows, Notes: problemsJSON(l.Notes),
			TitleChange: l.TitleChange, PriorityChange: l.PriorityChange,
		}
		if l.judgements {
			j.Judgements = &l.Judgements
		}
		if l.RecordedAt != 0 {
			at := l.RecordedAt.String()
			j.RecordedAt = &at
		}
		out.Loads = append(out.Loads, j)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func problemsJSON(ps []graph.Problem) []problemJSON {
	out := make([]problemJSON, len(ps))
	for i, p := range ps {
		out[i] = problemJSON(p)
	}
	return out
}
