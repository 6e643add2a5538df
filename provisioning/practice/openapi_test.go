package practice

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/openapitest"
)

// TestOpenAPI drives every operation of the three OpenAPI files against a served
// practice cloud and holds request and answer against the file. An operation
// counts when a good answer and a refusal of it were held against the file and
// nothing was found. Its summary is what .ci/run shows.
func TestOpenAPI(t *testing.T) {
	b := open(t, Options{Now: time.Now})
	b.clock.now = time.Now() // tokens are made by the test's clock
	serve(t, b.Cloud)
	a := &audit{bench: b, refused: map[string]bool{}}
	served := client(t, b.Cloud)
	for _, file := range []struct {
		checker **openapitest.Checker
		name    string
	}{{&a.hub, openapitest.HubService}, {&a.service, openapitest.DPSService}, {&a.device, openapitest.DPSDevice}} {
		spec := openapitest.Load(t, file.name)
		*file.checker = spec.Check(t, served)
		(*file.checker).Strict = true
		a.specs = append(a.specs, audited{spec, *file.checker})
	}
	a.hub.Failure = hubFailure
	a.service.Failure, a.device.Failure = dpsFailure, dpsFailure

	a.identities()
	a.modules()
	a.twins()
	a.registry()
	a.queries()
	a.messages()
	a.configurations()
	a.jobs()
	a.schedules()
	a.methods()
	a.enrollments()
	a.groups()
	a.registrations()
	a.coverage()
}

// audit is a served cloud with a checker in front of each plane.
type audit struct {
	*bench
	hub, service, device *openapitest.Checker
	specs                []audited
	refused              map[string]bool // operations that were tried without a token
}

type audited struct {
	*openapitest.Spec
	*openapitest.Checker
}

// coverage fails for each operation that is neither validated nor known not to
// be offered, and counts.
func (a *audit) coverage() {
	a.Helper()
	validated, all := 0, 0
	for _, file := range a.specs {
		for _, operation := range file.Operations() {
			all++
			seen := file.Seen(operation)
			if _, absent := notOffered[operation]; absent {
				if seen.Good > 0 {
					a.Errorf("%s answers although it stands among those not offered", operation)
				}
				continue
			}
			if seen.Good > 0 && seen.Failed > 0 {
				validated++
			}
			if seen.Good == 0 || seen.Failed == 0 {
				a.Errorf("%s: %d good answers and %d refusals were validated; there must be both", operation, seen.Good, seen.Failed)
			}
		}
	}
	a.Logf("note: OpenAPI: %d of %d operations validated, %d not offered", validated, all, len(notOffered))
	if validated == 0 {
		a.Error("no operation was validated")
	}
}

// tried is a call of the audit.
type tried struct {
	checker            *openapitest.Checker
	method, path, body string
	host, auth         string
	header             map[string]string
}

