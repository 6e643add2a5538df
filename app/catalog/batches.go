package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Batch is a list of devices that are minted at once.
type Batch struct {
	ID    string
	State string // running | succeeded | failed | cancelled
	// CA is the ID of the issuing CA's certificate.
	CA string
	// Profile is that of the identities, as TOML; "" is the program's own.
	Profile string
	// Recipient is for whom the bundles are sealed, as the user wrote it.
	Recipient string
	// Cloud is the cloud of the plans; Enroll says that the devices are enrolled
	// there.
	Cloud  string
	Enroll bool
	// Folder is where the bundles lie.
	Folder  string
	Started time.Time
	Ended   *time.Time
}

// The values of BatchRow.State, in their order.
const (
	RowWaiting  = "waiting"
	RowSealed   = "sealed"   // its certificates and its bundle are in the catalog
	RowPlaced   = "placed"   // the bundle is on the disk
	RowEnrolled = "enrolled" // the cloud knows it
)

// BatchRow is one device of a batch.
type BatchRow struct {
	Seq      int // from 1
	DeviceID string
	Hostname string
	Group    string
	EdgeCA   bool
	Days     int
	// Recipient is the public key that its bundle is sealed for.
	Recipient string
	State     string
	// CertificateID is that of its identity, "" before there is one.
	CertificateID string
	// Problem says in a sentence what went wrong last, "" for nothing.
	Problem string
	// Sealed is its bundle while the state is sealed.
	Sealed []byte
	// Serial, SHA256 and NotAfter are those of its identity, empty and nil before
	// there is one. They are read and not written.
	Serial, SHA256 string
	NotAfter       *time.Time
}

// NewBatch writes a batch with its rows.
func (c *Catalog) NewBatch(ctx context.Context, b Batch, rows []BatchRow) error {
	return c.transact(ctx, BatchesChanged, "write batch "+b.ID, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO batch (id, state, ca, profile, recipient, cloud, enroll, folder, started, ended) VALUES (?,?,?,?,?,?,?,?,?,?)",
			b.ID, b.State, b.CA, b.Profile, b.Recipient, b.Cloud, b.Enroll, b.Folder, timeText(b.Started), optionalTime(b.Ended)); err != nil {
			return err
		}
		return each(ctx, tx, "INSERT INTO batch_row (batch, seq, device_id, hostname, enroll_group, edge_ca, days, recipient, state) VALUES (?,?,?,?,?,?,?,?,?)",
			rows, func(r BatchRow) []any {
				return []any{b.ID, r.Seq, r.DeviceID, r.Hostname, r.Group, r.EdgeCA, r.Days, r.Recipient, r.State}
			})
	})
}

// each runs one statement for each of many values.
func each[T any](ctx context.Context, tx *sql.Tx, query string, values []T, args func(T) []any) error {
	statement, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = statement.Close() }()
	// The driver starts a goroutine for each statement that can be cancelled.
	keep := context.WithoutCancel(ctx)
	for _, value := range values {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := statement.ExecContext(keep, args(value)...); err != nil {
			return err
		}
	}
	return nil
}

