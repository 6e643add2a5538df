package target

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"sync"
)

// TPM carries commands to the TPM of a machine: one whole command a call, one
// whole response back. It is used by one goroutine at a time; Close ends a
// command under way.
type TPM interface {
	Send(command []byte) (response []byte, err error)
	// Way is [ByTPMTools] where that is what leads to the TPM, else empty.
	Way() string
	io.Closer
}

// TPMOpener is a Target whose TPM can be reached through the machine itself,
// with nothing installed there. An empty address is the TPM's device node;
// "tcp:host:port" is a software TPM that the machine reaches at that address.
// It is opened as the login user if that may, else with the rights of root.
// Where a shell cannot hold the node open, or another program holds it, the
// machine's tpm2-tools do, if it has them. A failure is a *TPMError, or one of
// the errors of Root.
type TPMOpener interface {
	OpenTPM(ctx context.Context, address string) (TPM, error)
}

// TPMReason says why a TPM could not be opened.
type TPMReason string

// The reasons.
const (
	TPMMissing    TPMReason = "missing"    // no device node
	TPMPermission TPMReason = "permission" // the user may not open it
	TPMBusy       TPMReason = "busy"       // the node is there and does not open
	TPMNoProgram  TPMReason = "no-program" // a program that the relay needs is missing there
	TPMNoAnswer   TPMReason = "no-answer"  // nothing answers at the address
)

// TPMError is a TPM that could not be opened.
type TPMError struct {
	Reason TPMReason
	Where  string // the node, the address or the program
	tools  bool   // tpm2-tools did not get through either
}

func (e *TPMError) Error() string { return fmt.Sprintf("open the TPM %s: %s", e.Where, e.Reason) }

// relayScript is the far side of a relay: one shell holds the TPM open as
// descriptor 3, as every opening of /dev/tpmrm0 has keys and sessions of its
// own. It is constant text for POSIX sh with coreutils or busybox. It says
// "open FORM WHERE" or "closed REASON WHERE", and then answers each line, a
// command in that form, with a line. OPEN is replaced by one of the lines below.
//
// Where the node does not open, or a program is missing, tpm2_send of tpm2-tools
// takes the shell's place, after "open raw REASON WHERE"; it may go through
// tpm2-abrmd, which holds the node. TOOLS is true or false.
//
// A node takes one command for each write and gives one response for each
// read: base64 -d writes once, printf of bash does not, hence dd, which gathers
// a whole block. An opening makes a missing node a plain file, hence -c first.
const relayScript = `
umask 077
LC_ALL=C; export LC_ALL
PATH=` + systemPath + `; export PATH
have() { command -v "$1" >/dev/null 2>&1; }
closed() {
  case $1 in busy | no-program)
    if TOOLS && have tpm2_send; then echo "open raw $1 $2"; exec tpm2_send; fi ;;
  esac
  echo "closed $1 $2"; exit 0
}
have dd && have tr || closed no-program dd
if have base64; then F=base64; elif have od; then F=octal; else closed no-program base64; fi
OPEN
echo "open $F $W"
if [ $F = base64 ]; then
  while IFS= read -r l; do
    printf %s "$l" | base64 -d >&3 || exit 9
    dd bs=4096 count=1 <&3 2>/dev/null | base64 | tr -d '\n'; echo
  done
else
  while IFS= read -r l; do
    printf "$l" | dd ibs=512 obs=4096 2>/dev/null >&3 || exit 9
    dd bs=4096 count=1 <&3 2>/dev/null | od -An -v -tx1 | tr -d ' \n'; echo
  done
fi
exit 0
`

// The ways to descriptor 3: the first node that exists, or an address, for which
// bash has the paths below /dev/tcp.
const (
	openNode = `
W=; for n in /dev/tpmrm0 /dev/tpm0; do if [ -c "$n" ]; then W=$n; break; fi; done
[ -n "$W" ] || closed missing /dev/tpmrm0
[ -r "$W" ] && [ -w "$W" ] || closed permission "$W"
(exec 3<>"$W") 2>/dev/null || closed busy "$W"
exec 3<>"$W"`
	openAddress = `
W=$1:$2
(exec 3<>"/dev/tcp/$1/$2") 2>/dev/null || closed no-answer "$W"
exec 3<>"/dev/tcp/$1/$2"`
)

// relayProgram is the script for an address, and the shell that it needs.
func relayProgram(address string) (shell, program string, err error) {
	if address == "" {
		return "sh", strings.NewReplacer("OPEN", openNode, "TOOLS", "true").Replace(relayScript), nil
	}
	host, port, err := net.SplitHostPort(strings.TrimPrefix(address, "tcp:"))
	if err != nil || !strings.HasPrefix(address, "tcp:") || strings.ContainsFunc(host+port, notInAddress) {
		return "", "", fmt.Errorf("address of a software TPM %q: a machine reaches tcp:host:port only", address)
	}
	return "bash", withArgs(strings.NewReplacer("OPEN", openAddress, "TOOLS", "false").Replace(relayScript), host, port), nil
}

func notInAddress(r rune) bool {
	ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == ':'
	return !ok
}

// relay is a TPM behind a shell that runs relayScript.
type relay struct {
	in     io.Writer
	out    *bufio.Reader
	octal  bool
	end    func() error
	closed sync.Once
}

