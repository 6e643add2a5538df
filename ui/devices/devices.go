// Package devices is the page of the catalog: search, filters, a table that
// stays quick with a hundred thousand devices, and a page for each device with
// its facts, its plan and its runs. The TPM station has two tabs beside it.
//
// The catalog is asked off the screen's thread; the rows of the table are ready
// texts. What is asked for anew makes the older question void.
package devices

import (
	"context"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/live"
	"edgewright/ui/station"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// The names of this page's preferences.
const (
	preferenceColumns    = "devices.columns"
	preferenceSort       = "devices.sort"
	preferenceDescending = "devices.descending"
)

// most is how many devices are listed at once; more are found by narrowing.
const most = 200

// refreshEvery is the shortest time between two looks at the catalog that nobody
// asked for.
const refreshEvery = time.Second

// Page is the screen.
type Page struct {
	c       *frame.Context
	content *fyne.Container // the list, or the page of a device
	list    fyne.CanvasObject
	inner   *devicePage

	head    *widgets.PageHead
	add     *widgets.Button
	bring   *widgets.Button // in the head of an empty catalog
	tools   *fyne.Container
	notice  *fyne.Container
	search  *widgets.Entry
	clouds  *widgets.Select
	care    *widgets.Button
	table   *widgets.DataTable
	empty   *fyne.Container
	more    *widgets.Text
	middle  *fyne.Container // the table, or why there is none
	tabs    *widgets.Tabs
	body    *fyne.Container // the tab that is open
	catalog *fyne.Container
	collect *station.Collector
	keys    *station.Keys
	current rows // what the table shows
	// answered is the query that current answers.
	answered app.DeviceQuery
	offered  []string // the clouds of the filter, without the first line

	query   app.DeviceQuery
	counted app.Counts
	known   bool // that the catalog was counted once
	none    bool // that empty says so of the whole catalog
	load    frame.Task
	count   frame.Task
	look    frame.Task
	fresh   *live.Refresher
}

// New makes the page; the catalog is read when it is shown.
func New(c *frame.Context) *Page {
	p := &Page{c: c, query: app.DeviceQuery{Limit: most}}
	p.add = widgets.NewButton(widgets.Primary, lang.X("devices.provision", "Provision"), fynetheme.ContentAddIcon(), p.Primary)
	p.bring = p.importButton()
	p.head = widgets.NewPageHead(lang.X("devices.title", "Devices"), "")
	p.search = widgets.NewEntry(func(string) { p.openFirst() })
	p.search.SetPlaceHolder(lang.X("devices.search", "Search ID, host, tag ..."))
	p.search.OnChanged = func(text string) {
		p.query.Text = text
		p.read()
	}
	p.clouds = widgets.NewSelect([]string{allClouds()}, nil)
	p.clouds.SetSelectedIndex(0)
	p.clouds.OnChanged = func(string) { p.chooseCloud() }
	p.care = widgets.NewButton(widgets.Secondary, "", nil, p.toggleCare)
	p.tools = p.toolbar()
	p.notice = layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	p.notice.Hide()
	p.empty = container.NewStack()
	p.more = widgets.NewText("", widgets.StyleSmall)
	p.more.Hide()
	p.table = p.newTable()
	p.middle = container.NewStack(p.table)
	p.catalog = layout.Column(fynetheme.Size(theme.SizeNameSpace3), p.tools, layout.Grow(p.middle), p.more)
	p.makeStation()
	p.nameCare()
	return p
}

func allClouds() string { return lang.X("devices.allclouds", "All clouds") }

func (p *Page) toolbar() *fyne.Container {
	space := fynetheme.Size(theme.SizeNameSpace2)
	export := widgets.NewButton(widgets.Secondary, lang.X("devices.export", "Export ..."), fynetheme.DownloadIcon(), p.export)
	return layout.Beside(space, 220*theme.TextFactor(), p.search, layout.Flow(space, p.clouds, p.care, export, p.importButton()))
}

func (p *Page) importButton() *widgets.Button {
	return widgets.NewButton(widgets.Secondary, lang.X("devices.import", "Import ..."), fynetheme.UploadIcon(), p.importDevices)
}

func (p *Page) newTable() *widgets.DataTable {
	t := widgets.NewDataTable(p.empty, columns()...)
	if shown := p.c.Preferences.StringList(preferenceColumns); len(shown) > 0 {
		t.ShowColumns(shown...)
	}
	p.query.SortBy = p.c.Preferences.StringWithFallback(preferenceSort, columnDevice)
	if !slices.ContainsFunc(columns(), func(c widgets.TableColumn) bool { return c.Sortable && c.ID == p.query.SortBy }) {
		p.query.SortBy = columnDevice
	}
	p.query.Descending = p.c.Preferences.Bool(preferenceDescending)
	t.SetSort(p.query.SortBy, p.query.Descending)
	t.OnSort = func(column string, descending bool) {
		p.query.SortBy, p.query.Descending = column, descending
		p.c.Preferences.SetString(preferenceSort, column)
		p.c.Preferences.SetBool(preferenceDescending, descending)
		p.read()
	}
	t.OnColumns = func(ids []string) { p.c.Preferences.SetStringList(preferenceColumns, ids) }
	t.OnOpened = p.open
	return t
}

// Content implements frame.Page.
func (p *Page) Content() fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace3)
	p.list = layout.Page(p.head, layout.Column(space, p.notice, p.tabs, layout.Grow(p.body)), nil)
	p.content = container.NewStack(p.list)
	p.fresh = live.New(p.c, p.content, refreshEvery, p.Again)
	return p.content
}

