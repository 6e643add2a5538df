package layout

import "fyne.io/fyne/v2"

type grid struct {
	columns int
	least   float32
	space   float32
	width   float32 // of the last layout; 0 before the first
}

// Grid arranges objects in columns of equal width, at most columns of them, and
// in fewer when one would be narrower than least. Objects of one row share its
// height.
func Grid(columns int, least, space float32, objects ...fyne.CanvasObject) *fyne.Container {
	return fill(&grid{columns: columns, least: least, space: space}, objects)
}

func (g *grid) fit(width float32) int {
	n := int((width + g.space) / (g.least + g.space))
	return min(max(n, 1), g.columns)
}

func visible(objects []fyne.CanvasObject) []fyne.CanvasObject {
	shown := make([]fyne.CanvasObject, 0, len(objects))
	for _, o := range objects {
		if o.Visible() {
			shown = append(shown, o)
		}
	}
	return shown
}

func (g *grid) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	g.width = size.Width
	n := g.fit(size.Width)
	width := (size.Width - g.space*float32(n-1)) / float32(n)
	shown := visible(objects)
	y := float32(0)
	for start := 0; start < len(shown); start += n {
		line := shown[start:min(start+n, len(shown))]
		height := float32(0)
		for _, o := range line {
			height = max(height, HeightFor(o, width))
		}
		for i, o := range line {
			place(o, float32(i)*(width+g.space), y, width, height)
		}
		y += height + g.space
	}
}

func (g *grid) MinSize(objects []fyne.CanvasObject) fyne.Size {
	n := g.columns
	if g.width > 0 {
		n = g.fit(g.width)
	}
	shown := visible(objects)
	var size fyne.Size
	for start := 0; start < len(shown); start += n {
		height := float32(0)
		for _, o := range shown[start:min(start+n, len(shown))] {
			least := o.MinSize()
			size.Width = max(size.Width, least.Width)
			height = max(height, least.Height)
		}
		if start > 0 {
			size.Height += g.space
		}
		size.Height += height
	}
	return size
}
