package layout

import (
	"os"
	"testing"

	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

func TestMain(m *testing.M) {
	test.NewApp().Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light}))
	os.Exit(m.Run())
}

// block wants a fixed area: the narrower it is, the higher it gets.
type block struct {
	widget.BaseWidget
	least, area float32
}

func newBlock(least, area float32) *block {
	b := &block{least: least, area: area}
	b.ExtendBaseWidget(b)
	return b
}

func (b *block) MinSize() fyne.Size {
	width := b.Size().Width
	if width == 0 {
		width = b.area / 10
	}
	return fyne.NewSize(b.least, b.area/width)
}

func (b *block) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewWithoutLayout())
}

func expect(t *testing.T, what string, o fyne.CanvasObject, x, y, width, height float32) {
	t.Helper()
	if o.Position() != fyne.NewPos(x, y) || o.Size() != fyne.NewSize(width, height) {
		t.Errorf("%s is at %v with %v, want %v %v with %v by %v", what, o.Position(), o.Size(), x, y, width, height)
	}
}

func TestColumnTakesHeightsFromItsWidth(t *testing.T) {
	a, b := newBlock(10, 1000), newBlock(10, 2000)
	c := Column(5, a, b)
	c.Resize(fyne.NewSize(100, 50))
	expect(t, "first", a, 0, 0, 100, 10)
	expect(t, "second", b, 0, 15, 100, 20)
	if got := c.MinSize(); got != fyne.NewSize(10, 35) {
		t.Errorf("column asks for %v", got)
	}
	c.Resize(fyne.NewSize(50, 50))
	if got := c.MinSize(); got != fyne.NewSize(10, 65) {
		t.Errorf("narrower column asks for %v", got)
	}
}

func TestNestedColumnsNeedOnePass(t *testing.T) {
	deep := newBlock(10, 1000)
	inner := Column(0, Inset(10, Column(0, deep)))
	below := newBlock(10, 100)
	outer := Column(0, inner, below)
	outer.Resize(fyne.NewSize(70, 500))
	expect(t, "deep", deep, 0, 0, 50, 20)
	if below.Position().Y != 40 {
		t.Errorf("what follows is at %v, want 40", below.Position().Y)
	}
}

func TestGrowTakesTheRest(t *testing.T) {
	top, rest, bottom := newBlock(10, 1000), Spacer(), newBlock(10, 1000)
	Column(0, top, rest, bottom).Resize(fyne.NewSize(100, 100))
	expect(t, "bottom", bottom, 0, 90, 100, 10)
	left, grow := newBlock(30, 300), Grow(newBlock(5, 700))
	Row(10, Top, left, grow).Resize(fyne.NewSize(110, 40))
	expect(t, "growing", grow, 40, 0, 70, 10)
	hidden := newBlock(30, 300)
	hidden.Hide()
	first, last := newBlock(10, 100), newBlock(10, 100)
	Row(10, Top, first, Grow(hidden), last).Resize(fyne.NewSize(100, 40))
	if last.Position().X != 20 {
		t.Errorf("hidden content leaves room: the next is at %v", last.Position().X)
	}
}

func TestGridBecomesOneColumn(t *testing.T) {
	a, b := newBlock(10, 1000), newBlock(10, 2000)
	g := Grid(2, 90, 20, a, b)
	g.Resize(fyne.NewSize(220, 10))
	expect(t, "first of two", a, 0, 0, 100, 20)
	expect(t, "second of two", b, 120, 0, 100, 20)
	g.Resize(fyne.NewSize(100, 10))
	expect(t, "first of one", a, 0, 0, 100, 10)
	expect(t, "second of one", b, 0, 30, 100, 20)
	if got := g.MinSize().Height; got != 50 {
		t.Errorf("one column asks for %v", got)
	}
}

func TestFlowWrapsAndShrinks(t *testing.T) {
	a, b, c := newBlock(40, 400), newBlock(40, 400), newBlock(90, 900)
	f := Flow(10, a, b, c)
	f.Resize(fyne.NewSize(100, 100))
	expect(t, "second", b, 50, 0, 40, 10)
	expect(t, "third", c, 0, 20, 90, 10)
	f.Resize(fyne.NewSize(60, 100))
	expect(t, "too wide", c, 0, 40, 60, 15)
	d := newBlock(40, 400)
	FlowTrailing(10, d).Resize(fyne.NewSize(100, 10))
	expect(t, "trailing", d, 60, 0, 40, 10)
}

func TestSidebarAndBesideStackWhereNarrow(t *testing.T) {
	side, main := newBlock(10, 1000), newBlock(10, 1000)
	s := Sidebar(100, 200, 20, side, main)
	s.Resize(fyne.NewSize(400, 50))
	expect(t, "main beside", main, 120, 0, 280, 50)
	s.Resize(fyne.NewSize(300, 50))
	if main.Position().X != 0 || main.Position().Y < side.Size().Height {
		t.Errorf("main is at %v although it would be too narrow", main.Position())
	}
	lead, trail := newBlock(10, 1000), newBlock(50, 500)
	b := Beside(10, 100, lead, trail)
	b.Resize(fyne.NewSize(200, 10))
	if trail.Position().X != 150 {
		t.Errorf("trailing is at %v", trail.Position())
	}
	b.Resize(fyne.NewSize(120, 10))
	if trail.Position().X != 0 || trail.Position().Y == 0 {
		t.Errorf("trailing is at %v although leading would be too narrow", trail.Position())
	}
}

func TestScrollerGivesItsWidthFirst(t *testing.T) {
	content := newBlock(10, 40_000)
	s := VScroll(content)
	test.NewTempWindow(t, s).Resize(fyne.NewSize(100, 80))
	s.Resize(fyne.NewSize(100, 80))
	expect(t, "high content", content, 0, 0, 100, 400)
	s.Resize(fyne.NewSize(200, 80))
	expect(t, "wider", content, 0, 0, 200, 200)
	short := newBlock(10, 1000)
	v := VScroll(short)
	test.NewTempWindow(t, v)
	v.Resize(fyne.NewSize(100, 80))
	if short.Size().Height != 80 {
		t.Errorf("short content is %v high, want the view's 80", short.Size().Height)
	}
}

func TestPageKeepsFootInSightAndTextReadable(t *testing.T) {
	head, body, foot := newBlock(10, 1000), newBlock(10, 1000), newBlock(10, 1000)
	page := Page(head, body, foot)
	page.Resize(fyne.NewSize(2000, 600))
	if width := head.Size().Width; width != theme.ReadableWidth-2*pageSide {
		t.Errorf("head is %v wide", width)
	}
	if bottom := foot.Position().Y + foot.Size().Height; bottom != 600-pageMargin {
		t.Errorf("foot ends at %v", bottom)
	}
	if body.Position().Y <= head.Position().Y || body.Position().Y+body.Size().Height > foot.Position().Y {
		t.Errorf("body from %v, %v high", body.Position(), body.Size().Height)
	}
	Page(nil, body, nil).Resize(fyne.NewSize(300, 300))
	if body.Position().Y != pageMargin {
		t.Errorf("without a head the body is at %v", body.Position())
	}
}
