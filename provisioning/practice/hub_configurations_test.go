package practice

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"edgewright/provisioning/wire"
)

// fullDeployment is the content of a deployment that stands by itself and runs
// a module.
func fullDeployment(module string, rate int) string {
	return fmt.Sprintf(`{"modulesContent":{"$edgeAgent":{"properties.desired":{"schemaVersion":"1.1","modules":{%q:{"type":"docker"}}}},
		"$edgeHub":{"properties.desired":{"routes":{"up":"FROM /* INTO $upstream"}}},%q:{"properties.desired":{"rate":%d}}}}`, module, module, rate)
}

func (b *bench) putConfiguration(id, content, condition string, priority int) wireConfiguration {
	b.Helper()
	body := fmt.Sprintf(`{"id":%q,"schemaVersion":"1.0","content":%s,"targetCondition":%q,"priority":%d}`, id, content, condition, priority)
	return into[wireConfiguration](b, b.want(b.hubDo("PUT", "/configurations/"+id, body), 200, ""))
}

func (b *bench) configuration(id string) wireConfiguration {
	b.Helper()
	return into[wireConfiguration](b, b.want(b.hubDo("GET", "/configurations/"+id, ""), 200, ""))
}

// desired gives the desired properties of a twin without the $ members, and
// their version.
func (b *bench) desired(path string) (text string, version int) {
	b.Helper()
	twin := into[wire.Twin](b, b.want(b.hubDo("GET", "/twins/"+path, ""), 200, ""))
	var members map[string]any
	if err := json.Unmarshal(twin.Properties.Desired, &members); err != nil {
		b.Fatal(err)
	}
	version = int(members["$version"].(float64))
	encoded, _ := json.Marshal(withoutReadOnly(members))
	return string(encoded), version
}

func (b *bench) wantDesired(path, want string) {
	b.Helper()
	if got, _ := b.desired(path); got != want {
		b.Errorf("%s: desired %s, want %s", path, got, want)
	}
}

// report writes reported properties as the module itself would.
func (b *bench) report(device, module, patch string) {
	b.Helper()
	var decoded map[string]any
	if err := json.Unmarshal([]byte(patch), &decoded); err != nil {
		b.Fatal(err)
	}
	b.act(func(t *transaction) {
		d := t.hub.devices[device]
		if _, refused := t.reportProperties(d, d.modules[module], decoded); refused != nil {
			b.Error(refused.text)
		}
	})
}

func (b *bench) wantMetrics(id string, want map[string]int64) {
	b.Helper()
	got := b.configuration(id).SystemMetrics.Results
	for name, n := range want {
		if got[name] != n {
			b.Errorf("%s: metrics %v, want %v", id, got, want)
			return
		}
	}
}

