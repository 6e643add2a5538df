package practice

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

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// Sealer encrypts what the practice cloud keeps. record names the row and must
// be bound to the ciphertext, so that rows cannot be swapped.
type Sealer interface {
	Seal(record string, plain []byte) ([]byte, error)
	Open(record string, sealed []byte) ([]byte, error)
}

const (
	databaseFile  = "practice.db"
	applicationID = 0x45775063 // "EwPc", marks the file as ours
	schemaVersion = 1
	schema        = `CREATE TABLE object (
		kind TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, sealed BLOB NOT NULL,
		PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID`
	// lazyDelay bounds how long a write that nobody waits for stays in memory.
	lazyDelay = 500 * time.Millisecond
)

// Kinds of objects. The IDs of kindDevice are HUB/DEVICE, those of kindModule
// HUB/DEVICE/MODULE, of kindMessage HUB/DEVICE/NUMBER, of kindConfiguration
// HUB/CONFIGURATION, of kindJob and kindSchedule HUB/JOB, of kindScheduleRows
// HUB/JOB/NUMBER, of kindCA OWNER/NAME; no part has a slash in it.
const (
	kindSettings      = "settings"
	kindDevice        = "device"
	kindModule        = "module"
	kindMessage       = "message"
	kindEnrollment    = "enrollment"
	kindGroup         = "group"
	kindRegistration  = "registration"
	kindCA            = "ca"
	kindConfiguration = "configuration"
	kindJob           = "job"
	kindSchedule      = "schedule"
	kindScheduleRows  = "schedulerows"
)

type objectKey struct{ kind, id string }

// record names the object for the Sealer.
func (k objectKey) record() string { return k.kind + "/" + k.id }

// write is the whole new state of an object; nil plain removes it.
type write struct {
	objectKey
	plain []byte
}

// batch is a set of writes that become durable together. err is set before
// done is closed.
type batch struct {
	writes map[objectKey][]byte
	urgent bool
	done   chan struct{}
	err    error
}

func newBatch() *batch {
	return &batch{writes: map[objectKey][]byte{}, done: make(chan struct{})}
}

// wait returns when the batch is on disk, or why it is not. A nil batch is.
func (b *batch) wait() error {
	if b == nil {
		return nil
	}
	<-b.done
	return b.err
}

// store keeps sealed objects in an SQLite file. Writes that come while a
// commit is under way share the next one.
type store struct {
	db     *sql.DB
	sealer Sealer

	mu     sync.Mutex
	next   *batch // collects
	flying *batch // is being committed, or nil
	failed error  // after a failed commit, until reset
	closed bool
	wake   chan struct{}
	quit   chan struct{}
	ended  chan struct{}
	seq    int64 // used by the committing goroutine only
}

// openStore opens or makes the database in dir.
func openStore(ctx context.Context, dir string, sealer Sealer) (*store, error) {
	path := filepath.Join(dir, databaseFile)
	// SQLite would make the file readable for everybody.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open practice state: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open practice state: %w", err)
	}
	db, err := sql.Open("sqlite3", databaseURI(path))
	if err != nil {
		return nil, fmt.Errorf("open practice state %s: %w", path, err)
	}
	// One connection: the writer. The reads are few and happen at the start.
	db.SetMaxOpenConns(1)
	s := &store{db: db, sealer: sealer, next: newBatch(), wake: make(chan struct{}, 1),
		quit: make(chan struct{}), ended: make(chan struct{})}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open practice state %s: %w", path, err), db.Close())
	}
	go s.run()
	return s, nil
}

// databaseURI escapes the path, since SQLite would cut it at # and ?
// (https://sqlite.org/uri.html).
func databaseURI(path string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") && filepath.IsAbs(path) {
		slashed = "/" + slashed // a drive letter
	}
	query := url.Values{"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_busy_timeout": {"5000"},
		"_foreign_keys": {"on"}, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: slashed, RawQuery: query.Encode()}).String()
}

// prepare checks that the driver took the settings, since it ignores what it
// does not know, and makes the table in a new file.
func (s *store) prepare(ctx context.Context) error {
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
		var got string
		if err := s.db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return fmt.Errorf("read %s: %w", pragma, err)
		}
		if got != want {
			return fmt.Errorf("%s is %s, not %s; use a folder on a local disk", pragma, got, want)
		}
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	var application, version, tables int64
	for query, into := range map[string]*int64{"PRAGMA application_id": &application, "PRAGMA user_version": &version,
		"SELECT count(*) FROM sqlite_schema": &tables} {
		if err := tx.QueryRowContext(ctx, query).Scan(into); err != nil {
			return err
		}
	}
	switch {
	case application == applicationID && version == schemaVersion:
		return tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM object").Scan(&s.seq)
	case application == applicationID && version > schemaVersion:
		return errors.New("it was made by a newer Edgewright")
	case application != 0 || tables != 0:
		return errors.New("it is not a practice cloud's")
	}
	for _, statement := range []string{schema, fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		fmt.Sprintf("PRAGMA user_version = %d", schemaVersion)} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// load gives the opened objects of a kind, or of all kinds if it is empty.
func (s *store) load(ctx context.Context, kind string, each func(key objectKey, plain []byte) error) error {
	rows, err := s.db.QueryContext(ctx, "SELECT kind, id, sealed FROM object WHERE ?1 = '' OR kind = ?1 ORDER BY kind, id", kind)
	if err != nil {
		return fmt.Errorf("read practice state: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key objectKey
		var sealed []byte
		if err := rows.Scan(&key.kind, &key.id, &sealed); err != nil {
			return fmt.Errorf("read practice state: %w", err)
		}
		plain, err := s.sealer.Open(key.record(), sealed)
		if err != nil {
			return fmt.Errorf("open %s of the practice state: %w", key.record(), err)
		}
		if err := each(key, plain); err != nil {
			return fmt.Errorf("read %s of the practice state: %w", key.record(), err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read practice state: %w", err)
	}
	return nil
}
