// Package provision is the wizard: target, way, cloud, identity, review and
// run, with the proof as the last line of the run. The steps stay visible, and
// going back keeps what was typed. With a list of targets the same six steps
// make a batch.
package provision

import (
	"context"
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// step is one step of the wizard.
type step interface {
	// name stands in the list of steps; summary below it when it is done.
	name() string
	summary() string
	// content is built each time the step is opened, from the draft.
	content() fyne.CanvasObject
	// focus is what the keyboard goes to.
	focus() fyne.Focusable
	// leave checks what was typed and takes it into the draft; then goes on by
	// calling on, at once or later.
	leave(on func())
	// next is the word on the blue button.
	next() string
}

// The steps in their order.
const (
	stepTarget = iota
	stepWay
	stepCloud
	stepIdentity
	stepReview
	stepRun
)

// Page is the wizard.
type Page struct {
	c     *frame.Context
	draft *app.Draft
	// list is the list of targets of a batch, nil for one device.
	list *list

	head   *widgets.PageHead
	names  *widgets.StepList
	side   *fyne.Container
	body   *fyne.Container
	scroll *layout.Scroller
	foot   *fyne.Container
	root   fyne.CanvasObject
	onward *widgets.Button
	back   *widgets.Button
	load   frame.Task

	steps   []step
	at      int
	reached int
	job     job
	// loop is on after a proven device: Review shows up only where a preview
	// differs from the one that was agreed to.
	loop bool
}

// job is what the run step follows: one run, or those of a list.
type job interface {
	ended() bool
}

// New makes the wizard.
func New(c *frame.Context) *Page {
	p := &Page{c: c}
	p.head = widgets.NewPageHead(lang.X("provision.title", "Provision a device"), "")
	p.names = widgets.NewStepList(p.open)
	p.body = layout.Column(0)
	p.onward = widgets.NewButton(widgets.Primary, lang.X("action.next", "Next"), fynetheme.NavigateNextIcon(), p.Primary)
	p.back = widgets.NewButton(widgets.Secondary, lang.X("action.back", "Back"), nil, func() { p.Back() })
	save := widgets.NewButton(widgets.Secondary, lang.X("provision.save", "Save as plan ..."), nil, p.save)
	p.foot = layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, save, layout.Spacer(), p.back, p.onward)
	p.begin(app.NewDraft())
	return p
}

// begin starts over with a draft.
func (p *Page) begin(draft *app.Draft) {
	p.draft, p.list, p.job, p.loop = draft, nil, nil, false
	p.steps = []step{&targetStep{p: p}, &wayStep{p: p}, &cloudStep{p: p}, &identityStep{p: p}, &reviewStep{p: p}, &runStep{p: p}}
	p.at, p.reached = 0, 0
}

// Content implements frame.Page.
func (p *Page) Content() fyne.CanvasObject {
	p.side = layout.Sidebar(176*theme.TextFactor(), 420, fynetheme.Size(theme.SizeNameSpace4), p.names, p.body)
	p.scroll = layout.VScroll(p.side)
	p.root = layout.Page(p.head, p.scroll, p.foot)
	p.show()
	return p.root
}

// Show opens the wizard, with a target or a device of the catalog if the place
// names one. What is under way is kept.
func (p *Page) Show(place frame.Place) {
	switch {
	case p.job != nil && !p.job.ended():
	case place.Device != "":
		p.openDevice(place.Device)
	case len(place.Files) > 0:
		p.begin(app.NewDraft())
		p.takeBundles(place.Files)
		p.open(stepTarget)
	case place.Target != "":
		p.begin(app.NewDraft())
		p.draft.Target = place.Target
		p.show()
	case p.at == stepCloud || p.at == stepTarget:
		p.show() // a cloud or a practice device may have come
	}
}

// Dropped implements frame.Dropped: bundles, or the list that is asked for.
func (p *Page) Dropped(files []string) bool {
	switch target := p.steps[stepTarget].(*targetStep); {
	case p.at > stepWay || len(files) == 0:
		return false
	case app.AreBundles(files):
		p.takeBundles(files)
		p.show()
	case p.at == stepTarget && target.chosen == chooseMany && len(files) == 1:
		target.list.SetText(files[0])
	default:
		return false
	}
	return true
}

// takeBundles makes the way that of bundles.
func (p *Page) takeBundles(files []string) {
	way := p.steps[stepWay].(*wayStep)
	if way.bundle == nil {
		way.bundle = newBundleFields(p)
	}
	way.bundle.set(files)
}

// openDevice goes to Review with the plan that the catalog keeps of a device.
func (p *Page) openDevice(id string) {
	frame.Do(p.c, &p.load, func(ctx context.Context) (*app.Draft, error) {
		device, err := p.c.App.Device(ctx, id)
		if err != nil {
			return nil, err
		}
		plan, _, err := provisioning.ParsePlan([]byte(device.Plan))
		if err != nil {
			return nil, err
		}
		return &app.Draft{Plan: plan, Given: true, Target: device.Target, Access: p.c.Access()}, nil
	}, func(draft *app.Draft, err error) {
		if err != nil {
			p.shown(frame.Failure(err, "", nil))
			return
		}
		p.begin(draft)
		p.reached = stepReview
		p.open(stepReview)
	})
}

