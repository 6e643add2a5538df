package ui

import (
	"context"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
)

// hand is a person with a keyboard in front of a window of the test driver.
type hand struct {
	t *testing.T
	s *shell
	q *frametest.Queue
}

func sitDown(t *testing.T, config app.Config) hand {
	t.Helper()
	if err := uilang.Use("en"); err != nil {
		t.Fatal(err)
	}
	return sitDownWith(t, config, func(fyne.Preferences) {}, fyne.NewSize(1160, 720))
}

func sitDownWith(t *testing.T, config app.Config, choose func(fyne.Preferences), size fyne.Size) hand {
	t.Helper()
	face := test.NewTempApp(t)
	choose(face.Preferences())
	face.Settings().SetTheme(theme.New(frame.LookOf(face.Preferences())))
	window := test.NewWindow(nil) // closed below, or by the test
	q := &frametest.Queue{}
	ctx, cancel := context.WithCancel(t.Context())
	s := newShell(ctx, face, window, q.Post)
	window.Resize(size)
	s.open(config)
	t.Cleanup(func() {
		if !s.closing {
			window.Close()
		}
		cancel()
		if code := s.end(); code != s.code {
			t.Errorf("the window ends with code %d", code)
		}
	})
	return hand{t, s, q}
}

// press types a key to what has the focus, or to the window.
func (h hand) press(name fyne.KeyName) {
	h.t.Helper()
	event := &fyne.KeyEvent{Name: name}
	if focused := h.s.window.Canvas().Focused(); focused != nil {
		focused.TypedKey(event)
	} else {
		h.s.key(event)
	}
	if focused := h.s.window.Canvas().Focused(); focused != nil && name == fyne.KeySpace {
		focused.TypedRune(' ') // as the toolkit does, to whatever has the focus by then
	}
	h.q.Settle()
}

func (h hand) write(text string) {
	h.t.Helper()
	focused := h.s.window.Canvas().Focused()
	if focused == nil {
		h.t.Fatalf("nothing has the focus to type %q into", text)
	}
	for _, r := range text {
		focused.TypedRune(r)
	}
}

func (h hand) sees(text string) {
	h.t.Helper()
	h.q.Until(h.t, "the window shows "+text, func() bool { return shows(h.s.window.Canvas().Content(), text) })
	h.q.Settle()
}

func (h hand) device(id string) app.Device {
	h.t.Helper()
	device, err := h.s.c.App.Device(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return device
}

func TestFromFirstStartToAProvenDeviceByKeyboardAlone(t *testing.T) {
	h := sitDown(t, frametest.Config(t))
	h.s.shortcut(fyne.KeyN)
	h.sees("Which device?")
	for _, question := range []string{"Which way?", "Which cloud?", "Which name?", "In the cloud (practice)"} {
		h.press(fyne.KeyReturn)
		h.sees(question)
	}
	if b, ok := h.s.window.Canvas().Focused().(*widgets.Button); !ok || b.Text != "Provision" {
		t.Fatalf("Review has the focus on %v, want its blue button", h.s.window.Canvas().Focused())
	}
	h.press(fyne.KeyReturn)
	h.sees("practice-1 is proven, as a rehearsal")
	if got := h.device("practice-1").State; got != app.StateRehearsed {
		t.Errorf("the catalog calls practice-1 %q", got)
	}

	// On the bench a reader types the next ID and presses Enter.
	entry, ok := h.s.window.Canvas().Focused().(*widgets.Entry)
	if !ok || entry.Text != "practice-2" {
		t.Fatalf("after the proof the focus is on %v, want the field with the next ID", h.s.window.Canvas().Focused())
	}
	h.write("bench-0042")
	h.press(fyne.KeyReturn)
	h.sees("bench-0042 is proven, as a rehearsal")
	if got := h.device("bench-0042").State; got != app.StateRehearsed {
		t.Errorf("the catalog calls bench-0042 %q", got)
	}
	runs, err := h.s.c.App.Runs(t.Context())
	if err != nil || len(runs) != 2 || runs[0].State != string(provisioning.RunSucceeded) {
		t.Errorf("runs are %v (%v), want two that succeeded", runs, err)
	}
}

func TestShortcutsOpenPages(t *testing.T) {
	h := sitDown(t, frametest.Config(t))
	for key, page := range numbers {
		h.s.shortcut(key)
		h.q.Settle()
		if h.s.now != page {
			t.Errorf("Ctrl+%s opens %s, want %s", key, h.s.now, page)
		}
	}
	h.s.shortcut(fyne.KeyN)
	if h.s.now != frame.Provision {
		t.Errorf("Ctrl+N opens %s", h.s.now)
	}
}

func TestEscapeClosesTheDialogFirst(t *testing.T) {
	h := sitDown(t, frametest.Config(t))
	h.s.shortcut(fyne.KeyN)
	h.q.Settle()
	h.press(fyne.KeyReturn)
	h.sees("Which way?")
	h.press(fyne.KeyF1)
	if !h.s.c.DialogOpen() {
		t.Fatal("F1 opens no help")
	}
	h.press(fyne.KeyEscape)
	if h.s.c.DialogOpen() {
		t.Fatal("Escape leaves the dialog open")
	}
	if !shows(h.s.window.Canvas().Content(), "Which way?") {
		t.Fatal("Escape closed more than the dialog")
	}
	h.press(fyne.KeyEscape)
	h.sees("Which device?")
}

func TestSpaceIsNotTypedIntoWhatItOpens(t *testing.T) {
	h := sitDown(t, frametest.Config(t))
	field := widgets.NewEntry(nil)
	open := widgets.NewButton(widgets.Secondary, "Open", nil, func() {
		frame.NewDialog(h.s.c, "Name", field, nil, frame.Answer{Text: "Close"}).Show(field)
	})
	h.s.window.SetContent(open)
	h.s.window.Canvas().Focus(open)
	h.press(fyne.KeySpace)
	if h.s.window.Canvas().Focused() != fyne.Focusable(field) || field.Text != "" {
		t.Errorf("the field of the dialog holds %q", field.Text)
	}
}
