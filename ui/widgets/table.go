package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// TableColumn defines a column of a DataTable.
type TableColumn struct {
	ID       string
	Title    string
	Width    float32 // at 100 % text; columns share the width that is left over
	Sortable bool
	Fixed    bool // cannot be hidden
	Hidden   bool // at first
}

// TableCell is what stands in one cell: text, or a pill.
type TableCell struct {
	Text   string
	Bold   bool
	Mono   bool
	Status Status
}

// TableRows gives the rows in the order in which they are shown. Its methods are
// called for visible cells while scrolling, so they only look up ready values.
type TableRows interface {
	Len() int
	// Identity names the row for as long as it lives, whatever its place.
	Identity(row int) string
	// Find returns the place of an identity, -1 when it is not among the rows.
	Find(identity string) int
	Cell(row int, column string) TableCell
}

// DataTable shows rows of ready values under a header of its own. Each row is
// one item of the toolkit's List, which costs nothing per row that is not seen;
// the toolkit's Table would make one object per cell, and with its built-in
// header takes memory and time for every row.
//
// The header's titles are buttons that sort; the last one chooses the columns.
// The rows take the focus as a whole: arrows, Page Up and Down, Home and End
// select, Enter opens.
type DataTable struct {
	widget.BaseWidget
	// OnSelected is told the identity that the user selects.
	OnSelected func(identity string)
	// OnOpened is told the identity that Enter or a double tap opens.
	OnOpened func(identity string)
	// OnSort is told the column and direction that the user wants; the owner
	// sorts and calls SetRows. The header shows the new order at once.
	OnSort func(column string, descending bool)
	// OnColumns is told the IDs of the visible columns after a change.
	OnColumns func(ids []string)

	columns    []TableColumn
	rows       TableRows
	selected   string
	sort       string
	descending bool
	list       *tableList
	header     *fyne.Container
	empty      fyne.CanvasObject
	chooser    *Button
}

// NewDataTable makes a DataTable without rows. empty is shown in place of the
// rows while there are none.
func NewDataTable(empty fyne.CanvasObject, columns ...TableColumn) *DataTable {
	t := &DataTable{columns: append([]TableColumn(nil), columns...), rows: noRows{}, empty: empty}
	t.list = newTableList(t)
	t.header = &fyne.Container{Layout: &cellsLayout{t}}
	t.chooser = NewIconButton(lang.X("table.columns", "Choose columns"), theme.IconColumns(), t.chooseColumns)
	t.ExtendBaseWidget(t)
	t.buildHeader()
	return t
}

type noRows struct{}

func (noRows) Len() int                   { return 0 }
func (noRows) Identity(int) string        { return "" }
func (noRows) Find(string) int            { return -1 }
func (noRows) Cell(int, string) TableCell { return TableCell{} }

// SetRows shows other rows. A selected identity stays selected wherever it is
// now, and while it is not among them nothing looks selected.
func (t *DataTable) SetRows(rows TableRows) {
	t.rows = rows
	t.Refresh()
}

// Selected returns the selected identity, empty for none.
func (t *DataTable) Selected() string {
	if t.rows.Find(t.selected) < 0 {
		return ""
	}
	return t.selected
}

// Select selects an identity and scrolls to it, without calling OnSelected.
func (t *DataTable) Select(identity string) {
	t.selected = identity
	if row := t.rows.Find(identity); row >= 0 {
		t.list.ScrollTo(row)
	}
	t.list.Refresh()
}

// SetSort shows by which column the rows are sorted.
func (t *DataTable) SetSort(column string, descending bool) {
	t.sort, t.descending = column, descending
	t.buildHeader()
}

// Visible columns in order.
func (t *DataTable) visibleColumns() []TableColumn {
	var shown []TableColumn
	for _, column := range t.columns {
		if !column.Hidden {
			shown = append(shown, column)
		}
	}
	return shown
}

// VisibleColumns returns the IDs of the columns that are shown.
func (t *DataTable) VisibleColumns() []string {
	var ids []string
	for _, column := range t.visibleColumns() {
		ids = append(ids, column.ID)
	}
	return ids
}

// ShowColumns shows the columns of the given IDs and the fixed ones.
func (t *DataTable) ShowColumns(ids ...string) {
	for i := range t.columns {
		t.columns[i].Hidden = !t.columns[i].Fixed
		for _, id := range ids {
			if t.columns[i].ID == id {
				t.columns[i].Hidden = false
			}
		}
	}
	t.buildHeader()
	t.list.Refresh()
}

func (t *DataTable) chooseColumns() {
	c := fyne.CurrentApp().Driver().CanvasForObject(t.chooser)
	if c == nil {
		return
	}
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(t.chooser)
	menu := widget.NewPopUpMenu(fyne.NewMenu("", t.columnItems()...), c)
	menu.ShowAtPosition(at.AddXY(t.chooser.Size().Width-menu.MinSize().Width, t.chooser.Size().Height))
}

