package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// FoldOut hides details behind a line that is opened with the pointer, Space or
// Enter, and copies them whole without opening.
type FoldOut struct {
	widget.BaseWidget
	open    bool
	toggle  *Button
	summary *Text
	details *Text
	copier  *Button
}

// NewFoldOut makes a closed FoldOut. summary is the line's short form (code,
// tracking ID); details is what unfolds and is copied.
func NewFoldOut(title, summary, details string) *FoldOut {
	f := &FoldOut{summary: NewText(summary, StyleSmall), details: NewText(details, StyleMono)}
	f.toggle = NewButton(Quiet, title, fynetheme.MenuExpandIcon(), func() { f.SetOpen(!f.open) })
	f.copier = NewButton(Quiet, lang.X("widget.copy", "Copy"), fynetheme.ContentCopyIcon(), func() {
		fyne.CurrentApp().Clipboard().SetContent(f.details.Text())
	})
	f.ExtendBaseWidget(f)
	return f
}

// SetOpen folds out or in.
func (f *FoldOut) SetOpen(open bool) {
	f.open = open
	f.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (f *FoldOut) CreateRenderer() fyne.WidgetRenderer {
	space := fynetheme.Size(theme.SizeNameSpace2)
	least := f.toggle.MinSize().Width + space + 130*theme.TextFactor()
	head := layout.Beside(space, least, layout.Row(space, layout.Middle, f.toggle, layout.Grow(f.summary)), f.copier)
	body := layout.Column(space, head, f.details)
	return newComposite(f, body, func() {
		f.toggle.Icon = fynetheme.MenuExpandIcon()
		if f.open {
			f.toggle.Icon = fynetheme.MenuDropDownIcon()
		}
		show(f.details, f.open)
	})
}
