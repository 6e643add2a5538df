package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"

	"edgewright/ui/frame"
	"edgewright/ui/widgets"
)

// numbers are the pages that Ctrl and a digit open.
var numbers = map[fyne.KeyName]frame.ID{
	fyne.Key1: frame.Computer, fyne.Key2: frame.Provision, fyne.Key3: frame.Devices,
	fyne.Key4: frame.Certificates, fyne.Key5: frame.Runs, fyne.Key6: frame.Clouds, fyne.Key7: frame.Settings,
}

// keyboard puts the shortcuts on the canvas. There is no menu bar; the
// program's own fields hand on what they have no use for.
func (s *shell) keyboard() {
	canvas := s.window.Canvas()
	add := func(key fyne.KeyName) {
		canvas.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) { s.shortcut(key) })
	}
	for key := range numbers {
		add(key)
	}
	for _, key := range []fyne.KeyName{fyne.KeyN, fyne.KeyF, fyne.KeyReturn, fyne.KeyEnter} {
		add(key)
	}
}

// shortcut does what Ctrl and a key stand for. A dialog lets only its own
// through.
func (s *shell) shortcut(key fyne.KeyName) {
	submit := key == fyne.KeyReturn || key == fyne.KeyEnter
	if s.c.DialogOpen() {
		if submit {
			s.c.SubmitDialog()
		}
		return
	}
	switch {
	case submit:
		s.current().Primary()
	case key == fyne.KeyN:
		s.openPlace(frame.Place{Page: frame.Provision})
	case key == fyne.KeyF:
		if page, ok := s.current().(frame.Searcher); ok {
			page.Search()
			return
		}
		s.openPlace(frame.Place{Page: frame.Devices})
		if page, ok := s.current().(frame.Searcher); ok {
			s.c.Post(page.Search)
		}
	default:
		s.openPlace(frame.Place{Page: numbers[key]})
	}
}

// key hears the keys that nothing else had a use for.
func (s *shell) key(event *fyne.KeyEvent) {
	if event.Name == fyne.KeyEscape && s.c.CloseDialog() || s.c.DialogOpen() {
		return
	}
	switch event.Name {
	case fyne.KeyEscape:
		if s.current().Back() {
			s.focusPage()
		}
	case fyne.KeyF5:
		s.current().Again()
	case fyne.KeyF1:
		s.help()
	}
}

// help explains the page in front.
func (s *shell) help() {
	text := s.current().Help() + "\n\n" + lang.X("help.keys", "Ctrl+1 to 7: the pages. Ctrl+N: provision. Ctrl+F: search. Ctrl+Enter: the blue button. Escape: back or close. F5: look again.")
	frame.NewDialog(s.c, lang.X("help.title", "About this page"), widgets.NewText(text, widgets.StyleBody), nil,
		frame.Answer{Text: lang.X("action.close", "Close"), Kind: widgets.Primary}).Show(nil)
}
