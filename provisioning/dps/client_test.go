package dps

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/openapitest"
	"edgewright/provisioning/wire/rest"
)

var serviceKey = secret.FromString("0123456789abcdef0123456789abcdef")

// exchange is one recorded request.
type exchange struct {
	method, path, query, ifMatch, authorization, continuation string
	body                                                      []byte
}

// recorder is a TLS server that notes requests and answers by a function.
type recorder struct {
	*httptest.Server
	mu   sync.Mutex
	seen []exchange
}

// record starts a server; answer gets the number of the request, from 1.
func record(t *testing.T, answer func(n int, w http.ResponseWriter, e exchange)) *recorder {
	t.Helper()
	r := &recorder{}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		e := exchange{req.Method, req.URL.EscapedPath(), req.URL.RawQuery, req.Header.Get("If-Match"),
			req.Header.Get("Authorization"), req.Header.Get(wire.HeaderContinuation), body}
		r.mu.Lock()
		r.seen = append(r.seen, e)
		n := len(r.seen)
		r.mu.Unlock()
		answer(n, w, e)
	}))
	// One connection per request: net/http repeats some requests by itself on a
	// connection that was used before.
	r.Config.SetKeepAlivesEnabled(false)
	t.Cleanup(r.Close)
	return r
}

// story answers the requests of a test one by one.
func story(t *testing.T, chapters ...func(http.ResponseWriter)) *recorder {
	return record(t, func(n int, w http.ResponseWriter, e exchange) {
		if n > len(chapters) {
			t.Errorf("request %d, %s %s, is one too many", n, e.method, e.path)
			fail(w, 400, 400000)
			return
		}
		chapters[n-1](w)
	})
}

func (r *recorder) requests() []exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func (r *recorder) methods() string {
	var all []string
	for _, e := range r.requests() {
		all = append(all, e.method)
	}
	return strings.Join(all, " ")
}

func (r *recorder) host() string { return strings.TrimPrefix(r.URL, "https://") }

