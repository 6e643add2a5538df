package certificates

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning/pki"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// makeForm makes a certificate from a profile, or by the request in a file, and
// shows beside the fields what will come out.
type makeForm struct {
	p       *Page
	file    string // of the request, "" where the key is made here
	content fyne.CanvasObject

	profile   *widgets.Select
	name      *widgets.Entry
	names     *widgets.Entry
	ca        *widgets.Select
	algorithm *widgets.Select
	place     *placeFields
	days      *widgets.Entry
	daysField *widgets.Field
	nameField *widgets.Field
	onlyHosts *fyne.Container
	onlyCA    *fyne.Container
	failure   *fyne.Container
	outcome   *fyne.Container
	save      *widgets.Button

	profiles []app.ProfileView
	cas      []string
	wanted   string // the CA that is preselected: as given, then as the list calls it
	kind     string // the profile that is preselected
	fits     bool   // what is typed can be made
	look     frame.Task
	load     frame.Task
	work     frame.Task
}

// newCertificate opens the form; ca and profile may name the issuer, also by its ID,
// and the profile that it begins with.
func (p *Page) newCertificate(ca, profile string) { p.open(newMakeForm(p, "", ca, profile)) }

// signRequest asks for the file with the request first.
func (p *Page) signRequest(ca string) {
	pick.Ask(p.c, pick.Question{
		Title: lang.X("certificates.sign.title", "Sign a request"),
		Line:  lang.X("certificates.sign.line", "A PKCS #10 request that came from a device or a partner, PEM or DER. Its key stays where it is; only the certificate is made here."),
		Label: lang.X("certificates.sign.file", "Request"), Path: pick.Home("device.csr"),
		Act: lang.X("action.next", "Next"), Icon: fynetheme.NavigateNextIcon(), Check: pick.OldFile,
		Do: func(path string) { p.open(newMakeForm(p, path, ca, "")) },
	})
}

func newMakeForm(p *Page, file, ca, profile string) *makeForm {
	f := &makeForm{p: p, file: file, wanted: ca, kind: profile}
	space := fynetheme.Size(theme.SizeNameSpace3)
	f.profile = widgets.NewSelect(nil, func(string) { f.chosen() })
	f.name, f.names, f.days = f.entry(), f.entry(), f.entry()
	f.names.SetPlaceHolder("gateway.plant.example, 10.20.4.31")
	f.ca = widgets.NewSelect(nil, func(string) { f.preview() })
	f.algorithm = widgets.NewSelect(nil, func(string) { f.preview() })
	f.place = newPlaceFields(p, f.followKey)
	f.nameField = widgets.NewField(lang.X("certificates.form.name", "Common name"), lang.X("certificates.form.name.hint", "of an identity: the device ID, or with DPS the registration ID"), f.name)
	f.daysField = widgets.NewField(lang.X("certificates.form.days", "Days"), lang.X("certificates.form.days.hint", "it never ends after its issuer"), f.days)
	f.onlyHosts = layout.Column(space, widgets.NewField(lang.X("certificates.form.names", "Host names and addresses"), lang.X("certificates.form.names.hint", "separated by commas; without any, the common name"), f.names))
	f.onlyCA = layout.Column(space, widgets.NewField(lang.X("certificates.form.ca", "Signed by"), "", f.ca))
	f.failure, f.outcome = layout.Column(space), layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	f.failure.Hide()

	title, line := lang.X("certificates.new.title", "New certificate"), lang.X("certificates.new.line", "Its key is made here, for the vault or in a token")
	f.save = widgets.NewButton(widgets.Primary, lang.X("certificates.new.do", "Make"), fynetheme.ContentAddIcon(), f.submit)
	fields := layout.Column(space, f.failure, widgets.NewField(lang.X("certificates.form.profile", "Profile"), "", f.profile), f.nameField, f.onlyHosts, f.onlyCA,
		pair(widgets.NewField(lang.X("certificates.form.algorithm", "Key"), "", f.algorithm), f.place.whereF), f.place.inToken, f.daysField)
	if file != "" {
		title, line = lang.X("certificates.sign.title", "Sign a request"), file
		f.save.SetText(lang.X("certificates.sign.do", "Sign"))
		fields = layout.Column(space, f.failure, widgets.NewField(lang.X("certificates.form.profile", "Profile"), "", f.profile), f.onlyCA, f.daysField)
	}
	f.save.Disable()
	cancel := widgets.NewButton(widgets.Secondary, lang.X("action.cancel", "Cancel"), nil, p.close)
	foot := layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Spacer(), cancel, f.save)
	view := widgets.NewTitledCard(lang.X("certificates.outcome", "What will come out"), f.outcome)
	body := layout.Grid(2, 330*theme.TextFactor(), fynetheme.Size(theme.SizeNameSpace5), fields, layout.Column(0, view))
	f.content = layout.Page(widgets.NewPageHead(title, line), layout.VScroll(body), foot)
	f.read()
	return f
}

