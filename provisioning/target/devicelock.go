package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

// lockFile is the lock of a device. Run IDs never begin with a dot.
const lockFile = stateDir + "/.lock"

// heldLock is the lock file's content. Expiry is Unix seconds of the device's
// own clock, so that two workstations whose clocks differ agree.
type heldLock struct {
	Run    string `json:"run"`
	Expiry int64  `json:"expiry"`
}

func (e *engine) Lock(ctx context.Context, runID string, expiry time.Time) error {
	if err := checkRunID(runID); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.lock(ctx, runID, expiry); err != nil {
		return fmt.Errorf("lock the device: %w", err)
	}
	return nil
}

func (e *engine) lock(ctx context.Context, runID string, expiry time.Time) error {
	there, err := e.layer.now(ctx)
	if err != nil {
		return err
	}
	ahead := there.Sub(e.clock())
	held, err := e.readLock(ctx)
	if err != nil {
		return err
	}
	if err := held.refuse(runID, there, ahead); err != nil {
		return err
	}
	mine := heldLock{Run: runID, Expiry: expiry.Add(ahead).Unix()}
	text, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	ops, err := e.makeStateDir(ctx, stateDir)
	if err != nil {
		return err
	}
	temp := tempName(lockFile)
	ops = append(ops, op{kind: opWrite, path: temp, data: text, mode: 0o600, owner: "root", group: "root"})
	take := op{kind: opRename, from: temp, path: lockFile}
	if held == nil {
		// A new name, not a rename: of two that find no lock one gets it.
		take.kind = opLink
	}
	ops = append(ops, take, op{kind: opSync, path: stateDir})
	err = e.layer.do(ctx, ops)
	_ = e.layer.do(context.WithoutCancel(ctx), []op{{kind: opRemove, path: temp}})
	now, readErr := e.readLock(ctx)
	if readErr == nil {
		if refused := now.refuse(runID, there, ahead); refused != nil {
			return refused // somebody was faster
		}
	}
	return errors.Join(err, readErr)
}

func (e *engine) Unlock(ctx context.Context, runID string) error {
	if err := checkRunID(runID); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	held, err := e.readLock(ctx)
	if err == nil && held != nil && held.Run == runID {
		err = e.layer.do(ctx, []op{{kind: opRemove, path: lockFile}, {kind: opSync, path: stateDir}})
	}
	if err == nil {
		err = e.tidyState(ctx)
	}
	if err != nil {
		return fmt.Errorf("unlock the device: %w", err)
	}
	return nil
}

// readLock gives nil if there is no lock. A lock that cannot be read counts as
// expired: it is root's file, so nobody but a killed write can have made it.
func (e *engine) readLock(ctx context.Context) (*heldLock, error) {
	text, err := e.layer.read(ctx, lockFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path.Base(lockFile), err)
	}
	held := &heldLock{}
	if json.Unmarshal(text, held) != nil {
		return &heldLock{}, nil
	}
	return held, nil
}

// refuse is a *LockedError if another run holds the lock. ahead is how much
// the device's clock is ahead of this computer's.
func (h *heldLock) refuse(runID string, there time.Time, ahead time.Duration) error {
	if h == nil || h.Run == runID || h.Run == "" || h.Expiry <= there.Unix() {
		return nil
	}
	return &LockedError{RunID: h.Run, Expiry: time.Unix(h.Expiry, 0).Add(-ahead).UTC()}
}
