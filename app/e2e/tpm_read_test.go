//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readableTPM runs swtpm in a device's network, where its loopback reaches it at
// the address that is returned, and gives the endorsement key that tpm2-tools
// make there, as TPM2B_PUBLIC.
func (d *device) readableTPM(t *testing.T) (address string, key []byte) {
	t.Helper()
	for _, tool := range []string{"swtpm", "tpm2_createek"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
	dir := t.TempDir()
	swtpm := exec.Command("ip", "netns", "exec", d.net, "swtpm", "socket", "--tpm2", "--tpmstate", "dir="+dir,
		"--server", "type=tcp,port=2321", "--ctrl", "type=tcp,port=2322", "--flags", "not-need-init,startup-clear")
	swtpm.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := swtpm.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = swtpm.Process.Kill(); _ = swtpm.Wait() })
	public := filepath.Join(dir, "ek.pub")
	var err error
	for range 200 {
		make := exec.Command("ip", "netns", "exec", d.net, "tpm2_createek", "-c", filepath.Join(dir, "ek.ctx"), "-G", "rsa", "-u", public)
		make.Env = append(os.Environ(), "TPM2TOOLS_TCTI=swtpm:host=127.0.0.1,port=2321", "TSS2_LOG=all+none")
		if err = make.Run(); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Fatalf("the software TPM does not answer tpm2_createek: %v", err)
	}
	if key, err = os.ReadFile(public); err != nil {
		t.Fatal(err)
	}
	return "tcp:127.0.0.1:2321", key
}

// The program reads the TPM that another computer reaches, with nothing of ours
// there.
func TestReadingATPMOverSSH(t *testing.T) {
	for _, user := range []string{"root", "tech"} {
		t.Run(user, func(t *testing.T) {
			s := newStation(t)
			d, target := sshDevice(t, s, user)
			address, key := d.readableTPM(t)
			before := d.picture(t)
			r := s.run("", append([]string{"tpm", "show", "--json", "--tpm", address}, target...)...)
			var shown struct {
				TPM, Manufacturer, Family, SRK string
				EK                             struct{ Handle, Template, Public string }
				Lockout                        struct{ Active bool }
			}
			if err := json.Unmarshal([]byte(r.out), &shown); err != nil || r.code != 0 {
				t.Fatalf("code %d, %v\n%s%s", r.code, err, r.out, r.errOut)
			}
			if shown.TPM != address || shown.Manufacturer != "IBM" || shown.Family != "2.0" || shown.EK.Template != "tcg-l1" || shown.SRK == "" || shown.Lockout.Active {
				t.Errorf("it shows %+v", shown)
			}
			if shown.EK.Public != base64.StdEncoding.EncodeToString(key) {
				t.Error("tpm2-tools make another endorsement key")
			}
			pem := s.run("", append([]string{"tpm", "ek", "--format", "pem", "--tpm", address}, target...)...)
			if pem.code != 0 || !strings.HasPrefix(pem.out, "-----BEGIN PUBLIC KEY-----") {
				t.Errorf("code %d\n%s%s", pem.code, pem.out, pem.errOut)
			}
			for wrong, says := range map[string]string{"tcp:127.0.0.1:9": "No software TPM answers", "unix:/run/s": "tcp:host:port only"} {
				if r := s.run("", append([]string{"tpm", "show", "--tpm", wrong}, target...)...); r.code == 0 || !strings.Contains(r.errOut, says) {
					t.Errorf("%s: code %d, %s, want %q", wrong, r.code, r.errOut, says)
				}
			}
			if diff := differences(before, d.picture(t)); diff != "" {
				t.Errorf("reading changed\n%s", diff)
			}
		})
	}
}

func TestOnAPracticeDevice(t *testing.T) {
	wholeWay(t, newStation(t), nil, "played", "--target", "practice:press-2")
}

// A practice device whose software TPM is switched on goes from nothing to
// proven by it; no TPM process outlives its command.
func TestTPMOnAPracticeDevice(t *testing.T) {
	if _, err := exec.LookPath("swtpm"); err != nil {
		t.Skip("needs swtpm")
	}
	s := newStation(t)
	plan := "version = 1\n[device]\nid = \"line-7-0042\"\n[cell]\nplatform = \"linux\"\nprovisioning = \"dps\"\nauthentication = \"tpm\"\n[tpm]\nat = \"target\"\n"
	target := []string{"--target", "practice:press-2"}
	without := s.run("", append([]string{"preview", "--plan", s.plan("tpm.toml", plan)}, target...)...)
	if without.code != 2 || !strings.Contains(without.out+without.errOut, "practice tpm press-2 on") {
		t.Errorf("without its TPM: code %d\n%s%s", without.code, without.out, without.errOut)
	}
	if r := s.run("", "practice", "tpm", "press-2", "on"); r.code != 0 {
		t.Fatalf("code %d\n%s%s", r.code, r.out, r.errOut)
	}
	everyWay(t, s, nil, map[string]string{"tpm": plan}, "played", target...)
	s.t = t
	// The TPM is as it was, and so is the disk.
	for range 2 {
		if r := s.run("", append([]string{"tpm", "show"}, target...)...); r.code != 0 || !strings.Contains(r.out, "TCG template L-1") {
			t.Errorf("code %d\n%s%s", r.code, r.out, r.errOut)
		}
	}
	if out, err := exec.Command("pgrep", "swtpm").Output(); err == nil {
		t.Errorf("swtpm is left: %s", out)
	}
}
