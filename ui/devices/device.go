package devices

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/runs"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// opened is a device with its runs, newest first.
type opened struct {
	device app.Device
	runs   []app.RunRow
}

// devicePage is the page of one device.
type devicePage struct {
	p *Page
	opened
	primary *widgets.Button
	object  fyne.CanvasObject
}

// open shows the page of a device, by its UUID or its device ID.
func (p *Page) open(id string) {
	frame.Do(p.c, &p.look, func(ctx context.Context) (opened, error) { return p.lookUp(ctx, id) }, p.showOpened)
}

func (p *Page) lookUp(ctx context.Context, id string) (opened, error) {
	device, err := p.c.App.Device(ctx, id)
	if err != nil {
		return opened{}, err
	}
	history, err := p.c.App.DeviceRuns(ctx, device.DeviceID)
	return opened{device: device, runs: history}, err
}

// showOpened puts a device in front of the list; one that is gone leaves the
// list in front and says so.
func (p *Page) showOpened(o opened, err error) {
	switch {
	case err != nil:
		p.close()
		p.sayError(err)
		return
	case o.device.UUID == "":
		return // Enter in a search without a hit
	}
	same := p.inner != nil && p.inner.device.UUID == o.device.UUID
	p.inner = newDevicePage(p, o)
	p.table.Select(o.device.UUID)
	p.content.Objects = []fyne.CanvasObject{p.inner.object}
	p.content.Refresh()
	if !same {
		p.focus(p.inner.first())
	}
}

// close goes back to the list, where the device stays selected.
func (p *Page) close() {
	if p.inner == nil {
		return
	}
	p.inner = nil
	p.look.Stop()
	p.content.Objects = []fyne.CanvasObject{p.list}
	p.content.Refresh()
	p.focus(p.Focus())
}

func (p *Page) focus(f fyne.Focusable) {
	if f != nil && p.c.Window != nil && !p.c.DialogOpen() {
		p.c.Window.Canvas().Focus(f)
	}
}

func newDevicePage(p *Page, o opened) *devicePage {
	d := &devicePage{p: p, opened: o}
	space := fynetheme.Size(theme.SizeNameSpace3)
	back := widgets.NewButton(widgets.Secondary, lang.X("action.back", "Back"), fynetheme.NavigateBackIcon(), p.close)
	head := widgets.NewPageHead(o.device.DeviceID, d.line(), back)
	d.primary = widgets.NewButton(widgets.Primary, lang.X("device.again", "Provision again"), fynetheme.ViewRefreshIcon(), d.again)
	body := layout.Column(space, d.answer(), d.actions(),
		layout.Grid(2, 340*theme.TextFactor(), space,
			widgets.NewFactCard(lang.X("device.identity", "Identity"), d.identity()...),
			widgets.NewFactCard(lang.X("device.machine", "Machine"), d.machine()...)))
	if tags := d.tags(); len(tags) > 0 {
		body.Add(widgets.NewFactCard(lang.X("device.tags", "Tags"), tags...))
	}
	body.Add(d.history())
	if plan := strings.TrimSpace(o.device.Plan); plan != "" {
		body.Add(widgets.NewCard(widgets.NewFoldOut(lang.X("device.plan", "The plan"), lang.X("device.plan.line", "TOML, without secrets"), plan)))
	}
	d.object = layout.Page(head, layout.VScroll(body), nil)
	return d
}

// first is what the keyboard goes to.
func (d *devicePage) first() fyne.Focusable { return d.primary }

// line says where the device is.
func (d *devicePage) line() string {
	return lang.X("device.line", "{{.Way}}, on {{.Where}}, in {{.Cloud}}", map[string]any{
		"Way": wayName(d.device), "Where": runs.Where(d.device.Target), "Cloud": d.device.Cloud})
}

// answer is the state of the device in one sentence, and what follows from it.
func (d *devicePage) answer() fyne.CanvasObject {
	id := map[string]any{"Device": d.device.DeviceID}
	proof := lang.X("device.lastproof", "Last proof: {{.When}}.", map[string]any{"When": lastProof(d.device.LastProof, time.Now())})
	title, line := "", proof
	switch d.device.State {
	case app.StateProven:
		title = lang.X("device.is.proven", "{{.Device}} is proven", id)
	case app.StateRehearsed:
		title = lang.X("device.is.rehearsed", "{{.Device}} is rehearsed", id)
		line = lang.X("device.is.rehearsed.line", "It is proven against the practice cloud, not against Azure.") + " " + proof
	case app.StateConfigured:
		title = lang.X("device.is.configured", "{{.Device}} is configured, not proven", id)
		line = lang.X("device.is.configured.line", "Its files are placed; nobody has seen it connect.") + " " + proof
	case app.StateDiffers:
		title = lang.X("device.is.differs", "{{.Device}} differs from its plan", id)
	case app.StateRenewSoon:
		title = lang.X("device.is.renew", "The certificate of {{.Device}} ends soon", id)
	case app.StateUnsupported:
		title = lang.X("device.is.unsupported", "{{.Device}} runs what is no longer supported", id)
	case app.StateReplaced:
		title = lang.X("device.is.replaced", "Another device took the machine of {{.Device}}", id)
	case app.StateFailed:
		title = lang.X("device.is.failed", "The last run of {{.Device}} failed", id)
		line = lang.X("device.is.failed.line", "The run below says what failed and what to do.") + " " + proof
	default:
		title = d.device.DeviceID + ": " + d.device.State
	}
	return widgets.NewBanner(Status(d.device.State).State, title, line)
}

