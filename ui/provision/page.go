// Package provision is the wizard: target, way, cloud, identity, review and
// run, with the proof as the last line of the run. The steps stay visible, and
// going back keeps what was typed.
package provision

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
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
	// content is built when the step is opened.
	content() fyne.CanvasObject
	// focus is what the keyboard goes to.
	focus() fyne.Focusable
	// leave checks what was typed and takes it into the draft; then goes on by
	// calling on. It may need time.
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

	head   *widgets.PageHead
	list   *widgets.StepList
	side   *fyne.Container
	body   *fyne.Container
	foot   *fyne.Container
	onward *widgets.Button
	back   *widgets.Button

	steps   []step
	at      int
	reached int
	run     *running
	// loop is on after a proven device: Review shows up only where a preview
	// differs from the one that was agreed to.
	loop bool
}

// New makes the wizard.
func New(c *frame.Context) *Page {
	p := &Page{c: c, draft: app.NewDraft()}
	p.head = widgets.NewPageHead(lang.X("provision.title", "Provision a device"), "")
	p.list = widgets.NewStepList(p.open)
	p.body = layout.Column(fynetheme.Size(theme.SizeNameSpace3))
	p.onward = widgets.NewButton(widgets.Primary, lang.X("action.next", "Next"), fynetheme.NavigateNextIcon(), p.Primary)
	p.back = widgets.NewButton(widgets.Secondary, lang.X("action.back", "Back"), nil, func() { p.Back() })
	save := widgets.NewButton(widgets.Secondary, lang.X("provision.save", "Save as plan ..."), nil, p.save)
	p.foot = layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, save, layout.Spacer(), p.back, p.onward)
	p.begin(p.draft)
	return p
}

// begin starts over with a draft.
func (p *Page) begin(draft *app.Draft) {
	p.draft = draft
	p.steps = []step{&targetStep{p: p}, &wayStep{p: p}, &cloudStep{p: p}, &identityStep{p: p}, &reviewStep{p: p}, &runStep{p: p}}
	p.at, p.reached = 0, 0
	p.run = nil
}

// Content implements frame.Page.
func (p *Page) Content() fyne.CanvasObject {
	p.side = layout.Sidebar(176*theme.TextFactor(), 420, fynetheme.Size(theme.SizeNameSpace4), p.list, p.body)
	p.show()
	return layout.Page(p.head, layout.VScroll(p.side), p.foot)
}

// Show opens the wizard, with a target if the place names one. A wizard that
// is under way is kept.
func (p *Page) Show(place frame.Place) {
	if place.Target != "" && p.run == nil {
		p.begin(app.NewDraft())
		p.draft.Target = place.Target
		p.show()
	}
}

// Focus implements frame.Page.
func (p *Page) Focus() fyne.Focusable {
	if f := p.steps[p.at].focus(); f != nil {
		return f
	}
	if p.onward.Visible() {
		return p.onward
	}
	return nil
}

// Primary goes on to the next step.
func (p *Page) Primary() {
	if !p.foot.Visible() || p.onward.Disabled() {
		p.steps[p.at].leave(func() {})
		return
	}
	p.onward.Disable()
	at := p.at
	p.steps[at].leave(func() {
		if p.at == at {
			p.open(at + 1)
		}
	})
	p.onward.Enable()
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
	}
}

// Help implements frame.Page.
func (p *Page) Help() string {
	return lang.X("provision.help", "Six steps: which device, which way, which cloud, which name, a look at everything that will be written, and the run. Nothing is written before Review has shown it. The run ends with a proof: the device and the cloud have to agree.")
}

// open goes to a step that was reached before, or the next one.
func (p *Page) open(index int) {
	if p.at == stepRun && p.run != nil && !p.run.ended {
		return
	}
	p.at = index
	p.reached = max(p.reached, index)
	p.show()
	p.focusSoon()
}

// focusSoon gives the keyboard to the step once its parts are on the screen.
func (p *Page) focusSoon() {
	p.c.Post(func() {
		if f := p.Focus(); f != nil && p.c.Window != nil {
			p.c.Window.Canvas().Focus(f)
		}
	})
}

// show builds the open step anew from the draft.
func (p *Page) show() {
	current := p.steps[p.at]
	p.body.Objects = []fyne.CanvasObject{current.content()}
	p.listSteps()
	p.head.SetTitle(lang.X("provision.title", "Provision a device"))
	p.head.SetLine(lang.X("provision.line", "Nothing is changed before you have seen what will be"))
	p.head.SetActions()
	p.list.Show()
	p.foot.Show()
	p.onward.SetText(current.next())
	if p.at == 0 {
		p.back.Disable()
	} else {
		p.back.Enable()
	}
	if p.at == stepRun {
		p.foot.Hide()
		p.list.Hide()
	}
	p.body.Refresh()
	if p.side != nil {
		p.side.Refresh()
	}
}

func (p *Page) listSteps() {
	var rows []widgets.Step
	for i, s := range p.steps {
		row := widgets.Step{Title: s.name(), State: widgets.StepToCome}
		switch {
		case i == p.at:
			row.State = widgets.StepNow
		case i < p.at || i <= p.reached && i != stepRun:
			row.State, row.Summary = widgets.StepDone, s.summary()
		}
		rows = append(rows, row)
	}
	p.list.Set(rows)
}

// shown puts another content into the open step.
func (p *Page) shown(o fyne.CanvasObject) {
	p.body.Objects = []fyne.CanvasObject{o}
	p.body.Refresh()
}

// targetName is the target as people say it.
func (p *Page) targetName() string { return p.steps[stepTarget].summary() }

// practiceDevice tells whether the target is the practice device.
func (p *Page) practiceDevice() bool {
	s, ok := p.steps[stepTarget].(*targetStep)
	return ok && s.chosen == choosePractice
}

// focusOn gives the keyboard to a control.
func (p *Page) focusOn(f fyne.Focusable) {
	if p.c.Window != nil {
		p.c.Window.Canvas().Focus(f)
	}
}
