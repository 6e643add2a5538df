package lang

import (
	"fmt"
	"time"

	"fyne.io/fyne/v2/lang"
)

// Duration writes how long something took, with its unit: "0.8 s" below ten
// seconds, "42 s" below a minute, "4 min 12 s" below an hour, "2 h 5 min" from
// there on.
func Duration(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	switch {
	case d < 10*time.Second-50*time.Millisecond:
		tenths := int(d.Round(100*time.Millisecond) / (100 * time.Millisecond))
		return lang.X("time.tenths", "{{.Whole}}.{{.Tenth}} s", map[string]any{"Whole": tenths / 10, "Tenth": tenths % 10})
	case d < time.Minute:
		return lang.X("time.seconds", "{{.Seconds}} s", map[string]any{"Seconds": int(d / time.Second)})
	case d < time.Hour:
		return lang.X("time.minutes", "{{.Minutes}} min {{.Seconds}} s",
			map[string]any{"Minutes": int(d / time.Minute), "Seconds": int(d % time.Minute / time.Second)})
	default:
		return lang.X("time.hours", "{{.Hours}} h {{.Minutes}} min",
			map[string]any{"Hours": int(d / time.Hour), "Minutes": int(d % time.Hour / time.Minute)})
	}
}

// Moment writes when something was: "10 s ago" up to an hour, then the date and
// time of day in the zone of now. A moment in the future is written in full.
func Moment(at, now time.Time) string {
	age := now.Sub(at)
	switch {
	case age >= 0 && age < time.Minute:
		return lang.X("time.ago.seconds", "{{.Seconds}} s ago", map[string]any{"Seconds": int(age / time.Second)})
	case age >= 0 && age < time.Hour:
		return lang.X("time.ago.minutes", "{{.Minutes}} min ago", map[string]any{"Minutes": int(age / time.Minute)})
	}
	local := at.In(now.Location())
	clock := local.Format("15:04")
	if local.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return lang.X("time.today", "today {{.Clock}}", map[string]any{"Clock": clock})
	}
	return fmt.Sprintf("%s %s", local.Format(time.DateOnly), clock)
}
