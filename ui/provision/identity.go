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

// identityStep asks for the device's name and for everything that hangs on it:
// certificate or TPM, Edge CA, and what is seldom said.
type identityStep struct {
	p     *Page
	id    *widgets.Entry
	field *widgets.Field
	certs *certificateFields
	chip  *tpmFields
	edge  *edgeFields
	more  *moreFields
}

func (s *identityStep) name() string { return lang.X("step.identity", "Identity") }
func (s *identityStep) next() string { return lang.X("identity.next", "Review") }
func (s *identityStep) summary() string {
	if s.p.list != nil {
		return s.p.targetName()
	}
	return s.p.draft.Plan.Device.ID
}

func (s *identityStep) content() fyne.CanvasObject {
	if s.id == nil {
		s.build()
	}
	if s.p.list != nil {
		return s.rows()
	}
	plan := s.p.draft.Plan
	s.id.SetText(plan.Device.ID)
	hint := lang.X("identity.id.manual", "the name of the device in the hub; letters, digits and - . _ are safe")
	if plan.Cell.Provisioning == provisioning.DPS {
		hint = lang.X("identity.id.dps", "device ID and registration ID; lower-case letters, digits and - . _")
	}
	s.field = widgets.NewField(lang.X("identity.id", "Device ID"), hint, s.id)
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewStepHead(lang.X("identity.question", "Which name?"), lang.X("identity.line", "The device is known by it in the cloud and in the catalog.")), s.field)
	s.fields(column)
	return column
}

// fields adds what is asked beside the name.
func (s *identityStep) fields(column *fyne.Container) {
	edge := s.edge.content() // first: it follows the certificate's fields
	switch s.p.draft.Plan.Cell.Authentication {
	case provisioning.TPM:
		column.Add(s.chip.content())
	case provisioning.X509:
		column.Add(s.certs.content())
	}
	column.Add(edge)
	column.Add(s.more.content(s.p.list == nil))
}

// rows shows the names of a list, and asks for what all its devices share.
func (s *identityStep) rows() fyne.CanvasObject {
	if err := s.p.reread(); err != nil {
		return frame.Failure(err, "", s.p.show)
	}
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewStepHead(lang.X("identity.many", "Which names?"), lang.X("identity.many.line", "As the list gives them. Lines with faults are left out; mend the list and press F5.")),
		s.p.list.page(), widgets.NewText(lang.X("identity.shared", "What follows holds for all of them, unless a column of the list says otherwise."), widgets.StyleMuted))
	s.fields(column)
	return column
}

func (s *identityStep) build() {
	submit := func(string) { s.p.Primary() }
	s.id = widgets.NewEntry(submit)
	s.id.SetPlaceHolder("line-7-0042")
	s.id.OnChanged = func(text string) {
		s.p.draft.Plan.Device.ID = text
		if s.field != nil {
			s.field.SetError("")
		}
	}
	s.edge = newEdgeFields(s.p, submit)
	s.certs = newCertificateFields(s.p, submit, s.edge.follow)
	s.chip = newTPMFields(s.p, submit)
	s.more = newMoreFields(s.p, submit, s.versionChanged)
}

// versionChanged shows what the runtime of that version can be told.
func (s *identityStep) versionChanged() {
	switch s.p.draft.Plan.Cell.Authentication {
	case provisioning.TPM:
		s.chip.keep()
	case provisioning.X509:
		s.certs.renew.keep()
		s.certs.showBelow()
	}
	s.p.arrange()
}

func (s *identityStep) focus() fyne.Focusable {
	if s.p.list != nil {
		return nil
	}
	return s.id
}

func (s *identityStep) leave(on func()) {
	if focus := s.wrong(); focus != nil {
		s.p.arrange()
		s.p.focusOn(focus)
		return
	}
	if s.p.list == nil {
		on()
		return
	}
	if err := s.p.reread(); err != nil || len(s.p.list.rows) == 0 {
		s.p.show()
		return
	}
	on()
}

// wrong shows the first error of the plan and gives what is to have the focus,
// nil for nothing wrong.
func (s *identityStep) wrong() fyne.Focusable {
	if finding := s.p.draft.Finding("device.id"); finding != nil && s.p.list == nil {
		s.field.SetError(frame.Finding(*finding))
		return s.id
	}
	parts := []interface{ wrong() fyne.Focusable }{s.edge, s.more}
	switch s.p.draft.Plan.Cell.Authentication {
	case provisioning.TPM:
		parts = append([]interface{ wrong() fyne.Focusable }{s.chip}, parts...)
	case provisioning.X509:
		parts = append([]interface{ wrong() fyne.Focusable }{s.certs}, parts...)
	}
	for _, part := range parts {
		if focus := part.wrong(); focus != nil {
			return focus
		}
	}
	return nil
}
