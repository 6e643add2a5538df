package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Select is the toolkit's drop-down that hands keys it has no use for to the
// window.
type Select struct{ widget.Select }

// NewSelect makes a Select.
func NewSelect(options []string, changed func(string)) *Select {
	s := &Select{}
	s.Options, s.OnChanged = options, changed
	s.ExtendBaseWidget(s)
	return s
}

// TypedKey implements fyne.Focusable.
func (s *Select) TypedKey(event *fyne.KeyEvent) {
	if !Forward(s, event) {
		s.Select.TypedKey(event)
	}
}

// Check is the toolkit's check box that hands keys it has no use for to the
// window.
type Check struct{ widget.Check }

// NewCheck makes a Check.
func NewCheck(text string, changed func(bool)) *Check {
	c := &Check{}
	c.Text, c.OnChanged = text, changed
	c.ExtendBaseWidget(c)
	return c
}

// TypedKey implements fyne.Focusable.
func (c *Check) TypedKey(event *fyne.KeyEvent) {
	if !Forward(c, event) {
		c.Check.TypedKey(event)
	}
}
