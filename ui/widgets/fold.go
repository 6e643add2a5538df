package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Fold hides controls that are seldom wanted behind a line that is opened with
// the pointer, Space or Enter; while it is closed the keyboard passes them by.
type Fold struct {
	widget.BaseWidget
	// OnToggled, if not nil, is told that a person has opened or closed it.
	OnToggled func()
	open      bool
	toggle    *Button
	body      *fyne.Container
}

// NewFold makes a closed Fold.
func NewFold(title string, content ...fyne.CanvasObject) *Fold {
	f := &Fold{body: layout.Column(fynetheme.Size(theme.SizeNameSpace3), content...)}
	f.toggle = NewButton(Quiet, title, fynetheme.MenuExpandIcon(), func() {
		f.SetOpen(!f.open)
		if f.OnToggled != nil {
			f.OnToggled()
		}
	})
	f.ExtendBaseWidget(f)
	return f
}

// SetContent replaces what is folded away.
func (f *Fold) SetContent(content ...fyne.CanvasObject) {
	f.body.Objects = content
	f.Refresh()
}

// Open tells whether it is open.
func (f *Fold) Open() bool { return f.open }

// SetOpen opens or closes it.
func (f *Fold) SetOpen(open bool) {
	f.open = open
	f.Refresh()
}

func (f *Fold) parts() []fyne.CanvasObject { return []fyne.CanvasObject{f.toggle, f.body} }

// CreateRenderer implements fyne.Widget.
func (f *Fold) CreateRenderer() fyne.WidgetRenderer {
	body := layout.Column(fynetheme.Size(theme.SizeNameSpace2), layout.Flow(0, f.toggle), f.body)
	return newComposite(f, body, func() {
		f.toggle.Icon = fynetheme.MenuExpandIcon()
		if f.open {
			f.toggle.Icon = fynetheme.MenuDropDownIcon()
		}
		show(f.body, f.open)
	})
}