// newRelay takes over a shell that has its program, and waits for its first
// line. On failure the shell is ended.
func newRelay(in io.Writer, out *bufio.Reader, end func() error) (TPM, error) {
	line, err := readRelayLine(out)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the TPM: %w: %w", ErrUnreachable, err), end())
	}
	fields := strings.Fields(line)
	switch {
	case len(fields) == 3 && fields[0] == "open" && (fields[1] == "base64" || fields[1] == "octal"):
		return &relay{in: in, out: out, octal: fields[1] == "octal", end: end}, nil
	case len(fields) == 4 && fields[0] == "open" && fields[1] == "raw":
		return newTools(in, out, end, TPMReason(fields[2]), fields[3])
	case len(fields) == 3 && fields[0] == "closed":
		return nil, errors.Join(&TPMError{Reason: TPMReason(fields[1]), Where: fields[2]}, end())
	}
	return nil, errors.Join(errors.New("open the TPM: the shell answers in an unknown form"), end())
}

// maxRelayLine bounds a line from the machine: 4096 bytes in hexadecimal.
const maxRelayLine = 2*4096 + 2

func readRelayLine(out *bufio.Reader) (string, error) {
	var line []byte
	for {
		b, err := out.ReadByte()
		switch {
		case err != nil:
			return "", err
		case b == '\n':
			return string(line), nil
		case len(line) == maxRelayLine:
			return "", errors.New("a line is too long")
		}
		line = append(line, b)
	}
}

func (r *relay) Send(command []byte) ([]byte, error) {
	line := base64.StdEncoding.EncodeToString(command)
	if r.octal {
		var b strings.Builder
		for _, c := range command {
			fmt.Fprintf(&b, `\%03o`, c)
		}
		line = b.String()
	}
	if _, err := io.WriteString(r.in, line+"\n"); err != nil {
		return nil, fmt.Errorf("the relay to the TPM: %w", err)
	}
	answer, err := readRelayLine(r.out)
	if err != nil {
		return nil, fmt.Errorf("the relay to the TPM: %w", err)
	}
	if r.octal {
		return hex.DecodeString(answer)
	}
	return base64.StdEncoding.DecodeString(answer)
}

func (r *relay) Way() string { return "" }

func (r *relay) Close() error {
	var err error
	r.closed.Do(func() { err = r.end() })
	return err
}

// startRelay runs the relay on this computer. A test gives another shell, and
// in its place of an opening one of its own.
func startRelay(cmd *exec.Cmd, program string) (TPM, error) {
	goOn := randomMark("EW-GO-")
	cmd.Args = append(cmd.Args, "-c", bootText("ready", goOn))
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("open the TPM: %w", err)
	}
	end := func() error {
		_ = in.Close()
		_ = cmd.Cancel()
		_ = cmd.Wait() // killed as a rule
		return nil
	}
	reader := bufio.NewReader(out)
	_, err = io.WriteString(in, program+"\n"+goOn+"\n")
	if err == nil {
		_, err = readRelayLine(reader) // that it is ready
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the TPM: %w", err), end())
	}
	return newRelay(in, reader, end)
}

// wantsRights tells that root may get further than the user who tried.
func wantsRights(err error) bool {
	var refused *TPMError
	return errors.As(err, &refused) && (refused.Reason == TPMPermission || refused.tools)
}

// OpenTPM opens this computer's TPM as this user, else in the helper with the
// rights of root.
func (l *local) OpenTPM(ctx context.Context, address string) (TPM, error) {
	if address != "" {
		return nil, fmt.Errorf("address of a software TPM %q: on this computer it is opened directly", address)
	}
	if runtime.GOOS == "windows" {
		return nil, fmt.Errorf("open the TPM: %w", ErrUnsupported)
	}
	shell, program, err := relayProgram("")
	if err != nil {
		return nil, err
	}
	opened, err := startRelay(exec.CommandContext(context.WithoutCancel(ctx), shell), program)
	if !wantsRights(err) || isRoot() {
		return opened, err
	}
	root, err := startHelper(ctx, l.options, "")
	if err != nil {
		return nil, err
	}
	h, ok := root.(*helperRoot)
	if !ok {
		return nil, fmt.Errorf("open the TPM: %w", ErrUnsupported)
	}
	reply, err := h.ask(ctx, helperRequest{Verb: verbTPMOpen}, nil)
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return helperTPM{h, string(reply.Data)}, nil
}

// helperTPM is the TPM that a helper holds open.
type helperTPM struct {
	helper *helperRoot
	way    string
}

func (t helperTPM) Send(command []byte) ([]byte, error) {
	reply, err := t.helper.ask(context.Background(), helperRequest{Verb: verbTPMSend, Data: command}, nil)
	return reply.Data, err
}

func (t helperTPM) Way() string { return t.way }

func (t helperTPM) Close() error { return t.helper.Close() }

// openTPM is the helper's side.
func (s *helperServer) openTPM() (err error) {
	if s.tpm != nil {
		return errors.New("helper: the TPM is open already")
	}
	shell, program, err := relayProgram("")
	if err != nil {
		return err
	}
	s.tpm, err = startRelay(exec.CommandContext(context.Background(), shell), program)
	return err
}
