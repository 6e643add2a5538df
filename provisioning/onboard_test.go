package provisioning

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// bare forgets the CA that hubs of tests know.
func bare() *world {
	w := newWorld(false)
	clear(w.cas)
	return w
}

func TestOnboardingProvesTheCA(t *testing.T) {
	for name, key := range map[string]string{"group onboarded": "DPS/plant", "manual onboarded": "hub/plant"} {
		w := bare()
		plan := ways()[name]
		p, err := LookFirst(t.Context(), w.ports(), plan)
		if err != nil || p.Refused() || !slices.ContainsFunc(p.Cloud, func(w Write) bool {
			return strings.Contains(w.What, "CA certificate plant of "+key[:3]) && w.Action == WriteMake
		}) {
			t.Fatalf("%s: preview %+v: %v", name, p, err)
		}
		if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded {
			t.Fatalf("%s: %+v %+v", name, out, out.Error)
		}
		if ca := w.cas[key]; !ca.Verified || !ca.Is(plantCA().Certificate) {
			t.Errorf("%s: the cloud has %+v", name, ca)
		}
		// Another device finds it, and its undo leaves it.
		plan.Device.ID = "line-8"
		if out := w.provision(t, "r2", plan); out.Outcome != RunSucceeded {
			t.Fatalf("%s: %+v", name, out.Error)
		}
		runner := Runner{Ports: w.ports()}
		second := w.journal["r2"]
		if out := runner.Undo(t.Context(), &second); out.Outcome != RunUndone || !w.cas[key].Verified {
			t.Errorf("%s: %+v, the cloud has %+v", name, out, w.cas)
		}
		first := w.journal["r1"]
		if out := runner.Undo(t.Context(), &first); out.Outcome != RunUndone || len(w.cas) != 0 {
			t.Errorf("%s: %+v, the cloud has %+v", name, out, w.cas)
		}
	}
}

