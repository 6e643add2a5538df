package catalog

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ImportCSV reads what ExportCSV wrote, or any CSV with a column device_id and
// some of its columns, and writes the devices in one transaction. A column that
// is missing leaves what the catalog has. Semicolons may stand for the commas,
// as some spreadsheets write them. Rows that cannot be stored are left out and
// named.
func (c *Catalog) ImportCSV(ctx context.Context, r io.Reader) (ImportResult, error) {
	var result ImportResult
	buffered := bufio.NewReader(r)
	reader := csv.NewReader(buffered)
	reader.FieldsPerRecord = -1
	reader.Comma = separator(buffered)
	header, err := readHeader(reader, &result)
	if err != nil {
		return ImportResult{}, err
	}
	var rows []importRow
	for number := 1; ; number++ {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return ImportResult{}, fmt.Errorf("import: %w: row %d: %w", ErrInvalid, number, err)
		}
		for i, cell := range record {
			record[i] = Unguard(cell)
		}
		row := importRow{number: number, overlay: func(d *Device) *ImportFinding { return d.setCells(header, record) }}
		for i, column := range header {
			switch {
			case i >= len(record):
			case column == "hub_host":
				row.hubHost = record[i]
			case column == "device_id":
				row.deviceID = record[i]
			}
		}
		rows = append(rows, row)
	}
	err = c.importRows(ctx, rows, &result)
	return result, err
}

// separator looks at the header line: none of our columns has a semicolon.
func separator(r *bufio.Reader) rune {
	start, _ := r.Peek(4096) // a short file gives less and an error
	line, _, _ := strings.Cut(string(start), "\n")
	if strings.Contains(line, ";") && !strings.Contains(line, ",") {
		return ';'
	}
	return ','
}

func readHeader(reader *csv.Reader, result *ImportResult) ([]string, error) {
	header, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("import: %w: no header line", ErrInvalid)
	}
	var seen []string
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		switch {
		case slices.Contains(seen, header[i]):
			return nil, fmt.Errorf("import: %w: the column %q is there twice", ErrInvalid, header[i])
		case !slices.Contains(exchangeColumns, header[i]):
			result.Findings = append(result.Findings, unknownColumn(header[i]))
		}
		seen = append(seen, header[i])
	}
	if !slices.Contains(header, "device_id") {
		return nil, fmt.Errorf("import: %w: there is no column device_id", ErrInvalid)
	}
	return header, nil
}

// setCells writes the cells of a row onto a device.
func (d *Device) setCells(header, record []string) *ImportFinding {
	if len(record) > len(header) {
		return &ImportFinding{Column: "line", Problem: "The row has more cells than the header.", Fix: "Quote cells that contain the separator."}
	}
	for i, cell := range record {
		column := header[i]
		switch {
		case column == "hub_host" && cell == "", column == "state" && cell == "":
			// Empty means nothing here: both are needed.
		case d.textField(column) != nil:
			*d.textField(column) = cell
		case d.timeField(column) != nil && cell == "":
			*d.timeField(column) = nil
		case d.timeField(column) != nil || d.ownTimeField(column) != nil && cell != "":
			at, err := parseTime(cell)
			if err != nil {
				return notATime(column, cell)
			}
			if field := d.timeField(column); field != nil {
				*field = &at
			} else {
				*d.ownTimeField(column) = at
			}
		}
	}
	return nil
}
