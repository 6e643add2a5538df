package conformance

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"edgewright/provisioning/iothub"
	"edgewright/provisioning/wire"
)

func TestHubIdentities(t *testing.T) {
	c := reach(t)
	ctx := t.Context()
	made := c.device(wire.Device{DeviceID: "edge", Capabilities: &wire.Capabilities{IotEdge: true}})
	if made.Status != wire.StatusEnabled || made.ETag == "" || made.GenerationID == "" || !made.IsEdge() || made.DeviceScope == "" ||
		made.Authentication == nil || made.Authentication.SymmetricKey == nil || made.Authentication.SymmetricKey.PrimaryKey.IsEmpty() {
		t.Fatalf("made %+v", made)
	}
	_, err := c.hub.CreateDevice(ctx, wire.Device{DeviceID: made.DeviceID})
	c.failed(err, 409, "create what exists")
	_, err = c.hub.Device(ctx, c.prefix+"none")
	c.failed(err, 404, "read what is missing")
	c.failed(c.hub.DeleteDevice(ctx, c.prefix+"none", "*"), 404, "delete what is missing")

	read, err := c.hub.Device(ctx, made.DeviceID)
	if err != nil || read.ETag != made.ETag || !read.Authentication.SymmetricKey.PrimaryKey.Equal(made.Authentication.SymmetricKey.PrimaryKey) {
		t.Errorf("read %+v, %v", read, err)
	}
	read.StatusReason = "conformance"
	updated, err := c.hub.UpdateDevice(ctx, read, read.ETag)
	if err != nil || updated.Value.StatusReason != "conformance" || updated.Value.ETag == read.ETag ||
		!updated.Value.Authentication.SymmetricKey.PrimaryKey.Equal(made.Authentication.SymmetricKey.PrimaryKey) {
		t.Errorf("updated %+v, %v", updated.Value, err)
	}
	_, err = c.hub.UpdateDevice(ctx, read, read.ETag)
	c.failed(err, 412, "update with a stale etag")
	c.failed(c.hub.DeleteDevice(ctx, made.DeviceID, read.ETag), 412, "delete with a stale etag")

	leaf := c.device(wire.Device{DeviceID: "leaf", DeviceScope: made.DeviceScope})
	if leaf.DeviceScope != made.DeviceScope || !slices.Equal(leaf.ParentScopes, []string{made.DeviceScope}) {
		t.Errorf("leaf %+v", leaf)
	}
	nested := c.device(wire.Device{DeviceID: "nested", Capabilities: &wire.Capabilities{IotEdge: true}, ParentScopes: []string{made.DeviceScope}})
	if !slices.Equal(nested.ParentScopes, []string{made.DeviceScope}) || nested.DeviceScope == made.DeviceScope {
		t.Errorf("nested %+v", nested)
	}
	if at, err := c.hub.ServerTime(ctx); err != nil || time.Since(at).Abs() > time.Hour {
		t.Errorf("clock %v, %v", at, err)
	}
}

func TestHubModules(t *testing.T) {
	c := reach(t)
	ctx := t.Context()
	device := c.device(wire.Device{DeviceID: "edge", Capabilities: &wire.Capabilities{IotEdge: true}})
	modules, err := c.hub.Modules(ctx, device.DeviceID)
	var ids []string
	for _, m := range modules {
		ids = append(ids, m.ModuleID)
	}
	slices.Sort(ids)
	if err != nil || !slices.Equal(ids, []string{"$edgeAgent", "$edgeHub"}) {
		t.Errorf("at first %q, %v", ids, err)
	}
	made, err := c.hub.PutModule(ctx, wire.Module{DeviceID: device.DeviceID, ModuleID: "sensor", ManagedBy: "iotEdge"}, "")
	if err != nil || made.Value.GenerationID == "" || made.Value.ManagedBy != "iotEdge" {
		t.Fatalf("made %+v, %v", made.Value, err)
	}
	_, err = c.hub.PutModule(ctx, wire.Module{DeviceID: device.DeviceID, ModuleID: "sensor"}, "")
	c.failed(err, 409, "create what exists")
	updated, err := c.hub.PutModule(ctx, made.Value, made.Value.ETag)
	if err != nil || updated.Value.ETag == made.Value.ETag {
		t.Errorf("updated %+v, %v", updated.Value, err)
	}
	_, err = c.hub.PutModule(ctx, made.Value, made.Value.ETag)
	c.failed(err, 412, "update with a stale etag")
	if _, err := c.hub.Module(ctx, device.DeviceID, "$edgeAgent"); err != nil {
		t.Error(err)
	}
	if err := c.hub.DeleteModule(ctx, device.DeviceID, "sensor", "*"); err != nil {
		t.Error(err)
	}
	_, err = c.hub.Module(ctx, device.DeviceID, "sensor")
	c.failed(err, 404, "read what was deleted")
	_, err = c.hub.Modules(ctx, c.prefix+"none")
	c.failed(err, 401, "list modules of a missing device")
}

