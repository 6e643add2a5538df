package provisioning

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"edgewright/provisioning/edgeconfig"
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

const certdLog = `Aug 09 01:07:57 line-7 systemd[1]: Started Azure IoT Certificates Service.
Aug 09 01:07:57 line-7 aziot-certd[15512]: 2026-08-09T08:07:57Z [INFO] - !!! caused by: not found
Aug 09 01:07:58 line-7 aziot-certd[15512]: 2026-08-09T08:07:58Z [ERR!] - !!! internal error
Aug 09 01:07:58 line-7 aziot-certd[15512]: 2026-08-09T08:07:58Z [ERR!] - !!! caused by: could not create cert
Aug 09 01:07:58 line-7 aziot-certd[15512]: 2026-08-09T08:07:58Z [ERR!] - !!! caused by: %s
Aug 09 01:07:58 line-7 aziot-certd[15512]: 2026-08-09T08:07:58Z [INFO] - --> 500 {"content-type": "application/json"}
Aug 09 01:07:58 line-7 aziot-identityd[15513]: 2026-08-09T08:07:58Z [ERR!] - service encountered an error
Aug 09 01:07:58 line-7 aziot-identityd[15513]: 2026-08-09T08:07:58Z [ERR!] - caused by: could not create certificate
Aug 09 01:07:58 line-7 aziot-identityd[15513]: 2026-08-09T08:07:58Z [ERR!] -    0: backtrace::capture
`

func TestCauseIn(t *testing.T) {
	lines := strings.Split(certdLog, "\n")
	if got := causeIn(lines, "certd"); got != "%s" {
		t.Errorf("certd: %q", got)
	}
	if got := causeIn(lines, ""); got != "could not create certificate" {
		t.Errorf("any: %q", got)
	}
	if got := causeIn(lines[:2], ""); got != "" {
		t.Errorf("no error: %q", got)
	}
	page := strings.Split(strings.ReplaceAll(certdLog, "%s", "answer \x1b[31m\xff"+strings.Repeat("<p>", 1000)), "\n")
	if got := causeIn(page, "certd"); !strings.HasPrefix(got, "answer  [31m?<p>") || len(got) > 2*mostCause {
		t.Errorf("a page: %q", got)
	}
}

// loggingMachine has services that stay down and say why.
type loggingMachine struct {
	fakeMachine
	log *string
}

func (m loggingMachine) Act(ctx context.Context, action Action, line func(string)) (Output, error) {
	switch action {
	case ActLogs:
		return Output{Stdout: *m.log}, nil
	case ActConfigApply:
		*m.log += strings.ReplaceAll(certdLog, "15512", "15999")
	case ActStatus:
		return Output{Stdout: "    aziot-edged             Running\n    aziot-identityd         Down - activating\n"}, nil
	}
	return m.fakeMachine.Act(ctx, action, line)
}

// What an EST server did to a device is said with the field that is to blame, in
// the device's words, and at once; an older line of its log counts for nothing.
func TestRefusalsOfESTServersAreSaid(t *testing.T) {
	for words, want := range map[string]struct {
		kind  error
		field string
	}{
		`EST endpoint did not return successful response: 401 Unauthorized b""`:                                             {ErrUnauthorized, "x509.est.bootstrap"},
		`EST endpoint did not return successful response: 403 Forbidden b"no"`:                                              {ErrUnauthorized, "x509.est.bootstrap"},
		`error trying to connect: error:14094412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:SSL alert 42`:     {ErrUnauthorized, "x509.est.bootstrap"},
		`error trying to connect: error:0A000086:SSL routines:certificate verify failed:(self-signed certificate in chain)`: {ErrUnauthorized, "x509.est.trust"},
		`EST endpoint did not return successful response: 400 Bad Request b"subject"`:                                       {ErrRefused, "x509.est.url"},
		`error trying to connect: tcp connect error: Connection refused (os error 111)`:                                     {ErrUnreachable, "x509.est.url"},
	} {
		w := newWorld(true)
		old := strings.ReplaceAll(certdLog, "%s", "EST endpoint did not return successful response: 400 of another day")
		ports := w.ports()
		log := old
		machine := loggingMachine{fakeMachine{w}, &log}
		ports.Machine = machine
		x := newExecution(ports, &Run{ID: "r1", Plan: estWay()}, nil)
		x.markLog(t.Context())
		if err := x.refusedByEST(t.Context()); err != nil {
			t.Errorf("an old line counts: %v", err)
		}
		log += strings.ReplaceAll(strings.ReplaceAll(certdLog, "%s", words), "01:07:58", "01:09:00")
		err := x.healthy(t.Context())
		view := View(err)
		if view == nil || !strings.Contains(view.Message, words[:40]) || !strings.Contains(view.Message, "est.example.test") || !strings.Contains(view.Hint, want.field) || errorKind(err) != want.kind {
			t.Errorf("%s: %+v", words, view)
		}
	}
}

func errorKind(err error) error {
	var typed *Error
	if errors.As(err, &typed) {
		return typed.Kind
	}
	return nil
}

// A service that stays down for another reason says so in the end.
func TestLogOfADownDeviceIsTold(t *testing.T) {
	w := newWorld(true)
	log := ""
	ports := w.ports()
	ports.Machine = loggingMachine{fakeMachine{w}, &log}
	x := newExecution(ports, &Run{ID: "r1", Plan: ways()["manual"]}, nil)
	log = certdLog
	err := x.whyDown(t.Context(), x.healthy(t.Context()))
	if view := View(err); view == nil || !errors.Is(err, ErrUnproven) || !strings.Contains(view.Message, "Its log says: could not create certificate.") {
		t.Errorf("%+v", view)
	}
	if config, err := edgeconfig.Read(nil); err != nil || heldIdentity(config, estWay()) != nil {
		t.Errorf("an empty configuration has an identity issued: %v", err)
	}
}

// What a device has in its log becomes one short line, whatever it is.
func FuzzCauseIn(f *testing.F) {
	f.Add(certdLog, "certd")
	f.Add("x aziot-keyd[1]: t [ERR!] - \x00\xff\u2028", "")
	f.Fuzz(func(t *testing.T, log, service string) {
		cause := causeIn(strings.Split(log, "\n"), service)
		if utf8.RuneCountInString(cause) > mostCause+1 || strings.ContainsFunc(cause, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(cause) {
			t.Errorf("%q", cause)
		}
	})
}
