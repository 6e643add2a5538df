package devices

import (
	"context"
	"strings"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// rotateButtons are for what of the device can be rotated in place.
func (d *devicePage) rotateButtons() []fyne.CanvasObject {
	var buttons []fyne.CanvasObject
	identity, edgeCA := app.CanRotate(d.device)
	if identity {
		buttons = append(buttons, widgets.NewButton(widgets.Secondary, lang.X("device.rotate.identity", "Rotate identity ..."), fynetheme.ViewRefreshIcon(), func() { d.rotate(provisioning.RoleIdentity) }))
	}
	if edgeCA {
		buttons = append(buttons, widgets.NewButton(widgets.Secondary, lang.X("device.rotate.edgeca", "Rotate Edge CA ..."), fynetheme.ViewRefreshIcon(), func() { d.rotate(provisioning.RoleEdgeCA) }))
	}
	return buttons
}

// rotationLook is a rotation with what it would do.
type rotationLook struct {
	request app.Request
	preview *provisioning.Preview
}

// rotate looks at what a rotation would do, and asks.
func (d *devicePage) rotate(what provisioning.CertificateRole) {
	c := d.p.c
	rotation := app.Rotation{Device: d.device.UUID, What: string(what), NewKey: true, Access: c.Access()}
	frame.Do(c, &d.p.look, func(ctx context.Context) (rotationLook, error) {
		request, err := c.App.RotationRequest(ctx, rotation)
		if err != nil {
			return rotationLook{}, err
		}
		preview, err := c.App.Preview(ctx, request)
		return rotationLook{request, preview}, err
	}, func(found rotationLook, err error) {
		if err != nil {
			d.p.sayError(err)
			return
		}
		d.askToRotate(found)
	})
}

// askToRotate shows the preview; one that is refused has no answer but to close.
func (d *devicePage) askToRotate(found rotationLook) {
	space := fynetheme.Size(theme.SizeNameSpace2)
	body := layout.Column(space, widgets.NewText(lang.X("device.rotate.line", "The device gets a new key and a new certificate; the old pair works until the new one is proven, and is put back if it is not. The services of the device restart."), widgets.StyleBody))
	for _, f := range found.preview.Findings {
		state := map[finding.Level]widgets.State{finding.Error: widgets.Bad, finding.Care: widgets.Care}[f.Level]
		body.Add(widgets.NewBanner(state, uilang.Domain(f.Problem), uilang.Domain(f.Fix)))
	}
	for _, line := range changes(found.preview) {
		body.Add(widgets.NewText(line, widgets.StyleSmall))
	}
	title := lang.X("device.rotate.title", "Rotate a certificate of {{.Device}}", map[string]any{"Device": d.device.DeviceID})
	if found.preview.Refused() {
		frame.NewDialog(d.p.c, title, body, nil, frame.Answer{Text: lang.X("action.close", "Close")}).Show(nil)
		return
	}
	frame.NewDialog(d.p.c, title, body, nil, frame.Answer{Text: lang.X("action.cancel", "Cancel")},
		frame.Answer{Text: lang.X("device.rotate.do", "Rotate"), Icon: fynetheme.ViewRefreshIcon(), Kind: widgets.Primary, Do: func() { d.carryRotation(found.request) }}).Show(nil)
}

// changes are the lines of a preview.
func changes(p *provisioning.Preview) []string {
	var lines []string
	for _, writes := range [][]provisioning.Write{p.Certificates, p.Cloud} {
		for _, w := range writes {
			lines = append(lines, strings.TrimSuffix(change(w.Action, uilang.Domain(w.What))+": "+uilang.Domain(w.Detail), ": "))
		}
	}
	for _, file := range p.Files {
		if file.Action != provisioning.WriteKeep {
			lines = append(lines, change(file.Action, file.Path))
		}
	}
	return append(lines, uilang.DomainAll(p.Actions)...)
}

// change is what happens to one thing.
func change(action, what string) string {
	thing := map[string]any{"What": what}
	switch action {
	case provisioning.WriteMake:
		return lang.X("change.make", "make {{.What}}", thing)
	case provisioning.WriteChange:
		return lang.X("change.change", "change {{.What}}", thing)
	case provisioning.WriteRemove:
		return lang.X("change.remove", "remove {{.What}}", thing)
	case provisioning.WriteRefuse:
		return lang.X("change.refuse", "not possible with {{.What}}", thing)
	}
	return lang.X("change.keep", "keep {{.What}}", thing)
}

// carryRotation runs the rotation and follows it on the page Runs. Its context is
// the window's: going to another page ends nothing.
func (d *devicePage) carryRotation(request app.Request) {
	c := d.p.c
	var follow sync.Once
	frame.Do(c, &frame.Task{}, func(ctx context.Context) (provisioning.Outcome, error) {
		return c.App.Provision(ctx, request, func(e provisioning.Event) {
			follow.Do(func() { c.Post(func() { c.Open(frame.Place{Page: frame.Runs, Run: e.Run}) }) })
		}), nil
	}, func(out provisioning.Outcome, _ error) {
		c.Changed()
		frame.Notify(c, out)
		if out.Run == "" && out.Error != nil {
			d.p.say(widgets.Bad, uilang.Domain(out.Error.Message), uilang.Domain(out.Error.Hint))
		}
	})
}
