package provisioning

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/secret"
)

// ways are the plans whose steps this package has, on both kinds of targets.
func ways() map[string]Plan {
	manual := Plan{Device: DevicePlan{ID: "line-7", Tags: map[string]any{"line": int64(7)}}, Cell: Cell{Linux, Manual, SymmetricKey}}
	individual := Plan{Device: DevicePlan{ID: "line-7"}, Cell: Cell{Linux, DPS, SymmetricKey}}
	group := individual
	group.Cloud.Group = "line"
	all := map[string]Plan{"manual": manual, "individual": individual, "group": group}
	for name, plan := range maps.Clone(all) {
		plan.Cell.Authentication = X509
		if name == "manual" {
			all["manual self-signed"] = plan
		}
		plan.X509 = X509Plan{Source: SourceIssue, CA: "Plant issuing"}
		plan.EdgeCA = &EdgeCAPlan{CA: "Plant issuing"}
		plan.TrustBundle.Certificates = []string{"Plant root"}
		all[name+" x509"] = plan
	}
	all["group est"] = estWay()
	onboarded := all["group x509"]
	onboarded.X509.Anchor, onboarded.X509.Uploaded, onboarded.X509.Onboard = AnchorUploaded, "plant", true
	all["group onboarded"] = onboarded
	byHand := all["manual x509"]
	byHand.X509.Anchor, byHand.X509.Uploaded, byHand.X509.Onboard = AnchorUploaded, "plant", true
	all["manual onboarded"] = byHand
	byTPM := individual
	byTPM.Cell.Authentication = TPM
	all["tpm"] = byTPM
	byTPM.TPM = TPMPlan{At: "unix:/s", RegistrationID: RegisterAsBase32, EndorsementAuth: "vault:known", OwnerAuth: "vault:known"}
	all["tpm base32"] = byTPM
	for name, plan := range all {
		all[name] = plan.WithDefaults()
	}
	return all
}

func (w *world) provision(t *testing.T, id string, plan Plan) Outcome {
	t.Helper()
	runner := Runner{Ports: w.ports()}
	return runner.Provision(t.Context(), &Run{ID: id, Plan: plan, Target: "rootfs:///device", Started: w.now})
}

func TestRunEndsProven(t *testing.T) {
	for name, plan := range ways() {
		for _, runs := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/runs=%t", name, runs), func(t *testing.T) {
				w := newWorld(runs)
				out := w.provision(t, "r1", plan)
				if out.Outcome != RunSucceeded || !out.Changed || !out.Proof.Device || !out.Proof.Cloud {
					t.Fatalf("outcome %+v, error %+v", out, out.Error)
				}
				if want := map[bool]string{false: ProofPlayed, true: ProofRuntime}[runs]; out.Proof.How != want {
					t.Errorf("proof how = %q, want %q", out.Proof.How, want)
				}
				if w.lock != "" || len(w.locks) != 0 {
					t.Errorf("locks are left: %q %v", w.lock, w.locks)
				}

				creates, files := w.creates, w.files[ConfigPath]
				again := w.provision(t, "r2", plan)
				if again.Outcome != RunSucceeded || again.Changed {
					t.Errorf("second run: %+v, want succeeded and unchanged; error %+v", again, again.Error)
				}
				if w.creates != creates || !w.files[ConfigPath].Data.Equal(files.Data) {
					t.Error("second run wrote something")
				}
			})
		}
	}
}

// The practice cloud speaks no AMQP, edgeAgent's default; Azure's does.
func TestPracticePlansSpeakMQTT(t *testing.T) {
	for name, plan := range ways() {
		for _, practice := range []bool{true, false} {
			w := newWorld(false)
			runner := Runner{Ports: w.ports()}
			runner.Ports.Cloud.Practice = practice
			runner.Provision(t.Context(), &Run{ID: "r1", Plan: plan, Target: "rootfs:///device", Started: w.now})
			read, err := edgeconfig.Read(w.files[ConfigPath].Data.Reveal())
			if want := map[bool]string{true: "Mqtt"}[practice]; err != nil || read.Agent.Env["UpstreamProtocol"] != want {
				t.Errorf("%s, practice %v: %q, %v", name, practice, read.Agent.Env, err)
			}
			for _, found := range edgeconfig.Lint(w.files[ConfigPath].Data.Reveal(), "1.6") {
				if found.Level == edgeconfig.LevelError && strings.HasPrefix(found.Field, "agent") {
					t.Errorf("%s, practice %v: the runtime refuses line %d: %s", name, practice, found.Line, found.Problem)
				}
			}
		}
	}
}

