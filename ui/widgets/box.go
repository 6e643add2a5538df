package widgets

import (
	"image/color"

	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Box is a rectangle in colours of the theme. Empty names draw nothing.
type Box struct {
	widget.BaseWidget
	Fill   fyne.ThemeColorName
	Stroke fyne.ThemeColorName
	Width  fyne.ThemeSizeName // of the stroke; hairline when empty
	Corner fyne.ThemeSizeName // square when empty
}

// NewBox makes a Box with a hairline.
func NewBox(fill, stroke fyne.ThemeColorName, corner fyne.ThemeSizeName) *Box {
	b := &Box{Fill: fill, Stroke: stroke, Corner: corner}
	b.ExtendBaseWidget(b)
	return b
}

// newRing makes the mark of focus, hidden.
func newRing(corner fyne.ThemeSizeName) *Box {
	b := &Box{Stroke: theme.ColorNameAccent, Width: theme.SizeNameRing, Corner: corner}
	b.ExtendBaseWidget(b)
	b.Hide()
	return b
}

// set changes fill and stroke.
func (b *Box) set(fill, stroke fyne.ThemeColorName, width fyne.ThemeSizeName) {
	if b.Fill == fill && b.Stroke == stroke && b.Width == width {
		return
	}
	b.Fill, b.Stroke, b.Width = fill, stroke, width
	b.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (b *Box) CreateRenderer() fyne.WidgetRenderer {
	r := &boxRenderer{b: b, rectangle: canvas.NewRectangle(color.Transparent)}
	r.paint()
	return r
}

type boxRenderer struct {
	b         *Box
	rectangle *canvas.Rectangle
}

func (r *boxRenderer) Destroy()                     {}
func (r *boxRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *boxRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rectangle} }

func (r *boxRenderer) Layout(size fyne.Size) {
	r.rectangle.Resize(size)
	r.paint()
}

func (r *boxRenderer) Refresh() {
	r.paint()
	r.rectangle.Refresh()
	canvas.Refresh(r.b)
}

func (r *boxRenderer) paint() {
	colored := func(name fyne.ThemeColorName) color.Color {
		if name == "" {
			return color.Transparent
		}
		return fynetheme.Color(name)
	}
	r.rectangle.FillColor = colored(r.b.Fill)
	r.rectangle.StrokeColor = colored(r.b.Stroke)
	r.rectangle.StrokeWidth = 0
	if r.b.Stroke != "" {
		r.rectangle.StrokeWidth = fynetheme.Size(theme.SizeNameHairline)
		if r.b.Width != "" {
			r.rectangle.StrokeWidth = fynetheme.Size(r.b.Width)
		}
	}
	r.rectangle.CornerRadius = 0
	if r.b.Corner != "" {
		size := r.b.Size()
		r.rectangle.CornerRadius = min(fynetheme.Size(r.b.Corner), size.Height/2, size.Width/2)
	}
}
