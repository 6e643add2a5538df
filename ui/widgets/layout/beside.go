package layout

import "fyne.io/fyne/v2"

type beside struct {
	space, least float32
	width        float32 // of the last layout; 0 before the first
}

// Beside puts trailing at the right of leading, at its least width; where
// leading would then be narrower than least, trailing goes below it.
func Beside(space, least float32, leading, trailing fyne.CanvasObject) *fyne.Container {
	return fill(&beside{space: space, least: least}, []fyne.CanvasObject{leading, trailing})
}

// natural is the width that an object takes when nothing is scarce: the sum for
// a Flow, which alone would be content with its widest object.
func natural(object fyne.CanvasObject) float32 {
	c, ok := object.(*fyne.Container)
	if !ok {
		return object.MinSize().Width
	}
	f, ok := c.Layout.(*flow)
	if !ok {
		return object.MinSize().Width
	}
	total := -f.space
	for _, o := range visible(c.Objects) {
		total += o.MinSize().Width + f.space
	}
	return max(0, total)
}

func (b *beside) below(objects []fyne.CanvasObject, width float32) bool {
	return width-natural(objects[1])-b.space < b.least
}

func (b *beside) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	b.width = size.Width
	leading, trailing := objects[0], objects[1]
	if !trailing.Visible() {
		place(leading, 0, 0, size.Width, HeightFor(leading, size.Width))
		return
	}
	if b.below(objects, size.Width) {
		height := HeightFor(leading, size.Width)
		place(leading, 0, 0, size.Width, height)
		place(trailing, 0, height+b.space, size.Width, HeightFor(trailing, size.Width))
		return
	}
	width := natural(trailing)
	lead := size.Width - width - b.space
	h1, h2 := HeightFor(leading, lead), HeightFor(trailing, width)
	height := max(h1, h2, size.Height)
	place(leading, 0, (height-h1)/2, lead, h1)
	place(trailing, lead+b.space, (height-h2)/2, width, h2)
}

func (b *beside) MinSize(objects []fyne.CanvasObject) fyne.Size {
	leading := objects[0].MinSize()
	if !objects[1].Visible() {
		return leading
	}
	trailing := objects[1].MinSize()
	size := fyne.NewSize(max(leading.Width, trailing.Width), max(leading.Height, trailing.Height))
	if b.width > 0 && b.below(objects, b.width) {
		size.Height = leading.Height + b.space + trailing.Height
	}
	return size
}
