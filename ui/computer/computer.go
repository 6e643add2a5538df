// Package computer is the page This computer: what was found, the advice, what
// stands in the way, and one button to go on.
package computer

import (
	"context"
	"fmt"
	"time"

	"fyne.io/fyne/v2"
	fynelang "fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/hostdetect"
	"edgewright/ui/frame"
	"edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// target is this computer, as plans name it.
const target = "local:"

// Page is the screen.
type Page struct {
	c     *frame.Context
	head  *widgets.PageHead
	body  *fyne.Container
	setUp *widgets.Button
	try   *widgets.Button
	root  fyne.CanvasObject
	look  frame.Task
	found *app.Detection
}

// New makes the page; nothing is looked at before it is shown.
func New(c *frame.Context) *Page {
	p := &Page{c: c, body: layout.Column(fynetheme.Size(theme.SizeNameSpace3))}
	p.setUp = widgets.NewButton(widgets.Primary, fynelang.X("computer.setup", "Set up this computer"), fynetheme.NavigateNextIcon(), p.setUpThis)
	p.try = widgets.NewButton(widgets.Secondary, fynelang.X("computer.try", "Try with a practice device"), theme.IconPractice(), p.practice)
	p.head = widgets.NewPageHead(fynelang.X("computer.title", "This computer"), fynelang.X("computer.looking", "Looking ..."),
		widgets.NewButton(widgets.Secondary, fynelang.X("computer.again", "Look again"), fynetheme.ViewRefreshIcon(), p.Again))
	return p
}

// Content implements frame.Page.
func (p *Page) Content() fyne.CanvasObject {
	p.root = layout.Page(p.head, layout.VScroll(p.body), nil)
	return p.root
}

// Show looks at the computer the first time.
func (p *Page) Show(frame.Place) {
	if p.found == nil {
		p.Again()
	} else {
		p.line()
	}
}

// Focus implements frame.Page.
func (p *Page) Focus() fyne.Focusable {
	switch {
	case p.found == nil:
		return nil
	case p.found.Advice.Ready:
		return p.setUp
	}
	return p.try
}

// Primary goes on to the wizard: with this computer, or with a practice device
// while something stands in this computer's way.
func (p *Page) Primary() {
	switch {
	case p.found == nil:
	case p.found.Advice.Ready:
		p.setUpThis()
	default:
		p.practice()
	}
}

func (p *Page) setUpThis() { p.c.Open(frame.Place{Page: frame.Provision, Target: target}) }

// practice goes on to the wizard, which suggests a practice device.
func (p *Page) practice() { p.c.Open(frame.Place{Page: frame.Provision}) }

// Back implements frame.Page.
func (p *Page) Back() bool { return false }

// Help implements frame.Page.
func (p *Page) Help() string {
	return fynelang.X("computer.help", "Edgewright looks at this computer without changing it. The advice says which way suits it, and what to mend first. The blue button begins to set it up; nothing is written before you have seen it.")
}

// Again looks once more.
func (p *Page) Again() {
	p.head.SetLine(fynelang.X("computer.looking", "Looking ..."))
	frame.Do(p.c, &p.look, func(ctx context.Context) (app.Detection, error) {
		return p.c.App.Detect(ctx, target, app.Access{})
	}, func(found app.Detection, err error) {
		if err != nil {
			failure := frame.Failure(err, "", p.Again)
			p.body.Objects = []fyne.CanvasObject{failure}
			p.arrange()
			p.c.FocusIn(frame.Computer, widgets.FirstFocus(failure))
			return
		}
		p.found = &found
		p.show()
	})
}

// line says of when the facts are.
func (p *Page) line() {
	p.head.SetLine(fynelang.X("computer.looked", "{{.Host}}, looked at {{.Ago}}", map[string]any{
		"Host": p.found.Report.Hostname, "Ago": lang.Moment(p.found.Report.Taken, time.Now())}))
}

func (p *Page) show() {
	p.line()
	r := p.found.Report
	p.body.Objects = []fyne.CanvasObject{p.answer()}
	for _, o := range p.found.Advice.Obstacles {
		p.body.Add(obstacle(o))
	}
	cards := layout.Grid(2, 380*theme.TextFactor(), fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewFactCard(fynelang.X("computer.machine", "Machine"), machine(r)...),
		widgets.NewFactCard(fynelang.X("computer.edge", "IoT Edge"), runtime(r, p.found.Advice)...),
		widgets.NewFactCard(fynelang.X("computer.security", "Security"), security(r)...),
		widgets.NewFactCard(fynelang.X("computer.network", "Network"), network(r)...))
	p.body.Add(cards)
	p.body.Add(widgets.NewCard(widgets.NewFoldOut(fynelang.X("computer.facts", "All facts, and how each was found"),
		fynelang.X("computer.facts.count", "{{.N}} facts", map[string]any{"N": len(r.Facts)}), allFacts(r))))
	p.arrange()
	p.c.FocusIn(frame.Computer, p.Focus())
}

// arrange lays out anew: once for widths, once for the heights that follow.
func (p *Page) arrange() {
	p.root.Refresh()
	p.root.Refresh()
}

// answer is the conclusion with the one button.
func (p *Page) answer() fyne.CanvasObject {
	advice := p.found.Advice
	state := widgets.Advice
	if !advice.Ready {
		state = widgets.Care
	}
	pills := layout.Flow(fynetheme.Size(theme.SizeNameSpace2),
		widgets.NewPill(widgets.Good, fynelang.X("computer.passed", "{{.N}} checks passed", map[string]any{"N": advice.Passed})))
	if n := count(advice.Obstacles, hostdetect.Error); n > 0 {
		pills.Add(widgets.NewPill(widgets.Bad, fynelang.XN("computer.stop", "{{.N}} things stand in the way", n, map[string]any{"N": n})))
	}
	if n := count(advice.Obstacles, hostdetect.Care); n > 0 {
		pills.Add(widgets.NewPill(widgets.Care, fynelang.XN("computer.care", "{{.N}} things to mend first", n, map[string]any{"N": n})))
	}
	words := layout.Column(fynetheme.Size(theme.SizeNameSpace1),
		widgets.NewText(frame.Say(advice.Title), widgets.StyleSubtitle),
		widgets.NewText(frame.Say(advice.Reason), widgets.StyleBody), pills)
	// The blue button is the one that leads to a device now.
	buttons := layout.Column(fynetheme.Size(theme.SizeNameSpace2), p.setUp, p.try)
	p.setUp.Kind, p.try.Kind = widgets.Primary, widgets.Secondary
	if !advice.Ready {
		p.setUp.Kind, p.try.Kind = widgets.Secondary, widgets.Primary
		buttons.Objects = []fyne.CanvasObject{p.try, p.setUp}
	}
	if !advice.Possible {
		buttons.Objects = []fyne.CanvasObject{p.try}
	}
	p.setUp.Refresh()
	p.try.Refresh()
	return widgets.NewWash(state, layout.Beside(fynetheme.Size(theme.SizeNameSpace4), 320*theme.TextFactor(), words, buttons))
}

func count(list []hostdetect.Obstacle, level hostdetect.Level) int {
	n := 0
	for _, o := range list {
		if o.Level == level {
			n++
		}
	}
	return n
}

// obstacle is one thing that stands in the way, with the fix.
func obstacle(o hostdetect.Obstacle) fyne.CanvasObject {
	state := map[hostdetect.Level]widgets.State{hostdetect.Error: widgets.Bad, hostdetect.Care: widgets.Care, hostdetect.Note: widgets.Advice}[o.Level]
	return widgets.NewCard(layout.Row(fynetheme.Size(theme.SizeNameSpace4), layout.Middle,
		widgets.NewIcon(state.Icon(), state.Color(), theme.SizeNameIconLarge),
		layout.Grow(layout.Column(fynetheme.Size(theme.SizeNameSpace1),
			widgets.NewText(frame.Say(o.Problem), widgets.StyleStrong), widgets.NewText(frame.Say(o.Fix), widgets.StyleMuted)))))
}

func allFacts(r hostdetect.Report) string {
	text := ""
	for _, f := range r.Facts {
		value := f.Value
		if f.Found == hostdetect.Absent {
			value = "-"
		} else if f.Found == hostdetect.Unknown {
			value = "? " + f.Why
		}
		text += fmt.Sprintf("%-28s %s   [%s]\n", f.Key, value, f.How)
	}
	return text
}
