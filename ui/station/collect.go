package station

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
	"edgewright/provisioning"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// preferenceTargets are the devices that somebody typed.
const preferenceTargets = "station.targets"

// Collector is the tab with the devices that are attached.
type Collector struct {
	h        Host
	object   *fyne.Container
	field    *widgets.Field
	entry    *widgets.Entry
	table    *widgets.DataTable
	middle   *fyne.Container
	pair     *pair
	progress *widgets.ProgressPanel
	button   *widgets.Button // the blue one, in the head

	devices []app.CollectResult // in the order of the table; State is empty before the first reading
	removed map[string]bool     // of the catalog's, what somebody took away
	begun   time.Time
	cancel  context.CancelFunc // while a collection goes on
	load    frame.Task
	run     frame.Task
}

// NewCollector makes the tab.
func NewCollector(h Host) *Collector {
	s := &Collector{h: h, removed: map[string]bool{}}
	space := fynetheme.Size(theme.SizeNameSpace3)
	s.button = widgets.NewButton(widgets.Primary, lang.X("station.collect", "Collect"), theme.IconChip(), s.Primary)
	s.entry = widgets.NewEntry(func(string) { s.add() })
	s.entry.SetPlaceHolder("pi@10.20.4.31")
	s.entry.OnChanged = func(string) { s.field.SetError("") }
	s.field = widgets.NewField(lang.X("station.add", "Another device"),
		lang.X("station.add.hint", "user@host, practice:NAME or local:; behind it the address of a software TPM, if that is meant"), s.entry)
	add := widgets.NewButton(widgets.Secondary, lang.X("station.add.do", "Add"), fynetheme.ContentAddIcon(), s.add)
	s.table = widgets.NewDataTable(nothingAttached(),
		widgets.TableColumn{ID: "where", Title: lang.X("station.where", "Where"), Width: 126, Fixed: true},
		widgets.TableColumn{ID: "state", Title: lang.X("devices.state", "State"), Width: 112, Fixed: true},
		widgets.TableColumn{ID: "found", Title: lang.X("station.found", "Found"), Width: 134},
		widgets.TableColumn{ID: "device", Title: lang.X("devices.device", "Device"), Width: 110, Hidden: true})
	s.table.OnSelected = s.choose
	s.table.OnOpened = s.Open
	s.pair = newPair(h.C, s.table, nothingChosen())
	s.progress = widgets.NewProgressPanel(lang.X("station.stop", "Stop"), s.stop)
	s.progress.Hide()
	s.middle = container.NewStack(s.pair.object)
	s.object = layout.Column(space, layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Grow(s.field), add), s.progress, layout.Grow(s.middle))
	return s
}

func nothingAttached() fyne.CanvasObject {
	return widgets.NewEmptyState(theme.IconChip(), lang.X("station.none", "No device is attached"),
		lang.X("station.none.line", "Write where one is; it joins the list, and Collect reads its TPM."), nil)
}

func nothingChosen() fyne.CanvasObject {
	return widgets.NewEmptyState(theme.IconChip(), lang.X("station.nochoice", "Reading changes nothing"),
		lang.X("station.nochoice.line", "Collect reads the TPM of each device and keeps its endorsement key here. Choose a row to see what was found, or why it failed."), nil)
}

// Object implements the tab.
func (s *Collector) Object() fyne.CanvasObject { return s.object }

// First implements the tab.
func (s *Collector) First() fyne.Focusable {
	if s.pair.alone() {
		return s.pair.leave
	}
	return s.entry
}

// Actions are the buttons of the head.
func (s *Collector) Actions() []fyne.CanvasObject { return []fyne.CanvasObject{s.button} }

// Line is the line of the head.
func (s *Collector) Line() string {
	return lang.XN("station.line", "{{.N}} devices to read the TPM of", len(s.devices), map[string]any{"N": len(s.devices)})
}

// Targets is how many devices are listed.
func (s *Collector) Targets() int { return len(s.devices) }

// Working tells that a collection goes on.
func (s *Collector) Working() bool { return s.cancel != nil }

// Back implements the tab.
func (s *Collector) Back() bool { return s.pair.back() }

// Help implements the tab.
func (s *Collector) Help() string {
	return lang.X("station.help", "The TPM station reads the endorsement keys of many devices at once: this computer, devices of the catalog, and those that you add. Nothing is installed on a device and nothing in its TPM changes. Each that fails says why. The keys are under Endorsement keys; there they are exported, imported and enrolled.")
}

