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

// carryMany is work on several runs.
type carryMany func(ctx context.Context, emit app.Emit) (id string, outcomes []provisioning.Outcome, err error)

// batch is a list of runs as the page follows it.
type batch struct {
	started time.Time
	rows    []batchRow
	ids     map[string]int  // row of a run
	asked   map[string]bool // runs whose row is being looked up

	mu     sync.Mutex
	events []provisioning.Event

	done, cancelling bool
	id               string
	took             time.Duration
	work             carryMany
	stop             context.CancelCauseFunc
	table            *widgets.DataTable
	log              *widgets.LogView
	panel            *widgets.ProgressPanel
	result           *fyne.Container
	// early are events of runs whose row is not known yet.
	early []provisioning.Event
}

// batchRow is one device of the list: where its run stands.
type batchRow struct {
	device, target, run string
	state               string // a RunState, or empty before it begins
	text                string
}

func (b *batch) ended() bool { return b.done }

// newBatch provisions the rows that Review found fit.
func (s *runStep) newBatch() *batch {
	review, _ := s.p.steps[stepReview].(*reviewStep)
	rows := review.batch.fit()
	b := emptyBatch()
	for _, row := range rows {
		b.rows = append(b.rows, batchRow{device: row.Plan.Device.ID, target: row.Target})
	}
	access := s.p.draft.Access
	b.work = func(ctx context.Context, emit app.Emit) (string, []provisioning.Outcome, error) {
		out := s.p.c.App.ProvisionMany(ctx, rows, app.Many{Access: access, Parallel: atOnce}, emit)
		return out.Batch, out.Runs, nil
	}
	return b
}

func emptyBatch() *batch {
	return &batch{ids: map[string]int{}, asked: map[string]bool{}}
}

// manyContent shows a table of devices above the log, and begins the work.
func (s *runStep) manyContent(b *batch) fyne.CanvasObject {
	b.log = widgets.NewLogView(lang.X("run.log", "Log"))
	b.panel = widgets.NewProgressPanel(lang.X("run.cancelmany", "Stop, and put back what is running"), func() {
		if !b.done && !b.cancelling {
			b.cancelling = true
			b.stop(provisioning.ErrCancelRun)
		}
	})
	b.result = layout.Column(fynetheme.Size(theme.SizeNameSpace3), b.panel)
	b.table = widgets.NewDataTable(nil,
		widgets.TableColumn{ID: "id", Title: lang.X("list.id", "Device ID"), Width: 140, Fixed: true},
		widgets.TableColumn{ID: "state", Title: lang.X("list.state", "State"), Width: 120, Fixed: true},
		widgets.TableColumn{ID: "text", Title: lang.X("list.now", "Now"), Width: 220, Fixed: true},
		widgets.TableColumn{ID: "target", Title: lang.X("list.target", "Target"), Width: 160, Fixed: true})
	b.table.SetRows(batchRows{b})
	if b.started.IsZero() {
		s.startBatch(b)
	}
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3), b.result, layout.Grow(b.table), layout.Grow(b.log))
}

func (s *runStep) startBatch(b *batch) {
	ctx, stop := context.WithCancelCause(s.p.c.Ctx)
	b.started, b.stop = time.Now(), stop
	s.p.job = b
	go func() {
		id, outcomes, err := b.work(ctx, func(e provisioning.Event) {
			b.mu.Lock()
			b.events = append(b.events, e)
			b.mu.Unlock()
		})
		s.p.c.Post(func() { s.batchEnded(b, id, outcomes, err) })
	}()
	s.sampleBatch(b)
	s.p.c.Changed()
}

func (s *runStep) sampleBatch(b *batch) {
	if s.p.job != b || b.done || s.p.c.Ctx.Err() != nil {
		return
	}
	s.drawBatch(b)
	time.AfterFunc(sampling, func() { s.p.c.Post(func() { s.sampleBatch(b) }) })
}

func (s *runStep) drawBatch(b *batch) {
	b.mu.Lock()
	events := b.events
	b.events = nil
	b.mu.Unlock()
	var lines []string
	for _, e := range events {
		if line := logLine(e); line != "" {
			lines = append(lines, line[:12]+"  "+e.Run+line[12:])
		}
		b.take(e)
	}
	if len(lines) > 0 {
		b.log.Append(lines...)
		b.table.SetRows(batchRows{b})
	}
	s.lookUp(b)
	done, failed := b.count()
	b.panel.Set(widgets.Progress{Step: min(done+1, len(b.rows)), Steps: len(b.rows), Elapsed: time.Since(b.started), Cancelling: b.cancelling})
	s.p.head.SetLine(lang.X("batch.line", "{{.Done}} of {{.All}} done, {{.Failed}} failed", map[string]any{"Done": done, "All": len(b.rows), "Failed": failed}))
}

