package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// copyFrom replaces the content of the open catalog by that of another file,
// through SQLite's online backup, page by page in one transaction.
func (c *Catalog) copyFrom(ctx context.Context, name string) error {
	source, err := openPool(name, url.Values{"mode": {"ro"}}, 1)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	return withConn(ctx, source, func(from *sqlite3.SQLiteConn) error {
		return withConn(ctx, c.write, func(to *sqlite3.SQLiteConn) error {
			backup, err := to.Backup("main", from, "main")
			if err != nil {
				return err
			}
			done, err := backup.Step(-1)
			if err == nil && !done {
				err = errors.New("the copy did not end")
			}
			return errors.Join(err, backup.Finish())
		})
	})
}

// withConn gives do the driver's own connection.
func withConn(ctx context.Context, db *sql.DB, do func(*sqlite3.SQLiteConn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(driver any) error {
		lite, ok := driver.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("the driver's connection is a %T", driver)
		}
		return do(lite)
	})
}
