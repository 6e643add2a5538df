package certificates

import (
	"context"
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

// tree is the search, the tree by issuer and the certificate beside it.
type tree struct {
	p      *Page
	object fyne.CanvasObject
	search *widgets.Entry
	list   *widgets.TreeList
	card   fyne.CanvasObject // around the list
	middle *fyne.Container   // the list, or why there is nothing in it
	more   *widgets.Text
	side   *fyne.Container // the certificate that is chosen
	all    *fyne.Container
	empty  fyne.CanvasObject
	leave  *widgets.Button
	top    *fyne.Container // around it

	forest *forest
	hits   *app.CertificateHits // of a search, nil without one
	shown  *detail
	known  bool // that the catalog was read once
	wide   bool // list and certificate are side by side
	opened bool // in a narrow window: the certificate is in front
	load   frame.Task
	look   frame.Task
	path   frame.Task
}

func newTree(p *Page) *tree {
	t := &tree{p: p, forest: newForest(), wide: true, side: container.NewStack(nothingChosen())}
	space := fynetheme.Size(theme.SizeNameSpace3)
	t.search = widgets.NewEntry(func(string) { t.enter() })
	t.search.SetPlaceHolder(lang.X("certificates.search", "Search name, device, thumbprint, serial ... or drop a file here"))
	t.search.OnChanged = func(string) { t.read() }
	t.list = widgets.NewTreeList()
	t.list.OnSelected = t.choose
	t.list.OnOpened = t.openRow
	t.list.OnToggled = t.toggle
	t.more = widgets.NewText("", widgets.StyleSmall)
	t.more.Hide()
	t.empty = widgets.NewEmptyState(theme.IconCertificate(), lang.X("certificates.nohits", "No certificate fits"),
		lang.X("certificates.nohits.line", "Search for a part of its name, its device, its serial number or a thumbprint."), nil)
	t.card = framed(t.list)
	t.middle = container.NewStack(t.card)
	t.leave = widgets.NewButton(widgets.Secondary, lang.X("certificates.totree", "Back to the tree"), fynetheme.NavigateBackIcon(), func() { t.back() })
	t.top = layout.Flow(0, t.leave)
	t.top.Hide()
	left := layout.Column(fynetheme.Size(theme.SizeNameSpace2), layout.Grow(t.middle), t.more)
	right := layout.Column(fynetheme.Size(theme.SizeNameSpace2), t.top, layout.Grow(t.side))
	t.all = layout.Split(0.47, 340*theme.TextFactor(), fynetheme.Size(theme.SizeNameSpace4), t.setWide, left, right)
	t.object = layout.Column(space, t.search, layout.Grow(t.all))
	return t
}

// framed puts a list on a surface with a hairline, its rows a little inside.
func framed(o fyne.CanvasObject) fyne.CanvasObject {
	box := widgets.NewBox(theme.ColorNameSurface, theme.ColorNameLine, theme.SizeNameCardCorner)
	return container.NewStack(box, layout.Inset(fynetheme.Size(theme.SizeNameSpace1)+2, o))
}

// first is what the keyboard goes to.
func (t *tree) first() fyne.Focusable {
	if t.opened && !t.wide && t.shown != nil {
		return t.leave
	}
	if t.known && t.hits == nil && len(t.list.Rows()) == 0 {
		return widgets.FirstFocus(t.p.nothing())
	}
	return t.search
}

// setWide is told with each layout whether both parts have room.
func (t *tree) setWide(wide bool) {
	t.wide = wide
	show(t.all.Objects[0], wide || !t.opened)
	show(t.all.Objects[1], wide || t.opened)
	show(t.top, !wide)
}

// back leaves the certificate where it has the page to itself, or takes the
// search back.
func (t *tree) back() bool {
	switch {
	case t.opened && !t.wide:
		t.opened = false
		t.all.Refresh()
		t.p.c.FocusIn(frame.Certificates, t.list)
	case t.search.Text != "":
		t.search.SetText("")
		t.p.c.FocusIn(frame.Certificates, t.search)
	default:
		return false
	}
	return true
}

// read reads what is in sight anew: what the search finds, or the branches that
// are open.
func (t *tree) read() {
	if text := strings.TrimSpace(t.search.Text); text != "" {
		frame.Do(t.p.c, &t.load, func(ctx context.Context) (app.CertificateHits, error) {
			return t.p.c.App.FindCertificates(ctx, text, portion)
		}, t.showHits)
		return
	}
	t.hits = nil
	open := map[string]int{}
	for id, b := range t.forest.branches {
		if b.open {
			open[id] = max(portion, len(b.leaves))
		}
	}
	frame.Do(t.p.c, &t.load, func(ctx context.Context) (map[string]app.CertificatePage, error) {
		pages := map[string]app.CertificatePage{}
		for id, limit := range open {
			page, err := t.p.c.App.CertificatesUnder(ctx, id, 0, limit)
			if err != nil {
				return nil, err
			}
			pages[id] = page
		}
		return pages, nil
	}, func(pages map[string]app.CertificatePage, err error) {
		if err != nil {
			t.fail(err)
			return
		}
		t.known = true
		for id, page := range pages {
			t.forest.put(id, 0, page)
		}
		t.show()
	})
	t.again()
}

// again reads the certificate that is shown anew.
func (t *tree) again() {
	if t.shown != nil {
		t.choose(t.shown.d.ID)
	}
}

func (t *tree) fail(err error) {
	t.fill(frame.Failure(err, "", t.p.Again))
}

func (t *tree) showHits(hits app.CertificateHits, err error) {
	if err != nil {
		t.fail(err)
		return
	}
	t.hits = &hits
	t.show()
}

// show puts the rows of the search or of the forest into the list.
func (t *tree) show() {
	var rows []widgets.TreeRow
	text := ""
	if t.hits != nil {
		rows = found(*t.hits, t.p.now())
		if t.hits.More {
			text = lang.X("certificates.first", "The first {{.N}}. Type more to narrow them down.", map[string]any{"N": portion})
		}
	} else {
		rows = t.forest.rows(t.p.now())
	}
	switch {
	case len(rows) > 0:
		t.fill(t.card)
	case t.hits != nil:
		t.fill(t.empty)
	default:
		t.fill(t.p.nothing())
	}
	t.list.SetRows(rows)
	t.more.SetText(text)
	if text == "" {
		t.more.Hide()
	} else {
		t.more.Show()
	}
	t.all.Refresh()
}

// fill puts the list, or what stands in its place, before the search's results.
func (t *tree) fill(o fyne.CanvasObject) {
	if t.middle.Objects[0] != o {
		t.middle.Objects = []fyne.CanvasObject{o}
		t.middle.Refresh()
	}
}

// toggle opens or closes a branch, or gets the next portion of one.
func (t *tree) toggle(identity string, open bool) {
	id, more := strings.CutPrefix(identity, moreOf(""))
	b := t.forest.at(id)
	if b.reading {
		return
	}
	if !more {
		if b.open = open; !open {
			t.show()
			return
		}
	}
	offset := 0
	if more {
		offset = len(b.leaves)
	}
	b.reading = true
	frame.Do(t.p.c, &frame.Task{}, func(ctx context.Context) (app.CertificatePage, error) {
		return t.p.c.App.CertificatesUnder(ctx, id, offset, portion)
	}, func(page app.CertificatePage, err error) {
		b.reading = false
		if err != nil {
			t.fail(err)
			return
		}
		t.forest.put(id, offset, page)
		if t.hits == nil {
			t.show()
		}
		if more && len(page.Nodes) > 0 {
			t.list.Select(page.Nodes[0].ID)
		}
	})
}

// enter is Enter in the search: it opens what is selected, or the first hit.
func (t *tree) enter() {
	if id := t.list.Selected(); id != "" {
		t.openRow(id)
		return
	}
	for _, row := range t.list.Rows() {
		if !row.Muted && !row.More {
			t.list.Select(row.Identity)
			t.openRow(row.Identity)
			return
		}
	}
}

// choose shows the certificate of a row beside the list.
func (t *tree) choose(id string) {
	if strings.HasPrefix(id, moreOf("")) {
		return
	}
	frame.Do(t.p.c, &t.look, func(ctx context.Context) (app.CertificateDetail, error) {
		return t.p.c.App.CertificateDetail(ctx, id)
	}, func(found app.CertificateDetail, err error) {
		if err != nil {
			t.shown = nil
			t.setSide(frame.Failure(err, "", func() { t.choose(id) }))
			return
		}
		t.shown = newDetail(t.p, found)
		t.setSide(t.shown.object)
	})
}

func (t *tree) setSide(o fyne.CanvasObject) {
	t.side.Objects = []fyne.CanvasObject{o}
	t.side.Refresh()
	t.all.Refresh()
}

// openRow goes into a certificate: to its buttons beside the list, or in a narrow
// window to a page of its own.
func (t *tree) openRow(id string) {
	t.choose(id)
	if !t.wide {
		t.opened = true
		t.all.Refresh()
		t.p.c.FocusIn(frame.Certificates, t.leave)
	}
}

// reveal opens the branches above a certificate and chooses it.
func (t *tree) reveal(id string) {
	if t.search.Text != "" {
		t.search.SetText("")
	}
	frame.Do(t.p.c, &t.path, func(ctx context.Context) ([]string, error) {
		return t.p.c.App.CertificatePath(ctx, id)
	}, func(path []string, err error) {
		if err != nil {
			t.p.sayError(err)
			return
		}
		for _, above := range path[:len(path)-1] {
			t.forest.at(above).open = true
		}
		t.list.Select(path[len(path)-1])
		t.read()
		t.openRow(path[len(path)-1])
	})
}
