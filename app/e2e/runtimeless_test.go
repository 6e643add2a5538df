//go:build e2e

package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withoutRuntime takes the runtime off a device; the users of the identity
// service's package stay.
func (d *device) withoutRuntime(t *testing.T) {
	t.Helper()
	standIn, systemctl := filepath.Join(d.root, "usr/bin/iotedge"), filepath.Join(d.root, "usr/bin/systemctl")
	status := filepath.Join(d.root, "var/lib/dpkg/status")
	packages, err := os.ReadFile(status)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(packages), "Package: aziot-edge\nStatus: install ok installed", "Package: aziot-edge\nStatus: deinstall ok config-files", 1)
	if err := errors.Join(os.Remove(systemctl), os.Rename(standIn, systemctl), os.WriteFile(status, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestBornKeysWithoutARuntime proves devices whose keys were born there: the
// handshakes run in the program, the signatures are made by openssl on the device.
// A key that would have to travel is refused.
func TestBornKeysWithoutARuntime(t *testing.T) {
	s := newStation(t)
	s.importRoot(t)
	d, target := sshDevice(t, s, "tech")
	d.withoutRuntime(t)
	ways := x509Plans("line-7-0042")
	everyWay(t, s, d, map[string]string{"manual self-signed": ways["manual self-signed"], "group": ways["group"]}, "played", target...)
	s.t = t
	if found, err := filepath.Glob(filepath.Join(d.root, "var/aziot/secrets/*")); err != nil || len(found) > 0 {
		t.Errorf("undo left %v, %v", found, err)
	}
	for name, plan := range map[string]string{
		"symmetric": plans("line-7-0042")["manual"], "workstation": ways["individual"] + "[x509]\nkey = \"workstation\"\n",
	} {
		before := d.picture(t)
		refused, r := s.outcome(append([]string{"provision", "--plan", s.plan("refused.toml", plan), "--yes"}, target...)...)
		if r.code == 0 || refused.Error == nil || !strings.Contains(refused.Error.Message, "not installed") {
			t.Errorf("%s: code %d, %+v, %+v", name, r.code, refused, refused.Error)
		}
		if diff := differences(before, d.picture(t)); diff != "" {
			t.Errorf("%s changed\n%s", name, diff)
		}
	}
}
