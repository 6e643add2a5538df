package catalog

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Run is a run as the journal holds it. ID is its number in at least four
// digits, for people; it is unique in this catalog only. UID is unique
// everywhere, and what names the run outside of this data folder. Plan is TOML,
// Outcome JSON; neither holds a secret.
type Run struct {
	ID         string
	UID        string
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
	// Holder is the process that carries the run out; see ThisProcess. It
	// wrote to the journal, or called Beat, last at HolderSeen.
	Holder     string
	HolderSeen *time.Time
}

// silence is how long the holder of a run may say nothing before another
// computer takes it for dead. Holders call Beat more often than that.
const silence = 15 * time.Minute

// Abandoned tells whether nobody carries the run out any more: its process has
// died on this computer, or has been silent on another one.
func (r Run) Abandoned(now time.Time) bool {
	if r.Ended != nil {
		return false
	}
	if fromHere(r.Holder) {
		return !HolderAlive(r.Holder)
	}
	return r.HolderSeen == nil || now.Sub(*r.HolderSeen) > silence
}

const runColumns = "number, batch, kind, device_uuid, device_id, hub_host, target, cloud, plan, state, outcome, started, ended, cloud_start, holder, uid, holder_seen"

func scanRun(row scanner) (r Run, err error) {
	var number int64
	err = row.Scan(&number, &r.Batch, &r.Kind, &r.DeviceUUID, &r.DeviceID, &r.HubHost, &r.Target, &r.Cloud, &r.Plan, &r.State, &r.Outcome,
		setTime{&r.Started}, storedTime{&r.Ended}, storedTime{&r.CloudStart}, &r.Holder, &r.UID, storedTime{&r.HolderSeen})
	r.ID = runID(number)
	return r, err
}

// uidLength is the length of a run's UID: 80 random bits in base32, more
// digits than a number ever has.
const uidLength = 16

func runID(number int64) string { return fmt.Sprintf("%04d", number) }

// runNumber reads the number of a run, with or without leading zeros.
func runNumber(id string) (int64, error) {
	number, err := strconv.ParseInt(strings.TrimPrefix(id, "#"), 10, 64)
	if err != nil || number <= 0 {
		return 0, fmt.Errorf("run %q: %w", id, ErrNotFound)
	}
	return number, nil
}

// NewRun writes a run and gives it its number and UID. Numbers are never used
// again.
func (c *Catalog) NewRun(ctx context.Context, r Run) (Run, error) {
	r.UID = strings.ToLower(rand.Text()[:uidLength])
	now := time.Now().UTC()
	r.HolderSeen = &now
	result, err := c.write.ExecContext(ctx, "INSERT INTO run (batch, kind, device_uuid, device_id, hub_host, target, cloud, plan, state, started, holder, uid, holder_seen) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
		r.Batch, r.Kind, r.DeviceUUID, r.DeviceID, r.HubHost, r.Target, r.Cloud, r.Plan, r.State, timeText(r.Started), r.Holder, r.UID, optionalTime(r.HolderSeen))
	if err != nil {
		return r, fmt.Errorf("write run: %w", known(err))
	}
	number, err := result.LastInsertId()
	if err != nil {
		return r, fmt.Errorf("write run: %w", err)
	}
	r.ID = runID(number)
	c.watchers.tell(RunsChanged)
	return r, nil
}

// UpdateRun writes state, outcome, end, hub and cloud start of a run.
func (c *Catalog) UpdateRun(ctx context.Context, r Run) error {
	return c.writeHeld(ctx, r.ID, "write run "+r.ID, func(tx *sql.Tx, number int64) error {
		_, err := tx.ExecContext(ctx, "UPDATE run SET state = ?, outcome = ?, ended = ?, cloud_start = ?, hub_host = ? WHERE number = ?",
			r.State, r.Outcome, optionalTime(r.Ended), optionalTime(r.CloudStart), r.HubHost, number)
		return err
	})
}

// SetRunDevice notes which row of the catalog a run made or wrote.
func (c *Catalog) SetRunDevice(ctx context.Context, id, deviceUUID string) error {
	return c.writeHeld(ctx, id, "write run "+id, func(tx *sql.Tx, number int64) error {
		_, err := tx.ExecContext(ctx, "UPDATE run SET device_uuid = ? WHERE number = ?", deviceUUID, number)
		return err
	})
}

