package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Catalog is an open catalog. It may be used from many goroutines, and several
// processes may have the same file open.
type Catalog struct {
	path     string
	write    *sql.DB
	read     *sql.DB
	watchers watchers
}

// Open opens the catalog at path and brings its schema up to date; a missing
// file is made, readable for its owner only. Files that it leaves untouched
// give ErrNewer, ErrForeign, ErrDamaged (see [Replace]) or ErrNetwork.
func Open(ctx context.Context, path string) (*Catalog, error) {
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	schema, err := embeddedMigrations()
	if err != nil {
		return nil, err
	}
	return openWith(ctx, path, schema)
}

func openWith(ctx context.Context, path string, schema []string) (_ *Catalog, err error) {
	// Looked at before the write-ahead log is switched on, which writes.
	if _, err := inspect(ctx, path, len(schema)); err != nil {
		return nil, fmt.Errorf("open catalog %s: %w", path, err)
	}
	c := &Catalog{path: path}
	defer func() {
		if err != nil {
			_ = c.Close()
		}
	}()
	if c.write, err = openPool(path, writeOptions(), 1); err != nil {
		return nil, err
	}
	if err := checkPragmas(ctx, c.write, map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": busyMilliseconds}); err != nil {
		return nil, err
	}
	if err := c.migrate(ctx, schema); err != nil {
		return nil, err
	}
	if c.read, err = openPool(path, readOptions(), readConnections); err != nil {
		return nil, err
	}
	if err := checkPragmas(ctx, c.read, map[string]string{"query_only": "1", "busy_timeout": busyMilliseconds}); err != nil {
		return nil, err
	}
	return c, nil
}

// makeFile makes the file with its mode from the first moment; SQLite gives
// the files of the write-ahead log the same.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	remote, err := onNetwork(filepath.Dir(path))
	if err != nil {
		return err
	}
	if remote {
		return fmt.Errorf("%s: %w", filepath.Dir(path), ErrNetwork)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// Path is the file that is open.
func (c *Catalog) Path() string { return c.path }

// Close closes the file.
func (c *Catalog) Close() error {
	var errs []error
	for _, pool := range []*sql.DB{c.read, c.write} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// transact runs do in one immediate transaction and tells the watchers.
func (c *Catalog) transact(ctx context.Context, change Change, what string, do func(tx *sql.Tx) error) error {
	tx, err := c.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, known(err))
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		return fmt.Errorf("%s: %w", what, known(err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, known(err))
	}
	c.watchers.tell(change)
	return nil
}

// exec runs one statement and tells how many rows it touched.
func (c *Catalog) exec(ctx context.Context, change Change, what, query string, args ...any) (int64, error) {
	result, err := c.write.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, known(err))
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	c.watchers.tell(change)
	return n, nil
}
