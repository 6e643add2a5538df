package devices

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm/softtpm"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	"edgewright/ui/pagetest"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
)

// softTPM runs a software TPM for a test.
func softTPM(t testing.TB) string {
	t.Helper()
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	process, err := softtpm.Start(t.Context(), t.TempDir(), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Close() })
	return process.Address
}

// nowhere is a software TPM that does not answer.
const nowhere = "unix:/nowhere/s"

// sitAtStation opens the TPM station with devices that are typed, and with a vault.
func sitAtStation(t *testing.T, typed ...string) *desk {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light}))
	d := &desk{T: t}
	d.c, d.q = frametest.Context(t, nil, func(place frame.Place) { d.places = append(d.places, place) })
	config := frametest.Config(t)
	config.PassphraseFile = filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(config.PassphraseFile, []byte("a passphrase of tests"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	d.c.App = a
	d.c = pagetest.Window(t, d.c, fyne.NewSize(964, 720))
	d.p = New(d.c)
	pagetest.Open(d.c, d.q, d.p, frame.Place{Tab: TabStation})
	d.until("the devices", func() bool { return pagetest.Sees(d.c, "this computer") })
	// Whether this computer has a TPM is none of the test's business.
	d.table().OnSelected("local: ")
	pagetest.Press(t, d.c, "Take off the list")
	for _, text := range typed {
		pagetest.Field(t, d.c, "Another device").SetText(text)
		pagetest.Press(t, d.c, "Add")
	}
	return d
}

// table is the one that is in sight.
func (d *desk) table() *widgets.DataTable {
	d.Helper()
	var found *widgets.DataTable
	pagetest.Each(d.c, func(o fyne.CanvasObject) {
		if t, ok := o.(*widgets.DataTable); ok {
			found = t
		}
	})
	if found == nil {
		d.Fatal("no table is in sight")
	}
	return found
}

// collect presses the blue button and waits for the end.
func (d *desk) collectAll(says string) {
	d.Helper()
	pagetest.Press(d.T, d.c, "Collect")
	d.until("the end of collecting", func() bool { return pagetest.Sees(d.c, says) })
}

func TestStationCollectsAndSaysWhatFailed(t *testing.T) {
	one, two := softTPM(t), softTPM(t)
	d := sitAtStation(t, "local: "+one, "local: "+two, "local: "+nowhere)
	if !pagetest.Sees(d.c, "3 devices to read the TPM of") || !pagetest.Sees(d.c, "not read yet") {
		t.Error("the station does not say what is attached")
	}
	pagetest.Field(t, d.c, "Another device").SetText("rootfs:///mnt")
	pagetest.Press(t, d.c, "Add")
	if !pagetest.Sees(d.c, "A folder has no TPM.") {
		t.Error("a folder is taken")
	}
	pagetest.Field(t, d.c, "Another device").SetText("")
	d.collectAll("2 endorsement keys are collected")
	for _, text := range []string{"1 failed; its row says why.", "collected", "failed", "standard", "Endorsement keys"} {
		if !pagetest.Sees(d.c, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
	d.table().OnSelected("local: " + nowhere)
	pagetest.Settle(d.c.Window)
	for _, text := range []string{"No software TPM answers", "Start swtpm"} {
		if !pagetest.Sees(d.c, text) {
			t.Errorf("the failure does not show %q", text)
		}
	}
	d.table().OnSelected("local: " + one)
	pagetest.Settle(d.c.Window)
	if !pagetest.Sees(d.c, "TCG template L-1") {
		t.Error("the template is not explained")
	}
	pagetest.Press(t, d.c, "Open the key")
	d.until("the key", func() bool { return pagetest.Sees(d.c, "Registration ID, base32") })
	if d.p.tabs.Opened() != TabKeys || !pagetest.Sees(d.c, "2 endorsement keys") {
		t.Error("the keys are not in front")
	}
	// What was typed is there the next time; what was read stays under its tab.
	again := New(d.c)
	pagetest.Open(d.c, d.q, again, frame.Place{Tab: TabStation})
	d.until("the typed devices", func() bool { return again.collect.Targets() == 4 })
}

func TestKeysAreNamedExportedImportedAndEnrolled(t *testing.T) {
	d := sitAtStation(t, "local: "+softTPM(t))
	d.collectAll("1 endorsement key is collected")
	d.p.tabs.Select(TabKeys)
	d.p.openTab(TabKeys)
	d.until("the key", func() bool { return pagetest.Sees(d.c, "not named") && d.table().OnSelected != nil && d.keyID() != "" })
	d.p.keys.Open(d.keyID())
	d.until("the key", func() bool { return pagetest.Sees(d.c, "Device ID ...") })
	pagetest.Press(t, d.c, "Device ID ...")
	pagetest.Field(t, d.c, "Device ID").SetText("Press 1")
	pagetest.Press(t, d.c, "Keep")
	d.until("the refusal", func() bool { return pagetest.Sees(d.c, "lower-case") })
	pagetest.Field(t, d.c, "Device ID").SetText("press-01")
	pagetest.Press(t, d.c, "Keep")
	d.until("the name", func() bool { return !d.c.DialogOpen() && pagetest.Sees(d.c, "press-01") })

	file := filepath.Join(t.TempDir(), "keys.csv")
	pagetest.Press(t, d.c, "Export ...")
	pagetest.Field(t, d.c, "File").SetText(file)
	pagetest.Press(t, d.c, "Export")
	d.until("the export", func() bool {
		return pagetest.Sees(d.c, "1 key is exported") && pagetest.Sees(d.c, "Fingerprint of this station")
	})
	if _, err := os.Stat(file + ".sig"); err != nil {
		t.Error(err)
	}
	other := sitAtStation(t)
	other.p.tabs.Select(TabKeys)
	other.p.openTab(TabKeys)
	other.until("no key", func() bool { return pagetest.Sees(other.c, "No endorsement key yet") })
	for _, answer := range []struct{ button, says string }{{"Not this one", "not accepted here"}, {"Accept and remember", "1 key came in"}} {
		pagetest.Press(t, other.c, "Import ...")
		pagetest.Field(t, other.c, "CSV or JSON file").SetText(file)
		pagetest.Press(t, other.c, "Import")
		other.until("the question", func() bool { return pagetest.Sees(other.c, "Is this the station's key?") })
		pagetest.Press(t, other.c, answer.button)
		other.until(answer.says, func() bool { return pagetest.Sees(other.c, answer.says) })
	}
	other.until("the list", func() bool { return pagetest.Sees(other.c, "press-01") && pagetest.Sees(other.c, "signed list") })

	enrol := func(says string) {
		t.Helper()
		pagetest.Press(t, other.c, "Enrol ...")
		other.until("the clouds", other.c.DialogOpen)
		pagetest.Press(t, other.c, "Enrol")
		other.until(says, func() bool { return pagetest.Sees(other.c, says) })
	}
	enrol("1 key is enrolled")
	pagetest.Press(t, other.c, "Take it back ...")
	other.until("the question", other.c.DialogOpen)
	var remove string
	pagetest.Each(other.c, func(o fyne.CanvasObject) {
		if b, ok := o.(*widgets.Button); ok && strings.HasPrefix(b.Text, "Remove the enrollments of e-") {
			remove = b.Text
		}
	})
	pagetest.Press(t, other.c, remove)
	other.until("the end", func() bool { return pagetest.Sees(other.c, "1 enrollment is removed") })
	enrol("1 key is enrolled")
	enrol("1 were enrolled with the same key before")
	other.p.Search()
	search, ok := other.c.Window.Canvas().Focused().(*widgets.Entry)
	if !ok {
		t.Fatal("Ctrl+F does not go to the search")
	}
	search.SetText("nothing fits this")
	other.until("no hit", func() bool { return pagetest.Sees(other.c, "No key fits") })
	if !other.p.Back() {
		t.Error("Escape does not take the search back")
	}
	other.until("the list again", func() bool { return pagetest.Sees(other.c, "press-01") })
}

// keyID is the first key of the catalog.
func (d *desk) keyID() string {
	d.Helper()
	keys, err := d.c.App.CollectedKeys(d.Context(), app.TPMKeyQuery{})
	if err != nil {
		d.Fatal(err)
	}
	if len(keys) == 0 {
		return ""
	}
	return keys[0].ID
}

func TestNothingOfTheStationIsClipped(t *testing.T) {
	one := softTPM(t)
	d := sitAtStation(t, "local: "+one, "local: "+nowhere)
	d.collectAll("1 endorsement key is collected")
	if err := d.c.App.NameKey(t.Context(), d.keyID(), "bench-with-a-very-long-name-of-its-own-0007"); err != nil {
		t.Fatal(err)
	}
	id := d.keyID()
	for name, prepare := range map[string]func(c *frame.Context, p *Page){
		"station": func(c *frame.Context, p *Page) {
			d.q.Until(t, "the devices", func() bool { return p.collect.Targets() > 2 })
		},
		"failure": func(c *frame.Context, p *Page) {
			d.q.Until(t, "the devices", func() bool { return p.collect.Targets() > 2 })
			p.collect.Primary()
			d.q.Until(t, "the end", func() bool { return !p.collect.Working() })
			p.collect.Open("local: " + nowhere)
		},
		"key": func(c *frame.Context, p *Page) {
			p.openKey(id)
			d.q.Until(t, "the key", func() bool { return p.keys.Shown() == id })
		},
	} {
		t.Run(name, func(t *testing.T) {
			pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
				p := New(c)
				pagetest.Open(c, d.q, p, frame.Place{Tab: TabStation})
				c.Preferences.SetStringList("station.targets", []string{"local: " + one, "local: " + nowhere})
				p.collect.Read()
				prepare(c, p)
				d.q.Settle()
				return p
			})
		})
	}
}
