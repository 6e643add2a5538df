package runs

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/provision"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// runPage is the page of one run. A run that is live changes it in place, so
// that the log keeps where it was scrolled to.
type runPage struct {
	p      *Page
	detail app.RunDetail
	from   string // the batch that it was opened from
	shown  string // state and problem that answer and buttons were made for
	lines  int    // of the log that are shown

	object  fyne.CanvasObject
	head    *widgets.PageHead
	back    *widgets.Button
	answer  *fyne.Container
	steps   *widgets.StepList
	log     *widgets.LogView
	details *fyne.Container
	primary *widgets.Button
}

func newRunPage(p *Page, detail app.RunDetail, from string) *runPage {
	r := &runPage{p: p, from: from}
	space := fynetheme.Size(theme.SizeNameSpace3)
	r.back = widgets.NewButton(widgets.Secondary, lang.X("action.back", "Back"), fynetheme.NavigateBackIcon(), func() { p.Back() })
	r.log = widgets.NewLogView(lang.X("run.log", "Log"))
	r.head = widgets.NewPageHead(lang.X("device.run", "Run {{.Run}}", map[string]any{"Run": detail.ID}),
		lang.X("runs.run.line", "{{.Device}} on {{.Target}}, in {{.Cloud}}", map[string]any{"Device": detail.Device, "Target": Where(detail.Target), "Cloud": detail.Cloud}),
		widgets.NewButton(widgets.Secondary, lang.X("run.copylog", "Copy log"), fynetheme.ContentCopyIcon(), r.log.Copy), r.back)
	r.answer = layout.Column(space)
	r.steps = widgets.NewStepList(nil)
	r.details = layout.Column(space)
	left := layout.Column(space, widgets.NewCard(r.steps), r.details)
	right := layout.Column(space, layout.Grow(r.log))
	body := layout.Column(space, r.answer, layout.Grow(layout.Sidebar(360*theme.TextFactor(), 340, fynetheme.Size(theme.SizeNameSpace4), left, right)))
	r.object = layout.Page(r.head, layout.VScroll(body), nil)
	r.set(detail)
	return r
}

// first is what the keyboard goes to: the blue button, and never one that puts
// back or cancels.
func (r *runPage) first() fyne.Focusable {
	if r.primary != nil && !r.p.acting[r.detail.ID] {
		return r.primary
	}
	return r.back
}

// set shows what the journal says now.
func (r *runPage) set(detail app.RunDetail) {
	r.detail = detail
	r.steps.Set(r.stepRows())
	lines := r.logLines()
	if len(lines) != r.lines {
		if r.lines == 0 || len(lines) < r.lines {
			r.log.Set(lines)
		} else {
			r.log.Append(lines[r.lines:]...)
		}
		r.lines = len(lines)
	}
	state := detail.State
	if detail.Live {
		state += " live"
	}
	if r.p.acting[detail.ID] {
		state += " acting"
	}
	if err := r.p.problems[detail.ID]; err != nil {
		state += " " + err.Error()
	}
	if state != r.shown {
		r.shown = state
		focused := r.p.c.Window != nil && r.holdsFocus()
		r.answer.Objects = r.answerParts()
		r.answer.Refresh()
		r.details.Objects = r.detailParts()
		r.details.Refresh()
		if focused {
			r.p.focus(r.first())
		}
	}
}

// holdsFocus tells whether a button that is about to go has the keyboard.
func (r *runPage) holdsFocus() bool {
	focused := r.p.c.Window.Canvas().Focused()
	if focused == nil {
		return true
	}
	button, ok := focused.(*widgets.Button)
	return ok && button != r.back
}

// stepRows are the steps that the journal has and, of a run that goes on, those
// to come.
func (r *runPage) stepRows() []widgets.Step {
	var list []widgets.Step
	known := map[string]bool{}
	for _, record := range r.detail.Steps {
		known[record.Name] = true
		list = append(list, stepRow(record, time.Now(), r.detail.Live))
	}
	if provisioning.RunState(r.detail.State).Ended() {
		return list
	}
	plan, _, err := provisioning.ParsePlan([]byte(r.detail.Plan))
	if err != nil {
		return list
	}
	for _, name := range plan.StepNames(!app.IsFolder(r.detail.Target)) {
		if !known[name] {
			list = append(list, widgets.Step{Title: provision.StepName(name), State: widgets.StepToCome})
		}
	}
	return list
}

