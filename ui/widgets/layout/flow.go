package layout

import "fyne.io/fyne/v2"

type flow struct {
	space    float32
	trailing bool
	width    float32 // of the last layout; 0 before the first
}

// Flow puts objects beside each other at their least size and goes on in a new
// line where they no longer fit: pills, buttons.
func Flow(space float32, objects ...fyne.CanvasObject) *fyne.Container {
	return fill(&flow{space: space}, objects)
}

// FlowTrailing is a Flow whose lines end at the right edge.
func FlowTrailing(space float32, objects ...fyne.CanvasObject) *fyne.Container {
	return fill(&flow{space: space, trailing: true}, objects)
}

// lines breaks the visible objects into lines for a width; an object wider than
// the width gets a line and the width.
func (f *flow) lines(objects []fyne.CanvasObject, width float32) [][]fyne.CanvasObject {
	var lines [][]fyne.CanvasObject
	var line []fyne.CanvasObject
	x := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		w := o.MinSize().Width
		if len(line) > 0 && x+w > width {
			lines, line, x = append(lines, line), nil, 0
		}
		line = append(line, o)
		x += w + f.space
	}
	if len(line) > 0 {
		lines = append(lines, line)
	}
	return lines
}

func (f *flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	f.width = size.Width
	y := float32(0)
	for _, line := range f.lines(objects, size.Width) {
		height, used := float32(0), -f.space
		for _, o := range line {
			w := min(o.MinSize().Width, size.Width)
			height = max(height, HeightFor(o, w))
			used += w + f.space
		}
		x := float32(0)
		if f.trailing {
			x = max(0, size.Width-used)
		}
		for _, o := range line {
			w := min(o.MinSize().Width, size.Width)
			h := o.MinSize().Height
			place(o, x, y+(height-h)/2, w, h)
			x += w + f.space
		}
		y += height + f.space
	}
}

func (f *flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := f.width
	if width == 0 {
		width = 1e6
	}
	var size fyne.Size
	lines := f.lines(objects, width)
	for _, line := range lines {
		height := float32(0)
		for _, o := range line {
			least := o.MinSize()
			size.Width = max(size.Width, least.Width)
			height = max(height, least.Height)
		}
		size.Height += height
	}
	if len(lines) > 1 {
		size.Height += f.space * float32(len(lines)-1)
	}
	return size
}
