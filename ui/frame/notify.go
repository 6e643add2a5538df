package frame

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"edgewright/provisioning"
)

// Notify tells the desktop that a run has ended, if nobody looks at the
// window.
func Notify(c *Context, o provisioning.Outcome) {
	if c.Looking == nil || c.Looking() {
		return
	}
	text := lang.X("notify.failed", "It needs you.")
	if o.Error == nil {
		text = lang.X("notify.ended", "The run has ended.")
	}
	fyne.CurrentApp().SendNotification(fyne.NewNotification(o.Device, text))
}
