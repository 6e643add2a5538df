package widgets

import (
	"strconv"

	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
)

// RailItem is one place in the program.
type RailItem struct {
	ID    string
	Icon  fyne.Resource
	Text  string
	Count int  // shown behind the name; nothing when 0
	Low   bool // stands at the lower end
}

// Rail is the column of names at the leading edge. It takes the focus as a
// whole: arrows move a cursor, Enter or Space opens. Narrow, it shows icons
// alone.
type Rail struct {
	focusing
	// OnOpened is told the ID that the user opens.
	OnOpened func(id string)

	items    []*railItem
	selected string
	cursor   int
	narrow   bool
	status   Status
}

var (
	_ fyne.Focusable  = (*Rail)(nil)
	_ fyne.Accessible = (*Rail)(nil)
)

// NewRail makes a Rail.
func NewRail(onOpened func(id string), items ...RailItem) *Rail {
	r := &Rail{OnOpened: onOpened}
	for i, item := range items {
		row := &railItem{rail: r, index: i, item: item}
		row.ExtendBaseWidget(row)
		r.items = append(r.items, row)
	}
	r.ExtendBaseWidget(r)
	return r
}

// Select marks a place as the one that is open, without calling OnOpened.
func (r *Rail) Select(id string) {
	r.selected = id
	for i, row := range r.items {
		if row.item.ID == id {
			r.cursor = i
		}
	}
	r.Refresh()
}

// SetCount changes the number behind a name.
func (r *Rail) SetCount(id string, count int) {
	for _, row := range r.items {
		if row.item.ID == id && row.item.Count != count {
			row.item.Count = count
			row.Refresh()
		}
	}
}

// SetStatus changes the line at the lower end.
func (r *Rail) SetStatus(status Status) {
	if r.status != status {
		r.status = status
		r.Refresh()
	}
}

// SetNarrow shows icons alone, or names again.
func (r *Rail) SetNarrow(narrow bool) {
	if r.narrow != narrow {
		r.narrow = narrow
		r.Refresh()
	}
}

func (r *Rail) open(index int) {
	r.cursor = index
	r.Refresh()
	if r.OnOpened != nil {
		r.OnOpened(r.items[index].item.ID)
	}
}

// TypedRune implements fyne.Focusable. Space presses by its rune, as in Button.
func (r *Rail) TypedRune(typed rune) {
	if typed == ' ' {
		r.open(r.cursor)
	}
}

// TypedKey implements fyne.Focusable.
func (r *Rail) TypedKey(event *fyne.KeyEvent) {
	switch event.Name {
	case fyne.KeyDown:
		r.cursor = min(r.cursor+1, len(r.items)-1)
	case fyne.KeyUp:
		r.cursor = max(r.cursor-1, 0)
	case fyne.KeyHome:
		r.cursor = 0
	case fyne.KeyEnd:
		r.cursor = len(r.items) - 1
	case fyne.KeyReturn, fyne.KeyEnter:
		r.open(r.cursor)
		return
	default:
		Forward(r, event)
		return
	}
	r.Refresh()
}

// AccessibilityLabel implements fyne.Accessible.
func (r *Rail) AccessibilityLabel() string {
	if r.cursor < len(r.items) {
		return r.items[r.cursor].item.Text
	}
	return ""
}

