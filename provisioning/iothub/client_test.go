package iothub

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	method, path, ifMatch, authorization, continuation, clientID string
	query                                                        string
	body                                                         []byte
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
		e := exchange{req.Method, req.URL.EscapedPath(), req.Header.Get("If-Match"), req.Header.Get("Authorization"),
			req.Header.Get(wire.HeaderContinuation), req.Header.Get(wire.HeaderClientID), req.URL.RawQuery, body}
		r.mu.Lock()
		r.seen = append(r.seen, e)
		n := len(r.seen)
		r.mu.Unlock()
		answer(n, w, e)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) requests() []exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func (r *recorder) host() string { return strings.TrimPrefix(r.URL, "https://") }

// fast retries without waiting long.
var fast = Options{Retry: rest.Retry{Delay: time.Millisecond, ThrottleDelay: time.Millisecond, MaxDelay: 2 * time.Second}}

func (r *recorder) client(t *testing.T, options Options) *Client {
	t.Helper()
	if options.Transport == nil {
		options.Transport = r.Client()
	}
	c, err := New(wire.ConnectionString{HostName: r.host(), PolicyName: "iothubowner", Key: serviceKey}, options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func fail(w http.ResponseWriter, status int, name string) {
	w.Header().Set(wire.HeaderHubErrorCode, name)
	w.Header().Set(wire.HeaderRequestID, "request-1")
	reply(w, status, fmt.Sprintf(`{"Message":"ErrorCode:%s;no","ExceptionMessage":"Tracking ID:track-1-TimeStamp:x"}`, name))
}

// hangUp breaks the connection instead of answering.
func hangUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }

const edgeDevice = `{"deviceId":"d1","generationId":"638","etag":"ODAx","connectionState":"Disconnected","status":"enabled","statusReason":"",
"connectionStateUpdatedTime":"0001-01-01T00:00:00Z","statusUpdatedTime":"0001-01-01T00:00:00Z","lastActivityTime":"0001-01-01T00:00:00Z",
"cloudToDeviceMessageCount":0,"authentication":{"symmetricKey":{"primaryKey":"QUFBQUFBQUFBQUFBQUFBQQ==","secondaryKey":"QkJCQkJCQkJCQkJCQkJCQg=="},
"x509Thumbprint":{},"type":"sas"},"capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://d1-638","attributes":{"a":"b"}}`

const edgeTwin = `{"deviceId":"d1","etag":"AAAAAAAAAAE=","deviceEtag":"ODAx","status":"enabled","statusUpdateTime":"0001-01-01T00:00:00Z",
"connectionState":"Connected","lastActivityTime":"2026-11-24T11:58:10.5Z","cloudToDeviceMessageCount":0,"authenticationType":"sas",
"x509Thumbprint":{"PrimaryThumbprint":"AB","SecondaryThumbprint":"CD"},"modelId":"","version":2,"tags":{"line":7,"site":{"hall":"B"}},
"properties":{"desired":{"$metadata":{"$lastUpdated":"2026-11-24T11:58:10Z"},"$version":1},"reported":{"$version":1}},"capabilities":{"iotEdge":true},
"deviceScope":"ms-azure-iot-edge://d1-638"}`

const edgeAgent = `{"moduleId":"$edgeAgent","managedBy":"iotEdge","deviceId":"d1","generationId":"639","etag":"ODAy","connectionState":"Disconnected",
"connectionStateUpdatedTime":"0001-01-01T00:00:00Z","lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,"authentication":{"type":"none"}}`

func TestEveryOperationFitsTheOpenAPIFile(t *testing.T) {
	spec := openapitest.Load(t, openapitest.HubService)
	server := record(t, func(n int, w http.ResponseWriter, e exchange) {
		switch {
		case strings.HasSuffix(e.path, "/messages/events"), e.method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		case e.path == "/devices/query":
			reply(w, 200, "["+edgeTwin+"]")
		case strings.HasPrefix(e.path, "/twins/"):
			reply(w, 200, edgeTwin)
		case strings.HasSuffix(e.path, "/modules"):
			reply(w, 200, "["+edgeAgent+"]")
		case strings.Contains(e.path, "/modules/"):
			reply(w, 200, edgeAgent)
		case strings.HasPrefix(e.path, "/statistics"):
			reply(w, 200, `{"connectedDeviceCount":1}`)
		default:
			reply(w, 200, edgeDevice)
		}
	})
	checker := spec.Check(t, server.Client())
	checker.Outside = []string{"POST /devices/d1/messages/events"}
	c := server.client(t, Options{Transport: checker})
	ctx := t.Context()

	device, err := c.Device(ctx, "d1")
	if err != nil || !device.IsEdge() || device.DeviceScope == "" {
		t.Fatalf("read device: %v, %v", device, err)
	}
	if _, err := c.CreateDevice(ctx, wire.Device{DeviceID: "d1", Status: wire.StatusEnabled, Capabilities: &wire.Capabilities{IotEdge: true},
		Authentication: &wire.Authentication{Type: wire.AuthSAS, SymmetricKey: &wire.SymmetricKey{}}}); err != nil {
		t.Error(err)
	}
	if _, err := c.UpdateDevice(ctx, device, device.ETag); err != nil {
		t.Error(err)
	}
	if err := c.DeleteDevice(ctx, "d1", "*"); err != nil {
		t.Error(err)
	}
	modules, err := c.Modules(ctx, "d1")
	if err != nil || len(modules) != 1 || modules[0].ModuleID != "$edgeAgent" {
		t.Errorf("list modules: %v, %v", modules, err)
	}
	module, err := c.Module(ctx, "d1", "$edgeAgent")
	if err != nil {
		t.Error(err)
	}
	if _, err := c.PutModule(ctx, wire.Module{DeviceID: "d1", ModuleID: "m"}, ""); err != nil {
		t.Error(err)
	}
	if _, err := c.PutModule(ctx, module, "*"); err != nil {
		t.Error(err)
	}
	if err := c.DeleteModule(ctx, "d1", "m", module.ETag); err != nil {
		t.Error(err)
	}
	twin, err := c.Twin(ctx, "d1")
	if err != nil || twin.ConnectionState != wire.Connected || twin.LastActivityTime.Moment().IsZero() || twin.X509Thumbprint.PrimaryThumbprint != "AB" {
		t.Errorf("read twin: %+v, %v", twin, err)
	}
	if _, err := c.PatchTwinTags(ctx, "d1", map[string]any{"line": 7, "old": nil}, ""); err != nil {
		t.Error(err)
	}
	for twin, err := range c.Query(ctx, "SELECT * FROM devices") {
		if err != nil || twin.DeviceID != "d1" {
			t.Errorf("query: %v, %v", twin.DeviceID, err)
		}
	}
	if at, err := c.ServerTime(ctx); err != nil || time.Since(at) > time.Minute {
		t.Errorf("server time %v, %v", at, err)
	}
	own, err := NewDeviceClient(wire.ConnectionString{HostName: server.host(), DeviceID: "d1", Key: serviceKey}, Options{Transport: checker})
	if err != nil {
		t.Fatal(err)
	}
	if err := own.SendEvent(ctx, []byte("hello")); err != nil {
		t.Error(err)
	}
	if modules, err := own.Modules(ctx); err != nil || len(modules) != 1 {
		t.Errorf("own modules: %v, %v", modules, err)
	}

	want := []string{"DELETE /devices/{id}", "DELETE /devices/{id}/modules/{mid}", "GET /devices/{id}", "GET /devices/{id}/modules",
		"GET /devices/{id}/modules/{mid}", "GET /statistics/service", "GET /twins/{id}", "PATCH /twins/{id}", "POST /devices/query",
		"PUT /devices/{id}", "PUT /devices/{id}/modules/{mid}"}
	if used := checker.Used(); !slices.Equal(used, want) {
		t.Errorf("operations seen: %q", used)
	}
}

func TestRequestsOnTheWire(t *testing.T) {
	server := record(t, func(_ int, w http.ResponseWriter, e exchange) {
		if e.method == http.MethodDelete {
			w.WriteHeader(204)
			return
		}
		reply(w, 200, edgeDevice)
	})
	c := server.client(t, fast)
	if _, err := c.Device(t.Context(), "a#b%c$"); err != nil {
		t.Fatal(err)
	}
	var device wire.Device
	if err := json.Unmarshal([]byte(edgeDevice), &device); err != nil {
		t.Fatal(err)
	}
	device.DeviceScope, device.Capabilities = "", nil
	if _, err := c.UpdateDevice(t.Context(), device, "ODAx"); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteDevice(t.Context(), "d1", "*"); err != nil {
		t.Fatal(err)
	}
	seen := server.requests()
	if len(seen) != 4 {
		t.Fatalf("%d requests", len(seen))
	}
	if seen[0].path != "/devices/a%23b%25c%24" || seen[0].query != "api-version=2021-04-12" {
		t.Errorf("read as %s?%s", seen[0].path, seen[0].query)
	}
	token, err := wire.ParseToken(seen[0].authorization)
	if err != nil || !token.SignedBy(serviceKey) || !token.Covers(server.host()+"/devices/x") || token.Policy != "iothubowner" {
		t.Errorf("token %v, %v", token, err)
	}
	update := seen[2]
	if update.method != http.MethodPut || update.ifMatch != `"ODAx"` {
		t.Errorf("update has If-Match %s", update.ifMatch)
	}
	for _, kept := range []string{`"deviceScope":"ms-azure-iot-edge://d1-638"`, `"iotEdge":true`, `"attributes":{"a":"b"}`, `"QUFBQUFBQUFBQUFBQUFBQQ=="`} {
		if !bytes.Contains(update.body, []byte(kept)) {
			t.Errorf("update loses %s: %s", kept, update.body)
		}
	}
	if seen[3].ifMatch != "*" {
		t.Errorf("delete has If-Match %s", seen[3].ifMatch)
	}
	if len(seen[0].clientID) < 30 || seen[0].clientID == seen[3].clientID {
		t.Errorf("client request IDs %q and %q", seen[0].clientID, seen[3].clientID)
	}
}

func TestRefusedBeforeAnythingIsSent(t *testing.T) {
	server := record(t, func(_ int, w http.ResponseWriter, _ exchange) { reply(w, 200, edgeDevice) })
	c := server.client(t, fast)
	ctx := t.Context()
	calls := map[string]func() error{
		"empty ID":    func() error { _, err := c.Device(ctx, ""); return err },
		"path in ID":  func() error { _, err := c.Device(ctx, "d1/modules"); return err },
		"delete etag": func() error { return c.DeleteDevice(ctx, "d1", "") },
		"update etag": func() error { _, err := c.UpdateDevice(ctx, wire.Device{DeviceID: "d1"}, ""); return err },
		"no auth":     func() error { _, err := c.UpdateDevice(ctx, wire.Device{DeviceID: "d1"}, "*"); return err },
		"no keys": func() error {
			_, err := c.UpdateDevice(ctx, wire.Device{DeviceID: "d1", Authentication: &wire.Authentication{Type: wire.AuthSAS}}, "*")
			return err
		},
		"module auth": func() error { _, err := c.PutModule(ctx, wire.Module{DeviceID: "d1", ModuleID: "m"}, "*"); return err },
		"module ID":   func() error { _, err := c.Module(ctx, "d1", ""); return err },
		"module etag": func() error { return c.DeleteModule(ctx, "d1", "m", "") },
		"empty query": func() error {
			for _, err := range c.Query(ctx, "") {
				return err
			}
			return nil
		},
		"twin ID":      func() error { _, err := c.Twin(ctx, "a b"); return err },
		"twin tags ID": func() error { _, err := c.PatchTwinTags(ctx, "", nil, ""); return err },
	}
	for name, call := range calls {
		if err := call(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if n := len(server.requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	device := wire.ConnectionString{HostName: "h", DeviceID: "d", Key: serviceKey}
	if _, err := New(device, Options{}); err == nil {
		t.Error("a device's string makes a service client")
	}
	if _, err := NewDeviceClient(wire.ConnectionString{HostName: "h", PolicyName: "p", Key: serviceKey}, Options{}); err == nil {
		t.Error("a service string makes a device client")
	}
}
