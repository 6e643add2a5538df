package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Entry is the toolkit's entry with one difference: shortcuts that do not edit
// text, function keys and Escape go on to the window. The toolkit gives them no
// chance while a field has the focus.
type Entry struct {
	widget.Entry
	onFocus func(bool)
}

// NewEntry makes an entry of one line. submitted, which may be nil, is called by
// Enter; a bar-code reader ends with it.
func NewEntry(submitted func(text string)) *Entry {
	e := &Entry{}
	e.Wrapping = fyne.TextWrap(fyne.TextTruncateClip)
	e.OnSubmitted = submitted
	e.ExtendBaseWidget(e)
	return e
}

// NewMultiLineEntry makes an entry of several lines.
func NewMultiLineEntry() *Entry {
	e := NewEntry(nil)
	e.MultiLine = true
	e.Wrapping = fyne.TextWrapWord
	return e
}

// TypedShortcut implements fyne.Shortcutable.
func (e *Entry) TypedShortcut(shortcut fyne.Shortcut) {
	if editing(shortcut) || !ForwardShortcut(e, shortcut) {
		e.Entry.TypedShortcut(shortcut)
	}
}

// TypedKey implements fyne.Focusable.
func (e *Entry) TypedKey(event *fyne.KeyEvent) {
	if !Forward(e, event) {
		e.Entry.TypedKey(event)
	}
}

// FocusGained implements fyne.Focusable.
func (e *Entry) FocusGained() {
	e.Entry.FocusGained()
	if e.onFocus != nil {
		e.onFocus(true)
	}
}

// FocusLost implements fyne.Focusable.
func (e *Entry) FocusLost() {
	e.Entry.FocusLost()
	if e.onFocus != nil {
		e.onFocus(false)
	}
}
