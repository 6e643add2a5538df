package certificates

import (
	"context"
	"path/filepath"
	"strconv"
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

// mintSampling is how often the page reads what a batch has collected.
const mintSampling = 200 * time.Millisecond

// mintWork is a batch that begins, or one that goes on.
type mintWork func(ctx context.Context, emit func(app.MintEvent)) (app.MintOutcome, error)

// minting is a batch as the page follows it. It goes on when the page is left.
// The batch's goroutine writes what is under the lock.
type minting struct {
	p       *Page
	content fyne.CanvasObject
	head    *widgets.PageHead
	body    *fyne.Container
	panel   *widgets.ProgressPanel
	leave   *widgets.Button
	started time.Time
	stop    context.CancelCauseFunc

	mu       sync.Mutex
	id       string
	of       int // devices, 0 while that is not known
	at       mintPhase
	problems []string

	// Of the main goroutine.
	done, cancelling bool
	outcome          app.MintOutcome
}

// mintPhase is how far the bundles, or after them the enrollments, have come.
type mintPhase struct {
	enrolling bool
	row       int
	heard     int // events of this phase
	since     time.Time
}

// rate is devices a second, 0 while too little was heard.
func (m mintPhase) rate(now time.Time) float64 {
	if took := now.Sub(m.since).Seconds(); m.heard > 1 && took > 0 {
		return float64(m.heard) / took
	}
	return 0
}

// beginMint carries out work in the background and shows how it goes.
func (p *Page) beginMint(of int, work mintWork) {
	if p.minting != nil && !p.minting.done {
		p.open(p.minting)
		return
	}
	m := &minting{p: p, of: of, started: time.Now()}
	m.at.since = m.started
	m.panel = widgets.NewProgressPanel(lang.X("mint.cancel", "Stop; what is made stays"), m.cancel)
	m.leave = widgets.NewButton(widgets.Secondary, lang.X("mint.leave", "Leave it running"), nil, p.close)
	m.head = widgets.NewPageHead(lang.X("mint.running", "Bundles are being made"), "")
	m.body = layout.Column(fynetheme.Size(theme.SizeNameSpace3), m.panel)
	foot := layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Spacer(), m.leave)
	m.content = layout.Page(m.head, layout.VScroll(m.body), foot)
	ctx, stop := context.WithCancelCause(p.c.Ctx)
	m.stop, p.minting = stop, m
	go func() {
		outcome, err := work(ctx, m.hear)
		p.c.Post(func() { m.ended(outcome, err) })
	}()
	p.open(m)
	m.sample()
	p.c.Changed()
}

func (m *minting) object() fyne.CanvasObject { return m.content }

func (m *minting) first() fyne.Focusable {
	if m.done {
		return widgets.FirstFocus(m.body)
	}
	return m.leave
}

// submit does the next thing after the end: it goes on where something is left.
func (m *minting) submit() {
	switch {
	case m.done && m.outcome.Batch != "" && m.outcome.Outcome != provisioning.RunSucceeded:
		m.p.resumeMint(m.outcome.Batch)
	case m.done:
		m.p.close()
	}
}

// cancel stops the batch; what is made stays and can be gone on with.
func (m *minting) cancel() {
	if !m.done && !m.cancelling {
		m.cancelling = true
		m.stop(provisioning.ErrCancelRun)
	}
}

// hear takes an event on the batch's goroutine.
func (m *minting) hear(e app.MintEvent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.id, m.of = e.Batch, e.Of
	if enrolling := e.State != "placed"; enrolling && !m.at.enrolling {
		m.at = mintPhase{enrolling: true, since: time.Now()}
	}
	m.at.row = max(m.at.row, e.Row)
	m.at.heard++
	if e.Problem != "" && len(m.problems) < findingsShown {
		m.problems = append(m.problems, e.Device+": "+uilang.Domain(e.Problem))
	}
}

// sample shows how far it is, and comes again.
func (m *minting) sample() {
	if m.done || m.p.c.Ctx.Err() != nil {
		return
	}
	m.draw()
	time.AfterFunc(mintSampling, func() { m.p.c.Post(m.sample) })
}

