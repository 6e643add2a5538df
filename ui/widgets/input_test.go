package widgets

import (
	"errors"
	"slices"
	"testing"

	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/test"
)

func TestFieldPicture(t *testing.T) {
	pictures(t, "field", fyne.NewSize(460, 400), func() fyne.CanvasObject {
		host := NewEntry(nil)
		host.SetText("pi@10.20.4.31")
		wrong := NewEntry(nil)
		wrong.SetText("Line 7")
		id := NewField("Device ID", "Letters, digits and - . _ : up to 128", wrong)
		id.SetError("The device ID has a space in it. Use letters, digits and - . _ :")
		key := NewSecretField("kept in the vault; type to replace it")
		filled := NewSecretField("")
		filled.entry.SetText("sesame")
		return padded(NewField("User and host", "As in pi@10.20.4.31", host), id, NewField("Group key", "Base64, as the portal shows it", key), filled)
	}, func(w fyne.Window) { w.Canvas().FocusNext() })
}

func TestFieldShowsItsHintOnFocus(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(300, 200), func() fyne.CanvasObject {
		return padded(NewField("ID scope", "On the overview page of the DPS", NewEntry(nil)))
	})
	hint := func() bool {
		for _, text := range shownTexts(w.Canvas()) {
			if text == "On the overview page of the DPS" {
				return true
			}
		}
		return false
	}
	if hint() {
		t.Error("hint shown without focus")
	}
	w.Canvas().FocusNext()
	if !hint() {
		t.Error("no hint with focus")
	}
}

func shownTexts(c fyne.Canvas) []string {
	var texts []string
	var visit func(fyne.CanvasObject)
	visit = func(o fyne.CanvasObject) {
		if !o.Visible() {
			return
		}
		switch o := o.(type) {
		case *Text:
			texts = append(texts, o.Text())
		case *fyne.Container:
			for _, child := range o.Objects {
				visit(child)
			}
		case fyne.Widget:
			for _, child := range test.WidgetRenderer(o).Objects() {
				visit(child)
			}
		}
	}
	visit(c.Content())
	return texts
}

func TestEntryForwardsWindowKeysAndKeepsItsOwn(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(300, 60), func() fyne.CanvasObject { return NewEntry(nil) })
	e := w.Content().(*Entry)
	var keys []fyne.KeyName
	w.Canvas().SetOnTypedKey(func(event *fyne.KeyEvent) { keys = append(keys, event.Name) })
	w.Canvas().Focus(e)
	test.Type(e, "line 7")
	press(e, fyne.KeyEscape, fyne.KeyF5, fyne.KeyF1, fyne.KeyBackspace)
	e.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyLeft, Modifier: fyne.KeyModifierControl})
	if want := []fyne.KeyName{fyne.KeyEscape, fyne.KeyF5, fyne.KeyF1}; !slices.Equal(keys, want) {
		t.Errorf("window got %v, want %v", keys, want)
	}
	if e.Text != "line " {
		t.Errorf("entry has %q after Backspace", e.Text)
	}
	if e.CursorColumn != 0 {
		t.Errorf("Ctrl+Left left the cursor at %d", e.CursorColumn)
	}
}

// shortcutCanvas is a canvas that takes shortcuts, as those of real windows do.
type shortcutCanvas struct {
	fyne.Canvas
	fyne.ShortcutHandler
}

func (c *shortcutCanvas) AddShortcut(s fyne.Shortcut, f func(fyne.Shortcut)) {
	c.ShortcutHandler.AddShortcut(s, f)
}

func (c *shortcutCanvas) RemoveShortcut(s fyne.Shortcut) { c.ShortcutHandler.RemoveShortcut(s) }

func TestWindowShortcutsAreToldFromEditing(t *testing.T) {
	control := func(name fyne.KeyName) fyne.Shortcut {
		return &desktop.CustomShortcut{KeyName: name, Modifier: fyne.KeyModifierControl}
	}
	for name, c := range map[string]struct {
		shortcut fyne.Shortcut
		editing  bool
	}{
		"copy": {&fyne.ShortcutCopy{}, true}, "paste": {&fyne.ShortcutPaste{}, true}, "all": {&fyne.ShortcutSelectAll{}, true},
		"word left": {control(fyne.KeyLeft), true}, "delete word": {control(fyne.KeyDelete), true},
		"search": {control(fyne.KeyF), false}, "first page": {control(fyne.Key1), false}, "new": {control(fyne.KeyN), false},
		"primary": {control(fyne.KeyReturn), false},
	} {
		if editing(c.shortcut) != c.editing {
			t.Errorf("%s: editing is %v", name, !c.editing)
		}
		canvas, fired := &shortcutCanvas{}, 0
		canvas.AddShortcut(c.shortcut, func(fyne.Shortcut) { fired++ })
		if !shortcutTo(canvas, c.shortcut) || fired != 1 {
			t.Errorf("%s: the canvas' shortcut fired %d times", name, fired)
		}
	}
	if shortcutTo(nil, control(fyne.KeyF)) {
		t.Error("a shortcut without a window was taken")
	}
}

