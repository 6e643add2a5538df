package command

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const certKeys = "id profile role subject issuer_id serial not_before not_after sha1 sha256 key state findings"

// pki is a desk with a vault under a passphrase and a root with an intermediate.
func newPKI(t *testing.T) (d *desk, run func(args ...string) result) {
	t.Helper()
	d = newDesk(t)
	file := d.write("passphrase", "correct horse battery staple\n")
	run = func(args ...string) result {
		t.Helper()
		return d.run(append(args, "--passphrase-file", file)...)
	}
	run("cert", "new", "--profile", "root CA", "--name", "Plant Root").exits(ExitOK)
	run("cert", "new", "--profile", "intermediate ca", "--name", "Line 7 issuing", "--ca", "Plant Root").exits(ExitOK)
	return d, run
}

// withDescriptor gives a file to a command as its descriptor 3.
func (d *desk) withDescriptor(name string, args ...string) result {
	d.t.Helper()
	file, err := os.Open(d.path(name))
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	cmd := d.command(append(args, "--data", d.path("data"), "--passphrase-file", d.path("passphrase"))...)
	cmd.ExtraFiles = []*os.File{file}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		d.t.Fatal(err)
	}
	return result{t: d.t, line: strings.Join(args, " "), code: cmd.ProcessState.ExitCode(), out: string(out)}
}

func TestCertificatesGoRound(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	d, run := newPKI(t)
	made := run("cert", "new", "--profile", "device identity", "--name", "line-7-0042", "--ca", "Line 7 issuing", "--days", "90", "--json").exits(ExitOK).object()
	has(t, "CERT", made, certKeys)
	if made["state"] != "good" || made["key"].(map[string]any)["place"] != "vault" {
		t.Errorf("made %v", made)
	}
	id, _ := made["id"].(string)
	d.write("secret", "export passphrase")

	run("cert", "export", id, "--format", "chain", "--out", d.path("chain.pem")).exits(ExitOK)
	run("cert", "export", "Plant", "--format", "pem", "--out", d.path("root.pem")).exits(ExitUsage)
	var list []map[string]any
	run("cert", "list", "--search", "Plant Root", "--json").exits(ExitOK).decode(&list)
	run("cert", "export", list[0]["id"].(string), "--format", "pem", "--out", d.path("root.pem")).exits(ExitOK)
	run("cert", "verify", d.path("chain.pem"), "--purpose", "identity").exits(ExitOK).says("line-7-0042 <- Line 7 issuing")
	run("cert", "verify", d.path("chain.pem"), "--purpose", "server").exits(ExitFailed).says("serverAuth")
	if out, err := exec.Command("openssl", "verify", "-purpose", "sslclient", "-CAfile", d.path("root.pem"), "-untrusted", d.path("chain.pem"), d.path("chain.pem")).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	run("cert", "export", id, "--format", "chain", "--out", d.path("chain.pem")).exits(ExitUsage).says("cannot be made")
	run("cert", "export", id, "--format", "pfx", "--out", d.path("x.pfx")).exits(ExitUsage).says("passphrase")
	d.withDescriptor("secret", "cert", "export", id, "--format", "pfx", "--key-passphrase-fd", "3", "--out", d.path("x.pfx")).exits(ExitOK)
	run("cert", "inspect", d.path("x.pfx")).exits(ExitUsage).says("passphrase")
	d.withDescriptor("secret", "cert", "inspect", d.path("x.pfx"), "--key-passphrase-fd", "3").exits(ExitOK).says("line-7-0042", "Line 7 issuing", "1 private keys")

	// Another desk takes what this one gave.
	other, take := newPKI(t)
	take("cert", "import", d.path("root.pem"), d.path("chain.pem"), d.write("nonsense.pem", "nonsense")).exits(ExitFailed).says("Plant Root", "Line 7 issuing", "line-7-0042", "nonsense.pem")
	result := take("cert", "import", d.path("chain.pem"), "--json").exits(ExitOK).object()
	has(t, "import", result, "added known refused")
	if result["known"] != float64(2) {
		t.Errorf("known %v", result["known"])
	}
	_ = other

	revoked := run("cert", "revoke", id, "--reason", "keyCompromise", "--yes", "--json").exits(ExitOK).object()
	has(t, "revoked", revoked, certKeys+" crl number")
	if revoked["state"] != "revoked" || revoked["number"] != float64(1) || !strings.Contains(revoked["crl"].(string), "BEGIN X509 CRL") {
		t.Errorf("revoked %v", revoked)
	}
}

