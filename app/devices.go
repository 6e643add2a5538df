package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
)

// The states of a device in the catalog.
const (
	StateProven      = "proven"
	StateRehearsed   = "rehearsed"
	StateConfigured  = "configured"
	StateDiffers     = "differs"
	StateRenewSoon   = "renew soon"
	StateFailed      = "failed"
	StateUnsupported = "unsupported"
	StateReplaced    = "replaced"
)

// Device is a device of the catalog.
type Device = catalog.Device

// DeviceQuery narrows, sorts and pages a list of devices.
type DeviceQuery = catalog.Query

// ImportResult says what an import did, with a finding per row that was left
// out.
type ImportResult struct {
	Added    int          `json:"added"`
	Updated  int          `json:"updated"`
	Findings finding.List `json:"findings"`
}

// Devices lists devices.
func (a *App) Devices(ctx context.Context, q DeviceQuery) ([]Device, error) {
	list, err := a.catalog.Search(ctx, q)
	return list, translate(err)
}

// Device finds one by UUID prefix or unambiguous device ID.
func (a *App) Device(ctx context.Context, id string) (Device, error) {
	device, err := a.catalog.Device(ctx, id)
	return device, translate(err)
}

// DeviceRuns lists the runs of a device, newest first.
func (a *App) DeviceRuns(ctx context.Context, deviceID string) ([]RunRow, error) {
	rows, err := a.catalog.Runs(ctx, catalog.RunQuery{DeviceID: deviceID, Limit: 100})
	if err != nil {
		return nil, translate(err)
	}
	list := make([]RunRow, 0, len(rows))
	for _, row := range rows {
		list = append(list, runRow(row))
	}
	return list, nil
}

// ForgetDevice removes a device from the catalog, and from nowhere else.
func (a *App) ForgetDevice(ctx context.Context, uuid string) error {
	return translate(a.catalog.DeleteDevice(ctx, uuid))
}

// ExportDevices writes the whole catalog as csv or json. It holds no secret.
func (a *App) ExportDevices(ctx context.Context, format string, w io.Writer) error {
	if format == "json" {
		return translate(a.catalog.ExportJSON(ctx, w))
	}
	return translate(a.catalog.ExportCSV(ctx, w))
}

