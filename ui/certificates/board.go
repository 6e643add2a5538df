package certificates

import (
	"context"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// The columns of the board.
const (
	columnEnds   = "ends"
	columnName   = "name"
	columnWhat   = "what"
	columnDevice = "device"
	columnNext   = "next"
)

// board shows what ends when, the soonest first, and what to do about the one
// that is selected.
type board struct {
	p      *Page
	object fyne.CanvasObject
	care   *widgets.Button
	table  *widgets.DataTable
	empty  *fyne.Container
	more   *widgets.Text
	act    *fyne.Container

	caring bool
	rows   ends
	load   frame.Task
}

func newBoard(p *Page) *board {
	b := &board{p: p, caring: true, empty: container.NewStack(), more: widgets.NewText("", widgets.StyleSmall)}
	space := fynetheme.Size(theme.SizeNameSpace2)
	b.care = widgets.NewButton(widgets.Secondary, "", nil, b.toggle)
	b.more.Hide()
	b.table = widgets.NewDataTable(b.empty,
		widgets.TableColumn{ID: columnEnds, Title: lang.X("board.ends", "Ends"), Width: 128, Fixed: true},
		widgets.TableColumn{ID: columnName, Title: lang.X("board.name", "Certificate"), Width: 150, Fixed: true},
		widgets.TableColumn{ID: columnWhat, Title: lang.X("board.what", "What it is"), Width: 112},
		widgets.TableColumn{ID: columnDevice, Title: lang.X("board.device", "Device"), Width: 120},
		widgets.TableColumn{ID: columnNext, Title: lang.X("board.next", "To do"), Width: 190})
	b.table.OnSelected = func(string) { b.offer() }
	b.table.OnOpened = func(string) { b.do() }
	b.act = layout.Flow(space)
	export := widgets.NewButton(widgets.Secondary, lang.X("devices.export", "Export ..."), fynetheme.DownloadIcon(), b.export)
	tools := layout.Beside(space, 200*theme.TextFactor(), b.act, layout.Flow(space, b.care, export))
	b.object = layout.Column(fynetheme.Size(theme.SizeNameSpace3), tools, layout.Grow(b.table), b.more)
	b.offer()
	b.nameCare()
	return b
}

func (b *board) first() fyne.Focusable { return widgets.FirstFocus(b.table) }

// toggle shows all certificates, or those that want care.
func (b *board) toggle() {
	b.caring = !b.caring
	b.nameCare()
	b.read()
}

func (b *board) nameCare() {
	if b.caring {
		b.care.SetText(lang.X("board.all", "Show all"))
		return
	}
	b.care.SetText(lang.X("board.caring", "Only what wants care"))
}

// read lists what ends.
func (b *board) read() {
	caring := b.caring
	type found struct {
		list []app.Expiry
		more bool
	}
	frame.Do(b.p.c, &b.load, func(ctx context.Context) (found, error) {
		list, more, err := b.p.c.App.Expiring(ctx, caring, portion)
		return found{list, more}, err
	}, func(f found, err error) {
		if err != nil {
			b.p.sayError(err)
			return
		}
		b.rows = newEnds(f.list, b.p)
		b.empty.Objects = []fyne.CanvasObject{b.nothing()}
		b.table.SetRows(b.rows)
		b.more.SetText("")
		if f.more {
			b.more.SetText(lang.X("board.more", "The first {{.N}} to end. The export has all of them.", map[string]any{"N": portion}))
		}
		show(b.more, f.more)
		b.offer()
		b.object.Refresh()
	})
}

func (b *board) nothing() fyne.CanvasObject {
	if b.caring {
		return widgets.NewEmptyState(fynetheme.ConfirmIcon(), lang.X("board.well", "Nothing ends soon"),
			lang.X("board.well.line", "A certificate wants care from 80 % of its life or 30 days before its end, whichever is first."), nil)
	}
	return widgets.NewEmptyState(theme.IconCertificate(), lang.X("certificates.empty", "No certificate yet"), "", nil)
}

// selected is the end that is selected.
func (b *board) selected() (app.Expiry, bool) {
	at := b.rows.Find(b.table.Selected())
	if at < 0 {
		return app.Expiry{}, false
	}
	return b.rows.list[at], true
}

// offer puts the buttons of the selected end above the table.
func (b *board) offer() {
	e, ok := b.selected()
	if !ok {
		b.act.Objects = []fyne.CanvasObject{widgets.NewText(lang.X("board.choose", "Choose a line; Enter does what is next."), widgets.StyleMuted.As(widgets.Single))}
		b.act.Refresh()
		return
	}
	b.act.Objects = []fyne.CanvasObject{widgets.NewButton(widgets.Primary, nextButton(e.Next), fynetheme.ViewRefreshIcon(), b.do)}
	if e.ID != "" {
		b.act.Add(widgets.NewButton(widgets.Secondary, lang.X("board.open", "Show it"), theme.IconCertificate(), func() { b.p.showInTree(e.ID) }))
	}
	b.act.Refresh()
	b.object.Refresh()
}

// do does what is next for the selected end.
func (b *board) do() {
	e, ok := b.selected()
	if !ok {
		return
	}
	switch e.Next {
	case app.NextRenew:
		b.p.renew(e.CertificateView)
	case app.NextReplace:
		b.p.newCertificate(e.IssuerID, e.Profile)
	case app.NextRotate:
		b.p.c.Open(frame.Place{Page: frame.Devices, Device: e.DeviceUUID})
	case app.NextReissue:
		b.p.c.Open(frame.Place{Page: frame.Provision, Target: e.Target, Device: e.DeviceUUID})
	default:
		b.p.importFile()
	}
}

// export asks for the form and the file.
func (b *board) export() {
	var dialog *pick.Dialog
	forms := []string{lang.X("board.ics", "Calendar (ICS), with a reminder when care begins"), "CSV"}
	format := widgets.NewSelect(forms, nil)
	format.SetSelectedIndex(0)
	id := func() string {
		if format.SelectedIndex() == 1 {
			return app.ExpiryCSV
		}
		return app.ExpiryICS
	}
	format.OnChanged = func(string) {
		path := dialog.Path()
		dialog.SetPath(strings.TrimSuffix(path, filepath.Ext(path)) + "." + id())
	}
	dialog = pick.Ask(b.p.c, pick.Question{
		Title: lang.X("board.export.title", "Export what ends when"),
		Line:  lang.X("board.export.line", "All certificates that still count, with what there is to do. A calendar that reads the file again replaces what it has."),
		Above: widgets.NewField(lang.X("certificate.export.format", "Form"), "", format),
		Label: lang.X("certificates.file", "File"), Hint: lang.X("devices.export.hint", "it must not exist yet"), Path: pick.Home("certificates.ics"), Save: true,
		Act: lang.X("devices.export.do", "Export"), Icon: fynetheme.DownloadIcon(), Check: pick.NewFile,
		Do: func(path string) {
			form := id()
			frame.Do(b.p.c, &frame.Task{}, func(ctx context.Context) (struct{}, error) {
				data, err := b.p.c.App.ExportExpiring(ctx, false, form)
				if err == nil {
					err = app.WriteNew(path, data)
				}
				return struct{}{}, err
			}, func(_ struct{}, err error) {
				if err != nil {
					b.p.sayError(err)
					return
				}
				b.p.say(widgets.Good, lang.X("board.exported", "What ends when is exported"), path)
			})
		},
	})
}

// nextWords say what is next.
func nextWords(n app.Next) string {
	switch n {
	case app.NextRotate:
		return lang.X("next.rotate", "rotate it on the device")
	case app.NextRenew:
		return lang.X("next.renew", "renew it here")
	case app.NextReissue:
		return lang.X("next.reissue", "provision the device again")
	case app.NextReplace:
		return lang.X("next.replace", "make a new CA, then move to it")
	}
	return lang.X("next.import", "ask its issuer, then import")
}

func nextButton(n app.Next) string {
	switch n {
	case app.NextRotate:
		return lang.X("next.rotate.do", "Rotate ...")
	case app.NextRenew:
		return lang.X("certificate.renew", "Renew ...")
	case app.NextReissue:
		return lang.X("device.again", "Provision again")
	case app.NextReplace:
		return lang.X("next.replace.do", "Make a new CA ...")
	}
	return lang.X("certificates.import", "Import ...")
}

// ends are the rows of the board.
type ends struct {
	list  []app.Expiry
	cells []map[string]widgets.TableCell
	at    map[string]int
}

// identity names a row: its certificate, or the device of which no more is known.
func identity(e app.Expiry) string {
	if e.ID != "" {
		return e.ID
	}
	return "device " + e.DeviceUUID
}

func newEnds(list []app.Expiry, p *Page) ends {
	rows := ends{list: list, at: map[string]int{}}
	for i, e := range list {
		device := e.Device
		if device == "" {
			device = lang.X("board.nodevice", "none")
		}
		rows.at[identity(e)] = i
		rows.cells = append(rows.cells, map[string]widgets.TableCell{
			columnEnds: {Status: lamp(e.CertificateView, p.now())}, columnName: {Text: name(e.CertificateView), Bold: true},
			columnWhat: {Text: roleWord(e.Role)}, columnDevice: {Text: device}, columnNext: {Text: nextWords(e.Next)}})
	}
	return rows
}

// Len implements widgets.TableRows.
func (r ends) Len() int { return len(r.list) }

// Identity implements widgets.TableRows.
func (r ends) Identity(i int) string { return identity(r.list[i]) }

// Find implements widgets.TableRows.
func (r ends) Find(id string) int {
	if i, ok := r.at[id]; ok {
		return i
	}
	return -1
}

// Cell implements widgets.TableRows.
func (r ends) Cell(i int, column string) widgets.TableCell { return r.cells[i][column] }
