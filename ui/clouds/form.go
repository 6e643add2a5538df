package clouds

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// form adds a cloud.
type form struct {
	p      *Page
	object fyne.CanvasObject

	kind       *widgets.ChoiceGroup
	name       *widgets.Entry
	connection *widgets.SecretField
	scope      *widgets.Entry
	global     *widgets.Entry
	fields     map[string]*widgets.Field
	onlyDPS    *fyne.Container
	vault      *fyne.Container
	failure    *fyne.Container
	save       *widgets.Button
	replace    bool // the person has agreed to replace what is there
	task       frame.Task
	look       frame.Task
}

func newForm(p *Page) *form {
	f := &form{p: p, fields: map[string]*widgets.Field{}}
	space := fynetheme.Size(theme.SizeNameSpace3)
	f.kind = widgets.NewChoiceGroup(func(string) { f.chosen() },
		widgets.Choice{ID: string(app.DPSConnection), Icon: theme.IconList(), Title: lang.X("clouds.form.dps", "Device Provisioning Service (DPS)"), Line: lang.X("clouds.form.dps.line", "for many devices: it makes them in its hubs")},
		widgets.Choice{ID: string(app.HubConnection), Icon: theme.IconCloud(), Title: lang.X("clouds.form.hub", "IoT Hub"), Line: lang.X("clouds.form.hub.line", "for devices by hand, and to undo what a DPS of the same name made")})
	f.kind.Choose(string(app.DPSConnection))
	f.name = f.entry(app.FieldCloudName)
	f.name.SetPlaceHolder("contoso")
	f.connection = widgets.NewSecretField("HostName=...;SharedAccessKeyName=...;SharedAccessKey=...")
	f.connection.OnChanged = func(bool) { f.mend(app.FieldConnection) }
	f.connection.OnSubmitted = f.submit
	f.scope = f.entry(app.FieldIDScope)
	f.scope.SetPlaceHolder("0ne00A1B2C3")
	f.global = f.entry(app.FieldGlobalEndpoint)
	f.global.SetPlaceHolder(app.DefaultGlobalEndpoint)
	f.fields[app.FieldCloudName] = widgets.NewField(lang.X("clouds.form.name", "Name"), lang.X("clouds.form.name.hint", "as plans name it; a hub and a DPS may share one"), f.name)
	f.fields[app.FieldConnection] = widgets.NewField(lang.X("clouds.form.connection", "Connection string"), lang.X("clouds.form.connection.hint", "of a shared access policy; it is sealed in the vault and never shown again"), f.connection)
	f.fields[app.FieldIDScope] = widgets.NewField(lang.X("clouds.scope", "ID scope"), lang.X("clouds.form.scope.hint", "on the overview of the DPS in the portal; devices need it to register"), f.scope)
	f.fields[app.FieldGlobalEndpoint] = widgets.NewField(lang.X("clouds.global", "Global endpoint"), lang.X("clouds.form.global.hint", "leave it empty unless your cloud has another one"), f.global)
	f.onlyDPS = layout.Column(space, f.fields[app.FieldIDScope], f.fields[app.FieldGlobalEndpoint])
	f.vault, f.failure = layout.Column(space), layout.Column(space)
	fill(f.vault)
	fill(f.failure)

	f.save = widgets.NewButton(widgets.Primary, lang.X("clouds.form.add", "Add"), fynetheme.ContentAddIcon(), f.submit)
	back := widgets.NewButton(widgets.Secondary, lang.X("action.cancel", "Cancel"), nil, func() { p.Back() })
	foot := layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Spacer(), back, f.save)
	head := widgets.NewPageHead(lang.X("clouds.add", "Add a cloud"), lang.X("clouds.form.line", "By a connection string of one of its shared access policies"))
	body := layout.Column(space, f.failure, f.vault, f.fields[app.FieldCloudName], f.kind, f.fields[app.FieldConnection], f.onlyDPS)
	f.object = layout.Page(head, layout.VScroll(body), foot)
	return f
}

func (f *form) entry(field string) *widgets.Entry {
	e := widgets.NewEntry(func(string) { f.submit() })
	e.OnChanged = func(string) { f.mend(field) }
	return e
}

func (f *form) first() fyne.Focusable { return f.name }

// mend takes back what was said about a field that is being changed.
func (f *form) mend(field string) {
	f.replace = false
	if known := f.fields[field]; known != nil {
		known.SetError("")
	}
}

// chosen shows the fields that belong to the kind.
func (f *form) chosen() {
	f.replace = false
	if f.kind.Chosen() == string(app.DPSConnection) {
		f.onlyDPS.Show()
	} else {
		f.onlyDPS.Hide()
	}
	f.fields[app.FieldConnection].SetError("")
	f.object.Refresh()
}

// askVault says beforehand that a passphrase will be needed.
func (f *form) askVault() {
	frame.Do(f.p.c, &f.look, f.p.c.App.VaultState, func(vault app.VaultView, err error) {
		if err != nil || vault.State == app.VaultOpen {
			fill(f.vault)
		} else {
			fill(f.vault, f.vaultBanner(vault))
		}
		f.object.Refresh()
	})
}

