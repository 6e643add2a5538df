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
	if p.Dropped([]string{file, "/nowhere/chain.pem"}) || p.Dropped([]string{"/nowhere/chain.pem"}) {
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
	q.Until(t, "the passphrase to be asked for", func() bool { return pagetest.Sees(p.c, "Geben Sie ihre Passphrase im Fenster ein") })
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

// Several bundles become a list of runs: each goes to its own target, what does not
// open is said and left out, and the batch can be put back.
func TestSeveralBundlesAreAListOfRuns(t *testing.T) {
	p, q, check := sit(t)
	to, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	withVault(t, p)
	folder := sealed(t, p, to)
	broken := filepath.Join(folder, "line-7-3.edgewright")
	if err := os.WriteFile(broken, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(filepath.Join(folder, "line-7-1.edgewright"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "line-7-1b.edgewright"), copied, 0o600); err != nil {
		t.Fatal(err)
	}
	p.Show(frame.Place{Files: []string{filepath.Join(folder, "line-7-1.edgewright"), filepath.Join(folder, "line-7-2.edgewright")}})
	q.Settle()
	goOn(t, p, q, stepWay)
	b := p.way().bundle
	if got, err := b.files(); err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	b.file.SetText(folder) // a folder stands for what lies in it
	b.by.Choose(openByText)
	pagetest.Field(t, p.c, "Identität").SetText(to.String())
	p.Primary()
	q.Until(t, "the bundles to open", func() bool { return b.many != nil })
	check("where they go")
	for _, text := range []string{"line-7-1b.edgewright", "line-7-3.edgewright", "Wohin 2 Bündel gehen"} {
		if !pagetest.Sees(p.c, text) {
			t.Errorf("%s is not shown", text)
		}
	}
	first, second := pagetest.Field(t, p.c, "line-7-1"), pagetest.Field(t, p.c, "line-7-2")
	if first.Text != "practice:line-7-1" || second.Text != "practice:line-7-2" {
		t.Errorf("they go to %q and %q", first.Text, second.Text)
	}
	for _, wrong := range []string{"practice:line-7-1", "a b"} {
		second.SetText(wrong)
		p.Primary()
		check("a wrong target")
		if p.at != stepWay {
			t.Fatalf("it goes on with the target %q", wrong)
		}
	}
	disk := t.TempDir()
	second.SetText(disk)
	p.Primary()
	if p.at != stepReview || len(p.list.rows) != 2 || p.list.rows[1].Target != app.FolderTarget(disk) {
		t.Fatalf("step %d, %+v", p.at, p.list)
	}
	q.Until(t, "the review", p.Ready)
	check("the review")
	p.Back()
	q.Settle()
	if p.at != stepWay || p.list != nil || second.Text != disk {
		t.Errorf("back at step %d, %v, %q", p.at, p.list, second.Text)
	}
	p.Primary()
	q.Until(t, "the review", p.Ready)
	p.Primary()
	ended(t, p, q)
	check("the end")
	for _, row := range p.job.(*batch).rows {
		if row.state != string(provisioning.RunSucceeded) {
			t.Errorf("%s ends %q (%s)", row.device, row.state, row.text)
		}
	}
	s := p.run()
	s.carryOnBatch(p.job.(*batch), s.batchWork(p.job.(*batch).id, true))
	ended(t, p, q)
	for _, row := range p.job.(*batch).rows {
		if row.state != string(provisioning.RunUndone) {
			t.Errorf("%s ends %q (%s), want it put back", row.device, row.state, row.text)
		}
	}
}

// A list says where bundles go, by the device ID.
func TestAListSaysWhereBundlesGo(t *testing.T) {
	p, q, check := sit(t)
	to, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	withVault(t, p)
	folder, disk := sealed(t, p, to), t.TempDir()
	list := filepath.Join(t.TempDir(), "targets.csv")
	if err := os.WriteFile(list, []byte("target,id\n"+app.FolderTarget(disk)+",line-7-2\npractice:other,line-7-9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.target().chosen = chooseMany
	p.target().list.SetText(list)
	goOn(t, p, q, stepWay)
	p.way().byBundle(true)
	b := p.way().bundle
	b.file.SetText(folder)
	b.by.Choose(openByText)
	pagetest.Field(t, p.c, "Identität").SetText(to.String())
	p.Primary()
	q.Until(t, "the bundles to open", func() bool { return b.many != nil })
	check("where they go")
	if !pagetest.Sees(p.c, "1 Zeile der Liste hat kein Bündel") || b.many[0].target.Text != "" || b.many[1].target.Text != app.FolderTarget(disk) {
		t.Errorf("%q %q", b.many[0].target.Text, b.many[1].target.Text)
	}
	p.Primary()
	if p.at != stepReview || len(p.list.rows) != 1 || p.list.rows[0].Plan.Device.ID != "line-7-2" {
		t.Fatalf("step %d, %+v", p.at, p.list)
	}
	q.Until(t, "the review", p.Ready)
	p.Back()
	q.Settle()
	if p.list == nil || p.list.path != list {
		t.Errorf("the list is gone: %+v", p.list)
	}
	b.many[1].target.SetText("")
	p.Primary()
	check("no targets")
	if p.at != stepWay {
		t.Error("it goes on without a target")
	}
}
