// Package frame is what all screens share: the context that a page lives in,
// the contract between a page and the window, and the way work is done off the
// screen's thread. It holds no screen.
package frame

import (
	"context"

	"fyne.io/fyne/v2"

	"edgewright/app"
	"edgewright/ui/widgets"
)

// ID names a page of the rail.
type ID string

// The pages in the order of the rail; Ctrl and the number opens one.
const (
	Computer     ID = "computer"
	Provision    ID = "provision"
	Devices      ID = "devices"
	Certificates ID = "certificates"
	Runs         ID = "runs"
	Clouds       ID = "clouds"
	Settings     ID = "settings"
)

// Place is a page, and the thing that it shall show.
type Place struct {
	Page ID
	// Target preselects a target in the wizard; Device and Run open one.
	Target, Device, Run string
	// Cloud opens one; Tab is a part of it, or of the certificates.
	Cloud, Tab string
	// Certificate opens one by its ID, Files those that are on this computer.
	Certificate string
	Files       []string
}

// Page is a screen as the window sees it. All methods are called on the main
// goroutine.
type Page interface {
	// Content is built once, when the page is first opened.
	Content() fyne.CanvasObject
	// Show is called each time the page comes to the front.
	Show(place Place)
	// Focus is what the keyboard goes to, nil for nothing.
	Focus() fyne.Focusable
	// Primary does what the page's one blue button does.
	Primary()
	// Back leaves the inner page that is open, if one is.
	Back() bool
	// Again looks once more.
	Again()
	// Help explains the page in a few sentences.
	Help() string
}

// Searcher is a page with a search field, for Ctrl+F.
type Searcher interface{ Search() }

// Dropped is a page that takes files dropped on the window, where it has a use for
// them; false hands them back.
type Dropped interface{ Dropped(files []string) bool }

// Context is what a page is given.
type Context struct {
	// Ctx ends when the window closes.
	Ctx    context.Context
	App    *app.App
	Window fyne.Window
	// Post runs a function on the main goroutine later.
	Post func(func())
	// Open goes to another place.
	Open func(Place)
	// Changed tells the window that counts or the practice cloud may differ.
	Changed func()
	// Access answers what a target asks for, by asking the person.
	Access func() app.Access
	// Appearance applies the preferences again.
	Appearance func()
	// Front is the page in front; nil means the one that asks.
	Front func() ID
	// Looking tells whether the window is in front; nil means yes.
	Looking func() bool
	// Preferences are small facts about the window.
	Preferences fyne.Preferences

	dialogs []*Dialog // the last one is on top
}

// Focus gives the keyboard to a control. The text of a field is selected, so
// that typing replaces it.
func (c *Context) Focus(control fyne.Focusable) {
	if c.Window == nil || control == nil {
		return
	}
	c.Window.Canvas().Focus(control)
	if entry, ok := control.(*widgets.Entry); ok && entry.Text != "" {
		entry.TypedShortcut(&fyne.ShortcutSelectAll{})
	}
}

// FocusIn does so if the page is in front and nothing lies above it.
func (c *Context) FocusIn(page ID, control fyne.Focusable) {
	if (c.Front == nil || c.Front() == page) && !c.DialogOpen() {
		c.Focus(control)
	}
}

// Task does work off the main goroutine. A newer call of the same Task makes
// the result of an older one void, and cancels its context. Its methods are
// called on the main goroutine.
type Task struct {
	generation int
	cancel     context.CancelFunc
}

// Do runs work in a goroutine and hands its result to done on the main
// goroutine, unless Do was called again in between or the window closed.
func Do[T any](c *Context, t *Task, work func(ctx context.Context) (T, error), done func(T, error)) {
	t.Stop()
	ctx, cancel := context.WithCancel(c.Ctx)
	t.cancel = cancel
	generation := t.generation
	go func() {
		result, err := work(ctx)
		c.Post(func() {
			if generation == t.generation && c.Ctx.Err() == nil {
				done(result, err)
			}
			cancel()
		})
	}()
}

// Stop makes the running work void.
func (t *Task) Stop() {
	t.generation++
	if t.cancel != nil {
		t.cancel()
	}
}
