package main

import (
	"context"
	"fmt"
	"time"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui"
	"edgewright/ui/frame"
	"edgewright/ui/practice"
)

// drawPractice draws the live view of the practice cloud while it is on: off,
// each tab, and a device.
func drawPractice(ctx context.Context, q *posts, studio *ui.Studio, draw func(string) error) error {
	open := func(name, tab, device string) error {
		studio.Open(frame.Place{Page: frame.Clouds, Cloud: app.Practice, Tab: tab, Device: device})
		if err := q.rest(400 * time.Millisecond); err != nil {
			return err
		}
		return draw("6-clouds-practice-" + name)
	}
	if err := open("off", practice.TabDevices, ""); err != nil {
		return err
	}
	a := studio.App()
	_, release, err := a.KeepPractice(ctx)
	if err != nil {
		return err
	}
	defer release()
	request, err := a.PracticeRequest("line-7-0099")
	if err != nil {
		return err
	}
	if out := a.Provision(ctx, request, nil); out.Outcome != provisioning.RunSucceeded {
		return fmt.Errorf("provision %s: %s", request.Plan.Device.ID, out.Outcome)
	}
	for _, tab := range []string{practice.TabDevices, practice.TabEnrollments, practice.TabCertificates, practice.TabRequests, practice.TabConnections, practice.TabConnect} {
		if err := open(tab, tab, ""); err != nil {
			return err
		}
	}
	if _, err := a.ChangePracticeFaults(ctx, func(f *app.PracticeFaults) { f.Throttle.N, f.Throttle.Of = 1, 3 }); err != nil {
		return err
	}
	if err := open(practice.TabRehearse, practice.TabRehearse, ""); err != nil {
		return err
	}
	return open("device", practice.TabDevices, "line-7-0099")
}
