package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// ImportJSON reads what ExportJSON wrote: an array of objects. A field that is
// missing leaves what the catalog has. Objects that cannot be stored are left
// out and named.
func (c *Catalog) ImportJSON(ctx context.Context, r io.Reader) (ImportResult, error) {
	var objects []map[string]json.RawMessage
	if err := json.NewDecoder(r).Decode(&objects); err != nil {
		return ImportResult{}, fmt.Errorf("import: %w: it is not an array of devices: %w", ErrInvalid, err)
	}
	var result ImportResult
	var rows []importRow
	unknown := map[string]bool{}
	for i, object := range objects {
		row := importRow{number: i + 1, overlay: func(d *Device) *ImportFinding { return d.setFields(object) }}
		// A value that is no text is found by the overlay.
		_ = json.Unmarshal(object["hub_host"], &row.hubHost)
		_ = json.Unmarshal(object["device_id"], &row.deviceID)
		rows = append(rows, row)
		for name := range object {
			if !slices.Contains(exchangeColumns, name) {
				unknown[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		result.Findings = append(result.Findings, unknownColumn(name))
	}
	err := c.importRows(ctx, rows, &result)
	return result, err
}

// setFields writes the fields of an object onto a device.
func (d *Device) setFields(object map[string]json.RawMessage) *ImportFinding {
	for _, column := range exchangeColumns {
		raw, ok := object[column]
		if !ok {
			continue
		}
		var text *string
		if err := json.Unmarshal(raw, &text); err != nil {
			return &ImportFinding{Column: column, Problem: "The value is not text.", Fix: "Write it in quotes."}
		}
		if finding := d.setField(column, text); finding != nil {
			return finding
		}
	}
	return nil
}

// setField writes a text, or nil for null.
func (d *Device) setField(column string, text *string) *ImportFinding {
	if text == nil {
		if field := d.timeField(column); field != nil {
			*field = nil
		}
		return nil
	}
	return d.setCells([]string{column}, []string{*text})
}
