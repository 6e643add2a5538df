package practice

import (
	"fmt"
	"strings"
	"testing"

	"edgewright/provisioning/wire"
)

func TestDevicePlaneDetails(t *testing.T) {
	b := open(t, Options{})
	b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r",`+symmetric+`}`), 200, "")
	key := b.keysOf("/enrollments/r").PrimaryKey.Secret()
	path := "/" + idScope + "/registrations/r"
	do := func(method, rest, body string, header ...string) reply {
		t.Helper()
		return b.do(call{method: method, path: path + rest, body: body, host: b.Info().GlobalHost, auth: b.token(path[1:], key, "registration"), header: pairs(header)})
	}
	for _, api := range []string{"2019-03-31", "2021-06-01", "2021-10-01", "2025-07-01-preview", "anything"} {
		r := b.want(do("PUT", "/register?api-version="+api, `{"RegistrationId":"R","payload":{"a":1}}`), 202, "")
		operation := into[wire.RegistrationOperationStatus](t, r).OperationID
		if want := "/registrations/r/operations/" + operation + "?api-version=" + api; !strings.HasSuffix(r.header.Get("Location"), want) {
			t.Errorf("location %s", r.header.Get("Location"))
		}
		b.want(do("GET", "/operations/"+operation, "{}"), 202, "") // npm sends a body with GET
		done := b.want(do("GET", "/operations/"+operation, ""), 200, "")
		if strings.Contains(done.body, "payload") {
			t.Errorf("a payload comes back without a webhook: %s", done.body)
		}
		b.want(do("GET", "/operations/"+operation, ""), 200, "") // again
	}
	b.want(do("POST", "", ""), 200, "")
	b.want(do("POST", "", `{"registrationId":"R"}`), 200, "")
	for name, body := range map[string]string{"other ID": `{"registrationId":"q"}`, "not JSON": `{`, "csr": `{"registrationId":"r","csr":"AAAA"}`} {
		t.Log(name)
		b.want(do("POST", "", body), 400, "400004")
	}
	if r := b.want(do("PUT", "/register", `{"registrationId":"r","csr":"AAAA"}`), 400, "400004"); !strings.Contains(r.body, "certificates are not issued here") {
		t.Errorf("csr: %s", r.body)
	}
	b.want(b.dpsDo("PUT", "/enrollments/q", `{"registrationId":"q","credentialPolicyName":"p",`+symmetric+`}`), 400, "400004")
	b.want(do("PUT", "/register", "{}", "Content-Type", "text/plain"), 415, "415000")
	b.want(b.dpsDo("PUT", "/enrollments/q", `{"registrationId":"q",`+symmetric+`}`, "Content-Type", "application/x-www-form-urlencoded"), 415, "415000")
	b.want(do("PUT", "/register", "{}", "Content-Type", "application/json; charset=utf-8"), 202, "")
	b.want(do("DELETE", "", ""), 405, "405000")
}

func TestOptionalDeviceInformation(t *testing.T) {
	b := open(t, Options{})
	b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r",`+symmetric+`,"optionalDeviceInformation":{"room":{"floor":1}}}`), 200, "")
	c := b.reopened()
	if e := into[wire.IndividualEnrollment](t, c.want(c.dpsDo("GET", "/enrollments/r", ""), 200, "")); string(e.OptionalDeviceInformation) != `{"room":{"floor":1}}` {
		t.Errorf("read %s", e.OptionalDeviceInformation)
	}
	c.want(c.dpsDo("PUT", "/enrollments/q", `{"registrationId":"q",`+symmetric+`,"optionalDeviceInformation":[1]}`), 400, "400004")
}

func TestGroupLimit(t *testing.T) {
	b := open(t, Options{})
	for i := range maxGroups {
		b.want(b.dpsDo("PUT", fmt.Sprint("/enrollmentGroups/g", i), fmt.Sprintf(`{"enrollmentGroupId":"g%d",%s}`, i, symmetric)), 200, "")
	}
	b.want(b.dpsDo("PUT", "/enrollmentGroups/more", `{"enrollmentGroupId":"more",`+symmetric+`}`), 400, "400004")
	b.want(b.dpsDo("PUT", "/enrollmentGroups/g0", `{"enrollmentGroupId":"g0",`+symmetric+`}`, "If-Match", "*"), 200, "")
	b.want(b.dpsDo("PUT", "/enrollmentGroups/more", `{"enrollmentGroupId":"more",`+x509Body("signingCertificates", issue(t, "root", nil, true, nil))+`}`), 200, "")
}

func TestAllocationPolicies(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2", "line3"}})
	const members = 300
	for policy, want := range map[string]int{"hashed": 3, "geoLatency": 3, "": 3, "static": 1} {
		id := "g-" + policy + "x"
		allocation := ""
		if policy != "" {
			allocation = `,"allocationPolicy":"` + policy + `"`
		}
		b.want(b.dpsDo("PUT", "/enrollmentGroups/"+id, `{"enrollmentGroupId":"`+id+`"`+allocation+`,`+symmetric+`,"iotHubs":["line3.practice.test","hub.practice.test","line2.practice.test"]}`), 200, "")
		view := group(b.state.groups[strings.ToLower(id)])
		used := map[string]int{}
		for i := range members {
			used[b.allocate(fmt.Sprint("d", i), view)]++
		}
		if len(used) != want || policy == "static" && used["line3"] != members {
			t.Errorf("%s: %v", policy, used)
		}
		for hub, n := range used {
			if want == 3 && (n < members/6 || n > members/2) {
				t.Errorf("%s: %s got %d of %d; the weights are equal", policy, hub, n, members)
			}
		}
	}
}

func TestAnotherAttestationReplaces(t *testing.T) {
	b := open(t, Options{})
	leaf := issue(t, "r", nil, false, nil)
	put := func(attestation string, match ...string) {
		t.Helper()
		b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r",`+attestation+`}`, match...), 200, "")
	}
	put(symmetric)
	first := b.keysOf("/enrollments/r").PrimaryKey
	b.register("r", first.Secret())
	put(x509Body("clientCertificates", leaf), "If-Match", "*")
	b.want(b.registerCall("PUT", "r", "/register", first.Secret()), 401, "401000")
	if s := b.assignedBy("r", leaf.chain()); s.Substatus != wire.SubstatusReprovisionedToInitialAssignment {
		t.Errorf("state %+v", s)
	}
	if d := into[wire.Device](t, b.hubDo("GET", "/devices/r", "")); d.Authentication.Type != wire.AuthSelfSigned {
		t.Errorf("identity %+v", d.Authentication)
	}
	put(symmetric, "If-Match", "*")
	if second := b.keysOf("/enrollments/r").PrimaryKey; second.Equal(first) || second.IsEmpty() {
		t.Error("the keys of before came back")
	}
	b.want(b.registerBy("r", "{}", leaf.chain()), 401, "401000")
}