// Show reads the catalog anew, and opens the tab, or the device by its UUID or its
// device ID, that the place names.
func (p *Page) Show(place frame.Place) {
	p.fresh.Follow()
	if place.Tab != "" {
		p.close()
		if p.tabs.Opened() != place.Tab {
			p.hush()
		}
		p.tabs.Select(place.Tab)
	}
	p.openTab("")
	p.readAll()
	switch {
	case place.Device != "":
		p.tabs.Select(TabCatalog)
		p.openTab("")
		p.open(place.Device)
	case p.inner != nil:
		p.open(p.inner.device.UUID)
	}
}

// Focus implements frame.Page.
func (p *Page) Focus() fyne.Focusable {
	if p.inner != nil {
		return p.inner.first()
	}
	if part := p.part(); part != nil {
		return part.First()
	}
	if p.known && p.counted.Devices == 0 {
		return widgets.FirstFocus(p.empty)
	}
	return p.search
}

// Primary provisions: the device that is open once more, or another one.
func (p *Page) Primary() {
	if p.inner != nil {
		p.inner.again()
		return
	}
	if part := p.part(); part != nil {
		part.Primary()
		return
	}
	p.c.Open(frame.Place{Page: frame.Provision})
}

// Back closes the device that is open, or takes the search back.
func (p *Page) Back() bool {
	switch {
	case p.inner != nil:
		p.close()
	case p.part() != nil:
		return p.part().Back()
	case p.search.Text != "":
		p.search.SetText("")
	default:
		return false
	}
	return true
}

// Again implements frame.Page.
func (p *Page) Again() {
	p.readAll()
	if part := p.part(); part != nil {
		part.Read()
	}
	if p.inner != nil {
		p.open(p.inner.device.UUID)
	}
}

// Search implements frame.Searcher.
func (p *Page) Search() {
	if p.inner != nil {
		p.close()
	}
	if p.part() != nil {
		p.tabs.Select(p.searchable())
		p.openTab("")
		if p.part() != nil {
			p.keys.Search()
			return
		}
	}
	if p.c.Window != nil {
		p.c.Window.Canvas().Focus(p.search)
	}
}

// Help implements frame.Page.
func (p *Page) Help() string {
	if part := p.part(); part != nil {
		return part.Help()
	}
	return lang.X("devices.help", "Every device that was provisioned from here. Type to search ID, host, target, tag and note; Enter opens the first hit. Click a title to sort; the button at the right end chooses columns. A device opens with its facts, its plan and its runs.")
}

// found is what the catalog answered.
type found struct {
	rows rows
	of   int  // how many there are, where not all are listed
	more bool // and even more than these
}

// read lists the devices that fit. An older question is void and cancelled.
func (p *Page) read() {
	q := p.query
	frame.Do(p.c, &p.load, func(ctx context.Context) (found, error) {
		devices, err := p.c.App.Devices(ctx, q)
		if err != nil {
			return found{}, err
		}
		answer := found{rows: newRows(devices, time.Now())}
		if len(devices) == q.Limit {
			answer.of, answer.more, err = p.c.App.FoundDevices(ctx, q)
		}
		return answer, err
	}, func(answer found, err error) {
		if err != nil {
			p.fill(frame.Failure(err, "", p.Again))
			return
		}
		p.fill(p.table)
		p.showEmpty()
		p.current, p.answered = answer.rows, q
		p.table.SetRows(p.current)
		p.sayMore(answer)
	})
}

// fill puts the table, or why there is none, below the search.
func (p *Page) fill(o fyne.CanvasObject) {
	if p.middle.Objects[0] != o {
		p.middle.Objects = []fyne.CanvasObject{o}
		p.middle.Refresh()
	}
}

// sayMore says that not all that fit are listed.
func (p *Page) sayMore(answer found) {
	text := ""
	n := len(answer.rows.list)
	switch {
	case answer.of <= n:
	case answer.more:
		text = lang.X("devices.evenmore", "The first {{.N}} of more than {{.Of}}. Type more to narrow them down.", map[string]any{"N": n, "Of": answer.of})
	default:
		text = lang.X("devices.more", "The first {{.N}} of {{.Of}}. Type more to narrow them down.", map[string]any{"N": n, "Of": answer.of})
	}
	if p.more.Text() != text {
		p.more.SetText(text)
		if text == "" {
			p.more.Hide()
		} else {
			p.more.Show()
		}
		p.list.Refresh()
	}
}

// counts is what readAll finds beside the list.
type counts struct {
	app.Counts
	clouds []string
}

// readAll reads the list, the counts and the names of the clouds.
func (p *Page) readAll() {
	p.read()
	frame.Do(p.c, &p.count, func(ctx context.Context) (counts, error) {
		n, err := p.c.App.Counts(ctx)
		if err != nil {
			return counts{}, err
		}
		clouds, err := p.c.App.Clouds(ctx)
		answer := counts{Counts: n}
		for _, cloud := range clouds {
			answer.clouds = append(answer.clouds, cloud.Name)
		}
		return answer, err
	}, func(answer counts, err error) {
		if err != nil {
			return // read says it
		}
		p.counted, p.known = answer.Counts, true
		p.sayCounts()
		p.offerClouds(answer.clouds)
		p.showEmpty()
	})
}

// openFirst opens what Enter in the search means: the selected row, or the
// first one. The list may still be on its way; then the catalog is asked.
func (p *Page) openFirst() {
	if uuid := p.table.Selected(); uuid != "" {
		p.open(uuid)
		return
	}
	if strings.TrimSpace(p.query.Text) == "" {
		return
	}
	q := p.query
	q.Limit = 1
	frame.Do(p.c, &p.look, func(ctx context.Context) (opened, error) {
		devices, err := p.c.App.Devices(ctx, q)
		if err != nil || len(devices) == 0 {
			return opened{}, err
		}
		return p.lookUp(ctx, devices[0].UUID)
	}, p.showOpened)
}
