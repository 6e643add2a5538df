package app

import (
	"context"
	"time"

	"edgewright/hostdetect"
	"edgewright/provisioning"
	"edgewright/resources"
)

// Support says whether a platform is supported today.
type Support struct {
	State  string `json:"state"` // supported | ending | ended
	Until  string `json:"until"` // YYYY-MM-DD
	Source string `json:"source"`
}

// CellRow is one field of the board as commands and the window show it.
type CellRow struct {
	provisioning.Cell
	Available bool       `json:"available"`
	Reason    string     `json:"reason"`
	Support   Support    `json:"support"`
	LastProof *time.Time `json:"last_proof"`
	// Needs and Steps explain the cell.
	Needs []string `json:"-"`
	Steps []string `json:"-"`
}

// Cells gives the fifteen fields of the board, platform by platform.
func (a *App) Cells(ctx context.Context) ([]CellRow, error) {
	table, err := hostdetect.ParseTable(resources.SupportTable)
	if err != nil {
		return nil, err
	}
	proofs, err := a.catalog.LastProofs(ctx)
	if err != nil {
		return nil, translate(err)
	}
	rows := make([]CellRow, 0, 15)
	for _, cell := range provisioning.Cells() {
		row := CellRow{Cell: cell.Cell, Available: cell.Available, Reason: cell.Reason, Needs: cell.Needs, Steps: cell.Steps}
		support := table.Platform(string(cell.Platform), "", a.now())
		row.Support = Support{State: support.State, Until: day(support.Until), Source: support.Source}
		if when, ok := proofs[cell.String()]; ok {
			row.LastProof = &when
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
