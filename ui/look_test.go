package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
)

// words collects every text that is drawn under o.
func words(o fyne.CanvasObject, out *strings.Builder) {
	if !o.Visible() {
		return
	}
	switch o := o.(type) {
	case *canvas.Text:
		out.WriteString(o.Text + " ")
	case *container.Scroll:
		words(o.Content, out)
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			words(child, out)
		}
	case *fyne.Container:
		for _, child := range o.Objects {
			words(child, out)
		}
	}
}

// shows tells whether a text is drawn, however it is broken into lines.
func shows(o fyne.CanvasObject, text string) bool {
	if o == nil {
		return false
	}
	var out strings.Builder
	words(o, &out)
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	return strings.Contains(squeeze(out.String()), squeeze(text))
}
