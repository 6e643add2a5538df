package widgets

import (
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// focusing is the base of a widget that takes the focus as a whole, and types
// nothing: of names, cards or rows of which one is chosen by keys.
type focusing struct {
	widget.BaseWidget
	focused bool
}

// FocusGained implements fyne.Focusable.
func (f *focusing) FocusGained() { f.focused = true; f.Refresh() }

// FocusLost implements fyne.Focusable.
func (f *focusing) FocusLost() { f.focused = false; f.Refresh() }

// TypedRune implements fyne.Focusable.
func (f *focusing) TypedRune(rune) {}

// hovering is the base of a part that shows when the pointer is over it.
type hovering struct {
	widget.BaseWidget
	hovered bool
}

// MouseIn implements desktop.Hoverable.
func (h *hovering) MouseIn(*desktop.MouseEvent) { h.hovered = true; h.Refresh() }

// MouseMoved implements desktop.Hoverable.
func (h *hovering) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (h *hovering) MouseOut() { h.hovered = false; h.Refresh() }
