package provision

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// thumbprints are the plan's words for the hashes, as people write them.
var thumbprints = map[string]string{"SHA-256": provisioning.ThumbprintSHA256, "SHA-1": provisioning.ThumbprintSHA1}

// hashFields ask by which hash a hub knows a self-signed certificate, and
// whether a spare pair lies beside it.
type hashFields struct {
	p     *Page
	hash  *widgets.Select
	hashF *widgets.Field
	spare *widgets.Check
}

func newHashFields(p *Page) *hashFields {
	f := &hashFields{p: p}
	f.hash = widgets.NewSelect([]string{"SHA-256", "SHA-1"}, func(string) { f.keep(); f.hashF.SetError("") })
	f.hashF = widgets.NewField(lang.X("hash.by", "Thumbprint"), lang.X("hash.by.hint", "SHA-1 only for programs that know no other"), f.hash)
	f.spare = widgets.NewCheck(lang.X("hash.spare", "With a spare pair on the device"), func(bool) { f.keep() })
	f.hash.Selected, f.spare.Checked = "SHA-256", true // what goes without saying
	return f
}

// byHash tells whether a hub may know the device by a thumbprint: certificates
// from files are self-signed or not, which shows only when they are read.
func byHash(plan provisioning.Plan) bool {
	source := plan.WithDefaults().X509.Source
	return plan.Cell.Provisioning == provisioning.Manual && (source == provisioning.SourceSelfSigned || source == provisioning.SourceFiles)
}

// keep writes the fields into the plan, where they belong to its source.
func (f *hashFields) keep() {
	plan := &f.p.draft.Plan
	if !byHash(*plan) {
		return
	}
	plan.X509.Thumbprint = thumbprints[f.hash.Selected]
	if spare := f.spare.Checked; plan.X509.Source != provisioning.SourceSelfSigned {
		plan.X509.Secondary = nil
	} else if plan.X509.Secondary != nil || !spare { // yes is what goes without saying
		plan.X509.Secondary = &spare
	}
}

// content shows the fields for the plan as it is; nil where no hub knows a hash.
func (f *hashFields) content() fyne.CanvasObject {
	plan := f.p.draft.Plan.WithDefaults()
	if !byHash(plan) {
		return nil
	}
	f.hash.Selected = "SHA-256"
	if plan.X509.Thumbprint == provisioning.ThumbprintSHA1 {
		f.hash.Selected = "SHA-1"
	}
	f.hash.Refresh()
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace2), widgets.SectionTitle(lang.X("hash.title", "How the hub knows it")), f.hashF)
	if plan.X509.Source == provisioning.SourceSelfSigned {
		f.spare.Checked = plan.HasSpare()
		f.spare.Refresh()
		column.Add(layout.Column(0, f.spare, widgets.NewText(lang.X("hash.spare.line", "The hub knows two thumbprints; a new certificate takes the place of the spare one first, so that the device is never locked out."), widgets.StyleSmall)))
	}
	return column
}

// wrong shows the first error among the fields and gives what is to have the
// focus, nil for nothing wrong.
func (f *hashFields) wrong() fyne.Focusable {
	if finding := f.p.draft.Finding("x509.thumbprint"); finding != nil {
		f.hashF.SetError(frame.Finding(*finding))
		return f.hash
	}
	return nil
}
