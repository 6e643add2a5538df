package app

import (
	"errors"

	"golang.org/x/sys/windows"
)

// diskFull tells whether a file found no room: on the disk, or within what the
// user may take of it.
func diskFull(err error) bool {
	for _, code := range []windows.Errno{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
