package widgets

import (
	"edgewright/provisioning/secret"
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// SecretField takes a secret by typing or pasting and gives it out as a
// secret.Value. It cannot be filled by the program; its text is seen only while
// the reveal button is held, with the pointer or with Space.
type SecretField struct {
	widget.BaseWidget
	// OnChanged is told after each change whether the field is empty.
	OnChanged func(empty bool)
	// OnSubmitted is called by Enter.
	OnSubmitted func()

	entry  *Entry
	reveal *holdButton
	paste  *Button
}

// NewSecretField makes an empty SecretField. placeholder may say that a secret
// is kept already and that typing replaces it.
func NewSecretField(placeholder string) *SecretField {
	s := &SecretField{}
	s.entry = NewEntry(func(string) {
		if s.OnSubmitted != nil {
			s.OnSubmitted()
		}
	})
	s.entry.Password = true
	s.entry.ActionItem = &fyne.Container{} // in the place of the toolkit's own revealer, which stays open
	s.entry.SetPlaceHolder(placeholder)
	s.entry.OnChanged = func(text string) {
		if s.OnChanged != nil {
			s.OnChanged(text == "")
		}
	}
	s.reveal = newHoldButton(lang.X("secret.reveal", "Show while held"), s.show)
	s.paste = NewButton(Secondary, lang.X("secret.paste", "Paste"), fynetheme.ContentPasteIcon(), func() {
		s.entry.SetText(fyne.CurrentApp().Clipboard().Content())
	})
	s.ExtendBaseWidget(s)
	return s
}

// Value returns what was typed.
func (s *SecretField) Value() secret.Value { return secret.FromString(s.entry.Text) }

// IsEmpty tells whether nothing was typed.
func (s *SecretField) IsEmpty() bool { return s.entry.Text == "" }

// Clear forgets what was typed.
func (s *SecretField) Clear() {
	s.entry.SetText("")
	s.show(false)
}

// Focus gives the field the keyboard.
func (s *SecretField) Focus() { focus(s.entry) }

func (s *SecretField) show(revealed bool) {
	if s.entry.Password == revealed {
		s.entry.Password = !revealed
		s.entry.Refresh()
	}
}

func (s *SecretField) parts() []fyne.CanvasObject {
	return []fyne.CanvasObject{s.entry, s.reveal, s.paste}
}

// CreateRenderer implements fyne.Widget.
func (s *SecretField) CreateRenderer() fyne.WidgetRenderer {
	row := layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Grow(s.entry), s.reveal, s.paste)
	return newComposite(s, row, nil)
}

// holdButton does something for as long as it is held.
type holdButton struct {
	Button
	onHold func(held bool)
}

var (
	_ desktop.Mouseable = (*holdButton)(nil)
	_ desktop.Keyable   = (*holdButton)(nil)
)

func newHoldButton(text string, onHold func(bool)) *holdButton {
	b := &holdButton{onHold: onHold}
	b.Text, b.Icon, b.Kind, b.IconOnly = text, fynetheme.VisibilityIcon(), Secondary, true
	b.ExtendBaseWidget(b)
	return b
}

// MinSize is a square of the height of fields.
func (b *holdButton) MinSize() fyne.Size {
	return fyne.NewSquareSize(fynetheme.Size(theme.SizeNameControlSide))
}

// Tapped does nothing: holding is what counts.
func (b *holdButton) Tapped(*fyne.PointEvent) {}

func (b *holdButton) MouseDown(*desktop.MouseEvent) { b.onHold(true) }
func (b *holdButton) MouseUp(*desktop.MouseEvent)   { b.onHold(false) }

func (b *holdButton) MouseOut() {
	b.onHold(false)
	b.Button.MouseOut()
}

func (b *holdButton) FocusGained() { b.focused = true; b.Refresh() }

func (b *holdButton) FocusLost() {
	b.onHold(false)
	b.focused = false
	b.Refresh()
}

func (b *holdButton) TypedKey(event *fyne.KeyEvent) { Forward(b, event) }

func (b *holdButton) KeyDown(event *fyne.KeyEvent) {
	if event.Name == fyne.KeySpace {
		b.onHold(true)
	}
}

func (b *holdButton) KeyUp(event *fyne.KeyEvent) {
	if event.Name == fyne.KeySpace {
		b.onHold(false)
	}
}
