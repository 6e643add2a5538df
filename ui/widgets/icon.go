package widgets

import (
	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Icon shows a drawing in a colour and a size of the theme.
type Icon struct {
	widget.BaseWidget
	resource fyne.Resource
	color    fyne.ThemeColorName
	size     fyne.ThemeSizeName
}

// NewIcon makes an Icon; a nil resource takes the room and shows nothing.
func NewIcon(resource fyne.Resource, color fyne.ThemeColorName, size fyne.ThemeSizeName) *Icon {
	i := &Icon{resource: resource, color: color, size: size}
	i.ExtendBaseWidget(i)
	return i
}

// Set changes drawing and colour.
func (i *Icon) Set(resource fyne.Resource, color fyne.ThemeColorName) {
	if i.resource != resource || i.color != color {
		i.resource, i.color = resource, color
		i.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (i *Icon) CreateRenderer() fyne.WidgetRenderer {
	r := &iconRenderer{i: i, image: &canvas.Image{FillMode: canvas.ImageFillContain}}
	r.paint()
	return r
}

type iconRenderer struct {
	i     *Icon
	image *canvas.Image
}

func (r *iconRenderer) Destroy()                     {}
func (r *iconRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.image} }
func (r *iconRenderer) MinSize() fyne.Size           { return fyne.NewSquareSize(fynetheme.Size(r.i.size)) }

// Layout keeps the drawing at its own size in the middle of the room given.
func (r *iconRenderer) Layout(size fyne.Size) {
	side := fynetheme.Size(r.i.size)
	r.image.Resize(fyne.NewSquareSize(side))
	r.image.Move(fyne.NewPos((size.Width-side)/2, (size.Height-side)/2))
}

func (r *iconRenderer) Refresh() {
	r.paint()
	r.Layout(r.i.Size())
	canvas.Refresh(r.i)
}

func (r *iconRenderer) paint() {
	if r.i.resource == nil {
		r.image.Hide()
		return
	}
	r.image.Show()
	r.image.Resource = theme.Tint(r.i.resource, r.i.color)
	r.image.Refresh()
}
