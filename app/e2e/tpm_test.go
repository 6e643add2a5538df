//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
	"edgewright/provisioning/tpm/softtpm"
)

// tpmPlans are the TPM cell with each form of the registration ID.
func tpmPlans(id, section string) map[string]string {
	all := map[string]string{}
	for _, form := range []string{"device", "base32"} {
		all["tpm "+form] = "version = 1\n[device]\nid = \"" + id + "\"\n[device.tags]\nline = 7\n[cell]\nplatform = \"linux\"\nprovisioning = \"dps\"\nauthentication = \"tpm\"\n" +
			"[tpm]\nregistration_id = \"" + form + "\"\n" + section
	}
	return all
}

func TestTPMIntoAFolder(t *testing.T) {
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	chip, err := softtpm.Start(t.Context(), t.TempDir(), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chip.Close() })
	folder := t.TempDir()
	everyWay(t, newStation(t), nil, tpmPlans("line-7-0042", "at = \""+chip.Address+"\"\n"), "played", "--target", "rootfs://"+folder)
	if entries, err := os.ReadDir(filepath.Join(folder, "etc")); err == nil && len(entries) > 0 {
		t.Errorf("undo left %v", entries)
	}
	if kept := handles(t, chip.Address); len(kept) != 0 {
		t.Errorf("the TPM has %x", kept)
	}
}

