package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
)

// Preview looks at the device and at the cloud and says what a run would do.
// It writes nothing, here or there.
func (a *App) Preview(ctx context.Context, r Request) (*provisioning.Preview, error) {
	ports, done, err := a.ports(ctx, r.Plan, r.Target, r.Access)
	if err != nil {
		return nil, err
	}
	defer done()
	if r.Rotate != nil {
		preview, err := provisioning.LookFirstAtRotation(ctx, ports, r.Plan, *r.Rotate)
		return preview, translate(err)
	}
	preview, err := provisioning.LookFirst(ctx, ports, r.Plan)
	return preview, translate(err)
}

// Provision runs a plan on a target and waits for its end. emit may be nil.
func (a *App) Provision(ctx context.Context, r Request, emit Emit) provisioning.Outcome {
	plan := r.Plan.WithDefaults()
	refused := provisioning.Outcome{Outcome: provisioning.RunFailed, Device: plan.Device.ID, Batch: r.Batch, Proof: provisioning.Proof{How: provisioning.ProofNone}}
	if findings := plan.Check(); findings.Errors() {
		for _, f := range findings {
			if f.Level == finding.Error {
				refused.Error = provisioning.View(&provisioning.Error{Kind: provisioning.ErrInvalid, Message: f.Field + ": " + f.Problem, Hint: f.Fix})
				return refused
			}
		}
	}
	if err := a.makeDevice(r.Target); err != nil {
		refused.Error = provisioning.View(err)
		return a.keepRefused(ctx, plan, r, refused)
	}
	ports, done, err := a.ports(ctx, plan, r.Target, r.Access)
	if err != nil {
		refused.Error = provisioning.View(err)
		return a.keepRefused(ctx, plan, r, refused)
	}
	defer done()
	run, err := a.newRun(ctx, plan, r)
	if err != nil {
		refused.Error = provisioning.View(err)
		return refused
	}
	ctx, leave := a.live.enter(ctx, a.ctx, run.ID)
	defer leave()
	runner := provisioning.Runner{Ports: ports, Emit: emit, UndoOnFailure: r.UndoOnFailure}
	return runner.Provision(ctx, run)
}

// keepRefused gives a row of a list whose target or cloud could not be opened
// its run all the same, so that resuming the batch comes back to it.
func (a *App) keepRefused(ctx context.Context, plan provisioning.Plan, r Request, refused provisioning.Outcome) provisioning.Outcome {
	if r.Batch == "" {
		return refused
	}
	run, err := a.newRun(ctx, plan, r)
	if err == nil {
		refused.Run = run.ID
		run.State, run.Ended, run.Outcome = provisioning.RunFailed, a.now(), refused
		err = journal{app: a}.SaveRun(ctx, *run)
	}
	if err != nil {
		a.log.Warn("write a run that was refused", "batch", r.Batch, "device", plan.Device.ID, "error", err)
	}
	return refused
}

func (a *App) newRun(ctx context.Context, plan provisioning.Plan, r Request) (*provisioning.Run, error) {
	text, err := plan.TOML()
	if err != nil {
		return nil, err
	}
	started := a.now()
	kind := "provision"
	if r.Rotate != nil {
		kind = r.Rotate.String()
	}
	row, err := a.catalog.NewRun(ctx, catalog.Run{Batch: r.Batch, Kind: kind, DeviceID: plan.Device.ID, Target: r.Target, Cloud: plan.Cloud.Name,
		Plan: string(text), State: string(provisioning.RunRunning), Started: started, Holder: catalog.ThisProcess()})
	if err != nil {
		return nil, translate(err)
	}
	return &provisioning.Run{ID: row.ID, Batch: r.Batch, Plan: plan, Rotate: r.Rotate, Target: r.Target, State: provisioning.RunRunning, Started: started}, nil
}

// ports opens everything that the steps of a plan need. done closes it.
func (a *App) ports(ctx context.Context, plan provisioning.Plan, targetText string, access Access) (provisioning.Ports, func(), error) {
	device, err := a.openTarget(ctx, targetText, access)
	if err != nil {
		return provisioning.Ports{}, nil, err
	}
	cloud, release, err := a.cloudOf(ctx, plan, device)
	if err != nil {
		return provisioning.Ports{}, nil, errors.Join(err, device.Close())
	}
	station, err := a.station(ctx)
	if err != nil {
		release()
		return provisioning.Ports{}, nil, errors.Join(err, device.Close())
	}
	on := &machine{target: device, name: targetText, station: station}
	facts := &factFinder{app: a, target: device, cloud: cloud}
	ports := provisioning.Ports{Cloud: cloud, Machine: on, Player: a.player(cloud),
		Journal: journal{app: a, target: func(ctx context.Context) deviceSight { return facts.sight(ctx) }},
		Locks:   locks{a}, Secrets: secretsPort{a}, Facts: facts,
		Certificates: certificates{app: a, practice: cloud.Practice, deviceID: plan.Device.ID, bundleKey: access.BundleKey}, EST: estServers{a}, TPMs: tpms{a, device}, Now: a.now, Random: randomBytes}
	if a.decorate != nil {
		ports = a.decorate(ports)
	}
	return ports, func() {
		if err := on.close(); err != nil {
			a.log.Warn("close the target", "target", targetText, "error", err)
		}
		release()
	}, nil
}

// Many is how a list of targets is run.
type Many struct {
	Access        Access
	Parallel      int
	UndoOnFailure bool
}

// ProvisionMany makes one run per row under one batch, at most m.Parallel at
// once, and one practice cloud for all of them.
func (a *App) ProvisionMany(ctx context.Context, rows []Row, m Many, emit Emit) BatchOutcome {
	batch := a.newBatch()
	outcomes := make([]provisioning.Outcome, len(rows))
	clouds := make([]string, len(rows))
	for i, row := range rows {
		clouds[i] = row.Plan.Cloud.Name
	}
	if release, err := a.holdPractice(ctx, clouds); err == nil {
		defer release()
	}
	emit = inTurn(emit)
	group := errgroup.Group{}
	group.SetLimit(max(1, m.Parallel))
	for i, row := range rows {
		group.Go(func() error {
			outcomes[i] = a.Provision(ctx, Request{Plan: row.Plan, Target: row.Target, Access: m.Access, UndoOnFailure: m.UndoOnFailure, Batch: batch}, emit)
			return nil
		})
	}
	_ = group.Wait()
	return batchOutcome(batch, outcomes)
}

// inTurn makes one receiver of several runs hear one event at a time.
func inTurn(emit Emit) Emit {
	if emit == nil {
		return nil
	}
	var mu sync.Mutex
	return func(e provisioning.Event) {
		mu.Lock()
		defer mu.Unlock()
		emit(e)
	}
}

func (a *App) newBatch() string { return fmt.Sprintf("b-%x", randomBytes(6)) }

// holdPractice keeps the practice cloud up between the runs of a batch.
func (a *App) holdPractice(ctx context.Context, clouds []string) (release func(), err error) {
	if !slices.ContainsFunc(clouds, func(name string) bool { return strings.EqualFold(name, Practice) }) {
		return func() {}, nil
	}
	_, release, err = a.practice.use(ctx)
	return release, err
}

// station is a name that this data folder has given itself.
func (a *App) station(ctx context.Context) (string, error) {
	name, err := a.catalog.Setting(ctx, "station")
	if err != nil || name != "" {
		return name, translate(err)
	}
	name, err = a.catalog.FirstSetting(ctx, "station", fmt.Sprintf("%x", randomBytes(4)))
	return name, translate(err)
}
