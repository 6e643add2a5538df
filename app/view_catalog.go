package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"edgewright/app/catalog"
	"edgewright/provisioning"
)

// FoundDevices counts what a query finds beyond its limit; more says that not
// even all of that was counted.
func (a *App) FoundDevices(ctx context.Context, q DeviceQuery) (n int, more bool, err error) {
	n, more, err = a.catalog.Found(ctx, q)
	return n, more, translate(err)
}

// ExportPlan writes the plan of a device (TOML, no secrets) into a file, whole
// or not at all; a file of that name is replaced.
func (a *App) ExportPlan(ctx context.Context, uuid, name string) error {
	device, err := a.Device(ctx, uuid)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(name), ".edgewright-plan-*")
	if err != nil {
		return fmt.Errorf("export the plan to %s: %w", name, err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.WriteString(device.Plan)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("export the plan to %s: %w", name, err)
	}
	return os.Rename(temp.Name(), name)
}

// CarriesOut tells whether this process carries a run out, so that CancelRun
// reaches it.
func (a *App) CarriesOut(id string) bool {
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	_, ok := a.live.cancels[id]
	return ok
}

// LetGo gives up a run, or those of a batch, that this process has claimed and
// does not carry out: a Resume or Undo that could not begin. It then counts as
// cut short again.
func (a *App) LetGo(ctx context.Context, id string) error {
	rows, _, err := a.runsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if provisioning.RunState(row.State).Ended() || row.Holder != catalog.ThisProcess() || a.CarriesOut(row.ID) {
			continue
		}
		if err := a.catalog.TakeOver(ctx, row.ID, row.Holder, ""); err != nil {
			return translate(err)
		}
	}
	return nil
}
