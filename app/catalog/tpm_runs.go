package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// TPMRun is a bulk enrollment of endorsement keys.
type TPMRun struct {
	ID      string
	State   string // running | succeeded | failed | cancelled | undone | partly-undone
	Cloud   string
	Started time.Time
	Ended   *time.Time
}

// The values of TPMRunRow.State.
const (
	KeyWaiting  = "waiting"
	KeySent     = "sent"     // in a call whose answer is not recorded
	KeyEnrolled = "enrolled" // by this run
	KeySkipped  = "skipped"  // it was enrolled with the same key before
	KeyFailed   = "failed"
	KeyUndone   = "undone"
)

// TPMRunRow is one key of a bulk enrollment.
type TPMRunRow struct {
	Seq            int // from 1
	RegistrationID string
	DeviceID       string // "" means the registration ID
	Public         []byte // TPM2B_PUBLIC of the endorsement key
	State          string
	// Sent is the cloud's time of before the first call that had the row.
	Sent    *time.Time
	Code    int // of the service, 0 for none
	Problem string
}

// NewTPMRun writes a run with its rows.
func (c *Catalog) NewTPMRun(ctx context.Context, r TPMRun, rows []TPMRunRow) error {
	return c.transact(ctx, TPMRunsChanged, "write run "+r.ID, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO tpm_run (id, state, cloud, started, ended) VALUES (?,?,?,?,?)", r.ID, r.State, r.Cloud, timeText(r.Started), optionalTime(r.Ended)); err != nil {
			return err
		}
		return each(ctx, tx, "INSERT INTO tpm_run_row (run, seq, registration_id, device_id, state, public) VALUES (?,?,?,?,?,?)", rows, func(row TPMRunRow) []any {
			return []any{r.ID, row.Seq, row.RegistrationID, row.DeviceID, row.State, row.Public}
		})
	})
}

// TPMRun finds a run by its ID.
func (c *Catalog) TPMRun(ctx context.Context, id string) (TPMRun, error) {
	found, err := c.tpmRuns(ctx, "WHERE id = ?", id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("run %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return TPMRun{}, err
	}
	return found[0], nil
}

// TPMRuns lists the newest runs first.
func (c *Catalog) TPMRuns(ctx context.Context, limit int) ([]TPMRun, error) {
	return c.tpmRuns(ctx, "ORDER BY started DESC, id LIMIT ?", limit)
}

func (c *Catalog) tpmRuns(ctx context.Context, rest string, args ...any) ([]TPMRun, error) {
	rows, err := c.read.QueryContext(ctx, "SELECT id, state, cloud, started, ended FROM tpm_run "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	list := []TPMRun{}
	for rows.Next() {
		var r TPMRun
		if err := rows.Scan(&r.ID, &r.State, &r.Cloud, setTime{&r.Started}, storedTime{&r.Ended}); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		list = append(list, r)
	}
	return list, known(rows.Err())
}

// TPMRunRows lists rows of a run in their order, behind the row number after,
// those of one state or, if that is empty, all.
func (c *Catalog) TPMRunRows(ctx context.Context, run, state string, after, limit int) ([]TPMRunRow, error) {
	where, args := "run = ? AND seq > ?", []any{run, after}
	if state != "" {
		where, args = where+" AND state = ?", append(args, state)
	}
	rows, err := c.read.QueryContext(ctx, "SELECT seq, registration_id, device_id, public, state, sent, code, problem FROM tpm_run_row WHERE "+where+" ORDER BY seq LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("read rows of run %s: %w", run, known(err))
	}
	defer func() { _ = rows.Close() }()
	list := []TPMRunRow{}
	for rows.Next() {
		var r TPMRunRow
		if err := rows.Scan(&r.Seq, &r.RegistrationID, &r.DeviceID, &r.Public, &r.State, storedTime{&r.Sent}, &r.Code, &r.Problem); err != nil {
			return nil, fmt.Errorf("read rows of run %s: %w", run, err)
		}
		list = append(list, r)
	}
	return list, known(rows.Err())
}

// CountTPMRun counts the rows of a run by their state.
func (c *Catalog) CountTPMRun(ctx context.Context, run string) (map[string]int, error) {
	rows, err := c.read.QueryContext(ctx, "SELECT state, count(*) FROM tpm_run_row WHERE run = ? GROUP BY state", run)
	if err != nil {
		return nil, fmt.Errorf("count rows of run %s: %w", run, known(err))
	}
	defer func() { _ = rows.Close() }()
	count := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("count rows of run %s: %w", run, err)
		}
		count[state] = n
	}
	return count, known(rows.Err())
}

// SetTPMRunRows writes state, time of sending, code and problem of rows.
func (c *Catalog) SetTPMRunRows(ctx context.Context, run string, rows []TPMRunRow) error {
	return c.transact(ctx, TPMRunsChanged, "write rows of run "+run, func(tx *sql.Tx) error {
		return each(ctx, tx, "UPDATE tpm_run_row SET state = ?, sent = ?, code = ?, problem = ? WHERE run = ? AND seq = ?", rows, func(r TPMRunRow) []any {
			return []any{r.State, optionalTime(r.Sent), r.Code, r.Problem, run, r.Seq}
		})
	})
}

// SetTPMRun writes the state of a run; a nil ended says that it goes on.
func (c *Catalog) SetTPMRun(ctx context.Context, id, state string, ended *time.Time) error {
	n, err := c.exec(ctx, TPMRunsChanged, "write run "+id, "UPDATE tpm_run SET state = ?, ended = ? WHERE id = ?", state, optionalTime(ended), id)
	if err == nil && n == 0 {
		err = fmt.Errorf("run %s: %w", id, ErrNotFound)
	}
	return err
}
