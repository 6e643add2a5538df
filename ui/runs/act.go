package runs

import (
	"context"
	"errors"

	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/widgets"
)

// CanUndo tells whether a run may have left something that can be put back.
func CanUndo(run app.RunRow) bool {
	switch provisioning.RunState(run.State) {
	case provisioning.RunUndone, provisioning.RunCancelled:
		return false
	case provisioning.RunFailed:
		return run.Outcome.Changed
	}
	return !run.Live
}

// canResume tells whether a run can go on from where it stopped.
func canResume(run app.RunRow) bool {
	return cut(run) || run.State == string(provisioning.RunFailed)
}

// Undo asks, and then puts back what a run made. started is called when the
// person has agreed, ended when nothing more comes; its error is one that
// stopped the undo before it began.
func Undo(c *frame.Context, run app.RunRow, started func(), ended func(error)) {
	frame.Confirm(c, lang.X("runs.undo.title", "Put everything back that run {{.Run}} made?", map[string]any{"Run": run.ID}),
		lang.X("runs.undo.line", "{{.Device}} gets the files that it had before, byte for byte, and loses its place in {{.Cloud}} if this run made it. A device without one no longer connects.", map[string]any{"Device": run.Device, "Cloud": run.Cloud}),
		frame.Answer{Text: lang.X("runs.undo.do", "Put back {{.Device}}", map[string]any{"Device": run.Device}), Icon: fynetheme.ContentUndoIcon(), Kind: widgets.Danger, Do: func() {
			carry(c, run.ID, c.App.Undo, started, ended)
		}})
}

// Explain shows why something about a run could not begin.
func Explain(c *frame.Context, run app.RunRow, err error) {
	frame.NewDialog(c, lang.X("device.run", "Run {{.Run}}", map[string]any{"Run": run.ID}), frame.Failure(err, lang.X("runs.untouched", "The run is as it was."), nil), nil,
		frame.Answer{Text: lang.X("action.close", "Close"), Kind: widgets.Primary}).Show(nil)
}

// action is Resume or Undo of the app.
type action func(ctx context.Context, id string, access app.Access, emit app.Emit) ([]provisioning.Outcome, string, error)

// carry works on a run, or on all of a batch, until it ends. Its context is the
// window's: going to another page ends nothing.
func carry(c *frame.Context, id string, do action, started func(), ended func(error)) {
	access := c.Access()
	frame.Do(c, &frame.Task{}, func(ctx context.Context) ([]provisioning.Outcome, error) {
		outcomes, _, err := do(ctx, id, access, nil)
		if err != nil {
			err = errors.Join(err, c.App.LetGo(ctx, id))
		}
		return outcomes, err
	}, func(outcomes []provisioning.Outcome, err error) {
		c.Changed()
		if n := len(outcomes); n > 0 {
			frame.Notify(c, outcomes[n-1])
		}
		ended(err)
	})
	started()
}