func (r *recorder) client(t *testing.T, options Options) *Client {
	t.Helper()
	if options.Transport == nil {
		options.Transport = r.Client()
	}
	c, err := New(wire.ConnectionString{HostName: r.host(), PolicyName: "provisioningserviceowner", Key: serviceKey}, options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fast retries without waiting long.
var fast = Options{Retry: rest.Retry{Delay: time.Millisecond, ThrottleDelay: time.Millisecond, MaxDelay: 2 * time.Second}}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func fail(w http.ResponseWriter, status, code int) {
	body, _ := json.Marshal(wire.DPSErrorBody{ErrorCode: code, TrackingID: "track-1", Message: "no", TimestampUTC: "2026-11-24T11:58:10Z"})
	reply(w, status, string(body))
}

const enrollment = `{"registrationId":"r1","deviceId":"d1","attestation":{"type":"symmetricKey"},"capabilities":{"iotEdge":true},
"etag":"\"1f00\"","provisioningStatus":"enabled","reprovisionPolicy":{"updateHubAssignment":true,"migrateDeviceData":true},
"initialTwin":{"tags":{"line":7},"properties":{"desired":{}}},"createdDateTimeUtc":"2026-11-24T11:58:10.5Z","allocationPolicy":"hashed","iotHubs":["hub.practice.test"],
"credentialPolicyName":"p"}`

const group = `{"enrollmentGroupId":"g1","attestation":{"type":"symmetricKey"},"capabilities":{"iotEdge":true},"etag":"\"1f00\"","provisioningStatus":"enabled"}`

const keys = `{"type":"symmetricKey","symmetricKey":{"primaryKey":"QUFBQUFBQUFBQUFBQUFBQQ==","secondaryKey":"QkJCQkJCQkJCQkJCQkJCQg=="}}`

const registered = `{"registrationId":"r1","createdDateTimeUtc":"2026-11-24T11:58:10.5Z","assignedHub":"hub.practice.test","deviceId":"d1",
"status":"assigned","substatus":"initialAssignment","lastUpdatedDateTimeUtc":"2026-11-24T11:58:12Z","etag":"e"}`

func TestEveryOperationFitsTheOpenAPIFile(t *testing.T) {
	spec := openapitest.Load(t, openapitest.DPSService)
	var mu sync.Mutex
	there := map[string]bool{}
	server := record(t, func(_ int, w http.ResponseWriter, e exchange) {
		mu.Lock()
		defer mu.Unlock()
		value := enrollment
		if strings.HasPrefix(e.path, "/enrollmentGroups") {
			value = group
		}
		switch {
		case e.method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		case strings.HasPrefix(e.path, "/registrations") && e.method == http.MethodPost:
			reply(w, 200, "["+registered+"]")
		case strings.HasPrefix(e.path, "/registrations"):
			reply(w, 200, registered)
		case strings.HasSuffix(e.path, "/query"):
			reply(w, 200, "["+value+"]")
		case strings.HasSuffix(e.path, "/attestationmechanism"):
			reply(w, 200, keys)
		case e.method == http.MethodGet && !there[e.path]:
			fail(w, 404, 404201)
		default:
			there[e.path] = true
			reply(w, 200, value)
		}
	})
	checker := spec.Check(t, server.Client())
	c := server.client(t, Options{Transport: checker})
	ctx := t.Context()

	attestation := &wire.AttestationMechanism{Type: wire.AttestationSymmetricKey}
	created, err := c.CreateEnrollment(ctx, wire.IndividualEnrollment{RegistrationID: "r1", Attestation: attestation,
		Capabilities: &wire.Capabilities{IotEdge: true}, InitialTwin: &wire.InitialTwin{Tags: json.RawMessage(`{"line":7}`)}})
	if err != nil || created.Value.ETag != `"1f00"` {
		t.Fatalf("%v, %v", created.Value, err)
	}
	if _, err := c.UpdateEnrollment(ctx, created.Value, created.Value.ETag); err != nil {
		t.Error(err)
	}
	if _, err := c.Enrollment(ctx, "r1"); err != nil {
		t.Error(err)
	}
	if a, err := c.EnrollmentKeys(ctx, "r1"); err != nil || a.SymmetricKey.PrimaryKey.IsEmpty() {
		t.Error(err)
	}
	for e, err := range c.Enrollments(ctx, "") {
		if err != nil || e.RegistrationID != "r1" {
			t.Error(err)
		}
	}
	createdGroup, err := c.CreateGroup(ctx, wire.EnrollmentGroup{EnrollmentGroupID: "g1", Attestation: attestation})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateGroup(ctx, createdGroup.Value, "*"); err != nil {
		t.Error(err)
	}
	if _, err := c.GroupKeys(ctx, "g1"); err != nil {
		t.Error(err)
	}
	for g, err := range c.Groups(ctx, "") {
		if err != nil || g.EnrollmentGroupID != "g1" {
			t.Error(err)
		}
	}
	if state, err := c.Registration(ctx, "r1"); err != nil || state.LastUpdatedDateTimeUTC.Moment().Second() != 12 {
		t.Error(err)
	}
	for state, err := range c.GroupRegistrations(ctx, "g1") {
		if err != nil || state.DeviceID != "d1" {
			t.Error(err)
		}
	}
	if err := errors.Join(c.DeleteRegistration(ctx, "r1", "*"), c.DeleteEnrollment(ctx, "r1", `"1f00"`), c.DeleteGroup(ctx, "g1", "*")); err != nil {
		t.Error(err)
	}
	if at, err := c.ServerTime(ctx); err != nil || time.Since(at) > time.Minute {
		t.Errorf("server time %v, %v", at, err)
	}

	want := []string{"DELETE /enrollmentGroups/{id}", "DELETE /enrollments/{id}", "DELETE /registrations/{id}",
		"GET /enrollmentGroups/{id}", "GET /enrollments/{id}", "GET /registrations/{id}",
		"POST /enrollmentGroups/query", "POST /enrollmentGroups/{id}/attestationmechanism",
		"POST /enrollments/query", "POST /enrollments/{id}/attestationmechanism", "POST /registrations/{id}/query",
		"PUT /enrollmentGroups/{id}", "PUT /enrollments/{id}"}
	if used := checker.Used(); !slices.Equal(used, want) {
		t.Errorf("operations seen: %q", used)
	}
}

func TestUpdateSendsKeysAndUnknownMembers(t *testing.T) {
	server := story(t,
		func(w http.ResponseWriter) { reply(w, 200, enrollment) },
		func(w http.ResponseWriter) { reply(w, 200, keys) },
		func(w http.ResponseWriter) { reply(w, 200, enrollment) })
	c := server.client(t, fast)
	e, err := c.Enrollment(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	e.ProvisioningStatus = wire.StatusDisabled
	if _, err := c.UpdateEnrollment(t.Context(), e, e.ETag); err != nil {
		t.Fatal(err)
	}
	if e.Attestation.SymmetricKey != nil {
		t.Error("the caller's value was changed")
	}
	put := server.requests()[2]
	if put.ifMatch != `"1f00"` || put.query != "api-version=2021-10-01" {
		t.Errorf("If-Match %s, query %s", put.ifMatch, put.query)
	}
	for _, kept := range []string{`"disabled"`, `"credentialPolicyName":"p"`, `"QUFBQUFBQUFBQUFBQUFBQQ=="`, `"line":7`} {
		if !bytes.Contains(put.body, []byte(kept)) {
			t.Errorf("update loses %s: %s", kept, put.body)
		}
	}
}

func TestCreateLooksFirst(t *testing.T) {
	found := func(w http.ResponseWriter) { reply(w, 200, group) }
	missing := func(w http.ResponseWriter) { fail(w, 404, 404201) }
	denied := func(w http.ResponseWriter) { fail(w, 401, 401000) }
	hangUp := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	throttled := func(w http.ResponseWriter) { fail(w, 429, 429001) }
	for _, c := range []struct {
		name        string
		story       []func(http.ResponseWriter)
		methods     string
		unconfirmed bool
		check       func(error) bool
	}{
		{"new", []func(http.ResponseWriter){missing, found}, "GET PUT", false, nil},
		{"throttled", []func(http.ResponseWriter){missing, throttled, found}, "GET PUT PUT", false, nil},
		{"exists", []func(http.ResponseWriter){found}, "GET", false, wire.IsConflict},
		{"not allowed to look", []func(http.ResponseWriter){denied}, "GET", false, func(err error) bool { return wire.HasStatus(err, 401) }},
		{"lost but done", []func(http.ResponseWriter){missing, hangUp, found}, "GET PUT GET", true, nil},
		{"lost and not done", []func(http.ResponseWriter){missing, hangUp, missing, found}, "GET PUT GET PUT", false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := story(t, c.story...)
			written, err := server.client(t, fast).CreateGroup(t.Context(), wire.EnrollmentGroup{EnrollmentGroupID: "g1",
				Attestation: &wire.AttestationMechanism{Type: wire.AttestationSymmetricKey}})
			if c.check == nil && err != nil || c.check != nil && !c.check(err) {
				t.Errorf("error %v", err)
			}
			var e *wire.Error
			if errors.As(err, &e) && e.CorrelationID == "" {
				t.Errorf("no correlation ID in %v", err)
			}
			if written.Unconfirmed != c.unconfirmed || server.methods() != c.methods {
				t.Errorf("unconfirmed %v after %s", written.Unconfirmed, server.methods())
			}
		})
	}
}

func TestFailuresHaveAllTheirParts(t *testing.T) {
	server := story(t, func(w http.ResponseWriter) { fail(w, 409, 409203) })
	err := server.client(t, fast).DeleteGroup(t.Context(), "g1", "*")
	var e *wire.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := wire.Error{Service: wire.ServiceDPS, Operation: "delete enrollment group", Subject: "g1", Status: 409, Code: 409203,
		Message: "no", CorrelationID: "track-1"}
	if *e != want {
		t.Errorf("got  %+v\nwant %+v", *e, want)
	}
}

func TestDeleteWhoseAnswerIsLost(t *testing.T) {
	server := story(t, func(w http.ResponseWriter) { fail(w, 500, 500000) }, func(w http.ResponseWriter) { fail(w, 404, 404201) })
	if err := server.client(t, fast).DeleteRegistration(t.Context(), "r1", "*"); err != nil {
		t.Error(err)
	}
	server = story(t, func(w http.ResponseWriter) { fail(w, 404, 404201) })
	if err := server.client(t, fast).DeleteRegistration(t.Context(), "r1", "*"); !wire.IsNotFound(err) {
		t.Error(err)
	}
}

func TestPaging(t *testing.T) {
	server := record(t, func(_ int, w http.ResponseWriter, e exchange) {
		if len(e.body) != 0 {
			t.Errorf("body %s", e.body)
		}
		if e.continuation == "" {
			w.Header().Set(wire.HeaderContinuation, "2")
			reply(w, 200, `[{"registrationId":"a"}]`)
			return
		}
		reply(w, 200, `[{"registrationId":"b"}]`)
	})
	var ids string
	for state, err := range server.client(t, fast).GroupRegistrations(t.Context(), "g1") {
		if err != nil {
			t.Fatal(err)
		}
		ids += state.RegistrationID
	}
	if ids != "ab" {
		t.Errorf("registrations %s", ids)
	}
}

func TestRefusedBeforeAnythingIsSent(t *testing.T) {
	server := story(t)
	c := server.client(t, fast)
	ctx := t.Context()
	half := &wire.AttestationMechanism{Type: wire.AttestationSymmetricKey, SymmetricKey: &wire.SymmetricKey{PrimaryKey: wire.NewKey(serviceKey)}}
	calls := map[string]func() error{
		"ID":          func() error { _, err := c.Enrollment(ctx, "a/b"); return err },
		"keys ID":     func() error { _, err := c.GroupKeys(ctx, ""); return err },
		"attestation": func() error { _, err := c.CreateGroup(ctx, wire.EnrollmentGroup{EnrollmentGroupID: "g"}); return err },
		"half a pair": func() error {
			_, err := c.CreateGroup(ctx, wire.EnrollmentGroup{EnrollmentGroupID: "g", Attestation: half})
			return err
		},
		"update etag": func() error {
			_, err := c.UpdateGroup(ctx, wire.EnrollmentGroup{EnrollmentGroupID: "g", Attestation: half}, "")
			return err
		},
		"delete etag":  func() error { return c.DeleteEnrollment(ctx, "r", "") },
		"delete ID":    func() error { return c.DeleteRegistration(ctx, "-", "*") },
		"registration": func() error { _, err := c.Registration(ctx, ""); return err },
		"group ID": func() error {
			for _, err := range c.GroupRegistrations(ctx, "") {
				return err
			}
			return nil
		},
	}
	for name, call := range calls {
		if err := call(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if server.methods() != "" {
		t.Errorf("requests were sent: %s", server.methods())
	}
}
