package practice

import (
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// enrollments drives the operations on individual enrollments.
func (a *audit) enrollments() {
	a.Helper()
	whole := `{"registrationId":"r1","deviceId":"dev-1",` + symmetric + `,"capabilities":{"iotEdge":true},"iotHubHostName":"hub.practice.test",
"initialTwin":{"tags":{"line":7},"properties":{"desired":{"rate":{"value":5}}}},"provisioningStatus":"enabled",
"reprovisionPolicy":{"updateHubAssignment":true,"migrateDeviceData":false},"allocationPolicy":"static","iotHubs":["hub.practice.test"]}`
	a.onDPS("PUT", "/enrollments/r1", whole, 200, "")
	a.onDPS("PUT", "/enrollments/r1", whole, 412, "", "If-Match", `"AAAA"`)
	a.onDPS("PUT", "/enrollments/r1", whole, 200, "", "If-Match", "*")
	a.onDPS("PUT", "/enrollments/none", `{"registrationId":"none",`+symmetric+`}`, 404, "404201", "If-Match", "*")
	a.onDPS("PUT", "/enrollments/bad", `{"registrationId":"other",`+symmetric+`}`, 400, "")
	a.onDPS("GET", "/enrollments/r1", "", 200, "")
	a.onDPS("GET", "/enrollments/none", "", 404, "404201")
	a.onDPS("POST", "/enrollments/r1/attestationmechanism", "", 200, "")
	a.onDPS("POST", "/enrollments/none/attestationmechanism", "", 404, "404201")
	for _, mode := range []string{"create", "update", "updateIfMatchETag", "delete"} {
		a.onDPS("POST", "/enrollments", `{"mode":"`+mode+`","enrollments":[{"registrationId":"bulk",`+symmetric+`,"etag":"x"},{"registrationId":"none",`+symmetric+`}]}`, 200, "")
	}
	a.onDPS("POST", "/enrollments", `{"mode":"create","enrollments":[]}`, 400, "")
	a.onDPS("POST", "/enrollments/query", `{"query":"*"}`, 200, "", wire.HeaderMaxItemCount, "1")
	a.onDPS("POST", "/enrollments/query", `{"query":"DROP TABLE"}`, 400, "")
	a.onDPS("DELETE", "/enrollments/none", "", 404, "404201")
	a.onDPS("PUT", "/enrollments/gone", `{"registrationId":"gone",`+symmetric+`}`, 200, "")
	a.onDPS("DELETE", "/enrollments/gone", "", 412, "", "If-Match", `"AAAA"`)
	a.onDPS("DELETE", "/enrollments/gone", "", 204, "", "If-Match", "*")
}

// groups drives those on enrollment groups.
func (a *audit) groups() {
	a.Helper()
	whole := `{"enrollmentGroupId":"g1",` + symmetric + `,"capabilities":{"iotEdge":false},"provisioningStatus":"enabled",
"reprovisionPolicy":{"updateHubAssignment":false,"migrateDeviceData":false},"allocationPolicy":"hashed","iotHubs":["hub.practice.test"]}`
	a.onDPS("PUT", "/enrollmentGroups/g1", whole, 200, "")
	a.onDPS("PUT", "/enrollmentGroups/g1", whole, 412, "", "If-Match", `"AAAA"`)
	a.onDPS("PUT", "/enrollmentGroups/g1", whole, 200, "", "If-Match", "*")
	a.onDPS("GET", "/enrollmentGroups/g1", "", 200, "")
	a.onDPS("GET", "/enrollmentGroups/none", "", 404, "404201")
	a.onDPS("POST", "/enrollmentGroups/g1/attestationmechanism", "", 200, "")
	a.onDPS("POST", "/enrollmentGroups/none/attestationmechanism", "", 404, "404201")
	for _, mode := range []string{"create", "update", "updateIfMatchETag", "delete"} {
		a.onDPS("POST", "/enrollmentGroups", `{"mode":"`+mode+`","enrollmentGroups":[{"enrollmentGroupId":"bulk",`+symmetric+`,"etag":"x"}]}`, 200, "")
	}
	a.onDPS("POST", "/enrollmentGroups/query", `{"query":"*"}`, 200, "")
	a.onDPS("PUT", "/enrollmentGroups/gone", `{"enrollmentGroupId":"gone",`+symmetric+`}`, 200, "")
	a.onDPS("DELETE", "/enrollmentGroups/gone", "", 204, "")
	a.onDPS("DELETE", "/enrollmentGroups/gone", "", 404, "404201")
}

// onDevicePlane calls DPS as the device r.
func (a *audit) onDevicePlane(method, id, rest, body string, key secret.Value, status int, code string) reply {
	a.Helper()
	path := "/" + idScope + "/registrations/" + id
	return a.try(tried{a.device, method, path + rest, body, a.Info().GlobalHost, a.token(path[1:], key, "registration"), nil}, status, code)
}

// registrations drives the device plane and the records that it leaves.
func (a *audit) registrations() {
	a.Helper()
	keys := into[wire.AttestationMechanism](a, a.onDPS("POST", "/enrollments/r1/attestationmechanism", "", 200, "")).SymmetricKey
	group := into[wire.AttestationMechanism](a, a.onDPS("POST", "/enrollmentGroups/g1/attestationmechanism", "", 200, "")).SymmetricKey
	for _, device := range []struct {
		id  string
		key secret.Value
	}{{"r1", keys.PrimaryKey.Secret()}, {"member-1", wire.DeriveDeviceKey(group.SecondaryKey.Secret(), "member-1")}} {
		id, key := device.id, device.key
		operation := into[wire.RegistrationOperationStatus](a, a.onDevicePlane("PUT", id, "/register", `{"registrationId":"`+id+`","payload":{"model":"x"}}`, key, 202, "")).OperationID
		a.onDevicePlane("GET", id, "/operations/"+operation, "", key, 202, "")
		a.onDevicePlane("GET", id, "/operations/"+operation, "", key, 200, "")
		a.onDevicePlane("GET", id, "/operations/none", "", key, 404, "")
		a.onDevicePlane("POST", id, "", `{"registrationId":"`+id+`"}`, key, 200, "")
		a.onDevicePlane("PUT", id, "/register", `{"registrationId":"other"}`, key, 400, "")
		a.onDevicePlane("PUT", id, "/register", `{"registrationId":"`+id+`"}`, a.settings().DPSKey.PrimaryKey.Secret(), 401, "401000")
		a.onDPS("GET", "/registrations/"+id, "", 200, "")
	}
	a.onDPS("GET", "/enrollments/r1", "", 200, "") // now with a registration
	a.onDPS("GET", "/registrations/none", "", 404, "")
	a.onDPS("POST", "/registrations/g1/query", "", 200, "", wire.HeaderMaxItemCount, "1")
	a.onDPS("POST", "/registrations/none/query", "", 404, "")
	a.onDPS("DELETE", "/registrations/member-1", "", 412, "", "If-Match", `"AAAA"`)
	a.onDPS("DELETE", "/registrations/member-1", "", 204, "")
	a.onDPS("DELETE", "/registrations/member-1", "", 404, "")
}
