package practice

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

const symmetric = `"attestation":{"type":"symmetricKey"}`

// keysOf reads keys back, as only attestationmechanism allows.
func (b *bench) keysOf(path string) wire.SymmetricKey {
	b.Helper()
	a := into[wire.AttestationMechanism](b, b.want(b.dpsDo("POST", path+"/attestationmechanism", ""), 200, ""))
	if a.Type != "symmetricKey" || a.SymmetricKey == nil {
		b.Fatalf("attestation %s", a.Type)
	}
	return *a.SymmetricKey
}

func TestEnrollmentCreateUpdateDelete(t *testing.T) {
	for _, kind := range []struct{ path, id string }{{"/enrollments/", "registrationId"}, {"/enrollmentgroups/", "enrollmentGroupId"}} {
		t.Run(kind.id, func(t *testing.T) {
			b := open(t, Options{})
			body := func(id, rest string) string { return `{"` + kind.id + `":"` + id + `",` + rest + `}` }
			path := kind.path + "r-1"
			made := into[map[string]any](t, b.want(b.dpsDo("PUT", path, body("R-1", symmetric+`,"unknown":1`)), 200, ""))
			if made["provisioningStatus"] != "enabled" || made["etag"] == "" || made["unknown"] != nil || strings.Contains(fmt.Sprint(made), "primaryKey") {
				t.Errorf("made %v", made)
			}
			if policy, _ := made["reprovisionPolicy"].(map[string]any); policy["updateHubAssignment"] != true || policy["migrateDeviceData"] != true {
				t.Errorf("policy %v", made["reprovisionPolicy"])
			}
			keys := b.keysOf(path)
			if len(keys.PrimaryKey.Secret().Reveal()) != 64 || len(keys.SecondaryKey.Secret().Reveal()) != 64 || keys.PrimaryKey.Equal(keys.SecondaryKey) {
				t.Error("keys are not two of 64 bytes")
			}
			_, k := key(1, 20)
			_, short := key(1, 15)
			etag := made["etag"].(string)
			for _, test := range []struct {
				name, method, path, body, match string
				status                          int
			}{
				{"create what exists", "PUT", path, body("r-1", symmetric), "", 409},
				{"stale etag", "PUT", path, body("r-1", symmetric), "x", 412},
				{"update what is missing", "PUT", kind.path + "r-2", body("r-2", symmetric), "*", 404},
				{"other ID", "PUT", kind.path + "r-2", body("r-3", symmetric), "", 400},
				{"bad ID", "PUT", kind.path + "-r", body("-r", symmetric), "", 400},
				{"no attestation", "PUT", kind.path + "r-2", body("r-2", `"etag":"x"`), "", 400},
				{"x509", "PUT", kind.path + "r-2", body("r-2", `"attestation":{"type":"x509","x509":{}}`), "", 400},
				{"tpm", "PUT", kind.path + "r-2", body("r-2", `"attestation":{"type":"tpm","tpm":{"endorsementKey":"AAAA"}}`), "", 400},
				{"one key", "PUT", kind.path + "r-2", body("r-2", `"attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"`+k+`"}}`), "", 400},
				{"short keys", "PUT", kind.path + "r-2", body("r-2", `"attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"`+short+`","secondaryKey":"`+short+`"}}`), "", 400},
				{"bad key", "PUT", kind.path + "r-2", body("r-2", `"attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"%%"}}`), "", 400},
				{"bad status", "PUT", kind.path + "r-2", body("r-2", symmetric+`,"provisioningStatus":"off"`), "", 400},
				{"custom allocation", "PUT", kind.path + "r-2", body("r-2", symmetric+`,"allocationPolicy":"custom"`), "", 400},
				{"unknown allocation", "PUT", kind.path + "r-2", body("r-2", symmetric+`,"allocationPolicy":"x"`), "", 400},
				{"foreign hub", "PUT", kind.path + "r-2", body("r-2", symmetric+`,"iotHubs":["hub.example.net"]`), "", 400},
				{"tags are a list", "PUT", kind.path + "r-2", body("r-2", symmetric+`,"initialTwin":{"tags":[1]}`), "", 400},
				{"bad JSON", "PUT", kind.path + "r-2", `{"`, "", 400},
				{"read what is missing", "GET", kind.path + "r-2", "", "", 404},
				{"keys of what is missing", "POST", kind.path + "r-2/attestationmechanism", "", "", 404},
				{"delete what is missing", "DELETE", kind.path + "r-2", "", "", 404},
				{"delete with stale etag", "DELETE", path, "", "x", 412},
				{"no such method", "PATCH", path, "", "", 405},
			} {
				t.Run(test.name, func(t *testing.T) {
					r := b.dpsDo(test.method, test.path, test.body, "If-Match", test.match)
					e := wire.ParseDPSError(r.header, []byte(r.body))
					if r.status != test.status || e.Code/1000 != test.status || e.TrackingID == "" || e.Message == "" || r.header.Get(wire.HeaderDPSErrorCode) != fmt.Sprint(e.Code) {
						t.Errorf("status %d, error %+v: %s", r.status, e, r.body)
					}
				})
			}
			// An update without keys keeps them; one with keys takes them.
			b.want(b.dpsDo("PUT", path, body("r-1", symmetric+`,"provisioningStatus":"disabled"`), "If-Match", etag), 200, "")
			if again := b.keysOf(path); !again.PrimaryKey.Equal(keys.PrimaryKey) {
				t.Error("an update without keys made new ones")
			}
			b.want(b.dpsDo("PUT", path, body("r-1", `"attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"`+k+`","secondaryKey":"`+k+`"}}`), "If-Match", "*"), 200, "")
			c := b.reopened()
			if kept := c.keysOf(strings.ToUpper(path)); kept.PrimaryKey.Secret().RevealBase64() != k {
				t.Error("given keys were not kept")
			}
			r := c.want(c.dpsDo("GET", path, ""), 200, "")
			if strings.Contains(r.body, k) || strings.Contains(r.body, "primaryKey") {
				t.Errorf("a read shows keys: %s", r.body)
			}
			c.want(c.dpsDo("DELETE", path, ""), 204, "")
			c.want(c.dpsDo("GET", path, ""), 404, "404201")
		})
	}
}

