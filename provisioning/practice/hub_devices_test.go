package practice

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

func TestDeviceCreateUpdateDelete(t *testing.T) {
	b := open(t, Options{})
	_, good := key(1, 32)
	_, short := key(1, 15)
	made := b.makeDevice("d1", false)
	if len(made.Authentication.SymmetricKey.PrimaryKey.Secret().Reveal()) != 32 || made.Authentication.Type != "sas" ||
		made.Status != "enabled" || made.ConnectionState != "Disconnected" || made.GenerationID == "" {
		t.Errorf("made %+v", made)
	}
	if text, err := base64.StdEncoding.DecodeString(made.ETag); err != nil {
		t.Errorf("etag %q", made.ETag)
	} else if _, err := strconv.Atoi(string(text)); err != nil {
		t.Errorf("etag is of %q, not of a number", text)
	}
	for _, test := range []struct {
		name, method, path, body, match string
		status                          int
		code                            string
	}{
		{"create what exists", "PUT", "/devices/d1", `{"deviceId":"d1"}`, "", 409, "DeviceAlreadyExists"},
		{"create what exists with its etag in the body", "PUT", "/devices/d1", `{"deviceId":"d1","etag":"` + made.ETag + `"}`, "", 409, "DeviceAlreadyExists"},
		{"update what is missing", "PUT", "/devices/d2", `{"deviceId":"d2"}`, "*", 404, "DeviceNotFound"},
		{"stale etag", "PUT", "/devices/d1", `{"deviceId":"d1"}`, "MQ==", 412, "PreconditionFailed"},
		{"other ID in the body", "PUT", "/devices/d2", `{"deviceId":"d3"}`, "", 400, "ArgumentInvalid"},
		{"bad ID", "PUT", "/devices/a%20b", `{}`, "", 400, "ArgumentInvalid"},
		{"bad JSON", "PUT", "/devices/d2", `{`, "", 400, "DeserializationError"},
		{"no body", "PUT", "/devices/d2", ``, "", 400, "DeserializationError"},
		{"bad status", "PUT", "/devices/d2", `{"status":"off"}`, "", 400, "ArgumentInvalid"},
		{"type none", "PUT", "/devices/d2", `{"authentication":{"type":"none"}}`, "", 400, "ArgumentInvalid"},
		{"one key", "PUT", "/devices/d2", `{"authentication":{"symmetricKey":{"primaryKey":"` + good + `","secondaryKey":""}}}`, "", 400, "ArgumentInvalid"},
		{"short key", "PUT", "/devices/d2", `{"authentication":{"symmetricKey":{"primaryKey":"` + short + `","secondaryKey":"` + short + `"}}}`, "", 400, "ArgumentInvalid"},
		{"thumbprint with colons", "PUT", "/devices/d2", `{"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"AA:BB"}}}`, "", 400, "ArgumentInvalid"},
		{"unknown parent", "PUT", "/devices/d2", `{"deviceScope":"ms-azure-iot-edge://x-1"}`, "", 400, "InvalidDeviceScope"},
		{"long reason", "PUT", "/devices/d2", `{"statusReason":"` + strings.Repeat("x", 129) + `"}`, "", 400, "ArgumentInvalid"},
		{"delete without etag", "DELETE", "/devices/d1", "", "", 412, "PreconditionFailed"},
		{"delete what is missing", "DELETE", "/devices/d2", "", "*", 404, "DeviceNotFound"},
		{"delete with stale etag", "DELETE", "/devices/d1", "", "MQ==", 412, "PreconditionFailed"},
		{"read what is missing", "GET", "/devices/D1", "", "", 404, "DeviceNotFound"},
		{"patch", "PATCH", "/devices/d1", "{}", "", 405, "InvalidOperation"},
		{"unknown path", "GET", "/devices/d1/other", "", "", 404, "NotFound"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := b.hubDo(test.method, test.path, test.body, "If-Match", test.match)
			b.want(r, test.status, test.code)
			e := wire.ParseHubError(r.header, []byte(r.body))
			if e.Name != test.code || e.TrackingID == "" || e.Message == "" {
				t.Errorf("body does not parse: %+v of %s", e, r.body)
			}
		})
	}

	// Quoted etag and "*" in quotes are taken; leaving authentication out makes new keys.
	updated := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/d1/", `{"deviceId":"d1","status":"disabled","statusReason":"why","unknown":1}`, "If-Match", `"`+made.ETag+`"`), 200, ""))
	if updated.Authentication.SymmetricKey.PrimaryKey.Equal(made.Authentication.SymmetricKey.PrimaryKey) {
		t.Error("keys stayed although authentication was left out")
	}
	if updated.ETag == made.ETag || updated.GenerationID != made.GenerationID || updated.Status != "disabled" || len(updated.Rest) != 0 ||
		!updated.StatusUpdatedTime.Moment().Equal(b.clock.Now()) {
		t.Errorf("updated %+v", updated)
	}
	b.want(b.hubDo("DELETE", "/DEVICES/d1", "", "If-Match", `"*"`), 204, "")
	if again := b.makeDevice("d1", false); again.GenerationID == made.GenerationID {
		t.Error("generation ID came again")
	}
}