func (m *minting) draw() {
	now := time.Now()
	m.mu.Lock()
	at, of, id := m.at, m.of, m.id
	m.mu.Unlock()
	progress := widgets.Progress{Step: at.row + 1, Steps: of, Elapsed: now.Sub(m.started), Cancelling: m.cancelling}
	its := map[string]any{"Done": at.row, "All": of}
	progress.Title = lang.X("mint.made.of", "{{.Done}} of {{.All}} bundles made", its)
	switch {
	case m.cancelling:
		progress.Title = lang.X("mint.cancelling", "Stopping")
	case at.enrolling:
		progress.Title = lang.X("mint.enrolled.of", "{{.Done}} of {{.All}} devices enrolled", its)
	}
	if rate := at.rate(now); rate > 0 && !m.cancelling {
		progress.Rest = time.Duration(float64(of-at.row) / rate * float64(time.Second))
		progress.Wait = lang.X("mint.rate", "{{.Rate}} devices a second", map[string]any{"Rate": rateWord(rate)})
	}
	m.panel.Set(progress)
	m.head.SetLine(id)
	m.content.Refresh()
}

// rateWord writes a rate with a decimal where it is small.
func rateWord(rate float64) string {
	if rate < 10 {
		return strconv.FormatFloat(rate, 'f', 1, 64)
	}
	return strconv.Itoa(int(rate))
}

// ended shows what came of the batch.
func (m *minting) ended(outcome app.MintOutcome, err error) {
	m.done, m.outcome = true, outcome
	m.stop(nil)
	m.head.SetLine(outcome.Batch)
	m.leave.SetText(lang.X("action.close", "Close"))
	if err != nil {
		again := m.submit
		if outcome.Batch == "" {
			again = nil
		}
		m.head.SetTitle(lang.X("mint.failed", "No bundles were made"))
		m.body.Objects = []fyne.CanvasObject{frame.Failure(err, "", again)}
	} else {
		m.body.Objects = m.result()
	}
	m.body.Refresh()
	m.content.Refresh()
	if m.p.form == inner(m) {
		m.p.c.FocusIn(frame.Certificates, m.first())
	}
	m.p.Again()
	m.p.c.Changed()
}

func (m *minting) result() []fyne.CanvasObject {
	out := m.outcome
	state, title := widgets.Good, lang.XN("mint.made", "{{.N}} bundles are made", out.Made+out.Skipped, map[string]any{"N": out.Made + out.Skipped})
	line := lang.X("proof.took", "{{.Time}} in all", map[string]any{"Time": uilang.Duration(time.Since(m.started))})
	buttons := layout.Flow(fynetheme.Size(theme.SizeNameSpace2))
	if out.Outcome != provisioning.RunSucceeded {
		state = widgets.Care
		line = lang.X("mint.left", "What is made stays as it is; resuming does what is left.")
		buttons.Add(widgets.NewButton(widgets.Primary, lang.X("mint.resume", "Resume"), fynetheme.MediaPlayIcon(), m.submit))
	}
	m.head.SetTitle(lang.X("mint.ended", "The batch has ended"))
	facts := []widgets.Fact{
		{Label: lang.X("mint.fact.made", "Made now"), Value: strconv.Itoa(out.Made)},
		{Label: lang.X("mint.fact.before", "Finished before"), Value: strconv.Itoa(out.Skipped)},
		{Label: lang.X("mint.fact.failed", "With a problem"), Value: strconv.Itoa(out.Failed)},
	}
	if out.Report != "" {
		facts = append(facts, widgets.Fact{Label: lang.X("mint.report", "Report"), Value: out.Report, Mono: true, Copy: true},
			widgets.Fact{Label: lang.X("mint.folder", "Folder of the bundles"), Value: filepath.Dir(out.Report), Mono: true, Copy: true})
	}
	objects := []fyne.CanvasObject{widgets.NewBanner(state, title, line, buttons), widgets.NewCard(widgets.Facts(facts...))}
	if out.Error != nil {
		objects = append(objects, widgets.NewBanner(widgets.Bad, uilang.Domain(out.Error.Message), uilang.Domain(out.Error.Hint)))
	}
	if len(m.problems) > 0 {
		column := layout.Column(fynetheme.Size(theme.SizeNameSpace1))
		for _, problem := range m.problems {
			column.Add(widgets.Remark(widgets.Bad, problem))
		}
		if more := out.Failed - len(m.problems); more > 0 {
			column.Add(widgets.NewText(lang.XN("mint.problems.more", "and {{.N}} more, in the report", more, map[string]any{"N": more}), widgets.StyleMuted))
		}
		objects = append(objects, widgets.NewTitledCard(lang.X("mint.problems", "What went wrong"), column))
	}
	return objects
}

// resumeMint goes on with a batch that is not finished.
func (p *Page) resumeMint(id string) {
	p.beginMint(0, func(ctx context.Context, emit func(app.MintEvent)) (app.MintOutcome, error) {
		out, err := p.c.App.ResumeMint(ctx, id, emit)
		out.Batch = id
		return out, err
	})
}
