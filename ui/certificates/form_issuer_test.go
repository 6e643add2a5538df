package certificates

import (
	"strings"
	"testing"

	"edgewright/app"
)

// Of two CAs of one name the form begins with the one whose page it was opened
// from, and one that was renewed leads to its successor.
func TestFormBeginsWithTheRightCA(t *testing.T) {
	d := sit(t)
	d.plant(0)
	d.open()
	opened := func(id string) *makeForm {
		t.Helper()
		d.p.newCertificate(id, "")
		f := d.p.form.(*makeForm)
		d.until("the form", func() bool { return f.profile.Selected != "" })
		return f
	}
	roots := func() (list []app.CertificateView) {
		all, err := d.p.c.App.Certificates(t.Context(), "Plant Root 2026")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if strings.EqualFold(c.Subject, "Plant Root 2026") && c.State != "superseded" {
				list = append(list, c)
			}
		}
		return list
	}
	old := roots()[0]
	if f := opened(old.ID); f.ca.Selected != "Plant Root 2026" {
		t.Errorf("one root: %q", f.ca.Selected)
	}
	if _, err := d.p.c.App.RenewCertificate(t.Context(), old.ID, true); err != nil {
		t.Fatal(err)
	}
	if f := opened(old.ID); f.ca.Selected != "Plant Root 2026" {
		t.Errorf("a renewed root: %q", f.ca.Selected)
	}
	if _, err := d.p.c.App.MakeCertificate(t.Context(), app.NewCertificate{Profile: "root CA", CommonName: "plant root 2026"}); err != nil {
		t.Fatal(err)
	}
	for _, root := range roots() {
		if f := opened(root.ID); f.ca.Selected != root.SHA256 {
			t.Errorf("%s of two: %q", root.SHA256, f.ca.Selected)
		}
	}
	if f := opened("nobody"); f.ca.Selected != "" {
		t.Errorf("nobody: %q", f.ca.Selected)
	}
}
