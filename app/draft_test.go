package app

import (
	"testing"

	"edgewright/hostdetect"
	"edgewright/provisioning"
)

// The configuration is written for the version that a device has, unless a
// person or a whole plan said another, and never for one that nobody knows.
func TestADraftFollowsTheRuntimeOfTheDevice(t *testing.T) {
	has := func(version string) Detection {
		var found Detection
		found.Report.Runtime = hostdetect.Runtime{Version: version}
		return found
	}
	for _, row := range []struct {
		name  string
		draft Draft
		found string
		want  string
	}{
		{"of the device", Draft{}, "1.5.21", "1.5"},
		{"none there", Draft{}, "", "1.6"},
		{"unknown", Draft{}, "1.1.15", "1.6"},
		{"chosen by a person", Draft{RuntimeChosen: true}, "1.5.21", "1.6"},
		{"given by a plan", Draft{Given: true}, "1.5.21", "1.6"},
	} {
		row.draft.Plan = NewDraft().Plan
		row.draft.See(has(row.found))
		if got := row.draft.Plan.Runtime.Version; got != row.want || row.draft.Found == nil {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// What belongs to another way of showing who one is would stop the plan where no
// field shows it.
func TestAnotherWayDropsTheKey(t *testing.T) {
	d := NewDraft()
	d.Plan.Device.ID, d.Plan.SymmetricKey.Key = "line-7-0042", "vault:kept"
	d.SetCell(provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.SymmetricKey})
	if d.Plan.SymmetricKey.Key == "" {
		t.Error("DPS drops the key")
	}
	d.SetCell(provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.TPM})
	if findings := d.Plan.Check(); d.Plan.SymmetricKey.Key != "" || findings.Errors() {
		t.Errorf("%q %v", d.Plan.SymmetricKey.Key, findings)
	}
}

// The next device does not take the name that this one's Edge CA was given.
func TestTheNextEdgeCAHasItsOwnName(t *testing.T) {
	a, err := New(t.Context(), Config{DataDir: t.TempDir(), StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	d := NewDraft()
	d.Target, d.Plan.Device.ID = "rootfs:///nowhere", "line-7-0042"
	d.Plan.EdgeCA = &provisioning.EdgeCAPlan{CommonName: "line-7-0042.edge"}
	next, err := a.NextDraft(t.Context(), d, "line-7-0043")
	if err != nil || next.Plan.EdgeCA.CommonName != "line-7-0043.edge" || d.Plan.EdgeCA.CommonName != "line-7-0042.edge" {
		t.Errorf("%+v, this one %+v (%v)", next.Plan.EdgeCA, d.Plan.EdgeCA, err)
	}
}
