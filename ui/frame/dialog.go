package frame

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// dialogWidth is how wide a dialog is at 100 % text.
const dialogWidth = 520

// Dialog is a question above the page. Escape closes it as its first, safe
// answer would; Ctrl and Enter press its blue button.
type Dialog struct {
	c       *Context
	popup   *widget.PopUp
	overlay fyne.CanvasObject // the popup as the canvas has it
	head    fyne.CanvasObject
	body    fyne.CanvasObject
	foot    fyne.CanvasObject
	buttons []*widgets.Button
	primary *widgets.Button
	closed  func()
	open    bool
}

// Answer is a button of a dialog.
type Answer struct {
	Text string
	Icon fyne.Resource
	Kind widgets.ButtonKind
	Do   func()
	// Stay keeps the dialog open; Do ends it when it is content.
	Stay bool
}

// NewDialog makes a dialog of a title, a body and buttons from the safe answer
// on; pressing one closes the dialog first. closed, which may be nil, hears of
// each end that is not a button.
func NewDialog(c *Context, title string, body fyne.CanvasObject, closed func(), answers ...Answer) *Dialog {
	d := &Dialog{c: c, body: body, closed: closed}
	d.head = widgets.NewText(title, widgets.StyleSubtitle)
	row := layout.FlowTrailing(fynetheme.Size(theme.SizeNameSpace2))
	for _, answer := range answers {
		press := func() { d.End(answer.Do) }
		if answer.Stay {
			press = answer.Do
		}
		button := widgets.NewButton(answer.Kind, answer.Text, answer.Icon, press)
		d.buttons = append(d.buttons, button)
		if answer.Kind == widgets.Primary {
			d.primary = button
		}
		row.Add(button)
	}
	d.foot = row
	return d
}

// Show puts the dialog above the page and gives the keyboard to first, or to
// the first button.
func (d *Dialog) Show(first fyne.Focusable) {
	space := fynetheme.Size(theme.SizeNameSpace4)
	column := layout.Column(space, d.head, layout.Grow(layout.VScroll(d.body)), d.foot)
	d.popup = widget.NewModalPopUp(layout.Inset(fynetheme.Size(theme.SizeNameSpace5), column), d.c.Window.Canvas())
	d.open = true
	d.c.dialogs = append(d.c.dialogs, d)
	d.Fit()
	d.popup.Show()
	d.overlay = d.c.Window.Canvas().Overlays().Top()
	if first == nil && len(d.buttons) > 0 {
		first = d.buttons[0]
	}
	if first != nil {
		d.c.Focus(first)
	}
}

// Fit gives the dialog the height that its body needs now.
func (d *Dialog) Fit() {
	if d.popup == nil {
		return
	}
	whole := d.c.Window.Canvas().Size()
	edge, space := 2*fynetheme.Size(theme.SizeNameSpace5), fynetheme.Size(theme.SizeNameSpace4)
	width := min(dialogWidth*theme.TextFactor(), whole.Width-2*edge)
	height := layout.HeightFor(d.head, width) + layout.HeightFor(d.body, width) + layout.HeightFor(d.foot, width) + 2*space
	d.popup.Resize(fyne.NewSize(width+edge, min(height+edge, whole.Height-edge)))
}

// Close ends the dialog without an answer.
func (d *Dialog) Close() { d.End(d.closed) }

// End closes the dialog and does something then, once.
func (d *Dialog) End(then func()) {
	if !d.open {
		return
	}
	d.open = false
	d.popup.Hide()
	for i, other := range d.c.dialogs {
		if other == d {
			d.c.dialogs = append(d.c.dialogs[:i:i], d.c.dialogs[i+1:]...)
			break
		}
	}
	if then != nil {
		then()
	}
}

// Confirm asks before something is done that destroys; act names it.
func Confirm(c *Context, title, line string, act Answer) {
	cancel := Answer{Text: lang.X("action.cancel", "Cancel")}
	NewDialog(c, title, widgets.NewText(line, widgets.StyleBody), nil, cancel, act).Show(nil)
}

// DialogOpen tells whether something lies above the page.
func (c *Context) DialogOpen() bool {
	return c.Window != nil && c.Window.Canvas().Overlays().Top() != nil
}

// CloseDialog closes what lies above the page, if anything does.
func (c *Context) CloseDialog() bool {
	if !c.DialogOpen() {
		return false
	}
	top := c.Window.Canvas().Overlays().Top()
	if n := len(c.dialogs); n > 0 && c.dialogs[n-1].overlay == top {
		c.dialogs[n-1].Close()
		return true
	}
	top.Hide() // one of the toolkit's own: a file dialog, a menu
	c.Window.Canvas().Overlays().Remove(top)
	return true
}

// SubmitDialog presses the blue button of the dialog on top.
func (c *Context) SubmitDialog() {
	if n := len(c.dialogs); n > 0 {
		if button := c.dialogs[n-1].primary; button != nil && !button.Disabled() {
			button.OnTapped()
		}
	}
}

// Primary is the blue button, nil where there is none.
func (d *Dialog) Primary() fyne.Focusable {
	if d.primary == nil {
		return nil
	}
	return d.primary
}
