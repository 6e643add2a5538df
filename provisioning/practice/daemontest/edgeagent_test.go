package daemontest_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"edgewright/provisioning/practice/daemontest"
)

// runtime provisions an edge device and gives what signs for its modules.
func (s *stage) runtime(id string, modules ...string) (daemontest.Registry, map[string]daemontest.Sign) {
	s.Helper()
	r := s.provisioned(id)
	keys, err := r.Reconcile(s.Context(), append([]string{"$edgeAgent", "$edgeHub"}, modules...), daemontest.WithKey([]byte("stays on the device")))
	if err != nil {
		s.Fatal(err)
	}
	return r, keys
}

func (s *stage) upstream(r daemontest.Registry, module string, sign daemontest.Sign) daemontest.Upstream {
	return daemontest.Upstream{Network: s.network, Address: s.info.MQTT, Hub: r.Hub, Device: r.ID, Module: module, Sign: sign}
}

// soon bounds what a test waits for.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestEdgeAgentRunsADeployment(t *testing.T) {
	s := serve(t)
	r, keys := s.runtime("edge-1")
	ctx := soon(t)
	agent, err := s.upstream(r, "$edgeAgent", keys["$edgeAgent"]).Start(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := agent.Twin(ctx)
	if err != nil || len(first.Desired) > 2 {
		t.Fatalf("first twin %+v, %v", first, err)
	}
	// Nothing is deployed yet: 406.
	if _, err := agent.Report(ctx, daemontest.Status(0, 406, "")); err != nil {
		t.Fatal(err)
	}
	var module struct{ ConnectionState string }
	if s.owner("GET", "/devices/edge-1/modules/%24edgeAgent", "", &module); module.ConnectionState != "Connected" {
		t.Errorf("edgeAgent is %s", module.ConnectionState)
	}

	s.owner("POST", "/devices/edge-1/applyConfigurationContent", `{"modulesContent":{"$edgeAgent":{"properties.desired":{"schemaVersion":"1.1",
"runtime":{"type":"docker","settings":{}},"systemModules":{},"modules":{"sensor":{"type":"docker","settings":{"image":"sensor:1"}}}}},
"$edgeHub":{"properties.desired":{"schemaVersion":"1.1","routes":{}}},"sensor":{"properties.desired":{"rate":5}}}}`, nil)
	var pushed map[string]any
	select {
	case raw := <-agent.Desired:
		if err := json.Unmarshal(raw, &pushed); err != nil {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatal("no desired properties came")
	}
	version, _ := pushed["$version"].(float64)
	if modules, _ := pushed["modules"].(map[string]any); modules["sensor"] == nil || version <= first.Desired["$version"].(float64) {
		t.Errorf("pushed %v", pushed)
	}
	reported, err := agent.Report(ctx, daemontest.Status(int(version), 200, "Successful"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := agent.Report(ctx, map[string]any{"modules": map[string]any{"sensor": map[string]any{"runtimeStatus": "running"}}})
	if err != nil || again != reported+1 {
		t.Errorf("reported version %d after %d, %v", again, reported, err)
	}
	second, err := agent.Twin(ctx)
	if err != nil || second.Desired["$version"] != version || second.Reported["$version"] != float64(again) || second.Reported["lastDesiredVersion"] != version {
		t.Errorf("second twin %+v, %v", second, err)
	}
	var twin struct {
		Properties struct {
			Reported struct {
				LastDesiredVersion float64
				LastDesiredStatus  struct{ Code int }
				Modules            map[string]any
			}
		}
	}
	s.owner("GET", "/twins/edge-1/modules/%24edgeAgent", "", &twin)
	if seen := twin.Properties.Reported; seen.LastDesiredVersion != version || seen.LastDesiredStatus.Code != 200 || seen.Modules["sensor"] == nil {
		t.Errorf("the service sees %+v", seen)
	}

	if err := agent.Close(); err != nil {
		t.Error(err)
	}
	s.gone(ctx, "edge-1", "%24edgeAgent")
}

// gone waits until a module is no longer connected.
func (s *stage) gone(ctx context.Context, device, module string) {
	s.Helper()
	var state struct{ ConnectionState string }
	for state.ConnectionState != "Disconnected" {
		if ctx.Err() != nil {
			s.Fatalf("%s stays connected", module)
		}
		s.owner("GET", "/devices/"+device+"/modules/"+module, "", &state)
	}
}

func TestConnectionsAreRefused(t *testing.T) {
	s := serve(t)
	r, keys := s.runtime("edge-1", "sensor")
	other, _ := s.runtime("edge-2")
	ctx := soon(t)
	good := s.upstream(r, "sensor", keys["sensor"])
	for name, change := range map[string]func(*daemontest.Upstream){
		"another module's key": func(u *daemontest.Upstream) { u.Sign = keys["$edgeHub"] },
		"the device's key":     func(u *daemontest.Upstream) { u.Device = other.ID; u.Sign = r.Sign },
		"no credential":        func(u *daemontest.Upstream) { u.Sign = nil },
		"an expired token":     func(u *daemontest.Upstream) { u.Network.Now = ago(2 * time.Hour) },
		"an unknown module":    func(u *daemontest.Upstream) { u.Module = "none" },
		"an unknown device":    func(u *daemontest.Upstream) { u.Device = "none" },
	} {
		u := good
		change(&u)
		_, err := u.Dial(ctx)
		var refused *daemontest.RefusedError
		if !errors.As(err, &refused) || refused.Code != 4 && refused.Code != 5 {
			t.Errorf("%s: %v", name, err)
		}
	}
	connected, err := good.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.owner("PUT", "/devices/edge-1", s.disabled("edge-1"), nil, "If-Match", "*")
	if _, err := good.Dial(ctx); err == nil {
		t.Error("a disabled device connects")
	}
	_ = connected.Close()
}

// disabled is the identity of a device with its status changed.
func (s *stage) disabled(id string) string {
	s.Helper()
	var device map[string]any
	s.owner("GET", "/devices/"+id, "", &device)
	device["status"] = "disabled"
	encoded, err := json.Marshal(device)
	if err != nil {
		s.Fatal(err)
	}
	return string(encoded)
}

func TestConnectionRules(t *testing.T) {
	s := serve(t)
	r, keys := s.runtime("edge-1", "sensor")
	ctx := soon(t)
	u := s.upstream(r, "sensor", keys["sensor"])
	first, err := u.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Ping(ctx); err != nil {
		t.Error(err)
	}
	for qos := range byte(2) {
		if err := first.Publish(ctx, "devices/edge-1/modules/sensor/messages/events/%24.on=out/", []byte("{}"), qos); err != nil {
			t.Errorf("QoS %d: %v", qos, err)
		}
	}
	// A newer connection of the same identity closes the older.
	second, err := u.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case _, open := <-first.Messages:
		if open {
			t.Error("a message nobody sent")
		}
	case <-ctx.Done():
		t.Error("the older connection stays")
	}
	for name, topic := range map[string]string{"another module's": "devices/edge-1/modules/other/messages/events/", "the device's": "devices/edge-1/messages/events/"} {
		c, err := u.Dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Publish(ctx, topic, []byte("{}"), 1); err == nil {
			t.Errorf("%s topic is taken", name)
		}
		_ = c.Close()
	}
	_ = second.Close()
	third, err := u.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := third.Publish(ctx, "devices/edge-1/modules/sensor/messages/events/", []byte("{}"), 2); err == nil {
		t.Error("QoS 2 is taken")
	}
	// An agent sees only its own twin.
	agent, err := u.Start(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.owner("PATCH", "/twins/edge-1/modules/%24edgeHub", `{"properties":{"desired":{"a":1}}}`, nil)
	s.owner("PATCH", "/twins/edge-1/modules/sensor", `{"properties":{"desired":{"b":2}}}`, nil)
	select {
	case raw := <-agent.Desired:
		var changed map[string]any
		if err := json.Unmarshal(raw, &changed); err != nil || changed["b"] != 2.0 || changed["a"] != nil {
			t.Errorf("got %s", raw)
		}
	case <-ctx.Done():
		t.Error("nothing came")
	}
	_ = agent.Close()
}
