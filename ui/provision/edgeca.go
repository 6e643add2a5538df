package provision

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// edgeFields ask whether a device gets an Edge CA of its own, whichever way it
// shows who it is, and where that comes from. Until a person says so it comes
// from where the identity does.
type edgeFields struct {
	p         *Page
	on        *widgets.Check
	source    *widgets.ChoiceGroup
	ca        *caChoice
	caF       *widgets.Field
	cert, key *widgets.Entry
	filesF    *widgets.Field
	est       *estFields
	name      *widgets.Entry
	nameF     *widgets.Field
	fields    *fyne.Container
	// chosen tells that a person has said where it comes from.
	chosen bool
	// first is the first CA that can sign here; without one there are only files
	// and servers.
	first   string
	canSign bool
}

func newEdgeFields(p *Page, submit func(string)) *edgeFields {
	f := &edgeFields{p: p}
	f.on = widgets.NewCheck(lang.X("certificate.edge", "Give it an Edge CA of its own"), func(bool) { f.switched() })
	f.ca = newCAChoice(func() { f.chosen = true; f.keep() })
	f.caF = widgets.NewField(lang.X("certificate.ca", "Issuing CA"), "", f.ca.list)
	f.cert, f.key, f.filesF = newFileFields(func() { f.keep() }, submit)
	f.est = newESTFields(p, submit, func(plan provisioning.Plan) bool {
		return plan.UsesEST() && plan.WithDefaults().X509.Source != provisioning.SourceEST
	})
	f.name = widgets.NewEntry(submit)
	f.name.OnChanged = func(string) { f.keep() }
	f.nameF = widgets.NewField(lang.X("edgeca.name", "Common name of the Edge CA"), lang.X("edgeca.name.hint", "left empty, the device ID and .ca; never the name of the device or its host"), f.name)
	f.source = widgets.NewChoiceGroup(func(string) { f.chosen = true; f.keep(); f.p.arrange() })
	f.source.OnSubmitted = func(string) { f.p.Primary() }
	f.fields = layout.Column(fynetheme.Size(theme.SizeNameSpace2), f.source, f.nameF)
	return f
}

// suits is the Edge CA that goes with the identity of the plan.
func (f *edgeFields) suits() provisioning.EdgeCAPlan {
	plan := f.p.draft.Plan.WithDefaults()
	switch source := plan.X509.Source; {
	case plan.Cell.Authentication == provisioning.X509 && source == provisioning.SourceEST:
		return provisioning.EdgeCAPlan{Source: provisioning.SourceEST}
	case plan.Cell.Authentication == provisioning.X509 && (source == provisioning.SourceIssue || source == provisioning.SourceLocalCA):
		return provisioning.EdgeCAPlan{Source: provisioning.SourceIssue, CA: plan.X509.CA}
	case !f.canSign:
		return provisioning.EdgeCAPlan{Source: provisioning.SourceFiles}
	}
	return provisioning.EdgeCAPlan{Source: provisioning.SourceIssue, CA: f.first}
}

// keep writes the fields into the plan.
func (f *edgeFields) keep() {
	for _, field := range []*widgets.Field{f.caF, f.filesF, f.nameF} {
		field.SetError("")
	}
	plan := &f.p.draft.Plan
	plan.EdgeCA = nil
	if f.on.Checked {
		plan.EdgeCA = &provisioning.EdgeCAPlan{Source: f.source.Chosen(), CommonName: strings.TrimSpace(f.name.Text)}
		f.nameF.Show()
		switch plan.EdgeCA.Source {
		case provisioning.SourceIssue:
			plan.EdgeCA.CA = f.ca.name()
		case provisioning.SourceFiles:
			f.nameF.Hide() // it stands in the certificate
			plan.EdgeCA.CommonName = ""
			plan.EdgeCA.Files = provisioning.CertificateFiles{Certificate: f.cert.Text, Key: f.key.Text}
		}
	}
	if !plan.UsesEST() {
		plan.X509.EST = provisioning.ESTPlan{}
	}
	f.est.keep()
}

// switched shows or hides what is asked of an Edge CA.
func (f *edgeFields) switched() {
	f.follow()
	f.p.arrange()
}

// follow brings the fields in line with the identity, unless a person has said
// where the Edge CA comes from, and the plan in line with the fields.
func (f *edgeFields) follow() {
	if !f.chosen {
		f.take(f.suits())
	}
	f.offer()
	f.keep()
	if f.on.Checked {
		f.fields.Show()
	} else {
		f.fields.Hide()
	}
}

// take shows where an Edge CA comes from.
func (f *edgeFields) take(ca provisioning.EdgeCAPlan) {
	f.source.Choose(ca.Source)
	if ca.Source == provisioning.SourceIssue {
		choose(f.ca.list, f.ca.list.Options, f.ca.words, ca.CA)
	}
}

// content shows the fields for the plan as it is.
func (f *edgeFields) content() fyne.CanvasObject {
	names, err := f.p.c.App.IssuingCAs(f.p.c.Ctx, f.p.draft.Plan.Cloud.Name)
	if err != nil {
		f.caF.SetError(frame.View(err).Message)
	}
	f.canSign, f.first = len(names) > 0, ""
	if f.canSign {
		f.first = names[0]
	}
	its := f.p.draft.Plan.WithDefaults().EdgeCA
	if f.on.Checked = its != nil; its == nil {
		its = &provisioning.EdgeCAPlan{Source: f.suits().Source, CA: f.suits().CA}
	}
	f.on.Refresh()
	f.ca.offer(names, practiceCA(), its.CA)
	f.chosen = *its != provisioning.EdgeCAPlan{Source: f.suits().Source, CA: f.suits().CA, CommonName: its.CommonName}
	setQuietly(f.name, its.CommonName)
	if its.Source == provisioning.SourceFiles {
		setQuietly(f.cert, its.Files.Certificate)
		setQuietly(f.key, its.Files.Key)
	}
	f.est.fill(f.p.draft.Plan)
	f.offer()
	f.take(*its)
	f.follow()
	return layout.Column(fynetheme.Size(theme.SizeNameSpace2), widgets.SectionTitle("Edge CA"),
		layout.Column(0, f.on, widgets.NewText(lang.X("certificate.edge.line", "Without it the runtime makes one itself, which is not for production."), widgets.StyleSmall)), f.fields)
}

// offer lists where an Edge CA can come from, for the plan as it is.
func (f *edgeFields) offer() {
	issue := widgets.Choice{ID: provisioning.SourceIssue, Icon: theme.IconCertificate(), Title: lang.X("certificate.issue", "Issued by a CA of the catalog"),
		Line: lang.X("certificate.issue.line", "whose key is in the vault or in a token"), Content: f.caF}
	if !f.canSign {
		issue.Muted, issue.Content = true, nil
		issue.Line = lang.X("certificate.noca", "the catalog has no CA with a key; New on the page Certificates makes one")
	}
	server := widgets.Choice{ID: provisioning.SourceEST, Icon: theme.IconCertificate(), Title: lang.X("certificate.est", "From an EST server"),
		Line: lang.X("edgeca.est.line", "the device makes its key and obtains it there itself"), Content: f.est.column}
	if plan := f.p.draft.Plan; plan.Cell.Authentication == provisioning.X509 && plan.X509.Source == provisioning.SourceEST {
		server.Line, server.Content = lang.X("edgeca.est.same", "the one that its identity comes from"), nil
	}
	f.source.Set([]widgets.Choice{issue, {ID: provisioning.SourceFiles, Icon: fynetheme.FolderOpenIcon(), Title: lang.X("certificate.fromfiles", "From files"),
		Line: lang.X("certificate.fromfiles.line", "a certificate and its key that you have"), Content: f.filesF}, server})
}

// wrong shows the first error among the fields and gives what is to have the
// focus, nil for nothing wrong.
func (f *edgeFields) wrong() fyne.Focusable {
	for _, row := range []struct {
		field *widgets.Field
		focus fyne.Focusable
		paths []string
	}{{f.caF, f.ca.list, []string{"edge_ca.ca", "edge_ca.source"}}, {f.filesF, f.cert, []string{"edge_ca.files"}}, {f.nameF, f.name, []string{"edge_ca.common_name"}}} {
		if finding := f.p.draft.Finding(row.paths...); finding != nil {
			row.field.SetError(frame.Finding(*finding))
			return row.focus
		}
	}
	return f.est.wrong()
}
