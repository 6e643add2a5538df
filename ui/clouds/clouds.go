// Package clouds is the page of the clouds: the practice cloud that runs on this
// computer, with its switch and what opens it, and the IoT Hubs and DPS that the
// person has added.
//
// Connection strings are shown masked; a copy button reveals one into the
// clipboard and says so.
package clouds

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/practice"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// Page is the screen.
type Page struct {
	c       *frame.Context
	content *fyne.Container // the list, or the form
	list    fyne.CanvasObject
	form    *form
	inside  *practice.View // the practice cloud, while it is open

	head     *widgets.PageHead
	add      *widgets.Button
	notice   *fyne.Container
	practice *practiceCard
	body     *fyne.Container

	clouds []app.CloudRow
	known  bool
	load   frame.Task
}

// New makes the page; nothing is read before it is shown.
func New(c *frame.Context) *Page {
	p := &Page{c: c, notice: layout.Column(fynetheme.Size(theme.SizeNameSpace2)), body: layout.Column(fynetheme.Size(theme.SizeNameSpace3))}
	p.add = widgets.NewButton(widgets.Primary, lang.X("clouds.add", "Add a cloud"), fynetheme.ContentAddIcon(), p.Primary)
	p.head = widgets.NewPageHead(lang.X("clouds.title", "Clouds"), "", p.add)
	p.notice.Hide()
	p.practice = newPracticeCard(p)
	return p
}

// Content implements frame.Page.
func (p *Page) Content() fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace3)
	p.list = layout.Page(p.head, layout.VScroll(layout.Column(space, p.notice, p.practice.object, p.body)), nil)
	p.content = container.NewStack(p.list)
	return p.content
}

// Show reads the clouds anew, and opens the practice cloud if the place names
// it.
func (p *Page) Show(place frame.Place) {
	p.Again()
	if place.Cloud == app.Practice {
		p.openPractice(place.Tab, place.Device)
	}
}

// Focus implements frame.Page.
func (p *Page) Focus() fyne.Focusable {
	switch {
	case p.form != nil:
		return p.form.first()
	case p.inside != nil:
		return p.inside.Focus()
	}
	return p.add
}

// Search implements frame.Searcher.
func (p *Page) Search() {
	if p.inside != nil {
		p.inside.Search()
	}
}

// Primary opens the form, or adds what is in it.
func (p *Page) Primary() {
	switch {
	case p.form != nil:
		p.form.submit()
	case p.inside != nil:
		p.inside.Primary()
	default:
		p.openForm()
	}
}

// Back closes the form or the practice cloud.
func (p *Page) Back() bool {
	switch {
	case p.form != nil:
		p.closeForm()
	case p.inside == nil:
		return false
	case !p.inside.Back():
		p.closePractice()
	}
	return true
}

// Again implements frame.Page.
func (p *Page) Again() {
	p.practice.read()
	if p.inside != nil {
		p.inside.Again()
	}
	frame.Do(p.c, &p.load, p.c.App.Clouds, func(clouds []app.CloudRow, err error) {
		if err != nil {
			p.sayError(err)
			return
		}
		p.clouds, p.known = clouds, true
		p.show()
	})
}

// Help implements frame.Page.
func (p *Page) Help() string {
	return lang.X("clouds.help", "The practice cloud is an IoT Hub and a DPS on this computer: it costs nothing and forgets nothing until it is emptied. An IoT Hub or a DPS of Azure is added by a connection string of one of its shared access policies, which is sealed in the vault.")
}

// show lists what was added.
func (p *Page) show() {
	added := p.added()
	p.head.SetLine(lang.XN("clouds.line", "The practice cloud, and {{.N}} of your own", len(added), map[string]any{"N": len(added)}))
	p.body.Objects = []fyne.CanvasObject{widgets.SectionTitle(lang.X("clouds.own", "Your own clouds"))}
	if len(added) == 0 {
		p.head.SetLine(lang.X("clouds.line.none", "The practice cloud; none of your own yet"))
		p.body.Add(widgets.NewCard(widgets.NewText(lang.X("clouds.none", "None yet. Add an IoT Hub, or a DPS, by its connection string; the practice cloud needs none."), widgets.StyleMuted)))
	}
	for _, cloud := range added {
		p.body.Add(p.card(cloud))
	}
	p.body.Refresh()
	p.list.Refresh()
}

func (p *Page) added() []app.CloudRow {
	var added []app.CloudRow
	for _, cloud := range p.clouds {
		if !cloud.Practice {
			added = append(added, cloud)
		}
	}
	return added
}

