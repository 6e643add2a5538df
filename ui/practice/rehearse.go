package practice

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// rehearse is the tab of the faults and limits. It is made anew from what the
// cloud says, which a command may have set too.
type rehearse struct {
	v      *View
	sign   *fyne.Container
	faults []*fault
	hubs   *fyne.Container
	body   *fyne.Container
	all    fyne.CanvasObject
	act    frame.Task
	now    app.PracticeFaults
	limits app.PracticeLimits
	listed string // the hubs, as their lines show them
}

// fault is a card with a choice.
type fault struct {
	choice *widgets.Select
	pill   *widgets.Pill
	values []any // of the options; the first one is none
	say    func(value any) string
	value  func(app.PracticeFaults, app.PracticeLimits) any
	set    func(value any)
}

// share is N of every Of requests.
type share struct{ n, of int }

func newRehearse(v *View) *rehearse {
	t := &rehearse{v: v}
	space := fynetheme.Size(theme.SizeNameSpace3)
	t.sign, t.hubs = layout.Column(space), layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	t.body = layout.Column(space, t.sign,
		t.card(lang.X("practice.throttle", "Throttling"),
			lang.X("practice.throttle.line", "Some requests are answered with 429 Too Many Requests and not acted on. A good client waits and tries again."),
			&fault{values: []any{share{}, share{1, 10}, share{1, 3}, share{1, 2}, share{1, 1}}, say: sayShare,
				value: func(f app.PracticeFaults, _ app.PracticeLimits) any { return share{f.Throttle.N, f.Throttle.Of} },
				set: func(value any) {
					s := value.(share)
					t.change(func(f *app.PracticeFaults) {
						f.Throttle = app.PracticeThrottle{N: s.n, Of: s.of, RetryAfter: f.Throttle.RetryAfter}
					})
				}}),
		t.card(lang.X("practice.fail", "Failures of the service"),
			lang.X("practice.fail.line", "Some requests are answered with 503 Service Unavailable and not acted on."),
			&fault{values: []any{share{}, share{1, 10}, share{1, 3}, share{1, 2}, share{1, 1}}, say: sayShare,
				value: func(f app.PracticeFaults, _ app.PracticeLimits) any { return share{f.Fail.N, f.Fail.Of} },
				set: func(value any) {
					s := value.(share)
					t.change(func(f *app.PracticeFaults) {
						if f.Fail = (app.PracticeFailure{N: s.n, Of: s.of, Status: 503}); s.n == 0 {
							f.Fail = app.PracticeFailure{}
						}
					})
				}}),
		t.card(lang.X("practice.delay", "A slow network"),
			lang.X("practice.delay.line", "Every request is held for this long before it is looked at."),
			&fault{values: spans(0, 200*time.Millisecond, time.Second, 5*time.Second, 30*time.Second), say: saySpan,
				value: func(f app.PracticeFaults, _ app.PracticeLimits) any { return time.Duration(f.Delay) },
				set: func(value any) {
					t.change(func(f *app.PracticeFaults) { f.Delay = app.PracticeSpan(value.(time.Duration)) })
				}}),
		t.card(lang.X("practice.skew", "A wrong clock"),
			lang.X("practice.skew.line", "The cloud's clock goes ahead of this computer's or behind it, as a device with a wrong clock would see it. Tokens expire early, or are not valid yet."),
			&fault{values: spans(0, 10*time.Minute, -10*time.Minute, 2*time.Hour, -2*time.Hour, 48*time.Hour, -48*time.Hour), say: saySkew,
				value: func(f app.PracticeFaults, _ app.PracticeLimits) any { return time.Duration(f.Skew) },
				set: func(value any) {
					t.change(func(f *app.PracticeFaults) { f.Skew = app.PracticeSpan(value.(time.Duration)) })
				}}),
		widgets.NewCard(widgets.NewText(lang.X("practice.offline", "A hub that is gone"), widgets.StyleStrong),
			widgets.NewText(lang.X("practice.offline.line", "The hub ends each connection without an answer. DPS and the other hubs go on."), widgets.StyleMuted), t.hubs),
		t.card(lang.X("practice.limits", "Limits of a SKU"),
			lang.X("practice.limits.line", "Hubs and DPS keep the rates of Azure: requests above them wait in a queue, then they are answered with 429. Basic tiers refuse twins, methods and configurations."),
			&fault{values: limits(), say: sayLimits,
				value: func(_ app.PracticeFaults, l app.PracticeLimits) any { return l },
				set: func(value any) {
					t.do(func(ctx context.Context) error { return t.v.c.App.SetPracticeLimits(ctx, value.(app.PracticeLimits)) })
				}}))
	t.all = layout.VScroll(t.body)
	return t
}