func TestDPSAuthorisation(t *testing.T) {
	b := open(t, Options{})
	b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r",`+symmetric+`}`), 200, "")
	host := b.Info().DPSHost
	dpsKey, hubKey := b.settings().DPSKey, b.settings().HubKeys["hub"][policyHubOwner]
	se := b.clock.Now().Add(time.Minute).Unix()
	for name, auth := range map[string]string{
		"none":          "",
		"hub's key":     sign(hubKey.PrimaryKey.Secret(), b.Info().HubHost, policyHubOwner, se, "rsen"),
		"other policy":  sign(dpsKey.PrimaryKey.Secret(), host, "other", se, "rsen"),
		"hub's host":    sign(dpsKey.PrimaryKey.Secret(), b.Info().HubHost, policyDPSOwner, se, "rsen"),
		"expired":       sign(dpsKey.PrimaryKey.Secret(), host, policyDPSOwner, se-60, "rsen"),
		"without name":  sign(dpsKey.PrimaryKey.Secret(), host, "", se, "rse"),
		"wrong key":     sign(hubKey.PrimaryKey.Secret(), host, policyDPSOwner, se, "rsen"),
		"not a token":   "SharedAccessSignature",
		"other subject": sign(dpsKey.PrimaryKey.Secret(), host+"/enrollments/q", policyDPSOwner, se, "rsen"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []call{{method: "GET", path: "/enrollments/r"}, {method: "PUT", path: "/enrollments/r", body: "{}"},
				{method: "POST", path: "/enrollments/r/attestationmechanism"}, {method: "POST", path: "/enrollments/query", body: "{}"},
				{method: "POST", path: "/enrollments", body: "{}"}, {method: "GET", path: "/registrations/r"}, {method: "DELETE", path: "/registrations/r"}} {
				c.auth, c.host = auth, host
				b.want(b.do(c), 401, "401000")
			}
		})
	}
	for name, auth := range map[string]string{
		"secondary key": sign(dpsKey.SecondaryKey.Secret(), host, policyDPSOwner, se, "rsne"),
		"without port":  sign(dpsKey.PrimaryKey.Secret(), dpsName, policyDPSOwner, se, "nser"),
	} {
		if r := b.do(call{method: "GET", path: "/enrollments/r", host: host, auth: auth}); r.status != 200 {
			t.Errorf("%s: %d", name, r.status)
		}
	}
}

func TestEnrollmentQueryPages(t *testing.T) {
	b := open(t, Options{})
	for i := range 7 {
		b.want(b.dpsDo("PUT", fmt.Sprintf("/enrollments/r%d", i), fmt.Sprintf(`{"registrationId":"r%d",%s}`, i, symmetric)), 200, "")
	}
	for _, query := range []string{"*", "SELECT * FROM enrollments", "select *", " Select * From enrollments; "} {
		var ids []string
		token, pages := "", 0
		for {
			r := b.want(b.dpsDo("POST", "/enrollments/query/", `{"query":"`+query+`"}`, "x-ms-max-item-count", "3", "x-ms-continuation", token), 200, "")
			if strings.Contains(r.body, "primaryKey") || r.header.Get("x-ms-item-type") == "" {
				t.Errorf("page %s", r.body)
			}
			for _, e := range into[[]wire.IndividualEnrollment](t, r) {
				ids = append(ids, e.RegistrationID)
			}
			pages++
			if token = r.header.Get("x-ms-continuation"); token == "" {
				break
			}
		}
		if pages != 3 || strings.Join(ids, "") != "r0r1r2r3r4r5r6" {
			t.Errorf("%s: %d pages, %v", query, pages, ids)
		}
	}
	b.want(b.dpsDo("POST", "/enrollments/query", `{"query":"SELECT * FROM enrollments WHERE x = 1"}`), 400, "400004")
	b.want(b.dpsDo("POST", "/enrollments/query", `{}`), 400, "400004")
	b.want(b.dpsDo("POST", "/enrollments/query", `{"query":"*"}`, "x-ms-continuation", "%"), 400, "400004")
	b.want(b.dpsDo("POST", "/enrollments/query", `{"query":"*"}`, "x-ms-max-item-count", "x"), 400, "400004")
	if r := b.want(b.dpsDo("POST", "/enrollmentGroups/query", `{"query":"*"}`), 200, ""); r.body != "[]" {
		t.Errorf("groups %s", r.body)
	}
}

