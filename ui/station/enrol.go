package station

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// enrolling is an enrollment that goes on. The counters are written by the worker
// and read by the screen.
type enrolling struct {
	begun    time.Time
	cancel   context.CancelFunc
	done, of atomic.Int64
	stopping bool
}

// sampleEvery is how often the screen looks how far an enrollment is.
const sampleEvery = 250 * time.Millisecond

// Primary enrols the keys that the search leaves.
func (k *Keys) Primary() {
	if k.working != nil || !k.known || k.of == 0 {
		return
	}
	text := k.query.Text
	k.askEnrol(k.of, func(ctx context.Context) ([]app.KeyEnrollment, error) {
		return k.h.C.App.CollectedEnrollments(ctx, text)
	})
}

// askEnrol asks for the cloud, and enrols there what keys gives.
func (k *Keys) askEnrol(n int, keys func(context.Context) ([]app.KeyEnrollment, error)) {
	frame.Do(k.h.C, &frame.Task{}, k.h.C.App.Clouds, func(clouds []app.CloudRow, err error) {
		if err != nil {
			k.h.sayError(err)
			return
		}
		var names []string
		for _, cloud := range clouds {
			if cloud.DPSHost != "" {
				names = append(names, cloud.Name)
			}
		}
		choice := widgets.NewSelect(names, nil)
		choice.SetSelectedIndex(0)
		body := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
			widgets.NewText(lang.X("enrol.line", "Each key becomes an individual enrollment with the edge capability, under its device ID, else under base32 of its hash. One that is enrolled with the same key is left as it is; with another key it is named and not touched. Run by run this can be taken back."), widgets.StyleBody),
			widgets.NewField(lang.X("enrol.cloud", "Cloud"), lang.X("enrol.cloud.hint", "one with a Device Provisioning Service"), choice))
		frame.NewDialog(k.h.C, lang.XN("enrol.title", "Enrol {{.N}} endorsement keys", n, map[string]any{"N": n}), body, nil,
			frame.Answer{Text: lang.X("action.cancel", "Cancel")},
			frame.Answer{Text: lang.X("enrol.do", "Enrol"), Icon: theme.IconCloud(), Kind: widgets.Primary, Do: func() {
				cloud := choice.Selected
				k.work(func(ctx context.Context, emit func(app.EnrollEvent)) (app.EnrollOutcome, error) {
					list, err := keys(ctx)
					if err != nil {
						return app.EnrollOutcome{}, err
					}
					return k.h.C.App.EnrollKeys(ctx, cloud, list, emit)
				}, k.enrolled)
			}}).Show(choice)
	})
}

// work runs a part of an enrollment, with its progress above the list.
func (k *Keys) work(do func(context.Context, func(app.EnrollEvent)) (app.EnrollOutcome, error), done func(app.EnrollOutcome, error)) {
	if k.working != nil {
		return
	}
	ctx, cancel := context.WithCancel(k.h.C.Ctx)
	its := &enrolling{begun: time.Now(), cancel: cancel}
	k.working = its
	k.enrol.Disable()
	k.sample(its)
	k.panel.Show()
	k.object.Refresh()
	go func() { // ends with the work
		ticker := time.NewTicker(sampleEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				k.h.C.Post(func() { k.sample(its) })
			}
		}
	}()
	frame.Do(k.h.C, &frame.Task{}, func(context.Context) (app.EnrollOutcome, error) {
		return do(ctx, func(e app.EnrollEvent) {
			its.done.Add(1)
			its.of.Store(int64(e.Of))
		})
	}, func(out app.EnrollOutcome, err error) {
		cancel()
		k.working = nil
		k.enrol.Enable()
		k.panel.Hide()
		k.object.Refresh()
		k.h.C.Changed()
		done(out, err)
	})
}

func (k *Keys) sample(its *enrolling) {
	if k.working != its {
		return
	}
	progress := widgets.Progress{Step: int(its.done.Load()), Steps: int(its.of.Load()), Elapsed: time.Since(its.begun), Cancelling: its.stopping,
		Title: lang.X("enrol.progress", "{{.N}} of {{.Of}} keys are done", map[string]any{"N": its.done.Load(), "Of": its.of.Load()}),
		Wait:  lang.X("enrol.wait", "The wait is the cloud: it takes ten keys a call.")}
	switch {
	case its.stopping:
		progress.Title = lang.X("station.stopping", "Stopping")
	case its.of.Load() == 0:
		progress.Title = lang.X("enrol.begin", "Looking at the cloud")
	}
	k.panel.Set(progress)
}

