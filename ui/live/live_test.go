package live

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"edgewright/ui/frame/frametest"
)

func TestPageInFrontHearsOfWritesAndOneBehindDoesNot(t *testing.T) {
	test.NewTempApp(t)
	window := test.NewTempWindow(t, &fyne.Container{})
	c, q := frametest.Context(t, window, nil)
	content := container.NewStack(widget.NewLabel("page"))
	window.SetContent(container.NewBorder(nil, nil, widget.NewLabel("rail"), nil, container.NewStack(content)))
	calls := 0
	r := New(c, content, time.Millisecond, func() { calls++ })
	write := func() {
		if _, err := c.App.ImportDevices(t.Context(), strings.NewReader(`[{"device_id":"d","hub_host":"h","state":"proven"}]`)); err != nil {
			t.Fatal(err)
		}
	}
	write()
	q.Settle()
	if calls != 0 {
		t.Fatal("a page that was never shown is refreshed")
	}
	r.Follow()
	r.Follow() // shown twice is followed once
	write()
	q.Until(t, "the refresh", func() bool { return calls > 0 })
	if calls != 1 {
		t.Errorf("one write refreshes %d times", calls)
	}

	window.SetContent(widget.NewLabel("another page"))
	write()
	q.Until(t, "the page to be left alone", func() bool { return r.stop == nil })
	if calls != 1 {
		t.Errorf("a page behind another one is refreshed: %d calls", calls)
	}

	window.SetContent(content)
	r.Follow()
	write()
	q.Until(t, "the refresh", func() bool { return calls == 2 })
}

func TestManyWritesAreOneRefresh(t *testing.T) {
	test.NewTempApp(t)
	window := test.NewTempWindow(t, &fyne.Container{})
	c, q := frametest.Context(t, window, nil)
	content := &fyne.Container{}
	window.SetContent(content)
	calls := 0
	r := New(c, content, 30*time.Millisecond, func() { calls++ })
	for range 1000 {
		r.Soon()
	}
	q.Until(t, "the refresh", func() bool { return calls > 0 })
	q.Settle()
	if calls != 1 {
		t.Errorf("a burst refreshes %d times", calls)
	}
}
