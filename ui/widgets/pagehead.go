package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// PageHead is the top of a page: where one is, what matters now, and buttons.
type PageHead struct {
	widget.BaseWidget
	title, line *Text
	actions     *fyne.Container
}

// NewPageHead makes a PageHead; an empty line takes no room.
func NewPageHead(title, line string, actions ...fyne.CanvasObject) *PageHead {
	h := &PageHead{
		title:   NewText(title, StyleTitle),
		line:    NewText(line, StyleMuted),
		actions: layout.FlowTrailing(fynetheme.Size(theme.SizeNameSpace2), actions...),
	}
	show(h.line, line != "")
	h.ExtendBaseWidget(h)
	return h
}

// SetTitle changes the title.
func (h *PageHead) SetTitle(title string) {
	h.title.SetText(title)
	h.Refresh()
}

// SetLine changes the line below the title.
func (h *PageHead) SetLine(line string) {
	h.line.SetText(line)
	show(h.line, line != "")
	h.Refresh()
}

// SetActions replaces the buttons.
func (h *PageHead) SetActions(actions ...fyne.CanvasObject) {
	h.actions.Objects = actions
	h.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (h *PageHead) CreateRenderer() fyne.WidgetRenderer {
	texts := layout.Column(fynetheme.Size(theme.SizeNameSpace1), h.title, h.line)
	body := layout.Beside(fynetheme.Size(theme.SizeNameSpace4), 240*theme.TextFactor(), texts, h.actions)
	return newComposite(h, body, func() { show(h.actions, len(h.actions.Objects) > 0) })
}

// NewStepHead is the head of one step of a wizard: a question and a line.
func NewStepHead(title, line string) *fyne.Container {
	head := layout.Column(fynetheme.Size(theme.SizeNameSpace1), NewText(title, StyleSubtitle))
	if line != "" {
		head.Add(NewText(line, StyleMuted))
	}
	return head
}
