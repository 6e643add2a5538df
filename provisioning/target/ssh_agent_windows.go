package target

import (
	"net"
	"time"

	"github.com/Microsoft/go-winio"
)

// dialAgent connects to the agent's pipe; "" is the one of OpenSSH for
// Windows.
func dialAgent(pipe string) (net.Conn, error) {
	if pipe == "" {
		pipe = `\\.\pipe\openssh-ssh-agent`
	}
	timeout := 2 * time.Second
	return winio.DialPipe(pipe, &timeout)
}
