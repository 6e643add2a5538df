package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// Forward hands a key that object has no use for to the window: function keys
// and Escape go to the canvas' typed-key hook, which the toolkit asks only when
// nothing has the focus. It tells whether the key was handed on.
func Forward(object fyne.CanvasObject, event *fyne.KeyEvent) bool {
	if !isWindowKey(event.Name) {
		return false
	}
	c := fyne.CurrentApp().Driver().CanvasForObject(object)
	if c == nil || c.OnTypedKey() == nil {
		return false
	}
	c.OnTypedKey()(event)
	return true
}

// ForwardShortcut hands a shortcut to the shortcuts of the window's canvas,
// which the toolkit asks only when nothing that takes shortcuts has the focus.
func ForwardShortcut(object fyne.CanvasObject, shortcut fyne.Shortcut) bool {
	return shortcutTo(fyne.CurrentApp().Driver().CanvasForObject(object), shortcut)
}

// shortcutTo gives a shortcut to a canvas. The toolkit's interface of a canvas
// has no method for that; the windows' canvases do, the test driver's do not.
func shortcutTo(c fyne.Canvas, shortcut fyne.Shortcut) bool {
	window, ok := c.(fyne.Shortcutable)
	if !ok {
		return false
	}
	window.TypedShortcut(shortcut)
	return true
}

func isWindowKey(name fyne.KeyName) bool {
	if name == fyne.KeyEscape {
		return true
	}
	digits, found := strings.CutPrefix(string(name), "F")
	return found && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// editing tells whether a shortcut belongs to the editing of text; all others
// are the window's.
func editing(shortcut fyne.Shortcut) bool {
	custom, ok := shortcut.(*desktop.CustomShortcut)
	if !ok {
		return true // copy, paste, cut, select all, undo, redo
	}
	switch custom.KeyName {
	case fyne.KeyLeft, fyne.KeyRight, fyne.KeyBackspace, fyne.KeyDelete, fyne.KeyHome, fyne.KeyEnd:
		return true
	}
	return false
}

// focus gives object the keyboard.
func focus(object fyne.Focusable) {
	o, ok := object.(fyne.CanvasObject)
	if !ok {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
		c.Focus(object)
	}
}
