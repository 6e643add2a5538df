package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// LockedError names the run that holds a lock. It is an ErrLocked.
type LockedError struct {
	Name, Run string
	Expires   time.Time
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("run %s is working on %s", e.Run, e.Name)
}

// Unwrap makes it an ErrLocked.
func (e *LockedError) Unwrap() error { return ErrLocked }

// Acquire takes the named lock for a run until expires, or renews it. A lock
// of another run is taken over if it has expired or if the process that held
// it is dead; else the error is a *LockedError.
func (c *Catalog) Acquire(ctx context.Context, name, run string, expires time.Time) error {
	return c.transact(ctx, LocksChanged, "lock "+name, func(tx *sql.Tx) error {
		held := LockedError{Name: name}
		var holder string
		err := tx.QueryRowContext(ctx, "SELECT run, holder, expires FROM lock WHERE name = ?", name).Scan(&held.Run, &holder, setTime{&held.Expires})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && held.Run != run && time.Now().Before(held.Expires) && HolderAlive(holder) {
			return &held
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO lock (name, run, holder, expires) VALUES (?,?,?,?) ON CONFLICT (name) DO UPDATE SET run=excluded.run, holder=excluded.holder, expires=excluded.expires",
			name, run, ThisProcess(), timeText(expires))
		return err
	})
}

// Locked tells whether a living process holds the named lock.
func (c *Catalog) Locked(ctx context.Context, name string) (bool, error) {
	var holder string
	var expires time.Time
	err := c.read.QueryRowContext(ctx, "SELECT holder, expires FROM lock WHERE name = ?", name).Scan(&holder, setTime{&expires})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", name, known(err))
	}
	return time.Now().Before(expires) && HolderAlive(holder), nil
}

// Release gives up a lock; one that another run holds by now stays.
func (c *Catalog) Release(ctx context.Context, name, run string) error {
	_, err := c.exec(ctx, LocksChanged, "unlock "+name, "DELETE FROM lock WHERE name = ? AND run = ?", name, run)
	return err
}
