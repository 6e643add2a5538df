//go:build unix

package target

import (
	"errors"
	"net"
	"os"
)

// dialAgent connects to the agent's socket; "" is SSH_AUTH_SOCK.
func dialAgent(socket string) (net.Conn, error) {
	if socket == "" {
		socket = os.Getenv("SSH_AUTH_SOCK")
	}
	if socket == "" {
		return nil, errors.New("no ssh agent")
	}
	return net.Dial("unix", socket)
}