func TestDeviceKeepsGivenAuthentication(t *testing.T) {
	b := open(t, Options{})
	_, one := key(1, 16)
	_, two := key(2, 64)
	print1, print2 := strings.Repeat("aB", 20), strings.Repeat("Cd", 32)
	sas := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/sas", `{"authentication":{"symmetricKey":{"primaryKey":"`+one+`","secondaryKey":"`+two+`"}}}`), 200, ""))
	if k := sas.Authentication.SymmetricKey; k.PrimaryKey.Secret().RevealBase64() != one || k.SecondaryKey.Secret().RevealBase64() != two {
		t.Error("keys were not kept")
	}
	empty := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/empty", `{"authentication":{"symmetricKey":{"primaryKey":"","secondaryKey":""}}}`), 200, ""))
	if empty.Authentication.SymmetricKey.PrimaryKey.IsEmpty() {
		t.Error("empty keys were not replaced")
	}
	x509 := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/x509", `{"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"`+print1+`","secondaryThumbprint":"`+print2+`"}}}`), 200, ""))
	if p := x509.Authentication.X509Thumbprint; p == nil || p.PrimaryThumbprint != print1 || p.SecondaryThumbprint != print2 || x509.Authentication.SymmetricKey != nil {
		t.Errorf("x509 %+v", x509.Authentication)
	}
	if twin := b.hubDo("GET", "/twins/x509", "").body; !strings.Contains(twin, `"PrimaryThumbprint":"`+print1) {
		t.Errorf("twin spells thumbprints otherwise: %s", twin)
	}
	b.want(b.hubDo("PUT", "/devices/ca", `{"authentication":{"type":"certificateAuthority"}}`), 200, "")
}

func TestDeviceListHasNoPages(t *testing.T) {
	b := open(t, Options{})
	for _, id := range []string{"c", "a", "b"} {
		b.makeDevice(id, false)
	}
	for top, want := range map[string]int{"?top=2": 2, "?top=0": 3, "?top=1001": 3, "": 3, "?top=x": 3} {
		list := into[[]wire.Device](t, b.want(b.hubDo("GET", "/devices/"+top, ""), 200, ""))
		if len(list) != want || list[0].DeviceID != "a" {
			t.Errorf("top %q: %d devices", top, len(list))
		}
	}
}

