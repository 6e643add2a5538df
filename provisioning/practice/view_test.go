package practice

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

// managers are the two ways to the management surface.
func managers(t *testing.T, b *bench) map[string]*Manager {
	t.Helper()
	remote, err := b.RemoteManager()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remote.Close)
	return map[string]*Manager{"here": b.Manager(), "remote": remote}
}

// manage is one request to the management surface from an address.
func (b *bench) manage(method, path, auth, from string) reply {
	r := httptest.NewRequestWithContext(b.Context(), method, managementRoot+path, strings.NewReader("{}"))
	r.RemoteAddr = from
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// tokenAt is a token of the owner of a hub.
func (b *bench) tokenAt(hub string) string {
	return b.token(hub+"."+domain, b.settings().HubKeys[hub][policyHubOwner].PrimaryKey.Secret(), policyHubOwner)
}

func TestOverviewChanges(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2"}, Limits: Limits{"S2", 3}})
	serve(t, b.Cloud)
	for name, m := range managers(t, b) {
		before, err := m.Overview(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := m.Overview(t.Context())
		if err != nil || again.Change != before.Change {
			t.Errorf("%s: a look is a change: %d, %d, %v", name, before.Change, again.Change, err)
		}
		b.makeDevice("of-"+name, true)
		after, err := m.Overview(t.Context())
		if err != nil || after.Change == before.Change || after.Hubs[0].Devices != before.Hubs[0].Devices+1 || after.Requests != before.Requests+1 {
			t.Errorf("%s: %+v after %+v, %v", name, after, before, err)
		}
		if len(after.Hubs) != 2 || after.Hubs[1].Name != "line2" || after.Limits != (Limits{"S2", 3}) || after.Faults.Any() {
			t.Errorf("%s: %+v", name, after)
		}
	}
}

func TestManagementIsGuarded(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	for pattern := range managementRoutes {
		method, path, _ := strings.Cut(pattern, " ")
		for _, auth := range []string{"", "Bearer ", "Bearer nonsense", b.owner(), b.managementToken().RevealString()} {
			r := b.manage(method, path, auth, "127.0.0.1:1")
			if r.status != 401 || strings.Contains(r.body, "SharedAccessKey") {
				t.Errorf("%s with %.10q: %d %s", pattern, auth, r.status, r.body)
			}
		}
		if r := b.manage(method, path, "Bearer "+b.managementToken().RevealString(), "192.0.2.7:1"); r.status != 401 {
			t.Errorf("%s from another computer: %d %s", pattern, r.status, r.body)
		}
		if r := b.manage(method, path, "Bearer "+b.managementToken().RevealString(), "[::1]:1"); r.status == 401 {
			t.Errorf("%s from this computer: %d %s", pattern, r.status, r.body)
		}
	}
}

func TestDevicesComeInPages(t *testing.T) {
	b := open(t, Options{Hubs: []string{"a-hub", "a"}})
	for i := range 5 {
		b.makeDevice(fmt.Sprintf("Line-%d", i), i == 0)
		b.want(b.do(call{method: "PUT", path: fmt.Sprintf("/devices/other-%d", i), host: "a-hub." + domain, body: "{}", auth: b.tokenAt("a-hub")}), 200, "")
	}
	m := b.Manager()
	for _, c := range []struct {
		hub, search string
		want        []string
	}{
		{"", "", []string{"a-hub/other-0", "a-hub/other-1", "a-hub/other-2", "a-hub/other-3", "a-hub/other-4", "hub/Line-0", "hub/Line-1", "hub/Line-2", "hub/Line-3", "hub/Line-4"}},
		{"hub", "", []string{"hub/Line-0", "hub/Line-1", "hub/Line-2", "hub/Line-3", "hub/Line-4"}},
		{"", "LINE-", []string{"hub/Line-0", "hub/Line-1", "hub/Line-2", "hub/Line-3", "hub/Line-4"}},
		{"", "-3", []string{"a-hub/other-3", "hub/Line-3"}},
		{"a", "", nil},
		{"no-such", "", nil},
		{"", "nothing", nil},
	} {
		for limit := 1; limit <= 11; limit++ {
			var got []string
			after := ""
			for {
				page, err := m.Devices(t.Context(), c.hub, PageQuery{Search: c.search, After: after, Limit: limit})
				if err != nil || page.Total != len(c.want) || len(page.Devices) > limit {
					t.Fatalf("%+v by %d after %q: %+v, %v", c, limit, after, page, err)
				}
				if len(page.Devices) == 0 {
					break
				}
				for _, d := range page.Devices {
					after = d.Key()
					got = append(got, after)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%+v by %d: %q", c, limit, got)
			}
		}
	}
}

func TestPickKeepsTheLowestKeys(t *testing.T) {
	var keys []string
	for i := range 1000 {
		keys = append(keys, fmt.Sprintf("%04d", i*7919%1000))
	}
	page, total := PageQuery{After: "0099", Limit: 3}.pick(slices.Values(keys))
	if total != 1000 || !slices.Equal(page, []string{"0100", "0101", "0102"}) {
		t.Errorf("%q of %d", page, total)
	}
	page, total = PageQuery{Search: "77"}.pick(slices.Values(keys))
	if total != 19 || page[0] != "0077" {
		t.Errorf("%q of %d", page, total)
	}
}

func TestDeviceView(t *testing.T) {
	b := open(t, Options{})
	parent := b.makeDevice("gateway", true)
	b.want(b.hubDo("PUT", "/devices/leaf", `{"deviceScope":"`+parent.DeviceScope+`"}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/gateway", `{"tags":{"line":7},"properties":{"desired":{"x":{"y":[1]}}}}`), 200, "")
	leaf, err := b.Device(t.Context(), "hub", "leaf", "")
	if err != nil || leaf.Parent != "gateway" || leaf.Edge || leaf.CameBy != nil || !leaf.LastActivity.IsZero() || leaf.Connected {
		t.Errorf("leaf: %+v, %v", leaf, err)
	}
	edge, err := b.Manager().Device(t.Context(), "hub", "gateway", "")
	if err != nil || !edge.Edge || edge.Parent != "" || len(edge.Modules) != 2 || edge.Modules[0].ID != "$edgeAgent" ||
		edge.Twin.Tags != "{\n  \"line\": 7\n}" || !strings.Contains(edge.Twin.Desired, `"y": [`) || edge.Twin.Reported != "{}" || edge.Twin.DesiredVersion != 2 {
		t.Errorf("edge: %+v, %v", edge, err)
	}
	module, err := b.Manager().Device(t.Context(), "hub", "gateway", "$edgeHub")
	if err != nil || module.Of != "$edgeHub" || module.Twin.Tags != "{}" {
		t.Errorf("module: %+v, %v", module, err)
	}
	for _, c := range [][3]string{{"none", "leaf", ""}, {"hub", "none", ""}, {"hub", "leaf", "none"}} {
		var refused *ManageError
		if _, err := b.Manager().Device(t.Context(), c[0], c[1], c[2]); !errors.As(err, &refused) || refused.Status != 404 {
			t.Errorf("%q: %v", c, err)
		}
	}
	b.want(b.hubDo("PUT", "/devices/gateway/modules/sensor", "{}"), 200, "")
	texts, err := b.Manager().DeviceConnectionStrings(t.Context(), "hub", "gateway")
	if err != nil || len(texts) != 2 || !strings.Contains(texts[""].RevealString(), parent.Authentication.SymmetricKey.PrimaryKey.Secret().RevealBase64()) ||
		!strings.Contains(texts["sensor"].RevealString(), ";ModuleId=sensor;") {
		t.Errorf("connection strings: %d, %v", len(texts), err)
	}
	if _, err := b.Manager().DeviceConnectionStrings(t.Context(), "hub", "none"); err == nil {
		t.Error("a device that is not there has connection strings")
	}
}

func TestDeviceTellsHowItCame(t *testing.T) {
	b := open(t, Options{})
	group, text := key('g', 64)
	b.want(b.dpsDo("PUT", "/enrollmentGroups/line-7", `{"enrollmentGroupId":"line-7","attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"`+text+`","secondaryKey":"`+text+`"}},"capabilities":{"iotEdge":true}}`), 200, "")
	b.want(b.dpsDo("PUT", "/enrollments/one", `{"registrationId":"one","deviceId":"Press-1","attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"`+text+`","secondaryKey":"`+text+`"}}}`), 200, "")
	b.register("seven", wire.DeriveDeviceKey(group, "seven"))
	b.register("one", group)
	for device, want := range map[string][2]string{"seven": {"seven", "line-7"}, "Press-1": {"one", ""}} {
		view, err := b.Device(t.Context(), "hub", device, "")
		if err != nil || view.CameBy == nil || view.CameBy.ID != want[0] || view.CameBy.Group != want[1] || view.CameBy.Status != "assigned" {
			t.Errorf("%s: %+v, %v", device, view.CameBy, err)
		}
	}
	enrollments, err := b.Manager().Enrollments(t.Context(), PageQuery{})
	if err != nil || enrollments.Total != 2 || enrollments.Enrollments[0].ID != "line-7" || !enrollments.Enrollments[0].Group || !enrollments.Enrollments[0].Edge ||
		enrollments.Enrollments[1].Attestation != "symmetricKey" || !enrollments.Enrollments[1].Enabled {
		t.Errorf("%+v, %v", enrollments, err)
	}
	registrations, err := b.Manager().Registrations(t.Context(), PageQuery{Search: "SEV"})
	if err != nil || registrations.Total != 1 || registrations.Registrations[0].Group != "line-7" {
		t.Errorf("%+v, %v", registrations, err)
	}
}

func TestRequestLogByNumber(t *testing.T) {
	b := open(t, Options{})
	m := b.Manager()
	for i := range 5 {
		b.hubDo("GET", fmt.Sprintf("/devices/none-%d", i), "")
		b.makeDevice(fmt.Sprintf("d-%d", i), false)
	}
	all, err := m.RequestLog(t.Context(), RequestQuery{})
	if err != nil || len(all) != 10 || all[0].Number != 1 || all[9].Number != 10 || all[0].Code != "DeviceNotFound" || all[0].CorrelationID == "" {
		t.Fatalf("%+v, %v", all, err)
	}
	failed, err := m.RequestLog(t.Context(), RequestQuery{After: 3, Failed: true, Limit: 2})
	if err != nil || len(failed) != 2 || failed[0].Number != 7 || failed[1].Number != 9 || failed[1].Status != 404 {
		t.Errorf("%+v, %v", failed, err)
	}
	for range keptRequests {
		b.log.add(Request{Status: 200})
	}
	if rows := b.RequestLog(RequestQuery{}); len(rows) != keptRequests || rows[0].Number != 11 || rows[keptRequests-1].Number != keptRequests+10 {
		t.Errorf("%d rows, first %d", len(rows), rows[0].Number)
	}
}

func TestFaultsByTheManagementSurface(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2"}})
	serve(t, b.Cloud)
	m := managers(t, b)["remote"]
	wanted := FaultSettings{Throttle: ThrottleShare{1, 3, Span(4 * time.Second)}, Fail: FailShare{1, 2, 502}, Skew: Span(-time.Hour), Offline: []string{"line2"}}
	if err := m.SetFaults(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}
	o, err := m.Overview(t.Context())
	if err != nil || !o.Faults.Any() || o.Faults.Throttle != wanted.Throttle || o.Faults.Fail != wanted.Fail || o.Faults.Skew != wanted.Skew || !slices.Equal(o.Faults.Offline, wanted.Offline) {
		t.Errorf("%+v, %v", o.Faults, err)
	}
	var got []int
	for range 6 {
		r := b.hubDo("GET", "/devices", "")
		if r.status == 429 && r.header.Get("Retry-After") != "4" {
			t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
		}
		got = append(got, r.status)
	}
	if !slices.Equal(got, []int{429, 502, 200, 429, 502, 200}) {
		t.Errorf("%v", got)
	}
	for name, wrong := range map[string]FaultSettings{
		"more than all":    {Throttle: ThrottleShare{N: 3, Of: 2}},
		"none of some":     {Fail: FailShare{N: 0, Of: 2, Status: 500}},
		"no failure":       {Fail: FailShare{N: 1, Of: 2, Status: 404}},
		"half a second":    {Throttle: ThrottleShare{1, 2, Span(time.Second / 2)}},
		"back in time":     {Delay: -1},
		"an hour of delay": {Delay: Span(time.Hour)},
		"a century":        {Skew: Span(100 * 365 * 24 * time.Hour)},
		"an unknown hub":   {Offline: []string{"line3"}},
	} {
		var refused *ManageError
		if err := m.SetFaults(t.Context(), wrong); !errors.As(err, &refused) || refused.Status != 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := m.SetFaults(t.Context(), FaultSettings{}); err != nil || b.faults.Settings().Any() {
		t.Errorf("%+v, %v", b.faults.Settings(), err)
	}
}

// An offline hub ends connections without an answer; the others go on.
func TestOfflineHub(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2"}})
	serve(t, b.Cloud)
	if err := b.SetFaults(FaultSettings{Offline: []string{"line2"}}); err != nil {
		t.Fatal(err)
	}
	client := client(t, b.Cloud)
	for host, answers := range map[string]bool{"hub.practice.test": true, "line2.practice.test": false, "dps.practice.test": true} {
		path := "/devices"
		if host == "dps.practice.test" {
			path = "/registrations/x"
		}
		answer, err := client.Get("https://" + host + path)
		if err == nil {
			_ = answer.Body.Close()
		}
		if (err == nil) != answers {
			t.Errorf("%s: %v", host, err)
		}
	}
	rows := b.RequestLog(RequestQuery{Failed: true})
	if !slices.ContainsFunc(rows, func(r RequestRow) bool { return r.Status == 0 && r.Code == codeOffline && r.CorrelationID != "" }) {
		t.Errorf("the log: %+v", rows)
	}
}
