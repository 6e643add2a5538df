package certificates

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// nothing stands in the place of the tree while the catalog has no certificate.
func (p *Page) nothing() fyne.CanvasObject {
	if p.empty == nil {
		p.empty = layout.VScroll(widgets.NewEmptyState(theme.IconCertificate(), lang.X("certificates.empty", "No certificate yet"),
			lang.X("certificates.empty.line", "Make a root CA to begin with, or import what you have as PEM, DER or PFX; runs add the certificates of their devices."),
			widgets.NewButton(widgets.Secondary, lang.X("certificates.first.root", "Make a root CA"), fynetheme.ContentAddIcon(), func() { p.newCertificate("", "root CA") })))
	}
	return p.empty
}

func (p *Page) importButton() *widgets.Button {
	return widgets.NewButton(widgets.Secondary, lang.X("certificates.import", "Import ..."), fynetheme.UploadIcon(), p.importFile)
}

// importFile asks for a file, and for the passphrase of the keys in it.
func (p *Page) importFile() {
	passphrase := widgets.NewSecretField("")
	pick.Ask(p.c, pick.Question{
		Title: lang.X("certificates.import.title", "Import certificates"),
		Line:  lang.X("certificates.import.line", "A PEM, DER, PKCS #7 or PFX file with certificates, keys and whole chains in any order. Keys go sealed into the vault."),
		Above: layout.Column(0, widgets.NewField(lang.X("certificates.passphrase", "Passphrase"), lang.X("certificates.passphrase.hint", "of the keys in the file; leave it empty where they have none"), passphrase)),
		Label: lang.X("certificates.file", "File"), Path: pick.Home("certificate.pfx"),
		Act: lang.X("certificates.import.do", "Import"), Icon: fynetheme.UploadIcon(), Check: pick.OldFile,
		Do: func(path string) {
			p.takeIn([]string{path}, passphrase.Value())
			passphrase.Clear()
		},
	})
}

// takeIn imports files and says what came of it.
func (p *Page) takeIn(files []string, passphrase secret.Value) {
	frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (app.Imported, error) {
		return p.c.App.ImportCertificates(ctx, files, passphrase)
	}, func(result app.Imported, err error) {
		p.Again()
		p.c.Changed()
		if err != nil {
			p.sayError(err)
			return
		}
		p.imported(result)
	})
}

func (p *Page) imported(result app.Imported) {
	n := len(result.Added)
	title := lang.XN("certificates.imported", "{{.N}} certificates came in", n, map[string]any{"N": n})
	line := ""
	if result.Known > 0 {
		line = lang.XN("certificates.imported.known", "{{.N}} were known already.", result.Known, map[string]any{"N": result.Known})
	}
	if n > 0 {
		p.tree.reveal(result.Added[n-1].ID)
	}
	if len(result.Refused) == 0 {
		p.say(widgets.Good, title, line)
		return
	}
	var reasons []string
	for _, refused := range result.Refused {
		reasons = append(reasons, uilang.Domain(refused.Problem))
	}
	state := widgets.Care
	if n+result.Known == 0 {
		state, title = widgets.Bad, lang.X("certificates.import.none", "Nothing came in")
	}
	p.say(state, title, strings.TrimSpace(line+" "+strings.Join(reasons, " ")))
}
