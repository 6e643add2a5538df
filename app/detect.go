package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"edgewright/hostdetect"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/target"
	"edgewright/resources"
)

// Detection is what was found on a target and the advice drawn from it.
type Detection struct {
	Target string            `json:"target"`
	Report hostdetect.Report `json:"report"`
	Advice hostdetect.Advice `json:"advice"`
	// KeyObstacle says why the target makes no private keys itself, "" where it
	// does.
	KeyObstacle string `json:"-"`
}

// Detect looks at a target without changing it and without rights.
func (a *App) Detect(ctx context.Context, text string, access Access) (Detection, error) {
	device, err := a.openTarget(ctx, text, access)
	if err != nil {
		return Detection{}, err
	}
	defer func() { _ = device.Close() }()
	report, err := a.look(ctx, device, hostdetect.Options{})
	if err != nil {
		return Detection{}, err
	}
	advice, err := a.advise(report, 1)
	if err != nil {
		return Detection{}, err
	}
	obstacle, err := (&machine{target: device, name: text}).KeyObstacle(ctx)
	return Detection{Target: text, Report: report, Advice: advice, KeyObstacle: obstacle}, err
}

func (a *App) look(ctx context.Context, device target.Target, options hostdetect.Options) (hostdetect.Report, error) {
	options.Now, options.Local, options.TPM = a.now, device.Kind() == target.KindLocal, a.chipOf(device)
	if options.Local {
		report, err := hostdetect.DetectLocal(ctx, options)
		return report, translate(err)
	}
	report, err := hostdetect.Detect(ctx, device, options)
	if errors.Is(err, hostdetect.ErrNoAnswer) && !device.CanRun() {
		// An empty folder may stand for a disk that is still to be filled.
		return hostdetect.Report{Taken: a.now(), Offline: true}, nil
	}
	return report, translate(err)
}

// advise draws the advice for that many devices of the same kind.
func (a *App) advise(report hostdetect.Report, devices int) (hostdetect.Advice, error) {
	table, err := hostdetect.ParseTable(resources.SupportTable)
	if err != nil {
		return hostdetect.Advice{}, fmt.Errorf("support table: %w", err)
	}
	return hostdetect.Advise(report, hostdetect.Question{Devices: devices, Support: table, Now: a.now(),
		Available: func(c hostdetect.Cell) (bool, string) {
			cell := provisioning.Cell{Platform: provisioning.Platform(c.Platform), Provisioning: provisioning.Method(c.Provisioning), Authentication: provisioning.Authentication(c.Authentication)}
			info, ok := cell.Info()
			return ok && info.Available, info.Reason
		}}), nil
}

// factFinder looks at the target of a run and says what stands in the way of
// its plan.
type factFinder struct {
	app    *App
	target target.Target
	cloud  provisioning.Cloud
	report hostdetect.Report
}

func (f *factFinder) Find(ctx context.Context, plan provisioning.Plan) (provisioning.Facts, error) {
	report, err := f.app.look(ctx, f.target, f.against(ctx, plan))
	if err != nil {
		return provisioning.Facts{}, err
	}
	f.report = report
	advice, err := f.app.advise(report, 1)
	if err != nil {
		return provisioning.Facts{}, err
	}
	facts := provisioning.Facts{Summary: summary(report), Runtime: report.Runtime.Version, HostName: report.Hostname, Passed: advice.Passed,
		NoRuntime: report.Runtime.Kind == hostdetect.RuntimeNone}
	runs := f.target.CanRun()
	for _, o := range advice.Obstacles {
		found := finding.Finding{Field: o.Key, Level: finding.Level(o.Level), Problem: o.Problem.English, Fix: o.Fix.English}
		if !runs && found.Level == finding.Error {
			// What is missing on a disk can still be installed before it boots.
			found.Level = finding.Care
		}
		if facts.NoRuntime && (o.Key == hostdetect.FactRuntime || o.Key == hostdetect.FactEngine) {
			facts.Lacking = append(facts.Lacking, found)
			continue
		}
		facts.Findings = append(facts.Findings, found)
	}
	facts.Findings = append(facts.Findings, planAgainst(plan, report)...)
	return facts, nil
}

