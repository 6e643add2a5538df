package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
)

// RunRow is a run as lists show it.
type RunRow struct {
	ID      string               `json:"run"`
	Batch   string               `json:"batch"`
	Device  string               `json:"device"`
	Target  string               `json:"target"`
	Cloud   string               `json:"cloud"`
	State   string               `json:"state"`
	Started time.Time            `json:"started"`
	Ended   *time.Time           `json:"ended"`
	Outcome provisioning.Outcome `json:"outcome"`
	// Live tells that the process that carries the run out is alive.
	Live bool `json:"live"`
}

// RunDetail is a run with its steps and log.
type RunDetail struct {
	RunRow
	Plan  string                    `json:"plan"`
	Steps []provisioning.StepRecord `json:"steps"`
	Log   []RunLine                 `json:"log"`
}

// RunLine is a line of a run's log.
type RunLine struct {
	Time  time.Time `json:"time"`
	Step  string    `json:"step"`
	Level string    `json:"level"`
	Text  string    `json:"text"`
}

// Runs lists the runs, newest first.
func (a *App) Runs(ctx context.Context) ([]RunRow, error) {
	rows, err := a.catalog.Runs(ctx, catalog.RunQuery{Limit: 500})
	if err != nil {
		return nil, translate(err)
	}
	list := make([]RunRow, 0, len(rows))
	for _, row := range rows {
		list = append(list, runRow(row))
	}
	return list, nil
}

func runRow(row catalog.Run) RunRow {
	out := RunRow{ID: row.ID, Batch: row.Batch, Device: row.DeviceID, Target: row.Target, Cloud: row.Cloud, State: row.State,
		Started: row.Started, Ended: row.Ended, Live: !provisioning.RunState(row.State).Ended() && catalog.HolderAlive(row.Holder)}
	if row.Outcome != "" {
		_ = json.Unmarshal([]byte(row.Outcome), &out.Outcome) // ours; a row without it is shown all the same
	}
	return out
}

// Run gives one run with everything that is kept of it.
func (a *App) Run(ctx context.Context, id string) (RunDetail, error) {
	row, err := a.catalog.Run(ctx, id)
	if err != nil {
		return RunDetail{}, translate(err)
	}
	detail := RunDetail{RunRow: runRow(row), Plan: row.Plan, Steps: []provisioning.StepRecord{}, Log: []RunLine{}}
	run, err := a.readRun(ctx, row.ID)
	if err != nil {
		return detail, err
	}
	detail.Steps = append(detail.Steps, run.Steps...)
	lines, err := a.catalog.Log(ctx, row.ID)
	if err != nil {
		return detail, translate(err)
	}
	for _, line := range lines {
		detail.Log = append(detail.Log, RunLine{Time: line.Time, Step: line.Step, Level: line.Level, Text: line.Text})
	}
	return detail, nil
}

// Resume goes on with a run, or with every run of a batch that has not
// succeeded. It takes over from a dead holder and refuses a live one. The
// second result is the batch, if id named one.
func (a *App) Resume(ctx context.Context, id string, access Access, emit Emit) ([]provisioning.Outcome, string, error) {
	ids, batch, err := a.runsOf(ctx, id)
	if err != nil {
		return nil, "", err
	}
	var outcomes []provisioning.Outcome
	for _, id := range ids {
		outcome, err := a.takeUp(ctx, id, access, emit, (*provisioning.Runner).Provision)
		if err != nil {
			return nil, "", err
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, batch, nil
}

// Undo puts back what a run, or every run of a batch, made; the last run
// first, so that what they share is removed by the one that made it.
func (a *App) Undo(ctx context.Context, id string, access Access, emit Emit) ([]provisioning.Outcome, string, error) {
	ids, batch, err := a.runsOf(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if ids, err = a.makersFirst(ctx, ids); err != nil {
		return nil, "", err
	}
	var outcomes []provisioning.Outcome
	for _, id := range slices.Backward(ids) {
		outcome, err := a.takeUp(ctx, id, access, emit, (*provisioning.Runner).Undo)
		if err != nil {
			return nil, "", err
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, batch, nil
}

// makersFirst moves the runs that made their enrollment to the front: undone
// last, they find that nobody uses it any more.
func (a *App) makersFirst(ctx context.Context, ids []string) ([]string, error) {
	var makers, users []string
	for _, id := range ids {
		steps, err := a.catalog.Steps(ctx, id)
		if err != nil {
			return nil, translate(err)
		}
		made := slices.ContainsFunc(steps, func(s catalog.Step) bool { return s.Name == provisioning.StepEnrollment && s.Acted })
		if made {
			makers = append(makers, id)
		} else {
			users = append(users, id)
		}
	}
	return append(makers, users...), nil
}

// runsOf gives the run, or the runs of the batch, in the order they began.
func (a *App) runsOf(ctx context.Context, id string) (ids []string, batch string, err error) {
	rows, err := a.catalog.Runs(ctx, catalog.RunQuery{Batch: id, Limit: 100000})
	if err != nil {
		return nil, "", translate(err)
	}
	if len(rows) == 0 {
		row, err := a.catalog.Run(ctx, id)
		if err != nil {
			return nil, "", translate(err)
		}
		return []string{row.ID}, "", nil
	}
	for _, row := range slices.Backward(rows) {
		ids = append(ids, row.ID)
	}
	return ids, id, nil
}

// takeUp claims a run that nobody carries out and goes on with it.
func (a *App) takeUp(ctx context.Context, id string, access Access, emit Emit,
	act func(*provisioning.Runner, context.Context, *provisioning.Run) provisioning.Outcome) (provisioning.Outcome, error) {
	row, err := a.catalog.Run(ctx, id)
	if err != nil {
		return provisioning.Outcome{}, translate(err)
	}
	if !provisioning.RunState(row.State).Ended() && catalog.HolderAlive(row.Holder) && row.Holder != catalog.ThisProcess() {
		return provisioning.Outcome{}, &provisioning.Error{Kind: provisioning.ErrBusy, Message: fmt.Sprintf("Run %s is being carried out by another process.", id),
			Hint: "Wait for it, or end that process first."}
	}
	if err := a.catalog.TakeOver(ctx, id, row.Holder, catalog.ThisProcess()); err != nil {
		return provisioning.Outcome{}, translate(err)
	}
	run, err := a.readRun(ctx, id)
	if err != nil {
		return provisioning.Outcome{}, err
	}
	ports, done, err := a.ports(ctx, run.Plan, run.Target, access)
	if err != nil {
		return provisioning.Outcome{}, err
	}
	defer done()
	ctx, leave := a.live.enter(ctx, a.ctx, run.ID)
	defer leave()
	return act(&provisioning.Runner{Ports: ports, Emit: emit}, ctx, run), nil
}

// SumUp makes the outcome of a batch from those of its runs.
func SumUp(batch string, runs []provisioning.Outcome) BatchOutcome { return batchOutcome(batch, runs) }

// Unfinished lists the runs whose process died before they ended.
func (a *App) Unfinished(ctx context.Context) ([]RunRow, error) {
	all, err := a.Runs(ctx)
	if err != nil {
		return nil, err
	}
	var dead []RunRow
	for _, run := range all {
		if !provisioning.RunState(run.State).Ended() && !run.Live {
			dead = append(dead, run)
		}
	}
	return dead, nil
}