func TestTheAgentOfTheDeviceStaysItsOwn(t *testing.T) {
	before := "[provisioning]\nsource = \"dps\"\nid_scope = \"0\"\n[provisioning.attestation]\nmethod = \"symmetric_key\"\nregistration_id = \"d\"\n" +
		"symmetric_key = { value = \"not base64\" }\n[agent]\nname = \"edgeAgent\"\ntype = \"docker\"\nconfig = { image = \"plant.example/agent:7\" }\n"
	x := &Execution{Run: &Run{Plan: ways()["group"].WithDefaults()}, Ports: Ports{Cloud: Cloud{Practice: true}}}
	changes := edgeconfig.Changes{}
	x.agentChanges(&changes, []byte(before))
	after, err := edgeconfig.Apply([]byte(before), changes)
	if err != nil || !strings.Contains(string(after), `image = "plant.example/agent:7"`) || !strings.Contains(string(after), `UpstreamProtocol = "Mqtt"`) {
		t.Errorf("%v\n%s", err, after)
	}
}

func TestUndoPutsEverythingBack(t *testing.T) {
	for name, plan := range ways() {
		for _, runs := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/runs=%t", name, runs), func(t *testing.T) {
				w := newWorld(runs)
				before := w.picture()
				if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded {
					t.Fatalf("outcome %+v", out.Error)
				}
				run := w.journal["r1"]
				runner := Runner{Ports: w.ports()}
				if out := runner.Undo(t.Context(), &run); out.Outcome != RunUndone || out.Error != nil {
					t.Fatalf("undo: %+v %+v", out, out.Error)
				}
				if after := w.picture(); after != before {
					t.Errorf("after undo:\n%s\nbefore:\n%s", after, before)
				}
			})
		}
	}
}

// killed is the panic that stands for kill -9.
type killed struct{}

// TestKilledAnywhereResumes cuts a run before and after each of its effects,
// takes up what is in the journal, and expects the end of an unbroken run.
func TestKilledAnywhereResumes(t *testing.T) {
	for name, plan := range ways() {
		for _, runs := range []bool{false, true} {
			whole := newWorld(runs)
			effects := 0
			whole.effect = func(_ string, do func()) { effects++; do() }
			if out := whole.provision(t, "r1", plan); out.Outcome != RunSucceeded {
				t.Fatalf("%s: %+v", name, out.Error)
			}
			for cut := range effects {
				for _, after := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/runs=%t/%d/after=%t", name, runs, cut, after), func(t *testing.T) {
						w := newWorld(runs)
						where := w.cutAt(cut, after, func() { w.provision(t, "r1", plan) })
						run, journaled := w.journal["r1"]
						if !journaled {
							run = Run{ID: "r1", Plan: plan, Started: w.now}
						}
						if run.State.Ended() && run.State != "" {
							return // cut after the last write: nothing is left to do
						}
						out := (&Runner{Ports: w.ports()}).Provision(t.Context(), &run)
						if out.Outcome != RunSucceeded || !out.Changed {
							t.Fatalf("cut at %s: resumed run %+v %+v", where, out, out.Error)
						}
						if w.picture() != whole.picture() || w.creates != 1 {
							t.Errorf("cut at %s: %d creates,\n%s\nwant 1,\n%s", where, w.creates, w.picture(), whole.picture())
						}
						run = w.journal["r1"]
						empty := newWorld(runs).picture()
						if out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run); out.Outcome != RunUndone || w.picture() != empty {
							t.Errorf("cut at %s: undo %+v left\n%s", where, out, w.picture())
						}
					})
				}
			}
		}
	}
}

// TestKilledWhileUndoingResumes does the same with the undo.
func TestKilledWhileUndoingResumes(t *testing.T) {
	for name, plan := range ways() {
		for _, runs := range []bool{false, true} {
			for cut := range 60 {
				w := newWorld(runs)
				empty := w.picture()
				w.provision(t, "r1", plan)
				run := w.journal["r1"]
				where := w.cutAt(cut/2, cut%2 == 1, func() { (&Runner{Ports: w.ports()}).Undo(t.Context(), &run) })
				if where == "" {
					break
				}
				again := w.journal["r1"]
				out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &again)
				if out.Outcome != RunUndone || w.picture() != empty {
					t.Errorf("%s runs=%t cut at %s: %+v left\n%s", name, runs, where, out, w.picture())
				}
			}
		}
	}
}

// cutAt runs do and ends it by a panic at effect n; it returns where, or "".
func (w *world) cutAt(n int, after bool, do func()) (where string) {
	seen := 0
	w.effect = func(name string, act func()) {
		seen++
		if seen-1 != n {
			act()
			return
		}
		where = name
		if after {
			act()
		}
		panic(killed{})
	}
	defer func() {
		w.effect = func(_ string, do func()) { do() }
		w.locks = map[string]string{} // a dead holder's locks are taken over
		clear(w.active)               // a practice cloud keeps times for later, and died too
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
		}
	}()
	do()
	return where
}

