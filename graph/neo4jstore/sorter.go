package neo4jstore

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"

	"chancery/temporary"
)

// sorter counts texts, however many, in order. Those that memory is not to
// hold lie in files, each in order.
type sorter struct {
	texts map[string]uint64
	bytes int
	most  int // bytes in memory; 0 is 16 MiB
	runs  []*temporary.File
}

func (s *sorter) add(text string) error {
	if s.texts == nil {
		s.texts = map[string]uint64{}
	}
	if _, ok := s.texts[text]; !ok {
		s.bytes += len(text) + 64
	}
	s.texts[text]++
	most := s.most
	if most == 0 {
		most = 16 << 20
	}
	if s.bytes > most {
		return s.spill()
	}
	return nil
}

func (s *sorter) spill() error {
	file, err := temporary.New()
	if err != nil {
		return err
	}
	s.runs = append(s.runs, file)
	w := bufio.NewWriter(file)
	var buf []byte
	for _, text := range s.sorted() {
		buf = binary.AppendUvarint(buf[:0], s.texts[text])
		buf = binary.AppendUvarint(buf, uint64(len(text)))
		if _, err := w.Write(append(buf, text...)); err != nil {
			return err
		}
	}
	clear(s.texts)
	s.bytes = 0
	return w.Flush()
}

func (s *sorter) sorted() []string {
	all := make([]string, 0, len(s.texts))
	for text := range s.texts {
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// remove deletes the files.
func (s *sorter) remove() {
	for _, f := range s.runs {
		_ = f.Remove()
	}
}

// run is one file, at a text.
type run struct {
	r     *bufio.Reader
	text  string
	count uint64
}

func (r *run) next() (err error) {
	if r.count, err = binary.ReadUvarint(r.r); err != nil {
		return err
	}
	n, err := binary.ReadUvarint(r.r)
	if err != nil {
		return err
	}
	text := make([]byte, n)
	_, err = io.ReadFull(r.r, text)
	r.text = string(text)
	return err
}

type runs []*run

func (h runs) Len() int           { return len(h) }
func (h runs) Less(i, j int) bool { return h[i].text < h[j].text }
func (h runs) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runs) Push(v any)        { *h = append(*h, v.(*run)) }
func (h *runs) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// each calls fn with each text once, in order, and how often it was added. The
// text has been split where it has a NUL.
func (s *sorter) each(fn func(text []string, n int64) error) error {
	call := func(text string, n uint64) error { return fn(strings.Split(text, "\x00"), int64(n)) }
	if len(s.runs) == 0 {
		for _, text := range s.sorted() {
			if err := call(text, s.texts[text]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	var h runs
	for _, f := range s.runs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r := &run{r: bufio.NewReader(f)}
		if err := r.next(); errors.Is(err, io.EOF) {
			continue
		} else if err != nil {
			return err
		}
		h = append(h, r)
	}
	heap.Init(&h)
	for len(h) > 0 {
		text, n := h[0].text, uint64(0)
		for len(h) > 0 && h[0].text == text {
			n += h[0].count
			switch err := h[0].next(); {
			case errors.Is(err, io.EOF):
				heap.Pop(&h)
			case err != nil:
				return err
			default:
				heap.Fix(&h, 0)
			}
		}
		if err := call(text, n); err != nil {
			return err
		}
	}
	return nil
}