// take brings the row of an event's run up to date.
func (b *batch) take(e provisioning.Event) {
	i, ok := b.ids[e.Run]
	if !ok {
		b.early = append(b.early, e)
		return
	}
	row := &b.rows[i]
	switch {
	case e.Step == "" && e.State != "":
		row.state = e.State
		if e.Text != "" {
			row.text = uilang.Domain(e.Text)
		}
	case e.Wait != "":
		row.text = uilang.Domain(e.Wait)
	case e.State != "":
		row.text = StepName(e.Step)
		if provisioning.StepState(e.State) == provisioning.StepFailed {
			row.text = uilang.Domain(e.Text)
		}
	}
}

// lookUp finds the rows of runs that were not heard of before: an event names
// its run, and the catalog knows its device.
func (s *runStep) lookUp(b *batch) {
	var unknown []string
	for _, e := range b.early {
		if !b.asked[e.Run] {
			b.asked[e.Run] = true
			unknown = append(unknown, e.Run)
		}
	}
	if len(unknown) == 0 {
		return
	}
	find := &frame.Task{} // its own: lookups do not replace each other
	frame.Do(s.p.c, find, func(ctx context.Context) (map[string]string, error) {
		devices := map[string]string{}
		for _, id := range unknown {
			if run, err := s.p.c.App.Run(ctx, id); err == nil {
				devices[id] = run.Device
			}
		}
		return devices, nil
	}, func(devices map[string]string, _ error) {
		for id, device := range devices {
			b.join(id, device)
		}
		early := b.early
		b.early = nil
		for _, e := range early {
			b.take(e)
		}
	})
}

func (b *batch) join(run, device string) {
	for i := range b.rows {
		if b.rows[i].device == device && run != "" {
			b.rows[i].run = run
			b.ids[run] = i
		}
	}
}

func (b *batch) count() (done, failed int) {
	for _, row := range b.rows {
		if state := provisioning.RunState(row.state); row.state != "" && state.Ended() {
			done++
			if state == provisioning.RunFailed {
				failed++
			}
		}
	}
	return done, failed
}

// batchEnded shows how many are proven, and offers to put all of them back.
func (s *runStep) batchEnded(b *batch, id string, outcomes []provisioning.Outcome, err error) {
	if s.p.job != b {
		return
	}
	s.drawBatch(b)
	b.done, b.took = true, time.Since(b.started)
	b.stop(nil)
	if id != "" {
		b.id = id
	}
	for _, o := range outcomes {
		b.join(o.Run, o.Device)
		for i := range b.rows {
			if row := &b.rows[i]; row.device == o.Device {
				row.state, row.text = string(o.Outcome), ""
				if o.Error != nil {
					row.text = uilang.Domain(o.Error.Message)
				}
			}
		}
	}
	b.table.SetRows(batchRows{b})
	s.p.head.SetActions(widgets.NewButton(widgets.Secondary, lang.X("run.copylog", "Copy log"), fynetheme.ContentCopyIcon(), b.log.Copy))
	b.result.Objects = s.batchResult(b, err)
	s.p.arrange()
	s.p.focusSoon()
	s.p.c.Changed()
	if len(outcomes) > 0 {
		frame.Notify(s.p.c, outcomes[len(outcomes)-1])
	}
}

