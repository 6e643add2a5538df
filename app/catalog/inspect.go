package catalog

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
)

// applicationID marks the file as ours (PRAGMA application_id): "EdWr".
const applicationID = 0x45645772

// headerSize is the length of the header of an SQLite file
// (sqlite.org/fileformat2.html, 1.3).
const headerSize = 100

// inspect finds out whose file it is without writing to it, and gives the
// number of its schema; 0 is a new file. A file of another program is
// ErrForeign, one with a schema above newest ErrNewer.
func inspect(ctx context.Context, path string, newest int) (version int, err error) {
	empty, err := lookAtHeader(path)
	if err != nil || empty {
		return 0, err
	}
	pool, err := openPool(path, readOptions(), 1)
	if err != nil {
		return 0, err
	}
	defer func() { _ = pool.Close() }()
	id, version, tables, err := identify(ctx, pool)
	switch {
	case err != nil:
		return 0, known(err)
	case id != applicationID && (id != 0 || tables > 0):
		return 0, ErrForeign
	case version > newest:
		return 0, fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, version, newest)
	}
	return version, nil
}

// magic is what every SQLite file begins with.
const magic = "SQLite format 3\x00"

// lookAtHeader tells an empty file from one whose first page was lost, which
// reads as zeros after a power cut on some file systems. SQLite calls that
// "not a database", as it does a file of another kind; and a file that is too
// short to be one it takes for empty and overwrites.
func lookAtHeader(path string) (empty bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	header := make([]byte, headerSize)
	n, err := io.ReadFull(file, header)
	switch {
	case errors.Is(err, io.EOF):
		return true, nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, err
	case len(bytes.Trim(header[:n], "\x00")) == 0:
		return false, fmt.Errorf("%w: its first page is empty", ErrDamaged)
	case n < headerSize || !bytes.HasPrefix(header, []byte(magic)):
		return false, ErrForeign
	}
	return false, nil
}

func identify(ctx context.Context, db querier) (id, version, tables int, err error) {
	for _, q := range []struct {
		query string
		into  *int
	}{{"PRAGMA application_id", &id}, {"PRAGMA user_version", &version}, {"SELECT count(*) FROM sqlite_schema", &tables}} {
		if err := db.QueryRowContext(ctx, q.query).Scan(q.into); err != nil {
			return 0, 0, 0, fmt.Errorf("identify the file: %w", err)
		}
	}
	return id, version, tables, nil
}

// querier is a pool or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Check reads the whole file and gives ErrDamaged with what SQLite found. It
// takes about half a second per 100,000 devices, so it belongs into the
// background after an unclean end, not into a start.
func (c *Catalog) Check(ctx context.Context) error {
	return check(ctx, c.read, "quick_check")
}

// check runs quick_check or integrity_check; damage is an answer there, not an
// error.
func check(ctx context.Context, db querier, pragma string) error {
	rows, err := db.QueryContext(ctx, "PRAGMA "+pragma+"(10)")
	if err != nil {
		return known(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var verdict string
		if err := rows.Scan(&verdict); err != nil {
			return known(err)
		}
		if verdict != "ok" {
			return fmt.Errorf("%w: %s", ErrDamaged, verdict)
		}
	}
	return known(rows.Err())
}
