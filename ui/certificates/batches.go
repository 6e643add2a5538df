package certificates

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// The columns of the batches.
const (
	columnStarted  = "started"
	columnState    = "state"
	columnFinished = "finished"
	columnFolder   = "folder"
)

// batches lists the batches, the newest first, and goes on with those that are
// not finished.
type batches struct {
	p      *Page
	object fyne.CanvasObject
	add    *widgets.Button
	act    *fyne.Container
	table  *widgets.DataTable
	rows   batchRows
	load   frame.Task
}

func newBatches(p *Page) *batches {
	b := &batches{p: p}
	space := fynetheme.Size(theme.SizeNameSpace2)
	b.add = widgets.NewButton(widgets.Secondary, lang.X("mint.many", "Make many ..."), fynetheme.ContentAddIcon(), p.mintMany)
	empty := widgets.NewEmptyState(theme.IconList(), lang.X("batches.empty", "No batch yet"),
		lang.X("batches.empty.line", "A list or a range of names becomes certificates, enrollments and one sealed bundle for each device."), nil)
	b.table = widgets.NewDataTable(container.NewStack(empty),
		widgets.TableColumn{ID: columnStarted, Title: lang.X("batches.started", "Begun"), Width: 130, Fixed: true},
		widgets.TableColumn{ID: columnState, Title: lang.X("batches.state", "State"), Width: 130, Fixed: true},
		widgets.TableColumn{ID: columnFinished, Title: lang.X("batches.finished", "Finished"), Width: 120, Fixed: true},
		widgets.TableColumn{ID: columnFolder, Title: lang.X("batches.folder", "Folder"), Width: 300, Fixed: true})
	b.table.OnSelected = func(string) { b.offer() }
	b.table.OnOpened = func(string) { b.do() }
	b.act = layout.Flow(space)
	tools := layout.Beside(space, 200*theme.TextFactor(), b.act, layout.Flow(space, b.add))
	b.object = layout.Column(fynetheme.Size(theme.SizeNameSpace3), tools, layout.Grow(b.table))
	b.offer()
	return b
}

func (b *batches) first() fyne.Focusable {
	if b.rows.Len() == 0 {
		return b.add
	}
	return widgets.FirstFocus(b.table)
}

// read lists the batches.
func (b *batches) read() {
	frame.Do(b.p.c, &b.load, b.p.c.App.MintBatches, func(list []app.MintBatch, err error) {
		if err != nil {
			b.p.sayError(err)
			return
		}
		b.rows = newBatchRows(list, b.p)
		b.table.SetRows(b.rows)
		b.offer()
		b.object.Refresh()
	})
}

// offer puts what can be done with the selected batch above the table.
func (b *batches) offer() {
	batch, ok := b.selected()
	line := func(text string) {
		b.act.Objects = []fyne.CanvasObject{widgets.NewText(text, widgets.StyleMuted.As(widgets.Single))}
	}
	switch {
	case b.rows.Len() == 0:
		b.act.Objects = nil
	case !ok:
		line(lang.X("batches.choose", "Choose a batch to go on with it."))
	case b.p.follows(batch.ID):
		b.act.Objects = []fyne.CanvasObject{widgets.NewButton(widgets.Primary, lang.X("batches.follow", "Show how it goes"), fynetheme.MediaPlayIcon(), b.do)}
	case batch.Live:
		line(lang.X("batches.elsewhere", "Another Edgewright is working on it."))
	case batch.State == string(provisioning.RunSucceeded):
		line(lang.X("batches.whole", "All of it is finished. Sealed for {{.Recipient}}.", map[string]any{"Recipient": shortRecipient(batch.Recipient)}))
	default:
		b.act.Objects = []fyne.CanvasObject{widgets.NewButton(widgets.Primary, lang.X("mint.resume", "Resume"), fynetheme.MediaPlayIcon(), b.do)}
	}
	b.act.Refresh()
	b.object.Refresh()
}

// shortRecipient is a recipient as one line shows it: a key by its beginning.
func shortRecipient(text string) string {
	if letters := []rune(text); len(letters) > 24 {
		return string(letters[:20]) + "…"
	}
	return text
}

// do goes on with the selected batch, or shows it.
func (b *batches) do() {
	batch, ok := b.selected()
	switch {
	case !ok:
	case b.p.follows(batch.ID):
		b.p.open(b.p.minting)
	case !batch.Live && batch.State != string(provisioning.RunSucceeded):
		b.p.resumeMint(batch.ID)
	}
}

func (b *batches) selected() (app.MintBatch, bool) {
	if at := b.rows.Find(b.table.Selected()); at >= 0 {
		return b.rows.list[at], true
	}
	return app.MintBatch{}, false
}

// follows tells whether a batch is the one that this window is working on.
func (p *Page) follows(id string) bool {
	if p.minting == nil || p.minting.done {
		return false
	}
	p.minting.mu.Lock()
	defer p.minting.mu.Unlock()
	return p.minting.id == id
}

// batchStatus is the pill of a batch.
func batchStatus(b app.MintBatch) widgets.Status {
	switch {
	case b.Live:
		return widgets.Status{State: widgets.Advice, Word: lang.X("state.running", "running")}
	case b.State == string(provisioning.RunSucceeded):
		return widgets.Status{State: widgets.Good, Word: lang.X("batches.done", "finished")}
	case b.State == string(provisioning.RunRunning):
		return widgets.Status{State: widgets.Care, Word: lang.X("batches.cut", "cut short")}
	case b.State == string(provisioning.RunCancelled):
		return widgets.Status{State: widgets.Care, Word: lang.X("batches.stopped", "stopped")}
	}
	return widgets.Status{State: widgets.Bad, Word: lang.XN("batches.failed", "{{.N}} failed", b.Failed, map[string]any{"N": b.Failed})}
}

// batchRows are the rows of the table.
type batchRows struct {
	list  []app.MintBatch
	cells []map[string]widgets.TableCell
}

func newBatchRows(list []app.MintBatch, p *Page) batchRows {
	rows := batchRows{list: list}
	for _, b := range list {
		rows.cells = append(rows.cells, map[string]widgets.TableCell{
			columnStarted: {Text: uilang.Moment(b.Started, p.now()), Bold: true}, columnState: {Status: batchStatus(b)},
			columnFinished: {Text: lang.X("batches.of", "{{.N}} of {{.All}}", map[string]any{"N": b.Finished, "All": b.Devices})},
			columnFolder:   {Text: b.Folder, Mono: true}})
	}
	return rows
}

// Len implements widgets.TableRows.
func (r batchRows) Len() int { return len(r.list) }

// Identity implements widgets.TableRows.
func (r batchRows) Identity(i int) string { return r.list[i].ID }

// Find implements widgets.TableRows.
func (r batchRows) Find(id string) int {
	for i, b := range r.list {
		if b.ID == id {
			return i
		}
	}
	return -1
}

// Cell implements widgets.TableRows.
func (r batchRows) Cell(i int, column string) widgets.TableCell { return r.cells[i][column] }
