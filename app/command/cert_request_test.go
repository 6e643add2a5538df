package command

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// outsideCA makes a CA with OpenSSL and a function that signs with it as it
// would elsewhere: with the extensions that the request asks for.
func (b bench) outsideCA() (sign func(request, out string)) {
	b.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", "/CN=Outside Root",
		"-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", "outside.key", "-out", "outside.pem")
	return func(request, out string) {
		b.t.Helper()
		b.openssl("x509", "-req", "-in", request, "-CA", "outside.pem", "-CAkey", "outside.key", "-days", "365", "-copy_extensions", "copyall", "-out", out)
	}
}

// TestOutsideCA sends requests out and takes certificates in, with keys in the
// vault and in a token.
func TestOutsideCA(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	sign := b.outsideCA()
	outside := b.run("", "cert", "new", "--profile", "root CA", "--name", "Outside Root", "--key", "none", "--from", b.path("outside.pem"), "--json").exits(ExitOK).object()
	has(t, "CERT", outside, certKeys)
	if place(outside) != "none" || outside["role"] != "root" {
		t.Errorf("the outside CA: %v", outside)
	}
	b.run("", "cert", "new", "--profile", "device identity", "--name", "line-7-0042", "--ca", "Outside Root").exits(ExitUsage).says("is not here, so it cannot sign here", "--out REQUEST")

	asked := b.run("pin", "cert", "new", "--profile", "intermediate CA", "--name", "Issuing", "--ca", "Outside Root", "--key", b.at(";object=issuing"), "--out", b.path("issuing.csr"), "--json").exits(ExitOK).object()
	has(t, "request", asked, "id profile subject ca key created")
	if asked["ca"] != "Outside Root" || !strings.HasPrefix(place(asked), "token:pkcs11:") {
		t.Errorf("asked %v", asked)
	}
	b.run("", "cert", "new", "--profile", "device identity", "--name", "line-7-0042", "--ca", "Outside Root", "--out", b.path("device.csr")).exits(ExitOK).says("its key is in vault", "cert import")
	b.run("", "cert", "requests").exits(ExitOK).says("Issuing", "line-7-0042", "Outside Root")
	b.openssl("req", "-in", "issuing.csr", "-verify", "-noout")
	for _, request := range []string{"issuing", "device"} {
		sign(request+".csr", request+".pem")
	}
	b.openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "outside.pem", "device.pem")

	added := b.run("", "cert", "import", b.path("issuing.pem"), b.path("device.pem"), "--json").exits(ExitOK).object()["added"].([]any)
	for i, want := range []struct{ profile, place string }{{"intermediate CA", place(asked)}, {"device identity", "vault"}} {
		if got := added[i].(map[string]any); got["profile"] != want.profile || place(got) != want.place || got["issuer_id"] != outside["id"] {
			t.Errorf("taken in as %v, want %v", got, want)
		}
	}
	if out := b.run("", "cert", "requests", "--json").exits(ExitOK).out; strings.TrimSpace(out) != "[]" {
		t.Errorf("requests are left: %s", out)
	}
	// The intermediate signs from the token from now on.
	b.run("pin", "cert", "new", "--profile", "device identity", "--name", "line-7-0043", "--ca", "Issuing").exits(ExitOK)
	// The key that was made with the request is whole.
	id := added[1].(map[string]any)["id"].(string)
	b.write("secret", "export passphrase")
	b.withDescriptor("secret", "cert", "export", id, "--format", "pfx", "--key-passphrase-fd", "3", "--out", b.path("x.pfx")).exits(ExitOK)
	b.openssl("pkcs12", "-in", "x.pfx", "-passin", "pass:export passphrase", "-nodes", "-out", "x.pem")
	// Revoking leaves no list: its CA writes that itself.
	if revoked := b.run("", "cert", "revoke", id, "--yes", "--json").exits(ExitOK).object(); revoked["crl"] != "" || revoked["state"] != "revoked" {
		t.Errorf("revoked %v", revoked)
	}
	b.run("pin", "cert", "renew", id, "--new-key").exits(ExitUsage).says("cannot sign here")
}

func TestRequestsAreRefusedAndForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.outsideCA()
	b.run("", "cert", "new", "--profile", "root CA", "--name", "Own Root").exits(ExitOK)
	b.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=plain", "-addext", "basicConstraints=CA:FALSE", "-keyout", "plain.key", "-out", "plain.pem")
	both := b.write("both.pem", readFile(t, b.path("outside.pem"))+readFile(t, b.path("outside.key")))
	outside := b.path("outside.pem")
	for args, says := range map[string]string{
		"root CA|Outside Root|--key none":                                "made by somebody else",
		"root CA|Outside Root|--key none --from " + b.path("nowhere"):    "cannot be used",
		"root CA|Outside Root|--key none --from " + both:                 "private key in",
		"root CA|Other|--key none --from " + outside:                     `no certificate of "Other"`,
		"intermediate CA|Outside Root|--key none --from " + outside:      "role root, not intermediate",
		"root CA|plain|--key none --from " + b.path("plain.pem"):         "not root",
		"device identity|plain|--key none --from " + b.path("plain.pem"): "Only a CA",
		"root CA|Outside Root|--key none --out " + b.path("r"):           "leave out --out",
		"root CA|Outside Root|--from " + outside:                         "--from goes with",
		"root CA|Outside Root|--out " + b.path("r"):                      "signed by itself",
		"device identity|d1|--ca Own|--out " + b.path("r"):               "no CA",
		"device identity|d1|--days 9 --out " + b.path("r"):               "outside CA to say",
		"device identity|d1|--algorithm p384 --out " + b.path("r"):       "runtime reads no",
		"device identity|d1|--key elsewhere --out " + b.path("r"):        "cannot be at",
	} {
		parts := strings.SplitN(args, "|", 3)
		rest := strings.Fields(strings.ReplaceAll(parts[2], "|", " "))
		b.run("", append([]string{"cert", "new", "--profile", parts[0], "--name", parts[1]}, rest...)...).exits(ExitUsage).says(says)
	}
	b.run("", "cert", "new", "--profile", "device identity", "--name", "d1", "--ca", "Own Root", "--out", b.path("r")).exits(ExitUsage).says("signs here")
	if _, err := os.Stat(b.path("r")); err == nil {
		t.Error("a refused request was written")
	}
	b.run("", "cert", "new", "--profile", "device identity", "--name", "d1", "--out", b.write("there", "x")).exits(ExitUsage).says("cannot be made")
	if out := b.run("", "cert", "requests", "--json").exits(ExitOK).out; strings.TrimSpace(out) != "[]" {
		t.Errorf("a request that was not written waits: %s", out)
	}
	asked := b.run("", "cert", "new", "--profile", "device identity", "--name", "d1", "--out", b.path("d1.csr"), "--json").exits(ExitOK).object()
	id := asked["id"].(string)
	b.run("", "cert", "forget", id).exits(ExitUsage).says("--yes")
	b.run("", "cert", "forget", id[:8], "--yes").exits(ExitOK).says("given up")
	b.run("", "cert", "forget", id, "--yes").exits(ExitUsage)
	b.run("", "secrets", "list").exits(ExitOK)
}

// TestRunOfACAWithoutKey says what to do and touches nothing.
func TestRunOfACAWithoutKey(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	b := newBench(t)
	b.outsideCA()
	b.run("", "cert", "import", b.path("outside.pem")).exits(ExitOK)
	plan := b.write("plan.toml", strings.Replace(groupPlan, "symmetric-key", "x509", 1)+"[x509]\nsource = \"issue\"\nca = \"Outside Root\"\n")
	target := b.folder("device")
	for _, command := range []string{"preview", "provision"} {
		args := []string{command, "--plan", plan, "--target", target}
		if command == "provision" {
			args = append(args, "--yes")
		}
		b.run("", args...).exits(ExitUsage).says("The key of the CA Outside Root is not here", "have it signed by the owner of that CA")
	}
	if left := content(t, b.path("device")); strings.Contains(left, "aziot") {
		t.Errorf("touched:\n%s", left)
	}
}
