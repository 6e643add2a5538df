package app

import (
	"fmt"
	"strings"
	"testing"

	"edgewright/app/catalog"
)

func TestWhatIsTypedAsADevice(t *testing.T) {
	for text, want := range map[string]string{
		"local:": "local: ", " pi@10.20.4.31 ": "ssh://pi@10.20.4.31 ", "ssh://pi@h:2222": "ssh://pi@h:2222 ", "practice:press-1": "practice:press-1 ",
		"local: unix:/run/s": "local: unix:/run/s", "pi@h tcp:127.0.0.1:2321": "ssh://pi@h tcp:127.0.0.1:2321",
		"": "", "a b c": "", "ftp://h": "", "rootfs:///mnt": "", "local: serial:1": "",
	} {
		at, err := ParseCollectTarget(text)
		if got := at.Target + " " + at.TPM; err == nil && got != want || err != nil && want != "" {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
}

func TestAttachedDevicesAreThoseWithATPMToRead(t *testing.T) {
	t.Parallel()
	a := stationApp(t)
	for i, target := range []string{"ssh://pi@a", "ssh://pi@a", "rootfs:///mnt", "practice:press-1", "local:", "ssh://pi@old"} {
		d := catalog.Device{DeviceID: fmt.Sprintf("line-%d", i), HubHost: "h", State: StateProven, Target: target, MachineKey: fmt.Sprintf("machine-id:%d", i), Tags: "{}", Facts: "{}"}
		if target == "ssh://pi@old" {
			d.State = StateReplaced
		}
		if _, err := a.catalog.PutDevice(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	list, err := a.AttachedDevices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, at := range list {
		got = append(got, at.Target)
	}
	if strings.Join(got, " ") != "local: ssh://pi@a" || list[1].Device == "" {
		t.Errorf("%+v", list)
	}
}
