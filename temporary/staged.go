package temporary

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// stagedName is the form of the names of what is staged. Versions before had no
// lock on theirs, and made some with digits.
var stagedName = regexp.MustCompile(`^\.chancery-([A-Z2-7]{26}|export-[0-9]+)$`)

// Staged is a file or directory with a hidden name, until it is complete and
// renamed. It is locked meanwhile, which tells other runs that it is in use.
type Staged struct {
	Path string
	lock *os.File // nil where the system has no such locks
}

// StageFile makes a file in a directory, open for writing.
func StageFile(dir string) (s *Staged, file *os.File, err error) {
	s, err = stage(dir, func(path string) error {
		file, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		return err
	}, func() error { return file.Close() })
	return s, file, err
}

// StageDirectory makes a directory in a directory, with that mode.
func StageDirectory(dir string, mode fs.FileMode) (*Staged, error) {
	return stage(dir, func(path string) error { return os.Mkdir(path, mode) }, func() error { return nil })
}

// stage makes something of a new name, and locks it. Another run may remove it
// in between; then it is made again.
func stage(dir string, create func(path string) error, undo func() error) (*Staged, error) {
	for {
		path := filepath.Join(dir, ".chancery-"+rand.Text())
		if err := create(path); err != nil {
			return nil, err
		}
		lock, gone := hold(path)
		if !gone {
			return &Staged{path, lock}, nil
		}
		if err := undo(); err != nil {
			return nil, err
		}
	}
}

// Release says that it is no longer worked on: it is complete and has another
// name, or is removed.
func (s *Staged) Release() {
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

// Remove removes it, with all that is in it.
func (s *Staged) Remove() error {
	defer s.Release()
	return os.RemoveAll(s.Path)
}

// Sweep removes from a directory what runs of the same user staged there that
// were killed. What cannot be removed stays: it is no reason not to go on.
func Sweep(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer func() { _ = d.Close() }()
	for {
		entries, err := d.ReadDir(1000)
		for _, e := range entries {
			if path := filepath.Join(dir, e.Name()); stagedName.MatchString(e.Name()) && (e.IsDir() || e.Type().IsRegular()) {
				removeIfLeft(path)
			}
		}
		if err != nil {
			return
		}
	}
}

// still reports whether an open file has a name still.
func still(path string, file *os.File) bool {
	there, err := os.Lstat(path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	opened, err := file.Stat()
	return err != nil || os.SameFile(there, opened)
}