// ExportDevicesTo writes the catalog into a file, whole or not at all.
func (a *App) ExportDevicesTo(ctx context.Context, format, name string) error {
	temp, err := os.CreateTemp(filepath.Dir(name), ".edgewright-export-*")
	if err != nil {
		return fmt.Errorf("export to %s: %w", name, err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	if err := a.ExportDevices(ctx, format, temp); err != nil {
		_ = temp.Close()
		return err
	}
	if err := temp.Sync(); err != nil {
		_ = temp.Close()
		return fmt.Errorf("export to %s: %w", name, err)
	}
	if err := temp.Close(); err != nil {
		return fmt.Errorf("export to %s: %w", name, err)
	}
	return os.Rename(temp.Name(), name)
}

// ImportDevices reads what ExportDevices wrote, JSON or CSV by its first
// character.
func (a *App) ImportDevices(ctx context.Context, r io.Reader) (ImportResult, error) {
	text, err := io.ReadAll(io.LimitReader(r, 256<<20))
	if err != nil {
		return ImportResult{}, fmt.Errorf("read the import: %w", err)
	}
	load := a.catalog.ImportCSV
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && (trimmed[0] == '[' || trimmed[0] == '{') {
		load = a.catalog.ImportJSON
	}
	result, err := load(ctx, bytes.NewReader(text))
	if err != nil {
		return ImportResult{}, translate(err)
	}
	out := ImportResult{Added: result.Added, Updated: result.Updated, Findings: finding.List{}}
	for _, f := range result.Findings {
		out.Findings = append(out.Findings, finding.Finding{Field: fmt.Sprintf("line %d %s", f.Row, f.Column), Level: finding.Error, Problem: f.Problem, Fix: f.Fix})
	}
	return out, nil
}

func isNotFound(err error) bool {
	return errors.Is(err, catalog.ErrNotFound) || errors.Is(err, provisioning.ErrNotFound)
}

// recordDevice writes the device's row as the end of a run leaves it. It may be
// repeated. A run that changed nothing and failed leaves the row alone, and one
// that is undone takes back what it recorded.
func (a *App) recordDevice(ctx context.Context, run provisioning.Run, sight func(context.Context) deviceSight) error {
	if run.Hub == "" && run.State != provisioning.RunUndone && run.State != provisioning.RunCancelled && run.State != provisioning.RunPartlyUndone {
		run.Hub = "unknown"
	}
	switch run.State {
	case provisioning.RunUndone, provisioning.RunCancelled, provisioning.RunPartlyUndone:
		return a.unrecordDevice(ctx, run)
	case provisioning.RunFailed:
		// A rotation that failed has put the device back.
		if !run.Outcome.Changed || run.Rotate != nil {
			return nil
		}
	}
	plan, err := run.Plan.TOML()
	if err != nil {
		return err
	}
	tags, err := json.Marshal(run.Plan.Device.Tags)
	if err != nil {
		return fmt.Errorf("tags of %s: %w", run.Plan.Device.ID, err)
	}
	seen := sight(ctx)
	row := catalog.Device{HubHost: run.Hub, DeviceID: run.Plan.Device.ID, State: stateOf(run.Outcome),
		Platform: string(run.Plan.Cell.Platform), Provisioning: string(run.Plan.Cell.Provisioning), Authentication: string(run.Plan.Cell.Authentication),
		Cloud: run.Plan.Cloud.Name, Enrollment: run.Plan.Cloud.Enrollment, Group: run.Plan.Cloud.Group, Target: run.Target,
		HostName: seen.hostName, MachineKey: seen.machineKey, RuntimeVersion: seen.runtime, Tags: string(tags), Plan: string(plan)}
	if run.Plan.Cell.Provisioning == provisioning.DPS {
		row.RegistrationID = run.RegistrationID()
	}
	if row.State == StateProven || row.State == StateRehearsed {
		row.LastProof = &run.Ended
	} else if before, err := a.catalog.DeviceAt(ctx, row.HubHost, row.DeviceID); err == nil {
		row.LastProof = before.LastProof
	}
	if err := a.keepState(ctx, run, &row); err != nil {
		return err
	}
	stored, err := a.catalog.PutDevice(ctx, row)
	if err != nil {
		return translate(err)
	}
	return translate(a.catalog.SetRunDevice(ctx, run.ID, stored.UUID))
}

// keepState leaves the state of a device as it was where a rotation could not be
// proven: what was proven of its identity holds on.
func (a *App) keepState(ctx context.Context, run provisioning.Run, row *Device) error {
	if run.Rotate == nil || run.State != provisioning.RunConfigured {
		return nil
	}
	before, err := a.catalog.DeviceAt(ctx, row.HubHost, row.DeviceID)
	if isNotFound(err) {
		return nil
	}
	row.State = before.State
	return translate(err)
}

// stateOf maps a run's end to the state of its device.
func stateOf(o provisioning.Outcome) string {
	switch {
	case o.Outcome == provisioning.RunSucceeded && o.Proof.Rehearsal:
		return StateRehearsed
	case o.Outcome == provisioning.RunSucceeded:
		return StateProven
	case o.Outcome == provisioning.RunConfigured:
		return StateConfigured
	}
	return StateFailed
}

// unrecordDevice brings the row back to what the run before this one left, or
// removes it where this run made it; then the row that it had replaced counts
// again.
func (a *App) unrecordDevice(ctx context.Context, run provisioning.Run) error {
	row, err := a.catalog.DeviceAt(ctx, run.Hub, run.Plan.Device.ID)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return translate(err)
	}
	before, err := a.runBefore(ctx, run.Plan.Device.ID, run.Plan.Cloud.Name, run.Started)
	if err != nil {
		return err
	}
	if before == nil {
		if err := a.catalog.DeleteDevice(ctx, row.UUID); err != nil {
			return translate(err)
		}
		return a.bringBack(ctx, row.MachineKey, run.Started)
	}
	return a.restore(ctx, row, before)
}

// runBefore is the last run of a device before a time that changed something
// and stands, or nil.
func (a *App) runBefore(ctx context.Context, deviceID, cloud string, started time.Time) (*catalog.Run, error) {
	earlier, err := a.catalog.Runs(ctx, catalog.RunQuery{DeviceID: deviceID, Limit: 1000})
	if err != nil {
		return nil, translate(err)
	}
	for _, row := range earlier {
		stands := row.State == string(provisioning.RunSucceeded) || row.State == string(provisioning.RunConfigured)
		if !row.Started.Before(started) || row.Cloud != cloud || !stands {
			continue
		}
		// One without a change found what an earlier run made, perhaps one
		// undone since.
		if runRow(row).Outcome.Changed {
			return &row, nil
		}
	}
	return nil, nil
}

// restore makes a row say what a run left.
func (a *App) restore(ctx context.Context, row Device, run *catalog.Run) error {
	row.Plan, row.Target, row.State, row.LastProof = run.Plan, run.Target, stateOf(runRow(*run).Outcome), run.Ended
	_, err := a.catalog.PutDevice(ctx, row)
	return translate(err)
}

// bringBack makes the row count again that was replaced last on a machine.
func (a *App) bringBack(ctx context.Context, machineKey string, started time.Time) error {
	row, err := a.catalog.LastReplaced(ctx, machineKey)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return translate(err)
	}
	before, err := a.runBefore(ctx, row.DeviceID, row.Cloud, started)
	if err != nil || before == nil {
		return err // it was imported, and nobody knows what it was
	}
	return a.restore(ctx, row, before)
}

// NeedsCare tells whether a device needs care.
func NeedsCare(state string) bool {
	switch state {
	case StateProven, StateRehearsed, StateConfigured, StateReplaced:
		return false
	}
	return true
}
