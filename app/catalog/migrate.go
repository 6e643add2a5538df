package catalog

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// embeddedMigrations are the statements of the schema, by number from 1 on.
// One that has been released is never changed.
func embeddedMigrations() ([]string, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted by name
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var all []string
	for _, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		all = append(all, string(text))
	}
	return all, nil
}

// migrate brings the schema up to date, all steps and the new number in one
// transaction. A file that holds data is copied first.
func (c *Catalog) migrate(ctx context.Context, schema []string) error {
	version, err := inspect(ctx, c.path, len(schema))
	if err != nil || version == len(schema) {
		return err
	}
	if version > 0 {
		name, err := c.backupName(fmt.Sprintf("before-schema-%d", version+1))
		if err != nil {
			return err
		}
		if err := c.Backup(ctx, name); err != nil {
			return fmt.Errorf("copy before migrating: %w", err)
		}
	}
	conn, err := c.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { _ = conn.Close() }()
	// Tables that others refer to can be rebuilt only while the references are
	// not enforced (sqlite.org/lang_altertable.html, 7), and that cannot be
	// switched inside of a transaction.
	if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = off"); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = on") }()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migrate: %w", known(err))
	}
	defer func() { _ = tx.Rollback() }()
	// Another process may have migrated while this one waited.
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("migrate: %w", known(err))
	}
	for number := version + 1; number <= len(schema); number++ {
		if _, err := tx.ExecContext(ctx, schema[number-1]); err != nil {
			return fmt.Errorf("migrate to schema %d: %w", number, known(err))
		}
	}
	if err := checkReferences(ctx, tx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if version < len(schema) {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d", len(schema), applicationID)); err != nil {
			return fmt.Errorf("migrate: %w", known(err))
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("migrate: %w", known(err))
	}
	return nil
}

// checkReferences fails if a row refers to one that is not there.
func checkReferences(ctx context.Context, db querier) error {
	rows, err := db.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return known(err)
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		return fmt.Errorf("%w: a row refers to one that is missing", ErrDamaged)
	}
	return known(rows.Err())
}

// backupName gives a new name in the folder of the copies that are made
// without being asked for.
func (c *Catalog) backupName(reason string) (string, error) {
	return backupName(c.path, reason)
}

func backupName(path, reason string) (string, error) {
	dir := filepath.Join(filepath.Dir(path), "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("copy of the catalog: %w", err)
	}
	return filepath.Join(dir, reason+"-"+time.Now().UTC().Format("20060102T150405.000000")+".db"), nil
}
