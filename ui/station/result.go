package station

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// result is one device of the station: what was found, or cause and remedy.
func (s *Collector) result(d app.CollectResult) fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace3)
	status := collectStatus(d.State)
	head := layout.Beside(space, 140*theme.TextFactor(), widgets.NewText(where(d.Target, d.TPM), widgets.StyleSubtitle), widgets.NewPill(status.State, status.Word))
	body := layout.Column(space)
	if d.Device != "" {
		body.Add(widgets.Facts(widgets.Fact{Label: lang.X("devices.device", "Device"), Value: d.Device}))
	}
	var buttons []fyne.CanvasObject
	switch {
	case d.Key != nil:
		if d.Change != nil {
			body.Add(widgets.NewBanner(widgets.Care, lang.X("station.other", "Not as it was before"), changeMeaning(d.Change.Why)))
		}
		status, _ := certificate(d.Key.EKCertificate.State)
		body.Add(widgets.Facts(
			widgets.Fact{Label: lang.X("ek.hash", "SHA-256 of the key"), Value: d.Key.ID, Mono: true, Copy: true},
			widgets.Fact{Label: lang.X("ek.maker", "TPM"), Value: lang.X("ek.maker.is", "{{.Maker}}, firmware {{.Firmware}}", map[string]any{"Maker": d.Key.Manufacturer, "Firmware": d.Key.Firmware})},
			widgets.Fact{Label: lang.X("ek.template", "Template"), Value: templateMeaning(d.Key.EK.Template)},
			widgets.Fact{Label: lang.X("ek.certificate", "EK certificate"), Status: status}))
		id := d.Key.ID
		buttons = append(buttons, widgets.NewButton(widgets.Secondary, lang.X("station.openkey", "Open the key"), fynetheme.NavigateNextIcon(), func() { s.h.OpenKey(id) }))
	case d.Error != nil:
		body.Add(widgets.NewText(uilang.Domain(d.Error.Message), widgets.StyleBody))
		if d.Error.Hint != "" {
			body.Add(widgets.NewText(uilang.Domain(d.Error.Hint), widgets.StyleMuted))
		}
		if d.Error.Detail != d.Error.Message {
			body.Add(widgets.NewFoldOut(lang.X("failure.details", "Details"), d.Error.Kind, d.Error.Detail))
		}
	}
	if s.cancel == nil {
		at := d.CollectTarget
		buttons = append(buttons,
			widgets.NewButton(widgets.Secondary, lang.X("station.one", "Collect this one"), theme.IconChip(), func() { s.collect([]app.CollectTarget{at}) }),
			widgets.NewButton(widgets.Secondary, lang.X("station.remove", "Take off the list"), fynetheme.ContentRemoveIcon(), func() { s.remove(at) }))
	}
	body.Add(layout.Flow(fynetheme.Size(theme.SizeNameSpace2), buttons...))
	return layout.VScroll(widgets.NewCard(head, body))
}
