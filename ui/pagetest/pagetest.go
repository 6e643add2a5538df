// Package pagetest looks at a page as it will be met: in each language, light
// and dark, at 100 % and 150 % text, in the first and the smallest window. It
// belongs in no program.
package pagetest

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/widgettest"
)

// sizes are those of a page beside the rail: in the first window, and in the
// smallest one, where the rail shows icons only.
var sizes = map[string]fyne.Size{"first": fyne.NewSize(1160-196, 720), "smallest": fyne.NewSize(800-56, 560)}

// Everywhere shows a page in every look and reports what is cut, lies on
// something else or is too faint. show makes the page for a context, brings it
// to the state that is meant and returns what is in the window then.
func Everywhere(t *testing.T, c *frame.Context, show func(t *testing.T, c *frame.Context) frame.Page) {
	t.Helper()
	defer func() { _ = uilang.Use("en") }()
	for _, language := range uilang.Languages() {
		if err := uilang.Use(language.Tag); err != nil {
			t.Fatal(err)
		}
		for variant, appearance := range map[string]theme.Appearance{"light": theme.Light, "dark": theme.Dark} {
			for _, scale := range []int{100, 150} {
				for name, size := range sizes {
					t.Run(fmt.Sprintf("%s/%s/%d/%s", language.Tag, variant, scale, name), func(t *testing.T) {
						test.NewTempApp(t)
						test.ApplyTheme(t, theme.New(theme.Options{Appearance: appearance, TextScale: scale}))
						its := Window(t, c, size)
						show(t, its)
						Settle(its.Window)
						if found := widgettest.All(its.Window.Canvas()); len(found) > 0 {
							t.Errorf("\n%s", widgettest.Report(found))
						}
					})
				}
			}
		}
	}
}

// Window gives a copy of the context with a window of its own.
func Window(t testing.TB, c *frame.Context, size fyne.Size) *frame.Context {
	t.Helper()
	w := test.NewTempWindow(t, &fyne.Container{})
	w.SetPadded(false)
	w.Resize(size)
	its := *c
	its.Window = w
	return &its
}

// Open puts a page into the window as the program does.
func Open(c *frame.Context, q *frametest.Queue, page frame.Page, place frame.Place) {
	size := c.Window.Canvas().Size()
	c.Window.SetContent(&fyne.Container{Layout: full{}, Objects: []fyne.CanvasObject{page.Content()}})
	c.Window.Resize(size)
	page.Show(place)
	q.Settle()
	if first := page.Focus(); first != nil {
		c.Window.Canvas().Focus(first)
	}
}

// full gives the page all of the window, whatever it would like.
type full struct{}

func (full) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(size)
	}
}

func (full) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// Settle lays the window out again, as a real one does before each frame when a
// part has come to need another size.
func Settle(w fyne.Window) {
	size := w.Canvas().Size()
	w.Resize(size.AddWidthHeight(1, 0))
	w.Resize(size)
}

// each calls visit for everything in sight under o, also in scrolled content.
func each(o fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	if o == nil || !o.Visible() {
		return
	}
	visit(o)
	switch o := o.(type) {
	case *container.Scroll:
		each(o.Content, visit)
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			each(child, visit)
		}
	case *fyne.Container:
		for _, child := range o.Objects {
			each(child, visit)
		}
	}
}

// Each visits everything in sight, in the window and above it.
func Each(c *frame.Context, visit func(fyne.CanvasObject)) {
	each(c.Window.Content(), visit)
	for _, above := range c.Window.Canvas().Overlays().List() {
		each(above, visit)
	}
}

// Sees tells whether a text is in the window or above it, however it is broken
// into lines.
func Sees(c *frame.Context, text string) bool {
	var out strings.Builder
	Each(c, func(o fyne.CanvasObject) {
		if t, ok := o.(*canvas.Text); ok {
			out.WriteString(t.Text + " ")
		}
	})
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	return strings.Contains(squeeze(out.String()), squeeze(text))
}

// Press presses the button of that text; it fails where there is none that can
// be pressed.
func Press(t testing.TB, c *frame.Context, text string) {
	t.Helper()
	var button *widgets.Button
	Each(c, func(o fyne.CanvasObject) {
		if b, ok := o.(*widgets.Button); ok && b.Text == text && !b.Disabled() {
			button = b
		}
	})
	if button == nil {
		t.Fatalf("there is no button %q to press", text)
	}
	test.Tap(button)
}

// Primary is the text of the blue button on top.
func Primary(c *frame.Context) string {
	text := ""
	Each(c, func(o fyne.CanvasObject) {
		if b, ok := o.(*widgets.Button); ok && b.Kind == widgets.Primary {
			text = b.Text
		}
	})
	return text
}

// Field finds the entry of a labelled field.
func Field(t testing.TB, c *frame.Context, label string) *widgets.Entry {
	t.Helper()
	var entry *widgets.Entry
	inside := false
	Each(c, func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widgets.Field:
			inside = false
			each(test.WidgetRenderer(o).Objects()[0], func(part fyne.CanvasObject) {
				if t, ok := part.(*widgets.Text); ok && t.Text() == label {
					inside = true
				}
			})
		case *widgets.Entry:
			if inside && entry == nil {
				entry = o
			}
		}
	})
	if entry == nil {
		t.Fatalf("there is no field %q", label)
	}
	return entry
}
