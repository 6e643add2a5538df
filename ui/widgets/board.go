package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// BoardModel is what a Board shows: columns of platforms, and groups of rows of
// cells. Every row has one cell per column.
type BoardModel struct {
	Columns []BoardColumn
	Groups  []BoardGroup
}

// BoardColumn heads a column.
type BoardColumn struct {
	Icon    fyne.Resource
	Title   string
	Line    string
	Support Status
}

// BoardGroup is a title above rows.
type BoardGroup struct {
	Title string
	Rows  [][]BoardCell
}

// BoardCell is one way to provision.
type BoardCell struct {
	ID        string
	Title     string
	Line      string // what it is in a few words; for a muted cell the reason
	Suggested bool
	Muted     bool // cannot be taken on this target, or not by this version yet
}

// Board is the board of cells. It takes the focus as a whole: arrow keys move a
// cursor over all cells, muted ones too, so that their reasons can be read;
// Space takes the cell, Enter takes it and goes on.
type Board struct {
	widget.BaseWidget
	// OnTaken is told the cell that the user takes.
	OnTaken func(BoardCell)
	// OnPreview is told the cell under the pointer or the cursor, to show what
	// it needs and will do.
	OnPreview func(BoardCell)
	// OnSubmitted is called by Enter on the cell that is taken, to go on.
	OnSubmitted func(BoardCell)

	model    BoardModel
	rows     [][]*boardCell
	content  *fyne.Container
	taken    string
	row, col int
	focused  bool
}

var (
	_ fyne.Focusable  = (*Board)(nil)
	_ fyne.Accessible = (*Board)(nil)
)

// NewBoard makes a Board. The suggested cell is taken from the start.
func NewBoard(model BoardModel) *Board {
	b := &Board{content: layout.Column(0)}
	b.ExtendBaseWidget(b)
	b.Set(model)
	return b
}

// Set shows another model. A taken cell stays taken where it still can be;
// otherwise the suggested one is, without a call of OnTaken.
func (b *Board) Set(model BoardModel) {
	b.model = model
	b.build()
	if !b.takes(b.taken) {
		b.taken = b.suggested()
	}
	b.cursorTo(b.taken)
	b.Refresh()
}

// Taken returns the ID of the taken cell, empty for none.
func (b *Board) Taken() string { return b.taken }

// Take takes a cell by ID without a call of OnTaken; a muted one is not taken.
func (b *Board) Take(id string) {
	if b.takes(id) {
		b.taken = id
		b.cursorTo(id)
		b.Refresh()
	}
}

func (b *Board) each(do func(row, col int, cell BoardCell)) {
	for r, row := range b.rows {
		for c, cell := range row {
			do(r, c, cell.cell)
		}
	}
}

func (b *Board) takes(id string) (can bool) {
	b.each(func(_, _ int, cell BoardCell) { can = can || (id != "" && cell.ID == id && !cell.Muted) })
	return can
}

func (b *Board) suggested() (id string) {
	b.each(func(_, _ int, cell BoardCell) {
		if cell.Suggested && !cell.Muted && id == "" {
			id = cell.ID
		}
	})
	return id
}

func (b *Board) cursorTo(id string) {
	b.row, b.col = 0, 0
	b.each(func(row, col int, cell BoardCell) {
		if cell.ID == id && id != "" {
			b.row, b.col = row, col
		}
	})
}

