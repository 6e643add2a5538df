// Emptywindow opens a window of the toolkit with nothing in it, or with one of
// the toolkit's own fields when called with the argument "field". The time until
// it appears and what it takes are what the toolkit itself costs on a machine;
// .ci/bench measures the program beside it.
package main

import (
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

func main() {
	empty := app.NewWithID("dev.edgewright.Emptywindow")
	window := empty.NewWindow("Empty window")
	window.Resize(fyne.NewSize(1160, 720)) // as large as the program's first window
	window.SetContent(container.NewWithoutLayout())
	if len(os.Args) > 1 && os.Args[1] == "field" {
		field := widget.NewEntry()
		window.SetContent(container.NewVBox(field))
		window.Canvas().Focus(field)
	}
	window.ShowAndRun()
}
