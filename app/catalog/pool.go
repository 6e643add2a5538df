package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// busyMilliseconds is how long a connection waits for another process that
// writes.
const busyMilliseconds = "10000"

// keptStatements is how many prepared statements a connection keeps: to prepare one
// takes longer than most take to run.
const keptStatements = "64"

// readConnections is how many queries may run at once.
const readConnections = 4

func writeOptions() url.Values {
	return url.Values{"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"}}
}

func readOptions() url.Values {
	return url.Values{"mode": {"ro"}, "_query_only": {"true"}}
}

// openPool prepares connections to path. The path goes through a URL, because
// "#", "?" and "%" in a file name would otherwise open another file
// (sqlite.org/uri.html).
func openPool(path string, options url.Values, connections int) (*sql.DB, error) {
	if !options.Has("_busy_timeout") {
		options.Set("_busy_timeout", busyMilliseconds)
	}
	options.Set("_foreign_keys", "on")
	options.Set("_stmt_cache_size", keptStatements)
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	full = filepath.ToSlash(full)
	if !strings.HasPrefix(full, "/") {
		full = "/" + full // a drive letter
	}
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: full, RawQuery: options.Encode()}).String()
	pool, err := sql.Open("sqlite3", name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(0)
	return pool, nil
}

// checkPragmas reads back what the options of a pool should have set: the
// driver ignores a key that it does not know.
func checkPragmas(ctx context.Context, pool *sql.DB, want map[string]string) error {
	for pragma, value := range want {
		var got string
		if err := pool.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return fmt.Errorf("open catalog: %w", known(err))
		}
		if got != value {
			return fmt.Errorf("open catalog: %s is %s, want %s", pragma, got, value)
		}
	}
	return nil
}
