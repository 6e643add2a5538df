package app

import (
	"fmt"
	"io"
	"os"

	"edgewright/provisioning"
)

// ReadFile reads a file, or what a pipe gives, of at most limit bytes; its errors
// name the file. Devices and pipes without end stop at the limit.
func ReadFile(name string, limit int) ([]byte, error) {
	data, err := readUpTo(name, limit)
	if err != nil {
		return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The file %s does not read.", name), Hint: "Name another file.", Err: err}
	}
	return data, nil
}

func readUpTo(name string, limit int) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("it has more than %d bytes", limit)
	}
	return data, err
}
