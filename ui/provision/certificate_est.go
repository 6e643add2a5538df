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

// estFields ask for the EST server of a device: where it is, what the device
// shows there at first, and which CA vouches for it.
type estFields struct {
	p                        *Page
	url                      *widgets.Entry
	bootstrap, trust         *widgets.Select
	urlF, bootstrapF, trustF *widgets.Field
	column                   fyne.CanvasObject
	// mine tells whether these fields say what a plan asks the server.
	mine func(plan provisioning.Plan) bool
	// shown and trusted are the plan's words for what the lists offer.
	shown, trusted map[string]string
}

func newESTFields(p *Page, submit func(string), mine func(provisioning.Plan) bool) *estFields {
	f := &estFields{p: p, url: widgets.NewEntry(submit), mine: mine}
	f.url.SetPlaceHolder("https://est.example.org/.well-known/est")
	f.url.OnChanged = func(string) { f.keep(); f.urlF.SetError("") }
	f.bootstrap = widgets.NewSelect(nil, func(string) { f.keep(); f.bootstrapF.SetError("") })
	f.trust = widgets.NewSelect(nil, func(string) { f.keep(); f.trustF.SetError("") })
	f.urlF = widgets.NewField(lang.X("certificate.est.url", "Address of the EST server"), "", f.url)
	f.bootstrapF = widgets.NewField(lang.X("certificate.est.bootstrap", "What the device shows there at first"),
		lang.X("certificate.est.bootstrap.hint", "a certificate of the profile EST bootstrap, or a stored secret user:password"), f.bootstrap)
	f.trustF = widgets.NewField(lang.X("certificate.est.trust", "Who vouches for the server"), "", f.trust)
	f.column = layout.Column(fynetheme.Size(theme.SizeNameSpace2), f.urlF, f.bootstrapF, f.trustF)
	return f
}

// keep writes the fields into the plan, where they say what it asks.
func (f *estFields) keep() {
	if f.mine(f.p.draft.Plan) {
		f.p.draft.Plan.X509.EST = provisioning.ESTPlan{URL: strings.TrimSpace(f.url.Text), Bootstrap: f.shown[f.bootstrap.Selected], Trust: f.trusted[f.trust.Selected]}
	}
}

// fill lists what catalog and vault have, and takes what the plan says.
func (f *estFields) fill(plan provisioning.Plan) {
	est := plan.X509.EST
	a, ctx := f.p.c.App, f.p.c.Ctx
	certificates, err := a.BootstrapCertificates(ctx)
	if err != nil {
		f.bootstrapF.SetError(frame.View(err).Message)
	}
	secrets, err := a.Secrets(ctx)
	if err != nil {
		f.bootstrapF.SetError(frame.View(err).Message)
	}
	f.shown = map[string]string{lang.X("certificate.est.nothing", "nothing"): ""}
	offered := []string{}
	for _, name := range certificates {
		f.shown[name] = name
		offered = append(offered, name)
	}
	for _, name := range secrets {
		title := lang.X("certificate.est.login", "the secret {{.Name}}", map[string]any{"Name": name})
		f.shown[title] = "vault:" + name
		offered = append(offered, title)
	}
	if !plan.UsesEST() && len(certificates) > 0 {
		est.Bootstrap = certificates[0]
	}
	choose(f.bootstrap, append(offered, lang.X("certificate.est.nothing", "nothing")), f.shown, est.Bootstrap)

	cas, err := a.CANames(ctx)
	if err != nil {
		f.trustF.SetError(frame.View(err).Message)
	}
	system := lang.X("certificate.est.system", "the certificates of the system")
	f.trusted = map[string]string{system: ""}
	for _, name := range cas {
		f.trusted[name] = name
	}
	choose(f.trust, append([]string{system}, cas...), f.trusted, est.Trust)
	setQuietly(f.url, est.URL)
}

// choose fills a list and takes the entry that stands for a word of the plan;
// one that is not listed is added as it is. Nobody is told: no person chose.
func choose(list *widgets.Select, titles []string, words map[string]string, word string) {
	chosen := word
	for title, w := range words {
		if w == word {
			chosen = title
		}
	}
	if _, ok := words[chosen]; !ok {
		words[chosen] = word
		titles = append(titles, chosen)
	}
	list.Options, list.Selected = titles, chosen
	list.Refresh()
}

// wrong shows the first error among the fields and gives what is to have the
// focus, nil for nothing wrong.
func (f *estFields) wrong() fyne.Focusable {
	if !f.mine(f.p.draft.Plan) {
		return nil
	}
	for _, row := range []struct {
		path  string
		field *widgets.Field
		focus fyne.Focusable
	}{{"x509.est.url", f.urlF, f.url}, {"x509.est.bootstrap", f.bootstrapF, f.bootstrap}, {"x509.est.trust", f.trustF, f.trust}} {
		if finding := f.p.draft.Finding(row.path); finding != nil {
			row.field.SetError(frame.Finding(*finding))
			return row.focus
		}
	}
	return nil
}
