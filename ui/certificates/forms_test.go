package certificates

import (
	"bytes"
	"crypto/rand"
	"crypto/x509/pkix"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"edgewright/app"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame"
	"edgewright/ui/pagetest"
)

// From nothing to a device's identity, by the keyboard.
func TestPlantIsMadeByForms(t *testing.T) {
	d := sit(t)
	d.open()
	d.sees("No certificate yet")
	make := func(profile, name, ca string, sees ...string) {
		t.Helper()
		d.p.Primary()
		f := d.p.form.(*makeForm)
		d.until("the form", func() bool { return f.profile.Selected != "" })
		f.profile.SetSelected(profile)
		if ca != "" {
			f.ca.SetSelected(ca)
		}
		f.name.SetText(name)
		d.until("what will come out", func() bool { return f.fits })
		for _, text := range sees {
			d.sees(text)
		}
		d.c.Window.Canvas().Focus(f.name)
		d.key(fyne.KeyReturn)
		d.sees(name + " is made")
	}
	make("root CA", "Plant Root", "", "What will come out", "signing other CAs", "EC P-384")
	make("intermediate CA", "Line 7 issuing", "", "2031") // the one CA is chosen
	make("device identity", "line-7-0001", "Line 7 issuing", "CN=line-7-0001", "digitalSignature, clientAuth")
	d.wantTitles("Plant Root .Line 7 issuing ..line-7-0001")
	d.sees("EC P-256, key in the vault")
	d.sees("3 certificates")
}

func TestFormSaysWhatCannotBeMade(t *testing.T) {
	d := sit(t)
	d.plant(0)
	d.open()
	d.p.newCertificate("Line 7 issuing", "")
	f := d.p.form.(*makeForm)
	d.until("the form", func() bool { return f.profile.Selected == "device identity" && f.ca.Selected == "Line 7 issuing" })
	d.sees("Type its common name to see it.")
	f.submit()
	d.sees("The common name is missing.")
	f.name.SetText(strings.Repeat("a", 65))
	d.sees("1 to 64 characters")
	f.name.SetText("line-7-0001")
	f.days.SetText("ten")
	d.sees("The days are a number from 1 on.")
	f.days.SetText("9000")
	d.sees("It ends with its issuer, earlier than asked for.")
	f.profile.SetSelected("server")
	f.names.SetText("gw.plant.example, not_a_host")
	d.sees("no DNS name")
	f.names.SetText("gw.plant.example, 10.20.4.31")
	d.sees("gw.plant.example, 10.20.4.31")
	if !d.p.Back() || d.p.form != nil {
		t.Error("Escape does not leave the form")
	}
}

func TestRequestIsSigned(t *testing.T) {
	d := sit(t)
	d.plant(0)
	d.open()
	key, err := pki.GenerateKey(rand.Reader, pki.P256)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pki.NewRequest(rand.Reader, pkix.Name{CommonName: "partner-1"}, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "partner.csr")
	if err := os.WriteFile(file, pki.RequestPEM(der), 0o600); err != nil {
		t.Fatal(err)
	}
	// A file that is dropped on the window is looked at first.
	d.p.Show(frame.Place{Files: []string{file}})
	d.sees("For the name partner-1.")
	pagetest.Press(t, d.c, "Sign the request ...")
	f := d.p.form.(*makeForm)
	d.until("the form", func() bool { return f.profile.Selected != "" })
	for _, option := range f.profile.Options {
		if option == "root CA" {
			t.Error("a request can be signed by itself")
		}
	}
	f.ca.SetSelected("Line 7 issuing")
	d.sees("CN=partner-1")
	pagetest.Press(t, d.c, "Sign")
	d.sees("partner-1 is made")
	d.sees("EC P-256, key kept nowhere here")
}

