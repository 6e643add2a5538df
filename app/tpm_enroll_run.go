package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/dps"
)

// keyEnrolling carries out one bulk enrollment. The rows of a call are marked as sent
// before it, so that after a kill at any instant the cloud is asked what became of
// them: an enrollment with the same key that was made since then is the run's own,
// and one that is older was there.
type keyEnrolling struct {
	app     *App
	run     catalog.TPMRun
	service keyEnroller
	emit    func(EnrollEvent)
	total   int
	// started is a whole second of the service's clock: what was made before the run is
	// older, what the run makes is not.
	started time.Time
}

// enrollLockFor is how long a run keeps out others whose holder has died on another
// computer.
const enrollLockFor = 24 * time.Hour

// holdKeyRun opens the cloud of a run under the run's lock.
func (a *App) holdKeyRun(ctx context.Context, run catalog.TPMRun, emit func(EnrollEvent)) (*keyEnrolling, func(), error) {
	if emit == nil {
		emit = func(EnrollEvent) {}
	}
	lock, holder := "enroll/"+run.ID, fmt.Sprintf("%s-%x", run.ID, randomBytes(4)) // two calls of one process are two
	if err := a.catalog.Acquire(ctx, lock, holder, a.now().Add(enrollLockFor)); errors.Is(err, catalog.ErrLocked) {
		return nil, nil, &provisioning.Error{Kind: provisioning.ErrBusy, Message: "The run " + run.ID + " is being worked on already.", Hint: "Wait for its end.", Err: err}
	} else if err != nil {
		return nil, nil, translate(err)
	}
	unlock := func() { _ = a.catalog.Release(context.WithoutCancel(ctx), lock, holder) }
	service, release, err := a.keyService(ctx, run.Cloud)
	if err != nil {
		unlock()
		return nil, nil, err
	}
	k := &keyEnrolling{app: a, run: run, service: service, emit: emit}
	count, err := a.catalog.CountTPMRun(ctx, run.ID)
	for _, n := range count {
		k.total += n
	}
	done := func() { release(); unlock() }
	if err != nil {
		done()
		return nil, nil, translate(err)
	}
	return k, done, nil
}

func (a *App) carryOutEnroll(ctx context.Context, run catalog.TPMRun, emit func(EnrollEvent)) (EnrollOutcome, error) {
	ctx, leave := a.live.enter(ctx, a.ctx, run.ID)
	defer leave()
	k, done, err := a.holdKeyRun(ctx, run, emit)
	if err != nil {
		return EnrollOutcome{}, err
	}
	defer done()
	if err := a.catalog.SetTPMRun(ctx, run.ID, string(provisioning.RunRunning), nil); err != nil {
		return EnrollOutcome{}, translate(err)
	}
	failure := k.begin(ctx)
	if failure == nil {
		failure = k.enrollAll(ctx)
	}
	keep := context.WithoutCancel(ctx) // what is recorded is recorded also after a cancel
	out, err := k.outcome(keep)
	if err != nil {
		return out, err
	}
	switch finished := out.Enrolled + out.Skipped; {
	case finished == k.total:
		out.Outcome = provisioning.RunSucceeded
	case ctx.Err() != nil:
		out.Outcome = provisioning.RunCancelled
	default:
		out.Outcome = provisioning.RunFailed
	}
	if failure != nil && ctx.Err() == nil {
		out.Error = provisioning.View(failure)
	}
	ended := a.now()
	return out, translate(a.catalog.SetTPMRun(keep, run.ID, string(out.Outcome), &ended))
}

// begin waits for the next second of the service's clock, which is told in whole
// seconds, cut off.
func (k *keyEnrolling) begin(ctx context.Context) error {
	now, err := k.service.Now(ctx)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
		k.started = now.Add(time.Second)
		return nil
	}
}

// outcome counts what became of the rows.
func (k *keyEnrolling) outcome(ctx context.Context) (EnrollOutcome, error) {
	out := EnrollOutcome{Run: k.run.ID, Failed: []FailedKey{}}
	count, err := k.app.catalog.CountTPMRun(ctx, k.run.ID)
	if err != nil {
		return out, translate(err)
	}
	out.Enrolled, out.Skipped = count[catalog.KeyEnrolled], count[catalog.KeySkipped]
	failed, err := k.app.catalog.TPMRunRows(ctx, k.run.ID, catalog.KeyFailed, 0, maxListedKeys)
	for _, row := range failed {
		out.Failed = append(out.Failed, FailedKey{ID: row.RegistrationID, Code: row.Code, Problem: row.Problem})
	}
	return out, translate(err)
}

// enrollAll enrols all that is left, ten a call.
func (k *keyEnrolling) enrollAll(ctx context.Context) error {
	return k.eachTen(ctx, []string{catalog.KeyFailed, catalog.KeySent, catalog.KeyWaiting}, func(rows []catalog.TPMRunRow) error {
		return k.enrollTen(ctx, rows)
	})
}

