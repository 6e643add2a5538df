// Package layout arranges objects whose height depends on their width, which
// the toolkit's own layouts do not know: wrapped text, flows of pills, grids
// that become one column. Each layout gives its children their width first and
// asks for their height afterwards, so that one pass from the top is enough.
//
// The layouts remember the last width for MinSize; a value therefore belongs to
// one container. They are built by the New functions, which return containers.
package layout

import (
	"fyne.io/fyne/v2"
)

// HeightFor gives object the width and returns the height that it then needs.
func HeightFor(object fyne.CanvasObject, width float32) float32 {
	object.Resize(fyne.NewSize(width, object.Size().Height))
	return object.MinSize().Height
}

func place(object fyne.CanvasObject, x, y, width, height float32) {
	object.Move(fyne.NewPos(x, y))
	object.Resize(fyne.NewSize(width, height))
}

type column struct{ space float32 }

// Column stacks objects at full width, space pixels apart. A Grow object takes
// the height that is left over.
func Column(space float32, objects ...fyne.CanvasObject) *fyne.Container {
	return fill(&column{space}, objects)
}

func fill(l fyne.Layout, objects []fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: l, Objects: objects}
}

func (c *column) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	heights := make([]float32, len(objects))
	var used float32
	shown, growing := 0, 0
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		heights[i] = HeightFor(o, size.Width)
		used += heights[i]
		shown++
		if _, ok := o.(*Growing); ok {
			growing++
		}
	}
	rest := float32(0)
	if growing > 0 {
		rest = max(0, size.Height-used-c.space*float32(shown-1)) / float32(growing)
	}
	y := float32(0)
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		height := heights[i]
		if _, ok := o.(*Growing); ok {
			height += rest
		}
		place(o, 0, y, size.Width, height)
		y += height + c.space
	}
}

func (c *column) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	shown := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		least := o.MinSize()
		size.Width = max(size.Width, least.Width)
		size.Height += least.Height
		shown++
	}
	if shown > 1 {
		size.Height += c.space * float32(shown-1)
	}
	return size
}
