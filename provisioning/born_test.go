package provisioning

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// unreadMachine fails the test when a private key leaves the device, and notes
// the keys that it makes.
type unreadMachine struct {
	fakeMachine
	t *testing.T
}

func (m unreadMachine) Read(ctx context.Context, path string) (FileState, error) {
	if strings.Contains(path, ".key.pem") {
		m.t.Errorf("%s is read from the device", path)
	}
	return m.fakeMachine.Read(ctx, path)
}

func (m unreadMachine) Place(ctx context.Context, run string, files []File) (Placed, error) {
	for _, f := range files {
		if bytes.Contains(f.Data.Reveal(), []byte("PRIVATE KEY")) {
			m.t.Errorf("the key %s goes to the device", f.Path)
		}
	}
	return m.fakeMachine.Place(ctx, run, files)
}

// TestBornKeysNeverTravel runs the X.509 cells where the device makes its keys:
// twice, undone, and after the certificate of the device has run out.
func TestBornKeysNeverTravel(t *testing.T) {
	for name, plan := range ways() {
		if plan.Cell.Authentication != X509 || plan.IssuedOnDevice() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(true)
			ports := w.ports()
			ports.Machine = unreadMachine{fakeMachine{w}, t}
			run := func(id string) Outcome {
				return (&Runner{Ports: ports}).Provision(t.Context(), &Run{ID: id, Plan: plan, Target: "x", Started: w.now})
			}
			if _, err := LookFirst(t.Context(), ports, plan); err != nil {
				t.Fatal(err)
			}
			if out := run("r1"); out.Outcome != RunSucceeded {
				t.Fatalf("%+v %+v", out, out.Error)
			}
			for path, file := range w.files {
				if strings.HasSuffix(path, ".new") {
					t.Errorf("%s is left", path)
				}
				if strings.HasPrefix(path, keyFolder) && (file.Owner != keyUser || file.Mode != 0o600) {
					t.Errorf("%s is %s's, %v", path, file.Owner, file.Mode)
				}
			}
			if out := run("r2"); out.Outcome != RunSucceeded || out.Changed {
				t.Fatalf("again: %+v %+v", out, out.Error)
			}
			_, key := newPaths("line-7", RoleIdentity, 1)
			before := w.files[key].Data
			w.files[certificateFolder+"line-7.cert.pem"] = FileState{Exists: true, Data: secret.FromString("damaged"), Owner: certificateUser, Mode: 0o644}
			for path := range w.identities {
				delete(w.identities, path)
			}
			clear(w.enrollments)
			clear(w.registered)
			if out := run("r3"); out.Outcome != RunSucceeded || w.files[key].Data.Equal(before) {
				t.Fatalf("with a damaged certificate: %+v %+v, new key %t", out, out.Error, !w.files[key].Data.Equal(before))
			}
			stored := w.journal["r3"]
			if out := (&Runner{Ports: ports}).Undo(t.Context(), &stored); out.Outcome != RunUndone || !w.files[key].Data.Equal(before) {
				t.Errorf("undo: %+v %+v, the key before is back: %t", out, out.Error, w.files[key].Data.Equal(before))
			}
		})
	}
}

// TestWhereKeysAreMade shows each case in the preview.
func TestWhereKeysAreMade(t *testing.T) {
	files := X509Plan{Source: SourceFiles, Files: CertificateFiles{Certificate: "c", Key: "k"}}
	for _, c := range []struct {
		name, key, obstacle string
		runs                bool
		level               finding.Level
		says                string // in the finding of x509.key, "" for none
		detail              string // of the certificate
	}{
		{"default", "", "", true, "", "", "made on the device"},
		{"device", KeyOnDevice, "", true, "", "", "made on the device"},
		{"workstation", KeyOnWorkstation, "", true, finding.Note, "although the device could", "made here"},
		{"default without openssl", "", "it has no openssl", true, finding.Note, "it has no openssl", "made here"},
		{"device without openssl", KeyOnDevice, "it has no openssl", true, finding.Error, "it has no openssl", ""},
		{"workstation without openssl", KeyOnWorkstation, "it has no openssl", true, "", "", "made here"},
		{"default on a folder", "", "", false, finding.Note, "nothing runs", "made here"},
		{"device on a folder", KeyOnDevice, "", false, finding.Error, "nothing runs", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(c.runs)
			w.noKeys = c.obstacle
			plan := ways()["manual self-signed"]
			plan.X509.Key = c.key
			p, err := LookFirst(t.Context(), w.ports(), plan)
			if err != nil {
				t.Fatal(err)
			}
			at := slices.IndexFunc(p.Findings, func(f finding.Finding) bool { return f.Field == "x509.key" })
			switch {
			case at < 0 && c.says != "":
				t.Errorf("no finding among %+v", p.Findings)
			case at >= 0 && (c.says == "" || p.Findings[at].Level != c.level || !strings.Contains(p.Findings[at].Problem, c.says) || p.Findings[at].Fix == ""):
				t.Errorf("finding %+v, want %s %q", p.Findings[at], c.level, c.says)
			}
			if c.detail != "" && (len(p.Certificates) == 0 || !strings.Contains(p.Certificates[0].Detail, c.detail)) {
				t.Errorf("certificates %+v, want %q", p.Certificates, c.detail)
			}
			out := w.provision(t, "r1", plan)
			if refused := c.level == finding.Error; refused != (out.Outcome == RunFailed) || refused && !errors.Is(outError(out), ErrInvalid) {
				t.Errorf("outcome %+v %+v", out.Outcome, out.Error)
			}
		})
	}
	plan := ways()["manual self-signed"]
	plan.X509 = files
	plan.X509.Key = KeyOnDevice
	if findings := plan.WithDefaults().Check(); !slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Field == "x509.key" }) {
		t.Errorf("a key from a file that is made on the device: %+v", findings)
	}
	plan.X509 = X509Plan{Key: "moon"}
	if findings := plan.WithDefaults().Check(); !slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Field == "x509.key" }) {
		t.Errorf("a key on the moon: %+v", findings)
	}
}

