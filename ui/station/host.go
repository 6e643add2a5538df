// Package station is the TPM station, two tabs of the devices page: the devices
// whose endorsement keys are read at once, and the keys that were collected, with
// their lists and their enrollment.
//
// It reads no TPM and no list itself, and it asks the catalog off the screen's
// thread.
package station

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// Host is what the page around gives.
type Host struct {
	C *frame.Context
	// Say puts a passing message above the tab.
	Say func(state widgets.State, title, line string, below ...fyne.CanvasObject)
	// OpenKey shows a collected key in its tab.
	OpenKey func(id string)
	// Counted is told how many keys there are.
	Counted func(keys int)
	// Listed is told that the station lists other devices.
	Listed func()
}

// sayError says that something asked for did not happen.
func (h Host) sayError(err error) {
	view := frame.View(err)
	h.Say(widgets.Bad, view.Message, view.Hint)
}

// pair is a list and what is chosen in it, side by side where both have room; else
// the one that is opened has all of it.
type pair struct {
	c      *frame.Context
	object *fyne.Container
	side   *fyne.Container
	leave  *widgets.Button
	top    *fyne.Container // around it
	wide   bool
	opened bool
}

func newPair(c *frame.Context, list, nothing fyne.CanvasObject) *pair {
	p := &pair{c: c, wide: true, side: container.NewStack(nothing)}
	p.leave = widgets.NewButton(widgets.Secondary, lang.X("station.tolist", "Back to the list"), fynetheme.NavigateBackIcon(), func() { p.back() })
	p.top = layout.Flow(0, p.leave)
	p.top.Hide()
	right := layout.Column(fynetheme.Size(theme.SizeNameSpace2), p.top, layout.Grow(p.side))
	p.object = layout.Split(0.52, 400*theme.TextFactor(), fynetheme.Size(theme.SizeNameSpace4), p.setWide, list, right)
	return p
}

// setWide is told with each layout whether both parts have room.
func (p *pair) setWide(wide bool) {
	p.wide = wide
	show(p.object.Objects[0], wide || !p.opened)
	show(p.object.Objects[1], wide || p.opened)
	show(p.top, !wide)
}

// set puts what is chosen beside the list.
func (p *pair) set(o fyne.CanvasObject) {
	p.side.Objects = []fyne.CanvasObject{o}
	p.side.Refresh()
	p.object.Refresh()
}

// open goes into what is chosen, where it has no room beside the list.
func (p *pair) open() {
	if !p.wide {
		p.opened = true
		p.object.Refresh()
		p.c.FocusIn(frame.Devices, p.leave)
	}
}

// back leaves what has the page to itself.
func (p *pair) back() bool {
	if !p.opened || p.wide {
		return false
	}
	p.opened = false
	p.object.Refresh()
	p.c.FocusIn(frame.Devices, widgets.FirstFocus(p.object))
	return true
}

// alone tells that what is chosen has the page to itself.
func (p *pair) alone() bool { return p.opened && !p.wide }

func show(o fyne.CanvasObject, visible bool) {
	if visible {
		o.Show()
	} else {
		o.Hide()
	}
}

// list is the rows of a table: ready cells, by identity.
type list struct {
	ids   []string
	cells []map[string]widgets.TableCell
	at    map[string]int
}

func (l *list) add(id string, cells map[string]widgets.TableCell) {
	if l.at == nil {
		l.at = map[string]int{}
	}
	l.at[id] = len(l.ids)
	l.ids, l.cells = append(l.ids, id), append(l.cells, cells)
}

// Len implements widgets.TableRows.
func (l *list) Len() int { return len(l.ids) }

// Identity implements widgets.TableRows.
func (l *list) Identity(i int) string { return l.ids[i] }

// Find implements widgets.TableRows.
func (l *list) Find(id string) int {
	if i, ok := l.at[id]; ok {
		return i
	}
	return -1
}

// Cell implements widgets.TableRows.
func (l *list) Cell(i int, column string) widgets.TableCell { return l.cells[i][column] }