// TestTPMOverSSH has the software TPM on the device, where only the device's own
// programs reach it: Edgewright through its command channel, and the runtime's
// TPM service. Both hierarchies have a password.
func TestTPMOverSSH(t *testing.T) {
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	s := newStation(t)
	d, target := sshDevice(t, s, "tech")
	d.startTPM(t)
	d.setPasswords(t, "endorsement-word", "owner-word-of-the-plant")
	passphrase := filepath.Join(s.home, "passphrase")
	if err := os.WriteFile(passphrase, []byte("a passphrase for the vault\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target = append(target, "--passphrase-file", passphrase)
	for name, word := range map[string]string{"ek-word": "endorsement-word", "owner-word": "owner-word-of-the-plant"} {
		if r := s.run(word, "secrets", "set", name, "--passphrase-file", passphrase); r.code != 0 {
			t.Fatalf("code %d\n%s%s", r.code, r.out, r.errOut)
		}
	}
	const at = "at = \"tcp:127.0.0.1:2321\"\ntcti = \"swtpm:host=127.0.0.1,port=2321\"\n"
	plan := tpmPlans("line-7-0042", at)["tpm device"]
	without, r := s.outcome(append([]string{"provision", "--plan", s.plan("without.toml", plan), "--yes"}, target...)...)
	if r.code == 0 || without.Changed || without.Error == nil || !strings.Contains(without.Error.Message, "hierarchy") || !strings.Contains(without.Error.Hint, "endorsement_auth") {
		t.Errorf("without the passwords: code %d, %+v", r.code, without.Error)
	}
	passwords := at + "endorsement_auth = \"vault:ek-word\"\nowner_auth = \"vault:owner-word\"\n"
	everyWay(t, s, d, tpmPlans("line-7-0042", passwords), "runtime", target...)

	s.t = t
	processes, hunt := watchProcesses(), &needles{}
	hunt.Add("password of the endorsement hierarchy", []byte("endorsement-word"))
	hunt.Add("password of the owner hierarchy", []byte("owner-word-of-the-plant"))
	file := s.plan("named.toml", tpmPlans("line-7-0042", passwords)["tpm device"])
	shown := s.run("", append([]string{"preview", "--plan", file}, target...)...)
	if shown.code != 0 || !strings.Contains(shown.out, `owner = "***"`) {
		t.Errorf("preview: code %d\n%s%s", shown.code, shown.out, shown.errOut)
	}
	first, r := s.outcome(append([]string{"provision", "--plan", file, "--yes"}, target...)...)
	if r.code != 0 {
		t.Fatalf("code %d, %+v", r.code, first.Error)
	}
	hunt.look(t, "provisioned", s, d, processes(), r.out+r.errOut+shown.out+shown.errOut)
	undone := s.run("", append([]string{"runs", "undo", first.Run, "--yes", "--json"}, target[2:]...)...)
	var o struct {
		Outcome string
		Notes   []string
	}
	lines := strings.Split(strings.TrimSpace(undone.out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &o); err != nil || o.Outcome != "undone" || !strings.Contains(fmt.Sprint(o.Notes), "0x81000100") {
		t.Errorf("undo: %+v %v", o, err)
	}
	if kept := d.handles(t); len(kept) != 1 || kept[0] != 0x81000100 {
		t.Errorf("the TPM has %x, want the key of the device's own service", kept)
	}
}

// TestTPMOnThisComputer has the software TPM at a port of this computer, for
// Edgewright and for the runtime's TPM service alike.
func TestTPMOnThisComputer(t *testing.T) {
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	d, s := newDevice(t), newStation(t)
	s.inside = d.root
	d.startTPM(t)
	plans := tpmPlans("line-7-0042", "at = \"tcp:127.0.0.1:2321\"\ntcti = \"swtpm:host=127.0.0.1,port=2321\"\n")
	delete(plans, "tpm base32") // is the same over SSH
	everyWay(t, s, d, plans, "runtime", "--target", "local:")
}

// inNetwork is a command in the device's network; a device without one of its
// own is this computer.
func (d *device) inNetwork(words ...string) *exec.Cmd {
	if d.net != "" {
		words = append([]string{"ip", "netns", "exec", d.net}, words...)
	}
	return exec.Command(words[0], words[1:]...)
}

// startTPM runs a software TPM in the device's network, at a port of loopback.
func (d *device) startTPM(t testing.TB) {
	t.Helper()
	cmd := d.inNetwork("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+t.TempDir(), "--server", "type=tcp,port=2321,bindaddr=127.0.0.1",
		"--ctrl", "type=tcp,port=2322,bindaddr=127.0.0.1", "--flags", "not-need-init,startup-clear")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 200 {
		if d.inNetwork("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/2321").Run() == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("swtpm does not answer")
}

// pipe is a software TPM over a program that carries its stream.
type pipe struct {
	net.Conn
	end func() error
}

func (p pipe) Send(command []byte) ([]byte, error) {
	if _, err := p.Write(command); err != nil {
		return nil, err
	}
	response := make([]byte, 4096)
	n, err := p.Read(response)
	return response[:max(n, 0)], err
}

// openTPM reaches the device's software TPM from here, past the program.
func (d *device) openTPM(t *testing.T) tpm.Transport {
	t.Helper()
	here, there := net.Pipe()
	cmd := d.inNetwork("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/2321; cat <&3 & cat >&3; kill $!")
	cmd.Stdin, cmd.Stdout = there, there
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return pipe{here, func() error { return nil }}
}

func (p pipe) Close() error { return p.Conn.Close() }

func (d *device) setPasswords(t *testing.T, endorsement, owner string) {
	t.Helper()
	chip := d.openTPM(t)
	defer func() { _ = chip.Close() }()
	for handle, word := range map[tpm2.TPMHandle]string{tpm2.TPMRHEndorsement: endorsement, tpm2.TPMRHOwner: owner} {
		if _, err := (tpm2.HierarchyChangeAuth{AuthHandle: tpm2.AuthHandle{Handle: handle, Auth: tpm2.PasswordAuth(nil)}, NewAuth: tpm2.TPM2BAuth{Buffer: []byte(word)}}).Execute(chip); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *device) handles(t *testing.T) []uint32 {
	t.Helper()
	chip := d.openTPM(t)
	defer func() { _ = chip.Close() }()
	return handlesOf(t, chip)
}

func handles(t *testing.T, address string) []uint32 {
	t.Helper()
	chip, err := tpm.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = chip.Close() }()
	return handlesOf(t, chip)
}

// handlesOf lists what a TPM holds: keys that it keeps and keys that are loaded,
// and sessions.
func handlesOf(t *testing.T, chip tpm.Transport) (found []uint32) {
	t.Helper()
	for _, first := range []uint32{0x80000000, 0x81000000, 0x02000000, 0x03000000} {
		answer, err := (tpm2.GetCapability{Capability: tpm2.TPMCapHandles, Property: first, PropertyCount: 64}).Execute(chip)
		if err != nil {
			t.Fatal(err)
		}
		list, err := answer.CapabilityData.Data.Handles()
		if err != nil {
			t.Fatal(err)
		}
		for _, handle := range list.Handle {
			found = append(found, uint32(handle))
		}
	}
	return found
}
