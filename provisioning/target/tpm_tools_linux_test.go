package target

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
)

// forwardPair gives both sockets of a software TPM, for commands and for
// control, two ports in a row, as tpm2-tools expect; it returns the first.
func forwardPair(t *testing.T, socket string) int {
	t.Helper()
	for range 100 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := first.Addr().(*net.TCPAddr).Port
		second, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		if err != nil {
			_ = first.Close()
			continue
		}
		forward(t, first, socket)
		forward(t, second, socket+".ctrl")
		return port
	}
	t.Fatal("no two ports are free")
	return 0
}

// toolsFor is a tpm2_send for a device, the real one, which finds a software
// TPM in the place of a node.
func toolsFor(t *testing.T, socket string) string {
	t.Helper()
	if _, err := exec.LookPath("tpm2_send"); err != nil {
		t.Skip("needs tpm2_send: the package tpm2-tools")
	}
	return fmt.Sprintf("TPM2TOOLS_TCTI=swtpm:host=127.0.0.1,port=%d\nexport TPM2TOOLS_TCTI\n", forwardPair(t, socket))
}

// Where a node does not open, tpm2_send does as well, with keys and sessions
// that stay from one command to the next.
func TestRelayThroughTools(t *testing.T) {
	socket := softAddress(t)
	direct, err := tpm.Open(t.Context(), "unix:"+socket)
	if err != nil {
		t.Fatal(err)
	}
	want := keysOver(t, direct)
	setting := toolsFor(t, socket)
	for _, shell := range []string{"bash", "dash", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip("needs " + shell)
			}
			program := strings.NewReplacer("OPEN", setting+"closed busy /dev/tpm0", "TOOLS", "true").Replace(relayScript)
			args := map[string][]string{"busybox": {"sh"}}[shell]
			opened, err := startRelay(exec.CommandContext(t.Context(), shell, args...), program)
			if err != nil {
				t.Fatal(err)
			}
			if opened.Way() != ByTPMTools {
				t.Errorf("the way is %q", opened.Way())
			}
			if got := keysOver(t, opened); !bytes.Equal(got.EK.Public, want.EK.Public) || !bytes.Equal(got.SRK.Public, want.SRK.Public) {
				t.Error("the tools read other keys")
			}
		})
	}
}

func TestToolsThatDoNotGetThrough(t *testing.T) {
	family := []byte("\x80\x01\x00\x00\x00\x1b\x00\x00\x00\x00\x01\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00\x01\x00\x32\x2e\x30\x00")
	for _, c := range []struct {
		name   string
		answer []byte
		reason TPMReason
		tried  bool
	}{
		{"nothing", nil, TPMBusy, true},
		{"a cut answer", family[:20], TPMBusy, true},
		{"a size of its own", []byte("\x80\x01\x00\x00\x00\x01\x00\x00\x00\x00"), TPMBusy, true},
		{"one answer", family, TPMNoProgram, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ended := false
			_, err := newRelay(io.Discard, bufio.NewReader(io.MultiReader(strings.NewReader("open raw busy /dev/tpm0\n"), bytes.NewReader(c.answer))),
				func() error { ended = true; return nil })
			var refused *TPMError
			if !errors.As(err, &refused) || refused.Reason != c.reason || wantsRights(err) != c.tried || !ended {
				t.Errorf("%v, rights %v, ended %v", err, wantsRights(err), ended)
			}
		})
	}
}

// A device without dd, whose tpm2-tools reach its TPM: as the login user, or
// only as root.
func TestTPMOverSSHThroughTools(t *testing.T) {
	d := newDevice(t, "dash", false)
	socket := softAddress(t)
	direct, err := tpm.Open(t.Context(), "unix:"+socket)
	if err != nil {
		t.Fatal(err)
	}
	want := keysOver(t, direct)
	setting := toolsFor(t, socket)
	s := d.serve(t, `mount --bind /dev/null "$R/usr/bin/dd"`)
	options := s.options(t)
	options.SudoPassword = secret.FromString(devicePassword)
	opener := s.open(t, "admin", options).(TPMOpener)
	for name, guard := range map[string]string{"as the user": "", "as root": "[ \"$(id -u)\" = 0 ] || exit 1\n"} {
		t.Run(name, func(t *testing.T) {
			d.program(t, "tpm2_send", "#!/bin/sh\n"+guard+setting+"exec /usr/bin/tpm2_send \"$@\"\n")
			opened, err := opener.OpenTPM(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			if opened.Way() != ByTPMTools {
				t.Errorf("the way is %q", opened.Way())
			}
			if got := keysOver(t, opened); !bytes.Equal(got.EK.Public, want.EK.Public) {
				t.Error("another key")
			}
		})
	}
	d.program(t, "tpm2_send", "#!/bin/sh\nexit 1\n")
	_, err = opener.OpenTPM(t.Context(), "")
	var refused *TPMError
	if !errors.As(err, &refused) || refused.Reason != TPMNoProgram || refused.Where != "dd" {
		t.Errorf("neither way: %v", err)
	}
	// An address is that of one TPM; the tools would find another.
	d.program(t, "tpm2_send", "#!/bin/sh\n"+setting+"exec /usr/bin/tpm2_send \"$@\"\n")
	if opened, err := opener.OpenTPM(t.Context(), "tcp:127.0.0.1:1"); err == nil {
		t.Errorf("an address that nobody serves opens, by %q", opened.Way())
	}
}

// Whatever a machine answers to a relay, it opens and answers, or fails.
func FuzzRelayAnswers(f *testing.F) {
	family := "\x80\x01\x00\x00\x00\x1b\x00\x00\x00\x00\x01\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00\x01\x00\x32\x2e\x30\x00"
	for _, text := range []string{"open base64 /dev/tpmrm0\ngAEAAAAKAAAAAA==\n", "open octal /dev/tpm0\n80010000000a00000000\n", "closed busy /dev/tpm0\n", "open raw busy /dev/tpm0\n" + family + family + family} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		ended := false
		opened, err := newRelay(io.Discard, bufio.NewReader(bytes.NewReader(said)), func() error { ended = true; return nil })
		if err != nil {
			if !ended {
				t.Error("the shell is left running")
			}
			return
		}
		if answer, err := opened.Send(probe); err == nil && len(answer) > len(said) {
			t.Errorf("%d bytes of %d", len(answer), len(said))
		}
	})
}
