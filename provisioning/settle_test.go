package provisioning

import (
	"slices"
	"testing"

	"edgewright/provisioning/pki"
)

// TestGivenKeysAreNoted: of a pair that came in files the catalog hears that its
// key lies on the device, and after undo that it does no more, unless the pair was
// there before.
func TestGivenKeysAreNoted(t *testing.T) {
	for _, runs := range []bool{false, true} {
		plan := ways()["individual x509"]
		plan.X509 = X509Plan{Source: SourceFiles, Files: CertificateFiles{Certificate: "a", Key: "b"}}
		plan = plan.WithDefaults()
		w := newWorld(runs)
		profile, _ := pki.ProfileByName("device identity")
		w.given = issuedBy(plantCA(), profile, plan.Device.ID, 0)
		if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded {
			t.Fatalf("%+v", out.Error)
		}
		x := newExecution(w.ports(), &Run{Plan: plan}, nil)
		held, _, err := x.readHeld(t.Context(), RoleIdentity)
		if err != nil || !slices.Equal(w.lying, []string{pki.SHA256(held.Leaf())}) {
			t.Errorf("noted %q, %v", w.lying, err)
		}
		named := plan
		named.Device.Hostname = "press7.plant.example"
		if out := w.provision(t, "r2", named); out.Outcome != RunSucceeded {
			t.Fatalf("%+v", out.Error)
		}
		for _, c := range []struct {
			run  string
			left int
		}{{"r2", 1}, {"r1", 0}} {
			run := w.journal[c.run]
			if out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run); out.Outcome != RunUndone || len(w.lying) != c.left {
				t.Errorf("undo of %s: %+v %+v, noted %q", c.run, out.Outcome, out.Error, w.lying)
			}
		}
	}
}