// stop ends an enrollment; what is enrolled stays, and it can go on later.
func (k *Keys) stop() {
	if k.working != nil {
		k.working.stopping = true
		k.working.cancel()
		k.sample(k.working)
	}
}

// enrolled says what came of an enrollment, and offers to go on or to take it back.
func (k *Keys) enrolled(out app.EnrollOutcome, err error) {
	if err != nil {
		k.h.sayError(err)
		return
	}
	title := lang.XN("enrol.ended", "{{.N}} keys are enrolled", out.Enrolled, map[string]any{"N": out.Enrolled})
	line := lang.X("enrol.ended.line", "{{.Skipped}} were enrolled with the same key before, {{.Failed}} failed. Run {{.Run}}.",
		map[string]any{"Skipped": out.Skipped, "Failed": len(out.Failed), "Run": out.Run})
	var below, buttons []fyne.CanvasObject
	state := widgets.Good
	if out.Error != nil {
		state, line = widgets.Bad, failure(out.Error)+" "+line
	}
	if out.Outcome != provisioning.RunSucceeded {
		state = max(state, widgets.Care)
		buttons = append(buttons, widgets.NewButton(widgets.Secondary, lang.X("enrol.goon", "Go on"), fynetheme.MediaPlayIcon(), func() {
			k.work(func(ctx context.Context, emit func(app.EnrollEvent)) (app.EnrollOutcome, error) {
				return k.h.C.App.ResumeEnroll(ctx, out.Run, emit)
			}, k.enrolled)
		}))
	}
	if len(out.Failed) > 0 {
		var lines []string
		for _, failed := range out.Failed {
			lines = append(lines, failed.ID+": "+uilang.Domain(failed.Problem))
		}
		below = append(below, widgets.NewFoldOut(lang.X("enrol.failed", "What failed, and why"), "", strings.Join(lines, "\n")))
	}
	if out.Enrolled > 0 {
		buttons = append(buttons, widgets.NewButton(widgets.Secondary, lang.X("enrol.undo", "Take it back ..."), fynetheme.ContentUndoIcon(), func() { k.askUndo(out) }))
	}
	if len(buttons) > 0 {
		below = append(below, layout.Flow(fynetheme.Size(theme.SizeNameSpace2), buttons...))
	}
	if len(below) > 0 {
		below = []fyne.CanvasObject{widgets.NewCard(layout.Column(fynetheme.Size(theme.SizeNameSpace2), below...))}
	}
	k.h.Say(state, title, line, below...)
}

// askUndo asks before the enrollments of a run are removed.
func (k *Keys) askUndo(out app.EnrollOutcome) {
	frame.Confirm(k.h.C, lang.XN("enrol.undo.title", "Remove {{.N}} enrollments?", out.Enrolled, map[string]any{"N": out.Enrolled}),
		lang.X("enrol.undo.line", "Those that run {{.Run}} made go from the cloud. One whose device has registered since stays.", map[string]any{"Run": out.Run}),
		frame.Answer{Text: lang.X("enrol.undo.do", "Remove the enrollments of {{.Run}}", map[string]any{"Run": out.Run}), Icon: fynetheme.DeleteIcon(), Kind: widgets.Danger, Do: func() {
			var undone app.EnrollUndone
			k.work(func(ctx context.Context, emit func(app.EnrollEvent)) (app.EnrollOutcome, error) {
				var err error
				undone, err = k.h.C.App.UndoEnroll(ctx, out.Run, emit)
				return app.EnrollOutcome{}, err
			}, func(_ app.EnrollOutcome, err error) { k.undone(undone, err) })
		}})
}

func (k *Keys) undone(out app.EnrollUndone, err error) {
	if err != nil {
		k.h.sayError(err)
		return
	}
	title := lang.XN("enrol.undone", "{{.N}} enrollments are removed", out.Removed, map[string]any{"N": out.Removed})
	switch {
	case out.Error != nil:
		k.h.Say(widgets.Bad, title, failure(out.Error))
	case len(out.Left) > 0:
		var lines []string
		for _, left := range out.Left {
			lines = append(lines, left.ID+": "+uilang.Domain(left.Problem))
		}
		k.h.Say(widgets.Care, title, lang.XN("enrol.left", "{{.N}} stay.", len(out.Left), map[string]any{"N": len(out.Left)}),
			widgets.NewCard(widgets.NewFoldOut(lang.X("enrol.left.what", "What stays, and why"), "", strings.Join(lines, "\n"))))
	default:
		k.h.Say(widgets.Good, title, "")
	}
}

// failure is what stopped a run, as one line.
func failure(view *provisioning.ErrorView) string {
	return strings.TrimSpace(uilang.Domain(view.Message) + " " + uilang.Domain(view.Hint))
}
