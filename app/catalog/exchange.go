package catalog

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// ImportFinding says why a row of an import was left out. Row counts from 1
// without the header of a CSV file.
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

// exchangeColumns are the columns of a CSV export in their order.
var exchangeColumns = []string{"device_id", "hub_host", "registration_id", "state", "platform", "provisioning", "authentication", "cloud", "enrollment",
	"group", "target", "host_name", "machine_key", "runtime", "certificate_ends", "last_proof", "tags", "facts", "plan", "note", "uuid", "created", "updated"}

// textField gives the field of a device that a column of text stands for.
func (d *Device) textField(column string) *string {
	switch column {
	case "device_id":
		return &d.DeviceID
	case "hub_host":
		return &d.HubHost
	case "registration_id":
		return &d.RegistrationID
	case "state":
		return &d.State
	case "platform":
		return &d.Platform
	case "provisioning":
		return &d.Provisioning
	case "authentication":
		return &d.Authentication
	case "cloud":
		return &d.Cloud
	case "enrollment":
		return &d.Enrollment
	case "group":
		return &d.Group
	case "target":
		return &d.Target
	case "host_name":
		return &d.HostName
	case "machine_key":
		return &d.MachineKey
	case "runtime":
		return &d.RuntimeVersion
	case "tags":
		return &d.Tags
	case "facts":
		return &d.Facts
	case "plan":
		return &d.Plan
	case "note":
		return &d.Note
	case "uuid":
		return &d.UUID
	}
	return nil
}

// timeField gives the field that a column of time stands for.
func (d *Device) timeField(column string) **time.Time {
	switch column {
	case "certificate_ends":
		return &d.CertificateEnds
	case "last_proof":
		return &d.LastProof
	}
	return nil
}

// ExportJSON writes all devices as a JSON array.
func (c *Catalog) ExportJSON(ctx context.Context, w io.Writer) error {
	list, err := c.devices(ctx, "ORDER BY device_id, uuid")
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}

// ExportCSV writes all devices as CSV (RFC 4180) with a header line. A cell
// that a spreadsheet would take for a formula gets an apostrophe in front,
// which ImportCSV takes away.
func (c *Catalog) ExportCSV(ctx context.Context, w io.Writer) error {
	list, err := c.devices(ctx, "ORDER BY device_id, uuid")
	if err != nil {
		return err
	}
	writer := csv.NewWriter(w)
	writer.UseCRLF = true
	if err := writer.Write(exchangeColumns); err != nil {
		return err
	}
	for _, d := range list {
		record := make([]string, len(exchangeColumns))
		for i, column := range exchangeColumns {
			record[i] = guard(d.cell(column))
		}
		if err := writer.Write(record); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

func (d *Device) cell(column string) string {
	if field := d.textField(column); field != nil {
		return *field
	}
	if field := d.timeField(column); field != nil {
		if *field == nil {
			return ""
		}
		return (*field).UTC().Format(time.RFC3339Nano)
	}
	if column == "created" {
		return d.Created.UTC().Format(time.RFC3339Nano)
	}
	return d.Updated.UTC().Format(time.RFC3339Nano)
}

// guard and unguard keep formulas out of spreadsheets (OWASP, "CSV injection").
func guard(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@'\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func unguard(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@'\t\r", rune(cell[1])) {
		return cell[1:]
	}
	return cell
}

// ImportCSV reads what ExportCSV wrote, or any CSV with a column device_id and
// some of its columns, and writes the devices in one transaction. Rows that
// cannot be stored are left out and named.
func (c *Catalog) ImportCSV(ctx context.Context, r io.Reader) (ImportResult, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = -1
	header, err := reader.Read()
	if err != nil {
		return ImportResult{}, fmt.Errorf("import: %w: no header line", ErrInvalid)
	}
	var result ImportResult
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		d := Device{}
		if known := d.textField(header[i]) != nil || d.timeField(header[i]) != nil || header[i] == "created" || header[i] == "updated"; !known {
			result.Findings = append(result.Findings, ImportFinding{Column: header[i], Problem: fmt.Sprintf("The column %q is unknown and was left out.", header[i]), Fix: "Correct its name."})
		}
	}
	var devices []Device
	var rows []int
	for row := 1; ; row++ {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return ImportResult{}, fmt.Errorf("import: %w: row %d: %w", ErrInvalid, row, err)
		}
		d, finding := readDevice(header, record)
		if finding != nil {
			finding.Row = row
			result.Findings = append(result.Findings, *finding)
			continue
		}
		devices, rows = append(devices, d), append(rows, row)
	}
	err = c.importAll(ctx, devices, rows, &result)
	return result, err
}

func readDevice(header, record []string) (Device, *ImportFinding) {
	var d Device
	for i, cell := range record {
		if i >= len(header) {
			return d, &ImportFinding{Column: "line", Problem: "The row has more cells than the header.", Fix: "Quote cells that contain commas."}
		}
		cell = unguard(cell)
		if field := d.textField(header[i]); field != nil {
			*field = cell
		}
		if field := d.timeField(header[i]); field != nil && cell != "" {
			at, err := time.Parse(time.RFC3339Nano, cell)
			if err != nil {
				return d, &ImportFinding{Column: header[i], Problem: fmt.Sprintf("%q is not a time.", cell), Fix: "Write it as 2026-11-24T12:00:00Z."}
			}
			*field = &at
		}
	}
	return d, nil
}

// ImportJSON reads what ExportJSON wrote.
func (c *Catalog) ImportJSON(ctx context.Context, r io.Reader) (ImportResult, error) {
	var devices []Device
	if err := json.NewDecoder(r).Decode(&devices); err != nil {
		return ImportResult{}, fmt.Errorf("import: %w: %w", ErrInvalid, err)
	}
	rows := make([]int, len(devices))
	for i := range rows {
		rows[i] = i + 1
	}
	var result ImportResult
	err := c.importAll(ctx, devices, rows, &result)
	return result, err
}

// importAll writes the devices that can be stored, in one transaction.
func (c *Catalog) importAll(ctx context.Context, devices []Device, rows []int, result *ImportResult) error {
	now := time.Now()
	return c.transact(ctx, DevicesChanged, "import devices", func(tx *sql.Tx) error {
		for i, d := range devices {
			if d.State == "" {
				d.State = "configured"
			}
			if d.HubHost == "" {
				d.HubHost = "unknown"
			}
			if finding := d.importable(); finding != nil {
				finding.Row = rows[i]
				result.Findings = append(result.Findings, *finding)
				continue
			}
			_, added, err := putDevice(ctx, tx, d)
			if err != nil {
				return fmt.Errorf("row %d: %w", rows[i], err)
			}
			if added {
				result.Added++
			} else {
				result.Updated++
			}
		}
		return nil
	})
}

func (d *Device) importable() *ImportFinding {
	if d.DeviceID == "" || len(d.DeviceID) > 128 {
		return &ImportFinding{Column: "device_id", Problem: "The device ID must have 1 to 128 characters.", Fix: "Fill it in."}
	}
	for _, column := range exchangeColumns {
		if field := d.textField(column); field != nil && (!utf8.ValidString(*field) || strings.ContainsRune(*field, 0)) {
			return &ImportFinding{Column: column, Problem: "The text is not UTF-8.", Fix: "Save the file as UTF-8."}
		}
	}
	for column, text := range map[string]string{"tags": d.Tags, "facts": d.Facts} {
		if text != "" && !json.Valid([]byte(text)) {
			return &ImportFinding{Column: column, Problem: "The text is not JSON.", Fix: "Write {} for nothing."}
		}
	}
	return nil
}
