package layout

import "fyne.io/fyne/v2"

type split struct {
	share, least, space float32
	wide                func(bool)
}

// Split puts a list and what is chosen in it side by side, the list on a share of
// the width. Where one of them would be narrower than least, wide is told so with
// each layout and hides one of them; the other one then has all of the room.
func Split(share, least, space float32, wide func(bool), list, detail fyne.CanvasObject) *fyne.Container {
	return fill(&split{share: share, least: least, space: space, wide: wide}, []fyne.CanvasObject{list, detail})
}

func (s *split) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left := (size.Width - s.space) * s.share
	right := size.Width - s.space - left
	s.wide(left >= s.least && right >= s.least)
	list, detail := objects[0], objects[1]
	switch {
	case !detail.Visible():
		place(list, 0, 0, size.Width, size.Height)
	case !list.Visible():
		place(detail, 0, 0, size.Width, size.Height)
	default:
		place(list, 0, 0, left, size.Height)
		place(detail, left+s.space, 0, right, size.Height)
	}
}

// MinSize is that of the part that needs more: each may be alone.
func (s *split) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if o.Visible() {
			size = size.Max(o.MinSize())
		}
	}
	return size
}
