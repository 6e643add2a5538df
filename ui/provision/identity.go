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

// identityStep asks for the device's name.
type identityStep struct {
	p     *Page
	id    *widgets.Entry
	field *widgets.Field
	host  *widgets.Entry
	hostF *widgets.Field
	key   *widgets.Entry
	keyF  *widgets.Field
	reg   *widgets.Entry
	regF  *widgets.Field
	adopt *widgets.Check
	certs *certificateFields
	chip  *tpmFields
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
	if s.p.list != nil {
		return s.rows()
	}
	if s.id == nil {
		s.build()
	}
	plan := s.p.draft.Plan
	s.id.SetText(plan.Device.ID)
	s.host.SetText(plan.Device.Hostname)
	s.key.SetText(plan.SymmetricKey.Key)
	s.reg.SetText(plan.Device.RegistrationID)
	s.adopt.SetChecked(plan.Cloud.Existing == provisioning.Adopt)
	hint := lang.X("identity.id.manual", "the name of the device in the hub; letters, digits and - . _ are safe")
	if plan.Cell.Provisioning == provisioning.DPS {
		hint = lang.X("identity.id.dps", "device ID and registration ID; lower-case letters, digits and - . _")
	}
	s.field = widgets.NewField(lang.X("identity.id", "Device ID"), hint, s.id)
	more := layout.Column(fynetheme.Size(theme.SizeNameSpace3), widgets.SectionTitle(lang.X("identity.more", "Only if needed")))
	if plan.Cell.Provisioning == provisioning.DPS && !plan.ByGroup() {
		more.Add(s.regF)
	}
	adopt := layout.Column(0, s.adopt, widgets.NewText(lang.X("identity.adopt.line", "A device or enrollment of this name that differs is used as it is; otherwise it stops the run."), widgets.StyleSmall))
	more.Add(s.hostF)
	if plan.Cell.Authentication == provisioning.SymmetricKey {
		more.Add(s.keyF)
	}
	more.Add(adopt)
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewStepHead(lang.X("identity.question", "Which name?"), lang.X("identity.line", "The device is known by it in the cloud and in the catalog.")), s.field)
	switch plan.Cell.Authentication {
	case provisioning.TPM:
		column.Add(s.chip.content())
	case provisioning.X509:
		column.Add(s.certs.content())
	}
	column.Add(widgets.NewCard(more))
	return column
}

// rows shows the names of a list.
func (s *identityStep) rows() fyne.CanvasObject {
	if err := s.p.reread(); err != nil {
		return frame.Failure(err, "", s.p.show)
	}
	if len(s.p.list.rows) == 0 {
		s.p.onward.Disable()
	}
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewStepHead(lang.X("identity.many", "Which names?"), lang.X("identity.many.line", "As the list gives them. Lines with faults are left out; mend the list and press F5.")),
		layout.Grow(s.p.list.page()))
}

func (s *identityStep) build() {
	submit := func(string) { s.p.Primary() }
	s.id, s.host, s.key, s.reg = widgets.NewEntry(submit), widgets.NewEntry(submit), widgets.NewEntry(submit), widgets.NewEntry(submit)
	s.id.SetPlaceHolder("line-7-0042")
	s.id.OnChanged = func(text string) { s.p.draft.Plan.Device.ID = text; s.clear(s.field) }
	s.host.OnChanged = func(text string) { s.p.draft.Plan.Device.Hostname = text; s.clear(s.hostF) }
	s.key.OnChanged = func(text string) { s.p.draft.Plan.SymmetricKey.Key = text; s.clear(s.keyF) }
	s.reg.OnChanged = func(text string) { s.p.draft.Plan.Device.RegistrationID = text; s.clear(s.regF) }
	s.regF = widgets.NewField(lang.X("identity.registration", "Registration ID"), lang.X("identity.registration.hint", "the name of its enrollment; left empty, the device ID"), s.reg)
	s.hostF = widgets.NewField(lang.X("identity.host", "Host name"), lang.X("identity.host.hint", "left empty, IoT Edge uses the machine's own name"), s.host)
	s.keyF = widgets.NewField(lang.X("identity.key", "Symmetric key"), lang.X("identity.key.hint", "left empty, the cloud makes it; or vault:NAME of a stored secret"), s.key)
	s.certs, s.chip = newCertificateFields(s.p), newTPMFields(s.p, submit)
	s.adopt = widgets.NewCheck(lang.X("identity.adopt", "Adopt what exists"), func(yes bool) {
		s.p.draft.Plan.Cloud.Existing = provisioning.Refuse
		if yes {
			s.p.draft.Plan.Cloud.Existing = provisioning.Adopt
		}
	})
}

func (s *identityStep) clear(f *widgets.Field) {
	if f != nil {
		f.SetError("")
	}
}

func (s *identityStep) focus() fyne.Focusable {
	if s.p.list != nil {
		return nil
	}
	return s.id
}

func (s *identityStep) leave(on func()) {
	if s.p.list != nil {
		if len(s.p.list.rows) > 0 {
			on()
		}
		return
	}
	rows := []struct {
		field  *widgets.Field
		entry  *widgets.Entry
		fields []string
	}{{s.field, s.id, []string{"device.id"}}, {s.regF, s.reg, []string{"device.registration_id"}}, {s.hostF, s.host, []string{"device.hostname"}}, {s.keyF, s.key, []string{"symmetric_key.key"}}}
	for _, row := range rows {
		if finding := s.p.draft.Finding(row.fields...); finding != nil {
			row.field.SetError(frame.Finding(*finding))
			s.p.arrange()
			s.p.focusOn(row.entry)
			return
		}
	}
	var focus fyne.Focusable
	switch s.p.draft.Plan.Cell.Authentication {
	case provisioning.TPM:
		focus = s.chip.wrong()
	case provisioning.X509:
		focus = s.certs.wrong()
	}
	if focus != nil {
		s.p.arrange()
		s.p.focusOn(focus)
		return
	}
	on()
}