// AccessibilityRole implements fyne.Accessible.
func (r *Rail) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// CreateRenderer implements fyne.Widget.
func (r *Rail) CreateRenderer() fyne.WidgetRenderer {
	mark := stack(NewBox(theme.ColorNameAccent, "", theme.SizeNameFieldCorner),
		layout.Inset(3, NewIcon(theme.IconMark(), theme.ColorNameOnAccent, theme.SizeNameIcon)))
	name := NewText("Edgewright", Style{Color: fynetheme.ColorNameForeground, Size: theme.SizeNameText, Bold: true, Fit: Single})
	brand := layout.Insets(8, 8, 16, 4, layout.Row(10, layout.Middle, mark, name))
	upper, lower := layout.Column(2), layout.Column(2)
	for _, row := range r.items {
		if row.item.Low {
			lower.Add(row)
		} else {
			upper.Add(row)
		}
	}
	dot := NewIcon(theme.IconNow(), theme.ColorNameMuted, theme.SizeNameIconSmall)
	word := NewText("", StyleSmall)
	status := layout.Insets(8, 4, 2, 10, layout.Row(8, layout.Top, dot, layout.Grow(word)))
	column := layout.Column(0, brand, upper, layout.Spacer(), lower, status)
	box := NewBox(theme.ColorNameSurface, "", "")
	edge := NewBox(theme.ColorNameLine, "", "")
	body := &fyne.Container{Layout: &railLayout{r}, Objects: []fyne.CanvasObject{box, edge, column}}
	return newComposite(r, body, func() {
		show(name, !r.narrow)
		word.SetText(r.status.Word)
		dot.Set(theme.IconNow(), r.status.State.Color())
		show(status, r.status.Word != "")
		show(word, !r.narrow)
		for _, row := range r.items {
			row.Refresh()
		}
	})
}

// railLayout lays the column of the rail over its surface with a hairline at
// the trailing edge, as wide as its names need.
type railLayout struct{ r *Rail }

const railPadding = 8

func (l *railLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	objects[1].Move(fyne.NewPos(size.Width-1, 0))
	objects[1].Resize(fyne.NewSize(1, size.Height))
	objects[2].Move(fyne.NewPos(railPadding, railPadding))
	objects[2].Resize(size.SubtractWidthHeight(2*railPadding, 2*railPadding))
}

func (l *railLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	least := objects[2].MinSize().AddWidthHeight(2*railPadding, 2*railPadding)
	name := theme.SizeNameRail
	if l.r.narrow {
		name = theme.SizeNameRailNarrow
	}
	return fyne.NewSize(max(least.Width, fynetheme.Size(name)), least.Height)
}

type railItem struct {
	hovering
	rail  *Rail
	index int
	item  RailItem
}

var (
	_ fyne.Tappable     = (*railItem)(nil)
	_ fyne.Accessible   = (*railItem)(nil)
	_ desktop.Hoverable = (*railItem)(nil)
)

func (i *railItem) Tapped(*fyne.PointEvent)                { i.rail.open(i.index) }
func (i *railItem) AccessibilityLabel() string             { return i.item.Text }
func (i *railItem) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (i *railItem) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox("", "", theme.SizeNameFieldCorner)
	ring := newRing(theme.SizeNameFieldCorner)
	icon := NewIcon(i.item.Icon, fynetheme.ColorNameForeground, theme.SizeNameIcon)
	name, count := NewText(i.item.Text, StyleBody), NewText("", StyleSmall.As(Single))
	row := layout.Row(10, layout.Middle, icon, layout.Grow(name), count)
	body := stack(box, layout.Insets(8, 10, 8, 11, row), ring)
	return newComposite(i, body, func() {
		selected := i.rail.selected == i.item.ID
		color, style := fynetheme.ColorNameForeground, StyleBody
		fill := fyne.ThemeColorName("")
		switch {
		case selected:
			color, style, fill = theme.ColorNameAccent, StyleStrong.In(theme.ColorNameAccent), theme.ColorNameAccentWash
		case i.hovered:
			fill = fynetheme.ColorNameHover
		}
		box.set(fill, "", "")
		icon.Set(i.item.Icon, color)
		name.Set(i.item.Text, style.As(Single))
		count.SetText(strconv.Itoa(i.item.Count))
		show(name, !i.rail.narrow)
		show(count, !i.rail.narrow && i.item.Count > 0)
		show(ring, i.rail.focused && i.rail.cursor == i.index)
	})
}
