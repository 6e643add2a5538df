package practice

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// webhook is a server that answers allocation requests.
func webhook(t *testing.T, answer func(w http.ResponseWriter, request map[string]any)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request map[string]any
		if err != nil || r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || json.Unmarshal(body, &request) != nil {
			t.Errorf("%s %v %s", r.Method, r.Header, body)
		}
		answer(w, request)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/api/allocate?code=x"
}

func customBody(id, url, more string) string {
	return `{"` + id + `",` + symmetric + `,"allocationPolicy":"custom","customAllocationDefinition":{"webhookUrl":"` + url + `","apiVersion":"2021-10-01"}` + more + `}`
}

// settle polls until a registration ends.
func (b *bench) settle(id string, key secret.Value, operation string) wire.RegistrationOperationStatus {
	b.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		r := b.registerCall("GET", id, "/operations/"+operation, key)
		status := into[wire.RegistrationOperationStatus](b, r)
		if r.status == 200 && status.Status != wire.RegistrationAssigning {
			return status
		}
		if r.status != 202 || status.RegistrationState == nil || status.RegistrationState.RegistrationID != id {
			b.Fatalf("poll %d %s", r.status, r.body)
		}
		time.Sleep(2 * time.Millisecond)
	}
	b.Fatal("it stays assigning")
	return wire.RegistrationOperationStatus{}
}

// payloadCall registers with a payload and gives the operation.
func (b *bench) payloadCall(id, payload string, key secret.Value, query string) string {
	b.Helper()
	r := b.want(b.do(call{method: "PUT", path: "/" + idScope + "/registrations/" + id + "/register" + query, body: `{"registrationId":"` + id + `","payload":` + payload + `}`,
		host: b.Info().GlobalHost, auth: b.token(idScope+"/registrations/"+id, key, "registration")}), 202, "")
	return into[wire.RegistrationOperationStatus](b, r).OperationID
}

func TestCustomAllocation(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2", "line3"}})
	asked := make(chan map[string]any, 1)
	url := webhook(t, func(w http.ResponseWriter, request map[string]any) {
		asked <- request
		_, _ = io.WriteString(w, `{"iotHubHostName":"line3.practice.test","initialTwin":{"tags":{"from":"webhook"},"properties":{"desired":{"a":1}}},"payload":{"hello":[1]}}`)
	})
	more := `,"iotHubs":["line2.practice.test","line3.practice.test"],"initialTwin":{"tags":{"from":"enrollment"}}`
	b.want(b.dpsDo("PUT", "/enrollmentGroups/G", customBody(`enrollmentGroupId":"G`, url, more)), 200, "")
	group := b.keysOf("/enrollmentGroups/g")
	key := wire.DeriveDeviceKey(group.PrimaryKey.Secret(), "dev-1")
	done := b.settle("dev-1", key, b.payloadCall("dev-1", `{"model":"x"}`, key, ""))
	state := done.RegistrationState
	if done.Status != "assigned" || !strings.HasPrefix(state.AssignedHub, "line3.") || string(state.Payload) != `{"hello":[1]}` || state.Substatus != "initialAssignment" {
		t.Errorf("state %+v", state)
	}
	request, _ := json.Marshal(<-asked)
	for _, part := range []string{`"registrationId":"dev-1"`, `"payload":{"model":"x"}`, `"linkedHubs":["line2.practice.test:`, `"enrollmentGroup":{`, `"enrollmentGroupId":"G"`, `"symmetricKey":{}`} {
		if !strings.Contains(string(request), part) {
			t.Errorf("the request lacks %s: %s", part, request)
		}
	}
	for _, hidden := range []string{"individualEnrollment", "primaryKey", "currentIotHubHostName", group.PrimaryKey.Secret().RevealBase64()} {
		if strings.Contains(string(request), hidden) {
			t.Errorf("the request has %s: %s", hidden, request)
		}
	}
	line3 := "line3.practice.test"
	twin := b.want(b.do(call{method: "GET", path: "/twins/dev-1", host: line3, auth: b.token(line3, b.settings().HubKeys["line3"][policyHubOwner].PrimaryKey.Secret(), policyHubOwner)}), 200, "")
	if string(into[wire.Twin](t, twin).Tags) != `{"from":"webhook"}` {
		t.Errorf("twin %s", twin.body)
	}
	c := b.reopened()
	if s := into[wire.DeviceRegistrationState](t, c.want(c.registerCall("POST", "dev-1", "", key), 200, "")); string(s.Payload) != `{"hello":[1]}` {
		t.Errorf("after a restart %+v", s)
	}
	// The second time the webhook hears where the device is.
	c.settle("dev-1", key, c.payloadCall("dev-1", "null", key, ""))
	if at := (<-asked)["deviceRuntimeContext"].(map[string]any); at["currentDeviceId"] != "dev-1" || at["currentIotHubHostName"] != c.settings().withPort(line3) {
		t.Errorf("second time %v", at)
	}
	// A device that keeps its hub needs no webhook.
	c.want(c.dpsDo("PUT", "/enrollmentGroups/G", customBody(`enrollmentGroupId":"G`, url, `,"reprovisionPolicy":{"updateHubAssignment":false,"migrateDeviceData":false}`), "If-Match", "*"), 200, "")
	if s := c.settle("dev-1", key, c.payloadCall("dev-1", "null", key, "")); !strings.HasPrefix(s.RegistrationState.AssignedHub, line3) || len(asked) != 0 {
		t.Errorf("third time %+v", s)
	}
}

