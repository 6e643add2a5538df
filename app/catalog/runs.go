package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Run is a run as the journal holds it. ID is its number in at least four
// digits. Plan is TOML, Outcome JSON; neither holds a secret.
type Run struct {
	ID         string
	Batch      string
	Kind       string
	DeviceUUID string
	DeviceID   string
	HubHost    string
	Target     string
	Cloud      string
	Plan       string
	State      string
	Outcome    string
	Started    time.Time
	Ended      *time.Time
	CloudStart *time.Time
	// Holder is the process that carries the run out; see ThisProcess.
	Holder string
}

const runColumns = "number, batch, kind, device_uuid, device_id, hub_host, target, cloud, plan, state, outcome, started, ended, cloud_start, holder"

func scanRun(row scanner) (r Run, err error) {
	var number int64
	err = row.Scan(&number, &r.Batch, &r.Kind, &r.DeviceUUID, &r.DeviceID, &r.HubHost, &r.Target, &r.Cloud, &r.Plan, &r.State, &r.Outcome,
		setTime{&r.Started}, storedTime{&r.Ended}, storedTime{&r.CloudStart}, &r.Holder)
	r.ID = runID(number)
	return r, err
}

func runID(number int64) string { return fmt.Sprintf("%04d", number) }

// runNumber reads the number of a run, with or without leading zeros.
func runNumber(id string) (int64, error) {
	number, err := strconv.ParseInt(strings.TrimPrefix(id, "#"), 10, 64)
	if err != nil || number <= 0 {
		return 0, fmt.Errorf("run %q: %w", id, ErrNotFound)
	}
	return number, nil
}

// NewRun writes a run and gives it its number. Numbers are never used again.
func (c *Catalog) NewRun(ctx context.Context, r Run) (Run, error) {
	result, err := c.write.ExecContext(ctx, "INSERT INTO run (batch, kind, device_id, hub_host, target, cloud, plan, state, started, holder) VALUES (?,?,?,?,?,?,?,?,?,?)",
		r.Batch, r.Kind, r.DeviceID, r.HubHost, r.Target, r.Cloud, r.Plan, r.State, timeText(r.Started), r.Holder)
	if err != nil {
		return r, fmt.Errorf("write run: %w", known(err))
	}
	number, err := result.LastInsertId()
	if err != nil {
		return r, fmt.Errorf("write run: %w", err)
	}
	r.ID = runID(number)
	c.changed()
	return r, nil
}

// UpdateRun writes state, outcome, end, hub and cloud start of a run.
func (c *Catalog) UpdateRun(ctx context.Context, r Run) error {
	number, err := runNumber(r.ID)
	if err != nil {
		return err
	}
	n, err := c.exec(ctx, "write run "+r.ID, "UPDATE run SET state = ?, outcome = ?, ended = ?, cloud_start = ?, hub_host = ? WHERE number = ?",
		r.State, r.Outcome, optionalTime(r.Ended), optionalTime(r.CloudStart), r.HubHost, number)
	if err == nil && n == 0 {
		err = fmt.Errorf("run %s: %w", r.ID, ErrNotFound)
	}
	return err
}

// SetRunDevice notes which row of the catalog a run made or wrote.
func (c *Catalog) SetRunDevice(ctx context.Context, id, deviceUUID string) error {
	number, err := runNumber(id)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, "write run "+id, "UPDATE run SET device_uuid = ? WHERE number = ?", deviceUUID, number)
	return err
}

// TakeOver makes to the holder of a run that from held; ErrLocked if somebody
// else was faster.
func (c *Catalog) TakeOver(ctx context.Context, id, from, to string) error {
	number, err := runNumber(id)
	if err != nil {
		return err
	}
	n, err := c.exec(ctx, "take over run "+id, "UPDATE run SET holder = ? WHERE number = ? AND holder = ?", to, number, from)
	if err == nil && n == 0 {
		err = fmt.Errorf("run %s was taken over by another process: %w", id, ErrLocked)
	}
	return err
}

// Run finds a run by its number.
func (c *Catalog) Run(ctx context.Context, id string) (Run, error) {
	number, err := runNumber(id)
	if err != nil {
		return Run{}, err
	}
	r, err := scanRun(c.read.QueryRowContext(ctx, "SELECT "+runColumns+" FROM run WHERE number = ?", number))
	return r, missing(err, "run "+id)
}

// RunQuery narrows a list of runs.
type RunQuery struct {
	Batch, DeviceID string
	Limit           int // 0 means 200
}

// Runs lists runs, newest first.
func (c *Catalog) Runs(ctx context.Context, q RunQuery) ([]Run, error) {
	if q.Limit <= 0 {
		q.Limit = 200
	}
	where, args := "", []any{}
	switch {
	case q.Batch != "":
		where, args = " WHERE batch = ? AND batch <> ''", []any{q.Batch}
	case q.DeviceID != "":
		where, args = " WHERE device_id = ?", []any{q.DeviceID}
	}
	rows, err := c.read.QueryContext(ctx, "SELECT "+runColumns+" FROM run"+where+" ORDER BY number DESC LIMIT ?", append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	list := []Run{}
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		list = append(list, r)
	}
	return list, rows.Err()
}