// Batch finds a batch by its ID.
func (c *Catalog) Batch(ctx context.Context, id string) (Batch, error) {
	found, err := c.batches(ctx, "WHERE id = ?", id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("batch %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return Batch{}, err
	}
	return found[0], nil
}

// Batches lists the newest batches first.
func (c *Catalog) Batches(ctx context.Context, limit int) ([]Batch, error) {
	return c.batches(ctx, "ORDER BY started DESC, id LIMIT ?", limit)
}

func (c *Catalog) batches(ctx context.Context, rest string, args ...any) ([]Batch, error) {
	return list(ctx, c, "batches", "SELECT id, state, ca, profile, recipient, cloud, enroll, folder, started, ended FROM batch "+rest, args, func(row scanner, b *Batch) error {
		return row.Scan(&b.ID, &b.State, &b.CA, &b.Profile, &b.Recipient, &b.Cloud, &b.Enroll, &b.Folder, setTime{&b.Started}, storedTime{&b.Ended})
	})
}

// BatchRows lists rows of a batch in their order, behind the row number after,
// those of one state or, if that is empty, all.
func (c *Catalog) BatchRows(ctx context.Context, batch, state string, after, limit int) ([]BatchRow, error) {
	where, args := "r.batch = ? AND r.seq > ?", []any{batch, after}
	if state != "" {
		where, args = where+" AND r.state = ?", append(args, state)
	}
	query := "SELECT r.seq, r.device_id, r.hostname, r.enroll_group, r.edge_ca, r.days, r.recipient, r.state, r.certificate_id, r.problem, r.sealed, " +
		"coalesce(c.serial, ''), coalesce(c.sha256, ''), c.not_after FROM batch_row r LEFT JOIN certificate c ON c.id = r.certificate_id WHERE " +
		where + " ORDER BY r.seq LIMIT ?"
	return list(ctx, c, "rows of batch "+batch, query, append(args, limit), func(row scanner, r *BatchRow) error {
		return row.Scan(&r.Seq, &r.DeviceID, &r.Hostname, &r.Group, &r.EdgeCA, &r.Days, &r.Recipient, &r.State, &r.CertificateID, &r.Problem, &r.Sealed,
			&r.Serial, &r.SHA256, storedTime{&r.NotAfter})
	})
}

// BatchCount is how many rows of a batch are in a state, and how many of all
// have a problem.
type BatchCount struct {
	Of       map[string]int
	Problems int
}

// CountBatch counts the rows of a batch.
func (c *Catalog) CountBatch(ctx context.Context, batch string) (BatchCount, error) {
	count := BatchCount{Of: map[string]int{}}
	rows, err := c.read.QueryContext(ctx, "SELECT state, count(*), sum(problem <> '') FROM batch_row WHERE batch = ? GROUP BY state", batch)
	if err != nil {
		return count, fmt.Errorf("count rows of batch %s: %w", batch, known(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var state string
		var n, problems int
		if err := rows.Scan(&state, &n, &problems); err != nil {
			return count, fmt.Errorf("count rows of batch %s: %w", batch, err)
		}
		count.Of[state], count.Problems = n, count.Problems+problems
	}
	return count, known(rows.Err())
}

// SealedRow is a row whose certificates and bundle are made.
type SealedRow struct {
	Seq int
	// Certificates are the identity first, then the Edge CA, if there is one.
	Certificates []Certificate
	Sealed       []byte
}

// SealRows writes certificates and bundles of rows that wait: all of them or
// none. A row that does not wait is an ErrExists, and nothing is written.
func (c *Catalog) SealRows(ctx context.Context, batch string, rows []SealedRow) error {
	var certs []Certificate
	for _, row := range rows {
		certs = append(certs, row.Certificates...)
	}
	err := c.transact(ctx, BatchesChanged, "write rows of batch "+batch, func(tx *sql.Tx) error {
		statement, err := tx.PrepareContext(ctx, "UPDATE batch_row SET state = ?, certificate_id = ?, problem = '', sealed = ? WHERE batch = ? AND seq = ? AND state = ?")
		if err != nil {
			return err
		}
		defer func() { _ = statement.Close() }()
		for _, row := range rows {
			result, err := statement.ExecContext(context.WithoutCancel(ctx), RowSealed, row.Certificates[0].ID, row.Sealed, batch, row.Seq, RowWaiting)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n != 1 {
				return errors.Join(err, ErrExists)
			}
		}
		return addCertificates(ctx, tx, certs)
	})
	if err == nil {
		c.watchers.tell(CertificatesChanged)
	}
	return err
}

// RowState is what became of a row.
type RowState struct {
	Seq     int
	State   string
	Problem string
}

// SetRows writes what became of rows; a bundle that is kept goes with it unless
// the state is still sealed.
func (c *Catalog) SetRows(ctx context.Context, batch string, rows []RowState) error {
	return c.transact(ctx, BatchesChanged, "write rows of batch "+batch, func(tx *sql.Tx) error {
		return each(ctx, tx, "UPDATE batch_row SET state = ?1, problem = ?2, sealed = iif(?1 = 'sealed', sealed, NULL) WHERE batch = ?3 AND seq = ?4",
			rows, func(r RowState) []any { return []any{r.State, r.Problem, batch, r.Seq} })
	})
}

// SetBatch writes the state of a batch; a nil ended says that it goes on.
func (c *Catalog) SetBatch(ctx context.Context, id, state string, ended *time.Time) error {
	n, err := c.exec(ctx, BatchesChanged, "write batch "+id, "UPDATE batch SET state = ?, ended = ? WHERE id = ?", state, optionalTime(ended), id)
	if err == nil && n == 0 {
		err = fmt.Errorf("batch %s: %w", id, ErrNotFound)
	}
	return err
}
