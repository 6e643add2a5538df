package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Field is a labelled control: label above, a one-line explanation below while
// the control has the focus, and in its place what is wrong, if anything is.
type Field struct {
	widget.BaseWidget
	label, hint, wrong string
	control            fyne.CanvasObject
	focused            bool
}

// NewField makes a Field around an Entry, a SecretField or any other control;
// the hint of a control without focus reports is always shown.
func NewField(label, hint string, control fyne.CanvasObject) *Field {
	f := &Field{label: label, hint: hint, control: control, focused: true}
	watch := func(focused bool) {
		f.focused = focused
		f.Refresh()
	}
	switch c := control.(type) {
	case *Entry:
		f.focused, c.onFocus = false, watch
	case *SecretField:
		f.focused, c.entry.onFocus = false, watch
	}
	f.ExtendBaseWidget(f)
	return f
}

// SetError says what is wrong and what to do; empty takes it back.
func (f *Field) SetError(wrong string) {
	if f.wrong != wrong {
		f.wrong = wrong
		f.Refresh()
	}
}

// SetLabel changes the label.
func (f *Field) SetLabel(label string) {
	f.label = label
	f.Refresh()
}

func (f *Field) parts() []fyne.CanvasObject { return []fyne.CanvasObject{f.control} }

// CreateRenderer implements fyne.Widget.
func (f *Field) CreateRenderer() fyne.WidgetRenderer {
	label := NewText(f.label, StyleMuted)
	hint := NewText("", StyleSmall)
	wrong := NewText("", StyleSmall.In(theme.ColorNameBad))
	wrongRow := layout.Row(4, layout.Top, NewIcon(fynetheme.CancelIcon(), theme.ColorNameBad, theme.SizeNameIconSmall), layout.Grow(wrong))
	body := layout.Column(fynetheme.Size(theme.SizeNameSpace1), label, f.control, hint, wrongRow)
	return newComposite(f, body, func() {
		label.SetText(f.label)
		wrong.SetText(f.wrong)
		show(wrongRow, f.wrong != "")
		// The line keeps its room while it is empty, so that moving from field to
		// field moves nothing else.
		show(hint, f.hint != "" && f.wrong == "")
		if f.focused {
			hint.SetText(f.hint)
		} else {
			hint.SetText("")
		}
	})
}
