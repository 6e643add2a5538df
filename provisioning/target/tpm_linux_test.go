package target

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
	"edgewright/provisioning/tpm/softtpm"
)

// softAddress runs a software TPM and gives the path of its socket.
func softAddress(t *testing.T) string {
	t.Helper()
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	process, err := softtpm.Start(t.Context(), t.TempDir(), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Close() })
	return strings.TrimPrefix(process.Address, "unix:")
}

// keysOver reads the keys through a transport and closes it.
func keysOver(t *testing.T, transport tpm.Transport) tpm.Keys {
	t.Helper()
	chip := tpm.New(transport, tpm.Auth{})
	defer chip.Close()
	keys, err := chip.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chip.EKCertificate(t.Context(), keys.EK, tpm.Roots{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return keys
}

// The relay as it is, but for the opening: descriptor 3 is a socket to a
// software TPM. Each shell, in both forms, reads the same keys.
func TestRelayUnderEachShell(t *testing.T) {
	socket := softAddress(t)
	direct, err := tpm.Open(t.Context(), "unix:"+socket)
	if err != nil {
		t.Fatal(err)
	}
	want := keysOver(t, direct)
	for _, shell := range [][]string{{"bash"}, {"dash"}, {"busybox", "sh"}} {
		for _, form := range []string{"base64", "octal"} {
			t.Run(shell[0]+" "+form, func(t *testing.T) {
				if _, err := exec.LookPath(shell[0]); err != nil {
					t.Skip("needs " + shell[0])
				}
				program := strings.NewReplacer("OPEN", "W=descriptor", "TOOLS", "false").Replace(relayScript)
				if form == "octal" {
					program = strings.Replace(program, "if have base64", "if false", 1)
				}
				conn, err := net.Dial("unix", socket)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				file, err := conn.(*net.UnixConn).File()
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				cmd := exec.CommandContext(t.Context(), shell[0], shell[1:]...)
				cmd.ExtraFiles = []*os.File{file}
				opened, err := startRelay(cmd, program)
				if err != nil {
					t.Fatal(err)
				}
				if got := keysOver(t, opened); !bytes.Equal(got.EK.Public, want.EK.Public) || !bytes.Equal(got.SRK.Public, want.SRK.Public) {
					t.Error("the relay reads other keys")
				}
			})
		}
	}
}

// forwardTCP gives a software TPM an address of loopback.
func forwardTCP(t *testing.T, socket string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	forward(t, listener, socket)
	return listener.Addr().String()
}

// forward leads each connection to a socket until the test ends.
func forward(t *testing.T, listener net.Listener, socket string) {
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", socket)
			if err != nil {
				_ = from.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(to, from)
				_ = to.Close()
			}()
			go func() {
				_, _ = io.Copy(from, to)
				_ = from.Close()
			}()
		}
	}()
}

func TestTPMOverSSH(t *testing.T) {
	d := newDevice(t, "dash", false)
	s := d.serve(t, "")
	socket := softAddress(t)
	opener, ok := s.open(t, "admin", s.options(t)).(TPMOpener)
	if !ok {
		t.Fatal("SSH gives no way to a TPM")
	}
	direct, err := tpm.Open(t.Context(), "unix:"+socket)
	if err != nil {
		t.Fatal(err)
	}
	want := keysOver(t, direct)
	opened, err := opener.OpenTPM(t.Context(), "tcp:"+forwardTCP(t, socket))
	if err != nil {
		t.Fatal(err)
	}
	if got := keysOver(t, opened); !bytes.Equal(got.EK.Public, want.EK.Public) {
		t.Error("another key over SSH")
	}
	for address, reason := range map[string]TPMReason{"": TPMMissing, "tcp:127.0.0.1:1": TPMNoAnswer} {
		_, err := opener.OpenTPM(t.Context(), address)
		var refused *TPMError
		if !errors.As(err, &refused) || refused.Reason != reason {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, address := range []string{"unix:/s", "tcp:a b:1", "tcp:$(id):1", "tcp:x"} {
		if _, err := opener.OpenTPM(t.Context(), address); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}

// What a shell may answer in the first line, and what keeps its kind across the
// helper's border.
func TestRelayThatDoesNotOpen(t *testing.T) {
	for text, reason := range map[string]TPMReason{"closed permission /dev/tpmrm0\n": TPMPermission, "closed busy /dev/tpm0\n": TPMBusy} {
		_, err := newRelay(io.Discard, bufio.NewReader(strings.NewReader(text)), func() error { return nil })
		var refused *TPMError
		if !errors.As(toWireError(err).err(), &refused) || refused.Reason != reason {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "open\n", "open hex /dev/x\n", strings.Repeat("x", 10000)} {
		if _, err := newRelay(io.Discard, bufio.NewReader(strings.NewReader(text)), func() error { return nil }); err == nil {
			t.Errorf("%.10q is taken", text)
		}
	}
}