func (a *audit) send(c tried) (reply, *http.Request) {
	a.Helper()
	version := "2021-10-01"
	if c.checker == a.hub {
		version = "2021-04-12"
	}
	sep := "?"
	if strings.Contains(c.path, "?") {
		sep = "&"
	}
	r, err := http.NewRequestWithContext(a.Context(), c.method, "https://"+c.host+c.path+sep+"api-version="+version, strings.NewReader(c.body))
	if err != nil {
		a.Fatal(err)
	}
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if c.auth != "" {
		r.Header.Set("Authorization", c.auth)
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	resp, err := c.checker.Do(r)
	if err != nil {
		a.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}, r
}

// try sends a call and wants a status. The first time that an operation succeeds
// it was tried without a token before, and refused.
func (a *audit) try(c tried, status int, code string) reply {
	a.Helper()
	if status < 300 {
		path, _, _ := strings.Cut(c.path, "?")
		if key := fmt.Sprintf("%s %d %s", c.method, strings.Count(path, "/"), path); !a.refused[key] {
			a.refused[key] = true
			without := c
			without.auth = ""
			if r, _ := a.send(without); r.status != http.StatusUnauthorized {
				a.Errorf("%s %s without a token: %d %s", c.method, c.path, r.status, r.body)
			}
		}
	}
	r, _ := a.send(c)
	got := r.header.Get(wire.HeaderHubErrorCode) + r.header.Get(wire.HeaderDPSErrorCode)
	if r.status != status || code != "" && got != code {
		a.Errorf("%s %s: %d %s, want %d %s: %s", c.method, c.path, r.status, got, status, code, r.body)
	}
	return r
}

// onHub calls the hub as its owner.
func (a *audit) onHub(method, path, body string, status int, code string, header ...string) reply {
	a.Helper()
	return a.try(tried{a.hub, method, path, body, a.Info().HubHost, a.owner(), pairs(header)}, status, code)
}

// onDPS calls the service plane of DPS as its owner.
func (a *audit) onDPS(method, path, body string, status int, code string, header ...string) reply {
	a.Helper()
	token := a.token(a.Info().DPSHost, a.settings().DPSKey.PrimaryKey.Secret(), policyDPSOwner)
	return a.try(tried{a.service, method, path, body, a.Info().DPSHost, token, pairs(header)}, status, code)
}

var trackingIDs = regexp.MustCompile(`^Tracking ID:\S+-TimeStamp:\d\d/\d\d/\d{4} \d\d:\d\d:\d\d$`)

// hubFailure is what the file does not say: errors of IoT Hub. A bulk call of
// which every item failed answers with their list instead.
func hubFailure(resp *http.Response, body []byte) error {
	var failure struct {
		Message, ExceptionMessage string
		Errors                    []json.RawMessage
	}
	name := resp.Header.Get(wire.HeaderHubErrorCode)
	err := json.Unmarshal(body, &failure)
	switch {
	case err != nil:
		return err
	case name == "BulkRegistryOperationFailure" && len(failure.Errors) > 0:
		return nil
	case name == "DeviceNotOnline" && json.Valid([]byte(failure.Message)):
		return nil // the other body, of direct methods
	case name == "" || !strings.HasPrefix(failure.Message, "ErrorCode:"+name+";"):
		return fmt.Errorf("header %q, message %q", name, failure.Message)
	case !trackingIDs.MatchString(failure.ExceptionMessage):
		return fmt.Errorf("exception message %q", failure.ExceptionMessage)
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json"):
		return fmt.Errorf("content type %q", resp.Header.Get("Content-Type"))
	}
	return nil
}

// dpsFailure adds to the file's schema of errors that the number's first digits
// are the status, and that the header has it, too.
func dpsFailure(resp *http.Response, body []byte) error {
	var failure struct {
		ErrorCode                         int
		TrackingID, Message, TimestampUTC string
	}
	if err := json.Unmarshal(body, &failure); err != nil {
		return err
	}
	if failure.ErrorCode/1000 != resp.StatusCode || failure.TrackingID == "" || failure.Message == "" || failure.TimestampUTC == "" ||
		resp.Header.Get(wire.HeaderDPSErrorCode) != fmt.Sprint(failure.ErrorCode) {
		return fmt.Errorf("header %q, body %s", resp.Header.Get(wire.HeaderDPSErrorCode), body)
	}
	return nil
}

func TestRowsOfOperationsNotOfferedAreTrue(t *testing.T) {
	var all []string
	for _, name := range []string{openapitest.HubService, openapitest.DPSService, openapitest.DPSDevice} {
		all = append(all, openapitest.Load(t, name).Operations()...)
	}
	for operation, reason := range notOffered {
		if reason == "" || !slices.Contains(all, operation) {
			t.Errorf("%s: %q", operation, reason)
		}
		method, path, _ := strings.Cut(operation, " ")
		for _, route := range routes[planeHub] {
			if _, same := match(route.pattern, strings.Split(strings.TrimPrefix(path, "/"), "/")); same && route.method == method {
				t.Errorf("%s is offered", operation)
			}
		}
	}
}
