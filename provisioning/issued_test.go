package provisioning

import (
	"crypto/x509"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// estWay is a plan of a device that obtains identity and Edge CA from an EST
// server.
func estWay() Plan {
	return Plan{Device: DevicePlan{ID: "line-7"}, Cell: Cell{Linux, DPS, X509}, Cloud: CloudPlan{Group: "line"},
		X509:   X509Plan{Source: SourceEST, CA: "Plant issuing", EST: ESTPlan{URL: "https://est.example.test/.well-known/est", Bootstrap: "Plant bootstrap", Trust: "Plant root"}},
		EdgeCA: &EdgeCAPlan{Source: SourceEST}}.WithDefaults()
}

// localCAWay is a plan of a device with a CA of its own.
func localCAWay() Plan {
	return Plan{Device: DevicePlan{ID: "line-7"}, Cell: Cell{Linux, DPS, X509}, Cloud: CloudPlan{Group: "line"},
		X509: X509Plan{Source: SourceLocalCA, CA: "Plant issuing", Days: 30}}.WithDefaults()
}

// What Edgewright can play is proven; what only the device can do is configured.
func TestIssuedOnDeviceEnds(t *testing.T) {
	manual := estWay()
	manual.Cell.Provisioning, manual.Cloud, manual.X509 = Manual, CloudPlan{}, X509Plan{Source: SourceEST, EST: ESTPlan{URL: manual.X509.EST.URL, Bootstrap: "vault:login", Trust: "Plant root"}}
	learned := estWay()
	learned.X509.CA = ""
	for name, row := range map[string]struct {
		plan     Plan
		runs     bool
		state    RunState
		how      string
		enrolled []string
	}{
		"EST played":                {estWay(), false, RunSucceeded, ProofPlayed, []string{"line-7", "line-7.ca", "line-7"}},
		"EST with a runtime":        {estWay(), true, RunSucceeded, ProofRuntime, []string{"line-7"}},
		"EST by hand, by a login":   {manual.WithDefaults(), false, RunSucceeded, ProofPlayed, []string{"line-7.ca", "line-7"}},
		"EST that names its own CA": {learned.WithDefaults(), false, RunSucceeded, ProofPlayed, []string{"line-7", "line-7.ca", "line-7"}},
		"local CA on a folder":      {localCAWay(), false, RunConfigured, ProofNone, nil},
		"local CA with a runtime":   {localCAWay(), true, RunSucceeded, ProofRuntime, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(row.runs)
			w.estCAs = []*x509.Certificate{plantCA().Chain[0], plantCA().Certificate}
			before := w.picture()
			out := w.provision(t, "r1", row.plan)
			if out.Outcome != row.state || out.Proof.How != row.how || out.Error != nil {
				t.Fatalf("%+v %+v", out, out.Error)
			}
			if row.state == RunConfigured && out.Proof.Reason == "" {
				t.Error("no reason")
			}
			if !slices.Equal(w.enrolled, row.enrolled) {
				t.Errorf("enrolled %q", w.enrolled)
			}
			for _, found := range edgeconfig.Lint(w.files[ConfigPath].Data.Reveal(), "1.6") {
				if found.Level == string(finding.Error) && found.Field != "agent" {
					t.Errorf("config.toml: %+v", found)
				}
			}
			w.now = w.now.Add(time.Hour)
			creates, config := w.creates, w.files[ConfigPath]
			again := w.provision(t, "r2", row.plan)
			if again.Changed || again.Error != nil || w.creates != creates || !w.files[ConfigPath].Data.Equal(config.Data) {
				t.Errorf("second run: %+v %+v", again, again.Error)
			}
			if row.runs && (again.Outcome != RunConfigured || again.Proof.Reason != reasonUnchanged) {
				t.Errorf("second run with a runtime that nobody can play: %+v", again)
			}
			run := w.journal["r1"]
			if out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run); out.Outcome != RunUndone || w.picture() != before {
				t.Errorf("undo %+v left\n%s", out, w.picture())
			}
		})
	}
}

// The files of a device that enrols itself have their owners, and the device CA
// can sign leaves only.
func TestIssuedFiles(t *testing.T) {
	w := newWorld(false)
	w.provision(t, "r1", estWay())
	for path, owner := range map[string]string{"/var/aziot/certs/line-7-est-bootstrap.cert.pem": "aziotcs 644", "/var/aziot/secrets/line-7-est-bootstrap.key.pem": "aziotks 600",
		"/var/aziot/certs/edgewright-est-trust.pem": "aziotcs 644"} {
		if f := w.files[path]; !f.Exists || fmt.Sprintf("%s %o", f.Owner, f.Mode) != owner {
			t.Errorf("%s: %v %s %o", path, f.Exists, f.Owner, f.Mode)
		}
	}
	w = newWorld(false)
	w.provision(t, "r1", localCAWay())
	content, err := pki.Read(w.files["/var/aziot/certs/line-7-local-ca.cert.pem"].Data.Reveal(), plantBootstrap().Key)
	if err != nil || len(content.Certificates) != 2 {
		t.Fatal(content, err)
	}
	if ca := content.Certificates[0]; !ca.IsCA || ca.MaxPathLen != 0 || !ca.MaxPathLenZero || ca.Subject.CommonName != "line-7.issuing" {
		t.Errorf("%s, CA %t, path length %d", ca.Subject, ca.IsCA, ca.MaxPathLen)
	}
	if key := w.files["/var/aziot/secrets/line-7-local-ca.key.pem"]; key.Owner != "aziotks" || key.Mode != 0o600 {
		t.Errorf("%s %o", key.Owner, key.Mode)
	}
}

