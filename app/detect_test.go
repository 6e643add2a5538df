package app

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/target"
)

// clockHub is a hub of which only address and clock are asked.
type clockHub struct {
	provisioning.Registry
	host  string
	ahead time.Duration
}

func (h clockHub) Host() string { return h.host }
func (h clockHub) Now(context.Context) (time.Time, error) {
	return time.Now().Add(h.ahead), nil
}

// TestRunsLookAtReachAndClock runs the look of a plan on this computer, against
// a hub that answers, one that does not, and one whose clock differs.
func TestRunsLookAtReachAndClock(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shut := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), Config{DataDir: t.TempDir(), StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	device, err := target.Open(t.Context(), target.Spec{Kind: target.KindLocal}, target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = device.Close() }()

	for name, c := range map[string]struct {
		cloud         provisioning.Cloud
		reach, behind bool
	}{
		"it answers":    {provisioning.Cloud{Hub: clockHub{host: listener.Addr().String()}}, false, false},
		"it is shut":    {provisioning.Cloud{Hub: clockHub{host: shut}}, true, false},
		"it is ahead":   {provisioning.Cloud{Hub: clockHub{host: listener.Addr().String(), ahead: time.Hour}}, false, true},
		"practice only": {provisioning.Cloud{Practice: true, Hub: clockHub{host: shut}}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			finder := &factFinder{app: a, target: device, cloud: c.cloud}
			facts, err := finder.Find(t.Context(), bench{Way: "manual"}.request().Plan)
			if err != nil {
				t.Fatal(err)
			}
			reach, behind := false, false
			for _, f := range facts.Findings {
				reach = reach || f.Field == "reach" && f.Level == finding.Error
				behind = behind || strings.Contains(f.Problem, "1 h") && f.Level == finding.Error
			}
			if reach != c.reach || behind != c.behind {
				t.Errorf("reach %t, clock %t in %+v", reach, behind, facts.Findings)
			}
		})
	}
}

func TestEndpointsOfAPlan(t *testing.T) {
	plan := provisioning.Plan{Cell: provisioning.Cell{Provisioning: provisioning.DPS}}
	cloud := provisioning.Cloud{Hub: clockHub{host: "hub.example.net"}, DPS: enroller{endpoint: "https://global.example.net:8443"}}
	list := endpoints(plan, cloud)
	if len(list) != 2 || list[0].Host != "hub.example.net" || list[0].Port != 443 || list[1].Host != "global.example.net" || list[1].Port != 8443 {
		t.Errorf("through DPS: %+v", list)
	}
	plan.Cell.Provisioning = provisioning.Manual
	if list = endpoints(plan, cloud); len(list) != 1 {
		t.Errorf("by hand: %+v", list)
	}
}
