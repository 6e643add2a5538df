//go:build e2e

package e2e

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// x509Plans are the X.509 cells, each with an Edge CA and a trust bundle.
func x509Plans(id string) map[string]string {
	with := map[string]string{
		"manual self-signed": "provisioning = \"manual\"\nauthentication = \"x509\"\n",
		"individual":         "provisioning = \"dps\"\nauthentication = \"x509\"\n",
		"group":              "provisioning = \"dps\"\nauthentication = \"x509\"\n[cloud]\nenrollment = \"group\"\ngroup = \"line-7-x509\"\n[x509]\nalgorithm = \"rsa2048\"\n",
	}
	for name, cell := range with {
		with[name] = "version = 1\n[device]\nid = \"" + id + "\"\n[device.tags]\nline = 7\n[cell]\nplatform = \"linux\"\n" + cell +
			"[edge_ca]\nsource = \"issue\"\n[trust_bundle]\ncertificates = [\"Plant root\"]\n"
	}
	return with
}

// importRoot brings a root of somebody else into the catalog.
func (s *station) importRoot(t *testing.T) {
	t.Helper()
	certificate, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
		"-subj", "/CN=Plant root", "-days", "30", "-addext", "keyUsage=critical,keyCertSign").Output()
	if err != nil {
		t.Fatal(err)
	}
	file := s.plan("plant-root.pem", string(certificate))
	if r := s.run("", "cert", "import", file); r.code != 0 {
		t.Fatalf("import: code %d\n%s%s", r.code, r.out, r.errOut)
	}
}

// sshDevice is a device with its sshd, and the words that name it as a target.
func sshDevice(t *testing.T, s *station, user string) (*device, []string) {
	t.Helper()
	d := newDevice(t)
	identity := filepath.Join(s.home, "id")
	if err := command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", identity); err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(identity + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	hostKey := d.connect(t, string(public))
	return d, []string{"--target", "ssh://" + user + "@" + d.addr, "--identity", identity, "--host-key", hostKey}
}

func TestCertificatesIntoAFolder(t *testing.T) {
	s := newStation(t)
	s.importRoot(t)
	everyWay(t, s, nil, x509Plans("line-7-0042"), "played", "--target", "rootfs://"+t.TempDir())
}

func TestCertificatesOnThisComputer(t *testing.T) {
	d, s := newDevice(t), newStation(t)
	s.inside = d.root
	s.importRoot(t)
	everyWay(t, s, d, x509Plans("line-7-0042"), "runtime", "--target", "local:")
}

// TestCertificatesOverSSH goes the whole way, and then spoils what lies on the
// device: the checks stop before apply with the file's name, the file stays, and
// the runtime itself, asked past them, destroys or refuses.
func TestCertificatesOverSSH(t *testing.T) {
	s := newStation(t)
	s.importRoot(t)
	d, target := sshDevice(t, s, "tech")
	ways := x509Plans("line-7-0042")
	// A CA that the run uploads and proves to be its own.
	ways["group uploaded"] = strings.Replace(ways["group"], "[x509]\n", "[x509]\nanchor = \"uploaded\"\nuploaded = \"line-7-ca\"\nonboard = true\n", 1)
	everyWay(t, s, d, ways, "runtime", target...)

	s.t = t
	args := append([]string{"provision", "--plan", s.plan("spoiled.toml", x509Plans("line-7-0042")["manual self-signed"]), "--yes"}, target...)
	if first, r := s.outcome(args...); r.code != 0 {
		t.Fatalf("code %d, %+v\n%s", r.code, first.Error, r.errOut)
	}
	const certificate, key = "/var/aziot/certs/line-7-0042.cert.pem", "/var/aziot/secrets/line-7-0042.key.pem"
	inside := func(args ...string) error { return command("chroot", append([]string{d.root}, args...)...) }
	for _, c := range []struct {
		name, says string
		spoil      []string
		mend       []string
	}{
		{"folder of keys", "aziotks cannot read it", []string{"chown", "root:root", "/var/aziot/secrets"}, []string{"chown", "aziotks:aziotks", "/var/aziot/secrets"}},
		{"folder of certificates", "aziotcs cannot read it", []string{"chmod", "0700", "/var/aziot"}, []string{"chmod", "0755", "/var/aziot"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			if err := inside(c.spoil...); err != nil {
				t.Fatal(err)
			}
			// A configuration that is newer than what was applied is applied again.
			if err := inside("touch", "-d", "1 minute", "/etc/aziot/config.toml"); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(filepath.Join(d.root, key))
			if err != nil {
				t.Fatal(err)
			}
			stopped, r := s.outcome(args...)
			if r.code != 1 || stopped.Error == nil || !strings.Contains(stopped.Error.Message, c.says) || stopped.Error.Hint == "" {
				t.Errorf("code %d, %+v, want %q", r.code, stopped.Error, c.says)
			}
			if after, err := os.ReadFile(filepath.Join(d.root, key)); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the key was touched: %v", err)
			}
			if err := inside(c.mend...); err != nil {
				t.Fatal(err)
			}
		})
	}
	s.t = t
	if mended, r := s.outcome(args...); r.code != 0 {
		t.Fatalf("mended: code %d, %+v\n%s", r.code, mended.Error, r.errOut)
	}
	refuses(t, d, inside, certificate, key)
}

// refuses shows that the stand-in fails where the runtime would: each thing is
// spoiled behind the program's back and applied.
func refuses(t *testing.T, d *device, inside func(...string) error, certificate, key string) {
	save := func(path string) []byte {
		text, err := os.ReadFile(filepath.Join(d.root, path))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	keyText, edgeCA := save(key), "/var/aziot/certs/line-7-0042-edge-ca.cert.pem"
	chain := save(edgeCA)
	leaf, rest := pem.Decode(chain)
	for name, spoil := range map[string][]string{
		"owner of the key":         {"chown", "root:root", key},
		"owner of the certificate": {"chown", "root:root", certificate},
		"mode of the key":          {"chmod", "0644", key},
		"mode of the certificate":  {"chmod", "0600", certificate},
		"pair":                     {"cp", "/var/aziot/secrets/line-7-0042-edge-ca.key.pem", key},
		"order":                    {"cp", "/tmp/turned.pem", edgeCA},
	} {
		if err := os.WriteFile(filepath.Join(d.root, "tmp/turned.pem"), append(rest, pem.EncodeToMemory(leaf)...), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := inside(spoil...); err != nil {
			t.Fatal(err)
		}
		_ = inside("iotedge", "config", "apply")
		out, err := exec.Command("chroot", d.root, "iotedge", "system", "status").Output()
		if err != nil || !strings.Contains(string(out), "Down") {
			t.Errorf("%s: the stand-in runs all the same: %s %v", name, out, err)
		}
		for path, text := range map[string][]byte{key: keyText, edgeCA: chain} {
			if err := os.WriteFile(filepath.Join(d.root, path), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, mend := range [][]string{{"chown", "aziotks:aziotks", key}, {"chmod", "0600", key}, {"chown", "aziotcs:aziotcs", certificate, edgeCA}, {"chmod", "0644", certificate, edgeCA}} {
			if err := inside(mend...); err != nil {
				t.Fatal(err)
			}
		}
	}
}