// identity is what a device is known by in the table.
func identity(t app.CollectTarget) string { return t.Target + " " + t.TPM }

// Read looks for attached devices anew; what was read of one stays.
func (s *Collector) Read() {
	if s.cancel != nil {
		return
	}
	typed := s.h.C.Preferences.StringList(preferenceTargets)
	frame.Do(s.h.C, &s.load, s.h.C.App.AttachedDevices, func(found []app.CollectTarget, err error) {
		if err != nil {
			s.fill(frame.Failure(err, "", s.Read))
			return
		}
		if s.cancel != nil {
			return
		}
		s.fill(s.pair.object)
		for _, text := range typed {
			if at, err := app.ParseCollectTarget(text); err == nil {
				found = append(found, at)
			}
		}
		s.take(found)
	})
}

// take shows devices, those with a result in front where they were.
func (s *Collector) take(found []app.CollectTarget) {
	known := map[string]app.CollectResult{}
	for _, device := range s.devices {
		known[identity(device.CollectTarget)] = device
	}
	devices := []app.CollectResult{}
	for _, at := range found {
		id := identity(at)
		if s.removed[id] || slices.ContainsFunc(devices, func(d app.CollectResult) bool { return identity(d.CollectTarget) == id }) {
			continue
		}
		device, ok := known[id]
		if !ok {
			device = app.CollectResult{CollectTarget: at}
		}
		devices = append(devices, device)
	}
	s.devices = devices
	s.show()
	s.h.Listed()
}

func (s *Collector) fill(o fyne.CanvasObject) {
	if s.middle.Objects[0] != o {
		s.middle.Objects = []fyne.CanvasObject{o}
		s.middle.Refresh()
	}
}

// show puts the devices into the table.
func (s *Collector) show() {
	rows := &list{}
	for _, device := range s.devices {
		rows.add(identity(device.CollectTarget), cells(device))
	}
	s.table.SetRows(rows)
	if len(s.devices) == 0 || s.cancel != nil {
		s.button.Disable()
	} else {
		s.button.Enable()
	}
}

// cells are the texts of a device.
func cells(d app.CollectResult) map[string]widgets.TableCell {
	found := widgets.TableCell{}
	switch {
	case d.Key != nil:
		found = widgets.TableCell{Text: d.Key.ID[:brief] + ", " + templateName(d.Key.EK.Template)}
	case d.Error != nil:
		found = widgets.TableCell{Text: uilang.Domain(d.Error.Message)}
	}
	return map[string]widgets.TableCell{"where": {Text: where(d.Target, d.TPM), Bold: true}, "state": {Status: collectStatus(d.State)},
		"found": found, "device": {Text: d.Device}}
}

// add takes the device that was typed into the list.
func (s *Collector) add() {
	at, err := app.ParseCollectTarget(s.entry.Text)
	if err != nil {
		view := frame.View(err)
		s.field.SetError(view.Message + " " + view.Hint)
		s.object.Refresh()
		s.h.C.Focus(s.entry)
		return
	}
	text := strings.TrimSpace(identity(at))
	delete(s.removed, identity(at))
	typed := s.h.C.Preferences.StringList(preferenceTargets)
	if !slices.Contains(typed, text) {
		s.h.C.Preferences.SetStringList(preferenceTargets, append(typed, text))
	}
	found := make([]app.CollectTarget, 0, len(s.devices)+1)
	for _, device := range s.devices {
		found = append(found, device.CollectTarget)
	}
	s.take(append(found, at))
	s.table.Select(identity(at))
	s.entry.SetText("")
	s.h.C.Focus(s.entry)
}

// remove takes a device out of the list.
func (s *Collector) remove(at app.CollectTarget) {
	id := identity(at)
	s.removed[id] = true
	typed := slices.DeleteFunc(slices.Clone(s.h.C.Preferences.StringList(preferenceTargets)), func(text string) bool { return text == strings.TrimSpace(id) })
	s.h.C.Preferences.SetStringList(preferenceTargets, typed)
	s.devices = slices.DeleteFunc(s.devices, func(d app.CollectResult) bool { return identity(d.CollectTarget) == id })
	s.pair.back()
	s.pair.set(nothingChosen())
	s.show()
	s.h.Listed()
}

