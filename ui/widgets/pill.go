package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Status is what a Pill shows. The zero Status shows nothing.
type Status struct {
	State State
	Word  string
}

// Pill is a round label of icon, word and colour. It keeps its own size however
// much room it is given, at the leading edge in the middle of the height; in less
// room its word wraps.
type Pill struct {
	widget.BaseWidget
	status Status
}

var _ fyne.Accessible = (*Pill)(nil)

// NewPill makes a Pill.
func NewPill(state State, word string) *Pill {
	return newPill(Status{State: state, Word: word})
}

func newPill(status Status) *Pill {
	p := &Pill{status: status}
	p.ExtendBaseWidget(p)
	show(p, status.Word != "")
	return p
}

// Set changes what is shown; an empty word hides the pill.
func (p *Pill) Set(status Status) {
	show(p, status.Word != "")
	if p.status != status {
		p.status = status
		p.Refresh()
	}
}

// AccessibilityLabel implements fyne.Accessible.
func (p *Pill) AccessibilityLabel() string { return p.status.Word }

// AccessibilityRole implements fyne.Accessible.
func (p *Pill) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer implements fyne.Widget.
func (p *Pill) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox("", "", theme.SizeNamePillCorner)
	icon := NewIcon(nil, theme.ColorNameMuted, theme.SizeNameIconSmall)
	word := NewText("", StyleSmall)
	row := layout.Insets(2, 9, 2, 8, layout.Row(5, layout.Middle, icon, layout.Grow(word)))
	body := stack(box, row)
	paint := func() {
		state := p.status.State
		box.set(state.Wash(), "", "")
		icon.Set(state.Icon(), state.Color())
		word.Set(p.status.Word, Style{Color: state.Color(), Size: theme.SizeNameSmall, Bold: true})
	}
	natural := func() fyne.Size {
		text, side := word.style.measure(word.text), icon.MinSize().Width
		return fyne.NewSize(side+text.Width+5+8+9+0.5, max(text.Height, side)+4)
	}
	return newComposite(p, &fyne.Container{Layout: &squeeze{natural: natural}, Objects: []fyne.CanvasObject{body}}, paint)
}

// Remark is a line of text with the icon of its state in front, that wraps.
func Remark(state State, text string) fyne.CanvasObject {
	return layout.Row(8, layout.Top,
		NewIcon(state.Icon(), state.Color(), theme.SizeNameIcon),
		layout.Grow(NewText(text, StyleBody.In(fynetheme.ColorNameForeground))))
}
