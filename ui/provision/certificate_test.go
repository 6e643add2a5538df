package provision

import (
	"os"
	"path/filepath"
	"testing"

	"edgewright/provisioning"
	"edgewright/provisioning/est/esttest"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

func (p *Page) certs() *certificateFields { return p.steps[stepIdentity].(*identityStep).certs }

// byGroup chooses DPS with a group and certificates.
func byGroup(p *Page) {
	p.draft.SetCell(provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.X509})
	p.steps[stepWay].(*wayStep).board.Take(p.draft.Plan.Cell.String())
	p.draft.Plan.Cloud.Enrollment, p.draft.Plan.Cloud.Group = provisioning.GroupWord, "line-7"
}

// A device that obtains its certificates itself is asked for by the fields, its
// mistakes are named beside them, and Review says what it will do.
func TestCertificatesFromAnESTServer(t *testing.T) {
	server := esttest.Start(t, esttest.Rules{})
	p, q, check := sit(t)
	file := filepath.Join(t.TempDir(), "trust.pem")
	if err := os.WriteFile(file, pki.PEM(server.Trust), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.c.App.ImportCertificates(p.c.Ctx, []string{file}, secret.Value{}); err != nil {
		t.Fatal(err)
	}
	goOn(t, p, q, stepWay)
	byGroup(p)
	goOn(t, p, q, stepIdentity)
	f := p.certs()
	f.choose(provisioning.SourceLocalCA)
	check("local CA")
	if x := p.draft.Plan.X509; x.Source != provisioning.SourceLocalCA || x.EST != (provisioning.ESTPlan{}) || p.draft.Finding("x509.ca", "x509.source") != nil {
		t.Errorf("%+v", x)
	}
	f.edge.SetChecked(true)
	f.choose(provisioning.SourceEST)
	check("EST")
	p.Primary()
	check("no address")
	if p.at != stepIdentity {
		t.Fatal("the wizard goes on without an address")
	}
	f.est.url.SetText(server.URL)
	f.est.trust.SetSelected(server.Trust.Subject.CommonName)
	want := provisioning.ESTPlan{URL: server.URL, Trust: server.Trust.Subject.CommonName}
	if x := p.draft.Plan.X509; x.EST != want || x.CA != "" || x.Key != "" || p.draft.Plan.EdgeCA.Source != provisioning.SourceEST {
		t.Errorf("%+v, Edge CA %+v", x, p.draft.Plan.EdgeCA)
	}
	goOn(t, p, q, stepReview)
	check("review")

	// Back to a CA of the catalog: nothing of the server stays.
	for p.at > stepIdentity {
		p.Back()
		q.Settle()
	}
	p.certs().choose(provisioning.SourceIssue)
	if findings := p.draft.Plan.WithDefaults().Check(); findings.Errors() {
		t.Errorf("%+v", findings)
	}
	p.certs().choose(provisioning.SourceEST)
	if p.draft.Plan.X509.EST != want {
		t.Errorf("what was typed is gone: %+v", p.draft.Plan.X509.EST)
	}
	// An individual enrollment has no such source.
	p.draft.Plan.Cloud.Enrollment, p.draft.Plan.Cloud.Group = provisioning.Individual, ""
	p.open(stepIdentity)
	q.Settle()
	if findings := p.draft.Plan.WithDefaults().Check(); findings.Errors() || p.certs().source.Chosen() != provisioning.SourceIssue {
		t.Errorf("%s %+v", p.certs().source.Chosen(), findings)
	}
}
