package practice

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

func TestRegisterByIndividualEnrollment(t *testing.T) {
	b := open(t, Options{})
	b.want(b.dpsDo("PUT", "/enrollments/reg-1", `{"registrationId":"reg-1","deviceId":"Dev.1","capabilities":{"iotEdge":true},`+symmetric+
		`,"initialTwin":{"tags":{"line":7},"properties":{"desired":{"a":1}}}}`), 200, "")
	keys := b.keysOf("/enrollments/reg-1")
	if e := into[wire.IndividualEnrollment](t, b.dpsDo("GET", "/enrollments/reg-1", "")); e.RegistrationState == nil || e.RegistrationState.Status != "unassigned" {
		t.Errorf("before: %+v", e.RegistrationState)
	}
	b.want(b.dpsDo("GET", "/registrations/reg-1", ""), 404, "404201")
	if s := into[wire.DeviceRegistrationState](t, b.want(b.registerCall("POST", "reg-1", "", keys.PrimaryKey.Secret()), 200, "")); s.Status != "unassigned" {
		t.Errorf("look-up before: %+v", s)
	}
	state := b.register("REG-1", keys.SecondaryKey.Secret())
	if state.RegistrationID != "reg-1" || state.DeviceID != "Dev.1" || state.AssignedHub != b.Info().HubHost || state.Substatus != "initialAssignment" || state.SymmetricKey == nil {
		t.Errorf("state %+v", state)
	}
	d := into[wire.Device](t, b.want(b.hubDo("GET", "/devices/Dev.1", ""), 200, ""))
	if !d.IsEdge() || !d.Authentication.SymmetricKey.PrimaryKey.Equal(keys.PrimaryKey) || !d.Authentication.SymmetricKey.SecondaryKey.Equal(keys.SecondaryKey) {
		t.Errorf("identity %+v", d)
	}
	if twin := into[wire.Twin](t, b.hubDo("GET", "/twins/Dev.1", "")); string(twin.Tags) != `{"line":7}` || !strings.Contains(string(twin.Properties.Desired), `"a":1`) {
		t.Errorf("twin %s %s", twin.Tags, twin.Properties.Desired)
	}
	b.want(b.do(call{method: "POST", path: "/devices/Dev.1/messages/events", auth: b.deviceToken(d)}), 204, "")

	record := b.want(b.dpsDo("GET", "/registrations/reg-1", ""), 200, "")
	if strings.Contains(record.body, "symmetricKey") || into[wire.DeviceRegistrationState](t, record).DeviceID != "Dev.1" {
		t.Errorf("record %s", record.body)
	}
	c := b.reopened()
	if s := into[wire.DeviceRegistrationState](t, c.want(c.registerCall("POST", "reg-1", "", keys.PrimaryKey.Secret()), 200, "")); s.DeviceID != "Dev.1" || s.ETag != state.ETag {
		t.Errorf("look-up: %+v", s)
	}
	again := c.register("reg-1", keys.PrimaryKey.Secret())
	same := into[wire.Device](t, c.hubDo("GET", "/devices/Dev.1", ""))
	if again.Substatus != "reprovisionedToInitialAssignment" || same.ETag != d.ETag || same.GenerationID != d.GenerationID || !again.CreatedDateTimeUTC.Equal(state.CreatedDateTimeUTC.Time) {
		t.Errorf("again %+v %+v", again, same)
	}
	c.want(c.dpsDo("DELETE", "/registrations/reg-1", "", "If-Match", "x"), 412, "412201")
	c.want(c.dpsDo("DELETE", "/registrations/reg-1", ""), 204, "")
	c.want(c.dpsDo("DELETE", "/registrations/reg-1", ""), 404, "404201")
	c.want(c.hubDo("GET", "/devices/Dev.1", ""), 200, "")
}

