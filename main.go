// Command edgewright turns a machine into an Azure IoT Edge device.
package main

import (
	"flag"
	"fmt"
	"os"

	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/widget"
)

func main() {
	flag.Parse()
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		fmt.Println("There is no display here.")
		return
	}
	window := app.NewWithID("io.github.edgewright").NewWindow("Edgewright")
	window.SetContent(widget.NewLabel("Edgewright"))
	window.ShowAndRun()
}
