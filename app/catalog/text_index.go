package catalog

import (
	"context"
	"database/sql"
	"fmt"
)

// textIndex is the full-text index of a table, TABLE_text, over some columns of
// it. Triggers keep it up to date with rows that change or go. The words of new
// rows are written for many at once instead: a trigger would let the index reach
// the file for each row alone (a savepoint of FTS5 does), which takes longer than
// all else about a row.
type textIndex struct{ table, key, columns string }

var (
	deviceWords      = textIndex{"device", "id", "device_id, registration_id, hub_host, host_name, target, tags, note"}
	certificateWords = textIndex{"certificate", "number", "subject, device_id, profile"}
)

// newRows are the rows of a transaction that are not in the index yet.
type newRows struct {
	textIndex
	tx     *sql.Tx
	behind int64 // the key of the last row that is in it
}

// begin counts rows from now on as new.
func (t textIndex) begin(ctx context.Context, tx *sql.Tx) (*newRows, error) {
	n := &newRows{textIndex: t, tx: tx}
	return n, n.look(ctx)
}

func (n *newRows) look(ctx context.Context) error {
	return n.tx.QueryRowContext(ctx, fmt.Sprintf("SELECT coalesce(max(%s), 0) FROM %s", n.key, n.table)).Scan(&n.behind)
}

// settle writes the words of the new rows and tells how many there were. A row
// must be settled before it changes: its trigger takes its old words out.
func (n *newRows) settle(ctx context.Context) (int64, error) {
	result, err := n.tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %[1]s_text (rowid, %[2]s) SELECT %[3]s, %[2]s FROM %[1]s WHERE %[3]s > ?", n.table, n.columns, n.key), n.behind)
	if err != nil {
		return 0, err
	}
	written, err := result.RowsAffected()
	if err != nil || written == 0 {
		return written, err
	}
	return written, n.look(ctx)
}
