package sqlitestore

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// standalone writes the arguments into a query, for people who paste it into
// sqlite3. Placeholders are ? or ?1; the texts of queries, which are constants,
// hold no other question mark.
func standalone(query string, args []any) string {
	next := 0
	return placeholder.ReplaceAllStringFunc(query, func(mark string) string {
		at := next
		if n, err := strconv.Atoi(mark[1:]); err == nil {
			at = n - 1
		}
		next = at + 1
		if at >= len(args) {
			return mark
		}
		return literal(args[at])
	}) + ";"
}

var placeholder = regexp.MustCompile(`\?[0-9]*`)

func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		// A text with a NUL would end the statement early in most tools.
		if strings.ContainsRune(v, 0) {
			return "CAST(x'" + hex.EncodeToString([]byte(v)) + "' AS TEXT)"
		}
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case []byte:
		return "x'" + hex.EncodeToString(v) + "'"
	case bool:
		if v {
			return "1"
		}
		return "0"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
