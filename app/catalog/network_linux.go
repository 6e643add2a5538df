package catalog

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// cifsMagic and smb2Magic are from linux/fs/smb/client (unix has only SMB's).
const (
	cifsMagic = 0xff534d42
	smb2Magic = 0xfe534d42
)

// onNetwork tells whether a folder lies on another computer: the write-ahead
// log needs memory that all its users share (sqlite.org/wal.html).
func onNetwork(dir string) (bool, error) {
	var info unix.Statfs_t
	if err := unix.Statfs(dir, &info); err != nil {
		return false, fmt.Errorf("look at the file system of %s: %w", dir, err)
	}
	switch uint32(info.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, cifsMagic, smb2Magic:
		return true, nil
	}
	return false, nil
}