func TestConfigurationsByTheirRules(t *testing.T) {
	b := open(t, Options{})
	content := `{"deviceContent":{"properties.desired.a":1}}`
	made := b.putConfiguration("c-1", content, "", 5)
	if made.ETag == "" || made.Priority != 5 || made.CreatedTimeUTC == nil || made.SystemMetrics.Results["targetedCount"] != 0 || made.SchemaVersion != "1.0" {
		t.Errorf("made %+v", made)
	}
	body := `{"id":"c-1","content":` + content + `,"priority":6,"labels":{"a":"b"},"targetCondition":"deviceId='x'","metrics":{"queries":{"all":"SELECT deviceId FROM devices"}}}`
	put := func(body string, header ...string) reply {
		return b.hubDo("PUT", "/configurations/c-1", body, header...)
	}
	b.want(put(body), 409, "ConfigurationAlreadyExists")
	b.want(put(body, "If-Match", made.ETag), 412, "PreconditionFailed") // unquoted
	b.want(put(body, "If-Match", `"AAAA"`), 412, "PreconditionFailed")
	b.want(put(strings.Replace(body, `"id":"c-1"`, `"id":"c-2"`, 1), "If-Match", `"*"`), 400, "ArgumentInvalid")
	b.want(b.hubDo("PUT", "/configurations/none", `{"content":`+content+`}`, "If-Match", `"*"`), 404, "ConfigurationNotFound")
	b.clock.advance(1e9)
	next := into[wireConfiguration](t, b.want(put(body, "If-Match", `"`+made.ETag+`"`), 200, ""))
	if next.ETag == made.ETag || next.Priority != 6 || next.Labels["a"] != "b" || !next.CreatedTimeUTC.Equal(made.CreatedTimeUTC.Time) || next.LastUpdatedTimeUTC.Equal(made.LastUpdatedTimeUTC.Time) {
		t.Errorf("updated %+v", next)
	}
	// Another content is taken and ignored; none is refused.
	b.want(put(strings.Replace(body, `desired.a":1`, `desired.b":2`, 1), "If-Match", `"*"`), 200, "")
	if now := b.configuration("c-1"); string(now.Content.DeviceContent["properties.desired.a"]) != "1" || len(now.Content.DeviceContent) != 1 {
		t.Errorf("content %+v", now.Content)
	}
	b.want(put(`{"id":"c-1","priority":6}`, "If-Match", `"*"`), 400, "InvalidConfigurationContent")
	for id, want := range map[string]struct{ body, code string }{
		"Big":  {`{"content":` + content + `}`, "ArgumentInvalid"},
		"n1":   {`{"content":{}}`, "InvalidConfigurationContent"},
		"n2":   {`{"content":{"deviceContent":{"properties.reported.a":1}}}`, "InvalidConfigurationContent"},
		"n3":   {`{"content":{"deviceContent":{"properties.desiredx":1}}}`, "InvalidConfigurationContent"},
		"n4":   {`{"content":{"deviceContent":{"properties.desired":1}}}`, "InvalidConfigurationContent"},
		"n5":   {`{"content":{"deviceContent":{"properties.desired.a..b":1}}}`, "InvalidConfigurationContent"},
		"n6":   {`{"content":` + content + `,"priority":-1}`, "ArgumentInvalid"},
		"n7":   {`{"content":` + content + `,"targetCondition":"tags."}`, "InvalidConfigurationTargetCondition"},
		"n8":   {`{"content":` + content + `,"targetCondition":"FROM devices.modules WHERE moduleId='a'"}`, "InvalidConfigurationTargetCondition"},
		"n9":   {`{"content":{"moduleContent":{"properties.desired.a":1}},"targetCondition":"tags.a=1"}`, "InvalidConfigurationTargetCondition"},
		"n10":  {`{"content":` + content + `,"targetCondition":"tags.a=1 GROUP BY tags.a"}`, "InvalidConfigurationTargetCondition"},
		"n11":  {`{"content":` + content + `,"metrics":{"queries":{"q":"SELECT"}}}`, "InvalidConfigurationCustomMetricsQuery"},
		"n12":  {`{"content":{"modulesContent":{"a/b":{"properties.desired":{}}}}}`, "InvalidConfigurationContent"},
		"n13":  {`{"content":{"deviceContent":{"properties.desired.a":1},"moduleContent":{"properties.desired.a":1}}}`, "InvalidConfigurationContent"},
		"n 14": {`{"content":` + content + `}`, "ArgumentInvalid"},
	} {
		b.want(b.hubDo("PUT", "/configurations/"+wire.EscapeSegment(id), want.body), 400, want.code)
	}
	b.want(b.hubDo("DELETE", "/configurations/c-1", "", "If-Match", `"AAAA"`), 412, "PreconditionFailed")
	c := b.reopened()
	if again := c.configuration("c-1"); again.Priority != 6 || len(again.Metrics.Queries) != 1 {
		t.Errorf("after a restart %+v", again)
	}
	c.want(c.hubDo("DELETE", "/configurations/c-1", ""), 204, "")
	c.want(c.hubDo("DELETE", "/configurations/c-1", ""), 404, "ConfigurationNotFound")
	for i := range maxConfigurations {
		c.putConfiguration(fmt.Sprintf("c%03d", i), content, "", i)
	}
	c.want(c.hubDo("PUT", "/configurations/more", `{"content":`+content+`}`), 403, "ConfigurationCountLimitExceeded")
	if list := into[[]wireConfiguration](t, c.want(c.hubDo("GET", "/configurations?top=3", ""), 200, "")); len(list) != 3 || list[0].ID != "c099" {
		t.Errorf("list %+v", list)
	}
}

