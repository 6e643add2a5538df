package frame

import (
	"time"

	"fyne.io/fyne/v2/lang"

	"edgewright/hostdetect"
	"edgewright/ui/widgets"
)

// Say gives a sentence of the detection in the user's language.
func Say(t hostdetect.Text) string {
	if t.IsZero() {
		return ""
	}
	args := map[string]any{}
	for name, value := range t.Args {
		args[name] = value
	}
	return lang.X("host."+t.ID, t.English, args)
}

// Support is the pill for a support state.
func Support(state string, until time.Time) widgets.Status {
	switch state {
	case hostdetect.Supported:
		return widgets.Status{State: widgets.Good, Word: lang.X("support.until", "to {{.Month}}", map[string]any{"Month": until.Format("Jan 2006")})}
	case hostdetect.Ending:
		return widgets.Status{State: widgets.Care, Word: lang.X("support.ending", "ends {{.Month}}", map[string]any{"Month": until.Format("Jan 2006")})}
	case hostdetect.Ended:
		return widgets.Status{State: widgets.Bad, Word: lang.X("support.ended", "ended")}
	}
	return widgets.Status{State: widgets.Neutral, Word: lang.X("support.unlisted", "not listed")}
}
