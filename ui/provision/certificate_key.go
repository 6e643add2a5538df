package provision

import (
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// keyFields ask where the key of a device is made, of which kind it is, and how
// long its certificate holds.
type keyFields struct {
	p         *Page
	place     *widgets.ChoiceGroup
	algorithm *widgets.Select
	days      *widgets.Entry
	daysF     *widgets.Field
	placed    bool // a person has chosen the place
}

func newKeyFields(p *Page, submit func(string)) *keyFields {
	f := &keyFields{p: p, days: widgets.NewEntry(submit)}
	var words []string
	for _, a := range pki.Algorithms {
		if a.OnDevice() {
			words = append(words, a.String())
		}
	}
	f.algorithm = widgets.NewSelect(words, func(string) { f.keep() })
	f.algorithm.Selected = pki.P256.String()
	f.days.SetText("365")
	f.days.OnChanged = func(string) { f.keep() }
	f.daysF = widgets.NewField(lang.X("certificates.form.days", "Days"), lang.X("certificates.form.days.hint", "it never ends after its issuer"), f.days)
	f.place = widgets.NewChoiceGroup(func(string) { f.placed = true; f.keep() })
	f.place.OnSubmitted = func(string) { p.Primary() }
	return f
}

// made tells whether Edgewright has the key of the plan's source made.
func made(source string) bool {
	return source == provisioning.SourceIssue || source == provisioning.SourceSelfSigned || source == provisioning.SourceLocalCA
}

// obstacle says why the device makes no keys, "" where it does or was not looked
// at.
func (f *keyFields) obstacle() string {
	if f.p.draft.Found == nil {
		return ""
	}
	return f.p.draft.Found.KeyObstacle
}

// keep writes the fields into the plan, where they belong to its source.
func (f *keyFields) keep() {
	f.daysF.SetError("")
	x := &f.p.draft.Plan.X509
	x.Key, x.Algorithm, x.Days = "", "", 0
	if !made(f.p.draft.Plan.WithDefaults().X509.Source) {
		return
	}
	if f.placed {
		x.Key = f.place.Chosen()
	}
	for _, a := range pki.Algorithms {
		if a.String() == f.algorithm.Selected {
			x.Algorithm = string(a)
		}
	}
	days, err := strconv.Atoi(strings.TrimSpace(f.days.Text))
	if err != nil || days == 0 {
		days = -1 // which the plan refuses, by name
	}
	x.Days = days
}

// content shows the fields for the plan as it is; nil where the key is not made
// by Edgewright.
func (f *keyFields) content() fyne.CanvasObject {
	x := f.p.draft.Plan.WithDefaults().X509
	if !made(x.Source) {
		return nil
	}
	device := widgets.Choice{ID: provisioning.KeyOnDevice, Icon: theme.IconDevice(), Title: lang.X("key.device", "On the device"), Line: lang.X("key.device.line", "by its openssl; it never leaves the device")}
	if obstacle := f.obstacle(); obstacle != "" {
		device.Muted, device.Line = true, lang.X("key.device.no", "not possible: {{.Why}}", map[string]any{"Why": uilang.Domain(obstacle)})
	}
	f.place.Set([]widgets.Choice{device, {ID: provisioning.KeyOnWorkstation, Icon: fynetheme.ComputerIcon(), Title: lang.X("key.here", "On this computer"), Line: lang.X("key.here.line", "it goes to the device and is forgotten here")}})
	chosen := x.Key
	switch {
	case device.Muted:
		chosen = provisioning.KeyOnWorkstation
		if x.Key == provisioning.KeyOnDevice {
			f.p.draft.Plan.X509.Key = "" // of a target that was chosen before
		}
	case chosen == "":
		chosen = provisioning.KeyOnDevice
	}
	f.placed = f.p.draft.Plan.X509.Key != ""
	f.place.Choose(chosen)
	f.algorithm.Selected = pki.Algorithm(x.Algorithm).String()
	f.algorithm.Refresh()
	if x.Days > 0 {
		setQuietly(f.days, strconv.Itoa(x.Days))
	}
	space := fynetheme.Size(theme.SizeNameSpace2)
	return layout.Column(space, widgets.SectionTitle(lang.X("key.title", "Where its key is made")), f.place,
		layout.Grid(2, 160*theme.TextFactor(), space, widgets.NewField(lang.X("key.algorithm", "Kind of key"), "", f.algorithm), f.daysF))
}

// wrong shows the first error among the fields and gives what is to have the
// focus, nil for nothing wrong.
func (f *keyFields) wrong() fyne.Focusable {
	if finding := f.p.draft.Finding("x509.days", "x509.key", "x509.algorithm"); finding != nil {
		f.daysF.SetError(frame.Finding(*finding))
		return f.days
	}
	return nil
}
