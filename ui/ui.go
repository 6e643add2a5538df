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
	"sync"
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

// startSettled is when the first page has long been drawn. Until then the
// collector would only be in the way; fonts and translations leave a third of the
// heap as garbage, which is given back then.
const startSettled = 3 * time.Second

// startGC is the collector's percentage until then.
const startGC = 400

// stopPatience is how long the toolkit may take to end its loop after the window
// has closed. Of some hundred ends of version 2.8.0 one never comes: it hands its
// last callback to a queue that nobody reads any more, and waits for it.
const stopPatience = 2 * time.Second

// Run opens the window on a data folder, waits until it closes and gives the exit
// code. A data folder that does not open is explained in the window. Where the
// toolkit does not end, exit is called with the code instead.
func Run(ctx context.Context, face fyne.App, config app.Config, exit func(code int)) int {
	settled := debug.SetGCPercent(startGC)
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
		time.AfterFunc(startSettled, func() {
			debug.SetGCPercent(settled)
			debug.FreeOSMemory()
		})
	})
	end := sync.OnceValue(func() int {
		over.Store(true)
		cancel()
		return s.end()
	})
	window.SetOnClosed(func() {
		time.AfterFunc(stopPatience, func() { exit(end()) })
	})
	window.ShowAndRun()
	return end()
}
