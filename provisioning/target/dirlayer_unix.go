//go:build unix

package target

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openNonblock keeps a read from waiting for ever on a prepared pipe.
const openNonblock = unix.O_NONBLOCK

var errNotDir error = syscall.ENOTDIR

func ownerOf(info fs.FileInfo) (uid, gid int) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), int(stat.Gid)
	}
	return -1, -1
}

// syncDir writes a folder to the disk. Some file systems of cards cannot sync
// folders; there the rename is all there is.
func syncDir(root *os.Root, rel string) error {
	dir, err := root.Open(rel)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

// isLiveRoot tells whether a folder is / of this computer, by device and inode.
func isLiveRoot(folder string) (bool, error) {
	there, err := os.Stat(folder)
	if err != nil {
		return false, err
	}
	here, err := os.Stat("/")
	if err != nil {
		return false, err
	}
	return os.SameFile(there, here), nil
}

// ownsFolder tells whether this process's user owns the folder.
func ownsFolder(folder string) (bool, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return false, err
	}
	uid, _ := ownerOf(info)
	return uid == os.Geteuid(), nil
}

func isRoot() bool { return os.Geteuid() == 0 }