// build makes the heads, group titles and cells.
func (b *Board) build() {
	space := fynetheme.Size(theme.SizeNameSpace2)
	b.rows, b.content.Objects = nil, nil
	columns := len(b.model.Columns)
	heads := layout.Grid(columns, 0, space)
	for _, column := range b.model.Columns {
		title := layout.Row(6, layout.Middle, layout.Grow(NewText(column.Title, StyleStrong)))
		if column.Icon != nil {
			title.Objects = append([]fyne.CanvasObject{NewIcon(column.Icon, theme.ColorNameMuted, theme.SizeNameIcon)}, title.Objects...)
		}
		heads.Add(layout.Column(4, title,
			layout.Beside(6, 60*theme.TextFactor(), NewText(column.Line, StyleSmall), newPill(column.Support))))
	}
	b.content.Add(heads)
	for _, group := range b.model.Groups {
		b.content.Add(layout.Insets(12, 0, 6, 0, SectionTitle(group.Title)))
		for i, cells := range group.Rows {
			grid := layout.Grid(columns, 0, space)
			row := make([]*boardCell, 0, columns)
			for c, cell := range cells {
				object := newBoardCell(b, len(b.rows), c, cell)
				row = append(row, object)
				grid.Add(object)
			}
			b.rows = append(b.rows, row)
			if i > 0 {
				b.content.Add(layout.Insets(space, 0, 0, 0, grid))
			} else {
				b.content.Add(grid)
			}
		}
	}
}

func (b *Board) cell() (BoardCell, bool) {
	if b.row < len(b.rows) && b.col < len(b.rows[b.row]) {
		return b.rows[b.row][b.col].cell, true
	}
	return BoardCell{}, false
}

func (b *Board) preview() {
	if cell, ok := b.cell(); ok && b.OnPreview != nil {
		b.OnPreview(cell)
	}
}

func (b *Board) move(rows, cols int) {
	row := b.row + rows
	if row < 0 || row >= len(b.rows) {
		return
	}
	col := b.col + cols
	if col < 0 || col >= len(b.rows[row]) {
		return
	}
	b.row, b.col = row, col
	b.Refresh()
	b.preview()
}

// take takes the cell under the cursor and tells whether it was taken before.
func (b *Board) take() (already bool) {
	cell, ok := b.cell()
	if !ok || cell.Muted {
		return false
	}
	if cell.ID == b.taken {
		return true
	}
	b.taken = cell.ID
	b.Refresh()
	if b.OnTaken != nil {
		b.OnTaken(cell)
	}
	return false
}

// FocusGained implements fyne.Focusable.
func (b *Board) FocusGained() {
	b.focused = true
	b.Refresh()
	b.preview()
}

// FocusLost implements fyne.Focusable.
func (b *Board) FocusLost() { b.focused = false; b.Refresh() }

// TypedRune implements fyne.Focusable.
func (b *Board) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (b *Board) TypedKey(event *fyne.KeyEvent) {
	switch event.Name {
	case fyne.KeyUp:
		b.move(-1, 0)
	case fyne.KeyDown:
		b.move(1, 0)
	case fyne.KeyLeft:
		b.move(0, -1)
	case fyne.KeyRight:
		b.move(0, 1)
	case fyne.KeyHome:
		b.move(-b.row, -b.col)
	case fyne.KeyEnd:
		if last := len(b.rows) - 1; last >= 0 {
			b.move(last-b.row, len(b.rows[last])-1-b.col)
		}
	case fyne.KeySpace:
		b.take()
	case fyne.KeyReturn, fyne.KeyEnter:
		if already := b.take(); already && b.OnSubmitted != nil {
			cell, _ := b.cell()
			b.OnSubmitted(cell)
		}
	default:
		Forward(b, event)
	}
}

// AccessibilityLabel implements fyne.Accessible.
func (b *Board) AccessibilityLabel() string {
	cell, ok := b.cell()
	if !ok {
		return ""
	}
	return b.model.Columns[b.col].Title + ", " + cell.Title + ", " + cell.Line
}

// AccessibilityRole implements fyne.Accessible.
func (b *Board) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// CreateRenderer implements fyne.Widget.
func (b *Board) CreateRenderer() fyne.WidgetRenderer {
	return newComposite(b, b.content, func() {
		for _, row := range b.rows {
			for _, cell := range row {
				cell.Refresh()
			}
		}
	})
}