func TestConfigurationQueriesAreTested(t *testing.T) {
	b := open(t, Options{})
	type result struct {
		TargetConditionError    string
		CustomMetricQueryErrors map[string]string
	}
	test := func(body string) result {
		return into[result](t, b.want(b.hubDo("POST", "/configurations/testQueries", body), 200, ""))
	}
	if r := test(`{"targetCondition":"tags.a='b'","customMetricQueries":{"m":"SELECT deviceId FROM devices"}}`); r.TargetConditionError != "" || len(r.CustomMetricQueryErrors) > 0 {
		t.Errorf("good: %+v", r)
	}
	if r := test(`{"targetCondition":"*","customMetricQueries":{"m":"DELETE","n":"SELECT * FROM devices"}}`); r.TargetConditionError == "" || len(r.CustomMetricQueryErrors) != 1 || r.CustomMetricQueryErrors["m"] == "" {
		t.Errorf("bad: %+v", r)
	}
}

func TestDeviceConfigurationsReachTwins(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d1", false)
	b.makeDevice("d2", false)
	b.want(b.hubDo("PATCH", "/twins/d1", `{"tags":{"hall":"a"},"properties":{"desired":{"own":1,"s":{"old":1}}}}`), 200, "")
	b.putConfiguration("low", `{"deviceContent":{"properties.desired.s":{"x":1,"y":null},"properties.desired.low":1}}`, "tags.hall='a'", 1)
	b.wantDesired("d1", `{"low":1,"own":1,"s":{"x":1}}`)
	b.wantDesired("d2", `{}`)
	// A higher one wins where both write, the lower stays elsewhere.
	b.putConfiguration("high", `{"deviceContent":{"properties.desired.s.x":2}}`, "tags.hall='a'", 2)
	b.wantDesired("d1", `{"low":1,"own":1,"s":{"x":2}}`)
	b.putConfiguration("shadowed", `{"deviceContent":{"properties.desired.s.x":9}}`, "tags.hall='a'", 0)
	b.wantDesired("d1", `{"low":1,"own":1,"s":{"x":2}}`)
	b.wantMetrics("low", map[string]int64{"targetedCount": 1, "appliedCount": 1})
	b.wantMetrics("shadowed", map[string]int64{"targetedCount": 1, "appliedCount": 0})
	// A device that comes under the condition is written, with one notice.
	_, before := b.desired("d2")
	b.want(b.hubDo("PATCH", "/twins/d2", `{"tags":{"hall":"a"}}`), 200, "")
	b.wantDesired("d2", `{"low":1,"s":{"x":2}}`)
	if _, after := b.desired("d2"); after != before+1 {
		t.Errorf("version %d after %d", after, before)
	}
	b.wantMetrics("low", map[string]int64{"targetedCount": 2, "appliedCount": 2})
	if got := b.want(b.hubDo("POST", "/devices/query", `{"query":"SELECT deviceId FROM devices WHERE configurations.[[shadowed]].status = 'Targeted'"}`), 200, ""); strings.Count(got.body, "deviceId") != 2 {
		t.Errorf("query by configuration: %s", got.body)
	}
	// What a person writes stays until other configurations apply.
	b.want(b.hubDo("PATCH", "/twins/d2", `{"properties":{"desired":{"s":{"x":7}}}}`), 200, "")
	b.wantDesired("d2", `{"low":1,"s":{"x":7}}`)
	c := b.reopened()
	c.wantDesired("d2", `{"low":1,"s":{"x":7}}`)
	c.wantMetrics("low", map[string]int64{"targetedCount": 2, "appliedCount": 2})
	c.want(c.hubDo("DELETE", "/configurations/high", ""), 204, "")
	c.wantDesired("d1", `{"low":1,"own":1,"s":{"x":1}}`)
	c.wantDesired("d2", `{"low":1,"s":{"x":1}}`)
	// Nothing is taken back when none applies any more.
	c.want(c.hubDo("DELETE", "/configurations/low", ""), 204, "")
	c.want(c.hubDo("DELETE", "/configurations/shadowed", ""), 204, "")
	c.wantDesired("d1", `{"low":1,"own":1,"s":{"x":9}}`)
	// The same ID with other content is another configuration.
	c.putConfiguration("low", `{"deviceContent":{"properties.desired":{"all":1}}}`, "*", 1)
	c.wantDesired("d1", `{"all":1}`)
	c.makeDevice("d3", false)
	c.wantDesired("d3", `{"all":1}`)
	c.wantMetrics("low", map[string]int64{"targetedCount": 3})
	c.want(c.hubDo("DELETE", "/devices/d3", "", "If-Match", "*"), 204, "")
	c.wantMetrics("low", map[string]int64{"targetedCount": 2, "appliedCount": 2})
}

