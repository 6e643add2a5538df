package practice

import (
	"context"
	"reflect"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// devicePage is one device of a hub: its connection, modules and twin, and
// messages to it.
type devicePage struct {
	v       *View
	hub, id string
	module  string // whose twin is shown, empty for the device's own
	shown   app.PracticeDeviceView
	head    *widgets.PageHead
	copier  *widgets.Button
	failure *fyne.Container
	facts   *fyne.Container // what is made anew with each change
	twins   *widgets.Select
	twin    *fyne.Container
	message *messageCard
	content fyne.CanvasObject
	load    frame.Task
	reveal  frame.Task
}

// openDevice puts a device in front of the view.
func (v *View) openDevice(hub, id string) {
	v.inner = newDevicePage(v, hub, id)
	v.content.Objects = []fyne.CanvasObject{v.inner.content}
	v.content.Refresh()
	v.c.Focus(v.inner.first())
	v.inner.read()
}

// closeDevice goes back to the view.
func (v *View) closeDevice() {
	v.inner.load.Stop()
	v.inner.message.task.Stop()
	v.inner = nil
	v.content.Objects = []fyne.CanvasObject{v.page}
	v.content.Refresh()
	v.c.Focus(v.Focus())
}

func newDevicePage(v *View, hub, id string) *devicePage {
	d := &devicePage{v: v, hub: hub, id: id}
	space := fynetheme.Size(theme.SizeNameSpace3)
	back := widgets.NewButton(widgets.Secondary, lang.X("action.back", "Back"), fynetheme.NavigateBackIcon(), func() { v.Back() })
	d.copier = widgets.NewButton(widgets.Secondary, lang.X("practice.copydevice", "Copy its connection string"), fynetheme.ContentCopyIcon(), d.copy)
	d.head = widgets.NewPageHead(id, "", d.copier, back)
	d.failure, d.facts, d.twin = layout.Column(space), layout.Column(space), layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	d.failure.Hide()
	d.twins = widgets.NewSelect(nil, nil)
	twin := widgets.NewCard(layout.Beside(space, 200*theme.TextFactor(), widgets.SectionTitle(lang.X("practice.twin", "Twin")), d.twins), d.twin)
	d.message = newMessageCard(d)
	d.content = layout.Page(d.head, layout.VScroll(layout.Column(space, d.failure, d.facts, twin, d.message.card)), nil)
	return d
}

func (d *devicePage) first() fyne.Focusable { return d.copier }

// read looks at the device again.
func (d *devicePage) read() {
	module := d.module
	frame.Do(d.v.c, &d.load, func(ctx context.Context) (app.PracticeDeviceView, error) {
		return d.v.c.App.PracticeDevice(ctx, d.hub, d.id, module)
	}, d.found)
}

func (d *devicePage) found(view app.PracticeDeviceView, err error) {
	if err != nil {
		d.fail(err)
		return
	}
	if reflect.DeepEqual(view, d.shown) {
		return // made anew, it would lose its place and its focus
	}
	d.shown = view
	d.fail(nil)
	d.head.SetLine(lang.X("practice.device.line", "{{.Kind}} device of {{.Hub}}", map[string]any{"Kind": kind(view.Edge), "Hub": view.Hub}))
	d.facts.Objects = []fyne.CanvasObject{layout.Grid(2, 340*theme.TextFactor(), fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewFactCard(lang.X("practice.identity", "Identity"), d.identity()...),
		widgets.NewTitledCard(lang.X("practice.modules", "Modules"), d.modules()))}
	d.offerTwins()
	d.showTwin()
	d.content.Refresh()
}

// fail says why the device cannot be looked at.
func (d *devicePage) fail(err error) {
	d.failure.Objects = nil
	d.failure.Hide()
	if err != nil {
		view := frame.View(err)
		d.failure.Objects = []fyne.CanvasObject{widgets.NewBanner(widgets.Bad, view.Message, view.Hint)}
		d.failure.Show()
	}
	d.content.Refresh()
}

func (d *devicePage) identity() []widgets.Fact {
	view, now := d.shown, d.v.overview.Now
	came := lang.X("practice.byhand", "made by hand")
	if by := view.CameBy; by != nil {
		came = lang.X("practice.byregistration", "registration {{.ID}}", map[string]any{"ID": by.ID})
		if by.Group != "" {
			came = lang.X("practice.bygroup", "registration {{.ID}}, group {{.Group}}", map[string]any{"ID": by.ID, "Group": by.Group})
		}
	}
	since := ago(view.Since, now)
	if !view.Since.IsZero() {
		since = lang.X("practice.since", "since {{.When}}", map[string]any{"When": since})
	}
	facts := []widgets.Fact{
		{Label: lang.X("practice.connection", "Connection"), Value: since, Status: lamp(view.DeviceRow)},
		{Label: lang.X("practice.activity", "Last activity"), Value: ago(view.LastActivity, now)},
		{Label: lang.X("practice.authentication", "Authentication"), Value: view.Authentication},
		{Label: lang.X("practice.cameby", "Came by"), Value: came},
		{Label: lang.X("practice.parent", "Parent"), Value: orNone(view.Parent)},
		{Label: lang.X("practice.generation", "Generation"), Value: view.GenerationID, Mono: true, Copy: true},
	}
	if view.StatusReason != "" {
		facts = append(facts, widgets.Fact{Label: lang.X("practice.reason", "Status reason"), Value: view.StatusReason})
	}
	return facts
}

// modules lists them with their lamps.
func (d *devicePage) modules() fyne.CanvasObject {
	if len(d.shown.Modules) == 0 {
		return widgets.NewText(lang.X("practice.nomodule", "None. An edge device gets $edgeAgent and $edgeHub with its identity."), widgets.StyleMuted)
	}
	space := fynetheme.Size(theme.SizeNameSpace2)
	list := layout.Column(space)
	for _, m := range d.shown.Modules {
		lamp := connection(m.Connected)
		list.Add(layout.Beside(space, 130*theme.TextFactor(), widgets.NewText(m.ID, widgets.StyleMono), layout.Flow(space, widgets.NewPill(lamp.State, lamp.Word),
			widgets.NewText(ago(m.LastActivity, d.v.overview.Now), widgets.StyleSmall.As(widgets.Single)))))
	}
	return list
}

// offerTwins fills the choice of twins and keeps what is chosen.
func (d *devicePage) offerTwins() {
	options := []string{lang.X("practice.twin.device", "The device")}
	at := 0
	for i, m := range d.shown.Modules {
		options = append(options, m.ID)
		if m.ID == d.module {
			at = i + 1
		}
	}
	d.twins.OnChanged = nil
	d.twins.Options = options
	d.twins.SetSelectedIndex(at)
	d.twins.OnChanged = func(string) {
		d.module = ""
		if i := d.twins.SelectedIndex(); i > 0 {
			d.module = d.twins.Options[i]
		}
		d.read()
	}
}

// showTwin lists the three parts of the twin, each to be copied.
func (d *devicePage) showTwin() {
	t := d.shown.Twin
	part := func(title, line, text string) *widgets.FoldOut {
		fold := widgets.NewFoldOut(title, line, text)
		fold.SetOpen(text != "{}")
		return fold
	}
	version := func(n int64) string { return lang.X("practice.version", "version {{.N}}", map[string]any{"N": n}) }
	d.twin.Objects = []fyne.CanvasObject{
		part(lang.X("practice.tags", "Tags"), version(t.Version), t.Tags),
		part(lang.X("practice.desired", "Desired properties"), version(t.DesiredVersion), t.Desired),
		part(lang.X("practice.reported", "Reported properties"), version(t.ReportedVersion), t.Reported)}
	d.twin.Refresh()
}

// copy reveals the connection string of what is shown into the clipboard.
func (d *devicePage) copy() {
	module := d.module
	frame.Do(d.v.c, &d.reveal, func(ctx context.Context) (string, error) {
		all, err := d.v.c.App.PracticeDeviceStrings(ctx, d.hub, d.id)
		return all[module].RevealString(), err
	}, func(text string, err error) {
		switch {
		case err != nil:
			d.fail(err)
		case text == "":
			d.copier.SetText(lang.X("practice.nokey", "It has no key"))
		default:
			fyne.CurrentApp().Clipboard().SetContent(strings.TrimSpace(text))
			d.copier.SetText(lang.X("practice.copied", "The key is in the clipboard"))
		}
	})
}
