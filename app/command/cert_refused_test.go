package command

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// listed gives what cert list --json has for a subject.
func listed(t *testing.T, run func(...string) result, subject string) (found []map[string]any) {
	t.Helper()
	var all []map[string]any
	run("cert", "list", "--json").exits(ExitOK).decode(&all)
	for _, c := range all {
		if c["subject"] == subject {
			found = append(found, c)
		}
	}
	return found
}

// A flag that a command does not know is wrong use, not passed over.
func TestFlagsOfOtherCertificateCommandsAreRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for flag, line := range map[string]string{
		"--days":     "cert renew x --days 30",
		"--key":      "cert renew x --key vault",
		"--ca":       "cert renew x --ca Other",
		"--new-key":  "cert new --profile server --name a --new-key",
		"--reason":   "cert new --profile server --name a --reason superseded",
		"--name":     "cert sign --csr f --profile p --ca c --out o --name other",
		"--with-key": "cert list --with-key",
		"--format":   "cert list --format csv",
		"--all":      "cert list --all",
		"--search":   "cert list --expiring --search x",
		"--out":      "cert show x --out f",
		"--yes":      "cert export x --format pem --out f --yes",
		"--profile":  "cert import f --profile p",
		"--range":    "cert batches --range a-{1..2}",
	} {
		said := d.run(strings.Fields(line)...).exits(ExitUsage)
		if flag == "--ca" {
			said.says("makes a new certificate")
		} else {
			said.says(flag)
		}
	}
}

