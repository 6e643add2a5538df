package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
	"edgewright/ui"
	"edgewright/ui/certificates"
	"edgewright/ui/frame"
	"edgewright/ui/widgets"
)

// fillCertificates makes a small plant: two roots, a CA, devices of which some end
// soon, one that is revoked and one that was renewed.
func fillCertificates(ctx context.Context, config app.Config) error {
	make := func(at time.Time, do func(a *app.App) error) error {
		config.Now = func() time.Time { return at }
		a, err := app.New(ctx, config)
		if err != nil {
			return err
		}
		defer func() { _ = a.Close() }()
		return do(a)
	}
	now := time.Now()
	one := func(a *app.App, profile, name, ca string, days int) (app.CertificateView, error) {
		return a.MakeCertificate(ctx, app.NewCertificate{Profile: profile, CommonName: name, CA: ca, Days: days})
	}
	if err := make(now.AddDate(-5, 0, -3), func(a *app.App) error {
		_, err := one(a, "root CA", "Plant Root 2021", "", 5*365)
		return err
	}); err != nil {
		return err
	}
	if err := make(now.AddDate(0, -11, -19), func(a *app.App) error {
		for _, ca := range [][3]string{{"root CA", "Plant Root 2026", ""}, {"intermediate CA", "Line 7 issuing", "Plant Root 2026"},
			{"device identity", "line-7-0040", "Line 7 issuing"}, {"Edge CA", "line-7-0040.ca", "Line 7 issuing"}} {
			if _, err := one(a, ca[0], ca[1], ca[2], 0); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return make(now, func(a *app.App) error {
		var last app.CertificateView
		for _, name := range []string{"line-7-0041", "line-7-0042", "line-7-0043", "line-7-0044"} {
			var err error
			if last, err = one(a, "device identity", name, "Line 7 issuing", 0); err != nil {
				return err
			}
		}
		if _, err := a.RevokeCertificate(ctx, last.ID, "keyCompromise"); err != nil {
			return err
		}
		if err := mintSome(ctx, a); err != nil {
			return err
		}
		return a.SaveProfile(ctx, pki.Profile{Name: "Plant server", Role: pki.RoleServer, Usages: []pki.Usage{pki.DigitalSignature, pki.ServerAuth}, Days: 90, Algorithm: pki.P256}, "")
	})
}

// drawCertificates draws a certificate, the board, the profiles and the forms.
func drawCertificates(ctx context.Context, q *posts, window fyne.Window, studio *ui.Studio, draw func(string) error) error {
	page := func(name string, place frame.Place) error {
		place.Page = frame.Certificates
		studio.Open(place)
		if err := q.rest(300 * time.Millisecond); err != nil {
			return err
		}
		return draw("4-certificates-" + name)
	}
	soon, err := studio.App().Certificates(ctx, "line-7-0040")
	if err != nil || len(soon) == 0 {
		return fmt.Errorf("the certificates of the pictures: %w", err)
	}
	if err := page("one", frame.Place{Certificate: soon[0].ID}); err != nil {
		return err
	}
	for _, step := range []struct{ name, text string }{{"renew", lang.X("certificate.renew", "Renew ...")},
		{"export", lang.X("certificate.export", "Export ...")}, {"revoke", lang.X("certificate.revoke", "Revoke ...")}} {
		if err := pressed(q, window, step.text); err != nil {
			return err
		}
		if err := draw("4-certificates-" + step.name); err != nil {
			return err
		}
		closeDialog(window)
	}
	if err := page("ends", frame.Place{Tab: certificates.TabEnds}); err != nil {
		return err
	}
	if err := page("profiles", frame.Place{Tab: certificates.TabProfiles}); err != nil {
		return err
	}
	front := studio.Open(frame.Place{Page: frame.Certificates, Tab: certificates.TabProfiles})
	if err := pressed(q, window, lang.X("profiles.add", "A profile of your own")); err != nil {
		return err
	}
	if err := draw("4-certificates-profile"); err != nil {
		return err
	}
	front.Back()
	front.Primary()
	if err := q.rest(300 * time.Millisecond); err != nil {
		return err
	}
	for _, o := range everything(window) {
		if entry, ok := o.(*widgets.Entry); ok && entry.Text == "" && entry.PlaceHolder == "" {
			entry.SetText("line-7-0045")
			break
		}
	}
	if err := q.rest(300 * time.Millisecond); err != nil {
		return err
	}
	if err := draw("4-certificates-new"); err != nil {
		return err
	}
	if err := drawToken(q, window, draw); err != nil {
		return err
	}
	front.Back()
	if err := drawInspection(ctx, q, studio, soon[0].ID, page); err != nil {
		return err
	}
	return drawMany(q, window, studio, draw)
}

// everything is what is drawn, in its order.
func everything(window fyne.Window) []fyne.CanvasObject {
	var all []fyne.CanvasObject
	var each func(o fyne.CanvasObject)
	each = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		all = append(all, o)
		switch o := o.(type) {
		case fyne.Widget:
			for _, child := range test.WidgetRenderer(o).Objects() {
				each(child)
			}
		case *fyne.Container:
			for _, child := range o.Objects {
				each(child)
			}
		}
	}
	each(window.Content())
	return all
}

// pressed presses the button of that text, when it is there.
func pressed(q *posts, window fyne.Window, text string) error {
	var found *widgets.Button
	if err := q.until(func() bool {
		for _, o := range everything(window) {
			if button, ok := o.(*widgets.Button); ok && button.Text == text {
				found = button
			}
		}
		return found != nil
	}); err != nil {
		return fmt.Errorf("the button %q: %w", text, err)
	}
	found.OnTapped()
	return q.rest(300 * time.Millisecond)
}

// closeDialog takes away what lies above the page.
func closeDialog(window fyne.Window) {
	window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
}

// drawInspection draws what a file with a chain holds.
func drawInspection(ctx context.Context, q *posts, studio *ui.Studio, id string, page func(string, frame.Place) error) error {
	file := filepath.Join(os.TempDir(), "from-a-partner.pem")
	defer func() { _ = os.Remove(file) }()
	if err := studio.App().ExportCertificateTo(ctx, id, app.ExportChain, false, secret.Value{}, file); err != nil {
		return err
	}
	if err := page("inspect", frame.Place{Files: []string{file}}); err != nil {
		return err
	}
	request := filepath.Join(os.TempDir(), "notes.txt")
	defer func() { _ = os.Remove(request) }()
	if err := os.WriteFile(request, []byte("nothing\n"), 0o600); err != nil {
		return err
	}
	if err := page("files", frame.Place{Files: []string{file, request}}); err != nil {
		return err
	}
	studio.Open(frame.Place{Page: frame.Certificates}).Back()
	return q.rest(100 * time.Millisecond)
}
