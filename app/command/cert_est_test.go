package command

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"edgewright/provisioning/est/esttest"
)

// estDesk is a desk whose root is that of bootstrap certificates at a server.
func estDesk(t *testing.T) (d *desk, run func(args ...string) result, server *esttest.Server) {
	t.Helper()
	d, run = newPKI(t)
	run("cert", "new", "--profile", "EST bootstrap", "--name", "Line 7 bootstrap", "--ca", "Plant Root").exits(ExitOK)
	var list []map[string]any
	run("cert", "list", "--search", "Plant Root", "--json").exits(ExitOK).decode(&list)
	for _, row := range list {
		if row["subject"] == "Plant Root" {
			run("cert", "export", row["id"].(string), "--format", "pem", "--out", d.path("root.pem")).exits(ExitOK)
		}
	}
	text, err := os.ReadFile(d.path("root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	server = esttest.Start(t, esttest.Rules{Clients: []*x509.Certificate{root}, Label: "line-7", WholeChain: true})
	d.write("trust.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Trust.Raw})))
	run("cert", "import", d.path("trust.pem")).exits(ExitOK)
	return d, run, server
}

// Certificates of the catalog come from an EST server and are renewed there.
func TestCertificatesByEST(t *testing.T) {
	t.Parallel()
	_, run, server := estDesk(t)
	ca := []string{"--ca", "est:" + server.URL, "--trust", "EST test server root"}
	run("cert", "import", "est:"+server.URL, "--trust", "EST test server root").exits(ExitOK).says("added", "EST test issuing", "EST test root")
	run(append([]string{"cert", "new", "--profile", "device identity", "--name", "line-7-0042"}, ca...)...).exits(ExitFailed).says("shows no certificate that may enrol")
	with := append(ca, "--bootstrap", "Line 7 bootstrap")
	made := run(append([]string{"cert", "new", "--profile", "device identity", "--name", "line-7-0042", "--json"}, with...)...).exits(ExitOK).object()
	has(t, "CERT", made, certKeys)
	if made["key"].(map[string]any)["place"] != "vault" || made["issuer_id"] == "" {
		t.Errorf("made %v", made)
	}
	renewed := run(append([]string{"cert", "renew", made["id"].(string), "--new-key", "--json"}, ca...)...).exits(ExitOK).object()
	if renewed["serial"] == made["serial"] || renewed["subject"] != made["subject"] || renewed["issuer_id"] != made["issuer_id"] {
		t.Errorf("renewed %v", renewed)
	}
	run("cert", "show", made["id"].(string)).exits(ExitOK).says("superseded")
	edge := run(append([]string{"cert", "new", "--profile", "Edge CA", "--name", "line-7-0042.ca", "--json"}, with...)...).exits(ExitOK).object()
	if edge["role"] != "edge-ca" {
		t.Errorf("edge %v", edge)
	}
	for _, row := range []struct{ line, words string }{
		{"cert new --profile server --name x --ca est:http://x", "over https"},
		{"cert new --profile server --name x --ca est:" + server.URL + " --days 3", "leave out --days"},
		{"cert new --profile server --name x --bootstrap y", "go with --ca est:URL"},
		{"cert import est:" + server.URL + " trust.pem", "not both"},
	} {
		run(append(strings.Fields(row.line), "--trust", "EST test server root")...).exits(ExitUsage).says(row.words)
	}
}

const estDevicePlan = `version = 1
[device]
id = "line-7-0042"
[cell]
platform = "linux"
provisioning = "dps"
authentication = "x509"
[cloud]
name = "practice"
enrollment = "group"
group = "line-7"
[x509]
source = "est"
est = { url = "SERVER", bootstrap = "Line 7 bootstrap", trust = "EST test server root" }
[edge_ca]
source = "est"
`

// A device that is to enrol itself is previewed, provisioned, proven and undone
// without a window.
func TestProvisionByEST(t *testing.T) {
	t.Parallel()
	d, run, server := estDesk(t)
	plan, target := d.write("plan.toml", strings.ReplaceAll(estDevicePlan, "SERVER", server.URL)), d.folder("device")
	before := content(t, d.path("device"))
	run("preview", "--plan", plan, "--target", target).exits(ExitOK).says("Edge CA line-7-0042.ca", server.URL, "bootstrap certificate Line 7 bootstrap")
	first := run("provision", "--plan", plan, "--target", target, "--yes", "--json").exits(ExitOK)
	proven(t, first.object(), true)
	if len(server.Issued()) != 3 { // the identity at the server, the Edge CA, the device
		t.Errorf("%d issued", len(server.Issued()))
	}
	config, err := os.ReadFile(d.path("device/etc/aziot/config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`method = "est"`, `default = "` + server.URL + `"`, "/var/aziot/secrets/line-7-0042-est-bootstrap.key.pem", "/var/aziot/certs/edgewright-est-trust.pem"} {
		if !strings.Contains(string(config), want) {
			t.Errorf("no %s in\n%s", want, config)
		}
	}
	proven(t, run("provision", "--plan", plan, "--target", target, "--yes", "--json").exits(ExitOK).object(), false)
	run("runs", "undo", first.object()["run"].(string), "--yes").exits(ExitOK)
	if content(t, d.path("device")) != before {
		t.Error("undo left something")
	}

	local := d.write("local.toml", strings.Replace(estDevicePlan[:strings.Index(estDevicePlan, "est = {")], `"est"`, `"local-ca"`, 1))
	out := run("provision", "--plan", local, "--target", target, "--yes", "--json").exits(ExitConfigured).object()
	if out["outcome"] != "configured" || out["proof"].(map[string]any)["how"] != "none" {
		t.Errorf("%v", out)
	}
}
