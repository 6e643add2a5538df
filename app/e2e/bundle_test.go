//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBundlesOverSSH mints devices under a CA of one's own, sealed for the host
// key that the device's sshd shows, and makes the device one of them over SSH.
func TestBundlesOverSSH(t *testing.T) {
	s := newStation(t)
	d, target := sshDevice(t, s, "tech")
	word := filepath.Join(s.home, "word")
	if err := os.WriteFile(word, []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := []string{"--passphrase-file", word}
	run := func(args ...string) result {
		t.Helper()
		r := s.run("", append(args, open...)...)
		if r.code != 0 {
			t.Fatalf("%q: code %d\n%s%s", args, r.code, r.out, r.errOut)
		}
		return r
	}
	run("cert", "new", "--profile", "root CA", "--name", "Plant root")
	run("cert", "new", "--profile", "intermediate CA", "--name", "Line 7 issuing", "--ca", "Plant root")
	bundles := filepath.Join(s.home, "bundles")
	run("cert", "mint", "--range", "line-7-{0041..0042}", "--edge-ca", "--ca", "Line 7 issuing", "--recipient", d.hostKey, "--out", bundles, "--enroll", "practice")

	before := d.picture(t)
	hostKey := filepath.Join(d.root, "etc/ssh/ssh_host_ed25519_key")
	args := append([]string{"provision", "--bundle", filepath.Join(bundles, "line-7-0042.edgewright"), "--bundle-identity", hostKey, "--yes"}, append(target, open...)...)
	first, r := s.outcome(args...)
	if r.code != 0 || first.Outcome != "succeeded" || !first.Proof.Device || !first.Proof.Cloud || first.Proof.How != "runtime" {
		t.Fatalf("code %d, %+v, %+v\n%s", r.code, first, first.Error, r.errOut)
	}
	if places := placesOfKeys(t, run("cert", "list", "--json")); places["line-7-0042"] != "device:line-7-0042" || places["line-7-0042.ca"] != "device:line-7-0042" || places["line-7-0041"] != "none" {
		t.Errorf("the keys are at %v", places)
	}
	if second, r := s.outcome(args...); r.code != 0 || second.Outcome != "succeeded" || second.Changed {
		t.Errorf("second run: code %d, %+v, %+v", r.code, second, second.Error)
	}
	undone, r := s.outcome(append([]string{"runs", "undo", first.Run, "--yes"}, append(without(target, "--target"), open...)...)...)
	if r.code != 0 || undone.Outcome != "undone" {
		t.Errorf("undo: code %d, %+v, %+v\n%s", r.code, undone, undone.Error, r.errOut)
	}
	if diff := differences(before, d.picture(t)); diff != "" {
		t.Errorf("undo left\n%s", diff)
	}
	if places := placesOfKeys(t, run("cert", "list", "--json")); places["line-7-0042"] != "none" || places["line-7-0042.ca"] != "none" {
		t.Errorf("undone, the keys are at %v", places)
	}
	// A stranger's bundle does not open with the device's key.
	other := filepath.Join(s.home, "other")
	if err := command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other); err != nil {
		t.Fatal(err)
	}
	args[4] = other
	if refused, r := s.outcome(args...); r.code != 2 || refused.Error == nil || !strings.Contains(refused.Error.Message, "another recipient") {
		t.Errorf("with another key: code %d, %+v %s", r.code, refused.Error, r.errOut)
	}
}

// placesOfKeys tells for each name of `cert list` where its key is.
func placesOfKeys(t *testing.T, r result) map[string]string {
	t.Helper()
	var list []struct {
		Subject string
		Key     struct{ Place string }
	}
	if err := json.Unmarshal([]byte(r.out), &list); err != nil {
		t.Fatalf("%v: %s", err, r.out)
	}
	places := map[string]string{}
	for _, cert := range list {
		places[strings.TrimPrefix(cert.Subject, "CN=")] = cert.Key.Place
	}
	return places
}
