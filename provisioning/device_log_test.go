package provisioning

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

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
