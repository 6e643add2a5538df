package tpm

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// answerTime is how long a TPM may take for one command. The slowest, making
// an RSA key, takes chips up to a minute; a second connection to a software TPM
// waits for ever.
const answerTime = 2 * time.Minute

// stream is the bare stream of commands and responses that swtpm's server
// speaks on a socket.
type stream struct{ conn net.Conn }

func dialStream(ctx context.Context, network, address string) (Transport, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return stream{conn}, nil
}

func (s stream) Send(command []byte) ([]byte, error) {
	if err := s.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	if _, err := s.conn.Write(command); err != nil {
		return nil, err
	}
	return readResponse(s.conn)
}

func (s stream) Close() error { return s.conn.Close() }

// readResponse reads one response: its length is in bytes 2 to 6.
func readResponse(r io.Reader) ([]byte, error) {
	response := make([]byte, headSize)
	if _, err := io.ReadFull(r, response); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(response[2:])
	if size < headSize || size > maxResponse {
		return nil, fmt.Errorf("a response of %d bytes", size)
	}
	response = append(response, make([]byte, size-headSize)...)
	_, err := io.ReadFull(r, response[headSize:])
	return response, err
}
