package practice

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

// outcome is a bulk result in short: "name id" of each error, "!id" of each
// warning.
func outcome(t testing.TB, r reply) string {
	t.Helper()
	result := into[registryResult](t, r)
	var parts []string
	for _, e := range result.Errors {
		if e.ErrorStatus == "" {
			t.Errorf("error without text: %+v", e)
		}
		parts = append(parts, strings.TrimSuffix(e.ErrorCode+" "+e.DeviceID+"/"+e.ModuleID, "/"))
	}
	for _, w := range result.Warnings {
		if w.WarningCode != "DeviceRegisteredWithoutTwin" || w.WarningStatus == "" {
			t.Errorf("warning %+v", w)
		}
		parts = append(parts, "!"+w.DeviceID)
	}
	if result.IsSuccessful != (len(result.Errors) == 0) || result.Errors == nil || result.Warnings == nil {
		t.Errorf("result %s", r.body)
	}
	return strings.Join(parts, ", ")
}

func TestBulkModes(t *testing.T) {
	b := open(t, Options{})
	for _, id := range []string{"a", "b"} {
		b.makeDevice(id, false)
	}
	edge := b.makeDevice("edge", true)
	etag := func(id string) string { return into[wire.Device](t, b.hubDo("GET", "/devices/"+id, "")).ETag }
	twinETag := func(path string) string { return into[wire.Twin](t, b.hubDo("GET", "/twins/"+path, "")).ETag }
	for _, test := range []struct {
		name, items string
		status      int
		outcome     string
	}{
		{"create", `{"id":"c","importMode":"create"},{"id":"d","importMode":"Create","status":"disabled","authentication":{"type":"certificateAuthority"}}`, 200, ""},
		{"create what exists", `{"id":"c","importMode":"create"},{"id":"e","importMode":"create"}`, 200, "DeviceAlreadyExists c"},
		{"nothing succeeds", `{"id":"c","importMode":"create"},{"id":"x y","importMode":"create"},{"id":"","importMode":"create"}`, 400, "DeviceAlreadyExists c, ArgumentInvalid x y, ArgumentInvalid "},
		{"unknown mode", `{"id":"f","importMode":"upsert"},{"id":"f2","importMode":"createIfMatchETag"}`, 400, "ArgumentInvalid f, ArgumentInvalid f2"},
		{"update", `{"id":"a","importMode":"Update","status":"disabled"},{"id":"none","importMode":"update"}`, 200, "DeviceNotFound none"},
		{"update if match", `{"id":"a","importMode":"UpdateIfMatchETag","eTag":"` + etag("b") + `x"},{"id":"b","importMode":"updateIfMatchETag","eTag":"` + etag("b") + `"},{"id":"c","importMode":"updateIfMatchETag"}`, 200, "PreconditionFailed a, PreconditionFailed c"},
		{"edge scope must come back", `{"id":"edge","importMode":"update","capabilities":{"iotEdge":true}}`, 400, "InvalidDeviceScope edge"},
		{"edge scope comes back", `{"id":"edge","importMode":"update","capabilities":{"iotEdge":true},"deviceScope":"` + edge.DeviceScope + `"}`, 200, ""},
		{"modules", `{"id":"edge","moduleId":"m","importMode":"create","managedBy":"me","tags":{"k":1}},{"id":"none","moduleId":"m","importMode":"create"},{"id":"edge","moduleId":"$own","importMode":"create"},{"id":"edge","moduleId":"n","importMode":"update"}`, 200,
			"DeviceNotFound none/m, ArgumentInvalid edge/$own, ModuleNotFound edge/n"},
		{"module exists", `{"id":"edge","moduleId":"m","importMode":"create"}`, 400, "ModuleAlreadyExistsOnDevice edge/m"},
		{"a device with its module", `{"id":"g","importMode":"create"},{"id":"g","moduleId":"m","importMode":"create"}`, 200, ""},
		{"update twin", `{"id":"a","importMode":"updateTwin","tags":{"line":7},"properties":{"desired":{"x":1,"$version":9},"reported":{"r":1}}},{"id":"edge","moduleId":"m","importMode":"UpdateTwin","tags":{"k":null,"j":2}},{"id":"none","importMode":"updateTwin"},{"id":"b","importMode":"updateTwin","tags":{"a b":1}}`, 200,
			"DeviceNotFound none, ArgumentInvalid b"},
		{"update twin if match", `{"id":"b","importMode":"updateTwinIfMatchETag","twinETag":"` + twinETag("b") + `","tags":{"ok":true}},{"id":"a","importMode":"updateTwinIfMatchETag","twinETag":"AAAAAAAAAAE=","tags":{"ok":true}}`, 200, "PreconditionFailed a"},
		{"twin of a new device breaks a limit", `{"id":"h","importMode":"create","tags":{"a.b":1}}`, 200, "!h"},
		{"twin of an update breaks a limit", `{"id":"h","importMode":"update","status":"disabled","tags":{"a.b":1}}`, 400, "ArgumentInvalid h"},
		{"create or update", `{"id":"h","statusReason":"new","properties":{"desired":{"d":1}}},{"id":"i","importMode":"createOrUpdateIfMatchETag","eTag":"x","properties":{"reported":{"r":1}}},{"id":"a","importMode":"createOrUpdateIfMatchETag","eTag":"x"}`, 200, "PreconditionFailed a"},
		{"delete", `{"id":"c","importMode":"delete"},{"id":"none","importMode":"Delete"},{"id":"edge","moduleId":"m","importMode":"delete"},{"id":"edge","moduleId":"$edgeHub","importMode":"delete"},{"id":"edge","moduleId":"m2","importMode":"delete"}`, 200,
			"DeviceNotFound none, ArgumentInvalid edge/$edgeHub, ModuleNotFound edge/m2"},
		{"delete if match", `{"id":"d","importMode":"DeleteIfMatchETag","eTag":"x"},{"id":"e","importMode":"deleteIfMatchETag"}`, 400, "PreconditionFailed d, PreconditionFailed e"},
	} {
		r := b.hubDo("POST", "/devices/", "["+test.items+"]")
		code := map[int]string{400: "BulkRegistryOperationFailure"}[test.status]
		if got := outcome(t, b.want(r, test.status, code)); got != test.outcome {
			t.Errorf("%s: %s, want %s", test.name, got, test.outcome)
		}
	}
	b = b.reopened()
	devices := into[[]wire.Device](t, b.hubDo("GET", "/devices", ""))
	state := map[string]wire.Device{}
	for _, d := range devices {
		state[d.DeviceID] = d
	}
	if len(state) != 8 || state["a"].Status != "disabled" || state["d"].Authentication.Type != "certificateAuthority" || state["h"].Status != "enabled" || state["h"].StatusReason != "new" {
		t.Errorf("devices %v", state)
	}
	if twin := b.hubDo("GET", "/twins/a", "").body; !strings.Contains(twin, `"line":7`) || !strings.Contains(twin, `"x":1`) || strings.Contains(twin, `"r":1`) {
		t.Errorf("twin %s", twin)
	}
	if b.properties("/twins/h", "desired")["d"] != 1.0 || b.properties("/twins/i", "reported")["r"] != 1.0 {
		t.Error("twins of created devices lack their properties")
	}
}

