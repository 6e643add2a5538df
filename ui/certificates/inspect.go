package certificates

import (
	"context"
	"errors"
	"path/filepath"
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

// inspection shows what a file is, what it is good for and what is wrong with it.
// Nothing of it is kept unless it is imported.
type inspection struct {
	p          *Page
	file       string
	content    fyne.CanvasObject
	body       *fyne.Container
	passphrase *widgets.SecretField
	locked     *fyne.Container
	field      *widgets.Field
	take       *widgets.Button
	back       *widgets.Button
	sign       *widgets.Button
	tried      bool         // with a passphrase
	among      *inspections // of several files, nil for one alone
	look       frame.Task
}

// inspectFile asks for a file to look at.
func (p *Page) inspectFile() {
	pick.Ask(p.c, pick.Question{
		Title: lang.X("inspect.title", "Look at a file"),
		Line:  lang.X("inspect.line", "PEM, DER, PKCS #7, PFX, a key, a request or a revocation list. It can also be dropped on the window. Nothing is kept."),
		Label: lang.X("certificates.file", "File"), Path: pick.Home("certificate.pem"),
		Act: lang.X("inspect.do", "Look"), Icon: fynetheme.SearchIcon(), Check: pick.OldFile,
		Do: func(path string) { p.inspect(path) },
	})
}

// inspect opens what a file holds, or the list of several.
func (p *Page) inspect(files ...string) {
	if len(files) > 1 {
		p.open(newInspections(p, files))
		return
	}
	p.open(newInspection(p, files[0]))
}

func newInspection(p *Page, file string) *inspection {
	i := &inspection{p: p, file: file}
	space := fynetheme.Size(theme.SizeNameSpace3)
	i.body = layout.Column(space)
	i.passphrase = widgets.NewSecretField("")
	i.passphrase.OnSubmitted = i.unlock
	i.field = widgets.NewField(lang.X("certificates.passphrase", "Passphrase"), lang.X("inspect.passphrase.hint", "of the keys in the file; it is used to look and then forgotten"), i.passphrase)
	i.passphrase.OnChanged = func(bool) { i.field.SetError("") }
	i.locked = layout.Column(space, i.field, layout.Flow(0, widgets.NewButton(widgets.Secondary, lang.X("inspect.unlock", "Open the keys"), theme.IconKey(), i.unlock)))
	i.locked.Hide()
	i.back = widgets.NewButton(widgets.Secondary, lang.X("action.close", "Close"), nil, func() { p.Back() })
	i.sign = widgets.NewButton(widgets.Secondary, lang.X("inspect.sign", "Sign the request ..."), theme.IconCertificate(), func() { p.open(newMakeForm(p, file, "", "")) })
	i.sign.Hide()
	i.take = widgets.NewButton(widgets.Primary, lang.X("certificates.import.do", "Import"), fynetheme.UploadIcon(), i.submit)
	i.take.Disable()
	foot := layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Spacer(), i.back, i.sign, i.take)
	i.content = layout.Page(widgets.NewPageHead(filepath.Base(file), file), layout.VScroll(layout.Column(space, i.body, i.locked)), foot)
	i.read()
	return i
}

func (i *inspection) object() fyne.CanvasObject { return i.content }
func (i *inspection) first() fyne.Focusable     { return i.back }

// unlock reads the file again with the passphrase.
func (i *inspection) unlock() {
	if i.passphrase.IsEmpty() {
		i.field.SetError(lang.X("inspect.nopassphrase", "The passphrase is missing."))
		i.passphrase.Focus()
		return
	}
	i.tried = true
	i.read()
}

// submit imports the file.
func (i *inspection) submit() {
	if i.take.Disabled() {
		return
	}
	passphrase := i.passphrase.Value()
	i.passphrase.Clear()
	i.p.close()
	i.p.takeIn([]string{i.file}, passphrase)
}

func (i *inspection) read() {
	passphrase := i.passphrase.Value()
	frame.Do(i.p.c, &i.look, func(context.Context) (app.Inspected, error) {
		return i.p.c.App.InspectFile(i.file, passphrase)
	}, func(seen app.Inspected, err error) {
		i.body.Objects = nil
		switch {
		case errors.Is(err, pki.ErrPassphrase):
			show(i.locked, true)
			i.body.Add(widgets.NewBanner(widgets.Care, lang.X("inspect.locked", "The file is encrypted"), lang.X("inspect.locked.line", "Its passphrase shows what is in it.")))
			if i.tried {
				i.field.SetError(lang.X("inspect.wrongpassphrase", "The passphrase does not open it."))
			}
			i.p.c.FocusIn(frame.Certificates, widgets.FirstFocus(i.passphrase))
		case err != nil:
			i.body.Add(frame.Failure(err, "", nil))
		default:
			i.show(seen)
		}
		i.content.Refresh()
	})
}

