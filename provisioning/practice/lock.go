package practice

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const lockFile = "practice.lock"

// ErrServed is the kind of a ServedError.
var ErrServed = errors.New("practice cloud is served by another process")

// ServedError says that another process, or another Cloud of this one, serves
// the folder.
type ServedError struct {
	Dir string
	PID int // 0 where it could not be read
}

func (e *ServedError) Error() string {
	return fmt.Sprintf("practice cloud in %s is served by process %d", e.Dir, e.PID)
}

// Is makes errors.Is(err, ErrServed) true.
func (e *ServedError) Is(target error) bool { return target == ErrServed }

var errHeld = errors.New("lock is held")

// folderLock is the exclusive right to write a folder. The operating system
// drops it when the process ends in whatever way.
type folderLock struct{ file *os.File }

// lockFolder takes the lock. It tries for a moment, because Served takes it
// for an instant too.
func lockFolder(dir string) (*folderLock, error) {
	path := filepath.Join(dir, lockFile)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock practice folder: %w", err)
	}
	for try := 0; ; try++ {
		err = lockExclusive(file)
		if err == nil || !errors.Is(err, errHeld) || try == 10 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if errors.Is(err, errHeld) {
		pid := readPID(file)
		_ = file.Close()
		return nil, &ServedError{Dir: dir, PID: pid}
	}
	if err == nil {
		err = writePID(file)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock practice folder: %w", err)
	}
	return &folderLock{file: file}, nil
}

// release gives the lock back. The file stays: removing it would let two
// processes lock different files of the same name.
func (l *folderLock) release() error {
	_ = l.file.Truncate(0)
	return l.file.Close()
}

// Served tells whether a process serves the practice cloud in dir, and which.
func Served(dir string) (bool, int, error) {
	file, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, os.ErrNotExist) {
		return false, 0, nil
	}
	if err != nil {
		return false, 0, fmt.Errorf("look for a served practice cloud: %w", err)
	}
	defer func() { _ = file.Close() }()
	switch err := lockShared(file); {
	case errors.Is(err, errHeld):
		return true, readPID(file), nil
	case err != nil:
		return false, 0, fmt.Errorf("look for a served practice cloud: %w", err)
	}
	return false, 0, nil
}

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(file *os.File) int {
	var text [32]byte
	n, _ := file.ReadAt(text[:], 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return 0
	}
	return pid
}
