package provisioning

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// take is what a runtime does when a configuration is applied: from then on it
// uses the pairs that are named.
func (m fakeMachine) take() {
	x := newExecution(m.w.ports(), &Run{Plan: Plan{Cell: Cell{Linux, Manual, X509}}}, nil)
	m.w.inUse, _, _ = x.readHeld(context.Background(), RoleIdentity)
	m.w.edgeCA, _, _ = x.readHeld(context.Background(), RoleEdgeCA)
}

// ShownTLS is edgeHub with a server certificate below the Edge CA in use.
func (m fakeMachine) ShownTLS(_ context.Context, address string) ([]*x509.Certificate, error) {
	if address != "127.0.0.1:8883" {
		return nil, errors.New("connection refused")
	}
	profile, _ := pki.ProfileByName("server")
	key := m.w.edgeCA.Signer
	if key == nil {
		return nil, ErrInvalid
	}
	by := pki.Issuer{Certificate: m.w.edgeCA.Leaf(), Chain: m.w.edgeCA.Chain[1:], Signer: key}
	return append(issuedBy(by, profile, "edgehub", 1).Chain[:1], m.w.edgeCA.Chain...), nil
}

// rotations are the plans that have something to rotate, and what.
func rotations() map[string]struct {
	plan Plan
	what CertificateRole
} {
	type rotation = struct {
		plan Plan
		what CertificateRole
	}
	all := map[string]rotation{}
	for name, plan := range ways() {
		if (Rotation{What: RoleIdentity}).Refuses(plan) == nil {
			all[name+"/identity"] = rotation{plan, RoleIdentity}
		}
		plan.EdgeCA = &EdgeCAPlan{CA: "Plant issuing"}
		all[name+"/edge-ca"] = rotation{plan.WithDefaults(), RoleEdgeCA}
	}
	short := all["manual self-signed/identity"]
	short.plan.X509.Thumbprint = ThumbprintSHA1
	all["manual self-signed sha1/identity"] = short
	no := false
	short.plan.X509.Secondary = &no
	all["manual self-signed without spare/identity"] = short
	return all
}

// rotate carries out, or takes up, the run r2.
func (w *world) rotate(t *testing.T, plan Plan, r Rotation) Outcome {
	t.Helper()
	run, there := w.journal["r2"]
	if !there {
		run = Run{ID: "r2", Plan: plan, Rotate: &r, Target: "rootfs:///device", Started: w.now}
	}
	runner := Runner{Ports: w.ports()}
	return runner.Provision(t.Context(), &run)
}

// provisioned is a world with a device of the plan.
func provisioned(t *testing.T, plan Plan, runs bool) *world {
	t.Helper()
	w := newWorld(runs)
	w.edgeHub = runs
	if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded {
		t.Fatalf("provision: %+v", out.Error)
	}
	return w
}

// probe calls the cloud with the pair in use around each effect of a rotation:
// with that of the runtime's last configuration, or on a folder with that of
// the configuration. It has to be let in each time, and its files be there.
func (w *world) probe(t *testing.T, plan Plan) {
	cut := w.effect
	check := func(when string) {
		in := w.inUse
		if !w.runs {
			m := fakeMachine{w}
			m.take()
			in, w.inUse = w.inUse, Pair{}
		}
		if plan.Cell.Authentication != X509 {
			return
		}
		for _, path := range []string{in.CertificatePath, in.KeyPath} {
			// An undo puts all files back at once, just before it applies them.
			if !w.files[path].Exists && w.journal["r2"].State == RunRunning {
				t.Errorf("%s: the pair in use has lost %s", when, path)
			}
		}
		if identity := w.identities[plan.Device.ID]; identity.Authentication == authSelfSigned && !knowsPair(identity.Thumbprints, in) {
			t.Errorf("%s: the hub refuses the pair in use", when)
		}
		if plan.Cell.Provisioning == DPS && !plan.ByGroup() {
			found, _ := fakeDPS{w}.Enrollment(t.Context(), false, plan.EnrollmentName())
			if !slices.Contains(found.Thumbprints, pki.SHA256(in.Leaf())) {
				t.Errorf("%s: DPS refuses the pair in use", when)
			}
		}
	}
	w.effect = func(name string, do func()) {
		check("before " + name)
		cut(name, do)
		check("after " + name)
	}
}

