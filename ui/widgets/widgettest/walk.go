package widgettest

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// area is a rectangle in canvas coordinates.
type area struct{ left, top, right, bottom float32 }

func at(pos fyne.Position, size fyne.Size) area {
	return area{pos.X, pos.Y, pos.X + size.Width, pos.Y + size.Height}
}

func (a area) meet(b area) area {
	return area{max(a.left, b.left), max(a.top, b.top), min(a.right, b.right), min(a.bottom, b.bottom)}
}

func (a area) width() float32  { return max(0, a.right-a.left) }
func (a area) height() float32 { return max(0, a.bottom-a.top) }
func (a area) empty() bool     { return a.width() <= 0 || a.height() <= 0 }

func (a area) contains(x, y float32) bool {
	return x >= a.left && x < a.right && y >= a.top && y < a.bottom
}

const endless = 1e7

// visit is one drawn object in painting order.
type visit struct {
	object fyne.CanvasObject
	place  area   // where it is
	room   area   // where it may draw: what its ancestors leave it, endless where they scroll
	seen   area   // where the canvas shows it: the window, less what scrolls cut off
	path   string // types from the root
	entry  bool   // inside an entry whose text scrolls by itself
}

// walk calls do for each visible object, parents before children.
func walk(c fyne.Canvas, do func(visit)) {
	window := at(fyne.Position{}, c.Size())
	roots := append([]fyne.CanvasObject{c.Content()}, c.Overlays().List()...)
	for _, root := range roots {
		if root != nil {
			descend(visit{object: root, place: at(root.Position(), root.Size()), room: window, seen: window}, do)
		}
	}
}

func descend(v visit, do func(visit)) {
	if !v.object.Visible() {
		return
	}
	v.path += "/" + strings.TrimPrefix(fmt.Sprintf("%T", v.object), "*")
	do(v)
	inside := v
	var children []fyne.CanvasObject
	switch o := v.object.(type) {
	case *fyne.Container:
		inside.room = v.room.meet(v.place)
		children = o.Objects
	case fyne.Widget:
		inside.room = v.room.meet(v.place)
		if isEntry(o) {
			inside.entry = true
		}
		if across, along, scrolls := scrolling(o); scrolls {
			inside.seen = v.seen.meet(v.place)
			if across {
				inside.room.left, inside.room.right = -endless, endless
			}
			if along {
				inside.room.top, inside.room.bottom = -endless, endless
			}
		}
		children = test.WidgetRenderer(o).Objects()
	}
	for _, child := range children {
		next := inside
		next.object = child
		next.place = at(fyne.NewPos(v.place.left, v.place.top).Add(child.Position()), child.Size())
		descend(next, do)
	}
}

func isEntry(o fyne.Widget) bool {
	if _, ok := o.(*widget.Entry); ok {
		return true
	}
	// A widget that embeds the toolkit's entry has its editing methods.
	_, ok := o.(interface {
		SelectedText() string
		SetPlaceHolder(string)
	})
	return ok
}

// scrolling tells in which directions a scroll lets its content go beyond it.
// The toolkit's lists and tables use a scroll type of their own, which has the
// same fields behind the same alias.
func scrolling(o fyne.Widget) (across, along, scrolls bool) {
	s, ok := o.(*container.Scroll)
	if !ok {
		return false, false, false
	}
	switch s.Direction {
	case container.ScrollHorizontalOnly:
		return true, false, true
	case container.ScrollVerticalOnly:
		return false, true, true
	case container.ScrollNone:
		return false, false, true
	default:
		return true, true, true
	}
}
