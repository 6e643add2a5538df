package layout

import "fyne.io/fyne/v2"

type sidebar struct {
	side, least, space float32
	width              float32 // of the last layout; 0 before the first
}

// Sidebar puts side at a fixed width before main, which takes the rest. Where
// main would be narrower than least, side stands above main.
func Sidebar(width, least, space float32, side, main fyne.CanvasObject) *fyne.Container {
	return fill(&sidebar{side: width, least: least, space: space}, []fyne.CanvasObject{side, main})
}

func (s *sidebar) stacked(width float32) bool {
	return width-s.side-s.space < s.least
}

func (s *sidebar) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	s.width = size.Width
	side, main := objects[0], objects[1]
	if !side.Visible() {
		place(main, 0, 0, size.Width, size.Height)
		return
	}
	if s.stacked(size.Width) {
		height := HeightFor(side, size.Width)
		place(side, 0, 0, size.Width, height)
		y := height + s.space
		place(main, 0, y, size.Width, max(HeightFor(main, size.Width), size.Height-y))
		return
	}
	x := s.side + s.space
	place(side, 0, 0, s.side, max(HeightFor(side, s.side), size.Height))
	place(main, x, 0, size.Width-x, max(HeightFor(main, size.Width-x), size.Height))
}

func (s *sidebar) MinSize(objects []fyne.CanvasObject) fyne.Size {
	side, main := objects[0].MinSize(), objects[1].MinSize()
	if !objects[0].Visible() {
		return main
	}
	if s.width > 0 && s.stacked(s.width) {
		return fyne.NewSize(max(side.Width, main.Width), side.Height+s.space+main.Height)
	}
	height := max(side.Height, main.Height)
	return fyne.NewSize(max(side.Width, main.Width), height)
}