// show puts what was found onto the page, the answer first.
func (i *inspection) show(seen app.Inspected) {
	show(i.locked, seen.Locked > 0)
	show(i.sign, len(seen.Requests) == 1)
	if len(seen.Certificates) > 0 {
		i.take.Enable()
	}
	state, title := verdict(seen)
	i.body.Add(widgets.NewBanner(state, title, strings.Join(contents(seen), ", ")))
	for _, request := range seen.Requests {
		i.body.Add(widgets.NewTitledCard(lang.X("inspect.request", "A request"), widgets.NewText(lang.X("inspect.request.line", "For the name {{.Name}}. It was signed with its own key; a CA makes a certificate of it.", map[string]any{"Name": request}), widgets.StyleBody)))
	}
	for _, list := range seen.Lists {
		i.body.Add(widgets.NewTitledCard(lang.X("inspect.list", "A revocation list"), widgets.NewText(lang.XN("inspect.list.line", "Number {{.Number}} of {{.Issuer}}, with {{.N}} certificates. The next one is due on {{.Next}}.", list.Revoked,
			map[string]any{"Number": list.Number, "Issuer": list.Issuer, "N": list.Revoked, "Next": dateOf(list.Next)}), widgets.StyleBody)))
	}
	for _, cert := range seen.Certificates {
		i.body.Add(i.card(cert))
	}
}

// verdict is the answer: whether something in a file cannot be used.
func verdict(seen app.Inspected) (widgets.State, string) {
	if seen.KeyMatches != nil && !*seen.KeyMatches {
		return widgets.Bad, lang.X("inspect.mismatch", "The key in the file belongs to none of its certificates")
	}
	worst := widgets.Good
	for _, cert := range seen.Certificates {
		for _, f := range cert.Findings {
			if l := level(f.Level); l > worst {
				worst = l
			}
		}
	}
	switch {
	case worst == widgets.Bad:
		return worst, lang.X("inspect.bad", "Something in it cannot be used")
	case worst == widgets.Care:
		return worst, lang.X("inspect.care", "It can be used, and something wants care")
	}
	return widgets.Good, lang.X("inspect.good", "Nothing is wrong with it")
}

// contents counts what is in a file.
func contents(seen app.Inspected) []string {
	parts := []string{strings.ToUpper(seen.Kind)}
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, text)
		}
	}
	n := func(count int) map[string]any { return map[string]any{"N": count} }
	add(len(seen.Certificates), lang.XN("inspect.certificates", "{{.N}} certificates", len(seen.Certificates), n(len(seen.Certificates))))
	add(seen.Keys, lang.XN("inspect.keys", "{{.N}} private keys", seen.Keys, n(seen.Keys)))
	add(seen.Locked, lang.XN("inspect.lockedkeys", "{{.N}} encrypted private keys", seen.Locked, n(seen.Locked)))
	add(len(seen.Requests), lang.XN("inspect.requests", "{{.N}} requests", len(seen.Requests), n(len(seen.Requests))))
	add(len(seen.Lists), lang.XN("inspect.lists", "{{.N}} revocation lists", len(seen.Lists), n(len(seen.Lists))))
	return parts
}

// card is one certificate of the file.
func (i *inspection) card(cert app.CertificateView) fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace2)
	status := answer(cert, i.p.now())
	head := layout.Beside(space, 140*theme.TextFactor(), widgets.NewText(name(cert), widgets.StyleStrong), widgets.NewPill(status.State, status.Word))
	facts := widgets.Facts(
		widgets.Fact{Label: lang.X("certificate.is", "It is"), Value: roleWord(cert.Role)},
		widgets.Fact{Label: lang.X("certificate.goodfor", "Good for"), Value: goodFor(cert.Role)},
		widgets.Fact{Label: lang.X("certificate.valid", "Valid"), Value: lang.X("certificate.dates", "{{.From}} to {{.To}}", map[string]any{"From": dateOf(cert.NotBefore), "To": dateOf(cert.NotAfter)})},
		widgets.Fact{Label: lang.X("certificate.key", "Key"), Value: algorithm(cert.Key.Algorithm)},
		widgets.Fact{Label: "SHA-1", Value: cert.SHA1, Mono: true, Copy: true},
		widgets.Fact{Label: "SHA-256", Value: cert.SHA256, Mono: true, Copy: true})
	return widgets.NewCard(append([]fyne.CanvasObject{head, facts}, remarks(cert.Findings)...)...)
}
