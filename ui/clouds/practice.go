package clouds

import (
	"context"
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

// practiceCard is the practice cloud: its switch, its names and what opens it.
type practiceCard struct {
	p      *Page
	object *widgets.Card
	pill   *widgets.Pill
	line   *widgets.Text
	toggle *widgets.Button
	empty  *widgets.Button
	more   *widgets.Button // folds the facts out and in
	facts  *fyne.Container

	on      bool
	info    *app.PracticeInfo
	release func() // not nil while this page keeps it on
	busy    bool
	load    frame.Task
	turn    frame.Task
}

func newPracticeCard(p *Page) *practiceCard {
	k := &practiceCard{p: p, facts: layout.Column(fynetheme.Size(theme.SizeNameSpace3))}
	k.pill = widgets.NewPill(widgets.Neutral, "")
	k.line = widgets.NewText("", widgets.StyleMuted)
	k.toggle = widgets.NewButton(widgets.Secondary, lang.X("practice.turnon", "Switch on"), fynetheme.MediaPlayIcon(), k.switchIt)
	k.empty = widgets.NewButton(widgets.Secondary, lang.X("practice.reset", "Empty it ..."), fynetheme.DeleteIcon(), k.reset)
	k.more = widgets.NewButton(widgets.Quiet, lang.X("practice.more", "Addresses, keys, and how to trust it"), fynetheme.MenuDropDownIcon(), func() { k.fold(k.facts.Visible()) })
	space := fynetheme.Size(theme.SizeNameSpace2)
	title := layout.Row(space, layout.Middle, widgets.NewIcon(theme.IconPractice(), theme.ColorNameAccent, theme.SizeNameIconLarge),
		layout.Grow(layout.Flow(fynetheme.Size(theme.SizeNameSpace3), widgets.NewText(lang.X("cloud.practice", "Practice cloud"), widgets.StyleSubtitle.As(widgets.Single)), k.pill)))
	k.object = widgets.NewCard(layout.Beside(fynetheme.Size(theme.SizeNameSpace3), 300*theme.TextFactor(), title, layout.Flow(space, k.toggle, k.empty)), k.line, layout.Flow(0, k.more), k.facts)
	k.show()
	return k
}

// fold hides the facts, so that the person's own clouds are in sight, or shows
// them.
func (k *practiceCard) fold(in bool) {
	k.more.Icon = fynetheme.MenuDropDownIcon()
	k.facts.Show()
	if in {
		k.more.Icon = fynetheme.MenuExpandIcon()
		k.facts.Hide()
	}
	k.more.Refresh()
	k.object.Refresh()
	if k.p.list != nil {
		k.p.list.Refresh()
	}
}

// practiceState is what read finds.
type practiceState struct {
	on     bool
	locked bool
	info   *app.PracticeInfo
}

// read looks whether the practice cloud is served and where it is. What opens it
// is not read while that would ask for a passphrase.
func (k *practiceCard) read() {
	known := k.info != nil
	frame.Do(k.p.c, &k.load, func(ctx context.Context) (practiceState, error) {
		state := practiceState{on: k.p.c.App.PracticeOn()}
		if known {
			return state, nil
		}
		vault, err := k.p.c.App.VaultState(ctx)
		if err != nil {
			return state, err
		}
		if vault.State == app.VaultLocked {
			state.locked = true
			return state, nil
		}
		return k.look(ctx, state)
	}, k.found)
}

func (k *practiceCard) look(ctx context.Context, state practiceState) (practiceState, error) {
	info, err := k.p.c.App.PracticeInfo(ctx)
	if err == nil {
		state.info = &info
	}
	return state, err
}

func (k *practiceCard) found(state practiceState, err error) {
	k.on = state.on
	if state.info != nil {
		k.info = state.info
		k.showFacts()
	} else if state.locked {
		k.facts.Objects = []fyne.CanvasObject{layout.Flow(0, widgets.NewButton(widgets.Secondary, lang.X("practice.open", "Open the vault to see its connection strings"), theme.IconLock(), k.unlock))}
		k.facts.Refresh()
	}
	k.show()
	if err != nil {
		k.p.sayError(err)
	}
}

// unlock reads what opens the cloud although that asks for the passphrase.
func (k *practiceCard) unlock() {
	frame.Do(k.p.c, &k.load, func(ctx context.Context) (practiceState, error) {
		return k.look(ctx, practiceState{on: k.p.c.App.PracticeOn()})
	}, k.found)
}

// show writes the state onto switch and pill.
func (k *practiceCard) show() {
	status := widgets.Status{State: widgets.Neutral, Word: lang.X("practice.off", "off")}
	line := lang.X("practice.off.line", "Runs switch it on for as long as they need it. Switch it on to work with it from other programs.")
	text, icon := lang.X("practice.turnon", "Switch on"), fynetheme.MediaPlayIcon()
	switch {
	case k.release != nil:
		status = widgets.Status{State: widgets.Good, Word: lang.X("practice.on", "on")}
		line = lang.X("practice.on.line", "It answers on this computer only, until it is switched off or the window closes.")
		text, icon = lang.X("practice.turnoff", "Switch off"), fynetheme.MediaStopIcon()
	case k.on:
		status = widgets.Status{State: widgets.Good, Word: lang.X("practice.on", "on")}
		line = lang.X("practice.on.other", "A run or another program keeps it on. Switch it on here as well to keep it after that.")
		text = lang.X("practice.keep", "Keep it on")
	}
	k.pill.Set(status)
	k.line.SetText(line)
	k.toggle.Icon = icon
	k.toggle.SetText(text)
	for _, b := range []*widgets.Button{k.toggle, k.empty} {
		if k.busy {
			b.Disable()
		} else {
			b.Enable()
		}
	}
	k.object.Refresh()
}

// kept is the practice cloud as KeepPractice gives it.
type kept struct {
	info    app.PracticeInfo
	release func()
}

// switchIt serves the practice cloud, or no longer.
func (k *practiceCard) switchIt() {
	release := k.release
	k.busy, k.release = true, nil
	k.show()
	frame.Do(k.p.c, &k.turn, func(ctx context.Context) (kept, error) {
		if release != nil {
			release()
			return kept{}, nil
		}
		return k.keep(ctx)
	}, k.turned)
}

func (k *practiceCard) keep(ctx context.Context) (kept, error) {
	info, release, err := k.p.c.App.KeepPractice(ctx)
	return kept{info, release}, err
}

func (k *practiceCard) turned(now kept, err error) {
	k.busy, k.release = false, now.release
	if now.release != nil {
		k.on = true
		k.info = &now.info
		k.showFacts()
	} else {
		k.on = k.p.c.App.PracticeOn()
	}
	k.show()
	k.p.c.Changed()
	if err != nil {
		k.p.sayError(err)
	}
}

// reset asks and empties the practice cloud. One that this page keeps on is off
// for a moment.
func (k *practiceCard) reset() {
	frame.Confirm(k.p.c, lang.X("practice.reset.title", "Empty the practice cloud?"),
		lang.X("practice.reset.line", "All its devices, enrollments, keys and its CA are made anew. Devices that were rehearsed against it no longer connect; the catalog keeps them. Runs against it can no longer be undone there."),
		frame.Answer{Text: lang.X("practice.reset.do", "Empty the practice cloud"), Icon: fynetheme.DeleteIcon(), Kind: widgets.Danger, Do: func() {
			release := k.release
			k.busy, k.release = true, nil
			k.show()
			frame.Do(k.p.c, &k.turn, func(ctx context.Context) (kept, error) {
				if release != nil {
					release()
				}
				if err := k.p.c.App.ResetPractice(ctx); err != nil || release == nil {
					return kept{}, err
				}
				return k.keep(ctx)
			}, func(now kept, err error) {
				k.turned(now, err)
				if now.release == nil {
					k.info = nil // what opens it was made anew, or is looked at again
				}
				k.read()
				if err == nil {
					k.p.say(widgets.Good, lang.X("practice.reset.done", "The practice cloud is empty"), "")
				}
			})
		}})
}

// showFacts lists where the cloud is, what opens it and how to trust it.
func (k *practiceCard) showFacts() {
	view := k.info.Masked()
	space := fynetheme.Size(theme.SizeNameSpace3)
	where := widgets.Facts(
		widgets.Fact{Label: lang.X("clouds.hub", "IoT Hub"), Value: view.HubHost, Mono: true, Copy: true},
		widgets.Fact{Label: lang.X("practice.dps", "DPS service"), Value: view.DPSHost, Mono: true, Copy: true},
		widgets.Fact{Label: lang.X("clouds.global", "Global endpoint"), Value: view.GlobalHost, Mono: true, Copy: true},
		widgets.Fact{Label: lang.X("clouds.scope", "ID scope"), Value: view.IDScope, Mono: true, Copy: true},
		widgets.Fact{Label: "HTTPS", Value: view.HTTPS, Mono: true, Copy: true},
		widgets.Fact{Label: "MQTT", Value: view.MQTT, Mono: true, Copy: true},
		widgets.Fact{Label: lang.X("practice.ca", "CA file"), Value: view.CAFile, Mono: true, Copy: true})
	strings := layout.Column(space,
		k.secretRow(lang.X("practice.hubstring", "Connection string of the hub"), view.HubConnectionString, func(v app.PracticeView) string { return v.HubConnectionString }),
		k.secretRow(lang.X("practice.dpsstring", "Connection string of the DPS"), view.DPSConnectionString, func(v app.PracticeView) string { return v.DPSConnectionString }))
	trust := layout.Column(space, widgets.NewText(lang.X("practice.trust.line", "Programs on this computer find and trust it with one of these lines."), widgets.StyleMuted),
		widgets.Facts(k.trustFacts(view)...))
	k.facts.Objects = []fyne.CanvasObject{where, widgets.SectionTitle(lang.X("practice.strings", "What opens it")), strings,
		widgets.SectionTitle(lang.X("practice.trust", "How to trust it")), trust}
	k.facts.Refresh()
}

// secretRow shows a masked connection string; its button copies it whole.
func (k *practiceCard) secretRow(label, masked string, reveal func(app.PracticeView) string) fyne.CanvasObject {
	copier := widgets.NewButton(widgets.Secondary, lang.X("practice.copy", "Copy with its key"), fynetheme.ContentCopyIcon(), nil)
	copier.OnTapped = func() {
		fyne.CurrentApp().Clipboard().SetContent(reveal(k.info.Revealed()))
		copier.SetText(lang.X("practice.copied", "The key is in the clipboard"))
	}
	text := layout.Column(fynetheme.Size(theme.SizeNameSpace1), widgets.NewText(label, widgets.StyleMuted), widgets.NewText(masked, widgets.StyleMono))
	return layout.Beside(fynetheme.Size(theme.SizeNameSpace3), 320*theme.TextFactor(), text, copier)
}

// trustFacts are lines for a shell. Names of practice.test are in no name
// service, so they go to the hosts file.
func (k *practiceCard) trustFacts(view app.PracticeView) []widgets.Fact {
	file := quoted(view.CAFile)
	line := func(label, value string) widgets.Fact {
		return widgets.Fact{Label: label, Value: value, Mono: true, Copy: true}
	}
	return []widgets.Fact{
		line("/etc/hosts", "127.0.0.1 "+strings.Join(k.info.Names, " ")),
		line("Node.js", "export NODE_EXTRA_CA_CERTS="+file),
		line("Python", "export SSL_CERT_FILE="+file+" REQUESTS_CA_BUNDLE="+file),
		line("Linux", "sudo cp "+file+" /usr/local/share/ca-certificates/edgewright-practice.crt && sudo update-ca-certificates"),
	}
}

// quoted is a path as a POSIX shell takes it.
func quoted(path string) string {
	if !strings.ContainsAny(path, " '\"\\$`&;()<>|*?[]#~!") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
