package provision

import (
	"testing"

	"edgewright/provisioning"
)

// Each X.509 cell goes from nothing to proven in the wizard, by every source that
// needs no server, and back.
func TestTheCellsByCertificate(t *testing.T) {
	for name, way := range map[string]struct {
		method            provisioning.Method
		enrollment, group string
		fill              func(f *certificateFields)
	}{
		"by hand, self-signed": {provisioning.Manual, "", "", func(f *certificateFields) { f.choose(provisioning.SourceSelfSigned) }},
		"by hand, issued":      {provisioning.Manual, "", "", func(f *certificateFields) { f.choose(provisioning.SourceIssue); f.anchor.onboard.SetChecked(true) }},
		"individual":           {provisioning.DPS, provisioning.Individual, "", func(f *certificateFields) { f.choose(provisioning.SourceIssue) }},
		"group, intermediate": {provisioning.DPS, provisioning.GroupWord, "line-7", func(f *certificateFields) {
			f.choose(provisioning.SourceIssue)
			f.p.steps[stepIdentity].(*identityStep).edge.on.SetChecked(true)
		}},
		"group, uploaded": {provisioning.DPS, provisioning.GroupWord, "line-7", func(f *certificateFields) {
			f.choose(provisioning.SourceIssue)
			f.anchor.by.Choose(provisioning.AnchorUploaded)
			f.anchor.keep()
			f.anchor.onboard.SetChecked(true)
			f.p.arrange()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p, q, check := sit(t)
			goOn(t, p, q, stepWay)
			p.draft.SetCell(provisioning.Cell{Platform: provisioning.Linux, Provisioning: way.method, Authentication: provisioning.X509})
			p.steps[stepWay].(*wayStep).board.Take(p.draft.Plan.Cell.String())
			p.draft.Plan.Cloud.Enrollment, p.draft.Plan.Cloud.Group = way.enrollment, way.group
			goOn(t, p, q, stepIdentity)
			way.fill(p.certs())
			check("the fields")
			goOn(t, p, q, stepReview)
			check("the review")
			p.Primary()
			ended(t, p, q)
			check("the proof")
			o := p.job.(*running).outcome
			if o.Outcome != provisioning.RunSucceeded || !o.Proof.Device || !o.Proof.Cloud {
				t.Fatalf("%s: %+v", o.Outcome, o.Error)
			}
			p.run().undo(o)
			ended(t, p, q)
			if got := p.job.(*running).outcome; got.Outcome != provisioning.RunUndone {
				t.Errorf("the undo ends %s: %+v", got.Outcome, got.Error)
			}
			if counts, err := p.c.App.Counts(t.Context()); err != nil || counts.Devices != 0 {
				t.Errorf("%d devices are left, %v", counts.Devices, err)
			}
		})
	}
}