func TestRegisterByGroup(t *testing.T) {
	b := open(t, Options{})
	b.want(b.dpsDo("PUT", "/enrollmentGroups/other", `{"enrollmentGroupId":"other",`+symmetric+`}`), 200, "")
	b.want(b.dpsDo("PUT", "/enrollmentGroups/Line-7", `{"enrollmentGroupId":"Line-7","capabilities":{"iotEdge":true},`+symmetric+`}`), 200, "")
	keys := b.keysOf("/enrollmentGroups/line-7")
	derive := func(id string) secret.Value { return wire.DeriveDeviceKey(keys.PrimaryKey.Secret(), id) }
	state := b.register("dev-1", derive("dev-1"))
	if state.DeviceID != "dev-1" || state.SymmetricKey.EnrollmentGroupID != "Line-7" {
		t.Errorf("state %+v", state)
	}
	d := into[wire.Device](t, b.hubDo("GET", "/devices/dev-1", ""))
	if k := d.Authentication.SymmetricKey; !d.IsEdge() || !k.PrimaryKey.Secret().Equal(derive("dev-1")) || !k.SecondaryKey.Secret().Equal(wire.DeriveDeviceKey(keys.SecondaryKey.Secret(), "dev-1")) {
		t.Errorf("identity %+v", d)
	}
	b.register("DEV-2", derive("dev-2"))
	b.want(b.registerCall("PUT", "DEV-3", "/register", derive("DEV-3")), 401, "401000") // derived from another spelling
	b.want(b.registerCall("PUT", "dev-4", "/register", derive("dev-1")), 401, "401000")
	b.want(b.registerCall("PUT", "dev-4", "/register", keys.PrimaryKey.Secret()), 401, "401000") // the group's own key
	b.want(b.registerCall("POST", "dev-4", "", derive("dev-4")), 404, "404201")

	list := into[[]wire.DeviceRegistrationState](t, b.want(b.dpsDo("POST", "/registrations/line-7/query", ""), 200, ""))
	if len(list) != 2 || list[0].RegistrationID != "dev-1" || list[1].RegistrationID != "dev-2" {
		t.Errorf("list %+v", list)
	}
	if r := b.want(b.dpsDo("POST", "/registrations/line-7/query", "", "x-ms-max-item-count", "1"), 200, ""); r.header.Get("x-ms-continuation") == "" {
		t.Error("no second page")
	}
	b.want(b.dpsDo("POST", "/registrations/none/query", ""), 404, "404201")

	// An individual enrollment beats the group, also when it is disabled.
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", `{"registrationId":"dev-1",`+symmetric+`}`), 200, "")
	b.want(b.registerCall("PUT", "dev-1", "/register", derive("dev-1")), 401, "401000")
	own := b.keysOf("/enrollments/dev-1")
	if s := b.register("dev-1", own.PrimaryKey.Secret()); s.SymmetricKey.EnrollmentGroupID != "" {
		t.Errorf("state %+v", s)
	}
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", `{"registrationId":"dev-1","provisioningStatus":"disabled",`+symmetric+`}`, "If-Match", "*"), 200, "")
	b.want(b.registerCall("PUT", "dev-1", "/register", own.PrimaryKey.Secret()), 401, "401000")
	b.want(b.registerCall("PUT", "dev-1", "/register", derive("dev-1")), 401, "401000")
	// The record of an individual enrollment goes with it; then the group counts again.
	b.want(b.dpsDo("DELETE", "/enrollments/dev-1", ""), 204, "")
	b.want(b.dpsDo("GET", "/registrations/dev-1", ""), 404, "404201")
	b.register("dev-1", derive("dev-1"))
	b.want(b.dpsDo("PUT", "/enrollmentGroups/line-7", `{"enrollmentGroupId":"Line-7","provisioningStatus":"disabled",`+symmetric+`}`, "If-Match", "*"), 200, "")
	b.want(b.registerCall("PUT", "dev-5", "/register", derive("dev-5")), 401, "401000")
}

func TestRegisterRefuses(t *testing.T) {
	b := open(t, Options{})
	b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r",`+symmetric+`}`), 200, "")
	keys := b.keysOf("/enrollments/r")
	k, se := keys.PrimaryKey.Secret(), b.clock.Now().Add(time.Minute).Unix()
	path := "/" + idScope + "/registrations/r/register"
	for _, test := range []struct {
		name, path, body, auth string
		status                 int
	}{
		{"slashes encoded", path, `{}`, sign(k, strings.ReplaceAll(idScope+"/registrations/r", "/", "%2F"), "registration", se, "rsen"), 202},
		{"lower case", path, `{}`, sign(k, strings.ToLower(idScope+"/registrations/r"), "registration", se, "rsne"), 202},
		{"forced", path + "?forceRegistration=true", `{}`, sign(k, idScope+"/registrations/r", "registration", se, "rsen"), 202},
		{"other body ID", path, `{"registrationId":"q"}`, sign(k, idScope+"/registrations/r", "registration", se, "rsen"), 400},
		{"bad body", path, `[`, sign(k, idScope+"/registrations/r", "registration", se, "rsen"), 400},
		{"no token", path, `{}`, "", 401},
		{"no policy name", path, `{}`, sign(k, idScope+"/registrations/r", "", se, "rse"), 401},
		{"other policy name", path, `{}`, sign(k, idScope+"/registrations/r", policyDPSOwner, se, "rsen"), 401},
		{"expired", path, `{}`, sign(k, idScope+"/registrations/r", "registration", se-61, "rsen"), 401},
		{"too wide", path, `{}`, sign(k, idScope+"/registrations", "registration", se, "rsen"), 401},
		{"other ID", path, `{}`, sign(k, idScope+"/registrations/q", "registration", se, "rsen"), 401},
		{"not enrolled", "/" + idScope + "/registrations/q/register", `{}`, sign(k, idScope+"/registrations/q", "registration", se, "rsen"), 401},
		{"other scope", "/0ne00000000/registrations/r/register", `{}`, sign(k, "0ne00000000/registrations/r", "registration", se, "rsen"), 404},
		{"bad ID", "/" + idScope + "/registrations/-/register", `{}`, sign(k, idScope+"/registrations/-", "registration", se, "rsen"), 400},
		{"with an endorsement key and no token", path, `{"tpm":{"endorsementKey":"AAAA"}}`, "", 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := b.do(call{method: "PUT", path: test.path, body: test.body, auth: test.auth, host: b.Info().GlobalHost})
			if e := wire.ParseDPSError(r.header, []byte(r.body)); r.status != test.status || r.status >= 400 && e.Code/1000 != r.status {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		})
	}
	b.want(b.registerCall("GET", "r", "/operations/none", k), 404, "404201")
	// node sends a body with GET
	b.want(b.do(call{method: "GET", path: "/" + idScope + "/registrations/r/operations/none", body: "{}", auth: sign(k, idScope+"/registrations/r", "registration", se, "rsen")}), 404, "404201")
}

