package target

import (
	"io/fs"
	"os"
	"syscall"
)

const openNonblock = 0

// ERROR_PATH_NOT_FOUND and its like already are fs.ErrNotExist; ERROR_DIRECTORY
// is what a file in the middle of a path gives.
var errNotDir error = syscall.ENOTDIR

func ownerOf(fs.FileInfo) (uid, gid int) { return -1, -1 }

// syncDir does nothing: Windows has no handle of a folder that can be flushed
// without administrator rights.
func syncDir(*os.Root, string) error { return nil }

func isLiveRoot(folder string) (bool, error) {
	_, err := os.Stat(folder)
	return false, err
}

// ownsFolder is always true: owners of a device cannot be set on Windows
// anyway, and access lists decide whether it can be written.
func ownsFolder(folder string) (bool, error) {
	_, err := os.Stat(folder)
	return true, err
}

func isRoot() bool { return false }
