package layout

import "fyne.io/fyne/v2"

// Align says where in the height of a row an object sits.
type Align int

const (
	// Middle centres objects in the height of the row.
	Middle Align = iota
	// Top puts objects at the upper edge.
	Top
	// Stretch gives every object the height of the row.
	Stretch
)

type row struct {
	space float32
	align Align
}

// Row puts objects beside each other at their least width; Grow objects share
// the rest and may wrap in it.
func Row(space float32, align Align, objects ...fyne.CanvasObject) *fyne.Container {
	return fill(&row{space: space, align: align}, objects)
}

func (r *row) widths(objects []fyne.CanvasObject, total float32) []float32 {
	widths := make([]float32, len(objects))
	used, growing, shown := float32(0), 0, 0
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		shown++
		if _, ok := o.(*Growing); ok {
			growing++
			continue
		}
		widths[i] = o.MinSize().Width
		used += widths[i]
	}
	if growing == 0 {
		return widths
	}
	rest := max(0, total-used-r.space*float32(shown-1)) / float32(growing)
	for i, o := range objects {
		if _, ok := o.(*Growing); ok && o.Visible() {
			widths[i] = rest
		}
	}
	return widths
}

func (r *row) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	widths := r.widths(objects, size.Width)
	x := float32(0)
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		height := HeightFor(o, widths[i])
		y := float32(0)
		switch r.align {
		case Middle:
			y = max(0, (size.Height-height)/2)
		case Stretch:
			height = max(height, size.Height)
		}
		place(o, x, y, widths[i], height)
		x += widths[i] + r.space
	}
}

func (r *row) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	shown := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		least := o.MinSize()
		size.Width += least.Width
		size.Height = max(size.Height, least.Height)
		shown++
	}
	if shown > 1 {
		size.Width += r.space * float32(shown-1)
	}
	return size
}
