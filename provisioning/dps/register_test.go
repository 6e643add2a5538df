package dps

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/openapitest"
)

func assigning(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Location", "https://x/operations/4.abc")
	reply(w, 202, `{"operationId":"4.a/b","status":"assigning"}`)
}

func assigned(w http.ResponseWriter) {
	reply(w, 200, `{"operationId":"4.a/b","status":"assigned","registrationState":`+registered+`}`)
}

func (r *recorder) registration() Registration {
	options := fast
	options.Transport = r.Client()
	return Registration{GlobalEndpoint: r.URL + "/", IDScope: "0ne00PRACTICE", RegistrationID: "r1", Key: serviceKey, Options: options}
}

func TestRegister(t *testing.T) {
	spec := openapitest.Load(t, openapitest.DPSDevice)
	server := story(t, assigning, assigning, assigned)
	checker := spec.Check(t, server.Client())
	r := server.registration()
	r.Options.Transport = checker
	r.Payload = json.RawMessage(`{"model":"x"}`)
	var told []time.Duration
	r.OnWait = func(d time.Duration) { told = append(told, d) }
	done, err := Register(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if done.State.AssignedHub != "hub.practice.test" || done.State.DeviceID != "d1" || done.State.Substatus != wire.SubstatusInitialAssignment {
		t.Errorf("state %+v", done.State)
	}
	if !slices.Equal(told, []time.Duration{time.Second, time.Second}) || done.CloudWait < 2*time.Second || done.CloudWait > 30*time.Second {
		t.Errorf("told %v, waited %v", told, done.CloudWait)
	}
	if time.Since(done.ServerTime) > time.Minute {
		t.Errorf("server time %v", done.ServerTime)
	}
	seen := server.requests()
	if seen[0].path != "/0ne00PRACTICE/registrations/r1/register" || seen[1].path != "/0ne00PRACTICE/registrations/r1/operations/4.a%2Fb" {
		t.Errorf("paths %s, %s", seen[0].path, seen[1].path)
	}
	if string(seen[0].body) != `{"registrationId":"r1","payload":{"model":"x"}}` || len(seen[1].body) != 0 {
		t.Errorf("bodies %s, %s", seen[0].body, seen[1].body)
	}
	token, err := wire.ParseToken(seen[0].authorization)
	if err != nil || !token.SignedBy(serviceKey) || token.Policy != "registration" || !token.Covers("0ne00PRACTICE/registrations/r1") || token.Covers("0ne00PRACTICE/registrations/r2") {
		t.Errorf("token %v, %v", token, err)
	}
	if used := checker.Used(); len(used) != 2 {
		t.Errorf("operations seen: %q", used)
	}
}

func TestRegistrationThatEndsBadly(t *testing.T) {
	for _, c := range []struct {
		name, body    string
		status, code  int
		word, message string
	}{
		{"failed", `{"operationId":"4","status":"failed","registrationState":{"registrationId":"r1","status":"failed","errorCode":400207,"errorMessage":"no hub"}}`, 400, 400207, "failed", "no hub"},
		{"disabled", `{"operationId":"4","status":"disabled"}`, 0, 0, "disabled", "the service refuses the device"},
		{"odd code", `{"operationId":"4","status":"failed","registrationState":{"errorCode":7}}`, 0, 7, "failed", "the service refuses the device"},
	} {
		server := story(t, func(w http.ResponseWriter) {
			w.Header().Set(wire.HeaderRequestID, "request-1")
			reply(w, 200, c.body)
		})
		_, err := Register(t.Context(), server.registration())
		var e *wire.Error
		if !errors.As(err, &e) {
			t.Fatalf("%s: %v", c.name, err)
		}
		want := wire.Error{Service: wire.ServiceDPSDevice, Operation: "register device", Subject: "r1", Status: c.status, Code: c.code,
			Name: c.word, Message: c.message, CorrelationID: "request-1"}
		if *e != want {
			t.Errorf("%s: got  %+v\nwant %+v", c.name, *e, want)
		}
	}
}

func TestRegistrationRefused(t *testing.T) {
	server := story(t, func(w http.ResponseWriter) { fail(w, 401, 401002) })
	_, err := Register(t.Context(), server.registration())
	var e *wire.Error
	if !errors.As(err, &e) || e.Status != 401 || e.Code != 401002 || e.CorrelationID != "track-1" {
		t.Errorf("got %v", err)
	}
}

func TestRegistrationWithHolesInItsAnswers(t *testing.T) {
	for name, chapter := range map[string]func(http.ResponseWriter){
		"no operation": func(w http.ResponseWriter) { reply(w, 202, `{"status":"assigning"}`) },
		"no hub": func(w http.ResponseWriter) {
			reply(w, 200, `{"operationId":"4","status":"assigned","registrationState":{"deviceId":"d1"}}`)
		},
		"no state": func(w http.ResponseWriter) { reply(w, 200, `{"operationId":"4","status":"assigned"}`) },
	} {
		if _, err := Register(t.Context(), story(t, chapter).registration()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestThrottledRegistrationCountsItsWait(t *testing.T) {
	server := story(t,
		func(w http.ResponseWriter) { w.Header().Set("Retry-After", "1"); fail(w, 429, 429001) },
		func(w http.ResponseWriter) { fail(w, 503, 503001) },
		assigned)
	done, err := Register(t.Context(), server.registration())
	if err != nil || done.CloudWait < time.Second {
		t.Errorf("waited %v, %v", done.CloudWait, err)
	}
}

func TestRegistrationIsCancelledWhileItWaits(t *testing.T) {
	server := story(t, func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "600")
		reply(w, 202, `{"operationId":"4","status":"assigning"}`)
	})
	ctx, cancel := context.WithCancel(t.Context())
	r := server.registration()
	r.OnWait = func(time.Duration) { cancel() }
	if _, err := Register(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRegistrationChecksItsInput(t *testing.T) {
	server := story(t)
	for name, spoil := range map[string]func(*Registration){
		"no scope":  func(r *Registration) { r.IDScope = "" },
		"bad scope": func(r *Registration) { r.IDScope = "a/b" },
		"no key":    func(r *Registration) { r.Key = wire.Key{}.Secret() },
		"bad ID":    func(r *Registration) { r.RegistrationID = "a b" },
		"http":      func(r *Registration) { r.GlobalEndpoint = strings.Replace(r.GlobalEndpoint, "https", "http", 1) },
		"no scheme": func(r *Registration) { r.GlobalEndpoint = "global.practice.test" },
		"a path":    func(r *Registration) { r.GlobalEndpoint += "scope" },
	} {
		r := server.registration()
		spoil(&r)
		if _, err := Register(t.Context(), r); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if server.methods() != "" {
		t.Errorf("requests were sent: %s", server.methods())
	}
}
