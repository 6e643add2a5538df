package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ImportFinding says why a row of an import was left out. Row counts from 1,
// without the header of a CSV file; 0 is the file as a whole.
type ImportFinding struct {
	Row     int
	Column  string
	Problem string
	Fix     string
}

// ImportResult says what an import did.
type ImportResult struct {
	Added, Updated int
	Findings       []ImportFinding
}

// importRow is a row of a file before it is known which row of the catalog it
// means. overlay writes what the file has onto that row, and leaves the rest.
type importRow struct {
	number            int
	hubHost, deviceID string
	overlay           func(d *Device) *ImportFinding
}

// maxCell is the size in bytes of the longest text that is imported.
const maxCell = 1 << 20

// unknownHub stands for the hub of a device that was imported without one.
const unknownHub = "unknown"

// importRows writes the rows that can be stored, in one transaction, and names
// the others.
func (c *Catalog) importRows(ctx context.Context, rows []importRow, result *ImportResult) error {
	now := time.Now()
	return c.transact(ctx, DevicesChanged, "import devices", func(tx *sql.Tx) error {
		words, err := deviceWords.begin(ctx, tx)
		if err != nil {
			return err
		}
		for _, row := range rows {
			d, finding, err := row.find(ctx, tx)
			if err != nil {
				return fmt.Errorf("row %d: %w", row.number, err)
			}
			if finding == nil {
				d.Updated = now
				finding = row.overlay(&d)
			}
			if finding == nil {
				finding = d.importable()
			}
			if finding != nil {
				finding.Row = row.number
				result.Findings = append(result.Findings, *finding)
				continue
			}
			_, added, err := putDevice(ctx, tx, words, d)
			if err != nil {
				return fmt.Errorf("row %d: %w", row.number, err)
			}
			if added {
				result.Added++
			} else {
				result.Updated++
			}
		}
		_, err = words.settle(ctx)
		return err
	})
}

// find gives the row of the catalog that an imported row means, or a new one. A
// row without a hub means the device of that ID, if there is only one.
func (r importRow) find(ctx context.Context, tx *sql.Tx) (Device, *ImportFinding, error) {
	query, args := "device_id = ? AND hub_host = ?", []any{r.deviceID, r.hubHost}
	if r.hubHost == "" {
		query, args = "device_id = ? AND (state <> 'replaced' OR hub_host = ?)", []any{r.deviceID, unknownHub}
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+deviceColumns+" FROM device WHERE "+query+" LIMIT 2", args...)
	if err != nil {
		return Device{}, nil, err
	}
	defer func() { _ = rows.Close() }()
	found := []Device{}
	for rows.Next() {
		d, err := scanDevice(rows)
		if err != nil {
			return Device{}, nil, err
		}
		found = append(found, d)
	}
	switch {
	case rows.Err() != nil:
		return Device{}, nil, rows.Err()
	case len(found) > 1:
		return Device{}, &ImportFinding{Column: "hub_host", Problem: fmt.Sprintf("More than one hub has a device %s.", r.deviceID), Fix: "Fill in the hub."}, nil
	case len(found) == 1:
		return found[0], nil, nil
	}
	return Device{HubHost: unknownHub, State: "configured"}, nil, nil
}

// importable checks what comes from outside before it is stored.
func (d *Device) importable() *ImportFinding {
	if d.HubHost == "" {
		d.HubHost = unknownHub
	}
	if d.DeviceID == "" || len(d.DeviceID) > 128 {
		return &ImportFinding{Column: "device_id", Problem: "The device ID must have 1 to 128 characters.", Fix: "Fill it in."}
	}
	for _, column := range exchangeColumns {
		field := d.textField(column)
		switch {
		case field == nil:
		case !utf8.ValidString(*field) || strings.ContainsRune(*field, 0):
			return &ImportFinding{Column: column, Problem: "The text is not UTF-8.", Fix: "Save the file as UTF-8."}
		case !manyLines(column) && strings.ContainsFunc(*field, unicode.IsControl):
			return &ImportFinding{Column: column, Problem: "The text has a line end or another control character.", Fix: "Write it in one line."}
		case len(*field) > maxCell:
			return &ImportFinding{Column: column, Problem: "The text is longer than 1 MiB.", Fix: "Shorten it."}
		}
	}
	if !knownState(d.State) {
		return &ImportFinding{Column: "state", Problem: fmt.Sprintf("The state %q is unknown.", d.State), Fix: "Write one of: " + strings.Join(deviceStates, ", ") + "."}
	}
	for _, column := range []string{"tags", "facts"} {
		if text := *d.textField(column); text != "" && !isObject(text) {
			return &ImportFinding{Column: column, Problem: "The text is not a JSON object.", Fix: "Write {} for nothing."}
		}
	}
	return nil
}

// manyLines tells whether the text of a column may have line ends.
func manyLines(column string) bool {
	return column == "note" || column == "plan" || column == "tags" || column == "facts"
}

func isObject(text string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &object) == nil
}

func notATime(column, text string) *ImportFinding {
	return &ImportFinding{Column: column, Problem: fmt.Sprintf("%q is not a time.", text), Fix: "Write it as 2026-11-24T12:00:00Z."}
}

func unknownColumn(name string) ImportFinding {
	return ImportFinding{Column: name, Problem: fmt.Sprintf("The column %q is unknown and was left out.", name), Fix: "Correct its name."}
}

// parseTime reads a time with any offset. Years beyond four digits could not
// be stored.
func parseTime(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err == nil && (at.UTC().Year() < 0 || at.UTC().Year() > 9999) {
		err = errors.New("year out of range")
	}
	return at.UTC(), err
}
