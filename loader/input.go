package loader

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"chancery/graph"
	"chancery/temporary"
)

// Input is one file to load.
type Input struct {
	Name string // for people: the path as given, and below an archive that in it
	// Open opens the file from its beginning, unpacked.
	Open func() (io.ReadCloser, error)
	// Parts are the files of an edition of several files, of which Open opens
	// the first; nil where the input is one file.
	Parts []Part
	// delimiter is what stands between the fields of a feed's rows where that is
	// no tab; 0 otherwise.
	delimiter rune
	// checked, if set, is told how many rows were read.
	checked func(*Rows)
	// Whole says that the input is all of its data set, or that it is not; nil
	// leaves that to the format.
	Whole *bool
	// MaxBytes is the most that a format may hold in memory of it.
	MaxBytes int64
	// Dataset is the name that a feed's data set shall have; "" is the format's.
	Dataset string
	// Reject, if set, is told of each bad row of a feed. An error ends the load.
	Reject func(Rejection) error
	// MaxRejects is the number of bad rows with which a feed is still loaded;
	// negative is any number.
	MaxRejects int
	// BatchSize is the number of things that a format puts into a batch.
	BatchSize int
}

// Part is one of the files of an input.
type Part struct {
	Name string
	Open func() (io.ReadCloser, error) // as [Input].Open

	delimiter rune // as that of an Input
}

// head reads the beginning of the file, by which it is known what it is.
func (p Part) head() ([]byte, error) {
	f, err := p.Open()
	if err != nil {
		return nil, unreadable(p.Name, err)
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, headBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, unreadable(p.Name, err)
	}
	return head[:n], nil
}

func (in *Input) parts() []Part {
	if in.Parts == nil {
		return []Part{{in.Name, in.Open, in.delimiter}}
	}
	return in.Parts
}

// joined makes one input of several, all of which are of one data set.
func joined(inputs []Input) Input {
	in := inputs[0]
	if len(inputs) == 1 {
		return in
	}
	for _, part := range inputs {
		in.Parts = append(in.Parts, part.parts()...)
	}
	in.Name = fmt.Sprintf("%s and %d more", in.Name, len(inputs)-1)
	return in
}

// StandardInput is the name by which files to load mean standard input.
const StandardInput = "-"

// findInputs lists the inputs that names stand for: files, the files in
// directories (at any depth, in the order of their names, without hidden
// ones) and in zip archives, and standard input, which is copied to a temporary
// file since a load reads its input more than once. So are pipes, and archives in
// archives. The caller must call done.
func findInputs(ctx context.Context, names []string, stdin io.Reader) (inputs []Input, done func(), err error) {
	var copies []*temporary.File
	done = func() {
		for _, f := range copies {
			_ = f.Remove()
		}
	}
	kept := func(r io.Reader) (source, error) {
		f, size, err := keep(ctx, r)
		if err != nil {
			return nil, err
		}
		copies = append(copies, f)
		return within(f, size), nil
	}
	var problems graph.Problems
	add := func(name string, from source) {
		parts, err := contents(name, from, kept)
		if err != nil {
			problems = append(problems, graph.Problem{File: name, Message: err.Error()})
		}
		for _, part := range parts {
			inputs = append(inputs, Input{Name: part.Name, BatchSize: BatchSize, Open: part.Open})
		}
	}
	copied := func(name string, r io.Reader) error {
		from, err := kept(r)
		if err != nil {
			return fmt.Errorf("%s cannot be kept: %w", name, err)
		}
		add(name, from)
		return nil
	}
	read := false
	for _, name := range names {
		if name == StandardInput {
			if read {
				return nil, done, errors.New("standard input can be loaded once")
			}
			read = true
			if err := copied("standard input", stdin); err != nil {
				return nil, done, err
			}
			continue
		}
		if info, err := os.Stat(name); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			pipe, err := openPipe(ctx, name)
			if _, ok := errors.AsType[*fs.PathError](err); ok {
				problems = append(problems, graph.Problem{File: name, Message: "cannot be read: " + reason(err)})
				continue
			}
			if err == nil {
				err = copied(name, pipe)
				_ = pipe.Close()
			}
			if err != nil {
				return nil, done, err
			}
			continue
		}
		found, err := filesAt(name)
		if err != nil {
			at := name
			if e, ok := errors.AsType[*fs.PathError](err); ok {
				at = e.Path
			}
			problems = append(problems, graph.Problem{File: at, Message: "cannot be read: " + reason(err)})
		} else if len(found) == 0 {
			problems = append(problems, graph.Problem{File: name, Message: "is a directory without files"})
		}
		for _, file := range withoutEmpty(found) {
			add(file, atPath(file))
		}
	}
	return inputs, done, cmp.Or(ctx.Err(), problems.Err())
}

