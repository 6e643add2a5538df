package command

import (
	"fmt"
	"strings"
	"testing"
)

// TestListOfManyDevices has more devices than a page of the list, and more
// hits than a search sorts.
func TestListOfManyDevices(t *testing.T) {
	t.Parallel()
	const devices = listPage + 500
	d := newDesk(t)
	var list strings.Builder
	list.WriteString("device_id,hub_host,cloud\n")
	for i := range devices {
		fmt.Fprintf(&list, "line-%04d,hub.example.net,plant\n", i)
	}
	d.run("devices", "import", d.write("devices.csv", list.String())).exits(ExitOK)

	var all, some, one []struct {
		DeviceID string `json:"device_id"`
	}
	whole := d.run("devices", "list", "--json").exits(ExitOK)
	whole.decode(&all)
	seen := map[string]bool{}
	for _, device := range all {
		seen[device.DeviceID] = true
	}
	if len(all) != devices || len(seen) != devices || strings.Contains(whole.err, "More devices") {
		t.Errorf("%d rows, %d devices of %d; said %q", len(all), len(seen), devices, whole.err)
	}
	found := d.run("devices", "list", "--search", "line", "--json").exits(ExitOK)
	found.decode(&some)
	if len(some) >= devices || !strings.Contains(found.err, fmt.Sprintf("these are %d of them", len(some))) {
		t.Errorf("%d hits, said %q", len(some), found.err)
	}
	exact := d.run("devices", "list", "--search", "line-0042", "--json").exits(ExitOK)
	exact.decode(&one)
	if len(one) != 1 || strings.Contains(exact.err, "More devices") {
		t.Errorf("%v, said %q", one, exact.err)
	}
}
