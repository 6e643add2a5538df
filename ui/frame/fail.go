package frame

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/ui/widgets"
)

// Failure makes a failure page of an error that stopped a look or an action.
// again may be nil.
func Failure(err error, now string, again func()) fyne.CanvasObject {
	view := provisioning.View(err)
	failure := widgets.Failure{What: view.Message, Now: now, Summary: view.Kind, Details: view.Detail}
	if view.CorrelationID != "" {
		failure.Summary += "  " + view.CorrelationID
	}
	if view.Hint != "" {
		failure.Todo = []string{view.Hint}
	}
	if again != nil {
		failure.Actions = []widgets.Action{{Text: lang.X("action.again", "Try again"), Icon: fynetheme.ViewRefreshIcon(), Kind: widgets.Primary, Do: again}}
	}
	return widgets.NewFailurePage(failure)
}
