package app

import (
	"context"
	"sync"

	"edgewright/provisioning"
)

// liveRuns are the runs of this process, so that they can be cancelled and
// waited for.
type liveRuns struct {
	mu      sync.Mutex
	cancels map[string]context.CancelCauseFunc
	all     sync.WaitGroup
}

// enter registers a run; its context ends with the program, with the caller
// and by Cancel.
func (l *liveRuns) enter(parent, program context.Context, id string) (ctx context.Context, leave func()) {
	ctx, cancel := context.WithCancelCause(parent)
	stop := context.AfterFunc(program, func() { cancel(context.Cause(program)) })
	l.mu.Lock()
	if l.cancels == nil {
		l.cancels = map[string]context.CancelCauseFunc{}
	}
	l.cancels[id] = cancel
	l.all.Add(1)
	l.mu.Unlock()
	return ctx, func() {
		l.mu.Lock()
		delete(l.cancels, id)
		l.mu.Unlock()
		stop()
		cancel(nil)
		l.all.Done()
	}
}

func (l *liveRuns) wait() { l.all.Wait() }

// CancelRun cancels a run of this process: everything it did is put back. It
// gives false where no such run is going on here.
func (a *App) CancelRun(id string) bool {
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	cancel, ok := a.live.cancels[id]
	if ok {
		cancel(provisioning.ErrCancelRun)
	}
	return ok
}

// CancelAll cancels everything that is going on in this process: runs put back
// what they did, batches keep what they made.
func (a *App) CancelAll() {
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	for _, cancel := range a.live.cancels {
		cancel(provisioning.ErrCancelRun)
	}
}

// LiveRuns counts the runs and batches that are going on in this process.
func (a *App) LiveRuns() int {
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	return len(a.live.cancels)
}
