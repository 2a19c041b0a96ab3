// Package temporary makes files that hold parts of the record for a while, so
// that a process which is killed leaves no copy behind that nobody knows of. A
// [File] has no name, where the system can do that. What needs a name is
// [Staged]: a later run sees that nobody works on it any more, and removes it.
package temporary

import (
	"errors"
	"os"
)

// File is a file in the directory for temporary files. Nothing is left of it
// after a kill where an open file can be removed, so it can not be opened by its
// name.
type File struct {
	*os.File
	named bool
}

// New makes a File.
func New() (*File, error) {
	f, err := os.CreateTemp("", "chancery-")
	if err != nil {
		return nil, err
	}
	return &File{f, os.Remove(f.Name()) != nil}, nil
}

// Remove closes the file, and removes it.
func (f *File) Remove() error {
	err := f.Close()
	if f.named {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
