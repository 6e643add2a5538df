package provision

import (
	"context"
	"strings"

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
	parts := []fyne.CanvasObject{conclusion(r), s.ends(o)}
	muted := func(text string) { parts = append(parts, widgets.NewText(text, widgets.StyleMuted)) }
	if o.Proof.Rehearsal {
		muted(lang.X("proof.rehearsal.line", "Proven against the practice cloud: the catalog calls it rehearsed."))
	}
	for _, note := range o.Notes {
		muted(uilang.Domain(note))
	}
	if o.Proof.Reason != "" {
		muted(uilang.Domain(o.Proof.Reason))
	}
	open := widgets.NewButton(widgets.Secondary, lang.X("run.open", "Open device"), theme.IconDevice(), func() { s.p.c.Open(frame.Place{Page: frame.Devices, Device: o.Device}) })
	undo := widgets.NewButton(widgets.Secondary, lang.X("run.undo", "Undo this run ..."), fynetheme.ContentUndoIcon(), func() { s.askUndo(o) })
	if s.p.draft.Target == "local:" {
		// This computer is one device; another one is another target.
		open.Kind = widgets.Primary
		s.first, s.primary = open, open.OnTapped
		return append(parts, layout.Flow(fynetheme.Size(theme.SizeNameSpace2), open, s.overButton(), undo))
	}
	s.primary = s.provisionAnother
	if s.p.draft.Bundle != nil {
		s.primary = s.anotherBundle
		another := widgets.NewButton(widgets.Primary, lang.X("bundle.another", "Another bundle"), fynetheme.ContentAddIcon(), s.anotherBundle)
		s.first = another
		return append(parts, layout.Flow(fynetheme.Size(theme.SizeNameSpace2), another, open, s.overButton(), undo))
	}
	another := widgets.NewButton(widgets.Primary, lang.X("run.another", "Provision another"), fynetheme.ContentAddIcon(), s.provisionAnother)
	return append(parts, s.nextFields(o.Device), layout.Flow(fynetheme.Size(theme.SizeNameSpace2), another, open, s.overButton(), undo))
}

func conclusion(r *running) fyne.CanvasObject {
	o := r.outcome
	title, state := lang.X("proof.proven", "{{.Device}} is proven", map[string]any{"Device": o.Device}), widgets.Good
	switch {
	case o.Outcome == provisioning.RunConfigured:
		title, state = lang.X("proof.configured", "{{.Device}} is configured, not proven", map[string]any{"Device": o.Device}), widgets.Care
	case o.Proof.Rehearsal:
		title = lang.X("proof.rehearsed", "{{.Device}} is proven, as a rehearsal", map[string]any{"Device": o.Device})
	}
	line := lang.X("proof.took", "{{.Time}} in all", map[string]any{"Time": uilang.Duration(r.took)})
	if o.CloudWait > 0 {
		line = lang.X("proof.took.wait", "{{.Time}} in all, of which the cloud asked to wait {{.Wait}}", map[string]any{"Time": uilang.Duration(r.took), "Wait": uilang.Duration(o.CloudWait)})
	}
	if !o.Changed {
		line += ". " + lang.X("proof.unchanged", "Nothing had to change.")
	}
	return widgets.NewBanner(state, title, line)
}

func (s *runStep) ends(o provisioning.Outcome) fyne.CanvasObject {
	how := lang.X("proof.runtime", "its own services answered")
	switch o.Proof.How {
	case provisioning.ProofPlayed:
		how = lang.X("proof.played", "played with the files on it")
	case provisioning.ProofNone:
		how = lang.X("proof.none", "has not been asked")
	}
	seen := lang.X("proof.unseen", "has not seen it yet")
	if o.Proof.Cloud {
		seen = lang.X("proof.seen", "has seen it since the run began")
	}
	ends := widgets.Ends{
		Device: widgets.End{Icon: theme.IconDevice(), Title: lang.X("proof.device", "Device"), Lines: []string{o.Device, how}},
		Cloud:  widgets.End{Icon: theme.IconCloud(), Title: s.p.draft.Plan.Cloud.Name, Lines: []string{seen}},
	}
	if o.Proof.Device && o.Proof.Cloud {
		ends.Agreement = widgets.AgreementReached
	}
	return widgets.NewTwoEnds(ends)
}

// nextFields ask for what changes from one device to the next.
func (s *runStep) nextFields(device string) fyne.CanvasObject {
	s.another = widgets.NewEntry(func(string) { s.provisionAnother() })
	s.another.SetText(app.NextID(device))
	s.first, s.host = s.another, nil
	id := widgets.NewField(lang.X("run.next", "Next device ID"), lang.X("run.next.hint", "Enter provisions it the same way; Review shows up only if something else differs"), s.another)
	if !strings.HasPrefix(s.p.draft.Target, "ssh://") {
		return id
	}
	s.host = widgets.NewEntry(func(string) { s.provisionAnother() })
	s.host.SetText(strings.TrimPrefix(s.p.draft.Target, "ssh://"))
	s.another.OnSubmitted = func(string) { s.p.focusOn(s.host) }
	host := widgets.NewField(lang.X("run.nexthost", "Its user and host"), lang.X("run.nexthost.hint", "the same again where each device gets the same address on the bench"), s.host)
	return layout.Column(fynetheme.Size(theme.SizeNameSpace2), id, host)
}

