package catalog

import (
	"errors"
	"fmt"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// What callers tell apart with errors.Is.
var (
	ErrNotFound  = errors.New("not in the catalog")
	ErrAmbiguous = errors.New("more than one fits")
	ErrExists    = errors.New("exists already")
	ErrInUse     = errors.New("in use")
	ErrLocked    = errors.New("locked by another run")
	ErrNewer     = errors.New("the catalog is from a newer version")
	ErrForeign   = errors.New("the file is not a catalog")
	ErrDamaged   = errors.New("the catalog is damaged")
	ErrNetwork   = errors.New("the folder is on a network drive")
	ErrBusy      = errors.New("another process has the catalog open")
	ErrInvalid   = errors.New("cannot be stored")
	ErrFull      = errors.New("there is no room left for the catalog")
)

// known puts our own error in front of SQLite's.
func known(err error) error {
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return err
	}
	switch lite.Code {
	case sqlite3.ErrNotADB:
		return fmt.Errorf("%w: %w", ErrForeign, err)
	case sqlite3.ErrCorrupt:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.ErrBusy:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case sqlite3.ErrFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
