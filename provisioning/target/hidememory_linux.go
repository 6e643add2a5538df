package target

import "golang.org/x/sys/unix"

// HideMemory keeps other processes of the same user, core files and /proc
// from the keys that pass through the helper.
func HideMemory() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
