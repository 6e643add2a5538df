package app

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
)

// reportPage is how many rows are read at once for the report.
const reportPage = 1000

// report writes what became of each row, as CSV, into the folder of the batch,
// and gives the file's name. It holds no secret.
func (m *minter) report(ctx context.Context) (string, error) {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	lines := [][]string{{"line", "id", "state", "group", "serial", "sha256", "not_after", "bundle", "problem"}}
	for after := 0; ; {
		rows, err := m.app.catalog.BatchRows(ctx, m.batch.ID, "", after, reportPage)
		if err != nil {
			return "", translate(err)
		}
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			lines = append(lines, reportLine(row))
		}
		after = rows[len(rows)-1].Seq
	}
	if err := w.WriteAll(lines); err != nil {
		return "", fmt.Errorf("write the report: %w", err)
	}
	name := m.batch.ID + ".csv"
	if err := writeBeside(m.batch.Folder, name, text.Bytes()); err != nil {
		return "", m.unwritten(err, &provisioning.Error{Message: "The report of the batch cannot be written."})
	}
	return filepath.Join(m.batch.Folder, name), nil
}

func reportLine(row catalog.BatchRow) []string {
	ends, file := "", ""
	if row.NotAfter != nil {
		ends = row.NotAfter.UTC().Format(time.RFC3339)
	}
	if row.State == catalog.RowPlaced || row.State == catalog.RowEnrolled {
		file = row.DeviceID + bundle.Extension
	}
	return []string{strconv.Itoa(row.Seq), row.DeviceID, row.State, row.Group, row.Serial, row.SHA256, ends, file, row.Problem}
}