func TestRequestsAreSigned(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	d, run := newPKI(t)
	if out, err := exec.Command("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=partner-1",
		"-keyout", d.path("partner.key"), "-out", d.path("partner.csr")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	signed := run("cert", "sign", "--csr", d.path("partner.csr"), "--profile", "device identity", "--ca", "Line 7 issuing", "--out", d.path("partner.pem"), "--json").exits(ExitOK).object()
	if signed["subject"] != "partner-1" || signed["key"].(map[string]any)["place"] != "none" {
		t.Errorf("signed %v", signed)
	}
	both := d.write("both.pem", readFile(t, d.path("partner.pem"))+readFile(t, d.path("partner.key")))
	seen := run("cert", "inspect", both, "--json").exits(ExitOK).object()
	has(t, "inspect", seen, "kind certificates key_matches")
	if seen["key_matches"] != true {
		t.Errorf("inspect %v", seen)
	}
	renewed := run("cert", "renew", signed["id"].(string), "--json").exits(ExitOK).object()
	if renewed["subject"] != "partner-1" || renewed["serial"] == signed["serial"] {
		t.Errorf("renewed %v", renewed)
	}
	run("cert", "show", signed["id"].(string)).exits(ExitOK).says("is superseded")
}

func TestCertificateOfAPlan(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	plan, target := d.write("plan.toml", strings.Replace(manualPlan, "symmetric-key", "x509", 1)+"[edge_ca]\n"), d.folder("device")
	d.run("preview", "--plan", plan, "--target", target).exits(ExitOK).says("Certificates", "certificate line-7-0042: EC P-256, signed by itself", "line-7-0042-edge-ca.cert.pem")
	d.run("provision", "--plan", plan, "--target", target, "--yes").exits(ExitOK).says("rehearsed")
	d.run("provision", "--plan", plan, "--target", target, "--yes").exits(ExitOK).says("nothing had to change")
	d.run("cert", "list").exits(ExitOK).says("Practice issuing CA", "line-7-0042.ca", "device:line-7-0042")
	config := readFile(t, d.path("device/etc/aziot/config.toml"))
	for _, want := range []string{`method = "x509"`, "file:///var/aziot/secrets/line-7-0042.key.pem", "[edge_ca]"} {
		if !strings.Contains(config, want) {
			t.Errorf("no %s in\n%s", want, config)
		}
	}
	d.run("runs", "undo", "1", "--yes").exits(ExitOK)
	d.run("cert", "list", "--search", "line-7-0042").exits(ExitOK).says("revoked")
	if after := content(t, d.path("device")); strings.Contains(after, "aziot") {
		t.Errorf("left on the device:\n%s", after)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestProfilesAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	d, run := newPKI(t)
	good := "name = 'Plant server'\nrole = 'server'\nusages = ['digitalSignature', 'serverAuth']\ndays = 90\nalgorithm = 'p256'\n"
	run("cert", "profiles", "add", d.write("good.toml", good)).exits(ExitOK).says("Plant server")
	run("cert", "profiles").exits(ExitOK).says("Plant server", "own", "root CA", "program")
	made := run("cert", "new", "--profile", "plant server", "--name", "gw.plant.example", "--ca", "Plant Root", "--json").exits(ExitOK).object()
	if made["profile"] != "Plant server" {
		t.Errorf("made %v", made)
	}
	for text, says := range map[string]string{
		strings.Replace(good, "'serverAuth'", "'keyCertSign'", 1): "usages: ",
		strings.Replace(good, "days = 90", "days = 0", 1):         "days: ",
		strings.Replace(good, "Plant server", "root CA", 1):       "comes with the program",
		strings.Replace(good, "days", "dyas", 1):                  `no member "dyas"`,
		"= 1":                                                     "line 1",
	} {
		run("cert", "profiles", "add", d.write("bad.toml", text)).exits(ExitUsage).says(says)
	}
	run("cert", "profiles", "add", d.path("none.toml")).exits(ExitUsage).says("none.toml")
	run("cert", "profiles", "remove", "root CA").exits(ExitUsage).says("comes with the program")
	run("cert", "profiles", "remove", "Plant server").exits(ExitOK)
	run("cert", "profiles", "remove", "Plant server").exits(ExitUsage).says("no profile")
	run("cert", "profiles", "show", "root CA").exits(ExitUsage).says("add FILE")
	run("cert", "profiles", "add").exits(ExitUsage)
	var all []map[string]any
	run("cert", "profiles", "--json").exits(ExitOK).decode(&all)
	has(t, "profile", all[0], "name role ca path_length self_signed usages days algorithm on_device own findings")
}

func TestWhatEndsIsListed(t *testing.T) {
	t.Parallel()
	d, run := newPKI(t)
	run("cert", "list", "--expiring").exits(ExitOK)
	run("cert", "list", "--expiring", "--all").exits(ExitOK).says("Plant Root", "replace")
	var list []map[string]any
	run("cert", "list", "--expiring", "--all", "--json").exits(ExitOK).decode(&list)
	has(t, "end", list[0], certKeys+" device device_uuid target care_from next")
	run("cert", "list", "--expiring", "--all", "--format", "ics").exits(ExitOK).says("BEGIN:VCALENDAR", "SUMMARY:Plant Root ends (root)")
	run("cert", "list", "--expiring", "--all", "--format", "csv", "--out", d.path("ends.csv")).exits(ExitOK)
	if text := readFile(t, d.path("ends.csv")); !strings.HasPrefix(text, "ends,care_from,state") || strings.Count(text, "\r\n") != 3 {
		t.Errorf("%s", text)
	}
	run("cert", "list", "--expiring", "--format", "xml").exits(ExitUsage).says("format")
	root := run("cert", "list", "--search", "Plant Root", "--json").exits(ExitOK)
	root.decode(&list)
	run("cert", "revoke", list[0]["id"].(string), "--reason", "superseded", "--disable", "--yes").exits(ExitUsage).says("no device of the catalog")
	run("cert", "show", list[0]["id"].(string)).exits(ExitOK).says("is good")
}
