package graph

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// ErrCursor says that a text is no cursor of the list it was given to.
var ErrCursor = errors.New("this is not a cursor of a list in this order: pass a cursor as an earlier answer gave it, with the same orderBy")

// Cursor names the key's place in a list of that order. It is opaque to
// clients, and holds when relations before or after it come and go.
func (k Key) Cursor(o Order) string {
	return encodeCursor("r", orderCode(o), strconv.Itoa(int(k.SortDay)), k.ID)
}

// ParseCursor reads what [Key.Cursor] wrote for the same order, else it
// returns [ErrCursor].
func ParseCursor(o Order, cursor string) (Key, error) {
	parts, ok := decodeCursor(cursor, "r", orderCode(o))
	if !ok {
		return Key{}, ErrCursor
	}
	day, err := strconv.Atoi(parts[0])
	if err != nil || Day(day) < MinDay || Day(day) > MaxDay || parts[1] == "" {
		return Key{}, ErrCursor
	}
	return Key{Day(day), parts[1]}, nil
}

func orderCode(o Order) string {
	if o == OldestFirst {
		return "o"
	}
	return "n"
}

// Key returns the node's place in a list of that order.
func (o EntityOrder) Key(n *Node) EntityKey {
	if o == ByID {
		return EntityKey{"", n.ID}
	}
	return EntityKey{Fold(n.Name), n.ID}
}

// Cursor names the key's place in a list of that order; see [Key.Cursor].
func (k EntityKey) Cursor(o EntityOrder) string { return encodeCursor("e", string(o), k.Name, k.ID) }

// ParseEntityCursor reads what [EntityKey.Cursor] wrote for the same order,
// else it returns [ErrCursor].
func ParseEntityCursor(o EntityOrder, cursor string) (EntityKey, error) {
	parts, ok := decodeCursor(cursor, "e", string(o))
	if !ok || parts[1] == "" {
		return EntityKey{}, ErrCursor
	}
	return EntityKey{parts[0], parts[1]}, nil
}

const cursorSeparator = "\x00"

func encodeCursor(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, cursorSeparator)))
}

func decodeCursor(cursor, list, order string) (parts []string, ok bool) {
	if len(cursor) > 4096 {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, false
	}
	parts = strings.Split(string(raw), cursorSeparator)
	if len(parts) != 4 || parts[0] != list || parts[1] != order {
		return nil, false
	}
	return parts[2:], true
}