func TestModuleConfigurationsReachTwins(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("e", true)
	b.putConfiguration("m", `{"moduleContent":{"properties.desired.rate":5}}`, "FROM devices.modules WHERE moduleId = 'temp' OR moduleId = '$edgeHub'", 1)
	b.want(b.hubDo("PUT", "/devices/e/modules/temp", `{}`), 200, "")
	b.want(b.hubDo("PUT", "/devices/e/modules/other", `{}`), 200, "")
	b.wantDesired("e/modules/temp", `{"rate":5}`)
	b.wantDesired("e/modules/other", `{}`)
	b.wantDesired("e/modules/$edgeHub", `{}`)
	b.wantMetrics("m", map[string]int64{"targetedCount": 1, "appliedCount": 1})
	b.want(b.hubDo("DELETE", "/devices/e/modules/temp", "", "If-Match", "*"), 204, "")
	b.wantMetrics("m", map[string]int64{"targetedCount": 0})
}

func TestDeploymentsReachEdgeDevices(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("e1", true)
	b.makeDevice("leaf", false)
	b.putConfiguration("layer", `{"modulesContent":{"$edgeAgent":{"properties.desired.modules.extra":{"type":"docker"}},"extra":{"properties.desired.on":true},"temp":{"properties.desired.layered":1}}}`, "*", 10)
	b.wantDesired("e1/modules/$edgeAgent", `{}`) // a layer alone waits
	b.wantMetrics("layer", map[string]int64{"targetedCount": 1, "appliedCount": 0})
	b.putConfiguration("base", fullDeployment("temp", 1), "*", 5)
	agent := `{"modules":{"extra":{"type":"docker"},"temp":{"type":"docker"}},"schemaVersion":"1.1"}`
	b.wantDesired("e1/modules/$edgeAgent", agent)
	b.wantDesired("e1/modules/$edgeHub", `{"routes":{"up":"FROM /* INTO $upstream"}}`)
	b.wantDesired("e1/modules/extra", `{"on":true}`)
	b.wantDesired("e1/modules/temp", `{"layered":1,"rate":1}`)
	for _, id := range []string{"extra", "temp"} {
		if m := into[wire.Module](t, b.want(b.hubDo("GET", "/devices/e1/modules/"+id, ""), 200, "")); m.ManagedBy != "iotEdge" || m.GenerationID == "" {
			t.Errorf("module %+v", m)
		}
	}
	b.wantMetrics("layer", map[string]int64{"targetedCount": 1, "appliedCount": 1})
	// A layer below the full one does not count; a newer one of the same priority does.
	b.putConfiguration("below", `{"modulesContent":{"$edgeAgent":{"properties.desired.modules.low":{}}}}`, "*", 4)
	b.wantDesired("e1/modules/$edgeAgent", agent)
	b.putConfiguration("newer", fullDeployment("fast", 2), "deviceId = 'e1'", 5)
	b.wantDesired("e1/modules/$edgeAgent", `{"modules":{"extra":{"type":"docker"},"fast":{"type":"docker"}},"schemaVersion":"1.1"}`)
	b.wantMetrics("base", map[string]int64{"targetedCount": 1, "appliedCount": 0})
	// What edgeAgent reports counts for its present desired properties only.
	_, version := b.desired("e1/modules/$edgeAgent")
	b.wantMetrics("newer", map[string]int64{"appliedCount": 1, "reportedSuccessfulCount": 0, "reportedFailedCount": 0})
	b.report("e1", "$edgeAgent", fmt.Sprintf(`{"lastDesiredVersion":%d,"lastDesiredStatus":{"code":200}}`, version))
	b.wantMetrics("newer", map[string]int64{"reportedSuccessfulCount": 1, "reportedFailedCount": 0})
	b.wantMetrics("layer", map[string]int64{"reportedSuccessfulCount": 1})
	b.report("e1", "$edgeAgent", `{"lastDesiredStatus":{"code":412}}`)
	b.wantMetrics("newer", map[string]int64{"reportedSuccessfulCount": 0, "reportedFailedCount": 1})
	for name, text := range b.configuration("newer").SystemMetrics.Queries {
		body, _ := json.Marshal(wire.QuerySpecification{Query: text})
		want := b.configuration("newer").SystemMetrics.Results[name]
		if rows := into[[]any](t, b.want(b.hubDo("POST", "/devices/query", string(body)), 200, "")); int64(len(rows)) != want {
			t.Errorf("%s: %d rows, want %d: %s", name, len(rows), want, text)
		}
	}
	// Back to what applies when the higher one goes.
	c := b.reopened()
	c.wantMetrics("newer", map[string]int64{"reportedFailedCount": 1, "appliedCount": 1})
	c.want(c.hubDo("DELETE", "/configurations/newer", ""), 204, "")
	c.wantDesired("e1/modules/$edgeAgent", agent)
	c.wantMetrics("base", map[string]int64{"appliedCount": 1, "reportedFailedCount": 0})
	// New edge devices get it at once; a device that is no longer one is left alone.
	c.makeDevice("e2", true)
	c.wantDesired("e2/modules/$edgeAgent", agent)
	c.wantMetrics("base", map[string]int64{"targetedCount": 2, "appliedCount": 2})
	c.want(c.hubDo("PUT", "/devices/e2", `{"deviceId":"e2"}`, "If-Match", "*"), 200, "")
	c.wantMetrics("base", map[string]int64{"targetedCount": 1, "appliedCount": 1})
}