func (p *Page) card(cloud app.CloudRow) fyne.CanvasObject {
	var facts []widgets.Fact
	if cloud.HubHost != "" {
		facts = append(facts, widgets.Fact{Label: lang.X("clouds.hub", "IoT Hub"), Value: cloud.HubHost, Copy: true})
	}
	if cloud.DPSHost != "" {
		facts = append(facts, widgets.Fact{Label: lang.X("clouds.dps", "DPS"), Value: cloud.DPSHost, Copy: true},
			widgets.Fact{Label: lang.X("clouds.scope", "ID scope"), Value: orNone(cloud.IDScope), Mono: true, Copy: cloud.IDScope != ""},
			widgets.Fact{Label: lang.X("clouds.global", "Global endpoint"), Value: cloud.GlobalEndpoint})
	}
	remove := widgets.NewButton(widgets.Secondary, lang.X("clouds.remove", "Remove ..."), fynetheme.DeleteIcon(), func() { p.remove(cloud.Name) })
	title := layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle,
		widgets.NewIcon(theme.IconCloud(), theme.ColorNameAccent, theme.SizeNameIconLarge), layout.Grow(widgets.NewText(cloud.Name, widgets.StyleSubtitle)))
	return widgets.NewCard(layout.Beside(fynetheme.Size(theme.SizeNameSpace3), 220*theme.TextFactor(), title, remove), widgets.Facts(facts...))
}

func orNone(value string) string {
	if value == "" {
		return lang.X("fact.none", "none")
	}
	return value
}

// remove asks and forgets a cloud with its connection strings.
func (p *Page) remove(name string) {
	cloud := map[string]any{"Cloud": name}
	frame.Confirm(p.c, lang.X("clouds.remove.title", "Remove {{.Cloud}} from Edgewright?", cloud),
		lang.X("clouds.remove.line", "Its connection strings are forgotten. Nothing is deleted in Azure; devices keep working and stay in the catalog, but runs in {{.Cloud}} can no longer be undone from here.", cloud),
		frame.Answer{Text: lang.X("clouds.remove.do", "Remove {{.Cloud}}", cloud), Icon: fynetheme.DeleteIcon(), Kind: widgets.Danger, Do: func() {
			frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, p.c.App.RemoveCloud(ctx, name)
			}, func(_ struct{}, err error) {
				p.Again()
				if err != nil {
					p.sayError(err)
					return
				}
				p.say(widgets.Good, lang.X("clouds.removed", "{{.Cloud}} is removed", cloud), "")
			})
		}})
}

// say puts a message above the page until it is closed or the next one comes.
func (p *Page) say(state widgets.State, title, line string) {
	if p.inside != nil {
		p.inside.Say(state, title, line)
		return
	}
	closer := widgets.NewIconButton(lang.X("action.close", "Close"), fynetheme.CancelIcon(), func() { p.tell() })
	p.tell(widgets.NewBanner(state, title, line, closer))
}

func (p *Page) tell(objects ...fyne.CanvasObject) {
	fill(p.notice, objects...)
	p.list.Refresh()
}

// fill replaces what is in a column; an empty one takes no room.
func fill(column *fyne.Container, objects ...fyne.CanvasObject) {
	column.Objects = objects
	if len(objects) == 0 {
		column.Hide()
	} else {
		column.Show()
	}
	column.Refresh()
}

func (p *Page) sayError(err error) {
	view := frame.View(err)
	p.say(widgets.Bad, view.Message, view.Hint)
}

// openPractice looks into the practice cloud, at a tab and a device of it if
// they are given.
func (p *Page) openPractice(tab, device string) {
	p.tell()
	if p.inside == nil {
		p.inside = practice.New(p.c, practice.Actions{Close: p.closePractice, SwitchOn: p.practice.switchIt, Empty: p.practice.reset})
	}
	p.put(p.inside.Content(), nil)
	p.inside.Show(tab, device)
	p.c.FocusIn(frame.Clouds, p.inside.Focus())
}

func (p *Page) closePractice() {
	p.inside = nil
	p.put(p.list, p.add)
}

// renewPractice makes the view of the practice cloud anew: what it knows of is
// gone.
func (p *Page) renewPractice() {
	if p.inside != nil {
		p.inside = nil
		p.openPractice("", "")
	}
}

// openForm shows the form for another cloud.
func (p *Page) openForm() {
	p.tell()
	p.form = newForm(p)
	p.put(p.form.object, p.form.first())
	p.form.askVault()
}

func (p *Page) closeForm() {
	p.form = nil
	p.put(p.list, p.add)
}

func (p *Page) put(o fyne.CanvasObject, first fyne.Focusable) {
	p.content.Objects = []fyne.CanvasObject{o}
	p.content.Refresh()
	if p.c.Window != nil && first != nil && !p.c.DialogOpen() {
		p.c.Window.Canvas().Focus(first)
	}
}