func (t *rehearse) object() fyne.CanvasObject { return t.all }

func (t *rehearse) first() fyne.Focusable { return t.faults[0].choice }

// card puts a fault into a card with a sentence of what it does.
func (t *rehearse) card(title, line string, f *fault) fyne.CanvasObject {
	f.choice, f.pill = widgets.NewSelect(nil, nil), widgets.NewPill(widgets.Neutral, "")
	t.faults = append(t.faults, f)
	space := fynetheme.Size(theme.SizeNameSpace3)
	head := layout.Flow(space, widgets.NewText(title, widgets.StyleStrong.As(widgets.Single)), f.pill)
	return widgets.NewCard(layout.Beside(space, 380*theme.TextFactor(), layout.Column(fynetheme.Size(theme.SizeNameSpace1), head, widgets.NewText(line, widgets.StyleMuted)), f.choice))
}

// on is the sign of a fault that is on.
func on() widgets.Status {
	return widgets.Status{State: widgets.Care, Word: lang.X("practice.on", "on")}
}

// show writes a value onto the choice; one that no option has gets its own.
func (f *fault) show(value any) {
	values := f.values
	if !slices.Contains(values, value) {
		values = append(slices.Clone(values), value)
	}
	f.choice.OnChanged = nil
	f.choice.Options = nil
	for _, v := range values {
		f.choice.Options = append(f.choice.Options, f.say(v))
	}
	// The toolkit makes a choice as wide as the text that stands for none.
	f.choice.PlaceHolder = slices.MaxFunc(f.choice.Options, func(a, b string) int { return len(a) - len(b) })
	at := slices.Index(values, value)
	f.choice.SetSelectedIndex(at)
	f.choice.OnChanged = func(string) { f.set(values[f.choice.SelectedIndex()]) }
	if f.pill.Set(widgets.Status{}); at > 0 {
		f.pill.Set(on())
	}
}

func (t *rehearse) read(overview app.PracticeOverview) {
	t.now, t.limits = overview.Faults, overview.Limits
	for _, f := range t.faults {
		f.show(f.value(t.now, t.limits))
	}
	t.showHubs(overview.Hubs)
	t.showSign()
}

// showHubs has a line for each hub, made anew when one came or went.
func (t *rehearse) showHubs(hubs []app.PracticeHub) {
	now := fmt.Sprint(hubNames(hubs), t.now.Offline)
	if now == t.listed {
		return
	}
	t.listed, t.hubs.Objects = now, nil
	space := fynetheme.Size(theme.SizeNameSpace2)
	for _, hub := range hubs {
		gone := slices.Contains(t.now.Offline, hub.Name)
		pill, word := widgets.NewPill(widgets.Good, lang.X("practice.answers", "answers")), lang.X("practice.takeoffline", "Take {{.Hub}} away", map[string]any{"Hub": hub.Name})
		if gone {
			pill.Set(widgets.Status{State: widgets.Care, Word: lang.X("practice.gone", "gone")})
			word = lang.X("practice.bringback", "Bring {{.Hub}} back", map[string]any{"Hub": hub.Name})
		}
		t.hubs.Add(layout.Beside(space, 240*theme.TextFactor(), layout.Flow(space, widgets.NewText(hub.Host, widgets.StyleMono.As(widgets.Single)), pill),
			widgets.NewButton(widgets.Secondary, word, nil, func() { t.setOffline(hub.Name, !gone) })))
	}
}

