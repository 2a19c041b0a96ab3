package neo4jstore

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var parameterName = regexp.MustCompile(`\$[A-Za-z_][A-Za-z0-9_]*`)

// standalone writes the parameters into a query, for people who paste it into
// Neo4j Browser or cypher-shell. Texts of queries are constants, and hold a
// dollar sign only before the name of a parameter.
func standalone(text string, parameters map[string]any) string {
	return parameterName.ReplaceAllStringFunc(text, func(name string) string {
		v, ok := parameters[name[1:]]
		if !ok {
			return name
		}
		return literal(v)
	})
}

// literal is a value in Cypher.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return quoted(v)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		switch {
		case math.IsNaN(v):
			return "(0.0 / 0.0)"
		case math.IsInf(v, 0):
			return fmt.Sprintf("(%d.0 / 0.0)", int(math.Copysign(1, v)))
		}
		if s := strconv.FormatFloat(v, 'g', -1, 64); strings.ContainsAny(s, ".e") {
			return s
		}
		return strconv.FormatFloat(v, 'f', 1, 64)
	case time.Time:
		return "datetime(" + quoted(v.UTC().Format("2006-01-02T15:04:05.999999999Z")) + ")"
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, "`"+strings.ReplaceAll(k, "`", "``")+"`: "+literal(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []string:
		return list(v)
	case []int64:
		return list(v)
	case []float64:
		return list(v)
	case []any:
		return list(v)
	case [][]string:
		return list(v)
	case fmt.Stringer: // the driver's dates
		return "date(" + quoted(v.String()) + ")"
	}
	return fmt.Sprint(v)
}

func list[T any](values []T) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = literal(v)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// quoted is a text in Cypher. What has no shape of its own is written by code.
func quoted(s string) string {
	var out strings.Builder
	out.WriteByte('\'')
	for _, c := range s {
		switch {
		case c == '\'' || c == '\\':
			out.WriteByte('\\')
			out.WriteRune(c)
		case c == '\n':
			out.WriteString(`\n`)
		case c < ' ' || c == 0x7f || c == '\u2028' || c == '\u2029':
			fmt.Fprintf(&out, `\u%04X`, c)
		default:
			out.WriteRune(c)
		}
	}
	out.WriteByte('\'')
	return out.String()
}