func stepRow(record provisioning.StepRecord, now time.Time, live bool) widgets.Step {
	step := widgets.Step{Title: provision.StepName(record.Name), Summary: uilang.Domain(record.Summary), State: widgets.StepDone}
	if record.Error != nil {
		step.Summary = uilang.Domain(record.Error.Message)
	}
	if len(record.Left) > 0 {
		step.Summary = strings.TrimSpace(step.Summary + " " + lang.X("runs.left", "Left: {{.What}}.", map[string]any{"What": strings.Join(uilang.DomainAll(record.Left), ", ")}))
	}
	switch record.State {
	case provisioning.StepPending:
		step.State = widgets.StepToCome
	case provisioning.StepLooking, provisioning.StepActing, provisioning.StepUndoing:
		step.State = widgets.StepNow
		if !live {
			step.State = widgets.StepCare
		}
	case provisioning.StepFailed:
		step.State = widgets.StepFailed
	case provisioning.StepUndone:
		step.State = widgets.StepUndone
	case provisioning.StepKept:
		step.State = widgets.StepCare
	}
	switch {
	case record.Started.IsZero():
	case !record.Ended.IsZero():
		step.Time = uilang.Duration(record.Ended.Sub(record.Started))
	case live:
		step.Time = uilang.Duration(now.Sub(record.Started))
	}
	return step
}

func (r *runPage) logLines() []string {
	lines := make([]string, len(r.detail.Log))
	for i, line := range r.detail.Log {
		lines[i] = strings.TrimRight(line.Time.Local().Format("15:04:05.000")+"  "+pad(line.Step)+line.Text, " ")
	}
	return lines
}

func pad(step string) string {
	const width = 13
	if len(step) >= width {
		return step + " "
	}
	return step + strings.Repeat(" ", width-len(step))
}

// answerParts are the state in one sentence, and what can be done about it.
func (r *runPage) answerParts() []fyne.CanvasObject {
	var parts []fyne.CanvasObject
	id := r.detail.ID
	if err := r.p.problems[id]; err != nil {
		view := frame.View(err)
		parts = append(parts, widgets.NewBanner(widgets.Bad, view.Message, strings.TrimSpace(view.Hint+" "+lang.X("runs.untouched", "The run is as it was."))))
	}
	state, title, line := r.sentence()
	r.primary = nil
	if r.p.acting[id] && !r.detail.Live {
		return append(parts, widgets.NewBanner(widgets.Advice, title, lang.X("runs.connecting", "Edgewright connects to {{.Target}} and looks first.", map[string]any{"Target": Where(r.detail.Target)})))
	}
	var buttons []fyne.CanvasObject
	run := r.detail.RunRow
	if canResume(run) {
		text := lang.X("runs.resume", "Resume")
		if !cut(run) {
			text = lang.X("action.again", "Try again")
		}
		r.primary = widgets.NewButton(widgets.Primary, text, fynetheme.MediaPlayIcon(), r.resume)
		buttons = append(buttons, r.primary)
	}
	if run.Live && r.p.c.App.CarriesOut(id) {
		buttons = append(buttons, widgets.NewButton(widgets.Secondary, lang.X("runs.cancel", "Cancel and put everything back ..."), fynetheme.CancelIcon(), r.cancel))
	}
	if CanUndo(run) {
		buttons = append(buttons, widgets.NewButton(widgets.Secondary, lang.X("runs.putback", "Put everything back ..."), fynetheme.ContentUndoIcon(), func() { r.p.undo(run) }))
	}
	buttons = append(buttons, widgets.NewButton(widgets.Secondary, lang.X("run.open", "Open device"), theme.IconDevice(), func() {
		r.p.c.Open(frame.Place{Page: frame.Devices, Device: run.Device})
	}))
	return append(parts, widgets.NewBanner(state, title, line, buttons...))
}