func hubNames(hubs []app.PracticeHub) []string {
	var names []string
	for _, hub := range hubs {
		names = append(names, hub.Name)
	}
	return names
}

func (t *rehearse) setOffline(name string, gone bool) {
	t.change(func(f *app.PracticeFaults) {
		f.Offline = slices.DeleteFunc(f.Offline, func(other string) bool { return other == name })
		if gone {
			f.Offline = append(f.Offline, name)
		}
	})
}

// showSign says on top that the cloud misbehaves on purpose.
func (t *rehearse) showSign() {
	t.sign.Objects = nil
	t.sign.Hide()
	if t.now.Any() || t.limits.SKU != "" {
		clear := widgets.NewButton(widgets.Secondary, lang.X("practice.clear", "Switch all off"), fynetheme.ContentClearIcon(), t.clear)
		t.sign.Objects = []fyne.CanvasObject{widgets.NewBanner(widgets.Care, lang.X("practice.misbehaves", "The practice cloud misbehaves on purpose"),
			lang.X("practice.misbehaves.line", "Clients and runs meet what is on below until it is switched off or the practice cloud ends."), clear)}
		t.sign.Show()
	}
	t.body.Refresh()
}

func (t *rehearse) clear() {
	t.do(func(ctx context.Context) error {
		if err := t.v.c.App.SetPracticeFaults(ctx, app.PracticeFaults{}); err != nil {
			return err
		}
		return t.v.c.App.SetPracticeLimits(ctx, app.PracticeLimits{})
	})
}

func (t *rehearse) change(change func(*app.PracticeFaults)) {
	t.do(func(ctx context.Context) error {
		_, err := t.v.c.App.ChangePracticeFaults(ctx, change)
		return err
	})
}

// do sets something and looks at what is set then.
func (t *rehearse) do(act func(ctx context.Context) error) {
	frame.Do(t.v.c, &t.act, func(ctx context.Context) (struct{}, error) { return struct{}{}, act(ctx) }, func(_ struct{}, err error) {
		t.v.Again()
		t.v.c.Changed()
		if err != nil {
			t.v.sayError(err)
		}
	})
}

func off() string { return lang.X("practice.off", "off") }

func sayShare(value any) string {
	switch s := value.(share); {
	case s.n == 0:
		return off()
	case s.n == s.of:
		return lang.X("practice.share.all", "every request")
	default:
		return lang.X("practice.share", "{{.N}} of {{.Of}} requests", map[string]any{"N": s.n, "Of": s.of})
	}
}

func spans(all ...time.Duration) []any {
	var values []any
	for _, d := range all {
		values = append(values, d)
	}
	return values
}

func saySpan(value any) string {
	if d := value.(time.Duration); d != 0 {
		return uilang.Duration(d)
	}
	return off()
}

func saySkew(value any) string {
	switch d := value.(time.Duration); {
	case d > 0:
		return lang.X("practice.ahead", "{{.Span}} ahead", map[string]any{"Span": uilang.Duration(d)})
	case d < 0:
		return lang.X("practice.behind", "{{.Span}} behind", map[string]any{"Span": uilang.Duration(-d)})
	}
	return off()
}

// limits are each SKU with one unit.
func limits() []any {
	values := []any{app.PracticeLimits{}}
	for _, sku := range app.PracticeSKUs() {
		values = append(values, app.PracticeLimits{SKU: sku, Units: 1})
	}
	return values
}

func sayLimits(value any) string {
	l := value.(app.PracticeLimits)
	if l.SKU == "" {
		return off()
	}
	return fmt.Sprintf("%s x %d", l.SKU, l.Units)
}
