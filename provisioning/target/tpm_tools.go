package target

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ByTPMTools is the way through the machine's own tpm2-tools.
const ByTPMTools = "tpm2-tools"

// tools is a TPM behind tpm2_send, which takes one raw command after the other
// from its standard input and writes each response at once. While it runs, keys
// and sessions stay; its own rules choose among tpm2-abrmd and the nodes.
type tools struct {
	in  io.Writer
	out *bufio.Reader
	end func() error
}

// probe is TPM2_GetCapability of the family, which every TPM 2.0 answers and
// nothing remembers (Part 3, 30.2).
var probe = []byte{0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7a, 0, 0, 0, 6, 0, 0, 0x01, 0, 0, 0, 0, 1}

// newTools takes over a tpm2_send. One that answers nothing leaves the reason
// for which it was asked; one that ends after an answer is of an old version.
func newTools(in io.Writer, out *bufio.Reader, end func() error, reason TPMReason, where string) (TPM, error) {
	t := &tools{in: in, out: out, end: end}
	if _, err := t.Send(probe); err != nil {
		return nil, errors.Join(&TPMError{Reason: reason, Where: where, tools: true}, end())
	}
	if _, err := t.Send(probe); err != nil {
		return nil, errors.Join(&TPMError{Reason: TPMNoProgram, Where: "tpm2_send (of tpm2-tools 5 or later)"}, end())
	}
	return t, nil
}

func (t *tools) Send(command []byte) ([]byte, error) {
	if _, err := t.in.Write(command); err != nil {
		return nil, fmt.Errorf("tpm2_send: %w", err)
	}
	// Tag, size and code (Part 1, 18.5); the size counts itself.
	const head, most = 10, 1 << 16
	response := make([]byte, head)
	if _, err := io.ReadFull(t.out, response); err != nil {
		return nil, fmt.Errorf("tpm2_send: %w", err)
	}
	size := binary.BigEndian.Uint32(response[2:])
	if size < head || size > most {
		return nil, fmt.Errorf("tpm2_send: a response of %d bytes", size)
	}
	response = append(response, make([]byte, size-head)...)
	if _, err := io.ReadFull(t.out, response[head:]); err != nil {
		return nil, fmt.Errorf("tpm2_send: %w", err)
	}
	return response, nil
}

func (t *tools) Way() string { return ByTPMTools }

func (t *tools) Close() error { return t.end() }
