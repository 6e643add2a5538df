package provision

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm/softtpm"
)

func (p *Page) chipFields() *tpmFields { return p.steps[stepIdentity].(*identityStep).chip }

// A disk has no TPM of its own: the fields say so, ask for another place, name
// mistakes beside them, and Review shows the chip that was read.
func TestTPMFieldsForADisk(t *testing.T) {
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	chip, err := softtpm.Start(t.Context(), filepath.Join(t.TempDir(), "state"), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chip.Close() })
	p, q, check := sit(t)
	folder := t.TempDir()
	p.target().chosen = chooseFolder
	p.target().folder.SetText(folder)
	goOn(t, p, q, stepWay)
	cell := provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.TPM}
	p.draft.Plan.Cloud.Group = "line-7" // of a way that was chosen before
	p.draft.SetCell(cell)
	board := p.steps[stepWay].(*wayStep).board
	if board.Take(cell.String()); board.Taken() != cell.String() {
		t.Fatal("the way by TPM is closed for a disk")
	}
	check("the board")
	goOn(t, p, q, stepIdentity)
	check("the fields")
	p.steps[stepIdentity].(*identityStep).id.SetText("line-7-0042")
	f := p.chipFields()
	if p.draft.Plan.ByGroup() || f.at.Chosen() != atSoftware || f.at.Chosen() == provisioning.TPMAtTarget {
		t.Errorf("group %q, chosen %q", p.draft.Plan.Cloud.Group, f.at.Chosen())
	}
	p.Primary()
	check("no address")
	if p.at != stepIdentity {
		t.Fatal("the wizard goes on without an address")
	}
	f.address.SetText(chip.Address)
	f.form.SetSelected(f.form.Options[1])
	if want := (provisioning.TPMPlan{At: chip.Address, RegistrationID: provisioning.RegisterAsBase32, TCTI: "device"}); p.draft.Plan.TPM != want {
		t.Errorf("%+v", p.draft.Plan.TPM)
	}
	goOn(t, p, q, stepReview)
	check("the review")
	shown := p.steps[stepReview].(*reviewStep).preview.TPM
	if shown == nil || len(shown.RegistrationID) != 52 {
		t.Errorf("%+v", shown)
	}
	p.Back()
	q.Settle()
	if f.address.Text != chip.Address || f.form.Selected != f.form.Options[1] {
		t.Error("what was typed is gone")
	}
	p.draft.SetCell(provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.SymmetricKey})
	if p.draft.Plan.TPM != (provisioning.TPMPlan{}) || p.draft.Finding("tpm") != nil {
		t.Errorf("another way keeps %+v", p.draft.Plan.TPM)
	}
}

// A key that was collected before is offered by its ID, and secrets by their
// names.
func TestTPMFieldsOfferWhatIsKept(t *testing.T) {
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	chip, err := softtpm.Start(t.Context(), filepath.Join(t.TempDir(), "state"), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chip.Close() })
	p, q, check := sit(t)
	kept, err := p.c.App.Collect(t.Context(), app.CollectRequest{Targets: []app.CollectTarget{{Target: app.FolderTarget(t.TempDir()), TPM: chip.Address, Device: "press-1"}}}, nil)
	if err != nil || kept.Collected != 1 {
		t.Fatal(kept, err)
	}
	folder := t.TempDir()
	p.target().chosen = chooseFolder
	p.target().folder.SetText(folder)
	goOn(t, p, q, stepWay)
	cell := provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.TPM}
	p.draft.SetCell(cell)
	p.steps[stepWay].(*wayStep).board.Take(cell.String())
	goOn(t, p, q, stepIdentity)
	p.steps[stepIdentity].(*identityStep).id.SetText("line-7-0042")
	f := p.chipFields()
	f.at.Choose(atCollected)
	f.keep()
	check("collected")
	if want := "catalog:" + kept.Keys[0].Key.ID; p.draft.Plan.TPM.EndorsementKey != want || p.draft.Plan.TPM.At != "" || !strings.Contains(f.key.Selected, "press-1") {
		t.Errorf("%+v, shown as %q", p.draft.Plan.TPM, f.key.Selected)
	}
	f.ekWords["the word"] = "vault:word"
	f.ek.Options = append(f.ek.Options, "the word")
	f.ek.SetSelected("the word")
	if p.draft.Plan.TPM.EndorsementAuth != "vault:word" || slices.Contains(f.ek.Options, "vault:word") {
		t.Errorf("%+v", p.draft.Plan.TPM)
	}
	f.ek.SetSelected(f.ek.Options[0])
	goOn(t, p, q, stepReview)
	check("the review")
	if p.steps[stepReview].(*reviewStep).preview.Refused() {
		t.Errorf("%+v", p.steps[stepReview].(*reviewStep).preview.Findings)
	}
	next, err := p.c.App.NextDraft(t.Context(), p.draft, "press-2")
	if err != nil || next.Plan.CollectedKey() != "" {
		t.Errorf("the next device has the key of this one: %+v %v", next.Plan.TPM, err)
	}
}

// Without a chip the way says why it is closed, unless the plan names a software
// TPM or a collected key.
func TestWayByTPMWithoutAChip(t *testing.T) {
	p, q, check := sit(t)
	cell := provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.TPM}
	for _, row := range []struct {
		plan provisioning.TPMPlan
		open bool
	}{{provisioning.TPMPlan{}, false}, {provisioning.TPMPlan{At: "unix:/run/s"}, true}, {provisioning.TPMPlan{EndorsementKey: "catalog:ab"}, true}, {provisioning.TPMPlan{At: provisioning.TPMAtLocal}, false}} {
		p.draft.Plan.Cell, p.draft.Plan.TPM = cell, row.plan
		goOn(t, p, q, stepWay)
		check("the board")
		for _, group := range p.steps[stepWay].(*wayStep).model().Groups {
			for _, cells := range group.Rows {
				for _, field := range cells {
					if field.ID == cell.String() && (field.Muted == row.open || field.Muted && field.Line != "kein TPM in diesem Gerät") {
						t.Errorf("%+v: %+v", row.plan, field)
					}
				}
			}
		}
		p.Back()
		q.Settle()
	}
}
