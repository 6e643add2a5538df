package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// Restore puts a backup in the place of the catalog's content and returns the
// file in which the content from before is kept. The backup is checked first;
// it may be of an older schema, never of a newer one. Other processes that have
// the catalog open see the new content. Where the catalog cannot be opened any
// more, see [Replace].
func (c *Catalog) Restore(ctx context.Context, name string) (kept string, err error) {
	schema, err := embeddedMigrations()
	if err != nil {
		return "", err
	}
	if err := checkBackup(ctx, name, len(schema)); err != nil {
		return "", fmt.Errorf("restore from %s: %w", name, err)
	}
	kept, err = c.backupName("before-restore")
	if err != nil {
		return "", err
	}
	if err := c.Backup(ctx, kept); err != nil {
		return "", err
	}
	if err := c.copyFrom(ctx, name); err != nil {
		return kept, fmt.Errorf("restore: %w", known(err))
	}
	if err := c.migrate(ctx, schema); err != nil {
		return kept, fmt.Errorf("restore: %w", err)
	}
	c.watchers.tell(EverythingChanged)
	return kept, nil
}

// Replace puts a backup in the place of a catalog that cannot be opened, and
// returns the name under which the damaged file is kept, with its log files
// beside it. No process may have the catalog open; as far as that can be found
// out, it is ErrBusy.
func Replace(ctx context.Context, path, name string) (kept string, err error) {
	schema, err := embeddedMigrations()
	if err != nil {
		return "", err
	}
	if err := checkBackup(ctx, name, len(schema)); err != nil {
		return "", fmt.Errorf("restore from %s: %w", name, err)
	}
	if err := alone(ctx, path); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	temp, err := copyAside(name, path)
	if err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	defer func() { _ = os.Remove(temp) }()
	kept, err = backupName(path, "damaged")
	if err != nil {
		return "", err
	}
	// The logs first: without them the old file stands for itself, but the new
	// one beside old logs would be damaged by them.
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(path+suffix, kept+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("restore: %w", err)
		}
	}
	if err := putInPlace(temp, path); err != nil {
		return kept, fmt.Errorf("restore: %w", err)
	}
	return kept, nil
}

// checkBackup looks at a file before its content replaces ours.
func checkBackup(ctx context.Context, name string, newest int) error {
	version, err := inspect(ctx, name, newest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrNotFound
	case err != nil:
		return err
	case version == 0:
		return ErrForeign
	}
	pool, err := openPool(name, readOptions(), 1)
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	return check(ctx, pool, "integrity_check")
}

// alone gives ErrBusy if another process has the catalog open. In exclusive
// mode the first read locks the file, which fails while anybody else has it
// open, and writes nothing. Damage is no answer to the question.
func alone(ctx context.Context, path string) error {
	pool, err := openPool(path, url.Values{"mode": {"rw"}, "_locking_mode": {"EXCLUSIVE"}, "_busy_timeout": {"500"}}, 1)
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	if _, _, _, err = identify(ctx, pool); errors.Is(known(err), ErrBusy) {
		return known(err)
	}
	return nil
}

// copyAside copies a backup into the folder of the catalog, from where it can
// be renamed.
func copyAside(name, path string) (temp string, err error) {
	from, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = from.Close() }()
	to, err := os.CreateTemp(filepath.Dir(path), ".edgewright-restore-*") // made with 0600
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		_ = os.Remove(to.Name())
		return "", err
	}
	return to.Name(), nil
}
