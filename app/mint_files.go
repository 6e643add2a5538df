package app

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// writeBeside puts a file beside and moves it into its place, readable for its
// owner only. It may not have reached the disk: see syncFiles.
func writeBeside(folder, name string, data []byte) error {
	path := filepath.Join(folder, name)
	file, err := os.OpenFile(path+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// syncWriters is how many files are brought to the disk at once; file systems
// join their waits.
const syncWriters = 16

// syncFiles waits until files and their names are on the disk.
func syncFiles(folder string, names []string) error {
	group := errgroup.Group{}
	group.SetLimit(syncWriters)
	for _, name := range names {
		group.Go(func() error { return syncPath(filepath.Join(folder, name), os.O_RDWR) })
	}
	if err := group.Wait(); err != nil || runtime.GOOS == "windows" { // where folders have no sync
		return err
	}
	return syncPath(folder, os.O_RDONLY)
}

func syncPath(path string, flag int) error {
	file, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