// Open shows a device, by what it is known by in the table, and in a narrow window
// goes into it.
func (s *Collector) Open(id string) {
	s.table.Select(id)
	s.choose(id)
	s.pair.open()
}

// choose shows what is known of a device beside the list.
func (s *Collector) choose(id string) {
	at := slices.IndexFunc(s.devices, func(d app.CollectResult) bool { return identity(d.CollectTarget) == id })
	if at < 0 {
		s.pair.set(nothingChosen())
		return
	}
	s.pair.set(s.result(s.devices[at]))
}

// Primary collects all devices.
func (s *Collector) Primary() {
	if s.cancel == nil && len(s.devices) > 0 {
		targets := make([]app.CollectTarget, len(s.devices))
		for i, device := range s.devices {
			targets[i] = device.CollectTarget
		}
		s.collect(targets)
	}
}

// collect reads devices; each row follows.
func (s *Collector) collect(targets []app.CollectTarget) {
	ctx, cancel := context.WithCancel(s.h.C.Ctx)
	s.cancel, s.begun = cancel, time.Now()
	for _, at := range targets {
		s.note(app.CollectResult{CollectTarget: at, State: app.CollectWaiting})
	}
	done := 0
	s.step(done, len(targets))
	s.progress.Show()
	s.object.Refresh()
	s.show()
	access := s.h.C.Access()
	frame.Do(s.h.C, &s.run, func(context.Context) (app.CollectOutcome, error) {
		return s.h.C.App.Collect(ctx, app.CollectRequest{Targets: targets, Access: access}, func(e app.CollectEvent) {
			s.h.C.Post(func() {
				if s.cancel == nil {
					return // the end came first
				}
				s.note(e.CollectResult)
				if e.State != app.CollectReading {
					done++
				}
				s.step(done, len(targets))
				s.show()
			})
		})
	}, func(out app.CollectOutcome, err error) {
		cancel()
		s.cancel = nil
		s.progress.Hide()
		s.object.Refresh()
		for _, result := range out.Keys {
			if result.State == app.CollectWaiting {
				result.State = ""
			}
			s.note(result)
		}
		s.show()
		s.h.C.Changed()
		if err != nil {
			s.h.sayError(err)
			return
		}
		s.ended(out)
	})
}

// note keeps what is known of a device, and shows it where it is chosen.
func (s *Collector) note(result app.CollectResult) {
	for i, device := range s.devices {
		if identity(device.CollectTarget) == identity(result.CollectTarget) {
			s.devices[i] = result
		}
	}
	if s.table.Selected() == identity(result.CollectTarget) {
		s.choose(identity(result.CollectTarget))
	}
}

func (s *Collector) step(done, of int) {
	s.progress.Set(widgets.Progress{Step: done, Steps: of, Elapsed: time.Since(s.begun),
		Title: lang.X("station.progress", "{{.N}} of {{.Of}} devices are done", map[string]any{"N": done, "Of": of}),
		Wait:  lang.X("station.wait", "The wait is the TPMs: each makes its keys anew to compare them.")})
}

// stop ends a collection; what was read stays.
func (s *Collector) stop() {
	if s.cancel != nil {
		s.cancel()
		s.progress.Set(widgets.Progress{Cancelling: true, Title: lang.X("station.stopping", "Stopping"), Elapsed: time.Since(s.begun)})
	}
}

// ended says what came of a collection.
func (s *Collector) ended(out app.CollectOutcome) {
	title := lang.XN("station.ended", "{{.N}} endorsement keys are collected", out.Collected, map[string]any{"N": out.Collected})
	changed := 0
	for _, result := range out.Keys {
		if result.Change != nil {
			changed++
		}
	}
	line, state := "", widgets.Good
	if changed > 0 {
		line, state = lang.XN("station.changed", "{{.N}} have another key than before; their rows say why.", changed, map[string]any{"N": changed}), widgets.Care
	}
	if out.Failed > 0 && out.Outcome != provisioning.RunCancelled {
		line, state = strings.TrimSpace(line+" "+lang.XN("station.failed.n", "{{.N}} failed; their rows say why.", out.Failed, map[string]any{"N": out.Failed})), widgets.Care
		if out.Collected == 0 {
			state = widgets.Bad
		}
	}
	s.h.Say(state, title, line)
}