func TestCustomAllocationFails(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2"}})
	var text atomic.Value
	url := webhook(t, func(w http.ResponseWriter, _ map[string]any) {
		switch answer := text.Load().(string); answer {
		case "500":
			w.WriteHeader(500)
		case "redirect":
			w.Header().Set("Location", "/other")
			w.WriteHeader(307)
		case "endless":
			_, _ = w.Write(make([]byte, maxAllocation+1))
		default:
			_, _ = io.WriteString(w, answer)
		}
	})
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", customBody(`registrationId":"dev-1`, url, `,"iotHubs":["hub.practice.test"]`)), 200, "")
	key := b.keysOf("/enrollments/dev-1").PrimaryKey.Secret()
	text.Store(`{"iotHubHostName":"hub.practice.test"}`)
	if s := b.settle("dev-1", key, b.payloadCall("dev-1", "null", key, "")); s.Status != "assigned" || s.RegistrationState.Payload != nil {
		t.Fatalf("%+v", s.RegistrationState)
	}
	for answer, part := range map[string]string{"500": "status code: 500", "redirect": "status code: 307", "endless": "too long", "{": "not valid", `{}`: "not linked",
		`{"iotHubHostName":"line2.practice.test"}`: "not linked", `{"iotHubHostName":"hub.practice.test","initialTwin":{"tags":[1]}}`: "initialTwin"} {
		text.Store(answer)
		s := b.settle("dev-1", key, b.payloadCall("dev-1", "null", key, ""))
		if state := s.RegistrationState; s.Status != "failed" || state.ErrorCode/1000 != 400 || !strings.Contains(state.ErrorMessage, part) || state.AssignedHub != "" || state.RegistrationID != "dev-1" {
			t.Errorf("%.30s: %+v", answer, s.RegistrationState)
		}
	}
	record := into[wire.DeviceRegistrationState](t, b.want(b.dpsDo("GET", "/registrations/dev-1", ""), 200, ""))
	if record.Status != "failed" || record.ErrorMessage == "" {
		t.Errorf("record %+v", record)
	}
	// What was assigned before a failure is known still.
	b.want(b.hubDo("GET", "/devices/dev-1", ""), 200, "")
	text.Store(`{"iotHubHostName":"hub.practice.test"}`)
	if s := b.settle("dev-1", key, b.payloadCall("dev-1", "null", key, "")); s.RegistrationState.Substatus != "reprovisionedToInitialAssignment" {
		t.Errorf("%+v", s.RegistrationState)
	}
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", customBody(`registrationId":"dev-1`, "http://127.0.0.1:1/", ""), "If-Match", "*"), 200, "")
	if s := b.settle("dev-1", key, b.payloadCall("dev-1", "null", key, "")); s.Status != "failed" || !strings.Contains(s.RegistrationState.ErrorMessage, "does not answer") {
		t.Errorf("%+v", s.RegistrationState)
	}
}

