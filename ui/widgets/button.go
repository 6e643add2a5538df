package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// ButtonKind is the look of a Button.
type ButtonKind int

const (
	// Secondary is a white button with a hairline.
	Secondary ButtonKind = iota
	// Primary is the one blue button of a page.
	Primary
	// Danger is for what destroys; its text names the thing.
	Danger
	// Quiet has neither fill nor border until it is pointed at.
	Quiet
)

// Button is pressed with the pointer, Space or Enter. A button with an icon
// alone has its text as label for those who cannot see it.
type Button struct {
	widget.DisableableWidget
	Text     string
	Icon     fyne.Resource
	Kind     ButtonKind
	IconOnly bool
	OnTapped func()

	focused, hovered bool
}

var (
	_ fyne.Focusable    = (*Button)(nil)
	_ fyne.Tappable     = (*Button)(nil)
	_ fyne.Disableable  = (*Button)(nil)
	_ fyne.Accessible   = (*Button)(nil)
	_ desktop.Hoverable = (*Button)(nil)
)

// NewButton makes a Button; icon may be nil.
func NewButton(kind ButtonKind, text string, icon fyne.Resource, tapped func()) *Button {
	b := &Button{Text: text, Icon: icon, Kind: kind, OnTapped: tapped}
	b.ExtendBaseWidget(b)
	return b
}

// NewIconButton makes a quiet Button that shows its icon alone; text says what
// it does.
func NewIconButton(text string, icon fyne.Resource, tapped func()) *Button {
	b := NewButton(Quiet, text, icon, tapped)
	b.IconOnly = true
	return b
}

// SetText changes the text.
func (b *Button) SetText(text string) {
	b.Text = text
	b.Refresh()
}

// AccessibilityLabel implements fyne.Accessible.
func (b *Button) AccessibilityLabel() string { return b.Text }

// AccessibilityRole implements fyne.Accessible.
func (b *Button) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// Tapped implements fyne.Tappable.
func (b *Button) Tapped(*fyne.PointEvent) {
	if !b.Disabled() && b.OnTapped != nil {
		b.OnTapped()
	}
}

// FocusGained implements fyne.Focusable.
func (b *Button) FocusGained() { b.focused = true; b.Refresh() }

// FocusLost implements fyne.Focusable.
func (b *Button) FocusLost() { b.focused = false; b.Refresh() }

// TypedRune implements fyne.Focusable. Space presses by its rune, which the
// toolkit sends after the key to whatever has the focus then: a field that the
// press opens would get it.
func (b *Button) TypedRune(r rune) {
	if r == ' ' {
		b.Tapped(nil)
	}
}

// TypedKey implements fyne.Focusable.
func (b *Button) TypedKey(event *fyne.KeyEvent) {
	switch event.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		b.Tapped(nil)
	default:
		Forward(b, event)
	}
}

// MouseIn implements desktop.Hoverable.
func (b *Button) MouseIn(*desktop.MouseEvent) { b.hovered = true; b.Refresh() }

// MouseMoved implements desktop.Hoverable.
func (b *Button) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (b *Button) MouseOut() { b.hovered = false; b.Refresh() }

// colors are fill, border, text and ring for the state of the button.
func (b *Button) colors() (fill, stroke, text, ring fyne.ThemeColorName) {
	ring = theme.ColorNameAccent
	switch {
	case b.Disabled():
		return fynetheme.ColorNameDisabledButton, "", fynetheme.ColorNameDisabled, ring
	case b.Kind == Primary:
		return theme.ColorNameAccent, "", theme.ColorNameOnAccent, theme.ColorNameOnAccent
	case b.Kind == Danger:
		return theme.ColorNameBad, "", fynetheme.ColorNameForegroundOnError, fynetheme.ColorNameForegroundOnError
	case b.Kind == Quiet:
		return "", "", theme.ColorNameAccent, ring
	default:
		return theme.ColorNameSurface, theme.ColorNameFieldBorder, fynetheme.ColorNameForeground, ring
	}
}

// CreateRenderer implements fyne.Widget.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox("", "", theme.SizeNameFieldCorner)
	hover := NewBox(fynetheme.ColorNameHover, "", theme.SizeNameFieldCorner)
	ring := newRing(theme.SizeNameFieldCorner)
	icon := NewIcon(nil, theme.ColorNameAccent, theme.SizeNameIcon)
	label := NewText("", StyleStrong)
	row := layout.Row(buttonGap, layout.Middle, icon, layout.Grow(label))
	parts := &fyne.Container{Layout: &buttonLayout{b}, Objects: []fyne.CanvasObject{box, hover, row, ring}}
	natural := func() fyne.Size {
		if b.IconOnly {
			return fyne.NewSquareSize(fynetheme.Size(theme.SizeNameIconLarge) + 4)
		}
		text := label.style.measure(b.Text)
		size := fyne.NewSize(text.Width+2*buttonSide+0.5, max(fynetheme.Size(theme.SizeNameControlSide), text.Height+12))
		if b.Icon != nil {
			size.Width += icon.MinSize().Width + buttonGap
		}
		return size
	}
	body := &fyne.Container{Layout: &squeeze{natural: natural, fill: true}, Objects: []fyne.CanvasObject{parts}}
	paint := func() {
		fill, stroke, text, ringColor := b.colors()
		box.set(fill, stroke, "")
		show(hover, b.hovered && !b.Disabled())
		ring.set("", ringColor, theme.SizeNameRing)
		show(ring, b.focused)
		icon.Set(b.Icon, text)
		show(icon, b.Icon != nil)
		label.Set(b.Text, StyleStrong.In(text))
		show(label, !b.IconOnly)
	}
	return newComposite(b, body, paint)
}

const buttonSide, buttonGap = 12, 6

// buttonLayout centres icon and text on the fill.
type buttonLayout struct{ b *Button }

func (l *buttonLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects[:2] {
		o.Resize(size)
	}
	row := objects[2]
	width := row.MinSize().Width
	if !l.b.IconOnly {
		text := StyleStrong.measure(l.b.Text).Width + 0.5
		if l.b.Icon != nil {
			text += fynetheme.Size(theme.SizeNameIcon) + buttonGap
		}
		width = min(size.Width-2*buttonSide, text)
	}
	height := layout.HeightFor(row, width)
	row.Resize(fyne.NewSize(width, height))
	row.Move(fyne.NewPos((size.Width-width)/2, (size.Height-height)/2))
	gap := float32(0)
	if l.b.Kind == Primary || l.b.Kind == Danger {
		gap = 3 // the ring lies on the fill, a little inside its edge
	}
	objects[3].Move(fyne.NewPos(gap, gap))
	objects[3].Resize(size.SubtractWidthHeight(2*gap, 2*gap))
}

func (l *buttonLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	if l.b.IconOnly {
		return fyne.NewSquareSize(fynetheme.Size(theme.SizeNameIconLarge) + 4)
	}
	least := objects[2].MinSize()
	return fyne.NewSize(least.Width+2*buttonSide, max(fynetheme.Size(theme.SizeNameControlSide), least.Height+12))
}
