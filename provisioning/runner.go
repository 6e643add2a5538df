package provisioning

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrCancelRun is the cause that a context is cancelled with to cancel a run:
// everything is put back. A context that ends for another reason, such as the
// program closing, leaves the run where it is, to be resumed.
var ErrCancelRun = errors.New("cancelled by the user")

// putBackPatience bounds the undo that follows a cancel.
const putBackPatience = 5 * time.Minute

// lockFor is how long a lock on the device lasts without being renewed. A run
// renews it with the first step after each lockRenewal: a renewal is a dozen
// processes on the device.
const (
	lockFor     = 10 * time.Minute
	lockRenewal = time.Minute
)

// Runner carries runs out. It is the only one that changes a run's state.
type Runner struct {
	Ports Ports
	// Emit hears of everything that happens; nil is allowed. It is called on
	// the run's goroutine and must not wait.
	Emit func(Event)
	// UndoOnFailure puts everything back where a step fails; a rotation always
	// does.
	UndoOnFailure bool
}

// Provision carries run out, or resumes it where it was cut. The run's state
// and steps are in the journal before each effect and after it. The outcome is
// also in run.Outcome.
func (r *Runner) Provision(ctx context.Context, run *Run) Outcome {
	x := newExecution(r.Ports, run, r.emit(ctx))
	if run.State == RunUndoing || run.State == RunCancelling {
		return r.Undo(ctx, run)
	}
	x.takenUp = run.State == RunRunning && len(run.Steps) > 0
	run.Outcome = Outcome{Run: run.ID, Batch: run.Batch, Device: run.Plan.Device.ID, Notes: run.Outcome.Notes,
		Proof: Proof{How: ProofNone, Rehearsal: r.Ports.Cloud.Practice}}
	err := r.provision(ctx, x)
	if err == nil {
		return r.finish(ctx, x, RunSucceeded, nil)
	}
	switch {
	case errors.Is(context.Cause(ctx), ErrCancelRun):
		return r.putBack(context.WithoutCancel(ctx), x, RunCancelled, nil)
	case ctx.Err() != nil:
		run.Outcome.Error = View(&Error{Kind: context.Canceled, Message: "The program ended before the run did.", Hint: "Resume the run."})
		run.Outcome.Outcome = RunFailed
		return run.Outcome
	case (r.UndoOnFailure || run.Rotate != nil) && x.madeSomething():
		return r.putBack(ctx, x, RunFailed, err)
	}
	return r.finish(ctx, x, RunFailed, err)
}

func (r *Runner) provision(ctx context.Context, x *Execution) error {
	release, err := r.begin(ctx, x)
	if err != nil {
		return err
	}
	defer release()
	for i, step := range x.steps() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.step(ctx, x, i, step); err != nil {
			return err
		}
	}
	return nil
}

// begin locks the device on both sides, starts the clock of the proof and
// brings the practice cloud to an attached device.
func (r *Runner) begin(ctx context.Context, x *Execution) (release func(), err error) {
	run := x.Run
	var releases []func()
	release = func() {
		for i := len(releases) - 1; i >= 0; i-- {
			releases[i]()
		}
	}
	key := x.lockKey()
	if err := x.Locks.Acquire(ctx, key, run.ID); err != nil {
		return release, err
	}
	releases = append(releases, func() { _ = x.Locks.Release(context.WithoutCancel(ctx), key, run.ID) })
	if run.CloudStart.IsZero() {
		if run.CloudStart, err = x.cloudNow(ctx); err != nil {
			release()
			return func() {}, fmt.Errorf("ask the cloud for its time: %w", err)
		}
	}
	run.State = RunRunning
	if run.Hub == "" && x.Cloud.Hub != nil {
		run.Hub = x.Cloud.Hub.Host()
	}
	if err := x.Journal.SaveRun(ctx, *run); err != nil {
		release()
		return func() {}, fmt.Errorf("write the journal: %w", err)
	}
	stop, err := x.bringCloud(ctx)
	if err != nil {
		release()
		return func() {}, err
	}
	releases = append(releases, stop)
	r.emit(ctx)(Event{Run: run.ID, State: string(RunRunning), Time: x.Now()})
	return release, nil
}

// bringCloud forwards the practice cloud's ports to an attached device.
func (x *Execution) bringCloud(ctx context.Context) (stop func(), err error) {
	if !x.reaches() || x.Cloud.Reach.Forward == nil {
		return func() {}, nil
	}
	stop, err = x.Cloud.Reach.Forward(ctx)
	if err != nil {
		return nil, fmt.Errorf("bring the practice cloud to %s: %w", x.Machine.Name(), err)
	}
	return stop, nil
}

func (x *Execution) cloudNow(ctx context.Context) (time.Time, error) {
	if x.Run.Plan.Cell.Provisioning == DPS {
		if x.Cloud.DPS == nil {
			return x.Now(), nil
		}
		return x.Cloud.DPS.Now(ctx)
	}
	if x.Cloud.Hub == nil {
		return x.Now(), nil
	}
	return x.Cloud.Hub.Now(ctx)
}

// lockKey names the device in this program's own locks.
func (x *Execution) lockKey() string {
	if x.Cloud.Hub != nil {
		return x.Cloud.Hub.Host() + "/" + x.Run.Plan.Device.ID
	}
	return x.Cloud.Name + "/" + x.Run.Plan.Device.ID
}