func TestWebhookIsAskedWithoutHoldingAnybodyUp(t *testing.T) {
	b := open(t, Options{})
	release, asked := make(chan struct{}), make(chan struct{}, 10)
	url := webhook(t, func(w http.ResponseWriter, _ map[string]any) {
		asked <- struct{}{}
		<-release
		_, _ = io.WriteString(w, `{"iotHubHostName":"hub.practice.test"}`)
	})
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", customBody(`registrationId":"dev-1`, url, "")), 200, "")
	key := b.keysOf("/enrollments/dev-1").PrimaryKey.Secret()
	first := b.payloadCall("dev-1", "null", key, "")
	<-asked
	for range 3 {
		if r := b.want(b.registerCall("GET", "dev-1", "/operations/"+first, key), 202, ""); into[wire.RegistrationOperationStatus](t, r).Status != "assigning" {
			t.Errorf("poll %s", r.body)
		}
	}
	if r := into[wire.DeviceRegistrationState](t, b.want(b.dpsDo("GET", "/registrations/dev-1", ""), 200, "")); r.Status != "assigning" {
		t.Errorf("record %+v", r)
	}
	// A second call joins, a forced one begins anew; then the first answer counts no more.
	if again := b.payloadCall("dev-1", "null", key, ""); again != first {
		t.Error("a second register call began another operation")
	}
	forced := b.payloadCall("dev-1", "null", key, "?forceRegistration=true")
	<-asked
	if forced == first || len(asked) > 0 {
		t.Error("a forced call joined, or a poll asked again")
	}
	close(release)
	if s := b.settle("dev-1", key, forced); s.Status != "assigned" {
		t.Errorf("%+v", s)
	}
	b.want(b.registerCall("GET", "dev-1", "/operations/"+first, key), 404, "404201")
}

func TestWaitingRegistrationSurvivesTheCloud(t *testing.T) {
	b := open(t, Options{})
	asked := make(chan struct{}, 10)
	var answering atomic.Bool
	stuck := make(chan struct{})
	url := webhook(t, func(w http.ResponseWriter, _ map[string]any) {
		asked <- struct{}{}
		if answering.Load() {
			_, _ = io.WriteString(w, `{"iotHubHostName":"hub.practice.test"}`)
			return
		}
		<-stuck
	})
	t.Cleanup(func() { close(stuck) })
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", customBody(`registrationId":"dev-1`, url, "")), 200, "")
	key := b.keysOf("/enrollments/dev-1").PrimaryKey.Secret()
	operation := b.payloadCall("dev-1", "null", key, "")
	<-asked
	c := b.reopened() // Close does not wait for the webhook
	answering.Store(true)
	if s := c.settle("dev-1", key, operation); s.Status != "assigned" {
		t.Errorf("%+v", s)
	}
	// An enrollment that goes while its webhook thinks lets nobody in.
	answering.Store(false)
	c.payloadCall("dev-1", "null", key, "")
	for range 2 {
		<-asked
	}
	c.want(c.dpsDo("DELETE", "/enrollments/dev-1", ""), 204, "")
	c.want(c.dpsDo("GET", "/registrations/dev-1", ""), 404, "404201")
}

func TestWebhookURLs(t *testing.T) {
	b, anywhere := open(t, Options{}), open(t, Options{ListenAnywhere: true})
	for url, want := range map[string][2]int{
		"http://127.0.0.1:7071/api/x": {200, 200}, "https://[::1]/": {200, 200}, "http://LOCALHOST:1/": {200, 200},
		"http://example.com/": {400, 200}, "http://10.0.0.1/": {400, 200}, "http://127.0.0.1.example.com/": {400, 200}, "http://localhost.example.com/": {400, 200},
		"ftp://127.0.0.1/": {400, 400}, "http://user@127.0.0.1/": {400, 400}, "/relative": {400, 400}, "": {400, 400}, "http://": {400, 400},
	} {
		for i, on := range []*bench{b, anywhere} {
			if r := on.dpsDo("PUT", "/enrollments/r", customBody(`registrationId":"r`, url, "")); r.status != want[i] {
				t.Errorf("%q: %d %s", url, r.status, r.body)
			}
			on.dpsDo("DELETE", "/enrollments/r", "")
		}
	}
	b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r",`+symmetric+`,"allocationPolicy":"custom","customAllocationDefinition":{"webhookUrl":"http://127.0.0.1/"}}`), 400, "400004")
	// A name that leads elsewhere is not dialled.
	if response, err := b.webhookClient().Get("http://192.0.2.1:9/"); err == nil {
		_ = response.Body.Close()
		t.Error("another computer was dialled")
	} else if !strings.Contains(err.Error(), "not on this computer") {
		t.Error(err)
	}
}

func FuzzReadAllocation(f *testing.F) {
	b := open(f, Options{})
	for _, seed := range []string{`{"iotHubHostName":"hub.practice.test","initialTwin":{"tags":{}},"payload":[1]}`, `{"initialTwin":null}`, `[]`, `{"iotHubHostName":"HUB.practice.test:8443","payload":null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		to := b.readAllocation(webhookCall{linked: []string{"hub"}}, body)
		if (to.failed == nil) != (to.hub == "hub") || to.failed != nil && to.failed.text == "" || to.payload != nil && !json.Valid(to.payload) {
			t.Errorf("%+v", to)
		}
	})
}
