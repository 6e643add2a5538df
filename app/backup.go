package app

import (
	"context"
	"fmt"

	"edgewright/provisioning"
)

// MakeBackup copies the catalog into a file that must not exist. Secrets in it
// stay sealed; opening them elsewhere needs the vault's passphrase.
func (a *App) MakeBackup(ctx context.Context, name string) error {
	return translate(a.catalog.Backup(ctx, name))
}

// RestoreBackup puts a backup in the place of the catalog and says where the
// catalog from before is kept.
func (a *App) RestoreBackup(ctx context.Context, name string) (kept string, err error) {
	if n := a.LiveRuns(); n > 0 {
		return "", &provisioning.Error{Kind: provisioning.ErrBusy, Message: fmt.Sprintf("%d runs are going on.", n),
			Hint: "Wait for them, or cancel them first."}
	}
	kept, err = a.catalog.Restore(ctx, name)
	return kept, translate(err)
}
