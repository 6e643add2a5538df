package provision

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// certificateFields ask where the certificate of a device comes from.
type certificateFields struct {
	p      *Page
	source *widgets.ChoiceGroup
	ca     *caChoice
	caF    *widgets.Field
	cert   *widgets.Entry
	key    *widgets.Entry
	filesF *widgets.Field
	est    *estFields
	// signer is the CA that signs the device's own one.
	signer  *caChoice
	signerF *widgets.Field
	anchor  *anchorFields
	hash    *hashFields
	born    *keyFields
	renew   *renewFields
	// below are the sections that belong to the source.
	below *fyne.Container
	// changed is told that the source, or its CA, is another one.
	changed func()
}

// practiceCA is how the practice cloud's own CA stands among the others.
func practiceCA() string { return lang.X("certificate.practice", "Practice issuing CA") }

func newCertificateFields(p *Page, submit func(string), changed func()) *certificateFields {
	f := &certificateFields{p: p, changed: changed}
	f.ca, f.signer = newCAChoice(func() { f.take(f.ca); f.caF.SetError("") }), newCAChoice(func() { f.take(f.signer); f.signerF.SetError("") })
	f.signerF = widgets.NewField(lang.X("certificate.local.ca", "CA that signs the device's own one"), "", f.signer.list)
	f.est = newESTFields(p, submit, func(plan provisioning.Plan) bool { return plan.X509.Source == provisioning.SourceEST })
	f.anchor, f.hash, f.born, f.renew = newAnchorFields(p, submit), newHashFields(p), newKeyFields(p, submit), newRenewFields(p, submit)
	f.below = layout.Column(fynetheme.Size(theme.SizeNameSpace3))
	f.caF = widgets.NewField(lang.X("certificate.ca", "Issuing CA"), "", f.ca.list)
	f.cert, f.key, f.filesF = newFileFields(func() {
		f.p.draft.Plan.X509.Files = provisioning.CertificateFiles{Certificate: f.cert.Text, Key: f.key.Text}
	}, submit)
	return f
}

// take takes a CA of the list, where one is asked for.
func (f *certificateFields) take(from *caChoice) {
	if source := f.p.draft.Plan.WithDefaults().X509.Source; source != provisioning.SourceIssue && source != provisioning.SourceLocalCA {
		return
	}
	f.p.draft.Plan.X509.CA = from.name()
	f.changed()
}

func (f *certificateFields) content() fyne.CanvasObject {
	if x := &f.p.draft.Plan.X509; !f.p.draft.Plan.ByGroup() {
		x.AutoRenew = nil // of a group that was chosen before
		if !byHub(f.p.draft.Plan) {
			x.Anchor, x.Uploaded, x.Onboard = "", "", false
		}
	}
	plan := f.p.draft.Plan
	names, err := f.p.c.App.IssuingCAs(f.p.c.Ctx, plan.Cloud.Name)
	if err != nil {
		f.caF.SetError(frame.View(err).Message)
	}
	f.ca.offer(names, practiceCA(), plan.X509.CA)
	f.signer.offer(names, practiceCA(), plan.X509.CA)
	f.est.fill(plan)
	setQuietly(f.cert, plan.X509.Files.Certificate)
	setQuietly(f.key, plan.X509.Files.Key)

	choices := f.choices(plan, len(names) > 0)
	source := plan.WithDefaults().X509.Source
	if !slices.ContainsFunc(choices, func(c widgets.Choice) bool { return c.ID == source }) {
		source = choices[0].ID // what was chosen belongs to another kind of enrollment
		f.set(source)
	}
	f.source = widgets.NewChoiceGroup(f.choose, choices...)
	f.source.OnSubmitted = func(source string) { f.choose(source); f.p.Primary() }
	f.source.Choose(source)
	f.showBelow()
	return layout.Column(fynetheme.Size(theme.SizeNameSpace2), widgets.SectionTitle(lang.X("certificate.title", "Certificate")), f.source, f.below)
}

// showBelow shows what belongs to the source: how the cloud knows its CA, and
// where the key is made.
func (f *certificateFields) showBelow() {
	f.below.Objects = nil
	for _, section := range []fyne.CanvasObject{f.anchor.content(), f.hash.content(), f.born.content(), f.renew.content()} {
		if section != nil {
			f.below.Add(section)
		}
	}
	f.below.Refresh()
	f.anchor.keep() // what is seen in the fields is what counts
}

