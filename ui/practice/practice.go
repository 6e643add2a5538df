// Package practice is the live view of the practice cloud, the inner page of
// Clouds: its devices and their twins, enrollments, the log of requests, what
// opens it and how clients are pointed at it, and the faults that it rehearses.
//
// The view samples the cloud's change counter while it is in front and reads
// the open tab again when it has moved, a page of rows at a time.
package practice

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/live"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// sampleEvery is how often the cloud is asked whether anything has changed.
const sampleEvery = time.Second

// most is how many rows a list shows; more are found by narrowing.
const most = 200

// Actions are what the page around the view does for it.
type Actions struct {
	Close    func() // goes back to the clouds
	SwitchOn func()
	Empty    func() // asks, then resets
}

// tab is one part of the view. Its methods are called on the main goroutine.
type tab interface {
	// object is made once.
	object() fyne.CanvasObject
	// read looks again; overview is the newest.
	read(overview app.PracticeOverview)
	// first is what the keyboard goes to.
	first() fyne.Focusable
}

// The IDs of the tabs, for a place that opens one.
const (
	TabDevices      = "devices"
	TabEnrollments  = "enrollments"
	TabCertificates = "certificates"
	TabRequests     = "requests"
	TabConnections  = "connections"
	TabConnect      = "connect"
	TabRehearse     = "rehearse"
)

// View is the live view.
type View struct {
	c       *frame.Context
	actions Actions
	content *fyne.Container // what is in front: the view or a device
	page    fyne.CanvasObject
	head    *widgets.PageHead
	notice  *fyne.Container
	tabs    *widgets.Tabs
	body    *fyne.Container
	parts   map[string]tab
	off     fyne.CanvasObject
	inner   *devicePage

	on       bool
	known    bool
	overview app.PracticeOverview
	sampling frame.Task
	fresh    *live.Refresher
}

// New makes the view; nothing is read before Show.
func New(c *frame.Context, actions Actions) *View {
	v := &View{c: c, actions: actions, notice: layout.Column(fynetheme.Size(theme.SizeNameSpace2)), body: container.NewStack()}
	v.notice.Hide()
	back := widgets.NewButton(widgets.Secondary, lang.X("action.back", "Back"), fynetheme.NavigateBackIcon(), actions.Close)
	empty := widgets.NewButton(widgets.Secondary, lang.X("practice.reset", "Empty it ..."), fynetheme.DeleteIcon(), actions.Empty)
	v.head = widgets.NewPageHead(lang.X("cloud.practice", "Practice cloud"), "", empty, back)
	v.tabs = widgets.NewTabs(v.open,
		widgets.Tab{ID: TabDevices, Text: lang.X("practice.tab.devices", "Devices")},
		widgets.Tab{ID: TabEnrollments, Text: lang.X("practice.tab.enrollments", "Enrollments")},
		widgets.Tab{ID: TabCertificates, Text: lang.X("practice.tab.certificates", "CA certificates")},
		widgets.Tab{ID: TabRequests, Text: lang.X("practice.tab.requests", "Requests")},
		widgets.Tab{ID: TabConnections, Text: lang.X("practice.tab.connections", "Connections")},
		widgets.Tab{ID: TabConnect, Text: lang.X("practice.tab.connect", "Connect")},
		widgets.Tab{ID: TabRehearse, Text: lang.X("practice.tab.rehearse", "Rehearse faults")})
	v.parts = map[string]tab{TabDevices: newDevices(v), TabEnrollments: newEnrollments(v), TabCertificates: newCertificates(v), TabRequests: newRequests(v), TabConnections: newConnections(v), TabConnect: newConnect(v), TabRehearse: newRehearse(v)}
	v.off = widgets.NewEmptyState(theme.IconPractice(), lang.X("practice.isoff", "The practice cloud is off"),
		lang.X("practice.isoff.line", "Its devices and enrollments are kept. Switch it on to look at them and to work with it from other programs."),
		widgets.NewButton(widgets.Primary, lang.X("practice.turnon", "Switch on"), fynetheme.MediaPlayIcon(), actions.SwitchOn))
	v.page = layout.Page(v.head, layout.Column(fynetheme.Size(theme.SizeNameSpace3), v.notice, v.tabs, layout.Grow(v.body)), nil)
	v.content = container.NewStack(v.page)
	v.fresh = live.New(c, v.content, sampleEvery, v.sample)
	v.put(v.parts[TabDevices].object())
	return v
}

// Content is the view, for the page around it.
func (v *View) Content() fyne.CanvasObject { return v.content }