// state is the picture of a world with what a rotation changes.
func (w *world) state(t *testing.T, plan Plan) string {
	t.Helper()
	identity := w.identities[plan.Device.ID]
	read, err := edgeconfig.Read(w.files[ConfigPath].Data.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if plan.IssuedOnDevice() {
		identity.Thumbprints = nil // another one each time the device starts
	}
	return fmt.Sprint(w.picture(), len(w.superseded), identity.Thumbprints, w.secondaries[plan.EnrollmentName()] != nil,
		read.Provisioning.Attestation.Certificate.Cert, read.Provisioning.Authentication.Certificate.Cert, read.EdgeCA.Cert)
}

func TestRotationIsProven(t *testing.T) {
	for name, r := range rotations() {
		for _, runs := range []bool{false, true} {
			for _, newKey := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/runs=%t/new=%t", name, runs, newKey), func(t *testing.T) {
					w := provisioned(t, r.plan, runs)
					x := newExecution(w.ports(), &Run{Plan: r.plan}, nil)
					old, _, _ := x.readHeld(t.Context(), r.what)
					if r.what == RoleIdentity {
						w.probe(t, r.plan)
					}
					out := w.rotate(t, r.plan, Rotation{What: r.what, NewKey: newKey})
					want := RunSucceeded
					if r.what == RoleEdgeCA && !runs {
						want = RunConfigured
					}
					if out.Outcome != want || out.Error != nil {
						t.Fatalf("outcome %+v, error %+v", out, out.Error)
					}
					held, _, err := x.readHeld(t.Context(), r.what)
					if err != nil || held.Leaf().Equal(old.Leaf()) {
						t.Fatalf("the device has its old certificate, %v", err)
					}
					if same := pki.SamePublicKey(held.Leaf().PublicKey, old.Leaf().PublicKey); same == newKey {
						t.Errorf("the key is the same: %v", same)
					}
					for path := range w.files {
						// A key that never leaves the device has its certificate changed in its place.
						if path == old.CertificatePath || path == old.KeyPath && !(runs && !newKey) {
							t.Errorf("%s is still there", path)
						}
					}
					if identity := w.identities[r.plan.Device.ID]; r.what == RoleIdentity && identity.Authentication == authSelfSigned {
						if known(identity.Thumbprints, held.Leaf()) == "" || known(identity.Thumbprints, old.Leaf()) != "" {
							t.Errorf("the hub knows %q", identity.Thumbprints)
						}
						if length := len(identity.Thumbprints[0]); r.plan.X509.Thumbprint == ThumbprintSHA1 && length != 40 {
							t.Errorf("thumbprint of %d digits", length)
						}
					}
					if !w.superseded[pki.SHA256(old.Leaf())] {
						t.Error("the old certificate does not count as superseded")
					}
					// A plan that is provisioned again finds everything done.
					if again := w.provision(t, "r3", r.plan); again.Outcome != RunSucceeded || again.Changed {
						t.Errorf("provisioned again: %+v %+v", again, again.Error)
					}
				})
			}
		}
	}
}

func TestRotationIsUndone(t *testing.T) {
	for name, r := range rotations() {
		for _, runs := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/runs=%t", name, runs), func(t *testing.T) {
				w := provisioned(t, r.plan, runs)
				before := w.state(t, r.plan)
				if r.what == RoleIdentity {
					w.probe(t, r.plan)
				}
				w.rotate(t, r.plan, Rotation{What: r.what, NewKey: true})
				run := w.journal["r2"]
				runner := Runner{Ports: w.ports()}
				if out := runner.Undo(t.Context(), &run); out.Outcome != RunUndone || out.Error != nil {
					t.Fatalf("undo: %+v %+v", out, out.Error)
				}
				if after := w.state(t, r.plan); withoutKept(after) != withoutKept(before) {
					t.Errorf("after undo:\n%s\nbefore:\n%s", after, before)
				}
			})
		}
	}
}