func TestBulkAsAWhole(t *testing.T) {
	b := open(t, Options{})
	many := make([]string, maxRegistryBulk+1)
	for i := range many {
		many[i] = fmt.Sprintf(`{"id":"d%d","importMode":"create"}`, i)
	}
	b.want(b.hubDo("POST", "/devices", "["+strings.Join(many, ",")+"]"), 413, "TooManyDevices")
	b.want(b.hubDo("POST", "/devices", "[]"), 400, "ArgumentInvalid")
	b.want(b.hubDo("POST", "/devices", "{}"), 400, "DeserializationError")
	b.want(b.hubDo("POST", "/devices", `[{"id":"d","importMode":"create"},{"id":"d","importMode":"delete"}]`), 400, "DeviceDefinedMultipleTimes")
	if r := b.hubDo("GET", "/devices", ""); r.body != "[]" {
		t.Errorf("something was made: %s", r.body)
	}
	b.want(b.hubDo("POST", "/devices", "["+strings.Join(many[1:], ",")+"]"), 200, "")
	b.want(b.do(call{method: "POST", path: "/devices", body: "[" + many[0] + "]", auth: b.policyToken("registryRead")}), 401, "IotHubUnauthorizedAccess")
	b.want(b.do(call{method: "POST", path: "/devices", body: "[" + many[0] + "]", auth: b.policyToken("registryReadWrite")}), 200, "")
	statistics := b.want(b.do(call{method: "GET", path: "/statistics/devices", auth: b.policyToken("registryRead")}), 200, "")
	b.want(b.hubDo("PUT", "/devices/d1", `{"status":"disabled"}`, "If-Match", "*"), 200, "")
	if after := b.hubDo("GET", "/statistics/devices", ""); statistics.body != `{"totalDeviceCount":101,"enabledDeviceCount":101,"disabledDeviceCount":0}` ||
		after.body != `{"totalDeviceCount":101,"enabledDeviceCount":100,"disabledDeviceCount":1}` {
		t.Errorf("statistics %s, %s", statistics.body, after.body)
	}
	b.act(func(x *transaction) { x.hub.devices["d2"].Identity.ConnectionState = wire.Connected })
	for policy, status := range map[string]int{"service": 200, "registryRead": 200, "device": 401} {
		r := b.do(call{method: "GET", path: "/statistics/service", auth: b.policyToken(policy)})
		if r.status != status || status == 200 && r.body != `{"connectedDeviceCount":1}` {
			t.Errorf("policy %s: %d %s", policy, r.status, r.body)
		}
	}
	b.want(b.do(call{method: "GET", path: "/statistics/devices", auth: b.policyToken("service")}), 401, "IotHubUnauthorizedAccess")
}

