package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Device is a row of the catalog. Tags and Facts are JSON objects, Plan is
// TOML; none of them holds a secret. Of HubHost and DeviceID there is only one
// row.
type Device struct {
	UUID            string     `json:"uuid"`
	HubHost         string     `json:"hub_host"`
	DeviceID        string     `json:"device_id"`
	RegistrationID  string     `json:"registration_id"`
	State           string     `json:"state"`
	Platform        string     `json:"platform"`
	Provisioning    string     `json:"provisioning"`
	Authentication  string     `json:"authentication"`
	Cloud           string     `json:"cloud"`
	Enrollment      string     `json:"enrollment"`
	Group           string     `json:"group"`
	Target          string     `json:"target"`
	HostName        string     `json:"host_name"`
	MachineKey      string     `json:"machine_key"`
	RuntimeVersion  string     `json:"runtime"`
	CertificateEnds *time.Time `json:"certificate_ends"`
	LastProof       *time.Time `json:"last_proof"`
	Tags            string     `json:"tags"`
	Facts           string     `json:"facts"`
	Plan            string     `json:"plan"`
	Note            string     `json:"note"`
	Created         time.Time  `json:"created"`
	Updated         time.Time  `json:"updated"`
}

const deviceColumns = `uuid, hub_host, device_id, registration_id, state, platform, provisioning, authentication, cloud,
 enrollment, grp, target, host_name, machine_key, runtime, cert_ends, last_proof, tags, facts, plan, note, created, updated`

type scanner interface{ Scan(into ...any) error }

func scanDevice(row scanner) (d Device, err error) {
	err = row.Scan(&d.UUID, &d.HubHost, &d.DeviceID, &d.RegistrationID, &d.State, &d.Platform, &d.Provisioning, &d.Authentication,
		&d.Cloud, &d.Enrollment, &d.Group, &d.Target, &d.HostName, &d.MachineKey, &d.RuntimeVersion, storedTime{&d.CertificateEnds},
		storedTime{&d.LastProof}, &d.Tags, &d.Facts, &d.Plan, &d.Note, setTime{&d.Created}, setTime{&d.Updated})
	return d, err
}

// stateReplaced marks the row of a device whose machine became another one.
const stateReplaced = "replaced"

// PutDevice writes the row of (HubHost, DeviceID), new or not, and returns it
// with its UUID. Another row of the same machine is marked as replaced in the
// same transaction.
func (c *Catalog) PutDevice(ctx context.Context, d Device) (Device, error) {
	err := c.transact(ctx, "write device "+d.DeviceID, func(tx *sql.Tx) error {
		var err error
		d, _, err = putDevice(ctx, tx, d, time.Now())
		return err
	})
	return d, err
}

