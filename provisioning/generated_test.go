package provisioning

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// What a device brings along to enrol is looked at before it is needed.
func TestESTFilesAreCheckedBeforeApply(t *testing.T) {
	cert, key := newPaths("line-7", roleBootstrap, 1)
	change := func(path string, f func(*FileState)) func(*world) {
		return func(w *world) { state := w.files[path]; f(&state); w.files[path] = state }
	}
	for name, c := range map[string]struct {
		spoil      func(*world)
		file, says string
	}{
		"bootstrap certificate unreadable": {change(cert, func(s *FileState) { s.Owner, s.Mode = "root", 0o600 }), cert, "aziotcs cannot read it"},
		"its key of another":               {change(key, func(s *FileState) { s.Owner = "root" }), key, "aziotks cannot read it"},
		"its key damaged":                  {change(key, func(s *FileState) { s.Data = secret.FromString("x") }), key, "no unencrypted private key"},
		"anchors unreadable":               {change(estTrustPath, func(s *FileState) { s.Owner, s.Mode = "root", 0o600 }), estTrustPath, "aziotcs cannot read it"},
		"anchors damaged":                  {change(estTrustPath, func(s *FileState) { s.Data = secret.FromString("x") }), estTrustPath, "no certificate that reads"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(true)
			ports := w.ports()
			ports.Machine = spoiledMachine{fakeMachine{w}, c.spoil}
			out := (&Runner{Ports: ports}).Provision(t.Context(), &Run{ID: "r1", Plan: estWay(), Started: w.now})
			if out.Outcome != RunFailed || out.Error == nil || !strings.Contains(out.Error.Message, c.file) || !strings.Contains(out.Error.Message, c.says) || out.Error.Hint == "" {
				t.Fatalf("outcome %s, error %+v, want %s: %s", out.Outcome, out.Error, c.file, c.says)
			}
			if slices.Contains(w.acts, ActConfigApply) {
				t.Error("it was applied all the same")
			}
		})
	}
}

