package certificates

import (
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/ui/frame"
	"edgewright/ui/onboarding"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// nothingChosen stands in the place of a certificate.
func nothingChosen() fyne.CanvasObject {
	return widgets.NewEmptyState(theme.IconCertificate(), lang.X("certificate.none", "No certificate is chosen"),
		lang.X("certificate.none.line", "Choose one to see what it is good for and what is wrong with it."), nil)
}

// detail is one certificate in plain words.
type detail struct {
	p       *Page
	d       app.CertificateDetail
	actions *fyne.Container
	object  fyne.CanvasObject
}

func newDetail(p *Page, found app.CertificateDetail) *detail {
	d := &detail{p: p, d: found}
	space := fynetheme.Size(theme.SizeNameSpace3)
	status := answer(found.CertificateView, p.now())
	title := widgets.NewText(name(found.CertificateView), widgets.StyleSubtitle)
	head := layout.Beside(space, 140*theme.TextFactor(), title, widgets.NewPill(status.State, status.Word))
	d.actions = layout.Flow(fynetheme.Size(theme.SizeNameSpace2), d.buttons()...)
	card := widgets.NewCard(head, layout.Column(space, widgets.Facts(d.facts()...), d.wrong(), d.actions))
	d.object = layout.VScroll(card)
	return d
}

// name is what a certificate is called.
func name(c app.CertificateView) string {
	if c.Subject == "" {
		return c.Serial
	}
	return c.Subject
}

func (d *detail) facts() []widgets.Fact {
	c := d.d
	facts := []widgets.Fact{
		{Label: lang.X("certificate.is", "It is"), Value: d.kind()},
		{Label: lang.X("certificate.goodfor", "Good for"), Value: goodFor(c.Role)},
		{Label: lang.X("certificate.subject", "Subject"), Value: c.SubjectName},
	}
	if len(c.Names) > 0 {
		facts = append(facts, widgets.Fact{Label: lang.X("certificate.names", "Names"), Value: strings.Join(c.Names, ", ")})
	}
	facts = append(facts,
		widgets.Fact{Label: lang.X("certificate.issuer", "Issued by"), Value: d.chain()},
		widgets.Fact{Label: lang.X("certificate.valid", "Valid"), Value: lang.X("certificate.dates", "{{.From}} to {{.To}}",
			map[string]any{"From": dateOf(c.NotBefore), "To": dateOf(c.NotAfter)})},
		widgets.Fact{Label: lang.X("certificate.key", "Key"), Value: lang.X("certificate.key.is", "{{.Algorithm}}, {{.Place}}",
			map[string]any{"Algorithm": algorithm(c.Key.Algorithm), "Place": keyPlace(c.Key.Place)})},
		widgets.Fact{Label: lang.X("certificate.usages", "Key usage"), Value: strings.Join(c.Usages, ", ")})
	if c.Device != "" {
		facts = append(facts, widgets.Fact{Label: lang.X("certificate.device", "Device"), Value: c.Device, Copy: true})
	}
	if c.Replaces != nil {
		facts = append(facts, widgets.Fact{Label: lang.X("certificate.replaces", "It replaced"), Value: d.other(*c.Replaces)})
	}
	if c.ReplacedBy != nil {
		facts = append(facts, widgets.Fact{Label: lang.X("certificate.replacedby", "Replaced by"), Value: d.other(*c.ReplacedBy)})
	}
	if c.Issued > 0 {
		facts = append(facts, widgets.Fact{Label: lang.X("certificate.issued", "It signed"),
			Value: lang.XN("certificate.issued.n", "{{.N}} certificates", c.Issued, map[string]any{"N": c.Issued})})
	}
	return append(facts,
		widgets.Fact{Label: lang.X("certificate.serial", "Serial number"), Value: c.Serial, Mono: true, Copy: true},
		widgets.Fact{Label: "SHA-1", Value: c.SHA1, Mono: true, Copy: true},
		widgets.Fact{Label: "SHA-256", Value: c.SHA256, Mono: true, Copy: true})
}

// kind says what it is: its role, and how deep a CA may sign.
func (d *detail) kind() string {
	c := d.d
	role := roleWord(c.Role)
	switch {
	case c.CA && c.PathLength == 0:
		role = lang.X("certificate.leaves", "{{.Role}} that signs no other CA", map[string]any{"Role": role})
	case c.CA && c.PathLength > 0:
		role = lang.X("certificate.depth", "{{.Role}} with {{.N}} levels of CAs below it", map[string]any{"Role": role, "N": strconv.Itoa(c.PathLength)})
	case c.SelfSigned:
		role = lang.X("certificate.selfsigned", "{{.Role}}, signed by itself", map[string]any{"Role": role})
	}
	if c.Profile != "" && c.Profile != "imported" {
		return lang.X("certificate.byprofile", "{{.Role}}, by the profile {{.Profile}}", map[string]any{"Role": role, "Profile": c.Profile})
	}
	if c.Profile == "imported" {
		return lang.X("certificate.imported", "{{.Role}}, imported", map[string]any{"Role": role})
	}
	return role
}

// chain names those above it up to the root, the nearest first.
func (d *detail) chain() string {
	c := d.d
	if c.SelfSigned {
		return lang.X("certificate.byitself", "itself")
	}
	if len(c.Above) == 0 {
		return lang.X("certificate.unknownissuer", "{{.Issuer}}, which is not here", map[string]any{"Issuer": c.IssuerName})
	}
	chain := name(c.Above[len(c.Above)-1])
	for i := len(c.Above) - 2; i >= 0; i-- {
		chain = lang.X("certificate.belowca", "{{.CA}}, below {{.Above}}", map[string]any{"CA": name(c.Above[i]), "Above": chain})
	}
	return chain
}

// other names a certificate that came before or after it.
func (d *detail) other(c app.CertificateView) string {
	return lang.X("certificate.other", "{{.Name}}, {{.From}} to {{.To}}", map[string]any{"Name": name(c),
		"From": dateOf(c.NotBefore), "To": dateOf(c.NotAfter)})
}

// wrong says what is wrong with it, or that nothing is.
func (d *detail) wrong() fyne.CanvasObject {
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace2), widgets.SectionTitle(lang.X("certificate.wrong", "What is wrong with it")))
	if d.d.State == "revoked" {
		column.Add(widgets.Remark(widgets.Bad, lang.X("certificate.isrevoked", "It is revoked: {{.Reason}}.", map[string]any{"Reason": reasonWord(d.d.Reason)})))
	}
	for _, remark := range remarks(d.d.Findings) {
		column.Add(remark)
	}
	if len(column.Objects) == 1 {
		column.Add(widgets.Remark(widgets.Good, lang.X("certificate.nothing", "Nothing.")))
	}
	return column
}

