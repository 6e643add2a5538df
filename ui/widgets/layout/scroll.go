package layout

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Scroller scrolls its content up and down and gives it exactly its own width.
// Its bar stands in the margin to the right of it: over the content it would
// cover the edge of cards, and what ends the view would cut their hairline.
type Scroller struct {
	widget.BaseWidget
	scroll  *container.Scroll
	content fyne.CanvasObject
}

// VScroll makes a Scroller around content. The content is at least as high as
// the Scroller, so that a Grow in it reaches the lower edge.
func VScroll(content fyne.CanvasObject) *Scroller {
	s := &Scroller{content: content}
	s.scroll = container.NewVScroll(&fyne.Container{Layout: &widthFirst{}, Objects: []fyne.CanvasObject{content}})
	s.ExtendBaseWidget(s)
	return s
}

// ScrollToTop shows the beginning of the content.
func (s *Scroller) ScrollToTop() { s.scroll.ScrollToTop() }

// ScrollToBottom shows the end of the content.
func (s *Scroller) ScrollToBottom() { s.scroll.ScrollToBottom() }

// CreateRenderer implements fyne.Widget.
func (s *Scroller) CreateRenderer() fyne.WidgetRenderer {
	return &scrollerRenderer{WidgetRenderer: widget.NewSimpleRenderer(s.scroll), s: s}
}

// MinSize implements fyne.CanvasObject: any height will do.
func (s *Scroller) MinSize() fyne.Size {
	return fyne.NewSize(s.content.MinSize().Width, 64)
}

type scrollerRenderer struct {
	fyne.WidgetRenderer
	s *Scroller
}

// Layout gives the content its width before the scroll asks for its height.
func (r *scrollerRenderer) Layout(size fyne.Size) {
	HeightFor(r.s.content, size.Width)
	r.WidgetRenderer.Layout(size.AddWidthHeight(gutter(), 0))
	r.s.scroll.Refresh()
}

// gutter is the room for the bar beside the content.
func gutter() float32 { return 2 * fynetheme.Size(fynetheme.SizeNameScrollBarSmall) }

// widthFirst lets the content's height follow from the width at hand.
type widthFirst struct{}

func (*widthFirst) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := size.Width - gutter()
	for _, o := range objects {
		place(o, 0, 0, width, max(HeightFor(o, width), size.Height))
	}
}

func (*widthFirst) MinSize(objects []fyne.CanvasObject) fyne.Size {
	least := objects[0].MinSize()
	return fyne.NewSize(0, least.Height)
}
