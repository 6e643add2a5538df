//go:build !windows

package practice

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errAddressInUse is what listening on a taken port gives.
const errAddressInUse = unix.EADDRINUSE

func lockExclusive(file *os.File) error { return flock(file, unix.LOCK_EX) }

func lockShared(file *os.File) error { return flock(file, unix.LOCK_SH) }

func flock(file *os.File, how int) error {
	for {
		err := unix.Flock(int(file.Fd()), how|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			return errHeld
		}
		return err
	}
}