func TestReprovisionPolicies(t *testing.T) {
	for _, test := range []struct {
		name, policy, substatus string
		move, sameHub, keepTwin bool
	}{
		{"same hub, migrate", `{"updateHubAssignment":true,"migrateDeviceData":true}`, "reprovisionedToInitialAssignment", false, true, true},
		{"same hub, reset", `{"updateHubAssignment":true,"migrateDeviceData":false}`, "deviceDataReset", false, true, false},
		{"never", `{"updateHubAssignment":false,"migrateDeviceData":false}`, "reprovisionedToInitialAssignment", true, true, true},
		{"move, migrate", `{"updateHubAssignment":true,"migrateDeviceData":true}`, "deviceDataMigrated", true, false, true},
		{"move, reset", `{"updateHubAssignment":true,"migrateDeviceData":false}`, "deviceDataReset", true, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := open(t, Options{Hubs: []string{"line2"}})
			body := func(hub string) string {
				return `{"registrationId":"r","allocationPolicy":"static","iotHubs":["` + hub + `"],"reprovisionPolicy":` + test.policy + `,"initialTwin":{"tags":{"from":"enrollment"}},` + symmetric + `}`
			}
			b.want(b.dpsDo("PUT", "/enrollments/r", body("hub.practice.test")), 200, "")
			keys := b.keysOf("/enrollments/r")
			first := b.register("r", keys.PrimaryKey.Secret())
			b.want(b.hubDo("PATCH", "/twins/r", `{"tags":{"from":"operator"}}`), 200, "")
			if test.move {
				b.want(b.dpsDo("PUT", "/enrollments/r", body("LINE2.practice.test:8443"), "If-Match", "*"), 200, "")
			}
			second := b.register("r", keys.PrimaryKey.Secret())
			if second.Substatus != test.substatus || (second.AssignedHub == first.AssignedHub) != test.sameHub {
				t.Fatalf("second %+v", second)
			}
			b = b.reopened()
			b.want(b.hubDo("GET", "/devices", ""), 200, "") // loads the state
			label, _ := b.settings().hubByHost(second.AssignedHub)
			d := b.state.hubs[label].devices["r"]
			if d == nil {
				t.Fatal("no device")
			}
			if from, _ := d.Twin.Tags.Member("from"); (from == "operator") != test.keepTwin {
				t.Errorf("device %+v", d)
			}
			if !test.sameHub {
				b.want(b.hubDo("GET", "/devices/r", ""), 404, "DeviceNotFound")
			}
		})
	}
}

func TestAllocation(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2", "line3"}})
	b.want(b.dpsDo("PUT", "/enrollmentGroups/g", `{"enrollmentGroupId":"g","allocationPolicy":"hashed",`+symmetric+`}`), 200, "")
	keys := b.keysOf("/enrollmentGroups/g")
	used := map[string]int{}
	for i := range 30 {
		id := fmt.Sprintf("d%d", i)
		used[b.register(id, wire.DeriveDeviceKey(keys.PrimaryKey.Secret(), id)).AssignedHub]++
	}
	if len(used) != 3 {
		t.Errorf("hashed over %v", used)
	}
	b.want(b.dpsDo("PUT", "/enrollments/one", `{"registrationId":"one","iotHubHostName":"line3.practice.test",`+symmetric+`}`), 200, "")
	own := b.keysOf("/enrollments/one")
	if s := b.register("one", own.PrimaryKey.Secret()); !strings.HasPrefix(s.AssignedHub, "line3.practice.test:") {
		t.Errorf("assigned to %s", s.AssignedHub)
	}
}

func TestRegistrationAdoptsExistingIdentity(t *testing.T) {
	b := open(t, Options{})
	before := b.makeDevice("r", true)
	b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r","capabilities":{"iotEdge":true},`+symmetric+`}`), 200, "")
	keys := b.keysOf("/enrollments/r")
	b.register("r", keys.PrimaryKey.Secret())
	d := into[wire.Device](t, b.hubDo("GET", "/devices/r", ""))
	if d.GenerationID != before.GenerationID || d.DeviceScope != before.DeviceScope || !d.Authentication.SymmetricKey.PrimaryKey.Equal(keys.PrimaryKey) {
		t.Errorf("device %+v", d)
	}
}