func (f *makeForm) entry() *widgets.Entry {
	e := widgets.NewEntry(func(string) { f.submit() })
	e.OnChanged = func(string) { f.preview() }
	return e
}

func (f *makeForm) object() fyne.CanvasObject { return f.content }

func (f *makeForm) first() fyne.Focusable {
	if f.file != "" {
		return f.profile
	}
	return f.name
}

// read gets the profiles and the CAs that can sign here.
func (f *makeForm) read() {
	type choices struct {
		profiles []app.ProfileView
		cas      []string
		wanted   string
		tokens   []app.KnownToken
	}
	frame.Do(f.p.c, &f.load, func(ctx context.Context) (choices, error) {
		profiles, err := f.p.c.App.CertificateProfiles(ctx)
		if err != nil {
			return choices{}, err
		}
		cas, err := f.p.c.App.IssuingCAs(ctx, "")
		if err != nil {
			return choices{}, err
		}
		wanted := ""
		if f.wanted != "" {
			if wanted, err = f.p.c.App.IssuingName(ctx, f.wanted); err != nil {
				return choices{}, err
			}
		}
		tokens, err := f.p.c.App.KnownTokens(ctx)
		return choices{profiles, cas, wanted, tokens}, err
	}, func(c choices, err error) {
		if err != nil {
			f.say(err)
			return
		}
		f.cas, f.ca.Options, f.wanted = c.cas, c.cas, c.wanted
		for _, profile := range c.profiles {
			if f.file == "" || !profile.SelfSigned {
				f.profiles = append(f.profiles, profile)
				f.profile.Options = append(f.profile.Options, profile.Name)
			}
		}
		f.place.offer(c.tokens)
		f.ca.PlaceHolder = lang.X("certificates.form.noca", "(make a root CA first)")
		if len(c.cas) > 0 {
			f.ca.PlaceHolder = lang.X("certificates.form.chooseca", "(choose a CA)")
		}
		f.begin()
	})
}

// begin chooses what is meant most often: with a CA an identity, without one the
// root that everything starts with.
func (f *makeForm) begin() {
	for _, ca := range f.cas {
		if ca == f.wanted || len(f.cas) == 1 {
			f.ca.SetSelected(ca)
		}
	}
	profile := f.kind
	switch {
	case profile != "":
	case len(f.cas) == 0 && f.file == "":
		profile = "root CA"
	default:
		profile = "device identity"
	}
	f.profile.SetSelected(profile)
}

// chosen follows the profile: its fields, its key and its life.
func (f *makeForm) chosen() {
	p, ok := f.its()
	if !ok {
		return
	}
	show(f.onlyCA, !p.SelfSigned)
	show(f.onlyHosts, p.Role == pki.RoleServer)
	var words []string
	for _, a := range pki.Algorithms {
		if !p.OnDevice || a.OnDevice() {
			words = append(words, a.String())
		}
	}
	f.algorithm.Options = words
	f.algorithm.SetSelected(p.Algorithm.String())
	f.days.SetText(strconv.Itoa(p.Days))
	f.content.Refresh()
	f.preview()
}

func show(o fyne.CanvasObject, visible bool) {
	if visible {
		o.Show()
	} else {
		o.Hide()
	}
}

// its is the profile that is chosen.
func (f *makeForm) its() (pki.Profile, bool) {
	for _, p := range f.profiles {
		if p.Name == f.profile.Selected {
			return p.Profile, true
		}
	}
	return pki.Profile{}, false
}

// request is what the fields ask for; false where the days are no number.
func (f *makeForm) request() (app.NewCertificate, bool) {
	n := app.NewCertificate{Profile: f.profile.Selected, CommonName: strings.TrimSpace(f.name.Text), CA: f.ca.Selected}
	if p, ok := f.its(); ok && p.SelfSigned {
		n.CA = ""
	}
	for _, a := range pki.Algorithms {
		if a.String() == f.algorithm.Selected {
			n.Algorithm = a
		}
	}
	if f.onlyHosts.Visible() {
		for name := range strings.SplitSeq(f.names.Text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				n.Names = append(n.Names, name)
			}
		}
	}
	days, err := strconv.Atoi(strings.TrimSpace(f.days.Text))
	n.Days = days
	return n, err == nil && days > 0
}