// step looks, acts if needed, and writes the journal around both.
func (r *Runner) step(ctx context.Context, x *Execution, seq int, step Step) error {
	before := x.record(step.Name())
	record := before
	record.Seq, record.Error = seq, nil
	if record.Started.IsZero() {
		record.Started = x.Now()
	}
	record.State = StepLooking
	r.announce(x, record)

	if step.Name() != StepLook {
		if err := x.lockMachine(ctx); err != nil {
			return r.stepFailed(ctx, x, record, err)
		}
	}
	look, err := step.Look(ctx, x)
	// A run that acted before may have died with the guard in hand: it gives it up.
	if guarded, ok := step.(Guarded); ok && err == nil && (!look.Done || record.Acted) {
		var release func()
		if release, err = guarded.Guard(ctx, x); err == nil && release != nil {
			defer release()
			look, err = step.Look(ctx, x) // another run may have acted meanwhile
		}
	}
	if err != nil {
		return r.stepFailed(ctx, x, record, err)
	}
	record.Summary = look.Summary
	if len(record.Undo) == 0 {
		record.Undo = look.Undo
	}
	if look.Done {
		record.State = StepUnchanged
		if record.Acted {
			record.State = StepDone
		}
		return r.stepEnded(ctx, x, record)
	}
	record.State, record.Acted = StepActing, true
	if err := r.save(ctx, x, record); err != nil {
		return err
	}
	r.announce(x, record)
	result, err := step.Do(ctx, x)
	record.Waited += result.CloudWait
	x.Run.Outcome.CloudWait += result.CloudWait
	if err != nil {
		return r.stepFailed(ctx, x, record, err)
	}
	record.State, record.Summary = StepDone, result.Summary
	return r.stepEnded(ctx, x, record)
}

func (r *Runner) stepEnded(ctx context.Context, x *Execution, record StepRecord) error {
	record.Ended = x.Now()
	if err := r.save(ctx, x, record); err != nil {
		return err
	}
	r.announce(x, record)
	return nil
}

func (r *Runner) stepFailed(ctx context.Context, x *Execution, record StepRecord, cause error) error {
	record.State, record.Ended, record.Error = StepFailed, x.Now(), View(cause)
	if ctx.Err() == nil || errors.Is(context.Cause(ctx), ErrCancelRun) {
		if err := r.save(context.WithoutCancel(ctx), x, record); err != nil {
			return errors.Join(cause, err)
		}
	}
	r.announce(x, record)
	return cause
}

// save puts the record into the run and writes it to the journal.
func (r *Runner) save(ctx context.Context, x *Execution, record StepRecord) error {
	x.keep(record)
	if err := x.Journal.SaveStep(ctx, x.Run.ID, record); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

func (x *Execution) keep(record StepRecord) {
	for i := range x.Run.Steps {
		if x.Run.Steps[i].Name == record.Name {
			x.Run.Steps[i] = record
			return
		}
	}
	x.Run.Steps = append(x.Run.Steps, record)
}

func (r *Runner) announce(x *Execution, record StepRecord) {
	x.waitsFor = ""
	text := record.Summary
	if record.Error != nil {
		text = record.Error.Message
	}
	x.emit(Event{Run: x.Run.ID, Step: record.Name, State: string(record.State), Time: x.Now(), Text: text})
}

// emit hands events on and keeps them in the run's log.
func (r *Runner) emit(ctx context.Context) func(Event) {
	ctx = context.WithoutCancel(ctx)
	return func(event Event) {
		r.Ports.Journal.Log(ctx, event)
		if r.Emit != nil {
			r.Emit(event)
		}
	}
}

// finish writes the end of the run.
func (r *Runner) finish(ctx context.Context, x *Execution, state RunState, cause error) Outcome {
	ctx = context.WithoutCancel(ctx)
	run := x.Run
	run.State, run.Ended = state, x.Now()
	run.Outcome.Outcome = state
	run.Outcome.Changed = x.changedSomething()
	run.Outcome.Error = View(cause)
	if state == RunSucceeded && !(run.Outcome.Proof.Device && run.Outcome.Proof.Cloud) {
		run.State, run.Outcome.Outcome = RunConfigured, RunConfigured
	}
	if err := x.unlock(ctx); err != nil {
		x.log(StepFiles, "unlock the device: %v", err)
	}
	if err := x.Journal.SaveRun(ctx, *run); err != nil {
		run.Outcome.Error = View(errors.Join(cause, fmt.Errorf("write the journal: %w", err)))
		run.Outcome.Outcome = RunFailed
	}
	x.emit(Event{Run: run.ID, State: string(run.State), Time: x.Now()})
	return run.Outcome
}

// lockMachine sets this run's lock on the device, or renews it.
func (x *Execution) lockMachine(ctx context.Context) error {
	now := x.Now()
	if age := now.Sub(x.locked); age >= 0 && age < lockRenewal {
		return nil
	}
	if err := x.Machine.Lock(ctx, x.Run.ID, now.Add(lockFor)); err != nil {
		return err
	}
	x.locked = now
	return nil
}

// unlock takes the lock from the device, where this run set one.
func (x *Execution) unlock(ctx context.Context) error {
	if x.locked.IsZero() {
		return nil
	}
	return x.Machine.Unlock(ctx, x.Run.ID)
}

func (x *Execution) changedSomething() bool {
	for _, record := range x.Run.Steps {
		if record.Acted && record.Name != StepProof {
			return true
		}
	}
	return false
}

func (x *Execution) madeSomething() bool {
	for _, record := range x.Run.Steps {
		if record.Made() {
			return true
		}
	}
	return false
}

func (o *Outcome) note(text string) {
	for _, note := range o.Notes {
		if note == text {
			return
		}
	}
	o.Notes = append(o.Notes, text)
}
