package practice

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

func (b *bench) query(text string, header ...string) reply {
	b.Helper()
	body, _ := json.Marshal(wire.QuerySpecification{Query: text})
	return b.hubDo("POST", "/devices/query", string(body), header...)
}

// ids runs a query page by page and gives deviceId or deviceId/moduleId of each
// row; between has its say before each further page.
func (b *bench) ids(text string, size int, between func(page int)) []string {
	b.Helper()
	ids, token := []string{}, ""
	for page := 1; ; page++ {
		r := b.want(b.query(text, wire.HeaderMaxItemCount, fmt.Sprint(size), wire.HeaderContinuation, token), 200, "")
		rows := into[[]struct{ DeviceID, ModuleID string }](b, r)
		if len(rows) > size || len(rows) == 0 && page > 1 {
			b.Fatalf("page %d of %q has %d rows", page, text, len(rows))
		}
		for _, row := range rows {
			ids = append(ids, strings.TrimSuffix(row.DeviceID+"/"+row.ModuleID, "/"))
		}
		if token = r.header.Get(wire.HeaderContinuation); token == "" {
			return ids
		}
		if between != nil {
			between(page)
		}
	}
}

func TestQuerySources(t *testing.T) {
	b := open(t, Options{})
	parent := b.makeDevice("edge", true)
	b.want(b.hubDo("PUT", "/devices/leaf", `{"deviceScope":"`+parent.DeviceScope+`","status":"disabled","statusReason":"why"}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/leaf", `{"tags":{"location":{"plant":"A"}},"properties":{"desired":{"a":{"b":1}}}}`), 200, "")
	for text, want := range map[string]string{
		"SELECT * FROM devices":                                                                                 "edge leaf",
		"SELECT * FROM devices WHERE capabilities.iotEdge = true":                                               "edge",
		"select * from devices where array_contains(parentScopes, '" + parent.DeviceScope + "')":                "leaf",
		"SELECT * FROM devices WHERE deviceScope = '" + parent.DeviceScope + "'":                                "edge leaf",
		"SELECT * FROM devices WHERE is_defined(tags.location.plant) AND status != 'enabled'":                   "leaf",
		"SELECT * FROM devices WHERE statusReason = 'why' AND tags['location'].plant IN ['A','B']":              "leaf",
		"SELECT * FROM devices WHERE properties.desired.a.b = 1 AND properties.desired.$version = 2":            "leaf",
		"SELECT * FROM devices WHERE properties.desired.$metadata.a.b.$lastUpdatedVersion = 2":                  "leaf",
		"SELECT * FROM devices WHERE properties.desired.$metadata.$lastUpdated >= '2026-11-24' AND version = 3": "leaf",
		"SELECT * FROM devices WHERE is_object(properties.reported) AND NOT is_defined(properties.desired.a)":   "edge",
		"SELECT * FROM devices WHERE lastActivityTime < '2020' AND connectionState = 'Disconnected'":            "edge leaf",
		"SELECT * FROM devices WHERE authenticationType = 'sas' AND is_object(x509Thumbprint)":                  "edge leaf",
		"SELECT * FROM devices.modules":                                                                         "edge/$edgeAgent edge/$edgeHub",
		"SELECT * FROM devices.modules WHERE moduleId = '$edgeHub' AND deviceId = 'edge'":                       "edge/$edgeHub",
		"SELECT * FROM devices.modules WHERE authenticationType = 'none' AND is_defined(deviceEtag)":            "edge/$edgeAgent edge/$edgeHub",
		"SELECT * FROM devices.jobs WHERE devices.jobs.deviceId = 'leaf'":                                       "",
		"SELECT * FROM devices WHERE deviceId = 'none'":                                                         "",
	} {
		if got := strings.Join(b.ids(text, 100, nil), " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A query sees of a twin exactly what GET shows.
func TestQuerySeesWhatIsShown(t *testing.T) {
	b := open(t, Options{})
	parent := b.makeDevice("edge", true)
	print := strings.Repeat("aB", 20)
	b.want(b.hubDo("PUT", "/devices/leaf", `{"deviceScope":"`+parent.DeviceScope+`","statusReason":"why","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"`+print+`"}}}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/leaf", `{"tags":{"a":1},"properties":{"desired":{"b":{"c":[1,{"d":2}]}}}}`), 200, "")
	b.clock.advance(time.Minute)
	b.want(b.hubDo("PATCH", "/twins/leaf", `{"properties":{"desired":{"e":1.5}}}`), 200, "")
	b.act(func(x *transaction) {
		d := x.hub.devices["leaf"]
		d.Twin.ModelID, d.Identity.CloudToDeviceMessageCount = "dtmi:a:b;1", 3
		if _, refused := x.reportProperties(d, nil, map[string]any{"r": "s"}); refused != nil {
			t.Error(refused.text)
		}
	})
	for path, where := range map[string]string{"/twins/leaf": "devices WHERE deviceId='leaf'", "/twins/edge": "devices WHERE deviceId='edge'",
		"/twins/edge/modules/$edgeHub": "devices.modules WHERE moduleId='$edgeHub'"} {
		shown := into[map[string]any](t, b.hubDo("GET", path, ""))
		if whole := into[[]map[string]any](t, b.query("SELECT * FROM "+where)); len(whole) != 1 || !reflect.DeepEqual(whole[0], shown) {
			t.Errorf("SELECT * of %s: %v, want %v", path, whole, shown)
		}
		names := "no, moduleId, statusReason, modelId, deviceScope, parentScopes, capabilities, tags"
		for name := range shown {
			if !slices.Contains(strings.Split(names, ", "), name) {
				names += ", " + name
			}
		}
		r := b.want(b.query("SELECT "+names+" FROM "+where), 200, "")
		if rows := into[[]map[string]any](t, r); len(rows) != 1 || !reflect.DeepEqual(rows[0], shown) {
			t.Errorf("projection of %s:\n%v, want\n%v", path, rows, shown)
		}
		if r.header.Get(wire.HeaderItemType) != "Raw" {
			t.Errorf("item type %q", r.header.Get(wire.HeaderItemType))
		}
	}
	r := b.query("SELECT properties.desired AS d, properties.desired.$metadata.b AS m, properties.desired.b.c AS c, properties.reported AS r FROM devices WHERE deviceId='leaf'")
	want := b.properties("/twins/leaf", "desired")
	row := into[[]map[string]any](t, r)[0]
	if !reflect.DeepEqual(row["d"], any(want)) || !reflect.DeepEqual(row["m"], want["$metadata"].(map[string]any)["b"]) ||
		!reflect.DeepEqual(row["c"], want["b"].(map[string]any)["c"]) || !reflect.DeepEqual(row["r"], any(b.properties("/twins/leaf", "reported"))) {
		t.Errorf("row %v", row)
	}
}

func TestQueryPages(t *testing.T) {
	b := open(t, Options{})
	var devices, modules []string
	for i := range 7 {
		id := fmt.Sprintf("d%d", i)
		b.makeDevice(id, i%2 == 0)
		devices = append(devices, id)
		if i%2 == 0 {
			modules = append(modules, id+"/$edgeAgent", id+"/$edgeHub")
		}
	}
	for size := 1; size <= 9; size++ {
		if got := b.ids("SELECT * FROM devices", size, nil); !reflect.DeepEqual(got, devices) {
			t.Errorf("pages of %d: %v", size, got)
		}
		if got := b.ids("SELECT * FROM devices.modules", size, nil); !reflect.DeepEqual(got, modules) {
			t.Errorf("pages of %d: %v", size, got)
		}
		if got := b.ids("SELECT TOP 5 deviceId FROM devices", size, nil); !reflect.DeepEqual(got, devices[:5]) {
			t.Errorf("top 5 in pages of %d: %v", size, got)
		}
		if got := b.ids("SELECT deviceId, COUNT() AS n FROM devices GROUP BY deviceId", size, nil); !reflect.DeepEqual(got, devices) {
			t.Errorf("groups in pages of %d: %v", size, got)
		}
		if got := b.ids("SELECT TOP 3 deviceId FROM devices GROUP BY deviceId", size, nil); !reflect.DeepEqual(got, devices[:3]) {
			t.Errorf("top 3 groups in pages of %d: %v", size, got)
		}
	}
	// What comes and goes between the pages moves nothing.
	got := b.ids("SELECT * FROM devices", 2, func(page int) {
		switch page {
		case 1:
			b.want(b.hubDo("DELETE", "/devices/d0", "", "If-Match", "*"), 204, "")
			b.want(b.hubDo("DELETE", "/devices/d2", "", "If-Match", "*"), 204, "")
			b.makeDevice("a", false)
		case 2:
			b.makeDevice("d33", false)
			b.makeDevice("z", false)
		}
	})
	if want := strings.Fields("d0 d1 d3 d4 d5 d6 z"); !reflect.DeepEqual(got, want) {
		t.Errorf("pages with changes between: %v, want %v", got, want)
	}
	r := b.want(b.query("SELECT COUNT() AS n FROM devices"), 200, "")
	if r.body != `[{"n":8}]` || r.header.Get(wire.HeaderItemType) != "Raw" || r.header.Get(wire.HeaderContinuation) != "" {
		t.Errorf("count %s, %v", r.body, r.header)
	}
	if r = b.query("SELECT * FROM devices.jobs"); r.body != `[]` || r.header.Get(wire.HeaderItemType) != "DeviceJob" {
		t.Errorf("jobs %s, %v", r.body, r.header)
	}
	if r = b.query("SELECT * FROM devices"); r.header.Get(wire.HeaderItemType) != "Twin" {
		t.Errorf("twins %v", r.header)
	}
}

func TestQueryPageSize(t *testing.T) {
	b := open(t, Options{})
	b.fleet(1050)
	for size, want := range map[string]int{"": 100, "-1": 100, "1": 1, "1000": 1000, "5000": 1000} {
		if rows := into[[]any](t, b.query("SELECT deviceId FROM devices", wire.HeaderMaxItemCount, size)); len(rows) != want {
			t.Errorf("size %q: %d rows, want %d", size, len(rows), want)
		}
	}
}

func TestQueryRefuses(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("a", false)
	b.makeDevice("b", false)
	r := b.want(b.query("SELECT * FROM devices WHERE"), 400, "ArgumentInvalid")
	if !strings.Contains(r.body, "ErrorCode:ArgumentInvalid;BadRequest") || !strings.Contains(r.body, "position 28") {
		t.Errorf("body %s", r.body)
	}
	b.want(b.hubDo("POST", "/devices/query", `{}`), 400, "ArgumentInvalid")
	b.want(b.hubDo("POST", "/devices/query", `[]`), 400, "DeserializationError")
	for _, size := range []string{"0", "-2", "x"} {
		b.want(b.query("SELECT * FROM devices", wire.HeaderMaxItemCount, size), 400, "ArgumentInvalid")
	}
	token := b.query("SELECT * FROM devices", wire.HeaderMaxItemCount, "1").header.Get(wire.HeaderContinuation)
	b.want(b.query(" SELECT * FROM devices\n", wire.HeaderContinuation, token), 200, "")
	b.want(b.query("SELECT deviceId FROM devices", wire.HeaderContinuation, token), 400, "ArgumentInvalid")
	b.want(b.query("SELECT * FROM devices", wire.HeaderContinuation, "e30="), 400, "ArgumentInvalid")
	b.want(b.query("SELECT * FROM devices", wire.HeaderContinuation, "!"), 400, "ArgumentInvalid")
	for policy, status := range map[string]int{"service": 200, "registryRead": 401, "registryReadWrite": 401, "device": 401} {
		if r := b.do(call{method: "POST", path: "/devices/query", body: `{"query":"SELECT * FROM devices"}`, auth: b.policyToken(policy)}); r.status != status {
			t.Errorf("policy %s: status %d", policy, r.status)
		}
	}
}

// A page says that there is no more exactly when nothing more matches.
func TestQueryFindsFewAmongMany(t *testing.T) {
	b := open(t, Options{})
	b.fleet(2000)
	if got := b.ids("SELECT deviceId FROM devices WHERE tags.line = 7", 10, nil); len(got) != 20 {
		t.Errorf("%d devices", len(got))
	}
}
