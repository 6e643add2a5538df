package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"edgewright/app/catalog"
	"edgewright/provisioning"
)

// resumeParallel is how many runs of a batch are resumed at once.
const resumeParallel = 4

// Resume goes on with a run, or with the runs of a batch that have not got
// where they should. It takes over from a dead holder and refuses a live one,
// and it leaves out what was put back. The second result is the batch, if id
// named one; then a run that cannot be taken up fails by itself.
func (a *App) Resume(ctx context.Context, id string, access Access, emit Emit) ([]provisioning.Outcome, string, error) {
	rows, batch, err := a.runsOf(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if batch == "" && isPutBack(rows[0]) {
		return nil, "", &provisioning.Error{Kind: provisioning.ErrRefused, Message: fmt.Sprintf("Run %s is put back (%s).", rows[0].ID, rows[0].State),
			Hint: "Provision the device again."}
	}
	if batch == "" && failedRotation(rows[0]) {
		return nil, "", &provisioning.Error{Kind: provisioning.ErrRefused, Message: fmt.Sprintf("Run %s failed, and the device has its old pair again.", rows[0].ID),
			Hint: "Mend the cause and rotate again."}
	}
	rows = slices.DeleteFunc(rows, isPutBack)
	if batch == "" {
		return a.takeUpAlone(ctx, rows[0], access, emit, forward)
	}
	release, err := a.holdPractice(ctx, cloudsOf(rows))
	if err != nil {
		return nil, "", err
	}
	defer release()
	outcomes := make([]provisioning.Outcome, len(rows))
	emit = inTurn(emit)
	group := errgroup.Group{}
	group.SetLimit(resumeParallel)
	for i, row := range rows {
		group.Go(func() error {
			if state := provisioning.RunState(row.State); state == provisioning.RunSucceeded || state == provisioning.RunConfigured {
				outcomes[i] = runRow(row).Outcome
				return nil
			}
			outcomes[i] = a.takeUpOne(ctx, row, access, emit, forward)
			return nil
		})
	}
	return outcomes, batch, group.Wait()
}

// isPutBack tells that a run's steps do not say any more what is its own.
func isPutBack(row catalog.Run) bool {
	switch provisioning.RunState(row.State) {
	case provisioning.RunUndone, provisioning.RunPartlyUndone, provisioning.RunCancelled:
		return true
	}
	return false
}

// failedRotation tells that a rotation has ended without a proof; its new
// certificates are revoked.
func failedRotation(row catalog.Run) bool {
	_, rotation := provisioning.ParseRotation(row.Kind)
	return rotation && provisioning.RunState(row.State) == provisioning.RunFailed
}

// Undo puts back what a run, or every run of a batch, made; the last run first,
// so that what they share is removed by the one that made it. In a batch, a run
// that cannot be undone fails by itself.
func (a *App) Undo(ctx context.Context, id string, access Access, emit Emit) ([]provisioning.Outcome, string, error) {
	rows, batch, err := a.runsOf(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if batch == "" {
		return a.takeUpAlone(ctx, rows[0], access, emit, back)
	}
	release, err := a.holdPractice(ctx, cloudsOf(rows))
	if err != nil {
		return nil, "", err
	}
	defer release()
	if rows, err = a.makersFirst(ctx, rows); err != nil {
		return nil, "", err
	}
	outcomes := make([]provisioning.Outcome, len(rows))
	for i, row := range slices.Backward(rows) {
		outcomes[i] = a.takeUpOne(ctx, row, access, emit, back)
	}
	return outcomes, batch, nil
}

// makersFirst moves the runs that made their enrollment to the front: undone
// last, they find that nobody uses it any more.
func (a *App) makersFirst(ctx context.Context, rows []catalog.Run) ([]catalog.Run, error) {
	var makers, users []catalog.Run
	for _, row := range rows {
		steps, err := a.catalog.Steps(ctx, row.ID)
		if err != nil {
			return nil, translate(err)
		}
		made := slices.ContainsFunc(steps, func(s catalog.Step) bool { return s.Name == provisioning.StepEnrollment && s.Acted })
		if made {
			makers = append(makers, row)
		} else {
			users = append(users, row)
		}
	}
	return append(makers, users...), nil
}

// runsOf gives the run, or the runs of the batch, in the order they began.
func (a *App) runsOf(ctx context.Context, id string) (list []catalog.Run, batch string, err error) {
	rows, err := a.catalog.Runs(ctx, catalog.RunQuery{Batch: id, Limit: 100000})
	if err != nil {
		return nil, "", translate(err)
	}
	if len(rows) == 0 {
		row, err := a.catalog.Run(ctx, id)
		if err != nil {
			return nil, "", translate(err)
		}
		return []catalog.Run{row}, "", nil
	}
	slices.Reverse(rows)
	return rows, id, nil
}

// last refuses a run after which another one has changed its device, known by
// target or by ID, and is not put back.
func (a *App) last(ctx context.Context, run *provisioning.Run) error {
	if run.State == provisioning.RunUndone || run.State == provisioning.RunCancelled {
		return nil // nothing of it is left
	}
	for _, query := range []catalog.RunQuery{{Target: run.Target, Limit: 1000}, {DeviceID: run.Plan.Device.ID, Limit: 1000}} {
		rows, err := a.catalog.Runs(ctx, query)
		if err != nil {
			return translate(err)
		}
		for _, row := range rows {
			if row.ID == run.ID {
				break // the others are older
			}
			ended := provisioning.RunState(row.State).Ended()
			if row.Cloud != run.Plan.Cloud.Name && row.Target != run.Target || isPutBack(row) || ended && !runRow(row).Outcome.Changed {
				continue
			}
			return &provisioning.Error{Kind: provisioning.ErrConflict, Message: fmt.Sprintf("Run %s has changed this device since.", row.ID),
				Hint: "Undo that run first: `edgewright runs undo " + row.ID + "`."}
		}
	}
	return nil
}

func cloudsOf(rows []catalog.Run) (names []string) {
	for _, row := range rows {
		names = append(names, row.Cloud)
	}
	return names
}

func (a *App) takeUpAlone(ctx context.Context, row catalog.Run, access Access, emit Emit, to direction) ([]provisioning.Outcome, string, error) {
	outcome, err := a.takeUp(ctx, row, access, emit, to)
	if err != nil {
		return nil, "", err
	}
	return []provisioning.Outcome{outcome}, "", nil
}

// takeUpOne is takeUp for a run of a batch: what stops it is its own failure.
func (a *App) takeUpOne(ctx context.Context, row catalog.Run, access Access, emit Emit, to direction) provisioning.Outcome {
	outcome, err := a.takeUp(ctx, row, access, emit, to)
	if err != nil {
		outcome = provisioning.Outcome{Outcome: provisioning.RunFailed, Proof: provisioning.Proof{How: provisioning.ProofNone},
			Run: row.ID, Device: row.DeviceID, Batch: row.Batch, Error: provisioning.View(err)}
	}
	return outcome
}

// direction is where a run that is taken up goes.
type direction int

const (
	forward direction = iota
	back
)

// takeUp claims a run that nobody carries out and goes on with it. A claim that
// leads to nothing is given up.
func (a *App) takeUp(ctx context.Context, row catalog.Run, access Access, emit Emit, to direction) (provisioning.Outcome, error) {
	mine := row.Holder == catalog.ThisProcess()
	if !provisioning.RunState(row.State).Ended() && catalog.HolderAlive(row.Holder) && !mine || a.CarriesOut(row.ID) {
		return provisioning.Outcome{}, &provisioning.Error{Kind: provisioning.ErrBusy, Message: fmt.Sprintf("Run %s is being carried out.", row.ID),
			Hint: "Wait for it, or cancel it first."}
	}
	if err := a.catalog.TakeOver(ctx, row.ID, row.Holder, catalog.ThisProcess()); err != nil {
		return provisioning.Outcome{}, translate(err)
	}
	outcome, err := a.carryOut(ctx, row.ID, access, emit, to)
	if err != nil {
		return outcome, errors.Join(err, a.LetGo(context.WithoutCancel(ctx), row.ID))
	}
	return outcome, nil
}

func (a *App) carryOut(ctx context.Context, id string, access Access, emit Emit, to direction) (provisioning.Outcome, error) {
	run, err := a.readRun(ctx, id)
	if err != nil {
		return provisioning.Outcome{}, err
	}
	if to == back {
		if err := a.last(ctx, run); err != nil {
			return provisioning.Outcome{}, err
		}
		if run.State.Ended() && len(run.Steps) == 0 {
			return a.neverBegan(ctx, run)
		}
	} else if err := a.makeDevice(run.Target); err != nil {
		return provisioning.Outcome{}, err
	}
	ports, done, err := a.ports(ctx, run.Plan, run.Target, access)
	if err != nil {
		return provisioning.Outcome{}, err
	}
	defer done()
	ctx, leave := a.live.enter(ctx, a.ctx, run.ID)
	defer leave()
	runner := provisioning.Runner{Ports: ports, Emit: emit}
	if to == back {
		return runner.Undo(ctx, run), nil
	}
	return runner.Provision(ctx, run), nil
}

// neverBegan ends a run whose target could not even be opened as undone: there
// is nothing to put back, and the target need not answer for that.
func (a *App) neverBegan(ctx context.Context, run *provisioning.Run) (provisioning.Outcome, error) {
	run.State = provisioning.RunUndone
	run.Outcome = provisioning.Outcome{Outcome: provisioning.RunUndone, Proof: provisioning.Proof{How: provisioning.ProofNone},
		Run: run.ID, Device: run.Plan.Device.ID, Batch: run.Batch}
	return run.Outcome, journal{app: a}.SaveRun(ctx, *run)
}