func TestEntrySubmits(t *testing.T) {
	got := ""
	w := window(t, theme.Options{}, fyne.NewSize(300, 60), func() fyne.CanvasObject {
		return NewEntry(func(text string) { got = text })
	})
	e := w.Content().(*Entry)
	test.Type(e, "line-7-0042")
	press(e, fyne.KeyReturn)
	if got != "line-7-0042" {
		t.Errorf("submitted %q", got)
	}
}

func TestOwnPartsForwardEscape(t *testing.T) {
	for name, build := range map[string]func() fyne.CanvasObject{
		"button": func() fyne.CanvasObject { return NewButton(Primary, "Go", nil, nil) },
		"choice": func() fyne.CanvasObject { return sampleChoices() },
		"board":  func() fyne.CanvasObject { return NewBoard(sampleBoard()) },
		"rail":   func() fyne.CanvasObject { return sampleRail() },
		"table":  func() fyne.CanvasObject { return sampleTable() },
		"diff":   func() fyne.CanvasObject { return NewDiffView(sampleDiff()) },
		"log":    func() fyne.CanvasObject { return sampleLog() },
		"select": func() fyne.CanvasObject { return NewSelect([]string{"a"}, nil) },
		"check":  func() fyne.CanvasObject { return NewCheck("a", nil) },
		"secret": func() fyne.CanvasObject { return NewSecretField("") },
		"multi":  func() fyne.CanvasObject { return NewMultiLineEntry() },
	} {
		t.Run(name, func(t *testing.T) {
			w := window(t, theme.Options{}, fyne.NewSize(800, 600), build)
			escaped := 0
			w.Canvas().SetOnTypedKey(func(event *fyne.KeyEvent) {
				if event.Name == fyne.KeyEscape {
					escaped++
				}
			})
			seen := map[fyne.Focusable]bool{}
			for {
				w.Canvas().FocusNext()
				focused := w.Canvas().Focused()
				if focused == nil || seen[focused] {
					break
				}
				seen[focused] = true
				press(focused, fyne.KeyEscape)
			}
			if len(seen) == 0 || escaped != len(seen) {
				t.Errorf("%d parts take the focus, %d pass Escape on", len(seen), escaped)
			}
		})
	}
}

func TestSecretFieldRevealsWhileHeld(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(500, 60), func() fyne.CanvasObject { return NewSecretField("") })
	s := w.Content().(*SecretField)
	fyne.CurrentApp().Clipboard().SetContent("c2VzYW1l")
	test.Tap(s.paste)
	if s.Value().RevealString() != "c2VzYW1l" || s.IsEmpty() {
		t.Errorf("value is %d bytes", len(s.Value().Reveal()))
	}
	if !s.entry.Password {
		t.Error("seen at first")
	}
	s.reveal.MouseDown(nil)
	if s.entry.Password {
		t.Error("hidden while held")
	}
	s.reveal.MouseUp(nil)
	if !s.entry.Password {
		t.Error("seen after release")
	}
	s.reveal.KeyDown(&fyne.KeyEvent{Name: fyne.KeySpace})
	if s.entry.Password {
		t.Error("hidden while Space is held")
	}
	s.reveal.FocusLost()
	if !s.entry.Password {
		t.Error("seen after the focus went away")
	}
	s.Clear()
	if !s.IsEmpty() {
		t.Error("not empty after Clear")
	}
}

func TestDropZonePicture(t *testing.T) {
	pictures(t, "dropzone", fyne.NewSize(460, 170), func() fyne.CanvasObject {
		return padded(NewDropZone("Drop a CSV file with one device per line", func([]fyne.URI) {}, func() {}))
	})
}

func TestDropZoneTakesWhatFallsOnIt(t *testing.T) {
	var got []fyne.URI
	var zone *DropZone
	window(t, theme.Options{}, fyne.NewSize(400, 400), func() fyne.CanvasObject {
		zone = NewDropZone("Drop", func(files []fyne.URI) { got = files }, nil)
		return layout.Column(0, layout.Spacer(), zone)
	})
	file := []fyne.URI{storage.NewFileURI("/devices.csv")}
	if zone.Drop(fyne.NewPos(10, 10), file) {
		t.Error("took a file that fell beside it")
	}
	if !zone.Drop(fyne.NewPos(10, 390), file) || len(got) != 1 {
		t.Error("did not take the file on it")
	}
	zone.Hide()
	if zone.Drop(fyne.NewPos(10, 390), file) {
		t.Error("a hidden zone took a file")
	}
}

var errSample = errors.New("sample")

func TestEntryValidatorKeepsWorking(t *testing.T) {
	e := NewEntry(nil)
	e.Validator = func(string) error { return errSample }
	if !errors.Is(e.Validate(), errSample) {
		t.Error("the validator was not asked")
	}
}
