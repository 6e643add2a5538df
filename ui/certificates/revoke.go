package certificates

import (
	"context"
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

// revoke looks what of the cloud the certificate's device has, and asks.
func (p *Page) revoke(cert app.CertificateDetail) {
	type stop struct {
		app.CloudStop
		found bool
	}
	frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (stop, error) {
		s, found, err := p.c.App.CloudStopOf(ctx, cert.ID)
		return stop{s, found}, err
	}, func(s stop, err error) {
		if err != nil {
			p.sayError(err)
			return
		}
		p.askRevoke(cert, s.CloudStop, s.found)
	})
}

// askRevoke says what a revocation does and what it does not, and asks for the
// reason.
func (p *Page) askRevoke(cert app.CertificateDetail, stop app.CloudStop, found bool) {
	its := map[string]any{"Name": name(cert.CertificateView)}
	var words []string
	for _, reason := range pki.Reasons {
		words = append(words, reasonWord(string(reason)))
	}
	reason := widgets.NewSelect(words, nil)
	reason.SetSelectedIndex(0)
	disable := widgets.NewCheck(lang.X("revoke.disable", "Disable the device as well"), nil)
	disable.SetChecked(found)
	body := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewText(lang.X("revoke.line", "It counts as revoked from now on, for good, and the next revocation list of its CA names it. Servers that read that list refuse it."), widgets.StyleBody),
		widgets.Remark(widgets.Care, azureLine(cert, stop, found)),
		widgets.NewField(lang.X("revoke.reason", "Reason"), "", reason))
	if found {
		body.Add(disable)
	}
	frame.NewDialog(p.c, lang.X("revoke.title", "Revoke {{.Name}}?", its), body, nil,
		frame.Answer{Text: lang.X("action.cancel", "Cancel")},
		frame.Answer{Text: lang.X("revoke.do", "Revoke {{.Name}}", its), Icon: fynetheme.CancelIcon(), Kind: widgets.Danger, Do: func() {
			p.doRevoke(cert, pki.Reasons[max(0, reason.SelectedIndex())], found && disable.Checked)
		}}).Show(reason)
}

// azureLine says what still has to be done in Azure, which reads no lists.
func azureLine(cert app.CertificateDetail, stop app.CloudStop, found bool) string {
	its := map[string]any{"Device": stop.Device, "Enrollment": stop.Enrollment, "Group": stop.Group}
	switch {
	case isCA(cert.Role) && cert.Role != string(pki.RoleEdgeCA):
		return lang.X("revoke.azure.ca", "Azure reads no revocation lists: devices below this CA go on connecting until the enrollment groups that refer to it are disabled or its certificate is removed from the DPS and the hub.")
	case found && stop.Group != "" && stop.Enrollment != "":
		return lang.X("revoke.azure.group", "Azure reads no revocation lists: {{.Device}} goes on connecting until it is disabled. That disables its identity in the hub and puts a disabled enrollment of its own in front of the group {{.Group}}; the other devices of the group stay as they are.", its)
	case found && stop.Enrollment != "":
		return lang.X("revoke.azure.enrollment", "Azure reads no revocation lists: {{.Device}} goes on connecting until it is disabled. That disables its identity in the hub and its enrollment {{.Enrollment}}.", its)
	case found:
		return lang.X("revoke.azure.device", "Azure reads no revocation lists: {{.Device}} goes on connecting until it is disabled. That disables its identity in the hub.", its)
	}
	return lang.X("revoke.azure.unknown", "Azure reads no revocation lists: a device with this certificate goes on connecting until its identity or its enrollment is disabled there.")
}

// revoked is what came of a revocation.
type revoked struct {
	app.Revocation
	disabled []string
	failed   error // disabling did not go through; the revocation did
}

func (p *Page) doRevoke(cert app.CertificateDetail, reason pki.Reason, disable bool) {
	frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (revoked, error) {
		result, err := p.c.App.RevokeCertificate(ctx, cert.ID, reason)
		out := revoked{Revocation: result}
		if err == nil && disable {
			out.disabled, out.failed = p.c.App.DisableDevice(ctx, cert.ID)
		}
		return out, err
	}, func(out revoked, err error) {
		p.Again()
		p.c.Changed()
		if err != nil {
			p.sayError(err)
			return
		}
		p.sayRevoked(cert, out)
	})
}

func (p *Page) sayRevoked(cert app.CertificateDetail, out revoked) {
	its := map[string]any{"Name": name(cert.CertificateView), "Number": out.Number, "Done": strings.Join(out.disabled, ", ")}
	var lines []string
	var below []fyne.CanvasObject
	if out.CRL != "" {
		lines = append(lines, lang.X("revoked.list", "Revocation list {{.Number}} of its CA names it.", its))
		below = append(below, layout.Flow(0, widgets.NewButton(widgets.Secondary, lang.X("revoked.save", "Save the list ..."), fynetheme.DownloadIcon(), func() { p.saveList(cert, out) })))
	} else {
		lines = append(lines, lang.X("revoked.nolist", "The key of its CA is not here, so no list was written."))
	}
	if len(out.disabled) > 0 {
		lines = append(lines, lang.X("revoked.disabled", "Disabled: {{.Done}}.", its))
	}
	if out.failed != nil {
		p.say(widgets.Care, lang.X("revoked.half", "{{.Name}} is revoked, and its device is not disabled", its), strings.Join(append(lines, errorLine(out.failed)), " "), below...)
		return
	}
	p.say(widgets.Good, lang.X("revoked.title", "{{.Name}} is revoked", its), strings.Join(lines, " "), below...)
}

// saveList writes the revocation list into a file.
func (p *Page) saveList(cert app.CertificateDetail, out revoked) {
	issuer := cert.IssuerName
	if len(cert.Above) > 0 {
		issuer = name(cert.Above[0])
	}
	pick.Ask(p.c, pick.Question{
		Title: lang.X("revoked.save.title", "Save the revocation list of {{.Name}}", map[string]any{"Name": issuer}),
		Line:  lang.X("revoked.save.line", "PEM; it holds for 30 days. Put it where the servers that read it look."),
		Label: lang.X("certificates.file", "File"), Hint: lang.X("devices.export.hint", "it must not exist yet"), Path: pick.Home("revoked.crl.pem"), Save: true,
		Act: lang.X("action.save", "Save"), Icon: fynetheme.DownloadIcon(), Check: pick.NewFile,
		Do: func(path string) {
			if err := app.WriteNew(path, []byte(out.CRL)); err != nil {
				p.sayError(err)
				return
			}
			p.say(widgets.Good, lang.X("revoked.saved", "The revocation list is saved"), path)
		},
	})
}
