package neo4jstore

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

// arrayDelimiter stands between the values of a list, labels included. No text
// of the record has a control character.
const arrayDelimiter = "\x1f"

// importTable is the nodes, or the relationships, of one sort: a file of rows
// (CSV, RFC 4180), and one of the header, which is known when all rows are. A
// row ends where it has no more values.
type importTable struct {
	dir, name string
	special   []string // the columns that every row has first
	columns   []importColumn
	known     map[string]bool
	file      *os.File
	w         *bufio.Writer
	cells     []string
	// multiline says that a value has a line end in it.
	multiline bool
	// other has the rows with a property whose type is another one here: in one
	// file a property has one type.
	other *importTable
	n     int // its place among the tables of the name, from 0
}

type importColumn struct{ name, typ string }

func (t *importTable) open() error {
	if t.file != nil {
		return nil
	}
	file, err := os.Create(filepath.Join(t.dir, t.stem()+".csv"))
	if err != nil {
		return err
	}
	t.file, t.w, t.known = file, bufio.NewWriterSize(file, 256<<10), map[string]bool{}
	return nil
}

// stem is the name of its files, without what they end in.
func (t *importTable) stem() string {
	if t.n == 0 {
		return t.name
	}
	return t.name + "-" + strconv.Itoa(t.n+1)
}

// row writes a row: the values of the special columns, and properties.
func (t *importTable) row(special []string, p map[string]any) error {
	if err := t.open(); err != nil {
		return err
	}
	t.cells = t.cells[:0]
	for _, v := range special {
		t.cells = append(t.cells, t.quoted(v))
	}
	found := 0
	for _, c := range t.columns {
		v, ok := p[c.name]
		if !ok {
			t.cells = append(t.cells, "")
			continue
		}
		found++
		typ, cell, err := t.cell(c.name, v)
		if err != nil {
			return err
		}
		if typ != c.typ {
			if t.other == nil {
				t.other = &importTable{dir: t.dir, name: t.name, special: t.special, n: t.n + 1}
			}
			return t.other.row(special, p)
		}
		t.cells = append(t.cells, cell)
	}
	if found < len(p) {
		for _, name := range slices.Sorted(maps.Keys(p)) {
			if t.known[name] {
				continue
			}
			typ, cell, err := t.cell(name, p[name])
			if err != nil {
				return err
			}
			t.known[name] = true
			t.columns = append(t.columns, importColumn{name, typ})
			t.cells = append(t.cells, cell)
		}
	}
	for len(t.cells) > len(special) && t.cells[len(t.cells)-1] == "" {
		t.cells = t.cells[:len(t.cells)-1]
	}
	for i, c := range t.cells {
		if i > 0 {
			_ = t.w.WriteByte(',')
		}
		_, _ = t.w.WriteString(c)
	}
	return t.w.WriteByte('\n') // which tells of the errors before
}

// quoted is a text. An empty one is not nothing.
func (t *importTable) quoted(s string) string {
	t.multiline = t.multiline || strings.ContainsAny(s, "\r\n")
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// cell is a value, with its type as headers name it. It is the type that the
// driver gives the value.
func (t *importTable) cell(name string, v any) (typ, cell string, err error) {
	if strings.ContainsAny(name, "{}") {
		return "", "", fmt.Errorf("the property %q cannot be imported by neo4j-admin, which takes braces for options; load it with chancery load instead", name)
	}
	switch v := v.(type) {
	case string:
		return "string", t.quoted(v), nil
	case []string:
		if len(v) == 1 && v[0] == "" || slices.ContainsFunc(v, func(s string) bool { return strings.Contains(s, arrayDelimiter) }) {
			return "", "", fmt.Errorf("the list %s cannot be imported by neo4j-admin: %q", name, v)
		}
		return "string[]", t.quoted(strings.Join(v, arrayDelimiter)), nil
	case float64:
		return "double", strconv.FormatFloat(v, 'g', -1, 64), nil
	case bool:
		return "boolean", strconv.FormatBool(v), nil
	case int64:
		return "long", strconv.FormatInt(v, 10), nil
	case neo4j.Date:
		return "date", v.Time().Format(time.DateOnly), nil
	case time.Time:
		return "datetime", v.UTC().Format("2006-01-02T15:04:05.000000Z"), nil
	case neo4j.Point2D:
		return "point{crs:WGS-84}", t.quoted(fmt.Sprintf("{latitude:%s,longitude:%s}", decimal(v.Y), decimal(v.X))), nil
	}
	return "", "", fmt.Errorf("the property %s has the type %T, for which neo4j-admin has no word", name, v)
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// close writes the header, and makes sure that all is on disk.
func (t *importTable) close() error {
	if t.file == nil {
		return nil
	}
	head := slices.Clone(t.special)
	for _, c := range t.columns {
		head = append(head, c.name+":"+c.typ)
	}
	for i, h := range head {
		if strings.ContainsAny(h, "\",\r\n") {
			head[i] = t.quoted(h)
		}
	}
	err := errors.Join(t.w.Flush(), t.file.Sync(), t.file.Close(),
		os.WriteFile(filepath.Join(t.dir, t.stem()+"-header.csv"), []byte(strings.Join(head, ",")+"\n"), 0o666))
	t.file = nil
	if t.other != nil {
		err = cmp.Or(err, t.other.close())
	}
	return err
}

// abandon closes what an error has left open.
func (t *importTable) abandon() {
	for ; t != nil; t = t.other {
		if t.file != nil {
			_ = t.file.Close()
			t.file = nil
		}
	}
}
