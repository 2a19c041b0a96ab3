package main

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"chancery/graph"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// envPrefix begins the names of the environment variables that stand for flags.
const envPrefix = "CHANCERY_"

// notSettings are flags that make sense on a command line alone.
var notSettings = []string{"help", "version", "config", "yes", "list", "lift"}

func envOf(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// configure sets the flags of a command that were not given, from the
// environment and then from the configuration file.
func (c *cli) configure(command *cobra.Command) error {
	if c.config == "" {
		c.config = c.getenv(envOf("config"))
	}
	file := viper.New()
	if c.config != "" {
		if err := c.readSettings(file, command.Root()); err != nil {
			return err
		}
	}
	var wrong error
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || wrong != nil || slices.Contains(notSettings, flag.Name) {
			return
		}
		if value := c.getenv(envOf(flag.Name)); value != "" {
			values := []string{value}
			if _, many := flag.Value.(pflag.SliceValue); many {
				values = strings.Split(value, ",")
			}
			wrong = set(command, flag, values, "$"+envOf(flag.Name))
			return
		}
		if file.IsSet(flag.Name) {
			values := []string{file.GetString(flag.Name)}
			if _, many := flag.Value.(pflag.SliceValue); many {
				values = file.GetStringSlice(flag.Name)
			}
			wrong = set(command, flag, values, c.config+": "+flag.Name)
		}
	})
	if wrong != nil {
		return wrong
	}
	if c.logFormat != "text" && c.logFormat != "json" {
		return fmt.Errorf("--log-format can be text or json, not %q", c.logFormat)
	}
	if err := new(slog.Level).UnmarshalText([]byte(c.logLevel)); err != nil {
		return fmt.Errorf("--log-level can be debug, info, warn or error, not %q", c.logLevel)
	}
	return nil
}

func set(command *cobra.Command, flag *pflag.Flag, values []string, from string) error {
	for _, value := range values {
		if err := command.Flags().Set(flag.Name, strings.TrimSpace(value)); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
	}
	return nil
}

// readSettings reads the configuration file. A key that is no flag of any
// command is a mistake, and most often one of spelling.
func (c *cli) readSettings(into *viper.Viper, root *cobra.Command) error {
	text, err := readFile(c.config)
	if err != nil {
		return err
	}
	known := map[string]*pflag.Flag{}
	for _, command := range append(root.Commands(), root) {
		for _, flags := range []*pflag.FlagSet{command.LocalFlags(), command.PersistentFlags()} {
			flags.VisitAll(func(flag *pflag.Flag) {
				if !slices.Contains(notSettings, flag.Name) {
					known[flag.Name] = flag
				}
			})
		}
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("%s: %w", c.config, err)
	}
	if len(document.Content) == 0 { // nothing but comments
		return nil
	}
	var problems graph.Problems
	problem := func(at *yaml.Node, format string, args ...any) {
		problems = append(problems, graph.Problem{File: c.config, Line: at.Line, Column: at.Column, Message: fmt.Sprintf(format, args...)})
	}
	body := document.Content[0]
	if body.Kind != yaml.MappingNode {
		problem(body, "the file is to be a list of KEY: VALUE, such as addr: 127.0.0.1:9090")
		return problems
	}
	seen := map[string]bool{}
	for i := 0; i < len(body.Content); i += 2 {
		key, value := body.Content[i], body.Content[i+1]
		flag := known[key.Value]
		_, many := pflag.SliceValue(nil), false
		if flag != nil {
			_, many = flag.Value.(pflag.SliceValue)
		}
		switch {
		case flag == nil:
			problem(key, "%q is no setting%s", key.Value, nearest(key.Value, known))
		case seen[key.Value]:
			problem(key, "%s is given twice", key.Value)
		case value.Kind != yaml.ScalarNode && !(many && value.Kind == yaml.SequenceNode):
			problem(value, "%s is to be a single value%s", key.Value, map[bool]string{true: ", or a list of them"}[many])
		}
		seen[key.Value] = true
	}
	if len(problems) > 0 {
		return problems
	}
	into.SetConfigFile(c.config)
	if ext := filepath.Ext(c.config); ext != ".yaml" && ext != ".yml" {
		into.SetConfigType("yaml")
	}
	if err := into.ReadInConfig(); err != nil {
		return fmt.Errorf("%s: %w", c.config, err)
	}
	return nil
}

// nearest suggests what was meant.
func nearest(name string, known map[string]*pflag.Flag) string {
	best, least := "", 4
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if d := levenshtein.ComputeDistance(name, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "; chancery serve --help lists them, without the dashes"
	}
	return "; did you mean " + best + "?"
}