// What the services of a runtime have made for another plan goes, and comes back
// with undo; what serves stays, and of what they make for the run nothing does.
func TestWhatTheRuntimeMadeForItself(t *testing.T) {
	other := func(p *Plan) { p.Device.ID = "line-8" }
	for name, row := range map[string]struct {
		before, plan Plan
		change       func(*Plan)       // of the plan that the device had before
		made         map[string]string // id and common name of what the services made
		stays        []string
	}{
		"nothing yet":              {plan: estWay()},
		"a quickstart before":      {plan: estWay(), made: map[string]string{generatedEdgeCA: "aziot-edge CA line-7"}},
		"the same":                 {before: estWay(), plan: estWay(), made: map[string]string{generatedIdentity: "line-7", generatedEdgeCA: "line-7.ca", generatedESTID: "line-7"}, stays: []string{generatedIdentity, generatedEdgeCA, generatedESTID}},
		"another name":             {before: estWay(), plan: estWay(), change: other, made: map[string]string{generatedIdentity: "line-8", generatedEdgeCA: "line-8.ca", generatedESTID: "line-8"}, stays: []string{generatedESTID}},
		"another server":           {before: estWay(), plan: estWay(), change: func(p *Plan) { p.X509.EST.URL += "/line-8" }, made: map[string]string{generatedIdentity: "line-7", generatedEdgeCA: "line-7.ca", generatedESTID: "line-7"}},
		"another issuer":           {before: localCAWay(), plan: localCAWay(), made: map[string]string{generatedIdentity: "line-7"}},
		"a local CA before":        {before: localCAWay(), plan: estWay(), made: map[string]string{generatedIdentity: "line-7"}},
		"a key instead, and edges": {before: estWay(), plan: ways()["manual"], made: map[string]string{generatedIdentity: "line-7", generatedEdgeCA: "line-7.ca"}, stays: []string{generatedIdentity, generatedEdgeCA}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(true)
			if row.before.Device.ID != "" {
				if row.change != nil {
					row.change(&row.before)
				}
				text, err := ConfigOf(row.before, w.ports().Cloud)
				if err != nil {
					t.Fatal(err)
				}
				w.files[ConfigPath] = FileState{Exists: true, Data: secret.New(append([]byte("hostname = \"kept\"\n"), text...)), Owner: "root", Group: "root", Mode: 0o600}
			}
			for id, commonName := range row.made {
				profile, _ := pki.ProfileByName("device identity")
				if id == generatedEdgeCA {
					profile, _ = pki.ProfileByName("Edge CA")
				}
				w.makeGenerated(id, issuedBy(plantCA(), profile, commonName, 0).Leaf())
			}
			before := w.picture()
			x := newExecution(w.ports(), &Run{ID: "r1", Plan: row.plan}, nil)
			if err := x.lookAtEST(t.Context()); err != nil {
				t.Fatal(err)
			}
			profile, _ := pki.ProfileByName("Edge CA")
			x.pairs = map[CertificateRole]Pair{RoleLocalCA: issuedBy(plantCA(), profile, "line-7.issuing", 0)}
			stale, err := x.staleGenerated(t.Context(), w.files[ConfigPath])
			if err != nil {
				t.Fatal(err)
			}
			for id := range row.made {
				cert, key := generatedPaths(id)
				goes := slices.ContainsFunc(stale, func(f File) bool { return f.Path == cert && f.Remove })
				if stays := slices.Contains(row.stays, id); goes == stays || goes != slices.ContainsFunc(stale, func(f File) bool { return f.Path == key && f.Remove && f.Hidden }) {
					t.Errorf("%s stays %t, goes %t", id, stays, goes)
				}
			}

			out := w.provision(t, "r1", row.plan)
			if out.Outcome != RunSucceeded {
				t.Fatalf("%+v %+v", out, out.Error)
			}
			for _, id := range []string{generatedIdentity, generatedEdgeCA, generatedESTID} {
				if cert, _ := generatedPaths(id); !w.files[cert].Exists {
					w.makeGenerated(id, plantBootstrap().Leaf()) // as the services do
				}
			}
			run := w.journal["r1"]
			if out := (&Runner{Ports: w.ports()}).Undo(t.Context(), &run); out.Outcome != RunUndone {
				t.Fatalf("%+v %+v", out, out.Error)
			}
			for id := range row.made {
				if cert, _ := generatedPaths(id); !w.files[cert].Exists {
					t.Errorf("%s did not come back", id)
				}
			}
			if row.before.Device.ID == "" && w.picture() != before {
				t.Errorf("undo left\n%s\nof\n%s", w.picture(), before)
			}
		})
	}
}

// makeGenerated keeps a certificate as the services of the runtime do.
func (w *world) makeGenerated(id string, cert *x509.Certificate) {
	path, key := generatedPaths(id)
	w.files[path] = FileState{Exists: true, Data: secret.New(pki.PEM(cert)), Owner: "aziotcs", Group: "aziotcs", Mode: 0o644}
	w.files[key] = FileState{Exists: true, Data: secret.FromString("key of " + cert.Subject.CommonName), Owner: "aziotks", Group: "aziotks", Mode: 0o600}
}

// A preview names what goes, without a key.
func TestPreviewNamesWhatTheRuntimeHasToMakeAnew(t *testing.T) {
	w := newWorld(true)
	profile, _ := pki.ProfileByName("Edge CA")
	w.makeGenerated(generatedEdgeCA, issuedBy(plantCA(), profile, "quickstart", 0).Leaf())
	p, err := LookFirst(t.Context(), w.ports(), estWay())
	if err != nil {
		t.Fatal(err)
	}
	cert, key := generatedPaths(generatedEdgeCA)
	var removed []string
	for _, file := range p.Files {
		if file.Action == WriteRemove {
			removed = append(removed, file.Path)
		}
		for _, line := range file.Lines {
			if strings.Contains(line.Text, "key of quickstart") {
				t.Error("the key is shown")
			}
		}
	}
	if !slices.Equal(removed, []string{cert, key}) {
		t.Errorf("removed %q", removed)
	}
}
