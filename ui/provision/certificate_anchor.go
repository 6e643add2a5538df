package provision

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/onboarding"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// anchorFields ask how the cloud knows the CA above a device: a group by the
// certificate of that CA in the enrollment or by one that was uploaded, a hub by
// an uploaded one alone.
type anchorFields struct {
	p        *Page
	by       *widgets.ChoiceGroup
	name     *widgets.Entry
	nameF    *widgets.Field
	onboard  *widgets.Check
	uploaded fyne.CanvasObject // name and onboard
	// known is the CA whose certificate a group gets where an EST server issues.
	known  *caChoice
	knownF *widgets.Field
}

func newAnchorFields(p *Page, submit func(string)) *anchorFields {
	f := &anchorFields{p: p, name: widgets.NewEntry(submit)}
	f.name.SetPlaceHolder("line-7-ca")
	f.name.OnChanged = func(string) { f.keep() }
	f.nameF = widgets.NewField(lang.X("anchor.name", "Name of the uploaded CA"), lang.X("anchor.name.hint", "in the cloud: letters, digits, dashes, dots and underscores"), f.name)
	f.onboard = widgets.NewCheck(lang.X("anchor.onboard", "Upload and verify it in this run"), func(yes bool) { f.wantsOnboard(yes) })
	f.uploaded = layout.Column(fynetheme.Size(theme.SizeNameSpace2), f.nameF,
		layout.Column(0, f.onboard, widgets.NewText(lang.X("anchor.onboard.line", "Otherwise it is there already, verified; Review asks the cloud."), widgets.StyleSmall)))
	f.known = newCAChoice(func() { f.keep() })
	f.knownF = widgets.NewField(lang.X("anchor.known", "CA of the EST server"), "", f.known.list)
	return f
}

// wantsOnboard suggests a name where there is none yet.
func (f *anchorFields) wantsOnboard(yes bool) {
	if yes && f.name.Text == "" {
		ca := f.p.draft.Plan.X509.CA
		if ca == "" {
			ca = "Practice issuing CA"
		}
		f.name.SetText(onboarding.NameFor(ca))
	}
	f.keep()
}

// byHub tells whether a hub has to know the CA of the device.
func byHub(plan provisioning.Plan) bool {
	return plan.Cell.Provisioning == provisioning.Manual && plan.WithDefaults().X509.Source != provisioning.SourceSelfSigned
}

// keep writes the fields into the plan, where it has an anchor.
func (f *anchorFields) keep() {
	f.nameF.SetError("")
	f.knownF.SetError("")
	plan := &f.p.draft.Plan
	x := &plan.X509
	x.Anchor, x.Uploaded, x.Onboard = "", "", false
	name := strings.TrimSpace(f.name.Text)
	onboard := f.onboard.Checked && x.Source != provisioning.SourceEST
	switch {
	case plan.ByGroup() && f.by != nil && f.by.Chosen() == provisioning.AnchorUploaded, byHub(*plan) && (name != "" || onboard):
		x.Anchor, x.Uploaded, x.Onboard = provisioning.AnchorUploaded, name, onboard
	case plan.ByGroup():
		x.Anchor = provisioning.AnchorIntermediate
	}
	if x.Source == provisioning.SourceEST {
		if x.CA = ""; x.Anchor == provisioning.AnchorIntermediate {
			x.CA = f.known.name()
		}
	}
}

// content shows the fields for the plan as it is; nil where it has no anchor.
func (f *anchorFields) content() fyne.CanvasObject {
	plan := f.p.draft.Plan
	x := plan.X509
	if x.Uploaded != "" {
		setQuietly(f.name, x.Uploaded)
	}
	f.onboard.Enable()
	if f.onboard.Checked = x.Onboard; x.Source == provisioning.SourceEST {
		f.onboard.Disable() // the key of that CA is its owner's
	}
	f.onboard.Refresh()
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace2), widgets.SectionTitle(lang.X("anchor.title", "How the cloud knows the CA")))
	switch {
	case plan.ByGroup():
		certificate := widgets.Choice{ID: provisioning.AnchorIntermediate, Icon: theme.IconCertificate(), Title: lang.X("anchor.intermediate", "By its certificate in the enrollment group"), Line: lang.X("anchor.intermediate.line", "an intermediate CA; nothing has to be uploaded")}
		if x.Source == provisioning.SourceEST {
			f.offerKnown(x.CA)
			certificate.Content = f.knownF
		}
		f.by = widgets.NewChoiceGroup(func(string) { f.keep(); f.p.arrange() },
			certificate,
			widgets.Choice{ID: provisioning.AnchorUploaded, Icon: fynetheme.UploadIcon(), Title: lang.X("anchor.uploaded", "By a CA that was uploaded to the DPS"), Line: lang.X("anchor.uploaded.line", "the group refers to it by name"), Content: f.uploaded})
		f.by.OnSubmitted = func(string) { f.p.Primary() }
		f.by.Choose(plan.WithDefaults().X509.Anchor)
		column.Add(f.by)
	case byHub(plan):
		column.Add(widgets.NewText(lang.X("anchor.hub", "A hub knows devices with a CA-signed certificate only by a CA that was uploaded to it and is verified. The name may stay empty where it is there."), widgets.StyleSmall))
		column.Add(f.uploaded)
	default:
		return nil
	}
	return column
}

// offerKnown lists the CAs that can be that of an EST server.
func (f *anchorFields) offerKnown(chosen string) {
	names, err := f.p.c.App.CANames(f.p.c.Ctx)
	if err != nil {
		f.knownF.SetError(frame.View(err).Message)
	}
	f.known.offer(append([]string{""}, names...), lang.X("anchor.known.server", "the one that the server names"), chosen)
}

// wrong shows the first error among the fields and gives what is to have the
// focus, nil for nothing wrong.
func (f *anchorFields) wrong() fyne.Focusable {
	if finding := f.p.draft.Finding("x509.uploaded", "x509.onboard", "x509.anchor"); finding != nil {
		f.nameF.SetError(frame.Finding(*finding))
		return f.name
	}
	if finding := f.p.draft.Finding("x509.ca"); finding != nil && f.p.draft.Plan.X509.Source == provisioning.SourceEST {
		f.knownF.SetError(frame.Finding(*finding))
		return f.known.list
	}
	return nil
}