// What stands in the way of an EST device is said by the field that it is about.
func TestESTPreviewNamesTheField(t *testing.T) {
	for field, change := range map[string]func(*Plan, *world){
		"x509.est.bootstrap": func(p *Plan, _ *world) { p.X509.EST.Bootstrap = "nobody" },
		"x509.est.trust":     func(p *Plan, _ *world) { p.X509.EST.Trust = "nobody" },
		"x509.ca":            func(p *Plan, _ *world) { p.X509.CA = "nobody" },
		"x509.est.url": func(p *Plan, w *world) {
			p.X509.CA = ""
			profile, _ := pki.ProfileByName("Edge CA")
			w.estCAs = []*x509.Certificate{plantCA().Certificate, issuedBy(plantCA(), profile, "A", 0).Leaf(), issuedBy(plantCA(), profile, "B", 0).Leaf()}
		},
	} {
		w := newWorld(false)
		plan := estWay()
		change(&plan, w)
		p, err := LookFirst(t.Context(), w.ports(), plan)
		if err != nil || !slices.ContainsFunc(p.Findings, func(f finding.Finding) bool { return f.Field == field && f.Level == finding.Error }) {
			t.Errorf("%s: %+v %v", field, p.Findings, err)
		}
	}
	w := newWorld(false)
	p, err := LookFirst(t.Context(), w.ports(), estWay())
	if err != nil || len(p.Certificates) != 2 || !strings.Contains(p.Certificates[0].Detail, "the bootstrap certificate Plant bootstrap") || !strings.Contains(p.Certificates[0].Detail, "renewed at 80%") {
		t.Errorf("%+v %v", p, err)
	}
}

// A server that makes leaves of CA requests would leave edgeHub without a chain.
func TestESTServerWithoutEdgeCAsIsFound(t *testing.T) {
	w := newWorld(false)
	w.estLeavesOnly = true
	out := w.provision(t, "r1", estWay())
	if out.Outcome != RunFailed || out.Error == nil || !strings.Contains(out.Error.Message, "no Edge CA") {
		t.Errorf("%+v %+v", out, out.Error)
	}
}

const estPlan = `version = 1
[device]
id = "line-7-0042"
[cell]
platform = "linux"
provisioning = "dps"
authentication = "x509"
[cloud]
name = "plant"
enrollment = "group"
group = "line-7"
[runtime]
version = "1.5"
[x509]
source = "est"
ca = "Line 7 issuing"
anchor = "intermediate"
est = { url = "https://est.example.org/.well-known/est/line-7", bootstrap = "Line 7 bootstrap", trust = "Plant Root 2026" }
auto_renew = { rotate_key = false, threshold = "10day", retry = "60min" }
[edge_ca]
source = "est"
`

const localCAPlan = `[device]
id = "line-7-0042"
[cell]
provisioning = "dps"
authentication = "x509"
[cloud]
group = "line-7"
[x509]
source = "local-ca"
ca = "Line 7 issuing"
days = 90
`

const edgeESTPlan = `[device]
id = "line-7-0042"
[x509]
est = { url = "https://est.example.org/.well-known/est", bootstrap = "vault:est", trust = "Plant Root 2026" }
[edge_ca]
source = "est"
`

func TestIssuedPlansReadAndWriteTheSame(t *testing.T) {
	for _, text := range []string{estPlan, localCAPlan, edgeESTPlan} {
		plan, findings, err := ParsePlan([]byte(text))
		if err != nil || findings.Errors() {
			t.Fatal(findings, err)
		}
		written, err := plan.TOML()
		if err != nil {
			t.Fatal(err)
		}
		if again, findings, err := ParsePlan(written); err != nil || findings.Errors() || !reflect.DeepEqual(plan, again) {
			t.Errorf("read again: %+v %v %v\nfrom\n%s", again, findings, err, written)
		}
	}
	plan, _, _ := ParsePlan([]byte(localCAPlan))
	if r := plan.X509.AutoRenew; r == nil || !*r.RotateKey || r.Threshold != "80%" || r.Retry != "4%" {
		t.Errorf("renewal by default: %+v", r)
	}
}

// The configuration of a plan can be seen before anything is looked up.
func TestConfigOfIssued(t *testing.T) {
	byLogin := estWay()
	byLogin.X509.EST.Bootstrap = "vault:login"
	for name, row := range map[string]struct {
		plan  Plan
		wants []string
	}{
		"bootstrap": {estWay(), []string{`bootstrap_identity_pk = "file:///var/aziot/secrets/line-7-est-bootstrap.key.pem"`, `[edge_ca.auto_renew]`}},
		"login":     {byLogin, []string{`username = "a name of the vault"`}},
		"local CA":  {localCAWay(), []string{`method = "local_ca"`, `pk = "file:///var/aziot/secrets/line-7-local-ca.key.pem"`, `expiry_days = 30`}},
	} {
		text, err := ConfigOf(row.plan, newWorld(false).ports().Cloud)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range row.wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: no %s in\n%s", name, want, text)
			}
		}
	}
}
