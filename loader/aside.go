package loader

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"chancery/temporary"
)

// asideBytes is about how much of what is set aside is in one file, so that it
// can be held in memory.
const asideBytes = 8 << 20

// maxAside is the most files in which things are set aside at a time.
const maxAside = 256

// aside keeps in temporary files what is to be brought together of rows that lie
// far apart: each file has all of some of the keys.
type aside[T any] struct {
	count int // of the files that there are to be
	files []*asideFile
}

type asideFile struct {
	*temporary.File
	w *bufio.Writer
}

// newAside sets things aside of a file with so many bytes of them. It makes no
// files before there is something to be put into them.
func newAside[T any](bytes int64) aside[T] {
	return aside[T]{count: int(min(1+bytes/asideBytes, maxAside))}
}

func (a *aside[T]) put(key string, thing *T) error {
	for len(a.files) < a.count {
		f, err := temporary.New()
		if err != nil {
			return asideFails(err)
		}
		a.files = append(a.files, &asideFile{f, bufio.NewWriterSize(f, 16<<10)})
	}
	text, err := json.Marshal(thing)
	if err != nil {
		return err
	}
	hash := ftmKey(key)
	_, err = a.files[(int(hash[0])<<8|int(hash[1]))%a.count].w.Write(text)
	return asideFails(err)
}

// each goes through the things of each file, in the order in which they were
// set aside, with their sizes; done ends a file.
func (a *aside[T]) each(visit func(thing *T, size int) error, done func() error) error {
	for _, f := range a.files {
		if err := f.w.Flush(); err != nil {
			return asideFails(err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return asideFails(err)
		}
		dec := json.NewDecoder(f)
		for {
			before := dec.InputOffset()
			thing := new(T)
			err := dec.Decode(thing)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return asideFails(err)
			}
			if err := visit(thing, int(dec.InputOffset()-before)); err != nil {
				return err
			}
		}
		if err := done(); err != nil {
			return err
		}
	}
	return nil
}

// drop removes the files.
func (a *aside[T]) drop() {
	for _, f := range a.files {
		_ = f.Remove()
	}
}

func asideFails(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("rows that belong together but lie far apart cannot be kept in a temporary file: %w", err)
}
