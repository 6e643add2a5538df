package app

import (
	"context"
	"encoding/json"
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
