package station

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// most is how many keys are listed at once; more are found by narrowing.
const most = 200

// Keys is the tab with the keys that were collected.
type Keys struct {
	h       Host
	object  *fyne.Container
	search  *widgets.Entry
	tools   *fyne.Container
	table   *widgets.DataTable
	middle  *fyne.Container
	empty   *fyne.Container
	more    *widgets.Text
	pair    *pair
	enrol   *widgets.Button // the blue one, in the head
	bring   *widgets.Button
	working *enrolling // while an enrollment goes on, nil else
	panel   *widgets.ProgressPanel

	query    app.TPMKeyQuery
	answered app.TPMKeyQuery // what the table shows
	known    bool            // that the catalog was read once
	of       int             // how many there are in all
	over     bool            // and even more
	current  *list
	shown    string // the ID of the key beside the list
	load     frame.Task
	look     frame.Task
}

// NewKeys makes the tab.
func NewKeys(h Host) *Keys {
	k := &Keys{h: h, query: app.TPMKeyQuery{Limit: most}, current: &list{}}
	space := fynetheme.Size(theme.SizeNameSpace3)
	k.enrol = widgets.NewButton(widgets.Primary, lang.X("keys.enrol", "Enrol ..."), theme.IconCloud(), k.Primary)
	k.bring = widgets.NewButton(widgets.Secondary, lang.X("keys.import", "Import ..."), fynetheme.UploadIcon(), k.importList)
	k.search = widgets.NewEntry(func(string) { k.enter() })
	k.search.SetPlaceHolder(lang.X("keys.search", "Search device, hash, place, maker ..."))
	k.search.OnChanged = func(text string) {
		k.query.Text = text
		k.Read()
	}
	export := widgets.NewButton(widgets.Secondary, lang.X("keys.export", "Export ..."), fynetheme.DownloadIcon(), k.export)
	k.tools = layout.Beside(fynetheme.Size(theme.SizeNameSpace2), 220*theme.TextFactor(), k.search, layout.Flow(0, export))
	k.empty = container.NewStack()
	k.table = widgets.NewDataTable(k.empty,
		widgets.TableColumn{ID: "device", Title: lang.X("devices.device", "Device"), Width: 118, Fixed: true},
		widgets.TableColumn{ID: "where", Title: lang.X("station.where", "Where"), Width: 126, Hidden: true},
		widgets.TableColumn{ID: "hash", Title: "SHA-256", Width: 106},
		widgets.TableColumn{ID: "from", Title: lang.X("keys.from", "From"), Width: 122},
		widgets.TableColumn{ID: "maker", Title: lang.X("ek.maker", "TPM"), Width: 60, Hidden: true},
		widgets.TableColumn{ID: "template", Title: lang.X("ek.template", "Template"), Width: 130, Hidden: true},
		widgets.TableColumn{ID: "certificate", Title: lang.X("ek.certificate", "EK certificate"), Width: 120, Hidden: true},
		widgets.TableColumn{ID: "taken", Title: lang.X("keys.taken", "Read"), Width: 110, Hidden: true})
	k.table.OnSelected = k.choose
	k.table.OnOpened = k.Open
	k.more = widgets.NewText("", widgets.StyleSmall)
	k.more.Hide()
	k.panel = widgets.NewProgressPanel(lang.X("station.stop", "Stop"), k.stop)
	k.panel.Hide()
	left := layout.Column(fynetheme.Size(theme.SizeNameSpace2), layout.Grow(k.table), k.more)
	k.pair = newPair(h.C, left, noKeyChosen())
	k.middle = container.NewStack(k.pair.object)
	k.object = layout.Column(space, k.tools, k.panel, layout.Grow(k.middle))
	return k
}

func noKeyChosen() fyne.CanvasObject {
	return widgets.NewEmptyState(theme.IconKey(), lang.X("ek.none", "No key is chosen"),
		lang.X("ek.none.line", "Choose one to see its registration IDs, its template and its certificate."), nil)
}

// Object implements the tab.
func (k *Keys) Object() fyne.CanvasObject { return k.object }

// First implements the tab.
func (k *Keys) First() fyne.Focusable {
	switch {
	case k.pair.alone():
		return k.pair.leave
	case k.known && k.of == 0 && k.query.Text == "":
		return widgets.FirstFocus(k.empty)
	}
	return k.search
}

// Actions are the buttons of the head.
func (k *Keys) Actions() []fyne.CanvasObject {
	if k.known && k.of == 0 && k.query.Text == "" {
		return []fyne.CanvasObject{k.bring}
	}
	return []fyne.CanvasObject{k.bring, k.enrol}
}

// Line is the line of the head.
func (k *Keys) Line() string {
	if !k.known || k.of == 0 {
		return ""
	}
	if k.over {
		return lang.X("keys.line.over", "More than {{.N}} endorsement keys fit", map[string]any{"N": k.of})
	}
	return lang.XN("keys.line", "{{.N}} endorsement keys", k.of, map[string]any{"N": k.of})
}

// Back implements the tab.
func (k *Keys) Back() bool {
	switch {
	case k.pair.back():
	case k.search.Text != "":
		k.search.SetText("")
	default:
		return false
	}
	return true
}

// Search gives the keyboard to the search.
func (k *Keys) Search() {
	k.pair.back()
	k.h.C.Focus(k.search)
}