// eachTen gives the run's rows that are in the states, one state after the
// other, at most as many at a time as DPS takes in a call.
func (k *keyEnrolling) eachTen(ctx context.Context, states []string, do func([]catalog.TPMRunRow) error) error {
	for _, state := range states {
		for after := 0; ; {
			rows, err := k.app.catalog.TPMRunRows(ctx, k.run.ID, state, after, dps.MaxBulk)
			if err != nil {
				return translate(err)
			}
			if len(rows) == 0 {
				break
			}
			after = rows[len(rows)-1].Seq
			if err := do(rows); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *keyEnrolling) step(name string) {
	if k.app.betweenEnrollSteps != nil {
		k.app.betweenEnrollSteps(name)
	}
}

// enrollTen enrols the rows of one call and records what became of them.
func (k *keyEnrolling) enrollTen(ctx context.Context, rows []catalog.TPMRunRow) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	marked := slices.Clone(rows)
	for i := range marked {
		if marked[i].State != catalog.KeySent || marked[i].Sent == nil {
			marked[i].Sent = &k.started
		}
		marked[i].State = catalog.KeySent
	}
	k.step("begin")
	if err := k.app.catalog.SetTPMRunRows(ctx, k.run.ID, marked); err != nil {
		return translate(err)
	}
	k.step("marked")
	refused, err := k.send(ctx, marked)
	k.step("enrolled")
	if err != nil {
		return err
	}
	for i := range marked {
		row := &marked[i]
		row.State, row.Code, row.Problem = catalog.KeyEnrolled, 0, ""
		if no, ok := refused[row.RegistrationID]; ok {
			if err := k.judge(ctx, row, no); err != nil {
				return err
			}
		}
	}
	if err := k.app.catalog.SetTPMRunRows(context.WithoutCancel(ctx), k.run.ID, marked); err != nil {
		return translate(err)
	}
	for _, row := range marked {
		k.tell(row)
	}
	k.step("recorded")
	return nil
}

func (k *keyEnrolling) tell(row catalog.TPMRunRow) {
	k.emit(EnrollEvent{Run: k.run.ID, Row: row.Seq, Of: k.total, ID: row.RegistrationID, State: row.State, Problem: row.Problem, Time: k.app.now()})
}

// send makes one call. A call that the service refuses as a whole is made again row
// by row, so that one bad row takes no other along.
func (k *keyEnrolling) send(ctx context.Context, rows []catalog.TPMRunRow) (map[string]dps.BulkError, error) {
	keys := make([]KeyEnrollment, len(rows))
	for i, row := range rows {
		keys[i] = KeyEnrollment{RegistrationID: row.RegistrationID, DeviceID: row.DeviceID, Public: row.Public}
	}
	refused, err := k.service.EnrollKeys(ctx, keys)
	if !errors.Is(err, provisioning.ErrInvalid) {
		return refused, err
	}
	if len(rows) == 1 {
		return map[string]dps.BulkError{rows[0].RegistrationID: {RegistrationID: rows[0].RegistrationID, Status: provisioning.View(err).Message}}, nil
	}
	refused = map[string]dps.BulkError{}
	for i := range rows {
		one, err := k.send(ctx, rows[i:i+1])
		if err != nil {
			return nil, err
		}
		for id, no := range one {
			refused[id] = no
		}
	}
	return refused, nil
}

// judge says what became of a row that the service refused. Which key an enrollment
// holds is decided by comparing keys, never by a code.
func (k *keyEnrolling) judge(ctx context.Context, row *catalog.TPMRunRow, no dps.BulkError) error {
	row.State, row.Code = catalog.KeyFailed, no.Code
	found, err := k.service.EnrolledKey(ctx, row.RegistrationID)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		row.Problem = "The cloud refuses the enrollment: " + no.Status
		return nil
	case err != nil:
		return err
	}
	if row.Problem = keyProblem(*row, found); row.Problem != "" {
		return nil
	}
	row.State, row.Code = catalog.KeySkipped, 0
	if !found.created.Before(*row.Sent) { // by a call whose answer was lost
		row.State = catalog.KeyEnrolled
	}
	return nil
}

// keyProblem says why an enrollment that exists cannot serve a key.
func keyProblem(row catalog.TPMRunRow, found enrolledKey) string {
	what := "The enrollment " + row.RegistrationID + " exists already"
	device := KeyEnrollment{RegistrationID: row.RegistrationID, DeviceID: row.DeviceID}.device()
	switch {
	case found.by != provisioning.TPM:
		return what + " and attests by " + string(found.by) + ". Remove it, or give this device another ID."
	case !bytes.Equal(found.public, row.Public):
		return what + " with another endorsement key. If the device's TPM was changed or cleared, remove the enrollment; else give this device another ID."
	case found.device != device:
		return what + " with the same endorsement key, for the device " + found.device + " and not " + device + "."
	case !found.edge:
		return what + " with the same endorsement key, without the edge capability."
	case !found.enabled:
		return what + " with the same endorsement key and is disabled. Enable it in the cloud."
	}
	return ""
}
