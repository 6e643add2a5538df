package provision

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// certificateFields ask where the certificate of a device comes from, and
// whether it gets an Edge CA of its own.
type certificateFields struct {
	p      *Page
	source *widgets.ChoiceGroup
	ca     *widgets.Select
	caF    *widgets.Field
	cert   *widgets.Entry
	key    *widgets.Entry
	filesF *widgets.Field
	edge   *widgets.Check
}

// practiceCA is how the practice cloud's own CA stands among the others.
func practiceCA() string { return lang.X("certificate.practice", "Practice issuing CA") }

func newCertificateFields(p *Page) *certificateFields {
	f := &certificateFields{p: p}
	submit := func(string) { p.Primary() }
	f.ca = widgets.NewSelect(nil, func(name string) {
		if name == practiceCA() {
			name = ""
		}
		f.p.draft.Plan.X509.CA = name
		f.caF.SetError("")
		f.keepEdge()
	})
	f.caF = widgets.NewField(lang.X("certificate.ca", "Issuing CA"), "", f.ca)
	f.cert, f.key = widgets.NewEntry(submit), widgets.NewEntry(submit)
	f.cert.SetPlaceHolder(lang.X("certificate.file", "certificate, with those above it"))
	f.key.SetPlaceHolder(lang.X("certificate.keyfile", "private key"))
	f.cert.OnChanged = func(text string) { f.p.draft.Plan.X509.Files.Certificate = text; f.filesF.SetError("") }
	f.key.OnChanged = func(text string) { f.p.draft.Plan.X509.Files.Key = text; f.filesF.SetError("") }
	f.filesF = widgets.NewField(lang.X("certificate.files", "Files on this computer"), "", layout.Column(fynetheme.Size(theme.SizeNameSpace1), f.cert, f.key))
	f.edge = widgets.NewCheck(lang.X("certificate.edge", "Give it an Edge CA of its own"), func(bool) { f.keepEdge() })
	return f
}

// keepEdge writes what the box says: an Edge CA by the CA that is chosen.
func (f *certificateFields) keepEdge() {
	f.p.draft.Plan.EdgeCA = nil
	if f.edge.Checked {
		f.p.draft.Plan.EdgeCA = &provisioning.EdgeCAPlan{CA: f.p.draft.Plan.X509.CA}
	}
}

func (f *certificateFields) content() fyne.CanvasObject {
	plan := f.p.draft.Plan
	names, err := f.p.c.App.IssuingCAs(f.p.c.Ctx, plan.Cloud.Name)
	if err != nil {
		f.caF.SetError(err.Error())
	}
	for i, name := range names {
		if name == "" {
			names[i] = practiceCA()
		}
	}
	f.ca.Options = names
	chosen := plan.X509.CA
	if chosen == "" && len(names) > 0 {
		chosen = names[0]
	}
	f.ca.SetSelected(chosen)
	f.cert.SetText(plan.X509.Files.Certificate)
	f.key.SetText(plan.X509.Files.Key)
	f.edge.SetChecked(plan.EdgeCA != nil)

	f.source = widgets.NewChoiceGroup(f.choose, f.choices(plan, len(names) > 0)...)
	f.source.OnSubmitted = func(source string) { f.choose(source); f.p.Primary() }
	f.source.Choose(plan.WithDefaults().X509.Source)
	edge := layout.Column(0, f.edge, widgets.NewText(lang.X("certificate.edge.line", "Without it the runtime makes one itself, which is not for production."), widgets.StyleSmall))
	return layout.Column(fynetheme.Size(theme.SizeNameSpace2), widgets.SectionTitle(lang.X("certificate.title", "Certificate")), f.source, edge)
}

func (f *certificateFields) choices(plan provisioning.Plan, canIssue bool) []widgets.Choice {
	issue := widgets.Choice{ID: provisioning.SourceIssue, Icon: theme.IconCertificate(), Title: lang.X("certificate.issue", "Issued by a CA of the catalog"),
		Line: lang.X("certificate.issue.line", "key and certificate are made here and go to the device"), Content: f.caF}
	if !canIssue {
		issue.Muted, issue.Content = true, nil
		issue.Line = lang.X("certificate.noca", "the catalog has no CA with a key; edgewright cert new makes one")
	}
	files := widgets.Choice{ID: provisioning.SourceFiles, Icon: fynetheme.FolderOpenIcon(), Title: lang.X("certificate.fromfiles", "From files"),
		Line: lang.X("certificate.fromfiles.line", "a certificate and its key that you have"), Content: f.filesF}
	if plan.Cell.Provisioning == provisioning.Manual {
		self := widgets.Choice{ID: provisioning.SourceSelfSigned, Icon: theme.IconKey(), Title: lang.X("certificate.self", "Self-signed"),
			Line: lang.X("certificate.self.line", "the hub knows its thumbprint, and that of a spare pair")}
		return []widgets.Choice{self, files}
	}
	if !plan.ByGroup() {
		self := widgets.Choice{ID: provisioning.SourceSelfSigned, Icon: theme.IconKey(), Title: lang.X("certificate.self", "Self-signed"),
			Line: lang.X("certificate.self.dps", "the enrollment knows the certificate itself")}
		return []widgets.Choice{issue, self, files}
	}
	return []widgets.Choice{issue, files}
}

func (f *certificateFields) choose(source string) {
	x := &f.p.draft.Plan.X509
	x.Source = source
	if source != provisioning.SourceIssue {
		x.CA = ""
	} else if f.ca.Selected != practiceCA() {
		x.CA = f.ca.Selected
	}
	if source != provisioning.SourceFiles {
		x.Files = provisioning.CertificateFiles{}
	}
	f.keepEdge()
	f.p.arrange()
}

// wrong shows the first error of the plan among these fields and gives what is
// to have the focus, nil for nothing wrong.
func (f *certificateFields) wrong() fyne.Focusable {
	if finding := f.p.draft.Finding("x509.files"); finding != nil {
		f.filesF.SetError(finding.Problem + " " + finding.Fix)
		return f.cert
	}
	if finding := f.p.draft.Finding("x509.ca", "x509.source", "edge_ca.ca", "x509.anchor"); finding != nil {
		f.caF.SetError(finding.Problem + " " + finding.Fix)
		return f.source
	}
	return nil
}
