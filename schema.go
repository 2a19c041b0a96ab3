package main

import (
	"chancery/resolvers"

	"github.com/spf13/cobra"
)

func (c *cli) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the GraphQL schema",
		Long: `Schema prints the schema that serve answers, in the schema definition language,
for tools that generate typed clients.`,
		Example: `  chancery schema > schema.graphql`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := c.stdout.Write([]byte(resolvers.SDL()))
			return err
		},
	}
}
