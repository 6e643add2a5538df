// Package runs is the page of the journal: every run, live and past, alone or in
// its batch; each opens with its steps, its log and what can be done about it.
//
// A live run is followed by looking at the journal again and again, never by
// having the run tell the screen.
package runs

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/live"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// sampling is the time between two looks at a live run.
const sampling = 500 * time.Millisecond

// Page is the screen.
type Page struct {
	c       *frame.Context
	content *fyne.Container // the list, or the page of a run or a batch
	list    fyne.CanvasObject
	run     *runPage
	batch   *batchPage

	head   *widgets.PageHead
	cut    *fyne.Container // the runs that were cut short
	table  *widgets.DataTable
	empty  *fyne.Container
	middle *fyne.Container

	all        []app.RunRow
	known      bool
	sortBy     string
	descending bool
	// acting says what was begun about a run and has not reached the journal.
	acting   map[string]bool
	problems map[string]error
	lost     error // why a run that was asked for does not open

	load  frame.Task
	look  frame.Task
	fresh *live.Refresher
}

// New makes the page; the journal is read when it is shown.
func New(c *frame.Context) *Page {
	p := &Page{c: c, sortBy: columnRun, descending: true, acting: map[string]bool{}, problems: map[string]error{}}
	p.head = widgets.NewPageHead(lang.X("runs.title", "Runs"), "")
	p.cut = layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	p.cut.Hide()
	p.empty = container.NewStack()
	p.table = widgets.NewDataTable(p.empty, columns()...)
	p.table.SetSort(p.sortBy, p.descending)
	p.table.OnOpened = p.open
	p.table.OnSort = func(column string, descending bool) {
		p.sortBy, p.descending = column, descending
		p.table.SetRows(newRows(p.all, p.sortBy, p.descending, time.Now()))
	}
	p.middle = container.NewStack(p.table)
	return p
}

// Content implements frame.Page.
func (p *Page) Content() fyne.CanvasObject {
	p.list = layout.Page(p.head, layout.Column(fynetheme.Size(theme.SizeNameSpace3), p.cut, layout.Grow(p.middle)), nil)
	p.content = container.NewStack(p.list)
	p.fresh = live.New(p.c, p.content, sampling, p.Again)
	return p.content
}

// Show reads the journal, and opens the run or the batch that the place names.
func (p *Page) Show(place frame.Place) {
	p.fresh.Follow()
	p.read()
	switch {
	case place.Run != "":
		p.open(place.Run)
	default:
		p.reopen()
	}
}

// Focus implements frame.Page.
func (p *Page) Focus() fyne.Focusable {
	switch {
	case p.run != nil:
		return p.run.first()
	case p.batch != nil:
		return p.batch.first()
	case p.known && len(p.all) == 0:
		return widgets.FirstFocus(p.empty)
	}
	if first := widgets.FirstFocus(p.cut); first != nil {
		return first
	}
	return widgets.FirstFocus(p.table)
}

// Primary goes on with what was cut short: the run that is open, or the newest.
func (p *Page) Primary() {
	switch {
	case p.run != nil:
		p.run.resume()
	case p.batch != nil:
		p.batch.resume()
	case p.known && len(p.all) == 0:
		p.c.Open(frame.Place{Page: frame.Provision})
	default:
		for _, run := range p.all {
			if cut(run) && !p.acting[run.ID] {
				p.resume(run)
				return
			}
		}
	}
}

// Back closes the run that is open; one of a batch goes back to the batch.
func (p *Page) Back() bool {
	if p.run == nil && p.batch == nil {
		return false
	}
	if p.run != nil && p.run.from != "" {
		p.open(p.run.from)
		return true
	}
	p.close()
	return true
}

// Again implements frame.Page.
func (p *Page) Again() {
	p.read()
	p.reopen()
}

// Help implements frame.Page.
func (p *Page) Help() string {
	return lang.X("runs.help", "Every run is here, with each step, its time and its log. A run that was cut short by the end of its program can be resumed: it looks before it acts. Put everything back undoes a run on the device and in the cloud.")
}

// read lists the runs anew.
func (p *Page) read() {
	frame.Do(p.c, &p.load, p.c.App.Runs, func(all []app.RunRow, err error) {
		if err != nil {
			p.fill(frame.Failure(err, "", p.Again))
			return
		}
		p.fill(p.table)
		first := !p.known
		p.all, p.known = all, true
		p.sayLine()
		p.showEmpty()
		p.showCut()
		p.table.SetRows(newRows(all, p.sortBy, p.descending, time.Now()))
		if b := p.batch; b != nil {
			b.set(batches(all)[b.id])
		}
		if first && p.run == nil && p.batch == nil && live.InFront(p.c, p.content) && !p.c.DialogOpen() {
			p.c.Window.Canvas().Focus(p.Focus())
		}
		for _, run := range all {
			if run.Live {
				p.fresh.Soon()
				break
			}
		}
	})
}

func (p *Page) fill(o fyne.CanvasObject) {
	if p.middle.Objects[0] != o {
		p.middle.Objects = []fyne.CanvasObject{o}
		p.middle.Refresh()
	}
}

func (p *Page) sayLine() {
	going, broken := 0, 0
	for _, run := range p.all {
		if run.Live {
			going++
		} else if cut(run) {
			broken++
		}
	}
	line := lang.XN("runs.line", "{{.N}} runs", len(p.all), map[string]any{"N": len(p.all)})
	switch {
	case len(p.all) == 0:
		line = ""
	case broken > 0:
		line = lang.XN("runs.line.cut", "{{.N}} runs were cut short and can be resumed", broken, map[string]any{"N": broken})
	case going > 0:
		line = lang.XN("runs.line.live", "{{.N}} runs are going on", going, map[string]any{"N": going})
	}
	p.head.SetLine(line)
}

