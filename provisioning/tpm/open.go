package tpm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// Local is the address of this computer's own TPM.
const Local = "local"

// CheckAddress tells what is wrong with an address that [Open] takes.
func CheckAddress(address string) error {
	kind, rest, _ := strings.Cut(address, ":")
	switch kind {
	case Local:
		if address == Local {
			return nil
		}
	case "unix":
		// sockaddr_un has 108 bytes, the last of them zero.
		if !strings.HasPrefix(rest, "/") || len(rest) > 107 || strings.ContainsRune(rest, 0) {
			return errors.New("unix: wants an absolute path of at most 107 bytes")
		}
		return nil
	case "tcp":
		host, port, err := net.SplitHostPort(rest)
		if err != nil || host == "" || port == "" {
			return errors.New("tcp: wants host:port")
		}
		return nil
	}
	return fmt.Errorf("%q is neither local, unix:/path nor tcp:host:port", address)
}

// Open opens the TPM of this computer ("local": /dev/tpmrm0, else /dev/tpm0;
// TBS on Windows), or a software TPM by its socket ("unix:/path" or
// "tcp:host:port"). Failures are of type *Error.
func Open(ctx context.Context, address string) (Transport, error) {
	if err := CheckAddress(address); err != nil {
		return nil, &Error{Code: CodeNoTPM, Problem: "The address of the TPM does not read: " + err.Error() + ".",
			Fix: "Write local, unix:/path or tcp:host:port.", Err: err}
	}
	if address == Local {
		return openLocal()
	}
	network, rest, _ := strings.Cut(address, ":")
	transport, err := dialStream(ctx, network, rest)
	if err != nil {
		return nil, &Error{Code: CodeNoTPM, Problem: "No software TPM answers at " + address + ".",
			Fix: "Start swtpm there, or correct the address.", Err: err}
	}
	return transport, nil
}
