package practice

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// methodsAtOnce is how many devices a job calls at a time.
const methodsAtOnce = 64

// methodOutcome is what a device answered to the method of a job.
type methodOutcome struct {
	Status  int             `json:"status"`
	Payload json.RawMessage `json:"payload"`
}

// readMethod reads the member cloudToDeviceMethod of a job.
func readMethod(raw json.RawMessage) (methodRequest, *identityError) {
	var given *methodRequest
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return methodRequest{}, invalid("cloudToDeviceMethod is missing or not a method")
	}
	return *given, given.check()
}

// callSchedule begins to run a job that calls a method on its devices, unless it
// runs already. The caller holds Cloud.mu.
func (t *transaction) callSchedule(s *schedule) {
	b, key := t.c.background, scheduleKey(t.hub, s.Job.JobID)
	if b.calling[key] {
		return
	}
	b.calling[key] = true
	c, label, id := t.c, t.hub.label, s.Job.JobID
	b.group.Go(func() {
		for c.callStep(b, label, id) {
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(b.calling, key)
	})
}

// callStep calls some of a job's devices and notes what they answered. A device
// that was called when the practice cloud was killed is called again. It tells
// whether the job has more to do.
func (c *Cloud) callStep(b *background, label, id string) bool {
	var rows []deviceJob
	var method methodRequest
	var steps walk
	ends := time.Time{}
	running := c.onSchedule(b, label, id, func(t *transaction, s *schedule) {
		condition, err := parseCondition(s.Job.QueryCondition) // was checked
		var refused *identityError
		if method, refused = readMethod(s.Job.Method); err != nil || refused != nil {
			t.endSchedule(s, jobFailed, "The job does not read.")
			return
		}
		s.Job.Status = jobRunning
		ends = s.Job.StartTime.Add(time.Duration(s.Job.MaxExecutionTimeInSeconds) * time.Second)
		if t.now.After(ends) {
			t.endSchedule(s, jobFailed, "The job ran longer than maxExecutionTimeInSeconds.")
			return
		}
		steps = walk{under: true, next: s.Next}
		steps.step(t, func(d *device) {
			for _, m := range matching(condition, d) {
				row := deviceJob{DeviceID: d.Identity.DeviceID}
				if m != nil {
					row.ModuleID = m.Identity.ModuleID
				}
				rows = append(rows, row)
			}
		})
		t.store(scheduleKey(t.hub, id), s)
	})
	if !running {
		return false
	}
	c.callAll(b.ctx, label, method, rows)
	return c.onSchedule(b, label, id, func(t *transaction, s *schedule) {
		t.addRows(s, rows)
		s.Next = steps.next
		if !steps.under {
			t.endSchedule(s, jobCompleted, "")
			return
		}
		t.store(scheduleKey(t.hub, id), s)
	})
}

// callAll calls the method on the device or module of each row and puts down
// how it ended.
func (c *Cloud) callAll(ctx context.Context, label string, method methodRequest, rows []deviceJob) {
	turn := make(chan struct{}, methodsAtOnce)
	var calls sync.WaitGroup
	for i := range rows {
		turn <- struct{}{}
		calls.Go(func() {
			defer func() { <-turn }()
			row := &rows[i]
			result, refused := c.invokeMethod(ctx, label, row.DeviceID, row.ModuleID, method)
			row.At = c.now()
			if refused != nil {
				row.Code, row.Text = refused.name, refused.text
				return
			}
			row.Outcome = &methodOutcome{result.status, result.payload}
		})
	}
	calls.Wait()
}

// onSchedule acts on a job, unless that has ended, and tells whether it goes on.
func (c *Cloud) onSchedule(b *background, label, id string, act func(t *transaction, s *schedule)) bool {
	running := false
	err := b.transact(c, func(t *transaction) {
		if t.hub = c.state.hubs[label]; t.hub == nil {
			return
		}
		s := t.hub.schedules[id]
		if s == nil || s.ended() {
			return
		}
		act(t, s)
		running = !s.ended()
	})
	return err == nil && running
}