func TestEdgeDeviceScopeAndParents(t *testing.T) {
	b := open(t, Options{})
	parent := b.makeDevice("parent", true)
	if !strings.HasPrefix(parent.DeviceScope, "ms-azure-iot-edge://parent-") {
		t.Fatalf("scope %q", parent.DeviceScope)
	}
	modules := into[[]wire.Module](t, b.want(b.hubDo("GET", "/devices/parent/modules", ""), 200, ""))
	if len(modules) != 2 || modules[0].ModuleID != "$edgeAgent" || modules[1].ModuleID != "$edgeHub" ||
		modules[0].ManagedBy != "iotEdge" || modules[0].Authentication.Type != "none" {
		t.Errorf("modules %+v", modules)
	}
	edge := `{"capabilities":{"iotEdge":true},`
	b.want(b.hubDo("PUT", "/devices/parent", edge+`"status":"enabled"}`, "If-Match", "*"), 400, "InvalidDeviceScope")
	b.want(b.hubDo("PUT", "/devices/parent", edge+`"deviceScope":"ms-azure-iot-edge://parent-1"}`, "If-Match", "*"), 400, "InvalidDeviceScope")
	b.want(b.hubDo("PUT", "/devices/parent", edge+`"deviceScope":"`+parent.DeviceScope+`"}`, "If-Match", "*"), 200, "")

	b.want(b.hubDo("PUT", "/devices/child", edge+`"parentScopes":["ms-azure-iot-edge://no-1"]}`), 400, "InvalidDeviceScope")
	child := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/child", edge+`"deviceScope":"ms-azure-iot-edge://mine","parentScopes":["`+parent.DeviceScope+`"]}`), 200, ""))
	if len(child.ParentScopes) != 1 || !strings.HasPrefix(child.DeviceScope, "ms-azure-iot-edge://child-") {
		t.Errorf("child %+v", child)
	}
	leaf := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/leaf", `{"deviceScope":"`+parent.DeviceScope+`"}`), 200, ""))
	if leaf.DeviceScope != parent.DeviceScope || len(leaf.ParentScopes) != 1 || leaf.ParentScopes[0] != parent.DeviceScope {
		t.Errorf("leaf %+v", leaf)
	}
	only := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/only", `{"parentScopes":["`+parent.DeviceScope+`"]}`), 200, ""))
	if len(only.ParentScopes) != 0 || only.DeviceScope != "" {
		t.Errorf("only parentScopes on a leaf counts: %+v", only)
	}

	// edge to leaf loses scope and runtime modules, leaf to edge gets them
	down := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/child", `{"deviceScope":"`+child.DeviceScope+`"}`, "If-Match", "*"), 200, ""))
	if down.IsEdge() || down.DeviceScope != "" || len(down.ParentScopes) != 0 {
		t.Errorf("down %+v", down)
	}
	if r := b.hubDo("GET", "/devices/child/modules", ""); r.body != "[]" {
		t.Errorf("modules of a leaf: %s", r.body)
	}
	up := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/child", edge+`"deviceScope":""}`, "If-Match", "*"), 200, ""))
	if !up.IsEdge() || up.DeviceScope == "" || up.DeviceScope == child.DeviceScope {
		t.Errorf("up %+v", up)
	}
}

