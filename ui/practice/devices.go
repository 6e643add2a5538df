package practice

import (
	"context"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// The columns of the tables.
const (
	columnID         = "id"
	columnState      = "state"
	columnKind       = "kind"
	columnHub        = "hub"
	columnModules    = "modules"
	columnProof      = "authentication"
	columnActivity   = "activity"
	columnCreated    = "created"
	columnGroup      = "group"
	columnTime       = "time"
	columnMethod     = "method"
	columnPath       = "path"
	columnDuration   = "duration"
	columnError      = "error"
	columnTracking   = "correlation"
	columnHost       = "host"
	columnAPIVersion = "version"
	columnDevice     = "device"
	columnModule     = "module"
	columnReason     = "reason"
	columnOver       = "over"
)

// devices is the tab of the devices.
type devices struct {
	v      *View
	search *widgets.Entry
	hubs   *widgets.Select
	filter *fyne.Container // of the hubs; hidden while there is one
	table  *widgets.DataTable
	more   *widgets.Text
	empty  *fyne.Container
	all    fyne.CanvasObject
	load   frame.Task
	hub    string // label; empty for all
	labels []string
}

func newDevices(v *View) *devices {
	t := &devices{v: v, empty: container.NewStack()}
	t.search = widgets.NewEntry(func(string) { t.openFirst() })
	t.search.SetPlaceHolder(lang.X("practice.search", "Search an ID ..."))
	t.search.OnChanged = func(string) { t.read(v.overview) }
	t.hubs = widgets.NewSelect([]string{allHubs()}, nil)
	t.hubs.SetSelectedIndex(0)
	t.hubs.OnChanged = func(string) {
		t.hub = ""
		if i := t.hubs.SelectedIndex(); i > 0 {
			t.hub = t.labels[i-1]
		}
		t.read(v.overview)
	}
	t.table = widgets.NewDataTable(t.empty,
		widgets.TableColumn{ID: columnID, Title: lang.X("devices.device", "Device"), Width: 170, Fixed: true},
		widgets.TableColumn{ID: columnState, Title: lang.X("practice.connection", "Connection"), Width: 136},
		widgets.TableColumn{ID: columnKind, Title: lang.X("practice.kind", "Kind"), Width: 60},
		widgets.TableColumn{ID: columnHub, Title: lang.X("devices.hub", "Hub"), Width: 80},
		widgets.TableColumn{ID: columnModules, Title: lang.X("practice.modules", "Modules"), Width: 76},
		widgets.TableColumn{ID: columnProof, Title: lang.X("practice.authentication", "Authentication"), Width: 126},
		widgets.TableColumn{ID: columnActivity, Title: lang.X("practice.activity", "Last activity"), Width: 124})
	t.table.OnOpened = t.open
	t.more = widgets.NewText("", widgets.StyleSmall)
	t.more.Hide()
	space := fynetheme.Size(theme.SizeNameSpace2)
	t.filter = layout.Flow(space, t.hubs)
	t.filter.Hide()
	t.all = layout.Column(fynetheme.Size(theme.SizeNameSpace3), layout.Beside(space, 220*theme.TextFactor(), t.search, t.filter), layout.Grow(t.table), t.more)
	return t
}

func allHubs() string { return lang.X("practice.allhubs", "All hubs") }

func (t *devices) object() fyne.CanvasObject { return t.all }

func (t *devices) first() fyne.Focusable { return t.search }

func (t *devices) read(overview app.PracticeOverview) {
	t.offerHubs(overview.Hubs)
	search, hub := t.search.Text, t.hub
	frame.Do(t.v.c, &t.load, func(ctx context.Context) (app.PracticeDevicePage, error) {
		return t.v.c.App.PracticeDevices(ctx, hub, app.PracticePage{Search: search, Limit: most})
	}, func(page app.PracticeDevicePage, err error) {
		if err != nil {
			t.v.sayError(err)
			return
		}
		list := make([]row, len(page.Devices))
		for i, d := range page.Devices {
			list[i] = row{d.Key(), map[string]widgets.TableCell{
				columnID: {Text: d.ID, Bold: true}, columnState: {Status: lamp(d)}, columnKind: text(kind(d.Edge)), columnHub: text(d.Hub),
				columnModules: text(strconv.Itoa(d.Modules)), columnProof: text(d.Authentication), columnActivity: text(ago(d.LastActivity, overview.Now))}}
		}
		t.sayEmpty(search == "" && hub == "")
		t.table.SetRows(newRows(list))
		more(t.more, len(list), page.Total)
	})
}

// offerHubs fills the filter, which takes no room while there is one hub.
func (t *devices) offerHubs(hubs []app.PracticeHub) {
	if len(hubs) == len(t.labels) {
		return
	}
	t.labels = nil
	options := []string{allHubs()}
	for _, hub := range hubs {
		t.labels = append(t.labels, hub.Name)
		options = append(options, hub.Name)
	}
	t.hubs.Options = options
	if t.hubs.Refresh(); len(hubs) > 1 {
		t.filter.Show()
	} else {
		t.filter.Hide()
	}
}

// sayEmpty makes what stands in place of rows.
func (t *devices) sayEmpty(all bool) {
	o := widgets.NewEmptyState(fynetheme.SearchIcon(), lang.X("devices.nohit", "No device fits"), lang.X("practice.nohit.line", "The search leaves none of them."), nil)
	if all {
		o = widgets.NewEmptyState(theme.IconDevice(), lang.X("practice.nodevice", "No device in the practice cloud"),
			lang.X("practice.nodevice.line", "Provision a practice device, or register one with a client of yours: Connect says how."),
			widgets.NewButton(widgets.Secondary, lang.X("devices.first", "Provision a device"), fynetheme.ContentAddIcon(), func() { t.v.c.Open(frame.Place{Page: frame.Provision}) }))
	}
	t.empty.Objects = []fyne.CanvasObject{o}
	t.empty.Refresh()
}

func (t *devices) open(key string) {
	if hub, id, ok := strings.Cut(key, "/"); ok {
		t.v.openDevice(hub, id)
	}
}

// openFirst opens what Enter in the search means.
func (t *devices) openFirst() {
	if key := t.table.Selected(); key != "" {
		t.open(key)
		return
	}
	search, hub := t.search.Text, t.hub
	frame.Do(t.v.c, &frame.Task{}, func(ctx context.Context) (app.PracticeDevicePage, error) {
		return t.v.c.App.PracticeDevices(ctx, hub, app.PracticePage{Search: search, Limit: 1})
	}, func(page app.PracticeDevicePage, err error) {
		if err == nil && len(page.Devices) > 0 && search != "" {
			t.open(page.Devices[0].Key())
		}
	})
}
