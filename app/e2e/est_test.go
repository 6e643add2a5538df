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

// estPlan has identity and Edge CA come from the server.
func (p *plant) estPlan(id, bootstrap string) string {
	return fmt.Sprintf("version = 1\n[device]\nid = %q\n[device.tags]\nline = 7\n[cell]\nplatform = \"linux\"\nprovisioning = \"dps\"\nauthentication = \"x509\"\n"+
		"[cloud]\nenrollment = \"group\"\ngroup = \"line-7-est\"\n[x509]\nsource = \"est\"\nest = { url = %q, bootstrap = %q, trust = \"EST test server root\" }\n[edge_ca]\nsource = \"est\"\n",
		id, p.server.URL, bootstrap)
}

// gateway is the address of this namespace on the cable to the device.
func (d *device) gateway() string { return strings.TrimSuffix(d.addr, ".2") + ".1" }

func TestESTOverSSH(t *testing.T) {
	s := newStation(t)
	d, target := sshDevice(t, s, "tech")
	p := newPlant(t, s, d.gateway())
	everyWay(t, s, d, map[string]string{"group": p.estPlan("line-7-0042", "Line 7 bootstrap")}, "runtime", append(target, p.open...)...)
}
