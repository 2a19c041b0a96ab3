package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"chancery/resolvers"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// writeRows writes the first list of an answer as a table or as CSV. Columns
// come from the operation, not from the data, so that the same question always
// has the same ones.
func (c *cli) writeRows(resp *graphql.Response, document *ast.QueryDocument, operation *ast.OperationDefinition, variables map[string]any, format string) error {
	if operation == nil || resp.Data == nil {
		return nil // it was refused; its errors tell
	}
	schema := resolvers.Schema()
	if errs := validator.ValidateWithRules(schema, document, rules.NewDefaultRules()); len(errs) > 0 {
		return errs
	}
	values, err := validator.VariableValues(schema, operation, variables)
	if err != nil {
		return err
	}
	var data any
	if err := decodeJSON(string(resp.Data), &data); err != nil {
		return err
	}
	s := &shape{schema, &graphql.OperationContext{Doc: document, Operation: operation, Variables: values}}
	path, set := s.firstList(operation.SelectionSet)
	columns := s.columns(set, nil)
	rows := rowsAt(data, path)
	if others := s.others(operation.SelectionSet, path); len(others) > 0 {
		fmt.Fprintf(c.stderr, "note: not shown: %s (--output json shows all)\n", strings.Join(others, ", "))
	}
	if format == "csv" {
		return c.writeCSV(columns, rows)
	}
	return c.writeTable(columns, rows)
}

// shape knows how the answer to an operation is built.
type shape struct {
	schema    *ast.Schema
	operation *graphql.OperationContext
}

// fields are the fields of a selection set, those of all fragments included.
func (s *shape) fields(set ast.SelectionSet) []graphql.CollectedField {
	return graphql.CollectFields(s.operation, set, nil)
}

func (s *shape) isObject(f graphql.CollectedField) bool {
	d := s.schema.Types[f.Definition.Type.Name()]
	return d != nil && d.IsCompositeType()
}

// firstList finds the first list of objects, in the order of the operation,
// and what is selected below it. Without any, that is the answer itself.
func (s *shape) firstList(set ast.SelectionSet) (path []string, below ast.SelectionSet) {
	if path, below, ok := s.find(set, nil); ok {
		return path, below
	}
	return nil, set
}

func (s *shape) find(set ast.SelectionSet, at []string) ([]string, ast.SelectionSet, bool) {
	for _, f := range s.fields(set) {
		if !s.isObject(f) {
			continue
		}
		path := append(slices.Clip(at), f.Alias)
		if f.Definition.Type.Elem != nil {
			return path, f.Selections, true
		}
		if path, below, ok := s.find(f.Selections, path); ok {
			return path, below, true
		}
	}
	return nil, nil, false
}

// others names the root fields that the path does not lead into.
func (s *shape) others(set ast.SelectionSet, path []string) []string {
	var names []string
	if len(path) > 0 {
		for _, f := range s.fields(set) {
			if f.Alias != path[0] {
				names = append(names, f.Alias)
			}
		}
	}
	return names
}

// columns are the paths of the cells of a row.
func (s *shape) columns(set ast.SelectionSet, at []string) [][]string {
	var columns [][]string
	for _, f := range s.fields(set) {
		path := append(slices.Clip(at), f.Alias)
		if s.isObject(f) && f.Definition.Type.Elem == nil {
			columns = append(columns, s.columns(f.Selections, path)...)
		} else if !slices.ContainsFunc(columns, func(c []string) bool { return slices.Equal(c, path) }) {
			columns = append(columns, path)
		}
	}
	return columns
}

// rowsAt are the objects of the list at a path; what is null has none.
func rowsAt(data any, path []string) []any {
	for _, key := range path {
		object, _ := data.(map[string]any)
		data = object[key]
	}
	switch data := data.(type) {
	case nil:
		return nil
	case []any:
		return data
	}
	return []any{data}
}

// cellAt is the value at a path of a row, or nil.
func cellAt(row any, path []string) any {
	for _, key := range path {
		object, _ := row.(map[string]any)
		row = object[key]
	}
	return row
}

// cellText is a value as text. Null is empty.
func cellText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case []any:
		if !slices.ContainsFunc(v, func(e any) bool { _, object := e.(map[string]any); return object }) {
			parts := make([]string, len(v))
			for i := range v {
				var err error
				if parts[i], err = cellText(v[i]); err != nil {
					return "", err
				}
			}
			return strings.Join(parts, "; "), nil
		}
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func (c *cli) writeCSV(columns [][]string, rows []any) error {
	w := csv.NewWriter(c.stdout)
	line := make([]string, len(columns))
	for i, column := range columns {
		line[i] = strings.Join(column, ".")
	}
	if err := w.Write(line); err != nil {
		return err
	}
	for _, row := range rows {
		for i, column := range columns {
			value := cellAt(row, column)
			cell, err := cellText(value)
			if err != nil {
				return err
			}
			if _, number := value.(json.Number); !number {
				cell = harmless(cell)
			}
			line[i] = cell
		}
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// harmless keeps spreadsheets from running text as a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func (c *cli) writeTable(columns [][]string, rows []any) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	header := make(table.Row, len(columns))
	for i, column := range columns {
		header[i] = strings.Join(column, ".")
	}
	t.AppendHeader(header)
	for _, row := range rows {
		line := make(table.Row, len(columns))
		for i, column := range columns {
			cell, err := cellText(cellAt(row, column))
			if err != nil {
				return err
			}
			line[i] = printable(cell)
		}
		t.AppendRow(line)
	}
	_, err := fmt.Fprintln(c.stdout, t.Render())
	return err
}

// printable replaces what would move the cursor of a terminal, or worse.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
