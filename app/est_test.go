package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/est/esttest"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// estBench is a bench with a CA whose bootstrap certificates the EST server
// takes.
func estBench(t *testing.T, rules esttest.Rules) (bench, *App, *esttest.Server, Request) {
	t.Helper()
	b := mustBench(t, "group", false)
	passphrase := filepath.Join(b.Dir, "passphrase")
	if err := os.WriteFile(passphrase, []byte("correct horse battery"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	root, err := a.MakeCertificate(t.Context(), NewCertificate{Profile: "root CA", CommonName: "Bootstrap root"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.MakeCertificate(t.Context(), NewCertificate{Profile: "EST bootstrap", CommonName: "Line 7 bootstrap", CA: root.ID}); err != nil {
		t.Fatal(err)
	}
	row, err := a.catalog.Certificate(t.Context(), root.ID)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(row.DER)
	if err != nil {
		t.Fatal(err)
	}
	rules.Clients = []*x509.Certificate{cert}
	server := esttest.Start(t, rules)
	trust := filepath.Join(b.Dir, "trust.pem")
	if err := os.WriteFile(trust, pki.PEM(server.Trust), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ImportCertificates(t.Context(), []string{trust}, secret.Value{}); err != nil {
		t.Fatal(err)
	}
	request := b.request()
	request.Plan.Cell.Authentication = provisioning.X509
	request.Plan.X509 = provisioning.X509Plan{Source: provisioning.SourceEST, EST: provisioning.ESTPlan{URL: server.URL, Bootstrap: "Line 7 bootstrap", Trust: estTrust}}
	request.Plan.EdgeCA = &provisioning.EdgeCAPlan{Source: provisioning.SourceEST}
	request.Plan = request.Plan.WithDefaults()
	return b, a, server, request
}

// A device that is to obtain everything itself is proven by enrolling with the
// very files that it got, once, and left as it was by undo.
func TestESTOnAFolder(t *testing.T) {
	t.Parallel()
	b, a, server, request := estBench(t, esttest.Rules{Label: "line-7", Days: 30})
	preview, err := a.Preview(t.Context(), request)
	if err != nil || preview.Refused() || len(server.Issued()) > 0 {
		t.Fatalf("%+v %v", preview, err)
	}
	before, err := listFolder(filepath.Dir(b.folder()), "")
	if err != nil {
		t.Fatal(err)
	}
	out := a.Provision(t.Context(), request, nil)
	if out.Outcome != provisioning.RunSucceeded || out.Proof.How != provisioning.ProofPlayed || !out.Proof.Device || !out.Proof.Cloud || !out.Proof.Rehearsal {
		t.Fatalf("%+v %+v", out, out.Error)
	}
	issued := server.Issued()
	// The bootstrap certificate is exchanged first, as the runtime does.
	if len(issued) != 3 || issued[0].Subject.CommonName != benchDevice || issued[0].IsCA || issued[1].Subject.CommonName != benchDevice+".ca" || !issued[1].IsCA || issued[2].Subject.CommonName != benchDevice || issued[2].IsCA {
		t.Errorf("issued %d: %+v", len(issued), issued)
	}
	again := a.Provision(t.Context(), request, nil)
	if again.Outcome != provisioning.RunSucceeded || again.Changed {
		t.Errorf("second run: %+v %+v", again, again.Error)
	}
	b.huntBootstrap(t, a)
	// The bootstrap pair serves more devices, so its key stays.
	if _, err := a.findBootstrap(t.Context(), "Line 7 bootstrap"); err != nil {
		t.Error(err)
	}
	undone, _, err := a.Undo(t.Context(), out.Run, Access{}, nil)
	if err != nil || undone[0].Outcome != provisioning.RunUndone {
		t.Fatalf("%+v %v", undone, err)
	}
	if after, err := listFolder(filepath.Dir(b.folder()), ""); err != nil || after != before {
		t.Errorf("undone it is\n%s\nand was\n%s\n%v", after, before, err)
	}
}

// huntBootstrap looks for the key of the bootstrap certificate in all that the
// program wrote beside the device.
func (b bench) huntBootstrap(t *testing.T, a *App) {
	t.Helper()
	pair, err := certificates{app: a}.Bootstrap(t.Context(), "Line 7 bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	hunt := &secretHunt{}
	if err := hunt.AddKey("bootstrap key", pair.Key.Reveal()); err != nil {
		t.Fatal(err)
	}
	hunt.below(t, "after the run", b.data())
	hunt.below(t, "after the run", b.state())
	if text, err := os.ReadFile(filepath.Join(b.folder(), "var/aziot/secrets", benchDevice+"-est-bootstrap.key.pem")); err != nil || !bytes.Equal(text, pair.Key.Reveal()) {
		t.Errorf("the device has another key: %v", err)
	}
}

// A runtime enrols itself. It is left alone by a second run, which then cannot
// make it call and says so, and is put back by undo.
func TestESTWithARuntime(t *testing.T) {
	server := serveEST(t)
	b := mustBench(t, "group est", true)
	before, err := listFolder(filepath.Dir(b.folder()), "")
	if err != nil {
		t.Fatal(err)
	}
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	out := a.Provision(t.Context(), b.request(), nil)
	if out.Outcome != provisioning.RunSucceeded || out.Proof.How != provisioning.ProofRuntime || len(server.Issued()) == 0 {
		t.Fatalf("%+v %+v", out, out.Error)
	}
	_, password, _ := strings.Cut(estLogin, ":")
	hunt := &secretHunt{}
	hunt.Add("EST password", []byte(password))
	hunt.below(t, "after the run", b.data())
	hunt.below(t, "after the run", b.state())
	issued := len(server.Issued())
	again := a.Provision(t.Context(), b.request(), nil)
	if again.Changed || again.Error != nil || len(server.Issued()) != issued || again.Outcome == provisioning.RunConfigured && again.Proof.Reason == "" {
		t.Errorf("second run: %+v %+v, %d issued", again, again.Error, len(server.Issued())-issued)
	}
	undone, _, err := a.Undo(t.Context(), out.Run, Access{}, nil)
	if err != nil || undone[0].Outcome != provisioning.RunUndone {
		t.Fatalf("%+v %v", undone, err)
	}
	if after, err := listFolder(filepath.Dir(b.folder()), ""); err != nil || after != before {
		t.Errorf("undone it is\n%s\nand was\n%s\n%v", after, before, err)
	}
}

// What an EST server refuses is said in its words, and the run can be undone.
func TestESTFailures(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		rules  esttest.Rules
		change func(*Request)
		words  string
	}{
		"leaves only":        {esttest.Rules{NoCA: true}, nil, "no Edge CA"},
		"not what it issued": {esttest.Rules{NotItsOwn: true}, nil, "does not take the certificate that it issued for it"},
		"no CAs": {esttest.Rules{Answer: func(operation string, w http.ResponseWriter) bool {
			if operation == "cacerts" {
				http.NotFound(w, nil)
			}
			return operation == "cacerts"
		}}, func(r *Request) { r.Plan.X509.CA = estTrust }, "asked for cacerts"},
		"somebody else's certificate": {esttest.Rules{}, func(r *Request) { r.Plan.X509.EST.Bootstrap = "" },
			"shows no certificate that may enrol"},
		"another CA": {esttest.Rules{}, func(r *Request) { r.Plan.X509.EST.Trust = "Bootstrap root" }, "not from a CA that was named"},
		"nobody there": {esttest.Rules{}, func(r *Request) { r.Plan.X509.EST.URL = "https://127.0.0.1:1" + "/.well-known/est" },
			"it cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, a, _, request := estBench(t, row.rules)
			if row.change != nil {
				row.change(&request)
			}
			out := a.Provision(t.Context(), request, nil)
			if out.Outcome != provisioning.RunFailed || out.Error == nil || !strings.Contains(out.Error.Message, row.words) || out.Error.Hint == "" {
				t.Errorf("%+v %+v", out, out.Error)
			}
			if undone, _, err := a.Undo(t.Context(), out.Run, Access{}, nil); err != nil || undone[0].Outcome != provisioning.RunUndone {
				t.Errorf("%+v %v", undone, err)
			}
		})
	}
}

// A device with a CA of its own ends configured; what that CA signs afterwards
// comes in through the group, and OpenSSL agrees with the chain.
func TestLocalCAOnAFolder(t *testing.T) {
	t.Parallel()
	b := mustBench(t, "group local-ca", false)
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	out := a.Provision(t.Context(), b.request(), nil)
	if out.Outcome != provisioning.RunConfigured || out.Proof.How != provisioning.ProofNone || out.Proof.Reason == "" || out.Error != nil {
		t.Fatalf("%+v %+v", out, out.Error)
	}
	chainFile := filepath.Join(b.folder(), "var/aziot/certs", benchDevice+"-local-ca.cert.pem")
	pair, err := certificates{app: a}.FromFiles(t.Context(), provisioning.CertificateFiles{Certificate: chainFile,
		Key: filepath.Join(b.folder(), "var/aziot/secrets", benchDevice+"-local-ca.key.pem")})
	if err != nil {
		t.Fatal(err)
	}
	identity := asLocalCA(t, pair)
	if _, err := exec.LookPath("openssl"); err == nil {
		leaf := filepath.Join(b.Dir, "leaf.pem")
		if err := os.WriteFile(leaf, pki.PEM(identity.Chain[0]), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "openssl", "verify", "-x509_strict", "-partial_chain", "-purpose", "sslclient", "-CAfile", chainFile, leaf).CombinedOutput()
		if err != nil {
			t.Errorf("%v %s", err, out)
		}
	}
	cloud, release, err := a.cloudOf(t.Context(), b.request().Plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	registration, err := a.player(cloud).Register(t.Context(), provisioning.Credentials{Endpoint: cloud.DPS.Endpoint(), IDScope: cloud.DPS.IDScope(),
		RegistrationID: benchDevice, Pair: identity}, func(time.Duration) {})
	if err != nil || registration.Status != "assigned" {
		t.Errorf("%+v %v", registration, err)
	}
	// Whoever names the CA of this device in the catalog finds that its key is there.
	rows, err := a.Certificates(context.WithoutCancel(t.Context()), benchDevice+".issuing")
	if err != nil || len(rows) != 1 || rows[0].Key.Place != "device:"+benchDevice {
		t.Errorf("%+v %v", rows, err)
	}
}

// asLocalCA does what the runtime does with its CA.
func asLocalCA(t *testing.T, ca provisioning.Pair) provisioning.Pair {
	t.Helper()
	signer, err := pki.ParseKey(ca.Key.Reveal(), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := pki.GenerateKey(rand.Reader, pki.P256)
	if err != nil {
		t.Fatal(err)
	}
	profile, _ := pki.ProfileByName("device identity")
	issuer := pki.Issuer{Certificate: ca.Chain[0], Chain: ca.Chain[1:], Signer: signer}
	cert, err := pki.Issue(rand.Reader, time.Now(), issuer, pki.Order{Profile: profile, Subject: pkix.Name{CommonName: benchDevice}, Public: key.Public(), Days: 30})
	if err != nil {
		t.Fatal(err)
	}
	edge, _ := pki.ProfileByName("Edge CA")
	if _, err := pki.Issue(rand.Reader, time.Now(), issuer, pki.Order{Profile: edge, Subject: pkix.Name{CommonName: "a.ca"}, Public: key.Public()}); !errors.Is(err, pki.ErrRefused) {
		t.Errorf("the device's CA signs CAs: %v", err)
	}
	text, err := pki.DeviceKeyPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	return provisioning.Pair{Chain: append([]*x509.Certificate{cert}, ca.Chain...), Key: text}
}

// The next device of a bench is familiar although its plan is another value.
func TestPlansWithRenewalAreFamiliar(t *testing.T) {
	look := func(id string) *provisioning.Preview {
		plan := provisioning.Plan{Device: provisioning.DevicePlan{ID: id}, Cloud: provisioning.CloudPlan{Group: "line-7"},
			Cell: provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.X509},
			X509: provisioning.X509Plan{Source: provisioning.SourceEST, EST: provisioning.ESTPlan{URL: "https://est.example.org"}}}
		return &provisioning.Preview{Plan: plan.WithDefaults()}
	}
	draft := &Draft{}
	draft.Confirm(look("a"))
	if !draft.Familiar(look("b")) {
		t.Error("the second device stops at Review")
	}
	other := look("b")
	other.Plan.X509.EST.URL = "https://other.example.org"
	if draft.Familiar(other) {
		t.Error("another server is not noticed")
	}
}
