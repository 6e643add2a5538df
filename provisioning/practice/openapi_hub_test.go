package practice

import (
	"fmt"

	"edgewright/provisioning/wire"
)

// identities drives the operations on device identities.
func (a *audit) identities() {
	a.Helper()
	a.onHub("PUT", "/devices/gate", `{"deviceId":"gate","status":"enabled","authentication":{"type":"sas","symmetricKey":{"primaryKey":"","secondaryKey":""}},"capabilities":{"iotEdge":true}}`, 200, "")
	gate := into[wire.Device](a, a.onHub("GET", "/devices/gate", "", 200, ""))
	a.onHub("PUT", "/devices/leaf", fmt.Sprintf(`{"deviceId":"leaf","statusReason":"new","deviceScope":%q}`, gate.DeviceScope), 200, "")
	a.onHub("PUT", "/devices/thumb", `{"deviceId":"thumb","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"`+thumb+`","secondaryThumbprint":"`+thumb+`"}}}`, 200, "")
	a.onHub("PUT", "/devices/chain", `{"deviceId":"chain","authentication":{"type":"certificateAuthority"},"status":"disabled"}`, 200, "")
	a.onHub("PUT", "/devices/gate", `{"deviceId":"gate"}`, 409, "DeviceAlreadyExists")
	a.onHub("PUT", "/devices/gate", `{"deviceId":"gate"}`, 412, "PreconditionFailed", "If-Match", `"AAAA"`)
	a.onHub("PUT", "/devices/none", `{"deviceId":"none"}`, 404, "DeviceNotFound", "If-Match", "*")
	a.onHub("PUT", "/devices/one", `{"deviceId":"other"}`, 400, "ArgumentInvalid")
	a.onHub("PUT", "/devices/leaf", `{"deviceId":"leaf","status":"disabled","statusReason":"old"}`, 200, "", "If-Match", `"*"`)
	a.onHub("GET", "/devices/none", "", 404, "DeviceNotFound")
	a.onHub("GET", "/devices?top=2", "", 200, "")
	a.onHub("DELETE", "/devices/chain", "", 412, "PreconditionFailed")
	a.onHub("DELETE", "/devices/chain", "", 412, "PreconditionFailed", "If-Match", `"AAAA"`)
	a.onHub("DELETE", "/devices/chain", "", 204, "", "If-Match", "*")
	a.onHub("DELETE", "/devices/chain", "", 404, "DeviceNotFound", "If-Match", "*")
}

// modules drives those on module identities of the edge device gate.
func (a *audit) modules() {
	a.Helper()
	a.onHub("PUT", "/devices/gate/modules/m", `{"moduleId":"m","deviceId":"gate","managedBy":"iotEdge"}`, 200, "")
	a.onHub("PUT", "/devices/gate/modules/m", `{"moduleId":"m","deviceId":"gate"}`, 409, "ModuleAlreadyExistsOnDevice")
	a.onHub("PUT", "/devices/gate/modules/m", `{"moduleId":"m","deviceId":"gate"}`, 412, "PreconditionFailed", "If-Match", `"AAAA"`)
	a.onHub("PUT", "/devices/gate/modules/none", `{"moduleId":"none","deviceId":"gate"}`, 404, "", "If-Match", "*")
	a.onHub("PUT", "/devices/gate/modules/m", `{"moduleId":"m","deviceId":"gate","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"`+thumb+`"}}}`, 200, "", "If-Match", "*")
	a.onHub("GET", "/devices/gate/modules/m", "", 200, "")
	a.onHub("GET", "/devices/gate/modules/%24edgeAgent", "", 200, "")
	a.onHub("GET", "/devices/gate/modules/none", "", 404, "")
	a.onHub("GET", "/devices/gate/modules", "", 200, "")
	a.onHub("GET", "/devices/none/modules", "", 401, "IotHubUnauthorizedAccess")
	a.onHub("PUT", "/devices/gate/modules/gone", `{"moduleId":"gone","deviceId":"gate"}`, 200, "")
	a.onHub("DELETE", "/devices/gate/modules/gone", "", 204, "", "If-Match", "*")
	a.onHub("DELETE", "/devices/gate/modules/gone", "", 404, "", "If-Match", "*")
}

