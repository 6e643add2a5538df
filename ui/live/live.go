// Package live keeps a page that is in front of the window up to date: it hears
// of writes to the catalog and has the page read again, at most once per period.
// A page that is no longer in front is left alone until it is shown again.
//
// It reads nothing itself and knows no screen.
package live

import (
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"

	"edgewright/ui/frame"
)

// Refresher calls a page's refresh on the main goroutine. Its methods are called
// there, too.
type Refresher struct {
	c       *frame.Context
	content fyne.CanvasObject
	every   time.Duration
	refresh func()

	due  atomic.Bool
	stop func() // nil while the page is not followed
}

// New makes a Refresher for the page of that content.
func New(c *frame.Context, content fyne.CanvasObject, every time.Duration, refresh func()) *Refresher {
	return &Refresher{c: c, content: content, every: every, refresh: refresh}
}

// Follow begins to listen; the page calls it when it is shown.
func (r *Refresher) Follow() {
	if r.stop == nil {
		r.stop = r.c.App.Watch(r.Soon)
	}
}

// Soon has the page read again after the period, for what changes without a
// write of this process. It may be called on any goroutine.
func (r *Refresher) Soon() {
	if r.due.CompareAndSwap(false, true) {
		time.AfterFunc(r.every, func() { r.c.Post(r.fire) })
	}
}

func (r *Refresher) fire() {
	r.due.Store(false)
	if r.c.Ctx.Err() != nil || !InFront(r.c, r.content) {
		if r.stop != nil {
			r.stop()
			r.stop = nil
		}
		return
	}
	r.refresh()
}

// InFront tells whether content is in the tree of the window.
func InFront(c *frame.Context, content fyne.CanvasObject) bool {
	return c.Window != nil && c.Window.Content() != nil && within(c.Window.Content(), content, 4)
}

// within looks through containers only: the window puts a page no deeper.
func within(root, content fyne.CanvasObject, depth int) bool {
	if root == content {
		return true
	}
	box, ok := root.(*fyne.Container)
	if !ok || depth == 0 {
		return false
	}
	for _, o := range box.Objects {
		if within(o, content, depth-1) {
			return true
		}
	}
	return false
}