// A request is signed only where the certificate can be written, and only a
// request: no file without end is read.
func TestNothingIsSignedInVain(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	d, run := newPKI(t)
	if out, err := exec.Command("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=partner-1",
		"-keyout", d.path("partner.key"), "-out", d.path("partner.csr")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sign := func(csr, out string) result {
		t.Helper()
		return run("cert", "sign", "--csr", csr, "--profile", "device identity", "--ca", "Line 7 issuing", "--out", out)
	}
	sign(d.path("partner.csr"), d.path("nowhere/x.pem")).exits(ExitUsage).says("cannot be made", "folder that is there")
	sign(d.path("partner.csr"), d.write("there.pem", "x")).exits(ExitUsage).says("existing files are not replaced")
	sign("/dev/zero", d.path("x.pem")).exits(ExitUsage).says("does not read", "more than")
	sign(d.path("partner.key"), d.path("x.pem")).exits(ExitUsage).says("PKCS #10")
	if made := listed(t, run, "partner-1"); len(made) > 0 {
		t.Errorf("signed for nobody: %v", made)
	}
	if left, _ := filepath.Glob(d.path("x.pem")); len(left) > 0 {
		t.Errorf("an empty file is left: %v", left)
	}
	sign(d.path("partner.csr"), d.path("x.pem")).exits(ExitOK)

	run("cert", "new", "--profile", "device identity", "--name", "asks", "--out", d.path("nowhere/x.csr")).exits(ExitUsage).says("cannot be made")
	run("cert", "new", "--profile", "device identity", "--name", "asks\n", "--out", d.path("asks.csr")).exits(ExitUsage).says("does not print")
	if waiting := run("cert", "requests").exits(ExitOK); strings.Contains(waiting.out, "asks") {
		t.Errorf("asked for nobody: %s", waiting.out)
	}
	if left, _ := filepath.Glob(d.path("asks.csr")); len(left) > 0 {
		t.Errorf("an empty file is left: %v", left)
	}
	run("cert", "profiles", "add", "/dev/zero").exits(ExitUsage).says("does not read", "more than")
	run("config", "lint", "/dev/zero").exits(ExitUsage).says("does not read", "more than")
}

// What a foreign certificate calls itself is shown and not obeyed.
func TestForeignNamesDoNotReachTheTerminal(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	d, run := newPKI(t)
	if out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-subj", "/CN=evil\x1b[2J\nline-9 is good\u202e",
		"-keyout", d.path("evil.key"), "-out", d.path("evil.pem")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run("cert", "import", d.path("evil.pem")).exits(ExitOK)
	for _, args := range [][]string{{"cert", "list"}, {"cert", "inspect", d.path("evil.pem")}, {"cert", "verify", d.path("evil.pem"), "--purpose", "ca"}, {"cert", "list", "--expiring", "--all"}} {
		said := run(args...)
		if text := said.out + said.err; strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "\nline-9 is good") || !strings.Contains(text, "evil") {
			t.Errorf("%v: %q", args, text)
		}
	}
}

func TestRevokedAndRenewedCertificatesStaySo(t *testing.T) {
	t.Parallel()
	d, run := newPKI(t)
	_ = d
	run("cert", "new", "--profile", "device identity", "--name", "d1", "--ca", "Line 7 issuing").exits(ExitOK)
	issuing, leaf := listed(t, run, "Line 7 issuing")[0], listed(t, run, "d1")[0]
	old, id := issuing["id"].(string), leaf["id"].(string)

	// What a renewed CA signed is renewed by its successor.
	newer := run("cert", "renew", old, "--new-key", "--json").exits(ExitOK).object()["id"].(string)
	run("cert", "renew", old).exits(ExitUsage).says("renewed already", newer)
	renewed := run("cert", "renew", id, "--json").exits(ExitOK).object()
	if renewed["issuer_id"] != newer {
		t.Errorf("signed by %v, not by %s", renewed["issuer_id"], newer)
	}
	run("cert", "renew", id).exits(ExitUsage).says("renewed already", renewed["id"].(string))

	// A key that was given up is not certified again, and a CA signs no more.
	last := renewed["id"].(string)
	run("cert", "revoke", last, "--reason", "keyCompromise", "--yes").exits(ExitOK)
	run("cert", "renew", last).exits(ExitUsage).says("is revoked", "new key")
	run("cert", "renew", last, "--new-key").exits(ExitOK)
	run("cert", "revoke", newer, "--yes").exits(ExitOK)
	for _, name := range []string{"Line 7 issuing", newer} {
		run("cert", "new", "--profile", "server", "--name", "a.example", "--ca", name).exits(ExitUsage)
	}
	run("cert", "new", "--profile", "server", "--name", "a.example", "--ca", newer).exits(ExitUsage).says("is revoked")
	run("cert", "mint", "--range", "m-{1..2}", "--ca", newer, "--recipient", "bench", "--out", d.path("bundles")).exits(ExitUsage).says("is revoked")
}

// One name for two CAs is no name.
func TestTwoCAsOfOneName(t *testing.T) {
	t.Parallel()
	_, run := newPKI(t)
	second := run("cert", "new", "--profile", "root CA", "--name", "plant root", "--json").exits(ExitOK).object()
	run("cert", "new", "--profile", "intermediate CA", "--name", "x", "--ca", "Plant Root").exits(ExitUsage).says("several CAs", "SHA-256")
	made := run("cert", "new", "--profile", "intermediate CA", "--name", "x", "--ca", second["sha256"].(string), "--json").exits(ExitOK).object()
	if made["issuer_id"] != second["id"] {
		t.Errorf("signed by %v", made["issuer_id"])
	}
}

// Certificates come in in pieces: the leaf before its CA, the key after both.
func TestImportInPieces(t *testing.T) {
	t.Parallel()
	d, run := newPKI(t)
	run("cert", "new", "--profile", "device identity", "--name", "d1", "--ca", "Line 7 issuing").exits(ExitOK)
	d.write("secret", "export passphrase")
	files := map[string]string{}
	for subject, file := range map[string]string{"Plant Root": "root.pem", "Line 7 issuing": "middle.pem", "d1": "leaf.pem"} {
		files[subject] = d.path(file)
		run("cert", "export", listed(t, run, subject)[0]["id"].(string), "--format", "pem", "--out", files[subject]).exits(ExitOK)
	}
	d.withDescriptor("secret", "cert", "export", listed(t, run, "d1")[0]["id"].(string), "--format", "pfx", "--key-passphrase-fd", "3", "--out", d.path("d1.pfx")).exits(ExitOK)
	d.withDescriptor("secret", "cert", "verify", d.path("d1.pfx"), "--purpose", "identity", "--key-passphrase-fd", "3").exits(ExitOK).says("d1 <- Line 7 issuing <- Plant Root")

	other := newDesk(t)
	other.write("passphrase", "correct horse battery staple\n")
	take := func(args ...string) result {
		return other.run(append(args, "--passphrase-file", other.path("passphrase"))...)
	}
	for _, subject := range []string{"d1", "Plant Root", "Line 7 issuing"} {
		take("cert", "import", files[subject]).exits(ExitOK).says("added")
	}
	above := map[any]any{}
	for _, subject := range []string{"d1", "Line 7 issuing", "Plant Root"} {
		c := listed(t, take, subject)[0]
		above[subject] = c["issuer_id"]
	}
	if above["d1"] != listed(t, take, "Line 7 issuing")[0]["id"] || above["Line 7 issuing"] != listed(t, take, "Plant Root")[0]["id"] || above["Plant Root"] != "" {
		t.Errorf("above are %v", above)
	}

	other.write("secret", "export passphrase")
	other.withDescriptor("secret", "cert", "import", d.path("d1.pfx"), "--key-passphrase-fd", "3").exits(ExitOK).says("d1, key: vault", "2 known already")
	if place := listed(t, take, "d1")[0]["key"].(map[string]any)["place"]; place != "vault" {
		t.Errorf("the key is in %v", place)
	}
	other.withDescriptor("secret", "cert", "export", listed(t, take, "d1")[0]["id"].(string), "--format", "pfx", "--key-passphrase-fd", "3", "--out", other.path("again.pfx")).exits(ExitOK)

	if out, err := exec.Command("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other.path("stray.key")).CombinedOutput(); err != nil {
		t.Skipf("needs openssl: %s", out)
	}
	take("cert", "import", other.path("stray.key")).exits(ExitFailed).says("belongs to none of the certificates")
}
