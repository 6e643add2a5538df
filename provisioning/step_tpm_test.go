package provisioning

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"edgewright/provisioning/edgeconfig"
)

func tpmWay() Plan { return ways()["tpm"] }

// Whatever may be wrong with a TPM or its enrollment has its own text, stops
// before anything is made, and shows in the preview.
func TestTPMRefusals(t *testing.T) {
	for _, row := range []struct {
		name  string
		runs  bool
		spoil func(w *world, p *Plan)
		kind  error
		field string
		says  []string
	}{
		{"does not open", false, func(w *world, _ *Plan) {
			w.chip.closed = &Error{Kind: ErrBusy, Field: "tpm.at", Message: "Another program holds it.", Hint: "Stop it."}
		}, ErrBusy, "tpm.at", []string{"holds it", "Stop it"}},
		{"hierarchy password", false, func(w *world, _ *Plan) { w.chip.findings = []string{"A password is set."} }, ErrRefused, "tpm.endorsement_auth", []string{"A password is set", "Mend it"}},
		{"closed to the service", true, func(w *world, _ *Plan) { w.chip.node = errNoPermission }, ErrRefused, "tpm.at", []string{"aziottpm", "/dev/tpmrm0", "tpmaccess.rules"}},
		{"closed behind the second node", true, func(w *world, _ *Plan) { w.chip.node, w.chip.user = ErrNotFound, errNoPermission }, ErrRefused, "tpm.at", []string{"/dev/tpm0"}},
		{"no node", true, func(w *world, _ *Plan) { w.chip.node, w.chip.user = ErrNotFound, ErrNotFound }, ErrRefused, "tpm.at", []string{"no node", "kernel driver"}},
		{"collected key that is not there", false, func(_ *world, p *Plan) { p.TPM = TPMPlan{EndorsementKey: "catalog:none"} }, ErrNotFound, "tpm.endorsement_key", []string{"none", "tpm list"}},
		{"another TPM", false, func(w *world, p *Plan) { enrolled(w, p, "EK of another", true) }, ErrConflict, "cloud", []string{"another TPM", "cleared"}},
		{"another template", false, func(w *world, p *Plan) { enrolled(w, p, "EK without unique of seed", true) }, ErrConflict, "cloud", []string{"another endorsement key of this TPM", "template other"}},
		{"another storage root key", false, func(w *world, p *Plan) {
			enrolled(w, p, "EK of seed", true)
			e := w.enrollments[key(false, "line-7")]
			e.StorageRoot = []byte("SRK of another")
			w.enrollments[key(false, "line-7")] = e
		}, ErrConflict, "cloud", []string{"storage root key"}},
		{"disabled", false, func(w *world, p *Plan) { enrolled(w, p, "EK of seed", false) }, ErrConflict, "cloud", []string{"disabled"}},
		{"enrolled under another name", false, func(w *world, p *Plan) {
			named := *p
			named.Device.ID = endorsementKey(w.chip.key(), nil).Base32
			enrolled(w, &named, "EK of seed", true)
		}, ErrConflict, "tpm.registration_id", []string{"b32-", "existing"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, plan := newWorld(row.runs), tpmWay()
			row.spoil(w, &plan)
			before := w.picture()
			preview, err := LookFirst(t.Context(), w.ports(), plan)
			if err != nil || !preview.Refused() {
				t.Fatalf("preview %+v %v", preview, err)
			}
			text, fields := "", ""
			for _, f := range preview.Findings {
				text += f.Problem + f.Fix
				fields += f.Field
			}
			out := w.provision(t, "r1", plan)
			if out.Outcome != RunFailed || out.Error == nil || out.Error.Kind != View(row.kind).Kind {
				t.Fatalf("outcome %+v %+v", out, out.Error)
			}
			for _, part := range row.says {
				if !strings.Contains(out.Error.Message+out.Error.Hint, part) || !strings.Contains(text, part) || fields != row.field {
					t.Errorf("%q is not said: %+v; preview %q %s", part, out.Error, text, fields)
				}
			}
			if w.lock = ""; w.picture() != before || w.chip.open != 0 {
				t.Errorf("something changed:\n%s\n%s", before, w.picture())
			}
		})
	}
}

