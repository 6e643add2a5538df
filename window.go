package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/widget"

	"edgewright/app"
	"edgewright/app/command"
	"edgewright/ui"
	"edgewright/ui/frame"
)

// appID names the program to the desktop; FyneApp.toml has the same.
const appID = "dev.edgewright.Edgewright"

// probeFlag makes the program open a window for a moment and end. A machine
// without OpenGL is found out that way in a process of its own, because the
// toolkit hangs or panics there.
const probeFlag = "--probe-window"

// probePatience is how long the probe may take; a display that needs longer
// does not work.
const probePatience = 10 * time.Second

// openWindow opens the window, or works without one where there is none.
func openWindow(ctx context.Context, args []string) int {
	data := ""
	if len(args) == 2 {
		data = args[1]
	}
	if reason := noDisplay(); reason != "" {
		return command.FirstRun(ctx, streams(), version, data, reason)
	}
	// The toolkit makes only the last part of its cache folder.
	if cache, err := os.UserCacheDir(); err == nil {
		_ = os.MkdirAll(cache, 0o700)
	}
	logFile := crashFile()
	defer logFile.done()
	settings := frame.PreferencesDir(appID)
	if err := frame.MendPreferences(settings); err != nil {
		fmt.Fprintln(os.Stderr, "the preferences cannot be mended:", err)
	}
	face := fyneapp.NewWithID(appID)
	frame.KeepPreferences(face.Preferences(), settings)
	config := app.Config{DataDir: data, Version: version}
	return ui.Run(ctx, face, config, func(code int) {
		logFile.done()
		os.Exit(code)
	})
}

// noDisplay says why no window can be opened, or "".
func noDisplay() string {
	if runtime.GOOS == "windows" {
		return ""
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
	}
	if displayKnown() {
		return ""
	}
	if err := tryWindow(); err != nil {
		return "the display cannot show one (" + err.Error() + ")"
	}
	rememberDisplay()
	return ""
}

// tryWindow starts this program once more to open a window for a moment.
func tryWindow() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), probePatience)
	defer cancel()
	probe := exec.CommandContext(ctx, exe, probeFlag)
	var said bytes.Buffer
	probe.Stderr = &said
	err = probe.Run()
	switch {
	case ctx.Err() != nil:
		return errors.New("a trial window did not appear in time")
	case err != nil:
		return errors.New("a trial window failed: " + firstLine(said.String()))
	case strings.Contains(said.String(), "window creation error"), strings.Contains(said.String(), "GLX"):
		return errors.New(firstLine(said.String()))
	}
	return nil
}

func firstLine(text string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return "no reason given"
}

// probeWindow is the other end of tryWindow.
func probeWindow() int {
	face := fyneapp.NewWithID(appID + ".probe")
	window := face.NewWindow("Edgewright")
	window.SetContent(widget.NewLabel(""))
	face.Lifecycle().SetOnStarted(func() {
		// Several frames: what a display cannot draw, it fails at by then.
		time.AfterFunc(100*time.Millisecond, func() { fyne.Do(face.Quit) })
	})
	window.ShowAndRun()
	return command.ExitOK
}

// displayMark is a file that remembers, until the next login or boot, that a
// display works.
func displayMark() string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return ""
	}
	name := fmt.Sprintf("edgewright-display-%x", os.Getenv("DISPLAY")+os.Getenv("WAYLAND_DISPLAY"))
	return filepath.Join(dir, name)
}

func displayKnown() bool {
	mark := displayMark()
	if mark == "" {
		return false
	}
	_, err := os.Stat(mark)
	return err == nil
}

func rememberDisplay() {
	if mark := displayMark(); mark != "" {
		_ = os.WriteFile(mark, nil, 0o600)
	}
}
