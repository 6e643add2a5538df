// Package certificates is the page of the certificates: the tree by issuer with
// a search over all of them, one certificate in plain words, the forms that make,
// sign, import, export, renew and revoke, the board of what ends when, and the
// profiles of the user.
//
// The tree is read a portion of a branch at a time, when it is opened; a search
// reads what it found and the issuers above. Nothing here reads a certificate or
// a key itself: files and the catalog are the program's.
package certificates

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/ui/frame"
	"edgewright/ui/live"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// refreshEvery is the shortest time between two looks at the catalog that nobody
// asked for.
const refreshEvery = time.Second

// inner is a form in front of the page.
type inner interface {
	object() fyne.CanvasObject
	first() fyne.Focusable
	// submit presses its blue button.
	submit()
}

// Page is the screen.
type Page struct {
	c        *frame.Context
	content  *fyne.Container // the page, or a form
	main     fyne.CanvasObject
	head     *widgets.PageHead
	notice   *fyne.Container
	tabs     *widgets.Tabs
	body     *fyne.Container // the tab that is open
	tree     *tree
	board    *board
	batches  *batches
	profiles *profiles
	minting  *minting // the batch of this window, nil before the first
	counting frame.Task
	empty    fyne.CanvasObject
	form     inner
	fresh    *live.Refresher
}

// New makes the page; the catalog is read when it is shown.
func New(c *frame.Context) *Page {
	p := &Page{c: c, notice: layout.Column(fynetheme.Size(theme.SizeNameSpace2))}
	p.notice.Hide()
	inspect := widgets.NewButton(widgets.Secondary, lang.X("certificates.inspect", "Look at a file ..."), fynetheme.SearchIcon(), p.inspectFile)
	add := widgets.NewButton(widgets.Primary, lang.X("certificates.new", "New"), fynetheme.ContentAddIcon(), p.Primary)
	p.head = widgets.NewPageHead(lang.X("certificates.title", "Certificates"), "", inspect, p.importButton(), add)
	p.tabs = p.newTabs()
	p.tree, p.board, p.batches, p.profiles = newTree(p), newBoard(p), newBatches(p), newProfiles(p)
	p.body = container.NewStack(p.tree.object)
	return p
}

// now is the time by which states are shown.
func (p *Page) now() time.Time { return time.Now() }

// Content implements frame.Page.
func (p *Page) Content() fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace3)
	p.main = layout.Page(p.head, layout.Column(space, p.notice, p.tabs, layout.Grow(p.body)), nil)
	p.content = container.NewStack(p.main)
	p.fresh = live.New(p.c, p.content, refreshEvery, p.Again)
	return p.content
}

// Show reads the catalog anew, and opens the tab, the certificate or the file that
// the place names.
func (p *Page) Show(place frame.Place) {
	p.fresh.Follow()
	if place.Tab != "" {
		p.tabs.Select(place.Tab)
		p.openTab(place.Tab)
	}
	p.Again()
	switch {
	case place.Certificate != "":
		p.close()
		p.showInTree(place.Certificate)
	case len(place.Files) > 0:
		p.inspect(place.Files...)
	}
}

// Focus implements frame.Page.
func (p *Page) Focus() fyne.Focusable {
	if p.form != nil {
		return p.form.first()
	}
	return p.part().first()
}

// Primary presses the blue button of the form that is open, or opens the form for
// a new certificate.
func (p *Page) Primary() {
	if p.form != nil {
		p.form.submit()
		return
	}
	p.newCertificate("", "")
}

// Back closes the form, or the certificate where it has the page to itself, or
// takes the search back.
func (p *Page) Back() bool {
	if one, ok := p.form.(*inspection); ok && one.among != nil {
		p.open(one.among)
		return true
	}
	if p.form != nil {
		p.close()
		return true
	}
	return p.part() == tab(p.tree) && p.tree.back()
}

// Dropped implements frame.Dropped: a list of devices is for the form that asks
// for one.
func (p *Page) Dropped(files []string) bool {
	form, ok := p.form.(*mintForm)
	return ok && len(files) == 1 && form.drop(files[0])
}

// Again implements frame.Page.
func (p *Page) Again() {
	p.part().read()
	p.count()
}

// Search implements frame.Searcher.
func (p *Page) Search() {
	p.close()
	p.tabs.Select(TabTree)
	p.openTab(TabTree)
	p.c.Focus(p.tree.search)
}

// Help implements frame.Page.
func (p *Page) Help() string {
	return lang.X("certificates.help", "Every certificate that was made, signed or imported here, under the CA that signed it. Type to search name, device, serial number and thumbprint. In the tree, Right opens a CA and Left closes it; Enter opens the certificate. What ends when lists the ends of all that counts, with what there is to do. Many at once makes bundles for a list of devices. Files that are dropped on the window are looked at.")
}

// open puts a form in front of the page.
func (p *Page) open(form inner) {
	p.hush()
	p.form = form
	p.put(form.object(), form.first())
}

// close goes back to the page.
func (p *Page) close() {
	if p.form == nil {
		return
	}
	p.form = nil
	p.put(p.main, p.Focus())
}

func (p *Page) put(o fyne.CanvasObject, first fyne.Focusable) {
	p.content.Objects = []fyne.CanvasObject{o}
	p.content.Refresh()
	if first != nil {
		p.c.FocusIn(frame.Certificates, first)
	}
}

// say puts a passing message above the page, with what belongs to it; it stays
// until it is closed or the next one comes.
func (p *Page) say(state widgets.State, title, line string, below ...fyne.CanvasObject) {
	closer := widgets.NewIconButton(lang.X("action.close", "Close"), fynetheme.CancelIcon(), p.hush)
	p.notice.Objects = append([]fyne.CanvasObject{widgets.NewBanner(state, title, line, closer)}, below...)
	p.notice.Show()
	p.notice.Refresh()
	p.main.Refresh()
}

// hush takes the message away.
func (p *Page) hush() {
	p.notice.Objects = nil
	p.notice.Hide()
	p.main.Refresh()
}

// sayError says that something asked for did not happen.
func (p *Page) sayError(err error) {
	view := frame.View(err)
	p.say(widgets.Bad, view.Message, view.Hint)
}
