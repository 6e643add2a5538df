//go:build e2e

package e2e

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRotationOverSSH rotates what devices have that were provisioned over SSH,
// with edgeHub among their modules, and takes that back.
func TestRotationOverSSH(t *testing.T) {
	s := newStation(t)
	s.importRoot(t)
	d, target := sshDevice(t, s, "tech")
	if err := os.WriteFile(filepath.Join(d.root, "opt/standin-deployment"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ plan, what string }{
		{"individual", "identity"}, {"group", "identity"}, {"manual self-signed", "edge-ca"},
	} {
		t.Run(c.plan+" "+c.what, func(t *testing.T) {
			s.t = t
			before := d.picture(t)
			first, r := s.outcome(append([]string{"provision", "--plan", s.plan("rotated.toml", x509Plans("line-7-0042")[c.plan]), "--yes"}, target...)...)
			if r.code != 0 || first.Outcome != "succeeded" {
				t.Fatalf("code %d, %+v, %+v\n%s", r.code, first, first.Error, r.errOut)
			}
			placed, old := d.picture(t), d.named(t, c.what)
			rotated, r := s.outcome(append([]string{"devices", "rotate", "line-7-0042", "--what", c.what, "--new-key", "--yes"}, without(target, "--target")...)...)
			if r.code != 0 || rotated.Outcome != "succeeded" || !rotated.Proof.Device || !rotated.Proof.Cloud || rotated.Proof.How != "runtime" {
				t.Fatalf("code %d, %+v, %+v\n%s", r.code, rotated, rotated.Error, r.errOut)
			}
			fresh := d.named(t, c.what)
			if fresh.Equal(old) || string(fresh.RawSubjectPublicKeyInfo) == string(old.RawSubjectPublicKeyInfo) {
				t.Error("the device has the certificate or key of before")
			}
			edgeCA := d.named(t, "edge-ca")
			if shown := d.shownByEdgeHub(t); len(shown) < 2 || !shown[1].Equal(edgeCA) || shown[0].CheckSignatureFrom(edgeCA) != nil {
				t.Errorf("edgeHub shows %d certificates, and not below the Edge CA in use", len(shown))
			}
			undone, r := s.outcome(append([]string{"runs", "undo", rotated.Run, "--yes"}, without(target, "--target")...)...)
			if r.code != 0 || undone.Outcome != "undone" {
				t.Fatalf("undo: code %d, %+v, %+v\n%s", r.code, undone, undone.Error, r.errOut)
			}
			if !d.named(t, c.what).Equal(old) {
				t.Error("undone, the device has another certificate")
			}
			if shown := d.shownByEdgeHub(t); c.what == "edge-ca" && !shown[1].Equal(old) {
				t.Error("undone, edgeHub shows another Edge CA")
			}
			if diff := differences(placed, d.picture(t)); diff != "" {
				t.Errorf("undo left\n%s", diff)
			}
			undone, r = s.outcome(append([]string{"runs", "undo", first.Run, "--yes"}, without(target, "--target")...)...)
			if r.code != 0 || undone.Outcome != "undone" {
				t.Fatalf("undo of the provisioning: code %d, %+v, %+v\n%s", r.code, undone, undone.Error, r.errOut)
			}
			if diff := differences(before, d.picture(t)); diff != "" {
				t.Errorf("undo of the provisioning left\n%s", diff)
			}
		})
	}
}

// named is the first certificate of the file that config.toml names for an
// identity or an Edge CA.
func (d *device) named(t *testing.T, what string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.root, "etc/aziot/config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(map[string]string{"identity": `identity_cert = "file://([^"]+)"`, "edge-ca": `(?s)\[edge_ca\].*?cert = "file://([^"]+)"`}[what]).FindSubmatch(text)
	if found == nil {
		t.Fatalf("config.toml names no certificate of the %s", what)
	}
	file, err := os.ReadFile(filepath.Join(d.root, string(found[1])))
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, file)[0]
}

// shownByEdgeHub is the chain that openssl gets of the edgeHub on the device.
func (d *device) shownByEdgeHub(t *testing.T) []*x509.Certificate {
	t.Helper()
	client := exec.Command("ip", "netns", "exec", d.net, "openssl", "s_client", "-connect", "127.0.0.1:443", "-showcerts")
	client.Stdin = strings.NewReader("")
	out, err := client.Output()
	if err != nil {
		t.Fatalf("openssl s_client: %v", err)
	}
	return parsed(t, out)
}

func parsed(t *testing.T, text []byte) (chain []*x509.Certificate) {
	t.Helper()
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		t.Fatal("no certificate in it")
	}
	return chain
}