// enrolled makes an enrollment of the plan's device for a key.
func enrolled(w *world, p *Plan, endorsementKey string, enabled bool) {
	w.enrollments[key(false, p.Device.ID)] = Enrollment{Name: p.Device.ID, DeviceID: "line-7", Edge: true, Enabled: enabled, Authentication: TPM, EndorsementKey: []byte(endorsementKey)}
}

func TestTPMEnrollmentIsFoundByItsKeyAndAdopted(t *testing.T) {
	w, plan := newWorld(false), tpmWay()
	plan.Cloud.Existing = Adopt
	named := plan
	named.Device.ID = endorsementKey(w.chip.key(), nil).Base32
	enrolled(w, &named, "EK of seed", true)
	before := w.picture()
	if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded || w.creates != 0 {
		t.Fatalf("outcome %+v %+v, %d made", out, out.Error, w.creates)
	}
	config, err := edgeconfig.Read(w.files[ConfigPath].Data.Reveal())
	if err != nil || config.Provisioning.Attestation.RegistrationID != named.Device.ID {
		t.Errorf("registers as %q, %v", config.Provisioning.Attestation.RegistrationID, err)
	}
	run := w.journal["r1"]
	runner := Runner{Ports: w.ports()}
	if out := runner.Undo(t.Context(), &run); out.Outcome != RunUndone || w.picture() != before {
		t.Errorf("undo: %+v\n%s\n%s", out, before, w.picture())
	}
}

func TestCollectedKeyEndsConfigured(t *testing.T) {
	for _, runs := range []bool{false, true} {
		w, plan := newWorld(runs), tpmWay()
		plan.TPM = TPMPlan{EndorsementKey: "catalog:collected", RegistrationID: RegisterAsHex}
		plan = plan.WithDefaults()
		out := w.provision(t, "r1", plan)
		if runs { // its own service has the TPM
			if out.Outcome != RunSucceeded || out.Proof.How != ProofRuntime {
				t.Errorf("outcome %+v %+v", out, out.Error)
			}
		} else if out.Outcome != RunConfigured || out.Proof.How != ProofNone || out.Proof.Reason != reasonCollected || out.Error != nil {
			t.Errorf("outcome %+v %+v", out, out.Error)
		}
		if w.chip.opened != 0 || len(w.enrollments) != 1 {
			t.Errorf("opened %d times, %d enrollments", w.chip.opened, len(w.enrollments))
		}
	}
}

// A device that is in use is never registered anew by Edgewright, which would
// take its key away.
func TestUnchangedServiceIsNotPlayed(t *testing.T) {
	w, plan := newWorld(true), tpmWay()
	if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded {
		t.Fatalf("%+v", out.Error)
	}
	kept := string(w.chip.kept)
	w.effect = func(name string, do func()) {
		if name == "register" {
			t.Error("registered anew")
		}
		do()
	}
	if out := w.provision(t, "r2", plan); out.Outcome != RunSucceeded || out.Changed || string(w.chip.kept) != kept {
		t.Errorf("%+v %+v", out, out.Error)
	}
	w.chip.kept = nil // a service that keeps its key elsewhere
	w.now = w.now.Add(1 << 40)
	if out := w.provision(t, "r3", plan); out.Outcome != RunConfigured || out.Proof.Reason == "" {
		t.Errorf("%+v %+v", out, out.Error)
	}
}