// against is what of the cloud a device is looked at for: whether it reaches
// the endpoints of its plan, and how far its clock is from the cloud's. A disk
// has neither; the practice cloud is brought within a device's reach later.
func (f *factFinder) against(ctx context.Context, plan provisioning.Plan) hostdetect.Options {
	if !f.target.CanRun() {
		return hostdetect.Options{}
	}
	var options hostdetect.Options
	if !f.cloud.Practice {
		options.Reach = endpoints(plan, f.cloud)
	}
	if f.cloud.Hub != nil {
		asked := f.app.now()
		if date, err := f.cloud.Hub.Now(ctx); err == nil {
			// The date was written on the way; half of it is the best guess.
			came := f.app.now()
			options.ServerDate, options.ServerDateAt = date, asked.Add(came.Sub(asked)/2)
		}
	}
	return options
}

// endpoints are those that a device of the plan calls. Source: product
// documentation, "Prepare to deploy your IoT Edge solution in production",
// outbound connections from IoT Edge devices.
func endpoints(plan provisioning.Plan, cloud provisioning.Cloud) (list []hostdetect.Endpoint) {
	add := func(address, use string) {
		host, text, err := net.SplitHostPort(address)
		port, bad := strconv.Atoi(text)
		if err != nil || bad != nil {
			host, port = address, 443
		}
		list = append(list, hostdetect.Endpoint{Host: host, Port: port, Use: use})
	}
	if cloud.Hub != nil {
		add(cloud.Hub.Host(), "IoT Hub")
	}
	if plan.Cell.Provisioning == provisioning.DPS && cloud.DPS != nil {
		if endpoint, err := url.Parse(cloud.DPS.Endpoint()); err == nil && endpoint.Host != "" {
			add(endpoint.Host, "DPS")
		}
	}
	return list
}

// planAgainst compares a plan with the machine it goes to.
func planAgainst(plan provisioning.Plan, report hostdetect.Report) finding.List {
	var f finding.List
	name := plan.Device.Hostname
	if host := report.Hostname; name != "" && host != "" && !strings.EqualFold(name, host) && !strings.HasPrefix(strings.ToLower(name), strings.ToLower(host)+".") {
		f = append(f, finding.Finding{Field: "device.hostname", Level: finding.Care,
			Problem: fmt.Sprintf("The host name %s is neither this machine's name (%s) nor a full name that begins with it.", name, host),
			Fix:     "Leave it out to use the machine's own name."})
	}
	if have := report.Runtime.Version; have != "" && minorOf(have) != plan.Runtime.Version {
		f = append(f, finding.Finding{Field: "runtime.version", Level: finding.Care,
			Problem: fmt.Sprintf("The plan is for IoT Edge %s, the device has %s.", plan.Runtime.Version, have),
			Fix:     fmt.Sprintf("Write version = %q under [runtime].", minorOf(have))})
	}
	return f
}

func minorOf(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return version
	}
	return parts[0] + "." + parts[1]
}

// summary is one line about a host.
func summary(r hostdetect.Report) string {
	parts := []string{}
	for _, part := range []string{r.OS.Pretty, r.Arch.Userland} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	switch {
	case r.Runtime.Version != "":
		parts = append(parts, "IoT Edge "+r.Runtime.Version)
	case r.Runtime.Kind == hostdetect.RuntimeNone:
		parts = append(parts, "no IoT Edge yet")
	}
	if len(parts) == 0 {
		return "an empty folder"
	}
	return strings.Join(parts, ", ")
}

// sight is what the catalog keeps of the machine.
func (f *factFinder) sight(ctx context.Context) deviceSight {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return deviceSight{machineKey: f.target.MachineKey(ctx), hostName: f.report.Hostname, runtime: f.report.Runtime.Version}
}
