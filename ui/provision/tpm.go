package provision

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// Places of a TPM that the plan does not name by one word.
const (
	atSoftware  = "software"
	atCollected = "collected"
)

// anotherForm stands in the list of forms for an ID that is typed.
const anotherForm = "\x00"

// manyKeys is how many collected keys the list offers, the newest first.
const manyKeys = 200

// tpmFields ask where the TPM of a device is, in which form it registers, and
// which stored secrets are the passwords of its hierarchies.
type tpmFields struct {
	p                        *Page
	at                       *widgets.ChoiceGroup
	address                  *widgets.Entry
	key, form, ek, owner     *widgets.Select
	addressF, keyF           *widgets.Field
	formF, ekF, ownerF       *widgets.Field
	literal, tcti            *widgets.Entry
	literalF, tctiF          *widgets.Field
	section                  *fyne.Container   // what goes to [tpm] of config.toml
	keys, forms, ekWords, ow map[string]string // the plan's words for what the lists offer
}

func newTPMFields(p *Page, submit func(string)) *tpmFields {
	f := &tpmFields{p: p, address: widgets.NewEntry(submit)}
	f.address.SetPlaceHolder("unix:/run/swtpm.sock")
	f.address.OnChanged = func(string) { f.keep(); f.addressF.SetError("") }
	f.key = widgets.NewSelect(nil, func(string) { f.keep(); f.keyF.SetError("") })
	f.form = widgets.NewSelect(nil, func(string) { f.keep(); f.formF.SetError(""); f.p.arrange() })
	f.literal, f.tcti = widgets.NewEntry(submit), widgets.NewEntry(submit)
	f.literal.OnChanged = func(string) { f.keep(); f.literalF.SetError("") }
	f.tcti.OnChanged = func(string) { f.keep(); f.tctiF.SetError("") }
	f.ek = widgets.NewSelect(nil, func(string) { f.keep(); f.ekF.SetError("") })
	f.owner = widgets.NewSelect(nil, func(string) { f.keep(); f.ownerF.SetError("") })
	f.addressF = widgets.NewField(lang.X("tpm.address", "Address of the software TPM"), lang.X("tpm.address.hint", "unix:/path or tcp:host:port; through an attached device tcp only"), f.address)
	f.keyF = widgets.NewField(lang.X("tpm.key", "Endorsement key"), "", f.key)
	f.formF = widgets.NewField(lang.X("tpm.form", "It registers as"), lang.X("tpm.form.hint", "DPS compares the key, not the form of the ID"), f.form)
	f.literalF = widgets.NewField(lang.X("identity.registration", "Registration ID"), lang.X("tpm.literal.hint", "lower-case letters, digits and - . _"), f.literal)
	f.tctiF = widgets.NewField(lang.X("tpm.tcti", "How the runtime opens the TPM"), lang.X("tpm.tcti.hint", "a TCTI loader string; left empty, device"), f.tcti)
	f.ekF = widgets.NewField(lang.X("tpm.auth.ek", "Password of the endorsement hierarchy"), lang.X("tpm.auth.hint", "a stored secret; nearly every TPM has none"), f.ek)
	f.ownerF = widgets.NewField(lang.X("tpm.auth.owner", "Password of the owner hierarchy"), lang.X("tpm.auth.hint", "a stored secret; nearly every TPM has none"), f.owner)
	f.section = layout.Grid(2, 220*theme.TextFactor(), fynetheme.Size(theme.SizeNameSpace2), f.ekF, f.ownerF, f.tctiF)
	f.at = widgets.NewChoiceGroup(func(string) { f.keep(); f.p.arrange() })
	f.at.OnSubmitted = func(string) { f.keep(); p.Primary() }
	return f
}

// keep writes the fields into the plan.
func (f *tpmFields) keep() {
	t := &f.p.draft.Plan.TPM
	*t = provisioning.TPMPlan{RegistrationID: f.forms[f.form.Selected]}
	f.literalF.Hide()
	if t.RegistrationID == anotherForm {
		f.literalF.Show()
		t.RegistrationID = strings.TrimSpace(f.literal.Text)
	}
	f.section.Hide()
	if f.p.draft.Plan.WithDefaults().TPM.TCTI != "" { // a runtime that reads the section
		f.section.Show()
		t.TCTI, t.EndorsementAuth, t.OwnerAuth = strings.TrimSpace(f.tcti.Text), f.ekWords[f.ek.Selected], f.ow[f.owner.Selected]
	}
	switch chosen := f.at.Chosen(); chosen {
	case atSoftware:
		t.At = strings.TrimSpace(f.address.Text)
		if t.At == "" {
			t.At = "unix:" // which the plan refuses, by name
		}
	case atCollected:
		t.EndorsementKey = f.keys[f.key.Selected]
	default:
		t.At = chosen
	}
}