func (d *devicePage) actions() fyne.CanvasObject {
	undo := widgets.NewButton(widgets.Secondary, lang.X("device.undo", "Undo the last run ..."), fynetheme.ContentUndoIcon(), d.undo)
	if _, ok := d.lastToUndo(); !ok {
		undo.Disable()
	}
	save := widgets.NewButton(widgets.Secondary, lang.X("device.export", "Export the plan ..."), fynetheme.DownloadIcon(), d.export)
	if strings.TrimSpace(d.device.Plan) == "" {
		save.Disable()
	}
	remove := widgets.NewButton(widgets.Secondary, lang.X("device.remove", "Remove ..."), fynetheme.DeleteIcon(), d.remove)
	buttons := append([]fyne.CanvasObject{d.primary}, d.rotateButtons()...)
	return layout.Flow(fynetheme.Size(theme.SizeNameSpace2), append(buttons, undo, save, remove)...)
}

func (d *devicePage) identity() []widgets.Fact {
	device := d.device
	facts := []widgets.Fact{
		{Label: lang.X("device.id", "Device ID"), Value: device.DeviceID, Copy: true},
		{Label: lang.X("device.hub", "Hub"), Value: orNone(device.HubHost), Copy: device.HubHost != ""},
	}
	if device.RegistrationID != "" {
		facts = append(facts, widgets.Fact{Label: lang.X("device.registration", "Registration ID"), Value: device.RegistrationID, Copy: true})
	}
	enrollment := device.Enrollment
	switch enrollment {
	case provisioning.Individual:
		enrollment = lang.X("device.individual", "individual")
	case provisioning.GroupWord:
		enrollment = lang.X("device.bygroup", "group {{.Group}}", map[string]any{"Group": device.Group})
	}
	if enrollment != "" {
		facts = append(facts, widgets.Fact{Label: lang.X("device.enrollment", "Enrollment"), Value: enrollment})
	}
	return append(facts,
		widgets.Fact{Label: lang.X("devices.certificate", "Certificate ends"), Value: ends(device.CertificateEnds, time.Now())},
		widgets.Fact{Label: lang.X("devices.cloud", "Cloud"), Value: orNone(device.Cloud)})
}

func (d *devicePage) machine() []widgets.Fact {
	device := d.device
	facts := []widgets.Fact{
		{Label: lang.X("device.target", "Target"), Value: orNone(device.Target), Mono: true, Copy: device.Target != ""},
		{Label: lang.X("devices.host", "Host name"), Value: orNone(device.HostName)},
		{Label: lang.X("devices.runtime", "IoT Edge"), Value: orNone(device.RuntimeVersion)},
		{Label: lang.X("device.key", "Known by"), Value: orNone(device.MachineKey), Mono: device.MachineKey != ""},
	}
	if name, ok := d.p.c.App.PracticeName(device.Target); ok {
		chip := lang.X("practice.off", "off")
		if d.p.c.App.HasSoftwareTPM(name) {
			chip = lang.X("practice.on", "on")
		}
		facts = append(facts, widgets.Fact{Label: lang.X("device.tpm", "Software TPM"), Value: chip})
	}
	if !device.Created.IsZero() {
		facts = append(facts, widgets.Fact{Label: lang.X("device.created", "Known since"), Value: device.Created.Local().Format("2006-01-02 15:04")})
	}
	if device.Note != "" {
		facts = append(facts, widgets.Fact{Label: lang.X("device.note", "Note"), Value: device.Note})
	}
	return facts
}

// tags are the initial twin tags, sorted by name.
func (d *devicePage) tags() []widgets.Fact {
	values := map[string]any{}
	if json.Unmarshal([]byte(d.device.Tags), &values) != nil {
		return nil
	}
	var facts []widgets.Fact
	for name, value := range values {
		facts = append(facts, widgets.Fact{Label: name, Value: fmt.Sprint(value), Mono: true})
	}
	sort.Slice(facts, func(i, j int) bool { return facts[i].Label < facts[j].Label })
	return facts
}

// shownRuns is how many runs the page lists; the others are on the page Runs.
const shownRuns = 8

