package provision

import (
	"context"
	"fmt"
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

// carry is work on one run: to provision, to go on or to put back.
type carry func(ctx context.Context, emit app.Emit) provisioning.Outcome

// running is a run as the page follows it. The run's goroutine writes what is
// under the lock; the page reads samples.
type running struct {
	started time.Time
	names   []string // of the steps

	mu    sync.Mutex
	id    string
	steps []widgets.Step
	began map[string]time.Time
	wait  string
	log   []string

	// Of the main goroutine.
	seen       int // lines of log that the page has
	done       bool
	cancelling bool
	outcome    provisioning.Outcome
	took       time.Duration
	stop       context.CancelCauseFunc
}

func (r *running) ended() bool { return r.done }

// runStep carries the plan out and ends with the proof.
type runStep struct {
	p        *Page
	progress *widgets.ProgressPanel
	list     *widgets.StepList
	log      *widgets.LogView
	result   *fyne.Container
	another  *widgets.Entry
	host     *widgets.Entry
	first    fyne.Focusable
	primary  func()
	shape    string // of what the last sample showed
	// work is what content begins with; nil means to provision the draft.
	work carry
}

func (s *runStep) name() string          { return lang.X("step.run", "Run") }
func (s *runStep) next() string          { return "" }
func (s *runStep) summary() string       { return "" }
func (s *runStep) focus() fyne.Focusable { return s.first }

// leave is what the blue button of the ended run does.
func (s *runStep) leave(func()) {
	if s.p.job != nil && s.p.job.ended() && s.primary != nil {
		s.primary()
	}
}

func (s *runStep) content() fyne.CanvasObject {
	s.first, s.primary = nil, nil
	if many, ok := s.p.job.(*batch); ok || s.p.list != nil {
		if many == nil {
			many = s.newBatch()
		}
		return s.manyContent(many)
	}
	s.list = widgets.NewStepList(nil)
	s.log = widgets.NewLogView(lang.X("run.log", "Log"))
	s.progress = widgets.NewProgressPanel(lang.X("run.cancel", "Cancel and put everything back"), s.cancel)
	s.result = layout.Column(fynetheme.Size(theme.SizeNameSpace3), s.progress)
	if s.p.job == nil {
		work := s.work
		if work == nil {
			work = s.provision
		}
		s.work = nil
		s.start(work)
	}
	space := fynetheme.Size(theme.SizeNameSpace3)
	return layout.Sidebar(340*theme.TextFactor(), 380, fynetheme.Size(theme.SizeNameSpace4),
		layout.Column(0, widgets.NewCard(s.list)), layout.Column(space, s.result, layout.Grow(s.log)))
}

func (s *runStep) provision(ctx context.Context, emit app.Emit) provisioning.Outcome {
	return s.p.c.App.Provision(ctx, s.p.draft.Request(), emit)
}

// start begins work and follows it by sampling.
func (s *runStep) start(work carry) {
	ctx, stop := context.WithCancelCause(s.p.c.Ctx)
	r := &running{started: time.Now(), names: s.stepNames(), began: map[string]time.Time{}, stop: stop}
	for _, name := range r.names {
		r.steps = append(r.steps, widgets.Step{Title: StepName(name), State: widgets.StepToCome})
	}
	s.p.job = r
	go func() {
		outcome := work(ctx, r.hear)
		s.p.c.Post(func() { s.finished(r, outcome) })
	}()
	s.sample(r)
	s.p.c.Changed()
}

// carryOn does further work on a run that ended, on a page of the same kind.
func (s *runStep) carryOn(work carry) {
	s.p.job, s.work = nil, work
	s.p.show()
}

func (s *runStep) stepNames() []string {
	// A disk runs no commands.
	return s.p.draft.Plan.StepNames(!app.IsFolder(s.p.draft.Target))
}

// hear takes an event of the run; it is called on the run's goroutine.
func (r *running) hear(e provisioning.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.id = e.Run
	if line := logLine(e); line != "" {
		r.log = append(r.log, line)
	}
	if e.Wait != "" {
		r.wait = e.Wait
	}
	if e.State == "" {
		return
	}
	for i, name := range r.names {
		if name == e.Step {
			r.steps[i] = r.stepped(r.steps[i], e)
		}
	}
}

// logLine is an event as the log shows it. Like the journal it stays English.
func logLine(e provisioning.Event) string {
	text := e.Text
	if e.Wait != "" {
		text = "waiting for " + e.Wait
	}
	if text == "" && e.State == "" {
		return ""
	}
	return strings.TrimRight(e.Time.Local().Format("15:04:05.000")+"  "+pad(e.Step, 12)+pad(e.State, 10)+text, " ")
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len(text))) + " "
}

func (r *running) stepped(step widgets.Step, e provisioning.Event) widgets.Step {
	if _, ok := r.began[e.Step]; !ok {
		r.began[e.Step] = e.Time
	}
	if e.Text != "" {
		step.Summary = uilang.Domain(e.Text)
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
	if s.p.job != r || r.done || s.p.c.Ctx.Err() != nil {
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
		progress.Wait = lang.X("run.wait", "The wait is {{.Who}}.", map[string]any{"Who": uilang.Domain(wait)})
	}
	s.progress.Set(progress)
	if shape := fmt.Sprint(wait, r.cancelling, steps); shape != s.shape {
		s.shape = shape // lines came or went
		defer s.p.arrange()
	}
	s.p.head.SetLine(lang.X("run.line", "{{.Device}} on {{.Target}}, run {{.Run}}", map[string]any{"Device": s.p.draft.Plan.Device.ID, "Target": s.p.targetName(), "Run": id}))
}

// cancel puts everything back.
func (s *runStep) cancel() {
	if r, ok := s.p.job.(*running); ok && !r.done && !r.cancelling {
		r.cancelling = true
		r.stop(provisioning.ErrCancelRun)
	}
}

// finished shows the end of the run.
func (s *runStep) finished(r *running, outcome provisioning.Outcome) {
	if s.p.job != r {
		return
	}
	s.draw(r)
	r.done, r.outcome, r.took = true, outcome, time.Since(r.started)
	r.stop(nil)
	s.p.head.SetActions(widgets.NewButton(widgets.Secondary, lang.X("run.copylog", "Copy log"), fynetheme.ContentCopyIcon(), s.log.Copy))
	switch outcome.Outcome {
	case provisioning.RunSucceeded, provisioning.RunConfigured:
		s.result.Objects = s.proven(r)
	case provisioning.RunCancelled, provisioning.RunUndone, provisioning.RunPartlyUndone:
		s.result.Objects = s.putBack(outcome.Left)
	default:
		s.result.Objects = []fyne.CanvasObject{s.failed(r)}
	}
	s.p.arrange()
	s.p.focusSoon()
	s.p.c.Changed()
	frame.Notify(s.p.c, outcome)
}
