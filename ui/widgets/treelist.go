package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// TreeRow is a line of a TreeList as it is shown now.
type TreeRow struct {
	// Identity names the row for as long as it lives, whatever its place.
	Identity string
	Depth    int
	// Branch rows can be opened; Open ones have their rows below them.
	Branch, Open bool
	Title, Line  string
	Status       Status
	// Muted rows only lead to others.
	Muted bool
	// More rows are no thing of their own: they stand for the rows that follow
	// and are opened to get them.
	More bool
}

// TreeList shows a tree as a list of the rows that are open. Which rows there are
// belongs to its owner, who may get them when they are opened; a row that is not
// in sight costs nothing.
//
// It takes the focus as a whole: arrows, Page Up and Down, Home and End select,
// Right opens a branch or goes into it, Left closes it or goes out of it, Enter
// opens the thing itself.
type TreeList struct {
	widget.List
	// OnSelected is told the identity that the user selects.
	OnSelected func(identity string)
	// OnOpened is told the identity that Enter or a double tap opens.
	OnOpened func(identity string)
	// OnToggled is told the branch that the user opens or closes; the owner
	// calls SetRows when it has the rows.
	OnToggled func(identity string, open bool)

	rows     []TreeRow
	at       map[string]int
	selected string
	focused  bool
}

var (
	_ fyne.Focusable    = (*TreeList)(nil)
	_ fyne.Shortcutable = (*TreeList)(nil)
)

// NewTreeList makes a TreeList without rows.
func NewTreeList() *TreeList {
	t := &TreeList{}
	t.HideSeparators = true
	t.Length = func() int { return len(t.rows) }
	t.CreateItem = func() fyne.CanvasObject { return newTreeItem(t) }
	t.UpdateItem = func(row int, item fyne.CanvasObject) { item.(*treeItem).set(row) }
	t.ExtendBaseWidget(t)
	return t
}

// SetRows shows other rows. A selected identity stays selected wherever it is.
func (t *TreeList) SetRows(rows []TreeRow) {
	t.rows, t.at = rows, make(map[string]int, len(rows))
	for i, row := range rows {
		t.at[row.Identity] = i
	}
	t.Refresh()
}

// Rows are those that are shown.
func (t *TreeList) Rows() []TreeRow { return t.rows }

// Selected returns the selected identity, empty for none.
func (t *TreeList) Selected() string {
	if _, ok := t.at[t.selected]; !ok {
		return ""
	}
	return t.selected
}

// Select selects an identity and scrolls to it, without calling OnSelected.
func (t *TreeList) Select(identity string) {
	t.selected = identity
	if row, ok := t.at[identity]; ok {
		t.ScrollTo(row)
	}
	t.Refresh()
}

// FocusGained implements fyne.Focusable.
func (t *TreeList) FocusGained() { t.focused = true; t.Refresh() }

// FocusLost implements fyne.Focusable.
func (t *TreeList) FocusLost() { t.focused = false; t.Refresh() }

// TypedRune implements fyne.Focusable.
func (t *TreeList) TypedRune(rune) {}

// TypedShortcut implements fyne.Shortcutable.
func (t *TreeList) TypedShortcut(shortcut fyne.Shortcut) { ForwardShortcut(t, shortcut) }

// TypedKey implements fyne.Focusable.
func (t *TreeList) TypedKey(event *fyne.KeyEvent) {
	at, ok := t.at[t.selected]
	if !ok {
		at = -1
	}
	page := max(1, int(t.Size().Height/(newTreeItem(t).MinSize().Height+fynetheme.Padding()))-1)
	switch event.Name {
	case fyne.KeyDown:
		at++
	case fyne.KeyUp:
		at--
	case fyne.KeyPageDown:
		at += page
	case fyne.KeyPageUp:
		at -= page
	case fyne.KeyHome:
		at = 0
	case fyne.KeyEnd:
		at = len(t.rows) - 1
	case fyne.KeySpace:
		at = max(at, 0)
	case fyne.KeyRight:
		t.inward(at)
		return
	case fyne.KeyLeft:
		t.outward(at)
		return
	case fyne.KeyReturn, fyne.KeyEnter:
		t.openAt(at)
		return
	default:
		Forward(t, event)
		return
	}
	t.choose(at)
}

// inward opens the branch of a row, or goes to the first row in it.
func (t *TreeList) inward(at int) {
	switch {
	case at < 0:
		t.choose(0)
	case t.rows[at].Branch && !t.rows[at].Open:
		t.toggle(at)
	case t.rows[at].Branch:
		t.choose(at + 1)
	}
}

// outward closes the branch of a row, or goes to the row that it is in.
func (t *TreeList) outward(at int) {
	if at < 0 {
		return
	}
	if t.rows[at].Branch && t.rows[at].Open {
		t.toggle(at)
		return
	}
	for i := at - 1; i >= 0; i-- {
		if t.rows[i].Depth < t.rows[at].Depth {
			t.choose(i)
			return
		}
	}
}

func (t *TreeList) toggle(at int) {
	if t.OnToggled != nil {
		t.OnToggled(t.rows[at].Identity, !t.rows[at].Open)
	}
}

// openAt opens the thing of a row; a row that stands for more gets them.
func (t *TreeList) openAt(at int) {
	switch {
	case at < 0 || at >= len(t.rows):
	case t.rows[at].More:
		t.toggle(at)
	case t.OnOpened != nil:
		t.OnOpened(t.rows[at].Identity)
	}
}

