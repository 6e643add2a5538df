package provision

import (
	"fmt"
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// list is a file with one target per line, or several bundles with their targets.
type list struct {
	path     string
	rows     []app.Row
	findings finding.List
	// bundles tells that the rows come from bundles; targets is the file that had
	// been chosen before, nil for none.
	bundles bool
	targets *list
}

// readList reads the file over the plan that all its rows share.
func readList(path string, plan provisioning.Plan) (*list, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: lang.X("list.none", "There is no such list."),
			Hint: lang.X("list.fix", "Name a CSV file whose first line has the columns, target and id among them."), Err: err}
	}
	defer func() { _ = file.Close() }()
	rows, findings, err := app.ReadRows(file, plan)
	if err != nil {
		return nil, err
	}
	return &list{path: path, rows: rows, findings: findings}, nil
}

// reread takes the rows anew: the plan under them, or the file, may have
// changed.
func (p *Page) reread() error {
	if p.list.bundles {
		return nil // bundles stay as they are
	}
	read, err := readList(p.list.path, p.draft.Plan)
	if err != nil {
		return err
	}
	p.list = read
	return nil
}

// shownFindings is how many findings of a list are spelled out.
const shownFindings = 6

// page shows the rows as the plan makes them, and what is wrong with others.
func (l *list) page() fyne.CanvasObject {
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace3))
	for i, f := range l.findings {
		if i == shownFindings {
			n := len(l.findings) - shownFindings
			column.Add(widgets.NewText(lang.XN("list.more", "and {{.N}} more", n, map[string]any{"N": n}), widgets.StyleMuted))
			break
		}
		state := widgets.Care
		if f.Level == finding.Error {
			state = widgets.Bad
		}
		column.Add(widgets.Remark(state, f.Field+": "+frame.Finding(f)))
	}
	table := widgets.NewDataTable(widgets.NewText(lang.X("list.empty", "No line of the list can be used."), widgets.StyleMuted),
		widgets.TableColumn{ID: "id", Title: lang.X("list.id", "Device ID"), Width: 150, Fixed: true},
		widgets.TableColumn{ID: "target", Title: lang.X("list.target", "Target"), Width: 190, Fixed: true},
		widgets.TableColumn{ID: "group", Title: lang.X("list.group", "Group"), Width: 100, Fixed: true},
		widgets.TableColumn{ID: "line", Title: lang.X("list.line", "Line"), Width: 50, Fixed: true})
	table.SetRows(listRows{l.rows})
	column.Add(layout.Grow(table))
	return column
}

// listRows shows rows in the order of the file.
type listRows struct{ rows []app.Row }

func (r listRows) Len() int                { return len(r.rows) }
func (r listRows) Identity(row int) string { return r.rows[row].Plan.Device.ID }

func (r listRows) Find(identity string) int {
	for i, row := range r.rows {
		if row.Plan.Device.ID == identity {
			return i
		}
	}
	return -1
}

func (r listRows) Cell(row int, column string) widgets.TableCell {
	found := r.rows[row]
	switch column {
	case "id":
		return widgets.TableCell{Text: found.Plan.Device.ID, Bold: true}
	case "target":
		return widgets.TableCell{Text: found.Target}
	case "group":
		return widgets.TableCell{Text: found.Plan.Cloud.Group}
	}
	return widgets.TableCell{Text: fmt.Sprint(found.Line)}
}
