package practice

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// errAddressInUse is what listening on a taken port gives.
const errAddressInUse = windows.WSAEADDRINUSE

// lockedByte lies far behind the PID: Windows refuses reads of a locked range.
const lockedByte = 1 << 30

func lockExclusive(file *os.File) error {
	return lockRange(file, windows.LOCKFILE_EXCLUSIVE_LOCK)
}

func lockShared(file *os.File) error { return lockRange(file, 0) }

func lockRange(file *os.File, flags uint32) error {
	err := windows.LockFileEx(windows.Handle(file.Fd()), flags|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		&windows.Overlapped{Offset: lockedByte})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errHeld
	}
	return err
}