// Each cause of a refusal at the proof has its own text, found by comparing.
func TestWhyTPMIsRefused(t *testing.T) {
	for _, row := range []struct {
		name, says string
		spoil      func(w *world)
	}{
		{"enrollment gone", "not there any more", func(w *world) { w.enrollments = map[string]Enrollment{} }},
		{"enrollment disabled", "enrollment line-7 is disabled", change(func(e *Enrollment) { e.Enabled = false })},
		{"enrollment for another EK", "another TPM", change(func(e *Enrollment) { e.EndorsementKey = []byte("EK of another") })},
		{"attests otherwise", "attests by x509", change(func(e *Enrollment) { e.Authentication = X509 })},
		{"device disabled", "device line-7 is disabled", func(w *world) {
			w.identities["line-7"] = Identity{DeviceID: "line-7", Edge: true, Authentication: "sas"}
		}},
	} {
		w := newWorld(false)
		spoiled := false
		w.effect = func(name string, do func()) {
			do()
			if name == "place" && !spoiled {
				spoiled = true
				row.spoil(w)
			}
		}
		out := w.provision(t, "r1", tpmWay())
		if out.Outcome != RunFailed || out.Error == nil || !strings.Contains(out.Error.Message, row.says) || out.Error.Hint == "" {
			t.Errorf("%s: %+v %+v", row.name, out, out.Error)
		}
		if w.chip.open != 0 || w.chip.loaded != 0 {
			t.Errorf("%s: %d open, %d loaded", row.name, w.chip.open, w.chip.loaded)
		}
	}
}

func change(how func(*Enrollment)) func(*world) {
	return func(w *world) {
		e := w.enrollments[key(false, "line-7")]
		how(&e)
		w.enrollments[key(false, "line-7")] = e
	}
}

func TestTPMShownAndNamed(t *testing.T) {
	w, plan := newWorld(true), ways()["tpm base32"]
	preview, err := LookFirst(t.Context(), w.ports(), plan)
	if err != nil || preview.Refused() || preview.TPM == nil || preview.TPM.RegistrationID == "" || preview.TPM.EndorsementKey != endorsementKey(w.chip.key(), nil).Hex {
		t.Fatalf("%+v %v", preview, err)
	}
	if raw, err := preview.MarshalJSON(); err != nil || strings.Contains(string(raw), "c2VjcmV0LWtleS1ieXRlcyEh") {
		t.Errorf("the preview shows the password: %s %v", raw, err)
	}
	if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded {
		t.Fatalf("%+v", out.Error)
	}
	run := w.journal["r1"]
	for _, step := range run.Steps {
		if text := step.Summary + string(step.Undo); strings.Contains(text, "c2VjcmV0LWtleS1ieXRlcyEh") {
			t.Errorf("step %s has the password: %s", step.Name, text)
		}
	}
	runner := Runner{Ports: w.ports()}
	out := runner.Undo(t.Context(), &run)
	if out.Outcome != RunUndone || !strings.Contains(fmt.Sprint(out.Notes), "0x81000100") || w.chip.kept == nil {
		t.Errorf("undo: %+v", out)
	}
}

func TestConfigOfTPMPlan(t *testing.T) {
	plan := ways()["tpm base32"]
	text, err := ConfigOf(plan, newWorld(false).ports().Cloud)
	if err != nil || !strings.Contains(string(text), "method = \"tpm\"") || !strings.Contains(string(text), "tcti = \"device\"") {
		t.Errorf("%v\n%s", err, text)
	}
	plan.TPM, plan.Runtime.Version = TPMPlan{}, "1.3"
	if text, err = ConfigOf(plan, newWorld(false).ports().Cloud); err != nil || strings.Contains(string(text), "[tpm]") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestSecretThatIsNoPassword(t *testing.T) {
	w, plan := newWorld(false), tpmWay()
	plan.TPM.OwnerAuth = "vault:login" // ends with a line break
	out := w.provision(t, "r1", plan)
	if out.Error == nil || !strings.Contains(out.Error.Message, "one line") || strings.Contains(out.Error.Detail, "plant:secret") {
		t.Errorf("%+v", out.Error)
	}
	if err := (&Preview{}).addRefusal("tpm", errors.New("broken")); err == nil || errors.Is(err, errPreviewEnds) {
		t.Error("a failed look is no finding")
	}
}
