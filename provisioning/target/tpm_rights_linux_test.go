package target

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
)

// ownDev gives a device a /dev of its own with a node that only root may open.
// There is no TPM behind it: what is written to it is lost, and it answers with
// zeros as long as it is asked for.
const ownDev = `mount -t tmpfs -o mode=755 none "$R/dev"
for n in null:1:3 zero:1:5 random:1:8 urandom:1:9 tty:5:0; do
  IFS=: read -r name major minor <<<"$n"; mknod -m 666 "$R/dev/$name" c "$major" "$minor"
done
ln -s /proc/self/fd "$R/dev/fd"
mkdir "$R/dev/pts" "$R/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 none "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"
mknod -m 600 "$R/dev/tpmrm0" c 1 5`

func needNodes(t *testing.T) {
	t.Helper()
	needRoot(t)
	if err := syscall.Mknod(filepath.Join(t.TempDir(), "zero"), syscall.S_IFCHR|0o600, 1<<8|5); err != nil {
		t.Skip("needs the right to make device nodes: " + err.Error())
	}
}

// answersZeros tells that a command went to the node of ownDev, and its answer
// came back whole.
func answersZeros(t *testing.T, opened TPM) {
	t.Helper()
	answer, err := opened.Send([]byte("\x80\x01\x00\x00\x00\x0a\x00\x00\x00\x00"))
	if err != nil || len(answer) != 4096 || len(bytes.Trim(answer, "\x00")) != 0 {
		t.Errorf("%d bytes, %v", len(answer), err)
	}
}

// A node that only root may open is opened through sudo, as far as the user has
// it.
func TestTPMOverSSHThroughSudo(t *testing.T) {
	needNodes(t)
	d := newDevice(t, "dash", false)
	d.mounts = ownDev
	s := d.serve(t, "")
	withWord := s.options(t)
	withWord.SudoPassword = secret.FromString(devicePassword)
	for _, c := range []struct {
		name, user string
		options    Options
		want       error
	}{
		{"root", "root", s.options(t), nil},
		{"sudo with a password", "admin", withWord, nil},
		{"sudo without a password", "ops", s.options(t), nil},
		{"no password given", "admin", s.options(t), ErrNoElevation},
		{"not allowed", "plain", withWord, ErrNoElevation},
	} {
		t.Run(c.name, func(t *testing.T) {
			opened, err := s.open(t, c.user, c.options).(TPMOpener).OpenTPM(t.Context(), "")
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if err != nil {
				return
			}
			answersZeros(t, opened)
			if err := opened.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// The same on this computer, through the elevated helper and its two verbs: the
// node, and with real responses of a software TPM the tools, which find it for
// root only.
func TestTPMThroughTheHelper(t *testing.T) {
	needNodes(t)
	socket := softAddress(t)
	direct, err := tpm.Open(t.Context(), "unix:"+socket)
	if err != nil {
		t.Fatal(err)
	}
	want := keysOver(t, direct)
	setting := toolsFor(t, socket)
	d := newDevice(t, "dash", false)
	d.mounts = ownDev
	for _, user := range []string{"admin", "ops"} {
		t.Run("node, "+user, func(t *testing.T) { d.inside(t, user, "TestInsideTPM") })
	}
	t.Run("refused", func(t *testing.T) { d.inside(t, "plain", "TestInsideTPM", "EDGEWRIGHT_TEST_TPM=refused") })
	d.mounts += "\nmount --bind /dev/null \"$R/usr/bin/dd\""
	d.program(t, "tpm2_send", "#!/bin/sh\n[ \"$(id -u)\" = 0 ] || exit 1\n"+setting+"exec /usr/bin/tpm2_send \"$@\"\n")
	for _, user := range []string{"root", "admin", "ops"} {
		t.Run("tools, "+user, func(t *testing.T) {
			d.inside(t, user, "TestInsideTPM", "EDGEWRIGHT_TEST_TPM="+base64.StdEncoding.EncodeToString(want.EK.Public))
		})
	}
}

// TestInsideTPM runs in a device, as a user.
func TestInsideTPM(t *testing.T) {
	if !isInside() {
		return
	}
	target, err := Open(t.Context(), Spec{Kind: KindLocal}, Options{SudoPassword: secret.FromString(devicePassword), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := target.(TPMOpener).OpenTPM(t.Context(), "")
	key := os.Getenv("EDGEWRIGHT_TEST_TPM")
	switch {
	case key == "refused":
		if !errors.Is(err, ErrNoElevation) {
			t.Fatalf("%v, want %v", err, ErrNoElevation)
		}
		return
	case err != nil:
		t.Fatal(err)
	case key == "":
		answersZeros(t, opened)
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	if opened.Way() != ByTPMTools {
		t.Errorf("the way is %q", opened.Way())
	}
	if got := keysOver(t, opened); base64.StdEncoding.EncodeToString(got.EK.Public) != key {
		t.Error("another key through the helper")
	}
}
