package widgets

import (
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
)

// squeeze gives its object the width that its text needs on one line and lets
// the text wrap where there is less. natural is its size on one line; fill makes
// the object as large as the room, otherwise it keeps its own size at the
// leading edge in the middle of the height.
type squeeze struct {
	natural func() fyne.Size
	fill    bool
	width   float32 // of the last layout; 0 before the first
}

func (s *squeeze) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	s.width = size.Width
	width := size.Width
	if !s.fill {
		width = min(width, s.natural().Width)
	}
	height := layout.HeightFor(objects[0], width)
	y := max(0, (size.Height-height)/2)
	if s.fill {
		y, height = 0, max(height, size.Height)
	}
	objects[0].Move(fyne.NewPos(0, y))
	objects[0].Resize(fyne.NewSize(width, height))
}

func (s *squeeze) MinSize(objects []fyne.CanvasObject) fyne.Size {
	natural := s.natural()
	if s.width == 0 || s.width >= natural.Width {
		return natural
	}
	return fyne.NewSize(natural.Width, objects[0].MinSize().Height)
}