// remarks are findings as lines.
func remarks(found finding.List) []fyne.CanvasObject {
	var lines []fyne.CanvasObject
	for _, f := range found {
		lines = append(lines, widgets.Remark(level(f.Level), frame.Finding(f)))
	}
	return lines
}

// buttons are what can be done with it, the most likely first.
func (d *detail) buttons() []fyne.CanvasObject {
	c, p := d.d, d.p
	var all []fyne.CanvasObject
	add := func(kind widgets.ButtonKind, text string, icon fyne.Resource, do func()) {
		all = append(all, widgets.NewButton(kind, text, icon, do))
	}
	if uuid := c.DeviceUUID; uuid != "" {
		add(widgets.Secondary, lang.X("certificate.opendevice", "Open the device"), theme.IconDevice(), func() {
			p.c.Open(frame.Place{Page: frame.Devices, Device: uuid})
		})
	}
	if c.Renewable {
		add(widgets.Secondary, lang.X("certificate.renew", "Renew ..."), fynetheme.ViewRefreshIcon(), func() { p.renew(c.CertificateView) })
	}
	if c.CA && c.Key.Place != "none" && c.Role != string(pki.RoleEdgeCA) && c.State != "revoked" && c.State != "superseded" {
		add(widgets.Secondary, lang.X("certificate.below", "New below it"), fynetheme.ContentAddIcon(), func() { p.newCertificate(c.ID, "") })
		add(widgets.Secondary, lang.X("certificate.sign", "Sign a request ..."), theme.IconCertificate(), func() { p.signRequest(c.ID) })
		add(widgets.Secondary, lang.X("certificate.onboard", "Bring to a cloud ..."), fynetheme.UploadIcon(), func() {
			if _, err := onboarding.Ask(p.c, c.CertificateView, p.Again); err != nil {
				p.sayError(err)
			}
		})
	}
	add(widgets.Secondary, lang.X("certificate.export", "Export ..."), fynetheme.DownloadIcon(), func() { p.export(c.CertificateView) })
	if c.State != "revoked" {
		add(widgets.Secondary, lang.X("certificate.revoke", "Revoke ..."), fynetheme.CancelIcon(), func() { p.revoke(c) })
	}
	return all
}
