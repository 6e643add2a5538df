package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Tab is one name of Tabs.
type Tab struct {
	ID     string
	Text   string
	Status Status // behind the name; nothing when its word is empty
}

// Tabs is a line of names of which one is open; names that do not fit go on in
// the next line. It takes the focus as a whole: arrows, Home and End open.
type Tabs struct {
	focusing
	// OnOpened is told each ID that the user opens.
	OnOpened func(id string)

	items []*tabItem
	open  int
}

var (
	_ fyne.Focusable  = (*Tabs)(nil)
	_ fyne.Accessible = (*Tabs)(nil)
)

// NewTabs makes Tabs with the first one open.
func NewTabs(onOpened func(id string), tabs ...Tab) *Tabs {
	t := &Tabs{OnOpened: onOpened}
	for i, tab := range tabs {
		item := &tabItem{tabs: t, index: i, tab: tab}
		item.ExtendBaseWidget(item)
		t.items = append(t.items, item)
	}
	t.ExtendBaseWidget(t)
	return t
}

// Opened is the ID that is open.
func (t *Tabs) Opened() string { return t.items[t.open].tab.ID }

// Select opens a tab without calling OnOpened.
func (t *Tabs) Select(id string) {
	for i, item := range t.items {
		if item.tab.ID == id {
			t.open = i
		}
	}
	t.Refresh()
}

// SetStatus changes what stands behind a name.
func (t *Tabs) SetStatus(id string, status Status) {
	for _, item := range t.items {
		if item.tab.ID == id && item.tab.Status != status {
			item.tab.Status = status
			t.Refresh()
		}
	}
}

func (t *Tabs) take(index int) {
	if index = max(0, min(index, len(t.items)-1)); index == t.open {
		return
	}
	t.open = index
	t.Refresh()
	if t.OnOpened != nil {
		t.OnOpened(t.Opened())
	}
}

// TypedKey implements fyne.Focusable.
func (t *Tabs) TypedKey(event *fyne.KeyEvent) {
	switch event.Name {
	case fyne.KeyRight:
		t.take(t.open + 1)
	case fyne.KeyLeft:
		t.take(t.open - 1)
	case fyne.KeyHome:
		t.take(0)
	case fyne.KeyEnd:
		t.take(len(t.items) - 1)
	default:
		Forward(t, event)
	}
}

// AccessibilityLabel implements fyne.Accessible.
func (t *Tabs) AccessibilityLabel() string { return t.items[t.open].tab.Text }

// AccessibilityRole implements fyne.Accessible.
func (t *Tabs) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// CreateRenderer implements fyne.Widget.
func (t *Tabs) CreateRenderer() fyne.WidgetRenderer {
	line := layout.Flow(fynetheme.Size(theme.SizeNameSpace1))
	for _, item := range t.items {
		line.Add(item)
	}
	return newComposite(t, line, func() {
		for _, item := range t.items {
			item.Refresh()
		}
	})
}

type tabItem struct {
	hovering
	tabs  *Tabs
	index int
	tab   Tab
}

var (
	_ fyne.Tappable     = (*tabItem)(nil)
	_ fyne.Accessible   = (*tabItem)(nil)
	_ desktop.Hoverable = (*tabItem)(nil)
)

func (i *tabItem) Tapped(*fyne.PointEvent) {
	focus(i.tabs)
	i.tabs.take(i.index)
}

func (i *tabItem) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (i *tabItem) AccessibilityLabel() string {
	if i.tab.Status.Word == "" {
		return i.tab.Text
	}
	return i.tab.Text + ", " + i.tab.Status.Word
}

// underline is as thick as the mark below the open name.
const underline = 3

func (i *tabItem) CreateRenderer() fyne.WidgetRenderer {
	hover := NewBox(fynetheme.ColorNameHover, "", theme.SizeNameFieldCorner)
	mark := NewBox(theme.ColorNameAccent, "", "")
	ring := newRing(theme.SizeNameFieldCorner)
	name := NewText(i.tab.Text, StyleStrong.As(Single))
	pill := newPill(i.tab.Status)
	row := layout.Insets(6, 10, 6+underline, 10, layout.Row(6, layout.Middle, name, pill))
	body := stack(hover, row, &fyne.Container{Layout: underlined{}, Objects: []fyne.CanvasObject{mark}}, ring)
	return newComposite(i, body, func() {
		open := i.tabs.open == i.index
		color := theme.ColorNameMuted
		if open {
			color = theme.ColorNameAccent
		}
		name.SetStyle(StyleStrong.In(color).As(Single))
		pill.Set(i.tab.Status)
		show(mark, open)
		show(hover, i.hovered && !open)
		show(ring, i.tabs.focused && open)
	})
}

// underlined puts its object along the lower edge.
type underlined struct{}

func (underlined) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(6, size.Height-underline))
	objects[0].Resize(fyne.NewSize(max(0, size.Width-12), underline))
}

func (underlined) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }
