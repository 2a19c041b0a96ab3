// Command schemagen writes the JSON Schema of the data set format, or with
// -mapping that of mappings, to a file.
package main

import (
	"fmt"
	"os"

	"chancery/loader"
)

func main() {
	args, generate := os.Args[1:], loader.JSONSchema
	if len(args) == 2 && args[0] == "-mapping" {
		args, generate = args[1:], loader.MappingSchema
	}
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: schemagen [-mapping] FILE")
		os.Exit(2)
	}
	schema, err := generate()
	if err == nil {
		err = os.WriteFile(args[0], schema, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