// Every form leaves in a file that opens again; a key only under a passphrase.
func TestCertificateIsExported(t *testing.T) {
	d := sit(t)
	leaf := d.plant(1)
	d.open()
	dir := t.TempDir()
	d.p.Show(frame.Place{Certificate: leaf.ID})
	d.sees(leaf.SHA256)
	for _, c := range []struct {
		form      int
		key       bool
		kind      pki.Kind
		certs     int
		file, end string
	}{{0, false, pki.KindPEM, 2, "a", ".chain.pem"}, {0, true, pki.KindPEM, 2, "b", ".chain.pem"}, {1, true, pki.KindPEM, 1, "c", ".pem"},
		{2, false, pki.KindDER, 1, "d", ".der"}, {3, true, pki.KindPFX, 3, "e", ".pfx"}, {4, true, pki.KindPFX, 3, "f", ".pfx"}} {
		pagetest.Press(t, d.c, "Export ...")
		var format interface{ SetSelectedIndex(int) }
		pagetest.Each(d.c, func(o fyne.CanvasObject) {
			if s, ok := o.(interface {
				fyne.CanvasObject
				SetSelectedIndex(int)
			}); ok {
				format = s
			}
		})
		format.SetSelectedIndex(c.form)
		if ends := strings.HasSuffix(pagetest.Field(t, d.c, "File").Text, "line-7-0001"+c.end); !ends {
			t.Errorf("form %d goes to %s", c.form, pagetest.Field(t, d.c, "File").Text)
		}
		if c.key {
			d.check()
			pagetest.Field(t, d.c, "Passphrase").SetText("short")
			pagetest.Press(t, d.c, "Export")
			d.sees("The passphrase has fewer than 8 characters.")
			pagetest.Field(t, d.c, "Passphrase").SetText("long enough it is")
		}
		file := filepath.Join(dir, c.file+c.end)
		pagetest.Field(t, d.c, "File").SetText(file)
		pagetest.Press(t, d.c, "Export")
		d.sees("line-7-0001 is exported")
		d.p.hush()
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if c.key && c.kind == pki.KindPEM && !bytes.Contains(data, []byte("BEGIN ENCRYPTED PRIVATE KEY")) {
			t.Errorf("form %d holds no encrypted key", c.form)
		}
		content, err := pki.Read(data, secret.FromString("long enough it is"))
		if err != nil || content.Kind != c.kind || len(content.Certificates) != c.certs || (len(content.Keys) == 1) != c.key || pki.SHA256(content.Certificates[0]) != leaf.SHA256 {
			t.Errorf("form %d: %s with %d certificates and %d keys, %v", c.form, content.Kind, len(content.Certificates), len(content.Keys), err)
		}
	}
}

// check ticks the boxes in sight.
func (d *desk) check() {
	pagetest.Each(d.c, func(o fyne.CanvasObject) {
		if box, ok := o.(interface{ SetChecked(bool) }); ok {
			box.SetChecked(true)
		}
	})
}

func TestCertificateIsRenewedAndRevoked(t *testing.T) {
	d := sit(t)
	leaf := d.plant(1)
	d.open()
	d.p.Show(frame.Place{Certificate: leaf.ID})
	d.sees(leaf.SHA256)
	pagetest.Press(t, d.c, "Renew ...")
	d.key(fyne.KeyDown) // a new key
	d.c.SubmitDialog()
	d.sees("line-7-0001 is made")
	d.sees("It replaced")
	renewed := d.p.tree.shown.d
	if renewed.ID == leaf.ID || renewed.Replaces == nil || renewed.Replaces.ID != leaf.ID {
		t.Fatalf("renewed %+v", renewed.CertificateView)
	}
	pagetest.Press(t, d.c, "Revoke ...")
	d.sees("Azure reads no revocation lists")
	pagetest.Press(t, d.c, "Revoke line-7-0001")
	d.sees("line-7-0001 is revoked")
	d.sees("Revocation list 1 of its CA names it.")
	pagetest.Press(t, d.c, "Save the list ...")
	file := filepath.Join(t.TempDir(), "revoked.pem")
	pagetest.Field(t, d.c, "File").SetText(file)
	pagetest.Press(t, d.c, "Save")
	d.sees("The revocation list is saved")
	d.p.Show(frame.Place{Files: []string{file}})
	d.sees("Number 1 of Line 7 issuing, with 1 certificate.")
	d.p.Back()
	d.sees("It is revoked: without a reason.")
}

