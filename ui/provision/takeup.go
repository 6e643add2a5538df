package provision

import (
	"context"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
)

// TakeUp goes on with runs that were cut short, or puts back what they did, and
// follows them on the run step.
func (p *Page) TakeUp(runs []app.RunRow, undo bool) {
	if len(runs) == 0 || p.job != nil && !p.job.ended() {
		return
	}
	if len(runs) == 1 {
		p.takeUpOne(runs[0], undo)
		return
	}
	p.begin(app.NewDraft())
	step := p.steps[stepRun].(*runStep)
	b := emptyBatch()
	for _, run := range runs {
		b.rows = append(b.rows, batchRow{device: run.Device, target: run.Target})
		b.join(run.ID, run.Device)
	}
	b.work = func(ctx context.Context, emit app.Emit) (string, []provisioning.Outcome, error) {
		var outcomes []provisioning.Outcome
		for _, run := range runs {
			_, done, err := step.batchWork(run.ID, undo)(ctx, emit)
			if err != nil {
				done = []provisioning.Outcome{single(run.ID, nil, err)}
				done[0].Device = run.Device
			}
			outcomes = append(outcomes, done...)
		}
		return "", outcomes, nil
	}
	p.job = b
	p.at = stepRun
	p.show()
}

func (p *Page) takeUpOne(run app.RunRow, undo bool) {
	frame.Do(p.c, &p.load, func(ctx context.Context) (app.RunDetail, error) {
		return p.c.App.Run(ctx, run.ID)
	}, func(detail app.RunDetail, err error) {
		var plan provisioning.Plan
		if err == nil {
			plan, _, err = provisioning.ParsePlan([]byte(detail.Plan))
		}
		if err != nil {
			p.shown(frame.Failure(err, "", nil))
			return
		}
		p.begin(&app.Draft{Plan: plan, Given: true, Target: detail.Target, Access: p.c.Access()})
		step := p.steps[stepRun].(*runStep)
		step.work = step.resuming(run.ID)
		if undo {
			step.work = step.undoing(run.ID)
		}
		p.open(stepRun)
	})
}