func TestTelemetryMovesLastActivity(t *testing.T) {
	b := open(t, Options{})
	d := b.makeDevice("d", true)
	_, k := key(9, 32)
	for _, path := range []string{"/devices/d/modules/%24edgeAgent", "/devices/d/modules/m"} {
		match := "*"
		if strings.HasSuffix(path, "/m") {
			match = ""
		}
		b.want(b.hubDo("PUT", path, `{"authentication":{"type":"sas","symmetricKey":{"primaryKey":"`+k+`","secondaryKey":"`+k+`"}}}`, "If-Match", match), 200, "")
	}
	secretKey, _ := key(9, 32)
	host := b.Info().HubHost
	agent := b.token(host+"/devices/d/modules/$edgeAgent", secretKey, "")
	read := func() (device, module time.Time) {
		return into[wire.Device](t, b.hubDo("GET", "/devices/d", "")).LastActivityTime.Moment(),
			into[wire.Module](t, b.hubDo("GET", "/devices/d/modules/$edgeAgent", "")).LastActivityTime.Moment()
	}
	if r := b.hubDo("GET", "/devices/d", ""); !strings.Contains(r.body, `"lastActivityTime":"0001-01-01T00:00:00Z"`) {
		t.Errorf("never active: %s", r.body)
	}
	b.clock.advance(time.Minute)
	b.want(b.do(call{method: "POST", path: "/devices/d/messages/events", body: "not JSON", auth: b.deviceToken(d)}), 204, "")
	device, module := read()
	if !device.Equal(b.clock.Now()) || !module.IsZero() {
		t.Errorf("after the device: %v, %v", device, module)
	}
	b.clock.advance(time.Minute)
	b.want(b.do(call{method: "POST", path: "/devices/d/modules/%24edgeAgent/messages/events", auth: agent}), 204, "")
	if device, module = read(); !device.Equal(b.clock.Now()) || !module.Equal(b.clock.Now()) {
		t.Errorf("after the module: %v, %v", device, module)
	}
	b.want(b.do(call{method: "POST", path: "/devices/d/messages/events", auth: agent}), 401, "IotHubUnauthorizedAccess")
	b.want(b.do(call{method: "POST", path: "/devices/d/modules/m/messages/events", auth: agent}), 401, "IotHubUnauthorizedAccess")
	b.want(b.do(call{method: "POST", path: "/devices/d/messages/events", auth: b.deviceToken(d), body: strings.Repeat("x", maxMessage+1)}), 413, "MessageTooLarge")
	b.want(b.do(call{method: "POST", path: "/devices/d/messages/events", auth: b.deviceToken(d), body: strings.Repeat("x", maxBody+1)}), 413, "MessageTooLarge")
	before, _ := read()
	if after := into[wire.Device](t, b.reopened().hubDo("GET", "/devices/d", "")).LastActivityTime.Moment(); !after.Equal(before) {
		t.Errorf("last activity after a restart %v, want %v", after, before)
	}
}

func TestTwinKeepsTagsAndDesired(t *testing.T) {
	b := open(t, Options{})
	d := b.makeDevice("d", true)
	first := into[wire.Twin](t, b.want(b.hubDo("GET", "/twins/d", ""), 200, ""))
	if first.ETag != "AAAAAAAAAAE=" || first.DeviceETag != d.ETag || first.AuthenticationType != "sas" || !first.Capabilities.IotEdge {
		t.Errorf("twin %+v", first)
	}
	b.want(b.hubDo("PATCH", "/twins/d", `{"tags":{"line":7,"a":{"x":1,"y":2}},"properties":{"desired":{"p":[1]}}}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/d", `{"tags":{"a":{"x":null},"b":"c"}}`, "If-Match", "AAAAAAAAAAE="), 412, "PreconditionFailed")
	b.want(b.hubDo("PATCH", "/twins/d", `{"tags":{"a":{"x":null},"b":"c"}}`, "If-Match", `"AAAAAAAAAAI="`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/d", `{"tags":[]}`), 400, "DeserializationError")
	second := into[wire.Twin](t, b.reopened().hubDo("GET", "/twins/d", ""))
	if string(second.Tags) != `{"a":{"y":2},"b":"c","line":7}` || !strings.Contains(string(second.Properties.Desired), `"p":[1]`) ||
		!strings.Contains(string(second.Properties.Desired), `"$version":2`) || second.Version <= first.Version {
		t.Errorf("twin %s %s", second.Tags, second.Properties.Desired)
	}
}

func TestTwinOfMissingIsDeviceNotFound(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", true)
	b.want(b.hubDo("GET", "/twins/none", ""), 404, "DeviceNotFound")
	b.want(b.hubDo("GET", "/twins/d/modules/none", ""), 404, "DeviceNotFound")
	agent := into[wire.Twin](t, b.want(b.hubDo("GET", "/twins/d/modules/%24edgeAgent", ""), 200, ""))
	if agent.ModuleID != "$edgeAgent" {
		t.Errorf("twin %+v", agent)
	}
}