// Busy tells whether there is something here that must not be thrown away.
func (p *Page) Busy() bool { return p.at > 0 || p.job != nil }

// At is the open step, 0 to 5.
func (p *Page) At() int { return p.at }

// Ready tells whether the blue button can be pressed.
func (p *Page) Ready() bool { return !p.onward.Disabled() }

// Focus implements frame.Page.
func (p *Page) Focus() fyne.Focusable {
	if f := p.steps[p.at].focus(); f != nil {
		return f
	}
	if p.at != stepRun && !p.onward.Disabled() {
		return p.onward
	}
	return nil
}

// Primary goes on to the next step.
func (p *Page) Primary() {
	at := p.at
	p.steps[at].leave(func() {
		if p.at == at && at < stepRun {
			p.open(at + 1)
		}
	})
}

// Back goes to the step before; nothing typed is lost.
func (p *Page) Back() bool {
	if p.at == 0 || p.at == stepRun {
		return false
	}
	p.open(p.at - 1)
	return true
}

// Again implements frame.Page: the step looks once more.
func (p *Page) Again() {
	if p.at != stepRun {
		p.show()
		p.focusSoon()
	}
}

// Help implements frame.Page.
func (p *Page) Help() string {
	return lang.X("provision.help", "Six steps: which device, which way, which cloud, which name, a look at everything that will be written, and the run. Nothing is written before Review has shown it. The run ends with a proof: the device and the cloud have to agree.")
}

// open goes to a step that was reached before, or the next one.
func (p *Page) open(index int) {
	if p.job != nil && !p.job.ended() {
		return
	}
	if p.draft.Bundle != nil && (index == stepCloud || index == stepIdentity) {
		// The bundle says both.
		index = map[bool]int{true: stepReview, false: stepWay}[index > p.at]
	}
	p.at = index
	p.reached = max(p.reached, index)
	p.show()
	p.scroll.ScrollToTop()
	p.focusSoon()
}

// focusSoon gives the keyboard to the step once its parts are on the screen.
func (p *Page) focusSoon() {
	p.c.Post(func() {
		if f := p.Focus(); f != nil {
			p.c.FocusIn(frame.Provision, f)
		}
	})
}

// show builds the open step anew from the draft.
func (p *Page) show() {
	running := p.at == stepRun
	p.head.SetTitle(lang.X("provision.title", "Provision a device"))
	p.head.SetLine(lang.X("provision.line", "Nothing is changed before you have seen what will be"))
	p.head.SetActions()
	p.onward.Enable()
	p.onward.SetText(p.steps[p.at].next())
	if p.at == 0 {
		p.back.Disable()
	} else {
		p.back.Enable()
	}
	p.body.Objects = []fyne.CanvasObject{layout.Grow(p.steps[p.at].content())}
	p.nameSteps()
	if running {
		p.foot.Hide()
		p.names.Hide()
	} else {
		p.foot.Show()
		p.names.Show()
	}
	p.arrange()
}

// arrange lays the page out anew after parts came, went or grew: once to give
// new parts their width, and once more with the heights that follow from it.
func (p *Page) arrange() {
	if p.root != nil {
		p.root.Refresh()
		p.root.Refresh()
	}
}

func (p *Page) nameSteps() {
	var rows []widgets.Step
	for i, s := range p.steps {
		row := widgets.Step{Title: s.name(), State: widgets.StepToCome}
		switch {
		case i == p.at:
			row.State = widgets.StepNow
		case p.byBundle() && (i == stepCloud || i == stepIdentity):
			// The bundle says both, and they cannot be opened.
			if i < p.at {
				row.State, row.Summary = widgets.StepDone, s.summary()
			}
		case i < p.at || i <= p.reached && i != stepRun:
			row.State, row.Summary = widgets.StepDone, s.summary()
		}
		rows = append(rows, row)
	}
	p.names.Set(rows)
}

// byBundle tells whether the plan comes from a bundle, or will.
func (p *Page) byBundle() bool { return p.steps[stepWay].(*wayStep).bundle != nil }

// shown puts another content into the open step.
func (p *Page) shown(o fyne.CanvasObject) {
	p.body.Objects = []fyne.CanvasObject{layout.Grow(o)}
	p.arrange()
}

// targetName is the target as people say it.
func (p *Page) targetName() string {
	if p.list != nil {
		return lang.XN("target.many.short", "{{.N}} devices", len(p.list.rows), map[string]any{"N": len(p.list.rows)})
	}
	return p.steps[stepTarget].summary()
}

// practiceDevice tells whether the target is the practice device.
func (p *Page) practiceDevice() bool {
	s, ok := p.steps[stepTarget].(*targetStep)
	return ok && s.chosen == choosePractice
}

// focusOn gives the keyboard to a control.
func (p *Page) focusOn(f fyne.Focusable) { p.c.FocusIn(frame.Provision, f) }

// signed says how many lines come and go.
func signed(added, removed int) string { return fmt.Sprintf("+%d -%d", added, removed) }

// Ended tells whether the run that the wizard follows has ended.
func (p *Page) Ended() bool { return p.job != nil && p.job.ended() }

// Undo puts back the run that has ended.
func (p *Page) Undo() {
	if r, ok := p.job.(*running); ok && r.done {
		p.steps[stepRun].(*runStep).undo(r.outcome)
	}
}
