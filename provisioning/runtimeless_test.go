package provisioning

import (
	"slices"
	"strings"
	"testing"

	"edgewright/provisioning/finding"
)

// runtimeless is a world whose device runs commands and has no runtime.
func runtimeless() *world {
	w := newWorld(true)
	w.facts.NoRuntime, w.facts.Runtime = true, ""
	w.facts.Lacking.Add(finding.Error, "runtime", "The IoT Edge runtime is not installed", "Install it.")
	w.facts.Lacking.Add(finding.Error, "engine", "No container engine is installed", "Install one.")
	return w
}

// TestBornKeyIsProvenWithoutARuntime: the handshakes run here, each signature is
// made by the device, and nothing of a runtime is asked.
func TestBornKeyIsProvenWithoutARuntime(t *testing.T) {
	for name, plan := range ways() {
		if !plan.provenByKeyAlone() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := runtimeless()
			before := w.picture()
			ports := w.ports()
			ports.Machine = unreadMachine{fakeMachine{w}, t}
			p, err := LookFirst(t.Context(), ports, plan)
			if err != nil || p.Refused() || len(p.Actions) > 0 {
				t.Fatalf("preview: %+v, %+v, %v", p.Findings, p.Actions, err)
			}
			for _, wanted := range []finding.Finding{{Field: "runtime", Level: finding.Care}, {Field: "engine", Level: finding.Care}, {Field: "proof", Level: finding.Note}} {
				if !slices.ContainsFunc(p.Findings, func(f finding.Finding) bool { return f.Field == wanted.Field && f.Level == wanted.Level && f.Fix != "" }) {
					t.Errorf("no finding %s of %s among %+v", wanted.Level, wanted.Field, p.Findings)
				}
			}
			run := func(id string) Outcome {
				return (&Runner{Ports: ports}).Provision(t.Context(), &Run{ID: id, Plan: plan, Target: "x", Started: w.now})
			}
			out := run("r1")
			if out.Outcome != RunSucceeded || out.Proof.How != ProofPlayed || !out.Proof.Device || !out.Proof.Cloud || out.Proof.Reason != "" {
				t.Fatalf("%+v %+v", out, out.Error)
			}
			if out := run("r2"); out.Outcome != RunSucceeded || out.Changed || out.Proof.How != ProofPlayed {
				t.Errorf("again: %+v %+v", out, out.Error)
			}
			if len(w.acts) > 0 {
				t.Errorf("the runtime that is not there is asked: %v", w.acts)
			}
			stored := w.journal["r1"]
			if out := (&Runner{Ports: ports}).Undo(t.Context(), &stored); out.Outcome != RunUndone || len(w.acts) > 0 {
				t.Errorf("undo: %+v %+v, %v", out, out.Error, w.acts)
			}
			if after := w.picture(); withoutKept(after) != withoutKept(before) {
				t.Errorf("undone:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

// What only a runtime can prove is refused as before, in words of what is missing.
func TestWhatNeedsARuntimeIsRefusedWithoutOne(t *testing.T) {
	workstation := ways()["manual x509"]
	workstation.X509.Key = KeyOnWorkstation
	for name, c := range map[string]struct {
		plan     Plan
		obstacle string
	}{
		"a symmetric key": {ways()["manual"], ""}, "a key of this computer": {workstation, ""}, "no openssl": {ways()["manual x509"], "it has no openssl"},
		"an identity by EST": {ways()["group est"], ""},
	} {
		w := runtimeless()
		w.noKeys = c.obstacle
		p, err := LookFirst(t.Context(), w.ports(), c.plan)
		if err != nil || !p.Refused() {
			t.Errorf("%s: the preview goes on: %+v %v", name, p.Findings, err)
		}
		out := w.provision(t, "r1", c.plan)
		if out.Outcome != RunFailed || out.Error == nil || !strings.Contains(out.Error.Message, "runtime is not installed") || out.Changed {
			t.Errorf("%s: %+v %+v", name, out, out.Error)
		}
	}
	plan := ways()["manual x509"]
	w := provisioned(t, plan, true)
	w.facts = runtimeless().facts
	if out := w.rotate(t, plan, Rotation{What: RoleIdentity}); out.Outcome != RunFailed || !strings.Contains(out.Error.Message, "runtime is not installed") {
		t.Errorf("a rotation: %+v %+v", out, out.Error)
	}
}
