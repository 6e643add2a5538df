package frame

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	uilang "edgewright/ui/lang"
	"edgewright/ui/widgets"
)

// View shows an error in the user's language; its details stay as they are.
func View(err error) *provisioning.ErrorView {
	view := provisioning.View(err)
	if view == nil {
		return nil
	}
	view.Message, view.Hint = uilang.Domain(view.Message), uilang.Domain(view.Hint)
	return view
}

// Finding is a finding as one line in the user's language: what is wrong and what
// to do.
func Finding(f finding.Finding) string {
	return strings.TrimSpace(uilang.Domain(f.Problem) + " " + uilang.Domain(f.Fix))
}

// Failure makes a failure page of an error that stopped a look or an action.
// again may be nil.
func Failure(err error, now string, again func()) fyne.CanvasObject {
	view := View(err)
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
