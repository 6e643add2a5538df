package app

import (
	"os"
	"path/filepath"
	"testing"

	"edgewright/provisioning"
)

// TestUndoBringsBackTheReplacedRow provisions one machine under two names and
// undoes the second: the first counts again.
func TestUndoBringsBackTheReplacedRow(t *testing.T) {
	b := mustBench(t, "manual", false)
	id := filepath.Join(b.folder(), "etc", "machine-id")
	if err := os.MkdirAll(filepath.Dir(id), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(id, []byte("0123456789abcdef0123456789abcdef\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	first, second := b.request(), b.request()
	second.Plan.Device.ID = "line-7-0043"
	states := func(want map[string]string) {
		t.Helper()
		list, err := a.Devices(t.Context(), DeviceQuery{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, device := range list {
			got[device.DeviceID] = device.State
		}
		if len(got) != len(want) {
			t.Errorf("devices %v, want %v", got, want)
		}
		for name, state := range want {
			if got[name] != state {
				t.Errorf("%s is %q, want %q", name, got[name], state)
			}
		}
	}
	one := a.Provision(t.Context(), first, nil)
	if one.Outcome != provisioning.RunSucceeded {
		t.Fatalf("%+v", one.Error)
	}
	two := a.Provision(t.Context(), second, nil)
	if two.Outcome != provisioning.RunSucceeded {
		t.Fatalf("%+v", two.Error)
	}
	states(map[string]string{benchDevice: StateReplaced, "line-7-0043": StateRehearsed})
	if _, _, err := a.Undo(t.Context(), two.Run, Access{}, nil); err != nil {
		t.Fatal(err)
	}
	states(map[string]string{benchDevice: StateRehearsed})
	if _, _, err := a.Undo(t.Context(), one.Run, Access{}, nil); err != nil {
		t.Fatal(err)
	}
	states(map[string]string{})
}
