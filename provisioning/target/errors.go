package target

import (
	"errors"
	"fmt"
	"time"
)

// The kinds of failure that callers tell apart with errors.Is. A file that
// does not exist or may not be read is fs.ErrNotExist or fs.ErrPermission.
var (
	// ErrUnreachable: no connection to the machine.
	ErrUnreachable = errors.New("unreachable")
	// ErrAuth: the machine refused every credential.
	ErrAuth = errors.New("login refused")
	// ErrNoElevation: no way to act as root.
	ErrNoElevation = errors.New("no administrator rights")
	// ErrCannotRun: the target is a folder, in which nothing can run.
	ErrCannotRun = errors.New("commands cannot run on this target")
	// ErrPath: the path is outside the list of places that may be touched.
	ErrPath = errors.New("path is not allowed")
	// ErrUnknownResult: the connection was lost while a command ran.
	ErrUnknownResult = errors.New("connection lost, result unknown")
	// ErrUnsupported: this computer's system cannot do it.
	ErrUnsupported = errors.New("not supported on this system")
)

// HostKeyError is an SSH host key that nobody vouched for, or one that differs
// from the one known for the host.
type HostKeyError struct {
	Host        string
	Type        string // as on the wire: ssh-ed25519 and so on
	Fingerprint string // of the key the machine showed, "SHA256:…"
	Known       string // fingerprint on record when Changed, else empty
	Source      string // where the known key stands, file and line
	Changed     bool
}

func (e *HostKeyError) Error() string {
	if e.Changed {
		return fmt.Sprintf("ssh host key of %s changed: known is %s (%s), the machine shows %s (%s)",
			e.Host, e.Known, e.Source, e.Fingerprint, e.Type)
	}
	return fmt.Sprintf("ssh host key of %s is unknown: %s %s", e.Host, e.Type, e.Fingerprint)
}

// LockedError is a device on which another run holds the lock.
type LockedError struct {
	RunID  string
	Expiry time.Time // by this computer's clock
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("the device is locked by run %s until %s", e.RunID, e.Expiry.UTC().Format(time.RFC3339))
}

// MissingUserError is an owner that the device does not have, and the package
// that would bring it ("" if unknown).
type MissingUserError struct {
	User    string
	Package string
}

func (e *MissingUserError) Error() string {
	if e.Package == "" {
		return fmt.Sprintf("the device has no user or group %s", e.User)
	}
	return fmt.Sprintf("the device has no user or group %s: install the package %s first", e.User, e.Package)
}

// packageOf names the package that makes a user (iotedge packages, Debian and
// Enterprise Linux alike).
func packageOf(user string) string {
	switch user {
	case "aziotks", "aziotcs", "aziotid", "aziottpm", "aziot":
		return "aziot-identity-service"
	case "iotedge", "edgeagentuser", "edgehubuser":
		return "aziot-edge"
	}
	return ""
}