func TestCustomMetricsCountRows(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("e1", true)
	b.makeDevice("e2", true)
	b.want(b.hubDo("PUT", "/configurations/c", `{"content":{"deviceContent":{"properties.desired.a":1}},"targetCondition":"*","metrics":{"queries":{
		"devices":"SELECT deviceId FROM devices WHERE properties.desired.a = 1","hubs":"SELECT deviceId FROM devices.modules WHERE moduleId = '$edgeHub'",
		"top":"SELECT TOP 1 deviceId FROM devices","groups":"SELECT status, COUNT() AS n FROM devices GROUP BY status"}}}`), 200, "")
	want := map[string]int64{"devices": 2, "hubs": 2, "top": 1, "groups": 1}
	if got := b.configuration("c").Metrics.Results; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("results %v, want %v", got, want)
	}
	b.want(b.hubDo("DELETE", "/devices/e2", "", "If-Match", "*"), 204, "")
	want["devices"], want["hubs"] = 1, 1
	if got := b.configuration("c").Metrics.Results; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("results %v, want %v", got, want)
	}
}

func TestModulesOfOneDeviceAreSet(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("e", true)
	b.makeDevice("leaf", false)
	apply := func(device, body string) reply {
		return b.hubDo("POST", "/devices/"+device+"/applyConfigurationContent", body)
	}
	if r := b.want(apply("e", fullDeployment("temp", 3)), 204, ""); r.body != "" {
		t.Errorf("body %q", r.body)
	}
	b.wantDesired("e/modules/temp", `{"rate":3}`)
	b.want(apply("e", `{"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{"named":{}}}},"temp":{"properties.desired":{"other":1}}}}`), 204, "")
	b.wantDesired("e/modules/$edgeAgent", `{"modules":{"named":{}}}`)
	b.wantDesired("e/modules/temp", `{"other":1}`)
	var ids []string
	for _, m := range into[[]wire.Module](t, b.hubDo("GET", "/devices/e/modules", "")) {
		ids = append(ids, m.ModuleID+":"+m.ManagedBy)
	}
	if got := strings.Join(ids, " "); got != "$edgeAgent:iotEdge $edgeHub:iotEdge named:iotEdge temp:iotEdge" {
		t.Errorf("modules %s", got)
	}
	b.want(apply("leaf", fullDeployment("temp", 3)), 400, "ArgumentInvalid")
	b.want(apply("none", fullDeployment("temp", 3)), 404, "DeviceNotFound")
	b.want(apply("e", `{"modulesContent":{"temp":{"properties.desired":{}}}}`), 400, "InvalidConfigurationContent")
	b.want(apply("e", `{"deviceContent":{"properties.desired":{}}}`), 400, "InvalidConfigurationContent")
	b.want(apply("e", `{}`), 400, "InvalidConfigurationContent")
	// A refusal changes nothing.
	long := strings.Repeat("x", maxTwinText)
	var big []string
	for i := range 9 {
		big = append(big, fmt.Sprintf(`"properties.desired.p%d":%q`, i, long))
	}
	b.want(apply("e", `{"modulesContent":{"$edgeAgent":{"properties.desired":{}},"temp":{`+strings.Join(big, ",")+`}}}`), 400, "InvalidConfigurationContent")
	b.wantDesired("e/modules/$edgeAgent", `{"modules":{"named":{}}}`)
	c := b.reopened()
	c.wantDesired("e/modules/temp", `{"other":1}`)
}
