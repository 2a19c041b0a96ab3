//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package temporary

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// hold locks a file or directory for as long as the lock is open, which ends with
// the process at the latest. Gone says that another run has removed it. On a file
// system without locks there is none, and no other run can have one either.
func hold(path string) (lock *os.File, gone bool) {
	lock, err := os.Open(path)
	if err != nil {
		return nil, errors.Is(err, fs.ErrNotExist)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err == nil && !still(path, lock) {
		_ = lock.Close()
		return nil, true
	}
	return lock, false
}

// removeIfLeft removes what this user has made, unless somebody holds it.
func removeIfLeft(path string) {
	info, err := os.Lstat(path)
	if err != nil {
		return
	}
	if made, ok := info.Sys().(*syscall.Stat_t); !ok || int(made.Uid) != os.Geteuid() {
		return
	}
	lock, err := os.Open(path)
	if err != nil {
		return
	}
	defer func() { _ = lock.Close() }()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = os.RemoveAll(path)
	}
}
