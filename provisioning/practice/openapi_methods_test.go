package practice

import (
	"crypto/x509"

	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/wire"
)

// methods drives direct methods of a device and its module.
func (a *audit) methods() {
	a.Helper()
	d := into[wire.Device](a, a.onHub("PUT", "/devices/talks", `{"deviceId":"talks"}`, 200, ""))
	m := into[wire.Module](a, a.onHub("PUT", "/devices/talks/modules/m", `{"moduleId":"m","deviceId":"talks"}`, 200, ""))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.Info().CAPEM)
	device := daemontest.Upstream{Network: daemontest.Network{Roots: roots}, Address: a.Info().MQTT, Hub: a.Info().HubHost, Device: "talks",
		Sign: daemontest.WithKey(d.Authentication.SymmetricKey.PrimaryKey.Secret().Reveal())}
	module := device
	module.Module, module.Sign = "m", daemontest.WithKey(m.Authentication.SymmetricKey.PrimaryKey.Secret().Reveal())
	a.answersMethods(device)
	a.answersMethods(module)
	for _, path := range []string{"/twins/talks", "/twins/talks/modules/m"} {
		a.onHub("POST", path+"/methods", `{"methodName":"ping","payload":{"a":1},"responseTimeoutInSeconds":10,"connectTimeoutInSeconds":5}`, 200, "")
		a.onHub("POST", path+"/methods", `{"methodName":"ping","responseTimeoutInSeconds":4}`, 400, "ArgumentInvalid")
		a.onHub("POST", path+"-none/methods", `{"methodName":"ping"}`, 404, "DeviceNotFound")
	}
	a.onHub("POST", "/twins/leaf/methods", `{"methodName":"ping"}`, 404, "DeviceNotOnline")
}
