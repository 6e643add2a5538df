package practice

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

// act runs f as a transaction on the default hub and waits for the disk.
func (b *bench) act(f func(*transaction)) {
	b.Helper()
	leave, err := b.enter(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer leave()
	t := &transaction{c: b.Cloud, now: b.now()}
	if err := b.transact(b.Context(), t, func() {
		t.hub = b.state.hubs[defaultHub]
		f(t)
	}); err != nil {
		b.Fatal(err)
	}
}

// desired reads the desired properties of a twin.
func (b *bench) properties(path, half string) map[string]any {
	b.Helper()
	twin := into[struct {
		Properties map[string]map[string]any `json:"properties"`
	}](b, b.want(b.hubDo("GET", path, ""), 200, ""))
	return twin.Properties[half]
}

// heard is a connection that keeps the notices of desired properties.
type heard struct {
	connection
	notices []string
}

func (h *heard) desired(version int64, changed map[string]any, _ *batch) {
	text, _ := json.Marshal(changed)
	h.notices = append(h.notices, string(text)+" "+string(rune('0'+version)))
}

func TestPutTwinReplaces(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", true)
	for _, path := range []string{"/twins/d", "/twins/d/modules/%24edgeAgent"} {
		b.want(b.hubDo("PATCH", path, `{"tags":{"a":1},"properties":{"desired":{"x":{"y":1},"z":2}}}`), 200, "")
		first := into[wire.Twin](t, b.hubDo("GET", path, ""))
		b.want(b.hubDo("PUT", path, `{"tags":{"b":2}}`, "If-Match", "AAAAAAAAAAE="), 412, "PreconditionFailed")
		// What was read may be sent back with its read-only members.
		read := b.hubDo("GET", path, "").body
		b.want(b.hubDo("PUT", path, read, "If-Match", `"`+first.ETag+`"`), 200, "")
		b.want(b.hubDo("PUT", path, `{"properties":{"desired":{"x":{"q":null},"n":null}}}`, "If-Match", "*"), 200, "")
		twin := into[wire.Twin](t, b.hubDo("GET", path, ""))
		desired := b.properties(path, "desired")
		delete(desired, "$metadata")
		if want := map[string]any{"x": map[string]any{}, "$version": 4.0}; !reflect.DeepEqual(desired, want) || len(twin.Tags) != 0 {
			t.Errorf("%s: desired %v, tags %s", path, desired, twin.Tags)
		}
		if twin.ETag != "AAAAAAAAAAQ=" || twin.Version != first.Version+2 {
			t.Errorf("%s: etag %s, version %d after %d", path, twin.ETag, twin.Version, first.Version)
		}
	}
	b.want(b.hubDo("PUT", "/twins/none", `{}`), 404, "DeviceNotFound")
	b.want(b.do(call{method: "PUT", path: "/twins/d", body: `{}`, auth: b.policyToken("registryReadWrite")}), 401, "IotHubUnauthorizedAccess")
}

func TestMetadataKeepsTheStampsOfWhatDidNotChange(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	begin := b.clock.Now()
	b.want(b.hubDo("PATCH", "/twins/d", `{"properties":{"desired":{"a":{"one":1,"two":{"deep":1,"deeper":2}},"list":[1],"gone":1}}}`), 200, "")
	b.clock.advance(time.Minute)
	b.want(b.hubDo("PATCH", "/twins/d", `{"properties":{"desired":{"a":{"two":{"deep":5}},"gone":null,"new":{"n":1}}}}`), 200, "")
	b.clock.advance(time.Minute)
	b.want(b.hubDo("PATCH", "/twins/d", `{"properties":{"desired":{"list":[]}}}`), 200, "")

	at := func(minutes int, version float64, members map[string]any) map[string]any {
		made := map[string]any{"$lastUpdatedVersion": version, "$lastUpdated": begin.Add(time.Duration(minutes) * time.Minute).Format("2006-01-02T15:04:05Z")}
		for name, value := range members {
			made[name] = value
		}
		return made
	}
	want := at(2, 4, map[string]any{
		"a":    at(1, 3, map[string]any{"one": at(0, 2, nil), "two": at(1, 3, map[string]any{"deep": at(1, 3, nil), "deeper": at(0, 2, nil)})}),
		"list": at(2, 4, nil),
		"new":  at(1, 3, map[string]any{"n": at(1, 3, nil)}),
	})
	for range 2 {
		if got := b.properties("/twins/d", "desired")["$metadata"]; !reflect.DeepEqual(got, want) {
			t.Errorf("$metadata\n%v, want\n%v", got, want)
		}
		b = b.reopened()
	}
}

func TestReportedPropertiesAndDeviceView(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", true)
	b.want(b.hubDo("PATCH", "/twins/d", `{"properties":{"desired":{"go":true}}}`), 200, "")
	before := into[wire.Twin](t, b.hubDo("GET", "/twins/d", ""))
	b.clock.advance(time.Minute)
	b.act(func(x *transaction) {
		d := x.hub.devices["d"]
		for i, patch := range []map[string]any{{"a": 1.0, "b": map[string]any{"c": "x", "é": nil}}, {"a": nil, "$version": 9.0}} {
			if version, refused := x.reportProperties(d, nil, patch); refused != nil || version != int64(i)+2 {
				t.Errorf("patch %d: version %d, %v", i, version, refused)
			}
		}
		if version, refused := x.reportProperties(d, nil, map[string]any{"a.b": 1.0}); refused == nil || version != 0 {
			t.Error("a dot in a name was taken")
		}
		if got, want := string(x.deviceTwin(d, nil)), `{"desired":{"go":true,"$version":2},"reported":{"b":{"c":"x"},"$version":3}}`; got != want {
			t.Errorf("device view %s, want %s", got, want)
		}
		m := d.modules["$edgeHub"]
		if got, want := string(x.deviceTwin(d, m)), `{"desired":{"$version":1},"reported":{"$version":1}}`; got != want {
			t.Errorf("module view %s, want %s", got, want)
		}
		if version, refused := x.reportProperties(d, m, map[string]any{"m": true}); version != 2 || refused != nil {
			t.Errorf("module: %d, %v", version, refused)
		}
	})
	b = b.reopened()
	after := into[wire.Twin](t, b.hubDo("GET", "/twins/d", ""))
	if after.ETag != before.ETag || after.Version != before.Version+2 {
		t.Errorf("etag %s, version %d after %s, %d", after.ETag, after.Version, before.ETag, before.Version)
	}
	reported := b.properties("/twins/d", "reported")
	if b.properties("/twins/d/modules/$edgeHub", "reported")["m"] != true || reported["$version"] != 3.0 || reported["a"] != nil {
		t.Errorf("reported %v", reported)
	}
}

func TestDesiredChangesAreTold(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", true)
	ofDevice, ofModule := &heard{}, &heard{}
	b.act(func(x *transaction) {
		b.connections[deviceKey(x.hub, "d")] = ofDevice
		b.connections[moduleKey(x.hub, "d", "$edgeHub")] = ofModule
	})
	b.want(b.hubDo("PATCH", "/twins/d", `{"tags":{"a":1}}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/d", `{"properties":{"desired":{"a":null,"b":1}}}`), 200, "")
	b.want(b.hubDo("PUT", "/twins/d", `{"properties":{"desired":{"c":1}}}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/d", `{"properties":{"desired":{"d.e":1}}}`), 400, "ArgumentInvalid")
	b.want(b.hubDo("PATCH", "/twins/d/modules/$edgeHub", `{"properties":{"desired":{"m":1}}}`), 200, "")
	if want := []string{`{"a":null,"b":1} 2`, `{"c":1} 3`}; !reflect.DeepEqual(ofDevice.notices, want) {
		t.Errorf("device heard %q, want %q", ofDevice.notices, want)
	}
	if want := []string{`{"m":1} 2`}; !reflect.DeepEqual(ofModule.notices, want) {
		t.Errorf("module heard %q, want %q", ofModule.notices, want)
	}
}

func TestTwinLimits(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	nested := func(levels int, inside string) string {
		return strings.Repeat(`{"o":`, levels) + inside + strings.Repeat(`}`, levels)
	}
	texts := func(n int) string { // n texts of 4000 bytes under names of 2
		members := make([]string, n)
		for i := range members {
			members[i] = `"k` + string(rune('a'+i)) + `":"` + strings.Repeat("x", 4000) + `"`
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	for name, test := range map[string]struct {
		tags string
		ok   bool
	}{
		"dot":                    {`{"a.b":1}`, false},
		"dollar":                 {`{"a":{"$b":1}}`, false},
		"dollar under null":      {`{"$b":null}`, false},
		"hash":                   {`{"a#":1}`, false},
		"space":                  {`{"a b":1}`, false},
		"control character":      {`{"a\u0085b":1}`, false},
		"empty name":             {`{"":1}`, false},
		"name in an array":       {`{"a":[{"b.c":1}]}`, false},
		"any other character":    {`{"ä-_:/@€":1}`, true},
		"name of 1 KB":           {`{"` + strings.Repeat("k", 1024) + `":1}`, true},
		"name above 1 KB":        {`{"` + strings.Repeat("k", 1025) + `":1}`, false},
		"text of 4 KB":           {`{"a":"` + strings.Repeat("x", 4096) + `"}`, true},
		"text above 4 KB":        {`{"a":"` + strings.Repeat("x", 4097) + `"}`, false},
		"ten levels":             {`{"a":` + nested(10, "1") + `}`, true},
		"eleven levels":          {`{"a":` + nested(11, "1") + `}`, false},
		"arrays are levels":      {`{"a":` + nested(10, "[1]") + `}`, false},
		"largest integer":        {`{"a":4503599627370495,"b":-4503599627370495}`, true},
		"larger integer":         {`{"a":4503599627370496}`, false},
		"smaller integer":        {`{"a":[-4503599627370496]}`, false},
		"large number":           {`{"a":1e300,"b":4503599627370495.5}`, true},
		"8 KB":                   {texts(2), true},
		"above 8 KB":             {texts(3), false},
		"control characters":     {`{"a":"` + strings.Repeat("x", 4000) + `","b":"` + strings.Repeat(`\u0001`, 4090) + `","c":"` + strings.Repeat("y", 4000) + `"}`, true},
		"no object":              {`"x"`, false},
		"null changes nothing":   {`null`, true},
		"arrays replace":         {`{"a":[1,[2,{"b":null}]]}`, true},
		"null in a fresh object": {`{"a":{"b":{"c":null}}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			b.want(b.hubDo("PUT", "/twins/d", `{}`), 200, "")
			before := b.hubDo("GET", "/twins/d", "").body
			r := b.hubDo("PATCH", "/twins/d", `{"tags":`+test.tags+`,"properties":{"desired":{"with":1}}}`)
			if (r.status == 200) != test.ok || !test.ok && r.status != 400 {
				t.Errorf("status %d: %.300s", r.status, r.body)
			}
			if !test.ok && b.hubDo("GET", "/twins/d", "").body != before {
				t.Error("a refused patch changed the twin")
			}
		})
	}
	b.want(b.hubDo("PATCH", "/twins/d", `{"properties":{"desired":`+texts(8)+`}}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/d", `{"properties":{"desired":{"more":"`+strings.Repeat("x", 800)+`"}}}`), 400, "ArgumentInvalid")
}

func TestEmptyTwinsTakeNoMaps(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	b.want(b.hubDo("PATCH", "/twins/d", `{"tags":{"a":{"b":1}},"properties":{"desired":{"a":1}}}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/d", `{"tags":{"a":null},"properties":{"desired":{"a":null}}}`), 200, "")
	b.act(func(x *transaction) {
		if twin := x.hub.devices["d"].Twin; twin.Tags != nil || twin.Desired != nil || twin.DesiredOlder != nil {
			t.Errorf("%+v", twin)
		}
	})
}
