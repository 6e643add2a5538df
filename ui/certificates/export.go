package certificates

import (
	"context"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// exportForm are the fields of an export.
type exportForm struct {
	cert       app.CertificateView
	format     *widgets.Select
	key        *widgets.Check
	passphrase *widgets.SecretField
	field      *widgets.Field
	dialog     *pick.Dialog
	all        *fyne.Container
}

// formats are the forms that a certificate can leave in; those with a key only
// where it is here.
func formats(key bool) (words, ids, endings []string) {
	words = []string{lang.X("certificate.export.chain", "PEM, the chain in the device's order"), lang.X("certificate.export.pem", "PEM, this certificate alone"),
		lang.X("certificate.export.der", "DER, this certificate alone")}
	ids, endings = []string{app.ExportChain, app.ExportPEM, app.ExportDER}, []string{".chain.pem", ".pem", ".der"}
	if key {
		words = append(words, lang.X("certificate.export.pfx", "PFX with key and chain"), lang.X("certificate.export.pfxold", "PFX for systems before 2018 (3DES)"))
		ids, endings = append(ids, app.ExportPFX, app.ExportPFXOld), append(endings, ".pfx", ".pfx")
	}
	return words, ids, endings
}

// export asks for the form, for the passphrase of the key and for the file.
func (p *Page) export(cert app.CertificateView) {
	f := &exportForm{cert: cert}
	here := cert.Key.Place == "vault"
	words, _, _ := formats(here)
	f.format = widgets.NewSelect(words, nil)
	f.format.SetSelectedIndex(0)
	f.format.OnChanged = func(string) { f.chosen() }
	f.key = widgets.NewCheck(lang.X("certificate.export.key", "With its key, encrypted"), func(bool) { f.chosen() })
	f.passphrase = widgets.NewSecretField("")
	f.field = widgets.NewField(lang.X("certificates.passphrase", "Passphrase"), lang.X("certificate.export.passphrase.hint", "of the key in the file; a key never leaves without one"), f.passphrase)
	f.passphrase.OnChanged = func(bool) { f.field.SetError("") }
	f.field.Hide()
	show(f.key, here)
	f.all = layout.Column(fynetheme.Size(theme.SizeNameSpace3), widgets.NewField(lang.X("certificate.export.format", "Form"), "", f.format), f.key, f.field)
	f.dialog = pick.Ask(p.c, pick.Question{
		Title: lang.X("certificate.export.title", "Export {{.Name}}", map[string]any{"Name": name(cert)}),
		Above: f.all, Label: lang.X("certificates.file", "File"), Hint: lang.X("devices.export.hint", "it must not exist yet"),
		Path: pick.Home(fileName(cert) + ".chain.pem"), Save: true, Act: lang.X("devices.export.do", "Export"), Icon: fynetheme.DownloadIcon(),
		Ready: f.ready, Check: pick.NewFile,
		Do: func(path string) { p.writeExport(f, path) },
	})
}

// fileName makes a file's name of a certificate's.
func fileName(cert app.CertificateView) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || strings.ContainsRune(`/\:*?"<>|`, r) || r < 0x20 {
			return '-'
		}
		return r
	}, name(cert))
}

// id is the form that is chosen.
func (f *exportForm) id() string {
	_, ids, _ := formats(true)
	return ids[max(0, f.format.SelectedIndex())]
}

// withKey tells whether the key goes along.
func (f *exportForm) withKey() bool {
	id := f.id()
	return app.ExportHasKey(id) || f.key.Checked && id != app.ExportDER
}

// chosen follows the form: the file's ending, and the fields of the key.
func (f *exportForm) chosen() {
	id := f.id()
	show(f.key, f.cert.Key.Place == "vault" && !app.ExportHasKey(id) && id != app.ExportDER)
	show(f.field, f.withKey())
	_, _, endings := formats(true)
	path := f.dialog.Path()
	f.dialog.SetPath(filepath.Join(filepath.Dir(path), fileName(f.cert)+endings[max(0, f.format.SelectedIndex())]))
	f.all.Refresh()
	f.dialog.Fit()
}

// ready says what is wrong with the passphrase.
func (f *exportForm) ready() bool {
	if !f.withKey() || len(f.passphrase.Value().Reveal()) >= app.MinPassphrase {
		return true
	}
	f.field.SetError(lang.X("certificate.export.short", "The passphrase has fewer than {{.N}} characters.", map[string]any{"N": app.MinPassphrase}))
	f.passphrase.Focus()
	return false
}

func (p *Page) writeExport(f *exportForm, path string) {
	id, withKey, passphrase := f.id(), f.withKey(), f.passphrase.Value()
	f.passphrase.Clear()
	frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, p.c.App.ExportCertificateTo(ctx, f.cert.ID, id, withKey, passphrase, path)
	}, func(_ struct{}, err error) {
		if err != nil {
			p.sayError(err)
			return
		}
		p.say(widgets.Good, lang.X("certificate.exported", "{{.Name}} is exported", map[string]any{"Name": name(f.cert)}), path)
	})
}
