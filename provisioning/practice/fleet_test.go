package practice

import (
	"testing"

	"edgewright/provisioning/wire"
)

// A hundred thousand identities must fit into 300 MB with all that the program
// needs besides, and the collector lets garbage grow to as much as is in use.
func TestDevicesAreSmall(t *testing.T) {
	const devices, most = 3000, 1300 // bytes of a device
	before := heapInUse()
	b := open(t, Options{})
	b.fleet(devices)
	if each := (heapInUse() - before) / devices; each > most {
		t.Errorf("a device that was made takes %d bytes", each)
	}
	loaded := b.reopened()
	b.state = nil
	loaded.want(loaded.hubDo("GET", "/devices/device-000000", ""), 200, "")
	if each := (heapInUse() - before) / devices; each > most {
		t.Errorf("a device that was loaded takes %d bytes", each)
	}
}

// A page costs what is on it; devices that do not match are only looked at.
func TestPagesCostWhatIsOnThem(t *testing.T) {
	const few, many = 200, 3000
	allocations := func(devices int, query string) float64 {
		b := open(t, Options{})
		b.fleet(devices)
		owner := b.owner()
		request := call{method: "POST", path: "/devices/query", body: `{"query":"` + query + `"}`, auth: owner, header: map[string]string{wire.HeaderMaxItemCount: "10"}}
		return testing.AllocsPerRun(5, func() { b.want(b.do(request), 200, "") })
	}
	for _, query := range []string{"SELECT * FROM devices", "SELECT deviceId FROM devices WHERE tags.line > 1000 AND capabilities.iotEdge = true"} {
		if small, large := allocations(few, query), allocations(many, query); large > small+many/10 {
			t.Errorf("%s: %.0f allocations with %d devices, %.0f with %d", query, small, few, large, many)
		}
	}
}
