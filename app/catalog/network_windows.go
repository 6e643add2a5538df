package catalog

import (
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// onNetwork tells whether a folder lies on another computer: the write-ahead
// log needs memory that all its users share (sqlite.org/wal.html).
func onNetwork(dir string) (bool, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return false, fmt.Errorf("look at the drive of %s: %w", dir, err)
	}
	volume := filepath.VolumeName(full)
	if strings.HasPrefix(volume, `\\`) && !strings.HasPrefix(volume, `\\?\`) && !strings.HasPrefix(volume, `\\.\`) {
		return true, nil
	}
	root, err := windows.UTF16PtrFromString(volume + `\`)
	if err != nil {
		return false, fmt.Errorf("look at the drive of %s: %w", dir, err)
	}
	return windows.GetDriveType(root) == windows.DRIVE_REMOTE, nil
}
