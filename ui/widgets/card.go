package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Card is a surface with a hairline and no shadow around its objects, which it
// stacks; or, made by NewWash, a wash in the colour of a state.
type Card struct {
	widget.BaseWidget
	fill, stroke fyne.ThemeColorName
	content      *fyne.Container
}

// NewCard makes a white card.
func NewCard(objects ...fyne.CanvasObject) *Card {
	return newCard(theme.ColorNameSurface, theme.ColorNameLine, objects)
}

// NewTitledCard makes a white card with a section title.
func NewTitledCard(title string, objects ...fyne.CanvasObject) *Card {
	return NewCard(append([]fyne.CanvasObject{SectionTitle(title)}, objects...)...)
}

// NewWash makes a card in the wash of a state, for the answer of a page.
func NewWash(state State, objects ...fyne.CanvasObject) *Card {
	return newCard(state.Wash(), "", objects)
}

func newCard(fill, stroke fyne.ThemeColorName, objects []fyne.CanvasObject) *Card {
	c := &Card{fill: fill, stroke: stroke, content: layout.Column(fynetheme.Size(theme.SizeNameSpace2), objects...)}
	c.ExtendBaseWidget(c)
	return c
}

// SetObjects replaces what is in the card.
func (c *Card) SetObjects(objects ...fyne.CanvasObject) {
	c.content.Objects = objects
	c.Refresh()
}

// SetState changes the wash of a card made by NewWash.
func (c *Card) SetState(state State) {
	c.fill = state.Wash()
	c.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (c *Card) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox(c.fill, c.stroke, theme.SizeNameCardCorner)
	body := stack(box, layout.Inset(fynetheme.Size(theme.SizeNameSpace4), c.content))
	return newComposite(c, body, func() { box.set(c.fill, c.stroke, "") })
}

// NewBanner is the answer of a page: a wash with the state's icon, a bold line,
// a line below and buttons, which move below the text where it gets narrow.
func NewBanner(state State, title, line string, actions ...fyne.CanvasObject) *Card {
	texts := layout.Column(2, NewText(title, StyleSubtitle))
	if line != "" {
		texts.Add(NewText(line, StyleBody))
	}
	row := layout.Row(fynetheme.Size(theme.SizeNameSpace4), layout.Middle,
		NewIcon(state.Icon(), state.Color(), theme.SizeNameIconLarge), layout.Grow(texts))
	if len(actions) == 0 {
		return NewWash(state, row)
	}
	return NewWash(state, layout.Beside(fynetheme.Size(theme.SizeNameSpace4), 320, row,
		layout.Flow(fynetheme.Size(theme.SizeNameSpace2), actions...)))
}
