package app

import (
	"errors"
	"fmt"
	"os"

	"edgewright/provisioning"
)

// WriteNew makes a file that only its owner reads; an existing one stays.
func WriteNew(name string, data []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The file " + name + " cannot be made.", Hint: "Choose another name; existing files are not replaced.", Err: err}
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