// Where the device makes keys, neither those of before nor new ones travel; a plan
// that has them made on the workstation is rotated from there.
func TestRotatedKeysNeverTravel(t *testing.T) {
	for name, r := range rotations() {
		if r.plan.Cell.Authentication == TPM {
			continue
		}
		for _, newKey := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/new=%t", name, newKey), func(t *testing.T) {
				w := provisioned(t, r.plan, true)
				before := w.state(t, r.plan)
				ports := w.ports()
				ports.Machine = unreadMachine{fakeMachine{w}, t}
				rotation := &Rotation{What: r.what, NewKey: newKey}
				p, err := LookFirstAtRotation(t.Context(), ports, r.plan, *rotation)
				if says := map[bool]string{true: "made on the device and never leaves it", false: "with the key that is in use"}[newKey]; err != nil || !strings.Contains(p.Certificates[0].Detail, says) {
					t.Errorf("preview: %+v, %v", p.Certificates, err)
				}
				run := Run{ID: "r2", Plan: r.plan, Rotate: rotation, Target: "x", Started: w.now}
				if out := (&Runner{Ports: ports}).Provision(t.Context(), &run); out.Outcome != RunSucceeded {
					t.Fatalf("%+v %+v", out, out.Error)
				}
				if out := (&Runner{Ports: ports}).Undo(t.Context(), &run); out.Outcome != RunUndone {
					t.Fatalf("undo: %+v %+v", out, out.Error)
				}
				if after := w.state(t, r.plan); withoutKept(after) != withoutKept(before) {
					t.Errorf("after undo:\n%s\nbefore:\n%s", after, before)
				}
			})
		}
	}
	plan := ways()["manual x509"]
	plan.X509.Key = KeyOnWorkstation
	w := provisioned(t, plan, true)
	if out := w.rotate(t, plan, Rotation{What: RoleIdentity}); out.Outcome != RunSucceeded {
		t.Errorf("from the workstation: %+v %+v", out, out.Error)
	}
	if old := "/var/aziot/secrets/line-7.key.pem"; w.files[old].Exists {
		t.Errorf("from the workstation: %s is still there", old)
	}
	plan.X509.Key = KeyOnDevice
	w.noKeys = "it has no openssl"
	p, err := LookFirstAtRotation(t.Context(), w.ports(), plan, Rotation{What: RoleIdentity, NewKey: true})
	if err != nil || !p.Refused() || !strings.Contains(p.Findings[len(p.Findings)-1].Problem, "it has no openssl") {
		t.Errorf("without openssl: %+v %v", p.Findings, err)
	}
}

// A key that was made on the device goes with the undo of a rotation that was
// killed before it was used.
func TestKeyOfAKilledRotationIsRemoved(t *testing.T) {
	plan := ways()["individual x509"]
	w := provisioned(t, plan, true)
	before := w.state(t, plan)
	w.effect = func(name string, do func()) {
		do()
		if name == "make key" {
			panic(killed{})
		}
	}
	func() {
		defer func() { _ = recover() }()
		w.rotate(t, plan, Rotation{What: RoleIdentity, NewKey: true})
	}()
	w.effect = func(_ string, do func()) { do() }
	run := w.journal["r2"]
	if run.State != RunRunning || withoutKept(w.state(t, plan)) == withoutKept(before) {
		t.Fatalf("the run is %s; nothing was made before the kill", run.State)
	}
	if out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run); out.Outcome != RunUndone {
		t.Fatalf("%+v %+v", out, out.Error)
	}
	if after := w.state(t, plan); withoutKept(after) != withoutKept(before) {
		t.Errorf("after undo:\n%s\nbefore:\n%s", after, before)
	}
}

// withoutKept leaves the number of kept sets out.
func withoutKept(state string) string {
	head, rest, _ := strings.Cut(state, `"keys":`)
	_, tail, _ := strings.Cut(rest, "}")
	return head + tail
}

