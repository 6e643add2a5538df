package practice

import (
	"context"
	"sync"
)

// background is the work that a cloud does by itself while it owns its folder.
type background struct {
	ctx   context.Context // ends with the ownership
	stop  context.CancelFunc
	group sync.WaitGroup
	wake  chan struct{} // a walk has more to do
	due   chan struct{} // a scheduled job may begin
	// stops ends the jobs that run; Cloud.mu guards it.
	stops map[objectKey]context.CancelFunc
	// calling are the scheduled jobs whose methods are called now; Cloud.mu
	// guards it.
	calling map[objectKey]bool
}

// beginBackground starts the work. The caller holds owning for writing.
func (c *Cloud) beginBackground() {
	b := &background{wake: make(chan struct{}, 1), due: make(chan struct{}, 1), stops: map[objectKey]context.CancelFunc{}, calling: map[objectKey]bool{}}
	b.ctx, b.stop = context.WithCancel(context.Background())
	c.background = b
	b.group.Go(func() { c.walkOn(b) })
	b.group.Go(func() { c.scheduleOn(b) })
	left := c.jobsLeft()
	b.group.Go(func() { c.takeUpJobs(b, left) })
	b.poke()
}

// end stops the work and waits for it. The caller does not hold owning.
func (b *background) end() {
	b.stop()
	b.group.Wait()
}

func (b *background) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// transact runs a transaction of the background and waits until it is on disk; an
// error says that the work is over.
func (b *background) transact(c *Cloud, act func(t *transaction)) error {
	c.owning.RLock()
	defer c.owning.RUnlock()
	if err := b.ctx.Err(); err != nil {
		return err
	}
	t := &transaction{c: c, now: c.now(), tracking: newTrackingID()}
	return c.transact(b.ctx, t, func() { act(t) })
}

// walkOn makes the steps of walks over the hubs that no request makes.
func (c *Cloud) walkOn(b *background) {
	for {
		select {
		case <-b.wake:
		case <-b.ctx.Done():
			return
		}
		for more := true; more; {
			if b.transact(c, func(t *transaction) { more = c.walks(t) }) != nil {
				break // the next change of the state, or owner, goes on
			}
		}
	}
}
