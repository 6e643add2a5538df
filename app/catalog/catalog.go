package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// What callers tell apart with errors.Is.
var (
	ErrNotFound  = errors.New("not in the catalog")
	ErrAmbiguous = errors.New("more than one fits")
	ErrExists    = errors.New("exists already")
	ErrLocked    = errors.New("locked by another run")
	ErrNewer     = errors.New("the catalog is from a newer version")
	ErrForeign   = errors.New("the file is not a catalog")
	ErrDamaged   = errors.New("the catalog is damaged")
	ErrInvalid   = errors.New("cannot be stored")
)

// applicationID marks the file as ours (PRAGMA application_id): "EdWr".
const applicationID = 0x45645772

// Catalog is an open catalog. It may be used from many goroutines, and several
// processes may have the same file open.
type Catalog struct {
	path  string
	write *sql.DB
	read  *sql.DB

	mu       sync.Mutex
	watchers map[int]func()
	nextID   int
}

// Open opens the catalog at path and brings its schema up to date; a missing
// file is made, readable for its owner only. It gives ErrNewer, ErrForeign or
// ErrDamaged for files that it leaves as they are.
func Open(ctx context.Context, path string) (*Catalog, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	c := &Catalog{path: path, watchers: map[int]func(){}}
	c.write, err = openPool(path, url.Values{"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"}}, 1)
	if err != nil {
		return nil, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(known(err), c.write.Close())
	}
	c.read, err = openPool(path, url.Values{"mode": {"ro"}, "_query_only": {"true"}}, 4)
	if err != nil {
		return nil, errors.Join(err, c.write.Close())
	}
	return c, nil
}

// openPool opens path for SQLite. The path goes through a URL, because "#", "?"
// and "%" in a file name would otherwise open another file.
func openPool(path string, options url.Values, connections int) (*sql.DB, error) {
	options.Set("_busy_timeout", "10000")
	options.Set("_foreign_keys", "on")
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	full = filepath.ToSlash(full)
	if !strings.HasPrefix(full, "/") {
		full = "/" + full // a drive letter
	}
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: full, RawQuery: options.Encode()}).String()
	pool, err := sql.Open("sqlite3", name)
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(0)
	return pool, nil
}

// prepare checks that the options took effect, whose misspelling SQLite's
// driver would not mention, and migrates.
func (c *Catalog) prepare(ctx context.Context) error {
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := c.write.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return fmt.Errorf("open catalog: %w", err)
		}
		if got != want {
			return fmt.Errorf("open catalog: %s is %s, want %s (is the folder on a network drive?)", pragma, got, want)
		}
	}
	return c.migrate(ctx)
}

// Path is the file that is open.
func (c *Catalog) Path() string { return c.path }

// Close closes the file.
func (c *Catalog) Close() error { return errors.Join(c.read.Close(), c.write.Close()) }

// known puts our own error in front of SQLite's.
func known(err error) error {
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return err
	}
	switch {
	case lite.Code == sqlite3.ErrNotADB:
		return fmt.Errorf("%w: %w", ErrForeign, err)
	case lite.Code == sqlite3.ErrCorrupt:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// transact runs do in one immediate transaction and tells the watchers.
func (c *Catalog) transact(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
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
	c.changed()
	return nil
}

// exec runs one statement and tells how many rows it touched.
func (c *Catalog) exec(ctx context.Context, what, query string, args ...any) (int64, error) {
	result, err := c.write.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, known(err))
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	c.changed()
	return n, nil
}

// Watch calls changed after each write of this process, on the writer's
// goroutine, until the returned function is called.
func (c *Catalog) Watch(changed func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.nextID
	c.nextID++
	c.watchers[id] = changed
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, id)
	}
}

func (c *Catalog) changed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, watcher := range c.watchers {
		watcher()
	}
}

// timeFormat sorts as text in the order of time.
const timeFormat = "2006-01-02T15:04:05.000000000Z"

func timeText(t time.Time) string { return t.UTC().Format(timeFormat) }

func optionalTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return timeText(*t)
}

// storedTime reads a time column that may be NULL.
type storedTime struct{ at **time.Time }

// Scan implements sql.Scanner.
func (s storedTime) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		*s.at = nil
		return nil
	}
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return err
	}
	*s.at = &t
	return nil
}

// setTime reads a time column that is never NULL.
type setTime struct{ at *time.Time }

// Scan implements sql.Scanner.
func (s setTime) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("time column holds %T", value)
	}
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return err
	}
	*s.at = t
	return nil
}
