package devices

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"

	"edgewright/ui/station"
	"edgewright/ui/widgets"
)

// The IDs of the tabs, for a place that opens one.
const (
	TabCatalog = "catalog"
	TabStation = "station"
	TabKeys    = "keys"
)

// part is a tab beside the catalog.
type part interface {
	Object() fyne.CanvasObject
	// First is what the keyboard goes to.
	First() fyne.Focusable
	// Actions and Line are those of the head.
	Actions() []fyne.CanvasObject
	Line() string
	Read()
	Primary()
	Back() bool
	Help() string
}

// makeStation makes the tabs and the TPM station.
func (p *Page) makeStation() {
	p.tabs = widgets.NewTabs(func(id string) {
		p.hush()
		p.openTab(id)
	}, widgets.Tab{ID: TabCatalog, Text: lang.X("devices.tab.catalog", "Catalog")},
		widgets.Tab{ID: TabStation, Text: lang.X("devices.tab.station", "TPM station")},
		widgets.Tab{ID: TabKeys, Text: lang.X("devices.tab.keys", "Endorsement keys")})
	h := station.Host{C: p.c, Say: p.say, OpenKey: p.openKey, Counted: func(n int) {
		status := widgets.Status{}
		if n > 0 {
			status.Word = strconv.Itoa(n)
		}
		p.tabs.SetStatus(TabKeys, status)
		p.sayPart()
	}, Listed: p.sayPart}
	p.collect, p.keys = station.NewCollector(h), station.NewKeys(h)
	p.body = container.NewStack(p.catalog)
}

// part is the tab that is open, nil for the catalog itself.
func (p *Page) part() part {
	switch p.tabs.Opened() {
	case TabStation:
		return p.collect
	case TabKeys:
		return p.keys
	}
	return nil
}

// openTab shows the tab that is selected and reads it.
func (p *Page) openTab(string) {
	o := fyne.CanvasObject(p.catalog)
	its := p.part()
	if its != nil {
		o = its.Object()
	}
	if p.body.Objects[0] != o {
		p.body.Objects = []fyne.CanvasObject{o}
		p.body.Refresh()
	}
	if its == nil {
		p.sayCounts()
		return
	}
	p.sayPart()
	its.Read()
}

// sayPart writes the head for the tab that is open beside the catalog.
func (p *Page) sayPart() {
	if its := p.part(); its != nil {
		p.head.SetLine(its.Line())
		p.head.SetActions(its.Actions()...)
	}
}

// openKey shows a collected key in its tab.
func (p *Page) openKey(id string) {
	p.tabs.Select(TabKeys)
	p.openTab(TabKeys)
	p.keys.Open(id)
}

// searchable is the tab that Ctrl+F goes to from the one that is open.
func (p *Page) searchable() string {
	if p.tabs.Opened() == TabKeys {
		return TabKeys
	}
	return TabCatalog
}
