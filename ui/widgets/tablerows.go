package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// tableList is the rows of a DataTable. The toolkit's own selection, which goes
// by row number, is not used.
type tableList struct {
	widget.List
	table   *DataTable
	focused bool
}

func newTableList(table *DataTable) *tableList {
	l := &tableList{table: table}
	l.HideSeparators = true
	l.Length = func() int { return table.rows.Len() }
	l.CreateItem = func() fyne.CanvasObject { return newTableRow(table) }
	l.UpdateItem = func(row int, item fyne.CanvasObject) { item.(*tableRow).set(row) }
	l.ExtendBaseWidget(l)
	return l
}

func (l *tableList) FocusGained() { l.focused = true; l.Refresh() }
func (l *tableList) FocusLost()   { l.focused = false; l.Refresh() }

// TypedShortcut implements fyne.Shortcutable: the copy shortcut takes the
// selected identity.
func (l *tableList) TypedShortcut(shortcut fyne.Shortcut) {
	if _, ok := shortcut.(*fyne.ShortcutCopy); ok {
		fyne.CurrentApp().Clipboard().SetContent(l.table.Selected())
		return
	}
	ForwardShortcut(l, shortcut)
}

func (l *tableList) TypedKey(event *fyne.KeyEvent) {
	t := l.table
	at, last := t.rows.Find(t.selected), t.rows.Len()-1
	page := max(1, int(l.Size().Height/(newTableRow(t).MinSize().Height+fynetheme.Padding()))-1)
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
		at = last
	case fyne.KeySpace:
		at = max(at, 0)
	case fyne.KeyReturn, fyne.KeyEnter:
		if at >= 0 && t.OnOpened != nil {
			t.OnOpened(t.selected)
		}
		return
	default:
		Forward(l, event)
		return
	}
	if last >= 0 {
		l.choose(min(max(at, 0), last))
	}
}

// choose selects the identity of a row.
func (l *tableList) choose(row int) {
	t := l.table
	if row >= t.rows.Len() {
		return
	}
	identity := t.rows.Identity(row)
	changed := identity != t.selected
	t.Select(identity)
	if changed && t.OnSelected != nil {
		t.OnSelected(identity)
	}
}

// tableRow shows one row and is used again for others while scrolling.
type tableRow struct {
	hovering
	table *DataTable
	row   int
}

var (
	_ fyne.Tappable       = (*tableRow)(nil)
	_ fyne.DoubleTappable = (*tableRow)(nil)
	_ desktop.Hoverable   = (*tableRow)(nil)
)

func newTableRow(table *DataTable) *tableRow {
	r := &tableRow{table: table, row: -1}
	r.ExtendBaseWidget(r)
	return r
}

func (r *tableRow) set(row int) {
	r.row = row
	r.Refresh()
}

func (r *tableRow) Tapped(*fyne.PointEvent) {
	focus(r.table.list)
	r.table.list.choose(r.row)
}

func (r *tableRow) DoubleTapped(*fyne.PointEvent) {
	r.Tapped(nil)
	if r.table.OnOpened != nil && r.table.Selected() != "" {
		r.table.OnOpened(r.table.selected)
	}
}

func (r *tableRow) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox("", "", theme.SizeNameFieldCorner)
	ring := newRing(theme.SizeNameFieldCorner)
	cells := &fyne.Container{Layout: &cellsLayout{r.table}}
	line := &fyne.Container{Layout: bottomLine{}, Objects: []fyne.CanvasObject{NewBox(theme.ColorNameLine, "", "")}}
	// The scroll around the rows cuts what is drawn at its very edge.
	marked := layout.Insets(0, 3, 0, 1, stack(box, ring))
	return newComposite(r, stack(line, marked, cells), func() {
		columns := r.table.visibleColumns()
		for len(cells.Objects) < len(columns) {
			cells.Objects = append(cells.Objects, newTableCell())
		}
		cells.Objects = cells.Objects[:len(columns)]
		valid := r.row >= 0 && r.row < r.table.rows.Len()
		selected := false
		for i, column := range columns {
			var value TableCell
			if valid {
				value = r.table.rows.Cell(r.row, column.ID)
			}
			cells.Objects[i].(*tableCell).set(value)
		}
		if valid {
			selected = r.table.selected != "" && r.table.rows.Identity(r.row) == r.table.selected
		}
		fill := fyne.ThemeColorName("")
		switch {
		case selected:
			fill = theme.ColorNameAccentWash
		case r.hovered:
			fill = fynetheme.ColorNameHover
		}
		box.set(fill, "", "")
		first := r.table.Selected() == "" && r.row == 0
		show(ring, r.table.list.focused && (selected || first))
	})
}

