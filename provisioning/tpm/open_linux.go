package tpm

import (
	"os"
)

// nodes are the device nodes in the order of choice: the kernel's resource
// manager, then the chip itself, which one program at a time may open.
var nodes = []string{"/dev/tpmrm0", "/dev/tpm0"}

func openLocal() (Transport, error) { return openNodes(nodes) }

// openNodes opens the first node that exists.
func openNodes(nodes []string) (Transport, error) {
	var err error
	for _, path := range nodes {
		var info os.FileInfo
		if info, err = os.Stat(path); err != nil {
			continue
		}
		if info.Mode()&os.ModeCharDevice == 0 {
			err = &os.PathError{Op: "open", Path: path, Err: os.ErrInvalid}
			continue
		}
		var file *os.File
		if file, err = os.OpenFile(path, os.O_RDWR, 0); err == nil {
			return node{file}, nil
		}
		return nil, NodeError(path, err)
	}
	return nil, NodeError(nodes[0], err)
}

// node is a device node: one write is a command, one read its response.
type node struct{ file *os.File }

func (n node) Send(command []byte) ([]byte, error) {
	if _, err := n.file.Write(command); err != nil {
		return nil, err
	}
	response := make([]byte, 4096) // older kernels drop what a shorter read leaves
	size, err := n.file.Read(response)
	return response[:max(size, 0)], err
}

func (n node) Close() error { return n.file.Close() }
