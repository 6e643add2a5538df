package runs

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// batchPage is the page of the runs that were started together.
type batchPage struct {
	p     *Page
	id    string
	list  []app.RunRow
	shown widgets.Status
	made  bool

	object fyne.CanvasObject
	head   *widgets.PageHead
	back   *widgets.Button
	answer *fyne.Container
	table  *widgets.DataTable
}

func newBatchPage(p *Page, id string) *batchPage {
	b := &batchPage{p: p, id: id}
	b.back = widgets.NewButton(widgets.Secondary, lang.X("action.back", "Back"), fynetheme.NavigateBackIcon(), func() { p.Back() })
	b.head = widgets.NewPageHead(lang.X("runs.batch.title", "Batch {{.Batch}}", map[string]any{"Batch": id}), "", b.back)
	b.answer = layout.Column(fynetheme.Size(theme.SizeNameSpace3))
	b.table = widgets.NewDataTable(nil, columns()...)
	b.table.OnOpened = p.open
	b.object = layout.Page(b.head, layout.Column(fynetheme.Size(theme.SizeNameSpace3), b.answer, layout.Grow(b.table)), nil)
	return b
}

func (b *batchPage) first() fyne.Focusable {
	if rest, live := b.unfinished(); len(rest) > 0 && !live {
		return widgets.FirstFocus(b.answer)
	}
	return widgets.FirstFocus(b.table)
}

// set shows the runs as the journal has them now.
func (b *batchPage) set(list []app.RunRow) {
	b.list = list
	b.head.SetLine(lang.XN("runs.line", "{{.N}} runs", len(list), map[string]any{"N": len(list)}))
	flat := make([]app.RunRow, len(list))
	for i, run := range list {
		run.Batch = "" // no head above them here
		flat[i] = run
	}
	b.table.SetRows(newRows(flat, columnRun, true, time.Now()))
	if status := batchStatus(list); !b.made || status != b.shown {
		b.made, b.shown = true, status
		b.answer.Objects = []fyne.CanvasObject{b.sum(status)}
		b.answer.Refresh()
	}
}

// unfinished are the runs that have not reached what they were for; live ones
// are left alone.
func (b *batchPage) unfinished() (list []app.RunRow, live bool) {
	for _, run := range b.list {
		live = live || run.Live
		if canResume(run) {
			list = append(list, run)
		}
	}
	return list, live
}

func (b *batchPage) sum(status widgets.Status) fyne.CanvasObject {
	rest, live := b.unfinished()
	title := lang.X("runs.batch.sum", "{{.Done}} devices are ready", map[string]any{"Done": status.Word})
	if live {
		return widgets.NewBanner(widgets.Advice, title, lang.X("runs.batch.live", "The others are being worked on."))
	}
	var buttons []fyne.CanvasObject
	if len(rest) > 0 {
		buttons = append(buttons, widgets.NewButton(widgets.Primary, lang.XN("runs.batch.resume", "Resume {{.N}} runs", len(rest), map[string]any{"N": len(rest)}), fynetheme.MediaPlayIcon(), b.resume))
	}
	if n := b.undoable(); n > 0 {
		buttons = append(buttons, widgets.NewButton(widgets.Secondary, lang.X("runs.putback", "Put everything back ..."), fynetheme.ContentUndoIcon(), b.undo))
	}
	return widgets.NewBanner(status.State, title, "", buttons...)
}

func (b *batchPage) undoable() int {
	n := 0
	for _, run := range b.list {
		if CanUndo(run) {
			n++
		}
	}
	return n
}

// resume goes on with all runs of the batch that are not done.
func (b *batchPage) resume() {
	if rest, live := b.unfinished(); len(rest) > 0 && !live {
		b.carry(b.p.c.App.Resume)
	}
}

func (b *batchPage) undo() {
	frame.Confirm(b.p.c, lang.X("runs.batch.undo.title", "Put everything back that batch {{.Batch}} made?", map[string]any{"Batch": b.id}),
		lang.XN("runs.batch.undo.line", "{{.N}} devices get the files that they had before, and lose their place in the cloud if this batch made it.", b.undoable(), map[string]any{"N": b.undoable()}),
		frame.Answer{Text: lang.XN("runs.batch.undo.do", "Put back {{.N}} devices", b.undoable(), map[string]any{"N": b.undoable()}), Icon: fynetheme.ContentUndoIcon(), Kind: widgets.Danger, Do: func() {
			b.carry(b.p.c.App.Undo)
		}})
}

func (b *batchPage) carry(do action) {
	p, id := b.p, b.id
	carry(p.c, id, do, func() {
		b.answer.Objects = []fyne.CanvasObject{widgets.NewBanner(widgets.Advice, lang.X("runs.batch.going", "One run after the other"), lang.X("runs.batch.live", "The others are being worked on."))}
		b.answer.Refresh()
		p.fresh.Soon()
	}, func(err error) {
		b.made = false
		p.Again()
		if err != nil {
			frame.NewDialog(p.c, lang.X("runs.batch.title", "Batch {{.Batch}}", map[string]any{"Batch": id}), frame.Failure(err, "", nil), nil,
				frame.Answer{Text: lang.X("action.close", "Close"), Kind: widgets.Primary}).Show(nil)
		}
	})
}
