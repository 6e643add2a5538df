package layout

import "fyne.io/fyne/v2"

type inset struct{ top, right, bottom, left float32 }

// Inset surrounds object with the same space on all sides.
func Inset(space float32, object fyne.CanvasObject) *fyne.Container {
	return Insets(space, space, space, space, object)
}

// Insets surrounds object with space, clockwise from the top.
func Insets(top, right, bottom, left float32, object fyne.CanvasObject) *fyne.Container {
	return fill(&inset{top, right, bottom, left}, []fyne.CanvasObject{object})
}

func (i *inset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		place(o, i.left, i.top, max(0, size.Width-i.left-i.right), max(0, size.Height-i.top-i.bottom))
	}
}

func (i *inset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if o.Visible() {
			size = size.Max(o.MinSize())
		}
	}
	return size.AddWidthHeight(i.left+i.right, i.top+i.bottom)
}

type readable struct{ width float32 }

// Readable keeps object at most width wide, at the leading edge, however wide
// the window is.
func Readable(width float32, object fyne.CanvasObject) *fyne.Container {
	return fill(&readable{width}, []fyne.CanvasObject{object})
}

func (r *readable) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		place(o, 0, 0, min(size.Width, r.width), size.Height)
	}
}

func (r *readable) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		size = size.Max(o.MinSize())
	}
	return size
}