func (f *certificateFields) choices(plan provisioning.Plan, canIssue bool) []widgets.Choice {
	issue := widgets.Choice{ID: provisioning.SourceIssue, Icon: theme.IconCertificate(), Title: lang.X("certificate.issue", "Issued by a CA of the catalog"),
		Line: lang.X("certificate.issue.line", "whose key is in the vault or in a token"), Content: f.caF}
	if !canIssue {
		issue.Muted, issue.Content = true, nil
		issue.Line = lang.X("certificate.noca", "the catalog has no CA with a key; New on the page Certificates makes one")
	}
	files := widgets.Choice{ID: provisioning.SourceFiles, Icon: fynetheme.FolderOpenIcon(), Title: lang.X("certificate.fromfiles", "From files"),
		Line: lang.X("certificate.fromfiles.line", "a certificate and its key that you have"), Content: f.filesF}
	server := widgets.Choice{ID: provisioning.SourceEST, Icon: theme.IconCertificate(), Title: lang.X("certificate.est", "From an EST server"),
		Line: lang.X("certificate.est.line", "the device makes its key, enrols there itself and renews in time"), Content: f.est.column}
	if plan.Cell.Provisioning == provisioning.Manual {
		server.Line = lang.X("certificate.est.manual", "the device makes its key and enrols there itself, once; the hub has to know the server's CA")
		self := widgets.Choice{ID: provisioning.SourceSelfSigned, Icon: theme.IconKey(), Title: lang.X("certificate.self", "Self-signed"),
			Line: lang.X("certificate.self.line", "the hub knows its thumbprint, and that of a spare pair")}
		if canIssue {
			issue.Line = lang.X("certificate.issue.manual", "the hub has to know that CA or one above it")
		}
		return []widgets.Choice{self, issue, files, server}
	}
	if !plan.ByGroup() {
		self := widgets.Choice{ID: provisioning.SourceSelfSigned, Icon: theme.IconKey(), Title: lang.X("certificate.self", "Self-signed"),
			Line: lang.X("certificate.self.dps", "the enrollment knows the certificate itself")}
		return []widgets.Choice{issue, self, files}
	}
	local := widgets.Choice{ID: provisioning.SourceLocalCA, Icon: theme.IconKey(), Title: lang.X("certificate.local", "From a CA of its own"),
		Line: lang.X("certificate.local.line", "the device signs its identity itself; that CA can sign any name, so give the group one of its own"), Content: f.signerF}
	if !canIssue {
		local.Muted, local.Content = true, nil
		local.Line = lang.X("certificate.noca", "the catalog has no CA with a key; New on the page Certificates makes one")
	}
	return []widgets.Choice{issue, files, server, local}
}

func (f *certificateFields) choose(source string) {
	f.set(source)
	f.showBelow()
	f.p.arrange()
}

// set writes a source into the plan, with what its fields say.
func (f *certificateFields) set(source string) {
	was := f.p.draft.Plan.X509
	// What belongs to one source alone goes; what is typed stays in the fields.
	x := &f.p.draft.Plan.X509
	*x = provisioning.X509Plan{Source: source, Thumbprint: was.Thumbprint}
	switch source {
	case provisioning.SourceIssue:
		f.take(f.ca)
	case provisioning.SourceLocalCA:
		f.take(f.signer)
	case provisioning.SourceFiles:
		x.Files = provisioning.CertificateFiles{Certificate: f.cert.Text, Key: f.key.Text}
	case provisioning.SourceEST:
		f.est.keep()
	}
	f.anchor.keep()
	f.hash.keep()
	f.born.keep()
	f.renew.keep()
	f.changed()
}

// wrong shows the first error of the plan among these fields and gives what is
// to have the focus, nil for nothing wrong.
func (f *certificateFields) wrong() fyne.Focusable {
	if finding := f.p.draft.Finding("x509.files"); finding != nil {
		f.filesF.SetError(frame.Finding(*finding))
		return f.cert
	}
	if focus := f.est.wrong(); focus != nil {
		return focus
	}
	for _, fields := range []interface{ wrong() fyne.Focusable }{f.anchor, f.hash, f.born, f.renew} {
		if focus := fields.wrong(); focus != nil {
			return focus
		}
	}
	if finding := f.p.draft.Finding("x509.ca", "x509.source"); finding != nil {
		f.caF.SetError(frame.Finding(*finding))
		f.signerF.SetError(frame.Finding(*finding))
		return f.source
	}
	return nil
}
