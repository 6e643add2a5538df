package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Backup writes a compact copy of the catalog to a file that must not exist
// yet, whole or not at all, readable for its owner only. What the vault keeps
// is in it as it is here: sealed.
func (c *Catalog) Backup(ctx context.Context, name string) error {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("backup to %s: %w", name, ErrExists)
	}
	// A folder of our own, because SQLite makes the file with the umask.
	temp, err := os.MkdirTemp(filepath.Dir(name), ".edgewright-backup-*")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	copied := filepath.Join(temp, "catalog.db")
	if _, err := c.write.ExecContext(ctx, "VACUUM INTO ?", copied); err != nil {
		return fmt.Errorf("backup: %w", known(err))
	}
	if err := putInPlace(copied, name); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// putInPlace gives a finished file its mode, brings it to the disk and then to
// its name.
func putInPlace(temp, name string) error {
	file, err := os.OpenFile(temp, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Chmod(0o600), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// Backups lists the copies that were made beside the catalog at path without
// being asked for, newest first. They are what to offer when it is damaged.
func Backups(path string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(escapeGlob(filepath.Dir(path)), "backups", "*.db"))
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	stamp := func(name string) string {
		name = strings.TrimSuffix(filepath.Base(name), ".db")
		return name[strings.LastIndexByte(name, '-')+1:]
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(stamp(b), stamp(a)) })
	return names, nil
}

// escapeGlob makes a folder's name mean itself (filepath.Match). On Windows
// nothing can be escaped; there only "[" is both a legal name and a pattern.
func escapeGlob(dir string) string {
	if filepath.Separator == '\\' {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}
