package provisioning

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Undo takes back what a run made: the device first, then the cloud. A run
// that was killed while undoing goes on where it was. What cannot or may not be
// removed is named in the outcome, which is then partly undone.
func (r *Runner) Undo(ctx context.Context, run *Run) Outcome {
	x := newExecution(r.Ports, run, r.emit(ctx))
	end := RunUndone
	if run.State == RunCancelling {
		end = RunCancelled
	}
	run.Outcome.Run, run.Outcome.Batch, run.Outcome.Device = run.ID, run.Batch, run.Plan.Device.ID
	return r.putBack(ctx, x, end, nil)
}

// putBack undoes the steps in reverse order and ends the run as end; cause is
// the failure that led here, if any.
func (r *Runner) putBack(ctx context.Context, x *Execution, end RunState, cause error) Outcome {
	ctx, cancel := context.WithTimeout(ctx, putBackPatience)
	defer cancel()
	run := x.Run
	run.State = RunUndoing
	if end == RunCancelled {
		run.State = RunCancelling
	}
	key := x.lockKey()
	if err := x.Locks.Acquire(ctx, key, run.ID); err != nil {
		return r.undoFailed(ctx, x, err)
	}
	defer func() { _ = x.Locks.Release(context.WithoutCancel(ctx), key, run.ID) }()
	if err := x.Journal.SaveRun(ctx, *run); err != nil {
		return r.undoFailed(ctx, x, fmt.Errorf("write the journal: %w", err))
	}
	x.emit(Event{Run: run.ID, State: string(run.State), Time: x.Now()})
	stop, err := x.bringCloud(ctx)
	if err != nil {
		return r.undoFailed(ctx, x, err)
	}
	defer stop()

	if err := x.lockMachine(ctx); err != nil {
		return r.undoFailed(ctx, x, err)
	}
	changed := false
	run.Outcome.Left = nil
	for _, step := range slices.Backward(x.steps()) {
		record := x.record(step.Name())
		// What was left is tried again: who used it may be gone.
		if !record.Made() && record.State != StepKept {
			continue
		}
		if err := r.undoStep(ctx, x, step, record); err != nil {
			return r.undoFailed(ctx, x, err)
		}
		changed = changed || record.Made() || x.record(step.Name()).State == StepUndone
	}
	return r.finishUndo(ctx, x, end, cause, changed)
}

func (r *Runner) undoStep(ctx context.Context, x *Execution, step Step, record StepRecord) error {
	record.State = StepUndoing
	if err := r.save(ctx, x, record); err != nil {
		return err
	}
	r.announce(x, record)
	undone, err := step.Undo(ctx, x, record.Undo)
	if err != nil {
		record.Error = View(err)
		return errors.Join(fmt.Errorf("undo step %s: %w", step.Name(), err), r.save(ctx, x, record))
	}
	record.State, record.Summary, record.Left, record.Error = StepUndone, undone.Summary, undone.Left, nil
	if len(undone.Left) > 0 {
		record.State = StepKept
		x.Run.Outcome.Left = append(x.Run.Outcome.Left, undone.Left...)
	}
	return r.stepEnded(ctx, x, record)
}

func (r *Runner) finishUndo(ctx context.Context, x *Execution, end RunState, cause error, changed bool) Outcome {
	run := x.Run
	if len(run.Outcome.Left) > 0 {
		end = RunPartlyUndone
	}
	proof := run.Outcome.Proof
	proof.Device, proof.Cloud, proof.How = false, false, ProofNone
	run.Outcome.Proof = proof
	outcome := r.finish(ctx, x, end, cause)
	outcome.Changed = changed
	run.Outcome.Changed = changed
	return outcome
}

// undoFailed leaves the run as undoing, so that it can be resumed, and says so.
func (r *Runner) undoFailed(ctx context.Context, x *Execution, cause error) Outcome {
	run := x.Run
	run.Outcome.Outcome = RunFailed
	run.Outcome.Error = View(cause)
	run.Outcome.Error.Hint = "Not everything is put back yet. Mend the cause and undo the run again. " + run.Outcome.Error.Hint
	_ = x.Journal.SaveRun(context.WithoutCancel(ctx), *run)
	x.emit(Event{Run: run.ID, State: string(run.State), Time: x.Now(), Text: run.Outcome.Error.Message})
	return run.Outcome
}
