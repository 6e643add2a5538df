package provision

import (
	"os"
	"path/filepath"
	"testing"

	"edgewright/provisioning"
	"edgewright/provisioning/est/esttest"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame/frametest"
	"edgewright/ui/pagetest"
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
	p.steps[stepIdentity].(*identityStep).edge.on.SetChecked(true)
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

// asks goes to Identity with a cell, a name and a source.
func asks(t *testing.T, p *Page, q *frametest.Queue, method provisioning.Method, source string) *certificateFields {
	t.Helper()
	goOn(t, p, q, stepWay)
	p.draft.SetCell(provisioning.Cell{Platform: provisioning.Linux, Provisioning: method, Authentication: provisioning.X509})
	p.steps[stepWay].(*wayStep).board.Take(p.draft.Plan.Cell.String())
	if method == provisioning.DPS {
		p.draft.Plan.Cloud.Enrollment, p.draft.Plan.Cloud.Group = provisioning.GroupWord, "line-7"
	}
	goOn(t, p, q, stepIdentity)
	p.certs().choose(source)
	return p.certs()
}

// How a group knows its CA maps onto the plan, and Review shows it.
func TestAGroupKnowsAnUploadedCA(t *testing.T) {
	p, q, check := sit(t)
	f := asks(t, p, q, provisioning.DPS, provisioning.SourceIssue)
	check("the anchor of a group")
	if x := p.draft.Plan.X509; x.Anchor != provisioning.AnchorIntermediate || x.Uploaded != "" || x.Onboard {
		t.Errorf("at first %+v", x)
	}
	f.anchor.by.Choose(provisioning.AnchorUploaded)
	f.anchor.keep()
	p.Primary()
	check("no name")
	if p.at != stepIdentity || p.draft.Finding("x509.uploaded") == nil {
		t.Error("the wizard goes on without the name of the CA")
	}
	f.anchor.name.SetText("line 7!")
	p.Primary()
	check("a wrong name")
	if p.at != stepIdentity {
		t.Error("the wizard goes on with a name that the cloud does not take")
	}
	f.anchor.name.SetText("")
	f.anchor.onboard.SetChecked(true)
	want := provisioning.X509Plan{Source: provisioning.SourceIssue, Algorithm: "p256", Days: 365, Anchor: provisioning.AnchorUploaded, Uploaded: "Practice-issuing-CA", Onboard: true}
	if x := p.draft.Plan.X509; x != want {
		t.Errorf("%+v, want %+v", x, want)
	}
	goOn(t, p, q, stepReview)
	check("the review")
	if !pagetest.Sees(p.c, "Practice-issuing-CA") {
		t.Error("Review does not name the uploaded CA")
	}
	p.Back()
	q.Settle()
	if x := p.draft.Plan.X509; x != want {
		t.Errorf("coming back changes it to %+v", x)
	}
	// From another source what was said stays; an EST server's CA is not ours to prove.
	p.certs().choose(provisioning.SourceEST)
	if x := p.draft.Plan.X509; x.Uploaded != want.Uploaded || x.Onboard || x.Key != "" || x.Days != 0 || x.Algorithm != "" {
		t.Errorf("EST: %+v", x)
	}
	check("the anchor with an EST server")
}

// A device by hand may have a certificate of a CA that the run brings to the hub.
func TestAHubIsGivenTheCA(t *testing.T) {
	p, q, check := sit(t)
	f := asks(t, p, q, provisioning.Manual, provisioning.SourceIssue)
	check("issued, by hand")
	if x := p.draft.Plan.X509; x.Source != provisioning.SourceIssue || x.Anchor != "" || x.Thumbprint != provisioning.ThumbprintSHA256 {
		t.Errorf("at first %+v", x)
	}
	f.anchor.onboard.SetChecked(true)
	f.anchor.name.SetText("line-7-ca")
	goOn(t, p, q, stepReview)
	check("the review")
	if !pagetest.Sees(p.c, "line-7-ca") {
		t.Error("Review does not name the CA")
	}
	p.Primary()
	ended(t, p, q)
	if o := p.job.(*running).outcome; o.Outcome != provisioning.RunSucceeded {
		t.Fatalf("%s: %+v", o.Outcome, o.Error)
	}
	p.run().change()
	q.Settle()
	p.certs().choose(provisioning.SourceSelfSigned)
	if x := p.draft.Plan.X509; x.Anchor != "" || x.Uploaded != "" || x.Onboard || p.draft.Finding("x509.anchor", "x509.uploaded") != nil {
		t.Errorf("self-signed: %+v", x)
	}
}

// Where a key cannot be made on the device, the fields say why; where it can, the
// choice is the plan's.
func TestWhereAKeyIsMade(t *testing.T) {
	p, q, check := sit(t)
	f := asks(t, p, q, provisioning.Manual, provisioning.SourceSelfSigned)
	check("no key on a folder")
	if !pagetest.Sees(p.c, "nicht möglich: auf einem Dateisystem läuft nichts") || f.born.place.Chosen() != provisioning.KeyOnWorkstation || p.draft.Plan.X509.Key != "" {
		t.Errorf("%s %q", f.born.place.Chosen(), p.draft.Plan.X509.Key)
	}
	f.born.days.SetText("many")
	p.Primary()
	check("no days")
	if p.at != stepIdentity {
		t.Error("the wizard goes on without days")
	}
	f.born.days.SetText("90")
	f.born.algorithm.SetSelected("RSA 2048")
	if x := p.draft.Plan.X509; x.Days != 90 || x.Algorithm != "rsa2048" || x.Key != "" {
		t.Errorf("%+v", x)
	}
	// A device that has openssl.
	p.draft.Found.KeyObstacle = ""
	p.open(stepIdentity)
	q.Settle()
	if f.born.place.Chosen() != provisioning.KeyOnDevice || p.draft.Plan.X509.Key != "" {
		t.Errorf("%s %q", f.born.place.Chosen(), p.draft.Plan.X509.Key)
	}
	f.born.place.OnChosen(provisioning.KeyOnDevice)
	if got := p.draft.Plan.X509.Key; got != provisioning.KeyOnDevice {
		t.Errorf("chosen, the plan has %q", got)
	}
	// And another target again, that has none.
	p.draft.Found.KeyObstacle = "it has no openssl"
	p.open(stepIdentity)
	q.Settle()
	check("no openssl")
	if !pagetest.Sees(p.c, "es hat kein openssl") || p.draft.Plan.X509.Key != "" {
		t.Errorf("the plan keeps %q", p.draft.Plan.X509.Key)
	}
}
