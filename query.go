package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"chancery/resolvers"

	"github.com/99designs/gqlgen/graphql"
	"github.com/spf13/cobra"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// queryOptions are the flags of query.
type queryOptions struct {
	vars      []string
	variables string
	operation string
	output    string
	explain   bool
	url       string
	tokenFile string
	timeout   time.Duration
}

func (c *cli) queryCommand() *cobra.Command {
	var o queryOptions
	command := &cobra.Command{
		Use:   "query FILE",
		Short: "Run a GraphQL operation, on a store or on a server",
		Long: `Query runs the GraphQL operation in FILE (- is standard input) on the store, under
the same limits as a server, and writes the answer to standard output. Errors of
the operation go to standard error; there are none if the exit status is 0.

With --url it asks a server instead. The token that the server wants comes from
$CHANCERY_TOKEN, or from the file that --bearer-file names.

--explain adds the Cypher or SQL that the store ran, as extensions.explain of the
JSON; each can be pasted into Neo4j Browser or sqlite3 as it stands in standalone.

--var gives a variable as text, read by its type in the operation: numbers and
true or false as such, IDs, dates and enums without quotes, lists and input
objects as JSON. A single value stands for a list of one, and null for no value,
except of a String or ID. --variables names a file with a JSON object; --var wins
over it.

--output json is the whole GraphQL response. table and csv show the first list of
objects in the operation, a row for each: the edges or nodes of a connection, or a
plain list. Columns are named by the path of response keys below the row, such as
node.source.name; use aliases to shorten them. A list of scalars is joined by "; ",
a list of objects is shown as JSON. Where there is no list, the answer is one row.
In csv, text that a spreadsheet would take for a formula (it begins with =, +, -,
@, a tab or a carriage return) is preceded by an apostrophe; numbers are not.`,
		Example: `  chancery query question.graphql --var name=Macron --var asOf=2025-12-01
  CHANCERY_TOKEN=… chancery query question.graphql --url https://chancery.example.org/graphql
  chancery query question.graphql --variables values.json --output csv > answer.csv
  echo '{ leaders { nodes { title holder { name } of { name } } } }' | chancery query - --output table`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name one file that holds the operation, or - for standard input")
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error { return c.query(command.Context(), args[0], o) },
	}
	flags := command.Flags()
	flags.StringArrayVar(&o.vars, "var", nil, "set the variable `NAME=VALUE`; may be given several times")
	flags.StringVar(&o.variables, "variables", "", "read variables from the JSON object in `FILE`")
	flags.StringVar(&o.operation, "operation", "", "the `NAME` of the operation to run, where the file has several")
	flags.StringVar(&o.output, "output", "json", "the `FORMAT` of the answer: json, table or csv")
	flags.BoolVar(&o.explain, "explain", false, "show the queries that the store ran, in extensions.explain")
	flags.StringVar(&o.url, "url", "", "ask the server at `URL` instead of a store, for example http://127.0.0.1:8080/graphql")
	flags.StringVar(&o.tokenFile, "bearer-file", "", "read the token for --url from `FILE`")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for the server at --url")
	c.storeFlag(command)
	return command
}

func (c *cli) query(ctx context.Context, file string, o queryOptions) error {
	if !slices.Contains([]string{"json", "table", "csv"}, o.output) {
		return usage("--output can be json, table or csv, not %q", o.output)
	}
	if file == "-" && o.variables == "-" {
		return usage("the operation and the variables cannot both come from standard input")
	}
	if o.explain && o.output != "json" {
		return usage("--explain goes with --output json")
	}
	ask, err := c.asker(o)
	if err != nil {
		return err
	}
	text, err := c.read(file)
	if err != nil {
		return err
	}
	limits := resolvers.DefaultLimits()
	if int64(len(text)) > limits.RequestBytes {
		return fmt.Errorf("%s is larger than %d bytes", file, limits.RequestBytes)
	}
	// What is wrong with the document is found out, and said, when it is run.
	document, _ := parser.ParseQueryWithTokenLimit(&ast.Source{Name: file, Input: string(text)}, limits.Tokens)
	var operation *ast.OperationDefinition
	if document != nil {
		operation = document.Operations.ForName(o.operation)
	}
	variables, err := c.variables(operation, o)
	if err != nil {
		return err
	}
	params := &graphql.RawParams{Query: string(text), OperationName: o.operation, Variables: variables}
	if o.explain {
		params.Extensions = map[string]any{resolvers.ExtensionExplain: true}
	}
	resp, err := ask(ctx, params)
	if err != nil {
		return err
	}
	if o.output == "json" {
		err = c.writeJSON(resp)
	} else {
		err = c.writeRows(resp, document, operation, variables, o.output)
	}
	if err != nil {
		return err
	}
	for _, e := range resp.Errors {
		fmt.Fprintln(c.stderr, describe(e))
	}
	if len(resp.Errors) > 0 {
		return errReported
	}
	return nil
}

