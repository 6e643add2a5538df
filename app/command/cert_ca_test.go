package command

import (
	"os/exec"
	"strings"
	"testing"
)

func TestCAIsOnboarded(t *testing.T) {
	t.Parallel()
	_, run := newPKI(t)
	for _, to := range []string{"dps", "hub"} {
		flags := []string{"--to", to, "--cloud", "practice", "--name", "line-7"}
		upload := append([]string{"cert", "ca", "upload", "Line 7 issuing"}, flags...)
		made := run(append(upload, "--json")...).exits(ExitOK).object()
		has(t, "ca upload", made, "name etag verified code")
		if made["verified"] != false || made["code"] == "" {
			t.Errorf("uploaded %v", made)
		}
		run("cert", "ca", "upload", "Plant Root", "--to", to, "--cloud", "practice", "--name", "line-7").exits(ExitUsage).says("Another CA certificate")
		run("cert", "ca", "verify", "Plant Root", "--to", to, "--cloud", "practice", "--name", "line-7").exits(ExitUsage).says("is not Plant Root")
		verify := append([]string{"cert", "ca", "verify", "Line 7 issuing"}, flags...)
		run(append(verify, "--code", "guessed")...).exits(ExitUsage).says("not the verification code")
		proven := run(append(verify, "--json")...).exits(ExitOK).object()
		if proven["verified"] != true || proven["etag"] == made["etag"] {
			t.Errorf("verified %v", proven)
		}
		run(upload...).exits(ExitOK).says("is verified") // nothing to do
	}
	run("practice", "ca", "list").exits(ExitOK).says("line-7", "verified", "CN=Line 7 issuing")
	run("cert", "list").exits(ExitOK).says("verification")
}

func TestOnboardingByHand(t *testing.T) {
	t.Parallel()
	d, run := newPKI(t)
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	const hub = "HostName=plant.example.test;SharedAccessKeyName=iothubowner;SharedAccessKey=c2VjcmV0LWtleS1ieXRlcyEh"
	d.runWith(hub, "clouds", "add", "plant", "--hub", "--passphrase-file", d.path("passphrase")).exits(ExitOK)
	flags := []string{"Line 7 issuing", "--to", "hub", "--cloud", "plant", "--name", "line-7"}
	run(append([]string{"cert", "ca", "upload"}, flags...)...).exits(ExitUsage).says("--out")
	run(append([]string{"cert", "ca", "verify"}, append(flags, "--out", d.path("x"))...)...).exits(ExitUsage).says("--code")
	made := run(append([]string{"cert", "ca", "upload"}, append(flags, "--out", d.path("ca.pem"), "--json")...)...).exits(ExitOK).object()
	if left, _ := made["left"].(string); made["verified"] != false || !strings.Contains(left, "generate a verification code") {
		t.Errorf("%v", made)
	}
	run(append([]string{"cert", "ca", "verify"}, append(flags, "--code", "ABC123", "--out", d.path("proof.pem"))...)...).exits(ExitOK).says("press Verify")
	out, err := exec.Command("openssl", "verify", "-partial_chain", "-purpose", "sslclient", "-CAfile", d.path("ca.pem"), d.path("proof.pem")).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := exec.Command("openssl", "x509", "-in", d.path("proof.pem"), "-noout", "-subject").Output(); err != nil || !strings.Contains(string(out), "ABC123") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestOnboardingIsRefused(t *testing.T) {
	t.Parallel()
	d, run := newPKI(t)
	for says, args := range map[string][]string{
		"--to hub|dps":          {"upload", "Line 7 issuing", "--cloud", "practice", "--name", "x"},
		"no service":            {"upload", "Line 7 issuing", "--to", "vault", "--cloud", "practice", "--name", "x"},
		"letters, digits":       {"upload", "Line 7 issuing", "--to", "dps", "--cloud", "practice", "--name", "a b"},
		"catalog has no CA":     {"upload", "Nobody", "--to", "dps", "--cloud", "practice", "--name", "x"},
		"upload or verify":      {"upload", "--to", "dps"},
		"--code goes with":      {"upload", "Line 7 issuing", "--to", "dps", "--cloud", "practice", "--name", "x", "--code", "1"},
		"--out is for clouds":   {"upload", "Line 7 issuing", "--to", "dps", "--cloud", "practice", "--name", "x", "--out", d.path("x")},
		"does not know":         {"verify", "Line 7 issuing", "--to", "dps", "--cloud", "practice", "--name", "none"},
		"catalog does not know": {"upload", "Line 7 issuing", "--to", "dps", "--cloud", "nowhere", "--name", "x", "--out", d.path("y")},
	} {
		run(append([]string{"cert", "ca"}, args...)...).exits(ExitUsage).says(says)
	}
}

// TestPlanWithAnUploadedCA goes from nothing to both proofs on a folder, by a
// CA that this run uploads, through DPS and by hand.
func TestPlanWithAnUploadedCA(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const certificate = "[x509]\nsource = \"issue\"\nanchor = \"uploaded\"\nuploaded = \"line-7-ca\"\nonboard = true\n"
	byHand := strings.Replace(manualPlan, "symmetric-key", "x509", 1)
	group := strings.Replace(byHand, `provisioning = "manual"`, `provisioning = "dps"`, 1) + "[cloud]\nenrollment = \"group\"\ngroup = \"line-7\"\n"
	for _, row := range [][3]string{{"hub", byHand, "1"}, {"dps", group, "3"}} {
		name, plan, run := row[0], row[1], row[2]
		target := d.folder(name)
		without := d.write("plan.toml", plan+strings.Replace(certificate, "onboard = true\n", "", 1))
		d.run("preview", "--plan", without, "--target", target).exits(ExitUsage).says("x509.uploaded", "knows no CA certificate line-7-ca")
		file := d.write("plan.toml", plan+certificate)
		d.run("preview", "--plan", file, "--target", target).exits(ExitOK).says("CA certificate line-7-ca of "+name, "uploaded and verified")
		d.run("provision", "--plan", file, "--target", target, "--yes").exits(ExitOK).says("rehearsed")
		d.run("practice", "ca", "list").exits(ExitOK).says("line-7-ca", "verified")
		d.run("provision", "--plan", without, "--target", target, "--yes").exits(ExitOK).says("nothing had to change")
		d.run("runs", "undo", run, "--yes").exits(ExitOK)
		if left := strings.TrimSpace(d.run("practice", "ca", "list", "--json").exits(ExitOK).out); left != "[]" {
			t.Errorf("%s: left in the cloud: %s", name, left)
		}
	}
}
