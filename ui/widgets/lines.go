package widgets

import (
	"strings"

	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// line is one line of a lineView.
type line struct {
	text  string
	color fyne.ThemeColorName
	wash  fyne.ThemeColorName // empty: none
	bold  bool
}

// lineView shows lines in the monospace face, scrolls both ways and makes only
// the visible lines. Whole lines are selected with the pointer or with Shift and
// the arrows, and copied with the copy shortcut, all of them when none is
// selected.
type lineView struct {
	widget.BaseWidget
	lines       []line
	scroll      *container.Scroll
	body        *lineBody
	anchor, end int // selection, -1 for none
	focused     bool
	shift       bool
	onScrolled  func()
	onRune      func(rune)
}

var (
	_ fyne.Focusable    = (*lineView)(nil)
	_ fyne.Shortcutable = (*lineView)(nil)
	_ desktop.Keyable   = (*lineView)(nil)
)

func newLineView() *lineView {
	v := &lineView{anchor: -1, end: -1}
	v.body = &lineBody{view: v}
	v.body.ExtendBaseWidget(v.body)
	v.scroll = container.NewScroll(v.body)
	v.scroll.OnScrolled = func(fyne.Position) {
		v.body.Refresh()
		if v.onScrolled != nil {
			v.onScrolled()
		}
	}
	v.ExtendBaseWidget(v)
	return v
}

// set shows lines and drops a selection that no longer fits.
func (v *lineView) set(lines []line) {
	v.lines = lines
	if v.end >= len(lines) || v.anchor >= len(lines) {
		v.anchor, v.end = -1, -1
	}
	v.body.measured = fyne.Size{}
	v.Refresh()
	v.scroll.Refresh()
}

func (v *lineView) selection() (from, to int, ok bool) {
	if v.anchor < 0 {
		return 0, 0, false
	}
	return min(v.anchor, v.end), max(v.anchor, v.end), true
}

// selected is the selected text, or all of it.
func (v *lineView) selected() string {
	from, to, ok := v.selection()
	if !ok {
		from, to = 0, len(v.lines)-1
	}
	var text strings.Builder
	for i := from; i <= to && i < len(v.lines); i++ {
		text.WriteString(v.lines[i].text)
		text.WriteByte('\n')
	}
	return text.String()
}

func (v *lineView) copySelected() {
	fyne.CurrentApp().Clipboard().SetContent(v.selected())
}

// reveal scrolls until the line is seen.
func (v *lineView) reveal(index int) {
	height := lineHeight()
	top, bottom := float32(index)*height, float32(index+1)*height
	offset := v.scroll.Offset
	switch {
	case top < offset.Y:
		offset.Y = top
	case bottom > offset.Y+v.scroll.Size().Height:
		offset.Y = bottom - v.scroll.Size().Height
	default:
		return
	}
	v.scroll.ScrollToOffset(offset)
	v.body.Refresh()
}

func (v *lineView) FocusGained() { v.focused = true; v.Refresh() }
func (v *lineView) FocusLost()   { v.focused, v.shift = false, false; v.Refresh() }

func (v *lineView) TypedRune(r rune) {
	if v.onRune != nil {
		v.onRune(r)
	}
}

func (v *lineView) KeyDown(event *fyne.KeyEvent) {
	if event.Name == desktop.KeyShiftLeft || event.Name == desktop.KeyShiftRight {
		v.shift = true
	}
}

func (v *lineView) KeyUp(event *fyne.KeyEvent) {
	if event.Name == desktop.KeyShiftLeft || event.Name == desktop.KeyShiftRight {
		v.shift = false
	}
}

func (v *lineView) TypedKey(event *fyne.KeyEvent) {
	page := max(1, int(v.scroll.Size().Height/lineHeight())-1)
	offset := v.scroll.Offset
	switch event.Name {
	case fyne.KeyDown:
		v.step(1)
	case fyne.KeyUp:
		v.step(-1)
	case fyne.KeyPageDown:
		v.step(page)
	case fyne.KeyPageUp:
		v.step(-page)
	case fyne.KeyHome:
		v.step(-len(v.lines))
	case fyne.KeyEnd:
		v.step(len(v.lines))
	case fyne.KeyLeft:
		v.scroll.ScrollToOffset(fyne.NewPos(max(0, offset.X-40), offset.Y))
	case fyne.KeyRight:
		v.scroll.ScrollToOffset(fyne.NewPos(offset.X+40, offset.Y))
	default:
		Forward(v, event)
	}
}

// step moves the selected line, or its end while Shift is held.
func (v *lineView) step(by int) {
	if len(v.lines) == 0 {
		return
	}
	v.end = min(max(v.end+by, 0), len(v.lines)-1)
	if !v.shift || v.anchor < 0 {
		v.anchor = v.end
	}
	v.reveal(v.end)
	v.body.Refresh()
}

// TypedShortcut implements fyne.Shortcutable.
func (v *lineView) TypedShortcut(shortcut fyne.Shortcut) {
	switch shortcut.(type) {
	case *fyne.ShortcutCopy:
		v.copySelected()
	case *fyne.ShortcutSelectAll:
		v.anchor, v.end = 0, len(v.lines)-1
		v.body.Refresh()
	default:
		ForwardShortcut(v, shortcut)
	}
}

func (v *lineView) AccessibilityLabel() string             { return v.selected() }
func (v *lineView) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

func (v *lineView) MinSize() fyne.Size {
	return fyne.NewSize(120, lineHeight()*4)
}

func (v *lineView) CreateRenderer() fyne.WidgetRenderer {
	ring := newRing(theme.SizeNameFieldCorner)
	return newComposite(v, stack(v.scroll, ring), func() { show(ring, v.focused) })
}

func lineHeight() float32 { return StyleMono.measure("M").Height + 1 }

const lineIndent = 8

// lineBody is what lies in the scroll: all lines in size, the visible ones in
// objects.
type lineBody struct {
	widget.BaseWidget
	view     *lineView
	measured fyne.Size
}

var (
	_ fyne.Draggable    = (*lineBody)(nil)
	_ desktop.Mouseable = (*lineBody)(nil)
)

func (b *lineBody) at(y float32) int {
	return min(max(int(y/lineHeight()), 0), len(b.view.lines)-1)
}

func (b *lineBody) MouseDown(event *desktop.MouseEvent) {
	v := b.view
	focus(v)
	if len(v.lines) == 0 {
		return
	}
	v.end = b.at(event.Position.Y)
	if event.Modifier&fyne.KeyModifierShift == 0 || v.anchor < 0 {
		v.anchor = v.end
	}
	b.Refresh()
}

func (b *lineBody) MouseUp(*desktop.MouseEvent) {}

func (b *lineBody) Dragged(event *fyne.DragEvent) {
	if b.view.anchor >= 0 {
		b.view.end = b.at(event.Position.Y)
		b.Refresh()
	}
}

func (b *lineBody) DragEnd() {}

func (b *lineBody) CreateRenderer() fyne.WidgetRenderer {
	r := &lineRenderer{b: b}
	r.arrange()
	return r
}

type lineRenderer struct {
	b       *lineBody
	washes  []*canvas.Rectangle
	texts   []*canvas.Text
	objects []fyne.CanvasObject
}

func (r *lineRenderer) Destroy()                     {}
func (r *lineRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *lineRenderer) Layout(fyne.Size)             { r.arrange() }

func (r *lineRenderer) Refresh() {
	r.arrange()
	canvas.Refresh(r.b)
}

// MinSize measures the longest line by its number of columns: one face, one width.
func (r *lineRenderer) MinSize() fyne.Size {
	if r.b.measured.IsZero() {
		width := float32(0)
		longest := 0
		for _, l := range r.b.view.lines {
			if n := len([]rune(l.text)); n > longest {
				longest = n
				width = StyleMono.measure(l.text).Width
			}
		}
		r.b.measured = fyne.NewSize(width+2*lineIndent, lineHeight()*float32(len(r.b.view.lines)))
	}
	return r.b.measured
}

// arrange fills the pool for the lines in sight and a page around them, so that
// scrolling a little shows no gap.
func (r *lineRenderer) arrange() {
	v := r.b.view
	height := lineHeight()
	view := v.scroll.Size().Height
	first := max(0, int(v.scroll.Offset.Y/height)-2)
	last := min(len(v.lines), int((v.scroll.Offset.Y+view)/height)+3)
	count := max(0, last-first)
	for len(r.texts) < count {
		r.texts = append(r.texts, canvas.NewText("", nil))
		r.washes = append(r.washes, canvas.NewRectangle(nil))
	}
	r.objects = r.objects[:0]
	from, to, selecting := v.selection()
	width := max(r.b.Size().Width, v.scroll.Size().Width)
	for i := range count {
		index := first + i
		l, y := v.lines[index], float32(index)*height
		wash := l.wash
		if selecting && index >= from && index <= to && (v.focused || from != to) {
			wash = fynetheme.ColorNameSelection
		}
		if wash != "" {
			rectangle := r.washes[i]
			rectangle.FillColor = fynetheme.Color(wash)
			rectangle.Move(fyne.NewPos(0, y))
			rectangle.Resize(fyne.NewSize(width, height))
			r.objects = append(r.objects, rectangle)
		}
		color := l.color
		if wash == fynetheme.ColorNameSelection {
			color = fynetheme.ColorNameForeground
		}
		text := r.texts[i]
		text.Text = l.text
		text.Color = fynetheme.Color(color)
		text.TextSize = fynetheme.Size(theme.SizeNameMono)
		text.TextStyle = fyne.TextStyle{Monospace: true, Bold: l.bold}
		text.FontSource = font(text.TextStyle)
		text.Move(fyne.NewPos(lineIndent, y))
		text.Resize(fyne.NewSize(max(0, width-2*lineIndent), height))
		text.Refresh()
		r.objects = append(r.objects, text)
	}
}
