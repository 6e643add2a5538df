package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/provision"
	"edgewright/ui/widgets"
)

// close closes the window, after asking where a run is going on.
func (s *shell) close() {
	if s.closing {
		return
	}
	if s.c.App != nil && s.c.App.LiveRuns() > 0 {
		s.askBeforeClosing()
		return
	}
	s.leave()
}

// leave remembers the size and closes.
func (s *shell) leave() {
	s.closing = true
	frame.KeepWindowSize(s.c.Preferences, s.window.Canvas().Size())
	s.window.Close()
}

func (s *shell) askBeforeClosing() {
	n := s.c.App.LiveRuns()
	title := lang.XN("closing.title", "{{.N}} runs are going on", n, map[string]any{"N": n})
	line := lang.X("closing.line", "The window stays open while they run. Cancelling puts everything back that runs did, here and in the cloud, and closes the window then; a batch of bundles keeps what it made and can be resumed.")
	frame.NewDialog(s.c, title, widgets.NewText(line, widgets.StyleBody), nil,
		frame.Answer{Text: lang.X("closing.keep", "Keep running"), Kind: widgets.Primary},
		frame.Answer{Text: lang.X("closing.cancel", "Cancel and put everything back"), Kind: widgets.Danger, Do: s.cancelAndLeave}).Show(nil)
}

// cancelAndLeave cancels what goes on in this process and closes the window
// when it has ended.
func (s *shell) cancelAndLeave() {
	var work frame.Task
	panel := widgets.NewProgressPanel("", nil)
	panel.Set(widgets.Progress{Cancelling: true})
	wait := frame.NewDialog(s.c, lang.X("closing.waiting", "Putting everything back"), panel, nil)
	wait.Show(nil)
	started := time.Now()
	frame.Do(s.c, &work, func(ctx context.Context) (int, error) {
		for {
			s.c.App.CancelAll()
			if n := s.c.App.LiveRuns(); n == 0 {
				return 0, nil
			}
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(100 * time.Millisecond):
				s.c.Post(func() { panel.Set(widgets.Progress{Cancelling: true, Elapsed: time.Since(started)}) })
			}
		}
	}, func(int, error) {
		wait.End(s.leave)
	})
}

// offerUnfinished offers the runs whose process died: to go on with them, or to
// put back what they did.
func (s *shell) offerUnfinished() {
	var look frame.Task
	frame.Do(s.c, &look, s.c.App.Unfinished, func(runs []app.RunRow, err error) {
		if err != nil || len(runs) == 0 {
			return
		}
		title := lang.XN("unfinished.title", "{{.N}} runs were cut short", len(runs), map[string]any{"N": len(runs)})
		names := ""
		for _, run := range runs[:min(len(runs), 12)] {
			names += run.Device + "   " + run.Target + "\n"
		}
		line := lang.X("unfinished.line", "The program ended in the middle. Resuming looks first and does only what is missing; putting back takes away what was done. Later, Runs offers the same.")
		takeUp := func(undo bool) func() {
			return func() {
				s.openPlace(frame.Place{Page: frame.Provision})
				if wizard, ok := s.current().(*provision.Page); ok {
					wizard.TakeUp(runs, undo)
				}
			}
		}
		body := widgets.NewText(names+"\n"+line, widgets.StyleBody)
		first := frame.NewDialog(s.c, title, body, nil,
			frame.Answer{Text: lang.X("unfinished.later", "Later")},
			frame.Answer{Text: lang.X("unfinished.undo", "Put back"), Do: takeUp(true)},
			frame.Answer{Text: lang.X("unfinished.resume", "Resume"), Kind: widgets.Primary, Do: takeUp(false)})
		first.Show(first.Primary())
	})
}