// A runtime that does not call the cloud with its new pair gets the old back.
func TestRotationWithoutProofIsPutBack(t *testing.T) {
	for name, r := range rotations() {
		if r.what != RoleIdentity {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := provisioned(t, r.plan, false)
			before := w.state(t, r.plan)
			w.probe(t, r.plan)
			runner := Runner{Ports: w.ports()}
			runner.Ports.Player = deafPlayer{runner.Ports.Player}
			out := runner.Provision(t.Context(), &Run{ID: "r2", Plan: r.plan, Rotate: &Rotation{What: r.what}, Target: "rootfs:///device", Started: w.now})
			if out.Outcome != RunFailed || out.Error == nil {
				t.Fatalf("outcome %+v", out)
			}
			if after := w.state(t, r.plan); withoutKept(after) != withoutKept(before) {
				t.Errorf("after the failure:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

// deafPlayer registers, and is refused by the hub.
type deafPlayer struct{ Player }

func (deafPlayer) Connect(context.Context, string, string, Credentials) error { return ErrUnauthorized }

func TestRotationKilledAnywhereResumes(t *testing.T) {
	all := rotations()
	for _, name := range []string{"manual self-signed/identity", "manual x509/identity", "individual x509/identity", "group x509/identity", "manual/edge-ca"} {
		r := all[name]
		for _, runs := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/runs=%t", name, runs), func(t *testing.T) {
				rotation := Rotation{What: r.what, NewKey: true}
				whole := provisioned(t, r.plan, runs)
				effects := 0
				whole.effect = func(_ string, do func()) { effects++; do() }
				first := whole.rotate(t, r.plan, rotation)
				want := whole.picture()
				for cut := range 2 * effects {
					w := provisioned(t, r.plan, runs)
					if r.what == RoleIdentity {
						w.probe(t, r.plan)
					}
					inner, seen := w.effect, 0
					w.effect = func(name string, do func()) {
						at := seen
						seen++
						if cut == 2*at {
							panic(killed{})
						}
						inner(name, do)
						if cut == 2*at+1 {
							panic(killed{})
						}
					}
					func() {
						defer func() {
							if r := recover(); r != nil && r != (killed{}) {
								panic(r)
							}
						}()
						w.rotate(t, r.plan, rotation)
					}()
					w.effect = inner
					if out := w.rotate(t, r.plan, rotation); out.Outcome != first.Outcome || out.Error != nil {
						t.Fatalf("cut %d: %+v, error %+v", cut, out, out.Error)
					}
					if got := w.picture(); got != want {
						t.Fatalf("cut %d ends in\n%s\nwant\n%s", cut, got, want)
					}
				}
			})
		}
	}
}

func TestRotationRefuses(t *testing.T) {
	symmetric := ways()["manual"]
	tpm := ways()["individual"]
	tpm.Cell.Authentication = TPM
	est := ways()["individual x509"]
	est.X509.Source, est.EdgeCA = SourceEST, nil
	for _, test := range []struct {
		plan Plan
		what CertificateRole
		says string
	}{
		{symmetric, RoleIdentity, "symmetric key"}, {tpm, RoleIdentity, "TPM"}, {est, RoleIdentity, "renews it itself"},
		{est, RoleEdgeCA, "runtime's own"}, {symmetric, "root", "cannot be rotated"},
	} {
		err := Rotation{What: test.what}.Refuses(test.plan)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", test.what, err, test.says)
		}
	}
}

func TestPreviewOfRotationNamesTheRestart(t *testing.T) {
	plan := ways()["individual x509"]
	w := provisioned(t, plan, true)
	before := w.picture()
	p, err := LookFirstAtRotation(t.Context(), w.ports(), plan, Rotation{What: RoleIdentity})
	if err != nil || p.Refused() || !p.Changed() {
		t.Fatalf("%+v, %v", p, err)
	}
	if text := strings.Join(p.Actions, "\n"); !strings.Contains(text, "restarts the services") || !strings.Contains(text, "reprovision") {
		t.Errorf("actions %q", text)
	}
	if len(p.Certificates) != 2 || p.Certificates[1].Action != WriteRemove {
		t.Errorf("certificates %+v", p.Certificates)
	}
	if w.picture() != before {
		t.Error("the preview wrote something")
	}
}

// Without the hub's connection the preview says what cannot be asked and undone,
// where that is so.
func TestPreviewOfRotationNamesAHubThatCannotBeAsked(t *testing.T) {
	for _, name := range []string{"individual x509", "group x509"} {
		for _, what := range []CertificateRole{RoleIdentity, RoleEdgeCA} {
			for _, hub := range []bool{true, false} {
				plan := ways()[name]
				plan.EdgeCA = &EdgeCAPlan{CA: "Plant issuing"}
				plan = plan.WithDefaults()
				w := provisioned(t, plan, true)
				ports := w.ports()
				if !hub {
					ports.Cloud.Hub = nil
				}
				p, err := LookFirstAtRotation(t.Context(), ports, plan, Rotation{What: what})
				if err != nil || p.Refused() {
					t.Fatalf("%+v, %v", p, err)
				}
				told := slices.ContainsFunc(p.Findings, func(f finding.Finding) bool {
					return f.Level == finding.Care && f.Field == "cloud" && strings.Contains(f.Problem, "until that has registered anew") && f.Fix != ""
				})
				if want := !hub && what == RoleIdentity; told != want {
					t.Errorf("%s, %s, hub %t: told %t; %+v", name, what, hub, told, p.Findings)
				}
			}
		}
	}
}

func TestRotationReadsBack(t *testing.T) {
	for _, r := range []Rotation{{RoleIdentity, false}, {RoleIdentity, true}, {RoleEdgeCA, false}, {RoleEdgeCA, true}} {
		if back, ok := ParseRotation(r.String()); !ok || back != r {
			t.Errorf("%s reads as %+v", r, back)
		}
	}
	if _, ok := ParseRotation("provision"); ok {
		t.Error("a provisioning reads as a rotation")
	}
}