func TestUndoLeavesACAThatIsNeeded(t *testing.T) {
	for name, key := range map[string]string{"group onboarded": "DPS/plant", "manual onboarded": "hub/plant"} {
		w := bare()
		if out := w.provision(t, "r1", ways()[name]); out.Outcome != RunSucceeded {
			t.Fatal(out.Error)
		}
		other := ways()[name]
		other.Device.ID = "line-8"
		if out := w.provision(t, "r2", other); out.Outcome != RunSucceeded {
			t.Fatal(out.Error)
		}
		run := w.journal["r1"]
		out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run)
		if out.Outcome != RunPartlyUndone || !strings.Contains(strings.Join(out.Left, "; "), "CA certificate plant") || !w.cas[key].Verified {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

// TestCAThatWasThereStays: what was there unverified is proven, and not removed.
func TestCAThatWasThereStays(t *testing.T) {
	w := bare()
	at := fakeCAs{w, "DPS"}
	if _, err := at.UploadCA(t.Context(), "plant", plantCA().Certificate); err != nil {
		t.Fatal(err)
	}
	if out := w.provision(t, "r1", ways()["group onboarded"]); out.Outcome != RunSucceeded || !w.cas["DPS/plant"].Verified {
		t.Fatal(out.Error)
	}
	run := w.journal["r1"]
	if out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run); out.Outcome != RunUndone || len(w.cas) != 1 {
		t.Errorf("%+v, the cloud has %+v", out, w.cas)
	}
}

func TestCloudWithoutTheCAIsAFinding(t *testing.T) {
	root := plantCA().Chain[0]
	verified := func(cert *x509.Certificate) UploadedCA {
		return UploadedCA{Name: "plant", ETag: "1", Verified: true, SHA1: pki.SHA1(cert)}
	}
	other := verified(root)
	other.SHA1 = "00"
	unproven := verified(root)
	unproven.Verified = false
	for _, row := range []struct {
		way, says string
		change    func(*world, *Plan)
	}{
		{"manual x509", "knows no CA above", func(*world, *Plan) {}},
		{"manual x509", "", func(w *world, _ *Plan) { w.cas["hub/plant"] = verified(root) }},
		{"manual x509", "knows no CA above", func(w *world, _ *Plan) { w.cas["hub/plant"] = unproven }},
		{"manual onboarded", "knows no CA certificate plant", func(_ *world, p *Plan) { p.X509.Onboard = false }},
		{"group onboarded", "knows no CA certificate plant", func(w *world, p *Plan) { p.X509.Onboard = false; w.cas["hub/plant"] = verified(root) }},
		{"group onboarded", "not verified", func(w *world, p *Plan) { p.X509.Onboard = false; w.cas["DPS/plant"] = unproven }},
		{"group onboarded", "not above", func(w *world, p *Plan) { p.X509.Onboard = false; w.cas["DPS/plant"] = other }},
		{"group onboarded", "", func(w *world, p *Plan) { p.X509.Onboard = false; w.cas["DPS/plant"] = verified(root) }},
		{"group onboarded", "Another CA certificate is called plant", func(w *world, _ *Plan) { w.cas["DPS/plant"] = other }},
	} {
		w, plan := bare(), ways()[row.way]
		row.change(w, &plan)
		p, err := LookFirst(t.Context(), w.ports(), plan)
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(p.Findings, func(f finding.Finding) bool {
			return row.says != "" && f.Field == "x509.uploaded" && f.Level == finding.Error && strings.Contains(f.Problem, row.says) && f.Fix != ""
		})
		if found != (row.says != "") || p.Refused() != found {
			t.Errorf("%s, %q: %+v", row.way, row.says, p.Findings)
		}
		if row.says == "" {
			continue
		}
		if out := w.provision(t, "r1", plan); out.Outcome != RunFailed || !strings.Contains(out.Error.Message, row.says) {
			t.Errorf("%s, %q: the run ends %s", row.way, row.says, out.Outcome)
		}
	}
}

// TestCloudThatCannotBeManaged is one that is known by connection strings only.
func TestCloudThatCannotBeManaged(t *testing.T) {
	w := bare()
	ports := w.ports()
	ports.Cloud.HubCAs, ports.Cloud.DPSCAs = nil, nil
	p, err := LookFirst(t.Context(), ports, ways()["group onboarded"])
	if err != nil || !slices.ContainsFunc(p.Findings, func(f finding.Finding) bool {
		return f.Field == "x509.onboard" && f.Level == finding.Error && strings.Contains(f.Fix, "cert ca upload")
	}) {
		t.Errorf("%+v %v", p.Findings, err)
	}
	p, err = LookFirst(t.Context(), ports, ways()["manual x509"])
	if err != nil || p.Refused() || !slices.ContainsFunc(p.Findings, func(f finding.Finding) bool { return f.Field == "x509.uploaded" && f.Level == finding.Care }) {
		t.Errorf("%+v %v", p.Findings, err)
	}
}

func TestOnboardingByFiles(t *testing.T) {
	plan := ways()["manual onboarded"]
	plan.X509.Source, plan.X509.CA, plan.X509.Files = SourceFiles, "", CertificateFiles{Certificate: "a", Key: "b"}
	w := bare()
	pair, err := fakeCertificates{w}.Make(t.Context(), "outside", CertificateOrder{Role: RoleIdentity, CommonName: plan.Device.ID, Algorithm: pki.P256})
	if err != nil {
		t.Fatal(err)
	}
	clear(w.made)
	w.given = pair
	if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded || !w.cas["hub/plant"].Verified {
		t.Fatalf("%+v", out.Error)
	}
	// Without the CA in the catalog its key cannot be proven here.
	profile, _ := pki.ProfileByName("self-signed device identity")
	w = bare()
	w.given = issuedBy(pki.Issuer{}, profile, plan.Device.ID, 0)
	w.given.Chain = w.given.Chain[:1]
	out := w.provision(t, "r1", plan)
	if out.Outcome != RunFailed || out.Error.Kind != "invalid" || len(w.cas) != 0 {
		t.Errorf("%+v", out.Error)
	}
}

func TestVerifyWithoutACode(t *testing.T) {
	w := bare()
	at := fakeCAs{w, "DPS"}
	uploaded, err := UploadCA(t.Context(), at, "plant", plantCA().Certificate)
	if err != nil || uploaded.Code == "" || uploaded.Verified {
		t.Fatalf("%+v %v", uploaded, err)
	}
	uploaded.Code = "" // as another process sees it
	verified, err := VerifyCA(t.Context(), at, uploaded, func(code string) (*x509.Certificate, error) {
		return fakeCertificates{w}.Prove(t.Context(), "", "Plant issuing", code)
	})
	if err != nil || !verified.Verified {
		t.Fatalf("%+v %v", verified, err)
	}
	if again, err := UploadCA(t.Context(), at, "plant", plantCA().Certificate); err != nil || again.ETag != verified.ETag {
		t.Errorf("uploaded again: %+v %v", again, err)
	}
	if _, err := UploadCA(t.Context(), at, "plant", plantCA().Chain[0]); !errors.Is(err, ErrConflict) {
		t.Errorf("another one: %v", err)
	}
}
