package catalog

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// Backup writes a compact copy of the catalog to a file that must not exist
// yet, whole or not at all, readable for its owner only.
func (c *Catalog) Backup(ctx context.Context, name string) error {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("backup to %s: %w", name, ErrExists)
	}
	temp, err := os.MkdirTemp(filepath.Dir(name), ".edgewright-backup-*")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	copied := filepath.Join(temp, "catalog.db")
	if _, err := c.write.ExecContext(ctx, "VACUUM INTO ?", copied); err != nil {
		return fmt.Errorf("backup: %w", known(err))
	}
	if err := syncFile(copied); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := os.Rename(copied, name); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

func syncFile(name string) error {
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(0o600), file.Sync(), file.Close())
}

// Restore puts a backup in the place of the catalog's content and returns the
// file in which the content from before is kept. The backup is checked first;
// it may be of an older schema, never of a newer one. Other processes that have
// the catalog open see the new content.
func (c *Catalog) Restore(ctx context.Context, name string) (kept string, err error) {
	if _, err := os.Stat(name); err != nil {
		return "", fmt.Errorf("restore from %s: %w", name, ErrNotFound)
	}
	if err := checkBackup(ctx, name); err != nil {
		return "", fmt.Errorf("restore from %s: %w", name, known(err))
	}
	dir := filepath.Join(filepath.Dir(c.path), "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	kept = filepath.Join(dir, "before-restore-"+time.Now().UTC().Format("20060102T150405.000")+".db")
	if err := c.Backup(ctx, kept); err != nil {
		return "", err
	}
	if err := c.copyFrom(ctx, name); err != nil {
		return kept, fmt.Errorf("restore: %w", known(err))
	}
	if err := c.migrate(ctx); err != nil {
		return kept, fmt.Errorf("restore: %w", err)
	}
	c.changed()
	return kept, nil
}

// checkBackup looks at a file before its content replaces ours.
func checkBackup(ctx context.Context, name string) error {
	db, err := openPool(name, url.Values{"mode": {"ro"}}, 1)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	id, version, _, err := identify(ctx, db)
	if err != nil {
		return err
	}
	all, err := migrations()
	if err != nil {
		return err
	}
	switch {
	case id != applicationID:
		return ErrForeign
	case version > len(all):
		return ErrNewer
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, verdict)
	}
	return nil
}
