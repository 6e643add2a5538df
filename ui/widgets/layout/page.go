package layout

import (
	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

type page struct{}

// Page is the body of a screen: head at the top, body in the middle and foot,
// the row of buttons, at the bottom, with the margins of a page. The body gets
// the height that is left; wrap it in VScroll unless it scrolls by itself. head
// and foot may be nil.
func Page(head, body, foot fyne.CanvasObject) fyne.CanvasObject {
	empty := func(o fyne.CanvasObject) fyne.CanvasObject {
		if o == nil {
			hidden := &fyne.Container{}
			hidden.Hide()
			return hidden
		}
		return o
	}
	return Readable(theme.ReadableWidth, fill(&page{}, []fyne.CanvasObject{empty(head), body, empty(foot)}))
}

const pageMargin, pageSide, pageGap = 22, 28, 16

func (*page) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	head, body, foot := objects[0], objects[1], objects[2]
	width := max(0, size.Width-2*pageSide)
	top, bottom := float32(pageMargin), size.Height-pageMargin
	if head.Visible() {
		height := HeightFor(head, width)
		place(head, pageSide, top, width, height)
		top += height + pageGap
	}
	if foot.Visible() {
		height := HeightFor(foot, width)
		bottom -= height
		place(foot, pageSide, bottom, width, height)
		bottom -= pageGap
	}
	place(body, pageSide, top, width, max(0, bottom-top))
}

func (*page) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(0, 2*pageMargin)
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		least := o.MinSize()
		size.Width = max(size.Width, least.Width)
		size.Height += least.Height
		if i > 0 {
			size.Height += pageGap
		}
	}
	size.Width += 2 * pageSide
	return size
}

type shell struct {
	narrow func(bool)
}

// Shell is the window: rail at the leading edge, body in the rest. narrow is
// called with each layout and tells the rail whether the window is too narrow
// for names.
func Shell(rail, body fyne.CanvasObject, narrow func(bool)) *fyne.Container {
	return fill(&shell{narrow}, []fyne.CanvasObject{rail, body})
}

func (s *shell) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	s.narrow(size.Width < theme.NarrowWindow)
	width := objects[0].MinSize().Width
	place(objects[0], 0, 0, width, size.Height)
	place(objects[1], width, 0, max(0, size.Width-width), size.Height)
}

// MinSize leaves the width to the rail with icons only; a window is never made
// wider by the names in it.
func (s *shell) MinSize(objects []fyne.CanvasObject) fyne.Size {
	rail, body := objects[0].MinSize(), objects[1].MinSize()
	return fyne.NewSize(fynetheme.Size(theme.SizeNameRailNarrow)+body.Width, max(rail.Height, body.Height))
}
