package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
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

// scanner is a row, or the rows of a result.
type scanner interface{ Scan(into ...any) error }

func scanDevice(row scanner) (d Device, err error) {
	err = row.Scan(&d.UUID, &d.HubHost, &d.DeviceID, &d.RegistrationID, &d.State, &d.Platform, &d.Provisioning, &d.Authentication,
		&d.Cloud, &d.Enrollment, &d.Group, &d.Target, &d.HostName, &d.MachineKey, &d.RuntimeVersion, storedTime{&d.CertificateEnds},
		storedTime{&d.LastProof}, &d.Tags, &d.Facts, &d.Plan, &d.Note, setTime{&d.Created}, setTime{&d.Updated})
	return d, err
}

// PutDevice writes the row of (HubHost, DeviceID), new or not, and returns it
// with its UUID. Where it says that the machine was provisioned, another row of
// the same machine is marked as replaced in the same transaction. A given UUID
// and a given time of creation are kept for a new row.
func (c *Catalog) PutDevice(ctx context.Context, d Device) (Device, error) {
	err := c.transact(ctx, DevicesChanged, "write device "+d.DeviceID, func(tx *sql.Tx) error {
		words, err := deviceWords.begin(ctx, tx)
		if err != nil {
			return err
		}
		d.Updated = time.Now()
		if d, _, err = putDevice(ctx, tx, words, d); err != nil {
			return err
		}
		_, err = words.settle(ctx)
		return err
	})
	return d, err
}

