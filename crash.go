package main

import (
	"os"
	"path/filepath"
	"runtime/debug"

	"edgewright/app"
)

// crash is the file that a panic of the window is written to: a program
// without a console has nowhere else to say why it ended.
type crash struct{ file *os.File }

func crashFile() *crash {
	dir := app.DefaultStateDir()
	if os.MkdirAll(dir, 0o700) != nil {
		return &crash{}
	}
	file, err := os.OpenFile(filepath.Join(dir, "crash.txt"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return &crash{}
	}
	_ = debug.SetCrashOutput(file, debug.CrashOptions{})
	return &crash{file}
}

// done removes the file after a clean end.
func (c *crash) done() {
	if c.file == nil {
		return
	}
	name := c.file.Name()
	_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
	_ = c.file.Close()
	_ = os.Remove(name)
}
