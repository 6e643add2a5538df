package practice

import (
	"crypto/x509"
	"testing"
	"time"
)

func TestCertificateAuthorityDevices(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2"}})
	root := issue(t, "root", nil, true, nil)
	line := issue(t, "line", &root, true, nil)
	leaf := issue(t, "Dev.1", &line, false, nil)
	module := issue(t, "Dev.1/m", &line, false, nil)
	b.want(b.hubDo("PUT", "/devices/Dev.1", `{"deviceId":"Dev.1","authentication":{"type":"certificateAuthority"}}`), 200, "")
	b.want(b.hubDo("PUT", "/devices/Dev.1/modules/m", `{"moduleId":"m","deviceId":"Dev.1","authentication":{"type":"certificateAuthority"}}`), 200, "")
	device, asModule := "/devices/Dev.1/messages/events", "/devices/Dev.1/modules/m/messages/events"
	send := func(path string, chain []*x509.Certificate, status int, code string) {
		t.Helper()
		b.want(b.do(call{method: "POST", path: path, body: "{}", chain: chain}), status, code)
	}
	send(device, leaf.chain(line), 401, "IotHubUnauthorized") // no CA yet
	if _, err := b.UploadCA(t.Context(), "line2", "root", root.pem(), true, ""); err != nil {
		t.Fatal(err)
	}
	send(device, leaf.chain(line), 401, "IotHubUnauthorized") // another hub's
	ca, err := b.UploadCA(t.Context(), "hub.practice.test", "root", root.pem(), false, "")
	if err != nil {
		t.Fatal(err)
	}
	send(device, leaf.chain(line), 401, "IotHubUnauthorized") // not verified
	if _, err := b.UploadCA(t.Context(), "hub", "root", root.pem(), true, ca.ETag); err != nil {
		t.Fatal(err)
	}
	send(device, leaf.chain(line), 204, "")
	send(asModule, module.chain(line), 204, "")
	send(device, leaf.chain(), 401, "IotHubUnauthorized")
	send(device, issue(t, "dev.1", &line, false, nil).chain(line), 401, "IotHubUnauthorized") // letter case counts
	send(device, module.chain(line), 401, "IotHubUnauthorized")
	send(asModule, leaf.chain(line), 401, "IotHubUnauthorized")
	send(device, nil, 401, "IotHubUnauthorizedAccess")
	// The device may manage its modules by certificate, too.
	b.want(b.do(call{method: "GET", path: "/devices/Dev.1/modules", chain: leaf.chain(line)}), 200, "")
	b.want(b.do(call{method: "GET", path: "/devices/Dev.1/modules", chain: module.chain(line)}), 401, "IotHubUnauthorized")
	b.clock.advance(6 * 365 * 24 * time.Hour)
	send(device, leaf.chain(line), 401, "IotHubUnauthorized")
}
