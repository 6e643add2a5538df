package clouds

import (
	"context"

	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// practiceCard is the practice cloud: its switch, and the way into it.
type practiceCard struct {
	p      *Page
	object *widgets.Card
	pill   *widgets.Pill
	line   *widgets.Text
	toggle *widgets.Button
	empty  *widgets.Button

	on      bool
	known   bool
	release func() // not nil while this page keeps it on
	busy    bool
	load    frame.Task
	turn    frame.Task
}

func newPracticeCard(p *Page) *practiceCard {
	k := &practiceCard{p: p}
	k.pill = widgets.NewPill(widgets.Neutral, "")
	k.line = widgets.NewText("", widgets.StyleMuted)
	k.toggle = widgets.NewButton(widgets.Secondary, lang.X("practice.turnon", "Switch on"), fynetheme.MediaPlayIcon(), k.switchIt)
	k.empty = widgets.NewButton(widgets.Secondary, lang.X("practice.reset", "Empty it ..."), fynetheme.DeleteIcon(), k.reset)
	enter := widgets.NewButton(widgets.Secondary, lang.X("practice.enter", "Look inside"), fynetheme.VisibilityIcon(), func() { p.openPractice("", "") })
	space := fynetheme.Size(theme.SizeNameSpace2)
	title := layout.Row(space, layout.Middle, widgets.NewIcon(theme.IconPractice(), theme.ColorNameAccent, theme.SizeNameIconLarge),
		layout.Grow(layout.Flow(fynetheme.Size(theme.SizeNameSpace3), widgets.NewText(lang.X("cloud.practice", "Practice cloud"), widgets.StyleSubtitle.As(widgets.Single)), k.pill)))
	inside := widgets.NewText(lang.X("practice.inside", "Inside are its devices and their twins, the log of requests, what opens it and how to trust it, and faults to rehearse."), widgets.StyleMuted)
	k.object = widgets.NewCard(layout.Beside(fynetheme.Size(theme.SizeNameSpace3), 300*theme.TextFactor(), title, layout.Flow(space, enter, k.toggle, k.empty)), k.line, inside)
	k.show()
	return k
}

// read looks whether the practice cloud is served.
func (k *practiceCard) read() {
	frame.Do(k.p.c, &k.load, func(context.Context) (bool, error) { return k.p.c.App.PracticeOn(), nil }, func(on bool, _ error) {
		k.on, k.known = on, true
		k.show()
	})
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

// switchIt serves the practice cloud, or no longer.
func (k *practiceCard) switchIt() {
	release := k.release
	k.busy, k.release = true, nil
	k.show()
	frame.Do(k.p.c, &k.turn, func(ctx context.Context) (func(), error) {
		if release != nil {
			release()
			return nil, nil
		}
		return k.keep(ctx)
	}, k.turned)
}

// keep serves it until what it gives is called.
func (k *practiceCard) keep(ctx context.Context) (release func(), err error) {
	_, release, err = k.p.c.App.KeepPractice(ctx)
	return release, err
}

func (k *practiceCard) turned(release func(), err error) {
	k.busy, k.release = false, release
	k.on = release != nil || k.p.c.App.PracticeOn()
	k.show()
	k.p.c.Changed()
	if k.p.inside != nil {
		k.p.inside.Again()
	}
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
			frame.Do(k.p.c, &k.turn, func(ctx context.Context) (func(), error) {
				if release != nil {
					release()
				}
				if err := k.p.c.App.ResetPractice(ctx); err != nil || release == nil {
					return nil, err
				}
				return k.keep(ctx)
			}, func(release func(), err error) {
				k.p.renewPractice()
				k.turned(release, err)
				if err == nil {
					k.p.say(widgets.Good, lang.X("practice.reset.done", "The practice cloud is empty"), "")
				}
			})
		}})
}
