package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"edgewright/provisioning"
)

// NewFile is a file that only its owner reads, made empty before there is
// anything to write, so that nothing is done whose outcome could not be kept.
type NewFile struct{ file *os.File }

// CreateNew makes a file; an existing one stays.
func CreateNew(name string) (*NewFile, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return &NewFile{file}, nil
	}
	hint := "Name a file in a folder that is there and that you may write to."
	if errors.Is(err, fs.ErrExist) {
		hint = "Choose another name; existing files are not replaced."
	}
	return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The file " + name + " cannot be made.", Hint: hint, Err: err}
}

// Write fills the file and closes it. A file that cannot be filled goes again.
func (f *NewFile) Write(data []byte) error {
	_, err := f.file.Write(data)
	if err = errors.Join(err, f.file.Close()); err != nil {
		_ = os.Remove(f.file.Name())
		return translate(fmt.Errorf("write %s: %w", f.file.Name(), err))
	}
	return nil
}

// Drop takes the file away again where there is nothing to write into it.
func (f *NewFile) Drop() {
	_ = f.file.Close()
	_ = os.Remove(f.file.Name())
}

// WriteNew makes a file that only its owner reads; an existing one stays.
func WriteNew(name string, data []byte) error {
	file, err := CreateNew(name)
	if err != nil {
		return err
	}
	return file.Write(data)
}
