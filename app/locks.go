package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"edgewright/provisioning"
)

// locks keep the runs of this data folder apart.
type locks struct{ app *App }

// lockFor is how long a lock lasts whose holder has died on another computer;
// one that died on this computer is noticed at once.
const lockFor = 10 * time.Minute

func (l locks) Acquire(ctx context.Context, key, runID string) error {
	return translate(l.app.catalog.Acquire(ctx, key, runID, l.app.now().Add(lockFor)))
}

func (l locks) Release(ctx context.Context, key, runID string) error {
	return translate(l.app.catalog.Release(ctx, key, runID))
}

// busyPoll is how often a lock that another process holds is asked for.
const busyPoll = 50 * time.Millisecond

func (l locks) Wait(ctx context.Context, key, runID string, waiting func()) (release func(), err error) {
	told := sync.OnceFunc(waiting)
	leave, err := l.app.turns.wait(ctx, key, told)
	if err != nil {
		return nil, err
	}
	for {
		switch err := l.Acquire(ctx, key, runID); {
		case err == nil:
			return func() {
				_ = l.Release(context.WithoutCancel(ctx), key, runID)
				leave()
			}, nil
		case !errors.Is(err, provisioning.ErrBusy):
			leave()
			return nil, err
		}
		told()
		select {
		case <-time.After(busyPoll):
		case <-ctx.Done():
			leave()
			return nil, context.Cause(ctx)
		}
	}
}

// turns let the runs of this process wait for a lock in a queue: of the runs of a
// batch only the first asks the catalog.
type turns struct {
	mu   sync.Mutex
	keys map[string]chan struct{} // full while somebody has the turn
}

func (t *turns) wait(ctx context.Context, key string, waiting func()) (leave func(), err error) {
	t.mu.Lock()
	if t.keys == nil {
		t.keys = map[string]chan struct{}{}
	}
	turn := t.keys[key]
	if turn == nil {
		turn = make(chan struct{}, 1)
		t.keys[key] = turn
	}
	t.mu.Unlock()
	leave = func() { <-turn }
	select {
	case turn <- struct{}{}:
		return leave, nil
	default:
	}
	waiting()
	select {
	case turn <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
