package practice

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/pagetest"
	"edgewright/ui/widgets"
)

// root writes a root's certificate and gives a function that writes one of its
// leaves.
func root(t *testing.T) (file string, leaf func(name string) string) {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, of, by *x509.Certificate) string {
		t.Helper()
		of.NotBefore, of.NotAfter, of.BasicConstraintsValid = time.Now().Add(-time.Hour), time.Now().Add(time.Hour), true
		der, err := x509.CreateCertificate(rand.Reader, of, by, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Line 7"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	return write("root.pem", ca, ca), func(name string) string {
		return write("leaf.pem", &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}}, ca)
	}
}

// answer fills the path of the dialog and presses its button.
func (d *desk) answer(path, press string, fill ...string) {
	d.Helper()
	var entries []*widgets.Entry
	for _, above := range d.c.Window.Canvas().Overlays().List() {
		for _, o := range test.LaidOutObjects(above) {
			if entry, ok := o.(*widgets.Entry); ok {
				entries = append(entries, entry)
			}
		}
	}
	for i, text := range append(fill, path) {
		entries[i].SetText(text)
	}
	pagetest.Press(d.T, d.c, press)
}

func TestCAIsUploadedAndProven(t *testing.T) {
	d := sit(t)
	file, leaf := root(t)
	d.tab(TabCertificates)
	d.sees("No CA certificate")
	pagetest.Press(t, d.c, "Upload a CA certificate ...")
	d.answer(file, "Upload", "line-7")
	d.sees("not verified")
	d.sees("Make a code first")
	pagetest.Press(t, d.c, "Make a code")
	d.sees("Show the proof ...")
	code := d.v.parts[TabCertificates].(*certificates).known[0].Code
	pagetest.Press(t, d.c, "Show the proof ...")
	d.answer(leaf("another"), "Verify")
	d.q.Until(t, "the refusal", func() bool { return d.v.notice.Visible() })
	pagetest.Press(t, d.c, "Show the proof ...")
	d.answer(leaf(code), "Verify")
	d.sees("Who holds its key was proven")
	pagetest.Press(t, d.c, "Remove ...")
	pagetest.Press(t, d.c, "Remove line-7")
	d.sees("No CA certificate")
}

func TestCAsAreNotClipped(t *testing.T) {
	d := sit(t)
	file, _ := root(t)
	if _, err := d.c.App.UploadPracticeCA(t.Context(), app.PracticeDPS, "line-7", file, false); err != nil {
		t.Fatal(err)
	}
	if _, err := d.c.App.PracticeCACode(t.Context(), app.PracticeDPS, "line-7"); err != nil {
		t.Fatal(err)
	}
	pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
		v := d.open(c, TabCertificates)
		tab := v.parts[TabCertificates].(*certificates)
		d.q.Until(t, "the certificates", func() bool { return len(tab.known) == 1 })
		return nil
	})
}