// asker is what answers operations: a store, or a server.
func (c *cli) asker(o queryOptions) (func(context.Context, *graphql.RawParams) (*graphql.Response, error), error) {
	if o.url != "" {
		return c.remote(o)
	}
	location, err := c.locate()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, params *graphql.RawParams) (*graphql.Response, error) {
		if location.Missing() {
			return nil, fmt.Errorf("there is no store in %s yet; chancery load FILE makes one", location)
		}
		store, err := c.openAt(ctx, location)
		if err != nil {
			return nil, err
		}
		defer c.close(store)
		return resolvers.Execute(ctx, store, resolvers.Options{Logger: c.logger()}, params), nil
	}, nil
}

// read reads a file, or standard input.
func (c *cli) read(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(c.stdin)
	}
	return readFile(file)
}

// describe is an error of an operation in one line.
func describe(e *gqlerror.Error) string {
	var about []string
	if len(e.Path) > 0 {
		about = append(about, e.Path.String())
	} else if len(e.Locations) > 0 {
		about = append(about, fmt.Sprintf("line %d, column %d", e.Locations[0].Line, e.Locations[0].Column))
	}
	if code, ok := e.Extensions["code"].(string); ok {
		about = append(about, code)
	}
	line := "error: " + e.Message
	if len(about) > 0 {
		line += " (" + strings.Join(about, ", ") + ")"
	}
	return printable(line)
}

// writeJSON writes a response with its keys in the order of the operation. One
// that was refused has no data.
func (c *cli) writeJSON(resp *graphql.Response) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	var shown any = resp
	if resp.Data == nil {
		shown = struct {
			Errors gqlerror.List `json:"errors"`
		}{resp.Errors}
	}
	if err := encoder.Encode(shown); err != nil {
		return err
	}
	_, err := c.stdout.Write(text.Bytes())
	return err
}

// variables puts together the variables of an operation, which is nil where
// the document has none of that name.
func (c *cli) variables(operation *ast.OperationDefinition, o queryOptions) (map[string]any, error) {
	values := map[string]any{}
	if o.variables != "" {
		text, err := c.read(o.variables)
		if err != nil {
			return nil, err
		}
		if err := decodeJSON(string(text), &values); err != nil || values == nil {
			return nil, fmt.Errorf("%s is to hold a JSON object, from the names of variables to their values", o.variables)
		}
	}
	given := map[string]any{}
	for _, assignment := range o.vars {
		name, text, ok := strings.Cut(assignment, "=")
		name = strings.TrimPrefix(name, "$")
		if !ok || name == "" {
			return nil, usage("--var is to be NAME=VALUE, not %q", assignment)
		}
		if _, twice := given[name]; twice {
			return nil, usage("--var %s is given twice", name)
		}
		if operation == nil { // running it will tell what is wrong
			continue
		}
		definition := operation.VariableDefinitions.ForName(name)
		if definition == nil {
			return nil, usage("the operation has no variable $%s; %s", name, variableNames(operation))
		}
		value, err := readValue(definition.Type, text)
		if err != nil {
			return nil, usage("--var %s: %w", name, err)
		}
		given[name] = value
	}
	maps.Copy(values, given)
	return values, nil
}

func variableNames(operation *ast.OperationDefinition) string {
	if len(operation.VariableDefinitions) == 0 {
		return "it has none"
	}
	var names []string
	for _, v := range operation.VariableDefinitions {
		names = append(names, "$"+v.Variable+": "+v.Type.String())
	}
	return "it has " + strings.Join(names, ", ")
}

// readValue reads the text of a variable by its type.
func readValue(t *ast.Type, text string) (any, error) {
	name := t.Name()
	literal := name == "String" || name == "ID"
	if text == "null" && !t.NonNull && (t.Elem != nil || !literal) {
		return nil, nil
	}
	if t.Elem != nil {
		if !strings.HasPrefix(strings.TrimSpace(text), "[") {
			value, err := readValue(t.Elem, text)
			return []any{value}, err
		}
		var list []any
		if err := decodeJSON(text, &list); err != nil {
			return nil, fmt.Errorf("a %s is a JSON list, for example [\"a\", \"b\"]: %w", t, err)
		}
		return list, nil
	}
	switch name {
	case "Int":
		if _, err := strconv.ParseInt(text, 10, 32); err != nil {
			return nil, fmt.Errorf("%q is no whole number of at most 32 bits", text)
		}
		return json.Number(text), nil
	case "Float":
		var n json.Number
		if err := decodeJSON(text, &n); err != nil {
			return nil, fmt.Errorf("%q is no number", text)
		}
		return n, nil
	case "Boolean":
		if text != "true" && text != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		return text == "true", nil
	}
	if d := resolvers.Schema().Types[name]; d != nil && d.Kind == ast.InputObject {
		var object map[string]any
		if err := decodeJSON(text, &object); err != nil {
			return nil, fmt.Errorf("a %s is a JSON object, for example {\"%s\": …}: %w", name, d.Fields[0].Name, err)
		}
		return object, nil
	}
	return text, nil
}

// decodeJSON reads one JSON value. Numbers stay as they are written.
func decodeJSON(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the JSON value")
	}
	return nil
}
