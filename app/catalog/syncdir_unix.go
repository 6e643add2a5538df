//go:build !windows

package catalog

import (
	"errors"
	"os"
)

// syncDir brings a rename in a folder to the disk.
func syncDir(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