// Show looks at the cloud, and opens a tab and a device of it if they are given.
func (v *View) Show(tab, device string) {
	if v.parts[tab] != nil {
		v.tabs.Select(tab)
	}
	v.Again()
	if device != "" {
		v.openDevice(app.PracticeDefaultHub, device)
	}
}

// Focus is what the keyboard goes to.
func (v *View) Focus() fyne.Focusable {
	switch {
	case v.inner != nil:
		return v.inner.first()
	case v.known && !v.on:
		return widgets.FirstFocus(v.off)
	}
	return v.part().first()
}

// Primary does what the one blue button does.
func (v *View) Primary() {
	if v.inner == nil && v.known && !v.on {
		v.actions.SwitchOn()
	}
}

// Back closes the device that is open; false where none is.
func (v *View) Back() bool {
	if v.inner == nil {
		return false
	}
	v.closeDevice()
	return true
}

// Search gives the keyboard to the search of the open tab.
func (v *View) Search() {
	if v.inner != nil {
		v.closeDevice()
	}
	v.c.Focus(v.part().first())
}

// Again looks once more, whatever the change counter says.
func (v *View) Again() {
	v.overview.Change = 0
	v.known = false
	v.sample()
}

func (v *View) part() tab { return v.parts[v.tabs.Opened()] }

// sampled is what a sample finds.
type sampled struct {
	on       bool
	overview app.PracticeOverview
}

// sample asks for the change counter and reads what is in front if it moved.
func (v *View) sample() {
	frame.Do(v.c, &v.sampling, func(ctx context.Context) (sampled, error) {
		if !v.c.App.PracticeOn() {
			return sampled{}, nil
		}
		overview, err := v.c.App.PracticeOverview(ctx)
		return sampled{true, overview}, err
	}, func(s sampled, err error) {
		if err != nil {
			// Who does not open the vault is not asked again each second.
			if kind := provisioning.View(err).Kind; kind != "vault-locked" && kind != "cancelled" {
				v.fresh.Soon()
			}
			v.sayError(err)
			return
		}
		v.fresh.Soon()
		changed := !v.known || s.on != v.on || s.overview.Change != v.overview.Change
		v.known, v.on, v.overview = true, s.on, s.overview
		if changed {
			v.show()
		}
	})
}

// show writes the newest overview onto the view and reads the open tab.
func (v *View) show() {
	if !v.on {
		v.head.SetLine(lang.X("practice.off", "off"))
		v.tabs.Hide()
		v.put(v.off)
		return
	}
	v.tabs.Show()
	devices, connected := 0, 0
	for _, hub := range v.overview.Hubs {
		devices += hub.Devices
		connected += hub.Connected
	}
	v.head.SetLine(lang.XN("practice.numbers", "{{.N}} devices, {{.Connected}} connections, {{.Requests}} requests answered", devices,
		map[string]any{"N": devices, "Connected": connected, "Requests": v.overview.Requests}))
	fault := widgets.Status{}
	if v.overview.Faults.Any() || v.overview.Limits.SKU != "" {
		fault = widgets.Status{State: widgets.Care, Word: lang.X("practice.on", "on")}
	}
	v.tabs.SetStatus(TabRehearse, fault)
	v.put(v.part().object())
	v.part().read(v.overview)
	if v.inner != nil {
		v.inner.read()
	}
}

// open is told the tab that the user opens.
func (v *View) open(string) {
	v.say()
	v.put(v.part().object())
	if v.on {
		v.part().read(v.overview)
	}
}

func (v *View) put(o fyne.CanvasObject) {
	if len(v.body.Objects) != 1 || v.body.Objects[0] != o {
		v.body.Objects = []fyne.CanvasObject{o}
		v.body.Refresh()
		v.page.Refresh()
	}
}

// say puts objects above the tabs, or takes them back.
func (v *View) say(objects ...fyne.CanvasObject) {
	if len(objects) == 0 && len(v.notice.Objects) == 0 {
		return
	}
	v.notice.Objects = objects
	if len(objects) == 0 {
		v.notice.Hide()
	} else {
		v.notice.Show()
	}
	v.notice.Refresh()
	v.page.Refresh()
}

// Say puts a message above the tabs until it is closed or the next one comes.
func (v *View) Say(state widgets.State, title, line string) {
	v.say(widgets.NewBanner(state, title, line, widgets.NewIconButton(lang.X("action.close", "Close"), fynetheme.CancelIcon(), func() { v.say() })))
}

// more says that not all that fit are listed.
func more(text *widgets.Text, shown, total int) {
	if shown >= total {
		text.SetText("")
		text.Hide()
		return
	}
	text.SetText(lang.X("devices.more", "The first {{.N}} of {{.Of}}. Type more to narrow them down.", map[string]any{"N": shown, "Of": total}))
	text.Show()
}
