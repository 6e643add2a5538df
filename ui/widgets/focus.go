package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// FirstFocus finds the first part under root that can take the keyboard, nil
// where there is none. Pages use it for their first focus after a failure or a
// change of step.
func FirstFocus(root fyne.CanvasObject) fyne.Focusable {
	if root == nil || !root.Visible() {
		return nil
	}
	if f, ok := root.(fyne.Focusable); ok {
		if d, can := root.(fyne.Disableable); !can || !d.Disabled() {
			return f
		}
	}
	var children []fyne.CanvasObject
	switch o := root.(type) {
	case *fyne.Container:
		children = o.Objects
	case *Card:
		children = []fyne.CanvasObject{o.content}
	case interface{ parts() []fyne.CanvasObject }:
		children = o.parts()
	case *widget.Form:
		for _, item := range o.Items {
			children = append(children, item.Widget)
		}
	}
	for _, child := range children {
		if f := FirstFocus(child); f != nil {
			return f
		}
	}
	return nil
}