// outError is the kind that an outcome's view names.
func outError(out Outcome) error {
	if out.Error != nil && out.Error.Kind == "invalid" {
		return ErrInvalid
	}
	return nil
}

// TestLostKeyIsMadeAnew cuts a run after its certificate, and takes the key
// away from the device.
func TestLostKeyIsMadeAnew(t *testing.T) {
	w := newWorld(true)
	plan := ways()["manual x509"]
	w.cutAt(cutBefore(w, plan, "create identity"), false, func() { w.provision(t, "r1", plan) })
	_, key := newPaths("line-7", RoleIdentity, 1)
	if !w.files[waitingPath(key)].Exists {
		t.Fatalf("no key waits: %v", w.files)
	}
	delete(w.files, waitingPath(key))
	run := w.journal["r1"]
	if out := (&Runner{Ports: w.ports()}).Provision(t.Context(), &run); out.Outcome != RunSucceeded {
		t.Fatalf("%+v", out.Error)
	}
}

// cutBefore finds the number of an effect in an unbroken run.
func cutBefore(w *world, plan Plan, name string) (at int) {
	whole, n := newWorld(w.runs), 0
	at = -1
	whole.effect = func(effect string, do func()) {
		if effect == name && at < 0 {
			at = n
		}
		n++
		do()
	}
	runner := Runner{Ports: whole.ports()}
	runner.Provision(context.Background(), &Run{ID: "r1", Plan: plan, Started: whole.now})
	return at
}

// spoiledMachine spoils the device just before it is looked at as its users.
type spoiledMachine struct {
	fakeMachine
	spoil func(*world)
}

func (m spoiledMachine) ReadAs(ctx context.Context, user, path string) ([]byte, error) {
	m.spoil(m.w)
	return m.fakeMachine.ReadAs(ctx, user, path)
}

// TestChecksStopBeforeApply spoils each thing that the runtime would destroy or
// choke on.
func TestChecksStopBeforeApply(t *testing.T) {
	cert, key := newPaths("line-7", RoleIdentity, 1)
	edgeCert, edgeKey := newPaths("line-7", RoleEdgeCA, 1)
	change := func(path string, f func(*FileState)) func(*world) {
		return func(w *world) { state := w.files[path]; f(&state); w.files[path] = state }
	}
	copyOf := func(from string) func(*world) {
		return func(w *world) {
			state := w.files[from]
			path := map[string]string{edgeCert: cert, edgeKey: key}[from]
			state.Owner, state.Mode = w.files[path].Owner, w.files[path].Mode
			w.files[path] = state
		}
	}
	reversed := func(s *FileState) {
		content, _ := pki.Read(s.Data.Reveal(), secret.Value{})
		slices.Reverse(content.Certificates)
		s.Data = secret.New(pki.PEM(content.Certificates...))
	}
	for name, c := range map[string]struct {
		spoil func(*world)
		file  string
		says  string
	}{
		"certificate unreadable":  {change(cert, func(s *FileState) { s.Owner, s.Mode = "root", 0o600 }), cert, "aziotcs cannot read it"},
		"key of another":          {change(key, func(s *FileState) { s.Owner = "root" }), key, "aziotks cannot read it"},
		"key gone":                {change(key, func(s *FileState) { *s = FileState{} }), key, "not there"},
		"certificate gone":        {change(cert, func(s *FileState) { *s = FileState{} }), cert, "not there"},
		"key damaged":             {change(key, func(s *FileState) { s.Data = secret.FromString("x") }), key, "no unencrypted private key"},
		"certificate damaged":     {change(cert, func(s *FileState) { s.Data = secret.FromString("x") }), cert, "no certificate that reads"},
		"key of another pair":     {copyOf(edgeKey), key, "does not belong"},
		"certificate of another":  {copyOf(edgeCert), cert, "is for line-7.ca"},
		"chain turned round":      {change(cert, reversed), cert, "is for Plant issuing"},
		"trust bundle unreadable": {change(BundlePath, func(s *FileState) { s.Owner, s.Mode = "root", 0o600 }), BundlePath, "aziotcs cannot read it"},
		"trust bundle empty":      {change(BundlePath, func(s *FileState) { s.Data = secret.Value{} }), BundlePath, "no certificate that reads"},
		"run out":                 {func(w *world) { w.now = w.now.AddDate(3, 0, 0) }, cert, "ended"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(true)
			ports := w.ports()
			ports.Machine = spoiledMachine{fakeMachine{w}, c.spoil}
			out := (&Runner{Ports: ports}).Provision(t.Context(), &Run{ID: "r1", Plan: ways()["manual x509"], Started: w.now})
			if out.Outcome != RunFailed || out.Error == nil || !strings.Contains(out.Error.Message, c.file) || !strings.Contains(out.Error.Message, c.says) || out.Error.Hint == "" {
				t.Fatalf("outcome %s, error %+v, want %s: %s", out.Outcome, out.Error, c.file, c.says)
			}
			if w.applied || slices.Contains(w.acts, ActConfigApply) {
				t.Error("it was applied all the same")
			}
		})
	}
	if _, err := (fakeMachine{newWorld(true)}).ReadAs(t.Context(), keyUser, "/none"); errors.Is(err, fs.ErrPermission) {
		t.Error("nothing is forbidden")
	}
}
