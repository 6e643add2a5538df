//go:build e2e

package e2e

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"edgewright/provisioning/est/esttest"
)

// plant is a station with what an EST server and its devices need: a CA whose
// bootstrap certificates the server takes, and the CA that vouches for the server.
type plant struct {
	*station
	server *esttest.Server
	open   []string // the flags that open the vault
}

// newPlant starts the server on an address of this network namespace.
func newPlant(t *testing.T, s *station, address string) *plant {
	t.Helper()
	p := &plant{station: s, open: []string{"--passphrase-file", s.plan("word", "correct horse battery staple\n")}}
	if err := os.Chmod(p.file("word"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.cert("new", "--profile", "root CA", "--name", "Bootstrap root")
	p.cert("new", "--profile", "EST bootstrap", "--name", "Line 7 bootstrap", "--ca", "Bootstrap root")
	p.cert("new", "--profile", "root CA", "--name", "Another root")
	p.cert("new", "--profile", "EST bootstrap", "--name", "Stranger", "--ca", "Another root")
	p.cert("export", p.id("Bootstrap root"), "--format", "pem", "--out", filepath.Join(filepath.Dir(s.plan("word", "correct horse battery staple\n")), "bootstrap-root.pem"))
	root, err := os.ReadFile(p.file("bootstrap-root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	p.server = esttest.Start(t, esttest.Rules{Address: address, Clients: parsed(t, root), Days: 30, Label: "line-7"})
	p.learn("trust.pem", p.server.Trust)
	return p
}

// file is a file of the station as this process sees it.
func (s *station) file(name string) string {
	if s.inside != "" {
		return filepath.Join(s.inside, "home/operator", name)
	}
	return filepath.Join(s.home, name)
}

// cert runs a command on certificates.
func (p *plant) cert(args ...string) result {
	p.t.Helper()
	r := p.run("", append(append([]string{"cert"}, args...), p.open...)...)
	if r.code != 0 {
		p.t.Fatalf("cert %q: code %d\n%s%s", args, r.code, r.out, r.errOut)
	}
	return r
}

// id is that of the certificate with a common name.
func (p *plant) id(name string) string {
	p.t.Helper()
	var rows []struct{ ID, Subject string }
	if err := json.Unmarshal([]byte(p.cert("list", "--json").out), &rows); err != nil {
		p.t.Fatal(err)
	}
	for _, row := range rows {
		if strings.TrimPrefix(row.Subject, "CN=") == name {
			return row.ID
		}
	}
	p.t.Fatalf("no certificate %s", name)
	return ""
}

func (p *plant) learn(name string, cert *x509.Certificate) {
	p.t.Helper()
	p.cert("import", p.plan(name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))))
}

// planOf is that of a device with the tables that are given.
func (p *plant) planOf(id, cell, tables string) string {
	return fmt.Sprintf("version = 1\n[device]\nid = %q\n[device.tags]\nline = 7\n[cell]\nplatform = \"linux\"\n%s%s", id, cell, tables)
}

const (
	byGroup = "provisioning = \"dps\"\nauthentication = \"x509\"\n[cloud]\nenrollment = \"group\"\ngroup = \"line-7-est\"\n"
	byHand  = "provisioning = \"manual\"\nauthentication = \"x509\"\n"
)

// est has identity and Edge CA come from the server.
func (p *plant) est(bootstrap string) string {
	return fmt.Sprintf("[x509]\nsource = \"est\"\nest = { url = %q, bootstrap = %q, trust = \"EST test server root\" }\n[edge_ca]\nsource = \"est\"\n", p.server.URL, bootstrap)
}

// onboard makes the practice hub know the CA of the server, as its owner would.
func (p *plant) onboard() {
	p.t.Helper()
	run := func(args ...string) string {
		p.t.Helper()
		r := p.run("", append([]string{"practice", "ca"}, args...)...)
		if r.code != 0 {
			p.t.Fatalf("practice ca %q: code %d\n%s%s", args, r.code, r.out, r.errOut)
		}
		return r.out
	}
	file := func(name string, cert *x509.Certificate) string {
		return p.plan(name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
	}
	run("upload", "est-issuing", file("issuing.pem", p.server.Issuing), "--hub", "hub.practice.test")
	var ca struct{ Code string }
	if err := json.Unmarshal([]byte(run("code", "est-issuing", "--hub", "hub.practice.test", "--json")), &ca); err != nil {
		p.t.Fatal(err)
	}
	proof, _ := p.server.Client(p.t, ca.Code)
	run("verify", "est-issuing", file("proof.pem", proof), "--hub", "hub.practice.test")
}

// gateway is the address of this namespace on the cable to the device.
func (d *device) gateway() string { return strings.TrimSuffix(d.addr, ".2") + ".1" }

// made is the certificate that the runtime on the device made for itself.
func (d *device) made(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(d.root, "var/lib/aziot/certd/certs", name+"-*.cer"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", name, found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, text)[0]
}

// renewals are what the configuration says of renewing identity, Edge CA, and the
// certificate that the device shows to the EST server.
func (d *device) renewals(t *testing.T) string {
	t.Helper()
	type renewal struct {
		RotateKey bool `toml:"rotate_key"`
		Threshold string
		Retry     string
	}
	var c struct {
		Provisioning struct {
			Attestation struct {
				IdentityCert struct {
					AutoRenew renewal `toml:"auto_renew"`
				} `toml:"identity_cert"`
			}
		}
		EdgeCA struct {
			AutoRenew renewal `toml:"auto_renew"`
		} `toml:"edge_ca"`
		CertIssuance struct {
			EST struct {
				AutoRenew renewal `toml:"identity_auto_renew"`
			}
		} `toml:"cert_issuance"`
	}
	if _, err := toml.DecodeFile(filepath.Join(d.root, "etc/aziot/config.toml"), &c); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(c.Provisioning.Attestation.IdentityCert.AutoRenew, c.EdgeCA.AutoRenew, c.CertIssuance.EST.AutoRenew)
}

func TestIssuedOnTheDeviceOverSSH(t *testing.T) {
	s := newStation(t)
	d, target := sshDevice(t, s, "tech")
	p := newPlant(t, s, d.gateway())
	target = append(target, p.open...)
	p.onboard()
	everyWay(t, s, d, map[string]string{
		"EST by hand": p.planOf("line-7-0042", byHand, p.est("Line 7 bootstrap")),
		"local CA":    p.planOf("line-7-0042", byGroup, "[x509]\nsource = \"local-ca\"\ndays = 9\n"),
	}, "runtime", target...)
}

// TestESTFailuresOverSSH is refused in every way that an EST server can, each time
// soon and with the field that is to blame, and goes on from there: to another
// server, to a device that works, to one of another name, and back.
func TestESTFailuresOverSSH(t *testing.T) {
	s := newStation(t)
	d, target := sshDevice(t, s, "tech")
	if err := os.WriteFile(filepath.Join(d.root, "opt/standin-deployment"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p := newPlant(t, s, d.gateway())
	target = append(target, p.open...)
	p.learn("issuing.pem", p.server.Issuing)
	provision := func(text string) (outcome, result) {
		t.Helper()
		return s.outcome(append([]string{"provision", "--plan", s.plan("plan.toml", text), "--yes"}, target...)...)
	}
	undo := func(run string) {
		t.Helper()
		undone, r := s.outcome(append([]string{"runs", "undo", run, "--yes"}, without(target, "--target")...)...)
		if r.code != 0 || undone.Outcome != "undone" {
			t.Errorf("undo: code %d, %+v, error %+v\n%s", r.code, undone, undone.Error, r.errOut)
		}
	}
	// A CA that is named is not asked for: only the device meets the server.
	renew := "auto_renew = { rotate_key = false, threshold = \"10day\", retry = \"60min\" }\n"
	good := p.planOf("line-7-0042", byGroup, strings.Replace(p.est("Line 7 bootstrap"), "[x509]\n", "[x509]\nca = \"EST test issuing\"\n"+renew, 1))
	before := d.picture(t)
	for _, c := range []struct{ old, new, kind, says, field string }{
		{"Line 7 bootstrap", "Stranger", "unauthorized", "403", "x509.est.bootstrap"},
		{"EST test server root", "Another root", "unauthorized", "does not trust", "x509.est.trust"},
		{p.server.URL, "https://" + d.gateway() + ":1/.well-known/est", "unreachable", "does not reach", "x509.est.url"},
	} {
		failed, r := provision(strings.Replace(good, c.old, c.new, 1))
		if r.code != 1 || failed.Outcome != "failed" || failed.Error == nil || failed.Error.Kind != c.kind || !strings.Contains(failed.Error.Message, c.says) || !strings.Contains(failed.Error.Hint, c.field) {
			t.Errorf("%s: code %d, %+v, error %+v\n%s", c.field, r.code, failed, failed.Error, r.errOut)
		}
		if c.new == "Stranger" {
			undo(failed.Run)
			if diff := differences(before, d.picture(t)); diff != "" {
				t.Errorf("undo left\n%s", diff)
			}
		}
	}

	first, r := provision(good)
	if r.code != 0 || first.Outcome != "succeeded" || !first.Proof.Device || !first.Proof.Cloud {
		t.Fatalf("code %d, %+v, error %+v\n%s", r.code, first, first.Error, r.errOut)
	}
	edgeCA := d.made(t, "aziotedgedca")
	if shown := d.shownByEdgeHub(t); len(shown) < 2 || !shown[1].Equal(edgeCA) || shown[0].CheckSignatureFrom(edgeCA) != nil || edgeCA.CheckSignatureFrom(p.server.Issuing) != nil {
		t.Errorf("edgeHub shows %d certificates, and not below an Edge CA of the EST server", len(shown))
	}
	if said := d.renewals(t); said != "{false 10day 60min} {false 10day 60min} {false 10day 60min}" {
		t.Errorf("renewals: %s", said)
	}
	placed := d.picture(t)
	if again, r := provision(good); !unchanged(again, r, true) || differences(placed, d.picture(t)) != "" {
		t.Errorf("second run: code %d, %+v, error %+v\n%s", r.code, again, again.Error, differences(placed, d.picture(t)))
	}
	second, r := provision(strings.Replace(good, "line-7-0042", "line-7-0043", 1))
	if r.code != 0 || second.Outcome != "succeeded" || d.made(t, "deviceid").Subject.CommonName != "line-7-0043" {
		t.Fatalf("another name: code %d, %+v, error %+v\n%s", r.code, second, second.Error, r.errOut)
	}
	undo(second.Run)
	if diff := differences(placed, d.picture(t)); diff != "" {
		t.Errorf("undo left\n%s", diff)
	}
	if shown := d.shownByEdgeHub(t); !shown[1].Equal(edgeCA) {
		t.Error("undone, edgeHub shows another Edge CA")
	}
}
