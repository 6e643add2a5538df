package provision

import (
	"context"
	"strings"
	"sync"
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

// sampling is how often the page reads what a run has collected.
const sampling = 100 * time.Millisecond

// running is a run as the page follows it. The run's goroutine writes under
// the lock; the page reads samples.
type running struct {
	mu      sync.Mutex
	started time.Time
	id      string
	steps   []widgets.Step
	names   []string
	began   map[string]time.Time
	wait    string
	log     []string
	seen    int // lines of log that the page has

	ended      bool
	cancelling bool
	outcome    provisioning.Outcome
	stop       context.CancelCauseFunc
}

// runStep carries the plan out and ends with the proof.
type runStep struct {
	p        *Page
	progress *widgets.ProgressPanel
	list     *widgets.StepList
	log      *widgets.LogView
	result   *fyne.Container
	another  *widgets.Entry
	first    fyne.Focusable
}

func (s *runStep) name() string          { return lang.X("step.run", "Run") }
func (s *runStep) next() string          { return "" }
func (s *runStep) summary() string       { return "" }
func (s *runStep) leave(func())          { s.enter() }
func (s *runStep) focus() fyne.Focusable { return s.first }

// enter does what the blue button of the finished run does.
func (s *runStep) enter() {
	if s.p.run != nil && s.p.run.ended {
		if s.p.run.outcome.Outcome == provisioning.RunSucceeded || s.p.run.outcome.Outcome == provisioning.RunConfigured {
			s.provisionAnother()
		} else {
			s.again()
		}
	}
}

func (s *runStep) content() fyne.CanvasObject {
	s.list = widgets.NewStepList(nil)
	s.log = widgets.NewLogView(lang.X("run.log", "Log"))
	s.progress = widgets.NewProgressPanel(lang.X("run.cancel", "Cancel and put everything back"), s.cancel)
	s.result = layout.Column(fynetheme.Size(theme.SizeNameSpace3), s.progress)
	s.first = nil
	if s.p.run == nil {
		s.start(s.provision)
	}
	space := fynetheme.Size(theme.SizeNameSpace4)
	right := layout.Column(fynetheme.Size(theme.SizeNameSpace3), s.result, s.log)
	return layout.Sidebar(380*theme.TextFactor(), 380, space, widgets.NewCard(s.list), right)
}

// start runs work and follows it by sampling.
func (s *runStep) start(work func(ctx context.Context, emit app.Emit) provisioning.Outcome) {
	ctx, stop := context.WithCancelCause(s.p.c.Ctx)
	r := &running{started: time.Now(), began: map[string]time.Time{}, stop: stop}
	for _, name := range s.stepNames() {
		r.names = append(r.names, name)
		r.steps = append(r.steps, widgets.Step{Title: StepName(name), State: widgets.StepToCome})
	}
	s.p.run = r
	go func() {
		outcome := work(ctx, r.hear)
		r.mu.Lock()
		r.outcome = outcome
		r.mu.Unlock()
		s.p.c.Post(func() { s.finished(r) })
	}()
	s.sample(r)
}

func (s *runStep) provision(ctx context.Context, emit app.Emit) provisioning.Outcome {
	return s.p.c.App.Provision(ctx, s.p.draft.Request(), emit)
}

func (s *runStep) stepNames() []string {
	info, _ := s.p.draft.Plan.Cell.Info()
	var names []string
	for _, name := range info.Steps {
		if strings.HasPrefix(s.p.draft.Target, "rootfs:") && (name == provisioning.StepApply || name == provisioning.StepReprovision) {
			continue
		}
		names = append(names, name)
	}
	return names
}

// hear takes an event of the run; it is called on the run's goroutine.
func (r *running) hear(e provisioning.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.id = e.Run
	text := e.Text
	if e.Wait != "" {
		r.wait, text = e.Wait, lang.X("run.waiting", "waiting for {{.Who}}", map[string]any{"Who": e.Wait})
	}
	if text != "" || e.State != "" {
		r.log = append(r.log, strings.TrimRight(e.Time.Local().Format("15:04:05.000")+"  "+pad(e.Step, 12)+pad(RunStateName(e.State), 11)+text, " "))
	}
	for i, name := range r.names {
		if name == e.Step && e.State != "" {
			r.steps[i] = r.stepped(r.steps[i], e)
		}
	}
}

func pad(text string, width int) string {
	for len(text) < width {
		text += " "
	}
	return text + " "
}

func (r *running) stepped(step widgets.Step, e provisioning.Event) widgets.Step {
	if _, ok := r.began[e.Step]; !ok {
		r.began[e.Step] = e.Time
	}
	if e.Text != "" {
		step.Summary = e.Text
	}
	switch provisioning.StepState(e.State) {
	case provisioning.StepLooking, provisioning.StepActing, provisioning.StepUndoing:
		step.State = widgets.StepNow
	case provisioning.StepDone, provisioning.StepUnchanged:
		step.State, r.wait = widgets.StepDone, ""
	case provisioning.StepFailed:
		step.State = widgets.StepFailed
	case provisioning.StepUndone:
		step.State = widgets.StepUndone
	case provisioning.StepKept:
		step.State = widgets.StepCare
	}
	step.Time = uilang.Duration(e.Time.Sub(r.began[e.Step]))
	return step
}

// sample copies what the run has collected onto the page, and comes again.
func (s *runStep) sample(r *running) {
	if s.p.run != r || r.ended || s.p.c.Ctx.Err() != nil {
		return
	}
	s.draw(r)
	time.AfterFunc(sampling, func() { s.p.c.Post(func() { s.sample(r) }) })
}

func (s *runStep) draw(r *running) {
	r.mu.Lock()
	steps, lines, wait, id := append([]widgets.Step(nil), r.steps...), r.log[r.seen:], r.wait, r.id
	r.seen = len(r.log)
	r.mu.Unlock()
	done := 0
	for _, step := range steps {
		if step.State == widgets.StepDone {
			done++
		}
	}
	s.list.Set(steps)
	if len(lines) > 0 {
		s.log.Append(lines...)
	}
	progress := widgets.Progress{Step: min(done+1, len(steps)), Steps: len(steps), Elapsed: time.Since(r.started), Cancelling: r.cancelling}
	if wait != "" {
		progress.Wait = lang.X("run.wait", "The wait is {{.Who}}.", map[string]any{"Who": wait})
	}
	s.progress.Set(progress)
	s.p.head.SetLine(lang.X("run.line", "{{.Device}} on {{.Target}}, run {{.Run}}", map[string]any{"Device": s.p.draft.Plan.Device.ID, "Target": s.p.targetName(), "Run": id}))
}

// cancel puts everything back.
func (s *runStep) cancel() {
	r := s.p.run
	if r == nil || r.ended || r.cancelling {
		return
	}
	r.cancelling = true
	r.stop(provisioning.ErrCancelRun)
}

// finished shows the end of the run.
func (s *runStep) finished(r *running) {
	if s.p.run != r {
		return
	}
	s.draw(r)
	r.ended = true
	r.stop(nil)
	s.p.c.Changed()
	s.p.head.SetActions(widgets.NewButton(widgets.Secondary, lang.X("run.copylog", "Copy log"), fynetheme.ContentCopyIcon(), s.log.Copy))
	switch r.outcome.Outcome {
	case provisioning.RunSucceeded, provisioning.RunConfigured:
		s.result.Objects = s.proven(r)
	case provisioning.RunCancelled, provisioning.RunUndone, provisioning.RunPartlyUndone:
		s.result.Objects = s.putBack(r)
	default:
		s.result.Objects = []fyne.CanvasObject{s.failed(r)}
	}
	s.result.Refresh()
	s.p.body.Refresh()
	s.p.focusSoon()
	frame.Notify(s.p.c, r.outcome)
}
