package certificates

import (
	"context"

	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// The choices of a renewal.
const (
	sameKey = "same"
	newKey  = "new"
)

// renew asks whether the key stays, and makes the certificate again.
func (p *Page) renew(cert app.CertificateView) {
	its := map[string]any{"Name": name(cert)}
	sameLine := lang.X("renew.same.line", "whoever trusts the key goes on trusting it")
	if cert.Key.Place != "vault" {
		sameLine = lang.X("renew.same.elsewhere", "it stays where it is; only the certificate is made anew")
	}
	newLine := lang.X("renew.new.line", "made here, sealed in the vault; the old one counts no longer")
	keys := widgets.NewChoiceGroup(nil,
		widgets.Choice{ID: sameKey, Icon: theme.IconKey(), Title: lang.X("renew.same", "Keep the key"), Line: sameLine},
		widgets.Choice{ID: newKey, Icon: fynetheme.ViewRefreshIcon(), Title: lang.X("renew.new", "A new key"), Line: newLine})
	keys.Choose(sameKey)
	line := lang.X("renew.line", "The new certificate has the same subject, profile and issuer. The old one counts as replaced; where it is in use it stays until you put the new one there.")
	if cert.Device != "" {
		line = lang.X("renew.device.line", "The new certificate has the same subject, profile and issuer. It does not go onto the device by itself.")
	}
	frame.NewDialog(p.c, lang.X("renew.title", "Renew {{.Name}}", its),
		layout.Column(fynetheme.Size(theme.SizeNameSpace3), widgets.NewText(line, widgets.StyleBody), keys), nil,
		frame.Answer{Text: lang.X("action.cancel", "Cancel")},
		frame.Answer{Text: lang.X("renew.do", "Renew"), Icon: fynetheme.ViewRefreshIcon(), Kind: widgets.Primary, Do: func() {
			frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (app.CertificateView, error) {
				return p.c.App.RenewCertificate(ctx, cert.ID, keys.Chosen() == newKey)
			}, func(made app.CertificateView, err error) {
				if err != nil {
					p.sayError(err)
					return
				}
				p.made(nil, made)
			})
		}}).Show(keys)
}

// errorLine is an error as one line.
func errorLine(err error) string {
	view := frame.View(err)
	if view.Hint == "" {
		return view.Message
	}
	return view.Message + " " + view.Hint
}
