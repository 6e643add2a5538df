package provisioning

import (
	"context"
	"encoding/json"
	"fmt"

	"edgewright/provisioning/finding"
)

// lookStep looks at the device. It changes nothing, and it refuses the run
// where something stands in the way.
type lookStep struct{}

func (lookStep) Name() string { return StepLook }

func (lookStep) Look(ctx context.Context, x *Execution) (Look, error) {
	facts, err := x.Ports.Facts.Find(ctx, x.Run.Plan)
	if err != nil {
		return Look{}, fmt.Errorf("look at %s: %w", x.Machine.Name(), err)
	}
	x.Facts = facts
	if err := x.lookForRuntime(ctx); err != nil {
		return Look{}, err
	}
	for _, f := range x.Facts.Findings {
		x.log(StepLook, "%s: %s", f.Level, f.Problem)
		if f.Level == finding.Error {
			return Look{}, &Error{Kind: ErrRefused, Message: f.Problem, Hint: f.Fix}
		}
	}
	return Look{Done: true, Summary: facts.Summary}, nil
}

func (lookStep) Do(context.Context, *Execution) (Result, error) { return Result{}, nil }

func (lookStep) Undo(context.Context, *Execution, json.RawMessage) (Undone, error) {
	return Undone{}, nil
}

func (lookStep) Preview(ctx context.Context, x *Execution, p *Preview) error {
	facts, err := x.Ports.Facts.Find(ctx, x.Run.Plan)
	if err != nil {
		return fmt.Errorf("look at %s: %w", x.Machine.Name(), err)
	}
	x.Facts = facts
	p.Facts = facts.Summary
	p.Passed = facts.Passed
	if err := x.lookForRuntime(ctx); err != nil {
		return err
	}
	p.Findings = append(p.Findings, x.Facts.Findings...)
	return nil
}
