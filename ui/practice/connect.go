package practice

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// connect is the tab that points clients at the practice cloud: its addresses,
// the connection strings of its policies, and how to trust it.
type connect struct {
	v    *View
	body *fyne.Container
	all  fyne.CanvasObject
	load frame.Task
	hubs int // how many the body lists; 0 before it is made
}

func newConnect(v *View) *connect {
	t := &connect{v: v, body: layout.Column(fynetheme.Size(theme.SizeNameSpace3))}
	t.all = layout.VScroll(t.body)
	return t
}

func (t *connect) object() fyne.CanvasObject { return t.all }

func (t *connect) first() fyne.Focusable { return t.v.tabs }

// opens is what opens the practice cloud.
type opens struct {
	info     app.PracticeInfo
	policies []app.PracticePolicy
}

// read makes the body once, and again where there is another hub.
func (t *connect) read(overview app.PracticeOverview) {
	if t.hubs == len(overview.Hubs) {
		return
	}
	frame.Do(t.v.c, &t.load, func(ctx context.Context) (opens, error) {
		info, err := t.v.c.App.PracticeInfo(ctx)
		if err != nil {
			return opens{}, err
		}
		policies, err := t.v.c.App.PracticePolicies(ctx)
		return opens{info, policies}, err
	}, func(o opens, err error) {
		if err != nil {
			t.v.sayError(err)
			return
		}
		t.hubs = len(overview.Hubs)
		t.show(o)
	})
}

func (t *connect) show(o opens) {
	view := o.info.Masked()
	fact := func(label, value string) widgets.Fact {
		return widgets.Fact{Label: label, Value: value, Mono: true, Copy: true}
	}
	policies := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewText(lang.X("practice.policies.line", "Services and tools open it with one of these. Each has the rights of the policy of that name."), widgets.StyleMuted))
	for _, p := range o.policies {
		policies.Add(secretRow(p))
	}
	lines := []widgets.Fact{}
	for _, line := range o.info.Lines() {
		lines = append(lines, fact(line.Client, line.Line))
	}
	t.body.Objects = []fyne.CanvasObject{
		widgets.NewFactCard(lang.X("practice.where", "Where it is"),
			fact(lang.X("clouds.hub", "IoT Hub"), view.HubHost), fact(lang.X("practice.dps", "DPS service"), view.DPSHost),
			fact(lang.X("clouds.global", "Global endpoint"), view.GlobalHost), fact(lang.X("clouds.scope", "ID scope"), view.IDScope),
			fact("HTTPS", view.HTTPS), fact("MQTT", view.MQTT), fact(lang.X("practice.ca", "CA file"), view.CAFile)),
		widgets.NewTitledCard(lang.X("practice.strings", "What opens it"), policies),
		widgets.NewTitledCard(lang.X("practice.trust", "How to trust it"),
			widgets.NewText(lang.X("practice.trust.line", "Programs on this computer find and trust it with one of these lines."), widgets.StyleMuted), widgets.Facts(lines...))}
	t.body.Refresh()
}

// secretRow shows a masked connection string; its button copies it whole.
func secretRow(p app.PracticePolicy) fyne.CanvasObject {
	name := lang.X("practice.policy.dps", "{{.Policy}} of DPS", map[string]any{"Policy": p.Policy})
	if p.Hub != "" {
		name = lang.X("practice.policy.hub", "{{.Policy}} of the hub {{.Hub}}", map[string]any{"Hub": p.Hub, "Policy": p.Policy})
	}
	words := layout.Column(fynetheme.Size(theme.SizeNameSpace1), widgets.NewText(name, widgets.StyleMuted), widgets.NewText(p.Masked, widgets.StyleMono))
	return layout.Beside(fynetheme.Size(theme.SizeNameSpace3), 320*theme.TextFactor(), words, copyButton(p.Text))
}

// copyButton reveals a secret into the clipboard and says so.
func copyButton(text secret.Value) *widgets.Button {
	copier := widgets.NewButton(widgets.Secondary, lang.X("practice.copy", "Copy with its key"), fynetheme.ContentCopyIcon(), nil)
	copier.OnTapped = func() {
		fyne.CurrentApp().Clipboard().SetContent(text.RevealString())
		copier.SetText(lang.X("practice.copied", "The key is in the clipboard"))
	}
	return copier
}
