package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
)

// journal writes runs into the catalog. The row of the device is written just
// before the end of its run, so that no ended run lacks it.
type journal struct {
	app    *App
	target func(ctx context.Context) deviceSight
}

// deviceSight is what is known of the machine under a device.
type deviceSight struct {
	machineKey, hostName, runtime string
}

func (j journal) SaveRun(ctx context.Context, run provisioning.Run) error {
	if run.State.Ended() {
		if err := j.app.recordDevice(ctx, run, j.target); err != nil {
			return err
		}
	}
	outcome, err := json.Marshal(run.Outcome)
	if err != nil {
		return fmt.Errorf("write outcome of run %s: %w", run.ID, err)
	}
	return translate(j.app.catalog.UpdateRun(ctx, catalog.Run{ID: run.ID, State: string(run.State), Outcome: string(outcome),
		Ended: timePointer(run.Ended), CloudStart: timePointer(run.CloudStart), HubHost: run.Hub}))
}

func (j journal) SaveStep(ctx context.Context, runID string, step provisioning.StepRecord) error {
	row := catalog.Step{RunID: runID, Seq: step.Seq, Name: step.Name, State: string(step.State), Acted: step.Acted, Summary: step.Summary,
		Started: step.Started, Ended: timePointer(step.Ended), Undo: string(step.Undo), Waited: step.Waited}
	var err error
	if row.Error, err = jsonText(step.Error, step.Error == nil); err != nil {
		return err
	}
	if row.Left, err = jsonText(step.Left, len(step.Left) == 0); err != nil {
		return err
	}
	return translate(j.app.catalog.PutStep(ctx, row))
}

func (j journal) Log(ctx context.Context, e provisioning.Event) {
	text, level := e.Text, "info"
	switch {
	case e.Wait != "":
		text, level = "waiting for "+e.Wait, "wait"
	case e.State == string(provisioning.StepFailed):
		level = "error"
	case e.State != "":
		text = e.State + "  " + text
	}
	line := catalog.LogLine{RunID: e.Run, Time: e.Time, Step: e.Step, Level: level, Text: text}
	if err := j.app.catalog.AppendLog(ctx, line); err != nil {
		j.app.log.Warn("write the log of a run", "run", e.Run, "error", err)
	}
}

func jsonText(v any, empty bool) (string, error) {
	if empty {
		return "", nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write the journal: %w", err)
	}
	return string(raw), nil
}

func timePointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func timeAt(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// readRun brings a run back from the catalog.
func (a *App) readRun(ctx context.Context, id string) (*provisioning.Run, error) {
	row, err := a.catalog.Run(ctx, id)
	if err != nil {
		return nil, translate(err)
	}
	plan, _, err := provisioning.ParsePlan([]byte(row.Plan))
	if err != nil {
		return nil, fmt.Errorf("plan of run %s: %w", id, err)
	}
	run := &provisioning.Run{ID: row.ID, Batch: row.Batch, Plan: plan, Target: row.Target, State: provisioning.RunState(row.State),
		Started: row.Started, Ended: timeAt(row.Ended), CloudStart: timeAt(row.CloudStart), Hub: row.HubHost}
	if rotation, ok := provisioning.ParseRotation(row.Kind); ok {
		run.Rotate = &rotation
	}
	if row.Outcome != "" {
		if err := json.Unmarshal([]byte(row.Outcome), &run.Outcome); err != nil {
			return nil, fmt.Errorf("outcome of run %s: %w", id, err)
		}
	}
	steps, err := a.catalog.Steps(ctx, id)
	if err != nil {
		return nil, translate(err)
	}
	for _, step := range steps {
		record, err := readStep(step)
		if err != nil {
			return nil, err
		}
		run.Steps = append(run.Steps, record)
	}
	return run, nil
}

func readStep(row catalog.Step) (provisioning.StepRecord, error) {
	record := provisioning.StepRecord{Seq: row.Seq, Name: row.Name, State: provisioning.StepState(row.State), Acted: row.Acted, Summary: row.Summary,
		Started: row.Started, Ended: timeAt(row.Ended), Waited: row.Waited}
	if row.Undo != "" {
		record.Undo = json.RawMessage(row.Undo)
	}
	if row.Error != "" {
		if err := json.Unmarshal([]byte(row.Error), &record.Error); err != nil {
			return record, fmt.Errorf("step %s of run %s: %w", row.Name, row.RunID, err)
		}
	}
	if row.Left != "" {
		if err := json.Unmarshal([]byte(row.Left), &record.Left); err != nil {
			return record, fmt.Errorf("step %s of run %s: %w", row.Name, row.RunID, err)
		}
	}
	return record, nil
}
