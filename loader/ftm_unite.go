package loader

import (
	"maps"
	"math"
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
	aside            aside[ftmLine]
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
		return u.aside.put(l.ID, l)
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
		if err := u.aside.put(id, u.open[id].line); err != nil {
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

// gather brings together what was set aside of each entity, a file at a time.
func (u *ftmUniting) gather(visit func(l *ftmLine, size int) error) error {
	united := map[string]*ftmUnited{}
	var order []string
	return u.aside.each(func(l *ftmLine, size int) error {
		h := united[l.ID]
		if h == nil {
			h = &ftmUnited{line: l}
			united[l.ID] = h
			order = append(order, l.ID)
		} else {
			h.line.add(l)
		}
		h.size += size
		return nil
	}, func() error {
		for _, id := range order {
			if err := visit(united[id].line, united[id].size); err != nil {
				return err
			}
		}
		clear(united)
		order = order[:0]
		return nil
	})
}