func putDevice(ctx context.Context, tx *sql.Tx, d Device, now time.Time) (_ Device, added bool, err error) {
	if d.HubHost == "" || d.DeviceID == "" || d.State == "" {
		return d, false, fmt.Errorf("%w: hub, device ID and state are needed", ErrInvalid)
	}
	before, err := scanDevice(tx.QueryRowContext(ctx, "SELECT "+deviceColumns+" FROM device WHERE hub_host = ? AND device_id = ?", d.HubHost, d.DeviceID))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		added = true
		d.UUID, d.Created = uuid.NewString(), now.UTC()
	case err != nil:
		return d, false, err
	default:
		d.UUID, d.Created = before.UUID, before.Created
	}
	d.Updated = now.UTC()
	for _, field := range []*string{&d.Tags, &d.Facts} {
		if *field == "" || *field == "null" {
			*field = "{}"
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO device (`+deviceColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT (hub_host, device_id) DO UPDATE SET registration_id=excluded.registration_id, state=excluded.state, platform=excluded.platform,
 provisioning=excluded.provisioning, authentication=excluded.authentication, cloud=excluded.cloud, enrollment=excluded.enrollment, grp=excluded.grp,
 target=excluded.target, host_name=excluded.host_name, machine_key=excluded.machine_key, runtime=excluded.runtime, cert_ends=excluded.cert_ends,
 last_proof=excluded.last_proof, tags=excluded.tags, facts=excluded.facts, plan=excluded.plan, note=excluded.note, updated=excluded.updated`,
		d.UUID, d.HubHost, d.DeviceID, d.RegistrationID, d.State, d.Platform, d.Provisioning, d.Authentication, d.Cloud, d.Enrollment, d.Group,
		d.Target, d.HostName, d.MachineKey, d.RuntimeVersion, optionalTime(d.CertificateEnds), optionalTime(d.LastProof), d.Tags, d.Facts,
		d.Plan, d.Note, timeText(d.Created), timeText(d.Updated))
	if err != nil || d.MachineKey == "" || d.State == stateReplaced {
		return d, added, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE device SET state = ?, updated = ? WHERE machine_key = ? AND uuid <> ? AND state <> ?",
		stateReplaced, timeText(now), d.MachineKey, d.UUID, stateReplaced)
	return d, added, err
}

// DeviceAt finds the row of a hub's device.
func (c *Catalog) DeviceAt(ctx context.Context, hubHost, deviceID string) (Device, error) {
	d, err := scanDevice(c.read.QueryRowContext(ctx, "SELECT "+deviceColumns+" FROM device WHERE hub_host = ? AND device_id = ?", hubHost, deviceID))
	return d, missing(err, "device "+deviceID)
}

// Device finds a row by its device ID, if that is unambiguous, or by the first
// characters of its UUID (at least four).
func (c *Catalog) Device(ctx context.Context, id string) (Device, error) {
	rows, err := c.devices(ctx, "WHERE device_id = ? LIMIT 2", id)
	if err == nil && len(rows) == 0 && len(id) >= 4 {
		rows, err = c.devices(ctx, "WHERE uuid >= ? AND uuid < ? LIMIT 2", strings.ToLower(id), strings.ToLower(id)+"~")
	}
	switch {
	case err != nil:
		return Device{}, err
	case len(rows) == 0:
		return Device{}, fmt.Errorf("device %s: %w", id, ErrNotFound)
	case len(rows) > 1:
		return Device{}, fmt.Errorf("device %s: %w", id, ErrAmbiguous)
	}
	return rows[0], nil
}

func (c *Catalog) devices(ctx context.Context, where string, args ...any) ([]Device, error) {
	rows, err := c.read.QueryContext(ctx, "SELECT "+deviceColumns+" FROM device "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	list := []Device{}
	for rows.Next() {
		d, err := scanDevice(rows)
		if err != nil {
			return nil, fmt.Errorf("read devices: %w", err)
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// DeleteDevice removes a row by its whole UUID.
func (c *Catalog) DeleteDevice(ctx context.Context, id string) error {
	n, err := c.exec(ctx, "remove device "+id, "DELETE FROM device WHERE uuid = ?", id)
	if err == nil && n == 0 {
		err = fmt.Errorf("device %s: %w", id, ErrNotFound)
	}
	return err
}

// LastProofs gives the newest proof of each cell, by
// "platform/provisioning/authentication".
func (c *Catalog) LastProofs(ctx context.Context) (map[string]time.Time, error) {
	rows, err := c.read.QueryContext(ctx, `SELECT platform || '/' || provisioning || '/' || authentication, max(last_proof)
 FROM device WHERE last_proof IS NOT NULL GROUP BY 1`)
	if err != nil {
		return nil, fmt.Errorf("read proofs: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	proofs := map[string]time.Time{}
	for rows.Next() {
		var cell string
		var at time.Time
		if err := rows.Scan(&cell, setTime{&at}); err != nil {
			return nil, fmt.Errorf("read proofs: %w", err)
		}
		proofs[cell] = at
	}
	return proofs, rows.Err()
}

// missing turns "no rows" into ErrNotFound of a subject.
func missing(err error, subject string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", subject, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", subject, known(err))
	}
	return nil
}