// putDevice writes the row as it is, with its Updated. The words of a new one are
// left to the caller, to settle with those of others.
func putDevice(ctx context.Context, tx *sql.Tx, words *newRows, d Device) (_ Device, added bool, err error) {
	if d.HubHost == "" || d.DeviceID == "" || !knownState(d.State) {
		return d, false, fmt.Errorf("%w: hub, device ID and a known state are needed", ErrInvalid)
	}
	// CSV knows one line end only (RFC 4180), and an export shall say the same
	// as the row.
	for _, field := range []*string{&d.Tags, &d.Facts, &d.Plan, &d.Note} {
		*field = lineEnds.Replace(*field)
	}
	for _, field := range []*string{&d.Tags, &d.Facts} {
		if *field == "" || *field == "null" {
			*field = "{}"
		}
		if !json.Valid([]byte(*field)) {
			return d, false, fmt.Errorf("%w: tags and facts are JSON", ErrInvalid)
		}
	}
	before, err := scanDevice(tx.QueryRowContext(ctx, "SELECT "+deviceColumns+" FROM device WHERE hub_host = ? AND device_id = ?", d.HubHost, d.DeviceID))
	switch {
	case err == nil:
		d.UUID, d.Created = before.UUID, before.Created
		if _, err := words.settle(ctx); err != nil {
			return d, false, err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return d, false, err
	default:
		added = true
		if d.UUID, err = freeUUID(ctx, tx, d.UUID); err != nil {
			return d, false, err
		}
		if d.Created.IsZero() {
			d.Created = d.Updated
		}
	}
	d.Created, d.Updated = d.Created.UTC(), d.Updated.UTC()
	_, err = tx.ExecContext(ctx, `INSERT INTO device (`+deviceColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT (hub_host, device_id) DO UPDATE SET registration_id=excluded.registration_id, state=excluded.state, platform=excluded.platform,
 provisioning=excluded.provisioning, authentication=excluded.authentication, cloud=excluded.cloud, enrollment=excluded.enrollment, grp=excluded.grp,
 target=excluded.target, host_name=excluded.host_name, machine_key=excluded.machine_key, runtime=excluded.runtime, cert_ends=excluded.cert_ends,
 last_proof=excluded.last_proof, tags=excluded.tags, facts=excluded.facts, plan=excluded.plan, note=excluded.note, updated=excluded.updated`,
		d.UUID, d.HubHost, d.DeviceID, d.RegistrationID, d.State, d.Platform, d.Provisioning, d.Authentication, d.Cloud, d.Enrollment, d.Group,
		d.Target, d.HostName, d.MachineKey, d.RuntimeVersion, optionalTime(d.CertificateEnds), optionalTime(d.LastProof), d.Tags, d.Facts,
		d.Plan, d.Note, timeText(d.Created), timeText(d.Updated))
	if err != nil || d.MachineKey == "" || !replacing(d.State) {
		return d, added, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE device SET state = ?, updated = ? WHERE machine_key = ? AND machine_key <> '' AND uuid <> ? AND state <> ?",
		stateReplaced, timeText(d.Updated), d.MachineKey, d.UUID, stateReplaced)
	return d, added, err
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// freeUUID gives the wanted UUID if it is one and no row has it, else a new one.
func freeUUID(ctx context.Context, tx *sql.Tx, wanted string) (string, error) {
	id, err := uuid.Parse(wanted)
	if err != nil {
		return uuid.NewString(), nil
	}
	var taken int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM device WHERE uuid = ?", id.String()).Scan(&taken); err != nil {
		return "", err
	}
	if taken > 0 {
		return uuid.NewString(), nil
	}
	return id.String(), nil
}

// LastReplaced gives the row of a machine that was marked as replaced last, or
// ErrNotFound.
func (c *Catalog) LastReplaced(ctx context.Context, machineKey string) (Device, error) {
	rows, err := c.devices(ctx, "WHERE machine_key = ? AND machine_key <> '' AND state = ? ORDER BY updated DESC, id DESC LIMIT 1", machineKey, stateReplaced)
	if err != nil {
		return Device{}, err
	}
	if len(rows) == 0 {
		return Device{}, fmt.Errorf("replaced device: %w", ErrNotFound)
	}
	return rows[0], nil
}

// DeviceAt finds the row of a hub's device.
func (c *Catalog) DeviceAt(ctx context.Context, hubHost, deviceID string) (Device, error) {
	d, err := scanDevice(c.read.QueryRowContext(ctx, "SELECT "+deviceColumns+" FROM device WHERE hub_host = ? AND device_id = ?", hubHost, deviceID))
	return d, missing(err, "device "+deviceID)
}

// Device finds a row by its device ID, if that is unambiguous, or by the first
// characters of its UUID (at least four). Of several rows with that device ID,
// one that is not replaced wins if it is the only one.
func (c *Catalog) Device(ctx context.Context, id string) (Device, error) {
	rows, err := c.devices(ctx, "WHERE device_id = ? ORDER BY state = 'replaced', hub_host LIMIT 5", id)
	if err == nil && len(rows) == 0 && len(id) >= 4 {
		rows, err = c.devices(ctx, "WHERE uuid >= ? AND uuid < ? LIMIT 5", strings.ToLower(id), strings.ToLower(id)+"~")
	}
	switch {
	case err != nil:
		return Device{}, err
	case len(rows) == 0:
		return Device{}, fmt.Errorf("device %s: %w", id, ErrNotFound)
	case len(rows) > 1 && (rows[0].State == stateReplaced || rows[1].State != stateReplaced):
		return Device{}, &AmbiguousError{ID: id, Devices: rows}
	}
	return rows[0], nil
}

// AmbiguousError names the rows, at most five, that an ID could mean. It is an
// ErrAmbiguous.
type AmbiguousError struct {
	ID      string
	Devices []Device
}

func (e *AmbiguousError) Error() string {
	var names []string
	for _, d := range e.Devices {
		names = append(names, fmt.Sprintf("%s (%s at %s)", d.UUID, d.DeviceID, d.HubHost))
	}
	return fmt.Sprintf("%s could be %s", e.ID, strings.Join(names, ", "))
}

// Unwrap makes it an ErrAmbiguous.
func (e *AmbiguousError) Unwrap() error { return ErrAmbiguous }

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
			return nil, fmt.Errorf("read devices: %w", known(err))
		}
		list = append(list, d)
	}
	return list, known(rows.Err())
}

// DeleteDevice removes a row by its whole UUID.
func (c *Catalog) DeleteDevice(ctx context.Context, id string) error {
	n, err := c.exec(ctx, DevicesChanged, "remove device "+id, "DELETE FROM device WHERE uuid = ?", id)
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
	return proofs, known(rows.Err())
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
