package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// composite renders a widget that is put together from other objects. content
// fills the widget; paint, where there is one, copies the widget's state into
// the parts before a refresh.
type composite struct {
	owner   fyne.Widget
	content fyne.CanvasObject
	paint   func()
}

func newComposite(owner fyne.Widget, content fyne.CanvasObject, paint func()) *composite {
	if paint != nil {
		paint()
	}
	return &composite{owner: owner, content: content, paint: paint}
}

func (c *composite) Destroy()                     {}
func (c *composite) MinSize() fyne.Size           { return c.content.MinSize() }
func (c *composite) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{c.content} }
func (c *composite) Layout(size fyne.Size)        { c.content.Resize(size) }

func (c *composite) Refresh() {
	if c.paint != nil {
		c.paint()
	}
	c.content.Refresh()
	canvas.Refresh(c.owner)
}

// stack lays objects over each other at full size.
func stack(objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: stackLayout{}, Objects: objects}
}

type stackLayout struct{}

func (stackLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

func (stackLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if o.Visible() {
			size = size.Max(o.MinSize())
		}
	}
	return size
}

// show sets the visibility of an object.
func show(object fyne.CanvasObject, visible bool) {
	if visible {
		object.Show()
	} else {
		object.Hide()
	}
}
