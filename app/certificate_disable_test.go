package app

import (
	"strings"
	"testing"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/pki"
)

// A revoked certificate alone stops nobody; what DisableDevice does, stops the
// device, and only that one.
func TestDisablingStopsTheDevice(t *testing.T) {
	for name, change := range map[string]func(*provisioning.Plan){
		"manual":     func(p *provisioning.Plan) { p.Cell.Provisioning = provisioning.Manual },
		"individual": func(*provisioning.Plan) {},
		"group":      func(p *provisioning.Plan) { p.Cloud.Group = "line-7" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := mustBench(t, "manual", false)
			a, err := b.open(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Close() }()
			plan := provisioning.Plan{Device: provisioning.DevicePlan{ID: benchDevice},
				Cell: provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.X509}}
			change(&plan)
			request := Request{Plan: plan.WithDefaults(), Target: FolderTarget(b.folder())}
			if out := a.Provision(t.Context(), request, nil); out.Outcome != provisioning.RunSucceeded {
				t.Fatalf("%+v", out)
			}
			certs, err := a.Certificates(t.Context(), benchDevice)
			if err != nil || len(certs) == 0 {
				t.Fatal(certs, err)
			}
			id := certs[0].ID
			if _, err := a.RevokeCertificate(t.Context(), id, pki.Reason("keyCompromise")); err != nil {
				t.Fatal(err)
			}
			stop, found, err := a.CloudStopOf(t.Context(), id)
			if err != nil || !found || stop.Device != benchDevice || stop.Cloud != Practice || (stop.Enrollment == "") != (name == "manual") || (stop.Group == "") != (name != "group") {
				t.Errorf("%+v %v %v", stop, found, err)
			}
			done, err := a.DisableDevice(t.Context(), id)
			want := "enrollment " + benchDevice + ", device " + benchDevice
			if name == "manual" {
				want = "device " + benchDevice
			}
			if err != nil || strings.Join(done, ", ") != want {
				t.Errorf("done %v, want %s; %v", done, want, err)
			}
			if again, err := a.DisableDevice(t.Context(), id); err != nil || len(again) != 0 {
				t.Errorf("once more: %v %v", again, err)
			}
			cloud, release, err := a.cloudOf(t.Context(), plan.WithDefaults(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer release()
			if identity, err := cloud.Hub.Identity(t.Context(), benchDevice); err != nil || identity.Enabled {
				t.Errorf("identity %v %v", identity.Enabled, err)
			}
			if name == "group" {
				if group, err := cloud.DPS.Enrollment(t.Context(), true, "line-7"); err != nil || !group.Enabled {
					t.Errorf("the group: %v %v", group.Enabled, err)
				}
			}
			if out := a.Provision(t.Context(), request, nil); out.Outcome == provisioning.RunSucceeded {
				t.Error("the device still connects")
			}
		})
	}
}

func TestNothingToDisable(t *testing.T) {
	o := newOffice(t)
	o.clock = time.Now()
	o.makes("root CA", "Plant Root", "", 0)
	leaf := o.makes("device identity", "line-7-0001", "Plant Root", 0)
	if _, found, err := o.CloudStopOf(t.Context(), leaf.ID); err != nil || found {
		t.Errorf("%v %v", found, err)
	}
	if _, err := o.DisableDevice(t.Context(), leaf.ID); err == nil || !strings.Contains(err.Error(), "no device of the catalog") {
		t.Errorf("%v", err)
	}
}
