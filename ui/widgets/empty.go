package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// NewEmptyState fills a page or a table that has nothing to show yet: a
// drawing, a title, one sentence and one button. sentence may be empty and
// action nil.
func NewEmptyState(icon fyne.Resource, title, sentence string, action *Button) fyne.CanvasObject {
	parts := []fyne.CanvasObject{
		NewIcon(icon, theme.ColorNameFieldBorder, theme.SizeNameIconHuge),
		NewText(title, StyleSubtitle.Aligned(fyne.TextAlignCenter)),
	}
	if sentence != "" {
		parts = append(parts, NewText(sentence, StyleMuted.Aligned(fyne.TextAlignCenter)))
	}
	if action != nil {
		parts = append(parts, &fyne.Container{Layout: centred{}, Objects: []fyne.CanvasObject{action}})
	}
	return &fyne.Container{Layout: &centredColumn{width: 440}, Objects: []fyne.CanvasObject{
		layout.Column(fynetheme.Size(theme.SizeNameSpace3), parts...),
	}}
}

// centred puts its object in the middle at its least size.
type centred struct{}

func (centred) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		least := o.MinSize()
		o.Resize(least)
		o.Move(fyne.NewPos((size.Width-least.Width)/2, (size.Height-least.Height)/2))
	}
}

func (centred) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }

// centredColumn puts its object, at most width wide, in the middle.
type centredColumn struct{ width float32 }

func (c *centredColumn) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := min(size.Width, c.width*theme.TextFactor())
	for _, o := range objects {
		height := layout.HeightFor(o, width)
		o.Resize(fyne.NewSize(width, height))
		o.Move(fyne.NewPos((size.Width-width)/2, max(0, (size.Height-height)/2)))
	}
}

func (*centredColumn) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }
