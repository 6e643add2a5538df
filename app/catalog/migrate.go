package catalog

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations are the statements of the schema, by number from 1 on.
func migrations() ([]string, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	var all []string
	for _, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, string(text))
	}
	return all, nil
}

// migrate checks whose file it is and brings the schema up to date, in one
// transaction. A file that holds data is copied first.
func (c *Catalog) migrate(ctx context.Context) error {
	all, err := migrations()
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	id, version, tables, err := identify(ctx, c.write)
	switch {
	case err != nil:
		return err
	case id != applicationID && (id != 0 || tables > 0):
		return ErrForeign
	case version > len(all):
		return fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, version, len(all))
	case version == len(all):
		return nil
	}
	if version > 0 {
		if err := c.copyBefore(ctx, version); err != nil {
			return err
		}
	}
	tx, err := c.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	// Another process may have migrated while this one waited.
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for number := version + 1; number <= len(all); number++ {
		if _, err := tx.ExecContext(ctx, all[number-1]); err != nil {
			return fmt.Errorf("migrate to schema %d: %w", number, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", len(all), applicationID)); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return tx.Commit()
}

func identify(ctx context.Context, db *sql.DB) (id, version, tables int, err error) {
	for query, into := range map[string]*int{"PRAGMA application_id": &id, "PRAGMA user_version": &version, "SELECT count(*) FROM sqlite_schema": &tables} {
		if err := db.QueryRowContext(ctx, query).Scan(into); err != nil {
			return 0, 0, 0, fmt.Errorf("identify the file: %w", err)
		}
	}
	return id, version, tables, nil
}

// copyBefore keeps the file as it was before a migration.
func (c *Catalog) copyBefore(ctx context.Context, version int) error {
	dir := filepath.Join(filepath.Dir(c.path), "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("copy before migrating: %w", err)
	}
	name := filepath.Join(dir, fmt.Sprintf("before-schema-%d-%s.db", version+1, time.Now().UTC().Format("20060102T150405.000")))
	if _, err := c.write.ExecContext(ctx, "VACUUM INTO ?", name); err != nil {
		return fmt.Errorf("copy before migrating: %w", err)
	}
	return os.Chmod(name, 0o600)
}
