package command

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const (
	tokenModule = "/usr/lib/softhsm/libsofthsm2.so"
	// tokenPIN would be seen wherever it leaks.
	tokenPIN = "86420-right"
)

// bench is a desk with a vault under a passphrase and a SoftHSM token.
type bench struct {
	*desk
	config string
	// uri is the address of the token without key.
	uri string
}

func newBench(t *testing.T) bench {
	t.Helper()
	for _, tool := range []string{"openssl", "softhsm2-util"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
	b := bench{desk: newDesk(t)}
	b.write("passphrase", "correct horse battery staple\n")
	b.write("pin", tokenPIN+"\n")
	b.write("tokens/README", "")
	b.config = b.write("softhsm2.conf", "directories.tokendir = "+b.path("tokens")+"\nlog.level = ERROR\n")
	make := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "ewca", "--pin", tokenPIN, "--so-pin", "so-pin-4321")
	make.Env = append(os.Environ(), "SOFTHSM2_CONF="+b.config)
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	b.uri = "pkcs11:token=ewca%s?module-path=" + tokenModule
	return b
}

// at is the flag value for a key of the token.
func (b bench) at(key string) string {
	return "token:" + strings.Replace(b.uri, "%s", key, 1)
}

// run runs a command with the PIN in a file as descriptor 3; "" gives none.
func (b bench) run(pin string, args ...string) result {
	b.t.Helper()
	args = append(args, "--data", b.path("data"), "--passphrase-file", b.path("passphrase"))
	cmd := b.command(args...)
	cmd.Env = append(cmd.Env, "SOFTHSM2_CONF="+b.config)
	if pin != "" {
		cmd.Args = append(cmd.Args, "--pin-fd", "3")
		file, err := os.Open(b.path(pin))
		if err != nil {
			b.t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		cmd.ExtraFiles = []*os.File{file}
	}
	var out, problems strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problems
	_ = cmd.Run()
	if cmd.ProcessState == nil {
		b.t.Fatal("the command did not start")
	}
	if said := out.String() + problems.String(); strings.Contains(said, tokenPIN) || strings.Contains(said, "97531") {
		b.t.Errorf("a PIN is printed: %s", said)
	}
	return result{t: b.t, line: strings.Join(args, " "), code: cmd.ProcessState.ExitCode(), out: out.String(), err: problems.String()}
}

func place(made map[string]any) string {
	place, _ := made["key"].(map[string]any)["place"].(string)
	return place
}

func (b bench) openssl(args ...string) {
	b.t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Dir = b.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Errorf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestCAsInAToken has the keys of root and intermediate in a token, and holds
// what they sign against OpenSSL.
func TestCAsInAToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	root := b.run("pin", "cert", "new", "--profile", "root CA", "--name", "Token Root", "--key", b.at(";object=root"), "--json").exits(ExitOK).object()
	has(t, "CERT", root, certKeys)
	if at := place(root); !strings.HasPrefix(at, "token:pkcs11:token=ewca;serial=") || !strings.Contains(at, ";object=root;type=private;id=%") || !strings.HasSuffix(at, "?module-path="+tokenModule) {
		t.Errorf("the key is at %s", at)
	}
	middle := b.run("pin", "cert", "new", "--profile", "intermediate CA", "--name", "Token issuing", "--ca", "Token Root", "--algorithm", "rsa3072", "--key", b.at(""), "--json").exits(ExitOK).object()
	leaf := b.run("pin", "cert", "new", "--profile", "device identity", "--name", "line-7-0042", "--ca", "Token issuing", "--json").exits(ExitOK).object()
	if place(leaf) != "vault" || !strings.Contains(place(middle), "object=Token%20issuing") {
		t.Errorf("keys at %s and %s", place(leaf), place(middle))
	}
	b.run("", "cert", "export", leaf["id"].(string), "--format", "chain", "--out", b.path("chain.pem")).exits(ExitOK)
	b.run("", "cert", "export", root["id"].(string), "--format", "pem", "--out", b.path("root.pem")).exits(ExitOK)
	b.openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "root.pem", "-untrusted", "chain.pem", "chain.pem")

	b.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=partner-1", "-keyout", "partner.key", "-out", "partner.csr")
	b.run("pin", "cert", "sign", "--csr", b.path("partner.csr"), "--profile", "device identity", "--ca", "Token issuing", "--out", b.path("partner.pem")).exits(ExitOK)
	b.openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "root.pem", "-untrusted", "partner.pem", "partner.pem")

	revoked := b.run("pin", "cert", "revoke", leaf["id"].(string), "--reason", "keyCompromise", "--yes", "--json").exits(ExitOK).object()
	b.write("list.pem", revoked["crl"].(string))
	b.run("", "cert", "export", middle["id"].(string), "--format", "pem", "--out", b.path("middle.pem")).exits(ExitOK)
	b.openssl("crl", "-in", "list.pem", "-CAfile", "middle.pem", "-noout", "-verify")

	same := b.run("pin", "cert", "renew", root["id"].(string), "--json").exits(ExitOK).object()
	fresh := b.run("pin", "cert", "renew", middle["id"].(string), "--new-key", "--json").exits(ExitOK).object()
	if place(same) != place(root) || same["sha256"] == root["sha256"] {
		t.Errorf("renewed with the same key: %v", same)
	}
	if place(fresh) == place(middle) || !strings.HasPrefix(place(fresh), "token:pkcs11:token=ewca;") || fresh["key"].(map[string]any)["algorithm"] != "rsa3072" {
		t.Errorf("renewed with a new key: %v", fresh)
	}
	b.run("pin", "cert", "export", same["id"].(string), "--format", "pfx", "--out", b.path("no.pfx")).exits(ExitUsage).says("lies in a token and cannot be taken out")
	again := b.run("pin", "cert", "new", "--profile", "root CA", "--name", "Token Root 2", "--key", b.at(";object=root"), "--json").exits(ExitOK).object()
	if place(again) != place(root) {
		t.Errorf("a key that was there: %v", again)
	}
	if kept := content(t, b.path("data"), b.path("state")); strings.Contains(kept, tokenPIN) {
		t.Error("the PIN is in the data folder")
	}
}

