package target

import (
	"os"
	"path/filepath"
	"syscall"
)

// fileSystemUUID gives the UUID of the file system that is mounted at folder,
// or "" where the folder is no mount point or udev keeps no list.
func fileSystemUUID(folder string) string {
	here, err := os.Stat(folder)
	if err != nil {
		return ""
	}
	above, err := os.Stat(filepath.Join(folder, ".."))
	if err != nil {
		return ""
	}
	mounted, ok := here.Sys().(*syscall.Stat_t)
	outside, ok2 := above.Sys().(*syscall.Stat_t)
	if !ok || !ok2 || mounted.Dev == outside.Dev {
		return ""
	}
	const list = "/dev/disk/by-uuid"
	names, err := os.ReadDir(list)
	if err != nil {
		return ""
	}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(list, name.Name()))
		if err != nil {
			continue
		}
		if device, ok := info.Sys().(*syscall.Stat_t); ok && device.Rdev == mounted.Dev {
			return name.Name()
		}
	}
	return ""
}