func TestExistingIsRefusedOrAdopted(t *testing.T) {
	plan := ways()["manual"]
	w := newWorld(false)
	w.identities["line-7"] = Identity{DeviceID: "line-7", Edge: true, Enabled: true, Authentication: "sas", Primary: secret.FromString("another-key-of-mine")}
	out := w.provision(t, "r1", plan)
	if out.Outcome != RunFailed || out.Error.Kind != "conflict" || out.Changed {
		t.Fatalf("different tags: %+v %+v", out, out.Error)
	}
	plan.Cloud.Existing = Adopt
	if out := w.provision(t, "r2", plan); out.Outcome != RunSucceeded {
		t.Fatalf("adopt: %+v", out.Error)
	}
	run := w.journal["r2"]
	(&Runner{Ports: w.ports()}).Undo(t.Context(), &run)
	if _, ok := w.identities["line-7"]; !ok {
		t.Error("undo removed an adopted device")
	}

	group := ways()["group"]
	group.Cloud.Existing = Adopt
	w.enrollments[key(true, "line")] = Enrollment{Group: true, Name: "line", Enabled: true, Authentication: SymmetricKey, Primary: secret.FromString("group")}
	if out := w.provision(t, "r3", group); out.Outcome != RunFailed || !strings.Contains(out.Error.Message, "edge capability") {
		t.Errorf("group without edge: %+v %+v", out, out.Error)
	}
}

func TestCancelPutsEverythingBack(t *testing.T) {
	for name, plan := range ways() {
		w := newWorld(true)
		empty := w.picture()
		ctx, cancel := context.WithCancelCause(t.Context())
		w.effect = func(name string, do func()) {
			do()
			if name == string(ActConfigApply) {
				cancel(ErrCancelRun)
			}
		}
		out := (&Runner{Ports: w.ports()}).Provision(ctx, &Run{ID: "r1", Plan: plan, Started: w.now})
		if out.Outcome != RunCancelled || w.picture() != empty {
			t.Errorf("%s: %+v left\n%s", name, out, w.picture())
		}
	}
}

func TestSecondRunIsRefused(t *testing.T) {
	w := newWorld(false)
	w.lock = "0007"
	out := w.provision(t, "r1", ways()["manual"])
	if out.Outcome != RunFailed || out.Error.Kind != "busy" || !strings.Contains(out.Error.Message, "0007") || w.creates != 0 {
		t.Errorf("%+v %+v, %d creates", out, out.Error, w.creates)
	}
}

func TestPreviewWritesNothing(t *testing.T) {
	for name, plan := range ways() {
		w := newWorld(true)
		w.effect = func(name string, _ func()) { t.Errorf("preview did %s", name) }
		p, err := LookFirst(t.Context(), w.ports(), plan)
		if err != nil || p.Refused() || !p.Changed() || len(p.Files) == 0 || len(p.Actions) == 0 {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
}

func TestUndoNamesWhatItMayNotRemove(t *testing.T) {
	w := newWorld(false)
	group := ways()["group"]
	w.provision(t, "r1", group)
	second := group
	second.Device.ID = "line-8"
	w.provision(t, "r2", second)
	run := w.journal["r1"]
	out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run)
	if out.Outcome != RunPartlyUndone || len(out.Left) != 1 || !strings.Contains(out.Left[0], "line") {
		t.Errorf("%+v", out)
	}
	if _, ok := w.identities["line-7"]; ok {
		t.Error("the device's own identity is left")
	}
	run, other := w.journal["r1"], w.journal["r2"]
	if out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run); out.Outcome != RunPartlyUndone || out.Changed || len(out.Left) != 1 {
		t.Errorf("undone again while it is used: %+v", out)
	}
	(&Runner{Ports: w.ports()}).Undo(t.Context(), &other)
	if out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run); out.Outcome != RunUndone || !out.Changed || len(w.enrollments) != 0 {
		t.Errorf("undone when nobody uses the group: %+v", out)
	}
}

func TestViewKeepsPartsApart(t *testing.T) {
	cause := errors.New("TLS handshake")
	err := fmt.Errorf("make device a: %w", &Error{Kind: ErrUnauthorized, Message: "The key is not valid.", CorrelationID: "7f1c", Err: cause})
	view := View(err)
	if view.Kind != "unauthorized" || view.Message != "The key is not valid." || view.CorrelationID != "7f1c" || view.Hint == "" || !strings.Contains(view.Detail, "TLS") {
		t.Errorf("%+v", view)
	}
	if !errors.Is(err, cause) || !errors.Is(err, ErrUnauthorized) {
		t.Error("kind or cause is lost")
	}
}
