package target

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"edgewright/provisioning/secret"
)

// Target is a machine, looked at without rights. Its methods may be called
// from several goroutines at once.
type Target interface {
	Spec() Spec
	Kind() Kind
	// CanRun is false for a folder.
	CanRun() bool
	// Output runs a command as the login user, without a shell, with no
	// standard input and with LC_ALL=C. An exit code other than 0 is no error;
	// a command that does not exist is exit 127. Only standard output is
	// returned. On a folder it is ErrCannotRun.
	Output(ctx context.Context, name string, args ...string) (stdout []byte, exit int, err error)
	// ReadFile, ReadDir (names, sorted) and Stat follow links and act as the
	// login user: fs.ErrNotExist, fs.ErrPermission.
	ReadFile(ctx context.Context, path string) ([]byte, error)
	ReadDir(ctx context.Context, path string) ([]string, error)
	Stat(ctx context.Context, path string) (FileInfo, error)
	// Root elevates. It is the only method that asks for rights. On Windows it
	// is ErrUnsupported for this computer.
	Root(ctx context.Context) (Root, error)
	// MachineKey names the machine itself, for the catalog: "machine-id:…",
	// else "ssh-host-key:SHA256:…" or "fs-uuid:…"; for a folder without any of
	// them "folder:" and its path. Empty if it cannot be told.
	MachineKey(ctx context.Context) string
	Close() error
}

// Root is a session with the rights of root, one per run. Its verbs are a
// closed list; paths are held against an allow list, in the elevated helper
// once more. A Root may be called from several goroutines; calls wait for each
// other.
type Root interface {
	ReadFile(ctx context.Context, path string) ([]byte, error)
	Stat(ctx context.Context, path string) (FileInfo, error)
	// Lock marks the device as being worked on by a run until expiry (by this
	// computer's clock; the device's own clock decides there). Another run's
	// live lock is a *LockedError; the same run may take its lock again.
	Lock(ctx context.Context, runID string, expiry time.Time) error
	// Unlock drops the lock if that run holds it.
	Unlock(ctx context.Context, runID string) error
	// Same tells whether Place would change nothing.
	Same(ctx context.Context, set FileSet) (bool, error)
	// Place puts a set of files in place, atomically for each file and in a
	// fixed order with config.toml last, after keeping what was there. A call
	// that was killed is completed by another Place, or taken back by PutBack.
	Place(ctx context.Context, set FileSet) (Placed, error)
	// PutBack restores what the sets of that run replaced, byte for byte with
	// owner, mode and time, removes what was not there, and then the kept set.
	// Without a kept set it does nothing.
	PutBack(ctx context.Context, runID string) error
	// Forget drops the kept sets of all other runs.
	Forget(ctx context.Context, runID string) error
	// ReadAs, PublicKey and Sign run a command of a closed list on a file that a
	// Root may read or, for keys, write; on a folder they are ErrCannotRun. A
	// missing file is fs.ErrNotExist. ReadAs and PublicKey act as one of the
	// runtime's users, aziotcs or aziotks, or as root: fs.ErrPermission.
	ReadAs(ctx context.Context, user, path string) ([]byte, error)
	// PublicKey is the public part of a private key: SubjectPublicKeyInfo, DER.
	PublicKey(ctx context.Context, user, path string) ([]byte, error)
	// Sign lets a private key on the machine sign a digest: for EC the DER of
	// RFC 3279, 2.2.3, for RSA as many bytes as its modulus has.
	Sign(ctx context.Context, path string, s Signing) ([]byte, error)
	// MayUse tells whether aziottpm, the user of the runtime's TPM service, may
	// read and write a device node of a TPM: nil, fs.ErrNotExist for a missing
	// node, or fs.ErrPermission. The node is not opened.
	MayUse(ctx context.Context, user, node string) error
	// Act carries an action out. onLine, if not nil, gets each line of both
	// streams without its end, from one goroutine at a time. When the
	// connection is lost meanwhile the error is ErrUnknownResult.
	Act(ctx context.Context, a Action, onLine func(string)) (Output, error)
	Close() error
}

// Forwarder is a Target that brings an address of this computer to the
// machine: connections to remoteAddr there end at localAddr here. Closing ends
// the forward, not the connections that run through it.
type Forwarder interface {
	Forward(ctx context.Context, remoteAddr, localAddr string) (io.Closer, error)
}

// Dialer is a Target whose own servers can be reached: addr is an address on
// the machine itself, such as 127.0.0.1:8883.
type Dialer interface {
	Dial(ctx context.Context, addr string) (net.Conn, error)
}

// QuestionKind is the sort of secret that is asked for.
type QuestionKind string

// The kinds of questions.
const (
	AskPassword   QuestionKind = "password"
	AskPassphrase QuestionKind = "passphrase"
	AskSudo       QuestionKind = "sudo"
	AskOTP        QuestionKind = "otp"
)

// Question asks a person for a secret. Prompt may come from the machine:
// show it as text only.
type Question struct {
	Kind   QuestionKind
	Host   string // the machine, or "" for this computer
	Prompt string
	Again  bool // the last answer was wrong
}

// HostKey is a host key that nobody vouched for yet.
type HostKey struct {
	Host        string
	Type        string
	Fingerprint string // "SHA256:…"
}

// Options are what a target needs besides its Spec. The zero value works for
// local: as root and for folders.
type Options struct {
	// Dir holds our own known_hosts file. Empty: host keys are not remembered.
	Dir string
	// PracticeDir holds the folders of the practice devices, by their names.
	PracticeDir string
	// Identities are private key files that are tried first.
	Identities   []string
	SSHPassword  secret.Value // of the target, never given to a jump host
	SudoPassword secret.Value // on the target, or for sudo on this computer
	// Ask gets secrets from a person; nil where there is none.
	Ask func(context.Context, Question) (secret.Value, error)
	// HostKey is the only fingerprint that is accepted for an unknown host
	// key of the target, "SHA256:…".
	HostKey string
	// TrustHostKey decides about unknown host keys otherwise; nil refuses.
	TrustHostKey func(HostKey) bool
	// SSHConfig is the user's ssh_config, KnownHosts the user's known_hosts;
	// empty means ~/.ssh/config and what it says. Both are only read.
	SSHConfig  string
	KnownHosts []string
	// OldAlgorithms also offers what OpenSSH switched off (SHA-1 signatures,
	// CBC ciphers), for old devices.
	OldAlgorithms bool
	// HelperCommand starts the elevated helper; default: this program with
	// the argument "helper".
	HelperCommand []string
	// Version is this program's; a helper of another one is refused.
	Version string
	// Now is this computer's clock; nil means time.Now.
	Now func() time.Time
}

func (o Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// Open connects to the target. For this computer and folders it only checks
// that it is there.
func Open(ctx context.Context, spec Spec, options Options) (Target, error) {
	switch spec.Kind {
	case KindLocal:
		return &local{spec: spec, options: options}, nil
	case KindSSH:
		return DialSSH(ctx, spec, options)
	case KindRootfs:
		return openRootfs(spec, folderOf(spec.Path), options)
	case KindPractice:
		return openRootfs(spec, filepath.Join(options.PracticeDir, spec.Name), options)
	}
	return nil, fmt.Errorf("open target: kind %q is unknown", string(spec.Kind))
}
