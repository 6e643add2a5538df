package station

import (
	"context"
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

// newKey shows one key: its IDs to copy and to scan, what it is, and what can be
// done with it.
func newKey(k *Keys, o opened) fyne.CanvasObject {
	key := o.key
	space := fynetheme.Size(theme.SizeNameSpace3)
	status := origin(key)
	name := key.Device
	if name == "" {
		name = key.ID[:short]
	}
	head := layout.Beside(space, 140*theme.TextFactor(), widgets.NewText(name, widgets.StyleSubtitle), widgets.NewPill(status.State, status.Word))
	body := layout.Column(space)
	if key.ReplacedBy != "" {
		body.Add(widgets.NewBanner(widgets.Care, lang.X("ek.isreplaced", "Another key is there now, {{.Key}}", map[string]any{"Key": key.ReplacedBy[:short]}), changeMeaning(key.Change)))
	}
	if o.had {
		body.Add(widgets.NewBanner(widgets.Care, lang.X("ek.hadbefore", "Before it, {{.Key}} was there", map[string]any{"Key": o.before.ID[:short]}), changeMeaning(o.before.Change)))
	}
	body.Add(codes(key))
	body.Add(widgets.Facts(facts(key)...))
	body.Add(layout.Flow(fynetheme.Size(theme.SizeNameSpace2), k.keyButtons(key)...))
	body.Add(widgets.NewFoldOut(lang.X("ek.ek", "Endorsement key for DPS"), lang.X("ek.ek.line", "base64 of TPM2B_PUBLIC"), key.EK.Public))
	if key.SRK != "" {
		body.Add(widgets.NewFoldOut(lang.X("ek.srk", "Storage root key"), lang.X("ek.ek.line", "base64 of TPM2B_PUBLIC"), key.SRK))
	}
	return layout.VScroll(widgets.NewCard(head, body))
}

// codes are the registration IDs in their forms, one of them as a QR code.
func codes(key app.CollectedKey) fyne.CanvasObject {
	words := []string{lang.X("ek.base32", "Registration ID, base32"), lang.X("ek.hex", "Registration ID, hexadecimal"), lang.X("ek.ek", "Endorsement key for DPS")}
	texts := []string{key.RegistrationIDs.Base32, key.RegistrationIDs.Hex, key.EK.Public}
	if key.Device != "" {
		words, texts = append([]string{lang.X("ek.device", "Device ID")}, words...), append([]string{key.Device}, texts...)
	}
	code := widgets.NewQRCode(words[0], texts[0])
	form := widgets.NewSelect(words, nil)
	form.SetSelectedIndex(0)
	form.OnChanged = func(string) {
		i := max(0, form.SelectedIndex())
		code.Set(words[i], texts[i])
	}
	space := fynetheme.Size(theme.SizeNameSpace2)
	return layout.Column(space, widgets.NewField(lang.X("ek.code", "As a QR code"), "", form), layout.Flow(0, code))
}

func facts(key app.CollectedKey) []widgets.Fact {
	status, meaning := certificate(key.EKCertificate.State)
	kept := lang.X("ek.notkept", "the TPM keeps none; it is made from its template each time")
	if key.EK.Handle != "" {
		kept = lang.X("ek.keptat", "kept at {{.Handle}}", map[string]any{"Handle": key.EK.Handle})
	}
	list := []widgets.Fact{
		{Label: lang.X("ek.base32", "Registration ID, base32"), Value: key.RegistrationIDs.Base32, Mono: true, Copy: true},
		{Label: lang.X("ek.hex", "Registration ID, hexadecimal"), Value: key.RegistrationIDs.Hex, Mono: true, Copy: true},
		{Label: lang.X("ek.plan", "In a plan"), Value: "catalog:" + key.ID[:2*short], Mono: true, Copy: true},
		{Label: lang.X("ek.template", "Template"), Value: templateMeaning(key.EK.Template)},
		{Label: lang.X("ek.place", "Place"), Value: kept},
		{Label: lang.X("ek.certificate", "EK certificate"), Value: meaning, Status: status},
		{Label: lang.X("ek.maker", "TPM"), Value: lang.X("ek.maker.is", "{{.Maker}}, firmware {{.Firmware}}", map[string]any{"Maker": key.Manufacturer, "Firmware": key.Firmware})},
		{Label: lang.X("station.where", "Where"), Value: where(key.Target, key.TPM), Mono: true},
		{Label: lang.X("ek.taken", "Read"), Value: lang.X("ek.taken.is", "{{.When}}, by station {{.Station}}", map[string]any{"When": uilang.Moment(key.Taken, time.Now()), "Station": key.Station})},
	}
	if key.Signer != "" {
		list = append(list, widgets.Fact{Label: lang.X("ek.signer", "List signed by"), Value: key.Signer, Mono: true, Copy: true})
	}
	return list
}

func (k *Keys) keyButtons(key app.CollectedKey) []fyne.CanvasObject {
	enrol := widgets.NewButton(widgets.Secondary, lang.X("ek.enrol", "Enrol this one ..."), theme.IconCloud(), func() {
		k.askEnrol(1, func(context.Context) ([]app.KeyEnrollment, error) { return []app.KeyEnrollment{key.Enrollment()}, nil })
	})
	if k.working != nil {
		enrol.Disable()
	}
	return []fyne.CanvasObject{enrol,
		widgets.NewButton(widgets.Secondary, lang.X("ek.name", "Device ID ..."), theme.IconLabel(), func() { k.nameKey(key) }),
		widgets.NewButton(widgets.Secondary, lang.X("ek.forget", "Forget ..."), fynetheme.DeleteIcon(), func() { k.forget(key) })}
}

// nameKey asks which device a key shall be.
func (k *Keys) nameKey(key app.CollectedKey) {
	var dialog *frame.Dialog
	var field *widgets.Field
	var agree func()
	entry := widgets.NewEntry(func(string) { agree() })
	entry.SetText(key.Device)
	entry.OnChanged = func(string) { field.SetError("") }
	field = widgets.NewField(lang.X("ek.device", "Device ID"), lang.X("ek.device.hint", "also the registration ID of its enrollment; empty takes base32"), entry)
	agree = func() {
		name := entry.Text
		frame.Do(k.h.C, &frame.Task{}, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, k.h.C.App.NameKey(ctx, key.ID, name)
		}, func(_ struct{}, err error) {
			if err != nil {
				field.SetError(frame.View(err).Message)
				dialog.Fit()
				return
			}
			dialog.End(func() {})
			k.Read()
			k.choose(key.ID)
		})
	}
	dialog = frame.NewDialog(k.h.C, lang.X("ek.name.title", "Which device has this TPM?"), layout.Column(0, field), nil,
		frame.Answer{Text: lang.X("action.cancel", "Cancel")},
		frame.Answer{Text: lang.X("ek.name.do", "Keep"), Kind: widgets.Primary, Do: agree, Stay: true})
	dialog.Show(entry)
}

// forget takes a key out of the catalog, and out of nothing else.
func (k *Keys) forget(key app.CollectedKey) {
	its := map[string]any{"Key": key.ID[:short]}
	frame.Confirm(k.h.C, lang.X("ek.forget.title", "Forget the key {{.Key}}?", its),
		lang.X("ek.forget.line", "The TPM and the clouds stay as they are: an enrollment with this key still works. It comes back when the TPM is read again."),
		frame.Answer{Text: lang.X("ek.forget.do", "Forget {{.Key}}", its), Icon: fynetheme.DeleteIcon(), Kind: widgets.Danger, Do: func() {
			frame.Do(k.h.C, &frame.Task{}, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, k.h.C.App.ForgetKey(ctx, key.ID)
			}, func(_ struct{}, err error) {
				if err != nil {
					k.h.sayError(err)
					return
				}
				k.pair.back()
				k.shown = ""
				k.pair.set(noKeyChosen())
				k.Read()
			})
		}})
}
