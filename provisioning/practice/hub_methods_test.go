package practice

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/wire"
)

// answersMethods connects a device, or its module, that answers every method
// with status 207, the method's name and its payload.
func (b *bench) answersMethods(u daemontest.Upstream) *daemontest.MQTT {
	b.Helper()
	c := b.hears(u)
	go func() {
		for m := range c.Messages {
			name, id, _ := strings.Cut(strings.TrimPrefix(m.Topic, "$iothub/methods/POST/"), "/?$rid=")
			_ = c.Publish(context.Background(), "$iothub/methods/res/207/?$rid="+id, fmt.Appendf(nil, `{"name":%q,"got":%s}`, name, m.Payload), 0)
		}
	}()
	return c
}

// hears connects one that says nothing to methods.
func (b *bench) hears(u daemontest.Upstream) *daemontest.MQTT {
	b.Helper()
	c, err := u.Dial(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	if _, err := c.Subscribe(b.Context(), "$iothub/methods/POST/#", 1); err != nil {
		b.Fatal(err)
	}
	return c
}

func TestDirectMethods(t *testing.T) {
	b := onStage(t)
	d := b.makeDevice("d", true)
	m := into[wire.Module](t, b.want(b.hubDo("PUT", "/devices/d/modules/m", `{"moduleId":"m"}`), 200, ""))
	b.want(b.hubDo("POST", "/twins/d/methods", `{"methodName":"x"}`), 404, "DeviceNotOnline")
	device := b.upstream(d)
	module := device
	module.Module, module.Sign = "m", daemontest.WithKey(m.Authentication.SymmetricKey.PrimaryKey.Secret().Reveal())
	c := b.answersMethods(device)
	b.answersMethods(module)
	for path, want := range map[string][2]string{
		"/twins/d/methods":           {`{"methodName":"Get Logs","payload":{"n":[1]}}`, `{"status":207,"payload":{"name":"Get%20Logs","got":{"n":[1]}}}`},
		"/twins/d/modules/m/methods": {`{"methodName":"ping"}`, `{"status":207,"payload":{"name":"ping","got":null}}`},
	} {
		if got := b.want(b.hubDo("POST", path, want[0]), 200, "").body; got != want[1] {
			t.Errorf("%s: %s", path, got)
		}
	}
	for body, code := range map[string]string{
		`{}`: "ArgumentInvalid",
		`{"methodName":"x","responseTimeoutInSeconds":301}`:                            "ArgumentInvalid",
		`{"methodName":"x","responseTimeoutInSeconds":5,"connectTimeoutInSeconds":6}`:  "ArgumentInvalid",
		`{"methodName":"x","payload":"` + strings.Repeat("x", maxMethodPayload) + `"}`: "MessageTooLarge",
	} {
		if r := b.hubDo("POST", "/twins/d/methods", body); r.header.Get(wire.HeaderHubErrorCode) != code {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	b.want(b.hubDo("POST", "/twins/none/methods", `{"methodName":"x"}`), 404, "DeviceNotFound")
	b.want(b.do(call{method: "POST", path: "/twins/d/methods", body: `{"methodName":"x"}`, auth: b.policyToken("registryReadWrite")}), 401, "IotHubUnauthorizedAccess")

	_ = c.Close()
	b.leaves("d")
	r := b.hubDo("POST", "/twins/d/methods", `{"methodName":"x"}`)
	var detail wire.HubErrorDetail
	if err := json.Unmarshal([]byte(into[wire.HubErrorBody](t, r).Message), &detail); err != nil || detail.ErrorCode != 404103 {
		t.Errorf("%v: %s", err, r.body)
	}

	// One that waits for the device gets its answer when that comes.
	answered := make(chan methodResult, 1)
	go func() {
		result, _ := b.invokeMethod(t.Context(), "hub", "d", "", methodRequest{Name: "late", ConnectTimeout: 20})
		answered <- result
	}()
	c = b.answersMethods(device)
	if got := <-answered; got.status != 207 {
		t.Errorf("%+v", got)
	}
	_ = c.Close()
	b.leaves("d")

	// One whose device is silent ends with the caller, or with the connection.
	silent := b.hears(device)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { b.next(silent); cancel() }()
	if _, refused := b.invokeMethod(ctx, "hub", "d", "", methodRequest{Name: "x"}); refused == nil || refused.name != codeNoAnswer {
		t.Errorf("%+v", refused)
	}
	go func() { b.next(silent); _ = silent.Close() }()
	if _, refused := b.invokeMethod(t.Context(), "hub", "d", "", methodRequest{Name: "x"}); refused == nil || refused.name != "DeviceNotOnline" {
		t.Errorf("%+v", refused)
	}
}

// leaves waits until a device is no longer connected.
func (s *stage) leaves(id string) {
	s.Helper()
	for end := time.Now().Add(10 * time.Second); s.state(id) == wire.Connected; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.Fatal("still connected")
		}
	}
}