// sentence is the state of the run as a person would say it.
func (r *runPage) sentence() (state widgets.State, title, line string) {
	run := r.detail.RunRow
	device := map[string]any{"Device": run.Device}
	line = lang.X("runs.times", "Started {{.When}}, took {{.Took}}.", map[string]any{"When": uilang.Moment(run.Started, time.Now()), "Took": Took(run, time.Now())})
	reason := run.Outcome.Proof.Reason
	state = Status(run).State
	switch {
	case cut(run):
		return state, lang.X("runs.is.cut", "This run was cut short", nil), lang.X("runs.cut.line", "Its program ended. Resume looks first and goes on where it stopped.")
	case run.Live && run.State == string(provisioning.RunRunning):
		line = lang.X("runs.since", "Since {{.When}}.", map[string]any{"When": run.Started.Local().Format("15:04:05")})
		if !r.p.c.App.CarriesOut(run.ID) {
			line += " " + lang.X("runs.elsewhere", "Another process carries it out and can cancel it.")
		}
		return state, lang.X("runs.is.running", "{{.Device}} is being provisioned", device), line
	case run.Live:
		return state, lang.X("runs.is.undoing", "Everything is being put back for {{.Device}}", device), ""
	}
	switch provisioning.RunState(run.State) {
	case provisioning.RunSucceeded:
		title = lang.X("proof.proven", "{{.Device}} is proven", device)
		if run.Outcome.Proof.Rehearsal {
			title = lang.X("proof.rehearsed", "{{.Device}} is proven, as a rehearsal", device)
		}
		if !run.Outcome.Changed {
			line += " " + lang.X("proof.unchanged", "Nothing had to change.")
		}
	case provisioning.RunConfigured:
		title = lang.X("proof.configured", "{{.Device}} is configured, not proven", device)
		if reason != "" {
			line = uilang.Domain(reason)
		}
	case provisioning.RunFailed:
		title = lang.X("failed.unknown", "The run failed.")
		if e := run.Outcome.Error; e != nil {
			title, line = uilang.Domain(e.Message), strings.TrimSpace(uilang.Domain(e.Hint)+" "+line)
		}
	case provisioning.RunPartlyUndone:
		title = lang.X("undone.partly", "Put back, except for what is named here")
		line = strings.Join(uilang.DomainAll(run.Outcome.Left), "\n")
	case provisioning.RunCancelled, provisioning.RunUndone:
		title = lang.X("undone.title", "Everything is back as it was")
	default:
		title = run.State
	}
	return state, title, line
}

// detailParts are the raw facts: the cause of a failure, the plan.
func (r *runPage) detailParts() []fyne.CanvasObject {
	var parts []fyne.CanvasObject
	if e := r.detail.Outcome.Error; e != nil && e.Detail != "" {
		parts = append(parts, widgets.NewCard(widgets.NewFoldOut(lang.X("failure.details", "Details"), strings.TrimSpace(e.Kind+"  "+e.CorrelationID), e.Detail)))
	}
	for _, note := range r.detail.Outcome.Notes {
		parts = append(parts, widgets.Remark(widgets.Advice, uilang.Domain(note)))
	}
	if plan := strings.TrimSpace(r.detail.Plan); plan != "" {
		parts = append(parts, widgets.NewCard(widgets.NewFoldOut(lang.X("device.plan", "The plan"), lang.X("device.plan.line", "TOML, without secrets"), plan)))
	}
	return parts
}

func (r *runPage) resume() {
	if run := r.detail.RunRow; canResume(run) && !r.p.acting[run.ID] {
		r.p.resume(run)
	}
}

// cancel asks and then ends the run; it puts everything back by itself.
func (r *runPage) cancel() {
	run := r.detail.RunRow
	frame.Confirm(r.p.c, lang.X("runs.cancel.title", "Cancel run {{.Run}}?", map[string]any{"Run": run.ID}),
		lang.X("runs.cancel.line", "What it did so far for {{.Device}} is put back, on the device and in the cloud.", map[string]any{"Device": run.Device}),
		frame.Answer{Text: lang.X("runs.cancel.do", "Cancel and put {{.Device}} back", map[string]any{"Device": run.Device}), Icon: fynetheme.CancelIcon(), Kind: widgets.Danger, Do: func() {
			r.p.c.App.CancelRun(run.ID)
			r.p.Again()
		}})
}
