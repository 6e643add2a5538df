package certificates

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// The columns of several files.
const (
	columnFile    = "file"
	columnVerdict = "verdict"
	columnHolds   = "holds"
)

// inspections lists what several files are; one of them can be looked at by
// itself, and all can be imported.
type inspections struct {
	p       *Page
	files   []string
	content fyne.CanvasObject
	head    *widgets.PageHead
	table   *widgets.DataTable
	look    *widgets.Button
	take    *widgets.Button
	rows    fileRows
	load    frame.Task
}

// seenFile is one file of several.
type seenFile struct {
	path string
	app.Inspected
	err error
}

func newInspections(p *Page, files []string) *inspections {
	i := &inspections{p: p, files: files}
	space := fynetheme.Size(theme.SizeNameSpace2)
	n := map[string]any{"N": len(files)}
	i.head = widgets.NewPageHead(lang.XN("inspect.many", "{{.N}} files", len(files), n), lang.X("inspect.many.line", "Nothing of them is kept unless it is imported"))
	i.table = widgets.NewDataTable(nil,
		widgets.TableColumn{ID: columnFile, Title: lang.X("certificates.file", "File"), Width: 220, Fixed: true},
		widgets.TableColumn{ID: columnVerdict, Title: lang.X("inspect.many.verdict", "Verdict"), Width: 150, Fixed: true},
		widgets.TableColumn{ID: columnHolds, Title: lang.X("inspect.many.holds", "What is in it"), Width: 330, Fixed: true})
	i.table.OnSelected = func(string) { i.look.Enable() }
	i.table.OnOpened = func(string) { i.open() }
	i.look = widgets.NewButton(widgets.Secondary, lang.X("inspect.many.open", "Look at it"), fynetheme.SearchIcon(), i.open)
	i.look.Disable()
	i.take = widgets.NewButton(widgets.Primary, lang.X("inspect.many.import", "Import all"), fynetheme.UploadIcon(), i.submit)
	i.take.Disable()
	back := widgets.NewButton(widgets.Secondary, lang.X("action.close", "Close"), nil, p.close)
	foot := layout.Row(space, layout.Middle, layout.Spacer(), back, i.look, i.take)
	i.content = layout.Page(i.head, i.table, foot)
	i.read()
	return i
}

func (i *inspections) object() fyne.CanvasObject { return i.content }
func (i *inspections) first() fyne.Focusable     { return widgets.FirstFocus(i.table) }

// read looks at all files, without a passphrase.
func (i *inspections) read() {
	frame.Do(i.p.c, &i.load, func(ctx context.Context) ([]seenFile, error) {
		seen := make([]seenFile, len(i.files))
		for at, path := range i.files {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			seen[at].path = path
			seen[at].Inspected, seen[at].err = i.p.c.App.InspectFile(path, secret.Value{})
		}
		return seen, nil
	}, func(seen []seenFile, err error) {
		if err != nil {
			return // the window closes
		}
		i.rows = newFileRows(seen)
		i.table.SetRows(i.rows)
		if len(i.readable()) > 0 {
			i.take.Enable()
		}
		i.content.Refresh()
	})
}

// readable are the files with certificates that open without a passphrase.
func (i *inspections) readable() []string {
	var files []string
	for _, file := range i.rows.seen {
		if file.err == nil && len(file.Certificates) > 0 {
			files = append(files, file.path)
		}
	}
	return files
}

// open looks at the file that is selected; Escape comes back here.
func (i *inspections) open() {
	if at := i.rows.Find(i.table.Selected()); at >= 0 {
		one := newInspection(i.p, i.rows.seen[at].path)
		one.among = i
		i.p.open(one)
	}
}

// submit imports those that can be.
func (i *inspections) submit() {
	if files := i.readable(); len(files) > 0 {
		i.p.close()
		i.p.takeIn(files, secret.Value{})
	}
}

// fileRows are the rows of the table.
type fileRows struct {
	seen  []seenFile
	cells []map[string]widgets.TableCell
}

func newFileRows(seen []seenFile) fileRows {
	rows := fileRows{seen: seen}
	for _, file := range seen {
		status, holds := fileStatus(file)
		rows.cells = append(rows.cells, map[string]widgets.TableCell{
			columnFile: {Text: filepath.Base(file.path), Bold: true}, columnVerdict: {Status: status}, columnHolds: {Text: holds}})
	}
	return rows
}

// fileStatus is the answer for one of several files, and what is in it.
func fileStatus(file seenFile) (widgets.Status, string) {
	switch {
	case errors.Is(file.err, pki.ErrPassphrase):
		return widgets.Status{State: widgets.Care, Word: lang.X("inspect.many.locked", "encrypted")}, lang.X("inspect.locked.line", "Its passphrase shows what is in it.")
	case file.err != nil:
		why := frame.View(file.err).Message
		var refused *provisioning.Error
		if errors.As(file.err, &refused) && refused.Err != nil {
			why = uilang.Domain(refused.Err.Error()) // without the file's name, which stands in front
		}
		return widgets.Status{State: widgets.Bad, Word: lang.X("inspect.many.unread", "not readable")}, why
	}
	holds := strings.Join(contents(file.Inspected), ", ")
	switch state, _ := verdict(file.Inspected); state {
	case widgets.Bad:
		return widgets.Status{State: state, Word: lang.X("inspect.many.bad", "not usable")}, holds
	case widgets.Care:
		return widgets.Status{State: state, Word: lang.X("inspect.many.care", "wants care")}, holds
	}
	return widgets.Status{State: widgets.Good, Word: lang.X("inspect.many.good", "good")}, holds
}

// Len implements widgets.TableRows.
func (r fileRows) Len() int { return len(r.seen) }

// Identity implements widgets.TableRows.
func (r fileRows) Identity(i int) string { return r.seen[i].path }

// Find implements widgets.TableRows.
func (r fileRows) Find(path string) int {
	for i, file := range r.seen {
		if file.path == path {
			return i
		}
	}
	return -1
}

// Cell implements widgets.TableRows.
func (r fileRows) Cell(i int, column string) widgets.TableCell { return r.cells[i][column] }
