package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// boardCell is one cell of a Board; the board holds focus and cursor.
type boardCell struct {
	widget.BaseWidget
	board    *Board
	row, col int
	cell     BoardCell
	hovered  bool
}

var (
	_ fyne.Tappable     = (*boardCell)(nil)
	_ fyne.Accessible   = (*boardCell)(nil)
	_ desktop.Hoverable = (*boardCell)(nil)
)

func newBoardCell(board *Board, row, col int, cell BoardCell) *boardCell {
	c := &boardCell{board: board, row: row, col: col, cell: cell}
	c.ExtendBaseWidget(c)
	return c
}

func (c *boardCell) Tapped(*fyne.PointEvent) {
	c.board.row, c.board.col = c.row, c.col
	focus(c.board)
	c.board.take()
	c.board.Refresh()
}

func (c *boardCell) MouseIn(*desktop.MouseEvent) {
	c.hovered = true
	c.Refresh()
	if c.board.OnPreview != nil {
		c.board.OnPreview(c.cell)
	}
}

func (c *boardCell) MouseMoved(*desktop.MouseEvent) {}

// MouseOut gives the preview back to the cell under the cursor.
func (c *boardCell) MouseOut() {
	c.hovered = false
	c.Refresh()
	c.board.preview()
}

func (c *boardCell) AccessibilityLabel() string             { return c.cell.Title + ", " + c.cell.Line }
func (c *boardCell) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (c *boardCell) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox("", "", theme.SizeNameCardCorner)
	hover := NewBox(fynetheme.ColorNameHover, "", theme.SizeNameCardCorner)
	ring := newRing(theme.SizeNameFieldCorner)
	title, line := NewText(c.cell.Title, StyleStrong), NewText(c.cell.Line, StyleSmall)
	mark := NewIcon(nil, theme.ColorNameMuted, theme.SizeNameIcon)
	suggested := NewText(lang.X("board.suggested", "suggested"), StyleSmall.In(theme.ColorNameAccent))
	suggested.style.Bold = true
	head := layout.Row(4, layout.Top, layout.Grow(title), mark)
	body := stack(box, hover,
		layout.Insets(10, 11, 10, 11, layout.Column(2, head, line, suggested)),
		layout.Inset(3, ring))
	return newComposite(c, body, func() {
		taken := c.board.taken == c.cell.ID && c.cell.ID != ""
		titleColor := fynetheme.ColorNameForeground
		switch {
		case taken:
			box.set(theme.ColorNameAccentWash, theme.ColorNameAccent, theme.SizeNameRing)
			mark.Set(fynetheme.ConfirmIcon(), theme.ColorNameAccent)
		case c.cell.Muted:
			box.set("", theme.ColorNameLine, "")
			mark.Set(fynetheme.CancelIcon(), theme.ColorNameMuted)
			titleColor = theme.ColorNameMuted
		default:
			box.set(theme.ColorNameSurface, theme.ColorNameFieldBorder, "")
			mark.Set(nil, theme.ColorNameMuted)
		}
		title.SetStyle(StyleStrong.In(titleColor))
		show(mark, taken || c.cell.Muted)
		show(suggested, c.cell.Suggested && !c.cell.Muted)
		show(hover, c.hovered && !c.cell.Muted)
		show(ring, c.board.focused && c.board.row == c.row && c.board.col == c.col)
	})
}
