package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// DropZone takes files that are dropped on it; a button chooses them instead.
// The toolkit tells drops to the window, which hands them on with Drop.
type DropZone struct {
	widget.BaseWidget
	text    string
	onFiles func([]fyne.URI)
	choose  *Button
}

// NewDropZone makes a DropZone. text says what may be dropped; choose opens the
// file dialog and may be nil.
func NewDropZone(text string, onFiles func([]fyne.URI), choose func()) *DropZone {
	d := &DropZone{text: text, onFiles: onFiles}
	d.choose = NewButton(Secondary, lang.X("drop.choose", "Choose a file…"), fynetheme.FolderOpenIcon(), choose)
	show(d.choose, choose != nil)
	d.ExtendBaseWidget(d)
	return d
}

// Drop hands files to the zone if position, in the window, lies on it and it is
// shown. A page calls it for its zones from Window.SetOnDropped.
func (d *DropZone) Drop(position fyne.Position, files []fyne.URI) bool {
	if !d.Visible() || len(files) == 0 {
		return false
	}
	driver := fyne.CurrentApp().Driver()
	if driver.CanvasForObject(d) == nil {
		return false
	}
	at := driver.AbsolutePositionForObject(d)
	size := d.Size()
	if position.X < at.X || position.Y < at.Y || position.X >= at.X+size.Width || position.Y >= at.Y+size.Height {
		return false
	}
	d.onFiles(files)
	return true
}

func (d *DropZone) parts() []fyne.CanvasObject { return []fyne.CanvasObject{d.choose} }

// CreateRenderer implements fyne.Widget.
func (d *DropZone) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox(theme.ColorNameAccentWash, theme.ColorNameFieldBorder, theme.SizeNameCardCorner)
	content := layout.Column(8,
		NewIcon(theme.IconDrop(), theme.ColorNameAccent, theme.SizeNameIconLarge),
		NewText(d.text, StyleBody.Aligned(fyne.TextAlignCenter)),
		&fyne.Container{Layout: centred{}, Objects: []fyne.CanvasObject{d.choose}})
	return newComposite(d, stack(box, layout.Inset(16, content)), nil)
}