func TestEncryptedFileIsOpened(t *testing.T) {
	d := sit(t)
	leaf := d.plant(1)
	d.open()
	pfx, err := d.c.App.ExportCertificate(t.Context(), leaf.ID, app.ExportPFX, true, secret.FromString("a passphrase"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "line.pfx")
	if err := os.WriteFile(file, pfx, 0o600); err != nil {
		t.Fatal(err)
	}
	d.p.Show(frame.Place{Files: []string{file}})
	d.sees("The file is encrypted")
	pagetest.Field(t, d.c, "Passphrase").SetText("another passphrase")
	pagetest.Press(t, d.c, "Open the keys")
	d.sees("The passphrase does not open it.")
	pagetest.Field(t, d.c, "Passphrase").SetText("a passphrase")
	pagetest.Press(t, d.c, "Open the keys")
	d.sees("Nothing is wrong with it")
	d.sees("PFX, 3 certificates, 1 private key")
	d.p.Primary()
	d.sees("3 were known already.")
	if err := os.WriteFile(file, []byte("no certificate at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.p.Show(frame.Place{Files: []string{file}})
	d.sees("neither PEM nor DER")
}

func TestProfileOfTheUserIsKept(t *testing.T) {
	d := sit(t)
	d.open()
	d.p.Show(frame.Place{Tab: TabProfiles})
	d.sees("comes with the program")
	pagetest.Press(t, d.c, "A profile of your own")
	f := d.p.form.(*profileForm)
	d.sees("The profile has no name")
	f.name.SetText("Plant leaf")
	d.sees("It breaks no rule.")
	for i, usage := range pki.Usages {
		if usage == pki.KeyCertSign {
			f.usages[i].SetChecked(true)
		}
	}
	d.sees("RFC 5280, 4.2.1.3")
	if !f.save.Disabled() {
		t.Error("a profile that breaks a rule can be saved")
	}
	f.usages[2].SetChecked(false)
	f.days.SetText("x")
	d.sees("1 to 10950")
	f.days.SetText("100")
	d.p.Primary()
	d.sees("The profile Plant leaf is saved")
	pagetest.Press(t, d.c, "Edit ...")
	d.p.form.(*profileForm).days.SetText("200")
	d.p.Primary()
	d.sees("200 days")
	pagetest.Press(t, d.c, "Remove ...")
	pagetest.Press(t, d.c, "Remove Plant leaf")
	d.until("it is gone", func() bool { return len(d.p.profiles.known) == len(pki.Profiles()) })
}

func TestBoardOffersWhatIsNext(t *testing.T) {
	d := sit(t)
	d.plant(0)
	leaf, err := d.c.App.MakeCertificate(t.Context(), app.NewCertificate{Profile: "device identity", CommonName: "line-7-0001", CA: "Line 7 issuing", Days: 100})
	if err != nil {
		t.Fatal(err)
	}
	d.open()
	d.p.Show(frame.Place{Tab: TabEnds})
	d.sees("Nothing ends soon")
	pagetest.Press(t, d.c, "Show all")
	d.until("three ends", func() bool { return d.p.board.rows.Len() == 3 })
	d.c.Window.Canvas().Focus(d.p.board.first())
	d.p.board.table.Select(leaf.ID)
	d.p.board.offer()
	d.sees("renew it here")
	pagetest.Press(t, d.c, "Renew ...")
	d.sees("Renew line-7-0001")
	d.c.CloseDialog()
	pagetest.Press(t, d.c, "Show it")
	d.wantTitles("Plant Root 2026 .Line 7 issuing ..line-7-0001")
	d.p.Show(frame.Place{Tab: TabEnds})
	for i, ending := range []string{".ics", ".csv"} {
		pagetest.Press(t, d.c, "Export ...")
		pagetest.Each(d.c, func(o fyne.CanvasObject) {
			if s, ok := o.(interface{ SetSelectedIndex(int) }); ok {
				s.SetSelectedIndex(i)
			}
		})
		file := filepath.Join(t.TempDir(), "ends"+ending)
		if !strings.HasSuffix(pagetest.Field(t, d.c, "File").Text, ending) {
			t.Errorf("%s goes to %s", ending, pagetest.Field(t, d.c, "File").Text)
		}
		pagetest.Field(t, d.c, "File").SetText(file)
		pagetest.Press(t, d.c, "Export")
		d.sees("What ends when is exported")
		d.p.hush()
		if data, err := os.ReadFile(file); err != nil || !bytes.Contains(data, []byte("line-7-0001")) {
			t.Errorf("%s %v", data, err)
		}
	}
}

// Forms, board and profiles in every look.
func TestPartsEverywhere(t *testing.T) {
	d := sit(t)
	leaf := d.plant(1)
	if err := d.c.App.SaveProfile(t.Context(), pki.Profile{Name: "Plant server", Role: pki.RoleServer, Usages: []pki.Usage{pki.DigitalSignature, pki.ServerAuth}, Days: 90, Algorithm: pki.P256}, ""); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "line-7-0001.pem")
	if err := d.c.App.ExportCertificateTo(t.Context(), leaf.ID, app.ExportChain, false, secret.Value{}, file); err != nil {
		t.Fatal(err)
	}
	for name, show := range map[string]func(t *testing.T, c *frame.Context, p *Page){
		"board": func(t *testing.T, c *frame.Context, p *Page) {
			p.Show(frame.Place{Tab: TabEnds})
			p.board.toggle()
			d.q.Until(t, "the board", func() bool { return p.board.rows.Len() == 3 })
			p.board.table.Select(leaf.ID)
			p.board.offer()
		},
		"profiles": func(t *testing.T, c *frame.Context, p *Page) {
			p.Show(frame.Place{Tab: TabProfiles})
			d.q.Until(t, "the profiles", func() bool { return len(p.profiles.known) > 0 })
		},
		"profile": func(t *testing.T, c *frame.Context, p *Page) { p.profiles.open(pki.Profiles()[1], "") },
		"new": func(t *testing.T, c *frame.Context, p *Page) {
			p.newCertificate("Line 7 issuing", "server")
			f := p.form.(*makeForm)
			d.q.Until(t, "the form", func() bool { return f.profile.Selected != "" })
			f.name.SetText("gateway.plant.example")
			d.q.Until(t, "what comes out", func() bool { return f.fits })
		},
		"inspect": func(t *testing.T, c *frame.Context, p *Page) {
			p.inspect(file)
			d.q.Until(t, "the file", func() bool { return !p.form.(*inspection).take.Disabled() })
		},
		"files": func(t *testing.T, c *frame.Context, p *Page) {
			p.inspect(file, file+".not")
			d.q.Until(t, "the files", func() bool { return p.form.(*inspections).rows.Len() == 2 })
		},
		"export": func(t *testing.T, c *frame.Context, p *Page) { p.export(leaf) },
		"renew":  func(t *testing.T, c *frame.Context, p *Page) { p.renew(leaf) },
		"revoke": func(t *testing.T, c *frame.Context, p *Page) {
			p.askRevoke(app.CertificateDetail{CertificateView: leaf}, app.CloudStop{Device: "line-7-0001", Cloud: "practice", Enrollment: "line-7-0001", Group: "line-7"}, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
				p := New(c)
				pagetest.Open(c, d.q, p, frame.Place{})
				d.q.Until(t, "the tree", func() bool { return p.tree.known })
				show(t, c, p)
				d.q.Settle()
				return p
			})
		})
	}
}

// Several files that are dropped are all looked at, and imported together.
func TestSeveralFilesAreLookedAt(t *testing.T) {
	other := sit(t)
	leaf := other.plant(1)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	export := func(name, form string, withKey bool) {
		t.Helper()
		if err := other.c.App.ExportCertificateTo(t.Context(), leaf.ID, form, withKey, secret.FromString("a passphrase"), at(name)); err != nil {
			t.Fatal(err)
		}
	}
	export("chain.pem", app.ExportChain, false)
	export("line.pfx", app.ExportPFX, true)
	if err := os.WriteFile(at("notes.txt"), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := sit(t)
	d.open()
	d.p.Show(frame.Place{Files: []string{at("chain.pem"), at("line.pfx"), at("notes.txt")}})
	d.sees("3 files")
	d.sees("PEM, 2 certificates")
	d.sees("encrypted")
	d.sees("not readable")
	i := d.p.form.(*inspections)
	i.table.Select(at("line.pfx"))
	i.open()
	d.sees("The file is encrypted")
	if !d.p.Back() || d.p.form != inner(i) {
		t.Fatal("Escape does not come back to the list")
	}
	d.p.Primary()
	d.sees("2 certificates came in")
}