// openPipe opens what can be read once, which takes until somebody writes to it.
// It does not wait any longer when the context ends.
func openPipe(ctx context.Context, name string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(name)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// errNoFile is what is wrong with something in a directory that reading might never
// find the end of.
var errNoFile = errors.New("it is a pipe, socket or device; name it instead of its directory to load it, or move it elsewhere")

func filesAt(name string) ([]string, error) { return filesUnder(name, map[string]bool{}) }

// filesUnder follows links to directories, each directory once.
func filesUnder(name string, seen map[string]bool) ([]string, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil || info.Mode().IsRegular():
		return []string{name}, err
	case !info.IsDir():
		return nil, &fs.PathError{Op: "open", Path: name, Err: errNoFile}
	}
	real, err := filepath.EvalSymlinks(name)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil || seen[real] {
		return nil, err
	}
	seen[real] = true
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		more, err := filesUnder(filepath.Join(name, e.Name()), seen)
		if err != nil && len(more) == 0 {
			return nil, err
		} // else it says what is wrong when it is opened
		files = append(files, more...)
	}
	return files, nil
}

// withoutEmpty leaves out the files of a directory that have nothing in them, as
// feeds publish them for hours without events, unless all are so.
func withoutEmpty(files []string) []string {
	full := slices.DeleteFunc(slices.Clone(files), func(file string) bool {
		info, err := os.Stat(file)
		return err == nil && info.Mode().IsRegular() && info.Size() == 0
	})
	if len(full) == 0 {
		return files
	}
	return full
}

// keep copies what can be read once to a temporary file. It does not wait for
// more of it when the context ends.
func keep(ctx context.Context, r io.Reader) (*temporary.File, int64, error) {
	f, err := temporary.New()
	if err != nil {
		return nil, 0, err
	}
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(f, r)
		copied <- err
	}()
	select {
	case err = <-copied:
	case <-ctx.Done():
		err = ctx.Err()
	}
	size := int64(0)
	if err == nil {
		size, err = f.Seek(0, io.SeekCurrent)
	}
	if err != nil {
		_ = f.Remove()
		return nil, 0, err
	}
	return f, size, nil
}

// reason is an error without the path that its message would repeat.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// lineReader reads lines of bounded length.
type lineReader struct {
	r    *bufio.Reader
	line int  // the number of the line read last, from 1
	most int  // the longest line, in bytes
	open bool // the line read last has no end
}

// maxFeedLine is the longest line of a feed, in bytes. No feed comes near it.
const maxFeedLine = 1 << 20

// endOfFile is what programs of DOS wrote behind the last line (Ctrl-Z).
const endOfFile = "\x1a"

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 256<<10), most: maxFeedLine}
}

// next returns the next line without its end, valid until the call after. Of a
// line that is too long it returns none of it. At the end it returns io.EOF.
func (l *lineReader) next() (line []byte, tooLong bool, err error) {
	line, err = l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line = slices.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			var more []byte
			more, err = l.r.ReadSlice('\n')
			if tooLong = tooLong || len(line)+len(more) > l.most; tooLong {
				line = line[:0]
			} else {
				line = append(line, more...)
			}
		}
	}
	ended := err == io.EOF
	if ended && string(line) == endOfFile {
		line = nil
	}
	if ended && (len(line) > 0 || tooLong) {
		err = nil
	}
	if err != nil {
		return nil, false, err
	}
	l.line++
	if l.line == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	l.open = ended
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	return line, tooLong, nil
}