// history lists the newest runs; each opens.
func (d *devicePage) history() fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace2)
	if len(d.runs) == 0 {
		return widgets.NewTitledCard(lang.X("device.runs", "Runs"), widgets.NewText(lang.X("device.noruns", "None from this data folder."), widgets.StyleMuted))
	}
	card := layout.Column(space)
	now := time.Now()
	for i, run := range d.runs {
		if i == shownRuns {
			break
		}
		status := runs.Status(run)
		open := widgets.NewButton(widgets.Quiet, lang.X("device.run", "Run {{.Run}}", map[string]any{"Run": run.ID}), fynetheme.NavigateNextIcon(), func() {
			d.p.c.Open(frame.Place{Page: frame.Runs, Run: run.ID})
		})
		card.Add(layout.Row(space, layout.Middle, open, widgets.NewPill(status.State, status.Word),
			layout.Grow(widgets.NewText(strings.Trim(lastProof(&run.Started, now)+", "+runs.Took(run, now), ", "), widgets.StyleMuted))))
	}
	if len(d.runs) > shownRuns {
		card.Add(widgets.NewText(lang.X("device.moreruns", "{{.N}} older ones are under Runs.", map[string]any{"N": len(d.runs) - shownRuns}), widgets.StyleMuted))
	}
	return widgets.NewTitledCard(lang.X("device.runs", "Runs"), card)
}

// again goes to the wizard with this device.
func (d *devicePage) again() {
	d.p.c.Open(frame.Place{Page: frame.Provision, Target: d.device.Target, Device: d.device.UUID})
}

// lastToUndo is the newest run that left something to put back.
func (d *devicePage) lastToUndo() (app.RunRow, bool) {
	for _, run := range d.runs {
		if run.Cloud == d.device.Cloud {
			return run, runs.CanUndo(run)
		}
	}
	return app.RunRow{}, false
}

func (d *devicePage) undo() {
	run, ok := d.lastToUndo()
	if !ok {
		return
	}
	runs.Undo(d.p.c, run, func() { d.p.c.Open(frame.Place{Page: frame.Runs, Run: run.ID}) }, func(err error) {
		d.p.Again()
		if err != nil {
			runs.Explain(d.p.c, run, err)
		}
	})
}

// export writes the plan to a file.
func (d *devicePage) export() {
	pick.Ask(d.p.c, pick.Question{
		Title: lang.X("device.export.title", "Export the plan of {{.Device}}", map[string]any{"Device": d.device.DeviceID}),
		Line:  lang.X("device.export.line", "The plan provisions the device again, here or on the command line. No secret is in it."),
		Label: lang.X("devices.export.label", "File"), Hint: lang.X("devices.export.hint", "it must not exist yet"),
		Path: pick.Home(safeName(d.device.DeviceID) + ".toml"), Save: true, Act: lang.X("devices.export.do", "Export"),
		Icon: fynetheme.DownloadIcon(), Check: pick.NewFile,
		Do: func(path string) {
			p := d.p
			frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, p.c.App.ExportPlan(ctx, d.device.UUID, path)
			}, func(_ struct{}, err error) {
				p.close()
				if err != nil {
					p.sayError(err)
					return
				}
				p.say(widgets.Good, lang.X("device.exported", "The plan is exported"), path)
			})
		},
	})
}

// safeName keeps what a device ID may hold and a file name may not out.
func safeName(id string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, filepath.Base("x/"+id))
}

// remove takes the device out of the catalog, and out of nothing else. A practice
// device is nothing else than what is kept of it here, and goes with it.
func (d *devicePage) remove() {
	p, device := d.p, d.device
	id := map[string]any{"Device": device.DeviceID}
	title := lang.X("device.remove.title", "Remove {{.Device}} from the catalog?", id)
	line := lang.X("device.remove.line", "The device and the cloud stay as they are. Edgewright forgets its facts and its plan; its runs stay listed. Undo a run first if the device shall go from the cloud as well.")
	done := lang.X("device.removed", "{{.Device}} is no longer in the catalog", id)
	act := func(ctx context.Context) error { return p.c.App.ForgetDevice(ctx, device.UUID) }
	if name, ok := p.c.App.PracticeName(device.Target); ok {
		title = lang.X("device.removepractice.title", "Remove the practice device {{.Device}}?", id)
		line = lang.X("device.removepractice.line", "Its disk goes for good, and its software TPM with its keys. The practice cloud stays as it is; its runs stay listed. Undo a run first if the device shall go from the practice cloud as well.")
		done = lang.X("device.removedpractice", "The practice device {{.Device}} is gone", id)
		act = func(ctx context.Context) error { return p.c.App.RemovePracticeDevice(ctx, name) }
	}
	frame.Confirm(p.c, title, line,
		frame.Answer{Text: lang.X("device.remove.do", "Remove {{.Device}}", id), Icon: fynetheme.DeleteIcon(), Kind: widgets.Danger, Do: func() {
			frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (struct{}, error) { return struct{}{}, act(ctx) }, func(_ struct{}, err error) {
				p.close()
				p.readAll()
				p.c.Changed()
				if err != nil {
					p.sayError(err)
					return
				}
				p.say(widgets.Good, done, "")
			})
		}})
}
