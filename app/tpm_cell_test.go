package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
	"edgewright/provisioning/tpm/softtpm"
	"edgewright/provisioning/wire"
)

// softChip runs a software TPM for a test and gives its address.
func softChip(t *testing.T) string {
	t.Helper()
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	process, err := softtpm.Start(t.Context(), filepath.Join(t.TempDir(), "state"), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Close() })
	return process.Address
}

func keysAt(t *testing.T, address string) tpm.Keys {
	t.Helper()
	transport, err := tpm.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	chip := tpm.New(transport, tpm.Auth{})
	defer func() { _ = chip.Close() }()
	keys, err := chip.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// tpmRequest is the TPM cell on the folder of a bench.
func (b bench) tpmRequest(plan provisioning.TPMPlan) Request {
	r := b.request()
	r.Plan.Cell.Authentication, r.Plan.TPM = provisioning.TPM, plan
	r.Plan = r.Plan.WithDefaults()
	return r
}

func openBench(t *testing.T, way string) (bench, *App) {
	t.Helper()
	b := mustBench(t, way, false)
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return b, a
}

// The cell with a real software TPM: more often than a TPM has slots, so that
// nothing may stay loaded.
func TestTPMCellIntoAFolder(t *testing.T) {
	t.Parallel()
	b, a := openBench(t, "individual")
	address := softChip(t)
	keys := keysAt(t, address)
	r := b.tpmRequest(provisioning.TPMPlan{At: address, RegistrationID: provisioning.RegisterAsBase32})
	preview, err := a.Preview(t.Context(), r)
	if err != nil || preview.Refused() || preview.TPM == nil || preview.TPM.EndorsementKey != keys.EK.Sum() || preview.TPM.RegistrationID != keys.EK.Base32() ||
		!strings.Contains(preview.TPM.Template, "L-1") || preview.TPM.Certificate == "" || preview.TPM.Summary == "" {
		t.Fatalf("%+v %+v %v", preview.TPM, preview.Findings, err)
	}
	first := a.Provision(t.Context(), r, nil)
	if first.Outcome != provisioning.RunSucceeded || !first.Changed || first.Proof.How != provisioning.ProofPlayed || !first.Proof.Device || !first.Proof.Cloud {
		t.Fatalf("%+v %+v", first, first.Error)
	}
	for range 4 {
		if again := a.Provision(t.Context(), r, nil); again.Outcome != provisioning.RunSucceeded || again.Changed {
			t.Fatalf("again: %+v %+v", again, again.Error)
		}
	}
	if after := keysAt(t, address); after.EK.Handle != 0 || after.EK.Sum() != keys.EK.Sum() {
		t.Errorf("the TPM changed: %+v", after.EK)
	}
	device, err := a.Device(t.Context(), benchDevice)
	if err != nil || device.RegistrationID != keys.EK.Base32() || device.State != StateRehearsed || device.Authentication != "tpm" {
		t.Errorf("%+v %v", device, err)
	}
	undone, _, err := a.Undo(t.Context(), first.Run, Access{}, nil)
	if err != nil || undone[0].Outcome != provisioning.RunUndone || len(undone[0].Left) > 0 {
		t.Fatalf("%+v %v", undone, err)
	}
	cloud, release, err := a.cloudOf(t.Context(), r.Plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	_, enrollment := cloud.DPS.Enrollment(t.Context(), false, keys.EK.Base32())
	_, registration := cloud.DPS.Registration(t.Context(), keys.EK.Base32())
	_, identity := cloud.Hub.Identity(t.Context(), benchDevice)
	for _, err := range []error{enrollment, registration, identity} {
		if !isNotFound(err) {
			t.Errorf("undo left something: %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(b.folder(), "etc")); err == nil {
		t.Error("undo left files")
	}
}

// spoiledMachine does something behind the run's back once its files lie there.
type spoiledMachine struct {
	provisioning.Machine
	spoil func(context.Context) error
}

func (m spoiledMachine) Place(ctx context.Context, run string, files []provisioning.File) (provisioning.Placed, error) {
	placed, err := m.Machine.Place(ctx, run, files)
	if err == nil {
		err = m.spoil(ctx)
	}
	return placed, err
}

// What the practice cloud answers is the same 401 each time; the text tells the
// cause, found by looking and by comparing keys.
func TestTPMRefusedByTheCloud(t *testing.T) {
	t.Parallel()
	b, a := openBench(t, "individual")
	plain := a.decorate
	address, other := softChip(t), keysAt(t, softChip(t))
	r := b.tpmRequest(provisioning.TPMPlan{At: address})
	change := func(how func(*wire.IndividualEnrollment)) func(context.Context, provisioning.Cloud) error {
		return func(ctx context.Context, cloud provisioning.Cloud) error {
			client := cloud.DPS.(enroller).client
			found, err := client.Enrollment(ctx, benchDevice)
			if err != nil {
				return err
			}
			how(&found)
			_, err = client.UpdateEnrollment(ctx, found, "*")
			return err
		}
	}
	for _, row := range []struct {
		says, hint string
		spoil      func(context.Context, provisioning.Cloud) error
	}{
		{"The enrollment " + benchDevice + " is disabled", "Enable it", change(func(e *wire.IndividualEnrollment) { e.ProvisioningStatus = wire.StatusDisabled })},
		{"endorsement key of another TPM", "tpm ek", change(func(e *wire.IndividualEnrollment) { e.Attestation.TPM.EndorsementKey = other.EK.Base64() })},
		{"another storage root key", "tpm ek", change(func(e *wire.IndividualEnrollment) { e.Attestation.TPM.StorageRootKey = other.SRK.Base64() })},
		{"is not there any more", "Try again", func(ctx context.Context, cloud provisioning.Cloud) error {
			return cloud.DPS.DeleteEnrollment(ctx, false, benchDevice)
		}},
	} {
		a.decorate = func(p provisioning.Ports) provisioning.Ports {
			p = plain(p)
			cloud := p.Cloud
			p.Machine = spoiledMachine{p.Machine, func(ctx context.Context) error { return row.spoil(ctx, cloud) }}
			return p
		}
		out := a.Provision(t.Context(), r, nil)
		if out.Outcome != provisioning.RunFailed || out.Error == nil || out.Error.Kind != "unauthorized" || !strings.Contains(out.Error.Message, row.says) || !strings.Contains(out.Error.Hint, row.hint) {
			t.Errorf("%s: %+v %+v", row.says, out, out.Error)
		}
		a.decorate = plain
		if undone, _, err := a.Undo(t.Context(), out.Run, Access{}, nil); err != nil || undone[0].Outcome != provisioning.RunUndone {
			t.Fatalf("%s: undo %+v %v", row.says, undone, err)
		}
	}

	if out := a.Provision(t.Context(), r, nil); out.Outcome != provisioning.RunSucceeded {
		t.Fatalf("%+v", out.Error)
	}
	cloud, release, err := a.cloudOf(t.Context(), r.Plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	client := cloud.Hub.(registry).client
	device, err := client.Device(t.Context(), benchDevice)
	if err != nil {
		t.Fatal(err)
	}
	device.Status = wire.StatusDisabled
	if _, err := client.UpdateDevice(t.Context(), device, "*"); err != nil {
		t.Fatal(err)
	}
	out := a.Provision(t.Context(), r, nil)
	if out.Outcome != provisioning.RunFailed || out.Error == nil || !strings.Contains(out.Error.Message, "The device "+benchDevice+" is disabled in hub.practice.test") {
		t.Errorf("%+v %+v", out, out.Error)
	}
}

// A collected key is enrolled without its TPM; the run says what it is not.
func TestCollectedKeyIsEnrolled(t *testing.T) {
	t.Parallel()
	b, a := openBench(t, "individual")
	address := softChip(t)
	collected, err := a.Collect(t.Context(), CollectRequest{Targets: []CollectTarget{{Target: FolderTarget(t.TempDir()), TPM: address}}}, nil)
	if err != nil || collected.Collected != 1 {
		t.Fatal(collected, err)
	}
	id := collected.Keys[0].Key.ID
	r := b.tpmRequest(provisioning.TPMPlan{EndorsementKey: "catalog:" + id[:12]})
	out := a.Provision(t.Context(), r, nil)
	if out.Outcome != provisioning.RunConfigured || out.Proof.How != provisioning.ProofNone || !strings.Contains(out.Proof.Reason, "from the catalog") {
		t.Fatalf("%+v %+v", out, out.Error)
	}
	// The device itself is let in with it later.
	r = b.tpmRequest(provisioning.TPMPlan{At: address})
	if out := a.Provision(t.Context(), r, nil); out.Outcome != provisioning.RunSucceeded || out.Changed {
		t.Errorf("%+v %+v", out, out.Error)
	}
	r = b.tpmRequest(provisioning.TPMPlan{EndorsementKey: "catalog:nothing"})
	if out := a.Provision(t.Context(), r, nil); out.Error == nil || out.Error.Kind != "not-found" {
		t.Errorf("%+v", out.Error)
	}
}

// Each line of a list may have a TPM, or a collected key, of its own.
func TestListOfTPMs(t *testing.T) {
	t.Parallel()
	b, a := openBench(t, "individual")
	plan := b.tpmRequest(provisioning.TPMPlan{}).Plan
	one, two := t.TempDir(), t.TempDir()
	list := "target,id,tpm,endorsement_key\n" + FolderTarget(one) + ",press-1," + softChip(t) + ",\n" + FolderTarget(two) + ",press-2,,catalog:none\n"
	rows, findings, err := ReadRows(strings.NewReader(list), plan)
	if err != nil || len(rows) != 2 || findings.Errors() {
		t.Fatal(rows, findings, err)
	}
	out := a.ProvisionMany(t.Context(), rows, Many{Parallel: 2}, nil)
	if out.Succeeded != 1 || out.Failed != 1 || out.Runs[0].Proof.How != provisioning.ProofPlayed || out.Runs[1].Error == nil || out.Runs[1].Error.Kind != "not-found" {
		t.Errorf("%+v", out)
	}
}

// The TPM of a practice device is that of the target.
func TestTPMCellOnAPracticeDevice(t *testing.T) {
	t.Parallel()
	b, a := openBench(t, "individual")
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	const name = "press-1"
	r := b.tpmRequest(provisioning.TPMPlan{})
	r.Target = PracticeTarget(name)
	if out := a.Provision(t.Context(), r, nil); out.Outcome != provisioning.RunFailed || out.Error == nil || out.Error.Hint == "" {
		t.Errorf("without a TPM: %+v %+v", out, out.Error)
	}
	if err := a.SwitchSoftwareTPM(t.Context(), name, true); err != nil {
		t.Fatal(err)
	}
	out := a.Provision(t.Context(), r, nil)
	if out.Outcome != provisioning.RunSucceeded || out.Proof.How != provisioning.ProofPlayed {
		t.Fatalf("%+v %+v", out, out.Error)
	}
	if again := a.Provision(t.Context(), r, nil); again.Outcome != provisioning.RunSucceeded || again.Changed {
		t.Errorf("%+v %+v", again, again.Error)
	}
	if undone, _, err := a.Undo(t.Context(), out.Run, Access{}, nil); err != nil || undone[0].Outcome != provisioning.RunUndone {
		t.Errorf("%+v %v", undone, err)
	}
}