// choose selects the row nearest to a place.
func (t *TreeList) choose(at int) {
	if len(t.rows) == 0 {
		return
	}
	identity := t.rows[min(max(at, 0), len(t.rows)-1)].Identity
	changed := identity != t.selected
	t.Select(identity)
	if changed && t.OnSelected != nil {
		t.OnSelected(identity)
	}
}

// treeStep is how far each level stands in, treeArrow how wide the arrow is.
const treeStep, treeArrow = 18, 22

// treeItem shows one row and is used again for others while scrolling.
type treeItem struct {
	hovering
	tree  *TreeList
	row   int
	arrow *Icon
}

var (
	_ fyne.Tappable       = (*treeItem)(nil)
	_ fyne.DoubleTappable = (*treeItem)(nil)
	_ desktop.Hoverable   = (*treeItem)(nil)
	_ fyne.Accessible     = (*treeItem)(nil)
)

func newTreeItem(tree *TreeList) *treeItem {
	i := &treeItem{tree: tree, row: -1}
	i.ExtendBaseWidget(i)
	return i
}

func (i *treeItem) set(row int) {
	i.row = row
	i.Refresh()
}

// value is what the row shows; a row that is no more shows nothing.
func (i *treeItem) value() TreeRow {
	if i.row < 0 || i.row >= len(i.tree.rows) {
		return TreeRow{}
	}
	return i.tree.rows[i.row]
}

// Tapped selects; on the arrow, and on a row that stands for more, it opens.
func (i *treeItem) Tapped(event *fyne.PointEvent) {
	value := i.value()
	if value.Identity == "" {
		return
	}
	focus(i.tree)
	edge := float32(value.Depth)*treeStep + cellInset + treeArrow
	if value.More || value.Branch && event != nil && event.Position.X < edge {
		i.tree.toggle(i.row)
		return
	}
	i.tree.choose(i.row)
}

// DoubleTapped opens the thing of the row.
func (i *treeItem) DoubleTapped(event *fyne.PointEvent) {
	i.Tapped(event)
	if !i.value().More {
		i.tree.openAt(i.row)
	}
}

func (i *treeItem) AccessibilityLabel() string {
	value := i.value()
	label := value.Title + ", " + value.Line
	if value.Status.Word != "" {
		label += ", " + value.Status.Word
	}
	return label
}

func (i *treeItem) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

func (i *treeItem) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox("", "", theme.SizeNameFieldCorner)
	ring := newRing(theme.SizeNameFieldCorner)
	i.arrow = NewIcon(nil, theme.ColorNameMuted, theme.SizeNameIconSmall)
	title, line := NewText("", StyleStrong.As(Truncate)), NewText("", StyleSmall.As(Truncate))
	pill := newPill(Status{})
	texts := layout.Column(1, title, line)
	row := &fyne.Container{Layout: &treeRowLayout{i}, Objects: []fyne.CanvasObject{i.arrow, texts, pill}}
	return newComposite(i, stack(layout.Insets(0, 3, 0, 1, stack(box, ring)), row), func() { i.paint(box, ring, title, line, pill) })
}

func (i *treeItem) paint(box, ring *Box, title, line *Text, pill *Pill) {
	value := i.value()
	icon := fyne.Resource(nil)
	switch {
	case value.Branch && value.Open:
		icon = fynetheme.MenuDropDownIcon()
	case value.Branch:
		icon = fynetheme.MenuExpandIcon()
	}
	i.arrow.Set(icon, theme.ColorNameMuted)
	color := fynetheme.ColorNameForeground
	if value.Muted {
		color = theme.ColorNameMuted
	}
	if value.More {
		color = theme.ColorNameAccent
	}
	title.Set(value.Title, StyleStrong.In(color).As(Truncate))
	line.SetText(value.Line)
	pill.Set(value.Status)
	selected := value.Identity != "" && value.Identity == i.tree.selected
	fill := fyne.ThemeColorName("")
	switch {
	case selected:
		fill = theme.ColorNameAccentWash
	case i.hovered:
		fill = fynetheme.ColorNameHover
	}
	box.set(fill, "", "")
	show(ring, i.tree.focused && (selected || i.tree.Selected() == "" && i.row == 0))
}

// treeRowLayout puts arrow, texts and pill beside each other, as far in as the
// row is deep; deep rows in narrow trees do not go in without end.
type treeRowLayout struct{ i *treeItem }

const treeDeepest = 6

func (l *treeRowLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x := cellInset + float32(min(l.i.value().Depth, treeDeepest))*treeStep
	arrow, texts, pill := objects[0], objects[1], objects[2]
	side := arrow.MinSize()
	arrow.Resize(side)
	arrow.Move(fyne.NewPos(x, (size.Height-side.Height)/2))
	x += treeArrow
	end := size.Width - cellInset
	if pill.Visible() {
		width := min(pill.MinSize().Width, max(0, (end-x)*0.6))
		height := layout.HeightFor(pill, width)
		pill.Resize(fyne.NewSize(width, height))
		pill.Move(fyne.NewPos(end-width, (size.Height-height)/2))
		end -= width + cellGap
	}
	width := max(0, end-x)
	height := layout.HeightFor(texts, width)
	texts.Resize(fyne.NewSize(width, height))
	texts.Move(fyne.NewPos(x, (size.Height-height)/2))
}

func (l *treeRowLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	title, line := StyleStrong.measure("M").Height, StyleSmall.measure("M").Height
	return fyne.NewSize(160*theme.TextFactor(), title+line+13)
}