func (f *form) vaultBanner(vault app.VaultView) fyne.CanvasObject {
	title := lang.X("clouds.vault.none", "A connection string needs a passphrase")
	line := lang.X("clouds.vault.none.line", "This computer has no credential store, so the vault keeps only secrets of the practice cloud until a passphrase is set. Edgewright asks for one when you add a cloud.")
	text := lang.X("vault.setnow", "Set a passphrase ...")
	if vault.State == app.VaultLocked {
		title = lang.X("clouds.vault.locked", "The vault is locked")
		line = lang.X("clouds.vault.locked.line", "Edgewright asks for its passphrase when you add a cloud.")
		text = lang.X("vault.opennow", "Open the vault ...")
	}
	return widgets.NewBanner(widgets.Care, title, line, widgets.NewButton(widgets.Secondary, text, theme.IconLock(), func() {
		frame.Do(f.p.c, &f.look, func(ctx context.Context) (struct{}, error) { return struct{}{}, f.p.c.App.UnlockVault(ctx) }, func(_ struct{}, err error) {
			f.say(err)
			f.askVault()
		})
	}))
}

func (f *form) draft() app.CloudDraft {
	return app.CloudDraft{Name: strings.TrimSpace(f.name.Text), Kind: app.Connection(f.kind.Chosen()), Connection: f.connection.Value(),
		IDScope: strings.TrimSpace(f.scope.Text), GlobalEndpoint: strings.TrimSpace(f.global.Text)}
}

// submit checks the fields and adds the cloud. Nothing is stored while a field
// is wrong.
func (f *form) submit() {
	draft := f.draft()
	faults := draft.Check()
	for name, field := range f.fields {
		field.SetError(wrong(faults, name))
	}
	if len(faults) > 0 {
		f.focus(faults[0].Field)
		f.object.Refresh()
		return
	}
	if known := f.known(draft); known != "" && !f.replace {
		f.confirmReplace(draft, known)
		return
	}
	f.save.Disable()
	frame.Do(f.p.c, &f.task, func(ctx context.Context) (app.CloudRow, error) {
		return f.p.c.App.AddCloud(ctx, draft.Name, draft.Kind, draft.Text())
	}, func(row app.CloudRow, err error) {
		f.save.Enable()
		if err != nil {
			f.say(err)
			return
		}
		f.connection.Clear()
		// Known at once: the next form may be sent before the list is read again.
		f.p.clouds = append(slices.DeleteFunc(f.p.clouds, func(c app.CloudRow) bool { return strings.EqualFold(c.Name, row.Name) }), row)
		if f.p.form == f {
			f.p.closeForm()
		}
		f.p.Again()
		f.p.c.Changed()
		f.p.say(widgets.Good, lang.X("clouds.added", "{{.Cloud}} is added", map[string]any{"Cloud": row.Name}), lang.X("clouds.added.line", "Whether its key works shows in the first Review; nothing was asked of it yet."))
	})
}

// wrong is what stands below a field.
func wrong(faults []app.CloudFault, field string) string {
	for _, fault := range faults {
		if fault.Field == field {
			return explain(fault.Wrong)
		}
	}
	return ""
}

func (f *form) focus(field string) {
	switch field {
	case app.FieldConnection:
		f.connection.Focus()
	case app.FieldIDScope:
		f.p.c.Window.Canvas().Focus(f.scope)
	case app.FieldGlobalEndpoint:
		f.p.c.Window.Canvas().Focus(f.global)
	default:
		f.p.c.Window.Canvas().Focus(f.name)
	}
}

// known is the host that a cloud of this name and kind has already.
func (f *form) known(draft app.CloudDraft) string {
	for _, cloud := range f.p.clouds {
		if strings.EqualFold(cloud.Name, draft.Name) {
			if draft.Kind == app.HubConnection {
				return cloud.HubHost
			}
			return cloud.DPSHost
		}
	}
	return ""
}

func (f *form) confirmReplace(draft app.CloudDraft, host string) {
	cloud := map[string]any{"Cloud": draft.Name, "Host": host}
	frame.Confirm(f.p.c, lang.X("clouds.replace.title", "Replace the connection string of {{.Cloud}}?", cloud),
		lang.X("clouds.replace.line", "{{.Cloud}} has one for {{.Host}}. It is forgotten.", cloud),
		frame.Answer{Text: lang.X("clouds.replace.do", "Replace it for {{.Cloud}}", cloud), Kind: widgets.Danger, Do: func() {
			f.replace = true
			f.submit()
		}})
}

// say puts a failure above the fields; what was typed stays.
func (f *form) say(err error) {
	fill(f.failure)
	if err != nil {
		view := frame.View(err)
		fill(f.failure, widgets.NewBanner(widgets.Bad, view.Message, view.Hint))
	}
	f.object.Refresh()
}