// content shows the fields for the plan as it is.
func (f *tpmFields) content() fyne.CanvasObject {
	t := f.p.draft.Plan.WithDefaults().TPM
	f.offerKeys(t)
	f.offerSecrets(t)
	device, base32, hex := lang.X("tpm.form.device", "the device ID"), lang.X("tpm.form.base32", "the hash of its key, as Azure's clients write it (base32)"), lang.X("tpm.form.hex", "the hash of its key, hexadecimal")
	f.forms = map[string]string{device: provisioning.RegisterAsDevice, base32: provisioning.RegisterAsBase32, hex: provisioning.RegisterAsHex}
	another := lang.X("tpm.form.another", "another ID")
	f.forms[another] = anotherForm
	form := t.RegistrationID
	if form != provisioning.RegisterAsDevice && form != provisioning.RegisterAsBase32 && form != provisioning.RegisterAsHex {
		setQuietly(f.literal, form)
		form = anotherForm
	}
	choose(f.form, []string{device, base32, hex, another}, f.forms, form)
	setQuietly(f.tcti, t.TCTI)
	if address := t.At; provisioning.SoftwareTPM(address) && address != "unix:" {
		setQuietly(f.address, address)
	}
	f.at.Set(f.choices())
	at := t.At
	switch {
	case t.EndorsementKey != "":
		at = atCollected
	case provisioning.SoftwareTPM(at):
		at = atSoftware
	}
	if !f.at.Offers(at) {
		at = atSoftware // of a target that was chosen before
	}
	f.at.Choose(at)
	f.keep()
	space := fynetheme.Size(theme.SizeNameSpace2)
	return layout.Column(space, widgets.SectionTitle("TPM"), f.at, f.formF, f.literalF, f.section)
}

func (f *tpmFields) choices() []widgets.Choice {
	inside := widgets.Choice{ID: provisioning.TPMAtTarget, Icon: theme.IconDevice(), Title: lang.X("tpm.at.target", "In the device"), Line: lang.X("tpm.at.target.line", "read now; reading changes nothing")}
	if found := f.p.draft.Found; found != nil && found.Report.Offline && !f.p.practiceDevice() {
		inside.Muted, inside.Line = true, lang.X("tpm.at.folder", "a folder has none")
	}
	collected := widgets.Choice{ID: atCollected, Icon: theme.IconList(), Title: lang.X("tpm.at.collected", "Collected before"), Line: lang.X("tpm.at.collected.line", "enrolled by its key from the catalog; proven when the device starts"), Content: f.keyF}
	if len(f.keys) == 0 {
		collected.Muted, collected.Content = true, nil
		collected.Line = lang.X("tpm.at.nokeys", "the catalog has no endorsement key; the TPM station on the page Devices reads them")
	}
	return []widgets.Choice{inside, collected,
		{ID: provisioning.TPMAtLocal, Icon: fynetheme.ComputerIcon(), Title: lang.X("tpm.at.local", "In this computer"), Line: lang.X("tpm.at.local.line", "for a disk that belongs to this computer")},
		{ID: atSoftware, Icon: fynetheme.SettingsIcon(), Title: lang.X("tpm.at.software", "A software TPM"), Line: lang.X("tpm.at.software.line", "swtpm by its socket, to try the way without a chip"), Content: f.addressF}}
}

// offerKeys lists the collected keys.
func (f *tpmFields) offerKeys(t provisioning.TPMPlan) {
	list, err := f.p.c.App.CollectedKeys(f.p.c.Ctx, app.TPMKeyQuery{Limit: manyKeys})
	if err != nil {
		f.keyF.SetError(frame.View(err).Message)
	}
	f.keys = map[string]string{}
	var titles []string
	for _, key := range list {
		title := strings.Join(strings.Fields(key.ID[:12]+" "+key.Device+" "+key.Manufacturer+" "+key.Target), "  ")
		f.keys[title] = "catalog:" + key.ID
		titles = append(titles, title)
	}
	word := t.EndorsementKey
	if word == "" && len(titles) > 0 {
		word = f.keys[titles[0]]
	}
	if word != "" {
		choose(f.key, titles, f.keys, word)
	}
}

// offerSecrets lists the names of the vault; their values are not read.
func (f *tpmFields) offerSecrets(t provisioning.TPMPlan) {
	names, err := f.p.c.App.Secrets(f.p.c.Ctx)
	if err != nil {
		f.ekF.SetError(frame.View(err).Message)
	}
	none := lang.X("tpm.auth.none", "none")
	titles := []string{none}
	f.ekWords, f.ow = map[string]string{none: ""}, map[string]string{none: ""}
	for _, name := range names {
		title := lang.X("certificate.est.login", "the secret {{.Name}}", map[string]any{"Name": name})
		f.ekWords[title], f.ow[title] = "vault:"+name, "vault:"+name
		titles = append(titles, title)
	}
	choose(f.ek, titles, f.ekWords, t.EndorsementAuth)
	choose(f.owner, titles, f.ow, t.OwnerAuth)
}

// wrong shows the first error among the fields and gives what is to have the
// focus, nil for nothing wrong.
func (f *tpmFields) wrong() fyne.Focusable {
	if f.forms[f.form.Selected] == anotherForm && f.p.draft.Plan.TPM.RegistrationID == "" {
		f.literalF.SetError(lang.X("tpm.literal.none", "The ID is missing. Write it, or choose another form."))
		return f.literal
	}
	for _, row := range []struct {
		path  string
		field *widgets.Field
		focus fyne.Focusable
	}{{"tpm.at", f.addressF, f.address}, {"tpm.endorsement_key", f.keyF, f.key}, {"tpm.registration_id", f.formF, f.form}, {"tpm.tcti", f.tctiF, f.tcti}, {"tpm.endorsement_auth", f.ekF, f.ek}, {"tpm.owner_auth", f.ownerF, f.owner}} {
		if finding := f.p.draft.Finding(row.path); finding != nil {
			if row.field == f.formF && f.literalF.Visible() {
				row.field, row.focus = f.literalF, f.literal
			}
			row.field.SetError(frame.Finding(*finding))
			return row.focus
		}
	}
	return nil
}