// failed is a page: what, why, what to do, how things stand.
func (s *runStep) failed(r *running) fyne.CanvasObject {
	o := r.outcome
	view := provisioning.ErrorView{Message: lang.X("failed.unknown", "The run failed.")}
	if o.Error != nil {
		view = *o.Error
		view.Message, view.Hint = uilang.Domain(view.Message), uilang.Domain(view.Hint)
	}
	s.primary = func() { s.again(o) }
	failure := widgets.Failure{What: view.Message, Summary: strings.TrimSpace(view.Kind + "  " + view.CorrelationID), Details: view.Detail,
		Now:     lang.X("failed.now", "The device is as the last finished step left it; the journal knows every step."),
		Actions: []widgets.Action{{Text: lang.X("action.again", "Try again"), Icon: fynetheme.ViewRefreshIcon(), Kind: widgets.Primary, Do: s.primary}}}
	if view.Hint != "" {
		failure.Todo = []string{view.Hint}
	}
	if o.Run == "" || !o.Changed {
		failure.Now = lang.X("failed.untouched", "Nothing was changed, here or in the cloud.")
	} else {
		failure.Actions = append(failure.Actions, widgets.Action{Text: lang.X("failed.putback", "Put everything back"), Icon: fynetheme.ContentUndoIcon(), Kind: widgets.Secondary, Do: func() { s.undo(o) }})
	}
	failure.Actions = append(failure.Actions, widgets.Action{Text: lang.X("failed.change", "Change the plan"), Kind: widgets.Secondary, Do: s.change})
	page := widgets.NewFailurePage(failure)
	s.first = widgets.FirstFocus(page)
	return page
}

// putBack says that everything is as it was, or what could not be removed.
func (s *runStep) putBack(left []string) []fyne.CanvasObject {
	banner := widgets.NewBanner(widgets.Good, lang.X("undone.title", "Everything is back as it was"), lang.X("undone.line", "The files of the device, and what this run made in the cloud."))
	if len(left) > 0 {
		banner = widgets.NewBanner(widgets.Care, lang.X("undone.partly", "Put back, except for what is named here"), strings.Join(uilang.DomainAll(left), "\n"))
	}
	change := widgets.NewButton(widgets.Primary, lang.X("failed.change", "Change the plan"), nil, s.change)
	s.first, s.primary = change, s.change
	return []fyne.CanvasObject{banner, layout.Flow(fynetheme.Size(theme.SizeNameSpace2), change, s.overButton())}
}

func (s *runStep) overButton() *widgets.Button {
	return widgets.NewButton(widgets.Secondary, lang.X("run.new", "Start over"), fynetheme.ViewRefreshIcon(), func() {
		s.p.begin(app.NewDraft())
		s.p.open(stepTarget)
	})
}

// again goes on with a run that failed; one that never began is begun.
func (s *runStep) again(o provisioning.Outcome) {
	if o.Run == "" {
		s.carryOn(s.provision)
		return
	}
	s.carryOn(s.resuming(o.Run))
}

func (s *runStep) resuming(id string) carry {
	return func(ctx context.Context, emit app.Emit) provisioning.Outcome {
		outcomes, _, err := s.p.c.App.Resume(ctx, id, s.p.draft.Access, emit)
		return single(id, outcomes, err)
	}
}

func (s *runStep) undoing(id string) carry {
	return func(ctx context.Context, emit app.Emit) provisioning.Outcome {
		outcomes, _, err := s.p.c.App.Undo(ctx, id, s.p.draft.Access, emit)
		return single(id, outcomes, err)
	}
}

// undo puts back what the run made.
func (s *runStep) undo(o provisioning.Outcome) { s.carryOn(s.undoing(o.Run)) }

// askUndo asks before a proven device is taken away.
func (s *runStep) askUndo(o provisioning.Outcome) {
	frame.Confirm(s.p.c, lang.X("undo.title", "Undo the run of {{.Device}}?", map[string]any{"Device": o.Device}),
		lang.X("undo.line", "The files of the device go back to what they were, byte for byte, and what this run made in the cloud is removed."),
		frame.Answer{Text: lang.X("undo.do", "Undo the run of {{.Device}}", map[string]any{"Device": o.Device}), Kind: widgets.Danger, Do: func() { s.undo(o) }})
}

// single is the outcome of work on one run; work that could not begin leaves
// the run as it was.
func single(id string, outcomes []provisioning.Outcome, err error) provisioning.Outcome {
	if err != nil || len(outcomes) == 0 {
		return provisioning.Outcome{Outcome: provisioning.RunFailed, Run: id, Changed: true, Error: provisioning.View(err)}
	}
	return outcomes[0]
}

// change goes back to Identity with everything that was typed.
func (s *runStep) change() {
	s.p.job = nil
	s.p.reached = stepReview
	s.p.open(stepIdentity)
}

// anotherBundle begins with the next bundle, which the same key opens.
func (s *runStep) anotherBundle() {
	p, key := s.p, s.p.steps[stepWay].(*wayStep).bundle
	next := app.NewDraft()
	next.Access = p.draft.Access
	p.begin(next)
	if key != nil {
		key.file.SetText("")
		p.steps[stepWay].(*wayStep).bundle = key
	}
	p.open(stepTarget)
}

// provisionAnother takes the next ID and goes through Review, which lets it
// pass if nothing but ID, host and keys differs.
func (s *runStep) provisionAnother() {
	p := s.p
	next, err := p.c.App.NextDraft(p.c.Ctx, p.draft, s.another.Text)
	if err == nil && s.host != nil {
		next.Target, err = app.MachineTarget(s.host.Text)
	}
	if err != nil {
		view := frame.View(err)
		s.result.Objects = append([]fyne.CanvasObject{widgets.NewBanner(widgets.Bad, view.Message, view.Hint)}, s.result.Objects...)
		p.arrange()
		return
	}
	p.begin(next)
	p.steps[stepTarget].(*targetStep).build()
	p.reached = stepReview
	if next.Finding("device.id") != nil {
		p.open(stepIdentity)
		return
	}
	p.loop = true
	p.open(stepReview)
}
