package loader

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
)

// ftmOpenBytes bounds the text of the lines of entities of which more follows,
// while they are held in memory.
const ftmOpenBytes = 8 << 20

// ftmUniting gathers what the lines of a file say of each entity. An entity is
// held until the last of its lines, so that its dates and its name are found
// among all that is said. Should too many be held, they are set aside in
// files, and what is said of them later too.
type ftmUniting struct {
	known            func(id string) ftmKnown
	open             map[string]*ftmUnited // of which more follows
	ready            []*ftmLine
	opened, prepared int // bytes
	aside            ftmAside
}

// ftmUnited is an entity with the lines about it so far.
type ftmUnited struct {
	line *ftmLine
	left uint16 // lines that follow
	size int
}

// take takes in a line; more says that it is not the first one of its entity.
func (u *ftmUniting) take(l *ftmLine, more bool, size int) error {
	h := u.open[l.ID]
	switch {
	case h != nil:
		h.line.add(l)
		h.size, u.opened = h.size+size, u.opened+size
		if h.left == math.MaxUint16 { // nobody has counted them
			break
		}
		if h.left--; h.left == 0 {
			delete(u.open, l.ID)
			u.opened -= h.size
			u.prepare(h.line, h.size)
		}
	case more: // the entity was set aside, or it would be open
		return u.aside.put(l)
	default:
		h = &ftmUnited{line: l, size: size, left: u.known(l.ID).more}
		if h.left == 0 {
			u.prepare(l, size)
			break
		}
		u.open[l.ID] = h
		u.opened += size
	}
	if u.opened <= ftmOpenBytes {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(u.open)) {
		if err := u.aside.put(u.open[id].line); err != nil {
			return err
		}
	}
	clear(u.open)
	u.opened = 0
	return nil
}

func (u *ftmUniting) prepare(l *ftmLine, size int) {
	u.ready = append(u.ready, l)
	u.prepared += size
}

// close prepares what is open still.
func (u *ftmUniting) close() {
	for _, id := range slices.Sorted(maps.Keys(u.open)) {
		u.prepare(u.open[id].line, u.open[id].size)
	}
	clear(u.open)
	u.opened = 0
}

// ftmMaxAside is the most files in which entities are set aside at a time.
const ftmMaxAside = 256

// ftmAside is what is set aside: each file has all of some of the entities, so
// that it can be held in memory.
type ftmAside struct {
	count int // of the files that there are to be
	files []*ftmAsideFile
}

type ftmAsideFile struct {
	*os.File
	w *bufio.Writer
}

// newFTMAside sets entities aside of a file with so many bytes of them. It
// makes no files before there is something to be put into them.
func newFTMAside(bytes int64) ftmAside {
	return ftmAside{count: int(min(1+bytes/ftmOpenBytes, ftmMaxAside))}
}

func (a *ftmAside) put(l *ftmLine) error {
	for len(a.files) < a.count {
		f, err := os.CreateTemp("", "chancery-load-")
		if err != nil {
			return asideFails(err)
		}
		_ = os.Remove(f.Name()) // where that can be done at once, nothing is left after a kill
		a.files = append(a.files, &ftmAsideFile{f, bufio.NewWriterSize(f, 16<<10)})
	}
	key := ftmKey(l.ID)
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	w := a.files[(int(key[0])<<8|int(key[1]))%a.count].w
	_, err = w.Write(text)
	return asideFails(err)
}

// each goes through the entities, those of a file at a time.
func (a *ftmAside) each(visit func(l *ftmLine, size int) error) error {
	for _, f := range a.files {
		if err := f.w.Flush(); err != nil {
			return asideFails(err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return asideFails(err)
		}
		united := map[string]*ftmUnited{}
		var order []string
		dec := json.NewDecoder(f)
		for {
			before := dec.InputOffset()
			l := &ftmLine{}
			err := dec.Decode(l)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return asideFails(err)
			}
			h := united[l.ID]
			if h == nil {
				h = &ftmUnited{line: l}
				united[l.ID] = h
				order = append(order, l.ID)
			} else {
				h.line.add(l)
			}
			h.size += int(dec.InputOffset() - before)
		}
		for _, id := range order {
			if err := visit(united[id].line, united[id].size); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop removes the files.
func (a *ftmAside) drop() {
	for _, f := range a.files {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
}

func asideFails(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("rows of one entity that lie far apart cannot be kept in a temporary file: %w", err)
}
