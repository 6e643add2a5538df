package layout

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Growing is an object that takes what is left over in a Column or a Row.
type Growing struct {
	widget.BaseWidget
	content fyne.CanvasObject
}

// Grow marks content as taking the space that is left over.
func Grow(content fyne.CanvasObject) *Growing {
	g := &Growing{content: content}
	g.ExtendBaseWidget(g)
	return g
}

// Visible implements fyne.CanvasObject; with hidden content there is nothing to
// grow, and no space is left for it.
func (g *Growing) Visible() bool { return g.BaseWidget.Visible() && g.content.Visible() }

// CreateRenderer implements fyne.Widget.
func (g *Growing) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(g.content)
}

// Spacer is an empty Grow.
func Spacer() *Growing { return Grow(&fyne.Container{}) }