// Help implements the tab.
func (k *Keys) Help() string {
	return lang.X("keys.help", "The endorsement keys that were read here or came in with a list. Type to search; Enter opens the first hit. Enrol makes a DPS know all keys that the search leaves. Export writes a list for those who enrol elsewhere; signed, whoever imports it sees that it is as it was written. A plan enrols a key without its TPM by endorsement_key = \"catalog:\" and the key's hash.")
}

// answer is what the catalog says of a query.
type answer struct {
	keys []app.CollectedKey
	of   int
	over bool
}

// Read lists the keys that fit. An older question is void.
func (k *Keys) Read() {
	q := k.query
	frame.Do(k.h.C, &k.load, func(ctx context.Context) (answer, error) {
		keys, err := k.h.C.App.CollectedKeys(ctx, q)
		if err != nil {
			return answer{}, err
		}
		a := answer{keys: keys, of: len(keys)}
		if len(keys) == q.Limit {
			a.of, a.over, err = k.h.C.App.FoundCollectedKeys(ctx, q)
		}
		return a, err
	}, func(a answer, err error) {
		if err != nil {
			k.fill(frame.Failure(err, "", k.Read))
			return
		}
		k.known, k.of, k.over, k.answered = true, a.of, a.over, q
		k.show(a)
	})
}

func (k *Keys) show(a answer) {
	now := time.Now()
	k.current = &list{}
	for _, key := range a.keys {
		k.current.add(key.ID, keyCells(key, now))
	}
	k.showEmpty()
	show(k.tools, k.of > 0 || k.query.Text != "")
	k.table.SetRows(k.current)
	k.fill(k.pair.object)
	text := ""
	switch {
	case a.of <= len(a.keys):
	case a.over:
		text = lang.X("devices.evenmore", "The first {{.N}} of more than {{.Of}}. Type more to narrow them down.", map[string]any{"N": len(a.keys), "Of": a.of})
	default:
		text = lang.X("devices.more", "The first {{.N}} of {{.Of}}. Type more to narrow them down.", map[string]any{"N": len(a.keys), "Of": a.of})
	}
	k.more.SetText(text)
	show(k.more, text != "")
	k.object.Refresh()
	if q := k.answered; q.Text == "" {
		k.h.Counted(k.of)
	}
}

func (k *Keys) fill(o fyne.CanvasObject) {
	if k.middle.Objects[0] != o {
		k.middle.Objects = []fyne.CanvasObject{o}
		k.middle.Refresh()
	}
}

// showEmpty makes what stands in place of the rows.
func (k *Keys) showEmpty() {
	switch {
	case k.of > 0:
		return
	case k.query.Text == "":
		k.empty.Objects = []fyne.CanvasObject{widgets.NewEmptyState(theme.IconKey(), lang.X("keys.none", "No endorsement key yet"),
			lang.X("keys.none.line", "The TPM station reads them at the devices; a list brings those of another station."),
			widgets.NewButton(widgets.Secondary, lang.X("keys.import", "Import ..."), fynetheme.UploadIcon(), k.importList))}
	default:
		k.empty.Objects = []fyne.CanvasObject{widgets.NewEmptyState(fynetheme.SearchIcon(), lang.X("keys.nohit", "No key fits"),
			lang.X("keys.nohit.line", "The search leaves none of them."), nil)}
	}
	k.empty.Refresh()
}

// keyCells are the texts of a key.
func keyCells(key app.CollectedKey, now time.Time) map[string]widgets.TableCell {
	status, _ := certificate(key.EKCertificate.State)
	device := key.Device
	if device == "" {
		device = lang.X("keys.unnamed", "not named")
	}
	return map[string]widgets.TableCell{
		"device": {Text: device, Bold: key.Device != ""}, "where": {Text: where(key.Target, key.TPM)}, "hash": {Text: key.ID[:short], Mono: true},
		"from": {Status: origin(key)}, "maker": {Text: key.Manufacturer}, "template": {Text: templateName(key.EK.Template)},
		"certificate": {Status: status}, "taken": {Text: uilang.Moment(key.Taken, now)}}
}

// enter is Enter in the search: it opens what is selected, or the first hit.
func (k *Keys) enter() {
	id := k.table.Selected()
	if id == "" && k.current.Len() > 0 && strings.TrimSpace(k.query.Text) != "" {
		id = k.current.Identity(0)
	}
	if id != "" {
		k.Open(id)
	}
}

// Open shows a key, and in a narrow window goes into it.
func (k *Keys) Open(id string) {
	k.table.Select(id)
	k.choose(id)
	k.pair.open()
}

// Shown is the ID of the key beside the list, "" for none.
func (k *Keys) Shown() string { return k.shown }

// opened is a key with the one that was at its place before.
type opened struct {
	key    app.CollectedKey
	before app.CollectedKey
	had    bool
}

// choose shows a key beside the list.
func (k *Keys) choose(id string) {
	frame.Do(k.h.C, &k.look, func(ctx context.Context) (opened, error) {
		key, err := k.h.C.App.CollectedKey(ctx, id)
		if err != nil {
			return opened{}, err
		}
		before, had, err := k.h.C.App.KeyBefore(ctx, key.ID)
		return opened{key, before, had}, err
	}, func(o opened, err error) {
		if err != nil {
			k.pair.set(frame.Failure(err, "", func() { k.choose(id) }))
			return
		}
		k.shown = o.key.ID
		k.pair.set(newKey(k, o))
	})
}