func TestEnrollmentBulk(t *testing.T) {
	b := open(t, Options{})
	item := func(id, more string) string { return `{"registrationId":"` + id + `",` + symmetric + more + `}` }
	type result struct {
		IsSuccessful bool
		Errors       []bulkError
	}
	do := func(mode string, items ...string) result {
		return into[result](t, b.want(b.dpsDo("POST", "/enrollments/", `{"mode":"`+mode+`","enrollments":[`+strings.Join(items, ",")+`]}`), 200, ""))
	}
	if r := do("create", item("a", ""), item("b", "")); !r.IsSuccessful || len(r.Errors) != 0 {
		t.Errorf("create %+v", r)
	}
	if r := do("Create", item("a", ""), item("c", "")); r.IsSuccessful || len(r.Errors) != 1 || r.Errors[0].RegistrationID != "a" || r.Errors[0].ErrorCode != dpsExists {
		t.Errorf("create again %+v", r)
	}
	if r := do("update", item("a", `,"provisioningStatus":"disabled"`)); !r.IsSuccessful {
		t.Errorf("update %+v", r)
	}
	a := into[wire.IndividualEnrollment](t, b.dpsDo("GET", "/enrollments/a", ""))
	if a.ProvisioningStatus != "disabled" {
		t.Errorf("a %+v", a)
	}
	if r := do("updateIfMatchEtag", item("a", `,"etag":"`+a.ETag+`"`), item("b", `,"etag":"x"`), item("c", "")); len(r.Errors) != 2 ||
		r.Errors[0].ErrorCode != dpsPrecondition || r.Errors[1].ErrorCode != dpsBadRequest {
		t.Errorf("update by etag %+v", r)
	}
	if r := do("delete", item("a", ""), item("zz", "")); len(r.Errors) != 1 || r.Errors[0].ErrorCode != dpsNotFound {
		t.Errorf("delete %+v", r)
	}
	b.want(b.dpsDo("POST", "/enrollments", `{"mode":"drop","enrollments":[`+item("q", "")+`]}`), 400, "400004")
	b.want(b.dpsDo("POST", "/enrollments", `{"mode":"create","enrollments":[]}`), 400, "400004")
	b.want(b.dpsDo("POST", "/enrollments", `{"mode":"create","enrollments":[`+strings.Repeat(item("q", "")+",", 10)+item("q", "")+`]}`), 400, "400004")
	b.want(b.dpsDo("POST", "/enrollmentGroups", `{"mode":"create","enrollmentGroups":[{"enrollmentGroupId":"g",`+symmetric+`}]}`), 200, "")
	b.want(b.dpsDo("GET", "/enrollmentGroups/g", ""), 200, "")
}

// registerCall is one call of the device plane.
func (b *bench) registerCall(method, id, more string, key secret.Value) reply {
	b.Helper()
	body := ""
	if method != "GET" {
		body = `{"registrationId":"` + id + `"}`
	}
	return b.do(call{method: method, path: "/" + idScope + "/registrations/" + id + more + "?api-version=2021-06-01", body: body,
		host: b.Info().GlobalHost, auth: b.token(idScope+"/registrations/"+id, key, "registration")})
}

// register goes the whole way and gives the final state.
func (b *bench) register(id string, key secret.Value) wire.DeviceRegistrationState {
	b.Helper()
	r := b.want(b.registerCall("PUT", id, "/register", key), 202, "")
	first := into[wire.RegistrationOperationStatus](b, r)
	if r.header.Get("Retry-After") != "3" || first.Status != "assigning" || first.OperationID == "" ||
		!strings.Contains(r.header.Get("Location"), "/operations/"+first.OperationID) {
		b.Fatalf("register: %v %s", r.header, r.body)
	}
	r = b.want(b.registerCall("GET", id, "/operations/"+first.OperationID, key), 202, "")
	poll := into[wire.RegistrationOperationStatus](b, r)
	if r.header.Get("Retry-After") != "3" || poll.Status != "assigning" || poll.OperationID != first.OperationID ||
		poll.RegistrationState == nil || poll.RegistrationState.RegistrationID != strings.ToLower(id) {
		b.Fatalf("first poll: %v %s", r.header, r.body)
	}
	poll = into[wire.RegistrationOperationStatus](b, b.want(b.registerCall("GET", id, "/operations/"+first.OperationID, key), 200, ""))
	s := poll.RegistrationState
	if poll.Status != "assigned" || s == nil || s.Status != "assigned" || s.AssignedHub == "" || s.DeviceID == "" || s.ETag == "" || s.CreatedDateTimeUTC == nil {
		b.Fatalf("second poll: %+v", poll)
	}
	return *s
}