func (p *Page) showEmpty() {
	if len(p.all) == 0 && len(p.empty.Objects) == 0 {
		p.empty.Objects = []fyne.CanvasObject{widgets.NewEmptyState(fynetheme.HistoryIcon(), lang.X("runs.none", "No run yet"),
			lang.X("runs.none.line", "Each run leaves its steps, its times and its log here."),
			widgets.NewButton(widgets.Primary, lang.X("devices.first", "Provision a device"), fynetheme.ContentAddIcon(), p.Primary))}
		p.empty.Refresh()
	}
}

// namedCut is how many runs that were cut short are named above the table.
const namedCut = 3

// showCut names the runs whose program died, with what can be done, below what
// could not be opened.
func (p *Page) showCut() {
	var banners []fyne.CanvasObject
	named := 0
	if p.lost != nil {
		view := frame.View(p.lost)
		banners = append(banners, widgets.NewBanner(widgets.Bad, view.Message, view.Hint))
	}
	for _, run := range p.all {
		if !cut(run) || p.acting[run.ID] || named == namedCut {
			continue
		}
		kind := widgets.Secondary
		if named == 0 {
			kind = widgets.Primary
		}
		named++
		banners = append(banners, widgets.NewBanner(widgets.Care,
			lang.X("runs.cut.title", "Run {{.Run}} for {{.Device}} was cut short", map[string]any{"Run": run.ID, "Device": run.Device}),
			lang.X("runs.cut.line", "Its program ended. Resume looks first and goes on where it stopped."),
			widgets.NewButton(kind, lang.X("runs.resume", "Resume"), fynetheme.MediaPlayIcon(), func() { p.resume(run) }),
			widgets.NewButton(widgets.Secondary, lang.X("runs.putback", "Put everything back ..."), fynetheme.ContentUndoIcon(), func() { p.undo(run) })))
	}
	if len(banners) > 0 || len(p.cut.Objects) > 0 {
		p.cut.Objects = banners
		if len(banners) == 0 {
			p.cut.Hide()
		} else {
			p.cut.Show()
		}
		p.cut.Refresh()
		p.list.Refresh()
	}
}

// open shows a run or a batch.
func (p *Page) open(id string) {
	p.lost = nil
	if list := batches(p.all)[id]; len(list) > 0 {
		p.look.Stop()
		p.run, p.batch = nil, newBatchPage(p, id)
		p.batch.set(list)
		p.put(p.batch.object)
		p.focus(p.batch.first())
		return
	}
	from := ""
	if p.batch != nil {
		from = p.batch.id
	}
	p.lookAt(id, from)
}

// lookAt reads one run and shows it, or what it says now.
func (p *Page) lookAt(id, from string) {
	frame.Do(p.c, &p.look, func(ctx context.Context) (app.RunDetail, error) { return p.c.App.Run(ctx, id) }, func(detail app.RunDetail, err error) {
		if err != nil {
			p.lost = err
			p.close()
			p.showCut()
			return
		}
		if !cut(detail.RunRow) {
			delete(p.acting, detail.ID)
		}
		if detail.Live {
			p.fresh.Soon()
		}
		if p.run != nil && p.run.detail.ID == detail.ID {
			p.run.set(detail)
			return
		}
		p.batch, p.run = nil, newRunPage(p, detail, from)
		p.table.Select(detail.ID)
		p.put(p.run.object)
		p.focus(p.run.first())
	})
}

// reopen reads the run that is open again.
func (p *Page) reopen() {
	if p.run != nil {
		p.lookAt(p.run.detail.ID, p.run.from)
	}
}

// close goes back to the list.
func (p *Page) close() {
	p.look.Stop()
	p.run, p.batch = nil, nil
	p.put(p.list)
	p.focus(widgets.FirstFocus(p.table))
}

func (p *Page) put(o fyne.CanvasObject) {
	p.content.Objects = []fyne.CanvasObject{o}
	p.content.Refresh()
}

func (p *Page) focus(f fyne.Focusable) {
	if f != nil && p.c.Window != nil && !p.c.DialogOpen() && live.InFront(p.c, p.content) {
		p.c.Window.Canvas().Focus(f)
	}
}

// resume goes on with a run.
func (p *Page) resume(run app.RunRow) {
	carry(p.c, run.ID, p.c.App.Resume, func() { p.started(run) }, func(err error) { p.ended(run, err) })
}

// undo asks and puts back what a run made.
func (p *Page) undo(run app.RunRow) {
	Undo(p.c, run, func() { p.started(run) }, func(err error) { p.ended(run, err) })
}

// started notes that work on a run was begun; the journal does not say so yet.
func (p *Page) started(run app.RunRow) {
	p.acting[run.ID] = true
	delete(p.problems, run.ID)
	p.showCut()
	if p.run != nil && p.run.detail.ID == run.ID {
		p.run.set(p.run.detail)
	} else {
		p.lookAt(run.ID, "")
	}
	p.fresh.Soon()
}

func (p *Page) ended(run app.RunRow, err error) {
	delete(p.acting, run.ID)
	if err != nil {
		p.problems[run.ID] = err
	}
	p.Again()
}
