package provision

import (
	"context"
	"strings"
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

// proven is the end of a run in which both ends agree, and the field for the
// next device: on the bench a reader types into it and presses Enter.
func (s *runStep) proven(r *running) []fyne.CanvasObject {
	o := r.outcome
	title := lang.X("proof.proven", "{{.Device}} is proven", map[string]any{"Device": o.Device})
	state := widgets.Good
	switch {
	case o.Outcome == provisioning.RunConfigured:
		title, state = lang.X("proof.configured", "{{.Device}} is configured, not proven", map[string]any{"Device": o.Device}), widgets.Care
	case o.Proof.Rehearsal:
		title = lang.X("proof.rehearsed", "{{.Device}} is proven, as a rehearsal", map[string]any{"Device": o.Device})
	}
	line := lang.X("proof.took", "{{.Time}} in all", map[string]any{"Time": uilang.Duration(time.Since(r.started))})
	if o.CloudWait > 0 {
		line = lang.X("proof.took.wait", "{{.Time}} in all, of which the cloud asked to wait {{.Wait}}", map[string]any{"Time": uilang.Duration(time.Since(r.started)), "Wait": uilang.Duration(o.CloudWait)})
	}
	if !o.Changed {
		line += ". " + lang.X("proof.unchanged", "Nothing had to change.")
	}
	parts := []fyne.CanvasObject{widgets.NewBanner(state, title, line), s.ends(o)}
	if o.Proof.Rehearsal {
		parts = append(parts, widgets.NewText(lang.X("proof.rehearsal.line", "Proven against the practice cloud: the catalog calls it rehearsed. An attached device loses this cloud when the connection ends."), widgets.StyleMuted))
	}
	for _, note := range o.Notes {
		parts = append(parts, widgets.NewText(note, widgets.StyleMuted))
	}
	if o.Proof.Reason != "" {
		parts = append(parts, widgets.NewText(o.Proof.Reason, widgets.StyleMuted))
	}
	s.another = widgets.NewEntry(func(string) { s.provisionAnother() })
	s.another.SetText(app.NextID(o.Device))
	s.first = s.another
	space := fynetheme.Size(theme.SizeNameSpace2)
	buttons := layout.Flow(space,
		widgets.NewButton(widgets.Primary, lang.X("run.another", "Provision another"), fynetheme.ContentAddIcon(), s.provisionAnother),
		widgets.NewButton(widgets.Secondary, lang.X("run.open", "Open device"), theme.IconDevice(), func() { s.p.c.Open(frame.Place{Page: frame.Devices, Device: o.Device}) }),
		widgets.NewButton(widgets.Secondary, lang.X("run.new", "Start over"), fynetheme.ViewRefreshIcon(), s.startOver),
		widgets.NewButton(widgets.Secondary, lang.X("run.undo", "Undo this run ..."), fynetheme.ContentUndoIcon(), s.undo))
	return append(parts, widgets.NewField(lang.X("run.next", "Next device ID"), lang.X("run.next.hint", "Enter provisions it the same way; Review shows up only if something else differs"), s.another), buttons)
}

func (s *runStep) ends(o provisioning.Outcome) fyne.CanvasObject {
	how := lang.X("proof.runtime", "its own services answered")
	if o.Proof.How == provisioning.ProofPlayed {
		how = lang.X("proof.played", "played with the files on it")
	}
	ends := widgets.Ends{
		Device:    widgets.End{Icon: theme.IconDevice(), Title: lang.X("proof.device", "Device"), Lines: []string{o.Device, how}},
		Cloud:     widgets.End{Icon: theme.IconCloud(), Title: s.p.draft.Plan.Cloud.Name, Lines: []string{lang.X("proof.seen", "has seen it since the run began")}},
		Agreement: widgets.AgreementWaiting,
	}
	if o.Proof.Device && o.Proof.Cloud {
		ends.Agreement = widgets.AgreementReached
	}
	return widgets.NewTwoEnds(ends)
}

// failed is a page: what, why, what to do, how things stand.
func (s *runStep) failed(r *running) fyne.CanvasObject {
	o := r.outcome
	view := provisioning.ErrorView{Message: lang.X("failed.unknown", "The run failed.")}
	if o.Error != nil {
		view = *o.Error
	}
	failure := widgets.Failure{What: view.Message, Summary: strings.TrimSpace(view.Kind + "  " + view.CorrelationID), Details: view.Detail,
		Now: lang.X("failed.now", "The device is as the last finished step left it; the journal knows every step.")}
	if view.Hint != "" {
		failure.Todo = []string{view.Hint}
	}
	failure.Actions = []widgets.Action{{Text: lang.X("action.again", "Try again"), Icon: fynetheme.ViewRefreshIcon(), Kind: widgets.Primary, Do: s.again}}
	if o.Run == "" || !o.Changed {
		failure.Now = lang.X("failed.untouched", "Nothing was changed, here or in the cloud.")
	} else {
		failure.Actions = append(failure.Actions, widgets.Action{Text: lang.X("failed.putback", "Put everything back"), Icon: fynetheme.ContentUndoIcon(), Kind: widgets.Secondary, Do: s.undo})
	}
	failure.Actions = append(failure.Actions, widgets.Action{Text: lang.X("failed.change", "Change the plan"), Kind: widgets.Secondary, Do: s.change})
	page := widgets.NewFailurePage(failure)
	s.first = widgets.FirstFocus(page)
	return page
}

// putBack says that everything is as it was, or what could not be removed.
func (s *runStep) putBack(r *running) []fyne.CanvasObject {
	o := r.outcome
	parts := []fyne.CanvasObject{widgets.NewBanner(widgets.Good, lang.X("undone.title", "Everything is back as it was"), lang.X("undone.line", "The files of the device, and what this run made in the cloud."))}
	if len(o.Left) > 0 {
		parts = []fyne.CanvasObject{widgets.NewBanner(widgets.Care, lang.X("undone.partly", "Put back, except for what is named here"), strings.Join(o.Left, "\n"))}
	}
	again := widgets.NewButton(widgets.Primary, lang.X("failed.change", "Change the plan"), nil, s.change)
	s.first = again
	return append(parts, layout.Flow(fynetheme.Size(theme.SizeNameSpace2), again,
		widgets.NewButton(widgets.Secondary, lang.X("run.new", "Start over"), fynetheme.ViewRefreshIcon(), s.startOver)))
}

// again goes on with a run that failed; one that never began is begun.
func (s *runStep) again() {
	id := s.p.run.outcome.Run
	s.p.run = nil
	if id == "" {
		s.p.show()
		return
	}
	s.carryOn(func(ctx context.Context, emit app.Emit) provisioning.Outcome {
		return first(s.p.c.App.Resume(ctx, id, s.p.c.Access(), emit))
	})
}

// undo puts back what the run made.
func (s *runStep) undo() {
	id := s.p.run.outcome.Run
	s.carryOn(func(ctx context.Context, emit app.Emit) provisioning.Outcome {
		return first(s.p.c.App.Undo(ctx, id, s.p.c.Access(), emit))
	})
}

// carryOn follows further work on the same run.
func (s *runStep) carryOn(work func(context.Context, app.Emit) provisioning.Outcome) {
	s.p.run = &running{ended: true}
	s.p.show()
	s.start(work)
}

func first(outcomes []provisioning.Outcome, _ string, err error) provisioning.Outcome {
	if err != nil || len(outcomes) == 0 {
		return provisioning.Outcome{Outcome: provisioning.RunFailed, Error: provisioning.View(err)}
	}
	return outcomes[0]
}

// change goes back to Identity with everything that was typed.
func (s *runStep) change() {
	s.p.run = nil
	s.p.reached = stepReview
	s.p.open(stepIdentity)
}

func (s *runStep) startOver() {
	s.p.loop = false
	s.p.begin(app.NewDraft())
	s.p.open(stepTarget)
}

// provisionAnother takes the next ID and goes through Review, which lets it
// pass if nothing but ID, host and keys differs.
func (s *runStep) provisionAnother() {
	next, err := s.p.c.App.NextDraft(s.p.c.Ctx, s.p.draft, s.another.Text)
	if err != nil {
		s.p.shown(frame.Failure(err, "", s.p.show))
		return
	}
	target, _ := s.p.steps[stepTarget].(*targetStep)
	s.p.begin(next)
	if kept, ok := s.p.steps[stepTarget].(*targetStep); ok && target != nil {
		kept.chosen, kept.device = target.chosen, next.Plan.Device.ID
	}
	s.p.reached = stepReview
	if next.Finding("device.id") != nil {
		s.p.open(stepIdentity)
		return
	}
	s.p.loop = true
	s.p.open(stepReview)
}
