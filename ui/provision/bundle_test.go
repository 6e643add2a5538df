package provision

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	"edgewright/ui/pagetest"
)

// withVault gives the wizard a data folder whose vault has a passphrase.
func withVault(t *testing.T, p *Page) {
	t.Helper()
	config := frametest.Config(t)
	config.AskPassphrase = func(context.Context, bool) (secret.Value, error) {
		return secret.FromString("a passphrase of a test"), nil
	}
	a, err := app.New(p.c.Ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	p.c.App = a
	p.begin(app.NewDraft())
	p.show()
}

// sealed makes bundles for two devices, sealed for an identity, in a folder.
func sealed(t *testing.T, p *Page, to *age.X25519Identity) (folder string) {
	t.Helper()
	for _, n := range []app.NewCertificate{{Profile: "root CA", CommonName: "Plant Root"}, {Profile: "intermediate CA", CommonName: "Line 7 issuing", CA: "Plant Root"}} {
		if _, err := p.c.App.MakeCertificate(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := app.ReadMintRange("line-7-{1..2}", app.MintRow{EdgeCA: true})
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	out, err := p.c.App.Mint(t.Context(), app.MintRequest{Rows: rows, CA: "Line 7 issuing", Recipient: to.Recipient().String(), Folder: folder}, nil)
	if err != nil || out.Made != 2 {
		t.Fatal(out, err)
	}
	return folder
}

// opens presses the blue button until the bundle says what is inside.
func opens(t *testing.T, p *Page, q *frametest.Queue) {
	t.Helper()
	p.Primary()
	q.Until(t, "what is inside", func() bool { return p.way().bundle.opened != nil })
}

func (p *Page) way() *wayStep { return p.steps[stepWay].(*wayStep) }

// A bundle that is dropped provisions its device; the next one is opened by the
// same key.
func TestADeviceComesFromABundle(t *testing.T) {
	p, q, check := sit(t)
	to, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	withVault(t, p)
	folder := sealed(t, p, to)
	file := filepath.Join(folder, "line-7-1.edgewright")
	if p.Dropped([]string{file, file}) || p.Dropped([]string{"/nowhere/chain.pem"}) {
		t.Error("files that are no bundle are taken")
	}
	p.Show(frame.Place{Files: []string{file}})
	q.Settle()
	goOn(t, p, q, stepWay)
	check("the fields of a bundle")
	if p.way().bundle.file.Text != file {
		t.Fatalf("the bundle is %q", p.way().bundle.file.Text)
	}
	p.Primary() // the vault has no identity
	q.Until(t, "what is wrong", func() bool { return pagetest.Sees(p.c, "keine Werkbank-Identität") })
	check("no identity in the vault")

	p.way().bundle.by.Choose(openByText)
	p.Primary()
	check("no identity typed")
	if p.at != stepWay {
		t.Fatal("it goes on without an identity")
	}
	pagetest.Field(t, p.c, "Identität").SetText(to.String())
	opens(t, p, q)
	check("what is inside")
	for _, text := range []string{"line-7-1", "line-7-1.ca", "Plant Root"} {
		if !pagetest.Sees(p.c, text) {
			t.Errorf("%s is not shown", text)
		}
	}
	p.Primary()
	if p.at != stepReview {
		t.Fatalf("the next step is %d", p.at)
	}
	q.Until(t, "the review", p.Ready)
	check("the review")
	p.Back()
	if p.at != stepWay {
		t.Errorf("back leads to step %d", p.at)
	}
	p.Primary()
	q.Until(t, "the review", p.Ready)
	p.Primary()
	ended(t, p, q)
	check("the end")
	if o := p.job.(*running).outcome; o.Outcome != provisioning.RunSucceeded || o.Device != "line-7-1" {
		t.Fatalf("%s %s: %+v", o.Device, o.Outcome, o.Error)
	}
	p.Primary() // another
	if b := p.way().bundle; p.at != stepTarget || b == nil || b.file.Text != "" || b.text.IsEmpty() {
		t.Errorf("step %d", p.at)
	}
}

// An identity in a file may have a passphrase; what does not open is said.
func TestABundleIsOpenedByAFile(t *testing.T) {
	p, q, check := sit(t)
	to, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	withVault(t, p)
	folder := sealed(t, p, to)
	goOn(t, p, q, stepWay)
	p.way().byBundle(true)
	p.Primary()
	check("no bundle named")
	if !p.Dropped([]string{filepath.Join(folder, "line-7-2.edgewright")}) {
		t.Fatal("the wizard does not take a bundle")
	}
	identity := filepath.Join(t.TempDir(), "identity.age")
	var text strings.Builder
	word, err := age.NewScryptRecipient("a passphrase")
	if err != nil {
		t.Fatal(err)
	}
	word.SetWorkFactor(10)
	w, err := age.Encrypt(&text, word)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(to.String())); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(identity, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	b := p.way().bundle
	b.by.Choose(openByFile)
	p.Primary()
	check("no identity named")
	b.key.SetText(identity)
	p.Primary()
	q.Until(t, "the passphrase to be asked for", func() bool { return pagetest.Sees(p.c, "Ihre Passphrase im Fenster eingeben") })
	check("no passphrase")
	pagetest.Field(t, p.c, "Passphrase").SetText("another")
	p.Primary()
	q.Until(t, "that it is wrong", func() bool { return !p.way().bundle.pass.IsEmpty() && pagetest.Sees(p.c, "fehlt oder ist falsch") })
	pagetest.Field(t, p.c, "Passphrase").SetText("a passphrase")
	opens(t, p, q)
	// Back at the board nothing of the bundle stays.
	p.Primary()
	q.Until(t, "the review", p.Ready)
	p.Back()
	p.way().byBundle(false)
	if plan := p.draft.Plan; p.draft.Bundle != nil || plan.Device.ID != "" || plan.X509.Files.Key != "" {
		t.Errorf("%+v", plan)
	}
	check("the board again")
}