// columnItems is the menu of columns: a tick before those that are shown.
func (t *DataTable) columnItems() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for i := range t.columns {
		column := &t.columns[i]
		item := fyne.NewMenuItem(column.Title, func() {
			column.Hidden = !column.Hidden
			t.buildHeader()
			t.list.Refresh()
			if t.OnColumns != nil {
				t.OnColumns(t.VisibleColumns())
			}
		})
		item.Checked, item.Disabled = !column.Hidden, column.Fixed
		items = append(items, item)
	}
	return items
}

func (t *DataTable) sortBy(column string) {
	t.SetSort(column, t.sort == column && !t.descending)
	if t.OnSort != nil {
		t.OnSort(column, t.descending)
	}
}

func (t *DataTable) buildHeader() {
	t.header.Objects = nil
	for _, column := range t.visibleColumns() {
		t.header.Add(newTableHead(t, column))
	}
	t.header.Refresh()
}

func (t *DataTable) parts() []fyne.CanvasObject { return []fyne.CanvasObject{t.list} }

// cellInset is the room at both sides of a row.
const cellInset, cellGap = 10, 12

// widths shares a row's width among the visible columns; none gets less than
// its own.
func (t *DataTable) widths(total float32) []float32 {
	columns := t.visibleColumns()
	widths := make([]float32, len(columns))
	sum := float32(0)
	for i, column := range columns {
		widths[i] = column.Width * theme.TextFactor()
		sum += widths[i]
	}
	rest := total - 2*cellInset - cellGap*float32(len(columns)-1) - sum
	if rest > 0 && sum > 0 {
		for i := range widths {
			widths[i] += rest * widths[i] / sum
		}
	}
	return widths
}

func (t *DataTable) leastWidth() float32 {
	sum := float32(2 * cellInset)
	for i, width := range t.widths(0) {
		sum += width
		if i > 0 {
			sum += cellGap
		}
	}
	return sum
}

// CreateRenderer implements fyne.Widget.
func (t *DataTable) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox(theme.ColorNameSurface, theme.ColorNameLine, theme.SizeNameCardCorner)
	separator := NewBox(theme.ColorNameLine, "", "")
	grid := &fyne.Container{Layout: &tableLayout{t}, Objects: []fyne.CanvasObject{t.header, separator, t.list}}
	scroll := container.NewHScroll(grid)
	if t.empty == nil {
		t.empty = &fyne.Container{}
	}
	body := &fyne.Container{Layout: tableFrame{}, Objects: []fyne.CanvasObject{box, scroll, layout.Inset(24, t.empty), t.chooser}}
	return newComposite(t, body, func() {
		none := t.rows.Len() == 0
		show(scroll, !none)
		show(body.Objects[2], none)
		show(t.chooser, !none)
	})
}

// tableFrame lays the parts into the card, the chooser into its upper corner.
type tableFrame struct{}

func (tableFrame) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	least := objects[3].MinSize()
	objects[1].Move(fyne.NewPos(6, 4))
	objects[1].Resize(size.SubtractWidthHeight(12+least.Width, 8))
	objects[2].Resize(size)
	objects[3].Resize(least)
	objects[3].Move(fyne.NewPos(size.Width-least.Width-6, 6))
}

func (tableFrame) MinSize(objects []fyne.CanvasObject) fyne.Size {
	least := objects[1].MinSize()
	if objects[2].Visible() {
		least = least.Max(objects[2].MinSize())
	}
	return least.Max(fyne.NewSize(200, 160))
}

// tableLayout puts the header above a hairline above the rows.
type tableLayout struct{ t *DataTable }

func (l *tableLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	height := objects[0].MinSize().Height
	objects[0].Resize(fyne.NewSize(size.Width, height))
	objects[1].Move(fyne.NewPos(0, height))
	objects[1].Resize(fyne.NewSize(size.Width, 1))
	objects[2].Move(fyne.NewPos(0, height+1))
	narrower := size.Width < objects[2].Size().Width
	objects[2].Resize(fyne.NewSize(size.Width, max(0, size.Height-height-1)))
	if narrower {
		objects[2].Refresh() // the toolkit's list keeps the width of its rows when it shrinks
	}
}

func (l *tableLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(l.t.leastWidth(), objects[0].MinSize().Height+objects[2].MinSize().Height)
}

// cellsLayout lays heads or cells into the columns.
type cellsLayout struct{ t *DataTable }

func (l *cellsLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x := float32(cellInset)
	for i, width := range l.t.widths(size.Width) {
		if i >= len(objects) {
			return
		}
		height := objects[i].MinSize().Height
		objects[i].Move(fyne.NewPos(x, (size.Height-height)/2))
		objects[i].Resize(fyne.NewSize(width, height))
		x += width + cellGap
	}
}

func (l *cellsLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	height := fynetheme.Size(theme.SizeNameIconLarge)
	for _, o := range objects {
		height = max(height, o.MinSize().Height)
	}
	return fyne.NewSize(l.t.leastWidth(), height+6)
}
