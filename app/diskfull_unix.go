//go:build unix

package app

import (
	"errors"
	"syscall"
)

// diskFull tells whether a file found no room: on the disk, or within what the
// user may take of it.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