// Beat says that the holder of a run, which is this process, is alive. It
// matters to other computers only.
func (c *Catalog) Beat(ctx context.Context, id string) error {
	return c.writeHeld(ctx, id, "hold run "+id, func(*sql.Tx, int64) error { return nil })
}

// writeHeld writes to the journal of a run that this process holds, or that
// nobody does. A process that was taken for dead and is not gets ErrLocked
// here, before it can mix its steps with those of its successor.
func (c *Catalog) writeHeld(ctx context.Context, id, what string, do func(tx *sql.Tx, number int64) error) error {
	number, err := runNumber(id)
	if err != nil {
		return err
	}
	return c.transact(ctx, RunsChanged, what, func(tx *sql.Tx) error {
		var holder string
		err := tx.QueryRowContext(ctx, "SELECT holder FROM run WHERE number = ?", number).Scan(&holder)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrNotFound
		case err != nil:
			return err
		case holder != "" && holder != ThisProcess():
			return fmt.Errorf("another process carries it out: %w", ErrLocked)
		}
		if _, err := tx.ExecContext(ctx, "UPDATE run SET holder_seen = ? WHERE number = ?", timeText(time.Now()), number); err != nil {
			return err
		}
		return do(tx, number)
	})
}

// TakeOver makes to the holder of a run that from held; ErrLocked if somebody
// else was faster.
func (c *Catalog) TakeOver(ctx context.Context, id, from, to string) error {
	number, err := runNumber(id)
	if err != nil {
		return err
	}
	n, err := c.exec(ctx, RunsChanged, "take over run "+id, "UPDATE run SET holder = ?, holder_seen = ? WHERE number = ? AND holder = ?", to, timeText(time.Now()), number, from)
	if err == nil && n == 0 {
		err = fmt.Errorf("run %s was taken over by another process: %w", id, ErrLocked)
	}
	return err
}

// Run finds a run by its number or its UID.
func (c *Catalog) Run(ctx context.Context, id string) (Run, error) {
	if len(id) == uidLength {
		r, err := scanRun(c.read.QueryRowContext(ctx, "SELECT "+runColumns+" FROM run WHERE uid = ?", strings.ToLower(id)))
		return r, missing(err, "run "+id)
	}
	number, err := runNumber(id)
	if err != nil {
		return Run{}, err
	}
	r, err := scanRun(c.read.QueryRowContext(ctx, "SELECT "+runColumns+" FROM run WHERE number = ?", number))
	return r, missing(err, "run "+id)
}

// RunQuery narrows a list of runs.
type RunQuery struct {
	Batch, DeviceID, DeviceUUID, Target string
	// Unfinished leaves only runs without an end.
	Unfinished bool
	// Before leaves only runs older than the one of that ID, for the next page.
	Before string
	Limit  int // 0 means 200
}

// Runs lists runs, newest first.
func (c *Catalog) Runs(ctx context.Context, q RunQuery) ([]Run, error) {
	if q.Limit <= 0 {
		q.Limit = 200
	}
	where, args, err := q.where()
	if err != nil {
		return nil, err
	}
	rows, err := c.read.QueryContext(ctx, "SELECT "+runColumns+" FROM run "+where+" ORDER BY number DESC LIMIT ?", append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	list := []Run{}
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, fmt.Errorf("read runs: %w", known(err))
		}
		list = append(list, r)
	}
	return list, known(rows.Err())
}

// where repeats the conditions of the partial indexes, which are not used
// without them.
func (q RunQuery) where() (where string, args []any, err error) {
	if q.Batch != "" {
		where, args = and(where, "batch = ? AND batch <> ''"), append(args, q.Batch)
	}
	if q.DeviceID != "" {
		where, args = and(where, "device_id = ?"), append(args, q.DeviceID)
	}
	if q.Target != "" {
		where, args = and(where, "target = ?"), append(args, q.Target)
	}
	if q.DeviceUUID != "" {
		where, args = and(where, "device_uuid = ? AND device_uuid <> ''"), append(args, q.DeviceUUID)
	}
	if q.Unfinished {
		where = and(where, "ended IS NULL")
	}
	if q.Before != "" {
		number, err := runNumber(q.Before)
		if err != nil {
			return "", nil, err
		}
		where, args = and(where, "number < ?"), append(args, number)
	}
	return where, args, nil
}