func TestHubTwinsAndQuery(t *testing.T) {
	c := reach(t)
	ctx := t.Context()
	device := c.device(wire.Device{DeviceID: "twin"})
	twin, err := c.hub.PatchTwinTags(ctx, device.DeviceID, map[string]any{"suite": c.prefix, "line": 7, "site": map[string]any{"hall": "B"}}, "")
	if err != nil || twin.DeviceID != device.DeviceID || twin.ETag == "" {
		t.Fatalf("twin %+v, %v", twin, err)
	}
	stale := twin.ETag
	if twin, err = c.hub.PatchTwinTags(ctx, device.DeviceID, map[string]any{"line": nil, "site": map[string]any{"door": 1}}, stale); err != nil {
		t.Fatal(err)
	}
	var tags map[string]any
	if err := json.Unmarshal(twin.Tags, &tags); err != nil {
		t.Fatal(err)
	}
	if site, _ := tags["site"].(map[string]any); tags["line"] != nil || site["hall"] != "B" || site["door"] != 1.0 {
		t.Errorf("merged to %v", tags)
	}
	_, err = c.hub.PatchTwinTags(ctx, device.DeviceID, map[string]any{"line": 1}, stale)
	c.failed(err, 412, "patch with a stale etag")
	_, err = c.hub.Twin(ctx, c.prefix+"none")
	c.failed(err, 404, "read what is missing")
	read, err := c.hub.Twin(ctx, device.DeviceID)
	if err != nil || read.DeviceETag != device.ETag || read.Version != twin.Version || read.ConnectionState != wire.Disconnected {
		t.Errorf("read %+v, %v", read, err)
	}

	c.eventually("query by tag", func() bool {
		var found []string
		for twin, err := range c.hub.Query(ctx, "SELECT * FROM devices WHERE tags.suite = '"+c.prefix+"'") {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, twin.DeviceID)
		}
		return slices.Equal(found, []string{device.DeviceID})
	})
	for _, err := range c.hub.Query(ctx, "SELECT FROM WHERE") {
		c.failed(err, 400, "query that is none")
	}
}

func TestHubDevicePlane(t *testing.T) {
	c := reach(t)
	ctx := t.Context()
	device := c.device(wire.Device{DeviceID: "own", Capabilities: &wire.Capabilities{IotEdge: true}})
	as := func(key wire.Key) *iothub.DeviceClient {
		t.Helper()
		own, err := iothub.NewDeviceClient(wire.ConnectionString{HostName: c.hub.Host(), DeviceID: device.DeviceID, Key: key.Secret()}, c.options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = own.Close() })
		return own
	}
	keys := device.Authentication.SymmetricKey
	for name, key := range map[string]wire.Key{"primary": keys.PrimaryKey, "secondary": keys.SecondaryKey} {
		if err := as(key).SendEvent(ctx, []byte(`{"temperature":21}`)); err != nil {
			t.Errorf("%s key: %v", name, err)
		}
	}
	if modules, err := as(keys.PrimaryKey).Modules(ctx); err != nil || len(modules) != 2 {
		t.Errorf("own modules %+v, %v", modules, err)
	}
	stranger := c.device(wire.Device{DeviceID: "stranger"})
	c.failed(as(stranger.Authentication.SymmetricKey.PrimaryKey).SendEvent(ctx, []byte("{}")), 401, "another device's key")

	c.eventually("last activity", func() bool {
		twin, err := c.hub.Twin(ctx, device.DeviceID)
		return err == nil && time.Since(twin.LastActivityTime.Moment()).Abs() < time.Hour
	})
	device.Status = wire.StatusDisabled
	if _, err := c.hub.UpdateDevice(ctx, device, "*"); err != nil {
		t.Fatal(err)
	}
	c.failed(as(keys.PrimaryKey).SendEvent(ctx, []byte("{}")), 401, "disabled device")
}