// bottomLine is a hairline under a row.
type bottomLine struct{}

func (bottomLine) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(0, size.Height+1))
	objects[0].Resize(fyne.NewSize(size.Width, 1))
}

func (bottomLine) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// tableCell shows a text or a pill.
type tableCell struct {
	widget.BaseWidget
	value TableCell
}

func newTableCell() *tableCell {
	c := &tableCell{}
	c.ExtendBaseWidget(c)
	return c
}

func (c *tableCell) set(value TableCell) {
	if c.value != value {
		c.value = value
		c.Refresh()
	}
}

func (c *tableCell) CreateRenderer() fyne.WidgetRenderer {
	text, pill := NewText("", StyleBody.As(Truncate)), newPill(Status{})
	return newComposite(c, stack(text, pill), func() {
		style := StyleBody.As(Truncate)
		style.Bold = c.value.Bold
		if c.value.Mono {
			style = StyleMono.As(Truncate)
		}
		text.Set(c.value.Text, style)
		show(text, c.value.Status.Word == "")
		pill.Set(c.value.Status)
	})
}

// tableHead is the title of a column; a sortable one is a button.
type tableHead struct {
	widget.BaseWidget
	table            *DataTable
	column           TableColumn
	focused, hovered bool
}

var (
	_ fyne.Focusable    = (*tableHead)(nil)
	_ fyne.Disableable  = (*tableHead)(nil)
	_ fyne.Accessible   = (*tableHead)(nil)
	_ desktop.Hoverable = (*tableHead)(nil)
)

func newTableHead(table *DataTable, column TableColumn) *tableHead {
	h := &tableHead{table: table, column: column}
	h.ExtendBaseWidget(h)
	return h
}

func (h *tableHead) Disabled() bool { return !h.column.Sortable }
func (h *tableHead) Enable()        {}
func (h *tableHead) Disable()       {}

func (h *tableHead) Tapped(*fyne.PointEvent) {
	if h.column.Sortable {
		h.table.sortBy(h.column.ID)
	}
}

func (h *tableHead) FocusGained()   { h.focused = true; h.Refresh() }
func (h *tableHead) FocusLost()     { h.focused = false; h.Refresh() }
func (h *tableHead) TypedRune(rune) {}

// TypedKey sorts and keeps the focus on the same column, whose head is made anew.
func (h *tableHead) TypedKey(event *fyne.KeyEvent) {
	switch event.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		h.Tapped(nil)
		for _, o := range h.table.header.Objects {
			if head := o.(*tableHead); head.column.ID == h.column.ID {
				focus(head)
			}
		}
	default:
		Forward(h, event)
	}
}

func (h *tableHead) MouseIn(*desktop.MouseEvent)            { h.hovered = true; h.Refresh() }
func (h *tableHead) MouseMoved(*desktop.MouseEvent)         {}
func (h *tableHead) MouseOut()                              { h.hovered = false; h.Refresh() }
func (h *tableHead) AccessibilityLabel() string             { return h.column.Title }
func (h *tableHead) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (h *tableHead) CreateRenderer() fyne.WidgetRenderer {
	hover := NewBox(fynetheme.ColorNameHover, "", theme.SizeNameFieldCorner)
	ring := newRing(theme.SizeNameFieldCorner)
	title := NewText(h.column.Title, StyleSection)
	arrow := NewIcon(fynetheme.MenuDropDownIcon(), theme.ColorNameMuted, theme.SizeNameIconSmall)
	row := layout.Row(2, layout.Middle, layout.Grow(title), arrow)
	return newComposite(h, stack(hover, layout.Insets(4, 0, 4, 0, row), ring), func() {
		icon := fynetheme.MenuDropUpIcon()
		if h.table.descending {
			icon = fynetheme.MenuDropDownIcon()
		}
		arrow.Set(icon, theme.ColorNameMuted)
		show(arrow, h.table.sort == h.column.ID)
		show(hover, h.hovered && h.column.Sortable)
		show(ring, h.focused)
	})
}