func (s *runStep) batchResult(b *batch, err error) []fyne.CanvasObject {
	if err != nil {
		page := frame.Failure(err, "", func() { s.carryOnBatch(b, b.work) })
		s.first = widgets.FirstFocus(page)
		return []fyne.CanvasObject{page}
	}
	good, back, all := 0, 0, len(b.rows)
	for _, row := range b.rows {
		switch provisioning.RunState(row.state) {
		case provisioning.RunSucceeded:
			good++
		case provisioning.RunUndone, provisioning.RunCancelled:
			back++
		}
	}
	state, title := widgets.Good, lang.X("batch.proven", "{{.Good}} of {{.All}} are proven", map[string]any{"Good": good, "All": all})
	if good == 0 && back > 0 {
		title = lang.X("batch.back", "{{.Back}} of {{.All}} are put back", map[string]any{"Back": back, "All": all})
	}
	if good < all && back < all {
		state = widgets.Care
	}
	over := s.overButton()
	over.Kind = widgets.Primary
	s.first, s.primary = over, over.OnTapped
	buttons := layout.Flow(fynetheme.Size(theme.SizeNameSpace2), over)
	if b.id != "" && good < all && back < all {
		buttons.Add(widgets.NewButton(widgets.Secondary, lang.X("batch.again", "Try the others again"), fynetheme.ViewRefreshIcon(), func() { s.carryOnBatch(b, s.batchWork(b.id, false)) }))
	}
	if b.id != "" && back < all {
		buttons.Add(widgets.NewButton(widgets.Secondary, lang.X("batch.undo", "Put all of them back ..."), fynetheme.ContentUndoIcon(), func() {
			frame.Confirm(s.p.c, lang.XN("batch.undo.title", "Put {{.N}} devices back?", all, map[string]any{"N": all}),
				lang.X("undo.line", "The files of the device go back to what they were, byte for byte, and what this run made in the cloud is removed."),
				frame.Answer{Text: lang.XN("batch.undo.do", "Put {{.N}} devices back", all, map[string]any{"N": all}), Kind: widgets.Danger, Do: func() { s.carryOnBatch(b, s.batchWork(b.id, true)) }})
		}))
	}
	line := lang.X("proof.took", "{{.Time}} in all", map[string]any{"Time": uilang.Duration(b.took)})
	return []fyne.CanvasObject{widgets.NewBanner(state, title, line, buttons)}
}

// batchWork resumes or undoes a batch, or a single run, by its ID.
func (s *runStep) batchWork(id string, undo bool) carryMany {
	key := s.p.draft.Access.BundleKey // read here, not on the goroutine
	return func(ctx context.Context, emit app.Emit) (string, []provisioning.Outcome, error) {
		act := s.p.c.App.Resume
		if undo {
			act = s.p.c.App.Undo
		}
		access := s.p.c.Access()
		access.BundleKey = key
		outcomes, _, err := act(ctx, id, access, emit)
		return id, outcomes, err
	}
}

// carryOnBatch does further work on the same rows.
func (s *runStep) carryOnBatch(b *batch, work carryMany) {
	next := emptyBatch()
	next.id, next.work = b.id, work
	for _, row := range b.rows {
		next.rows = append(next.rows, batchRow{device: row.device, target: row.target})
		next.join(row.run, row.device)
	}
	s.p.job = next
	next.done = true // until it starts, so that the page may be built anew
	s.p.show()
	next.done = false
}

type batchRows struct{ b *batch }

func (r batchRows) Len() int                { return len(r.b.rows) }
func (r batchRows) Identity(row int) string { return r.b.rows[row].device }

func (r batchRows) Find(identity string) int {
	for i, row := range r.b.rows {
		if row.device == identity {
			return i
		}
	}
	return -1
}

func (r batchRows) Cell(row int, column string) widgets.TableCell {
	found := r.b.rows[row]
	switch column {
	case "id":
		return widgets.TableCell{Text: found.device, Bold: true}
	case "target":
		return widgets.TableCell{Text: strings.TrimPrefix(strings.TrimPrefix(found.target, "ssh://"), "rootfs://")}
	case "text":
		return widgets.TableCell{Text: found.text}
	}
	return widgets.TableCell{Status: runStatus(found.state)}
}

// runStatus is the pill of a run.
func runStatus(state string) widgets.Status {
	word := RunStateName(state)
	switch provisioning.RunState(state) {
	case "":
		return widgets.Status{State: widgets.Neutral, Word: lang.X("state.waiting", "waiting")}
	case provisioning.RunSucceeded:
		return widgets.Status{State: widgets.Good, Word: word}
	case provisioning.RunFailed:
		return widgets.Status{State: widgets.Bad, Word: word}
	case provisioning.RunConfigured, provisioning.RunPartlyUndone:
		return widgets.Status{State: widgets.Care, Word: word}
	case provisioning.RunRunning, provisioning.RunCancelling, provisioning.RunUndoing:
		return widgets.Status{State: widgets.Advice, Word: word}
	}
	return widgets.Status{State: widgets.Neutral, Word: word}
}