// twins drives those on twins of gate and its module.
func (a *audit) twins() {
	a.Helper()
	for _, path := range []string{"/twins/gate", "/twins/gate/modules/m", "/twins/thumb"} {
		a.onHub("PATCH", path, `{"tags":{"line":7,"site":{"hall":"B"}},"properties":{"desired":{"rate":5,"list":[1,"a"]}}}`, 200, "")
		a.onHub("GET", path, "", 200, "")
		a.onHub("PATCH", path, `{"tags":{}}`, 412, "PreconditionFailed", "If-Match", `"AAAA"`)
		a.onHub("PATCH", path, `{"tags":{"line":null}}`, 200, "", "If-Match", "*")
		a.onHub("PUT", path, `{"tags":{"line":8},"properties":{"desired":{"rate":6}}}`, 412, "PreconditionFailed", "If-Match", `"AAAA"`)
		a.onHub("PUT", path, `{"tags":{"line":8},"properties":{"desired":{"rate":6}}}`, 200, "", "If-Match", "*")
		a.onHub("PUT", path, `{"tags":{"a.b":8}}`, 400, "ArgumentInvalid")
		a.onHub("PUT", path+"-none", `{"tags":{}}`, 404, "DeviceNotFound")
		a.onHub("GET", path+"-none", "", 404, "DeviceNotFound")
		a.onHub("PATCH", path+"-none", `{"tags":{}}`, 404, "DeviceNotFound")
	}
}

// registry drives those on many identities at once.
func (a *audit) registry() {
	a.Helper()
	a.onHub("POST", "/devices", `[{"id":"bulk1","importMode":"create","tags":{"a":1},"properties":{"desired":{"b":2}}},
		{"id":"bulk2","importMode":"create","status":"disabled","statusReason":"x","tags":{"a.b":1}},{"id":"gate","importMode":"create"},
		{"id":"gate","moduleId":"none","importMode":"deleteIfMatchETag","eTag":"AAAA"}]`, 200, "")
	a.onHub("POST", "/devices", `[{"id":"bulk1","importMode":"updateTwinIfMatchETag","twinETag":"AAAA"}]`, 400, "BulkRegistryOperationFailure")
	a.onHub("POST", "/devices", `[{"id":"bulk1","importMode":"delete"},{"id":"bulk1","importMode":"delete"}]`, 400, "DeviceDefinedMultipleTimes")
	a.onHub("POST", "/devices", `[]`, 400, "ArgumentInvalid")
	a.onHub("GET", "/statistics/devices", "", 200, "")
	a.onHub("GET", "/statistics/service", "", 200, "")
}

// messages drives what the service does with the queue of a device.
func (a *audit) messages() {
	a.Helper()
	a.bench.send("gate", Message{Body: []byte("x")})
	a.onHub("DELETE", "/devices/gate/commands", "", 200, "")
	a.onHub("DELETE", "/devices/none/commands", "", 404, "DeviceNotFound")
}

// queries drives the query over devices and modules.
func (a *audit) queries() {
	a.Helper()
	first := a.onHub("POST", "/devices/query", `{"query":"SELECT * FROM devices"}`, 200, "", wire.HeaderMaxItemCount, "2")
	next := first.header.Get(wire.HeaderContinuation)
	if next == "" || first.header.Get("x-ms-item-type") != "Twin" {
		a.Errorf("first page with header %v", first.header)
	}
	a.onHub("POST", "/devices/query", `{"query":"SELECT * FROM devices"}`, 200, "", wire.HeaderMaxItemCount, "2", wire.HeaderContinuation, next)
	a.onHub("POST", "/devices/query", `{"query":"SELECT * FROM devices.modules WHERE moduleId = '$edgeAgent'"}`, 200, "")
	a.onHub("POST", "/devices/query", `{"query":"SELECT deviceId, tags FROM devices WHERE tags.line = 8"}`, 200, "")
	a.onHub("POST", "/devices/query", `{"query":"SELECT * FROM devices.jobs"}`, 200, "")
	a.onHub("POST", "/devices/query", `{"query":"DELETE FROM devices"}`, 400, "ArgumentInvalid")
	a.onHub("POST", "/devices/query", `{"query":"SELECT * FROM devices"}`, 400, "", wire.HeaderContinuation, "none")
}

const thumb = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"
