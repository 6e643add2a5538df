// Package ui is the window: it opens the data folder, puts the rail beside the
// pages, hands the keyboard's shortcuts to them, asks a person what a target or
// the vault wants to know, and sees to it that no run is lost on closing.
//
// It holds no screen of its own; the pages are in the packages beneath it, and
// what they share in ui/frame. It imports no window system: main gives it the
// toolkit's app.
package ui

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
)

// The exit codes of the window.
const (
	exitOK     = 0
	exitFailed = 1
)

// startSettled is when the first page has long been drawn. Fonts and
// translations leave a third of the heap as garbage, which would otherwise stay
// with the program until as much again had been used.
const startSettled = 3 * time.Second

// Run opens the window on a data folder and waits until it closes. A data
// folder that does not open is explained in the window.
func Run(ctx context.Context, face fyne.App, config app.Config) int {
	preferences := face.Preferences()
	if err := uilang.Use(preferences.String(frame.PreferenceLanguage)); err != nil {
		// A language that is no longer there is no reason not to start.
		preferences.RemoveValue(frame.PreferenceLanguage)
		_ = uilang.Use("")
	}
	face.SetIcon(theme.AppIcon())
	face.Settings().SetTheme(theme.New(frame.LookOf(preferences)))

	if config.DataDir == "" {
		config.DataDir = app.DefaultDataDir()
	}
	first := beFirst(config.DataDir)
	if first == nil {
		return exitOK // the window that is open comes to the front
	}
	defer first.close()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	window := face.NewWindow(lang.X("window.title", "Edgewright"))
	var over atomic.Bool // the toolkit has left its loop; nobody hears posts any more
	post := func(f func()) {
		if !over.Load() {
			fyne.Do(f)
		}
	}
	s := newShell(ctx, face, window, post)
	s.open(config)
	first.serve(func() { post(window.RequestFocus) })

	face.Lifecycle().SetOnStarted(func() {
		context.AfterFunc(ctx, func() { post(window.Close) })
		time.AfterFunc(startSettled, debug.FreeOSMemory)
	})
	window.ShowAndRun()
	over.Store(true)
	cancel()
	return s.end()
}
