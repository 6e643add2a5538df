package certificates

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/widgets"
)

// The IDs of the tabs, for a place that opens one.
const (
	TabTree     = "tree"
	TabEnds     = "ends"
	TabProfiles = "profiles"
	TabBatches  = "batches"
)

// tab is one part of the page.
type tab interface {
	// read looks again.
	read()
	// first is what the keyboard goes to.
	first() fyne.Focusable
}

func (p *Page) newTabs() *widgets.Tabs {
	return widgets.NewTabs(p.openTab,
		widgets.Tab{ID: TabTree, Text: lang.X("certificates.tab.tree", "By issuer")},
		widgets.Tab{ID: TabEnds, Text: lang.X("certificates.tab.ends", "What ends when")},
		widgets.Tab{ID: TabBatches, Text: lang.X("certificates.tab.batches", "Many at once")},
		widgets.Tab{ID: TabProfiles, Text: lang.X("certificates.tab.profiles", "Profiles")})
}

// part is the tab that is open.
func (p *Page) part() tab {
	switch p.tabs.Opened() {
	case TabEnds:
		return p.board
	case TabBatches:
		return p.batches
	case TabProfiles:
		return p.profiles
	}
	return p.tree
}

// openTab shows a part and reads it.
func (p *Page) openTab(string) {
	var o fyne.CanvasObject
	switch part := p.part().(type) {
	case *board:
		o = part.object
	case *batches:
		o = part.object
	case *profiles:
		o = part.object
	default:
		o = p.tree.object
	}
	if p.body.Objects[0] != o {
		p.body.Objects = []fyne.CanvasObject{o}
		p.body.Refresh()
	}
	p.part().read()
}

// showInTree opens the tree at a certificate.
func (p *Page) showInTree(id string) {
	p.tabs.Select(TabTree)
	p.openTab(TabTree)
	p.tree.reveal(id)
}

// count writes how many there are into the head.
func (p *Page) count() {
	frame.Do(p.c, &p.counting, p.c.App.Counts, func(n app.Counts, err error) {
		if err != nil {
			return // the parts say what is wrong with the catalog
		}
		line := lang.XN("certificates.line", "{{.N}} certificates", n.Certificates, map[string]any{"N": n.Certificates})
		status := widgets.Status{}
		if n.CertificatesEndSoon > 0 {
			line += ", " + lang.XN("certificates.line.soon", "{{.N}} want care", n.CertificatesEndSoon, map[string]any{"N": n.CertificatesEndSoon})
			status = widgets.Status{State: widgets.Care, Word: strconv.Itoa(n.CertificatesEndSoon)}
		}
		if n.CertificatesEnded > 0 {
			line += ", " + lang.XN("certificates.line.ended", "{{.N}} have ended", n.CertificatesEnded, map[string]any{"N": n.CertificatesEnded})
			status = widgets.Status{State: widgets.Bad, Word: strconv.Itoa(n.CertificatesEndSoon + n.CertificatesEnded)}
		}
		p.head.SetLine(line)
		p.tabs.SetStatus(TabEnds, status)
		p.main.Refresh()
	})
}
