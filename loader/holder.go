package loader

import (
	"fmt"
	"hash/fnv"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Holder names this process to others that want to write: the host, the
// process, and a mark that tells apart machines of one name, containers on one
// machine, and processes that get the same number one after the other.
func Holder() string { return holderOf(hostname(), os.Getpid()) }

func holderOf(host string, pid int) string {
	return fmt.Sprintf("%s, process %d (%s)", host, pid, mark(pid))
}

// HolderGone reports that a holder is known to have ended: it ran here, and
// does not any more.
func HolderGone(holder string) bool {
	rest, ok := strings.CutPrefix(holder, hostname()+", process ")
	if !ok {
		return false
	}
	number, theirs, ok := strings.Cut(strings.TrimSuffix(rest, ")"), " (")
	pid, err := strconv.Atoi(number)
	if !ok || err != nil || pid <= 0 {
		return false
	}
	machine, _, _ := strings.Cut(theirs, "-")
	if here, _, _ := strings.Cut(mark(os.Getpid()), "-"); here != machine {
		return false
	}
	return !alive(pid) || mark(pid) != theirs
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown host"
	}
	return name
}

// mark is MACHINE-START: what tells this boot of this machine (and this
// container) from others, and the moment the process began, in the kernel's
// own count. Where the system does not tell, both are constant.
func mark(pid int) string {
	h := fnv.New32a()
	start := "0"
	if runtime.GOOS == "linux" {
		boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
		namespace, _ := os.Readlink("/proc/self/ns/pid")
		_, _ = fmt.Fprintf(h, "%s %s", boot, namespace)
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
			// The fields after the command's name, which stands in parentheses;
			// the start is the 22nd of all. A zombie has ended.
			_, after, _ := strings.Cut(string(stat), ") ")
			if fields := strings.Fields(after); len(fields) > 19 && fields[0] != "Z" {
				start = fields[19]
			}
		}
	}
	return fmt.Sprintf("%08x-%s", h.Sum32(), start)
}

func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false // Windows says so here
	}
	defer func() { _ = p.Release() }()
	if runtime.GOOS == "windows" {
		return true
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || err == syscall.EPERM //nolint:errorlint // Signal returns it bare
}