func TestTokensThatRefuse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write("wrong", "97531-wrong\n")
	b.write("empty", "\n")
	b.run("pin", "cert", "new", "--profile", "root CA", "--name", "Token Root", "--key", b.at(";object=root")).exits(ExitOK)
	sign := []string{"cert", "new", "--profile", "intermediate CA", "--name", "x", "--ca", "Token Root"}
	b.run("", sign...).exits(ExitLocked).says("wants a PIN and nobody can be asked", "--pin-fd")
	b.run("empty", sign...).exits(ExitLocked).says("wants a PIN")
	b.run("wrong", sign...).exits(ExitFailed).says("wrong; it was tried once", "locks after a few wrong PINs")
	b.run("pin", "cert", "new", "--profile", "root CA", "--name", "x", "--key", b.at(";object=root"), "--algorithm", "rsa4096").exits(ExitUsage).says("is EC P-384, not RSA 4096", "name another key")
	for key, says := range map[string]string{
		"token:pkcs11:token=ewca":                                   "names no module",
		"token:pkcs11:token=ewca?module-path=/nowhere.so":           "/nowhere.so is no file",
		"token:pkcs11:token=ewca?module-path=" + b.path("pin"):      "no PKCS #11 module",
		"token:pkcs11:token=other?module-path=" + tokenModule:       "No token fits",
		"token:pkcs11:token=ewca?pin-value=97531":                   "never stands in an address",
		"token:pkcs11:token=ewca;id=%01?module-path=" + tokenModule: "no private key of that name",
		"smartcard": "cannot be at",
	} {
		b.run("pin", "cert", "new", "--profile", "root CA", "--name", "x", "--key", key).exits(ExitUsage).says(says)
	}
}

// TestRunsIssueFromAToken provisions a device with certificates that a token
// signed; without a PIN nothing is touched.
func TestRunsIssueFromAToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("pin", "cert", "new", "--profile", "root CA", "--name", "Token Root", "--key", b.at(";object=root")).exits(ExitOK)
	b.run("pin", "cert", "new", "--profile", "intermediate CA", "--name", "Token issuing", "--ca", "Token Root", "--key", b.at(";object=issuing")).exits(ExitOK)
	plan := b.write("plan.toml", strings.Replace(groupPlan, "symmetric-key", "x509", 1)+
		"[x509]\nsource = \"issue\"\nca = \"Token issuing\"\n[edge_ca]\nca = \"Token issuing\"\n[trust_bundle]\ncertificates = [\"Token Root\"]\n")
	target := b.folder("device")
	b.run("", "preview", "--plan", plan, "--target", target).exits(ExitOK).says("signed by Token issuing")
	b.run("", "provision", "--plan", plan, "--target", target, "--yes").exits(ExitLocked).says("wants a PIN")
	if left := content(t, b.path("device")); strings.Contains(left, "aziot") {
		t.Errorf("touched without a PIN:\n%s", left)
	}
	b.run("pin", "provision", "--plan", plan, "--target", target, "--yes").exits(ExitOK).says("rehearsed")
	b.run("", "provision", "--plan", plan, "--target", target, "--yes").exits(ExitOK).says("nothing had to change")
	certs := "device/var/aziot/certs/"
	for file, purpose := range map[string]string{"line-7-0042.cert.pem": "sslclient", "line-7-0042-edge-ca.cert.pem": "any"} {
		b.openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", certs+"edgewright-trust-bundle.pem", "-untrusted", certs+file, certs+file)
	}
}
