package provision

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// moreFields ask for what is seldom said: registration ID, host name, key, what
// to do about what exists; and, folded away, version, tags and trust bundle.
type moreFields struct {
	p              *Page
	host, key, reg *widgets.Entry
	hostF, keyF    *widgets.Field
	regF           *widgets.Field
	adopt          *widgets.Check
	runtime        *widgets.Select
	runtimeF       *widgets.Field
	tags           *widgets.Entry
	tagsF          *widgets.Field
	trust          *trustFields
	fold           *widgets.Fold
	tagsWrong      error  // of what is typed, nil for tags that read
	changed        func() // the version is another one
}

func newMoreFields(p *Page, submit func(string), changed func()) *moreFields {
	f := &moreFields{p: p, host: widgets.NewEntry(submit), key: widgets.NewEntry(submit), reg: widgets.NewEntry(submit), trust: newTrustFields(p), changed: changed}
	f.host.OnChanged = func(text string) { f.p.draft.Plan.Device.Hostname = text; f.hostF.SetError("") }
	f.key.OnChanged = func(text string) { f.p.draft.Plan.SymmetricKey.Key = text; f.keyF.SetError("") }
	f.reg.OnChanged = func(text string) { f.p.draft.Plan.Device.RegistrationID = text; f.regF.SetError("") }
	f.regF = widgets.NewField(lang.X("identity.registration", "Registration ID"), lang.X("identity.registration.hint", "the name of its enrollment; left empty, the device ID"), f.reg)
	f.hostF = widgets.NewField(lang.X("identity.host", "Host name"), lang.X("identity.host.hint", "left empty, IoT Edge uses the machine's own name"), f.host)
	f.keyF = widgets.NewField(lang.X("identity.key", "Symmetric key"), lang.X("identity.key.hint", "left empty, the cloud makes it; or vault:NAME of a stored secret"), f.key)
	f.adopt = widgets.NewCheck(lang.X("identity.adopt", "Adopt what exists"), func(yes bool) {
		f.p.draft.Plan.Cloud.Existing = provisioning.Refuse
		if yes {
			f.p.draft.Plan.Cloud.Existing = provisioning.Adopt
		}
	})
	f.runtime = widgets.NewSelect(provisioning.RuntimeVersions(), func(version string) { f.chooseRuntime(version) })
	f.runtimeF = widgets.NewField(lang.X("more.runtime", "Version of IoT Edge"), lang.X("more.runtime.hint", "the configuration is written for it; at first that of the device"), f.runtime)
	f.tags = widgets.NewMultiLineEntry()
	f.tags.SetMinRowsVisible(3)
	f.tags.SetPlaceHolder("line = 7\nsite = Ulm")
	f.tags.OnChanged = func(text string) { f.keepTags(text) }
	f.tagsF = widgets.NewField(lang.X("more.tags", "Tags of the device twin"), lang.X("more.tags.hint", "one a line, NAME = VALUE; what deployments choose devices by"), f.tags)
	f.fold = widgets.NewFold(lang.X("more.fold", "Version, tags, trust bundle"))
	return f
}

func (f *moreFields) chooseRuntime(version string) {
	f.p.draft.Plan.Runtime.Version, f.p.draft.RuntimeChosen = version, true
	f.runtimeF.SetError("")
	f.changed()
}

func (f *moreFields) keepTags(text string) {
	f.tagsF.SetError("")
	tags, err := provisioning.ParseTags(text)
	if f.tagsWrong = err; err == nil {
		f.p.draft.Plan.Device.Tags = tags
	}
}

// content shows the fields for the plan as it is; those that differ from device
// to device only for one.
func (f *moreFields) content(one bool) fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace3)
	plan := f.p.draft.Plan
	setQuietly(f.host, plan.Device.Hostname)
	setQuietly(f.key, plan.SymmetricKey.Key)
	setQuietly(f.reg, plan.Device.RegistrationID)
	f.adopt.SetChecked(plan.Cloud.Existing == provisioning.Adopt)
	f.runtime.Selected = plan.WithDefaults().Runtime.Version
	f.runtime.Refresh()
	if f.tagsWrong == nil {
		if read, err := provisioning.ParseTags(f.tags.Text); err != nil || !sameTags(read, plan.Device.Tags) {
			lines, err := provisioning.TagLines(plan.Device.Tags)
			if err != nil {
				f.tagsF.SetError(frame.View(err).Message)
			}
			setQuietly(f.tags, lines)
		}
	}
	card := layout.Column(space, widgets.SectionTitle(lang.X("identity.more", "Only if needed")))
	// A TPM has a registration ID of its own making; one that the plan has besides
	// is shown.
	if one && plan.Cell.Provisioning == provisioning.DPS && !plan.ByGroup() && (plan.Cell.Authentication != provisioning.TPM || plan.Device.RegistrationID != "") {
		card.Add(f.regF)
	}
	if one {
		card.Add(f.hostF)
	}
	if plan.Cell.Authentication == provisioning.SymmetricKey {
		card.Add(f.keyF)
	}
	card.Add(layout.Column(0, f.adopt, widgets.NewText(lang.X("identity.adopt.line", "A device or enrollment of this name that differs is used as it is; otherwise it stops the run."), widgets.StyleSmall)))
	f.fold.SetContent(f.runtimeF, f.tagsF, f.trust.content())
	f.fold.OnToggled = f.p.arrange
	if len(plan.Device.Tags) > 0 || len(plan.TrustBundle.Certificates) > 0 {
		f.fold.SetOpen(true)
	}
	card.Add(f.fold)
	return widgets.NewCard(card)
}

// sameTags tells whether two sets of tags are written alike.
func sameTags(a, b map[string]any) bool {
	one, err := provisioning.TagLines(a)
	other, otherErr := provisioning.TagLines(b)
	return err == nil && otherErr == nil && one == other
}

// wrong shows the first error among the fields and gives what is to have the
// focus, nil for nothing wrong.
func (f *moreFields) wrong() fyne.Focusable {
	if f.tagsWrong != nil {
		f.fold.SetOpen(true)
		text := f.tagsWrong.Error()
		f.tagsF.SetError(strings.TrimSpace(uilang.Domain(strings.ToUpper(text[:1])+text[1:]+".") + " " + lang.X("more.tags.fix", "Write NAME = VALUE, one tag a line.")))
		return f.tags
	}
	for _, row := range []struct {
		path   string
		field  *widgets.Field
		focus  fyne.Focusable
		folded bool
	}{{"device.registration_id", f.regF, f.reg, false}, {"device.hostname", f.hostF, f.host, false}, {"symmetric_key.key", f.keyF, f.key, false},
		{"runtime.version", f.runtimeF, f.runtime, true}, {"device.tags", f.tagsF, f.tags, true}} {
		if finding := f.p.draft.Finding(row.path); finding != nil {
			if row.folded {
				f.fold.SetOpen(true)
			}
			row.field.SetError(frame.Finding(*finding))
			return row.focus
		}
	}
	focus := f.trust.wrong()
	if focus != nil {
		f.fold.SetOpen(true)
	}
	return focus
}
