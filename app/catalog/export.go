package catalog

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"time"
)

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
// which ImportCSV takes away. Line ends inside of cells become those of CSV.
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
			record[i] = Guard(d.cell(column))
		}
		if err := writer.Write(record); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

// cell gives the text of a column.
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
	return d.ownTimeField(column).UTC().Format(time.RFC3339Nano)
}

// formulaStarts are the characters with which a spreadsheet begins a formula
// (OWASP, "CSV injection"), and the apostrophe that guards them.
const formulaStarts = "=+-@'\t\r"

// Guard keeps a cell from being a formula.
func Guard(cell string) string {
	if cell != "" && strings.IndexByte(formulaStarts, cell[0]) >= 0 {
		return "'" + cell
	}
	return cell
}

// Unguard is the inverse of Guard. An apostrophe in front of anything else was
// not put there by Guard and stays.
func Unguard(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.IndexByte(formulaStarts, cell[1]) >= 0 {
		return cell[1:]
	}
	return cell
}
