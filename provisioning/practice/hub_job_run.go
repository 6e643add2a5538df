package practice

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"edgewright/provisioning/practice/blob"
	"edgewright/provisioning/wire"
)

// errJobOver says that somebody else ended the job.
var errJobOver = errors.New("the job is over")

// jobRun is a job at work. Nothing of it holds a lock while it speaks to the
// storage.
type jobRun struct {
	c          *Cloud
	background *background
	ctx        context.Context
	label, id  string
	job        job // as it was when it began
	output     *blob.Container
}

// runJob does a job that is enqueued. If the cloud ends meanwhile the job stays
// as it is on disk, and takeUpJobs sees it.
func (c *Cloud) runJob(b *background, label, id string) {
	r := &jobRun{c: c, background: b, label: label, id: id}
	var stop context.CancelFunc
	r.ctx, stop = context.WithCancel(b.ctx)
	defer stop()
	err := b.transact(c, func(t *transaction) {
		t.hub = c.state.hubs[label]
		j := t.hub.jobs[id]
		if j == nil || j.Status != jobEnqueued {
			stop()
			return
		}
		b.stops[jobKey(t.hub, id)] = stop
		j.Status = jobRunning
		t.store(jobKey(t.hub, id), j)
		r.job = *j
	})
	if err != nil || r.ctx.Err() != nil {
		return
	}
	failure := r.work()
	_ = b.transact(c, func(t *transaction) { // fails when the cloud ends only
		t.hub = c.state.hubs[label]
		delete(b.stops, jobKey(t.hub, id))
		j := t.hub.jobs[id]
		switch {
		case j == nil || j.Status != jobRunning:
		case failure != nil:
			t.endJob(j, jobFailed, failure.Error())
		default:
			j.Progress = 100
			t.endJob(j, jobCompleted, "")
		}
	})
}

// work does the job; the error is the reason why it failed.
func (r *jobRun) work() (err error) {
	client := r.c.webhookClient()
	defer client.CloseIdleConnections()
	if r.output, err = blob.Open(r.job.OutputBlobContainerURI, client); err != nil {
		return fmt.Errorf("output container: %w", err)
	}
	if err := r.tryOutput(); err != nil {
		return fmt.Errorf("output container: %w; its signature needs read, write and delete", err)
	}
	if r.job.Type == jobExport {
		return r.export()
	}
	input, err := blob.Open(r.job.InputBlobContainerURI, client)
	if err != nil {
		return fmt.Errorf("input container: %w", err)
	}
	return r.imports(input)
}

// tryOutput writes a blob into the output container, reads and deletes it.
func (r *jobRun) tryOutput() error {
	name := "iothub-" + r.id
	w := r.output.Writer(r.ctx, name)
	if err := w.Close(); err != nil {
		return err
	}
	body, err := r.output.Get(r.ctx, name)
	if err == nil {
		err = body.Close()
	}
	return errors.Join(err, r.output.Delete(r.ctx, name))
}

// step runs a transaction of the job while it is not over.
func (r *jobRun) step(act func(t *transaction, j *job)) error {
	over := false
	err := r.background.transact(r.c, func(t *transaction) {
		t.hub = r.c.state.hubs[r.label]
		j := t.hub.jobs[r.id]
		if over = j == nil || j.Status != jobRunning; !over {
			act(t, j)
		}
	})
	if err == nil && over {
		err = errJobOver
	}
	return err
}

// jobsLeft are the jobs that had not ended when the cloud did.
func (c *Cloud) jobsLeft() (left []objectKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.state.hubs {
		for id, j := range h.jobs {
			if !j.ended() {
				left = append(left, jobKey(h, id))
			}
		}
	}
	return left
}

// takeUpJobs begins the jobs that were enqueued. One that ran has failed: how
// far it came is not known.
func (c *Cloud) takeUpJobs(b *background, left []objectKey) {
	for _, key := range left {
		label, id, _ := strings.Cut(key.id, "/")
		if b.transact(c, func(t *transaction) {
			t.hub = c.state.hubs[label]
			if j := t.hub.jobs[id]; j != nil && j.Status == jobRunning {
				t.endJob(j, jobFailed, "The practice cloud ended while the job ran. What it had done until then stays.")
			}
		}) != nil {
			return
		}
		c.runJob(b, label, id)
	}
}

// refusedLine is a line of an import that was refused, as importErrors.log has
// it (its form is assumed).
type refusedLine struct {
	Line int `json:"line"`
	registryError
}

func (r *jobRun) refused(line int, item registryItem, refused *identityError) refusedLine {
	return refusedLine{line, registryError{DeviceID: wire.CleanMessage(item.ID), ModuleID: wire.CleanMessage(item.ModuleID),
		ErrorCode: refused.name, ErrorStatus: refused.text, Operation: wire.CleanMessage(item.ImportMode)}}
}