// preview shows what would be made of the fields as they are.
func (f *makeForm) preview() {
	n, ok := f.request()
	f.fits = false
	f.save.Disable()
	f.daysField.SetError("")
	f.nameField.SetError("")
	switch {
	case n.Profile == "":
		return
	case !ok:
		f.daysField.SetError(lang.X("certificates.form.days.wrong", "The days are a number from 1 on."))
		f.content.Refresh()
		return
	case n.CommonName == "" && f.file == "":
		f.put(widgets.NewText(lang.X("certificates.outcome.none", "Type its common name to see it."), widgets.StyleMuted))
		return
	}
	frame.Do(f.p.c, &f.look, func(ctx context.Context) (app.CertificateDraft, error) {
		if f.file != "" {
			return f.p.c.App.PreviewRequest(ctx, f.file, n)
		}
		return f.p.c.App.PreviewCertificate(ctx, n)
	}, func(draft app.CertificateDraft, err error) {
		if err != nil {
			view := frame.View(err)
			f.put(widgets.Remark(widgets.Bad, view.Message), widgets.NewText(view.Hint, widgets.StyleMuted))
			return
		}
		f.fits = true
		f.save.Enable()
		f.put(draftLines(f.p, draft)...)
	})
}

func (f *makeForm) put(objects ...fyne.CanvasObject) {
	f.outcome.Objects = objects
	f.outcome.Refresh()
	f.content.Refresh()
}

// followKey takes over the kind of a key that is in the token already.
func (f *makeForm) followKey(is pki.Algorithm) {
	if is != "" && slices.Contains(f.algorithm.Options, is.String()) {
		f.algorithm.SetSelected(is.String())
	}
	f.content.Refresh()
}

// submit makes the certificate and opens it in the tree.
func (f *makeForm) submit() {
	n, ok := f.request()
	if !ok || !f.fits {
		if f.file == "" && n.CommonName == "" {
			f.nameField.SetError(lang.X("certificates.form.name.missing", "The common name is missing."))
			f.p.c.Focus(f.name)
		}
		return
	}
	if n.Key, ok = f.place.place(); !ok {
		f.content.Refresh()
		return
	}
	f.save.Disable()
	frame.Do(f.p.c, &f.work, func(ctx context.Context) (app.CertificateView, error) {
		if f.file != "" {
			return f.p.c.App.SignRequest(ctx, f.file, n)
		}
		return f.p.c.App.MakeCertificate(ctx, n)
	}, func(made app.CertificateView, err error) {
		f.save.Enable()
		if err != nil {
			f.say(err)
			return
		}
		f.p.made(f, made)
	})
}

// made leaves the form and shows what it made.
func (p *Page) made(form inner, made app.CertificateView) {
	if p.form == form {
		p.close()
	}
	p.showInTree(made.ID)
	p.c.Changed()
	p.say(widgets.Good, lang.X("certificates.made", "{{.Name}} is made", map[string]any{"Name": name(made)}), "",
		layout.Flow(0, widgets.NewButton(widgets.Secondary, lang.X("certificate.export", "Export ..."), fynetheme.DownloadIcon(), func() { p.export(made) })))
}

// say puts a failure above the fields; what was typed stays.
func (f *makeForm) say(err error) {
	view := frame.View(err)
	f.failure.Objects = []fyne.CanvasObject{widgets.NewBanner(widgets.Bad, view.Message, view.Hint)}
	f.failure.Show()
	f.content.Refresh()
}

// draftLines are the facts of a certificate that is not made yet.
func draftLines(p *Page, draft app.CertificateDraft) []fyne.CanvasObject {
	d := &detail{p: p, d: draft.CertificateDetail}
	until := lang.X("certificate.dates", "{{.From}} to {{.To}}", map[string]any{"From": dateOf(draft.NotBefore), "To": dateOf(draft.NotAfter)})
	issuer := lang.X("certificate.byitself", "itself")
	if len(draft.Above) > 0 {
		issuer = name(draft.Above[0])
	}
	facts := []widgets.Fact{
		{Label: lang.X("certificate.is", "It is"), Value: d.kind()},
		{Label: lang.X("certificate.goodfor", "Good for"), Value: goodFor(draft.Role)},
		{Label: lang.X("certificate.subject", "Subject"), Value: draft.SubjectName},
		{Label: lang.X("certificate.issuer", "Issued by"), Value: issuer},
		{Label: lang.X("certificate.valid", "Valid"), Value: until},
		{Label: lang.X("certificate.key", "Key"), Value: algorithm(draft.Key.Algorithm)},
		{Label: lang.X("certificate.usages", "Key usage"), Value: strings.Join(draft.Usages, ", ")}}
	if len(draft.Names) > 0 {
		facts = append(facts, widgets.Fact{Label: lang.X("certificate.names", "Names"), Value: strings.Join(draft.Names, ", ")})
	}
	lines := []fyne.CanvasObject{widgets.Facts(facts...)}
	if draft.Shortened {
		lines = append(lines, widgets.Remark(widgets.Care, lang.X("certificates.shortened", "It ends with its issuer, earlier than asked for.")))
	}
	return append(lines, remarks(draft.Findings)...)
}
