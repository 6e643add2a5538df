package practice

import (
	"context"

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

// enrollments is the tab of DPS: enrollments with their groups, and the
// registrations that came by them.
type enrollments struct {
	v        *View
	search   *widgets.Entry
	what     *widgets.Select
	listed   *widgets.DataTable // enrollments
	records  *widgets.DataTable // registrations
	body     *fyne.Container
	more     *widgets.Text
	all      fyne.CanvasObject
	load     frame.Task
	overview app.PracticeOverview
}

func newEnrollments(v *View) *enrollments {
	t := &enrollments{v: v}
	t.search = widgets.NewEntry(nil)
	t.search.SetPlaceHolder(lang.X("practice.search", "Search an ID ..."))
	t.search.OnChanged = func(string) { t.read(t.overview) }
	t.what = widgets.NewSelect([]string{lang.X("practice.tab.enrollments", "Enrollments"), lang.X("practice.registrations", "Registrations")}, nil)
	t.what.SetSelectedIndex(0)
	t.listed = widgets.NewDataTable(
		widgets.NewEmptyState(theme.IconLabel(), lang.X("practice.noenrollment", "No enrollment"), lang.X("practice.noenrollment.line", "A plan with DPS makes one, and so does any client of the DPS service."), nil),
		widgets.TableColumn{ID: columnID, Title: lang.X("practice.enrollment", "Enrollment"), Width: 200, Fixed: true},
		widgets.TableColumn{ID: columnKind, Title: lang.X("practice.kind", "Kind"), Width: 110},
		widgets.TableColumn{ID: columnState, Title: lang.X("devices.state", "State"), Width: 120},
		widgets.TableColumn{ID: columnProof, Title: lang.X("practice.attestation", "Attestation"), Width: 130},
		widgets.TableColumn{ID: columnModules, Title: lang.X("practice.makes", "Makes"), Width: 80},
		widgets.TableColumn{ID: columnCreated, Title: lang.X("practice.created", "Made"), Width: 130})
	t.records = widgets.NewDataTable(
		widgets.NewEmptyState(theme.IconLabel(), lang.X("practice.noregistration", "No registration"), lang.X("practice.noregistration.line", "Each device that registers with DPS leaves a record here."), nil),
		widgets.TableColumn{ID: columnID, Title: lang.X("practice.registration", "Registration"), Width: 180, Fixed: true},
		widgets.TableColumn{ID: columnState, Title: lang.X("devices.state", "State"), Width: 120},
		widgets.TableColumn{ID: columnKind, Title: lang.X("practice.why", "Why"), Width: 150},
		widgets.TableColumn{ID: columnHub, Title: lang.X("devices.hub", "Hub"), Width: 80},
		widgets.TableColumn{ID: columnGroup, Title: lang.X("practice.group", "Group"), Width: 110},
		widgets.TableColumn{ID: columnCreated, Title: lang.X("practice.updated", "Last"), Width: 130})
	t.records.OnOpened = t.open
	t.what.OnChanged = func(string) { t.turn() }
	t.more = widgets.NewText("", widgets.StyleSmall)
	t.more.Hide()
	t.body = container.NewStack(t.listed)
	space := fynetheme.Size(theme.SizeNameSpace2)
	t.all = layout.Column(fynetheme.Size(theme.SizeNameSpace3), layout.Beside(space, 220*theme.TextFactor(), t.search, t.what), layout.Grow(t.body), t.more)
	return t
}

func (t *enrollments) object() fyne.CanvasObject { return t.all }

func (t *enrollments) first() fyne.Focusable { return t.search }

// turn shows the other list.
func (t *enrollments) turn() {
	t.body.Objects = []fyne.CanvasObject{t.listed}
	if t.what.SelectedIndex() == 1 {
		t.body.Objects[0] = t.records
	}
	t.body.Refresh()
	t.read(t.overview)
}

// page is what read finds.
type page struct {
	rows
	total int
}

func (t *enrollments) read(overview app.PracticeOverview) {
	t.overview = overview
	query := app.PracticePage{Search: t.search.Text, Limit: most}
	table, look := t.listed, t.readEnrollments
	if t.what.SelectedIndex() == 1 {
		table, look = t.records, t.readRegistrations
	}
	frame.Do(t.v.c, &t.load, func(ctx context.Context) (page, error) { return look(ctx, query) }, func(found page, err error) {
		if err != nil {
			t.v.sayError(err)
			return
		}
		table.SetRows(found.rows)
		more(t.more, found.Len(), found.total)
	})
}

func (t *enrollments) readEnrollments(ctx context.Context, query app.PracticePage) (page, error) {
	found, err := t.v.c.App.PracticeEnrollments(ctx, query)
	list := make([]row, len(found.Enrollments))
	for i, e := range found.Enrollments {
		kindOf, state := lang.X("practice.individual", "individual"), widgets.Status{State: widgets.Good, Word: lang.X("practice.enabled", "enabled")}
		if e.Group {
			kindOf = lang.X("practice.isgroup", "group")
		}
		if !e.Enabled {
			state = widgets.Status{State: widgets.Bad, Word: lang.X("practice.disabled", "disabled")}
		}
		list[i] = row{e.Key(), map[string]widgets.TableCell{columnID: {Text: e.ID, Bold: true}, columnKind: text(kindOf), columnState: {Status: state},
			columnProof: text(e.Attestation), columnModules: text(kind(e.Edge)), columnCreated: text(ago(e.Created, t.overview.Now))}}
	}
	return page{newRows(list), found.Total}, err
}

func (t *enrollments) readRegistrations(ctx context.Context, query app.PracticePage) (page, error) {
	found, err := t.v.c.App.PracticeRegistrations(ctx, query)
	list := make([]row, len(found.Registrations))
	for i, r := range found.Registrations {
		list[i] = row{r.Hub + "/" + r.Device, map[string]widgets.TableCell{columnID: {Text: r.ID, Bold: true}, columnState: {Status: registered(r)},
			columnKind: text(r.Substatus), columnHub: text(r.Hub), columnGroup: text(orNone(r.Group)), columnCreated: text(ago(r.Updated, t.overview.Now))}}
	}
	return page{newRows(list), found.Total}, err
}

// registered is the pill of a registration; its words are those of DPS.
func registered(r app.PracticeRegistration) widgets.Status {
	switch r.Status {
	case "assigned":
		return widgets.Status{State: widgets.Good, Word: r.Status}
	case "failed":
		return widgets.Status{State: widgets.Bad, Word: r.Status}
	}
	return widgets.Status{State: widgets.Neutral, Word: r.Status}
}

func (t *enrollments) open(key string) { t.v.parts[TabDevices].(*devices).open(key) }
