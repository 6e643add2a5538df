package devices

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/ui/theme"
	"edgewright/ui/widgets"
)

// sayCounts writes the head for what the catalog holds.
func (p *Page) sayCounts() {
	if p.part() != nil {
		p.nameCare()
		return
	}
	n := p.counted
	if n.Devices == 0 {
		p.head.SetLine("")
		p.head.SetActions(p.bring)
	} else {
		p.head.SetLine(lang.XN("devices.line", "{{.N}} devices, {{.Care}} need care", n.Devices, map[string]any{"N": n.Devices, "Care": n.NeedCare}))
		p.head.SetActions(p.add)
	}
	p.nameCare()
}

// nameCare writes the number on the filter, and whether it is on into its icon.
func (p *Page) nameCare() {
	p.care.Icon = fynetheme.CheckButtonIcon()
	if p.query.NeedsCare {
		p.care.Icon = fynetheme.CheckButtonCheckedIcon()
	}
	p.care.SetText(lang.X("devices.care", "Needs care ({{.N}})", map[string]any{"N": p.counted.NeedCare}))
}

func (p *Page) toggleCare() {
	p.query.NeedsCare = !p.query.NeedsCare
	p.nameCare()
	p.read()
}

// offerClouds fills the filter and keeps what is chosen.
func (p *Page) offerClouds(names []string) {
	if slices.Equal(names, p.offered) {
		return
	}
	p.offered = names
	p.clouds.Options = append([]string{allClouds()}, names...)
	if !slices.Contains(names, p.query.Cloud) && p.query.Cloud != "" {
		p.clouds.SetSelectedIndex(0) // calls chooseCloud
	}
	p.clouds.Refresh()
}

func (p *Page) chooseCloud() {
	p.query.Cloud = ""
	if i := p.clouds.SelectedIndex(); i > 0 && i <= len(p.offered) {
		p.query.Cloud = p.offered[i-1]
	}
	p.read()
}

// showEmpty makes what stands in place of the rows: the beginning of a catalog,
// or that nothing fits.
func (p *Page) showEmpty() {
	if !p.known {
		return
	}
	none := p.counted.Devices == 0
	if len(p.empty.Objects) > 0 && none == p.none {
		return // building it anew would cost more than the answer of the catalog
	}
	p.none = none
	if none {
		p.tools.Hide()
		p.empty.Objects = []fyne.CanvasObject{widgets.NewEmptyState(theme.IconDevice(), lang.X("devices.none", "No device yet"),
			lang.X("devices.none.line", "A device that you provision appears here, with its plan, its runs and its last proof."),
			widgets.NewButton(widgets.Primary, lang.X("devices.first", "Provision a device"), fynetheme.ContentAddIcon(), p.Primary))}
	} else {
		p.tools.Show()
		p.empty.Objects = []fyne.CanvasObject{widgets.NewEmptyState(fynetheme.SearchIcon(), lang.X("devices.nohit", "No device fits"),
			lang.X("devices.nohit.line", "The search and the filters leave none of them."),
			widgets.NewButton(widgets.Secondary, lang.X("devices.all", "Show all devices"), nil, p.showAll))}
	}
	p.empty.Refresh()
	p.list.Refresh()
}

// showAll takes the search and the filters back.
func (p *Page) showAll() {
	p.query.Text, p.query.Cloud, p.query.NeedsCare = "", "", false
	changed := p.search.OnChanged
	p.search.OnChanged = nil
	p.search.SetText("")
	p.search.OnChanged = changed
	p.clouds.OnChanged = nil
	p.clouds.SetSelectedIndex(0)
	p.clouds.OnChanged = func(string) { p.chooseCloud() }
	p.nameCare()
	p.read()
	p.Search()
}