func TestRegenerateKeys(t *testing.T) {
	b := open(t, Options{})
	before := b.makeDevice("d", true)
	b.want(b.hubDo("PUT", "/devices/d/modules/m", `{}`), 200, "")
	b.want(b.hubDo("PUT", "/devices/x", `{"authentication":{"type":"certificateAuthority"}}`), 200, "")
	module := into[wire.Module](t, b.hubDo("GET", "/devices/d/modules/m", ""))
	b.clock.advance(time.Second)
	for _, test := range []struct {
		key, devices       string
		status             int
		primary, secondary bool // are new
		failed             int
	}{
		{"primaryKey", `{"id":"d"},{"id":"d","moduleId":"m"}`, 200, true, false, 0},
		{"secondaryKey", `{"id":"d"},{"id":"d","moduleId":"m"}`, 200, false, true, 0},
		{"both", `{"id":"d"},{"id":"none"},{"id":"x"},{"id":"d","moduleId":"m"},{"id":"d","moduleId":"$edgeHub"},{"id":"d","moduleId":"none"}`, 207, true, true, 4},
	} {
		r := b.want(b.hubDo("POST", "/devices/keys/regenerate", `{"policyKey":"`+test.key+`","devices":[`+test.devices+`]}`), test.status, "")
		result := into[struct {
			PolicyKey   string
			RotatedKeys []rotatedKey
			Errors      []registryError
		}](t, r)
		if result.PolicyKey != test.key || len(result.RotatedKeys) != 2 || len(result.Errors) != test.failed {
			t.Fatalf("%s: %+v", test.key, result)
		}
		after, changed := into[wire.Device](t, b.hubDo("GET", "/devices/d", "")), into[wire.Module](t, b.hubDo("GET", "/devices/d/modules/m", ""))
		for i, pair := range [][2]*wire.SymmetricKey{{before.Authentication.SymmetricKey, after.Authentication.SymmetricKey}, {module.Authentication.SymmetricKey, changed.Authentication.SymmetricKey}} {
			rotated := result.RotatedKeys[i]
			if pair[0].PrimaryKey.Equal(pair[1].PrimaryKey) == test.primary || pair[0].SecondaryKey.Equal(pair[1].SecondaryKey) == test.secondary ||
				!rotated.PrimaryKey.Equal(pair[1].PrimaryKey) || !rotated.SecondaryKey.Equal(pair[1].SecondaryKey) {
				t.Errorf("%s: other keys are new than asked", test.key)
			}
		}
		if after.ETag == before.ETag || after.DeviceScope != before.DeviceScope || after.GenerationID != before.GenerationID {
			t.Errorf("%s: device %+v", test.key, after)
		}
		b = b.reopened()
		if again := into[wire.Device](t, b.hubDo("GET", "/devices/d", "")); !again.Authentication.SymmetricKey.PrimaryKey.Equal(after.Authentication.SymmetricKey.PrimaryKey) {
			t.Errorf("%s: keys are not kept", test.key)
		}
		before, module = after, changed
	}
	b.want(b.hubDo("POST", "/devices/keys/regenerate", `{"policyKey":"both","devices":[{"id":"none"}]}`), 400, "BulkRegistryOperationFailure")
	b.want(b.hubDo("POST", "/devices/keys/regenerate", `{"policyKey":"tertiary","devices":[{"id":"d"}]}`), 400, "ArgumentInvalid")
	b.want(b.hubDo("POST", "/devices/keys/regenerate", `{"policyKey":"both","devices":[]}`), 400, "ArgumentInvalid")
	b.want(b.do(call{method: "POST", path: "/devices/keys/regenerate", body: `{"policyKey":"both","devices":[{"id":"d"}]}`, auth: b.policyToken("service")}), 401, "IotHubUnauthorizedAccess")
}

func TestParentsMakeNoCircle(t *testing.T) {
	b := open(t, Options{})
	put := func(d wire.Device, parent string, header ...string) reply {
		return b.hubDo("PUT", "/devices/"+d.DeviceID, fmt.Sprintf(`{"capabilities":{"iotEdge":true},"deviceScope":%q,"parentScopes":[%q]}`, d.DeviceScope, parent), header...)
	}
	top, middle, low := b.makeDevice("top", true), b.makeDevice("middle", true), b.makeDevice("low", true)
	b.want(put(middle, top.DeviceScope, "If-Match", "*"), 200, "")
	b.want(put(low, middle.DeviceScope, "If-Match", "*"), 200, "")
	b.want(put(top, low.DeviceScope, "If-Match", "*"), 400, "InvalidDeviceScope")
	b.want(put(top, top.DeviceScope, "If-Match", "*"), 400, "InvalidDeviceScope")
	b.want(put(low, top.DeviceScope, "If-Match", "*"), 200, "")
}
