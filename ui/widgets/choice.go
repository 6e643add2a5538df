package widgets

import (
	"slices"

	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Choice is one card of a ChoiceGroup.
type Choice struct {
	ID      string
	Icon    fyne.Resource
	Title   string
	Line    string
	Status  Status
	Content fyne.CanvasObject // shown below the card while it is chosen; may be nil
	Muted   bool              // cannot be chosen; Line says why
}

// ChoiceGroup is a column of cards of which one is chosen. It takes the focus as
// a whole: arrows choose, Space chooses the first, Enter calls OnSubmitted.
type ChoiceGroup struct {
	focusing
	// OnChosen is told each choice that the user makes.
	OnChosen func(id string)
	// OnSubmitted is called by Enter with the chosen ID, to go on.
	OnSubmitted func(id string)

	cards  []*choiceCard
	column *fyne.Container
	chosen string
}

var (
	_ fyne.Focusable  = (*ChoiceGroup)(nil)
	_ fyne.Accessible = (*ChoiceGroup)(nil)
)

// NewChoiceGroup makes a ChoiceGroup with nothing chosen.
func NewChoiceGroup(onChosen func(id string), choices ...Choice) *ChoiceGroup {
	g := &ChoiceGroup{OnChosen: onChosen, column: layout.Column(fynetheme.Size(theme.SizeNameSpace2))}
	g.ExtendBaseWidget(g)
	g.Set(choices)
	return g
}

// Set replaces the choices; the chosen one stays chosen if it is still there and
// can be chosen.
func (g *ChoiceGroup) Set(choices []Choice) {
	g.cards, g.column.Objects = nil, nil
	still := false
	for _, choice := range choices {
		card := &choiceCard{group: g, choice: choice}
		card.ExtendBaseWidget(card)
		g.cards = append(g.cards, card)
		g.column.Objects = append(g.column.Objects, card)
		if choice.Content != nil {
			g.column.Objects = append(g.column.Objects, layout.Insets(0, 0, 4, 20, choice.Content))
		}
		still = still || (choice.ID == g.chosen && !choice.Muted)
	}
	if !still {
		g.chosen = ""
	}
	g.Refresh()
}

// Chosen returns the ID of the chosen card, empty for none.
func (g *ChoiceGroup) Chosen() string { return g.chosen }

// Choose chooses a card without calling OnChosen.
func (g *ChoiceGroup) Choose(id string) {
	g.chosen = id
	g.Refresh()
}

// Offers tells whether there is a card of that ID that can be chosen.
func (g *ChoiceGroup) Offers(id string) bool {
	return slices.ContainsFunc(g.cards, func(c *choiceCard) bool { return c.choice.ID == id && !c.choice.Muted })
}

func (g *ChoiceGroup) take(index int) {
	choice := g.cards[index].choice
	if choice.Muted || choice.ID == g.chosen {
		return
	}
	g.Choose(choice.ID)
	if g.OnChosen != nil {
		g.OnChosen(choice.ID)
	}
}

func (g *ChoiceGroup) at() int {
	for i, card := range g.cards {
		if card.choice.ID == g.chosen && g.chosen != "" {
			return i
		}
	}
	return -1
}

// move takes the next card in a direction that can be chosen, going round.
func (g *ChoiceGroup) move(by int) {
	n := len(g.cards)
	from := g.at()
	if from < 0 && by < 0 {
		from = 0
	}
	for k := 1; k <= n; k++ {
		i := ((from+by*k)%n + n) % n
		if !g.cards[i].choice.Muted {
			g.take(i)
			return
		}
	}
}

// TypedKey implements fyne.Focusable.
func (g *ChoiceGroup) TypedKey(event *fyne.KeyEvent) {
	if len(g.cards) == 0 {
		Forward(g, event)
		return
	}
	switch event.Name {
	case fyne.KeyDown, fyne.KeyRight:
		g.move(1)
	case fyne.KeyUp, fyne.KeyLeft:
		g.move(-1)
	case fyne.KeySpace:
		if g.chosen == "" {
			g.move(1)
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		if g.chosen == "" {
			g.move(1)
		} else if g.OnSubmitted != nil {
			g.OnSubmitted(g.chosen)
		}
	default:
		Forward(g, event)
	}
}

// AccessibilityLabel implements fyne.Accessible.
func (g *ChoiceGroup) AccessibilityLabel() string {
	if i := g.at(); i >= 0 {
		return g.cards[i].choice.Title
	}
	return ""
}

// AccessibilityRole implements fyne.Accessible.
func (g *ChoiceGroup) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// CreateRenderer implements fyne.Widget.
func (g *ChoiceGroup) CreateRenderer() fyne.WidgetRenderer {
	return newComposite(g, g.column, func() {
		next := 0
		for i, card := range g.cards {
			card.chosen = card.choice.ID == g.chosen
			card.ring = g.focused && (card.chosen || (g.chosen == "" && i == g.first()))
			card.Refresh()
			next++
			if card.choice.Content != nil {
				show(g.column.Objects[next], card.chosen)
				next++
			}
		}
	})
}

// first is the card that the keyboard would take while none is chosen.
func (g *ChoiceGroup) first() int {
	for i, card := range g.cards {
		if !card.choice.Muted {
			return i
		}
	}
	return -1
}

type choiceCard struct {
	hovering
	group        *ChoiceGroup
	choice       Choice
	chosen, ring bool
}

var (
	_ fyne.Tappable     = (*choiceCard)(nil)
	_ fyne.Accessible   = (*choiceCard)(nil)
	_ desktop.Hoverable = (*choiceCard)(nil)
)

func (c *choiceCard) Tapped(*fyne.PointEvent) {
	focus(c.group)
	for i, card := range c.group.cards {
		if card == c {
			c.group.take(i)
		}
	}
}

func (c *choiceCard) AccessibilityLabel() string {
	label := c.choice.Title + ", " + c.choice.Line
	if c.choice.Status.Word != "" {
		label += ", " + c.choice.Status.Word
	}
	return label
}

func (c *choiceCard) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (c *choiceCard) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox(theme.ColorNameSurface, theme.ColorNameFieldBorder, theme.SizeNameCardCorner)
	hover := NewBox(fynetheme.ColorNameHover, "", theme.SizeNameCardCorner)
	ring := newRing(theme.SizeNameCardCorner)
	icon := NewIcon(c.choice.Icon, theme.ColorNameAccent, theme.SizeNameIconLarge)
	title, line := NewText(c.choice.Title, StyleStrong), NewText(c.choice.Line, StyleSmall)
	pill := newPill(c.choice.Status)
	tick := NewIcon(fynetheme.ConfirmIcon(), theme.ColorNameAccent, theme.SizeNameIcon)
	row := layout.Row(fynetheme.Size(theme.SizeNameSpace3), layout.Middle, icon, layout.Grow(layout.Column(2, title, line)), pill, tick)
	body := stack(box, hover, layout.Insets(10, 14, 10, 14, row), layout.Inset(3, ring))
	return newComposite(c, body, func() {
		iconColor, titleColor := theme.ColorNameAccent, fynetheme.ColorNameForeground
		if c.choice.Muted {
			iconColor, titleColor = theme.ColorNameFieldBorder, theme.ColorNameMuted
		}
		icon.Set(c.choice.Icon, iconColor)
		title.SetStyle(StyleStrong.In(titleColor))
		switch {
		case c.chosen:
			box.set(theme.ColorNameAccentWash, theme.ColorNameAccent, theme.SizeNameRing)
		case c.choice.Muted:
			box.set("", theme.ColorNameLine, "")
		default:
			box.set(theme.ColorNameSurface, theme.ColorNameFieldBorder, "")
		}
		show(tick, c.chosen)
		show(hover, c.hovered && !c.choice.Muted)
		show(ring, c.ring)
	})
}
